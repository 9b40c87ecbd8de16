"""What every set of remedies can be worth at the most, all sets at once, from tables of what few remedies do together.

A set is a number whose bit i says whether remedy i is bought. Its worth is at most a sum: the roll-out as it stands,
after the delay of the set and with the gates that it opens; and for each cause what the remedies of that cause bring
alone. Causes together bring no more than that: minutes add up, errors that are left multiply, and no gain of time or of
errors is worth more a unit where there is more of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from roi.assumptions import Number
from roi.cashflow import annuity, ramp_factor
from roi.gate import Gate
from roi.measures import cost_of, length_of, more_cases
from roi.options import Valuer
from roi.parameters import Policy
from roi.remedies import WEEKS_PER_MONTH, Remedy
from roi.set_gains import Ceiling, Gains
from roi.set_gates import MOST_TOGETHER, Fork, forks_of, places_of
from roi.tariff import Prices

__all__ = ["Bounds", "affordable_sets", "bounds_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Segments = tuple[str, ...] | None

MOST_COLUMNS = 64  # ways in which gates open that are told apart
NOISE = 5.0  # standard errors by which independent draws may be correlated in a sample
MOST_UNSURE = 3  # remedies of uncertain weeks whose sets' delays are told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The affordable sets, and what each can be worth at the most.

    Attributes:
        sets: The sets as numbers, shape (sets,).
        priced: Bound of the expected worth of a plan with every mend priced; -inf where the set has none.
        waiting: The same of a plan that waits for a price.
    """

    sets: Ints
    priced: Floats
    waiting: Floats


def affordable_sets(remedies: Sequence[Remedy], policy: Policy, valuer: Valuer) -> Ints:
    """Every set within `fix_budget` and `fix_weeks` that holds what its remedies have to wait for, as sorted numbers.

    Where weeks are uncertain a set may still take longer on average than its longest chain, which is what counts here.
    """
    n = len(remedies)
    place = {r.name: i for i, r in enumerate(remedies)}
    number = np.arange(1 << n, dtype=np.int64)
    fits = np.ones(1 << n, dtype=bool)
    for i, remedy in enumerate(remedies):
        for name in remedy.after:
            fits &= (
                ((number >> i) & 1) <= ((number >> place[name]) & 1)
                if name in place
                else (number >> i) & 1 == 0
            )
    if policy.fix_budget is not None:
        cost = _summed([0.0 if r.cost is None else float(np.mean(r.cost)) for r in remedies])
        fits &= cost <= policy.fix_budget * (1 + 1e-12)
    if policy.fix_weeks is not None:
        months = _largest([float(np.mean(done)) for done in _done(remedies, valuer)])
        fits &= months * WEEKS_PER_MONTH <= policy.fix_weeks * (1 + 1e-12)
    return np.flatnonzero(fits)


def bounds_of(
    valuer: Valuer,
    segments: Segments,
    remedies: Sequence[Remedy],
    failing: Sequence[Gate],
    prices: Prices,
    policy: Policy,
    seed: int,
    sets: Ints,
) -> Bounds:
    """Bound the worth of every affordable set of some remedies.

    Args:
        valuer: Values roll-outs.
        segments: The scope; None for everything.
        remedies: At most some twenty; bit i of a set is the i-th.
        failing: The scope's gates that do not hold.
        prices: What measuring costs.
        policy: The thresholds.
        seed: Seed of the run.
        sets: The affordable sets, as `affordable_sets` has them.

    Returns:
        The bounds. What remedies cost is taken five standard errors lower, for prices may go together by chance with
        the draws in which gates open. A further sample tells no more than everything, whatever is drawn anew.

    Source:
        Scarf (1958), A min-max solution of an inventory problem, on the mean of what is above 0.
    """
    forks = forks_of(valuer, segments, remedies, failing, prices, policy, seed, sets)
    priced = np.ones(sets.size, dtype=bool)
    blocked = np.zeros(sets.size, dtype=bool)
    for fork in forks:
        priced &= np.array([w.priced for w in fork.ways])[fork.taken]
        blocked |= np.array([w.blocked for w in fork.ways])[fork.taken]
    for i, remedy in enumerate(remedies):
        if not remedy.priced:
            priced &= (sets >> i) & 1 == 0
    while np.prod([len(f.ways) for f in forks], initial=1) > MOST_COLUMNS:
        widest = max(range(len(forks)), key=lambda i: len(forks[i].ways))
        forks[widest] = forks[widest].coarser()
    table = _Table(valuer, segments, remedies, forks, prices, sets)
    direct, after_sample = table.bounds()
    direct = np.where(blocked, -np.inf, direct)
    after_sample = np.where(blocked, -np.inf, after_sample)
    if prices.cases(1) is None:  # a further sample has no price: what takes one waits for it
        waiting = np.where(priced, after_sample, np.maximum(direct, after_sample))
        return Bounds(sets=sets, priced=np.where(priced, direct, -np.inf), waiting=waiting)
    both = np.maximum(direct, after_sample)
    return Bounds(sets=sets, priced=np.where(priced, both, -np.inf), waiting=np.where(priced, -np.inf, both))


