"""From an opened pilot to its decision: the one path that notebooks, the command line and the reports share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roi.assumptions import Assumptions, draw_assumptions
from roi.cashflow import annuity, ramp_factor
from roi.causes import Causes, find_causes
from roi.controls import audit_trail, bounded_access, evaluation, human_approval, rollback
from roi.economics import Economics, economics_of
from roi.gate import Gate
from roi.gates import (
    complete_minutes,
    covered_demand,
    design,
    known_cost,
    measured_baseline,
    severe_error_gate,
    unkind_shift,
    usable_inputs,
)
from roi.information import Prices, prices_of
from roi.measured import Measured, measure
from roi.moments import Moments, fetch, take_moments
from roi.options import Option, Valuer, alternatives, remedies_of, scopes_of
from roi.parameters import LoadedParameters, Parameters, Policy, register
from roi.plans import Measure, Plan, best_plans, measuring_plans
from roi.problems import ParameterError, Problem
from roi.samples import Samples
from roi.verdict import Unknown, Verdict, decide

__all__ = ["Analysis", "analyse"]

Scope = tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Everything a record, a report or a notebook is made from.

    Attributes:
        loaded: The checked parameters and policy.
        samples: The opened samples.
        as_of: Day of the decision: `run.as_of`, else the newest sample time; None where no sample has a time.
        start: First month of the plan, (year, month).
        assumptions: Draws of the stated inputs.
        moments: Moments of the cases.
        measured: Joint draws of what was measured.
        economics: The stated inputs as money needs them.
        causes: Where losses come from.
        valuer: Values roll-outs.
        prices: What measuring costs.
        scale: Rolling out everything that is covered; None where its worth cannot be computed.
        segments: Rolling out some segments only.
        keep: Keeping the pilot as it is; None where its volume is not known.
        others: Alternatives without AI.
        gates: Gates by scope; None is everything.
        tipping: Bias in standard deviations at which scaling everything no longer passes; None where it does not.
        plans: Fixes with every mend priced.
        waiting: A fix that waits for a quote.
        verdict: The verdict.
    """

    loaded: LoadedParameters
    samples: Samples
    as_of: dt.date | None
    start: tuple[int, int]
    assumptions: Assumptions
    moments: Moments
    measured: Measured
    economics: Economics
    causes: Causes
    valuer: Valuer
    prices: Prices
    scale: Option | None
    segments: tuple[Option, ...]
    keep: Option | None
    others: tuple[Option, ...]
    gates: Mapping[Scope, tuple[Gate, ...]]
    tipping: float | None
    plans: tuple[Plan, ...]
    waiting: Plan | None
    verdict: Verdict


