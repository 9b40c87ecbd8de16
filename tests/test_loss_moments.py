"""From files to causes: what each case's log shows, bad labels and stray actions, two coders, and the record."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from pilots import cases, write_pilot
from sample_projects import Project

from roi.approvals import approvals_of
from roi.cause_prices import agreement_on_causes, prices, severities_of_price
from roi.causes import CAUSES
from roi.moments import Losses
from roi.pilot import open_pilot
from roi.reduce import take_moments
from roi.relation import Relation

CASES = """case_id,arm,worker,handling_minutes,outcome,cause,cause_2,used,input_defects,agent_cost
B1,baseline,w1,9,correct,,,,,
P1,pilot,w1,5,correct,,,yes,0,0.5
P2,pilot,w2,5,correct,data,,no,0,0.5
P3,pilot,w3,7,error,data,model,,2,1
P4,pilot,w4,9,escalated,,,,,2
P5,pilot,w4,9,correct,model,,yes,0,1
"""
ACTIONS = """action_id,case_id,tool,effect,requester,approver,decision,requested_at,decided_at,executed_at,status
1,P1,send,send,agent,w9,approved,2026-09-01 08:00,2026-09-01 08:01,2026-09-01 08:02,ok
2,P3,look,read,agent,,auto,2026-09-01 08:00,,2026-09-01 08:02,error
3,P3,look,read,agent,,auto,2026-09-01 08:03,,2026-09-01 08:04,ok
4,P4,send,send,agent,w9,approved,2026-09-01 08:00,2026-09-01 08:05,2026-09-01 08:02,ok
5,X1,look,read,agent,,auto,2026-09-01 08:03,,2026-09-01 08:04,ok
6,X1,look,read,agent,,auto,2026-09-01 08:03,,2026-09-01 08:04,denied
"""


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def taken(
    project: Project, cases_: str = CASES, actions: str | None = ACTIONS, access: str | None = None
) -> Losses:
    given = {"assignment": "randomised", "labels": {"selection": "all"}}
    if actions is not None:
        project.write("actions.csv", actions)
        given["actions"] = "data/actions.csv"
    if access is not None:
        project.write("access.csv", access)
        given["access"] = "data/access.csv"
    found = take_moments(project.cases(cases_, samples=given)).losses
    assert found is not None
    return found


def test_what_each_case_shows_by_hand(project):
    """A retry that went well does not undo a failure; an approval after the act is none; no action, nothing known."""
    x = taken(project)
    shown = sorted(
        zip(
            x.outcome,
            [c or "" for c in x.cause],
            [c or "" for c in x.second],
            x.state("defective").tolist(),
            x.state("failed").tolist(),
            x.state("unapproved").tolist(),
            x.state("unused").tolist(),
            strict=True,
        )
    )
    assert shown == [
        ("correct", "", "", 0, 0, 0, 0),  # P1: approved before it was sent
        ("correct", "data", "", 0, -1, -1, 1),  # P2: no action in the log, and nobody used it
        ("correct", "model", "", 0, -1, -1, 0),  # P5
        ("error", "data", "model", 1, 1, 0, -1),  # P3: one action failed, nothing risky ran
        ("escalated", "", "", -1, 0, 1, -1),  # P4: sent at 8:02, approved at 8:05
    ]
    assert x.cost is not None
    assert (x.n.sum(), x.cost.sum(), x.minutes.sum()) == (5, 5.0, 35.0)


def test_a_cause_on_a_right_result_that_was_used_is_named_as_the_samples_are_opened(project):
    """P5 is right, used, and has a cause; P2 is right, but nobody used it, which is a loss."""
    given = {"assignment": "randomised", "labels": {"selection": "all"}}
    said = [w for w in project.cases(CASES, samples=given).warnings if "(cause)" in w]
    assert said == [
        "1 right result has a cause: there is no loss to ascribe, and this label is left out (cause)"
    ]
    clean = CASES.replace("9,correct,model", "9,correct,")
    assert not [w for w in project.cases(clean, samples=given).warnings if "(cause)" in w]


@pytest.mark.parametrize(("identity", "unapproved"), [("w9", 2), ("svc", 1), ("", 1)])
def test_an_approval_by_an_identity_of_the_agent_is_none(project, identity, unapproved):
    """P1 was approved in time, by w9: under an identity that rights were granted to, that shows no person."""
    x = taken(project, access=f"system,scope,identity\ncrm,send,{identity}\nmail,send,\n")
    assert int(x.n[x.state("unapproved") == 1].sum()) == unapproved


def test_without_an_action_log_nothing_is_known_of_actions(project):
    x = taken(project, actions=None)
    assert set(x.state("failed").tolist()) == set(x.state("unapproved").tolist()) == {-1}


def test_of_a_case_with_an_action_of_unknown_risk_nothing_is_known(project):
    """P1 has one more, decided by nobody, and no row of its tool says effect or risk: it may be high-risk or not."""
    note = "7,P1,note,,agent,,auto,2026-09-01 08:00,,2026-09-01 08:02,ok\n"
    states = [taken(project, actions=log).state("unapproved").tolist() for log in (ACTIONS, ACTIONS + note)]
    assert [s.count(0) for s in states] == [2, 1]  # P1 and P3; only P3
    assert [s.count(1) for s in states] == [1, 1]  # P4


def test_a_log_without_approvers_tells_nothing_of_approvals():
    def rule_of(*columns, tools=()):
        return approvals_of(Relation.named("actions", ("tool", "decision", "decided_at", *columns)), tools)

    assert rule_of("executed_at", "approver", "effect") is None
    assert rule_of("executed_at", "approver", "requester") is None
    rule = rule_of("executed_at", "approver", "requester", tools=("pay",))
    assert rule is not None
    assert "tool = 'pay'" in rule.risky


def test_rows_say_nothing_of_names_or_of_their_order(project, tmp_path):
    """Names turned round and rows upside down: the same counts, in the same order."""
    (tmp_path / "other").mkdir()
    lines = CASES.strip().split("\n")
    turned = str.maketrans({"1": "4", "4": "1", "2": "3", "3": "2"})
    other = "\n".join(
        [
            lines[0],
            *(
                ",".join(
                    [r.split(",")[0], r.split(",")[1], r.split(",")[2].translate(turned), *r.split(",")[3:]]
                )
                for r in lines[:0:-1]
            ),
        ]
    )
    one = taken(project, CASES + "".join(f"C{i},pilot,w{i % 9},5,correct,,,,0,1\n" for i in range(60)))
    more = "".join(f"C{i},pilot,w{str(i % 9).translate(turned)},5,correct,,,,0,1\n" for i in range(60))
    two = taken(Project(tmp_path / "other"), other + "\n" + more)
    assert set(one.state("worker").tolist()) == set(range(9))
    for name in ("n", "minutes", "minutes2", "timed", "failed", "unapproved", "unused", "worker", "cost"):
        assert (getattr(one, name) == getattr(two, name)).all(), name
    assert (one.outcome, one.cause, one.defective) == (two.outcome, two.cause, two.defective)


def test_a_label_outside_the_list_is_refused_with_the_mend(project):
    said = project.refusal(CASES.replace("error,data,model", "error,weather,model"))
    assert "cause" in said
    assert "weather" not in said or "workflow" in said
    assert any(c in said for c in CASES_NAMES)


CASES_NAMES = ("model", "workflow", "data", "integration", "oversight")


def two_coders(table) -> Losses:
    first, second, n = zip(
        *[(CAUSES[i], CAUSES[j], k) for i, row in enumerate(table) for j, k in enumerate(row) if k],
        strict=True,
    )
    counts = np.array(n, dtype=np.int64)
    return Losses(
        outcome=("error",) * counts.size,
        cause=first,
        second=second,
        defective=(None,) * counts.size,
        n=counts,
        minutes=counts * 1.0,
        timed=counts,
    )


def test_two_coders_match_fleiss_and_irrcac():
    """Fleiss, Levin & Paik (2003), Table 18.1: kappa 0.676; irrCAC's cont3x3abstractors: kappa 0.7964094 ± 0.05891072.

    Causes that nobody names change neither; AC1, whose chance is spread over every cause of the scheme, grows.
    """
    found = agreement_on_causes(two_coders([[75, 1, 4], [5, 4, 1], [0, 0, 10]]))
    assert found.kappa.value == pytest.approx(0.676, abs=5e-4)
    found = agreement_on_causes(two_coders([[13, 0, 0], [0, 20, 7], [0, 4, 56]]))
    assert (found.kappa.value, found.kappa.error) == pytest.approx((0.7964094, 0.05891072), abs=5e-8)
    assert found.ac1.value > 0.8493305
    assert found.n == 100
    assert agreement_on_causes(None) is None


def coded(folder, disagree: int):
    """A pilot whose errors have two labels; `disagree` in ten of them differ. Defects make no difference."""
    rows = cases(700, error_pilot=0.2, defects=0.4, workers=8)
    for i, row in enumerate(rows):
        row["cause_2"] = ""
        if row["arm"] == "pilot" and row["outcome"] == "error":
            row["cause"] = "data" if i % 3 else "model"
            row["cause_2"] = (
                ("model" if row["cause"] == "data" else "data") if i % 10 < disagree else row["cause"]
            )
        elif i < 20 and row["arm"] == "pilot":
            row["cause"] = "workflow"
    stray = [{"action_id": "s1", "case_id": "nobody", "tool": "look", "status": "ok"}]
    remedies = [{"name": "Check inputs", "addresses": "data", "removes_share": 0.9, "cost": 2000, "weeks": 4}]
    columns = {"columns": {c: c for c in ("cause_2",)}}
    path = write_pilot(
        folder,
        rows,
        {
            "remedies": remedies,
            "samples": {"cases": {"source": "data/cases.csv", **columns}},
            "run": {"draws": 1000},
        },
    )
    log = folder / "data/actions.csv"
    if log.exists():
        header = log.read_text(encoding="utf-8").split("\n")[0].split(",")
        line = ",".join(stray[0].get(c, "") for c in header)
        log.write_text(log.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    return open_pilot(path).decision


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    return coded(tmp_path_factory.mktemp("apart"), 5)


@pytest.mark.slow
def test_the_record_prices_causes_and_its_parts_add_up(apart):
    found = apart.record["causes"]
    assert found["evidence"] == "label"
    assert found["labelled"] == found["losses"] == found["by_kind"]["error"]
    assert sum(row["share_of_losses"]["mean"] for row in found["by_cause"]) == pytest.approx(1)
    for row in found["by_cause"]:
        assert row["per_year"]["mean"] == pytest.approx(sum(row["parts"].values()))
        assert (
            row["share_of_losses"]["p05"] <= row["share_of_losses"]["mean"] <= row["share_of_losses"]["p95"]
        )
    assert [x["cause"] for x in apart.record["losses"]] == [x["cause"] for x in found["by_cause"]]
    assert apart.record["model_the_problem"] == found["text"]
    # What the errors of all causes cost is what the valuer charges for the pilot's errors.
    a = apart.analysis
    scope, e = a.measured.scope(), a.economics
    cost = sum(a.measured.rates.severity[1][:, i] * x for i, x in enumerate(e.error_cost))
    whole = 12 * np.multiply(e.cases_per_month, e.ceiling) * scope.share * scope.error_rate[1] * cost
    assert sum(x["errors"] for x in prices(a).values()) == pytest.approx(whole)
    assert json.dumps(found, allow_nan=False)


def rests_on(a, *, logged=None, tariff=None, stated=False):
    """What the price of errors rests on, were these severities logged and this the tariff."""
    severity = np.zeros_like(a.moments.severity) if logged is None else a.moments.severity
    if logged is not None:
        severity = np.zeros_like(severity)
        severity[-1] = logged
    return severities_of_price(
        SimpleNamespace(
            economics=SimpleNamespace(error_cost=a.economics.error_cost if tariff is None else tariff),
            measured=a.measured,
            moments=SimpleNamespace(severity=severity, outcome=a.moments.outcome),
            loaded=SimpleNamespace(
                parameters=SimpleNamespace(
                    economics=SimpleNamespace(model_fields_set={"severity_mix"} if stated else set())
                )
            ),
        )
    )


def test_the_price_of_errors_says_how_far_severities_were_measured(apart):
    """All errors are minor, at 5 each; what is left of an error's cost is expected of classes that nobody saw."""
    found = apart.record["causes"]["severities"]
    a = apart.analysis
    minor = float(a.measured.rates.severity[1][:, 0].mean()) * 5
    whole = sum(
        float((a.measured.rates.severity[1][:, i] * x).mean()) for i, x in enumerate(a.economics.error_cost)
    )
    assert found["expected_share"] == pytest.approx(1 - minor / whole)
    assert (found["evidence"], found["unseen"]) == ("both", ["moderate", "major", "critical"])
    assert found["logged"] == found["errors"] == int(a.moments.outcome[:, 1].sum())
    assert "none is moderate, major or critical" in found["text"]
    assert "defaults of severity_mix" in found["text"]
    none = rests_on(a)
    assert (none["evidence"], none["logged"], none["expected_share"]) == ("default", 0, 1.0)
    assert none["text"].startswith("What errors cost rests on assumed severities: none of")
    assert rests_on(a, stated=True)["evidence"] == "assumed"
    assert "as stated in severity_mix" in rests_on(a, stated=True)["text"]
    every = rests_on(a, logged=[1, 1, 1, 1])
    assert (every["evidence"], every["expected_share"]) == ("measured", 0.0)
    assert "4 of" in every["text"]
    some = rests_on(a, logged=[3, 0, 0, 1])
    assert some["unseen"] == ["moderate", "major"]
    assert some["text"].endswith(f"{found['errors'] - 4} errors have no severity.")
    # Where every error costs the same, how severe it is makes no difference.
    assert rests_on(a, tariff=(50.0, 50.0, 50.0, 50.0)) is None


