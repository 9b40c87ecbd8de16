"""Action log and audit trail: can every case be followed through its actions, and can the log be relied on?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from roi.acted import acted
from roi.acted_bits import acted_bits
from roi.approvals import RAN
from roi.controls.catalogue import checks_of_layer
from roi.controls.check import MOST_ROWS, Check, Rows, all_missing, judge, unknown, verb
from roi.controls.logs import Logs
from roi.controls.trail_gaps import sequences
from roi.controls.trail_times import clock_skew, silent_days
from roi.copies import COPY
from roi.periods import end_of_day
from roi.readers.base import literal
from roi.relation import Relation
from roi.words import and_list, plural
from roi.words import day as said_day

__all__ = ["SealedRows", "trail_checks"]

NO_LOG = ("There is no action log.", "Provide the log of the agent's actions (samples.actions)")
EMPTY = ("The action log is empty.", NO_LOG[1])
NO_CASES = (
    "There are no cases that the actions could be held against, only a report of them.",
    "Provide the cases themselves (samples.cases)",
)
TIMES = ("requested_at", "decided_at", "executed_at")


class _Fault(Protocol):
    """What is wrong with sealed rows: the first and the last one's number, None where it is in no row, and the kind."""

    @property
    def row(self) -> int | None: ...
    @property
    def last(self) -> int | None: ...
    @property
    def kind(self) -> str: ...


class SealedRows(Protocol):
    """Whether one source of the log is what was sealed: `holds`, `broken`, or `none` where no seal lies beside it.

    `rows` are sealed (None where nobody knows) and `beyond` came later; `more` faults are not among `faults`.
    """

    @property
    def state(self) -> str: ...
    @property
    def rows(self) -> int | None: ...
    @property
    def beyond(self) -> int: ...
    @property
    def faults(self) -> Sequence[_Fault]: ...
    @property
    def more(self) -> int: ...
    @property
    def sealed_at(self) -> str | None: ...


def trail_checks(logs: Logs, seals: Sequence[SealedRows] = ()) -> tuple[Check, ...]:
    """Reconcile the action log with the cases, and look for what is missing, doubled or out of order in it.

    Args:
        logs: Reads `actions` and `cases`. Demo cases need no actions; whatever the log holds is looked at.
        seals: Of the files that the log was read from; none where nobody sealed it.

    Returns:
        Every check of the layer, in the order of the catalogue.
    """
    names = checks_of_layer("audit_trail")
    actions = logs.table("actions")
    if actions is None:
        found = all_missing(names, *NO_LOG)
        return tuple(found[name] for name in names)
    columns = set(actions.columns)
    found = _reconciled(logs, actions)
    if not logs.ask(f"select 1 from {actions.sql} limit 1"):
        found = all_missing(names, *EMPTY) | {"cases_with_actions": found["cases_with_actions"]}
        return tuple(found[name] for name in names)
    found |= _of_rows(logs, actions, columns)
    found["unique_ids"] = _unique_ids(logs, actions)
    found |= sequences(logs, actions, columns)
    found["clock_skew"] = clock_skew(logs, actions)
    found["silent_days"] = silent_days(logs, actions)
    found["sealed"] = _sealed(seals, logs.as_of)
    return tuple(found[name] for name in names)


def _reconciled(logs: Logs, actions: Relation) -> dict[str, Check]:
    """Cases without actions and actions without a case."""
    cases, live = logs.table("cases"), logs.live_cases()
    if cases is None or live is None:
        return all_missing(("cases_with_actions", "actions_with_case"), *NO_CASES)
    every_case, every_action = _complete(logs, actions, live)
    acting = f"case_id in (select case_id from {actions.sql} where case_id is not null)"
    worked = f'(select "row", {"true" if every_case else acting} as worked_ from {live.sql})'
    rows = logs.find("cases", worked, {"live": "true", "bare": "worked_ is not true"})
    known = f"case_id in (select case_id from {cases.sql} where case_id is not null)"
    held = f'(select "row", {"true" if every_action else known} as known_ from {actions.sql})'
    found = logs.find("actions", held, {"all": "true", "lost": "known_ is not true"})
    live_n, n = rows["live"].count, found["all"].count
    bare, lost = rows["bare"], found["lost"]
    checks = {}
    if live_n == 0:
        evidence = "There is no production case that was worked with the agent."
        checks["cases_with_actions"] = unknown(
            "cases_with_actions", evidence, "Work production cases with the agent"
        )
    else:
        checks["cases_with_actions"] = judge(
            "cases_with_actions",
            bare,
            live_n,
            good=f"Each of {plural(live_n, 'case')} has its actions.",
            bad=f"{bare.count:,} of {plural(live_n, 'case')} {verb(bare.count, 'has', 'have')} no action.",
            mend="Log every action of every case",
        )
    checks["actions_with_case"] = judge(
        "actions_with_case",
        lost,
        max(n, 1),
        good=f"Each of {plural(n, 'action')} belongs to a case.",
        bad=f"{lost.count:,} of {plural(n, 'action')} {verb(lost.count, 'belongs', 'belong')} to no known case.",
        mend="Log with every action the case that it belongs to, and give every case",
    )
    return checks


