"""How closed gates fare for every set of remedies at once.

A set is a number whose bit i says whether remedy i is bought. A gate fares in one of few ways, whatever else is bought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from roi.gate import Gate
from roi.measures import Measure, measure_for, show_severe
from roi.mended import has_price, mended_share, only_mended, targets_of
from roi.options import Valuer
from roi.parameters import Policy
from roi.remedies import Effect, Remedy
from roi.tariff import Prices

__all__ = ["MOST_TOGETHER", "Fork", "Way", "forks_of", "places_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Segments = tuple[str, ...] | None

MOST_TOGETHER = 6  # remedies of one target whose sets are tabulated together


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way in which one closed gate fares: opened by remedies or a measurement, or left for a price."""

    passes: Floats | None = None  # None: for certain
    left: Floats | None = None  # of the errors, by remedies against severe ones and by approval; None: all
    minutes: Floats | None = None  # a case, saved on top: below 0 where approval takes more; None: 0
    cost: Floats | None = None  # a case, further; None: 0
    measure: Measure | None = None
    priced: bool = True
    blocked: bool = False
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """The ways of one gate, and which of them each set takes, shape (sets,)."""

    ways: tuple[Way, ...]
    taken: Ints

    def coarser(self) -> Fork:
        """With the ways in which remedies open it taken as one, as good as the best; or all taken as one."""
        first, *others = self.ways
        if len(others) <= 1:
            return Fork(ways=(_best(self.ways),), taken=np.zeros_like(self.taken))
        return Fork(ways=(first, _best(others)), taken=np.minimum(self.taken, 1))


