"""What approval of each kind of action would catch, cost and delay: draws a case, from the run's own joint draws.

Errors that got through are the run's draws of the pilot's error rate, shared over the kinds; what people caught comes
on top. So the practice that the log shows leaves, draw by draw, just the errors that the money of scaling counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.approval_kinds import COLUMNS, LEAST_IN_A_BIN, ApprovalKinds
from roi.assumptions import Number
from roi.draws import stream
from roi.measured import Measured, Scope

__all__ = [
    "TREND",
    "ApprovalLosses",
    "Cut",
    "approval_losses",
    "label_of",
    "minutes_of",
    "per_case_of",
    "rise_of",
    "waits_of",
    "weights_of",
]

Floats = npt.NDArray[np.float64]

HALF_AN_EVENT = 0.5
TREND = 1.645  # standard errors by which errors must rise along a column before a threshold on it is offered
LEAST_TIMED = 30  # actions with known minutes before a kind has minutes of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Holding only a part of a kind: at and above an amount, or below a confidence; what has no value is held, too.

    Attributes:
        column: amount or confidence.
        at: The threshold.
        actions: Share of the kind's actions that are held.
        wrong: Share of its wrong actions among them, drawn towards `actions` as far as the bins differ by chance.
        events: Wrong actions of the kind that were seen, from which the share is drawn.
    """

    column: str
    at: float
    actions: float
    wrong: float
    events: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLosses:
    """Of each kind that may be held, everything a case.

    Attributes:
        kinds: Their numbers in the counts.
        labels: Their names.
        asked: Actions asked for a case, weighted to production, shape (kinds,).
        by_person: Of these, those that people decided on, shape (kinds,).
        slipped: Errors a case that got through, shape (kinds, n_draws).
        rejected: Wrong actions a case that were rejected, shape (kinds, n_draws).
        repaired: Wrong actions a case that were repaired because somebody looked, shape (kinds, n_draws).
        let_pass: Of what slipped, the share that people had let pass in time, shape (kinds,).
        loose: Errors a case that no action made which may be held, shape (n_draws,).
        minutes: Minutes that an approval takes, of each kind a number or shape (n_draws,); None where not known.
        minutes_from: Of each kind "stated", "own" or "all kinds"; None where not known.
        wait: Hours from request to decision, mean; NaN where no kind was timed, shape (kinds,).
        mend: Minutes to mend something caught; None where not known.
        cuts: Thresholds that may be offered, of each kind.
        trend: Of each kind and column, how many standard errors errors rise along it; None where it has no bins.
    """

    kinds: tuple[int, ...]
    labels: tuple[str, ...]
    asked: Floats
    by_person: Floats
    slipped: Floats
    rejected: Floats
    repaired: Floats
    let_pass: Floats
    loose: Floats
    minutes: tuple[Number, ...] | None
    minutes_from: tuple[str, ...] | None
    wait: Floats
    mend: float | None
    cuts: tuple[tuple[Cut, ...], ...]
    trend: tuple[tuple[float | None, ...], ...]

    def caught(self, *, repairs: bool = True) -> Floats:
        """Wrong actions a case that approval caught as it was practised, shape (kinds, n_draws)."""
        return self.rejected + self.repaired if repairs else self.rejected

    def wrong(self, *, repairs: bool = True) -> Floats:
        """Wrong actions a case that nobody would catch without approval, shape (kinds, n_draws)."""
        return self.slipped + self.caught(repairs=repairs)

    def catch(self, *, repairs: bool = True) -> Floats:
        """Share of wrong actions that approval in time catches, all kinds together, shape (n_draws,)."""
        caught = self.caught(repairs=repairs).sum(axis=0)
        met = caught + (self.slipped * self.let_pass[:, None]).sum(axis=0)
        return np.asarray(np.divide(caught, met, out=np.zeros_like(caught), where=met > 0))


