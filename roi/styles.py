"""How the columns of an export write decimals and dates, settled from all of their values or refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from zoneinfo import ZoneInfo

from roi.casts import DateStyle, DecimalStyle
from roi.dress import GAPS
from roi.readers.base import Connection, literal

__all__ = ["clock_shifts", "date_styles", "decimal_styles", "doubtful_numbers"]

# A mark followed by other than three digits, or after a grouping, can only be a decimal mark.
_DOT = (
    rf"[+-]?(\d{{1,3}}([{GAPS},'’]\d{{3}})+\.\d*|\d*\.(\d{{1,2}}|\d{{4,}})|0\.\d+|\d{{4,}}\.\d+|\d{{1,3}}(,\d{{3}}){{2,}}|"
    r"\d+\.\d+[eE].*)"
)
_COMMA = (
    rf"[+-]?(\d{{1,3}}([{GAPS}.'’]\d{{3}})+,\d*|\d*,(\d{{1,2}}|\d{{4,}})|0,\d+|\d{{4,}},\d+|"
    r"\d{1,3}(\.\d{3}){2,})"
)
_SPACED = rf"[+-]?\d{{1,3}}([{GAPS}'’]\d{{3}})+"
_EITHER = r"[+-]?[1-9]\d{0,2},\d{3}"

_SLASHED = r"^(\d{1,2})[/-](\d{1,2})[/-]\d{4}"
_DOTTED = r"^\d{1,2}\.\d{1,2}\.\d{4}"


def decimal_styles(
    con: Connection, texts: str, columns: Mapping[str, str]
) -> tuple[Mapping[str, DecimalStyle], Mapping[str, str]]:
    """Settle the decimal mark of each column.

    A column that says it itself is read so. One that does not (`1,234` only) is read as the other columns of the table
    are, if they agree, and refused if they do not say either.

    Args:
        con: The engine.
        texts: SELECT of the cleaned texts.
        columns: Canonical column → its name in `texts`.

    Returns:
        The style of each column, and for those that cannot be settled why.
    """
    if not columns:
        return {}, {}
    parts = []
    for text in columns.values():
        for pattern in (_DOT, _COMMA, _SPACED, _EITHER):
            parts.append(f"count(*) filter (regexp_full_match({text}, {literal(pattern)}))")
    counts = con.execute(f"select {', '.join(parts)} from ({texts})").fetchall()[0]
    seen = {name: counts[4 * i : 4 * i + 4] for i, name in enumerate(columns)}
    dots = any(dot for dot, _, _, _ in seen.values())
    commas = any(comma for _, comma, _, _ in seen.values())
    styles: dict[str, DecimalStyle] = {}
    unsettled: dict[str, str] = {}
    for name, (dot, comma, spaced, either) in seen.items():
        if dot and comma:
            unsettled[name] = f"{dot:,} values have a decimal point and {comma:,} a decimal comma"
        elif comma or (commas and not dots):
            styles[name] = "comma"
        elif dot or (dots and not commas):
            styles[name] = "dot"
        elif either:
            unsettled[name] = f"{either:,} values may have a decimal comma or a comma between thousands"
        elif spaced:
            styles[name] = "dot"
    return styles, unsettled


def doubtful_numbers(
    con: Connection, texts: str, columns: Mapping[str, tuple[str, DecimalStyle]]
) -> tuple[str, ...]:
    """Numbers such as `1,234` that are read as thousands beside decimals, though no other number shows thousands.

    Args:
        con: The engine.
        texts: SELECT of the cleaned texts.
        columns: Canonical column → its name in `texts` and how it was settled.

    Returns:
        A sentence for each column that holds such numbers.
    """
    said = []
    for name, (text, style) in columns.items():
        if style == "plain":
            continue
        mark, other = (".", ",") if style == "dot" else (",", ".")
        either = rf"[+-]?[1-9]\d{{0,2}}\{other}\d{{3}}"
        grouped = rf"[+-]?\d{{1,3}}([{GAPS}'’{other}]\d{{3}})+\{mark}\d*"
        grouped += rf"|[+-]?\d{{1,3}}(\{other}\d{{3}}){{2,}}"
        decimal = rf"[+-]?\d*\{mark}\d+"
        n, first, shown, sure, decimals = con.execute(
            f"select count(*) filter (e), min(r) filter (e), arg_min(t, r) filter (e), "
            f"count(*) filter (regexp_full_match(t, {literal(grouped)})), "
            f"count(*) filter (regexp_full_match(t, {literal(decimal)})) "
            f"from (select t, row_number() over () as r, regexp_full_match(t, {literal(either)}) as e "
            f"from (select {text} as t from ({texts})))"
        ).fetchall()[0]
        if n and decimals and not sure:
            what, sign = ("comma", "point") if style == "dot" else ("point", "comma")
            many = "1 value has" if n == 1 else f"{n:,} values have"
            it = "it is" if n == 1 else "they are"
            said.append(
                f"{name}: {many} a {what} before three digits among numbers with a decimal {sign} "
                f"(first: row {first:,}, "
                f"read as {shown.replace(other, '')}; if {it} meant as decimals, write the decimal {sign})"
            )
    return tuple(said)


def date_styles(
    con: Connection, texts: str, columns: Sequence[str]
) -> tuple[Mapping[str, DateStyle], Mapping[str, str]]:
    """Settle the order of day and month of each column that is not ISO.

    Points put the day first; with slashes or dashes a number above 12 tells.

    Args:
        con: The engine.
        texts: SELECT of the cleaned texts.
        columns: Names in `texts`.

    Returns:
        The style of each column, and for those that cannot be settled why.
    """
    if not columns:
        return {}, {}
    parts = []
    for text in columns:
        one = f"try_cast(regexp_extract({text}, '{_SLASHED}', 1) as integer)"
        two = f"try_cast(regexp_extract({text}, '{_SLASHED}', 2) as integer)"
        parts += [
            f"count(*) filter (regexp_matches({text}, '{_SLASHED}'))",
            f"count(*) filter ({one} > 12)",
            f"count(*) filter ({two} > 12)",
            f"count(*) filter (regexp_matches({text}, '{_DOTTED}'))",
            f"count(*) filter (regexp_matches({text}, '^(\\w{{3,9}},? )?(\\d{{1,2}}[ -])?[A-Za-z]{{3,9}}[ -]'))",
        ]
    counts = con.execute(f"select {', '.join(parts)} from ({texts})").fetchall()[0]
    styles: dict[str, DateStyle] = {}
    unsettled: dict[str, str] = {}
    for i, text in enumerate(columns):
        slashed, first, second, dotted, named = counts[5 * i : 5 * i + 5]
        if first and second:
            unsettled[text] = f"{first:,} values have the day first and {second:,} the month"
        elif slashed and not first and not second:
            unsettled[text] = f"{slashed:,} values may have the day or the month first (03/04/2026)"
        elif second and dotted:
            unsettled[text] = f"{dotted:,} values have the day first and {second:,} the month"
        elif second:
            styles[text] = "month_first"
        elif slashed or dotted or named:
            styles[text] = "day_first"
    return styles, unsettled


@cache
def clock_shifts(timezone: str) -> tuple[str, ...]:
    """The days from 2000 to 2040 on which a zone moves its clocks, as ISO dates."""
    if timezone == "UTC":
        return ()
    zone = ZoneInfo(timezone)
    days = []
    day = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    step = dt.timedelta(days=1)
    end = dt.datetime(2041, 1, 1, tzinfo=dt.UTC)
    before = day.astimezone(zone).utcoffset()
    while day < end:
        # Offsets last for weeks, so only a week that ends with another one is looked into.
        later = day + 7 * step
        if later.astimezone(zone).utcoffset() != before:
            for i in range(7):
                here, there = day + i * step, day + (i + 1) * step
                if here.astimezone(zone).utcoffset() != there.astimezone(zone).utcoffset():
                    days += sorted(
                        {here.astimezone(zone).date().isoformat(), there.astimezone(zone).date().isoformat()}
                    )
            before = later.astimezone(zone).utcoffset()
        day = later
    return tuple(days)
