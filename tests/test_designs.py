"""The design is named in words, with its independent unit; weaker designs carry their bias, and its tipping point."""

from __future__ import annotations

import json

import numpy as np
import pilots
import pytest
from click.testing import CliRunner
from made_moments import drawn_pilot, made_moments

from roi.cli import main
from roi.designs import design_of
from roi.gate_check import tipping_point
from roi.pilot import open_pilot

ARM = np.arange(24) % 2
MINUTES = np.linspace(5, 12, 24)


@pytest.mark.parametrize(
    ("given", "layout", "text"),
    [
        ({"workers": 10}, "within", "10 workers who worked both ways, 320 cases"),
        ({"workers": 18, "within": False}, "between", "18 workers, each in one arm (9 without and 9 with the agent), 320 cases"),
        ({"workers": None}, "cases", "320 cases, workers not recorded"),
    ],
)  # fmt: skip
def test_the_unit_is_named(given, layout, text):
    found = design_of(drawn_pilot(np.random.default_rng(1), cases=320, **given), declared="randomised")
    assert (found.layout, found.text) == (layout, text)


@pytest.mark.parametrize(
    ("unit", "kind", "layout", "text"),
    [
        (np.arange(24) // 2, "pair", "pairs", "12 pairs of cases, one worked each way"),
        (np.r_[np.arange(20) // 2, 20:24], "pair", "pairs",
         "10 pairs of cases, one worked each way and 4 cases without a partner"),
        (np.where(np.arange(24) < 12, np.arange(24) // 2, ARM + 6), "worker", "mixed",
         "8 workers, 6 of them both ways, 24 cases"),
    ],
)  # fmt: skip
def test_pairs_and_mixtures_are_named(unit, kind, layout, text):
    workers = {"baseline": 7, "pilot": 7} if kind == "worker" else None
    moments = made_moments(MINUTES, ARM, unit, unit_kind=kind, workers=workers)
    found = design_of(moments, declared="before_after")
    assert (found.layout, found.text, found.assignment) == (layout, text, "before_after")


def test_few_people_and_one_arm_are_named():
    few = made_moments(MINUTES, ARM, few_workers=True, workers={"baseline": 3, "pilot": 2})
    assert design_of(few, declared="randomised").text.startswith(
        "fewer than four workers: 3 people without the agent and 2 people with it worked 24 cases"
    )
    two = made_moments(MINUTES, ARM, few_workers=True, workers={"baseline": 1, "pilot": 1})
    said = design_of(two, declared="randomised").text
    assert "1 person without the agent and 1 person with it worked 24 cases" in said
    alone = made_moments(MINUTES, np.ones(24, dtype=int))
    assert (
        design_of(alone, declared="randomised").text
        == "24 cases, all with the agent: nothing to compare with"
    )


@pytest.mark.slow
def test_pairs_of_named_workers_are_named_too(tmp_path):
    """60 pairs, worked by ten people, are named beside the people, who are the unit; a lone case is told."""
    rows = pilots.cases(120, share_pilot=0.5)
    for i, row in enumerate(rows):
        row["arm"], row["pair_id"], row["worker"] = (
            ("baseline", "pilot")[i % 2],
            f"p{i // 2}",
            f"w{i // 3 % 10}",
        )
        row["version"] = ("", "v2")[i % 2]
    texts = []
    for name, kept in (("whole", rows), ("lone", rows[:-1])):
        (tmp_path / name).mkdir()
        design = open_pilot(pilots.write_pilot(tmp_path / name, kept)).decision.record["design"]
        assert (design["unit"], design["units"]) == ("worker", 10)
        texts.append(design["text"])
    assert texts == [
        "10 workers who worked both ways, 60 pairs",
        "10 workers who worked both ways, 59 pairs and 1 case without a partner",
    ]


def decided(path):
    done = CliRunner().invoke(main, ["decide", str(path), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize(("assignment", "k"), [("before_after", 0.15), ("observational", 0.20)])
def test_a_weaker_design_carries_its_bias_and_its_tipping_point(tmp_path, assignment, k):
    """Worked numbers: an interval is as much wider as Normal(0, k × baseline) makes it, for minutes and errors alike,
    and the tipping point is the bias at which the chance falls to the policy's."""
    rows = pilots.cases(1500, log_sd=0.3, pilot=6.0, error_baseline=0.2, error_pilot=0.1)
    path = pilots.write_pilot(tmp_path, rows, {"samples": {"assignment": assignment}})
    record = decided(path)
    estimates, tipping = record["estimates"], record["tipping_point"]
    base = estimates["human_minutes_baseline"]["mean"]
    case = open_pilot(path).decision.analysis
    plain = case.measured.without_bias().scope()
    biased = case.measured.scope()
    assert biased.minutes_saved.var() == pytest.approx(plain.minutes_saved.var() + (k * base) ** 2, rel=0.03)
    rate = biased.error_rate[0].mean()
    assert biased.error_rate[1].var() == pytest.approx(plain.error_rate[1].var() + (k * rate) ** 2, rel=0.05)
    # The tipping point in its three units, then by a constant bias of that size: just enough, and a little more not.
    assert tipping["usual"] == k
    assert tipping["share"] == pytest.approx(tipping["in_sd"] * k)
    assert tipping["bias"] == pytest.approx(tipping["share"] * base, rel=1e-9)
    assert (
        f"({tipping['share']:.0%}".replace("%", "\u00a0% of the minutes before, and as much of the errors)")
        in tipping["text"]
    )
    policy = case.loaded.policy
    at = [
        case.valuer.roll_out(measured=case.measured.shifted(tipping["in_sd"] + more)).chance(policy.hurdle)
        for more in (-0.01, 0.01)
    ]
    assert at[0] >= policy.scale_probability > at[1]
    # By hand: that bias takes share × baseline off the minutes and adds share × rate to the pilot's errors.
    moved = case.measured.shifted(tipping["in_sd"]).scope()
    assert (plain.minutes_saved - moved.minutes_saved).mean() == pytest.approx(tipping["bias"], rel=1e-6)
    assert (moved.error_rate[1] - plain.error_rate[1]).mean() == pytest.approx(
        tipping["share"] * rate, rel=1e-6
    )
    gate = next(g for g in record["gates"] if g["gate"] == "design")
    assert gate["state"] == ("shown" if tipping["in_sd"] >= 1 else "not_shown")


@pytest.mark.slow
def test_random_assignment_has_no_tipping_point(tmp_path):
    path = pilots.write_pilot(tmp_path, pilots.cases(200))
    case = open_pilot(path).decision
    assert case.record["tipping_point"] is None
    assert tipping_point(case.analysis.valuer, None, case.analysis.loaded.policy) == float("inf")


@pytest.mark.slow
def test_the_mix_is_kishs(tmp_path):
    """Kish: 100 cases of a and 50 of b in each arm, a third of the demand in a; weights are ½ and 2.

    (Σ w)² / Σ w² = 150² / (100 / 4 + 50 · 4) = 100 in each arm; scaled to 1 on average the largest weight is 2.
    """
    rows = pilots.cases(300, share_pilot=0.5)
    for i, row in enumerate(rows):
        row["arm"], row["segment"] = ("baseline", "pilot")[i % 2], "ab"[i // 2 % 3 == 0]
        row["version"] = ("", "v2")[i % 2]
    path = pilots.write_pilot(tmp_path, rows, {"demand": {"mix": {"a": 1 / 3, "b": 2 / 3}}})
    mix = open_pilot(path).decision.record["mix"]
    assert mix["effective_n"] == pytest.approx(200)
    assert mix["effective_n_by_arm"] == pytest.approx({"baseline": 100, "pilot": 100})
    assert mix["largest_weight"] == pytest.approx(2)
    assert mix["largest_weight_of"]["segment"] == "b"
    assert mix["text"].startswith(
        "Weighted to the production mix, 300 cases say as much as 200 would; a case of b"
    )


@pytest.mark.slow
def test_segments_show_how_far_they_are_drawn_together(tmp_path):
    shares = {"a": 0.4, "b": 0.3, "c": 0.3}
    rows = pilots.cases(
        900, segments=shares, by_segment={"a": (15, 7), "b": (15, 12), "c": (15, 10)}, share_pilot=0.5
    )
    path = pilots.write_pilot(tmp_path, rows, {"demand": {"mix": shares}})
    found = {row["segment"]: row for row in open_pilot(path).decision.record["by_segment"]}
    for row in found.values():
        assert 0 <= row["shrinkage"] < 1
        assert row["agent_cost"]["unit"] == "EUR/case"
        assert row["escalation_rate_pilot"]["unit"] == "share"
    raw = {s: row["minutes_saved"]["mean"] for s, row in found.items()}
    pooled = {s: row["minutes_saved_pooled"]["mean"] for s, row in found.items()}
    assert max(pooled.values()) - min(pooled.values()) < max(raw.values()) - min(raw.values())
    # raw − shrinkage × (raw − centre) = pooled, with one centre for all of them
    centres = [
        raw[s] - (raw[s] - pooled[s]) / found[s]["shrinkage"] for s in raw if found[s]["shrinkage"] > 0.01
    ]
    assert np.ptp(centres) < 1e-6 * max(map(abs, centres))


@pytest.mark.slow
def test_the_gain_of_a_covariate_is_told(tmp_path):
    """Predicted minutes that carry half of the variance of log minutes save about as much of the error."""
    rng = np.random.default_rng(6)
    rows = pilots.cases(900, share_pilot=0.5, pilot=14.0, log_sd=0.3)
    for row in rows:
        known = float(np.exp(rng.normal(0, 0.3)))
        row["predicted_minutes"] = round(15 * known, 3)
        row["handling_minutes"] = round(row["handling_minutes"] * known, 3)
    record = open_pilot(pilots.write_pilot(tmp_path, rows)).decision.record
    found = record["covariate"]
    assert found["gain"] == pytest.approx(0.5, abs=0.12)
    assert f"as {1 / (1 - found['gain']):.1f} times the cases would" in found["text"]
    assert "balance" not in {f["check"] for f in record["design"]["findings"]}
    without = [{k: v for k, v in row.items() if k != "predicted_minutes"} for row in rows]
    (tmp_path / "without").mkdir()
    assert open_pilot(pilots.write_pilot(tmp_path / "without", without)).decision.record["covariate"] is None
