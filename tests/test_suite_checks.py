"""Checks of evaluation suites: each finds its planted fault with exactly its rows, and nothing on clean logs."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_controls import CHANGES, by_name, clean, clean_evals, logs_of, rows_of
from scipy import stats

from roi.controls.scorecard import gate_of, look
from roi.controls.suite_checks import suite_checks
from roi.controls.suite_power import ALPHA, cases_needed, power_of, worse_by_chance
from roi.scorecard_record import _headline

LAYER = "evaluation"
V3 = {
    "version": "v3",
    "changed_at": dt.datetime(2026, 9, 1, 9),
    "kind": "prompt",
    "replaces": "v2",
    "approved_by": "board",
}


@pytest.fixture
def tables():
    return clean()


def checks(tables, **given):
    return by_name(suite_checks(logs_of(tables, **given)), LAYER)


def failing(found):
    return {name for name, check in found.items() if check.status == "fail"}


def numbers(tables, **wanted):
    """Row numbers of the evals that are so."""
    return [i for i, row in enumerate(tables["evals"], 1) if all(row[k] == v for k, v in wanted.items())]


def test_clean_logs_pass_every_check(tables):
    found = checks(tables)
    assert {name: c.status for name, c in found.items()} == dict.fromkeys(found, "pass")
    gate = gate_of(LAYER, tuple(found.values()))
    assert (gate.state, gate.counts) == ("shown", None)
    passed = [row["passed"] for row in tables["evals"] if row["run_id"] == "r2"]
    assert gate.value == pytest.approx(np.mean(passed))


# The test and its power


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (5, 0), (1, 5), (10, 3), (40, 11), (7, 7)])
def test_the_test_is_statsmodels_exact_mcnemar(worse, better):
    """statsmodels tests two sides by doubling the smaller tail; one side of it is ours where more got worse."""
    from statsmodels.stats.contingency_tables import mcnemar

    both = mcnemar([[50, worse], [better, 20]], exact=True).pvalue
    ours = worse_by_chance(worse, better)
    assert ours == pytest.approx(
        stats.binomtest(worse, worse + better, 0.5, alternative="greater").pvalue if worse + better else 1
    )
    if worse > better:
        assert 2 * ours == pytest.approx(both)
    else:
        assert min(1, 2 * worse_by_chance(better, worse)) == pytest.approx(both)


def test_the_test_by_hand():
    """5 worse and none better: 1/2^5; 4 and 1: (5 + 1)/2^5."""
    assert worse_by_chance(5, 0) == pytest.approx(1 / 32)
    assert worse_by_chance(4, 1) == pytest.approx(6 / 32)
    assert worse_by_chance(0, 9) == 1


@pytest.mark.parametrize(
    ("n", "flips", "alpha"),
    [(0, 0.1, 0.05), (9, 0.0, 0.05), (40, 0.02, 0.05), (90, 0.4, 0.05), (70, 0.2, 0.01)],
)
def test_power_is_the_sum_over_scipys_binomials(n, flips, alpha):
    total = 0.0
    for m in range(1, n + 1):
        tails = stats.binom.sf(np.arange(m + 1) - 1, m, 0.5)
        fewest = np.argmax(tails < alpha) if tails[-1] < alpha else m + 1
        share = (0.1 + flips) / (0.1 + 2 * flips)
        total += stats.binom.pmf(m, n, 0.1 + 2 * flips) * stats.binom.sf(fewest - 1, m, share)
    assert power_of(n, flips, alpha=alpha) == pytest.approx(total, abs=1e-12)


@given(st.integers(1, 300), st.floats(0, 0.4))
def test_power_is_a_chance_that_a_larger_drop_has_more_of(n, flips):
    power = power_of(n, flips)
    assert 0 <= power <= power_of(n, flips, drop=0.15) + 1e-12 <= 1 + 2e-12


def test_power_by_hand():
    """Without flips five worse of none better are needed: P(at least 5 of 10 | 0.1)."""
    assert power_of(10, 0.0) == pytest.approx(1 - sum(stats.binom.pmf(range(5), 10, 0.1)))
    assert power_of(4, 0.0) == power_of(0, 0.0) == 0


@pytest.mark.parametrize(("flips", "n"), [(0.0, 66), (0.02, 94), (0.05, 134), (0.1, 199)])
def test_cases_that_a_suite_needs(flips, n):
    assert cases_needed(flips) == n
    assert power_of(n, flips) >= 0.8 > power_of(n - 1, flips)


@pytest.mark.slow
@pytest.mark.parametrize("flips", [0.0, 0.05])
def test_the_power_is_what_simulations_find(flips):
    rng = np.random.default_rng(3)
    n = cases_needed(flips)
    drawn = rng.multinomial(n, [0.1 + flips, flips, 1 - 0.1 - 2 * flips], size=4000)
    shown = np.mean([worse_by_chance(int(w), int(b)) < ALPHA for w, b, _ in drawn])
    assert shown == pytest.approx(power_of(n, flips), abs=0.02)


# One fault each


def test_a_live_version_without_a_run_fails(tables):
    tables["changes"].append(V3)
    found = checks(tables)
    assert found["live_tested"].status == "fail"
    assert found["live_tested"].evidence == "The live version has no run of the evaluation suite."
    assert found["live_tested"].rows == found["changes_tested"].rows == rows_of("changes", 3)
    assert {found[n].status for n in ("critical_cases", "no_regression")} == {"missing_evidence"}


def test_a_run_before_the_change_does_not_test_it(tables):
    tables["changes"][1]["changed_at"] = dt.datetime(2026, 10, 1)
    found = checks(tables)
    assert found["live_tested"].evidence == "The last run of the suite is older than the last change."
    assert failing(found) == {"live_tested", "changes_tested"}


def work(tables, version, *, first=0):
    """Let a version work the cases from one on; the rows of those that were worked with the agent."""
    rows = [i for i, row in enumerate(tables["cases"], 1) if row["arm"] == "pilot" and i > first]
    for i in rows:
        tables["cases"][i - 1]["version"] = version
    return rows


def live_v3(tables, at=None):
    """Let v3 come and be tested, by default before the first case."""
    at = at or V3["changed_at"]
    tables["changes"].append(V3 | {"changed_at": at})
    tables["evals"] += [
        r | {"version": "v3", "run_id": "r3", "ran_at": at + dt.timedelta(hours=3)}
        for r in tables["evals"]
        if r["run_id"] == "r2"
    ]


def test_a_tested_version_that_is_not_the_measured_one_fails(tables):
    live_v3(tables)
    rows = work(tables, "v2")
    found = checks(tables)
    assert failing(found) == {"live_tested"}
    since = [i for i in rows if tables["cases"][i - 1]["started_at"] >= V3["changed_at"]]
    assert found["live_tested"].rows == rows_of("cases", *since)
    work(tables, "v3", first=300)  # half of them, the newer ones
    assert not failing(checks(tables))


@pytest.mark.parametrize("said", [True, False])
def test_a_version_that_came_after_the_last_case_was_not_measured(tables, said):
    live_v3(tables, dt.datetime(2026, 11, 25, 9))
    found = checks(tables, without=None if said else {"cases": ["version"]})
    assert found["live_tested"].status == "fail"
    assert found["live_tested"].rows == rows_of("changes", 3)


def test_work_of_a_version_after_it_was_rolled_back_is_found(tables):
    back = dt.datetime(2026, 9, 3)
    tables["changes"][1]["rolled_back_at"] = back
    rows = work(tables, "v2")
    found = checks(tables)
    assert failing(found) >= {"live_tested", "versions_listed"}
    late = [i for i in rows if tables["cases"][i - 1]["started_at"] > back]
    assert found["versions_listed"].rows == rows_of("cases", *late)
    tables["changes"].append(V3 | {"version": "v2", "changed_at": back + dt.timedelta(seconds=1)})
    assert "versions_listed" not in failing(checks(tables))  # it came back


def test_what_changes_after_the_day_of_the_decision_is_not_live_yet(tables):
    tables["changes"].append(V3 | {"changed_at": dt.datetime(2026, 12, 20)})
    tables["changes"][1]["rolled_back_at"] = dt.datetime(2026, 12, 20)
    assert not failing(checks(tables))


def test_what_was_rolled_back_is_not_live(tables):
    tables["changes"].append(V3 | {"rolled_back_at": dt.datetime(2026, 9, 1, 11)})
    found = checks(tables)
    assert found["live_tested"].status == found["no_regression"].status == "pass"
    assert found["changes_tested"].rows == rows_of("changes", 3)  # it went live all the same, untested


@pytest.mark.parametrize(("late", "text"), [("v1", "none before it"), ("v2", "no run of the suite after it")])
def test_each_change_needs_a_run_before_and_after(tables, late, text):
    """The version before, tested only after it was replaced, and the new one, tested only before it came."""
    for row in tables["evals"]:
        if row["version"] == late:
            row["ran_at"] += dt.timedelta(days=60 if late == "v1" else -60)
    found = checks(tables)
    assert found["changes_tested"].status == "fail"
    assert found["changes_tested"].rows == rows_of("changes", 2)
    assert text in found["changes_tested"].evidence
    assert found["no_regression"].status == ("pass" if late == "v1" else "missing_evidence")


def test_a_critical_case_that_fails_is_found(tables):
    row = numbers(tables, run_id="r2b", eval_case="e015")
    tables["evals"][row[0] - 1]["passed"] = False
    found = checks(tables)
    assert found["critical_cases"].rows == rows_of("evals", *row)
    assert failing(found) == {
        "critical_cases",
        "stable_cases",
    }  # in the newest run, not in the one after the change


def test_a_critical_case_that_broke_is_a_regression(tables):
    rows = [n for run in ("r2", "r2b") for n in numbers(tables, run_id=run, eval_case="e015")]
    for row in rows:
        tables["evals"][row - 1]["passed"] = False
    found = checks(tables)
    assert failing(found) == {"critical_cases", "no_regression"}
    assert found["no_regression"].rows == rows_of("evals", rows[0])
    assert "1 critical case that passed before fails" in found["no_regression"].evidence


def test_critical_cases_that_were_not_run_are_missing_evidence_with_their_number(tables):
    gone = {"e015", "e030"}
    tables["evals"] = [r for r in tables["evals"] if r["version"] != "v2" or r["eval_case"] not in gone]
    check = checks(tables)["critical_cases"]
    assert (check.status, check.more) == ("missing_evidence", 2)


def test_scaling_waits_for_critical_cases_that_were_not_run(tables):
    """New ones, which the version before did not run either: nothing but this check sees them."""
    first = tables["evals"][0] | {"eval_case": "e900", "critical": True, "run_id": "r0", "version": "v0"}
    tables["evals"].append(first)
    found = checks(tables)
    assert {n for n, c in found.items() if c.status == "missing_evidence"} == {"critical_cases"}
    gate = gate_of(LAYER, tuple(found.values()))
    assert (gate.state, gate.more_cases) == ("not_shown", 1)


def drop(tables, n, *, critical):
    """Leave out of the live version's runs so many cases that passed before, whose rows come back."""
    rows = numbers(tables, run_id="r1", passed=True, critical=critical)[:n]
    gone = {tables["evals"][row - 1]["eval_case"] for row in rows}
    tables["evals"] = [r for r in tables["evals"] if r["version"] != "v2" or r["eval_case"] not in gone]
    return rows


