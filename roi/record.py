"""The record of a decision: what decision.json holds, and what every report is made from."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.advice import headline, next_actions, reason, sum_asked_for
from roi.analysis import Analysis, as_json
from roi.approval_design import approval_design_of_record
from roi.audit import audit_of_record
from roi.cause_prices import cause_warnings, causes_of_record, clean_world_of_record, losses_of_record
from roi.claims import claims_of_record
from roi.comparable import assumption_of, policy_of, settings_of
from roi.demo_gap import demo_gap_of_record
from roi.drivers import sensitivity_of_record
from roi.economics import not_stated
from roi.error_rates import error_rates_of
from roi.estimates import by_segment, estimates
from roi.evidence import evidence_of_record, evidence_warnings
from roi.first_view import first_view
from roi.footing import (
    covariate_of_record,
    design_of_record,
    design_warnings,
    mix_of_record,
    sample_of_record,
    tipping_of_record,
    words_of_report,
)
from roi.gate import Gate
from roi.in_scope import advised_scope, in_scope
from roi.knowing import knowing_of_record
from roi.labelling_plan import label_facts
from roi.labels import why_no_credit
from roi.ladder import ladder_of_record
from roi.ledger import SCHEMA
from roi.looks import words_of
from roi.moments import ALL
from roi.money import cost_of_waiting, money, price_of_caution, share_assumed
from roi.named import cost_words, kind_word
from roi.option_record import options_of_record
from roi.parameters import register
from roi.remedy_record import remedies_of_record
from roi.scorecard_record import controls_of_record
from roi.self_reports import self_reports_of_record
from roi.stopping import stopping
from roi.unmeasured import break_even_minutes
from roi.what_if import pessimistic
from roi.words import percent

__all__ = ["SCHEMA", "build_record", "canonical"]

Floats = npt.NDArray[np.float64]


def canonical(record: dict[str, Any]) -> str:
    """A record as text: the same inputs give the same bytes."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(", ", ": "))


