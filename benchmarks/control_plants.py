"""What a planted violation is, and how what the checks find is held against what was planted.

A kind of violation changes the tables of a clean log and says which checks must find it, in which rows, and which
further checks may fail as its logical consequence (what was approved after the act was not approved before it). Where
two rows contradict each other, either may be named, or both. Row numbers are taken at the end, when everything is
planted: rows are remembered as what they are, not by their place.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from control_logs import Log, Row

from roi.controls.catalogue import CATALOGUE
from roi.controls.check import MOST_ROWS, Check

__all__ = ["Group", "ImpossibleError", "Kind", "Planted", "Seen", "copy_of", "judge", "pick", "together"]

Rng = np.random.Generator
Group = Mapping[str, Sequence[Row]]
"""Table → rows; a finding is shown where at least one of them is named."""


class ImpossibleError(Exception):
    """A log has nothing that a kind could be planted into."""


@dataclass(slots=True, kw_only=True)
class Planted:
    """What was planted.

    Attributes:
        must: Checks, of which at least one must find it → what must be named; without a group no single row shows it.
        touched: Table → rows that it changed, which other checks may name.
    """

    must: dict[tuple[str, ...], list[Group]]
    touched: dict[str, list[Row]] = field(default_factory=dict)

    def of(self, table: str) -> list[Row]:
        """Every row of a table that it changed, or that shows it."""
        groups = [row for groups in self.must.values() for group in groups for row in group.get(table, ())]
        return [*groups, *self.touched.get(table, ())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of violation.

    Attributes:
        name: In a few words.
        plant: Plants it into a log, about so many times, at random.
        strength: How strong it is, in words; empty where it is the number of rows.
        follows: Checks that may fail as its consequence.
        accepts: Statuses that count as found.
        cases: Fewest and most cases of the logs that it is planted into.
        people: Fewest and most approvers of them.
        most: The most times that it is planted into one log.
        area: What it has to itself; two kinds of one area are not planted together.
    """

    name: str
    plant: Callable[[Log, Rng, int], Planted]
    strength: str = ""
    follows: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ("fail",)
    cases: tuple[int, int] = (150, 800)
    people: tuple[int, int] = (2, 12)
    most: int = 25
    area: str = ""


@dataclass(slots=True, kw_only=True)
class Seen:
    """What became of a log's violations.

    Attributes:
        found: Kind → whether a check that must find it did.
        rows: Kind → whether its rows were named, and no others; None where no row can be.
        extra: Checks that failed though nothing planted makes them.
    """

    found: dict[str, bool]
    rows: dict[str, bool | None]
    extra: list[str]


def copy_of(log: Log) -> Log:
    """A log of its own, to plant into."""
    return pickle.loads(pickle.dumps(log))  # type: ignore[no-any-return]


def pick(log: Log, rng: Rng, k: int, of: Callable[[Row], bool]) -> list[Row]:
    """Up to k actions of as many live cases into which nothing was planted yet.

    Raises:
        ImpossibleError: Where there is none.
    """
    live = {row["case_id"] for row in log.live()}
    rows = log.tables["actions"]
    chosen: list[Row] = []
    for i in rng.permutation(len(rows)).tolist():
        row = rows[i]
        if row["case_id"] in live and row["case_id"] not in log.taken and of(row):
            log.taken.add(row["case_id"])
            chosen.append(row)
            if len(chosen) == k:
                break
    if not chosen:
        raise ImpossibleError
    return chosen


def together(kinds: Sequence[Kind], rng: Rng, most: int) -> list[Kind]:
    """Two to so many kinds at random that do not mask one another."""
    wanted = int(rng.integers(2, most + 1))
    chosen: list[Kind] = []
    for i in rng.permutation(len(kinds)).tolist():
        kind = kinds[i]
        if len(chosen) < wanted and not (kind.area and kind.area in {k.area for k in chosen}):
            chosen.append(kind)
    return chosen


def judge(log: Log, planted: Mapping[str, tuple[Kind, Planted]], found: Mapping[str, Check]) -> Seen:
    """Hold what was found against what was planted.

    Args:
        log: The log with everything planted.
        planted: Name of a kind → the kind and what it planted.
        found: What every check found; checks that are not there yet are not judged.
    """
    number = {table: {id(row): n for n, row in enumerate(rows, 1)} for table, rows in log.tables.items()}

    def numbers(table: str, rows: Sequence[Row]) -> set[int]:
        return {number[table][id(row)] for row in rows if id(row) in number[table]}

    allowed: dict[tuple[str, str], set[int]] = {}
    may: set[str] = set()
    for kind, what in planted.values():
        checks = {*kind.follows, *(name for names in what.must for name in names)}
        may |= checks
        for name in checks:
            for table in log.tables:
                allowed.setdefault((name, table), set()).update(numbers(table, what.of(table)))
    seen = Seen(found={}, rows={}, extra=[])
    for label, (kind, what) in planted.items():
        there = {names: groups for names, groups in what.must.items() if set(names) <= set(found)}
        if not there:
            continue
        failing = {names: [n for n in names if found[n].status in kind.accepts] for names in there}
        seen.found[label] = all(failing.values())
        named = [
            _named(found, failing[names], groups, numbers, allowed)
            for names, groups in there.items()
            if groups and not any(CATALOGUE[name].personal for name in names)
        ]
        seen.rows[label] = all(named) if named else None
    seen.extra = [name for name, check in found.items() if check.status == "fail" and name not in may]
    # Whatever was planted: nothing about single people names a row.
    seen.extra += [
        f"{n} names rows" for n, c in found.items() if CATALOGUE[n].personal and c.rows is not None
    ]
    return seen


def _named(
    found: Mapping[str, Check],
    failing: Sequence[str],
    groups: Sequence[Group],
    numbers: Callable[[str, Sequence[Row]], set[int]],
    allowed: Mapping[tuple[str, str], set[int]],
) -> bool:
    """Whether the checks that fail name each group by one of its rows, among the first, and nothing else."""
    shown: dict[str, set[int]] = {}
    last: dict[str, float] = {}
    for name in failing:
        rows = found[name].rows
        if rows is None:
            continue
        possible = allowed[name, rows.table]
        first = set(rows.first)
        if not first <= possible or not rows.count <= len(possible):
            return False
        if len(first) != min(rows.count, MOST_ROWS) or list(rows.first) != sorted(first):
            return False
        shown.setdefault(rows.table, set()).update(first)
        end = max(first) if rows.count > len(first) else float("inf")
        last[rows.table] = min(end, last.get(rows.table, float("inf")))
    for group in groups:
        of = {table: numbers(table, rows) for table, rows in group.items()}
        if not any(of.values()):
            continue  # what was planted next took these rows away
        of = {table: wanted for table, wanted in of.items() if wanted and table in shown}
        if not any(shown[table] & wanted or max(wanted) > last[table] for table, wanted in of.items()):
            return False
    return True
