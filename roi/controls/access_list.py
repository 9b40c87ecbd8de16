"""The list of rights that the agent should have, made from what it was granted, needs and used."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

from roi.controls.logs import Logs
from roi.controls.rights import (
    WRITES,
    Access,
    Grant,
    Use,
    covering,
    need_of,
    read_access,
    standing,
)
from roi.words import and_list, plain_cell, plural
from roi.words import day as said_day

__all__ = ["Proposal", "as_csv", "proposals"]

Kind = Literal["keep", "drop", "narrow", "add"]

CHANGES = frozenset(
    (
        "write",
        "send",
        "pay",
        "post",
        "edit",
        "modify",
        "create",
        "update",
        "delete",
        "manage",
        "admin",
        "full",
        "rw",
    )
)
"""Words in the name of a scope that say that it allows changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What should become of one right.

    Attributes:
        system: Of which system.
        scope: The right.
        proposal: keep, drop, narrow or add.
        reason: Why, in a sentence.
        granted: Whether it is granted, and on the day of the decision had not ended.
        needed: Whether it is said to be needed; None where nobody says.
        uses: Calls that ran within it; None without a log.
        last_used: Day of the last one, in ISO form; None where there was none or no time is logged.
        narrow_to: What it should be narrowed to, in words; empty for any other proposal.
    """

    system: str
    scope: str
    proposal: Kind
    reason: str
    granted: bool
    needed: bool | None
    uses: int | None
    last_used: str | None = None
    narrow_to: str = ""


def proposals(logs: Logs, access: Access | None = None) -> tuple[Proposal, ...]:
    """What should become of each right that is granted, needed or was tried.

    The log may show that a right is spare, too wide or not there. It cannot show that one is needed: what was denied
    or ran without a grant is proposed to be added only where it reads or drafts. What would change something is added
    where somebody says that the work needs it, and blocked until then.

    Args:
        logs: Reads `access`, `actions` and, to leave calls of demo cases out, `cases`.
        access: What was read of them before; None to read it.

    Returns:
        One proposal for each system and scope, in their order; none without a list of grants, for then nothing says
        what is granted.
    """
    access = access or read_access(logs)
    rights, uses = access.rights, None if access.calls is None else access.uses
    if not rights:
        return ()
    listed = {(g.system, g.scope) for g in rights}
    tried = {
        (u.system, u.scope)
        for u in uses or ()
        if (u.ran or u.denied) and not covering(rights, u.system, u.scope)
    }
    dated = logs.has("access", "expires")
    valid = standing(rights, logs.as_of, logs.timezone) if logs.as_of else rights
    return tuple(_proposal(rights, valid, uses, key, dated=dated) for key in sorted(listed | tried))


def _proposal(
    rights: Sequence[Grant],
    valid: Sequence[Grant],
    uses: Sequence[Use] | None,
    key: tuple[str, str],
    *,
    dated: bool,
) -> Proposal:
    system, scope = key
    grants = [g for g in valid if g.given and (g.system, g.scope) == key]
    needed = need_of(rights, system, scope)
    own = [u for u in uses or () if _within(grants, u) or (u.system, u.scope) == key]
    ran = sum(u.ran for u in own)
    last = max((u.last for u in own if u.last is not None), default=None)
    covered = bool(grants) or bool(covering(valid, system, scope))
    once = [g for g in covering(rights, system, scope) if g.until is not None]
    foreign = sum(u.ran for u in own if not covering(rights, u.system, u.scope, u.identity))
    narrow_to = ""
    if not covered and once:
        kind, reason = _ended(needed, max(g.until for g in once if g.until is not None).date(), ran)
    elif not covered:
        kind, reason = _missing(needed, own, said=key in {(g.system, g.scope) for g in rights})
    elif not grants:
        kind, reason = "keep", "It lies within a wider grant; grant it by name where that is narrowed."
    elif needed is False:
        used = f", though it was used {plural(ran, 'time')}" if ran else ""
        kind, reason = "drop", f"The work does not need it{used}."
    elif uses is not None and not ran and needed is None:
        kind, reason = "drop", "It was never used, and nobody says that the work needs it."
    else:
        kind, reason, narrow_to = _kept(grants, own, uses is not None, ran, needed, dated=dated)
    if kind == "drop" and not covered:
        reason = f"Not granted; block it. {reason}"
    if covered and foreign:
        reason += (
            f" Used {plural(foreign, 'time')} under an identity that does not hold it; grant it or block it."
        )
    return Proposal(
        system=system,
        scope=scope,
        proposal=kind,
        reason=reason,
        granted=covered,
        needed=needed if key in {(g.system, g.scope) for g in rights} else None,
        uses=None if uses is None else ran,
        last_used=None if last is None else last.date().isoformat(),
        narrow_to=narrow_to,
    )


def _within(grants: Sequence[Grant], use: Use) -> bool:
    return any(g.covers(use.system, use.scope) for g in grants)


def _ended(needed: bool | None, day: dt.date, ran: int) -> tuple[Kind, str]:
    """What should become of a right whose grants have all ended; the last of them on a day."""
    used = f"; it was used {plural(ran, 'time')}" if ran else ""
    if needed:
        return "add", f"The work needs it and its grant ended on {said_day(day.isoformat())}; renew it{used}."
    if needed is False:
        return "drop", f"The work does not need it, and its grant ended on {said_day(day.isoformat())}{used}."
    return (
        "drop",
        f"Its grant ended on {said_day(day.isoformat())} and nobody says that the work needs it{used}.",
    )


def _missing(needed: bool | None, own: Sequence[Use], *, said: bool) -> tuple[Kind, str]:
    """What should become of a right that nobody granted."""
    ran, denied = sum(u.ran for u in own), sum(u.denied for u in own)
    tried = and_list(
        part
        for n, part in (
            (ran, f"used {plural(ran, 'time')} without a grant"),
            (denied, f"denied {plural(denied, 'time')}"),
        )
        if n
    )
    if said and needed:
        return "add", "The work needs it and nobody granted it" + (f"; it was {tried}." if tried else ".")
    if said and needed is False:
        return "drop", "The work does not need it" + (f"; it was {tried}." if tried else ".")
    effects = frozenset[str]().union(*(u.effects for u in own))
    if effects and not effects & set(WRITES) and not any(u.silent for u in own):
        return "add", f"It was {tried}, and only reads or drafts; add it if the work needs it, else block it."
    return "drop", f"It was {tried}, and nobody says that the work needs it."


def _kept(
    grants: Sequence[Grant],
    own: Sequence[Use],
    logged: bool,
    ran: int,
    needed: bool | None,
    *,
    dated: bool,
) -> tuple[Kind, str, str]:
    """What should become of a right that is granted and needed or used: narrowed where it is wider than its use."""
    reasons, to = [], []
    if any(g.is_whole for g in grants) and logged:
        named = sorted({f"{u.system}: {u.scope}" for u in own if u.ran})
        if named:
            reasons.append("It covers more than was used")
            to.append(f"the scopes used ({and_list(named)})")
    if any(_may_write(g) for g in grants) and ran and all(u.only_reads for u in own if u.ran):
        reasons.append("It allows changes and was only used for reading")
        to.append("reading")
    if dated and any(g.until is None for g in grants):
        reasons.append("It has no end")
        to.append("a term with an end")
    if reasons:
        return "narrow", f"{'; '.join(reasons)}.", and_list(to)
    if not logged:
        return "keep", "The work needs it." if needed else "No log says whether it is used.", ""
    if not ran:
        return "keep", "It was never used, but the work needs it; ask whether it still does.", ""
    used = f"it was used {plural(ran, 'time')}"
    return "keep", f"The work needs it and {used}." if needed else f"{used.capitalize()}.", ""


def _may_write(grant: Grant) -> bool:
    """Whether the name of a scope says that it allows changes."""
    return grant.is_whole or bool(CHANGES & set(re.split(r"[^a-z]+", grant.scope.lower())))


def as_csv(found: Sequence[Proposal]) -> str:
    """Proposals as a CSV file, the list that connectors are built from; no cell of it can be a formula."""
    names = [f.name for f in fields(Proposal)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for proposal in found:
        writer.writerow([plain_cell(_said(getattr(proposal, name))) for name in names])
    return text.getvalue()


def _said(value: object) -> object:
    """Yes and no as the tables of samples hold them; what is not known stays blank."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
