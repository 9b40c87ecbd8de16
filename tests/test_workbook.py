"""The workbook: its formulas give what the package gives, whatever is changed, and nothing written becomes a formula."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from made_workbooks import (
    RECORD,
    SCENARIOS,
    cell,
    changed,
    computed,
    decided_worth,
    hold_no_text_as_formula,
    made,
    point,
    random_changes,
    read,
    recalculated,
    written,
)
from made_worlds import decided, parameters

from roi.cashflow import monthly_flows
from roi.plan_at import plan_at
from roi.returns import payback
from roi.workbook import workbook_bytes
from roi.workbook.flows import NEVER
from roi.workbook.formula import Formula, above_zero, largest, literal, share_of, text, total_product, when
from roi.workbook.point import point_of, valued_at

KINDS = ("scaled", "fixed", "mixed")
SHEETS = ["Summary", "Assumptions", "Measured", "Cash flow", "Scenarios", "Sensitivity"]


def test_a_formula_is_worth_what_it_says():
    a, b = Formula("A1", 3.0), Formula("B1", -2.0)
    assert (a + b * 2).text == "(A1+(B1*2))"
    assert (a + b * 2).value == -1.0
    assert (1 - a / b).text == "(1-(A1/B1))"
    assert (1 - a / b).value == 2.5
    assert literal(-0.25).text == "(-0.25)"
    assert literal(1e-7).text == "1E-07"
    assert share_of(a).text == "MAX(0,MIN(1,A1))"
    assert share_of(a).value == 1.0
    assert share_of(b).value == 0.0
    assert when(a > b, text('say "yes"'), 0).text == 'IF((A1>B1),"say ""yes""",0)'
    months = Formula("M", np.array([1.0, 2.0, 3.0]))
    assert above_zero((months - 1.5) / 2).value.tolist() == [0.0, 0.25, 0.75]
    assert total_product((months <= 2) * months).value == 3.0
    assert largest(a, months).value == 3.0
    with pytest.raises(ValueError, match="no number of a spreadsheet"):
        literal(float("nan"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_point_case_is_what_deciding_at_the_means_gives(kind):
    a, at = made(kind), point(kind)
    worths = computed(a, at, at.values)
    assert worths[0] == pytest.approx(decided_worth(a, at.values), rel=1e-9)
    book = read(written(kind))
    assert cell(book, "Worth_scale").value == pytest.approx(worths[0], rel=1e-12)
    if kind == "fixed":
        plan = plan_at(a)
        uncertain = {k: x for k, x in at.values.items() if not a.assumptions.entries[k].value.is_exact}
        assert a.verdict.plan is not None
        assert worths[1] == pytest.approx(float(plan.worth_at(uncertain).mean()), rel=1e-9)
        assert cell(book, "Worth_plan").value == pytest.approx(worths[1], rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_changes_move_it_as_deciding_does(kind):
    a, at = made(kind), point(kind)
    plan = plan_at(a)
    for values in random_changes(a, at, 20, seed=5):
        worths = computed(a, at, values)
        assert worths[0] == pytest.approx(decided_worth(a, values), rel=1e-9, abs=1e-6)
        if kind == "fixed":
            moved = {k: x for k, x in values.items() if k != "economics.horizon_months"}
            if values["economics.horizon_months"] == at.values["economics.horizon_months"]:
                assert worths[1] == pytest.approx(float(plan.worth_at(moved).mean()), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_months_add_up_to_the_formula_and_pay_back_when_the_flows_do(kind):
    a, at, book = made(kind), point(kind), read(written(kind))
    option = valued_at(a, at.values).valuer.roll_out()
    flows = monthly_flows(option.stream, valued_at(a, at.values).valuer.economics, option.schedule)
    mean = replace(flows, benefit=flows.benefit.mean(axis=1)[:, None], cost=flows.cost.mean(axis=1)[:, None])
    months, never = payback(mean)
    expected = NEVER if never == 1 else months[0]
    assert cell(book, "Payback_scale").value == expected
    wind_down = at.values["economics.wind_down_cost"]
    assert cell(book, "NPV_scale").value == pytest.approx(computed(a, at, at.values)[0] - wind_down, rel=1e-9)
    column = [row[8].value for row in book["Cash flow"].iter_rows(min_row=6, max_row=6 + a.economics.horizon)]
    assert column == pytest.approx(mean.net[:, 0].tolist(), rel=1e-9, abs=1e-6)


def test_a_point_case_by_hand():
    """12 months at once in full: 100 cases × 6 min × 40/60 × 0.5 = 200 a month, less 50, less 600 × 1.1 once."""
    given = parameters()
    given["demand"] = {"cases_per_month": 100}
    given["economics"] = {
        "start": "2027-01", "horizon_months": 12, "discount_rate": 0.0, "labour_cost_per_hour": 40,
        "realisation": {"cash": 0.5, "redeployed": 0.0}, "adoption": {"ceiling": 1.0, "ramp_months": 0},
        "costs": [{"name": "A", "kind": "integration", "amount": 600, "per": "once"},
                  {"name": "B", "kind": "support", "amount": 50, "per": "month"}],
        "contingency": 0.1, "wind_down_cost": 0,
    }  # fmt: skip
    given["remedies"] = []
    a = decided(given, minutes=(15.0, 8.0))
    at = point_of(a)
    scale = replace(at.roll_outs[0], gained=6.0, lost=0.0, share=1.0, errors=(0.0,) * 4, usage={})
    assert computed(a, replace(at, roll_outs=(scale,)), at.values) == pytest.approx([12 * 150 - 660])


def test_gains_and_losses_of_time_stand_apart():
    scale = point("mixed").roll_outs[0]
    assert scale.gained > 0 > scale.lost


def test_fewer_errors_without_credit_count_only_where_they_are_more(monkeypatch):
    monkeypatch.setattr("roi.analysis.earns_credit", lambda *_: False)
    a = decided(minutes=(15.0, 8.0), errors=(0.06, 0.058))
    assert a.economics.error_credit is False
    at = point_of(a)
    assert max(at.roll_outs[0].errors) <= 0
    assert at.roll_outs[0].errors_follow == np.array_equal(*a.measured.rates.severity)
    assert ("economics.error_cost.minor" in at.live) == at.roll_outs[0].errors_follow
    for values in random_changes(a, at, 5, seed=2):
        assert computed(a, at, values)[0] == pytest.approx(decided_worth(a, values), rel=1e-9)


def test_what_it_does_not_follow_is_locked_and_says_why():
    at, book = point("fixed"), read(written("fixed"))
    sheet = book["Assumptions"]
    rows = {row[11].value: row for row in sheet.iter_rows(min_row=5) if row[11].value}
    assert set(rows) == set(at.values)
    for key, row in rows.items():
        assert row[1].protection.locked is (key not in at.live)
        assert row[10].value == ("yes" if key in at.live else at.fixed[key])
    assert "measurement.per_case" in at.fixed
    assert "remedies[0].removes_share" in at.fixed


def test_sheets_are_protected_and_formulas_locked():
    book = read(written("fixed"), values=False)
    assert book.sheetnames == SHEETS
    formulas = 0
    for sheet in book:
        assert sheet.protection.sheet
        for row in sheet.iter_rows():
            for each in row:
                if each.data_type == "f":
                    formulas += 1
                    assert each.protection.locked
                    assert "#" not in str(each.value)
    assert formulas > 1000


def test_the_same_inputs_give_the_same_bytes():
    assert workbook_bytes(made("scaled"), RECORD, SCENARIOS) == written("scaled")


HOSTILE = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x.example","y")', "=cmd|' /C calc'!A0", "\t=1+1", "\r=1",
    "<script>alert(1)</script>", "<b>x</b>", "&amp;", "]]>", "{=A1}", "'=1", '"', "a\x00b", "\x1b[31m", "_x0041_",
    "\u202egnp.exe", "\u2066x", "\u200f", "x" * 10_000, "=" + "x" * 10_000, "😀", "ＡＢＣ", "مرحبا", "%00", "{{7*7}}",
    "${x}", "#REF!", "TRUE", "1e5", "0x1", "2026-01-01", "http://x.example", "mailto:x@x.example", "file:///etc/passwd",
    "a\nb", "=\n1", "|x",
]  # fmt: skip


def test_hostile_words_are_words():
    assert len(HOSTILE) == 40
    given = parameters()
    given["about"] = {"title": HOSTILE[0], "owner": HOSTILE[1], "currency": "EUR"}
    given["economics"]["costs"] = [
        {"name": f"{x.replace(chr(0), '')[:4990]} {i}", "kind": "other", "amount": {"low": 1, "high": 2, "source": x[:5000], "owner": x[:5000]},
         "per": "month"}
        for i, x in enumerate(HOSTILE)
        if x.strip()
    ]  # fmt: skip
    a = decided(given, minutes=(15.0, 8.0))
    wanted = dict.fromkeys(("title", "headline", "reason", "owner"), HOSTILE[4])
    scenarios = [*SCENARIOS, *({"name": x, "label": x, "changed": [], "scale_worth": None} for x in HOSTILE)]
    data = workbook_bytes(a, {**RECORD, **wanted}, scenarios)
    book = read(data, values=False)
    hold_no_text_as_formula(book)
    names = [row[0].value for row in book["Assumptions"].iter_rows(min_row=5)]
    assert "<script>alert(1)</script> 8" in names
    assert "_x0041_ 17" in names


office = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


@office
@pytest.mark.slow
def test_libreoffice_computes_the_same_and_follows_twenty_changes(tmp_path):
    moved = {
        f"{kind}_{i}": (kind, values)
        for kind in KINDS
        for i, values in enumerate(random_changes(made(kind), point(kind), 20, seed=9))
    }
    books = {kind: written(kind) for kind in KINDS}
    found = recalculated(
        books
        | {
            name: changed(books[kind], {key: values[key] for key in point(kind).live})
            for name, (kind, values) in moved.items()
        },
        tmp_path,
    )
    for kind in KINDS:
        ours = read(books[kind])
        for sheet in ours:
            for row in sheet.iter_rows():
                for each in row:
                    theirs = found[kind][sheet.title][each.coordinate].value
                    if isinstance(each.value, int | float):
                        assert theirs == pytest.approx(each.value, rel=1e-9, abs=1e-6), (
                            sheet.title,
                            each.coordinate,
                        )
                    else:
                        assert theirs == each.value
    for name, (kind, values) in moved.items():
        worth = cell(found[name], "Worth_scale").value
        assert worth == pytest.approx(decided_worth(made(kind), values), rel=1e-9, abs=1e-6)


@pytest.mark.slow
def test_the_formulas_package_computes_the_same_and_follows_changes(tmp_path):
    formulas = pytest.importorskip("formulas")
    file = tmp_path / "book.xlsx"
    file.write_bytes(written("fixed"))
    model = formulas.ExcelModel().loads(str(file)).finish(circular=False)
    a, at = made("fixed"), point("fixed")
    sheet = read(written("fixed"))["Assumptions"]
    places = {row[11].value: row[1].coordinate for row in sheet.iter_rows(min_row=5) if row[11].value}
    for values in (at.values, *random_changes(a, at, 20, seed=3)):
        inputs = {f"'[book.xlsx]ASSUMPTIONS'!{places[key]}": values[key] for key in at.live}
        found = model.calculate(inputs=inputs)
        worths = [found[f"'[book.xlsx]'!WORTH_{name}"].value[0, 0] for name in ("SCALE", "PLAN")]
        assert worths[0] == pytest.approx(decided_worth(a, values), rel=1e-9, abs=1e-6)
        assert worths == pytest.approx(computed(a, at, values), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("kind", ["scaled", "fixed"])
def test_stated_changes_of_list_prices_follow(kind):
    """Each is worth what the roll-out is at another price of its model line from the start, and later ones less."""
    a, at = made(kind), point(kind)
    row = {"label": "=x", "change": 1.0, "share": 1.0, "months": a.economics.horizon, "reason": None}
    rows = [row, row | {"share": 0.5}, row | {"months": 12}, row | {"change": None, "reason": "no"}]
    record = RECORD | {"sensitivity": {"price_scenarios": rows}}
    sheet = read(workbook_bytes(a, record, SCENARIOS))["Sensitivity"]
    top = next(r for r in range(1, 200) if str(sheet.cell(r, 1).value).startswith("If list prices"))
    worths = [sheet.cell(top + 2 + i, 4).value for i in range(3)]
    key = next(
        f"economics.costs[{i}].amount" for i, x in enumerate(a.economics.lines) if x.kind == "model_usage"
    )
    now = computed(a, at, at.values)[-1]
    double = computed(a, at, at.values | {key: 2 * at.values[key]})[-1]
    assert worths[0] == pytest.approx(double, rel=1e-12)
    assert worths[1] == pytest.approx((now + double) / 2, rel=1e-12)
    e = valued_at(a, at.values).valuer.economics
    delay = float(np.mean((a.verdict.option or a.scale).schedule.delay))
    month = np.arange(1, e.horizon + 1)
    value = np.clip((month - delay - 0.5) / e.ramp, 0, 1) * (1 + e.discount) ** (-month / 12)
    late = value[-12:].sum() / value.sum()
    assert worths[2] == pytest.approx(now + (double - now) * late, rel=1e-9)
    assert sheet.cell(top + 2, 1).value == "=x"
    assert sheet.cell(top + 5, 2).value == "not known: no"
