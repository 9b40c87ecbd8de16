"""What the logs tell of each kind of action, for deciding which of them should wait for a person.

A kind is a tool and what it does (its effect); where the log has no effects, a tool, a system and a scope. Only actions
of production cases of the pilot count. An error of a case is shared, each getting as much, over the case's actions that
could have made it: no order and no tool is favoured, and what the shares would be at most is counted beside.

What people caught is what they rejected, and results that they repaired and that came out right: an error that is
caught before release is rework. A repair is shared likewise over the actions that somebody looked at before they ran.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.alike import how_many
from roi.moments import fetch
from roi.relation import Relation
from roi.told_actions import ACTS, COLUMNS, Told, told, totals_of

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["COLUMNS", "COUNTS", "LEAST_IN_A_BIN", "ApprovalKinds", "take_approval_kinds"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST_IN_A_BIN = 30  # actions; fewer say nothing of where a threshold belongs
COUNTS = (
    "asked",
    "by_person",
    "in_time",
    "caught",
    "approved",
    "undecided",
    "ran",
    "ran_in_time",
    "marked_high",
)
"""Actions that were asked for; decided by a person; decided before they ran; rejected, and so not run; approved; run
without a decision; run; run after a decision; marked as high-risk by the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalKinds:
    """Counts by kind of action, and by segment of the case; kinds that may be held come first, the most used first.

    Attributes:
        tool: Name of each kind's tool.
        effect: What it does, "(unknown)" where a row is blank; None where the log has no effects.
        system: Its system and
        scope: scope, where the log has no effects; else None.
        changing: Whether it may be held: it changes something, or a person decided on it, shape (kinds,).
        segments: Names of the segments.
        cases: Pilot cases, shape (segments,).
        labelled: Of these, those with a usable outcome, shape (segments,).
        errors: Errors among them, shape (segments,).
        loose: Errors of cases in which no action that may be held ran, shape (segments,).
        counts: Actions, shape (kinds, segments, 9) in the order of `COUNTS`.
        slipped: Errors of labelled cases, shared over the actions that ran, shape (kinds, segments).
        slipped_in_time: Of these, those that fall to actions a person had let pass, shape (kinds, segments).
        errors_with: Cases with an error in which the kind ran, shape (kinds,).
        errors_alone: Of these, those in which no other kind ran that may be held, shape (kinds,).
        review: Actions with known minutes of a person, their sum and the sum of squares, shape (kinds, 3): a case's
            review minutes shared over its actions that a person decided on.
        mended: Repairs of cases without a rejection, shared over the actions that ran and that a person had let pass in
            time, shape (kinds, segments).
        looked: Labelled cases without a rejection in which an action ran that a person had let pass in time, and of
            these the repaired ones, shape (2,).
        not_looked: Labelled cases in which an action ran and nobody decided on any, and of these the repaired ones,
            shape (2,).
        mending: Cases with something caught whose rework is known, and the sum of these minutes, shape (2,).
        review_without: Cases in which an action ran and nobody decided on any, their review minutes, shape (2,).
        wait: Decisions by people that are timed, and the hours from request to decision, shape (kinds, 2).
        approvers: People who decided, where they are named; 0 where nobody is, shape (kinds,).
        edges: Of each kind and column of `COLUMNS`, the edges of its bins; empty where it has too few values.
        bins: Kind, column, bin (-1: no value) and segment of each row of `binned`, shape (rows, 4).
        binned: Actions asked for, shape (rows,).
        binned_caught: What was caught of them, repairs with it, shape (rows,).
        binned_slipped: Errors that fall to them, shape (rows,).
        has: Which of "effect", "decision", "times", "review", "outcome", "wait" there is something of.
    """

    tool: tuple[str, ...]
    effect: tuple[str, ...] | None
    system: tuple[str, ...] | None
    scope: tuple[str, ...] | None
    changing: npt.NDArray[np.bool_]
    segments: tuple[str, ...]
    cases: Ints
    labelled: Ints
    errors: Ints
    loose: Ints
    counts: Ints
    slipped: Floats
    slipped_in_time: Floats
    errors_with: Ints
    errors_alone: Ints
    review: Floats
    mended: Floats
    looked: Ints
    not_looked: Ints
    mending: Floats
    review_without: Floats
    wait: Floats
    approvers: Ints
    edges: tuple[tuple[tuple[float, ...], ...], ...]
    bins: Ints
    binned: Ints
    binned_caught: Floats
    binned_slipped: Floats
    has: frozenset[str]

    def count(self, name: str) -> Ints:
        """A count by name, shape (kinds, segments)."""
        return np.asarray(self.counts[:, :, COUNTS.index(name)], dtype=np.int64)

    def required_by(self, kind: int, high_risk_tools: Collection[str]) -> list[str]:
        """Who calls a kind high-risk: the policy, what its tool does, or how the log marks any action of its tool.

        As the checks of approval see it (`roi.approvals`): a tool is as risky as anything it is seen to do.
        """
        of_tool = [k for k, tool in enumerate(self.tool) if tool == self.tool[kind]]
        found = ["policy"] if self.tool[kind] in high_risk_tools else []
        if self.effect is not None and any(self.effect[k] in ("send", "pay") for k in of_tool):
            found.append("effect")
        if any(self.count("marked_high")[k].sum() for k in of_tool):
            found.append("log")
        return found

    @property
    def repairs_known(self) -> bool:
        """Whether enough ran undecided to tell how many repairs are made anyway."""
        return bool(self.looked[1] > 0 and self.not_looked[0] >= LEAST_IN_A_BIN)

    @property
    def catch_known(self) -> bool:
        """Whether people are seen to have caught something in time, or to have let it pass."""
        held = self.changing
        met = self.count("caught")[held].sum() + self.mended[held].sum() + self.slipped_in_time[held].sum()
        return bool(self.count("in_time")[held].sum() > 0 and met > 0)