@pytest.mark.parametrize(("dropped", "status"), [(4, "pass"), (5, "missing_evidence")])
def test_cases_that_the_live_version_did_not_run_may_have_got_worse(tables, dropped, status):
    """Nothing turned, so that five of them would be a regression: 1/32 < 0.05 <= 1/16."""
    ran = {r["eval_case"]: r["passed"] for r in tables["evals"] if r["run_id"] == "r1"}
    for row in tables["evals"]:
        row["passed"] = ran[row["eval_case"]]
    rows = drop(tables, dropped, critical=False)
    found = checks(tables)
    check = found["no_regression"]
    assert (check.status, check.more) == (status, dropped if status != "pass" else None)
    assert f"{dropped} cases that passed before were not run since" in check.evidence
    if status != "pass":
        assert check.rows == rows_of("evals", *rows)
        assert gate_of(LAYER, tuple(found.values())).more_cases == dropped


def test_one_critical_case_that_was_not_run_leaves_a_regression_open(tables):
    rows = drop(tables, 1, critical=True)
    check = checks(tables)["no_regression"]
    assert (check.status, check.rows) == ("missing_evidence", rows_of("evals", *rows))


def test_a_suite_that_marks_no_case_as_critical_says_so(tables):
    for row in tables["evals"]:
        row["critical"] = False
    assert checks(tables)["critical_cases"].status == "pass"
    for row in tables["evals"]:
        row["critical"] = None
    assert checks(tables)["critical_cases"].status == "missing_evidence"


