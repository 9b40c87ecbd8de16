"""What evidence says of losses without a label: which cases show it, and the share of losses that goes with it.

Failed or denied actions are evidence of integration, defective inputs of data, a high-risk action without an approval
before it of oversight. What is left without them is the model's where inputs were clean, else unexplained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.draws import stream
from roi.excess import Cells, Excess, excess_of
from roi.moments import Losses

__all__ = ["EVIDENCE", "FEWEST", "Grid", "Seen", "by_evidence", "grid_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

EVIDENCE = {"data": "defective", "integration": "failed", "oversight": "unapproved"}
FEWEST = 8  # losses, before evidence is asked about them
THIN = 3  # losses of a stratum, below which it is joined with the others
LOGGED = (38.0, 2.0)  # beta of the share of what happened that a log shows: 95 %, from 88 to 99 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Rows of losses laid out by stratum and evidence.

    Attributes:
        losses: The counts.
        kinds: Kinds of evidence of which something is known.
        cell: Index of each row's cell, shape (rows,).
        stratum: Of each cell, shape (cells,): segment and which kinds are known.
        shown: Of each cell, shape (cells, kinds).
        clean: Whether the inputs of a cell are known to be clean, shape (cells,).
        n: Cases of each cell, shape (cells,).
        any_shown: Whether a row shows any evidence, shape (rows,).
    """

    losses: Losses
    kinds: tuple[str, ...]
    cell: Ints
    stratum: Ints
    shown: Bools
    clean: Bools
    n: Floats
    any_shown: Bools

    def shown_by(self, kind: str, rows: Bools) -> tuple[int, int]:
        """Cases that show a kind of evidence, and those of `rows` among them."""
        shown = self.losses.state(EVIDENCE[kind]) == 1
        return int(self.losses.n[shown].sum()), int(self.losses.n[shown & rows].sum())


