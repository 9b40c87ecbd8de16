"""The scorecard: what every check of the five layers found, and the rights that the agent should have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from roi.controls.access_checks import access_checks
from roi.controls.access_list import Proposal, proposals
from roi.controls.approval_checks import approval_checks
from roi.controls.catalogue import CATALOGUE, LAYERS
from roi.controls.check import Check
from roi.controls.held import hold
from roi.controls.layers import gate_of
from roi.controls.logs import Logs
from roi.controls.stopping import stopping_checks
from roi.controls.suite import suite_checks
from roi.controls.trail import SealedRows, trail_checks
from roi.gate import Gate

__all__ = ["Scorecard", "look"]


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
    found = (
        *access_checks(logs),
        *approval_checks(logs),
        *trail_checks(logs, tuple(seals)),
        *suite_checks(logs),
        *stopping_checks(logs),
    )
    by_name = {check.name: check for check in found}
    if len(by_name) != len(found) or set(by_name) != set(CATALOGUE):
        raise ValueError("the checks are not those of the catalogue, each once")
    return Scorecard(checks=tuple(by_name[name] for name in CATALOGUE), proposed=proposals(logs))
