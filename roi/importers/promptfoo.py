"""promptfoo: results of an evaluation of prompts and models, as JSON, JSON Lines or CSV.

JSON is what `promptfoo eval -o results.json`, `promptfoo export` and the web page write: results of version 3, or those
of version 2 (until autumn 2024), whose prompts stand in `table.head`; alone, below `results`, or in a file of version
3 or 4. JSON Lines (`-o results.jsonl`) have one graded output a line and no sums. In CSV the grade is in the cell
(`[PASS] …`) or, of late, in a column `Status` beside it.

| column of `evals` | from |
|---|---|
| version | `provider` and the head of the prompt's `id`, or of its text's sha256; a plain header as it is |
| eval_case | the number of the test, from 1: `testIdx`, else the variables; of a repeated one its own |
| passed | JSON: `success`; CSV: `[PASS]` or `PASS`; `FAIL` and `ERROR` are not |
| suite, run_id | the file's name; `evalId` |
| ran_at | `timestamp` of the results |
| segment | the variable, or the test's metadata, `label`, `segment` or `category` |
| provider, model | `provider.id`, where it names a provider and its model (`openai:gpt-4.1`) |
| agent_cost, latency_ms, tokens | of the graded output, in JSON only; what promptfoo's own cache answered logs none |

| column of `versions` | from |
|---|---|
| version, prompt, provider | the column's header; `prompts` |
| cases, passed, failed | of its rows; errors are failed |
| agent_cost, cost_currency | `metrics.cost`: a sum over all cases; 0 beside tokens, or without any, is unknown |
| input_tokens, output_tokens | `metrics.tokenUsage`: `prompt`, `completion` |
| cache_read_tokens, cache_write_tokens | its `completionDetails`: `cacheReadInputTokens`, `cacheCreationInputTokens` |
| latency_ms | `metrics.totalLatencyMs`: a sum over all cases |

`traces` has a row for each graded output, as a demo: correct where it passed, else error; outputs of one test in one
document are a pair. `suite` and `eval_case` stand in it as well, by which two documents are paired. What a header sums
up (`testPassCount`, `testFailCount` with `testErrorCount`, `cost`, tokens) is set against its rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from roi.importers.export import Contradiction, Export, left_out, table_of
from roi.importers.graded import Cells, Version, graded, named, segment_of, spent
from roi.importers.members import documents
from roi.importers.promptfoo_csv import knows_table, read_table
from roi.importers.spans import amount, count, text_of
from roi.importers.times import from_iso, to_iso
from roi.prices import OwnPrices
from roi.readers.files import Found, Seen

__all__ = ["knows", "knows_file", "read"]

_FIRST = ("version", "eval_case", "passed", "suite", "run_id", "ran_at", "segment")
_OF_TRACE = (
    "version", "suite", "eval_case", "segment", "provider", "model", "agent_cost", "cost_currency",
    "latency_ms", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
)  # fmt: skip
_NO_MODEL = (
    "file",
    "http",
    "https",
    "python",
    "exec",
    "package",
    "webhook",
    "ws",
    "wss",
    "golang",
    "ruby",
    "promptfoo",
)
_APART = Decimal("0.001")  # sums of costs that differ by less are the same but for rounding


def knows(value: Any) -> bool:
    """Whether a value of a file is a document of results, or a graded output of its own."""
    return isinstance(value, Mapping) and (_results(value) is not None or _is_line(value))


def knows_file(found: Found) -> bool:
    """Whether a CSV file has results."""
    return knows_table(found)


def read(files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read results.

    Args:
        files: Each with what a look through its bytes showed.
        own: Prices of one's own; costs are the source's or none.

    Returns:
        A row for each graded output, and one for each version.

    Raises:
        UnreadableError: If a file cannot be read to its end.
    """
    evals: list[Cells] = []
    versions: list[Version] = []
    lost: dict[str, int] = {}
    suites = _suites([file.name for file, _ in files])
    for (file, seen), suite in zip(files, suites, strict=True):
        if file.path.name.lower().endswith((".csv", ".csv.gz")):
            versions += read_table(file, seen, suite, evals, lost)
            continue
        lines: list[Any] = []
        for value, outputs in documents(file, seen, "results", knows, within="results"):
            if isinstance(value, Mapping) and (results := _results(value)) is not None:
                versions += _from_json(value, results, outputs, suite, evals, lost)
            elif isinstance(value, Mapping) and _is_line(value):
                lines.append(value)
            else:
                left_out(lost, "is no document of results")
        if lines:
            versions += _from_json({}, {}, lines, suite, evals, lost)
    of = {version.of: version for version in reversed(versions)}
    rows = _once(evals)
    left_out(lost, "a graded output that occurs more than once counts once", len(evals) - len(rows))
    by: dict[tuple[str, str], list[Cells]] = {}
    for (document, version, _), row in rows.items():
        by.setdefault((document, version), []).append(row)
    return Export(
        traces=table_of(map(_trace, rows, rows.values()), first=("trace_id", "case_id")),
        evals=table_of(rows.values(), first=_FIRST),
        versions=table_of(
            map(_version_row, reversed(of.values())), first=("version", "suite", "cases", "passed", "failed")
        ),
        warnings=_warnings(list(of.values())),
        left_out=lost,
        contradictions=tuple(c for v in reversed(of.values()) for c in _contradictions(v, by.get(v.of, []))),
    )


