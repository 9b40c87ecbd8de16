"""Which questions are asked of a stream every day, at which level each, and what came of them.

All of them together err at most at `ALPHA` over the whole life of a stream, which is all that comes after one decision:
each has a part of it (`WEIGHTS`, and of a measure three fifths for all cases, the rest for its segments alike), which
is set before a case is seen. Half of the part of a question that holds the stream against the record's own estimate is
kept for that estimate being off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from roi.moments import ALL
from roi.monitor_basis import Basis, far_end
from roi.monitor_days import MEASURES, Counted, Stream
from roi.sequences import (
    MEAN_BETS,
    alpha_shares,
    log_evidence,
    log_growth,
    rate_bets,
    start_weights,
    started,
)

__all__ = ["ALPHA", "OTHERS", "WEIGHTS", "Asked", "Tested", "ask", "cases_of", "questions"]

Floats = npt.NDArray[np.float64]
Kind: TypeAlias = Literal["pause", "investigate", "drift"]

ALPHA = 0.05
MOST_SEGMENTS = 12  # that are watched by themselves, the largest of the record
OF_ALL = 0.6  # of a measure's part, where its segments have the rest
WEIGHTS: Mapping[tuple[str, str], float] = {
    ("pause", "severe_error_rate_pilot"): 0.45,
    ("pause", "human_minutes_pilot"): 0.06,
    ("pause", "agent_cost_per_case"): 0.05,
    ("pause", "error_cost_per_case"): 0.05,
    ("pause", "approval_miss_rate"): 0.07,
    ("investigate", "severe_error_rate_pilot"): 0.04,
    ("investigate", "error_rate_pilot"): 0.06,
    ("investigate", "escalation_rate_pilot"): 0.04,
    ("investigate", "human_minutes_pilot"): 0.06,
    ("investigate", "agent_cost_per_case"): 0.04,
    ("drift", "segment"): 0.05,
    ("drift", "inputs"): 0.03,
}
"""Parts of `ALPHA`: most of it for severe errors, which are rare, so that each day says little about them."""
OF_OTHERS = frozenset(
    ("pause", name) for name in ("severe_error_rate_pilot", "error_cost_per_case", "approval_miss_rate")
)
"""Asked of kinds of cases that the record did not have: what such a case takes without the agent nobody knows."""
RATES = frozenset(MEASURES) - {"human_minutes_pilot", "agent_cost_per_case", "error_cost_per_case"}
OTHERS = "(others)"
"""The name of the kinds of cases that the record did not have, which are asked about together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question: is the mean of a measure above a limit?

    Attributes:
        kind: What a yes is a reason for.
        measure: Of `MEASURES`, or what drifts.
        segment: The only one it is asked of, or the share that drifts; None for all cases.
        alpha: The chance that it is ever answered with yes where the limit is kept.
        limit: In the unit of the measure.
        by_segment: Limits of segments, where all cases are held each to its own.
        expected: The mean that the record expected; None where it knows none.
        why: What the limit rests on, in words.
        besides: The kinds of cases that it is not asked of, where it is of `OTHERS`.
    """

    kind: Kind
    measure: str
    segment: str | None
    alpha: float
    limit: float
    by_segment: Mapping[str, float]
    expected: float | None
    why: str
    besides: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What came of a question.

    Attributes:
        asked: The question.
        log_evidence: Logarithm of the evidence against the limit being kept, at the end of each day, shape (days,).
        crossed: The first day on which it was enough; None where it never was.
        began: The day on which it most likely began; None where it never was enough.
        n: Cases since then, up to the last day; of the whole stream where it never was enough.
        mean: Their mean.
    """

    asked: Asked
    log_evidence: Floats
    crossed: int | None
    began: int | None
    n: float
    mean: float | None

    @property
    def threshold(self) -> float:
        """What the logarithm of the evidence has to reach."""
        return float(np.log(1 / self.asked.alpha))


def questions(basis: Basis, known: Iterable[str], drift: Sequence[Asked] = ()) -> list[Asked]:
    """What is asked of a stream.

    Args:
        basis: What the record rested on.
        known: Measures that the stream knows.
        drift: Questions about what drifts, whose alpha is a share of their measure's part.

    Returns:
        The questions, each with its level.
    """
    known = set(known)
    segments = sorted(basis.mix, key=lambda name: (-basis.mix[name], name))[:MOST_SEGMENTS]
    segments = segments if len(segments) > 1 else []
    # Whatever else comes in is asked about as well, before anybody knows what it is: as one kind among the others.
    new = [OTHERS] if set(basis.mix) - {ALL} else []
    parts: dict[str, float] = {}
    made: list[tuple[str, Asked]] = []

    def add(key: str, weight: float, asked: Asked) -> None:
        parts[key] = weight
        made.append((key, asked))

    for (kind, measure), weight in WEIGHTS.items():
        if kind == "drift":
            for i, asked in enumerate(a for a in drift if a.measure.split(":")[0] == measure):
                add(f"{kind} {measure} {i}", weight * asked.alpha, asked)
            continue
        if measure not in known:
            continue
        asked_of = [*segments, *(new if (kind, measure) in OF_OTHERS else [])]
        for segment in (None, *asked_of):
            part = 1.0 if not asked_of else OF_ALL if segment is None else (1 - OF_ALL) / len(asked_of)
            found = (
                _of_limit(basis, measure, segment) if kind == "pause" else _of_record(basis, measure, segment)
            )
            if found is not None:
                add(f"{kind} {measure} {segment}", weight * part, found)
    if not parts:
        return []
    levels = alpha_shares(parts, ALPHA)
    settled = [_settled(asked, basis, levels[key]) for key, asked in made]
    return [asked for asked in settled if asked is not None]


