"""promptfoo: results of an evaluation of prompts and models, as CSV with a header of JSON a column, or as JSON.

| column of `evals` | from |
|---|---|
| version | model and prompt: the column's `provider` and the head of its `id`; a plain header as it is |
| eval_case | the number of the test, from 1 |
| passed | `[PASS]`; `[FAIL]` and `[ERROR]` are not; JSON: `success` |
| suite, run_id | the file's name; `evalId` |
| segment | the variable `label`, else `__expected`'s, where one is named so |
| cost, latency_ms, tokens | of the graded output, in JSON only |

| column of `versions` | from |
|---|---|
| version, prompt, provider | the column's header |
| cases, passed, failed | of its rows |
| agent_cost, cost_currency | `metrics.cost`: a sum over all cases; 0 beside tokens, or without any, is unknown |
| input_tokens, output_tokens, cache_read_tokens | `metrics.tokenUsage`: `prompt`, `completion`, `cached` |
| latency_ms | `metrics.totalLatencyMs`: a sum over all cases |

`traces` has a row for each graded output, as a demo: correct where it passed, else error. `testPassCount` and
`testFailCount` of a header are set against its rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from roi.importers.documents import json_values
from roi.importers.export import Contradiction, Export, left_out, table_of
from roi.importers.spans import amount, count, text_of
from roi.prices import CURRENCY, OwnPrices
from roi.problems import Problem
from roi.readers.base import UnreadableError
from roi.readers.files import Found, Seen, open_bytes

__all__ = ["knows", "knows_file", "read"]

_LONGEST_CELL = 16 << 20
_BEGINNING = 1 << 20
_GRADES = ("[PASS]", "[FAIL]", "[ERROR]")
_NO_GRADE = "a cell that is neither [PASS] nor [FAIL] is not graded"


@dataclass(slots=True)
class _Version:
    """A column of results: a prompt with a model."""

    name: str
    provider: str | None = None
    prompt: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    passed: int = 0
    failed: int = 0
    ungraded: int = 0


def knows(value: Any) -> bool:
    """Whether a value of a file is a document of results."""
    return isinstance(value, Mapping) and _results(value) is not None


def knows_file(found: Found) -> bool:
    """Whether a CSV file has results: headers of JSON, or grades below the header."""
    try:
        with open_bytes(found.path) as raw:
            head = raw.read(_BEGINNING).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError):
        return False
    if '"{""raw""' not in head and not any(grade in head for grade in _GRADES):
        return False
    try:
        rows = _rows(io.StringIO(head, newline=""))
        header, first = next(rows, []), next(rows, [])
    except csv.Error:
        return False
    return any(_header(h) for h in header) or any(cell.lstrip().startswith(_GRADES) for cell in first)


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
    evals: list[dict[str, str | None]] = []
    versions: list[tuple[Found, _Version]] = []
    lost: dict[str, int] = {}
    for file, seen in files:
        suite = Path(file.name).name.split(".")[0]
        if file.path.name.lower().endswith((".csv", ".csv.gz")):
            versions += [(file, v) for v in _from_csv(file, seen, suite, evals, lost)]
            continue
        for value in json_values(file, seen):
            results = _results(value) if isinstance(value, Mapping) else None
            if results is None:
                left_out(lost, "is no document of results")
                continue
            versions += [(file, v) for v in _from_json(value, results, suite, evals, lost)]
    evals, again = _once(evals)
    left_out(lost, "a graded output that occurs more than once counts once", again)
    return Export(
        traces=table_of(
            (
                {
                    "trace_id": f"{row['suite']}:{row['version']}:{row['eval_case']}",
                    "case_id": f"{row['suite']}:{row['version']}:{row['eval_case']}",
                    "pair_id": f"{row['suite']}:{row['eval_case']}",
                    "outcome": "correct" if row["passed"] == "true" else "error",
                    "setting": "demo",
                    **{
                        k: row.get(k)
                        for k in ("version", "segment", "agent_cost", "cost_currency", "latency_ms")
                    },
                    **{k: row.get(k) for k in ("input_tokens", "output_tokens", "cache_read_tokens")},
                }
                for row in evals
            ),
            first=("trace_id", "case_id"),
        ),
        evals=table_of(evals, first=("version", "eval_case", "passed", "suite", "run_id", "segment")),
        versions=table_of(
            (_version_row(file, v) for file, v in versions),
            first=("version", "suite", "cases", "passed", "failed"),
        ),
        warnings=_warnings([v for _, v in versions]),
        left_out=lost,
        contradictions=tuple(c for _, v in versions for c in _contradictions(v)),
    )


def _once(evals: list[dict[str, str | None]]) -> tuple[list[dict[str, str | None]], int]:
    """Each graded output once, and how many came again."""
    kept: dict[tuple[str | None, ...], dict[str, str | None]] = {}
    for row in evals:
        kept.setdefault(tuple(row.get(k) for k in ("suite", "run_id", "version", "eval_case")), row)
    return list(kept.values()), len(evals) - len(kept)


def _results(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What holds the list of graded outputs; its place has moved between versions of promptfoo."""
    inner = value.get("results")
    if isinstance(inner, Mapping) and isinstance(inner.get("results"), list):
        return inner
    if isinstance(inner, list) and any(isinstance(r, Mapping) and "success" in r for r in inner[:1]):
        return value
    return None


