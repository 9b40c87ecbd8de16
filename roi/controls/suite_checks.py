"""Evaluation suites: was each change tested, did it make anything worse, and could the suite have shown it?"""

from __future__ import annotations

from typing import Any

from roi.controls.check import Check, Rows, judge, unknown, verb
from roi.controls.logs import Logs
from roi.controls.suite_cases import (
    NO_RUNS,
    can_fail,
    changes_approved,
    segments_covered,
    stable_cases,
    versions_listed,
)
from roi.controls.suite_power import ALPHA, DROP, POWER, cases_needed, power_of, worse_by_chance
from roi.controls.suite_runs import Compared, Suite, read_suite
from roi.controls.suite_work import measured_is_live
from roi.words import at_least, count, percent, plural

__all__ = ["suite_checks"]

PAST_ALPHA = 0.001  # of all earlier changes together
ASSUMED_FLIPS = 0.02  # cases that turn to the better beside a drop, where no two versions were compared yet
MARK = "Mark the cases that must never fail (samples.evals, critical), with no for the others"


def suite_checks(logs: Logs) -> tuple[Check, ...]:
    """Every check of the evaluation suites, in the order of the catalogue.

    Args:
        logs: The logs; reads `evals`, `changes`, `cases` and `actions`.
    """
    suite = read_suite(logs)
    live = suite.live
    compared = suite.compared(live) if live else None
    failable = can_fail(suite)
    return (
        _live_tested(logs, suite),
        _changes_tested(logs, suite),
        _critical_cases(logs, suite),
        _no_regression(logs, suite, compared),
        _suite_power(suite, compared, failable),
        _past_regressions(logs, suite),
        segments_covered(logs, suite),
        stable_cases(suite),
        failable,
        changes_approved(logs),
        versions_listed(logs, suite),
    )


def _lacking(logs: Logs, suite: Suite) -> tuple[str, str] | None:
    """Why runs cannot be held against changes, and the mend."""
    if not suite.results:
        return NO_RUNS
    if not suite.timed:
        return (
            "The runs of the suite do not say when they ran.",
            "Log when each run of the suite was (ran_at), and run it on the live version",
        )
    if logs.table("changes") is None:
        return (
            "No list of changes says which version is live and what it replaced.",
            "Provide the list of changes (samples.changes) with each version, when it went live and what it replaced",
        )
    if suite.live is None:
        return (
            "The list of changes holds no change with a time that was not rolled back.",
            "Log every version that goes live with its time (samples.changes)",
        )
    return None


def _live_tested(logs: Logs, suite: Suite) -> Check:
    name = "live_tested"
    if lacking := _lacking(logs, suite):
        return unknown(name, *lacking)
    live = suite.live
    assert live is not None
    assert live.at is not None
    here = Rows(table="changes", count=1, first=(live.row,))
    runs = suite.newest(live.version)
    if not runs:
        return Check(
            name=name,
            status="fail",
            evidence="The live version has no run of the evaluation suite.",
            n=0,
            rows=here,
            mend="Run the suite on the live version before the decision",
        )
    if not any(r.at is not None for r in runs.values()):
        return unknown(
            name,
            "Nothing says whether the live version was tested after its change: a time is missing.",
            "Log when the live version was changed and when the suite ran on it",
        )
    after = suite.after(live.version, live.at)
    if not after:
        return Check(
            name=name,
            status="fail",
            evidence="The last run of the suite is older than the last change.",
            n=0,
            rows=here,
            mend="Run the suite again after the change",
        )
    if unmeasured := measured_is_live(logs, live):
        return unmeasured
    return Check(
        name=name,
        status="pass",
        evidence=f"The live version was tested after its change, on {plural(len(after), 'case')}.",
        n=len(after),
    )


def _changes_tested(logs: Logs, suite: Suite) -> Check:
    name = "changes_tested"
    if lacking := _lacking(logs, suite):
        return unknown(name, *lacking)
    never_before, never_after = [], []
    for change in suite.changes:
        if change.at is None or not suite.after(change.version, change.at):
            never_after.append(change.row)
        if change.before is not None and (change.at is None or not suite.before(change.before, change.at)):
            never_before.append(change.row)
    missed = sorted({*never_before, *never_after})
    n = len(suite.changes)
    return judge(
        name,
        Rows.of("changes", missed),
        n,
        good=f"The suite ran before and after each of {plural(n, 'change')}.",
        bad=f"Of {plural(n, 'change')}, {count(len(never_after))} {verb(len(never_after), 'has', 'have')} no run "
        f"of the suite after it and {count(len(never_before))} none before it on the version that it replaced.",
        mend="Run the suite on the version before and on the new one with every change",
    )


