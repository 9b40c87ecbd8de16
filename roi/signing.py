"""Who may sign a record, and what the signatures on it amount to.

A signature accepts a verdict, decides otherwise until a day (an override, which leaves the verdict as it is), or
defers. To scale takes two people, neither of whom prepared the case; to fix or to stop takes one. Signatures stand in
the ledger; a record shows them under `signed`, which is no part of what its hash is of.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roi import words
from roi.ledger import current, record_entry, record_sha256, signatures
from roi.problems import InputError, Problem

__all__ = ["DECISIONS", "Signature", "Standing", "entry_of", "needed", "standing"]

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
        state: draft, accepted, overridden or deferred.
        text: A sentence for the first screen.
    """

    state: str
    text: str

    @property
    def is_draft(self) -> bool:
        """Whether nobody has decided yet."""
        return self.state in ("draft", "deferred")


def needed(verdict: object) -> int:
    """People who must sign for something to be done."""
    return 2 if verdict == "scale" else 1


def standing(record: Record) -> Standing:
    """What the signatures under `signed` of a record amount to; no clock is asked.

    Args:
        record: The record.
    """
    signed = [entry for entry in record.get("signed") or [] if isinstance(entry, Mapping)]
    accepted = [e for e in signed if e.get("decision") == "accept"]
    overrides = [e for e in signed if e.get("decision") == "override"]
    if overrides:
        last = overrides[-1]
        together = [e for e in overrides if e.get("instead") == last.get("instead")]
        lacking = needed(last.get("instead")) - len(together)
        if lacking <= 0:
            return Standing("overridden", _overridden(record, together))
        who = words.and_list(_who(e) for e in together)
        return Standing(
            "draft", f"DRAFT: {who} would scale all the same; one more person must sign for that."
        )
    if len(accepted) >= needed(record.get("verdict")):
        return Standing("accepted", f"Signed by {words.and_list(_who(e) for e in accepted)}.")
    if accepted:
        who = words.and_list(_who(e) for e in accepted)
        return Standing("draft", f"DRAFT: signed by {who}; to scale takes one more person.")
    if signed:
        why = f": {words.shorten(signed[-1]['reason'], 160)}" if signed[-1].get("reason") else ""
        return Standing("deferred", f"DRAFT: deferred by {words.and_list(_who(e) for e in signed)}{why}.")
    return Standing("draft", "DRAFT: nobody has signed this.")


def _overridden(record: Record, together: Sequence[Mapping[str, Any]]) -> str:
    last = together[-1]
    instead = {"kill": "stop", "fix": "fix first", "scale": "scale"}.get(
        str(last.get("instead")), "otherwise"
    )
    verdict = words.verdict_word(record)
    return (
        f"Overridden by {words.and_list(_who(e) for e in together)}: {instead}, until "
        f"{words.day(last.get('expires'))}. Reason: {words.shorten(last.get('reason') or 'none', 200)}. "
        f"The verdict stays {verdict}."
    )


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
        "as": _plain(signature.name),
        "role": _plain(signature.role),
        "decision": signature.decision,
        "reason": None if signature.reason is None else _plain(signature.reason),
        "expires": None if signature.expires is None else signature.expires.isoformat(),
        "instead": signature.instead,
    }


def _plain(text: str) -> str:
    """A text of a user without control signs and with single blanks."""
    shown = "".join(
        c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", text)
    )
    return " ".join(shown.split())


def _incomplete(s: Signature, record: Record, today: dt.date) -> list[Problem]:
    found = []
    for option, text in (("--as", s.name), ("--role", s.role), ("--reason", s.reason)):
        if text is not None and not 0 < len(_plain(text)) <= LONGEST[option]:
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
    name = _person(s.name)
    own = [e for e in signed if _person(str(e.get("as"))) == name]
    final = [e for e in own if e.get("decision") != "defer"]
    if final:
        entry = final[-1]
        lapsed = entry.get("expires") and str(entry["expires"]) < today.isoformat()
        said = "overrode" if entry.get("decision") == "override" else "accepted"
        message = f"{_plain(s.name)} {said} this record on {str(entry.get('at'))[:10]}"
        message += f", until {entry['expires']}, which is over" if lapsed else ""
        message += (
            "; a record is signed once by each person: run the pilot on newer cases and sign that record"
        )
        found.append(Problem("roi sign", "--as", message))
    elif own and s.decision == "defer":
        message = f"{_plain(s.name)} deferred this record on {str(own[-1].get('at'))[:10]}; accept or override it now"
        found.append(Problem("roi sign", "--as", message))
    other = [e for e in signed if e.get("decision") not in ("defer", s.decision)]
    if s.decision != "defer" and other:
        message = (
            f"{other[-1].get('as')} decided otherwise ({other[-1].get('decision')}); a record is accepted or "
        )
        message += "overridden, not both: settle it, run the pilot again on newer cases and sign that"
        found.append(Problem("roi sign", "--decision", message))
    for_scale = record.get("verdict") if s.decision == "accept" else s.instead
    if for_scale != "scale":
        return found
    preparer = record.get("prepared_by")
    if not preparer:
        message = "does not say who prepared it, so that nobody can be shown to be another person; "
        message += "state about.prepared_by and run it again"
        found.append(Problem("the record", "prepared_by", message))
    elif name in _people(str(preparer)):
        message = f"{_plain(s.name)} prepared this case; to scale takes two people who did not"
        found.append(Problem("roi sign", "--as", message))
    return found


def _person(name: str) -> str:
    """A name by which a person is known again, however it is spaced, cased or dressed."""
    bare = unicodedata.normalize("NFKD", _plain(name)).casefold()
    return " ".join(re.sub(r"[^\w ]", " ", "".join(c for c in bare if not unicodedata.combining(c))).split())


def _people(text: str) -> set[str]:
    """Everybody whom a text names, and the text as a whole."""
    parts = re.split(r"[,;/&+]|\band\b|\bund\b", text)
    return {_person(part) for part in (text, *parts) if _person(part)}