def _complete(logs: Logs, actions: Relation, live: Relation) -> tuple[bool, bool]:
    """Whether it is told without a look at each row that every case has its actions, and every action its case."""
    if (bits := acted_bits(logs.samples, actions)) is not None:
        found, lost = bits.count(logs.samples, "worked_ & live_")[0], 0
    elif logs.samples.coded and (of := acted(logs.samples, actions)).joined:
        ((found, lost),) = logs.ask(
            f"select count(*) filter ({of.live}), count(*) filter (arm_case is null) from {of.cases.sql}"
        )
    else:
        return False, False
    ((cases,),) = logs.ask(f"select count(*) from {live.sql}")
    return found == cases, lost == 0


def _of_rows(logs: Logs, actions: Relation, columns: set[str]) -> dict[str, Check]:
    """What single rows show: blanks, times out of order or in the future, and denials that ran."""
    has_time, has_status = "executed_at" in columns, "status" in columns
    times = [c for c in TIMES if c in columns]
    stopped = "decision in ('rejected', 'escalated')" if "decision" in columns else "false"
    denied = "status = 'denied'" if has_status else "false"
    # What was denied or rejected never ran: it has no time at which it did, and its decision says how it ended.
    never = f"coalesce({denied} or {stopped}, false)"
    blank = ["tool is null"]
    if has_time:
        blank.append(f"(executed_at is null and not {never})")
    if has_status:
        idle = "executed_at is null" if has_time else "true"
        blank.append(f"(status is null and not coalesce({stopped} and {idle}, false))")
    both = {"requested_at", "executed_at"} <= columns
    order = ["executed_at < requested_at"] if both else []
    if both and {"decision", "decided_at"} <= columns:
        # What people decided too early or too late is a matter of approval; what decided itself has no such excuse.
        order.append("(decision = 'auto' and (decided_at < requested_at or decided_at > executed_at))")
    ran = ["executed_at is not null"] if has_time else []
    if has_status and "actions" not in logs.samples.once:  # what was denied may have run in another row
        # A second attempt may well be allowed.
        attempt = "coalesce(attempt, 1)" if "attempt" in columns else "1"
        ran.append(
            f"(action_id, {attempt}) in (select (action_id, {attempt}) from {actions.sql} "
            f"where status in ({', '.join(map(literal, RAN))}) "
            f"and action_id in (select action_id from {actions.sql} where {denied}))"  # few, so that little is held
        )
    # One row of each kind tells everything but what other rows hold, and whether all of its kind are late.
    kinds = logs.kinds() if "actions" in logs.samples.once else None
    late, any_late = "false", "false"
    if logs.as_of is not None and times:
        over = f">= timestamp '{end_of_day(logs.as_of, logs.timezone)}'"
        late, any_late = (f"greatest({of}{f', {of}'.join(times)}) {over}" for of in ("", "latest_"))
    rows = logs.find(
        "actions",
        actions.sql,
        {
            "all": "true",
            "blank": f"({' or '.join(blank)})",
            "ordered": "requested_at is not null and executed_at is not null" if both else "false",
            "disorder": f"({' or '.join(order) or 'false'})",
            "unasked": "executed_at is not null and requested_at is null" if both else "false",
            "ran": "executed_at is not null" if has_time else "false",
            "ended": "status is not null" if has_status else "false",
            "endless": f"status is null and not {never}" if has_status else "false",
            "timeless": f"coalesce({', '.join((*times, 'null'))}) is null and not {never}",
            "denied": denied,
            "denied_ran": f"{denied} and ({' or '.join(ran) or 'false'})",
            "dated": f"coalesce({', '.join((*times, 'null'))}) is not null",
            "late": late if kinds is None else any_late,
        },
        kinds=kinds,
    )
    if kinds and rows["late"].count:
        rows["late"] = logs.rows("actions", actions.sql, late)
    n = rows["all"].count
    found = {"required_fields": _required(rows["blank"], n, columns)}
    asked = "Log when each action was requested and when it ran (requested_at, executed_at)"
    if not rows["ordered"].count:
        evidence = "The action log does not say both when an action was requested and when it ran."
        found["time_order"] = unknown("time_order", evidence, asked)
    else:
        wrong, unasked = rows["disorder"], rows["unasked"]
        evidence = f"Of {plural(unasked.count, 'action')} that ran nobody knows the time of the request."
        found["time_order"] = judge(
            "time_order",
            wrong,
            n,
            good=f"The times of {plural(rows['ordered'].count, 'action')} are in order.",
            bad=f"{wrong.count:,} of {plural(n, 'action')} {verb(wrong.count, 'has', 'have')} "
            "times that contradict each other.",
            mend="Take each time from one clock when it happens, and log it as it is",
            unsure=unknown("time_order", evidence, asked, unasked) if unasked.count else None,
        )
    found["denied_ran"] = _denied_ran(rows)
    found["future_times"] = _future(rows, logs.as_of)
    return found


