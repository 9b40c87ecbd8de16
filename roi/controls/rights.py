"""Grants and the calls that used them, read once for the checks of access and for the proposed list.

A grant whose system or scope holds a star covers everything that the star may stand for, and a scope `all` covers the
whole system. It serves the identity that it was given to: a call that is requested under another identity of the list
lies outside it. Who requests under no identity of the list, or under none that is logged, acts under any of them. Calls
of demo cases are not looked at: a demo may run on copies of systems, under other rights.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from roi.alike import alike, how_many
from roi.approvals import agents_of, ran_of
from roi.controls.logs import Logs
from roi.integration import of_cases
from roi.relation import Relation

__all__ = [
    "WRITES",
    "Access",
    "Grant",
    "Use",
    "covering",
    "grants_of",
    "live_calls",
    "need_of",
    "read_access",
    "standing",
    "uses_of",
]

WRITES = ("write", "send", "pay")
"""Effects that change something outside the case's own draft."""

ALL_SCOPES = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A row of the list of grants.

    Attributes:
        row: Its number in the source.
        system: Of which system.
        scope: The right.
        identity: Whose; None where nobody says.
        granted_by: Who gave it; None where nobody says.
        since: From when; None where nobody says.
        until: To when; None where it has no end, or no column says.
        needed: Whether the work needs it; None where nobody says.
        given: Whether it is a grant; else the row only states a need.
    """

    row: int
    system: str
    scope: str
    identity: str | None
    granted_by: str | None
    since: dt.datetime | None
    until: dt.datetime | None
    needed: bool | None
    given: bool

    @property
    def is_whole(self) -> bool:
        """Whether it covers more than one scope of one system."""
        return "*" in self.system or "*" in self.scope or self.scope.lower() == ALL_SCOPES

    def covers(self, system: str, scope: str, identity: str | None = None) -> bool:
        """Whether a call to this system and scope, under an identity of the list or an unknown one, lies within it."""
        if identity is not None and self.identity not in (None, identity):
            return False
        if (self.system, self.scope) == (system, scope):
            return True
        whole = self.scope.lower() == ALL_SCOPES or _stands_for(self.scope, scope)
        return whole and _stands_for(self.system, system)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the log knows of one system and scope, under one identity.

    Attributes:
        system: The system.
        scope: The scope.
        identity: Under which identity of the list it was requested; None where that is none of them, or not logged.
        ran: Calls that ran.
        denied: Calls that were denied.
        last: When the last one ran; None where no time is logged.
        effects: The effects of those that ran or were denied.
        silent: Calls that ran without a logged effect.
    """

    system: str
    scope: str
    identity: str | None
    ran: int
    denied: int
    last: dt.datetime | None
    effects: frozenset[str]
    silent: int

    @property
    def only_reads(self) -> bool:
        """Whether every call that ran was logged as a reading one."""
        return self.ran > 0 and self.silent == 0 and self.effects == {"read"}


def _stands_for(pattern: str, text: str) -> bool:
    if "*" not in pattern:
        return pattern == text
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def grants_of(logs: Logs) -> tuple[Grant, ...]:
    """The rows of the list of grants, in their order; none without a list.

    A row that names no identity, nobody who granted it and no time of granting, where there are columns for these,
    states a need and grants nothing. An end at midnight is a day, and holds until that day is over.
    """
    access = logs.table("access")
    if access is None:
        return ()
    wanted = ("system", "scope", "identity", "granted_by", "granted_at", "expires", "needed")
    listed = ", ".join(c if c in access.columns else f"null as {c}" for c in wanted)
    says = [c for c in ("identity", "granted_by", "granted_at") if c in access.columns]
    zone = ZoneInfo(logs.timezone or "UTC")
    found = []
    rows = logs.ask(f'select "row", {listed} from {access.sql} order by "row"')
    for row, system, scope, identity, by, since, until, needed in rows:
        silent = bool(says) and identity is None and by is None and since is None
        found.append(
            Grant(
                row=int(row),
                system=system or "",
                scope=scope or "",
                identity=identity,
                granted_by=by,
                since=since,
                until=None if until is None else _end(until, zone),
                needed=None if needed is None else bool(needed),
                given=not (silent and needed),
            )
        )
    return tuple(found)


