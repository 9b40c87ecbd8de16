"""A stream of fresh cases by day: what is summed in the engine, one query of cases and one of actions.

Rows are day × segment × person × version; more than `MOST_PEOPLE` people are bundled by the head of their pseudonym,
which is a hash already, and so are cases of which nobody says who worked them. A day without cases, or on which none
was labelled, is unknown and not 0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.approvals import agents_of, approvals_of
from roi.moments import ALL, fetch
from roi.monitor_columns import BY_LABEL, half_labelled, imputed, refuse_far_days, watched_columns
from roi.periods import local_day
from roi.readers.base import literal
from roi.relation import Relation
from roi.words import count, plural

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["MEASURES", "Counted", "Stream", "Version", "fresh_cases", "read_stream"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_PEOPLE = 64
ALL_LABELLED = 0.95

MEASURES = {
    "severe_error_rate_pilot": "Severe errors",
    "error_rate_pilot": "Errors",
    "escalation_rate_pilot": "Escalated or abandoned",
    "human_minutes_pilot": "Human minutes per case",
    "agent_cost_per_case": "Agent cost per case",
    "error_cost_per_case": "Cost of errors per case",
    "approval_miss_rate": "High-risk actions without approval",
}
"""What is watched, by the names that the record has for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One measure by day, segment, person and version; rows with a case only, each array of shape (rows,).

    Attributes:
        day: From 0.
        segment: Index of the segment.
        person: Index of the person or bundle.
        version: Index of the version; -1 where none is named.
        n: Cases (or actions) of which it is known, or the sum of their weights.
        total: Sum over them: hits, minutes or money.
    """

    day: Ints
    segment: Ints
    person: Ints
    version: Ints
    n: Floats
    total: Floats

    def where(self, rows: npt.NDArray[np.bool_]) -> Counted:
        """Some of the rows."""
        return Counted(**{name: getattr(self, name)[rows] for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of the agent that the stream or the `changes` table knows.

    Attributes:
        name: Of the version.
        day: Day from 0 on which it came, below 0 before the stream.
        date: That day.
        replaces: The version before it, where that is told.
        rolled_back: Whether it was taken back.
        from_table: Whether the table says so; else it is the day of its first case.
    """

    name: str
    day: int
    date: dt.date
    replaces: str | None
    rolled_back: bool
    from_table: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Fresh cases of the pilot by day.

    Attributes:
        first: The first day.
        days: Days from the first to the newest, both included.
        segments: Names.
        versions: Names of the versions that cases carry.
        people: Whether persons are named, so that rows tell them apart.
        volume: Cases; `total` counts them, too.
        measures: By name of `MEASURES`, and the share of cases with defective inputs.
        unknown: Measure → why it is not known, with the mend.
        changes: Versions in the order in which they came.
        currency: Of the cost; None without one.
        left_out: Why cases are left out → how many.
        warnings: What a reader should know, a sentence each.
    """

    first: dt.date
    days: int
    segments: tuple[str, ...]
    versions: tuple[str, ...]
    people: bool
    volume: Counted
    measures: Mapping[str, Counted]
    unknown: Mapping[str, str]
    changes: tuple[Version, ...]
    currency: str | None
    left_out: Mapping[str, int]
    warnings: tuple[str, ...]

    def date(self, day: int) -> dt.date:
        """The date of a day."""
        return self.first + dt.timedelta(days=day)


def read_stream(
    samples: Samples,
    *,
    since: dt.date | None,
    timezone: str,
    selection: str,
    high_risk_tools: Sequence[str] = (),
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    baseline_minutes: Mapping[str, float] | None = None,
    error_costs: Mapping[str, float] | None = None,
) -> Stream | None:
    """Sum the pilot's fresh production cases by day.

    Args:
        samples: The opened samples; reads `cases`, `actions` and `changes`.
        since: The first day that is fresh; None for all.
        timezone: In which days begin and end.
        selection: How people chose the cases they labelled.
        high_risk_tools: Tools that the policy calls high-risk.
        currency: The pilot's.
        rates: Currency → what one of it is worth in the pilot's.
        baseline_minutes: Segment (or `ALL`) → minutes that a case takes without the agent, charged where it was handed
            over and nobody logged who took it.
        error_costs: Severity (or "" where none is given) → what an error of it costs; None where that is not known.

    Returns:
        The stream; None where no case is fresh.

    Raises:
        SampleError: If cases are dated years from the rest.
    """
    cases = fresh_cases(samples, timezone)
    present = set(cases.columns)
    fresh = "day_ is not null" + (f" and day_ >= date '{since.isoformat()}'" if since else "")
    query = (
        f"select count(*), count(day_), count(*) filter ({fresh}), min(day_) filter ({fresh}), "
        f"max(day_) filter ({fresh}) from {cases.sql}"
    )
    every, dated, n, first, last = fetch(samples, query)[0]
    left_out = {"no time of their start": int(every - dated), "before the fresh days": int(dated - n)}
    if not n:
        return None
    days = (last - first).days + 1
    cases = cases.where(fresh)
    refuse_far_days(samples, cases)
    columns, unknown, warnings = watched_columns(
        samples,
        cases,
        present,
        selection=selection,
        currency=currency,
        rates=rates or {},
        error_costs=error_costs,
    )
    person, people = _person(samples, cases, present)
    cases = cases.having(person_=person)
    keys = ["day_", "segment_", "person_", "version_"]
    aggregates = {"n": "count(*)"}
    for name, (known, value) in columns.items():
        aggregates[f"{name}_n"] = f"coalesce(sum({known}), 0)::double"
        aggregates[f"{name}_t"] = f"coalesce(sum({value}), 0)::double"
    if "human_minutes_pilot" in columns:
        own = columns["human_minutes_pilot"][1]
        aggregates["imputed"] = "count(*) filter (imputed_)"
        aggregates["imputed_own"] = f"coalesce(sum({own}) filter (imputed_), 0)::double"
    rows = _Rows(samples, cases.having(imputed_=imputed(present)), keys, aggregates, first)
    measures = {}
    for name in columns:
        n, total = rows.floats(f"{name}_n"), rows.floats(f"{name}_t")
        if name == "human_minutes_pilot" and baseline_minutes:
            total = total + rows.floats("imputed") * rows.by_segment(baseline_minutes)
        elif name == "human_minutes_pilot":  # what they took is not known, and no baseline can stand in
            n, total = n - rows.floats("imputed"), total - rows.floats("imputed_own")
        measures[name] = rows.counted(n, total)
    misses = _approvals(samples, cases, high_risk_tools, rows)
    if isinstance(misses, str):
        unknown["approval_miss_rate"] = misses
    else:
        measures["approval_miss_rate"] = misses
    for name, counted in list(measures.items()):
        if not counted.n.sum() > 0:
            del measures[name]
            unknown.setdefault(name, "no fresh case says it")
    volume = rows.counted(rows.floats("n"), rows.floats("n"))
    if selection == "all" and "label_probability" not in present:
        measures, late = _labelled(measures, volume)
        warnings += late
    changes = _changes(samples, timezone, first, rows.versions, volume)
    return Stream(
        first=first,
        days=days,
        segments=rows.segments,
        versions=rows.versions,
        people=people,
        volume=volume,
        measures=measures,
        unknown=unknown,
        changes=changes,
        currency=currency if {"agent_cost_per_case", "error_cost_per_case"} & set(measures) else None,
        left_out={why: k for why, k in left_out.items() if k},
        warnings=tuple(warnings),
    )


def _labelled(measures: dict[str, Counted], volume: Counted) -> tuple[dict[str, Counted], list[str]]:
    """What labels tell where all cases are said to be labelled, days half labelled left out; and what is said of it."""
    known = measures.get("error_rate_pilot")
    if known is None:
        return measures, []
    days = int(volume.day.max()) + 1
    labelled, cases = (
        np.bincount(x.day, weights=x.n, minlength=days).astype(np.float64) for x in (known, volume)
    )
    late, warnings = half_labelled(labelled, cases), []
    if late.any():
        measures = {k: m.where(~late[m.day]) if k in BY_LABEL else m for k, m in measures.items()}
        warnings.append(
            f"{plural(int(late.sum()), 'day')} with fewer labels than usual ({count(labelled[late].sum())} of "
            f"{count(cases[late].sum())} cases) tell nothing of errors yet: bad cases are often labelled first; "
            "they count once the rest is labelled (samples.labels.selection says all)"
        )
    rest = ~late
    if labelled[rest].sum() < ALL_LABELLED * cases[rest].sum():
        warnings.append(
            f"{count(labelled[rest].sum())} of {count(cases[rest].sum())} fresh cases carry an outcome that a person "
            "gave; the others are taken to be like them (samples.labels.selection says all)"
        )
    return measures, warnings


def fresh_cases(samples: Samples, timezone: str, since: dt.date | None = None) -> Relation:
    """The pilot's production cases with `day_`, `segment_` and `version_`; from a day on, where one is given."""
    cases = samples.tables["cases"]
    present = set(cases.columns)
    live = "arm = 'pilot'" + (" and setting is distinct from 'demo'" if "setting" in present else "")
    time = "started_at" if "started_at" in present else "ended_at"
    found = cases.where(live).having(
        day_=local_day(time, timezone) if time in present else "null::date",
        segment_="segment" if "segment" in present else literal(ALL),
        version_="version" if "version" in present else "null::varchar",
    )
    return found if since is None else found.where(f"day_ >= date '{since.isoformat()}'")


