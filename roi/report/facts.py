"""What a record says, in sentences: shared by the page, the index and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roi import signs, words
from roi.named import kind_word, policy_word
from roi.report import promises
from roi.report.quality import errors_sentence
from roi.report.turned_down import no_fix

__all__ = [
    "Choice",
    "Fact",
    "assigned",
    "choices",
    "controls_line",
    "facts",
    "finding_word",
    "first_view_mark",
    "first_view_sentence",
    "gate_word",
    "headline_alone",
    "measured_sentence",
    "stops",
    "verdict_line",
]

Record = Mapping[str, Any]
ASSIGNMENT = {
    "randomised": "which case went to the agent was drawn at random",
    "before_after": "the agent's cases came later than the others, so other changes of that time count in",
    "observational": "people chose which case went to the agent, so the cases may differ",
}
GATE_WORDS = {
    "shown": "Shown",
    "not_shown": "Not shown yet",
    "exceeded": "Fails",
    "missing_evidence": "No evidence",
}
FINDING_WORDS = {"stops": "Not comparable", "warning": "Caution", "note": "Note"}
KINDS = {
    "repair": "Repair",
    "control": "Control",
    "measure": "Measure",
    "stop": "Stop",
    "go": "Go",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option as it is shown.

    Attributes:
        name: Its key in the record.
        label: What it is called.
        option: Its numbers; None where its worth cannot be worked out.
        advised: Whether the verdict puts it forward.
        remark: A few words beside it.
        ends: Whether nothing is rolled out after it, so that its number is not to be read without the remark.
    """

    name: str
    label: str
    option: Mapping[str, Any] | None
    advised: bool
    remark: str = ""
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A short heading and what there is to say under it."""

    label: str
    text: str


def choices(record: Record, *, every: bool = False) -> list[Choice]:
    """The options in the order in which they are weighed.

    Args:
        record: The record.
        every: All scopes and alternatives, otherwise only the scope of highest worth, and no alternatives; of a kill
            whose reason names what a roll-out with its controls comes to, that in its place.
    """
    found: Mapping[str, Any] = record.get("options") or {}
    advised = words.advised(record)
    name = words.advised_name(record)
    rows = [
        Choice(
            name="kill",
            label="Stop now",
            option=found.get("kill"),
            advised=name == "kill",
            remark="the yardstick of the others",
        )
    ]
    if found.get("keep"):
        rows.append(_choice("keep", "Keep the pilot as it is", found["keep"], False, "never advised"))
    if found.get("scale") or not found.get("scale_segments"):
        rows.append(_choice("scale", "Scale now", found.get("scale"), name == "scale"))
    scopes = sorted(
        found.get("scale_segments") or [],
        key=lambda o: (o is not advised, -(words.finite(o.get("mean")) or 0.0)),
    )
    # Where the reason names what a roll-out with its controls comes to, that is a main option, too.
    few = 0 if found.get("controlled") else 1
    rows += [
        _choice("scale_segments", "Scale in part", scope, scope is advised)
        for scope in scopes[: None if every else few]
    ]
    if found.get("controlled"):
        rows.append(_choice("controlled", "Scale with the controls it needs", found["controlled"], False))
    if found.get("fix") or record.get("verdict") != "scale":  # what may be scaled now needs no fix
        rows.append(_choice("fix", "Fix first", found.get("fix"), name == "fix", no_fix(record)))
    if every:
        for option in found.get("alternatives") or []:
            label = option.get("label") or option.get("name")
            rows.append(_choice("alternatives", str(label), option, False, "an alternative without AI"))
    return rows


def _choice(name: str, label: str, option: Any, advised: bool, remark: str = "") -> Choice:
    if option is None:
        remark = remark or "its worth cannot be worked out"
    label = words.shorten((option or {}).get("label") or label, 90)
    note = words.shorten((option or {}).get("note") or remark, 160)
    ends = bool((option or {}).get("stops_after"))
    return Choice(name=name, label=label, option=option, advised=advised, remark=note, ends=ends)


def headline_alone(record: Record) -> str:
    """The headline without a verdict's word before its colon: of "Scale: it pays" it is "it pays"."""
    headline = words.shorten(record.get("headline") or "", 140)
    first, colon, rest = headline.partition(": ")
    return rest if colon and first in (words.verdict_word(record), "Stop") else headline


