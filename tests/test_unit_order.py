"""Units are numbered by what they hold: neither the order of rows nor that of names can be told from the numbers."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from made_moments import made_moments

from roi.label_moments import JudgedMoments
from roi.moments import Moments
from roi.unit_order import numbered_by_content


def moments(seed: int, units: int, n: int) -> Moments:
    rng = np.random.default_rng(seed)
    m = made_moments(
        rng.integers(1, 9, n).astype(float),
        rng.integers(0, 2, n),
        unit=rng.integers(0, units, n),
        segment=rng.choice(["a", "b"], n),
        outcome=rng.choice(["correct", "error"], n),
        predicted=rng.integers(1, 4, n).astype(float),
    )
    rows = m.arm.size
    judged = JudgedMoments(
        selection="random",
        arm=m.arm,
        segment=m.segment,
        unit=m.unit,
        human=rng.integers(-1, 2, rows),
        judge=rng.integers(0, 2, rows),
        n=m.n,
        probable=np.zeros(rows, dtype=np.int64),
        weight=np.zeros(rows),
        weight2=np.zeros(rows),
        heaviest=np.zeros(rows),
    )
    return replace(m, judged=judged)


def renamed(m: Moments, seed: int) -> Moments:
    """The same with other names of the units, and rows in the order of these, as an engine would give them."""
    rng = np.random.default_rng(seed)
    number = rng.permutation(int(m.unit.max()) + 1)
    assert m.judged is not None
    assert m.covariate is not None
    turn = rng.permutation(m.arm.size)

    def turned(holder, **more):
        arrays = {f.name: getattr(holder, f.name) for f in fields(holder)}
        return replace(
            holder, **{k: v[turn] for k, v in (arrays | more).items() if isinstance(v, np.ndarray)}
        )

    judged = turned(m.judged, unit=number[m.judged.unit])
    return replace(turned(m, unit=number[m.unit]), judged=judged, covariate=turned(m.covariate))


def same(one: object, other: object) -> None:
    for field in fields(one):  # type: ignore[arg-type]
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        elif field.name in ("covariate", "judged"):
            same(a, b)
        else:
            assert a == b, field.name


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 40))
def test_names_and_the_order_of_rows_do_not_matter(seed, units, n):
    m = moments(seed, units, n)
    same(numbered_by_content(m), numbered_by_content(renamed(m, seed + 1)))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 99), st.integers(2, 9), st.integers(2, 40))
def test_nothing_but_numbers_and_order_changes(seed, units, n):
    m = moments(seed, units, n)
    found = numbered_by_content(m)
    for key in ("arm", "segment", "unit"):
        assert sorted(np.unique(getattr(m, key))) == sorted(np.unique(getattr(found, key)))
    of = [sorted(zip(x.arm, x.segment, x.n, x.total[:, -1], strict=True)) for x in (m, found)]
    assert of[0] == of[1]
    by_unit = [
        sorted(tuple(sorted(x.n[x.unit == u])) for u in range(int(x.unit.max()) + 1)) for x in (m, found)
    ]
    assert by_unit[0] == by_unit[1]
    assert np.all(np.diff(found.arm) >= 0)
