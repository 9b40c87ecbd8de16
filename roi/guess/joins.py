"""Other exports of the same cases: which column names the case, and what they bring."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from roi.guess.guess import Guess
from roi.guess.look import Column, Table
from roi.guess.names import scores
from roi.guess.units import unit_of

__all__ = ["JoinGuess", "guess_time", "guess_traces"]

_LEAST_SHARE = 0.2
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
    """

    table: Table
    key: Column | None
    key_doubts: tuple[str, ...] = ()
    key_about: str = ""
    columns: Mapping[str, Guess] = field(default_factory=dict)
    take: Mapping[str, str] = field(default_factory=dict)


def guess_time(table: Table, case_keys: frozenset[str]) -> JoinGuess:
    """Where a time tracker's export holds the case and its hands-on time.

    Args:
        table: The export.
        case_keys: The cases' keys as the cases write them.
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
    kinds = [c for c in table.columns if c is not key and {"review", "rework"} & _speaks_of(c)]
    if kinds and "handling_minutes" in columns:
        columns["handling_minutes"] = columns["handling_minutes"].but(
            f"'{kinds[0].name.text}' tells apart what the time went into; take review and rework with query: instead"
        )
    take = {"handling_minutes": "sum"} if columns else {}
    return JoinGuess(table=table, key=key, key_doubts=doubts, key_about=about, columns=columns, take=take)


def _speaks_of(column: Column) -> frozenset[str]:
    """What a column with few texts speaks of in its values, such as the activity of a time entry."""
    from roi.guess.names import read_name

    if column.kind != "text" or not 1 < column.distinct <= 12:
        return frozenset()
    return frozenset(c for v in column.values for c in read_name(v).concepts)


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
            found[column] = guess if score >= 0.85 else guess.but("the name does not say it clearly")
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
