"""Checks of the controls on real public data, used in place; skipped with a reason where it is not there."""

from __future__ import annotations

import csv
import datetime as dt
import json

import pytest
from made_controls import by_name
from pilots import cases, write_pilot
from scipy import stats
from test_real_data import DATA, needs_data

from roi.controls.approval_checks import approval_checks
from roi.controls.approvers import approver_findings
from roi.controls.logs import Logs
from roi.controls.suite_checks import suite_checks
from roi.controls.suite_power import worse_by_chance
from roi.controls.suite_runs import read_suite
from roi.parameters import load_parameters
from roi.samples import open_samples


def opened(folder, tables, rows=None, **policy):
    """Logs of tables that are written to files and read as any other's are."""
    path = write_pilot(folder, rows or cases(40), tables=tables, policy={"approved_by": "Board", **policy})
    loaded = load_parameters(path)
    return Logs(
        samples=open_samples(loaded), policy=loaded.policy, as_of=dt.date(2026, 11, 30), mix={"a": 1.0}
    )


# Permission decisions of managed agents


@pytest.fixture(scope="module")
def sessions():
    """Tool calls of four sessions: session, tool, when it was asked for, what was decided and when, when it ran."""
    calls, twice = {}, 0
    for path in sorted((DATA / "trace-formats/anthropic-managed-agents").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip():
                continue
            method, payload = json.loads(line)
            if method.endswith("events.send"):
                sent = [
                    e["tool_use_id"] for e in payload[1]["events"] if e["type"] == "user.tool_confirmation"
                ]
                twice += len(sent)
                continue  # what a person sent comes back in the stream, with its time: it is counted there
            event, at = payload, payload.get("processed_at")
            match event.get("type"):
                case "agent.tool_use" | "agent.mcp_tool_use" | "agent.custom_tool_use":
                    asked = event.get("evaluated_permission")
                    calls[event["id"]] = {
                        "action_id": event["id"],
                        "case_id": path.stem,
                        "tool": event["name"],
                        "effect": "read",
                        "requested_at": at,
                        "requester": "agent",
                        "decision": "auto" if asked == "allow" else "",
                        "approver": "",
                        "decided_at": "",
                        "executed_at": "",
                        "status": "",
                    }
                case "user.tool_confirmation":
                    calls[event["tool_use_id"]] |= {
                        "decision": "approved" if event["result"] == "allow" else "rejected",
                        "approver": "user",
                        "decided_at": at,
                    }
                case "agent.tool_result" | "agent.mcp_tool_result" | "user.custom_tool_result":
                    keys = ("tool_use_id", "mcp_tool_use_id", "custom_tool_use_id")
                    call = calls[next(event[k] for k in keys if k in event)]
                    refused = call["decision"] == "rejected"
                    call |= {"status": "denied" if refused else "ok", "executed_at": "" if refused else at}
    return list(calls.values()), twice


@needs_data
def test_each_confirmation_of_a_managed_agent_is_counted_once(sessions, tmp_path):
    """Five calls: two allowed by rule, one of a custom tool, and of two that a person was asked about one was refused."""
    calls, sent = sessions
    assert sorted(c["decision"] for c in calls) == ["", "approved", "auto", "auto", "rejected"]
    assert sent == 2
    rows = [
        {
            "case_id": case,
            "arm": "pilot",
            "setting": "production",
            "handling_minutes": 1,
            "segment": "a",
            "started_at": "2026-07-06 14:00",
        }
        for case in sorted({c["case_id"] for c in calls})
    ]
    logs = opened(tmp_path, {"actions": calls}, rows, high_risk_tools=["web_search_exa"])
    found = by_name(approval_checks(logs), "human_approval")
    check = found["approved_before"]
    assert (check.misses, check.n, check.status, check.more) == (0, 1, "missing_evidence", 148)
    assert check.bound == pytest.approx(0.95)
    assert found["rejected_ran"].status == "pass"
    assert found["rejected_ran"].n == 1
    assert found["approved_late"].status == found["decided_early"].status == "pass"
    (person,) = approver_findings(logs).people
    assert (person.decisions, person.refused, person.timed) == (2, 1, 1)
    assert person.median_seconds == pytest.approx(0.636942)  # 16:52:58.959847 to 16:52:59.596789
    assert person.quick == 1
    assert found["reading_time"].status == "missing_evidence"  # one approval is no habit


@needs_data
def test_a_refused_call_that_ran_all_the_same_would_be_found(sessions, tmp_path):
    calls = [dict(call) for call in sessions[0]]
    at = next(i for i, call in enumerate(calls) if call["decision"] == "rejected")
    calls[at] |= {"status": "ok", "executed_at": calls[at]["decided_at"]}
    found = by_name(approval_checks(opened(tmp_path, {"actions": calls})), "human_approval")
    assert found["rejected_ran"].status == "fail"
    assert found["rejected_ran"].rows.first == (at + 1,)


# Prompts as versions of a suite


@pytest.fixture(scope="module")
def prompts():
    """Passes of 68 test cases by prompt and temperature, in the order of the columns."""
    with (DATA / "promptfoo-classification/results.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    found = {}
    seen: dict[str, int] = {}
    for i, head in enumerate(header[2:], 2):
        told = json.loads(head)
        warm = told["provider"].split(": ")[1]
        name = ("simple", "rag", "rag_cot")[seen.get(warm, 0)]
        seen[warm] = seen.get(warm, 0) + 1
        found[name, warm] = [row[i].startswith("[PASS]") for row in rows]
        assert sum(found[name, warm]) == told["metrics"]["testPassCount"]
    return found


def as_suite(folder, versions):
    """Versions that came one after the other, a day apart; each was run an hour after it came."""
    evals, changes = [], []
    start, before = dt.datetime(2026, 8, 1, 9), ""
    for day, (version, runs) in enumerate(versions.items()):
        at = start + dt.timedelta(days=day)
        changes.append({"version": version, "changed_at": at, "kind": "prompt", "replaces": before})
        before = version
        evals += [
            {
                "version": version,
                "run_id": f"{version}-{run}",
                "eval_case": f"e{i}",
                "passed": int(passed),
                "ran_at": at + dt.timedelta(hours=1, minutes=run),
            }
            for run, results in enumerate(runs)
            for i, passed in enumerate(results)
        ]
    return opened(folder, {"evals": evals, "changes": changes})


@needs_data
@pytest.mark.parametrize(
    ("before", "live", "shares", "gain", "status"),
    [
        ("simple", "rag", (0.706, 0.941), True, "pass"),
        ("rag", "rag_cot", (0.941, 0.956), False, "pass"),
        ("rag", "simple", (0.941, 0.706), False, "fail"),
    ],
)
def test_prompts_at_temperature_0_as_versions(prompts, before, live, shares, gain, status, tmp_path):
    """0.706 to 0.941 is a gain; 0.941 to 0.956 is not to be told from chance; the way back is a regression."""
    old, new = prompts[before, "T-0.0"], prompts[live, "T-0.0"]
    logs = as_suite(tmp_path, {before: [old], live: [new]})
    found = by_name(suite_checks(logs), "evaluation")
    assert found["no_regression"].status == status
    assert found["no_regression"].value == pytest.approx(shares[1], abs=5e-4)
    suite = read_suite(logs)
    compared = suite.compared(suite.live)
    pairs = list(zip(old, new, strict=True))
    worse, better = pairs.count((True, False)), pairs.count((False, True))
    assert (compared.n, len(compared.worse), compared.better) == (68, worse, better)
    by_chance = worse_by_chance(better, worse)  # the other way round: of so many better ones
    assert by_chance == pytest.approx(stats.binomtest(better, better + worse, alternative="greater").pvalue)
    assert (by_chance < 0.05) is gain
    assert found["no_regression"].rows is None or found["no_regression"].rows.count == worse


@needs_data
def test_68_cases_show_a_drop_only_where_few_turn_either_way(prompts, tmp_path):
    """66 cases are needed where none turns to the better beside a drop; each that does calls for more."""
    logs = as_suite(tmp_path, {n: [prompts[n, "T-0.0"]] for n in ("rag", "rag_cot")})
    check = by_name(suite_checks(logs), "evaluation")["suite_power"]
    suite = read_suite(logs)
    compared = suite.compared(suite.live)
    flips = min(compared.better, len(compared.worse))
    assert (check.n, check.status) == (68, "pass" if flips == 0 else "missing_evidence")
    assert check.more is None or check.more > 0


@needs_data
def test_cases_that_turn_with_the_temperature_are_not_stable(prompts, tmp_path):
    """The five temperatures as five runs of one version: counted by hand."""
    runs = [results for (name, _), results in prompts.items() if name == "simple"]
    assert len(runs) == 5
    turned = sum(len(set(results)) > 1 for results in zip(*runs, strict=True))
    check = by_name(suite_checks(as_suite(tmp_path, {"simple": runs})), "evaluation")["stable_cases"]
    assert (check.misses, check.n) == (turned, 68)
    assert check.rows is None if not turned else check.rows.count == 5 * turned


# A change of a model


@pytest.fixture(scope="module")
def trained():
    """140 tasks of a customer-service agent before and after fine-tuning, with the times of their runs."""
    rows = []
    for path in sorted((DATA / "tau2-before-after").glob("*.json")):
        after = path.name.startswith("ft_")
        domain = next(d for d in ("airline", "retail", "telecom_no-user", "telecom") if d in path.name)
        for run in json.loads(path.read_text(encoding="utf-8"))["simulations"]:
            rows.append(
                {
                    "version": "tuned" if after else "base",
                    "suite": domain,
                    "eval_case": f"{domain}/{run['task_id']}",
                    "passed": int(run["reward_info"]["reward"] == 1),
                    "ran_at": run["start_time"],
                }
            )
    return rows


@needs_data
def test_fine_tuning_as_a_change_with_a_before_and_an_after(trained, tmp_path):
    """40 tasks were fixed and 11 broken (README of the data set); most runs of the base model were made afterwards."""
    changes = [
        {"version": "base", "changed_at": "2025-07-31 20:00", "kind": "model", "replaces": ""},
        {"version": "tuned", "changed_at": "2025-08-01 15:00", "kind": "model", "replaces": "base"},
    ]
    logs = opened(tmp_path, {"evals": trained, "changes": changes})
    found = by_name(suite_checks(logs), "evaluation")
    assert found["changes_tested"].status == "pass"
    # The cases of the made-up pilot beside it are of neither model.
    assert found["live_tested"].status == "fail"
    assert "of 140 cases 40 better and 11 worse" in found["no_regression"].evidence
    assert found["no_regression"].status == "pass"
    # Tasks turn both ways so often that 140 of them could miss a drop of ten points.
    assert found["suite_power"].status == "missing_evidence"
    assert found["suite_power"].more > 0
    assert found["stable_cases"].status == "missing_evidence"


@needs_data
def test_going_back_to_the_base_model_is_a_regression(trained, tmp_path):
    changes = [
        {"version": "tuned", "changed_at": "2025-07-31 19:00", "kind": "model", "replaces": ""},
        {"version": "base", "changed_at": "2025-07-31 20:00", "kind": "model", "replaces": "tuned"},
    ]
    found = by_name(suite_checks(opened(tmp_path, {"evals": trained, "changes": changes})), "evaluation")
    assert found["no_regression"].status == "fail"
    assert "11 better and 40 worse" in found["no_regression"].evidence
    assert found["no_regression"].rows.count == 40
    p = stats.binomtest(40, 51, alternative="greater").pvalue
    assert p < 0.001
    assert "fewer than 1 of 1,000" in found["no_regression"].evidence
    assert found["changes_tested"].status == "fail"  # the tuned model was run only after it was replaced
