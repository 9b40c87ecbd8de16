"""What each database's language says in its own way: the few leaves of which canonical columns are made.

An exact decimal, a pseudonym, a pattern are written here for each. Nothing is rounded that is not rounded alike
everywhere: half away from zero, in decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from roi.places.letters import SPACES, accented_and_bare, large_and_small
from roi.privacy import DOMAINS, SPELLED
from roi.readers.base import Shape, literal

__all__ = ["NUMBER", "Tongue", "tongue_of"]

NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$"
"""A text that every database reads as the same decimal."""

_BLANKS = " \t\n\r\u00a0"  # around a cell, as `roi.casts.clean` trims them
_LONGEST_NUMBER = 40  # digits of a text


@dataclass(frozen=True, slots=True)
class Tongue:
    """A database's language; DuckDB's unless a subclass says otherwise.

    Attributes:
        dialect: As sqlglot names it.
    """

    dialect: str = "duckdb"

    @property
    def inline(self) -> str:
        """What keeps a query that stands before a question from being worked out whole."""
        return ""

    @property
    def once(self) -> str:
        """What a query that is asked from ends with, so that its columns are worked out once a row."""
        return ""

    def kind(self, name: str) -> str:
        """A type's name."""
        return name

    def string(self, text: str) -> str:
        """A literal."""
        return literal(text)

    def text(self, value: str) -> str:
        """A typed value as the text that the present path reads."""
        return f"cast({value} as varchar)"

    def trimmed(self, text: str) -> str:
        """Without white space at its ends; null where nothing is left."""
        return f"nullif(trim({text}, {self.string(_BLANKS)}), '')"

    def small(self, text: str) -> str:
        """In small letters, alike everywhere."""
        # Texts of ASCII alone are most, and exchanging letter by letter is dear.
        large, small = map(self.string, large_and_small())
        other = f"translate({text}, {large}, {small})"
        return f"case when {self.ascii(text)} then {self.lower(text)} else {other} end"

    def ascii(self, text: str) -> str:
        """Whether a text has ASCII signs only."""
        return f"strlen({text}) = length({text})"

    def lower(self, text: str) -> str:
        """A text of ASCII signs in small letters."""
        return f"lower({text})"

    def matches(self, text: str, pattern: str) -> str:
        """Whether a regular expression is found in a text; the dot is any sign."""
        return f"regexp_matches({text}, {self.string(pattern)}, 's')"

    def decimal(self, value: str, shape: Shape, precision: int, scale: int) -> str:
        """An exact decimal, rounded half away from zero; null where it does not fit or is no number."""
        cast = f"try_cast({self.text(value)} as decimal({precision},{scale}))"
        return f"case when {self._short(value)} then {cast} end" if shape == "text" else cast

    def _short(self, text: str) -> str:
        return f"{self.matches(text, NUMBER)} and length({text}) <= {_LONGEST_NUMBER}"

    def double(self, value: str, shape: Shape) -> str:
        """A finite double; null otherwise."""
        if shape == "text":
            return f"case when {self._short(value)} then cast({value} as double) end"
        cast = f"cast({value} as double)"
        return f"case when isfinite({cast}) then {cast} end"

    def cast(self, value: str, kind: str) -> str:
        """A plain cast of something that fits."""
        return f"cast({value} as {self.kind(kind)})"

    def whole_part(self, one: str, other: int) -> str:
        """A whole number divided by another, cut towards 0."""
        return f"(({one}) // {other})"

    def time(self, value: str, shape: Shape) -> str:
        """A naive UTC time; null where no calendar has it."""
        utc = f"timezone('UTC', {value})" if shape == "instant" else f"cast({value} as timestamp)"
        return f"case when isfinite({value}) and {self._in_calendar(utc)} then {utc} end"

    def _in_calendar(self, utc: str) -> str:
        return f"{utc} >= timestamp '0002-01-01' and {utc} < timestamp '9999-01-01'"

    def micros(self, start: str, end: str) -> str:
        """Microseconds between two naive times, as a whole number."""
        return f"(epoch_us({end}) - epoch_us({start}))"

    def person(self, text: str) -> str:
        """A name as `roi.privacy.person` folds it, of signs that are known to `letters`."""
        spaced = f"translate({text}, {self.string(SPACES)}, {self.string(' ' * len(SPACES))})"
        single = self._single_spaces(spaced)
        folded = f"replace(replace({self.small(self._no_ends(single))}, 'ß', 'ss'), 'ς', 'σ')"
        # Most names are signs of ASCII with single blanks between them, of which the rest would make nothing else.
        odd = self.matches(text, "[^!-~ ]|^ | $|  ")
        return f"case when not ({odd}) then {self.lower(text)} else {folded} end"

    def alike(self, one: str, other: str) -> str:
        """Whether two names differ only in how an umlaut or an accent is spelled, as `roi.privacy.alike` tells it."""
        a, b = self.person(one), self.person(other)
        same = f"{self._bare(self._spelled(a))} = {self._bare(self._spelled(b))} or {self._bare(a)} = {self._bare(b)}"
        marked = f"not ({self.ascii(one)}) or not ({self.ascii(other)})"
        return f"case when {marked} then coalesce({a} <> {b} and ({same}), false) else false end"

    def _spelled(self, text: str) -> str:
        for letter, letters in SPELLED.items():
            text = f"replace({text}, {self.string(letter)}, {self.string(letters)})"
        return text

    def _bare(self, text: str) -> str:
        accented, bare = map(self.string, accented_and_bare())
        return f"translate({text}, {accented}, {bare})"

    def _single_spaces(self, text: str) -> str:
        return f"regexp_replace({text}, ' +', ' ', 'g')"

    def _no_ends(self, text: str) -> str:
        return f"trim({text})"

    def key(self, domain: str) -> str:
        """The domain's key, which stands in no statement."""
        return f"getvariable('key_{domain}')"

    def digest(self, text: str) -> str:
        """SHA-256 in hexadecimal digits."""
        return f"sha256({text})"

    def pseudonym(self, text: str, domain: str) -> str:
        """As `roi.privacy.pseudonym`; null of null."""
        named = self.person(text) if domain == "worker" else text
        return f"'{DOMAINS[domain]}' || substr({self.digest(f'{self.key(domain)} || {named}')}, 1, 12)"

    def ordered(self, text: str) -> str:
        """A text that is ordered by its signs' numbers, whatever the database's collation."""
        return text