def grid_of(losses: Losses, lost: Bools) -> Grid:
    """Lay rows out.

    Args:
        losses: The counts.
        lost: Rows that are losses.
    """
    kinds = tuple(k for k, column in EVIDENCE.items() if (losses.state(column) >= 0).any())
    states = (
        np.stack([losses.state(EVIDENCE[k]) for k in kinds], axis=1)
        if kinds
        else np.zeros((losses.n.size, 0))
    )
    known = ((states >= 0) * 2 ** np.arange(len(kinds))).sum(axis=1).astype(np.int64)
    shown = ((states == 1) * 2 ** np.arange(len(kinds))).sum(axis=1).astype(np.int64)
    segment = losses.state("segment").copy()
    for s in np.unique(segment):
        for k in np.unique(known):
            here = (segment == s) & (known == k)
            if losses.n[here & lost].sum() < THIN:
                segment[here] = -2
    _, stratum = np.unique(np.stack([segment, known]), axis=1, return_inverse=True)
    clean = (losses.state("defective") == 0).astype(np.int64)
    keys, cell = np.unique(np.stack([stratum.ravel(), shown, clean]), axis=1, return_inverse=True)
    cell = cell.ravel()
    return Grid(
        losses=losses,
        kinds=kinds,
        cell=cell,
        stratum=keys[0],
        shown=(keys[1][:, None] >> np.arange(len(kinds)) & 1).astype(bool),
        clean=keys[2].astype(bool),
        n=np.asarray(np.bincount(cell, weights=losses.n, minlength=keys.shape[1]), dtype=np.float64),
        any_shown=shown > 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What evidence says of losses of one kind.

    Attributes:
        whole: Share of all of them by name, each shape (n_draws,); they sum to 1.
        groups: The same of those that show no evidence, and of those that show some.
        effect: By kind of evidence, the chance that it has any effect; empty where it was not asked.
        ratio: By kind, the hazard of a loss with against without it, shape (n_draws,).
        design: Design effect that was used: losses of one worker are alike.
    """

    whole: Mapping[str, Floats]
    groups: tuple[Mapping[str, Floats], Mapping[str, Floats]]
    effect: Mapping[str, float]
    ratio: Mapping[str, Floats]
    design: float


def by_evidence(grid: Grid, rows: Bools, *, draws: int, seed: int, name: str, apart: bool = True) -> Seen:
    """Ascribe losses by what their cases show.

    Args:
        grid: All cases laid out.
        rows: Rows that are losses of this kind.
        draws: Number of draws.
        seed: Seed of the run.
        name: Of the random streams.
        apart: Whether losses with and without evidence are wanted apart; else both groups are as the whole.

    Returns:
        Shares; with fewer than eight losses nothing is asked of the evidence, and what shows any is unexplained.
    """
    own = np.where(rows, grid.losses.n, 0).astype(np.float64)
    x = np.asarray(np.bincount(grid.cell, weights=own, minlength=grid.n.size), dtype=np.float64)
    design = _design(grid, rows, x)
    rng = stream(seed, f"evidence:{name}")
    asked = bool(grid.kinds) and float(x.sum()) >= FEWEST
    found: Excess | None = None
    if asked:
        cells = Cells(stratum=grid.stratum, shown=grid.shown, n=grid.n / design, x=x / design)
        found = excess_of(cells, draws=draws, seed=seed, name=name)
        weight = rng.standard_gamma(np.broadcast_to(cells.n[:, None], (grid.n.size, draws))) * found.risk
        part = found.part
    else:
        weight = rng.standard_gamma(np.broadcast_to((x + 1e-9)[:, None] / design, (grid.n.size, draws)))
        part = np.zeros((grid.n.size, len(grid.kinds), draws))
    # What a log misses stays in cases that seem to show nothing. It raises their risk, too, so that the share is
    # (1 - q) / (s - q) of what is seen, q being the share of cases that show it and s that of what happened.
    logged = rng.beta(*LOGGED, draws)
    more = []
    for k in range(len(grid.kinds)):
        q = float(grid.n[grid.shown[:, k]].sum() / grid.n.sum())
        more.append(np.maximum(1.0, (1 - q) / np.maximum(logged - q, 0.2)) if asked else np.ones(draws))
    any_shown = grid.shown.any(axis=1) if grid.kinds else np.zeros(grid.n.size, dtype=bool)
    every = np.ones(grid.n.size, dtype=bool)
    clean = grid.clean if asked else grid.clean & ~any_shown
    whole = _shares(grid, weight, part, more, clean, every)
    none, some = (
        _shares(grid, weight, part, more, clean, any_shown == g) if apart else whole for g in (False, True)
    )
    return Seen(
        whole=whole,
        groups=(none, some),
        effect={} if found is None else {k: float(e) for k, e in zip(grid.kinds, found.effect, strict=True)},
        ratio={} if found is None else dict(zip(grid.kinds, found.ratio, strict=True)),
        design=design,
    )


def _shares(
    grid: Grid, weight: Floats, part: Floats, more: list[Floats], clean: Bools, cells: Bools
) -> dict[str, Floats]:
    """Shares of the losses of some cells; what evidence does not explain is the model's in those that are clean."""
    draws = weight.shape[1]
    lost = weight[cells]
    whole = lost.sum(axis=0)
    if not (whole > 0).all():
        return {"unexplained": np.ones(draws)}
    explained = [(lost * part[cells, k]).sum(axis=0) / whole * more[k] for k in range(len(grid.kinds))]
    base = lost * (1 - part[cells].sum(axis=1))
    of_clean = np.divide(
        base[clean[cells]].sum(axis=0), base.sum(axis=0), out=np.zeros(draws), where=base.sum(axis=0) > 0
    )
    total = np.asarray(sum(explained, np.zeros(draws)))
    shrink = 1 / np.maximum(total, 1.0)
    left = np.maximum(1 - total * shrink, 0.0)
    found = {k: e * shrink for k, e in zip(grid.kinds, explained, strict=True)}
    return found | {"model": left * of_clean, "unexplained": left * (1 - of_clean)}


def _design(grid: Grid, rows: Bools, x: Floats) -> float:
    """Variance of losses between workers over that of independent ones, given what their cases show; at least 1.

    Source:
        Rao & Scott (1992), Biometrics 48:577, on dividing counts by it.
    """
    worker = grid.losses.state("worker")
    if (worker < 0).any() or not x.sum() > 0:
        return 1.0
    units = int(worker.max()) + 1
    if units < 2:
        return 1.0
    risk = x / np.maximum(grid.n, 1.0)
    n = grid.losses.n.astype(np.float64)
    off = np.bincount(worker, weights=np.where(rows, n, 0.0) - n * risk[grid.cell], minlength=units)
    independent = float((grid.n * risk * (1 - risk)).sum())
    if not independent > 0:
        return 1.0
    return max(1.0, float((off**2).sum()) * units / (units - 1) / independent)
