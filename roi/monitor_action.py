"""What is to be done about a stream: continue, investigate, restrict, pause or roll back, each by a named rule.

- *Continue*: no question was ever answered with yes.
- *Investigate*: the stream is worse than the record thought possible, or something else comes in than it rested on.
- *Pause*: a limit is broken.
- *Restrict* in place of *pause*: every breach is explained by segments that broke a limit by their own evidence, and
  without them the other cases keep it.
- *Roll back* in place of either: the breach most likely began with a version of the agent, the version before it kept
  the limit, and it can be returned to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from roi.monitor_basis import Basis
from roi.monitor_days import MEASURES, Counted, Stream, Version
from roi.monitor_tests import RATES, Tested, cases_of
from roi.words import amount, and_list, percent, plural, shorten

__all__ = ["Action", "act", "began_with", "reason_of", "said"]

Name: TypeAlias = Literal["continue", "investigate", "restrict", "pause", "roll_back"]

BEFORE, AFTER = (
    7,
    21,
)  # days that a beginning, which is an estimate, may lie before and after a change that caused it


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is to be done.

    Attributes:
        action: Which.
        segments: That are to be left out, of *restrict*.
        version: To return to, of *roll back*.
        change: The version with which it began.
        since: The day on which the evidence was enough; None for *continue*.
        rule: Why it is this action and no other, in words.
        because: The questions that were answered with yes and led to it.
    """

    action: Name
    segments: tuple[str, ...] = ()
    version: str | None = None
    change: str | None = None
    since: int | None = None
    rule: str
    because: tuple[Tested, ...] = ()


def act(tested: Sequence[Tested], stream: Stream, basis: Basis) -> Action:
    """What is to be done about a stream.

    Args:
        tested: What came of all questions.
        stream: The stream.
        basis: What the record rested on.
    """
    yes = sorted(
        (t for t in tested if t.crossed is not None), key=lambda t: (t.crossed or 0, t.asked.measure)
    )
    broken = tuple(t for t in yes if t.asked.kind == "pause")
    if not broken:
        if not yes:
            return Action(
                action="continue", rule="no limit is broken, and nothing is worse than was expected"
            )
        change = began_with(yes[0], stream)
        return Action(
            action="investigate",
            change=None if change is None else change.name,
            since=yes[0].crossed,
            rule="no limit is broken, but it is not what the decision rested on",
            because=tuple(yes),
        )
    first = broken[0]
    change = began_with(first, stream)
    if change is not None and any((b.crossed or 0) < change.day for b in broken):
        change = None  # another limit was broken before it came
    if change is not None and (before := _kept_before(change, first, stream, basis)) is not None:
        return Action(
            action="roll_back",
            version=before,
            change=change.name,
            since=first.crossed,
            rule=f"it began with version {change.name}, and version {before} kept the limit",
            because=broken,
        )
    alone = _explained_by(broken, stream)
    if alone:
        return Action(
            action="restrict",
            segments=alone,
            change=None if change is None else change.name,
            since=first.crossed,
            rule="the limit is broken there, and the other cases keep it",
            because=broken,
        )
    return Action(
        action="pause",
        change=None if change is None else change.name,
        since=first.crossed,
        rule="a limit is broken, and leaving out a kind of case does not mend it",
        because=broken,
    )


def began_with(t: Tested, stream: Stream) -> Version | None:
    """The newest version that came about when something began, and before it was seen; None where none did."""
    if t.began is None or t.crossed is None:
        return None
    near = [
        v for v in stream.changes if 0 < v.day <= t.crossed and v.day - BEFORE <= t.began <= v.day + AFTER
    ]
    return near[-1] if near else None


