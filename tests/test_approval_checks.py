"""Checks of human approval: each finds its planted fault with exactly its rows, and nothing on clean logs."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_controls import by_name, clean, clean_actions, logs_of, rows_of
from scipy import stats

from roi.approvals import approvals_of, unlogged_tools
from roi.controls.approval_checks import approval_checks
from roi.controls.approvers import LEVEL, approvals_needed, approver_findings
from roi.controls.check import further_clean
from roi.controls.scorecard import gate_of
from roi.draws import one_sided_bounds
from roi.relation import Relation

LAYER = "human_approval"


@pytest.fixture
def tables():
    return clean()


def checks(tables, **given):
    return by_name(approval_checks(logs_of(tables, **given)), LAYER)


def approved(tables):
    return [i for i, row in enumerate(tables["actions"]) if row["decision"] == "approved"]


def test_clean_logs_pass_every_check(tables):
    found = checks(tables)
    assert {name: c.status for name, c in found.items()} == dict.fromkeys(found, "pass")
    assert gate_of(LAYER, tuple(found.values())).state == "shown"
    n = len(approved(tables))
    first = found["approved_before"]
    assert (first.misses, first.n, first.rows) == (0, n, None)
    assert first.bound == pytest.approx(1 - 0.05 ** (1 / n))  # by hand: (1 - p)^n = 0.05


# What is planted: row index → what changes; the check that finds it; checks that rightly find it, too.
FAULTS = {
    "nobody approved": (
        lambda row: row | {"decision": "auto", "approver": None, "decided_at": None},
        "approved_before",
        (),
    ),
    "approved late": (
        lambda row: row | {"executed_at": row["decided_at"] - dt.timedelta(seconds=1)},
        "approved_late",
        ("approved_before",),
    ),
    "decided early": (
        lambda row: row | {"requested_at": row["decided_at"] + dt.timedelta(minutes=1)},
        "decided_early",
        ("approved_before",),
    ),
    "approved by who asked": (
        lambda row: row | {"requester": row["approver"]},
        "self_approved",
        ("approved_before",),
    ),
    "approved by the agent": (
        lambda row: row | {"approver": "svc-agent"},
        "approved_by_agent",
        ("approved_before",),
    ),
    "rejected and ran": (
        lambda row: row | {"decision": "rejected"},
        "rejected_ran",
        ("approved_before",),
    ),
    "called routine": (lambda row: row | {"risk": "routine"}, "understated_risk", ()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_with_its_rows(tables, fault):
    plant, name, also = FAULTS[fault]
    at = approved(tables)[3:300:11]
    for i in at:
        tables["actions"][i] = plant(tables["actions"][i])
    found = checks(tables)
    assert {n for n, c in found.items() if c.status != "pass"} == {name, *also}
    check = found[name]
    assert check.status == "fail"
    assert check.misses == len(at)
    assert check.mend
    if name != "self_approved":  # of single people no more than how many
        assert check.rows == rows_of("actions", *(i + 1 for i in at))
    n = len(at)
    said = {
        "approved_late": f"{n} of them were approved afterwards",
        "decided_early": f"{n} actions were decided before",
    }
    assert said.get(name, "") in found["approved_before"].evidence
    assert name in said or "afterwards" not in found["approved_before"].evidence
    for other in also:
        own = name == "self_approved"
        assert found[other].rows == (None if own else rows_of("actions", *(i + 1 for i in at)))


def test_contradictory_rows_are_findings(tables):
    """Rejected, without a time, and yet it went well: it ran."""
    i = next(i for i, row in enumerate(tables["actions"]) if row["decision"] == "rejected")
    tables["actions"][i] |= {"status": "ok"}
    found = checks(tables)
    assert found["rejected_ran"].rows == found["approved_before"].rows == rows_of("actions", i + 1)


def test_risk_is_not_taken_from_the_logs_own_word(tables):
    """An action that sends counts whatever the log calls it, and so does one of a tool that the policy lists."""
    for row in tables["actions"]:
        row |= {"risk": "routine", "effect": "write"}
    assert checks(tables)["approved_before"].evidence == "The log holds no high-risk action that ran."
    listed = checks(tables, policy={"high_risk_tools": ("pay_claim",)})
    n = sum(row["tool"] == "pay_claim" for row in tables["actions"])
    assert listed["understated_risk"].misses == n
    ran = sum(row["tool"] == "pay_claim" and row["status"] == "ok" for row in tables["actions"])
    assert listed["approved_before"].n == ran


@pytest.mark.parametrize(
    ("misses", "n", "more"),
    [(0, 0, 149), (0, 100, 49), (0, 148, 1), (1, 149, 87), (3, 200, 186)],
)
def test_rows_that_would_show_a_limit(misses, n, more):
    """0.98^149 = 0.0493 < 0.05 <= 0.98^148: 149 clean actions for 2 %."""
    assert further_clean(misses, n, 0.02) == more
    for rows, shown in ((n + more, True), (n + more - 1, False)):
        upper = stats.binomtest(misses, rows).proportion_ci(0.90, method="exact").high if rows else 1.0
        assert (upper <= 0.02) is shown


def test_none_of_412_is_under_0_73_percent():
    """1 - 0.05^(1/412) = 0.00724."""
    assert one_sided_bounds(0, 412)[1] == pytest.approx(1 - 0.05 ** (1 / 412))
    assert 0.0072 < one_sided_bounds(0, 412)[1] < 0.0073


def test_a_log_that_is_too_short_is_missing_evidence_with_the_number(tables):
    tables["actions"] = [tables["actions"][i] for i in approved(tables)[:100]]
    found = checks(tables)
    check = found["approved_before"]
    assert (check.status, check.more, check.misses, check.n) == ("missing_evidence", 49, 0, 100)
    assert check.mend == "Log 49 more high-risk actions, none missed"
    gate = gate_of(LAYER, tuple(found.values()))
    assert (gate.state, gate.more_cases, gate.counts) == ("not_shown", 49, (0, 100))


def test_too_many_misses_fail_though_few_are_logged(tables):
    tables["actions"] = [tables["actions"][i] for i in approved(tables)[:40]]
    for row in tables["actions"][:4]:
        row["decision"] = "auto"
    assert stats.binomtest(4, 40).proportion_ci(0.90, method="exact").low > 0.02
    check = checks(tables)["approved_before"]
    assert check.status == "fail"
    lower = one_sided_bounds(4, 40)[0]  # 0.0348: what proves that it is too much
    assert check.bound == lower
    assert "the true share is at least 3.4\u00a0%." in check.evidence


def test_a_bound_above_the_limit_is_not_told_as_the_limit(tables):
    """1 - 0.05^(1/148) = 2.0038 %: not at most 2.0 %."""
    tables["actions"] = [tables["actions"][i] for i in approved(tables)[:148]]
    check = checks(tables)["approved_before"]
    assert (check.status, check.more) == ("missing_evidence", 1)
    assert "the true share is at most 2.1\u00a0%." in check.evidence


WITHOUT = {
    "approved_before": [
        ("decision",),
        ("decided_at",),
        ("executed_at",),
        ("approver",),
        ("requester",),
        ("risk", "effect"),
    ],
    "approved_late": [("decision",), ("decided_at",), ("executed_at",)],
    "decided_early": [("decision",), ("decided_at",), ("requested_at",)],
    "self_approved": [("decision",), ("approver",), ("requester",)],
    "approved_by_agent": [("decision",), ("approver",)],
    "rejected_ran": [("decision",), ("executed_at",), ("executed_at", "status")],
    "understated_risk": [("risk",), ("effect",)],
    "reading_time": [("decision",), ("approver",), ("requested_at",), ("decided_at",)],
    "some_rejected": [("decision",), ("approver",)],
    "bulk_approvals": [("decision",), ("approver",), ("decided_at",)],
}


@pytest.mark.parametrize(
    ("name", "columns"), [(name, columns) for name, several in WITHOUT.items() for columns in several]
)
def test_what_the_log_does_not_say_is_missing_evidence(tables, name, columns):
    check = checks(tables, without={"actions": columns})[name]
    assert (check.status, bool(check.mend), check.more) == ("missing_evidence", True, None)
    for row in tables["actions"]:  # a column without an entry says as little as none
        row |= dict.fromkeys(columns)
    assert checks(tables)[name].status == "missing_evidence"


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("decided_at", {"approved_late", "decided_early", "bulk_approvals"}),
        ("requested_at", {"decided_early"}),
        ("approver", {"self_approved", "approved_by_agent", "bulk_approvals"}),
        ("requester", {"self_approved"}),
        ("risk", {"understated_risk"}),
    ],
)
def test_rows_that_do_not_say_it_are_counted_and_leave_it_open(tables, column, names):
    i = approved(tables)[4]
    tables["actions"][i][column] = None
    found = checks(tables)
    assert {n for n, c in found.items() if c.status == "missing_evidence"} == names
    for name in names:
        assert "Of 1 action the log does not say" in found[name].evidence
        people = name in ("self_approved", "bulk_approvals")
        assert found[name].rows == (None if people else rows_of("actions", i + 1))


def test_without_a_log_everything_is_missing_evidence(tables):
    del tables["actions"]
    assert {c.status for c in checks(tables).values()} == {"missing_evidence"}
    assert approver_findings(logs_of(tables)) is None


@pytest.mark.parametrize("how", ["no table", "no column", "no entry"])
def test_without_the_agents_identity_nothing_shows_that_people_approve(tables, how):
    if how == "no table":
        del tables["access"]
    elif how == "no entry":
        tables["access"][0]["identity"] = None
    found = checks(tables, without={"access": ["identity"]} if how == "no column" else None)
    assert found["approved_by_agent"].status == "missing_evidence"
    assert "samples.access" in found["approved_by_agent"].mend
    assert found["approved_before"].status == "pass"


def test_an_agents_approval_is_none_for_the_causes_either():
    columns = ("tool", "decision", "decided_at", "executed_at", "approver", "requester", "effect")
    log = Relation.named("actions", columns)
    rule = approvals_of(log, (), agents="select identity from access")
    assert "approver not in (select identity from access)" in rule.proper
    assert "not in" not in approvals_of(log, ()).proper


# What counts as high-risk, and who as a person other than who asked


def unapprove(row, **changes):
    row |= {"decision": "auto", "approver": None, "decided_at": None} | changes


@pytest.mark.parametrize("blank", [{"effect": None, "risk": None}, {"effect": "read", "risk": "routine"}])
def test_a_tool_is_as_risky_as_anything_that_it_is_seen_to_do(tables, blank):
    at, ran = approved(tables)[::9], len(approved(tables))
    for i in at:
        unapprove(tables["actions"][i], **blank)
    check = checks(tables)["approved_before"]
    assert (check.status, check.misses, check.n) == ("fail", len(at), ran)
    assert check.rows == rows_of("actions", *(i + 1 for i in at))


@pytest.mark.parametrize(("listed", "status"), [((), "pass"), (("note",), "fail")])
def test_a_tool_of_which_nothing_is_told_is_of_unknown_risk(tables, listed, status):
    """Two of them could not bring 560 actions above 2 %; thirty could."""
    at = approved(tables)
    for few, wanted in ((at[:2], "pass"), (at[:30], "missing_evidence" if status == "pass" else "fail")):
        for i in few:
            unapprove(tables["actions"][i], tool="note", effect=None, risk=None)
        check = checks(tables, policy={"high_risk_tools": listed})["approved_before"]
        assert check.status == wanted
    if not listed:
        assert "Of 30 further actions that ran without such an approval" in check.evidence
        assert "Log the effect or the risk" in check.mend
        assert (check.rows, check.more) == (rows_of("actions", *(i + 1 for i in at[:30])), None)


def test_who_asked_has_to_be_named_to_be_somebody_else(tables):
    at = approved(tables)[::9]
    for i in at:
        tables["actions"][i]["requester"] = None
    check = checks(tables)["approved_before"]
    assert (check.status, check.misses) == ("fail", len(at))
    assert f"of {len(at)} approvals nobody knows who had asked" in check.evidence


def test_approvals_of_ones_own_are_counted_and_named_nowhere(tables):
    own, other = approved(tables)[:30], approved(tables)[40:44]
    for i in own:
        tables["actions"][i]["requester"] = tables["actions"][i]["approver"]
    for i in other:
        unapprove(tables["actions"][i])
    check = checks(tables)["approved_before"]
    assert check.misses == 34
    assert "30 were approved by who had asked" in check.evidence
    assert check.rows == rows_of("actions", *(i + 1 for i in other))


def test_tools_of_the_policy_that_no_action_is_of_are_said(tables):
    logs = logs_of(tables)
    said = unlogged_tools(logs.samples.con, logs.table("actions"), ("pay_claim", "Send_Letter", "wire"))
    assert len(said) == 1
    assert (
        "is of Send_Letter or wire, which the policy calls high-risk: write each tool as the log does"
        in said[0]
    )
    assert unlogged_tools(logs.samples.con, logs.table("actions"), ("pay_claim",)) == []
    assert unlogged_tools(logs.samples.con, None, ("wire",)) == []


@pytest.mark.parametrize("status", ["error", "timeout"])
def test_what_failed_ran(tables, status):
    """A rejected call that ended in an error was made; one definition for approval, rights and the trail."""
    i = next(i for i, row in enumerate(tables["actions"]) if row["decision"] == "rejected")
    tables["actions"][i] |= {"status": status}
    assert checks(tables)["rejected_ran"].rows == rows_of("actions", i + 1)
    assert checks(tables)["approved_before"].rows == rows_of("actions", i + 1)


def test_names_spelled_alike_are_a_remark_that_closes_nothing(tables):
    plain = checks(tables)
    for i, row in enumerate(tables["actions"]):
        row["alike_"] = i in approved(tables)[:3] or row["decision"] != "approved"
    found = checks(tables)
    remark = (
        " Of 3 approvals the names of who asked and who approved differ only in how an umlaut or an accent is spelled: "
        "they may be one person."
    )
    for name, check in found.items():
        told = remark if name in ("approved_before", "self_approved") else ""
        assert (check.status, check.evidence) == (plain[name].status, plain[name].evidence + told)
    gate = gate_of(LAYER, tuple(found.values()))
    assert gate.state == "shown"
    assert gate.evidence.endswith(remark)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("effect", ["send", "pay", None])
def test_a_count_and_its_verbs_agree(tables, n, effect):
    """Of what sends, of what pays, and of a listed tool that does neither."""
    first = [i for i in approved(tables) if effect is None or tables["actions"][i]["effect"] == effect]
    rows = [tables["actions"][i] | {"tool": "listed"} for i in first[:n]]
    rows = [row | ({"effect": "write"} if effect is None else {}) for row in rows]
    what = (
        "1 action that sends, pays or is of a listed tool"
        if n == 1
        else "2 actions that send, pay or are of a listed tool"
    )
    for risk, says in (
        ("high", f"The log calls none of {what} routine."),
        ("routine", f"The log calls {n} of {what} routine."),
    ):
        tables["actions"] = [row | {"risk": risk} for row in rows]
        found = checks(tables, policy={"high_risk_tools": ("listed",)})["understated_risk"]
        assert found.evidence == says


# Reading


def hasten(tables, share, *, of=None, seconds=2, seed=5):
    """Make a share of approvals quick, of one approver or of all."""
    rng = np.random.default_rng(seed)
    for i in approved(tables):
        row = tables["actions"][i]
        if (of is None or row["approver"] == of) and rng.random() < share:
            row["decided_at"] = row["requested_at"] + dt.timedelta(seconds=seconds)
            row["executed_at"] = row["decided_at"] + dt.timedelta(seconds=1)


@pytest.mark.parametrize(("of", "share"), [("p3", 0.5), (None, 0.15)])
def test_approvals_that_nobody_can_have_read_are_found(tables, of, share):
    hasten(tables, share, of=of)
    found = checks(tables)
    assert {n for n, c in found.items() if c.status != "pass"} == {"reading_time"}
    said = (
        "Fewer than 5 of 6 approvers approve in less than the 5.00 seconds" if of else "approve in less than"
    )
    assert said in found["reading_time"].evidence
    logs = logs_of(tables)
    people = approver_findings(logs)
    quick, timed = sum(p.quick for p in people.people), sum(p.timed for p in people.people)
    assert (found["reading_time"].misses, found["reading_time"].n) == (quick, timed)
    assert found["reading_time"].value == quick / timed
    quick = [p.approver for p in people.people if p.quick_chance <= people.quick_level]
    assert not of or quick == [of]


def test_a_longer_reading_finds_more(tables):
    hasten(tables, 0.9, seconds=8)
    assert checks(tables)["reading_time"].status == "pass"
    assert checks(tables, policy={"min_reading_seconds": 10})["reading_time"].status == "fail"


def test_chances_of_one_approver_are_scipys(tables):
    hasten(tables, 0.3, of="p1")
    people = approver_findings(logs_of(tables))
    for p in people.people:
        own = [
            tables["actions"][i] for i in approved(tables) if tables["actions"][i]["approver"] == p.approver
        ]
        waits = [(row["decided_at"] - row["requested_at"]).total_seconds() for row in own]
        assert (p.timed, p.quick) == (len(waits), sum(w < 5 for w in waits))
        assert p.median_seconds == pytest.approx(np.median(waits), abs=1e-6)
        expected = stats.binomtest(p.quick, p.timed, 0.05, alternative="greater").pvalue
        assert p.quick_chance == pytest.approx(expected)
    assert people.quick_level == LEVEL / 7


def test_times_of_whole_minutes_tell_nothing_of_seconds(tables):
    for row in tables["actions"]:
        for time in ("requested_at", "decided_at"):
            row[time] = row[time].replace(second=0, microsecond=0)
    found = checks(tables)
    assert {found[n].status for n in ("reading_time", "bulk_approvals")} == {"missing_evidence"}
    assert "to the second" in found["reading_time"].evidence


def test_few_approvals_are_missing_evidence_with_the_number(tables):
    tables["actions"] = tables["actions"][:40]
    check = checks(tables)["reading_time"]
    assert check.status == "missing_evidence"
    k = len({row["approver"] for row in tables["actions"]})
    assert check.more == approvals_needed(LEVEL / (k + 1)) - len(approved(tables))


@pytest.mark.parametrize("level", [0.001, 0.001 / 7])
def test_so_many_approvals_would_show_a_fifth_of_quick_ones(level):
    """By brute force with scipy: the first n at which P(reject | 20 %) reaches 80 %."""

    def power(n):
        worst = next(c for c in range(n + 2) if stats.binom.sf(c - 1, n, 0.05) <= level)
        return stats.binom.sf(worst - 1, n, 0.20)

    assert approvals_needed(level) == next(n for n in range(1, 500) if power(n) >= 0.8)


# Saying no


def test_who_never_says_no_where_others_do_is_found(tables):
    tables["actions"] = clean_actions(900, rejects=0.15)
    for row in tables["actions"]:
        if row["approver"] == "p2":
            row |= {
                "decision": "approved",
                "status": "ok",
                "executed_at": row["decided_at"] + dt.timedelta(seconds=2),
            }
    found = checks(tables)
    assert {n for n, c in found.items() if c.status != "pass"} == {"some_rejected"}
    assert found["some_rejected"].evidence.startswith("Fewer than 5 of 6 approvers never say no where others")
    people = approver_findings(logs_of(tables))
    p = next(p for p in people.people if p.approver == "p2")
    whole = sum(x.decisions for x in people.people)
    expected = stats.hypergeom.pmf(0, whole, sum(x.refused for x in people.people), p.decisions)
    assert p.no_refusal_chance == pytest.approx(expected)
    assert p.no_refusal_chance <= people.refusal_level == LEVEL / 6


def test_where_nobody_says_no_nothing_shows_that_anybody_would(tables):
    tables["actions"] = [row for row in tables["actions"] if row["decision"] == "approved"]
    check = checks(tables)["some_rejected"]
    assert (check.status, check.more) == ("missing_evidence", None)
    assert "Plant requests that must be rejected" in check.mend


def test_too_few_decisions_to_say_no_are_missing_evidence_with_the_number(tables):
    never = ("p0", "p1")
    tables["actions"] = [
        r for r in tables["actions"] if r["approver"] not in never or r["decision"] == "approved"
    ]
    for who in never:
        gone = {id(r) for r in [r for r in tables["actions"] if r["approver"] == who][10:]}
        tables["actions"] = [r for r in tables["actions"] if id(r) not in gone]
    check = checks(tables)[
        "some_rejected"
    ]  # two people, fewer than a group: no number is told, of them or of the mend
    assert (check.status, check.value, check.n, check.more) == ("missing_evidence", None, None, None)
    assert check.evidence.startswith("Fewer than 5 approvers have never said no")
    assert not any(c.isdigit() for c in check.mend)
    check = checks(tables, policy={"privacy": {"min_group": 2}})["some_rejected"]
    assert (check.status, check.value, check.n) == ("missing_evidence", 2 / 6, 6)
    others = [r for r in tables["actions"] if r["approver"] != "p0"]
    rate = sum(r["decision"] == "rejected" for r in others) / len(others)
    assert (1 - rate) ** (10 + check.more) <= LEVEL / 6 < (1 - rate) ** (9 + check.more)


# Decisions in bulk


@pytest.mark.parametrize(
    ("many", "apart", "found"), [(3, 0.2, True), (2, 0.2, False), (5, 4, True), (5, 6, False)]
)
def test_decisions_at_a_pace_that_no_reading_allows_are_found(tables, many, apart, found):
    own = [i for i in approved(tables) if tables["actions"][i]["approver"] == "p4"][:many]
    last = max(tables["actions"][i]["requested_at"] for i in own) + dt.timedelta(minutes=5)
    for place, i in enumerate(own):
        decided = last + dt.timedelta(seconds=place * apart)
        tables["actions"][i] |= {"decided_at": decided, "executed_at": decided + dt.timedelta(seconds=9)}
    checked = checks(tables)
    assert {n for n, c in checked.items() if c.status != "pass"} == ({"bulk_approvals"} if found else set())
    people = approver_findings(logs_of(tables)).people
    assert {p.approver: p.in_bursts for p in people if p.in_bursts} == ({"p4": many} if found else {})
    if found:
        assert checked["bulk_approvals"].evidence.startswith("Fewer than 5 of 6 approvers decided several")


def test_of_few_people_no_number_is_told(tables):
    for row in tables["actions"]:
        row["approver"] = "p" + str(int(row["approver"][1:]) % 3)
    hasten(tables, 0.9, of="p1")
    for name, check in checks(tables).items():
        if name in ("reading_time", "some_rejected", "bulk_approvals"):
            assert (check.value, check.n, check.rows, check.misses) == (None, None, None, None), name
    said = checks(tables)["reading_time"]
    assert said.status == "fail"
    assert "fewer than 5 people approve" in said.evidence


def test_no_check_tells_who(tables):
    hasten(tables, 0.9, of="p1")
    for check in checks(tables).values():
        assert not any(f"p{i}" in check.evidence.split() for i in range(6))


def test_agents_are_no_approvers(tables):
    for i in approved(tables)[:50]:
        tables["actions"][i]["approver"] = "svc-agent"
    assert [p.approver for p in approver_findings(logs_of(tables)).people] == [f"p{i}" for i in range(6)]


@given(st.integers(0, 40), st.integers(0, 4000), st.floats(0.001, 0.2))
def test_the_number_needed_is_the_least(misses, clean_rows, limit):
    n = misses + clean_rows
    more = further_clean(misses, n, limit)
    if more is not None:
        assert one_sided_bounds(misses, n + more)[1] <= limit
        assert more == 0 or one_sided_bounds(misses, n + more - 1)[1] > limit


@pytest.mark.slow
def test_clean_logs_are_rarely_accused():
    """200 logs of people who are quick 5 times in 100, as far as is tolerated: at most 2 findings of each check."""
    found = dict.fromkeys(("reading_time", "some_rejected", "bulk_approvals"), 0)
    access = clean(5)["access"]
    for seed in range(200):
        told = checks({"actions": clean_actions(500, seed=seed, quick=0.05), "access": access})
        for name in found:
            found[name] += told[name].status == "fail"
    assert max(found.values()) <= 2, found
