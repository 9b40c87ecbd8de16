"""Units are numbered by what they hold: neither the order of rows nor that of names can be told from the numbers."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from made_moments import made_moments

from roi.demo_moments import DemoMoments
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
    return replace(m, judged=judged, demo_cells=demo(rng, m))


def demo(rng: np.random.Generator, m: Moments) -> DemoMoments:
    """Production's units in a demo, too, and two that are in the demo alone."""
    own = int(m.unit.max()) + 1
    setting, unit = (x.ravel() for x in np.meshgrid([0, 1], np.arange(own + 2), indexing="ij"))
    keep = (setting == 1) | (unit < own)
    setting, unit = setting[keep], unit[keep]
    size = setting.size
    none, count = np.zeros(size, dtype=np.int64), rng.integers(1, 4, size)
    return DemoMoments(
        segments=("a", "b"),
        setting=setting,
        arm=rng.integers(0, 2, size),
        segment=none,
        unit=unit,
        state=none,
        n=count,
        timed=count,
        minutes=rng.integers(1, 1000, size).astype(float),
        minutes2=np.zeros(size),
        imputed=none,
        imputed_minutes=np.zeros(size),
        currencies=(),
        costed=none,
        cost=np.zeros((size, 0)),
        cost2=np.zeros((size, 0)),
        people=np.zeros((size, 3), dtype=np.int64),
        judge=np.zeros((size, 3), dtype=np.int64),
        workers=(5, 5),
    )


def renamed(m: Moments, seed: int) -> Moments:
    """The same with other names of the units, and rows in the order of these, as an engine would give them."""
    rng = np.random.default_rng(seed)
    number = rng.permutation(int(m.unit.max()) + 1)
    assert m.judged is not None
    assert m.covariate is not None
    assert m.demo_cells is not None

    def turned(holder, turn, **more):
        arrays = {f.name: getattr(holder, f.name) for f in fields(holder)}
        return replace(
            holder, **{k: v[turn] for k, v in (arrays | more).items() if isinstance(v, np.ndarray)}
        )

    turn, of_demo = rng.permutation(m.arm.size), rng.permutation(m.demo_cells.arm.size)
    every = np.append(number, number.size + rng.permutation(2))
    return replace(
        turned(m, turn, unit=number[m.unit]),
        judged=turned(m.judged, turn, unit=number[m.judged.unit]),
        covariate=turned(m.covariate, turn),
        demo_cells=turned(m.demo_cells, of_demo, unit=every[m.demo_cells.unit]),
    )


def same(one: object, other: object) -> None:
    for field in fields(one):  # type: ignore[arg-type]
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        elif field.name in ("covariate", "judged", "demo_cells"):
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
    # A unit is the same in production's moments and in the demo.
    assert m.demo_cells is not None
    assert found.demo_cells is not None
    together = [
        sorted((int(x.n[x.unit == u].sum()), float(d.minutes[d.unit == u].sum())) for u in np.unique(d.unit))
        for x, d in ((m, m.demo_cells), (found, found.demo_cells))
    ]
    assert together[0] == together[1]
