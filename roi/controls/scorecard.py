"""The scorecard: what every check of the five layers found, the gates that follow, and the rights to be granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from roi.controls.access_checks import access_checks
from roi.controls.access_list import Proposal, proposals
from roi.controls.approval_checks import approval_checks
from roi.controls.catalogue import CATALOGUE, LAYERS, checks_of_layer
from roi.controls.check import Check
from roi.controls.logs import Logs, hold
from roi.controls.rights import read_access
from roi.controls.stopping_checks import stopping_checks
from roi.controls.suite_checks import suite_checks
from roi.controls.trail_checks import SealedRows, trail_checks
from roi.gate import Gate, State
from roi.words import plural

__all__ = ["LEADING", "Scorecard", "closing", "gate_of", "look"]


LEADING = {
    "bounded_access": "granted",
    "human_approval": "approved_before",
    "audit_trail": "cases_with_actions",
    "evaluation": "no_regression",
    "rollback": "pause_in_time",
}
"""The check of each layer whose figure its gate shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """What the logs say about the controls, under the policy and on the day of the decision.

    Attributes:
        checks: Every check of the catalogue, once, in its order.
        proposed: What should become of each right of the agent.
    """

    checks: tuple[Check, ...]
    proposed: tuple[Proposal, ...] = ()

    def of_layer(self, layer: str) -> tuple[Check, ...]:
        """The checks of a layer."""
        return tuple(check for check in self.checks if CATALOGUE[check.name].layer == layer)

    def gates(self) -> tuple[Gate, ...]:
        """The layers as gates of the verdict."""
        return tuple(gate_of(layer, self.of_layer(layer)) for layer in LAYERS)


def look(logs: Logs, seals: Sequence[SealedRows] = ()) -> Scorecard:
    """Ask the logs everything that the catalogue asks.

    Args:
        logs: The logs and the thresholds.
        seals: How each file of the action log stands to its seal.
    """
    logs = hold(logs)
    access = read_access(logs)
    found = (
        *access_checks(logs, access),
        *approval_checks(logs),
        *trail_checks(logs, tuple(seals)),
        *suite_checks(logs),
        *stopping_checks(logs),
    )
    by_name = {check.name: check for check in found}
    if len(by_name) != len(found) or set(by_name) != set(CATALOGUE):
        raise ValueError("the checks are not those of the catalogue, each once")
    return Scorecard(checks=tuple(by_name[name] for name in CATALOGUE), proposed=proposals(logs, access))


def closing(checks: Sequence[Check]) -> tuple[list[Check], list[Check]]:
    """The checks that scaling stops at: hard ones that fail, and such whose evidence it waits for."""
    hard = [check for check in checks if CATALOGUE[check.name].hard]
    waits = [check for check in hard if CATALOGUE[check.name].required or check.waits]
    return (
        [check for check in hard if check.status == "fail"],
        [check for check in waits if check.status == "missing_evidence"],
    )


def gate_of(layer: str, checks: Sequence[Check]) -> Gate:
    """The gate of a layer.

    Args:
        layer: Its name.
        checks: What its checks found; every check of the layer, each once.

    Returns:
        exceeded where a hard check fails; not_shown where all that is missing is more of the same evidence;
        missing_evidence where any other evidence of a required check is missing; else shown. What other checks found
        or could not tell is told and closes nothing.
    """
    found = {check.name: check for check in checks}
    if sorted(found) != sorted(checks_of_layer(layer)) or len(found) != len(checks):
        raise ValueError(f"{layer}: the checks are not those of the catalogue, each once")
    ordered = [found[name] for name in checks_of_layer(layer)]
    failed, silent = closing(ordered)
    leading = found[LEADING[layer]]
    told = failed or silent or [leading]
    state: State = "shown"
    if failed:
        state = "exceeded"
    elif silent:
        state = "not_shown" if all(check.more for check in silent) else "missing_evidence"
    soft = sum(check.status == "fail" for check in ordered if not CATALOGUE[check.name].hard)
    evidence = " ".join(dict.fromkeys(check.evidence for check in told))
    if soft:
        evidence += f" {plural(soft, 'further finding')} {'does' if soft == 1 else 'do'} not close the gate."
    more = [check.more for check in silent if check.more] if state == "not_shown" else []
    rated = leading.misses is not None and leading.n
    return Gate(
        gate=layer,
        label=LAYERS[layer],
        state=state,
        value=leading.value,
        threshold=leading.threshold,
        evidence=evidence,
        mend="; ".join(dict.fromkeys(check.mend for check in told if check.mend)),
        more_cases=max(more, default=None),
        # Remedies that leave fewer misses open the gate only where misses are all that closes it.
        counts=(leading.misses or 0, leading.n or 0)
        if rated and all(check is leading for check in (*failed, *silent))
        else None,
    )
