"""Causes of losses: by label, by evidence, and both, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.cause_words import in_words, named
from roi.causes import CAUSES, design_effect, find_causes
from roi.moments import Losses

Row = tuple[str | None, str | None, bool | None, int, float]


def losses(*rows: Row, **more: Any) -> Losses:
    """Rows of (outcome, cause, defective inputs, cases, minutes a case), and further arrays."""
    outcome, cause, defective, n, minutes = zip(*rows, strict=True)
    counts = np.array(n, dtype=np.int64)
    return Losses(
        outcome=outcome,
        cause=cause,
        defective=defective,
        n=counts,
        minutes=counts * np.array(minutes),
        timed=counts,
        **{k: np.array(v) for k, v in more.items()},
    )


def shares(found, of="error_share") -> dict[str, float]:
    return {c: float(s.mean()) for c, s in getattr(found, of).items()}


def test_labels_by_hand():
    """30 model and 10 data errors. What is known before weighs 0.15 of a loss each, and 0.75 as the labels lie."""
    found = find_causes(
        losses(
            ("correct", None, None, 60, 5.0),
            ("error", "model", None, 30, 9.0),
            ("error", "data", None, 10, 7.0),
        ),
        draws=10_000,
        seed=1,
    )
    assert (found.losses, found.labelled, found.evidence) == (40, 40, "label")
    model = 30 + 0.15 + 0.75 * 30.15 / 40.75
    data = 10 + 0.15 + 0.75 * 10.15 / 40.75
    assert shares(found)["model"] == pytest.approx(model / 41.5, abs=0.003)
    assert shares(found)["data"] == pytest.approx(data / 41.5, abs=0.003)
    assert sum(found.error_share.values()) == pytest.approx(np.ones(10_000))
    # 40 of 100 cases are lost; the model's take 9 minutes in place of 5, the data's 7.
    assert found.excess_minutes["model"].mean() == pytest.approx(0.4 * model / 41.5 * 4, rel=0.01)
    assert found.excess_minutes["data"].mean() == pytest.approx(0.4 * data / 41.5 * 2, rel=0.02)
    assert in_words(found).startswith("Yes: model is behind about 74")


def test_a_cause_that_no_label_names_keeps_the_rule_of_three():
    """None of 40 losses is oversight's: it may still be behind 2 to 4 % of them."""
    found = find_causes(losses(("error", "model", None, 40, 5.0)), draws=40_000, seed=1)
    assert 0.005 < np.percentile(found.error_share["oversight"], 95) < 0.04


def test_defective_inputs_explain_only_the_excess():
    """Risk 40 of 200 with a defect, 40 of 800 without: RR 4, so 1 − 1/4 of the half of losses that had one: 37.5 %.

    A log is taken to show 95 % of what happened (s), and 20 % of cases show a defect (q): (1 − q) / (s − q) = 1.067.
    """
    found = find_causes(
        losses(
            ("correct", None, True, 1600, 5.0),
            ("error", None, True, 400, 8.0),
            ("correct", None, False, 7600, 5.0),
            ("error", None, False, 400, 8.0),
        ),
        draws=20_000,
        seed=1,
    )
    assert found.evidence == "evidence"
    assert shares(found)["data"] == pytest.approx(0.375 * 1.067, abs=0.01)
    # What is left is the model's where inputs were clean: 400 of the 500 losses that would have come anyhow.
    left = 1 - 0.375 * 1.067
    assert shares(found)["model"] == pytest.approx(0.8 * left, abs=0.01)
    assert shares(found)["unexplained"] == pytest.approx(0.2 * left, abs=0.01)
    assert found.excess_minutes["data"].mean() == pytest.approx(0.08 * 0.375 * 1.067 * 3, rel=0.03)
    assert found.effects["data"] == (2000, 400, pytest.approx(1, abs=1e-6))


def test_what_a_log_misses_matters_more_the_more_cases_show_evidence():
    """Six in ten cases show a defect: 0.4 / (0.95 − 0.6) = 1.143 times 1,200 / 1,400 · ¾ = 0.643 of the losses."""
    rows = (
        ("correct", None, True, 4800, 5.0),
        ("error", None, True, 1200, 5.0),
        ("correct", None, False, 3800, 5.0),
    )
    found = find_causes(losses(*rows, ("error", None, False, 200, 5.0)), draws=4000, seed=1)
    assert shares(found)["data"] == pytest.approx(0.643 * 1.143, abs=0.02)


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
    assert shares(found)["data"] < 0.05
    assert found.effects["data"][2] < 0.5


