"""Which of their columns means what: by its name, and by what stands in it. What is not certain is marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from roi.guess.arms import offer_arm
from roi.guess.guess import FILL_IN, Findings, Guess, Guesses, Offer
from roi.guess.keys import find_key
from roi.guess.look import Column, Table
from roi.guess.names import folded
from roi.guess.offers import (
    CHOICES,
    MINUTES,
    fits,
    offer_choice,
    offer_moment,
    offer_number,
    offer_pair,
    offer_person,
    offer_segment,
    offer_text,
    offer_time,
)

__all__ = ["FILL_IN", "Guess", "Guesses", "guess_columns"]

_Offering: TypeAlias = Callable[[Findings, str, Column, float], Offer | None]

_SURE = 0.85
_RIVAL = 0.15
_CLEARLY_BETTER = 0.35
_LONGEST_MEDIAN = 480  # minutes; longer spans are a ticket's life, not work
_FROM = frozenset({"von", "from", "du", "desde"})
_TO = frozenset({"bis", "to", "au", "hasta"})


def guess_columns(table: Table, given: Mapping[str, Column], arms: Mapping[str, str]) -> Guesses:
    """Guess what the columns of the cases mean.

    Columns are settled from the surest kind to the least sure, and each of theirs is used once.

    Args:
        table: The cases.
        given: Canonical columns that the user named, with theirs.
        arms: Values of the arm column that the user named, to ours.
    """
    f = Findings(table, given, arms)
    _settle(f, offer_moment, "started_at", "ended_at")
    _work_times(f)
    _settle(f, offer_arm, "arm")
    _settle(f, offer_choice, *CHOICES)
    _settle(f, offer_time, *MINUTES)
    find_key(f)
    _settle(f, offer_pair, "pair_id")
    _settle(f, offer_person, "worker")
    _first_and_last_name(f)
    _settle(f, offer_text, "version", "provider", "model")
    _settle(f, offer_number, "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    _settle(f, offer_number, "agent_cost", "amount", "confidence", "label_probability", "input_defects")
    _settle(f, offer_text, "cost_currency")
    _settle(f, offer_segment, "segment")
    _from_start_to_end(f)
    _currency(f)
    taken = {c.at for g in f.found.values() for c in g.sources}
    unused = tuple(c for c in table.columns if c.at not in taken and c.kind != "empty")
    marks = tuple(dict.fromkeys(m for g in f.found.values() for c in g.sources for m in c.marks))
    return Guesses(f.found, unused, marks)


def _settle(f: Findings, offering: _Offering, *columns: str) -> None:
    for column in columns:
        if column in f.given:
            offer = offering(f, column, f.given[column], 1.0)
            guess = offer.guess if offer is not None else Guess(column=column, sources=(f.given[column],))
            # Whoever names the column need not be told that the name does not say so.
            f.take(replace(guess, doubts=tuple(d for d in guess.doubts if d.startswith("its unit"))))
        elif column not in f.found:
            _settle_one(f, offering, column)


def _settle_one(f: Findings, offering: _Offering, column: str) -> None:
    offers = [
        offer
        for c in f.free()
        if (offer := offering(f, column, c, f.names[c.at].get(column, 0.0))) is not None
        and _is_claimed_best(f, column, c, offer.score)
    ]
    if not offers:
        return
    best = max(offers, key=lambda offer: offer.score)
    rivals = [o for o in offers if o is not best and o.score > best.score - _RIVAL]
    guess = best.guess
    if rivals:
        guess = guess.but(
            "could also be " + ", ".join(f"'{o.guess.sources[0].name.text}'" for o in rivals[:3])
        )
    if best.score < _SURE and guess.sure:
        guess = guess.but("the name does not say it clearly")
    f.take(guess)


def _is_claimed_best(f: Findings, column: str, c: Column, score: float) -> bool:
    """Whether no other canonical column has a clearly better claim on theirs by name."""
    others = [s for name, s in f.names[c.at].items() if name != column and fits(name, c)]
    return score >= max(others, default=0.0) - _CLEARLY_BETTER


_OF_AN_AGENT = {"calls", "tool_calls", "errors"}  # beside `roi import`'s times of traces


def _work_times(f: Findings) -> None:
    """The start and the end of the hands-on work itself."""
    if "handling_minutes" in f.given:
        return
    timed = [c for c in f.free() if c.kind == "time" and "handle" in c.name.concepts]
    starts = [c for c in timed if "start" in c.name.concepts or _FROM & set(folded(c.name.text).split())]
    ends = [c for c in timed if "end" in c.name.concepts or _TO & set(folded(c.name.text).split())]
    if len(starts) == 1 and len(ends) == 1 and starts != ends:
        f.take(_between(starts[0], ends[0]))
        f.found.setdefault("started_at", Guess(column="started_at", sources=(starts[0],)))


def _from_start_to_end(f: Findings) -> None:
    """Minutes from the start of a case to its end, where nothing says how long it was worked on."""
    start, end = f.found.get("started_at"), f.found.get("ended_at")
    if "handling_minutes" in f.found or start is None or end is None:
        return
    if {c.name.text for c in f.table.columns} >= _OF_AN_AGENT:
        return  # what ran from one time to the other was the agent: nobody's hands-on work
    begins, ends = start.sources[0], end.sources[0]
    median = f.table.con.execute(
        f"select median(date_diff('minute', try_cast({begins.at} as timestamp), try_cast({ends.at} as timestamp))) "
        f"from {f.table.name}"
    ).fetchall()[0][0]
    if median is None or 0 <= median <= _LONGEST_MEDIAN:
        doubt = "from one time to the other may be mostly waiting; only hands-on time counts"
        f.take(_between(begins, ends).but(doubt))


def _between(start: Column, end: Column) -> Guess:
    doubt = (
        "an end left open over lunch or overnight counts in full; lower the cap if work was never that long"
    )
    return Guess(column="handling_minutes", sources=(start, end), between=True, doubts=(doubt,))


def _first_and_last_name(f: Findings) -> None:
    if "worker" in f.found:
        return
    others = {"customer", "time", "model", "case", "token"}
    texts = [c for c in f.free() if c.kind == "text" and not others & c.name.concepts]
    first = [c for c in texts if "first_name" in c.name.concepts]
    last = [c for c in texts if "last_name" in c.name.concepts]
    if (
        len(first) == 1
        and len(last) == 1
        and first != last
        and 1 < f.table.keys((*first, *last)) <= 0.4 * f.table.rows
    ):
        doubt = "the names could be the customers'"
        f.take(Guess(column="worker", sources=(*first, *last), doubts=(doubt,)))


def _currency(f: Findings) -> None:
    cost = f.found.get("agent_cost")
    if cost is None or "cost_currency" in f.found:
        return
    named = cost.sources[0].name.currency
    if named is not None:
        f.take(Guess(column="cost_currency", constant=named))
    else:
        f.take(cost.but("its currency is not said; the pilot's own is taken"))
