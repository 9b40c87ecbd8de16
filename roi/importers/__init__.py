"""Trace exports as tables: one module a format, each with `knows(value)` and `read(files) -> Export`.

A format is named with `format:`, or recognised by the first value of the first file. What the columns are stands in
`tables`, where each comes from in the format's own module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from roi.importers import langfuse, otlp
from roi.importers.documents import holds_markers, json_values
from roi.importers.tables import Export
from roi.problems import Problem
from roi.readers import Source
from roi.readers.base import Connection, Rows, UnreadableError
from roi.readers.files import Found, Seen, find_files, look_through
from roi.readers.held import Sheet, hold_columns

__all__ = ["FORMATS", "open_export", "recognise"]

FORMATS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Sequence[tuple[Found, Seen]]], Export]]] = {
    "langfuse": (langfuse.knows, langfuse.read),
    "otlp": (otlp.knows, otlp.read),
}
"""Format -> whether a value of a file is of it, and the reader of its files."""

_JSON = (".json", ".jsonl", ".ndjson")


def recognise(found: Found) -> str | None:
    """The format of a trace export, told by its first value; None where it is none that is read."""
    if not _is_json(found.path) or not holds_markers(found):
        return None
    try:
        first = next(json_values(found, look_through(found)), None)
    except UnreadableError:
        return None
    return next((name for name, (knows, _) in FORMATS.items() if knows(first)), None)


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
) -> Rows | None:
    """Open a source as a trace export.

    Args:
        con: The engine.
        source: Where the files lie; a folder stands for the JSON files in it.
        format: A key of `FORMATS`, or None to tell by content.
        table: The canonical table; `actions` takes the tool calls, any other the traces.
        name: A plain name for what the engine has to hold.
        project: The project folder.
        folder: The folder of the parameter file.
        file: The parameter file's name, for messages.
        place: The key of the table, for messages.

    Returns:
        The rows, or None where no format is given and the source is no trace export.

    Raises:
        UnreadableError: With everything that keeps it from being read.
    """
    if format is not None and format not in FORMATS:
        message = f"is none that is read ({', '.join(FORMATS)})"
        raise UnreadableError([Problem(file, f"{place}.format", message)])
    if source.connect is not None:
        if format is None:
            return None
        raise UnreadableError([Problem(file, f"{place}.format", "goes with files; a database gives rows")])
    given = [p for pattern in source.files for p in _within(pattern, project, folder)]
    if format is None and not any(_is_json(Path(p)) for p in given):
        return None
    files = find_files(given, project=project, folder=folder, file=file, place=f"{place}.source")
    told = format if format is not None else recognise(files[0]) if files else None
    if told is None:
        return None
    others = [found.name for found in files if not _is_json(found.path)]
    if others:
        message = f"{others[0]} is no JSON, which {told} exports are; leave format out, or export JSON Lines"
        raise UnreadableError([Problem(file, f"{place}.format", message)])
    seen = [(found, look_through(found)) for found in files]
    export = FORMATS[told][1](seen)
    held = export.actions if table == "actions" else export.traces
    label = files[0].name
    if not export.traces.rows:
        raise UnreadableError([Problem(label, "", f"holds no trace of the format {told}")])
    if not held.rows:
        raise UnreadableError([Problem(label, "", "holds no tool call, so that there are no actions in it")])
    sheets: dict[tuple[str, ...], Sheet] = {}

    def select(needed: Sequence[str]) -> str:
        # Exports have hundreds of columns, of which the engine takes those that are asked for.
        names = tuple(needed)
        if names not in sheets:
            sheets[names] = Sheet(f"{name}_{len(sheets)}", names, files[0].path.name)
            hold_columns(con, sheets[names].table, [held.column(n) for n in names])
        return sheets[names].select_part(names)

    return Rows(
        label=label,
        columns=held.names,
        select=select,
        fingerprints={found.name: look.sha256 for found, look in seen},
        # What they say is of traces and their costs.
        warnings=() if table == "actions" else tuple(f"{label}: {w}" for w in export.warnings),
    )


def _is_json(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(_JSON)


def _within(pattern: str, project: Path, folder: Path) -> list[str]:
    """A path or glob as it is; a folder as globs of the JSON files in it."""
    for base in (project, folder):
        if (base / pattern).is_dir():
            inner = [f"{pattern.rstrip('/')}/**/*{ending}{gz}" for ending in _JSON for gz in ("", ".gz")]
            return [p for p in inner if any(base.glob(p))] or [pattern]
    return [pattern]
