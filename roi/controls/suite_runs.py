"""Runs of an evaluation suite around the changes of an agent: which result of a case speaks for which version."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from roi.controls.logs import Logs

__all__ = ["Change", "Compared", "Result", "Suite", "read_suite"]

Case = tuple[str, str]
Results = Mapping[Case, "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """One result of a case.

    Attributes:
        row: Its row in `evals`.
        passed: Whether the case passed.
        at: When it ran; None where that is not logged.
        run: In which run.
        segment: Of which segment its row says that it is; None where it does not say.
    """

    row: int
    passed: bool
    at: dt.datetime | None
    run: str
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the agent.

    Attributes:
        row: Its row in `changes`.
        version: The version that it brought.
        before: The version that it replaced; None of the first.
        at: When; None where that is not logged.
        undone: Whether it was rolled back by the day of the decision.
        undone_at: When; None where it was not.
    """

    row: int
    version: str
    before: str | None
    at: dt.datetime | None
    undone: bool
    undone_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Cases that were run both before and after a change.

    Attributes:
        n: How many.
        better: How many failed before and passed after.
        worse: Rows after the change of cases that passed before and failed after.
        broken: Of these, rows of critical cases.
        passed: How many passed after it, of all that were run after it.
        after: How many were run after it.
        dropped: Rows before the change of cases that passed then and were not run after it.
        dropped_critical: How many of these are critical.
    """

    n: int
    better: int
    worse: tuple[int, ...]
    broken: tuple[int, ...]
    passed: int
    after: int
    dropped: tuple[int, ...] = ()
    dropped_critical: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The runs of the suite and the changes.

    Attributes:
        results: Version → case → its results in the order of their times. A case is named by its suite and itself.
        changes: In the order of their times.
        critical: Cases of which any row says that they are critical.
        marked: Cases of which any row says whether they are critical.
        segments: Case → the segment that any row names of it; empty where none is named.
        timed: Whether runs say when they were.
    """

    results: Mapping[str, Mapping[Case, list[Result]]] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    critical: frozenset[Case] = frozenset()
    marked: frozenset[Case] = frozenset()
    segments: Mapping[Case, str] = field(default_factory=dict)
    timed: bool = False

    @property
    def live(self) -> Change | None:
        """The last change that was not rolled back; it is never guessed from the order of the runs."""
        return next((c for c in reversed(self.changes) if not c.undone and c.at is not None), None)

    def newest(self, version: str) -> Results:
        """Of each case of a version, its result in the last run that had it."""
        return {case: _firsts(found)[-1] for case, found in self.results.get(version, {}).items()}

    def by_segment(self, version: str) -> Counter[str]:
        """Segment → how many of a version's cases are of it, by their newest rows, else by any row of the case."""
        named = ((found.segment or self.segments.get(case)) for case, found in self.newest(version).items())
        return Counter(segment for segment in named if segment is not None)

    def before(self, version: str, at: dt.datetime) -> Results:
        """Of each case of a version, its last result until a time."""
        found = {}
        for case, results in self.results.get(version, {}).items():
            until = [r for r in _firsts(results) if r.at is not None and r.at <= at]
            if until:
                found[case] = until[-1]
        return found

    def after(self, version: str, at: dt.datetime) -> Results:
        """Of each case of a version, its first result from a time on."""
        found = {}
        for case, results in self.results.get(version, {}).items():
            since = [r for r in _firsts(results) if r.at is not None and r.at >= at]
            if since:
                found[case] = since[0]
        return found

    def compared(self, change: Change) -> Compared | None:
        """What a change did, case by case; None where no run after it, or none of the version before, is known.

        Of each case the results nearest to the change are taken. What the version before was run on only after the
        change has to do where there is nothing else: that all of it came late is a finding of its own.
        """
        if change.at is None or change.before is None:
            return None
        then = self.before(change.before, change.at)
        if change.before != change.version:
            then = {**self.after(change.before, change.at), **then}
        now = self.after(change.version, change.at)
        both = sorted(set(then) & set(now))
        if not both:
            return None
        worse = [case for case in both if then[case].passed and not now[case].passed]
        dropped = [case for case, result in then.items() if result.passed and case not in now]
        return Compared(
            n=len(both),
            better=sum(now[case].passed and not then[case].passed for case in both),
            worse=tuple(sorted(now[case].row for case in worse)),
            broken=tuple(sorted(now[case].row for case in worse if case in self.critical)),
            passed=sum(r.passed for r in now.values()),
            after=len(now),
            dropped=tuple(sorted(then[case].row for case in dropped)),
            dropped_critical=sum(case in self.critical for case in dropped),
        )


def _firsts(results: list[Result]) -> list[Result]:
    """Of each run the first attempt: who may try until it passes shows nothing."""
    return list({r.run: r for r in reversed(results)}.values())[::-1]


def read_suite(logs: Logs) -> Suite:
    """Read the runs and the changes.

    Args:
        logs: The logs; reads `evals` and `changes`. Without a column of runs the first result of each case of a version
            is one run, the second another, and so on.
    """
    evals = logs.table("evals")
    if evals is None:
        return Suite(changes=_changes(logs))
    kinds = {
        "suite": "varchar",
        "ran_at": "timestamp",
        "run_id": "varchar",
        "critical": "boolean",
        "segment": "varchar",
    }
    listed = ", ".join(c if c in evals.columns else f"null::{kind}" for c, kind in kinds.items())
    rows = logs.ask(
        f'select "row", version, eval_case, passed, {listed} from {evals.sql} '
        "where passed is not null and version is not null and eval_case is not null "
        + ('order by ran_at nulls last, "row"' if "ran_at" in evals.columns else 'order by "row"')
    )
    results: dict[str, dict[Case, list[Result]]] = defaultdict(lambda: defaultdict(list))
    critical: set[Case] = set()
    segments: dict[Case, str] = {}
    marked: set[Case] = set()
    timed = False
    for row, version, name, passed, suite, at, run, grave, segment in rows:
        case = (suite or "", name)
        found = results[version][case]
        found.append(Result(row, passed, at, run or f"#{len(found)}", segment))
        timed = timed or at is not None
        if grave is not None:
            marked.add(case)
        if grave:
            critical.add(case)
        if segment is not None:
            segments[case] = segment
    return Suite(
        results=results,
        changes=_changes(logs),
        critical=frozenset(critical),
        marked=frozenset(marked),
        segments=segments,
        timed=timed,
    )


def _changes(logs: Logs) -> tuple[Change, ...]:
    changes = logs.table("changes")
    if changes is None:
        return ()
    replaces = "replaces" if "replaces" in changes.columns else "null::varchar"
    undone = "rolled_back_at" if "rolled_back_at" in changes.columns else "null::timestamp"
    zone = ZoneInfo(logs.timezone or "UTC")

    def still_to_come(when: dt.datetime | None) -> bool:
        """Whether a time is after the day of the decision: what is still to come changes nothing yet."""
        if when is None or logs.as_of is None:
            return False
        return when.replace(tzinfo=dt.UTC).astimezone(zone).date() > logs.as_of

    found: list[Change] = []
    for row, version, before, at, back in logs.ask(
        f'select "row", version, {replaces}, changed_at, {undone} from {changes.sql} '
        'where version is not null order by changed_at nulls first, version, "row"'
    ):
        if still_to_come(at):
            continue
        if still_to_come(back):
            back = None
        # What was undone is no longer there to be replaced.
        standing = [c for c in found if not c.undone]
        found.append(
            Change(
                row,
                version,
                before or (standing[-1].version if standing else None),
                at,
                back is not None,
                back,
            )
        )
    return tuple(found)
