"""A pilot as the portfolio sees it: what could be funded, what that takes, and what stopping gives back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.advice import plan_name
from roi.analysis import Analysis
from roi.draws import normal_draws, stream
from roi.options import Option
from roi.parameters import register
from roi.plans import Plan
from roi.remedies import WEEKS_PER_MONTH, Remedy
from roi.shared import Sharing
from roi.verdict import key_of
from roi.words import and_list, finite, shorten

__all__ = ["Candidate", "Fundable", "Returned", "candidate_of", "candidate_of_record", "day_of"]

Floats = npt.NDArray[np.float64]
MOST_PLANS = 5
Z90 = 1.2815515655446004
OF_A_RECORD = 10_000  # draws that stand for a record without its archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Fundable:
    """Something that could be funded, in the pilot's currency.

    Attributes:
        label: Its name.
        kind: scale, scale_segments or fix.
        worth: Worth against stopping now, shape (n_draws,).
        cost: One-off money it takes in all: the fix, and the roll-out that follows.
        now: The part that is asked for now.
        weeks: Weeks of building that remedies take, by who builds.
        spans: Weeks from when each begins until all of its remedies are done, side by side; None where as `weeks`.
        lines: One-off cost lines by who owns them.
        hours: Hours a month that it saves in the end, expected.
        chance: Chance that its worth exceeds the hurdle.
        delay_cost: What a week's delay costs; None where it is not known.
        segments: The kinds of cases that it is for; None for all.
        running: Months of it that are known; 0 of what does not run yet.
        drawn_hours: Hours a month where its gates pass, shape (n_draws,); None where only their mean is known.
        passes: Chance that its gates pass.
    """

    label: str
    kind: str
    worth: Floats
    cost: float
    now: float
    weeks: Mapping[str, float]
    lines: Mapping[str, float]
    hours: float
    chance: float
    delay_cost: float | None
    segments: tuple[str, ...] | None = None
    spans: Mapping[str, float] | None = None
    running: int = 0
    drawn_hours: Floats | None = None
    passes: float = 1.0

    def mean(self) -> float:
        """Expected worth."""
        return float(np.mean(self.worth))


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What stopping a pilot gives back: its cost a month (None where not stated), for what stopping costs once."""

    per_month: float | None
    once: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A pilot of the portfolio.

    Attributes:
        pilot: Its name.
        record: What is known of it: verdict, gates, dates, evidence.
        options: What could be funded; nothing of a pilot whose verdict is kill.
        shown: The option that stands for it in lists and in shrinkage: what is advised, else the best turned down.
        sharing: Its stated inputs; None where only the record is left.
        inputs: Their draws by key, each of shape (n_draws,).
        returned: What stopping it gives back.
        note: Why nothing of it can be funded although it is no kill, or what its draws rest on.
        others: All that could be done, whatever the rule says to it: for people who decide otherwise.
        operating: What is to be done in operation before what the verdict says; None for nothing.
        months: What months that are over say of it, as `roi.operating.months_said` has it; None for nothing.
    """

    pilot: str
    record: Mapping[str, Any]
    options: tuple[Fundable, ...]
    shown: Fundable | None
    sharing: Sharing | None
    inputs: Mapping[str, Floats]
    returned: Returned
    note: str = ""
    others: tuple[Fundable, ...] = ()
    operating: Mapping[str, Any] | None = None
    months: Mapping[str, Any] | None = None

    @property
    def workflow(self) -> str:
        """What it is about: two pilots of one workflow never both count."""
        return str(self.record.get("workflow_id") or f"pilot {self.pilot}")


def candidate_of(a: Analysis, record: Mapping[str, Any]) -> Candidate:
    """A pilot from its analysis.

    Args:
        a: The analysis.
        record: Its record.
    """
    v, p = a.verdict, a.loaded.parameters
    needed = a.scale_needs
    hurdle = a.loaded.policy.hurdle
    roll_outs = [o for o in (a.scale, *a.segments) if o is not None]
    found: list[Fundable] = []
    note = ""
    if v.verdict == "scale":
        passing = [
            o for o in roll_outs if all(g.holds for g in a.gates[key_of(o)]) and o.chance(hurdle) >= needed
        ]
        found = [_roll_out(a, o) for o in passing]
    elif v.verdict == "fix" and v.plan is not None and not v.plan.waits:
        found = [_plan(a, plan) for plan in _plans(a, v.plan)]
    elif v.verdict == "fix":
        note = "it waits for a quote or for what is not stated; nothing of it can be funded yet"
    every = [_roll_out(a, o) for o in roll_outs] + [_plan(a, x) for x in a.plans]
    shown = max(found or every, key=lambda o: o.mean(), default=None)
    return Candidate(
        pilot=p.pilot,
        record=record,
        options=tuple(o for o in found if o.mean() > 0),
        shown=shown,
        others=tuple(every),
        sharing=Sharing(p.pilot, register(p), p.about.workflow_id),
        inputs={k: np.asarray(x) for k, x in a.assumptions.values.items() if np.ndim(x) == 1},
        returned=Returned(
            per_month=None
            if p.economics.pilot_cost_per_month is None
            else float(np.mean(a.economics.pilot_cost)),
            once=float(np.mean(a.economics.wind_down)),
        ),
        note=note,
    )


def _plans(a: Analysis, advised: Plan) -> list[Plan]:
    """The advised plan, and others that take less money or less time for less worth."""
    kept = [advised]
    for plan in sorted(a.every_plan, key=lambda x: -x.mean()):
        cheaper = all(plan.price < k.price or _time(plan) < _time(k) for k in kept)
        if plan is not advised and not plan.waits and plan.mean() > 0 and cheaper and len(kept) < MOST_PLANS:
            kept.append(plan)
    return kept


def _time(plan: Plan) -> float:
    return sum(float(np.mean(r.months)) for r in plan.remedies)


def _roll_out(a: Analysis, option: Option) -> Fundable:
    once = float(np.mean(a.economics.one_off()))
    return Fundable(
        label=option.label if option.kind == "scale_segments" else "Scale everything",
        kind=option.kind,
        worth=option.worth,
        cost=once,
        now=once,
        weeks={},
        lines=_lines(a),
        hours=0.0 if option.stream is None else max(0.0, float(np.mean(option.stream.hours))),
        chance=option.chance(a.loaded.policy.hurdle),
        delay_cost=_delay_cost(a, option),
        segments=key_of(option),
        drawn_hours=_drawn_hours(option),
    )


def _plan(a: Analysis, plan: Plan) -> Fundable:
    builds: dict[str, list[Remedy]] = {}
    for remedy in plan.remedies:
        builds.setdefault(remedy.owner or a.loaded.parameters.about.owner or "", []).append(remedy)
    weeks = {who: sum(float(np.mean(r.months)) for r in own) * WEEKS_PER_MONTH for who, own in builds.items()}
    spans = {
        who: float(np.mean(a.valuer.delay_of(tuple(own)))) * WEEKS_PER_MONTH for who, own in builds.items()
    }
    names = [shorten(r.name, 60) for r in plan.remedies] or [shorten(m.what, 60) for m in plan.measures]
    stream_ = plan.option.stream
    delay = _delay_cost(a, plan.option)
    return Fundable(
        label=f"{plan_name(plan)}: {and_list(names)}",
        kind="fix",
        worth=plan.worth,
        cost=plan.price + float(np.mean(a.economics.one_off())),
        now=plan.price,
        weeks={who: n for who, n in weeks.items() if n > 0},
        spans={who: n for who, n in spans.items() if n > 0},
        lines=_lines(a),
        hours=0.0 if stream_ is None else max(0.0, plan.passes * float(np.mean(stream_.hours))),
        chance=float(np.mean(plan.worth > a.loaded.policy.hurdle)),
        delay_cost=None if delay is None else plan.passes * delay,
        segments=key_of(plan.option),
        drawn_hours=_drawn_hours(plan.option),
        passes=plan.passes,
    )


def _drawn_hours(option: Option) -> Floats | None:
    """Hours a month by draw, at least 0; None where the option saves none or they do not vary."""
    hours = None if option.stream is None else np.asarray(option.stream.hours, dtype=np.float64)
    return None if hours is None or hours.ndim != 1 else np.maximum(hours, 0.0)


def _lines(a: Analysis) -> dict[str, float]:
    found: dict[str, float] = {}
    e = a.economics
    for stated, line in zip(a.loaded.parameters.economics.costs, e.lines, strict=True):
        if line.per == "once" and stated.owner:
            found[stated.owner] = found.get(stated.owner, 0.0) + float(np.mean(line.one_off(e.contingency)))
    return found


def _delay_cost(a: Analysis, option: Option) -> float | None:
    """What a week's delay of a roll-out costs, the pilot going on meanwhile."""
    if option.stream is None or option.scope is None:
        return None
    later = a.valuer.postponed(option, one_off=0.0, delay=1.0, in_cash=False)
    return (option.mean() - later.mean()) / WEEKS_PER_MONTH


