"""What remedies of each cause add to a month at the most, set by set, and moments of what they add together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from roi.assumptions import Number
from roi.measured import Scope
from roi.options import Valuer
from roi.remedies import Remedy
from roi.set_gates import places_of

__all__ = ["Ceiling", "Gains"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Ceiling:
    """What a month at the ceiling brings at the most, as a function of what remedies leave; concave in it."""

    def __init__(self, valuer: Valuer, scope: Scope) -> None:
        e, self.causes, self.n = valuer.economics, valuer.causes, valuer.measured.draws
        assert scope.minutes_saved is not None
        assert e.cases_per_month is not None
        assert e.labour is not None
        self.saved = scope.minutes_saved
        cases = np.multiply(e.cases_per_month, e.ceiling) * scope.share
        self.paid = np.asarray(np.divide(e.labour, 60) * cases)
        cash = np.clip(e.cash, 0, 1)
        self.counted = np.asarray(np.clip(np.add(cash, e.redeployed), 0, 1))
        agent = e.per_case() + (scope.agent_cost if scope.agent_cost is not None else 0.0)
        self.agent = np.asarray(cases * agent)
        self.cases = np.asarray(cases)
        severity = valuer.measured.rates.severity
        self.harm: Floats | None = None
        self.before: Number = 0.0
        self.credit = e.error_credit and not scope.errors_stated
        if scope.error_rate[1] is not None and e.error_cost is not None and severity is not None:
            cost = [sum(severity[a, :, i] * c for i, c in enumerate(e.error_cost)) for a in (0, 1)]
            base = scope.error_rate[0]
            self.before = cases * (base * cost[0]) if base is not None else 0.0
            self.harm = np.asarray(cases * scope.error_rate[1] * cost[1])

    def time(self, minutes: Floats) -> Floats:
        """Time saved in money, small savings counted."""
        return np.asarray(self.paid * np.minimum(minutes, minutes * self.counted))

    def errors(self, kept: Number) -> Floats:
        """Errors avoided in money, where so much of them is left."""
        if self.harm is None:
            return np.zeros(self.n)
        value = self.before - self.harm * kept
        return np.asarray(value if self.credit else np.minimum(value, 0.0))

    def a_month(self, left: Number, minutes: Number = 0.0, cost: Number = 0.0) -> Floats:
        """Everything, with no cause addressed; `minutes` a case come on top of those saved, and `cost` a case."""
        found: Floats = self.time(self.saved + minutes) + self.errors(left) - self.agent - self.cases * cost
        return found

    def gains(self, cause: str, chosen: Sequence[Remedy], left: Number, further: Number = 0.0) -> Floats:
        """What remedies of one cause add, set by set; `further` minutes a case come on top of those saved."""
        share = np.maximum(self.causes.error_share[cause], 0.0)
        minutes = np.maximum(self.causes.excess_minutes.get(cause, np.zeros(self.n)), 0.0)
        leaves = np.ones((1, self.n))
        for remedy in chosen:
            leaves = np.concatenate([leaves, leaves * np.subtract(1.0, remedy.removes)])
        saved = self.saved + further
        timed, errors = self.time(saved), self.errors(left)
        rows = [
            self.time(saved + minutes * (1 - x)) - timed + self.errors(left * (1 - share * (1 - x))) - errors
            for x in leaves
        ]
        found: Floats = np.stack(rows)
        return found


class Gains:
    """What the remedies of each cause add, and moments of their sum."""

    def __init__(self, groups: Sequence[tuple[Sequence[int], Floats]]) -> None:
        """Take for each cause its remedies' places and the gain of each of their sets, shape (their sets, n_draws)."""
        self.bits = [bits for bits, _ in groups]
        self.rows = [rows for _, rows in groups]
        self.known: dict[str, list[tuple[int, int, Floats]]] = {}

    def means(self, passes: Floats, ramp: Number, sets: Ints) -> Floats:
        """The expected sum where gates pass, shape (sets,)."""
        found = np.zeros(sets.size)
        for bits, rows in zip(self.bits, self.rows, strict=True):
            found += (np.einsum("sn,n->s", rows, passes * ramp) / passes.size)[places_of(bits, sets)]
        return found

    def moments(
        self, passes: Floats, ramp: Number, ann: Number, stands: Floats, running: Floats, sets: Ints
    ) -> tuple[Floats, Floats]:
        """Means and mean squares of stands − running · ann + the sum where gates pass, each of shape (sets,)."""
        n = passes.size
        ann = np.broadcast_to(ann, (n,))
        firsts = {x: float(np.mean(passes * y)) for x, y in (("a", stands), ("r", ann))}
        mean = firsts["a"] - running * firsts["r"]
        square = float(np.mean(passes * stands * stands)) - 2 * running * float(
            np.mean(passes * stands * ann)
        )
        square = square + running**2 * float(np.mean(passes * ann * ann))
        weight = passes * ramp
        places = [places_of(bits, sets) for bits in self.bits]
        weights = np.stack([weight, 2 * weight * stands, -2 * weight * ann]) / n
        for rows, place in zip(self.rows, places, strict=True):
            first, with_stands, with_ann = np.einsum("kn,sn->ks", weights, rows)
            mean = mean + first[place]
            square = square + with_stands[place] + running * with_ann[place]
        for i, j, product_ in self._products(weight * ramp, "" if np.ndim(ramp) else "ramp", ramp):
            square = square + product_[places[i], places[j]]
        return mean, square

    def _products(self, weight: Floats, key: str, ramp: Number) -> list[tuple[int, int, Floats]]:
        """Mean products of the causes' gains under a weight; made once where weights differ by a factor."""
        scale = float(np.mean(np.square(ramp))) if key else 1.0
        if key not in self.known or not key:
            found = []
            for i, first in enumerate(self.rows):
                weighted = first * (weight / (weight.size * scale))
                for j in range(i, len(self.rows)):
                    both = np.einsum("sn,tn->st", weighted, self.rows[j]) * (1 if i == j else 2)
                    found.append((i, j, both))
            self.known[key] = found
        return [(i, j, both * scale) for i, j, both in self.known[key]]
