"""The sections of the operation: what is to be done, what would raise it, how it went, and what it brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from roi import words
from roi.monitor_action import said
from roi.named import kind_word
from roi.operating import BY_MONTHS, lead_of, months_said
from roi.pictures import Pictures
from roi.report.decided import decided
from roi.report.monitoring import headline
from roi.report.operate_figures import (
    charts_figure,
    difference_figure,
    mix_figure,
    realised_figure,
    segments_figure,
)
from roi.report.operate_words import action, against, had_been, stands
from roi.report.sections import Section, section
from roi.signing import standing

if TYPE_CHECKING:
    from roi.pilot import Pilot

__all__ = [
    "Operated",
    "charts",
    "drift",
    "forecast",
    "missing",
    "opening",
    "operated",
    "questions",
    "realised",
]

KINDS = {
    "pause": "Stop, restrict or roll back",
    "investigate": "Investigate",
    "drift": "Investigate: other work comes in",
}
OF_MONTHS = ("continue", *BY_MONTHS)  # told below, under what it brought
MOST_REASONS = 6
MOST_DRIFT = 12
Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operated:
    """As much as the page of the operation shows.

    Attributes:
        record: The decision's record.
        operation: As `roi.operate.operation_of` gives it.
        realised: As `roi.operate.realised_of` gives it; None where no month has been reported.
    """

    record: dict[str, Any]
    operation: dict[str, Any]
    realised: dict[str, Any] | None = None

    @property
    def pictures(self) -> Pictures:
        raise NotImplementedError("this page draws from what was found alone")

    @property
    def found(self) -> Found:
        """What came of the cases; empty where none has a time."""
        return self.operation["monitor"] or {}

    @property
    def fresh(self) -> bool:
        """Whether cases came after the decision that they are held against."""
        return bool(self.operation["state"] == "fresh")


def operated(pilot: Pilot) -> Operated:
    """What there is to say of a pilot in operation.

    Args:
        pilot: The opened pilot.
    """
    from roi.asked import asked
    from roi.operate import operation_of, realised_of

    record = decided(pilot).record
    return asked(pilot, lambda p: Operated(record, operation_of(p, record), realised_of(p, record)))


def opening(o: Operated) -> Section:
    """The action in words, why, and how soon what would raise another would be seen."""
    title = headline(o.found) if o.fresh else "What will be watched from now on"
    fresh = o.found if o.fresh else None
    lead = lead_of(fresh, o.record, "" if fresh is None else headline(fresh), months_said(o.realised))
    answers = [
        ("What is to be done", action(o)),
        (
            "And the verdict",
            str(lead["text"]) if lead is not None and lead["action"] not in OF_MONTHS else "",
        ),
        ("Held against", against(o)),
        ("Had these days been watched", had_been(o)),
        ("How soon it would be seen", _soonest(o)),
        ("What it brought", _brought(o)),
    ]
    found = section(
        "operate",
        o,
        f"{title}. {action(o)}",
        title=title,
        fresh=o.fresh,
        reasons=o.found["action"]["because"][:MOST_REASONS] if o.fresh else [],
        left=max(len(o.found["action"]["because"]) - MOST_REASONS, 0) if o.fresh else 0,
        answers=[(label, text) for label, text in answers if text],
        standing=standing(o.record),
    )
    # What leads the page need not open it a second time.
    said = lead is not None and lead["action"] in BY_MONTHS
    return replace(found, since="" if said else _since(o), operation=lead)


def _since(o: Operated) -> str:
    """What the business case should open with; empty while all goes on as decided."""
    now = (o.realised or {}).get("updated")
    return str(now["text"]) if now and now["holds"] is False else ""


def _soonest(o: Operated) -> str:
    soon = o.operation["soon"]
    if not soon["rows"]:
        return str(soon["why"])
    tripled = [row for row in soon["rows"] if row["text"].startswith("three times")] or [
        row for row in soon["rows"] if row["text"].startswith("3 times")
    ]
    texts = [
        f"{_days(row['most'], soon)} at {words.number(row['per_day'])} judged cases a day, {row['what']}"
        for row in tripled
    ]
    rate = words.percent(tripled[0]["rate"])
    return f"Severe errors at {tripled[0]['text']} ({rate}), in 8 of 10 chances: {'; '.join(texts)}."


def _days(n: int | None, soon: Found) -> str:
    return f"not within {soon['within']} days" if n is None else f"within {words.plural(n, 'day')}"


def _brought(o: Operated) -> str:
    if o.realised is None:
        return ""
    odd = "Figures of it can hardly be meant so (below). " if o.realised.get("implausible") else ""
    return odd + str(o.realised.get("text") or o.realised.get("why") or "")


def questions(o: Operated) -> Section:
    """What would raise each action: the limits, what they rest on, and how far it is to them."""
    currency = str(o.found.get("currency") or o.record.get("currency") or "")
    asked = o.found.get("questions") or []
    tables = []
    for kind in ("pause", "investigate"):
        rows = []
        for row in o.operation["limits"]:
            own = [q for q in asked if q["kind"] == kind and q["measure"] == row["measure"]]
            whole = next((q for q in own if q["segment"] is None), None)
            if whole is None:
                # A measure without a limit, and none that it could have, is asked about below only.
                if kind == "pause" and (row["limit"] is not None or row["limit_why"] or row["unknown"]):
                    rows.append({**_bare(row, currency), "segments": "", "state": "", "now": "", "way": None})
                continue
            rows.append(_asked(row, whole, own, currency))
        if rows:
            tables.append((KINDS[kind], rows))
    moved = [q for q in asked if q["kind"] == "drift"]
    moved.sort(key=lambda q: (q["crossed"] is None, -_way(q)))
    soon = o.operation["soon"]
    return section(
        "operate_questions",
        o,
        words.plural(len(asked), "question"),
        fresh=o.fresh,
        tables=tables,
        moved=[_moved(q) for q in moved[:MOST_DRIFT]],
        left=max(len(moved) - MOST_DRIFT, 0),
        drift=KINDS["drift"],
        n=len(asked),
        alpha=o.found.get("alpha"),
        soon=_soon_rows(soon),
        soon_why=soon["why"],
        within=soon.get("within"),
        judged=soon.get("judged"),
    )


def _bare(row: Found, currency: str) -> dict[str, Any]:
    measure, limit = row["measure"], words.finite(row["limit"])
    expected = words.finite((row["expected"] or {}).get("mean"))
    return {
        "label": row["label"],
        "limit": "none" if limit is None else said(measure, limit, currency),
        "why": row["limit_why"] or "",
        "expected": "" if expected is None else said(measure, expected, currency),
        "unknown": row["unknown"],
    }


def _asked(row: Found, whole: Found, own: Sequence[Found], currency: str) -> dict[str, Any]:
    measure = row["measure"]
    limits = [float(q["limit"]) for q in own if q["segment"] is not None]
    segments = ""
    if limits:
        low, high = said(measure, min(limits), currency), said(measure, max(limits), currency)
        n = len(limits)
        segments = "one kind of case by itself: " if n == 1 else f"each of {n} kinds of cases by itself: "
        segments += low if low == high else f"{low} to {high}"
    yes = [q for q in own if q["crossed"]]
    where = [words.shorten(kind_word(q["segment"]), 30) for q in yes if q["segment"] is not None]
    return {
        **_bare(row, currency),
        "limit": said(measure, float(whole["limit"]), currency),
        "why": whole["why"],
        "unknown": None,
        "segments": segments,
        "now": said(measure, words.finite(whole["mean"]), currency),
        "state": "above" + (f", in {words.and_list(where)}" if where else "") if yes else "",
        "way": max(_way(q) for q in own),
    }


def _way(q: Found) -> float:
    """How far the evidence came at most, as a share of what is needed."""
    return min(max(float(q["most"]) / float(q["threshold"]), 0.0), 1.0)


def _moved(q: Found) -> dict[str, Any]:
    what = "cases of " if q["measure"] == "segment" else ""
    kind = "other kinds" if q["segment"] == "(others)" else words.shorten(kind_word(q["segment"]), 60)
    return {
        "label": words.capital(f"{what}{kind}"),
        "limit": said(q["measure"], q["limit"], None),
        "expected": said(q["measure"], q["expected"], None),
        "now": said(q["measure"], q["mean"], None),
        "yes": bool(q["crossed"]),
        "way": _way(q),
    }


def _soon_rows(soon: Found) -> list[dict[str, Any]]:
    """A row an increase, with the days at each volume."""
    rows: dict[str, dict[str, Any]] = {}
    for row in soon["rows"]:
        kept = rows.setdefault(row["text"], {"text": row["text"], "rate": row["rate"], "at": []})
        half, most = (_days(row[key], soon) for key in ("half", "most"))
        kept["at"].append({"what": row["what"], "per_day": row["per_day"], "half": half, "most": most})
    return list(rows.values())


def charts(o: Operated) -> Section:
    """Control charts of every measure, and of one by kind of case."""
    found = o.found
    figures = [f for f in (charts_figure(found), segments_figure(found)) if f] if found else []
    return section(
        "operate_charts",
        o,
        figures[0].answer if figures else "Nothing to draw",
        figures=figures,
        changes=found.get("changes") or [],
        first=found.get("first"),
        why=o.operation["why"],
        labels={row["measure"]: row["label"] for row in o.operation["limits"]},
        say=lambda measure, x: said(measure, x, str(found.get("currency") or "")),
    )


def drift(o: Operated) -> Section:
    """Whether other work comes in than the decision rested on, and what it would be worth under today's."""
    mix = o.found.get("mix")
    figure = mix_figure(mix)
    return section(
        "operate_mix",
        o,
        "The mix is not known" if mix is None else f"{words.percent(mix['moved'])} moved",
        figure=figure,
        mix=mix,
        worth=(mix or {}).get("worth"),
        fresh=o.fresh,
    )


