"""The unit of a column of times: from its name, and from how large its numbers are."""

from __future__ import annotations

from roi.guess.look import Column

__all__ = ["unit_of"]


def unit_of(column: Column) -> tuple[str | None, tuple[str, ...]]:
    """The unit of a column of hands-on times.

    Args:
        column: Theirs, of numbers or durations.

    Returns:
        The unit (None where its numbers can be no time of one case) and the doubts about it. A unit that only the
        numbers suggest is always doubtful.
    """
    if column.kind == "duration":
        return "duration", ()
    named = column.name.unit
    numbers = column.numbers
    if not numbers or numbers[0] < 0:
        return None, ()
    middle = numbers[len(numbers) // 2]
    whole = all(n == int(n) for n in numbers)
    if named == "duration":
        return "minutes", ("its unit: the name speaks of hh:mm:ss, but these are plain numbers",)
    if named is not None:
        per_minute = {"milliseconds": 60_000, "seconds": 60, "minutes": 1, "hours": 1 / 60, "days": 1 / 1440}[
            named
        ]
        minutes = middle / per_minute
        if not 0.02 <= minutes <= 480:
            return named, (f"its unit: the middle value would be {minutes:,.3g} minutes of work on one case",)
        return named, ()
    if whole and middle >= 60_000:
        return "milliseconds", ("its unit: only the size of the numbers suggests milliseconds",)
    if whole and middle >= 45:
        return "seconds", ("its unit: only the size of the numbers suggests seconds",)
    if not whole and middle < 0.75:
        return "hours", ("its unit: only the size of the numbers suggests hours",)
    return "minutes", ("its unit: only the size of the numbers suggests minutes",)
