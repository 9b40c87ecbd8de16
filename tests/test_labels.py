"""Rates from people's labels and a judge's word: oracles, hand calculations, and what must never happen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_labels import drawn_labels, labelled_moments

from roi.labels import earns_credit, labelled_rates, weighted_severe
from roi.rates import draw_rates, severe_errors
from roi.rectify import Cell, rectify, tuned_power


def words(seed=0, n=400, rate=0.2, sees=0.8, cries_wolf=0.1, labelled=120):
    """People's and the judge's word on cases, and which of them people labelled."""
    rng = np.random.default_rng(seed)
    wrong = (rng.random(n) < rate).astype(float)
    said = (rng.random(n) < np.where(wrong > 0, sees, cries_wolf)).astype(float)
    seen = np.zeros(n, dtype=bool)
    seen[rng.permutation(n)[:labelled]] = True
    return wrong, said, seen


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("power", [0.0, 0.37, 1.0])
def test_point_and_error_match_ppi_python(seed, power):
    """ppi-python 0.2: ppi_mean_pointestimate and the standard error in ppi_mean_ci, which takes the mean over the rest.

    Its lambda on the mean over the cases without a label is ours on the mean over all, times 1 − labelled / all.
    """
    ppi = pytest.importorskip("ppi_py")
    wrong, said, seen = words(seed)
    share = (~seen).mean()
    found = rectify(wrong, said, np.ones(wrong.size), seen, power=power)
    given_ = {"lam": power * share}
    point = ppi.ppi_mean_pointestimate(wrong[seen], said[seen], said[~seen], **given_)
    low, high = ppi.ppi_mean_ci(wrong[seen], said[seen], said[~seen], alpha=0.1, **given_)
    assert found.rate == pytest.approx(float(np.squeeze(point)), abs=1e-9)
    z = 1.6448536269514722
    assert found.error == pytest.approx(float(np.squeeze(high - low)) / (2 * z), abs=1e-9)


@pytest.mark.slow
def test_power_is_that_of_ppi_python_on_large_samples():
    """On 4,000 labels of 20,000 cases both ways of tuning agree to a point in a hundred."""
    ppi = pytest.importorskip("ppi_py")
    wrong, said, seen = words(1, n=20_000, labelled=4_000)
    ours = tuned_power([cell(wrong, said, seen)], weighted=False)
    theirs = ppi.ppi_mean_pointestimate(wrong[seen], said[seen], said[~seen])
    found = rectify(wrong, said, np.ones(wrong.size), seen, power=ours)
    assert found.rate == pytest.approx(float(np.squeeze(theirs)), abs=2e-4)


def cell(wrong, said, seen, weight=None):
    w = np.ones(wrong.size) if weight is None else np.where(seen, weight, 0.0)
    return Cell(
        wrong * seen, said, np.ones(wrong.size), w, w * w, seen, np.arange(wrong.size), float(w.max())
    )


def test_rectified_rate_by_hand():
    """Four of ten labelled: people found 2 errors, the judge 1 in them and 2 in the other six.

    rate = 0.5 · 3/10 + 2/4 − 0.5 · 1/4 = 0.525. Residuals, at lambda 0.5 · 6/10 = 0.3, are 0.7, 1, 0, 0; the variance is
    theirs / 4 plus 0.09 · (2/6 · 4/6) / 6.
    """
    wrong = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0.0])
    said = np.array([1, 0, 0, 0, 1, 1, 0, 0, 0, 0.0])
    seen = np.arange(10) < 4
    found = rectify(wrong, said, np.ones(10), seen, power=0.5)
    assert found.rate == pytest.approx(0.525)
    assert found.people == pytest.approx(np.var([0.7, 1, 0, 0]) / 4)
    assert found.judge == pytest.approx(0.09 * (2 / 9) / 6)


@pytest.mark.slow
def test_weighted_rate_matches_least_squares():
    """statsmodels: weighted least squares on a constant with HC0 errors is the Hajek mean with its linearised error."""
    sm = pytest.importorskip("statsmodels.api")
    wrong, said, seen = words(2)
    chance = np.where(said > 0, 0.8, 0.2)
    weight = 1 / chance
    fit = sm.WLS(wrong[seen], np.ones(seen.sum()), weights=weight[seen]).fit(cov_type="HC0")
    found = rectify(
        wrong, said, np.ones(400), seen, power=0.0, weight=weight * seen, weight2=weight**2 * seen
    )
    assert found.rate == pytest.approx(float(fit.params[0]), abs=1e-12)
    assert found.error == pytest.approx(float(fit.bse[0]), abs=1e-12)


@given(st.integers(0, 10_000), st.floats(0.1, 0.9), st.floats(0, 1))
@settings(max_examples=40)
def test_the_tuned_power_is_close_to_the_best(seed, sees, cries_wolf):
    """No power in [0, 1] gives an error smaller by more than a twentieth."""
    wrong, said, seen = words(seed, sees=sees, cries_wolf=cries_wolf)
    ours = rectify(
        wrong, said, np.ones(400), seen, power=tuned_power([cell(wrong, said, seen)], weighted=False)
    )
    best = min(rectify(wrong, said, np.ones(400), seen, power=p).error for p in np.linspace(0, 1, 41))
    assert ours.error <= best * 1.05


def test_the_rate_of_a_pilot_is_rectified():
    """The effective numbers carry the rate and the variance of `rectify`, as one arm's cell has them."""
    moments = drawn_labels(np.random.default_rng(3), cases=2000, labelled=400, rates=(0.2, 0.15))
    found = labelled_rates(moments)
    assert found.kind == "rectified"
    judged = moments.judged
    for arm in (0, 1):
        rows = judged.arm == arm
        wrong = np.isin(judged.human[rows], [1, 2, 3, 4, 5]).astype(float)
        said = np.isin(judged.judge[rows], [1, 2]).astype(float)
        n = judged.n[rows].astype(float)
        plain = rectify(wrong, said, n, judged.human[rows] >= 0, power=found.power[arm])
        rate = found.hits[arm, 0] / found.n[arm, 0]
        assert rate == pytest.approx(plain.rate, abs=1e-12)
        # A little more than the plain variance: what a sample of few mistakes has not seen.
        ratio = rate * (1 - rate) / found.n[arm, 0] / plain.error**2
        assert 1 < ratio < 1.15
        assert found.score[arm, 0].sum() == pytest.approx(0, abs=1e-12)
        assert (found.score[arm, 0] ** 2).sum() == pytest.approx(plain.error**2, rel=1e-9)
    assert all(0.2 < gain < 0.8 for gain in found.gain)
    assert found.n[1, 0] > 200  # the judge is worth more labels than there are
    assert "2,000" in found.text
    assert "at random" in found.text


