"""How each file of a table writes numbers and dates: settled file by file, or refused with the mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from roi.canonical import CANONICAL, Kind
from roi.casts import Styles
from roi.dress import CURRENCY_SIGNS, GAPS, UNIT_WORDS, Dress, one_of, undress
from roi.mapping import ColumnMap, TableSpec, sources_of, texts_sql
from roi.readers.base import Connection, Part, Roles, Rows, literal
from roi.schema.tables import TABLE_COLUMNS
from roi.styles import date_styles, decimal_styles, doubtful_numbers
from roi.typed import Form, Typed, typed_sql

__all__ = ["Settled", "roles_of", "settle"]

_NUMBERS: tuple[Kind, ...] = ("minutes", "cost", "number", "share", "count", "defects")


@dataclass(frozen=True, slots=True)
class Settled:
    """A table's SELECT in which every file is read in its own way.

    Attributes:
        typed: The SELECT; None where plain reading is all there is.
        unsettled: Their column → the first file in which it cannot be settled, why, and the mend.
        doubts: What is read in a way that may not be meant, a sentence each.
    """

    typed: Typed | None
    unsettled: Mapping[str, tuple[str, str]]
    doubts: tuple[str, ...]


def roles_of(spec: TableSpec, also: Sequence[str] = ()) -> Roles:
    """What a table's mapping wants of the columns of its source.

    Args:
        spec: The table.
        also: Canonical columns that another export brings.
    """
    given = {name: m.sources for name, m in spec.columns.items()}
    sources = {name: given.get(name, (name,)) for name in CANONICAL[spec.table]}
    required = [
        name for name, column in CANONICAL[spec.table].items() if column.required and name not in also
    ]
    needed = [*sources_of(tuple(spec.columns.values())), *(n for n in required if n not in given)]
    key = {"actions": "action_id"}.get(spec.table, "case_id")
    durations = [n for n, m in spec.columns.items() if m.unit == "duration" or m.between]
    return Roles(
        needed=() if spec.query is not None else tuple(n for n in dict.fromkeys(needed) if n != "_file"),
        key=() if spec.query is not None else sources.get(key, ()),
        numbers=tuple(
            source
            for name, column in CANONICAL[spec.table].items()
            if column.kind in _NUMBERS and column.kind != "defects" and name not in durations
            for source in sources[name]
        ),
    )


def settle(
    con: Connection,
    spec: TableSpec,
    maps: Sequence[ColumnMap],
    rows: Rows,
    styles: Styles,
    unread: frozenset[str],
    *,
    currency: str | None,
    forms: Mapping[str, Form],
) -> Settled:
    """Settle how the columns that cannot be read plainly write numbers and dates, each file on its own.

    Args:
        con: The engine.
        spec: The table.
        maps: Its columns.
        rows: Its source.
        styles: The plain ones, with the time zone.
        unread: Their columns that hold cells that are no plain value.
        currency: That of the parameters.
        forms: How columns come about of a large table.
    """
    sources = sources_of(maps)
    numbers = [
        m
        for m in maps
        if CANONICAL[spec.table][m.name].kind in _NUMBERS and len(m.sources) == 1 and m.unit != "duration"
    ]
    # Other columns are looked at only where one that cannot be read may need their testimony.
    failing = [m for m in numbers if m.sources[0] in unread]
    dressed = {m.name: _dress(spec.table, m, maps, currency) for m in failing}
    times = [m.sources for m in maps if m.between or CANONICAL[spec.table][m.name].kind in ("time", "month")]
    dated = list(dict.fromkeys(s for several in times for s in several if s in unread))
    at = {name: f"t{i}" for i, name in enumerate(sources)}
    written = {
        m.name: undress(at[m.sources[0]], dressed[m.name]) if m.name in dressed else at[m.sources[0]]
        for m in numbers
    }
    clocks, unsettled, doubts = _clocks(con, spec, maps, rows, unread)
    styles = replace(styles, clocks=clocks)
    settled: list[tuple[Part, Styles]] = []
    for part in rows.parts or (Part(rows.label, rows.select),):
        texts = texts_sql(part.select(sources), sources, spec.missing)
        decimals, why_numbers = decimal_styles(con, texts, written if failing else {})
        dates, why_dates = date_styles(con, texts, [at[s] for s in dated])
        foreign = _foreign(con, texts, spec, failing, at, currency, maps)
        back = {text: source for source, text in at.items()}
        mine = replace(
            styles, decimals=decimals, dates={back[t]: s for t, s in dates.items()}, dressed=dressed
        )
        settled.append((part, mine))
        for m in failing:
            if m.name in foreign:
                unsettled.setdefault(m.sources[0], (part.label, foreign[m.name]))
            elif m.name in why_numbers:
                why = f"{why_numbers[m.name]}; write them in one way, or say it with query:"
                unsettled.setdefault(m.sources[0], (part.label, why))
        for text, why in why_dates.items():
            mend = "write dates as 2026-03-01, or say it with query: strptime(…)"
            unsettled.setdefault(back[text], (part.label, f"{why}; {mend}"))
        read = {name: (written[name], style) for name, style in decimals.items()}
        doubts += [f"{part.label}: {doubt}" for doubt in doubtful_numbers(con, texts, read)]
    if not any(s.decimals or s.dates or s.dressed or s.clocks for _, s in settled):
        return Settled(None, unsettled, ())
    return Settled(_typed(spec, maps, rows, settled, forms), unsettled, tuple(doubts))


def _typed(
    spec: TableSpec,
    maps: Sequence[ColumnMap],
    rows: Rows,
    settled: Sequence[tuple[Part, Styles]],
    forms: Mapping[str, Form],
) -> Typed:
    """One SELECT of all files in their order; neighbours that write alike share their casts."""
    sources = sources_of(maps)
    typed: list[Typed] = []
    for _, group in groupby(settled, key=lambda pair: (dict(pair[1].decimals), dict(pair[1].dates))):
        alike = list(group)
        whole = len(alike) == len(settled)
        selects = [rows.select(sources)] if whole else [part.select(sources) for part, _ in alike]
        texts = texts_sql(" union all ".join(selects), sources, spec.missing)
        typed.append(typed_sql(spec.table, maps, texts, alike[0][1], forms=forms))
    return replace(typed[0], sql=" union all ".join(t.sql for t in typed))


def _clocks(
    con: Connection, spec: TableSpec, maps: Sequence[ColumnMap], rows: Rows, unread: frozenset[str]
) -> tuple[frozenset[str], dict[str, tuple[str, str]], list[str]]:
    """Durations that are all written `1:30`: which are hours and minutes, which cannot be told, what is said."""
    sources = sources_of(maps)
    texts = texts_sql(rows.select(sources), sources, spec.missing)
    clocks: list[str] = []
    unsettled: dict[str, tuple[str, str]] = {}
    said: list[str] = []
    for m in maps:
        if m.unit != "duration" or len(m.sources) != 1 or m.sources[0] not in unread:
            continue
        text = f"t{sources.index(m.sources[0])}"
        patterns = {
            "any": r"(?s).*",
            "clock": r"\d+:[0-5]\d",
            "above": r"0*(2[4-9]|[3-9]\d|[1-9]\d\d+):[0-5]\d",
        }
        counts = _counts(con, texts, text, patterns)
        if not counts["clock"] or counts["clock"] < counts["any"]:
            continue
        place = f"{spec.place}.columns.{m.name}"
        mend = "write 0:24:05, or say minutes with query: and set"
        if counts["above"]:
            why = f"{_values(counts['above'])} with more than 23 before the colon: h:mm and mm:ss cannot be told"
            unsettled[m.sources[0]] = (rows.label, f"{why} apart; {mend} {place}.unit: minutes")
        else:
            clocks.append(m.name)
            said.append(
                f"{rows.label}: {m.name}: {_values(counts['clock'])} as 1:30 and read as hours and minutes; "
                f"if they are minutes and seconds, {mend} {place}.unit: minutes"
            )
    return frozenset(clocks), unsettled, said


def _dress(table: str, m: ColumnMap, maps: Sequence[ColumnMap], currency: str | None) -> Dress:
    """What may stand around a column's numbers without changing what they mean."""
    kind = CANONICAL[table][m.name].kind
    if kind == "minutes":
        return Dress(after=one_of(UNIT_WORDS[m.unit or "minutes"]))
    if kind == "share":
        return Dress(after="%")
    if _is_money(table, m.name):
        code = _currency(table, m.name, maps, currency)
        signs = one_of(CURRENCY_SIGNS.get(code, (code,))) if code else ""
        return Dress(before=signs, after=signs)
    return Dress()


