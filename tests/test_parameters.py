"""Parameter files and the policy: every key, every refusal, what a notebook hands over."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
import yaml

from roi.parameters import (
    NOT_USED_YET,
    TOP_LEVEL_KEYS,
    find_parameter_files,
    has_model_usage_line,
    json_schema,
    load_parameters,
    register,
    resolve_paths,
)
from roi.problems import ParameterError
from roi.schema.base import read_any
from roi.schema.policy import DIRECTIONS, Policy, Tightening
from roi.schema.reference import reference_page
from roi.strict_yaml import read_yaml

ROOT = Path(__file__).parent.parent

EVERY_KEY = """\
pilot: claims_intake
about:
  title: Claims intake assistant
  workflow: First notice of loss, from e-mail to a coded claim
  workflow_id: claims_intake
  goal: {text: "Five minutes less per claim", metric: minutes_saved_per_case, target: 5, by: 2026-12-31}
  owner: Head of Claims
  prepared_by: An analyst
  budget_owner: Head of Operations
  finance_reviewer: Controlling
  currency: EUR
  started: 2026-03-01
  decide_by: 2026-12-15
  spent_to_date: 180000
samples:
  assignment: randomised
  timezone: Europe/Berlin
  version: latest
  labels: {selection: random, blind: yes}
  cases:
    source: data/claims_intake/cases.csv
    columns:
      case_id: [reader, scan]
      arm: {from: variant, values: {control: baseline, treatment: pilot, 010: null}}
      handling_minutes: {from: handle_s, unit: seconds}
      review_minutes: {from: [begun, done], as: minutes, cap: 480}
      rework_minutes: {from: rework, blank: zero}
      setting: {value: production}
      used: {from: used, values: {y: yes, n: no}}
      worker: agent_id
      segment: channel
    missing: ["/", "n/a"]
    query: select * from source
    join:
      - source: data/claims_intake/traces.jsonl
        format: langfuse
        on: {case_id: metadata.ticket}
        take: {agent_cost: sum}
  actions: {source: [data/claims_intake/a.csv, "data/claims_intake/b*.csv"]}
  access: {source: {file: data/claims_intake/access.xlsx, sheet: Export, header_row: 3}}
  evals: {source: {connect: "${CLAIMS_DB}", sql: "select 1"}}
  changes: {source: {connect: data/claims.duckdb, table: changes}, format: inspect}
  incidents: [data/claims_intake/incidents.csv]
  inputs: {source: data/claims_intake/inputs.csv, columns: {anything_at_all: body}}
  actuals: data/claims_intake/actuals.csv
  aggregates: data/claims_intake/sums.csv
  baseline:
    handling_minutes: {low: 14, high: 22, source: "team lead"}
    error_rate: {low: 0.01, high: 0.05}
demand:
  cases_per_month: {low: 3800, high: 5200, source: "claims ledger 2025", owner: Operations}
  mix: {email: 0.55, portal: 0.35, no: 0.10}
economics:
  start: 2027-01
  horizon_months: 36
  discount_rate: 0.08
  labour_cost_per_hour: {low: 38, high: 46}
  realisation:
    cash:       {min: 0.0, mode: 0.2, max: 0.35, owner: Head of Claims, how: "two agency contracts end"}
    redeployed: {min: 0.1, mode: 0.3, max: 0.5, owner: Head of Claims, how: "backlog of renewals"}
  adoption: {ceiling: {low: 0.6, high: 0.9}, ramp_months: 6}
  error_cost: {minor: 5, moderate: 60, major: 1200, critical: 2.5e4}
  severity_mix: {minor: 0.8, moderate: 0.15, major: 0.04, critical: 0.01}
  design_bias: {before_after: 0.1, observational: {values: [0.1, 0.2, 0.4]}}
  costs:
    - {name: CRM connector, kind: integration, amount: {low: 25000, high: 45000}, per: once, owner: IT, source: quote}
    - {name: Seats, kind: licence, amount: 30, per: seat_month, seats: 40}
    - {name: Training, kind: change, amount: 12000, per: once, date: 2027-03}
  run_cost_per_month: {low: 900, high: 1100, source: invoice}
  rollout_cost: 20000
  contingency: 0.2
  pilot_cost_per_month: 2100
  wind_down_cost: 5000
  fx: {USD: {low: 0.84, high: 0.95, as_of: 2026-11-01}}
