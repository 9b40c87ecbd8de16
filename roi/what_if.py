"""What would be decided if things were otherwise: scenarios, assumptions at unkind ends, the nearest other verdict.

Each row is a whole decision on the same cases. They are too dear for every record, so they are made where they are
asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from roi.again import decide_again
from roi.analysis import Decided
from roi.corners import corner, directions, fixed_at, moved_by, stated_inputs
from roi.parameters import RegisterEntry, register
from roi.plan_at import plan_at, plan_put_forward
from roi.units import quantity

__all__ = ["FARTHEST", "joint_flip", "pessimistic", "scenarios", "what_if"]

FARTHEST = 3.0  # spreads up to which another verdict is looked for
STEP = 0.01  # of a spread: how near the flip is told
LABELS = {
    "pessimistic": "Every stated input at its unkind end",
    "expected": "Every stated input at its mean",
    "optimistic": "Every stated input at its kind end",
}


def what_if(a: Decided) -> dict[str, Any]:
    """`scenarios` and `joint_flip`, as plain JSON values; `pessimistic` stands in the record."""
    return {"scenarios": scenarios(a), "joint_flip": joint_flip(a)}


def scenarios(a: Decided) -> list[dict[str, Any]]:
    """The file itself, the three scenarios that its ranges make, and those that it names.

    Args:
        a: The decision.

    Returns:
        A row each, as `_row` makes it; the file's own first.
    """
    rows = [_row(a, a, "file", "As the file states it", [])]
    keys = stated_inputs(a)
    if plan_put_forward(a) is not None:
        entries = a.assumptions.entries
        ends = {
            "pessimistic": corner(a, keys, kind=False),
            "expected": {key: entries[key].value.mean for key in keys},
            "optimistic": corner(a, keys, kind=True),
        }
        for name, values in ends.items():
            found = decide_again(a, assumptions=fixed_at(a, values))
            rows.append(_row(a, found, name, LABELS[name], _moved(a, values)))
    for name, parameters in a.loaded.scenarios.items():
        found = decide_again(a, loaded=replace(a.loaded, parameters=parameters, scenarios={}))
        rows.append(_row(a, found, name, name.replace("_", " "), _changed(a, found)))
    return rows


def pessimistic(a: Decided) -> dict[str, Any] | None:
    """The verdict with every assumed input, and every default, at its unkind end, the sourced ones as they are.

    Returns:
        A row as in `scenarios`; None where the worth is not known.
    """
    if plan_put_forward(a) is None:
        return None
    values = corner(a, stated_inputs(a, ("assumed", "default")), kind=False)
    found = decide_again(a, assumptions=fixed_at(a, values))
    label = "Every assumed input at its unkind end"
    return _row(a, found, "assumed_at_unkind_end", label, _moved(a, values))


def joint_flip(a: Decided) -> dict[str, Any]:
    """The smallest joint change of all stated inputs that flips the verdict.

    All of them move by the same number of their own spreads: against the plan, or for a kill in its favour. The verdict
    is decided again at each distance that is tried; it is told on which side of `spreads` it is which.

    Args:
        a: The decision.

    Returns:
        `spreads` (None with a `reason` where nothing up to `FARTHEST` flips it), how many `inputs` move, how far
        `as_one` of them alone would be as unusual (spreads · √inputs), `direction` ("unkind" or "kind"), the verdict
        `before` it and `at` it as rows, and what moved.
    """
    kind = a.verdict.verdict == "kill"
    nothing: dict[str, Any] = {"spreads": None, "inputs": 0, "as_one": None, "before": None, "at": None}
    nothing["direction"] = "kind" if kind else "unkind"
    if plan_put_forward(a) is None:
        return nothing | {"reason": "the worth is not known"}
    wanted = 1 if kind else -1
    signs = {key: wanted * sign for key, sign in directions(a, stated_inputs(a)).items()}
    if not any(signs.values()):
        return nothing | {"reason": "no stated input is uncertain"}

    def at(spreads: float) -> Decided:
        return decide_again(a, assumptions=moved_by(a, spreads, signs))

    low, high = 0.0, FARTHEST
    before = a
    after: Decided | None = None
    # The plan alone tells about where: two decisions, just before and just after, then mostly are enough.
    about = None if kind else _about(a, signs)
    for spreads in () if about is None else (about + STEP / 2, about - STEP / 2):
        found = at(spreads)
        if found.verdict.verdict == a.verdict.verdict:
            low, before = spreads, found
            break
        high, after = spreads, found
    if after is None:
        after = at(high)
        if after.verdict.verdict == a.verdict.verdict:
            return nothing | {"reason": f"no joint change of up to {FARTHEST:g} spreads flips it"}
    while high - low > STEP:
        middle = (low + high) / 2
        found = at(middle)
        if found.verdict.verdict == a.verdict.verdict:
            low, before = middle, found
        else:
            high, after = middle, found
    values = {
        key: float(x.mean() if hasattr(x, "mean") else x)
        for key, x in after.assumptions.values.items()
        if signs.get(key)
    }
    moved = sum(sign != 0 for sign in signs.values())
    return nothing | {
        "spreads": high,
        "inputs": moved,
        "as_one": high * math.sqrt(moved),
        "reason": None,
        "before": _row(a, before, "before", f"All moved by {low:.2f} spreads", []),
        "at": _row(a, after, "flipped", f"All moved by {high:.2f} spreads", _moved(a, values)),
    }


def _about(a: Decided, signs: Mapping[str, int]) -> float | None:
    """The distance at which the plan put forward, taken by itself, no longer does what its verdict asks of it."""
    plan = plan_at(a)
    assert plan is not None

    def holds(spreads: float) -> bool:
        moved = moved_by(a, spreads, signs).values
        worth = plan.worth_at({key: moved[key] for key, sign in signs.items() if sign != 0})
        if a.verdict.verdict == "scale":
            return plan.chance(worth) >= a.scale_needs
        return float(worth.mean()) > 0 and plan.chance(worth) > a.loaded.policy.kill_probability

    low, high = 0.0, FARTHEST
    if holds(high) or not holds(low):
        return None
    while high - low > STEP / 4:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high


def _row(a: Decided, found: Decided, name: str, label: str, changed: list[dict[str, Any]]) -> dict[str, Any]:
    """A decision as a line of the table.

    Returns:
        `name`, `label`, `verdict`, `ground`, `fix_kind`, `same` (as the file's verdict), `worth` of what is then put
        forward and the `chance` that it exceeds the hurdle (for a kill those of the roll-out that is forgone; None
        where not known), the same of scaling everything, and what `changed`.
    """
    v, hurdle = found.verdict, found.loaded.policy.hurdle
    option = plan_put_forward(found)
    worth = v.plan.worth if v.plan is not None else None if option is None else option.worth
    return {
        "name": name,
        "label": label,
        "verdict": v.verdict,
        "ground": v.ground,
        "fix_kind": v.fix_kind,
        "same": v.verdict == a.verdict.verdict,
        "worth": None if worth is None else float(worth.mean()),
        "chance": None if worth is None else float((worth > hurdle).mean()),
        "scale_worth": None if found.scale is None else found.scale.mean(),
        "scale_chance": None if found.scale is None else found.scale.chance(hurdle),
        "changed": changed,
    }


def _moved(a: Decided, values: Mapping[str, float]) -> list[dict[str, Any]]:
    """Inputs that were fixed, from their mean."""
    return [
        _change(entry := a.assumptions.entries[key], quantity(entry.value.mean, entry.unit), value)
        for key, value in values.items()
    ]


def _change(entry: RegisterEntry, was: str | None, value: float) -> dict[str, Any]:
    return {
        "key": entry.key,
        "label": entry.label,
        "evidence": entry.value.evidence,
        "from": was,
        "to": quantity(value, entry.unit),
        "value": value,
    }


def _changed(a: Decided, found: Decided) -> list[dict[str, Any]]:
    """Stated inputs that a named scenario changed, added or took away, as they are written."""
    before = {e.key: e for e in register(a.loaded.parameters)}
    after = {e.key: e for e in register(found.loaded.parameters)}
    rows = []
    for key in (*after, *(k for k in before if k not in after)):
        old, new = before.get(key), after.get(key)
        if old is not None and new is not None and old.value == new.value and old.label == new.label:
            continue
        entry = new or old
        assert entry is not None
        rows.append(
            {
                "key": key,
                "label": entry.label,
                "evidence": entry.value.evidence,
                "from": None if old is None else old.value.text,
                "to": None if new is None else new.value.text,
                "value": None if new is None else new.value.mean,
            }
        )
    return rows
