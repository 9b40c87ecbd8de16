"""What happened after a decision: rows of `actuals` settled into months that count and months that do not.

`cases` are all cases of the workflow; `human_minutes`, `errors` and `cost` are sums over the `adopted_cases`, which the
agent worked. A month that is not there is missing and not 0; a month of 0 cases is a month.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from roi.actual_rows import NUMBERS, PLACE, ActualRow
from roi.parameters import Parameters
from roi.problems import Problem, SampleError
from roi.words import and_list, month_of, plural

__all__ = [
    "Actuals",
    "Month",
    "Rates",
    "faults_of",
    "in_words",
    "month_name",
    "month_number",
    "rates_of",
    "settle",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month that counts: sums over its segments, money in the forecast's currency; None where not reported.

    Attributes:
        month: Such as 2027-02.
        number: Month of the plan, from 1.
        cases: Cases of the workflow.
        adopted_cases: Cases that the agent worked.
        human_minutes: Human minutes of these.
        errors: How many of these went wrong.
        cost: What the agent cost.
        cash_released: Cash that was released.
    """

    month: str
    number: int
    cases: float | None
    adopted_cases: float | None
    human_minutes: float | None
    errors: float | None
    cost: float | None
    cash_released: float | None

    @property
    def shows_nothing(self) -> bool:
        """Whether it says nothing that a forecast could be held against: neither cases nor cash."""
        return self.cases is None and self.adopted_cases is None and self.cash_released is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuals:
    """Months after a decision.

    Attributes:
        months: Those that count, in order.
        left_out: Month and why it does not count.
        missing: Months of the plan up to the last one reported, or over by the day asked about, without a row.
        restated: Month, segment, and the rows that gave it: the one that counts last.
        by_segment: Whether only the segments that the decision covers are counted.
        notes: What a reader should know, a sentence each.
    """

    months: tuple[Month, ...]
    left_out: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    restated: tuple[tuple[str, str | None, tuple[int, ...]], ...]
    by_segment: bool
    notes: tuple[str, ...]


class Rates(dict[str, float]):
    """Units of the forecast's currency by another currency; a currency that is not there has no stated rate."""


def month_number(start: tuple[int, int], month: dt.date) -> int:
    """Month of a plan that begins in `start`, from 1."""
    return (month.year - start[0]) * 12 + month.month - start[1] + 1


def month_name(start: tuple[int, int], month: int) -> str:
    """The calendar month of a month of the plan, such as 2027-02."""
    whole = start[0] * 12 + start[1] - 1 + month - 1
    return f"{whole // 12:04d}-{whole % 12 + 1:02d}"


def rates_of(parameters: Parameters, currency: str) -> Rates:
    """What one unit of each currency that the parameters know is in the forecast's, at the middle of what is stated.

    Args:
        parameters: Those of today; their currency may be another one than that of the decision.
        currency: The forecast's.
    """
    own, stated = parameters.about.currency, parameters.economics.fx
    rates = {own: 1.0} | {code: float(rate.mean) for code, rate in stated.items()}
    if currency not in rates:
        return Rates({currency: 1.0})
    return Rates({code: 1.0 if code == currency else rate / rates[currency] for code, rate in rates.items()})


def faults_of(
    rows: Sequence[ActualRow], *, currency: str, rates: Mapping[str, float], file: str = ""
) -> list[Problem]:
    """Everything that must be mended before rows can be held against a forecast; arguments as those of `settle`."""
    rates = {currency: 1.0} | dict(rates)
    problems = [p for row in rows for p in _contradictions(row, file)]
    problems += _unpriced(rows, rates, currency, file)
    bare = [row for row in rows if row.segment is None]
    if bare and len(bare) < len(rows):
        message = (
            f"{plural(len(bare), 'row')} without a segment beside rows with one (first: row {bare[0].row}); they would "
            "count twice: name the segment in every row, or in none"
        )
        problems.append(Problem(file, f"{PLACE}.segment", message))
    return problems


