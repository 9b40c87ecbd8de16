"""The gate of the design: could the way the arms were formed explain the effect?"""

from __future__ import annotations

import numpy as np

from roi.comparability import Comparability
from roi.gate import Gate
from roi.measured import Measured
from roi.words import number, percent

__all__ = ["bias_in_words", "design"]


def design(measured: Measured, *, tipping: float | None, arms: Comparability | None = None) -> Gate:
    """Could the way the arms were formed explain the effect?

    Args:
        measured: What was measured.
        arms: What the checks of the arms found.
        tipping: Bias, in standard deviations of what such a design may hide, at which `scale` no longer passes; None
            where it does not pass without any bias, infinite where no bias matters.
    """
    label = "Fair comparison"
    words = {
        "before_after": "before and after",
        "observational": "with and without the agent, as people chose",
    }
    stops = arms.stops() if arms is not None else ()
    n = int(measured.moments.n.sum())
    if measured.design == "randomised" and stops:
        return Gate(
            gate="design",
            label=label,
            state="not_shown",
            value=stops[0].value,
            threshold=None,
            evidence=" ".join(finding.text for finding in stops),
            mend=stops[0].mend,
            more_cases=n,
        )
    if measured.design == "randomised" and measured.moments.person_is_arm:
        return Gate(
            gate="design",
            label=label,
            state="not_shown",
            value=None,
            threshold=None,
            evidence="Fewer than four people worked the cases, each of them in one arm only: what is the agent's and "
            "what is the person's cannot be told apart.",
            mend="Have each person work cases both ways",
            more_cases=n,
        )
    if measured.design == "randomised":
        return Gate(
            gate="design",
            label=label,
            state="shown",
            value=None,
            threshold=None,
            evidence="Cases were assigned at random."
            if not measured.moments.few_workers
            else "Cases were assigned at random, but fewer than four people worked them.",
        )
    holds = tipping is not None and tipping >= 1
    how = f"Cases were compared {words[measured.design]}, not assigned at random"
    if arms is not None and arms.against is not None:
        how = f"Cases are declared as randomised, but {arms.against}: taken as before and after"
    if tipping is None:
        evidence = f"{how}; even without any bias the value is not sure enough."
    elif np.isinf(tipping):
        evidence = f"{how}; no plausible bias would change the verdict."
    else:
        evidence = (
            f"{how}; {bias_in_words(measured, tipping)} would change the verdict, {tipping:.1f} times what "
        )
        evidence += "such a comparison usually hides."
    return Gate(
        gate="design",
        label=label,
        state="shown" if holds else "not_shown",
        value=None if tipping is None or np.isinf(tipping) else tipping,
        threshold=1.0,
        evidence=evidence,
        mend="" if holds else f"Assign the next {n:,} cases to the arms at random",
        more_cases=None if holds else n,
    )


def bias_in_words(measured: Measured, sds: float) -> str:
    """A bias of so many standard deviations of the design's, in minutes and in per cent of the baseline."""
    share = sds * measured.bias_sd
    before = measured.arm_mean("human_minutes", 0)
    if before is None:
        return f"a bias of {percent(share)} of what was measured before"
    minutes = number(share * float(before.mean()), 2)
    return f"a bias of {minutes} minutes a case ({percent(share)} of the minutes before, and as much of the errors)"
