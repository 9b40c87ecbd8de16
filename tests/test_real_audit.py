"""The audit on real public data, used in place; skipped with a reason where it is not there."""

from __future__ import annotations

import csv
import datetime as dt
import json

import pytest
from scipy import stats
from test_real_data import DATA, DOMAINS, needs_data, parameter_file

from roi.audit_actions import integration_of_record, oversight_of_record
from roi.audit_inputs import inputs_of_record
from roi.input_quality import take_input_quality
from roi.integration import take_integration
from roi.oversight import take_oversight
from roi.parameters import load_parameters
from roi.samples import open_samples


@pytest.fixture(scope="module")
def receipts(tmp_path_factory):
    """What is found in the fields, and the events as the standard library reads them."""
    folder = tmp_path_factory.mktemp("receipts")
    path = parameter_file(folder, "receipt")
    with (DATA / "process-logs/receipt.csv").open(encoding="utf-8", newline="") as file:
        events = list(csv.DictReader(file))
    cases = {e["case:concept:name"]: e for e in events}
    rows = [
        {
            "case_id": key,
            "arm": "baseline",
            "segment": e["case:channel"].lower(),
            "started_at": e["case:startdate"],
        }
        for key, e in cases.items()
    ]
    (folder / "data").mkdir()
    (folder / "data/cases.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = inputs_of_record(take_input_quality(open_samples(load_parameters(path)), min_group=5))
    return {f["field"]: f for f in found["fields"]}, found, events


@pytest.mark.slow
@needs_data
def test_missing_fields_of_receipts_are_found(receipts):
    """105 of 1,434 cases never ended; two in three have no group; 1,936 events have a group that says EMPTY."""
    fields, found, events = receipts
    assert found["cases"] == {"production": 1434, "demo": 0}
    assert found["rows"]["production"] == len(events) == 8577
    for name in ("case:enddate", "case:group", "case:responsible"):
        lacking = {e["case:concept:name"] for e in events if not e[name]}
        assert fields[name]["production"]["missing"]["k"] == len(lacking), name
    assert fields["case:enddate"]["production"]["missing"]["k"] == 105
    empty = {e["case:concept:name"] for e in events if e["org:group"] == "EMPTY"}
    assert fields["org:group"]["production"]["found"]["placeholder"] == len(empty)
    assert fields["case:group"]["production"]["defective"]["k"] == 0  # nobody says that each needs one


@needs_data
def test_late_fields_of_receipts_are_found(receipts):
    """377 cases ended after their deadline, and two before they had begun."""
    fields, _, events = receipts
    cases = {e["case:concept:name"]: e for e in events}
    late = early = 0
    for case in cases.values():
        if case["case:enddate"]:
            end, start, deadline = (
                dt.datetime.fromisoformat(case[f"case:{n}"]) for n in ("enddate", "startdate", "deadline")
            )
            late, early = late + (end > deadline), early + (end < start)
    assert (late, early) == (377, 2)
    end = fields["case:enddate"]["production"]
    assert end["found"]["contradiction"] == late + early
    assert end["defective"]["k"] == 105 + late + early
    interval = stats.binomtest(105 + late + early, 1434).proportion_ci(0.90, method="exact")
    assert (end["defective"]["low"], end["defective"]["high"]) == pytest.approx((interval.low, interval.high))


@needs_data
def test_clean_fields_of_receipts_have_no_defects(receipts):
    """Of ids, dates with and without fractions of a second, and channels nothing is called defective by inference."""
    fields, found, _ = receipts
    for name in (
        "case:channel",
        "case:department",
        "case:deadline",
        "case:startdate",
        "concept:instance",
        "time:timestamp",
    ):
        assert fields[name]["production"]["defective"]["k"] == 0, name
    share = sum(f["production"]["defective"]["k"] for n, f in fields.items() if n != "case:enddate")
    assert share <= 10  # a resource that is called TEST, or admin1 and the like
    assert found["cases_with_several_rows"]["production"] > 1000


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The tool calls of a customer-service agent before and after training, as a log of actions."""
    folder = tmp_path_factory.mktemp("tau2")
    cases, actions = [], []
    for path in sorted((DATA / "tau2-before-after").glob("*.json")):
        domain = next(d for d in DOMAINS if d in path.name)
        for run in json.loads(path.read_text(encoding="utf-8"))["simulations"]:
            errors = {m["id"]: bool(m["error"]) for m in run["messages"] if m["role"] == "tool"}
            ended = {m["id"]: m["timestamp"] for m in run["messages"] if m["role"] == "tool"}
            calls = [
                (call, m["timestamp"])
                for m in run["messages"]
                if m["role"] == "assistant"
                for call in m.get("tool_calls") or []
            ]
            moved = any(call["name"] == "transfer_to_human_agents" for call, _ in calls)
            right = run["reward_info"]["reward"] == 1.0
            cases.append(
                {
                    "case_id": run["id"],
                    "arm": "pilot" if path.name.startswith("ft_") else "baseline",
                    "segment": domain,
                    "outcome": "escalated" if moved else "correct" if right else "error",
                    # A transfer that was not what the task wanted: the agent should have solved it.
                    "judge_outcome": ("escalated" if right else "correct") if moved else None,
                }
            )
            actions += [
                {
                    "action_id": f"{run['id']}/{i}",
                    "case_id": run["id"],
                    "tool": "call",
                    "system": domain,
                    "scope": "tools",
                    "status": None if call["id"] not in errors else "error" if errors[call["id"]] else "ok",
                    "requested_at": at,
                    "executed_at": ended.get(call["id"]),
                }
                for i, (call, at) in enumerate(calls)
            ]
    (folder / "data").mkdir()
    for name, rows in (("cases", cases), ("actions", actions)):
        (folder / f"data/{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    path = folder / "params/tau2_calls.yaml"
    path.parent.mkdir()
    text = "{pilot: tau2_calls, samples: {cases: data/cases.jsonl, actions: data/actions.jsonl}}"
    path.write_text(text, encoding="utf-8")
    samples = open_samples(load_parameters(path))
    return take_integration(samples), take_oversight(samples, timezone=None)


ERRORS = {  # counted in the files themselves: failed tool calls, of calls of the agent; before and after
    "airline": ((1, 148), (1, 147)), "retail": ((12, 299), (23, 292)),
    "telecom": ((0, 207), (10, 656)), "telecom_no-user": ((2, 626), (0, 589)),
}  # fmt: skip


@needs_data
def test_tau2_tool_errors_before_and_after(runs):
    """15 of 1,280 calls fail before the training and 34 of 1,684 after it: more calls, and no fewer that fail."""
    found = integration_of_record(runs[0])
    rows = {(r["system"], r["arm"]): r for r in found["by_system"]}
    for domain, counts in ERRORS.items():
        for arm, (k, n) in zip(("baseline", "pilot"), counts, strict=True):
            assert (rows[domain, arm]["failed"]["k"], rows[domain, arm]["failed"]["n"]) == (k, n), (
                domain,
                arm,
            )
    assert (found["failed"]["k"], found["failed"]["n"]) == (34, 1684)
    met = found["cases_that_met"]
    assert met["baseline"]["any"]["n"] + met["pilot"]["any"]["n"] <= 280
    assert rows["telecom_no-user", "pilot"]["failed"]["high"] == pytest.approx(1 - 0.05 ** (1 / 589))
    assert any("read from their times" in text for text in found["missing"])


@needs_data
def test_tau2_transfers_before_and_after(runs):
    """43 transfers before and 41 after: as many, but 29 instead of 17 of them are what the task wanted."""
    x = runs[1]
    assert (x.handed_over_before, x.escalations_before) == ((43, 140), (17, 43))
    assert (x.handed_over, x.escalations, x.told_by) == ((41, 140), (29, 41), "judge")
    said = oversight_of_record(x, min_group=5)
    assert said["right_to_hand_over"]["low"] > said["before"]["right_to_hand_over"]["share"]
    assert said["waiting"] is None
