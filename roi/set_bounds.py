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
from roi.measured import Scope
from roi.measures import Measure, cost_of, length_of, measure_for, more_cases, show_severe
from roi.mended import mended_share, only_mended
from roi.options import WEEKS_PER_MONTH, Remedy, Valuer
from roi.parameters import Policy
from roi.tariff import Prices

__all__ = ["Bounds", "affordable_sets", "bounds_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Segments = tuple[str, ...] | None

MOST_TOGETHER = 7  # remedies of one cause whose sets are tabulated; of more, what is left is multiplied up
MOST_COLUMNS = 64  # ways in which gates open that are told apart
NOISE = 5.0  # standard errors by which independent draws may be correlated in a sample
GRID = 7  # monthly costs at which the loss that is stopped is tabulated; it is convex between them


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A way in which one closed gate fares: opened by remedies or a measurement, or left for a price."""

    passes: Floats | None = None  # None: for certain
    left: Floats | None = None  # of the errors, by remedies against severe ones; None: all
    measure: Measure | None = None
    priced: bool = True
    blocked: bool = False
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fork:
    """The ways of one gate, and which of them each set takes, shape (sets,)."""

    ways: tuple[_Way, ...]
    taken: Ints

    def coarser(self) -> _Fork:
        """With the ways in which remedies open it taken as one, as good as the best; or all taken as one."""
        first, *others = self.ways
        if len(others) <= 1:
            return _Fork(ways=(_best(self.ways),), taken=np.zeros_like(self.taken))
        return _Fork(ways=(first, _best(others)), taken=np.minimum(self.taken, 1))


def _best(ways: Sequence[_Way]) -> _Way:
    """One way that is at least as good as each of some."""
    passes = [w.passes for w in ways if w.passes is not None]
    left = [w.left for w in ways if w.left is not None]
    return _Way(
        passes=np.max(passes, axis=0) if len(passes) == len(ways) else None,
        left=np.min(left, axis=0) if left else None,
        exact=len(ways) == 1 and ways[0].exact,
    )


def bounds_of(
    valuer: Valuer,
    segments: Segments,
    remedies: Sequence[Remedy],
    failing: Sequence[Gate],
    prices: Prices,
    policy: Policy,
    seed: int,
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

    Returns:
        The bounds. They hold draw by draw but for three things, for each of which five standard errors are allowed:
        chance correlations of draws that are independent (prices with gates, remedies of one cause beyond seven with
        each other).
    """
    sets = affordable_sets(remedies, policy, valuer)
    forks = _forks(valuer, segments, remedies, failing, prices, policy, seed, sets)
    priced = np.ones(sets.size, dtype=bool)
    blocked = np.zeros(sets.size, dtype=bool)
    for fork in forks:
        priced &= np.array([w.priced for w in fork.ways])[fork.taken]
        blocked |= np.array([w.blocked for w in fork.ways])[fork.taken]
    for i, remedy in enumerate(remedies):
        if remedy.cost is None:
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


def _forks(
    valuer: Valuer,
    segments: Segments,
    remedies: Sequence[Remedy],
    failing: Sequence[Gate],
    prices: Prices,
    policy: Policy,
    seed: int,
    sets: Ints,
) -> list[_Fork]:
    def mended(gate: Gate, chosen: Sequence[Remedy]) -> Floats | None:
        return mended_share(gate, segments, tuple(chosen), valuer, policy, seed)

    def unmended(gate: Gate) -> _Way:
        if only_mended(gate):
            return _Way(blocked=True)
        measure = measure_for(gate, segments, valuer, prices, policy)
        if measure is None:
            return _Way(priced=False)
        passes = (
            show_severe(measure.n, segments, valuer, policy, seed) if gate.gate == "severe_errors" else None
        )
        return _Way(measure=measure, passes=passes, priced=measure.price is not None)

    found = []
    for gate in failing:
        if gate.gate == "severe_errors":
            continue
        targets = (gate.gate, "data") if gate.gate == "usable_inputs" else (gate.gate,)
        bits = [i for i, r in enumerate(remedies) if r.addresses in targets]
        ways = [unmended(gate)]
        if len(bits) > MOST_TOGETHER:
            share = mended(gate, [remedies[i] for i in bits])
            ways += [] if share is None else [_way(share, exact=False)]
            taken = np.minimum(_places(bits, sets), len(ways) - 1)
        else:
            of_part = []
            for part in range(1 << len(bits)):
                share = mended(gate, [remedies[i] for j, i in enumerate(bits) if part >> j & 1])
                way = ways[0] if share is None else _way(share)
                same = next((k for k, w in enumerate(ways) if _alike(w, way)), None)
                of_part.append(len(ways) if same is None else same)
                ways += [way] if same is None else []
            taken = np.array(of_part)[_places(bits, sets)]
        found.append(_Fork(ways=tuple(ways), taken=taken))
    severe = next((g for g in failing if g.gate == "severe_errors"), None)
    bits = [i for i, r in enumerate(remedies) if r.addresses == "severe_errors"]
    if severe is None and not bits:
        return found
    shares = valuer.causes.error_share
    others = [i for i, r in enumerate(remedies) if r.addresses in shares and np.any(shares[r.addresses] > 0)]
    part = _places(bits, sets)
    parts = range(1 << len(bits))
    if len(bits) > MOST_TOGETHER:
        part, parts = np.minimum(part, 1), range(2)
    opened = severe is not None and severe.state == "exceeded" and severe.value is not None
    ways = [_Way() if severe is None else unmended(severe)]
    for k in parts:
        chosen = [
            remedies[i] for j, i in enumerate(bits) if k >> j & 1 or (len(parts) < 1 << len(bits) and k)
        ]
        left = valuer.left_of("severe_errors", tuple(chosen))
        kept = None if np.ndim(left) == 0 and left == 1 else np.broadcast_to(left, (valuer.measured.draws,))
        coarse = len(parts) < 1 << len(bits)
        if not opened:
            first = ways[0]
            ways.append(
                _Way(
                    passes=first.passes,
                    left=kept,
                    measure=first.measure,
                    priced=first.priced,
                    exact=not coarse,
                )
            )
            continue
        assert severe is not None
        share = mended(severe, [*chosen, *(remedies[i] for i in others)])
        if share is None:
            ways.append(ways[0])
            continue
        ways.append(_Way(passes=share, left=kept, exact=not (others or coarse)))
    touched = _places(others, sets) > 0
    taken = np.where((part == 0) & ~touched if opened else part < 0, 0, part + 1)
    found.append(_Fork(ways=tuple(ways), taken=taken))
    return found


def _way(share: Floats, *, exact: bool = True) -> _Way:
    return _Way(passes=None if np.all(share == 1) else share, exact=exact)


def _alike(a: _Way, b: _Way) -> bool:
    if a is b:
        return True
    if a.measure is not None or a.blocked or not a.priced or a.exact != b.exact:
        return False
    return a.passes is b.passes or (
        a.passes is not None and b.passes is not None and np.array_equal(a.passes, b.passes)
    )


class _Table:
    """Parts of the worth by column (how the gates fare) and by delay, and their sum for each set."""

    def __init__(
        self,
        valuer: Valuer,
        segments: Segments,
        remedies: Sequence[Remedy],
        forks: Sequence[_Fork],
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
        order = sorted(range(len(done)), key=lambda i: float(np.mean(done[i])))
        self.delays: list[Number] = [0.0, *(done[i] for i in order)]
        rank = [0] * len(done)
        for place, i in enumerate(order):
            rank[i] = place + 1
        self.late = _largest(rank)[sets].astype(np.int64)
        self.months_known = all(np.ndim(d) == 0 for d in done)

    def bounds(self) -> tuple[Floats, Floats]:
        """Bounds of every set without a further sample, and with one."""
        v, e = self.valuer, self.valuer.economics
        value = _Value(v, self.scope)
        groups = self._groups()
        monthly = _summed([float(np.min(r.cost_per_month)) for r in self.remedies])[self.sets]
        monthly_mean = _summed([_least(r.cost_per_month, self.n) for r in self.remedies])[self.sets]
        most = float(monthly.max(initial=0.0))
        grid = np.linspace(0.0, most, GRID if most > 0 else 1)
        fixed = np.asarray(e.wind_down - e.one_off() - self.off)
        direct = np.full(self.sets.size, -np.inf)
        sampled = np.full(self.sets.size, -np.inf)
        cheapest = min((cost_of([m], self.prices) for m in self.samples if m.price is not None), default=0.0)
        cost = _summed([_least(r.cost, self.n) for r in self.remedies])[self.sets]
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
            now = value.a_month(left)
            tables = [(bits, value.gains(cause, chosen, left)) for cause, bits, chosen in groups]
            late = self.late[of_column]
            for d in np.unique(late):
                rows = of_column[late == d]
                delay = np.add(self.delays[d], waits)
                ramp, ann = (
                    f(e.discount, e.horizon, *x, delay) for f, x in ((ramp_factor, (e.ramp,)), (annuity, ()))
                )
                stands = now * ramp - e.monthly() * ann
                pilot = float(np.mean(e.pilot_cost * (annuity(e.discount, e.horizon) - ann)))
                gains = np.zeros(rows.size)
                weight = passes * ramp
                for bits, gain in tables:
                    gains += gain(weight, _places(bits, self.sets[rows]))
                stopped = np.array(
                    [np.mean(passes * np.maximum(np.maximum(stands - x * ann, 0) + fixed, 0)) for x in grid]
                )
                kept = np.interp(monthly[rows], grid, stopped) + gains - cost[rows] - pilot
                if exact:
                    plain = float(np.mean(passes * (stands + fixed)))
                    direct[rows] = plain - monthly_mean[rows] * float(np.mean(passes * ann)) + gains
                    direct[rows] -= cost[rows] + pilot + paid
                else:
                    direct[rows] = kept - paid
                if self.samples and not learned:
                    sampled[rows] = kept - max(paid, cheapest)
        return direct, sampled

    def _groups(self) -> list[tuple[str, list[int], tuple[Remedy, ...]]]:
        """Remedies by the cause that they address."""
        causes = self.valuer.causes
        found = []
        for cause in causes.error_share:
            bits = [i for i, r in enumerate(self.remedies) if r.addresses == cause]
            if bits:
                found.append((cause, bits, tuple(self.remedies[i] for i in bits)))
        return found


class _Value:
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

    def a_month(self, left: Floats | float) -> Floats:
        """Everything, with no cause addressed."""
        return self.time(self.saved) + self.errors(left) - self.agent

    def gains(self, cause: str, chosen: Sequence[Remedy], left: Floats | float) -> _Gain:
        """What remedies of one cause add, set by set."""
        share = np.maximum(self.causes.error_share[cause], 0.0)
        minutes = np.maximum(self.causes.excess_minutes.get(cause, np.zeros(self.n)), 0.0)
        parts = [np.broadcast_to(np.subtract(1.0, r.removes), (self.n,)) for r in chosen]
        if len(parts) > MOST_TOGETHER:
            slope = self.paid * np.where(self.saved < 0, 1.0, self.counted)
            harm = 0.0 if self.harm is None else self.harm * left
            if not self.credit and self.harm is not None:
                harm = np.where(self.before - self.harm * left < 0, harm, 0.0)
            return _Gain(weight=minutes * slope + share * harm, parts=np.stack(parts))
        leaves = np.ones((1, self.n))
        for part in parts:
            leaves = np.concatenate([leaves, leaves * part])
        timed, errors = self.time(self.saved), self.errors(left)
        rows = [
            self.time(self.saved + minutes * (1 - x))
            - timed
            + self.errors(left * (1 - share * (1 - x)))
            - errors
            for x in leaves
        ]
        return _Gain(rows=np.stack(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gain:
    """What remedies of one cause add: tabulated by set, or a weight and what each of them leaves."""

    rows: Floats | None = None
    weight: Floats | None = None
    parts: Floats | None = None

    def __call__(self, weight: Floats, part: Ints) -> Floats:
        """Expected gain of each set under a weight, shape (sets,)."""
        if self.rows is not None:
            return np.asarray((np.einsum("sn,n->s", self.rows, weight) / weight.size)[part])
        assert self.weight is not None
        assert self.parts is not None
        w = self.weight * weight
        total = float(w.sum())
        if not total > 0:
            return np.zeros(part.size)
        means = np.einsum("sn,n->s", self.parts, w) / total
        squares = np.einsum("sn,n->s", self.parts**2, w) / total
        spread = np.maximum(squares / np.maximum(means**2, 1e-300) - 1, 0.0)
        counted = total**2 / float((w * w).sum())
        left, wide = np.ones(part.size), np.ones(part.size)
        for j, (mean, s) in enumerate(zip(means, spread, strict=True)):
            has = (part >> j) & 1 == 1
            left[has] *= mean
            wide[has] *= 1 + s
        return np.asarray(total / w.size * (1 - left * (1 - NOISE * np.sqrt((wide - 1) / counted))))


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


def _places(bits: Sequence[int], sets: Ints) -> Ints:
    """Which of some remedies each set has, as a number whose bit j is the j-th of them."""
    found = np.zeros(sets.size, dtype=np.int64)
    for j, i in enumerate(bits):
        found |= ((sets >> i) & 1) << j
    return found
