"""Where the pilot's losses come from: by a reviewer's label where there is one, else by evidence.

A loss is an error, an escalated or abandoned case, or a right result that nobody used; what it costs are its errors'
consequences, human minutes beyond those of a right case, and the agent's cost. What is estimated is the share of losses
that would not have happened without a cause (the attributable share), of which labels are a reviewer's word and
evidence a measurement. What neither tells stays unexplained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from roi.draws import dirichlet_draws, stream
from roi.evidence_shares import EVIDENCE, FEWEST, Grid, by_evidence, grid_of
from roi.lost_minutes import minutes_by_cause
from roi.moments import Losses

__all__ = ["CAUSES", "UNEXPLAINED", "Causes", "design_effect", "find_causes"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CAUSES = ("model", "workflow", "data", "integration", "oversight")
UNEXPLAINED = "unexplained"
NAMES = (*CAUSES, UNEXPLAINED)
KINDS = ("error", "handed_over", "unused")
FEW_LABELS = 10  # fewer labelled losses than this do not speak for the others
PRIOR = 0.5  # of a loss by cause, before labels are seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """Shares of the losses by cause and what they cost.

    Attributes:
        losses: Number of losses seen.
        labelled: Losses with a label.
        evidence: "label", "evidence" (what cases show beside their loss), "both" or "none".
        error_share: By cause, the share of errors, shape (n_draws,); causes and "unexplained" sum to 1.
        loss_share: The same of all losses: errors, escalated and abandoned cases, right results nobody used.
        excess_minutes: By cause, the human minutes per pilot case that it takes: of its losses beyond a right case,
            and of right cases that show evidence of it; shape (n_draws,).
        wasted_cost: By cause, the share of the agent's cost that goes into its losses, shape (n_draws,).
        counted: Losses by kind (error, handed_over, unused).
        labels: Labelled losses by cause.
        effects: By kind of evidence (data, integration, oversight), the cases that show it, the losses among them, and
            the chance that it has any effect on errors or hand-overs; kinds that no log tells are not there.
        effect: Design effect of losses of one worker being alike: losses that say as much as one independent one.
        on_correct: Labels of a cause on right results that were used: there is no loss to ascribe.
    """

    losses: int
    labelled: int
    evidence: str
    error_share: Mapping[str, Floats]
    loss_share: Mapping[str, Floats]
    excess_minutes: Mapping[str, Floats]
    wasted_cost: Mapping[str, Floats] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    effects: Mapping[str, tuple[int, int, float]] = field(default_factory=dict)
    effect: float = 1.0
    on_correct: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Losses of one kind: which rows they are, and the share of each cause, shape (6, n_draws)."""

    rows: Bools
    share: Floats


