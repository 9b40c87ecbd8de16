"""What knowing is worth for a pilot: it agrees with the verdict, with the next actions and with itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opened_examples import example
from pilots import CONTROL_TABLES, cases, write_pilot

from roi.information import evpi
from roi.knowing import choices, knowing_of_record, samples_of
from roi.next_step import Step, gerund, sentence
from roi.pilot import Decision, open_pilot
from roi.report.facts import facts

pytestmark = pytest.mark.slow  # whole decisions of pilots

LOOSE = {"max_severe_error_rate": 0.3, "max_approval_miss_rate": 0.1, "approved_by": "Board"}
CHEAP = {"per_case": 1, "per_label": 1, "setup": 10, "cases_per_week": 800}


def decide(
    folder: Path, rows: list[dict[str, Any]], changes: dict[str, Any] | None = None, **how: Any
) -> Decision:
    return open_pilot(write_pilot(folder, rows, changes, **how)).decision


def unsure() -> list[dict[str, Any]]:
    return cases(160, baseline=12.0, pilot=9.3, workers=8, error_baseline=0.0, error_pilot=0.0)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return decide(tmp_path_factory.mktemp("good"), cases())


@pytest.fixture(scope="module")
def measures(tmp_path_factory):
    return decide(tmp_path_factory.mktemp("measures"), unsure(), {"measurement": CHEAP}, policy=LOOSE)


@pytest.fixture(scope="module")
def claims():
    return example("claims_intake").decision


@pytest.mark.slow
def test_a_scale_asks_for_nothing(good):
    known = good.record["knowing"]
    assert good.verdict == "scale"
    assert known["step"] is None
    assert known["sentence"] == "Decide now: no measurement is worth its cost."
    assert all(row["net"] is None or row["net"] < 0 for row in known["samples"])
    assert known["allowed_now"] == good.record["options"]["scale"]["mean"]


@pytest.mark.slow
def test_a_fix_that_measures_names_the_same_cases_price_and_worth(measures):
    known, (action, *_) = measures.record["knowing"], measures.record["next"]
    assert (measures.verdict, measures.record["fix_kind"]) == ("fix", "measure")
    step, plan = known["step"], measures.analysis.verdict.plan
    assert step["asked_for"]
    assert (step["what"], step["n"]) == (action["action"], plan.measures[0].n)
    assert step["price"] == action["cost"] == measures.record["options"]["fix"]["price"]
    assert step["worth"] - step["price"] == pytest.approx(action["worth"])
    chosen = [row for row in known["samples"] if row["chosen"]]
    assert [row["n"] for row in chosen] == [step["n"]]
    assert chosen[0]["net"] == pytest.approx(action["worth"])
    assert chosen[0]["net"] == max(row["net"] for row in known["samples"] if row["kind"] == "cases")
    assert "EUR" in known["sentence"]
    assert f"{step['n']}" in known["sentence"]


@pytest.mark.slow
def test_a_kill_values_samples_of_the_roll_out_that_is_open_and_best():
    """support_replies at 23,500 cases a month: scaling is open and nets money, but not surely; a fix is worth less."""
    replies = Path(__file__).parent.parent / "params" / "support_replies.yaml"
    mix = dict(open_pilot(replies).loaded.parameters.demand.mix)
    decision = open_pilot(replies, demand={"cases_per_month": 23_500, "mix": mix}).decision
    assert decision.verdict == "kill"
    known = decision.record["knowing"]
    assert known["about"] == decision.analysis.scale.label
    best = max((p.mean() for p in decision.analysis.plans), default=0.0)
    assert decision.analysis.scale.mean() > max(best, 0.0)


def test_net_is_worth_less_price_and_waiting(measures, good, claims):
    for decision in (measures, good, claims):
        for row in decision.record["knowing"]["samples"]:
            if row["price"] is not None:
                assert row["net"] == pytest.approx(
                    row["evsi"] - row["price"] - row["waiting"], abs=1e-6 + 0.05 * abs(row["evsi"])
                )
            assert row["most"] == pytest.approx(max(row["evsi"] - row["waiting"], 0.0), abs=1e-6)


def test_a_larger_sample_of_the_same_is_worth_more(measures):
    cases_ = [row["evsi"] for row in measures.record["knowing"]["samples"] if row["kind"] == "cases"]
    assert len(cases_) == 4
    assert cases_ == sorted(cases_)


@pytest.mark.slow
def test_without_prices_the_most_that_it_may_cost_is_said(tmp_path):
    found = decide(tmp_path, unsure(), {"measurement": None}, policy=LOOSE)
    known = found.record["knowing"]
    assert {row["price"] for row in known["samples"]} == {None}
    assert {row["net"] for row in known["samples"]} == {None}
    assert known["step"]["price"] is None
    assert known["step"]["worth"] == max(row["most"] for row in known["samples"])
    assert "it may cost at most EUR" in known["sentence"]


def test_what_cannot_be_computed_is_null_and_comes_first(tmp_path):
    rows = [row for row in cases(200) if row["arm"] == "pilot"]
    found = decide(tmp_path, rows).record
    known = found["knowing"]
    assert known["evpi"] is None
    assert found["evpi"] is None
    assert known["why"]
    assert known["samples"] == []
    assert known["step"]["price"] == found["next"][0]["cost"]
    said = known["sentence"].replace("\u00a0", " ")
    assert said.startswith("Timing 30 cases without the agent comes first, at EUR 1,950;")


def test_nothing_to_choose_is_worth_nothing_and_says_why(tmp_path):
    found = decide(tmp_path, cases(60), without=CONTROL_TABLES).record["knowing"]
    assert found["evpi"] == 0
    assert found["inputs"] == []
    assert "nothing to choose" in found["why"]
    # No sample was weighed, so that none can be said to be worth less than it costs.
    assert "changes nothing" in found["sentence"]
    assert "worth its cost" not in found["sentence"]


def test_inputs_are_worth_no_more_than_everything(measures, claims):
    for decision in (measures, claims):
        known = decision.record["knowing"]
        worths = [choice.worth for choice in choices(decision.analysis)]
        assert known["evpi"] == decision.record["evpi"] == pytest.approx(evpi(worths))
        groups = {row["group"]: row for row in known["groups"]}
        for row in (*known["inputs"], *known["groups"]):
            assert 0 <= row["value"] <= known["evpi"]
        for row in known["inputs"]:
            assert row["value"] <= groups[row["group"]]["value"] + 1e-9
        values = [row["value"] for row in known["inputs"]]
        assert values == sorted(values, reverse=True)
        keys = {row["key"] for row in known["inputs"]}
        assert {"minutes_saved_per_case", "economics.adoption.ceiling"} <= keys
        assert not any("horizon" in key for key in keys)  # a single number is taken as known
        assert known["taken_as_known"] > 0


def test_what_the_verdict_hangs_on_is_worth_most(measures):
    """Eight people and 160 cases: the minutes are what is not known."""
    first = measures.record["knowing"]["inputs"][0]
    assert (first["key"], first["group"], first["stated"]) == ("minutes_saved_per_case", "measured", False)
    assert first["flips"] > 0.2


@pytest.mark.slow
def test_a_document_removes_the_share_that_is_stated(tmp_path):
    prices = CHEAP | {"per_document": 500, "document_removes": 0.4}
    found = decide(tmp_path, unsure(), {"measurement": prices}, policy=LOOSE).record
    known = found["knowing"]
    assert known["document"] == {"removes": 0.4, "stated": True}
    documents = [row for row in known["samples"] if row["kind"] == "document"]
    assert documents
    assert all(row["price"] == 500 and row["n"] is None and row["key"] for row in documents)
    assert "measurement.document_removes" in {row["key"] for row in found["assumptions"]}


def test_without_a_word_a_document_removes_three_quarters(claims):
    assert claims.record["knowing"]["document"] == {"removes": 0.75, "stated": False}


def test_the_record_is_the_same_again(claims):
    assert knowing_of_record(claims.analysis) == knowing_of_record(claims.analysis)
    assert [s.n for s in samples_of(claims.analysis)] == [s["n"] for s in claims.record["knowing"]["samples"]]


def test_the_sentence_stands_on_the_first_screen(claims):
    shown = {fact.label: fact.text for fact in facts(claims.record)}
    assert shown["Is measuring more worth it?"] == claims.record["knowing"]["sentence"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            Step(what="Time 120 more cases", n=120, price=3300.0, worth=9800.0, months=0.0, asked_for=True),
            "Timing 120 more cases costs EUR 3,300 and is worth EUR 9,800.",
        ),
        (
            Step(what="Label 40 more cases", n=40, price=320.0, worth=900.0, months=1.0, asked_for=False),
            "Decide now; the rule asks for no more. Even so, labelling 40 more cases would cost EUR 320 and be worth "
            "EUR 900, the wait counted.",
        ),
        (
            Step(what="Sample 9 more cases", n=9, price=None, worth=900.0, months=0.0, asked_for=True),
            "Sampling 9 more cases has no stated price; it may cost at most EUR 900.",
        ),
        (None, "Decide now: no measurement is worth its cost."),
    ],
)
def test_the_sentence(good, step, said):
    assert sentence(good.analysis, step).replace("\u00a0", " ") == said


def test_words_for_doing():
    assert gerund("Time 3 cases; Label 4 cases") == "timing 3 cases and labelling 4 cases"
    assert gerund("A document for: Adoption") == "a document for: Adoption"


def test_nothing_in_the_record_is_unfinished(claims, good, measures):
    for decision in (claims, good, measures):
        for row in decision.record["knowing"]["samples"]:
            numbers = [row[k] for k in ("evsi", "waiting", "months", "most")]
            assert np.isfinite(numbers).all()