def _is_money(table: str, name: str) -> bool:
    return TABLE_COLUMNS[table][name].kind == "money" or CANONICAL[table][name].kind == "cost"


def _currency(table: str, name: str, maps: Sequence[ColumnMap], currency: str | None) -> str | None:
    """The currency that an amount is in before a sign beside it says so."""
    stated = next((m for m in maps if m.name == "cost_currency"), None)
    if CANONICAL[table][name].kind == "cost" and stated is not None:
        return stated.constant
    return currency


def _foreign(
    con: Connection,
    texts: str,
    spec: TableSpec,
    failing: Sequence[ColumnMap],
    at: Mapping[str, str],
    currency: str | None,
    maps: Sequence[ColumnMap],
) -> dict[str, str]:
    """Columns whose texts say a unit or a currency that is not theirs, and how to mend it."""
    said = {}
    for m in failing:
        text, kind = at[m.sources[0]], CANONICAL[spec.table][m.name].kind
        place = f"{spec.place}.columns.{m.name}"
        if kind == "minutes":
            own = m.unit or "minutes"
            patterns = {unit: rf"(?i)[+-]?\d[\d.,'’{GAPS}]*(?:{one_of(w)})" for unit, w in UNIT_WORDS.items()}
            counts = _counts(con, texts, text, patterns)
            others = {unit: n for unit, n in counts.items() if n and unit != own}
            if not others:
                continue
            many = _values(sum(others.values()))
            if len(others) == 1 and not counts[own] and not _bare(con, texts, text):
                unit = next(iter(others))
                said[m.name] = f"{many} in {unit} and not in {own}; set {place}.unit: {unit}"
            else:
                units = " and ".join(u for u in UNIT_WORDS if counts[u] or u == own)
                said[m.name] = f"{many} in another unit than {own} ({units}); set {place}.unit: duration"
        elif _is_money(spec.table, m.name):
            code = _currency(spec.table, m.name, maps, currency)
            own_signs = {s.lower() for s in CURRENCY_SIGNS.get(code or "", (code or "",))}
            signs = sorted(
                {s for listed in CURRENCY_SIGNS.values() for s in listed if s.lower() not in own_signs}
            )
            sign = one_of(tuple(signs))
            pattern = rf"(?i)\(?[+-]?[{GAPS}]*(?:(?:{sign})[{GAPS}]*[+-]?\d.*|\d[\d.,'’{GAPS}]*(?:{sign})\)?)"
            n = _counts(con, texts, text, {"other": pattern})["other"]
            if n:
                stated = "about.currency" if code == currency else f"{spec.place}.columns.cost_currency"
                mend = (
                    "take the signs off and say the currency of each row with cost_currency"
                    if kind == "cost"
                    else "write all amounts in one currency"
                )
                than = f"than {code}, which {stated} states" if code else "that nothing states"
                said[m.name] = f"{_values(n)} with the sign of another currency {than}; {mend}"
    return said


def _values(n: int) -> str:
    return "1 value is written" if n == 1 else f"{n:,} values are written"


def _counts(con: Connection, texts: str, text: str, patterns: Mapping[str, str]) -> dict[str, int]:
    parts = ", ".join(f"count(*) filter (regexp_full_match({text}, {literal(p)}))" for p in patterns.values())
    found = con.execute(f"select {parts} from ({texts})").fetchall()[0]
    return {name: int(n) for name, n in zip(patterns, found, strict=True)}


def _bare(con: Connection, texts: str, text: str) -> int:
    return _counts(con, texts, text, {"bare": rf"=?[+-]?[\d.,'’{GAPS}]+"})["bare"]
