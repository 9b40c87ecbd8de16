"""Times of exports as microseconds since 1970, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

__all__ = ["EARLIEST", "LATEST", "from_iso", "from_isos", "from_number", "to_iso"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PLAIN_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)
EARLIEST = -2_208_988_800_000_000  # 1900-01-01
LATEST = 4_102_444_800_000_000  # 2100-01-01: later times are another unit or a mistake
_read = dt.datetime.fromisoformat


def from_iso(value: Any) -> int | None:
    """A time as ISO 8601 writes it; one without an offset is UTC, one outside of 1900 to 2100 is none."""
    if isinstance(value, str):
        try:
            time = _read(value)
        except ValueError:
            try:
                time = _read(value.strip().removesuffix(" UTC"))
            except ValueError:
                return None
    elif isinstance(value, dt.datetime):
        time = value
    else:
        return None
    since = time - _PLAIN_EPOCH if time.tzinfo is None else time - _EPOCH
    number: int = since // _MICROSECOND
    return number if EARLIEST < number < LATEST else None


def from_isos(values: Sequence[Any]) -> Sequence[int | None]:
    """A column of times, each as `from_iso` reads it; most columns hold plain ones with an offset."""
    try:
        numbers = [(time - _EPOCH) // _MICROSECOND for time in map(_read, values)]
    except (TypeError, ValueError):
        return list(map(from_iso, values))
    if min(numbers) > EARLIEST and max(numbers) < LATEST:
        return numbers
    return [n if EARLIEST < n < LATEST else None for n in numbers]


def from_number(value: Any, *, per_second: int) -> int | None:
    """A time as a number of seconds, or of parts of them, since 1970; 0 and below is no time.

    Args:
        value: A number, or one as a text.
        per_second: Units a second: 1, 1,000 (milliseconds), 1,000,000,000 (nanoseconds).
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        # Nanoseconds have more digits than a float holds.
        whole = isinstance(value, int) or (isinstance(value, str) and value.strip().isdecimal())
        number = int(value) * 1_000_000 // per_second if whole else int(float(value) * 1_000_000 / per_second)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < LATEST else None


def to_iso(microseconds: int | None) -> str | None:
    """A time as text in UTC."""
    if microseconds is None:
        return None
    minute = _minute(microseconds // 60_000_000)
    if minute is None:
        return None
    rest = microseconds % 60_000_000
    return f"{minute}:{rest // 1_000_000:02d}.{rest % 1_000_000:06d}Z"


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str | None:
    """The minute as text: spans of a while share theirs."""
    try:
        return (_PLAIN_EPOCH + dt.timedelta(minutes=minutes)).isoformat(timespec="minutes")
    except OverflowError:
        return None
