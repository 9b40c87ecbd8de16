"""SQL that turns texts into canonical values: exact decimals, UTC times, minutes; what cannot be read becomes NULL.

Nothing here guesses. How a column writes its decimals and dates is settled before, from all of its values (`styles`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from roi.canonical import CanonicalColumn, Kind
from roi.dress import GAPS, Dress, undress
from roi.readers.base import literal

__all__ = ["Styles", "cast", "clean", "minutes_between", "number", "plain_cast", "time_value", "typed_cast"]

DecimalStyle = Literal["plain", "dot", "comma"]
DateStyle = Literal["iso", "day_first", "month_first"]

_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"
_PLAIN_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?"
_OFFSET = r":\d\d([.,]\d+)?\s*([Zz]|UTC|GMT|[+-]\d\d(:?\d\d)?)$"
_NO_SECONDS = r"^(\S+[ T]\d\d?:\d\d)\s*([Zz]|UTC|GMT|[+-])"
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_NAMED_DATES = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%a, %d %b %Y")
_TRUE = ("true", "yes", "1", "t", "y", "1.0")
_FALSE = ("false", "no", "0", "f", "n", "0.0")

UNITS: Mapping[str, tuple[int, int]] = {
    "milliseconds": (1, 60_000),
    "seconds": (1, 60),
    "minutes": (1, 1),
    "hours": (60, 1),
    "days": (1440, 1),
}
"""Unit → numerator and denominator that turn it into minutes."""


@dataclass(frozen=True, slots=True)
class Styles:
    """How the columns of a table write numbers and dates.

    Attributes:
        decimals: Canonical column → its decimal mark; absent columns are plain (a dot, no thousands).
        dates: Their column → the order of day and month; absent columns are ISO.
        timezone: Of times that carry none.
        shifts: Days (ISO) on which that zone moves its clocks.
        dressed: Canonical column → what may stand around its numbers; absent columns hold bare numbers.
        clocks: Canonical columns whose durations are all hours and minutes (`1:30`).
    """

    decimals: Mapping[str, DecimalStyle]
    dates: Mapping[str, DateStyle]
    timezone: str
    shifts: tuple[str, ...] = ()
    dressed: Mapping[str, Dress] = field(default_factory=dict)
    clocks: frozenset[str] = frozenset()


def clean(text: str, missing: tuple[str, ...]) -> str:
    """A cell without the white space around it; blank cells and missing marks are NULL."""
    # Trimming is slow and seldom needed, so that only cells with white space at an end pay for it.
    ends = " or ".join(
        f"ends_with({text}, {blank})" for blank in ("' '", "chr(9)", "chr(13)", "chr(10)", "chr(160)")
    )
    trimmed = (
        f"case when {text} >= '!' and not ({ends} or starts_with({text}, chr(160))) then {text} "
        f"else nullif(trim({text}, {_BLANKS}), '') end"
    )
    if not missing:
        return trimmed
    marks = _among(f"({trimmed})", tuple(m.strip() for m in missing))
    return f"case when {marks} then null else {trimmed} end"


def number(text: str, style: DecimalStyle, precision: int, scale: int) -> str:
    """An exact decimal; NULL where the text is no number in this style."""
    kind = f"decimal({precision},{scale})"
    if style == "plain":
        return f"try_cast({text} as {kind})"
    mark, other = (".", ",") if style == "dot" else (",", ".")
    grouped = rf"[+-]?\d{{1,3}}([{GAPS}'’{other}]\d{{3}})+(\{mark}\d*)?"
    simple = rf"[+-]?\d*\{mark}?\d+([eE][+-]?\d{{1,2}})?"
    plain = rf"regexp_replace({text}, '[{GAPS}''’{other}]', '', 'g')"
    valid = f"regexp_full_match({text}, {literal(grouped)}) or regexp_full_match({text}, {literal(simple)})"
    return f"case when {valid} then try_cast(replace({plain}, '{mark}', '.') as {kind}) end"


def _any_number(text: str, style: DecimalStyle, dress: Dress | None, precision: int, scale: int) -> str:
    """`number`, of a text that may be dressed; what a spreadsheet reader marks with = is a number as it stands."""
    if dress is None:
        return number(text, style, precision, scale)
    typed = f"try_cast(substr({text}, 2) as decimal({precision},{scale}))"
    written = number(undress(text, dress), style, precision, scale)
    return f"case when starts_with({text}, '=') then {typed} else {written} end"


def _micro_to_minutes(micro: str, unit: str) -> str:
    """Millionths of a unit as minutes, rounded half to even at the sixth place."""
    down = UNITS[unit][1]
    q, r = f"(({micro}) // {down})", f"abs(({micro}) % {down})"
    carry = (
        f"(case when 2 * {r} > {down} or (2 * {r} = {down} and {q} % 2 <> 0) then sign({micro}) else 0 end)"
    )
    return f"(({q} + {carry})::decimal(18,0) * 0.000001::decimal(7,6))::decimal(18,6)"


def _in_minutes(value: str, unit: str) -> str:
    """A decimal of a unit as minutes."""
    up, down = UNITS[unit]
    if down == 1:
        return (
            value if up == 1 else f"try_cast(({value})::decimal(34,12) * {up}::decimal(4,0) as decimal(18,6))"
        )
    # Wide enough for every decimal(18,6), since the engine does not widen a product by itself.
    return _micro_to_minutes(f"(({value})::decimal(24,6) * 1000000::decimal(7,0))::bigint", unit)


def _duration(text: str) -> str:
    # A comma before other than three digits is a decimal mark; before three it stays, and so is refused.
    marks = literal(r"(\d),(\d\d?|\d{4,})([^\d,]|$)")
    lower = f"regexp_replace(lower({text}), {marks}, '\\1.\\2\\3', 'g')"
    part = r"(\d+(?:\.\d+)?)"
    words = (
        rf"^(?:{part}\s*d(?:ays?)?)?[,\s]*(?:{part}\s*h(?:rs?|ours?)?)?[,\s]*(?:{part}\s*m(?:ins?|inutes?)?)?"
        rf"[,\s]*(?:{part}\s*s(?:ecs?|econds?)?)?$"
    )
    clock = r"^(?:(\d+)\s*d(?:ays?)?,?\s*)?(\d+):([0-5]\d):([0-5]\d(?:\.\d+)?)$"
    milli = rf"^{part}\s*(?:ms|milliseconds?)$"
    spelled = rf"regexp_replace({lower}, '^p([^t]*)t?', '\1')"

    def total(source: str, pattern: str) -> str:
        found = f"regexp_extract({source}, {literal(pattern)}, ['d', 'h', 'm', 's'])"
        pieces = [
            f"coalesce(try_cast(nullif(({found}).{key}, '') as decimal(15,6)), 0)::decimal(28,6) "
            f"* {factor}::decimal(5,0)"
            for key, factor in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
        ]
        return f"try_cast(({' + '.join(pieces)})::decimal(31,6) * 1000000::decimal(7,0) as bigint)"

    micro = (
        f"case when regexp_matches({lower}, {literal(clock)}) then {total(lower, clock)} "
        f"when regexp_matches({lower}, {literal(milli)}) "
        f"then (try_cast(regexp_extract({lower}, {literal(milli)}, 1) as decimal(15,6)) * 1000)::bigint "
        f"when regexp_matches({spelled}, {literal(words)}) and regexp_matches({lower}, '\\d') "
        f"then {total(spelled, words)} end"
    )
    return _micro_to_minutes(micro, "seconds")


def time_value(text: str, style: DateStyle, timezone: str) -> str:
    """A time as a naive UTC timestamp; its own offset is honoured, otherwise `timezone` holds."""
    naive = _in_utc(_local_time(text, style), timezone)
    if style != "iso":
        return naive
    # The engine wants seconds before an offset, and no space.
    plain = f"regexp_replace(replace(upper({text}), ',', '.'), '\\s*(UTC|GMT|Z)$', 'Z')"
    close = f"regexp_replace({plain}, '\\s+([+-])', '\\1')"
    seconds = f"regexp_replace({close}, {literal(_NO_SECONDS)}, '\\1:00\\2')"
    with_offset = f"timezone('UTC', try_cast({seconds} as timestamptz))"
    # A year comes first, so that words such as 'infinity' are no times.
    return (
        f"case when not regexp_matches({text}, '^\\d{{4}}[-/]') then null "
        f"when regexp_matches({text}, {literal(_OFFSET)}) then {with_offset} else {naive} end"
    )


def _in_utc(local: str, timezone: str) -> str:
    return local if timezone == "UTC" else f"timezone('UTC', timezone({literal(timezone)}, {local}))"


def _local_time(text: str, style: DateStyle) -> str:
    if style == "iso":
        return f"try_cast(replace({text}, ',', '.') as timestamp)"  # some logs write 10:00:00,123
    if style == "day_first":
        dates = [f"%d{s}%m{s}%Y" for s in "./-"]
    elif style == "month_first":
        dates = [f"%m{s}%d{s}%Y" for s in "./-"]
    dates += [*_NAMED_DATES, "%Y-%m-%d", "%Y/%m/%d"]
    formats = ", ".join(literal(d + t) for d in dates for t in _TIMES)
    plain = f"replace(replace({text}, ', ', ' '), 'T', ' ')"
    return f"coalesce(try_strptime({text}, [{formats}]), try_strptime({plain}, [{formats}]))"


def clock_change(text: str, style: DateStyle, styles: Styles) -> str | None:
    """Whether a local time does not exist, or exists twice, because clocks were moved; NULL-free SQL."""
    if not styles.shifts:
        return None
    own = f"regexp_matches({text}, {literal(_OFFSET)})"
    return _moved(_local_time(text, style), own, styles)


def _moved(local: str, own: str, styles: Styles) -> str:
    """`clock_change` of a local time; `own` is true where an offset of its own tells it."""
    zone = literal(styles.timezone)
    days = literal(
        f"[{', '.join(styles.shifts)}]"
    )  # one text that is cast once: so many dates take long to parse
    utc = f"timezone({zone}, {local})"
    odd = (
        f"timezone({zone}, {utc}) <> {local} or timezone({zone}, {utc} - interval 1 hour) = {local} "
        f"or timezone({zone}, {utc} + interval 1 hour) = {local}"
    )
    return f"coalesce(case when list_contains({days}::date[], {local}::date) and not {own} then {odd} end, false)"


def minutes_between(start: str, end: str, cap: str | None) -> str:
    """Minutes from one timestamp to another, at most `cap`."""
    minutes = _micro_to_minutes(f"(epoch_us({end}) - epoch_us({start}))", "seconds")
    # The engine's least() passes over a NULL: a case without an end would count as the cap.
    return (
        minutes
        if cap is None
        else f"case when ({minutes}) > {cap}::decimal(18,6) then {cap}::decimal(18,6) else {minutes} end"
    )


def cast(column: CanonicalColumn, text: str, *, unit: str | None, theirs: str, styles: Styles) -> str:
    """The canonical value of a cleaned, mapped text; NULL where it cannot be one.

    Args:
        column: The canonical column.
        text: SQL of the text.
        unit: The unit of their numbers, for minutes.
        theirs: Their column, whose date style counts.
        styles: How the table's columns write numbers and dates.
    """
    kind: Kind = column.kind
    style = styles.decimals.get(column.name, "plain")
    dress = styles.dressed.get(column.name)
    if kind == "minutes":
        if unit == "duration":
            # Where a whole column is written 1:30, seconds make it a form that is read everywhere.
            return _duration(f"({text} || ':00')" if column.name in styles.clocks else text)
        # Six places of a day are a tenth of a second, too little for minutes that are fractions of a day.
        precision, scale = (30, 12) if unit in ("hours", "days") else (18, 6)
        return _in_minutes(_any_number(text, style, dress, precision, scale), unit or "minutes")
    if kind == "cost":
        return _any_number(text, style, dress, 18, 9)
    if kind == "number":
        return _any_number(text, style, dress, 18, 6)
    if kind == "share":
        return _share(text, style, dress)
    if kind == "count":
        value = _any_number(text, style, dress, 18, 6)
        return f"case when {value} = floor({value}) then ({value})::bigint end"
    if kind == "time":
        return time_value(text, styles.dates.get(theirs, "iso"), styles.timezone)
    if kind == "month":
        return _month(text, styles.dates.get(theirs, "iso"))
    if kind == "flag":
        return _flag(text)
    if kind == "defects":
        return _defects(text, style)
    if kind == "choice":
        return _choice(column, text)
    if kind == "currency":
        return f"case when regexp_full_match(upper({text}), '[A-Z]{{3}}') then upper({text}) end"
    return text


def _share(text: str, style: DecimalStyle, dress: Dress | None) -> str:
    if dress is None and style == "plain":
        value = f"try_cast({text} as double)"
        return f"case when isfinite({value}) then {value} end"
    value = f"({_any_number(text, style, dress, 18, 9)})"
    hundredth = f"({value} * 0.01::decimal(3,2))"
    return f"(case when ends_with({text}, '%') then {hundredth} else {value} end)::double"


def _month(text: str, style: DateStyle) -> str:
    whole = (
        f"try_cast(case when regexp_full_match({text}, '\\d{{4}}-\\d{{2}}') then {text} || '-01' end as date)"
    )
    return f"coalesce({whole}, date_trunc('month', {_local_time(text, style)})::date)"


def _among(text: str, words: tuple[str, ...]) -> str:
    """SQL that is true of a text among some words.

    Not `in`: the engine turns lists of five and more into a join, which loses the order of the rows.
    """
    return f"list_contains([{', '.join(literal(w) for w in words)}], {text})"


def _flag(text: str) -> str:
    lower = f"lower({text})"
    return f"case when {_among(lower, _TRUE)} then true when {_among(lower, _FALSE)} then false end"


def _defects(text: str, style: DecimalStyle) -> str:
    value = number(text, style, 18, 6)
    numeric = r"[+-]?[\d.,]+"
    return (
        f"case when lower({text}) in ('true', 'yes') then 1 when lower({text}) in ('false', 'no', 'none', '[]') then 0 "
        f"when regexp_full_match({text}, '{numeric}') "
        f"then (case when {value} = floor({value}) then ({value})::bigint end) "
        f"when left({text}, 1) = '[' then json_array_length(case when json_valid({text}) then {text} end)::bigint "
        f"else len(list_filter(regexp_split_to_array({text}, '[;|]'), lambda part: trim(part) <> ''))::bigint end"
    )


def _choice(column: CanonicalColumn, text: str) -> str:
    lower = f"lower({text})"
    value = f"case when {_among(lower, column.choices)} then {lower} end"
    if column.name == "used":  # exports often know only whether the result was used
        return f"case {lower} when 'true' then 'yes' when 'false' then 'no' else {value} end"
    return value


def plain_cast(
    column: CanonicalColumn, text: str, *, unit: str | None, theirs: str, styles: Styles
) -> str | None:
    """`cast` of a text that is not cleaned yet, soon where it is as most are; None of what has no such way.

    What the first look cannot read is cleaned and looked at as ever, so that both give the same.
    """
    slow = cast(column, clean(text, ()), unit=unit, theirs=theirs, styles=styles)
    if column.kind in ("minutes", "cost", "number"):
        bare = column.name not in styles.decimals and column.name not in styles.dressed
        if not bare or unit not in (None, "milliseconds", "seconds", "minutes"):
            return None
        return f"coalesce({cast(column, text, unit=unit, theirs=theirs, styles=styles)}, {slow})"
    if column.kind == "time" and theirs not in styles.dates and styles.timezone == "UTC":
        # 2026-03-01 14:05:00, where an offset would have no room.
        sure = (
            f"strlen({text}) = 19 and {text} between '0' and ':' and substr({text}, 5, 1) = '-' "
            f"and substr({text}, 14, 1) = ':' and substr({text}, 17, 1) = ':'"
        )
        return f"coalesce(case when {sure} then try_cast({text} as timestamp) end, {slow})"
    return None


_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")


def typed_cast(
    column: CanonicalColumn, value: str, type_name: str, *, unit: str | None, styles: Styles
) -> tuple[str | None, str | None]:
    """The canonical value of a typed one without a text between, the same to the last digit.

    Args:
        column: The canonical column.
        value: SQL of the value.
        type_name: Its type.
        unit: The unit of their numbers, for minutes.
        styles: How the table's columns write numbers and dates.

    Returns:
        SQL of the value, None where its text has to be read; and of whether clocks were moved over it, as
        `clock_change`.
    """
    kind = column.kind
    if kind == "minutes" and unit in (None, "milliseconds", "seconds", "minutes"):
        exact = _exactly(value, type_name, 6)
        return (None if exact is None else _in_minutes(exact, unit or "minutes")), None
    if kind in ("cost", "number"):
        return _exactly(value, type_name, 9 if kind == "cost" else 6), None
    if kind == "count" and type_name in _WHOLE:
        return f"case when {value} between -999999999999 and 999999999999 then {value}::bigint end", None
    if kind == "share" and type_name == "DOUBLE":
        return f"case when isfinite({value}) then {value} end", None
    if kind == "flag" and type_name == "BOOLEAN":
        return value, None
    if kind == "time" and type_name in ("TIMESTAMP", "DATE"):
        local = value if type_name == "TIMESTAMP" else f"{value}::timestamp"
        # Of years with four digits; words such as infinity are no times.
        known = f"{value} between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'"
        moved = _moved(local, "false", styles) if styles.shifts else None
        return f"case when {known} then {_in_utc(local, styles.timezone)} end", moved
    return None, None


def _exactly(value: str, type_name: str, scale: int) -> str | None:
    """A typed number as the decimal that its text would be."""
    kind = f"decimal(18,{scale})"
    if type_name in _WHOLE:
        return f"try_cast({value} as {kind})"
    if type_name.startswith("DECIMAL(") and int(type_name[:-1].split(",")[1]) <= scale:
        return f"try_cast({value} as {kind})"
    if type_name != "DOUBLE":
        return None
    # A double that its decimal leads back to is written as that decimal, as long as it has no more than 15 digits.
    near = f"try_cast({value} as {kind})"
    most = f"1e{15 - scale}"
    sure = f"{near}::double = {value} and {value} between -{most} and {most}"
    return f"case when {sure} then {near} else try_cast({value}::varchar as {kind}) end"
