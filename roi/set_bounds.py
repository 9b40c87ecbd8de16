"""What every set of remedies can be worth at the most, all sets at once, from tables of what few remedies do together.

A set is a number whose bit i says whether remedy i is bought. Its worth is at most a sum: the roll-out as it stands,
after the delay of the set and with the gates that it opens; and for each cause what the remedies of that cause bring
alone. Causes together bring no more than that: minutes add up, errors that are left multiply, and no gain of time or of
errors is worth more a unit where there is more of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

MOST_TOGETHER = 6  # remedies of one cause whose sets are tabulated together
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """Where gates are asked for."""

    valuer: Valuer
    segments: Segments
    prices: Prices
    policy: Policy
    seed: int

    def mended(self, gate: Gate, chosen: Sequence[Remedy]) -> Floats | None:
        """Chance that remedies open a gate; None where none addresses it."""
        return mended_share(gate, self.segments, tuple(chosen), self.valuer, self.policy, self.seed)

    def unmended(self, gate: Gate) -> _Way:
        """The way of a gate that no remedy opens."""
        if only_mended(gate):
            return _Way(blocked=True)
        measure = measure_for(gate, self.segments, self.valuer, self.prices, self.policy)
        if measure is None:
            return _Way(priced=False)
        passes = None
        if gate.gate == "severe_errors":
            passes = show_severe(measure.n, self.segments, self.valuer, self.policy, self.seed)
        return _Way(measure=measure, passes=passes, priced=measure.price is not None)


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
        The bounds. What remedies cost is taken five standard errors lower, for prices may go together by chance with
        the draws in which gates open. A further sample tells no more than everything, whatever is drawn anew.

    Source:
        Scarf (1958), A min-max solution of an inventory problem, on the mean of what is above 0.
    """
    sets = affordable_sets(remedies, policy, valuer)
    at = _At(valuer=valuer, segments=segments, prices=prices, policy=policy, seed=seed)
    forks = _forks(at, failing, remedies, sets)
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


def _forks(at: _At, failing: Sequence[Gate], remedies: Sequence[Remedy], sets: Ints) -> list[_Fork]:
    found = [_fork_of(at, gate, remedies, sets) for gate in failing if gate.gate != "severe_errors"]
    severe = next((g for g in failing if g.gate == "severe_errors"), None)
    if severe is not None or any(r.addresses == "severe_errors" for r in remedies):
        found.append(_fork_of_severe_errors(at, severe, remedies, sets))
    return found


def _fork_of(at: _At, gate: Gate, remedies: Sequence[Remedy], sets: Ints) -> _Fork:
    targets = (gate.gate, "data") if gate.gate == "usable_inputs" else (gate.gate,)
    bits = [i for i, r in enumerate(remedies) if r.addresses in targets]
    ways = [at.unmended(gate)]
    if len(bits) > MOST_TOGETHER:
        share = at.mended(gate, [remedies[i] for i in bits])
        ways += [] if share is None else [_way(share, exact=False)]
        return _Fork(ways=tuple(ways), taken=np.minimum(_places(bits, sets), len(ways) - 1))
    of_part = []
    for part in range(1 << len(bits)):
        share = at.mended(gate, [remedies[i] for j, i in enumerate(bits) if part >> j & 1])
        way = ways[0] if share is None else _way(share)
        same = next((k for k, w in enumerate(ways) if _alike(w, way)), None)
        of_part.append(len(ways) if same is None else same)
        ways += [way] if same is None else []
    return _Fork(ways=tuple(ways), taken=np.array(of_part)[_places(bits, sets)])


