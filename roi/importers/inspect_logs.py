"""Inspect: logs of evaluations, as `.json` and as `.eval` archives.

One epoch of a sample becomes one row of `traces` (a demo: a suite's sample is no customer's case) and one of `evals`.

| column (see `tables`) | from |
|---|---|
| trace_id, case_id | the run, `id` and `epoch` of the sample |
| pair_id, segment | the task with the sample's `id`; the task |
| version, model, provider | `eval.model`, with the provider before the stroke |
| outcome | of the first score: C or 1 correct, I or 0 error, N (no answer) abandoned, others blank |
| tokens | `model_usage` of the sample by model, else of its `output` |
| cost | `total_cost` of the same, in USD, where it is logged |
| started_at, ended_at | first and last of its events |
| total_time, working_time | seconds, as they are |
| scores.… , metadata.… | values of the scores; `metadata` |
| actions | events of tools: `function`, `error`, `timestamp`, `completed` |
| decision, approver | events of approval: approve or modify (auto where `auto` said so), reject, terminate, escalate |

| column of `evals` | from |
|---|---|
| version, suite, eval_case, epoch | `eval.model`, `eval.task`, `id`, `epoch` |
| passed | C or 1 yes, I, P, N or 0 no; a score of another kind is not graded |
| run_id, ran_at | `eval.run_id`, `eval.created` |

`results.completed_samples`, the accuracy among its scores and `stats.model_usage` are set against the samples.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backports.zstd import ZstdError, zipfile

from roi.importers.export import Contradiction, Export, Filled, left_out, machine_name
from roi.importers.members import documents
from roi.importers.spans import Facts, Rank, Span, Tokens, Traces, amount, count, flat, provider_of, text_of
from roi.importers.tables import export_of
from roi.importers.times import from_iso
from roi.prices import OwnPrices
from roi.problems import Problem
from roi.readers.base import UnreadableError
from roi.readers.files import Found, Seen

__all__ = ["knows", "knows_file", "read"]

_LONGEST = 256 << 20  # bytes of one member of an archive
_OWN: Rank = (0, 0)
_GRADES: Mapping[str, bool] = {"c": True, "i": False, "p": False, "n": False, "1": True, "0": False}
_PROVIDERS = {
    "azureai": "azure",
    "bedrock": "aws",
    "vertex": "google",
    "grok": "x-ai",
    "together": "together",
}
_DECISIONS = {"approve": "approved", "modify": "approved", "reject": "rejected", "terminate": "rejected"}
_FAR = 0.005
_BROKEN = (
    OSError,
    EOFError,
    KeyError,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ZstdError,
    zlib.error,
)


def knows(value: Any) -> bool:
    """Whether a value of a file is a log."""
    if not isinstance(value, Mapping) or not isinstance(value.get("eval"), Mapping):
        return False
    return "task" in value["eval"] and any(k in value for k in ("samples", "plan", "results", "stats"))


def knows_file(found: Found) -> bool:
    """Whether a file is an archive of a log."""
    try:
        with zipfile.ZipFile(found.path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
    return "header.json" in names or "_journal/start.json" in names


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read logs.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Returns:
        A row for each epoch of each sample and each tool call, and one for each graded one.

    Raises:
        UnreadableError: If a file cannot be read to its end.
    """
    found = Traces()
    lost: dict[str, int] = {}
    evals, met = Filled(), set[str]()
    contradictions: list[Contradiction] = []
    warnings: list[str] = []
    for file, seen in files:
        for header, samples in _logs(file, seen, lost):
            log = _Log(header)
            for sample in samples:
                events = sample.get("events")
                found.relieve(1 + (len(events) if isinstance(events, list) else 0))
                log.take(sample, found, evals, met, lost)
            contradictions += log.contradictions()
            status = text_of(header.get("status"))
            if status not in (None, "success"):
                said = machine_name(status, "unknown")
                warnings.append(f"{file.name}: the evaluation did not end (status {said}); its samples count")
    return export_of(
        found,
        own=own,
        evals=evals.table(first=("version", "eval_case", "passed", "suite", "run_id", "ran_at")),
        warnings=warnings,
        left_out=lost,
        contradictions=contradictions,
    )


