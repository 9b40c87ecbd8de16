"""Who may sign a record, and what the signatures on it amount to.

A signature accepts a verdict, decides otherwise until a day (an override, which leaves the verdict as it is), or
defers. To scale takes two people, neither of whom prepared the case; to fix or to stop takes one. Signatures stand in
the ledger; a record shows them under `signed`, which is no part of what its hash is of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roi import words
from roi.ledger import current, record_entry, record_sha256, signatures
from roi.people import distinct, is_same, name_words, names_a_person, people, plain
from roi.problems import InputError, Problem

__all__ = [
    "DECISIONS",
    "Signature",
    "Standing",
    "entry_of",
    "governing",
    "needed",
    "of_before",
    "remarks",
    "standing",
]

DECISIONS = ("accept", "override", "defer")
VERDICTS = ("kill", "fix", "scale")
LONGEST = {"--as": 80, "--role": 80, "--reason": 500}
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a person says to a record.

    Attributes:
        name: Who signs.
        role: As what.
        decision: accept, override or defer.
        reason: Why; an override needs one.
        expires: The last day on which an override holds.
        instead: What is done instead of the verdict, in an override: kill, fix or scale.
    """

    name: str
    role: str
    decision: str
    reason: str | None = None
    expires: dt.date | None = None
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the signatures on a record amount to.

    Attributes:
        state: draft, accepted, overridden, lapsed (an override that is over, and nothing else) or deferred.
        text: A sentence for the first screen.
        instead: What is done in place of the verdict, of *overridden*: kill, fix or scale.
    """

    state: str
    text: str
    instead: str | None = None

    @property
    def is_draft(self) -> bool:
        """Whether nothing is decided, or nothing any more."""
        return self.state in ("draft", "deferred", "lapsed")


def needed(verdict: object) -> int:
    """People who must sign for something to be done."""
    return 2 if verdict == "scale" else 1


def standing(record: Record, on: dt.date | None = None) -> Standing:
    """What the signatures under `signed` of a record amount to.

    Args:
        record: The record.
        on: The day that is asked about. A page has no clock: unless given, it is the last day of which the record
            itself knows, that of the decision or of the last signature.
    """
    signed = [entry for entry in record.get("signed") or [] if isinstance(entry, Mapping)]
    day = on.isoformat() if on is not None else _last_day(record, signed)
    accepted = _by_person(e for e in signed if e.get("decision") == "accept")
    given = _by_person(e for e in signed if e.get("decision") == "override")
    lapsed = [e for e in given if str(e.get("expires") or day) < day]
    overrides = [e for e in given if e not in lapsed]
    if overrides:
        return _of_overrides(record, overrides)
    needs = needed(record.get("verdict"))
    who = words.and_list(_who(e) for e in accepted)
    if accepted:
        team = _team_remark(record) if needs > 1 else ""
        if len(accepted) >= needs:
            return Standing("accepted", f"Signed by {who}.{team}")
        return Standing("draft", f"DRAFT: signed by {who}; to scale takes one more person.{team}")
    if lapsed:
        last = max(str(e.get("expires")) for e in lapsed)
        who = words.and_list(_who(e) for e in lapsed)
        verdict = words.verdict_word(record)
        text = f"DRAFT: what {who} decided instead lapsed after {words.day(last)}; the verdict, {verdict}, is unsigned."
        return Standing("lapsed", text)
    if signed:
        why = f": {words.shorten(signed[-1]['reason'], 160)}" if signed[-1].get("reason") else ""
        return Standing("deferred", f"DRAFT: deferred by {words.and_list(_who(e) for e in signed)}{why}.")
    return Standing("draft", "DRAFT: nobody has signed this.")


def governing(record: Record) -> str | None:
    """What is done: what people decided instead, where enough of them did, else the verdict."""
    found = standing(record).instead or record.get("verdict")
    return None if found is None else str(found)


def _last_day(record: Record, signed: Sequence[Mapping[str, Any]]) -> str:
    return max([str(record.get("as_of") or "")[:10], *(str(e.get("at") or "")[:10] for e in signed)])


def _by_person(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The entries of different people, each once."""
    found = list(entries)
    names = distinct(str(e.get("as")) for e in found)
    return [next(e for e in found if str(e.get("as")) == name) for name in names]


INSTEAD = {"kill": "stop", "fix": "fix first", "scale": "scale everything"}


def _of_overrides(record: Record, overrides: Sequence[Mapping[str, Any]]) -> Standing:
    """What overrides that have not lapsed amount to, where they agree and where they do not."""
    wanted = list(dict.fromkeys(str(e.get("instead")) for e in overrides))
    if len(wanted) > 1:
        said = [
            f"{words.and_list(_who(e) for e in overrides if str(e.get('instead')) == w)} would {INSTEAD.get(w, w)}"
            for w in wanted
        ]
        return Standing("draft", f"DRAFT: {words.and_list(said)}; they have to settle it.")
    terms = f"{INSTEAD.get(wanted[0], 'otherwise')}, until {_until(overrides)}. {_reasons(overrides)}"
    who = words.and_list(_who(e) for e in overrides)
    team = _team_remark(record) if needed(wanted[0]) > 1 else ""
    if len(overrides) < needed(wanted[0]):
        text = f"DRAFT: {who} would {terms} One more person must sign for that.{team}"
        return Standing("draft", text)
    text = f"Overridden by {who}: {terms} The verdict stays {words.verdict_word(record)}.{team}"
    return Standing("overridden", text, wanted[0])


