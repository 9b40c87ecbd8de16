"""What each raw field must be: as the analyst states it, else as most of its own values are, which is said.

An inferred rule is careful. It rests on at least `LEAST` values: on those of the demo, of which `OF_DEMO` must be
alike, for that is what the agent was shown; else on all of them, of which `OF_ALL` must be. Only missing values, kinds,
formats and units count as defects where they are inferred. What is merely odd, such as a number far from the others, is
shown and counts only where a rule is stated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from roi import input_kinds as kinds
from roi.casts import DateStyle
from roi.schema.input_fields import FieldRule

__all__ = [
    "DEFECTS",
    "HAS",
    "LEAST",
    "MARKED",
    "Facts",
    "FieldPlan",
    "InputRule",
    "bit",
    "plan_field",
    "rule",
]

Ints = npt.NDArray[np.int64]
Share: TypeAlias = Callable[[Sequence[int]], float]

LEAST, OF_DEMO, OF_ALL = 20, 0.9, 0.8
FILLED = 0.95  # so many have it where a field is taken for required

DEFECTS = ("missing", "kind", "format", "unit", "range", "contradiction", "duplicate", "late")
"""What may be wrong with a value; each has its bit, in this order."""
MARKED, HAS = 1 << len(DEFECTS), 2 << len(DEFECTS)
"""Bits of a value that is a placeholder, and of one that is there."""
_CAREFUL = ("missing", "kind", "format", "unit")

_CHECKED = ("iban", "bic", "vat", "card", "ean", "isbn")
_FORMATS = {
    "email": "an e-mail address",
    "iban": "an IBAN with its check digits",
    "bic": "a BIC",
    "vat": "a VAT number with its check digits",
    "card": "a card number with its check digit",
    "ean": "an EAN with its check digit",
    "isbn": "an ISBN with its check digit",
}
_FAMILIES = {
    "ISO (2026-01-31)": (kinds.ISO, kinds.ISO_TIME),
    "31.01.2026": (kinds.DOTTED,),
    "dates with slashes": (kinds.DAY_FIRST, kinds.MONTH_FIRST, kinds.AMBIGUOUS),
    "dates with a month's name": (kinds.NAMED,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRule:
    """One rule that a field's values are held against.

    Attributes:
        defect: Which of `DEFECTS` a value has that breaks it.
        text: The rule, in words.
        stated: Whether the analyst stated it.
        counts: Whether breaking it counts among a case's defects.
    """

    defect: str
    text: str
    stated: bool
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was counted of a field before there is a rule.

    Attributes:
        counts: Cells by kind in production and in the demo, shape (2, kinds).
        shapes: Most frequent form and how many cells have it, in production with the demo, and in the demo.
        units: Unit ("" for none) → how many numbers carry it, in all and in the demo.
        distinct: Different values.
    """

    counts: Ints
    shapes: tuple[tuple[str, int], tuple[str, int]]
    units: Mapping[str, tuple[int, int]]
    distinct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlan:
    """How one field is read and judged.

    Attributes:
        name: Of the column.
        kind: number, date, email, iban, code, flag, category, text, or unclear where it has too few values.
        style: The decimal mark of its numbers.
        dates: The order of day and month of its dates with slashes.
        accepted: Kinds of cells that are of its kind; empty where any is.
        formatted: Kinds of cells that are in its format, too; empty where any is.
        shape: The form that its codes have; None without.
        unit: The unit of its numbers, "" for none; None where no rule says.
        checked: The format whose check digits are checked; None without.
        distinct: Different values.
        given: What is stated.
        rules: What its values are held against.
    """

    name: str
    kind: str
    style: Literal["dot", "comma"] = "dot"
    dates: DateStyle = "day_first"
    accepted: tuple[int, ...] = ()
    formatted: tuple[int, ...] = ()
    shape: str | None = None
    unit: str | None = None
    checked: str | None = None
    distinct: int = 0
    given: FieldRule = field(default_factory=FieldRule)
    rules: tuple[InputRule, ...] = ()

    def mask(self, *, counting: bool) -> int:
        """The bits of defects that a rule looks for, or of those that count."""
        return sum({bit(rule.defect) for rule in self.rules if rule.counts or not counting})


def bit(defect: str) -> int:
    """The bit of a defect."""
    return 1 << DEFECTS.index(defect)


def rule(defect: str, text: str, *, stated: bool = False) -> InputRule:
    """A rule, which counts where it is stated or careful."""
    return InputRule(defect=defect, text=text, stated=stated, counts=stated or defect in _CAREFUL)