def take_approval_kinds(samples: Samples, *, labels: str) -> ApprovalKinds | None:
    """Count what the logs tell of each kind of action.

    Args:
        samples: The opened samples; reads `cases` and `actions`.
        labels: Who labelled the cases, as the moments say: of "mixed" ones only people's count.

    Returns:
        The counts; None without a log of actions or without cases.
    """
    actions, cases = samples.tables.get("actions"), samples.tables.get("cases")
    if actions is None or cases is None or samples.apart:
        return None
    with told(samples, actions, cases, labels) as laid:
        totals = _totals(samples, totals_of(cases, labels) if laid.many else None)
        return _counted(samples, laid, totals, {*actions.columns, *cases.columns})


def _counted(
    samples: Samples, laid: Told, of_segments: tuple[tuple[str, ...], Ints], present: set[str]
) -> ApprovalKinds:
    """The counts, from a table of the cases that holds each with its actions."""
    keys, kinds, changing = laid.keys, laid.kinds, laid.changing
    segments, totals = of_segments
    at = {name: i for i, name in enumerate(segments)}
    counts, shared = _by_segment(samples, laid, at)
    per_kind, without = _per_kind(samples, laid)
    edges = _edges(samples, changing, [c for c in COLUMNS if c in present])
    bins, binned, shared_bins = _bins(samples, edges, at)
    has = {name for name, columns in _NEEDS.items() if set(columns) <= present}
    names = list(zip(*kinds, strict=True)) if kinds else [()] * len(keys)
    by_key = dict(zip(keys, names, strict=True))
    return ApprovalKinds(
        tool=tuple(by_key["tool"]),
        effect=tuple(by_key["effect"]) if "effect" in by_key else None,
        system=tuple(by_key["system"]) if "system" in by_key else None,
        scope=tuple(by_key["scope"]) if "scope" in by_key else None,
        changing=np.array(changing, dtype=bool),
        segments=segments,
        cases=totals[:, 0],
        labelled=totals[:, 1],
        errors=totals[:, 2],
        loose=totals[:, 3],
        counts=counts,
        slipped=shared[0],
        slipped_in_time=shared[1],
        mended=shared[2],
        looked=without[4:6].astype(np.int64),
        not_looked=without[2:4].astype(np.int64),
        mending=without[6:],
        errors_with=per_kind[:, 0].astype(np.int64),
        errors_alone=per_kind[:, 1].astype(np.int64),
        review=per_kind[:, 2:5],
        review_without=without[:2],
        wait=per_kind[:, 5:7],
        approvers=per_kind[:, 7].astype(np.int64),
        edges=edges,
        bins=bins,
        binned=binned,
        binned_caught=shared_bins[:, 0],
        binned_slipped=shared_bins[:, 1],
        has=frozenset(has),
    )