def _until(overrides: Sequence[Mapping[str, Any]]) -> str:
    """The day until which all of several overrides hold: the earliest of theirs."""
    days = sorted({str(e["expires"]) for e in overrides if e.get("expires")})
    if not days:
        return words.day(None)
    return f"{words.day(days[0])}{', the earlier of their days' if len(days) > 1 else ''}"


def _reasons(overrides: Sequence[Mapping[str, Any]]) -> str:
    reasons = {str(e.get("as")): words.shorten(e.get("reason") or "none", 200) for e in overrides}
    if len(set(reasons.values())) == 1:
        return f"Reason: {next(iter(reasons.values()))}."
    return "Reasons: " + "; ".join(f"{why} ({words.shorten(who, 60)})" for who, why in reasons.items()) + "."


def _team_remark(record: Record) -> str:
    preparer = str(record.get("prepared_by") or "")
    if not preparer or names_a_person(preparer):
        return ""
    shown = words.shorten(preparer, 60)
    return (
        f" Prepared by {shown}, which names no person: that the signers are none of them rests on their word."
    )


def of_before(before: Record, on: object) -> str:
    """What became of an override of the record before, in a sentence; empty where there was none.

    Args:
        before: The earlier record.
        on: The later record's day.
    """
    day = dt.date.fromisoformat(str(on)[:10]) if on else None
    then, here = standing(before), standing(before, day)
    if then.state != "overridden":
        return ""
    overrides = [e for e in before["signed"] if e.get("decision") == "override"]
    what = f"The override of the record before ({words.and_list(_who(e) for e in overrides)}: "
    what += f"{INSTEAD.get(str(overrides[-1].get('instead')), 'otherwise')}, until {_until(overrides)})"
    if here.state == "lapsed":
        return f"{what} had lapsed by then."
    return f"{what} is of that record alone; this one is to be signed anew."


