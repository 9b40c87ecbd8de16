"""Errors, degrees of freedom, bounds and pooling against the libraries that others trust, and printed values.

Which formula a library uses is said in each test; where ours differs, the factor between them is exact and stated. The
libraries take seconds to import, so each is imported by the tests that need it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from made_moments import made_moments
from scipy import stats

from roi.agreement import agree
from roi.cells import cell_draws
from roi.clusters import degrees_of_a_mean, intra_unit_correlation
from roi.controls.suite_power import worse_by_chance
from roi.draws import one_sided_bounds
from roi.moments import Moments
from roi.pooling import partially_pooled
from roi.rates import draw_rates, severe_errors
from roi.scores import scores_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ONE = np.ones(1)
MIX = np.array((0.90, 0.09, 0.0095, 0.0005))


def error_of_difference(moments: Moments) -> float:
    """Standard error of the difference of the arms' mean minutes, from the joint covariance."""
    scores = scores_of(moments, ONE)
    at = [i for arm in (0, 1) for i in [scores.at(arm, 0, "human_minutes")] if i is not None]
    assert len(at) == 2
    own = scores.covariance[np.ix_(at, at)]
    return float(np.sqrt(own[0, 0] + own[1, 1] - 2 * own[0, 1]))


def error_of_mean(moments: Moments) -> float:
    return float(cell_draws(moments, ONE, draws=2, seed=1).deviation["human_minutes"][0, 0])


def design(arm: Ints) -> Floats:
    return np.column_stack([np.ones(arm.size), arm]).astype(np.float64)


def minutes_of(worker: Ints, arm: Ints, seed: int = 1) -> Floats:
    """Skewed minutes that workers have in common, in whole thousandths."""
    rng = np.random.default_rng(seed)
    own = rng.lognormal(0, 0.4, int(worker.max()) + 1)
    return (rng.lognormal(2.5 - 0.4 * arm, 0.7) * own[worker]).round(3)


def crossed() -> tuple[Floats, Ints, Ints]:
    """Nine workers who all worked both arms, with loads from 1 to 12 cases an arm."""
    loads = [(1, 3), (2, 2), (12, 4), (5, 7), (3, 1), (6, 6), (2, 9), (4, 4), (8, 2)]
    worker = np.concatenate([np.full(a + b, i) for i, (a, b) in enumerate(loads)])
    arm = np.concatenate([np.repeat([0, 1], pair) for pair in loads])
    return minutes_of(worker, arm), arm, worker


def assigned() -> tuple[Floats, Ints, Ints]:
    """Five workers in one arm and seven in the other, with loads from 2 to 20 cases."""
    loads = [3, 8, 20, 5, 5, 2, 4, 9, 11, 3, 6, 15]
    worker = np.repeat(np.arange(12), loads)
    arm = (worker >= 5).astype(np.int64)
    return minutes_of(worker, arm, 2), arm, worker


def even(cases: int = 5) -> tuple[Floats, Ints, Ints]:
    """Eight workers with as many cases in each arm."""
    worker, arm = np.repeat(np.arange(8), 2 * cases), np.tile(np.repeat([0, 1], cases), 8)
    return minutes_of(worker, arm, 3), arm, worker


def bell_mccaffrey(y: Floats, x: Floats, cluster: Ints, power: float = -0.5) -> Floats:
    """CR2 (power −1/2) or CR3 (power −1) written out with the full matrices: (X'X)⁻¹ Σ X'A u u'A X (X'X)⁻¹."""
    bread = np.linalg.inv(x.T @ x)
    u = y - x @ (bread @ x.T @ y)
    meat = np.zeros_like(bread)
    for g in np.unique(cluster):
        rows = cluster == g
        annihilator = np.eye(int(rows.sum())) - x[rows] @ bread @ x[rows].T
        values, vectors = np.linalg.eigh(annihilator)
        scale = np.array(
            [v**power if v > 1e-9 else 0.0 for v in values]
        )  # Moore & Penrose, as in clubSandwich
        score = x[rows].T @ (vectors * scale) @ vectors.T @ u[rows]
        meat += np.outer(score, score)
    return np.asarray(bread @ meat @ bread)


