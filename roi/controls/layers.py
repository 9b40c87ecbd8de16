"""From checks to gates: a layer holds where every hard check of it passes."""

from __future__ import annotations

from collections.abc import Sequence

from roi.controls.catalogue import CATALOGUE, LAYERS, checks_of_layer
from roi.controls.check import Check
from roi.gate import Gate, State
from roi.words import plural

__all__ = ["LEADING", "gate_of"]

LEADING = {
    "bounded_access": "granted",
    "human_approval": "approved_before",
    "audit_trail": "cases_with_actions",
    "evaluation": "no_regression",
    "rollback": "pause_in_time",
}
"""The check of each layer whose figure its gate shows."""


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
    hard = [check for check in ordered if CATALOGUE[check.name].hard]
    failed = [check for check in hard if check.status == "fail"]
    silent = [
        check for check in hard if CATALOGUE[check.name].required and check.status == "missing_evidence"
    ]
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