def test_a_useless_judge_changes_nothing():
    """One that always says error, or tosses a coin the wrong way round, leaves people's labels as they are."""
    rng = np.random.default_rng(4)
    moments = drawn_labels(rng, cases=1000, labelled=400, sees=1.0, cries_wolf=1.0)
    found = labelled_rates(moments)
    for arm in (0, 1):
        rows = moments.arm == arm
        people = moments.outcome[rows, 1].sum() / moments.labelled[rows].sum()
        assert found.hits[arm, 0] / found.n[arm, 0] == pytest.approx(people)
    assert found.gain == (0.0, 0.0)
    turned = labelled_rates(drawn_labels(rng, cases=1000, labelled=400, sees=0.1, cries_wolf=0.9))
    assert turned.power == (0.0, 0.0)


def test_fewer_than_ten_errors_leave_people_alone():
    moments = drawn_labels(np.random.default_rng(5), cases=1000, labelled=100, rates=(0.04, 0.04))
    found = labelled_rates(moments)
    assert found.kind == "human"
    assert found.score is None
    assert "fewer than ten" in found.text
    assert found.hits[1, 0] / found.n[1, 0] == pytest.approx(
        moments.outcome[moments.arm == 1, 1].sum() / moments.labelled[moments.arm == 1].sum()
    )


def test_one_arm_of_few_errors_does_not_keep_the_other_back():
    moments = drawn_labels(np.random.default_rng(6), cases=2000, labelled=300, rates=(0.3, 0.01))
    found = labelled_rates(moments)
    assert found.kind == "rectified"
    assert found.power[0] > 0
    assert found.power[1] == 0
    assert found.gain[1] == 0
    assert "With the agent people found only" in found.text


