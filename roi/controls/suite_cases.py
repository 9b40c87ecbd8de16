"""What an evaluation suite covers: segments, repeated results, cases that can fail, and the changes around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi.controls.check import Check, Rows, judge, unknown
from roi.controls.logs import Logs
from roi.controls.suite_runs import Suite
from roi.controls.suite_work import worked_after_rollback
from roi.words import at_least, count, percent, plural, shorten

__all__ = ["NO_RUNS", "can_fail", "changes_approved", "segments_covered", "stable_cases", "versions_listed"]

SEGMENT_FLOOR = 0.05  # a segment with less of the demand need not have cases of its own
SEGMENT_CASES = 5  # the fewest that could show a regression: five worse and none better, 1/32 < 0.05
MOST_SEGMENTS = 8  # that a sentence names

NO_RUNS = (
    "There is no run of an evaluation suite.",
    "Provide the runs of an evaluation suite (samples.evals)",
)


def segments_covered(logs: Logs, suite: Suite) -> Check:
    """Whether the live version ran cases enough of every segment with a share worth naming."""
    name = "segments_covered"
    if not suite.results:
        return unknown(name, *NO_RUNS)
    if not suite.segments:
        return unknown(
            name,
            "The cases of the suite do not say which segment they are of.",
            "Name the segment of each case of the suite (samples.evals, segment)",
        )
    if not logs.mix:
        return unknown(
            name,
            "What production sees is not stated.",
            "State the production shares of the segments (demand.mix)",
        )
    live = suite.live
    if live is None:
        return unknown(
            name,
            "Nothing says which version is live, so that its cases cannot be counted by segment.",
            "Log every version that goes live with its time (samples.changes)",
        )
    found = suite.by_segment(live.version)
    asked = {segment: share for segment, share in logs.mix.items() if share >= SEGMENT_FLOOR}
    bare = [segment for segment in asked if found[segment] < SEGMENT_CASES]
    covered = sum(share for segment, share in logs.mix.items() if found[segment] >= SEGMENT_CASES)
    evidence = f"The live version ran {SEGMENT_CASES} cases or more of {len(asked) - len(bare)} of "
    evidence += (
        f"{plural(len(asked), 'segment')} with at least {percent(SEGMENT_FLOOR)} of the demand; together "
    )
    evidence += f"{at_least(covered, 1.0)} of it is covered. Cases by segment: {_listed(asked, found)}."
    return judge(
        name,
        len(bare),
        len(asked),
        good=evidence,
        bad=evidence,
        mend=f"Run at least {SEGMENT_CASES} cases of each such segment on the live version",
        value=covered,
    )


def _listed(asked: Mapping[str, float], found: Mapping[str, int]) -> str:
    """Cases of each segment that is asked for, the fewest first."""
    few = sorted(asked, key=lambda segment: (found[segment], segment))
    rest = f" and {len(few) - MOST_SEGMENTS} segments with more" if len(few) > MOST_SEGMENTS else ""
    return (
        ", ".join(f"{shorten(segment, 40)} {count(found[segment])}" for segment in few[:MOST_SEGMENTS]) + rest
    )


def stable_cases(suite: Suite) -> Check:
    """Whether a case that ran more than once on a version gave the same result each time, retries included."""
    name = "stable_cases"
    if not suite.results:
        return unknown(name, *NO_RUNS)
    repeated = [r for cases in suite.results.values() for r in cases.values() if len(r) > 1]
    if not repeated:
        return unknown(
            name,
            "No case ran twice on one version.",
            "Run the suite twice on the live version",
        )
    flaky = [r for r in repeated if len({x.passed for x in r}) > 1]
    rows = sorted(x.row for r in flaky for x in r)
    evidence = (
        f"{count(len(flaky))} of {plural(len(repeated), 'case')} that ran more than once on one version "
    )
    evidence += f"{'has' if len(flaky) == 1 else 'have'} both passed and failed."
    return judge(
        name,
        Rows.of("evals", rows),
        len(repeated),
        good=evidence,
        bad=evidence,
        mend="Make the results repeatable, or run each case several times and count the shares",
        value=len(flaky) / len(repeated),
        misses=len(flaky),
    )


def can_fail(suite: Suite) -> Check:
    """Whether any case ever failed: a suite in which every case always passes shows nothing."""
    name = "can_fail"
    if not suite.results:
        return unknown(name, *NO_RUNS)
    ever: dict[tuple[str, str], bool] = {}
    runs: set[tuple[str, str]] = set()
    for version, cases in suite.results.items():
        for case, results in cases.items():
            ever[case] = ever.get(case, False) or not all(r.passed for r in results)
            runs.update((version, r.run) for r in results)
    n, failed = len(ever), sum(ever.values())
    figures: dict[str, Any] = {"value": (n - failed) / n, "n": n}
    if failed:
        return Check(
            name=name,
            status="pass",
            evidence=f"{count(failed)} of {plural(n, 'case')} {'has' if failed == 1 else 'have'} failed at least once "
            f"in {plural(len(runs), 'run')}.",
            **figures,
        )
    evidence = f"Every one of {plural(n, 'case')} passed in each of {plural(len(runs), 'run')}"
    mend = "Add cases that the agent finds hard"
    if len(runs) == 1:
        return unknown(name, f"{evidence}: whether any can fail is not known.", mend, **figures)
    return Check(
        name=name,
        status="fail",
        evidence=f"{evidence}: nothing shows that any can fail.",
        mend=mend,
        **figures,
    )


def changes_approved(logs: Logs) -> Check:
    """Whether every change names who approved it."""
    name = "changes_approved"
    changes = logs.table("changes")
    if changes is None or not (n := logs.rows("changes", changes.sql, "true").count):
        return unknown(
            name,
            "There is no list of changes.",
            "Provide the list of changes (samples.changes) with who approved each",
        )
    if "approved_by" not in changes.columns:
        return unknown(
            name,
            "The list of changes does not say who approved them.",
            "Log who approved each change (samples.changes, approved_by)",
        )
    rows = logs.rows("changes", changes.sql, "approved_by is null")
    return judge(
        name,
        rows,
        n,
        good=f"Each of {plural(n, 'change')} was approved.",
        bad=f"{count(rows.count)} of {plural(n, 'change')} {'was' if rows.count == 1 else 'were'} approved by "
        "nobody.",
        mend="Have somebody approve each change before it goes live, and log who did",
    )


def versions_listed(logs: Logs, suite: Suite) -> Check:
    """Whether the versions of cases and actions are among the changes; one that a change replaced is known, too."""
    name = "versions_listed"
    changes, cases, actions = logs.table("changes"), logs.live_cases(), logs.table("actions")
    worked = {
        table: relation
        for table, relation in (("cases", cases), ("actions", actions))
        if relation is not None and "version" in relation.columns
    }
    if changes is None:
        return unknown(
            name,
            "There is no list of changes.",
            "Provide the list of changes (samples.changes) with each version",
        )
    listed = f"select version from {changes.sql} where version is not null"
    if "replaces" in changes.columns:
        listed += f" union select replaces from {changes.sql} where replaces is not null"
    asked = {
        "said": "version is not null",
        "mute": "version is null",
        "stray": f"version not in ({listed})",
    }
    seen = {table: logs.find(table, relation.sql, asked) for table, relation in worked.items()}
    n = sum(rows["said"].count for rows in seen.values())
    if not n:
        return unknown(
            name,
            "Neither cases nor actions say which version worked.",
            "Log the version of the agent with each case or action",
        )
    found = {table: rows["stray"] for table, rows in seen.items() if rows["stray"].count}
    unsure = None
    for table, rows in seen.items():
        if rows["said"].count and rows["mute"].count:
            evidence = (
                f"Of {plural(rows['mute'].count, table.removesuffix('s'))} nobody says which version worked."
            )
            mend = "Log the version of the agent with each case and action"
            unsure = unknown(name, evidence, mend, rows["mute"])
    if not found and (after := worked_after_rollback(logs, suite)):
        return judge(
            name,
            after,
            n,
            good="",
            bad=f"{plural(after.count, 'case')} {'was' if after.count == 1 else 'were'} worked by a version after it "
            "had been rolled back.",
            mend="See that a version that was rolled back works no more, or list that it came back",
        )
    strays = sum(rows.count for rows in found.values())
    told = " and ".join(plural(rows.count, table.removesuffix("s")) for table, rows in found.items())
    return judge(
        name,
        next(iter(found.values()), 0),
        n,
        good="Every version that worked a case is among the changes.",
        bad=f"{told} {'was' if strays == 1 else 'were'} worked by a version that is not among the changes.",
        mend="List every change of the agent before it goes live",
        unsure=unsure,
        value=strays / n,
        misses=strays,
    )