def label_of(x: ApprovalKinds, kind: int) -> str:
    """The name of a kind: its tool, and what else it takes to tell it from the others."""
    own = x.tool[kind]
    if sum(tool == own for tool in x.tool) == 1:
        return own
    more = [part[kind] for part in (x.effect, x.system, x.scope) if part is not None]
    return f"{own} ({', '.join(more)})"


def approval_losses(
    x: ApprovalKinds, measured: Measured, scope: Scope, *, effect: float, stated: Number | None, seed: int
) -> ApprovalLosses | None:
    """Draw what each kind's wrong actions are a case, and what approval takes.

    Args:
        x: The counts of the logs.
        measured: The run's joint draws.
        scope: What was measured where the roll-out would be.
        effect: Design effect of losses: how many say as much as one independent one, at least 1.
        stated: Minutes of an approval as the parameter file states them; None takes the log's.
        seed: Seed of the run.

    Returns:
        The draws; None where the pilot's error rate is not known.
    """
    error = scope.error_rate[1]
    if error is None:
        return None
    kinds = tuple(int(k) for k in np.flatnonzero(x.changing))
    weight = weights_of(x, measured, scope)
    looked_at = weight * (x.labelled > 0)
    looked_at = looked_at / looked_at.sum() if looked_at.sum() > 0 else looked_at
    per_case = per_case_of(weight, x.cases)
    per_label = per_case_of(looked_at, x.labelled)
    held = list(kinds)
    names = [label_of(x, k) for k in kinds]
    asked, by_person, in_time = (x.count(name)[held] @ per_case for name in ("asked", "by_person", "in_time"))
    shares = _shares(x, held, names, per_label, effect, error.size, seed)
    prior = HALF_AN_EVENT * in_time / in_time.sum() if in_time.sum() > 0 else np.zeros(len(held))
    rejected = [
        _rate(
            x.count("caught")[k], per_case, weight, prior[i], effect, error.size, seed, f"rejected:{names[i]}"
        )
        for i, k in enumerate(held)
    ]
    repaired = [
        _rate(x.mended[k], per_label, looked_at, 0.0, effect, error.size, seed, f"repaired:{names[i]}")
        for i, k in enumerate(held)
    ]
    beyond = _beyond_anyway(x, effect, error.size, seed)
    ran, ran_in_time = x.count("ran")[held].sum(axis=1), x.count("ran_in_time")[held].sum(axis=1)
    usual = np.divide(ran_in_time, ran, out=np.zeros(len(held)), where=ran > 0)
    slipped, let = x.slipped[held] @ per_label, x.slipped_in_time[held] @ per_label
    cuts, trend = _cuts(x, held, weight)
    minutes, minutes_from = minutes_of(x, held, names, stated, error.size, seed)
    n = len(held)
    return ApprovalLosses(
        kinds=kinds,
        labels=tuple(names),
        asked=asked,
        by_person=by_person,
        slipped=error * shares[:n],
        rejected=np.stack(rejected) if held else np.zeros((0, error.size)),
        repaired=np.stack(repaired) * beyond if held else np.zeros((0, error.size)),
        let_pass=np.where(slipped > 0, let / np.where(slipped > 0, slipped, 1.0), usual),
        loose=error * shares[n],
        minutes=minutes,
        minutes_from=minutes_from,
        wait=waits_of(x, held),
        mend=float(x.mending[1] / x.mending[0]) if x.mending[0] else None,
        cuts=cuts,
        trend=trend,
    )


def weights_of(x: ApprovalKinds, measured: Measured, scope: Scope) -> Floats:
    """Production share of each of the counts' segments, summing to 1 over those with a case."""
    by_name = dict(zip(measured.moments.segments, measured.weights.share.tolist(), strict=True))
    weight = np.array([by_name.get(name, 0.0) if name in scope.segments else 0.0 for name in x.segments])
    weight = weight * (x.cases > 0)
    return weight / weight.sum() if weight.sum() > 0 else np.asarray(x.cases / max(x.cases.sum(), 1))


def per_case_of(weight: Floats, n: npt.NDArray[np.int64]) -> Floats:
    """What a count of a segment is a case of production, shape (segments,)."""
    return np.asarray(np.divide(weight, n, out=np.zeros_like(weight), where=n > 0), dtype=np.float64)


