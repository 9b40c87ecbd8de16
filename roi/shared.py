"""Assumptions that pilots share, and draws of many pilots in which only these are common.

Each pilot has draws of its own, and with a common seed inputs of one name have the same draws in every pilot, whether
they are about the same thing or not. Here they are put into an order in which what a worth owes to shared inputs is
common to all who share them, and nothing else is. No pilot's own figures change: its draws are only put in order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from roi.draws import normal_draws, stream
from roi.parameters import RegisterEntry
from roi.special import ndtri

__all__ = ["Input", "Sharing", "common_draws", "in_order", "owed", "scores", "shared_inputs"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BLOCK = 64  # draws within which the order is free; more pilots than this would meet their own draws again
OF_A_WORKFLOW = (
    "demand.cases_per_month",
    "economics.labour_cost_per_hour",
    "economics.realisation.total",  # what becomes of an hour of the same people
    "economics.realisation.cash",
    "economics.realisation.redeployed",
)
MOST_INPUTS = 24  # shared inputs of a pilot that its worth is regressed on
MOST_SQUARED = 6  # of these, with squares and products


@dataclass(frozen=True, slots=True)
class Input:
    """A stated input that several pilots share.

    Attributes:
        name: Its identity, which names its stream of draws.
        label: What it is, in words.
        pilots: Pilot → the key under which it states it.
    """

    name: str
    label: str
    pilots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sharing:
    """A pilot as far as sharing goes.

    Attributes:
        pilot: Its name.
        entries: Its register of assumptions.
        workflow: Its `workflow_id`, if stated.
    """

    pilot: str
    entries: Sequence[RegisterEntry]
    workflow: str | None


def shared_inputs(pilots: Sequence[Sharing]) -> list[Input]:
    """The uncertain inputs that two or more pilots state alike.

    Two inputs are one where key (a list's item by its name), unit and value are the same and nothing speaks against it:
    a source or an owner is named by both and the same, and neither differs. What the package fills in is shared by
    nobody. In one workflow demand, labour cost and what becomes of a
    saved hour need no source.

    Args:
        pilots: In any order.
    """
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for pilot in sorted(pilots, key=lambda p: p.pilot):
        for entry in pilot.entries:
            v = entry.value
            if v.form == "exact" or v.evidence == "default":
                continue
            kind = re.sub(r"\[\d+\]", f"[{entry.label}]", entry.key)
            of_workflow = pilot.workflow is not None and entry.key in OF_A_WORKFLOW
            origin = f"{_plain(v.source)}|{_plain(v.owner)}"
            if origin == "|" and not of_workflow:
                continue
            value = f"{v.form}:{','.join(f'{x!r}' for x in v.numbers)}"
            names = [f"{kind}|{entry.unit}|{value}|{origin}"] if origin != "|" else []
            names += [f"{kind}|{entry.unit}|{value}|workflow {pilot.workflow}"] if of_workflow else []
            for name in names:
                found.setdefault(name, (entry.label, {}))[1][pilot.pilot] = entry.key
    several = [Input(name, label, where) for name, (label, where) in sorted(found.items()) if len(where) > 1]
    # By source and by workflow the same pilots may share an input twice; once is enough.
    once: dict[tuple[tuple[str, str], ...], Input] = {}
    for one in several:
        once.setdefault(tuple(sorted(one.pilots.items())), one)
    return list(once.values())


def _plain(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def scores(draws: Floats) -> Floats:
    """Normal scores of draws: their ranks as standard normal quantiles, shape (n_draws,)."""
    return np.asarray(ndtri((rankdata(draws) - 0.5) / draws.size), dtype=np.float64)


def common_draws(inputs: Sequence[Input], draws: int, seed: int) -> dict[str, Floats]:
    """Common draws of shared inputs, as normal scores of shape (draws,), by the input's name."""
    return {i.name: normal_draws(draws, stream(seed, f"portfolio:{i.name}")) for i in inputs}


def owed(worth: Floats, own: Sequence[Floats], common: Sequence[Floats]) -> tuple[Floats, Floats]:
    """What a worth owes to some inputs, at its own draws of them and at common ones.

    The regression of the worth on the inputs, on their scores and on products of the first few inputs: two worths
    vary together as these do, since nothing else is common to them.

    Args:
        worth: Shape (n_draws,).
        own: The pilot's own draws of each input, shape (n_draws,).
        common: Scores of the common draws of each, shape (n,).

    Returns:
        Shapes (n_draws,) and (n,).
    """
    own, common = own[:MOST_INPUTS], common[:MOST_INPUTS]
    here = [scores(x) for x in own]
    size = [float(x.std()) or 1.0 for x in own]
    design = _powers(here, [(x - x.mean()) / s for x, s in zip(own, size, strict=True)])
    there = [(_at_scores(x, z) - x.mean()) / s for x, z, s in zip(own, common, size, strict=True)]
    normal = np.einsum("in,jn->ij", design, design)
    beta = np.linalg.lstsq(normal, np.einsum("in,n->i", design, worth), rcond=1e-10)[0]
    return (beta[:, None] * design).sum(axis=0), (beta[:, None] * _powers(common, there)).sum(axis=0)


def _at_scores(draws: Floats, z: Floats) -> Floats:
    """The values of an input at common scores: its own quantiles there."""
    at = (rankdata(z, method="ordinal") - 0.5) / z.size * draws.size - 0.5
    return np.asarray(np.interp(at, np.arange(draws.size), np.sort(draws)), dtype=np.float64)


def _powers(inputs: Sequence[Floats], values: Sequence[Floats]) -> Floats:
    few = values[:MOST_SQUARED]
    rows = [np.ones_like(inputs[0]), *inputs, *values]
    rows += [x * y for i, x in enumerate(few) for y in few[i:]]
    return np.stack(rows)


def in_order(own: Floats | None, common: Floats | None, *, n: int, of: int, place: int, seed: int) -> Ints:
    """The order in which a pilot's draws stand beside those of others.

    Args:
        own: What its worth owes to shared inputs at its own draws, shape (of,); None where it shares none.
        common: The same at the common draws, shape (n,).
        n: Common draws.
        of: Draws of the pilot.
        place: Number of the pilot among all; within a block no two pilots keep the same of their draws side by side.
        seed: Of the run.

    Returns:
        For each common draw the pilot's draw, shape (n,).
    """
    rng = stream(seed, f"portfolio:order:{place}")
    wheel = np.floor((np.arange(n) + 0.5) * of / n).astype(np.int64)  # each as often as any other
    if own is None or common is None:
        return np.asarray(rng.permutation(wheel), dtype=np.int64)
    ranked = np.argsort(own, kind="stable")[wheel]
    at = np.argsort(common, kind="stable")
    shift = np.arange(n)
    for start in range(0, n, BLOCK):
        block = shift[start : start + BLOCK]
        # Shifted, not shuffled: two pilots with the same draws would else keep some of them side by side.
        shift[start : start + BLOCK] = np.roll(block, place % max(block.size, 1))
    found = np.empty(n, dtype=np.int64)
    found[at] = ranked[shift]
    return found