def analyse(loaded: LoadedParameters, samples: Samples) -> Analysis:
    """Measure, value and decide.

    Args:
        loaded: The checked parameters and policy.
        samples: The opened samples.

    Returns:
        The analysis.

    Raises:
        ParameterError: If model usage is priced twice.
    """
    p, policy = loaded.parameters, loaded.policy
    seed, draws = p.run.seed, p.run.draws + p.run.draws % 2
    moments = take_moments(samples)
    _refuse_double_pricing(loaded, moments)
    assumptions = draw_assumptions(register(p), draws=draws, seed=seed)
    baseline = p.samples.baseline
    mix = p.economics.severity_mix
    bias = 0.0
    if p.samples.assignment != "randomised":
        bias = float(np.mean(assumptions.require(f"economics.design_bias.{p.samples.assignment}")))
    measured = measure(
        moments,
        assumptions=assumptions,
        assignment=p.samples.assignment,
        mix=p.demand.mix,
        stand_in=[]
        if baseline is None
        else [k for k, v in baseline if v is not None and k.endswith("_minutes")],
        currency=p.about.currency,
        severity_mix=np.array([mix.minor, mix.moderate, mix.major, mix.critical]),
        bias_sd=bias,
        draws=draws,
        seed=seed,
    )
    as_of = p.run.as_of or newest_day(samples, moments)
    start = _start(p, as_of)
    labelled = moments.labelled.sum() >= 0.95 * max(int(moments.n.sum()), 1)
    checked = p.samples.labels.selection in ("all", "random") or (
        p.samples.labels.selection == "unknown" and labelled
    )
    economics = economics_of(
        p,
        assumptions,
        smallest_saving=policy.smallest_saving_minutes,
        error_credit=bool(checked) and moments.labels != "judge",
        start=start,
    )
    causes = find_causes(moments.losses, draws=draws, seed=seed)
    valuer = Valuer(
        measured=measured, economics=economics, causes=causes, remedies=remedies_of(p, assumptions)
    )
    scale = valuer.roll_out()
    narrower = tuple(
        option
        for scope in scopes_of(measured)
        if (option := valuer.roll_out(scope, kind="scale_segments", label=f"Scale in {_names(scope)}"))
    )
    controls = controls_of(samples, policy, as_of)
    tipping: dict[Scope, float | None] = {
        None: None if scale is None else tipping_point(valuer, None, policy)
    }
    for option in narrower:
        assert option.scope is not None
        tipping[option.scope.segments] = tipping_point(valuer, option.scope.segments, policy)
    gates: dict[Scope, tuple[Gate, ...]] = {
        scope: gates_of_scope(valuer, scope, policy, controls, tipping[scope]) for scope in tipping
    }
    prices = prices_of(assumptions)
    unknown = why_unknown(valuer, prices, scale, p)
    plans: list[Plan] = []
    waiting = None
    if unknown is None:
        scopes: list[Scope] = list(gates)
        priced, waiting = best_plans(valuer, scopes, lambda s: gates[s], prices, policy, seed=seed)
        sampling = measuring_plans(valuer, scopes, lambda s: gates[s], prices, policy)
        plans = [plan for plan in (priced, sampling) if plan is not None]
    verdict = decide(
        [o for o in (scale, *narrower) if o is not None],
        gates,
        plans,
        waiting,
        policy,
        unknown=unknown,
        thin_value_can_be_claimed=moments.cases("baseline") > 0 and moments.cases("pilot") > 0,
        may_scale=not is_first_view(p),
    )
    return Analysis(
        loaded=loaded,
        samples=samples,
        as_of=as_of,
        start=start,
        assumptions=assumptions,
        moments=moments,
        measured=measured,
        economics=economics,
        causes=causes,
        valuer=valuer,
        prices=prices,
        scale=scale,
        segments=narrower,
        keep=keep_as_it_is(valuer),
        others=tuple(alternatives(p, assumptions, economics, draws)),
        gates=gates,
        tipping=tipping[None],
        plans=tuple(plans),
        waiting=waiting,
        verdict=verdict,
    )


def _names(scope: Sequence[str]) -> str:
    return f"{', '.join(scope[:-1])} and {scope[-1]}" if len(scope) > 1 else scope[0]


def is_first_view(p: Parameters) -> bool:
    """Whether realisation and adoption, which turn hours into money, are both the package's defaults."""
    realisation = p.economics.realisation
    default = realisation.redeployed is not None and realisation.redeployed.evidence == "default"
    return default and p.economics.adoption.ceiling.evidence == "default"


def _refuse_double_pricing(loaded: LoadedParameters, moments: Moments) -> None:
    metered = (
        any(name.startswith("agent_cost:") for name in moments.statistics)
        and int(moments.cost_known.sum()) > 0
    )
    lines = [i for i, line in enumerate(loaded.parameters.economics.costs) if line.kind == "model_usage"]
    lines = [i for i in lines if loaded.parameters.economics.costs[i].amount.mean != 0]
    if metered and lines:
        raise ParameterError(
            Problem(
                loaded.name,
                f"economics.costs[{i + 1}]",
                "model usage is priced twice: the cases carry their agent cost already; "
                "remove this line, or do not map agent_cost and the tokens",
            )
            for i in lines
        )


def newest_day(samples: Samples, moments: Moments) -> dt.date | None:
    """The newest day that any sample table knows; never the clock."""
    times = {
        "actions": ("executed_at", "decided_at", "requested_at"),
        "evals": ("ran_at",),
        "changes": ("changed_at",),
        "incidents": ("restored_at", "paused_at", "detected_at"),
    }
    days = [moments.last] if moments.last is not None else []
    for name, columns in times.items():
        table = samples.tables.get(name)
        found = [c for c in columns if table is not None and c in table.columns]
        if table is not None and found:
            newest = table.aggregate(**{c: table[c].max().cast("date") for c in found})
            days += [day for day in fetch(samples, newest)[0] if day is not None]
    return max(days) if days else None


def _start(p: Parameters, as_of: dt.date | None) -> tuple[int, int]:
    if p.economics.start is not None:
        year, month = (int(x) for x in str(p.economics.start).split("-")[:2])
        return year, month
    if as_of is None:
        return 0, 1
    return (as_of.year + 1, 1) if as_of.month == 12 else (as_of.year, as_of.month + 1)


