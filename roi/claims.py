"""What was claimed beside what was measured: difference, ratio, and the money that the claim would have meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.assumptions import Number
from roi.in_scope import drawn_in_scope, in_scope
from roi.money import summary
from roi.named import kind_words
from roi.schema.about import Claim
from roi.supposed import supposed, worth_if
from roi.words import number, shorten

__all__ = ["claims_of_record", "interval_of", "ratio_of"]

Floats = npt.NDArray[np.float64]
Estimates = Mapping[str, dict[str, Any] | None]

UNSTATED = "which kinds of cases the claim covers is not stated"
OF_SCALING = {
    "hours_saved_per_year": ("Hours saved a year at the adoption ceiling", "hours/year"),
    "cash_per_year": ("Cash released a year at the adoption ceiling", "{currency}/year"),
    "worth": ("Worth of scaling everything", "{currency}"),
}


def interval_of(draws: Floats) -> dict[str, float]:
    """Mean, P5 and P95 of draws, as the record holds them."""
    if draws[0] == draws[-1] and not np.ptp(draws) > 0:
        return dict.fromkeys(("mean", "p05", "p95"), float(draws[0]))
    p05, p95 = np.percentile(draws, [5, 95])
    return {"mean": float(draws.mean()), "p05": float(p05), "p95": float(p95)}


def ratio_of(claimed: Number, measured: Floats) -> tuple[dict[str, float] | None, str | None]:
    """Claimed over measured: the ratio of the means, with P5 and P95 of the draws' ratios; or None and why.

    The interval is that of Fieller (1954), in draws: it exists only where the sign of what was measured is sure.
    """
    p05, p95 = np.percentile(measured, [5, 95])
    if not (p05 > 0 or p95 < 0):
        return None, "what was measured may be 0, so that nothing can be divided by it"
    low, high = np.percentile(np.divide(claimed, measured), [5, 95])
    return {
        "mean": float(np.mean(claimed) / measured.mean()),
        "p05": float(low),
        "p95": float(high),
    }, None


def claims_of_record(a: Analysis, measured: Estimates, draws: Mapping[str, Floats]) -> list[dict[str, Any]]:
    """Every claim beside what was measured.

    Args:
        a: The analysis.
        measured: The estimates of the record.
        draws: The draws behind them, each shape (n_draws,).

    Returns:
        One item a claim, in the order of the parameter file; what cannot be told is None, with `why`.
    """
    return [_claim(a, i, claim, measured, draws) for i, claim in enumerate(a.loaded.parameters.claims)]


def _claim(
    a: Analysis, place: int, claim: Claim, measured: Estimates, draws: Mapping[str, Floats]
) -> dict[str, Any]:
    value = a.assumptions.require(f"claims[{place}].value")
    label, unit, found, n, unit_of_n = _measured(a, claim.quantity, measured, draws)
    low, high = _ends(found, measured.get(claim.quantity))
    mean = claim.value.mean
    position = None
    if low is not None and high is not None:
        position = "below" if mean < low else "above" if mean > high else "inside"
    entry = measured.get(claim.quantity)
    center = float(found.mean()) if found is not None else entry["mean"] if entry else None
    ratio, ratio_why = (None, "nothing was measured") if found is None else ratio_of(value, found)
    money, money_why = _money(a, claim.quantity, value, draws)
    scope, here = in_scope(a, claim.quantity), drawn_in_scope(a, claim.quantity)
    if scope is not None and here is not None:
        # Which kinds a claim covers cannot be stated: held against all of them, or against some, it would be judged
        # by cases that it need not be about.
        position, ratio, ratio_why = None, None, UNSTATED
        money, money_why, chance = None, UNSTATED, None
    else:
        chance = None if found is None else float(np.mean(found >= value))
    return {
        "quantity": claim.quantity,
        "claimed": mean,
        "measured": center,
        "by": claim.by,
        "source": claim.source,
        "kind": "self_report" if claim.is_self_report else "promise",
        "label": label,
        "unit": unit,
        "claimed_interval": {"mean": mean, "p05": claim.value.p05, "p95": claim.value.p95},
        "measured_interval": None
        if center is None
        else {"mean": center, "p05": low, "p95": high, "n": n, "unit_of_n": unit_of_n},
        "difference": None
        if found is None
        else interval_of(np.asarray(np.subtract(value, found), dtype=np.float64)),
        "ratio": ratio,
        "ratio_why": ratio_why,
        "position": position,
        "chance_at_least": chance,
        "money": money,
        "money_why": money_why,
        "in_scope": scope,
        "text": _said(claim, label, unit, center, low, high, position, scope),
    }


def _measured(
    a: Analysis, quantity: str, measured: Estimates, draws: Mapping[str, Floats]
) -> tuple[str, str, Floats | None, int | None, str | None]:
    """Label, unit, draws, independent units and what these are; draws are None where nothing was measured."""
    currency = a.loaded.parameters.about.currency
    if quantity in OF_SCALING:
        label, unit = OF_SCALING[quantity]
        found = None
        if a.scale is not None and a.scale.stream is not None:
            stream = a.scale.stream
            found = {
                "hours_saved_per_year": 12 * stream.hours,
                "cash_per_year": 12 * stream.time_cash,
                "worth": a.scale.worth,
            }[quantity]
        return label, unit.replace("{currency}", currency), found, None, None
    entry = measured.get(quantity)
    if entry is None:
        return quantity.replace("_", " ").capitalize(), "", None, None, None
    name = "cost_per_correct_case_pilot" if quantity == "cost_per_correct_case" else quantity
    return entry["label"], entry["unit"], draws.get(name), entry["n"], entry["unit_of_n"]


def _ends(found: Floats | None, entry: dict[str, Any] | None) -> tuple[float | None, float | None]:
    if found is not None:
        p05, p95 = np.percentile(found, [5, 95])
        return float(p05), float(p95)
    return (None, None) if entry is None else (entry["p05"], entry["p95"])


def _money(
    a: Analysis, quantity: str, value: Number, draws: Mapping[str, Floats]
) -> tuple[dict[str, Any] | None, str | None]:
    """Scaling everything if the claim held and all else were as measured, beside the measured worth."""
    if a.scale is None or a.scale.stream is None:
        return None, "the worth of scaling is not known"
    running = a.economics.monthly()
    per_year = np.asarray(12 * (a.scale.stream.net - running), dtype=np.float64)
    if quantity == "worth":
        promised = np.array(np.broadcast_to(value, per_year.shape), dtype=np.float64)
        of_year = None
    else:
        changes = _changes(a, quantity, value, draws)
        if changes is None:
            return None, "no sum of money rests on this quantity"
        option = worth_if(a.valuer, supposed(a.measured, **changes))
        if option is None or option.stream is None:
            return None, "the worth of scaling cannot be computed with it"
        promised, of_year = option.worth, np.asarray(12 * (option.stream.net - running), dtype=np.float64)
    return {
        "currency": a.loaded.parameters.about.currency,
        "promised": summary(promised),
        "measured": summary(a.scale.worth),
        "difference": summary(promised - a.scale.worth),
        "per_year": None
        if of_year is None
        else {
            "promised": summary(of_year),
            "measured": summary(per_year),
            "difference": summary(of_year - per_year),
        },
    }, None


def _changes(a: Analysis, quantity: str, value: Number, draws: Mapping[str, Floats]) -> dict[str, Any] | None:
    """What a claimed quantity puts in place of what was measured, for `supposed`; None where no money rests on it."""
    saved = draws.get("minutes_saved_per_case")
    arm = 1 if quantity.endswith("_pilot") else 0
    if quantity == "minutes_saved_per_case":
        return {"minutes_saved": value}
    if quantity == "relative_time_saved" and "human_minutes_baseline" in draws:
        return {"minutes_saved": np.multiply(value, draws["human_minutes_baseline"])}
    if "_minutes_" in quantity and saved is not None and quantity in draws:
        # The other parts of the time, and the other arm, stay as they are.
        shift = np.subtract(value, draws[quantity])
        return {"minutes_saved": saved - shift if arm else saved + shift}
    if quantity in ("error_rate_baseline", "error_rate_pilot"):
        return {"error_rate": (None, value) if arm else (value, None)}
    if quantity == "errors_avoided_per_case" and "error_rate_baseline" in draws:
        return {"error_rate": (None, np.subtract(draws["error_rate_baseline"], value))}
    if quantity == "agent_cost_per_case":
        return {"agent_cost": value}
    if quantity == "hours_saved_per_year" and saved is not None:
        e = a.economics
        assert a.scale is not None
        assert a.scale.scope is not None
        assert e.cases_per_month is not None
        cases = np.multiply(np.multiply(e.cases_per_month, e.ceiling), a.scale.scope.share)
        if (np.asarray(cases) > 0).all():
            return {"minutes_saved": np.divide(np.multiply(value, 60.0), 12 * cases)}
    return None


def _said(
    claim: Claim,
    label: str,
    unit: str,
    center: float | None,
    low: float | None,
    high: float | None,
    position: str | None,
    scope: Mapping[str, Any] | None,
) -> str:
    what = label[:1].lower() + label[1:]
    by = shorten(claim.by or "Somebody", 60)
    said = f"{by[:1].upper()}{by[1:]} {'reported' if claim.is_self_report else 'claimed'} {claim.value.text}"
    said += f" {unit} ({what})" if unit else f" ({what})"
    if center is None:
        return f"{said}; it was not measured."
    if scope is not None:
        kinds = kind_words(scope["segments"])
        return (
            f"{said}; measured: {number(scope['mean'])} in {kinds}, {number(center)} over all kinds of cases."
        )
    if low is None or high is None or position is None:
        return f"{said}; {number(center)} was measured."
    where = {
        "inside": "which is inside",
        "above": "which is above",
        "below": "which is below",
    }[position]
    return f"{said}, {where} what was measured: {number(center)}, {number(low)} to {number(high)}."