def test_what_had_nothing_to_look_at_is_told_apart(tables):
    """No critical case and no earlier change of a version: they close nothing, and are no passes to boast of."""
    for row in tables["evals"]:
        row["critical"] = False
    idle = {"critical_cases", "past_regressions"}
    assert {name for name, check in checks(tables).items() if check.idle} == idle
    card = look(logs_of(tables))
    seen = [check for check in card.checks if not check.idle]
    passed = sum(check.status == "pass" for check in seen)
    said = f"{passed} of {len(seen)} checks of the controls pass ({len(card.checks) - len(seen)} more had nothing"
    assert _headline(card).startswith(said)


def worsen(tables, n, *, version="v2", runs=("r2", "r2b")):
    """Let so many cases that passed before fail on a version; their rows in its first run."""
    before = {"v2": "r1", "v3": "r2"}[version]
    passed = {
        r["eval_case"] for r in tables["evals"] if r["run_id"] == before and r["passed"] and not r["critical"]
    }
    chosen = sorted(passed)[:n]
    for row in tables["evals"]:
        if row["run_id"] in runs and row["eval_case"] in chosen:
            row["passed"] = False
    return [i for case in chosen for i in numbers(tables, run_id=runs[0], eval_case=case)]


def test_a_regression_is_found_with_its_rows(tables):
    rows = worsen(tables, 30)
    found = checks(tables)
    assert failing(found) == {"no_regression"}
    check = found["no_regression"]
    assert check.rows.count >= 30
    assert set(check.rows.first) >= set(rows[:20]) & set(check.rows.first)
    gate = gate_of(LAYER, tuple(found.values()))
    assert (gate.state, gate.counts) == ("exceeded", None)


