"""The gates that rest on what was measured; the five controls have modules of their own."""

from __future__ import annotations

from collections.abc import Collection

from roi.draws import one_sided_bounds
from roi.economics import Economics
from roi.gate import Gate, missing_evidence, rate_state
from roi.labels import labelled_rates
from roi.measured import Measured
from roi.moments import ALL, Moments
from roi.named import kind_word
from roi.rates import NOTHING_LABELLED, severe_errors
from roi.words import at_least, at_most, percent

__all__ = [
    "CASES_AN_ARM",
    "MISSING_SHARE",
    "complete_minutes",
    "covered_demand",
    "declare",
    "known_cost",
    "measured_baseline",
    "missing_minutes",
    "severe_error_gate",
    "unkind_shift",
    "usable_inputs",
]

MISSING_SHARE = 0.05  # of an arm without minutes, before it matters
UNEVEN_SHARE = 0.03  # of difference between the arms
KNOWN_COST_SHARE = 0.9
CASES_AN_ARM = 30  # to be sampled where only a report speaks


def missing_minutes(moments: Moments) -> tuple[float, float]:
    """Share of cases of the baseline and the pilot arm that have no human minutes."""
    column = moments.column("human_minutes")
    shares = []
    for arm in (0, 1):
        rows = moments.arm == arm
        n = int(moments.n[rows].sum())
        timed = int(moments.count[rows, column].sum()) if column is not None else 0
        shares.append(1 - timed / n if n else 0.0)
    return shares[0], shares[1]


def unkind_shift(moments: Moments) -> float:
    """Minutes a case lost, were missing pilot rows long (P95) and missing baseline rows short (P5)."""
    base, pilot = missing_minutes(moments)
    shift = 0.0
    if "pilot" in moments.spread:
        shift += pilot * max(moments.spread["pilot"].p95 - moments.spread["pilot"].mean, 0.0)
    if "baseline" in moments.spread:
        shift += base * max(moments.spread["baseline"].mean - moments.spread["baseline"].p05, 0.0)
    return shift


def complete_minutes(measured: Measured, *, flips: bool, undeclared: tuple[str, ...] = ()) -> Gate:
    """Are minutes recorded for (nearly) every case, or does the verdict survive their absence?

    Args:
        measured: What was measured.
        flips: Whether `scale` would no longer pass with the missing rows at their unkind end.
        undeclared: Columns with blanks of which nobody says whether they mean 0.
    """
    base, pilot = missing_minutes(measured.moments)
    if measured.human is None:
        return missing_evidence(
            "complete_minutes",
            "Minutes recorded",
            threshold=MISSING_SHARE,
            evidence="No case has minutes.",
            mend="Record the hands-on minutes of each case",
        )
    much = max(base, pilot) > MISSING_SHARE or abs(base - pilot) > UNEVEN_SHARE
    if much and measured.moments.sourced:
        flips = True  # a report does not say how long or short others were, so that nothing rules it out
    evidence = f"{percent(base)} of baseline and {percent(pilot)} of pilot cases have no minutes."
    if much:
        evidence += (
            " Were these long with the agent and short without it, the verdict would change."
            if flips
            else " The verdict is the same were these long with the agent and short without it."
        )
    missing = sum(
        int(measured.moments.n[measured.moments.arm == a].sum() * x) for a, x in ((0, base), (1, pilot))
    )
    return Gate(
        gate="complete_minutes",
        label="Minutes recorded",
        state="not_shown" if much and flips else "shown",
        value=max(base, pilot),
        threshold=MISSING_SHARE,
        evidence=evidence,
        mend=""
        if not (much and flips)
        else declare(undeclared)
        if undeclared
        else "Record the minutes of every case",
        more_cases=max(missing, 1) if much and flips else None,
        free=bool(undeclared),
    )


def declare(columns: tuple[str, ...]) -> str:
    """What to do about blanks that nobody declared."""
    return f"Declare blank: zero or blank: missing for {', '.join(columns)} (samples.cases.columns)"