class _Postgres(Tongue):
    """PostgreSQL's."""

    __slots__ = ()

    @property
    def inline(self) -> str:
        return "not materialized "

    @property
    def once(self) -> str:
        # Without it each expression takes the place of its column, wherever that is named in what asks, and in there
        # again. A column that nothing names is not worked out either way.
        return " offset 0"

    def kind(self, name: str) -> str:
        return {"double": "double precision", "varchar": "text"}.get(name, name)

    def text(self, value: str) -> str:
        return f"cast({value} as text)"

    def trimmed(self, text: str) -> str:
        return f"nullif(btrim({text}, {self.string(_BLANKS)}), '')"

    def ascii(self, text: str) -> str:
        return f"octet_length({text}) = length({text})"

    def lower(self, text: str) -> str:
        return f'lower(({text}) collate "C")'

    def matches(self, text: str, pattern: str) -> str:
        return f"{text} ~ {self.string(pattern)}"

    def decimal(self, value: str, shape: Shape, precision: int, scale: int) -> str:
        # There is no try_cast: whatever would fail is asked for first.
        least = "'Infinity', '-Infinity', 'NaN'"
        number = f"cast({value} as numeric)"
        there = f"{value} is not null"
        if shape == "float":  # by way of its text, which is the shortest that reads back as the same number
            number, there = f"cast({self.text(value)} as numeric)", f"{self.text(value)} not in ({least})"
        elif shape == "decimal":
            there = f"{self.text(value)} not in ({least})"
        elif shape == "text":
            there = self._short(value)
        rounded = f"round({number}, {scale})"
        fits = f"abs({rounded}) < 1e{precision - scale}::numeric"
        return f"case when {there} then case when {fits} then {rounded}::numeric({precision},{scale}) end end"

    def double(self, value: str, shape: Shape) -> str:
        cast = f"cast({value} as double precision)"
        if shape == "text":
            return f"case when {self._short(value)} then {cast} end"
        return f"case when {self.text(value)} not in ('Infinity', '-Infinity', 'NaN') then {cast} end"

    def whole_part(self, one: str, other: int) -> str:
        return f"(({one}) / {other})"

    def time(self, value: str, shape: Shape) -> str:
        utc = f"({value} at time zone 'UTC')" if shape == "instant" else f"cast({value} as timestamp)"
        return f"case when isfinite({value}) then case when {self._in_calendar(utc)} then {utc} end end"

    def micros(self, start: str, end: str) -> str:
        return f"cast(extract(epoch from ({end} - {start})) * 1000000 as bigint)"

    def _no_ends(self, text: str) -> str:
        return f"btrim({text}, ' ')"

    def key(self, domain: str) -> str:
        return f"current_setting('roi.key_{domain}')"

    def digest(self, text: str) -> str:
        return f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"

    def ordered(self, text: str) -> str:
        return f'({text}) collate "C"'


