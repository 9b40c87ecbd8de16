"""What each change between two records did to the worth of scaling and its chance, recomputed.

Where the later record's inputs are still there, they are valued again with the earlier record's assumptions, policy and
seed laid over them. The difference from the earlier record is then what new data (with settings and method, which a
record cannot bring back) did; the rest is shared among assumptions, policy and seed.

Source:
    Shapley (1953), for a share that does not depend on the order in which changes are made.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from roi.analysis import analyse
from roi.diff import compare, identity
from roi.parameters import LoadedParameters, Parameters, Policy
from roi.pilot import Pilot, open_pilot
from roi.problems import InputError
from roi.record import build_record
from roi.schema.base import Group
from roi.schema.policy import Tightening
from roi.uncertain import Uncertain

__all__ = ["Effects", "attribute", "difference", "shares", "with_values"]

Record = Mapping[str, Any]
Point = tuple[float, float]

MOST_EXACT = 4  # factors whose every order is tried: 2^4 valuations
MOST = 12


@dataclass(frozen=True, slots=True)
class Effects:
    """What each change did.

    Attributes:
        rows: Of each change or group of changes: `what`, `worth` (of scaling everything) and `chance` it pays.
        steps: The verdict after each step: the earlier record's, with the new data alone, and the later record's.
        order_free: Whether the shares among assumptions, policy and seed are exact Shapley values.
        not_attributed: What could not be told apart, a sentence each.
    """

    rows: tuple[dict[str, Any], ...]
    steps: tuple[dict[str, Any], ...]
    order_free: bool
    not_attributed: tuple[str, ...]


def difference(old: Record, new: Record, *, recompute: bool = True) -> dict[str, Any]:
    """Hold two records of a pilot against each other, and say what each change did where that can be recomputed.

    Args:
        old: The earlier record.
        new: The later one.
        recompute: Whether to value the later record's inputs again.

    Returns:
        As `roi.diff.compare`, with `effects`, `steps`, `order_free` and `not_attributed`.
    """
    found = compare(old, new)
    blank: dict[str, Any] = {"effects": None, "steps": None, "order_free": None, "not_attributed": []}
    if not recompute or not found["changes"]:
        return found | blank
    told: Effects | str
    try:
        told = attribute(old, new, found["changes"], open_pilot(str(new.get("pilot"))))
    except InputError:
        told = (
            "What each change did cannot be recomputed: the pilot's parameter file or samples are not here, or need "
            "mending (roi check)."
        )
    if isinstance(told, str):
        return found | blank | {"not_attributed": [told]}
    return found | {
        "effects": list(told.rows),
        "steps": list(told.steps),
        "order_free": told.order_free,
        "not_attributed": list(told.not_attributed),
    }


def attribute(old: Record, new: Record, changes: Sequence[Record], pilot: Pilot) -> Effects | str:
    """Recompute what each change did to the worth of scaling everything.

    Args:
        old: The earlier record.
        new: The later one.
        changes: As `roi.diff.compare` lists them.
        pilot: The later record's pilot, opened.

    Returns:
        The effects; a sentence on why they cannot be told where that is so.
    """
    ends = [_point(r) for r in (old, new)]
    if ends[0] is None or ends[1] is None:
        return "The worth of scaling is not known in both records, so that no change can be priced."
    again = build_record(analyse(pilot.loaded, pilot.samples))
    if _point(again) != ends[1] or again["verdict"] != new.get("verdict"):
        return (
            "The inputs of the later record have changed since it was written, so that nothing can be recomputed; "
            "run the pilot again."
        )
    kinds = {str(change["kind"]) for change in changes}
    factors, lost = _factors(old, changes, pilot.loaded.parameters)
    if len(factors) > MOST:
        return f"{len(factors)} changes at once are too many to tell apart; change fewer at a time."
    seen: dict[frozenset[str], tuple[Point, str]] = {}

    def value(news: frozenset[str]) -> Point:
        if news not in seen:
            seen[news] = _valued(pilot, [back for name, back in factors.items() if name not in news])
        return seen[news][0]

    everything = frozenset(factors)
    try:
        value(everything)
        value(frozenset())
    except _UnknownError:
        return "With the earlier record's assumptions the worth of scaling cannot be computed."
    base = value(frozenset())
    rows = []
    together = [word for kind, word in _WITH_DATA.items() if kind in kinds] + (
        ["what is named below"] if lost else []
    )
    if together:
        rows.append(_row(" and ".join(together), ends[0], base))
    labels = _labels(changes)
    found, exact = shares(list(factors), value)
    rows += [
        {
            "what": labels.get(name, name),
            "worth": worth,
            "chance": chance,
            "kind": "assumption" if "." in name else name,
        }
        for name, (worth, chance) in found.items()
    ]
    notes = [f"{name}: cannot be laid back, so it counts with the data" for name in lost]
    if len(together) > 1:
        notes.append("Data, settings and method cannot be told apart: a record does not hold the rows.")
    if not together and not _close(base, ends[0]):
        rows.append(_row("something that neither record holds", ends[0], base))
    if not exact:
        rest = tuple(
            n - b - sum(x[i] for x in found.values())
            for i, (n, b) in enumerate(zip(ends[1], base, strict=True))
        )
        rows.append(
            {"what": "several of these together", "worth": rest[0], "chance": rest[1], "kind": "rest"}
        )
    steps = [
        {
            "what": "the earlier record",
            "verdict": old.get("verdict"),
            "worth": ends[0][0],
            "chance": ends[0][1],
        },
        *(
            [
                {
                    "what": f"with {' and '.join(together)} alone",
                    "verdict": seen[frozenset()][1],
                    "worth": base[0],
                    "chance": base[1],
                }
            ]
            if together and factors
            else []
        ),
        {
            "what": "the later record",
            "verdict": new.get("verdict"),
            "worth": ends[1][0],
            "chance": ends[1][1],
        },
    ]
    return Effects(tuple(rows), tuple(steps), exact, tuple(notes))


_WITH_DATA = {"data": "new data", "setting": "other settings", "method": "another method"}


class _UnknownError(Exception):
    """The worth is not known at this point."""


def _row(what: str, before: Point, after: Point) -> dict[str, Any]:
    return {"what": what, "worth": after[0] - before[0], "chance": after[1] - before[1], "kind": "data"}


def _close(a: Point, b: Point) -> bool:
    return all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9) for x, y in zip(a, b, strict=True))


def _point(record: Record) -> Point | None:
    scale = (record.get("options") or {}).get("scale")
    chance = (record.get("chances") or {}).get("scale_pays")
    return None if scale is None or chance is None else (float(scale["mean"]), float(chance))


Back = Callable[[LoadedParameters], LoadedParameters]


def _valued(pilot: Pilot, backs: Sequence[Back]) -> tuple[Point, str]:
    loaded = pilot.loaded
    for back in backs:
        loaded = back(loaded)
    analysis = analyse(loaded, pilot.samples)
    if analysis.scale is None:
        raise _UnknownError
    hurdle = analysis.loaded.policy.hurdle
    return (analysis.scale.mean(), analysis.scale.chance(hurdle)), analysis.verdict.verdict


def _factors(
    old: Record, changes: Sequence[Record], parameters: Parameters
) -> tuple[dict[str, Back], list[str]]:
    """What lays each change back, by its name, and the changes that nothing lays back."""
    before = {identity(row): row for row in old.get("assumptions") or []}
    groups: dict[str, dict[str, Uncertain | None]] = {}
    lost: list[str] = []
    for change in changes:
        if change["kind"] != "assumption":
            continue
        key, row = str(change["key"]), before.get(str(change.get("identity")))
        value = None if row is None else _uncertain(row)
        if (row is not None and value is None) or not _reachable(parameters, key, change.get("state")):
            lost.append(f"{change['what']} ({key})")
            continue
        group = re.sub(r"^(economics\.(?:error_cost|realisation))\..*", r"\1", key)
        groups.setdefault(group, {})[key] = value
    factors: dict[str, Back] = {name: _laid_back(values) for name, values in groups.items()}
    if any(change["kind"] == "policy" for change in changes):
        rules = old.get("policy")
        if isinstance(rules, Mapping):
            factors["the policy"] = _with_policy(rules)
        else:
            lost.append("the policy")
    seeds = {change["key"]: change["old"] for change in changes if change["kind"] == "seed"}
    if seeds:
        factors["the seed"] = _with_run({key.partition(".")[2]: value for key, value in seeds.items()})
    return factors, lost


def _uncertain(row: Record) -> Uncertain | None:
    numbers = row.get("numbers")
    if not numbers or row.get("form") is None:
        return None
    try:
        return Uncertain(
            form=row["form"],
            family=row["family"],
            numbers=tuple(float(x) for x in numbers),
            evidence=row.get("evidence") or "assumed",
        )
    except (KeyError, TypeError, ValueError):
        return None


def _reachable(parameters: Parameters, key: str, state: object) -> bool:
    """Whether a value can be laid back: an item of a list that was taken away is gone with its kind and dates."""
    return not (state == "removed" and "[" in key) and _find(parameters, key) is not None


def _laid_back(values: Mapping[str, Uncertain | None]) -> Back:
    return lambda loaded: replace(loaded, parameters=with_values(loaded.parameters, values))


def _with_policy(rules: Mapping[str, Any]) -> Back:
    def back(loaded: LoadedParameters) -> LoadedParameters:
        kept = {k: v for k, v in rules.items() if k in Policy.model_fields}
        policy = Policy.model_validate({**kept, "privacy": loaded.policy.privacy})
        parameters = loaded.parameters.model_copy(update={"policy": Tightening()})
        return replace(loaded, parameters=parameters, policy=policy, base_policy=policy)

    return back


def _with_run(values: Mapping[str, Any]) -> Back:
    def back(loaded: LoadedParameters) -> LoadedParameters:
        run = loaded.parameters.run.model_copy(update=dict(values))
        return replace(loaded, parameters=loaded.parameters.model_copy(update={"run": run}))

    return back


_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def _steps(key: str) -> list[str | int]:
    return [name or int(place) for name, place in _STEP.findall(key)]


def _labels(changes: Sequence[Record]) -> dict[str, str]:
    """What a reader calls a factor: the words of the register, for a group its key."""
    return {str(c["key"]): str(c["what"]) for c in changes if c["kind"] == "assumption"} | {
        "economics.error_cost": "Cost of errors",
        "economics.realisation": "What becomes of saved time",
    }


def _find(parameters: Parameters, key: str) -> object | None:
    """What holds the last step of a dotted key; None where the way there ends earlier."""
    here: Any = parameters
    for step in _steps(key)[:-1]:
        if isinstance(step, int):
            here = here[step] if isinstance(here, tuple) and step < len(here) else None
        elif isinstance(here, Mapping):
            here = here.get(step)
        else:
            here = getattr(here, "from_" if step == "from" else step, None)
    return here if isinstance(here, Group | Mapping) else None


def with_values(parameters: Parameters, values: Mapping[str, Uncertain | None]) -> Parameters:
    """Parameters with other values at some dotted keys; None takes a value away, an item of a list as a whole.

    Args:
        parameters: Checked parameters; they stay as they are.
        values: By the keys of their own register.
    """
    gone = {key for key, value in values.items() if value is None and "[" in key}
    for key, value in values.items():
        if key not in gone:
            parameters = _laid(parameters, _steps(key), value)
    items = {tuple(_steps(key))[: _steps(key).index(_place(key)) + 1] for key in gone}
    for steps in sorted(items, key=lambda s: [str(x) for x in s], reverse=True):
        parameters = _laid(parameters, list(steps), None)
    return parameters


def _place(key: str) -> int:
    return next(step for step in _steps(key) if isinstance(step, int))


def _laid(here: Any, steps: Sequence[str | int], value: Uncertain | None) -> Any:
    """A copy of a group with something else at the end of the way; validators have seen both values before."""
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = list(here)
        if not rest and value is None:
            del items[step]
        else:
            items[step] = _laid(items[step], rest, value)
        return tuple(items)
    if isinstance(here, Mapping):
        return {**{k: v for k, v in here.items() if k != step}, **({} if value is None else {step: value})}
    if rest:
        return here.model_copy(update={step: _laid(getattr(here, step), rest, value)})
    whole = step == "horizon_months" and value is not None
    return here.model_copy(update={step: int(value.mean) if whole and value is not None else value})


def shares(names: Sequence[str], value: Callable[[frozenset[str]], Point]) -> tuple[dict[str, Point], bool]:
    """How much of the way from no change to every change each change is.

    Args:
        names: The changes.
        value: The worth and chance with some changes made and the others not.

    Returns:
        By name the share of worth and chance, and whether they are exact Shapley values, which add up; of more than
        four changes the mean of coming first and of coming last, which leaves a rest.
    """
    n = len(names)
    everything = frozenset(names)
    found: dict[str, Point] = {}
    for name in names:
        gains: list[tuple[float, Point, Point]] = []
        for others, weight in _coalitions(everything - {name}, n):
            gains.append((weight, value(others), value(others | {name})))
        found[name] = (
            math.fsum(w * (after[0] - before[0]) for w, before, after in gains),
            math.fsum(w * (after[1] - before[1]) for w, before, after in gains),
        )
    return found, n <= MOST_EXACT


def _coalitions(others: frozenset[str], n: int) -> Iterator[tuple[frozenset[str], float]]:
    if n > MOST_EXACT:
        yield frozenset(), 0.5
        yield others, 0.5
        return
    for size in range(n):
        weight = 1 / (n * math.comb(n - 1, size))
        for chosen in itertools.combinations(sorted(others), size):
            yield frozenset(chosen), weight
