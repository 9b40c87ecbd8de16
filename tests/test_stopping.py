"""What alone would reopen a pilot that was stopped, and what a fix that stops is called."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pilots import cases, controls, write_pilot

from roi.candidates import candidate_of
from roi.option_record import fix_of_record
from roi.pilot import open_pilot
from roi.report.facts import choices
from roi.stopping import needed_minutes

# By hand: a minute less in each of 1,000 cases a month that all go to the agent, at 60 an hour of which half becomes
# cash, is 1,000 × 60 / 60 × 0.5 = 500 a month. Nothing is discounted, and there is no ramp: in 12 months 6,000.
PER_MINUTE = 6_000.0
BY_HAND = {
    "demand": {"cases_per_month": 1000},
    "economics": {
        "start": "2027-01",
        "horizon_months": 12,
        "discount_rate": 0.0,
        "labour_cost_per_hour": 60,
        "realisation": {"cash": 0.5, "redeployed": 0.0},
        "adoption": {"ceiling": 1.0, "ramp_months": 0},
        "costs": [
            {"name": "Roll-out", "kind": "integration", "amount": 30000, "per": "once", "source": "quote"}
        ],
        "contingency": 0.0,
        "pilot_cost_per_month": 0,
        "wind_down_cost": 0,
    },
}


def remedy(**more):
    return {
        "name": "Four eyes",
        "addresses": "human_approval",
        "removes_share": 1,
        "cost": 0,
        "weeks": 0,
        "pays_approvers": True,
    } | more


@pytest.fixture(scope="module")
def needed(tmp_path_factory):
    """What `needed_minutes` says of a pilot with one case in four unapproved, by the remedy for that."""
    rows = cases(baseline=9.5, pilot=9.0)
    logs = controls(rows)
    for i, action in enumerate(logs["actions"]):
        if i % 4 == 0:
            action["decision"], action["approver"], action["decided_at"] = "auto", "", ""

    def ask(economics=None, **more):
        stated = BY_HAND | {"remedies": [remedy(**more)]}
        stated |= {"economics": BY_HAND["economics"] | (economics or {})}
        path = write_pilot(tmp_path_factory.mktemp("pilot"), rows, stated, tables=logs)
        return open_pilot(path).decision

    return ask


@pytest.mark.slow
def test_what_reopens_pays_the_mend(needed):
    """12,000 once are 2 minutes more of 6,000 each; 250 a month for 12 months are half a minute."""
    free, dear, monthly = (
        needed_minutes(needed(**more).analysis) for more in ({}, {"cost": 12_000}, {"cost_per_month": 250})
    )
    assert (free.price, dear.price, free.unpriced) == (0.0, 12_000.0, False)
    assert dear.minutes - free.minutes == pytest.approx(12_000 / PER_MINUTE, abs=1e-3)
    assert monthly.minutes - free.minutes == pytest.approx(12 * 250 / PER_MINUTE, abs=1e-3)


@pytest.mark.slow
def test_what_reopens_pays_for_approving(needed):
    """Where the remedy's own cost does not pay the people who approve, their minutes are needed on top."""
    free, approved = needed().analysis, needed({"approval_minutes": 2}, pays_approvers=False).analysis
    more = needed_minutes(approved).minutes - needed_minutes(free).minutes
    assert more == pytest.approx(approved.valuer.approving().minutes, abs=1e-3)
    assert more == pytest.approx(2 * 0.25, rel=0.05)


@pytest.mark.slow
def test_a_kill_says_what_its_minutes_pay_and_what_they_leave_out(needed):
    found = needed(cost=12_000)
    assert (found.verdict, found.record["ground"]) == ("kill", "thin_value")
    (said,) = found.record["stopping"][-1]["items"]
    assert said.endswith("which also pays for mending what is closed (EUR 12,000)")
    plan = found.record["options"]["fix"]
    assert (plan["label"], plan["stops_after"]) == ("Fix, then stop", True)
    shown = candidate_of(found.analysis, found.record).shown
    assert shown is not None
    assert shown.label.startswith("Fix, then stop: ")
    assert not str(found.record["knowing"]["about"]).startswith("Fix, then scale")
    unpriced = needed(cost=None)
    (said,) = unpriced.record["stopping"][-1]["items"]
    assert said.endswith("; what is closed and has no price yet comes on top")


@pytest.mark.parametrize(
    ("passes", "sure", "label", "stops"),
    [(0.97, 0.0, "Fix, then stop", True), (0.97, 0.5, "Fix, then scale in email", False)],
)
def test_a_fix_that_is_never_rolled_out_is_called_so(passes, sure, label, stops):
    option = SimpleNamespace(kind="scale_segments", scope=SimpleNamespace(segments=("email",)))
    plan = SimpleNamespace(passes=passes, sure=sure, price=547_000.0, option=option)
    found = fix_of_record(plan, "USD")
    assert (found["label"], found["stops_after"]) == (label, stops)
    assert found["chance_rolled_out"] == passes * sure
    (row,) = [
        c for c in choices({"verdict": "kill", "options": {"fix": found | {"mean": -1.0}}}) if c.name == "fix"
    ]
    assert row.ends is stops
    assert ("then the rule would stop" in row.remark) is stops