def _suites(names: Sequence[str]) -> list[str]:
    """Names of the files without folder and ending; where two share one, with as much of the folder as it takes."""
    parts = [[*Path(n).parts[:-1], Path(n).name.split(".")[0]] for n in names]
    found = [p[-1] for p in parts]
    for depth in range(2, max(map(len, parts), default=1) + 1):
        twice = {name for name in found if found.count(name) > 1}
        found = [
            "/".join(p[-depth:]) if name in twice else name for p, name in zip(parts, found, strict=True)
        ]
    return found


def _once(evals: Sequence[Cells]) -> dict[tuple[str, str, str], Cells]:
    """Each graded output once, under its document, version and test: the last stands, for retries come later."""
    return {
        (str(row["run_id"] or row["suite"]), str(row["version"]), str(row["eval_case"])): row for row in evals
    }


def _trace(mark: tuple[str, str, str], row: Cells) -> Cells:
    document, _, test = mark
    return {
        "trace_id": ":".join(mark),
        "case_id": ":".join(mark),
        "pair_id": f"{document}:{test}",
        "outcome": "correct" if row["passed"] == "true" else "error",
        "setting": "demo",
        "started_at": row.get("ran_at"),
        **{name: row.get(name) for name in _OF_TRACE},
    }


def _results(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What holds the list of graded outputs; its place has moved between versions of promptfoo."""
    inner = value.get("results")
    if isinstance(inner, Mapping) and isinstance(inner.get("results"), list):
        return inner
    if isinstance(inner, list) and any(isinstance(r, Mapping) and "success" in r for r in inner[:1]):
        return value
    return None


def _is_line(value: Mapping[str, Any]) -> bool:
    """Whether a value is a graded output as JSON Lines have it."""
    return isinstance(value.get("success"), bool) and "promptIdx" in value and "testIdx" in value


def _listed(value: Mapping[str, Any], results: Mapping[str, Any]) -> list[Any]:
    """The prompts with their models, wherever a version of promptfoo puts them."""
    table = results.get("table")
    head = table.get("head") if isinstance(table, Mapping) else None
    for given in (results, value, head):
        listed = given.get("prompts") if isinstance(given, Mapping) else None
        if isinstance(listed, list) and any(isinstance(h, Mapping) and "provider" in h for h in listed):
            return listed
    return []


class _Versions:
    """The versions of a document, as its outputs name them."""

    def __init__(self, listed: Sequence[Any], suite: str, run: str | None) -> None:
        self.found: list[Version] = []
        self._suite, self._run = suite, run
        self._taken: set[str] = set()
        self._at: dict[int, Version] = {}
        self._by: dict[tuple[str | None, str | None], Version] = {}
        for place, header in enumerate(listed):
            if isinstance(header, Mapping) and "provider" in header:
                self._at[place] = version = self._new(header)
                for key in ("id", "label", "display", "raw"):
                    self._by.setdefault((version.provider, text_of(header.get(key))), version)

    def _new(self, header: Mapping[str, Any]) -> Version:
        if not header.get("id"):
            # As promptfoo itself names a prompt; a text would be cut to where two of them begin alike.
            text = text_of(header.get("raw") or header.get("label") or header.get("display"))
            mark = hashlib.sha256(text.encode(errors="replace")).hexdigest() if text else None
            header = {**header, "id": mark, "label": None}
        version = named(header, self._taken, self._suite, self._run)
        self.found.append(version)
        return version

    def of(self, result: Mapping[str, Any]) -> Version:
        """The version that an output is of: by the prompt's place, else by model and prompt."""
        place = result.get("promptIdx")
        if isinstance(place, int) and not isinstance(place, bool) and place in self._at:
            return self._at[place]
        told = result.get("provider")
        provider = (
            text_of(told.get("label") or told.get("id")) if isinstance(told, Mapping) else text_of(told)
        )
        prompt = result.get("prompt")
        texts = (
            [prompt.get(k) for k in ("label", "display", "raw")] if isinstance(prompt, Mapping) else [prompt]
        )
        marks = [m for t in (result.get("promptId"), *texts) if (m := text_of(t)) is not None]
        for mark in marks:
            if (provider, mark) in self._by:
                return self._by[provider, mark]
        first = marks[0] if marks else None
        if (provider, first) in self._by:
            return self._by[provider, first]
        header = {"provider": provider, "id": text_of(result.get("promptId")), "raw": first}
        version = self._by[provider, first] = self._new(header)
        if isinstance(place, int) and not isinstance(place, bool) and not self._at.get(place):
            self._at[place] = version
        return version


def _from_json(
    value: Mapping[str, Any],
    results: Mapping[str, Any],
    outputs: Iterable[Any],
    suite: str,
    evals: list[Cells],
    lost: dict[str, int],
) -> list[Version]:
    run = text_of(value.get("evalId") or value.get("id"))
    ran = to_iso(from_iso(results.get("timestamp") or value.get("createdAt")))
    versions = _Versions(_listed(value, results), suite, run)
    tests: dict[tuple[str, int], int] = {}
    seen: dict[tuple[str, str], int] = {}
    for given in outputs:
        if not isinstance(given, Mapping) or not isinstance(given.get("success"), bool):
            left_out(lost, "a result without `success` is not graded")
            continue
        version = versions.of(given)
        version.count(given["success"])
        test = given.get("testCase")
        tested: Mapping[str, Any] = test if isinstance(test, Mapping) else {}
        inputs = given.get("vars") or tested.get("vars")
        place = given.get("testIdx")
        if isinstance(place, int) and not isinstance(place, bool):
            case = str(place + 1)
        else:
            # The same variables again are a repeat, as `--repeat` makes them, and a test of its own.
            told = json.dumps(inputs, sort_keys=True, default=str)
            seen[version.name, told] = again = seen.get((version.name, told), 0) + 1
            case = str(tests.setdefault((told, again), len(tests) + 1))
        row = graded(version, case, given["success"], segment_of(inputs, tested.get("metadata")))
        response = given.get("response")
        answer: Mapping[str, Any] = response if isinstance(response, Mapping) else {}
        row.update(ran_at=ran, latency_ms=text_of(given.get("latencyMs")))
        row.update(_model(given.get("provider")))
        row.update(spent(given.get("cost"), answer.get("tokenUsage")))
        if answer.get("cached") is True:
            row.update(agent_cost=None, cost_currency=None)
        evals.append(row)
    stats = results.get("stats")
    if isinstance(stats, Mapping) and len(versions.found) == 1 and not versions.found[0].metrics:
        counts = {"testPassCount": "successes", "testFailCount": "failures", "testErrorCount": "errors"}
        versions.found[0].metrics = {ours: stats.get(theirs) for ours, theirs in counts.items()}
    return versions.found


def _model(provider: Any) -> Cells:
    """Provider and model of an id such as `anthropic:messages:claude-haiku-4-5`; a script's or an address has none."""
    told = text_of(provider.get("id") if isinstance(provider, Mapping) else provider)
    kind, _, rest = (told or "").partition(":")
    if not rest or kind in _NO_MODEL or "://" in rest or rest.startswith("/"):
        return {}
    return {"provider": kind, "model": rest.rsplit(":", 1)[-1]}


def _version_row(v: Version) -> Cells:
    return {
        "version": v.name, "suite": v.suite, "run_id": v.run, "cases": str(v.passed + v.failed),
        "passed": str(v.passed), "failed": str(v.failed), "provider": v.provider, "prompt": v.prompt,
        "latency_ms": text_of(v.metrics.get("totalLatencyMs")),
        **spent(v.metrics.get("cost"), v.metrics.get("tokenUsage")),
    }  # fmt: skip


def _contradictions(v: Version, rows: Sequence[Cells]) -> Iterator[Contradiction]:
    failed, errors = count(v.metrics.get("testFailCount")), count(v.metrics.get("testErrorCount"))
    theirs = {
        "passed": count(v.metrics.get("testPassCount")),
        "failed": None if failed is None else failed + (errors or 0),
    }
    for word, ours in (("passed", v.passed), ("failed", v.failed)):
        said = theirs[word]
        if said is not None and said != ours:
            yield Contradiction(f"cases that {word} of {v.name}", f"{said:,}", f"{ours:,}")
    costs = [Decimal(c) for r in rows if (c := r.get("agent_cost")) is not None]
    said_cost = amount(v.metrics.get("cost"))
    if said_cost and costs and len(costs) == len(rows):
        spent_here = sum(costs, Decimal(0))
        if abs(said_cost - spent_here) > _APART * max(said_cost, spent_here):
            yield Contradiction(f"cost of {v.name}", f"USD {said_cost:f}", f"USD {spent_here:f}")
    usage = v.metrics.get("tokenUsage")
    parts = (
        [count(usage.get(k)) for k in ("total", "prompt", "completion")] if isinstance(usage, Mapping) else []
    )
    if not parts or not all(parts) or (isinstance(usage, Mapping) and count(usage.get("cached"))):
        return
    total, sent, received = (n or 0 for n in parts)
    if total != sent + received:
        parted = f"{sent + received:,} as sum of its parts"
        yield Contradiction(f"tokens of {v.name}", f"{total:,} in total", parted, "the parts stand")


def _warnings(versions: Sequence[Version]) -> tuple[str, ...]:
    unknown = cached = 0
    for v in versions:
        usage = v.metrics.get("tokenUsage")
        cost = amount(v.metrics.get("cost"))
        zero = v.metrics.get("cost") is not None and not (cost or Decimal(0)) > 0
        unknown += zero
        cached += not zero and isinstance(usage, Mapping) and bool(count(usage.get("cached")))
    said = []
    if unknown:
        said.append(f"{_many(unknown)} an unknown cost: a cost of 0 is logged")
    if cached:
        said.append(
            f"{_many(cached)} an unknown cost: a part was answered from promptfoo's own cache, which logs none"
        )
    return tuple(said)


def _many(n: int) -> str:
    return f"{n:,} {'version has' if n == 1 else 'versions have'}"
