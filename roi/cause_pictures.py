"""The arrays behind the pictures of causes: what each costs a year, and what clean cases would bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roi.words import amount, percent, plural

__all__ = [
    "PARTS",
    "CauseBar",
    "CleanBar",
    "cause_bars",
    "clean_bars",
    "parts_seen",
    "says_causes",
    "says_clean",
]

PARTS = {"errors": "errors", "minutes": "people’s time", "agent_cost": "agent cost of lost cases"}
VISIBLE = 0.003  # of the longest bar: what is thinner cannot be seen


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseBar:
    """One cause.

    Attributes:
        cause: Its name.
        share: Its share of the losses.
        mean: Expected price a year, in the pilot's currency.
        p10: 10th percentile.
        p90: 90th percentile.
        parts: The price by part: errors, minutes, agent_cost.
    """

    cause: str
    share: float
    mean: float
    p10: float
    p90: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanBar:
    """One kind of evidence: the rate of losses of all cases and of those without it.

    Attributes:
        cause: The cause it speaks of.
        whole: Rate of losses of all cases of the same segments.
        whole_low: 5th percentile.
        whole_high: 95th percentile.
        clean: Rate of cases without the evidence, at the same mix.
        clean_low: 5th percentile.
        clean_high: 95th percentile.
    """

    cause: str
    whole: float
    whole_low: float
    whole_high: float
    clean: float
    clean_low: float
    clean_high: float


def cause_bars(record: Mapping[str, Any]) -> tuple[CauseBar, ...]:
    """Causes with a price, the dearest first and what is unexplained last; without what rounds to nothing."""
    rows = [r for r in record["causes"]["by_cause"] if r["per_year"] is not None]
    most = max((r["per_year"]["p90"] for r in rows), default=0.0)
    bars = [
        CauseBar(
            cause=r["cause"],
            share=0.0 if r["share_of_losses"] is None else r["share_of_losses"]["mean"],
            mean=r["per_year"]["mean"],
            p10=r["per_year"]["p10"],
            p90=r["per_year"]["p90"],
            parts=r["parts"],
        )
        for r in rows
        if r["per_year"]["p90"] > 0.005 * most
    ]
    return tuple(sorted(bars, key=lambda b: (b.cause == "unexplained", -b.mean)))


def parts_seen(bars: tuple[CauseBar, ...]) -> tuple[str, ...]:
    """The parts of a price that are wide enough to be seen in a bar, in the order in which they are drawn."""
    longest = max((max(b.p90, b.mean) for b in bars), default=0.0)
    return tuple(part for part in PARTS if any(b.parts.get(part, 0.0) > VISIBLE * longest for b in bars))


def clean_bars(record: Mapping[str, Any]) -> tuple[CleanBar, ...]:
    """Rates of losses as they are and of clean cases, by kind of evidence."""
    bars = []
    for world in record["clean_world"]:
        whole, clean = world["rates"]["losses"]["all"], world["rates"]["losses"]["clean"]
        bars.append(
            CleanBar(
                cause=world["cause"],
                whole=whole["mean"],
                whole_low=whole["p05"],
                whole_high=whole["p95"],
                clean=clean["mean"],
                clean_low=clean["p05"],
                clean_high=clean["p95"],
            )
        )
    return tuple(bars)


def says_causes(bars: tuple[CauseBar, ...], *, currency: str) -> str:
    """The picture of causes in words, for whoever does not see it."""
    if not bars:
        return "No cause of losses has a price."
    said = [
        f"{b.cause} {amount(b.mean, currency)} a year (8 in 10: {amount(b.p10, currency)} to "
        f"{amount(b.p90, currency)}; {percent(b.share)} of losses)"
        for b in bars
    ]
    return f"{plural(len(bars), 'cause')} of losses by what they cost: {'; '.join(said)}."


def says_clean(bars: tuple[CleanBar, ...]) -> str:
    """The picture of clean cases in words."""
    said = [
        f"{b.cause}: {percent(b.whole)} of all cases are lost, and {percent(b.clean)} (9 in 10: "
        f"{percent(b.clean_low)} to {percent(b.clean_high)}) of those without evidence of it"
        for b in bars
    ]
    return f"{'; '.join(said)}." if said else "No log tells clean cases from others."
