"""A workbook to write on: cells of text, numbers and formulas, protected but for those that may be changed."""

from __future__ import annotations

import datetime as dt
import io
import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_pixel_width, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from roi import words
from roi.locales import LOCALES, localise, money_format, said_by_users
from roi.workbook.formula import Formula

__all__ = ["AFTER", "MOST_LETTERS", "Paper", "Sheet", "finer", "lines_of"]

MOST_LETTERS = 600  # of a text; a cell holds more, but nobody reads it
MADE = dt.datetime(2000, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)  # the same inputs give the same bytes
INK, SHADE, OPEN = "#1f2933", "#eef2f6", "#fff8dc"
# A number of ours is whole, or has two figures behind its point, or, below 1, four; see `Sheet.fit` for the whole ones.
FORMATS = {
    "money": "#,##0;[Red]-#,##0", "share": "0.0%", "plain": "#,##0.00", "small": "0.00##", "fine": "#,##0.0000",
    "rate": "0.00%", "whole": "0", "cents": "#,##0.00",
}  # fmt: skip
NEVER_NOTHING = ("small", "fine", "share", "rate")  # formats that show no number but 0 as 0
MOST_PLACES = 9  # behind a point; what needs more is written with a power of ten
SIZE = 10
FONT: dict[str, Any] = {"font_name": "Arial", "font_size": SIZE}  # whose widths LibreOffice has, too
AFTER: dict[str, Any] = {"align": "left", "indent": 1}  # words beside figures, which are set to the right
USUAL_HEIGHT = 15.0
DIGIT, PADDING = 7, 3  # pixels, of a digit and of what a cell keeps free at its sides
LINE, MOST_HEIGHT = 1.28, 409.0  # of a line in sizes of its letters; points, of a row in Excel


class _Plain(Worksheet):  # type: ignore[misc]
    """A sheet that takes formulas as they are: to look each through for newer functions takes most of the time."""

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        del expand_future_functions
        return formula.removeprefix("=")


