"""How well decisions forecast: coverage, bias, quantile score and the optimism factor, by hand and by simulation."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from opened_examples import PARAMS, example
from scipy.stats import binomtest, t

from roi.archive import archive_text
from roi.assembled import open_portfolio, portfolio_text
from roi.forecast_scores import forecasts_of, realised_of_reports, scores_of
from roi.optimism import cuts_of, lines_of, optimism_of, suggestion
from roi.parameters import load_parameters
from roi.report.forecasts import forecasts as show
from roi.report.index import index_page
from roi.schema.portfolio import Portfolio

CASH = "economics.realisation.cash"


def realised(
    actual: float,
    *,
    p50: float = 100.0,
    mean: float = 100.0,
    months: tuple[float, ...] = (100.0,),
    **ratios: float,
) -> dict[str, Any]:
    """A pilot whose benefit was to lie between 80 and 130."""
    said = {"mean": mean, "p10": 80.0, "p50": p50, "p90": 130.0}
    return {
        "state": "known",
        "currency": "EUR",
        "months": [
            {"actual": {"shown": {"inside": 80 <= m <= 130}}} for m in months
        ] + [{"actual": None}],
        "cumulative": {
            "actual": {"benefit": {"mean": actual}},
            "shown": {
                "of": ["volume", "adoption", *(["cash"] if "cash" in ratios else [])],
                "forecast": said,
                "inside": 80 <= actual <= 130,
                "below": 0.5,
                "crps": 1.0,
            },
            "ratios": {"volume": None, "adoption": None, "hours": None, "cash": None} | ratios,
        },
    }  # fmt: skip


def test_coverage_counts_pilots_and_shows_months():
    found = scores_of(
        {"a": realised(90, months=(85, 70)), "b": realised(60), "c": realised(131), "d": realised(100)}
    )
    assert (found["coverage"]["inside"], found["coverage"]["of"]) == (2, 4)
    exact = binomtest(2, 4).proportion_ci(0.90, method="exact")
    assert (found["coverage"]["low"], found["coverage"]["high"]) == pytest.approx((exact.low, exact.high))
    assert found["coverage"]["months"] == {"inside": 4, "of": 5, "share": 0.8}


def test_bias_and_quantile_score_by_hand():
    """Ratios ½ and 2: logs cancel, sd ln 4 / √2. A benefit of 50 misses P10 by 30, P50 by 50 and P90 by 80."""
    found = scores_of({"a": realised(50), "b": realised(200)})
    assert found["bias"]["log_ratio"] == pytest.approx(0.0, abs=1e-12)
    half = float(t.ppf(0.95, 1)) * (math.log(4) / math.sqrt(2)) / math.sqrt(2)
    assert (found["bias"]["low"], found["bias"]["high"]) == pytest.approx((-half, half))
    low = (30 * 0.9 + 50 * 0.5 + 80 * 0.1) / 3 * 2 / 100
    high = (120 * 0.1 + 100 * 0.5 + 70 * 0.9) / 3 * 2 / 100
    assert found["quantile_score"] == pytest.approx((low + high) / 2)


def test_optimism_by_hand():
    """Two pilots at e^−0.4 and e^−0.2, and the guess of one at 1: mean −0.6 / 3, on 5 degrees of freedom.

    Their squares: 3 × 0.4² of the guess, 0.02 around their mean, and 1 × 2 / 3 × 0.3² between the two.
    """
    found = optimism_of([math.exp(-0.4), math.exp(-0.2)])
    assert found.factor == pytest.approx(math.exp(-0.2))
    scale = math.sqrt((3 * 0.16 + 0.02 + 2 / 3 * 0.09) / 5)
    half = float(t.ppf(0.95, 5)) * scale / math.sqrt(3)
    assert (found.low, found.high) == pytest.approx((math.exp(-0.2 - half), math.exp(-0.2 + half)))
    wider = float(t.ppf(0.95, 5)) * scale * math.sqrt(4 / 3)
    assert found.next_low == pytest.approx(math.exp(-0.2 - wider))


def test_few_pilots_are_drawn_to_one_and_offer_nothing():
    one, many = optimism_of([0.5]), optimism_of([0.5] * 40)
    assert 0.5 < many.factor < one.factor < 1
    assert one.low < 0.5 < 1 < one.high
    assert scores_of({"a": realised(50)})["optimism"]["offered"] is False
    assert "Too few" in scores_of({"a": realised(50)})["optimism"]["text"]
    assert scores_of({"a": realised(50)})["bias"]["low"] is None


def test_no_pilot_at_all_is_said_and_no_number():
    found = scores_of({"a": {"state": "too_early", "why": "No month counts yet."}})
    assert found["coverage"] is found["bias"] is found["optimism"] is None
    assert found["left_out"] == [{"pilot": "a", "why": "No month counts yet."}]
    assert found["text"].startswith("No pilot has months")
    assert optimism_of([]).factor == 1.0


def test_a_loss_counts_and_a_forecast_loss_is_no_share_of_anything():
    found = scores_of({"a": realised(-40), "b": realised(90, p50=-5.0, mean=-4.0)})
    assert found["bias"]["floored"] == 1
    assert found["bias"]["log_ratio"] == pytest.approx(math.log(0.05))
    assert [x["pilot"] for x in found["left_out"]] == ["b"]
    assert found["coverage"]["of"] == 2
    assert found["optimism"]["factor"] == pytest.approx(optimism_of([0.05]).factor)
    assert optimism_of([-0.4]) == optimism_of([0.05])


def test_what_is_offered_is_a_key_and_its_value():
    """Cash {0.05, 0.20, 0.35} and redeployed {0.15, 0.30, 0.50} of the example, cut to what came."""
    parameters = example("support_replies").loaded.parameters
    optimism = optimism_of([0.7, 0.8, 0.75, 0.7])
    rows = suggestion({CASH: optimism}, parameters)
    assert [r["key"] for r in rows] == [CASH]  # what else becomes of an hour no month shows
    f = optimism.factor
    assert rows[0]["value"].startswith(
        f"{{min: {0.05 * f:.3g}, mode: {0.2 * f:.3g}, max: {0.35 * f:.3g}, evidence: {parameters.economics.realisation.cash.evidence}"
    )
    assert suggestion({CASH: optimism_of([0.7, 0.8])}, parameters) == []
    assert suggestion({CASH: optimism_of([1.2] * 5)}, parameters) == []


def test_only_what_months_show_is_offered_by_what_came_of_it_alone():
    """Benefits at 0.7 for want of cases: demand is cut, and adoption, which came, is not; without cash nothing of it."""
    found = scores_of({n: realised(70, volume=0.6, adoption=1.1) for n in "abc"})["optimism"]
    assert found["offered"] is True
    assert found["of"] == ["volume", "adoption"]
    assert "What becomes of a saved hour not all of them show" in found["text"]
    keys = {x["key"]: x for x in found["keys"]}
    assert set(keys) == {"demand.cases_per_month", "economics.adoption.ceiling"}
    assert keys["demand.cases_per_month"]["factor"] == pytest.approx(optimism_of([0.6] * 3).factor)
    assert [x["offered"] for x in keys.values()] == [True, False]
    rows = scores_of({n: realised(70, volume=0.6, cash=0.5) for n in "abc"})["pilots"]
    rows = suggestion(cuts_of(rows), example("support_replies").loaded.parameters)
    assert [r["key"] for r in rows] == ["demand.cases_per_month", CASH]
    lines = lines_of(rows).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "demand",
        "  cases_per_month",
        "economics",
        "  realisation",
        "    cash",
    ]
    assert scores_of({n: realised(70) for n in "abc"})["optimism"]["offered"] is False
    assert scores_of({n: realised(120, cash=1.2) for n in "abc"})["optimism"]["offered"] is False


def test_the_lines_to_paste_cut_a_case_once_and_leave_its_evidence_as_it_was(tmp_path):
    """What they say is read as the same shares times the factor; a case that has been cut is offered nothing."""
    before = example("support_replies").loaded.parameters
    optimism = optimism_of([0.7] * 5)
    lines = lines_of(suggestion({CASH: optimism}, before))
    text = (PARAMS / "support_replies.yaml").read_text(encoding="utf-8").splitlines()
    shares = [line for line in text if line.startswith("    cash:")]
    assert len(shares) == 1
    pasted = iter(lines.splitlines()[2:])
    new = [next(pasted) if line in shares else line for line in text]
    (tmp_path / "params").mkdir()
    (tmp_path / "params/support_replies.yaml").write_text("\n".join(new), encoding="utf-8")
    (tmp_path / "data").symlink_to(PARAMS.parent / "data")
    after = load_parameters(tmp_path / "params/support_replies.yaml").parameters
    was, now = (p.economics.realisation.cash for p in (before, after))
    assert now.mean == pytest.approx(optimism.factor * was.mean, rel=0.01)
    assert (now.evidence, now.source, now.owner) == (was.evidence, was.source, was.owner)
    assert suggestion({CASH: optimism}, after) == []
    assert lines_of([]) == ""


def archived(folder, **changes):
    """A report folder with the record and archive of the example, made before its months or with changes."""
    folder.mkdir(parents=True)
    decision = example("support_replies").decision
    record = {**decision.record, **changes}
    (folder / "decision.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "moments.json").write_text(archive_text(decision.analysis, record), encoding="utf-8")


@pytest.mark.slow
def test_all_pilots_that_name_their_actuals(tmp_path):
    files = [PARAMS / "support_replies.yaml", PARAMS / "contract_summaries.yaml", tmp_path / "none.yaml"]
    archived(tmp_path / "support_replies")
    past = realised_of_reports(tmp_path, files)
    assert past.realised["support_replies"]["state"] == "known"
    assert (list(past.others), list(past.failed)) == (["contract_summaries"], ["none.yaml"])
    found = forecasts_of(tmp_path, files)
    assert (found["records"], found["coverage"]["of"], found["not_reported"]) == (
        1,
        1,
        ["contract_summaries"],
    )
    assert found["months"] == found["coverage"]["months"]["of"] == found["pilots"][0]["months"]
    assert (found["offers"], found["left_out"][-1]["pilot"]) == ([], "none.yaml")


@pytest.mark.parametrize("as_of", [None, "2027-06-30"])
def test_what_was_written_down_after_the_months_is_no_forecast(tmp_path, as_of):
    if as_of:
        archived(tmp_path / "support_replies", as_of=as_of)
    found = forecasts_of(tmp_path, [PARAMS / "support_replies.yaml"])
    assert found["coverage"] is None
    assert "nothing was forecast" in found["left_out"][0]["why"]


@pytest.mark.slow
def test_the_portfolio_of_the_reports_holds_and_shows_them(tmp_path):
    """By whichever way it is opened: the batch's text, or the notebook's folder of reports."""
    archived(tmp_path / "support_replies")
    by_batch = json.loads(portfolio_text(tmp_path, Portfolio(), [PARAMS / "claims_intake.yaml"]) or "")
    opened = open_portfolio(tmp_path, plan=PARAMS / "_portfolio.yaml").found
    assert by_batch["forecasts"] == opened["forecasts"]
    html = index_page([], by_batch)
    assert "<h2>How well past decisions forecast</h2>" in html
    assert "1 decision with 4 months in all" in html
    before = {key: value for key, value in by_batch.items() if key != "forecasts"}
    assert "How well past decisions" not in index_page([], before)


def three(ratio: float) -> dict[str, Any]:
    """What portfolio.json would hold of three decisions that brought so much of their forecast."""
    scores = scores_of({name: realised(100 * ratio, cash=ratio) for name in "abc"})
    rows = suggestion({CASH: optimism_of([ratio] * 3)}, example("support_replies").loaded.parameters)
    return {
        **scores, "records": 3, "months": 3, "needed": 3, "not_reported": ["gone", "next"],
        "offers": [{"pilot": "next", "title": "<b>Next</b>", "lines": lines_of(rows)}] if rows else [],
    }  # fmt: skip


@dataclass
class Opened:
    found: dict[str, Any]


def shown(forecasts: dict[str, Any]) -> str:
    titled = [
        {"pilot": "next", "title": "Next <case>", "verdict": "scale"},
        {"pilot": "a", "title": "A", "verdict": "fix"},
        {"pilot": "gone", "title": "Gone", "verdict": "kill"},
    ]
    return show(Opened({"forecasts": forecasts, "pilots": titled, "currency": "EUR"})).html


@pytest.mark.slow
def test_the_page_offers_the_lines_and_says_what_is_missing():
    html = shown(three(0.7))
    assert "&lt;b&gt;Next&lt;/b&gt;" in html
    assert "economics:\n  realisation:\n    cash: {min: " in html
    assert "30\N{NO-BREAK SPACE}% below the middle of the forecast" in html
    assert "nothing is to be cut" in shown(three(1.2))
    one = {**three(0.7), **scores_of({"a": realised(70)}), "records": 1, "months": 1, "offers": []}
    html = shown(one)
    assert "1 past decision has months" in html
    assert "2 more decisions" in html
    assert "Next &lt;case&gt; reports none" in html
    assert "For the next case" not in html
    none = {**one, **scores_of({}), "records": 0, "months": 0}
    assert "No decision has months yet" in shown(none)
    assert "<figure" not in shown(none)


@pytest.mark.slow
def test_the_intervals_of_optimism_cover():
    """4,000 portfolios of 6 pilots at 0.8 of their forecast, spread 0.3: 90 % intervals of the factor and of the next."""
    rng = np.random.default_rng(17)
    inside = after = 0
    for _ in range(4000):
        y = math.log(0.8) + 0.3 * rng.standard_normal(7)
        found = optimism_of(np.exp(y[:6]))
        inside += found.low <= 0.8 <= found.high
        after += found.next_low <= math.exp(y[6]) <= found.next_high
    print(f"factor {inside / 4000:.3f}, next {after / 4000:.3f}")
    assert 0.88 <= inside / 4000 <= 0.97
    assert 0.88 <= after / 4000 <= 0.97
