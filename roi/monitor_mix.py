"""Whether what comes in is still what the decision rested on: kinds of cases, and the state of their inputs.

A share that is larger than the decision had it is tested as any rate is, a day being one unit, so that cases of one day
may come in bursts. A kind of case that becomes rarer shows in the others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from roi.monitor_basis import Basis
from roi.monitor_days import Counted, Stream
from roi.monitor_tests import Asked

__all__ = ["mix_questions", "share_question"]

Floats = npt.NDArray[np.float64]

OFF = 0.001  # the chance that a share which was counted lies beyond what it is held against
LEAST = 0.002  # of the cases: a share below it is no drift that matters


def share_question(measure: str, name: str, share: float, cases: float | None, part: float) -> Asked:
    """A question about a share: is it larger than where it was counted?

    Args:
        measure: "segment", or "inputs:" and what of them.
        name: Which share.
        share: Of the cases that the decision rested on.
        cases: How many these were; None where the share is stated as exact.
        part: Of the part of its measure, in (0, 1].
    """
    far = share
    if cases is not None:
        far = float(betaincinv(share * cases + 0.5, (1 - share) * cases + 0.5, 1 - OFF))
    return Asked(
        kind="drift",
        measure=measure,
        segment=name,
        alpha=part,
        limit=min(max(far, LEAST), 0.999),
        by_segment={},
        expected=share,
        why="the share that the decision rested on"
        + ("" if cases is None else ", and what counting it leaves open"),
    )


def mix_questions(
    basis: Basis, stream: Stream, *, cases: float | None = None
) -> tuple[list[Asked], dict[str, Counted]]:
    """Questions about the kinds of cases.

    Args:
        basis: What the record rested on.
        stream: The stream.
        cases: Cases that the record's shares were counted on, where they are the sample's own.

    Returns:
        A question for each segment of the record and one for all that it did not have; and what they count.
    """
    if not basis.mix:
        return [], {}
    counted_on = basis.mix_cases if cases is None else cases
    names = [*sorted(basis.mix), None]
    asked, counts = [], {}
    for name in names:
        label = "(others)" if name is None else name
        share = 0.0 if name is None else basis.mix[name]
        asked.append(share_question("segment", label, share, counted_on, 1 / len(names)))
        inside = np.array([n not in basis.mix if name is None else n == name for n in stream.segments])
        counts[f"segment {label}"] = by_day(stream.volume, inside)
    return asked, counts


def by_day(counted: Counted, inside: npt.NDArray[np.bool_]) -> Counted:
    """Cases by day, and those in some segments."""
    days = int(counted.day.max(initial=-1)) + 1
    n = np.bincount(counted.day, counted.n, minlength=days)
    hits = np.bincount(counted.day, counted.n * inside[counted.segment], minlength=days)
    day = np.flatnonzero(n > 0)
    zero = np.zeros(day.size, dtype=np.int64)
    return Counted(day=day, segment=zero, person=zero, version=zero - 1, n=n[day], total=hits[day])
