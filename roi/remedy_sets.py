"""Every affordable set of remedies for a roll-out, each valued at most once, and the best of them.

Few sets are all valued. Of many, each is bounded first (`roi/set_bounds.py`) and then looked at, and sets are valued in
the order of what they can be worth until none that is left can be worth more than the best one found.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from roi.gate import Gate
from roi.measures import Measure, measure_for, more_cases
from roi.mended import has_price, mended_share, mended_with, only_mended
from roi.options import Valuer, basis_for
from roi.parameters import Policy
from roi.plans import Opening, Plan, opening, plan_of
from roi.prospects import Prospect
from roi.remedies import WEEKS_PER_MONTH, Remedy
from roi.same import somewhere
from roi.sampling import Basis
from roi.set_bounds import Bounds, affordable_sets, bounds_of
from roi.set_look import Look, look
from roi.set_order import Best, Kind, falling, is_of, rank
from roi.tariff import Prices

__all__ = ["EXACT_UP_TO", "Best", "Kind", "RemedySets"]

Floats = npt.NDArray[np.float64]
Segments = tuple[str, ...] | None
Then = tuple[Prospect, Opening]

EXACT_UP_TO = 20  # remedies; of more, the ones that bring most by themselves are searched
FEW = 64  # sets that are all valued
LOOKED_AT = (
    8  # sets that are all looked at where only the best is asked for, as to bound them first takes longer
)
MOST_VALUED = 25  # sets of very many that are valued in full at the most; what is left open then is said
MOST_LOOKED_AT = 320  # and sets of very many whose roll-out alone is looked at
VERY_MANY = 4096
KEPT = 16  # plans of a search that are kept beside the best
SAME = 1e-9  # relative difference below which two sets are worth the same, and the smaller is taken


@dataclass(frozen=True, kw_only=True)
class RemedySets:
    """Every set of remedies for a roll-out in some segments, each valued once.

    Attributes:
        valuer: Values roll-outs.
        segments: The scope; None for everything.
        failing: The scope's gates that do not hold.
        prices: What measuring costs.
        policy: The thresholds.
        seed: Seed of the run.
        every: Whether every one of few sets is valued, so that all can be listed; else only those that can be the best.
    """

    valuer: Valuer
    segments: Segments
    failing: tuple[Gate, ...]
    prices: Prices
    policy: Policy
    seed: int
    every: bool = True
    _plans: dict[int, Plan | None] = field(default_factory=dict, repr=False, compare=False)
    _looks: dict[int, Look | None] = field(default_factory=dict, repr=False, compare=False)
    _thens: dict[int, Then | None] = field(default_factory=dict, repr=False, compare=False)
    _opened: dict[tuple[str, ...], Opening | None] = field(default_factory=dict, repr=False, compare=False)
    _bases: dict[str, Basis] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def remedies(self) -> tuple[Remedy, ...]:
        """Those that can matter: they remove something that is lost or keeps a gate closed, or others wait for them."""
        causes = self.valuer.causes
        closed = {g.gate for g in self.failing}
        lost = {
            cause
            for shares in (causes.error_share, causes.excess_minutes)
            for cause, share in shares.items()
            if somewhere(share)
        }
        lost |= closed | {"severe_errors"} | ({"data"} if "usable_inputs" in closed else set())
        wanted = {r.name for r in self.valuer.remedies if r.addresses in lost and somewhere(r.removes)}
        while True:
            before = {name for r in self.valuer.remedies if r.name in wanted for name in r.after}
            if before <= wanted:
                return tuple(r for r in self.valuer.remedies if r.name in wanted)
            wanted |= before

    @cached_property
    def searched(self) -> tuple[Remedy, ...]:
        """Those among which sets are searched: all up to 20, else the ones that bring most by themselves."""
        every = self.remedies
        if len(every) <= EXACT_UP_TO:
            return every
        closed = {g.gate for g in self.failing}
        order = sorted(every, key=lambda r: (r.addresses not in closed, -self._alone(r)))
        names: set[str] = set()
        for remedy in order:
            needed = names | {r.name for r in self._with_before(remedy)}
            names = needed if len(needed) <= EXACT_UP_TO else names
        return tuple(r for r in every if r.name in names)

    @cached_property
    def left_out(self) -> float | None:
        """What the remedies that are not searched could add at the most; None where some of them open closed gates."""
        searched = {r.name for r in self.searched}
        closed = {g.gate for g in self.failing}
        others = [r for r in self.remedies if r.name not in searched]
        if any(r.addresses in closed for r in others):
            return None
        # What a remedy adds is largest where no other of its cause is bought, and nothing waits for it.
        return sum(
            max(self._alone(replace(r, cost_per_month=0.0, months=0.0, after=())), 0.0) for r in others
        )

    def _alone(self, remedy: Remedy) -> float:
        """What it adds to the roll-out by itself, gates aside."""
        option = self.valuer.roll_out(self.segments, remedies=self._with_before(remedy))
        assert option is not None
        return option.mean() - self.as_it_is

    @cached_property
    def as_it_is(self) -> float:
        """Expected worth of the roll-out without a remedy."""
        option = self.valuer.roll_out(self.segments)
        assert option is not None
        return option.mean()

    def _with_before(self, remedy: Remedy) -> tuple[Remedy, ...]:
        """A remedy and all that it has to wait for."""
        by_name = {r.name: r for r in self.valuer.remedies}
        found, names = {remedy.name: remedy}, list(remedy.after)
        while names:
            before = by_name[names.pop()]
            if before.name not in found:
                found[before.name] = before
                names += before.after
        return tuple(found.values())

    @cached_property
    def sets(self) -> npt.NDArray[np.int64]:
        """Affordable sets as numbers whose bit i is the i-th searched remedy; of few the smaller ones first."""
        found = affordable_sets(self.searched, self.policy, self.valuer)
        few = self.every and found.size <= FEW
        return np.asarray(sorted((int(s) for s in found), key=rank) if few else found, dtype=np.int64)

    @cached_property
    def bounds(self) -> Bounds:
        """What each set can be worth at the most; without a limit where all of them are looked at."""
        if not self.every and self.sets.size <= LOOKED_AT:
            unlimited = np.full(self.sets.size, np.inf)
            return Bounds(sets=self.sets, priced=unlimited, waiting=unlimited)
        where = self.segments, self.searched, self.failing, self.prices, self.policy, self.seed
        return bounds_of(self.valuer, *where, np.sort(self.sets))

    def chosen(self, number: int) -> tuple[Remedy, ...]:
        """The remedies of a set."""
        return tuple(r for i, r in enumerate(self.searched) if number >> i & 1)

    def number(self, remedies: Sequence[Remedy]) -> int:
        """The set of some remedies."""
        names = {r.name for r in remedies}
        return sum(1 << i for i, r in enumerate(self.searched) if r.name in names)

    @cached_property
    def _measures(self) -> dict[str, Measure | None]:
        """The measurement that each closed gate waits for, whatever is bought."""
        where = self.segments, self.valuer, self.prices, self.policy
        return {g.gate: None if only_mended(g) else measure_for(g, *where) for g in self.failing}

    @cached_property
    def _priced(self) -> frozenset[str]:
        """Closed gates that a remedy with a price mends; without such a one they stay closed, or are measured."""
        where = self.segments, self.valuer, self.policy, self.seed
        return frozenset(g.gate for g in self.failing if has_price(g, *where))

    def waits_for_price(self, gate: Gate) -> bool:
        """Whether a closed gate is opened neither by a remedy nor by a measurement that has a price."""
        measure = self._measures[gate.gate]
        return gate.gate not in self._priced and (measure is None or measure.price is None)

    def only_bought(self, gate: Gate) -> bool:
        """Whether a closed gate is opened by nothing but a remedy that has a price."""
        return gate.gate in self._priced and self._measures[gate.gate] is None

    @cached_property
    def further(self) -> list[Measure]:
        """Further samples that would make the worth surer."""
        return more_cases(self.segments, self.valuer, self.prices)

    def opened(self, chosen: tuple[Remedy, ...]) -> Opening | None:
        """How the closed gates fare after some remedies."""
        names = tuple(r.name for r in chosen)  # what remedies cost has no part in it
        if names not in self._opened:
            where = self.valuer.measured.draws, chosen, self.failing
            found = opening(*where, lambda g: self._measures[g.gate], self._priced, self._mended_by)
            if self.sets.size > FEW:
                return found  # too many to keep what each leaves of the gates
            self._opened[names] = found
        return self._opened[names]

    def _mended_by(self, gate: Gate, chosen: tuple[Remedy, ...]) -> Floats | None:
        """Chance that remedies make a gate pass; of few sets it is kept for a decision with other stated inputs."""
        where = self.segments, chosen, self.valuer, self.policy, self.seed
        if self.sets.size > LOOKED_AT:
            return mended_share(gate, *where)
        return self.valuer.held(mended_with(gate, *where), lambda: mended_share(gate, *where))

    def plan(self, number: int) -> Plan | None:
        """The plan that buys a set; None where there is none."""
        if number not in self._plans:
            then = self._thens.get(number)
            again = self.valued(self.chosen(number)) if then is None else plan_of(*then, self.further)
            self._plans[number] = again
        return self._plans[number]

    def valued(self, chosen: tuple[Remedy, ...]) -> Plan | None:
        """The plan that buys some remedies, valued afresh."""
        found = self.prospect(chosen)
        return None if found is None else plan_of(*found, self.further)

    def then(self, number: int) -> Then | None:
        """The roll-out after a set, which one price after another is asked of; None where a gate stays closed."""
        if number not in self._thens:
            plan, chosen = self._plans.get(number), self.chosen(number)
            opened = None if plan is None else self.opened(chosen)
            known = None if plan is None or opened is None else (plan.prospect, opened)
            self._thens[number] = known or self.prospect(chosen)
        return self._thens[number]

    def prospect(self, chosen: tuple[Remedy, ...]) -> Then | None:
        """The roll-out after some remedies, and how the closed gates fare; None where one stays closed."""
        weeks = self.policy.fix_weeks
        if weeks is not None and float(np.mean(self.valuer.delay_of(chosen))) * WEEKS_PER_MONTH > weeks:
            return None  # uncertain weeks: together they take longer than the longest of them
        opened = self.opened(chosen)
        if opened is None:
            return None
        prospect = Prospect(
            valuer=self.valuer,
            segments=self.segments,
            remedies=chosen,
            mended=opened.mended,
            approved=opened.approved,
            prices=self.prices,
            policy=self.policy,
            seed=self.seed,
            _bases=self._bases,
        )
        return prospect, opened

    def _at_most(self, number: int, kind: Kind, *, glance: bool = False) -> float:
        """What a set can be worth as a plan of a kind, after a look (or a mere glance) at its roll-out alone."""
        if number not in self._looks:
            self._looks[number] = self._look(number)
        found = self._looks[number]
        if found is None:
            return -np.inf
        sampled_waits = found.waits or self.prices.cases(1) is None
        sampled = sampled_waits == (kind == "waiting")
        return max(
            found.direct if found.waits == (kind == "waiting") else -np.inf,
            (found.glance if glance else found.most) if sampled else -np.inf,
        )

    def _look(self, number: int) -> Look | None:
        then = self.prospect(self.chosen(number))
        if then is None or then[0].option is None:
            return None
        found = look(*then, self.further, self._basis)
        if self.sets.size > LOOKED_AT:  # too many to keep what a closer look takes
            return replace(found, glance=found.most, closer=None)
        self._thens[number] = then  # it may be valued next
        return found

    @cached_property
    def _basis(self) -> Basis:
        """What samples tell of, ready to split the worth of any set."""
        option = self.valuer.roll_out(self.segments)
        assert option is not None
        return self._bases.setdefault("", basis_for(option))

    @property
    def many(self) -> bool:
        """Whether there are too many sets to value them all, or only the best is asked for."""
        return not self.every or self.sets.size > FEW

    def kept(self) -> list[Plan]:
        """Plans with every mend priced that were valued: all of few sets, of many the best."""
        valued = [(s, p) for s, p in self._plans.items() if p is not None and is_of(p, "priced")]
        if not self.many:
            return [p for _, p in sorted(valued, key=lambda x: rank(x[0]))]
        return [p for _, p in sorted(valued, key=lambda x: (-x[1].mean(), rank(x[0])))[:KEPT]]

    def best(self, kind: Kind, *, holds: int = 0, lacks: int = 0, above: float = -np.inf) -> Best:
        """The best set.

        Args:
            kind: Plans with every mend priced, or such as wait for a price.
            holds: Remedies that it has to hold.
            lacks: Remedies that it must not hold.
            above: Sets that are not worth more are not looked for.

        Returns:
            The plan of the highest expected worth; of such as are worth the same, that with the fewest remedies.
        """
        fits = (self.sets & holds == holds) & (self.sets & lacks == 0)
        numbers = self.sets[fits]
        if not self.many:
            return self._best_of([int(s) for s in numbers], kind)
        bound = (self.bounds.priced if kind == "priced" else self.bounds.waiting)[fits]
        best, worth, left_open = None, above, -np.inf
        valued = looked = 0
        most, looks = self.sets.size, self.sets.size
        if self.sets.size > VERY_MANY:
            most, looks = MOST_VALUED, MOST_LOOKED_AT
        order = iter(falling(bound))
        following = next(order, None)
        ahead: list[tuple[float, int]] = []  # sets that were looked at, the most promising first
        while True:
            least = worth - SAME * abs(worth) if np.isfinite(worth) else worth
            while following is not None and (not ahead or float(bound[following]) > -ahead[0][0]):
                number, limit = int(numbers[following]), float(bound[following])
                if not limit >= least:
                    following = None
                    break
                if looked >= looks:
                    left_open = limit
                    following = None
                    break
                looked += 1
                known = self._plans.get(number)
                seen = self._at_most(number, kind, glance=True) if known is None else known.mean()
                limit = min(limit, seen)
                if limit >= least and limit > -np.inf:
                    heapq.heappush(ahead, (-limit, number))
                following = next(order, None)
            if not ahead:
                break
            limit, number = -ahead[0][0], heapq.heappop(ahead)[1]
            if not limit >= least:
                break
            if number not in self._plans and (ahead or following is not None or least > -np.inf):
                closer = self._at_most(number, kind)
                if closer < limit:  # a glance promised more than a look does
                    if closer >= least and closer > -np.inf:
                        heapq.heappush(ahead, (-closer, number))
                    continue
            if number not in self._plans:
                if valued >= most:
                    left_open = max(left_open, limit)
                    break
                valued += 1
            plan = self.plan(number)
            if plan is None or not is_of(plan, kind):
                continue
            mean = plan.mean()
            more = mean - worth
            same = best is not None and abs(more) <= SAME * abs(worth)
            if (same and best is not None and rank(number) < rank(best)) or (more > 0 and not same):
                best, worth = number, mean
        return Best(
            plan=None if best is None else self.plan(best),
            gap=self._with_left_out(max(left_open - (worth if np.isfinite(worth) else 0.0), 0.0)),
        )

    def _best_of(self, numbers: Sequence[int], kind: Kind) -> Best:
        best: Plan | None = None
        for number in numbers:
            plan = self.plan(number)
            if plan is not None and is_of(plan, kind) and (best is None or plan.mean() > best.mean()):
                best = plan
        return Best(plan=best, gap=self._with_left_out(0.0))

    def _with_left_out(self, gap: float) -> float | None:
        return None if self.left_out is None else gap + self.left_out
