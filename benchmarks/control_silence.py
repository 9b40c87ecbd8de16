"""What logs are too few, too short or too silent to show is missing evidence, and what contradicts itself is a finding.

Each function gives bars: whether it is met, and what was seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from control_loading import CRASHES, found_in, logs_of
from control_logs import Log, Row, clean_log
from control_plants import Kind, copy_of, judge
from plants_suite import set_pair
from scipy import stats

from roi.controls.check import Check

__all__ = ["contradictions", "dropped", "short"]

Bar = tuple[bool, str]
LIMIT = 0.02

OF_TABLE: Mapping[str, tuple[str, ...]] = {
    "actions": (
        *("granted", "before_grant", "after_expiry", "needed_share", "writes_needed", "unused_grants"),
        *("approved_before", "approved_late", "decided_early", "self_approved", "approved_by_agent"),
        *("rejected_ran", "understated_risk", "reading_time", "some_rejected", "bulk_approvals"),
        *("cases_with_actions", "actions_with_case", "unique_ids", "required_fields", "time_order"),
        *("denied_ran", "sequence_gaps", "sequence_repeats", "future_times", "clock_skew", "silent_days"),
    ),
    "access": (
        *("granted", "before_grant", "after_expiry", "needed_share", "writes_needed", "unused_grants"),
        *("unneeded_grants", "ungranted_needs", "wildcard_grants", "open_ended_grants", "self_granted"),
    ),
    "evals": (
        *("live_tested", "changes_tested", "critical_cases", "no_regression", "suite_power"),
        *("past_regressions", "segments_covered", "stable_cases", "can_fail"),
    ),
    "changes": (
        *("live_tested", "changes_tested", "critical_cases", "no_regression", "past_regressions"),
        *("changes_approved", "versions_listed"),
    ),
    "incidents": (
        "drill_recent",
        "pause_in_time",
        "restored",
        "incident_times",
        "incidents_answered",
        "way_back",
    ),
}
"""Table → checks that cannot pass without it."""

OF_COLUMN: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("actions", "executed_at"): (
        *("before_grant", "after_expiry", "approved_before", "approved_late", "denied_ran"),
        "required_fields",
    ),
    ("actions", "status"): ("required_fields", "denied_ran"),
    ("actions", "decision"): (
        *("approved_before", "approved_late", "rejected_ran", "reading_time", "some_rejected"),
        "bulk_approvals",
    ),
    ("actions", "decided_at"): (
        *("approved_before", "approved_late", "decided_early", "reading_time", "bulk_approvals"),
    ),
    ("actions", "requested_at"): ("decided_early", "reading_time"),
    ("actions", "approver"): ("approved_before", "self_approved", "approved_by_agent", "some_rejected"),
    ("actions", "requester"): ("approved_before", "self_approved"),
    ("actions", "seq"): ("sequence_gaps", "sequence_repeats"),
    ("actions", "system"): ("granted", "needed_share", "writes_needed", "unused_grants"),
    ("actions", "scope"): ("granted", "needed_share", "writes_needed", "unused_grants"),
    ("actions", "effect"): ("writes_needed",),
    ("actions", "risk"): ("understated_risk",),
    ("access", "needed"): ("needed_share", "writes_needed", "unneeded_grants", "ungranted_needs"),
    ("access", "expires"): ("open_ended_grants",),  # a grant without an end has never ended
    ("access", "granted_at"): ("before_grant",),
    ("access", "granted_by"): ("self_granted",),
    ("access", "identity"): ("self_granted",),
    ("evals", "ran_at"): ("live_tested", "changes_tested"),
    ("evals", "critical"): ("critical_cases",),
    ("evals", "segment"): ("segments_covered",),
    ("changes", "approved_by"): ("changes_approved",),
    ("incidents", "paused_at"): ("pause_in_time",),
    ("cases", "outcome"): ("quality_by_day",),
    ("cases", "agent_cost"): ("cost_by_day",),
}
"""Column → checks that cannot pass without it, whether it is absent or there without an entry."""


def _found(log: Log) -> dict[str, Check]:
    return found_in(logs_of(log))


def _enough(misses: int, limit: float) -> int:
    """The fewest actions, so many of them missed, that show a limit."""
    n = misses + 1
    while stats.beta.ppf(0.95, misses + 1, n - misses) > limit:
        n += 1
    return n


def _risky(n: int, misses: int) -> Log:
    """A log with so many high-risk actions that ran, so many of them decided on by nobody."""
    log = clean_log(42, cases=(1200, 1200))
    live = {row["case_id"] for row in log.live()}
    ran = [r for r in log.tables["actions"] if log.risky(r) and r["executed_at"] and r["case_id"] in live]
    gone = {id(row) for row in log.tables["actions"] if log.risky(row)} - {id(row) for row in ran[:n]}
    log.tables["actions"] = [row for row in log.tables["actions"] if id(row) not in gone]
    for row in ran[:misses]:
        row.update(decision="auto", approver=None, decided_at=None)
    return log


def short() -> Iterator[Bar]:
    """Limits that a log is too short to show, suites too small, and a regression that is just one, or just none."""
    if "approved_before" in _found(clean_log(1)):
        for misses in (0, 1, 3):
            n = _enough(misses, LIMIT)
            long, short_ = (_found(_risky(k, misses))["approved_before"] for k in (n, n - 1))
            seen = f"{n} high-risk actions, {misses} missed: {long.status}"
            seen += f"; {n - 1}: {short_.status}, {short_.more} more"
            yield (long.status, short_.status, short_.more) == ("pass", "missing_evidence", 1), seen
        for misses, wanted in ((12, "fail"), (8, "missing_evidence")):
            least = stats.beta.ppf(0.05, misses, 300 - misses + 1)
            status = _found(_risky(300, misses))["approved_before"].status
            yield status == wanted, f"300 high-risk actions, {misses} missed, {least:.1%} at least: {status}"
    if "suite_power" in _found(clean_log(1)):
        yield from _suites()


def _suites() -> Iterator[Bar]:
    # At best nothing gets better by chance: then a drop shows by five cases worse (p = 1/32).
    fewest = next(n for n in range(5, 500) if stats.binom.sf(4, n, 0.1) >= 0.8)
    small = [_found(_suite(n))["suite_power"] for n in (20, 40, fewest - 1)]
    says = "; ".join(f"{c.status}, {c.more} more" for c in small)
    met = all(c.status == "missing_evidence" and c.more and c.more > 0 for c in small)
    yield met, f"suites of 20, 40 and {fewest - 1} cases for a drop of ten points: {says}"
    first = small[0].more or 0
    enough, lacking = (_found(_suite(20 + first + k))["suite_power"] for k in (0, -1))
    yield (
        (enough.status, lacking.status) == ("pass", "missing_evidence"),
        f"a suite of {20 + first} cases, as the one of 20 asks for: {enough.status}; of one fewer: {lacking.status}",
    )
    wrong = []
    pairs = [(w, b) for b in range(13) for w in range(b, 40) if _edge(w, b)]
    for w, b in pairs:
        for worse in (w - 1, w):
            check = _found(_compared(worse, b))["no_regression"]
            if check.status != ("fail" if _p(worse, b) < 0.05 else "pass"):
                wrong.append(f"{worse} worse and {b} better: {check.status} at p = {_p(worse, b):.4f}")
    yield (
        not wrong,
        f"a regression just under 0.05 and none just over, of {len(pairs)} pairs each: {'; '.join(wrong) or 'all so'}",
    )


def _p(worse: int, better: int) -> float:
    return float(stats.binomtest(worse, worse + better, 0.5, alternative="greater").pvalue) if worse else 1.0


def _edge(worse: int, better: int) -> bool:
    return worse > 0 and _p(worse, better) < 0.05 <= _p(worse - 1, better)


def _compared(worse: int, better: int) -> Log:
    log = copy_of(clean_log(11, cases=(80, 80)))
    before, live = log.versions()[-2:]
    set_pair(log, before, live, worse, better)
    return log


def _suite(n: int) -> Log:
    """A suite of so many cases, in which each version is like the one before."""
    log = clean_log(11, cases=(80, 80))
    kept: list[Row] = []
    for row in log.tables["evals"]:
        if row["eval_case"] == "E0000":
            kept += [
                {**row, "eval_case": f"E{i:04d}", "passed": int(i % 10 > 0), "critical": int(i % 10 == 5)}
                for i in range(n)
            ]
    names = list(log.mix)
    for i, row in enumerate(kept):
        row["segment"] = names[(i % n) % len(names)]
    log.tables["evals"] = kept
    return log


def dropped() -> Iterator[Bar]:
    """Each table, and each column, taken away in turn: nothing that needs it passes."""
    logs = [clean_log(seed, cases=(200, 400)) for seed in (3, 4)]
    for table, checks in OF_TABLE.items():
        passing: set[str] = set()
        asked: set[str] = set()
        for log in logs:
            found = _found(_less(log, table))
            asked |= set(checks) & set(found)
            passing |= {name for name in checks if name in found and found[name].status == "pass"}
        if asked:
            said = f"; {', '.join(sorted(passing))} pass" if passing else ""
            yield not passing, f"without {table}: {len(passing)} of {len(asked)} checks of it pass{said}"
    wrong: list[str] = []
    tried = 0
    for table, rows in logs[0].tables.items():
        for column in [c for c in rows[0] if c not in REQUIRED[table]]:
            for blank in (False, True):
                log = copy_of(logs[0])
                for row in log.tables[table]:
                    if blank:
                        row[column] = None
                    else:
                        row.pop(column, None)
                found = _found(log)
                tried += 1
                names = OF_COLUMN.get((table, column), ())
                state = "blank" if blank else "absent"
                wrong += [
                    f"{name} passes with {table}.{column} {state}"
                    for name in names
                    if name in found and found[name].status == "pass"
                ]
    yield not wrong, f"{tried} times a column absent or blank: {'; '.join(wrong) or 'nothing of it passes'}"


REQUIRED = {
    "cases": ("case_id", "arm", "setting"),
    "actions": ("action_id", "case_id", "tool"),
    "access": ("system", "scope"),
    "evals": ("version", "eval_case", "passed"),
    "changes": ("version", "changed_at"),
    "incidents": ("detected_at",),
}


def _less(log: Log, table: str) -> Log:
    log = copy_of(log)
    del log.tables[table]
    return log


def contradictions(kinds: Sequence[Kind]) -> Iterator[Bar]:
    """Tables that contradict themselves and each other are findings, and no crash."""
    rng = np.random.default_rng(3)
    log = copy_of(clean_log(77, cases=(700, 700), people=(3, 5)))
    named = ("after the act", "before its request", "that ran", "before its detection", "twice")
    planted = {}
    areas: set[str] = set()
    for kind in kinds:
        if any(kind.name.endswith(end) for end in named) and not (kind.area and kind.area in areas):
            areas.add(kind.area)
            planted[kind.name] = (kind, kind.plant(log, rng, 3))
    seen = judge(log, planted, _found(log))
    lost = [name for name, hit in seen.found.items() if not hit]
    yield (
        not lost and not seen.extra,
        f"{len(seen.found)} contradictions in one log: {', '.join([*lost, *seen.extra]) or 'all found'}",
    )
    crashed = []
    for name, broken in _broken():
        before = CRASHES.total()
        _found(broken)
        if CRASHES.total() > before:
            crashed.append(name)
    yield not crashed, f"odd tables: {'; '.join(crashed) or 'no crash'}"


def _broken() -> Iterator[tuple[str, Log]]:
    """Tables that no sane log holds, and some that hold hardly anything."""
    base = clean_log(5, cases=(120, 120))

    def fresh() -> Log:
        return copy_of(base)

    log = fresh()
    for row in log.tables["changes"]:
        row["replaces"] = row["version"]
    yield "versions that replace themselves", log
    log = fresh()
    first, last = log.tables["changes"][0], log.tables["changes"][-1]
    first["replaces"], last["replaces"] = last["version"], first["version"]
    yield "versions that replace each other", log
    log = fresh()
    log.tables["changes"] += [dict(row) for row in log.tables["changes"]]
    yield "changes listed twice", log
    log = fresh()
    for row in log.tables["changes"]:
        row["changed_at"] = last["changed_at"]
    yield "changes at one time", log
    log = fresh()
    for row in log.tables["access"]:
        row["granted_at"], row["expires"] = row["expires"], row["granted_at"]
    yield "grants that end before they begin", log
    log = fresh()
    log.tables["evals"] += [{**row, "passed": 1 - row["passed"]} for row in log.tables["evals"]]
    yield "runs with two results of a case", log
    log = fresh()
    for row in log.tables["actions"]:
        row["seq"] = -row["seq"] if row["seq"] % 2 else None
    yield "sequences that are negative or blank", log
    log = fresh()
    for row in log.tables["actions"]:
        row["executed_at"] = row["requested_at"] = row["decided_at"] = None
    yield "actions without any time", log
    log = fresh()
    for row in log.tables["actions"]:
        row["action_id"], row["case_id"] = "A", "T"
    yield "one id for all", log
    log = fresh()
    for row in log.tables["incidents"]:
        row["detected_at"] = row["detected_at"] + dt.timedelta(days=900)
        row["paused_at"] = None
    yield "incidents to come", log
    log = fresh()
    for row in log.tables["cases"]:
        row["arm"] = "baseline"
    yield "no case of the agent", log
    log = fresh()
    for row in log.tables["cases"]:
        row["setting"] = "demo"
    yield "demo cases alone", log
    log = fresh()
    for row in log.tables["cases"]:
        row["started_at"] = row["ended_at"] = None
    yield "cases without a time", log
    for table in base.tables:
        log = fresh()
        log.tables[table] = log.tables[table][:1]
        yield f"one row of {table}", log
        log = fresh()
        for row in log.tables[table]:
            row.update({column: None for column in row if column not in REQUIRED[table]})
        yield f"{table} with nothing but what is required", log
    log = fresh()
    log.as_of = None  # type: ignore[assignment]
    yield "no day of the decision", log
    log = fresh()
    log.mix = {}
    yield "no mix", log