def settle(
    rows: Sequence[ActualRow],
    *,
    start: tuple[int, int],
    horizon: int,
    currency: str,
    rates: Mapping[str, float],
    segments: Sequence[str] | None = None,
    today: dt.date | None = None,
    file: str = "",
) -> Actuals:
    """Settle rows into months.

    Args:
        rows: Of the table.
        start: Year and month of the plan's month 1.
        horizon: Months of the plan.
        currency: The forecast's.
        rates: Units of it by currency.
        segments: What the decision covers; None for everything.
        today: Months that are not over by this day do not count; None asks only the rows.
        file: The parameter file, for messages.

    Raises:
        SampleError: With everything that must be mended: counts that contradict each other, a month with and without
            segments, money in a currency that nobody priced.
    """
    rates = {currency: 1.0} | dict(rates)
    if problems := faults_of(rows, currency=currency, rates=rates, file=file):
        raise SampleError(problems)
    by_segment = any(row.segment is not None for row in rows)
    notes: list[str] = []
    if by_segment and segments is not None:
        rows, note = _covered(rows, segments)
        notes += note
    kept, restated = _restated(rows)
    wanted = {row.segment for row in kept}
    months: list[Month] = []
    left: list[tuple[str, str]] = []
    for month in sorted({row.month for row in kept}):
        name, of_month = f"{month:%Y-%m}", [row for row in kept if row.month == month]
        why = _why_left_out(of_month, wanted, month_number(start, month), horizon, today)
        found = _month(of_month, name, month_number(start, month), rates) if why is None else None
        if found is not None and found.shows_nothing:
            why = _blank(of_month)
        if why is not None:
            left.append((name, why))
        elif found is not None:
            months.append(found)
    return Actuals(
        months=tuple(months),
        left_out=tuple(left),
        missing=_missing(kept, start, horizon, today),
        restated=tuple(restated),
        by_segment=by_segment,
        notes=tuple(notes),
    )


def _contradictions(row: ActualRow, file: str) -> Iterable[Problem]:
    n, where = row.numbers, f"row {row.row} ({row.month:%Y-%m})"
    cases, adopted = n["cases"], n["adopted_cases"]
    if cases is not None and adopted is not None and adopted > cases:
        message = (
            f"{adopted:,.0f} of {cases:,.0f} cases in {where}; `cases` are all cases of the workflow, and the agent "
            "cannot have worked more: correct one of the two"
        )
        yield Problem(file, f"{PLACE}.adopted_cases", message)
    for name in ("human_minutes", "errors"):
        value = n[name]
        if value is None or adopted is None:
            continue
        if value > 0 and adopted == 0:
            message = f"above 0 without a case that the agent worked in {where}; `{name}` is of the adopted cases alone"
            yield Problem(file, f"{PLACE}.{name}", message)
        elif name == "errors" and value > adopted:
            message = f"{value:,.0f} of {adopted:,.0f} adopted cases in {where}; count cases that went wrong, each once"
            yield Problem(file, f"{PLACE}.errors", message)


def _unpriced(
    rows: Sequence[ActualRow], rates: Mapping[str, float], currency: str, file: str
) -> Iterable[Problem]:
    money = [
        (code, row)
        for row in rows
        for code, column in ((row.currency, "cost"), (row.own, "cash_released"))
        if row.numbers[column] is not None
    ]
    for code in sorted({code for code, _ in money} - set(rates)):
        first = next(row for own, row in money if own == code)
        message = (
            f"{code} from row {first.row} ({first.month:%Y-%m}) on, where the decision is in {currency}; state "
            f"what one is worth under economics.fx ({code}; {currency} if about.currency changed), or convert them"
        )
        yield Problem(file, f"{PLACE}.cost_currency", message)


def _covered(rows: Sequence[ActualRow], segments: Sequence[str]) -> tuple[list[ActualRow], list[str]]:
    inside = [row for row in rows if row.segment in segments]
    others = sorted({str(row.segment) for row in rows} - set(segments))
    if not others:
        return inside, []
    adopted = sum(row.numbers["adopted_cases"] or 0.0 for row in rows if row.segment in others)
    worked = f", in which the agent worked {adopted:,.0f} cases all the same" if adopted else ""
    return inside, [f"Left out: {and_list(others)}, which the decision does not cover{worked}."]


