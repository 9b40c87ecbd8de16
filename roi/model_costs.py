"""What each of the agent's models cost and used in the pilot's cases: whose part of the cost follows a model's prices.

Asked for only where a parameter file states how one model's prices may change. Demo cases are left out; of the others
every pilot case whose cost is known counts, as it does in the cost a case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from roi.moments import fetch
from roi.schema.prices import PriceScenario, TokenPrices

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["ModelCosts", "take_model_costs"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
PER = 1e6  # tokens that a price is of


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCosts:
    """Costs and tokens of the pilot's cases; rows are model × currency of the cost.

    Attributes:
        model: As the cases name it; "" where a case names none, or several worked it.
        currency: Of the cost; "" for the pilot's own.
        cost: Sum of the known costs, in that currency, shape (rows,).
        counted: Cases behind it, shape (rows,).
        metered: Of these, cases whose tokens are known, shape (rows,).
        tokens: Their tokens: sent afresh, read from a cache, written to one, received, shape (rows, 4).
    """

    model: tuple[str, ...]
    currency: tuple[str, ...]
    cost: Floats
    counted: Ints
    metered: Ints
    tokens: Ints

    def at(self, row: int, prices: TokenPrices) -> float | None:
        """What a row's tokens cost at other prices, in USD; None where not all of its cases log tokens."""
        if self.metered[row] < self.counted[row]:
            return None
        fresh, read, write, output = (float(n) for n in self.tokens[row])
        cached = prices.input if prices.cache_read is None else prices.cache_read
        kept = prices.input if prices.cache_write is None else prices.cache_write
        return (fresh * prices.input + read * cached + write * kept + output * prices.output) / PER


def take_model_costs(samples: Samples, asked: Iterable[PriceScenario]) -> ModelCosts | None:
    """Costs and tokens of the pilot's cases by model.

    Args:
        samples: The opened samples.
        asked: The price scenarios of the parameter file.

    Returns:
        None where no scenario names a model, or the cases know no cost.
    """
    cases = samples.tables.get("cases")
    if cases is None or all(s.model is None for s in asked) or "agent_cost" not in cases.columns:
        return None
    has = frozenset(cases.columns)

    def column(name: str, otherwise: str) -> str:
        return f"coalesce({name}, {otherwise})" if name in has else otherwise

    read, write = column("cache_read_tokens", "0"), column("cache_write_tokens", "0")
    tokens = {"input_tokens", "output_tokens"} <= has
    metered = "input_tokens is not null and output_tokens is not null" if tokens else "false"
    sums = ("input_tokens - read_ - write_", "read_", "write_", "output_tokens") if tokens else ("0",) * 4
    live = cases.having(
        read_=read, write_=write, model_=column("model", "''"), cost_=column("cost_currency", "''")
    )
    demo = "and setting is distinct from 'demo'" if "setting" in has else ""
    counted = live.where(f"arm = 'pilot' and agent_cost is not null {demo}")
    rows = fetch(
        samples,
        counted.grouped(
            ["model_", "cost_"],
            {"cost": "sum(agent_cost)::double", "n": "count(*)", "metered": f"count(*) filter ({metered})"}
            | {f"t{i}": f"coalesce(sum({x}) filter ({metered}), 0)::bigint" for i, x in enumerate(sums)},
        ),
    )
    return ModelCosts(
        model=tuple(str(row[0]) for row in rows),
        currency=tuple(str(row[1]) for row in rows),
        cost=np.array([float(row[2]) for row in rows], dtype=np.float64),
        counted=np.array([int(row[3]) for row in rows], dtype=np.int64),
        metered=np.array([int(row[4]) for row in rows], dtype=np.int64),
        tokens=np.array([[int(x) for x in row[5:]] for row in rows], dtype=np.int64).reshape(len(rows), 4),
    )
