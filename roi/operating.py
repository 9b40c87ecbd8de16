"""What is to be done in operation beside a verdict: a small file beside the record, which every page leads with."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from roi import words
from roi.json_object import read_object
from roi.ledger import record_sha256

__all__ = [
    "OPERATING",
    "asks_first",
    "holds_back",
    "lead_of",
    "months_of",
    "months_said",
    "operating_of",
    "operating_text",
]

OPERATING = "operation.json"
VERDICTS = {"scale": "scale", "fix": "fix", "kill": "kill"}
BY_MONTHS = {
    "stop": "Stop: by its months it no longer pays",
    "decide_again": "Decide again: its months do not bear the decision out",
}
STOPPING = ("pause", "roll_back", "restrict")  # no decision "holds" while one of these is to be done


def lead_of(
    monitor: Mapping[str, Any] | None,
    record: Mapping[str, Any],
    headline: str,
    months: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """What is to be done in operation before anything that the verdict says; None where nothing is known of it.

    Args:
        monitor: What fresh cases came to, as `roi.monitor.monitor` gives it; None where there are none.
        record: The record of today's verdict.
        headline: The action in words.
        months: What months that are over came to, as `months_said` has it. Where no limit is broken, a decision that
            they do not bear out comes first.

    Returns:
        `action`, `headline`, `segments` (to be left out, of *restrict*), `text` (how the verdict stands beside it),
        `verdict_of` (the version that the verdict is of; None where it is of all or there is one only), `since`, the
        `months` and the `record` that it belongs to. *Continue* leads no page; months may stand beside it.
    """
    action: Mapping[str, Any] = {"action": "continue"} if monitor is None else monitor["action"]
    name = str(action["action"])
    if months is not None and months["holds"] is False and name not in STOPPING:
        name = "stop" if months["stops"] else "decide_again"
        return _lead(name, BY_MONTHS[name], str(months["text"]), record, months=months)
    if monitor is None or name == "continue":
        return (
            None
            if months is None
            else _lead("continue", "Continue", str(months["text"]), record, months=months)
        )
    newest = max(monitor.get("changes") or [], key=lambda x: str(x["date"]), default=None)
    only = (record.get("settings") or {}).get("samples.version") == "latest"
    of = None if newest is None or not only else str(newest["version"])
    verdict = VERDICTS.get(str(record.get("verdict")), "decision")
    whose = "" if of is None else f" is of version {words.shorten(of, 40)}, whose cases it rests on, and"
    if name == "roll_back":
        back = words.shorten(action["version"], 40)
        then = (
            f"it stops no more than that version; what becomes of version {back} is decided once it runs again."
            if verdict == "kill" and of is not None
            else f"nothing of it is carried out before version {back} runs again."
        )
        text = f"Rolling back comes first. The verdict ({verdict}){whose} comes after: {then}"
    elif name in STOPPING:
        first, there = ("Pausing", "") if name == "pause" else ("Leaving these out", " there")
        after = "" if verdict == "kill" else f": nothing of it is carried out{there} while a limit is broken"
        if verdict == "fix":
            after += ", but what mends that"
        text = f"{first} comes first. The verdict ({verdict}){whose} comes after{after}."
    else:
        text = f"Find out why before acting on the verdict ({verdict}): what it rested on moved."
    return _lead(
        name,
        headline,
        text,
        record,
        segments=[str(x) for x in action.get("segments") or ()] if name == "restrict" else [],
        rule=str(action["rule"]),
        verdict_of=of,
        since=action["since"],
        months=months,
    )


def _lead(name: str, headline: str, text: str, record: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    rest = {"segments": [], "rule": None, "verdict_of": None, "since": None, "months": None} | more
    return {"action": name, "headline": headline, "text": text, "record": record_sha256(record), **rest}


def months_said(realised: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What months that are over say of a decision, in short; None where none is known.

    Args:
        realised: As `roi.realised.realised_of_pilot` gives it.

    Returns:
        `count`, `until` (the last day of the newest), `holds`, whether going on does not pay either (`stops`), `text`;
        the worth of the whole plan as it was decided (`before`) and with these months (`now`), and what is left of it
        (`going_on`, None where the plan is over), with its chance (`on`); what it is of: `verdict` and `segments`.
    """
    now = (realised or {}).get("updated")
    if realised is None or not now:
        return None
    known = [str(m["month"]) for m in realised["months"] if m["actual"] is not None]
    year, month = (int(x) for x in max(known).split("-"))
    return {
        "count": len(known),
        "until": (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(1)).isoformat(),
        "holds": now["holds"],
        "stops": bool(now["stops"]),
        "text": str(now["text"]),
        "before": now["worth"]["before"],
        "now": now["worth"]["now"],
        "going_on": now["going_on"],
        "on": now["chances"]["going_on"],
        "verdict": realised["verdict"],
        "segments": list(realised["segments"]),
    }


def holds_back(lead: Mapping[str, Any] | None, segments: Sequence[str] | None) -> bool:
    """Whether no new money goes into something while the operation says what it says.

    A limit is broken: what the money was to bring rests on cases that no longer tell what comes.

    Args:
        lead: What is to be done in operation; None for nothing.
        segments: What the money is for; None for every kind of case. Kinds that are not left out keep the limits, so
            that what is for these alone need not wait.
    """
    if lead is None or lead.get("action") not in (*STOPPING, *BY_MONTHS):
        return False
    out = lead.get("segments") or ()
    return lead["action"] != "restrict" or segments is None or not out or bool(set(segments) & set(out))


def asks_first(lead: Mapping[str, Any] | None) -> bool:
    """Whether something is to be found out before money is given: what the verdict rested on moved."""
    return lead is not None and lead.get("action") == "investigate"


def operating_text(lead: Mapping[str, Any]) -> str:
    """What the file holds: the same for the same inputs."""
    return json.dumps(dict(lead), ensure_ascii=False, allow_nan=False, sort_keys=True) + "\n"


def operating_of(folder: Path, record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What leads the pages by the file in a pilot's folder; None where nothing does, or it is of another record."""
    found = _read(folder, record)
    return None if found is None or found["action"] == "continue" else found


def months_of(folder: Path, record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What months that are over say of this very record, by the file in a pilot's folder; None where none is known."""
    months = (_read(folder, record) or {}).get("months")
    return dict(months) if isinstance(months, Mapping) and isinstance(months.get("text"), str) else None


def _read(folder: Path, record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    found = read_object(folder / OPERATING)
    texts = ("action", "headline", "text", "record")
    if found is None or not all(isinstance(found.get(key), str) for key in texts):
        return None
    return found if record is not None and found["record"] == record_sha256(record) else None