def test_who_is_not_believed():
    """A judge alone, unknown selection, and risk-based selection that does not state its chances: no credit."""
    arm = np.arange(200) % 2
    said = np.where(np.arange(200) % 7 == 0, "error", "correct")
    some = np.where(np.arange(200) < 60, np.where(np.arange(200) % 5 == 0, "minor", "correct"), "")
    alone = labelled_moments(arm, np.full(200, ""), said)
    assert labelled_rates(alone).kind == "unchecked"
    assert not earns_credit(alone, "random")
    unknown = labelled_moments(arm, some, said, selection="unknown")
    assert labelled_rates(unknown).kind == "unchecked"
    assert not earns_credit(unknown, "unknown")
    risky = labelled_moments(arm, some, said, selection="risk_based")
    assert "label_probability" in labelled_rates(risky).text
    assert not earns_credit(risky, "risk_based")
    partly = np.where(np.arange(200) < 30, 0.3, np.nan)
    assert "30 of 60" in labelled_rates(labelled_moments(arm, some, said, probability=partly)).text
    stated = labelled_moments(arm, some, said, selection="risk_based", probability=np.full(200, 0.3))
    assert labelled_rates(stated).kind in ("human", "rectified")  # all chances alike: as good as at random
    assert earns_credit(stated, "risk_based")
    everyone = labelled_moments(arm, np.where(some == "", "correct", some), said, selection="unknown")
    assert labelled_rates(everyone).kind == "human"
    assert earns_credit(everyone, "unknown")


def test_a_judge_of_some_cases_is_not_believed():
    moments = drawn_labels(np.random.default_rng(7), cases=1000, labelled=400)
    judged = moments.judged
    silent = np.where((judged.human < 0) & (judged.unit % 5 == 0), -1, judged.judge)
    found = labelled_rates(replace(moments, judged=replace(judged, judge=silent)))
    assert found.kind == "human"
    assert "left out" in found.text


def test_chances_make_up_for_looking_where_errors_are():
    """By hand: 40 of 200 risky cases looked at (chance 1/5), 40 of 800 others (1/20), 20 and 2 errors: 140 of 1,000."""
    said = np.array(["error"] * 200 + ["correct"] * 800)
    human = np.array(
        ["minor"] * 20 + ["correct"] * 20 + [""] * 160 + ["minor"] * 2 + ["correct"] * 38 + [""] * 760
    )
    chance = np.array([0.2] * 200 + [0.05] * 800)
    both = [np.concatenate([x, x]) for x in (human, said, chance)]
    arm = np.repeat([0, 1], 1000)
    moments = labelled_moments(arm, both[0], np.full(2000, ""), probability=both[2], selection="risk_based")
    found = labelled_rates(moments)
    assert found.kind == "weighted"
    assert found.hits[1, 0] / found.n[1, 0] == pytest.approx((20 * 5 + 2 * 20) / 1000)
    assert found.human_labels == (80, 80)
    assert found.n[1, 0] < 80
    corrected = labelled_rates(labelled_moments(arm, *both[:2], probability=both[2], selection="risk_based"))
    assert corrected.kind == "rectified"
    assert corrected.hits[1, 0] / corrected.n[1, 0] == pytest.approx(
        0.14
    )  # the judge's 200 in 1,000 is in the weights
    assert corrected.n[1, 0] > found.n[1, 0]
    assert corrected.severity[1].tolist() == [22, 0, 0, 0]


def test_severe_errors_are_not_shown_by_looking_at_the_risky_cases():
    """One severe error among 100 risky cases that were all looked at, none among 100 of 2,000 others: few cases, not many.

    Kish's number is 2,100² / (100 · 1 + 100 · 400) = 110; the linearised variance alone would say 2,100.
    """
    human = np.array(["major"] + ["correct"] * 99 + ["correct"] * 100 + [""] * 1900)
    chance = np.array([1.0] * 100 + [0.05] * 2000)
    arm = np.ones(2100, dtype=np.int64)
    moments = labelled_moments(arm, human, np.full(2100, ""), probability=chance, selection="risk_based")
    found = weighted_severe(moments, np.array([True]))
    assert found.rate == pytest.approx(1 / 2100)
    assert found.n == pytest.approx(2100**2 / (100 + 100 * 400))
    assert weighted_severe(replace(moments, judged=None), np.array([True])) is None
    gate = severe_errors(moments, np.array([True]))
    assert (gate.events, gate.n, gate.weighted) == (1, 200, True)
    assert gate.upper > 0.025  # 110 cases without an event allow 2.7 %
    assert gate.needed(0.01) > 200


