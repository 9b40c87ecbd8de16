"""What knowing more is worth: perfect information, and a sample of a size, under the rule that decides.

Source:
    Raiffa & Schlaifer (1961), Applied Statistical Decision Theory; Heath, Manolopoulou & Baio (2018), Medical Decision
    Making 38:163 (a sample's value by shrinking what is learned towards its mean); Strong, Oakley & Brennan (2014),
    Medical Decision Making 34:311 (the value of knowing one input, by regression on the draws).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.assumptions import Assumptions
from roi.draws import stream

__all__ = ["Prices", "after_sampling", "evpi", "evppi", "explained", "left_open", "prices_of"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What measuring costs, in the pilot's currency; None where it is not stated.

    Attributes:
        per_case: A further case, worked and labelled.
        per_label: A label on a case that is there already.
        per_baseline_case: Timing a case without the agent.
        setup: Once, for any measurement.
        cases_per_week: How many cases a week brings.
    """

    per_case: float | None
    per_label: float | None
    per_baseline_case: float | None
    setup: float
    cases_per_week: float | None

    def cases(self, n: int) -> float | None:
        """Price of `n` further cases, without the set-up."""
        return None if self.per_case is None else n * self.per_case

    def labels(self, n: int) -> float | None:
        """Price of labels on `n` cases that the pilot brings anyway, without the set-up."""
        price = self.per_label if self.per_label is not None else self.per_case
        return None if price is None else n * price

    def baseline(self, n: int) -> float | None:
        """Price of timing `n` cases without the agent, without the set-up."""
        price = self.per_baseline_case if self.per_baseline_case is not None else self.per_case
        return None if price is None else n * price

    def months(self, n: int) -> float:
        """Months until `n` cases have come; 0 where the pace is not stated."""
        return n / self.cases_per_week * 7 / (365.25 / 12) if self.cases_per_week else 0.0


def prices_of(assumptions: Assumptions) -> Prices:
    """The prices of the `measurement` group, at their means."""

    def mean(name: str) -> float | None:
        value = assumptions.get(f"measurement.{name}")
        return None if value is None else float(np.mean(value))

    return Prices(
        per_case=mean("per_case"),
        per_label=mean("per_label"),
        per_baseline_case=mean("per_baseline_case"),
        setup=mean("setup") or 0.0,
        cases_per_week=mean("cases_per_week"),
    )


def evpi(worths: Sequence[Floats]) -> float:
    """Expected value of perfect information over options, stopping now (worth 0) among them.

    Args:
        worths: Worth of each option over the same draws, each shape (n_draws,).

    Returns:
        At least 0, in the currency of the worths.
    """
    if not worths:
        return 0.0
    table = np.stack([np.zeros_like(worths[0]), *worths])
    return max(0.0, float(table.max(axis=0).mean()) - float(table.mean(axis=1).max()))


KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)


def evppi(worths: Sequence[Floats], signals: Sequence[Floats]) -> tuple[float, float]:
    """Expected value of knowing some inputs exactly, over options with stopping now (worth 0) among them.

    Args:
        worths: Worth of each option over the same draws, each shape (n_draws,).
        signals: Draws of the inputs, each shape (n_draws,).

    Returns:
        The value, at least 0, in the currency of the worths; and the chance that knowing would change the choice.

    Source:
        Strong, Oakley & Brennan (2014), Medical Decision Making 34:311; the regression is a restricted cubic
        spline (Stone & Koo 1985).
    """
    columns = [column for signal in signals for column in _spline(signal)]
    if not worths or not columns:
        return 0.0, 0.0
    table = np.stack([np.zeros_like(worths[0]), *(_fitted(worth, columns) for worth in worths)])
    best = int(np.argmax(table.mean(axis=1)))
    value = float((table.max(axis=0) - table[best]).mean())
    return max(0.0, value), float(np.mean(table.argmax(axis=0) != best))


