"""Each case as its actions tell it, for the questions that are asked of cases: the log is grouped by case once.

Of a case's numbers, systems and times only what tells most cases from odd ones is kept, in a few bytes. Who finds a
case odd asks its actions themselves, which are few.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.beside import Places, beside, gather, lay_cases, narrow, places_of, shares
from roi.moments import fetch
from roi.readers.base import literal
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = [
    "ACTIONS",
    "BEYOND",
    "FAILURES",
    "OF_CASES",
    "UNASKED",
    "Acted",
    "acted",
    "at_of",
    "by_case",
    "laid_beside",
    "lay",
]

LAID = "cases_as_acted"  # in an engine that holds large samples
ACTIONS = "actions_of_cases"  # in such an engine
UNASKED = ("action_id", "seq", "version", "amount", "confidence")  # columns that nobody asks of it there
FAILURES = ("error", "timeout", "denied")
MOST_SYSTEMS = 60
BESIDE = ("setting", "started_at", "ended_at")
MOST_BITS = 28  # systems that two bits each are kept of, with other marks of a case
OF_CASES = (  # what is asked of cases by their actions
    "outcome",
    "rework_minutes",
    "setting",
    "segment",
    "review_minutes",
    "used",
    "label_source",
    "amount",
    "confidence",
)
BEYOND = 61  # the bit of numbers that have none of their own


@dataclass(frozen=True, slots=True)
class Acted:
    """The cases that a log of actions names.

    Attributes:
        cases: A row each, and one of the actions that name none: `case_id`, and where the log has the columns for it
            `failed_` (bit k: an action ended as number k of `FAILURES`); `numbered_` (actions with a number) and
            `numbers_` (bit k: number k; bit 61: one beyond 0 to 60); `first_` and `last_` (of the times of `at_of`),
            `asked_` (when the last action that ran was asked for), which may be None in a large log whose cases do not
            say when they began and ended; `apart_` (whether its actions are on different
            systems), `ran_on_` (bit k: an action ran on system k).
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
    if fetch(samples, f"select 1 from duckdb_tables() where table_name = {literal(name)}"):
        return
    ((rows,),) = fetch(samples, "select count(*) from actions")
    parts = shares(int(rows))
    part = f"{name}_"  # what was begun and not finished is none
    samples.con.execute(f"create or replace table {part} as {build(' where false')}")
    for inside in (
        (*parts, " where case_id is null") if len(parts) > 1 else parts
    ):  # no range holds those of no case
        samples.con.execute(f"insert into {part} {build(inside)}")
    samples.con.execute(f"alter table {part} rename to {name}")


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
    systems = _systems(samples, actions)
    told = _told(set(actions.columns), systems)
    listed = "".join(f", {sql} as {name}" for name, sql in told.items())
    columns = ("case_id", *told)

    def grouped(some: str) -> str:
        return f"(select case_id{listed} from {actions.sql}{some} group by case_id)"

    if not samples.coded or actions != samples.tables["actions"]:
        return Acted(Relation(grouped(""), columns), systems)
    joined = "cases" in samples.once and not samples.apart
    if joined:  # once, as several ask of many cases both what they are and what was done in them
        cases = samples.tables["cases"]
        also = [c for c in BESIDE if c in cases.columns]
        names = ("arm_case", *(f"of_{c}" for c in also))
        columns = (*columns, *names)
        if laid_beside(samples):
            return Acted(Relation.named(LAID, columns), systems, joined)

    def build(some: str) -> str:
        if not joined:
            return f"select * from {grouped(some)}"
        return (
            f"select a.*, {', '.join(names)} from {grouped(some)} a "
            f"left join {by_case(samples, cases, also, some)} c on a.case_id = c.case_id"
        )

    lay(samples, LAID, build)
    return Acted(Relation.named(LAID, columns), systems, joined)


