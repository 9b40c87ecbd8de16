"""What can be funded, under which limits; what the set might miss, and in which order it is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.candidates import Candidate, Fundable
from roi.funding import Best, Problem, best_set, near_set
from roi.joint import Joint
from roi.schema.portfolio import Portfolio

__all__ = ["Choice", "Limit", "Queue", "choice_of", "limits_of", "plain_name", "regret_of", "standing_order"]

Floats = npt.NDArray[np.float64]

SOLVED = 96  # draws of which the best set is found
MOST_SETS = 2_000  # sets up to which each is looked at, draw by draw
FEW = 12  # workflows above which nearly the best sets have to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Something scarce.

    Attributes:
        what: budget, builder, team or bar.
        name: Whose it is.
        unit: Of its amount.
        amount: How much there is.
        cost_per_week: Of a builder: what turns cost lines into weeks.
        is_met: Whether any option uses it.
    """

    what: str
    name: str
    unit: str
    amount: float
    cost_per_week: float | None = None
    is_met: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An option of a pilot in the portfolio's money.

    Attributes:
        candidate: The pilot.
        option: The option.
        worth: Shape (n_draws,), in the order of the portfolio's draws.
        use: What it uses of each limit, shape (n_limits,).
        cost: One-off money in all.
        now: One-off money that is asked for now.
        weeks: Weeks of building by who builds, cost lines turned into weeks where their price is stated.
        spans: Weeks from when each begins until it is done: its own remedies are built side by side, as in its business
            case.
        delay_cost: What a week's delay costs; None where it is not known.
    """

    candidate: Candidate
    option: Fundable
    worth: Floats
    use: Floats
    cost: float
    now: float
    weeks: Mapping[str, float]
    spans: Mapping[str, float]
    delay_cost: float | None

    def mean(self) -> float:
        """Expected worth."""
        return float(np.mean(self.worth))

    @staticmethod
    def problem(
        choices: Sequence[Choice], limits: Sequence[Limit], worth: Sequence[float] | Floats | None = None
    ) -> Problem:
        """The choice as a problem; other worths in place of the expected ones where they are given."""
        names = sorted({x.candidate.workflow for x in choices})
        return Problem(
            worth=np.array([x.mean() for x in choices] if worth is None else worth, dtype=np.float64),
            use=np.stack([x.use for x in choices]) if choices else np.zeros((0, len(limits))),
            group=np.array([names.index(x.candidate.workflow) for x in choices], dtype=np.int64),
            limit=np.array([limit.amount for limit in limits], dtype=np.float64),
        )


def plain_name(name: str | None) -> str:
    """What names of people and teams are compared by; empty where none is stated."""
    return " ".join((name or "").split()).casefold()


def limits_of(candidates: Sequence[Candidate], joint: Joint, plan: Portfolio) -> list[Limit]:
    """What is scarce: the budget, people who build, hours of teams, and the bar on those that do not pay."""
    options = [(c, o) for c in candidates if c.pilot in joint.worths for o in c.options]
    building = {plain_name(who) for _, o in options for who in (*o.weeks, *o.lines)}
    teams = {plain_name(c.record.get("owner")) for c, _ in options}
    found = []
    if plan.budget is not None:
        found.append(Limit(what="budget", name="Budget", unit=joint.currency, amount=plan.budget))
    for name, builder in plan.builders.items():
        found.append(
            Limit(
                what="builder",
                name=name,
                unit="weeks",
                amount=builder.weeks,
                cost_per_week=builder.cost_per_week,
                is_met=plain_name(name) in building,
            )
        )
    for name, hours in plan.teams.items():
        found.append(
            Limit(
                what="team", name=name, unit="hours a month", amount=hours, is_met=plain_name(name) in teams
            )
        )
    if plan.max_share_not_paying is not None:
        found.append(Limit(what="bar", name="Expected not to pay", unit="pilots", amount=0.0))
    return found


def choice_of(
    candidate: Candidate, place: int, joint: Joint, limits: Sequence[Limit], plan: Portfolio
) -> Choice:
    """An option of a pilot, in the portfolio's money and against its limits."""
    o, rate = candidate.options[place], joint.rates[candidate.pilot]
    weeks, spans = dict(o.weeks), dict(o.weeks if o.spans is None else o.spans)
    for limit in limits:
        if limit.what == "builder" and limit.cost_per_week is not None:
            for who, amount in o.lines.items():
                if plain_name(who) == plain_name(limit.name):
                    for each in (weeks, spans):
                        each[who] = each.get(who, 0.0) + amount * rate / limit.cost_per_week
    use = np.zeros(len(limits))
    for k, limit in enumerate(limits):
        if limit.what == "budget":
            use[k] = o.cost * rate
        elif limit.what == "builder":
            use[k] = sum(n for who, n in weeks.items() if plain_name(who) == plain_name(limit.name))
        elif limit.what == "team":
            is_theirs = plain_name(candidate.record.get("owner")) == plain_name(limit.name)
            use[k] = o.hours if is_theirs else 0.0
        else:
            # Each funded pilot may add so much to those that do not pay; a surer one makes room for another.
            assert plan.max_share_not_paying is not None
            use[k] = 1 - o.chance - plan.max_share_not_paying
    return Choice(
        candidate=candidate,
        option=o,
        worth=joint.worths[candidate.pilot][place],
        use=use,
        cost=o.cost * rate,
        now=o.now * rate,
        weeks=weeks,
        spans=spans,
        delay_cost=None if o.delay_cost is None else o.delay_cost * rate,
    )


