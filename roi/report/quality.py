"""What became of errors, in a sentence: a pilot that saves time may pay by its errors alone, or lose by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import signs, words

__all__ = ["errors_sentence"]

Record = Mapping[str, Any]
_FIRST = {"fix": "With the fix, a year", "scale_segments": "In the chosen part, a year"}


def errors_sentence(record: Record) -> str:
    """Errors with the agent beside those before, and what they come to beside the time; empty without both rates."""
    estimates: Mapping[str, Any] = record.get("estimates") or {}
    before, after = (estimates.get(f"error_rate_{arm}") for arm in ("baseline", "pilot"))
    if not before or not after:
        return ""
    avoided = estimates.get("errors_avoided_per_case") or {}
    ends = signs.points_ends(avoided.get("p05"), avoided.get("p95"))
    chances = f" (9 in 10 chances: {ends})" if ends else ""
    text = f"{words.percent(after.get('mean'))} of cases go wrong with the agent, "
    text += f"{words.percent(before.get('mean'))} as before{chances}."
    if (record.get("labels") or {}).get("blind") is False:
        text += " Whoever judged them knew which cases the agent had worked."
    money: Mapping[str, Any] = record.get("money") or {}
    errors = words.finite((money.get("errors_per_year") or {}).get("mean"))
    parts = [
        words.finite((money.get(key) or {}).get("mean")) for key in ("cash_per_year", "redeployed_per_year")
    ]
    time = None if None in parts else sum(x for x in parts if x is not None)
    if errors is None or time is None:
        return text
    currency = str(record.get("currency") or "")
    of_errors = signs.gained(errors, currency, gain="errors avoided bring", loss="further errors cost")
    of_time = signs.gained(time, currency, gain="saved time brings", loss="lost time costs")
    # The rates are of what was measured, the money of the plan: a repair changes the one and not the other.
    first = _FIRST.get(str(money.get("plan")), "A year")
    return f"{text} {first} at full adoption, {of_errors} and {of_time}."