def laid_beside(samples: Samples) -> bool:
    """Lay `LAID` and `ACTIONS` beside cases and actions, once; whether that can be.

    Args:
        samples: The opened samples, whose cases go by numbers.
    """
    if "cases" not in samples.once or samples.apart:
        return False
    if fetch(samples, f"select 1 from duckdb_views() where view_name = {literal(LAID)}"):
        return True
    actions, cases = samples.tables["actions"], samples.tables["cases"]
    systems = _systems(samples, actions)
    if len(_every_system(samples, systems)) > MOST_BITS:
        return False
    places = places_of(samples)
    wanted = [c for c in OF_CASES if c in cases.columns]
    kept = [c for c in actions.columns if c not in UNASKED]
    live = " where of_setting is distinct from 'demo'" if "setting" in wanted else ""
    if places is None or not beside(samples, places, ACTIONS, kept, wanted, live):
        return False
    told = _told(set(actions.columns), systems)
    rows, shown = _gathered(samples, places, systems, told)
    also = [c for c in BESIDE if c in cases.columns]
    of = ", ".join(("(arm = 'pilot')::tinyint as arm_case", *(f"{c} as of_{c}" for c in also)))
    none = ", ".join(("null as arm_case", *(f"null as of_{c}" for c in also)))
    listed = "".join(f", {told[name]} as {name}" for name in told)
    others = f"{LAID}_others"  # cases that nobody knows, and what belongs to none
    unknown = f"case_id is null or case_id not in (select case_id from {cases.sql})"
    lost = unknown if (places.of_actions == 0).any() else "false"
    samples.con.execute(
        f"create or replace table {others} as select case_id{listed} from {actions.sql} where {lost} "
        f"group by case_id; create view {LAID} as select case_id{shown}, {of} from {rows} where word_ & 1 = 1 "
        f"union all by name select *, {none} from {others}"
    )
    return True


def _systems(samples: Samples, actions: Relation) -> tuple[str | None, ...]:
    """The systems of the actions that ran."""
    if "executed_at" not in actions.columns:
        return ()
    name = "system" if "system" in actions.columns else "null::varchar"
    listed = f"select distinct {name} from {actions.sql} where executed_at is not null order by 1"
    return tuple(row[0] for row in fetch(samples, listed))


def _failure() -> str:
    bits = " ".join(f"when {literal(name)} then {1 << k}" for k, name in enumerate(FAILURES))
    return f"(case status {bits} else 0 end)"


def _number() -> str:
    own = f"when seq between 0 and {BEYOND - 1} and seq = floor(seq) then 1::ubigint << seq::integer"
    return f"case {own} when seq is not null then {1 << BEYOND}::ubigint end"


def _asked(has: Collection[str]) -> str:
    return "coalesce(requested_at, executed_at)" if "requested_at" in has else "executed_at"


def _system(systems: Sequence[str | None], has: Collection[str]) -> str:
    """The bit of an action's system; 0 of one that has none."""
    name = "system" if "system" in has else "null::varchar"
    bits = " ".join(f"when {literal(s)} then {1 << k}" for k, s in enumerate(systems) if s is not None)
    none = 1 << systems.index(None) if None in systems else 0
    return f"case {name} {bits} else {none} end" if bits else f"{none}"


def _told(has: Collection[str], systems: Sequence[str | None]) -> dict[str, str]:
    """What is told of a case: name → SQL over its actions."""
    told: dict[str, str] = {}
    if "status" in has:
        told["failed_"] = f"bit_or({_failure()}::utinyint)"
    if "seq" in has:
        told["numbered_"] = "count(seq)"
        told["numbers_"] = f"bit_or({_number()})"
    at = at_of(tuple(has))
    if at is not None:
        told |= {"first_": f"min({at})", "last_": f"max({at})"}
    if "executed_at" in has:
        told["asked_"] = f"max({_asked(has)}) filter (executed_at is not null)"
        which = _system(systems[:MOST_SYSTEMS], has)
        told["ran_on_"] = f"bit_or(({which})::ubigint) filter (executed_at is not null)"
    if "system" in has:
        told["apart_"] = "min(system) <> max(system)"
    return told


