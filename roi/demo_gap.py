"""From demo to production, as the record holds it: every quantity, the parts of its gap, and what the demo promised."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.claims import interval_of
from roi.demo_moments import DEFECTIVE, DEMO, PRODUCTION, DemoMoments
from roi.demo_split import PARTS, Gap, Side, split_demo
from roi.moments import ALL, ARMS
from roi.money import summary
from roi.supposed import supposed, worth_if
from roi.words import and_list, minutes, percent

__all__ = ["demo_gap_of_record"]

Floats = npt.NDArray[np.float64]

NAMES = {
    ("human_minutes", 0): (
        "human_minutes_baseline",
        "Human minutes per case without the agent",
        "min/case",
        None,
    ),
    ("human_minutes", 1): (
        "human_minutes_pilot",
        "Human minutes per case with the agent",
        "min/case",
        "less",
    ),
    ("error", 0): ("error_rate_baseline", "Error rate, baseline", "share", None),
    ("error", 1): ("error_rate_pilot", "Error rate, pilot", "share", "less"),
    ("gone", 1): ("escalation_rate_pilot", "Escalated or abandoned cases, pilot", "share", "less"),
    ("agent_cost", 1): ("agent_cost_per_case", "Agent cost per case", "{currency}/case", "less"),
}
PART_WORDS = {
    "mix": "other kinds of cases",
    "input_defects": "defective inputs",
    "judge": "who judged",
    "true_drop": "the agent itself",
}
ORDER = (
    "Taken out in this order, from what the demo showed to who judged it: other kinds of cases, defective inputs, who "
    "judged. Each could have been set right about the demo without the agent changing; what is left is the agent's own."
)


def demo_gap_of_record(a: Analysis) -> dict[str, Any] | None:
    """The demo beside production; None where there is no demo case.

    Args:
        a: The analysis.

    Returns:
        `quantities`: by name its level in the demo, in the demo weighted to the production mix, and in production,
        the gap (production less demo) and its parts, which add up to it, each with mean, P5 and P95, or None with its
        reason in `why`. `money`: scaling everything if the demo's figures held, beside the measured worth.
    """
    d = a.moments.demo_cells
    gap = split_demo(
        a.measured,
        a.assumptions,
        currency=a.loaded.parameters.about.currency,
        seed=a.loaded.parameters.run.seed,
    )
    if d is None or gap is None:
        return None
    currency = a.loaded.parameters.about.currency
    quantities: dict[str, Any] = {}
    saved, saved_from = _saved(a, gap)
    if saved is not None:
        quantities["minutes_saved_per_case"] = _quantity(saved, "Minutes saved per case", "min/case", "more")
    for key, (name, label, unit, better) in NAMES.items():
        if key in gap.sides:
            quantities[name] = _quantity(gap.sides[key], label, unit.replace("{currency}", currency), better)
    first = next(iter(quantities.values()), None)
    return {
        "cases": {
            "demo": {arm: d.cases(DEMO, i) for i, arm in enumerate(ARMS)},
            "production": {arm: d.cases(PRODUCTION, i) for i, arm in enumerate(ARMS)},
        },
        "workers": {arm: d.workers[i] for i, arm in enumerate(ARMS)},
        "segments": _segments(a, d),
        "covers": None if first is None else first["covers"],
        "input_defects": {"demo": _defective(d, DEMO), "production": _defective(d, PRODUCTION)},
        "judged_by": {"demo": gap.judged_by[1], "production": gap.judged_by[0]},
        "baseline_of_demo": saved_from,
        "order": list(PARTS),
        "order_why": ORDER,
        "quantities": quantities,
        "money": _money(a, gap, saved),
        "unpriced": gap.unpriced,
        "text": _said(quantities),
    }


def _saved(a: Analysis, gap: Gap) -> tuple[Side | None, str | None]:
    """Minutes saved, and whose minutes without the agent the demo's are held against.

    Where the demo has no baseline arm, its savings are reckoned as they were told: against what a case takes in
    production. The gap is then that of the pilot's minutes, with the sign turned.
    """
    pilot, base = gap.sides.get(("human_minutes", 1)), gap.sides.get(("human_minutes", 0))
    if pilot is None:
        return None, None
    production = a.measured.scope().minutes_saved
    if base is not None:
        both = [x for x in PARTS if base.parts[x] is not None and pilot.parts[x] is not None]
        reweighted = None
        if base.reweighted is not None and pilot.reweighted is not None:
            reweighted = base.reweighted - pilot.reweighted
        parts = {x: _less(base.parts[x], pilot.parts[x]) if x in both else None for x in PARTS}
        demo = _less(base.demo, pilot.demo)
        if production is not None and demo is not None and parts["true_drop"] is not None:
            # What only one arm can tell apart stays in the rest, and so does the bias of the design.
            known = [x for x in parts.values() if x is not None]
            parts["true_drop"] = parts["true_drop"] + (production - demo - np.sum(known, axis=0))
        why = {**pilot.why, **{k: v for k, v in base.why.items() if base.parts.get(k) is None}}
        side = Side(
            demo=demo,
            reweighted=reweighted,
            production=production,
            parts=parts,
            why=why,
            n=min(base.n, pilot.n),
            covers=min(base.covers, pilot.covers),
        )
        return side, "demo"
    if production is None or pilot.production is None or pilot.demo is None:
        return None, None
    return Side(
        demo=production + pilot.production - pilot.demo,
        reweighted=None if pilot.reweighted is None else production + pilot.production - pilot.reweighted,
        production=production,
        parts={x: None if y is None else 0.0 - y for x, y in pilot.parts.items()},
        why=pilot.why,
        n=pilot.n,
        covers=pilot.covers,
    ), "stated" if a.measured.stand_in else "production"


def _less(one: Floats | None, other: Floats | None) -> Floats | None:
    return None if one is None or other is None else one - other


def _quantity(side: Side, label: str, unit: str, better: str | None) -> dict[str, Any]:
    def told(draws: Floats | None) -> dict[str, float] | None:
        return None if draws is None else interval_of(draws)

    return {
        "label": label,
        "unit": unit,
        "better": better,
        "n_demo": side.n,
        "covers": side.covers,
        "demo": told(side.demo),
        "demo_reweighted": told(side.reweighted),
        "production": told(side.production),
        "gap": told(_less(side.production, side.demo)),
        "parts": {
            part: {
                **(told(draws) or {"mean": None, "p05": None, "p95": None}),
                "label": PART_WORDS[part],
                "why": side.why.get(part),
            }
            for part, draws in side.parts.items()
        },
    }


def _segments(a: Analysis, d: DemoMoments) -> list[dict[str, Any]]:
    """Pilot cases by kind, in the demo and in production."""
    if d.segments == (ALL,):
        return []
    n = np.zeros((2, len(d.segments)))
    pilot = d.arm == 1
    np.add.at(n, (d.setting[pilot], d.segment[pilot]), d.n[pilot])
    shown = float(n[DEMO].sum())
    shares = dict(zip(a.moments.segments, a.measured.weights.share, strict=True))
    stated = {**{k: float(v) for k, v in shares.items()}, **a.measured.weights.uncovered}
    names = [*d.segments, *(x for x in a.measured.weights.uncovered if x not in d.segments)]
    return [
        {
            "segment": name,
            "n_demo": int(n[DEMO, i]) if i < len(d.segments) else 0,
            "n_production": int(n[PRODUCTION, i]) if i < len(d.segments) else 0,
            "demo_share": (float(n[DEMO, i]) / shown if i < len(d.segments) else 0.0) if shown else None,
            "production_share": float(stated.get(name, 0.0)),
        }
        for i, name in enumerate(names)
    ]


def _defective(d: DemoMoments, setting: int) -> float | None:
    """Share of pilot cases with defective inputs, as sampled; None where that is not known."""
    rows = (d.setting == setting) & (d.arm == 1) & (d.state >= 0)
    n = int(d.n[rows].sum())
    return int(d.n[rows & (d.state == DEFECTIVE)].sum()) / n if n else None


def _money(a: Analysis, gap: Gap, saved: Side | None) -> dict[str, Any] | None:
    """Scaling everything if the demo's figures held, beside what was measured; None where no worth is known."""
    if a.scale is None or a.scale.stream is None or saved is None or saved.demo is None:
        return None
    found = {key: side.demo for key, side in gap.sides.items()}
    held = {
        "minutes saved": saved.demo,
        "errors": found.get(("error", 1)),
        "the agent's cost": found.get(("agent_cost", 1)) if a.measured.agent_cost is not None else None,
    }
    option = worth_if(
        a.valuer,
        supposed(
            a.measured,
            minutes_saved=saved.demo,
            error_rate=(found.get(("error", 0)), held["errors"]),
            agent_cost=held["the agent's cost"],
        ),
    )
    if option is None or option.stream is None:
        return None
    e = a.economics
    running = e.monthly()
    per_year = {
        "promised": 12 * (option.stream.net - running),
        "measured": 12 * (a.scale.stream.net - running),
    }
    lost = option.worth - a.scale.worth
    return {
        "currency": a.loaded.parameters.about.currency,
        "horizon_months": e.horizon,
        "promised": summary(option.worth),
        "measured": summary(a.scale.worth),
        "lost": summary(lost),
        "chance_promised_pays": float(np.mean(option.worth > a.loaded.policy.hurdle)),
        "per_year": {k: summary(np.asarray(v)) for k, v in per_year.items()}
        | {"lost": summary(np.asarray(per_year["promised"] - per_year["measured"]))},
        "from_demo": [name for name, draws in held.items() if draws is not None],
        "as_measured": [name for name, draws in held.items() if draws is None],
    }


def _said(quantities: dict[str, Any]) -> str:
    """The gap of what counts most, in a sentence."""
    found = quantities.get("minutes_saved_per_case") or quantities.get("error_rate_pilot")
    if found is None or found["demo"] is None:
        return "The demo shows nothing that can be held against production."
    share = found["unit"] == "share"

    def figure(x: float) -> str:
        return percent(x) if share else f"{minutes(x)} minutes"

    what = "an error rate of" if share else "savings of"
    text = f"The demo showed {what} {figure(found['demo']['mean'])} a case"
    if found["production"] is None:
        return f"{text}; production was not sampled."
    text += f", production {figure(found['production']['mean'])}."
    told = [
        (p, x)
        for p, x in found["parts"].items()
        if x["mean"] is not None and (x["p05"], x["p95"]) != (0.0, 0.0)
    ]
    if not told:
        return text
    parts = and_list(f"{figure(x['mean'])} {PART_WORDS[p]}" for p, x in told)
    return f"{text} Of the difference: {parts}."
