"""Human minutes that losses take beyond right cases, and that right cases take which show evidence of a cause."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from roi.draws import normal_draws, stream, uniforms
from roi.evidence_shares import EVIDENCE
from roi.moments import Losses
from roi.special import ndtr, ndtri

__all__ = ["minutes_by_cause", "slow_minutes"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Share = Mapping[str, Floats]

ANY = 0.5  # chance that evidence makes right cases slower at all, before minutes are seen
USUAL = 0.25  # of a right case's minutes: how much slower it then makes them
ENOUGH = 3  # timed losses of a label before they speak for their own minutes


def minutes_by_cause(
    losses: Losses, parts: Mapping[str, tuple[Bools, Share]], *, draws: int, seed: int
) -> dict[str, Floats]:
    """Minutes a pilot case that each cause takes.

    Args:
        losses: The counts.
        parts: By kind of loss, its rows and the share of each cause, each shape (n_draws,).
        draws: Number of draws.
        seed: Seed of the run.

    Returns:
        By cause, at least 0; empty where no case has minutes. A loss of a cause takes what losses of its label do,
        where three of them have minutes, else what losses of its kind do, beyond right cases of the same segments.
    """
    correct = np.array([o == "correct" for o in losses.outcome]) & (losses.state("unused") != 1)
    if losses.timed[correct].sum() == 0:
        return {}
    labels = np.array([c or "" for c in losses.cause])
    usual = _usual(losses, correct)
    cases = float(losses.n.sum())
    found: dict[str, Floats] = {}
    for kind, (rows, share) in parts.items():
        z = normal_draws(draws, stream(seed, f"minutes:{kind}"))
        of_all = _beyond(losses, rows, usual)
        for cause, s in share.items():
            own = _beyond(losses, rows & (labels == cause), usual, least=ENOUGH)
            mean, error = own or of_all or (0.0, 0.0)
            taken = np.maximum(0.0, mean + error * z) * float(losses.n[rows].sum()) / cases * s
            if taken.any():
                found[cause] = found.get(cause, np.zeros(draws)) + taken
    for kind, slower in slow_minutes(losses, correct, draws=draws, seed=seed).items():
        shown = correct & (losses.state(EVIDENCE[kind]) == 1)
        taken = slower * float(losses.n[shown].sum()) / cases
        found[kind] = found.get(kind, np.zeros(draws)) + taken
    return found


def _usual(losses: Losses, correct: Bools) -> Floats:
    """Mean minutes of right cases of each row's segment, of all where it has none; shape (rows,)."""
    segment = losses.state("segment")
    whole = float(losses.minutes[correct].sum() / losses.timed[correct].sum())
    usual = np.full(losses.n.size, whole)
    for s in np.unique(segment):
        here = correct & (segment == s)
        if losses.timed[here].sum() >= ENOUGH:
            usual[segment == s] = losses.minutes[here].sum() / losses.timed[here].sum()
    return usual


def _beyond(losses: Losses, rows: Bools, usual: Floats, least: int = 1) -> tuple[float, float] | None:
    """Mean minutes of rows beyond what is usual and its standard error; None with fewer timed cases than `least`."""
    timed = float(losses.timed[rows].sum())
    if timed < least:
        return None
    mean = float((losses.minutes[rows] - losses.timed[rows] * usual[rows]).sum()) / timed
    if losses.minutes2 is None or timed < 2:
        return mean, 0.0
    squares = losses.minutes2 - 2 * usual * losses.minutes + losses.timed * usual**2
    spread = max(float(squares[rows].sum()) / timed - mean**2, 0.0) * timed / (timed - 1)
    return mean, float(np.sqrt(spread / timed))