def remarks(signature: Signature, record: Record, signed: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a person who signs should be told of it.

    Args:
        signature: What is said.
        record: The record it is said of.
        signed: Who has signed that record before.
    """
    said = []
    wanted = record.get("verdict") if signature.decision == "accept" else signature.instead
    if signature.decision != "defer" and needed(wanted) > 1:
        preparer = words.shorten(record.get("prepared_by") or "", 80)
        if not names_a_person(preparer):
            said.append(
                f"The case was prepared by {preparer}, which names no person: nobody can be shown to be no part of it, "
                "and the independence of who signs rests on their word. To show it, name people in about.prepared_by."
            )
        else:
            said.append(
                f"The case was prepared by {preparer}; with this signature you say that you are not among them."
            )
    others = [e for e in signed if e.get("decision") == "override" and e.get("instead") == signature.instead]
    for e in others if signature.decision == "override" else ():
        said.append(
            f"It joins the override of {_who(e)} until {words.day(e.get('expires'))} "
            f"({words.shorten(e.get('reason'), 200)}): together they hold until the earlier day."
        )
    return said


def _who(entry: Mapping[str, Any]) -> str:
    role = f" ({words.shorten(entry['role'], 60)})" if entry.get("role") else ""
    when = f" on {words.day(str(entry['at'])[:10])}" if entry.get("at") else ""
    return f"{words.shorten(entry.get('as') or 'somebody', 60)}{role}{when}"


def entry_of(
    signature: Signature, record: Record, entries: Sequence[Mapping[str, Any]], *, today: dt.date
) -> dict[str, Any]:
    """A signature as an entry of the ledger, if it may be given.

    Args:
        signature: What is said.
        record: The record it is said of.
        entries: Of the ledger.
        today: The day on which it is said.

    Raises:
        InputError: With everything that speaks against it, each with its mend.
    """
    problems = [*_incomplete(signature, record, today), *_not_current(record, entries)]
    problems += _not_theirs(signature, record, signatures(entries, record_sha256(record)), today)
    if problems:
        raise InputError(problems)
    return {
        "kind": "sign",
        "pilot": record["pilot"],
        "record": record_sha256(record),
        "verdict": record["verdict"],
        "as": plain(signature.name),
        "role": plain(signature.role),
        "decision": signature.decision,
        "reason": None if signature.reason is None else plain(signature.reason),
        "expires": None if signature.expires is None else signature.expires.isoformat(),
        "instead": signature.instead,
    }


def _incomplete(s: Signature, record: Record, today: dt.date) -> list[Problem]:
    found = []
    for option, text in (("--as", s.name), ("--role", s.role), ("--reason", s.reason)):
        if text is not None and not 0 < len(plain(text)) <= LONGEST[option]:
            found.append(Problem("roi sign", option, f"write 1 to {LONGEST[option]} characters"))
    if s.decision not in DECISIONS:
        found.append(Problem("roi sign", "--decision", "write accept, override or defer"))
    if s.decision != "override":
        for option, value in (("--expires", s.expires), ("--verdict", s.instead)):
            if value is not None:
                found.append(Problem("roi sign", option, "belongs to an override alone; leave it out"))
        return found
    if s.reason is None:
        found.append(Problem("roi sign", "--reason", "an override needs a reason; say why"))
    if s.expires is None:
        found.append(
            Problem("roi sign", "--expires", "an override needs its last day; write it as 2027-03-31")
        )
    elif s.expires < today:
        message = f"{s.expires.isoformat()} is over; an override holds until a day to come"
        found.append(Problem("roi sign", "--expires", message))
    if s.instead not in VERDICTS:
        message = "an override says what is done instead: kill, fix or scale"
        found.append(Problem("roi sign", "--verdict", message))
    elif s.instead == record.get("verdict"):
        message = f"the verdict is {s.instead} already; accept it, or name what is done instead"
        found.append(Problem("roi sign", "--verdict", message))
    return found


def _not_current(record: Record, entries: Sequence[Mapping[str, Any]]) -> list[Problem]:
    pilot, digest = str(record.get("pilot")), record_sha256(record)
    last = current(entries, pilot)
    if last is not None and last.get("record") == digest:
        return []
    if record_entry(entries, digest) is None:
        message = (
            "was never issued, or was changed since: it is not in the ledger; sign what `roi run` writes"
        )
    else:
        day = (last or {}).get("as_of")
        message = f"is not the last one of {pilot}, which is of {day}; sign that one"
    return [Problem("the record", digest[:12], message)]


def _not_theirs(
    s: Signature, record: Record, signed: Sequence[Mapping[str, Any]], today: dt.date
) -> list[Problem]:
    found = []
    name = name_words(s.name)
    day = today.isoformat()
    own = [e for e in signed if is_same(name_words(str(e.get("as"))), name)]
    final = [e for e in own if e.get("decision") != "defer"]
    if final:
        entry = final[-1]
        lapsed = entry.get("expires") and str(entry["expires"]) < day
        said = "overrode" if entry.get("decision") == "override" else "accepted"
        message = f"{_as_known(s.name, entry)} {said} this record on {str(entry.get('at'))[:10]}"
        message += f", until {entry['expires']}, which is over" if lapsed else ""
        message += (
            "; a record is signed once by each person: run the pilot on newer cases and sign that record"
        )
        found.append(Problem("roi sign", "--as", message))
    elif own and s.decision == "defer":
        message = f"{_as_known(s.name, own[-1])} deferred this record on {str(own[-1].get('at'))[:10]}; "
        message += "accept or override it now"
        found.append(Problem("roi sign", "--as", message))
    # An override that has lapsed binds nobody any more.
    valid = [
        e for e in signed if not (e.get("decision") == "override" and str(e.get("expires") or day) < day)
    ]
    other = [e for e in valid if e.get("decision") not in ("defer", s.decision)]
    if s.decision != "defer" and other:
        message = (
            f"{other[-1].get('as')} decided otherwise ({other[-1].get('decision')}); a record is accepted or "
        )
        message += "overridden, not both: settle it, run the pilot again on newer cases and sign that"
        found.append(Problem("roi sign", "--decision", message))
    apart = [e for e in valid if e.get("decision") == "override" and e.get("instead") != s.instead]
    if s.decision == "override" and s.instead in VERDICTS and apart:
        message = (
            f"{apart[-1].get('as')} overrides it to {apart[-1].get('instead')}; those who override agree "
        )
        message += (
            f"on what is done instead: write {apart[-1].get('instead')}, or settle it and sign a new record"
        )
        found.append(Problem("roi sign", "--verdict", message))
    for_scale = record.get("verdict") if s.decision == "accept" else s.instead
    if for_scale != "scale":
        return found
    preparer = record.get("prepared_by")
    if not preparer:
        message = "does not say who prepared it, so that nobody can be shown to be another person; "
        message += "state about.prepared_by and run it again"
        found.append(Problem("the record", "prepared_by", message))
    else:
        known = next((p for p in people(str(preparer)) if is_same(name_words(p), name)), None)
        if known is not None:
            message = f"{plain(s.name)} prepared this case; to scale takes two people who did not"
            if plain(s.name) != known:
                message += f" (about.prepared_by: {words.shorten(known, 80)}; a namesake adds a further name)"
            found.append(Problem("roi sign", "--as", message))
    return found


def _as_known(name: str, entry: Mapping[str, Any]) -> str:
    """Who signs, and as whom the ledger knows that person."""
    before = plain(str(entry.get("as")))
    return plain(name) if plain(name) == before else f"{plain(name)} (there: {before})"