def find_causes(losses: Losses | None, *, draws: int, seed: int, selection: str = "unknown") -> Causes:
    """Ascribe losses to causes.

    Args:
        losses: Pilot cases by outcome, cause and evidence; None without labelled cases.
        draws: Number of draws.
        seed: Seed of the run.
        selection: How the cases that people labelled were chosen: all, random, risk_based or unknown. Labels of at
            least ten losses of all or random ones speak for losses without a label that show the same; any other
            labels speak for themselves.

    Returns:
        Shares, minutes and cost by cause.
    """
    if losses is None or losses.n.size == 0:
        return Causes(
            losses=0, labelled=0, evidence="none", error_share={}, loss_share={}, excess_minutes={}
        )
    outcome = np.array([o or "" for o in losses.outcome])
    cause = np.array([c or "" for c in losses.cause])
    unused = (outcome == "correct") & (losses.state("unused") == 1)
    kinds = {"error": outcome == "error", "handed_over": np.isin(outcome, ["escalated", "abandoned"])}
    kinds["unused"] = unused
    lost = kinds["error"] | kinds["handed_over"] | unused
    on_correct = int(losses.n[(outcome == "correct") & ~unused & (cause != "")].sum())
    counted = {k: int(losses.n[rows].sum()) for k, rows in kinds.items()}
    total = sum(counted.values())
    if total == 0:
        minutes = minutes_by_cause(losses, {}, draws=draws, seed=seed)
        return Causes(
            losses=0,
            labelled=0,
            evidence="none",
            error_share={},
            loss_share={},
            excess_minutes=minutes,
            counted=counted,
            on_correct=on_correct,
        )
    grid = grid_of(losses, lost & ~unused)
    effect = design_effect(losses.state("worker")[lost], cause[lost], losses.n[lost])
    shared = None
    if min(counted["error"], counted["handed_over"]) < FEWEST:
        # Too few of one kind to tell alone what evidence does to it: both are taken to be alike.
        shared = by_evidence(grid, kinds["error"] | kinds["handed_over"], draws=draws, seed=seed, name="loss")
    parts: dict[str, _Part] = {}
    found: dict[str, float] = {}
    for kind, rows in kinds.items():
        if counted[kind] == 0:
            continue
        if kind == "unused":
            evident = np.zeros((3, len(NAMES), draws))
            evident[:, CAUSES.index("workflow")] = 1.0  # the agent was right
        else:
            seen = shared or by_evidence(grid, rows, draws=draws, seed=seed, name=kind)
            evident = np.stack([_laid_out(x, draws) for x in (*seen.groups, seen.whole)])
            for k, chance in seen.effect.items():
                found[k] = max(found.get(k, 0.0), chance)
        share = _combined(losses, rows, cause, evident, grid, effect, selection, stream(seed, f"causes:{kind}"))
        parts[kind] = _Part(rows=rows, share=share)
    weight = dirichlet_draws([counted[k] for k in parts], draws, stream(seed, "causes:kinds"))
    whole = sum((weight[:, i] * part.share for i, part in enumerate(parts.values())), np.zeros(1))
    errors = parts["error"].share if "error" in parts else np.asarray(whole)
    labels = {c: int(losses.n[lost & (cause == c)].sum()) for c in CAUSES}
    labelled = sum(labels.values())
    says = labelled > 0, bool(grid.kinds) or counted["unused"] > 0
    by_kind = {k: (part.rows, dict(zip(NAMES, part.share, strict=True))) for k, part in parts.items()}
    return Causes(
        losses=total,
        labelled=labelled,
        evidence={(True, True): "both", (True, False): "label", (False, True): "evidence"}.get(says, "none")
        if labelled < total
        else "label",
        error_share=_told(errors),
        loss_share=_told(np.asarray(whole)),
        excess_minutes=minutes_by_cause(losses, by_kind, draws=draws, seed=seed),
        wasted_cost=_wasted(losses, parts, draws),
        counted=counted,
        labels={c: n for c, n in labels.items() if n},
        effects={k: (*grid.shown_by(k, lost), found[k]) for k in EVIDENCE if k in found},
        effect=effect,
        on_correct=on_correct,
    )


def _told(share: Floats) -> dict[str, Floats]:
    """By name, without causes that no draw gives anything; "unexplained" comes last."""
    return {c: s for c, s in zip(NAMES, share, strict=True) if s.any()}


def _laid_out(shares: Mapping[str, Floats], draws: int) -> Floats:
    nothing = np.zeros(draws)
    return np.stack([shares.get(c, nothing) for c in NAMES])


