"""All pilots together: what is shared, what is funded, in which order, and what is said of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_portfolios import DRAWS, candidate, entry, fundable
from opened_examples import example
from rest_slow import rest_slow

from roi.candidates import Returned, candidate_of, candidate_of_record
from roi.draws import stream, uniforms
from roi.joint import joint_draws
from roi.portfolio import portfolio_of, trend_of
from roi.problems import ParameterError
from roi.report import portfolio as show
from roi.report.index import Entry, index_page
from roi.report.portfolio_words import sentences
from roi.schema.portfolio import Portfolio, read_portfolio
from roi.shared import Sharing, shared_inputs


def plan(**given: object) -> Portfolio:
    return Portfolio.model_validate(given)


def funded(found: dict) -> dict[str, str]:
    return {x["pilot"]: x["option"] for x in found["set"]["funded"]}


def test_two_pilots_by_hand():
    """Budget 100. A: worth 80 for 60 (in half the draws 200, else −40); B: 50 for 50. Only one fits: A.

    Knowing A's worth one would take A (200) or B (50): mean 125, which is 45 more than 80.
    Together without a budget: 130; B's chance is 1, A's ½, so that of two 0.5 is expected not to pay.
    """
    a = candidate("a", fundable(np.where(np.arange(DRAWS) % 2, 200.0, -40.0), 60))
    b = candidate("b", fundable(50.0, 50))
    found = portfolio_of([b, a], plan(budget=100))
    assert funded(found) == {"a": "Scale everything"}
    assert found["set"]["worth"]["mean"] == pytest.approx(80)
    assert found["set"]["regret"]["how"] == "exact"
    assert found["set"]["regret"]["value"] == pytest.approx(45)
    assert found["set"]["without_limits"] == pytest.approx(130)
    [after] = found["next"]
    assert (after["pilot"], after["worth"]) == ("b", 50)
    assert [(x["what"], x["lacks"]) for x in after["lacks"]] == [("budget", 10)]
    free = portfolio_of([b, a], plan())
    assert set(funded(free)) == {"a", "b"}
    assert free["discoveries"]["expected_failures"] == pytest.approx(0.5)
    assert free["discoveries"]["share"] == pytest.approx(0.25)
    assert free["set"]["regret"]["value"] == pytest.approx(20)  # without A where it is worth −40


def test_a_bar_on_those_that_do_not_pay():
    """Chances ½ and 1: together a quarter does not pay, which a bar of 0.2 forbids and one of 0.25 allows."""
    a = candidate("a", fundable(np.where(np.arange(DRAWS) % 2, 200.0, -40.0), 0))
    b = candidate("b", fundable(50.0, 0))
    assert set(funded(portfolio_of([a, b], plan(max_share_not_paying=0.25)))) == {"a", "b"}
    assert set(funded(portfolio_of([a, b], plan(max_share_not_paying=0.2)))) == {"b"}


def test_at_most_one_option_of_a_workflow_and_never_a_killed_pilot():
    one = candidate("one", fundable(10.0, 1), fundable(30.0, 2, label="Other"), workflow_id="w")
    two = candidate("two", fundable(20.0, 1), workflow_id="w")
    dead = candidate(
        "dead", fundable(999.0, 1), verdict="kill", returned=Returned(per_month=100.0, once=40.0)
    )
    found = portfolio_of([one, two, dead], plan(budget=1000))
    assert funded(found) == {"one": "Other"}
    assert found["kills"] == {
        "pilots": ["dead"], "per_month": 100.0, "per_year": 1200.0, "once": 40.0, "not_stated": [],
    }  # fmt: skip


def test_a_team_saves_no_more_hours_than_it_has():
    both = [candidate(p, fundable(w, 0, hours=60.0), owner="Claims") for p, w in (("a", 5.0), ("b", 9.0))]
    assert set(funded(portfolio_of(both, plan(teams={"claims": 100})))) == {"b"}
    assert set(funded(portfolio_of(both, plan(teams={"Claims": 120})))) == {"a", "b"}


def test_people_who_build_are_scarce_and_their_cost_lines_take_weeks():
    """IT: 4 weeks of a remedy and 12,000 at 3,000 a week are 8 weeks each."""
    both = [
        candidate(p, fundable(w, 0, weeks={"IT": 4.0}, lines={"it": 12000.0}))
        for p, w in (("a", 5.0), ("b", 9.0))
    ]
    it = {"IT": {"weeks": 15, "cost_per_week": 3000}}
    assert set(funded(portfolio_of(both, plan(builders=it)))) == {"b"}
    it["IT"]["weeks"] = 16
    assert set(funded(portfolio_of(both, plan(builders=it)))) == {"a", "b"}


def test_the_order_loses_least_while_pilots_wait():
    """Smith's rule: A 10 a week in 5 weeks (2), B 9 in 3 (3), C needs nobody. B, then A: 3 × 10 lost, not 5 × 9."""
    a = candidate("a", fundable(100.0, 0, weeks={"IT": 5.0}, delay_cost=10.0))
    b = candidate("b", fundable(100.0, 0, weeks={"IT": 3.0}, delay_cost=9.0))
    c = candidate("c", fundable(1.0, 0, delay_cost=1.0))
    rows = portfolio_of([a, b, c], plan())["order"]
    assert [(r["pilot"], r["start_week"], r["end_week"]) for r in rows] == [
        ("c", 0, 0),
        ("b", 0, 3),
        ("a", 3, 8),
    ]
    assert sum(r["lost_while_waiting"] for r in rows) == pytest.approx(30)


