"""Benefits month by month beside the forecast, what explains the difference, and whether the verdict holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from roi import words
from roi.actual_rows import ActualRow, open_actuals, rows_of
from roi.actuals import Actuals, in_words, rates_of, settle
from roi.analysis import Decided
from roi.apart import ROWS, Over, over, take_apart
from roi.decided import Basis, basis_of
from roi.forecast import Forecast, band, bands, forecast_of, quantities
from roi.learnt import Learnt, learn
from roi.parameters import LoadedParameters, Parameters
from roi.pilot import Pilot
from roi.plausible import implausible
from roi.problems import Problem, SampleError
from roi.shown import ratios_of, scored, shown_of, shown_words

__all__ = ["LABELS", "realised_of_archive", "realised_of_pilot", "realised_of_record"]

Floats = npt.NDArray[np.float64]

LABELS = {
    "volume": "More or fewer cases",
    "adoption": "Share of cases that the agent works",
    "minutes": "Human minutes a case",
    "errors": "Errors",
    "price": "What the agent costs a case",
    "cash": "Cash released for the hours saved",
}
HELD = (
    "The cost of an hour, of an error and the time that a case takes without the agent are held as decided."
)
FAR = 20.0  # times as many minutes a case as were forecast, or as few, are another unit and no news


def realised_of_pilot(
    pilot: Pilot, *, reports: Path | None = None, today: dt.date | None = None
) -> dict[str, Any] | None:
    """What became of a pilot's decision.

    Args:
        pilot: The opened pilot, whose parameter file names its actuals.
        reports: The folder of all reports, where the decision and its archive lie; None without one.
        today: Months that are not over by then do not count.

    Returns:
        As `realised_of_record`; None where the parameter file names no actuals.

    Raises:
        SampleError: If the actuals must be mended.
    """
    parameters = pilot.loaded.parameters
    rows = rows_of(pilot.samples, parameters.about.currency)
    if not rows:
        return None
    folder = None if reports is None else reports / parameters.pilot
    basis = basis_of(pilot, folder, min(row.month for row in rows))
    if basis.decided is None:
        return _unknown(basis, basis.says)
    return realised_of_record(
        basis.decided, rows, parameters=parameters, basis=basis, today=today, file=pilot.loaded.name
    )


def realised_of_archive(
    loaded: LoadedParameters, reports: Path, *, today: dt.date | None = None
) -> dict[str, Any]:
    """As `realised_of_pilot`, where the samples of the decision are gone: from its archive and the actuals alone.

    Args:
        loaded: The checked parameters.
        reports: The folder of all reports.
        today: Months that are not over by then do not count.

    Raises:
        SampleError: If the actuals must be mended, or the file names none.
    """
    parameters = loaded.parameters
    folder = reports / parameters.pilot
    segments = tuple(parameters.demand.mix or ())
    rows = rows_of(open_actuals(loaded, segments), parameters.about.currency)
    basis = basis_of(None, folder, min((row.month for row in rows), default=None))
    if basis.decided is None:
        return _unknown(basis, basis.says)
    return realised_of_record(
        basis.decided, rows, parameters=parameters, basis=basis, today=today, file=loaded.name
    )


def realised_of_record(
    a: Decided,
    rows: Sequence[ActualRow],
    *,
    parameters: Parameters | None = None,
    basis: Basis | None = None,
    today: dt.date | None = None,
    file: str = "",
) -> dict[str, Any]:
    """Hold months against the forecast of a decision.

    Args:
        a: The decision, from its samples or its archive.
        rows: Of the table of actuals.
        parameters: Those of today, for exchange rates; the decision's unless given.
        basis: Which decision it is.
        today: Months that are not over by then do not count.
        file: The parameter file, for messages.

    Returns:
        Plain JSON values. `state` is known, too_early (no month counts yet) or unknown (there is no forecast).

    Raises:
        SampleError: If the rows must be mended.
    """
    forecast = forecast_of(a, instead=None if basis is None else basis.instead)
    if forecast is None:
        return _unknown(
            basis, "The worth of the roll-out was not known, so there is no forecast to hold months against."
        )
    found = settle(
        rows,
        start=forecast.start,
        horizon=forecast.horizon,
        currency=forecast.currency,
        rates=rates_of(a.loaded.parameters if parameters is None else parameters, forecast.currency),
        segments=None if not forecast.segments else forecast.segments,
        today=today,
        file=file,
    )
    head = _head(forecast, found, basis)
    planned = bands(forecast, covered_only=found.by_segment)
    if not found.months:
        why = "No month counts yet, so nothing can be held against the forecast."
        return {**head, "state": "too_early", "why": why, "months": _plan(planned)}
    held = over(forecast, found.months, covered_only=found.by_segment)
    _refuse_other_units(forecast, held, file)
    learnt = learn(forecast, found.months, covered_only=found.by_segment)
    whole = take_apart(forecast, held)
    benefit = held.benefit()
    actual = _reported(held, benefit)
    shown = shown_of(forecast, found.months, covered_only=found.by_segment)
    by_month = {
        m.month: {**actual[i], "shown": scored(shown[i], benefit[i], [m]), "difference": whole.months[i]}
        for i, m in enumerate(held.months)
    }
    together = _together(forecast, held, benefit, shown)
    names = [name for name in ROWS if held.reported[name] > 0]
    return {
        **head,
        "state": "known",
        "why": None,
        "reported": names,
        "not_reported": _not_reported(forecast, held),
        "held": HELD,
        "months": [{**p, "actual": by_month.get(str(p["month"]))} for p in _plan(planned)],
        "cumulative": together,
        "difference": [
            {
                "factor": name,
                "label": LABELS[name],
                "amount": whole.total[name],
                "months_reported": held.reported[name],
            }
            for name in ROWS
        ],
        "whole": whole.whole,
        "implausible": implausible(forecast, held),
        "text": _text(forecast, together, whole.total),
        "updated": _updated(forecast, learnt, found),
    }


def _unknown(basis: Basis | None, why: str) -> dict[str, Any]:
    return {"state": "unknown", "why": why, "decision": _decision(basis)}


def _decision(basis: Basis | None) -> dict[str, Any] | None:
    if basis is None:
        return None
    return {"as_of": basis.as_of, "signed": basis.signed, "says": basis.says}


def _head(forecast: Forecast, found: Actuals, basis: Basis | None) -> dict[str, Any]:
    return {
        "decision": _decision(basis),
        "label": forecast.label,
        "verdict": forecast.verdict,
        "segments": list(forecast.segments),
        "by_segment": found.by_segment,
        "currency": forecast.currency,
        "left_out": [{"month": month, "why": why} for month, why in found.left_out],
        "missing": list(found.missing),
        "restated": [
            {"month": month, "segment": segment, "rows": list(rows), "counts": rows[-1]}
            for month, segment, rows in found.restated
        ],
        "notes": in_words(found),
    }


def _plan(planned: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "month": p["month"],
            "number": p["number"],
            "forecast": {k: v for k, v in p.items() if k not in ("month", "number", "cumulative")},
            "cumulative": p["cumulative"],
            "actual": None,
        }
        for p in planned
    ]


def _reported(held: Over, benefit: Floats) -> list[dict[str, Any]]:
    """What each month showed; None where it did not."""
    found = []
    for i, m in enumerate(held.months):
        shown = m.human_minutes is not None and m.adopted_cases is not None
        found.append(
            {
                "cases": m.cases,
                "adopted_cases": m.adopted_cases,
                "hours_saved": band(held.brought.hours[i]) if shown else None,
                "errors": m.errors,
                "agent_cost": m.cost,
                "cash_released": m.cash_released,
                "benefit": band(benefit[i]),
            }
        )
    return found


def _together(forecast: Forecast, held: Over, benefit: Floats, shown: Floats) -> dict[str, Any]:
    """All months that count, against the same months of the forecast."""
    planned = quantities(forecast, held.forecast)
    sums: dict[str, Any] = {
        name: _sum([getattr(m, column) for m in held.months])
        for name, column in (
            ("cases", "cases"),
            ("adopted_cases", "adopted_cases"),
            ("errors", "errors"),
            ("agent_cost", "cost"),
            ("cash_released", "cash_released"),
        )
    }
    timed = all(m.human_minutes is not None and m.adopted_cases is not None for m in held.months)
    sums["hours_saved"] = band(held.brought.hours.sum(axis=0)) if timed else None
    score = scored(shown.sum(axis=0), benefit.sum(axis=0), held.months)
    return {
        "months": len(held.months),
        "forecast": {name: band(each.sum(axis=0)) for name, each in planned.items()},
        "actual": {**sums, "benefit": band(benefit.sum(axis=0))},
        "shown": score,
        "ratios": ratios_of(forecast, held),
        **{name: score[name] for name in ("inside", "below", "crps")},
    }


def _sum(values: Sequence[float | None]) -> float | None:
    known = [x for x in values if x is not None]
    return float(sum(known)) if len(known) == len(values) else None


def _not_reported(forecast: Forecast, held: Over) -> list[dict[str, Any]]:
    found = []
    for name in ROWS:
        months = len(held.months) - held.reported[name]
        if months <= 0:
            continue
        why = "not reported, so held at its forecast"
        if name == "errors" and forecast.errors is None:
            why = "not known or not priced in the decision, so it is in no benefit"
        elif name == "cash":
            why = "not reported, so hours saved count as the decision says they are realised"
        elif name in ("minutes", "errors", "price") and any(m.adopted_cases is None for m in held.months):
            why = "cannot be told without adopted_cases, so held at its forecast"
        found.append({"factor": name, "label": LABELS[name], "months": months, "why": why})
    return found


def _refuse_other_units(forecast: Forecast, held: Over, file: str) -> None:
    said = float(np.mean(forecast.minutes))
    odd = [
        (m, m.human_minutes / m.adopted_cases)
        for m in held.months
        if m.human_minutes
        and m.adopted_cases
        and said > 0
        and not said / FAR <= m.human_minutes / m.adopted_cases <= said * FAR
    ]
    if odd:
        month, each = odd[0]
        message = (
            f"{words.number(each)} minutes a case in {month.month}, where {words.number(said)} were forecast; "
            "write the sum over the adopted cases of the month, in minutes or with its unit (unit: hours, say)"
        )
        raise SampleError([Problem(file, "samples.actuals.human_minutes", message)])


def _text(forecast: Forecast, together: Mapping[str, Any], total: Mapping[str, float]) -> str:
    came, shown = together["actual"]["benefit"], together["shown"]
    said, currency = shown["forecast"], forecast.currency
    planned = together["forecast"]["benefit"]["mean"]  # as the picture adds it up
    where = "inside" if shown["inside"] else "outside"
    largest = max(total, key=lambda name: abs(total[name]))
    why = f"; most of the difference is {LABELS[largest].lower()}" if abs(total[largest]) > 0 else ""
    names = shown_words(shown["of"])
    return (
        f"{words.plural(together['months'], 'month')} brought {words.amount(came['mean'], currency)} by what they show "
        f"({names}), where {words.amount(planned, currency)} were forecast, 8 in 10 outcomes of these alone "
        f"{words.amounts_between(said['p10'], said['p90'], currency)}: {where} that range{why}."
    )


def _updated(forecast: Forecast, learnt: Learnt, found: Actuals) -> dict[str, Any]:
    """The forecast as it stands now, and whether the verdict does."""
    now = learnt.forecast
    held = over(now, found.months, covered_only=found.by_segment)
    realised = {m.number: brought for m, brought in zip(found.months, held.benefit(), strict=True)}
    last = max(realised)
    before, after = forecast.worth(), now.worth(realised)
    going_on = now.worth(after=last) if last < forecast.horizon else None
    chance = float(np.mean(before > forecast.hurdle)), float(np.mean(after > forecast.hurdle))
    on = None if going_on is None else float(np.mean(going_on > 0))
    holds, said = _holds(forecast, chance, on, after, going_on)
    stops = holds is False and on is not None and on <= forecast.stops_at
    few = ""
    if learnt.shifted:
        least = min(learnt.effective.values())
        names = words.and_list(LABELS[name].lower() for name in learnt.shifted)
        few = (
            f" Only {least:,.0f} of {forecast.n:,} draws are near these months, too few to weigh them: {names} are "
            "moved and narrowed by the normal rule instead."
        )
    if learnt.far:
        names = words.and_list(LABELS[name].lower() for name in learnt.far)
        few += f" Further off than 19 of 20 forecasts would be: {names}; state what it rests on anew."
    return {
        "how": "shift" if learnt.shifted else "weights",
        "shifted": list(learnt.shifted),
        "effective_draws": dict(learnt.effective),
        "draws": forecast.n,
        "factors": list(learnt.factors),
        "far": list(learnt.far),
        "months": [
            {"month": p["month"], "number": p["number"], "benefit": p["benefit"]}
            for p in bands(now, covered_only=found.by_segment)
            if p["number"] > last
        ],
        "worth": {"before": band(before), "now": band(after)},
        "going_on": None if going_on is None else band(going_on),
        "chances": {"before": chance[0], "now": chance[1], "going_on": on, "needed": forecast.needed},
        "holds": holds,
        "stops": stops,
        "text": said + few,
    }


def _holds(
    forecast: Forecast,
    chance: tuple[float, float],
    on: float | None,
    worth: Floats,
    going_on: Floats | None,
) -> tuple[bool | None, str]:
    if forecast.verdict == "kill":
        return None, "The decision was to stop; what follows is how scaling would have stood."
    named = {"scale": "to scale", "fix": "to fix, then scale"}[forecast.verdict]
    money = words.amount(float(np.mean(worth)), forecast.currency)
    now = f"it pays in {words.chance(chance[1])} outcomes, by {money} on average"
    if chance[1] >= forecast.needed or (
        forecast.verdict == "fix" and chance[1] >= min(chance[0], forecast.needed)
    ):
        return True, f"The decision {named} holds: {now}."
    said = (
        f"The decision {named} no longer holds: {now}, where {words.chance(chance[0])} were forecast and "
        f"{words.percent(forecast.needed)} are needed."
    )
    if on is None or going_on is None:
        return False, said
    rest = words.amount(float(np.mean(going_on)), forecast.currency)
    if on <= forecast.stops_at:
        return False, f"{said} Going on does not pay either ({words.chance(on)}, {rest} on average): stop."
    return (
        False,
        f"{said} What is spent is spent; going on from here pays in {words.chance(on)} outcomes, by {rest} on average.",
    )
