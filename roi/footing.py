"""What the comparison stands on, as the record says it: design, sample, mix and tipping point."""

from __future__ import annotations

from typing import Any

import numpy as np

from roi.analysis import Analysis
from roi.design_gate import bias_in_words
from roi.moments import ALL, ARMS, Moments
from roi.named import kind_word
from roi.words import and_list, capital, count, number, percent

__all__ = [
    "covariate_of_record",
    "design_of_record",
    "design_warnings",
    "mix_of_record",
    "sample_of_record",
    "tipping_of_record",
    "words_of_report",
]

Scope = tuple[str, ...] | None


def design_of_record(a: Analysis) -> dict[str, Any]:
    """The design, its independent unit, and what was found of the arms."""
    d = a.arms.design
    return {
        "assignment": d.assignment,
        "declared": d.declared,
        "contradicted_by": a.arms.against,
        "unit": d.unit,
        "layout": d.layout,
        "units": d.units,
        "units_in_both": d.in_both,
        "text": d.text,
        "findings": [
            {
                "check": f.check,
                "level": f.level,
                "text": f.text,
                "mend": f.mend or None,
                "p": _rounded(f.p),
                "value": _rounded(f.value),
            }
            for f in a.arms.findings
        ],
        "trends": {
            arm: {
                "change": _rounded(t.change),
                "p05": _rounded(t.low),
                "p95": _rounded(t.high),
                "p": _rounded(t.p),
                "n": t.n,
                "unit": "min/case",
            }
            for arm, t in a.arms.trends.items()
        },
        "looked_at": list(a.arms.looked_at),
        "not_possible": list(a.arms.not_possible),
    }


def design_warnings(a: Analysis) -> list[str]:
    """Findings that a reader should be warned of, each with its mend."""
    return [
        f"{f.text} {f.mend}." if f.mend else f.text
        for f in a.arms.findings
        if f.level in ("stops", "warning")
    ]


def _rounded(x: float | None) -> float | None:
    """Six digits of a figure that is a test's, so that the last bits of an engine's sums do not matter."""
    return None if x is None or not np.isfinite(x) else float(f"{x:.6g}")


def mix_of_record(a: Analysis) -> dict[str, Any]:
    """How far weighting the cases to production costs precision.

    Source:
        Kish (1965), Survey Sampling, section 11.7: the effective number of cases, (Σ w)² / Σ w².
    """
    m, weights = a.moments, a.measured.weights
    covered = a.measured.covered()
    n = np.zeros((2, len(m.segments)))
    np.add.at(n, (m.arm, m.segment), m.n)
    share = float(weights.share[covered].sum())
    found: dict[str, Any] = {
        "effective_n": None,
        "effective_n_by_arm": None,
        "largest_weight": None,
        "largest_weight_of": None,
        "covered": share,
        "uncovered": dict(weights.uncovered),
        "stated": weights.stated,
        "counted_on": weights.cases,
    }
    if not share > 0 or (n[:, covered].sum(axis=1) == 0).any():
        return found | {
            "text": "No kind of case was sampled in both arms, so nothing can be weighted to production."
        }
    of_demand = weights.share[covered] / share
    inside = n[:, covered]
    size = inside.sum(axis=1)
    weight = of_demand * size[:, None] / inside  # of a case, 1 on average in its arm
    own = 1 / (of_demand**2 / inside).sum(axis=1)
    together = float(size.sum() ** 2 / (size**2 / own).sum())
    arm, s = (int(i) for i in np.unravel_index(int(np.argmax(weight)), weight.shape))
    name = [x for x, ok in zip(m.segments, covered, strict=True) if ok][s]
    found |= {
        "effective_n": together,
        "effective_n_by_arm": dict(zip(ARMS, (float(x) for x in own), strict=True)),
        "largest_weight": float(weight[arm, s]),
        "largest_weight_of": {"segment": name, "arm": ARMS[arm]},
    }
    if m.segments == (ALL,):
        return found | {
            "text": "The cases name no kind of case, so each counts alike; they are taken to be like production."
        }
    text = f"Weighted to the production mix, {count(size.sum())} cases say as much as {count(round(together))} would"
    if weight.max() > 1.005:
        how = "with" if arm else "without"
        text += (
            f"; a case of {name} {how} the agent counts most, {number(weight.max(), 2)} times an average one"
        )
    text += "."
    if weights.uncovered:
        rest = and_list(f"{kind_word(x)} ({percent(y)})" for x, y in weights.uncovered.items())
        text += (
            f" {percent(share)} of the demand is covered; {rest} was not sampled both as before and with the "
        )
        text += "agent, and earns nothing."
    if not weights.stated:
        text += " Nobody stated the mix: it is the sample's own, assumed."
    if weights.cases is not None:
        known = count(round(weights.cases))
        text += f" It is known as well as {known} independent cases tell it, and that is counted in."
    return found | {"text": text}


