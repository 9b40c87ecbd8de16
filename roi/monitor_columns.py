"""What of a case is watched, in SQL: its errors, minutes, cost and inputs, each with the cases of which it is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from roi.moments import COMPONENTS, fetch
from roi.problems import Problem, SampleError
from roi.readers.base import literal
from roi.relation import Relation
from roi.words import plural

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["BY_LABEL", "DEFECTS", "half_labelled", "imputed", "refuse_far_days", "watched_columns"]

DEFECTS = "defective_inputs"
# What the outcome of a case tells.
BY_LABEL = ("severe_error_rate_pilot", "error_rate_pilot", "escalation_rate_pilot", "error_cost_per_case")
USUAL, NEARLY = (
    0.75,
    0.9,
)  # the quantile of days that says how much is usually labelled; the part of it that is enough
Floats = npt.NDArray[np.float64]
FAR = 366  # days without a case between two parts of a stream: the smaller one is taken for mistyped


def watched_columns(
    samples: Samples,
    cases: Relation,
    present: set[str],
    *,
    selection: str,
    currency: str | None,
    rates: Mapping[str, float],
    error_costs: Mapping[str, float] | None = None,
) -> tuple[dict[str, tuple[str, str]], dict[str, str], list[str]]:
    """What of a case is watched.

    Args:
        samples: The opened samples.
        cases: The fresh cases.
        present: Their columns.
        selection: How people chose the cases they labelled.
        currency: The pilot's.
        rates: Currency → what one of it is worth in the pilot's.
        error_costs: Severity (or "" where none is given) → what an error of it costs; None where that is not known.

    Returns:
        By measure SQL of a case's weight (0 where it is not known) and of its value times the weight; measure → why it
        is not known; and what a reader should know.
    """
    found: dict[str, tuple[str, str]] = {}
    unknown: dict[str, str] = {}
    warnings: list[str] = []
    weight, why = _label_weight(present, selection)
    if why is not None:
        unknown |= dict.fromkeys(BY_LABEL, why)
    else:
        bad = "outcome = 'error'"
        severe = f"{bad} and coalesce(severity, 'major') in ('major', 'critical')"
        hits = {"error_rate_pilot": bad, "escalation_rate_pilot": "outcome in ('escalated', 'abandoned')"}
        if "severity" in present:
            hits = {"severe_error_rate_pilot": severe, **hits}
        else:
            unknown["severe_error_rate_pilot"] = (
                "the cases carry no severity (samples.cases.columns.severity)"
            )
        found |= {
            name: (weight, f"case when coalesce({hit}, false) then {weight} else 0 end")
            for name, hit in hits.items()
        }
        if error_costs is None:
            unknown["error_cost_per_case"] = "the decision does not say what an error costs"
        else:
            found["error_cost_per_case"] = (weight, _error_cost(bad, weight, present, error_costs))
    components = [c for c in COMPONENTS if c in present]
    if components:
        known = " and ".join(f"{c} is not null" for c in components)
        human = " + ".join(f"coalesce({c}, 0)" for c in components)
        counts = f"({known} or {imputed(present)})"
        found["human_minutes_pilot"] = (
            f"({counts})::int",
            f"case when {counts} then ({human})::decimal(18,6) end",
        )
    else:
        unknown["human_minutes_pilot"] = "the cases carry no minutes (samples.cases.columns)"
    cost, why, said = _cost(samples, cases, present, currency, rates)
    warnings += said
    if why is not None:
        unknown["agent_cost_per_case"] = why
    else:
        found["agent_cost_per_case"] = (f"(({cost}) is not null)::int", cost)
    if "input_defects" in present:
        found[DEFECTS] = ("(input_defects is not null)::int", "coalesce(input_defects > 0, false)::int")
    return found, unknown, warnings


def _error_cost(bad: str, weight: str, present: set[str], costs: Mapping[str, float]) -> str:
    """SQL of what a case's error costs, times what the case weighs."""
    priced = {name: f"{cost!r}::decimal(18,6)" for name, cost in costs.items()}
    each = priced[""]
    if "severity" in present:
        told = " ".join(f"when {literal(name)} then {cost}" for name, cost in sorted(priced.items()) if name)
        each = f"case severity {told} else {each} end"
    return f"case when coalesce({bad}, false) then {weight} * ({each}) else 0 end"


