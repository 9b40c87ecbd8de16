"""The controls in the record: each layer with its checks, the rights proposed, and where a reader may look further."""

from __future__ import annotations

from typing import Any

from roi.analysis import Analysis
from roi.controls.catalogue import CATALOGUE, FRAMEWORKS, LAYERS, uncovered_risks
from roi.controls.check import Check
from roi.controls.scorecard import Scorecard, closing
from roi.words import and_list, plural

__all__ = ["controls_of_record"]

NOTE = (
    "The places of other frameworks are there for orientation and are no legal advice: "
    "that a check passes does not show that a law or a framework is met."
)


def controls_of_record(a: Analysis) -> dict[str, Any]:
    """What the checks of the controls found, as plain values.

    Args:
        a: The analysis.

    Returns:
        `headline`, `counts` (checks by status; `not_applicable` are those that pass because there was nothing to look
        at, and `pass` leaves them out), `layers` (each with its gate's state and its checks),
        `access_proposed`, `frameworks`, `uncovered` (risks of the OWASP list that no check looks at) and `note`.
    """
    card = a.taken.controls
    gates = {gate.gate: gate for gate in a.gates[None] if gate.is_control}
    return {
        "headline": _headline(card),
        "counts": {
            **{
                status: sum(check.status == status and not check.idle for check in card.checks)
                for status in ("pass", "fail", "missing_evidence")
            },
            "not_applicable": sum(check.idle for check in card.checks),
        },
        "layers": [
            {
                "layer": layer,
                "label": label,
                "state": gates[layer].state,
                "checks": [_check(check) for check in card.of_layer(layer)],
            }
            for layer, label in LAYERS.items()
        ],
        "access_proposed": [
            {
                "system": p.system,
                "scope": p.scope,
                "proposal": p.proposal,
                "reason": p.reason,
                "granted": p.granted,
                "needed": p.needed,
                "uses": p.uses,
                "last_used": p.last_used,
                "narrow_to": p.narrow_to,
            }
            for p in card.proposed
        ],
        "frameworks": dict(FRAMEWORKS),
        "uncovered": list(uncovered_risks()),
        "note": NOTE,
    }


def _check(check: Check) -> dict[str, Any]:
    asked = CATALOGUE[check.name]
    return {
        "check": check.name,
        "label": asked.label,
        "fails": asked.fails,
        "figure": asked.figure,
        "status": check.status,
        "hard": asked.hard,
        "required": asked.required or check.waits,
        "basis": asked.basis,
        "unit": asked.unit,
        "personal": asked.personal,
        "value": check.value,
        "bound": check.bound,
        "threshold": check.threshold,
        "n": check.n,
        "misses": check.misses,
        "evidence": check.evidence,
        "rows": None
        if check.rows is None
        else {"table": check.rows.table, "count": check.rows.count, "first": list(check.rows.first)},
        "mend": check.mend,
        "more": check.more,
        "crosswalk": {name: list(getattr(asked, name)) for name in FRAMEWORKS},
    }


def _headline(card: Scorecard) -> str:
    """The controls in a sentence: what blocks first, then what is not known."""
    failed, silent = closing(card.checks)
    idle = sum(check.idle for check in card.checks)
    passed = sum(check.status == "pass" for check in card.checks) - idle
    text = f"{passed} of {plural(len(card.checks) - idle, 'check')} of the controls pass"
    if idle:
        text += f" ({idle} more had nothing to check)"
    if failed:
        text += f"; {_fails(failed)}"
    if silent:
        text += (
            f"; {len(silent)} that scaling waits for {'has' if len(silent) == 1 else 'have'} no evidence yet"
        )
    soft = sum(check.status == "fail" for check in card.checks) - len(failed)
    if soft:
        text += f"; {plural(soft, 'finding')} {'does' if soft == 1 else 'do'} not stop scaling"
    return text + "."


def _fails(failed: list[Check]) -> str:
    labels = [CATALOGUE[check.name].fails for check in failed]
    listed = and_list([f"“{label}”" for label in labels[:3]])
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return f"scaling stops at {listed}{more}"