def _rows(text: Any) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST_CELL)
    return csv.reader(text)


def _header(text: str) -> Mapping[str, Any] | None:
    """A header of JSON; pandas puts `.1` and so on behind those that repeat."""
    given = text.strip()
    if not given.startswith("{"):
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(given)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) and ("provider" in value or "metrics" in value) else None


def _named(header: Mapping[str, Any], taken: set[str]) -> _Version:
    provider, prompt = text_of(header.get("provider")), text_of(header.get("id") or header.get("label"))
    name = " · ".join(p for p in (provider, prompt[:8] if prompt else None) if p) or "unnamed"
    metrics = header.get("metrics")
    return _Version(_free(name, taken), provider, prompt, metrics if isinstance(metrics, Mapping) else {})


def _free(name: str, taken: set[str]) -> str:
    """A name that no other version has: columns may repeat theirs."""
    plain, number = name[:120], 1
    while (free := plain if number == 1 else f"{plain} ({number})") in taken:
        number += 1
    taken.add(free)
    return free


def _from_csv(
    file: Found, seen: Seen, suite: str, evals: list[dict[str, str | None]], lost: dict[str, int]
) -> list[_Version]:
    if seen.encoding is None:
        raise UnreadableError([Problem(file.name, "", "is no text; export the results as CSV anew")])
    with open_bytes(file.path) as raw:
        rows = _rows(io.TextIOWrapper(raw, encoding=seen.encoding, errors="replace", newline=""))
        try:
            header = next(rows, [])
            listed = [row for row in rows if row]
        except csv.Error:
            message = f"line {getattr(rows, 'line_num', 0):,}"
            raise UnreadableError(
                [Problem(file.name, message, "is no CSV that can be read; export it anew")]
            ) from None
    taken: set[str] = set()
    columns: dict[int, _Version] = {}
    for at, name in enumerate(header):
        if (told := _header(name)) is not None:
            columns[at] = _named(told, taken)
        elif any(at < len(row) and row[at].lstrip().startswith(_GRADES) for row in listed):
            columns[at] = _Version(_free(text_of(name) or f"column {at + 1}", taken))
    if not columns:
        raise UnreadableError([Problem(file.name, "", "has no column of results ([PASS], [FAIL])")])
    segment = next((i for i, n in enumerate(header) if n.strip() in ("label", "segment", "category")), None)
    for place, row in enumerate(listed, start=1):
        for at, version in columns.items():
            cell = row[at].lstrip() if at < len(row) else ""
            if not cell.startswith(_GRADES):
                version.ungraded += 1
                left_out(lost, _NO_GRADE)
                continue
            passed = cell.startswith("[PASS]")
            version.passed += passed
            version.failed += not passed
            named = row[segment] if segment is not None and segment < len(row) else None
            evals.append(_graded(version.name, str(place), passed, suite, None, named))
    return list(columns.values())


def _graded(
    version: str, case: str, passed: bool, suite: str, run: str | None, segment: str | None
) -> dict[str, str | None]:
    return {
        "version": version, "eval_case": case, "passed": "true" if passed else "false", "suite": suite, "run_id": run,
        "segment": segment[:200] if segment else None,
    }  # fmt: skip


