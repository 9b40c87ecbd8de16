"""What can be done with the pilot, and what each is worth against stopping now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from roi.assumptions import Assumptions, Number
from roi.cashflow import Schedule, Stream, annuity, present_value, ramp_factor, stream_of
from roi.causes import CAUSES, Causes
from roi.economics import Economics
from roi.measured import Measured, Scope
from roi.parameters import Parameters
from roi.pooling import overstatement
from roi.sampling import Basis

__all__ = [
    "WEEKS_PER_MONTH",
    "Kind",
    "Option",
    "Remedy",
    "Valuer",
    "alternatives",
    "remedies_of",
    "scopes_of",
    "signals_of",
]

Floats = npt.NDArray[np.float64]
Kind = Literal["kill", "keep", "scale", "scale_segments", "fix", "alternative"]

SQUARES = 2  # degree to which what measuring adds to a worth is told when a scope is picked
UNITS_FOR_A_SEGMENT = 4  # a segment stands alone only with as many independent units in each arm
WEEKS_PER_MONTH = 365.25 / 12 / 7


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
        return float(np.mean(self.worth > hurdle))


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A priced fix.

    Attributes:
        name: Its name.
        addresses: A cause, or a gate by name.
        removes: Share of the losses of that cause, or of a gate's rate, that it removes; number or draws.
        cost: One-off cost; number or draws; None where it has no price yet.
        cost_per_month: Running cost from the roll-out on.
        months: Until it works.
        after: The remedy it has to wait for.
        owner: Who would do it.
    """

    name: str
    addresses: str
    removes: Number
    cost: Number | None
    cost_per_month: Number
    months: Number
    after: tuple[str, ...]
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuer:
    """Values roll-outs: what was measured, the stated inputs, and causes, in one place.

    Attributes:
        measured: Joint draws of what was measured.
        economics: The stated inputs, drawn.
        causes: Where losses come from.
        remedies: Every remedy of the parameter file.
        picked: By scope, what is taken off its worth because it would be picked for looking best.
        scopes: Scopes that were weighed already, with what they were weighed from; filled as they are asked for.
    """

    measured: Measured
    economics: Economics
    causes: Causes
    remedies: tuple[Remedy, ...]
    picked: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    scopes: dict[tuple[str, ...] | None, tuple[Measured, Scope]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def scope(self, segments: tuple[str, ...] | None = None) -> Scope:
        """What was measured in some segments, weighed once."""
        known = self.scopes.get(segments)
        if known is None or known[0] is not self.measured:
            known = self.measured, self.measured.scope(segments)
            self.scopes[segments] = known
        return known[1]

    def roll_out(
        self,
        segments: tuple[str, ...] | None = None,
        *,
        remedies: tuple[Remedy, ...] = (),
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
            one_off: Further one-off costs, for measurements.
            delay: Further months of delay, for measurements.
            measured: Other draws of what was measured (for the design's bias); None for the valuer's own.
            extra_minutes: A constant number of minutes a case to add (for missing rows at their unkind end).
            kind: Kind of the option.
            label: Its name.

        Returns:
            The option; None where its worth cannot be computed.
        """
        scope = self.scope(segments) if measured is None else measured.scope(segments)
        measured = self.measured if measured is None else measured
        kept, minutes = self.effect_of(remedies)
        severity = measured.rates.severity
        stream = stream_of(
            scope, self.economics, severity, extra_minutes=np.add(minutes, extra_minutes), error_kept=kept
        )
        if stream is None:
            return None
        off = 0.0 if segments is None else self.picked.get(segments, 0.0)
        schedule = self.schedule_of(remedies, one_off=one_off, delay=delay)
        return Option(
            kind=kind,
            label=label,
            scope=scope,
            stream=stream,
            schedule=schedule,
            worth=present_value(stream, self.economics, schedule) - off,
            cash=present_value(stream, self.economics, schedule, cash_only=True) - off,
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
        return replace(
            option,
            schedule=schedule,
            worth=present_value(option.stream, self.economics, schedule) - off,
            cash=present_value(option.stream, self.economics, schedule, cash_only=True) - off
            if in_cash
            else option.cash,
        )

    def shrunk_for_choice(self, scopes: Iterable[tuple[str, ...]]) -> Valuer:
        """The same, with the worth of each narrower scope shrunk for having been chosen among all that there are."""
        every: list[tuple[str, ...] | None] = [None, *scopes]
        options = {scope: self.roll_out(scope) for scope in every}
        known = [scope for scope, option in options.items() if option is not None]
        if len(known) < 2:
            return self
        worths = [option.worth for option in options.values() if option is not None]
        noise = [
            Basis(signals_of(o), SQUARES).split(o.worth).said() for o in options.values() if o is not None
        ]
        off = overstatement(np.stack(noise), np.array([float(np.mean(w)) for w in worths]))
        picked = {s: float(x) for s, x in zip(known, off, strict=True) if s is not None and x > 0}
        return replace(self, picked=picked)

    def effect_of(self, remedies: tuple[Remedy, ...]) -> tuple[Number, Number]:
        """Share of the pilot's errors that remedies leave, and the minutes a case that they save."""
        kept: Number = 1.0
        minutes: Number = 0.0
        for cause, share in self.causes.error_share.items():
            left = self.left_of(cause, remedies)
            kept = kept - share * np.subtract(1, left)
            if cause in self.causes.excess_minutes:
                minutes = minutes + self.causes.excess_minutes[cause] * np.subtract(1, left)
        return np.multiply(np.clip(kept, 0, 1), self.left_of("severe_errors", remedies)), minutes

    def left_of(self, target: str, remedies: tuple[Remedy, ...]) -> Number:
        """Share of a cause's losses, or of a gate's rate, that is left after the remedies that address it."""
        left: Number = 1.0
        for remedy in remedies:
            if remedy.addresses == target:
                left = np.multiply(left, np.subtract(1, remedy.removes))
        return left

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
    scope = option.scope
    assert scope is not None
    assert scope.minutes_saved is not None
    signals = [scope.minutes_saved]
    if scope.error_rate[0] is not None and scope.error_rate[1] is not None:
        signals.append(scope.error_rate[0] - scope.error_rate[1])
    return signals


def _sum(numbers: Iterable[Number]) -> Number:
    total: Number = 0.0
    for number in numbers:
        total = np.add(total, number)
    return total


def scopes_of(measured: Measured) -> list[tuple[str, ...]]:
    """Sets of segments that can be scaled on their own: one dropped, or one only; largest first.

    Only where every segment of the set has at least four independent units in each arm that was sampled.
    """
    moments = measured.moments
    covered = [n for n, ok in zip(moments.segments, measured.covered(), strict=True) if ok]
    sure = [n for n in covered if _units(measured, n) >= UNITS_FOR_A_SEGMENT]
    uncovered_too = bool(measured.weights.uncovered)
    found: list[tuple[str, ...]] = []
    if uncovered_too and len(covered) >= 1:
        found.append(tuple(covered))
    if len(covered) >= 2:
        if len(covered) > 2:
            found += [tuple(n for n in covered if n != gone) for gone in covered]
        found += [(n,) for n in covered]
    return [f for f in dict.fromkeys(found) if all(n in sure for n in f)]


def _units(measured: Measured, segment: str) -> int:
    moments = measured.moments
    s = moments.segments.index(segment)
    arms = [1] if measured.stand_in else [0, 1]
    return min(np.unique(moments.unit[(moments.arm == a) & (moments.segment == s)]).size for a in arms)


def remedies_of(parameters: Parameters, assumptions: Assumptions) -> tuple[Remedy, ...]:
    """The remedies of a parameter file, drawn."""
    found = []
    for i, r in enumerate(parameters.remedies or ()):

        def number(name: str, default: Number | None, i: int = i) -> Number | None:
            value = assumptions.get(f"remedies[{i}].{name}")
            return default if value is None else value

        weeks = number("weeks", 0.0)
        after = r.after
        found.append(
            Remedy(
                name=r.name,
                addresses=r.addresses,
                # A remedy that names no share mends a gate whole, and of a cause's losses removes none.
                removes=_known(number("removes_share", 0.0 if r.addresses in CAUSES else 1.0)),
                cost=number("cost", None),
                cost_per_month=_known(number("cost_per_month", 0.0)),
                months=np.divide(_known(weeks), WEEKS_PER_MONTH),
                after=() if after is None else (after,) if isinstance(after, str) else tuple(after),
                owner=r.owner,
            )
        )
    return tuple(found)


def _or_zero(number: Number | None) -> Number:
    return 0.0 if number is None else number


def _known(number: Number | None) -> Number:
    assert number is not None
    return number


def alternatives(
    parameters: Parameters, assumptions: Assumptions, economics: Economics, draws: int
) -> list[Option]:
    """Options without AI, valued with the same demand, labour cost, adoption and realisation; they are only shown."""
    found: list[Option] = []
    e = economics
    if e.cases_per_month is None or e.labour is None:
        return found
    for i, a in enumerate(parameters.alternatives or ()):
        saved = assumptions.get(f"alternatives[{i}].minutes_saved")
        cost = assumptions.get(f"alternatives[{i}].cost")
        monthly = assumptions.get(f"alternatives[{i}].cost_per_month")
        if saved is None:
            continue
        cases = np.broadcast_to(np.multiply(e.cases_per_month, e.ceiling), (draws,))
        cash = np.clip(e.cash, 0, 1)
        both = np.clip(np.add(cash, e.redeployed), 0, 1)
        gain = cases * np.multiply(saved, np.divide(e.labour, 60))
        nothing = np.zeros(draws)
        stream = Stream(
            time=np.where(gain > 0, gain * both, gain),
            time_cash=np.where(gain > 0, gain * cash, gain),
            errors=nothing,
            agent=nothing,
            hours=cases * np.divide(saved, 60),
        )
        factor = ramp_factor(e.discount, e.horizon, e.ramp)
        paid = np.add(_or_zero(cost), np.multiply(_or_zero(monthly), annuity(e.discount, e.horizon)))
        found.append(
            Option(
                kind="alternative",
                label=a.name,
                scope=None,
                stream=stream,
                schedule=Schedule(
                    one_off=_or_zero(cost),
                    per_month=_or_zero(monthly),
                ),
                worth=np.asarray(stream.time * factor - paid, dtype=np.float64),
                cash=np.asarray(stream.time_cash * factor - paid, dtype=np.float64),
                note="" if cost is not None else "its cost is not stated",
            )
        )
    return found
