"""Numbers with check digits, held against them by the python-stdnum package, as functions of the engine."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module

from roi.readers.base import Connection

__all__ = ["add_checks", "is_valid"]

_MODULES = {
    "iban": "stdnum.iban",
    "bic": "stdnum.bic",
    "vat": "stdnum.eu.vat",
    "card": "stdnum.luhn",
    "ean": "stdnum.ean",
    "isbn": "stdnum.isbn",
}


def is_valid(kind: str) -> Callable[[str], bool]:
    """What tells whether a text is a valid number of a kind: iban, bic, vat, card, ean or isbn.

    It never raises: what it is given is a cell, whose text must be in no message.
    """
    module = import_module(_MODULES[kind])

    def valid(text: str) -> bool:
        try:
            return bool(module.is_valid(text.replace(" ", "").replace("-", "").replace("\u00a0", "")))
        except Exception:  # whatever a package makes of a text: it is no valid number
            return False

    return valid


def add_checks(con: Connection, wanted: Collection[str]) -> None:
    """Give the engine the function `valid_<kind>` for each of some kinds; blank stays blank."""
    for kind in sorted(wanted):
        con.create_function(f"valid_{kind}", is_valid(kind), ["VARCHAR"], "BOOLEAN")