measurement: {per_case: 12, per_label: 8, per_baseline_case: 15, setup: 1500, cases_per_week: 80}
remedies:
  - name: Validate policy numbers at intake
    addresses: data
    removes_share: {low: 0.5, high: 0.9}
    cost: 40000
    cost_per_month: 0
    weeks: 6
    owner: IT Integration
  - {name: Ask a person, addresses: human_approval, after: Validate policy numbers at intake}
alternatives:
  - {name: "Web form", minutes_saved: {low: -1, high: 3}, cost: 30000, cost_per_month: 200, source: quote, owner: IT}
claims:
  - {quantity: minutes_saved_per_case, value: 11, by: vendor, source: "demo, March"}
scenarios: {downturn: {demand: {cases_per_month: 2500}}}
policy:
  scale_probability: 0.85
  exception: {key: hurdle, value: -5, reason: pilot project, approved_by: CFO, expires: 2099-01-01}
run: {seed: 20260101, draws: 1e4, as_of: 2026-11-30, engine: duckdb}
"""

POLICY = """\
scale_probability: 0.80
kill_probability: 0.20
hurdle: 0
max_severe_error_rate: 0.005
severe_reference: baseline
min_covered_demand: 0.8
min_usable_inputs: 0.6
max_approval_miss_rate: 0.02
high_risk_tools: [pay]
max_minutes_to_pause: 15
drill_max_age_days: 180
evidence_max_age_days: 365
smallest_saving_minutes: 0.25
fix_budget: 100000
fix_weeks: 26
max_fix_rounds: 2
exception: {key: fix_budget, value: 150000, reason: large, approved_by: CFO, expires: 2026-06-30, pilot: other}
approved_by: CFO
approved_at: 2026-01-15
privacy: {key_env: ROI_PRIVACY_KEY, min_group: 5}
"""

SIX = """\
pilot: p
samples: {cases: cases.csv}
demand: {cases_per_month: 100}
economics: {labour_cost_per_hour: 40, error_cost: 50, run_cost_per_month: 300, rollout_cost: 2000}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a parameter file (and a policy) into a project of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params").mkdir()

    def _write(text, name="p", policy="{}"):
        path = tmp_path / "params" / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        if policy is not None:
            (tmp_path / "params" / "_policy.yaml").write_text(policy, encoding="utf-8")
        return path

    return _write


def problems(path, **options):
    with pytest.raises(ParameterError) as error:
        load_parameters(path, **options)
    return {problem.place: problem.message for problem in error.value.problems}


def papermill_reading(text):
    from papermill.iorw import NoDatesSafeLoader

    return yaml.load(text, Loader=NoDatesSafeLoader)


def test_every_key_of_the_contract_is_read(write):
    loaded = load_parameters(write(EVERY_KEY, "claims_intake", POLICY))
    p, e = loaded.parameters, loaded.parameters.economics
    assert loaded.name == "params/claims_intake.yaml"
    assert p.about.goal.by == date(2026, 12, 31)
    assert p.samples.labels.blind is True
    columns = p.samples.cases.columns
    assert columns["case_id"].from_ == ("reader", "scan")
    assert columns["arm"].values == {"control": "baseline", "treatment": "pilot", "010": None}
    assert (columns["review_minutes"].as_, columns["review_minutes"].cap) == ("minutes", 480)
    assert columns["used"].values == {"y": "yes", "n": "no"}
    assert columns["setting"].value == "production"
    assert p.samples.cases.join[0].on == {"case_id": "metadata.ticket"}
    assert p.samples.access.source.sheet == "Export"
    assert p.samples.evals.source.sql == "select 1"
    assert list(p.samples.tables()) == [
        "cases", "actions", "access", "evals", "changes", "incidents", "inputs", "actuals",
    ]  # fmt: skip
    assert p.demand.mix == {"email": 0.55, "portal": 0.35, "no": 0.10}
    assert p.demand.cases_per_month.owner == "Operations"
    assert e.start == "2027-01"
    assert e.realisation.cash.note == "two agency contracts end"
    assert e.error_cost["critical"].mean == 25_000
    assert [line.name for line in e.costs[-2:]] == ["Running cost", "Roll-out cost"]
    assert (e.costs[-2].per, e.costs[-2].amount.evidence) == ("month", "sourced")
    assert (e.costs[0].amount.source, e.costs[0].amount.owner) == ("quote", "IT")
    assert e.fx["USD"].as_of == date(2026, 11, 1)
    assert p.remedies[1].after == ("Validate policy numbers at intake",)
    assert p.run.draws == 10_000
    assert loaded.policy.scale_probability == 0.85
    assert loaded.policy.hurdle == -5
    assert [item.key for item in loaded.policy.exceptions] == ["hurdle"]
    assert loaded.policy.fix_budget == 100_000


