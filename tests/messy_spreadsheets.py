"""One clean table of cases, and the many ways in which offices write it down."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

NAMES = ("case_id", "arm", "worker", "segment", "handling_minutes", "review_minutes", "amount", "started_at")
N = 24
WORKERS = ("Ann", "Bo", "Cem")


def _case(i: int) -> tuple[str, str, str, str, Decimal, Decimal, Decimal, dt.datetime]:
    return (
        f"T-{1001 + i}",
        "baseline" if i % 2 else "pilot",
        WORKERS[i // 8],
        "post" if i % 5 < 2 else "email",
        Decimal(5) + Decimal(i * 37 % 60) / 4,
        Decimal(i * 7 % 5) / 2 + Decimal("0.25"),
        Decimal(1234) + Decimal(i * 1117 % 9000) + Decimal("0.5"),
        dt.datetime(2026, 3, 1 + i, 9, 5 + i),
    )


CASES = [_case(i) for i in range(N)]


def clean_csv() -> str:
    """The clean table as CSV that needs no interpretation."""
    return "".join(",".join(map(str, row)) + "\n" for row in (NAMES, *CASES))


def cells(i: int) -> list[Any]:
    """A case as the cells of a workbook: texts, numbers, a date."""
    return [*CASES[i][:4], *map(float, CASES[i][4:7]), CASES[i][7]]


def book(fill: Callable[[Worksheet], None], *, title: str = "Cases") -> openpyxl.Workbook:
    """A workbook of one sheet."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    fill(sheet)
    return made


def fill(sheet: Worksheet, *, header: tuple[Any, ...] = NAMES, rows: Any = range(N)) -> None:
    """The clean table, below what is there."""
    sheet.append(header)
    for i in rows:
        sheet.append(cells(i))


def saved(made: openpyxl.Workbook) -> bytes:
    """The bytes of a workbook."""
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def calculated(content: bytes, values: dict[str, str], kinds: dict[str, str] | None = None) -> bytes:
    """A workbook in which formulas have the values that a spreadsheet program would have saved.

    Args:
        content: The workbook.
        values: Cell of the first sheet → value.
        kinds: Cell → its type, such as "e" for an error.
    """

    def change(xml: str) -> str:
        for cell, value in values.items():
            start = xml.index(f'<c r="{cell}"')
            end = xml.index("</c>", start)
            formula = xml[xml.index("<f>", start) : xml.index("</f>", start) + 4]
            kind = f' t="{kinds[cell]}"' if kinds and cell in kinds else ""
            xml = f'{xml[:start]}<c r="{cell}"{kind}>{formula}<v>{value}</v>{xml[end:]}'
        return xml

    return rewritten(content, "xl/worksheets/sheet1.xml", change)


def rewritten(content: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """A workbook with one of its files changed."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data.decode()).encode() if name == part else data)
    return stream.getvalue()


def opendocument() -> bytes:
    """The clean table as LibreOffice's own format."""

    def cell(value: Any) -> str:
        if isinstance(value, float):
            return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
        if isinstance(value, dt.datetime):
            return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    rows = "".join(
        "<table:table-row>" + "".join(map(cell, row)) + "</table:table-row>"
        for row in (NAMES, *(cells(i) for i in range(N)))
    )
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="Cases">{rows}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("mimetype", kind)
        made.writestr("META-INF/manifest.xml", manifest)
        made.writestr("content.xml", content)
    return stream.getvalue()


def locked() -> bytes:
    """A compound file as a workbook with a password is: its directory names an EncryptedPackage."""

    def entry(name: str, kind: int, child: int, start: int, size: int, left: int = -1) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<iii", left, -1, child)
        body = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1) + links
        return body.ljust(116, b"\0") + struct.pack("<iQ", start, size)

    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIiIIiIiI", 0, 1, 1, 0, 4096, -2, 0, -2, 0) + struct.pack("<i", 0)
    head += struct.pack("<i", -1) * 108
    chain = b"".join(struct.pack("<i", i) for i in range(4, 11)) + struct.pack("<i", -2)
    allocation = (struct.pack("<iii", -3, -2, 3) + chain).ljust(512, b"\xff")
    directory = entry("Root Entry", 5, 1, -2, 0) + entry("EncryptedPackage", 2, -1, 2, 4608) + bytes(128) * 2
    return head + allocation + directory + bytes(512 * 9)


def write(folder: Path, name: str, content: bytes | str) -> None:
    """A file of a test's project."""
    (folder / "data" / name).write_bytes(content.encode() if isinstance(content, str) else content)
