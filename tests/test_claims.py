"""Claims beside what was measured: by hand, in money, and refused where they cannot be true."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from opened_examples import example
from pilots import cases, write_pilot

from roi import words
from roi.claims import ratio_of
from roi.cli import main
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.problems import ParameterError
from roi.report import proof
from roi.report.facts import facts

FEW = {"run": {"draws": 1000}}


def claim(quantity="minutes_saved_per_case", value=9, by="vendor", **more):
    return {"quantity": quantity, "value": value, "by": by, **more}


@pytest.fixture(scope="module")
def decision(tmp_path_factory):
    claims = [
        claim(),
        claim(value={"low": 5, "high": 7}, source="board paper"),
        claim("error_rate_pilot", 0.0, source="sales deck"),
        claim("escalation_rate_pilot", 0.1),
        claim("worth", 900_000, by="business case"),
        claim("human_minutes_baseline", 22, by="Workers", source="survey of May"),
        claim("handling_minutes_pilot", 10, by="team lead", kind="self_report"),
        claim("review_minutes_pilot", 3),
    ]
    alternatives = [{"name": "Macro", "minutes_saved": 2, "cost": 1000, "source": "staff survey"}]
    changes = FEW | {"claims": claims, "alternatives": alternatives}
    return open_pilot(write_pilot(tmp_path_factory.mktemp("claims"), cases(900), changes)).decision


@pytest.fixture
def claims(decision):
    return {(c["quantity"], c["claimed"]): c for c in decision.record["claims"]}


@pytest.mark.slow
def test_a_claim_stands_beside_its_estimate(decision, claims):
    found = claims["minutes_saved_per_case", 9.0]
    saved = decision.record["estimates"]["minutes_saved_per_case"]
    assert {k: found["measured_interval"][k] for k in ("mean", "p05", "p95")} == {
        k: saved[k] for k in ("mean", "p05", "p95")
    }
    # A number less draws: the ends change places.
    assert found["difference"]["mean"] == pytest.approx(9 - saved["mean"])
    assert found["difference"]["p05"] == pytest.approx(9 - saved["p95"])
    assert found["ratio"]["mean"] == pytest.approx(9 / saved["mean"])
    assert found["ratio"]["p95"] == pytest.approx(9 / saved["p05"], rel=1e-3)
    assert found["position"] == "above"
    assert found["chance_at_least"] == 0
    assert "is above what was measured" in found["text"]
    inside = claims["minutes_saved_per_case", 6.0]
    assert inside["position"] == "inside"
    assert inside["claimed_interval"] == {"mean": 6.0, "p05": 5.0, "p95": 7.0}
    assert claims["error_rate_pilot", 0.0]["position"] == "below"


def test_the_money_of_a_claim_is_linear_in_its_minutes(decision, claims):
    """Demand × covered × ceiling × labour / 60 × realisation a minute, discounted over the ramp, draw by draw."""
    a, found = decision.analysis, claims["minutes_saved_per_case", 9.0]
    stream = a.scale.stream
    a_minute = stream.time / a.scale.scope.minutes_saved
    by_hand = 12 * (9 - a.scale.scope.minutes_saved) * a_minute
    assert (a.scale.scope.minutes_saved > 0).all()
    assert found["money"]["per_year"]["difference"]["mean"] == pytest.approx(by_hand.mean(), rel=1e-9)
    assert found["money"]["promised"]["mean"] > found["money"]["measured"]["mean"]
    assert found["money"]["measured"]["mean"] == decision.record["options"]["scale"]["mean"]
    assert claims["worth", 900_000.0]["money"]["promised"]["p10"] == 900_000
    none = claims["escalation_rate_pilot", 0.1]
    assert none["money"] is None
    assert none["money_why"] == "no sum of money rests on this quantity"


def test_an_error_free_agent_is_worth_the_errors(decision, claims):
    a, found = decision.analysis, claims["error_rate_pilot", 0.0]
    cost = sum(a.measured.rates.severity[1][:, i] * c for i, c in enumerate(a.economics.error_cost))
    cases_ = a.economics.cases_per_month * a.economics.ceiling * a.scale.scope.share
    by_hand = 12 * cases_ * a.scale.scope.error_rate[1] * cost
    assert found["money"]["per_year"]["difference"]["mean"] == pytest.approx(by_hand.mean(), rel=1e-9)


def test_a_claim_of_one_arm_leaves_the_other(decision, claims):
    """Ten minutes for the agent's handling or 22 for the baseline: what is saved moves by the difference."""
    a = decision.analysis
    a_minute = 12 * a.scale.stream.time / a.scale.scope.minutes_saved
    for quantity, value, arm in (("handling_minutes_pilot", 10.0, 1), ("human_minutes_baseline", 22.0, 0)):
        off = value - a.measured.arm_mean(quantity.rsplit("_", 1)[0], arm)
        by_hand = (1 - 2 * arm) * off * a_minute
        found = claims[quantity, value]["money"]["per_year"]["difference"]["mean"]
        assert found == pytest.approx(by_hand.mean(), rel=1e-6), quantity


