"""Units of time that a name of a column states: `talk_sec` read as minutes makes each case sixty times as long."""

from __future__ import annotations

import re

__all__ = ["unit_in_name"]

_WORDS = {
    "milliseconds": "ms msec msecs millis millisecond milliseconds millisekunden millisecondes milisegundos",
    "seconds": "sec secs seconds sek sekunde sekunden secondes segundos secondi",
    "hours": "hrs hours stunden heures horas",
    "days": "days tage jours",
}
_LAST = {"s": "seconds", "h": "hours", "hr": "hours", "std": "hours", "d": "days"}
_MINUTES = frozenset(["m", "min", "mins", "minute", "minutes", "minuten", "minuti", "minutos", "mn"])
_OF = {word: unit for unit, words in _WORDS.items() for word in words.split()}


def unit_in_name(name: str) -> str | None:
    """The unit other than minutes that a column's name states; None where it states minutes, several or none.

    Short ones count at the end alone ("handle_s", "Dauer (h)"), and a "second review" is no review in seconds.

    >>> [unit_in_name(x) for x in ("talk_sec", "Arbeitszeit (Std.)", "handleMs", "Handling time", "sec or min")]
    ['seconds', 'hours', 'milliseconds', None, None]
    """
    words = [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-zà-ÿ]+", name)]
    if _MINUTES & set(words):
        return None
    found = {_OF[w] for w in words if w in _OF}
    if len(words) > 1 and words[-1] in _LAST:
        found.add(_LAST[words[-1]])
    return found.pop() if len(found) == 1 else None
