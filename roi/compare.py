"""Two pilots, or two versions of one agent, on the same footing: `roi compare`.

What both state alike has common draws, what both measured goes together as far as they share cases and people, and
nothing else is common. "B better in x of 100" counts draws; a tie counts half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.draws import normal_draws, stream
from roi.matched import QUANTITIES, correlation
from roi.parameters import register
from roi.shared import Sharing, in_order, owed, shared_inputs
from roi.sides import ERRORS_MONEY, Side, two_sides
from roi.words import and_list, shorten

__all__ = ["SCHEMA", "compare_sides", "compared"]

Floats = npt.NDArray[np.float64]
SCHEMA = 1

# Quantity → label, unit ("money" is the common currency), and whether more is better.
SHOWN: Mapping[str, tuple[str, str, bool]] = {
    "minutes_saved_per_case": ("Minutes saved per case", "min/case", True),
    "human_minutes_pilot": ("Human minutes per case with the agent", "min/case", False),
    "error_rate_pilot": ("Error rate with the agent", "share", False),
    "severe_error_rate_pilot": ("Severe errors with the agent", "share", False),
    "escalation_rate_pilot": ("Escalated or abandoned with the agent", "share", False),
    "agent_cost_per_case": ("Agent cost per case", "money", False),
    "cost_per_correct_case_pilot": ("Cost of a case without error", "money", False),
    "worth_scale": ("Worth of scaling everything", "money", True),
    "worth_advised": ("Worth of what is advised", "money", True),
}
MONEY = tuple(name for name, (_, unit, _) in SHOWN.items() if unit == "money")
WORTHS = ("worth_scale", "worth_advised")  # what two workflows have in common
SEEN = ("severe_error_rate_pilot",)  # rare: how many were seen says more than a share
FOOTING = (
    "economics.horizon_months",
    "economics.discount_rate",
    "economics.labour_cost_per_hour",
    "demand.cases_per_month",
)
# What was measured that money rests on, beside what is stated.
CARRIED: Mapping[str, tuple[str, ...]] = {
    "cost_per_correct_case_pilot": ("human_minutes_pilot", "error_rate_pilot", "agent_cost_per_case"),
    "worth_scale": ("minutes_saved_per_case", ERRORS_MONEY, "agent_cost_per_case"),
    "worth_advised": ("minutes_saved_per_case", ERRORS_MONEY, "agent_cost_per_case"),
}
FEW_MATCHED = 8


def compared(names: Sequence[str], *, by: str | None = None) -> dict[str, Any]:
    """Compare two pilots, or two versions of one; arguments and errors as those of `two_sides`."""
    a, b = two_sides(names, by=by)
    return compare_sides(a, b, by_version=by == "version")


def compare_sides(a: Side, b: Side, *, by_version: bool = False) -> dict[str, Any]:
    """Compare two sides whose analyses are there.

    Args:
        a: The first; differences are B minus A, in its currency.
        b: The second.
        by_version: Whether they are two versions of one agent, which share all that the parameter file states.

    Returns:
        Plain JSON values.
    """
    pa, pb = (s.analysis.loaded.parameters for s in (a, b))
    seed, n = pa.run.seed, min(s.analysis.measured.draws for s in (a, b))
    same_workflow = by_version or (
        pa.about.workflow_id is not None and pa.about.workflow_id == pb.about.workflow_id
    )
    links = _links(a, b) if same_workflow else {}
    sharing = [Sharing(side, register(p), p.about.workflow_id) for side, p in (("a", pa), ("b", pb))]
    inputs = shared_inputs(sharing)
    keys = [(i.label, i.pilots["a"], i.pilots["b"]) for i in inputs]
    if by_version:  # one file: whatever it states is one and the same
        keys = [(e.label, e.key, e.key) for e in register(pa) if e.value.form != "exact"]
    common = [normal_draws(n, stream(seed, f"compare:{label}:{ka}")) for label, ka, _ in keys]
    measured = _measured_together(links, n, seed)
    stated = [[_drawn(side, key[at + 1]) for key in keys] for at, side in enumerate((a, b))]
    rows = []
    for name, (label, unit, more_is_better) in SHOWN.items():
        if name not in a.draws or name not in b.draws:
            continue
        if not same_workflow and name not in WORTHS:
            continue  # what a case takes, costs or goes wrong with is of another case in another workflow
        x, y = a.draws[name], b.draws[name]
        factor = b.rate if name in MONEY else 1.0
        link = links.get(name, (0.0, 0))
        if x.size == y.size and np.array_equal(x, y):
            first, second = x, y  # made from the same inputs, draw by draw
        elif name in QUANTITIES:
            first, second = (_at(v, z) for v, z in zip((x, y), _pair(link[0], n, seed, name), strict=True))
        else:
            carried = [q for q in CARRIED[name] if q in measured and q in a.draws and q in b.draws]
            first, second = (
                _with_inputs(
                    side.draws[name],
                    own,
                    common,
                    {q: (side.draws[q], measured[q][at]) for q in carried},
                    at,
                    seed,
                )
                for at, (side, own) in enumerate(((a, stated[0]), (b, stated[1])))
            )
        rows.append(_row(name, label, unit, more_is_better, first, second * factor, link, pa.about.currency))
        rows[-1]["seen"] = [_seen(side, name) for side in (a, b)] if name in SEEN else None
    return {
        "schema": SCHEMA,
        "by": "version" if by_version else "pilot",
        "a": _about(a),
        "b": _about(b),
        "currency": pa.about.currency,
        "rate": b.rate,
        "same_workflow": same_workflow,
        "shared": sorted({label for label, _, _ in keys}),
        "quantities": rows,
        "notes": _notes(a, b, same_workflow, links, by_version),
    }


def _seen(side: Side, name: str) -> dict[str, int] | None:
    """How many of the agent's cases show it; None where only sums are known."""
    if side.rows is None or name not in side.rows.values:
        return None
    value = side.rows.values[name][side.rows.arm == 1]
    known = value[~np.isnan(value)]
    return {"n": int(known.size), "hits": int(np.sum(known > 0))}