class Paper:
    """A workbook in memory."""

    def __init__(self, title: str, record: Mapping[str, Any] | None = None) -> None:
        self._buffer = io.BytesIO()
        self.book = xlsxwriter.Workbook(
            self._buffer,
            {"in_memory": True, "strings_to_urls": False, "default_format_properties": dict(FONT)},
        )
        self.book.set_properties({"title": title, "author": "roi", "created": MADE})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = set()
        self._sheets: list[Sheet] = []
        self._locale = str((record or {}).get("locale") or "")
        self._keep = said_by_users(record or {}) if self._locale in LOCALES else set()
        self.formats = dict(FORMATS)
        if self._locale in LOCALES:
            self.formats["money"] = money_format(self._locale, str((record or {}).get("currency")))

    def say(self, line: str) -> str:
        """A text of ours with its numbers as the pilot's readers write them."""
        return localise(line, self._locale, keep=self._keep) if self._locale in LOCALES else line

    def format(self, **wanted: Any) -> Any:
        """A format, made once."""
        key = tuple(sorted({**FONT, "font_color": INK, "valign": "top", **wanted}.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(dict(key))
        return self._formats[key]

    def sheet(self, name: str) -> Sheet:
        """A new sheet, protected without a password: against slips, not against anybody."""
        made = self.book.add_worksheet(name, worksheet_class=_Plain)
        made.protect("", {"format_columns": True, "format_rows": True, "autofilter": True, "sort": True})
        made.hide_gridlines(2)
        made.set_landscape()
        made.set_paper(9)
        made.fit_to_pages(1, 0)
        made.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        made.set_footer("&L&8&A&R&8&P of &N")
        self._sheets.append(Sheet(self, made, name))
        return self._sheets[-1]

    def name(self, name: str, cell: Formula) -> None:
        """Give a cell or range a name; names hold our own words and keys only."""
        if name.lower() not in self._names:
            self._names.add(name.lower())
            self.book.define_name(name, f"={cell.text}")

    def done(self) -> bytes:
        """The file."""
        for sheet in self._sheets:
            sheet.fit()
        self.book.close()
        return self._buffer.getvalue()


class Sheet:
    """A sheet; rows and columns count from 0."""

    def __init__(self, paper: Paper, made: Any, name: str) -> None:
        self.paper, self.made = paper, made
        self._quoted = f"'{name}'" if " " in name else name
        self._widths: dict[int, float] = {}
        self._wrapped: list[
            tuple[int, int, int, str, Mapping[str, Any]]
        ] = []  # row, columns from and to, text, look
        self._plain: list[str] = []

    def ref(self, row: int, column: int, value: Any) -> Formula:
        """A cell in a formula of any sheet."""
        place = xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)
        return Formula(f"{self._quoted}!{place}", value)

    def range(self, row: int, column: int, last: int, value: Any) -> Formula:
        """A piece of a column in a formula of any sheet."""
        first, end = (xl_rowcol_to_cell(r, column, row_abs=True, col_abs=True) for r in (row, last))
        return Formula(f"{self._quoted}!{first}:{end}", value)

    def text(self, row: int, column: int, written: object, *, most: int = MOST_LETTERS, **look: Any) -> None:
        """Words, whoever wrote them: never a formula, also when the cell is opened and closed again."""
        if written is None or written == "":
            return
        line = self.paper.say(words.shorten(written, most))
        if line[:1] in ("=", "+", "-", "@"):
            look["quote_prefix"] = True
        look = {"text_wrap": True, **look}
        self.made.write_string(row, column, line, self.paper.format(**look))
        if look["text_wrap"]:
            self._wrapped.append((row, column, column, line, look))

    def head(self, row: int, titles: Sequence[str], column: int = 0, *, numbers: Sequence[int] = ()) -> None:
        """A line of headings, those of columns of `numbers` above their figures."""
        for i, title in enumerate(titles):
            side = {"align": "right"} if i in numbers else AFTER if i - 1 in numbers else {}
            self.text(row, column + i, title, most=120, bold=True, bg_color=SHADE, bottom=1, **side)

    def title(self, row: int, title: str, below: str = "") -> None:
        """A heading and a line below it."""
        self.text(row, 0, title, most=160, bold=True, font_size=14, text_wrap=False)
        self.text(row + 1, 0, below, italic=True, font_color="#52606d", text_wrap=False)

    def across(self, row: int, first: int, last: int, written: object, **look: Any) -> None:
        """A text across several columns."""
        self.made.merge_range(row, first, row, last, "")
        self.text(row, first, written, **look)
        if self._wrapped and self._wrapped[-1][:2] == (row, first):
            self._wrapped[-1] = (row, first, last, *self._wrapped[-1][3:])

    def number(
        self, row: int, column: int, value: float | None, shown: str = "plain", *, opened: bool = False
    ) -> Formula:
        """A number, which may be changed where it is `opened`; a reference to it."""
        if value is not None:
            look: dict[str, Any] = {"num_format": self._format_of(row, column, value, shown)}
            if opened:
                look |= {"locked": False, "bg_color": OPEN, "border": 1, "border_color": "#d9c77e"}
            self.made.write_number(row, column, value, self.paper.format(**look))
        return self.ref(row, column, value)

    def formula(self, row: int, column: int, formula: Formula, shown: str = "plain", **look: Any) -> Formula:
        """A formula with what it comes to; a reference to it."""
        value = formula.value
        value = value if isinstance(value, bool | str) else float(value)
        style = self.paper.format(num_format=self._format_of(row, column, value, shown), **look)
        self.made.write_formula(row, column, f"={formula.text}", style, value)
        return self.ref(row, column, value)

    def widths(self, *of: float, first: int = 0) -> None:
        """Widths of the columns from `first`, in digits."""
        for column, width in enumerate(of, first):
            self._widths[column] = width
            self.made.set_column(column, column, width)

    def prints(self, columns: int, head: int) -> None:
        """What is printed: so many columns from the first, the line of headings on every page."""
        self.made.repeat_rows(head)
        self.made.print_area(0, 0, max(self.made.dim_rowmax or 0, head), columns - 1)

    def fit(self) -> None:
        """Give rows the height of their texts, and whole numbers no point: no spreadsheet does so by itself."""
        heights: dict[int, float] = {}
        for row, first, last, line, look in self._wrapped:
            size = float(look.get("font_size", SIZE))
            room = sum(self._widths.get(c, 8.43) for c in range(first, last + 1))
            needed = lines_of(line, room * SIZE / size, bold=bool(look.get("bold"))) * size * LINE + 2
            heights[row] = max(heights.get(row, 0.0), min(needed, MOST_HEIGHT))
        for row, height in heights.items():
            if height > USUAL_HEIGHT:
                self.made.set_row(row, round(height, 1))
        if self._plain:
            cell, *others = self._plain
            rule = {
                "type": "formula",
                "criteria": f"=INT({cell})={cell}",
                "format": self.paper.book.add_format({"num_format": "#,##0"}),
                "multi_range": " ".join([cell, *others]),
            }
            self.made.conditional_format(cell, rule)

    def _format_of(self, row: int, column: int, value: float | str, shown: str) -> str:
        """Of a number shown so; a plain one below 1 has more figures, and whole ones are seen to in `fit`."""
        if shown == "plain":
            self._plain.append(xl_rowcol_to_cell(row, column))
            shown = "small" if not isinstance(value, str) and abs(value) < 1 else shown
        shape = self.paper.formats[shown]
        return shape if isinstance(value, str) or shown not in NEVER_NOTHING else finer(shape, value)


def finer(shape: str, value: float) -> str:
    """The format of a number, with two figures of it where it would be shown as 0 though it is not."""
    factor = 100.0 if shape.endswith("%") else 1.0
    places = shape.count("0", shape.find(".")) + shape.count("#", shape.find("."))
    size = abs(value) * factor
    if size == 0 or size >= 0.5 * 10**-places:
        return shape
    needed = 1 - math.floor(math.log10(size))
    written = "0.0E+00" if needed > MOST_PLACES else f"0.{'0' * (needed - 1)}#"
    return written + shape[len(shape.rstrip("%")) :]


def lines_of(text: str, width: float, *, bold: bool = False) -> int:
    """Lines that a text takes in a column of so many digits, one too many rather than one too few.

    Widths of letters are those of xlsxwriter, for Calibri 11, which Arial 10 stays within.
    """
    room = max(width * DIGIT - PADDING, DIGIT) / (1.08 if bold else 1.0)
    space = xl_pixel_width(" ")
    lines = 0
    for paragraph in text.splitlines() or [""]:
        lines, used = lines + 1, 0.0
        for word in paragraph.split(" "):
            long = sum(
                xl_pixel_width(x) * (2 if unicodedata.east_asian_width(x) in "WF" else 1) for x in word
            )
            if used and used + space + long > room:
                lines, used = lines + 1, 0.0
            used += long + (space if used else 0)
            if used > room:  # a word that is longer than a line is broken
                broken = int(used // room)
                lines, used = lines + broken, used - broken * room
    return lines