def _critical_cases(logs: Logs, suite: Suite) -> Check:
    name = "critical_cases"
    if lacking := _lacking(logs, suite):
        return unknown(name, *lacking)
    if not suite.marked:
        return unknown(
            name,
            "Nothing says which cases of the suite must never fail.",
            MARK,
        )
    live = suite.live
    assert live is not None
    now = suite.newest(live.version)
    if not now:
        return unknown(
            name,
            "The live version has no run of the evaluation suite.",
            "Run the suite on the live version before the decision",
        )
    ran = suite.critical & set(now)
    failed = sorted(now[case].row for case in ran if not now[case].passed)
    n, skipped = len(suite.critical), len(suite.critical) - len(ran)
    unsure = None
    if skipped:
        were = verb(skipped, "was", "were")
        unsure = unknown(
            name,
            f"{count(skipped)} of {plural(n, 'critical case')} {were} not run on the live version.",
            "Run every critical case on the live version",
            n=len(ran),
            more=skipped,
            waits=True,
        )
    elif vague := [r.row for case, r in now.items() if not r.passed and case not in suite.marked]:
        evidence = (
            f"Of {plural(len(vague), 'case')} that {verb(len(vague), 'fails', 'fail')} on the live version "
        )
        evidence += f"nobody says whether {verb(len(vague), 'it is', 'they are')} critical."
        unsure = unknown(name, evidence, MARK, Rows.of("evals", vague), waits=bool(suite.critical))
    if not suite.critical:
        none = "No case of the suite is marked as critical."
        return unsure or Check(name=name, status="pass", evidence=none, n=0)
    if unsure and not failed:
        return unsure
    return judge(
        name,
        Rows.of("evals", failed),
        len(ran),
        good=f"The live version passes all of {plural(n, 'critical case')}.",
        bad=f"{count(len(failed))} of {plural(len(ran), 'critical case')} "
        f"{verb(len(failed), 'fails', 'fail')} on the live version.",
        mend="Mend the critical cases that fail, or go back to the version before",
    )


def _no_regression(logs: Logs, suite: Suite, compared: Compared | None) -> Check:
    name = "no_regression"
    if lacking := _lacking(logs, suite):
        return unknown(name, *lacking)
    live = suite.live
    assert live is not None
    assert live.at is not None
    now = suite.after(live.version, live.at)
    if not now:
        return unknown(
            name,
            "No run of the live version after its change can be compared.",
            "Run the suite on the live version, and on the version before it",
        )
    share = sum(r.passed for r in now.values()) / len(now)
    passes = f"The live version passes {percent(share)} of {plural(len(now), 'case')}"
    if live.before is None:
        return Check(
            name=name,
            status="pass",
            evidence=f"{passes}; it is the first, and there is none before it that it could be worse than.",
            value=share,
            n=0,
        )
    if compared is None:
        return unknown(
            name,
            f"{passes}; the version before it has no run of the same cases.",
            "Run the same cases on the version that the live one replaced",
            value=share,
            n=0,
        )
    chance = worse_by_chance(len(compared.worse), compared.better)
    evidence = f"{passes}; {_turned(compared)} than the version before it"
    rows = compared.worse if chance < ALPHA else compared.broken
    if dropped := len(compared.dropped):
        evidence += (
            f"; {plural(dropped, 'case')} that passed before {verb(dropped, 'was', 'were')} not run since"
        )
    if not rows:
        # Of a case that was not run nobody knows that it did not get worse: were it so, would it be a regression?
        at_worst = worse_by_chance(len(compared.worse) + dropped, compared.better)
        if at_worst < ALPHA or compared.dropped_critical:
            if critical := compared.dropped_critical:
                evidence += f", {count(critical)} of them critical"
            return unknown(
                name,
                f"{evidence}: had they failed, the live version would be worse.",
                "Run on the live version every case that passed on the version before it",
                Rows.of("evals", compared.dropped),
                value=share,
                n=compared.n,
                more=dropped,
            )
        return Check(name=name, status="pass", evidence=f"{evidence}.", value=share, n=compared.n)
    if chance < ALPHA:
        evidence += f", which chance alone brings about {_rarely(chance)}"
    if broken := len(compared.broken):
        evidence += (
            f"; {plural(broken, 'critical case')} that passed before {'fails' if broken == 1 else 'fail'}"
        )
    return Check(
        name=name,
        status="fail",
        evidence=f"{evidence}.",
        value=share,
        n=compared.n,
        rows=Rows.of("evals", rows),
        mend="Mend what got worse, or go back to the version before",
    )


