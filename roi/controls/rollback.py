"""Monitoring and rollback: was stopping the agent practised, and was it quick?"""

from __future__ import annotations

import datetime as dt

from roi.gate import Gate, missing_evidence
from roi.moments import fetch
from roi.samples import Samples
from roi.words import plural

__all__ = ["rollback"]

LABEL = "Monitoring and rollback"


def rollback(samples: Samples, *, as_of: dt.date | None, max_age_days: float, max_minutes: float) -> Gate:
    """Look for a recent drill or incident in which the agent was paused in time and service restored.

    Args:
        samples: The opened samples; reads `incidents`.
        as_of: Day of the decision; None where no sample says when it is from.
        max_age_days: How old the last drill may be.
        max_minutes: Minutes from detection to pause that the policy allows.

    Returns:
        The gate; times that contradict each other (paused before detected) do not hold.
    """
    incidents = samples.tables.get("incidents")
    columns = set() if incidents is None else set(incidents.columns)
    if incidents is None or "paused_at" not in columns:
        lacks = (
            "no record of a drill or an incident"
            if incidents is None
            else "no time of a pause in the incidents"
        )
        return missing_evidence(
            "rollback",
            LABEL,
            threshold=max_minutes,
            evidence=f"There is {lacks}.",
            mend="Hold a drill: pause the agent, go back to the version before, and log the times",
        )
    ends = [c for c in ("restored_at", "rolled_back_to") if c in columns]
    wanted = ", ".join(["detected_at", "paused_at", *ends])
    rows = fetch(samples, f"select {wanted} from {incidents.sql} order by detected_at")
    tried = [
        (row[0], (row[1] - row[0]).total_seconds() / 60, any(x is not None for x in row[2:]))
        for row in rows
        if row[0] is not None and row[1] is not None
    ]
    recent = [x for x in tried if as_of is None or 0 <= (as_of - x[0].date()).days <= max_age_days]
    if not recent:
        return missing_evidence(
            "rollback",
            LABEL,
            threshold=max_minutes,
            evidence=f"No drill or incident of the last {max_age_days:.0f} days shows a pause.",
            mend="Hold a drill: pause the agent, go back to the version before, and log the times",
        )
    when, minutes, restored = recent[-1]
    slow = not 0 <= minutes <= max_minutes
    contradicts = minutes < 0
    on = f"On {when.date().isoformat()} the agent was paused"
    if contradicts:
        evidence = (
            f"{on} {plural(_shown(-minutes), 'minute')} before detection: the times contradict each other."
        )
    else:
        evidence = f"{on} {plural(_shown(minutes), 'minute')} after detection"
        evidence += (
            " and service was restored." if restored else ", but nothing says that service was restored."
        )
    mend = ""
    if contradicts:
        mend = "Mend the times in the log, or repeat the drill and log them as they are"
    elif slow or not restored:
        mend = "Repeat the drill until the pause is quick enough and service is restored"
    return Gate(
        gate="rollback",
        label=LABEL,
        state="exceeded" if slow or not restored else "shown",
        value=minutes,
        threshold=max_minutes,
        evidence=evidence,
        mend=mend,
    )


def _shown(minutes: float) -> float:
    """Minutes as they are printed: whole, and never 0 where there were some."""
    return max(1.0, round(minutes)) if minutes > 0 else 0.0
