"""What the agent's calls met: failures, denials, retries, time-outs, waiting, and scopes that nobody granted.

Only actions of production cases count. Actions of one case are not independent, so that the share of cases that met a
failure stands beside the share of calls: its interval is the one to go by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.acted import FAILURES, acted, by_case, is_laid, lay
from roi.acted_bits import acted_bits
from roi.alike import alike, how_many
from roi.case_bits import WORDS, case_bits
from roi.moments import fetch
from roi.proportions import ranks
from roi.readers.base import literal, quoted
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["FAILED", "Integration", "of_cases", "take_integration", "values_at"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FAILED = FAILURES
MOST = 60  # systems and scopes; what is beyond is put together
REST = "(other)"
QUANTILES = (0.5, 0.95)
LAID = "actions_of_cases"  # in an engine that holds large samples
SEEN = "actions_seen"
NUMBERS = ("rework_minutes", "review_minutes")
UNASKED = ("action_id", "seq", "version", "amount", "confidence")  # columns that nobody asks of it there
OF_CASES = (
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """Counts of the agent's actions; rows are arm × system × scope, or without a name where the log has none.

    Attributes:
        arm: Of the case, shape (rows,): 0 baseline, 1 pilot, -1 of no case of the sample.
        system: Names, one a row.
        scope: Names, one a row.
        n: Actions, shape (rows,).
        known: Actions whose status is logged, shape (rows,).
        status: Of these, errors, time-outs and denials, shape (rows, 3).
        attempts: Actions whose attempt is logged, shape (rows,).
        retried: Of these, those beyond the first attempt, shape (rows,).
        ungranted: Actions whose system and scope nobody granted, shape (rows,).
        expired: Actions after the last grant had ended or before the first began, shape (rows,).
        timed: Actions of which it is known how long they took, shape (rows,).
        seconds: Median and 95th percentile and both ends of their intervals, shape (rows, 6): estimate, low, high of
            each; -1 where too few were timed.
        cases: Cases with an action, by arm, shape (2,).
        failing: Of these, cases with an action that failed, by kind (any, error, time-out, denied), shape (2, 4).
        has: Which of "status", "attempt", "access", "expiry", "duration", "times", "names" there is something of.
    """

    arm: Ints
    system: tuple[str, ...]
    scope: tuple[str, ...]
    n: Ints
    known: Ints
    status: Ints
    attempts: Ints
    retried: Ints
    ungranted: Ints
    expired: Ints
    timed: Ints
    seconds: Floats
    cases: Ints
    failing: Ints
    has: frozenset[str]


def of_cases(samples: Samples, actions: Relation, *, numbers: bool = False) -> Relation:
    """The actions of production cases and of unknown ones, with `arm_` (0, 1, -1) and the case's columns as `of_…`.

    Args:
        samples: The opened samples.
        actions: Their log of actions, as it is or laid down elsewhere.
        numbers: Whether the case's numbers are asked for, which may take longer.
    """
    cases = samples.tables["cases"]
    laid = samples.coded and actions == samples.tables["actions"]
    if laid and (seen := _seen_by_bits(samples, cases, actions, numbers=numbers)) is not None:
        return seen
    # What one asks of the cases of many actions is laid down beside them, for all that ask later.
    wanted = [c for c in (OF_CASES if laid else OF_CASES[:3]) if c in cases.columns]
    kept = tuple(c for c in actions.columns if not laid or c not in UNASKED)
    of = "".join(f", of_{c}" for c in wanted)
    live = " where of_setting is distinct from 'demo'" if "setting" in wanted else ""
    names = (*kept, "arm_", *(f"of_{c}" for c in wanted))
    if laid and is_laid(samples, LAID):
        return Relation.named(LAID, names)
    same = _constants(samples, actions, kept) if laid else {}
    listed = ", ".join(f"a.{quoted(c)}" for c in kept if c not in same)

    def joined(some: str) -> str:
        rows = f"(from {actions.sql}{some})" if some else actions.sql
        return (
            f"select {listed}, coalesce(arm_case, -1) as arm_{of} from {rows} a "
            f"left join {by_case(samples, cases, wanted, some)} c on a.case_id = c.case_id{live}"
        )

    if not laid:
        return Relation(f"({joined('')})", names)
    # Many are asked more often than it takes to lay them down once.
    lay(samples, f"{LAID}_rows", joined)
    shown = ", ".join(f"{same[c]} as {quoted(c)}" if c in same else quoted(c) for c in names)
    samples.con.execute(f"create or replace view {LAID} as select {shown} from {LAID}_rows")
    return Relation.named(LAID, names)


def _seen_by_bits(samples: Samples, cases: Relation, actions: Relation, *, numbers: bool) -> Relation | None:
    """A view of the same, of cases whose keys have room for bits; None where they have not, or bits do not tell it."""
    has = set(cases.columns)
    if has & {"amount", "confidence"}:  # of these numbers each action is asked
        return None
    kept = tuple(c for c in actions.columns if c not in UNASKED)
    words = [c for c in WORDS if c in has]
    names = (*kept, "arm_", "wrong_", *(f"of_{c}" for c in words), *(f"nr_of_{c}" for c in words))
    codes = {**actions.codes, **{f"of_{column}": known for column, known in cases.codes.items()}}
    of = [c for c in NUMBERS if c in has] if numbers else []
    if not is_laid(samples, SEEN):
        bits = case_bits(samples)
        if bits is None:
            return None
        arm = f"{bits.has('pilot_', 'case_id')}::tinyint"
        if "actions" in samples.unknown_cases:
            arm = f"case when {bits.has('case_', 'case_id')} then {arm} else -1 end"
        told = {"wrong_": bits.has("wrong_", "case_id")}
        told |= {f"of_{c}": bits.word(c, "case_id") for c in words}
        told |= {f"nr_of_{c}": bits.number(c, "case_id") for c in words}
        shown = ", ".join(
            (*map(quoted, kept), f"{arm} as arm_", *(f"{sql} as {name}" for name, sql in told.items()))
        )
        for c in words:  # so that who counts by words counts by their numbers
            samples.con.execute(f"create or replace temp macro word_of_{c}(nr) as ({bits.named(c, 'nr')})")
        live = " where of_setting is distinct from 'demo'" if "setting" in words else ""
        rows = f"select {shown} from {bits.beside(actions.sql, 'case_id')}"
        samples.con.execute(f"create or replace temp view {SEEN} as select * from ({rows}){live}")
    if not of:
        return Relation.named(SEEN, names, codes)
    listed = "".join(f", {c} as of_{c}" for c in of)
    beside = f"(select case_id as case_{listed} from {cases.sql})"
    both = f"(select * exclude (case_) from {SEEN} left join {beside} on case_id = case_)"
    return Relation(both, (*names, *(f"of_{c}" for c in of)), codes)


def _constants(samples: Samples, actions: Relation, columns: Sequence[str]) -> dict[str, str]:
    """Columns that hold the same in each action, as SQL: there is nothing to lay of them."""
    types = {row[0]: str(row[1]) for row in fetch(samples, f"describe select * from {actions.sql}")}
    asked = [c for c in columns if types[c].startswith("ENUM") or types[c] in ("BOOLEAN", "BIGINT")]
    told = "".join(f", min({c}), max({c}), count({c})" for c in map(quoted, asked))
    ((n, *found),) = fetch(samples, f"select count(*){told} from {actions.sql}")
    same = {}
    for c, least, most, known in zip(asked, found[::3], found[1::3], found[2::3], strict=True):
        if known == 0 or (known == n and least == most):
            same[c] = f"{'null' if least is None else literal(str(least))}::{types[c]}"
    return same


def take_integration(samples: Samples) -> Integration | None:
    """Count the agent's actions by arm, system and scope.

    Args:
        samples: The opened samples; reads `actions`, `cases` and `access`.

    Returns:
        The counts; None without a log of actions or without cases.
    """
    actions, access = samples.tables.get("actions"), samples.tables.get("access")
    if actions is None or "cases" not in samples.tables or samples.apart:
        return None
    present = set(actions.columns)
    live = of_cases(samples, actions)
    has = {"names"} if {"system", "scope"} <= present else set()
    system = "coalesce(system, '(unknown)')" if "system" in present else "'(unknown)'"
    scope = "coalesce(scope, '(unknown)')" if "scope" in present else "'(unknown)'"
    status = "status" if "status" in present else "null::varchar"
    attempt = "attempt" if "attempt" in present else "null::bigint"
    times = {"requested_at", "executed_at"} <= present
    started = "coalesce(decided_at, requested_at)" if "decided_at" in present else "requested_at"
    seconds = "null::double"
    if "duration_ms" in present:
        seconds, has = "(duration_ms / 1000)::double", has | {"duration"}
    elif times:
        between = f"epoch(executed_at) - epoch({started})"
        seconds, has = f"case when executed_at >= {started} then {between} end", has | {"times"}
    granted, expired, rights = "true", "false", ""
    if access is not None and "names" in has:
        has |= {"access"}
        until = "max(expires)" if "expires" in access.columns else "null::timestamp"
        open_end = "bool_or(expires is null)" if "expires" in access.columns else "true"
        since = "min(granted_at)" if "granted_at" in access.columns else "null::timestamp"
        open_start = "bool_or(granted_at is null)" if "granted_at" in access.columns else "true"
        grants = (
            f"(select system, scope, true as granted_, case when not {open_end} then {until} end as until_, "
            f"case when not {open_start} then {since} end as since_ from {access.sql} group by 1, 2)"
        )
        rights = f" a left join {grants} using (system, scope)"
        granted = "granted_ is not null"
        asked = [c for c in ("executed_at", "requested_at") if c in present]
        if asked and {"expires", "granted_at"} & set(access.columns):
            has |= {"expiry"}
            at = f"coalesce({', '.join(asked)})"
            expired = f"coalesce({at} > until_ or {at} < since_, false)"
    kinds = alike(samples, live)
    told = [f"{status} is not null", *(f"{status} = {literal(name)}" for name in FAILED)]
    told += [f"{attempt} is not null", f"{attempt} > 1", f"not ({granted})"]
    told += [expired if kinds is None else "false", f"({seconds}) is not null"]
    listed = ", ".join(how_many(kinds, condition) for condition in ("true", *told))
    by_name = f"select arm_, {system} as s, {scope} as c, "
    rows = fetch(
        samples,
        f"{by_name}{listed} from {(kinds or live).sql}{rights} group by 1, 2, 3 order by 1, 2, 3",
    )
    if kinds is not None and expired != "false":  # times of a grant are asked of each row
        found = fetch(samples, f"{by_name}count(*) from {live.sql}{rights} where {expired} group by 1, 2, 3")
        late = {row[:3]: row[3] for row in found}
        rows = [(*row[:11], late.get(row[:3], 0), row[12]) for row in rows]
    rows = rows if len(rows) <= MOST else _together(rows)
    block = np.array([[int(x) for x in row[3:]] for row in rows], dtype=np.int64).reshape(len(rows), 10)
    has |= {name for name, column in (("status", 1), ("attempt", 5)) if block[:, column].any()}
    keys = [(int(row[0]), str(row[1]), str(row[2])) for row in rows]
    per_case = _per_case(samples, actions)
    cases, failing = np.zeros(2, dtype=np.int64), np.zeros((2, 4), dtype=np.int64)
    for arm, n, *counts in per_case:
        cases[int(arm)] = int(n)
        failing[int(arm)] = [int(x) for x in counts]
    return Integration(
        arm=np.array([key[0] for key in keys], dtype=np.int64),
        system=tuple(key[1] for key in keys),
        scope=tuple(key[2] for key in keys),
        n=block[:, 0],
        known=block[:, 1],
        status=block[:, 2:5],
        attempts=block[:, 5],
        retried=block[:, 6],
        ungranted=block[:, 7],
        expired=block[:, 8],
        timed=block[:, 9],
        seconds=_seconds(samples, live, system, scope, seconds, keys, block[:, 9]),
        cases=cases,
        failing=failing,
        has=frozenset(has),
    )


def _per_case(samples: Samples, actions: Relation) -> list[tuple[Any, ...]]:
    """The cases with an action, by arm, and those with one that failed, by kind; those of a demo left out."""
    if (
        "setting" not in samples.tables["cases"].columns
        and (bits := acted_bits(samples, actions)) is not None
    ):
        failures = [f"failed_{k}" for k in range(len(FAILED))]
        sets = ("worked_", f"({' | '.join(failures)})", *failures)
        arms = ("~pilot_", "pilot_")
        told = [bits.count(samples, *(f"worked_ & {arm} & {which}" for which in sets)) for arm in arms]
        return [(arm, *counts) for arm, counts in enumerate(told) if counts[0]]
    cases = samples.tables["cases"]
    setting = [c for c in ("setting",) if c in cases.columns]
    live = " and of_setting is distinct from 'demo'" if setting else ""
    found = acted(samples, actions)
    of = found.cases
    failed = "failed_" if "failed_" in of.columns else "0"
    kinds = "".join(f", count(*) filter ({failed} & {1 << k} <> 0)" for k in range(len(FAILED)))
    known = "" if found.joined else f" a join {by_case(samples, cases, setting)} c on a.case_id = c.case_id"
    return fetch(
        samples,
        f"select arm_case, count(*), count(*) filter ({failed} <> 0){kinds} from {of.sql}{known} "
        f"where arm_case is not null{live} group by 1 order by 1",
    )


def _together(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The most used systems and scopes, and the others of each arm as one."""
    order = sorted(range(len(rows)), key=lambda i: (-int(rows[i][3]), i))
    kept = sorted(order[: MOST - 3])
    rest: dict[int, list[int]] = {}
    for i in sorted(order[MOST - 3 :]):
        sums = rest.setdefault(int(rows[i][0]), [0] * 10)
        for j, x in enumerate(rows[i][3:]):
            sums[j] += int(x)
    others = [(arm, REST, REST, *sums) for arm, sums in sorted(rest.items())]
    return [*(rows[i] for i in kept), *others]


