"""The words of a decision: headline, reason, and what to do next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roi.analysis import Analysis
from roi.ceilings import asked
from roi.measures import Measure, cost_of
from roi.named import kind_words
from roi.no_fix import not_met, went, why_no_fix
from roi.options import Option
from roi.plans import Plan
from roi.remedies import Remedy
from roi.signs import brings
from roi.tariff import Prices
from roi.words import amount, and_list, capital, chance, percent

__all__ = [
    "HARDLY_EVER",
    "headline",
    "next_actions",
    "plan_name",
    "reason",
    "rolled_out_chance",
    "rolled_out_controlled",
    "sum_asked_for",
]

MONTHS_TO_QUOTE = 1.0
HARDLY_EVER = 0.01  # below this chance a fix is called by what it comes to: it is paid, and then stopped


def _currency(a: Analysis) -> str:
    return str(a.loaded.parameters.about.currency)


def _money(a: Analysis, value: float) -> str:
    return amount(value, _currency(a)).replace("\u00a0", " ")


def _scope_words(option: Option | None) -> str:
    if option is None or option.kind != "scale_segments" or option.scope is None:
        return ""
    return kind_words(option.scope.segments, 24)


def headline(a: Analysis) -> str:
    """At most a dozen words."""
    v = a.verdict
    if v.verdict == "scale":
        where = _scope_words(v.option)
        return f"Scale in {where} only" if where else "Scale: it pays, and its controls hold"
    if v.verdict == "kill":
        return {
            "thin_value": "Stop: the value is too thin",
            "no_data": "Stop: the data is not there",
            "uncontrollable_risk": "Stop: controlling the risk costs more than it is worth",
        }[v.ground or "thin_value"]
    return {
        "repair": "Fix first, then scale",
        "control": "Add the missing controls, then scale",
        "measure": "Measure first, then decide",
    }[v.fix_kind or "measure"]


def reason(a: Analysis) -> str:
    """One sentence of at most 25 words that a budget owner understands."""
    v = a.verdict
    policy = a.loaded.policy
    if v.unknown is not None:
        if v.verdict == "fix" and v.unknown.measure is not None:
            return capital(f"{v.unknown.why}; {_lower(v.unknown.measure.what)} before deciding.")
        return capital(f"{v.unknown.why}, and no measurement is shown to be worth its price.")
    saved = a.measured.scope(
        None if v.option is None or v.option.scope is None else v.option.scope.segments
    ).minutes_saved
    minutes = None if saved is None else float(saved.mean())
    if v.verdict == "scale" and v.option is not None and minutes is not None:
        sure = chance(v.option.chance(policy.hurdle))
        saves = f"A case takes {minutes:.2f} minutes less" if minutes > 0 else "Errors fall"
        return (
            f"{saves}, every control holds, and in {sure} outcomes scaling beats stopping, "
            f"by {_money(a, v.option.mean())} on average."
        )
    if v.verdict == "fix" and v.plan is not None:
        if v.plan.unpriced:
            more = len(v.plan.unpriced) - 2
            names = [g.label.lower() for g in v.plan.unpriced[:2]] + ([f"{more} more"] if more > 0 else [])
            gates = and_list(names)
            at_most = _money(a, asked(a, v.plan).most)
            return f"It would pay, but {gates} cannot be shown; worth mending for at most {at_most}."
        if v.plan.waits:
            waits = [r for r in v.plan.remedies if not r.priced]
            at_most = _money(a, asked(a, v.plan).most)
            if waits:
                untimed = all(r.cost is not None for r in waits)
                what = "whose approving nobody has timed" if untimed else "which nobody has priced"
                return f"It would pay after {and_list(r.name for r in waits)}, {what}: at most {at_most}."
            return (
                f"It is not yet sure enough to scale; measuring more may cost at most {at_most}, "
                "and nobody has stated its price."
            )
        if v.fix_kind == "measure":
            return (
                f"It is not yet sure enough: measuring for {_money(a, v.plan.price)} "
                f"is worth {_money(a, v.plan.mean())} on average."
            )
        now = a.scale
        blocked = [g for g in a.gates[None] if not g.holds]
        stands = brings(None if now is None else now.mean(), _currency(a)).replace("\u00a0", " ")
        return (
            f"Scaling now {stands}{not_met(blocked)}; fixed for {_money(a, v.plan.price)}, rolled out for "
            f"{_money(a, float(np.mean(a.economics.one_off())))}, it brings {_money(a, v.plan.mean())}."
        )
    if v.ground == "no_data":
        inputs = next((g for g in a.gates[None] if g.gate == "usable_inputs"), None)
        if inputs is not None and inputs.state == "exceeded" and inputs.value is not None:
            return (
                f"Only {percent(inputs.value)} of real cases arrive with inputs the agent can use, "
                "and no affordable remedy lifts that enough."
            )
        return "The value rests on figures nobody measured, and measuring them is not worth its price."
    controlled = rolled_out_controlled(a)
    if controlled is not None and v.ground == "uncontrollable_risk":
        without = max((o.mean() for o in (a.scale, *a.segments) if o is not None), default=0.0)
        # Said as rolled out: the fix among the options may be bought and then stopped, which costs something else.
        return (
            f"Without controls it would bring {_money(a, without)}; rolled out with the controls it needs, "
            f"it {brings(controlled.mean(), _currency(a), would=True)}.".replace("\u00a0", " ")
        )
    if controlled is not None:
        mended = controlled
        share, needs = percent(mended.chance), percent(a.scale_needs)
        return (
            f"With its controls mended it would bring {_money(a, mended.mean())} on average, but where they hold "
            f"it pays in {'just under' if share == needs else 'only'} {share} of outcomes; the rule asks for {needs}."
        )
    worth = brings(a.scale.mean() if a.scale is not None else 0.0, _currency(a)).replace("\u00a0", " ")
    pays = chance(a.scale.chance(policy.hurdle)) if a.scale is not None else "none"
    return f"{went(a, minutes)}; scaling pays in {pays} and {worth} on average; {why_no_fix(a)}."


def rolled_out_controlled(a: Analysis) -> Plan | None:
    """The roll-out with its controls and severe errors mended that the reason of a kill names; None where it does not.

    The rule would not let it happen: it stands among the options to compare with, so that the reason's figure can be
    looked up.
    """
    if a.verdict.verdict != "kill" or a.verdict.unknown is not None:
        return None
    if a.verdict.ground == "uncontrollable_risk":
        return a.fixes.mended
    if a.verdict.ground != "thin_value":
        return None
    mended = a.fixes.mended
    guarded = any(g.guards and g.state in ("exceeded", "not_shown") for g in a.gates[None])
    if guarded and mended is not None and mended.mean() > 0 and mended.chance < a.scale_needs:
        return mended
    return None


def plan_name(plan: Plan) -> str:
    """What a plan comes to, in words: after some fixes the rule would stop all the same."""
    if rolled_out_chance(plan) < HARDLY_EVER:
        return "Fix, then stop"
    where = _scope_words(plan.option)
    return f"Fix, then scale in {where}" if where else "Fix, then scale"


def rolled_out_chance(plan: Plan) -> float:
    """The chance that anything is rolled out after it."""
    return plan.sure * plan.passes


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _by(a: Analysis, months: float) -> str | None:
    """A day so many months after the decision is due, or after the first day of the plan."""
    start = a.loaded.parameters.about.decide_by
    if start is None:
        if a.start[0] == 0:
            return None
        start = dt.date(*a.start, 1)
    return (start + dt.timedelta(days=round(months * 365.25 / 12))).isoformat()


def sum_asked_for(a: Analysis) -> float | None:
    """Money to be granted now: one-off costs of a roll-out, the price of a fix, or the winding down."""
    v, e = a.verdict, a.economics
    if v.verdict == "scale":
        return float(np.mean(e.one_off()))
    if v.verdict == "kill":
        return float(np.mean(e.wind_down))
    if v.plan is not None and (v.plan.price > 0 or not v.plan.waits):
        return v.plan.price
    if v.unknown is not None and v.unknown.measure is not None:
        return v.unknown.measure.price
    return None


def next_actions(a: Analysis, remedies: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to do, by whom, until when, at what cost, and how it will be known that it worked.

    Args:
        a: The decision.
        remedies: What the record says of remedies.

    Returns:
        One action each. `worth` is what would be lost without it, so that worths of several do not add up; `max_price`
        the most that it may cost.
    """
    v, p = a.verdict, a.loaded.parameters
    owner = p.about.owner
    found: list[dict[str, Any]] = []
    if v.verdict == "scale" and v.option is not None:
        where = _scope_words(v.option)
        found.append(
            _action(
                action=f"Roll out in {where}" if where else "Roll out",
                kind="go",
                owner=owner,
                by=_by(a, 0),
                cost=float(np.mean(a.economics.one_off())),
                worth=v.option.mean(),
                pass_mark=_stays(a, v.option),
            )
        )
        return found
    if v.verdict == "kill":
        cost = float(np.mean(a.economics.wind_down))
        found.append(
            _action(
                action="Stop the pilot",
                kind="stop",
                owner=owner,
                by=_by(a, 0),
                cost=cost,
                worth=0.0,
                pass_mark="No access, contract or cost of the pilot is left",
            )
        )
        return found
    if v.unknown is not None and v.unknown.measure is not None:
        m = v.unknown.measure
        found.append(
            _action(
                action=m.what,
                kind="measure",
                owner=owner,
                by=_by(a, m.months),
                cost=m.price,
                worth=v.unknown.upside if m.n and m.price is not None else None,
                pass_mark="The worth of scaling can be computed",
                max_price=v.unknown.upside if m.price is None else None,
            )
        )
        return found
    plan = v.plan
    assert plan is not None
    rows = {r["name"]: r for r in remedies["list"]}
    for remedy in sorted(plan.remedies, key=lambda r: float(np.mean(r.months))):
        found.append(_remedy_action(a, remedy, rows[remedy.name]))
    at_most = asked(a, plan).most if plan.waits else None
    charged = _charged(plan.measures, a.prices)
    for measure in plan.measures:
        shared = bool(measure.price) and charged[measure.gate] == 0
        found.append(
            _action(
                action=measure.what + (", among the cases of the larger one" if shared else ""),
                kind="measure",
                owner=owner,
                by=_by(a, measure.months),
                cost=None if measure.price is None else charged[measure.gate],
                worth=None if plan.waits else plan.mean(),
                pass_mark=_mark(a, measure.gate),
                max_price=None
                if at_most is None
                else at_most + (charged[measure.gate] if measure.price else 0.0),
            )
        )
    if plan.unpriced:
        wanted = "; ".join(_lower(gate.mend or gate.label) for gate in plan.unpriced)
        one = len(plan.unpriced) == 1
        found.append(
            _action(
                action=f"Get a quote: {wanted}" if one else f"Get quotes, for all of it together: {wanted}",
                kind="control",
                owner=owner,
                by=_by(a, MONTHS_TO_QUOTE),
                cost=None,
                worth=None,
                pass_mark="; ".join(_mark(a, gate.gate) for gate in plan.unpriced),
                max_price=at_most,
            )
        )
    # Not before what shows that the last repair worked has been measured.
    shown = (r["again"] for r in rows.values() if r["bought"] and r["again"] is not None)
    later = (r["month"] + r["months"] for r in shown if r["months"] is not None)
    # Nor before the quotes are in that it waits for.
    months = max(
        float(np.mean(plan.option.schedule.delay)), *later, MONTHS_TO_QUOTE if plan.unpriced else 0.0
    )
    found.append(
        _action(
            action="Decide again, and roll out if the marks are met",
            kind="go",
            owner=owner,
            by=_by(a, months),
            cost=float(np.mean(a.economics.one_off())),
            worth=None if plan.waits else plan.mean(),
            pass_mark=_mark(a, "value"),
        )
    )
    return found


