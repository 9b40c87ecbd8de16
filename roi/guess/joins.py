"""Other exports of the same cases: which column names the case, and what they bring."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from roi.guess.guess import Guess
from roi.guess.look import Column, Table
from roi.guess.names import read_name, scores
from roi.guess.units import unit_of
from roi.readers.base import literal, quoted
from roi.schema.tables import MINUTE_COLUMNS

__all__ = ["JoinGuess", "guess_time", "guess_traces"]

_LEAST_SHARE = 0.2
_SURE = 0.85
_ROUNDED = ("round", "gerundet", "arrondi", "redond")
_COST_COLUMNS = ("agent_cost", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


@dataclass(frozen=True, kw_only=True)
class JoinGuess:
    """A further export and how it is joined.

    Attributes:
        table: It.
        key: Its column that names the case; None where none was found.
        key_doubts: Why the key is not certain.
        key_about: How many keys were found among the cases.
        columns: Canonical column → where it comes from.
        take: Canonical column → how several rows of one case become one value.
        query: One SELECT over its rows, where only some of them are meant.
    """

    table: Table
    key: Column | None
    key_doubts: tuple[str, ...] = ()
    key_about: str = ""
    columns: Mapping[str, Guess] = field(default_factory=dict)
    take: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


def guess_time(table: Table, case_keys: frozenset[str], *, wants_worker: bool = False) -> JoinGuess:
    """Where a time tracker's export holds the case and its hands-on time.

    Args:
        table: The export.
        case_keys: The cases' keys as the cases write them.
        wants_worker: Whether the cases do not say who worked them.
    """
    key, doubts, about = _key(table, case_keys)
    offers: list[tuple[float, Guess]] = []
    for c in table.columns:
        concepts = c.name.concepts
        if (
            c is key
            or c.kind not in ("number", "duration")
            or concepts & {"wait", "cost", "estimate", "amount"}
        ):
            continue
        named = scores(c.name).get("handling_minutes", 0.0)
        if not named and c.name.unit is None:
            continue
        unit, unsure = unit_of(c)
        if unit is None:
            continue
        score = max(named, 0.5) + (0.2 if c.kind == "duration" else 0.0) - 0.2 * len(unsure)
        if any(c.name.text.lower().count(word) for word in _ROUNDED):
            score -= 0.4
        guess = Guess(
            column="handling_minutes", sources=(c,), unit=None if unit == "minutes" else unit, doubts=unsure
        )
        offers.append((score, guess))
    columns: dict[str, Guess] = {}
    if offers:
        columns["handling_minutes"] = max(offers, key=lambda o: o[0])[1]
    else:
        times = [c for c in table.columns if c.kind == "time"]
        starts = [c for c in times if "start" in c.name.concepts]
        ends = [c for c in times if "end" in c.name.concepts]
        if len(starts) == 1 and len(ends) == 1:
            doubt = "a timer left running counts up to the cap"
            columns["handling_minutes"] = Guess(
                column="handling_minutes", sources=(starts[0], ends[0]), between=True, doubts=(doubt,)
            )
    if wants_worker and columns:
        people = [c for c in table.columns if c is not key and scores(c.name).get("worker", 0.0) >= _SURE]
        people = [c for c in people if c.kind == "text" and 1 < c.distinct <= 0.5 * c.filled]
        if len(people) == 1:
            doubt = "of several people the first counts"
            columns["worker"] = Guess(column="worker", sources=(people[0],), doubts=(doubt,))
    take = {name: "sum" if name == "handling_minutes" else "first" for name in columns}
    whole = JoinGuess(table=table, key=key, key_doubts=doubts, key_about=about, columns=columns, take=take)
    activity = next((c for c in table.columns if c is not key and _activities(c)), None)
    if activity is None or "handling_minutes" not in columns:
        return whole
    return _by_activity(whole, activity)


def _activities(column: Column) -> dict[str, str] | None:
    """Their activity → which minutes it means, where a column tells handling from review or rework."""
    if column.kind != "text" or not 1 < column.distinct <= 12:
        return None
    found: dict[str, str] = {}
    for value in column.values:
        spoken = read_name(value).concepts & {"handle", "review", "rework"}
        # Rework is handling, too, by its word (`Nachbearbeitung`).
        kind = next((k for k in ("rework", "review", "handle") if k in spoken), None)
        if kind is None:
            return None
        found[value] = f"{'handling' if kind == 'handle' else kind}_minutes"
    return found if len(set(found.values())) > 1 else None


def _by_activity(whole: JoinGuess, activity: Column) -> JoinGuess:
    """The same with the time of each kind of activity in columns of its own, made by a query."""
    kinds = _activities(activity) or {}
    minutes = whole.columns["handling_minutes"]
    columns = {n: g for n, g in whole.columns.items() if n != "handling_minutes"}
    made: list[str] = []
    for ours in MINUTE_COLUMNS:
        theirs = sorted(v for v, kind in kinds.items() if kind == ours)
        if not theirs:
            continue
        condition = f"{quoted(activity.name.text)} in ({', '.join(literal(v) for v in theirs)})"
        sources = list(minutes.sources)
        last = sources[-1]
        name = f"{last.name.text} ({ours.removesuffix('_minutes')})"
        # Entries of another kind count nothing: no minutes, or an end that is the start.
        nothing = (
            quoted(sources[0].name.text)
            if minutes.between
            else "'PT0S'"
            if minutes.unit == "duration"
            else "'0'"
        )
        made.append(
            f"case when {condition} then {quoted(last.name.text)} else {nothing} end as {quoted(name)}"
        )
        sources[-1] = replace(last, name=replace(last.name, text=name))
        told = ", ".join(f"'{v}'" for v in theirs)
        doubt = f"entries whose '{activity.name.text}' is {told}"
        columns[ours] = replace(minutes, column=ours, sources=tuple(sources)).but(doubt)
    take = {n: "sum" if n in MINUTE_COLUMNS else "first" for n in columns}
    return replace(whole, columns=columns, take=take, query=f"select *, {', '.join(made)} from source")


def guess_traces(table: Table, case_keys: frozenset[str]) -> JoinGuess:
    """Where an export of the agent's calls holds the case and what it cost.

    Args:
        table: The export, one row a call or a trace.
        case_keys: The cases' keys as the cases write them.
    """
    key, doubts, about = _key(table, case_keys)
    found: dict[str, Guess] = {}
    for column in (*_COST_COLUMNS, "model", "provider", "cost_currency"):
        offers = [
            (named, c)
            for c in table.columns
            if c is not key
            and (named := scores(c.name).get(column, 0.0))
            and c.kind != "empty"
            and _holds(column, c)
        ]
        if offers:
            score, best = max(offers, key=lambda o: o[0])
            guess = Guess(column=column, sources=(best,))
            found[column] = guess if score >= _SURE else guess.but("the name does not say it clearly")
    if "agent_cost" in found:
        found = {name: g for name, g in found.items() if name in ("agent_cost", "cost_currency")}
        currency = found["agent_cost"].sources[0].name.currency
        if "cost_currency" not in found and currency is not None:
            found["cost_currency"] = Guess(column="cost_currency", constant=currency)
        elif "cost_currency" not in found:
            found["agent_cost"] = found["agent_cost"].but(
                "its currency is not said; the pilot's own is taken"
            )
    elif not {"input_tokens", "output_tokens", "model"} <= set(found):
        found = {}
    else:
        found.pop("cost_currency", None)
    take = {name: "sum" if name in _COST_COLUMNS else "first" for name in found}
    return JoinGuess(table=table, key=key, key_doubts=doubts, key_about=about, columns=found, take=take)


def _holds(column: str, c: Column) -> bool:
    if column in _COST_COLUMNS:
        return c.kind == "number"
    return c.kind == "text" and (column != "cost_currency" or all(len(v) == 3 for v in c.values))


def _key(table: Table, case_keys: frozenset[str]) -> tuple[Column | None, tuple[str, ...], str]:
    """The column whose values are the cases' keys, as they are written or by their number."""
    if not case_keys:
        return None, (), ""
    numbers = _by_number(case_keys)
    best: tuple[float, bool, Column] | None = None
    for c in table.columns:
        if c.kind in ("time", "duration", "empty") or not c.values:
            continue
        exact = sum(v in case_keys for v in c.values) / len(c.values)
        loose = 0.0
        if numbers is not None:
            theirs = [_number(v) for v in c.values]
            loose = sum(n in numbers for n in theirs if n) / len(theirs)
            if len({n for n in theirs if n}) < 0.99 * len([n for n in theirs if n]):
                loose = 0.0  # different keys would become one
        # Numbers of any kind may happen to be among the cases', so that only names of a case are trusted there.
        if loose and scores(c.name).get("case_id", 0.0) < 0.6 and c.kind == "number":
            loose = 0.0
        share, by_number = (exact, False) if exact >= loose * 0.98 else (loose, True)
        rank = share + 0.05 * scores(c.name).get("case_id", 0.0)
        if share >= _LEAST_SHARE and (best is None or rank > best[0]):
            best = (rank, by_number, c)
    if best is None:
        return None, (), ""
    _, by_number, column = best
    hits = (
        sum(_number(v) in numbers for v in column.values)
        if by_number and numbers
        else sum(v in case_keys for v in column.values)
    )
    about = f"{hits:,} of {len(column.values):,} keys looked at are cases"
    doubts: tuple[str, ...] = ()
    if by_number:
        doubts = ("keys are written in another form than the cases' and match by their number",)
    elif hits < 0.9 * len(column.values):
        doubts = ("not all of its keys are cases",)
    return column, doubts, about


def _number(key: str) -> str:
    """The last number in a key without leading zeros: 1042 for `#1042`, `CLM-01042`."""
    found = re.findall(r"\d+", key)
    return found[-1].lstrip("0") or "0" if found else ""


def _by_number(keys: frozenset[str]) -> frozenset[str] | None:
    numbers = [_number(k) for k in keys]
    return frozenset(numbers) if all(numbers) and len(set(numbers)) == len(numbers) else None