def verdict_line(record: Record) -> str:
    """The verdict and its headline in one line, the verdict's own word said once: "Scale: it pays, and …"."""
    word, headline = words.verdict_word(record), headline_alone(record)
    return headline if headline.startswith(f"{word} ") else f"{word}: {headline}" if headline else word


def gate_word(state: object) -> str:
    """A gate's state in words."""
    return GATE_WORDS.get(str(state), str(state))


def stops(record: Record) -> list[Mapping[str, Any]]:
    """What stopping means, group by group; what would reopen the matter says so."""
    return [
        dict(row, what="Only this would reopen it") if row.get("what") == "reopen" else row
        for row in record.get("stopping") or []
        if row.get("items")
    ]


def controls_line(record: Record) -> str:
    """The state of the controls in one line."""
    gates = [g for g in record.get("gates") or [] if g.get("gate") in words.CONTROLS]
    if not gates:
        return "No control was looked at."
    by_state = {
        state: [str(g["label"])[:1].lower() + str(g["label"])[1:] for g in gates if g.get("state") == state]
        for state in GATE_WORDS
    }
    parts = [f"{len(by_state['shown'])} of {len(gates)} are shown"]
    for state, say in (
        ("exceeded", "fails"),
        ("not_shown", "not shown yet"),
        ("missing_evidence", "no evidence"),
    ):
        if by_state[state]:
            parts.append(f"{say}: {words.and_list(by_state[state])}")
    layers = (record.get("controls") or {}).get("layers") or []
    soft = sum(c["status"] == "fail" and not c["hard"] for layer in layers for c in layer["checks"])
    if soft:
        parts.append(
            f"{words.plural(soft, 'further finding')} {'does' if soft == 1 else 'do'} not stop scaling"
        )
    return "; ".join(parts) + "."


def measured_sentence(record: Record) -> str:
    """On how many cases and people the figures rest, and when they were taken."""
    sample: Mapping[str, Any] = record.get("sample") or {}
    cases: Mapping[str, Any] = sample.get("cases") or {}
    parts = [
        f"{words.plural(cases.get('pilot'), 'case')} with the agent and {words.count(cases.get('baseline'))} as before"
    ]
    people: Mapping[str, Any] = sample.get("workers") or {}
    pilot, before = words.finite(people.get("pilot")), words.finite(people.get("baseline"))
    if pilot is not None and before is not None:
        parts.append(_people(pilot, before, words.finite(sample.get("workers_in_both"))))
    else:
        parts.append("by how many people is not known")
    if sample.get("first") and sample.get("last"):
        parts.append(f"{words.day(sample['first'])} to {words.day(sample['last'])}")
    text = ", ".join(parts)
    if sample.get("sourced"):
        text = f"From a report (sourced, not sampled): {text}"
    # With one arm there is nothing that the other could differ from.
    both = words.finite(cases.get("pilot")) and words.finite(cases.get("baseline"))
    said = assigned(record) if both else ""
    return f"{text}; {said}." if said else f"{text}."


def assigned(record: Record) -> str:
    """How cases came to an arm, in words; empty where nobody says."""
    contradicted = (record.get("design") or {}).get("contradicted_by")
    if contradicted:
        return f"declared as drawn at random, but {words.shorten(contradicted, 160)}"
    return ASSIGNMENT.get(str((record.get("sample") or {}).get("assignment")), "")


