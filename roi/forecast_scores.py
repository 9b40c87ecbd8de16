"""How well decisions forecast: coverage, bias and an optimism factor over all pilots whose months are known.

The unit is the pilot, with all of its months that count: the months of one pilot share its draws, and as many of them
as there are say little more than one. What is offered for the next case is offered only; nothing applies it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roi import words
from roi.optimism import FLOOR, LEAST_PILOTS, LEVEL, cuts_of, lines_of, optimism_json, optimism_of, suggestion
from roi.parameters import LoadedParameters, Parameters, load_parameters
from roi.pilot import open_pilot
from roi.problems import InputError
from roi.proportions import exact_interval
from roi.realised import realised_of_archive, realised_of_pilot
from roi.special import stdtrit

__all__ = ["Past", "forecasts_of", "realised_of_reports", "scores_of"]

Realised = Mapping[str, Any]

NOMINAL = 0.8


def scores_of(found: Mapping[str, Realised]) -> dict[str, Any]:
    """Score the forecasts of pilots whose months are known.

    Args:
        found: By pilot, as `roi.realised.realised_of_record` gives it; those whose state is not known are passed over.

    Returns:
        Plain JSON values; `coverage`, `bias`, `quantile_score` and `optimism` are None without a pilot.
    """
    known = {name: r for name, r in sorted(found.items()) if r.get("state") == "known"}
    rows = [_row(name, r) for name, r in known.items()]
    left = [
        {"pilot": name, "why": r.get("why") or r.get("state")}
        for name, r in sorted(found.items())
        if name not in known
    ]
    usable = [r for r in rows if r["ratio"] is not None]
    left += [
        {"pilot": r["pilot"], "why": "forecast no benefit, so that nothing is a share of it"}
        for r in rows
        if r["ratio"] is None
    ]
    scores: dict[str, Any] = {
        "pilots": rows,
        "left_out": left,
        "coverage": None,
        "bias": None,
        "quantile_score": None,
        "optimism": None,
    }
    if rows:
        scores["coverage"] = _coverage(rows)
    if usable:
        scores["bias"] = _bias(usable)
        scores["quantile_score"] = float(np.mean([r["quantile_score"] for r in usable]))
        scores["optimism"] = optimism_json(optimism_of([r["ratio"] for r in usable]), usable)
    scores["text"] = _text(scores)
    return scores


def _row(name: str, r: Realised) -> dict[str, Any]:
    together = r["cumulative"]
    # Against the forecast of what months show, not of what they hold as it was decided.
    said, came = together["shown"]["forecast"], float(together["actual"]["benefit"]["mean"])
    months = [m for m in r["months"] if m["actual"] is not None]
    inside = sum(bool(m["actual"]["shown"]["inside"]) for m in months)
    loss = [
        (came - said[key]) * q if came >= said[key] else (said[key] - came) * (1 - q)
        for key, q in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))
    ]
    positive = said["mean"] > 0 and said["p50"] > 0
    return {
        "pilot": name,
        "months": len(months),
        "months_inside": inside,
        "shows": list(together["shown"]["of"]),
        "forecast": said,
        "actual": came,
        "currency": r["currency"],
        "inside": bool(together["shown"]["inside"]),
        "below": together["shown"]["below"],
        "ratio": came / said["mean"] if positive else None,
        "log_ratio": math.log(max(came / said["p50"], FLOOR)) if positive else None,
        "quantile_score": 2 * float(np.mean(loss)) / said["p50"] if positive else None,
        "crps": together["shown"]["crps"],
        "ratios": dict(together["ratios"]),
    }


def _coverage(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    n, inside = len(rows), sum(r["inside"] for r in rows)
    low, high = exact_interval(inside, n, LEVEL)
    months, months_inside = sum(r["months"] for r in rows), sum(r["months_inside"] for r in rows)
    return {
        "nominal": NOMINAL,
        "inside": inside,
        "of": n,
        "share": inside / n,
        "low": float(low),
        "high": float(high),
        # Without an interval: the months of one pilot are not independent.
        "months": {"inside": months_inside, "of": months, "share": months_inside / months},
    }


def _bias(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean of log(actual / forecast median) over pilots; its interval only where two or more show a spread."""
    y = np.array([r["log_ratio"] for r in rows])
    n, mean = y.size, float(y.mean())
    low = high = None
    if n > 1:
        half = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * float(y.std(ddof=1)) / math.sqrt(n)
        low, high = mean - half, mean + half
    return {
        "log_ratio": mean,
        "low": low,
        "high": high,
        "ratio": math.exp(mean),
        "n": n,
        "floored": int(sum(r["ratio"] < FLOOR for r in rows)),
    }


