"""What the value rests on: measured, sourced, assumed or default inputs, by mean and variance, and how old they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis
from roi.information import evppi_of_groups
from roi.money import plan_flows
from roi.parameters import RegisterEntry, register
from roi.quantities import GROUPS, Quantity, quantities
from roi.uncertain import Uncertain
from roi.words import and_list, capital, day, percent, plural, shorten

__all__ = [
    "KINDS",
    "evidence_of_record",
    "evidence_warnings",
    "mean_shares",
    "stale_inputs",
    "variance_shares",
]

Floats = npt.NDArray[np.float64]

KINDS = GROUPS
"""From the best known to the least."""


def variance_shares(worth: Floats, found: Sequence[Quantity]) -> dict[str, float]:
    """First-order share of the variance of a worth that each kind of evidence explains on its own.

    It is that of the regression of the worth on all quantities of a kind together (`roi.conditional`).

    Args:
        worth: Draws, shape (n_draws,).
        found: Everything that is not known exactly.

    Returns:
        By kind its share in [0, 1]; `together` is what no kind explains alone. Where the worth does not vary, empty.
    """
    whole = float(worth.var())
    if not whole > 1e-18 * max(float(np.abs(worth).max()), 1.0) ** 2:
        return {}
    flat = [x for q in found for x in q.signals]
    kinds = [q.group for q in found for _ in q.signals]
    # Stated inputs have a random stream each, and nothing that was measured is among them.
    apart = [q.stated and len(q.signals) == 1 for q in found for _ in q.signals]
    places = [[i for i, kind in enumerate(kinds) if kind == name] for name in KINDS]
    _, known = evppi_of_groups([worth], flat, places, apart=apart)
    shares = {name: float(np.clip(k.explained, 0, 1)) for name, k in zip(KINDS, known, strict=True)}
    total = sum(shares.values())
    if total > 1:  # estimates of disjoint parts may sum to a little more than there is
        shares = {name: share / total for name, share in shares.items()}
    return shares | {"together": max(0.0, 1 - total)}


def mean_shares(a: Analysis) -> tuple[dict[str, float], list[dict[str, Any]]] | None:
    """Share of the expected gain that rests on each kind of evidence.

    A gain is a product (see `roi.money.share_assumed`): each factor carries an equal part of it, and a factor with
    several inputs is as well known as the least known of them.

    Returns:
        Shares by kind, summing to 1, and the factors; None without a gain.
    """
    found = plan_flows(a)
    if found is None or found[1].stream is None:
        return None
    stream, p = found[1].stream, a.loaded.parameters
    e = p.economics
    cases = "sourced" if a.moments.sourced else "measured"
    r = e.realisation
    common = [
        ("demand", _least(p.demand.cases_per_month)),
        ("adoption", _least(e.adoption.ceiling)),
    ]
    factors = {
        "time": [
            ("minutes saved", "assumed" if a.measured.stand_in else cases),
            *common,
            ("labour cost", _least(e.labour_cost_per_hour)),
            ("what becomes of saved time", _least(r.total, r.cash, r.redeployed)),
        ],
        "errors": [
            ("errors avoided", cases),
            *common,
            (
                "cost of an error",
                _least(*(() if e.error_cost is None else (x for _, x in e.error_cost.items()))),
            ),
        ],
    }
    gains = {"time": max(float(stream.time.mean()), 0.0), "errors": max(float(stream.errors.mean()), 0.0)}
    total = sum(gains.values())
    if not total > 0:
        return None
    shares = dict.fromkeys(KINDS, 0.0)
    parts: dict[tuple[str, str], float] = {}
    for gain, size in gains.items():
        for name, kind in factors[gain] if size > 0 else ():
            part = size / total / len(factors[gain])
            shares[kind] += part
            parts[name, kind] = parts.get((name, kind), 0.0) + part
    return shares, [{"factor": n, "evidence": k, "share": x} for (n, k), x in parts.items()]


def _least(*values: Uncertain | None) -> str:
    """The evidence of the least known of some values that are there and not 0."""
    kinds = [v.evidence for v in values if v is not None and v.mean != 0]
    return max(kinds, key=KINDS.index) if kinds else "measured"


def _dated(a: Analysis) -> list[RegisterEntry]:
    """Inputs that say of which day they are."""
    return [entry for entry in register(a.loaded.parameters) if entry.value.as_of is not None]


def _ages(a: Analysis, keep: Callable[[int], bool]) -> list[dict[str, Any]]:
    """Dated inputs by their age in days at the decision, oldest first; none where the day of that is not known."""
    today = a.as_of
    if today is None:
        return []
    rows = [
        {
            "key": entry.key,
            "label": entry.label,
            "as_of": entry.value.as_of,
            "age_days": (today - entry.value.as_of).days,
            "source": entry.value.source,
            "owner": entry.value.owner,
        }
        for entry in _dated(a)
        if entry.value.as_of is not None and keep((today - entry.value.as_of).days)
    ]
    return sorted(rows, key=lambda row: (-row["age_days"], row["key"]))


def stale_inputs(a: Analysis) -> list[dict[str, Any]] | None:
    """Inputs whose `as_of` is older at the decision's day than the policy allows, oldest first; None without a day."""
    if a.as_of is None:
        return None
    return _ages(a, lambda days: days > a.loaded.policy.evidence_max_age_days)


