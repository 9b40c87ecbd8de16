"""The plan put forward, valued with some of its inputs at other values.

It is valued by the functions that valued it in the first place; what a change does not touch is not computed again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from roi.analysis import Decided
from roi.approving import APPROVAL_MINUTES, WAITING_COST
from roi.assumptions import Assumptions, Number
from roi.cashflow import Schedule, present_value, stream_of
from roi.economics import Economics, economics_of
from roi.measured_at import Changes, MeasuredAt, measured_at
from roi.measures import cost_of, length_of, priced_again
from roi.options import Option, Valuer
from roi.parameters import Policy
from roi.plans import Plan, mended_again
from roi.prospects import Prospect, lost_by_then
from roi.remedies import Effect, Remedy, remedies_of
from roi.tariff import prices_of

__all__ = ["HORIZON", "PlanAt", "economics_at", "plan_at", "plan_put_forward"]

Floats = npt.NDArray[np.float64]

HORIZON = "economics.horizon_months"
_WHEN_AND_WHAT_IS_PAID = re.compile(
    r"economics\.(contingency|pilot_cost_per_month|wind_down_cost|discount_rate|adoption\.ramp_months|horizon_months)"
    r"|remedies\[\d+\]\.(cost|cost_per_month|weeks)|measurement\..*|gates_pass"
)
"""Inputs that do not change what a month at the ceiling brings."""
_OF_REMEDIES = ("remedies[", "errors_due_to:", "minutes_lost_to:", APPROVAL_MINUTES, WAITING_COST)
"""Beginnings of inputs that change what remedies do."""


@dataclass(frozen=True, kw_only=True)
class PlanAt:
    """The plan put forward as a function of its inputs.

    Attributes:
        decided: The decision.
        option: The roll-out of the plan.
        plan: What is bought and measured first; None where the roll-out stands alone.
        policy: The thresholds, with the chance that scale needs after so many looks.
        segments: The scope; None for everything.
        measured: What was measured in it.
    """

    decided: Decided
    option: Option
    plan: Plan | None
    policy: Policy
    segments: tuple[str, ...] | None
    measured: MeasuredAt

    @property
    def draws(self) -> int:
        """Number of draws."""
        return self.decided.measured.draws

    @property
    def hurdle(self) -> float:
        """What the worth has to exceed."""
        return self.policy.hurdle

    @property
    def worth(self) -> Floats:
        """Worth of the plan as it is put forward, shape (n_draws,)."""
        return self.option.worth if self.plan is None else self.plan.worth

    @cached_property
    def learned(self) -> list[float]:
        """Shares of the variances of what was measured that the plan's measurements remove before it is rolled out."""
        measures = () if self.plan is None else self.plan.measures
        return [max((m.learned[i] for m in measures), default=0.0) for i in (0, 1)]

    @cached_property
    def bought(self) -> frozenset[str]:
        """Names of the remedies of the plan."""
        return frozenset(r.name for r in self.plan.remedies) if self.plan is not None else frozenset()

    @cached_property
    def _effect(self) -> Effect:
        """What the plan's remedies change of each case."""
        remedies = self.plan.remedies if self.plan is not None else ()
        return self.decided.valuer.effect_of(remedies, self.segments, approved=self._approved)

    @property
    def _approved(self) -> bool:
        return self.plan is not None and self.plan.prospect.approved

    def chance(self, worth: Floats) -> float:
        """Chance that a worth exceeds the hurdle."""
        return float(np.mean(worth > self.hurdle))

    def worth_at(self, changes: Changes, *, undecided: bool = False) -> Floats:
        """Worth of the plan with some inputs at other values.

        Args:
            changes: A number or draws by key.
            undecided: Leave out what is decided after the plan's measurements, which weighs all draws against each
                other, so that each draw's worth follows from its own inputs.

        Returns:
            Shape (n_draws,), in the pilot's currency.
        """
        a = self.decided
        economics, remedies = self._stated(changes)
        chosen = tuple(r for r in remedies if r.name in self.bought)
        option = self.option
        if any(not self._as_much_a_month(key) for key in changes):
            effect = self._effect
            if any(key.startswith(_OF_REMEDIES) for key in changes):
                valuer = self._valuer(changes, remedies)
                effect = valuer.effect_of(chosen, self.segments, approved=self._approved)
            scope, severities = self.measured.scope(changes), self.measured.severities(changes)
            stream = stream_of(
                scope,
                economics,
                severities,
                extra_minutes=effect.minutes,
                error_kept=effect.kept,
                extra_cost=effect.cost,
            )
            option = replace(option, scope=scope, stream=stream)
        assert option.stream is not None
        schedule = self._schedule(chosen, changes)
        off = 0.0 if self.segments is None else a.valuer.picked.get(self.segments, 0.0)
        worth = present_value(option.stream, economics, schedule) - off
        if self.plan is None:
            return worth
        then = self.plan.prospect
        passes = self.passing
        if any(key.endswith(".removes_share") for key in changes):
            failing = [g for g in a.gates[self.segments] if not g.holds]
            mended = mended_again(self.plan, self._valuer(changes, remedies), failing)
            passes = replace(then, mended=mended).passing(self.plan.measures)
        if "gates_pass" in changes:
            passes = np.broadcast_to(changes["gates_pass"], (self.draws,))
        go = passes
        if any(self.learned) and not undecided:
            option = replace(option, schedule=schedule, worth=worth)
            worth, taken, _ = self._then(then, option).decided(option, self.learned, None)
            go = passes * taken
        lost = lost_by_then(economics, schedule)
        return np.asarray(go * worth - (1 - go) * lost, dtype=np.float64)

    def _then(self, then: Prospect, option: Option) -> Prospect:
        """The prospect that decides, remembering nothing of a roll-out with other inputs."""
        found = replace(then, _bases=then._bases if option.scope is self.option.scope else {}, _told={})
        vars(found)["option"] = None  # the one that it would value from what was measured is not asked for
        return found

    @cached_property
    def passing(self) -> Floats:
        """Whether the gates pass after what the plan buys and measures, shape (n_draws,)."""
        assert self.plan is not None
        return self.plan.prospect.passing(self.plan.measures)

    def _as_much_a_month(self, key: str) -> bool:
        if key.startswith("economics.costs["):
            place = int(key.partition("[")[2].partition("]")[0])
            return self.decided.economics.lines[place].per != "case"
        return _WHEN_AND_WHAT_IS_PAID.fullmatch(key) is not None

    def _assumptions(self, changes: Changes) -> Assumptions:
        known = self.decided.assumptions
        moved = {k: x for k, x in changes.items() if k in known.values}
        return Assumptions({**known.values, **moved}, known.entries)

    def _stated(self, changes: Changes) -> tuple[Economics, tuple[Remedy, ...]]:
        a = self.decided
        economics, remedies = a.economics, a.valuer.remedies
        if any(key.startswith(("economics.", "demand.")) for key in changes):
            economics = economics_at(a, self._assumptions(changes))
            if HORIZON in changes:
                economics = replace(economics, horizon=int(np.mean(changes[HORIZON])))
        if any(key.startswith("remedies[") for key in changes):
            remedies = remedies_of(a.loaded.parameters, self._assumptions(changes))
        return economics, remedies

    def _valuer(self, changes: Changes, remedies: tuple[Remedy, ...]) -> Valuer:
        """Values remedies: with these, and with causes and the prices of approving as changed."""
        valuer = self.decided.valuer
        errors, minutes = dict(valuer.causes.error_share), dict(valuer.causes.excess_minutes)
        for key, x in changes.items():
            kind, _, cause = key.partition(":")
            if kind == "errors_due_to":
                errors[cause] = np.broadcast_to(x, (self.draws,))
            elif kind == "minutes_lost_to":
                minutes[cause] = np.broadcast_to(x, (self.draws,))
        causes = replace(valuer.causes, error_share=errors, excess_minutes=minutes)
        approvals = valuer.approvals
        if approvals is not None:
            stated = self._assumptions(changes)
            approvals = replace(
                approvals, minutes=stated.get(APPROVAL_MINUTES), waiting=stated.get(WAITING_COST)
            )
        return replace(valuer, remedies=remedies, causes=causes, approvals=approvals)

    def _schedule(self, chosen: tuple[Remedy, ...], changes: Changes) -> Schedule:
        if self.plan is None or not any(key.startswith(("remedies[", "measurement.")) for key in changes):
            return self.option.schedule
        prices = prices_of(self._assumptions(changes))
        measures = tuple(priced_again(m, prices) for m in self.plan.measures)
        one_off: Number = 0.0
        per_month: Number = 0.0
        for remedy in chosen:
            one_off = np.add(one_off, 0.0 if remedy.cost is None else remedy.cost)
            per_month = np.add(per_month, remedy.cost_per_month)
        delay = np.add(self.decided.valuer.delay_of(chosen), length_of(measures))
        return Schedule(delay=delay, one_off=np.add(one_off, cost_of(measures, prices)), per_month=per_month)