def _links(a: Side, b: Side) -> dict[str, tuple[float, int]]:
    """By quantity: the correlation of what both measured, and the cases that both hold.

    Only within one workflow: in two of them the same number may well be another case, and the same code another person.
    """
    if a.rows is None or b.rows is None:
        return {}
    m = a.analysis.measured
    shares = dict(zip(m.moments.segments, np.asarray(m.weights.share, dtype=float).tolist(), strict=True))
    found = {q: correlation(a.rows, b.rows, q, shares) for q in QUANTITIES}
    x, y = (side.analysis.measured.rates.severity for side in (a, b))
    if x is not None and y is not None and np.array_equal(x, y):
        # Their errors were seen to be as grave: what one costs is the same unknown on both sides.
        found[ERRORS_MONEY] = found["errors_avoided_per_case"]
    return found


def _pair(rho: float, n: int, seed: int, name: str) -> tuple[Floats, Floats]:
    """Two rows of normal draws of a correlation."""
    z = normal_draws(n, stream(seed, f"compare:a:{name}"))
    e = normal_draws(n, stream(seed, f"compare:b:{name}"))
    return z, rho * z + np.sqrt(max(0.0, 1 - rho * rho)) * e


def _measured_together(
    links: Mapping[str, tuple[float, int]], n: int, seed: int
) -> dict[str, tuple[Floats, Floats]]:
    """Common draws of what both measured, where they have anything in common."""
    return {q: _pair(link[0], n, seed, q) for q, link in links.items() if link[0] != 0}


def _at(draws: Floats, z: Floats) -> Floats:
    """Draws in the order of others: the largest where those are the largest."""
    n = z.size
    ranked = np.sort(draws)[np.floor((np.arange(n) + 0.5) * draws.size / n).astype(np.int64)]
    found = np.empty(n)
    found[np.argsort(z, kind="stable")] = ranked
    return found


def _drawn(side: Side, key: str) -> Floats | None:
    """Draws of a stated input; None of an exact one."""
    found = side.analysis.assumptions.values.get(key)
    return np.asarray(found) if found is not None and np.ndim(found) == 1 else None


