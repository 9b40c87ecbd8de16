"""The two sides of a comparison, opened: two pilots, or two versions of one agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.advice import headline
from roi.analysis import Analysis, analyse
from roi.candidates import candidate_of
from roi.estimates import estimates
from roi.matched import CaseRows, case_rows
from roi.moments import fetch
from roi.parameters import LoadedParameters, load_parameters
from roi.problems import InputError, ParameterError, Problem
from roi.samples import open_samples
from roi.schema.portfolio import PORTFOLIO_FILE, read_portfolio

__all__ = ["ERRORS_MONEY", "Side", "two_sides"]

ERRORS_MONEY = "money of errors a case"  # of the draws; it is not shown

KEPT = (
    ERRORS_MONEY,
    "minutes_saved_per_case",
    "human_minutes_pilot",
    "error_rate_pilot",
    "severe_error_rate_pilot",
    "escalation_rate_pilot",
    "errors_avoided_per_case",
    "agent_cost_per_case",
    "cost_per_correct_case_pilot",
    "worth_scale",
    "worth_advised",
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two.

    Attributes:
        name: How it is called: a pilot, or a pilot and its version.
        analysis: Its analysis.
        record: Of its record what is shown.
        rows: Its cases, under pseudonyms that both sides share; None of a report's sums.
        draws: By quantity, each shape (n_draws,), in its own currency.
        rate: Worth of one unit of its currency in that of the comparison.
    """

    name: str
    analysis: Analysis
    record: Mapping[str, Any]
    rows: CaseRows | None
    draws: Mapping[str, Floats]
    rate: float = 1.0


def two_sides(names: Sequence[str], *, by: str | None = None) -> tuple[Side, Side]:
    """Open two pilots, or two versions of one.

    Args:
        names: Two pilots; or with `by="version"` one pilot and two versions, or one pilot alone for its newest two.
        by: None or "version".

    Raises:
        InputError: With everything that stands against a comparison, and how to mend it.
    """
    if by == "version":
        loaded, versions = _versions(names)
        pilot = loaded.parameters.pilot
        one, other = (_side(_of_version(loaded, v), f"{pilot} {v}", loaded) for v in versions)
        return one, other
    if len(names) != 2:
        message = "name two pilots; two versions of one agent are compared with --by version"
        raise ParameterError([Problem("roi compare", " ".join(names)[:80], message)])
    found: list[LoadedParameters] = []
    problems: list[Problem] = []
    for name in names:
        try:
            found.append(load_parameters(name))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    first, second = found
    rate = _rate(first, second)
    one, other = (_side(x, x.parameters.pilot, first) for x in found)
    return one, replace(other, rate=rate)


def _versions(names: Sequence[str]) -> tuple[LoadedParameters, tuple[str, str]]:
    if len(names) not in (1, 3):
        message = (
            "name one pilot, and after it two versions or none: roi compare claims_intake v2 v3 --by version"
        )
        raise ParameterError([Problem("roi compare", " ".join(names)[:80], message)])
    loaded = load_parameters(names[0])
    if len(names) == 3:
        return loaded, (names[1], names[2])
    samples = open_samples(_of_version(loaded, "all"))
    table = samples.tables.get("cases")
    place = "samples.cases"
    if table is None or "version" not in table.columns:
        message = "the cases carry no version of the agent; map a column to `version`, or compare two pilots"
        raise ParameterError([Problem(loaded.name, place, message)])
    newest = "max(started_at)" if "started_at" in table.columns else "null"
    live = "arm = 'pilot' and version is not null"
    live += " and setting is distinct from 'demo'" if "setting" in table.columns else ""
    query = f"select version, {newest} from {table.sql} where {live} group by 1 order by 2 nulls first, 1"
    rows = fetch(samples, query)
    if len(rows) < 2:
        message = "the production cases with the agent carry one version; two are wanted to compare them"
        raise ParameterError([Problem(loaded.name, place, message)])
    if len(rows) > 2 and any(at is None for _, at in rows):
        message = (
            f"the cases carry {len(rows)} versions and no started_at tells the newest two; name two of them"
        )
        raise ParameterError([Problem(loaded.name, place, message)])
    return loaded, (str(rows[-2][0]), str(rows[-1][0]))


def _of_version(loaded: LoadedParameters, version: str) -> LoadedParameters:
    samples = loaded.parameters.samples.model_copy(update={"version": (version,)})
    return replace(loaded, parameters=loaded.parameters.model_copy(update={"samples": samples}))


def _rate(one: LoadedParameters, other: LoadedParameters) -> float:
    """What one unit of the other's currency is in the first one's; their means, since only B's money depends on it."""
    to, code = one.parameters.about.currency, other.parameters.about.currency
    if to == code:
        return 1.0
    plan = read_portfolio(one.path.with_name(PORTFOLIO_FILE))
    rate = one.parameters.economics.fx.get(code)
    if rate is None and (plan.currency or to) == to:
        rate = plan.fx.get(code)
    if rate is None and plan.currency is not None:
        each = [
            1.0 if c == plan.currency else None if (r := plan.fx.get(c)) is None else r.mean
            for c in (code, to)
        ]
        if each[0] is not None and each[1] is not None:
            return each[0] / each[1]
    if rate is None:
        message = (
            f"its money is {code} and that of {one.parameters.pilot} {to}; state what one {code} is under economics.fx "
            f"of {one.name}, or both under fx of params/{PORTFOLIO_FILE}"
        )
        raise ParameterError([Problem(other.name, "about.currency", message)])
    return float(rate.mean)


def _side(loaded: LoadedParameters, name: str, first: LoadedParameters) -> Side:
    # Names are hidden under the first one's key on both sides, so that the same case has the same pseudonym.
    keyed = loaded.parameters.model_copy(update={"pilot": first.parameters.pilot})
    samples = open_samples(replace(loaded, parameters=keyed), coded=False)
    analysis = analyse(loaded, samples)
    about = loaded.parameters.about
    record = {
        "pilot": loaded.parameters.pilot,
        "title": about.title or loaded.parameters.pilot,
        "workflow_id": about.workflow_id,
        "currency": about.currency,
        "verdict": analysis.verdict.verdict,
        "headline": headline(analysis),
    }
    draws: dict[str, Floats] = {}
    estimates(analysis, [], draws)
    scope = analysis.measured.scope()
    severity = analysis.measured.rates.severity
    if scope.error_rate[1] is not None and severity is not None:
        draws["severe_error_rate_pilot"] = scope.error_rate[1] * severity[1][:, 2:].sum(axis=1)
    cost = analysis.economics.error_cost
    if scope.error_rate[1] is not None and severity is not None and cost is not None:
        grave = [sum((severity[a][:, i] * c for i, c in enumerate(cost)), np.zeros(1)) for a in (0, 1)]
        before = 0.0 if scope.error_rate[0] is None else scope.error_rate[0] * grave[0]
        draws[ERRORS_MONEY] = before - scope.error_rate[1] * grave[1]
    if analysis.scale is not None:
        draws["worth_scale"] = analysis.scale.worth
    own = candidate_of(analysis, record)
    if record["verdict"] == "kill":
        draws["worth_advised"] = np.zeros(analysis.measured.draws)
    elif own.options and own.shown is not None:
        draws["worth_advised"] = own.shown.worth
    kept = {k: np.asarray(v, dtype=np.float64) for k, v in draws.items() if k in KEPT}
    return Side(name=name, analysis=analysis, record=record, rows=case_rows(samples), draws=kept)
