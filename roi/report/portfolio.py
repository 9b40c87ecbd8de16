"""The parts of the page of all pilots: what portfolio.json holds in, something a notebook or page can show out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from roi import words
from roi.report.figures import Figure
from roi.report.one_worth import apart, by_months, decided, rows_of_set
from roi.report.portfolio_words import (
    held_rows,
    held_sentences,
    joined,
    lack_word,
    more,
    next_brings,
    next_note,
    proof,
    regret,
    sentences,
    titles_of,
)
from roi.report.sections import Section, environment

__all__ = [
    "Found",
    "Portfolio",
    "funded",
    "luck",
    "map_figure",
    "opening",
    "order",
    "overview",
    "part",
    "trend",
]

Found = Mapping[str, Any]


class Portfolio(Protocol):
    """What the parts need of an opened portfolio."""

    @property
    def found(self) -> dict[str, Any]: ...


def part(name: str, found: Found, text: str, **more: Any) -> Section:
    """A part of the page, from its template."""
    html = environment().get_template(f"portfolio_{name}.html.j2").render(
        p=found, currency=found["currency"], text=text, **more
    )  # fmt: skip
    return Section(f"portfolio_{name}", html, text)


def opening(opened: Portfolio) -> Section:
    """The set, how sure it is, what stopping returns and what is next, in sentences."""
    said = sentences(opened.found)
    return part("opening", opened.found, said[0], said=said)


def overview(opened: Portfolio) -> Section:
    """Every pilot: verdict, worth, certainty, gates, evidence, age and due date, and the map of them."""
    found = opened.found
    figure = map_figure(found)
    names = [
        f"{words.shorten(p['title'], 90)}{' – held back' if p.get('is_held') else ''}"
        for p in found["pilots"]
        if _on_map(p)
    ]
    return part(
        "overview",
        found,
        words.plural(len(found["pilots"]), "pilot"),
        figure=figure,
        names=names,
        months=_months,
    )


def _on_map(pilot: Found) -> bool:
    return pilot["worth"] is not None and pilot["chance"] is not None


def _months(pilot: Found) -> str:
    return by_months(pilot["months"], (pilot["months"] or {}).get("currency") or "")


def _worth(row: Found, found: Found) -> dict[str, Any]:
    """A row with the pilot's one worth, and what differs from it."""
    return {**row, "own": decided(found, row["pilot"]), "apart": apart(row, found)}


def funded(opened: Portfolio) -> Section:
    """The funded set, what it uses, and what it might miss."""
    found = opened.found
    chosen, currency = found["set"], found["currency"]
    return part(
        "funded",
        found,
        sentences(found)[0],
        regret=regret(found),
        proof=proof(chosen, currency),
        more=[more(x, found) for x in chosen["limits"]],
        together=[joined(x, found) for x in chosen["together"][:3]],
        rows=rows_of_set(found),
        held=[_worth(x, found) for x in held_rows(found)],
        waiting=held_sentences(found),
    )


def luck(opened: Portfolio) -> Section:
    """How many of the funded will not pay, and how much the winners owe to luck."""
    found = opened.found
    titles = titles_of(found)
    passed = [titles.get(x, x) for x in found["discoveries"]["step_up"]]
    other = [titles.get(x, x) for x in found["shrinkage"].get("set") or []]
    return part("luck", found, "What luck has to do with it", passed=passed, other=other)


def order(opened: Portfolio) -> Section:
    """In which order the set is built, and which workflow is next."""
    found = opened.found
    rows = found["order"]
    titles = {p["pilot"]: p["title"] for p in found["pilots"]}
    nexts = [
        {
            **_worth(row, found),
            "lacks": [lack_word(x, found["currency"]) for x in row["lacks"]],
            "brings": next_brings(row, found["currency"]),
            "note": next_note(row, titles_of(found)),
        }
        for row in found["next"]
    ]
    return part("order", found, words.plural(len(rows), "pilot"), titles=titles, nexts=nexts)


def trend(opened: Portfolio) -> Section:
    """How verdicts stood month by month, and which pilots share what."""
    found = opened.found
    months: Sequence[Mapping[str, Any]] = found["trend"]["months"]
    titles = titles_of(found)
    return part("trend", found, words.plural(len(months), "month"), figure=trend_figure(found), titles=titles)


def map_figure(found: Found) -> Figure | None:
    """Worth against certainty, sized by cost; None where no pilot's worth is known in the common currency."""
    currency = found["currency"]
    rows = []
    for p in found["pilots"]:
        own = decided(found, p["pilot"])
        if own is None or not _on_map(p):
            continue
        chance = p["chance"] if own.chance is None else own.chance
        at = {"worth": own.mean, "p10": own.low, "p90": own.high, "chance": chance, "cost": p["cost"] or 0.0}
        said = f"{own.whole}; 8 in 10 outcomes {own.range}"
        rows.append({"label": p["title"], "verdict": p["verdict"], "said": said, "own": own, **at})
    if not rows:
        return None
    pays = sum(r["worth"] > 0 for r in rows)
    alt = " ".join(
        f"{words.shorten(r['label'], 60)} ({r['verdict']}): {r['own'].whole}, "
        f"{'would pay' if r['verdict'] == 'kill' else 'pays'} in "
        f"{words.chance(r['chance'])} outcomes, costs {words.amount(r['cost'], currency)}."
        for r in rows
    )

    def draw(width: int) -> Any:
        from roi.report import portfolio_charts

        return portfolio_charts.portfolio_map(rows, currency=currency, width=width)

    return Figure(
        name="portfolio-map",
        question="What is each pilot worth, and how sure is that?",
        answer=f"{pays} of {words.plural(len(rows), 'pilot')} would be worth more than stopping, on average",
        alt=f"What is advised for each pilot, for a kill the best that was turned down. {alt}",
        draw=draw,
        legend=(
            ("gain round", "scale"),
            ("before turned", "fix"),
            ("hollow", "kill"),
            ("line", "8 in 10 outcomes; the larger the mark, the more it costs once"),
        ),
    )


def trend_figure(found: Found) -> Figure | None:
    """Verdicts at the end of each month; None where the ledger knows fewer than two."""
    months = found["trend"]["months"][-24:]
    if len(months) < 2:
        return None
    last = months[-1]

    def draw(width: int) -> Any:
        from roi.report import portfolio_charts

        return portfolio_charts.verdict_trend(months if width > 500 else months[-6:], width=width)

    said = " ".join(f"{m['month']}: {m['scale']} scale, {m['fix']} fix, {m['kill']} kill." for m in months)
    return Figure(
        name="portfolio-trend",
        question="How have the verdicts moved?",
        answer=f"Now {last['scale']} to scale, {last['fix']} to fix, {last['kill']} to stop",
        alt=f"Verdicts at the end of each month. {said}",
        draw=draw,
        legend=(("gain", "scale"), ("before", "fix"), ("hollow", "kill")),
    )
