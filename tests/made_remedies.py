"""Remedies, causes and closed gates made to order, on pilots of known truth, and every set of them valued in turn."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from made_moments import drawn_pilot

from roi.analysis import Decided, decide_moments
from roi.approving import Approvals, Counted
from roi.causes import CAUSES, Causes
from roi.gate import CONTROLS, Gate
from roi.options import Valuer
from roi.parameters import LoadedParameters, Parameters, Policy
from roi.plans import Plan
from roi.remedies import Remedy
from roi.remedy_sets import RemedySets

WEEKS_PER_MONTH = 365.25 / 12 / 7
HELD = tuple(
    Gate(gate=name, label=name, state="shown", value=None, threshold=None, evidence="held")
    for name in CONTROLS
)
ERROR_COST = {"minor": 10, "moderate": 60, "major": 900, "critical": 9000}


def loaded(draws: int, per_case: float | None, rollout: float) -> LoadedParameters:
    """Parameters and policy of a pilot whose samples are made."""
    stated: dict[str, Any] = {
        "pilot": "made",
        "samples": {
            "assignment": "randomised",
            "labels": {"selection": "all", "blind": True},
            "cases": "cases.csv",
        },
        "demand": {"cases_per_month": {"low": 7000, "high": 9000, "source": "ledger"}},
        "economics": {
            "start": "2027-01",
            "labour_cost_per_hour": {"low": 38, "high": 46, "source": "payroll"},
            "realisation": {
                "cash": {"value": 0.2, "source": "contracts"},
                "redeployed": {"min": 0.1, "mode": 0.3, "max": 0.5},
            },
            "adoption": {"ceiling": {"low": 0.6, "high": 0.9}, "ramp_months": 6},
            "error_cost": ERROR_COST,
            "costs": [
                {"name": "Roll-out", "kind": "integration", "amount": rollout, "per": "once"},
                {"name": "Seats", "kind": "licence", "amount": 900, "per": "month"},
            ],
            "pilot_cost_per_month": 1500,
            "wind_down_cost": 3000,
        },
        "run": {"draws": draws},
    }
    if per_case is not None:
        stated["measurement"] = {"per_case": per_case, "per_label": 4, "setup": 1000, "cases_per_week": 200}
    policy = Policy.model_validate({"max_severe_error_rate": 1.0})
    return LoadedParameters(
        parameters=Parameters.model_validate(stated),
        policy=policy,
        path=Path("params/made.yaml"),
        project=Path("."),
        name="params/made.yaml",
        params_sha256="",
        policy_sha256="",
        base_policy=policy,
    )


@cache
def decided(
    seed: int = 1,
    draws: int = 1000,
    per_case: float | None = 8.0,
    rollout: float = 90_000.0,
    cases: int = 700,
    errors: float = 0.14,
) -> Decided:
    """A pilot whose roll-out saves time and errs more than people do, its gates held."""
    moments = drawn_pilot(
        np.random.default_rng(seed),
        cases=cases,
        workers=16,
        means=(15.0, 12.0),
        error_rates=(0.05, errors),
        severities=(0.85, 0.12, 0.029, 0.001),
    )
    moments = replace(moments, inputs_known=moments.n, inputs_clean=moments.n - moments.n // 2)
    return decide_moments(loaded(draws, per_case, rollout), moments, controls=HELD)


@dataclass(frozen=True)
class Problem:
    """Remedies to choose from."""

    valuer: Valuer
    failing: tuple[Gate, ...]
    policy: Policy
    decided: Decided

    def sets(self) -> RemedySets:
        """Its sets, none of them valued yet."""
        return RemedySets(
            valuer=self.valuer,
            segments=None,
            failing=self.failing,
            prices=self.decided.prices,
            policy=self.policy,
            seed=1,
        )


def problem(
    rng: np.random.Generator,
    remedies: int,
    *,
    draws: int = 1000,
    budget: float | None = None,
    gates: int | None = None,
    causes: Sequence[str] = CAUSES,
    pilot: Decided | None = None,
    approving: bool = False,
) -> Problem:
    """A random problem: causes with uncertain shares, remedies against them and against closed gates.

    Args:
        rng: Random stream.
        remedies: How many.
        draws: Draws of the analysis.
        budget: The policy's budget; None draws one, or none.
        gates: How many gates are closed; None draws it.
        causes: Causes that remedies address.
        pilot: What was measured; None draws one of several.
        approving: Whether a log tells what approving takes and catches.
    """
    a = pilot or decided(
        int(rng.integers(4)),
        draws,
        (8.0, 8.0, None)[int(rng.integers(3))],
        (90_000.0, 30_000.0, 200_000.0)[int(rng.integers(3))],
    )
    n = a.measured.draws
    named = [*CAUSES, "unexplained"]
    weights = rng.dirichlet(rng.uniform(0.3, 3.0, len(named)))
    drawn = rng.dirichlet(weights * 40 + 0.05, n)
    shares = {c: drawn[:, i] for i, c in enumerate(named)}
    minutes = {c: x * rng.uniform(0, 4) for c, x in shares.items()}
    found = Causes(
        losses=200,
        labelled=200,
        evidence="label",
        error_share=shares,
        loss_share=shares,
        excess_minutes=minutes,
    )
    closed = int(rng.integers(0, 4)) if gates is None else gates
    names = [
        str(g)
        for g in rng.choice(["human_approval", "bounded_access", "rollback", "usable_inputs"], closed, False)
    ]
    failing = tuple(_closed(g, rng) for g in names)
    targets = [*causes, *causes, *names, "severe_errors", "audit_trail"]
    made: list[Remedy] = []
    for i in range(remedies):
        target = str(rng.choice(targets))
        low = rng.uniform(0.05, 0.9)
        removes: Any = low if rng.random() < 0.4 else rng.beta(low * 30, (1 - low) * 30, n)
        if target in names and rng.random() < 0.5:
            removes = 1.0
        cost: Any = float(rng.lognormal(9.8, 1.0))
        if rng.random() < 0.4:
            cost = cost * rng.lognormal(0, 0.15, n)
        weeks: Any = float(rng.choice([0.0, 2.0, 4.0, 8.0, 16.0, 30.0]))
        if rng.random() < 0.15:
            weeks = weeks * rng.lognormal(0, 0.2, n)
        waits = rng.random() < 0.2 and made
        made.append(
            Remedy(
                name=f"r{i}",
                pays_approvers=approving and rng.random() < 0.3,
                addresses=target,
                removes=removes,
                cost=None if rng.random() < 0.05 else cost,
                cost_per_month=0.0 if rng.random() < 0.5 else float(rng.lognormal(6, 1)),
                months=np.divide(weeks, WEEKS_PER_MONTH),
                after=(made[int(rng.integers(len(made)))].name,) if waits else (),
                owner=None,
            )
        )
    total = sum(float(np.mean(r.cost)) for r in made if r.cost is not None)
    bound = (None, 0.3 * total, 0.6 * total)[int(rng.integers(3))] if budget is None else budget
    weeks_bound = (None, None, 20.0)[int(rng.integers(3))]
    policy = a.loaded.policy.model_copy(
        update={
            "fix_budget": bound,
            "fix_weeks": weeks_bound,
            "scale_probability": float(rng.choice([0.8, 0.9])),
        }
    )
    valuer = replace(a.valuer, causes=found, remedies=tuple(made))
    if approving:
        valuer = replace(valuer, approvals=_approvals(rng, a)).with_approving_known()
    return Problem(valuer, failing, policy, a)


def _approvals(rng: np.random.Generator, a: Decided) -> Approvals:
    """Approving of which little is known, or much: minutes, what it catches and what waiting costs."""
    n, kinds = a.measured.draws, 2
    decisions = rng.uniform(0, 1.5, kinds)
    timed: Any = float(rng.uniform(0, 3)) if rng.random() < 0.5 else rng.gamma(4, rng.uniform(0, 1), n)
    caught: Any = 0.0 if rng.random() < 0.3 else rng.beta(*rng.uniform(1, 6, 2), n)
    known = any(rng.random(2) < 0.7)
    return Approvals(
        kinds=None,  # type: ignore[arg-type]  # it is counted already
        high_risk_tools=(),
        effect=1.0,
        minutes=None if known else float(rng.uniform(0, 4)),
        waiting=float(rng.uniform(0, 2)) if rng.random() < 0.4 else None,
        seed=1,
        counted={
            None: (
                a.measured,
                Counted(
                    decisions=decisions,
                    actions=float(decisions.sum()),
                    minutes=timed if rng.random() < 0.8 else None,
                    mending=float(rng.uniform(0, 1)) * caught,
                    caught=caught,
                    hours=float(rng.uniform(0, 4)),
                ),
            )
        },
    )


def _closed(name: str, rng: np.random.Generator) -> Gate:
    state: Any = "exceeded" if rng.random() < 0.5 else "not_shown"
    counts = (9, 150) if name == "human_approval" else None
    value = 0.5 if name == "usable_inputs" else None
    more = int(rng.integers(50, 500)) if state == "not_shown" and rng.random() < 0.7 else None
    return Gate(
        gate=name,
        label=name,
        state=state,
        value=value,
        threshold=None,
        evidence="made",
        mend="mend it",
        counts=counts,
        more_cases=more,
    )


def brute_force(
    found: Problem, seen: dict[frozenset[str], Plan | None] | None = None
) -> tuple[Plan | None, Plan | None]:
    """The best plan at its price and the best that waits for one, every affordable set valued in turn.

    Args:
        found: The problem.
        seen: Filled with the plan of each set that was valued, by the names of its remedies.
    """
    best: list[Plan | None] = [None, None]
    sets, valuer, policy = found.sets(), found.valuer, found.policy
    # Remedies against gates that are open do nothing, unless one that does something has to wait for them; a plan that
    # waits for no more than what they cost is none.
    does = {*CAUSES, "severe_errors", *(gate.gate for gate in found.failing)}
    needed = {r.name for r in valuer.remedies if r.addresses in does}
    for r in reversed(valuer.remedies):  # a remedy waits for earlier ones only
        needed |= set(r.after) if r.name in needed else set()
    idle = {r.name for r in valuer.remedies} - needed
    for size in range(len(valuer.remedies) + 1):
        for chosen in itertools.combinations(valuer.remedies, size):
            names = {r.name for r in chosen}
            if any(not set(r.after) <= names for r in chosen):
                continue
            cost = float(np.mean(sum((r.cost for r in chosen if r.cost is not None), np.zeros(1))))
            if policy.fix_budget is not None and cost > policy.fix_budget:
                continue
            weeks = float(np.mean(valuer.delay_of(chosen))) * WEEKS_PER_MONTH
            if policy.fix_weeks is not None and weeks > policy.fix_weeks:
                continue
            plan = sets.valued(chosen)
            if seen is not None:
                seen[frozenset(names)] = plan
            if plan is None or not (plan.remedies or plan.measures or plan.unpriced):
                continue
            i = int(plan.waits)
            if plan.waits and (plan.sure < 0.5 or idle & names):
                continue
            before = best[i]
            if before is None or plan.mean() > before.mean():
                best[i] = plan
    return best[0], best[1]
