"""Figures: a question, its answer in a number, a drawing wide and narrow, and the same said in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from roi import words
from roi.pictures import Histogram, Pictures
from roi.report import facts
from roi.report.turned_down import turned_down

__all__ = [
    "Figure",
    "cash_figure",
    "drivers_figure",
    "minutes_figure",
    "options_figure",
    "worth_figure",
    "years_figure",
]

Record = Mapping[str, Any]
WIDE, NARROW = 640, 296
ARMS = {"baseline": "As before", "pilot": "With the agent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One picture that answers one question.

    Attributes:
        name: Of the picture, unique on a page.
        question: What it answers.
        answer: The answer, with its number.
        alt: What the picture shows, for who cannot see it, with its numbers.
        draw: A chart of so many pixels' width.
        legend: Class and meaning of each colour or mark that carries no label of its own.
        rows: Of a picture that is made of rows: each with its own text for who cannot see it, drawn by itself, so that
            a sheet of paper may end between two. Without any, `draw` draws the whole.
    """

    name: str
    question: str
    answer: str
    alt: str
    draw: Callable[[int], Any] = field(repr=False)
    legend: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, Callable[[int], Any]], ...] = field(default=(), repr=False)

    def drawings(self) -> tuple[str, str]:
        """The picture as SVG, for a wide window (and paper) and for a narrow one; each says what it shows."""
        from roi.report import charts

        with charts.unchecked():
            rows = self.rows or ((self.alt, self.draw),)
            wide = [
                _told(charts.svg(draw(WIDE), f"{self.name}-w{place or ''}"), alt)
                for place, (alt, draw) in enumerate(rows)
            ]
            return "".join(wide), _told(charts.svg(self.draw(NARROW), f"{self.name}-n"), self.alt)


def _told(drawing: str, alt: str) -> str:
    """A drawing that is one picture to who cannot see it."""
    return drawing.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)


def _middle_half(histogram: Histogram) -> str:
    """The values that half of the whole lies between, to the bin: "3 to 7"."""
    below = np.cumsum(histogram.share)
    ends = [
        histogram.edges[int(np.searchsorted(below, at - 1e-12)) + step] for at, step in ((0.25, 0), (0.75, 1))
    ]
    return words.edges(float(ends[0]), float(ends[1]), 2)


def minutes_figure(record: Record, pictures: Pictures) -> Figure | None:
    """Human minutes per case by arm; None where they were not recorded."""
    histograms = {arm: h for arm, h in (pictures.minutes or {}).items() if arm in ARMS}
    if not histograms:
        return None
    estimates = record.get("estimates") or {}
    means = {
        arm: words.finite((estimates.get(f"human_minutes_{arm}") or {}).get("mean")) for arm in histograms
    }
    saved = words.finite((estimates.get("minutes_saved_per_case") or {}).get("mean"))
    each = " and ".join(f"{words.number(means[arm])} {ARMS[arm].lower()}" for arm in histograms)
    answer = f"On average {each}"
    if saved is not None:
        answer += f": {words.minutes(abs(saved))} minutes {'less' if saved >= 0 else 'more'}"
        answer += " at the mix of production" if len(histograms) > 1 else ""
    parts = [
        f"{ARMS[arm]}: mean {words.number(means[arm])}, half of the cases take {_middle_half(h)} minutes."
        for arm, h in histograms.items()
    ]

    def draw(width: int) -> Any:
        from roi.report import charts

        return charts.minutes(histograms, means, ARMS, width=width)

    return Figure(
        name="minutes",
        question="Does a case take less of people’s time?",
        answer=answer,
        alt="Histograms of human minutes per case. " + " ".join(parts),
        draw=draw,
    )


def worth_figure(record: Record, pictures: Pictures) -> Figure | None:
    """The spread of worth of scaling and of fixing."""
    found = dict(record.get("options") or {})
    if isinstance(found.get("scale_segments"), list):
        found["scale_segments"] = words.advised(record)
    kept = {name: h for name, h in pictures.worth.items() if isinstance(found.get(name), Mapping)}
    if not kept:
        return None
    currency, hurdle = str(record.get("currency")), words.finite(record.get("hurdle")) or 0.0
    names = {name: words.shorten(found[name].get("label") or name, 40) for name in kept}
    chances = {name: words.chance(found[name].get("chance_above_hurdle")) for name in kept}
    goal = "pays" if hurdle == 0 else f"clears {words.amount(hurdle, currency)}"
    lacks = {name: f", {text}," if (text := turned_down(record, found[name])) else "" for name in kept}
    alt = " ".join(
        f"{names[n]}: mean {words.amount(x.get('mean'), currency)}, 8 in 10 outcomes: "
        f"{words.amount_range(x.get('p10'), x.get('p90'), currency, x.get('mean'))};{lacks[n].strip(',')} {goal} in "
        f"{chances[n]}."
        for n, x in ((n, found[n]) for n in kept)
    )

    def draw(width: int) -> Any:
        from roi.report import charts

        labels = {name: f"{names[name]}: {chances[name]}" for name in kept}
        return charts.worth(kept, labels, currency=currency, hurdle=hurdle, width=width)

    return Figure(
        name="worth",
        question="Will it pay?",
        answer="; ".join(f"{names[n]}{lacks[n]} {goal} in {chances[n]}" for n in kept),
        alt="Histograms of worth against stopping now. " + alt,
        draw=draw,
        legend=(("loss", "worse than stopping" if hurdle == 0 else "below the hurdle"), ("gain", "better")),
    )


