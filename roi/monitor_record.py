"""What came of a stream as plain JSON values: the action, each question, each measure, each version, and the mix."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from roi.analysis import Analysis
from roi.monitor_action import Action, began_with, reason_of
from roi.monitor_basis import Basis
from roi.monitor_charts import Period, chart_of, range_of, volume_chart
from roi.monitor_days import MEASURES, Stream, Version
from roi.monitor_mix import worth_under
from roi.monitor_tests import RATES, Tested
from roi.words import and_list

__all__ = ["action_of", "change_of", "measure_of", "mix_of", "question_of", "volume_of"]


def action_of(action: Action, stream: Stream) -> dict[str, Any]:
    """What is to be done, since when, by which rule, and why: a sentence a question that was answered with yes."""
    return {
        "action": action.action,
        "segments": list(action.segments),
        "version": action.version,
        "change": action.change,
        "since": None if action.since is None else stream.date(action.since).isoformat(),
        "rule": action.rule,
        "because": [reason_of(t, stream) for t in action.because],
    }


def question_of(t: Tested, stream: Stream) -> dict[str, Any]:
    """A question with its level, and the evidence: logarithms, `evidence` at the end and `most` of any day."""
    q, change = t.asked, began_with(t, stream)
    return {
        "kind": q.kind,
        "measure": q.measure,
        "segment": q.segment,
        "limit": q.limit,
        "expected": q.expected,
        "why": q.why,
        "alpha": q.alpha,
        "threshold": t.threshold,
        "evidence": float(t.log_evidence[-1]),
        "most": float(t.log_evidence.max()),
        "crossed": None if t.crossed is None else stream.date(t.crossed).isoformat(),
        "began": None if t.began is None else stream.date(t.began).isoformat(),
        "change": None if change is None else change.name,
        "n": t.n,
        "mean": t.mean,
    }


def measure_of(
    name: str, stream: Stream, basis: Basis, *, period: Period, again: Sequence[dt.date], few: int
) -> dict[str, Any]:
    """A measure: its limit, what was expected, what it is, its chart; `unknown` says why, where it is not known."""
    unit = (
        "share"
        if name in RATES
        else "min/case"
        if name == "human_minutes_pilot"
        else f"{stream.currency}/case"
    )
    limit, expected = basis.limits.get(name), basis.expected.get(name)
    found: dict[str, Any] = {
        "measure": name,
        "label": MEASURES[name],
        "unit": unit,
        "unknown": stream.unknown.get(name),
        "limit": None if limit is None else limit.value,
        "limit_why": basis.no_limit.get(name) if limit is None else limit.why,
        "expected": None
        if expected is None
        else {"mean": expected.mean, "p05": expected.p05, "p95": expected.p95},
        "all": None,
        "chart": None,
        "by_segment": [],
    }
    if name not in stream.measures:
        return found
    found["all"] = range_of(stream, name, None)
    found["chart"] = chart_of(stream, name, None, period=period, again=again, few=few)
    if len(stream.segments) > 1:
        found["by_segment"] = [
            {
                "segment": segment,
                **range_of(stream, name, segment),
                "chart": chart_of(stream, name, segment, period=period, again=again, few=few),
            }
            for segment in stream.segments
        ]
    return found


def volume_of(stream: Stream, *, period: Period, again: Sequence[dt.date]) -> dict[str, Any]:
    """Charts of the cases, of all and of each segment."""
    segments = stream.segments if len(stream.segments) > 1 else ()
    return {
        "all": volume_chart(stream, None, period=period, again=again),
        "by_segment": [
            {
                "segment": name,
                "n": float(stream.volume.n[stream.volume.segment == i].sum()),
                "chart": volume_chart(stream, name, period=period, again=again),
            }
            for i, name in enumerate(segments)
        ],
    }


def _of_version(stream: Stream, name: str) -> float:
    if name not in stream.versions:
        return 0.0
    return float(stream.volume.n[stream.volume.version == stream.versions.index(name)].sum())


def _by_version(stream: Stream, name: str) -> dict[str, Any]:
    """Measure → cases and mean of a version, where cases carry it."""
    if name not in stream.versions:
        return {}
    at = stream.versions.index(name)
    found = {}
    for measure in MEASURES:
        if measure in stream.measures:
            rows = stream.measures[measure]
            rows = rows.where(rows.version == at)
            n = float(rows.n.sum())
            found[measure] = {"n": n, "mean": float(rows.total.sum()) / n if n > 0 else None}
    return found


def mix_of(
    a: Analysis | None, stream: Stream, basis: Basis, tested: Sequence[Tested] = ()
) -> dict[str, Any] | None:
    """The kinds of fresh cases beside those that the worth was computed with, and the worth under them.

    `shown` says whether a question about the mix was answered with yes, and `keeps` what the worth takes from the
    decision, with the measures that have been shown to be `worse` than that.
    """
    if not basis.mix:
        return None
    n = np.bincount(stream.volume.segment, stream.volume.n, minlength=len(stream.segments))
    cases = int(n.sum())
    shares = {name: float(n[i]) / cases for i, name in enumerate(stream.segments)}
    names = sorted({*shares, *basis.mix})
    crossed = {t.asked.measure for t in tested if t.crossed is not None and t.asked.kind != "drift"}
    worse = [label.lower() for measure, label in MEASURES.items() if measure in crossed]
    moved = sum(abs(shares.get(name, 0.0) - basis.mix.get(name, 0.0)) for name in names) / 2
    return {
        "decision": {name: basis.mix.get(name, 0.0) for name in names},
        "fresh": {name: shares.get(name, 0.0) for name in names},
        "moved": moved,
        "shown": any(
            t.asked.kind == "drift" and t.asked.measure == "segment" and t.crossed is not None for t in tested
        ),
        "worse": worse,
        "keeps": _keeps(worse),
        "worth": None if a is None else worth_under(a, shares, cases),
    }


def _keeps(worse: Sequence[str]) -> str:
    said = "The worth is told with minutes, errors and costs of each kind as the decision had them."
    if not worse:
        return said
    be = "is" if len(worse) == 1 else "are"
    return f"{said} It is not what cases are worth today: {and_list(worse)} {be} shown to be worse than that."


def change_of(v: Version, stream: Stream) -> dict[str, Any]:
    """A version of the agent, and what its cases show where they carry it."""
    return {
        "version": v.name,
        "date": v.date.isoformat(),
        "replaces": v.replaces,
        "rolled_back": v.rolled_back,
        "from": "changes" if v.from_table else "cases",
        "cases": _of_version(stream, v.name),
        "measures": _by_version(stream, v.name),
    }
