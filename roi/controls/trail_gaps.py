"""What is missing or out of step in the log: numbers of a sequence, clocks that do not agree, days without a log."""

from __future__ import annotations

import math
from collections.abc import Sequence

from roi.controls.check import Check, Rows, all_missing, judge, unknown, verb
from roi.controls.logs import Logs
from roi.readers.base import literal
from roi.relation import Relation
from roi.special import bdtrc
from roi.words import and_list, plural

__all__ = ["ALPHA", "COPY", "cases_for_skew", "chance_of_silence", "clock_skew", "sequences", "silent_days"]

COPY = "exact copy of another row"  # as the samples say it when they leave one out
NAMES = ("sequence_gaps", "sequence_repeats")
SILENT = (
    "The action log does not number the actions of a case (seq).",
    "Number the actions of each case (seq)",
)

ALPHA = 0.001
"""Level of each statistical check over all that it compares (Bonferroni)."""

TOLERANCE_SECONDS = 120
"""Times that people enter are rounded; no clock is called wrong for less."""

STRAY = 0.01
"""Cases that may lie out of order for reasons of their own, whatever the clocks: one in a hundred."""

AFFECTED = 0.5
"""Share of its cases that a clock which is off puts out of order at least; so many must be seen with 80 % power."""

POWER = 0.8


def clock_skew(logs: Logs, actions: Relation) -> Check:
    """Hold the times of each system against its cases' and against those of other systems in the same case.

    Out of order is a case with an action that ran before the case began, was requested after it ended, or ran before
    the action before it was even requested from another system. The cases out of order are held against `STRAY` by the
    exact binomial test.
    """
    name, cases, columns = "clock_skew", logs.table("cases"), set(actions.columns)
    held = [] if cases is None else [c for c in ("started_at", "ended_at") if c in cases.columns]
    ordered = {"seq", "requested_at", "system"} <= columns
    mend = "Log when each action ran, and when each case began and ended (executed_at, started_at, ended_at)"
    if "executed_at" not in columns or not (held or ordered):
        return unknown(name, "Nothing says when actions ran and when cases began or ended.", mend)
    marked = _marked(logs, actions, held, ordered)
    parts = {
        "before": ("start_ is not null", "before_"),
        "after": ("end_ is not null", "after_"),
        "other": ("pair_", "other_"),
    }
    kept = ", ".join(
        f"bool_or({known}) as k{i}, bool_or({off}) as o{i}" for i, (known, off) in enumerate(parts.values())
    )
    summed = ", ".join(f"count(*) filter (k{i}), count(*) filter (o{i})" for i in range(len(parts)))
    by_case = f"(select system_, case_id, {kept} from {marked} group by 1, 2)"
    counts = logs.ask(f"select system_, {summed} from {by_case} group by 1 order by 1")
    tests = [
        (row[0], kind, int(row[2 * i + 2]), int(row[2 * i + 1]))
        for row in counts
        for i, kind in enumerate(parts)
        if row[2 * i + 1]
    ]
    if not tests:
        return unknown(name, "No action and its case both say when they took place.", mend)
    level = ALPHA / len(tests)
    most = max(n for *_, n in tests)
    found = [(system, kind) for system, kind, k, n in tests if float(bdtrc(k - 1, n, STRAY)) <= level and k]
    off = sum(k for _, _, k, _ in tests)
    if not found:
        needed = cases_for_skew(level)
        if most < needed:
            more = needed - most
            evidence = (
                f"{plural(most, 'case')} {verb(most, 'is', 'are')} too few to tell whether clocks agree."
            )
            return unknown(name, evidence, f"Log {plural(more, 'more case')} with their times", more=more)
        return Check(
            name=name,
            status="pass",
            evidence=f"Times of {plural(most, 'case')} and their actions agree: "
            + (f"{off:,} out of order, no more than chance." if off else "none is out of order."),
            value=off / sum(n for *_, n in tests),
            n=most,
        )
    conditions = [
        f"(system_ is not distinct from {'null' if s is None else literal(s)} and {parts[kind][1]})"
        for s, kind in found
    ]
    rows = logs.rows("actions", marked, " or ".join(conditions))
    names = sorted({str(s) for s, _ in found if s is not None})
    where = f" of {and_list(names)}" if names and len(names) < len(counts) else ""
    told = {
        "before": "before their cases began",
        "after": "after their cases ended",
        "other": "before the action before them was requested",
    }
    how = and_list(dict.fromkeys(told[kind] for _, kind in found), "or")
    return Check(
        name=name,
        status="fail",
        evidence=f"{plural(rows.count, 'action')}{where} ran {how}, more than chance explains.",
        value=off / sum(n for *_, n in tests),
        n=most,
        rows=rows,
        mend="Set the clocks and time zones right (timezone), or say in the log when a case really begins and ends",
    )


