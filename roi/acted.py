"""Each case as its actions tell it, for the questions that are asked of cases: the log is grouped by case once.

Of a case's numbers, systems and times only what tells most cases from odd ones is kept, in a few bytes. Who finds a
case odd asks its actions themselves, which are few.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roi.moments import fetch
from roi.readers.base import literal
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["BEYOND", "FAILURES", "Acted", "acted", "at_of", "by_case", "is_laid", "lay", "shares_of"]

LAID = "cases_as_acted"  # in an engine that holds large samples
FAILURES = ("error", "timeout", "denied")
MOST_SYSTEMS = 60
AT_ONCE = 2_500_000  # actions whose cases are grouped or joined at a time
FINELY = 12  # bits that tell where a share of the cases ends
BESIDE = ("setting", "started_at", "ended_at")
MOST_BITS = 62  # that one number holds with no sign
BEYOND = 61  # the bit of numbers that have none of their own


@dataclass(frozen=True, slots=True)
class Acted:
    """The cases that a log of actions names.

    Attributes:
        cases: A row each, and one of the actions that name none: `case_id`, and where the log has the columns for it
            `failed_` (bit k: an action ended as number k of `FAILURES`); `numbered_` (actions with a number) and
            `numbers_` (bit k: number k; bit 61: one beyond 0 to 60); `first_` and `last_` (of the times of `at_of`),
            `asked_` (when the last action that ran was asked for), None where many cases have no time to hold them to;
            `apart_` (whether its actions are on different systems), `ran_on_` (bit k: an action ran on system k).
        systems: Of the actions that ran, None for those that name none; more than `MOST_SYSTEMS` have no bits.
        joined: Whether what `by_case` tells of each case stands beside, with `BESIDE` as far as the cases have them;
            `arm_case` is None for the actions of no case.
    """

    cases: Relation
    systems: tuple[str | None, ...]
    joined: bool = False

    @property
    def known(self) -> bool:
        """Whether each system has a bit of its own."""
        return len(self.systems) <= MOST_SYSTEMS

    @property
    def live(self) -> str:
        """SQL of whether a case is one that the agent worked in production; only of what is joined."""
        demo = " and of_setting is distinct from 'demo'" if "of_setting" in self.cases.columns else ""
        return f"arm_case = 1{demo}"


def lay(samples: Samples, name: str, build: Callable[[str], str]) -> None:
    """Lay a table of many actions or of their cases, a share of the cases at a time, so that each takes little memory.

    Args:
        samples: The opened samples, whose cases go by numbers.
        name: Of the table; one that is there stays.
        build: Given a condition on `case_id` that begins with where, the query of these cases' rows.
    """
    if is_laid(samples, name):
        return
    part = f"{name}_"  # what was begun and not finished is none
    samples.con.execute(f"create or replace table {part} as {build(' where false')}")
    shares = shares_of(samples)
    if len(shares) > 1:  # no range holds those of no case
        shares.append(" where case_id is null")
    for some in shares:
        samples.con.execute(f"insert into {part} {build(some)}")
    samples.con.execute(f"alter table {part} rename to {name}")


def shares_of(samples: Samples) -> list[str]:
    """Conditions on `case_id`, with where, that tell the cases of a large log apart by ranges; one may be empty."""
    edges = _edges(samples)
    ranges = zip([None, *edges], [*edges, None], strict=True)
    inside = [
        [f"case_id >= {low}"] * (low is not None) + [f"case_id < {high}"] * (high is not None)
        for low, high in ranges
    ]
    return [f" where {' and '.join(some)}" if some else "" for some in inside]


def _edges(samples: Samples) -> list[int]:
    """Where one share of the cases ends and the next begins, so that each has about as many actions."""
    ((rows, low, high),) = fetch(samples, "select count(case_id), min(case_id), max(case_id) from actions")
    shares = -(-int(rows) // AT_ONCE)
    if shares < 2:
        return []
    shift = max((high - low).bit_length() - FINELY, 0)
    counted = f"select (case_id - {low}) >> {shift} as at_, count(*) from actions where case_id is not null"
    edges: list[int] = []
    upto = 0
    for at, n in fetch(samples, f"{counted} group by 1 order by 1"):
        upto += n
        if upto * shares >= rows * (len(edges) + 1):
            edges.append(low + (at + 1 << shift))
    return edges[:-1]  # the last share has no end


def is_laid(samples: Samples, name: str) -> bool:
    """Whether the engine holds a table or a view of this name."""
    found = f"select 1 from information_schema.tables where table_name = {literal(name)}"
    return bool(fetch(samples, found))


def by_case(samples: Samples, cases: Relation, wanted: Collection[str], some: str = "") -> str:
    """Each case once: `arm_case` (0, 1), and some of its columns as `of_…`.

    A case may be worked in both arms; what an agent did belongs to the pilot's. `some` is a condition, from where on.
    """
    if "cases" in samples.once and cases == samples.tables["cases"]:
        listed = "".join(f", {c} as of_{c}" for c in wanted)
        return f"(select case_id, (arm = 'pilot')::tinyint as arm_case{listed} from {cases.sql}{some})"
    pilot = "bool_or(arm = 'pilot')"
    listed = "".join(
        f", case when {pilot} then max({c}) filter (arm = 'pilot') else max({c}) end as of_{c}"
        for c in wanted
    )
    return f"(select case_id, {pilot}::tinyint as arm_case{listed} from {cases.sql}{some} group by case_id)"


def at_of(columns: Sequence[str]) -> str | None:
    """SQL of when an action took place; None where the log has no times."""
    times = [c for c in ("executed_at", "requested_at") if c in columns]
    return f"coalesce({', '.join(times)})" if times else None


def acted(samples: Samples, actions: Relation) -> Acted:
    """Group the log by case; a large one once.

    Args:
        samples: The opened samples.
        actions: Their log of actions, as it is or laid down elsewhere.
    """
    once = samples.coded and actions == samples.tables["actions"]
    joined = "cases" in samples.once and not samples.apart
    if once and is_laid(samples, LAID):
        names = tuple(c[0] for c in samples.con.execute(f"select * from {LAID} limit 0").description)
        systems = tuple(row[0] for row in fetch(samples, f"select system from {LAID}_systems"))
        return Acted(Relation.named(LAID, names), systems, joined)
    has = set(actions.columns)
    told: dict[str, str] = {}
    systems = ()
    if "status" in has:
        told["failed_"] = f"bit_or({_failure()}::utinyint)"
    if "seq" in has:
        own = f"when seq between 0 and {BEYOND - 1} and seq = floor(seq) then 1::ubigint << seq::integer"
        told["numbered_"] = "count(seq)"
        told["numbers_"] = f"bit_or(case {own} when seq is not null then {1 << BEYOND}::ubigint end)"
    at = at_of(actions.columns)
    if at is not None:
        told |= {"first_": f"min({at})", "last_": f"max({at})"}
    if "executed_at" in has:
        asked = "coalesce(requested_at, executed_at)" if "requested_at" in has else "executed_at"
        told["asked_"] = f"max({asked}) filter (executed_at is not null)"
        name = "system" if "system" in has else "null::varchar"
        listed = f"select distinct {name} from {actions.sql} where executed_at is not null order by 1"
        systems = tuple(row[0] for row in fetch(samples, listed))
        which = _system(systems[:MOST_SYSTEMS], has)
        told["ran_on_"] = f"bit_or(({which})::ubigint) filter (executed_at is not null)"
    if "system" in has:
        told["apart_"] = "min(system) <> max(system)"
    columns = ("case_id", *told)
    read = dict(zip(told, told, strict=True))
    if once:
        told, read = _fewer(samples, told, systems)
    listed = "".join(f", {sql} as {name}" for name, sql in told.items())

    def grouped(some: str) -> str:
        return f"(select case_id{listed} from {actions.sql}{some} group by case_id)"

    if not once:
        return Acted(Relation(grouped(""), columns), systems)
    beside: list[str] = []
    if joined:  # once, as several ask of many cases both what they are and what was done in them
        cases = samples.tables["cases"]
        beside = [c for c in BESIDE if c in cases.columns]
        names = ("arm_case", *(f"of_{c}" for c in beside))
        columns = (*columns, *names)

    def build(some: str) -> str:
        if not joined:
            return f"select * from {grouped(some)}"
        return (
            f"select a.*, {', '.join(names)} from {grouped(some)} a "
            f"left join {by_case(samples, cases, beside, some)} c on a.case_id = c.case_id"
        )

    lay(samples, f"{LAID}_rows", build)
    shown = ", ".join(f"{read[name]} as {name}" if name in read else name for name in columns)
    listed = ", ".join("null" if system is None else literal(system) for system in systems)
    samples.con.execute(
        f"create or replace table {LAID}_systems as select unnest([{listed}]::varchar[]) as system; "
        f"create or replace view {LAID} as select {shown} from {LAID}_rows"
    )
    return Acted(Relation.named(LAID, columns), systems, joined)


def _failure() -> str:
    """SQL of the bit of how an action failed."""
    bits = " ".join(f"when {literal(name)} then {1 << k}" for k, name in enumerate(FAILURES))
    return f"(case status {bits} else 0 end)"


def _system(systems: Sequence[str | None], has: Collection[str]) -> str:
    """SQL of the bit of an action's system; 0 of one that has none."""
    name = "system" if "system" in has else "null::varchar"
    bits = " ".join(f"when {literal(s)} then {1 << k}" for k, s in enumerate(systems) if s is not None)
    none = 1 << systems.index(None) if None in systems else 0
    return f"case {name} {bits} else {none} end" if bits else f"{none}"