def test_labels_speak_for_the_rest_only_if_they_were_chosen_without_regard_to_it():
    """20 of 80 losses are labelled, all of them the model's. Defects make no difference."""
    rows = losses(
        ("correct", None, True, 120, 5.0),
        ("error", "model", True, 10, 5.0),
        ("error", None, True, 30, 5.0),
        ("correct", None, False, 120, 5.0),
        ("error", "model", False, 10, 5.0),
        ("error", None, False, 30, 5.0),
    )
    random = find_causes(rows, draws=4000, seed=1, selection="random")
    assert random.evidence == "label"
    assert shares(random)["model"] > 0.9
    assert "unexplained" not in random.error_share
    risky = find_causes(rows, draws=4000, seed=1, selection="risk_based")
    assert risky.evidence == "both"
    # A quarter by label, and of the rest what is left in clean cases: half. In defective ones it is not known.
    assert shares(risky)["unexplained"] == pytest.approx(0.75 / 2, abs=0.06)
    assert shares(risky)["model"] == pytest.approx(0.25 + 0.75 / 2, abs=0.06)


def test_failed_actions_and_missing_approvals_are_evidence_too():
    """Without a column on inputs nothing says that they were clean: the rest is unexplained."""
    rows = (
        ("correct", None, None, 90, 5.0),
        ("error", None, None, 60, 5.0),
        ("correct", None, None, 540, 5.0),
    )
    rows += (("error", None, None, 60, 5.0),)
    for name, cause in (("failed", "integration"), ("unapproved", "oversight")):
        found = find_causes(losses(*rows, **{name: [1, 1, 0, 0]}), draws=4000, seed=1)
        assert found.evidence == "evidence"
        # RR = (60 / 150) / (60 / 600) = 4 of half of the losses; at hazards and with what logs miss a little more.
        assert shares(found)[cause] == pytest.approx(0.375 * 1.067, abs=0.03)
        assert set(found.error_share) == {cause, "unexplained"}


def test_a_right_result_that_nobody_used_is_a_loss_of_the_workflow():
    rows = (
        ("correct", None, None, 50, 5.0),
        ("correct", None, None, 10, 9.0),
        ("error", "model", None, 30, 5.0),
    )
    found = find_causes(losses(*rows, unused=[0, 1, -1]), draws=20_000, seed=1)
    assert found.counted == {"error": 30, "handed_over": 0, "unused": 10}
    assert shares(found, "loss_share")["workflow"] == pytest.approx(0.25 + 0.75 * 0.005, abs=0.01)
    assert shares(found)["workflow"] < 0.02
    # Ten of 90 cases took 9 minutes in place of 5.
    assert found.excess_minutes["workflow"].mean() == pytest.approx(10 / 90 * 4, rel=0.05)


def test_a_cause_of_a_right_result_ascribes_nothing():
    found = find_causes(
        losses(("correct", "data", None, 7, 5.0), ("error", "model", None, 30, 5.0)), draws=500, seed=1
    )
    assert found.labels == {"model": 30}


def test_agent_cost_of_lost_cases_by_hand():
    """Two of ten pounds went into the 20 lost cases."""
    rows = (("correct", None, None, 80, 5.0), ("error", "model", None, 20, 5.0))
    found = find_causes(losses(*rows, costed=[80, 20], cost=[8.0, 2.0]), draws=500, seed=1)
    assert sum(found.wasted_cost.values()).mean() == pytest.approx(0.2)


def test_slow_right_cases_count_where_evidence_makes_them_slow():
    """Right cases with a defect take 9 minutes instead of 5, a fifth of all: 0.8 minutes a case, and no loss is seen."""
    n = np.array([80, 20])
    squares = n * (np.array([5.0, 9.0]) ** 2 + 1.0)
    found = find_causes(
        losses(("correct", None, False, 80, 5.0), ("correct", None, True, 20, 9.0), minutes2=squares),
        draws=4000,
        seed=1,
    )
    assert found.losses == 0
    # Half-normal of scale 1.45 around nothing is what is known before: it draws 4 by a hundredth towards 0.
    assert found.excess_minutes["data"].mean() == pytest.approx(0.2 * 4, rel=0.05)


