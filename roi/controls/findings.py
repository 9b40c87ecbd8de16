"""How a check says what it found: the rows that several conditions find at once, and the three answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from roi.controls.check import MOST_ROWS, Check, Rows
from roi.controls.logs import Logs
from roi.draws import one_sided_bounds

__all__ = ["all_missing", "find_rows", "further_clean", "judge", "unknown", "verb"]


def find_rows(
    logs: Logs, table: str, source: str, conditions: Mapping[str, str], *, number: str = '"row"'
) -> dict[str, Rows]:
    """The rows that each of several conditions finds, in one pass.

    Args:
        logs: Where to ask.
        table: The sample table whose rows they are.
        source: What may stand behind `from`; it has a column with the number of each row.
        conditions: Name → SQL; rows of which it is null are not found.
        number: That column.
    """
    # One number for all answers of a row: an aggregate a condition takes the engine longer to plan than to run.
    code = " + ".join(
        f"case when {sql} then {1 << i} else 0 end" for i, sql in enumerate(conditions.values())
    )
    found = logs.ask(
        f"select code, count(*), min(n, {MOST_ROWS}) from (select {number} as n, {code} as code from {source}) "
        "group by 1"
    )
    rows = {}
    for i, name in enumerate(conditions):
        hits = [x for x in found if int(x[0]) >> i & 1]
        first = sorted(int(n) for x in hits for n in x[2] or ())[:MOST_ROWS]
        rows[name] = Rows(table=table, count=sum(int(x[1]) for x in hits), first=tuple(first))
    return rows


def judge(name: str, rows: Rows, n: int, *, good: str, bad: str, mend: str, personal: bool = False) -> Check:
    """The answer of a rule, which any row breaks.

    Args:
        name: The check.
        rows: The rows that break it.
        n: The rows that were looked at, at least 1.
        good: What was seen where there is none, in a sentence.
        bad: What was seen where there is one, in a sentence.
        mend: What would make it pass.
        personal: Whether it tells how many only.
    """
    broken = rows.count > 0
    return Check(
        name=name,
        status="fail" if broken else "pass",
        evidence=bad if broken else good,
        value=rows.count / n,
        n=n,
        rows=rows if broken and not personal else None,
        mend=mend if broken else "",
        misses=rows.count,
    )


def unknown(name: str, evidence: str, mend: str, rows: Rows | None = None, more: int | None = None) -> Check:
    """The answer where the logs do not say."""
    return Check(name=name, status="missing_evidence", evidence=evidence, mend=mend, rows=rows, more=more)


def all_missing(names: Sequence[str], evidence: str, mend: str) -> dict[str, Check]:
    """The same missing evidence for several checks."""
    return {name: unknown(name, evidence, mend) for name in names}


def further_clean(misses: int, n: int, limit: float, level: float = 0.95) -> int:
    """The least number of further rows without a miss that brings the bound of the share of misses to a limit.

    Args:
        misses: Rows against it so far.
        n: Rows so far.
        limit: The share that must not be exceeded, in (0, 1).
        level: Confidence of the exact one-sided bound.
    """
    if not 0 < limit < 1:
        raise ValueError(f"{limit} is no limit between 0 and 1")

    def shown(more: int) -> bool:
        return one_sided_bounds(misses, n + more, level)[1] <= limit

    if shown(0):
        return 0
    high = 1
    while not shown(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def verb(n: int, one: str, many: str) -> str:
    """The form of a word that a count asks for."""
    return one if n == 1 else many