@pytest.mark.parametrize(("worse", "found"), [(4, False), (5, True)])
def test_five_worse_and_none_better_are_a_regression(tables, worse, found):
    """1/32 < 0.05 <= 1/16, one by one."""
    ran = {r["eval_case"]: r["passed"] for r in tables["evals"] if r["run_id"] == "r1"}
    for row in tables["evals"]:
        if row["version"] == "v2":
            row["passed"] = ran[row["eval_case"]]
    rows = worsen(tables, worse)
    check = checks(tables)["no_regression"]
    assert check.status == ("fail" if found else "pass")
    assert f"0 better and {worse} worse" in check.evidence
    if found:
        assert check.rows == rows_of("evals", *rows)


def test_the_first_attempt_of_a_run_counts(tables):
    """Who may try until it passes shows nothing: the retry is no result of its own, but the case is not stable."""
    rows = worsen(tables, 30, runs=("r2",))
    retries = [tables["evals"][i - 1] | {"passed": True} for i in rows]
    for row in retries:
        row["ran_at"] += dt.timedelta(minutes=1)
    tables["evals"] = [r for r in tables["evals"] if r["run_id"] != "r2b"] + retries
    found = checks(tables)
    assert failing(found) == {"no_regression", "stable_cases"}
    assert found["stable_cases"].misses == 30


def test_the_results_nearest_to_the_change_are_compared(tables):
    """A bad run long before the change, and one long after it, say nothing of what the change did."""
    old = [
        r | {"run_id": "r0", "passed": False, "ran_at": dt.datetime(2026, 6, 30, 10)}
        for r in tables["evals"]
        if r["run_id"] == "r1"
    ]
    late = [
        r | {"run_id": "r9", "passed": r["critical"], "ran_at": dt.datetime(2026, 10, 30)}
        for r in tables["evals"]
        if r["run_id"] == "r2"
    ]
    plain = checks(tables)["no_regression"]
    tables["evals"] = [*late, *tables["evals"], *old]
    found = checks(tables)["no_regression"]
    assert (found.status, found.evidence) == ("pass", plain.evidence)


def test_without_runs_by_name_the_first_result_of_each_case_is_a_run(tables):
    named = checks(tables)
    found = checks(tables, without={"evals": ["run_id"]})
    assert {n: c.evidence for n, c in found.items()} == {n: c.evidence for n, c in named.items()}