def _required(blank: Rows, n: int, columns: Collection[str]) -> Check:
    lacking = [
        say for c, say in (("executed_at", "when it ran"), ("status", "how it ended")) if c not in columns
    ]
    if lacking and not blank.count:
        evidence = f"The action log does not say of any action {and_list(lacking, 'or')}."
        return unknown(
            "required_fields",
            evidence,
            "Log of every action when it ran and how it ended (executed_at, status)",
        )
    return judge(
        "required_fields",
        blank,
        n,
        good=f"Each of {plural(n, 'action')} says when it ran and how it ended.",
        bad=f"{blank.count:,} of {plural(n, 'action')} {verb(blank.count, 'does', 'do')} not say "
        "what was called, when it ran or how it ended.",
        mend="Log every action whole: what was called, when it ran and how it ended",
    )


def _denied_ran(rows: Mapping[str, Rows]) -> Check:
    """Whether what was denied ran all the same, as far as the log says how actions ended and when they ran."""
    name, denied, ran, endless = "denied_ran", rows["denied"], rows["denied_ran"], rows["endless"]
    ended = "Log how each action ended (status)"
    unsure = None
    if not rows["ended"].count:
        unsure = unknown(name, "The action log does not say which actions were denied (status).", ended)
    elif not rows["ran"].count:
        evidence = "The action log does not say which actions ran (executed_at)."
        unsure = unknown(
            name, evidence, "Log when each action ran, and nothing where it did not (executed_at)"
        )
    elif endless.count:
        how = verb(endless.count, "does not say how it ended", "do not say how they ended")
        evidence = f"{plural(endless.count, 'action')} {how}, and may have been denied."
        unsure = unknown(name, evidence, ended, endless)
    return judge(
        name,
        ran,
        rows["all"].count,
        good=f"None of {plural(denied.count, 'denied action')} ran."
        if denied.count
        else "No action was denied.",
        bad=f"{ran.count:,} of {plural(denied.count, 'denied action')} {verb(ran.count, 'has', 'have')} "
        "a time at which it ran or a result of having run: the log contradicts itself.",
        mend="Find out whether the denial held; leave executed_at blank where nothing ran",
        unsure=unsure,
    )


def _future(rows: Mapping[str, Rows], as_of: dt.date | None) -> Check:
    name, late, dated, timeless = "future_times", rows["late"], rows["dated"].count, rows["timeless"]
    if as_of is None or not dated:
        evidence = "Nothing says when the actions or the decision took place."
        return unknown(name, evidence, "Log when each action ran (executed_at), and set run.as_of")
    evidence = f"Of {plural(timeless.count, 'action')} nobody knows the time."
    return judge(
        name,
        late,
        dated,
        good=f"No action lies after {said_day(as_of.isoformat())}, the day of the decision.",
        bad=f"{late.count:,} of {plural(dated, 'action')} {verb(late.count, 'lies', 'lie')} after "
        f"{said_day(as_of.isoformat())}, the day of the decision.",
        mend="Set the clock of the log right, or decide as of a later day (run.as_of)",
        unsure=unknown(name, evidence, "Log when each action ran (executed_at)", timeless)
        if timeless.count
        else None,
    )


