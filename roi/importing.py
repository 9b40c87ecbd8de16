"""Exports of other tools as sample tables: what was found, mapped, left out and why (`roi import`)."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from roi.importers import FORMATS, ending_of, look_and_recognise, read_export
from roi.importers.conversations import Grouped, group
from roi.importers.export import Contradiction, Export, Filled, Table
from roi.importers.gathered import cells_of, no_collection
from roi.importers.laid import Laid
from roi.importers.laid_cases import group_laid
from roi.problems import ParameterError, Problem, SampleError
from roi.readers.base import UnreadableError
from roi.readers.files import Found, Seen, find_files, look_through

__all__ = ["Imported", "Source", "import_files", "record_of"]

Cells: TypeAlias = tuple[tuple[str, ...], tuple[str | None, ...]]
_TABLES = ("cases", "actions", "evals", "versions")
_JSON = (".json", ".jsonl", ".ndjson")
_TABLE_ENDINGS = (".csv", ".tsv", ".parquet", ".pq", ".xlsx")
_ARMS = ("baseline", "pilot")
_TOO_MANY = "columns of what traces say of themselves, beyond the first 500"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was looked at.

    Attributes:
        name: Its path from where the command ran.
        format: What it was read as, or None.
        why: Why it was left out, or None.
        sha256: Of its bytes, where it was read.
    """

    name: str
    format: str | None = None
    why: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import.

    Attributes:
        sources: The files, those that were left out among them.
        tables: Of `cases`, `actions`, `evals` and `versions` those that have rows.
        rules: How traces became cases, a sentence a format.
        said: What a reader should know.
        left_out: Why something was left out → how many.
        contradictions: Where sources and their rows differ.
        arm: How the arm came about, or that it has to be said.
    """

    sources: tuple[Source, ...]
    tables: Mapping[str, Table]
    rules: tuple[str, ...]
    said: tuple[str, ...]
    left_out: Mapping[str, int]
    contradictions: tuple[Contradiction, ...]
    arm: str


class _Parts:
    """What comes of one format after the other."""

    def __init__(self, arms: Mapping[str, str]) -> None:
        self.tables = {t: Filled() for t in _TABLES}
        self.first: dict[str, dict[str, None]] = {t: {} for t in _TABLES}
        self.rules: list[str] = []
        self.said: list[str] = []
        self.left_out: dict[str, int] = {}
        self.contradictions: list[Contradiction] = []
        self.arms = _Arms(arms)
        self.laid: dict[str, Laid] = {}  # tables that the engine holds

    def add(
        self, name: str, rows: Iterable[Cells], names: Iterable[str], told: Collection[str] | None = None
    ) -> int:
        """Add rows to a table, and its columns in their order; how many columns are left out.

        Args:
            name: Of the table.
            rows: They.
            names: Columns that stand first.
            told: What is said of traces under dotted names that are none of these is left out.
        """
        table = self.tables[name]
        for theirs, cells in rows:
            table.add_cells(len(table), theirs, cells)
        filled = dict.fromkeys(table.end_run())
        kept = [n for n in filled if told is None or "." not in n or n in told]
        some = frozenset(kept)
        self.first[name].update(dict.fromkeys([*(n for n in names if n in some), *kept]))
        return len(filled) - len(kept)

    def table(self, name: str) -> Table:
        """A table with its columns in their order."""
        if (laid := self.laid.get(name)) is not None:
            filled = laid.filled()
            return Table(tuple(n for n in self.first[name] if n in filled), laid)
        made = self.tables[name].table()
        filled = frozenset(made.names)
        told = dict.fromkeys([*(("case_id", "arm") if name == "cases" else ()), *self.first[name]])
        return Table(tuple(n for n in told if n in filled), made.rows)


@no_collection()
def import_files(
    given: Sequence[str],
    *,
    format: str | None = None,
    case: str | None = None,
    arms: Mapping[str, str] | None = None,
    here: Path | None = None,
) -> Imported:
    """Read exports of other tools.

    Args:
        given: Files, globs and folders.
        format: A key of `FORMATS`; told by content unless given.
        case: The column that names a case; told by the rule of `roi.importers.conversations` unless given.
        arms: Version (or model) → `baseline` or `pilot`; the key `""` stands for all others.
        here: What paths are relative to; the working directory unless given.

    Raises:
        SampleError: With everything that keeps the files from being read; where nothing of them is an export.
    """
    base = here or Path.cwd()
    if format is not None and format not in FORMATS:
        raise ParameterError([Problem("roi import", "--format", f"{format} is none of {', '.join(FORMATS)}")])
    try:
        found = find_files(_widened(given, base), project=base, folder=base, file="roi import", place="SRC")
    except UnreadableError as error:
        raise SampleError(error.problems) from None
    sources: list[Source] = []
    by_format: dict[str, list[tuple[Found, Seen]]] = {}
    problems: list[Problem] = []
    for file in found:
        told, seen = (format, None) if format is not None else look_and_recognise(file, asked=True)
        try:
            if told is None:
                sources.append(Source(file.name, why=_why(file, seen)))
                continue
            if not FORMATS[told].reads(ending_of(file.path)):
                problems.append(Problem(file.name, "--format", f"is of no kind that {told} exports are"))
                continue
            seen = seen or look_through(file)
        except UnreadableError as error:
            problems += error.problems
            continue
        sources.append(Source(file.name, told, sha256=seen.sha256))
        by_format.setdefault(told, []).append((file, seen))
    parts = _Parts(arms or {})
    for told, files in by_format.items():
        try:
            _take(told, read_export(told, files), case, parts, is_alone=len(by_format) == 1)
        except UnreadableError as error:
            problems += error.problems
    if not problems and not by_format:
        known = ", ".join(f.title for f in FORMATS.values())
        problems = [Problem(s.name, "", str(s.why)) for s in sources[:20]]
        problems.append(Problem("roi import", "SRC", f"no file is an export that is read ({known})"))
    if problems:
        raise SampleError(problems)
    return Imported(
        sources=tuple(sources),
        tables={
            name: parts.table(name)
            for name, table in parts.tables.items()
            if len(table) or parts.laid.get(name)
        },
        rules=tuple(parts.rules),
        said=tuple(parts.said),
        left_out=parts.left_out,
        contradictions=tuple(parts.contradictions),
        arm=parts.arms.told(),
    )


def _widened(given: Sequence[str], base: Path) -> list[str]:
    """Paths and globs as they are; folders as the files in them, however deep."""
    widened = []
    for path in given:
        if (base / path).is_dir():
            inner = sorted(p for p in (base / path).rglob("*") if p.is_file() and not p.name.startswith("."))
            widened += [os.path.relpath(p, base) for p in inner] or [path]
        else:
            widened.append(path)
    return widened


def _why(file: Found, seen: Seen | None) -> str:
    """Why a file is no export that is read."""
    ending = ending_of(file.path)
    if ending in _TABLE_ENDINGS:
        return "is a table without the columns of an export; read it as it is (`roi new`, or samples.cases)"
    if ending not in _JSON:
        return f"is of no kind that exports are ({ending or 'no ending'})"
    from roi.importers.documents import json_values

    try:
        first = next(json_values(file, seen or look_through(file)), None)
    except UnreadableError as error:
        return f"is no JSON that can be read ({error.problems[0].place or error.problems[0].message})"
    if isinstance(first, dict):
        for key, what in (("resourceLogs", "logs"), ("resourceMetrics", "metrics")):
            if key in first:
                return f"holds {what} of OpenTelemetry and no spans"
        listed = first.get("data")
        trace = listed[0] if isinstance(listed, list) and listed else first
        if isinstance(trace, dict) and "spans" in trace and "processes" in trace:
            return (
                "is Jaeger's own JSON; ask its /api/v3/traces, or let a collector write a file: OTLP is read"
            )
        if "role" in first and "content" in first:
            return "holds messages of a conversation without ids, times, tokens or costs: nothing to map"
    return "is JSON of no format that is known"


def _take(told: str, export: Export, case: str | None, parts: _Parts, *, is_alone: bool) -> None:
    title = FORMATS[told].title
    try:
        held = export.traces.rows
        grouped = (
            group_laid(export.traces, held, case)
            if isinstance(held, Laid)
            else group(export.traces, key=case)
        )
    except KeyError:
        named = ", ".join(n for n in export.traces.names[:60])
        raise SampleError(
            [Problem(title, "--case", f"no trace has a column {case}; there are {named}")]
        ) from None
    beyond = 0
    if isinstance(grouped.cases.rows, Laid) and is_alone and parts.arms.are_untold(export.arm):
        parts.laid["cases"] = grouped.cases.rows
        parts.first["cases"] = dict.fromkeys(("case_id", *grouped.cases.names))
    else:
        cases = cells_of(parts.arms.of(row, export.arm) for row in grouped.cases.rows)
        # Where every trace has names of its own, an export names the first of them only.
        beyond = parts.add("cases", cases, grouped.cases.names, frozenset(export.traces.names))
    first = ("action_id", "case_id", "tool", *export.actions.names)
    if isinstance(export.actions.rows, Laid) and is_alone:
        parts.laid["actions"] = export.actions.rows.with_cases()
        parts.first["actions"] = dict.fromkeys(first)
    else:
        actions = _with_cases(export.actions, grouped)
        parts.add("actions", actions, first, frozenset(export.actions.names))
    parts.add("evals", cells_of(export.evals.rows), export.evals.names)
    parts.add("versions", cells_of(export.versions.rows), export.versions.names)
    if export.traces.rows:
        parts.rules.append(f"{title}: {grouped.rule}")
    parts.said += [f"{title}: {text}" for text in (*grouped.said, *export.warnings)]
    for why, n in [*export.left_out.items(), *([(_TOO_MANY, beyond)] if beyond else [])]:
        parts.left_out[f"{title}: {why}"] = parts.left_out.get(f"{title}: {why}", 0) + n
    parts.contradictions += export.contradictions


def _with_cases(actions: Table, grouped: Grouped) -> Iterator[Cells]:
    """Actions of traces that were not sent again, with their cases."""
    for names, cells in cells_of(actions.rows):
        if "case_id" in names:
            row = dict(zip(names, cells, strict=True))
            trace = str(row.get("trace_id"))
            row["case_id"] = grouped.case_of.get(trace, row["case_id"])
            names, cells = tuple(row), tuple(row.values())
        else:
            trace = str(cells[names.index("trace_id")]) if "trace_id" in names else "None"
            names, cells = (*names, "case_id"), (*cells, grouped.case_of.get(trace))
        if trace not in grouped.resent:
            yield names, cells


class _Arms:
    """The arms of cases, and how they came about."""

    def __init__(self, given: Mapping[str, str]) -> None:
        wrong = sorted(set(given.values()) - set(_ARMS))
        if wrong:
            raise ParameterError(
                [Problem("roi import", "--arm", f"{wrong[0]} is neither baseline nor pilot")]
            )
        self._given = given
        self._of_format: set[str | None] = set()
        self._used: set[str] = set()
        self._versions: set[str] = set()
        self._blank = 0

    def are_untold(self, of_format: str | None) -> bool:
        """Whether neither a user nor a format says what a case's arm is."""
        self._of_format.add(of_format)
        return not self._given and of_format is None

    def of(self, row: Mapping[str, str | None], of_format: str | None) -> Mapping[str, str | None]:
        """A case with its arm."""
        self._of_format.add(of_format)
        if not self._given:
            return row if of_format is None else {**row, "arm": of_format}
        told = next((str(v) for k in ("version", "model") if (v := row.get(k)) in self._given), "")
        self._used.add(told)
        self._versions.add(str(row.get("version") or row.get("model") or "(blank)"))
        arm = self._given.get(told) or of_format or row.get("arm")
        self._blank += arm is None
        return {**row, "arm": arm}

    def told(self) -> str:
        """How arms came about, in words.

        Raises:
            ParameterError: If one was given for what no case has.
        """
        if not self._given:
            if self._of_format == {"baseline"}:
                return "All cases are of the arm baseline: people's work as before, with no agent in the log."
            return (
                "The source does not say which cases are the baseline and which the pilot. Say it with --arm, or map "
                "samples.cases.columns.arm in the parameter file."
            )
        if unused := sorted(set(self._given) - self._used):
            there = ", ".join(sorted(self._versions)[:20])
            message = f"no case has the version or model {unused[0] or '(any other)'}; there are {there}"
            raise ParameterError([Problem("roi import", "--arm", message)])
        left = (
            f" {self._blank:,} cases are of no arm that --arm names; theirs is blank." if self._blank else ""
        )
        return f"The arm was told by --arm.{left}"


def record_of(imported: Imported) -> dict[str, object]:
    """All of it but the rows, as plain JSON values."""
    return {
        "schema": 1,
        "sources": [
            {"file": s.name, "format": s.format, "left_out": s.why, "sha256": s.sha256}
            for s in imported.sources
        ],
        "tables": {n: {"rows": len(t.rows), "columns": list(t.names)} for n, t in imported.tables.items()},
        "cases": list(imported.rules),
        "arm": imported.arm,
        "to_know": list(imported.said),
        "left_out": [{"why": why, "n": n} for why, n in imported.left_out.items()],
        "contradictions": [
            {"what": c.what, "source": c.theirs, "rows": c.ours, "then": c.then}
            for c in imported.contradictions
        ],
    }