def measured_baseline(measured: Measured) -> Gate:
    """Was the work without the agent timed?"""
    n = measured.moments.cases("baseline")
    column = measured.moments.column("human_minutes")
    timed = int(measured.moments.count[measured.moments.arm == 0, column].sum()) if column is not None else 0
    wanted = 30
    if measured.moments.sourced and not measured.stand_in and timed > 0:
        return Gate(
            gate="measured_baseline",
            label="Baseline measured",
            state="not_shown",
            value=None,
            threshold=None,
            evidence="The minutes of both arms are those of a report (sourced); nobody sampled a case.",
            mend=f"Sample {CASES_AN_ARM} cases in each arm",
            more_cases=2 * CASES_AN_ARM,
        )
    if timed > 1:
        return Gate(
            gate="measured_baseline",
            label="Baseline measured",
            state="shown",
            value=float(timed),
            threshold=None,
            evidence=f"{timed:,} cases were timed without the agent.",
        )
    return Gate(
        gate="measured_baseline",
        label="Baseline measured",
        state="not_shown" if measured.stand_in else "missing_evidence",
        value=None,
        threshold=None,
        evidence="The minutes without the agent are stated, not measured."
        if measured.stand_in
        else ("The baseline cases have no minutes." if n else "No case without the agent was sampled."),
        mend=f"Time {wanted} cases without the agent",
        more_cases=wanted,
    )


def covered_demand(measured: Measured, *, least: float) -> Gate:
    """Is most of the demand of a kind that was sampled in both arms?"""
    covered = float(measured.weights.share[measured.covered()].sum())
    names = ", ".join(
        f"{kind_word(name)} ({percent(share)})" for name, share in measured.weights.uncovered.items()
    )
    evidence = f"{percent(covered)} of demand was sampled both as before and with the agent."
    if names:
        evidence += f" Not sampled: {names}."
    if not measured.weights.stated:
        evidence += " The mix is the sample's own, assumed."
    elif measured.moments.segments == (ALL,):
        evidence = "The cases name no segments; they are taken to be like production."
    unnamed = measured.moments.segments == (ALL,) and not measured.weights.stated
    if unnamed:
        return missing_evidence(
            "covered_demand",
            "Demand covered by the sample",
            threshold=least,
            evidence="A production mix is stated, but the cases do not say their segment.",
            mend="Map the column that holds the segment (samples.cases.columns.segment)",
            free=True,
        )
    holds = covered >= least
    return Gate(
        gate="covered_demand",
        label="Demand covered by the sample",
        state="shown" if holds else "not_shown",
        value=covered,
        threshold=least,
        evidence=evidence,
        mend="" if holds else f"Sample cases of {_kinds(measured.weights.uncovered)} in both arms",
    )


def _kinds(names: Collection[str]) -> str:
    return "every kind" if not names or set(names) == {ALL} else ", ".join(kind_word(name) for name in names)


def usable_inputs(measured: Measured, segments: tuple[str, ...], *, least: float) -> Gate:
    """Do enough production cases arrive with inputs that the agent can use?"""
    moments = measured.moments
    inside = moments.chosen(segments)[moments.segment]
    known, clean = int(moments.inputs_known[inside].sum()), int(moments.inputs_clean[inside].sum())
    label = "Usable inputs"
    if known == 0:
        return missing_evidence(
            "usable_inputs",
            label,
            threshold=least,
            evidence="Nobody recorded whether the inputs of a case were defective.",
            mend="Record input defects for 60 production cases (input_defects)",
            more_cases=60,
        )
    lower, upper = one_sided_bounds(clean, known)
    state = "shown" if lower >= least else "exceeded" if upper < least else "not_shown"
    more = None
    if state == "not_shown":
        share = max(clean / known, least + 0.05)
        more = next(
            (
                n
                for n in (2**k for k in range(4, 18))
                if one_sided_bounds(clean + share * n, known + n)[0] >= least
            ),
            None,
        )
    return Gate(
        gate="usable_inputs",
        label=label,
        state=state,  # type: ignore[arg-type]
        value=clean / known,
        threshold=least,
        evidence=f"{clean:,} of {known:,} production cases came with usable inputs; "
        f"the true share lies between {at_least(lower, least)} and {at_most(upper, least)}.",
        mend={"shown": "", "exceeded": "Mend the inputs before the agent sees them"}.get(
            state, f"Record input defects for {more or 'more'} further cases"
        ),
        more_cases=more,
    )


