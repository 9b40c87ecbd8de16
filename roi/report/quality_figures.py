"""Figures of the audit: where defects of the inputs sit, and which of the agent's calls do not go through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import words
from roi.named import kind_word
from roi.report.figures import Figure

__all__ = ["MOST_ROWS", "calls_figure", "defects_figure"]

Record = Mapping[str, Any]

MOST_ROWS, MOST_SEGMENTS = 12, 6
SETTINGS = {"demo": "demo", "production": "production"}


def defects_figure(record: Record) -> Figure | None:
    """Where defects sit: field by segment, the demo beside production; None without inputs of production cases."""
    found = (record.get("audit") or {}).get("inputs")
    if not found or not found["defective"]["production"]:
        return None
    fields = sorted(found["fields"], key=lambda f: -f["production"]["defective"]["k"])[:MOST_ROWS]
    n = {s["segment"]: (s["production"] or {"n": 0})["n"] for s in found["by_segment"]}
    segments = sorted(n, key=lambda name: (-n[name], name))[:MOST_SEGMENTS]
    settings = [s for s in SETTINGS if found["cases"][s]]
    names = _names(fields)
    columns = [
        f"{s}: {words.shorten(kind_word(g), 20)}" if len(segments) > 1 else s
        for s in settings
        for g in segments
    ]
    cells = []
    for f, name in zip(fields, names, strict=True):
        of = {row["segment"]: row for row in f["by_segment"]}
        at = [of[g][s] for s in settings for g in segments]
        cells += [
            {"field": name, "column": column, "share": None if cell is None else cell["share"]}
            for column, cell in zip(columns, at, strict=True)
        ]

    def draw(width: int) -> Any:
        from roi.report import quality_charts

        return quality_charts.defect_map(cells, fields=names, columns=columns, width=width)

    total = found["defective"]
    answer = f"In {words.percent(total['production']['share'])} of production cases a field was defective"
    answer += f", in the demo in {words.percent(total['demo']['share'])}" if total["demo"] else ""
    alt = (
        f"{words.plural(len(fields), 'field')} by kind of case, shares of cases in which each was defective. "
        + " ".join(
            f"{name}: " + "; ".join(_said(f[s], s) for s in settings) + "."
            for f, name in zip(fields, names, strict=True)
        )
    )
    left = len(found["fields"]) - len(fields)
    if left:
        alt += f" {words.plural(left, 'field')} with fewer defects are not shown."
    return Figure(
        name="defects",
        question="Where do defects of the inputs sit?",
        answer=answer,
        alt=alt,
        draw=draw,
        legend=(("loss", "cases in 100 in which the field was defective"),),
    )


def _names(fields: list[Mapping[str, Any]]) -> list[str]:
    """Names that are short and still each another one."""
    found: list[str] = []
    for f in fields:
        name = words.shorten(f["field"], 24)
        found.append(name if name not in found else f"{words.shorten(f['field'], 20)} ({len(found) + 1})")
    return found


def _said(of: Mapping[str, Any], setting: str) -> str:
    share = of["defective"]
    ends = f"between {words.percent(share['low'])} and {words.percent(share['high'])}"
    return f"{words.percent(share['share'])} in {setting} ({ends})"


def calls_figure(record: Record) -> Figure | None:
    """Which calls do not go through, by system and scope; None where what became of them was not logged."""
    found = (record.get("audit") or {}).get("integration")
    if not found:
        return None
    kept = [r for r in found["by_system"] if r["arm"] != "baseline" and r["failed"] and r["denied"]]
    if not kept:
        return None
    from roi.proportions import exact_interval

    rows = []
    for r in kept:
        k, n = r["failed"]["k"] + r["denied"]["k"], r["failed"]["n"]
        low, high = exact_interval(k, n)
        system, scope = words.shorten(r["system"], 40), words.shorten(r["scope"], 40)
        label = f"{system} · {scope} ({n:,})"
        rows.append(
            {
                "name": f"{system}, {scope}",
                "label": label,
                "failed": r["failed"]["share"],
                "denied": r["denied"]["share"],
                "low": float(low),
                "high": float(high),
            }
        )
    rows.sort(key=lambda row: -(row["failed"] + row["denied"]))
    rows = rows[:MOST_ROWS]
    most = rows[0]["failed"] + rows[0]["denied"]
    answer = "Every call whose end was logged went through"
    if most:
        answer = f"Most often those to {rows[0]['name']}: {words.percent(most)} of them"

    def draw(width: int) -> Any:
        from roi.report import quality_charts

        return quality_charts.failing_calls(rows, width=width)

    alt = (
        "Calls that failed or were denied, with the range that 9 in 10 such samples would give. "
        + " ".join(
            f"{row['label']}: {words.percent(row['failed'])} failed, {words.percent(row['denied'])} denied "
            f"(together between {words.percent(row['low'])} and {words.percent(row['high'])})."
            for row in rows
        )
    )
    return Figure(
        name="calls",
        question="Which calls of the agent do not go through?",
        answer=answer,
        alt=alt,
        draw=draw,
        legend=(("agent", "failed"), ("band", "denied")),
    )
