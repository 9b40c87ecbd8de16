"""What templates call to write a value as people read it."""

from __future__ import annotations

from collections.abc import Callable

from roi import signs, units, words
from roi.named import cost_words, kind_word, kind_words

__all__ = ["FORMATS"]

FORMATS: dict[str, Callable[..., str]] = {
    "amount": words.amount,
    "amount_range": words.amount_range,
    "chance": words.chance,
    "count": words.count,
    "day": words.day,
    "evidence": words.evidence_word,
    "num": words.number,
    "percent": words.percent,
    "percents": units.percents,
    "plural": words.plural,
    "signed": words.signed_amount,
    "against_stopping": signs.against_stopping,
    "becomes": signs.becomes,
    "hours": signs.hours,
    "hours_ends": signs.hours_ends,
    "hours_told": signs.hours_told,
    "minutes_ends": signs.minutes_ends,
    "hours_range": signs.hours_range,
    "capital": words.capital,
    "cost_words": cost_words,
    "kind": kind_word,
    "kinds": kind_words,
    "and_list": words.and_list,
    "edges": words.edges,
    "minutes": words.minutes,
}