_NEEDS = {
    "effect": ("effect",),
    "decision": ("decision",),
    "times": ("decision", "decided_at", "executed_at"),
    "wait": ("decision", "requested_at", "decided_at"),
    "review": ("review_minutes",),
    "outcome": ("outcome",),
}


def _totals(samples: Samples, of_cases: str | None) -> tuple[tuple[str, ...], Ints]:
    """Segments, and their cases, labelled cases, errors, and errors without an action that may be held.

    `of_cases` is a query of all but the last, where the table of cases holds only those with such an action.
    """
    errors = f"count(*) filter (error_ and changed_ {'=' if of_cases is None else '>'} 0)"
    rows = fetch(
        samples,
        "select segment_, count(*), count(*) filter (counts_), count(*) filter (error_), "
        f"{errors} from told_cases group by 1 order by 1",
    )
    if of_cases is not None:
        held = {row[0]: row[-1] for row in rows}
        rows = [(*row, row[-1] - held.get(row[0], 0)) for row in fetch(samples, of_cases)]
    totals = np.array([[int(x) for x in row[1:]] for row in rows], dtype=np.int64).reshape(len(rows), 4)
    return tuple(str(row[0]) for row in rows), totals


def _by_segment(samples: Samples, laid: Told, at: dict[str, int]) -> tuple[Ints, Floats]:
    """Counts of actions by kind and segment, and what falls to them: errors, those let pass in time, and repairs."""
    n = len(laid.kinds)
    counts = np.zeros((n, len(at), len(COUNTS)), dtype=np.int64)
    shared = np.zeros((3, n, len(at)))
    asked = ["true", "person_", "in_time_", "caught_", "decision = 'approved'", "ran_ and not person_"]
    asked += ["ran_", "ran_ and in_time_", "high_"]
    groups = Relation("told_groups", ()) if laid.many else None
    listed = ", ".join(how_many(groups, condition) for condition in asked)
    sums = (
        f"sum(share_) filter ({laid.mine})::double, sum(share_) filter ({laid.mine} and in_time_)::double, "
        f"sum(repair_) filter ({laid.mine} and in_time_)::double from {laid.some}"
    )
    by, order = "select kind_, segment_", "group by 1, 2 order by 1, 2"
    if groups is None:
        rows = fetch(samples, f"{by}, {listed}, {sums} {order}")
        split = [(row[:-3], row[-3:]) for row in rows]
    else:  # few of many have a share in anything
        split = [(row, ()) for row in fetch(samples, f"{by}, {listed} from {groups.sql} {order}")]
        some = f"{laid.mine} and (error_ or mended_)"
        split += [(row[:2], row[2:]) for row in fetch(samples, f"{by}, {sums} where {some} {order}")]
    for (kind, segment, *found), parts in split:
        if found:
            counts[kind, at[segment]] = [int(x) for x in found]
        if parts:
            shared[:, kind, at[segment]] = [float(x or 0.0) for x in parts]
    return counts, shared