def _comparison(record: Record) -> str:
    """The independent unit, what was found of the arms, and the bias that would matter."""
    design: Mapping[str, Any] = record.get("design") or {}
    parts = [f"{words.capital(words.shorten(design['text'], 200))}."]
    found = [f for f in design.get("findings") or [] if f.get("level") in ("stops", "warning")]
    if found:
        # A share that nobody planned may mean that cases were lost, so it is never left for further down.
        shown = [f for i, f in enumerate(found) if i == 0 or f.get("check") == "allocation"]
        for finding in shown:
            parts.append(words.shorten(finding.get("text") or "", 300))
            if finding.get("check") == "allocation" and finding.get("mend"):
                parts.append(f"{words.shorten(finding['mend'], 200)}.")
        if len(found) > len(shown):
            parts.append(f"{words.plural(len(found) - len(shown), 'more caution')} below.")
    tipping = (record.get("tipping_point") or {}).get("text")
    if tipping:
        parts.append(words.shorten(tipping, 300))
    return " ".join(parts)


def finding_word(level: object) -> str:
    """How grave a finding about the arms is, in a word."""
    return FINDING_WORDS.get(str(level), "Note")


def _people(pilot: float, before: float, both: float | None) -> str:
    """Who worked the cases of both arms, where the record says how many did both."""
    if both is not None and both == pilot == before:
        return f"worked by the same {words.plural(both, 'person', 'people')}"
    apart = f"worked by {words.count(pilot)} and {words.plural(before, 'person', 'people')}"
    if both is None:
        return apart
    return f"{apart}, {words.count(both) if both else 'none'} of them both ways"


def _saved(record: Record) -> str:
    saved = (record.get("estimates") or {}).get("minutes_saved_per_case")
    if not saved:
        return "Time saved cannot be measured from these samples."
    scope = (
        (words.advised(record) or {}).get("scope") if words.advised_name(record) == "scale_segments" else None
    )
    rows = [row for row in record.get("by_segment") or [] if row.get("segment") in (scope or ())]
    parts = [
        f"In {words.shorten(kind_word(row['segment']), 40)} a case takes {_minutes(row['minutes_saved'])}"
        for row in rows
        if row.get("minutes_saved")
    ]
    lead = "Over all kinds of cases it takes" if parts else "A case takes"
    return "; ".join([*parts, f"{lead[0].lower() + lead[1:] if parts else lead} {_minutes(saved)}"]) + "."


def _minutes(saved: Mapping[str, Any]) -> str:
    """How much less or more a case takes, with its interval in words where its ends differ in sign."""
    mean = words.finite(saved.get("mean")) or 0.0
    low, high = words.finite(saved.get("p05")), words.finite(saved.get("p95"))
    ends = "" if low is None or high is None else f" (9 in 10 chances: {signs.minutes_ends(low, high)})"
    return f"{words.minutes(abs(mean))} minutes {'longer' if mean < 0 else 'less'} with the agent{ends}"


def _assumed(record: Record) -> str:
    share = words.finite(record.get("share_assumed"))
    first: Mapping[str, Any] = record.get("first_view") or {}
    names = [words.shorten(name, 40) for name in record.get("assumed_factors") or ()]
    rest = (
        "documents, and nothing was measured"
        if (record.get("sample") or {}).get("sourced")
        else "measurement"
    )
    text = (
        "How much of the benefit is assumed cannot be said."
        if share is None
        else f"{words.percent(share)} of the expected benefit rests on assumptions, not on {rest}"
        f"{': ' + words.and_list(names) if names else ''} (each factor counted alike)."
    )
    if words.finite(first.get("inputs")) and not first.get("is"):
        text += f" {words.count(first.get('defaults'))} of {words.count(first['inputs'])} inputs are "
        text += "package defaults."
    return text