def test_design_effect_by_hand():
    """Two workers of ten losses, one all model, the other all data: each says as much as one loss.

    Deviations of 5 and −5 for both causes: (25 + 25) · 2 / 1 = 100 each; independent ones give 20 · ½ · ½ = 5 each:
    20, cut to the ten losses of a worker (Rao & Scott 1981).
    """
    assert design_effect([0, 1], ["model", "data"], [10, 10]) == 10
    # Three workers (6, 4), (5, 5), (4, 6): deviations 1, 0, −1 give 2 · 3 / 2 = 3, independent ones 7.5: none.
    alike = design_effect([0, 0, 1, 1, 2, 2], ["model", "data"] * 3, [6, 4, 5, 5, 4, 6])
    assert alike == 1
    # (9, 1), (5, 5), (1, 9): 32 · 1.5 / 7.5 = 6.4.
    assert design_effect([0, 0, 1, 1, 2, 2], ["model", "data"] * 3, [9, 1, 5, 5, 1, 9]) == pytest.approx(6.4)
    assert design_effect([-1, -1], ["model", "data"], [10, 10]) == 1


def test_losses_of_one_worker_tell_less():
    rows = [("error", "model", None, 18, 5.0), ("error", "data", None, 2, 5.0)] * 2
    rows += [("error", "model", None, 2, 5.0), ("error", "data", None, 18, 5.0)] * 2
    alone = find_causes(losses(*rows), draws=4000, seed=1)
    people = find_causes(losses(*rows, worker=[0, 0, 1, 1, 2, 2, 3, 3]), draws=4000, seed=1)
    assert people.effect > 5
    assert people.error_share["model"].std() > 2 * alone.error_share["model"].std()


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


def test_few_losses_name_no_cause_unless_it_is_sure_and_close_ones_are_told_apart_by_nobody():
    few = find_causes(
        losses(("error", "model", None, 3, 5.0), ("error", "data", None, 2, 5.0)), draws=2000, seed=1
    )
    assert in_words(few).startswith("Too few to tell: only 5 losses were seen")
    assert named(few).first is None
    sure = find_causes(losses(("error", "data", None, 20, 5.0)), draws=2000, seed=1)
    assert named(sure).first == "data"
    close = find_causes(
        losses(("error", "model", None, 26, 5.0), ("error", "data", None, 26, 5.0)), draws=2000, seed=1
    )
    assert in_words(close).startswith("Partly: ")
    other = find_causes(
        losses(("error", "data", None, 50, 5.0), ("error", "model", None, 5, 5.0)), draws=2000, seed=1
    )
    said = in_words(other, per_year={"data": 12_000.0, "model": 900.0}, currency="EUR")
    assert said.startswith("Mostly not: data")
    assert said.replace("\xa0", " ").endswith("it costs EUR 12,000 a year, the model EUR 900.")


@pytest.mark.parametrize("n", [1, 2, 4])
def test_so_few_labels_name_no_cause_however_alike_they_are(n):
    """Of truths drawn evenly, two labels that agree name the largest cause in two of three pilots."""
    found = find_causes(losses(("error", "model", None, n, 5.0)), draws=2000, seed=1)
    assert (found.told, named(found).state, named(found).first) == (n, "few", None)
    enough = find_causes(losses(("error", "model", None, 5, 5.0)), draws=2000, seed=1)
    assert named(enough).first == "model"


def test_only_losses_whose_cause_something_tells_count_for_a_name():
    """Twenty losses, four of them labelled at random; and of 12 without a label three that nobody used."""
    rows = (("error", "data", None, 4, 5.0), ("error", None, None, 16, 5.0))
    found = find_causes(losses(*rows), draws=2000, seed=1, selection="random")
    assert (found.told, named(found).first) == (4, None)
    assert in_words(found).startswith(
        "Too few to tell: only 4 of 20 losses have a label or evidence of a cause"
    )
    rows = (("correct", None, False, 3, 5.0), ("error", None, False, 2, 5.0))
    found = find_causes(losses(*rows, unused=[1, -1]), draws=2000, seed=1)
    assert (found.losses, found.told, named(found).first) == (5, 3, None)


def test_below_eight_losses_what_shows_evidence_is_unexplained():
    """Four errors in clean cases, two in cases with a failed call: the model's share is the four's."""
    rows = (("correct", None, False, 90, 5.0), ("error", None, False, 4, 5.0), ("error", None, False, 2, 5.0))
    found = find_causes(losses(*rows, failed=[0, 0, 1]), draws=20_000, seed=1)
    assert shares(found) == pytest.approx({"model": 4 / 6, "unexplained": 2 / 6}, abs=0.01)
    assert (found.told, named(found).first) == (0, None)


