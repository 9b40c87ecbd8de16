"""What each remedy is worth, by hand, and what the record says of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from made_remedies import decided
from opened_examples import PARAMS, example
from pilots import cases, write_pilot

from roi.after_remedy import cases_to_see, cases_to_show
from roi.causes import Causes
from roi.draws import one_sided_bounds
from roi.pilot import open_pilot
from roi.plans import Opening
from roi.remedies import Remedy
from roi.remedy_worth import RemedyWorth


def remedy(name: str, removes: float, cost: float, after: tuple[str, ...] = ()) -> Remedy:
    return Remedy(
        name=name,
        addresses="data",
        removes=removes,
        cost=cost,
        cost_per_month=0.0,
        months=0.0,
        after=after,
        owner=None,
    )


A, B = remedy("A", 0.4, 15_000.0), remedy("B", 0.5, 28_000.0)


class Sets:
    """Sets whose worth follows from what they leave of half of 200,000."""

    def __init__(self, *remedies: Remedy, budget: float | None = None) -> None:
        self.searched = remedies
        self.sets = np.arange(1 << len(remedies))
        self.many = False
        self.further = []
        self.valuer = decided().valuer
        self.policy = decided().loaded.policy.model_copy(update={"fix_budget": budget})

    def number(self, remedies: Any) -> int:
        return sum(1 << i for i, r in enumerate(self.searched) if r.name in {x.name for x in remedies})

    def chosen(self, number: int) -> tuple[Remedy, ...]:
        return tuple(r for i, r in enumerate(self.searched) if number >> i & 1)

    def plan(self, number: int) -> Any:
        left = float(np.prod([1 - r.removes for r in self.chosen(number)]))
        worth = 100_000 * (1 - left) - sum(r.cost for r in self.chosen(number))
        return SimpleNamespace(
            waits=False, worth=np.full(4, worth), mean=lambda: worth, remedies=self.chosen(number)
        )

    def then(self, number: int) -> Any:
        worth, paid = self.plan(number).worth, sum(r.cost for r in self.chosen(number))
        prospect = SimpleNamespace(
            option=SimpleNamespace(worth=worth),
            mended=np.ones(4),
            policy=self.policy,
            passing=lambda measures: np.ones(4),
            lost=lambda option: paid,
            sure_of=lambda measures, refund: (worth + refund, None, paid - refund),
        )
        return prospect, Opening(mended=np.ones(4), measures=(), unpriced=())

    def best(self, kind: str, *, lacks: int = 0) -> Any:
        worth = max(self.plan(int(s)).mean() for s in self.sets if not int(s) & lacks)
        return SimpleNamespace(worth=worth)


def worth_of(sets: Sets, number: int) -> RemedyWorth:
    a = decided()
    return RemedyWorth(a=a, sets=sets, plan=sets.plan(number), kind="priced")  # type: ignore[arg-type]


def test_two_remedies_of_one_cause_by_hand():
    """The calculation of docs/method.md."""
    half = {"data": np.full(4, 0.5), "model": np.full(4, 0.5)}
    causes = Causes(
        losses=10, labelled=10, evidence="label", error_share=half, loss_share=half, excess_minutes={}
    )
    kept = replace(decided().valuer, causes=causes).effect_of((A, B)).kept
    assert 1 - kept == pytest.approx(0.5 * 0.7)
    found = worth_of(Sets(A, B), 3)
    assert [found.alone(r) for r in (A, B)] == pytest.approx([25_000, 22_000])
    assert found.worth(3) == pytest.approx(27_000)
    assert [found.among(r) for r in (A, B)] == pytest.approx([5_000, 2_000])
    assert [found.most(r).most for r in (A, B)] == pytest.approx([20_000, 30_000])
    assert [found.most(r).ends for r in (A, B)] == ["worth", "worth"]
    assert [s.remedy.name for s in found.steps] == ["A", "B"]
    assert [float(s.worth.mean()) for s in found.steps] == pytest.approx([25_000, 27_000])
    assert [s.paid for s in found.steps] == [15_000, 43_000]


def test_what_waits_is_bought_after_what_it_waits_for():
    found = worth_of(Sets(replace(A, after=("B",)), B), 3)
    assert [s.remedy.name for s in found.steps] == ["B", "A"]
    assert found.among(B) == pytest.approx(27_000)


def test_a_budget_caps_what_may_be_paid():
    found = worth_of(Sets(A, B, budget=44_000.0), 3).most(B)
    assert (found.most, found.ends) == (pytest.approx(29_000), "budget")


def test_more_than_four_remedies_are_bought_for_what_they_add():
    several = [remedy(f"r{i}", 0.1 * (i + 1), 1_000.0 + 100 * i) for i in range(6)]
    found = worth_of(Sets(*several), 63)
    assert [s.remedy.name for s in found.steps] == ["r5", "r4", "r3", "r2", "r1", "r0"]


def test_cases_to_see_a_fall_by_hand():
    assert cases_to_see(0.2, 0.1, 400, 0.8) == 29
    assert cases_to_see(0.2, 0.19, 400, 0.8) is None
    assert cases_to_see(0.2, 0.2, 400, 0.8) is None


@pytest.mark.slow
def test_a_fall_is_seen_as_often_as_it_is_asked_for():
    rng = np.random.default_rng(1)
    n = cases_to_see(0.25, 0.15, 600, 0.8)
    assert n is not None
    before, after = rng.binomial(600, 0.25, 40_000) / 600, rng.binomial(n, 0.15, 40_000) / n
    error = np.sqrt(before * (1 - before) / 600 + after * (1 - after) / n)
    assert float(np.mean(before - after > 0.8416 * error)) == pytest.approx(0.8, abs=0.03)


def test_cases_to_show_a_limit_by_hand():
    """0.98 ** 149 is the first power below 0.05."""
    assert cases_to_show(0.0, 0.02) == 149
    assert cases_to_show(0.02, 0.02) is None
    n = cases_to_show(0.01, 0.02)
    assert n is not None
    assert one_sided_bounds(np.ceil(0.01 * n), n)[1] <= 0.02


def test_the_record_of_an_example():
    found = example("claims_intake").decision.record["remedies"]
    assert [r["name"] for r in found["list"]] == [
        "Hold letters until they are approved",
        "Check policy numbers at intake",
        "Train a model of our own",
    ]
    whole = found["set"]
    assert [r["bought"] for r in found["list"]] == [True, True, False]
    assert whole["exact"]
    assert whole["joint"] == pytest.approx(sum(r["step"] for r in found["list"][:2]))
    assert whole["mean"] == example("claims_intake").decision.record["options"]["fix"]["mean"]
    for row in found["list"][:2]:
        # Each opens what the other needs: up to there the set pays on average, but the rule stops before.
        assert row["cost"] < row["most"] < row["cost"] + whole["mean"]
        assert row["most_ends"] == "rule"
    assert (found["list"][2]["most"], found["list"][2]["most_ends"]) == (0, "worth")
    near = found["near"][0]  # one set has one worth: what was paid is lost where nothing can be rolled out
    assert near["remedies"] == [found["list"][0]["name"]]
    assert (near["worth"], near["opens"]) == (found["list"][0]["alone"], False)
    assert near["less"] == pytest.approx(whole["mean"] - near["worth"])


def test_next_actions_say_the_same_numbers_as_the_remedies():
    record = example("claims_intake").decision.record
    rows = {r["name"]: r for r in record["remedies"]["list"]}
    actions = [x for x in record["next"] if x["action"] in rows]
    assert len(actions) == 2
    for action in actions:
        row = rows[action["action"]]
        assert (action["worth"], action["max_price"]) == (row["among"], row["most"])
        assert row["among"] == pytest.approx(record["options"]["fix"]["mean"])  # neither opens anything alone
    data = rows["Check policy numbers at intake"]
    again = data["again"]
    # Half of the expected change, of the quantity and on the number of cases of the measurement afterwards.
    assert again["pass_at"] == pytest.approx((again["before"] + again["after"]) / 2)
    mark = next(x["pass_mark"] for x in actions if x["action"] == data["name"]).replace("\u00a0", " ")
    assert mark == "Errors and hand-overs fall from 23 % to 17 % or less of 30 new cases (11 % expected)"


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1])
def test_the_decision_on_an_example_changes_at_the_most(place):
    row = example("claims_intake").decision.record["remedies"]["list"][place]
    stated = yaml.safe_load((PARAMS / "claims_intake.yaml").read_text(encoding="utf-8"))["remedies"]
    for factor, verdict in ((0.99, "fix"), (1.01, "kill")):
        asked = [r | {"cost": factor * row["most"]} if r["name"] == row["name"] else r for r in stated]
        record = open_pilot(PARAMS / "claims_intake.yaml", remedies=asked).decision.record
        assert record["verdict"] == verdict
        assert any(r["bought"] for r in record["remedies"]["list"]) is (verdict == "fix")


@pytest.mark.slow
def test_a_closed_gate_without_a_price_shows_the_most_it_may_cost(tmp_path):
    decision = open_pilot(write_pilot(tmp_path, cases(), without=("evals",))).decision
    found = decision.record["remedies"]
    (ceiling,) = found["ceilings"]
    assert ceiling["gate"] == "evaluation"
    assert ceiling["most"] == pytest.approx(decision.record["options"]["fix"]["max_worth_paying"])


@pytest.mark.slow
def test_a_remedy_that_removes_nothing_may_cost_nothing(tmp_path):
    stated = [
        {"name": "Idle", "addresses": "data", "removes_share": 0, "cost": 100},
        {"name": "First", "addresses": "data", "removes_share": 0, "cost": 100},
        {"name": "Then", "addresses": "data", "removes_share": 0.5, "cost": 100, "after": "First"},
    ]
    for rows in (cases(), [row for row in cases(300) if row["arm"] == "pilot"]):
        folder = tmp_path / str(len(rows))
        folder.mkdir()
        path = write_pilot(folder, rows, {"remedies": stated}, without=("evals",))
        found = {r["name"]: r for r in open_pilot(path).decision.record["remedies"]["list"]}
        assert (found["Idle"]["most"], found["Idle"]["most_ends"]) == (0, "worth")


@pytest.mark.slow
def test_nothing_to_value_is_said_and_not_zero(tmp_path):
    rows = [row for row in cases(300) if row["arm"] == "pilot"]
    stated = {"remedies": [{"name": "Clean", "addresses": "data", "removes_share": 0.5, "cost": 100}]}
    found = open_pilot(write_pilot(tmp_path, rows, stated)).decision.record["remedies"]
    assert found["set"] is None
    assert found["why"] == "the worth of scaling is not known"
    assert found["list"][0]["alone"] is None