def plan_field(name: str, facts: Facts, given: FieldRule) -> FieldPlan:
    """Settle what a field must be.

    Args:
        name: Of the column.
        facts: What was counted of it.
        given: What is stated of it.
    """
    if given.ignore:
        return FieldPlan(name=name, kind="ignored", given=given, distinct=facts.distinct)
    cells = facts.counts.sum(axis=0)
    filled = facts.counts.sum(axis=1) - facts.counts[:, [kinds.BLANK, kinds.MARK]].sum(axis=1)
    of_demo = bool(filled[1] >= LEAST)
    seen, n = (facts.counts[1], int(filled[1])) if of_demo else (cells, int(filled.sum()))
    least = OF_DEMO if of_demo else OF_ALL
    where = "of the demo's" if of_demo else "of its"

    def share(group: Sequence[int]) -> float:
        return float(seen[list(group)].sum() / n) if n else 0.0

    shape, alike = facts.shapes[1 if of_demo else 0]
    kind = _stated_kind(given) or _inferred_kind(share, facts, shape, alike / n if n else 0.0, least, n)
    rules: list[InputRule] = [*_required(facts, given)]
    plan: dict[str, Any] = {}
    if kind == "number":
        rules += _of_numbers(plan, given, facts, seen, share, least, of_demo, where)
    elif kind == "date":
        rules += _of_dates(plan, given, seen, share, least, where)
    elif kind in _CHECKED or kind == "email":
        stated = given.format is not None
        plan |= {"checked": kind if kind in _CHECKED else None}
        if kind in ("email", "iban"):
            plan |= {"formatted": (kinds.EMAIL,) if kind == "email" else (kinds.IBAN,)}
        said = (
            ""
            if stated
            else f": {share([kinds.EMAIL if kind == 'email' else kinds.IBAN]):.0%} {where} values"
        )
        rules.append(rule("format", f"{_FORMATS[kind]}{said}", stated=stated))
    elif kind == "flag":
        plan |= {"accepted": (kinds.FLAG, kinds.WHOLE)}
        rules.append(rule("kind", f"yes or no: {share([kinds.FLAG]):.0%} {where} values"))
    elif kind == "code":
        plan |= {"shape": shape}
        rules.append(rule("format", f"written as {shape}: {alike / n:.0%} {where} values"))
    rules = _with_stated(rules, given)
    return FieldPlan(name=name, kind=kind, given=given, rules=tuple(rules), distinct=facts.distinct, **plan)


def _stated_kind(given: FieldRule) -> str | None:
    if given.format is not None:
        return "number" if given.format == "integer" else given.format
    if given.min is not None or given.max is not None or given.unit or given.sum_of:
        return "number"
    if given.not_after or given.not_before or given.max_age_days is not None:
        return "date"
    return "text" if given.pattern or given.one_of else None


def _inferred_kind(share: Share, facts: Facts, shape: str, alike: float, least: float, n: int) -> str:
    if n < LEAST:
        return "unclear"
    # Long numbers of one length are numbers of things, and no amounts.
    long_number = len(shape) >= 7 and set(shape) == {"9"}
    if alike >= least and long_number:
        return "code"
    for kind, group in (
        ("number", kinds.NUMBERS),
        ("date", (*kinds.DATES, kinds.IMPOSSIBLE)),
        ("email", (kinds.EMAIL,)),
        ("iban", (kinds.IBAN,)),
        ("flag", (kinds.FLAG,)),
    ):
        if share(group) >= least:
            return kind
    code = "9" in shape and " " not in shape and len(shape) <= 40 and facts.distinct > 5
    if code and alike >= least:
        return "code"
    total = int(facts.counts.sum())
    return "category" if facts.distinct <= 30 and facts.distinct * 5 <= total else "text"


def _required(facts: Facts, given: FieldRule) -> list[InputRule]:
    if given.required is not None:
        return [rule("missing", "required", stated=True)] if given.required else []
    n = facts.counts.sum(axis=1)
    there = n - facts.counts[:, [kinds.BLANK, kinds.MARK]].sum(axis=1)
    for who, cases, has in (("the demo's", n[1], there[1]), ("all", n.sum(), there.sum())):
        if cases >= LEAST:
            if has >= FILLED * cases:
                return [rule("missing", f"required: {has / cases:.0%} of {who} rows have it")]
            return []
    return []


