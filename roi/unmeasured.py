"""Where the worth cannot be computed: what is missing, from where on it would pay, and what would tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from roi.cashflow import annuity, ramp_factor
from roi.gates import CASES_AN_ARM, declare
from roi.measures import Measure
from roi.options import Option, Valuer
from roi.parameters import Parameters
from roi.roots import root_between
from roi.tariff import Prices
from roi.verdict import Unknown

__all__ = ["break_even_minutes", "sample_cases", "why_unknown"]


MOST_MINUTES = 6000.0  # a case that takes more is no case of hands-on work


def break_even_minutes(valuer: Valuer, low: float = 0.0, high: float = MOST_MINUTES) -> float | None:
    """Human minutes a case must take today for scaling to pay on average; None where it never does or is not known.

    The pilot's minutes, errors and costs are as measured; no error is held against the baseline.
    """
    measured = valuer.measured
    pilot = measured.arm_mean("human_minutes", 1)
    if pilot is None:
        return None

    def worth(minutes: float) -> float:
        option = _with_baseline(valuer, minutes)
        # Where one number of minutes cannot be valued, none can.
        return float("nan") if option is None else option.mean()

    top = worth(high)
    if not top > 0:
        return None
    return low if worth(low) >= 0 else root_between(worth, low, high, within=1e-9)


def _with_baseline(valuer: Valuer, minutes: float) -> Option | None:
    """A roll-out as if a case took so many minutes today, in every segment that the pilot worked."""
    measured = valuer.measured
    if measured.human is None:
        return None
    human = measured.human.copy()
    human[0] = minutes
    pilot = ~np.isnan(human[1][:, 0])
    share = np.where(pilot, measured.weights.share, 0.0)
    if not share.sum() > 0:
        n = np.bincount(measured.moments.segment, weights=measured.moments.n, minlength=pilot.size)
        share = n / n.sum() if n.sum() > 0 else share
    weights = replace(measured.weights, covered=pilot, share=share)
    stated = replace(measured, human=human, weights=weights, bias_sd=0.0)
    return valuer.roll_out(measured=stated)


def why_unknown(
    valuer: Valuer, prices: Prices, scale: Option | None, p: Parameters, undeclared: tuple[str, ...]
) -> Unknown | None:
    """Why the worth cannot be computed, and what would tell; None where it can."""
    if scale is not None:
        return None
    moments, e = valuer.measured.moments, valuer.economics
    stated = (
        ("demand.cases_per_month", "the number of cases a month", e.cases_per_month),
        ("economics.labour_cost_per_hour", "the cost of an hour of labour", e.labour),
    )
    lacking = [key for key, _, value in stated if value is None]
    if lacking:
        names = " and ".join(name for _, name, value in stated if value is None)
        return Unknown(
            why=f"{names} {'is' if len(lacking) == 1 else 'are'} not known",
            measure=Measure(
                gate="value", pool="words", what=f"State {' and '.join(lacking)}", n=0, price=0.0, months=0.0
            ),
            upside=1.0,
            upside_means="stating an input costs nothing",
        )
    if moments.cases("pilot") > 0 and moments.cases("baseline") > 0 and undeclared:
        return Unknown(
            why=f"nobody says whether a blank {undeclared[0]} means 0 or is missing",
            measure=Measure(
                gate="complete_minutes", what=declare(undeclared), n=0, price=0.0, months=0.0, pool="words"
            ),
            upside=1.0,
            upside_means="stating what a blank means costs nothing",
        )
    if moments.cases("pilot") == 0:
        return _only_demo(valuer, prices, p)
    if valuer.measured.human is None:
        return _none_timed(valuer, prices, p)
    n = 30
    measure_ = Measure(
        gate="measured_baseline",
        what=f"Time {n} cases without the agent",
        n=n,
        price=_priced(prices.baseline(n), prices),
        months=prices.months(n),
    )
    point = break_even_minutes(valuer)
    if (
        moments.cases("baseline") > 0
        and (moments.count[moments.arm == 0].sum() if moments.count.size else 0) > 0
    ):
        return Unknown(
            why="no kind of case was sampled both with and without the agent",
            measure=measure_,
            upside=None,
            upside_means="",
        )
    if point is None:
        return Unknown(
            why="no case without the agent was timed", measure=measure_, upside=None, upside_means=""
        )
    twice = _with_baseline(valuer, max(2 * point, 1.0))
    return Unknown(
        why=f"no case without the agent was timed; it pays only if a case takes more than {point:.2f} minutes today",
        measure=measure_,
        upside=None if twice is None else twice.mean(),
        upside_means="if a case took twice the break-even today",
    )


def _none_timed(valuer: Valuer, prices: Prices, p: Parameters) -> Unknown:
    """Nobody's minutes were recorded, as where there are only an agent's own logs."""
    n = 30
    stated = _stated_minutes(p)

    def worth(saved: float) -> float:
        option = _with_saving(valuer, saved)
        return float("nan") if option is None else option.mean()

    point = None
    if worth(MOST_MINUTES) > 0:
        point = 0.0 if worth(0.0) >= 0 else root_between(worth, 0.0, MOST_MINUTES, within=1e-9)
    # A case cannot save more than it takes today; where nobody says what that is, twice what would do.
    most = stated if stated is not None else None if point is None else max(2 * point, 1.0)
    upside = None if most is None else worth(most)
    pays = f"; it pays only if a case saves more than {point:.2f} minutes" if point else ""
    return Unknown(
        why=f"no case has minutes{pays or ', so time saved cannot be told'}",
        measure=Measure(
            gate="complete_minutes",
            what=f"Time {n} cases in each arm",
            n=n,
            price=_priced(prices.cases(2 * n), prices),
            months=prices.months(2 * n),
        ),
        upside=None if upside is None or not np.isfinite(upside) else upside,
        upside_means="if a case then took nobody a minute"
        if stated is not None
        else "if a case saved twice the break-even",
    )


def _with_saving(valuer: Valuer, minutes: float) -> Option | None:
    """A roll-out as if a case saved so many minutes, in every segment that the pilot worked."""
    measured = valuer.measured
    moments = measured.moments
    segments = len(measured.weights.share)
    human = np.zeros((2, segments, measured.draws))
    human[0] = minutes
    n = np.bincount(
        moments.segment[moments.arm == 1], weights=moments.n[moments.arm == 1], minlength=segments
    )
    worked = n > 0
    share = np.where(worked, measured.weights.share, 0.0)
    if not share.sum() > 0:
        share = n / n.sum()
    weights = replace(measured.weights, covered=worked, share=share)
    return valuer.roll_out(measured=replace(measured, human=human, weights=weights, bias_sd=0.0))


def _stated_minutes(p: Parameters) -> float | None:
    """Minutes that a case is said to take today; None where nobody says."""
    if p.samples.baseline is None:
        return None
    return sum(v.mean for k, v in p.samples.baseline if v is not None and k.endswith("_minutes")) or None


def sample_cases(prices: Prices) -> Unknown:
    """What has to be known before figures of a report are enough to decide on."""
    n = 2 * CASES_AN_ARM
    return Unknown(
        why="the figures are those of a report, not of cases that were sampled",
        measure=Measure(
            gate="measured_baseline",
            what=f"Sample {CASES_AN_ARM} cases in each arm",
            n=n,
            price=_priced(prices.cases(n), prices),
            months=prices.months(n),
        ),
        upside=None,
        upside_means="",
    )


def _priced(price: float | None, prices: Prices) -> float | None:
    return None if price is None else price + prices.setup


def _only_demo(valuer: Valuer, prices: Prices, p: Parameters) -> Unknown:
    """Only demo cases: what they would be worth, were production like the demo."""
    moments, e = valuer.measured.moments, valuer.economics
    n = 50
    upside = None
    pilot, base = moments.demo.get("pilot"), moments.demo.get("baseline")
    minutes = base[1] if base is not None else None
    if minutes is None:
        minutes = _stated_minutes(p)
    if pilot is not None and pilot[1] is not None and minutes is not None:
        both = float(np.mean(np.clip(np.add(e.cash, e.redeployed), 0, 1)))
        monthly = float(
            np.mean(
                np.multiply(
                    np.multiply(e.cases_per_month if e.cases_per_month is not None else 0.0, e.ceiling),
                    np.divide(e.labour if e.labour is not None else 0.0, 60),
                )
            )
        )
        saved = minutes - pilot[1]
        factor = float(np.mean(ramp_factor(e.discount, e.horizon, e.ramp)))
        paid = float(np.mean(e.one_off())) + float(np.mean(e.monthly() * annuity(e.discount, e.horizon)))
        upside = monthly * saved * (both if saved > 0 else 1.0) * factor - paid
    return Unknown(
        why="only demo cases were sampled, and only production cases carry value",
        measure=Measure(
            gate="value",
            what=f"Sample {n} production cases in each arm",
            n=2 * n,
            price=_priced(prices.cases(2 * n), prices),
            months=prices.months(2 * n),
        ),
        upside=upside,
        upside_means="were production like the demo",
    )
