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


def evppi_of_each(worths: Sequence[Floats], inputs: Sequence[Floats]) -> list[Known]:
    """Expected value of knowing each input exactly, alone, with stopping now (worth 0) among the options.

    Args:
        worths: Worth of each option over the same draws, each shape (n_draws,).
        inputs: Draws of each input, each shape (n_draws,).

    Returns:
        One value an input, in their order.
    """
    if not len(worths) or not len(inputs):
        return [Known(0.0, 0.0, 0.0) for _ in inputs]
    return _of_curves(np.stack(worths), curves(np.stack(worths), inputs))


def evppi(worths: Sequence[Floats], inputs: Sequence[Floats]) -> Known:
    """Expected value of knowing some inputs exactly, together; see `evppi_of_each`."""
    if not len(worths) or not len(inputs):
        return Known(0.0, 0.0, 0.0)
    return evppi_of_groups(worths, inputs, [range(len(inputs))])[1][0]


def evppi_of_groups(
    worths: Sequence[Floats], inputs: Sequence[Floats], groups: Sequence[Sequence[int]]
) -> tuple[list[Known], list[Known]]:
    """Expected value of knowing each input alone, and the inputs of each group together.

    Args:
        worths: Worth of each option over the same draws, each shape (n_draws,).
        inputs: Draws of each input, each shape (n_draws,).
        groups: Places of inputs.

    Returns:
        One value an input, and one a group. A group is worth at least as much as any of its inputs.
    """
    if not len(worths) or not len(inputs):
        nothing = Known(0.0, 0.0, 0.0)
        return [nothing for _ in inputs], [nothing for _ in groups]
    table = np.stack(worths)
    alone = curves(table, inputs)
    each = _of_curves(table, alone)
    most = evpi(worths)
    together = []
    for group in groups:
        members = list(group)
        if len(members) < 2:
            together.append(each[members[0]] if members else Known(0.0, 0.0, 0.0))
            continue
        own = Curves(
            weight=alone.weight[members],
            fitted=alone.fitted[:, members],
            kept=alone.kept[members],
            explained=alone.explained[:, members],
        )
        fitted = surface(table, [inputs[i] for i in members], own)
        value, flips = _gain(fitted, np.full(fitted.shape[1], 1 / fitted.shape[1]), table.mean(axis=1))
        total = table.var(axis=1)
        share = np.where(total > 0, fitted.var(axis=1) / np.where(total > 0, total, 1.0), 0.0)
        best = max((each[i] for i in members), key=lambda k: k.value)
        if best.value > value:
            value, flips = best.value, best.flips
        together.append(Known(min(value, most), flips, float(np.clip(_of_best(share, table), 0, 1))))
    return each, together


def _of_curves(table: Floats, alone: Curves) -> list[Known]:
    means, most = table.mean(axis=1), evpi(list(table))
    found = []
    for i in range(alone.weight.shape[0]):
        value, flips = _gain(alone.fitted[:, i], alone.weight[i], means)
        found.append(Known(min(value, most), flips, _of_best(alone.explained[:, i], table)))
    return found


def _of_best(share: Floats, table: Floats) -> float:
    """The share that belongs to the option of the highest mean."""
    return float(share[int(np.argmax(table.mean(axis=1)))])


def _gain(fitted: Floats, weight: Floats, means: Floats) -> tuple[float, float]:
    """What choosing after knowing brings, and how often the choice changes; stopping now (worth 0) is a choice."""
    best = int(np.argmax(means))
    chosen = fitted.argmax(axis=0)
    top = np.maximum(fitted.max(axis=0), 0.0)
    stop = fitted.max(axis=0) <= 0
    stands = stop if means[best] <= 0 else (chosen == best) & ~stop
    value = float((top * weight).sum()) - max(float(means[best]), 0.0)
    return max(value, 0.0), float((weight * ~stands).sum())
