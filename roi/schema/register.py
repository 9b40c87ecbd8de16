"""The assumptions register: every uncertain value of a parameter file, with its words and its unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from roi.schema.base import Group, Label, Unit
from roi.schema.economics import CostLine
from roi.schema.model import Parameters
from roi.strict_yaml import YamlPath, dotted
from roi.uncertain import Uncertain, exact

__all__ = ["RegisterEntry", "dated_after", "register"]

_PER = {"once": "", "month": "/month", "case": "/case", "seat_month": "/seat and month", "year": "/year"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEntry:
    """One line of the assumptions register.

    Attributes:
        key: The dotted key; a list's items count from 0 (``economics.costs[2].amount``).
        label: What it is, in words.
        unit: Its unit, with the pilot's currency.
        value: The value with its origin.
    """

    key: str
    label: str
    unit: str
    value: Uncertain


def register(parameters: Parameters) -> tuple[RegisterEntry, ...]:
    """Every uncertain value of the parameters, in the order of the file's schema.

    Args:
        parameters: Checked parameters, defaults filled in.

    Returns:
        One entry a value; those with evidence "default" were not in the file.
    """
    found = [*_walk(parameters, (), parameters.about.currency, "")]
    horizon = exact(
        float(parameters.economics.horizon_months),
        evidence="assumed" if "horizon_months" in parameters.economics.model_fields_set else "default",
    )
    place = next((i for i, entry in enumerate(found) if entry.key.startswith("economics.")), len(found))
    entry = RegisterEntry(
        key="economics.horizon_months", label="Months looked ahead", unit="months", value=horizon
    )
    return (*found[:place], entry, *found[place:])


def dated_after(parameters: Parameters) -> list[tuple[YamlPath, str]]:
    """Inputs that are dated after the day of the decision which the file states: nobody could know them then.

    Where the file states no day, the newest of the samples stands in; an input may well be looked up a little later, so
    that this is a warning then (`roi.evidence`) and no mistake.

    Returns:
        The path of each `as_of`, and a message.
    """
    today = parameters.run.as_of
    if today is None:
        return []
    return [
        (
            (*_path(entry.key), "as_of"),
            f"{entry.value.as_of.isoformat()} is after the decision, which is of {today.isoformat()} (run.as_of); "
            "correct the year, or decide on a later day",
        )
        for entry in register(parameters)
        if entry.value.as_of is not None and entry.value.as_of > today
    ]


def _path(key: str) -> YamlPath:
    """The path that a dotted key stands for."""
    return tuple(
        int(part[1:-1]) if part[0] == "[" else part for part in re.findall(r"\[\d+\]|[^.\[\]]+", key)
    )


def _walk(group: Group, path: YamlPath, currency: str, name: str) -> Iterator[RegisterEntry]:
    for attribute, alias, marks in _fields_of(type(group)):
        value = getattr(group, attribute)
        here = (*path, alias)
        if isinstance(value, Uncertain):
            yield _entry(here, value, marks, group, currency, name)
        elif isinstance(value, Group):
            yield from _walk(value, here, currency, name)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, Uncertain):
                    unit = f"{currency} per {key}"
                    yield RegisterEntry(
                        key=dotted((*here, key)), label=f"Exchange rate of {key}", unit=unit, value=item
                    )
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                if isinstance(item, Group):
                    yield from _walk(item, (*here, place), currency, str(getattr(item, "name", "")))


@cache
def _fields_of(kind: type[Group]) -> tuple[tuple[str, str, tuple[Any, ...]], ...]:
    """The attributes of a group, their keys and their marks."""
    return tuple(
        (attribute, field.alias or attribute, (*field.metadata, *_marks(field.annotation)))
        for attribute, field in kind.model_fields.items()
    )


def _entry(
    path: YamlPath, value: Uncertain, marks: tuple[Any, ...], group: Group, currency: str, name: str
) -> RegisterEntry:
    label = next((str(mark) for mark in marks if isinstance(mark, Label)), str(path[-1]))
    unit = next((str(mark) for mark in marks if isinstance(mark, Unit)), "").replace("{currency}", currency)
    if isinstance(group, CostLine):
        if path[-1] == "amount":
            label, unit = name, f"{currency}{_PER[group.per]}"
        else:
            label = f"{name}: seats"
    elif name:
        label = f"{name}: {label.lower()}"
    return RegisterEntry(key=dotted(path), label=label, unit=unit, value=value)


def _marks(annotation: Any) -> Iterator[Any]:
    """Marks inside an optional annotation, where pydantic leaves them."""
    for argument in get_args(annotation):
        yield from getattr(argument, "__metadata__", ())
