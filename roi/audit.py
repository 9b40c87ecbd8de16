"""The audit in the record: the quality of inputs, what the agent's calls met, and what people did about its work."""

from __future__ import annotations

from typing import Any

from roi.analysis import Analysis
from roi.audit_actions import integration_of_record, oversight_of_record
from roi.audit_inputs import inputs_of_record
from roi.taken import Taken

__all__ = ["audit_of_record"]


def audit_of_record(a: Analysis) -> dict[str, Any]:
    """What the logs and the inputs say, as plain values.

    Args:
        a: The analysis.

    Returns:
        `inputs`, `integration` and `oversight`, each None where there is nothing to count, and `missing`: why.
    """
    taken = a.taken
    missing = []
    if taken.inputs is None:
        missing.append(
            "The inputs were not given: add samples.inputs, a row a case with the raw fields as the agent got them, "
            "of the demo and of production."
        )
    if taken.integration is None:
        missing.append("There is no log of the agent's calls: add samples.actions.")
    if taken.oversight is None:
        missing.append("A report in place of cases says nothing of what people did about the agent's work.")
    return {
        "inputs": None if taken.inputs is None else inputs_of_record(taken.inputs),
        "integration": None if taken.integration is None else integration_of_record(taken.integration),
        "oversight": None
        if taken.oversight is None
        else oversight_of_record(
            taken.oversight, min_group=a.loaded.policy.privacy.min_group, unapproved=_unapproved(taken)
        ),
        "missing": missing,
    }


def _unapproved(taken: Taken) -> tuple[int, int] | None:
    """High-risk actions that ran without an approval before them, of how many; None where that cannot be counted."""
    check = next((c for c in taken.controls.checks if c.name == "approved_before"), None)
    return None if check is None or not check.n or check.misses is None else (check.misses, check.n)