def test_the_first_version_cannot_be_worse_than_any(tables):
    tables["changes"] = [CHANGES[0]]
    tables["evals"] = [r for r in tables["evals"] if r["version"] == "v1"]
    found = checks(tables)
    assert found["no_regression"].status == "pass"
    assert "it is the first" in found["no_regression"].evidence
    assert found["suite_power"].n == 150


def test_a_version_before_without_a_run_is_missing_evidence(tables):
    tables["evals"] = [r for r in tables["evals"] if r["version"] == "v2"]
    found = checks(tables)
    assert found["no_regression"].status == "missing_evidence"
    assert found["changes_tested"].status == "fail"


@pytest.mark.parametrize("cases", [20, 60])
def test_a_suite_that_is_too_small_is_missing_evidence_with_the_number(tables, cases):
    tables["evals"] = clean_evals(cases, flips=0)
    found = checks(tables)
    check = found["suite_power"]
    assert (check.status, check.n, check.more) == ("missing_evidence", cases, 66 - cases)
    assert check.value == pytest.approx(power_of(cases, 0.0))
    gate = gate_of(LAYER, tuple(found.values()))
    assert (gate.state, gate.more_cases) == ("not_shown", 66 - cases)


def test_flips_call_for_more_cases(tables):
    """Results that turn either way hide a drop: what the last comparison saw of them is what counts."""
    tables["evals"] = clean_evals(100, flips=0.15)
    check = checks(tables)["suite_power"]
    by_run = {
        run: {r["eval_case"]: r["passed"] for r in tables["evals"] if r["run_id"] == run}
        for run in ("r1", "r2")
    }
    better = sum(by_run["r2"][c] and not by_run["r1"][c] for c in by_run["r1"])
    worse = sum(by_run["r1"][c] and not by_run["r2"][c] for c in by_run["r1"])
    assert min(better, worse) > 3
    assert check.more == cases_needed(min(better, worse) / 100) - 100


def test_an_earlier_regression_is_found(tables):
    tables["evals"] = clean_evals(rates={"v1": 0.85, "v2": 0.85, "v3": 0.95})
    tables["changes"].append(V3)
    work(tables, "v3")
    assert checks(tables)["past_regressions"].status == "pass"
    worsen(tables, 30)
    found = checks(tables)
    assert failing(found) == {"past_regressions"}
    assert found["past_regressions"].rows == rows_of("changes", 2)


def test_a_segment_without_cases_is_found(tables):
    for row in tables["evals"]:
        row["segment"] = "a"
    found = checks(tables)
    assert failing(found) == {"segments_covered"}
    assert (found["segments_covered"].value, found["segments_covered"].misses) == (0.6, 1)
    small = checks(tables, mix={"a": 0.97, "b": 0.03})
    assert small["segments_covered"].status == "pass"


@pytest.mark.parametrize(("of_b", "status"), [(0, "fail"), (4, "fail"), (5, "pass")])
def test_a_segment_needs_five_cases_of_the_live_version(tables, of_b, status):
    """What the version before ran of it, and a single case of four tenths of the demand, cover nothing."""
    kept = {f"e{3 * i:03d}" for i in range(of_b)}
    for row in tables["evals"]:
        if row["version"] == "v2" and row["segment"] == "b" and row["eval_case"] not in kept:
            row["segment"] = "a"
    check = checks(tables)["segments_covered"]
    assert check.status == status
    assert check.evidence.endswith(f"Cases by segment: b {of_b}, a {150 - of_b}.")


def test_a_segment_that_the_live_rows_leave_blank_is_that_of_the_case(tables):
    for row in tables["evals"]:
        if row["version"] == "v2":
            row["segment"] = None
    assert "b 50, a 100." in checks(tables)["segments_covered"].evidence


def test_cases_that_are_not_stable_are_found(tables):
    row = numbers(tables, run_id="r2b", eval_case="e001")[0]
    tables["evals"][row - 1]["passed"] ^= True
    found = checks(tables)
    assert failing(found) == {"stable_cases"}
    assert found["stable_cases"].rows == rows_of(
        "evals", numbers(tables, run_id="r2", eval_case="e001")[0], row
    )


def test_a_suite_that_cannot_fail_is_found(tables):
    for row in tables["evals"]:
        row["passed"] = True
    found = checks(tables)
    assert failing(found) == {"can_fail"}
    # However many its cases are, it could show no drop.
    assert (found["suite_power"].status, found["suite_power"].more) == ("missing_evidence", None)
    assert gate_of(LAYER, tuple(found.values())).state == "missing_evidence"
    tables["evals"] = [r for r in tables["evals"] if r["run_id"] == "r1"]
    assert checks(tables)["can_fail"].status == "missing_evidence"


