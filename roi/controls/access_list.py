"""The list of rights that the agent should have, made from what it was granted, needs and used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Proposal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What should become of one right.

    Attributes:
        system: Of which system.
        scope: The right.
        proposal: keep, drop, narrow or add.
        reason: Why, in a sentence.
        granted: Whether it is granted now.
        needed: Whether it is said to be needed; None where nobody says.
        uses: Calls that ran within it; None without a log.
        last_used: Day of the last one, in ISO form; None where there was none or no time is logged.
        narrow_to: What it should be narrowed to, in words; empty for any other proposal.
    """

    system: str
    scope: str
    proposal: Literal["keep", "drop", "narrow", "add"]
    reason: str
    granted: bool
    needed: bool | None
    uses: int | None
    last_used: str | None = None
    narrow_to: str = ""
