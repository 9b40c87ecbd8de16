"""Trace exports as tables: one module a format, each with `knows(value)` and `read(files) -> Export`.

A format is named with `format:`, or recognised by content: the first value of a JSON file, the columns of a table.
What the columns are stands in `tables`, where each comes from in the format's own module.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roi.prices import OwnPrices
from roi.problems import Problem
from roi.readers import Source
from roi.readers.base import Connection, Rows, UnreadableError
from roi.readers.files import Found, Seen, find_files, give_threads, look_through, open_bytes
from roi.readers.held import Sheet, hold_rows

if TYPE_CHECKING:
    from roi.importers.export import Export

__all__ = [
    "FORMATS",
    "JSON_ENDINGS",
    "Format",
    "ending_of",
    "look_and_recognise",
    "open_export",
    "read_export",
    "recognise",
]

JSON_ENDINGS = (".json", ".jsonl", ".ndjson")
_ROWS = "rows"
_BY_SAMPLE = ("tau2", "inspect", "promptfoo", "atif")  # formats that are one document with one long list
_END = 1 << 18
_TRAJECTORY = ".traj.json"


@dataclass(frozen=True, slots=True)
class Format:
    """A format of exports; its module is imported when one of its files is met.

    Attributes:
        title: Its name for readers.
        module: The module of this package that reads it.
        endings: Of its files that are no JSON, each with or without `.gz`; its module has `knows_file` for these.
        is_json: Whether it comes as JSON or JSON Lines; its module has `knows` for their first value.
        asked: Endings of files that are read so only where somebody names the format or imports them.
        hints: One of these is near the beginning or the end of each of its files that are no JSON; so a table of cases
            costs no import.
    """

    title: str
    module: str
    endings: tuple[str, ...] = ()
    is_json: bool = True
    asked: tuple[str, ...] = ()
    hints: tuple[bytes, ...] = ()

    def reads(self, ending: str) -> bool:
        """Whether files of this ending may be of the format."""
        return ending in self.endings or ending in self.asked or (self.is_json and ending in JSON_ENDINGS)


FORMATS: Mapping[str, Format] = {
    "langfuse": Format(
        "Langfuse traces",
        "langfuse",
        (".parquet", ".pq"),
        asked=(".csv",),
        hints=(b"parent_observation_id", b"bookmarked", b"data_type"),
    ),
    "otlp": Format("OpenTelemetry spans (OTLP)", "otlp"),
    "openinference": Format(
        "OpenInference spans (Phoenix and others)",
        "openinference",
        (".parquet", ".pq"),
        asked=(".csv",),
        hints=(b"span_id",),
    ),
    "tau2": Format("tau2 simulations", "tau2"),
    "agent_events": Format("Agent event streams with permission decisions", "agent_events"),
    "event_log": Format(
        "Event logs of processes (XES)", "event_log", (".xes",), is_json=False, asked=(".csv",)
    ),
    "promptfoo": Format(
        "promptfoo results",
        "promptfoo",
        (".csv",),
        hints=(b"[PASS]", b"[FAIL]", b'{""raw""', b"Status,Score,"),
    ),
    "langsmith": Format("LangSmith runs", "langsmith", (".parquet", ".pq"), hints=(b"dotted_order",)),
    "mlflow": Format("MLflow traces", "mlflow"),
    "atif": Format("Agent trajectories (ATIF)", "atif"),
    "mini_swe_agent": Format("Trajectories of mini-swe-agent", "mini_swe_agent"),
    "inspect": Format("Inspect logs", "inspect_logs", (".eval",)),
    "runs": Format("A table of agent runs", "runs", is_json=False, asked=(".csv", ".tsv")),
}
"""Name → format, in the order in which they are tried."""


def _module(name: str) -> Any:
    return import_module(f"roi.importers.{FORMATS[name].module}")


def read_export(format: str, files: Sequence[tuple[Found, Seen]], own: OwnPrices | None = None) -> Export:
    """Read the files of an export.

    Args:
        format: A key of `FORMATS`.
        files: Each with what a look through its bytes showed.
        own: Prices of one's own, by model.

    Raises:
        UnreadableError: If a file cannot be read to its end.
    """
    from roi.importers.gathered import no_collection

    with no_collection():
        export: Export = _module(format).read(files, own)
    return export


def recognise(found: Found, *, asked: bool = False) -> str | None:
    """The format of an export, told by its content; None where it is none that is read.

    Args:
        found: The file.
        asked: Whether tables that anybody might write, such as a CSV of an event log, are looked at as well.
    """
    return look_and_recognise(found, asked=asked)[0]


def look_and_recognise(found: Found, *, asked: bool = False) -> tuple[str | None, Seen | None]:
    """The same, with what a look through the file showed, where that was needed: large files are read once for it."""
    ending = ending_of(found.path)
    able = [name for name, f in FORMATS.items() if ending in f.endings or (asked and ending in f.asked)]
    if able:
        ends = _ends(found)
        able = [n for n in able if not FORMATS[n].hints or any(h in ends for h in FORMATS[n].hints)]
        return next((name for name in able if _module(name).knows_file(found)), None), None
    if ending not in JSON_ENDINGS:
        return None, None
    from roi.importers.documents import holds_markers, json_values
    from roi.importers.members import outline

    if not (_may_hold_any(found) or holds_markers(found)):
        return None, None
    try:
        seen = look_through(found)
    except UnreadableError:
        return None, None
    # Documents of runs may be longer than memory holds: what stands beside their lists tells them.
    rest = outline(found, seen, within="results")
    for name in _BY_SAMPLE:
        if rest is not None and _module(name).knows(rest):
            return name, seen
    try:
        first = next(json_values(found, seen), None)
    except UnreadableError:
        return None, seen
    return next((name for name, f in FORMATS.items() if f.is_json and _module(name).knows(first)), None), seen


def _may_hold_any(found: Found) -> bool:
    """Whether a JSON file is looked into whatever bytes are in it: one whose name tells, or that is UTF-16."""
    if found.path.name.lower().removesuffix(".gz").endswith(_TRAJECTORY):
        return True
    try:
        with open_bytes(found.path) as stream:
            return stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    except (OSError, EOFError, zlib.error):
        return False  # whoever reads it says what is wrong


def _ends(found: Found) -> bytes:
    """A file's first and last bytes, decompressed."""
    try:
        with open_bytes(found.path) as stream:
            head = stream.read(_END)
            if found.path.suffix.lower() == ".gz":
                return head
            stream.seek(max(_END, found.path.stat().st_size - _END))
            return head + stream.read(_END)
    except (OSError, EOFError, zlib.error):
        return b""  # whoever reads it says what is wrong