def _gathered(
    samples: Samples, places: Places, systems: Sequence[str | None], told: Collection[str]
) -> tuple[str, str]:
    """The cases with what their actions tell, gathered beside them, and how it reads: columns in SQL."""
    has = set(samples.tables["actions"].columns)
    word, shown, at = "1", "", 1
    values: dict[str, Callable[[], npt.NDArray[Any]]] = {}
    if "failed_" in told:
        word, at = f"{word} + {1 << at} * {_failure()}::ubigint", at + len(FAILURES)
        shown += f", (word_::bigint >> 1 & {(1 << len(FAILURES)) - 1})::utinyint as failed_"
    if every := _every_system(samples, systems):
        each = (1 << len(every)) - 1
        bit = f"({_system(every, has)})::ubigint"
        ran = f"case when executed_at is not null then {bit} * {1 << at + len(every)} else 0 end"
        word += f" + {1 << at} * {bit}" + (f" + {ran}" if "ran_on_" in told else "")
        if "ran_on_" in told:
            shown += f", nullif(word_::bigint >> {at + len(every)} & {each}, 0)::ubigint as ran_on_"
        named = sum(1 << k for k, system in enumerate(every) if system is not None)
        on = f"(word_::bigint >> {at} & {named})"
        if "apart_" in told:
            shown += f", {on} & ({on} - 1) <> 0 as apart_"

    def wide(kind: Any) -> npt.NDArray[Any]:
        return np.zeros(places.most + 1, dtype=kind)

    def marked() -> npt.NDArray[Any]:
        return narrow(gather(samples, places, f"({word})::ubigint", wide(np.uint64), np.bitwise_or.at))

    values["word_"] = marked
    if "numbers_" in told:
        numbered = wide(np.uint32)

        def counted(kept: npt.NDArray[Any], at: npt.NDArray[Any], found: npt.NDArray[Any]) -> None:
            np.bitwise_or.at(kept, at, found)
            np.add.at(numbered, at, np.uint32(1))

        values["numbers_"] = lambda: narrow(
            gather(samples, places, f"({_number()})::ubigint", wide(np.uint64), counted)
        )
        values["numbered_"] = lambda: narrow(numbered)
        shown += ", numbered_::bigint as numbered_, nullif(numbers_, 0)::ubigint as numbers_"
    when = {
        "first_": (at_of(tuple(has)), np.minimum, "started_at"),
        "last_": (at_of(tuple(has)), np.maximum, "started_at"),
        "asked_": (f"case when executed_at is not null then {_asked(has)} end", np.maximum, "ended_at"),
    }
    for name, (sql, extreme, against) in when.items():
        if name in told and against in samples.tables["cases"].columns:
            values[name] = partial(_extreme, samples, places, str(sql), extreme)
            shown += f", {name}"
        elif name in told:
            shown += f", null::timestamp as {name}"
    return lay_cases(samples, places, LAID, values), shown


def _extreme(samples: Samples, places: Places, sql: str, extreme: np.ufunc) -> npt.NDArray[Any]:
    """The first or the last of the times of each case; NaT where it has none."""
    never = np.iinfo(np.int64).min  # what NaT is in a time's place
    none = np.iinfo(np.int64).max if extreme is np.minimum else never
    kept = np.full(places.most + 1, none, dtype=np.int64)

    def put(kept: npt.NDArray[Any], at: npt.NDArray[Any], found: npt.NDArray[Any]) -> None:
        extreme.at(kept, at, found.astype("datetime64[us]", copy=False).view(np.int64))

    gather(samples, places, sql, kept, put)
    if none != never:
        kept[kept == none] = never
    return kept.view("datetime64[us]")


def _every_system(samples: Samples, systems: Sequence[str | None]) -> list[str | None]:
    """The systems of the actions that ran, and then those of others."""
    actions = samples.tables["actions"]
    every = list(systems)
    if "system" in actions.columns:
        named = fetch(
            samples, f"select distinct system from {actions.sql} where system is not null order by 1"
        )
        every += [name for (name,) in named if name not in systems]
    return every