class _Table:
    """Parts of the worth by column (how the gates fare) and by delay, and their sum for each set."""

    def __init__(
        self,
        valuer: Valuer,
        segments: Segments,
        remedies: Sequence[Remedy],
        forks: Sequence[Fork],
        prices: Prices,
        sets: Ints,
    ) -> None:
        self.valuer, self.remedies, self.prices, self.sets = valuer, remedies, prices, sets
        self.scope = valuer.scope(segments)
        self.n = valuer.measured.draws
        self.off = 0.0 if segments is None else valuer.picked.get(segments, 0.0)
        self.samples = more_cases(segments, valuer, prices)
        self.columns = list(product(*(f.ways for f in forks)))
        self.column = np.zeros(sets.size, dtype=np.int64)
        for fork in forks:
            self.column = self.column * len(fork.ways) + fork.taken
        done = _done(remedies, valuer)
        unsure = [i for i, x in enumerate(done) if np.ndim(x) > 0]
        self.months_known = len(unsure) <= MOST_UNSURE
        if not self.months_known:  # then a set takes at least as long as its longest chain does on average
            done = [np.float64(np.mean(x)) for x in done] if len(unsure) > MOST_UNSURE else done
            unsure = []
        self.done = done
        self.unsure = unsure
        self.sure = np.unique([0.0, *(float(x) for i, x in enumerate(done) if i not in unsure)])
        rank = [0 if i in unsure else int(np.searchsorted(self.sure, float(x))) for i, x in enumerate(done)]
        self.late = (_largest(rank)[sets].astype(np.int64) << len(unsure)) + places_of(unsure, sets)

    def _delay(self, late: int) -> Number:
        """Months until every remedy of some sets works."""
        found: Number = self.sure[late >> len(self.unsure)]
        for j, i in enumerate(self.unsure):
            if late >> j & 1:
                found = np.maximum(found, self.done[i])
        return found

    def bounds(self) -> tuple[Floats, Floats]:
        """Bounds of every set without a further sample, and with one."""
        e = self.valuer.economics
        value = Ceiling(self.valuer, self.scope)
        groups = self._groups()
        monthly = _summed([float(np.min(r.cost_per_month)) for r in self.remedies])[self.sets]
        monthly_mean = _summed([_least(r.cost_per_month, self.n) for r in self.remedies])[self.sets]
        cost = _summed([_least(r.cost, self.n) for r in self.remedies])[self.sets]
        fixed = np.asarray(e.wind_down - e.one_off() - self.off)
        whole = annuity(e.discount, e.horizon)
        direct = np.full(self.sets.size, -np.inf)
        sampled = np.full(self.sets.size, -np.inf)
        cheapest = min((cost_of([m], self.prices) for m in self.samples if m.price is not None), default=0.0)
        known: dict[tuple[int, ...], tuple[Floats, Gains]] = {}
        paces: dict[tuple[int, float], tuple[Number, Number]] = {}
        for c, ways in enumerate(self.columns):
            of_column = np.flatnonzero(self.column == c)
            if not of_column.size or any(w.blocked for w in ways):
                continue
            passes, left = (
                _product([w.passes for w in ways], self.n),
                _product([w.left for w in ways], self.n),
            )
            measures = [w.measure for w in ways if w.measure is not None]
            waits, paid = length_of(measures), cost_of(measures, self.prices)
            learned = any(any(m.learned) for m in measures)
            exact = all(w.exact for w in ways) and self.months_known and not learned
            # Ways that differ in what they cost alone share their tables.
            changed = [x for w in ways for x in (w.passes, w.left, w.minutes, w.cost)]
            key = tuple(0 if x is None else id(x) for x in changed)
            if key not in known:
                minutes, further = _total([w.minutes for w in ways]), _total([w.cost for w in ways])
                gains_of = [
                    (bits, value.gains(cause, chosen, left, minutes)) for cause, bits, chosen in groups
                ]
                known[key] = value.a_month(left, minutes, further), Gains(gains_of)
            now, tables = known[key]
            late = self.late[of_column]
            for d in np.unique(late):
                rows = of_column[late == d]
                if (int(d), waits) not in paces:
                    delay = np.add(self._delay(int(d)), waits)
                    paces[int(d), waits] = (
                        ramp_factor(e.discount, e.horizon, e.ramp, delay),
                        annuity(e.discount, e.horizon, delay),
                    )
                ramp, ann = paces[int(d), waits]
                pilot = float(np.mean(e.pilot_cost * (whole - ann)))
                gone = cost[rows] + pilot
                stands = now * ramp - e.monthly() * ann + fixed
                gains = tables.means(passes, ramp, self.sets[rows])
                if exact:
                    plain = float(np.mean(passes * stands)) + gains
                    direct[rows] = plain - monthly_mean[rows] * float(np.mean(passes * ann)) - gone - paid
                if exact and not self.samples:
                    continue
                # Who knew everything would stop where going on loses: the mean of what is above 0 is at most half of
                # the mean and the root of the mean square (Scarf 1958).
                running = monthly[rows] * np.ones((1, rows.size))
                if np.ndim(self._delay(int(d))):  # one delay for all draws, no longer than any of them
                    soon = np.add(np.min(self._delay(int(d))), waits)
                    ramp, ann = (
                        ramp_factor(e.discount, e.horizon, e.ramp, soon),
                        annuity(e.discount, e.horizon, soon),
                    )
                    stands = now * ramp - e.monthly() * ann + fixed
                mean, square = tables.moments(passes, ramp, ann, stands, running[0], self.sets[rows])
                above = float(np.mean(passes * np.maximum(fixed, 0)))
                kept = (mean + np.sqrt(np.maximum(square, 0.0) * float(np.mean(passes)))) / 2 + above
                kept = np.minimum(kept, float(np.mean(passes * np.maximum(stands, 0))) + above + gains)
                if not exact:
                    direct[rows] = kept - gone - paid
                if self.samples and not learned:
                    sampled[rows] = kept - gone - max(paid, cheapest)
        return direct, sampled

    def _groups(self) -> list[tuple[str, list[int], tuple[Remedy, ...]]]:
        """Remedies by the cause that they address."""
        causes = self.valuer.causes
        found = []
        for cause in causes.error_share:
            bits = [i for i, r in enumerate(self.remedies) if r.addresses == cause]
            # Of many remedies those beyond are taken to bring what they bring alone, which is more than they do.
            for start in range(0, len(bits), MOST_TOGETHER):
                some = bits[start : start + MOST_TOGETHER]
                found.append((cause, some, tuple(self.remedies[i] for i in some)))
        return found


