"""The value ladder adds up without counting anything twice, and what the value rests on is told and dated."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest
from pilots import cases, write_csv, write_pilot
from test_method_example import example  # noqa: F401 – a fixture

from roi.advice import _charged
from roi.evidence import evidence_of_record, mean_shares, variance_shares
from roi.ladder import _less_than_sure, lines_of
from roi.measures import Measure
from roi.money import share_assumed
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.problems import ParameterError
from roi.quantities import Quantity
from roi.report import proof
from roi.tariff import Prices

SHARES = {"a": 0.5, "b": 0.5}
FEW = {"run": {"draws": 1000, "as_of": "2026-12-01"}}


@pytest.fixture(scope="module")
def decision(tmp_path_factory):
    """One kind pays and the other loses, so that narrower scopes are chosen among; half of the inputs have a date."""
    rows = cases(900, segments=SHARES, by_segment={"a": (16.0, 8.0), "b": (15.0, 14.5)})
    changes = FEW | {
        "demand": {
            "cases_per_month": {"low": 1800, "high": 2200, "source": "ledger", "as_of": "2025-06-30"},
            "mix": SHARES,
        },
        "economics": {
            "labour_cost_per_hour": {"low": 40, "high": 44, "source": "payroll", "as_of": "2026-10-01"},
            "realisation": {
                "redeployed": {"min": 0.2, "mode": 0.3, "max": 0.4, "owner": "Head", "how": "backlog"}
            },
        },
        "remedies": [
            {
                "name": "Checks",
                "addresses": "data",
                "removes_share": 0.5,
                "cost": 9000,
                "cost_per_month": 90,
                "weeks": 5,
            }
        ],
    }
    return open_pilot(write_pilot(tmp_path_factory.mktemp("ladder"), rows, changes)).decision


def total(x):
    gains = x["realised"] + x["errors"] + x["not_stopping"]
    return gains - x["agent"] - x["running"] - x["waiting"] - x["one_off"] - x["chosen"]


@pytest.mark.slow
def test_the_lines_add_up_to_the_worth_of_every_option(decision):
    a = decision.analysis
    picked = a.valuer.picked
    assert picked  # a narrower scope was chosen for looking best
    options = [(a.scale, 0.0)]
    options += [(o, picked.get(o.scope.segments, 0.0)) for o in a.segments]
    options += [
        (p.option, picked.get(p.option.scope.segments, 0.0) if p.option.kind == "scale_segments" else 0.0)
        for p in a.plans
    ]
    fixed = a.valuer.roll_out(remedies=a.valuer.remedies, delay=1.5, one_off=700.0)
    for option, chosen in [*options, (fixed, 0.0)]:
        x = lines_of(option, a.economics, chosen=chosen)
        scale = np.abs(option.worth).max()
        assert np.abs(x["cash"] + x["redeployed"] - x["realised"]).max() < 1e-9 * scale
        assert np.abs(total(x) - option.worth).max() < 1e-9 * scale, option.label
    assert lines_of(fixed, a.economics)["waiting"].min() > 0


def test_a_fix_that_may_not_end_in_its_roll_out_says_so():
    """The roll-out is worth 350, the fix 349: the ladder names both, and says nothing where they read alike."""
    option = SimpleNamespace(worth=np.array([340.0, 360.0]))

    def ladder(mean: float, of: object = option) -> str:
        plan = SimpleNamespace(option=of, mean=lambda: mean)
        about = SimpleNamespace(about=SimpleNamespace(currency="EUR"))
        loaded = SimpleNamespace(parameters=about)
        return _less_than_sure(SimpleNamespace(verdict=SimpleNamespace(plan=plan), loaded=loaded), option)

    said = ladder(349.0)
    assert "349" in said
    assert "350" in said
    assert ladder(350.0) == ""
    assert ladder(349.0, of=object()) == ""


def test_the_record_says_what_each_rung_takes(decision):
    ladder = decision.record["ladder"]
    rungs = {r["rung"]: r for r in ladder["rungs"]}
    assert list(rungs) == ["hours", "capacity", "redeployed", "cash", "worth"]
    assert (rungs["redeployed"]["owner"], rungs["redeployed"]["how"]) == ("Head", "backlog")
    assert rungs["redeployed"]["evidence"] == "assumed"
    assert all(r["condition"].endswith(".") for r in rungs.values())
    assert all(
        r[k]["p10"] <= r[k]["mean"] <= r[k]["p90"] for r in rungs.values() for k in ("per_year", "horizon")
    )
    assert rungs["hours"]["per_year"]["mean"] >= rungs["capacity"]["per_year"]["mean"]
    lines = ladder["lines"]
    assert lines["cash"] + lines["redeployed"] == pytest.approx(lines["realised"], rel=1e-9)
    assert total(lines) == pytest.approx(rungs["worth"]["horizon"]["mean"], rel=1e-9)
    assert rungs["cash"]["per_year"] == decision.record["money"]["cash_per_year"]
    assert rungs["capacity"]["per_year"] == decision.record["money"]["hours_saved_per_year"]


def test_the_rungs_of_the_example_by_hand(example):  # noqa: F811
    """8 minutes, 1,000 cases a month, half of them with the agent: 1,600 and 800 hours a year.

    Over three months the ramp is ¼, ¾, 1: two months at the ceiling of 66.67 hours, 133.3. An hour costs 60 and 0.4 of
    it becomes other work: 19,200 a year; over the horizon 1,600 · 1.95568 = 3,129.09.
    """
    rungs = {r["rung"]: r for r in example.record["ladder"]["rungs"]}
    assert rungs["hours"]["per_year"]["mean"] == pytest.approx(1600, rel=1e-3)
    assert rungs["hours"]["horizon"]["mean"] == pytest.approx(400, rel=1e-3)
    assert rungs["capacity"]["per_year"]["mean"] == pytest.approx(800, rel=1e-3)
    assert rungs["capacity"]["horizon"]["mean"] == pytest.approx(133.33, rel=1e-3)
    assert rungs["capacity"]["at_labour_cost"]["per_year"]["mean"] == pytest.approx(48_000, rel=1e-3)
    assert rungs["redeployed"]["per_year"]["mean"] == pytest.approx(19_200, rel=5e-3)
    assert rungs["redeployed"]["horizon"]["mean"] == pytest.approx(3129.09, rel=5e-3)
    assert rungs["cash"]["per_year"]["mean"] == pytest.approx(0, abs=150)  # time lost in a few draws, in full
    assert rungs["worth"]["horizon"]["mean"] == pytest.approx(6146.06, rel=5e-3)
    assert rungs["worth"]["per_year"]["mean"] == pytest.approx(12 * (3600 - 100), rel=5e-3)


def test_no_worth_no_ladder(tmp_path):
    record = open_pilot(
        write_pilot(tmp_path, cases(60), FEW | {"demand": {"cases_per_month": None}})
    ).decision.record
    assert record["ladder"] is None
    evidence = record["evidence"]
    assert (evidence["value"], evidence["variance"]) == (None, None)
    assert evidence["why"] == "the worth of scaling is not known"


def inputs(**signals):
    """Stated inputs by evidence; a list is several of one kind."""
    return [
        Quantity(key=f"{group}{i}", label=group, group=group, stated=True, signals=(x,))
        for group, several in signals.items()
        for i, x in enumerate(several)
    ]


def test_variance_shares_of_a_sum_by_hand():
    """Worth x + 2 y + x z with independent standard normals: variances 1, 4 and 1; what x and z do together is theirs."""
    rng = np.random.default_rng(5)
    x, y, z = rng.standard_normal((3, 40_000))
    found = variance_shares(x + 2 * y + x * z, inputs(measured=[x], assumed=[y, z]))
    assert found["measured"] == pytest.approx(1 / 6, abs=0.01)
    assert found["assumed"] == pytest.approx(4 / 6, abs=0.02)
    assert found["default"] == 0
    assert sum(found.values()) == pytest.approx(1)
    assert variance_shares(np.full(100, 7.0), inputs(measured=[x[:100]])) == {}


def test_noise_explains_nothing():
    rng = np.random.default_rng(6)
    noise = [rng.standard_normal(2000) for _ in range(40)]
    assert variance_shares(rng.standard_normal(2000), inputs(assumed=noise))["assumed"] < 0.03


def test_the_mean_shares_are_those_of_what_is_assumed(decision):
    shares, factors = mean_shares(decision.analysis)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["assumed"] + shares["default"] == pytest.approx(share_assumed(decision.analysis)[0])
    assert sum(f["share"] for f in factors) == pytest.approx(1)
    # Of time: minutes measured, demand and labour sourced, adoption and realisation assumed.
    assert {f["factor"]: f["evidence"] for f in factors}["labour cost"] == "sourced"
    record = decision.record["evidence"]
    assert set(record["variance"]) == {"measured", "sourced", "assumed", "default", "together"}
    assert sum(record["variance"].values()) == pytest.approx(1)


def test_shares_computed_elsewhere_are_taken(decision):
    given = {"measured": 0.25, "sourced": 0.25, "assumed": 0.5, "default": 0.0}
    assert evidence_of_record(decision.analysis, given)["variance"] == given


def test_stale_evidence_is_flagged_on_the_decisions_day(decision):
    record = decision.record
    (old,) = record["evidence"]["stale"]
    assert old["key"] == "demand.cases_per_month"
    assert old["age_days"] == (dt.date(2026, 12, 1) - dt.date(2025, 6, 30)).days == 519
    assert any("older than the 365" in w for w in record["warnings"])
    assert record["evidence"]["samples"]["stale"] is False
    assert not any("not used yet" in w and "evidence_max_age" in w for w in record["warnings"])


@pytest.mark.slow
def test_old_samples_are_flagged_and_undated_ones_say_so(tmp_path):
    changes = {"run": {"draws": 1000, "as_of": "2027-12-01"}, "policy": {"evidence_max_age_days": 90}}
    record = open_pilot(write_pilot(tmp_path / "old", cases(60), changes)).decision.record
    samples = record["evidence"]["samples"]
    assert samples["stale"] is True
    assert samples["age_days"] > 90
    assert any("Sample new cases" in w for w in record["warnings"])
    rows = [{k: v for k, v in row.items() if k != "started_at"} for row in cases(60)]
    path = write_pilot(tmp_path / "undated", cases(60), changes)
    write_csv(tmp_path / "undated/data/cases.csv", rows)
    record = open_pilot(path).decision.record
    assert record["evidence"]["samples"]["stale"] is None
    assert "nobody can tell" in record["evidence"]["samples"]["why"]


def test_the_examples_have_nothing_stale_and_the_key_is_used(tmp_path):
    path = write_pilot(tmp_path, cases(20), policy={"approved_by": "Board", "evidence_max_age_days": 200})
    loaded = load_parameters(path)
    assert loaded.policy.evidence_max_age_days == 200
    assert not any("evidence_max_age_days" in w for w in loaded.warnings)


def with_day(folder, day, *, timed, run=None):
    """A pilot whose demand is of a day; its cases carry times or none."""
    demand = {"cases_per_month": {"low": 1800, "high": 2200, "source": "ledger", "as_of": day}}
    without = () if timed else ("actions", "access", "evals", "changes", "incidents")
    changes = {"run": {"draws": 1000} | (run or {}), "demand": demand}
    path = write_pilot(folder, cases(60), changes, without=without)
    if not timed:
        rows = [{k: v for k, v in row.items() if k != "started_at"} for row in cases(60)]
        write_csv(folder / "data/cases.csv", rows)
    return path


@pytest.mark.slow
def test_without_a_day_of_the_decision_the_age_of_inputs_cannot_be_told(tmp_path):
    path = with_day(tmp_path, "2010-01-01", timed=False)
    decision = open_pilot(path).decision
    record = decision.record
    assert (record["as_of"], record["evidence"]["stale"]) == (None, None)
    assert "run.as_of is not stated" in record["evidence"]["stale_why"]
    assert any("How old 1 dated input may be cannot be told" in w for w in record["warnings"])
    assert any("State run.as_of, the day of the decision" in w for w in record["warnings"])
    assert "there is no day to count from" in proof.evidence(decision).html


def test_an_input_of_a_day_after_a_stated_decision_is_refused(tmp_path):
    """A decision of 2026 cannot know what is of 2031; the line and the mend are said."""
    path = with_day(tmp_path, "2031-01-01", timed=True, run={"as_of": "2026-12-01"})
    with pytest.raises(ParameterError) as refused:
        load_parameters(path)
    (problem,) = refused.value.problems
    assert problem.place == "demand.cases_per_month.as_of"
    assert (
        "2031-01-01 is after the decision, which is of 2026-12-01 (run.as_of); correct the year"
        in problem.message
    )
    assert "(line " in problem.message
    load_parameters(with_day(tmp_path / "same", "2026-12-01", timed=True, run={"as_of": "2026-12-01"}))


@pytest.mark.slow
def test_an_input_of_a_day_after_the_newest_case_is_said(tmp_path):
    """It may have been looked up after the last case, so that it is no mistake for certain."""
    decision = open_pilot(with_day(tmp_path, "2031-01-01", timed=True)).decision
    record = decision.record
    assert [x["key"] for x in record["evidence"]["later"]] == ["demand.cases_per_month"]
    assert any("(2031-01-01) is dated after the newest day of the samples" in w for w in record["warnings"])
    assert "Dated after the newest day" in proof.evidence(decision).html


@pytest.mark.slow
def test_a_convention_does_not_read_like_a_finding(decision):
    html = proof.evidence(decision).html
    assert "was measured or comes from documents" not in html
    assert "is a convention" in html
    assert decision.record["evidence"]["text"].startswith("Counting every factor of the gain alike, ")


def test_cases_that_measurements_share_and_the_set_up_are_charged_once():
    """894 and 60 labels, 12 each, and a set-up of 100: 10,828 for the larger one, nothing more for the other."""
    prices = Prices(per_case=12.0, per_label=12.0, per_baseline_case=5.0, setup=100.0, cases_per_week=80.0)

    def measure(gate: str, n: int, price: float | None, pool: str) -> Measure:
        return Measure(gate=gate, what="", n=n, price=price, months=0.0, pool=pool)

    few = measure("usable_inputs", 60, 720.0, "labels")
    many = measure("severe_errors", 894, 10_728.0, "labels")
    timed = measure("measured_baseline", 10, 50.0, "baseline")
    said = measure("design", 0, 0.0, "words")
    assert _charged((few, many, timed, said), prices) == {
        "severe_errors": 10_828.0,
        "usable_inputs": 0.0,
        "measured_baseline": 50.0,
        "design": 0.0,
    }
    assert _charged((), prices) == {}