def _per_kind(samples: Samples, laid: Told) -> tuple[Floats, Floats]:
    """Of each kind, errors with it and alone, minutes of people and waiting; and review where nobody decided."""
    mine = "(review_ / nullif(decided_, 0))::decimal(18,6)"
    rows = fetch(
        samples,
        "select kind_, count(distinct case_id) filter (error_ and ran_), "
        f"count(distinct case_id) filter (error_ and ran_ and kinds_ = 1), count({mine}) filter (person_), "
        f"sum({mine}) filter (person_)::double, sum(({mine} * {mine})::decimal(18,6)) filter (person_)::double, "
        "count(wait_) filter (person_ and wait_ >= 0), sum(wait_) filter (person_ and wait_ >= 0)::double, "
        "count(distinct approver_) filter (person_) "
        f"from {laid.some} group by 1 order by 1",
    )
    found = np.zeros((len(laid.kinds), 8))
    for kind, *values in rows:
        found[kind] = [float(x or 0.0) for x in values]
    alone, caught = "changed_ > 0 and decided_ = 0", "rejected_ > 0 or repair_ is not null"
    (row,) = fetch(
        samples,
        f"select count(review_) filter ({alone}), sum(review_) filter ({alone})::double, "
        f"count(*) filter ({alone} and counts_), count(*) filter ({alone} and mended_), "
        "count(*) filter (passed_ > 0 and rejected_ = 0 and counts_), count(*) filter (repair_ is not null), "
        f"count(rework_) filter ({caught}), sum(rework_) filter ({caught})::double from told_cases",
    )
    return found, np.array([float(x or 0.0) for x in row])


def _edges(
    samples: Samples, changing: Sequence[bool], columns: Sequence[str]
) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Edges of at most ten bins of as many actions each, to three digits, so that they can be used and name no case."""
    found: list[list[tuple[float, ...]]] = [[() for _ in COLUMNS] for _ in changing]
    tenths = [round(i / 10, 1) for i in range(1, 10)]
    for column in columns:
        rows = fetch(
            samples,
            f"select kind_, count({column}_), quantile_disc({column}_, {tenths}) from {ACTS} "
            f"where kind_ < {sum(changing)} and {column}_ is not null group by 1 order by 1",
        )
        for kind, known, values in rows:
            step = 1 if known >= 10 * LEAST_IN_A_BIN else 2 if known >= 5 * LEAST_IN_A_BIN else 0
            if step:
                rounded = {float(f"{float(x):.3g}") for x in values[step - 1 :: step]}
                found[kind][COLUMNS.index(column)] = tuple(sorted(rounded))
    return tuple(tuple(edges) for edges in found)


def _bins(
    samples: Samples,
    edges: tuple[tuple[tuple[float, ...], ...], ...],
    at: dict[str, int],
) -> tuple[Ints, Ints, Floats]:
    """Actions, caught ones and errors by kind, column, bin and segment."""
    found: list[tuple[Any, ...]] = []
    for j, column in enumerate(COLUMNS):
        cut = {k: own[j] for k, own in enumerate(edges) if own[j]}
        if not cut:
            continue
        places = " ".join(
            f"when {k} then " + " + ".join(f"({column}_ >= {edge!r})::integer" for edge in own)
            for k, own in cut.items()
        )
        rows = fetch(
            samples,
            f"select kind_, coalesce(case kind_ {places} end, -1) as bin_, segment_, count(*), "
            "count(*) filter (caught_) + coalesce(sum(repair_) filter (ran_ and in_time_), 0)::double, "
            f"sum(share_) filter (ran_)::double from {ACTS} "
            f"where kind_ in ({', '.join(map(str, cut))}) "
            "group by 1, 2, 3 order by 1, 2, 3",
        )
        found += [(kind, j, place, at[str(segment)], *rest) for kind, place, segment, *rest in rows]
    whole = np.array([[int(x) for x in row[:5]] for row in found], dtype=np.int64).reshape(len(found), 5)
    shared = np.array([[float(x or 0.0) for x in row[5:]] for row in found]).reshape(len(found), 2)
    return whole[:, :4], whole[:, 4], shared