def _best(ways: Sequence[Way]) -> Way:
    """One way that is at least as good as each of some."""
    passes = [w.passes for w in ways if w.passes is not None]
    left = [w.left for w in ways if w.left is not None]
    minutes = [w.minutes for w in ways if w.minutes is not None]
    cost = [w.cost for w in ways if w.cost is not None]
    return Way(
        passes=np.max(passes, axis=0) if len(passes) == len(ways) else None,
        left=np.min(left, axis=0) if left else None,
        minutes=np.max(minutes, axis=0) if minutes and len(minutes) == len(ways) else None,
        cost=np.min(cost, axis=0) if cost and len(cost) == len(ways) else None,
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

    def drawn(self, effect: Effect) -> Way:
        """What an effect changes of each case, drawn, as a way of a gate."""
        n = self.valuer.measured.draws
        changes = np.any(np.less(effect.kept, 1)), np.any(effect.minutes), np.any(effect.cost)
        each = (effect.kept, effect.minutes, effect.cost)
        left, minutes, cost = (
            np.broadcast_to(np.asarray(x, dtype=np.float64), (n,)) if some else None
            for some, x in zip(changes, each, strict=True)
        )
        return Way(left=left, minutes=minutes, cost=cost)

    def unmended(self, gate: Gate) -> Way:
        """The way of a gate that no remedy of a set opens."""
        if only_mended(gate):
            return Way(blocked=True)
        measure = measure_for(gate, self.segments, self.valuer, self.prices, self.policy)
        if measure is None:
            known = has_price(gate, self.segments, self.valuer, self.policy, self.seed)
            return Way(blocked=True) if known else Way(priced=False)
        passes = None
        if gate.gate == "severe_errors":
            passes = show_severe(measure.n, self.segments, self.valuer, self.policy, self.seed)
        return Way(measure=measure, passes=passes, priced=measure.price is not None)


def forks_of(
    valuer: Valuer,
    segments: Segments,
    remedies: Sequence[Remedy],
    failing: Sequence[Gate],
    prices: Prices,
    policy: Policy,
    seed: int,
    sets: Ints,
) -> list[Fork]:
    """The ways in which each closed gate fares; arguments as those of `roi.set_bounds.bounds_of`, and the sets."""
    at = _At(valuer=valuer, segments=segments, prices=prices, policy=policy, seed=seed)
    closed = {gate.gate: gate for gate in failing}
    # What addresses these changes every case, whether the gate is closed or not.
    by_case = {"severe_errors"} if valuer.approvals is None else {"human_approval", "severe_errors"}
    asked = by_case & {*closed, *(r.addresses for r in remedies)}
    found = [_fork_of(at, gate, remedies, sets) for name, gate in closed.items() if name not in by_case]
    if "human_approval" in asked:
        found.append(_fork_of_approval(at, closed.get("human_approval"), remedies, sets))
    if "severe_errors" in asked:
        found.append(_fork_of_severe_errors(at, closed.get("severe_errors"), remedies, sets))
    return found


def _fork_of(at: _At, gate: Gate, remedies: Sequence[Remedy], sets: Ints) -> Fork:
    bits = [i for i, r in enumerate(remedies) if r.addresses in targets_of(gate.gate)]
    ways = [at.unmended(gate)]
    if len(bits) > MOST_TOGETHER:
        share = at.mended(gate, [remedies[i] for i in bits])
        ways += [] if share is None else [_way(share, exact=False)]
        return Fork(ways=tuple(ways), taken=np.minimum(places_of(bits, sets), len(ways) - 1))
    of_part = []
    for part in range(1 << len(bits)):
        share = at.mended(gate, [remedies[i] for j, i in enumerate(bits) if part >> j & 1])
        way = ways[0] if share is None else _way(share)
        same = next((k for k, w in enumerate(ways) if _alike(w, way)), None)
        of_part.append(len(ways) if same is None else same)
        ways += [way] if same is None else []
    return Fork(ways=tuple(ways), taken=np.array(of_part)[places_of(bits, sets)])


def _fork_of_approval(at: _At, gate: Gate | None, remedies: Sequence[Remedy], sets: Ints) -> Fork:
    """What is decided on before it runs takes people's minutes and catches errors, for every set of its remedies."""
    bits = [i for i, r in enumerate(remedies) if r.addresses == "human_approval"]
    untouched = Way() if gate is None else at.unmended(gate)
    if not untouched.priced and untouched.measure is None:
        # What opens it has no price, but then every action waits.
        of_all = at.drawn(at.valuer.approving_of((), at.segments, approved=True))
        untouched = replace(untouched, left=of_all.left, minutes=of_all.minutes, cost=of_all.cost)

    def way(chosen: Sequence[Remedy], *, exact: bool = True) -> Way:
        share = None if gate is None else at.mended(gate, chosen)
        return replace(untouched if share is None else _way(share), exact=exact)

    if len(bits) > MOST_TOGETHER:
        every = [remedies[i] for i in bits]
        # At best it catches what all of them catch, and takes nothing.
        most = at.drawn(at.valuer.approving_of(tuple(every), at.segments))
        ways = (untouched, replace(way(every, exact=False), left=most.left))
        return Fork(ways=ways, taken=np.minimum(places_of(bits, sets), 1))
    found = [untouched]
    for part in range(1, 1 << len(bits)):
        chosen = tuple(remedies[i] for j, i in enumerate(bits) if part >> j & 1)
        changed = at.drawn(at.valuer.approving_of(chosen, at.segments))
        found.append(replace(way(chosen), left=changed.left, minutes=changed.minutes, cost=changed.cost))
    return Fork(ways=tuple(found), taken=places_of(bits, sets))


def _fork_of_severe_errors(at: _At, gate: Gate | None, remedies: Sequence[Remedy], sets: Ints) -> Fork:
    """They leave fewer errors whether the gate is closed or not; a gate exceeded may be opened by any cause's too."""
    bits = [i for i, r in enumerate(remedies) if r.addresses == "severe_errors"]
    shares = at.valuer.causes.error_share
    others = [i for i, r in enumerate(remedies) if r.addresses in shares and np.any(shares[r.addresses] > 0)]
    approval = [r for r in remedies if r.addresses == "human_approval" and at.valuer.approvals is not None]
    coarse = len(bits) > MOST_TOGETHER
    part = np.minimum(places_of(bits, sets), 1) if coarse else places_of(bits, sets)
    untouched = Way() if gate is None else at.unmended(gate)
    ways = [untouched]
    exceeded = gate is not None and gate.state == "exceeded" and gate.value is not None
    for k in range(2 if coarse else 1 << len(bits)):
        chosen = [remedies[i] for j, i in enumerate(bits) if k >> (0 if coarse else j) & 1]
        left = at.valuer.left_of("severe_errors", tuple(chosen))
        kept = np.broadcast_to(left, (at.valuer.measured.draws,)) if chosen else None
        if gate is None or not exceeded:
            ways.append(replace(untouched, left=kept, exact=not coarse))
            continue
        share = at.mended(gate, [*chosen, *(remedies[i] for i in others), *approval])
        opens = (
            untouched
            if share is None
            else Way(passes=share, left=kept, exact=not (others or approval or coarse))
        )
        ways.append(opens)
    alone = (part == 0) & (places_of(others, sets) == 0)
    return Fork(ways=tuple(ways), taken=np.where(alone, 0, part + 1))


def _way(share: Floats, *, exact: bool = True) -> Way:
    return Way(passes=None if np.all(share == 1) else share, exact=exact)


def _alike(a: Way, b: Way) -> bool:
    if a is b:
        return True
    if a.measure is not None or a.blocked or not a.priced or a.exact != b.exact:
        return False
    return a.passes is b.passes or (
        a.passes is not None and b.passes is not None and np.array_equal(a.passes, b.passes)
    )


def places_of(bits: Sequence[int], sets: Ints) -> Ints:
    """Which of some remedies each set has, as a number whose bit j is the j-th of them."""
    found = np.zeros(sets.size, dtype=np.int64)
    for j, i in enumerate(bits):
        found |= ((sets >> i) & 1) << j
    return found
