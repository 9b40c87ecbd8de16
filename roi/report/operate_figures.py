"""Figures of the operation: a question, its answer in a number, a drawing, and the same said in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from roi import words
from roi.monitor_action import said
from roi.monitor_tests import RATES
from roi.named import kind_word
from roi.report.figures import Figure

__all__ = ["charts_figure", "difference_figure", "mix_figure", "realised_figure", "segments_figure"]

Found = Mapping[str, Any]
MOST_SEGMENTS = 6
MOST_KINDS = 8
LEGEND = (
    ("agent-line", "what it was"),
    ("muted-line", "its usual level"),
    ("band", "what chance alone does to it"),
    ("dashes", "the limit"),
    ("full-diamond", "outside that band"),
    ("diamond", "inside it, but too many on one side of the usual level"),
    ("dots-line", "another version came"),
)


def charts_figure(found: Found) -> Figure | None:
    """Control charts of all measures, and of how many cases there are; None where none has two points."""
    panels = [
        panel
        for row in found["measures"]
        if row["all"] is not None and (panel := _panel(row["label"], row["chart"], row, found)) is not None
    ]
    volume = _panel("Cases", found["volume"]["all"], None, found)
    if volume is not None:
        panels.append(volume)
    return _panels("charts", "How did it go?", panels, found) if panels else None


def segments_figure(found: Found) -> Figure | None:
    """Control charts of one measure by kind of case: the one that the action is about, else that with most marks."""
    best: tuple[int, int, list[dict[str, Any]], str] | None = None
    # What stops the agent comes before what is to be looked into.
    asked = {q["measure"]: 1000 for q in found["questions"] if q["crossed"] and q["segment"]}
    asked |= {
        q["measure"]: 1_000_000
        for q in found["questions"]
        if q["crossed"] and q["segment"] and q["kind"] == "pause"
    }
    for place, row in enumerate(found["measures"]):
        panels = [
            panel
            for of in _largest(row)
            if (
                panel := _panel(
                    words.shorten(kind_word(of["segment"]), 30), of["chart"], _own(row, of, found), found
                )
            )
            is not None
        ]
        marks = sum(p["marks"] for p in panels) + asked.get(row["measure"], 0)
        if len(panels) > 1 and (best is None or marks > best[0]):
            best = (marks, place, panels, row["label"])
    if best is None:
        return None
    return _panels("segments", f"{best[3]}, by kind of case: where does it differ?", best[2], found)


def _largest(row: Found) -> Sequence[Found]:
    known = [of for of in row.get("by_segment") or [] if of.get("chart")]
    return sorted(known, key=lambda of: (-float(of.get("n") or 0), str(of["segment"])))[:MOST_SEGMENTS]


def _own(row: Found, of: Found, found: Found) -> dict[str, Any]:
    """A segment's row, with the limit that it is held to by itself."""
    own = [
        q["limit"]
        for q in found["questions"]
        if (q["kind"], q["measure"], q["segment"]) == ("pause", row["measure"], of["segment"])
    ]
    return {**row, **of, "limit": own[0] if own else row["limit"]}


def _panel(title: str, chart: Found, row: Found | None, found: Found) -> dict[str, Any] | None:
    """What a panel is drawn from; None with fewer than two points."""
    points = [p for p in chart["points"] if p["value"] is not None]
    if len(points) < 2:
        return None
    measure = "" if row is None else str(row["measure"])
    currency = str(found.get("currency") or "")
    limit = None if row is None else words.finite(row.get("limit"))
    reach = [float(x) for p in points for x in (p["value"], p["high"]) if x is not None]
    # Where nothing came, an axis of its own: no share is above 100 %, and of one that never came a tenth is room.
    top = max(reach) or (limit * 2 if limit else 0.1 if measure in RATES else 2.0)
    if limit is not None and limit <= 2.5 * top:
        top = max(top, limit)
    marked = sum(bool(p["marks"]) for p in points)
    if row is None:
        note = f"{words.count(float(found['cases']))} in all"
    else:
        note = f"limit {said(measure, limit, currency)}" if limit is not None else "no limit"
        if measure == "agent_cost_per_case" and limit is None:
            note = f"{currency}, no limit"
        if limit is not None and limit > top:
            note += ", above the picture"
    if marked:
        note += f"; {words.plural(marked, chart['period'])} marked"
    if chart.get("withheld"):
        note += f"; {words.plural(chart['withheld'], chart['period'])} withheld"
    starts = sorted(str(r["from"]) for r in chart["regimes"])
    step = 7 if chart["period"] == "week" else 1
    drawn = [
        {
            "from": p["from"],
            "to": (dt.date.fromisoformat(p["from"]) + dt.timedelta(days=step)).isoformat(),
            "value": p["value"],
            # Of a point without cases nothing is known, so that there is nothing that chance could do to it.
            **{key: None if p["value"] is None else p[key] for key in ("low", "high", "centre")},
            "regime": sum(start <= p["from"] for start in starts),
            "marked": bool(p["marks"]),
            "inside": _inside(p),
            "tip": _point_told(p, title, measure, currency, str(chart["period"])),
        }
        for p in chart["points"]
    ]
    values = [float(p["value"]) for p in points]
    rules = sorted({mark for p in points for mark in p["marks"]})
    return {
        "title": title,
        "note": note,
        "axis": ".1~%" if measure in RATES else "~g" if measure == "human_minutes_pilot" else None,
        "points": drawn,
        "limit": limit,
        "top": 1.08 * top,
        "changes": [
            {"date": v["date"], "text": words.shorten(v["version"], 12)}
            for v in found["changes"]
            if drawn[0]["from"] < v["date"] <= drawn[-1]["from"]
        ],
        "marks": marked,
        "alt": _told(title, measure, currency, values, limit, marked, rules, str(chart["period"])),
    }


