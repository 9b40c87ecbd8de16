"""What each change between two records did to the worth of scaling and its chance, recomputed.

Where both runs have their archive, every change is swapped one at a time (`roi.swap`): data, settings, assumptions,
policy and seed. What the earlier run gives with the package of today, against what its record says, is the method's.

Where there is only the earlier record, the later one's inputs are valued again with the earlier assumptions, policy and
seed laid over them. The difference from the earlier record is then what new data (with settings and method, which a
record cannot bring back) did; the rest is shared among assumptions, policy and seed. Shares: `roi.shapley`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from roi.analysis import analyse
from roi.archive import MOMENTS, read_archive
from roi.diff import compare, identity
from roi.laying import group_of, holder_of, with_values
from roi.ledger import record_sha256
from roi.parameters import LoadedParameters, Parameters, Policy
from roi.pilot import Pilot, open_pilot
from roi.problems import InputError
from roi.record import build_record
from roi.schema.policy import Tightening
from roi.shapley import Point, closed, shares
from roi.swap import DATA, FAILED, SETTINGS, Side, UnknownError, between, grouped, side_of, worth_of
from roi.uncertain import Uncertain

__all__ = ["Effects", "attribute", "attribute_between", "difference"]

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effects:
    """What each change did.

    Attributes:
        rows: Of each change or group of changes: `what`, `worth` (of scaling everything) and `chance` it pays.
        steps: The verdict after each step: the earlier record's, with the new data alone, and the later record's.
        order_free: Whether the shares are Shapley values over every order; over drawn orders otherwise.
        not_attributed: What could not be told apart, a sentence each.
    """

    rows: tuple[dict[str, Any], ...]
    steps: tuple[dict[str, Any], ...]
    order_free: bool
    not_attributed: tuple[str, ...]


def difference(
    old: Record, new: Record, *, recompute: bool = True, files: tuple[Path, Path] | None = None
) -> dict[str, Any]:
    """Hold two records of a pilot against each other, and say what each change did where that can be recomputed.

    Args:
        old: The earlier record.
        new: The later one.
        recompute: Whether to value the later record's inputs again.
        files: The records' files, beside which their archives may lie.

    Returns:
        As `roi.diff.compare`, with `effects`, `steps`, `order_free` and `not_attributed`.
    """
    found = compare(old, new)
    blank: dict[str, Any] = {"effects": None, "steps": None, "order_free": None, "not_attributed": []}
    if not recompute or not found["changes"]:
        return found | blank
    told: Effects | str | None = None
    try:
        sides = None if files is None else _sides((old, new), files)
        if sides is not None:
            told = attribute_between(old, new, found["changes"], *sides)
        if told is None:
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
    seen: dict[frozenset[str], tuple[Point, str]] = {}

    def value(news: frozenset[str]) -> Point:
        if news not in seen:
            seen[news] = _valued(pilot, [back for name, back in factors.items() if name not in news])
        return seen[news][0]

    everything = frozenset(factors)
    try:
        value(everything)
        value(frozenset())
    except UnknownError:
        return "With the earlier record's assumptions the worth of scaling cannot be computed."
    base = value(frozenset())
    rows = []
    together = [word for kind, word in _WITH_DATA.items() if kind in kinds] + (
        ["what is named below"] if lost else []
    )
    if together:
        rows.append(_row(" and ".join(together), ends[0], base))
    labels = _labels(changes)
    found, orders = shares(list(factors), value)
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
    return Effects(
        _adding_up(rows, ends[0], ends[1]), tuple(steps), orders is None, (*notes, *_drawn(orders))
    )


def _drawn(orders: int | None) -> list[str]:
    many = "Of so many changes not every order can be tried"
    return (
        []
        if orders is None
        else [f"{many}: each share is the mean over {orders} orders, drawn by a fixed seed."]
    )


def _adding_up(rows: Sequence[dict[str, Any]], before: Point, after: Point) -> tuple[dict[str, Any], ...]:
    """Rows that add up to the whole difference to the last digit."""
    if not rows:
        return ()
    parts = closed([(r["worth"], r["chance"]) for r in rows], (after[0] - before[0], after[1] - before[1]))
    return tuple(
        {**r, "worth": worth, "chance": chance} for r, (worth, chance) in zip(rows, parts, strict=True)
    )


def _sides(records: tuple[Record, Record], files: tuple[Path, Path]) -> tuple[Side, Side] | None:
    """Both runs with what they were made from; None where one of them has no archive that can be read."""
    found = []
    for record, file in zip(records, files, strict=True):
        try:
            archive = read_archive(file.parent / MOMENTS)
            if archive.content["record"] != record_sha256(record):
                return None
            found.append(side_of(archive))
        except InputError:
            return None
    return found[0], found[1]


def attribute_between(
    old: Record, new: Record, changes: Sequence[Record], before: Side, after: Side
) -> Effects | None:
    """What each change did, each swapped between two runs that have their archives.

    Args:
        old: The earlier record.
        new: The later one.
        changes: As `roi.diff.compare` lists them.
        before: The earlier run.
        after: The later one.

    Returns:
        The effects, which add up to the whole difference; None where a worth is not known.
    """
    ends = [_point(r) for r in (old, new)]
    if ends[0] is None or ends[1] is None:
        return None
    found = between(before, after, changes)
    notes: list[str] = []
    told: tuple[dict[str, Point], int | None] | None = None
    apart = [n for n in (DATA, SETTINGS) if n in found.names]
    for together in ([], apart) if len(apart) == 2 else ([],):
        names, value = grouped(found, together)
        try:
            own = worth_of(before.loaded, before.taken), worth_of(after.loaded, after.taken)
            base, whole = value(frozenset()), value(frozenset(names))
            told = shares(names, value)
        except FAILED:
            continue
        if together:
            notes.append("Data and settings do not go together otherwise, so they are swapped as one.")
        break
    if told is None:
        return None
    labels = _labels(changes)
    rows = [
        {"what": labels.get(name, name), "worth": x, "chance": y, "kind": found.kinds.get(name, "data")}
        for name, (x, y) in told[0].items()
    ]
    # What the package of today makes of a run, against what the record says that the package of then made of it.
    steps: tuple[Point, Point] = _minus(own[0], ends[0]), _minus(ends[1], own[1])
    rows += _unless_none("another method", "method", (steps[0][0] + steps[1][0], steps[0][1] + steps[1][1]))
    moved = _minus(base, own[0]), _minus(own[1], whole)
    rows += _unless_none(
        "the place of lines in a list", "rest", (moved[0][0] + moved[1][0], moved[0][1] + moved[1][1])
    )
    first, last = (
        {"what": what, "verdict": r.get("verdict"), "worth": end[0], "chance": end[1]}
        for what, r, end in (("the earlier record", old, ends[0]), ("the later record", new, ends[1]))
    )
    return Effects(
        _adding_up(rows, ends[0], ends[1]), (first, last), told[1] is None, (*notes, *_drawn(told[1]))
    )


def _minus(one: Point, other: Point) -> Point:
    return one[0] - other[0], one[1] - other[1]


def _unless_none(what: str, kind: str, point: Point) -> list[dict[str, Any]]:
    if abs(point[0]) < 1e-6 and abs(point[1]) < 1e-9:  # rounding, which the largest share takes
        return []
    return [{"what": what, "worth": point[0], "chance": point[1], "kind": kind}]


_WITH_DATA = {"data": "new data", "setting": "other settings", "method": "another method"}


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
        raise UnknownError
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
        groups.setdefault(group_of(key), {})[key] = value
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
    return not (state == "removed" and "[" in key) and holder_of(parameters, key) is not None


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


def _labels(changes: Sequence[Record]) -> dict[str, str]:
    """What a reader calls a factor: the words of the register, for a group its key."""
    return {str(c["key"]): str(c["what"]) for c in changes if c["kind"] == "assumption"} | {
        "economics.error_cost": "Cost of errors",
        "economics.realisation": "What becomes of saved time",
    }