def test_every_key_of_the_schema_stands_in_the_example(write):
    """What is added to the schema is added to the example, so that the test above reads it."""
    written = read_any(read_yaml(write(EVERY_KEY, "claims_intake"), name="x").value)
    assert tuple(written) == TOP_LEVEL_KEYS
    loaded = load_parameters("claims_intake").parameters
    for group in ("about", "samples", "demand", "measurement", "run"):
        assert set(written[group]) == set(type(getattr(loaded, group)).model_fields), group
    fields = set(type(loaded.economics).model_fields)
    assert set(written["economics"]) == fields
    assert set(read_any(yaml.safe_load(POLICY))) == set(Policy.model_fields)
    assert set(DIRECTIONS) | {"exception"} == set(Tightening.model_fields)


def test_keys_whose_effect_is_still_to_come_are_said_so(write):
    loaded = load_parameters(write(EVERY_KEY, "claims_intake", POLICY))
    said = {
        warning.partition(": not used yet")[0] for warning in loaded.warnings if "not used yet" in warning
    }
    given = {key.partition("=")[0] for key in NOT_USED_YET if not key.endswith("risk_based")}
    assert said == given - {"samples.cases.format"}


def test_a_first_view_has_every_default(write):
    loaded = load_parameters(write(SIX, policy=None))
    p, e = loaded.parameters, loaded.parameters.economics
    assert (p.title, p.workflow_id, p.about.currency) == ("P", "p", "EUR")
    assert (e.realisation.cash.mean, e.realisation.redeployed.text) == (0, "0.1 to 0.5, most likely 0.3")
    assert e.realisation.redeployed.evidence == e.adoption.ceiling.evidence == "default"
    assert [e.error_cost[s].mean for s in ("minor", "moderate", "major", "critical")] == [50] * 4
    assert [(line.kind, line.per, line.amount.mean) for line in e.costs] == [
        ("other", "month", 300),
        ("other", "once", 2000),
    ]
    assert e.run_cost_per_month is None
    assert p.samples.assignment == "observational"
    assert (p.measurement, e.pilot_cost_per_month, e.start) == (None, None, None)
    assert (p.run.seed, p.run.draws, p.run.as_of) == (20260101, 10_000, None)
    assert loaded.policy.scale_probability == 0.8
    assert len([warning for warning in loaded.warnings if "not stated" in warning]) == 2
    assert any("_policy.yaml does not exist" in warning for warning in loaded.warnings)
    assert not has_model_usage_line(p)


def test_the_register_holds_every_uncertain_value_with_its_unit(write):
    entries = {
        entry.key: entry for entry in register(load_parameters(write(EVERY_KEY, "claims_intake")).parameters)
    }
    assert entries["economics.costs[0].amount"].label == "CRM connector"
    assert entries["economics.costs[1].amount"].unit == "EUR/seat and month"
    assert entries["economics.labour_cost_per_hour"].unit == "EUR/hour"
    assert entries["economics.fx.USD"].unit == "EUR per USD"
    assert entries["economics.horizon_months"].value.evidence == "assumed"
    assert entries["remedies[0].weeks"].value.owner == "IT Integration"
    assert entries["alternatives[0].minutes_saved"].value.family == "real"
    assert "samples.baseline.error_rate" in entries
    assert all(entry.label and (entry.unit or entry.key.startswith("claims")) for entry in entries.values())


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


@pytest.mark.parametrize("text", ["", "- a\n", "just text", "a: [", "pilot: p\n\tx: 1"])
def test_files_that_hold_no_parameters(write, text):
    assert problems(write(text))


@pytest.mark.parametrize(
    "name", ["", "../x", "no_such", "x'y", "<script>", "a" * 500, "params/none.yaml", "params"]
)
def test_names_that_lead_nowhere(write, name):
    write(SIX)
    with pytest.raises(ParameterError):
        load_parameters(name)


def test_a_near_name_is_proposed(write):
    write(SIX.replace("pilot: p", "pilot: claims_intake"), "claims_intake")
    assert "did you mean 'claims_intake'?" in next(iter(problems("claims_intke").values()))


def test_found_by_name_from_a_folder_below(write, tmp_path, monkeypatch):
    path = write(SIX)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert load_parameters("p").path == path
    assert load_parameters("../params/p.yaml").name == "params/p.yaml"
    assert load_parameters("p").project == tmp_path


