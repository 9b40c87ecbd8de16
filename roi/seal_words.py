"""What is said of a seal: that it holds, or where the log is not what was sealed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from roi.problems import Problem
from roi.seal_faults import Fault
from roi.seal_state import SealState
from roi.words import plural

__all__ = ["head_problem", "in_words", "problems_of"]

MOST_NAMED = 10
_DONE = {"changed": "changed", "deleted": "taken out", "inserted": "put in", "moved": "moved"}


def in_words(state: SealState) -> str:
    """A seal in one line, such as "sealed: 12,345 rows to 2026-11-20, holds".

    Args:
        state: Of a log that has a seal.
    """
    what = "as a file" if state.rows is None else plural(state.rows, "row")
    if state.state != "holds":
        return f"sealed: {what}, broken"
    text = f"sealed: {what} to {str(state.sealed_at)[:10]}, holds"
    if state.beyond:
        text += (
            f"; {plural(state.beyond, 'row')} since then {'is' if state.beyond == 1 else 'are'} not sealed"
        )
    return text


def problems_of(name: str, state: SealState) -> list[Problem]:
    """What is wrong with a log or its seal, one problem a place, and how to mend it.

    Args:
        name: The log's name in messages.
        state: What became of it; none of a seal that holds.
    """
    if state.state != "broken":
        return []
    found = [_problem(name, fault) for fault in state.faults[:MOST_NAMED]]
    if left := len(state.faults) + state.more - len(found):
        found.append(Problem(name, "", f"and {plural(left, 'further place')}"))
    return [*found, Problem(name, "", _mend(name, state.faults))]


def _problem(name: str, fault: Fault) -> Problem:
    since = "since it was sealed"
    if fault.kind == "seal":
        return Problem(f"{name}.seal", f"line {fault.line}" if fault.line else "", fault.what)
    if fault.kind == "gone":
        return Problem(name, "", "is gone, and its seal is there")
    if fault.row is None and fault.kind == "unreadable":
        return Problem(name, "", f"cannot be read, and so not held against its seal ({fault.what})")
    if fault.row is None:
        return Problem(name, "", f"was changed {since}")
    place = _place(fault)
    if fault.kind == "unreadable":
        return Problem(name, place, f"cannot be read from here on ({fault.what})")
    many = fault.rows > 1
    verb = "were" if many else "was"
    where = f" ({'it lay' if fault.kind == 'deleted' else 'now'} on line {fault.line})"
    if not fault.begins and fault.kind in ("inserted", "deleted"):
        return Problem(
            name,
            place,
            f"a line with which no row begins was {_DONE[fault.kind]} here {since}{where}",
        )
    message = f"{verb} {_DONE[fault.kind]} {since}"
    if fault.kind == "moved":
        message += f", to row {fault.moved_to:,}"
    return Problem(name, place, message + where)


def _place(fault: Fault) -> str:
    if fault.row == 0:
        return "header"
    many = fault.rows > 1 and fault.kind != "unreadable"
    return f"rows {fault.row:,} to {fault.last:,}" if many else f"row {fault.row:,}"


def _mend(name: str, faults: Sequence[Fault]) -> str:
    if any(f.kind == "seal" for f in faults):
        return (
            "put the seal back from a copy; until then it says nothing of the log. If there is none, its owner may "
            f"keep it under another name and seal the log anew: roi seal {name}"
        )
    return (
        "ask who changed it, and why; put it back from a copy, or, if its owner answers for it as it is, keep the seal "
        f"under another name and seal it anew: roi seal {name}"
    )


def head_problem(name: str, state: SealState, head: str) -> list[Problem]:
    """Whether a head that was kept elsewhere is one of the seal's.

    Args:
        name: The log's name in messages.
        state: What became of the log.
        head: As it was kept, in hexadecimal digits.
    """
    kept = head.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", kept):
        return [Problem("--head", "", f"has {len(kept)} signs; a head has 64, of 0 to 9 and a to f")]
    if not state.sealings or any(s.head == kept for s in state.sealings):
        return []
    message = f"{kept[:12]}… is no head of this seal: it was written anew, or is another log's; put it back from a copy"
    return [Problem(f"{name}.seal", "", message)]