def _from_json(
    value: Mapping[str, Any],
    results: Mapping[str, Any],
    suite: str,
    evals: list[dict[str, str | None]],
    lost: dict[str, int],
) -> list[_Version]:
    run = text_of(value.get("evalId") or value.get("id"))
    versions: dict[tuple[str | None, str | None], _Version] = {}
    taken: set[str] = set()
    listed = results.get("prompts") or value.get("prompts")
    for header in listed if isinstance(listed, list) else ():
        if isinstance(header, Mapping) and "provider" in header:
            version = _named(header, taken)
            versions.setdefault((version.provider, version.prompt), version)
    tests: dict[str, int] = {}
    for given in results["results"]:
        if not isinstance(given, Mapping) or not isinstance(given.get("success"), bool):
            left_out(lost, "a result without `success` is not graded")
            continue
        of = given.get("provider")
        provider = text_of(of.get("label") or of.get("id")) if isinstance(of, Mapping) else text_of(of)
        prompt = text_of(given.get("promptId"))
        if (provider, prompt) not in versions:
            versions[provider, prompt] = _named({"provider": provider, "id": prompt}, taken)
        version = versions[provider, prompt]
        passed = given["success"]
        version.passed += passed
        version.failed += not passed
        inputs = given.get("vars")
        place = given.get("testIdx")
        if isinstance(place, int) and not isinstance(place, bool):
            case = str(place + 1)
        else:
            told = json.dumps(inputs, sort_keys=True, default=str)
            case = str(tests.setdefault(told, len(tests) + 1))
        segment = (
            text_of(inputs.get("label") or inputs.get("segment")) if isinstance(inputs, Mapping) else None
        )
        row = _graded(version.name, case, passed, suite, run, segment)
        response = given.get("response")
        usage = response.get("tokenUsage") if isinstance(response, Mapping) else None
        row.update(_spent(given.get("cost"), usage if isinstance(usage, Mapping) else {}))
        row["latency_ms"] = text_of(given.get("latencyMs"))
        evals.append(row)
    stats = results.get("stats")
    if isinstance(stats, Mapping) and len(versions) == 1 and not next(iter(versions.values())).metrics:
        only = next(iter(versions.values()))
        only.metrics = {"testPassCount": stats.get("successes"), "testFailCount": stats.get("failures")}
    return list(versions.values())


def _spent(cost: Any, usage: Mapping[str, Any]) -> dict[str, str | None]:
    """Cost and tokens as cells; a cost of 0 is unknown: either nobody knew the price, or nothing was logged."""
    money, sent = amount(cost), count(usage.get("prompt"))
    total = count(usage.get("total"))
    known = money if money is not None and money > 0 else None
    logged = bool(total or sent)
    return {
        "agent_cost": None if known is None else f"{known:.9f}",
        "cost_currency": None if known is None else CURRENCY,
        "input_tokens": str(sent) if logged and sent is not None else None,
        "output_tokens": text_of(count(usage.get("completion"))) if logged else None,
        "cache_read_tokens": text_of(count(usage.get("cached"))) if logged else None,
    }


def _version_row(file: Found, v: _Version) -> dict[str, str | None]:
    usage = v.metrics.get("tokenUsage")
    return {
        "version": v.name, "suite": Path(file.name).name.split(".")[0], "cases": str(v.passed + v.failed),
        "passed": str(v.passed), "failed": str(v.failed), "provider": v.provider, "prompt": v.prompt,
        "latency_ms": text_of(v.metrics.get("totalLatencyMs")),
        **_spent(v.metrics.get("cost"), usage if isinstance(usage, Mapping) else {}),
    }  # fmt: skip


def _contradictions(v: _Version) -> Iterator[Contradiction]:
    for key, ours, word in (("testPassCount", v.passed, "passed"), ("testFailCount", v.failed, "failed")):
        theirs = count(v.metrics.get(key))
        if theirs is not None and theirs != ours:
            yield Contradiction(f"cases that {word} of {v.name}", f"{theirs:,}", f"{ours:,}")
    usage = v.metrics.get("tokenUsage")
    parts = (
        [count(usage.get(k)) for k in ("total", "prompt", "completion")] if isinstance(usage, Mapping) else []
    )
    if not parts or not all(parts):
        return
    total, sent, received = (n or 0 for n in parts)
    if total != sent + received:
        parted = f"{sent + received:,} as sum of its parts"
        yield Contradiction(f"tokens of {v.name}", f"{total:,} in total", parted, "the parts stand")


def _warnings(versions: Sequence[_Version]) -> tuple[str, ...]:
    unknown = 0
    for v in versions:
        cost = amount(v.metrics.get("cost"))
        unknown += v.metrics.get("cost") is not None and not (cost or Decimal(0)) > 0
    if not unknown:
        return ()
    have = "version has" if unknown == 1 else "versions have"
    return (f"{unknown:,} {have} an unknown cost: a cost of 0 is logged",)