def test_what_a_pilot_has_built_side_by_side_keeps_who_builds_only_until_it_is_done():
    """A takes 10 weeks of building, done in 6 as in its business case: B of the same people begins then, not at 10."""
    a = candidate("a", fundable(200.0, 0, weeks={"IT": 10.0}, spans={"IT": 6.0}, delay_cost=60.0))
    b = candidate("b", fundable(100.0, 0, weeks={"IT": 3.0}, delay_cost=9.0))
    found = portfolio_of([a, b], plan(builders={"IT": {"weeks": 12}}))
    # What it uses of a builder's weeks is all of the work.
    assert set(funded(found)) == {"a"}
    rows = portfolio_of([a, b], plan())["order"]
    assert [(r["pilot"], r["start_week"], r["end_week"]) for r in rows] == [("a", 0, 6), ("b", 6, 9)]
    assert rows[1]["lost_while_waiting"] == pytest.approx(54)


def test_the_order_takes_as_long_as_the_business_case() -> None:
    """Both fixes of claims_intake are built by the same people, side by side: what is last done ends both."""
    opened = example("claims_intake")
    option = candidate_of(opened.decision.analysis, opened.decision.record).options[0]
    rows = [r for r in opened.decision.record["remedies"]["list"] if r["bought"]]
    assert len({r["owner"] for r in rows}) == 1
    assert option.spans is not None
    assert option.spans[rows[0]["owner"]] == pytest.approx(max(r["weeks"] for r in rows))
    assert option.weeks[rows[0]["owner"]] == pytest.approx(sum(r["weeks"] for r in rows))


def test_inputs_are_shared_where_source_or_owner_say_so():
    labour = "economics.labour_cost_per_hour"

    def of(*entries, workflow=None, pilots="ab"):
        return [i.pilots for i in shared_inputs([Sharing(p, entries, workflow) for p in pilots])]

    assert of(entry(labour, 38, 46, source="payroll")) == [{"a": labour, "b": labour}]
    assert of(entry(labour, 38, 46)) == []  # nobody says that it is the same
    assert of(entry(labour, 38, 46), workflow="w") == [{"a": labour, "b": labour}]
    apart = [Sharing(p, (entry(labour, 38, 46, source=p),), None) for p in "ab"]
    assert shared_inputs(apart) == []
    other = [Sharing(p, (entry(labour, 38, 46 + i, source="payroll"),), None) for i, p in enumerate("ab")]
    assert shared_inputs(other) == []


def made_pair(share: bool, seed: int = 1):
    """Two pilots whose worth is demand × a margin of their own; demand has the same draws in both, as a seed gives it."""
    demand = entry("demand.cases_per_month", 800, 1200, source="ledger" if share else None)
    x = demand.value.quantile(uniforms(DRAWS, stream(seed, demand.key)))
    spoilt = stream(seed, "margin").standard_normal(DRAWS)  # the same name, the same draws, another thing
    return [
        candidate(p, fundable(x * (10 + spoilt), 0), entries=(demand,), inputs={demand.key: x})
        for p in ("a", "b")
    ]