def test_what_was_not_measured_is_none(claims):
    found = claims["review_minutes_pilot", 3.0]
    assert found["measured"] is None
    assert found["ratio"] is None
    assert found["ratio_why"] == "nothing was measured"
    assert found["position"] is None
    assert found["text"].endswith("it was not measured.")


def test_a_ratio_needs_a_sign():
    rng = np.random.default_rng(1)
    assert ratio_of(3.0, rng.normal(0.5, 1.0, 4000))[0] is None
    found, why = ratio_of(3.0, rng.normal(2.0, 0.1, 4000))
    assert why is None
    assert found["p05"] < 1.5 < found["p95"]


def test_the_bias_of_self_reports_is_offered_beside_inputs_that_rest_on_them(decision):
    reports = decision.record["self_reports"]
    assert [(f["quantity"], f["of"]) for f in reports["factors"]] == [
        ("human_minutes_baseline", "baseline"), ("handling_minutes_pilot", "pilot"),
    ]  # fmt: skip
    assert "combined" not in reports  # levels of both arms have no factor together
    assert reports["saved"] == []  # of two people and two quantities
    (macro,) = reports["inputs"]
    assert macro["key"] == "alternatives[0].minutes_saved"
    assert macro["without_bias"] == []
    assert macro["why"] == "no self-report of a saving has both"


@pytest.mark.slow
def test_opposite_exaggerations_do_not_cancel(tmp_path):
    """Baseline times 1.37 and pilot times 0.76: 1.02 as a geometric mean, and twice the minutes saved or more."""
    plain = open_pilot(write_pilot(tmp_path / "a", cases(900), FEW)).decision.record["estimates"]
    measured = [plain[f"human_minutes_{arm}"]["mean"] for arm in ("baseline", "pilot")]
    reported = [round(1.37 * measured[0], 3), round(0.76 * measured[1], 3)]
    names = ("human_minutes_baseline", "human_minutes_pilot")
    claims = [claim(q, x, by="workers") for q, x in zip(names, reported, strict=True)]
    alternatives = [{"name": "Macro", "minutes_saved": 2, "cost": 1000, "source": "staff survey"}]
    changes = FEW | {"claims": claims, "alternatives": alternatives}
    decision = open_pilot(write_pilot(tmp_path / "b", cases(900), changes)).decision
    reports = decision.record["self_reports"]
    assert [f["factor"]["mean"] for f in reports["factors"]] == pytest.approx([1.37, 0.76], rel=1e-3)
    (row,) = reports["saved"]
    by_hand = (reported[0] - reported[1]) / (measured[0] - measured[1])
    assert by_hand > 2
    assert row["factor"]["mean"] == pytest.approx(by_hand, rel=1e-3)
    assert row["factor"]["p05"] < by_hand < row["factor"]["p95"]
    assert row["reported"]["mean"] == pytest.approx(reported[0] - reported[1])
    assert row["measured"]["mean"] == pytest.approx(plain["minutes_saved_per_case"]["mean"], rel=1e-2)
    html = proof.claims(decision).html
    assert f"<b>{words.number(by_hand)} times</b> what was measured" in html
    assert all(f"{x} times what was measured" in html for x in ("1.37", "0.760"))


