"""How much of a forecast came of past pilots, of which part of it, and what that would cut of the next case.

The unit is the pilot. Only what months show is cut: cases, adoption, and the cash that becomes of a saved hour; each by
what came of it alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roi import words
from roi.apart import ROWS
from roi.parameters import Parameters
from roi.shown import shown_words
from roi.special import stdtrit
from roi.uncertain import Uncertain

__all__ = [
    "FLOOR",
    "LEAST_PILOTS",
    "LEVEL",
    "Optimism",
    "cuts_of",
    "lines_of",
    "optimism_json",
    "optimism_of",
    "suggestion",
]

LEVEL = 0.90
LEAST_PILOTS = 3
"""Fewer say nothing of the next one; a factor is then shown with its interval and not offered."""

FLOOR = 0.05  # of the forecast: a benefit below it, or a loss, counts as this, since nothing has no logarithm
LIKE_PILOTS, LIKE_SPREADS = (
    1.0,
    3.0,
)  # what the guess counts for: pilots that came as forecast, and their spread
CUT = "cut for past optimism"
"""By which a value that has been cut is known: nothing is cut twice."""
KEYS = {
    "demand.cases_per_month": "volume",
    "economics.adoption.ceiling": "adoption",
    "economics.realisation.cash": "cash",
}
"""What a parameter file states of what months show. Minutes, errors and cost are measured; what else becomes of a saved
hour no month shows, so that nothing cuts it."""
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


def cuts_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Optimism]:
    """How much of each single factor came, of those that a parameter file states and that months show.

    Args:
        rows: Of `scores_of`.

    Returns:
        Key of the parameter file → how much came of it, of the pilots whose months show it.
    """
    shown = {
        key: [float(r["ratios"][name]) for r in rows if r["ratios"].get(name) is not None]
        for key, name in KEYS.items()
    }
    return {key: optimism_of(ratios) for key, ratios in shown.items() if ratios}


def _is_offered(o: Optimism) -> bool:
    return o.n >= LEAST_PILOTS and o.factor < 1


def optimism_json(o: Optimism, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The pooled ratio and that of single factors, as plain JSON values."""
    cuts = cuts_of(rows)
    of = [name for name in ROWS if all(name in r["shows"] for r in rows)]
    return {
        **_numbers(o),
        "of": of,
        "keys": [{"key": key, **_numbers(c), "offered": _is_offered(c)} for key, c in cuts.items()],
        "offered": any(_is_offered(c) for c in cuts.values()),
        "text": _optimism_text(o, of, cuts),
    }


def _numbers(o: Optimism) -> dict[str, float]:
    return {name: getattr(o, name) for name in ("factor", "low", "high", "next_low", "next_high", "n")}


def _optimism_text(o: Optimism, of: Sequence[str], cuts: Mapping[str, Optimism]) -> str:
    what = f"as far as months show it ({shown_words(of)})" if of else "as far as months show it"
    said = (
        f"Of a forecast benefit, {what}, about {words.percent(o.factor)} came ({words.percent(o.low)} to "
        f"{words.percent(o.high)}), from {words.plural(o.n, 'pilot')} and a guess that the next comes as forecast."
    )
    if "cash" not in of:
        said += " What becomes of a saved hour not all of them show."
    if not any(c.n >= LEAST_PILOTS for c in cuts.values()):
        return f"{said} Too few to cut the next case by: {LEAST_PILOTS} that show the same are needed."
    offered = {key: c for key, c in cuts.items() if _is_offered(c)}
    if not offered:
        return f"{said} Nothing is to be cut; forecasts are not raised for having been too low."
    each = words.and_list(f"{key} by {c.factor:.2f}" for key, c in offered.items())
    return f"{said} To cut the next case by it, multiply {each}; nothing does so by itself."


def suggestion(cuts: Mapping[str, Optimism], parameters: Parameters) -> list[dict[str, str]]:
    """What a case would state to have its gains cut by past optimism: keys of its parameter file and their values.

    Args:
        cuts: Key → how much of it came, as `cuts_of` gives them: only what months showed is cut.
        parameters: Of the case.

    Returns:
        Of each stated value its `key` and `value` as YAML, with the origin that it had; none where nothing is offered,
        or the value says that it has been cut already.
    """
    e = parameters.economics
    stated = {
        "demand.cases_per_month": parameters.demand.cases_per_month,
        "economics.adoption.ceiling": e.adoption.ceiling,
        "economics.realisation.cash": e.realisation.cash,
    }
    return [
        {"key": key, "value": _yaml(value, cuts[key])}
        for key, value in stated.items()
        if value is not None
        and key in cuts
        and _is_offered(cuts[key])
        and value.mean > 0
        and not _is_cut(value)
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
    cut = f"{CUT}: of {words.plural(optimism.n, 'past pilot')} {optimism.factor:.2f} of what was forecast of it came"
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
    lines: list[str] = []
    said: tuple[str, ...] = ()
    for row in rows:
        *groups, name = row["key"].split(".")
        same = [a == b for a, b in zip(groups, said, strict=False)]
        from_ = same.index(False) if False in same else len(same)
        lines += [f"{'  ' * depth}{groups[depth]}:" for depth in range(from_, len(groups))]
        lines.append(f"{'  ' * len(groups)}{name}: {row['value']}")
        said = tuple(groups)
    return "\n".join(lines)
