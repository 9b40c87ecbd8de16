"""The raw fields of inputs: each kind of defect by hand, tables that cannot be read, and nothing of a cell in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from opened_examples import example
from pilots import cases, write_pilot
from sample_projects import Project

from roi import input_kinds as kinds
from roi.audit_inputs import inputs_of_record
from roi.check_digits import is_valid
from roi.input_quality import ANY, COLUMNS, take_input_quality
from roi.input_rules import DEFECTS, HAS, MARKED, bit
from roi.pilot import open_pilot
from roi.problems import InputError, SampleError
from roi.samples import Samples

CASES = "case_id,arm,segment,started_at\n" + "\n".join(
    f"T{i},{'pilot' if i % 2 else 'baseline'},{'a' if i % 3 else 'b'},2026-09-01 12:00" for i in range(60)
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.write("cases.csv", CASES)
    return found


def opened(project: Project, rows: list[dict[str, Any]], **spec: Any) -> Samples:
    """Samples whose inputs are these rows, a field a key; `case_id` and `setting` are filled in."""
    filled = [{"case_id": f"T{i}", "setting": "production"} | row for i, row in enumerate(rows)]
    project.write("inputs.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in filled))
    return project.open(samples={"inputs": {"source": "data/inputs.jsonl", **spec}})


def field(values: list[Any]) -> list[dict[str, Any]]:
    return [{"x": value} for value in values]


def bits(samples: Samples, name: str = "x") -> list[int]:
    assert samples.inputs is not None
    i = [f.name for f in samples.inputs.fields].index(name)
    return [row[0] for row in samples.con.execute(f"select b{i} from inputs order by row").fetchall()]


def counting(samples: Samples, name: str = "x") -> set[str]:
    """What counts as a defect of a field."""
    assert samples.inputs is not None
    (field,) = [f for f in samples.inputs.fields if f.name == name]
    return {d for d in DEFECTS if field.counts & bit(d)}


def wrong(samples: Samples, name: str = "x") -> dict[int, set[str]]:
    """Row (from 0) → what is wrong with its value."""
    found = {n: {d for d in DEFECTS if b & bit(d)} for n, b in enumerate(bits(samples, name))}
    return {n: what for n, what in found.items() if what}


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (None, "blank"), ("n/a", "placeholder"), ("UNKNOWN", "placeholder"), ("-", "placeholder"), ("NA", "placeholder"),
        ("none", "text"), ("na", "text"), ("1900-01-01", "placeholder"), ("01.01.1900 00:00", "placeholder"),
        ("9999-12-31T00:00:00Z", "placeholder"), ("12", "whole number"), ("-0.5", "number with a point"),
        ("1.234,56", "number with a comma"), ("1,234.56", "number with a point"), ("1'234", "whole number"),
        ("1.234", "number"), ("12,50 EUR", "number with a unit"), ("€ 12", "number with a unit"), ("3 km", "number with a unit"),
        ("12a", "text"), ("2026-02-28", "ISO date"), ("2026-02-30", "impossible date"), ("31.04.2026", "impossible date"),
        ("2026-02-28 10:00:00.123+02:00", "ISO time"), ("28.2.26", "dotted date"), ("13/02/2026", "day/month/year"),
        ("02/13/2026", "month/day/year"), ("02/03/2026", "date with slashes"), ("45/45/2026", "impossible date"),
        ("3 March 2026", "date with a month's name"), ("a.b@c.example", "e-mail address"), ("a.b@c", "text"),
        ("DE89 3704 0044 0532 0130 00", "IBAN"), ("ja", "yes or no"), ("+49 170 5550123", "text"), ("x" * 400, "text"),
    ],
)  # fmt: skip
def test_a_cell_has_a_kind(cell: str | None, kind: str) -> None:
    con = duckdb.connect()
    (found,) = con.execute(
        f"select {kinds.kind_of_cell('t')} from (select ?::varchar as t)", [cell]
    ).fetchall()[0]
    assert kinds.KINDS[found] == kind


def test_a_shape_counts_long_runs_and_not_short_ones() -> None:
    con = duckdb.connect()
    query = f"select {kinds.shape_of_cell('t')} from (select ?::varchar as t)"
    shown = {
        t: con.execute(query, [t]).fetchall()[0][0]
        for t in ("HR-123456", "HR-12345", "Room 9", "Room 12", "1-22-333")
    }
    assert shown == {
        "HR-123456": "AA-999999", "HR-12345": "AA-99999", "Room 9": "A… 9…", "Room 12": "A… 9…", "1-22-333": "9…-9…-9…",
    }  # fmt: skip


def test_missing_values_count_where_most_have_one(project: Project) -> None:
    samples = opened(project, field([f"word {i}" for i in range(57)] + ["", "n/a", None]))
    assert wrong(samples) == {57: {"missing"}, 58: {"missing"}, 59: {"missing"}}
    assert bits(samples)[58] & MARKED
    assert not bits(samples)[57] & (MARKED | HAS)
    (rule,) = [r for r in samples.inputs.fields[0].rules if r.defect == "missing"]  # type: ignore[union-attr]
    assert (rule.text, rule.stated, rule.counts) == ("required: 95% of all rows have it", False, True)
    half = opened(project, field([f"word {i}" if i % 2 else "" for i in range(60)]))
    assert half.inputs is not None
    assert (
        half.inputs.fields[0].counts == 0
    )  # a field that half of the cases lack is optional until it is stated
    stated = opened(
        project, field([f"word {i}" if i % 2 else "" for i in range(60)]), fields={"x": {"required": True}}
    )
    assert counting(stated) == {"missing"}


def test_the_demo_sets_the_standard(project: Project) -> None:
    rows = field([f"HR-{100000 + i}" for i in range(25)]) + field(
        [f"HR-{200000 + i}" if i % 2 else "see letter" for i in range(35)]
    )
    for i, row in enumerate(rows):
        row["setting"] = "demo" if i < 25 else "production"
    samples = opened(project, rows)
    assert len(wrong(samples)) == 18
    assert all(what == {"format"} for what in wrong(samples).values())
    (rule,) = [r for r in samples.inputs.fields[0].rules if r.defect == "format"]  # type: ignore[union-attr]
    assert rule.text == "written as AA-999999: 100% of the demo's values"
    for row in rows:
        row["setting"] = "production"
    assert wrong(opened(project, rows)) == {}  # 70 % of all are too few to speak for the rest


def test_numbers_units_and_decimal_marks(project: Project) -> None:
    values = [f"{i},50" for i in range(1, 55)] + ["12.50", "about 5", "12,00 CHF", "99999", "1.234,00", "7"]
    samples = opened(project, field(values))
    assert wrong(samples) == {
        54: {"format"}, 55: {"kind"}, 56: {"unit"}, 57: {"missing"}, 58: {"range"},
    }  # fmt: skip
    assert bits(samples)[57] & MARKED  # nines that stand apart from what the field holds are a placeholder
    far = opened(project, field([*(str(100 + i) for i in range(58)), "100000", "150"]))
    assert wrong(far) == {58: {"range"}}
    assert "range" not in counting(far)  # shown, and no defect unless stated
    stated = opened(
        project,
        field([*(str(100 + i) for i in range(58)), "5000", "-1"]),
        fields={"x": {"min": 0, "max": 1000}},
    )
    assert wrong(stated) == {58: {"range"}, 59: {"range"}}
    assert "range" in counting(stated)


def test_dates_of_another_format_impossible_and_late_ones(project: Project) -> None:
    values = [f"2026-08-{1 + i % 28:02d}" for i in range(56)] + [
        "31.08.2026",
        "2026-02-30",
        "2026-09-03",
        "soon",
    ]
    samples = opened(project, field(values))
    assert wrong(samples) == {56: {"format"}, 57: {"format"}, 58: {"late"}, 59: {"kind"}}
    assert "late" not in counting(samples)
    stated = opened(project, field(values), fields={"x": {"not_after": "started_at", "max_age_days": 28}})
    late = {n for n, what in wrong(stated).items() if "late" in what}
    assert late == {
        58,
        *(i for i in range(56) if i % 28 < 3),
    }  # of the 1st to the 3rd of August: more than 28 days
    assert "late" in counting(stated)


def test_slashes_are_read_the_way_most_of_them_tell(project: Project) -> None:
    rows = [{"x": f"{13 + i % 15}/02/2026", "y": "2026-03-01"} for i in range(58)]
    rows += [{"x": "02/03/2026", "y": "2026-03-01"}, {"x": "03/14/2026", "y": "2026-03-01"}]
    samples = opened(project, rows, fields={"x": {"not_after": "y"}})
    assert wrong(samples) == {
        58: {"contradiction"},
        59: {"format"},
    }  # the 2nd of March, for the day comes first


def test_contradicting_fields(project: Project) -> None:
    rows: list[dict[str, Any]] = [
        {
            "start": f"2026-08-{1 + i % 20:02d}",
            "end": f"2026-08-{5 + i % 20:02d}",
            "net": 10 + i,
            "tax": 2,
            "gross": 12 + i,
        }
        for i in range(60)
    ]
    rows[7]["end"] = "2026-07-01"
    rows[9]["gross"] = 500
    shown = opened(project, rows)
    assert wrong(shown, "end") == {7: {"contradiction"}}
    assert "contradiction" not in counting(shown, "end")
    rules = {"end": {"not_before": "start"}, "gross": {"sum_of": ["net", "tax"], "max": 10000}}
    stated = opened(project, rows, fields=rules)
    assert wrong(stated, "end") == {7: {"contradiction"}}
    assert wrong(stated, "gross") == {9: {"contradiction"}}
    assert "contradiction" in counting(stated, "gross")


def test_check_digits_patterns_lists_and_repeats(project: Project) -> None:
    good = "DE89370400440532013000"
    rows = [{"iban": good, "code": f"A{i:03d}", "kind": "Glass", "id": f"m{i}"} for i in range(60)]
    rows[3] |= {"iban": "DE88370400440532013000", "code": "B1", "kind": "glas", "id": "M2"}
    rules = {
        "iban": {"format": "iban"},
        "code": {"pattern": "A[0-9]{3}"},
        "kind": {"one_of": ["glass"]},
        "id": {"unique": True},
    }
    samples = opened(project, rows, fields=rules)
    assert [wrong(samples, name) for name in rules] == [
        {3: {"format"}},
        {3: {"format"}},
        {3: {"format"}},
        {3: {"duplicate"}},
    ]
    assert is_valid("vat")("DE 136695976")
    assert not is_valid("iban")("nonsense of somebody")
    assert is_valid("card")("4111 1111 1111 1111")


def test_mails_are_inferred_and_judged(project: Project) -> None:
    samples = opened(project, field([f"a{i}@example.com" for i in range(58)] + ["a@b", "no mail"]))
    assert samples.inputs is not None
    assert samples.inputs.fields[0].kind == "email"
    assert wrong(samples) == {58: {"format"}, 59: {"format"}}


def test_too_few_values_have_no_rule(project: Project) -> None:
    samples = opened(project, field(["a@example.com"] * 10 + ["x"]))
    assert samples.inputs is not None
    assert samples.inputs.fields[0].kind == "unclear"
    assert samples.inputs.fields[0].rules == ()


def test_defects_become_those_of_the_case(project: Project) -> None:
    rows = [{"x": f"word {i}", "y": f"2026-08-{1 + i % 28:02d}"} for i in range(58)]
    rows[4] = {"x": "", "y": "soon"}
    rows[5]["x"] = "n/a"
    samples = opened(project, rows)
    found = dict(samples.con.execute("select case_id, input_defects from cases").fetchall())
    assert sorted(found.values(), key=lambda n: (n is None, n)) == [*[0] * 56, 1, 2, None, None]
    assert any("no column input_defects" in w for w in samples.warnings)
    q = take_input_quality(samples, min_group=5)
    assert q is not None
    assert (q.cases.sum(), q.clean.sum(), q.defects.sum(), q.agreement) == (58, 56, 3, None)


def test_the_column_of_the_cases_goes_first_and_agreement_is_said(project: Project) -> None:
    lines = CASES.split("\n")
    project.write(
        "cases.csv",
        "\n".join(
            [lines[0] + ",input_defects", *(f"{line},{int(i < 3)}" for i, line in enumerate(lines[1:]))]
        ),
    )
    samples = opened(project, field(["", *(f"word {i}" for i in range(59))]))
    assert sum(n for (n,) in samples.con.execute("select input_defects from cases").fetchall()) == 3
    q = take_input_quality(samples, min_group=5)
    assert q is not None
    assert q.agreement is not None
    assert q.agreement.tolist() == [[57, 0], [2, 1]]
    said = inputs_of_record(q)["agreement"]
    # Agreement 58/60; by chance (57 · 59 + 3 · 1) / 3600: kappa = (0.96667 − 0.93500) / 0.06500.
    assert said["kappa"] == pytest.approx((58 / 60 - 3366 / 3600) / (1 - 3366 / 3600))
    assert (said["share"], said["column_only"]) == (pytest.approx(58 / 60), 2)


def test_several_rows_strangers_and_twins_are_counted_and_named(project: Project) -> None:
    rows: list[dict[str, Any]] = [{"x": f"word {i}", "y": f"{i}"} for i in range(50)]
    rows += [{"case_id": "T1", "x": "", "y": "1"}, {"case_id": "T2", "x": "word 2", "y": "2"}]
    rows += [{"case_id": "Z9", "x": "strange", "y": "7"}, {"case_id": "T55", "x": "word 3", "y": "3"}]
    samples = opened(project, rows)
    assert samples.unknown_cases["inputs"] == 1
    assert "1 row of inputs belongs to no case of the sample" in samples.warnings
    q = take_input_quality(samples, min_group=5)
    assert q is not None
    assert (q.rows[0], q.unknown[0], q.repeated[0], q.differing[0], q.alike[0]) == (54, 1, 2, 1, 2)
    assert q.broken[0, :, 0, ANY].sum() == 1  # T1, which lacks it in one of its rows
    notes = " ".join(inputs_of_record(q)["notes"])
    assert "2 production cases with more than one row of inputs" in notes
    assert "1 production row of no case of the sample" in notes


def test_small_segments_are_put_together(project: Project) -> None:
    project.write("cases.csv", CASES.replace(",a,", ",rare,", 3))
    q = take_input_quality(opened(project, field([f"word {i}" for i in range(60)])), min_group=5)
    assert q is not None
    assert set(q.segments) == {"a", "b", "(other)"}
    assert q.cases.sum() == 60


def said(project: Project, rows: list[dict[str, Any]], **spec: Any) -> str:
    with pytest.raises(SampleError) as error:
        opened(project, rows, **spec)
    return str(error.value)


def test_500_columns_are_refused_with_the_mend_and_some_of_them_read(project: Project) -> None:
    rows = [{f"f{j}": f"{i}{j}" for j in range(500)} for i in range(30)]
    message = said(project, rows)
    assert "has 500 fields, and at most 200 are looked at" in message
    assert "samples.inputs.columns" in message
    few = opened(project, rows, columns={"first": "f0", "f7": "f7"})
    assert few.inputs is not None
    assert [f.name for f in few.inputs.fields] == ["first", "f7"]


def test_an_inputs_table_without_fields_is_refused_with_the_mend(project: Project) -> None:
    message = said(project, [{} for _ in range(30)])
    assert "has no field besides its keys; inputs are the raw fields as the agent received them" in message


def test_rules_for_fields_that_are_not_there_are_refused_all_at_once(project: Project) -> None:
    project.write("cases.csv", "case_id,arm\n" + "\n".join(f"T{i},pilot" for i in range(60)))
    rules = {
        "polcy": {"required": True},
        "policy": {"sum_of": ["net", "policy"], "pattern": "("},
        "day": {"not_after": "started_at", "max_age_days": 3},
    }
    message = said(project, [{"policy": "1", "day": "2026-01-01"} for _ in range(30)], fields=rules)
    assert "'polcy' is no field of the inputs; did you mean 'policy'?" in message
    assert "'net' is no field of the inputs" in message
    assert "policy.pattern" in message
    assert message.count("the cases have no column started_at") == 2


def test_wrong_rules_are_refused_when_parameters_are_read(project: Project) -> None:
    project.write("inputs.csv", "case_id,x\nT1,2\n")
    rules = {
        "a": {"min": 5, "max": 1}, "b": {"ignore": True, "required": True}, "c": {"format": "iban", "unit": "EUR"},
        "d": {"not_after": "x", "min": 1}, "e": {"sum_of": ["x"]}, "f": {"formt": "date"}, "g": {"max_age_days": -1},
    }  # fmt: skip
    with pytest.raises(InputError) as error:
        project.open(samples={"inputs": {"source": "data/inputs.csv", "fields": rules}})
    message = str(error.value)
    for part in (
        "1 is below min, 5", "leaves the field out, and required is stated", "'iban' does not go with unit",
        "is of dates, and min of numbers", "one field is no sum", "did you mean 'format'?", "-1 is below 0",
    ):  # fmt: skip
        assert part in message, part
    with pytest.raises(InputError, match="a raw field is read as it is"):
        project.open(
            samples={
                "inputs": {"source": "data/inputs.csv", "columns": {"x": {"from": "x", "unit": "hours"}}}
            }
        )


def test_no_text_of_a_cell_is_left_in_the_engine(project: Project) -> None:
    names = ["Anna Schmidt", "Jean-Luc Moreau"]
    samples = opened(project, field([names[i % 2] for i in range(60)]))
    for (table,) in samples.con.execute("select table_name from duckdb_tables()").fetchall():
        rows = str(samples.con.execute(f"select * from {table}").fetchall())
        assert "Schmidt" not in rows, table
        assert "Moreau" not in rows, table
    assert "Schmidt" not in repr(samples)


def test_drift_is_told_or_said_to_be_too_little(project: Project) -> None:
    rows = [{"setting": "demo", "kind": "pipe", "n": 100 + i} for i in range(30)]
    rows += [{"setting": "production", "kind": "storm" if i % 2 else "pipe", "n": 100 + i} for i in range(30)]
    record = inputs_of_record(take_input_quality(opened(project, rows), min_group=5))  # type: ignore[arg-type]
    states = {f["field"]: f["drift"] for f in record["fields"]}
    assert states["kind"]["state"] == "drifted"
    assert states["kind"]["distance"] == pytest.approx(
        0.5
    )  # half of what comes now is what the demo never saw
    assert states["n"]["state"] == "no_sign"
    few = inputs_of_record(take_input_quality(opened(project, rows[20:]), min_group=5))  # type: ignore[arg-type]
    assert {f["drift"]["state"] for f in few["fields"]} == {"too_few"}


@pytest.mark.slow
def test_the_example_finds_what_was_planted() -> None:
    """Of the fields that the generator spoils, all but numbers that look right are found, and in no clean case one."""
    record = example("claims_intake").decision.record
    found = record["audit"]["inputs"]
    assert found["agreement"]["inputs_only"] == 0
    assert found["agreement"]["column_only"] / found["agreement"]["both"] < 0.05
    fields = {f["field"]: f for f in found["fields"]}
    assert max(fields.values(), key=lambda f: f["production"]["defective"]["k"])["field"] == "Police"
    assert fields["Schadenart"]["drift"]["state"] == "drifted"
    assert fields["Gemeldet"]["drift"]["state"] == "no_sign"
    assert found["difference"]["low"] > 0.15
    assert not any(r["stated"] for r in fields["Police"]["rules"])
    assert {r["stated"] for r in fields["PLZ"]["rules"]} == {True}


@pytest.mark.slow
def test_defects_of_inputs_open_the_gate_that_needs_them(tmp_path: Path) -> None:
    rows = cases(200, workers=8)
    for row in rows:
        del row["input_defects"]
    inputs = [
        {"case_id": r["case_id"], "note": "" if i % 20 == 0 else f"text {i}"} for i, r in enumerate(rows)
    ]
    bare = open_pilot(write_pilot(tmp_path / "a", rows, name="made")).decision.record
    path = write_pilot(
        tmp_path / "b",
        rows,
        {"samples": {"inputs": "data/inputs.csv"}},
        name="made",
        tables={"inputs": inputs},
    )
    full = open_pilot(path).decision.record
    gates = [{g["gate"]: g for g in record["gates"]}["usable_inputs"] for record in (bare, full)]
    assert gates[0]["state"] == "missing_evidence"
    assert gates[1]["state"] == "shown"
    assert gates[1]["value"] == pytest.approx(0.95, abs=0.03)
    assert bare["audit"]["inputs"] is None
    assert any("samples.inputs" in text for text in bare["audit"]["missing"])


def test_columns_and_defects_keep_their_order() -> None:
    """Bits are archived: a new defect goes behind the others."""
    assert (*DEFECTS, "placeholder", "defective") == COLUMNS
    assert DEFECTS[:4] == ("missing", "kind", "format", "unit")