@pytest.mark.parametrize("pilot", [crossed, assigned, even], ids=["crossed", "assigned", "even"])
def test_errors_are_bell_and_mccaffreys_cr2(pilot):
    """CR2 of the regression on the arm, out of its full matrices: a unit's share of a cell is its leverage there."""
    y, arm, worker = pilot()
    moments = made_moments(y, arm, worker)
    full = bell_mccaffrey(y, design(arm), worker)
    assert error_of_difference(moments) == pytest.approx(np.sqrt(full[1, 1]), rel=1e-9)
    base = arm == 0
    full = bell_mccaffrey(y[base], np.ones((int(base.sum()), 1)), worker[base])
    assert error_of_mean(moments) == pytest.approx(np.sqrt(full[0, 0]), rel=1e-9)


def test_errors_of_even_loads_are_statsmodels_cr1():
    """OLS(...).fit(cov_type="cluster"): with even loads CR2 is G/(G − 1) × CR0; statsmodels' CR1 has (N − 1)/(N − 2) more."""
    from statsmodels.regression.linear_model import OLS

    y, arm, worker = even()
    moments = made_moments(y, arm, worker)
    how = {"groups": worker, "use_correction": False}
    cr0 = OLS(y, design(arm)).fit(cov_type="cluster", cov_kwds=how).bse[1]
    cr1 = OLS(y, design(arm)).fit(cov_type="cluster", cov_kwds={"groups": worker}).bse[1]
    found, n = error_of_difference(moments), y.size
    assert found == pytest.approx(cr0 * np.sqrt(8 / 7), rel=1e-9)
    assert found == pytest.approx(cr1 / np.sqrt((n - 1) / (n - 2)), rel=1e-9)
    mean = OLS(y[arm == 0], np.ones(40)).fit(cov_type="cluster", cov_kwds={"groups": worker[arm == 0]}).bse[0]
    assert error_of_mean(moments) == pytest.approx(mean, rel=1e-9)  # (N − 1)/(N − 1): CR1 is CR2 to the digit


@pytest.mark.parametrize(("n", "m"), [(12, 30), (5, 8), (90, 40)])
def test_errors_without_workers_are_statsmodels_hc2(n, m):
    """OLS(...).HC2_se; HC3 divides by 1 − 1/n once more in each arm, HC1 takes n/(n − 2) of both for 1 − 1/n of each."""
    from statsmodels.regression.linear_model import OLS

    arm = np.repeat([0, 1], [n, m])
    y = minutes_of(np.arange(n + m), arm, n)
    moments = made_moments(y, arm)
    fitted = OLS(y, design(arm)).fit()
    assert error_of_difference(moments) == pytest.approx(fitted.HC2_se[1], rel=1e-9)
    each = cell_draws(moments, ONE, draws=2, seed=1).deviation["human_minutes"][:, 0] ** 2
    assert each[0] / (1 - 1 / n) + each[1] / (1 - 1 / m) == pytest.approx(fitted.HC3_se[1] ** 2, rel=1e-9)
    flat = each[0] * (1 - 1 / n) + each[1] * (1 - 1 / m)
    assert flat * (n + m) / (n + m - 2) == pytest.approx(fitted.HC1_se[1] ** 2, rel=1e-9)