def _kept_before(change: Version, t: Tested, stream: Stream, basis: Basis) -> str | None:
    """The version before a change, if it kept the limit, can be returned to, and the new one does not keep it."""
    names = [v.name for v in stream.changes]
    at = names.index(change.name)
    name = change.replaces or (names[at - 1] if at > 0 else None)
    if name is None or change.rolled_back:
        return None
    if any(v.name == name and v.rolled_back for v in stream.changes):
        return None
    rows = stream.measures[t.asked.measure]
    rows = cases_of(t.asked, rows, stream.segments)
    if name in stream.versions and change.name in stream.versions:
        was = rows.where(rows.version == stream.versions.index(name))
        new = rows.where(rows.version == stream.versions.index(change.name))
    else:
        was, new = rows.where(rows.day < change.day), rows.where(rows.day >= change.day)
    limit = _limit(t, stream, was), _limit(t, stream, new)
    expected = basis.expected.get(t.asked.measure)
    before = _mean(was)
    if before is None:
        before = t.asked.expected if t.asked.expected is not None else expected.mean if expected else None
    after = _mean(new)
    if before is None or after is None:
        return None
    return name if before <= limit[0] and after > limit[1] else None


def _mean(rows: Counted) -> float | None:
    n = float(rows.n.sum())
    return float(rows.total.sum()) / n if n > 0 else None


def _limit(t: Tested, stream: Stream, rows: Counted) -> float:
    """The limit of some cases: the mean of their segments', where each has its own."""
    if not t.asked.by_segment or not rows.n.sum() > 0:
        return t.asked.limit
    own = np.array([t.asked.by_segment.get(name, t.asked.limit) for name in stream.segments])
    return float((rows.n * own[rows.segment]).sum() / rows.n.sum())


def _explained_by(broken: Sequence[Tested], stream: Stream) -> tuple[str, ...]:
    """Segments that broke limits by themselves and without which the others keep them; none where that is not so."""
    seen = {name for i, name in enumerate(stream.segments) if (stream.volume.segment == i).any()}
    alone = {name for t in broken if t.asked.segment is not None for name in _named(t, seen)}
    if not alone or not seen - alone:
        return ()
    others = np.array([name not in alone for name in stream.segments])
    for t in broken:
        if t.asked.segment is not None:
            continue
        rows = stream.measures[t.asked.measure]
        rows = rows.where(others[rows.segment] & (rows.day >= (t.began or 0)))
        mean = _mean(rows)
        if mean is not None and mean > _limit(t, stream, rows):
            return ()
    return tuple(sorted(alone))


def _named(t: Tested, seen: Iterable[str]) -> list[str]:
    """The kinds of cases that a question is about, of those that came."""
    segment = t.asked.segment
    if segment is None:
        return []
    return sorted(set(seen) - t.asked.besides) if t.asked.besides else [segment]


def said(measure: str, value: float | None, currency: str | None) -> str:
    """A value of a measure in words."""
    if value is None:
        return "not known"
    if measure in RATES or measure.startswith(("segment", "inputs")):
        return percent(value)
    if measure == "human_minutes_pilot":
        return f"{value:.2f} minutes"
    return amount(value, currency or "").strip()


def reason_of(t: Tested, stream: Stream) -> str:
    """Why a question was answered with yes, in a sentence."""
    assert t.crossed is not None
    assert t.began is not None
    asked = t.asked
    value, limit = (said(asked.measure, x, stream.currency) for x in (t.mean, asked.limit))
    n = plural(round(t.n), "action" if asked.measure == "approval_miss_rate" else "case")
    began, seen = stream.date(t.began), stream.date(t.crossed)
    change = began_with(t, stream)
    with_ = (
        "" if change is None else f" (version {shorten(change.name, 40)} came on {change.date.isoformat()})"
    )
    when = f"since about {began.isoformat()}{with_}, seen on {seen.isoformat()}"
    if asked.kind == "drift":
        was = said(asked.measure, asked.expected, None)
        what = "Cases of" if asked.measure == "segment" else "Cases with"
        kind = "other kinds" if asked.segment == "(others)" else asked.segment
        return f"{what} {kind}: {value} of {n} {when}, where the decision had {was}"
    where = "" if asked.segment is None else f" in {asked.segment}"
    if asked.besides:
        names = and_list(shorten(name, 40) for name in _named(t, stream.segments))
        where = f" in kinds that the decision did not have ({names})"
    against = "the limit is" if asked.kind == "pause" else "the record thought at most possible"
    return f"{MEASURES[asked.measure]}{where}: {value} in {n} {when}; {against} {limit}"
