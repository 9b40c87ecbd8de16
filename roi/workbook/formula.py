"""Formulas of a spreadsheet that know their value: what a cell says and what it shows can't disagree.

An expression is built once, from cells and numbers; its text goes into the file as the formula and its value beside it,
so that a reader which computes nothing shows the same as one which does.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "Formula",
    "Operand",
    "above_zero",
    "both",
    "largest",
    "least",
    "literal",
    "share_of",
    "text",
    "total",
    "total_product",
    "when",
    "whole",
]


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression of a spreadsheet.

    Attributes:
        text: As it is written, without the sign of equality; whole in itself, so that it may stand in another.
        value: What it comes to: a number, a truth, a text, or an array for a range.
    """

    text: str
    value: Any

    def __add__(self, other: Operand) -> Formula:
        return _two(self, "+", other, operator.add)

    def __radd__(self, other: Operand) -> Formula:
        return _two(other, "+", self, operator.add)

    def __sub__(self, other: Operand) -> Formula:
        return _two(self, "-", other, operator.sub)

    def __rsub__(self, other: Operand) -> Formula:
        return _two(other, "-", self, operator.sub)

    def __mul__(self, other: Operand) -> Formula:
        return _two(self, "*", other, operator.mul)

    def __rmul__(self, other: Operand) -> Formula:
        return _two(other, "*", self, operator.mul)

    def __truediv__(self, other: Operand) -> Formula:
        return _two(self, "/", other, operator.truediv)

    def __rtruediv__(self, other: Operand) -> Formula:
        return _two(other, "/", self, operator.truediv)

    def __pow__(self, other: Operand) -> Formula:
        return _two(self, "^", other, operator.pow)

    def __gt__(self, other: Operand) -> Formula:
        return _two(self, ">", other, operator.gt)

    def __lt__(self, other: Operand) -> Formula:
        return _two(self, "<", other, operator.lt)

    def __ge__(self, other: Operand) -> Formula:
        return _two(self, ">=", other, operator.ge)

    def __le__(self, other: Operand) -> Formula:
        return _two(self, "<=", other, operator.le)


Operand = Formula | float | int


def literal(value: float | int) -> Formula:
    """A number as a spreadsheet writes it, to its last digit."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of a spreadsheet")
    written = repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    written = written.upper()
    return Formula(f"({written})" if value < 0 else written, float(value))


def text(value: str) -> Formula:
    """Words of our own in a formula; nothing that a user wrote is ever put into one."""
    quoted = value.replace('"', '""')
    return Formula(f'"{quoted}"', value)


def _known(x: Operand) -> Formula:
    return x if isinstance(x, Formula) else literal(x)


def _two(left: Operand, sign: str, right: Operand, apply: Callable[[Any, Any], Any]) -> Formula:
    a, b = _known(left), _known(right)
    return Formula(f"({a.text}{sign}{b.text})", apply(a.value, b.value))


def _called(name: str, value: Any, *arguments: Operand) -> Formula:
    return Formula(f"{name}({','.join(_known(x).text for x in arguments)})", value)


def largest(*of: Operand) -> Formula:
    """The largest; a range counts each of its cells."""
    return _called("MAX", float(max(_ends(x, np.max) for x in of)), *of)


def least(*of: Operand) -> Formula:
    """The least; a range counts each of its cells."""
    return _called("MIN", float(min(_ends(x, np.min) for x in of)), *of)


def _ends(x: Operand, of: Callable[[Any], Any]) -> float:
    value = _known(x).value
    return float(of(value) if isinstance(value, np.ndarray) else value)


def share_of(x: Operand) -> Formula:
    """A number kept between 0 and 1."""
    return largest(0, least(1, x))


def above_zero(x: Formula) -> Formula:
    """Each of a range kept between 0 and 1, in a way that works on every cell of it inside a sum of products."""
    return (x > 0) * (x < 1) * x + (x >= 1)


def when(condition: Formula, then: Operand, otherwise: Operand) -> Formula:
    """One thing or another."""
    a, b = _known(then), _known(otherwise)
    return Formula(f"IF({condition.text},{a.text},{b.text})", a.value if condition.value else b.value)


def both(*conditions: Formula) -> Formula:
    """Whether all hold."""
    return _called("AND", all(bool(x.value) for x in conditions), *conditions)


def total(of: Formula) -> Formula:
    """The sum of a range."""
    return _called("SUM", float(np.sum(of.value)), of)


def total_product(of: Formula) -> Formula:
    """The sum over a range of an expression of it."""
    return _called("SUMPRODUCT", float(np.sum(of.value)), of)


def whole(x: Operand) -> Formula:
    """The whole number at or below."""
    return _called("INT", float(math.floor(_known(x).value)), x)