@pytest.mark.slow  # pyfixest takes longer to import than the rest of this file to run
@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("pilot", [crossed, assigned, even], ids=["crossed", "assigned", "even"])
def test_errors_lie_between_pyfixests_cr1_and_crv3(pilot):
    """feols(vcov={"CRV3": ...}), the cluster jackknife: each of our scores over the root of 1 − its share once more.

    pyfixest 0.60 has no CR2 (`vcov dict key must be CRV1 or CRV3`); CR2 lies between the two, and its matrices are above.
    """
    import pandas as pd
    import pyfixest as pf

    y, arm, worker = pilot()
    moments = made_moments(y, arm, worker)
    data = pd.DataFrame({"y": y, "arm": arm, "worker": worker})
    plain = pf.ssc(k_adj=False, G_adj=False)
    crv1, crv3 = (
        float(pf.feols("y ~ arm", data, vcov={kind: "worker"}, ssc=plain).se()["arm"])
        for kind in ("CRV1", "CRV3")
    )
    found = error_of_difference(moments)
    assert crv1 < found < crv3 * np.sqrt(1 + 1e-12)
    full = bell_mccaffrey(y, design(arm), worker, -1.0)
    assert crv3 == pytest.approx(np.sqrt(full[1, 1]), rel=1e-9)
    scores = scores_of(moments, ONE)
    difference = np.zeros(scores.matrix.shape[1])
    for a, sign in ((0, 1.0), (1, -1.0)):
        at = scores.at(a, 0, "human_minutes")
        cases = np.bincount(worker[arm == a], minlength=difference.size)
        difference = difference + sign * scores.matrix[at] / np.sqrt(1 - cases / cases.sum())
    assert np.sqrt((difference**2).sum()) == pytest.approx(crv3, rel=1e-9)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_errors_of_pairs_are_pyfixests_crv3():
    """A pair worked both ways: CR0, CR2 and CRV3 differ by (G − 1)/G each, and CR2 is the paired t."""
    import pandas as pd
    import pyfixest as pf

    y, arm, pair = even(1)
    data = pd.DataFrame({"y": y, "arm": arm, "pair": pair})
    crv3 = pf.feols("y ~ arm", data, vcov={"CRV3": "pair"}, ssc=pf.ssc(k_adj=False, G_adj=False)).se()["arm"]
    found = error_of_difference(made_moments(y, arm, pair, unit_kind="pair"))
    assert found == pytest.approx(float(crv3) * np.sqrt(7 / 8), rel=1e-9)
    assert found == pytest.approx(stats.sem(y[arm == 1] - y[arm == 0]), rel=1e-9)


def test_clustered_error_of_0_to_19_is_0_645():
    """Values 0..19, cluster i mod 4. Miller (2024), "Adding error bars to evals", equation 4, sums products within clusters
    over n², which is CR0: 0.559. The published 0.645 has the factor G/(G − 1) = 4/3 on the variance, as CR1 and CR2 have."""
    from statsmodels.regression.linear_model import OLS

    y = np.arange(20.0)
    cluster = np.arange(20) % 4
    found = error_of_mean(made_moments(y, np.zeros(20), cluster))
    assert round(found, 3) == 0.645
    centred = y - y.mean()
    miller = (
        np.sqrt(sum(centred[i] * centred[j] for i in range(20) for j in range(20) if (i - j) % 4 == 0)) / 20
    )
    assert round(miller, 3) == 0.559
    assert found == pytest.approx(miller * np.sqrt(4 / 3), rel=1e-12)
    fitted = OLS(y, np.ones(20)).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    assert found == pytest.approx(fitted.bse[0], rel=1e-9)


def cases_of(n: int, total: float, squares: float) -> Floats:
    """Values of at least 0 in whole millionths whose sum and sum of squares are these to 1e-9: zeros and k + 1 others."""
    k = int(total**2 / squares)
    a = (k * total + np.sqrt(k * ((k + 1) * squares - total**2))) / (k * (k + 1))
    return np.concatenate([np.full(k, a), [total - k * a], np.zeros(n - k - 1)])


def test_growthbooks_published_pair():
    """GrowthBook's two-sided t of A (3407, 1396.87, 52377.9767) and B (3461, 2422.7, 134698.29): 0.29, 0.04538 to 0.53462."""
    a, b = cases_of(3407, 1396.87, 52377.9767), cases_of(3461, 2422.7, 134698.29)
    moments = made_moments(np.concatenate([a, b]), np.repeat([0, 1], [3407, 3461]))
    human = moments.column("human_minutes")
    sums = [
        [float(x[moments.arm == i, human].sum()) for x in (moments.total, moments.square)] for i in (0, 1)
    ]
    assert np.array(sums) == pytest.approx(np.array([[1396.87, 52377.9767], [2422.7, 134698.29]]), rel=1e-6)
    cells = cell_draws(moments, ONE, draws=2, seed=1)
    low, high = cells.point["human_minutes"][:, 0]
    half = stats.t.ppf(0.975, cells.df) * error_of_difference(moments)
    assert high - low == pytest.approx(0.29, abs=5e-6)
    assert [high - low - half, high - low + half] == pytest.approx([0.04538, 0.53462], abs=5e-6)
    sd = [np.std(x, ddof=1) for x in (a, b)]
    welch = stats.ttest_ind_from_stats(b.mean(), sd[1], b.size, a.mean(), sd[0], a.size, equal_var=False)
    assert (high - low) / error_of_difference(moments) == pytest.approx(welch.statistic, rel=1e-6)


