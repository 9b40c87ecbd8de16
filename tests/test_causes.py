"""Causes of losses: by label and by the excess of defective inputs, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.causes import CAUSES, find_causes, in_words
from roi.moments import Losses

Row = tuple[str | None, str | None, bool | None, int, float]


def losses(*rows: Row) -> Losses:
    """Rows of (outcome, cause, defective inputs, cases, minutes a case)."""
    outcome, cause, defective, n, minutes = zip(*rows, strict=True)
    counts = np.array(n, dtype=np.int64)
    return Losses(
        outcome=outcome,
        cause=cause,
        defective=defective,
        n=counts,
        minutes=counts * np.array(minutes),
        timed=counts,
    )


def shares(found) -> dict[str, float]:
    return {c: float(s.mean()) for c, s in found.error_share.items()}


def test_labels_by_hand():
    """30 model and 10 data errors, priors of half an error each (a twentieth where a cause was never seen)."""
    found = find_causes(
        losses(
            ("correct", None, None, 60, 5.0),
            ("error", "model", None, 30, 9.0),
            ("error", "data", None, 10, 7.0),
        ),
        draws=40_000,
        seed=1,
    )
    assert (found.losses, found.labelled, found.evidence) == (40, 40, "label")
    total = 30.5 + 10.5 + 4 * 0.05
    assert shares(found)["model"] == pytest.approx(30.5 / total, abs=0.003)
    assert shares(found)["data"] == pytest.approx(10.5 / total, abs=0.003)
    assert sum(found.error_share.values()) == pytest.approx(np.ones(40_000))
    # 30 of 100 cases took 9 minutes in place of 5: 1.2 minutes a case are the model's.
    assert found.excess_minutes["model"].mean() == pytest.approx(1.2, rel=0.01)
    assert found.excess_minutes["data"].mean() == pytest.approx(0.2, rel=0.02)
    assert in_words(found).startswith("Yes: model is behind about 74")


def test_defective_inputs_explain_only_the_excess():
    """Risk 40 of 200 with a defect, 40 of 800 without: RR 4, so 1 − 1/4 of the half of losses that had one: 37.5 %."""
    found = find_causes(
        losses(
            ("correct", None, True, 160, 5.0),
            ("error", None, True, 40, 8.0),
            ("correct", None, False, 760, 5.0),
            ("error", None, False, 40, 8.0),
        ),
        draws=40_000,
        seed=1,
    )
    assert found.evidence == "excess"
    assert shares(found)["data"] == pytest.approx(0.375, abs=0.01)
    assert shares(found)["unexplained"] == pytest.approx(0.625, abs=0.01)
    assert found.excess_minutes["data"].mean() == pytest.approx(0.375 * 3 * 80 / 1000, rel=0.05)


def test_inputs_without_effect_explain_next_to_nothing():
    found = find_causes(
        losses(
            ("correct", None, True, 450, 5.0),
            ("error", None, True, 50, 5.0),
            ("correct", None, False, 450, 5.0),
            ("error", None, False, 50, 5.0),
        ),
        draws=20_000,
        seed=1,
    )
    assert shares(found)["data"] < 0.1  # half of the draws are cut at 0, the rest is noise


def test_nothing_to_explain_and_nothing_to_explain_it_with():
    assert find_causes(None, draws=10, seed=1).evidence == "none"
    clean = find_causes(losses(("correct", None, None, 9, 5.0)), draws=10, seed=1)
    assert (clean.losses, clean.error_share) == (0, {})
    assert in_words(clean) == "No losses were seen, so there is no cause to name."
    bare = find_causes(
        losses(("correct", None, None, 9, 5.0), ("error", None, None, 12, 5.0)), draws=10, seed=1
    )
    assert shares(bare) == {"unexplained": 1.0}
    assert in_words(bare).startswith("Not known: 12 losses carry no label")


def test_few_losses_name_no_cause_and_close_ones_are_told_apart_by_nobody():
    few = find_causes(
        losses(("error", "model", None, 6, 5.0), ("correct", None, None, 9, 5.0)), draws=2000, seed=1
    )
    assert in_words(few) == "Too few to tell: only 6 losses were seen."
    close = find_causes(
        losses(("error", "model", None, 11, 5.0), ("error", "data", None, 10, 5.0)), draws=2000, seed=1
    )
    assert in_words(close).startswith("Partly: model and data")
    other = find_causes(
        losses(("error", "data", None, 40, 5.0), ("error", "model", None, 5, 5.0)), draws=2000, seed=1
    )
    assert in_words(other).startswith("Mostly not: data")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=6, max_size=6), st.integers(0, 99))
def test_shares_sum_to_one_and_losses_cost_no_negative_minutes(counts, seed):
    rows: list[Row] = [("correct", None, None, 40, 5.0)]
    rows += [
        ("error", c, None, n, 3.0 + i) for i, (c, n) in enumerate(zip([*CAUSES, None], counts, strict=True))
    ]
    found = find_causes(losses(*rows), draws=50, seed=seed)
    if sum(counts):
        assert sum(found.error_share.values()) == pytest.approx(np.ones(50))
    assert all((m >= 0).all() for m in found.excess_minutes.values())