def slow_minutes(losses: Losses, correct: Bools, *, draws: int, seed: int) -> dict[str, Floats]:
    """Minutes by which right cases are slower that show evidence of a cause, by kind, each shape (n_draws,).

    By least squares within segments, all kinds at once, errors by worker where there are workers. A kind may make no
    difference; where it does, a quarter of the usual minutes is expected.
    """
    kinds = [k for k, column in EVIDENCE.items() if (losses.state(column)[correct] == 1).any()]
    timed = losses.timed.astype(np.float64) * correct
    if not kinds or losses.minutes2 is None:
        return {}
    x = np.stack([(losses.state(EVIDENCE[k]) == 1).astype(np.float64) for k in kinds])
    segment = losses.state("segment")
    y = np.divide(losses.minutes, timed, out=np.zeros(timed.size), where=timed > 0)
    for s in np.unique(segment):
        here = (segment == s) & (timed > 0)
        if not here.any():
            continue
        w = timed[here] / timed[here].sum()
        y[here] -= (w * y[here]).sum()
        x[:, here] -= (w * x[:, here]).sum(axis=1)[:, None]
    gram = (x[:, None] * x[None, :] * timed).sum(axis=2)
    alone = np.diag(gram)
    able = [i for i in range(len(kinds)) if alone[i] > 1e-9]
    if not able or np.linalg.cond(gram[np.ix_(able, able)]) > 1e8:
        return {}
    x, kinds = x[able], [kinds[i] for i in able]
    inverse = np.linalg.inv(gram[np.ix_(able, able)])
    slope = (inverse * (x * timed * y).sum(axis=1)).sum(axis=1)
    left = y - (slope[:, None] * x).sum(axis=0)
    within = np.maximum(
        losses.minutes2
        - np.divide(losses.minutes**2, losses.timed, out=np.zeros(timed.size), where=timed > 0),
        0.0,
    )
    cases = float(timed.sum())
    noise = float((timed * left**2 + within * (timed > 0)).sum()) / max(cases - len(kinds) - 1, 1.0)
    variance = noise * inverse
    worker = losses.state("worker")
    if (worker >= 0).all() and np.unique(worker).size > 1:
        # At least what independent cases would give; more where a worker's cases are alike.
        score = np.stack([np.bincount(worker, weights=row * timed * left) for row in x])
        middle = (
            (score[:, None] * score[None, :]).sum(axis=2)
            * np.unique(worker).size
            / (np.unique(worker).size - 1)
        )
        robust = _sandwich(inverse, middle)
        variance = np.where(np.diag(robust) > np.diag(variance), np.diag(robust), np.diag(variance))
    else:
        variance = np.diag(variance)
    usual = float(losses.minutes[correct].sum() / cases)
    return {
        k: _slower(float(d), float(np.sqrt(v)), USUAL * usual, draws, seed, k)
        for k, d, v in zip(kinds, slope, variance, strict=True)
    }


def _sandwich(bread: Floats, middle: Floats) -> Floats:
    """Bread × middle × bread, without a matrix product of BLAS: see `roi.draws`."""
    half = (bread[:, :, None] * middle[None, :, :]).sum(axis=1)
    return np.asarray((half[:, :, None] * bread[None, :, :]).sum(axis=1))


def _slower(seen: float, error: float, usual: float, draws: int, seed: int, kind: str) -> Floats:
    """Draws of a difference that is 0, or positive and half-normal of scale `usual`, after it was measured."""
    if not (error > 0 and usual > 0):
        return np.full(draws, max(seen, 0.0))
    both = usual**2 + error**2
    mean, spread = seen * usual**2 / both, usual * error / np.sqrt(both)
    log_bayes = 0.5 * np.log(error**2 / both) + 0.5 * seen**2 * (1 / error**2 - 1 / both)
    odds = ANY / (1 - ANY) * 2 * ndtr(mean / spread) * np.exp(min(log_bayes, 700.0))
    rng = stream(seed, f"slower:{kind}")
    u, below = uniforms(draws, rng), ndtr(-mean / spread)
    drawn = mean + spread * ndtri(np.clip(below + (1 - below) * u, 1e-300, 1 - 1e-16))
    keep = uniforms(draws, rng) < odds / (1 + odds)
    return np.where(keep, np.maximum(drawn, 0.0), 0.0)