@pytest.mark.slow
def test_a_stated_baseline_that_rests_on_self_reports_is_not_corrected_by_the_other_arm(tmp_path):
    rows = [row for row in cases(700) if row["arm"] == "pilot"]
    baseline = {"handling_minutes": {"low": 18, "high": 22, "source": "self-reports of May"}}
    claims = [claim("handling_minutes_pilot", 12, by="workers")]
    changes = FEW | {"samples": {"baseline": baseline}, "claims": claims}
    (row,) = open_pilot(write_pilot(tmp_path, rows, changes)).decision.record["self_reports"]["inputs"]
    assert (row["key"], row["of"]) == ("samples.baseline.handling_minutes", "baseline")
    assert (row["without_bias"], row["why"]) == ([], "no self-report of a level without the agent has both")


@pytest.mark.slow
def test_a_saving_is_divided_by_each_factor_of_savings(tmp_path):
    claims = [claim(value=9, by="workers"), claim(value=7, by="team")]
    alternatives = [{"name": "Macro", "minutes_saved": 2, "cost": 1000, "source": "staff survey"}]
    changes = FEW | {"claims": claims, "alternatives": alternatives}
    record = open_pilot(write_pilot(tmp_path, cases(900), changes)).decision.record
    (row,) = record["self_reports"]["inputs"]
    saved = record["estimates"]["minutes_saved_per_case"]["mean"]
    assert [w["by"] for w in row["without_bias"]] == ["workers", "team"]
    assert [w["mean"] for w in row["without_bias"]] == pytest.approx([2 * saved / 9, 2 * saved / 7], rel=1e-3)


BAD = {
    "unknown": (
        [claim("minutes_save_per_case")],
        "claims[0].quantity",
        "did you mean 'minutes_saved_per_case'?",
    ),
    "a share above 1": ([claim("error_rate_pilot", 6)], "claims[0].value", "6 % is 0.06"),
    "a share below 0": ([claim("escalation_rate_pilot", -0.1)], "claims[0].value", "0 to 1"),
    "an interval that leaves it": (
        [claim("relative_time_saved", {"low": 0.5, "high": 1.2})],
        "claims[0].value",
        "at most 1",
    ),
    "negative minutes": ([claim("human_minutes_pilot", -3)], "claims[0].value", "at least 0"),
    "contradictory": ([claim(), claim(value=11, by="Vendor ")], "claims[1].value", "contradicts claims[0]"),
    "of the same, unnamed": (
        [claim(by=None), claim(value=11, by=None)],
        "claims[1].value",
        "the same, unnamed source",
    ),
    "an unknown kind": ([claim(kind="self_reprot")], "claims[0].kind", "did you mean 'self_report'?"),
}


@pytest.mark.parametrize(("given", "place", "mend"), BAD.values(), ids=BAD)
def test_claims_that_cannot_be_true_are_refused(tmp_path, given, place, mend):
    path = write_pilot(tmp_path, cases(20), {"claims": given})
    with pytest.raises(ParameterError) as refused:
        load_parameters(path)
    found = {p.place: p.message for p in refused.value.problems}
    assert mend in found[place]


def test_refused_claims_end_with_code_2(tmp_path):
    """All of them at once, with what else does not hold together."""
    given = {
        "claims": [claim(), claim(value=3)],
        "remedies": [{"name": "x", "addresses": "data"} for _ in (0, 1)],
    }
    said = CliRunner().invoke(main, ["decide", str(write_pilot(tmp_path, cases(20), given)), "--json"])
    assert said.exit_code == 2
    assert "contradicts claims[0]" in said.output
    assert "names two remedies" in said.output


def test_one_source_may_claim_the_same_twice_and_two_sources_may_differ(tmp_path):
    given = [claim(), claim(), claim(value=3, by="pilot team"), claim(value=8, source="a later deck")]
    assert len(load_parameters(write_pilot(tmp_path, cases(20), {"claims": given})).parameters.claims) == 4


def refused(tmp_path, **groups):
    with pytest.raises(ParameterError) as error:
        load_parameters(write_pilot(tmp_path, cases(20), groups))
    return {p.place: p.message for p in error.value.problems}


def of_vendor(*values):
    names = ("human_minutes_baseline", "human_minutes_pilot", "minutes_saved_per_case")
    return [claim(q, v) for q, v in zip(names, values, strict=True) if v is not None]


