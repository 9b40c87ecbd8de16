"""Examples of cells as they may be shown: names, addresses and numbers of accounts are not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from roi.guess.look import Column
from roi.guess.values import kind_of
from roi.privacy import describe_text, identifier_like, looks_personal

__all__ = ["examples", "masked", "plain"]

_LONGEST = 24
_NUMBERED = re.compile(r"#\d{1,12}|(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{1,10}[-_/ ]?\d{1,12}")
_LISTED = frozenset(
    {
        "arm",
        "outcome",
        "judge_outcome",
        "severity",
        "judge_severity",
        "cause",
        "setting",
        "used",
        "label_source",
        "segment",
    }
)


def plain(text: str) -> str:
    """A text on one line, without what a terminal or a comment would act upon."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def masked(value: str, canonical: str | None) -> str:
    """One value as it may be shown.

    Args:
        value: The cell.
        canonical: What its column stands for, if anything.
    """
    kind = kind_of(value)
    if canonical == "case_id" and _NUMBERED.fullmatch(value):
        return value  # what stands for a case in messages of every system; a telephone number has no letters
    if kind in ("number", "time", "duration"):
        return value[:_LONGEST]
    personal = looks_personal(value, dates_allowed=True)
    if personal is not None:
        return f"({personal.removeprefix('an ').removeprefix('a ')})"
    shown = plain(value)
    if canonical in _LISTED or (identifier_like(value) and any(c.isdigit() for c in value)):
        return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
    if canonical != "worker" and identifier_like(value) and len(value) <= _LONGEST:
        return shown
    return f"({describe_text(len(value)).removeprefix('a ')})"


def examples(columns: Sequence[Column], canonical: str | None, *, between: bool = False) -> str:
    """Up to three examples of a column, or of several together; one of a start and an end."""
    if not columns:
        return ""
    shown = [[masked(v, canonical) for v in _telling(c, canonical)] for c in columns]
    each = [(" to " if between else " + ").join(parts) for parts in zip(*shown, strict=False)]
    return " · ".join(list(dict.fromkeys(each))[: 1 if between else 3])


def _telling(column: Column, canonical: str | None) -> Sequence[str]:
    return list(column.values)[:3] if canonical in _LISTED else column.examples
