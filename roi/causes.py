"""Where the pilot's losses come from: by label, else by the excess that defective inputs show.

A loss is an error, or an escalated or abandoned case. What neither a label nor evidence explains stays unexplained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.draws import dirichlet_draws, stream
from roi.moments import Losses
from roi.words import percent

__all__ = ["CAUSES", "Causes", "find_causes"]

Floats = npt.NDArray[np.float64]

CAUSES = ("model", "workflow", "data", "integration", "oversight")
UNEXPLAINED = "unexplained"
FEW_LOSSES = 10  # fewer labelled losses than this name no dominant cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """Shares of the losses by cause and what they cost in minutes.

    Attributes:
        losses: Number of losses seen.
        labelled: Losses with a label.
        evidence: "label", "excess" (inputs with against without a defect) or "none".
        error_share: By cause, the share of errors, shape (n_draws,); causes and "unexplained" sum to 1.
        loss_share: The same of all losses: errors, escalated and abandoned cases.
        excess_minutes: By cause, the human minutes per pilot case that its losses take beyond a correct case,
            shape (n_draws,).
    """

    losses: int
    labelled: int
    evidence: str
    error_share: Mapping[str, Floats]
    loss_share: Mapping[str, Floats]
    excess_minutes: Mapping[str, Floats]


def find_causes(losses: Losses | None, *, draws: int, seed: int) -> Causes:
    """Ascribe losses to causes.

    Args:
        losses: Pilot cases by outcome, cause and defect; None without labelled cases.
        draws: Number of draws.
        seed: Seed of the run.

    Returns:
        Shares and excess minutes by cause. With a prior of half a loss a cause; by label where at least half of the
        losses have one; else share × max(0, 1 − 1/RR) of them by defective inputs, RR being the risk of a loss with
        against without a defect.
    """
    nothing = Causes(losses=0, labelled=0, evidence="none", error_share={}, loss_share={}, excess_minutes={})
    if losses is None:
        return nothing
    outcome = np.array([o or "" for o in losses.outcome])
    lost = np.isin(outcome, ["error", "escalated", "abandoned"])
    total = int(losses.n[lost].sum())
    if total == 0:
        return nothing
    labels = np.array([c or UNEXPLAINED for c in losses.cause])
    labelled = int(losses.n[lost & (labels != UNEXPLAINED)].sum())
    correct = outcome == "correct"
    timed = losses.timed[correct].sum()
    usual = float(losses.minutes[correct].sum() / timed) if timed else 0.0
    cases = int(losses.n.sum())

    def excess(rows: npt.NDArray[np.bool_]) -> float:
        k = float(losses.timed[rows].sum())
        return (
            max(0.0, float(losses.minutes[rows].sum()) / k - usual) * float(losses.n[rows].sum()) / cases
            if k
            else 0.0
        )

    if 2 * labelled >= total:
        names = (*CAUSES, UNEXPLAINED)
        errors = np.array([losses.n[(outcome == "error") & (labels == c)].sum() for c in names], dtype=float)
        every = np.array([losses.n[lost & (labels == c)].sum() for c in names], dtype=float)
        prior = np.where(every > 0, 0.5, 0.05)
        share = dirichlet_draws(errors + prior, draws, stream(seed, "causes:errors"))
        whole = dirichlet_draws(every + prior, draws, stream(seed, "causes:losses"))
        spread = whole / ((every + prior) / (every + prior).sum())
        minutes = {c: excess(lost & (labels == c)) * spread[:, i] for i, c in enumerate(names)}
        return Causes(
            losses=total,
            labelled=labelled,
            evidence="label",
            error_share={c: share[:, i] for i, c in enumerate(names)},
            loss_share={c: whole[:, i] for i, c in enumerate(names)},
            excess_minutes=minutes,
        )
    by_data = _excess_share(losses, lost, draws=draws, seed=seed)
    if by_data is None:
        rest = np.ones(draws)
        return Causes(
            losses=total,
            labelled=labelled,
            evidence="none",
            error_share={UNEXPLAINED: rest},
            loss_share={UNEXPLAINED: rest},
            excess_minutes={},
        )
    return Causes(
        losses=total,
        labelled=labelled,
        evidence="excess",
        error_share={"data": by_data, UNEXPLAINED: 1 - by_data},
        loss_share={"data": by_data, UNEXPLAINED: 1 - by_data},
        excess_minutes={"data": excess(lost) * by_data, UNEXPLAINED: excess(lost) * (1 - by_data)},
    )


def _excess_share(losses: Losses, lost: npt.NDArray[np.bool_], *, draws: int, seed: int) -> Floats | None:
    """Share of the losses that defective inputs explain, shape (n_draws,); None where defects are not recorded."""
    with_defect = np.array([d is True for d in losses.defective])
    without = np.array([d is False for d in losses.defective])
    n = [float(losses.n[rows].sum()) for rows in (with_defect, without)]
    x = [float(losses.n[rows & lost].sum()) for rows in (with_defect, without)]
    if min(n) == 0:
        return None
    rng = stream(seed, "causes:excess")
    risk = [rng.beta(x[i] + 0.5, n[i] - x[i] + 0.5, draws) for i in (0, 1)]
    ratio = risk[0] / risk[1]
    part = x[0] / max(x[0] + x[1], 1.0)
    return np.asarray(part * np.maximum(0.0, 1 - 1 / ratio), dtype=np.float64)


def in_words(causes: Causes) -> str:
    """One sentence: is the model the problem?"""
    if causes.losses == 0:
        return "No losses were seen, so there is no cause to name."
    shares = causes.loss_share
    named = {c: float(s.mean()) for c, s in shares.items() if c != UNEXPLAINED}
    if causes.evidence == "none" or not named:
        return f"Not known: {causes.losses} losses carry no label of their cause, and nothing else explains them."
    if causes.losses < FEW_LOSSES:
        return f"Too few to tell: only {causes.losses} losses were seen."
    first = max(named, key=lambda c: named[c])
    low = float(np.percentile(shares[first], 5))
    others = [c for c in named if c != first]
    runner = max(others, key=lambda c: named[c]) if others else None
    if runner is not None:
        ahead = float((shares[first] > shares[runner]).mean())
        if ahead < 0.8:
            text = f"Partly: {first} and {runner} are behind about {percent(named[first])} and "
            text += f"{percent(named[runner])} of losses, too close to tell apart."
            return text
    verb = "Yes" if first == "model" else "Mostly not"
    by = (
        "by the reviewers' labels"
        if causes.evidence == "label"
        else "judging by cases with and without defective inputs"
    )
    size = f"about {percent(named[first])} of errors and hand-overs (at least {percent(low)})"
    return f"{verb}: {first} is behind {size}, {by}."
