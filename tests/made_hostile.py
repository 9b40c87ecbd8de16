"""A parameter file that has something in every text that its schema knows, found by walking the schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Annotated, Any, get_args, get_origin

from made_worlds import parameters
from pydantic import BaseModel

from roi.schema.base import read_names, read_text
from roi.schema.model import Parameters
from roi.uncertain import Uncertain

__all__ = ["TEXTS", "filled", "texts_of"]

ORIGIN = ("source", "owner", "how")  # that any uncertain value may carry
ELSEWHERE = (
    "samples",
    "scenarios",
    "policy",
)  # files, columns and queries; the same groups again; thresholds


def texts_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of every text of a model; the items of a list are reached without their number."""
    for name, field in model.model_fields.items():
        yield from _of(field.annotation, field.metadata, (*path, field.alias or name))


def _of(kind: Any, marks: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if get_origin(kind) is Annotated:
        of, *marks = get_args(kind)
        yield from _of(of, marks, path)
    elif any(getattr(mark, "func", None) in (read_text, read_names) for mark in marks):
        yield path
    elif kind is Uncertain:
        yield from ((*path, name) for name in ORIGIN)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from texts_of(kind, path)
    else:
        for part in get_args(kind):
            yield from _of(part, (), path)


TEXTS = tuple(dict.fromkeys(path for path in texts_of(Parameters) if path[0] not in ELSEWHERE))
"""Every text of the parameter file that people write as words."""
NAMES_OF_OURS = (("remedies", "addresses"), ("remedies", "after"))
"""Texts that name something of the package or of the file; any other word is refused."""
IN_PLACE_OF = {
    ("economics", "realisation", "total"): "cash and redeployed",
    ("economics", "run_cost_per_month"): "a line of costs",
    ("economics", "rollout_cost"): "a line of costs",
}
"""Values that stand in place of others, which are filled."""


def filled(texts: Sequence[str]) -> tuple[dict[str, Any], set[tuple[str, ...]]]:
    """A pilot's parameters with texts in turn in every text field; a cost line, a remedy and an alternative for each.

    Returns:
        The parameters, and the paths of the texts that they hold: a field that is added to the schema is held too.
    """
    given, turn, held = parameters(), cycle(texts), set[tuple[str, ...]]()
    e = given["economics"]
    e["costs"] = [
        {"name": f"{x} {i}", "kind": "other", "amount": 1, "seats": 1, "per": "seat_month"}
        for i, x in enumerate(texts)
    ]
    e |= {"fx": {"USD": 0.9}, "error_cost": {"minor": 5, "moderate": 60, "major": 1200, "critical": 9000}}
    e |= {"design_bias": {"before_after": 0.1, "observational": 0.2}}
    e["price_scenarios"] = {f"s{i}": {"change": -0.1} for i in range(len(texts))}
    given["remedies"] = [
        {"name": f"{x} {i}", "addresses": "workflow", "cost": 900} for i, x in enumerate(texts)
    ]
    given["alternatives"] = [{"name": f"{x} {i}", "minutes_saved": 1, "cost": 1} for i, x in enumerate(texts)]
    given["claims"] = [{"quantity": "minutes_saved_per_case", "value": 3} for _ in texts]

    def put(at: Any, path: tuple[str, ...], done: tuple[str, ...]) -> None:
        name, *rest = path
        if isinstance(at, list):
            for item in at:
                put(item, path, done)
        elif done == ("economics", "price_scenarios") and all(isinstance(x, dict) for x in at.values()):
            for item in at.values():  # by their names
                put(item, path, done)
        elif not rest:
            if name != "name":  # which has its number, so that no two are the same
                at[name] = next(turn)
            held.add((*done, name))
        elif rest[0] in ORIGIN and len(rest) == 1 and (*done, name) == ("economics", "fx"):
            put(at[name], ("USD", rest[0]), (*done, name))
        elif rest[0] in ORIGIN and len(rest) == 1 and not isinstance(at.get(name), list):
            at[name] = at.get(name, 0.1)
            if not isinstance(at[name], dict):
                at[name] = {"value": at[name]}
            put(at[name], (rest[0],), (*done, name))
        else:
            put(at.setdefault(name, {}), tuple(rest), (*done, name))

    for path in TEXTS:
        if path not in NAMES_OF_OURS and path[:-1] not in IN_PLACE_OF:
            put(given, path, ())
    given["about"]["goal"] |= {"metric": "minutes_saved_per_case", "target": 5, "by": "2027-12-31"}
    return given, {
        ("economics", "fx", path[-1]) if path[:2] == ("economics", "fx") else path for path in held
    }