def build_record(a: Analysis) -> dict[str, Any]:
    """Lay an analysis out as a record.

    Args:
        a: The analysis.

    Returns:
        Plain JSON values; what cannot be measured is None, its reason among `warnings`.
    """
    p, policy, v = a.loaded.parameters, a.loaded.policy, a.verdict
    currency = p.about.currency
    warnings = [*a.loaded.warnings, *a.samples.warnings]
    causes, clean = causes_of_record(a), clean_world_of_record(a)
    warnings += [*words_of_report(a.moments), *design_warnings(a), *evidence_warnings(a)]
    warnings += cause_warnings(clean, causes)
    draws: dict[str, Floats] = {}
    measured = estimates(a, warnings, draws)
    claims = claims_of_record(a, measured, draws)
    entries = register(p)
    assumed = share_assumed(a)
    known, remedies, options = knowing_of_record(a), remedies_of_record(a), options_of_record(a)
    if v.unknown is not None and a.scale is None:
        warnings.append(f"The worth of scaling is not known: {v.unknown.why}.")
    if a.measured.errors_stated:
        warnings.append(
            "The error rate without the agent is stated, not measured: more errors than that cost in full, fewer earn "
            "nothing (samples.baseline.error_rate)."
        )
    elif a.scale is not None and a.measured.rates.labelled[0] == 0 and a.measured.rates.labelled[1] > 0:
        warnings.append("No baseline case has an outcome, so the pilot's errors are charged in full.")
    if a.scale is not None and a.economics.error_cost is None:
        warnings.append(
            "The cost of an error is not stated, so errors are left out of the money (economics.error_cost)."
        )
    if a.scale is not None and not a.economics.error_credit and not a.measured.errors_stated:
        warnings.append(
            why_no_credit(a.moments, p.samples.labels.selection)
            or "Which cases people labelled is not known, or only a program judged them: fewer errors earn no credit."
        )
    stated = any(
        g.gate == "known_cost" and g.holds for g in a.gates[None]
    )  # by a cost line, where nothing is metered
    if not stated and a.scale is not None and a.scale.scope is not None and a.scale.scope.agent_cost is None:
        warnings.append("The agent's cost per case is not known and is left out of the money.")
    if a.moments.few_workers:
        warnings.append(
            "Fewer than four people worked the cases: how people differ is assumed (25 % of the effect)."
        )
    looked = words_of(a.loaded.looks, policy.scale_probability, stated=p.run.looks)
    warnings += [] if looked is None else [looked]
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "pilot": p.pilot,
        "as_of": a.as_of,
        "verdict": v.verdict,
        "fix_kind": v.fix_kind,
        "ground": v.ground,
        "headline": headline(a),
        "reason": reason(a),
        "title": p.about.title or p.pilot,
        "workflow": p.about.workflow,
        "workflow_id": p.about.workflow_id,
        "owner": p.about.owner,
        "prepared_by": p.about.prepared_by,
        "budget_owner": p.about.budget_owner,
        "currency": currency,
        **({"locale": p.about.locale} if p.about.locale else {}),  # how it is shown; it changes no other key
        "hurdle": policy.hurdle,
        "started": p.about.started,
        "decide_by": p.about.decide_by,
        "goal": _goal(a, measured),
        "spent_to_date": _number(p.about.spent_to_date),
        "sum_asked_for": sum_asked_for(a),
        "first_view": first_view(a),
        "chances": {
            "scale_pays": None if a.scale is None else a.scale.chance(policy.hurdle),
            "fix_pays": None if options["fix"] is None else options["fix"]["chance_above_hurdle"],
            "scale_pays_cash_only": None if a.scale is None else float(np.mean(a.scale.cash > policy.hurdle)),
        },
        "estimates": measured,
        "by_segment": by_segment(a),
        "design": design_of_record(a),
        "mix": mix_of_record(a),
        "covariate": covariate_of_record(a),
        "sample": sample_of_record(a),
        "labels": label_facts(
            a.moments,
            limit=policy.max_severe_error_rate,
            selection=p.samples.labels.selection,
            blind=p.samples.labels.blind,
        ),
        "options": options,
        "money": money(a),
        "gates": [_gate(a, g) for g in a.gates[advised_scope(a)]],
        "next": next_actions(a, remedies),
        "remedies": remedies,
        "stopping": stopping(a),
        "model_the_problem": causes["text"],
        "losses": losses_of_record(causes),
        "causes": causes,
        "clean_world": clean,
        "audit": audit_of_record(a),
        "controls": controls_of_record(a),
        "approval_design": approval_design_of_record(a),
        "cost_of_waiting_per_month": cost_of_waiting(a),
        "price_of_caution": price_of_caution(a),
        "evpi": known["evpi"],
        "knowing": known,
        "sensitivity": sensitivity_of_record(a, a.taken.model_costs),
        "pessimistic": pessimistic(a),
        "share_assumed": assumed[0],
        "assumed_factors": assumed[1],
        "tipping_point": tipping_of_record(a, advised_scope(a)),
        "break_even_minutes": break_even_minutes(a.valuer)
        if a.economics.labour is not None and a.economics.cases_per_month is not None
        else None,
        "unknowns": _unknowns(a, measured),
        "not_stated": not_stated(a.economics, metered=a.measured.agent_cost is not None),
        "assumptions": [assumption_of(e) for e in entries],
        "settings": settings_of(p),
        "policy": policy_of(policy),
        "demo_gap": demo_gap_of_record(a),
        "claims": claims,
        "self_reports": self_reports_of_record(a, claims, draws),
        "ladder": ladder_of_record(a),
        "evidence": evidence_of_record(a),
        "excluded": [
            {"table": x.table, "reason": x.reason, "rows": x.rows, "arm": x.arm} for x in a.samples.exclusions
        ],
        "imputed": _imputed(a),
        "warnings": warnings,
        "exceptions": [
            {
                "key": x.key,
                "value": x.value,
                "reason": x.reason,
                "approved_by": x.approved_by,
                "expires": x.expires,
            }
            for x in policy.exception
        ],
        "rule_error_rates": None if a.scale is None else _rule_error_rates(a),
        "signed": [],
        "provenance": _provenance(a),
    }
    return _clean(record)


