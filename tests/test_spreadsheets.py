"""Workbooks from real offices: read to the clean table's values, or refused with the place and the mend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import messy_spreadsheets as messy
import pytest
from messy_spreadsheets import CASES, NAMES, N, book, cells, fill, saved
from openpyxl.styles import PatternFill
from sample_projects import Project

from roi.problems import SampleError
from roi.samples import Samples

Made = tuple[str, dict[str, Any]]
"""The file's name (or a glob) and what the parameter file says besides it."""


def values(samples: Samples) -> list[tuple[Any, ...]]:
    """Every canonical column of every case."""
    names = ", ".join(f'"{n}"' for n in NAMES)
    rows: list[tuple[Any, ...]] = samples.con.execute(
        f'select {names} from cases order by "started_at"'
    ).fetchall()
    return rows


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    project = Project(tmp_path_factory.mktemp("clean"))
    project.write("cases.csv", messy.clean_csv())
    found = values(project.open())
    assert [row[4] for row in found] == [case[4] for case in CASES]
    assert [row[7] for row in found] == [case[7] for case in CASES]
    return found


def german(number: Decimal) -> str:
    """1234.5 as 1.234,50."""
    return f"{number:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def xlsx(folder: Path, made: Any, name: str = "cases.xlsx", **spec: Any) -> Made:
    messy.write(folder, name, made if isinstance(made, bytes) else saved(made))
    return name, spec


def column(sheet: Any, at: int, change: Callable[[int, Any], Any], first: int = 2) -> None:
    """Change the cells of a column, counted from 1, of all cases."""
    for i in range(N):
        cell = sheet.cell(first + i, at)
        cell.value = change(i, cell.value)


def plain_book(change: Callable[[Any], None]) -> Any:
    made = book(fill)
    change(made.active)
    return made


