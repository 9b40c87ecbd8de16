"""What moved a verdict: each kind of change is named, priced where it can be, and nothing is said that is not known."""

from __future__ import annotations

import itertools
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fixtures_record import make_record
from pilots import cases, merged, write_pilot

from roi.attribution import attribute, difference
from roi.cli import main
from roi.diff import compare
from roi.laying import with_values
from roi.parameters import load_parameters, register
from roi.pilot import open_pilot
from roi.shapley import shares

FEW = {"run": {"draws": 2000}}
LABOUR = {"economics": {"labour_cost_per_hour": {"low": 50, "high": 54, "source": "payroll"}}}
RAMP = {"economics": {"adoption": {"ramp_months": 12}}}
COSTS = [
    {"name": "Connector", "kind": "integration", "amount": 30000, "per": "once", "source": "quote"},
    {"name": "Support", "kind": "support", "amount": 500, "per": "month", "source": "quote"},
]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return cases(900, pilot=11.0)


@pytest.fixture(scope="module")
def before(rows, tmp_path_factory) -> dict[str, Any]:
    return open_pilot(write_pilot(tmp_path_factory.mktemp("before"), rows, FEW)).decision.record


def after(folder: Path, rows: list[dict[str, Any]], changes: dict[str, Any], **more: Any):
    pilot = open_pilot(write_pilot(folder, rows, merged(FEW, changes), **more))
    return pilot, pilot.decision.record


def scale(record: dict[str, Any]) -> tuple[float, float]:
    return record["options"]["scale"]["mean"], record["chances"]["scale_pays"]


def told(before: dict[str, Any], pilot: Any, record: dict[str, Any]):
    found = attribute(before, record, compare(before, record)["changes"], pilot)
    assert not isinstance(found, str), found
    return found


@pytest.mark.slow
def test_one_assumption_is_named_and_gets_the_whole_change(before, rows, tmp_path):
    pilot, record = after(tmp_path, rows, LABOUR)
    found = compare(before, record)
    assert [(c["kind"], c["key"], c["old"], c["new"]) for c in found["changes"]] == [
        ("assumption", "economics.labour_cost_per_hour", "40 to 44", "50 to 54")
    ]
    assert "“Labour cost per hour” is 50 to 54, before 40 to 44" in found["since"]
    effects = told(before, pilot, record)
    assert [row["what"] for row in effects.rows] == ["Labour cost per hour"]
    assert effects.rows[0]["worth"] == pytest.approx(scale(record)[0] - scale(before)[0])
    assert effects.not_attributed == ()


@pytest.mark.slow
def test_several_changes_share_the_whole_without_an_order(before, rows, tmp_path):
    """Two assumptions, the policy and the data: the shares add up to the difference of the two records."""
    more = [*rows, *(r | {"case_id": f"N{r['case_id']}"} for r in cases(300, pilot=10.0, seed=9))]
    policy = {"approved_by": "Board", "scale_probability": 0.9, "smallest_saving_minutes": 5}
    pilot, record = after(tmp_path, more, merged(LABOUR, RAMP), policy=policy)
    kinds = {c["kind"] for c in compare(before, record)["changes"]}
    assert kinds == {"data", "assumption", "policy"}
    effects = told(before, pilot, record)
    assert effects.order_free
    assert {row["what"] for row in effects.rows} == {
        "new data", "Labour cost per hour", "Months to full adoption", "the policy",
    }  # fmt: skip
    for i, key in enumerate(("worth", "chance")):
        whole = scale(record)[i] - scale(before)[i]
        assert sum(row[key] for row in effects.rows) == pytest.approx(whole)
    assert [step["what"] for step in effects.steps] == [
        "the earlier record", "with new data alone", "the later record",
    ]  # fmt: skip


@pytest.mark.slow
def test_the_data_effect_is_that_of_a_run_with_the_earlier_file(before, rows, tmp_path):
    """An oracle: the earlier file on the new data is a run of its own."""
    more = [*rows, *(r | {"case_id": f"N{r['case_id']}"} for r in cases(300, pilot=10.0, seed=9))]
    pilot, record = after(tmp_path / "both", more, LABOUR)
    _, data_alone = after(tmp_path / "data", more, {})
    effects = {row["what"]: row["worth"] for row in told(before, pilot, record).rows}
    assert effects["new data"] == pytest.approx(scale(data_alone)[0] - scale(before)[0])
    assert effects["Labour cost per hour"] == pytest.approx(scale(record)[0] - scale(data_alone)[0])


@pytest.mark.slow
def test_a_cost_line_that_was_added_is_priced_and_one_that_went_is_not(before, rows, tmp_path):
    added = [*COSTS, {"name": "Audit", "kind": "evaluation", "amount": 9000, "per": "once"}]
    pilot, record = after(tmp_path / "added", rows, {"economics": {"costs": added}})
    effects = told(before, pilot, record)
    assert effects.rows[0]["worth"] == pytest.approx(-9000 * 1.2)  # with its contingency of a fifth
    pilot, record = after(tmp_path / "gone", rows, {"economics": {"costs": COSTS[:1]}})
    effects = told(before, pilot, record)
    assert any("Support" in note and "cannot be laid back" in note for note in effects.not_attributed)
    assert sum(row["worth"] for row in effects.rows) == pytest.approx(scale(record)[0] - scale(before)[0])


@pytest.mark.slow
def test_another_seed_is_the_seed_and_not_the_data(before, rows, tmp_path):
    pilot, record = after(tmp_path, rows, {"run": {"seed": 7}})
    found = compare(before, record)
    assert {c["kind"] for c in found["changes"]} == {"seed"}
    effects = told(before, pilot, record)
    assert [row["what"] for row in effects.rows] == ["the seed"]
    assert effects.rows[0]["worth"] == pytest.approx(scale(record)[0] - scale(before)[0])


