"""Causes in money, how far coders agree on them, and remedies beside what was measured, as the record holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.agreement import Agreement, agree
from roi.analysis import Analysis
from roi.assumptions import Number
from roi.cause_words import in_words, named
from roi.causes import CAUSES, UNEXPLAINED
from roi.clean_world import Clean, clean_world
from roi.economics import SEVERITIES
from roi.moments import Losses
from roi.money import summary
from roi.words import and_list, count, percent, plural

__all__ = [
    "agreement_on_causes",
    "cause_warnings",
    "causes_of_record",
    "clean_world_of_record",
    "losses_of_record",
    "prices",
    "severities_of_price",
]

Floats = npt.NDArray[np.float64]

LOW_AGREEMENT = 0.6  # AC1 below which two coders do not mean the same by a cause
SURELY = 0.8  # chance that an assumption is above what was measured, before a warning


def prices(a: Analysis) -> dict[str, dict[str, Floats]]:
    """What each cause costs a year at the adoption ceiling, as the roll-out's money counts it.

    Args:
        a: The analysis.

    Returns:
        By cause, "errors" (what its errors cost), "minutes" (human minutes of its losses: at the realisation as long
        as the pilot saves time, in full where it does not) and "agent_cost" (of lost cases), each shape (n_draws,) in
        the pilot's currency; empty where demand or labour cost are not known. A part that is not known is not there.
    """
    e, scope = a.economics, a.measured.scope()
    if e.cases_per_month is None or e.labour is None:
        return {}
    cases = 12 * np.broadcast_to(np.multiply(e.cases_per_month, e.ceiling) * scope.share, (a.measured.draws,))
    found: dict[str, dict[str, Floats]] = {}
    severity = a.measured.rates.severity
    both = np.clip(np.add(np.clip(e.cash, 0, 1), e.redeployed), 0, 1)

    def time(saved: Floats) -> Floats:
        counted = (saved >= e.smallest_saving) | e.realisation_known
        return np.asarray(np.where((saved > 0) & counted, saved, 0.0) * both + np.minimum(saved, 0.0))

    for cause, share in a.causes.error_share.items():
        parts: dict[str, Floats] = {}
        rate = scope.error_rate[1]
        if rate is not None and e.error_cost is not None:
            cost = sum(severity[1][:, i] * x for i, x in enumerate(e.error_cost))
            parts["errors"] = np.asarray(cases * rate * share * cost)
        if scope.minutes_saved is not None and cause in a.causes.excess_minutes:
            more = time(scope.minutes_saved + a.causes.excess_minutes[cause]) - time(scope.minutes_saved)
            parts["minutes"] = np.asarray(cases * np.divide(e.labour, 60) * more)
        if scope.agent_cost is not None and cause in a.causes.wasted_cost:
            parts["agent_cost"] = np.asarray(cases * scope.agent_cost * a.causes.wasted_cost[cause])
        if parts:
            found[cause] = parts
    return found


def causes_of_record(a: Analysis) -> dict[str, Any]:
    """Where losses come from and what each cause costs.

    Args:
        a: The analysis.

    Returns:
        `losses`, `labelled`, `by_kind`, `evidence`, `design_effect`, `named`, `agreement`, `severities` (what the price
        of errors rests on) and `by_cause`: of each cause its share of errors and of losses (mean, p05, p95), its
        labels, minutes a pilot case, evidence (`cases` that show it, `losses` among them, `chance` that it has an
        effect), and price a year with its parts.
    """
    c = a.causes
    priced = prices(a)
    name = named(c)
    rows = []
    for cause in sorted({*c.error_share, *c.loss_share, *c.excess_minutes}, key=_order(a)):
        parts = priced.get(cause)
        seen = c.effects.get(cause)
        minutes = c.excess_minutes.get(cause)
        rows.append(
            {
                "cause": cause,
                "share_of_errors": _share(c.error_share.get(cause)),
                "share_of_losses": _share(c.loss_share.get(cause)),
                "labels": c.labels.get(cause, 0),
                "minutes_per_case": None if minutes is None else _share(minutes),
                "evidence": None
                if seen is None
                else {"cases": seen[0], "losses": seen[1], "chance": seen[2]},
                "per_year": None if parts is None else summary(np.asarray(sum(parts.values()))),
                "parts": None if parts is None else {k: float(x.mean()) for k, x in parts.items()},
            }
        )
    return {
        "losses": c.losses,
        "labelled": c.labelled,
        "by_kind": dict(c.counted),
        "evidence": c.evidence,
        "design_effect": c.effect,
        "named": {"state": name.state, "first": name.first, "among": list(name.among), "sure": name.sure},
        "by_cause": rows,
        "agreement": _agreed(agreement_on_causes(a.moments.losses)),
        "severities": severities_of_price(a) if any("errors" in parts for parts in priced.values()) else None,
        "text": in_words(
            c,
            per_year=_yearly(priced),
            currency=a.loaded.parameters.about.currency,
            judged=a.moments.losses is not None and a.moments.losses.n.size > 0,
        ),
    }


def severities_of_price(a: Analysis) -> dict[str, Any] | None:
    """How far the price of errors rests on severities that were logged; None where every error costs the same.

    A severity that no logged error has keeps its expected share (`economics.severity_mix`), so that a part of what an
    error costs is expected and not measured: all of it where no severity is logged.
    """
    tariff, shares = a.economics.error_cost, a.measured.rates.severity
    if tariff is None or len({float(np.mean(cost)) for cost in tariff}) == 1:
        return None
    seen = a.moments.severity.sum(axis=0)
    errors, logged = int(a.moments.outcome[:, 1].sum()), int(seen.sum())
    each = np.array([float((shares[1][:, i] * cost).mean()) for i, cost in enumerate(tariff)])
    unseen = [i for i, n in enumerate(seen) if n == 0 and each[i] > 0]
    expected = float(each[unseen].sum() / each.sum()) if each.sum() > 0 else 0.0
    stated = "severity_mix" in a.loaded.parameters.economics.model_fields_set
    source = "as stated in severity_mix" if stated else "the defaults of severity_mix, for none are stated"
    if logged == 0:
        text = f"What errors cost rests on assumed severities: none of {plural(errors, 'error')} has one, so expected "
        text += f"shares stand in ({source})."
    elif unseen:
        none = and_list((SEVERITIES[i] for i in unseen), "or")
        text = f"Of {plural(logged, 'error')} with a severity, as before and with the agent, none is {none}; "
        text += f"{percent(expected)} of what an error is taken to cost rests on how often such errors are expected "
        text += f"({source})."
    else:
        text = f"Severities are measured: {count(logged)} of {plural(errors, 'error')} have one."
    if 0 < logged < errors and unseen:
        text += (
            f" {plural(errors - logged, 'error')} {'has' if errors - logged == 1 else 'have'} no severity."
        )
    return {
        "evidence": "measured" if not unseen else "both" if logged else "assumed" if stated else "default",
        "errors": errors,
        "logged": logged,
        "unseen": [SEVERITIES[i] for i in unseen],
        "expected_share": expected,
        "text": text,
    }


def _order(a: Analysis) -> Any:
    """Causes by their share of losses, the largest first; what is unexplained comes last."""

    def key(cause: str) -> tuple[bool, float, str]:
        share = a.causes.loss_share.get(cause)
        return cause == UNEXPLAINED, 0.0 if share is None else -float(share.mean()), cause

    return key


def _yearly(priced: Mapping[str, Mapping[str, Floats]]) -> dict[str, float]:
    return {cause: float(sum(x.mean() for x in parts.values())) for cause, parts in priced.items()}


def _share(draws: Floats | None) -> dict[str, float] | None:
    if draws is None:
        return None
    p05, p95 = np.percentile(draws, [5, 95])
    return {"mean": float(draws.mean()), "p05": float(p05), "p95": float(p95)}


def losses_of_record(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each cause with its share of losses and its expected price a year, from what `causes_of_record` gives."""
    return [
        {
            "cause": row["cause"],
            "share": row["share_of_losses"],
            "per_year": None if row["per_year"] is None else row["per_year"]["mean"],
        }
        for row in found["by_cause"]
        if row["share_of_losses"] is not None
    ]