def known_cost(measured: Measured, economics: Economics) -> Gate:
    """Is it known what the agent costs a case?"""
    label = "Cost of the agent and of errors known"
    moments = measured.moments
    rows = moments.arm == 1
    n, known = int(moments.n[rows].sum()), int(moments.cost_known[rows].sum())
    lines = [
        line.name
        for line in economics.lines
        if line.kind == "model_usage" or (line.kind == "other" and line.name == "Running cost")
    ]
    metered = any(name.startswith("agent_cost:") for name in moments.statistics)
    errors = int(moments.outcome[:, 1].sum())
    if errors and economics.error_cost is None:
        return missing_evidence(
            "known_cost",
            label,
            evidence=f"{errors:,} errors were seen, and nobody says what an error costs.",
            mend="State economics.error_cost",
            free=True,
        )
    if not metered and lines:
        return Gate(
            gate="known_cost",
            label=label,
            state="shown",
            value=None,
            threshold=None,
            evidence=f"The running cost is stated ({', '.join(lines[:3])}), not metered by case.",
        )
    if measured.unpriced:
        currencies = ", ".join(measured.unpriced)
        return missing_evidence(
            "known_cost",
            label,
            threshold=KNOWN_COST_SHARE,
            evidence=f"Costs are logged in {currencies} and no exchange rate is stated.",
            mend=f"State economics.fx for {currencies}",
            free=True,
        )
    share = known / n if n else 0.0
    state = "shown" if share >= KNOWN_COST_SHARE else "missing_evidence" if known == 0 else "not_shown"
    return Gate(
        gate="known_cost",
        label=label,
        state=state,  # type: ignore[arg-type]
        value=share if metered else None,
        threshold=KNOWN_COST_SHARE,
        evidence=f"The agent's cost is known for {known:,} of {n:,} pilot cases."
        if metered
        else "Neither the log nor a cost line says what the agent costs.",
        mend=""
        if state == "shown"
        else "Log the cost or the tokens of each case, or state a cost line of kind model_usage",
    )


def severe_error_gate(
    measured: Measured, segments: tuple[str, ...], *, limit: float, labels_known: bool
) -> Gate:
    """Are severe errors of the pilot shown to stay below the limit?

    Args:
        measured: What was measured.
        segments: The scope.
        limit: The policy's limit, a share of cases.
        labels_known: Whether it is known how the labelled cases were chosen.
    """
    label = "Severe errors below the limit"
    moments = measured.moments
    chosen = moments.chosen(segments)
    found = severe_errors(moments, chosen)
    per_100 = f"{limit * 100:g} in 100"
    if found.n == 0 or moments.labels == "judge":
        return missing_evidence(
            "severe_errors",
            label,
            threshold=limit,
            evidence="Outcomes were judged by a program alone, and nobody checked the judge."
            if moments.labels == "judge"
            else "No pilot case has an outcome.",
            mend="Have people label the outcome of a random sample of cases",
            more_cases=found.needed(limit),
        )
    if moments.sourced and found.lower <= limit:
        fresh = NOTHING_LABELLED.needed(limit)
        return missing_evidence(
            "severe_errors",
            label,
            value=found.rate,
            threshold=limit,
            evidence=f"A report counts {found.events} severe errors in {found.n:,} cases (errors of unknown severity "
            "among them); nobody looked at the cases.",
            mend=f"Have people label the outcome of {fresh:,} cases, none with a severe error",
            more_cases=fresh,
        )
    if not labels_known and not moments.sourced:
        chances = moments.judged is None or moments.judged.selection in ("all", "unknown")
        by_people = None if chances else labelled_rates(moments)
        return missing_evidence(
            "severe_errors",
            label,
            value=found.rate,
            threshold=limit,
            evidence=f"{found.events} severe errors in {found.n:,} labelled cases; nobody says how these were chosen."
            if chances
            else f"{found.events} severe errors in {found.n:,} labelled cases. "
            + ("" if by_people is None else by_people.text),
            mend="Label a random sample and say so (samples.labels.selection)"
            if chances
            else "State the chance with which each labelled case was chosen (label_probability), or label a random "
            "sample",
            more_cases=found.needed(limit),
        )
    state = rate_state(found.lower, found.upper, limit)
    more = found.needed(limit) if state == "not_shown" else None
    who = "a report counts" if moments.sourced else "people labelled"
    evidence = f"{found.events} severe errors in {found.n:,} cases that {who}"
    if found.weighted:
        evidence += ", weighted by the chance of having been chosen"
    evidence += "; the true rate is at "
    evidence += (
        f"least {at_least(found.lower, limit)}."
        if state == "exceeded"
        else f"most {at_most(found.upper, limit)}."
    )
    if found.unknown:
        evidence += f" {found.unknown} errors of unknown severity are counted as severe."
    if state != "shown" and found.unknown == found.events > 0:
        # Nobody saw a severe error: what stands against the agent is that nobody wrote down how bad its errors were.
        return missing_evidence(
            "severe_errors",
            label,
            value=found.rate,
            threshold=limit,
            evidence=evidence,
            mend=f"Record how severe each of the {found.unknown:,} errors is (severity)",
        )
    return Gate(
        gate="severe_errors",
        label=label,
        state=state,
        value=found.rate,
        threshold=limit,
        evidence=evidence,
        mend={
            "shown": "",
            "exceeded": f"Bring severe errors below {per_100} cases, then label a fresh sample",
            "not_shown": f"Label {more:,} more cases, none with a severe error"
            if more is not None
            else "Label more cases",
        }[state],
        more_cases=more,
    )
