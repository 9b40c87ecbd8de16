"""Violations of the evaluation suite and of changes, to be planted."""

from __future__ import annotations

import datetime as dt

from control_logs import Log, Row
from control_plants import ImpossibleError, Kind, Planted, Rng

__all__ = ["SILENT", "SUITE_KINDS", "set_pair"]

MINUTE = dt.timedelta(minutes=1)
SILENT = ("fail", "missing_evidence")
"""What was not done may be called a failure, or missing; never a pass."""


def _changes(log: Log) -> list[Row]:
    return sorted(log.tables["changes"], key=lambda row: row["changed_at"])


def _of(log: Log, version: str) -> dict[str, list[Row]]:
    """Case of the suite → its results under a version, oldest first."""
    found: dict[str, list[Row]] = {}
    for row in sorted(log.tables["evals"], key=lambda row: row["ran_at"]):
        if row["version"] == version:
            found.setdefault(row["eval_case"], []).append(row)
    return found


def _untested(log: Log, rng: Rng, k: int) -> Planted:
    live = _changes(log)[-1]
    log.tables["evals"] = [
        r
        for r in log.tables["evals"]
        if not (r["version"] == live["version"] and r["ran_at"] >= live["changed_at"])
    ]
    return Planted(must={("live_tested",): []}, touched={"changes": [live], "evals": log.tables["evals"]})


def _hotfix(log: Log, rng: Rng, k: int) -> Planted:
    first, second = _changes(log)[:2]
    at = first["changed_at"] + (second["changed_at"] - first["changed_at"]) / 2
    row = {
        **first,
        "version": "hotfix-1",
        "changed_at": at.replace(microsecond=0),
        "replaces": first["version"],
        "rolled_back_at": (at + 30 * MINUTE).replace(microsecond=0),
    }
    log.tables["changes"].insert(int(rng.integers(len(log.tables["changes"]) + 1)), row)
    return Planted(must={("changes_tested",): [{"changes": [row]}]})


def _no_before(log: Log, rng: Rng, k: int) -> Planted:
    first = _changes(log)[0]
    log.tables["evals"] = [r for r in log.tables["evals"] if r["ran_at"] >= first["changed_at"]]
    return Planted(must={("changes_tested",): [{"changes": [first]}]})


def _critical(log: Log, rng: Rng, k: int) -> Planted:
    live = _of(log, _changes(log)[-1]["version"])
    cases = [case for case, rows in sorted(live.items()) if rows[0]["critical"]]
    if not cases:
        raise ImpossibleError
    chosen = [cases[i] for i in rng.permutation(len(cases))[:k].tolist()]
    for case in chosen:
        for row in live[case]:
            row["passed"] = 0
    return Planted(must={("critical_cases",): [{"evals": live[case]} for case in chosen]})


def _critical_now(log: Log, rng: Rng, k: int) -> Planted:
    """Critical cases that passed in the first run of the live version and fail in the last."""
    live = _of(log, _changes(log)[-1]["version"])
    cases = [case for case, rows in sorted(live.items()) if rows[0]["critical"]][:k]
    if not cases:
        raise ImpossibleError
    for case in cases:
        live[case][-1]["passed"] = 0
    return Planted(
        must={
            ("critical_cases",): [{"evals": [live[case][-1]]} for case in cases],
            ("stable_cases",): [{"evals": live[case]} for case in cases],
        }
    )


def set_pair(log: Log, before: str, after: str, worse: int, better: int) -> list[str]:
    """Make a version so many cases worse and better than another, and like it elsewhere; returns the worse ones."""
    old, new = _of(log, before), _of(log, after)
    free = [case for case, rows in sorted(new.items()) if not rows[0]["critical"]]
    held = [case for case in free if old[case][-1]["passed"]]
    failed = [case for case in free if not old[case][-1]["passed"]]
    if len(held) < worse or len(failed) < better:
        raise ImpossibleError
    lost, won = held[:worse], failed[:better]
    for case, rows in new.items():
        now = case in won or (bool(old[case][-1]["passed"]) and case not in lost)
        for row in rows:
            row["passed"] = int(now)
    return lost


def _regression(log: Log, rng: Rng, k: int) -> Planted:
    before, live = _changes(log)[-2:]
    worse = set_pair(log, before["version"], live["version"], 25, 3)
    rows = _of(log, live["version"])
    return Planted(must={("no_regression",): [{"evals": rows[case]} for case in worse]})