@pytest.mark.parametrize(
    ("given", "place", "said"),
    [
        (of_vendor(20, 15, 11), "claims[2].value", "claims[0] and claims[1]: 'vendor' claims 20 minus 15"),
        (of_vendor(20, 15, 11)[::-1], "claims[2].value", "which is not the 11 of minutes_saved_per_case"),
        (of_vendor({"low": 18, "high": 20}, 15, 11), "claims[2].value", "correct one, or name the source"),
        (
            [claim("error_rate_baseline", 0.12), claim("error_rate_pilot", 0.04), claim("errors_avoided_per_case", 0.11)],
            "claims[2].value",
            "0.12 minus 0.04",
        ),
        (
            [*of_vendor(20, None, 11), claim("relative_time_saved", 0.25)],
            "claims[2].value",
            "0.25 of 20",
        ),
        (
            [claim(f"{part}_minutes_pilot", 5) for part in ("handling", "review", "rework", "human")],
            "claims[3].value",
            "5 plus 5 plus 5",
        ),
    ],
)  # fmt: skip
def test_quantities_of_one_source_add_up(tmp_path, given, place, said):
    """20 - 15 = 5 and not 11, whichever of them comes last."""
    assert said in refused(tmp_path, claims=given)[place]


def test_rounding_intervals_and_other_sources_are_no_contradiction(tmp_path):
    """20.4 - 14.6 = 5.8 is written 20, 15 and 6; a half unit each: 1.5 at most."""
    given = [
        of_vendor(20, 15, 6),
        of_vendor(20, 15, {"low": 4, "high": 8}),
        of_vendor({"low": 18, "high": 30}, 15, 11),
        [*of_vendor(20, 15, None), claim(value=11, by="board")],
        [*of_vendor(20, None, 5), claim("relative_time_saved", 0.25)],
    ]
    for place, claims in enumerate(given):
        load_parameters(write_pilot(tmp_path / str(place), cases(20), {"claims": claims}))
    assert "claims[2].value" in refused(tmp_path, claims=of_vendor(20, 15, 6.6))  # 21 - 14 = 6; 6.55 at least


def test_a_contradiction_is_said_beside_everything_else_that_is_wrong(tmp_path):
    given = [*of_vendor(20, 15, 11), claim("minutes_save"), claim("error_rate_pilot", 6)]
    found = refused(tmp_path, claims=given, demand={"cases_per_month": -5})
    assert {"claims[2].value", "claims[3].quantity", "claims[4].value"} <= set(found)
    assert any(place.startswith("demand") for place in found)
    assert len(refused(tmp_path, claims=of_vendor(20, 15, 11))) == 1


def test_a_claim_of_unstated_kinds_is_held_against_none_where_some_are_rolled_out():
    """Both figures are told, and no ratio, chance or sum of money is made of cases that the claim need not be about."""
    record = example("invoice_coding").decision.record
    (found,) = record["claims"]
    scope, saved = found["in_scope"], record["estimates"]["minutes_saved_per_case"]["mean"]
    assert scope["segments"] == ["catalogue"]
    assert f"{scope['mean']:.2f} minutes less" in record["reason"]
    assert found["measured"] == saved < 0 < scope["mean"]
    for key in ("position", "ratio", "chance_at_least", "money"):
        assert found[key] is None, key
    assert found["ratio_why"] == found["money_why"] == "which kinds of cases the claim covers is not stated"
    assert record["goal"]["in_scope"] == scope
    said = {fact.label: fact.text for fact in facts(record)}
    both = f"measured 3.64 in catalogue, which is to be rolled out, and {words.minutes(saved)} over all kinds of cases"
    assert both in said["The goal"]
    assert "2.50 wanted, of which kinds is not stated." in said["The goal"]
    assert both in said["What was claimed"]
    assert "first month, catalogue invoices only" in said["What was claimed"]
    table = proof.claims(example("invoice_coding").decision).html
    assert "<bdi>catalogue</bdi>, to be rolled out" in table
    assert "over all kinds" in table


def test_where_all_kinds_are_rolled_out_a_claim_is_held_against_all_of_them():
    record = example("support_replies").decision.record
    assert [c["in_scope"] for c in record["claims"]] == [None] * len(record["claims"])
    assert all(c["ratio"] or c["ratio_why"] for c in record["claims"])
    assert (record["goal"] or {}).get("in_scope") is None
