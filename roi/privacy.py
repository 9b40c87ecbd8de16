"""Names of people and cases become keyed pseudonyms while a sample is read; what stays in clear is checked.

A pseudonym is the same for the same name in every table of a pilot, so that tables can be joined and a person who asks
can be told from one who approves. It is made inside the engine: the names themselves are in no table that is handed on.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "ALIKE",
    "DOMAINS",
    "LONGEST_CATEGORY",
    "MOST_CATEGORIES",
    "SPELLED",
    "Keys",
    "alike",
    "describe_text",
    "identifier_like",
    "key_number",
    "key_text",
    "looks_personal",
    "make_keys",
    "person",
    "pseudonym",
]

DOMAINS: Mapping[str, str] = {
    "case": "c-",
    "worker": "w-",
    "pair": "p-",
    "action": "a-",
    "evaluation": "e-",
    "run": "r-",
    "category": "x-",
}
ALIKE = "alike_"
"""The column of the action log that says whether the names of who asked and who approved are spelled alike."""
LONGEST_CATEGORY = 60
MOST_CATEGORIES = 50

SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"}
"""Letters that are written out as others where a keyboard lacks them."""
_LOOKED_AT = 1_000  # characters; what is longer is never shown
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_DATE = re.compile(r"(?<!\d)(19|20)\d\d[-./_]?(0[1-9]|1[0-2])[-./_]?(0[1-9]|[12]\d|3[01])(?!\d)")
_HEXADECIMAL = re.compile(r"\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,64}\b")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b")
_MANY_DIGITS = re.compile(r"\d(?:[\s\-./()]*\d){6,}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9*][A-Za-z0-9_.:/+*-]*")  # a star stands for every scope of a kind


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """One secret for each domain of names; never printed.

    Attributes:
        by_domain: A secret of 128 bits, in hexadecimal digits, for each of `DOMAINS`.
        stated: Whether the key came from the environment (stronger) or from the pilot's name (weaker).
    """

    by_domain: Mapping[str, str]
    stated: bool


def make_keys(pilot: str, *, key_env: str | None) -> Keys:
    """Derive a pilot's keys.

    Args:
        pilot: The pilot's name. Without a key in the environment the pseudonyms rest on it alone, so that whoever has
            the code and a list of names can find them again: enough to keep names out of reports, not enough against
            somebody who looks for them.
        key_env: The environment variable that holds the key (`privacy.key_env` of the policy), if one is stated.

    Returns:
        The same keys for the same pilot and environment.
    """
    value = os.environ.get(key_env, "") if key_env else ""
    root = hashlib.sha256(b"roi key " + value.encode() if value else b"roi pilot " + pilot.encode()).digest()
    by_domain = {d: hashlib.sha256(root + b" " + d.encode()).hexdigest()[:32] for d in DOMAINS}
    return Keys(by_domain=by_domain, stated=bool(value))


def pseudonym(text: str, domain: str) -> str:
    """The pseudonym of a text as an SQL expression; blank stays blank.

    Args:
        text: SQL expression of a text.
        domain: One of `DOMAINS`. The engine holds the domain's key in the variable `key_<domain>`, so that no
            statement, and so no message about one, contains it.

    Returns:
        SQL for the domain's prefix and twelve hexadecimal digits: the head of SHA-256 over key and text. Cutting it
        off is what keeps a keyed hash of this form from being extended to other texts. People are written now one way
        and now another: of their names the text is hashed as `person` has it, so that "Ann Lee" and " ann  lee" are one
        person.
    """
    if domain == "worker":
        text = person(text)
    return f"'{DOMAINS[domain]}' || left(sha256(getvariable('key_{domain}') || {text}), 12)"


def key_number(text: str, domain: str) -> str:
    """The key of a case or an action of a large table as SQL of a number; blank stays blank.

    Args:
        text: SQL expression of a text.
        domain: Of `DOMAINS`, as of `pseudonym`. The first 64 bits of MD5 over key and text: it takes the engine a third
            of what its SHA-256 takes, of which ten million cases would be told apart by 48 bits no more.
    """
    return f"(md5_number(getvariable('key_{domain}') || {text}) >> 64)::ubigint"


def key_text(column: str, domain: str) -> str:
    """What is shown of a number that `key_number` made, in SQL: the domain's prefix and its hexadecimal digits."""
    return f"'{DOMAINS[domain]}' || format('{{:016x}}', {column})"


def person(text: str) -> str:
    """The name of a person as an SQL expression in which spellings of one name are equal.

    Single blanks and none around it, Unicode's composed form, and its case folded: small letters, and the two that the
    engine's small letters do not make equal (ß and ss, the two Greek sigmas).
    """
    plain = f"lower(nfc_normalize(trim(regexp_replace({text}, '[\\s\\p{{Z}}]+', ' ', 'g'))))"
    return f"replace(replace({plain}, 'ß', 'ss'), 'ς', 'σ')"


def alike(one: str | None, other: str | None) -> str:
    """Whether two names differ, but by no more than how an umlaut or an accent is spelled, in SQL.

    "Müller", "Mueller" and "Muller" may be one person or several: it is a hint, and nothing is joined by it.

    Args:
        one: SQL expression of a name; None where there is none.
        other: SQL expression of the other.
    """
    if one is None or other is None:
        return "false"

    def spelled(text: str) -> str:
        for letter, letters in SPELLED.items():
            text = f"replace({text}, '{letter}', '{letters}')"
        return f"strip_accents({text})"

    a, b = person(one), person(other)
    same = f"{spelled(a)} = {spelled(b)} or strip_accents({a}) = strip_accents({b})"
    # Names of plain letters alone are the same or differ by more; most rows are such, and asking is dear.
    marked = f"strlen({one}) > length({one}) or strlen({other}) > length({other})"
    return f"case when {marked} then coalesce({a} <> {b} and ({same}), false) else false end"


def looks_personal(value: str, *, dates_allowed: bool = False) -> str | None:
    """What a category value looks like that it must not be, such as an e-mail address.

    Args:
        value: A value of a column whose texts would be shown.
        dates_allowed: Names of models and versions hold dates (`…-20251022`) and the hashes of commits, which are no
            account numbers.

    Returns:
        A phrase such as ``"an e-mail address"``, or None.
    """
    value = value[:_LOOKED_AT]
    if _EMAIL.search(value):
        return "an e-mail address"
    digits = _DATE.sub("·", _HEXADECIMAL.sub("·", value)) if dates_allowed else value
    if _MANY_DIGITS.search(digits) or any(map(_is_account, _ACCOUNT.findall(value.upper()))):
        return "a telephone or account number"
    return None


def _is_account(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616); some have few digits in a row."""
    plain = text.replace(" ", "").replace("-", "")
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def identifier_like(value: str) -> bool:
    """Whether a value reads like a machine's name (`crm.write`, `v2`), which may be shown, and not like a person's."""
    if not _IDENTIFIER.fullmatch(value):
        return False
    return value == value.lower() or any(c.isdigit() or c in "_:/" for c in value)


def describe_text(length: int | None) -> str:
    """What may be said of a text cell: its length."""
    return "a blank" if not length else f"a text of {length:,} character{'s' if length != 1 else ''}"