def test_a_change_without_approval_is_found(tables):
    tables["changes"][1]["approved_by"] = None
    found = checks(tables)
    assert failing(found) == {"changes_approved"}
    assert found["changes_approved"].rows == rows_of("changes", 2)


@pytest.mark.parametrize("table", ["cases", "actions"])
def test_a_version_that_no_change_lists_is_found(tables, table):
    at = [7, 28, 41]
    for i in at:
        tables[table][i - 1] |= {"version": "v9", "arm": "pilot"}
    found = checks(tables)
    assert failing(found) == {"versions_listed"}
    assert found["versions_listed"].rows == rows_of(table, *at)


# What is not there


def test_without_runs_nothing_is_shown(tables):
    del tables["evals"]
    found = checks(tables)
    assert {n for n, c in found.items() if c.status == "pass"} == {"changes_approved", "versions_listed"}
    assert {c.status for c in found.values()} == {"pass", "missing_evidence"}
    assert gate_of(LAYER, tuple(found.values())).state == "missing_evidence"


def test_without_changes_no_version_is_guessed_from_the_runs(tables):
    del tables["changes"]
    found = checks(tables)
    silent = {n for n, c in found.items() if c.status == "missing_evidence"}
    assert silent == {
        "live_tested", "changes_tested", "critical_cases", "no_regression", "past_regressions", "changes_approved",
        "versions_listed", "segments_covered",
    }  # fmt: skip
    assert (
        found["live_tested"].evidence == "No list of changes says which version is live and what it replaced."
    )


WITHOUT = [
    ("live_tested", "evals", "ran_at"),
    ("changes_tested", "evals", "ran_at"),
    ("no_regression", "evals", "ran_at"),
    ("critical_cases", "evals", "critical"),
    ("segments_covered", "evals", "segment"),
    ("past_regressions", "evals", "ran_at"),
    ("changes_approved", "changes", "approved_by"),
]


@pytest.mark.parametrize(("name", "table", "column"), WITHOUT)
def test_what_a_table_does_not_say_is_missing_evidence(tables, name, table, column):
    check = checks(tables, without={table: [column]})[name]
    assert (check.status, bool(check.mend)) == ("missing_evidence", True)


def test_a_failing_case_that_nobody_calls_critical_or_not_leaves_it_open(tables):
    name = next(r["eval_case"] for r in tables["evals"] if r["version"] == "v2" and not r["passed"])
    for row in tables["evals"]:
        if row["eval_case"] == name:
            row["critical"] = None
    check = checks(tables)["critical_cases"]
    assert check.status == "missing_evidence"
    assert check.evidence == "Of 1 case that fails on the live version nobody says whether it is critical."


def test_work_of_an_unknown_version_leaves_it_open(tables):
    tables["actions"][2]["version"] = None
    check = checks(tables)["versions_listed"]
    assert (check.status, check.rows) == ("missing_evidence", rows_of("actions", 3))


def test_without_versions_at_work_nothing_shows_that_they_are_listed(tables):
    found = checks(tables, without={"cases": ["version"], "actions": ["version"]})
    assert found["versions_listed"].status == "missing_evidence"


def test_without_a_mix_or_a_second_run_there_is_nothing_to_hold_against(tables):
    assert checks(tables, mix=None)["segments_covered"].status == "missing_evidence"
    tables["evals"] = [r for r in tables["evals"] if r["run_id"] != "r2b"]
    assert checks(tables)["stable_cases"].status == "missing_evidence"


@pytest.mark.slow
def test_clean_suites_are_rarely_accused():
    """200 logs of versions that are as good as each other or better, of cases that turn once in a hundred times."""
    found = {"no_regression": 0, "past_regressions": 0}
    for seed in range(200):
        tables = clean(20, seed=seed)
        tables["evals"] = clean_evals(seed=seed, rates={"v1": 0.85, "v2": 0.85, "v3": 0.9})
        tables["changes"].append(V3)
        checked = checks(tables)
        for name in found:
            found[name] += checked[name].status == "fail"
    assert max(found.values()) <= 2, found
