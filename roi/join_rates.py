"""How many cases another export matches, and how the cases that it misses differ from those that it matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from roi.categories import Categories
from roi.checks import used_rows
from roi.readers.base import Connection, quoted
from roi.sample_tables import ReadTable
from roi.schema.tables import MINUTE_COLUMNS

__all__ = ["AGENT_COLUMNS", "JoinRate", "Joined", "join_rates", "unmatched_cases"]

AGENT_COLUMNS = frozenset(
    {
        "agent_cost",
        "cost_currency",
        "provider",
        "model",
        "input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "output_tokens",
        "confidence",
        "version",
    }
)
"""What only cases that an agent worked on can have."""

_LEAST = Fraction(9, 10)
_MOST_APART = Fraction(5, 100)
_MOST_SEGMENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRate:
    """How many cases of an arm and segment another export matched.

    Attributes:
        source: The other export.
        arm: The arm.
        segment: The segment, or None without segments.
        cases: Cases there are.
        matched: Of these, how many it has.
    """

    source: str
    arm: str
    segment: str | None
    cases: int
    matched: int


@dataclass(frozen=True, slots=True)
class Joined:
    """The cases with what other exports add.

    Attributes:
        cases: The cases; besides its columns the engine's table holds one `matched_…` column an export.
        matched: Such a column → the export's name.
        takes: Such a column → what was taken of the export.
    """

    cases: ReadTable
    matched: Mapping[str, str]
    takes: Mapping[str, frozenset[str]]


def join_rates(con: Connection, joined: Joined, categories: Categories) -> list[JoinRate]:
    """How many cases each other export matched, by arm and segment."""
    cases = joined.cases
    segment = categories.shown(cases, "segment") if "segment" in cases.columns else "null"
    return [
        JoinRate(source=label, arm=arm, segment=shown, cases=int(n), matched=int(m))
        for column, label in joined.matched.items()
        for arm, shown, n, m in con.execute(
            f"select arm, {segment}, count(*), count(*) filter ({column}) from {cases.name} "
            f"where {used_rows(cases)} group by 1, 2 order by 1, 2"
        ).fetchall()
    ]


def unmatched_cases(
    con: Connection, joined: Joined, categories: Categories, keep: str, *, min_group: int
) -> list[str]:
    """Exports that miss many cases, or more of one arm than of the other, with what tells the cases they miss.

    A match below 90 % of an arm, or 5 points apart between arms, may make the arms incomparable: what is missing is
    seldom missing at random. Of what only an agent's cases have (cost, tokens, versions) the pilot arm alone is judged.

    Args:
        con: The engine.
        joined: The cases with what was joined.
        categories: How segments are shown.
        keep: SQL that is true of the rows that may be used.
        min_group: Cases below which a group is not described.

    Returns:
        A sentence for each such export.
    """
    said = []
    for column, label in joined.matched.items():
        counts = {
            str(arm): (int(n), int(m))
            for arm, n, m in con.execute(
                f"select arm, count(*), count(*) filter ({column}) from {joined.cases.name} "
                f"where {keep} and arm is not null group by 1 order by 1"
            ).fetchall()
        }
        of_agent = joined.takes[column] <= AGENT_COLUMNS
        if of_agent and counts.get("baseline", (0, 0))[1]:
            n = counts["baseline"][1]
            said.append(
                f"{label}: matches {n:,} baseline case{'s' * (n != 1)}, which no agent should have worked on; are the "
                "arms right?"
            )
        judged = {arm: c for arm, c in counts.items() if arm == "pilot" or not of_agent}
        shares = [Fraction(m, n) for n, m in judged.values()]
        if not shares or (min(shares) >= _LEAST and max(shares) - min(shares) <= _MOST_APART):
            continue
        parts = [f"{m / n:.0%} of {arm} cases ({m:,} of {n:,})" for arm, (n, m) in judged.items()]
        told = [_compared(con, joined, column, arm, categories, keep, min_group) for arm in judged]
        said.append(
            f"{label}: matches {' and '.join(parts)}; what it adds may not stand for the cases it misses. "
            f"Matched against unmatched: {'; '.join(t for t in told if t)}"
        )
    return said


def _compared(
    con: Connection,
    joined: Joined,
    column: str,
    arm: str,
    categories: Categories,
    keep: str,
    min_group: int,
) -> str:
    """What matched and unmatched cases of an arm have, of what did not come from the export itself."""
    cases, taken = joined.cases, joined.takes[column]
    rows = f"{cases.name} where {keep} and arm = '{arm}'"
    counts = con.execute(f"select count(*) filter ({column}), count(*) filter (not {column}) from {rows}")
    n = [int(v) for v in counts.fetchall()[0]]
    if not n[1]:
        return f"{arm}: none is unmatched"
    if min(n) < min_group:
        few = "unmatched" if n[1] < min_group else "matched"
        return f"{arm}: too few are {few} to compare ({min(n):,})"
    found = []
    minutes = [m for m in MINUTE_COLUMNS if m in cases.columns and m not in taken]
    if minutes:
        total = " + ".join(quoted(m) for m in minutes)
        found.append(_pair(con, rows, column, f"({total})::double", min_group, "{:.1f}", "minutes a case"))
    if "outcome" in cases.columns and "outcome" not in taken:
        error = "case when outcome is not null then (outcome = 'error')::integer end"
        found.append(_pair(con, rows, column, error, min_group, "{:.0%}", "errors"))
    if "segment" in cases.columns and "segment" not in taken:
        found += _mix(con, rows, column, categories.shown(cases, "segment"), n, min_group)
    return f"{arm}: {', '.join(f for f in found if f) or 'they have nothing else in common'}"


def _pair(
    con: Connection, rows: str, column: str, value: str, min_group: int, style: str, unit: str
) -> str | None:
    got = con.execute(
        f"select avg(v order by v) filter ({column}), count(v) filter ({column}), "
        f"avg(v order by v) filter (not {column}), count(v) filter (not {column}) "
        f"from (select {value} as v, {column} from {rows})"
    ).fetchall()[0]
    if min(got[1], got[3]) < min_group:
        return None
    return f"{style.format(got[0])} against {style.format(got[2])} {unit} ({got[1]:,} and {got[3]:,} cases)"


def _mix(
    con: Connection, rows: str, column: str, segment: str, n: Sequence[int], min_group: int
) -> list[str]:
    """The segments whose shares differ most."""
    counts = con.execute(
        f"select {segment}, count(*) filter ({column}), count(*) filter (not {column}) from {rows} "
        "group by 1 having count(*) >= " + str(min_group) + " order by 1"
    ).fetchall()
    shares = [(str(s), m / n[0], u / n[1]) for s, m, u in counts if s is not None]
    apart = sorted(shares, key=lambda s: (-abs(s[1] - s[2]), s[0]))[:_MOST_SEGMENTS]
    return [f"{name} {a:.0%} against {b:.0%}" for name, a, b in apart]
