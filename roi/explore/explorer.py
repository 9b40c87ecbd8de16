"""What would be decided at another setting: a sketch of the worth at once, the whole decision a moment later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from roi.advice import plan_name
from roi.again import decide_again
from roi.analysis import Decided
from roi.explore.allowed import Refusal, refusals
from roi.explore.setting import Dial, Setting, applied, dials_of
from roi.options import Option
from roi.pictures import Histogram
from roi.plan_at import PlanAt, plan_at
from roi.problems import ParameterError, Problem

__all__ = ["Choice", "Explorer", "Seen", "paired"]

Floats = npt.NDArray[np.float64]
BINS = 40
GROUNDS = {
    "thin_value": "the value is thin",
    "no_data": "the data is not there",
    "uncontrollable_risk": "the risk cannot be controlled at a sensible price",
}
KINDS = {"repair": "repair first", "control": "put controls in first", "measure": "measure first"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What can be done, and what it is worth against stopping now.

    Attributes:
        label: In words.
        mean: Expected worth.
        p10: 10th percentile.
        p90: 90th percentile.
        chance: Chance that it exceeds the hurdle.
        histogram: Its distribution.
    """

    label: str
    mean: float
    p10: float
    p90: float
    chance: float
    histogram: Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a setting comes to.

    Attributes:
        verdict: kill, fix or scale; None in a sketch, which does not decide.
        why: The verdict's kind or ground in words.
        choices: What can be done; in a sketch what had been put forward, at the new setting.
        gates: Labels and states of the gates of the scope put forward; empty in a sketch.
        currency: The pilot's.
    """

    verdict: str | None
    why: str
    choices: tuple[Choice, ...]
    gates: tuple[tuple[str, str], ...]
    currency: str


def paired(now: Seen, kept: Seen | None) -> list[tuple[str, Choice | None, Choice | None]]:
    """What can be done, by label: at one setting and at another; None where it is not put forward there."""
    here = {choice.label: choice for choice in now.choices}
    there = {} if kept is None else {choice.label: choice for choice in kept.choices}
    return [(label, here.get(label), there.get(label)) for label in dict.fromkeys([*here, *there])]


class Explorer:
    """A pilot whose inputs can be moved.

    Args:
        a: Its decision as the parameter file states it.
    """

    def __init__(self, a: Decided) -> None:
        self.a = a
        self.dials: tuple[Dial, ...] = dials_of(a)
        self.remedies: tuple[str, ...] = tuple(r.name for r in a.loaded.parameters.remedies or ())
        self._asked: tuple[Setting, tuple[Refusal, ...]] | None = None

    def refusals(self, setting: Setting) -> tuple[Refusal, ...]:
        """Why a setting is not allowed; empty where it is, and only then has it a verdict."""
        if self._asked is None or self._asked[0] != setting:
            self._asked = setting, refusals(self.a, setting, [dial.key for dial in self.dials])
        return self._asked[1]

    def _allowed(self, setting: Setting) -> None:
        if wrong := self.refusals(setting):
            raise ParameterError(Problem(self.a.loaded.name, ", ".join(x.keys), x.said) for x in wrong)

    def decide(self, setting: Setting) -> Decided:
        """The whole decision at a setting, on the same cases.

        Raises:
            ParameterError: If `roi decide` would refuse a file that says so.
        """
        self._allowed(setting)
        if setting == Setting():
            return self.a
        loaded, assumptions = applied(self.a, setting)
        return decide_again(self.a, loaded=loaded, assumptions=assumptions, every_plan=False)

    def seen(self, found: Decided) -> Seen:
        """A decision as it is shown."""
        v = found.verdict
        choices = []
        hurdle = found.loaded.policy.hurdle
        if found.scale is not None:
            choices.append(_choice("Scale everything as it is", found.scale.worth, hurdle))
        narrow = max(found.segments, key=lambda o: o.mean(), default=None)
        if narrow is not None:
            choices.append(_choice(narrow.label, narrow.worth, hurdle))
        plan = v.plan or max(found.plans, key=lambda x: x.mean(), default=None)
        if plan is not None and (v.verdict != "scale" or plan.remedies):
            choices.append(_choice(plan_name(plan), plan.worth, hurdle))
        option: Option | None = v.option
        scope = (
            option.scope.segments
            if option is not None and option.kind == "scale_segments" and option.scope
            else None
        )
        gates = found.gates.get(scope, found.gates.get(None, ()))
        return Seen(
            verdict=v.verdict,
            why=GROUNDS.get(str(v.ground), "") if v.verdict == "kill" else KINDS.get(str(v.fix_kind), ""),
            choices=tuple(choices),
            gates=tuple((g.label, "open" if g.holds else g.state.replace("_", " ")) for g in gates),
            currency=found.loaded.parameters.about.currency,
        )

    def sketch(self, setting: Setting) -> Seen:
        """What was put forward, valued at a setting: thresholds and remedies left out are not looked at.

        Raises:
            ParameterError: As `decide` does.
        """
        self._allowed(setting)
        _, assumptions = applied(self.a, replace(setting, thresholds={}, without=frozenset()))
        changes = {key: assumptions.values[key] for key in setting.values}
        hurdle = self.a.loaded.policy.hurdle
        return Seen(
            verdict=None,
            why="",
            choices=tuple(_choice(label, at.worth_at(changes), hurdle) for label, at in self._plans),
            gates=(),
            currency=self.a.loaded.parameters.about.currency,
        )

    @cached_property
    def _plans(self) -> tuple[tuple[str, PlanAt], ...]:
        """Scaling everything, and what is put forward where that is another."""
        a, put = self.a, plan_at(self.a)
        found = []
        if put is not None and a.scale is not None and a.scale.stream is not None:
            whole = put if put.option is a.scale and put.plan is None else None
            if whole is None and put.segments is None:
                whole = replace(put, option=a.scale, plan=None)
            if whole is not None:
                found.append(("Scale everything as it is", whole))
        if put is not None and (not found or found[0][1] is not put):
            found.append((put.option.label if put.plan is None else plan_name(put.plan), put))
        return tuple(found)


def _choice(label: str, worth: Floats, hurdle: float) -> Choice:
    least, p10, p90, most = np.percentile(worth, [0.5, 10, 90, 99.5])
    return Choice(
        label=label,
        mean=float(worth.mean()),
        p10=float(p10),
        p90=float(p90),
        chance=float(np.count_nonzero(worth > hurdle) / worth.size),
        histogram=_histogram(worth, float(least), float(most)),
    )


def _histogram(values: Floats, low: float, high: float) -> Histogram:
    """Bins from one end to the other; the draws beyond are not in it."""
    if not high > low:
        low, high = low - 0.5, low + 0.5
    within = values[(values >= low) & (values <= high)]
    places = np.minimum(((within - low) * (BINS / (high - low))).astype(np.int64), BINS - 1)
    share = np.bincount(places, minlength=BINS) / values.size
    return Histogram(edges=np.linspace(low, high, BINS + 1), share=share)
