"""Clean cases at the mix of segments of all cases, and remedies beside them, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.cause_prices import _remedies
from roi.clean_world import clean_world
from roi.moments import Losses

A, B = 0, 1


def losses(*rows: tuple[str, bool | None, int, int, float]) -> Losses:
    """Rows of (outcome, defective inputs, segment, cases, minutes a case, which vary by 1)."""
    outcome, defective, segment, n, minutes = zip(*rows, strict=True)
    counts = np.array(n, dtype=np.int64)
    mean = np.array(minutes)
    return Losses(
        outcome=outcome,
        cause=(None,) * counts.size,
        defective=defective,
        n=counts,
        minutes=counts * mean,
        minutes2=counts * (mean**2 + 1),
        timed=counts,
        segment=np.array(segment),
    )


HAND = losses(
    ("correct", False, A, 7200, 5.0),
    ("error", False, A, 800, 5.0),
    ("correct", True, A, 1000, 9.0),
    ("error", True, A, 1000, 9.0),
    ("correct", False, B, 4000, 10.0),
    ("error", False, B, 1000, 10.0),
    ("correct", True, B, 2500, 12.0),
    ("error", True, B, 2500, 12.0),
)


def test_standardised_by_hand():
    """Of 10,000 cases of a, 8,000 are clean and err in 10 %, the others in 50 %; of b half, in 20 and 50 %.

    All: (1,800 + 3,500) / 20,000 = 0.265. Clean, at half and half: 0.15. So 1 − 0.15 / 0.265 = 43.4 % of errors would be
    gone. (Clean cases as they come, 1,800 of 13,000, would say 47.8 %: there are more of them in a.) Minutes: all
    (8 · 5 + 2 · 9) / 10 = 5.8 and 11, together 8.4; clean 5 and 10, 7.5: 0.9 a case.
    """
    (found,) = clean_world(HAND, draws=4000, seed=1)
    assert (found.cause, found.cases, found.shown, found.covered) == ("data", 13_000, 7000, 1.0)
    whole, clean = found.rate["errors"]
    assert whole.mean() == pytest.approx(0.265, abs=0.001)
    assert clean.mean() == pytest.approx(0.15, abs=0.001)
    assert found.gone("errors").mean() == pytest.approx(0.434, abs=0.003)
    assert found.minutes[0].mean() - found.minutes[1].mean() == pytest.approx(0.9, abs=0.01)
    # By the delta method: sd of ln(clean) 0.0249, and with what both share a little less.
    assert 0.008 < found.gone("errors").std() < 0.016


def test_a_remedy_is_held_against_all_errors_by_hand():
    """A remedy that removes 80 % of the data's errors, which are 60 % of all, removes 48 % of all: more than 43.4 %.

    Its 80 % alone are no more comparable with 43.4 % than the data's 60 % are.
    """
    (clean,) = clean_world(HAND, draws=1000, seed=1)
    a = SimpleNamespace(
        causes=SimpleNamespace(error_share={"data": np.full(1000, 0.6)}),
        valuer=SimpleNamespace(
            remedies=(
                SimpleNamespace(name="bold", addresses="data", removes=0.8),
                SimpleNamespace(name="modest", addresses="data", removes=np.full(1000, 0.7)),
                SimpleNamespace(name="other", addresses="model", removes=1.0),
            )
        ),
    )
    bold, modest = _remedies(a, clean)
    assert bold["of_all_errors"]["mean"] == pytest.approx(0.48)
    assert bold["measured"]["mean"] == pytest.approx(0.434, abs=0.003)
    assert (bold["exceeds"], bold["chance_above"] > 0.99) == (True, True)
    assert modest["of_all_errors"]["mean"] == pytest.approx(0.42)
    assert (modest["exceeds"], modest["chance_above"] < 0.3) == (False, True)


def test_segments_without_both_kinds_are_left_out_and_said():
    found = clean_world(
        losses(
            ("correct", False, A, 40, 5.0),
            ("error", True, A, 10, 5.0),
            ("correct", False, B, 50, 5.0),
        ),
        draws=100,
        seed=1,
    )
    assert found[0].covered == 0.5
    assert clean_world(losses(("correct", None, A, 40, 5.0)), draws=10, seed=1) == ()
    assert clean_world(None, draws=10, seed=1) == ()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(5, 40)), min_size=4, max_size=4))
def test_clean_cases_that_err_as_often_promise_nothing(cells):
    """Where both kinds err alike in each segment, what would be gone is about 0, whatever the mix."""
    rows = []
    for i, (x, n) in enumerate(cells):
        for defective in (False, True):
            rows += [("correct", defective, i // 2, n * 20, 5.0), ("error", defective, i // 2, x * 20, 5.0)]
    rows = [r for r in rows if r[3]]
    for world in clean_world(losses(*rows), draws=400, seed=1):
        if sum(x for x, _ in cells) > 4:
            low, high = np.percentile(world.gone("errors"), [0.5, 99.5])
            assert low < 0 < high


@pytest.mark.slow
def test_intervals_hold_what_would_be_gone():
    """600 pilots of 300 cases: two segments of unlike risk, a third and two thirds of them with defects."""
    rng = np.random.default_rng(5)
    truth = 1 - (0.5 * 0.1 + 0.5 * 0.2) / (0.5 * (0.1 * 2 / 3 + 0.3 / 3) + 0.5 * (0.2 / 3 + 0.4 * 2 / 3))
    held = []
    for r in range(600):
        rows = []
        for s, (p, risk) in enumerate(((1 / 3, (0.1, 0.3)), (2 / 3, (0.2, 0.4)))):
            shown = rng.binomial(150, p)
            for defective, n in ((False, 150 - shown), (True, shown)):
                x = rng.binomial(n, risk[defective])
                rows += [("correct", defective, s, n - x, 5.0), ("error", defective, s, x, 5.0)]
        (world,) = clean_world(losses(*[r_ for r_ in rows if r_[3]]), draws=1000, seed=r)
        low, high = np.percentile(world.gone("errors"), [5, 95])
        held.append(low <= truth <= high)
    assert 0.86 <= np.mean(held) <= 0.95
