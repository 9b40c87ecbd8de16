"""From an opened pilot to its decision: the one path that notebooks, the command line and the reports share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from roi.alternatives import alternatives, keep_as_it_is
from roi.approval_kinds import ApprovalKinds
from roi.approving import approvals_of
from roi.assumptions import Assumptions, draw_assumptions
from roi.causes import Causes, find_causes
from roi.comparability import Comparability, unseen
from roi.economics import Economics, economics_of
from roi.gate import Gate
from roi.gate_check import gates_of_scope, tipping_point
from roi.labels import earns_credit
from roi.looks import chance_needed
from roi.measured import Measured, measure
from roi.moments import Moments
from roi.named import kind_words
from roi.narrower import scopes_of
from roi.options import Option, Valuer
from roi.parameters import LoadedParameters, Parameters, register
from roi.plans import Plan
from roi.remedies import remedies_of
from roi.remedy_set import Found, best_plans
from roi.samples import Samples
from roi.taken import Taken, held, take
from roi.tariff import Prices, prices_of
from roi.unmeasured import sample_cases, why_unknown
from roi.verdict import FIRST_VIEW, Verdict, decide

__all__ = ["Analysis", "Decided", "Valued", "analyse", "decide_moments", "decide_taken", "value_moments"]

Scope = tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Everything that follows from parameters and moments.

    Attributes:
        loaded: The checked parameters and policy.
        as_of: Day of the decision: `run.as_of`, else the newest sample time; None where no sample has a time.
        start: First month of the plan, (year, month).
        assumptions: Draws of the stated inputs.
        moments: Moments of the cases.
        arms: Whether the arms can be compared.
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
        plans: The best fix with every mend priced.
        waiting: A fix that waits for a quote.
        every_plan: Every fix with every mend priced that was weighed.
        fixes: The search that found them.
        verdict: The verdict.
        scale_needs: The chance that scale needs: the policy's, raised where the data were looked at more than once.
        undeclared: Columns with blanks of which nobody says whether they mean 0.
    """

    loaded: LoadedParameters
    as_of: dt.date | None
    start: tuple[int, int]
    assumptions: Assumptions
    moments: Moments
    arms: Comparability
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
    every_plan: tuple[Plan, ...]
    fixes: Found
    verdict: Verdict
    scale_needs: float
    undeclared: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis(Decided):
    """Everything a record, a report or a notebook is made from.

    Attributes:
        samples: The opened samples; without a table where only what was taken from them is left.
        taken: What was taken from them.
    """

    samples: Samples
    taken: Taken


def analyse(loaded: LoadedParameters, samples: Samples) -> Analysis:
    """Measure, value and decide.

    Args:
        loaded: The checked parameters and policy.
        samples: The opened samples.

    Returns:
        The analysis.

    Raises:
        ParameterError: If parameters and samples do not go together.
    """
    return decide_taken(loaded, take(loaded, samples), samples)


