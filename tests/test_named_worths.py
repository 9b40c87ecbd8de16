"""What a verdict's reason names can be looked up: every worth in it stands in the table of the options."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from opened_examples import EXAMPLES, example

from roi import words
from roi.report import facts

MONEY = re.compile(r"(?:EUR|USD|GBP|CHF) \d+(?:,\d+)*(?:\.\d+)?(?: (?:million|billion))?")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_worth_in_the_reason_stands_in_the_table_of_the_options(name: str) -> None:
    record = example(name).decision.record
    currency = record["currency"]
    listed = {
        words.amount(abs(choice.option[key]), currency).replace("\u00a0", " ")
        for choice in facts.choices(record, every=True)
        if choice.option is not None
        for key in ("mean", "price")
        if choice.option.get(key) is not None
    }
    # What a roll-out costs is a step of what to do next.
    steps = {
        words.amount(step["cost"], currency).replace("\u00a0", " ") for step in record["next"] if step["cost"]
    }
    listed |= steps
    assert set(MONEY.findall(record["reason"].replace("\u00a0", " "))) <= listed


def test_a_roll_out_with_its_controls_is_listed_to_compare_with_and_is_not_advised() -> None:
    record = example("payment_repair").decision.record
    controlled = record["options"]["controlled"]
    assert record["ground"] == "uncontrollable_risk"
    row = next(c for c in facts.choices(record, every=True) if c.name == "controlled")
    assert not row.advised
    assert "the rule would stop instead" in row.remark
    assert controlled["remedies"] == record["options"]["fix"]["remedies"]
    # The fix is bought, measured again and stopped; rolled out all the same, each month of it costs more.
    assert controlled["mean"] < record["options"]["fix"]["mean"]
    # On the first screen it stands in the place of the roll-out of some kinds of cases, so that no line is added.
    assert [c.name for c in facts.choices(record)] == ["kill", "keep", "scale", "controlled", "fix"]


def test_a_set_that_does_not_pay_says_what_the_fix_among_the_options_comes_to() -> None:
    record = example("payment_repair").decision.record
    whole = words.amount(record["options"]["fix"]["mean"], record["currency"])
    assert record["remedies"]["text"].endswith(f"the pilot until that is done, {whole}.")


@pytest.mark.parametrize("name", EXAMPLES)
def test_nobody_decides_again_before_the_last_repair_has_been_measured(name: str) -> None:
    record = example(name).decision.record
    by = {step["kind"]: step["by"] for step in record["next"]}
    bought = [r["again"] for r in record["remedies"]["list"] if r["bought"]]
    if record["verdict"] != "fix" or not bought:
        return
    start = dt.date.fromisoformat(record["decide_by"])
    for again in bought:
        ends = start + dt.timedelta(days=(again["month"] + (again["months"] or 0.0)) * 365.25 / 12 - 1)
        assert dt.date.fromisoformat(by["go"]) >= ends
    assert by["go"] > by["repair"]