def _logs(
    file: Found, seen: Seen, lost: dict[str, int]
) -> Iterator[tuple[Mapping[str, Any], Iterator[Mapping[str, Any]]]]:
    if file.path.suffix.lower() == ".eval":
        try:
            archive = zipfile.ZipFile(file.path)
        except _BROKEN as error:
            message = f"is no archive that can be read to its end ({type(error).__name__}); copy it anew"
            raise UnreadableError([Problem(file.name, "", message)]) from None
        with archive:
            names = archive.namelist()
            head = "header.json" if "header.json" in names else "_journal/start.json"
            header = _member(archive, head, file)
            inside = [n for n in names if n.startswith("samples/") and n.endswith(".json")]
            yield header, (_member(archive, n, file) for n in inside)
        return
    for value, samples in documents(file, seen, "samples", knows):
        if not knows(value):
            left_out(lost, "is no log of an evaluation")
            continue
        yield value, (s for s in samples if isinstance(s, Mapping))


def _member(archive: zipfile.ZipFile, name: str, file: Found) -> Mapping[str, Any]:
    try:
        if archive.getinfo(name).file_size > _LONGEST:
            raise UnreadableError(
                [Problem(file.name, name, "is longer than 256 MB, which no sample's log is")]
            )
        value = json.loads(archive.read(name), parse_constant=lambda _: None)
    except NotImplementedError:
        message = "is packed in a way that this Python cannot unpack; write it as JSON: inspect log convert --to json"
        raise UnreadableError([Problem(file.name, "", message)]) from None
    except _BROKEN as error:
        message = f"is no archive that can be read to its end ({type(error).__name__}); copy it anew"
        raise UnreadableError([Problem(file.name, "", message)]) from None
    except (ValueError, RecursionError):
        raise UnreadableError(
            [Problem(file.name, name, "is no JSON that can be read; copy the file anew")]
        ) from None
    return value if isinstance(value, Mapping) else {}