def candidate_of_record(record: Mapping[str, Any]) -> Candidate:
    """A pilot of which only the record is left: its worth drawn from the percentiles that stand there, sharing nothing.

    Args:
        record: The record.
    """
    pilot, verdict = str(record.get("pilot")), record.get("verdict")
    options = record.get("options") or {}
    listed = [
        ("scale", options.get("scale")),
        *[("scale_segments", o) for o in options.get("scale_segments") or []],
        ("fix", options.get("fix")),
    ]
    drawn = [x for kind, o in listed if o is not None and (x := _of_option(pilot, kind, o)) is not None]
    wanted: tuple[str, ...] = {"scale": ("scale", "scale_segments"), "fix": ("fix",)}.get(str(verdict), ())
    found = [o for o in drawn if o.kind in wanted]
    if verdict == "scale":  # which of them the rule lets pass, the record says only of what it advises
        advised = finite((record.get("next") or [{}])[0].get("worth"))
        found = [o for o in found if advised is not None and abs(o.mean() - advised) <= 1e-6 * abs(advised)]
    shown = max(found or drawn, key=lambda o: o.mean(), default=None)
    keep = ((options.get("kill") or {}).get("one_off")) or 0.0
    waiting = finite(record.get("cost_of_waiting_per_month")) if verdict == "kill" else None
    return Candidate(
        pilot=pilot,
        record=record,
        options=tuple(o for o in found if o.mean() > 0),
        shown=shown,
        others=tuple(drawn),
        sharing=None,
        inputs={},
        returned=Returned(per_month=waiting, once=float(keep)),
        note="its archive is not there: its worth is drawn from the record's percentiles, apart from all others, "
        "and who must build is not known",
    )


def _of_option(pilot: str, kind: str, option: Mapping[str, Any]) -> Fundable | None:
    mean, low, middle, high = (finite(option.get(k)) for k in ("mean", "p10", "p50", "p90"))
    if mean is None or low is None or middle is None or high is None:
        return None
    z = normal_draws(OF_A_RECORD, stream(0, f"{pilot}:{kind}"))
    worth = middle + np.where(z < 0, (middle - low) / Z90, (high - middle) / Z90) * z
    cost = finite(option.get("one_off")) or 0.0
    return Fundable(
        label=str(option.get("label")),
        kind=kind,
        worth=worth - float(worth.mean()) + mean,
        cost=cost,
        now=(finite(option.get("price")) or 0.0) if kind == "fix" else cost,
        weeks={},
        lines={},
        hours=0.0,
        chance=finite(option.get("chance_above_hurdle")) or 0.0,
        delay_cost=None,
        segments=None if kind == "scale" or not option.get("scope") else tuple(option["scope"]),
    )


def day_of(value: object) -> dt.date | None:
    """A day of a record."""
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
