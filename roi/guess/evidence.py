"""What columns say about each other: the agent's traces, what stands beside losses only, what comes in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from roi.guess.look import Column, Table
from roi.guess.values import meant

if TYPE_CHECKING:
    from roi.guess.guess import Guess

__all__ = ["arm_votes", "only_where", "repeats_as_pairs"]


def arm_votes(table: Table, arm: Column, traces: Sequence[Column]) -> dict[str, str]:
    """Which values of a column are the pilot's and which the baseline's, by where the agent left traces.

    Args:
        table: The cases.
        arm: The column.
        traces: Columns that only the agent fills, such as its version, its cost or what it spent in tokens.

    Returns:
        Value → arm, where the traces agree; empty where they do not, or there are none.
    """
    votes: list[dict[str, str]] = []
    for trace in traces:
        shares = {
            v: filled / n for v, (n, filled) in table.cross(arm, trace).items() if v is not None and n > 0
        }
        if len(shares) < 2 or min(shares.values()) > 0.02 or max(shares.values()) < 0.3:
            continue
        if any(0.02 < share < 0.3 for share in shares.values()):
            continue
        votes.append({v: "pilot" if share >= 0.3 else "baseline" for v, share in shares.items()})
    return votes[0] if votes and all(vote == votes[0] for vote in votes) else {}


def only_where(table: Table, outcome: Guess, column: Column, what: str) -> bool:
    """Whether a severity stands beside errors only, or a cause beside losses only (a few slips allowed)."""
    of = outcome.sources[0]
    ours = {v: o or "unknown" for v, o in meant("outcome", of.values).items()}
    allowed = {"error", "unknown"} if what == "severity" else {"error", "escalated", "abandoned", "unknown"}
    beside = sum(
        filled
        for v, (_, filled) in table.cross(of, column).items()
        if v is not None and ours.get(v) not in allowed
    )
    return beside <= 0.02 * column.filled


def repeats_as_pairs(table: Table, column: Column, arm: Column) -> bool:
    """Whether nearly every value occurs twice, once in each arm."""
    if not 2 <= column.distinct <= 0.6 * column.filled or column.filled < 0.9 * table.rows:
        return False
    pairs = table.count(
        f"select count(*) from (select {column.at} from {table.name} where {column.at} is not null "
        f"group by 1 having count(*) = 2 and count(distinct {arm.at}) = 2)"
    )
    return pairs >= 0.9 * column.distinct
