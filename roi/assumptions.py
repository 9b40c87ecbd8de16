"""Draws of what the parameter file states: one array an uncertain input, a plain number for an exact one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.draws import stream, uniforms
from roi.parameters import RegisterEntry

__all__ = ["Assumptions", "Number", "draw_assumptions"]

Floats = npt.NDArray[np.float64]
Number = Floats | float


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The stated inputs, drawn.

    Attributes:
        values: By key of the parameter file ("economics.discount_rate"): a number where it is exact, else draws of
            shape (n_draws,).
        entries: The register entry of each key.
    """

    values: Mapping[str, Number]
    entries: Mapping[str, RegisterEntry]

    def get(self, key: str) -> Number | None:
        """The draws of a key; None where the parameter file does not state it."""
        return self.values.get(key)

    def require(self, key: str) -> Number:
        """The draws of a key that must be there."""
        return self.values[key]


def draw_assumptions(entries: tuple[RegisterEntry, ...], *, draws: int, seed: int) -> Assumptions:
    """Draw every uncertain input.

    Args:
        entries: The register of the parameters.
        draws: Number of draws.
        seed: Seed of the run; every input's stream also depends on its key.

    Returns:
        Draws by key.
    """
    values: dict[str, Number] = {}
    for entry in entries:
        value = entry.value
        if value.form == "exact":
            values[entry.key] = value.mean
        else:
            values[entry.key] = value.quantile(uniforms(draws, stream(seed, entry.key)))
    return Assumptions(values=values, entries={entry.key: entry for entry in entries})
