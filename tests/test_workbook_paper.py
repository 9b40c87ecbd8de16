"""How the workbook looks: rows as high as their texts, numbers of one kind written alike."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
from made_workbooks import read, written
from openpyxl.utils.cell import get_column_letter
from PIL import ImageFont
from test_workbook_shape import ALL, data_of

from roi.workbook.paper import Paper, finer, lines_of

DPI, POINTS, DIGIT = 96, 10, 7


@cache
def letters(bold: bool) -> Any:
    """Arial, or Liberation Sans, whose letters are as wide."""
    wanted = "Arial:bold" if bold else "Arial"
    if (ask := shutil.which("fc-match")) is None:
        return None
    found = subprocess.run(
        [ask, "-f", "%{family}|%{file}", wanted], capture_output=True, text=True, check=True
    )
    family, _, file = found.stdout.partition("|")
    return ImageFont.truetype(file, 1000) if "Arial" in family or "Liberation Sans" in family else None


def drawn_lines(text: str, width: float, bold: bool) -> int:
    """Lines by the font itself: as many words on each as its column of so many digits has room for."""
    font = letters(bold)
    room = width * DIGIT
    long = lambda part: font.getlength(part) / 1000 * POINTS * DPI / 72  # noqa: E731
    lines = 0
    for paragraph in text.splitlines() or [""]:
        line = ""
        lines += 1
        for word in paragraph.split(" "):
            if line and long(f"{line} {word}") > room:
                lines, line = lines + 1, word
            else:
                line = f"{line} {word}" if line else word
            while long(line) > room:
                fit = next(i for i in range(len(line), 0, -1) if long(line[:i]) <= room)
                lines, line = lines + 1, line[fit:]
    return lines


def widths(sheet: Any) -> dict[str, float]:
    """Of every column by its letters; those without one of their own are 8.43 digits wide."""
    found = {}
    for dimension in sheet.column_dimensions.values():
        for column in range(dimension.min, dimension.max + 1):
            found[sheet.cell(1, column).column_letter] = dimension.width
    return found


@ALL
def test_every_row_has_room_for_its_longest_text(kind):
    """By the letters of the font, which the package does not look at."""
    if letters(False) is None or letters(True) is None:
        pytest.skip("no font that is as wide as Arial")
    seen = wrapped = 0
    for sheet in read(data_of(kind)):
        wide = widths(sheet)
        merged = {area.min_row: area for area in sheet.merged_cells.ranges}
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "s" or not cell.alignment.wrap_text:
                    continue
                area = merged.get(cell.row)
                spans = area is not None and area.min_col == cell.column
                last = area.max_col if spans else cell.column
                columns = [get_column_letter(c) for c in range(cell.column, last + 1)]
                needed = drawn_lines(cell.value, sum(wide.get(c, 8.43) for c in columns), bool(cell.font.b))
                height = sheet.row_dimensions[cell.row].height or 15.0
                assert height >= min(needed * cell.font.sz * 1.2, 409), (
                    sheet.title,
                    cell.coordinate,
                    cell.value,
                )
                assert height <= 409.5
                if spans and sheet.title == "Summary":  # nothing else of its row is as high
                    assert height <= max(15.0, (needed + 1) * cell.font.sz * 1.4 + 2)
                seen, wrapped = seen + 1, wrapped + (needed > 1)
    assert seen > 100
    assert wrapped > 5


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, 1),
        ("one", 10, 1),
        ("one\ntwo\nthree", 40, 3),
        ("0" * 20, 10, 3),
        ("word " * 9 + "word", 12, 5),
        ("漢" * 10, 10, 3),
    ],
)
def test_lines_by_hand(text, width, lines):
    """20 digits in 10 less the padding are three lines; two words of 33 pixels and a space in 84 less 3."""
    assert lines_of(text, width) == lines


def test_a_number_of_one_kind_is_written_alike():
    """No point without a figure behind it, shares in per cent, heads above figures on the side of the figures."""
    book = read(written("fixed"))
    shares = numbers = small = 0
    for sheet in book:
        whole = {str(c) for rule in sheet.conditional_formatting for c in str(rule.sqref).split()}
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "n" and cell.value is not None:
                    assert not re.search(r"\.#*(;|$)", cell.number_format) or cell.coordinate in whole
                    numbers += 1
        if sheet.title != "Assumptions":
            continue
        head = {c.value: c for c in sheet[4]}
        assert [head[name].alignment.horizontal for name in ("Value", "Low (P5)", "High (P95)")] == [
            "right"
        ] * 3
        for row in sheet.iter_rows(min_row=5):
            if str(row[2].value).partition("/")[0] == "share":
                assert row[1].number_format.endswith("%")
                shares += 1
            elif row[1].value is not None:
                assert row[1].coordinate in whole
                assert row[1].number_format == ("0.00##" if abs(row[1].value) < 1 else "#,##0.00")
                small += abs(row[1].value) < 1
    assert shares > 3
    assert small > 0
    assert numbers > 1000


@pytest.mark.parametrize(
    ("shape", "value", "wanted"),
    [
        ("0.00##", 0.00004, "0.00000#"),
        ("0.00##", -0.000049, "0.00000#"),
        ("0.00##", 0.00005, "0.00##"),
        ("0.00##", 0.0, "0.00##"),
        ("0.00##", 3e-12, "0.0E+00"),
        ("#,##0.0000", 0.00001234, "0.00000#"),
        ("0.0%", 0.0004, "0.00#%"),
        ("0.0%", 0.0005, "0.0%"),
        ("0.00%", 0.00002, "0.000#%"),
    ],
)
def test_no_number_but_nothing_is_shown_as_nothing(shape, value, wanted):
    """By its size: 0.00004 with six figures behind the point at most, which are 0.00004, and a rate of 0.002 %."""
    assert finer(shape, value) == wanted


def test_a_plain_cell_has_the_format_of_its_size():
    paper = Paper("x")
    sheet = paper.sheet("Sheet")
    for row, value in enumerate((0.00004, 0.25, 3.0)):
        sheet.number(row, 0, value)
    shown = read(paper.done())["Sheet"]
    assert [shown.cell(row, 1).number_format for row in (1, 2, 3)] == ["0.00000#", "0.00##", "#,##0.00"]


def test_months_beyond_the_horizon_are_grey():
    book = read(written("fixed"), values=False)
    rules = [r for area in book["Cash flow"].conditional_formatting for r in area.rules]
    assert {r.formula[0] for r in rules} == {"$A6>Assumptions!$B$6"}
    assert book["Assumptions"]["A6"].value == "Months looked ahead"
    assert {r.dxf.font.color.rgb for r in rules} == {"FF9AA5B1"}
