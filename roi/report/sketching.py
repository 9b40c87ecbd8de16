"""The sketch in the page: what it shows before it is moved, and the words and signs that its script writes with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roi import units, words

__all__ = ["sketched"]

SAID = {
    "stated": "As it was decided: {}.",
    "same": "It stays at {}.",
    "other": "It becomes {}.",
    "unsure": "The sketch cannot tell whether it stays at {}: a limit is near, or other fixes may be better.",
}


def sketched(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the template of the sketch takes.

    Args:
        found: As `roi.sketch.sketch_of` makes it.

    Returns:
        `data` for the script, `dials` and `rows` as they stand; None where there is no sketch.
    """
    if found is None:
        return None
    currency = words.shorten(found["currency"], 10)
    from roi.sketch import at  # with all that decides, which pages without a sketch need not import

    base = at(found, [x["base"] for x in found["inputs"]])
    plans, rows = [], []
    for i, plan in enumerate(found["plans"]):
        shown = i == 0 or bool(plan["put"])
        plans.append({**plan, "label": words.shorten(plan["label"], 70), "shown": shown})
        if shown:
            rows.append(
                {
                    "label": plan["label"] if i else "Scale everything as it is",
                    "worth": words.amount(base.worth[i], currency),
                    "range": words.amount_range(base.low[i], base.high[i], currency, base.worth[i]),
                    "chance": words.chance(base.chance[i]),
                }
            )
    dials = [
        {
            "label": x["label"],
            "evidence": x["evidence"],
            "steps": round((x["high"] - x["low"]) / x["step"]),
            "at": round((x["base"] - x["low"]) / x["step"]),
            "text": units.quantity(x["base"], x["unit"]),
            "low": units.quantity(x["low"], x["unit"]),
            "high": units.quantity(x["high"], x["unit"]),
        }
        for x in found["inputs"]
    ]
    inputs = [{k: v for k, v in x.items() if k not in ("keys", "label", "evidence")} for x in found["inputs"]]
    for x in inputs:
        x["unit"] = words.shorten(x["unit"], 30)
    told = {"signs": _signs(currency), "chances": _chances(), "said": SAID | words.VERDICTS}
    return {
        "data": {**found, "inputs": inputs, "plans": plans, "words": told},
        "dials": dials,
        "rows": rows,
        "draws": found["draws"],
    }


def _signs(currency: str) -> dict[str, str | int]:
    """The signs that numbers are written with, read off numbers as `roi.words` writes them.

    Those of a locale (`roi.locales.signs`) take the place of some of them in the page that is written for it.
    """
    whole, parts = words.number(-1_234_567, 7), words.number(1.25)
    million, billion = (words.amount(x, currency).partition(f"1{parts[1]}00") for x in (1e6, 1e9))
    two = words.amount_range(1, 2, currency)
    one = words.amount(1, currency)
    figure = f"1{parts[1]}00"
    return {
        "minus": whole.partition("1")[0],
        "group": whole.partition("1")[2][:1],
        "point": parts[1],
        "million": million[2],
        "billion": billion[2],
        "least": 4,
        "to": two.partition(figure)[2].partition("2")[0],
        "currency": currency,
        "code": currency,
        "form": one.replace(currency, "¤", 1).replace(figure, "#"),
        "percent": words.percent(0.5).partition("50")[2],
    }


def _chances() -> list[str]:
    """Chances in words: two near never, tenths from one to ten, two near always."""
    return [words.chance(p) for p in (0.005, 0.03, *(min(k / 10, 0.95) for k in range(1, 11)), 0.97, 0.995)]
