"""Cases drawn from a truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from math import exp
from random import Random
from statistics import NormalDist

from data.generator.truth import Arm, Segment, Truth

__all__ = ["Row", "draw_cases", "draw_traces", "log_normal", "normal", "working_time"]

Row = dict[str, object]
SEVERITIES = ("minor", "moderate", "major", "critical")
_STANDARD = NormalDist()
_UNIFORMS = 16  # per case, whether used or not: a changed truth then keeps every other random number


def normal(u: float) -> float:
    """Standard normal quantile; `random()` may return 0, which has none."""
    return _STANDARD.inv_cdf(min(max(u, 1e-12), 1 - 1e-12))


def log_normal(mean: float, log_sd: float, z: float) -> float:
    """A log-normal value of arithmetic mean `mean` at the standard normal quantile `z`."""
    return mean * exp(log_sd * z - log_sd**2 / 2)


def pick(shares: dict[str, float], u: float) -> str:
    """The name at `u` when names are laid end to end by their shares."""
    total = sum(shares.values())
    for name, share in shares.items():
        u -= share / total
        if u < 0:
            return name
    return next(reversed(shares))


@cache
def _working_days(first: date, last: date) -> tuple[date, ...]:
    days = (first + timedelta(d) for d in range((last - first).days + 1))
    return tuple(d for d in days if d.weekday() < 5)


def working_time(first: date, last: date, u: float) -> datetime:
    """The moment at share `u` of the working hours (8 to 17, Monday to Friday) between two days."""
    days = _working_days(first, last)
    position = u * len(days)
    day = days[min(int(position), len(days) - 1)]
    hours = 8 + 9 * (position - int(position))
    return datetime(day.year, day.month, day.day) + timedelta(seconds=round(hours * 3600))


@dataclass(slots=True)
class _Planned:
    segment: Segment
    arm: str
    worker: int
    u: list[float]
    pair: int | None = None
    pair_z: float = 0.0
    demo: bool = False


def _plan(truth: Truth, rng: Random) -> list[_Planned]:
    planned: list[_Planned] = []

    def add(segment: Segment, arm: str, worker: int, *, pair: int | None = None, z: float = 0.0) -> None:
        planned.append(_Planned(segment, arm, worker, [rng.random() for _ in range(_UNIFORMS)], pair, z))

    pairs = 0
    for segment in truth.segments:
        if truth.design == "paired":
            for _ in range(min(segment.cases)):
                pairs += 1
                z = normal(rng.random())
                one, other = rng.sample(range(truth.workers), 2)
                add(segment, "baseline", one, pair=pairs, z=z)
                add(segment, "pilot", other, pair=pairs, z=z)
        else:
            for worker in range(truth.workers):
                for arm, count in zip(("baseline", "pilot"), segment.cases, strict=True):
                    if truth.design == "within" or (worker % 2 == 1) == (arm == "pilot"):
                        for _ in range(count):
                            add(segment, arm, worker)
    rng.shuffle(planned)
    for segment in truth.segments:
        for _ in range(segment.demo):
            add(segment, "pilot", rng.randrange(truth.workers))
            planned[-1].demo = True
    return planned


def draw_cases(truth: Truth, rng: Random) -> list[Row]:
    """Draw the cases of a pilot, in the order in which they began.

    Args:
        truth: What to draw from.
        rng: The only source of chance; Python's own, whose stream is the same in every version.

    Returns:
        Rows with the canonical columns of the table `cases`; None where a value is not known.
    """
    level = [truth.worker_sd * normal(rng.random()) - truth.worker_sd**2 / 2 for _ in range(truth.workers)]
    effect = [truth.effect_sd * normal(rng.random()) - truth.effect_sd**2 / 2 for _ in range(truth.workers)]
    planned = _plan(truth, rng)
    production = [p for p in planned if not p.demo]
    moments = sorted(rng.random() for _ in production)
    pilots = sum(p.arm == "pilot" for p in production)
    rows: list[Row] = []
    seen = 0
    for number, plan in enumerate(production, 1):
        old = plan.arm == "pilot" and seen < truth.old_version_share * pilots
        seen += plan.arm == "pilot"
        minutes = level[plan.worker] + (effect[plan.worker] if plan.arm == "pilot" else 0.0)
        start = working_time(truth.first, truth.last, moments[number - 1])
        rows.append(_case(truth, plan, number, start, minutes, truth.versions[0 if old else 1]))
    for number, plan in enumerate((p for p in planned if p.demo), len(production) + 1):
        # The demo was held in the two weeks before the pilot, on the version that was then live.
        start = working_time(truth.first - timedelta(16), truth.first - timedelta(3), plan.u[15])
        rows.append(_case(truth, plan, number, start, level[plan.worker], truth.versions[0]))
    return rows


def _case(truth: Truth, plan: _Planned, number: int, start: datetime, shift: float, version: str) -> Row:
    u, segment = plan.u, plan.segment
    arm: Arm = segment.baseline if plan.arm == "baseline" else segment.pilot
    if plan.demo and truth.demo_arm is not None:
        arm = truth.demo_arm
    pilot = plan.arm == "pilot"
    defects = 0 if plan.demo or u[0] >= segment.defects else 1 + (u[1] < 0.4) + (u[1] < 0.1)
    defect = defects > 0
    noise = exp(shift + truth.pair_sd * plan.pair_z - truth.pair_sd**2 / 2)
    handling = log_normal(arm.handling, truth.log_sd, normal(u[2])) * noise
    review = log_normal(arm.review, truth.log_sd, normal(u[3])) * noise if arm.review else 0.0
    rework = log_normal(arm.rework, truth.log_sd, normal(u[5])) * noise if u[4] < arm.rework_rate else 0.0
    escalated = u[6] < arm.escalated(defect=defect)
    wrong = not escalated and u[7] < arm.wrong(defect=defect)
    if escalated:
        rework += log_normal(arm.takeover, truth.log_sd, normal(u[8])) * noise
    lost = escalated or wrong
    cause = None
    if pilot and lost:
        clean_chance = arm.escalated(defect=False) if escalated else arm.wrong(defect=False)
        defect_chance = arm.escalated(defect=True) if escalated else arm.wrong(defect=True)
        # Of the losses at defective inputs, those above what clean inputs lose are the data's.
        by_data = defect and u[9] * defect_chance >= clean_chance
        cause = "data" if by_data else pick(dict(truth.clean_causes), u[10])
    labelled = escalated or u[11] >= truth.unlabelled
    outcome = "escalated" if escalated else "error" if wrong else "correct"
    logged = u[12] >= truth.missing_minutes
    z = normal(u[13])
    cost = log_normal(truth.agent_cost, 0.4, z) if truth.agent_cost is not None and pilot else None
    tokens_in = round(log_normal(truth.tokens[0], 0.4, z)) if truth.tokens and pilot else None
    tokens_out = round(log_normal(truth.tokens[1], 0.4, z)) if truth.tokens and pilot else None
    shares = dict(zip(SEVERITIES, arm.severity, strict=True))
    return {
        "case_id": f"K{plan.worker % 4}-{number:05d}",
        "arm": plan.arm,
        "segment": segment.name,
        "worker": f"w{plan.worker + 1:03d}",
        "pair_id": None if plan.pair is None else f"p{plan.pair:03d}",
        "setting": "demo" if plan.demo else "production",
        "version": version if pilot else None,
        "started_at": start,
        "ended_at": start + timedelta(seconds=max(round(handling * 60), 1)) if logged else None,
        "handling_minutes": max(handling, 1 / 60) if logged else None,
        "review_minutes": review or None,
        "rework_minutes": rework or None,
        "outcome": outcome if labelled else None,
        "severity": pick(shares, u[14]) if wrong and labelled else None,
        "cause": cause if labelled else None,
        "used": None if not pilot else "no" if escalated else "edited" if rework else "yes",
        "input_defects": defects,
        "agent_cost": cost,
        "cost_currency": truth.cost_currency if cost is not None else None,
        "provider": truth.provider if tokens_in is not None else None,
        "model": truth.model if tokens_in is not None else None,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "amount": round(log_normal(900.0, 1.1, normal(u[15])), 2),
    }


def draw_traces(cases: list[Row], rng: Random) -> list[Row]:
    """Split the agent's cost of each case over one to three model calls, as a tracing tool logs them."""
    rows: list[Row] = []
    for case in cases:
        cost = case["agent_cost"]
        if isinstance(cost, float):
            calls = 1 + int(3 * rng.random())
            for call in range(calls):
                rows.append({"case_id": case["case_id"], "call": call + 1, "agent_cost": cost / calls})
    return rows
