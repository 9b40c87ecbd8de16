"""Two runs of a pilot with what they were made from, and every run between them: some changes made, the others not.

Where both runs have their archive, data, settings, each assumption, policy and seed can be swapped one at a time. How
the samples are mapped and which version of the agent counts goes with the data, since it settles what these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from roi.analysis import value_moments
from roi.archive import Archive
from roi.diff import identity
from roi.laying import group_of, holder_of, with_values
from roi.parameters import LoadedParameters, Parameters, RegisterEntry, register
from roi.problems import InputError
from roi.shapley import Point
from roi.taken import Taken, held
from roi.uncertain import Uncertain

__all__ = ["Between", "Side", "UnknownError", "between", "side_of", "worth_of"]

DATA, SETTINGS, POLICY, SEED = "new data", "other settings", "the policy", "the seed"
Values = dict[str, Uncertain | None]


class UnknownError(Exception):
    """The worth is not known at this point."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two runs.

    Attributes:
        loaded: Its parameters and policy.
        taken: What was taken from its samples.
    """

    loaded: LoadedParameters
    taken: Taken


def side_of(archive: Archive) -> Side:
    """A run from its archive.

    Raises:
        InputError: If it cannot be read by this version, or its moments are withheld.
    """
    return Side(archive.parameters(), archive.taken())


def worth_of(loaded: LoadedParameters, taken: Taken) -> Point:
    """Mean worth of scaling everything, and the chance that it pays.

    Raises:
        UnknownError: If it cannot be computed.
        InputError: If parameters and samples do not go together.
    """
    loaded, as_of = held(loaded, taken.moments, taken.newest)
    scale = value_moments(loaded, taken.moments, arms=taken.arms, as_of=as_of).valuer.roll_out()
    if scale is None:
        raise UnknownError
    return scale.mean(), scale.chance(loaded.policy.hurdle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """The runs between two runs.

    Attributes:
        old: The earlier one.
        new: The later one.
        names: The changes that can be made one at a time.
        kinds: What each is: data, setting, assumption, policy or seed.
        back: By change, values that take the later parameters back.
        forth: By change, values that bring the earlier parameters forward.
        on_old: Whether it is the earlier parameters that values are laid over while settings are not swapped.
    """

    old: Side
    new: Side
    names: tuple[str, ...]
    kinds: Mapping[str, str]
    back: Mapping[str, Values]
    forth: Mapping[str, Values]
    on_old: bool

    def value(self, made: Iterable[str]) -> Point:
        """The worth and chance with some changes made and the others not; errors as those of `worth_of`."""
        news = set(made)

        def side(name: str) -> Side:
            return self.new if name in news or name not in self.names else self.old

        on_new = SETTINGS in news if SETTINGS in self.names else not self.on_old
        base = self.new if on_new else self.old
        laid: Values = {}
        for name in self.back:
            if on_new and name not in news:
                laid |= self.back[name]
            elif not on_new and name in news:
                laid |= self.forth[name]
        parameters = with_values(base.loaded.parameters, laid)
        drawn, rules = side(SEED).loaded.parameters.run, side(POLICY).loaded
        changed: dict[str, Any] = {
            "samples": side(DATA).loaded.parameters.samples,
            "run": parameters.run.model_copy(update={"seed": drawn.seed, "draws": drawn.draws}),
            "policy": rules.parameters.policy,
        }
        loaded = replace(
            base.loaded,
            parameters=parameters.model_copy(update=changed),
            policy=rules.policy,
            base_policy=rules.base_policy,
        )
        return worth_of(loaded, side(DATA).taken)


def between(old: Side, new: Side, changes: Sequence[Mapping[str, Any]]) -> Between:
    """What can be swapped between two runs.

    Args:
        old: The earlier run.
        new: The later one.
        changes: As `roi.diff.compare` lists them.
    """
    kinds: dict[str, str] = {}
    of_samples = [
        c for c in changes if c["kind"] in ("setting", "assumption") and str(c["key"]).startswith("samples.")
    ]
    if of_samples or any(c["kind"] == "data" for c in changes):
        kinds[DATA] = "data"
    others = [c for c in changes if c not in of_samples]
    if any(c["kind"] == "setting" for c in others):
        kinds[SETTINGS] = "setting"
    back, forth, stuck = _layable(old, new, [c for c in others if c["kind"] == "assumption"])
    on_old = SETTINGS not in kinds and bool(stuck["back"]) and not stuck["forth"]
    lost = set() if on_old else stuck["back"] if SETTINGS not in kinds else stuck["back"] | stuck["forth"]
    if lost:
        # A cost line that came or went has a kind and dates, which are settings; its values go with them.
        kinds[SETTINGS] = "setting"
        lost = stuck["back"] | stuck["forth"]
    kinds |= dict.fromkeys((name for name in back if name not in lost), "assumption")
    for kind, name in (("policy", POLICY), ("seed", SEED)):
        if any(c["kind"] == kind for c in others):
            kinds[name] = kind
    return Between(
        old=old,
        new=new,
        names=tuple(kinds),
        kinds=kinds,
        back={name: values for name, values in back.items() if name not in lost},
        forth={name: values for name, values in forth.items() if name not in lost},
        on_old=on_old,
    )


def _layable(
    old: Side, new: Side, changes: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Values], dict[str, Values], dict[str, set[str]]]:
    """Values that take changes back and bring them forth, by group, and the groups of which some cannot be laid."""
    before, after = _entries(old.loaded.parameters), _entries(new.loaded.parameters)
    back: dict[str, Values] = {}
    forth: dict[str, Values] = {}
    stuck: dict[str, set[str]] = {"back": set(), "forth": set()}
    for change in changes:
        name, group = str(change.get("identity")), group_of(str(change["key"]))
        was, now = before.get(name), after.get(name)
        ways: tuple[
            tuple[str, dict[str, Values], Parameters, RegisterEntry | None, RegisterEntry | None], ...
        ] = (
            ("back", back, new.loaded.parameters, now, was),
            ("forth", forth, old.loaded.parameters, was, now),
        )
        for way, found, base, here, there in ways:
            values = found.setdefault(group, {})
            key = here.key if here is not None else str(change["key"])
            if (here is None and "[" in key) or holder_of(base, key) is None or (here is there is None):
                stuck[way].add(group)
            else:
                values[key] = None if there is None else there.value
    return back, forth, stuck


def _entries(parameters: Parameters) -> dict[str, RegisterEntry]:
    return {identity({"key": e.key, "label": e.label}): e for e in register(parameters)}


def grouped(found: Between, together: Sequence[str]) -> tuple[list[str], Callable[[frozenset[str]], Point]]:
    """The changes with some of them made together only, under a name of their own, and their values, kept.

    Args:
        found: The runs between.
        together: Changes that cannot be made without each other; none for all one at a time.
    """
    joined = " and ".join(together)
    names = [n for n in found.names if n not in together]
    names = [joined, *names] if joined else names
    seen: dict[frozenset[str], Point] = {}

    def value(made: frozenset[str]) -> Point:
        if made not in seen:
            seen[made] = found.value((made - {joined}) | (set(together) if joined in made else set()))
        return seen[made]

    return names, value


FAILED = (UnknownError, InputError, KeyError, ValueError)
"""What a run between two runs may fail with where data and settings of different runs do not go together."""
