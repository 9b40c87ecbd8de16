"""The best set to fund: at most one option of each group, within every limit, exactly or with what is missed at most.

A multiple-choice knapsack with many limits. Groups are taken one after another and all partial choices are kept that
could still become the best: those whose bound (Lagrange multipliers, made better for each of them where they are many)
is below a set that is known already are dropped, and of two that use the same the poorer one. Where more are left than
can be held, the least promising go, and the best of their bounds says what the set may miss: no clock decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

__all__ = ["Best", "Problem", "best_set", "bound_of", "near_set"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_Set = tuple[float, tuple[int, ...]]  # its worth and its places

EXACT = 1e-9  # relative slack below which two sums are the same
MANY = 200  # partial choices from which on bounds of their own are made for them
COMPLETED = 200  # partial choices that are grown into whole sets
STEPS = 3  # by which the multipliers of a partial choice are made better
MOST_CHANGES = 60  # changes of two groups by which a first set is made better
MOST_KEPT = 400  # partial choices that others are held against, pair by pair
FIRST = 300  # partial choices that are held while a good set is looked for
WORK = 1_000_000  # partial choices held at a time × options × limits: what a second or so can look at


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What can be chosen.

    Attributes:
        worth: Worth of each option, shape (n_options,).
        use: What it uses of each limit, shape (n_options, n_limits); below 0 where it gives.
        group: The group of each option, shape (n_options,); at most one option of a group is chosen, and choosing
            none uses nothing and is worth 0.
        limit: Shape (n_limits,).
    """

    worth: Floats
    use: Floats
    group: Ints
    limit: Floats

    def __post_init__(self) -> None:
        n, m = self.worth.size, self.limit.size
        if not (self.use.shape == (n, m) and self.group.shape == (n,)):
            raise ValueError(
                f"{n} options and {m} limits, but use {self.use.shape}, group {self.group.shape}"
            )
        if not (np.isfinite(self.worth).all() and np.isfinite(self.use).all() and np.all(self.limit >= 0)):
            raise ValueError("worths and uses must be finite numbers and limits at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best set.

    Attributes:
        chosen: Places of the chosen options, ascending.
        worth: Their worth together.
        prices: Multipliers of the linear relaxation, shape (n_limits,). They bound worths; what more of a limit would
            bring they do not say, since choices are whole.
        bound: No set is worth more. The worth itself where the set is proven to be the best.
        kept: The most partial choices that were held at a time.
    """

    chosen: tuple[int, ...]
    worth: float
    prices: Floats
    bound: float
    kept: int

    @property
    def is_best(self) -> bool:
        """Whether no set is worth more."""
        return self.bound <= self.worth + EXACT * max(1.0, abs(self.worth))


def best_set(problem: Problem, *, most: int | None = None) -> Best:
    """The set of options that is worth the most: exactly, or with a bound on what is worth more.

    Args:
        problem: What can be chosen.
        most: Partial choices that are held at a time; by default as many as a second or two can look at.

    Returns:
        The best set, or the best that was found where more partial choices would have had to be held; among sets of the
        same worth always the same one.

    Source:
        Kellerer, Pferschy & Pisinger (2004), Knapsack Problems, ch. 9 (limits) and 11 (choices), for the relaxations;
        Held, Wolfe & Crowder (1974), Math. Programming 6:62, for the steps of the multipliers.
    """
    # In units of the largest use of each limit, so that the steps of all multipliers are alike.
    size, limit = _sized(problem)
    p = Problem(worth=problem.worth, use=problem.use / size, group=problem.group, limit=limit / size)
    prices = _prices(p)
    order = _order(p, prices)
    if not order:
        return Best(chosen=(), worth=0.0, prices=prices / size, bound=0.0, kept=1)
    room = p.limit + EXACT * np.maximum(p.limit, 1.0)
    if most is None:
        most = max(FIRST, WORK // (p.worth.size * max(p.limit.size, 1)))
    known = _improved(p, _greedy(p, order, prices, room), room)
    kept = 1
    # A good set is looked for first: the better it is, the more is dropped when all are looked at.
    for width in dict.fromkeys((min(FIRST, most), most)):
        known, missed, held = _searched(p, order, prices, room, known, width)
        kept = max(kept, held)
        if missed is None:
            break
    chosen = known[1]
    worth = float(np.sum(p.worth[list(chosen)])) if chosen else 0.0
    bound = worth if missed is None else max(worth, min(missed, bound_of(p, prices)))
    return Best(chosen=chosen, worth=worth, prices=prices / size, bound=bound, kept=kept)


def _searched(
    p: Problem, order: Sequence[Ints], prices: Floats, room: Floats, known: _Set, width: int
) -> tuple[_Set, float | None, int]:
    """The best set, the best bound of what was dropped though it might be better (None: nothing), and the most held."""
    m = p.limit.size
    slack = EXACT * max(float(np.abs(p.worth).max(initial=0.0)) * len(order), 1e-300)
    least = np.array([np.minimum(0.0, p.use[g].min(axis=0)) for g in order])
    frees = np.vstack(
        [np.cumsum(least[::-1], axis=0)[::-1], np.zeros((1, m))]
    )  # what later ones may give back
    worth, used, own = np.zeros(1), np.zeros((1, m)), prices[None, :]
    picks = np.full((1, 0), -1, dtype=np.int64)
    missed: float | None = None
    most = 1
    for k, places in enumerate(order):
        rest = _Rest.of(p, order[k + 1 :])
        total = (worth[:, None] + np.concatenate([[0.0], p.worth[places]])).ravel()
        more = np.vstack([np.zeros((1, m)), p.use[places]])
        spent = (used[:, None, :] + more).reshape(total.size, m)
        names = np.concatenate([[-1], places])
        parent, pick = np.divmod(np.arange(total.size), names.size)
        bound = total + rest.gain(own)[0].sum(axis=1)[parent] + _priced(p.limit - spent, own[parent])
        keep = np.flatnonzero(np.all(spent + frees[k + 1] <= room, axis=1) & (bound >= known[0] - slack))
        keep = keep[_undominated(total[keep], spent[keep], slack)]
        worth, used, own, bound = total[keep], spent[keep], own[parent[keep]], bound[keep]
        picks = np.concatenate([picks[parent[keep]], names[pick[keep]][:, None]], axis=1)
        if worth.size > MANY and k + 1 < len(order):
            bound, own = rest.tightened(worth, p.limit - used, own, known[0])
            top = np.argsort(-bound, kind="stable")
            for guide in (prices, own[top[0]]):
                first = top[:COMPLETED]
                grown = _completed(p, order[k + 1 :], guide, worth[first], used[first], picks[first], room)
                known = max(known, grown, key=lambda x: x[0])
            top = top[bound[top] >= known[0] - slack]
            if top.size > width:
                missed = max(float(bound[top[width]]), -np.inf if missed is None else missed)
            keep = np.sort(top[:width])
            worth, used, own, picks = worth[keep], used[keep], own[keep], picks[keep]
        most = max(most, worth.size)
    if worth.size and float(worth.max()) >= known[0] - slack:
        ties = np.sort(picks[worth >= float(worth.max()) - slack], axis=1)
        found = ties[np.lexsort(ties.T[::-1])[0]]
        known = float(worth.max()), tuple(int(x) for x in found if x >= 0)
    return known, None if missed is None or missed <= known[0] + slack else missed, most


@dataclass(frozen=True, slots=True)
class _Rest:
    """The options of the groups that are still to be chosen from, group by group."""

    worth: Floats
    use: Floats
    starts: Ints
    sizes: Ints

    @classmethod
    def of(cls, p: Problem, groups: Sequence[Ints]) -> _Rest:
        places = np.concatenate([np.zeros(0, dtype=np.int64), *groups])
        sizes = np.array([g.size for g in groups], dtype=np.int64)
        return cls(p.worth[places], p.use[places], np.cumsum(sizes) - sizes, sizes)

    def gain(self, prices: Floats) -> tuple[Floats, Floats]:
        """What each group can add at multipliers of shape (n, n_limits), and what each option is worth after them."""
        reduced = np.repeat(self.worth[None, :], prices.shape[0], axis=0)
        priced = np.empty_like(reduced)
        for k in range(
            prices.shape[1]
        ):  # not a matrix product, whose order of addition depends on the machine
            np.multiply(prices[:, k, None], self.use[None, :, k], out=priced)
            reduced -= priced
        if not self.sizes.size:
            return np.zeros((prices.shape[0], 0)), reduced
        return np.maximum(np.maximum.reduceat(reduced, self.starts, axis=1), 0.0), reduced

    def tightened(self, worth: Floats, left: Floats, prices: Floats, known: float) -> tuple[Floats, Floats]:
        """Bounds of partial choices with multipliers of their own: steps against what the relaxed choice overuses."""
        prices, best = prices.copy(), prices.copy()
        bound, pace = np.full(worth.size, np.inf), np.ones(worth.size)
        at = np.arange(worth.size)
        for step in range(STEPS + 1):
            gain, reduced = self.gain(prices[at])
            found = worth[at] + gain.sum(axis=1) + _priced(left[at], prices[at])
            better = found < bound[at]
            best[at[better]] = prices[at[better]]
            bound[at] = np.minimum(bound[at], found)
            pace[at[~better]] *= 0.6
            if step == STEPS:
                break
            taken = (reduced >= np.repeat(gain, self.sizes, axis=1)) & (reduced > 0)
            over = np.stack(
                [left[at, k] - (taken * self.use[:, k]).sum(axis=1) for k in range(left.shape[1])], 1
            )
            over[(prices[at] <= 0) & (over > 0)] = 0.0
            length = (over**2).sum(axis=1)
            size = pace[at] * np.maximum(found - known, 0.0) / np.maximum(length, 1e-300)
            prices[at] = np.maximum(0.0, prices[at] - size[:, None] * over)
            at = at[(bound[at] >= known) & (length > 0)]
            if not at.size:
                break
        return bound, best


def near_set(problem: Problem) -> Best:
    """A set that no two changes make better, and the relaxation's bound: quick, and not always the best.

    Args:
        problem: What can be chosen.
    """
    prices = _prices(problem)
    room = problem.limit + EXACT * np.abs(problem.limit)
    order = _order(problem, prices)
    worth, chosen = _improved(problem, _greedy(problem, order, prices, room), room) if order else (0.0, ())
    return Best(chosen=chosen, worth=worth, prices=prices, bound=bound_of(problem, prices), kept=1)


def bound_of(problem: Problem, prices: Floats, worth: Floats | None = None) -> float:
    """What no set is worth more than, at any multipliers of at least 0.

    Args:
        problem: What can be chosen.
        prices: Multipliers, shape (n_limits,).
        worth: Other worths of the options, shape (n_options,).
    """
    reduced = (problem.worth if worth is None else worth) - _priced(problem.use, prices)
    best = np.zeros(int(problem.group.max(initial=-1)) + 1)
    np.maximum.at(best, problem.group, reduced)
    return float(best.sum() + np.sum(problem.limit * prices))


def _priced(use: Floats, prices: Floats) -> Floats:
    # Not a matrix product, whose order of addition depends on the machine.
    return np.asarray((use * prices).sum(axis=-1), dtype=np.float64)


def _sized(p: Problem) -> tuple[Floats, Floats]:
    """The largest use of each limit, and the limits, of which more than anyone could use is as good as that."""
    size = np.abs(p.use).max(axis=0, initial=0.0)
    size = np.where(size > 0, size, 1.0)
    return size, np.minimum(p.limit, 2 * p.use.clip(0).sum(axis=0) + size)


def _prices(p: Problem) -> Floats:
    """Multipliers of the limits in the linear relaxation."""
    if not p.worth.size or not p.limit.size:
        return np.zeros(p.limit.size)
    size, limit = _sized(p)
    groups = np.unique(p.group)
    rows = np.vstack([(p.use / size).T, (p.group == groups[:, None]).astype(float)])
    sides = np.concatenate([limit / size, np.ones(groups.size)])
    top = float(np.abs(p.worth).max()) or 1.0
    found = linprog(-p.worth / top, A_ub=rows, b_ub=sides, bounds=(0, 1), method="highs-ds")
    if found.status != 0:
        return np.zeros(p.limit.size)  # any multipliers give a bound; these give the weakest
    duals = np.asarray(found.ineqlin.marginals, dtype=np.float64)
    return np.asarray(np.maximum(-duals[: p.limit.size], 0.0) * top / size, dtype=np.float64)


def _completed(
    p: Problem, rest: Sequence[Ints], prices: Floats, worth: Floats, used: Floats, picks: Ints, room: Floats
) -> _Set:
    """The best set that partial choices grow into where each group's best option that fits is taken."""
    reduced = p.worth - _priced(p.use, prices)
    worth, used = worth.copy(), used.copy()
    picks = np.concatenate([picks, np.full((worth.size, len(rest)), -1, dtype=np.int64)], axis=1)
    for back, places in enumerate(sorted(rest, key=lambda g: -float(reduced[g].max())), start=1):
        open_ = np.ones(worth.size, dtype=bool)
        for place in places[np.argsort(-reduced[places], kind="stable")]:
            take = open_ & (p.worth[place] > 0) & np.all(used + p.use[place] <= room, axis=1)
            worth[take] += p.worth[place]
            used[take] += p.use[place]
            picks[take, -back] = place
            open_ &= ~take
    worth = np.where(np.all(used <= room, axis=1), worth, -np.inf)
    best = int(np.argmax(worth))
    return float(worth[best]), tuple(int(x) for x in np.sort(picks[best]) if x >= 0)


def _order(p: Problem, prices: Floats) -> list[Ints]:
    """Options by group, the most clear-cut group first: what is left out of it is dropped at once."""
    reduced = p.worth - _priced(p.use, prices)
    found = []
    for g in np.unique(p.group):
        places = np.flatnonzero(p.group == g)
        best = np.sort(np.concatenate([[0.0], reduced[places]]))[::-1]
        found.append((-(best[0] - best[1]), int(g), places))
    return [places for _, _, places in sorted(found, key=lambda x: x[:2])]


def _greedy(p: Problem, order: Sequence[Ints], prices: Floats, room: Floats) -> tuple[int, ...]:
    """A set to begin with: the best option of each group at the multipliers, as long as it fits."""
    reduced = p.worth - _priced(p.use, prices)
    used, chosen = np.zeros(p.limit.size), []
    for places in order:
        for place in places[np.argsort(-reduced[places], kind="stable")]:
            if p.worth[place] > 0 and np.all(used + np.maximum(p.use[place], 0) <= room):
                used = used + p.use[place]
                chosen.append(int(place))
                break
    return tuple(sorted(chosen))


def _improved(p: Problem, chosen: tuple[int, ...], room: Floats) -> tuple[float, tuple[int, ...]]:
    """A set that no change of what is chosen in two groups makes better; the better it is, the more is dropped."""
    groups, group = np.unique(p.group, return_inverse=True)
    # Moves: each option taken into its group, and each group left out.
    worth = np.concatenate([p.worth, np.zeros(groups.size)])
    use = np.vstack([p.use, np.zeros((groups.size, p.limit.size))])
    of = np.concatenate([group, np.arange(groups.size)])
    apart = of[:, None] != of[None, :]
    now = p.worth.size + np.arange(groups.size)  # the move at which each group stands
    now[group[list(chosen)]] = list(chosen)
    for _ in range(MOST_CHANGES):
        gain = worth - worth[now[of]]
        more = use - use[now[of]]
        left = room - use[now].sum(axis=0)
        both = np.where(apart, gain[:, None] + gain[None, :], -np.inf)
        fits = np.all(more[:, None, :] + more[None, :, :] <= left, axis=2)
        both = np.where(fits, both, -np.inf)
        best = int(np.argmax(both))
        i, j = divmod(best, both.shape[1])
        if not both[i, j] > EXACT * max(1.0, float(np.abs(p.worth).max())):
            break
        now[of[i]], now[of[j]] = i, j
    kept = sorted(int(x) for x in now if x < p.worth.size)
    return float(np.sum(p.worth[kept])), tuple(kept)


def _undominated(worth: Floats, used: Floats, slack: float) -> Ints:
    """Partial choices that no other one beats in worth at no more of any limit."""
    order = np.lexsort((*used.T[::-1], -worth))
    if used.shape[1] == 0:
        return np.asarray(order[:1], dtype=np.int64)
    w, u = worth[order], used[order]
    if used.shape[1] == 1:
        before = np.minimum.accumulate(np.concatenate([[np.inf], u[:-1, 0]]))
        return np.asarray(order[u[:, 0] < before], dtype=np.int64)
    alive = np.ones(w.size, dtype=bool)
    columns = np.ascontiguousarray(u.T)
    for i in range(min(MOST_KEPT, w.size)):
        if alive[i]:
            beaten = w[i] >= w[i + 1 :]
            for column in columns:
                beaten &= column[i] <= column[i + 1 :]
            alive[i + 1 :] &= ~beaten
    return np.asarray(order[alive], dtype=np.int64)