@pytest.mark.parametrize(
    "loads", [[7, 7, 7, 7], [30, 15, 10, 7, 6, 5], [1, 2, 40], [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]]
)
def test_degrees_of_freedom_are_bell_and_mccaffreys(loads):
    """Satterthwaite's (tr)²/tr² of the full case-by-case matrices, with cases of a worker correlated by 0.1."""
    worker = np.repeat(np.arange(len(loads)), loads)
    n = worker.size
    x = np.ones((n, 1))
    annihilator = np.eye(n) - np.full((n, n), 1 / n)
    variance = np.where(worker[:, None] == worker[None, :], 0.1, 0.0) + 0.9 * np.eye(n)
    columns = []
    for g in range(len(loads)):
        rows = worker == g
        values, vectors = np.linalg.eigh(annihilator[np.ix_(rows, rows)])
        inverse_root = (vectors / np.sqrt(values)) @ vectors.T
        columns.append(annihilator[rows].T @ inverse_root @ x[rows] / n)
    g_matrix = np.hstack(columns)
    form = g_matrix.T @ variance @ g_matrix
    oracle = np.trace(form) ** 2 / np.trace(form @ form)
    assert degrees_of_a_mean(np.array(loads, dtype=float)) == pytest.approx(max(oracle, 1.0), rel=1e-7)
    y = minutes_of(worker, np.zeros(n, dtype=np.int64))
    alone = cell_draws(made_moments(y, np.zeros(n), worker), ONE, draws=2, seed=1)
    assert alone.df == pytest.approx(max(oracle, 1.0), rel=1e-7)


def test_degrees_of_freedom_of_assigned_workers_are_satterthwaites():
    """(v₁ + v₂)² / (v₁²/f₁ + v₂²/f₂), each v the CR2 variance of an arm and each f its own degrees of freedom."""
    y, arm, worker = assigned()
    v, f = np.zeros(2), np.zeros(2)
    for a in (0, 1):
        mine = arm == a
        v[a] = bell_mccaffrey(y[mine], np.ones((int(mine.sum()), 1)), worker[mine])[0, 0]
        f[a] = degrees_of_a_mean(np.bincount(worker[mine]).astype(float))
    found = cell_draws(made_moments(y, arm, worker), ONE, draws=2, seed=1).df
    assert found == pytest.approx(v.sum() ** 2 / (v**2 / f).sum(), rel=1e-9)


