"""The approval design in words: what is held, one sentence for a budget owner, and what is missing to say more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi.approval_kinds import ApprovalKinds
from roi.words import amount, and_list, capital, count, number, percent, plural, shorten

__all__ = ["design_headline", "gate_text", "missing_of_logs", "no_design"]


def gate_text(label: str, gate: str, at: float | None, currency: str) -> str:
    """What is held of a kind: "refund", "refund from EUR 500 on", "reply where confidence is below 0.8"."""
    name = shorten(label, 60)
    if gate == "amount":
        return f"{name} from {amount(at, currency)} on"
    if gate == "confidence":
        return f"{name} where confidence is below {number(at)}"
    return name


def no_design(x: ApprovalKinds | None) -> str | None:
    """Why there is nothing to design; None where there is."""
    if x is None:
        return "The agent's actions were not logged, so that nothing says which of them should wait for a person."
    if not x.tool:
        return "The log holds no action of a production case, so that nothing says which should wait for a person."
    if not x.changing.any():
        return "The agent only reads and drafts, as far as its log tells: no action of it has to wait for a person."
    return None


def missing_of_logs(x: ApprovalKinds, *, stated: bool = False) -> list[str]:
    """What the logs do not tell of approval, and what to log; `stated` where the minutes of an approval are."""
    said = []
    if "effect" not in x.has:
        said.append(
            "The log does not say what an action does, so that every kind counts as one that may change something: "
            "log the effect of each action (read, draft, write, send, pay)."
        )
    in_time, caught = int(x.count("in_time").sum()), int(x.count("caught").sum())
    if "decision" not in x.has or not int(x.count("by_person").sum()):
        said.append(
            "No decision of a person is logged, so that nothing tells what approval catches: log the decision "
            "(approved, rejected) of each action, with requested_at and decided_at."
        )
    elif not in_time:
        said.append(
            "Every action was decided after it ran, so that nothing tells what approval catches: hold actions until "
            "they are decided."
        )
    elif not caught + x.mended.sum() + x.slipped_in_time.sum() > 0:
        said.append(
            "No action that a person decided on was wrong, so that nothing tells what approval catches: go on logging "
            "decisions and outcomes."
        )
    elif not caught:
        said.append(
            f"None of {plural(in_time, 'action')} that people decided on was rejected: what they caught is told by "
            "repairs alone. Log a rejection where somebody stops an action."
        )
    if in_time and "times" not in x.has:
        said.append(
            "Whether approvals came in time is not known: log decided_at and executed_at of each action."
        )
    timed = "review" in x.has and bool(x.review[:, 0].any())
    if not timed and stated:
        said.append(
            "Minutes of an approval are stated and not logged, so that nothing says that the measured minutes of a "
            "case hold them. A design that holds less is not credited with them, one that holds more is charged: log "
            "review_minutes."
        )
    elif not timed:
        said.append(
            "How long an approval takes is not known: log review_minutes of each case, or state "
            "economics.approval_minutes."
        )
    if "wait" not in x.has or not x.wait[:, 0].any():
        said.append(
            "How long actions wait for a person is not known: log requested_at and decided_at of each action."
        )
    if x.mended.sum() > 0 and x.not_looked[0] == 0:
        said.append(
            "All repairs are credited to approval, because nothing ran undecided to tell how many are made anyway."
        )
    if (caught or x.mended.sum() > 0) and not x.mending[0]:
        said.append("What mending a caught action takes is not known and is left out: log rework_minutes.")
    return said


def design_headline(
    *,
    chosen: Mapping[str, Any],
    nothing: Mapping[str, Any],
    today: Mapping[str, Any],
    price_of_rule: float,
    pays: bool,
    strictest: float,
    limit: float,
    currency: str,
) -> str:
    """One sentence of what should wait, what it takes and what it saves.

    Args:
        chosen: The design as the record holds it.
        nothing: The same where nothing is held.
        today: The same of what the log shows.
        price_of_rule: What holding them costs a month beyond the cheapest design.
        pays: Whether the roll-out would be worth more without them, where freed hours count as what becomes of them.
        strictest: Severe errors a case with the strictest design.
        limit: The most severe errors a case.
        currency: Of amounts.
    """
    if not chosen["within_limit"]:
        return (
            f"No approval keeps severe errors to {percent(limit)} of cases: with the strictest {percent(strictest)} of "
            f"cases still have one, {percent(strictest - limit)} of cases too many; the errors themselves have to be "
            "mended."
        )
    before, now, after = (amount(x["loss_per_month"]["mean"], currency) for x in (nothing, today, chosen))
    hours = chosen["hours_per_month"]["mean"]
    if not chosen["gates"]:
        text = f"Nothing has to wait for a person: errors are expected to cost {before} a month without, as practised "
        return f"{text}today {now}; approving would cost more than it catches{_as_practised(today, 0.0)}."
    gates = and_list(shorten(g["text"], 60) for g in chosen["gates"])
    text = (
        f"Let a person approve {gates}: {_hours(hours)} a month{_as_practised(today, hours)}; errors are expected to "
        f"cost {after} a month, as practised today {now}, and {before} were nothing to wait"
    )
    if price_of_rule >= 1:
        what = f"{amount(price_of_rule, currency)} a month more than the cheapest design"
        text += (
            f"; a rule asks for it, at {what}"
            if pays
            else f"; at the full cost of an hour that is {what}, but "
        )
        text += "" if pays else "freed hours would earn less than the errors cost"
    return capital(text + ".")


def _as_practised(today: Mapping[str, Any], hours: float) -> str:
    now = today["hours_per_month"]["mean"]
    return f" (as practised: {_hours(now)})" if abs(now - hours) > 0.05 * max(now, hours, 1.0) else ""


def _hours(hours: float) -> str:
    return f"about {count(round(hours))} hours of approving" if hours >= 0.5 else "no hours of approving"
