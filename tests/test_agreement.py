"""Agreement of two who label: published tables, and what must hold of any table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi.agreement import agree

ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]


def test_kappa_and_ac1_match_irrcac():
    """The R package irrCAC 1.0 on its own data set cont3x3abstractors (Gwet 2014), as its README prints it:

    > kappa2.table(cont3x3abstractors)     0.7964094  0.05891072
    > gwet.ac1.table(cont3x3abstractors)   0.8493305  0.04321747
    > pa2.table(cont3x3abstractors)        0.89       0.03128898
    """
    found = agree(ABSTRACTORS, ("ectopic", "aiu", "niu"), level=0.95)
    assert (found.kappa.value, found.kappa.error) == pytest.approx((0.7964094, 0.05891072), abs=5e-8)
    assert (found.ac1.value, found.ac1.error) == pytest.approx((0.8493305, 0.04321747), abs=5e-8)
    assert (found.share.value, found.share.error) == pytest.approx((0.89, 0.03128898), abs=5e-8)
    # irrCAC's intervals use t with 99 degrees of freedom: (0.68, 0.913) and (0.764, 0.935).
    assert (found.kappa.low, found.kappa.high) == pytest.approx((0.68, 0.913), abs=0.0015)
    assert (found.ac1.low, found.ac1.high) == pytest.approx((0.764, 0.935), abs=0.0015)


def test_kappa_matches_fleiss():
    """Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, Table 18.1: kappa 0.676."""
    found = agree([[75, 1, 4], [5, 4, 1], [0, 0, 10]], ("psychotic", "neurotic", "organic"))
    assert found.kappa.value == pytest.approx(0.676, abs=5e-4)


def test_kappa_is_paradoxical_where_ac1_is_not():
    """By hand: 118 of 125 agree; chance is 0.984 · 0.96 + 0.016 · 0.04 for kappa, 2 · 0.972 · 0.028 for AC1."""
    found = agree([[118, 5], [2, 0]], ("right", "wrong"))
    chance = 0.984 * 0.96 + 0.016 * 0.04
    assert found.kappa.value == pytest.approx((0.944 - chance) / (1 - chance))
    assert found.kappa.value < 0
    assert found.ac1.value == pytest.approx((0.944 - 2 * 0.972 * 0.028) / (1 - 2 * 0.972 * 0.028))
    assert found.ac1.low > 0.85


def test_perfect_agreement_is_not_certainty():
    found = agree([[40, 0], [0, 10]], ("right", "wrong"), level=0.95)
    assert found.kappa.value == 1
    assert 0.7 < found.kappa.low < 0.9  # 50 of 50 leave room for a share of 93 %
    assert found.ac1.low < 0.95


def test_one_kind_alone_has_no_kappa():
    found = agree([[50, 0], [0, 0]], ("right", "wrong"))
    assert found.kappa is None
    assert found.ac1.value == 1
    assert agree([[0, 0], [0, 0]], ("right", "wrong")) is None


@pytest.mark.parametrize(
    ("table", "names", "level"), [([[1, 2]], ("a",), 0.9), ([[-1.0]], ("a",), 0.9), ([[1.0]], ("a",), 1.0)]
)
def test_nonsense_is_refused(table, names, level):
    with pytest.raises(ValueError, match="table"):
        agree(table, names, level=level)


tables = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 40), min_size=k, max_size=k), min_size=k, max_size=k)
)


@given(tables, st.randoms(use_true_random=False))
def test_names_and_coders_can_be_swapped(table, random):
    names = tuple("abcd"[: len(table)])
    found = agree(table, names)
    if found is None:
        assert np.sum(table) == 0
        return
    order = list(range(len(table)))
    random.shuffle(order)
    shuffled = agree(np.array(table)[np.ix_(order, order)], names)
    turned = agree(np.array(table).T, names)
    for one in (found.kappa, found.ac1, found.share):
        if one is not None:
            assert -1.0001 <= one.low <= one.value <= one.high <= 1
    for other in (shuffled, turned):
        assert (other.kappa is None) == (found.kappa is None)
        if found.kappa is not None:
            assert other.kappa.value == pytest.approx(found.kappa.value, abs=1e-9)
            assert other.kappa.error == pytest.approx(found.kappa.error, abs=1e-6)
        assert other.ac1.value == pytest.approx(found.ac1.value, abs=1e-9)
        assert other.ac1.error == pytest.approx(found.ac1.error, abs=1e-6)


@pytest.mark.slow
def test_intervals_hold_the_truth():
    """5,000 tables of 150 cases from stated cell probabilities: 90 % intervals hold the true coefficient."""
    rng = np.random.default_rng(5)
    p = np.array([[0.78, 0.05], [0.04, 0.13]])
    truth = agree(p * 1e6, "ab")
    hits = np.zeros(2)
    for _ in range(5000):
        found = agree(rng.multinomial(150, p.ravel()).reshape(2, 2), "ab")
        for i, name in enumerate(("kappa", "ac1")):
            one = getattr(found, name)
            hits[i] += one.low <= getattr(truth, name).value <= one.high
    assert (hits / 5000 > 0.87).all()
    assert (hits / 5000 < 0.93).all()
