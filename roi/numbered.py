"""Keys that are numbers behind one head, `CLM-1042` or `00817`, held as these numbers; all others as a hash.

Numbers cost less than their hashes, and such that lie close together have room for bits of what is asked of each
(`roi.blocks`). All of a domain are moved on by one secret number, so that what lies in a file is not what was written.
How a domain's keys are written is known to two macros of the engine, so that all who ask write the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from roi.privacy import key_number, key_text
from roi.readers.base import Connection, literal

__all__ = ["LARGEST", "WHOLE", "Numbers", "declare", "declared", "number_of", "numbers_in", "shown_of"]

WHOLE = frozenset(f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG")) | {
    "INTEGER",
    "UINTEGER",
}
"""The engine's types of keys that are numbers already."""
# So few that of a hash, which may be any number of 64 bits, nobody takes it for one of them.
_DIGITS = 12
LARGEST = 10**_DIGITS - 1
# Of many keys most have about seven digits, and what is asked first is asked of all, what follows of the rest.
_BY_USE = sorted(range(_DIGITS), key=lambda before: abs(before - 6))
_FORM = re.compile(rf"(\S*?)(?<![0-9])([0-9]{{1,{_DIGITS}}})")


@dataclass(frozen=True, slots=True)
class Numbers:
    """How keys are written.

    Attributes:
        domain: Of `roi.privacy.DOMAINS`.
        head: What stands before the digits.
        width: The number of digits, where zeros fill it up; 0 where none stands in front.
    """

    domain: str
    head: str
    width: int

    def number(self, text: str) -> str:
        """SQL of the number that is written in a key; of one that is written otherwise it is anything, or NULL."""
        return f"try_cast({self._rest(text)} as ubigint)"

    def fits(self, text: str, number: str) -> str:
        """SQL that is true of a key that is written just as its number is, and else false or NULL."""
        rest, begins = self._rest(text), f"starts_with({text}, {literal(self.head)})" if self.head else "true"
        if self.width:
            written = f"({10**self.width} + {number})::varchar = '1' || {rest}"
            return f"({begins} and {number} <= {LARGEST} and {written})"
        # To write the number costs more than all else, and is left to few. No text that the engine reads as a number is
        # as long as the number and not the number, but a power such as 7e2, which ends in zeros, and one to another
        # base such as 0xFFFFFF, which begins with one. What begins with 1 to 9 is asked of the whole text, which has
        # not to be cut again.
        lengths = " ".join(
            f"when {len(self.head.encode()) + n + 1} then {10**n if n else 0}::ubigint" for n in _BY_USE
        )
        long = f"{number} >= case strlen({text}) {lengths} end"
        plain = f"{number} % 100 <> 0 and {text} >= {literal(self.head + '1')} and {text} < {literal(self.head + ':')}"
        other = f"case when {begins} and {long} then {number}::varchar = {rest} else false end"
        return f"(case when {plain} and {long} then true else {other} end)"

    def held(self, number: str) -> str:
        """SQL of what is held of a number up to `LARGEST`."""
        return f"({number} + getvariable('moved_{self.domain}'))"

    def text(self, held: str) -> str:
        """SQL of what was written."""
        digits = f"({held} - getvariable('moved_{self.domain}'))::varchar"
        digits = f"lpad({digits}, {self.width}, '0')" if self.width else digits
        return f"{literal(self.head)} || {digits}"

    def _rest(self, text: str) -> str:
        return f"substring({text}, {len(self.head) + 1})" if self.head else text


def numbers_in(texts: Sequence[str | None], domain: str) -> Numbers | None:
    """How some keys are written; None where not all are numbers behind the same head.

    No such text has blanks around it, or is a word for a sum: these have no digit, or a blank.
    """
    found = [_FORM.fullmatch(text or "") for text in texts]
    if not found or not all(found):
        return None
    heads, digits = zip(*((m[1], m[2]) for m in found if m), strict=True)
    filled = any(d[0] == "0" and len(d) > 1 for d in digits)
    if len(set(heads)) > 1 or not heads[0].isprintable() or (filled and len({len(d) for d in digits}) > 1):
        return None
    return Numbers(domain, heads[0], len(digits[0]) if filled else 0)


def declare(con: Connection, domain: str, numbers: Numbers | None) -> None:
    """Say how the keys of a domain are written; None holds each as the number of its hash, as others are in any case.

    Args:
        con: The engine.
        domain: Of `roi.privacy.DOMAINS`: "case" or "action".
        numbers: How they are written.
    """
    hashed, shown = key_number("t", domain), key_text("n", domain)
    if numbers is not None:
        number = numbers.number("t")
        hashed = f"case when {numbers.fits('t', number)} then {numbers.held(number)} else {hashed} end"
        own = key_number(numbers.text("n"), domain)
        is_number = f"n between {numbers.held('0::ubigint')} and {numbers.held(f'{LARGEST}::ubigint')}"
        shown = key_text(f"(case when {is_number} then {own} else n end)", domain)
    width = "null" if numbers is None else str(numbers.width)
    head = "null" if numbers is None else literal(numbers.head)
    con.execute(
        f"create or replace temp macro number_of_{domain}(t) as ({hashed}); "
        f"create or replace temp macro shown_{domain}(n) as ({shown}); "
        f"set variable written_{domain} = [{head}, {width}::varchar]; "
        f"set variable moved_{domain} = (md5_number(getvariable('key_{domain}') || ' moved') >> 68)::ubigint"
    )


def declared(con: Connection, domain: str) -> Numbers | None:
    """What `declare` was told last."""
    ((found,),) = con.execute(f"select getvariable('written_{domain}')").fetchall()
    return None if not found or found[0] is None else Numbers(domain, found[0], int(found[1]))


def number_of(text: str, domain: str) -> str:
    """The key of a case or an action of a large table as SQL of a number; blank stays blank."""
    return f"number_of_{domain}({text})"


def shown_of(number: str, domain: str) -> str:
    """SQL of the pseudonym that is shown of such a key: the same whether it is held as its number or as its hash."""
    return f"shown_{domain}({number})"