def covariate_of_record(a: Analysis) -> dict[str, Any] | None:
    """What a number known before the work (`predicted_minutes`) did for the comparison; None where it was not used."""
    adjusted, gain = a.measured.cells.adjusted, a.measured.cells.covariate_gain
    if adjusted is None or gain is None:
        return None
    text = "The predicted minutes of a case were used to compare like with like"
    if gain >= 0.01:
        more = number(1 / (1 - gain), 2)
        text += f": they take away {percent(gain)} of the variance of the minutes saved, as {more} times the "
        text += "cases would."
    else:
        text += ", which made the minutes saved no surer here."
    return {
        "name": "predicted_minutes",
        "gain": float(gain),
        "slopes": dict(zip(ARMS, (float(x) for x in adjusted.slopes), strict=True)),
        "known": dict(zip(ARMS, (float(x) for x in adjusted.known), strict=True)),
        "text": text,
    }


def sample_of_record(a: Analysis) -> dict[str, Any]:
    """How many cases and people, and when."""
    m = a.moments
    demo = sum(n for n, _, _ in m.demo.values())
    return {
        "cases": {"baseline": m.cases("baseline"), "pilot": m.cases("pilot"), "demo": demo},
        "workers": None if m.workers is None else {arm: int(n) for arm, n in m.workers.items()},
        "workers_in_both": a.arms.design.in_both if m.unit_kind == "worker" else None,
        "first": m.first,
        "last": m.last,
        "by_month": {month: dict(arms) for month, arms in a.taken.months.items()},
        "assignment": a.measured.design,
        "median_minutes": {arm: s.p50 for arm, s in m.spread.items()},
        "independent_unit": m.unit_kind,
        "sourced": m.sourced,
        "degrees_of_freedom": None if np.isinf(a.measured.cells.df) else a.measured.cells.df,
        "demo": {arm: {"n": n, "minutes": x, "error_rate": e} for arm, (n, x, e) in m.demo.items()},
    }


def tipping_of_record(a: Analysis, scope: Scope) -> dict[str, Any] | None:
    """The bias with which a scope would no longer be scaled, in minutes, per cent and standard deviations.

    Args:
        a: The analysis.
        scope: The scope that the reader is shown.
    """
    if a.measured.design == "randomised":
        return None
    gate = next(g for g in a.gates[scope] if g.gate == "design")
    sds = gate.value
    found: dict[str, Any] = {"bias": None, "in_sd": None, "share": None, "usual": a.measured.bias_sd}
    usual = bias_in_words(a.measured, 1.0)
    if sds is None and gate.holds:
        text = f"No bias up to six times what such a comparison usually hides ({usual}) would change that it pays."
    elif sds is None and a.scale is None:
        text = f"Its value is not known, so no bias can be held against it. Such a comparison usually hides {usual}."
    elif sds is None:
        text = f"Even without any bias its value is not sure enough. Such a comparison usually hides {usual}."
    else:
        base = a.measured.arm_mean("human_minutes", 0)
        found["in_sd"] = sds
        found["share"] = sds * a.measured.bias_sd
        found["bias"] = None if base is None else sds * a.measured.bias_sd * float(base.mean())
        text = f"{capital(bias_in_words(a.measured, sds))} would be enough for it to pay too seldom to be scaled: "
        text += f"{number(sds, 2)} times what such a comparison usually hides."
    return found | {"text": text}


def words_of_report(moments: Moments) -> list[str]:
    """What a reader has to know of figures that come from a report; nothing for those of cases."""
    if not moments.sourced:
        return []
    said = [
        "There are no cases, only a report's counts and sums: every figure is sourced, none is measured, and "
        "nothing is scaled on it. Sample cases of both arms (samples.cases)."
    ]
    if moments.spread_assumed:
        said.append(
            "The report gives mean minutes without their standard deviation (minutes_sd), so how far they may be "
            "off is assumed: single cases are taken to vary as those of rows that state it, else by their mean."
        )
    if any(name.startswith("agent_cost:") for name in moments.statistics):
        said.append(
            "The report gives costs without their spread: single cases are taken to vary by their mean."
        )
    if "human_minutes" in moments.statistics and moments.outcome[moments.arm == 1, 2:].sum() > 0:
        said.append(
            "The report's minutes are taken to hold those of the people who took cases over; if they do not, less "
            "is saved."
        )
    return said
