"""What is wrong with a parameter file is named with its key, its line and its mend."""

from __future__ import annotations

import pytest
from fixtures_parameters import SIX, problems, writer  # noqa: F401 - a fixture

BAD = [
    ("pilot: Other", "pilot: ../p", "pilot", "a name of a-z"),
    ("pilot: p", "pilot: q", "pilot", "not the file's own name"),
    ("pilot: p", "pilot: '<script>'", "pilot", "a name of a-z"),
    ("pilot: p", "pilot: [p]", "pilot", "a list where a text"),
    ("demand:", "demnad:", "demnad", "did you mean 'demand'?"),
    (
        "cases_per_month: 100",
        "cases_per_month: {low: 5, hihg: 9}",
        "demand.cases_per_month.hihg",
        "did you mean 'high'?",
    ),
    ("cases_per_month: 100", "cases_per_month: {low: 9, high: 5}", "demand.cases_per_month", "exchange"),
    ("cases_per_month: 100", "cases_per_month: {low: 9}", "demand.cases_per_month", "'high' is missing"),
    (
        "cases_per_month: 100",
        "cases_per_month: {low: 9, mode: 3}",
        "demand.cases_per_month",
        "do not go together",
    ),
    ("cases_per_month: 100", "cases_per_month: 100, mix_cases: 0", "demand.mix_cases", "counted on"),
    ("cases_per_month: 100", "cases_per_month: {source: ledger}", "demand.cases_per_month", "no value"),
    ("cases_per_month: 100", "cases_per_month: {values: []}", "demand.cases_per_month", "values is empty"),
    (
        "cases_per_month: 100",
        "cases_per_month: {values: 3}",
        "demand.cases_per_month.values",
        "a list is wanted",
    ),
    ("cases_per_month: 100", "cases_per_month: [1, 2]", "demand.cases_per_month", "{values: […]}"),
    ("cases_per_month: 100", "cases_per_month: .nan", "demand.cases_per_month", "leave the key out"),
    ("cases_per_month: 100", "cases_per_month: -5", "demand.cases_per_month", "below 0"),
    ("cases_per_month: 100", "cases_per_month: 010", "demand.cases_per_month", "write 10"),
    (
        "cases_per_month: 100",
        "cases_per_month: {value: 5, as_of: 2026-02-30}",
        "demand.cases_per_month.as_of",
        "calendar",
    ),
    (
        "cases_per_month: 100",
        "cases_per_month: {value: 5, evidence: sure}",
        "demand.cases_per_month.evidence",
        "assumed",
    ),
    ("cases_per_month: 100", "mix: {a: 0.5, b: 0.4}", "demand.mix", "sum to 0.9"),
    ("cases_per_month: 100", "mix: {a: 60, b: 40}", "demand.mix.a", "60 % is 0.60"),
    ("cases_per_month: 100", "mix: {}", "demand.mix", "empty"),
    (
        "cases_per_month: 100",
        "cases_per_month: 1, cases_per_month: 2",
        "demand.cases_per_month",
        "stands twice",
    ),
    (
        "run_cost_per_month: 300",
        "adoptoin: {ramp_months: 3}",
        "economics.adoptoin",
        "did you mean 'adoption'?",
    ),
    ("run_cost_per_month: 300", "discount_rate: 8", "economics.discount_rate", "8 % is 0.08"),
    ("run_cost_per_month: 300", "contingency: 20 %", "economics.contingency", "20 % is 0.20"),
    ("run_cost_per_month: 300", "horizon_months: 0", "economics.horizon_months", "1 to 240"),
    ("run_cost_per_month: 300", "horizon_months: 3.5", "economics.horizon_months", "whole number"),
    ("run_cost_per_month: 300", "start: 2027", "economics.start", "2027-01"),
    (
        "run_cost_per_month: 300",
        "realisation: {cash: {min: 0, mode: 20, max: 60}}",
        "economics.realisation.cash.max",
        "60 % is",
    ),
    (
        "run_cost_per_month: 300",
        "realisation: {cash: 0.7, redeployed: 0.6}",
        "economics.realisation",
        "1.3 of each",
    ),
    ("run_cost_per_month: 300", "realisation: {cash: 0.7, total: 0.6}", "economics.realisation", "together"),
    (
        "run_cost_per_month: 300",
        "adoption: {ceiling: {low: 0.5, high: 1}}",
        "economics.adoption.ceiling",
        "max: 1",
    ),
    ("run_cost_per_month: 300", "severity_mix: {minor: 0.5}", "economics.severity_mix", "sum to"),
    ("error_cost: 50", "error_cost: {minor: 5}", "economics.error_cost.major", "is required"),
    ("run_cost_per_month: 300", "fx: {usd: 0.9}", "economics.fx.usd", "three capitals"),
    ("run_cost_per_month: 300", "fx: {USD: 0}", "economics.fx.USD", "above 0"),
    (
        "run_cost_per_month: 300",
        "costs: [{name: a, kind: toys, amount: 1, per: once}]",
        "economics.costs[0].kind",
        "not one of",
    ),
    (
        "run_cost_per_month: 300",
        "costs: [{name: a, kind: data, amount: 1, per: moth}]",
        "economics.costs[0].per",
        "'month'?",
    ),
    (
        "run_cost_per_month: 300",
        "costs: [{name: a, kind: data, amount: 1, per: seat_month}]",
        "economics.costs[0].seats",
        "seats: 40",
    ),
    (
        "run_cost_per_month: 300",
        "costs: [{name: a, kind: data, amount: 1, per: once, seats: 3}]",
        "economics.costs[0].seats",
        "only",
    ),
    ("run_cost_per_month: 300", "costs: {name: a}", "economics.costs", "a list is wanted"),
    (
        "run_cost_per_month: 300",
        "costs: [{name: a, kind: data, per: once}]",
        "economics.costs[0].amount",
        "is required",
    ),
    ("samples: {cases: cases.csv}", "samples: {}", "samples.cases", "is required"),
    ("samples: {cases: cases.csv}", "about: {title: t}", "samples", "is required"),
    ("samples: {cases: cases.csv}", "samples: cases.csv", "samples", "a group of keys is wanted"),
    ("cases.csv}", "cases.csv, timezone: Europe/Berln}", "samples.timezone", "did you mean 'Europe/Berlin'?"),
    ("cases.csv}", "cases.csv, assignment: random}", "samples.assignment", "did you mean 'randomised'?"),
    (
        "cases.csv}",
        "{source: c.csv, columns: {hanling_minutes: h}}}",
        "samples.cases.columns.hanling_minutes",
        "'handling_minutes'?",
    ),
    (
        "cases.csv}",
        "{source: c.csv, columns: {arm: {from: v, values: {A: control}}}}}",
        "samples.cases.columns.arm.values.A",
        "baseline or pilot",
    ),
    (
        "cases.csv}",
        "{source: c.csv, columns: {arm: {value: x, from: y}}}}",
        "samples.cases.columns.arm",
        "either",
    ),
    (
        "cases.csv}",
        "{source: c.csv, columns: {worker: {from: w, unit: parsecs}}}}",
        "samples.cases.columns.worker.unit",
        "not one of",
    ),
    (
        "cases.csv}",
        "{source: c.csv, columns: {handling_minutes: {from: a, as: minutes}}}}",
        "samples.cases.columns.handling_minutes.as",
        "two times",
    ),
    (
        "cases.csv}",
        "{source: {connect: 'postgresql://me:secret@host/db', table: t}}}",
        "samples.cases.source.connect",
        "${NAME}",
    ),
    ("cases.csv}", "{source: {connect: '${DB}'}}}", "samples.cases.source.connect", "`table` or `sql`"),
    ("cases.csv}", "{source: {file: a.csv, connect: '${DB}', table: t}}}", "samples.cases.source", "either"),
    ("cases.csv}", "{source: {file: a.xlsx, header_row: 0}}}", "samples.cases.source.header_row", "from 1"),
    (
        "cases.csv}",
        "{source: c.csv, join: [{source: d.csv, on: {caseid: x}, take: {agent_cost: sum}}]}}",
        "samples.cases.join[0].on.caseid",
        "'case_id'?",
    ),
    (
        "cases.csv}",
        "{source: c.csv, join: [{source: d.csv, on: {case_id: x}, take: {agent_cost: avg}}]}}",
        "samples.cases.join[0].take.agent_cost",
        "not one of",
    ),
    ("pilot: p", "pilot: p\nabout: {currency: euro}", "about.currency", "EUR"),
    ("pilot: p", "pilot: p\nabout: {decide_by: 31.12.2026}", "about.decide_by", "2026-12-31"),
    ("pilot: p", "pilot: p\nabout: {title: ''}", "about.title", "empty"),
    ("pilot: p", "pilot: p\nrun: {draws: 10}", "run.draws", "1000 to 1000000"),
    ("pilot: p", "pilot: p\nrun: {seed: -1}", "run.seed", "from 0"),
    ("pilot: p", "pilot: p\nremedies: [{name: a, addresses: dta}]", "remedies[0].addresses", "'data'?"),
    (
        "pilot: p",
        "pilot: p\nremedies: [{name: a, addresses: data, after: b}]",
        "remedies[0].after",
        "not the name",
    ),
    (
        "pilot: p",
        "pilot: p\nremedies: [{name: a, addresses: data, after: a}]",
        "remedies[0].after",
        "one another",
    ),
    (
        "pilot: p",
        "pilot: p\nremedies: [{name: a, addresses: data}, {name: a, addresses: data}]",
        "remedies[1].name",
        "rename",
    ),
    (
        "pilot: p",
        "pilot: p\nscenarios: {x: {demand: {mix: {a: 2}}}}",
        "scenarios.x.demand.mix.a",
        "2 % is 0.02",
    ),
    ("pilot: p", "pilot: p\nscenarios: {x: {rum: {draws: 3}}}", "scenarios.x.rum", "unknown key"),
    ("pilot: p", "pilot: p\npolicy: {scale_probability: 0.7}", "policy.scale_probability", "only be raised"),
    (
        "pilot: p",
        "pilot: p\npolicy: {max_severe_error_rate: 0.1}",
        "policy.max_severe_error_rate",
        "only be lowered",
    ),
    ("pilot: p", "pilot: p\npolicy: {severe_reference: baseline}", "policy.severe_reference", "unknown key"),
    ("pilot: p", "pilot: p\npolicy: {kill_probability: 0.9}", "policy.kill_probability", "not below"),
    ("pilot: p", "pilot: p\nclaims: [{quantity: minutes}]", "claims[0].value", "is required"),
    (
        "pilot: p",
        "pilot: p\nremedies: [{name: a, addresses: data, pays_approvers: true}]",
        "remedies[0].pays_approvers",
        "human_approval",
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "mend"), BAD, ids=[bad[1][-60:] for bad in BAD])
def test_what_is_wrong_is_named_with_its_mend(write, old, new, place, mend):
    text = SIX.replace(old, new) if old in SIX else SIX.replace("pilot: p", new)
    assert new in text
    found = problems(write(text))
    assert place in found, found
    assert mend in found[place]
    assert "secret" not in str(found)


def test_all_problems_of_both_files_come_at_once_with_lines(write):
    text = SIX.replace("cases_per_month: 100", "mix: {a: 2}").replace("error_cost: 50", "eror_cost: 50")
    found = problems(write(text, policy="hurdel: 3\nscale_probability: 80\n"))
    assert set(found) == {"demand.mix.a", "economics.eror_cost", "hurdel", "scale_probability"}
    assert found["demand.mix.a"].endswith("(line 3)")
    assert found["hurdel"] == "unknown key; did you mean 'hurdle'? (line 1)"