def regret_of(choices: Sequence[Choice], limits: Sequence[Limit], best: Best, joint: Joint) -> dict[str, Any]:
    """What the set is expected to miss against whoever knew every worth: E[max over sets] − max E.

    Exact over all draws where nothing is scarce or the sets are few. Else the best sets of some draws are found: half
    of them say which sets to look at over all draws, the other half what these miss. Of many workflows these sets are
    nearly the best only; then `value` is a little low, and `at_most` rests on the bounds of the same draws.
    """
    if not choices:
        return {"value": 0.0, "how": "exact", "draws": joint.draws, "error": 0.0, "at_most": 0.0}
    worth = np.stack([x.worth for x in choices])
    problem = Choice.problem(choices, limits)
    free = bool(np.all(problem.use.clip(0).sum(axis=0) <= problem.limit))
    prices = np.zeros(len(limits)) if free else best.prices
    reduced = worth - (problem.use * prices).sum(axis=1)[:, None]
    groups = np.unique(problem.group)
    bound = sum(np.maximum(reduced[problem.group == g].max(axis=0), 0.0) for g in groups)
    bound = np.asarray(bound) + float(np.sum(problem.limit * prices))
    at_most = max(0.0, float(bound.mean()) - best.worth)
    exact = {"how": "exact", "draws": joint.draws, "error": 0.0}
    if free:
        return {"value": at_most, **exact, "at_most": at_most}
    if (sets := _every_set(problem)) is not None:
        value = max(0.0, float(_best_of(sets, worth).mean()) - best.worth)
        return {"value": value, **exact, "at_most": value}
    few = groups.size <= FEW
    looked = (np.arange(SOLVED) * joint.draws // SOLVED).astype(np.int64)  # draws are in no order of worth
    solve = best_set if few else near_set
    solved = [solve(Choice.problem(choices, limits, worth[:, i])) for i in looked]
    pool = sorted({best.chosen, *(s.chosen for s in solved[::2])})
    known = _best_of(pool, worth)
    missed = np.array([s.worth - known[i] for s, i in zip(solved[1::2], looked[1::2], strict=True)])
    if not few:
        missed = np.maximum(missed, 0.0)
        over = [s.bound - known[i] for s, i in zip(solved[1::2], looked[1::2], strict=True)]
        at_most = min(at_most, float(known.mean() + np.mean(over)) - best.worth)
    return {
        "value": max(0.0, float(known.mean() + missed.mean()) - best.worth),
        "how": "sampled" if few else "bounded",
        "draws": SOLVED,
        "error": float(missed.std(ddof=1) / np.sqrt(missed.size)),
        "at_most": at_most,
    }


def _every_set(problem: Problem) -> list[tuple[int, ...]] | None:
    """Every set that the limits allow; None where there are too many to look at each."""
    sets: list[tuple[int, ...]] = [()]
    used = np.zeros((1, problem.limit.size))
    for g in np.unique(problem.group):
        places = np.flatnonzero(problem.group == g)
        if len(sets) * (places.size + 1) > 20 * MOST_SETS:
            return None
        sets = [s + more for s in sets for more in ((), *((int(i),) for i in places))]
        uses = np.vstack([np.zeros((1, problem.limit.size)), problem.use[places]])
        used = (used[:, None, :] + uses).reshape(len(sets), problem.limit.size)
    fits = np.all(used <= problem.limit + 1e-9 * np.maximum(problem.limit, 1), axis=1)
    return [s for s, ok in zip(sets, fits, strict=True) if ok] if int(fits.sum()) <= MOST_SETS else None


def _best_of(sets: Sequence[tuple[int, ...]], worth: Floats) -> Floats:
    """The worth of the best of some sets, draw by draw."""
    best = np.full(worth.shape[1], -np.inf)
    for chosen in sets:
        np.maximum(best, worth[list(chosen)].sum(axis=0) if chosen else 0.0, out=best)
    return best


@dataclass(slots=True)
class Queue:
    """Until when who builds is at work: one pilot at a time where the same people build for it.

    Attributes:
        free: The week from which each is free, by name.
    """

    free: dict[str, float] = field(default_factory=dict)

    def add(self, spans: Mapping[str, float]) -> tuple[float, float]:
        """Put something at the end: the weeks in which it begins, once all who build it are free, and ends."""
        each: dict[str, float] = {}
        for name, n in spans.items():
            each[plain_name(name)] = each.get(plain_name(name), 0.0) + n
        start = max((self.free.get(name, 0.0) for name in each), default=0.0)
        for name, n in each.items():
            self.free[name] = start + n
        return start, start + max(each.values(), default=0.0)


def standing_order(funded: Sequence[Choice], queue: Queue) -> list[dict[str, Any]]:
    """The order in which the funded are built, one at a time where the same people must build.

    By what a week's delay costs per week of building, the highest first (Smith 1956): of jobs of the same people no
    other order loses less while they wait.

    Args:
        funded: The set.
        queue: Takes down until when who builds is at work.
    """

    def ratio(x: Choice) -> float:
        weeks = sum(x.spans.values())
        gain = x.delay_cost if x.delay_cost is not None else x.mean() / 156
        return float("inf") if weeks == 0 else gain / weeks

    found = []
    for x in sorted(funded, key=lambda x: (-ratio(x), x.candidate.pilot)):
        start, end = queue.add(x.spans)
        value = ratio(x)
        found.append(
            {
                "pilot": x.candidate.pilot,
                "builders": sorted(x.spans),
                "start_week": start,
                "end_week": end,
                "per_week_of_building": None if value == float("inf") else value,
                "lost_while_waiting": None if x.delay_cost is None else start * x.delay_cost,
            }
        )
    return found
