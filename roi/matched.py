"""How far two samples tell the same: the correlation of what they estimate, from the cases and people in both.

An estimate is linearised into what each case adds to it. Where two samples hold the same case (or the pair it belongs
to), or the same person's cases, what these add goes together; summed over both it is the covariance of the estimates,
clustered by case and by person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.moments import COMPONENTS, fetch
from roi.samples import Samples

__all__ = ["QUANTITIES", "CaseRows", "case_rows", "correlation", "influence"]

Floats = npt.NDArray[np.float64]

ALL = ""
# Sign of each arm in an estimate: baseline, pilot.
QUANTITIES: Mapping[str, tuple[float, float]] = {
    "minutes_saved_per_case": (1.0, -1.0),
    "human_minutes_pilot": (0.0, 1.0),
    "error_rate_pilot": (0.0, 1.0),
    "errors_avoided_per_case": (1.0, -1.0),
    "severe_error_rate_pilot": (0.0, 1.0),
    "escalation_rate_pilot": (0.0, 1.0),
    "agent_cost_per_case": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRows:
    """The production cases of a sample; every array has shape (cases,).

    Attributes:
        key: Pseudonym of the case, or of the pair it belongs to.
        worker: Pseudonym of who worked it; empty where nobody is named.
        arm: 0 baseline, 1 pilot.
        segment: Its kind.
        values: By quantity: what the case shows of it; NaN where it shows nothing.
    """

    key: npt.NDArray[np.str_]
    worker: npt.NDArray[np.str_]
    arm: npt.NDArray[np.int64]
    segment: npt.NDArray[np.str_]
    values: Mapping[str, Floats]


def case_rows(samples: Samples) -> CaseRows | None:
    """The production cases of opened samples; None where only a report's sums are there."""
    table = samples.tables.get("cases")
    if table is None:
        return None
    has = set(table.columns)
    parts = [c for c in COMPONENTS if c in has]
    minutes = "null" if not parts else " + ".join(f"coalesce({c}, 0)" for c in parts)
    minutes = minutes if not parts else f"case when {parts[0]} is not null then {minutes} end"
    keys = [c if c == "pair_id" else samples.text_of(c) for c in ("pair_id", "case_id") if c in has]
    chosen = ", ".join(
        [
            f"coalesce({', '.join([*keys, repr(ALL)])})",
            "coalesce(worker, '')" if "worker" in has else repr(ALL),
            "arm",
            "coalesce(segment, '')" if "segment" in has else repr(ALL),
            f"({minutes})::double",
            "outcome" if "outcome" in has else "null",
            "severity" if "severity" in has else "null",
            "agent_cost::double" if "agent_cost" in has else "null",
        ]
    )
    live = "where setting is distinct from 'demo'" if "setting" in has else ""
    rows = fetch(samples, f'select {chosen} from {table.sql} {live} order by "row"')
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    arm = np.array([a == "pilot" for a in columns[2]], dtype=np.int64)
    time, cost = _numbers(columns[4]), _numbers(columns[7])
    outcome = np.array([o or "" for o in columns[5]], dtype=str)
    severity = np.array([s or "" for s in columns[6]], dtype=str)
    known = outcome != ""
    severe = (outcome == "error") & np.isin(severity, ("major", "critical"))
    return CaseRows(
        key=np.array(columns[0], dtype=str),
        worker=np.array(columns[1], dtype=str),
        arm=arm,
        segment=np.array(columns[3], dtype=str),
        values={
            "minutes_saved_per_case": time,
            "human_minutes_pilot": time,
            "error_rate_pilot": np.where(known, outcome == "error", np.nan),
            "errors_avoided_per_case": np.where(known, outcome == "error", np.nan),
            "severe_error_rate_pilot": np.where(known, severe, np.nan),
            "escalation_rate_pilot": np.where(known, np.isin(outcome, ("escalated", "abandoned")), np.nan),
            "agent_cost_per_case": cost,
        },
    )


def _numbers(column: tuple[object, ...]) -> Floats:
    return np.array([np.nan if x is None else float(str(x)) for x in column], dtype=np.float64)


def influence(rows: CaseRows, quantity: str, shares: Mapping[str, float]) -> Floats:
    """What each case adds to an estimate: its distance from the mean of its arm and kind, weighted to production.

    Args:
        rows: The cases.
        quantity: One of `QUANTITIES`.
        shares: Production share by kind of case; where it knows none of them, kinds weigh as they were sampled.

    Returns:
        Shape (cases,); 0 of cases that show nothing.
    """
    value, found = rows.values[quantity], np.zeros(rows.arm.size)
    kinds = sorted(set(rows.segment.tolist()))
    known_shares = any(shares.get(k, 0.0) > 0 for k in kinds)
    for arm, sign in enumerate(QUANTITIES[quantity]):
        of_arm = (rows.arm == arm) & ~np.isnan(value)
        if not sign or not of_arm.any():
            continue
        for kind in kinds:
            here = of_arm & (rows.segment == kind)
            n = int(here.sum())
            weight = shares.get(kind, 0.0) if known_shares else n / int(of_arm.sum())
            if n and weight:
                found[here] = sign * weight * (value[here] - value[here].mean()) / n
    return found


def correlation(a: CaseRows, b: CaseRows, quantity: str, shares: Mapping[str, float]) -> tuple[float, int]:
    """The correlation of what two samples estimate, and the cases (or pairs) that both hold.

    Args:
        a: Cases of one sample.
        b: Cases of the other, under the same pseudonyms.
        quantity: One of `QUANTITIES`.
        shares: Production share by kind of case.

    Returns:
        The correlation, 0 where nothing is in common, and the number of cases in common.

    Source:
        Cameron, Gelbach & Miller (2011), J Bus Econ Stat 29:238, for clusters of two kinds.
    """
    u, v = influence(a, quantity, shares), influence(b, quantity, shares)
    used_a, used_b = u != 0, v != 0
    common = len(set(a.key[used_a & (a.key != ALL)].tolist()) & set(b.key[used_b & (b.key != ALL)].tolist()))
    total, var_a, var_b = 0.0, 0.0, 0.0
    kinds = (("key",), ("worker",), ("key", "worker"))
    for names, sign in zip(kinds, (1, 1, -1), strict=True):
        of_a, of_b = _sums(a, u, names), _sums(b, v, names)
        total += sign * sum(of_a[name] * of_b[name] for name in sorted(of_a.keys() & of_b.keys()))
        var_a += sign * sum(x * x for _, x in sorted(of_a.items()))
        var_b += sign * sum(x * x for _, x in sorted(of_b.items()))
    if not (var_a > 0 and var_b > 0):
        return 0.0, common
    return float(np.clip(total / np.sqrt(var_a * var_b), -1.0, 1.0)), common


def _sums(rows: CaseRows, added: Floats, names: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    """What the cases of one name add together; a case without that name is left out."""
    found: dict[tuple[str, ...], float] = {}
    columns = [getattr(rows, name).tolist() for name in names]
    for name, x in zip(zip(*columns, strict=True), added.tolist(), strict=True):
        if ALL not in name and x:
            found[name] = found.get(name, 0.0) + x
    return found