def decide_taken(loaded: LoadedParameters, taken: Taken, samples: Samples | None = None) -> Analysis:
    """Measure, value and decide from what was taken from samples, which may be gone by now.

    Args:
        loaded: The checked parameters and policy.
        taken: What was taken from the samples.
        samples: The opened samples, where they are there.

    Returns:
        The analysis; its record is the same with and without the samples.

    Raises:
        ParameterError: If parameters and samples do not go together.
    """
    loaded, as_of = held(loaded, taken.moments, taken.newest)
    found = decide_moments(
        loaded,
        taken.moments,
        controls=taken.controls.gates(),
        arms=taken.arms,
        as_of=as_of,
        undeclared=tuple(sorted(taken.undeclared)),
        approval_kinds=taken.approval_kinds,
    )
    samples = taken.without_rows() if samples is None else samples
    return Analysis(samples=samples, taken=taken, **{f.name: getattr(found, f.name) for f in fields(found)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """What values roll-outs, and what it rests on; attributes as those of `Decided`."""

    arms: Comparability
    start: tuple[int, int]
    assumptions: Assumptions
    valuer: Valuer


def value_moments(
    loaded: LoadedParameters,
    moments: Moments,
    *,
    arms: Comparability | None = None,
    as_of: dt.date | None = None,
    assumptions: Assumptions | None = None,
    like: Decided | None = None,
    approval_kinds: ApprovalKinds | None = None,
) -> Valued:
    """Measure and value, and decide nothing: arguments as those of `decide_moments`."""
    p = loaded.parameters
    seed, draws = p.run.seed, p.run.draws + p.run.draws % 2
    if assumptions is None:
        assumptions = draw_assumptions(register(p), draws=draws, seed=seed)
    if like is not None and _worth_alike(like, loaded, assumptions):
        arms = arms or unseen(moments, p.samples.assignment)
        return Valued(arms=arms, start=_start(p, as_of), assumptions=assumptions, valuer=like.valuer)
    baseline = p.samples.baseline
    mix = p.economics.severity_mix
    bias = 0.0
    arms = arms or unseen(moments, p.samples.assignment)
    if arms.assignment != "randomised":
        bias = float(np.mean(assumptions.require(f"economics.design_bias.{arms.assignment}")))
    measured = (
        like.measured
        if like is not None
        else measure(
            moments,
            assumptions=assumptions,
            assignment=arms.assignment,
            mix=p.demand.mix,
            mix_cases=p.demand.mix_cases,
            stand_in=[]
            if baseline is None
            else [k for k, v in baseline if v is not None and k.endswith("_minutes")],
            currency=p.about.currency,
            severity_mix=np.array([mix.minor, mix.moderate, mix.major, mix.critical]),
            bias_sd=bias,
            draws=draws,
            seed=seed,
        )
    )
    start = _start(p, as_of)
    economics = economics_of(
        p,
        assumptions,
        smallest_saving=loaded.policy.smallest_saving_minutes,
        error_credit=earns_credit(moments, p.samples.labels.selection),
        start=start,
    )
    causes = (
        like.causes
        if like is not None
        else find_causes(moments.losses, draws=draws, seed=seed, selection=p.samples.labels.selection)
    )
    approvals = approvals_of(
        approval_kinds,
        assumptions,
        high_risk_tools=loaded.policy.high_risk_tools,
        effect=max(causes.effect, 1.0),
        seed=seed,
    )
    valuer = Valuer(
        measured=measured,
        economics=economics,
        causes=causes,
        remedies=remedies_of(p, assumptions),
        approvals=approvals,
    )
    if like is not None:
        valuer = replace(valuer, scopes=like.valuer.scopes, findings=like.valuer.findings)
        if approvals is not None and like.valuer.approvals is not None:
            valuer = replace(valuer, approvals=replace(approvals, counted=like.valuer.approvals.counted))
    valuer = valuer.with_approving_known()
    valuer = valuer.shrunk_for_choice(scopes_of(measured))
    return Valued(arms=arms, start=start, assumptions=assumptions, valuer=valuer)


def decide_moments(
    loaded: LoadedParameters,
    moments: Moments,
    *,
    controls: tuple[Gate, ...],
    arms: Comparability | None = None,
    as_of: dt.date | None = None,
    undeclared: tuple[str, ...] = (),
    assumptions: Assumptions | None = None,
    like: Decided | None = None,
    approval_kinds: ApprovalKinds | None = None,
    every_plan: bool = True,
) -> Decided:
    """Measure, value and decide from moments, wherever these come from: a pilot's samples or a simulation.

    Args:
        loaded: The checked parameters and policy.
        moments: Moments of the cases.
        controls: The control layers as gates.
        arms: Whether the arms can be compared; None where only moments are there to tell.
        as_of: Day of the decision, if known.
        undeclared: Columns with blanks of which nobody says whether they mean 0.
        assumptions: Draws of the stated inputs; None draws them as the parameters state them.
        like: A decision on the same moments, whose measuring is taken over; only where what differs from it has no
            part in measuring.
        approval_kinds: What the logs tell of each kind of action; None without a log, and then nothing is counted of
            the approving that a remedy demands.
        every_plan: Whether all of few plans are valued, as a record lists them; the verdict needs only the best.

    Returns:
        The decision and all that it rests on.
    """
    p = loaded.parameters
    needed = chance_needed(loaded.policy.scale_probability, loaded.looks)
    # Every step that asks whether a chance suffices asks for what so many looks make necessary.
    policy = loaded.policy.model_copy(update={"scale_probability": needed})
    seed = p.run.seed
    valued = value_moments(
        loaded,
        moments,
        arms=arms,
        as_of=as_of,
        assumptions=assumptions,
        like=like,
        approval_kinds=approval_kinds,
    )
    arms, assumptions, valuer, start = valued.arms, valued.assumptions, valued.valuer, valued.start
    measured, economics, causes = valuer.measured, valuer.economics, valuer.causes
    scale = valuer.roll_out()
    narrower = tuple(
        option
        for scope in scopes_of(measured)
        if (option := valuer.roll_out(scope, kind="scale_segments", label=f"Scale in {kind_words(scope)}"))
    )
    tipping: dict[Scope, float | None] = {
        None: None if scale is None else tipping_point(valuer, None, policy)
    }
    for option in narrower:
        assert option.scope is not None
        tipping[option.scope.segments] = tipping_point(valuer, option.scope.segments, policy)
    gates: dict[Scope, tuple[Gate, ...]] = {
        scope: gates_of_scope(valuer, scope, policy, controls, tipping[scope], undeclared, arms)
        for scope in tipping
    }
    prices = prices_of(assumptions)
    unknown = why_unknown(valuer, prices, scale, p, undeclared)
    fixes = Found(priced=None, waiting=None, every=(), gap=0.0, sets=())
    if unknown is None:
        # A fix leads to everything, or to the narrower scope that is worth most as it stands.
        scopes: list[Scope] = [None]
        if narrower:
            best = max(narrower, key=lambda o: o.mean())
            scopes.append(None if best.scope is None else best.scope.segments)
        fixes = best_plans(
            valuer, scopes, lambda s: gates[s], prices, policy, seed=seed, every_plan=every_plan
        )
    plans = () if fixes.priced is None else (fixes.priced,)
    verdict = decide(
        [o for o in (scale, *narrower) if o is not None],
        gates,
        plans,
        fixes.waiting,
        policy,
        unknown=unknown,
        thin_value_can_be_claimed=not moments.sourced
        and moments.cases("baseline") > 0
        and moments.cases("pilot") > 0,
        mended=lambda: None if fixes.mended is None else fixes.mended.mean(),
        may_scale=not is_first_view(p) and not moments.sourced,
        instead=sample_cases(prices) if moments.sourced else FIRST_VIEW,
    )
    return Decided(
        loaded=loaded,
        as_of=as_of,
        start=start,
        assumptions=assumptions,
        moments=moments,
        arms=arms,
        measured=measured,
        economics=economics,
        causes=causes,
        valuer=valuer,
        prices=prices,
        scale=scale,
        segments=narrower,
        keep=keep_as_it_is(valuer, scale),
        others=tuple(alternatives(p, assumptions, economics, measured.draws)),
        gates=gates,
        tipping=tipping[None],
        plans=plans,
        waiting=fixes.waiting,
        every_plan=fixes.every,
        fixes=fixes,
        verdict=verdict,
        scale_needs=needed,
        undeclared=undeclared,
    )


def _worth_alike(like: Decided, loaded: LoadedParameters, assumptions: Assumptions) -> bool:
    """Whether nothing that differs has a part in valuing: thresholds of the policy alone do."""
    was, now = like.assumptions.values, assumptions.values
    policies = like.loaded.policy, loaded.policy
    return (
        loaded.parameters is like.loaded.parameters
        and was.keys() == now.keys()
        and all(now[key] is x for key, x in was.items())
        and policies[0].smallest_saving_minutes == policies[1].smallest_saving_minutes
        and policies[0].high_risk_tools == policies[1].high_risk_tools
    )


def is_first_view(p: Parameters) -> bool:
    """Whether realisation and adoption, which turn hours into money, are both the package's defaults."""
    r = p.economics.realisation
    default = all(x is None or x.evidence == "default" for x in (r.cash, r.redeployed, r.total))
    return default and p.economics.adoption.ceiling.evidence == "default"


def _start(p: Parameters, as_of: dt.date | None) -> tuple[int, int]:
    if p.economics.start is not None:
        year, month = (int(x) for x in str(p.economics.start).split("-")[:2])
        return year, month
    if as_of is None:
        return 0, 1
    return (as_of.year + 1, 1) if as_of.month == 12 else (as_of.year, as_of.month + 1)


def as_json(value: Any) -> Any:
    """Numpy numbers and dates as JSON knows them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value)} does not go into a record")
