"""What evidence explains: closed forms, and what must hold of any."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.excess import Cells, excess_of, shapley


def test_two_kinds_share_what_each_alone_would_have_done_by_hand():
    """Base ln 2 (risk ½); one kind doubles it, the other trebles it.

    Risks: none ½, first 1 − 2⁻² = ¾, second 1 − 2⁻³ = ⅞, both 1 − 2⁻⁴ = 15/16. The first brings ¼ or 1/16 as it comes
    first or last, the second ⅜ or 3/16: 5/32 and 9/32 of 15/16, so 1/6 and 3/10; ½ of 15/16 would have come anyhow.
    """
    part, risk = shapley(np.full((1, 1), math.log(2)), np.array([[1.0], [2.0]]), np.array([[True, True]]))
    assert risk[0, 0] == pytest.approx(15 / 16)
    assert part[0, :, 0] == pytest.approx([1 / 6, 3 / 10])


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.001, 2.0),
    st.lists(st.floats(0, 20), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_shapley_is_the_mean_over_every_order(base, excess, shown):
    """Taken away in each of the six orders: the definition, against the closed form."""
    added = np.array(excess)

    def risk(kept: set[int]) -> float:
        return -math.expm1(-base * (1 + sum(added[k] for k in kept if shown[k])))

    gains = np.zeros(3)
    for order in itertools.permutations(range(3)):
        seen: set[int] = set()
        for k in order:
            gains[k] += (risk(seen | {k}) - risk(seen)) / 6
            seen.add(k)
    part, whole = shapley(np.full((1, 1), base), added[:, None], np.array([shown]))
    assert part[0, :, 0] * whole[0, 0] == pytest.approx(gains, abs=1e-12)
    assert part[0].sum() + risk(set()) / whole[0, 0] == pytest.approx(1)


def cells(*rows: tuple[int, tuple[bool, ...], int, int]) -> Cells:
    """Rows of (stratum, kinds shown, cases, losses)."""
    stratum, shown, n, x = zip(*rows, strict=True)
    return Cells(
        stratum=np.array(stratum),
        shown=np.array(shown),
        n=np.array(n, dtype=float),
        x=np.array(x, dtype=float),
    )


def test_weights_of_no_effect_match_integration():
    """One kind, one stratum: the chance of an effect against the same integrals on a fine grid."""
    found = excess_of(cells((0, (False,), 60, 6), (0, (True,), 40, 9)), draws=4000, seed=1, name="t")
    log_base = np.linspace(-8, 2, 801)[:, None]
    log_excess = np.linspace(math.log(4) - 8, math.log(4) + 8, 801)[None, :]
    centre = math.log(-math.log1p(-15.5 / 101))

    def likelihood(base, hazard):
        return np.exp(6 * np.log(-np.expm1(-base)) - 54 * base + 9 * np.log(-np.expm1(-hazard)) - 31 * hazard)

    prior = np.exp(-0.5 * ((log_base - centre) / 2.0) ** 2)
    base = np.exp(log_base)
    null = (prior * likelihood(base, base)).sum()
    slab = np.exp(-0.5 * ((log_excess - math.log(4)) / 1.5) ** 2) / (1.5 * math.sqrt(2 * math.pi))
    step = float(log_excess[0, 1] - log_excess[0, 0])
    some = prior * slab * likelihood(base, base * (1 + np.exp(log_excess))) * step
    chance = some.sum() / (some.sum() + null)
    assert found.effect[0] == pytest.approx(chance, abs=0.01)
    mean = float((some / some.sum() * (1 + np.exp(log_excess))).sum())
    assert np.median(found.ratio[0][found.ratio[0] > 1]) < mean
    ratio = found.ratio[0]
    middle = 1 + math.exp(float(np.interp(0.5, np.cumsum(some.sum(axis=0)) / some.sum(), log_excess[0])))
    assert np.median(ratio[ratio > 1]) == pytest.approx(middle, rel=0.03)


def test_a_kind_that_all_cases_show_tells_nothing():
    found = excess_of(
        cells((0, (True, False), 60, 16), (0, (True, True), 40, 12)), draws=200, seed=1, name="t"
    )
    assert found.effect[0] == 0
    assert (found.part[:, 0] == 0).all()


def test_the_same_seed_gives_the_same_draws():
    table = cells((0, (False,), 60, 6), (0, (True,), 40, 9), (1, (False,), 30, 2), (1, (True,), 10, 3))
    one, other = (excess_of(table, draws=300, seed=4, name="t") for _ in range(2))
    assert (one.part == other.part).all()
    assert (one.risk == other.risk).all()


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1), st.tuples(st.booleans(), st.booleans()), st.integers(1, 60), st.integers(0, 60)
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: (row[0], row[1]),
    )
)
def test_parts_are_shares_whatever_was_seen(rows):
    rows = [(0 if len(rows) == 1 else s, shown, n, min(x, n)) for s, shown, n, x in rows]
    strata = sorted({r[0] for r in rows})
    rows = [(strata.index(s), *rest) for s, *rest in rows]
    found = excess_of(cells(*rows), draws=80, seed=1, name="t")
    assert ((found.part >= 0) & (found.part <= 1)).all()
    assert (found.part.sum(axis=1) <= 1 + 1e-9).all()
    assert ((found.risk > 0) & (found.risk <= 1)).all()