def test_half_the_labels_that_all_name_one_cause_leave_a_share_of_one_in_reach():
    """Causes that no label names are as rare in every kind of loss: 0.6 of a loss beside the 0.15 and 27 labels."""
    rows = (
        ("correct", None, False, 150, 5.0),
        ("error", "model", False, 16, 5.0),
        ("error", None, False, 16, 5.0),
        ("escalated", "model", False, 11, 5.0),
        ("escalated", None, False, 11, 5.0),
    )
    found = find_causes(losses(*rows), draws=20_000, seed=1, selection="random")
    share = found.loss_share["model"]
    assert share.mean() == pytest.approx(1 - 0.6 / 27.75, abs=0.002)
    assert float(np.percentile(share, 95)) > 0.999
    # One draw of it for both kinds: it is not averaged away.
    assert np.corrcoef(found.error_share["model"], share)[0, 1] > 0.999


def test_few_labels_of_one_kind_lean_on_those_of_all_and_move_with_them():
    """Nine labelled errors have shares of their own, three labelled hand-overs those of all twelve."""
    rows = (
        ("error", "model", None, 6, 5.0),
        ("error", "data", None, 3, 5.0),
        ("error", None, None, 11, 5.0),
        ("escalated", "data", None, 3, 5.0),
        ("escalated", None, None, 17, 5.0),
    )
    found = find_causes(losses(*rows), draws=20_000, seed=1, selection="random")
    handed = 2 * found.loss_share["data"] - found.error_share["data"]  # but for the draw of how many of each
    assert handed.mean() == pytest.approx(6.15 / 12.75, abs=0.01)
    assert np.corrcoef(handed, found.error_share["data"])[0, 1] > 0.4


def test_what_stays_unexplained_for_most_names_no_cause():
    found = find_causes(
        losses(
            ("correct", None, None, 900, 5.0),
            ("error", None, None, 90, 5.0),
            ("error", "data", None, 10, 5.0),
        ),
        draws=500,
        seed=1,
    )
    assert named(found).state == "unknown"
    assert in_words(found).startswith("Not known for most: 90")


STATES = st.sampled_from([-1, 0, 1])
CELL = st.tuples(
    st.sampled_from(["correct", "error", "escalated", "abandoned"]),
    st.sampled_from([None, *CAUSES]),
    st.sampled_from([None, False, True]),
    STATES,
    STATES,
    STATES,
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(1, 30),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(CELL, min_size=1, max_size=12), st.sampled_from(["all", "random", "risk_based", "unknown"]))
def test_shares_sum_to_one_and_losses_cost_no_negative_minutes(cells, selection):
    """Whatever is known of the cases; and the order of rows and the names of segments and workers say nothing."""
    rows = [(o, c, d, n, 3.0 + i) for i, (o, c, d, *_, n) in enumerate(cells)]
    columns = dict(
        zip(
            ("failed", "unapproved", "unused", "segment", "worker"),
            zip(*[c[3:8] for c in cells], strict=True),
            strict=True,
        )
    )
    table = losses(*rows, **columns)
    table = losses(*rows, **columns, minutes2=table.minutes**2 / table.n + 2.0 * table.n)
    found = find_causes(table, draws=60, seed=3, selection=selection)
    for shares_ in (found.error_share, found.loss_share):
        if found.losses:
            assert sum(shares_.values()) == pytest.approx(np.ones(60))
            assert all(((s >= 0) & (s <= 1 + 1e-12)).all() for s in shares_.values())
    assert all((m >= 0).all() and np.isfinite(m).all() for m in found.excess_minutes.values())
    assert found.labelled <= found.losses


@settings(max_examples=6, deadline=None)
@given(st.integers(5, 60), st.integers(0, 40), st.integers(0, 40))
def test_more_losses_with_a_defect_are_never_less_of_the_data(n, k, more):
    """With the losses of clean cases as they are, more losses of defective ones only add to the data's share."""

    def data(x: int) -> float:
        rows = [("correct", None, True, 100 + n - x, 5.0), ("correct", None, False, 200, 5.0)]
        rows += [("error", None, False, 20, 5.0)] + ([("error", None, True, x, 5.0)] if x else [])
        return float(find_causes(losses(*rows), draws=1000, seed=1).error_share["data"].mean())

    least = min(k, n)
    assert data(min(least + more, n)) >= data(least) - 0.015