def _fitted(worth: Floats, columns: Sequence[Floats]) -> Floats:
    """The regression of a worth on some columns; its mean where they explain no more than chance would."""
    x = np.stack([np.ones_like(worth), *columns])
    gram = np.einsum("in,jn->ij", x, x, optimize=False)
    target = np.array([(row * worth).sum() for row in x])
    weights = np.linalg.solve(gram + 1e-9 * np.eye(len(x)) * np.trace(gram) / len(x), target)
    fitted = np.asarray(sum(w * row for w, row in zip(weights, x, strict=True)), dtype=np.float64)
    by_chance = 3 * len(columns) / worth.size
    if not float(fitted.var()) > by_chance * float(worth.var()):
        return np.full_like(worth, float(worth.mean()))
    return fitted + (float(worth.mean()) - float(fitted.mean()))


def _spline(signal: Floats) -> list[Floats]:
    """A restricted cubic spline's columns, standardised; none where the signal does not vary."""
    spread = float(signal.std())
    if not spread > 0:
        return []
    z = (signal - signal.mean()) / spread
    knots = np.unique(np.quantile(z, KNOTS))
    columns = [z, z * z]  # beyond the outer knots a restricted spline alone would be a straight line
    if knots.size == len(KNOTS):
        last, before = knots[-1], knots[-2]
        for knot in knots[:-2]:
            tail = np.maximum(z - last, 0) ** 3 * (before - knot) / (last - before)
            ahead = np.maximum(z - before, 0) ** 3 * (last - knot) / (last - before)
            columns.append(np.maximum(z - knot, 0) ** 3 - ahead + tail)
    return [column / float(column.std()) for column in columns if float(column.std()) > 0]


def explained(worth: Floats, signals: Sequence[Floats]) -> Floats:
    """The part of the worth that measured quantities explain: its regression on them, squares included.

    Args:
        worth: Shape (n_draws,).
        signals: Each shape (n_draws,).

    Returns:
        Fitted worth, shape (n_draws,).
    """
    columns = [np.ones_like(worth)]
    for signal in signals:
        spread = float(signal.std())
        if spread > 0:
            z = (signal - signal.mean()) / spread
            columns += [z, z * z]
    x = np.stack(columns)
    gram = np.einsum("in,jn->ij", x, x, optimize=False)
    target = np.array([(row * worth).sum() for row in x])
    weights = np.linalg.solve(gram + 1e-9 * np.eye(len(columns)) * np.trace(gram) / len(columns), target)
    return np.asarray(sum(w * row for w, row in zip(weights, x, strict=True)), dtype=np.float64)


def after_sampling(
    worth: Floats, fitted: Floats, learned: float, *, probability: float, hurdle: float
) -> tuple[Floats, Floats]:
    """What would be decided after a sample, draw by draw.

    Args:
        worth: Worth of the option, shape (n_draws,).
        fitted: The part that the sampled quantities explain, shape (n_draws,).
        learned: Share of their variance that the sample removes, in [0, 1].
        probability: The chance of exceeding the hurdle at which the option is taken.
        hurdle: The hurdle.

    Returns:
        The expected worth after each possible sample, and whether the option would then be taken (0 or 1).
    """
    mean = float(fitted.mean())
    expected = mean + np.sqrt(learned) * (fitted - mean)
    left = left_open(worth, fitted, learned)
    sure = float(np.ptp(left)) > 0
    spare = float(np.quantile(left, 1 - probability))
    taken = expected + spare >= hurdle if sure else expected > hurdle
    return expected, taken.astype(np.float64)


def left_open(worth: Floats, fitted: Floats, learned: float) -> Floats:
    """What a sample leaves open about the worth: as skewed as the costs of errors are, so it is drawn, not a normal.

    Args:
        worth: Worth of the option, shape (n_draws,).
        fitted: The part that the sampled quantities explain, shape (n_draws,).
        learned: Share of their variance that the sample removes, in [0, 1].

    Returns:
        Deviations from the expected worth after the sample, shape (n_draws,); independent of what is learned.
    """
    order = stream(0, "left_open").permutation(worth.size)
    left = np.sqrt(1 - learned) * (fitted - fitted.mean())[order] + (worth - fitted)
    return np.asarray(left, dtype=np.float64)