def cash_figure(record: Record, pictures: Pictures) -> Figure | None:
    """Cumulative cash of the plan with the month the money is back."""
    band, currency = pictures.cumulative, str(record.get("currency"))
    money = record.get("money") or {}
    if band is None:
        return None
    months = int(band.month[-1])
    payback = money.get("payback_months") or {}
    middle, never = words.finite(payback.get("p50")), words.finite(payback.get("never"))
    if middle is None or middle > months:
        answer = f"In most outcomes not within the {months} months of the plan"
    else:
        answer = f"After {words.number(middle, 2)} months, in the middle of the outcomes"
    if never is not None and middle is not None and middle <= months:
        answer += f"; never within the plan in {words.chance(never)} outcomes"
    low = int(np.argmin(band.p50))
    end = words.amount_range(float(band.p10[-1]), float(band.p90[-1]), currency)
    alt = (
        f"Cumulative cash over {months} months. The middle outcome is lowest in month {int(band.month[low])} "
        f"at {words.amount(float(band.p50[low]), currency)} and ends at "
        f"{words.amount(float(band.p50[-1]), currency)}; 8 in 10 outcomes end at {end}. {answer}."
    )

    def draw(width: int) -> Any:
        from roi.report import money_charts

        return money_charts.cumulative_cash(band, payback=middle, currency=currency, width=width)

    return Figure(
        name="cash",
        question="When is the money back?",
        answer=answer,
        alt=alt,
        draw=draw,
        legend=(("agent-line", "the middle outcome"), ("band", "8 in 10 outcomes")),
    )


def years_figure(record: Record, pictures: Pictures) -> Figure | None:
    """Benefit, cost and what remains, by calendar year."""
    years, currency = pictures.fiscal_years, str(record.get("currency"))
    if not years:
        return None
    total = sum(y.net_mean for y in years)
    worst = min(years, key=lambda y: y.net_mean)
    answer = f"{words.amount(total, currency)} over {words.plural(len(years), 'calendar year')}"
    if len(years) > 1:
        answer += f"; the leanest is {worst.label} with {words.amount(worst.net_mean, currency)}"
    alt = " ".join(
        f"{y.label}: benefit {words.amount(y.benefit, currency)}, cost {words.amount(y.cost, currency)}, "
        f"remaining {words.amount(y.net_mean, currency)} "
        f"({words.amount_range(y.net_p10, y.net_p90, currency, y.net_mean)})."
        for y in years
    )

    def draw(width: int) -> Any:
        from roi.report import money_charts

        return money_charts.fiscal_years(years, currency=currency, width=width)

    return Figure(
        name="years",
        question="What does each year bring?",
        answer=answer,
        alt="Cash and redeployed value by calendar year, not discounted. " + alt,
        draw=draw,
        legend=(("agent", "benefit"), ("before", "cost"), ("dot", "what remains, with 8 in 10 outcomes")),
    )


def options_figure(record: Record, pictures: Pictures) -> Figure | None:
    """Every option on one axis."""
    currency = str(record.get("currency"))
    rows = []
    for choice in facts.choices(record, every=True)[1:]:
        numbers = {key: words.finite((choice.option or {}).get(key)) for key in ("mean", "p10", "p90")}
        if None not in numbers.values():
            cash = words.finite((choice.option or {}).get("cash_mean"))
            rows.append(
                {"label": words.shorten(choice.label, 44), "advised": choice.advised, "cash": cash, **numbers}
            )
    if not rows:
        return None
    best: dict[str, Any] = max(rows, key=lambda row: row["mean"] or 0.0)
    if (best["mean"] or 0.0) > 0:
        answer = f"{best['label']}: {words.amount(best['mean'], currency)} on average, "
        answer += (
            f"{words.amount_range(best['p10'], best['p90'], currency, best['mean'])} in 8 of 10 outcomes"
        )
    else:
        answer = "None is worth more than stopping now"
    alt = " ".join(
        f"{row['label']}: mean {words.amount(row['mean'], currency)}, range "
        f"{words.amount_range(row['p10'], row['p90'], currency, row['mean'])}, in cash alone "
        f"{words.amount(row['cash'], currency)}."
        for row in rows
    )

    def draw(width: int) -> Any:
        from roi.report import charts

        return charts.options(rows, currency=currency, width=width)

    return Figure(
        name="options",
        question="Which option is worth most?",
        answer=answer,
        alt="Worth of each option against stopping now. " + alt,
        draw=draw,
        legend=(("dot", "mean"), ("span", "8 in 10 outcomes"), ("diamond", "mean in cash alone")),
    )


def drivers_figure(record: Record, pictures: Pictures) -> Figure | None:
    """What moves the worth of the plan."""
    found, currency = pictures.drivers[:8], str(record.get("currency"))
    if not found:
        return None
    middle = words.finite((record.get("sensitivity") or {}).get("mean"))
    if middle is None:
        middle = (found[0].low + found[0].high) / 2
    first = found[0]
    worths = words.amount_range(first.low, first.high, currency)
    answer = (
        f"{words.shorten(first.label, 60)} moves the worth most: {worths} as it goes from {first.low_text} "
    )
    answer += f"to {first.high_text}"
    alt = " ".join(
        f"{words.shorten(d.label, 80)} from {d.low_text} to {d.high_text}: worth "
        f"{words.amount_range(d.low, d.high, currency)} ({words.evidence_word(d.evidence)})."
        for d in found
    )

    def draw(width: int) -> Any:
        from roi.report import charts

        return charts.drivers(found, middle=middle, currency=currency, width=width)

    return Figure(
        name="drivers",
        question="What would change the answer?",
        answer=answer,
        alt="Mean worth with each input at its low and its high end. " + alt,
        draw=draw,
        legend=(("before", "input at its low end"), ("agent", "input at its high end")),
    )
