"""What is not known exactly: every quantity that was measured, and every input that is stated with a range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.measured import Scope

__all__ = ["GROUPS", "Quantity", "quantities", "taken_as_known"]

Floats = npt.NDArray[np.float64]

GROUPS = ("measured", "sourced", "assumed", "default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """Something that is not known exactly.

    Attributes:
        key: Its name: a key of the parameter file, or of the record's estimates.
        label: What it is, in words.
        group: measured, sourced, assumed or default.
        stated: Whether the parameter file (or a default) states it; else it was measured.
        signals: Its draws, each shape (n_draws,); several where it has parts, such as a rate in each arm.
    """

    key: str
    label: str
    group: str
    stated: bool
    signals: tuple[Floats, ...]


def quantities(a: Analysis, scopes: Sequence[Scope]) -> list[Quantity]:
    """Everything that is not known exactly.

    Args:
        a: The analysis.
        scopes: What the options are about; what was measured is told of each, and of nothing without one.

    Returns:
        What was measured, then what is stated, in the order of the parameter file. What does not vary is left out.
    """
    found = []
    for quantity in [*(_measured(a, scopes) if scopes else ()), *_stated(a)]:
        varying = tuple(x for x in quantity.signals if float(np.ptp(x)) > 0)
        if varying:
            found.append(
                Quantity(
                    key=quantity.key,
                    label=quantity.label,
                    group=quantity.group,
                    stated=quantity.stated,
                    signals=_once(varying),
                )
            )
    return found


def taken_as_known(a: Analysis) -> int:
    """How many stated inputs are a single number and so count as known exactly."""
    return sum(not isinstance(value, np.ndarray) for value in a.assumptions.values.values())


def _measured(a: Analysis, found: Sequence[Scope]) -> Iterator[Quantity]:
    m = a.measured
    group = "sourced" if m.moments.sourced else "measured"

    def of(key: str, label: str, signals: Iterable[Floats | None]) -> Quantity:
        known = tuple(x for x in signals if x is not None and bool(np.isfinite(x).all()))
        return Quantity(key=key, label=label, group=group, stated=False, signals=known)

    yield of("minutes_saved_per_case", "Minutes saved per case", (s.minutes_saved for s in found))
    # A stated rate is an input of its own; the difference of two measured ones is what counts.
    yield of("error_rates", "Error rates", (x for s in found for x in _rates(s.error_rate, m.errors_stated)))
    if m.rates.severity is not None and any(m.rates.labelled):
        severe = [m.rates.severity[arm][:, k] for arm in (1, 0) for k in (1, 2, 3)]
        yield of("severity_of_errors", "Severity of errors", severe)
    yield of("agent_cost_per_case", "Agent cost per case", (s.agent_cost for s in found))
    yield of("escalation_rate_pilot", "Escalated or abandoned cases", [_escalated(a)])
    if m.weights.drawn is not None:
        yield of("mix", "Mix of cases in production", list(m.weights.drawn[:-1]))
    if m.bias_sd > 0:
        entry = a.assumptions.entries.get(f"economics.design_bias.{m.design}")
        yield Quantity(
            key=f"economics.design_bias.{m.design}",
            label="How far this kind of comparison is off",
            group="default" if entry is None else entry.value.evidence,
            stated=True,
            signals=m.bias,
        )
    shares = [share for cause, share in sorted(a.causes.error_share.items()) if _addressed(a, cause)]
    minutes = [x for cause, x in sorted(a.causes.excess_minutes.items()) if _addressed(a, cause)]
    yield of("causes", "Where losses come from", [*shares, *minutes])


def _rates(rates: tuple[Floats | None, Floats | None], stated: bool) -> list[Floats | None]:
    before, after = rates
    return [after] if stated else [after, before]


def _addressed(a: Analysis, cause: str) -> bool:
    return any(r.addresses == cause for r in a.valuer.remedies)


def _escalated(a: Analysis) -> Floats | None:
    rates, share = a.measured.rates.escalated, a.measured.weights.share
    known = ~np.isnan(rates[:, 0]) & (share > 0)
    if not known.any():
        return None
    weight = share[known] / share[known].sum()
    return np.asarray((weight[:, None] * rates[known]).sum(axis=0), dtype=np.float64)


def _stated(a: Analysis) -> Iterator[Quantity]:
    for key, entry in a.assumptions.entries.items():
        drawn = a.assumptions.values[key]
        if isinstance(drawn, np.ndarray) and not key.startswith("economics.design_bias."):
            yield Quantity(
                key=key, label=entry.label, group=entry.value.evidence, stated=True, signals=(drawn,)
            )


def _once(signals: tuple[Floats, ...]) -> tuple[Floats, ...]:
    """Each array once: scopes that are the same, and arms that share their severities, say nothing new."""
    kept: list[Floats] = []
    for x in signals:
        if not any(x is y or np.array_equal(x, y) for y in kept):
            kept.append(x)
    return tuple(kept)
