"""Which version of the agent a decision is about; pooling versions is explicit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from roi.checks import used_rows
from roi.problems import Problem
from roi.readers.base import Connection, literal
from roi.sample_tables import ReadTable

__all__ = ["KeptVersions", "gone_cases", "keep_versions"]


@dataclass(frozen=True, slots=True)
class KeptVersions:
    """What remains of the cases.

    Attributes:
        keep: SQL that is true of the rows that may be used.
        excluded: Why and which production cases of the pilot's arm are left out, as SQL.
        problems: Why a version cannot be chosen.
    """

    keep: str
    excluded: tuple[tuple[str, str], ...] = ()
    problems: tuple[Problem, ...] = ()


def keep_versions(
    con: Connection, read: ReadTable, keep: str, wanted: Sequence[str], file: str
) -> KeptVersions:
    """Keep the pilot's production cases of the wanted version; baseline and demo cases stay.

    Args:
        con: The engine.
        read: The cases.
        keep: SQL that is true of the rows that may be used so far.
        wanted: `latest` (the version of the newest case), `all`, or versions.
        file: The parameter file's name, for messages.
    """
    if "all" in wanted:
        return KeptVersions(keep)
    live = "arm = 'pilot'" + (" and setting is distinct from 'demo'" if "setting" in read.columns else "")
    newest = "max(started_at)" if "started_at" in read.columns else "null"
    found = con.execute(
        f"select version, {newest} from {read.name} where {keep} and {live} "
        "group by 1 order by 2 desc nulls last, 1 desc"
    ).fetchall()
    versions = [str(v) for v, _ in found if v is not None]
    if not versions or (len(found) == 1 and "latest" in wanted):
        return KeptVersions(keep)
    chosen = [v for v in wanted if v != "latest"]
    if "latest" in wanted:
        newest_time = next(t for v, t in found if v is not None)
        if len(versions) > 1 and newest_time is None:
            message = f"the cases carry {len(versions)} versions and no started_at tells the newest; name one, or all"
            return KeptVersions(keep, problems=(Problem(file, "samples.version", message),))
        chosen.append(next(str(v) for v, _ in found if v is not None))
    lost = [v for v in chosen if v not in versions]
    if lost:
        message = (
            f"no pilot case carries version '{lost[0][:60]}'; the cases carry {len(versions)} other versions"
        )
        return KeptVersions(keep, problems=(Problem(file, "samples.version", message),))
    listed = ", ".join(literal(v) for v in chosen)
    other = f"{keep} and {live} and version not in ({listed})"
    nameless = f"{keep} and {live} and version is null"
    excluded = []
    if len(versions) > len(set(chosen)):
        excluded.append(("another version of the agent", other))
    if any(v is None for v, _ in found):
        excluded.append(("no version of the agent", nameless))
    kept = f"{keep} and not ({live} and (version is null or version not in ({listed})))"
    return KeptVersions(kept, tuple(excluded))


def gone_cases(con: Connection, read: ReadTable, keep: str) -> str:
    """SQL that is true of the `case_id` of cases that might be used and are left out; empty where there are none.

    They are written down once: each question about an action would look both sets of cases through again.

    Args:
        con: The engine.
        read: The cases.
        keep: SQL that is true of the rows that stay.
    """
    used = used_rows(read)
    if not con.execute(
        f"select 1 from {read.name} where ({used}) and not coalesce({keep}, false) limit 1"
    ).fetchall():
        return ""
    con.execute(
        f"create or replace table d_gone as select case_id from {read.name} where {used} "
        f"except select case_id from {read.name} where {keep}"
    )
    return "case_id in (select case_id from d_gone)"
