"""A gate: a condition that must hold before `scale` is available at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CONTROLS", "Gate", "State", "missing_evidence", "rate_state"]

State = Literal["shown", "not_shown", "exceeded", "missing_evidence"]

CONTROLS = ("bounded_access", "human_approval", "audit_trail", "evaluation", "rollback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate and what the evidence says about it.

    Attributes:
        gate: Its name, as remedies address it.
        label: Its name in words.
        state: shown (it holds), exceeded (it does not), not_shown (too little to tell), or missing_evidence.
        value: The figure that was looked at, a share unless the label says otherwise; None without evidence.
        threshold: What it is held against.
        evidence: What was seen, in a sentence.
        mend: What would make it pass; empty where it holds.
        more_cases: Further cases that would show it, where more of the same evidence is all that is missing.
        free: Whether mending it takes no more than a statement in the parameter file.
        counts: Misses and trials, where the gate is a rate of misses.
    """

    gate: str
    label: str
    state: State
    value: float | None
    threshold: float | None
    evidence: str
    mend: str = ""
    more_cases: int | None = None
    counts: tuple[int, int] | None = None
    free: bool = False

    @property
    def holds(self) -> bool:
        """Whether it lets `scale` through."""
        return self.state == "shown"

    @property
    def is_control(self) -> bool:
        """Whether it is one of the five control layers."""
        return self.gate in CONTROLS

    @property
    def guards(self) -> bool:
        """Whether it guards against a risk: a control layer, or severe errors."""
        return self.is_control or self.gate == "severe_errors"


def missing_evidence(
    gate: str,
    label: str,
    *,
    evidence: str,
    mend: str,
    value: float | None = None,
    threshold: float | None = None,
    more_cases: int | None = None,
    free: bool = False,
) -> Gate:
    """A gate that stays closed because nothing there can open it; arguments as `Gate`'s attributes."""
    return Gate(
        gate=gate,
        label=label,
        state="missing_evidence",
        value=value,
        threshold=threshold,
        evidence=evidence,
        mend=mend,
        more_cases=more_cases,
        free=free,
    )


def rate_state(lower: float, upper: float, limit: float) -> State:
    """State of a rate that must stay at or below a limit, from its one-sided bounds."""
    if upper <= limit:
        return "shown"
    return "exceeded" if lower > limit else "not_shown"
