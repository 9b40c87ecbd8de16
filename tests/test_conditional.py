"""The value of knowing inputs and of samples, against closed forms, two-level Monte Carlo and a published example."""

from __future__ import annotations

import csv
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from roi.conditional import orthonormal
from roi.draws import normal_draws, stream
from roi.information import evpi, evppi, evppi_of_each, evppi_of_groups
from roi.sampling import Basis, evsi

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve() / "voi-reference"
N = 20_000


def normal(mean: float, sd: float, name: str, n: int = N) -> np.ndarray:
    return mean + sd * normal_draws(n, stream(1, name))


def loss(z: float) -> float:
    """Unit normal loss, L(z) = φ(z) − z (1 − Φ(z))."""
    return float(stats.norm.pdf(z) - z * stats.norm.sf(z))


def in_step(mean: float, *sds: float, n: int = N) -> tuple[np.ndarray, list[np.ndarray]]:
    """A worth that is a sum of normal inputs, each of its own deviation."""
    inputs = [normal(0.0, sd, f"input {i}", n) for i, sd in enumerate(sds)]
    return mean + sum(inputs), inputs


@pytest.mark.parametrize("mean", [-60.0, -10.0, 0.0, 25.0])
def test_every_input_of_a_sum_is_worth_its_unit_normal_loss(mean):
    """Worth = mean + Σ xᵢ, xᵢ ~ N(0, sᵢ): knowing xᵢ is worth sᵢ L(|mean| / sᵢ); all within 1 % of the EVPI."""
    sds = (5.0, 20.0, 40.0, 60.0)
    worth, inputs = in_step(mean, *sds, n=100_000)
    total = float(np.hypot.reduce(sds))
    whole = total * loss(abs(mean) / total)
    each, groups = evppi_of_groups([worth], inputs, [[0, 1], [1, 2, 3], [0, 1, 2, 3]])
    for known, sd in zip(each, sds, strict=True):
        assert known.value == pytest.approx(sd * loss(abs(mean) / sd), abs=0.01 * whole)
        assert known.explained == pytest.approx(sd**2 / total**2, abs=0.02)
    for known, members in zip(groups, [sds[:2], sds[1:], sds], strict=True):
        sd = float(np.hypot.reduce(members))
        assert known.value == pytest.approx(sd * loss(abs(mean) / sd), abs=0.01 * whole)
    assert groups[2].value == pytest.approx(evpi([worth]), abs=0.01 * whole)


def test_two_options_that_differ_by_a_normal():
    """Worths A and A + D, both far above 0: knowing D ~ N(−5, 10) is worth 10 L(½), knowing A nothing."""
    base, gap = normal(500.0, 80.0, "base"), normal(-5.0, 10.0, "gap")
    of_base, of_gap = evppi_of_each([base, base + gap], [base, gap])
    assert of_gap.value == pytest.approx(10 * loss(0.5), rel=0.02)
    assert of_gap.flips == pytest.approx(float(stats.norm.sf(0.5)), abs=0.01)
    assert of_base.value == pytest.approx(0.0, abs=0.01)


def test_by_hand():
    """A coin: worth 10 on heads, −6 on tails, ±4 from elsewhere. Now 2; knowing the coin 5, so it is worth 3."""
    coin = np.tile([0.0, 0.0, 1.0, 1.0], 500)
    other = np.tile([-4.0, 4.0], 1000)
    worth = np.where(coin > 0, 10.0, -6.0) + other
    known = evppi([worth], [coin])
    assert known.value == pytest.approx(3.0)
    assert known.flips == pytest.approx(0.5)
    assert known.explained == pytest.approx(64 / 80)
    assert evppi([worth], [other]).value == pytest.approx(
        1.0
    )  # half of the time 6 and else stop, in place of 2


def test_a_product_takes_both_of_its_factors():
    """Worth = a b, both N(0, 1): either alone tells nothing of the choice; both together everything, E|ab| / 2 = 1/π."""
    a, b = normal(0.0, 1.0, "a"), normal(0.0, 1.0, "b")
    each = evppi_of_each([a * b], [a, b])
    assert max(k.value for k in each) < 0.03 / np.pi
    assert evpi([a * b]) == pytest.approx(1 / np.pi, rel=0.02)
    # A product is only tried of inputs that matter alone: shifted, they do.
    worth = (a + 1) * (b + 1) - 1
    assert evppi([worth], [a, b]).value == pytest.approx(evpi([worth]), rel=0.01)


def test_a_product_of_four_factors_against_nested_draws():
    """Cases × adoption × realisation × price − cost, two of them known: an inner mean over the others is exact here."""
    factors = [np.exp(normal(0.0, sd, f"factor {i}")) for i, sd in enumerate((0.1, 0.25, 0.4, 0.3))]
    worth = 100 * np.prod(factors, axis=0) - 118
    given = factors[1] * factors[2]
    inner = 100 * float((factors[0] * factors[3]).mean()) * given - 118
    truth = float(np.maximum(inner, 0).mean()) - max(float(inner.mean()), 0.0)
    found = evppi([worth], [factors[1], factors[2]])
    assert found.value == pytest.approx(truth, abs=0.01 * evpi([worth]))