def _marked(logs: Logs, actions: Relation, held: Sequence[str], ordered: bool) -> str:
    """Actions that have a time, each with how it lies to its case and to the action before it.

    A case's time at midnight is a day, and says nothing of the hour.
    """
    zone = logs.timezone or "UTC"
    slack = f"interval {TOLERANCE_SECONDS} second"

    def hour(column: str) -> str:
        if column not in held:
            return "null::timestamp"
        local = column if zone == "UTC" else f"timezone({literal(zone)}, timezone('UTC', {column}))"
        return f"case when ({local})::time <> time '00:00:00' then {column} end"

    system = "system" if "system" in actions.columns else "null::varchar"
    # What waited for a person may well run after the case was closed, and was asked for before.
    asked = "coalesce(requested_at, executed_at)" if "requested_at" in actions.columns else "executed_at"
    acts = (
        f'(select "row", case_id, {system} as system_, executed_at, {asked} as late_at_, '
        f"{'seq' if ordered else 'null'} as seq_ "
        f"from {actions.sql} where executed_at is not null)"
    )
    spans = (
        "(select null::varchar as case_id, null::timestamp as start_, null::timestamp as end_ where false)"
    )
    cases = logs.table("cases")
    if cases is not None and held:
        spans = (
            f"(select case_id, min({hour('started_at')}) as start_, max({hour('ended_at')}) as end_ "
            f"from {cases.sql} where arm = 'pilot' group by case_id)"
        )
    before = "null::varchar as last_, null::timestamp as asked_"
    if ordered:
        before = "min(system) as last_, min(requested_at) as asked_"
    earlier = (
        f"(select case_id, {'seq' if ordered else '0'} + 1 as next_, {before} from {actions.sql} "
        f"where {'requested_at is not null' if ordered else 'false'} group by 1, 2)"
    )
    return (
        "(select a.*, start_, end_, last_ <> system_ as pair_, "
        f"executed_at < start_ - {slack} as before_, late_at_ > end_ + {slack} as after_, "
        f"last_ <> system_ and executed_at < asked_ - {slack} as other_ from {acts} a "
        f"left join {spans} s on a.case_id = s.case_id left join {earlier} b on a.case_id = b.case_id and seq_ = next_)"
    )


