"""What Excel asks of a workbook before it opens one without repairing it, and every text of the schema as a text in it.

Source:
    ECMA-376, Office Open XML, Part 1 (spreadsheetML), and Microsoft's "Excel specifications and limits".
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from functools import cache
from posixpath import dirname, join, normpath

import openpyxl
import pytest
from fixtures_record import make_record
from made_hostile import IN_PLACE_OF, NAMES_OF_OURS, TEXTS, filled
from made_workbooks import RECORD, SCENARIOS, hold_no_text_as_formula, read, written
from made_worlds import decided
from openpyxl.utils.cell import column_index_from_string
from test_page import poison
from test_workbook import HOSTILE

from roi.workbook import workbook_bytes

M = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FUNCTIONS = {"ABS", "AND", "EXP", "IF", "IFERROR", "INDEX", "INT", "LN", "MATCH", "MAX", "MIN", "NOT", "OR", "ROUND", "SUM",
             "SUMPRODUCT", "TEXT"}  # fmt: skip
TEXTS_IN = [x.replace("\0", "")[:4900] for x in HOSTILE if x.strip()]


@cache
def parts(kind: str) -> dict[str, bytes]:
    """The parts of a workbook by name."""
    with zipfile.ZipFile(io.BytesIO(data_of(kind))) as packed:
        names = packed.namelist()
        assert len({n.lower() for n in names}) == len(names)
        return {name: packed.read(name) for name in names}


@cache
def data_of(kind: str) -> bytes:
    if kind != "hostile":
        return written(kind)
    given, _ = filled([*TEXTS_IN[:6], "x" * 4_900])
    record = {**poison(make_record(), HOSTILE[4]), "currency": "EUR"}
    return workbook_bytes(decided(given, minutes=(15.0, 8.0), cases=60), {**RECORD, **record}, SCENARIOS)


def tree(kind: str, name: str) -> ET.Element:
    return ET.fromstring(parts(kind)[name])


def sheets(kind: str) -> dict[str, ET.Element]:
    return {name: tree(kind, name) for name in parts(kind) if name.startswith("xl/worksheets/sheet")}


ALL = pytest.mark.parametrize("kind", ["fixed", pytest.param("hostile", marks=pytest.mark.slow)])


@ALL
def test_every_part_has_a_type_and_every_relation_a_target(kind):
    found = parts(kind)
    types = tree(kind, "[Content_Types].xml")
    kinds = {e.get("Extension") for e in types if e.tag.endswith("Default")}
    named = [str(e.get("PartName"))[1:] for e in types if e.tag.endswith("Override")]
    assert len(set(named)) == len(named)
    assert set(named) <= set(found)
    for name in found:
        assert name == "[Content_Types].xml" or name in named or name.rsplit(".", 1)[-1] in kinds
    for name in (n for n in found if n.endswith(".rels")):
        relations = list(tree(kind, name))
        assert len({r.get("Id") for r in relations}) == len(relations)
        for relation in relations:
            assert relation.get("TargetMode") != "External"
            target = str(relation.get("Target"))
            at = dirname(dirname(name))
            assert (target[1:] if target.startswith("/") else normpath(join(at, target))) in found


@ALL
def test_names_of_sheets_and_of_cells_are_such_as_excel_takes(kind):
    book = tree(kind, "xl/workbook.xml")
    names = [str(s.get("name")) for s in book.iter(f"{M}sheet")]
    assert len({n.lower() for n in names}) == len(names)
    for name in names:
        assert re.fullmatch(r"(?!')[^\[\]:*?/\\]{1,31}(?<!')", name)
    defined = [
        (d.get("localSheetId"), str(d.get("name")), d.text or "") for d in book.iter(f"{M}definedName")
    ]
    assert len(defined) > 10
    assert len({(at, n.lower()) for at, n, _ in defined}) == len(defined)
    for _, name, text in defined:
        plain = name.removeprefix("_xlnm.")
        assert re.fullmatch(r"[A-Za-z_\\][A-Za-z0-9_.\\]{0,254}", plain)
        assert not re.fullmatch(r"(?i)[a-z]{1,3}[0-9]+|r[0-9]*c[0-9]*|[rc]", plain), name
        assert "#REF!" not in text
        assert text.split("!")[0].strip("'") in names


@ALL
def test_cells_stand_in_order_and_point_at_styles_and_texts_that_are_there(kind):
    strings = list(tree(kind, "xl/sharedStrings.xml").iter(f"{M}si"))
    styles = tree(kind, "xl/styles.xml")
    formats = len(list(styles.find(f"{M}cellXfs")))  # type: ignore[arg-type]
    for sheet in sheets(kind).values():
        last_row = 0
        for row in sheet.iter(f"{M}row"):
            number, last_column = int(str(row.get("r"))), 0
            assert last_row < number <= 1_048_576
            last_row = number
            for cell in row.iter(f"{M}c"):
                match = re.fullmatch(r"([A-Z]{1,3})([0-9]+)", str(cell.get("r")))
                assert match is not None
                assert int(match[2]) == number
                column = column_index_from_string(match[1])
                assert last_column < column <= 16_384
                last_column = column
                assert int(cell.get("s", "0")) < formats
                value, kind_of = cell.find(f"{M}v"), cell.get("t", "n")
                assert kind_of in ("n", "s", "str", "b")
                if kind_of == "s":
                    assert value is not None
                    assert int(str(value.text)) < len(strings)
                elif kind_of == "n" and value is not None:
                    assert abs(float(str(value.text))) < 1e308
        merged = [m.get("ref") for m in sheet.iter(f"{M}mergeCell")]
        assert len(set(merged)) == len(merged)


@ALL
def test_texts_and_formulas_are_no_longer_than_excel_takes(kind):
    table = tree(kind, "xl/sharedStrings.xml")
    strings = ["".join(t.text or "" for t in si.iter(f"{M}t")) for si in table.iter(f"{M}si")]
    assert int(str(table.get("uniqueCount"))) == len(strings) == len(set(strings))
    assert max(map(len, strings)) <= 32_767
    formulas = [str(f.text) for s in sheets(kind).values() for f in s.iter(f"{M}f")]
    assert len(formulas) > 1000
    for formula in formulas:
        assert len(formula) <= 8_192
        bare = re.sub(r'"(?:[^"]|"")*"', '""', formula)
        depth = deepest = 0
        for sign in bare:
            depth += (sign == "(") - (sign == ")")
            deepest = max(deepest, depth)
            assert depth >= 0
        assert depth == 0
        assert deepest <= 64
        assert set(re.findall(r"([A-Z][A-Z.]*)\(", bare)) <= FUNCTIONS
        assert "#" not in bare
    for sheet in sheets(kind).values():
        for rule in sheet.iter(f"{M}dataValidation"):
            assert len(rule.get("promptTitle", "")) <= 32
            assert len(rule.get("prompt", "")) <= 255
            assert len(rule.get("errorTitle", "")) <= 32
            assert len(rule.get("error", "")) <= 255
            assert all(len(str(f.text)) <= 255 for f in rule)


@ALL
def test_formats_of_numbers_are_whole_and_styles_point_at_what_is_there(kind):
    styles = tree(kind, "xl/styles.xml")
    own = {int(str(f.get("numFmtId"))): str(f.get("formatCode")) for f in styles.iter(f"{M}numFmt")}
    assert all(number >= 164 for number in own)
    for code in own.values():
        assert 0 < len(code) <= 255
        bare = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code)
        assert '"' not in bare
        assert bare.count(";") <= 3
        assert re.fullmatch(r"[#0?.,%E+\-_*@;:/ ()$€£A-Za-zμ\u00a0\u202f×–−]*", bare), code
    counts = {name: len(list(styles.find(f"{M}{name}s"))) for name in ("font", "fill", "border")}  # type: ignore[arg-type]
    for xf in styles.find(f"{M}cellXfs"):  # type: ignore[union-attr]
        number = int(xf.get("numFmtId", "0"))
        assert number < 164 or number in own
        assert all(int(xf.get(f"{name}Id", "0")) < n for name, n in counts.items())


@pytest.mark.slow
def test_openpyxl_writes_again_what_it_read():
    first = read(written("fixed"), values=False)
    again = io.BytesIO()
    first.save(again)
    second = openpyxl.load_workbook(io.BytesIO(again.getvalue()))
    assert second.sheetnames == first.sheetnames
    assert set(second.defined_names) == set(first.defined_names)
    for sheet in first:
        old = {c.coordinate: (c.value, c.number_format) for row in sheet.iter_rows() for c in row}
        new = {
            c.coordinate: (c.value, c.number_format) for row in second[sheet.title].iter_rows() for c in row
        }
        assert new == old


def test_every_text_field_of_the_schema_is_filled():
    """A field that is added to the schema is among them by itself; one that cannot be filled is seen here."""
    _, held = filled(TEXTS_IN[:2])
    left_out = {p for p in TEXTS if p in NAMES_OF_OURS or p[:-1] in IN_PLACE_OF}
    assert set(TEXTS) - held == left_out
    assert len(held) > 120


@pytest.mark.slow
def test_every_text_of_the_schema_is_a_text_in_the_workbook():
    given, _ = filled(TEXTS_IN)
    a = decided(given, minutes=(15.0, 8.0), cases=60)
    assert len(a.assumptions.entries) > 200
    book = read(
        workbook_bytes(a, {**RECORD, "owner": HOSTILE[1], "title": HOSTILE[0]}, SCENARIOS), values=False
    )
    hold_no_text_as_formula(book)
    assert {row[0].value for row in book["Assumptions"].iter_rows(min_row=5)} >= {"<b>x</b> 9"}