def _text(scores: Mapping[str, Any]) -> str:
    coverage, optimism = scores["coverage"], scores["optimism"]
    if coverage is None:
        return "No pilot has months that can be held against its forecast yet."
    said = (
        f"{coverage['inside']} of {words.plural(coverage['of'], 'pilot')} came inside the range that was to hold 8 in "
        f"10 of what months show (between {words.percent(coverage['low'])} and {words.percent(coverage['high'])} do)."
    )
    return said if optimism is None else f"{said} {optimism['text']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What became of pilots, and which are still to come.

    Attributes:
        realised: By pilot that names its actuals, as `roi.realised.realised_of_pilot` gives it.
        failed: File → why it could not be read.
        others: By pilot that names no actuals, its parameters.
    """

    realised: Mapping[str, Realised]
    failed: Mapping[str, str]
    others: Mapping[str, Parameters]


def realised_of_reports(reports: Path, files: Sequence[Path]) -> Past:
    """What became of every pilot that names its actuals.

    Each is held against the archive of its decision, for which no sample is read. Where that is withheld or damaged
    samples that still give the same record stand in; where no record is older than the months nothing does: what was
    written down after them is no forecast.

    Args:
        reports: The folder of all reports, with their archives and ledger.
        files: Parameter files.
    """
    found: dict[str, Realised] = {}
    failed: dict[str, str] = {}
    others: dict[str, Parameters] = {}
    for file in files:
        try:
            loaded = load_parameters(file)
            name = loaded.parameters.pilot
            if loaded.parameters.samples.actuals is None:
                others[name] = loaded.parameters
                continue
            found[name] = _realised(loaded, file, reports)
        except InputError as error:
            failed[file.name] = str(error.problems[0].message)
    return Past(realised=found, failed=failed, others=others)


def _realised(loaded: LoadedParameters, file: Path, reports: Path) -> Realised:
    found = realised_of_archive(loaded, reports)
    if found["state"] != "unknown":
        return found
    if (found["decision"] or {}).get("as_of") is None:
        return {**found, "why": "no record is kept from before its first month, so nothing was forecast"}
    try:
        return realised_of_pilot(open_pilot(file), reports=reports) or found
    except InputError:
        return found  # the samples are gone, too


def forecasts_of(reports: Path, files: Sequence[Path]) -> dict[str, Any]:
    """How past decisions forecast, and what that offers the next case; what `portfolio.json` holds of it.

    Args:
        reports: The folder of all reports.
        files: Parameter files of its pilots.

    Returns:
        As `scores_of`, and `records` and `months` that it rests on, how many are `needed`, `not_reported` (pilots that
        name no actuals) and `offers`: of each of those `pilot`, `title` and the `lines` to paste.
    """
    past = realised_of_reports(reports, files)
    scores = scores_of(past.realised)
    scores["left_out"] += [{"pilot": name, "why": why} for name, why in sorted(past.failed.items())]
    usable = [row for row in scores["pilots"] if row["ratio"] is not None]
    cuts = cuts_of(usable)
    offers = [
        {"pilot": name, "title": words.shorten(p.title, 120), "lines": lines_of(rows)}
        for name, p in sorted(past.others.items())
        if (rows := suggestion(cuts, p))
    ]
    return {
        **scores,
        "records": len(usable),
        "months": sum(row["months"] for row in usable),
        "needed": LEAST_PILOTS,
        "not_reported": sorted(past.others),
        "offers": offers,
    }