def _fewer(
    samples: Samples, told: dict[str, str], systems: Sequence[str | None]
) -> tuple[dict[str, str], dict[str, str]]:
    """The same in fewer values, each of which costs a large log much: what to lay, and how it is read of that.

    How actions failed and which systems they were on is one number. No time is laid that no time of the cases can be
    held against.
    """
    actions, cases = samples.tables["actions"], samples.tables.get("cases")
    has, times = set(actions.columns), () if cases is None else cases.columns
    laid, read = dict(told), dict(zip(told, told, strict=True))
    for name, against in (("first_", "started_at"), ("last_", "started_at"), ("asked_", "ended_at")):
        if name in told and against not in times:
            del laid[name]
            read[name] = "null::timestamp"
    every = list(systems)  # and then those of actions that did not run
    if "system" in has:
        named = fetch(
            samples, f"select distinct system from {actions.sql} where system is not null order by 1"
        )
        every += [name for (name,) in named if name not in systems]
    n, at = len(every), len(FAILURES)
    packed = [name for name in ("failed_", "ran_on_", "apart_") if name in told]
    if len(packed) < 2 or at + 2 * n > MOST_BITS:
        return laid, read
    bit = f"({_system(every, has)})::ubigint"
    word = [_failure()] if "status" in has else []
    word += [f"{bit} * {1 << at}"] if "system" in has else []
    word += [f"case when executed_at is not null then {bit} * {1 << at + n} else 0 end"] * ("ran_on_" in told)
    laid = {name: sql for name, sql in laid.items() if name not in packed}
    laid["word_"] = f"bit_or(({' + '.join(word)})::{'uinteger' if at + 2 * n <= 32 else 'ubigint'})"
    whole, each = "word_::bigint", (1 << n) - 1
    on = f"({whole} >> {at} & {sum(1 << k for k, system in enumerate(every) if system is not None)})"
    unpacked = {
        "failed_": f"({whole} & {(1 << at) - 1})::utinyint",
        "ran_on_": f"nullif({whole} >> {at + n} & {each}, 0)::ubigint",
        "apart_": f"({on} & ({on} - 1)) <> 0",
    }
    return laid, read | {name: unpacked[name] for name in packed}