def ending_of(path: Path) -> str:
    """A file's ending in small letters, without `.gz`."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def open_export(
    con: Connection,
    source: Source,
    *,
    format: str | None,
    table: str,
    name: str,
    project: Path,
    folder: Path,
    file: str,
    place: str,
    own: OwnPrices | None = None,
) -> Rows | None:
    """Open a source as a trace export.

    Args:
        con: The engine.
        source: Where the files lie; a folder stands for the JSON files in it.
        format: A key of `FORMATS`, None to tell by content, or `rows` for a table as it is.
        table: The canonical table; `actions` takes the tool calls, any other the traces.
        name: A plain name for what the engine has to hold.
        project: The project folder.
        folder: The folder of the parameter file.
        file: The parameter file's name, for messages.
        place: The key of the table, for messages.
        own: Prices of one's own, by model.

    Returns:
        The rows, or None where no format is given and the source is no trace export.

    Raises:
        UnreadableError: With everything that keeps it from being read.
    """
    if format == _ROWS:
        return None
    if format is not None and format not in FORMATS:
        message = f"is none that is read ({', '.join(FORMATS)}, or {_ROWS} for a table as it is)"
        raise UnreadableError([Problem(file, f"{place}.format", message)])
    if source.connect is not None:
        if format is None:
            return None
        raise UnreadableError([Problem(file, f"{place}.format", "goes with files; a database gives rows")])
    given = [p for pattern in source.files for p in _within(pattern, project, folder)]
    told_by_ending = [*JSON_ENDINGS, *(e for f in FORMATS.values() for e in f.endings)]
    if format is None and not any(ending_of(Path(p)) in told_by_ending for p in given):
        return None
    files = find_files(given, project=project, folder=folder, file=file, place=f"{place}.source")
    give_threads(con, files)
    told, looked = (format, None) if format is not None or not files else look_and_recognise(files[0])
    if told is None:
        return None
    others = [found.name for found in files if not FORMATS[told].reads(ending_of(found.path))]
    if others:
        kind = "no JSON" if FORMATS[told].endings == () == FORMATS[told].asked else "of no kind"
        message = f"{others[0]} is {kind}, which {told} exports are; leave format out, or export it anew"
        raise UnreadableError([Problem(file, f"{place}.format", message)])
    seen = [(f, looked if looked is not None and i == 0 else look_through(f)) for i, f in enumerate(files)]
    export = read_export(told, seen, own)
    held = export.actions if table == "actions" else export.traces
    if table == "evals" and export.evals.rows:
        held = export.evals
    label = files[0].name
    if not (export.traces.rows or export.evals.rows):
        nothing = f"holds no trace of the format {told}"
        if format is None:
            raise UnreadableError([Problem(label, "", nothing)])
        message = f"{label} {nothing}; leave format out, or export it anew"
        raise UnreadableError([Problem(file, f"{place}.format", message)])
    if not held.rows:
        what = (
            "tool call, so that there are no actions in it"
            if table == "actions"
            else "trace, only graded runs"
        )
        raise UnreadableError([Problem(label, "", f"holds no {what}")])
    sheets: dict[tuple[str, ...], Sheet] = {}

    def select(needed: Sequence[str]) -> str:
        # Exports have hundreds of columns, of which the engine takes those that are asked for.
        names = tuple(needed)
        if names not in sheets:
            sheets[names] = Sheet(f"{name}_{len(sheets)}", names, files[0].path.name)
            hold_rows(con, sheets[names].table, names, held.rows)
        return sheets[names].select_part(names)

    return Rows(
        label=label,
        columns=held.names,
        select=select,
        fingerprints={found.name: look.sha256 for found, look in seen},
        # What they say is of traces and their costs.
        warnings=() if table == "actions" else tuple(f"{label}: {w}" for w in export.told),
    )


def _within(pattern: str, project: Path, folder: Path) -> list[str]:
    """A path or glob as it is; a folder as globs of the JSON files in it."""
    for base in (project, folder):
        if (base / pattern).is_dir():
            inner = [f"{pattern.rstrip('/')}/**/*{e}{gz}" for e in JSON_ENDINGS for gz in ("", ".gz")]
            return [p for p in inner if any(base.glob(p))] or [pattern]
    return [pattern]
