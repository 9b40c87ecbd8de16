"""The page of an import: what was found, how it was mapped, what was left out and why."""

from __future__ import annotations

from importlib import import_module

from roi.importers import FORMATS
from roi.importing import Imported
from roi.report.page import page
from roi.report.sections import environment

__all__ = ["field_map", "imported_page"]


def field_map(format: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Where the columns of a format come from, as its module's documentation has it.

    Args:
        format: A key of `FORMATS`.

    Returns:
        Tables: their head, and pairs of our column and where it comes from.
    """
    text = import_module(f"roi.importers.{FORMATS[format].module}").__doc__ or ""
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


def imported_page(imported: Imported) -> str:
    """The page as HTML.

    Args:
        imported: What came of the import.
    """
    formats = list(dict.fromkeys(s.format for s in imported.sources if s.format is not None))
    read = [s for s in imported.sources if s.format is not None]
    html = (
        environment()
        .get_template("imported.html.j2")
        .render(
            i=imported,
            read=read,
            passed_over=[s for s in imported.sources if s.format is None],
            formats=[{"title": FORMATS[f].title, "name": f, "maps": field_map(f)} for f in formats],
            titles={name: f.title for name, f in FORMATS.items()},
            snippet=_snippet(imported),
        )
    )
    return page("What was imported", html, above="Import")


def _snippet(imported: Imported) -> str:
    """The lines of a parameter file that read the tables."""
    lines: list[str] = ["samples:"]
    cases = imported.tables.get("cases")
    if cases is not None:
        lines.append("  cases:")
        lines.append("    source: cases.csv")
        if "arm" not in cases.names:
            by = "version" if "version" in cases.names else "model"
            lines.append("    columns:")
            lines.append(f"      arm: {{from: {by}, values: {{THEIRS: baseline, OTHER: pilot}}}}")
    lines += [f"  {name}: {name}.csv" for name in ("actions", "evals") if name in imported.tables]
    return "\n".join(lines)