def _of_limit(basis: Basis, measure: str, segment: str | None) -> Asked | None:
    limit = basis.limits.get(measure)
    if limit is None:
        return None
    own = limit.value if segment is None else limit.by_segment.get(segment, limit.value)
    expected = basis.expected.get(measure)
    if segment is not None:
        expected = basis.by_segment.get(measure, {}).get(segment)
    return Asked(
        kind="pause",
        measure=measure,
        segment=segment,
        alpha=0.0,
        limit=own,
        by_segment=limit.by_segment if segment is None else {},
        expected=None if expected is None else expected.mean,
        why=limit.why,
        besides=frozenset(basis.mix) if segment == OTHERS else frozenset(),
    )


def _of_record(basis: Basis, measure: str, segment: str | None) -> Asked | None:
    expected = basis.expected.get(measure)
    if segment is not None:
        expected = basis.by_segment.get(measure, {}).get(segment)
    if expected is None or not expected.p95 > 0:
        return None
    return Asked(
        kind="investigate",
        measure=measure,
        segment=segment,
        alpha=0.0,
        limit=0.0,
        by_segment={},
        expected=expected.mean,
        why="the far end of what the record expected",
    )


def _settled(asked: Asked, basis: Basis, alpha: float) -> Asked | None:
    """A question with its level, and the limit that follows from it where that is the record's."""
    changes: dict[str, object] = {"alpha": alpha}
    if asked.kind == "investigate":
        expected = basis.expected[asked.measure]
        profile = basis.by_segment.get(asked.measure, {})
        if asked.segment is not None:
            expected = profile[asked.segment]
        far = far_end(expected, alpha / 2, share=asked.measure in RATES)
        changes = {"alpha": alpha / 2, "limit": far}
        if asked.segment is None and expected.mean > 0:
            # Each kind of case is held to its own, so that another mix is not taken for worse work.
            times = far / expected.mean
            changes["by_segment"] = {name: e.mean * times for name, e in profile.items() if e.mean > 0}
        limit = basis.limits.get(asked.measure)
        if asked.measure in RATES and (not far < 1 or (limit is not None and far >= limit.value)):
            return None  # nothing can be above it, or the limit is broken sooner
    made = {name: getattr(asked, name) for name in Asked.__slots__} | changes
    return Asked(**made)


def ask(asked: Sequence[Asked], stream: Stream, drift: Mapping[str, Counted] | None = None) -> list[Tested]:
    """Put questions to a stream, on all of its days.

    Args:
        asked: The questions.
        stream: The stream.
        drift: Measure → counts of what drifts, by the names of the questions about it.

    Returns:
        What came of each, in their order.
    """
    if not asked:
        return []
    starts = start_weights(stream.days, [v.day for v in stream.changes])
    rows, growths, shares = [], [], []
    for question in asked:
        counted = _rows_of(question, stream, drift or {})
        day, total, due = _units(question, counted, stream.segments)
        rate = question.measure in RATES or question.kind == "drift"
        bets = rate_bets(question.limit) if rate else MEAN_BETS
        scale = question.limit
        growths.append(log_growth(day, total, due, scale=scale, bets=list(bets), days=stream.days))
        shares.append(list(bets.values()))
        rows.append(counted)
    evidence = log_evidence(np.array(growths), np.array(shares), starts)
    return [
        _tested(question, evidence[i], growths[i], shares[i], starts, rows[i])
        for i, question in enumerate(asked)
    ]


def _rows_of(asked: Asked, stream: Stream, drift: Mapping[str, Counted]) -> Counted:
    if asked.kind == "drift":
        return drift[f"{asked.measure} {asked.segment}"]
    return cases_of(asked, stream.measures[asked.measure], stream.segments)


def cases_of(asked: Asked, counted: Counted, segments: Sequence[str]) -> Counted:
    """The rows that a question is asked of."""
    if asked.segment is None:
        return counted
    named = np.array(
        [name not in asked.besides if asked.besides else name == asked.segment for name in segments]
    )
    return counted.where(named[counted.segment])


def _units(
    asked: Asked, counted: Counted, segments: Sequence[str]
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Units of a question, a person's cases of a day: its day, its sum and what the limit allows of it."""
    own = np.array([asked.by_segment.get(name, asked.limit) for name in segments])
    due = counted.n * (own[counted.segment] if asked.by_segment else asked.limit)
    if not counted.day.size:
        return counted.day, counted.total, due
    people = int(counted.person.max()) + 2
    key, unit = np.unique(counted.day * people + counted.person + 1, return_inverse=True)
    total, allowed = (np.asarray(np.bincount(unit, x), dtype=np.float64) for x in (counted.total, due))
    return key // people, total, allowed


def _tested(
    asked: Asked, evidence: Floats, growth: Floats, shares: Sequence[float], starts: Floats, rows: Counted
) -> Tested:
    over = np.flatnonzero(evidence >= np.log(1 / asked.alpha))
    crossed = int(over[0]) if over.size else None
    began = None
    if crossed is not None:
        began = started(growth[:, : crossed + 1], shares, starts[: crossed + 1])
        rows = rows.where(rows.day >= began)
    n = float(rows.n.sum())
    return Tested(
        asked=asked,
        log_evidence=evidence,
        crossed=crossed,
        began=began,
        n=n,
        mean=float(rows.total.sum()) / n if n > 0 else None,
    )
