"""Many pilots at once: false discoveries, and worths shrunk for luck, against published numbers and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from roi.discoveries import expected_failures, shrink, step_up

# Colditz et al. (1994), JAMA 271:698: trials of BCG; cases and others, vaccinated and not.
BCG = np.array([
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
    (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
])  # fmt: skip


def log_risk_ratios() -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = BCG.T.astype(float)
    return np.log(a / (a + b) / (c / (c + d))), np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def test_the_spread_is_that_of_a_published_meta_analysis():
    """R, metafor: rma(yi, vi, data=dat, method="PM") with dat.bcg prints tau^2 = 0.3181 and the estimate -0.7150."""
    found = shrink(*log_risk_ratios())
    assert found is not None
    assert found.spread**2 == pytest.approx(0.3181, abs=5e-4)
    assert found.centre == pytest.approx(-0.7150, abs=5e-4)


def test_pilots_that_differ_by_no_more_than_luck_are_worth_the_same():
    """Rubin (1981), J Educ Stat 6:377: eight schools; no spread is needed, and the common effect is 7.7 ± 4.1."""
    effect = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    found = shrink(effect, np.array([15.0, 10, 16, 11, 9, 11, 10, 18]))
    assert found is not None
    assert found.spread == 0
    assert found.mean == pytest.approx(np.full(8, 7.69), abs=0.01)
    assert found.sd == pytest.approx(np.full(8, 4.07), abs=0.01)


def test_shrinking_by_hand():
    """Equal variances 1, worths 0, 0, 4, 4: squares 16 against 3 degrees of freedom give 16/3 − 1 = 13/3 between."""
    found = shrink(np.array([0.0, 0, 4, 4]), np.ones(4))
    assert found is not None
    weight = (13 / 3) / (13 / 3 + 1)  # 13/16
    assert found.weight == pytest.approx(np.full(4, weight))
    assert found.mean == pytest.approx([2 - 2 * weight] * 2 + [2 + 2 * weight] * 2)  # 0.375 and 3.625


def test_few_pilots_are_not_shrunk():
    assert shrink(np.array([1.0, 2, 3]), np.ones(3)) is None


@pytest.mark.slow
def test_shrunk_winners_are_worth_what_they_say():
    """2,000 portfolios of 20: the best pilot's raw worth is too large, its shrunk worth is not."""
    rng = np.random.default_rng(3)
    raw, less = [], []
    for _ in range(2000):
        truth = rng.normal(100, 50, 20)
        sd = rng.uniform(20, 90, 20)
        seen = truth + sd * rng.standard_normal(20)
        found = shrink(seen, sd)
        assert found is not None
        raw.append(seen.max() - truth[seen.argmax()])
        best = found.mean.argmax()
        less.append(found.mean[best] - truth[best])
    assert np.mean(raw) > 40
    assert abs(np.mean(less)) < 4


def test_the_share_expected_not_to_pay_by_hand():
    fails, share = expected_failures(np.array([0.9, 0.8, 0.7]))
    assert fails == pytest.approx(0.6)
    assert share == pytest.approx(0.2)
    assert expected_failures(np.zeros(0)) == (0.0, None)


def test_the_step_up_rule_on_the_published_example():
    """Benjamini & Hochberg (1995), section 3.2: of 15 p-values the first four pass at 0.05."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
         0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert step_up(1 - np.array(p), 0.05).tolist() == [True] * 4 + [False] * 11


@pytest.mark.slow
def test_the_share_of_funded_pilots_that_do_not_pay_is_held():
    """1,000 portfolios of 40 pilots with calibrated chances: of those funded, as many do not pay as was expected."""
    rng = np.random.default_rng(5)
    funded, failed, said = 0, 0, 0.0
    for _ in range(1000):
        truth = rng.normal(-20, 60, 40)
        sd = rng.uniform(20, 80, 40)
        seen = truth + sd * rng.standard_normal(40)
        # The posterior under the prior that the pilots were drawn from.
        weight = 3600 / (3600 + sd**2)
        mean, spread = weight * seen + (1 - weight) * -20, np.sqrt(weight) * sd
        from scipy.special import ndtr

        chance = ndtr(mean / spread)
        kept = chance >= 0.8
        funded += kept.sum()
        failed += (truth[kept] <= 0).sum()
        said += expected_failures(chance[kept])[0]
    assert failed / funded == pytest.approx(said / funded, abs=0.01)