def _shares(
    x: ApprovalKinds,
    held: list[int],
    names: list[str],
    per_label: Floats,
    effect: float,
    draws: int,
    seed: int,
) -> Floats:
    """Draws of each kind's share of the errors that got through, and last what no kind made; sum to 1.

    One event in all is spread over the kinds beforehand (Perks), so that a kind with no error may still have some.

    Source:
        Perks (1947), Journal of the Institute of Actuaries 73:285; Korn & Graubard (1998), Survey Methodology 24:193,
        on the effective number of weighted counts.
    """
    total = float(x.errors @ per_label)
    each = np.append(x.slipped[held] @ per_label, x.loose @ per_label)
    effective = total**2 / float(x.errors @ per_label**2) / effect if total > 0 else 0.0
    seen = each / total * effective if total > 0 else np.zeros(each.size)
    prior = np.full(each.size, 1 / max(len(held), 1))
    prior[-1] = 1.0 if each[-1] > 0 or not held else 0.0
    prior /= prior.sum()
    gamma = np.stack(
        [
            stream(seed, f"approval:slipped:{name}").standard_gamma(a, draws) if a > 0 else np.zeros(draws)
            for name, a in zip([*names, "(no action)"], (seen + prior).tolist(), strict=True)
        ]
    )
    sums = gamma.sum(axis=0)
    return np.asarray(np.where(sums > 0, gamma / np.where(sums > 0, sums, 1.0), prior[:, None]))


def _rate(
    count: npt.NDArray[np.float64] | npt.NDArray[np.int64],
    per: Floats,
    weight: Floats,
    prior: float,
    effect: float,
    draws: int,
    seed: int,
    name: str,
) -> Floats:
    """Draws of events a case of production: gamma, by the effective number of weighted events; shape (draws,)."""
    mean, variance = float(count @ per), float(count @ per**2)
    scale = variance / mean if mean > 0 else float(weight @ per)
    events = mean / scale / effect if mean > 0 else 0.0
    if not events + prior > 0:
        return np.zeros(draws)
    gamma = stream(seed, f"approval:{name}").standard_gamma(events + prior, draws)
    return np.asarray(gamma * scale * effect, dtype=np.float64)


def _beyond_anyway(x: ApprovalKinds, effect: float, draws: int, seed: int) -> Number:
    """Share of repairs that would not have been made had nobody decided: 1 where nothing ran undecided to tell."""
    looked, anyway = x.looked.astype(np.float64), x.not_looked.astype(np.float64)
    if not x.repairs_known:
        return 1.0
    rates = [
        stream(seed, f"approval:repairs:{name}").beta(
            hits / effect + HALF_AN_EVENT, (n - hits) / effect + HALF_AN_EVENT, draws
        )
        for name, (n, hits) in (("looked", looked), ("anyway", anyway))
    ]
    return np.asarray(np.clip(1 - rates[1] / rates[0], 0.0, 1.0), dtype=np.float64)


def minutes_of(
    x: ApprovalKinds, held: list[int], names: list[str], stated: Number | None, draws: int, seed: int
) -> tuple[tuple[Number, ...] | None, tuple[str, ...] | None]:
    """Minutes of an approval by kind, and where they are from."""
    if stated is not None:
        return tuple(stated for _ in held), tuple("stated" for _ in held)
    pooled = x.review[held].sum(axis=0)
    if not pooled[0] > 0:
        return None, None
    found: list[Number] = []
    origin = []
    for i, k in enumerate(held):
        own = bool(x.review[k, 0] >= LEAST_TIMED)
        n, total, square = (x.review[k] if own else pooled).tolist()
        mean = total / n
        error = max(square / n - mean**2, 0.0) / max(n - 1, 1)
        origin.append("own" if own else "all kinds")
        if mean > 0 and error > 0:
            shape = mean**2 / error
            name = names[i] if own else "(all)"
            found.append(
                stream(seed, f"approval:minutes:{name}").standard_gamma(shape, draws) * (mean / shape)
            )
        else:
            found.append(mean)
    return tuple(found), tuple(origin)


