"""Designs of approval: what is held for a person, what then still gets through, and what the holding costs a month.

A wrong action that is not held costs its error; one that is held does so unless approval catches it. Holding takes
minutes of each action and mending what was caught, and time on the clock. Expected sums of kinds add up, whatever is
held of the others, so that the best design is a choice of one option a kind (`roi.approval_choice`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from roi.approval_choice import Choice, cheapest, frontier, least_harm
from roi.approval_losses import ApprovalLosses
from roi.assumptions import Number
from roi.draws import stream

__all__ = ["ALL", "NONE", "Design", "Designs", "Holding", "Monthly"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What may be held of a kind.

    Attributes:
        gate: none, all, or the column of a threshold: amount (at and above) or confidence (below).
        at: The threshold; None without one.
        actions: Share of the kind's actions that wait.
        wrong: Share of its wrong actions among them.
        events: Wrong actions seen, from which `wrong` is drawn; infinite where it is no estimate.
    """

    gate: str
    at: float | None = None
    actions: float
    wrong: float
    events: float = np.inf


NONE, ALL = 0, 1  # places of the first two options of each kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """Prices, and cases a month at the adoption ceiling; each a number or shape (n_draws,).

    Attributes:
        cases: Cases that the agent gets.
        error_cost: What an error costs.
        severe: Share of errors that are severe.
        labour: Cost of an hour of labour.
        waiting: Cost of an hour that an action waits; None where it is not stated and so not priced.
    """

    cases: Number
    error_cost: Number
    severe: Number
    labour: Number
    waiting: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A design or a practice; draws have shape (n_draws,).

    Attributes:
        picks: Option of each kind; None for what the log shows was done.
        loss: What errors that get through cost a month.
        severe: Severe errors a case that get through.
        errors: Errors a case that get through.
        approval: What approving costs a month: people's minutes, and waiting where it is priced.
        minutes: Minutes a case that people approve and mend.
        hours: Hours a month that people approve; without mending.
        waiting: Hours a case that actions wait; None where nothing is timed.
    """

    picks: tuple[int, ...] | None
    loss: Floats
    severe: Floats
    errors: Floats
    approval: Floats
    minutes: Floats
    hours: Floats
    waiting: float | None

    def total(self) -> float:
        """Expected cost a month, errors and approval."""
        return float(self.loss.mean() + self.approval.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Designs:
    """Every design there is, and what each is expected to bring.

    Attributes:
        losses: What kinds of actions do wrong and take.
        monthly: Prices.
        seed: Seed of the run.
        repairs: Whether repairs count as caught, beside rejections.
    """

    losses: ApprovalLosses
    monthly: Monthly
    seed: int
    repairs: bool = True
    known: dict[str, Floats] = field(default_factory=dict, repr=False, compare=False)

    def options(self, kind: int) -> tuple[Holding, ...]:
        """What may be held of a kind: nothing, everything, or beyond a threshold."""
        cuts = [
            Holding(gate=c.column, at=c.at, actions=c.actions, wrong=c.wrong, events=c.events)
            for c in self.losses.cuts[kind]
        ]
        return (
            Holding(gate="none", actions=0.0, wrong=0.0),
            Holding(gate="all", actions=1.0, wrong=1.0),
            *cuts,
        )

    def cheapest(self, *, limit: float, required: Collection[int] = ()) -> Choice | None:
        """The design of least total cost whose expected severe errors a case keep to the limit.

        Args:
            limit: The most severe errors a case.
            required: Kinds of which everything has to be held.

        Returns:
            The choice, its harm without errors that no action made; None where no design keeps to the limit.
        """
        return self._chosen(required, lambda c, h: cheapest(c, h, limit=limit - self.loose_severe()))

    def least_severe(self, *, required: Collection[int] = ()) -> Choice:
        """The design with the fewest severe errors; of equals the cheapest."""
        found = self._chosen(required, least_harm)
        assert found is not None
        return found

    def frontier(self) -> tuple[Choice, ...]:
        """The designs that no other beats in both hours of approving and expected loss, by rising hours."""
        kinds = range(len(self.losses.kinds))
        return frontier(
            [self._hours(k) for k in kinds],
            [self._loss(k) for k in kinds],
        )

    def loose_severe(self) -> float:
        """Severe errors a case that no action made which may be held."""
        return float(np.mean(self.losses.loose * self.monthly.severe))

    def of(self, picks: Sequence[int]) -> Design:
        """A design, drawn."""
        x = self.losses
        errors = x.loose.copy()
        minutes, mended = np.zeros(errors.size), np.zeros(errors.size)
        waiting = 0.0
        for k, pick in enumerate(picks):
            option = self.options(k)[pick]
            errors += self._wrong()[k]
            if not option.actions > 0:
                continue
            caught = self._caught()[k] * self._share(k, option)
            errors -= caught
            mended += caught
            minutes += option.actions * x.asked[k] * self._minutes(k)
            waiting += option.actions * float(x.asked[k] * x.wait[k])
        return self._design(tuple(picks), errors, minutes, mended, waiting)

    def practised(self) -> Design:
        """What the log shows was done: it leaves just the errors that were measured."""
        x = self.losses
        errors = x.slipped.sum(axis=0) + x.loose
        minutes = np.zeros(errors.size)
        for k in range(len(x.kinds)):
            minutes += x.by_person[k] * self._minutes(k)
        waiting = float((x.by_person * x.wait)[x.by_person > 0].sum())
        return self._design(None, errors, minutes, x.caught(repairs=self.repairs).sum(axis=0), waiting)

    def catch_needed(self, kind: int) -> float | None:
        """Share of wrong actions that holding a kind would have to catch to pay; None where it cannot pay at all."""
        m = self.monthly
        mend = np.multiply(m.labour, (self.losses.mend or 0.0) / 60)
        worth = float(np.mean(m.cases * self._wrong()[kind] * np.subtract(m.error_cost, mend)))
        minutes = np.mean(np.multiply(m.cases, m.labour) * self._minutes(kind)) / 60
        takes = float(self.losses.asked[kind] * (minutes + self._waiting_cost(kind)))
        return takes / worth if worth > 0 else None

    def _design(
        self, picks: tuple[int, ...] | None, errors: Floats, minutes: Floats, mended: Floats, waiting: float
    ) -> Design:
        m = self.monthly
        both = minutes + mended * (self.losses.mend or 0.0)
        approval = np.multiply(m.cases, m.labour) * both / 60
        known = not np.isnan(waiting)
        if m.waiting is not None and known:
            approval = approval + np.multiply(m.cases, m.waiting) * waiting
        return Design(
            picks=picks,
            loss=np.asarray(m.cases * errors * m.error_cost),
            severe=np.asarray(errors * m.severe),
            errors=errors,
            approval=np.asarray(approval),
            minutes=both,
            hours=np.asarray(m.cases * minutes / 60),
            waiting=waiting if known else None,
        )

    def _chosen(
        self, required: Collection[int], how: Callable[[list[Floats], list[Floats]], Choice | None]
    ) -> Choice | None:
        kinds = range(len(self.losses.kinds))
        cost = [self._loss(k) + self._approval(k) for k in kinds]
        harm = [self._severe(k) for k in kinds]
        for k in required:  # one option is left
            cost[k], harm[k] = cost[k][ALL : ALL + 1], harm[k][ALL : ALL + 1]
        found = how(cost, harm)
        if found is None:
            return None
        picks = tuple(ALL if k in required else pick for k, pick in enumerate(found.picks))
        return Choice(picks=picks, cost=found.cost, harm=found.harm)

    def _wrong(self) -> Floats:
        if "wrong" not in self.known:
            self.known["wrong"] = self.losses.wrong(repairs=self.repairs)
        return self.known["wrong"]

    def _caught(self) -> Floats:
        """Wrong actions a case that would be caught, were everything of a kind held."""
        if "caught" not in self.known:
            self.known["caught"] = self._wrong() * self.losses.catch(repairs=self.repairs)
        return self.known["caught"]

    def _minutes(self, kind: int) -> Number:
        assert self.losses.minutes is not None
        return self.losses.minutes[kind]

    def _shares(self, kind: int) -> tuple[Floats, Floats]:
        options = self.options(kind)
        return np.array([o.actions for o in options]), np.array([o.wrong for o in options])

    def _waiting_cost(self, kind: int) -> float:
        """Of an action, a month's cases of it; 0 where waiting has no price or is not known."""
        wait = float(self.losses.wait[kind])
        if self.monthly.waiting is None or np.isnan(wait):
            return 0.0
        return float(np.mean(np.multiply(self.monthly.cases, self.monthly.waiting)) * wait)

    def _loss(self, kind: int) -> Floats:
        each = np.multiply(self.monthly.cases, self.monthly.error_cost)
        wrong, caught = (float(np.mean(each * x[kind])) for x in (self._wrong(), self._caught()))
        return wrong - self._shares(kind)[1] * caught

    def _severe(self, kind: int) -> Floats:
        wrong, caught = (
            float(np.mean(self.monthly.severe * x[kind])) for x in (self._wrong(), self._caught())
        )
        return wrong - self._shares(kind)[1] * caught

    def _hours(self, kind: int) -> Floats:
        minutes = float(np.mean(self.monthly.cases * self._minutes(kind)))
        return self._shares(kind)[0] * float(self.losses.asked[kind]) * minutes / 60

    def _approval(self, kind: int) -> Floats:
        m = self.monthly
        actions, wrong = self._shares(kind)
        paid = np.multiply(m.cases, m.labour)
        own = float(np.mean(paid * self._minutes(kind))) / 60 + self._waiting_cost(kind)
        mending = float(np.mean(paid * self._caught()[kind])) * (self.losses.mend or 0.0) / 60
        return actions * float(self.losses.asked[kind]) * own + wrong * mending

    def _share(self, kind: int, option: Holding) -> Number:
        """The share of wrong actions beyond a threshold, drawn with its mean; the same for each use of an option."""
        if np.isinf(option.events) or option.wrong in (0.0, 1.0):
            return option.wrong
        name = f"approval:beyond:{self.losses.labels[kind]}:{option.gate}:{option.at!r}"
        if name not in self.known:
            weight = option.events + 1
            a, b = weight * option.wrong, weight * (1 - option.wrong)
            self.known[name] = stream(self.seed, name).beta(a, b, self.losses.loose.size)
        return self.known[name]
