"""Actions that are alike: rows of a large log that agree in all that is asked of single rows, looked at once for all.

A row is asked for its words, for which of its cells are blank, and for which of its times comes first. Millions of rows
differ in these in a few dozen ways; so one pass counts each way, and every question of single rows is put to one row of
each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi.acted import is_laid
from roi.approvals import agents_of
from roi.moments import fetch
from roi.privacy import ALIKE
from roi.readers.base import literal, quoted
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["ROWS_NAMED", "alike", "how_many"]

ROWS_NAMED = 20  # of each kind
MOST = 20_000  # kinds; with more of them the rows themselves are asked
HEAD = 50_000  # rows that show whether there may be so many
MOST_IN_HEAD = 2_000
TIMES = ("requested_at", "decided_at", "executed_at")
_WORDS = (ALIKE, "tool", "system", "scope", "effect", "risk", "decision", "status")
_OF_CASES = ("arm_", "of_segment", "of_outcome")
_BLANKS = ("requester", "approver", *TIMES, "attempt", "duration_ms")
_PAIRS = (
    ("approver", "=", "requester"),
    ("decided_at", "<=", "executed_at"),
    ("decided_at", "<", "requested_at"),
    ("executed_at", "<", "requested_at"),
)


def alike(samples: Samples, source: Relation) -> Relation | None:
    """One row of each kind of action, of whose cells this may be asked: their words; whether one is blank; whether
    requester and approver are the same, and whether they are identities that an agent acts under; which of the times
    comes first; whether it is beyond the first attempt.

    Args:
        samples: The opened samples.
        source: Their log of actions, or what `roi.integration.of_cases` makes of it; of that, also `arm_`,
            `of_segment` and `of_outcome` may be asked.

    Returns:
        The rows, each with `n_` (how many are alike), `rows_` (the numbers of the first `ROWS_NAMED`) and of each time
        the latest, as `latest_…`. None where the log is small, empty, or of too many kinds.
    """
    if not samples.coded:
        return None
    actions = samples.tables["actions"]
    of = tuple(c for c in _OF_CASES if c in source.columns)
    name = "actions_alike_of_cases" if of else "actions_alike"
    latest = tuple(c for c in TIMES if c in actions.columns)
    told = tuple(c for c in (*_WORDS, *_BLANKS) if c in actions.columns)
    found = Relation.named(name, (*told, *of, "n_", "rows_", *(f"latest_{c}" for c in latest)))
    if not is_laid(samples, name):
        keys = _keys(samples, actions)
        head = f"select distinct {', '.join(keys)} from (select * from {actions.sql} limit {HEAD})"
        ((kinds,),) = fetch(samples, f"select count(*) from ({head})")
        if kinds > MOST_IN_HEAD:
            return None
        # Where the words of a case have numbers, these are told apart, and named for each kind once.
        numbers = {c: f"nr_{c}" for c in of if f"nr_{c}" in source.columns}
        listed = ", ".join(
            (*(numbers.get(c, c) for c in of), *(f"{key} as k{i}_" for i, key in enumerate(keys)))
        )
        shown = ", ".join(
            f"word_{c}({numbers[c]}) as {c}" if c in numbers else quoted(c) for c in found.columns
        )
        last = "".join(f", max({c}) as latest_{c}" for c in latest)
        # A table, so that the engine knows how few they are before it looks for their rows.
        samples.con.execute(
            f"create or replace temp table kinds_ as select {listed}, count(*) as n_, "
            f'min("row", {ROWS_NAMED}) as rows_{last} from {source.sql} group by all'
        )
        samples.con.execute(
            f"delete from kinds_ where (select count(*) from kinds_) > {MOST}; create temp table {name} as "
            f"select {shown} from kinds_ join {actions.sql} a "
            'on a."row" = rows_[1]; drop table kinds_'
        )
    return found if fetch(samples, f"select 1 from {found.sql} limit 1") else None


def how_many(kinds: Relation | None, condition: str = "true") -> str:
    """SQL of how many rows a condition is true of, of the kinds of `alike` or of the rows themselves."""
    if kinds is None:
        return "count(*)" if condition == "true" else f"count(*) filter ({condition})"
    return f"coalesce(sum(n_) filter ({condition}), 0)"


def _keys(samples: Samples, actions: Relation) -> list[str]:
    """What kinds differ in, in SQL over the columns of the actions."""
    has = set(actions.columns)
    words, blanks = ([c for c in some if c in has] for some in (_WORDS, _BLANKS))
    numbers = ["attempt"] if "attempt" in has else []
    # In what is the same in every row they do not differ.
    ends = "".join(f", count({c}), min({c}), max({c})" for c in map(quoted, (*words, *numbers)))
    counts = "".join(f", count({c})" for c in map(quoted, blanks))
    ((n, *found),) = fetch(samples, f"select count(*){counts}{ends} from {actions.sql}")
    keys = [f"{c} is null" for c, known in zip(blanks, found, strict=False) if 0 < known < n]
    found = found[len(blanks) :]
    for c, known, least, most in zip((*words, *numbers), *(found[i::3] for i in range(3)), strict=True):
        if 0 < known < n or least != most:
            keys.append("attempt > 1" if c in numbers else quoted(c))
    keys += [f"{a} {sign} {b}" for a, sign, b in _PAIRS if {a, b} <= has]
    query = agents_of(samples.tables)
    known = fetch(samples, f"select distinct * from ({query}) order by 1") if query else []
    agents = ", ".join(literal(name) for (name,) in known)
    if agents:
        keys += [f"case when {c} in ({agents}) then {c} end" for c in ("requester", "approver") if c in has]
    return keys or ["true"]