def _end(until: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The last moment of a grant; that of the day where only the day was written."""
    local = until.replace(tzinfo=dt.UTC).astimezone(zone)
    if local.time() != dt.time():
        return until
    over = dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    return over.astimezone(dt.UTC).replace(tzinfo=None) - dt.timedelta(microseconds=1)


def covering(
    grants: Collection[Grant], system: str, scope: str, identity: str | None = None
) -> tuple[Grant, ...]:
    """The grants that a call lies within, whatever their time; of any identity if none is named."""
    return tuple(g for g in grants if g.given and g.covers(system, scope, identity))


def standing(grants: Collection[Grant], day: dt.date | None, timezone: str | None) -> tuple[Grant, ...]:
    """The grants that had not ended before a day; where the day is not known, those that have no end."""
    if day is None:
        return tuple(g for g in grants if g.given and g.until is None)
    begins = dt.datetime.combine(day, dt.time(), tzinfo=ZoneInfo(timezone or "UTC"))
    from_then = begins.astimezone(dt.UTC).replace(tzinfo=None)
    return tuple(g for g in grants if g.given and (g.until is None or g.until >= from_then))


def need_of(grants: Collection[Grant], system: str, scope: str) -> bool | None:
    """Whether the work needs a scope: what is said of it by name, else by a star; None where nobody says.

    What no row of the list covers is not needed: the list is where needs are stated.
    """
    said = [g.needed for g in grants if (g.system, g.scope) == (system, scope) and g.needed is not None]
    if said:
        return any(said)
    by_star = [g.needed for g in grants if g.covers(system, scope)]
    return None if None in by_star and not any(by_star) else any(by_star)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What was granted and what was used, read once.

    Attributes:
        rights: The rows of the list of grants.
        calls: As of `live_calls`.
        uses: As of `uses_of`; none without calls.
    """

    rights: tuple[Grant, ...]
    calls: Relation | None
    uses: tuple[Use, ...]


def read_access(logs: Logs) -> Access:
    """Read the list of grants and what the log knows of their use."""
    calls = live_calls(logs)
    return Access(rights=grants_of(logs), calls=calls, uses=() if calls is None else uses_of(logs, calls))


def live_calls(logs: Logs) -> Relation | None:
    """The calls of production cases and of unknown ones, with `arm_` (0 baseline, 1 pilot, -1 unknown) and `identity_`.

    The identity is who requested the call, where the list names it as one that rights were granted to, and else null.

    None without a log that names system and scope.
    """
    actions = logs.table("actions")
    if actions is None or not {"system", "scope"} <= set(actions.columns):
        return None
    alone = logs.table("cases") is None
    calls = actions.having(arm_="-1") if alone else of_cases(logs.samples, actions)
    return calls.having(identity_=_identity(logs, calls))


def _identity(logs: Logs, actions: Relation) -> str:
    """SQL of the identity of the list under which an action was requested."""
    listed = agents_of(logs.samples.tables)
    known = listed is not None and "requester" in actions.columns
    return f"case when requester in ({listed}) then requester end" if known else "null::varchar"


def uses_of(logs: Logs, calls: Relation) -> tuple[Use, ...]:
    """What the log knows of each system, scope and identity, in their order; calls without both names are left out."""
    ran = ran_of(calls)
    denied = "status = 'denied'" if "status" in calls.columns else "false"
    at = "executed_at" if "executed_at" in calls.columns else "null::timestamp"
    effect = "effect" if "effect" in calls.columns else "null::varchar"
    if (kinds := alike(logs.samples, calls)) is not None:
        calls = kinds.having(identity_=_identity(logs, kinds))
        at = at.replace("executed_at", "latest_executed_at")
    rows = logs.ask(
        f"select system, scope, identity_, {how_many(kinds, ran)}, {how_many(kinds, denied)}, "
        f"max({at}) filter ({ran}), list(distinct {effect}) filter (({ran} or {denied}) and {effect} is not null), "
        f"{how_many(kinds, f'{ran} and {effect} is null')} from {calls.sql} "
        "where system is not null and scope is not null group by 1, 2, 3 order by 1, 2, 3 nulls first"
    )
    return tuple(
        Use(
            system=row[0],
            scope=row[1],
            identity=row[2],
            ran=int(row[3]),
            denied=int(row[4]),
            last=row[5],
            effects=frozenset(row[6] or ()),
            silent=int(row[7]),
        )
        for row in rows
    )
