"""A workbook to write on: cells of text, numbers and formulas, protected but for those that may be changed."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from roi import words
from roi.locales import LOCALES, localise, money_format, said_by_users
from roi.workbook.formula import Formula

__all__ = ["MOST_LETTERS", "Paper", "Sheet"]

MOST_LETTERS = 600  # of a text; a cell holds more, but nobody reads it
MADE = dt.datetime(2000, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)  # the same inputs give the same bytes
INK, SHADE, OPEN = "#1f2933", "#eef2f6", "#fff8dc"
MONEY, SHARE, PLAIN, FINE = "#,##0;[Red]-#,##0", "0.0%", "#,##0.##", "#,##0.0000"
FORMATS = {"money": MONEY, "share": SHARE, "plain": PLAIN, "fine": FINE, "whole": "0", "cents": "#,##0.00"}


class _Plain(Worksheet):  # type: ignore[misc]
    """A sheet that takes formulas as they are: to look each through for newer functions takes most of the time."""

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        del expand_future_functions
        return formula.removeprefix("=")


class Paper:
    """A workbook in memory."""

    def __init__(self, title: str, record: Mapping[str, Any] | None = None) -> None:
        self._buffer = io.BytesIO()
        self.book = xlsxwriter.Workbook(self._buffer, {"in_memory": True, "strings_to_urls": False})
        self.book.set_properties({"title": title, "author": "roi", "created": MADE})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = set()
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
        key = tuple(sorted({"font_color": INK, "valign": "top", **wanted}.items()))
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
        return Sheet(self, made, name)

    def name(self, name: str, cell: Formula) -> None:
        """Give a cell or range a name; names hold our own words and keys only."""
        if name.lower() not in self._names:
            self._names.add(name.lower())
            self.book.define_name(name, f"={cell.text}")

    def done(self) -> bytes:
        """The file."""
        self.book.close()
        return self._buffer.getvalue()


class Sheet:
    """A sheet; rows and columns count from 0."""

    def __init__(self, paper: Paper, made: Any, name: str) -> None:
        self.paper, self.made = paper, made
        self._quoted = f"'{name}'" if " " in name else name

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
        self.made.write_string(row, column, line, self.paper.format(**{"text_wrap": True, **look}))

    def head(self, row: int, titles: list[str], column: int = 0) -> None:
        """A line of headings."""
        for i, title in enumerate(titles):
            self.text(row, column + i, title, bold=True, bg_color=SHADE, bottom=1)

    def title(self, row: int, title: str, below: str = "") -> None:
        """A heading and a line below it."""
        self.text(row, 0, title, most=160, bold=True, font_size=14, text_wrap=False)
        self.text(row + 1, 0, below, italic=True, font_color="#52606d", text_wrap=False)

    def number(
        self, row: int, column: int, value: float | None, shown: str = "plain", *, opened: bool = False
    ) -> Formula:
        """A number, which may be changed where it is `opened`; a reference to it."""
        if value is not None:
            look: dict[str, Any] = {"num_format": self.paper.formats[shown]}
            if opened:
                look |= {"locked": False, "bg_color": OPEN, "border": 1, "border_color": "#d9c77e"}
            self.made.write_number(row, column, value, self.paper.format(**look))
        return self.ref(row, column, value)

    def formula(self, row: int, column: int, formula: Formula, shown: str = "plain", **look: Any) -> Formula:
        """A formula with what it comes to; a reference to it."""
        value = formula.value
        value = value if isinstance(value, bool | str) else float(value)
        style = self.paper.format(num_format=self.paper.formats[shown], **look)
        self.made.write_formula(row, column, f"={formula.text}", style, value)
        return self.ref(row, column, value)

    def widths(self, *of: float) -> None:
        """Widths of the columns, from the first."""
        for column, width in enumerate(of):
            self.made.set_column(column, column, width)
