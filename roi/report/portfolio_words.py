"""What is said of all pilots together, in sentences and in cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roi import words
from roi.hours import SELDOM
from roi.report.one_worth import apart, decided

__all__ = [
    "held_rows",
    "held_sentences",
    "joined",
    "lack_word",
    "more",
    "next_brings",
    "next_note",
    "proof",
    "regret",
    "sentences",
    "titles_of",
]

Found = Mapping[str, Any]


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
        between = words.amount_range(worth["p10"], worth["p90"], currency, worth["mean"])
        said.append(
            f"Best set to fund: {names}, for {money(chosen['cost'])}{within}; together worth {money(worth['mean'])} "
            f"({between} in 8 of 10 outcomes){_after_waiting(chosen, currency)}."
        )
    else:
        said.append("Nothing is funded: no pilot that may be funded fits what there is to give.")
    said += held_sentences(found)
    waits = [x for x in found["order"] if (x["lost_while_waiting"] or 0.0) > 0]
    if waits:
        lost = sum(x["lost_while_waiting"] for x in waits)
        names = words.and_list(titles_of(found).get(x["pilot"], x["pilot"]) for x in waits)
        said.append(
            f"The same people build one after another: {names} would wait, which costs about {money(lost)}: the set "
            "was chosen, and every worth is told, as if nobody waited."
        )
    said += _hours(found)
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
        if after["cost"] > after.get("now", after["cost"]) and any(
            x["what"] == "budget" for x in after["lacks"]
        ):
            why = (
                f"; it takes {money(after['cost'])} once, the roll-out that follows with it ({money(after['now'])} of "
                f"it now), and lacks {words.and_list(lacks)}"
            )
        weeks = after["start_week"]
        one, gap = decided(found, after["pilot"]), apart(after, found)
        own = (money(after["worth"]) if one is None else one.whole) + (f" ({gap})" if gap else "")
        people = words.and_list(words.shorten(x, 40) for x in after["builders"])
        busy = f", and waits for {people} until week {words.number(weeks, 2)}" if weeks > 0 else ""
        said.append(f"Next: {words.shorten(after['title'], 60)}, worth {own}{why}{busy}.")
    return said


def _after_waiting(chosen: Found, currency: str) -> str:
    """What a set loses while some of it waits for who builds; empty where nothing does."""
    lost = chosen.get("lost_while_waiting") or 0.0  # a file of an earlier version has none
    if lost <= 0:
        return ""
    left = words.amount(chosen["worth"]["mean"] - lost, currency)
    return f", less about {words.amount(lost, currency)} for waiting for who builds, which leaves {left}"


def _hours(found: Found) -> list[str]:
    """Teams of which more hours are saved than they have in more outcomes than the told range leaves out."""
    return [
        f"In {words.chance(x['share_above'])} outcomes more hours are saved than {words.shorten(x['name'], 60)} has "
        f"({words.number(x['amount'], 2)} a month): only the average is held to that, and the hours beyond count in "
        "the worth, which is so much too high there."
        for x in found["set"]["limits"]
        if (x.get("share_above") or 0.0) > SELDOM
    ]


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
            out = words.and_list(titles_of(found).get(x, x) for x in released["leaves_out"])
            text += (
                f" With {'it' if one else 'them'} back in the choice the best set would be worth "
                f"{_brings(released, currency)} more{aside}{f'; {out} would then give way' if out else ''}."
            )
        said.append(text)
    running = [x for x in chosen["funded"] if x.get("running")]
    if running:
        names = words.and_list(words.shorten(x["title"], 60) for x in running)
        said.append(
            f"Already running, for no new money, counted in the set by what is left of it: {names}. What was granted "
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


def held_rows(found: Found) -> list[dict[str, str]]:
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


def proof(chosen: Found, currency: str) -> str:
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


def more(limit: Found, found: Found) -> dict[str, str]:
    """What more of one limit alone would bring: a tenth more, and as much as anyone could use."""
    enough = _brings(limit["enough"], found["currency"])
    takes = _takes(limit["enough"], found)
    return {
        "tenth": _brings(limit["tenth"], found["currency"]),
        "enough": f"{enough}, with {takes}" if takes and limit["enough"]["brings"] > 0 else enough,
    }


def joined(group: Found, found: Found) -> str:
    """Limits that must be raised together, and what that brings."""
    bar = "the bar on those that do not pay"
    named = {x["name"] for x in found["set"]["limits"]}
    names = [words.shorten(x, 40) if x in named else bar for x in group["names"]]
    takes = _takes(group, found)
    return (
        f"{words.capital(words.and_list(names))} hold the set back together: raised at once"
        f"{f' ({takes})' if takes else ''} they would bring {_brings(group, found['currency'])}."
    )


def regret(found: Found) -> str:
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


def titles_of(found: Found) -> dict[str, str]:
    return {p["pilot"]: words.shorten(p["title"], 60) for p in found["pilots"]}


def next_brings(row: Found, currency: str) -> str:
    if row["brings"] is None:
        return "not looked at"
    if row["per_percent"] is None:
        return "nothing that can be given brings it"
    return (
        f"{_brings(row, currency)}, {words.amount(row['per_percent'], currency)} a hundredth of what there is"
    )


def next_note(row: Found, titles: Mapping[str, str]) -> str:
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