def test_polynomials_of_a_normal_are_hermites():
    """He₂ = (z² − 1) / √2, He₃ = (z³ − 3z) / √6."""
    z = ndtri((np.arange(20_000) + 0.5) / 20_000)
    made = orthonormal(3 + 2 * z, 3)
    assert made[0] == pytest.approx(z, abs=2e-3)
    middle = np.abs(z) < 2.5
    assert made[1][middle] == pytest.approx((z**2 - 1)[middle] / np.sqrt(2), abs=0.03)
    assert made[2][middle] == pytest.approx((z**3 - 3 * z)[middle] / np.sqrt(6), abs=0.03)
    assert orthonormal(np.ones(10), 3).shape == (0, 10)
    assert orthonormal(np.tile([0.0, 1.0], 50), 3).shape == (1, 100)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-80, 80),
    st.lists(st.floats(1, 60), min_size=2, max_size=4),
    st.floats(0.01, 0.99),
    st.floats(0, 20),
)
def test_a_sample_is_worth_less_than_knowing_and_knowing_less_than_everything(mean, sds, learned, bend):
    worth, inputs = in_step(mean, *sds)
    worth = worth + bend * np.maximum(inputs[0] / sds[0], 0)
    useless = normal(0.0, 1.0, "useless")
    whole = evpi([worth])
    each, groups = evppi_of_groups([worth], [*inputs, useless], [[0, 1], list(range(len(sds)))])
    slack = 0.01 * whole + 1e-9
    told = [Basis([inputs[0]]).split(worth)]
    samples = [evsi(told, [share]) for share in (0.0, learned / 2, learned, 1.0)]
    assert samples[0] == pytest.approx(0.0, abs=1e-9)
    assert all(a <= b + slack for a, b in pairwise(samples))
    assert samples[-1] <= each[0].value + 2 * slack
    for known in (*each, *groups):
        assert 0 <= known.value <= whole
        assert 0 <= known.flips <= 1
    assert groups[0].value >= max(each[0].value, each[1].value)
    assert groups[1].value >= whole - 2 * slack
    assert each[-1].value <= slack
    assert evsi([Basis([useless]).split(worth)], [0.9]) <= 2 * slack


