"""Graded outputs of a suite: rows of `evals`, the versions that they are of, and what both cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from roi.importers.spans import amount, count, text_of
from roi.prices import CURRENCY

__all__ = ["GRADES", "Cells", "Version", "free_name", "graded", "named", "segment_of", "spent"]

GRADES = ("[PASS]", "[FAIL]", "[ERROR]")
Cells: TypeAlias = dict[str, str | None]

_SEGMENTS = ("label", "segment", "category")
_LONGEST_NAME = 120


@dataclass(slots=True)
class Version:
    """A prompt with a model, and what their document sums up of them."""

    name: str
    suite: str
    run: str | None = None
    provider: str | None = None
    prompt: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    passed: int = 0
    failed: int = 0

    @property
    def of(self) -> tuple[str, str]:
        """What is the same where a document was exported twice: its run, else its file; and the name."""
        return self.run or self.suite, self.name

    def count(self, passed: bool) -> None:
        """Count a graded output."""
        self.passed += passed
        self.failed += not passed


def named(header: Mapping[str, Any], taken: set[str], suite: str, run: str | None = None) -> Version:
    """A version by its model and the head of its prompt's id.

    Args:
        header: Of a column or an entry of `prompts`.
        taken: Names that other versions of the document have; the new one is added.
        suite: The document's name.
        run: Its own id.
    """
    provider, prompt = text_of(header.get("provider")), text_of(header.get("id") or header.get("label"))
    name = " · ".join(p for p in (provider, prompt[:8] if prompt else None) if p) or "unnamed"
    metrics = header.get("metrics")
    return Version(
        free_name(name, taken), suite, run, provider, prompt, metrics if isinstance(metrics, Mapping) else {}
    )


def free_name(name: str, taken: set[str]) -> str:
    """A name that no other version has: columns may repeat theirs."""
    plain, number = name[:_LONGEST_NAME], 1
    while (free := plain if number == 1 else f"{plain} ({number})") in taken:
        number += 1
    taken.add(free)
    return free


def graded(version: Version, case: str, passed: bool, segment: str | None) -> Cells:
    """A row of `evals`."""
    return {
        "version": version.name, "eval_case": case, "passed": "true" if passed else "false", "suite": version.suite,
        "run_id": version.run, "segment": segment[:200] if segment else None,
    }  # fmt: skip


def segment_of(*given: Any) -> str | None:
    """The segment that one of several mappings names."""
    for names in given:
        if isinstance(names, Mapping):
            for key in _SEGMENTS:
                if (told := text_of(names.get(key))) is not None:
                    return told
    return None


def spent(cost: Any, usage: Any) -> Cells:
    """Cost and tokens as cells.

    A cost of 0 is unknown: either nobody knew the price, or nothing was logged. So is one of which a part was answered
    from promptfoo's own cache (`cached`), where nothing was sent; it is not the provider's cache of prompts, which
    stands in `completionDetails`.
    """
    told = usage if isinstance(usage, Mapping) else {}
    money, sent, own_cache = amount(cost), count(told.get("prompt")), count(told.get("cached"))
    known = money if money is not None and money > 0 and not own_cache else None
    details = told.get("completionDetails")
    inner = details if isinstance(details, Mapping) else {}
    read, write = count(inner.get("cacheReadInputTokens")), count(inner.get("cacheCreationInputTokens"))
    if sent is not None and (read or 0) + (write or 0) > sent:
        sent += (read or 0) + (write or 0)  # some providers' `prompt` is what came from no cache
    logged = bool(count(told.get("total")) or sent) and not own_cache
    return {
        "agent_cost": None if known is None else f"{known:.9f}",
        "cost_currency": None if known is None else CURRENCY,
        "input_tokens": str(sent) if logged and sent is not None else None,
        "output_tokens": text_of(count(told.get("completion"))) if logged else None,
        "cache_read_tokens": str(read) if logged and read else None,
        "cache_write_tokens": str(write) if logged and write else None,
    }
