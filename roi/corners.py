"""Corners of the box that the P5 and P95 of the stated inputs span: the unkindest and the kindest for the plan.

Which end of an input is kind is found by valuing the plan at both. What is unkind where all is well may be kind where
all is ill (volume, where a case loses money), so every end is tried again at the corner until none makes it worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from roi.analysis import Decided
from roi.assumptions import Assumptions
from roi.draws import stream, uniforms
from roi.fewer_draws import on_fewer_draws
from roi.levers import levers_of
from roi.plan_at import PlanAt, plan_at
from roi.special import ndtr, ndtri
from roi.uncertain import Uncertain

__all__ = ["corner", "directions", "fixed_at", "moved_by", "stated_inputs"]

DRAWS = 2000  # a corner is chosen by expected worth, and decided on all draws
ROUNDS = 4
GROUPS = ("demand.", "economics.", "remedies[", "measurement.", "samples.baseline.")


def stated_inputs(a: Decided, evidence: Iterable[str] | None = None) -> list[str]:
    """Keys of the uncertain stated inputs that a verdict may rest on, in the order of the file.

    Args:
        a: The decision.
        evidence: Of these kinds only; None for all.
    """
    kinds = None if evidence is None else set(evidence)
    return [
        key
        for key, entry in a.assumptions.entries.items()
        if key.startswith(GROUPS)
        and not entry.value.is_exact
        and (kinds is None or entry.value.evidence in kinds)
    ]


def ends_of(value: Uncertain) -> tuple[float, float]:
    """P5 and P95; the mean where that lies beyond them, as it does where a value is extremely skewed."""
    return min(value.p05, value.mean), max(value.p95, value.mean)


def directions(a: Decided, keys: Iterable[str]) -> dict[str, int]:
    """Whether more of each input is kind (1) or unkind (-1) to the plan put forward; 0 where nothing depends on it."""
    ends = {key: ends_of(a.assumptions.entries[key].value) for key in keys}
    found = dict.fromkeys(ends, 0)
    for plan in _plans(a):
        inputs = {lever.key for lever in levers_of(plan)}
        for key in [k for k, sign in found.items() if sign == 0 and k in inputs]:
            low, high = (float(plan.worth_at({key: x}).mean()) for x in ends[key])
            found[key] = int(np.sign(high - low))
    return found


def corner(a: Decided, keys: Iterable[str], *, kind: bool) -> dict[str, float]:
    """Every input at its unkind (or kind) end: P5 or P95, or the mean where that is more so.

    Args:
        a: The decision.
        keys: The inputs that are moved.
        kind: Whether the kind ends are meant.

    Returns:
        A value by key. An input on which neither the plan put forward nor any other depends stays at its mean.
    """
    signs = directions(a, keys)
    wanted = 1 if kind else -1
    ends = {key: ends_of(a.assumptions.entries[key].value) for key in signs}
    found = {
        key: a.assumptions.entries[key].value.mean if sign == 0 else ends[key][int(sign == wanted)]
        for key, sign in signs.items()
    }
    plan = next(iter(_plans(a)), None)
    if plan is None:
        return found
    inputs = {lever.key for lever in levers_of(plan)}
    mine = [key for key, sign in signs.items() if sign != 0 and key in inputs]
    best = wanted * float(plan.worth_at({key: found[key] for key in mine}).mean())
    for _ in range(ROUNDS):
        before = best
        for key in mine:
            low, high = ends[key]
            other = low if found[key] == high else high
            tried = wanted * float(plan.worth_at({**{k: found[k] for k in mine}, key: other}).mean())
            if tried > best:
                best, found[key] = tried, other
        if not best > before:
            break
    return found


def _plans(a: Decided) -> Iterable[PlanAt]:
    """The plan put forward, then every other fix, on fewer draws."""
    first = plan_at(a)
    if first is None:
        return
    yield on_fewer_draws(first, DRAWS)
    for other in (*a.plans, *([a.waiting] if a.waiting is not None else [])):
        if other is not a.verdict.plan:
            plan = plan_at(a, other)
            if plan is not None:
                yield on_fewer_draws(plan, DRAWS)


def fixed_at(a: Decided, values: Mapping[str, float]) -> Assumptions:
    """The stated inputs with some of them fixed."""
    return Assumptions({**a.assumptions.values, **values}, a.assumptions.entries)


def moved_by(a: Decided, spreads: float, signs: Mapping[str, int]) -> Assumptions:
    """The stated inputs with each draw moved by so many of its own spreads.

    A draw that stands at the quantile Φ(z) of its input moves to Φ(z ± spreads): a normal input moves by so many
    standard deviations and keeps its width, a PERT one crowds towards its end.

    Args:
        a: The decision.
        spreads: How far, in standard deviations of a normal.
        signs: By key whether it moves up (1), down (-1) or stays (0).
    """
    run, size = a.loaded.parameters.run, a.measured.draws
    values = dict(a.assumptions.values)
    for key, sign in signs.items():
        if sign != 0:
            z = ndtri(uniforms(size, stream(run.seed, key))) + sign * spreads
            values[key] = a.assumptions.entries[key].value.quantile(ndtr(z))
    return Assumptions(values, a.assumptions.entries)