def _seconds(
    samples: Samples,
    live: Relation,
    system: str,
    scope: str,
    seconds: str,
    keys: list[tuple[int, str, str]],
    timed: Ints,
) -> Floats:
    """Median and 95th percentile with the values that bound them, by rank; nothing else of the times is asked for."""
    found = np.full((len(keys), 6), -1.0)
    wanted = []
    for i, n in enumerate(timed.tolist()):
        for j, share in enumerate(QUANTILES):
            ends = ranks(n, share)
            if ends is not None and keys[i][1] != REST:
                wanted.append((i, j, max(int(np.ceil(share * n)), 1), *ends))
    if not wanted:
        return found
    ranked = [
        (str(keys[i][0]), literal(keys[i][1]), literal(keys[i][2]), rank)
        for i, rank in sorted({(row[0], rank) for row in wanted for rank in row[2:]})
    ]
    query = f"select arm_, {system} as s, {scope} as c, {seconds} as v, 1 as n from {live.sql}"
    if samples.coded:  # names are put for blanks once for each value, and not for each action
        by = ", ".join(("arm_", *(c for c in ("system", "scope") if c in live.columns)))
        query = (
            f"select arm_, {system} as s, {scope} as c, v, n from "
            f"(select {by}, {seconds} as v, count(*) as n from {live.sql} group by {by}, v)"
        )
    at = values_at(samples, query, ("arm_", "s", "c"), ranked)
    for i, j, *places in wanted:
        found[i, 3 * j : 3 * j + 3] = [at[*keys[i], rank] for rank in places]
    return found


