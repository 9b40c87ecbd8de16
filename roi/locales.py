"""Numbers, money, shares and dates as they are written where a pilot's readers are (`about.locale`).

Texts are made once, in one neutral form ("EUR −1,500", "55 %", "15 December 2026"), by `roi.words`; that form goes into
records and tables, which machines read. What people read is written anew from it here, at the very end, so that a page,
its charts and its PDF agree whatever made a text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from html import escape
from typing import Any

__all__ = ["LOCALES", "Locale", "localise", "localise_html", "money_format", "said_by_users", "signs"]

NBSP, NARROW, MINUS, QUOTE = "\u00a0", "\u202f", "\u2212", "\u2019"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
UNITS = {"k": 0, "M": 1, "million": 1, "bn": 2, "billion": 2}
SYMBOLS = {"EUR": "€"}  # everywhere; of others the code, which nobody mistakes
CURRENCIES = (
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR", "ISK", "JPY", "KRW",
    "MXN", "NOK", "NZD", "PLN", "RON", "SEK", "SGD", "TRY", "USD", "ZAR",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """How numbers are written somewhere; from the Unicode CLDR, which a test holds it against.

    Attributes:
        decimal: Between units and tenths.
        group: Between thousands.
        percent: What follows a share in per cent.
        money: Where the sign "¤" of the currency stands beside the number "#".
        date: A day, of {d}, {dd}, {m}, {mm}, {month} and {y}.
        least: Digits from which on thousands are parted.
        symbols: Currencies that are written otherwise than elsewhere.
        shortened: What follows thousands (None where they are not shortened), millions and billions; without it as
            texts have them ("250k", "1.43M", "EUR 1.43 million").
    """

    decimal: str = ","
    group: str = "."
    percent: str = f"{NBSP}%"
    money: str = f"#{NBSP}¤"
    date: str = "{dd}.{mm}.{y}"
    least: int = 4
    symbols: tuple[tuple[str, str], ...] = ()
    shortened: tuple[str | None, str, str] | None = None

    def symbol(self, currency: str) -> str:
        """What stands for a currency: "€", or its code."""
        return dict(self.symbols).get(currency) or SYMBOLS.get(currency, currency)

    def short(self, figure: str, unit: str) -> str:
        """A shortened figure: of "1.43" and "M" (or " million") it is "1,43 Mio."; of "250" and "k" it is "250.000".

        Args:
            figure: In the neutral form, without its sign.
            unit: "k", "M", "bn", " million" or " billion"; empty for a figure in full.
        """
        plain = unit.strip(f" {NBSP}")
        if not plain or self.shortened is None:
            return _number(figure, self) + unit
        place = UNITS[plain]
        word = self.shortened[place]
        if word is not None:
            return _number(figure, self) + word
        return _number(
            f"{Decimal(figure.replace(',', '')) * 1000:,.0f}", self
        )  # nobody shortens thousands there


_BRITISH = Locale(
    decimal=".",
    group=",",
    percent="%",
    money="¤#",
    date="{d} {month} {y}",
    symbols=(("GBP", "£"), ("USD", "US$")),
)
_GERMAN = (None, f"{NBSP}Mio.", f"{NBSP}Mrd.")
_FRENCH = (f"{NBSP}k", f"{NBSP}M", f"{NBSP}Md")
LOCALES: dict[str, Locale] = {
    "da-DK": Locale(shortened=(f"{NBSP}t", f"{NBSP}mio.", f"{NBSP}mia.")),
    "de-CH": Locale(
        decimal=".", group=QUOTE, percent="%", money=f"¤{NBSP}#", symbols=(("EUR", "EUR"),), shortened=_GERMAN
    ),
    "de-DE": Locale(symbols=(("GBP", "£"), ("USD", "$")), shortened=_GERMAN),
    "en-GB": _BRITISH,
    "en-IE": _BRITISH,
    "en-US": Locale(
        decimal=".",
        group=",",
        percent="%",
        money="¤#",
        date="{month} {d}, {y}",
        symbols=(("GBP", "£"), ("USD", "$")),
    ),
    "es-ES": Locale(date="{dd}/{mm}/{y}", least=5, shortened=(f"{NBSP}mil", f"{NBSP}M", f"{NBSP}mil{NBSP}M")),
    "fi-FI": Locale(group=NBSP, date="{d}.{m}.{y}", shortened=(f"{NBSP}t.", f"{NBSP}milj.", f"{NBSP}mrd.")),
    "fr-CH": Locale(group=NARROW, percent="%", shortened=_FRENCH),
    "fr-FR": Locale(group=NARROW, date="{dd}/{mm}/{y}", shortened=_FRENCH),
    "it-IT": Locale(percent="%", date="{dd}/{mm}/{y}", shortened=(None, f"{NBSP}Mln", f"{NBSP}Mld")),
    "nb-NO": Locale(group=NBSP, shortened=("k", f"{NBSP}mill.", f"{NBSP}mrd.")),
    "nl-NL": Locale(
        percent="%", money=f"¤{NBSP}#", date="{dd}-{mm}-{y}", shortened=("K", f"{NBSP}mln.", f"{NBSP}mld.")
    ),
    "pl-PL": Locale(group=NBSP, percent="%", least=5, shortened=(f"{NBSP}tys.", f"{NBSP}mln", f"{NBSP}mld")),
    "pt-PT": Locale(
        group=NBSP,
        percent="%",
        date="{dd}/{mm}/{y}",
        least=5,
        shortened=(f"{NBSP}mil", f"{NBSP}M", f"{NBSP}mM"),
    ),
    "sv-SE": Locale(group=NBSP, date="{y}-{mm}-{dd}", shortened=(f"{NBSP}tn", f"{NBSP}mn", f"{NBSP}md")),
}

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_UNIT = r"(?:[ \u00a0](?:million|billion)\b)?"
_MONTH = "|".join(f"{m[:3]}(?:{m[3:]})?" for m in MONTHS)
_FREE, _ENDS = r"(?<![\w.,/:#-])", r"(?![\w]|[.,]\d)"
_TAG = re.compile(r"<(style|script|code|pre|title|head|noscript|template)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
_ATTRIBUTE = re.compile(r'(?<=\s)(aria-label|alt|title|data-label|data-tip)="([^"]*)"')
# Where a record holds what somebody wrote, which is nobody's to rewrite.
_USERS = {
    "approved_by", "budget_owner", "by", "how", "key", "name", "owner", "pilot", "prepared_by", "reason_given",
    "remedies", "role", "scope", "segment", "source", "title", "workflow",
}  # fmt: skip


@cache
def _neutral() -> re.Pattern[str]:
    """What figures look like in the neutral form; made when first asked for, since that takes a while."""
    return re.compile(
        rf"""
        {_FREE}(?P<sign>[\u2212+]?)(?P<currency>{"|".join(CURRENCIES)})[ \u00a0]
            (?P<low>[\u2212-]?{_NUMBER})(?P<of_low>{_UNIT}){_ENDS}
            (?:(?P<between>[ ](?:to|and)[ ])(?P<high>[\u2212-]?{_NUMBER})(?P<of_high>{_UNIT}){_ENDS}(?![ \u00a0]?%))?
        | {_FREE}(?P<share>{_NUMBER})[ \u00a0]?%
        | {_FREE}(?P<day>\d{{1,2}})[ \u00a0](?P<month>{_MONTH})[ \u00a0](?P<year>\d{{4}})\b
        | {_FREE}(?P<number>{_NUMBER})(?:(?P<short>(?:k|M|bn|[ \u00a0](?:million|billion))\b)|(?![\w]|[.,]\d))
        """,
        re.VERBOSE,
    )


def localise(text: str, locale: str, *, keep: Iterable[str] = ()) -> str:
    """A text of ours as it is written somewhere.

    Args:
        text: In the neutral form of `roi.words`.
        locale: One of `LOCALES`.
        keep: Texts within it that stay as they are.

    Raises:
        KeyError: If the locale is not known.
    """
    return _around(text, LOCALES[locale], _kept(LOCALES[locale], frozenset(keep)))


def _around(text: str, found: Locale, kept: re.Pattern[str] | None) -> str:
    if kept is None:
        return _written(text, found)
    parts = kept.split(text)  # every other one is to be kept
    return "".join(part if i % 2 else _written(part, found) for i, part in enumerate(parts))


@lru_cache(maxsize=8)
def _kept(found: Locale, texts: frozenset[str]) -> re.Pattern[str] | None:
    """What finds texts that stay as they are, the longest first; None where none would change anyway."""
    changed = sorted((x for x in texts if _written(x, found) != x), key=lambda x: (-len(x), x))
    return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, changed))})(?!\w)") if changed else None


def _written(text: str, found: Locale) -> str:
    def write(match: re.Match[str]) -> str:
        if match["currency"]:
            return _money(match, found, text)
        if match["share"]:
            return _number(match["share"], found) + found.percent
        if match["day"]:
            return _date(match, found)
        return found.short(match["number"], match["short"] or "")

    return _neutral().sub(write, text)


def _number(text: str, found: Locale) -> str:
    whole, dot, rest = text.partition(".")
    digits = whole.replace(",", "")
    if "," in whole:
        parted = len(digits) >= found.least
        whole = whole.replace(",", found.group) if parted else digits
    return whole + (found.decimal + rest if dot else "")


def _money(match: re.Match[str], found: Locale, text: str) -> str:
    """One amount, or the two ends of a range, with the currency where it belongs."""
    symbol, pattern = _pattern(found, match["currency"])
    is_range = bool(match["high"]) and (
        match["between"].strip() == "to" or text[: match.start()].endswith("between ")
    )
    rest = "" if is_range or not match["high"] else match["between"] + match["high"] + match["of_high"]

    def one(number: str, unit: str, sign: str = "", *, alone: bool = True) -> str:
        sign = sign or (MINUS if number[0] in "-\u2212" else "")
        figure = found.short(number.lstrip("-\u2212"), unit)
        if not alone:
            return sign + figure
        if pattern.startswith(f"¤{NBSP}"):
            return f"{symbol}{NBSP}{sign}{figure}"
        return sign + pattern.replace("¤", symbol).replace("#", figure)

    low = (match["low"], match["of_low"], match["sign"])
    if not is_range:
        return one(*low) + (_written(rest, found) if rest else "")
    high = (match["high"], match["of_high"])
    if pattern.startswith("¤#"):
        return one(*low) + match["between"] + one(*high)
    if pattern.startswith("¤"):
        return one(*low) + match["between"] + one(*high, alone=False)
    return one(*low, alone=False) + match["between"] + one(*high)


def _pattern(found: Locale, currency: str) -> tuple[str, str]:
    """What stands for a currency, and where; a code is told apart from its number, also where a symbol is not."""
    symbol = found.symbol(currency)
    return symbol, found.money if len(symbol) < 3 or not found.money.startswith("¤#") else f"¤{NBSP}#"


def signs(locale: str, currency: str) -> dict[str, str | int]:
    """What a page's script needs to write a moved number as `localise` writes those that stand.

    Args:
        locale: One of `LOCALES`.
        currency: Of the amounts; one that is not known here stays where the neutral form has it.

    Returns:
        `point`, `group` and `least` of numbers, `percent` of shares, `currency` and `form` of amounts, and `million`
        and `billion` where they are shortened.

    Raises:
        KeyError: If the locale is not known.
    """
    found = LOCALES[locale]
    symbol, form = _pattern(found, currency) if currency in CURRENCIES else (currency, f"¤{NBSP}#")
    _, million, billion = found.shortened or ("", "", "")
    units: dict[str, str | int] = {"million": million, "billion": billion} if found.shortened else {}
    return units | {
        "point": found.decimal, "group": found.group, "least": found.least, "percent": found.percent,
        "currency": symbol, "form": form,
    }  # fmt: skip


def _date(match: re.Match[str], found: Locale) -> str:
    number = next(i for i, m in enumerate(MONTHS, 1) if m[:3] == match["month"][:3])
    day = int(match["day"])
    parts = {"d": day, "dd": f"{day:02d}", "m": number, "mm": f"{number:02d}", "month": match["month"]}
    return found.date.format(**parts, y=match["year"]).replace(" ", NBSP)


def localise_html(html: str, locale: str, *, keep: Collection[str] = ()) -> str:
    """A page of ours as it is written somewhere: its texts, those in its drawings and those that are read aloud.

    Args:
        html: The page; code, fingerprints and names of files stay as they are.
        locale: One of `LOCALES`.
        keep: Texts of users, not escaped.
    """
    found = LOCALES[locale]
    escaped = {escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") for text in keep}
    kept = _kept(found, frozenset(keep) | {escape(text) for text in keep} | escaped)

    def told(attribute: re.Match[str]) -> str:
        return f'{attribute[1]}="{_around(attribute[2], found, kept)}"'

    out, at = [], 0
    for tag in _TAG.finditer(html):
        out.append(_around(html[at : tag.start()], found, kept))
        out.append(tag[0] if tag[1] else _ATTRIBUTE.sub(told, tag[0]))
        at = tag.end()
    return "".join(out) + _around(html[at:], found, kept)


def said_by_users(record: Mapping[str, Any], *, figures_only: bool = True) -> set[str]:
    """Texts of a record that somebody wrote.

    Args:
        record: The record of a pilot.
        figures_only: Only those that hold a number.
    """
    found: set[str] = set()

    def look(value: Any, *, is_users: bool, within: str = "") -> None:
        if isinstance(value, Mapping):
            for key, part in value.items():
                look(part, is_users=key in _USERS or (within, key) == ("goal", "text"), within=key)
        elif isinstance(value, list):
            for part in value:
                look(part, is_users=is_users, within=within)
        elif is_users and isinstance(value, str) and (re.search(r"\d", value) or not figures_only):
            found.add(" ".join(value.split()))

    look(record, is_users=False)
    return found


@cache
def money_format(locale: str, currency: str) -> str:
    """A number format of spreadsheets for whole amounts; the program itself knows how its reader parts thousands.

    Args:
        locale: One of `LOCALES`.
        currency: Its code.
    """
    symbol, plain = _pattern(LOCALES[locale], currency)
    shown = plain.replace(NBSP, " ").replace("#", "#,##0").replace(" ", '" "').replace("¤", f'"{symbol}"')
    return f"{shown};[Red]-{shown}"