class _Rows:
    """The result of the query, its names numbered in their order; persons by what they hold are not told apart."""

    def __init__(
        self,
        samples: Samples,
        cases: Relation,
        keys: list[str],
        aggregates: Mapping[str, str],
        first: dt.date,
    ) -> None:
        found = fetch(samples, cases.grouped(keys, aggregates))
        self.at = {name: i for i, name in enumerate([*keys, *aggregates])}
        self.first = first
        self.segments = tuple(sorted({str(row[1]) for row in found}))
        self.versions = tuple(sorted({str(row[3]) for row in found if row[3] is not None}))
        self._persons = {p: i for i, p in enumerate(sorted({str(row[2]) for row in found}))}
        self._rows = found
        self.keys = self.keys_of(found)

    def keys_of(self, rows: Sequence[tuple[Any, ...]]) -> tuple[Ints, Ints, Ints, Ints]:
        segment = {name: i for i, name in enumerate(self.segments)}
        version = {name: i for i, name in enumerate(self.versions)}
        block = [
            (
                (row[0] - self.first).days,
                segment[str(row[1])],
                self._persons.get(str(row[2]), -1),
                -1 if row[3] is None else version[str(row[3])],
            )
            for row in rows
        ]
        day, seg, person, ver = np.array(block, dtype=np.int64).reshape(len(rows), 4).T
        return day, seg, person, ver

    def floats(self, name: str) -> Floats:
        return np.array([float(row[self.at[name]] or 0.0) for row in self._rows], dtype=np.float64)

    def by_segment(self, of: Mapping[str, float]) -> Floats:
        """A number of each row's segment; of all of them where it has none of its own, else 0."""
        values = [of.get(name, of.get(ALL, 0.0)) for name in self.segments]
        return np.array(values, dtype=np.float64)[self.keys[1]]

    def counted(self, n: Floats, total: Floats) -> Counted:
        day, segment, person, version = self.keys
        every = Counted(day=day, segment=segment, person=person, version=version, n=n, total=total)
        return every.where(n > 0)