def _suite_power(suite: Suite, compared: Compared | None, failable: Check) -> Check:
    """Whether the cases are enough to show a drop, by the flips that the last comparison saw.

    Where nothing ever fails no number of cases shows a drop: the power would be that of a suite that can fail.
    """
    name = "suite_power"
    if not suite.results:
        return unknown(name, *NO_RUNS, threshold=POWER)
    if failable.status == "fail":
        return unknown(
            name,
            f"{failable.evidence.removesuffix('.')}, so that it could show no drop.",
            failable.mend,
            threshold=POWER,
            n=failable.n,
        )
    live = suite.live
    if compared is not None:
        n, flips = compared.n, min(compared.better, len(compared.worse)) / compared.n
    else:
        found = suite.newest(live.version) if live else {}
        n, flips = (
            len(found) or len({case for cases in suite.results.values() for case in cases}),
            ASSUMED_FLIPS,
        )
    flips = min(flips, (1 - DROP) / 2)  # more of them leave no room for a drop
    power = power_of(n, flips)
    cases = (
        f"{plural(n, 'case')} {verb(n, 'was', 'were')} compared"
        if compared
        else f"The suite has {plural(n, 'case')}"
    )
    evidence = f"{cases}: a drop of {DROP * 100:.0f} points would show in {at_least(power, POWER)} of such comparisons"
    figures: dict[str, Any] = {"value": power, "threshold": POWER, "n": n}
    if power >= POWER:
        return Check(name=name, status="pass", evidence=f"{evidence}.", **figures)
    needed = cases_needed(flips)
    more = None if needed is None else max(needed - n, 1)
    return unknown(
        name,
        f"{evidence}, of {percent(POWER)} that are asked for.",
        f"Add {plural(more, 'case')} to the suite, and run all on both versions"
        if more
        else "Add cases to the suite, and make their results repeatable",
        more=more,
        **figures,
    )


def _past_regressions(logs: Logs, suite: Suite) -> Check:
    name = "past_regressions"
    if lacking := _lacking(logs, suite):
        return unknown(name, *lacking)
    live = suite.live
    earlier = [c for c in suite.changes if c is not live and c.before is not None]
    if not earlier:
        return Check(name=name, status="pass", evidence="There is no earlier change of a version.", n=0)
    pairs = [(change, suite.compared(change)) for change in earlier]
    known = [(change, pair) for change, pair in pairs if pair is not None]
    if not known:
        return unknown(
            name,
            f"None of {plural(len(earlier), 'earlier change')} can be compared with what it replaced.",
            "Keep the runs of the suite on earlier versions",
            n=0,
        )
    level = PAST_ALPHA / len(known)
    bad = sorted(c.row for c, p in known if p.broken or worse_by_chance(len(p.worse), p.better) < level)
    of = f"{count(len(bad))} of {plural(len(known), 'earlier change')}"
    return judge(
        name,
        Rows.of("changes", bad),
        len(known),
        good=f"{of} made the agent worse on the suite"
        + (f"; {count(len(pairs) - len(known))} cannot be compared." if len(known) < len(pairs) else "."),
        bad=f"{of} made the agent worse on the suite, or broke a critical case.",
        mend="Let no change go live that the suite finds worse",
    )


def _turned(compared: Compared) -> str:
    return f"of {plural(compared.n, 'case')} {count(compared.better)} better and {count(len(compared.worse))} worse"


def _rarely(chance: float) -> str:
    return "in fewer than 1 of 1,000 cases" if chance < 0.001 else f"in {percent(chance)} of cases"
