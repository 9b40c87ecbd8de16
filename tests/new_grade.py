"""How a guess is graded against what is true of an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from new_variants import Truth, Variant

from roi.guess.guess import FILL_IN, Guess


@dataclass(frozen=True)
class Grade:
    """One canonical column of one variant.

    Attributes:
        column: The canonical column.
        state: right; right, marked; left out; wrong, marked; wrong; extra, marked; wrong extra.
        held_out: Whether its name or values were kept back.
        text: What was guessed and what is true.
    """

    column: str
    state: str
    held_out: bool
    text: str


def grade(variant: Variant, guesses: Mapping[str, Guess]) -> Iterator[Grade]:
    """Grade every column that is there, and every one that was guessed though it is not."""
    for column, truth in variant.truth.items():
        guess = guesses.get(column)
        if guess is None or not (guess.sources or guess.constant):
            if not truth.optional:
                yield Grade(column, "left out", truth.held_out, str(truth.sources))
            continue
        if truth.optional:
            continue
        right = _same(truth, guess)
        state = ("right" if right else "wrong") + (
            "" if guess.sure and FILL_IN not in guess.values.values() else ", marked"
        )
        told = (tuple(c.name.text for c in guess.sources), guess.unit, dict(guess.values), guess.doubts)
        yield Grade(column, state, truth.held_out, f"{told} / {(truth.sources, truth.unit, truth.values)}")
    for column, guess in guesses.items():
        if column not in variant.truth and column != "cost_currency":
            state = "wrong extra" if guess.sure else "extra, marked"
            yield Grade(column, state, False, f"{[c.name.text for c in guess.sources]} {guess.doubts}")


def _same(truth: Truth, guess: Guess) -> bool:
    theirs = tuple(c.name.text for c in guess.sources)
    if guess.between != truth.between:
        return False
    if set(theirs) != set(truth.sources) or (truth.between and theirs != truth.sources):
        return False
    return (guess.unit or "minutes") == (truth.unit or "minutes") and _folded(guess.values) == truth.values


def _folded(values: Mapping[str, str | None]) -> dict[str, str | None]:
    return {theirs: ours for theirs, ours in values.items() if theirs.lower() != ours}