def _charged(measures: Sequence[Measure], prices: Prices) -> dict[str, float]:
    """What each measurement adds to the bill, by gate: cases that two of them share, and the set-up, are paid once."""
    found = dict[str, float]()
    paid: list[Measure] = []
    for measure in sorted(measures, key=lambda m: -(m.price or 0.0)):
        before = cost_of(paid, prices)
        paid.append(measure)
        found[measure.gate] = cost_of(paid, prices) - before
    return found


def _action(**given: Any) -> dict[str, Any]:
    keys = ("action", "kind", "owner", "by", "cost", "worth", "pass_mark", "max_price")
    return {key: given.get(key) for key in keys}


def _stays(a: Analysis, option: Option) -> str:
    if option.scope is None or option.scope.minutes_saved is None:
        return "The measured value holds after three months"
    low = float(np.percentile(option.scope.minutes_saved, 10))
    return (
        f"After three months, at least {max(low, 0):.2f} minutes a case are still saved and no gate is closed"
    )


def _remedy_action(a: Analysis, remedy: Remedy, row: Mapping[str, Any]) -> dict[str, Any]:
    gate_names = {g.gate for g in a.gates[None]}
    months = float(np.mean(a.valuer.delay_of((remedy,))))
    what = (
        "Get a quote" if remedy.cost is None else "State what an approval takes (economics.approval_minutes)"
    )
    return _action(
        action=remedy.name if remedy.priced else f"{what}: {remedy.name}",
        kind="control" if remedy.addresses in gate_names - {"usable_inputs", "severe_errors"} else "repair",
        owner=remedy.owner or a.loaded.parameters.about.owner,
        by=_by(a, months),
        cost=None if remedy.cost is None else float(np.mean(remedy.cost)),
        worth=row["among"] if remedy.priced else None,
        pass_mark=_mark(a, remedy.addresses, row["again"]),
        max_price=row["most"],
    )