def agreement_on_causes(losses: Losses | None) -> Agreement | None:
    """How far two coders agree on causes; None where no loss has both labels."""
    if losses is None or not losses.second:
        return None
    table = np.zeros((len(CAUSES), len(CAUSES)))
    for first, second, n in zip(losses.cause, losses.second, losses.n, strict=True):
        if first is not None and second is not None:
            table[CAUSES.index(first), CAUSES.index(second)] += n
    return agree(table, CAUSES)


def _agreed(found: Agreement | None) -> dict[str, Any] | None:
    if found is None:
        return None

    def said(x: Any) -> dict[str, float] | None:
        return None if x is None else {"value": x.value, "p05": x.low, "p95": x.high}

    return {"n": int(found.n), "share": said(found.share), "kappa": said(found.kappa), "ac1": said(found.ac1)}


def clean_world_of_record(a: Analysis) -> list[dict[str, Any]]:
    """What would be gone were all cases clean, and what each remedy is taken to remove beside it.

    Args:
        a: The analysis.

    Returns:
        By kind of evidence: `rates` of errors and losses as they are, of clean cases, and the share `gone`; `minutes`
        likewise; and `remedies` that address its cause. A remedy removes a share of its cause's losses, so what is
        held against the share of *all* errors that would be gone is that share times the cause's share of errors.
    """
    found = []
    for clean in clean_world(
        a.moments.losses, draws=a.measured.draws, seed=a.loaded.parameters.run.seed, design=a.causes.effect
    ):
        rates = {
            kind: {"all": _share(whole), "clean": _share(other), "gone": _share(clean.gone(kind))}
            for kind, (whole, other) in clean.rate.items()
        }
        minutes = None
        if clean.minutes is not None:
            whole, other = clean.minutes
            minutes = {"all": _share(whole), "clean": _share(other), "gone": _share(whole - other)}
        found.append(
            {
                "cause": clean.cause,
                "cases_without": clean.cases,
                "cases_with": clean.shown,
                "covered": clean.covered,
                "rates": rates,
                "minutes": minutes,
                "remedies": _remedies(a, clean),
            }
        )
    return found