def _past_regression(log: Log, rng: Rng, k: int) -> Planted:
    changes = _changes(log)
    if len(changes) < 3:
        raise ImpossibleError
    worse = set_pair(log, changes[0]["version"], changes[1]["version"], 30, 2)
    rows = _of(log, changes[1]["version"])
    groups = [{"evals": rows[case], "changes": [changes[1]]} for case in worse]
    return Planted(must={("past_regressions",): groups})


def _flaky(log: Log, rng: Rng, k: int) -> Planted:
    rows = _of(log, _changes(log)[0]["version"])
    cases = [case for case, runs in sorted(rows.items()) if runs[0]["passed"] and not runs[0]["critical"]]
    chosen = [cases[i] for i in rng.permutation(len(cases))[:k].tolist()]
    for case in chosen:
        rows[case][0]["passed"] = 0
    return Planted(must={("stable_cases",): [{"evals": rows[case]} for case in chosen]})


def _easy(log: Log, rng: Rng, k: int) -> Planted:
    for row in log.tables["evals"]:
        row["passed"] = 1
    return Planted(must={("can_fail",): []}, touched={"evals": log.tables["evals"]})


def _uncovered(log: Log, rng: Rng, k: int) -> Planted:
    names = [name for name, share in log.mix.items() if share >= 0.1]
    gone = names[int(rng.integers(len(names)))]
    other = next(name for name in log.mix if name != gone)
    for row in log.tables["evals"]:
        if row["segment"] == gone:
            row["segment"] = other
    cases = [row for row in log.tables["cases"] if row["segment"] == gone]
    return Planted(must={("segments_covered",): []}, touched={"cases": cases})


def _unapproved(log: Log, rng: Rng, k: int) -> Planted:
    rows = log.tables["changes"]
    chosen = [rows[i] for i in rng.permutation(len(rows))[:k].tolist()]
    for row in chosen:
        row["approved_by"] = None
    return Planted(must={("changes_approved",): [{"changes": [row]} for row in chosen]})


def _unlisted(log: Log, rng: Rng, k: int) -> Planted:
    live, of = log.live()[5:-5], log.of_cases()
    free = [case for case in live if case["case_id"] not in log.taken]
    if not free:
        raise ImpossibleError
    groups = []
    for i in rng.permutation(len(free))[:k].tolist():
        case = free[i]
        case["version"] = "build-77"
        rows = of.get(case["case_id"], [])
        for row in rows:
            if "version" in row:
                row["version"] = "build-77"
        log.taken.add(case["case_id"])
        groups.append({"cases": [case], "actions": rows})
    return Planted(must={("versions_listed",): groups})  # type: ignore[arg-type]


SUITE_KINDS = (
    Kind(
        name="a live version not tested after its change",
        plant=_untested,
        strength="no run after it",
        follows=("changes_tested",),
        accepts=SILENT,
        most=1,
        area="evals",
    ),
    Kind(
        name="a change that was never tested",
        plant=_hotfix,
        strength="1 change",
        accepts=SILENT,
        most=1,
        area="evals",
    ),
    Kind(
        name="a change without a run before it",
        plant=_no_before,
        strength="no run before the first change",
        accepts=SILENT,
        most=1,
        area="evals",
    ),
    Kind(
        name="a critical case that fails",
        plant=_critical,
        strength="1 or 3 cases",
        follows=("no_regression",),
        most=3,
        area="evals",
    ),
    Kind(
        name="a critical case that fails in the last run",
        plant=_critical_now,
        strength="1 or 3 cases",
        follows=("no_regression",),
        most=3,
        area="evals",
    ),
    Kind(
        name="a live version that is worse",
        plant=_regression,
        strength="25 cases worse and 3 better",
        most=1,
        area="evals",
    ),
    Kind(
        name="an earlier change that made it worse",
        plant=_past_regression,
        strength="30 cases worse and 2 better",
        most=1,
        area="evals",
    ),
    Kind(name="cases that pass now and then", plant=_flaky, strength="1 or 3 cases", most=3, area="evals"),
    Kind(
        name="a suite that cannot fail",
        plant=_easy,
        strength="every case passes",
        follows=("suite_power",),
        most=1,
        area="evals",
    ),
    Kind(
        name="a segment without a case in the suite",
        plant=_uncovered,
        strength="1 segment of at least a tenth",
        accepts=SILENT,
        most=1,
        area="evals",
    ),
    Kind(name="a change that nobody approved", plant=_unapproved, strength="1 or 2 changes", most=2),
    Kind(name="a version that is not listed", plant=_unlisted, strength="1, 3 or 25 cases"),
)
