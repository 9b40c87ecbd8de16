"""Drawing: the one place where randomness enters.

Every quantity has a random stream of its own, derived from the seed and the quantity's name, so that adding an
input does not change the draws of the others and the same inputs give the same bytes. Sums are numpy's pairwise
sums and no matrix product is left to BLAS, whose order of addition depends on the number of threads.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.special import betaincinv, gammaincinv, ndtr, ndtri, stdtrit

__all__ = [
    "dirichlet_draws",
    "joint_t_draws",
    "normal_draws",
    "one_sided_bounds",
    "stream",
    "t_quantile",
    "uniforms",
]

Floats = npt.NDArray[np.float64]

_Z: Floats = np.linspace(-4.5, 4.5, 181)


def stream(seed: int, name: str) -> np.random.Generator:
    """A random stream of its own for a named quantity."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())])))


def uniforms(n: int, rng: np.random.Generator) -> Floats:
    """Latin hypercube points of one quantity: the middles of `n` equal strata in random order.

    Args:
        n: How many, at least 1.
        rng: Random stream.

    Returns:
        Shape (n,), in (0, 1).

    Source:
        McKay, Beckman & Conover (1979), Technometrics 21:239.
    """
    return (rng.permutation(n) + 0.5) / n


def normal_draws(n: int, rng: np.random.Generator) -> Floats:
    """Standard normal draws, stratified; shape (n,)."""
    return np.asarray(ndtri(uniforms(n, rng)), dtype=np.float64)


def t_quantile(level: float, df: float) -> float:
    """Quantile of Student's t; `df` may be infinite."""
    return float(ndtri(level)) if np.isinf(df) else float(stdtrit(df, level))


def factor(covariance: Floats) -> Floats:
    """A matrix L with L Lᵀ = `covariance`, by pivoted Cholesky; the covariance may be singular.

    Args:
        covariance: Shape (p, p), symmetric, non-negative definite.

    Returns:
        Shape (p, rank).
    """
    rest = np.array(covariance, dtype=np.float64)
    p = rest.shape[0]
    columns: list[Floats] = []
    largest = float(np.max(np.diag(rest), initial=0.0))
    for _ in range(p):
        diagonal = np.diag(rest)
        most = float(np.max(diagonal))
        if not most > 1e-12 * largest:
            break
        pivot = int(
            np.argmax(diagonal >= most * (1 - 1e-9))
        )  # the first of equals, whatever the last digits say
        column = rest[:, pivot] / np.sqrt(diagonal[pivot])
        columns.append(column)
        rest = rest - np.outer(column, column)
    return np.stack(columns, axis=1) if columns else np.zeros((p, 0))


@lru_cache(maxsize=512)
def _log_chi2(df: float) -> Floats:
    """Logarithms of a chi-squared's quantiles on a grid of normal ones: between them they are all but straight."""
    return np.asarray(np.log(2 * gammaincinv(df / 2, ndtr(_Z))), dtype=np.float64)


def joint_t_draws(covariance: Floats, df: float, n: int, rng: np.random.Generator) -> Floats:
    """Draws of deviations that are jointly t: every linear combination of them is a t with `df` degrees of freedom.

    Half of the draws mirror the other half, so that their mean is exactly 0, and each direction is scaled to have
    its variance exactly.

    Args:
        covariance: Squared scale of the t (the sampling covariance), shape (p, p).
        df: Degrees of freedom, at least 1; infinite for a normal.
        n: How many draws, even.
        rng: Random stream.

    Returns:
        Shape (n, p).
    """
    if not (df >= 1 and n >= 2 and n % 2 == 0):
        raise ValueError(f"joint_t_draws needs df >= 1 and an even n, not df={df}, n={n}")
    scale = factor(covariance)
    half = n // 2
    normal = rng.standard_normal((scale.shape[1], half))
    for row in normal:
        row /= np.sqrt(np.mean(row * row))
    mixing = np.ones(half)
    if not np.isinf(df):
        mixing = np.sqrt(df / np.exp(np.interp(ndtri(uniforms(half, rng)), _Z, _log_chi2(df))))
    deviations = np.zeros((scale.shape[0], half))
    for j in range(scale.shape[1]):  # not a matrix product: see the top of this file
        deviations += scale[:, j, None] * normal[j]
    deviations *= mixing
    return np.concatenate([deviations, -deviations], axis=1).T


def dirichlet_draws(weights: Sequence[float] | Floats, n: int, rng: np.random.Generator) -> Floats:
    """Draws of shares that sum to 1.

    Args:
        weights: Shape (k,), each at least 0 and one above 0.
        n: How many.
        rng: Random stream.

    Returns:
        Shape (n, k).
    """
    w = np.asarray(weights, dtype=np.float64)
    if not (np.all(w >= 0) and w.sum() > 0):
        raise ValueError("a Dirichlet needs weights of at least 0, and one above 0")
    # With weights far below 1 every gamma of a draw may underflow; that draw then falls on one share by weight.
    gamma = np.stack([rng.standard_gamma(x, n) if x > 0 else np.zeros(n) for x in w], axis=1)
    total = gamma.sum(axis=1)
    empty = ~(total > 0)
    if empty.any():
        gamma[empty] = np.eye(w.size)[rng.choice(w.size, size=int(empty.sum()), p=w / w.sum())]
        total = gamma.sum(axis=1)
    return np.asarray(gamma / total[:, None], dtype=np.float64)


def one_sided_bounds(hits: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Exact (Clopper & Pearson) one-sided bounds of a rate, each at `level`.

    Args:
        hits: Events, `0 <= hits <= n`; need not be whole, so that an effective number may be used.
        n: Trials, at least 0.
        level: One-sided confidence in (0, 1).

    Returns:
        Lower and upper bound; (0, 1) without trials.

    Source:
        Clopper & Pearson (1934), Biometrika 26:404.
    """
    if not (0 <= hits <= n and 0 < level < 1):
        raise ValueError(f"{hits} events in {n} trials at level {level}")
    if n == 0:
        return 0.0, 1.0
    low = float(betaincinv(hits, n - hits + 1, 1 - level)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, level)) if hits < n else 1.0
    return low, high
