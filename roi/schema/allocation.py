"""How cases were meant to be shared out between the arms."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from roi.schema.base import Group, RefusedError, WholeShare

__all__ = ["Allocation"]


class Allocation(Group):
    """The planned share of each arm, of cases or, where whole workers were assigned, of workers."""

    baseline: WholeShare = Field(description="Planned share of the baseline arm.")
    pilot: WholeShare = Field(description="Planned share of the pilot arm.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not math.isclose(self.baseline + self.pilot, 1.0, abs_tol=1e-6):
            total = self.baseline + self.pilot
            raise RefusedError([((), f"the shares sum to {total:g}, not to 1; a third is 0.333333")])
        if not 0 < self.pilot < 1:
            raise RefusedError([((), "an arm without cases is no comparison; write a share between 0 and 1")])
        return self