def economics_at(a: Decided, assumptions: Assumptions) -> Economics:
    """The stated inputs as money needs them, at other draws."""
    return economics_of(
        a.loaded.parameters,
        assumptions,
        smallest_saving=a.economics.smallest_saving,
        error_credit=a.economics.error_credit,
        start=a.start,
    )


def plan_put_forward(a: Decided) -> Option | None:
    """The roll-out that is advised, that a fix leads to, or that a kill forgoes; None where its worth is not known."""
    option = a.verdict.option or a.scale
    return option if option is not None and option.stream is not None else None


def plan_at(a: Decided, plan: Plan | None = None) -> PlanAt | None:
    """A plan as a function of its inputs.

    Args:
        a: The decision.
        plan: A fix; None for the plan put forward.

    Returns:
        None where the worth of the plan put forward is not known.
    """
    option = plan_put_forward(a) if plan is None else plan.option
    if option is None or option.scope is None:
        return None
    segments = option.scope.segments if option.kind == "scale_segments" else None
    return PlanAt(
        decided=a,
        option=option,
        plan=a.verdict.plan if plan is None else plan,
        policy=a.loaded.policy.model_copy(update={"scale_probability": a.scale_needs}),
        segments=segments,
        measured=measured_at(
            a.measured,
            a.assumptions,
            option.scope,
            segments=segments,
            currency=a.loaded.parameters.about.currency,
        ),
    )
