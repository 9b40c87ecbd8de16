"""The measured quantities of a pilot, summarised under their names in the record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.estimate import Estimate, summarise
from roi.measured import Measured
from roi.moments import ALL, ARMS, COMPONENTS
from roi.narrower import why_not_alone
from roi.pooling import weighted
from roi.rates import severe_errors

__all__ = ["by_segment", "estimates", "pooled_by_segment", "units_of"]

Floats = npt.NDArray[np.float64]


def units_of(a: Analysis, arm: int | None = None) -> int:
    """Independent units of an arm, or of both."""
    m = a.moments
    rows = np.ones(m.arm.size, dtype=bool) if arm is None else m.arm == arm
    if m.unit_kind == "case":
        return int(m.n[rows].sum())
    return int(np.unique(m.unit[rows]).size)


def estimates(
    a: Analysis, warnings: list[str], kept: dict[str, Floats] | None = None
) -> dict[str, dict[str, Any] | None]:
    """Every estimate of the record; None where it cannot be measured, with its reason among the warnings.

    Args:
        a: The analysis.
        warnings: Reasons are added here.
        kept: The draws behind the estimates are put here, by name, each shape (n_draws,).
    """
    kept = {} if kept is None else kept
    m, measured = a.moments, a.measured
    currency = a.loaded.parameters.about.currency
    found: dict[str, Estimate | None] = {}

    def add(name: str, draws: Floats | None, label: str, unit: str, arm: int | None, why: str) -> None:
        if draws is None or not np.isfinite(draws).all():
            found[name] = None
            warnings.append(f"{label}: not known, because {why}.")
            return
        kept[name] = draws
        found[name] = summarise(
            draws,
            label=label,
            unit=unit,
            # What rests on a stated baseline is no better known than that.
            evidence="sourced" if arm != 1 and measured.stand_in else measured.evidence,
            n=units_of(a, arm),
            unit_of_n=m.unit_kind,
        )

    scope = measured.scope()
    base, pilot = measured.arm_mean("human_minutes", 0), measured.arm_mean("human_minutes", 1)
    no_minutes = "no minutes were recorded" if measured.human is None else "one arm has no minutes"
    if m.cases("pilot") == 0:
        no_minutes = "no production case was worked with the agent"
    add("minutes_saved_per_case", scope.minutes_saved, "Minutes saved per case", "min/case", None, no_minutes)
    names = {"handling_minutes": "Handling", "review_minutes": "Review", "rework_minutes": "Rework"}
    for component in COMPONENTS:
        for arm, word in enumerate(ARMS):
            if component in m.statistics:
                draws = measured.arm_mean(component, arm)
                if draws is not None:
                    label = f"{names[component]} minutes per case, {word}"
                    add(f"{component}_{word}", draws, label, "min/case", arm, "")
                else:
                    found[f"{component}_{word}"] = None
    add("human_minutes_baseline", base, "Human minutes per case without the agent", "min/case", 0, no_minutes)
    add("human_minutes_pilot", pilot, "Human minutes per case with the agent", "min/case", 1, no_minutes)
    ratio = (
        scope.minutes_saved / base
        if scope.minutes_saved is not None and base is not None and (base > 0).all()
        else None
    )
    why = (
        no_minutes
        if scope.minutes_saved is None
        else "the minutes without the agent are too uncertain to divide by"
    )
    add("relative_time_saved", ratio, "Share of human time saved", "share", None, why)
    for arm, word in enumerate(ARMS):
        why = f"no {word} case has an outcome"
        values = scope.error_rate[arm] if scope.segments else None
        values = _own(a, measured.rates.error[arm]) if values is None else values
        if arm == 0 and measured.errors_stated:
            found["error_rate_baseline"] = _stated(a, "error_rate", values, "Error rate, baseline")
            kept |= {} if values is None else {"error_rate_baseline": values}
            continue
        add(f"error_rate_{word}", values, f"Error rate, {word}", "share", arm, why)
    before, after = scope.error_rate
    avoided = None if before is None or after is None else before - after
    why = "an arm has no outcomes, or no kind of case was sampled in both"
    add("errors_avoided_per_case", avoided, "Errors avoided per case", "share", None, why)
    escalated = _own(a, measured.rates.escalated)
    why = "no pilot case has an outcome"
    if m.sourced and m.labels != "none":
        why = "the report does not count escalations"
    add("escalation_rate_pilot", escalated, "Escalated or abandoned cases, pilot", "share", 1, why)
    handed_over = a.assumptions.get("samples.baseline.escalation_rate")
    if handed_over is not None and m.cases("baseline") == 0:
        draws = np.broadcast_to(handed_over, (measured.draws,))
        label = "Escalated cases, baseline"
        found["escalation_rate_baseline"] = _stated(a, "escalation_rate", draws, label)
    cost = scope.agent_cost
    if cost is None and measured.agent_cost is not None:
        cost = _own(a, measured.agent_cost)
    why = "the log does not say what the agent cost"
    if measured.unpriced:
        why = f"no exchange rate is stated for {', '.join(measured.unpriced)}"
    add("agent_cost_per_case", cost, "Agent cost per case", f"{currency}/case", 1, why)
    for arm, word, minutes in ((0, "baseline", base), (1, "pilot", pilot)):
        rate = scope.error_rate[arm] if scope.segments else None
        rate = _own(a, measured.rates.error[arm]) if rate is None else rate
        draws = None
        agent = cost if arm == 1 else 0.0
        if minutes is not None and rate is not None and agent is not None and a.economics.labour is not None:
            draws = (minutes * a.economics.labour / 60 + agent) / np.maximum(1 - rate, 1e-9)
        label = f"Cost of a case without error, {word}"
        why = "its minutes, its error rate, the agent's cost or the labour cost are not known"
        add(f"cost_per_correct_case_{word}", draws, label, f"{currency}/case", arm, why)
    result: dict[str, dict[str, Any] | None] = {k: None if v is None else plain(v) for k, v in found.items()}
    result["cost_per_correct_case"] = result["cost_per_correct_case_pilot"]
    result["severe_error_rate_pilot"] = _severe(a, warnings)
    result["geometric_time_ratio"] = _geometric(a)
    if m.if_zero is not None:
        _both_readings(a, result, warnings)
    return result


def _stated(a: Analysis, key: str, draws: Floats | None, label: str) -> Estimate | None:
    """A rate of the baseline that was stated: no unit stands behind it."""
    given = getattr(a.loaded.parameters.samples.baseline, key)
    if draws is None or given is None:
        return None
    return summarise(draws, label=label, unit="share", evidence=given.evidence, n=0, unit_of_n="case")


def _own(a: Analysis, values: Floats) -> Floats | None:
    """Mean over the segments that have a value, weighted to production; shapes (segments, n_draws) to (n_draws,)."""
    known = np.isfinite(values).all(axis=1) & (a.measured.weights.share > 0)
    share = a.measured.weights.share[known]
    return weighted(share / share.sum(), values[known]) if known.any() else None


def plain(estimate: Estimate) -> dict[str, Any]:
    """An estimate as the record holds it."""
    found = asdict(estimate)
    if found["upper"] is None:
        del found["upper"]
    return found


def _severe(a: Analysis, warnings: list[str]) -> dict[str, Any] | None:
    found = severe_errors(a.moments, np.ones(len(a.moments.segments), dtype=bool))
    if found.n == 0:
        warnings.append("Severe errors with the agent: not known, because no pilot case has an outcome.")
        return None
    return {
        "label": "Severe errors with the agent",
        "mean": found.rate,
        "p05": found.lower,
        "p50": found.rate,
        "p95": found.upper,
        "upper": found.upper,
        "unit": "share",
        "evidence": a.measured.evidence,
        "n": found.n,
        "unit_of_n": "case",
    }


def _geometric(a: Analysis) -> dict[str, Any] | None:
    spread = a.moments.spread
    if {"baseline", "pilot"} - set(spread):
        return None
    base, pilot = spread["baseline"].log_mean, spread["pilot"].log_mean
    if base is None or pilot is None:
        return None
    return {
        "label": "Time of a typical case, with the agent over before (geometric ratio, as sampled; no money uses it)",
        "mean": float(np.exp(pilot - base)),
        "p05": None,
        "p50": None,
        "p95": None,
        "unit": "ratio",
        "evidence": a.measured.evidence,
        "n": units_of(a),
        "unit_of_n": a.moments.unit_kind,
    }


def _both_readings(a: Analysis, result: dict[str, dict[str, Any] | None], warnings: list[str]) -> None:
    """Where blanks are not declared: what would be saved, were they read as 0."""
    m = a.moments
    assert m.if_zero is not None
    means = []
    for arm in (0, 1):
        total = np.zeros(len(m.segments))
        n = np.zeros(len(m.segments))
        rows = m.arm == arm
        np.add.at(total, m.segment[rows], m.if_zero[rows, 0])
        np.add.at(n, m.segment[rows], m.if_zero[rows, 1])
        share = np.where(n > 0, a.measured.weights.share, 0.0)
        means.append(
            float((share * total / np.maximum(n, 1)).sum() / share.sum()) if share.sum() > 0 else None
        )
    columns = ", ".join(f"{c} ({n})" for c, n in sorted(a.samples.undeclared_blanks.items()))
    saved = result["minutes_saved_per_case"]
    if means[0] is None or means[1] is None:
        return
    other = means[0] - means[1]
    first = "not known" if saved is None else f"{saved['mean']:.2f} minutes a case are saved"
    warnings.append(
        f"Blank cells are not declared in {columns}: read as missing, {first}; read as 0, {other:.2f}. "
        "Declare blank: zero or blank: missing."
    )
    result["minutes_saved_per_case_if_blank_is_zero"] = {
        "label": "Minutes saved per case, were blank cells 0",
        "mean": other,
        "p05": None,
        "p50": None,
        "p95": None,
        "unit": "min/case",
        "evidence": a.measured.evidence,
        "n": units_of(a),
        "unit_of_n": m.unit_kind,
    }


def by_segment(a: Analysis) -> list[dict[str, Any]]:
    """What was measured in each segment."""
    m, measured = a.moments, a.measured
    if m.segments == (ALL,):
        return []
    saved = measured.saved_by_segment()
    pooled, shrinkage = pooled_by_segment(measured)
    worth = {o.scope.segments: o.mean() for o in a.segments if o.scope is not None}
    rows: list[dict[str, Any]] = []
    for s, name in enumerate(m.segments):
        inside = m.segment == s
        units = [int(np.unique(m.unit[inside & (m.arm == arm)]).size) for arm in (0, 1)]

        def est(draws: Floats | None, label: str, unit: str, n: int) -> dict[str, Any] | None:
            if draws is None or not np.isfinite(draws).all():
                return None
            return plain(
                summarise(
                    draws, label=label, unit=unit, evidence=measured.evidence, n=n, unit_of_n=m.unit_kind
                )
            )

        rows.append(
            {
                "segment": name,
                "share": float(measured.weights.share[s]),
                "n_baseline": int(m.n[inside & (m.arm == 0)].sum()),
                "n_pilot": int(m.n[inside & (m.arm == 1)].sum()),
                "covered": bool(measured.covered()[s]),
                "minutes_saved": est(
                    None if saved is None else saved[s], "Minutes saved per case", "min/case", min(units)
                ),
                "minutes_saved_pooled": est(
                    None if pooled is None else pooled[s],
                    "Minutes saved per case, partially pooled",
                    "min/case",
                    min(units),
                ),
                "shrinkage": shrinkage[s],
                "error_rate_baseline": est(
                    measured.rates.error[0, s], "Error rate, baseline", "share", units[0]
                ),
                "error_rate_pilot": est(measured.rates.error[1, s], "Error rate, pilot", "share", units[1]),
                "escalation_rate_pilot": est(
                    measured.rates.escalated[s], "Escalated or abandoned cases, pilot", "share", units[1]
                ),
                "agent_cost": est(
                    None if measured.agent_cost is None else measured.agent_cost[s],
                    "Agent cost per case",
                    f"{a.loaded.parameters.about.currency}/case",
                    units[1],
                ),
                "worth_scale": worth.get((name,)),
                "worth_scale_why": None if (name,) in worth else why_not_alone(measured, name),
            }
        )
    for name, share in measured.weights.uncovered.items():
        if name not in m.segments:
            rows.append(
                {
                    "segment": name,
                    "share": float(share),
                    "n_baseline": 0,
                    "n_pilot": 0,
                    "covered": False,
                    "minutes_saved": None,
                    "minutes_saved_pooled": None,
                    "shrinkage": None,
                    "error_rate_baseline": None,
                    "error_rate_pilot": None,
                    "escalation_rate_pilot": None,
                    "agent_cost": None,
                    "worth_scale": None,
                    "worth_scale_why": why_not_alone(measured, name),
                }
            )
    return rows


def pooled_by_segment(measured: Measured) -> tuple[Floats | None, list[float | None]]:
    """Minutes saved by segment, drawn towards the mean of all, and how far each was drawn.

    Args:
        measured: What was measured.

    Returns:
        Draws, shape (segments, n_draws), and by segment the share of its distance from the common mean that was taken
        away: 0 leaves it as measured, 1 leaves nothing of its own; None where it cannot be seen.
    """
    pooled = measured.saved_by_segment(pooled=True)
    kept = measured.own_share_of_segments()
    if pooled is None or kept is None:
        return pooled, [None] * len(measured.moments.segments)
    shrinkage = [None if np.isnan(x) else float(1 - x) for x in kept]
    return pooled, shrinkage
