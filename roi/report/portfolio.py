"""The parts of the page of all pilots: what portfolio.json holds in, something a notebook or page can show out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from roi import words
from roi.report.figures import Figure
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


def sentences(found: Found) -> list[str]:
    """What a budget owner reads first: the set, how sure it is, what stopping returns, and what is next."""
    currency, chosen = found["currency"], found["set"]
    funded, said = chosen["funded"], _operating(found)

    def money(x: object) -> str:
        return words.amount(x, currency)

    if funded:
        names = words.and_list(words.shorten(x["title"], 60) for x in funded)
        within = "" if chosen["budget"] is None else f" of {money(chosen['budget'])}"
        worth = chosen["worth"]
        between = words.amount_range(worth["p10"], worth["p90"], currency)
        said.append(
            f"Best set to fund: {names}, for {money(chosen['cost'])}{within}; together worth {money(worth['mean'])} "
            f"({between} in 8 of 10 outcomes)."
        )
    else:
        said.append("Nothing is funded: no pilot that may be funded fits what there is to give.")
    said += held_sentences(found)
    waits = [x for x in found["order"] if (x["lost_while_waiting"] or 0.0) > 0]
    if waits:
        lost = sum(x["lost_while_waiting"] for x in waits)
        names = words.and_list(_titles(found).get(x["pilot"], x["pilot"]) for x in waits)
        said.append(
            f"The same people build one after another: {names} would wait, which costs about {money(lost)} and is not "
            "taken off the worth above."
        )
    fdr = found["discoveries"]
    if fdr["share"] is not None:
        bar = "" if fdr["bar"] is None else f"; the bar is {words.percent(fdr['bar'])}"
        few = fdr["expected_failures"] < 0.05
        many = "hardly any" if few else words.number(fdr["expected_failures"], 2)
        share = "under 1 %" if fdr["share"] < 0.01 else words.percent(fdr["share"])
        said.append(
            f"Of {words.plural(fdr['funded'], 'funded pilot')}, {many} {'is' if few or many == '1' else 'are'} "
            f"expected not to pay ({share}{bar})."
        )
    kills = found["kills"]
    if kills["pilots"]:
        back = (
            f"{money(kills['per_year'])} a year, for {money(kills['once'])} once"
            if kills["per_year"] is not None
            else f"what they cost a month (nobody has stated it), for {money(kills['once'])} once"
        )
        said.append(f"Stopping {words.plural(len(kills['pilots']), 'pilot')} returns {back}.")
    if found["next"]:
        after = found["next"][0]
        lacks = [f"{lack_word(x, currency)}" for x in after["lacks"]]
        why = f"; it lacks {words.and_list(lacks)}" if lacks else ""
        weeks = after["start_week"]
        people = words.and_list(words.shorten(x, 40) for x in after["builders"])
        busy = f", and waits for {people} until week {words.number(weeks, 2)}" if weeks > 0 else ""
        said.append(f"Next: {words.shorten(after['title'], 60)}, worth {money(after['worth'])}{why}{busy}.")
    return said


def held_sentences(found: Found) -> list[str]:
    """What waits for the operation: money that is not given now, and money that is given once something is known."""
    currency, chosen = found["currency"], found["set"]
    held, released = chosen.get("held") or [], chosen.get("if_released")
    said = []
    if held:
        one = len(held) == 1
        stopped, off = (
            words.and_list(
                words.shorten(x["title"], 60) for x in held if (x["action"] == "deferred") is later
            )
            for later in (False, True)
        )
        whose = "its" if sum(x["action"] != "deferred" for x in held) == 1 else "their"
        why = [f"{stopped}, since {whose} own operation says to wait"] if stopped else []
        why += [f"{off}, which {'was' if ' and ' not in off else 'were'} deferred"] if off else []
        text = f"No new money for {', nor for '.join(why)}."
        if released is None:
            text += f" The set would be the same with {'it' if one else 'them'}."
        else:
            rest = released["cost"] - chosen["cost"]
            aside = f", for {words.amount(rest, currency)} more" if rest > 0 else ""
            out = words.and_list(_titles(found).get(x, x) for x in released["leaves_out"])
            text += (
                f" With {'it' if one else 'them'} back in the choice the best set would be worth "
                f"{_brings(released, currency)} more{aside}{f'; {out} would then give way' if out else ''}."
            )
        said.append(text)
    running = [x for x in chosen["funded"] if x.get("running")]
    if running:
        names = words.and_list(words.shorten(x["title"], 60) for x in running)
        said.append(
            f"Already running, at the worth that is left by its months and for no new money: {names}. What was granted "
            "before and is not spent yet is in no sum here."
        )
    first = [x for x in chosen["funded"] if x.get("first") and x["cost"] > 0]
    if first:
        names = words.and_list(words.shorten(x["title"], 60) for x in first)
        given = words.amount(sum(x["cost"] for x in first), currency)
        said.append(
            f"Of this, {given} for {names} only once it is known why fresh cases differ from what the decision "
            "rested on."
        )
    return said


def _held_rows(found: Found) -> list[dict[str, str]]:
    """Of each pilot that is held back: what its operation says, and what becomes of its money."""
    return [{**x, "then": _then(x)} for x in found["set"].get("held") or []]


def _then(row: Found) -> str:
    """What becomes of the money of a pilot that is held back."""
    said = []
    if row["action"] == "deferred":
        return "Whoever deferred it decides"
    if row["kind"] == "fix":
        said.append("what mends the broken limit may be granted by name")
    if row["signed"] in ("accepted", "overridden"):
        said.append("it is signed: stop what is not spent yet; what is spent is in no sum here")
    return words.capital("; ".join(said)) or "Decide again once it goes on"


def _operating(found: Found) -> list[str]:
    """What is to be done at once, before any money is given: most urgent first."""
    urgent = ("roll_back", "pause", "restrict", "stop", "decide_again", "investigate")
    rows = [p for p in found["pilots"] if p.get("operating")]
    rows.sort(key=lambda p: urgent.index(p["operating"]["action"]))
    return [
        f"First, in operation – {words.shorten(p['title'], 60)}: {p['operating']['headline']}. "
        f"{p['operating']['text']}"
        for p in rows
    ]


def lack_word(lack: Mapping[str, Any], currency: str) -> str:
    """What a workflow lacks, in words."""
    if lack["what"] == "budget":
        return words.amount(lack["lacks"], currency)
    if lack["what"] == "bar":
        return "surer pilots beside it"
    return f"{words.number(lack['lacks'], 2)} {lack['unit']} of {words.shorten(lack['name'], 40)}"


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
    return part("overview", found, words.plural(len(found["pilots"]), "pilot"), figure=figure, names=names)


def _on_map(pilot: Found) -> bool:
    return pilot["worth"] is not None and pilot["chance"] is not None


def funded(opened: Portfolio) -> Section:
    """The funded set, what it uses, and what it might miss."""
    found = opened.found
    chosen, currency = found["set"], found["currency"]
    return part(
        "funded",
        found,
        sentences(found)[0],
        regret=_regret(found),
        proof=_proof(chosen, currency),
        more=[_more(x, found) for x in chosen["limits"]],
        together=[_joined(x, found) for x in chosen["together"][:3]],
        held=_held_rows(found),
        waiting=held_sentences(found),
    )


def _proof(chosen: Found, currency: str) -> str:
    """Whether another set may be worth more."""
    if chosen["at_most_more"] <= 0:
        return "No set that the limits allow is worth more."
    share = chosen["at_most_more"] / max(chosen["worth"]["mean"], 1e-9)
    return (
        "There are too many sets to look at all of them: one that the limits allow may be worth more than this one, by "
        f"{words.amount(chosen['at_most_more'], currency)} at most ({words.percent(share)})."
    )


def _brings(gain: Found, currency: str) -> str:
    low, most = gain["brings"], gain["at_most"]
    if low <= 0 and most <= 0:
        return "nothing"
    if most > low:
        return f"{words.amount(low, currency)} to {words.amount(most, currency)}"
    return words.amount(low, currency)


def _takes(gain: Found, found: Found) -> str:
    """What a set takes beyond what there is."""
    by = {x["name"]: x for x in found["set"]["limits"]}
    texts = [
        f"{words.amount(n, found['currency'])} more"
        if by[name]["what"] == "budget"
        else f"{words.number(n, 2)} {by[name]['unit']} more of {words.shorten(name, 40)}"
        for name, n in gain["takes"].items()
    ]
    return words.and_list(texts)


def _more(limit: Found, found: Found) -> dict[str, str]:
    """What more of one limit alone would bring: a tenth more, and as much as anyone could use."""
    enough = _brings(limit["enough"], found["currency"])
    takes = _takes(limit["enough"], found)
    return {
        "tenth": _brings(limit["tenth"], found["currency"]),
        "enough": f"{enough}, with {takes}" if takes and limit["enough"]["brings"] > 0 else enough,
    }


def _joined(group: Found, found: Found) -> str:
    """Limits that must be raised together, and what that brings."""
    bar = "the bar on those that do not pay"
    named = {x["name"] for x in found["set"]["limits"]}
    names = [words.shorten(x, 40) if x in named else bar for x in group["names"]]
    takes = _takes(group, found)
    return (
        f"{words.capital(words.and_list(names))} hold the set back together: raised at once"
        f"{f' ({takes})' if takes else ''} they would bring {_brings(group, found['currency'])}."
    )


def _regret(found: Found) -> str:
    r, currency = found["set"]["regret"], found["currency"]
    value = words.amount(r["value"], currency)
    if r["how"] == "exact":
        return f"Whoever knew every worth would choose a set worth {value} more on average (exact, over all draws)."
    most = words.amount(r["at_most"], currency)
    if r["how"] == "bounded":
        return (
            f"Whoever knew every worth would choose a set worth between {value} and {most} more on average (bounds, "
            f"from {r['draws']} draws)."
        )
    return (
        f"Whoever knew every worth would choose a set worth {value} more on average (from {r['draws']} draws, standard "
        f"error {words.amount(r['error'], currency)}; at most {most})."
    )


def luck(opened: Portfolio) -> Section:
    """How many of the funded will not pay, and how much the winners owe to luck."""
    found = opened.found
    titles = _titles(found)
    passed = [titles.get(x, x) for x in found["discoveries"]["step_up"]]
    other = [titles.get(x, x) for x in found["shrinkage"].get("set") or []]
    return part("luck", found, "What luck has to do with it", passed=passed, other=other)


def _titles(found: Found) -> dict[str, str]:
    return {p["pilot"]: words.shorten(p["title"], 60) for p in found["pilots"]}


def order(opened: Portfolio) -> Section:
    """In which order the set is built, and which workflow is next."""
    found = opened.found
    rows = found["order"]
    titles = {p["pilot"]: p["title"] for p in found["pilots"]}
    nexts = [
        {
            **row,
            "lacks": [lack_word(x, found["currency"]) for x in row["lacks"]],
            "brings": _next_brings(row, found["currency"]),
            "note": _next_note(row, _titles(found)),
        }
        for row in found["next"]
    ]
    return part("order", found, words.plural(len(rows), "pilot"), titles=titles, nexts=nexts)


def _next_brings(row: Found, currency: str) -> str:
    if row["brings"] is None:
        return "not looked at"
    if row["per_percent"] is None:
        return "nothing that can be given brings it"
    return (
        f"{_brings(row, currency)}, {words.amount(row['per_percent'], currency)} a hundredth of what there is"
    )


def _next_note(row: Found, titles: Mapping[str, str]) -> str:
    """What the set that was found again would hold otherwise."""

    def names(pilots: Sequence[str]) -> str:
        return words.and_list(titles.get(x, x) for x in pilots)

    if row["brings"] is None:
        return ""
    said = []
    if not row["is_in_set"]:
        other = f"hold {names(row['instead'])}" if row["instead"] else "do more of those before"
        said.append(f"with so much more the best set would rather {other}")
    if row["gives_way"]:
        said.append(f"{names(row['gives_way'])} would give way")
    return "; ".join(said)


def trend(opened: Portfolio) -> Section:
    """How verdicts stood month by month, and which pilots share what."""
    found = opened.found
    months: Sequence[Mapping[str, Any]] = found["trend"]["months"]
    titles = _titles(found)
    return part("trend", found, words.plural(len(months), "month"), figure=trend_figure(found), titles=titles)


def map_figure(found: Found) -> Figure | None:
    """Worth against certainty, sized by cost; None where no pilot's worth is known in the common currency."""
    currency = found["currency"]
    rows = [
        {
            "label": p["title"],
            "verdict": p["verdict"],
            "worth": p["worth"]["mean"],
            "p10": p["worth"]["p10"],
            "p90": p["worth"]["p90"],
            "chance": p["chance"],
            "cost": p["cost"] or 0.0,
        }
        for p in found["pilots"]
        if _on_map(p)
    ]
    if not rows:
        return None
    pays = sum(r["worth"] > 0 for r in rows)
    alt = " ".join(
        f"{words.shorten(r['label'], 60)} ({r['verdict']}): {words.amount(r['worth'], currency)}, pays in "
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
