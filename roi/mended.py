"""Whether remedies make a closed gate pass, draw by draw."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from roi.draws import stream
from roi.gate import Gate
from roi.options import Valuer
from roi.parameters import Policy
from roi.rates import severe_errors
from roi.remedies import Remedy
from roi.same import Same, somewhere

__all__ = ["MORE_LIKELY", "has_price", "mended_share", "mended_with", "only_mended", "targets_of"]

Floats = npt.NDArray[np.float64]

MORE_LIKELY = 0.5  # chance from which a mend is taken to do what it is for


def mended_share(
    gate: Gate,
    segments: tuple[str, ...] | None,
    chosen: tuple[Remedy, ...],
    valuer: Valuer,
    policy: Policy,
    seed: int,
) -> Floats | None:
    """Chance, draw by draw, that the chosen remedies make a gate pass, shape (n_draws,); None where none addresses it.

    A gate that is a rate passes where the rate that is left keeps the limit; any other with the share that the remedy
    is said to remove.
    """
    draws = valuer.measured.draws
    moments = valuer.measured.moments
    inside = moments.chosen(segments)
    addressed = any(r.addresses == gate.gate for r in chosen)
    left = valuer.left_of(gate.gate, chosen)
    if gate.gate == "usable_inputs":
        left = np.multiply(valuer.left_of("data", chosen), left)
        if not np.any(np.less(left, 1)) or gate.value is None:
            return None
        rows = inside[moments.segment]
        known, clean = float(moments.inputs_known[rows].sum()), float(moments.inputs_clean[rows].sum())
        share = _beta_draws(seed, "usable_inputs", clean + 0.5, known - clean + 0.5, draws)
        return (1 - (1 - share) * left >= policy.min_usable_inputs).astype(np.float64)
    if gate.gate == "severe_errors":
        # Approval catches some of them, but it is no mend of them by itself.
        kept = valuer.effect_of(chosen, segments).kept
        others = tuple(r for r in chosen if r.addresses != "human_approval")
        without = kept if len(others) == len(chosen) else valuer.effect_of(others, segments).kept
        if not np.any(np.less(without, 1)) or gate.value is None or gate.state != "exceeded":
            return None
        found = severe_errors(moments, inside)
        rate = _beta_draws(
            seed,
            "severe_rate",
            found.effective_events + 0.5,
            found.effective_n - found.effective_events + 0.5,
            draws,
        )
        return (rate * kept <= policy.max_severe_error_rate).astype(np.float64)
    if not addressed:
        return None
    if gate.gate == "human_approval" and gate.counts is not None:
        misses, n = gate.counts
        rate = _beta_draws(seed, "approval_misses", misses + 0.5, n - misses + 0.5, draws)
        return (rate * left <= policy.max_approval_miss_rate).astype(np.float64)
    return np.broadcast_to(np.subtract(1, left), (draws,)).astype(np.float64)


def mended_with(
    gate: Gate,
    segments: tuple[str, ...] | None,
    chosen: tuple[Remedy, ...],
    valuer: Valuer,
    policy: Policy,
    seed: int,
) -> Hashable:
    """What `mended_share` makes its answer of, beside what was measured; arguments as there."""
    removes = ((r.addresses, r.removes if np.ndim(r.removes) == 0 else Same(r.removes)) for r in chosen)
    limits = policy.min_usable_inputs, policy.max_severe_error_rate, policy.max_approval_miss_rate
    tools = None if valuer.approvals is None else tuple(valuer.approvals.high_risk_tools)
    return "mended", gate, segments, seed, limits, tools, Same(valuer.causes), tuple(removes)


@lru_cache(maxsize=32)
def _beta_draws(seed: int, name: str, a: float, b: float, draws: int) -> Floats:
    """Draws of a rate, which every set of remedies asks for again; read-only."""
    drawn = stream(seed, name).beta(a, b, draws)
    drawn.flags.writeable = False
    return drawn


def only_mended(gate: Gate) -> bool:
    """Whether no measurement opens a gate: a narrower scope, or a remedy, is the only way."""
    return gate.gate == "covered_demand" or (gate.gate == "usable_inputs" and gate.state == "exceeded")


def targets_of(gate: str) -> tuple[str, ...]:
    """What a remedy of a gate addresses: the gate, and of usable inputs the data as well."""
    return ("usable_inputs", "data") if gate == "usable_inputs" else (gate,)


def has_price(
    gate: Gate, segments: tuple[str, ...] | None, valuer: Valuer, policy: Policy, seed: int
) -> bool:
    """Whether a stated remedy that has a price mends a gate, bought or not: then nobody has to be asked for a quote.

    A remedy that removes nothing is no mend. Severe errors above the limit are mended, beside the remedies that address
    them by name, by those of causes, if all of these together more likely than not bring them below it.
    """
    priced = tuple(r for r in valuer.remedies if r.cost is not None and somewhere(r.removes))
    where = segments, valuer, policy, seed

    def mends(*chosen: Remedy) -> Floats | None:
        return mended_share(gate, where[0], chosen, *where[1:])

    if any(r.addresses in targets_of(gate.gate) and mends(r) is not None for r in priced):
        return True
    if gate.gate != "severe_errors" or not priced:
        return False
    together = mends(*priced)
    return together is not None and float(together.mean()) >= MORE_LIKELY
