"""The versions that worked the measured cases, held against the version that is live."""

from __future__ import annotations

from roi.controls.check import Check, Rows
from roi.controls.logs import Logs
from roi.controls.suite_runs import Change, Suite
from roi.readers.base import literal
from roi.words import count, plural

__all__ = ["measured_is_live", "worked_after_rollback"]

MEND = "Measure the live version, or go back to the version that was measured"


def measured_is_live(logs: Logs, live: Change) -> Check | None:
    """What `live_tested` says where the measured cases were worked by another version than the tested one.

    Of the cases since the live version came at least half have to be its work. A case that does not say which version
    worked it is taken for the work of the version that was live when it began.

    Args:
        logs: The logs; reads `cases`.
        live: The live version.

    Returns:
        None where the measured cases are its work, or where there are no cases, or they tell neither time nor version.
    """
    name = "live_tested"
    cases = logs.live_cases()
    if cases is None:
        return None
    version = "version" if "version" in cases.columns else "null::varchar"
    times = [c for c in ("started_at", "ended_at") if c in cases.columns]
    at = f"coalesce({', '.join(times)})" if times else "null::timestamp"
    mine = f"version = {literal(live.version)}" if version == "version" else "false"
    since = f"{at} >= timestamp '{live.at}'"
    asked = {
        "told": f"{version} is not null or {at} is not null",
        "since": f"{since} or {at} is null and {version} is not null",
        "other": f"({since} or {at} is null) and {version} is not null and not ({mine})",
    }
    found = logs.find("cases", cases.sql, asked)
    told, newer, other = found["told"].count, found["since"].count, found["other"]
    if not told:
        return None
    if not newer:
        evidence = f"None of {plural(told, 'measured case')} was worked after the live version came: "
        evidence += "what was measured is another version than the one that was tested."
        rows = Rows(table="changes", count=1, first=(live.row,))
    elif 2 * other.count > newer:
        evidence = f"{count(other.count)} of {plural(newer, 'measured case')} since the live version came were worked "
        evidence += "by another: what was measured is another version than the one that was tested."
        rows = other
    else:
        return None
    return Check(name=name, status="fail", evidence=evidence, n=newer, rows=rows, mend=MEND)


def worked_after_rollback(logs: Logs, suite: Suite) -> Rows | None:
    """Production cases that a version worked after it had been rolled back, and had not come again; None if none."""
    cases = logs.live_cases()
    times = [c for c in ("started_at", "ended_at") if cases is not None and c in cases.columns]
    if cases is None or not times or "version" not in cases.columns:
        return None
    at = f"coalesce({', '.join(times)})"
    gone = []
    for change in suite.changes:
        if change.undone_at is None:
            continue
        again = [
            c.at
            for c in suite.changes
            if c.version == change.version and c is not change and c.at is not None
        ]
        later = [back for back in again if change.at is not None and back > change.at]
        until = f" and {at} < timestamp '{min(later)}'" if later else ""
        gone.append(f"(version = {literal(change.version)} and {at} > timestamp '{change.undone_at}'{until})")
    if not gone:
        return None
    rows = logs.rows("cases", cases.sql, " or ".join(gone))
    return rows if rows.count else None