@pytest.mark.slow
def test_a_setting_is_named_and_said_not_to_be_told_from_the_data(before, rows, tmp_path):
    pilot, record = after(tmp_path, rows[:-60], {"demand": {"mix": {"a": 0.5, "b": 0.5}}})
    found = difference(before, record)
    settings = {c["key"]: (c["old"], c["new"]) for c in found["changes"] if c["kind"] == "setting"}
    assert settings == {"demand.mix.a": (0.6, 0.5), "demand.mix.b": (0.4, 0.5)}
    effects = told(before, pilot, record)
    assert [row["what"] for row in effects.rows] == ["new data and other settings"]
    assert any("cannot be told apart" in note for note in effects.not_attributed)


def test_a_closed_gate_and_a_changed_verdict_are_said(before, rows, tmp_path):
    _, record = after(tmp_path, rows, {}, without=("incidents",))
    found = compare(before, record)
    assert [(g["gate"], g["old"], g["new"]) for g in found["gates"]] == [
        ("rollback", "shown", "missing_evidence")
    ]
    assert found["verdict_changed"] == (before["verdict"] != record["verdict"])


@pytest.mark.slow
def test_inputs_that_changed_since_are_not_recomputed(before, rows, tmp_path):
    pilot, record = after(tmp_path, rows, LABOUR)
    altered = deepcopy(record)
    altered["options"]["scale"]["mean"] += 1
    found = attribute(before, altered, compare(before, altered)["changes"], pilot)
    assert isinstance(found, str)
    assert "have changed since it was written" in found


def test_another_version_of_the_package_is_the_method(before):
    newer = deepcopy(before)
    newer["provenance"]["roi"] = "9.9.9"
    newer["provenance"]["versions"]["scipy"] = "9.0"
    found = compare(before, newer)
    assert {(c["kind"], c["what"]) for c in found["changes"]} == {("method", "roi"), ("method", "scipy")}
    assert "the method" in found["since"]


def test_records_of_an_earlier_form_are_compared_as_far_as_they_go(before):
    earlier = {k: v for k, v in before.items() if k not in ("settings", "policy")}
    earlier["sample"] = {k: v for k, v in before["sample"].items() if k != "by_month"}
    earlier["assumptions"] = [
        {k: v for k, v in row.items() if k not in ("form", "family", "numbers")}
        for row in before["assumptions"]
    ]
    assert compare(earlier, before)["months"] == []
    assert isinstance(compare(make_record(), make_record(verdict="kill"))["since"], str)


VALUES = {"a": 3.0, "b": -1.0, "c": 10.0}


def test_shares_are_the_mean_over_every_order():
    """A game with an interaction: the Shapley value by its definition, over all orders."""

    def worth(chosen: frozenset[str]) -> tuple[float, float]:
        total = sum(VALUES[x] for x in chosen) + (6.0 if {"a", "b"} <= chosen else 0.0)
        return total, total / 100

    found, drawn = shares(list(VALUES), worth)
    orders = list(itertools.permutations(VALUES))
    for name in VALUES:
        gains = [
            worth(frozenset(o[: o.index(name) + 1]))[0] - worth(frozenset(o[: o.index(name)]))[0]
            for o in orders
        ]
        assert found[name][0] == pytest.approx(sum(gains) / len(orders))
    assert drawn is None
    assert sum(x for x, _ in found.values()) == pytest.approx(worth(frozenset(VALUES))[0])


def test_values_can_be_laid_over_every_line_of_the_register():
    """Laying a register over its own parameters changes nothing; an item of a list can be taken away."""
    loaded = load_parameters(Path(__file__).parent.parent / "params/claims_intake.yaml")
    entries = register(loaded.parameters)
    same = with_values(loaded.parameters, {entry.key: entry.value for entry in entries})
    assert [(e.key, e.value.numbers) for e in register(same)] == [(e.key, e.value.numbers) for e in entries]
    fewer = with_values(loaded.parameters, {"remedies[0].cost": None, "remedies[0].weeks": None})
    assert [r.name for r in fewer.remedies] == [r.name for r in loaded.parameters.remedies[1:]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "does not exist"),
        ("{", "is not one record"),
        ("[]", "is not a record"),
        ('{"pilot": "x"}', "is not a record"),
        ('{"pilot": "../../etc", "verdict": "fix", "schema": 1, "provenance": {}}', "is not a record"),
    ],
)
def test_what_is_no_record_is_refused_with_the_mend(tmp_path, text, says):
    file = tmp_path / "decision.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["diff", str(file), str(file)])
    assert done.exit_code == 2
    assert says in done.output
    assert "name a record" in done.output


def test_records_of_two_pilots_are_refused(tmp_path, before):
    files = [tmp_path / f"{name}.json" for name in ("one", "two")]
    for file, name in zip(files, ("one", "two"), strict=True):
        file.write_text(json.dumps(before | {"pilot": name}), encoding="utf-8")
    done = CliRunner().invoke(main, ["diff", *map(str, files)])
    assert (done.exit_code, "two pilots" in done.output) == (2, True)


def test_text_of_a_record_is_no_markup(tmp_path, before):
    """Labels and names of a foreign record are shown as they are, control signs left out."""
    odd = deepcopy(before)
    odd["assumptions"][0] |= {"label": "[red]x[/red]\x1b[31m", "value": "[bold]1"}
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, record in zip(files, (before, odd), strict=True):
        file.write_text(json.dumps(record), encoding="utf-8")
    done = CliRunner().invoke(main, ["diff", *map(str, files), "--no-recompute"])
    assert done.exit_code == 0
    assert "[red]x[/red]" in done.output
    assert "\x1b" not in done.output
