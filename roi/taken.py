"""What is taken out of the samples: all that a decision and its record need of them, small and without names.

Whatever a step asks of the samples stands here, so that it can be archived and a record be recomputed when they are
gone. Units are numbered by what they hold; no key, no pseudonym, no time of a case and no text of a cell is kept, but
for kinds of things that stay readable in a report, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from roi.approval_kinds import ApprovalKinds, take_approval_kinds
from roi.comparability import Comparability, compare_arms
from roi.comparable import cases_by_month
from roi.controls.logs import Logs
from roi.controls.scorecard import Scorecard, look
from roi.engine import widen
from roi.input_quality import InputQuality, take_input_quality
from roi.integration import Integration, take_integration
from roi.log_seal import seals_of
from roi.model_costs import ModelCosts, take_model_costs
from roi.moments import Moments, fetch
from roi.oversight import Oversight, take_oversight
from roi.parameters import LoadedParameters, Parameters
from roi.periods import day_of
from roi.problems import ParameterError, Problem
from roi.reduce import take_moments
from roi.samples import Exclusion, Samples
from roi.unit_order import numbered_by_content

__all__ = ["Taken", "held", "hold_together", "take"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """All that a decision needs of its samples.

    Attributes:
        moments: Moments of the cases.
        newest: The newest day that any table knows; None without times.
        arms: Whether the arms can be compared; None for a report's sums.
        controls: What the logs say about the controls, under the policy and on the day of the decision.
        months: Production cases by month and arm.
        grants: Access of the agent, system and scope.
        exclusions: Rows left out, with reasons.
        undeclared: Minute column → blank cells whose meaning nobody declared.
        fingerprints: Source → sha256.
        warnings: What a reader should know of the samples.
        inputs: How good the inputs are; None without a table of them.
        integration: What the agent's calls met; None without a log of them.
        oversight: What people did about the agent's work; None without cases.
        approval_kinds: What the logs tell of each kind of action; None without a log of them.
        model_costs: What the agent's models cost and used; None unless a price scenario asks for one model.
    """

    moments: Moments
    newest: dt.date | None
    arms: Comparability | None
    controls: Scorecard
    months: Mapping[str, Mapping[str, int]]
    grants: tuple[tuple[str, str], ...]
    exclusions: tuple[Exclusion, ...]
    undeclared: Mapping[str, int]
    fingerprints: Mapping[str, str]
    warnings: tuple[str, ...]
    inputs: InputQuality | None = None
    integration: Integration | None = None
    oversight: Oversight | None = None
    approval_kinds: ApprovalKinds | None = None
    model_costs: ModelCosts | None = None

    def without_rows(self) -> Samples:
        """Samples of which nothing but what was taken is left: no table, no engine."""
        return Samples(
            tables={},
            con=None,
            exclusions=self.exclusions,
            undeclared_blanks=self.undeclared,
            fingerprints=self.fingerprints,
            warnings=self.warnings,
        )


def take(loaded: LoadedParameters, samples: Samples) -> Taken:
    """Take out of the samples what a decision needs: the only steps that ask the engine.

    Args:
        loaded: The checked parameters and policy.
        samples: The opened samples.

    Raises:
        ParameterError: If parameters and samples do not go together.
    """
    import duckdb

    try:
        return _take(loaded, samples)
    except duckdb.OutOfMemoryException:
        if not samples.coded or not widen(samples.con):
            raise
    return _take(loaded, samples)


def _take(loaded: LoadedParameters, samples: Samples) -> Taken:
    moments = numbered_by_content(take_moments(samples, high_risk_tools=tuple(loaded.policy.high_risk_tools)))
    newest = newest_day(samples, moments)
    loaded, as_of = held(loaded, moments, newest)
    given = loaded.parameters.samples
    access = samples.tables.get("access")
    return Taken(
        moments=moments,
        newest=newest,
        arms=None if moments.sourced else compare_arms(samples, moments, given),
        controls=look(
            Logs(
                samples=samples,
                policy=loaded.policy,
                as_of=as_of,
                timezone=given.timezone,
                mix=loaded.parameters.demand.mix,
            ),
            tuple(state for _, state in seals_of(loaded, "actions")),
        ),
        months=cases_by_month(samples, given.timezone),
        grants=()
        if access is None
        else tuple(
            (str(system), str(scope)) for system, scope in fetch(samples, access.distinct("system", "scope"))
        ),
        exclusions=samples.exclusions,
        undeclared=samples.undeclared_blanks,
        fingerprints=samples.fingerprints,
        warnings=samples.warnings,
        inputs=take_input_quality(samples, min_group=loaded.policy.privacy.min_group),
        integration=take_integration(samples),
        oversight=take_oversight(samples, timezone=given.timezone),
        approval_kinds=take_approval_kinds(samples, labels=moments.labels),
        model_costs=take_model_costs(samples, loaded.parameters.economics.price_scenarios.values()),
    )


def hold_together(
    loaded: LoadedParameters, samples: Samples, moments: Moments
) -> tuple[LoadedParameters, dt.date | None]:
    """Hold parameters and samples against each other.

    Args:
        loaded: The checked parameters and policy.
        samples: The opened samples.
        moments: Their moments.

    Returns:
        The parameters with the policy as of the decision's day, on which exceptions may have expired, and that day.

    Raises:
        ParameterError: If model usage is priced twice, or the pilot is looser than the policy of that day.
    """
    return held(loaded, moments, newest_day(samples, moments))


def held(
    loaded: LoadedParameters, moments: Moments, newest: dt.date | None
) -> tuple[LoadedParameters, dt.date | None]:
    """As `hold_together`, from what was taken from the samples."""
    problems = _priced_twice(loaded, moments)
    as_of = loaded.parameters.run.as_of or newest
    if as_of is not None:
        try:
            loaded = loaded.on(as_of)
        except ParameterError as error:
            problems += error.problems
    if problems:
        raise ParameterError(problems)
    return loaded, as_of


def _priced_twice(loaded: LoadedParameters, moments: Moments) -> list[Problem]:
    """What is wrong with cost lines beside these moments: the file's own, and those of its scenarios."""
    problems = _lines_twice(loaded.name, loaded.parameters, moments)
    for name, changed in loaded.scenarios.items():
        if changed.economics.costs != loaded.parameters.economics.costs:
            problems += _lines_twice(loaded.name, changed, moments, below=f"scenarios.{name}.")
    return problems