def _signed(record: Record) -> str:
    said = []
    for entry in record.get("signed") or []:
        if isinstance(entry, Mapping):
            kept = [entry.get("name") or entry.get("as"), entry.get("role"), entry.get("decision")]
            kept += [words.day(str(entry["at"])[:10])] if entry.get("at") else []
            kept += [f"until {words.day(entry['expires'])}"] if entry.get("expires") else []
            text = ", ".join(words.shorten(part, 60) for part in kept if part)
            said.append(text + (f": {words.shorten(entry['reason'], 200)}" if entry.get("reason") else ""))
        else:
            said.append(words.shorten(entry, 120))
    return "; ".join(said) + "." if said else "Nobody has signed yet."


def first_view_mark(record: Record) -> str:
    """The mark of a first view: how many of its inputs are defaults; empty for any other."""
    first: Mapping[str, Any] = record.get("first_view") or {}
    if not first.get("is"):
        return ""
    return f"First view: {words.count(first.get('defaults'))} of {words.count(first.get('inputs'))} inputs are defaults"


def first_view_sentence(record: Record) -> str:
    """What a first view is, with its counts."""
    first: Mapping[str, Any] = record.get("first_view") or {}
    missing = words.finite(first.get("missing")) or 0
    more = f", and {words.count(missing)} more {'is' if missing == 1 else 'are'} missing" if missing else ""
    counts = words.capital(first_view_mark(record).partition(": ")[2])
    return f"{counts}{more}. A first view is never enough to scale."


def facts(record: Record) -> list[Fact]:
    """What the first screen says beside the options and the next actions, in reading order."""
    currency = str(record.get("currency") or "")
    found: list[Fact] = []
    for item in record.get("exceptions") or []:
        said = words.shorten(item.get("reason") or "no reason given", 160)
        by = words.shorten(item.get("approved_by") or "nobody", 60)
        name = f"{words.capital(policy_word(item.get('key')))} ({item.get('key')})"
        text = f"{name} is {item.get('value')}: {said}; approved by {by}, "
        text += f"until {words.day(item.get('expires'))}."
        found.append(Fact("Exception from the policy", text))
    if (record.get("first_view") or {}).get("is"):
        found.append(Fact("A first view", first_view_sentence(record)))
    found.append(Fact("What was measured", f"{_saved(record)} {words.capital(measured_sentence(record))}"))
    if (record.get("design") or {}).get("text"):
        found.append(Fact("How it was compared", _comparison(record)))
    errors = errors_sentence(record)
    if errors:
        found.append(Fact("Errors", errors))
    goal = promises.goal(record)
    if goal:
        found.append(Fact("The goal", goal))
    for claim in (record.get("claims") or [])[:2]:
        found.append(Fact("What was claimed", f"{promises.claimed(record, claim)}."))
    found.append(Fact("How much is assumed", _assumed(record)))
    known: Mapping[str, Any] = record.get("knowing") or {}
    if known.get("sentence"):
        found.append(Fact("Is measuring more worth it?", words.shorten(known["sentence"], 400)))
    unknowns = [words.shorten(text, 220) for text in record.get("unknowns") or []]
    if unknowns:
        more = f" And {len(unknowns) - 2} more, listed below." if len(unknowns) > 2 else ""
        found.append(Fact("What is not known", " ".join(unknowns[:2]) + more))
    found.append(
        Fact("Is the model the problem?", words.shorten(record.get("model_the_problem") or "Not looked at."))
    )
    found.append(Fact("Controls", words.capital(controls_line(record))))
    waiting = words.finite(record.get("cost_of_waiting_per_month"))
    if waiting is not None:
        found.append(
            Fact("Waiting", f"Each month without a decision costs {words.amount(waiting, currency)}.")
        )
    spent = words.finite(record.get("spent_to_date"))
    if spent is not None:
        text = f"{words.amount(spent, currency)}. It is gone whatever is decided, so it is not counted."
        found.append(Fact("Spent so far", text))
    rule = record.get("rule_error_rates")
    if rule and rule.get("text"):
        found.append(Fact("How often this rule errs", words.shorten(rule["text"], 600)))
    found.append(Fact("Signed", _signed(record)))
    return found
