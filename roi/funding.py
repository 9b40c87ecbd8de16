"""The best set to fund: at most one option of each group, within every limit, exactly.

A multiple-choice knapsack with many limits. Groups are taken one after another and all partial choices are kept that
could still become the best: those whose bound (Lagrange multipliers of the linear relaxation) is below a set that is
known already are dropped, and of two that use the same the poorer one.
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

EXACT = 1e-9  # relative slack below which two sums are the same
MANY = 300  # partial choices from which on bounds of their own are made for them
COMPLETED = 200  # partial choices that are grown into whole sets
LOOKED_AT = 6  # partial choices whose own multipliers are looked for
MOST_CHANGES = 60  # changes of two groups by which a first set is made better
MOST_KEPT = 400  # partial choices that others are held against, pair by pair


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
        prices: What one more unit of each limit would bring (multipliers of the linear relaxation), shape (n_limits,).
        bound: The relaxation's bound: no set is worth more.
        kept: The most partial choices that were held at a time.
    """

    chosen: tuple[int, ...]
    worth: float
    prices: Floats
    bound: float
    kept: int


def best_set(problem: Problem) -> Best:
    """The set of options that is worth the most, exactly.

    Args:
        problem: What can be chosen.

    Returns:
        The best set; among sets of the same worth always the same one.

    Source:
        Kellerer, Pferschy & Pisinger (2004), Knapsack Problems, ch. 9 (limits) and 11 (choices), for the relaxations.
    """
    p = problem
    prices = _prices(p)
    order = _order(p, prices)
    if not order:
        return Best(chosen=(), worth=0.0, prices=prices, bound=0.0, kept=1)
    scale = float(np.abs(p.worth).max(initial=0.0)) * max(len(order), 1)
    slack = EXACT * max(scale, 1e-300)
    room = p.limit + EXACT * np.maximum(np.abs(p.limit), np.abs(p.use).max(axis=0, initial=0.0))
    # What the groups after the k-th can still add at the multipliers, and the least that they must use.
    reduced = p.worth - _priced(p.use, prices)
    gain = [max(0.0, float(reduced[g].max())) for g in order]
    least = [np.minimum(0.0, p.use[g].min(axis=0)) for g in order]
    later = np.concatenate([np.cumsum(np.array(gain)[::-1])[::-1], [0.0]])
    frees = np.vstack([np.cumsum(np.array(least)[::-1], axis=0)[::-1], np.zeros((1, p.limit.size))])
    known, chosen = _improved(p, _greedy(p, order, prices, room), room)
    worth, used = np.zeros(1), np.zeros((1, p.limit.size))
    picks = np.full((1, 0), -1, dtype=np.int64)
    most = 1
    for k, places in enumerate(order):
        own = np.concatenate([[0.0], p.worth[places]])
        uses = np.vstack([np.zeros((1, p.limit.size)), p.use[places]])
        names = np.concatenate([[-1], places])
        total = (worth[:, None] + own).ravel()
        spent = (used[:, None, :] + uses).reshape(total.size, p.limit.size)
        fits = np.all(spent + frees[k + 1] <= room, axis=1)
        bound = total + later[k + 1] + _priced(p.limit - spent, prices)
        keep = np.flatnonzero(fits & (bound >= known - slack))
        parent, pick = np.divmod(keep, own.size)
        worth, used = total[keep], spent[keep]
        picks = np.concatenate([picks[parent], names[pick][:, None]], axis=1)
        alive = _undominated(worth, used, slack)
        worth, used, picks = worth[alive], used[alive], picks[alive]
        if worth.size > MANY and k + 1 < len(order):
            rest = order[k + 1 :]
            bound = worth + later[k + 1] + _priced(p.limit - used, prices)
            tried = [prices, *_prices_within(p, rest, p.limit - used, bound)]
            for other in tried:
                free = sum(max(0.0, float((p.worth[g] - _priced(p.use[g], other)).max())) for g in rest)
                bound = np.minimum(bound, worth + free + _priced(p.limit - used, other))
                top = np.argsort(-bound, kind="stable")[:COMPLETED]
                known = max(known, _completed(p, rest, other, worth[top], used[top], room))
            alive = np.flatnonzero(bound >= known - slack)
            worth, used, picks = worth[alive], used[alive], picks[alive]
        most = max(most, worth.size)
        done = np.all(used <= room, axis=1)  # stopping everything that is left is a choice, too
        if done.any():
            known = max(known, float(worth[done].max()))
    if worth.size:
        best = float(worth.max())
        ties = np.sort(picks[worth >= best - slack], axis=1)
        found = ties[np.lexsort(ties.T[::-1])[0]]
        chosen = tuple(int(x) for x in found if x >= 0)
    total_worth = float(np.sum(p.worth[list(chosen)])) if chosen else 0.0
    return Best(chosen=chosen, worth=total_worth, prices=prices, bound=bound_of(p, prices), kept=most)


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


