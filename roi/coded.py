"""A large table in codes: words looked at once each, typed columns taken as they are, keys as numbers.

What a small table holds as texts, a large one holds as codes of the same texts, in the same order: the engine compares
and groups them as it does numbers, and they take a byte or two. Cases and actions go by 64 bits of a keyed hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from roi.canonical import CANONICAL, KEYS, CanonicalColumn
from roi.casts import Styles, cast, clean, plain_cast, typed_cast
from roi.mapping import ColumnMap, sources_of, text_sql
from roi.numbered import LARGEST, WHOLE, Numbers, declare, declared, number_of, numbers_in
from roi.privacy import pseudonym
from roi.readers.base import Connection, Rows, literal, quoted
from roi.readers.parquet import as_text
from roi.readers.totals import plain_sql
from roi.typed import Form, Typed, typed_sql

__all__ = ["Coded", "coded_sql", "drop_raw_words", "key_forms"]

MOST_WORDS = 20_000  # different texts of a column that is held in codes
HEAD = 50_000  # rows that show the words of a text file; a word that comes later has the whole file looked through
FIRST = 1_000  # rows that show what keys begin with
_WORDY = ("choice", "category", "currency", "worker")
_RAW = "raw_"


@dataclass(frozen=True, slots=True)
class Coded:
    """How a table is held in codes.

    Attributes:
        typed: The SELECT that makes it; a row with a word that was not seen carries the flag "unread".
        words: Canonical column → the type of its codes.
        numbers: Keys that are held as the numbers that they are; a row with one that is none carries "unread".
    """

    typed: Typed
    words: Mapping[str, str]
    numbers: frozenset[str]


def key_forms(table: str, maps: Sequence[ColumnMap]) -> dict[str, Form]:
    """The keys of cases and actions as numbers in place of texts."""
    return {
        m.name: Form(shown=number_of("{v}", CANONICAL[table][m.name].kind))
        for m in maps
        if CANONICAL[table][m.name].kind in ("case", "action")
    }


def coded_sql(
    con: Connection,
    table: str,
    name: str,
    maps: Sequence[ColumnMap],
    rows: Rows,
    styles: Styles,
    *,
    missing: tuple[str, ...],
    whole: bool,
    numbers: bool,
    also: Mapping[str, Sequence[str]],
) -> Coded:
    """The SELECT that makes a table in codes.

    Args:
        con: The engine, which takes the types of the codes.
        table: The canonical table.
        name: Its name in the engine.
        maps: Its columns.
        rows: Its source.
        styles: How its columns write numbers and dates.
        missing: Marks that mean a missing value.
        whole: Whether all rows are looked through for their words, not the first of them.
        numbers: Whether keys that look like numbers in the first rows are taken for such in all.
        also: Canonical column → words that its codes have besides.
    """
    sources = sources_of(maps)
    select = (rows.raw or rows.select)(sources)
    kinds = {s: rows.types.get(s, "VARCHAR") for s in sources}
    shared = Counter(s for m in maps for s in m.sources)
    alone = [m for m in maps if len(m.sources) == 1 and shared[m.sources[0]] == 1 and not m.between]
    of = {m.name: CANONICAL[table][m.name] for m in maps}
    raw = {s: f"t{i}" for i, s in enumerate(sources)}
    wordy = [m for m in alone if kinds[m.sources[0]] == "VARCHAR" and of[m.name].kind in _WORDY]
    forms = key_forms(table, maps)
    keys = [m for m in alone if m.name in forms and not m.values and not missing]
    key = next((m.sources[0] for m in keys if m.name == KEYS[table]), None)
    counted = _key_numbers(con, table, keys if numbers else (), select, kinds)
    for m in keys:
        if m.name in counted:
            source, given = m.sources[0], f"v{maps.index(m)}"
            must = m.name == KEYS[table]
            forms[m.name] = _number_form(counted[m.name], raw[source], kinds[source], given, must=must)
    # Of columns that lie apart one is looked at by itself soon.
    plain = key is not None and (
        KEYS[table] in counted or (bool(rows.types) and _are_plain(con, select, key, kinds[key]))
    )
    words: dict[str, str] = {}
    taken = {m.sources[0] for m in keys if m.name in counted}  # sources that are handed on as they are
    for m, found in zip(wordy, _words(con, select, wordy, whole=whole), strict=True):
        given = f"v{maps.index(m)}"
        form = _word_form(
            con,
            name,
            m,
            of[m.name],
            found,
            styles,
            missing,
            also.get(m.name, ()),
            raw,
            given,
            once=bool(rows.types),
        )
        if form is not None:
            # Of words that were all looked at, none is unread.
            forms[m.name], words[m.name] = (replace(form[0], unread=None) if whole else form[0]), form[1]
            taken.add(m.sources[0])
    apart = rows.apart()
    for m in alone:
        source = m.sources[0]
        column, text = of[m.name], raw[source]
        if m.name in forms or missing or m.values or column.kind in _WORDY:
            continue
        if kinds[source] == "VARCHAR":
            value = plain_cast(column, text, unit=m.unit, theirs=source, styles=styles)
            lost = f"{text} is not null and v{maps.index(m)} is null"
            unread = f"case when {lost} then {clean(text, ())} is not null else false end"
            odd = None
        else:
            value, odd = typed_cast(column, text, kinds[source], unit=m.unit, styles=styles)
            if value is not None and kinds[source] == "DOUBLE" and source in apart:
                value, _ = typed_cast(column, "word", "DOUBLE", unit=m.unit, styles=styles)
                value = _of_words(text, str(value), once=True)
            unread = f"{text} is not null and v{maps.index(m)} is null"
        if value is not None:
            forms[m.name] = Form(value=value, unread=unread, odd=odd)
            taken.add(source)
    cells, at = [], {}
    for source in sources:
        text = as_text(quoted(source), kinds[source])
        as_it_is = source in taken or (plain and source == key)
        cells.append(f"{quoted(source) if as_it_is else clean(text, missing)} as {raw[source]}")
        at[source] = clean(as_text(raw[source], kinds[source]), missing) if source in taken else raw[source]
    texts = f"select {', '.join(cells)} from ({select})"
    typed = typed_sql(table, maps, texts, styles, forms=forms, at=at, plain=plain)
    return Coded(typed, words, frozenset(counted))


def _key_numbers(
    con: Connection, table: str, keys: Sequence[ColumnMap], select: str, kinds: Mapping[str, str]
) -> dict[str, Numbers]:
    """How the keys of a table are written that look like numbers in its first rows, its own declared.

    Keys of cases in another table are taken for what those of the cases are.
    """
    domain = CANONICAL[table][KEYS[table]].kind
    of = {CANONICAL[table][m.name].kind: m for m in keys}
    found: Numbers | None = None
    if domain in of:
        source = of[domain].sources[0]
        first = f"select {as_text(quoted(source), kinds[source])} from ({select} limit {FIRST})"
        found = numbers_in([text for (text,) in con.execute(first).fetchall()], domain)
    declare(con, domain, found)
    numbers: dict[str, Numbers] = {}
    for kind, m in of.items():
        written, type_ = declared(con, kind), kinds[m.sources[0]]
        plain = written is not None and not written.head and not written.width
        if written is not None and (type_ == "VARCHAR" or (type_ in WHOLE and plain)):
            numbers[m.name] = written
    if KEYS[table] not in numbers:
        declare(con, domain, None)
    return numbers


def _number_form(numbers: Numbers, text: str, kind: str, given: str, *, must: bool) -> Form:
    """A key that is held as its number `given`, which every row must have or may lack."""
    lost = "true" if must else f"{text} is not null"
    if kind in WHOLE:
        value, fits = (
            f"case when {text} between 0 and {LARGEST} then {text} end::ubigint",
            f"{given} is not null",
        )
    else:
        value, fits = numbers.number(text), numbers.fits(text, given)
    unread = f"case when {fits} then false else {lost} end"
    return Form(value=value, shown=numbers.held("{v}"), unread=unread)


def drop_raw_words(con: Connection) -> None:
    """Take away the texts that the codes were made of."""
    found = con.execute(
        f"select 'type', type_name from duckdb_types() where starts_with(type_name, '{_RAW}') union all "
        f"select 'table', table_name from duckdb_tables() where starts_with(table_name, '{_RAW}') union all "
        f"select 'variable', name from duckdb_variables() where starts_with(name, '{_RAW}')"
    ).fetchall()
    for kind, name in found:
        con.execute(f"reset variable {name}" if kind == "variable" else f"drop {kind} if exists {name}")


def _are_plain(con: Connection, select: str, source: str, kind: str) -> bool:
    """Whether every key of a table is there, needs no cleaning and is no word for a sum."""
    if kind != "VARCHAR":
        return False
    key = quoted(source)
    ends = con.execute(f"select min({key}), max({key}) from ({select} limit {FIRST})").fetchall()[0]
    pairs = zip(ends[0] or "", ends[1] or "", strict=False)
    plain = plain_sql(key, "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)))
    # A case of rows is asked in turns, each of what the turn before has left.
    odd = f"case when {plain} then false else true end"
    return not con.execute(f"select exists(select 1 from ({select}) where {odd})").fetchall()[0][0]


def _words(con: Connection, select: str, maps: Sequence[ColumnMap], *, whole: bool) -> list[list[str]]:
    """The different texts of some columns, as they are written."""
    if not maps:
        return []
    if not whole:
        select = f"{select} limit {HEAD}"
    lists = ", ".join(f"list(distinct {quoted(m.sources[0])})" for m in maps)
    found = con.execute(f"select {lists} from ({select})").fetchall()[0]
    return [[word for word in words or () if word is not None] for words in found]


def _word_form(
    con: Connection,
    name: str,
    m: ColumnMap,
    column: CanonicalColumn,
    found: list[str],
    styles: Styles,
    missing: tuple[str, ...],
    also: Sequence[str],
    raw: Mapping[str, str],
    given: str,
    *,
    once: bool,
) -> tuple[Form, str] | None:
    """A column of codes, and their type; None where its texts cannot be told as words.

    `once` is whether the source comes with its words apart from its rows, as Parquet does.
    """
    if not 0 < len(found) <= MOST_WORDS:
        return None
    source = m.sources[0]
    theirs, ours = f"{_RAW}{name}_{m.name}", f"{name}_{m.name}"
    listed = ", ".join(literal(word) for word in found)
    mapped = text_sql(m, {source: "t"}, joint="")
    value = cast(column, "m", unit=None, theirs=source, styles=styles)
    shown = pseudonym("v", "worker") if column.kind == "worker" else "v"
    con.execute(
        f"create or replace temp table {theirs} as select raw, t, v, strlen(raw) > length(raw) as marked, "
        f"case when v is not null then {shown} end as shown from (select *, {value} as v from (select *, {mapped} as m "
        f"from (select raw, {clean('raw', missing)} as t from (select unnest([{listed}]) as raw))))"
    )
    lost, same, marked, some = con.execute(
        "select count(*) filter (t is not null and v is null), bool_and(raw is not distinct from shown), "
        f"bool_or(marked), count(shown) from {theirs}"
    ).fetchall()[0]
    if lost or not some:  # what cannot be read is told of row by row
        return None
    # With all that may be asked for among them, codes are compared and no texts.
    more = "".join(f" union select {literal(word)}" for word in (*also, *column.choices))
    con.execute(
        f"create or replace type {ours} as enum (select shown from (select shown from {theirs}{more}) "
        "where shown is not null group by 1 order by 1)"
    )
    text = raw[source]
    written = clean(text, missing) if column.kind == "worker" else None
    marks = bool(marked)
    if same:
        code = _of_words(text, f"try_cast({{}} as {ours})", once=once)
        unread = f"{text} is not null and {given} is null"
        return Form(value=code, shown="{v}", unread=unread, name=written, marked=marks), ours
    con.execute(
        f"create or replace temp type {theirs}_ as enum (select raw from {theirs} order by raw); "
        f"set variable {theirs} = (select list(shown order by raw) from {theirs})"
    )
    known = f"try_cast({text} as {theirs}_)"
    code = f"getvariable('{theirs}')[enum_code(try_cast({{}} as {theirs}_)) + 1]::{ours}"
    code = _of_words(text, code, once=once)
    unread = f"case when {text} is not null and {given} is null then {known} is null else false end"
    return Form(value=code, shown="{v}", unread=unread, name=written, marked=marks), ours


def _of_words(text: str, code: str, *, once: bool) -> str:
    """SQL of a text's code, given that of `{}`.

    Of words that lie apart from the rows the engine asks a function once each, but a cast row by row; so the cast is
    made inside a function.
    """
    return f"list_transform([{text}], lambda word: {code.format('word')})[1]" if once else code.format(text)