def realised(o: Operated) -> Section:
    """What it brought, month by month, beside the forecast, and what explains the difference."""
    found = o.realised
    known = found is not None and found.get("state") == "known"
    return section(
        "operate_realised",
        o,
        "No month has been reported" if found is None else str(found.get("text") or found.get("why")),
        found=found,
        known=known,
        figures=[f for f in (realised_figure(found), difference_figure(found)) if f]
        if found and known
        else [],
        money=str((found or {}).get("currency") or o.record.get("currency") or ""),
    )


def forecast(o: Operated) -> Section:
    """What the forecast says now, and whether the decision still holds."""
    now = (o.realised or {}).get("updated")
    return section(
        "operate_forecast",
        o,
        "The forecast is the decision's own" if not now else stands(o),
        now=now,
        stands=stands(o),
        money=str((o.realised or {}).get("currency") or o.record.get("currency") or ""),
    )


def missing(o: Operated) -> Section:
    """What could not be watched, and what to give."""
    found = o.found
    rows = [(row["label"], row["unknown"]) for row in o.operation["limits"] if row["unknown"]]
    rows += [
        (f"A limit of {row['label'][:1].lower()}{row['label'][1:]}", row["limit_why"])
        for row in o.operation["limits"]
        if row["limit"] is None and row["limit_why"]
    ]
    rows += [(f"{words.plural(n, 'case')} left out", why) for why, n in (found.get("left_out") or {}).items()]
    if o.realised is None:
        rows.append(
            (
                "What it brings",
                "no month has been reported: give samples.actuals, a row a month with its cases, minutes and cost",
            )
        )
    else:
        rows += [(row["label"], row["why"]) for row in o.realised.get("not_reported") or []]
    return section(
        "operate_missing",
        o,
        words.plural(len(rows), "open point"),
        rows=rows,
        warnings=list(found.get("warnings") or []),
        notes=list((o.realised or {}).get("notes") or []),
    )
