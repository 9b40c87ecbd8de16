"""Draws of all pilots together: each pilot's own, in an order in which only what is shared is common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.candidates import Candidate
from roi.draws import stream, uniforms
from roi.schema.portfolio import Portfolio
from roi.shared import Input, common_draws, in_order, owed, shared_inputs

__all__ = ["Joint", "common_currency", "joint_draws"]

Floats = npt.NDArray[np.float64]

MOST_DRAWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """All pilots whose money can be added up.

    Attributes:
        currency: Of every amount.
        worths: Pilot → worths of its options and, last, of what stands for it in lists; shape (options + 1, n_draws).
        order: Pilot → its own draw that stands at each of the common ones, shape (n_draws,).
        rates: Pilot → expected worth of one unit of its currency.
        shared: The inputs that pilots share.
        left_out: Pilot → why its money cannot be added.
        draws: How many.
        seed: Of the run.
    """

    currency: str
    worths: Mapping[str, Floats]
    order: Mapping[str, npt.NDArray[np.int64]]
    rates: Mapping[str, float]
    shared: Sequence[Input]
    left_out: Mapping[str, str]
    draws: int
    seed: int


def common_currency(candidates: Sequence[Candidate], plan: Portfolio) -> str:
    """The currency of all sums: the stated one, else that of most pilots (of equals the first by name)."""
    if plan.currency is not None:
        return plan.currency
    counts = Counter(str(c.record.get("currency")) for c in candidates)
    return min(counts, key=lambda code: (-counts[code], code), default="EUR")


def joint_draws(candidates: Sequence[Candidate], plan: Portfolio) -> Joint:
    """Bring the draws of all pilots together.

    Args:
        candidates: The pilots.
        plan: What the portfolio's owner stated.
    """
    currency = common_currency(candidates, plan)
    ordered = sorted(candidates, key=lambda c: c.pilot)
    seeds = [s for c in ordered if (s := (c.record.get("provenance") or {}).get("seed")) is not None]
    seed = min((int(s) for s in seeds), default=0)
    n = min(
        MOST_DRAWS,
        max(
            (c.shown.worth.size for c in ordered if c.shown is not None and c.sharing is not None),
            default=MOST_DRAWS,
        ),
    )
    inputs = shared_inputs([c.sharing for c in ordered if c.sharing is not None])
    common = common_draws(inputs, n, seed)
    rates: dict[str, Floats | float] = {currency: 1.0}
    for code, rate in sorted(plan.fx.items()):
        drawn = rate.quantile(uniforms(n, stream(seed, f"portfolio:fx:{code}")))
        rates.setdefault(code, rate.mean if rate.form == "exact" else drawn)
    worths: dict[str, Floats] = {}
    orders: dict[str, npt.NDArray[np.int64]] = {}
    left_out: dict[str, str] = {}
    each: dict[str, float] = {}
    for place, c in enumerate(ordered):
        code = str(c.record.get("currency"))
        if code not in rates:
            left_out[c.pilot] = (
                f"its money is {code}, and no rate turns that into {currency}; state `fx: {{{code}: …}}` in "
                "params/_portfolio.yaml"
            )
            continue
        each[c.pilot] = float(np.mean(rates[code]))
        if c.shown is None:
            continue
        own = [(i.name, i.pilots[c.pilot]) for i in inputs if c.pilot in i.pilots]
        own = [(name, key) for name, key in own if key in c.inputs]
        parts = None
        if own:
            stated = [c.inputs[key] for _, key in own]
            parts = owed(c.shown.worth, stated, [common[name] for name, _ in own])
        order = in_order(*(parts or (None, None)), n=n, of=c.shown.worth.size, place=place, seed=seed)
        orders[c.pilot] = order
        rows = np.stack([o.worth for o in (*c.options, c.shown)])
        worths[c.pilot] = rows[:, order] * rates[code]
    return Joint(
        currency=currency,
        worths=worths,
        order=orders,
        rates=each,
        shared=inputs,
        left_out=left_out,
        draws=n,
        seed=seed,
    )