def _inside(p: Found) -> bool:
    """Whether a point is marked for its neighbours, and not for itself."""
    return bool(p["marks"]) and not any(str(mark).startswith("outside") for mark in p["marks"])


def _say(measure: str, x: float, currency: str) -> str:
    return said(measure, x, currency) if measure else words.count(x)


def _point_told(p: Found, title: str, measure: str, currency: str, period: str) -> str:
    """What a day or a week of a control chart says under the pointer and the keys."""
    when = f"{title}, {'week of ' if period == 'week' else ''}{words.day(p['from'], short=True)}"
    if p["value"] is None:
        return f"{when}: {words.UNKNOWN}"
    text = f"{when}: {_say(measure, p['value'], currency)}"
    if p["low"] is not None and p["high"] is not None:
        low, high = (_say(measure, p[end], currency) for end in ("low", "high"))
        text += f"; chance alone gives {low} to {high}"
    if p["marks"]:
        text += "; inside that band, but too many on one side" if _inside(p) else "; outside that band"
    return text


def _told(
    title: str,
    measure: str,
    currency: str,
    values: Sequence[float],
    limit: float | None,
    marked: int,
    rules: Sequence[str],
    period: str,
) -> str:
    def say(x: float) -> str:
        return _say(measure, x, currency)

    text = f"{title}: {say(values[0])} in the first {period}, {say(values[-1])} in the last, between "
    text += f"{say(min(values))} and {say(max(values))}"
    if limit is not None:
        text += f"; the limit is {say(limit)}"
    if marked:
        text += f"; {words.plural(marked, period)} beyond chance ({words.and_list(rules)})"
    return text + "."


def _panels(name: str, question: str, panels: Sequence[Found], found: Found) -> Figure:
    period = str(found["volume"]["all"]["period"])
    marks = {str(p["title"]): int(p["marks"]) for p in panels if p["marks"]}
    if marks:
        several = words.and_list(f"{title} ({n})" for title, n in marks.items())
        answer = f"More than chance in some {period}s: {several}"
    elif any(x["low"] is not None for p in panels for x in p["points"]):
        answer = f"No {period} stands out: all that moves is what chance does"
    else:
        answer = f"Too few {period}s to say what chance alone does to them"
    limited = any(p["limit"] is not None and p["limit"] <= p["top"] for p in panels)
    changed = any(p["changes"] for p in panels)
    drop = {
        "dashes": not limited,
        "full-diamond": not any(x["marked"] and not x["inside"] for p in panels for x in p["points"]),
        "diamond": not any(x["inside"] for p in panels for x in p["points"]),
        "dots-line": not changed,
        "band": not any(q["low"] is not None for p in panels for q in p["points"]),
    }
    drop["muted-line"] = drop["band"]
    versions = "".join(
        f" Version {words.shorten(c['text'], 20)} came on {c['date']}." for c in panels[0]["changes"]
    )

    def draw(width: int, shown: Sequence[Found] = panels) -> Any:
        from roi.report import operate_charts

        return operate_charts.control_panels(shown, width=width)

    def told(shown: Sequence[Found]) -> str:
        return f"Control charts by {period}. " + " ".join(str(p["alt"]) for p in shown) + versions

    pairs = [panels[at : at + 2] for at in range(0, len(panels), 2)]
    return Figure(
        name=name,
        question=question,
        answer=answer,
        alt=told(panels),
        draw=draw,
        rows=tuple((told(pair), partial(draw, shown=pair)) for pair in pairs) if len(pairs) > 1 else (),
        legend=tuple(entry for entry in LEGEND if not drop.get(entry[0])),
    )