def controls_of(samples: Samples, policy: Policy, as_of: dt.date | None) -> tuple[Gate, ...]:
    """The five control layers, read from the logs."""
    return (
        bounded_access(samples),
        human_approval(
            samples, limit=policy.max_approval_miss_rate, high_risk_tools=tuple(policy.high_risk_tools)
        ),
        audit_trail(samples),
        evaluation(samples),
        rollback(
            samples,
            as_of=as_of,
            max_age_days=policy.drill_max_age_days,
            max_minutes=policy.max_minutes_to_pause,
        ),
    )


def gates_of_scope(
    valuer: Valuer, scope: Scope, policy: Policy, controls: tuple[Gate, ...], tipping: float | None
) -> tuple[Gate, ...]:
    """Every gate for scaling in a scope."""
    measured = valuer.measured
    segments = measured.scope(scope).segments or measured.moments.segments
    flips = False
    shift = unkind_shift(measured.moments)
    plain = valuer.roll_out(scope)
    if plain is not None and shift > 0:
        unkind = valuer.roll_out(scope, extra_minutes=-shift)
        assert unkind is not None
        needed = policy.scale_probability
        flips = plain.chance(policy.hurdle) >= needed > unkind.chance(policy.hurdle)
    found = [complete_minutes(measured, flips=flips), measured_baseline(measured)]
    if scope is None:
        found.append(covered_demand(measured, least=policy.min_covered_demand))
    found += [
        usable_inputs(measured, segments, least=policy.min_usable_inputs),
        known_cost(measured, valuer.economics),
        severe_error_gate(measured, segments, limit=policy.max_severe_error_rate),
        design(measured, tipping=tipping),
        *controls,
    ]
    return tuple(found)


def tipping_point(valuer: Valuer, scope: Scope, policy: Policy, most: float = 6.0) -> float | None:
    """Constant bias, in standard deviations of the design's, at which the chance no longer suffices.

    Returns:
        None where it does not suffice without any bias; infinite where no bias up to `most` matters, or the arms were
        assigned at random.
    """
    if valuer.measured.bias_sd == 0:
        return float("inf")

    def enough(sds: float) -> bool:
        option = valuer.roll_out(scope, measured=valuer.measured.shifted(sds))
        return option is not None and option.chance(policy.hurdle) >= policy.scale_probability

    if not enough(0.0):
        return None
    if enough(most):
        return float("inf")
    low, high = 0.0, most
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low


def keep_as_it_is(valuer: Valuer) -> Option | None:
    """Keeping the pilot at the volume of its sample; None where that volume is not known."""
    moments, e = valuer.measured.moments, valuer.economics
    option = valuer.roll_out()
    if option is None or option.stream is None or moments.first is None or moments.last is None:
        return None
    months = ((moments.last - moments.first).days + 1) / (365.25 / 12)
    if e.cases_per_month is None or months < 0.5:
        return None
    share = moments.cases("pilot") / months / np.multiply(e.cases_per_month, e.ceiling)
    scale_ = ramp_factor(e.discount, e.horizon, 0.0) * np.minimum(share, 1.0)
    cost = e.pilot_cost * annuity(e.discount, e.horizon)
    worth = option.stream.net * scale_ - cost + e.wind_down
    cash = option.stream.net_cash * scale_ - cost + e.wind_down
    return Option(
        kind="keep",
        label="Keep the pilot as it is",
        scope=option.scope,
        stream=None,
        schedule=option.schedule,
        worth=np.asarray(worth, dtype=np.float64),
        cash=np.asarray(cash, dtype=np.float64),
        note="shown for comparison; a pilot that goes on undecided is never advised",
    )


def break_even_minutes(valuer: Valuer, low: float = 0.0, high: float = 6000.0) -> float | None:
    """Human minutes a case must take today for scaling to pay on average; None where it never does or is not known.

    The pilot's minutes, errors and costs are as measured; no error is held against the baseline.
    """
    measured = valuer.measured
    pilot = measured.arm_mean("human_minutes", 1)
    if pilot is None:
        return None

    def worth(minutes: float) -> float | None:
        option = _with_baseline(valuer, minutes)
        return None if option is None else option.mean()

    top = worth(high)
    if top is None or top <= 0:
        return None
    bottom = worth(low)
    if bottom is not None and bottom > 0:
        return low
    for _ in range(40):
        middle = (low + high) / 2
        found = worth(middle)
        assert found is not None
        low, high = (low, middle) if found > 0 else (middle, high)
    return high