def _with_inputs(
    worth: Floats,
    stated: Sequence[Floats | None],
    common: Sequence[Floats],
    measured: Mapping[str, tuple[Floats, Floats]],
    place: int,
    seed: int,
) -> Floats:
    """Draws of money in an order in which what they owe to shared inputs and to common cases is common.

    Args:
        worth: Shape (n_draws,).
        stated: The side's draws of each shared input; None of an exact one.
        common: Common draws of each, shape (n,).
        measured: By quantity: the side's draws, and what they go by, shape (n,).
        place: 0 of the first side, 1 of the second.
        seed: Of the run.
    """
    pairs = [*measured.values(), *((x, z) for x, z in zip(stated, common, strict=True) if x is not None)]
    n = common[0].size if common else next((z.size for _, z in measured.values()), worth.size)
    parts: tuple[Floats | None, Floats | None] = (None, None)
    if pairs:
        parts = owed(worth, [x for x, _ in pairs], [z for _, z in pairs])
    return worth[in_order(*parts, n=n, of=worth.size, place=place, seed=seed)]


def _row(
    name: str,
    label: str,
    unit: str,
    more_is_better: bool,
    a: Floats,
    b: Floats,
    link: tuple[float, int],
    currency: str,
) -> dict[str, Any]:
    difference = b - a
    better = difference if more_is_better else -difference
    apart = float(np.sqrt(a.var() + b.var()))
    return {
        "name": name,
        "label": label,
        "unit": currency if unit == "money" else unit,
        "more_is_better": more_is_better,
        "a": _interval(a),
        "b": _interval(b),
        "difference": _interval(difference),
        "sd": float(difference.std()),
        "sd_apart": apart,
        "correlation": link[0]
        if name in QUANTITIES
        else float(np.corrcoef(a, b)[0, 1])
        if a.std() * b.std() > 0
        else 0.0,
        "matched": link[1] if name in QUANTITIES else None,
        "b_better_in_100": 100 * float(np.mean(better > 0) + 0.5 * np.mean(better == 0)),
    }


def _interval(draws: Floats) -> dict[str, float]:
    p05, p95 = np.percentile(draws, [5, 95])
    return {"mean": float(draws.mean()), "p05": float(p05), "p95": float(p95)}


def _about(side: Side) -> dict[str, Any]:
    r = side.record
    return {
        "name": side.name,
        "title": shorten(r["title"], 120),
        "workflow_id": r["workflow_id"],
        "verdict": r["verdict"],
        "headline": r["headline"],
        "currency": r["currency"],
        "cases": {arm: side.analysis.moments.cases(arm) for arm in ("baseline", "pilot")},
    }


def _notes(
    a: Side, b: Side, same_workflow: bool, links: Mapping[str, tuple[float, int]], by_version: bool
) -> list[str]:
    found = []
    if not same_workflow:
        found.append(
            "They are not of one workflow (about.workflow_id): a case of one is no case of the other, so "
            "only what they are worth is compared."
        )
    matched = max((n for _, n in links.values()), default=0)
    if not same_workflow:
        found.append("Their cases are not matched: in another workflow the same number may be another case.")
    elif matched >= FEW_MATCHED:
        found.append(f"{matched:,} cases (or pairs) are in both samples and compared with each other.")
    else:
        found.append(
            "Too few cases are in both samples to compare them one by one; the samples are compared as wholes."
        )
    mine, theirs = ({e.key: e.value for e in register(s.analysis.loaded.parameters)} for s in (a, b))
    apart = [
        key
        for key in FOOTING
        if key in mine
        and key in theirs
        and (mine[key].form, mine[key].numbers) != (theirs[key].form, theirs[key].numbers)
    ]
    if apart and not by_version:
        found.append(f"The money does not stand on one footing: {and_list(apart)} differ.")
    if b.rate != 1.0:
        found.append(f"Money of {b.name} is turned at {b.rate:.4g}.")
    lacking = [SHOWN[q][0].lower() for q in SHOWN if q not in a.draws or q not in b.draws]
    if lacking:
        found.append(f"Not known of both: {and_list(lacking)}.")
    return found