def test_what_is_wrong_with_labels_and_logs_is_counted_and_named(apart):
    said = " ".join(apart.record["warnings"]).replace("\xa0", " ")
    labels = sum(
        1
        for r in cases(700, error_pilot=0.2, defects=0.4, workers=8)[:20]
        if r["arm"] == "pilot" and r["outcome"] == "correct"
    )
    # The samples name both, so that `roi check` does, too; and the record once.
    assert said.count(f"{labels} right results have a cause: there is no loss to ascribe") == 1
    assert said.count("1 row of actions belongs to no case of the sample") == 1
    assert "of 1 case" not in said
    assert "Two coders agree on the cause of" in said
    agreed = apart.record["causes"]["agreement"]
    assert agreed["ac1"]["value"] < 0.6
    assert agreed["n"] == apart.record["causes"]["losses"]


def test_a_remedy_that_promises_more_than_clean_cases_show_is_named(apart):
    """Defects make no difference, but two in three errors are labelled the data's, and the remedy removes 90 %."""
    (world,) = [w for w in apart.record["clean_world"] if w["cause"] == "data"]
    (row,) = world["remedies"]
    assert row["exceeds"]
    assert row["of_all_errors"]["mean"] > 0.5 > row["measured"]["mean"]
    assert any(w.startswith("Check inputs is taken to remove") for w in apart.record["warnings"])