def _combined(
    losses: Losses,
    rows: Bools,
    cause: npt.NDArray[np.str_],
    evident: Floats,
    grid: Grid,
    effect: float,
    selection: str,
    rng: np.random.Generator,
) -> Floats:
    """Shares of the losses of one kind by cause, shape (6, n_draws).

    Args:
        losses: The counts.
        rows: Rows of this kind.
        cause: Labels, "" for none.
        evident: What evidence says of losses that show none, of those that show some, and of all; shape (3, 6, n_draws).
        grid: Which rows show evidence.
        effect: Design effect.
        selection: How labelled cases were chosen.
        rng: Random stream.
    """
    draws = evident.shape[-1]
    shows = grid.any_shown.astype(np.int64)
    n = np.zeros((2, len(NAMES)))  # labelled losses by group and cause; the last column has no label
    for g in (0, 1):
        for i, c in enumerate([*CAUSES, ""]):
            n[g, i] = losses.n[rows & (shows == g) & (cause == c)].sum()
    known, blank = n[:, :-1], n[:, -1]
    if known.sum() == 0:
        return evident[2]
    spoken = np.zeros((2, len(NAMES), draws))
    general = selection in ("all", "random") and known.sum() >= FEW_LABELS
    centre = (known.sum(axis=0) + PRIOR) / (known.sum() + PRIOR * len(CAUSES))
    for g in (0, 1):
        if general and blank.sum() > 0:
            # A group's labels around those of all: two losses' worth.
            prior = 2 * centre if known[1 - g].sum() > 0 else np.full(len(CAUSES), PRIOR)
            spoken[g, :-1] = dirichlet_draws(known[g] / effect + prior, draws, rng).T
        elif known[g].sum() > 0:
            spoken[g, :-1] = dirichlet_draws(known.sum(axis=0) / effect + PRIOR, draws, rng).T
    if general and blank.sum() > 0:
        weights = dirichlet_draws(n.sum(axis=1) / effect, draws, rng)
        return np.asarray((weights.T[:, None] * spoken).sum(axis=0))
    by_label = np.zeros((len(NAMES), draws))
    by_label[:-1] = dirichlet_draws(known.sum(axis=0) / effect + PRIOR, draws, rng).T
    if blank.sum() == 0:
        return by_label
    weights = dirichlet_draws(blank / effect, draws, rng)
    others = (weights.T[:, None] * evident[:2]).sum(axis=0)
    part = known.sum() / n.sum()
    return np.asarray(part * by_label + (1 - part) * others)


def design_effect(worker: Sequence[int], cause: Sequence[str], n: Sequence[int]) -> float:
    """How many losses say as much as one independent loss, for losses of one worker are alike in their cause.

    Args:
        worker: Index of each row's worker, -1 where cases are independent.
        cause: Its label; "" for none is a kind of its own.
        n: Losses of the row.

    Returns:
        The mean over causes of the variance of a share between workers over that of independent losses, weighted by
        the latter; at least 1, and at most the losses of a worker. 1 with fewer than two workers.

    Source:
        Rao & Scott (1981), JASA 76:221, first-order correction.
    """
    who, kind, count = np.asarray(worker), np.asarray(cause), np.asarray(n, dtype=np.float64)
    if who.size == 0 or (who < 0).any():
        return 1.0
    units, at = np.unique(who, return_inverse=True)
    names, of = np.unique(kind, return_inverse=True)
    if units.size < 2 or names.size < 2:
        return 1.0
    table = np.zeros((units.size, names.size))
    np.add.at(table, (at, of), count)
    each, total = table.sum(axis=1), float(table.sum())
    p = table.sum(axis=0) / total
    spread = ((table - each[:, None] * p) ** 2).sum(axis=0) * units.size / (units.size - 1)
    independent = total * p * (1 - p)
    most = float((each**2).sum() / total)
    return float(np.clip(spread.sum() / independent.sum(), 1.0, max(most, 1.0)))


def _wasted(losses: Losses, parts: Mapping[str, _Part], draws: int) -> dict[str, Floats]:
    """Share of the agent's cost that goes into losses, by cause; empty where no cost is known."""
    if losses.costed is None or losses.costed.sum() == 0:
        return {}
    spent = losses.costed.astype(np.float64) if losses.cost is None else losses.cost
    whole = float(spent.sum())
    if not whole > 0:
        return {}
    found = np.zeros((len(NAMES), draws))
    for part in parts.values():
        found += float(spent[part.rows].sum()) / whole * part.share
    return _told(found)
