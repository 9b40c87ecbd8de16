"""Every check of the controls: its layer, what it asks, how it is decided, and whether scaling waits for it.

The crosswalk names the places of three public frameworks that a reader of the check may want to look at. It is there
for orientation and is no legal advice: no check shows that a law or a framework is met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

__all__ = ["CATALOGUE", "FRAMEWORKS", "LAYERS", "Asked", "Basis", "checks_of_layer", "uncovered_risks"]

Basis = Literal["rule", "statistical", "limit"]

LAYERS: Mapping[str, str] = MappingProxyType(
    {
        "bounded_access": "Bounded access",
        "human_approval": "Approval by a person before risky actions",
        "audit_trail": "Action log and audit trail",
        "evaluation": "Evaluation suite",
        "rollback": "Monitoring and rollback",
    }
)
"""The five layers in their order, with their labels; each is a gate of the verdict under the same name."""

FRAMEWORKS: Mapping[str, str] = MappingProxyType(
    {
        "eu_ai_act": "Regulation (EU) 2024/1689, article",
        "owasp": "OWASP Top 10 for Agentic Applications 2026",
        "nist": "NIST AI Risk Management Framework 1.0, function",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a check asks.

    Attributes:
        layer: Its layer.
        label: What it asks, in a few words that are true where it passes.
        fails: The same in words that are true where it fails.
        figure: What its figure says of those it was counted in, as "broke it": 3 of 40 did.
        basis: rule (any row breaks it), limit (a share with an exact bound against a threshold) or statistical (against
            chance, at a level of 0.001).
        hard: Whether scaling is not available while it fails.
        required: Whether scaling is not available without its evidence either; only a hard check is.
        unit: Of its figure, bound and threshold.
        personal: Whether what it finds is about single people; then only a restricted page names them.
        eu_ai_act: Articles of the regulation for orientation.
        owasp: Risks of the list for orientation.
        nist: Functions of the framework for orientation.
    """

    layer: str
    label: str
    fails: str
    figure: str = "broke it"
    basis: Basis = "rule"
    hard: bool = False
    required: bool = False
    personal: bool = False
    unit: Literal["share", "minute", "day"] = "share"
    eu_ai_act: tuple[str, ...] = ()
    owasp: tuple[str, ...] = ()
    nist: tuple[str, ...] = ()


# Where a check names no other place, the place of its layer.
_access = partial(
    Asked, layer="bounded_access", eu_ai_act=("15",), owasp=("ASI02", "ASI03"), nist=("MANAGE",)
)
_approval = partial(
    Asked, layer="human_approval", eu_ai_act=("14",), owasp=("ASI09",), nist=("GOVERN", "MANAGE")
)
_trail = partial(Asked, layer="audit_trail", eu_ai_act=("12",), owasp=("ASI08", "ASI10"), nist=("MEASURE",))
_suite = partial(Asked, layer="evaluation", eu_ai_act=("15",), owasp=("ASI01", "ASI04"), nist=("MEASURE",))
_stop = partial(Asked, layer="rollback", eu_ai_act=("14",), owasp=("ASI08", "ASI10"), nist=("MANAGE",))

