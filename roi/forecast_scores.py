"""How well decisions forecast: coverage, bias and an optimism factor over all pilots whose months are known.

The unit is the pilot, with all of its months that count: the months of one pilot share its draws, and as many of them
as there are say little more than one. What is offered for the next case is offered only; nothing applies it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roi import words
from roi.parameters import LoadedParameters, Parameters, load_parameters
from roi.pilot import open_pilot
from roi.problems import InputError
from roi.proportions import exact_interval
from roi.realised import realised_of_archive, realised_of_pilot
from roi.special import stdtrit
from roi.uncertain import Uncertain

__all__ = [
    "Optimism",
    "Past",
    "forecasts_of",
    "lines_of",
    "optimism_of",
    "realised_of_reports",
    "scores_of",
    "suggestion",
]

Realised = Mapping[str, Any]

NOMINAL = 0.8
LEVEL = 0.90
LEAST_PILOTS = 3
"""Fewer say nothing of the next one; a factor is then shown with its interval and not offered."""

FLOOR = 0.05  # of the forecast: a benefit below it, or a loss, counts as this, since nothing has no logarithm
LIKE_PILOTS, LIKE_SPREADS = (
    1.0,
    3.0,
)  # what the guess counts for: pilots that came as forecast, and their spread
CUT = "cut for past optimism"
"""By which a share that has been cut is known: nothing is cut twice."""
SPREAD = 0.4  # guess of the sd of log(actual / forecast)


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimism:
    """How much of a forecast benefit comes, from past pilots drawn towards 1.

    Attributes:
        factor: Actual over forecast (median of the mean of all cases).
        low: Lower end of its 90 % interval.
        high: Upper end.
        next_low: Lower end of the same for one further case.
        next_high: Upper end.
        n: Pilots.
    """

    factor: float
    low: float
    high: float
    next_low: float
    next_high: float
    n: int


def optimism_of(ratios: Sequence[float]) -> Optimism:
    """Pool actual over forecast benefit with a guess of 1, on the log scale.

    Args:
        ratios: Of each pilot; those below 0.05 count as 0.05.

    Returns:
        Posterior of a normal mean with unknown spread: as if one pilot more had come exactly as forecast, and three
        had shown a spread of 0.4.

    Source:
        Gelman et al. (2013), Bayesian Data Analysis, section 3.3.
    """
    y = np.log(np.maximum(np.asarray(ratios, dtype=np.float64), FLOOR))
    n = y.size
    mean = float(y.mean()) if n else 0.0
    squares = float(((y - mean) ** 2).sum()) if n else 0.0
    weight, degrees = LIKE_PILOTS + n, LIKE_SPREADS + n
    middle = n * mean / weight
    spread = LIKE_SPREADS * SPREAD**2 + squares + LIKE_PILOTS * n / weight * mean**2
    scale = math.sqrt(spread / degrees)
    t = float(stdtrit(degrees, (1 + LEVEL) / 2))
    of_mean, of_next = t * scale / math.sqrt(weight), t * scale * math.sqrt(1 + 1 / weight)
    low, high, next_low, next_high = (math.exp(middle + x) for x in (-of_mean, of_mean, -of_next, of_next))
    return Optimism(factor=math.exp(middle), low=low, high=high, next_low=next_low, next_high=next_high, n=n)


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
        scores["optimism"] = _optimism_json(optimism_of([r["ratio"] for r in usable]))
    scores["text"] = _text(scores)
    return scores


def _row(name: str, r: Realised) -> dict[str, Any]:
    said, came = r["cumulative"]["forecast"]["benefit"], float(r["cumulative"]["actual"]["benefit"]["mean"])
    months = [m for m in r["months"] if m["actual"] is not None]
    inside = sum(
        m["forecast"]["benefit"]["p10"] <= m["actual"]["benefit"]["mean"] <= m["forecast"]["benefit"]["p90"]
        for m in months
    )
    loss = [
        (came - said[key]) * q if came >= said[key] else (said[key] - came) * (1 - q)
        for key, q in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))
    ]
    positive = said["mean"] > 0 and said["p50"] > 0
    return {
        "pilot": name,
        "months": len(months),
        "months_inside": inside,
        "forecast": said,
        "actual": came,
        "currency": r["currency"],
        "inside": bool(r["cumulative"]["inside"]),
        "below": r["cumulative"]["below"],
        "ratio": came / said["mean"] if positive else None,
        "log_ratio": math.log(max(came / said["p50"], FLOOR)) if positive else None,
        "quantile_score": 2 * float(np.mean(loss)) / said["p50"] if positive else None,
        "crps": r["cumulative"]["crps"],
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


def _optimism_json(o: Optimism) -> dict[str, Any]:
    return {
        "factor": o.factor,
        "low": o.low,
        "high": o.high,
        "next_low": o.next_low,
        "next_high": o.next_high,
        "n": o.n,
        "offered": o.n >= LEAST_PILOTS and o.factor < 1,
        "text": _optimism_text(o),
    }


def _optimism_text(o: Optimism) -> str:
    said = (
        f"Of a forecast benefit about {words.percent(o.factor)} came ({words.percent(o.low)} to "
        f"{words.percent(o.high)}), from {words.plural(o.n, 'pilot')} and a guess that the next comes as forecast."
    )
    if o.n < LEAST_PILOTS:
        return f"{said} Too few to cut the next case by: {LEAST_PILOTS} are needed."
    if o.factor >= 1:
        return f"{said} Nothing is to be cut; forecasts are not raised for having been too low."
    return (
        f"{said} To cut the next case by it, multiply each number of economics.realisation by {o.factor:.2f}; "
        "nothing does so by itself."
    )


def suggestion(optimism: Optimism, parameters: Parameters) -> list[dict[str, str]]:
    """What a case would state to have its gains cut by past optimism: keys of its parameter file and their values.

    Args:
        optimism: From past pilots.
        parameters: Of the case.

    Returns:
        Of each stated share of `economics.realisation` its `key` and `value` as YAML, with the origin that it had; none
        where nothing is offered, or the share says that it has been cut already.
    """
    if optimism.n < LEAST_PILOTS or optimism.factor >= 1:
        return []
    given = parameters.economics.realisation
    shares = {"total": given.total, "cash": given.cash, "redeployed": given.redeployed}
    return [
        {"key": f"economics.realisation.{name}", "value": _yaml(share, optimism)}
        for name, share in shares.items()
        if share is not None and share.mean > 0 and not _is_cut(share)
    ]


def _is_cut(share: Uncertain) -> bool:
    return CUT in (share.note or "")


def _yaml(share: Uncertain, optimism: Optimism) -> str:
    names = {"exact": ("value",), "interval": ("low", "high"), "pert": ("min", "mode", "max")}.get(share.form)
    numbers = [f"{x * optimism.factor:.3g}" for x in share.numbers]
    listed = (
        [f"values: [{', '.join(numbers)}]"]
        if names is None
        else [f"{name}: {x}" for name, x in zip(names, numbers, strict=True)]
    )
    cut = (
        f"{CUT}: of {words.plural(optimism.n, 'past pilot')} {optimism.factor:.2f} of what was forecast came"
    )
    # What it rests on stays what it was: a cut is no source, and makes no assumption a measurement.
    told = {
        "evidence": "assumed" if share.evidence == "default" else share.evidence,
        "source": share.source,
        "owner": share.owner,
        "as_of": None if share.as_of is None else share.as_of.isoformat(),
        "how": cut if not share.note else f"{share.note}; {cut}",
    }
    listed += [f"{key}: {_quoted(key, value)}" for key, value in told.items() if value]
    return f"{{{', '.join(listed)}}}"


def _quoted(key: str, value: str) -> str:
    return value if key in ("evidence", "as_of") else json.dumps(value, ensure_ascii=False)


def lines_of(rows: Sequence[Mapping[str, str]]) -> str:
    """A suggestion as the lines of a parameter file that take the place of those that it has."""
    if not rows:
        return ""
    own = [f"    {row['key'].rpartition('.')[2]}: {row['value']}" for row in rows]
    return "\n".join(["economics:", "  realisation:", *own])


def _text(scores: Mapping[str, Any]) -> str:
    coverage, optimism = scores["coverage"], scores["optimism"]
    if coverage is None:
        return "No pilot has months that can be held against its forecast yet."
    said = (
        f"{coverage['inside']} of {words.plural(coverage['of'], 'pilot')} came inside the range that was to hold 8 in "
        f"10 (so between {words.percent(coverage['low'])} and {words.percent(coverage['high'])} do)."
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
    optimism = optimism_of([row["ratio"] for row in usable])
    offers = [
        {"pilot": name, "title": words.shorten(p.title, 120), "lines": lines_of(rows)}
        for name, p in sorted(past.others.items())
        if (rows := suggestion(optimism, p))
    ]
    return {
        **scores,
        "records": len(usable),
        "months": sum(row["months"] for row in usable),
        "needed": LEAST_PILOTS,
        "not_reported": sorted(past.others),
        "offers": offers,
    }