def test_parameter_files_are_found_and_the_policy_is_not_one(write, tmp_path):
    paths = [write(SIX, name) for name in ("b", "a")]
    assert [path.name for path in find_parameter_files(["params", paths[0]])] == ["a.yaml", "b.yaml"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParameterError, match="holds no parameter file"):
        find_parameter_files(["empty"])
    with pytest.raises(ParameterError, match="does not exist"):
        find_parameter_files(["params", "params/none.yaml"])
    with pytest.raises(ParameterError):
        find_parameter_files([])


def test_paths_are_found_from_the_project_folder_or_the_working_directory(write, tmp_path, monkeypatch):
    loaded = load_parameters(write(SIX))
    (tmp_path / "data").mkdir()
    for name in ("b.csv", "a.csv"):
        (tmp_path / "data" / name).write_text("x")
    assert [path.name for path in resolve_paths(loaded, "data/*.csv")] == ["a.csv", "b.csv"]
    assert resolve_paths(loaded, "data/a.csv") == (tmp_path / "data" / "a.csv",)
    assert resolve_paths(loaded, str(tmp_path / "data" / "a.csv")) == (tmp_path / "data" / "a.csv",)
    assert resolve_paths(loaded, "data/none.csv") == resolve_paths(loaded, "a\0b") == ()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "own.csv").write_text("x")
    monkeypatch.chdir(elsewhere)
    assert resolve_paths(loaded, "own.csv") == (elsewhere / "own.csv",)


def test_policy_tightens_and_exceptions_expire(write):
    exception = "{key: scale_probability, value: 0.7, reason: r, approved_by: CFO, expires: 2026-06-30}"
    text = f"{SIX}policy: {{scale_probability: 0.75, high_risk_tools: [pay, send], exception: {exception}}}\n"
    path = write(text, policy="high_risk_tools: [pay]\n")
    loaded = load_parameters(path)
    assert (loaded.policy.scale_probability, loaded.policy.high_risk_tools) == (0.75, ("pay", "send"))
    assert loaded.policy.exceptions[0].expires == date(2026, 6, 30)
    assert loaded.policy_at(date(2026, 6, 30)).scale_probability == 0.75
    with pytest.raises(ParameterError, match="looser"):
        loaded.policy_at(date(2026, 7, 1))
    late = write(text + "run: {as_of: 2026-07-01}\n", policy="high_risk_tools: [pay]\n")
    assert "looser than the policy's 0.8" in problems(late)["policy.scale_probability"]
    beyond = write(text.replace("0.75", "0.6"), policy="high_risk_tools: [pay]\n")
    assert "policy.scale_probability" in problems(beyond)


def test_the_portfolios_exception_for_one_pilot(write):
    policy = (
        "exception: [{key: hurdle, value: -9, reason: r, approved_by: b, expires: 2030-01-01, pilot: p}]\n"
    )
    assert load_parameters(write(SIX, policy=policy)).policy.hurdle == -9
    assert load_parameters(write(SIX, policy=policy.replace("pilot: p", "pilot: q"))).policy.hurdle == 0


@pytest.mark.parametrize("key", sorted(DIRECTIONS))
def test_every_key_may_be_tightened_and_not_loosened(write, key):
    limits = {"high_risk_tools": ("[a]", "[a, b]", "[b]")}
    down = DIRECTIONS[key] == "down"
    number = "1" if key in ("drill_max_age_days", "evidence_max_age_days", "max_fix_rounds") else "0.3"
    base, tight, loose = limits.get(key, (number, "0" if down else "0.5", "0.5" if down else "0.1"))
    if number == "1":
        loose = "2"
    policy = f"{key}: {base}\n" + ("scale_probability: 0.9\n" if key != "scale_probability" else "")
    assert load_parameters(write(f"{SIX}policy: {{{key}: {tight}}}\n", policy=policy))
    assert f"policy.{key}" in problems(write(f"{SIX}policy: {{{key}: {loose}}}\n", policy=policy))


def test_papermills_own_reading_of_the_file_means_the_file(write):
    """`-f` reads 1e4 as a text and `on`, `no` as switches; an untouched group is the file's all the same."""
    path = write(EVERY_KEY, "claims_intake", POLICY)
    injected = papermill_reading(EVERY_KEY)
    assert injected["run"]["draws"] == "1e4"
    assert True in injected["samples"]["cases"]["join"][0]
    from_file = load_parameters(path)
    again = load_parameters("claims_intake", overrides=json.loads(json.dumps(injected)))
    assert again.overrides == ()
    assert again.parameters == from_file.parameters
    assert again.params_sha256 == from_file.params_sha256
    with_dates = load_parameters(path, overrides=yaml.safe_load(EVERY_KEY))
    assert with_dates.overrides == ()
    assert load_parameters(path, overrides=dict.fromkeys(TOP_LEVEL_KEYS)).parameters == from_file.parameters


