"""What a clean world would look like: cases that show no evidence of a cause, at the mix of segments of all cases.

Were every case like those whose inputs had no defect (or whose actions did not fail, or were approved), this many
losses and minutes would be gone. It is measured, and the most that mending the cause of that evidence can give, as far
as cases with and without it are otherwise alike within a segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.draws import normal_draws, stream
from roi.evidence_shares import EVIDENCE
from roi.moments import Losses

__all__ = ["Clean", "clean_world"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEAST = 5  # cases of a segment with evidence, and without, before the segment is compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """Cases without evidence of a cause beside all cases of the same segments.

    Attributes:
        cause: The cause that the evidence speaks of: data, integration or oversight.
        cases: Cases without the evidence that were compared.
        shown: Cases with it.
        covered: Share of the pilot's cases that lie in segments with at least five of each.
        rate: By kind ("errors", "losses"): the rate of all cases and of those without evidence, each shape (n_draws,).
        minutes: Human minutes of all cases and of those without evidence, each shape (n_draws,); None without minutes.
    """

    cause: str
    cases: int
    shown: int
    covered: float
    rate: dict[str, tuple[Floats, Floats]]
    minutes: tuple[Floats, Floats] | None

    def gone(self, kind: str) -> Floats:
        """Share of all losses of a kind that would be gone, shape (n_draws,); below 0 where clean cases do worse."""
        whole, clean = self.rate[kind]
        return np.asarray(1 - clean / whole, dtype=np.float64)


def clean_world(losses: Losses | None, *, draws: int, seed: int, design: float = 1.0) -> tuple[Clean, ...]:
    """Compare cases without evidence with all cases of the same segments.

    Args:
        losses: Pilot cases by outcome and evidence; None without labelled cases.
        draws: Number of draws.
        seed: Seed of the run.
        design: Design effect by which counts are divided, at least 1.

    Returns:
        One for each kind of evidence of which some cases show something and others do not.
    """
    if losses is None:
        return ()
    outcome = np.array([o or "" for o in losses.outcome])
    ends = (outcome == "error", np.isin(outcome, ["escalated", "abandoned"]))
    found = []
    for cause, column in EVIDENCE.items():
        state = losses.state(column)
        segments = _comparable(losses, state)
        if not segments:
            continue
        here = np.isin(losses.state("segment"), segments) & (state >= 0)
        rates = _rates(losses, state, ends, segments, draws, design, stream(seed, f"clean:{cause}"))
        found.append(
            Clean(
                cause=cause,
                cases=int(losses.n[here & (state == 0)].sum()),
                shown=int(losses.n[here & (state == 1)].sum()),
                covered=float(losses.n[np.isin(losses.state("segment"), segments)].sum() / losses.n.sum()),
                rate=rates,
                minutes=_minutes(losses, state, segments, draws, design, seed, cause),
            )
        )
    return tuple(found)


def _comparable(losses: Losses, state: npt.NDArray[np.int64]) -> list[int]:
    segment = losses.state("segment")
    return [
        int(s)
        for s in np.unique(segment)
        if min(losses.n[(segment == s) & (state == v)].sum() for v in (0, 1)) >= LEAST
    ]


def _cells(
    losses: Losses, state: npt.NDArray[np.int64], segments: Sequence[int]
) -> list[tuple[Bools, Bools, float]]:
    """Rows without and with the evidence by segment, and the segment's share of the known cases."""
    segment = losses.state("segment")
    known = [losses.n[(segment == s) & (state >= 0)].sum() for s in segments]
    return [
        ((segment == s) & (state == 0), (segment == s) & (state == 1), float(n / sum(known)))
        for s, n in zip(segments, known, strict=True)
    ]


def _rates(
    losses: Losses,
    state: npt.NDArray[np.int64],
    ends: tuple[Bools, Bools],
    segments: Sequence[int],
    draws: int,
    design: float,
    rng: np.random.Generator,
) -> dict[str, tuple[Floats, Floats]]:
    """Rates of errors and of losses, of all cases and of those without evidence, both at the segments' shares.

    Each case ends as an error, handed over or right, so that one draw of these three shares tells both rates.
    """
    cells = _cells(losses, state, segments)
    # A prior of one case at the rates of all segments, apart for cases with the evidence and without.
    pooled = []
    for which in (0, 1):
        every = [(without, shown)[which] for without, shown, _ in cells]
        total = sum(float(losses.n[c].sum()) for c in every)
        errors, handed = (sum(float(losses.n[c & rows].sum()) for c in every) for rows in ends)
        pooled.append(((errors + 0.5) / (total + 1), handed / (total + 1)))
    whole, clean = np.zeros((2, draws)), np.zeros((2, draws))
    for without, shown, weight in cells:
        sides = (without, shown)
        n = [float(losses.n[side].sum()) for side in sides]
        drawn = []
        for side, count, before in zip(sides, n, pooled, strict=True):
            x = [float(losses.n[side & rows].sum()) for rows in ends]
            shares = [k / design + b for k, b in zip(x, before, strict=True)]
            shares.append((count - sum(x)) / design + 1 - sum(before))
            three = [rng.standard_gamma(k, draws) if k > 0 else np.zeros(draws) for k in shares]
            lost = three[0] + three[1]
            drawn.append(np.stack([three[0], lost]) / (lost + three[2]))
        clean += weight * drawn[0]
        whole += weight * (n[0] * drawn[0] + n[1] * drawn[1]) / sum(n)
    return {kind: (whole[i], clean[i]) for i, kind in enumerate(("errors", "losses"))}


def _minutes(
    losses: Losses,
    state: npt.NDArray[np.int64],
    segments: Sequence[int],
    draws: int,
    design: float,
    seed: int,
    cause: str,
) -> tuple[Floats, Floats] | None:
    cells = _cells(losses, state, segments)
    if losses.minutes2 is None or any(losses.timed[s].sum() < 2 for c in cells for s in c[:2]):
        return None
    whole, clean = np.zeros(draws), np.zeros(draws)
    for i, (without, shown, weight) in enumerate(cells):
        sides = (without, shown)
        drawn: list[Floats] = []
        n: list[float] = []
        for j, side in enumerate(sides):
            k = float(losses.timed[side].sum())
            mean = float(losses.minutes[side].sum()) / k
            spread = max(float(losses.minutes2[side].sum()) / k - mean**2, 0.0) * k / (k - 1)
            z = normal_draws(draws, stream(seed, f"clean:{cause}:{i}:{j}"))
            drawn.append(mean + z * np.sqrt(spread / k * design))
            n.append(float(losses.n[side].sum()))
        clean += weight * drawn[0]
        whole += weight * (n[0] * drawn[0] + n[1] * drawn[1]) / sum(n)
    return whole, clean
