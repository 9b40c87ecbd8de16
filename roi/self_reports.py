"""How far people's reports of their own work were off: of each arm, and of the difference that money rests on.

Opposite exaggerations cancel in a factor that is pooled over levels: a baseline reported 1.4 times as long as it takes
and a pilot 0.8 times make 1.05 together, while the minutes saved are reported more than twice over. So no factor is
pooled; each arm has its own, and what both do to the minutes saved is computed from the draws.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.assumptions import Number
from roi.claims import interval_of, ratio_of
from roi.parameters import register
from roi.schema.about import Claim

__all__ = ["self_reports_of_record"]

Floats = npt.NDArray[np.float64]

SELF_REPORTED = re.compile(r"self.?report|survey|questionnaire|interview", re.IGNORECASE)
PARTS = ("human", "handling", "review", "rework")
OF = {"baseline": "level without the agent", "pilot": "level with the agent", "saving": "saving"}


def self_reports_of_record(
    a: Analysis, claims: list[dict[str, Any]], draws: Mapping[str, Floats]
) -> dict[str, Any] | None:
    """How far self-reports were off where both exist, and what inputs that rest on self-reports would be without it.

    Args:
        a: The analysis.
        claims: The claims as the record holds them.
        draws: The draws behind the estimates, each shape (n_draws,).

    Returns:
        `factors`: reported over measured, one a self-report that has both, `of` the baseline, the pilot or a saving;
        `saved`: where somebody reports both arms, the minutes saved by these reports, as measured, and the one over the
        other; `inputs`: inputs that rest on self-reports, as stated and divided by each factor of their own arm. It is
        offered, never applied. None where nobody reported on themselves.
    """
    mine = [
        (claim, item, a.assumptions.require(f"claims[{place}].value"))
        for place, (claim, item) in enumerate(zip(a.loaded.parameters.claims, claims, strict=True))
        if claim.is_self_report
    ]
    if not mine:
        return None
    factors = [
        {
            "quantity": claim.quantity,
            "by": claim.by,
            "source": claim.source,
            "of": _of(claim.quantity),
            "unit": item["unit"],
            "factor": item["ratio"],
            "why": item["ratio_why"],
        }
        for claim, item, _ in mine
    ]
    return {
        "factors": factors,
        "saved": _saved(mine, draws),
        "inputs": _inputs(a, mine, draws),
        "text": "What people report of themselves over what was measured, apart for each arm, since opposite errors "
        "would cancel in one factor. Offered beside inputs that rest on such reports; nothing is corrected by it.",
    }


def _of(quantity: str) -> str:
    if "_minutes_" not in quantity:
        return "saving"
    return quantity.rpartition("_")[2]


Mine = list[tuple[Claim, dict[str, Any], Number]]


def _saved(mine: Mine, draws: Mapping[str, Floats]) -> list[dict[str, Any]]:
    """The difference of two reports of one source beside the measured difference, and the one over the other."""
    found: dict[tuple[str | None, str | None], dict[str, Number]] = {}
    for claim, _, value in mine:
        found.setdefault((claim.by, claim.source), {})[claim.quantity] = value
    rows = []
    for (by, source), reported in found.items():
        for part in PARTS:
            names = [f"{part}_minutes_{arm}" for arm in ("baseline", "pilot")]
            if not all(name in reported and name in draws for name in names):
                continue
            says = np.subtract(reported[names[0]], reported[names[1]])
            measured = draws[names[0]] - draws[names[1]]
            factor, why = ratio_of(says, measured)
            row = {"by": by, "source": source, "part": part, "unit": "min/case", "factor": factor, "why": why}
            says = np.array(np.broadcast_to(says, measured.shape), dtype=np.float64)
            rows.append(row | {"reported": interval_of(says), "measured": interval_of(measured)})
    return rows


def _inputs(a: Analysis, mine: Mine, draws: Mapping[str, Floats]) -> list[dict[str, Any]]:
    """Minutes of the register that rest on self-reports: their source says so, or is that of a self-report."""
    sources = {x.strip().casefold() for c, _, _ in mine for x in (c.by, c.source) if x}
    rows = []
    for entry in register(a.loaded.parameters):
        origin = [x for x in (entry.value.source, entry.value.owner, entry.value.note) if x]
        reported = any(SELF_REPORTED.search(x) for x in origin) or any(
            x.strip().casefold() in sources for x in origin
        )
        if entry.key.startswith("claims[") or entry.unit != "min/case" or not reported:
            continue
        # What is stated of minutes in the file is the work as before, or what an alternative would save.
        of = "saving" if entry.key.endswith("minutes_saved") else "baseline"
        without = _without(a.assumptions.require(entry.key), of, mine, draws)
        rows.append(
            {
                "key": entry.key,
                "label": entry.label,
                "unit": entry.unit,
                "stated": {"mean": entry.value.mean, "p05": entry.value.p05, "p95": entry.value.p95},
                "of": of,
                "without_bias": without,
                "why": None if without else f"no self-report of a {OF[of]} has both",
            }
        )
    return rows


def _without(stated: Number, of: str, mine: Mine, draws: Mapping[str, Floats]) -> list[dict[str, Any]]:
    """An input, divided by every factor of its own arm; none of them is preferred, and they are not pooled."""
    rows = []
    for claim, item, value in mine:
        found = draws.get(claim.quantity)
        if found is None or item["ratio"] is None or item["unit"] != "min/case" or _of(claim.quantity) != of:
            continue
        factor = np.divide(value, found)
        if (factor > 0).all():
            row = {"quantity": claim.quantity, "by": claim.by}
            rows.append(row | interval_of(np.divide(stated, factor)))
    return rows
