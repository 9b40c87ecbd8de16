"""The sections of the controls: what an auditor asks of the logs, what they answer, and on which rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roi import words
from roi.report import facts
from roi.report.control_figures import frontier_figure, gated, mean_of
from roi.report.sections import Decision, Section, section
from roi.signing import standing

__all__ = ["access", "checks", "design", "findings", "opening", "own_sample", "scorecard", "silent"]

STATE = {"pass": "shown", "fail": "exceeded", "missing_evidence": "missing_evidence"}
STATUS = {"pass": "passes", "fail": "fails", "missing_evidence": "no evidence"}
IDLE = "nothing to check"
BASIS = {
    "rule": "any row breaks it",
    "limit": "a share with an exact bound",
    "statistical": "against chance, 1 in 1,000",
}
COUNTED = (
    ("pass", "passed"),
    ("fail", "failed"),
    ("missing_evidence", "without evidence"),
    ("not_applicable", "with nothing to check"),
)
MOST_RIGHTS = 40
DESIGNS = {
    "chosen": "Advised",
    "today": "As it is done today",
    "free_optimum": "Cheapest, were no rule to ask for approval",
    "everything": "Everything waits",
    "nothing": "Nothing waits",
}
HOURS = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0}
Found = Mapping[str, Any]
Record = Mapping[str, Any]


def _layers(record: Mapping[str, Any]) -> list[Found]:
    return list((record.get("controls") or {}).get("layers") or [])


def _every(record: Mapping[str, Any]) -> list[Found]:
    return [check for layer in _layers(record) for check in layer["checks"]]


def _idle(check: Found) -> bool:
    """Whether a check passes only because there was nothing to look at."""
    return bool(check["status"] == "pass" and check["n"] == 0)


def _state_of(check: Found) -> tuple[str, str]:
    """The mark of a check and what it says."""
    return ("idle", IDLE) if _idle(check) else (STATE[check["status"]], STATUS[check["status"]])


def opening(decision: Decision) -> Section:
    """The verdict, what the controls say in a sentence, and which layers stand."""
    record = decision.record
    found = record.get("controls") or {}
    design = record.get("approval_design") or {}
    hard = [check for check in _every(record) if _stops(check)]
    answers = [
        ("The verdict", facts.verdict_line(record)),
        ("The controls", found.get("headline")),
        ("What scaling waits for", _waits(hard)),
        ("What should wait for a person", design.get("headline")),
    ]
    return section(
        "controls",
        decision,
        str(found.get("headline") or "No control was looked at"),
        answers=[(label, said) for label, said in answers if said],
        standing=standing(record),
    )


def _stops(check: Found) -> bool:
    """Whether a check keeps the pilot from scaling."""
    return bool(
        check["hard"] if check["status"] == "fail" else check["required"] and check["status"] != "pass"
    )


def _waits(hard: Sequence[Found]) -> str:
    if not hard:
        return "No control stands in the way."
    mends = list(dict.fromkeys(str(check["mend"]) for check in hard))
    rest = f"; and {len(mends) - 3} more" if len(mends) > 3 else ""
    return "; ".join(mends[:3]) + rest + "."


def scorecard(decision: Decision) -> Section:
    """The five layers, each check a mark."""
    layers = [
        {
            **layer,
            "marks": [(check, *_state_of(check)) for check in layer["checks"]],
            "passed": sum(check["status"] == "pass" and not _idle(check) for check in layer["checks"]),
            "looked": sum(not _idle(check) for check in layer["checks"]),
        }
        for layer in _layers(decision.record)
    ]
    counts = (decision.record.get("controls") or {}).get("counts") or {}
    text = ", ".join(
        words.plural(counts.get(status, 0), say, say)
        for status, say in COUNTED
        if status != "not_applicable" or counts.get(status)
    )
    return section("controls_card", decision, text, layers=layers)


def findings(decision: Decision) -> Section:
    """What fails, on which rows, and what would mend it; what scaling waits for comes first."""
    failed = [check for check in _every(decision.record) if check["status"] == "fail"]
    failed.sort(key=lambda check: not check["hard"])
    text = words.plural(len(failed), "finding")
    return section("controls_found", decision, text, rows=failed)


def silent(decision: Decision) -> Section:
    """What the logs cannot tell, and what to log or how much more of it."""
    rows = [check for check in _every(decision.record) if check["status"] == "missing_evidence"]
    rows.sort(key=lambda check: not check["required"])
    return section("controls_silent", decision, words.plural(len(rows), "open question"), rows=rows)


def checks(decision: Decision) -> Section:
    """Every check with its figure, its bound, what it is held against, and where else to look."""
    record = decision.record
    found = record.get("controls") or {}
    layers = [
        {
            **layer,
            "elsewhere": _elsewhere(layer["checks"]),
            "rows": [
                (
                    check,
                    *_state_of(check),
                    told(check),
                    bounded(check),
                    figure(check, "threshold"),
                    BASIS[check["basis"]],
                )
                for check in layer["checks"]
            ],
        }
        for layer in _layers(record)
    ]
    return section(
        "controls_checks",
        decision,
        words.plural(len(_every(record)), "check"),
        layers=layers,
        note=found.get("note"),
        frameworks=found.get("frameworks") or {},
        uncovered=found.get("uncovered") or [],
    )


def _elsewhere(found: Sequence[Found]) -> Any:
    """Where most checks of a layer say to look further; told once, so that only the others repeat it."""
    places = [check["crosswalk"] for check in found]
    return max(places, key=places.count) if places else {}


def told(check: Found) -> str:
    """What the figure of a check says and of how many: "0 of 3,952 broke it"; empty where there is none."""
    value, n, meaning = words.finite(check.get("value")), check.get("n"), str(check.get("figure"))
    if value is None:
        return ""
    if check.get("unit") != "share":
        return f"{figure(check, 'value')} {meaning}"
    if meaning == "faults":
        return words.plural(round(value), "fault")
    if check.get("misses") is not None and n:
        return f"{check['misses']:,} of {n:,} {meaning}"
    of = f" of {n:,}" if n and not meaning.startswith("of ") else ""
    return f"{figure(check, 'value')}{of} {meaning}"


def bounded(check: Found) -> str:
    """The bound of a figure, which lies on the unkind side of it; empty where there is none."""
    value, bound = words.finite(check.get("value")), words.finite(check.get("bound"))
    if value is None or bound is None:
        return ""
    return f"{'at most' if bound >= value else 'at least'} {figure(check, 'bound')}"


def figure(check: Found, key: str) -> str:
    """A figure of a check in its unit; empty where there is none."""
    value = words.finite(check.get(key))
    if value is None:
        return ""
    unit = check.get("unit")
    if unit == "share":
        if key != "bound":
            return words.percent(value)
        seen = words.finite(check.get("value"))
        side = words.at_least if seen is not None and value < seen else words.at_most
        return side(value, words.finite(check.get("threshold")))
    if unit in ("minute", "day", "second"):
        return words.plural(float(words.number(value).replace(",", "")), unit)
    return words.number(value)


def access(decision: Decision) -> Section:
    """The rights that the agent should have, and what should become of those it has."""
    record = decision.record
    rows = list((record.get("controls") or {}).get("access_proposed") or [])
    order = {"add": 0, "drop": 1, "narrow": 2, "keep": 3}
    rows.sort(key=lambda right: order[right["proposal"]])
    counted = [
        words.plural(n, f"right to {what}", f"rights to {what}")
        for what in order
        if (n := sum(right["proposal"] == what for right in rows))
    ]
    text = words.and_list(counted) if counted else "No list of grants"
    return section(
        "controls_access",
        decision,
        text,
        rows=rows[:MOST_RIGHTS],
        left=max(len(rows) - MOST_RIGHTS, 0),
        counted=counted,
    )


def own_sample(decision: Decision) -> Section:
    """How an auditor draws a sample of their own, and where findings about single people are."""
    record = decision.record
    personal = [check for check in _every(record) if check["personal"] and check["status"] == "fail"]
    return section("controls_own", decision, "Your own sample", personal=len(personal))


def design(decision: Decision) -> Section:
    """For each kind of action what letting it run unseen costs, what approving it costs, and what should wait."""
    record = decision.record
    found = record.get("approval_design") or {}
    npv = found.get("npv") or {}
    limit = (found.get("residual") or {}).get("limit")
    designs = [
        (
            "; ".join(label if not i else label[:1].lower() + label[1:] for i, label in enumerate(labels)),
            "" if "today" in keys or "nothing" in keys else gated(found[keys[0]]),
            found[keys[0]],
            mean_of(found[keys[0]].get("hours_per_month")),
            (npv.get(keys[0]) or {}).get("against_today"),
        )
        for keys, labels in _joined(found)
    ]
    return section(
        "controls_design",
        decision,
        str(found.get("headline") or "Nothing says what should wait for a person"),
        d=found,
        figure=frontier_figure(record),
        designs=designs,
        limit=limit,
        practice=_practice(record),
        kinds=[kind for kind in found.get("kinds") or [] if kind.get("may_be_held")],
        seen=[kind["label"] for kind in found.get("kinds") or [] if not kind.get("may_be_held")],
    )


def _joined(found: Found) -> list[tuple[list[str], list[str]]]:
    """The designs to show, those that hold the same together: their keys and labels."""
    joined: dict[str, tuple[list[str], list[str]]] = {}
    for key, label in DESIGNS.items():
        if not found.get(key):
            continue
        gates = found[key].get("gates")
        keys, labels = joined.setdefault(key if gates is None else repr(gates), ([], []))
        keys.append(key)
        labels.append(label)
    return list(joined.values())


def _practice(record: Record) -> list[tuple[str, str]]:
    """How long actions wait today, and what rejections kept off; what is not known is said."""
    found = record.get("approval_design") or {}
    if not found.get("kinds"):
        return []
    middle = ((((record.get("audit") or {}).get("oversight") or {}).get("waiting") or {}).get("p50")) or {}
    value, unit = words.finite(middle.get("value")), str(middle.get("unit"))
    hours = None if value is None or unit not in HOURS else value * HOURS[unit]
    month = words.finite((found.get("today") or {}).get("waiting_hours_per_month"))
    rejected = ((record.get("audit") or {}).get("oversight") or {}).get("rejected") or {}
    catch = found.get("catch") or {}
    count, cost = catch.get("rejected", rejected.get("k")), catch.get("error_cost")
    saved = "not known"
    if count is not None and cost:
        mean, low, high = (
            words.amount(count * cost[k], str(record.get("currency"))) for k in ("mean", "p05", "p95")
        )
        saved = f"about {mean} ({low} to {high}), were each an error of the run's mean cost"
    return [
        (
            "Median time to approve",
            "not known"
            if hours is None
            else f"{words.number(hours)} hours ({words.number(hours * 60)} minutes)",
        ),
        ("Waiting a month, as practised", "not known" if month is None else f"{month:,.0f} hours"),
        ("Actions rejected in the log", "not known" if count is None else f"{count:,}"),
        ("What they would have cost", saved),
    ]
