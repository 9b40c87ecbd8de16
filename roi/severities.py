"""How severe errors are: shares of minor, moderate, major and critical errors, by arm.

Both arms share one distribution, so that no millions are invented from zero events; only a class that the pilot arm
shows often is told apart, so that the baseline does not inherit the pilot's harm.

`severity_mix` says what share of errors is expected in each class before any is seen. Rare classes carry the money: a
few errors without a critical one say next to nothing about critical ones, whose expected share must then stay, with an
interval that reaches from nearly none to several times as many; and once a class is seen more often, what was seen has
to outweigh what was expected.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.draws import stream, uniforms
from roi.special import log_expit

__all__ = ["severity_draws"]

Floats = npt.NDArray[np.float64]

ENOUGH_EVENTS = 5  # of a severity class in the pilot arm, before the arms may differ in it
HALF_AN_EVENT = (
    0.5  # weight of what is expected where few errors are seen: from none to several times as many
)
TAIL = 2.0  # how soon what is expected gives way: the smaller the sooner, and the mean is infinite at 1
MOST = 0.999  # a class that is said to be all errors
_LOG_ODDS: Floats = np.linspace(-26.0, 14.0, 1001)
_SHARE: Floats = np.exp(log_expit(_LOG_ODDS))


def severity_draws(counts: Floats, mix: Floats, *, draws: int, seed: int) -> Floats:
    """Draw the shares of errors by severity.

    Args:
        counts: Errors seen by arm and severity, shape (2 arms, 4); need not be whole where cases are weighted.
        mix: Expected shares of the four severities, shape (4,), summing to 1.
        draws: Number of draws.
        seed: Seed of the run.

    Returns:
        Shape (2 arms, draws, 4), each draw summing to 1; minor errors take up what the others leave.
    """
    result = np.zeros((2, draws, mix.size))
    # Harm is charged to the arm that shows it; that the agent does less harm has to be shown in both.
    own = counts[1] >= ENOUGH_EVENTS
    left = np.ones((2, draws))
    for i in range(mix.size - 1, 0, -1):
        if own[i]:
            of = [_among_milder(counts[a], mix, i, draws, stream(seed, f"severity:{a}:{i}")) for a in (0, 1)]
        else:
            of = [_among_milder(counts.sum(axis=0), mix, i, draws, stream(seed, f"severity:{i}"))] * 2
        for arm in (0, 1):
            share = left[arm] * of[arm]
            result[arm, :, i] = share
            left[arm] -= share
    result[:, :, 0] = left
    return result


def _among_milder(counts: Floats, mix: Floats, i: int, draws: int, rng: np.random.Generator) -> Floats:
    """Draws of the share of class `i` among errors that are no more severe, with its mean exactly; shape (draws,).

    Taken from the most severe class down, these shares are independent, each keeps what is expected of it, and what is
    left in the end is minor.
    """
    hits, errors = float(counts[i]), float(counts[: i + 1].sum())
    expected = float(mix[i]) / float(mix[: i + 1].sum()) if mix[: i + 1].sum() > 0 else 0.0
    if hits == 0 and expected == 0:
        return np.zeros(draws)
    if expected == 0:
        expected = HALF_AN_EVENT / (errors + 1)  # it was said never to happen, and did
    mass = _posterior(hits, errors, expected)
    drawn = np.interp(uniforms(draws, rng), np.cumsum(mass) - mass / 2, _LOG_ODDS)
    share = np.exp(log_expit(drawn))
    return np.minimum(share * (float((_SHARE * mass).sum()) / float(share.mean())), 1.0)


@lru_cache(maxsize=512)
def _posterior(hits: float, errors: float, expected: float) -> Floats:
    """Probabilities of the grid of shares, after `hits` of `errors` fell into a class."""
    return _normal(_log_prior(expected) + hits * _LOG_ODDS + errors * log_expit(-_LOG_ODDS))


@lru_cache(maxsize=64)
def _log_prior(expected: float) -> Floats:
    """Log probabilities of the grid before errors are seen, their mean being what is expected.

    The odds have a scaled beta-prime distribution: like half an event where they are small, with a tail so heavy that
    what is seen outweighs it.

    Source:
        Pérez, Pericchi & Ramírez (2017), Bayesian Analysis 12:615, on the scaled beta2 distribution as a robust prior.
    """
    low, high = -30.0, 30.0
    for _ in range(60):
        scale = (low + high) / 2
        log_mass = HALF_AN_EVENT * _LOG_ODDS - (HALF_AN_EVENT + TAIL) * np.logaddexp(0.0, _LOG_ODDS - scale)
        mean = float((_SHARE * _normal(log_mass)).sum())
        low, high = (scale, high) if mean < min(expected, MOST) else (low, scale)
    return np.asarray(log_mass, dtype=np.float64)


def _normal(log_mass: Floats) -> Floats:
    mass = np.exp(log_mass - log_mass.max())
    return np.asarray(mass / mass.sum(), dtype=np.float64)
