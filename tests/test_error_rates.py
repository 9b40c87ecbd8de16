"""The table of the rule's own error rates, and how a pilot's size is looked up in it."""

from __future__ import annotations

import csv
import importlib.util
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_moments import drawn_pilot, made_moments

from roi.error_rates import error_rates_of, minutes_correlation, rule_error_rates

COLUMNS = ["cases", "workers", "design", "correlation", "false_scale", "false_kill", "pilots", "seed"]
DEFAULTS = {"scale_probability": 0.8, "kill_probability": 0.2}


@pytest.fixture(scope="module")
def table() -> list[dict[str, str]]:
    with (files("roi") / "verdict_error_rates.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def place(row: dict[str, str]) -> tuple[str, ...]:
    return row["cases"], row["workers"], row["design"], row["correlation"]


def test_the_table_is_whole_and_keeps_its_promise(table):
    """A rule that scales at a chance of 80 % errs in 1 − Φ(1 + 0.84) = 3.3 % at one standard error, or less with a t."""
    assert list(table[0]) == COLUMNS
    assert {row["design"] for row in table} == {"within", "between", "pairs", "cases"}
    worked = [row for row in table if row["workers"]]
    assert {row["correlation"] for row in worked} == {"0", "0.1", "0.3"}
    assert {int(row["cases"]) for row in table} == {20, 50, 100, 300, 1000, 3000}
    assert {row["workers"] for row in table} == {"", "4", "5", "10", "20", "60"}
    assert all(int(row["pilots"]) >= 400 for row in table)
    assert all(0 <= float(row[name]) <= 0.05 for row in table for name in ("false_scale", "false_kill"))
    independent = [row for row in table if row["design"] == "cases" and int(row["cases"]) >= 1000]
    assert np.mean([float(row["false_scale"]) for row in independent]) == pytest.approx(0.033, abs=0.012)


def test_a_size_of_the_table_is_found(table):
    row = next(r for r in table if place(r) == ("100", "10", "within", "0.1"))
    found = rule_error_rates(100, 10, "within")
    assert found.at == "100 cases, 10 workers, correlation 0.1"
    assert found.false_scale == float(row["false_scale"])
    assert found.false_kill == float(row["false_kill"])
    rounded = f"{100 * found.false_scale:.0f}"
    assert f"wrongly said scale in about {rounded} of 100 that were worth slightly too little" in found.text
    assert len(found.text) <= 300


def test_a_size_between_takes_the_worse_of_its_neighbours():
    found = rule_error_rates(150, 7, "between")
    assert found.at == "100 to 300 cases, 5 to 10 workers, correlation 0.1"
    corners = [rule_error_rates(n, w, "between") for n in (100, 300) for w in (5, 10)]
    assert found.false_scale == max(c.false_scale for c in corners)
    assert found.false_kill == max(c.false_kill for c in corners)


def test_beyond_the_table():
    """More workers than simulated lie between the most that were and cases that stand alone."""
    many = rule_error_rates(20_000, 500, "within")
    assert many.at == "3,000 cases, 60 workers or more, correlation 0.1"
    assert many.false_scale == max(
        rule_error_rates(3000, w, d).false_scale for w, d in ((60, "within"), (None, "cases"))
    )
    assert rule_error_rates(19, None, "cases").false_scale is None
    assert "fewer than 20 cases" in rule_error_rates(19, None, "cases").text
    assert "fewer than 4 workers" in rule_error_rates(100, 3, "within").text
    assert rule_error_rates(20, 60, "within").false_scale is None
    for design, workers in (("within", None), ("pairs", 10), ("crossed", None)):
        with pytest.raises(ValueError, match="no such design"):
            rule_error_rates(100, workers, design)


def test_a_correlation_between_takes_the_worse_of_its_neighbours():
    found = rule_error_rates(100, 10, "within", 0.2)
    assert found.at == "100 cases, 10 workers, correlation 0.1 to 0.3"
    ends = [rule_error_rates(100, 10, "within", c) for c in (0.1, 0.3)]
    assert found.false_scale == max(e.false_scale for e in ends)
    assert rule_error_rates(100, 10, "within", 0.35).at == "100 cases, 10 workers, correlation 0.3"
    assert "differ as much" in rule_error_rates(100, 10, "within", 0.5).text


def test_pairs_take_the_worst_over_how_alike_they_are(table):
    found = rule_error_rates(100, None, "pairs")
    rows = [r for r in table if (r["cases"], r["design"]) == ("100", "pairs")]
    assert len(rows) == 2
    assert found.false_kill == max(float(r["false_kill"]) for r in rows)
    assert found.at == "100 cases"


@given(
    st.integers(1, 100_000),
    st.none() | st.integers(1, 5000),
    st.sampled_from(["within", "between", "pairs", "cases"]),
    st.floats(0.0, 1.0),
)
def test_every_size_has_rates_or_a_reason(cases, workers, design, correlation):
    if (workers is None) != (design in ("pairs", "cases")):
        return
    found = rule_error_rates(cases, workers, design, correlation)
    known = [x is not None for x in (found.false_scale, found.false_kill, found.at)]
    assert all(known) or not any(known)
    assert found.text.endswith(".")
    if not any(known):
        assert found.text.startswith("That is not known here: ")


def test_the_design_is_read_off_the_cases():
    rng = np.random.default_rng(1)
    both = drawn_pilot(rng, cases=100, workers=10, correlation=0.0)
    assert error_rates_of(both, "randomised", **DEFAULTS) == rule_error_rates(100, 10, "within")
    apart = drawn_pilot(rng, cases=100, workers=10, within=False, correlation=0.0)
    assert error_rates_of(apart, "randomised", **DEFAULTS) == rule_error_rates(100, 10, "between")
    alone = made_moments(np.ones(100), np.repeat([0, 1], [20, 80]))
    pairs = made_moments(np.ones(100), np.arange(100) % 2, np.arange(100) // 2, unit_kind="pair")
    assert error_rates_of(pairs, "randomised", **DEFAULTS) == rule_error_rates(100, None, "pairs")
    # 20 against 80 cases tell as much as 32 against 32.
    assert error_rates_of(alone, "randomised", **DEFAULTS) == rule_error_rates(64, None, "cases")


def test_cases_that_the_mix_makes_tell_less_are_counted_as_fewer():
    """300 cases that say as much as 30 read the row of 30, and the sentence says so below 80 % only."""
    cases = made_moments(np.ones(300), np.arange(300) % 2)
    thin = error_rates_of(cases, "randomised", **DEFAULTS, effective_n=30.0)
    row = rule_error_rates(30, None, "cases")
    assert row.at != rule_error_rates(300, None, "cases").at
    assert (thin.false_scale, thin.false_kill, thin.at) == (row.false_scale, row.false_kill, row.at)
    assert thin.text == f"{row.text} Weighted to the production mix, the 300 cases are taken as 30."
    told = error_rates_of(cases, "randomised", **DEFAULTS, effective_n=239.0)
    near = error_rates_of(cases, "randomised", **DEFAULTS, effective_n=240.0)
    assert told.text.endswith("are taken as 239.")
    assert near == rule_error_rates(240, None, "cases")
    assert error_rates_of(cases, "randomised", **DEFAULTS, effective_n=10.0).false_scale is None
    # Arms of 60 and 240 are 192 of even arms, and half of these by the mix.
    uneven = made_moments(np.ones(300), np.repeat([0, 1], [60, 240]))
    found = error_rates_of(uneven, "randomised", **DEFAULTS, effective_n=150.0)
    assert found.at == rule_error_rates(96, None, "cases").at


def test_what_was_not_simulated_is_not_known():
    pilot = drawn_pilot(np.random.default_rng(1), cases=100, workers=10)
    assert "not assigned at random" in error_rates_of(pilot, "observational", **DEFAULTS).text
    assert "stricter" in error_rates_of(pilot, "randomised", scale_probability=0.7, kill_probability=0.2).text
    assert "stricter" in error_rates_of(pilot, "randomised", scale_probability=0.8, kill_probability=0.3).text
    assert error_rates_of(pilot, "randomised", scale_probability=0.9, kill_probability=0.1).at is not None
    one_arm = made_moments(np.ones(30), np.ones(30, dtype=int))
    assert "no cases" in error_rates_of(one_arm, "randomised", **DEFAULTS).text


def test_workers_who_differ_are_seen_to_differ():
    """Minutes with a share of 0.3 of their log variance (0.8²) between workers: (e^0.192 − 1) / (e^0.64 − 1) = 0.24."""
    rng = np.random.default_rng(1)
    found = [
        minutes_correlation(drawn_pilot(rng, cases=4000, workers=400, correlation=c, error_rates=None))
        for c in (0.0, 0.3)
    ]
    assert found == pytest.approx([0.0, 0.236], abs=0.05)
    # Two workers, 1 and 3 minutes a case in each arm, no spread within: all of it lies between them.
    alike = made_moments([1.0, 1, 3, 3] * 2, [0] * 4 + [1] * 4, [0, 0, 1, 1] * 2)
    assert minutes_correlation(alike) == pytest.approx(1.0)
    assert minutes_correlation(made_moments([1.0, 2.0], [0, 1])) == 0.0


@pytest.mark.slow
def test_the_benchmark_makes_this_table(table):
    """One cell again, from the same seed: the committed numbers, to the last digit."""
    path = Path(__file__).parent.parent / "benchmarks" / "verdict_error_rates.py"
    spec = importlib.util.spec_from_file_location("verdict_error_rates", path)
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = benchmark
    spec.loader.exec_module(benchmark)
    row = next(r for r in table if place(r) == ("100", "10", "within", "0.1"))
    cell = benchmark.Cell(cases=100, workers=10, design="within", correlation=0.1)
    found = benchmark.error_rates(cell, pilots=int(row["pilots"]), seed=int(row["seed"]))
    assert [f"{x:.4f}" for x in found] == [row["false_scale"], row["false_kill"]]