def mix_figure(mix: Found | None) -> Figure | None:
    """Shares of the kinds of cases, then and now; None where cases name no kind, or only one."""
    if not mix or len(mix["decision"]) < 2:
        return None
    rows: list[dict[str, Any]] = [
        {"label": words.shorten(kind_word(name), 40), "was": float(was), "now": float(mix["fresh"][name])}
        for name, was in mix["decision"].items()
    ]
    rows.sort(key=lambda row: (-max(row["was"], row["now"]), row["label"]))
    rows = rows[:MOST_KINDS]
    answer = f"The shares moved: {words.percent(mix['moved'])} of the cases would have to be of another kind"
    alt = " ".join(
        f"{row['label']}: {words.percent(row['was'])} in the decision, {words.percent(row['now'])} now."
        for row in rows
    )

    def draw(width: int) -> Any:
        from roi.report import operate_charts

        return operate_charts.mixes(rows, width=width)

    return Figure(
        name="mix",
        question="Is it still the same work?",
        answer=answer,
        alt=f"Shares of the kinds of cases. {alt}",
        draw=draw,
        legend=(("diamond", "what the decision counted on"), ("agent-dot", "these cases")),
    )


def realised_figure(found: Found) -> Figure | None:
    """Benefit month by month and so far, beside its forecast; None where no month counts."""
    currency = str(found.get("currency") or "")
    every = found.get("months") or []
    last = max((int(m["number"]) for m in every if _benefit(m) is not None), default=0)
    if not last or not all((m.get("forecast") or {}).get("benefit") for m in every):
        return None
    shown = [m for m in every if int(m["number"]) <= max(last + 3, 6)]
    monthly, summed = [], []
    came, planned, gap = 0.0, 0.0, False
    for m in shown:
        brought = _benefit(m)
        planned_now = m["forecast"]["benefit"]
        monthly.append(_row(m["number"], planned_now, brought))
        gap = gap or (brought is None and int(m["number"]) < last)
        if brought is not None:
            came, planned = came + brought, planned + float(planned_now["mean"])
        # So far is said of months in a row only: a month that is missing is missing in the sum, too.
        so_far = came if brought is not None and not gap else None
        summed.append(_row(m["number"], m["cumulative"]["benefit"], so_far))
    n = sum(r["actual"] is not None for r in monthly)
    # Each against what it can show alone, as everywhere else; the band of the picture holds what no month shows, too.
    alone = [(m["actual"].get("shown") or {}).get("inside") for m in shown if _benefit(m) is not None]
    inside = sum(bool(x) for x in alone)
    ranges = (
        f"; {inside or 'none'} of {n} inside the range of what a month alone shows"
        if None not in alone
        else ""
    )
    answer = (
        f"{words.plural(n, 'month')} brought {words.amount(came, currency)} where {words.amount(planned, currency)} "
        f"were forecast{ranges}"
    )
    alt = " ".join(
        f"Month {r['number']}: forecast {words.amount(r['mid'], currency)}, 8 in 10 outcomes "
        f"{words.amount_range(r['low'], r['high'], currency)}; "
        + ("not reported." if r["actual"] is None else f"brought {words.amount(r['actual'], currency)}.")
        for r in monthly
    )

    def draw(width: int) -> Any:
        from roi.report import operate_charts

        both = [("A month", monthly), ("So far", summed)]
        return operate_charts.realised(both, currency=currency, width=width)

    return Figure(
        name="realised",
        question="Is it worth what was forecast?",
        answer=answer,
        alt="Benefit by month beside its forecast. " + alt,
        draw=draw,
        legend=(
            ("dot", "what it brought"),
            ("agent-line", "forecast"),
            ("band", "8 in 10 outcomes, with what no month shows"),
        ),
    )


def _benefit(month: Found) -> float | None:
    return words.finite(((month.get("actual") or {}).get("benefit") or {}).get("mean"))


def _row(number: int, planned: Found, actual: float | None) -> dict[str, Any]:
    return {
        "number": int(number),
        "low": float(planned["p10"]),
        "mid": float(planned["mean"]),
        "high": float(planned["p90"]),
        "actual": actual,
    }


def difference_figure(found: Found) -> Figure | None:
    """What the difference from the forecast is made of; None where nothing is taken apart."""
    factors = found.get("difference") or []
    if not factors:
        return None
    currency = str(found.get("currency") or "")
    rows = [{"label": row["label"], "amount": float(row["amount"]), "whole": False} for row in factors]
    rows.sort(key=lambda row: -abs(row["amount"]))
    whole = float(found["whole"])
    rows.append({"label": "Together", "amount": whole, "whole": True})
    largest = rows[0]
    answer = (
        f"{words.signed_amount(whole, currency)} against the forecast; most of it: {largest['label'][:1].lower()}"
        f"{largest['label'][1:]} ({words.signed_amount(largest['amount'], currency)})"
    )
    alt = " ".join(f"{row['label']}: {words.signed_amount(row['amount'], currency)}." for row in rows)

    def draw(width: int) -> Any:
        from roi.report import operate_charts

        return operate_charts.differences(rows, currency=currency, width=width)

    return Figure(
        name="difference",
        question="What explains the difference?",
        answer=answer,
        alt=alt,
        draw=draw,
        legend=(("gain", "more than was forecast"), ("loss", "less"), ("ink", "together")),
    )
