"""The page of an import: what was found, how it was mapped, what was left out and why."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path

from roi.importers import FORMATS
from roi.importing import Imported
from roi.report.page import page
from roi.report.sections import environment

__all__ = ["field_map", "imported_page"]

_SHARED = "(see tables)"
_MOST_VERSIONS = 20


def field_map(format: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Where the columns of a format come from, as its module's documentation has it.

    Args:
        format: A key of `FORMATS`.

    Returns:
        Tables: their head, and pairs of our column and where it comes from.
    """
    return _tables_of(import_module(f"roi.importers.{FORMATS[format].module}").__doc__ or "")


def _tables_of(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    tables: list[tuple[str, list[tuple[str, str]]]] = []
    for line in text.splitlines():
        if not line.startswith("| "):
            continue
        left, _, right = line.strip().strip("|").partition(" | ")
        left, right = left.strip().replace("`", ""), right.strip().replace("`", "")
        if left.startswith(("column (", "column of ")):
            tables.append((left, []))
        elif tables:
            tables[-1][1].append((left, right))
    return tables


def imported_page(imported: Imported, out: Path) -> str:
    """The page as HTML.

    Args:
        imported: What came of the import.
        out: The folder that its tables were written to.
    """
    formats = list(dict.fromkeys(s.format for s in imported.sources if s.format is not None))
    read = [s for s in imported.sources if s.format is not None]
    maps = {f: field_map(f) for f in formats}
    shared = any(_SHARED in head for tables in maps.values() for head, _ in tables)
    folder = _from_here(out)
    html = (
        environment()
        .get_template("imported.html.j2")
        .render(
            i=imported,
            read=read,
            passed_over=[s for s in imported.sources if s.format is None],
            formats=[{"title": FORMATS[f].title, "maps": _plain_heads(maps[f])} for f in formats],
            meanings=_tables_of(import_module("roi.importers.tables").__doc__ or "") if shared else [],
            titles={name: f.title for name, f in FORMATS.items()},
            snippet=_snippet(imported, folder),
            without_arm=_lacks_arm(imported),
            cases=f"{folder}cases.csv",
        )
    )
    return page("What was imported", html, above="Import")


def _plain_heads(maps: list[tuple[str, list[tuple[str, str]]]]) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(head.replace(_SHARED, "").strip(), rows) for head, rows in maps]


def _from_here(out: Path) -> str:
    """The folder as a parameter file names it: from where the command ran, which mostly is the project folder."""
    inside = os.path.relpath(out)
    told = out.as_posix() if inside.startswith("..") else Path(inside).as_posix()
    return "" if told == "." else f"{told}/"


def _lacks_arm(imported: Imported) -> bool:
    cases = imported.tables.get("cases")
    return cases is not None and "arm" not in cases.names


def _snippet(imported: Imported, folder: str) -> str:
    """The lines of a parameter file that read the tables; only a person knows what stands as ARM."""
    lines: list[str] = ["samples:"]
    cases = imported.tables.get("cases")
    if cases is not None:
        lines += ["  cases:", f"    source: {folder}cases.csv"]
        if _lacks_arm(imported):
            # Of what may tell the arms apart, what most cases have.
            filled = {n: sum(map(bool, cases.column(n))) for n in ("version", "model", "models")}
            by = max((n for n in filled if n in cases.names), key=filled.__getitem__, default=None)
            found = sorted({v for v in cases.column(by) if v}) if by is not None else []
            lines.append("    columns:")
            if 1 < len(found) <= _MOST_VERSIONS:
                lines += ["      arm:", f"        from: {by}", "        values:"]
                lines += [f"          {json.dumps(v, ensure_ascii=False)}: ARM" for v in found]
            elif by is not None and len(found) > 1:
                lines.append(f"      arm: {{from: {by}, values: {{ONE: baseline, OTHER: pilot}}}}")
            else:
                lines.append("      arm: {value: ARM}")
    lines += [f"  {name}: {folder}{name}.csv" for name in ("actions", "evals") if name in imported.tables]
    return "\n".join(lines)
