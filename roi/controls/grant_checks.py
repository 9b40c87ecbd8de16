"""The list of grants held against the need and against use: what is spare, too wide, without an end, or lacking."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from roi.controls.check import Check, Rows, all_missing, judge, unknown, verb
from roi.controls.logs import Logs
from roi.controls.rights import Grant, Use, covering, standing
from roi.readers.base import literal
from roi.relation import Relation
from roi.words import plural

__all__ = ["NO_ENDS", "NO_LIST", "NO_NEED", "list_checks", "ungranted_needs", "unused_grants"]

NO_LIST = ("There is no list of grants (access).", "Provide a list of grants (access)")
NO_ENDS = ("The list of grants does not say when they end (expires).", "Say when each grant ends (expires)")
NO_NEED = (
    "The list of grants does not say what the work needs (needed).",
    "Say of each grant whether the work needs it (needed)",
)


def list_checks(rights: Sequence[Grant], columns: Collection[str]) -> dict[str, Check]:
    """What the list tells by itself.

    Args:
        rights: Its rows.
        columns: The columns that it has.
    """
    grants = [g for g in rights if g.given]
    names = ("unneeded_grants", "wildcard_grants", "open_ended_grants", "self_granted")
    if not grants:
        return all_missing(names, "The list of grants holds no grant.", NO_LIST[1])
    n, of = len(grants), f"of {plural(len(grants), 'grant')}"
    found = {}
    spare = [g for g in grants if g.needed is False]
    unsaid = [g for g in grants if g.needed is None]
    unsure = None
    if unsaid:
        evidence = (
            f"Of {len(unsaid):,} {of} nobody says whether the work needs {verb(len(unsaid), 'it', 'them')}."
        )
        unsure = unknown("unneeded_grants", evidence, NO_NEED[1], _listed(unsaid))
    found["unneeded_grants"] = judge(
        "unneeded_grants",
        _listed(spare),
        n,
        good=f"Each {of} is marked as needed.",
        bad=f"{len(spare):,} {of} {verb(len(spare), 'is', 'are')} marked as not needed.",
        mend="Take away what the work does not need",
        unsure=unsure if "needed" in columns else unknown("unneeded_grants", *NO_NEED),
    )
    whole = [g for g in grants if g.is_whole]
    found["wildcard_grants"] = judge(
        "wildcard_grants",
        _listed(whole),
        n,
        good=f"Each {of} names one scope.",
        bad=f"{len(whole):,} {of} {verb(len(whole), 'covers', 'cover')} whatever a star or `all` stands for.",
        mend="Grant the scopes that the work uses, by name",
    )
    endless = [g for g in grants if g.until is None]
    found["open_ended_grants"] = (
        judge(
            "open_ended_grants",
            _listed(endless),
            n,
            good=f"Each {of} has an end.",
            bad=f"{len(endless):,} {of} {verb(len(endless), 'has', 'have')} no end.",
            mend="Give each grant an end, and renew what is still needed",
        )
        if "expires" in columns
        else unknown("open_ended_grants", *NO_ENDS)
    )
    own = [g for g in grants if g.identity is not None and g.identity == g.granted_by]
    blank = [g for g in grants if g.identity is None or g.granted_by is None]
    found["self_granted"] = judge(
        "self_granted",
        len(own),
        n,
        good=f"Each {of} was given by somebody else than its holder.",
        bad=f"{len(own):,} {of} {verb(len(own), 'was given by its holder', 'were given by their holders')}.",
        mend="Have somebody else than the holder grant rights",
        unsure=unknown(
            "self_granted",
            f"{len(blank):,} {of} {verb(len(blank), 'does', 'do')} not say who holds it and who granted it.",
            "Say of each grant who holds it (identity) and who granted it (granted_by)",
        )
        if blank
        else None,
    )
    return found


def unused_grants(rights: Sequence[Grant], uses: Sequence[Use]) -> Check:
    grants = [g for g in rights if g.given]
    if not grants:
        return unknown("unused_grants", "The list of grants holds no grant.", NO_LIST[1])
    ran = [u for u in uses if u.ran]
    idle = [g for g in grants if not any(g.covers(u.system, u.scope, u.identity) for u in ran)]
    return judge(
        "unused_grants",
        _listed(idle),
        len(grants),
        good=f"Each of {plural(len(grants), 'grant')} was used.",
        bad=f"{len(idle):,} of {plural(len(grants), 'grant')} {verb(len(idle), 'was', 'were')} never used.",
        mend="Take away what is never used, or say what it is kept for",
    )


def ungranted_needs(
    logs: Logs, rights: Sequence[Grant], calls: Relation | None, uses: Sequence[Use]
) -> Check:
    """Needs that nobody granted, or whose grants have all ended, and calls that were denied where there is no grant."""
    name = "ungranted_needs"
    valid = standing(rights, logs.as_of, logs.timezone)
    open_ = [g for g in rights if not covering(valid, g.system, g.scope)]
    bare = [g for g in open_ if not g.given and not covering(rights, g.system, g.scope)]
    ended = [g for g in open_ if g.needed and covering(rights, g.system, g.scope)]
    short = [u for u in uses if u.denied and not covering(rights, u.system, u.scope)]
    refused = Rows(table="actions", count=0)
    if short and calls is not None:
        pairs = ", ".join(f"({literal(u.system)}, {literal(u.scope)})" for u in short)
        refused = logs.rows("actions", calls.sql, f"status = 'denied' and (system, scope) in ({pairs})")
    undated = ended if logs.as_of is None else []
    lacking = bare if undated else [*bare, *ended]
    if not lacking and not short:
        if all(g.needed is None for g in rights):
            return unknown(name, *NO_NEED)
        if not logs.has("access", "expires"):
            return unknown(name, *NO_ENDS)
        if undated:
            evidence = (
                "Nothing says of which day the decision is, so that nobody knows which grants have ended."
            )
            return unknown(name, evidence, "State the day of the decision (run.as_of)", _listed(undated))
        if unsaid := [g for g in open_ if g.needed is None]:
            evidence = f"Of {plural(len(unsaid), 'ended grant')} nobody says whether the work still needs it."
            return unknown(name, evidence, NO_NEED[1], _listed(unsaid))
    parts = []
    if bare:
        parts.append(f"{plural(len(bare), 'need')} {verb(len(bare), 'is', 'are')} stated and not granted")
    if ended and not undated:
        parts.append(
            f"the grants of {plural(len({(g.system, g.scope) for g in ended}), 'need')} have all ended"
        )
    if short:
        parts.append(
            f"{plural(refused.count, 'action')} {verb(refused.count, 'was', 'were')} denied where there is no grant"
        )
    told = "; ".join(parts)
    denials = calls is not None and "status" in calls.columns
    return judge(
        name,
        _listed(lacking) if lacking else refused,
        len(rights) if lacking else max(sum(u.ran + u.denied for u in uses), 1),
        good="Every need that is stated is granted"
        + (", and nothing was denied for lack of a grant." if denials else "; no log says what was denied."),
        bad=f"{told[:1].upper()}{told[1:]}.",
        mend="Grant or renew what the work needs; say of the rest that it does not, and take it from the agent's tools",
    )


def _listed(rights: Collection[Grant]) -> Rows:
    return Rows.of("access", [g.row for g in rights])
