"""Priced fixes as the parameter file states them, drawn, and what they change of each case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roi.assumptions import Assumptions, Number
from roi.causes import CAUSES
from roi.parameters import Parameters

__all__ = ["WEEKS_PER_MONTH", "Effect", "Remedy", "remedies_of"]

WEEKS_PER_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A priced fix.

    Attributes:
        name: Its name.
        addresses: A cause, or a gate by name.
        removes: Share of the losses of that cause, or of a gate's rate, that it removes; number or draws.
        cost: One-off cost; number or draws; None where it has no price yet.
        cost_per_month: Running cost from the roll-out on.
        months: Until it works.
        after: The remedy it has to wait for.
        owner: Who would do it.
        pays_approvers: Whether the people who approve are paid by its own running cost.
        approving_known: Whether it is known what the approving takes that it demands.
    """

    name: str
    addresses: str
    removes: Number
    cost: Number | None
    cost_per_month: Number
    months: Number
    after: tuple[str, ...]
    owner: str | None
    pays_approvers: bool = False
    approving_known: bool = True

    @property
    def priced(self) -> bool:
        """Whether everything that it costs is known."""
        return self.cost is not None and self.approving_known


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What remedies change of each case; numbers or shape (n_draws,).

    Attributes:
        kept: Share of the pilot's errors that they leave.
        minutes: Minutes that they save on top; below 0 where the approving they demand takes more.
        cost: Further cost.
    """

    kept: Number = 1.0
    minutes: Number = 0.0
    cost: Number = 0.0


def remedies_of(parameters: Parameters, assumptions: Assumptions) -> tuple[Remedy, ...]:
    """The remedies of a parameter file, drawn."""
    found = []
    for i, r in enumerate(parameters.remedies or ()):

        def number(name: str, default: Number | None, i: int = i) -> Number | None:
            value = assumptions.get(f"remedies[{i}].{name}")
            return default if value is None else value

        weeks = number("weeks", 0.0)
        after = r.after
        found.append(
            Remedy(
                name=r.name,
                addresses=r.addresses,
                # A remedy that names no share mends a gate whole, and of a cause's losses removes none.
                removes=_known(number("removes_share", 0.0 if r.addresses in CAUSES else 1.0)),
                cost=number("cost", None),
                cost_per_month=_known(number("cost_per_month", 0.0)),
                months=np.divide(_known(weeks), WEEKS_PER_MONTH),
                after=() if after is None else (after,) if isinstance(after, str) else tuple(after),
                owner=r.owner,
                pays_approvers=r.pays_approvers,
            )
        )
    return tuple(found)


def _known(number: Number | None) -> Number:
    assert number is not None
    return number
