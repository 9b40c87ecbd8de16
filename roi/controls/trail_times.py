"""What is out of step in the log: clocks that do not agree, days without a log.

Most cases are told sound from what `roi.acted` keeps of each; the actions of the others alone are looked at.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from typing import Any

from roi.acted import acted, at_of
from roi.controls.check import Check, unknown, verb
from roi.controls.logs import Logs
from roi.controls.trail_bits import TOLERANCE_SECONDS, heard_in_bits, hour, in_step_in_bits
from roi.periods import local_day
from roi.readers.base import literal
from roi.relation import Relation
from roi.special import bdtrc
from roi.words import and_list, plural

__all__ = ["ALPHA", "cases_for_skew", "chance_of_silence", "clock_skew", "silent_days"]

ALPHA = 0.001
"""Level of each statistical check over all that it compares (Bonferroni)."""

SLACK = f"interval {TOLERANCE_SECONDS} second"

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
    sound, among = _in_step(logs, actions, held, ordered)
    marked = _marked(logs, actions, held, ordered, among)
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
    odd = logs.ask(f"select system_, {summed} from {by_case} group by 1") if among else []
    of = {system: rest for system, *rest in odd}
    counts: list[tuple[Any, ...]] = [
        (system, *(int(a) + int(b) for a, b in zip(rest, of.get(system, [0] * 6), strict=True)))
        for system, rest in sound.items()
    ]
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


def _in_step(
    logs: Logs, actions: Relation, held: Sequence[str], ordered: bool
) -> tuple[dict[str | None, list[int]], str]:
    """Of each system, cases by kind that can be told and those out of order (none), of cases that are surely in order.

    And a condition on `case_id` of the other cases, whose actions have to be looked at; empty where there are none.

    No action of a case ran before it began if none took place then, and none waited past its end if the last was asked
    for before; and without two systems, no action has another one's before it.
    """
    if (by_bits := in_step_in_bits(logs, actions, held, ordered)) is not None:
        return by_bits
    of = acted(logs.samples, actions)
    if not of.known:
        return {system: [0] * 6 for system in of.systems}, "true"
    slack = TOLERANCE_SECONDS * 1_000_000
    odd = f"coalesce(epoch_us(first_) < epoch_us(start_) - {slack}, false)"
    odd += f" or coalesce(epoch_us(asked_) > epoch_us(end_) + {slack}, false)"
    odd += " or coalesce(apart_, false)" if ordered else ""
    both = f"{of.cases.sql} a left join {_spans(logs, held)} s on a.case_id = s.case_id"
    if of.joined:
        start, end = (
            hour(f"of_{c}", logs.timezone, "arm_case = 1 and ") if c in held else "null::timestamp"
            for c in ("started_at", "ended_at")
        )
        # Of other cases only one that is odd by its actions alone tells anything.
        some = "arm_case = 1" + (" or apart_" if ordered else "")
        both = f"(select *, {start} as start_, {end} as end_ from {of.cases.sql} where {some}) a"
    found = f"(select a.case_id, ran_on_, start_, end_, {odd} as odd_ from {both})"
    alike = (
        "(select ran_on_, start_ is not null as started_, end_ is not null as ended_, odd_, count(*) as n_ "
        f"from {found} group by 1, 2, 3, 4)"
    )
    summed = "".join(
        f", coalesce(sum(n_) filter (not odd_ and ran_on_ & {1 << k} <> 0 and {time}), 0)"
        for k in range(len(of.systems))
        for time in ("started_", "ended_")
    )
    ((n, *counts),) = logs.ask(f"select sum(n_) filter (odd_){summed} from {alike}")
    sound = {system: [counts[2 * k], 0, counts[2 * k + 1], 0, 0, 0] for k, system in enumerate(of.systems)}
    return sound, f"case_id in (select case_id from {found} where odd_)" if n else ""


def _spans(logs: Logs, held: Sequence[str]) -> str:
    """When the cases of the agent began and ended; a time at midnight is a day, and says nothing of the hour."""
    cases = logs.table("cases")
    if cases is None or not held:
        return "(select null::varchar as case_id, null::timestamp as start_, null::timestamp as end_ where false)"

    start, end = (
        hour(c, logs.timezone) if c in held else "null::timestamp" for c in ("started_at", "ended_at")
    )
    by = ""
    if "cases" not in logs.samples.once:
        start, end, by = f"min({start})", f"max({end})", " group by case_id"
    return f"(select case_id, {start} as start_, {end} as end_ from {cases.sql} where {cases.says('arm', 'pilot')}{by})"


def _marked(logs: Logs, actions: Relation, held: Sequence[str], ordered: bool, among: str) -> str:
    """Actions of some cases that have a time, each with how it lies to its case and to the action before it."""
    system = "system" if "system" in actions.columns else "null::varchar"
    # What waited for a person may well run after the case was closed, and was asked for before.
    asked = "coalesce(requested_at, executed_at)" if "requested_at" in actions.columns else "executed_at"
    acts = (
        f'(select "row", case_id, {system} as system_, executed_at, {asked} as late_at_, '
        f"{'seq' if ordered else 'null'} as seq_ "
        f"from {actions.sql} where executed_at is not null and {among or 'false'})"
    )
    before = "null::varchar as last_, null::timestamp as asked_"
    if ordered:
        before = "min(system) as last_, min(requested_at) as asked_"
    earlier = (
        f"(select case_id, {'seq' if ordered else '0'} + 1 as next_, {before} from {actions.sql} "
        f"where {f'requested_at is not null and {among}' if ordered and among else 'false'} group by 1, 2)"
    )
    return (
        "(select a.*, start_, end_, last_ <> system_ as pair_, "
        f"executed_at < start_ - {SLACK} as before_, late_at_ > end_ + {SLACK} as after_, "
        f"last_ <> system_ and executed_at < asked_ - {SLACK} as other_ from {acts} a "
        f"left join {_spans(logs, held)} s on a.case_id = s.case_id "
        f"left join {earlier} b on a.case_id = b.case_id and seq_ = next_)"
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
    name, live = "silent_days", logs.live_cases()
    if live is None or "started_at" not in live.columns or at_of(actions.columns) is None:
        evidence = "Nothing says on which days cases began and actions ran."
        return unknown(
            name, evidence, "Log when each case began and each action ran (started_at, executed_at)"
        )
    zone = logs.timezone or "UTC"

    def day(column: str) -> str:
        return local_day(column, zone)

    begun = (
        f'(select "row", case_id, {day("started_at")} as day_ from {live.sql} where started_at is not null)'
    )
    found = _heard(logs, actions, begun, day)
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


def _heard(
    logs: Logs, actions: Relation, begun: str, day: Callable[[str], str]
) -> list[tuple[dt.date, int, int, bool]]:
    """Each day on which cases began, in order: cases, unheard ones, and whether any action took place."""
    counted = heard_in_bits(logs, actions, begun)
    if counted is None:
        counted = _heard_by_case(logs, actions, begun, day)
    loud: set[dt.date] = set()
    if any(n == unheard for _, n, unheard in counted):  # a day with a case that is heard is loud
        on = day(str(at_of(actions.columns)))
        loud = {row[0] for row in logs.ask(f"select distinct {on} from {actions.sql}")}
    return [(d, n, unheard, unheard < n or d in loud) for d, n, unheard in counted]


def _heard_by_case(
    logs: Logs, actions: Relation, begun: str, day: Callable[[str], str]
) -> list[tuple[dt.date, int, int]]:
    """Each such day with its cases and the unheard ones, of a log that is grouped by case.

    A case with its first or its last action on the day is heard; one whose day lies outside of these is not. Of those
    between, and of the days beside them, as clocks may be set back at midnight, the actions are looked at.
    """
    first, last, on = day("first_"), day("last_"), day(str(at_of(actions.columns)))
    of = acted(logs.samples, actions)
    # Where clocks are never set back, a case that acted at one time or on neither side of the day is not heard on it.
    beside = 0 if (logs.timezone or "UTC") == "UTC" else 1
    heard = (
        f"coalesce(day_ in ({first}, {last}), false) as heard_, "
        f"coalesce(first_ < last_ and day_ between {first} - {beside} and {last} + {beside}, false) as near_"
    )
    looked = f"(select b.case_id, b.day_, {heard} from {begun} b left join {of.cases.sql} a on b.case_id = a.case_id)"
    if of.joined:  # all cases with an action are told of there, and those without one are not heard
        looked = (
            f"(select case_id, day_, {heard} from (select *, {day('of_started_at')} as day_ from {of.cases.sql} "
            f"where {of.live} and of_started_at is not null))"
        )
    by_day = "select day_, count(*), count(*) filter (heard_), count(*) filter (near_ and not heard_)"
    found = {row[0]: row[1:] for row in logs.ask(f"{by_day} from {looked} group by 1")}
    totals = {d: n for d, (n, _, _) in found.items()}
    if of.joined and sum(totals.values()) != logs.ask(f"select count(*) from {begun}")[0][0]:
        totals = dict(logs.ask(f"select day_, count(*) from {begun} group by 1"))
    more: dict[dt.date, int] = {}
    if any(near for _, _, near in found.values()):
        near = f"(select case_id, day_ from {looked} where near_ and not heard_)"
        among = f"case_id in (select case_id from {near})"
        days = f"(select distinct case_id, {on} as day_ from {actions.sql} where {among})"
        pairs = f"select b.day_ from {near} b join {days} a using (case_id, day_)"
        if of.joined:  # where a case is one row, one pass over the actions tells it
            same = "b.case_id = a.case_id and b.day_ = a.on_ "
            pairs = (
                f"select distinct b.case_id, b.day_ from {near} b "
                f"join (select case_id, {on} as on_ from {actions.sql}) a on {same}"
            )
        more = dict(logs.ask(f"select day_, count(*) from ({pairs}) group by 1"))
    return [
        (d, int(n), int(n) - int(found[d][1] if d in found else 0) - more.get(d, 0))
        for d, n in sorted(totals.items())
    ]


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