def cases_for_skew(level: float) -> int:
    """The number of cases from which on a clock that puts half of them out of order is found with 80 % power.

    Args:
        level: Level of the test, in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"{level} is no level between 0 and 1")
    least, n = 1, 1
    while n < least + 100:  # power rises and falls a little with n, as the number that rejects is whole
        rejects = next(k for k in range(1, n + 2) if k > n or float(bdtrc(k - 1, n, STRAY)) <= level)
        if rejects > n or float(bdtrc(rejects - 1, n, AFFECTED)) < POWER:
            least = n + 1
        n += 1
    return least


def silent_days(logs: Logs, actions: Relation) -> Check:
    """Days on which production cases began and no action at all was logged, held against chance.

    A case is heard if it left an action on the day on which it began. Were the unheard cases spread over the days by
    chance, all cases of a day would be among them with the probability of `chance_of_silence`.
    """
    name, live, columns = "silent_days", logs.live_cases(), set(actions.columns)
    times = [c for c in ("executed_at", "requested_at") if c in columns]
    if live is None or "started_at" not in live.columns or not times:
        evidence = "Nothing says on which days cases began and actions ran."
        return unknown(
            name, evidence, "Log when each case began and each action ran (started_at, executed_at)"
        )
    zone = logs.timezone or "UTC"

    def day(column: str) -> str:
        local = column if zone == "UTC" else f"timezone({literal(zone)}, timezone('UTC', {column}))"
        return f"({local})::date"

    acted = f"(select distinct case_id, {day(f'coalesce({chr(44).join(times)})')} as day_ from {actions.sql})"
    begun = (
        f'(select "row", case_id, {day("started_at")} as day_ from {live.sql} where started_at is not null)'
    )
    found = logs.ask(
        f"select b.day_, count(*), count(*) - count(a.day_), any_value(b.day_ in (select day_ from {acted} "
        f"where day_ is not null)) from {begun} b left join {acted} a on b.case_id = a.case_id and b.day_ = a.day_ "
        "group by 1 order by 1"
    )
    if not found:
        return unknown(name, "No case says when it began.", "Log when each case began (started_at)")
    counts = [int(row[1]) for row in found]
    cases, unheard, days = sum(counts), sum(int(row[2]) for row in found), len(found)
    if unheard == cases:
        evidence = f"None of {plural(cases, 'case')} left an action on the day on which it began."
        return unknown(name, evidence, "Log every action on the day on which it happens")
    mute = [(row[0], int(row[1])) for row in found if row[1] == row[2] and not row[3]]
    level = ALPHA / days
    silent = [(when, n) for when, n in mute if chance_of_silence(n, unheard, cases) <= level]
    if not silent:
        typical = sorted(counts)[days // 2]
        else_unheard = unheard - sum(n for _, n in mute)
        more = _more_days(typical, else_unheard, cases, days)
        if more:
            evidence = f"{plural(cases, 'case')} on {plural(days, 'day')} are too few to tell a silent day from chance."
            further = more * typical if more > 0 else None
            mend = f"Log {plural(further, 'more case')}" if further else "Log more cases a day"
            return unknown(name, evidence, mend, more=further)
        told = (
            "every one left actions in the log"
            if not mute
            else f"{plural(len(mute), 'silent day')} may be chance"
        )
        return Check(
            name=name,
            status="pass",
            evidence=f"Of {plural(days, 'day')} on which cases began {told}.",
            value=len(mute) / days,
            n=days,
        )
    listed = ", ".join(f"date '{when.isoformat()}'" for when, _ in silent)
    return Check(
        name=name,
        status="fail",
        evidence=f"On {len(silent):,} of {plural(days, 'day')} cases began and no action was logged, "
        "more than chance explains.",
        value=len(silent) / days,
        n=days,
        rows=logs.rows("cases", begun, f"day_ in ({listed})"),
        mend="Find out why nothing was logged on those days, and watch that the log runs",
    )


def chance_of_silence(of_day: int, unheard: int, cases: int) -> float:
    """The probability that all cases of a day are among the unheard ones, were these spread by chance.

    Args:
        of_day: Cases of the day.
        unheard: Unheard cases of all days, at least as many.
        cases: All cases.

    Returns:
        C(unheard, of_day) / C(cases, of_day), the hypergeometric probability.
    """
    if not 0 <= of_day <= cases or not 0 <= unheard <= cases:
        raise ValueError(f"{of_day} of {cases} cases, {unheard} unheard")
    if of_day > unheard:
        return 0.0
    return math.exp(
        math.lgamma(unheard + 1)
        - math.lgamma(unheard - of_day + 1)
        - math.lgamma(cases + 1)
        + math.lgamma(cases - of_day + 1)
    )


def _more_days(typical: int, unheard: int, cases: int, days: int, most: int = 5_000) -> int:
    """Further days until one silent day with as many cases as is typical would be told from chance; -1 for never."""

    def told(further: int) -> bool:
        grown = days + further
        n, mute = cases + further * typical, round(unheard * grown / days)
        return chance_of_silence(typical, min(mute + typical, n), n) <= ALPHA / grown

    if told(0):
        return 0
    if not told(most):
        return -1
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if told(middle) else (middle, high)
    return high


def sequences(logs: Logs, actions: Relation, columns: set[str]) -> dict[str, Check]:
    """Look for gaps and repeats in the numbers of actions.

    Numbers begin anew in each case (from 0 or 1, as most cases do) or run through the whole log. The head of a case is
    missing where it begins later than the others; what is missing after its last number cannot be seen. A further
    attempt may repeat the number of the first, and so may a later version that works the case again.
    """
    if "seq" not in columns:
        return all_missing(NAMES, *SILENT)
    key = ", ".join(("seq", *(c for c in ("attempt", "version") if c in columns)))
    numbers = f"(select case_id, {key}, count(*) as m from {actions.sql} where seq is not null group by all)"
    by_case = (
        "(select min(seq) as low, max(seq) as high, count(distinct seq) as kinds, sum(m) as n, count(*) as own, "
        f"count(*) filter (seq <> floor(seq)) as odd from {numbers} where case_id is not null group by case_id)"
    )
    sums = (
        "count(*), count(*) filter (low = 0), count(*) filter (low = 1), sum(n), sum(odd), "
        "count(*) filter (high - low + 1 <> kinds), count(*) filter (low > 0), count(*) filter (low > 1), sum(own), "
        f"(select count(*) from {actions.sql} where seq is null)"
    )
    found = [int(x or 0) for x in logs.ask(f"select {sums} from {by_case}")[0]]
    cases, zero, one, n, odd, torn, above_0, above_1, own, blank = found
    if n == 0:
        return all_missing(NAMES, *SILENT)
    anew, start = max(zero, one) * 2 > cases, 0 if zero > one else 1
    through = not anew and cases > 1
    if through:
        (distinct,) = logs.ask(f"select count(distinct seq) from {actions.sql}")[0]
        through = int(distinct) * 2 > n
    if odd or not (anew or through):
        why = "The numbers of the actions neither begin anew in each case nor run through the log."
        return all_missing(NAMES, why, "Number the actions of each case from 1 (seq)")
    if through and any(x.table == "actions" and x.reason != COPY for x in logs.samples.exclusions):
        why = "Actions that were left out with their cases have numbers of the same sequence."
        return all_missing(NAMES, why, "Number the actions of each case from 1 (seq)")
    sound = anew and not (torn or blank or own < n or (above_1 if start else above_0))
    within = "partition by case_id" if anew else ""
    kinds = f"case_id, {key}" if anew else key
    head = f"(k_ = 1 and seq > {start})" if anew else "false"
    numbered = (
        f'(select "row", seq, lag(seq) over ({within} order by seq nulls first, "row") as before_, '
        f"bool_or(seq is null) over ({within}) as blank_, "
        f'row_number() over ({within} order by seq, "row") as k_, '
        f'row_number() over (partition by {kinds} order by "row") as again_ from {actions.sql}'
        f"{' where case_id is not null' if anew else ''})"
    )
    conditions = {
        "blank": "seq is null",
        "gap": f"seq is not null and not blank_ and (seq - before_ > 1 or {head})",
        "again": "seq is not null and again_ > 1",
    }
    none = dict.fromkeys(conditions, Rows(table="actions", count=0))
    # Windows cost more than counts: they look only where there is something to name.
    rows = none if sound else logs.find("actions", numbered, conditions)
    gaps, again, unnumbered = rows["gap"], rows["again"], rows["blank"]
    unsure: dict[str, Check | None] = dict.fromkeys(NAMES)
    if unnumbered.count:
        have = verb(unnumbered.count, "has", "have")
        evidence = (
            f"{plural(unnumbered.count, 'action')} {have} no number, so that gaps and repeats cannot be seen."
        )
        unsure = {name: unknown(name, evidence, SILENT[1], unnumbered) for name in NAMES}
    return {
        "sequence_gaps": judge(
            "sequence_gaps",
            gaps,
            n,
            good=f"The numbers of {plural(n, 'action')} have no gap.",
            bad=f"Before {plural(gaps.count, 'action')} a number is missing.",
            mend="Find the actions that are missing, and log every action when it happens",
            unsure=unsure["sequence_gaps"],
        ),
        "sequence_repeats": judge(
            "sequence_repeats",
            again,
            n,
            good=f"The numbers of {plural(n, 'action')} occur once each.",
            bad=f"{again.count:,} of {plural(n, 'action')} {verb(again.count, 'repeats', 'repeat')} "
            "the number of an earlier one.",
            mend="Number every action once, and a further try as an attempt (attempt)",
            unsure=unsure["sequence_repeats"],
        ),
    }