def _inner(value: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


class _Log:
    """One log: what its header says, and what its samples add up to."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        self.header = header
        self.eval = _inner(header, "eval")
        self.model = text_of(self.eval.get("model"))
        self.task = text_of(self.eval.get("task"))
        self.run = text_of(self.eval.get("run_id") or self.eval.get("eval_id"))
        self.samples = 0
        self.used: dict[str, int] = {}
        self.passed = self.graded = 0

    def take(
        self,
        sample: Mapping[str, Any],
        found: Traces,
        evals: Filled,
        met: set[str],
        lost: dict[str, int],
    ) -> None:
        """Add a sample."""
        name, epoch = text_of(sample.get("id")), text_of(sample.get("epoch")) or "1"
        if name is None:
            left_out(lost, "a sample without an id")
            return
        name = name[:120]
        self.samples += 1
        identifier = ":".join(p for p in (self.run, self.task, name, epoch) if p)
        if identifier in met:
            left_out(lost, "a sample that occurs more than once counts once")
            return
        met.add(identifier)
        trace = found.trace(identifier)
        scores = _inner(sample, "scores")
        first = next(iter(scores.values()), None)
        grade = _grade(first)
        word = str(text_of(_inner(first).get("value")) or "").lower()
        outcome = None if grade is None else "correct" if grade else "abandoned" if word == "n" else "error"
        for key, value in (
            ("case_id", identifier), ("pair_id", f"{self.task}:{name}:{epoch}"), ("segment", self.task),
            ("version", self.model), ("outcome", outcome), ("setting", "demo"), ("name", self.task),
            ("total_time", sample.get("total_time")), ("working_time", sample.get("working_time")),
            *((f"scores.{k}", _inner(v).get("value")) for k, v in scores.items()),
            *flat("metadata", _inner(sample, "metadata")),
        ):  # fmt: skip
            trace.facts.add(key, value, _OWN)
        self._spans(sample, identifier, found)
        if grade is None:
            left_out(lost, "a sample whose score is neither right nor wrong, or that has none, is not graded")
            return
        self.graded += 1
        self.passed += grade
        row: dict[str, str | None] = {
            "version": self.model, "eval_case": name, "passed": "true" if grade else "false", "suite": self.task,
            "run_id": self.run, "ran_at": text_of(self.eval.get("created")), "epoch": epoch,
        }  # fmt: skip
        evals.add(len(evals), row)

    def _spans(self, sample: Mapping[str, Any], identifier: str, found: Traces) -> None:
        listed = sample.get("events")
        events = [e for e in listed if isinstance(e, Mapping)] if isinstance(listed, list) else []
        times = [
            t for e in events for k in ("timestamp", "completed") if (t := from_iso(e.get(k))) is not None
        ]
        start, end = min(times, default=None), max(times, default=None)
        found.add(identifier, "sample", Span(start=start, end=end))
        usages = _inner(sample, "model_usage")
        if not usages and _inner(sample, "output", "usage"):
            usages = {str(self.model): _inner(sample, "output", "usage")}
        for full, usage in usages.items():
            tokens = _tokens(_inner(usage))
            provider, stroke, model = full.partition("/")
            if tokens is not None:
                self.used[full] = self.used.get(full, 0) + tokens.weight
            found.add(
                identifier,
                f"usage of {full}",
                Span(
                    parent="sample", kind="call", start=start, end=end, tokens=tokens,
                    cost=amount(_inner(usage).get("total_cost")),
                    model=model if stroke else full,
                    provider=provider_of(_PROVIDERS.get(provider, provider)) if stroke else None,
                ),
            )  # fmt: skip
        approvals = {str(_inner(e, "call").get("id")): e for e in events if e.get("event") == "approval"}
        calls = [e for e in events if e.get("event") == "tool"]
        for place, event in enumerate(calls, start=1):
            _act(event, approvals.get(str(event.get("id"))), place, identifier, found)

    def contradictions(self) -> Iterator[Contradiction]:
        """Where the header and the samples differ."""
        results, of = _inner(self.header, "results"), machine_name(self.task, "an evaluation")
        theirs = count(results.get("completed_samples"))
        if theirs is not None and theirs != self.samples:
            yield Contradiction(f"samples of {of}", f"{theirs:,} completed", f"{self.samples:,} in the file")
        if not self.samples:
            return
        listed = results.get("scores")
        metrics = _inner(listed[0], "metrics", "accuracy") if isinstance(listed, list) and listed else {}
        accuracy = metrics.get("value")
        if (
            isinstance(accuracy, int | float)
            and not isinstance(accuracy, bool)
            and self.graded == self.samples
        ):
            share = self.passed / self.graded
            if not abs(accuracy - share) <= _FAR:
                yield Contradiction(f"accuracy of {of}", f"{accuracy:.3f}", f"{share:.3f}")
        for model, usage in _inner(self.header, "stats", "model_usage").items():
            tokens = _tokens(_inner(usage))
            if tokens is not None and model in self.used and tokens.weight != self.used[model]:
                what = f"tokens of {of} ({machine_name(model, 'a model')})"
                yield Contradiction(what, f"{tokens.weight:,}", f"{self.used[model]:,} as sum of the samples")


def _act(
    event: Mapping[str, Any], approval: Mapping[str, Any] | None, place: int, identifier: str, found: Traces
) -> None:
    facts = Facts()
    failed = event.get("error") is not None
    decision = None
    if approval is not None:
        said, who = text_of(approval.get("decision")), text_of(approval.get("approver"))
        decision = "escalated" if said == "escalate" else _DECISIONS.get(str(said))
        decision = "auto" if decision == "approved" and who == "auto" else decision
        facts.add("approver", None if who == "auto" else who, _OWN)
        facts.add("decided_at", approval.get("timestamp"), _OWN)
    for name, value in (
        ("seq", place), ("decision", decision), ("status", "denied" if decision == "rejected" else None),
    ):  # fmt: skip
        facts.add(name, value, _OWN)
    start = from_iso(event.get("timestamp"))
    found.add(
        identifier,
        text_of(event.get("id")) or f"tool {place}",
        Span(
            parent="sample", kind="tool", name=text_of(event.get("function")), start=start,
            end=None if decision == "rejected" else from_iso(event.get("completed")), failed=failed, facts=facts,
        ),
    )  # fmt: skip


def _grade(score: Any) -> bool | None:
    value = _inner(score).get("value")
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return True if value == 1 else False if value == 0 else None
    return _GRADES.get(value.lower()) if isinstance(value, str) else None


def _tokens(usage: Mapping[str, Any]) -> Tokens | None:
    sent, received = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    read, write = count(usage.get("input_tokens_cache_read")), count(usage.get("input_tokens_cache_write"))
    if sent is None and received is None:
        return None
    cached = (read or 0) + (write or 0)
    if sent is not None and cached:
        # Whether cached tokens stand beside the others differs between providers and versions; the total tells.
        beside = count(usage.get("total_tokens")) == sent + (received or 0) + cached
        sent += cached if beside or cached > sent else 0
    return Tokens(sent, read, write, received)