def values_at(
    samples: Samples, query: str, keys: Sequence[str], ranked: Sequence[tuple[str | int, ...]]
) -> dict[tuple[Any, ...], float]:
    """Values by their rank among those of the same keys, from 1.

    Equal values are counted before they are put in order: there are far fewer of them than actions.

    Args:
        samples: The opened samples.
        query: A SELECT of the keys, of `v`, and of how many `n` have it.
        keys: Names of the keys.
        ranked: Of each value that is wanted the keys as SQL, then its rank.

    Returns:
        Keys and rank → value.
    """
    own = "".join(f"{key}, " for key in keys)
    apart = f"partition by {own[:-2]} " if keys else ""
    listed = ", ".join(f"({', '.join(map(str, row))})" for row in ranked)
    same = "".join(f"placed.{key} = w.{key} and " for key in keys)
    rows = fetch(
        samples,
        f"with timed as ({query}), "
        f"times as (select {own}v, sum(n) as n from timed where v is not null group by {own}v), "
        f"placed as (select *, sum(n) over ({apart}order by v) as upto from times) "
        f"select {''.join(f'placed.{key}, ' for key in keys)}rank_, v from placed join (values {listed}) "
        f"as w({own}rank_) on {same}rank_ <= upto and rank_ > upto - n",
    )
    return {(*row[:-2], int(row[-2])): float(row[-1]) for row in rows}
