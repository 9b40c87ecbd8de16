"""How past decisions forecast, on the page of all pilots: what `forecasts` of portfolio.json holds, shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from roi import words
from roi.report.figures import Figure
from roi.report.portfolio import Found, Portfolio, part
from roi.report.sections import Section
from roi.shown import shown_words

__all__ = ["forecasts", "forecasts_figure"]

MOST = 12  # pilots in the picture, those that came least as forecast


def forecasts(opened: Portfolio) -> Section:
    """Coverage, bias and optimism of past forecasts, what they rest on, and the lines that the next case may paste."""
    found = opened.found
    f: Found = found["forecasts"]
    titles = {str(p["pilot"]): str(p["title"]) for p in found["pilots"]}
    answer = _answer(f)
    return part(
        "forecasts", found, answer,
        f=f, answer=answer, facts=_facts(f), figure=forecasts_figure(f, titles), lacks=_lacks(f, found["pilots"]),
        left=[(titles.get(x["pilot"], x["pilot"]), x["why"]) for x in f["left_out"]],
    )  # fmt: skip


def _answer(f: Found) -> str:
    n, optimism = int(f["records"]), f["optimism"]
    if optimism is None:
        return "No decision has months yet that it could be held against, so nothing says how well decisions forecast."
    if n < f["needed"]:
        return (
            f"{words.capital(words.plural(n, 'past decision'))} {'has' if n == 1 else 'have'} months to be held "
            f"against; {f['needed']} are needed before they say anything of the next one."
        )
    came = f"Of what past decisions forecast and months show, about {words.percent(optimism['factor'])} came"
    return f"{came}; {'the lines below cut the next case by it.' if optimism['offered'] else 'nothing is to be cut.'}"


def _facts(f: Found) -> list[tuple[str, str]]:
    rows = [
        (
            "Rests on",
            f"{words.plural(f['records'], 'decision')} with {words.plural(f['months'], 'month')} in all. The months "
            "of one decision count together: they share what it took for granted.",
        )
    ]
    coverage, bias, optimism = f["coverage"], f["bias"], f["optimism"]
    if coverage is not None:
        months = coverage["months"]
        rows.append(
            (
                "Inside the range that was to hold 8 in 10 of what months show",
                f"{coverage['inside']} of {words.plural(coverage['of'], 'decision')} "
                f"(so {words.percent(coverage['low'])} to {words.percent(coverage['high'])} of all would be); "
                f"{months['inside']} of {words.plural(months['of'], 'single month')}, which stray more than sums do.",
            )
        )
    if bias is not None:
        rows.append(("Too high or too low", _bias(bias)))
    if optimism is not None:
        rows.append(
            (
                "Optimism factor",
                f"Of what months show ({_of(optimism)}): "
                f"{optimism['factor']:.2f} ({optimism['low']:.2f} to {optimism['high']:.2f} in 9 of 10 chances; of one "
                f"more case {optimism['next_low']:.2f} to {optimism['next_high']:.2f}): what comes of a forecast, "
                "drawn towards 1 while it rests on few.",
            )
        )
    return rows


def _of(optimism: Found) -> str:
    return shown_words(optimism["of"]) or "not the same of each decision"


def _bias(bias: Found) -> str:
    off = bias["ratio"] - 1
    said = f"What came was {words.percent(abs(off))} {'below' if off < 0 else 'above'} the middle of the forecast"
    if bias["low"] is None:
        return f"{said}. One decision alone shows no spread, so no range is given."
    low, high = (math.exp(bias[end]) - 1 for end in ("low", "high"))
    floored = (
        f" {words.capital(words.plural(bias['floored'], 'loss'))} counted as 5 %." if bias["floored"] else ""
    )
    return f"{said} on average ({_signed(low)} to {_signed(high)} in 9 of 10 chances).{floored}"


def _signed(x: float) -> str:
    return f"{'+' if x > 0 else ''}{words.percent(x)}"


def _lacks(f: Found, pilots: Sequence[Found]) -> str:
    """What is missing before the factor is offered; empty where it is."""
    n, needed = int(f["records"]), int(f["needed"])
    if n >= needed:
        return ""
    # Who was told to stop has no months to report.
    running = {str(p["pilot"]): str(p["title"]) for p in pilots if p["verdict"] != "kill"}
    silent = [running[name] for name in f["not_reported"] if name in running]
    who = ""
    if silent:
        shown = [words.shorten(x, 50) for x in silent[:4]]
        shown += [f"{len(silent) - 4} more"] if len(silent) > 4 else []
        who = f" {words.and_list(shown)} {'reports' if len(silent) == 1 else 'report'} none."
    return f"Missing: months reported after {words.plural(needed - n, 'more decision')}.{who}"


def forecasts_figure(f: Found, titles: Mapping[str, str]) -> Figure | None:
    """What each decision brought beside what it forecast; None where none has months."""
    rows: list[dict[str, Any]] = [
        {
            "label": words.shorten(titles.get(r["pilot"], r["pilot"]), 44),
            "low": r["forecast"]["p10"] / r["forecast"]["mean"],
            "high": r["forecast"]["p90"] / r["forecast"]["mean"],
            "came": r["ratio"],
            "inside": r["inside"],
        }
        for r in f["pilots"]
        if r["ratio"] is not None
    ]
    if not rows:
        return None
    n, least = len(rows), words.percent(min(float(r["came"]) for r in rows))
    below = sum(r["came"] < 1 for r in rows)
    shown: Sequence[dict[str, Any]] = sorted(rows, key=lambda r: abs(r["came"] - 1), reverse=True)[:MOST]
    alt = " ".join(
        f"{r['label']}: {words.percent(r['came'])} of the forecast came, 8 in 10 outcomes {words.percent(r['low'])} to "
        f"{words.percent(r['high'])}."
        for r in shown
    )

    def draw(width: int) -> Any:
        from roi.report import portfolio_charts

        return portfolio_charts.came_of_forecasts(shown, width=width)

    return Figure(
        name="portfolio-forecasts",
        question="Did what was forecast come?",
        answer=f"{least} of it came"
        if n == 1
        else f"{below} of {n} decisions brought less than they forecast; the least {least} of it",
        alt=f"What came of each forecast. {alt}",
        draw=draw,
        legend=(
            ("dot", "what came"),
            ("band", "8 in 10 outcomes of what months show"),
            ("line", "as forecast"),
        ),
    )
