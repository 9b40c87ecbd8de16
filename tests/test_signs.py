"""What is gained or lost, said in words: by the functions, and on the pages of pilots that gain and that lose."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from fixtures_record import FakeDecision, make_pictures, make_record
from opened_examples import example

from roi import signs
from roi.no_fix import not_met, why_no_fix
from roi.report.facts import choices
from roi.report.sections import first_screen, measured, money
from roi.report.turned_down import turned_down


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def shown(section: Any) -> str:
    """What is read of a section's HTML, without its pictures."""
    html = re.sub(r"<svg.*?</svg>", "", str(section.html), flags=re.DOTALL)
    return plain(" ".join(re.sub("<[^>]+>", " ", html).split()))


@pytest.mark.parametrize(
    ("mean", "told", "beside"),
    [
        (357_000, "brings EUR 357,000", "EUR 357,000 more than stopping now"),
        (-1_496, "loses EUR 1,500", "EUR 1,500 less than stopping now"),
        (0, "brings nothing", "as much as stopping now"),
        (None, "is worth an amount that is not known", "an amount that is not known"),
    ],
)
def test_a_worth_is_gained_or_lost(mean: float | None, told: str, beside: str) -> None:
    assert plain(signs.brings(mean, "EUR")) == told
    assert plain(signs.against_stopping(mean, "EUR")) == beside


def test_hours_are_saved_or_cost() -> None:
    assert signs.hours_told(32) == "saves 32.0 hours"
    assert signs.hours_told(-244) == "costs 244 hours more than before"
    assert signs.hours_told(0) == "saves no hours"
    assert signs.hours(-244) == "244 hours lost"
    assert signs.hours(None) == "not known"
    assert signs.hours_range(-607, 107) == "8 in 10 outcomes: 607 lost to 107 saved"
    assert signs.hours_ends(-607, -107) == "107 to 607"
    assert signs.hours_ends(107, 607) == "107 to 607"


def test_minutes_are_less_or_more() -> None:
    assert signs.minutes_ends(-15.36, 17.85) == "15.36 more to 17.85 less"
    assert signs.minutes_ends(6.92, 8.99) == "6.92 to 8.99 less"
    assert signs.minutes_ends(-8.99, -6.92) == "6.92 to 8.99 more"


def test_saved_time_that_is_lost_is_paid_for() -> None:
    assert (
        plain(signs.becomes(5000, 3000, "EUR"))
        == "EUR 5,000 a year becomes cash, and work worth EUR 3,000 a year goes elsewhere"
    )
    assert "lost time costs EUR 4,910 a year more" in plain(signs.becomes(-4910, 3180, "EUR"))
    assert "of other work is no longer done" in signs.becomes(1, -3, "EUR")


@pytest.mark.parametrize("name", ["contract_summaries", "permit_intake"])
def test_nothing_is_less_than_nothing_where_a_pilot_loses(name: str) -> None:
    """No page says that minus hours are saved, that a worth is a negative amount more, or that a loss is brought."""
    decision = example(name).decision
    text = shown(money(decision)) + shown(first_screen(decision)) + shown(measured(decision))
    assert "less than stopping now" in text
    assert not re.search(r"(saves|between|chances that it is) −", text)
    assert "more than stopping now" not in text
    assert not re.search(r"−[\d,.]+ a year becomes cash", text)


def plan(mean: float) -> Any:
    return SimpleNamespace(mean=lambda: mean)


@pytest.mark.parametrize(
    ("plans", "waiting", "holds", "remedies", "why"),
    [
        ((plan(-5.0),), None, False, (1,), "no fix pays for itself"),
        ((plan(5.0),), None, False, (1,), "no fix is likely enough to pay"),
        ((), plan(-1.0), False, (1,), "no fix pays for itself"),
        ((), None, False, (1,), "no priced fix opens every gate"),
        ((), None, True, (), "no fix is stated"),
        ((), None, True, (1,), "no fix would make it pay"),
    ],
)
def test_why_a_stopped_pilot_is_not_fixed(
    plans: Any, waiting: Any, holds: bool, remedies: Any, why: str
) -> None:
    found = SimpleNamespace(
        plans=plans,
        fixes=SimpleNamespace(waiting=waiting),
        gates={None: (SimpleNamespace(holds=holds),)},
        valuer=SimpleNamespace(remedies=remedies),
    )
    assert why_no_fix(found) == why  # type: ignore[arg-type]


def test_the_reason_says_of_fixes_what_the_options_say() -> None:
    record = example("contract_summaries").decision.record
    assert record["reason"].endswith("loses GBP 87,000 on average; no priced fix opens every gate.")
    fix = next(c for c in choices(record) if c.name == "fix")
    assert fix.remark in record["reason"]


def test_without_a_closed_gate_no_fix_is_said_to_open_one() -> None:
    record = make_record()
    record |= {"verdict": "kill", "options": record["options"] | {"fix": None}, "gates": []}
    said = [c.remark for c in choices(record | {"remedies": {"list": []}}) if c.name == "fix"]
    assert said == ["no fix is stated"]


def test_a_lead_names_what_is_not_shown_and_not_gates() -> None:
    reason = example("claims_intake").decision.record["reason"]
    assert "approval by a person before risky actions is not shown" in reason
    assert "gate" not in reason
    one = SimpleNamespace(label="Usable inputs")
    assert not_met([one, one]) == ", and 2 conditions for scaling are not met"  # type: ignore[list-item]
    assert not_met([]) == ""


def test_a_chance_under_a_kill_is_that_of_what_was_turned_down() -> None:
    decision = example("payment_repair").decision
    text = shown(first_screen(decision))
    assert "Best that was turned down: Scale" in text
    assert "Chance that this would pay, without its controls" in text
    assert "Chance it pays more than" not in text
    assert "Scale, without its controls, pays in more than 99 of 100" in shown(money(decision))
    record = decision.record
    assert turned_down(record, record["options"]["scale"]) == "without its controls"
    assert turned_down(record | {"verdict": "fix"}, record["options"]["scale"]) == ""
    sound = record["options"]["scale"] | {"closed_gates": []}
    assert turned_down(record, sound) == ""
    fewer = record["options"]["scale"] | {"closed_gates": ["Demand covered by the sample"]}
    assert turned_down(record, fewer) == "as it stands"


def test_the_same_worth_of_every_step_is_told_once() -> None:
    text = shown(first_screen(example("claims_intake").decision))
    assert "without any one of them the worth of EUR 357,000 would be lost" in text
    steps = text.partition("What to do next")[2].partition("Each of these steps")[0]
    assert "Worth" not in steps
    record = make_record()
    step = dict(record["next"][0])
    record["next"] = [step | {"worth": 10_000.0}, step | {"worth": 20_000.0}]
    text = shown(first_screen(FakeDecision(record, make_pictures())))
    assert "Worth EUR 10,000" in text