class _Spark(Tongue):
    """Spark's."""

    __slots__ = ()

    def kind(self, name: str) -> str:
        return {"varchar": "string", "timestamp": "timestamp_ntz"}.get(name, name)

    def string(self, text: str) -> str:
        return "'" + "".join(_SPARK_SIGNS.get(sign, sign) for sign in text) + "'"

    def text(self, value: str) -> str:
        return f"cast({value} as string)"

    def trimmed(self, text: str) -> str:
        return f"nullif(trim(both {self.string(_BLANKS)} from {text}), '')"

    def ascii(self, text: str) -> str:
        return f"octet_length({text}) = char_length({text})"

    def matches(self, text: str, pattern: str) -> str:
        return f"{text} rlike {self.string('(?s)' + pattern)}"

    def double(self, value: str, shape: Shape) -> str:
        if shape == "text":
            return f"case when {self._short(value)} then cast({value} as double) end"
        cast = f"cast({value} as double)"
        return f"case when abs({cast}) < double('Infinity') then {cast} end"

    def whole_part(self, one: str, other: int) -> str:
        return f"(({one}) div {other})"

    def time(self, value: str, shape: Shape) -> str:
        utc = f"cast({value} as timestamp_ntz)"  # the session's zone is UTC
        return f"case when {self._in_calendar(utc)} then {utc} end"

    def _in_calendar(self, utc: str) -> str:
        return f"{utc} >= timestamp_ntz '0002-01-01' and {utc} < timestamp_ntz '9999-01-01'"

    def micros(self, start: str, end: str) -> str:
        return f"(unix_micros(cast({end} as timestamp)) - unix_micros(cast({start} as timestamp)))"

    def _single_spaces(self, text: str) -> str:
        return f"regexp_replace({text}, ' +', ' ')"

    def key(self, domain: str) -> str:
        return f"key_{domain}"  # a column of the rows' own view, which the session fills in

    def digest(self, text: str) -> str:
        return f"sha2({text}, 256)"


_SPARK_SIGNS = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_TONGUES: Mapping[str, Tongue] = {
    "duckdb": Tongue("duckdb"),
    "postgres": _Postgres("postgres"),
    "spark": _Spark("spark"),
}


def tongue_of(dialect: str) -> Tongue | None:
    """The language of a dialect; None of one that is not spoken here."""
    return _TONGUES.get(dialect)