def _done(remedies: Sequence[Remedy], valuer: Valuer) -> list[Number]:
    """Months until each works, what it waits for included."""
    by_name = {r.name: r for r in remedies}

    def chain(remedy: Remedy) -> dict[str, Remedy]:
        found = {remedy.name: remedy}
        for name in remedy.after:
            if name in by_name:
                found |= chain(by_name[name])
        return found

    return [valuer.delay_of(tuple(chain(r).values())) for r in remedies]


def _least(cost: Number | None, n: int) -> float:
    """A price less what chance may take off it where gates open in some draws only."""
    return 0.0 if cost is None else float(np.mean(cost)) - NOISE * 0.5 * float(np.std(cost)) / n**0.5


def _product(factors: Sequence[Floats | None], n: int) -> Floats:
    found = np.ones(n)
    for factor in factors:
        if factor is not None:
            found = found * factor
    return found


def _total(parts: Sequence[Floats | None]) -> Number:
    return sum((x for x in parts if x is not None), 0.0)


def _summed(values: Sequence[float]) -> Floats:
    """The sum of each set's values, shape (2 to the number of values,)."""
    found = np.zeros(1)
    for value in values:
        found = np.concatenate([found, found + value])
    return found


def _largest(values: Sequence[float]) -> Floats:
    """The largest of each set's values; 0 of none."""
    found = np.zeros(1)
    for value in values:
        found = np.concatenate([found, np.maximum(found, value)])
    return found