def title_rows(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        for row in (["Claims: export of the agent pilot"], [None], ["printed", dt.date(2026, 4, 1)], [None]):
            sheet.append(row)
        sheet.merge_cells("A1:H1")
        fill(sheet)

    return xlsx(folder, book(build))


def cover_and_hidden_sheets(folder: Path) -> Made:
    made = book(lambda s: s.append(["About this file"]), title="Cover")
    fill(made.create_sheet("Export"))
    old = made.create_sheet("Export old")
    fill(old, rows=range(3))
    old.sheet_state = "hidden"
    lookup = made.create_sheet("Lists")
    lookup.append(["worker", "team"])
    lookup.append(["Ann", "North"])
    lookup.sheet_state = "veryHidden"
    return xlsx(folder, made)


def chart_sheet_first(folder: Path) -> Made:
    made = book(fill)
    made.create_chartsheet("Chart", 0)
    return xlsx(folder, made)


def merged_groups(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        sheet.append(["Case", None, "Who", None, "Time", None, "Money", "When"])
        for span in ("A1:B1", "C1:D1", "E1:F1"):
            sheet.merge_cells(span)
        fill(
            sheet,
            header=("case_id", "arm", "worker", "segment", "handling", "review", "amount", "started_at"),
        )

    return xlsx(folder, book(build), columns={"handling_minutes": "handling", "review_minutes": "review"})


def repeated_names_under_groups(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        sheet.append(["case_id", "arm", "worker", "segment", "Handling", "Review", "amount", "started_at"])
        fill(sheet, header=(None, None, None, None, "minutes", "minutes", None, None))
        for letter in "ABCDGH":
            sheet.merge_cells(f"{letter}1:{letter}2")

    names = {"handling_minutes": "Handling minutes", "review_minutes": "Review minutes"}
    return xlsx(folder, book(build), columns=names)


def merged_workers(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        for block in range(3):
            first = 2 + 8 * block
            sheet.merge_cells(f"C{first}:C{first + 7}")

    return xlsx(folder, book(build))


def totals_below(word: str) -> Callable[[Path], Made]:
    def made(folder: Path) -> Made:
        def build(sheet: Any) -> None:
            fill(sheet)
            sheet.append([word, None, None, None, *(float(sum(c[k] for c in CASES)) for k in (4, 5, 6))])

        return xlsx(folder, book(build))

    return made


def totals_in_another_column(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        sheet.append([None, None, "Totale", None, 999.0, 99.0, 9.0])
        sheet.append([None, None, "Ø", None, "41,6 Min.", None, None])

    return xlsx(folder, book(build))


def subtotals_in_groups(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        sheet.append(NAMES)
        for block in range(3):
            for i in range(8 * block, 8 * block + 8):
                sheet.append(cells(i))
            sheet.append([f"{messy.WORKERS[block]} Total", None, None, None, 500.0])
        sheet.append(["Grand Total", None, None, None, 1500.0])

    return xlsx(folder, book(build))


def unlabelled_sum_formula(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        sheet.append([f"=COUNTA(A2:A{N + 1})", "pilot", None, None, f"=SUM(E2:E{N + 1})", None, None])

    values = {f"A{N + 2}": str(N), f"E{N + 2}": str(float(sum(c[4] for c in CASES)))}
    return xlsx(folder, messy.calculated(saved(book(build)), values))


def footnotes(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        sheet.append(["* without complaints"])
        sheet.append([])
        sheet.append(["Source: claims ledger"])
        sheet.append(["Ask Ann Example about it"])

    return xlsx(folder, book(build))


def second_table(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        for row in ([], ["Team", "Mean minutes"], ["North", 12.5], ["South", 17.5]):
            sheet.append(row)

    return xlsx(folder, book(build))


def repeated_header(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet, rows=range(10))
        sheet.append([])
        sheet.append(["April"])
        fill(sheet, rows=range(10, N))

    return xlsx(folder, book(build))


def empty_rows_within(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet, rows=range(10))
        sheet.append([])
        for i in range(10, N):
            sheet.append(cells(i))

    return xlsx(folder, book(build))


def excel_durations(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 5, lambda i, _: dt.timedelta(minutes=float(CASES[i][4])))
        column(sheet, 6, lambda i, _: (dt.datetime.min + dt.timedelta(minutes=float(CASES[i][5]))).time())

    units = {n: {"from": n, "unit": "duration"} for n in ("handling_minutes", "review_minutes")}
    return xlsx(folder, plain_book(change), columns=units)


def fractions_of_a_day(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 5, lambda i, _: float(CASES[i][4]) / 1440)

    return xlsx(
        folder, plain_book(change), columns={"handling_minutes": {"from": "handling_minutes", "unit": "days"}}
    )


def text_durations(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 5, lambda i, _: f"{CASES[i][4]} min".replace(".", ","))
        column(sheet, 6, lambda i, _: f"{int(CASES[i][5])}m {int(CASES[i][5] % 1 * 60)}s")

    units = {n: {"from": n, "unit": "duration"} for n in ("handling_minutes", "review_minutes")}
    return xlsx(folder, plain_book(change), columns=units)


def dates_1904(folder: Path) -> Made:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    made = book(lambda _: None)
    made.epoch = CALENDAR_MAC_1904
    fill(made.active)
    return xlsx(folder, made)


def date_texts(form: str) -> Callable[[Path], Made]:
    def made(folder: Path) -> Made:
        return xlsx(folder, plain_book(lambda s: column(s, 8, lambda i, _: CASES[i][7].strftime(form))))

    return made


def times_with_zones(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        zones = [("%Y-%m-%dT%H:%M:%S+01:00", 1), ("%Y-%m-%d %H:%M:%SZ", 0), ("%Y-%m-%d %H:%M UTC", 0)]
        column(
            sheet,
            8,
            lambda i, _: (CASES[i][7] + dt.timedelta(hours=zones[i % 3][1])).strftime(zones[i % 3][0]),
        )

    return xlsx(folder, plain_book(change))


def numbers_as_texts(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 5, lambda i, _: f"{CASES[i][4]} min")
        column(sheet, 6, lambda i, v: f"'{CASES[i][5]}" if i % 2 else v)
        column(sheet, 7, lambda i, _: f"{german(CASES[i][6])} €")

    return xlsx(folder, plain_book(change))


def texts_beside_numbers(folder: Path) -> Made:
    """Real numbers keep their value beside texts with decimal commas, also 1.125 beside 2,5."""

    def change(sheet: Any) -> None:
        column(
            sheet, 5, lambda i, _: float(CASES[i][4]) / 60 if i % 3 else f"{CASES[i][4]} ".replace(".", ",")
        )
        column(sheet, 5, lambda i, v: v if isinstance(v, str) else float(CASES[i][4]))
        column(sheet, 7, lambda i, v: german(CASES[i][6]) if i % 2 else v)

    return xlsx(folder, plain_book(change))


def spaced_thousands(gap: str) -> Callable[[Path], Made]:
    def made(folder: Path) -> Made:
        def change(sheet: Any) -> None:
            column(sheet, 7, lambda i, _: f"{CASES[i][6]:,.2f}".replace(",", gap).replace(".", ","))

        return xlsx(folder, plain_book(change))

    return made


def formulas_with_values(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        for i in range(N):
            sheet.cell(2 + i, 5).value = f"=J{2 + i}*60"

    return xlsx(
        folder, messy.calculated(saved(book(build)), {f"E{2 + i}": str(CASES[i][4]) for i in range(N)})
    )


def names_as_people_write_them(folder: Path) -> Made:
    header = (
        " Case_ID ",
        "ARM",
        "\ufeffworker",
        "Segment",
        "handling_\nminutes",
        "Review\nMinutes",
        "Amount",
        "started_at ",
    )
    names = {"handling_minutes": "Handling_ minutes", "review_minutes": "Review Minutes"}
    return xlsx(folder, book(lambda s: fill(s, header=header)), columns=names)


def empty_header_cell(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        for i in range(N):
            sheet.cell(2 + i, 10).value = "checked"

    return xlsx(folder, book(build))


def hidden_rows_and_columns(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        for row in (4, 5, 9):
            sheet.row_dimensions[row].hidden = True
        sheet.column_dimensions["C"].hidden = True
        sheet.auto_filter.ref = f"A1:H{N + 1}"

    return xlsx(folder, plain_book(change))


def formatted_empty_rows(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        for row in range(N + 2, N + 3000):
            sheet.cell(row, 3).fill = PatternFill("solid", fgColor="FFFF00")

    return xlsx(folder, plain_book(change))


def open_document(folder: Path) -> Made:
    return xlsx(folder, messy.opendocument(), "cases.ods")


def csv_named_xlsx(folder: Path) -> Made:
    return xlsx(folder, messy.clean_csv().encode(), "cases.xlsx")


def xlsx_named_csv(folder: Path) -> Made:
    return xlsx(folder, saved(book(fill)), "cases.csv")


def two_conventions(folder: Path) -> Made:
    """Two files of one glob, one with decimal commas, one with decimal points and the other thousands mark."""
    header = ";".join(NAMES)
    rows = [
        ";".join(
            [
                *c[:4],
                f"{c[4]}".replace(".", ","),
                f"{c[5]}".replace(".", ","),
                german(c[6]),
                f"{c[7]:%d.%m.%Y %H:%M}",
            ]
        )
        for c in CASES[:12]
    ]
    messy.write(folder, "export_1.csv", "\n".join([header, *rows]) + "\n")
    rows = [
        ",".join([*c[:4], str(c[4]), str(c[5]), f'"{c[6]:,.2f}"', f"{c[7]:%m/%d/%Y %H:%M}"])
        for c in CASES[12:]
    ]
    messy.write(folder, "export_2.csv", "\n".join([",".join(NAMES), *rows]) + "\n")
    return "export_*.csv", {}


def two_conventions_in_sheets(folder: Path) -> Made:
    def comma(sheet: Any) -> None:
        sheet.append(NAMES)
        for c in CASES[:12]:
            sheet.append([*c[:4], f"{c[4]}".replace(".", ","), float(c[5]), german(c[6]), c[7]])

    def point(sheet: Any) -> None:
        sheet.append(["Second half"])
        sheet.append(NAMES)
        for c in CASES[12:]:
            sheet.append([*c[:4], str(c[4]), float(c[5]), f"{c[6]:,.2f}", c[7]])

    messy.write(folder, "half_1.xlsx", saved(book(comma, title="A")))
    messy.write(folder, "half_2.xlsx", saved(book(point, title="B")))
    return "half_*.xlsx", {}


def csv_with_totals(folder: Path) -> Made:
    lines = messy.clean_csv().splitlines()
    lines.insert(10, "Zwischensumme:,,,,999.5,88,7,")
    text = (
        "\n".join([*lines, "Total,,,,12345.5,99,1,", ",,Summe,,12345.5,99,1,", "Average,n/a,,,x,99,1,"])
        + "\n"
    )
    return xlsx(folder, text.encode(), "cases.csv")


def csv_names(folder: Path) -> Made:
    text = messy.clean_csv().replace("case_id,arm,worker", '\ufeff"Case_ID ",ARM,Worker', 1)
    return xlsx(folder, text.encode(), "cases.csv")


READ: dict[str, tuple[Callable[[Path], Made], tuple[str, ...], dict[str, int]]] = {
    # what: how it is made, what is said of it, the rows that are left out
    "title rows": (title_rows, (), {}),
    "cover and hidden sheets": (cover_and_hidden_sheets, ("hidden sheets hold the same columns",), {}),
    "chart sheet first": (chart_sheet_first, (), {}),
    "merged groups": (merged_groups, (), {}),
    "repeated names under groups": (repeated_names_under_groups, (), {}),
    "merged workers": (merged_workers, ("21 cells were filled from the merged cell",), {}),
    **{
        f"totals: {word}": (totals_below(word), ("1 row is left out: totals row",), {"totals row": 1})
        for word in ("Total", "Summe:", "Gesamt", "TOTALE", "Total général", "Sum", "Durchschnitt")
    },
    "totals in another column": (totals_in_another_column, (), {"totals row": 2}),
    "subtotals in groups": (
        subtotals_in_groups,
        ("4 rows are left out: totals row (first: row 10)",),
        {"totals row": 4},
    ),
    "unlabelled sum formula": (unlabelled_sum_formula, (), {"totals row": 1}),
    "footnotes": (footnotes, ("3 rows are left out: title or note",), {"title or note in place of a row": 3}),
    "second table": (
        second_table,
        ("3 rows are left out: below the end",),
        {"below the end of the table": 3},
    ),
    "repeated header": (
        repeated_header,
        (),
        {"header repeated among the rows": 1, "title or note in place of a row": 1, "wholly blank row": 1},
    ),
    "empty rows within": (empty_rows_within, (), {"wholly blank row": 1}),
    "excel durations": (excel_durations, (), {}),
    "fractions of a day": (fractions_of_a_day, (), {}),
    "text durations": (text_durations, (), {}),
    "1904 dates": (dates_1904, (), {}),
    "day first": (date_texts("%d/%m/%Y %H:%M"), (), {}),
    "month first": (date_texts("%m/%d/%Y %I:%M %p"), (), {}),
    "dotted": (date_texts("%d.%m.%Y %H:%M"), (), {}),
    "times with zones": (times_with_zones, (), {}),
    "numbers as texts": (numbers_as_texts, (), {}),
    "texts beside numbers": (texts_beside_numbers, (), {}),
    "thin space": (spaced_thousands("\u2009"), (), {}),
    "no-break space": (spaced_thousands("\u00a0"), (), {}),
    "narrow no-break space": (spaced_thousands("\u202f"), (), {}),
    "formulas with values": (formulas_with_values, (), {}),
    "names as people write them": (names_as_people_write_them, (), {}),
    "empty header cell": (
        empty_header_cell,
        ("1 column holds something but no name in row 1, and are not read (J)",),
        {},
    ),
    "hidden rows and columns": (
        hidden_rows_and_columns,
        (
            "3 rows are hidden or filtered out, and read",
            "1 column is hidden, and read like the others (worker)",
        ),
        {},
    ),
    "formatted empty rows": (formatted_empty_rows, (), {}),
    "OpenDocument": (open_document, ("errors of formulas look like empty cells",), {}),
    "CSV named .xlsx": (csv_named_xlsx, ("is a text under the name of a workbook",), {}),
    "workbook named .csv": (xlsx_named_csv, ("is a workbook under the name of a text",), {}),
    "two conventions": (two_conventions, (), {}),
    "two conventions in sheets": (two_conventions_in_sheets, (), {}),
    "CSV with totals": (csv_with_totals, (), {"totals row": 4}),
    "CSV names": (csv_names, (), {}),
}


@pytest.mark.parametrize("what", READ)
def test_a_messy_spreadsheet_gives_the_clean_table(
    what: str, tmp_path: Path, clean: list[tuple[Any, ...]]
) -> None:
    make, said, left_out = READ[what]
    project = Project(tmp_path)
    name, spec = make(tmp_path)
    samples = project.open({"source": f"data/{name}", **spec})
    assert values(samples) == clean
    for text in said:
        assert any(text in w for w in samples.warnings), samples.warnings
    found: dict[str, int] = {}
    for e in samples.exclusions:
        found[e.reason] = found.get(e.reason, 0) + e.rows
    assert found == left_out


def two_sheets(folder: Path) -> Made:
    made = book(fill, title="March")
    fill(made.create_sheet("April"))
    return xlsx(folder, made)


def only_hidden(folder: Path) -> Made:
    made = book(lambda s: s.append(["Cover"]))
    page = made.create_sheet("Raw")
    fill(page)
    page.sheet_state = "veryHidden"
    return xlsx(folder, made)


def no_sheet_fits(folder: Path) -> Made:
    made = book(lambda s: s.append(["Cover"]))
    made.create_sheet("Other").append(["x", "y"])
    return xlsx(folder, made)


def second_table_alike(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        sheet.append([])
        sheet.append(list(reversed(NAMES)))
        sheet.append(list(reversed(cells(0))))

    return xlsx(folder, book(build))


def merged_minutes(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        fill(sheet)
        sheet.merge_cells("E5:E7")

    return xlsx(folder, book(build))


def formulas_without_values(folder: Path) -> Made:
    return xlsx(folder, plain_book(lambda s: column(s, 5, lambda i, v: f"={v}")))


def swapped_days(folder: Path) -> Made:
    """What a German Excel makes of an American export: 03/04 becomes a date, 03/14 stays a text."""

    def change(sheet: Any) -> None:
        column(sheet, 8, lambda i, v: v if v.day <= 12 else f"{v:%m/%d/%Y %H:%M}")

    return xlsx(folder, plain_book(change))


def ambiguous_dates(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 8, lambda i, v: f"{v.day % 12 + 1:02}/03/2026")

    return xlsx(folder, plain_book(change))


def both_day_orders(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 8, lambda i, v: f"{v:%d/%m/%Y}" if i % 2 else f"{v:%m/%d/%Y}")

    return xlsx(folder, plain_book(change))


def csv_of(rows: list[str], name: str = "cases.csv") -> Callable[[Path], Made]:
    return lambda folder: xlsx(
        folder, "\n".join(["case_id;arm;handling_minutes;amount", *rows, ""]).encode(), name
    )


def duplicate_names(folder: Path) -> Made:
    return xlsx(folder, book(lambda s: fill(s, header=("case_id", "arm", "arm", *NAMES[3:]))))


def duplicate_by_case(folder: Path) -> Made:
    return xlsx(folder, book(lambda s: fill(s, header=("case_id", "Arm", "ARM", *NAMES[3:]))))


def same_name_under_groups(folder: Path) -> Made:
    def build(sheet: Any) -> None:
        sheet.append([None, None, None, None, "Handling", "Review"])
        fill(
            sheet,
            header=("case_id", "arm", "worker", "segment", "minutes", "minutes", "amount", "started_at"),
        )

    return xlsx(folder, book(build), columns={"handling_minutes": "minutes"})


def other_currency(folder: Path) -> Made:
    return xlsx(folder, plain_book(lambda s: column(s, 7, lambda i, v: f"${v}")))


def other_unit(folder: Path) -> Made:
    return xlsx(folder, plain_book(lambda s: column(s, 5, lambda i, v: f"{v} h")))


def mixed_units(folder: Path) -> Made:
    return xlsx(folder, plain_book(lambda s: column(s, 5, lambda i, v: f"{v} h" if i % 2 else f"{v} min")))


def duration_without_unit(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 5, lambda i, v: dt.timedelta(minutes=v))

    return xlsx(folder, plain_book(change))


def unformatted_duration(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 5, lambda i, v: dt.timedelta(minutes=v) if i != 3 else v / 1440)

    columns = {"handling_minutes": {"from": "handling_minutes", "unit": "duration"}}
    return xlsx(folder, plain_book(change), columns=columns)


def serial_dates(folder: Path) -> Made:
    def change(sheet: Any) -> None:
        column(sheet, 8, lambda i, v: 46082 + i)
        for i in range(N):
            sheet.cell(2 + i, 8).number_format = "General"

    return xlsx(folder, plain_book(change))


def negative_minutes(folder: Path) -> Made:
    return xlsx(folder, plain_book(lambda s: column(s, 5, lambda i, v: "(12.00)" if i == 4 else v)))


def errors_that_would_be_zero(folder: Path) -> Made:
    columns = {"handling_minutes": {"from": "handling_minutes", "blank": "zero"}}
    return xlsx(
        folder, plain_book(lambda s: column(s, 5, lambda i, v: "#N/A" if i == 4 else v)), columns=columns
    )


def web_page(folder: Path) -> Made:
    return xlsx(folder, b"<html><table><tr><td>case_id</td></tr></table></html>", "cases.xls")


def locked(folder: Path) -> Made:
    return xlsx(folder, messy.locked())


def far_cell(folder: Path) -> Made:
    def change(xml: str) -> str:
        return xml.replace(f'ref="A1:H{N + 1}"', 'ref="A1:XFD1048576"')

    return xlsx(folder, messy.rewritten(saved(book(fill)), "xl/worksheets/sheet1.xml", change))


def footer_of_a_csv(folder: Path) -> Made:
    return xlsx(folder, (messy.clean_csv() + "\nCopyright Example Ltd\n").encode(), "cases.csv")


def deep_header(folder: Path) -> Made:
    made = book(lambda s: s.append(["nothing here"]))
    return xlsx(folder, made)


REFUSED: dict[str, tuple[Callable[[Path], Made], tuple[str, ...]]] = {
    "two sheets": (
        two_sheets,
        ("sheet: 2 sheets hold the columns ('March', 'April'); name one with sheet:",),
    ),
    "only a hidden sheet": (
        only_hidden,
        ("only hidden sheets hold the columns ('Raw'); name one with sheet:",),
    ),
    "no sheet fits": (
        no_sheet_fits,
        ("no sheet has a row with the columns 'case_id', 'arm'", "name one with sheet:"),
    ),
    "second table alike": (
        second_table_alike,
        ("sheet 'Cases', cell A27: a second table", "on a sheet of its own"),
    ),
    "merged minutes": (
        merged_minutes,
        ("sheet 'Cases', cells E5:E7: a number stands in merged cells", "unmerge them"),
    ),
    "formulas without values": (
        formulas_without_values,
        (
            "sheet 'Cases', cell E2: 24 formulas were saved without a value",
            "open the workbook in Excel or LibreOffice",
        ),
    ),
    "swapped days": (swapped_days, ("sheet 'Cases', cell H14: started_at: 12 cells are dates", "2026-03-01")),
    "ambiguous dates": (
        ambiguous_dates,
        ("24 values may have the day or the month first", "write dates as 2026-03-01"),
    ),
    "both day orders": (both_day_orders, ("have the day first", "write dates as 2026-03-01")),
    "ambiguous thousands": (
        csv_of(["A;pilot;1,234;1", "B;pilot;2,345;1"]),
        (
            "handling_minutes: 2 values may have a decimal comma or a comma between thousands; write them in one way",
        ),
    ),
    "two marks in one column": (
        csv_of(["A;pilot;1,5;1", "B;pilot;2.5;1"]),
        ("handling_minutes: 1 values have a decimal point and 1 a decimal comma; write them in one way",),
    ),
    "an error in a CSV": (
        csv_of(["A;pilot;#N/A;1", "B;pilot;2.5;1"]),
        ("handling_minutes: 1 value cannot be read; row 1", "name it under samples.cases.missing"),
    ),
    "duplicate names": (duplicate_names, ("arm: 2 columns have this name; rename one",)),
    "duplicate but for case": (duplicate_by_case, ("arm: 2 columns have this name; rename one",)),
    "one name under two groups": (
        same_name_under_groups,
        ("has no column 'minutes'; did you mean 'Review minutes'?",),
    ),
    "another currency": (
        other_currency,
        ("amount: 24 values are written with the sign of another currency than EUR", "in one currency"),
    ),
    "another unit": (
        other_unit,
        ("handling_minutes.unit: hours", "24 values are written in hours and not in minutes"),
    ),
    "mixed units": (
        mixed_units,
        ("another unit than minutes (minutes and hours)", "handling_minutes.unit: duration"),
    ),
    "durations without a unit": (
        duration_without_unit,
        ("handling_minutes: 24 values cannot be read", "unit: duration"),
    ),
    "an unformatted duration": (
        unformatted_duration,
        ("1 value cannot be read; row 4 (sheet row 5)", "is no duration"),
    ),
    "serial dates": (
        serial_dates,
        ("started_at: 24 values cannot be read; row 1 (sheet row 2)", "format the column as dates"),
    ),
    "negative minutes": (
        negative_minutes,
        ("handling_minutes: 1 value below 0 (first: row 5 (sheet row 6), -12)",),
    ),
    "errors that would be 0": (
        errors_that_would_be_zero,
        ("sheet 'Cases', cell E6: 1 cell holds the error of a formula", "set blank: missing"),
    ),
    "a web page": (web_page, ("is a web page or XML under a spreadsheet's name", "save it as .xlsx")),
    "a password": (locked, ("is protected with a password; save it without one",)),
    "a cell at the far end": (
        far_cell,
        ("a sheet spans 1,048,576 rows", "delete what stands at its far end"),
    ),
    "a footer in a CSV": (
        footer_of_a_csv,
        ("line 27: has fewer cells than the header", "delete notes that stand around"),
    ),
    "no header": (
        deep_header,
        ("no row holds the mapped column names; name the header's row with header_row",),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_have_to_be_guessed_is_refused_with_the_mend(what: str, tmp_path: Path) -> None:
    make, said = REFUSED[what]
    project = Project(tmp_path)
    name, spec = make(tmp_path)
    with pytest.raises(SampleError) as caught:
        project.open({"source": f"data/{name}", **spec})
    message = str(caught.value)
    assert f"data/{name}" in message
    for text in said:
        assert text in message, message
    assert "T-10" not in message
    assert "Ann" not in message


POISON = 987_654.5  # no sum of the table comes near it
WORDS = (
    *(
        "Total",
        "TOTAL:",
        "Grand Total",
        "Subtotal",
        "Summe",
        "Gesamt",
        "Gesamtergebnis",
        "Zwischensumme",
        "Totale",
    ),
    *(
        "Total général",
        "Sous-total",
        "Somme",
        "Suma total",
        "Totaal",
        "Sum",
        "Average",
        "Mittelwert",
        "Ø",
        "Moyenne",
    ),
    *("T-1001 Total", "Total email", "Anzahl", "Max"),
)


@pytest.mark.parametrize(
    "kind", ["key in a sheet", "other column of a sheet", "key in a CSV", "formula in a sheet"]
)
def test_nothing_of_a_totals_row_enters_a_sum(kind: str, tmp_path: Path) -> None:
    """Totals rows between and below the cases hold a poison that would show in every sum."""
    project = Project(tmp_path)

    def totals(sheet: Any, word: str) -> None:
        poison = [None, None, None, POISON, POISON, POISON, None]
        if kind == "formula in a sheet":
            sheet.append(
                ["T-9999", "pilot", None, None, f"=SUBTOTAL(9,E2:E{sheet.max_row})", POISON, POISON, None]
            )
        elif kind == "key in a sheet":
            sheet.append([word, *poison])
        else:
            sheet.append([None, word, *poison[1:]])

    def build(sheet: Any) -> None:
        sheet.append(NAMES)
        for i in range(N):
            sheet.append(cells(i))
            if i < len(WORDS) - 1:
                totals(sheet, WORDS[i])
        totals(sheet, WORDS[-1])

    if kind == "key in a CSV":
        lines = messy.clean_csv().splitlines()
        for i, word in enumerate(WORDS):
            lines.insert(2 + 2 * i, f"{word},,,,{POISON},{POISON},{POISON},")
        project.write("cases.csv", "\n".join(lines) + "\n")
        samples = project.open()
    else:
        content = saved(book(build))
        if kind == "formula in a sheet":
            cached = {f"E{3 + 2 * i}": str(POISON) for i in range(len(WORDS) - 1)}
            cached[f"E{1 + N + len(WORDS)}"] = str(POISON)
            content = messy.calculated(content, cached)
        project.write("cases.xlsx", content)
        samples = project.open("data/cases.xlsx")
    found = samples.con.execute(
        "select count(*), sum(handling_minutes), sum(review_minutes), sum(amount), max(amount) from cases"
    ).fetchall()[0]
    assert found == (N, *(sum(c[k] for c in CASES) for k in (4, 5, 6)), max(c[6] for c in CASES))
    assert sum(e.rows for e in samples.exclusions if e.reason == "totals row") == len(WORDS)


@pytest.mark.parametrize(
    "text", ["T-1042", "totality", "Max Mustermann", "Summer sale", "1", "A total loss", "", "12 all"]
)
def test_a_key_that_only_resembles_a_total_is_a_key(text: str) -> None:
    import duckdb

    from roi.readers.totals import is_total, total_sql

    assert not is_total(text)
    assert duckdb.execute(f"select {total_sql(repr(text))}").fetchall() == [(False,)]


@pytest.mark.parametrize("text", [*WORDS, " total ", "Summe:", "Durchschnitt je Fall", "email\nTotal"])
def test_python_and_the_engine_agree_on_totals(text: str) -> None:
    import duckdb

    from roi.readers.base import literal
    from roi.readers.totals import is_total, total_sql

    assert is_total(text)
    assert duckdb.execute(f"select {total_sql(literal(text))}").fetchall() == [(True,)]


def test_a_value_such_as_total_in_another_column_leaves_its_case_in(tmp_path: Path) -> None:
    """A total loss is a kind of claim, not a sum of claims."""
    project = Project(tmp_path)
    _, spec = xlsx(
        tmp_path, plain_book(lambda s: column(s, 4, lambda i, v: "Total" if i % 2 else "Total loss"))
    )
    samples = project.open({"source": "data/cases.xlsx", **spec})
    assert len(values(samples)) == N
    assert not samples.exclusions


def test_errors_of_formulas_are_missing_counted_and_said(tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        column(sheet, 5, lambda i, v: ("#N/A", "#REF!", "#DIV/0!")[i] if i < 3 else v)

    project = Project(tmp_path)
    xlsx(tmp_path, plain_book(change))
    samples = project.open("data/cases.xlsx")
    assert [row[4] for row in values(samples)] == [None] * 3 + [c[4] for c in CASES[3:]]
    said = "handling_minutes: 3 cells hold the error of a formula, such as #N/A, and are missing (first: E2)"
    assert any(said in w for w in samples.warnings)


def test_brackets_signs_and_percents_are_read_as_written(tmp_path: Path) -> None:
    amounts = ["(12.00)", "12.00-", "\u221212", "€ 1,250.50", "1,250.50 EUR", "-€5"]
    shares = ["12 %", 0.125, "33.3%", "100%", "0.5", 1]

    def build(sheet: Any) -> None:
        sheet.append(["case_id", "arm", "amount", "confidence"])
        for i, (amount, share) in enumerate(zip(amounts, shares, strict=True)):
            sheet.append([f"T-{i}", "pilot", amount, share])
            sheet.cell(sheet.max_row, 4).number_format = "0%"

    project = Project(tmp_path)
    project.write("cases.xlsx", saved(book(build)))
    samples = project.open("data/cases.xlsx")
    found = samples.con.execute('select amount, confidence from cases order by "row"').fetchall()
    assert [f[0] for f in found] == [Decimal(x) for x in ("-12", "-12", "-12", "1250.5", "1250.5", "-5")]
    assert [f[1] for f in found] == [0.12, 0.125, 0.333, 1.0, 0.5, 1.0]


@pytest.mark.slow
def test_the_engine_is_asked_nothing_that_loses_the_order_of_rows(tmp_path: Path) -> None:
    """Long lists after `in` become joins, which do: no canonical column may need one."""
    import duckdb

    from roi.canonical import CANONICAL
    from roi.casts import Styles
    from roi.mapping import ColumnMap, texts_sql
    from roi.typed import typed_sql

    for table, columns in CANONICAL.items():
        maps = [ColumnMap(name=n, sources=(n,)) for n in columns]
        given = ", ".join(f"range::varchar as {n}" for n in columns)
        texts = texts_sql(f"select {given} from range(9)", list(columns), tuple("abcdefgh"))
        typed = typed_sql(table, maps, texts, Styles({}, {}, "Europe/Berlin", ("2026-03-29",) * 9))
        con = duckdb.connect()
        for domain in ("case", "worker", "pair", "action", "evaluation", "run"):
            con.execute(f"set variable key_{domain} = 'x'")
        con.execute(f"create table t as select * from ({texts})")
        plan = con.execute(f"explain {typed.sql}").fetchall()[0][1]
        assert "JOIN" not in plan, table


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path)
    content = saved(book(fill))
    for name, data in {"half.xlsx": content[: len(content) // 2], "empty.xlsx": b""}.items():
        project.write(name, data)
        with pytest.raises(SampleError, match=f"data/{name}"):
            project.open(f"data/{name}")


def test_a_number_with_three_decimals_is_no_thousand_beside_decimal_commas(tmp_path: Path) -> None:
    def build(sheet: Any) -> None:
        for row in (["case_id", "arm", "handling_minutes", "amount"], ["A", "pilot", 1.125, 2.375]):
            sheet.append(row)
        sheet.append(["B", "pilot", "2,5", 7.25])

    project = Project(tmp_path)
    project.write("cases.xlsx", saved(book(build)))
    samples = project.open("data/cases.xlsx")
    found = samples.con.execute('select handling_minutes, amount from cases order by "row"').fetchall()
    assert found == [(Decimal("1.125"), Decimal("2.375")), (Decimal("2.5"), Decimal("7.25"))]