def _prices(p: Problem) -> Floats:
    """Multipliers of the limits in the linear relaxation."""
    if not p.worth.size or not p.limit.size:
        return np.zeros(p.limit.size)
    size = np.maximum(np.abs(p.use).max(axis=0), 1e-300)
    groups = np.unique(p.group)
    rows = np.vstack([(p.use / size).T, (p.group == groups[:, None]).astype(float)])
    sides = np.concatenate([p.limit / size, np.ones(groups.size)])
    top = float(np.abs(p.worth).max()) or 1.0
    found = linprog(-p.worth / top, A_ub=rows, b_ub=sides, bounds=(0, 1), method="highs-ds")
    if found.status != 0:
        return np.zeros(p.limit.size)  # any multipliers give a bound; these give the weakest
    duals = np.asarray(found.ineqlin.marginals, dtype=np.float64)
    return np.asarray(np.maximum(-duals[: p.limit.size], 0.0) * top / size, dtype=np.float64)


def _prices_within(p: Problem, rest: Sequence[Ints], left: Floats, bound: Floats) -> list[Floats]:
    """Multipliers of what is left to choose, for a few of the partial choices: the promising ones, and unlike ones."""
    places = np.concatenate(rest)
    share = left / np.maximum(p.limit, 1e-300)
    looked = [int(np.argmax(bound))]
    away = np.full(left.shape[0], np.inf)
    for _ in range(LOOKED_AT):
        away = np.minimum(away, np.abs(share - share[looked[-1]]).max(axis=1))
        looked.append(int(np.argmax(away * (bound - bound.min() + 1e-12))))
    found = []
    for i in dict.fromkeys(looked):
        part = Problem(
            worth=p.worth[places], use=p.use[places], group=p.group[places], limit=np.maximum(left[i], 0.0)
        )
        found.append(_prices(part))
    return found


def _completed(
    p: Problem, rest: Sequence[Ints], prices: Floats, worth: Floats, used: Floats, room: Floats
) -> float:
    """The best set that partial choices grow into where each group's best option that fits is taken."""
    reduced = p.worth - _priced(p.use, prices)
    worth, used = worth.copy(), used.copy()
    for places in sorted(rest, key=lambda g: -float(reduced[g].max())):
        open_ = np.ones(worth.size, dtype=bool)
        for place in places[np.argsort(-reduced[places], kind="stable")]:
            take = open_ & (p.worth[place] > 0) & np.all(used + p.use[place] <= room, axis=1)
            worth[take] += p.worth[place]
            used[take] += p.use[place]
            open_ &= ~take
    done = np.all(used <= room, axis=1)
    return float(worth[done].max()) if done.any() else 0.0


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
    for i in range(min(MOST_KEPT, w.size)):
        if alive[i]:
            beaten = np.all(u[i] <= u[i + 1 :], axis=1) & (w[i] >= w[i + 1 :])
            alive[i + 1 :] &= ~beaten
    return np.asarray(order[alive], dtype=np.int64)