def _of_numbers(
    plan: dict[str, Any],
    given: FieldRule,
    facts: Facts,
    seen: Ints,
    share: Share,
    least: float,
    of_demo: bool,
    where: str,
) -> list[InputRule]:
    stated = given.format is not None
    found = []
    plan["accepted"] = kinds.NUMBERS
    said = "" if stated else f": {share(kinds.NUMBERS):.0%} {where} values"
    found.append(rule("kind", f"a number{said}", stated=stated))
    point, comma = int(seen[kinds.POINT]), int(seen[kinds.COMMA])
    plan["style"] = "comma" if comma > point else "dot"
    marks = point + comma
    if given.format == "integer":
        plan["formatted"] = (kinds.WHOLE,)
        found.append(rule("format", "a whole number", stated=True))
    elif marks >= LEAST and max(point, comma) >= least * marks:
        wrong = kinds.POINT if comma > point else kinds.COMMA
        plan["formatted"] = tuple(k for k in kinds.NUMBERS if k != wrong)
        mark = "comma" if comma > point else "point"
        found.append(rule("format", f"a decimal {mark}: {max(point, comma) / marks:.0%} {where} decimals"))
    if given.unit is not None:
        plan["unit"] = kinds.unit_name(given.unit)
        found.append(rule("unit", f"in {plan['unit']}, where a unit is written", stated=True))
    elif facts.units:
        amounts = {unit: n[1 if of_demo else 0] for unit, n in facts.units.items()}
        unit, n = max(amounts.items(), key=lambda item: (item[1], item[0]))
        total = sum(amounts.values())
        if total >= LEAST and n >= least * total:
            plan["unit"] = unit
            words = f"in {unit}" if unit else "without a unit"
            found.append(rule("unit", f"{words}: {n / total:.0%} {where} numbers"))
    if given.min is not None or given.max is not None:
        ends = [
            f"at least {given.min:g}" if given.min is not None else "",
            f"at most {given.max:g}" if given.max is not None else "",
        ]
        found.append(rule("range", " and ".join(e for e in ends if e), stated=True))
    if given.sum_of:
        found.append(rule("contradiction", f"the sum of {', '.join(given.sum_of)}", stated=True))
    return found


def _of_dates(
    plan: dict[str, Any], given: FieldRule, seen: Ints, share: Share, least: float, where: str
) -> list[InputRule]:
    stated = given.format is not None
    every = (*kinds.DATES, kinds.IMPOSSIBLE)
    plan["accepted"] = every
    said = "" if stated else f": {share(every):.0%} {where} values"
    found = [rule("kind", f"a date{said}", stated=stated)]
    plan["dates"] = "month_first" if seen[kinds.MONTH_FIRST] > seen[kinds.DAY_FIRST] else "day_first"
    dated = int(seen[list(kinds.DATES)].sum())
    plan["formatted"] = kinds.DATES
    text = "a day of the calendar"
    for name, family in _FAMILIES.items():
        part = int(seen[list(family)].sum())
        if dated >= LEAST and part >= least * dated:
            wrong = kinds.DAY_FIRST if plan["dates"] == "month_first" else kinds.MONTH_FIRST
            plan["formatted"] = tuple(k for k in family if k != wrong)
            text = f"{name}: {part / dated:.0%} {where} dates"
    found.append(rule("format", text))
    for key, word in (("not_after", "no later than"), ("not_before", "no earlier than")):
        other = getattr(given, key)
        if other is not None:
            of_case = other in ("started_at", "ended_at")
            said = f"{word} {other}{' of the case' if of_case else ''}"
            late = of_case and key == "not_after"
            found.append(rule("late" if late else "contradiction", said, stated=True))
    if given.max_age_days is not None:
        found.append(
            rule("late", f"at most {given.max_age_days:g} days before the case was started", stated=True)
        )
    return found


def _with_stated(rules: list[InputRule], given: FieldRule) -> list[InputRule]:
    """The rules with those that go with any kind; a stated format goes before an inferred one."""
    stated: list[InputRule] = []
    if given.pattern is not None:
        stated.append(rule("format", f"matches {given.pattern}", stated=True))
    if given.one_of:
        stated.append(rule("format", f"one of {len(given.one_of)} values that are listed", stated=True))
    if stated:
        rules = [r for r in rules if r.defect != "format" or r.stated]
    if given.unique:
        stated.append(rule("duplicate", "of one case only", stated=True))
    return [*rules, *stated]