@pytest.mark.parametrize("learned", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("mean", [-30.0, 0.0, 20.0])
def test_evsi_of_a_normal_problem(mean, learned):
    """The mean after a sample is N(mean, learned × s²): EVSI = √learned s L(|mean| / (√learned s)), within 1 % of EVPI."""
    worth, inputs = in_step(mean, 40.0, 15.0)
    s = 40.0 * np.sqrt(learned)
    found = evsi([Basis([inputs[0]]).split(worth)], [learned])
    assert found == pytest.approx(s * loss(abs(mean) / s), abs=0.01 * evpi([worth]))


def test_a_square_shrinks_with_the_share_itself():
    """Worth = z² − 1: after a sample of share l it is l (z̃² − 1), so the sample is worth l · 2 φ(1)."""
    z = normal(0.0, 1.0, "z", 100_000)
    for learned in (0.25, 0.64):
        found = evsi([Basis([z]).split(z * z - 1)], [learned])
        assert found == pytest.approx(learned * 2 * stats.norm.pdf(1), rel=0.01)


def pilot_worth(minutes: np.ndarray, avoided: np.ndarray | float, scale: np.ndarray | float) -> np.ndarray:
    """Money of a pilot: saved minutes are cut by the realisation, lost ones are not, small ones do not count."""
    gained = np.where(minutes >= 0.25, minutes * 0.4, 0.0)
    return np.asarray(scale * ((gained + np.minimum(minutes, 0)) * 0.7 + avoided * 60) - 9000)


PILOTS = [
    # minutes: mean, deviation; errors: beta without and with the agent; cases; allowed miss as a share of EVSI
    (3.0, 2.0, (4, 60), (3, 60), 100),
    (1.0, 1.5, (4, 60), (3, 60), 100),
    (4.0, 3.0, (2, 30), (2, 30), 50),
    (0.5, 0.7, (20, 300), (20, 300), 300),
    (1.0, 2.0, (200, 3000), (200, 3000), 30),
]


@pytest.mark.slow
@pytest.mark.parametrize(("mean", "sd", "before", "after", "n"), PILOTS)
def test_evsi_matches_a_two_level_monte_carlo(mean, sd, before, after, n):
    """Truths, samples of half `n` cases an arm, posteriors, and the worth expected under each: within 3 %."""
    rng, draws, outer, case = np.random.default_rng(5), 400_000, 400_000, 6.0
    minutes = normal(mean, sd, "minutes", draws)
    avoided = rng.beta(*before, draws) - rng.beta(*after, draws)
    scale = 12_000 * np.exp(normal(0.0, 0.2, "scale", draws))
    worth = pilot_worth(minutes, avoided, scale)
    new = 2 * case**2 / (n / 2)
    of_minutes = sd**2 / (sd**2 + new)
    spread = [a * b / ((a + b) ** 2 * (a + b + 1)) for a, b in (before, after)]
    taken = [v * (n / 2) / (n / 2 + a + b) for v, (a, b) in zip(spread, (before, after), strict=True)]
    found = evsi([Basis([minutes, avoided]).split(worth)], [of_minutes, sum(taken) / sum(spread)])

    truth = rng.normal(mean, sd, outer)
    seen = (1 - of_minutes) * mean + of_minutes * (truth + rng.normal(0, np.sqrt(new), outer))
    errors = [
        (a + rng.binomial(n // 2, rng.beta(a, b, outer))) / (a + b + n // 2) for a, b in (before, after)
    ]
    # The inner level: what stays open of the minutes is normal, and the rest enters by its mean.
    places = np.linspace(mean - 6 * sd, mean + 6 * sd, 300)
    open_ = np.sqrt(1 - of_minutes) * sd * ndtri((np.arange(2000) + 0.5) / 2000)
    average = float(scale.mean())
    inner = np.array([float(pilot_worth(p + open_, 0.0, average).mean()) for p in places])
    expected = np.interp(seen, places, inner) + average * 60 * (errors[0] - errors[1])
    expected += worth.mean() - expected.mean()
    by_hand = float(np.maximum(expected, 0).mean()) - max(float(expected.mean()), 0.0)
    assert found == pytest.approx(by_hand, rel=0.03)


@pytest.mark.slow
def test_evppi_is_neither_biased_nor_unsteady():
    """15 inputs at 100,000 draws, 20 times: bias at most 1 % and deviation at most 2 % of the analytic answer."""
    sds, mean, n = np.linspace(0.5, 3.0, 15), 0.5, 100_000
    truth = np.array([s * loss(mean / s) for s in sds])
    found = []
    for again in range(20):
        inputs = np.stack([sd * normal_draws(n, stream(again, f"input {i}")) for i, sd in enumerate(sds)])
        worth = mean + inputs.sum(axis=0)
        found.append([k.value for k in evppi_of_each([worth], list(inputs), apart=[True] * 15)])
    whole = float(np.hypot.reduce(sds)) * loss(mean / float(np.hypot.reduce(sds)))
    assert np.abs(np.mean(found, axis=0) - truth).max() <= 0.01 * whole
    assert (np.std(found, axis=0)).max() <= 0.02 * whole
    assert (np.abs(np.mean(found, axis=0) / truth - 1)).max() <= 0.01
    assert (np.std(found, axis=0) / truth).max() <= 0.02


def table(name: str) -> dict[str, np.ndarray]:
    with next(DATA.rglob(name)).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    columns = {head.strip('"'): column for head, *column in zip(*rows, strict=True)}
    return {k: np.array(v, dtype=float) for k, v in columns.items() if k}


@pytest.mark.skipif(
    not any(DATA.rglob("*chemo_nb*.csv")) if DATA.is_dir() else True,
    reason=f"no draws of the chemotherapy example at {DATA} (set ROI_REAL_DATA)",
)
def test_the_published_chemotherapy_example():
    """R package voi (Jackson, Heath et al.), `chemo_nb` and `chemo_pars`.

    `evpi(chemo_nb)` 368.605; `evppi(chemo_nb, chemo_pars, pars=c("p_side_effects_t1", "p_side_effects_t2"))` 261.7 to
    262.3 by method, GAM 262.1; `evsi(…, study="trial_binary")`, 100 cases an arm, 242.1.
    """
    benefit, inputs = table("*chemo_nb*.csv"), table("*chemo_pars*.csv")
    first, second = (x for k, x in benefit.items() if k.lower() not in ("", "row", "id", "draw"))
    effects = [inputs["p_side_effects_t1"], inputs["p_side_effects_t2"]]
    whole = evpi([second - first])
    assert whole == pytest.approx(368.605, abs=0.01)
    assert evppi([second - first], effects).value == pytest.approx(262.1, abs=0.01 * whole)
    rng = np.random.default_rng(1)
    seen = [rng.binomial(100, p).astype(float) for p in effects]
    assert evppi([second - first], seen).value == pytest.approx(242.1, abs=0.01 * whole)


def test_the_method_pages_calculation():
    """docs/method.md, "What knowing is worth": N(20, 40²); 40 L(½) = 7.91, and 28.28 L(0.707) = 3.99 for half of it."""
    worth = normal(20.0, 40.0, "worth", 100_000)
    assert evpi([worth]) == pytest.approx(7.91, abs=0.01)
    assert evsi([Basis([worth]).split(worth)], [0.5]) == pytest.approx(3.99, abs=0.02)
