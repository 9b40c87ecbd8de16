"""What is left of a worth once some inputs are known: its regression on the draws of these inputs.

One input at a time, draws are first gathered in narrow bins of equal width, whose means keep every straight line as it
is; a polynomial is then fitted to the bins of all inputs at once. Several inputs together are regressed on the draws
themselves, with products of two. A term is kept only where it explains more than chance would, in any of the worths,
and then in all of them, so that the difference of two fits is the fit of their difference.

Source:
    Strong, Oakley & Brennan (2014), Medical Decision Making 34:311, for the value of information by regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = ["Curves", "curves", "orthonormal", "surface"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DEGREE = 5
BINS = 256
REACH = (
    6.0  # standard deviations to either side that are told apart; what lies beyond goes to the outermost bins
)
BY_CHANCE = 10.0  # squared t that a term must exceed: one useless term in 600 does
MOST_TERMS = 20  # of one input each, in a joint fit
IN_PAIRS = 5  # inputs that explain most, of which products are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """The conditional means of some worths given each of some inputs alone.

    Attributes:
        weight: Share of the draws in each bin, shape (inputs, bins).
        fitted: Conditional mean of each worth in each bin, shape (options, inputs, bins).
        kept: Which powers of an input are there, shape (inputs, DEGREE); a linear term is column 0.
        explained: Share of each worth's variance that each input explains, shape (options, inputs).
    """

    weight: Floats
    fitted: Floats
    kept: Bools
    explained: Floats


def curves(worths: Floats, inputs: Sequence[Floats], apart: Sequence[bool] | None = None) -> Curves:
    """Regress worths on each input alone.

    Args:
        worths: Worth of each option over the same draws, shape (options, n_draws).
        inputs: Draws of each input, each shape (n_draws,).
        apart: Which inputs are drawn independently of all others that are; None for none. What each of them explains
            is taken out before the others are looked at again: with draws without end it would change nothing, with
            these it takes away most of the noise.

    Returns:
        The conditional means, bin by bin.
    """
    options, n = worths.shape
    bins = min(BINS, max(n, 2))
    mean = worths.mean(axis=1)
    deviation = worths - mean[:, None]
    weight = np.zeros((len(inputs), bins))
    place = np.zeros((len(inputs), bins))
    target = np.zeros((options, len(inputs), bins))
    where: list[npt.NDArray[np.intp] | None] = []
    for i, x in enumerate(inputs):
        centre = float(x.mean())
        away = x - centre
        spread = float(np.sqrt((away * away).mean()))
        if not spread > 1e-12 * max(abs(centre), 1e-300):
            weight[i, 0] = 1.0
            where.append(None)
            continue
        low = max(float(away.min()), -REACH * spread)
        high = min(float(away.max()), REACH * spread)
        index = ((away - low) * (bins / (high - low))).astype(np.intp)
        np.minimum(np.maximum(index, 0, out=index), bins - 1, out=index)
        where.append(index)
        count = np.bincount(index, minlength=bins)
        weight[i] = count / n
        place[i] = np.bincount(index, weights=away, minlength=bins) / (np.maximum(count, 1) * spread)
        target[:, i] = _sums(deviation, index, bins) / n
    basis = _powers(place, weight)
    variance = np.square(deviation).mean(axis=1)
    noise = np.repeat(variance[:, None], len(inputs), axis=1)
    coefficients = np.einsum("kib,oib->oik", basis, target, optimize=False)
    kept = _beyond_chance(coefficients, noise, n)
    alone = [
        i for i, x in enumerate(where) if apart is not None and apart[i] and x is not None and kept[i].any()
    ]
    if len(alone) > 1:
        found = np.einsum("oik,kib->oib", coefficients * kept, basis, optimize=False)
        rest = deviation.copy()
        for i in alone:
            rest -= found[:, i, where[i]]
        for i, index in enumerate(where):
            if apart is None or not apart[i] or index is None:
                continue
            # Its own part is put back bin by bin: within a bin it is the same for every draw.
            own = found[:, i] * weight[i] if i in alone else 0.0
            target[:, i] = _sums(rest, index, bins) / n + own
            noise[:, i] = np.square(rest).mean(axis=1) + np.square(coefficients * kept)[:, i].sum(axis=1)
        coefficients = np.einsum("kib,oib->oik", basis, target, optimize=False)
        kept = _beyond_chance(coefficients, noise, n)
    coefficients = coefficients * kept
    fitted = mean[:, None, None] + np.einsum("oik,kib->oib", coefficients, basis, optimize=False)
    explained = np.square(coefficients).sum(axis=2) / np.where(variance > 0, variance, 1.0)[:, None]
    return Curves(weight=weight, fitted=fitted, kept=kept, explained=explained)


def _sums(values: Floats, index: npt.NDArray[np.intp], bins: int) -> Floats:
    """Sums by bin, shape (options, bins)."""
    return np.stack([np.bincount(index, weights=row, minlength=bins) for row in values])


def _beyond_chance(coefficients: Floats, variance: Floats, n: int) -> Bools:
    """Terms of orthonormal columns that explain more of any worth than chance does, shape (inputs, terms).

    Args:
        coefficients: Shape (options, inputs, terms).
        variance: What there is to explain, shape (options, inputs).
        n: Draws.
    """
    squares = np.square(coefficients)
    wide = variance[:, :, None]
    left = np.maximum(wide - squares.sum(axis=-1, keepdims=True), 1e-12 * wide)
    return np.asarray(((squares * n > BY_CHANCE * left) & (wide > 0)).any(axis=0), dtype=np.bool_)


def _powers(place: Floats, weight: Floats) -> Floats:
    """Polynomials of each row that are orthonormal under its weights and of mean 0, shape (DEGREE, rows, columns).

    Made by Stieltjes' recurrence: each is the last times the variable, made orthogonal to all before. One that the
    points cannot tell from lower ones is 0.
    """
    one = np.ones_like(place)
    made = [one]
    last = one
    for _ in range(DEGREE):
        new = place * last
        size = (new * new * weight).sum(axis=1)
        for _ in range(2):  # once more for what rounding left
            for other in made:
                new = new - (new * other * weight).sum(axis=1)[:, None] * other
        norm = (new * new * weight).sum(axis=1)
        told = norm > 1e-10 * np.maximum(size, 1e-300)
        last = np.where(told[:, None], new / np.sqrt(np.where(told, norm, 1.0))[:, None], 0.0)
        made.append(last)
    return np.stack(made[1:])


def orthonormal(signal: Floats, degree: int) -> Floats:
    """Polynomials of a signal that are uncorrelated, of mean 0 and variance 1 over its draws.

    Args:
        signal: Shape (n_draws,).
        degree: The highest.

    Returns:
        Shape (at most degree, n_draws): degree 1 first, fewer where the draws cannot tell more apart, none where the
        signal does not vary. Of a normal signal they are Hermite's.
    """
    centre = float(signal.mean())
    z = signal - centre
    spread = float(np.sqrt((z * z).mean()))
    if not spread > 1e-12 * max(abs(centre), 1e-300):
        return np.zeros((0, signal.size))
    z /= spread
    made = [z]
    for _ in range(1, degree):
        new = z * made[-1]
        size = float((new * new).mean())
        new = new - new.mean()
        for other in made:
            new = new - float((new * other).mean()) * other
        norm = float((new * new).mean())
        if not norm > 1e-10 * size:
            break
        made.append(new / np.sqrt(norm))
    return np.stack(made)


def surface(worths: Floats, inputs: Sequence[Floats], alone: Curves) -> Floats:
    """Regress worths on several inputs together, products of two included.

    Args:
        worths: Worth of each option over the same draws, shape (options, n_draws).
        inputs: Draws of each input, each shape (n_draws,).
        alone: Their curves.

    Returns:
        Conditional means, shape (options, n_draws). Only the five inputs that explain most alone enter products; what
        alone explains no more than chance would enters nothing.
    """
    n = worths.shape[1]
    mean = worths.mean(axis=1)
    deviation = worths - mean[:, None]
    strength = alone.explained.max(axis=0)
    order = sorted(np.nonzero(alone.kept.any(axis=1))[0].tolist(), key=lambda i: (-strength[i], i))
    columns: list[Floats] = []
    first: list[Floats] = []
    for i in order:
        highest = int(np.max(np.nonzero(alone.kept[i])[0])) + 1
        if len(columns) + highest > MOST_TERMS:
            break
        made = orthonormal(inputs[i], highest)
        first.append(made[0])
        columns += list(made)
    fit = _Fit(columns, deviation)
    products = []
    left = np.square(fit.rest).mean(axis=1)
    for one, other in combinations(first[:IN_PAIRS], 2):
        product = one * other
        size = float(product.var())
        told = np.einsum("n,on->o", product, fit.rest, optimize=False) / n
        if size > 0 and bool((np.square(told) * n > BY_CHANCE * size * left).any()):
            products.append((product - product.mean()) / np.sqrt(size))
    if products:
        fit = _Fit([*columns, *products], deviation)
    return np.asarray(mean[:, None] + deviation - fit.rest, dtype=np.float64)


class _Fit:
    """Least squares by normal equations, which rounding cannot make depend on the number of threads."""

    def __init__(self, columns: Sequence[Floats], targets: Floats) -> None:
        if not columns:
            self.rest = targets
            return
        x = np.stack(columns)
        gram = np.einsum("in,jn->ij", x, x, optimize=False) / x.shape[1]
        right = np.einsum("in,on->io", x, targets, optimize=False) / x.shape[1]
        weights = np.linalg.solve(gram + 1e-9 * np.eye(len(x)), right)
        self.rest = targets - np.einsum("in,io->on", x, weights, optimize=False)