def _clean(record: dict[str, Any]) -> dict[str, Any]:
    """Plain JSON values with finite numbers only; anything else is a mistake of this package."""
    cleaned: dict[str, Any] = json.loads(json.dumps(record, default=as_json, allow_nan=False))
    return cleaned


def _number(value: Any) -> float | None:
    if value is None:
        return None
    return float(value.mean) if hasattr(value, "mean") else float(value)


def _gate(a: Analysis, gate: Gate) -> dict[str, Any]:
    remedy = next((r for r in a.valuer.remedies if r.addresses == gate.gate), None)
    price = None if remedy is None or remedy.cost is None else float(np.mean(remedy.cost))
    return {
        "gate": gate.gate,
        "label": gate.label,
        "state": gate.state,
        "value": gate.value,
        "threshold": gate.threshold,
        "evidence": gate.evidence,
        "mend": gate.mend or None,
        "owner": None if remedy is None else remedy.owner,
        "price": price,
        "remedy": None if remedy is None else remedy.name,
    }


def _goal(a: Analysis, measured: dict[str, Any]) -> dict[str, Any] | None:
    goal = a.loaded.parameters.about.goal
    if goal is None:
        return None
    found = measured.get(goal.metric) if goal.metric else None
    return {
        "text": goal.text,
        "metric": goal.metric,
        "target": _number(goal.target),
        "by": goal.by,
        "measured": found["mean"] if found else None,
        "in_scope": in_scope(a, goal.metric),
    }


def _rule_error_rates(a: Analysis) -> dict[str, Any]:
    policy = a.loaded.policy
    rates = error_rates_of(
        a.moments,
        a.measured.design,
        scale_probability=policy.scale_probability,
        kill_probability=policy.kill_probability,
        effective_n=mix_of_record(a)["effective_n"],
    )
    found = asdict(rates)
    stated = a.loaded.parameters.run.looks
    looked = words_of(a.loaded.looks, policy.scale_probability, stated=stated)
    found["text"] += "" if looked is None else f" {looked}"
    return found


def _unknowns(a: Analysis, measured: dict[str, Any]) -> list[str]:
    found = [f"{g.label}: {g.evidence}" for g in a.gates[None] if g.state == "missing_evidence"]
    if a.loaded.parameters.economics.pilot_cost_per_month is None:
        found.append(
            "What the pilot costs a month is not stated; waiting and keeping it are counted without."
        )
    missing = not_stated(a.economics, metered=a.measured.agent_cost is not None)
    if missing:
        found.append(f"Costs not stated: {cost_words(missing)}.")
    if a.measured.weights.uncovered:
        names = ", ".join(
            f"{kind_word(name)} ({percent(share)} of demand)"
            for name, share in a.measured.weights.uncovered.items()
        )
        found.append(
            "No kind of case was sampled in both arms, so that nothing earns anything here."
            if set(a.measured.weights.uncovered) == {ALL}
            else f"Nothing is known about {names}; it earns nothing here."
        )
    return found


def _imputed(a: Analysis) -> list[dict[str, Any]]:
    n = int(a.moments.imputed.sum())
    if n == 0:
        return []
    return [
        {
            "what": "human minutes of escalated or abandoned pilot cases",
            "rows": n,
            "how": "own minutes plus the baseline mean of the segment, because nobody logged who took over",
        }
    ]


def _provenance(a: Analysis) -> dict[str, Any]:
    p = a.loaded.parameters
    packages = ("duckdb", "ibis-framework", "numpy", "scipy")
    return {
        "roi": _version("roi"),
        "params_file": a.loaded.name,
        "params_sha256": a.loaded.params_sha256,
        "policy_sha256": a.loaded.policy_sha256,
        "overrides": list(a.loaded.overrides),
        "samples_sha256": dict(sorted(a.samples.fingerprints.items())),
        "versions": {name: _version(name) for name in packages},
        "seed": p.run.seed,
        "draws": a.measured.draws,
        "looks": a.loaded.looks,
        "looks_stated": p.run.looks,
    }


_version = cache(version)  # looked up on disk, which takes longer than the rest of the provenance