@pytest.mark.parametrize("share", [True, False])
def test_what_is_shared_is_common_and_nothing_else(share):
    """Var(x) E(m)² of Var(x m) is common where demand is shared: a correlation of about 0.59; else none."""
    pair = made_pair(share)
    x, m = pair[0].inputs["demand.cases_per_month"], 10.0
    expected = x.var() * m**2 / pair[0].options[0].worth.var() if share else 0.0
    joint = joint_draws(pair, plan())
    first, second = joint.worths["a"][0], joint.worths["b"][0]
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(expected, abs=0.04)
    assert np.sort(first) == pytest.approx(np.sort(pair[0].options[0].worth))  # only put in order


def test_a_shared_input_widens_the_set():
    apart, together = (portfolio_of(made_pair(share), plan())["set"] for share in (False, True))
    assert together["sd"] > 1.15 * together["sd_apart"]
    assert apart["sd"] == pytest.approx(apart["sd_apart"], rel=0.05)


def test_money_of_another_currency_needs_a_rate():
    pair = [candidate("a", fundable(10.0, 1)), candidate("z", fundable(10.0, 1), currency="CHF")]
    found = portfolio_of(pair, plan(currency="EUR"))
    assert set(funded(found)) == {"a"}
    assert "fx: {CHF: …}" in found["pilots"][1]["note"]
    found = portfolio_of(pair, plan(currency="EUR", fx={"CHF": 1.1}))
    assert found["set"]["worth"]["mean"] == pytest.approx(21)


def test_ages_and_due_dates():
    late = candidate("late", fundable(1.0, 0), as_of="2026-10-01", decide_by="2026-11-01")
    signed = candidate(
        "signed", fundable(1.0, 0), verdict="fix", decide_by="2026-11-01",
        signed=[{"as": "A. Person", "role": "Head", "decision": "accept", "at": "2026-11-02"}],
    )  # fmt: skip
    rows = {p["pilot"]: p for p in portfolio_of([late, signed], plan(as_of="2026-11-20"))["pilots"]}
    assert (rows["late"]["age_days"], rows["late"]["days_left"], rows["late"]["overdue"]) == (50, -19, True)
    assert not rows["signed"]["overdue"]


def test_the_trend_of_verdicts():
    def issued(pilot, verdict, at):
        return {"kind": "record", "pilot": pilot, "verdict": verdict, "at": at}

    entries = [issued("a", "fix", "2026-09-03T"), issued("b", "kill", "2026-09-04T"), {"kind": "sign"}]
    entries += [issued("a", "fix", "2026-10-01T"), issued("a", "scale", "2026-11-05T")]
    found = trend_of(entries)
    assert found["months"] == [
        {"month": "2026-09", "scale": 0, "fix": 1, "kill": 1},
        {"month": "2026-10", "scale": 0, "fix": 1, "kill": 1},
        {"month": "2026-11", "scale": 1, "fix": 0, "kill": 1},
    ]
    steps = [{"at": "2026-09-03", "verdict": "fix"}, {"at": "2026-11-05", "verdict": "scale"}]
    assert found["changes"] == [{"pilot": "a", "verdicts": steps}]


@pytest.mark.parametrize("seed", rest_slow(range(6), at_once=2))
def test_more_money_is_never_worse(seed):
    rng = np.random.default_rng(seed)
    pilots = [candidate(f"p{i}", fundable(rng.normal(50, 40), rng.uniform(5, 60))) for i in range(8)]
    worth = [portfolio_of(pilots, plan(budget=b))["set"]["worth"]["mean"] for b in (0, 40, 80, 160, 1000)]
    assert worth == sorted(worth)


def test_regret_of_many_sets_is_sampled_and_bounded():
    rng = np.random.default_rng(2)
    pilots = [candidate(f"p{i}", fundable(rng.normal(50, 40, DRAWS), rng.uniform(5, 60))) for i in range(12)]
    regret = portfolio_of(pilots, plan(budget=300))["set"]["regret"]
    assert regret["how"] == "sampled"
    assert 0 < regret["value"] <= regret["at_most"]
    assert regret["error"] < 0.1 * regret["value"]


def test_a_record_alone_is_drawn_from_its_percentiles():
    option = {"label": "Scale", "mean": 105.0, "p10": 50.0, "p50": 100.0, "p90": 170.0, "one_off": 20.0}
    option["chance_above_hurdle"] = 0.97
    record = {
        "pilot": "r",
        "verdict": "scale",
        "currency": "EUR",
        "options": {"scale": option},
        "next": [{"worth": 105.0}],
    }
    found = candidate_of_record(record)
    [only] = found.options
    assert only.mean() == pytest.approx(105)
    low, high = np.percentile(only.worth, [10, 90])
    assert high - low == pytest.approx(120, rel=0.01)
    assert "archive is not there" in found.note