def _remedies(a: Analysis, clean: Clean) -> list[dict[str, Any]]:
    share = a.causes.error_share.get(clean.cause)
    if share is None:
        return []
    rows = []
    most = clean.gone("errors")
    for remedy in a.valuer.remedies:
        if remedy.addresses != clean.cause:
            continue
        assumed: Number = remedy.removes
        of_all = np.asarray(assumed * share)
        above = float((of_all > most).mean())
        rows.append(
            {
                "name": remedy.name,
                "removes_share": float(np.mean(assumed)),
                "of_all_errors": _share(of_all),
                "measured": _share(most),
                "chance_above": above,
                "exceeds": above >= SURELY,
            }
        )
    return rows


def cause_warnings(worlds: list[dict[str, Any]], found: Mapping[str, Any]) -> list[str]:
    """What a reader should know of causes: coders who do not agree, remedies that promise more than was measured."""
    said = []
    agreed = found["agreement"]
    if agreed is not None and agreed["ac1"] is not None and agreed["ac1"]["value"] < LOW_AGREEMENT:
        said.append(
            f"Two coders agree on the cause of {percent(agreed['share']['value'])} of {count(agreed['n'])} losses (AC1 "
            f"{agreed['ac1']['value']:.2f}, beyond chance): what they call a cause is not the same thing yet."
        )
    for world in worlds:
        for row in world["remedies"]:
            if row["exceeds"]:
                said.append(
                    f"{row['name']} is taken to remove {percent(row['of_all_errors']['mean'])} of all errors, but were "
                    f"every case without this evidence of {world['cause']} "
                    f"{_measured(row['measured'])} (remedies.removes_share)."
                )
    return said


def _measured(gone: Mapping[str, float]) -> str:
    if gone["mean"] <= 0:
        return "they would not be fewer"
    return f"only about {percent(gone['mean'])} of them would be gone (at most {percent(gone['p95'])})"
