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
from roi.evidence_shares import Seen, by_evidence, grid_of
from roi.lost_minutes import minutes_by_cause
from roi.moments import Losses

__all__ = ["CAUSES", "UNEXPLAINED", "Causes", "design_effect", "find_causes"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CAUSES = ("model", "workflow", "data", "integration", "oversight")
UNEXPLAINED = "unexplained"
NAMES = (*CAUSES, UNEXPLAINED)
KINDS = ("error", "handed_over", "unused")
FEW_LABELS, FEW_SHARE = 10, 0.2  # fewer labelled losses, and a smaller share, do not speak for the others
PRIOR = 0.15  # of a loss by cause, before labels are seen
OF_ALL = 0.75  # losses' worth of what labels of all kinds of loss say, for those of one kind
APART = 8  # labelled losses, from which a kind of loss, or one with and one without evidence, has shares of its own
MANY = 15  # losses of each kind, from which evidence is held against each kind on its own


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
            the chance that it has any effect on errors or hand-overs (None where labels tell all); kinds that no log
            tells are not there.
        told: Losses of which something tells the cause: a label, a right result that nobody used, or evidence that was
            held against them; None for all.
        effect: Design effect of losses of one worker being alike: losses that say as much as one independent one.
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
    effects: Mapping[str, tuple[int, int, float | None]] = field(default_factory=dict)
    told: int | None = None
    effect: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Losses of one kind: which rows they are, and the share of each cause, shape (6, n_draws)."""

    rows: Bools
    share: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labels:
    """What labels say of the losses of every kind.

    Attributes:
        n: By kind, losses that show no evidence and that show some, by label; the last has none. Shape (2, 6).
        weights: By kind, gamma draws of the labels, of losses that show no evidence and that show some, shape
            (2, 5, n_draws), or of both together (1, 5, n_draws): one for all that is made of them, so that shares of
            one kind and of all kinds move together.
        pool: Share of each cause in labels of all kinds, shape (5, n_draws).
        rare: The same of causes that no label names, 0 of others: such a cause is as rare in losses of every kind.
        named: Whether any label names a cause, shape (5,).
        centre: What the labels of all losses say, shape (5,).
        effect: Design effect.
    """

    n: Mapping[str, Floats]
    weights: Mapping[str, Floats]
    pool: Floats
    rare: Floats
    named: Bools
    centre: Floats
    effect: float

    def beside_rare(self, weights: Floats) -> Floats:
        """Shares that named causes take by their weights (0 of others) beside the rare ones; shape (5, n_draws)."""
        return np.asarray(weights / weights.sum(axis=0) * (1 - self.rare.sum(axis=0)) + self.rare)


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
        return Causes(losses=0, labelled=0, evidence="none", error_share={}, loss_share={}, excess_minutes={})
    outcome = np.array([o or "" for o in losses.outcome])
    cause = np.array([c or "" for c in losses.cause])
    unused = (outcome == "correct") & (losses.state("unused") == 1)
    kinds = {"error": outcome == "error", "handed_over": np.isin(outcome, ["escalated", "abandoned"])}
    kinds["unused"] = unused
    lost = kinds["error"] | kinds["handed_over"] | unused
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
        )
    grid = grid_of(losses, lost & ~unused)
    effect = design_effect(losses.state("worker")[lost], cause[lost], losses.n[lost])
    counts = {k: (int(losses.n[r & (cause != "")].sum()), counted[k]) for k, r in kinds.items()}
    general = _general(sum(said for said, _ in counts.values()), total, selection)
    told = _listen(
        losses, kinds, cause, grid.any_shown, general=general, effect=effect, draws=draws, seed=seed
    )
    # Where labels speak for every loss of a kind, nothing is asked of the evidence.
    asked = [k for k, (said, n) in counts.items() if said < n and k != "unused" and not general]
    apart = any(said for said, _ in counts.values())
    seen: dict[str, Seen] = {}
    if asked and min(counted["error"], counted["handed_over"]) < MANY:
        # Too few of one kind to tell alone what evidence does to it: both are taken to be alike.
        both = by_evidence(
            grid, kinds["error"] | kinds["handed_over"], name="loss", apart=apart, draws=draws, seed=seed
        )
        seen = dict.fromkeys(asked, both)
    elif asked:
        seen = {k: by_evidence(grid, kinds[k], name=k, apart=apart, draws=draws, seed=seed) for k in asked}
    parts: dict[str, _Part] = {}
    for kind, rows in kinds.items():
        if counted[kind] == 0:
            continue
        evident = np.zeros((3, len(NAMES), draws))
        if kind == "unused":
            evident[:, CAUSES.index("workflow")] = 1.0  # the agent was right
        elif kind in seen:
            evident = np.stack([_laid_out(x, draws) for x in (*seen[kind].groups, seen[kind].whole)])
        share = _combined(kind, evident, told, general=general, seed=seed)
        parts[kind] = _Part(rows=rows, share=share)
    weight = dirichlet_draws([counted[k] for k in parts], draws, stream(seed, "causes:kinds"))
    whole = sum((weight[:, i] * part.share for i, part in enumerate(parts.values())), np.zeros(1))
    errors = parts["error"].share if "error" in parts else np.asarray(whole)
    labels = {c: int(losses.n[lost & (cause == c)].sum()) for c in CAUSES}
    labelled = sum(labels.values())
    chances = [x.effect for x in seen.values()]
    effects = {
        k: (*grid.shown_by(k, lost), max((c[k] for c in chances if k in c), default=None)) for k in grid.kinds
    }
    by_use = counted["unused"] > counts["unused"][0]
    heard = labelled + sum(
        n - said for k, (said, n) in counts.items() if k == "unused" or (k in seen and seen[k].effect)
    )
    says = labelled > 0, (bool(asked) and bool(grid.kinds)) or by_use
    by_kind = {k: (part.rows, dict(zip(NAMES, part.share, strict=True))) for k, part in parts.items()}
    return Causes(
        losses=total,
        labelled=labelled,
        evidence={(True, True): "both", (True, False): "label", (False, True): "evidence"}.get(says, "none"),
        error_share=_told(errors),
        loss_share=_told(np.asarray(whole)),
        excess_minutes=minutes_by_cause(losses, by_kind, draws=draws, seed=seed),
        wasted_cost=_wasted(losses, parts, draws),
        counted=counted,
        labels={c: n for c, n in labels.items() if n},
        effects=effects,
        told=heard,
        effect=effect,
    )


def _general(labelled: int, total: int, selection: str) -> bool:
    """Whether labels speak for the losses that have none: chosen without regard to the cause, and not too few."""
    enough = labelled >= FEW_LABELS or labelled >= FEW_SHARE * total
    return selection in ("all", "random") and labelled > 0 and enough


def _told(share: Floats) -> dict[str, Floats]:
    """By name, without causes that no draw gives anything; "unexplained" comes last."""
    return {c: s for c, s in zip(NAMES, share, strict=True) if s.any()}


def _laid_out(shares: Mapping[str, Floats], draws: int) -> Floats:
    nothing = np.zeros(draws)
    return np.stack([shares.get(c, nothing) for c in NAMES])


def _listen(
    losses: Losses,
    kinds: Mapping[str, Bools],
    cause: npt.NDArray[np.str_],
    shows: Bools,
    *,
    general: bool,
    effect: float,
    draws: int,
    seed: int,
) -> _Labels:
    """Count labels by kind of loss and draw what they weigh.

    Args:
        losses: The counts.
        kinds: By kind of loss, its rows.
        cause: Labels, "" for none.
        shows: Whether a row shows any evidence.
        general: Whether labels speak for losses that have none.
        effect: Design effect.
        draws: Number of draws.
        seed: Seed of the run.
    """
    n = {
        kind: np.array(
            [
                [losses.n[rows & (shows == g) & (cause == c)].sum() for c in (*CAUSES, "")]
                for g in (False, True)
            ],
            dtype=np.float64,
        )
        for kind, rows in kinds.items()
    }
    weights = {}
    for kind, x in n.items():
        known = x[:, :-1] / effect
        # Who shows evidence is told apart only where that is asked; one draw of both costs half.
        apart = general and x[:, -1].sum() > 0 and min(x[:, :-1].sum(axis=1)) >= APART
        weights[kind] = _gammas(known if apart else known.sum(axis=0, keepdims=True), draws, seed, kind)
    every = np.asarray(sum(x[:, :-1].sum(axis=0) for x in n.values()), dtype=np.float64)
    pool = _gammas(np.full(len(CAUSES), PRIOR), draws, seed, "all")
    for x in weights.values():
        pool = pool + x.sum(axis=0)
    pool = pool / pool.sum(axis=0)
    return _Labels(
        n=n,
        weights=weights,
        pool=pool,
        rare=np.where((every == 0)[:, None], pool, 0.0),
        named=every > 0,
        centre=(every + PRIOR) / (every.sum() + PRIOR * len(CAUSES)),
        effect=effect,
    )


def _gammas(shape: Floats, draws: int, seed: int, name: str) -> Floats:
    """Gamma draws, 0 where the shape is: sums of them are those of summed shapes, and their ratios are Dirichlet."""
    rng = stream(seed, f"causes:{name}")
    found = np.zeros((*shape.shape, draws))
    for at in np.ndindex(*shape.shape):
        if shape[at] > 0:
            found[at] = rng.standard_gamma(shape[at], draws)
    return found


def _combined(kind: str, evident: Floats, labels: _Labels, *, general: bool, seed: int) -> Floats:
    """Shares of the losses of one kind by cause, shape (6, n_draws).

    Args:
        kind: The kind of loss.
        evident: What evidence says of losses that show none, of those that show some, and of all; shape
            (3, 6, n_draws).
        labels: What labels say of losses of every kind.
        general: Whether labels speak for losses that have none and show the same.
        seed: Seed of the run.
    """
    draws = evident.shape[-1]
    n, effect = labels.n[kind], labels.effect
    known, blank = n[:, :-1], n[:, -1]
    if known.sum() == 0 and not general:
        return np.asarray(evident[2])
    by_label = np.zeros((len(NAMES), draws))
    if known.sum() < APART and blank.sum() > 0 and general:
        by_label[:-1] = labels.pool  # so few labels of this kind: those of all kinds
    else:
        before = _gammas(
            np.where(labels.named, OF_ALL * labels.centre + PRIOR, 0.0), draws, seed, f"before:{kind}"
        )
        by_label[:-1] = labels.beside_rare(labels.weights[kind].sum(axis=0) + before)
    if blank.sum() == 0:
        return by_label
    rng = stream(seed, f"causes:groups:{kind}")
    if not general:
        # Labels speak for themselves, evidence for the rest.
        weights = dirichlet_draws(blank / effect, draws, rng)
        others = (weights.T[:, None] * evident[:2]).sum(axis=0)
        part = known.sum() / n.sum()
        return np.asarray(part * by_label + (1 - part) * others)
    if len(labels.weights[kind]) == 1:
        return by_label
    # Labels of what shows evidence and of what shows none, in the proportion of all losses.
    weights = dirichlet_draws(n.sum(axis=1) / effect, draws, rng)
    found = np.zeros((len(NAMES), draws))
    for g in (0, 1):
        before = _gammas(np.where(labels.named, PRIOR, 0.0), draws, seed, f"before:{kind}:{g}")
        found[:-1] += weights[:, g] * labels.beside_rare(labels.weights[kind][g] + before)
    return found


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