def test_another_group_replaces_the_files_and_is_recorded(write):
    path = write(SIX)
    before = load_parameters(path)
    changed = load_parameters(
        path, overrides={"demand": {"cases_per_month": "1e3"}, "run": {"as_of": "2026-11-30"}}
    )
    assert changed.parameters.demand.cases_per_month.mean == 1000
    assert changed.parameters.run.as_of == date(2026, 11, 30)
    assert changed.overrides == ("demand", "run")
    assert changed.params_sha256 != before.params_sha256
    same = load_parameters(
        path, overrides={"run": {"as_of": date(2026, 11, 30)}, "demand": {"cases_per_month": "1e3"}}
    )
    assert same.params_sha256 == changed.params_sha256
    found = problems(path, overrides={"demand": {"mix": {"a": 0.4}}, "econmics": {}})
    assert "(as given in place of the file's)" in found["demand.mix"]
    assert "did you mean 'economics'?" in found["econmics"]


def test_a_broken_file_is_not_hidden_by_overrides(write):
    path = write(SIX.replace("error_cost: 50", "eror_cost: 50"))
    assert "economics.eror_cost" in problems(path, overrides={"demand": {"cases_per_month": 5}})


def test_cash_and_redeployed_that_can_exceed_everything_are_warned_about(write):
    text = SIX.replace(
        "run_cost_per_month: 300", "realisation: {cash: {min: 0, mode: 0.5, max: 1}, redeployed: 0.4}"
    )
    assert any("economics.realisation" in warning for warning in load_parameters(write(text)).warnings)


def test_a_single_realisation_is_both_together(write):
    text = SIX.replace("run_cost_per_month: 300", "realisation: {min: 0.1, mode: 0.3, max: 0.5, owner: me}")
    realisation = load_parameters(write(text)).parameters.economics.realisation
    assert (realisation.total.text, realisation.cash, realisation.redeployed) == (
        "0.1 to 0.5, most likely 0.3", None, None,
    )  # fmt: skip


def test_hashes_follow_the_bytes(write):
    first = load_parameters(write(SIX, policy="hurdle: 0\n"))
    second = load_parameters(write(SIX, policy="hurdle: 0 \n"))
    assert first.params_sha256 == second.params_sha256
    assert first.policy_sha256 != second.policy_sha256


@pytest.mark.skipif(os.name == "nt", reason="folders without permissions are made otherwise there")
def test_links_and_odd_files_raise_no_traceback(write, tmp_path):
    write(SIX)
    (tmp_path / "params" / "loop.yaml").symlink_to(tmp_path / "params" / "loop.yaml")
    with pytest.raises(ParameterError):
        load_parameters("loop")


def test_the_schema_is_current_and_describes_every_key():
    """`roi schema > docs/parameters.schema.json` makes it so."""
    text = json.dumps(json_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    assert (ROOT / "docs" / "parameters.schema.json").read_text(encoding="utf-8") == text
    schema = json_schema()
    for name, group in {**schema["$defs"], "parameters": schema}.items():
        for key, child in group.get("properties", {}).items():
            assert "description" in child or "$ref" in child, (name, key)


def test_the_page_is_current():
    """`python -c "from roi.schema.reference import reference_page as page; print(page(), end='')"` prints it."""
    assert (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8") == reference_page()


def test_the_schema_takes_what_the_package_takes(write):
    import jsonschema

    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    as_json = json.loads(json.dumps(read_any(read_yaml(write(EVERY_KEY, "claims_intake"), name="x").value)))
    as_json["samples"]["labels"]["blind"] = True  # an editor's YAML 1.2 calls `yes` a text
    assert [error.message[:200] for error in validator.iter_errors(as_json)] == []
    for path in sorted((ROOT / "params").glob("[!_]*.yaml")):
        shipped = json.loads(json.dumps(read_any(read_yaml(path, name="x").value)))
        assert [f"{path.name} {error.message[:200]}" for error in validator.iter_errors(shipped)] == []
    as_json["economics"]["adoptoin"] = {}
    as_json["demand"]["cases_per_month"] = {"low": 3}
    assert len(list(validator.iter_errors(as_json))) == 2
