"""What the page of the operation answers first, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi import words
from roi.monitor_action import said
from roi.named import kind_word
from roi.operating import STOPPING
from roi.report.monitoring import ACTIONS, headline

if TYPE_CHECKING:
    from roi.report.operate import Operated

__all__ = ["action", "against", "had_been", "stands"]


def stands(o: Operated) -> str:
    """Whether the decision stands after the months: never beside an action that stops it."""
    now = (o.realised or {}).get("updated") or {}
    if o.fresh and o.found["action"]["action"] in STOPPING and now.get("holds"):
        pays = str(now["text"]).partition(": ")[2]
        first = headline(o.found)
        return f"{first} comes first: until then no decision stands. By money alone, these months: {pays}"
    return str(now.get("text") or "")


def action(o: Operated) -> str:
    if o.fresh:
        now = o.found["action"]
        since = f" The evidence was enough on {words.day(now['since'])}." if now["since"] else ""
        return f"{headline(o.found)}: {now['rule']}.{since}"
    months = (o.realised or {}).get("cumulative") or {}
    if months:
        known = [m["month"] for m in (o.realised or {}).get("months") or [] if m["actual"] is not None]
        span = f" ({words.month_of(known[0])} to {words.month_of(known[-1])})" if known else ""
        worked = words.finite((months.get("actual") or {}).get("adopted_cases"))
        n = "" if worked is None else f", {words.count(worked)} cases that the agent worked in them"
        return (
            f"Nothing that single cases could raise: the sample holds none after {_last_day(o)}. What came later is "
            f"known from the totals of {words.plural(months['months'], 'month')}{span} alone{n} (samples.actuals), in "
            "which no day and no kind of case can be watched: add their cases to the sample."
        )
    return (
        f"Nothing yet: the sample holds no case after {_last_day(o)}. From the next one on, every day is held against "
        "the decision."
    )


def _last_day(o: Operated) -> str:
    last = o.found.get("last") or o.record.get("as_of")
    return words.day(last, unknown="the decision")


def against(o: Operated) -> str:
    found = o.found
    if not found:
        return str(o.operation["why"])
    n = words.plural(round(found["cases"]), "case")
    span = f"{words.day(found['first'])} to {words.day(found['last'])}"
    if not o.fresh:
        return f"{n} of {span}, on which the decision itself rests."
    record = found["record"]
    return f"{n} of {span}, against the decision of {words.day(record['as_of'])} ({record['verdict']})."


def had_been(o: Operated) -> str:
    """What the decision's own days would have raised: limits of the policy only, since the rest is their own mean."""
    if o.fresh or not o.found:
        return ""
    broken = [
        q for q in o.found["questions"] if q["kind"] == "pause" and q["crossed"] and q["segment"] is None
    ]
    parts = [
        q for q in o.found["questions"] if q["kind"] == "pause" and q["crossed"] and q["segment"] is not None
    ]
    if not broken and not parts:
        return "No limit would have been called broken."
    label = {row["measure"]: row["label"].lower() for row in o.operation["limits"]}
    texts = []
    for q in (broken or parts)[:3]:
        was, limit = (said(q["measure"], q[key], o.found["currency"]) for key in ("mean", "limit"))
        where = "" if q["segment"] is None else f" in {words.shorten(kind_word(q['segment']), 30)}"
        texts.append(f"{label[q['measure']]}{where} ({was}, limit {limit}) on {words.day(q['crossed'])}")
    return f"{words.capital(ACTIONS[o.found['action']['action']])}: {words.and_list(texts)}. Mend it before going on."