def test_the_same_pilots_give_the_same_bytes_and_every_part_can_be_shown():
    pilots = [*made_pair(True), candidate("<b>x", fundable(5.0, 1), verdict="kill", title="<b>x")]
    found = portfolio_of(pilots, plan(budget=10))
    assert json.dumps(found, sort_keys=True) == json.dumps(
        portfolio_of(pilots[::-1], plan(budget=10)), sort_keys=True
    )

    class Opened:
        pass

    opened = Opened()
    opened.found = json.loads(json.dumps(found, allow_nan=False))
    for part in (show.opening, show.overview, show.funded, show.luck, show.order, show.trend):
        html = part(opened).html
        assert "<b>x" not in html
        assert "NPV" not in html
    figure = show.map_figure(opened.found)
    assert figure is not None
    assert all("<svg" in drawing for drawing in figure.drawings())


def test_a_real_pilot_as_the_portfolio_sees_it():
    from opened_examples import example

    decision = example("claims_intake").decision
    found = candidate_of(decision.analysis, decision.record)
    advised = decision.record["options"]["fix"]
    assert found.options[0].mean() == pytest.approx(advised["mean"])
    assert found.options[0].cost == pytest.approx(advised["one_off"])
    assert found.options[0].weeks == {"IT Integration": pytest.approx(10)}
    # Where its gates pass it saves so many hours, and over all outcomes that chance of them.
    plan = decision.analysis.verdict.plan
    assert found.options[0].passes == plan.passes < 1
    assert found.options[0].hours == pytest.approx(
        plan.passes * found.options[0].drawn_hours.mean(), rel=1e-3
    )
    assert found.options[0].delay_cost is not None
    assert found.options[0].delay_cost > 0


def test_the_portfolio_file_is_refused_with_all_its_mistakes(tmp_path):
    path = tmp_path / "_portfolio.yaml"
    path.write_text(
        "budgt: 5\nbudget: -1\nfx: {CHF: 0, euro: 1}\nbuilders: {IT: {weeks: -2}}\nteams: {Claims: -3}\n"
    )
    with pytest.raises(ParameterError) as error:
        read_portfolio(path)
    said = str(error.value)
    for part in (
        "did you mean 'budget'?",
        "-1 is below 0",
        "above 0",
        "'euro' is not a currency",
        "-2 is below 0",
        "-3",
    ):
        assert part in said
    assert read_portfolio(tmp_path / "none.yaml") == Portfolio()


def test_the_shipped_portfolio_file_reads():
    from opened_examples import PARAMS

    assert read_portfolio(PARAMS / "_portfolio.yaml").budget == 480000


def test_regret_of_many_workflows_lies_between_bounds():
    rng = np.random.default_rng(2)
    pilots = [candidate(f"p{i}", fundable(rng.normal(50, 40, DRAWS), rng.uniform(5, 60))) for i in range(16)]
    regret = portfolio_of(pilots, plan(budget=300))["set"]["regret"]
    assert regret["how"] == "bounded"
    assert 0 < regret["value"] <= regret["at_most"]


def test_hours_beyond_a_team_are_told_where_they_are_not_rare():
    """Mean 100 of 100 hours; in half of the outcomes 150. Two of it: in ¾ more than 100 (of 50+50 not)."""
    drawn = np.where(np.arange(DRAWS) % 2, 150.0, 50.0)
    both = [
        candidate(p, fundable(5.0, 0, hours=100.0, drawn_hours=drawn), owner="Claims  Team") for p in "ab"
    ]
    one = portfolio_of(both[:1], plan(teams={"Claims team": 100}))
    [limit] = one["set"]["limits"]
    assert limit["share_above"] == pytest.approx(0.5)
    assert any("more hours are saved than Claims team has (100 a month)" in x for x in sentences(one))
    [limit] = portfolio_of(both, plan(teams={"Claims team": 200}))["set"]["limits"]
    assert limit["share_above"] == pytest.approx(0.25, abs=0.02)  # 300 of 200
    rare = portfolio_of(both[:1], plan(teams={"Claims team": 150}))
    assert rare["set"]["limits"][0]["share_above"] == 0
    assert not any("more hours are saved" in x for x in sentences(rare))