def _restated(
    rows: Sequence[ActualRow],
) -> tuple[list[ActualRow], list[tuple[str, str | None, tuple[int, ...]]]]:
    """Of each month and segment the row that counts: a complete one before one that is not, then the later one."""
    by_key: dict[tuple[dt.date, str | None], list[ActualRow]] = {}
    for row in rows:
        by_key.setdefault((row.month, row.segment), []).append(row)
    kept, restated = [], []
    for (month, segment), same in by_key.items():
        ordered = sorted(same, key=lambda r: (r.complete is not False, r.row))
        kept.append(ordered[-1])
        if len(same) > 1:
            restated.append((f"{month:%Y-%m}", segment, tuple(r.row for r in ordered)))
    return kept, restated


def _why_left_out(
    rows: Sequence[ActualRow],
    wanted: set[str | None],
    number: int,
    horizon: int,
    today: dt.date | None,
) -> str | None:
    if number < 1:
        return "before the roll-out that was decided"
    if number > horizon:
        return f"after the {horizon} months of the plan"
    if any(row.complete is False for row in rows):
        return "not complete yet"
    month = rows[0].month
    if today is not None and today < _next(month):
        return "not over yet"
    absent = sorted(str(s) for s in wanted - {row.segment for row in rows})
    mend = "; give a row of 0 cases and 0 adopted_cases where it had not begun" if absent else ""
    return f"no row of {and_list(absent)} yet{mend}" if absent else None


def _blank(rows: Sequence[ActualRow]) -> str:
    """Why a month without a usable number does not count."""
    if all(value is None for row in rows for value in row.numbers.values()):
        return "all its numbers are blank, so it shows nothing"
    if len(rows) > 1:
        return "neither cases nor cash are reported of all its segments, so it shows nothing"
    return "it reports neither cases nor cash, without which its other numbers show nothing"


def _next(month: dt.date) -> dt.date:
    return dt.date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _missing(
    rows: Sequence[ActualRow], start: tuple[int, int], horizon: int, today: dt.date | None
) -> tuple[str, ...]:
    if not rows:
        return ()
    there = {row.month for row in rows}
    month, found = dt.date(start[0], start[1], 1), []
    for _ in range(horizon):
        due = month < max(there) or (today is not None and _next(month) <= today)
        if due and month not in there:
            found.append(f"{month:%Y-%m}")
        month = _next(month)
    return tuple(found)


def _month(rows: Sequence[ActualRow], name: str, number: int, rates: Mapping[str, float]) -> Month:
    def total(column: str) -> float | None:
        values = []
        for row in rows:
            rate = {"cost": row.currency, "cash_released": row.own}.get(column)
            value = row.numbers[column]
            values.append(value if value is None or rate is None else value * rates[rate])
        known = [x for x in values if x is not None]
        return sum(known) if len(known) == len(values) else None

    found = {column: total(column) for column in NUMBERS}
    if found["cases"] == 0 and found["adopted_cases"] is None:
        found["adopted_cases"] = 0.0
    return Month(month=name, number=number, **found)


def in_words(found: Actuals) -> list[str]:
    """What was made of the rows: months left out, missing and given more than once, a sentence each."""
    said = [f"{month_of(month)} is left out: {why}." for month, why in found.left_out]
    if found.missing:
        names = and_list(month_of(m) for m in found.missing)
        be = "is" if len(found.missing) == 1 else "are"
        said.append(f"{names} {be} not reported: missing, and not counted as 0.")
    for month, segment, rows in found.restated:
        of = f" of {segment}" if segment is not None else ""
        said.append(
            f"{month_of(month)}{of} is given {len(rows)} times (rows "
            f"{and_list(str(r) for r in sorted(rows))}): row {rows[-1]} counts."
        )
    return [*said, *found.notes]
