"""Tables of an import as CSV files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from operator import itemgetter
from pathlib import Path

from roi.importers.export import Table
from roi.importers.gathered import cells_of, no_collection
from roi.importers.laid import Laid
from roi.problems import ParameterError, Problem

__all__ = ["write_tables"]


@no_collection()
def write_tables(tables: Mapping[str, Table], out: Path, *, force: bool = False) -> list[Path]:
    """Write the tables as CSV files.

    Args:
        tables: By name.
        out: The folder; it is made.
        force: Whether files that are there may be replaced.

    Returns:
        The files, in the order of the tables.

    Raises:
        ParameterError: If one is there already, or cannot be written.
    """
    targets = {name: out / f"{name}.csv" for name in tables}
    taken = [] if force else [str(p) for p in targets.values() if p.exists()]
    if taken:
        message = "is there already, perhaps edited; name another folder, or replace it with --force"
        raise ParameterError([Problem(path, "", message) for path in taken])
    for name, table in tables.items():
        _write(targets[name], table)
    return list(targets.values())


def _write(target: Path, table: Table) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(table.rows, Laid):
            table.rows.write(partial, table.names)
        else:
            with partial.open("w", encoding="utf-8", errors="replace", newline="") as file:
                file.writelines(_lines(table))
        os.replace(partial, target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        why = error.strerror or type(error).__name__
        raise ParameterError([Problem(str(target), "", f"cannot be written ({why})")]) from None


def _lines(table: Table) -> Iterator[str]:
    """The lines of a CSV file: as Python's `csv` writes them, which takes three times as long and leaves a lone
    carriage return as it is, where readers see the end of a row.
    """
    picks: dict[tuple[str, ...], Callable[[Sequence[str]], Sequence[str]]] = {}
    names = table.names
    for theirs, given in chain([(names, names)], cells_of(table.rows)):
        pick = picks.get(theirs)
        if pick is None:
            at = {name: i for i, name in enumerate(theirs)}
            # A column that a row does not have is the blank cell behind its own.
            pick = picks[theirs] = itemgetter(*(at.get(n, len(theirs)) for n in names), len(theirs))
        filled = (*(given if all(given) else [cell or "" for cell in given]), "")
        cells = pick(filled)[:-1]
        line = ",".join(cells)
        if '"' in line or "\n" in line or "\r" in line or line.count(",") >= len(cells) or line == "":
            line = ",".join([_quoted(c) if _needs_quotes(c) else c for c in cells]) or '""'
        yield line + "\n"


def _needs_quotes(cell: str) -> bool:
    return '"' in cell or "," in cell or "\n" in cell or "\r" in cell


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