def _mark(a: Analysis, target: str, again: Mapping[str, Any] | None = None) -> str:
    """How it will be known that an action worked; of a cause's losses as they are to be measured again."""
    policy = a.loaded.policy
    marks = {
        "severe_errors": f"Severe errors shown to stay below {percent(policy.max_severe_error_rate)}",
        "usable_inputs": f"At least {percent(policy.min_usable_inputs)} of cases with usable inputs",
        "human_approval": f"Fewer than {percent(policy.max_approval_miss_rate)} of high-risk actions without approval",
        "bounded_access": "No action outside its grant",
        "audit_trail": "Every case and action can be followed both ways",
        "evaluation": "The live version passes its suite, no worse than the one before",
        "rollback": f"A pause within {policy.max_minutes_to_pause:g} minutes of detection, and service restored",
        "measured_baseline": f"Scaling pays with a chance of at least {percent(a.scale_needs)}",
        "design": f"A chance of at least {percent(a.scale_needs)} that it pays, cases assigned at random",
        "complete_minutes": "Minutes recorded in at least 95 % of cases of each arm",
        "known_cost": "The agent's cost known for nine cases in ten",
        "value": f"Scaling pays with a chance of at least {percent(a.scale_needs)}",
    }
    if target in marks:
        return marks[target]
    if again is None or again["before"] is None:
        return "Fewer losses from this cause, measured on new cases"
    now, then = percent(again["before"]), percent(again["after"])
    if again["n"] is None:
        return f"Errors and hand-overs, {now} of cases now, come near {then}; few cases cannot show so small a change"
    return (
        f"Errors and hand-overs fall from {now} to {percent(again['pass_at'])} or less of {again['n']:,} new cases "
        f"({then} expected)"
    )
