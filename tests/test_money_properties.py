"""Whatever makes a pilot dearer, slower or less realised never raises what any option is worth."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from pilots import cases, controls, write_pilot

from roi.option_record import options_of_record
from roi.pilot import open_pilot

pytestmark = pytest.mark.slow  # whole runs: together they would take a fifth of the fast suite

REMEDIES = [
    {
        "name": "Validate",
        "addresses": "data",
        "removes_share": {"low": 0.5, "high": 0.8},
        "cost": 4000,
        "weeks": 4,
    },
    {"name": "Four eyes", "addresses": "human_approval", "removes_share": 1, "cost": 2000, "weeks": 3},
]
START: dict[str, Any] = {"remedies": REMEDIES, "demand": {"cases_per_month": 5000}}


def rows() -> list[dict[str, Any]]:
    found = cases(900, error_pilot=0.10, error_baseline=0.05)
    return [r | {"cause": "data" if r["outcome"] == "error" and r["arm"] == "pilot" else ""} for r in found]


def worths(folder, changes: dict[str, Any]) -> dict[str, float]:
    """Expected worth of every option but stopping, by name."""
    content = rows()
    logs = controls(content)
    for action in logs["actions"][::9]:
        action["decision"] = "auto"
    decision = open_pilot(write_pilot(folder, content, changes, tables=logs)).decision
    options = options_of_record(
        decision.analysis
    )  # without the rest of the record, which takes as long again
    found = {name: options[name]["mean"] for name in ("keep", "scale", "fix") if options[name]}
    return found | {o["label"]: o["mean"] for o in options["scale_segments"]}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    found = worths(tmp_path_factory.mktemp("start"), START)
    assert {"keep", "scale", "fix"} <= set(found)
    assert found["fix"] > 0
    assert found["scale"] > 0  # where it loses, less of it or later is more
    return found


def changed(*path: Any, to: Any) -> dict[str, Any]:
    changes = deepcopy(START)
    here: Any = changes
    for key in path[:-1]:
        here = here.setdefault(key, {}) if isinstance(key, str) else here[key]
    here[path[-1]] = to
    return changes


COSTS = [
    {"name": "Connector", "kind": "integration", "amount": 30000, "per": "once", "source": "quote"},
    {"name": "Support", "kind": "support", "amount": 500, "per": "month", "source": "quote"},
]
WORSE = {
    "less cash": changed("economics", "realisation", "cash", to={"min": 0.0, "mode": 0.1, "max": 0.2}),
    "less redeployed": changed("economics", "realisation", "redeployed", to={"min": 0.1, "mode": 0.2, "max": 0.3}),
    "a dearer one-off": changed("economics", "costs", to=[COSTS[0] | {"amount": 45000}, COSTS[1]]),
    "a dearer month": changed("economics", "costs", to=[COSTS[0], COSTS[1] | {"amount": 900}]),
    "a cost a case": changed("economics", "costs", to=[*COSTS, {"name": "x", "kind": "other", "amount": 0.1, "per": "case"}]),
    "a cost a year": changed("economics", "costs", to=[*COSTS, {"name": "x", "kind": "other", "amount": 900, "per": "year"}]),
    "more contingency": changed("economics", "contingency", to=0.5),
    "a dearer pilot": changed("economics", "pilot_cost_per_month", to=2500),
    "a dearer remedy": changed("remedies", 0, "cost", to=9000),
    "a remedy that costs monthly": changed("remedies", 0, "cost_per_month", to=80),
    "a slower remedy": changed("remedies", 0, "weeks", to=15),
    "a slower ramp": changed("economics", "adoption", "ramp_months", to=14),
}  # fmt: skip


@pytest.mark.parametrize("change", WORSE)
def test_worse_is_never_worth_more(tmp_path, start, change):
    found = worths(tmp_path, WORSE[change])
    assert set(found) == set(start)
    for name, worth in found.items():
        assert worth <= start[name] + 1e-6, f"{change}: {name} rose from {start[name]:.2f} to {worth:.2f}"
    assert any(worth < start[name] - 1 for name, worth in found.items()), f"{change} changed nothing"
