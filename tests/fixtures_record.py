"""A hand-made record and its pictures, for tests of what is built from them; every number is invented."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from roi.pictures import Band, Driver, FiscalYear, Histogram, Pictures


@dataclass(frozen=True)
class FakeDecision:
    """What the sections need of a decision."""

    record: dict[str, Any]
    pictures: Pictures
    sketch: dict[str, Any] | None = None


def estimate(mean: float, low: float, high: float, unit: str, label: str, **more: Any) -> dict[str, Any]:
    found = {"label": label, "mean": mean, "p05": low, "p50": mean, "p95": high, "unit": unit}
    return found | {"evidence": "measured", "n": 14, "unit_of_n": "worker"} | more


def option(label: str, mean: float, p10: float, p90: float, chance: float, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"label": label, "mean": mean, "p10": p10, "p50": mean * 0.97, "p90": p90}
    found |= {"chance_above_hurdle": chance, "cash_mean": mean * 0.45, "cash_chance": chance * 0.6}
    return found | {"currency": "EUR", "one_off": 84_000.0, "per_month": 2_900.0} | more


OPTIONS: dict[str, Any] = {
    "kill": option("Stop now", 0.0, 0.0, 0.0, 0.0, cash_mean=0.0, cash_chance=0.0),
    "keep": option("Keep the pilot as it is", -61_000.0, -75_000.0, -44_000.0, 0.0),
    "scale": option("Scale now", 118_400.0, -182_000.0, 441_000.0, 0.62, scope=["email", "portal", "post"]),
    "scale_segments": [
        option("Scale in e-mail only", 151_000.0, -41_000.0, 362_000.0, 0.74, scope=["email"]),
        option("Scale in portal only", 22_000.0, -61_000.0, 119_000.0, 0.55, scope=["portal"]),
    ],
    "fix": option(
        "Fix, then scale",
        268_300.0,
        -12_000.0,
        571_000.0,
        0.87,
        remedies=["Validate policy numbers at intake"],
        max_worth_paying=133_000.0,
    ),
    "alternatives": [
        option("Web-form validation, no AI", 71_000.0, 31_000.0, 118_000.0, 0.98, name="Web form")
    ],
}

ESTIMATES: dict[str, Any] = {
    "minutes_saved_per_case": estimate(5.13, 3.02, 7.19, "min/case", "Minutes saved per case"),
    "human_minutes_baseline": estimate(17.2, 15.8, 18.7, "min/case", "Human minutes, as before"),
    "human_minutes_pilot": estimate(12.07, 10.4, 13.9, "min/case", "Human minutes, with the agent"),
    "handling_minutes_baseline": estimate(16.1, 14.9, 17.4, "min/case", "Handling, as before"),
    "handling_minutes_pilot": estimate(7.4, 6.6, 8.3, "min/case", "Handling, with the agent"),
    "review_minutes_baseline": None,
    "review_minutes_pilot": estimate(2.9, 2.4, 3.5, "min/case", "Review, with the agent"),
    "rework_minutes_baseline": estimate(1.1, 0.8, 1.4, "min/case", "Rework, as before"),
    "rework_minutes_pilot": estimate(1.77, 1.2, 2.4, "min/case", "Rework, with the agent"),
    "relative_time_saved": estimate(0.298, 0.181, 0.402, "share", "Share of the time saved"),
    "geometric_time_ratio": estimate(0.64, 0.52, 0.79, "ratio", "Geometric ratio"),
    "error_rate_baseline": estimate(0.061, 0.034, 0.097, "share", "Errors, as before"),
    "error_rate_pilot": estimate(0.083, 0.049, 0.126, "share", "Errors, with the agent"),
    "severe_error_rate_pilot": estimate(
        0.0031, 0.0002, 0.0113, "share", "Severe errors, with the agent", upper=0.0113
    ),
    "escalation_rate_pilot": estimate(0.142, 0.098, 0.193, "share", "Escalated, with the agent"),
    "agent_cost_per_case": estimate(0.0423, 0.039, 0.046, "EUR/case", "Agent cost per case"),
    "cost_per_correct_case_baseline": estimate(
        12.9, 11.7, 14.3, "EUR/case", "Cost per correct case, as before"
    ),
    "cost_per_correct_case_pilot": estimate(
        9.4, 8.1, 11.0, "EUR/case", "Cost per correct case, with the agent"
    ),
}


def gate(name: str, label: str, state: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"gate": name, "label": label, "state": state, "value": None, "threshold": None}
    found |= {"evidence": None, "mend": None, "owner": None, "price": None, "remedy": None}
    return found | more


GATES = [
    gate(
        "complete_minutes", "Minutes are complete", "shown", evidence="98 % of cases carry all their minutes"
    ),
    gate("measured_baseline", "The baseline was measured", "shown", evidence="188 baseline cases"),
    gate(
        "covered_demand",
        "The demand is covered",
        "shown",
        value=0.9,
        threshold=0.8,
        evidence="90 % of demand",
    ),
    gate(
        "usable_inputs",
        "The inputs are usable",
        "exceeded",
        value=0.52,
        threshold=0.6,
        evidence="52 % of claims arrive without a defect, 44 to 60 %",
        mend="Validate policy numbers at intake",
        owner="IT Integration",
        price=40_000.0,
        remedy="Validate policy numbers at intake",
    ),
    gate("known_cost", "The agent's cost is known", "shown", evidence="212 of 212 pilot cases are priced"),
    gate(
        "severe_errors",
        "Severe errors are rare enough",
        "not_shown",
        value=0.0113,
        threshold=0.005,
        evidence="1 severe error in 212 labelled cases; at most 1.1 % of cases",
        mend="Label 310 more cases",
        owner="Quality",
        price=2_480.0,
    ),
    gate("design", "The comparison is fair", "shown", evidence="randomised by claim"),
    gate("bounded_access", "Access is bounded", "shown", evidence="6 of 6 grants are needed"),
    gate(
        "human_approval",
        "People approve what is risky",
        "exceeded",
        value=0.064,
        threshold=0.02,
        evidence="11 of 172 payments went out before they were approved",
        mend="Hold payments until they are approved",
        owner="Head of Claims",
    ),
    gate("audit_trail", "Every action is on record", "shown", evidence="172 of 172 actions name their case"),
    gate("evaluation", "Changes are tested first", "missing_evidence", mend="Export the evaluation runs"),
    gate("rollback", "The agent can be stopped", "missing_evidence", mend="Hold a drill"),
]

RECORD: dict[str, Any] = {
    "schema": 1,
    "pilot": "claims_intake",
    "as_of": "2026-11-30",
    "verdict": "fix",
    "fix_kind": "repair",
    "ground": None,
    "headline": "Mend the inputs first, then scale",
    "reason": "Time is saved, but half the claims arrive with broken policy numbers; validating them first "
    "lifts the chance to pay from 6 to 9 of 10.",
    "title": "Claims intake assistant",
    "workflow": "First notice of loss, from e-mail to a coded claim",
    "owner": "Head of Claims",
    "currency": "EUR",
    "decide_by": "2026-12-15",
    "goal": {"text": "Five minutes less per claim", "target": 5.0, "by": "2026-12-31", "measured": 5.13},
    "spent_to_date": 180_000.0,
    "sum_asked_for": 52_480.0,
    "first_view": {"defaults": 4, "inputs": 19, "is": False},
    "chances": {"scale_pays": 0.62, "fix_pays": 0.87, "scale_pays_cash_only": 0.31},
    "estimates": ESTIMATES,
    "by_segment": [
        {
            "segment": name,
            "share": share,
            "n_baseline": n,
            "n_pilot": n + 6,
            "covered": n > 0,
            "minutes_saved": estimate(saved, saved - 2.5, saved + 2.4, "min/case", "Minutes saved")
            if n
            else None,
            "error_rate_baseline": estimate(0.06, 0.03, 0.1, "share", "Errors, as before") if n else None,
            "error_rate_pilot": estimate(0.08, 0.05, 0.13, "share", "Errors, with the agent") if n else None,
            "worth_scale": worth if n else None,
        }
        for name, share, n, saved, worth in (
            ("email", 0.55, 96, 6.8, 151_000.0),
            ("portal", 0.35, 92, 3.2, 22_000.0),
            ("post", 0.10, 0, 0.0, 0.0),
        )
    ],
    "sample": {
        "cases": {"baseline": 188, "pilot": 212, "demo": 40},
        "workers": {"baseline": 14, "pilot": 14},
        "first": "2026-03-02",
        "last": "2026-11-27",
        "assignment": "randomised",
        "independent_unit": "worker",
    },
    "options": OPTIONS,
    "money": {
        "plan": "fix",
        "hours_saved_per_year": {"mean": 2_940.0, "p10": 1_820.0, "p90": 4_110.0},
        "capacity_fte": 1.8,
        "cash_per_year": {"mean": 31_000.0, "p10": 4_000.0, "p90": 64_000.0},
        "redeployed_per_year": {"mean": 39_000.0, "p10": 17_000.0, "p90": 66_000.0},
        "errors_per_year": {"mean": -310.0, "p10": -900.0, "p90": 240.0},
        "agent_cost_per_year": {"mean": 1_900.0, "p10": 1_500.0, "p90": 2_300.0},
        "npv": {"mean": 263_300.0, "p10": -17_000.0, "p50": 259_000.0, "p90": 566_000.0},
        "payback_months": {"p50": 17.0, "never": 0.13},
        "irr": 0.62,
        "irr_reason": None,
        "peak_funding": {"mean": 96_000.0, "p90": 118_000.0},
        "peak_month": 5.0,
        "break_even_minutes": 2.1,
    },
    "gates": GATES,
    "next": [
        {
            "action": "Validate policy numbers at intake",
            "kind": "repair",
            "owner": "IT Integration",
            "by": "2027-01-25",
            "cost": 40_000.0,
            "worth": 149_900.0,
            "pass_mark": "At least 60 % of claims arrive without a defect, on 200 claims",
        },
        {
            "action": "Label 310 more cases",
            "kind": "measure",
            "owner": "Quality",
            "by": "2027-01-08",
            "cost": 2_480.0,
            "worth": 12_300.0,
            "pass_mark": "At most 0.5 % of cases end in a severe error, with 95 % confidence",
        },
        {
            "action": "Hold payments until they are approved",
            "kind": "control",
            "owner": None,
            "by": None,
            "cost": None,
            "worth": None,
            "pass_mark": "At most 2 % of payments go out unapproved",
            "max_price": 133_000.0,
        },
    ],
    "stopping": [],
    "model_the_problem": "No: 18 % of the losses come from the model, 61 % from the data it is given.",
    "losses": [
        {"cause": "data", "share": {"mean": 0.61, "p05": 0.44, "p95": 0.75}, "per_year": 96_000.0},
        {"cause": "model", "share": {"mean": 0.18, "p05": 0.07, "p95": 0.33}, "per_year": 28_000.0},
        {"cause": "oversight", "share": {"mean": 0.09, "p05": 0.01, "p95": 0.2}, "per_year": 14_000.0},
        {"cause": "unexplained", "share": {"mean": 0.12, "p05": 0.04, "p95": 0.24}, "per_year": 19_000.0},
    ],
    "cost_of_waiting_per_month": 7_400.0,
    "price_of_caution": 0.0,
    "evpi": 21_500.0,
    "share_assumed": 0.38,
    "tipping_point": {"bias": 2.9, "in_sd": None},
    "unknowns": [
        "How the agent does on claims by post, 10 % of the demand: none were sampled.",
        "Whether a change of the agent is tested before it goes live.",
    ],
    "not_stated": ["security_legal", "monitoring", "decommissioning"],
    "assumptions": [
        {
            "key": key,
            "label": label,
            "value": value,
            "mean": mean,
            "p05": mean * 0.8,
            "p95": mean * 1.2,
            "unit": unit,
            "evidence": evidence,
            "source": source,
            "owner": owner,
            "as_of": None,
            "how": how,
        }
        for key, label, value, mean, unit, evidence, source, owner, how in (
            (
                "demand.cases_per_month",
                "Cases per month",
                "3,800 to 5,200",
                4_465.0,
                "cases/month",
                "sourced",
                "claims ledger 2025",
                "Operations",
                None,
            ),
            (
                "economics.labour_cost_per_hour",
                "Labour cost per hour",
                "38 to 46",
                41.9,
                "EUR/hour",
                "assumed",
                None,
                None,
                None,
            ),
            (
                "economics.realisation.cash",
                "Share of saved time that becomes cash",
                "0 to 0.35, most likely 0.2",
                0.19,
                "share",
                "assumed",
                None,
                "Head of Claims",
                "two agency contracts end",
            ),
            (
                "economics.contingency",
                "Contingency on one-off costs",
                "0.2",
                0.2,
                "share",
                "default",
                None,
                None,
                None,
            ),
        )
    ],
    "claims": [
        {
            "quantity": "minutes_saved_per_case",
            "claimed": 11.0,
            "measured": 5.13,
            "by": "vendor",
            "source": "demo",
        }
    ],
    "excluded": [
        {"table": "cases", "reason": "demo cases carry no value", "rows": 40, "arm": "pilot"},
        {"table": "cases", "reason": "an earlier version of the agent", "rows": 31, "arm": "pilot"},
    ],
    "imputed": [{"what": "take-over minutes", "rows": 9, "how": "the baseline mean of their segment"}],
    "warnings": ["Rework minutes are missing in 6 % of pilot cases."],
    "exceptions": [],
    "rule_error_rates": {
        "false_scale": 0.04,
        "false_kill": 0.07,
        "at": "200 cases, 14 workers",
        "text": "Of 100 pilots of this size that should not scale, the rule scales about 4; of 100 that "
        "should go on, it stops about 7.",
    },
    "signed": [],
    "provenance": {
        "roi": "0.1.0",
        "params_sha256": "9d" * 32,
        "policy_sha256": "1c" * 32,
        "samples_sha256": {"data/claims_intake/cases.csv": "ab" * 32},
        "versions": {"numpy": "2.4.0", "duckdb": "1.5.6"},
        "seed": 20260101,
        "draws": 10_000,
    },
}


def make_record(**changes: Any) -> dict[str, Any]:
    """The record above with top-level keys replaced."""
    return deepcopy(RECORD) | changes


def make_kill() -> dict[str, Any]:
    """A kill without anything that could be worked out, the sparsest record there is."""
    sparse = dict.fromkeys(ESTIMATES)
    options = {
        "kill": deepcopy(OPTIONS["kill"]),
        "keep": None,
        "scale": None,
        "scale_segments": [],
        "fix": None,
    }
    return make_record(
        verdict="kill",
        fix_kind=None,
        ground="no_data",
        headline="Stop: the value cannot be measured",
        reason="No baseline was timed, and timing one would cost more than knowing is worth.",
        decide_by=None,
        goal=None,
        spent_to_date=None,
        sum_asked_for=5_000.0,
        first_view={"defaults": 11, "inputs": 14, "is": True},
        chances={"scale_pays": None, "fix_pays": None, "scale_pays_cash_only": None},
        estimates=sparse,
        by_segment=[],
        sample=RECORD["sample"] | {"workers": {"baseline": None, "pilot": None}, "first": None, "last": None},
        options=options | {"alternatives": []},
        money=None,
        next=[],
        stopping=[
            {"what": "Access to revoke", "items": ["claims-db: read", "mail: send"]},
            {"what": "Contracts with notice", "items": ["Seats, 40 licences"]},
            {"what": "Whom to tell", "items": ["Head of Claims", "Works council"]},
            {"what": "reopen", "items": ["A timed baseline of 60 cases"]},
        ],
        losses=[],
        model_the_problem="Too few losses to tell.",
        cost_of_waiting_per_month=2_100.0,
        price_of_caution=None,
        evpi=None,
        share_assumed=None,
        tipping_point=None,
        rule_error_rates=None,
        claims=[],
        imputed=[],
    )


def make_scale() -> dict[str, Any]:
    """A pilot that scales in one segment."""
    gates = [g | {"state": "shown", "mend": None} for g in deepcopy(GATES)]
    return make_record(
        verdict="scale",
        fix_kind=None,
        headline="Scale in e-mail",
        reason="E-mail claims take seven minutes less, errors did not rise, and it pays in 9 of 10 outcomes.",
        money=deepcopy(RECORD["money"]) | {"plan": "scale_segments"},
        gates=gates,
        next=[RECORD["next"][0] | {"action": "Roll out to e-mail", "kind": "go"}],
    )


def make_pictures(seed: int = 7, *, empty: bool = False) -> Pictures:
    """Pictures of random numbers; `empty` has nothing to draw."""
    if empty:
        return Pictures(minutes=None, worth={}, cumulative=None, fiscal_years=(), drivers=())
    rng = np.random.default_rng(seed)
    edges = np.linspace(0.0, 48.0, 25)

    def histogram(values: np.ndarray, at: np.ndarray) -> Histogram:
        counts = np.histogram(np.clip(values, at[0], at[-1]), bins=at)[0]
        return Histogram(at, counts / counts.sum())

    scale = rng.normal(118_400, 240_000, 10_000)
    fix = rng.normal(268_300, 230_000, 10_000)
    worth_edges = np.linspace(-700_000, 1_200_000, 41)
    month = np.arange(37)
    path = -95_000 * np.minimum(1, month / 5) + 11_500 * np.maximum(0, month - 4)
    spread = 6_500.0 * month
    return Pictures(
        minutes={
            "baseline": histogram(rng.gamma(4.0, 4.3, 188), edges),
            "pilot": histogram(rng.gamma(3.0, 4.0, 212), edges),
        },
        worth={"scale": histogram(scale, worth_edges), "fix": histogram(fix, worth_edges)},
        cumulative=Band(month=month, p10=path - spread, p50=path, p90=path + spread, mean=path + 0.0),
        fiscal_years=(
            FiscalYear(
                label="2027",
                benefit=61_000,
                cost=131_000,
                net_p10=-118_000,
                net_mean=-70_000,
                net_p90=-12_000,
            ),
            FiscalYear(
                label="2028", benefit=188_000, cost=38_000, net_p10=41_000, net_mean=150_000, net_p90=264_000
            ),
            FiscalYear(
                label="2029", benefit=192_000, cost=38_000, net_p10=44_000, net_mean=154_000, net_p90=269_000
            ),
            FiscalYear(
                label="2030", benefit=31_000, cost=6_000, net_p10=7_000, net_mean=25_000, net_p90=44_000
            ),
        ),
        drivers=(
            Driver(
                key="minutes_saved_per_case",
                label="Minutes saved per case",
                low_text="3.0 min",
                high_text="7.2 min",
                low=20_000,
                high=511_000,
                evidence="measured",
            ),
            Driver(
                key="economics.realisation.redeployed",
                label="Share of saved time that goes into other work",
                low_text="14 %",
                high_text="46 %",
                low=91_000,
                high=446_000,
                evidence="assumed",
            ),
            Driver(
                key="demand.cases_per_month",
                label="Cases per month",
                low_text="3,800",
                high_text="5,200",
                low=201_000,
                high=338_000,
                evidence="sourced",
            ),
            Driver(
                key="economics.adoption.ceiling",
                label="Share of cases routed to the agent",
                low_text="60 %",
                high_text="90 %",
                low=211_000,
                high=325_000,
                evidence="assumed",
            ),
            Driver(
                key="error_rate_pilot",
                label="Errors with the agent",
                low_text="4.9 %",
                high_text="12.6 %",
                low=310_000,
                high=226_000,
                evidence="measured",
            ),
        ),
    )


def make_decision(record: dict[str, Any] | None = None, *, empty: bool = False) -> FakeDecision:
    """A decision of the record (the fix, unless given) and its pictures."""
    return FakeDecision(record if record is not None else make_record(), make_pictures(empty=empty))
