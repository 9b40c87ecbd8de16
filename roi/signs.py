"""What is gained or lost, saved or lost, as sentences say it: nobody saves "−244 hours" or is worth "−5 more"."""

from __future__ import annotations

from collections.abc import Callable

from roi.words import NBSP, UNKNOWN, amount, finite, minutes, number, percent

__all__ = [
    "against_stopping",
    "becomes",
    "brings",
    "gained",
    "hours",
    "hours_ends",
    "hours_range",
    "hours_told",
    "minutes_ends",
    "points_ends",
    "saved_minutes",
]


def brings(mean: object, currency: str, *, would: bool = False) -> str:
    """What something comes to: "brings EUR 357,000", "loses EUR 1,500", with `would` "would lose EUR 1,500"."""
    value = finite(mean)
    if value is None:
        return f"is worth an amount that is {UNKNOWN}"
    size = amount(abs(value), currency)
    if size == f"{currency}{NBSP}0":
        return "would bring nothing" if would else "brings nothing"
    if would:
        return f"would {'bring' if value > 0 else 'lose'} {size}"
    return f"{'brings' if value > 0 else 'loses'} {size}"


def against_stopping(mean: object, currency: str) -> str:
    """A worth beside stopping: "EUR 357,000 more than stopping now", "EUR 139,000 less than stopping now"."""
    value = finite(mean)
    if value is None:
        return f"an amount that is {UNKNOWN}"
    size = amount(abs(value), currency)
    if size == f"{currency}{NBSP}0":
        return "as much as stopping now"
    return f"{size} {'more' if value > 0 else 'less'} than stopping now"


def hours_told(mean: object) -> str:
    """What becomes of hours: "saves 32.0 hours", "costs 244 hours more than before"."""
    value = finite(mean) or 0.0
    if abs(value) < 1e-9:
        return "saves no hours"
    size = number(abs(value))
    return f"saves {size} hours" if value > 0 else f"costs {size} hours more than before"


def hours(mean: object) -> str:
    """Hours saved as a figure: "32.0 hours"; below nothing they are lost: "244 hours lost"."""
    value = finite(mean)
    if value is None:
        return UNKNOWN
    return f"{number(abs(value))} hours{' lost' if value < 0 else ''}"


def hours_range(low: object, high: object) -> str:
    """The range beside it: "8 in 10 outcomes: 182 lost to 241 saved"."""
    found = hours_ends(low, high)
    return f"8 in 10 outcomes: {found}" if found else ""


def hours_ends(low: object, high: object) -> str:
    """Two ends of hours saved: "607 lost to 107 saved"."""
    return _ends(low, high, number, " lost", " saved")[0]


def saved_minutes(mean: object) -> str:
    """What a case takes beside before: "1.95 minutes less", "2.76 minutes more"."""
    value = finite(mean)
    if value is None:
        return UNKNOWN
    return f"{minutes(abs(value))} minutes {'less' if value >= 0 else 'more'}"


def minutes_ends(low: object, high: object) -> str:
    """Two ends of minutes saved, told as what a case takes: "15.36 more to 17.85 less", "2.45 to 4.35 less"."""
    found, way = _ends(low, high, minutes, " more", " less")
    return f"{found}{way}" if found else UNKNOWN


def points_ends(low: object, high: object) -> str:
    """Two ends of a share of cases that are spared an error: "0.19 points more to 2.2 points fewer"."""
    found, way = _ends(low, high, _points, " more", " fewer")
    return f"{found}{way}"


def _points(share: object) -> str:
    return f"{percent(share).removesuffix('%').rstrip(NBSP)} points"


def gained(mean: object, currency: str, *, gain: str, loss: str) -> str:
    """What a part of a worth comes to, a loss without its sign: "saved time brings EUR 5", "lost time costs EUR 5"."""
    value = finite(mean) or 0.0
    return f"{gain if value >= 0 else loss} {amount(abs(value), currency)}"


def _ends(
    low: object, high: object, said: Callable[[object], str], below: str, above: str
) -> tuple[str, str]:
    """Two ends without a sign, each with its way where these differ; else the way that both have in common."""
    a, b = finite(low), finite(high)
    if a is None or b is None:
        return "", ""
    if a < 0 < b:
        return f"{said(-a)}{below} to {said(b)}{above}", ""
    small, large = sorted((abs(a), abs(b)))
    return f"{said(small)} to {said(large)}", below if b <= 0 else above


def becomes(cash: object, work: object, currency: str) -> str:
    """What becomes of saved time, in cash and in other work; time that is lost is paid for."""
    a, b = finite(cash), finite(work)
    money, other = (UNKNOWN if x is None else amount(abs(x), currency) for x in (a, b))
    if b is not None and b < 0:
        worked = f"{other} a year of other work is no longer done"
    else:
        worked = f"work worth {other} a year goes elsewhere"
    if a is not None and a < 0:
        return f"in cash, lost time costs {money} a year more than saved time releases, and {worked}"
    return f"{money} a year becomes cash, and {worked}"
