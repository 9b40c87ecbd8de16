"""Which kinds of action should wait for a person: the design of least cost, its frontier, and what it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.approval_choice import Choice
from roi.approval_designs import ALL, NONE, Design, Designs, Monthly
from roi.approval_kinds import ApprovalKinds
from roi.approval_losses import ApprovalLosses, approval_losses, label_of
from roi.approval_rows import many, rows_of_kinds, spread
from roi.approval_words import design_headline, gate_text, missing_of_logs, no_design
from roi.approving import APPROVAL_MINUTES, WAITING_COST
from roi.assumptions import Number
from roi.cashflow import Schedule, present_value, stream_of
from roi.money import summary
from roi.words import shorten

__all__ = ["approval_design_of_record"]

Floats = npt.NDArray[np.float64]

HIDDEN = (
    "How long actions wait is not shown: fewer people are named who decide than privacy.min_group asks for."
)
MOST_POINTS = 16  # of the curve in the record; all of them are counted
EMPTY: dict[str, Any] = {
    "kinds": [],
    "catch": None,
    "chosen": None,
    "required": None,
    "free_optimum": None,
    "today": None,
    "everything": None,
    "nothing": None,
    "strictest": None,
    "rejections_only": None,
    "curve": [],
    "curve_points": 0,
    "residual": None,
    "hours_per_month": None,
    "npv": None,
    "missing": [],
}


def approval_design_of_record(a: Analysis) -> dict[str, Any]:
    """What should wait for a person, at least total cost within the policy's limit of severe errors.

    Args:
        a: The analysis.

    Returns:
        `kinds` (of each its actions, wrong actions, loss without approval, minutes, waiting and options), `catch`, the
        designs `chosen`, `free_optimum`, `today`, `everything`, `nothing` and `strictest`, what would be the best were
        `rejections_only` counted as caught, `required` (kinds and the price of the rule), `curve`, `residual`,
        `hours_per_month`, `npv`, `missing` and `headline`.
        What is not known is None, and `missing` says why.
    """
    x = a.taken.approval_kinds
    why = no_design(x)
    if x is None:
        return {**EMPTY, "missing": [why], "headline": why}
    if why is not None:
        return {**EMPTY, "kinds": rows_of_kinds(a, x, None, None, []), "missing": [why], "headline": why}
    scope = a.measured.scope()
    stated = a.assumptions.get(APPROVAL_MINUTES)
    missing = missing_of_logs(x, stated=stated is not None)
    losses = approval_losses(
        x,
        a.measured,
        scope,
        effect=max(a.causes.effect, 1.0),
        stated=stated,
        seed=a.loaded.parameters.run.seed,
    )
    lacks = _lacking(a, x, losses)
    missing += [m for m in lacks if m not in missing]
    required = _required(a, x)
    if losses is None or lacks or losses.minutes is None or not x.catch_known:
        head = "Which actions should wait for a person cannot be said yet. "
        return {
            **EMPTY,
            "kinds": rows_of_kinds(a, x, losses, None, required),
            "required": {"kinds": [label_of(x, k) for k in required], "price_per_month": None},
            "missing": missing,
            "headline": head + _first(missing),
        }
    designs = Designs(losses=losses, monthly=_monthly(a, scope.share), seed=a.loaded.parameters.run.seed)
    if not many(a):
        missing.append(HIDDEN)
    elif designs.monthly.waiting is None and not np.isnan(losses.wait).all():
        missing.append("Waiting is shown in hours and has no price (economics.waiting_cost_per_hour).")
    return {**EMPTY, **_designed(a, x, designs, required), "missing": missing}


def _first(missing: Sequence[str]) -> str:
    wanted = [m for m in missing if "what approval catches" in m or "not known" in m or "not stated" in m]
    return (wanted or list(missing))[0]


def _lacking(a: Analysis, x: ApprovalKinds, losses: ApprovalLosses | None) -> list[str]:
    """What money and labels lack for a design."""
    e = a.economics
    said = []
    if losses is None:
        said.append("The pilot's error rate is not known: label cases (outcome).")
    if e.error_cost is None:
        said.append("What an error costs is not stated (economics.error_cost).")
    if e.labour is None:
        said.append("What an hour of labour costs is not stated (economics.labour_cost_per_hour).")
    if e.cases_per_month is None:
        said.append("How many cases there are is not stated (demand.cases_per_month).")
    return said


def _monthly(a: Analysis, share: Number) -> Monthly:
    e, severity = a.economics, a.measured.rates.severity[1]
    assert e.error_cost is not None
    assert e.labour is not None
    assert e.cases_per_month is not None
    return Monthly(
        cases=np.multiply(e.cases_per_month, e.ceiling) * share,
        error_cost=np.asarray(sum(severity[:, i] * cost for i, cost in enumerate(e.error_cost))),
        severe=severity[:, 2] + severity[:, 3],
        labour=e.labour,
        waiting=a.assumptions.get(WAITING_COST),
    )


def _required(a: Analysis, x: ApprovalKinds) -> list[int]:
    tools = a.loaded.policy.high_risk_tools
    return [int(k) for k in np.flatnonzero(x.changing) if x.required_by(int(k), tools)]


def _designed(a: Analysis, x: ApprovalKinds, designs: Designs, required: list[int]) -> dict[str, Any]:
    limit = a.loaded.policy.max_severe_error_rate
    losses, currency = designs.losses, a.loaded.parameters.about.currency
    n = len(losses.kinds)
    must = [losses.kinds.index(k) for k in required]

    def best(among: Designs, held: Sequence[int]) -> Choice:
        # Where nothing keeps to the limit, holding more for its sake buys nothing: what pays is told, and the gap.
        found = among.cheapest(limit=limit, required=held) or among.cheapest(limit=np.inf, required=held)
        assert found is not None
        return found

    picked, free = best(designs, must).picks, best(designs, ()).picks
    every = {
        "chosen": picked,
        "free_optimum": free,
        "everything": (ALL,) * n,
        "nothing": (NONE,) * n,
        "strictest": designs.least_severe().picks,
    }
    shown_waiting = many(a)
    drawn = {picks: designs.of(picks) for picks in dict.fromkeys(every.values())}
    texts = {picks: _said(designs, design, limit, currency, shown_waiting) for picks, design in drawn.items()}
    said = {name: texts[picks] for name, picks in every.items()}
    today = designs.practised()
    said["today"] = _said(designs, today, limit, currency, shown_waiting)
    price = max(drawn[picked].total() - drawn[free].total(), 0.0)
    strict = best(replace(designs, repairs=False, known={}), ()).picks
    worth = _npv(a, designs, {"today": today, **{name: drawn[picks] for name, picks in every.items()}})
    points = designs.frontier()
    shown = points
    if len(points) > MOST_POINTS:
        at = np.linspace(points[0].cost, points[-1].cost, MOST_POINTS)
        near = {int(np.argmin([abs(p.cost - hours) for p in points])) for hours in at}
        shown = tuple(points[i] for i in sorted(near))
    return {
        "kinds": rows_of_kinds(a, x, losses, designs, required),
        "catch": {
            **spread(losses.catch()),
            "error_cost": spread(np.atleast_1d(designs.monthly.error_cost)),
            "rejected": int(x.count("caught").sum()),
            "repaired": float(x.mended.sum()),
            "slipped": float(x.slipped_in_time.sum()),
            "decided_in_time": int(x.count("in_time").sum()),
        },
        **said,
        "required": {"kinds": [losses.labels[k] for k in must], "price_per_month": price},
        "rejections_only": {
            "catch": spread(losses.catch(repairs=False)),
            "gates": _gates(designs, strict, currency),
            "differs": strict != free,
        },
        "curve": [
            _point(designs, drawn.get(p.picks) or designs.of(p.picks), currency, texts.get(p.picks))
            for p in shown
        ],
        "curve_points": len(points),
        "residual": {
            "loss_per_month": said["chosen"]["loss_per_month"],
            "severe_rate": said["chosen"]["severe_rate"],
            "limit": limit,
            "within_limit": said["chosen"]["within_limit"],
            "within_limit_at_p95": said["chosen"]["within_limit_at_p95"],
            "short_by": said["chosen"]["short_by"],
            "not_by_an_action": spread(losses.loose),
        },
        "hours_per_month": said["chosen"]["hours_per_month"],
        "npv": worth,
        "headline": design_headline(
            chosen=said["chosen"],
            nothing=said["nothing"],
            today=said["today"],
            price_of_rule=price,
            pays=worth is None or worth["free_optimum"]["worth"]["mean"] >= worth["chosen"]["worth"]["mean"],
            strictest=said["strictest"]["severe_rate"]["mean"],
            limit=limit,
            currency=currency,
        ),
    }


def _gates(designs: Designs, picks: Sequence[int], currency: str) -> list[dict[str, Any]]:
    """What a design holds."""
    gates = []
    for k, pick in enumerate(picks):
        option = designs.options(k)[pick]
        if option.actions > 0:
            label = shorten(designs.losses.labels[k], 80)
            text = gate_text(label, option.gate, option.at, currency)
            gates.append({"kind": label, "gate": option.gate, "at": option.at, "text": text})
    return gates


def _point(designs: Designs, design: Design, currency: str, known: dict[str, Any] | None) -> dict[str, Any]:
    """A point of the curve."""
    return {
        "hours_per_month": float(design.hours.mean()),
        "total_per_month": design.total(),
        "loss_per_month": known["loss_per_month"] if known else spread(design.loss),
        "severe_rate": known["severe_rate"] if known else spread(design.severe),
        "gates": [gate["text"] for gate in _gates(designs, design.picks or (), currency)],
    }


def _said(designs: Designs, design: Design, limit: float, currency: str, waits: bool) -> dict[str, Any]:
    """A design as the record holds it."""
    severe = spread(design.severe)
    cases = float(np.mean(designs.monthly.cases))
    return {
        "gates": None if design.picks is None else _gates(designs, design.picks, currency),
        "hours_per_month": spread(design.hours),
        "loss_per_month": spread(design.loss),
        "approval_cost_per_month": float(design.approval.mean()),
        "total_per_month": spread(design.loss + design.approval),
        "waiting_hours_per_month": None if design.waiting is None or not waits else design.waiting * cases,
        "severe_rate": severe,
        "within_limit": severe["mean"] <= limit,
        "within_limit_at_p95": severe["p95"] <= limit,
        "short_by": max(severe["mean"] - limit, 0.0),
    }


def _saved(a: Analysis, cases: Number, today: Design, design: Design) -> Floats:
    """Minutes a case that a design saves against today, of those that the measured minutes hold; below 0 it takes more.

    Stated minutes of an approval are nowhere in the measured ones but for the review that was timed: what a design
    frees beyond that was never counted, and earns nothing. What it asks for on top is charged.
    """
    now, then = (np.asarray(np.divide(60 * d.hours, cases)) for d in (today, design))
    freed = now - then
    x = a.taken.approval_kinds
    if x is not None and a.assumptions.get("economics.approval_minutes") is not None:
        freed = np.minimum(freed, float(x.review[:, 1].sum()) / max(int(x.cases.sum()), 1))
    mending = (today.minutes - now) - (design.minutes - then)
    return np.asarray(freed + mending, dtype=np.float64)


def _npv(a: Analysis, designs: Designs, drawn: dict[str, Design]) -> dict[str, Any] | None:
    """The worth of scaling with each design, from the draws, horizon, adoption and demand of the roll-out."""
    if a.scale is None or a.scale.scope is None:
        return None
    today, e, m = drawn["today"], a.economics, designs.monthly
    found: dict[tuple[int, ...] | None, dict[str, Any]] = {}
    for design in drawn.values():
        if design.picks in found:
            continue
        worth = a.scale.worth
        if design.picks is not None:
            stream = stream_of(
                a.scale.scope,
                e,
                a.measured.rates.severity,
                extra_minutes=_saved(a, m.cases, today, design),
                error_kept=np.divide(
                    design.errors, today.errors, out=np.ones_like(today.errors), where=today.errors > 0
                ),
            )
            assert stream is not None
            if m.waiting is not None and design.waiting is not None and today.waiting is not None:
                more = np.multiply(m.cases, m.waiting) * (design.waiting - today.waiting)
                stream = replace(stream, agent=stream.agent + more)
            worth = present_value(stream, e, Schedule())
        further = worth - a.scale.worth
        # What differs in its last digits only is the same.
        further = np.where(np.abs(further) > 1e-9 * (1 + np.abs(worth)), further, 0.0)
        found[design.picks] = {
            "worth": summary(worth),
            "against_today": summary(further),
            "chance_better": float(np.mean(further > 0)),
        }
    return {name: found[design.picks] for name, design in drawn.items()}