def test_hours_of_a_fix_are_saved_only_where_its_gates_pass():
    drawn = np.full(DRAWS, 150.0)
    fix = fundable(5.0, 0, kind="fix", hours=75.0, drawn_hours=drawn, passes=0.5)
    found = portfolio_of([candidate("a", fix, verdict="fix", owner="Claims")], plan(teams={"Claims": 100}))
    assert found["set"]["limits"][0]["share_above"] == pytest.approx(0.5, abs=0.03)


def test_an_owner_who_is_no_team_is_told_with_the_mend():
    pilots = [
        candidate("a", fundable(5.0, 0, hours=60.0), owner="Claims"),
        candidate("b", fundable(5.0, 0, hours=60.0), owner="Claims dept."),
        candidate("c", fundable(5.0, 0, hours=60.0)),
        candidate("d", fundable(5.0, 0)),
    ]
    notes = portfolio_of(pilots, plan(teams={"claims": 100}, budget=1))["notes"]
    assert len(notes) == 2
    assert "b: the 60 hours a month that it saves are held against no team" in notes[0]
    assert "'Claims dept.' is no team there. Write its about.owner as one of them (claims)" in notes[0]
    assert "c: " in notes[1]
    assert "names no owner" in notes[1]
    assert not [x for x in portfolio_of(pilots, plan(budget=1))["notes"] if "held against" in x]


def test_a_builder_is_the_same_whatever_the_spaces():
    a = candidate("a", fundable(5.0, 0, weeks={"IT Integration": 4.0}))
    assert portfolio_of([a], plan(budget=1, builders={"it  integration ": {"weeks": 9}}))["notes"] == []


def test_the_opening_says_what_the_set_is_worth_after_waiting():
    """As in the order above: B, then A, which waits three weeks at 10: 30 of 200 are lost."""
    a = candidate("a", fundable(100.0, 0, weeks={"IT": 5.0}, delay_cost=10.0))
    b = candidate("b", fundable(100.0, 0, weeks={"IT": 3.0}, delay_cost=9.0))
    found = portfolio_of([a, b], plan())
    assert found["set"]["lost_while_waiting"] == pytest.approx(30)
    assert "less about EUR 30.00 for waiting for who builds, which leaves EUR 170." in sentences(found)[
        0
    ].replace("\xa0", " ")
    alone = portfolio_of([a], plan())
    assert "waiting" not in sentences(alone)[0]


def test_what_the_next_lacks_is_told_beside_what_it_takes_in_all():
    a = candidate("a", fundable(50.0, 174_000, now=33_000, kind="fix"), verdict="fix")
    said = sentences(portfolio_of([a], plan(budget=30_000)))[-1].replace("\xa0", " ")
    assert "it takes EUR 174,000 once, the roll-out that follows with it (EUR 33,000 of it now)" in said
    assert "and lacks EUR 144,000." in said


def test_pilots_in_other_money_stand_beside_each_other_in_that_of_the_portfolio():
    option = {"mean": 1000.0, "p10": 1.0, "p90": 2.0, "chance_above_hurdle": 1.0}
    swiss = candidate("z", fundable(1000.0, 1), currency="CHF", options={"scale": option}, next=[])
    found = portfolio_of([swiss], plan(currency="EUR", fx={"CHF": 1.1}, budget=1))
    page = index_page([Entry(pilot="z", record=swiss.record)], json.loads(json.dumps(found)))
    assert "about EUR 1,100" in page.replace("\xa0", " ")
    assert "<small>about" not in index_page([Entry(pilot="z", record=swiss.record)], None)


def test_what_is_asked_for_in_several_currencies_is_told_as_one_sum_where_every_rate_is_known():
    option = {"mean": 1000.0, "p10": 1.0, "p90": 2.0, "chance_above_hurdle": 1.0}
    pair = [
        candidate(
            p, fundable(1000.0, 1), currency=c, options={"scale": option}, next=[], sum_asked_for=100_000.0
        )
        for p, c in (("y", "EUR"), ("z", "CHF"))
    ]

    def said(**more):
        found = json.loads(json.dumps(portfolio_of(pair, plan(currency="EUR", budget=1, **more))))
        page = index_page([Entry(pilot=c.pilot, record=c.record) for c in pair], found)
        return page.replace("\xa0", " ").split("Asked for in all: ")[1].split("</p>")[0]

    assert said(fx={"CHF": 1.1}).startswith("CHF 100,000 and EUR 100,000 (about EUR 210,000)")
    assert "about" not in said()
