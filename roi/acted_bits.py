"""Which cases acted, on which systems, with what failures and under which numbers, as bits of their keys.

The same as `roi.acted` keeps of each case, and soon told, where the keys have room for bits (`roi.blocks`), each action
is of a known case, and systems and numbers are few. What it tells of all cases is counted from a few hundred rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from roi.acted import FAILURES, is_laid
from roi.blocks import NO_BITS, Blocks, bits_of, block_of
from roi.case_bits import case_bits
from roi.moments import fetch
from roi.readers.base import literal
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["ActedBits", "acted_bits"]

LAID = "acted_in_bits"
NAMES = f"{LAID}_names"
MOST_SYSTEMS = 16
MOST_NUMBERS = 40
_KINDS = ("system", "number", "repeated", "none")


@dataclass(frozen=True, slots=True)
class ActedBits:
    """The cases that acted, each of which is one row of the cases.

    Attributes:
        blocks: With the bits `worked_` (it acted), `pilot_` and `live_` (of the pilot's arm, and there in production),
            `apart_` (on two systems at least), `ran_0` … (an action ran on that one of `systems`), `failed_0` … (one
            ended as that one of `FAILURES`) and `number_0` … (one has that one of `numbers`).
        systems: Of the actions that ran, None for those that name none.
        numbers: That actions have, in order; None where they are many, or one comes twice in a case.
    """

    blocks: Blocks
    systems: tuple[str | None, ...]
    numbers: tuple[int, ...] | None

    def count(self, samples: Samples, *sets: str) -> list[int]:
        """How many cases are in each of some sets, in SQL of the bits as columns of whole blocks."""
        listed = ", ".join(f"coalesce(sum(bit_count({which})), 0)" for which in sets)
        return [int(n) for n in fetch(samples, f"select {listed} from {self.blocks.name}")[0]]


def acted_bits(samples: Samples, actions: Relation) -> ActedBits | None:
    """Take them from a large log, once; None where the log has to be grouped by case.

    Args:
        samples: The opened samples.
        actions: Their log of actions, as it is or laid down elsewhere.
    """
    if samples.apart or actions != samples.tables["actions"] or "cases" not in samples.spans:
        return None
    if not is_laid(samples, NAMES):
        _lay(samples, actions)
    told: dict[str, list[str | None]] = {kind: [] for kind in _KINDS}
    for kind, name in fetch(samples, f"select kind_, name_ from {NAMES} order by rowid"):
        told[kind].append(name)
    if told["none"]:
        return None
    numbers = None if told["repeated"] else tuple(int(n) for n in told["number"] if n is not None)
    return ActedBits(Blocks(LAID, {}, {}), tuple(told["system"]), numbers)


def _lay(samples: Samples, actions: Relation) -> None:
    """Lay the bits and the names of what they say, or the name that says that there are none."""
    has, cases = set(actions.columns), case_bits(samples)
    names: list[tuple[str, str | None]] = [("none", None)]
    system = "system" if "system" in has else "null::varchar"
    every = [s for (s,) in fetch(samples, f"select distinct {system} from {actions.sql} order by 1")]
    if cases is not None and len(every) <= MOST_SYSTEMS:
        ran = "executed_at is not null" if "executed_at" in has else "false"
        _group(samples, actions, "acted_on", f"{system} as system_, {ran} as ran_")
        known = f"bit_count(w & ~{_or_none('case_')}) = 0"
        beside = f"acted_on left join {cases.name} using (block_)"
        ((n,),) = fetch(samples, f"select coalesce(sum(n) filter ({known}), 0) from {beside}")
        ((rows,),) = fetch(samples, f"select count(*) from {actions.sql}")
        if n == rows:  # each is of a case
            names = _lay_all(samples, actions, cases, every)
    # None, where no action is known to have run or has a number.
    told = "".join(f"insert into {NAMES} values ({literal(kind)}, {_sql(name)}); " for kind, name in names)
    samples.con.execute(
        f"create or replace temp table {NAMES} (kind_ varchar, name_ varchar); {told}"
        "drop table if exists acted_on; drop table if exists acted_so; drop table if exists acted_as"
    )


def _lay_all(
    samples: Samples, actions: Relation, cases: Blocks, every: list[str | None]
) -> list[tuple[str, str | None]]:
    """Lay the bits, given those of systems; returns the names of what they say."""
    has = set(actions.columns)
    ran = [s for (s,) in fetch(samples, "select distinct system_ from acted_on where ran_ order by 1")]
    bits = {"worked_": "bit_or(w)"}
    for i, s in enumerate(every):
        bits[f"on_{i}"] = f"bit_or(w) filter (system_ is not distinct from {_sql(s)})"
    for i, s in enumerate(ran):
        bits[f"ran_{i}"] = f"bit_or(w) filter (ran_ and system_ is not distinct from {_sql(s)})"
    parts = [f"(select block_{_listed(bits)} from acted_on group by block_)"]
    shown = ["worked_", *(f"ran_{i}" for i in range(len(ran)))]
    named = [i for i, s in enumerate(every) if s is not None]
    pairs = " | ".join(f"({_or_none(f'on_{i}')} & {_or_none(f'on_{j}')})" for i, j in combinations(named, 2))
    if "status" in has:
        _group(
            samples, actions, "acted_so", "status as status_", f" where {actions.says('status', *FAILURES)}"
        )
        failed = {f"failed_{k}": f"bit_or(w) filter (status_ = {literal(s)})" for k, s in enumerate(FAILURES)}
        parts.append(f"(select block_{_listed(failed)} from acted_so group by block_)")
    shown += [f"failed_{k}" for k in range(len(FAILURES))] if "status" in has else []
    numbers = _numbers(samples, actions) if "seq" in has else []
    if numbers:
        numbered = {f"number_{k}": f"bit_or(w) filter (seq_ = {n})" for k, n in enumerate(numbers)}
        parts.append(f"(select block_{_listed(numbered)} from acted_as group by block_)")
        shown += numbered
    beside = "".join(f" left join {part} using (block_)" for part in parts[1:])
    told = "".join(f", {_or_none(name)} as {name}" for name in shown)
    none = "".join(f", {NO_BITS} as failed_{k}" for k in range(len(FAILURES))) if "status" not in has else ""
    samples.con.execute(
        f"create or replace temp table {LAID} as select block_{told}{none}, {pairs or NO_BITS} as apart_, "
        f"{_or_none('pilot_')} as pilot_, {_or_none('live_')} as live_ "
        f"from {parts[0]}{beside} left join {cases.name} using (block_)"
    )
    if numbers is None:
        return [*(("system", s) for s in ran), ("repeated", None)]
    return [*(("system", s) for s in ran), *(("number", str(n)) for n in numbers)]


def _numbers(samples: Samples, actions: Relation) -> list[int] | None:
    """The numbers of actions, whose bits are laid for a moment; None where they are many, or come twice in a case."""
    ((n, least, most, odd),) = fetch(
        samples, f"select count(seq), min(seq), max(seq), bool_or(seq <> floor(seq)) from {actions.sql}"
    )
    if not n:
        return []
    if odd or least < 0 or most >= MOST_NUMBERS:
        return None
    _group(samples, actions, "acted_as", "seq::integer as seq_", " where seq is not null")
    ((different,),) = fetch(samples, "select sum(bit_count(w)) from acted_as")
    if different != n:
        return None
    return [int(seq) for (seq,) in fetch(samples, "select distinct seq_ from acted_as order by 1")]


def _group(samples: Samples, actions: Relation, name: str, by: str, some: str = "") -> None:
    """Lay the bits `w` of the cases with an action of each kind, and how many actions those are."""
    span = samples.spans["cases"]
    rows = f"(select case_id, {by} from {actions.sql}{some})"
    samples.con.execute(
        f"create or replace temp table {name} as select {block_of('case_id')} as block_, * exclude (case_id), "
        f"count(*) as n, {bits_of('case_id')} as w from {rows} where {span.holds('case_id')} group by all"
    )


def _sql(name: str | None) -> str:
    return "null" if name is None else literal(name)


def _listed(bits: dict[str, str]) -> str:
    return "".join(f", {sql} as {name}" for name, sql in bits.items())


def _or_none(bits: str) -> str:
    return f"coalesce({bits}, {NO_BITS})"
