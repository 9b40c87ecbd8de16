"""What can be done with the pilot, and what each is worth against stopping now."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from roi.approving import Approvals, Approving
from roi.assumptions import Number
from roi.cashflow import Schedule, Stream, present_values, stream_of
from roi.causes import Causes
from roi.economics import Economics
from roi.measured import Measured, Scope
from roi.pooling import overstatement
from roi.remedies import Effect, Remedy
from roi.same import Same
from roi.sampling import DEGREE, Basis, basis_of

__all__ = [
    "Kind",
    "Option",
    "Valuer",
    "basis_for",
    "signals_of",
]

Found = TypeVar("Found")
Floats = npt.NDArray[np.float64]
Kind = Literal["kill", "keep", "scale", "scale_segments", "fix", "alternative"]

HELD = 256  # findings that are kept at the most; some are as long as there are draws
SQUARES = 2  # degree to which what measuring adds to a worth is told when a scope is picked


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option and its worth against stopping now.

    Attributes:
        kind: What sort of option it is.
        label: Its name in words.
        scope: The measured scope it applies to; None where it does not matter.
        stream: What it brings a month at the ceiling; None for options without a roll-out.
        schedule: When it pays what.
        worth: Present value minus that of stopping now, shape (n_draws,).
        cash: The same in cash alone, shape (n_draws,).
        note: What a reader should know about it.
    """

    kind: Kind
    label: str
    scope: Scope | None
    stream: Stream | None
    schedule: Schedule
    worth: Floats
    cash: Floats
    note: str = ""

    def mean(self) -> float:
        """Expected worth."""
        return float(np.mean(self.worth))

    def chance(self, hurdle: float) -> float:
        """Chance that its worth exceeds the hurdle."""
        return float(np.count_nonzero(self.worth > hurdle) / self.worth.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A roll-out as the pilot stands, before anything is taken off for its having been picked.

    Attributes:
        measured: What it was worked out from.
        economics: And these stated inputs.
        stream: What it brings a month at the ceiling; None where its worth cannot be computed.
        values: Its worth and that in cash alone, each of shape (n_draws,); None likewise.
    """

    measured: Measured
    economics: Economics
    stream: Stream | None
    values: tuple[Floats, Floats] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuer:
    """Values roll-outs: what was measured, the stated inputs, and causes, in one place.

    Attributes:
        measured: Joint draws of what was measured.
        economics: The stated inputs, drawn.
        causes: Where losses come from.
        remedies: Every remedy of the parameter file.
        approvals: What the logs tell of approval; None where there is no log to tell.
        picked: By scope, what is taken off its worth because it would be picked for looking best.
        scopes: Scopes that were weighed already, with what they were weighed from; filled as they are asked for.
        plain: Roll-outs to which nothing is done before, likewise.
        findings: What follows from the measuring alone, likewise.
    """

    measured: Measured
    economics: Economics
    causes: Causes
    remedies: tuple[Remedy, ...]
    approvals: Approvals | None = None
    picked: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    scopes: dict[tuple[str, ...] | None, tuple[Measured, Scope]] = field(
        default_factory=dict, repr=False, compare=False
    )
    plain: dict[tuple[str, ...] | None, Plain] = field(default_factory=dict, repr=False, compare=False)
    findings: dict[Hashable, tuple[Measured, Any]] = field(default_factory=dict, repr=False, compare=False)

    def scope(self, segments: tuple[str, ...] | None = None) -> Scope:
        """What was measured in some segments, weighed once."""
        known = self.scopes.get(segments)
        if known is None or known[0] is not self.measured:
            known = self.measured, self.measured.scope(segments)
            self.scopes[segments] = known
        return known[1]

    def held(self, what: Hashable, find: Callable[[], Found]) -> Found:
        """What follows from the measuring and from what its name holds alone, found once."""
        known = self.findings.get(what)
        if known is None or known[0] is not self.measured:
            if len(self.findings) >= HELD:
                self.findings.clear()
            known = self.measured, find()
            self.findings[what] = known
        found: Found = known[1]
        return found

    def roll_out(
        self,
        segments: tuple[str, ...] | None = None,
        *,
        remedies: tuple[Remedy, ...] = (),
        approved: bool = False,
        one_off: Number = 0.0,
        delay: Number = 0.0,
        measured: Measured | None = None,
        extra_minutes: Number = 0.0,
        kind: Kind = "scale",
        label: str = "Scale",
    ) -> Option | None:
        """Worth of rolling out in some segments after some remedies.

        Args:
            segments: Names; None for all covered ones.
            remedies: What is bought first.
            approved: Whether every high-risk action is then approved in time, by something that has no price yet.
            one_off: Further one-off costs, for measurements.
            delay: Further months of delay, for measurements.
            measured: Other draws of what was measured (for the design's bias); None for the valuer's own.
            extra_minutes: A constant number of minutes a case to add (for missing rows at their unkind end).
            kind: Kind of the option.
            label: Its name.

        Returns:
            The option; None where its worth cannot be computed.
        """
        unchanged = all(isinstance(x, float) and x == 0 for x in (one_off, delay, extra_minutes))
        if measured is None and not remedies and not approved and unchanged:
            return self._as_it_is(segments, kind=kind, label=label)
        scope = self.scope(segments) if measured is None else measured.scope(segments)
        measured = self.measured if measured is None else measured
        effect = self.effect_of(remedies, segments, approved=approved)
        stream = stream_of(
            scope,
            self.economics,
            measured.rates.severity,
            extra_minutes=np.add(effect.minutes, extra_minutes),
            error_kept=effect.kept,
            extra_cost=effect.cost,
        )
        if stream is None:
            return None
        off = 0.0 if segments is None else self.picked.get(segments, 0.0)
        schedule = self.schedule_of(remedies, one_off=one_off, delay=delay)
        worth, cash = present_values(stream, self.economics, schedule)
        return Option(
            kind=kind,
            label=label,
            scope=scope,
            stream=stream,
            schedule=schedule,
            worth=_less(worth, off),
            cash=_less(cash, off),
        )

    def _as_it_is(self, segments: tuple[str, ...] | None, *, kind: Kind, label: str) -> Option | None:
        """The roll-out to which nothing is done before, worked out once."""
        known = self.plain.get(segments)
        if known is None or known.measured is not self.measured or known.economics is not self.economics:
            stream = stream_of(self.scope(segments), self.economics, self.measured.rates.severity)
            values = None if stream is None else present_values(stream, self.economics, Schedule())
            known = Plain(measured=self.measured, economics=self.economics, stream=stream, values=values)
            self.plain[segments] = known
        if known.stream is None or known.values is None:
            return None
        off = 0.0 if segments is None else self.picked.get(segments, 0.0)
        worth, cash = known.values
        return Option(
            kind=kind,
            label=label,
            scope=self.scope(segments),
            stream=known.stream,
            schedule=Schedule(),
            worth=_less(worth, off),
            cash=_less(cash, off),
        )

    def schedule_of(
        self, remedies: tuple[Remedy, ...], *, one_off: Number = 0.0, delay: Number = 0.0
    ) -> Schedule:
        """What remedies cost and when they work, with further one-off costs and months of delay."""
        return Schedule(
            delay=np.add(self.delay_of(remedies), delay),
            one_off=np.add(_sum(r.cost for r in remedies if r.cost is not None), one_off),
            per_month=_sum(r.cost_per_month for r in remedies),
        )

    def postponed(self, option: Option, *, one_off: Number, delay: Number, in_cash: bool = True) -> Option:
        """The same roll-out with further one-off costs, and so many months later; its cash only where that is asked."""
        assert option.stream is not None
        assert option.scope is not None
        off = self.picked.get(option.scope.segments, 0.0) if option.kind == "scale_segments" else 0.0
        schedule = replace(
            option.schedule,
            one_off=np.add(option.schedule.one_off, one_off),
            delay=np.add(option.schedule.delay, delay),
        )
        worth, cash = present_values(option.stream, self.economics, schedule, in_cash=in_cash)
        return replace(
            option,
            schedule=schedule,
            worth=_less(worth, off),
            cash=_less(cash, off) if in_cash else option.cash,
        )

    def shrunk_for_choice(self, scopes: Iterable[tuple[str, ...]]) -> Valuer:
        """The same, with the worth of each narrower scope shrunk for having been chosen among all that there are."""
        every: list[tuple[str, ...] | None] = [None, *scopes]
        options = {scope: self.roll_out(scope) for scope in every}
        known = [scope for scope, option in options.items() if option is not None]
        if len(known) < 2:
            return self
        worths = [option.worth for option in options.values() if option is not None]
        noise = [basis_for(o, SQUARES).said(o.worth) for o in options.values() if o is not None]
        off = overstatement(np.stack(noise), np.array([float(np.mean(w)) for w in worths]))
        picked = {s: float(x) for s, x in zip(known, off, strict=True) if s is not None and x > 0}
        return replace(self, picked=picked)

    def effect_of(
        self,
        remedies: tuple[Remedy, ...],
        segments: tuple[str, ...] | None = None,
        *,
        approved: bool = False,
    ) -> Effect:
        """What remedies change of each case in some segments, None for all; `approved` as in `roll_out`."""
        kept: Number = 1.0
        minutes: Number = 0.0
        addressed = {r.addresses for r in remedies}
        for cause, share in self.causes.error_share.items():
            if cause not in addressed:
                continue
            left = self.left_of(cause, remedies)
            kept = kept - share * np.subtract(1, left)
            if cause in self.causes.excess_minutes:
                minutes = minutes + self.causes.excess_minutes[cause] * np.subtract(1, left)
        approving = self.approving_of(remedies, segments, approved=approved)
        kept = np.multiply(np.clip(kept, 0, 1), self.left_of("severe_errors", remedies))
        return Effect(
            kept=np.multiply(kept, approving.kept),
            minutes=np.add(minutes, approving.minutes),
            cost=approving.cost,
        )

    def approving_of(
        self,
        remedies: tuple[Remedy, ...],
        segments: tuple[str, ...] | None = None,
        *,
        approved: bool = False,
    ) -> Effect:
        """What the approving changes that remedies demand: it takes minutes and time on the clock, and catches errors.

        A remedy removes a share of the actions that run before anybody decided on them. Where its own running cost pays
        the people who approve, their minutes are not counted again.
        """
        share = 1.0 if approved else np.subtract(1, self.left_of("human_approval", remedies))
        if self.approvals is None or not np.any(np.greater(share, 0)):
            return Effect()
        found = self.approving(segments)
        assert found is not None
        paid = np.subtract(1, self.left_of("human_approval", tuple(r for r in remedies if r.pays_approvers)))
        minutes = np.multiply(share - paid, 0.0 if found.minutes is None else found.minutes)
        return Effect(
            kept=np.subtract(1, np.multiply(share, found.caught)),
            minutes=-np.add(minutes, np.multiply(share, found.mending)),
            cost=np.multiply(share, 0.0 if found.waiting is None else found.waiting),
        )

    def approving(self, segments: tuple[str, ...] | None = None) -> Approving | None:
        """What approving every high-risk action in time takes and catches; None where no log tells."""
        if self.approvals is None:
            return None
        return self.approvals.at(self.measured, self.scope(segments), segments)

    def left_of(self, target: str, remedies: tuple[Remedy, ...]) -> Number:
        """Share of a cause's losses, or of a gate's rate, that is left after the remedies that address it."""
        left: Number = 1.0
        for remedy in remedies:
            if remedy.addresses == target:
                left = np.multiply(left, np.subtract(1, remedy.removes))
        return left

    def with_approving_known(self) -> Valuer:
        """The same, its remedies knowing whether it is known what the approving takes that they demand."""
        of_approval = [r for r in self.remedies if r.addresses == "human_approval" and not r.pays_approvers]
        found = self.approving() if of_approval else None
        if found is None or found.known:
            return self
        names = {r.name for r in of_approval}
        unknown = tuple(replace(r, approving_known=r.name not in names) for r in self.remedies)
        return replace(self, remedies=unknown)

    def delay_of(self, remedies: tuple[Remedy, ...]) -> Number:
        """Months until all of the remedies work; they run in parallel unless one waits for another."""
        chosen = {r.name: r for r in remedies}

        def done(remedy: Remedy) -> Number:
            before: Number = 0.0
            for name in remedy.after:
                if name in chosen:
                    before = np.maximum(before, done(chosen[name]))
            return np.add(before, remedy.months)

        longest: Number = 0.0
        for remedy in remedies:
            longest = np.maximum(longest, done(remedy))
        return longest


def signals_of(option: Option) -> list[Floats]:
    """The measured quantities that an option's worth rests on, for regressions on them."""
    assert option.scope is not None
    return _signals(option.scope)


def _signals(scope: Scope) -> list[Floats]:
    assert scope.minutes_saved is not None
    signals = [scope.minutes_saved]
    if scope.error_rate[0] is not None and scope.error_rate[1] is not None:
        signals.append(scope.error_rate[0] - scope.error_rate[1])
    return signals


def basis_for(option: Option, degree: int = DEGREE) -> Basis:
    """What samples tell of an option's worth rests on these quantities' polynomials, made once for a scope."""
    assert option.scope is not None
    return _basis_for(Same(option.scope), degree)


@lru_cache(maxsize=48)
def _basis_for(scope: Same[Scope], degree: int) -> Basis:
    return basis_of(_signals(scope.it), degree)


def _less(worth: Floats, off: float) -> Floats:
    """A worth less what is taken off it, which mostly is nothing."""
    return worth - off if off else worth


def _sum(numbers: Iterable[Number]) -> Number:
    total: Number = 0.0
    for number in numbers:
        total = np.add(total, number)
    return total