NEWCOMBE = [  # Newcombe (1998), Stat Med 17:857, Table I: 95 % limits by the score (3) and the exact (5) method
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("hits", "n", "score", "exact"), NEWCOMBE)
def test_rates_match_newcombe_1998(hits, n, score, exact):
    """Wilson's interval of a share of agreement, and Clopper & Pearson's of an error rate, each end at 97.5 %."""
    assert one_sided_bounds(hits, n, 0.975) == pytest.approx(exact, abs=5e-5)
    share = agree([[hits, n - hits], [0, 0]], ("error", "correct"), level=0.95).share
    assert (share.low, share.high) == pytest.approx(score, abs=5e-5)


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 29), (15, 148), (81, 263), (29, 29)])
def test_bounds_are_statsmodels_clopper_pearson(hits, n):
    """proportion_confint(method="beta", alpha=0.10): two one-sided bounds at 95 %; the bound of severe errors likewise."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hits, n, alpha=0.10, method="beta")
    assert one_sided_bounds(hits, n) == pytest.approx((np.nan_to_num(low), high), rel=1e-9)
    outcome = np.where(np.arange(n) < hits, "error", "correct")
    moments = made_moments(
        np.ones(n), np.ones(n), outcome=outcome, severity=np.where(outcome == "error", "major", "")
    )
    found = severe_errors(moments, np.ones(1, dtype=bool))
    assert (found.lower, found.upper) == pytest.approx((np.nan_to_num(low), high), rel=1e-9)


@pytest.mark.parametrize(("hits", "n"), [(1, 29), (15, 148), (81, 263)])
def test_draws_of_a_rate_end_at_clopper_pearson(hits, n):
    """P5 and P95 of the draws of an error rate, both arms alike, against the exact 90 % interval (scipy's binomtest)."""
    arm, outcome = np.repeat([0, 1], n), np.tile(np.where(np.arange(n) < hits, "error", "correct"), 2)
    rates = draw_rates(made_moments(np.ones(2 * n), arm, outcome=outcome), MIX, draws=40_000, seed=1)
    oracle = stats.binomtest(hits, n).proportion_ci(0.90, "exact")
    found = np.percentile(rates.error[1, 0], [5, 95])
    assert found == pytest.approx([oracle.low, oracle.high], rel=0.04)


BCG = np.array([  # log relative risk and its variance of the 13 trials of BCG against tuberculosis (Colditz 1994)
    (-0.8893, 0.3256), (-1.5854, 0.1946), (-1.3481, 0.4154), (-1.4416, 0.0200), (-0.2175, 0.0512), (-0.7861, 0.0069),
    (-1.6209, 0.2230), (0.0120, 0.0040), (-0.4694, 0.0564), (-1.3713, 0.0730), (-0.3394, 0.0124), (0.4459, 0.5325),
    (-0.0173, 0.0714),
])  # fmt: skip


def test_pooling_is_dersimonian_and_laird():
    """The R package metafor on dat.bcg, rma(yi, vi, method="DL"): tau² 0.3088; statsmodels' combine_effects to 1e-6."""
    from statsmodels.stats.meta_analysis import combine_effects

    effect, variance = BCG.T
    rng = np.random.default_rng(1)
    z = rng.normal(size=(13, 2000))
    z = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    values = effect[:, None] + z * np.sqrt(variance)[:, None]
    pooled = partially_pooled(values, np.ones(13, dtype=bool)).mean(axis=1)
    oracle = combine_effects(effect, variance, method_re="dl")
    centre = oracle.mean_effect_fe
    keep = (pooled - centre) / (effect - centre)
    tau2 = variance * keep / (1 - keep)
    assert tau2 == pytest.approx(np.full(13, oracle.tau2), rel=1e-6)
    assert tau2 == pytest.approx(np.full(13, 0.3088), abs=5e-4)


def test_correlation_of_uneven_workers_is_statsmodels_anova():
    """(MSB − MSW) / (MSB + (n₀ − 1) MSW) from anova_lm's mean squares, n₀ = (N − Σn²/N) / (k − 1) (Ridout et al. 1999)."""
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    hits, n = np.array([0, 3, 1, 5, 0, 2, 4]), np.array([6, 9, 4, 8, 3, 12, 5])
    data = pd.DataFrame(
        {
            "wrong": np.concatenate([np.arange(k) < h for h, k in zip(hits, n, strict=True)]).astype(float),
            "worker": np.repeat(np.arange(7), n),
        }
    )
    between, within = anova_lm(ols("wrong ~ C(worker)", data).fit())["mean_sq"]
    size = (n.sum() - (n**2).sum() / n.sum()) / 6
    oracle = (between - within) / (between + (size - 1) * within)
    assert oracle > 0.05
    assert intra_unit_correlation(hits.astype(float), n.astype(float)) == pytest.approx(oracle, rel=1e-9)


@pytest.mark.parametrize(("worse", "better"), [(11, 40), (40, 11), (3, 3), (0, 6), (7, 2)])
def test_getting_worse_is_statsmodels_exact_mcnemar(worse, better):
    """mcnemar(exact=True) is two-sided: twice the smaller of our one-sided chances, at most 1."""
    from statsmodels.stats.contingency_tables import mcnemar

    oracle = mcnemar([[50, worse], [better, 50]], exact=True).pvalue
    two_sided = min(2 * min(worse_by_chance(worse, better), worse_by_chance(better, worse)), 1.0)
    assert two_sided == pytest.approx(oracle, rel=1e-9)


def test_kappa_is_statsmodels():
    """cohens_kappa: the coefficient and its large-sample standard error (Fleiss, Cohen & Everitt 1969)."""
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.array([[61, 4, 2], [7, 22, 3], [1, 5, 15]])
    oracle = cohens_kappa(table)
    found = agree(table, ("correct", "error", "escalated")).kappa
    assert (found.value, found.error) == pytest.approx((oracle.kappa, oracle.std_kappa), rel=1e-9)
