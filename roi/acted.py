"""Each case as its actions tell it, for the questions that are asked of cases: the log is grouped by case once.

Of a case's numbers, systems and times only what tells most cases from odd ones is kept, in a few bytes. Who finds a
case odd asks its actions themselves, which are few.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roi.moments import fetch
from roi.readers.base import literal
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["BEYOND", "FAILURES", "Acted", "acted", "at_of", "by_case"]

LAID = "cases_as_acted"  # in an engine that holds large samples
FAILURES = ("error", "timeout", "denied")
MOST_SYSTEMS = 60
BESIDE = ("setting", "started_at", "ended_at")
BEYOND = 61  # the bit of numbers that have none of their own


@dataclass(frozen=True, slots=True)
class Acted:
    """The cases that a log of actions names.

    Attributes:
        cases: A row each, and one of the actions that name none: `case_id`, and where the log has the columns for it
            `failed_` (bit k: an action ended as number k of `FAILURES`); `numbered_` (actions with a number) and
            `numbers_` (bit k: number k; bit 61: one beyond 0 to 60); `first_` and `last_` (of the times of `at_of`),
            `asked_` (when the last action that ran was asked for); `apart_` (whether its actions are on different
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


def by_case(samples: Samples, cases: Relation, wanted: Collection[str]) -> str:
    """Each case once: `arm_case` (0, 1), and some of its columns as `of_…`.

    A case may be worked in both arms; what an agent did belongs to the pilot's.
    """
    if "cases" in samples.once and cases == samples.tables["cases"]:
        listed = "".join(f", {c} as of_{c}" for c in wanted)
        return f"(select case_id, (arm = 'pilot')::tinyint as arm_case{listed} from {cases.sql})"
    pilot = "bool_or(arm = 'pilot')"
    listed = "".join(
        f", case when {pilot} then max({c}) filter (arm = 'pilot') else max({c}) end as of_{c}"
        for c in wanted
    )
    return f"(select case_id, {pilot}::tinyint as arm_case{listed} from {cases.sql} group by case_id)"


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
    has = set(actions.columns)
    told: dict[str, str] = {}
    systems: tuple[str | None, ...] = ()
    if "status" in has:
        bits = " ".join(f"when {literal(name)} then {1 << k}" for k, name in enumerate(FAILURES))
        told["failed_"] = f"bit_or((case status {bits} else 0 end)::utinyint)"
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
        bits = " ".join(
            f"when {literal(s)} then {1 << k}" for k, s in enumerate(systems[:MOST_SYSTEMS]) if s is not None
        )
        none = 1 << systems.index(None) if None in systems[:MOST_SYSTEMS] else 0
        which = f"case {name} {bits} else {none} end" if bits else f"{none}"
        told["ran_on_"] = f"bit_or(({which})::ubigint) filter (executed_at is not null)"
    if "system" in has:
        told["apart_"] = "min(system) <> max(system)"
    listed = "".join(f", {sql} as {name}" for name, sql in told.items())
    found = Relation(f"(select case_id{listed} from {actions.sql} group by case_id)", ("case_id", *told))
    if not samples.coded or actions != samples.tables["actions"]:
        return Acted(found, systems)
    joined = "cases" in samples.once and not samples.apart
    if joined:  # once, as several ask of many cases both what they are and what was done in them
        cases = samples.tables["cases"]
        beside = [c for c in BESIDE if c in cases.columns]
        names = ("arm_case", *(f"of_{c}" for c in beside))
        found = Relation(
            f"(select a.*, {', '.join(names)} from {found.sql} a "
            f"left join {by_case(samples, cases, beside)} c on a.case_id = c.case_id)",
            (*found.columns, *names),
        )
    samples.con.execute(f"create table if not exists {LAID} as select * from {found.sql}")
    return Acted(Relation.named(LAID, found.columns), systems, joined)