def _label_weight(present: set[str], selection: str) -> tuple[str, str | None]:
    """SQL of what a labelled case weighs; or why the labelled cases do not stand for all of them."""
    if "outcome" not in present:
        return "0", "the cases carry no outcome (samples.cases.columns.outcome)"
    told = "outcome is not null"
    if "label_source" in present:
        told += " and coalesce(label_source, 'human') <> 'judge'"
    if "label_probability" in present and selection in ("random", "risk_based"):
        chance = "label_probability is not null and label_probability > 0"
        return f"case when {told} and {chance} then (1 / label_probability)::decimal(18,6) else 0 end", None
    if selection in ("all", "random"):
        return f"({told})::int", None
    return "0", (
        "nobody says how the labelled cases were chosen, so that their errors do not stand for all cases "
        "(samples.labels.selection, or label_probability by case)"
    )


def half_labelled(labelled: Floats, cases: Floats) -> npt.NDArray[np.bool_]:
    """Days of which a part of the cases is labelled so far, where on other days all are or nearly as many as ever.

    Bad cases are often told first, by complaints, and right results confirmed later: what is labelled of such a day
    does not stand for the day.

    Args:
        labelled: Labelled cases of each day, shape (days,).
        cases: All cases of each day, shape (days,).
    """
    share = np.divide(labelled, cases, out=np.zeros(cases.size), where=cases > 0)
    some = share > 0
    if not some.any():
        return some
    usual = float(np.quantile(share[some], USUAL))
    return np.asarray(some & (share < NEARLY * usual))


def imputed(present: set[str]) -> str:
    """SQL of a case that was handed over and of which nobody logged who took it; as in the moments."""
    if "outcome" not in present or not {"handling_minutes", "rework_minutes"} & present:
        return "false"
    log = "rework_minutes" if "rework_minutes" in present else "handling_minutes"
    return f"(coalesce(outcome in ('escalated', 'abandoned'), false) and coalesce({log}, 0) = 0)"


def _cost(
    samples: Samples, cases: Relation, present: set[str], currency: str | None, rates: Mapping[str, float]
) -> tuple[str, str | None, list[str]]:
    """SQL of a case's cost in the pilot's currency; or why it is not known."""
    if "agent_cost" not in present:
        return "", "the cases carry no agent cost (samples.cases.columns.agent_cost, or a join)", []
    if "cost_currency" not in present:
        return "agent_cost", None, []
    query = (
        f"select coalesce(cost_currency, ''), count(*) from {cases.sql} where agent_cost is not null "
        "group by 1 order by 1"
    )
    counted = {str(name): int(n) for name, n in fetch(samples, query)}
    lost = {c: n for c, n in counted.items() if c not in ("", currency) and c not in rates}
    said = [
        f"{plural(n, 'case')} have an agent cost in {c}, which is unknown here: state economics.fx.{c}"
        for c, n in lost.items()
    ]
    if lost and len(lost) == len(counted):
        first = min(lost)
        return "", f"it is logged in {first}; state economics.fx.{first}", []
    worth = " ".join(
        f"when cost_currency = {literal(c)} then agent_cost * {rates[c]!r}::decimal(18,9)"
        for c in sorted(rates)
        if c in counted and c != currency
    )
    own = f"cost_currency is null or cost_currency = {literal(currency or '')}"
    return f"case when {own} then agent_cost {worth} end", None, said


def refuse_far_days(samples: Samples, cases: Relation) -> None:
    """Refuse cases more than a year from the rest: a mistyped year would be the last day of all.

    Args:
        samples: The opened samples.
        cases: The fresh cases, with `day_`.

    Raises:
        SampleError: Where more than a year without a case lies between two parts of them.
    """
    found = fetch(samples, f"select day_, count(*) from {cases.sql} group by 1 order by 1")
    parts: list[list[tuple[dt.date, int]]] = []
    for day, n in found:
        if not parts or (day - parts[-1][-1][0]).days > FAR:
            parts.append([])
        parts[-1].append((day, int(n)))
    if len(parts) < 2:
        return
    most = max(parts, key=lambda part: sum(n for _, n in part))
    odd = [row for part in parts if part is not most for row in part]
    named = ", ".join(day.isoformat() for day, _ in odd[:3]) + (" …" if len(odd) > 3 else "")
    n = sum(n for _, n in odd)
    message = (
        f"{plural(n, 'case')} {'is' if n == 1 else 'are'} dated {named}, more than a year from the others "
        f"({most[0][0].isoformat()} to {most[-1][0].isoformat()}); correct the dates, or leave these rows out (after a "
        "pause that long: name the first day of what is to be watched with --since)"
    )
    time = "started_at" if "started_at" in samples.tables["cases"].columns else "ended_at"
    raise SampleError([Problem("cases", f"samples.cases.{time}", message)])