CATALOGUE: Mapping[str, Asked] = MappingProxyType(
    {
        # Bounded access
        "granted": _access(
            label="Every call that ran was granted",
            fails="A call ran that nobody granted",
            hard=True,
            required=True,
        ),
        "before_grant": _access(
            label="No call ran before its grant", fails="A call ran before its grant", hard=True
        ),
        "after_expiry": _access(
            label="No call ran after its grant had ended",
            fails="A call ran after its grant had ended",
            hard=True,
        ),
        "needed_share": _access(
            label="Calls stay inside what the work needs",
            fails="Calls go beyond what the work needs",
            basis="limit",
        ),
        "writes_needed": _access(
            label="Nothing is changed outside what the work needs",
            fails="Something was changed outside what the work needs",
            hard=True,
        ),
        "unused_grants": _access(label="Every grant is used", fails="A grant is not used", figure="not used"),
        "unneeded_grants": _access(
            label="No grant goes beyond the need",
            fails="A grant goes beyond the need",
            figure="beyond the need",
        ),
        "ungranted_needs": _access(
            label="What the work needs is granted", fails="Something that the work needs is not granted"
        ),
        "wildcard_grants": _access(
            label="No grant covers a whole system", fails="A grant covers a whole system"
        ),
        "open_ended_grants": _access(label="Every grant has an end", fails="A grant has no end"),
        "self_granted": _access(
            label="Nobody granted rights to itself",
            fails="Somebody granted rights to itself",
            figure="granted to itself",
            hard=True,
            personal=True,
        ),
        # Human approval
        "approved_before": _approval(
            label="High-risk actions are approved before they run",
            fails="High-risk actions ran without an approval before them",
            basis="limit",
            hard=True,
            required=True,
        ),
        "approved_late": _approval(
            label="No approval came after the act", fails="An approval came after the act"
        ),
        "decided_early": _approval(
            label="No decision came before its request", fails="A decision came before its request"
        ),
        "self_approved": _approval(
            label="Nobody approved what they asked for",
            fails="Somebody approved what they had asked for",
            personal=True,
            owasp=("ASI03", "ASI09"),
        ),
        "approved_by_agent": _approval(
            label="No agent's identity approves",
            fails="An agent's identity approved",
            hard=True,
            owasp=("ASI03", "ASI10"),
        ),
        "rejected_ran": _approval(
            label="What was rejected did not run",
            fails="Something ran that was rejected",
            hard=True,
            owasp=("ASI02", "ASI10"),
        ),
        "understated_risk": _approval(
            label="High-risk actions are logged as such",
            fails="High-risk actions are not logged as such",
            owasp=("ASI02", "ASI09"),
        ),
        "reading_time": _approval(
            label="Approvals take as long as reading does",
            fails="Approvals take less time than reading does",
            figure="took less",
            basis="statistical",
            personal=True,
        ),
        "some_rejected": _approval(
            label="Every approver sometimes says no",
            fails="An approver never says no",
            figure="never said no",
            basis="statistical",
            personal=True,
        ),
        "bulk_approvals": _approval(
            label="Approvals are given one by one", fails="Approvals are given in bulk", personal=True
        ),
        # Action log and audit trail
        "cases_with_actions": _trail(
            label="Every case has its actions",
            fails="A case has no actions in the log",
            hard=True,
            required=True,
        ),
        "actions_with_case": _trail(
            label="Every action has its case", fails="An action has no case", hard=True, required=True
        ),
        "unique_ids": _trail(
            label="No action id occurs twice", fails="An action id occurs twice", hard=True, required=True
        ),
        "required_fields": _trail(
            label="Every action says when it ran and how it ended",
            fails="An action does not say when it ran or how it ended",
            hard=True,
            required=True,
        ),
        "time_order": _trail(
            label="Times of an action are in order", fails="Times of an action are out of order", hard=True
        ),
        "denied_ran": _trail(
            label="What was denied did not run",
            fails="Something ran that was denied",
            hard=True,
            owasp=("ASI02", "ASI10"),
        ),
        "sequence_gaps": _trail(
            label="No action is missing in a sequence", fails="Actions are missing in a sequence", hard=True
        ),
        "sequence_repeats": _trail(
            label="No place in a sequence is taken twice", fails="A place in a sequence is taken twice"
        ),
        "future_times": _trail(
            label="No action lies after the day of the decision",
            fails="An action lies after the day of the decision",
        ),
        "clock_skew": _trail(
            label="Clocks of log and cases agree",
            fails="Clocks of log and cases do not agree",
            basis="statistical",
        ),
        "silent_days": _trail(
            label="No day of work is without a log", fails="A day of work has no log", basis="statistical"
        ),
        "sealed": _trail(
            label="The log is as it was sealed", fails="The log is not as it was sealed", figure="faults"
        ),
        # Evaluation suites
        "live_tested": _suite(
            label="The live version is tested, and the measured one",
            fails="The live version is not tested, or not the measured one",
            hard=True,
            required=True,
        ),
        "changes_tested": _suite(
            label="Every change was tested before and after", fails="A change was not tested before and after"
        ),
        "critical_cases": _suite(
            label="No critical case fails", fails="A critical case fails", figure="fail", hard=True
        ),
        "no_regression": _suite(
            label="The live version is no worse than the one before",
            fails="The live version is worse than the one before",
            figure="pass",
            basis="statistical",
            hard=True,
            required=True,
        ),
        "suite_power": _suite(
            label="The suite could show a drop of ten points",
            fails="The suite could miss a drop of ten points",
            figure="of such drops would show",
            basis="limit",
            hard=True,
            required=True,
        ),
        "past_regressions": _suite(
            label="No earlier change made it worse",
            fails="An earlier change made it worse",
            basis="statistical",
        ),
        "segments_covered": _suite(
            label="The suite covers what production sees",
            fails="The suite leaves out what production sees",
            figure="of the demand is covered",
        ),
        "stable_cases": _suite(
            label="The same version gives the same result",
            fails="The same version gives different results",
            figure="gave both results",
        ),
        "can_fail": _suite(
            label="The suite has cases that can fail",
            fails="The suite has no cases that can fail",
            figure="never failed",
        ),
        "changes_approved": _suite(
            label="Every change was approved",
            fails="A change was not approved",
            eu_ai_act=("14",),
            nist=("GOVERN",),
        ),
        "versions_listed": _suite(
            label="Every version that worked is a listed change",
            fails="A version that worked is not a listed change",
            owasp=("ASI04", "ASI10"),
        ),
        # Monitoring and rollback
        "drill_recent": _stop(
            label="Stopping was practised lately",
            fails="Stopping was not practised lately",
            figure="ago",
            hard=True,
            required=True,
            unit="day",
        ),
        "pause_in_time": _stop(
            label="The agent was paused in time",
            fails="The agent was not paused in time",
            figure="after detection",
            hard=True,
            required=True,
            unit="minute",
        ),
        "restored": _stop(
            label="Service was restored",
            fails="Service was not restored",
            figure="after detection",
            hard=True,
            required=True,
            unit="minute",
        ),
        "incident_times": _stop(
            label="Times of incidents are in order", fails="Times of an incident are out of order", hard=True
        ),
        "incidents_answered": _stop(
            label="Every severe incident was answered", fails="A severe incident was not answered"
        ),
        "way_back": _stop(
            label="The version to go back to is a listed one",
            fails="The version to go back to is not a listed one",
        ),
        "quality_by_day": _stop(
            label="Quality is visible day by day",
            fails="Quality is not visible day by day",
            figure="of days show it",
            eu_ai_act=("72",),
            nist=("MEASURE",),
        ),
        "cost_by_day": _stop(
            label="Cost is visible day by day",
            fails="Cost is not visible day by day",
            figure="of days show it",
            eu_ai_act=("72",),
            nist=("MEASURE",),
        ),
    }
)
"""Name of a check → what it asks; names are unique over all layers, and findings are listed in this order."""


def checks_of_layer(layer: str) -> tuple[str, ...]:
    """Names of the checks of a layer, in the order of the catalogue."""
    return tuple(name for name, asked in CATALOGUE.items() if asked.layer == layer)


def uncovered_risks() -> tuple[str, ...]:
    """Risks of the OWASP list, ASI01 to ASI10, that no check looks at."""
    covered = {risk for asked in CATALOGUE.values() for risk in asked.owasp}
    return tuple(risk for i in range(1, 11) if (risk := f"ASI{i:02}") not in covered)
