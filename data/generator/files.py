"""Writing tables the way other people's systems export them, always with the same bytes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from data.generator.cases import Row

__all__ = ["Export", "write_export"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """How one table leaves a system.

    Attributes:
        file: Name of the file; its ending decides the form, `{month}` makes one file a month.
        columns: Their name to ours, with a form after a bar: `handle_s: handling_minutes|seconds`.
        values: Ours to theirs, per canonical column.
        delimiter: Between the cells of a text file.
        decimal: Decimal mark of a text file.
        bom: Whether a text file begins with a byte-order mark.
        missing: What stands for a missing value.
        offset: Written after times; "": local times without one.
        hours: Added to local times, to give them in the zone of `offset`.
        title: Rows above the header of a spreadsheet.
        constants: Columns that say the same in every row.
    """

    file: str
    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    delimiter: str = ","
    decimal: str = "."
    bom: bool = False
    missing: str = ""
    offset: str = ""
    hours: int = 0
    title: Sequence[str] = ()
    constants: Mapping[str, str] = field(default_factory=dict)


def _clock(minutes: float) -> str:
    seconds = round(minutes * 60)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _iso_duration(minutes: float) -> str:
    seconds = round(minutes * 60)
    return f"PT{seconds // 60}M{seconds % 60}S"


def _cell(export: Export, row: Row, spec: str) -> object:
    name, _, form = spec.partition("|")
    value = row.get(name)
    if value is None:
        return None
    if name in export.values:
        return export.values[name][str(value)]
    if isinstance(value, datetime):
        if form == "datetime":
            return value
        return (value + timedelta(hours=export.hours)).strftime("%Y-%m-%dT%H:%M:%S") + export.offset
    if form == "head":
        return str(value).split("-")[0]
    if form == "tail":
        return str(value).split("-")[1]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if form == "seconds":
            return max(round(value * 60), 1)
        if form == "clock":
            return _clock(value)
        if form == "iso":
            return _iso_duration(value)
        return round(value, 5 if form == "money" else 2)
    return value


def _text(export: Export, value: object, spec: str) -> str:
    if value is None:
        return export.missing
    if isinstance(value, float):
        return f"{value:.{5 if spec.endswith('|money') else 2}f}".replace(".", export.decimal)
    return str(value)


def _delimited(export: Export, rows: Iterable[Row]) -> bytes:
    delimiter = "\t" if ".tsv" in export.file else export.delimiter
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*export.columns, *export.constants])
    for row in rows:
        cells = [_text(export, _cell(export, row, spec), spec) for spec in export.columns.values()]
        writer.writerow([*cells, *export.constants.values()])
    return out.getvalue().encode("utf-8-sig" if export.bom else "utf-8")


def _json_lines(export: Export, rows: Iterable[Row]) -> bytes:
    lines = []
    for row in rows:
        cells = {theirs: _cell(export, row, spec) for theirs, spec in export.columns.items()}
        kept = {theirs: value for theirs, value in cells.items() if value is not None}
        lines.append(json.dumps({**kept, **export.constants}, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()


def _spreadsheet(export: Export, rows: Iterable[Row]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    fixed = datetime(2026, 1, 1)
    book.properties.created = book.properties.modified = fixed
    sheet = book.active
    sheet.title = "Export"
    for line in export.title:
        sheet.append([line] if line else [])
    sheet.append([*export.columns, *export.constants])
    for number, row in enumerate(rows, 1):
        cells = [_cell(export, row, spec) for spec in export.columns.values()]
        sheet.append([export.missing if c is None else c for c in cells] + [*export.constants.values()])
        if number % 100 == 0:
            sheet.append([])  # a page break, as printed exports have them
    sheet.append([])
    raw = io.BytesIO()
    book.save(raw)
    # A zip holds the time of day and depends on the compressor: pack again without either.
    packed = io.BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "docProps/core.xml":  # openpyxl sets the time of saving whatever it is told
                start, end = content.index(b"<dcterms:modified"), content.index(b"</dcterms:modified>")
                head = content[: content.index(b">", start) + 1]
                content = head + fixed.strftime("%Y-%m-%dT%H:%M:%SZ").encode() + content[end:]
            target.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def write_export(export: Export, rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write one table, as one file or as one a month.

    Args:
        export: The form.
        rows: Canonical rows.
        folder: Where to write; it exists.

    Returns:
        The files written.
    """
    parts: dict[str, list[Row]] = {}
    for row in rows:
        start = row.get("started_at")
        month = start.strftime("%Y-%m") if isinstance(start, datetime) else ""
        parts.setdefault(export.file.replace("{month}", month), []).append(row)
    if not rows:  # a log that nothing was written to still has its header
        parts[export.file] = []
    written: list[Path] = []
    for name, part in sorted(parts.items()):
        if name.endswith(".xlsx"):
            content = _spreadsheet(export, part)
        elif ".jsonl" in name:
            content = _json_lines(export, part)
        else:
            content = _delimited(export, part)
        if name.endswith(".gz"):
            content = gzip.compress(content, mtime=0)
        path = folder / name
        path.write_bytes(content)
        written.append(path)
    return written