def _fork_of_severe_errors(at: _At, gate: Gate | None, remedies: Sequence[Remedy], sets: Ints) -> _Fork:
    """They leave fewer errors whether the gate is closed or not; a gate exceeded may be opened by any cause's too."""
    bits = [i for i, r in enumerate(remedies) if r.addresses == "severe_errors"]
    shares = at.valuer.causes.error_share
    others = [i for i, r in enumerate(remedies) if r.addresses in shares and np.any(shares[r.addresses] > 0)]
    coarse = len(bits) > MOST_TOGETHER
    part = np.minimum(_places(bits, sets), 1) if coarse else _places(bits, sets)
    untouched = _Way() if gate is None else at.unmended(gate)
    ways = [untouched]
    exceeded = gate is not None and gate.state == "exceeded" and gate.value is not None
    for k in range(2 if coarse else 1 << len(bits)):
        chosen = [remedies[i] for j, i in enumerate(bits) if k >> (0 if coarse else j) & 1]
        left = at.valuer.left_of("severe_errors", tuple(chosen))
        kept = np.broadcast_to(left, (at.valuer.measured.draws,)) if chosen else None
        if gate is None or not exceeded:
            ways.append(replace(untouched, left=kept, exact=not coarse))
            continue
        share = at.mended(gate, [*chosen, *(remedies[i] for i in others)])
        opens = untouched if share is None else _Way(passes=share, left=kept, exact=not (others or coarse))
        ways.append(opens)
    alone = (part == 0) & (_places(others, sets) == 0)
    return _Fork(ways=tuple(ways), taken=np.where(alone, 0, part + 1))


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
        unsure = [i for i, x in enumerate(done) if np.ndim(x) > 0]
        self.months_known = len(unsure) <= MOST_UNSURE
        if not self.months_known:  # then a set takes at least as long as its longest chain does on average
            done = [np.float64(np.mean(x)) for x in done] if len(unsure) > MOST_UNSURE else done
            unsure = []
        self.done = done
        self.unsure = unsure
        self.sure = np.unique([0.0, *(float(x) for i, x in enumerate(done) if i not in unsure)])
        rank = [0 if i in unsure else int(np.searchsorted(self.sure, float(x))) for i, x in enumerate(done)]
        self.late = (_largest(rank)[sets].astype(np.int64) << len(unsure)) + _places(unsure, sets)

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
        value = _Value(self.valuer, self.scope)
        groups = self._groups()
        monthly = _summed([float(np.min(r.cost_per_month)) for r in self.remedies])[self.sets]
        monthly_mean = _summed([_least(r.cost_per_month, self.n) for r in self.remedies])[self.sets]
        cost = _summed([_least(r.cost, self.n) for r in self.remedies])[self.sets]
        fixed = np.asarray(e.wind_down - e.one_off() - self.off)
        whole = annuity(e.discount, e.horizon)
        direct = np.full(self.sets.size, -np.inf)
        sampled = np.full(self.sets.size, -np.inf)
        cheapest = min((cost_of([m], self.prices) for m in self.samples if m.price is not None), default=0.0)
        known: dict[tuple[int, ...], tuple[Floats, _Gains]] = {}
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
            key = tuple(id(x) for w in ways for x in (w.passes, w.left) if x is not None)
            if key not in known:
                gains_of = [(bits, value.gains(cause, chosen, left)) for cause, bits, chosen in groups]
                known[key] = value.a_month(left), _Gains(gains_of)
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

    def gains(self, cause: str, chosen: Sequence[Remedy], left: Floats | float) -> Floats:
        """What remedies of one cause add, set by set."""
        share = np.maximum(self.causes.error_share[cause], 0.0)
        minutes = np.maximum(self.causes.excess_minutes.get(cause, np.zeros(self.n)), 0.0)
        leaves = np.ones((1, self.n))
        for remedy in chosen:
            leaves = np.concatenate([leaves, leaves * np.subtract(1.0, remedy.removes)])
        timed, errors = self.time(self.saved), self.errors(left)
        rows = [
            self.time(self.saved + minutes * (1 - x))
            - timed
            + self.errors(left * (1 - share * (1 - x)))
            - errors
            for x in leaves
        ]
        found: Floats = np.stack(rows)
        return found


class _Gains:
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
            found += (np.einsum("sn,n->s", rows, passes * ramp) / passes.size)[_places(bits, sets)]
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
        places = [_places(bits, sets) for bits in self.bits]
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
