"""Workbooks of made-up pilots, read back, changed as a reader would, and recalculated by LibreOffice."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from made_worlds import BROKEN, decided

from roi.analysis import Decided
from roi.plan_at import HORIZON
from roi.workbook import workbook_bytes
from roi.workbook.book import _averages, _name_of
from roi.workbook.case import common_cells, roll_out_cells
from roi.workbook.formula import Formula, literal
from roi.workbook.point import Point, point_of, valued_at

RECORD: dict[str, Any] = {
    "pilot": "made", "title": "Made", "currency": "EUR", "verdict": "scale", "headline": "Made up", "hurdle": 0,
    "gates": [], "options": {}, "estimates": {},
}  # fmt: skip
SCENARIOS = [{"name": "file", "label": "As the file states it", "changed": []}]


@cache
def made(kind: str) -> Decided:
    """A pilot that scales, one that is fixed first, and one whose minutes lie on both sides of 0."""
    if kind == "scaled":
        return decided(minutes=(15.0, 8.0))
    if kind == "fixed":
        return decided(minutes=(15.0, 8.0), controls=BROKEN)
    return decided(minutes=(15.0, 15.1), errors=(0.06, 0.05), cases=60)


@cache
def written(kind: str) -> bytes:
    return workbook_bytes(made(kind), RECORD, SCENARIOS)


def read(data: bytes | Path, *, values: bool = True) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data) if isinstance(data, bytes) else data, data_only=values)


OURS = (
    "(",
    "IF(",
    "SUM",
    "MAX(",
    "MIN(",
    "Assumptions!",
    "Measured!",
    "Scenarios!",
    "Sensitivity!",
    "'Cash flow'!",
    "0",
)
"""How formulas of ours begin."""


def hold_no_text_as_formula(book: Any) -> None:
    """Every formula is one of ours, and every other text is shown as a text."""
    for sheet in book:
        assert not sheet._hyperlinks
        for row in sheet.iter_rows():
            for each in row:
                if each.data_type == "f":
                    assert str(each.value).removeprefix("=").startswith(OURS)
                    assert not re.search("HYPERLINK|cmd|CALL|DDE", each.value)
                elif each.data_type == "s":
                    assert len(each.value) <= 600
                    assert not any(sign in each.value for sign in "\x00\x1b\u202e\u2066")
                    assert not each.value.startswith(("=", "+", "-", "@")) or each.quotePrefix


def cell(book: Any, name: str) -> Any:
    """The cell with this name."""
    (sheet, place), *_ = book.defined_names[name].destinations
    return book[sheet][place]


def changed(data: bytes, values: Mapping[str, float]) -> bytes:
    """The same with other assumptions, as somebody would type them; what formulas come to is gone."""
    book = read(data, values=False)
    for key, value in values.items():
        cell(book, _name_of(key)).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def recalculated(books: Mapping[str, bytes], folder: Path) -> dict[str, Any]:
    """Workbooks as LibreOffice computes them anew, by name."""
    office = shutil.which("soffice")
    assert office is not None
    (folder / "out").mkdir()
    for name, data in books.items():
        (folder / f"{name}.xlsx").write_bytes(data)
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        '<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">'
        "<value>0</value></prop></item></oor:items>"
    )
    command = [office, "--headless", "--norestore", f"-env:UserInstallation=file://{folder / 'profile'}"]
    command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out")]
    subprocess.run(
        [*command, *(str(folder / f"{n}.xlsx") for n in books)], check=True, capture_output=True, timeout=560
    )
    return {name: read(folder / "out" / f"{name}.xlsx") for name in books}


def random_changes(a: Decided, point: Point, n: int, seed: int) -> list[dict[str, float]]:
    """Values of the live inputs with one to three of them somewhere in their range, or up to half away from exact."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        values = dict(point.values)
        for key in rng.choice(np.array(point.live), size=int(rng.integers(1, 4)), replace=False):
            value = a.assumptions.entries[str(key)].value
            if key == HORIZON:
                values[str(key)] = float(rng.integers(6, 60))
            elif value.is_exact:
                x = value.mean * float(rng.uniform(0.5, 1.5))
                values[str(key)] = min(x, 1.0) if value.family == "share" else x
            else:
                values[str(key)] = float(rng.uniform(value.p05, value.p95))
        found.append(values)
    return found


def decided_worth(a: Decided, values: Mapping[str, float]) -> float:
    """What `roi decide` makes of scaling everything with those numbers."""
    option = valued_at(a, values).valuer.roll_out()
    assert option is not None
    return option.mean()


def computed(a: Decided, point: Point, values: Mapping[str, float]) -> list[float]:
    """The worth of each roll-out by the workbook's formulas."""
    at = {key: literal(values[key]) for key in point.live}
    months = Formula("Months", np.arange(1, 241, dtype=np.float64))

    def put(_name: str, _label: str, formula: Formula) -> Formula:
        return formula

    common = common_cells(put, at, a.economics, months)
    return [
        float(
            roll_out_cells(
                put, at, common, plan, {k: literal(x) for k, (_, x) in _averages(plan).items()}, months
            ).plan_worth.value
        )
        for plan in point.roll_outs
    ]


def point(kind: str) -> Point:
    return point_of(made(kind))