def _person(samples: Samples, cases: Relation, present: set[str]) -> tuple[str, bool]:
    """SQL of who worked a case, or of the bundle that it belongs to; and whether people are named."""
    if "worker" in present:
        people = int(fetch(samples, f"select count(distinct worker) from {cases.sql}")[0][0])
        if people:
            named = "coalesce(worker, '')"
            return (named if people <= MOST_PEOPLE else f"substr({named}, 3, 1)"), people <= MOST_PEOPLE
    return f"substr({samples.text_of('case_id')}, 3, 1)", False


def _approvals(
    samples: Samples, cases: Relation, high_risk_tools: Sequence[str], rows: _Rows
) -> Counted | str:
    """High-risk actions that ran, and those without a proper approval, by the day of their case; or why not."""
    actions = samples.tables.get("actions")
    if actions is None:
        return "there is no log of fresh actions (--actions FILE)"
    rule = approvals_of(actions, high_risk_tools, agents=agents_of(samples.tables))
    if rule is None:
        return "the action log does not say who decided what and when, or which actions are high-risk"
    acts = actions.having(risky_=rule.risky, missed_=f"not coalesce({rule.proper}, false)").where("risky_")
    person = f"substr({samples.text_of('case_id')}, 3, 1)"
    of = f"(select case_id as case_, day_, segment_, version_, {person} as person_ from {cases.sql})"
    joined = Relation(f"(select * from {acts.sql} a join {of} c on a.case_id = c.case_)", ())
    keys = ["day_", "segment_", "person_", "version_"]
    counted = fetch(samples, joined.grouped(keys, {"n": "count(*)", "missed": "count(*) filter (missed_)"}))
    bundles = {name: i for i, name in enumerate(sorted({str(row[2]) for row in counted}))}
    day, segment, _, version = rows.keys_of(counted)
    return Counted(
        day=day,
        segment=segment,
        person=np.array([bundles[str(row[2])] for row in counted], dtype=np.int64),
        version=version,
        n=np.array([row[4] for row in counted], dtype=np.float64),
        total=np.array([row[5] for row in counted], dtype=np.float64),
    )


def _changes(
    samples: Samples, timezone: str, first: dt.date, versions: Sequence[str], volume: Counted
) -> tuple[Version, ...]:
    """When versions came: as the table says, else on the day of their first case in the stream."""
    found: dict[str, Version] = {}
    table = samples.tables.get("changes")
    if table is not None:
        at = local_day("changed_at", timezone)
        replaces = "replaces" if "replaces" in table.columns else "null::varchar"
        back = "rolled_back_at is not null" if "rolled_back_at" in table.columns else "false"
        query = (
            f"select version, min({at}), max({replaces}), bool_or({back}) from {table.sql} "
            "where changed_at is not null group by 1 order by 2, 1"
        )
        for name, date, before, gone in fetch(samples, query):
            found[str(name)] = Version(
                name=str(name),
                day=(date - first).days,
                date=date,
                replaces=None if before is None else str(before),
                rolled_back=bool(gone),
                from_table=True,
            )
    for i, name in enumerate(versions):
        day = int(volume.day[volume.version == i].min())
        if name not in found:
            date = first + dt.timedelta(days=day)
            found[name] = Version(
                name=name, day=day, date=date, replaces=None, rolled_back=False, from_table=False
            )
    return tuple(sorted(found.values(), key=lambda v: (v.day, v.name)))
