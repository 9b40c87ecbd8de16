"""Looks at a verdict: the recursion against published bounds and simulation, and what a further look asks for."""

from __future__ import annotations

import numpy as np
import pytest
from pilots import cases, write_pilot
from scipy.special import ndtr, ndtri

from roi.looks import MOST_LOOKS, chance_needed, passing_chance, words_of
from roi.pilot import open_pilot
from roi.problems import ParameterError


@pytest.mark.parametrize(("looks", "bound"), [(2, 2.178), (3, 2.289), (4, 2.361), (5, 2.413), (10, 2.555)])
def test_the_recursion_matches_pocock_1977(looks, bound):
    """Pocock (1977), Biometrika 64:191, Table 1: two-sided 5 %; both sides at once are all but never passed."""
    assert passing_chance(bound, looks, 0.0) == pytest.approx(0.025, abs=0.0002)


@pytest.mark.parametrize(("looks", "error"), [(2, 0.083), (3, 0.107), (5, 0.142), (10, 0.193)])
def test_repeated_tests_at_five_per_cent_match_armitage_1969(looks, error):
    """Armitage, McPherson & Rowe (1969), JRSS A 132:235, Table 2: two-sided 1.96 at every look, true null."""
    assert 2 * passing_chance(1.96, looks, 0.0) == pytest.approx(error, abs=0.003)


def test_the_recursion_matches_a_simulation():
    rng = np.random.default_rng(1)
    looks = np.arange(1, 13)
    paths = rng.standard_normal((100_000, 12)).cumsum(axis=1) / np.sqrt(looks) - np.sqrt(looks / 12)
    found = float((paths > 1.2).any(axis=1).mean())
    assert passing_chance(1.2, 12, -1.0) == pytest.approx(found, abs=3 * np.sqrt(found / 100_000))


def test_one_look_changes_nothing():
    assert passing_chance(0.7, 1, 0.3) == pytest.approx(float(ndtr(0.3 - 0.7)), abs=1e-12)
    for p in (0.5, 0.8, 0.95, 1.0):
        assert chance_needed(p, 1) == p


@pytest.mark.parametrize("p", [0.6, 0.8, 0.9, 0.95])
def test_more_looks_ask_for_more_and_err_no_more(p):
    needed = [chance_needed(p, looks) for looks in (1, 2, 3, 6, 12, 24)]
    assert needed == sorted(needed)
    assert len(set(needed)) == len(needed)
    single = float(ndtr(-(ndtri(p) + 1)))
    for looks, chance in zip((2, 3, 6, 12, 24), needed[1:], strict=True):
        assert passing_chance(float(ndtri(chance)), looks, -1.0) == pytest.approx(single, abs=2e-4)


@pytest.mark.slow
def test_looks_out_of_range_are_refused():
    for looks in (0, MOST_LOOKS + 1):
        with pytest.raises(ValueError, match="looks"):
            chance_needed(0.8, looks)
    assert chance_needed(1.0, 12) == 1.0
    assert chance_needed(0.8, MOST_LOOKS) < 1


def test_a_look_is_said_and_what_is_said_is_enough():
    assert words_of(1, 0.8) is None
    assert words_of(3, 0.8) == "Counted as 3 looks at its data: scale needs a chance of 93 %, not 80 %."
    assert chance_needed(0.8, 3) <= 0.93


@pytest.mark.slow
def test_looks_reach_the_verdict_and_the_record(tmp_path):
    """A chance between what one look and what twelve looks ask for: scale at the first, not at the twelfth."""
    rows = cases(600, baseline=12.0, pilot=10.0, workers=8, error_baseline=0.0, error_pilot=0.0)
    loose = {"max_severe_error_rate": 0.3, "max_approval_miss_rate": 0.1, "approved_by": "Board"}

    def decided(looks, folder, cost):
        line = {"name": "Connector", "kind": "integration", "amount": cost, "per": "once", "source": "quote"}
        changes = {"run": {"looks": looks}, "economics": {"costs": [line], "contingency": 0}}
        return open_pilot(write_pilot(tmp_path / folder, rows, changes, policy=loose)).decision

    first = decided(1, "first", 10000)
    spare = float(
        np.quantile(first.analysis.scale.worth, 0.1)
    )  # at this further cost it pays nine times in ten
    cost = round(10000 + spare, 2)
    once, often = decided(1, "once", cost), decided(12, "often", cost)
    chance = once.record["options"]["scale"]["chance_above_hurdle"]
    assert 0.8 <= chance < chance_needed(0.8, 12), chance
    assert (once.verdict, often.verdict == "scale") == ("scale", False)
    assert often.record["options"]["scale"]["chance_above_hurdle"] == chance
    assert (once.record["provenance"]["looks"], often.record["provenance"]["looks"]) == (1, 12)
    said = "Counted as 12 looks at its data: scale needs a chance of 98 %, not 80 %."
    assert said in often.record["warnings"]
    assert often.record["rule_error_rates"]["text"].endswith(said)
    assert not any("looks at its data" in w for w in once.record["warnings"])


@pytest.mark.parametrize("looks", [0, -1, 61])
def test_impossible_looks_are_refused(tmp_path, looks):
    with pytest.raises(ParameterError, match="looks; write 1 for the first look"):
        open_pilot(write_pilot(tmp_path, cases(40), {"run": {"looks": looks}}))
