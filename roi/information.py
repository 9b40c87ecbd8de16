"""What knowing is worth: everything, some inputs, or a sample; for whoever takes the option of the highest mean.

Everything here works on two shapes: the worth of options over draws, and inputs over the same draws.

Source:
    Raiffa & Schlaifer (1961), Applied Statistical Decision Theory; Strong, Oakley & Brennan (2014), Medical Decision
    Making 34:311 (the value of knowing inputs, by regression on the draws); Heath, Manolopoulou & Baio (2018), Medical
    Decision Making 38:163 (a sample's value, by shrinking what knowing would tell).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.conditional import Curves, curves, surface

__all__ = ["Known", "evpi", "evppi", "evppi_of_each", "evppi_of_groups", "table_of"]

Floats = npt.NDArray[np.float64]

CONTENDERS = 4  # options between which knowing inputs decides: those that are the best in the most draws


@dataclass(frozen=True, slots=True)
class Known:
    """What knowing something exactly is worth.

    Attributes:
        value: In the currency of the worths, at least 0 and at most what knowing everything is worth.
        flips: Chance that knowing it would change the choice.
        explained: Share of the variance of the worth that it explains: of the best option's, else of the largest
            option's.
    """

    value: float
    flips: float
    explained: float


def table_of(worths: Sequence[Floats]) -> Floats:
    """Worths as a table with stopping now (worth 0) first, shape (1 + options, n_draws)."""
    return np.stack([np.zeros_like(worths[0]), *worths])


def evpi(worths: Sequence[Floats]) -> float:
    """Expected value of perfect information over options, stopping now (worth 0) among them.

    Args:
        worths: Worth of each option over the same draws, each shape (n_draws,).

    Returns:
        At least 0, in the currency of the worths.
    """
    if not len(worths):
        return 0.0
    table = table_of(worths)
    return max(0.0, float(table.max(axis=0).mean()) - float(table.mean(axis=1).max()))


def evppi_of_each(
    worths: Sequence[Floats], inputs: Sequence[Floats], *, apart: Sequence[bool] | None = None
) -> list[Known]:
    """Expected value of knowing each input exactly, alone, with stopping now (worth 0) among the options.

    Args:
        worths: Worth of each option over the same draws, each shape (n_draws,).
        inputs: Draws of each input, each shape (n_draws,).
        apart: Which inputs are drawn independently of all others that are, if any; it makes their values surer.

    Returns:
        One value an input, in their order.
    """
    if not len(worths) or not len(inputs):
        return [Known(0.0, 0.0, 0.0) for _ in inputs]
    table = _contenders(worths)
    return _of_curves(table, curves(table, inputs, apart), evpi(worths))


def evppi(worths: Sequence[Floats], inputs: Sequence[Floats]) -> Known:
    """Expected value of knowing some inputs exactly, together; see `evppi_of_each`."""
    if not len(worths) or not len(inputs):
        return Known(0.0, 0.0, 0.0)
    return evppi_of_groups(worths, inputs, [range(len(inputs))])[1][0]


def evppi_of_groups(
    worths: Sequence[Floats],
    inputs: Sequence[Floats],
    groups: Sequence[Sequence[int]],
    *,
    apart: Sequence[bool] | None = None,
) -> tuple[list[Known], list[Known]]:
    """Expected value of knowing each input alone, and the inputs of each group together.

    Args:
        worths: Worth of each option over the same draws, each shape (n_draws,).
        inputs: Draws of each input, each shape (n_draws,).
        groups: Places of inputs.
        apart: Which inputs are drawn independently of all others that are, if any; it makes their values surer.

    Returns:
        One value an input, and one a group. A group is worth at least as much as any of its inputs.
    """
    if not len(worths) or not len(inputs):
        nothing = Known(0.0, 0.0, 0.0)
        return [nothing for _ in inputs], [nothing for _ in groups]
    table = _contenders(worths)
    alone = curves(table, inputs, apart)
    most = evpi(worths)
    each = _of_curves(table, alone, most)
    useful = [bool(x.any()) for x in alone.kept]
    means, total = table.mean(axis=1), table.var(axis=1)
    together = []
    for group in groups:
        members = [i for i in group if useful[i]]
        best = max((each[i] for i in members), key=lambda k: k.value, default=Known(0.0, 0.0, 0.0))
        if len(members) < 2:
            together.append(best)
            continue
        own = Curves(
            weight=alone.weight[members],
            fitted=alone.fitted[:, members],
            kept=alone.kept[members],
            explained=alone.explained[:, members],
        )
        fitted = surface(table, [inputs[i] for i in members], own)
        values, flips = _gain(fitted[:, None], np.full((1, fitted.shape[1]), 1 / fitted.shape[1]), means)
        value, flip = (float(values[0]), float(flips[0]))
        if best.value > value:
            value, flip = best.value, best.flips
        share = fitted.var(axis=1) / np.where(total > 0, total, 1.0)
        together.append(Known(min(value, most), flip, min(_of_best(share, means), 1.0)))
    return each, together


def _contenders(worths: Sequence[Floats]) -> Floats:
    """The options that are the best of all, stopping among them, in the most draws, and that of the highest mean."""
    table = table_of(worths)
    often = np.bincount(table.argmax(axis=0), minlength=len(table))[1:]
    means = table[1:].mean(axis=1)
    order = sorted(range(len(worths)), key=lambda o: (-often[o], -means[o], o))
    chosen = [o for o in order[:CONTENDERS] if often[o] > 0]
    return np.stack([worths[o] for o in sorted({int(np.argmax(means)), *chosen})])


def _of_curves(table: Floats, alone: Curves, most: float) -> list[Known]:
    means = table.mean(axis=1)
    values, flips = _gain(alone.fitted, alone.weight, means)
    best = int(np.argmax(means))
    return [
        Known(min(float(v), most), float(f), float(x))
        for v, f, x in zip(values, flips, alone.explained[best], strict=True)
    ]


def _of_best(share: Floats, means: Floats) -> float:
    """The share that belongs to the option of the highest mean."""
    return float(share[int(np.argmax(means))])


def _gain(fitted: Floats, weight: Floats, means: Floats) -> tuple[Floats, Floats]:
    """What choosing after knowing brings, and how often the choice changes; stopping now (worth 0) is a choice.

    Args:
        fitted: Conditional means, shape (options, inputs, places).
        weight: How likely each place is, shape (inputs, places).
        means: Expected worth of each option, shape (options,).
    """
    best = int(np.argmax(means))
    top = fitted.max(axis=0)
    stands = top <= 0 if means[best] <= 0 else (fitted[best] >= top) & (top > 0)
    value = (np.maximum(top, 0.0) * weight).sum(axis=1) - max(float(means[best]), 0.0)
    return np.maximum(value, 0.0), (weight * ~stands).sum(axis=1)