def _with_baseline(valuer: Valuer, minutes: float) -> Option | None:
    """A roll-out as if a case took so many minutes today, in every segment that the pilot worked."""
    from dataclasses import replace

    measured = valuer.measured
    if measured.human is None:
        return None
    human = measured.human.copy()
    human[0] = minutes
    pilot = ~np.isnan(human[1][:, 0])
    share = np.where(pilot, measured.weights.share, 0.0)
    if not share.sum() > 0:
        n = np.bincount(measured.moments.segment, weights=measured.moments.n, minlength=pilot.size)
        share = n / n.sum() if n.sum() > 0 else share
    weights = replace(measured.weights, covered=pilot, share=share)
    stated = replace(measured, human=human, weights=weights, bias_sd=0.0)
    return valuer.roll_out(measured=stated)


def why_unknown(valuer: Valuer, prices: Prices, scale: Option | None, p: Parameters) -> Unknown | None:
    """Why the worth cannot be computed, and what would tell; None where it can."""
    if scale is not None:
        return None
    moments, e = valuer.measured.moments, valuer.economics
    lacking = [
        key
        for key, value in (
            ("demand.cases_per_month", e.cases_per_month),
            ("economics.labour_cost_per_hour", e.labour),
        )
        if value is None
    ]
    if lacking:
        return Unknown(
            why=f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not stated",
            measure=Measure(gate="value", what=f"State {' and '.join(lacking)}", n=0, price=0.0, months=0.0),
            upside=1.0,
            upside_means="stating an input costs nothing",
        )
    if moments.cases("pilot") == 0:
        return _only_demo(valuer, prices, p)
    if valuer.measured.human is None:
        n = 30
        return Unknown(
            why="no case has minutes, so time saved cannot be told",
            measure=Measure(
                gate="complete_minutes",
                what=f"Time {n} cases in each arm",
                n=n,
                price=_priced(prices.cases(2 * n), prices),
                months=prices.months(2 * n),
            ),
            upside=None,
            upside_means="",
        )
    n = 30
    measure_ = Measure(
        gate="measured_baseline",
        what=f"Time {n} cases without the agent",
        n=n,
        price=_priced(prices.baseline(n), prices),
        months=prices.months(n),
    )
    point = break_even_minutes(valuer)
    if point is None:
        return Unknown(
            why="no case without the agent was timed", measure=measure_, upside=None, upside_means=""
        )
    twice = _with_baseline(valuer, max(2 * point, 1.0))
    return Unknown(
        why=f"no case without the agent was timed; it pays only if a case takes more than {point:.1f} minutes today",
        measure=measure_,
        upside=None if twice is None else twice.mean(),
        upside_means="if a case took twice the break-even today",
    )


def _priced(price: float | None, prices: Prices) -> float | None:
    return None if price is None else price + prices.setup


def _only_demo(valuer: Valuer, prices: Prices, p: Parameters) -> Unknown:
    """Only demo cases: what they would be worth, were production like the demo."""
    moments, e = valuer.measured.moments, valuer.economics
    n = 50
    upside = None
    pilot, base = moments.demo.get("pilot"), moments.demo.get("baseline")
    minutes = base[1] if base is not None else None
    if minutes is None and p.samples.baseline is not None:
        minutes = (
            sum(v.mean for k, v in p.samples.baseline if v is not None and k.endswith("_minutes")) or None
        )
    if pilot is not None and pilot[1] is not None and minutes is not None:
        both = float(np.mean(np.clip(np.add(e.cash, e.redeployed), 0, 1)))
        monthly = float(
            np.mean(
                np.multiply(np.multiply(e.cases_per_month or 0.0, e.ceiling), np.divide(e.labour or 0.0, 60))
            )
        )
        saved = minutes - pilot[1]
        factor = float(np.mean(ramp_factor(e.discount, e.horizon, e.ramp)))
        paid = float(np.mean(e.one_off())) + float(np.mean(e.monthly() * annuity(e.discount, e.horizon)))
        upside = monthly * saved * (both if saved > 0 else 1.0) * factor - paid
    return Unknown(
        why="only demo cases were sampled, and only production cases carry value",
        measure=Measure(
            gate="value",
            what=f"Sample {n} production cases in each arm",
            n=2 * n,
            price=_priced(prices.cases(2 * n), prices),
            months=prices.months(2 * n),
        ),
        upside=upside,
        upside_means="were production like the demo",
    )


def as_json(value: Any) -> Any:
    """Numpy numbers and dates as JSON knows them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value)} does not go into a record")