def waits_of(x: ApprovalKinds, held: list[int]) -> Floats:
    """Mean hours of waiting by kind; where a kind was never timed, that of all."""
    n, hours = x.wait[held].T if held else np.zeros((2, 0))
    pooled = hours.sum() / n.sum() if n.sum() > 0 else np.nan
    return np.where(n > 0, hours / np.where(n > 0, n, 1.0), pooled)


def _cuts(
    x: ApprovalKinds, held: list[int], weight: Floats
) -> tuple[tuple[tuple[Cut, ...], ...], tuple[tuple[float | None, ...], ...]]:
    """Thresholds by kind, and how surely errors rise along each column."""
    found, trends = [], []
    per = weight / np.maximum(x.cases, 1)
    for k in held:
        cuts: list[Cut] = []
        trend: list[float | None] = []
        for j, column in enumerate(COLUMNS):
            edges = x.edges[k][j]
            rows = (x.bins[:, 0] == k) & (x.bins[:, 1] == j)
            size = len(edges) + 1
            if not edges:
                trend.append(None)
                continue
            place, segment = x.bins[rows, 2], x.bins[rows, 3]
            place = np.where(place < 0, size, place)  # without a value, last

            def sums(values: Floats, place: npt.NDArray[np.int64] = place, size: int = size) -> Floats:
                return np.asarray(np.bincount(place, weights=values, minlength=size + 1), dtype=np.float64)

            n = sums(x.binned[rows].astype(np.float64))
            hits = sums(x.binned_caught[rows] + x.binned_slipped[rows])
            rise = rise_of(hits[:size], n[:size])
            trend.append(rise if rise is None or column == "amount" else -rise)
            if rise is None or (rise if column == "amount" else -rise) < TREND:
                continue
            share = sums(x.binned[rows] * per[segment])
            wrong = _drawn_together(hits, n) * share
            share, wrong = share / share.sum(), wrong / wrong.sum()
            for i, edge in enumerate(edges):
                chosen = np.arange(size + 1) > i if column == "amount" else np.arange(size + 1) <= i
                chosen[size] = True
                if min(n[chosen].sum(), n[~chosen].sum()) >= LEAST_IN_A_BIN:
                    cuts.append(
                        Cut(
                            column=column,
                            at=edge,
                            actions=float(share[chosen].sum()),
                            wrong=float(wrong[chosen].sum()),
                            events=float(hits.sum()),
                        )
                    )
        found.append(tuple(cuts))
        trends.append(tuple(trend))
    return tuple(found), tuple(trends)


def rise_of(hits: Floats, n: Floats) -> float | None:
    """Cochran's and Armitage's trend of a share along bins, in standard errors; None where nothing or all is hit.

    Args:
        hits: Of each bin, shape (bins,).
        n: Trials of each bin, shape (bins,).

    Source:
        Armitage (1955), Biometrics 11:375.
    """
    total, p = n.sum(), hits.sum() / max(n.sum(), 1)
    at = np.arange(n.size) - (np.arange(n.size) * n).sum() / max(total, 1)
    variance = p * (1 - p) * (n * at**2).sum()
    return float((at * hits).sum() / np.sqrt(variance)) if variance > 0 else None


def _drawn_together(hits: Floats, n: Floats) -> Floats:
    """Rates by bin, drawn towards the rate of all by the share of their differences that chance would make.

    Source:
        Efron & Morris (1973), Journal of the American Statistical Association 68:117.
    """
    p = hits.sum() / n.sum()
    own = np.where(n > 0, hits / np.where(n > 0, n, 1.0), p)
    apart = float((n * (own - p) ** 2).sum() / (p * (1 - p))) if 0 < p < 1 else 0.0
    kept = max(0.0, 1 - ((n > 0).sum() - 1) / apart) if apart > 0 else 0.0
    return np.asarray(p + kept * (own - p), dtype=np.float64)