def _lines_twice(file: str, p: Parameters, moments: Moments, below: str = "") -> list[Problem]:
    metered = (
        any(name.startswith("agent_cost:") for name in moments.statistics)
        and int(moments.cost_known.sum()) > 0
    )
    return [
        Problem(
            file,
            f"{below}economics.costs[{i}]",
            "model usage is priced twice: the cases carry their agent cost already; "
            "remove this line, or do not map agent_cost and the tokens",
        )
        for i, line in enumerate(p.economics.costs)
        if metered and line.kind == "model_usage" and line.amount.mean != 0
    ]


def newest_day(samples: Samples, moments: Moments) -> dt.date | None:
    """The newest day that any sample table knows; never the clock."""
    times = {
        "actions": ("executed_at", "decided_at", "requested_at"),
        "evals": ("ran_at",),
        "changes": ("changed_at",),
        "incidents": ("restored_at", "paused_at", "detected_at"),
    }
    days = [moments.last] if moments.last is not None else []
    for name, columns in times.items():
        table = samples.tables.get(name)
        found = [c for c in columns if table is not None and c in table.columns]
        if table is not None and found:
            newest = ", ".join(f"max({c})" for c in found)
            times_found = fetch(samples, f"select {newest} from {table.sql}")[0]
            days += [day_of(t, samples.timezone) for t in times_found if t is not None]
    return max(days) if days else None