def _later_inputs(a: Analysis) -> list[dict[str, Any]]:
    """Inputs that are dated after the decision's day.

    Only where no day is stated, so that the newest case's stands in; after a stated one they are refused.
    """
    return _ages(a, lambda days: days < 0)


def _age_why(a: Analysis) -> str | None:
    """Why the age of dated inputs cannot be told; None where it can, or where none is dated."""
    if a.as_of is not None or not _dated(a):
        return None
    return (
        "no case says when it was worked and run.as_of is not stated, so that there is no day to count from"
    )


def _samples_age(a: Analysis) -> dict[str, Any]:
    limit, today, newest = a.loaded.policy.evidence_max_age_days, a.as_of, a.moments.last
    age = None if today is None or newest is None else (today - newest).days
    why = None
    if age is None:
        why = "no case says when it was worked, so nobody can tell how old the sample is"
    return {
        "newest_case": newest,
        "age_days": age,
        "stale": None if age is None else age > limit,
        "why": why,
    }


def _named(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    shown = [f"{shorten(x['label'], 60)} ({x['as_of'].isoformat()})" for x in rows[:3]]
    return [*shown, plural(len(rows) - 3, "other")] if len(rows) > 3 else shown


def evidence_warnings(a: Analysis) -> list[str]:
    """What is too old to decide on, in sentences; nothing where nothing is."""
    limit = a.loaded.policy.evidence_max_age_days
    said = []
    samples = _samples_age(a)
    if samples["stale"]:
        said.append(
            f"The newest case is of {day(samples['newest_case'].isoformat())}, {samples['age_days']:,} days before the "
            f"decision; the policy takes evidence of at most {limit:,} days (evidence_max_age_days). Sample new cases."
        )
    why = _age_why(a)
    if why is not None:
        dated = plural(len(_dated(a)), "dated input")
        said.append(
            f"How old {dated} may be cannot be told: {why}. State run.as_of, the day of the decision."
        )
    later = _later_inputs(a)
    if later and a.as_of is not None:
        verb = "is" if len(later) == 1 else "are"
        said.append(
            f"{capital(and_list(_named(later[::-1])))} {verb} dated after the newest day of the samples, which stands "
            f"in for that of the decision ({a.as_of.isoformat()}). Correct the year, or state run.as_of."
        )
    old = stale_inputs(a)
    if old:
        shown = _named(old)
        verb = "is" if len(old) == 1 else "are"
        said.append(
            f"{capital(and_list(shown))} {verb} older than the {limit:,} days that the policy allows evidence "
            "(evidence_max_age_days). Look them up again, and state the new as_of."
        )
    return said


def evidence_of_record(a: Analysis, variance: Mapping[str, float] | None = None) -> dict[str, Any]:
    """What the plan that is put forward, else scaling everything, rests on.

    Args:
        a: The analysis.
        variance: First-order shares of the worth's variance by kind of evidence, where something else has computed
            them; None computes them here.

    Returns:
        `value` and `variance`: shares by kind, None with `why` where there is no gain or no worth; `factors` of the
        gain; `inputs` by kind; what is stale (None with `stale_why` where nobody can tell), what is dated after the
        decision, the sample's age, and how many inputs carry no date.
    """
    found = plan_flows(a)
    shares = mean_shares(a)
    if variance is None and found is not None:
        scope = found[1].scope
        variance = variance_shares(found[1].worth, quantities(a, [] if scope is None else [scope]))
    entries = [e for e in register(a.loaded.parameters) if not e.key.startswith("claims[")]
    counts = {kind: sum(e.value.evidence == kind for e in entries) for kind in KINDS}
    undated = sum(e.value.as_of is None for e in entries if e.value.evidence in ("measured", "sourced"))
    why = None
    if found is None:
        why = "the worth of scaling is not known"
    elif shares is None:
        why = "nothing is gained on average, so there is no gain to share out"
    return {
        "plan": None if found is None else found[0],
        "value": None if shares is None else shares[0],
        "factors": [] if shares is None else shares[1],
        "variance": dict(variance) if variance else None,
        "why": why,
        "inputs": counts,
        "limit_days": a.loaded.policy.evidence_max_age_days,
        "decided_on": a.as_of,
        "stale": stale_inputs(a),
        "stale_why": _age_why(a),
        "later": _later_inputs(a),
        "undated": undated,
        "samples": _samples_age(a),
        "text": _said(None if shares is None else shares[0], variance),
    }


def _said(value: Mapping[str, float] | None, variance: Mapping[str, float] | None) -> str:
    if value is None:
        return "There is no gain that could rest on anything."
    guessed = value["assumed"] + value["default"]
    # The share is a convention, and no finding: it says which factors were measured, not how true the product is.
    text = f"Counting every factor of the gain alike, {percent(guessed)} of it is assumed"
    if not variance:
        return f"{text}."
    loose = variance.get("assumed", 0.0) + variance.get("default", 0.0)
    return f"{text}; assumptions make {percent(loose)} of what is uncertain about the worth."
