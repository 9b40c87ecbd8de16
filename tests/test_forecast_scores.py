"""How well decisions forecast: coverage, bias, quantile score and the optimism factor, by hand and by simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from opened_examples import PARAMS, example
from scipy.stats import binomtest, t

from roi.forecast_scores import optimism_of, realised_of_reports, scores_of, suggestion


def realised(
    actual: float, *, p50: float = 100.0, mean: float = 100.0, months: tuple[float, ...] = (100.0,)
) -> dict[str, Any]:
    """A pilot whose benefit was to lie between 80 and 130."""
    said = {"mean": mean, "p10": 80.0, "p50": p50, "p90": 130.0}
    return {
        "state": "known",
        "currency": "EUR",
        "months": [
            {"forecast": {"benefit": said}, "actual": {"benefit": {"mean": m}}} for m in months
        ] + [{"forecast": {"benefit": said}, "actual": None}],
        "cumulative": {
            "forecast": {"benefit": said},
            "actual": {"benefit": {"mean": actual}},
            "inside": 80 <= actual <= 130,
            "below": 0.5,
            "crps": 1.0,
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
    rows = suggestion(optimism, parameters)
    assert [r["key"] for r in rows] == ["economics.realisation.cash", "economics.realisation.redeployed"]
    f = optimism.factor
    assert rows[0]["value"].startswith(
        f"{{min: {0.05 * f:.3g}, mode: {0.2 * f:.3g}, max: {0.35 * f:.3g}, source:"
    )
    assert suggestion(optimism_of([0.7, 0.8]), parameters) == []
    assert suggestion(optimism_of([1.2] * 5), parameters) == []
    assert scores_of({n: realised(70) for n in "abc"})["optimism"]["offered"] is True
    assert scores_of({n: realised(120) for n in "abc"})["optimism"]["offered"] is False


def test_what_is_offered_can_be_written_as_it_stands(tmp_path):
    import yaml

    rows = suggestion(optimism_of([0.7] * 5), example("support_replies").loaded.parameters)
    values = [yaml.safe_load(r["value"]) for r in rows]
    assert all(set(v) == {"min", "mode", "max", "source"} for v in values)


def test_all_pilots_that_name_their_actuals(tmp_path):
    files = [PARAMS / "support_replies.yaml", PARAMS / "contract_summaries.yaml", tmp_path / "none.yaml"]
    found, failed = realised_of_reports(tmp_path, files)
    assert list(found) == ["support_replies"]
    assert list(failed) == ["none.yaml"]
    assert scores_of(found)["coverage"]["of"] == 1


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