def test_segments_keep_their_own_rates():
    rng = np.random.default_rng(8)
    moments = drawn_labels(rng, cases=3000, labelled=900, rates=(0.2, 0.2))
    judged = moments.judged
    segment = (judged.unit % 3 == 0).astype(np.int64)
    apart = replace(
        moments,
        segments=("a", "b"),
        segment=(moments.unit % 3 == 0).astype(np.int64),
        judged=replace(judged, segment=segment),
    )
    found = labelled_rates(apart)
    assert found.hits.shape == (2, 2)
    for s in (0, 1):
        rows = (judged.arm == 1) & (segment == s)
        wrong = np.isin(judged.human[rows], [1, 2, 3, 4, 5]).astype(float)
        said = np.isin(judged.judge[rows], [1, 2]).astype(float)
        n = judged.n[rows].astype(float)
        own = rectify(wrong, said, n, judged.human[rows] >= 0, power=found.power[1])
        assert found.hits[1, s] / found.n[1, s] == pytest.approx(own.rate)
    whole = labelled_rates(moments)
    assert found.n[1].sum() == pytest.approx(whole.n[1, 0], rel=0.15)


def test_workers_widen():
    """Labels of few workers are worth fewer independent ones."""
    many = drawn_labels(np.random.default_rng(9), cases=2000, labelled=400, workers=None)
    few = drawn_labels(np.random.default_rng(9), cases=2000, labelled=400, workers=8, correlation=0.2)
    assert labelled_rates(few).n[1, 0] < 0.6 * labelled_rates(many).n[1, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cases", "labelled", "sees", "cries_wolf", "workers", "risk_based"),
    [
        (1000, 100, 0.7, 0.3, None, False),
        (1000, 200, 0.9, 0.05, None, False),
        (2000, 300, 0.95, 0.05, None, False),
        (4000, 400, 0.8, 0.2, 20, False),
        (2000, 400, 0.9, 0.05, 10, False),
        (2000, 300, 0.8, 0.05, None, True),
    ],
)
def test_intervals_hold_the_truth(cases, labelled, sees, cries_wolf, workers, risk_based):
    """400 pilots of 50 to 200 labels an arm: 90 % intervals of error rates hold the truth 88 to 94 % of the time.

    A bar is missed when it is missed by more than two Monte-Carlo errors.
    """
    rng = np.random.default_rng(10)
    truth = (0.3, 0.2)
    held, means = np.zeros(2), np.zeros(2)
    for seed in range(400):
        moments = drawn_labels(
            rng,
            cases=cases,
            labelled=labelled,
            rates=truth,
            sees=sees,
            cries_wolf=cries_wolf,
            workers=workers,
            risk_based=risk_based,
        )
        found = labelled_rates(moments)
        drawn = draw_rates(moments, np.array([0.9, 0.09, 0.0095, 0.0005]), draws=600, seed=seed)
        low, high = np.percentile(drawn.error[:, 0], [5, 95], axis=1)
        held += (low <= truth) & (np.array(truth) <= high)
        means += found.hits[:, 0] / found.n[:, 0]
    slack = 2 * np.sqrt(0.9 * 0.1 / 400)
    assert (held / 400 >= 0.88 - slack).all()
    assert (held / 400 <= 0.94 + slack).all()
    assert means / 400 == pytest.approx(truth, abs=0.008)


@pytest.mark.slow
@pytest.mark.parametrize(("sees", "cries_wolf"), [(0.5, 0.4), (1.0, 0.5), (0.2, 0.0), (0.0, 0.6)])
def test_a_biased_judge_never_biases(sees, cries_wolf):
    """1,000 pilots: the mean of the rectified rates is the truth, to a fifth of a point and two errors of 2,000 pilots.

    A judge who is not set right is off by 1 to 18 points, one taken by the variance of all that he said by 0.4.
    """
    rng = np.random.default_rng(11)
    found = []
    for _ in range(1000):
        x = labelled_rates(
            drawn_labels(rng, cases=1000, labelled=300, rates=(0.3, 0.2), sees=sees, cries_wolf=cries_wolf)
        )
        found.append(x.hits[:, 0] / x.n[:, 0])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(2000)
    assert (np.abs(mean - (0.3, 0.2)) < 0.002 + 2 * error).all()
