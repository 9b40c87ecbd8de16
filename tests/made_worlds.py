"""Pilots with uncertain stated inputs, drawn by hypothesis and decided by the package's own path."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from simulator import HELD, Truth, draw_cases

from roi.analysis import Decided, decide_moments
from roi.gate import Gate
from roi.parameters import LoadedParameters, Parameters, Policy

BROKEN = (
    Gate(
        gate="human_approval", label="human approval", state="exceeded", value=0.1, threshold=0.02,
        evidence="seen", mend="Hold letters",
    ),
    *(g for g in HELD if g.gate != "human_approval"),
)  # fmt: skip


def loaded_of(parameters: dict[str, Any], draws: int = 1000) -> LoadedParameters:
    """A parameter file's content, checked, with a policy that leaves severe errors alone."""
    given = {
        "pilot": "made",
        "samples": {
            "assignment": "randomised",
            "labels": {"selection": "all", "blind": True},
            "cases": "x.csv",
        },
        "run": {"draws": draws},
    } | parameters
    policy = Policy.model_validate({"max_severe_error_rate": 1.0})
    return LoadedParameters(
        parameters=Parameters.model_validate(given),
        policy=policy,
        path=Path("params/made.yaml"),
        project=Path("."),
        name="params/made.yaml",
        params_sha256="",
        policy_sha256="",
        base_policy=policy,
        raw=given,
    )


def parameters(**changes: Any) -> dict[str, Any]:
    """A file whose inputs are uncertain, some sourced and most assumed."""
    economics = {
        "start": "2027-01",
        "labour_cost_per_hour": {"low": 38, "high": 46, "source": "payroll"},
        "realisation": {
            "cash": {"min": 0.0, "mode": 0.2, "max": 0.35},
            "redeployed": {"min": 0.1, "mode": 0.3, "max": 0.5},
        },
        "adoption": {"ceiling": {"low": 0.6, "high": 0.9}, "ramp_months": {"min": 3, "mode": 6, "max": 12}},
        "discount_rate": {"low": 0.05, "high": 0.12},
        "error_cost": {"minor": 5, "moderate": 60, "major": 1200, "critical": {"low": 9000, "high": 40000}},
        "costs": [
            {
                "name": "Connector",
                "kind": "integration",
                "amount": {"low": 60000, "high": 120000},
                "per": "once",
                "source": "offer",
            },
            {"name": "Support", "kind": "support", "amount": {"low": 2000, "high": 4000}, "per": "month"},
            {"name": "Calls", "kind": "model_usage", "amount": {"low": 0.05, "high": 0.2}, "per": "case"},
        ],
        "pilot_cost_per_month": 2100,
        "wind_down_cost": {"low": 2000, "high": 9000},
    }
    return {
        "demand": {"cases_per_month": {"low": 8000, "high": 12000, "source": "ledger"}},
        "economics": economics,
        "measurement": {"per_case": {"low": 8, "high": 16}, "per_label": 4, "setup": 1500, "cases_per_week": 160},
        "remedies": [
            {"name": "Hold letters", "addresses": "human_approval", "removes_share": {"low": 0.9, "high": 0.99},
             "cost": {"low": 9000, "high": 20000}, "cost_per_month": 200, "weeks": 4},
            {"name": "Validate", "addresses": "data", "removes_share": {"low": 0.4, "high": 0.9},
             "cost": {"low": 20000, "high": 60000}, "weeks": {"low": 4, "high": 12}},
        ],
    } | changes  # fmt: skip


def decided(
    given: dict[str, Any] | None = None,
    *,
    minutes: tuple[float, float] = (15.0, 12.0),
    errors: tuple[float, float] = (0.05, 0.06),
    by_data: float = 0.5,
    cases: int = 300,
    workers: int | None = 10,
    controls: tuple[Gate, ...] = HELD,
    seed: int = 1,
    draws: int = 1000,
    loaded: LoadedParameters | None = None,
) -> Decided:
    """A pilot of known truth with those parameters, decided."""
    truth = Truth(means=minutes, error_rates=errors, by_data=by_data)
    design = "cases" if workers is None else "within"
    drawn = draw_cases(np.random.default_rng(seed), truth, cases=cases, workers=workers, design=design)
    loaded = loaded or loaded_of(parameters() if given is None else given, draws)
    return decide_moments(loaded, drawn.moments(), controls=controls)


def around(low: float, high: float) -> st.SearchStrategy[dict[str, float]]:
    """A 90 % interval of something positive between two numbers."""
    ends = st.tuples(st.floats(low, high), st.floats(1.05, 3.0))
    return ends.map(lambda x: {"low": x[0], "high": x[0] * x[1]})


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of `decided`: stated inputs and truths that make kills, fixes and scales."""
    given = parameters()
    e = given["economics"]
    given["demand"] = {"cases_per_month": draw(around(4000, 30000))}
    e["labour_cost_per_hour"] = draw(around(20, 80))
    top = draw(st.floats(0.05, 0.5))
    e["realisation"] = {
        "cash": {"min": 0.0, "mode": top / 2, "max": top},
        "redeployed": {"min": 0.05, "mode": 0.2, "max": draw(st.floats(0.21, 0.7))},
    }
    e["adoption"]["ramp_months"] = draw(st.sampled_from([0, 6, {"min": 2, "mode": 6, "max": 20}]))
    e["costs"][0]["amount"] = draw(around(1000, 200000))
    e["costs"][1]["amount"] = draw(around(100, 8000))
    e["pilot_cost_per_month"] = draw(around(100, 5000))
    if draw(st.booleans()):
        given["remedies"] = []
    if draw(st.booleans()):
        del given["measurement"]
    return {
        "given": given,
        "minutes": (15.0, draw(st.floats(5.0, 16.0))),
        "errors": (0.06, draw(st.floats(0.02, 0.08))),
        "cases": draw(st.sampled_from([60, 300, 900])),
        "workers": draw(st.sampled_from([None, 6, 20])),
        "controls": draw(st.sampled_from([HELD, BROKEN])),
        "seed": draw(st.integers(0, 10_000)),
    }