def _unique_ids(logs: Logs, actions: Relation) -> Check:
    """Rows that repeat the id of an earlier one; exact copies were left out at reading and count too."""
    apart = "count(*)" if "actions" in logs.samples.once else "count(distinct action_id)"
    n, ids = (int(x) for x in logs.ask(f"select count(*), {apart} from {actions.sql}")[0])
    repeats = Rows(table="actions", count=0)
    if n > ids:
        again = 'row_number() over (partition by action_id order by "row") > 1 as again_'
        repeats = logs.rows("actions", f'(select "row", {again} from {actions.sql})', "again_")
    copies = sum(x.rows for x in logs.samples.exclusions if x.table == "actions" and x.reason == COPY)
    n, first, every = n + copies, repeats.first, repeats.every
    if copies and logs.ask("select 1 from duckdb_tables() where table_name = 'd_actions'"):
        # The engine keeps the numbers of the copies that it left out.
        left = logs.ask(f"select r + 1 from d_actions order by 1 limit {MOST_ROWS}")
        first = tuple(sorted({*first, *(int(row[0]) for row in left)}))[:MOST_ROWS]
        every = f"{every or 'select null where false'} union select r + 1 from d_actions"
    rows = Rows(table="actions", count=repeats.count + copies, first=first, every=every)
    bad = f"{rows.count:,} of {plural(n, 'action')} {verb(rows.count, 'repeats', 'repeat')} the id of an earlier one"
    bad += f", {copies:,} of them as an exact copy." if copies else "."
    return judge(
        "unique_ids",
        rows,
        n,
        good=f"Each of {plural(n, 'action')} has an id of its own.",
        bad=bad,
        mend="Log every action once, under an id of its own",
    )


def _sealed(seals: Sequence[SealedRows], as_of: dt.date | None) -> Check:
    """Whether the files of the log are what was sealed."""
    bare = sum(x.state == "none" for x in seals)
    if not seals or (bare and not any(x.state == "broken" for x in seals)):
        return unknown(
            "sealed",
            f"{bare:,} of {plural(len(seals), 'file')} of the action log {verb(bare, 'is', 'are')} not sealed."
            if bare < len(seals)
            else "Nobody sealed the action log.",
            "Seal the log with roi seal, and keep its last link elsewhere",
        )
    broken = [x for x in seals if x.state == "broken"]
    sealed = sum(x.rows or 0 for x in seals)
    if broken:
        faults = [f for x in broken for f in x.faults]
        kinds: dict[str, int] = {}
        for fault in faults:
            kinds[fault.kind] = kinds.get(fault.kind, 0) + 1
        told = and_list(f"{n:,} {kind}" for kind, n in sorted(kinds.items()))
        more = sum(x.more for x in broken)
        # Row numbers count on over all files, so that those of one file say where only if it is the only one.
        spans = {(f.row, f.last or f.row) for f in faults if f.row} if len(seals) == 1 else set()
        numbers = {n for row, last in spans for n in range(row, min(last, row + MOST_ROWS) + 1)}
        count = max(sum(last - row + 1 for row, last in spans), len(numbers)) + (more if spans else 0)
        return Check(
            name="sealed",
            status="fail",
            evidence="The action log is not what was sealed" + (f" ({told})." if told else "."),
            value=float(len(faults) + more),
            n=sealed or None,
            rows=Rows(
                table="actions",
                count=count,
                first=tuple(sorted(numbers)[:MOST_ROWS]),
                every=" union ".join(
                    f"select unnest(range({row}, {last + 1})) as n" for row, last in sorted(spans)
                ),
            )
            if spans
            else None,
            mend="Restore the log as it was sealed, and find out who changed it",
        )
    beyond = sum(x.beyond for x in seals)
    if beyond:
        later = f"{plural(beyond, 'further row')} {verb(beyond, 'is', 'are')} not sealed."
        evidence = f"The sealed rows are as they were{_when(seals, as_of)}; {later}"
        return unknown("sealed", evidence, "Seal the log again with roi seal")
    return Check(
        name="sealed",
        status="pass",
        evidence=f"The action log is as it was{_when(seals, as_of)}"
        + (f" ({plural(sealed, 'row')})." if sealed else "."),
        value=0.0,
        n=sealed or None,
    )


def _when(seals: Sequence[SealedRows], as_of: dt.date | None) -> str:
    """When the last of the files was sealed, in words that follow on "as it was", against the day of the decision."""
    days = [dt.date.fromisoformat(x.sealed_at[:10]) for x in seals if x.sealed_at]
    if not days:
        return " sealed"
    said = f" sealed on {said_day(max(days).isoformat())}"
    if as_of is None:
        return said
    apart = (max(days) - as_of).days
    if not apart:
        return f"{said}, the day of the decision"
    return f"{said}, {plural(abs(apart), 'day')} {'after' if apart > 0 else 'before'} the day of the decision"
