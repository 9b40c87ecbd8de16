"""The calculation by hand in docs/method.md: its files are computed, and its numbers held against the result."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from roi.cashflow import annuity, ramp_factor
from roi.levers import levers_of
from roi.pilot import Decision, open_pilot
from roi.plan_at import plan_at
from roi.sensitivity import break_even, respond

PAGE = Path(__file__).parent.parent / "docs" / "method.md"
SECTION = PAGE.read_text(encoding="utf-8").split("\n## By hand\n")[1].split("\n## ")[0]
STATED = dict(re.findall(r"^\| ([a-z][^|]*?) \| ([\d.,]+) \|$", SECTION, flags=re.M))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Decision:
    folder = tmp_path_factory.mktemp("example")
    for language, name in (("yaml", "params/example.yaml"), ("csv", "data/example/cases.csv")):
        found = re.search(rf"```{language}\n(.*?)```", SECTION, flags=re.S)
        assert found is not None
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(found[1], encoding="utf-8")
    return open_pilot(folder / "params/example.yaml").decision


def test_the_page_says_what_is_computed(example: Decision):
    record, measured = example.record, example.analysis.measured
    saved = record["estimates"]["minutes_saved_per_case"]
    severe = next(g for g in example.analysis.gates[None] if g.gate == "severe_errors")
    plan = plan_at(example.analysis)
    assert plan is not None
    scaling = replace(
        plan, plan=None, option=example.analysis.scale
    )  # the fix that is put forward measures first
    demand = next(x for x in levers_of(scaling) if x.key == "demand.cases_per_month")
    computed = {
        "minutes saved a case": saved["mean"],
        "standard error": math.hypot(*measured.cells.deviation["human_minutes"][:, 0]),
        "degrees of freedom": record["sample"]["degrees_of_freedom"],
        "low end of 90 %": saved["p05"],
        "high end of 90 %": saved["p95"],
        "error rate, baseline": record["estimates"]["error_rate_baseline"]["mean"],
        "error rate, pilot": record["estimates"]["error_rate_pilot"]["mean"],
        "upper bound of severe errors": record["estimates"]["severe_error_rate_pilot"]["upper"],
        "further cases to show the limit": severe.more_cases,
        "ramp": float(ramp_factor(0.12, 3, 2.0)),
        "annuity": float(annuity(0.12, 3)),
        "expected worth of scaling": record["options"]["scale"]["mean"],
        "break-even, cases a month": break_even(scaling, respond(scaling, demand)).value,
    }
    assert set(STATED) == set(computed)
    for quantity, value in computed.items():
        close = 1e-2 if "end of 90 %" in quantity else 5e-3
        assert value == pytest.approx(float(STATED[quantity].replace(",", "")), rel=close), quantity


def test_the_numbers_follow_from_a_calculator():
    """The same figures without the package."""
    v = 1.12 ** (-1 / 12)
    ramp, paid = v / 4 + 3 * v**2 / 4 + v**3, v + v**2 + v**3
    base, pilot = (1 + 0.5) / (4 + 1), 0.5 / (4 + 1)
    worth = 1000 * 0.5 * (8 * 0.4 + (base - pilot) * 20) * ramp - 100 * paid - 500 * 1.2
    assert f"{worth:,.2f}" == STATED["expected worth of scaling"]
    assert f"{math.sqrt(2 * (1 + 1 + 4 + 4) / 3 / 4):.3f}" == STATED["standard error"]
    assert f"{1 - 0.05 ** (1 / 4):.3f}" == STATED["upper bound of severe errors"]
    assert str(math.ceil(math.log(0.05) / math.log(0.995)) - 4) == STATED["further cases to show the limit"]
    a_case = 0.5 * (8 * 0.4 + (base - pilot) * 20) * ramp
    assert f"{(100 * paid + 600) / a_case:.1f}" == STATED["break-even, cases a month"]
    assert (f"{ramp:.5f}", f"{paid:.5f}") == (STATED["ramp"], STATED["annuity"])


def test_the_example_is_not_scaled(example: Decision):
    assert example.verdict != "scale"
