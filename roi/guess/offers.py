"""Whether one of their columns can be one of ours, judged by its name and by what stands in it."""

from __future__ import annotations

from collections.abc import Mapping

from roi.guess.evidence import only_where, repeats_as_pairs
from roi.guess.guess import FILL_IN, Findings, Guess, Offer
from roi.guess.look import Column
from roi.guess.units import unit_of
from roi.guess.values import meant

__all__ = [
    "CHOICES",
    "MINUTES",
    "fits",
    "offer_choice",
    "offer_moment",
    "offer_number",
    "offer_pair",
    "offer_person",
    "offer_segment",
    "offer_text",
    "offer_time",
]

MINUTES = ("handling_minutes", "review_minutes", "rework_minutes", "predicted_minutes")
CHOICES = (
    "outcome",
    "severity",
    "judge_outcome",
    "judge_severity",
    "cause",
    "setting",
    "used",
    "label_source",
)
_NUMBERS = ("amount", "agent_cost", "confidence", "input_tokens", "output_tokens")
_TIMED = ("time", "duration", "mail")


def fits(column: str, c: Column) -> bool:
    """Whether what stands in a column could be what a canonical column wants, its name aside."""
    if column in ("started_at", "ended_at"):
        return c.kind == "time"
    if column in MINUTES:
        return c.kind in ("number", "duration")
    if column in _NUMBERS:
        return c.kind == "number"
    if column in CHOICES:
        return any(meant(column, c.values).values())
    return column not in ("arm", "segment", "case_id", "pair_id")


def offer_moment(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """A time as the start or end of a case; the worker's own start and end are another thing."""
    if c.kind != "time" or not name or ("handle" in c.name.concepts and column not in f.given):
        return None
    return Offer(name, Guess(column=column, sources=(c,)))


def offer_time(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """Numbers or durations as hands-on minutes; waiting is not handling."""
    if not name or c.kind not in ("number", "duration") or "wait" in c.name.concepts:
        return None
    if c.distinct < 3 and c.filled > 20:
        return None
    unit, doubts = unit_of(c)
    if unit is None:
        return None
    return Offer(
        name, Guess(column=column, sources=(c,), unit=None if unit == "minutes" else unit, doubts=doubts)
    )


def offer_choice(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """A column of few values as an outcome, a severity, a cause, and so on, by what its values mean."""
    if not 1 <= c.distinct <= 15 or c.kind in _TIMED or not name:
        return None
    theirs = meant(column, c.values)
    known = sum(n for v, n in c.values.items() if theirs[v]) / c.filled
    kinds = {ours for ours in theirs.values() if ours}
    doubts = _doubts(f, column, c, name, known, kinds)
    if doubts is None:
        return None
    unknown = [v for v, ours in theirs.items() if ours is None]
    if unknown and len(unknown) < len(theirs):
        doubts.append(
            f"{len(unknown)} of its {len(theirs)} values {'is' if len(unknown) == 1 else 'are'} not understood"
        )
    values: Mapping[str, str | None] = {v: ours or FILL_IN for v, ours in theirs.items() if ours != v.lower()}
    if column == "used" and {v.lower() for v in c.values} <= {"true", "false"}:
        values = {}  # read as they are
    return Offer(name, Guess(column=column, sources=(c,), values=values, doubts=tuple(doubts)))


def _doubts(
    f: Findings, column: str, c: Column, name: float, known: float, kinds: set[str]
) -> list[str] | None:
    """What speaks against a choice; None where it is none."""
    doubts: list[str] = []
    if column == "outcome":
        if name < 0.6:
            doubts.append("the name does not say that this is whether the case came out right")
        if not {"correct", "error"} <= kinds:
            doubts.append("correct cases and errors are not both recognised")
            return doubts if kinds and name >= 0.8 else None
    elif column in ("severity", "cause"):
        if c.filled > 0.9 * c.rows or (known < 0.5 and name < 0.9):
            return None  # said of every case, so of no loss; or not understood
        outcome = f.found.get("outcome")
        if outcome is not None and not only_where(f.table, outcome, c, column):
            doubts.append("it also stands beside cases without a loss")
            return doubts if column == "cause" else None
        if outcome is None:
            doubts.append("there is no outcome that it could belong to")
    elif column == "setting":
        if not {"demo", "production"} <= kinds:
            doubts.append("demo and production are not both recognised")
            return doubts if kinds and name >= 0.9 else None
    elif column == "used":
        if known < 0.3 or (f.arm is not None and c.blank == 0 and name < 0.9):
            return None
    elif column == "label_source":
        return doubts if known > 0.99 else None
    return doubts


def offer_pair(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """A column whose values occur once in each arm."""
    if c.kind in _TIMED or f.arm is None or c.at == f.arm.at or not repeats_as_pairs(f.table, c, f.arm):
        return None
    guess = Guess(column=column, sources=(c,))
    return Offer(0.9, guess) if name >= 0.9 else Offer(0.6, guess.but("its values occur once in each arm"))


def offer_person(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """A column of values that recur as the person who worked the case."""
    if not name or c.kind in ("time", "duration") or not 1 < c.distinct <= 0.5 * c.filled:
        return None
    guess = Guess(column=column, sources=(c,))
    if c.kind == "number":
        if "id" not in c.name.concepts or any(n != int(n) for n in c.numbers):
            return None
        guess = guess.but("it holds plain numbers")
    shares = f.shares(c)
    if shares and min(shares) < 0.5:
        guess = guess.but("it is blank in most cases of an arm")
    return Offer(name, guess)


def offer_text(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """Versions, models and providers, which only the agent's cases have."""
    if not name or c.kind in _TIMED or c.distinct > 30:
        return None
    if column in ("provider", "model"):
        if c.kind == "number" or max(map(len, c.values)) > 60:
            return None
        if c.blank == 0 and f.arm is not None:
            return Offer(name, Guess(column=column, sources=(c,), doubts=("it stands beside every case",)))
    if column == "cost_currency" and not (
        "agent_cost" in f.found and all(len(v) == 3 and v.isalpha() for v in c.values)
    ):
        return None
    return Offer(name, Guess(column=column, sources=(c,)))


def offer_number(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """Tokens, amounts, costs, shares and counts of defects."""
    if not name or c.kind in _TIMED or (c.kind != "number" and column != "input_defects"):
        return None
    numbers = c.numbers
    if c.kind == "number":
        whole = all(n == int(n) and n >= 0 for n in numbers)
        if column.endswith("tokens") and not whole:
            return None
        if column == "input_defects" and not (whole and numbers[-1] <= 100):
            return None
        if column in ("confidence", "label_probability") and not 0 <= numbers[0] <= numbers[-1] <= 1:
            return None
    elif c.distinct > 60:
        return None
    if column == "agent_cost" and name < 0.9 and min(f.shares(c), default=1.0) > 0:
        return None  # a cost of every case is not the agent's
    return Offer(name, Guess(column=column, sources=(c,)))


def offer_segment(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """A column of two to twenty-five kinds, filled throughout; channels first."""
    if not name or c.kind != "text" or not 1 < c.distinct <= 25 or c.filled < 0.9 * c.rows:
        return None
    first = any("channel" in word or "kanal" in word or word == "canal" for word in c.name.words)
    return Offer(name + (0.2 if first else 0.0), Guess(column=column, sources=(c,)))
