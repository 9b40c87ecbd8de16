"""Parameter files for tests, and a project of its own to write them into."""

from __future__ import annotations

import pytest

from roi.parameters import load_parameters
from roi.problems import ParameterError

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
  locale: de-DE
  started: 2026-03-01
  decide_by: 2026-12-15
  spent_to_date: 180000
samples:
  assignment: randomised
  allocation: {baseline: 0.5, pilot: 0.5}
  timezone: Europe/Berlin
  partial_months: keep
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
  prices: {house-model: {input: 1.2, output: 6, cache_read: 0.12, cache_write: 1.5}}
  baseline:
    handling_minutes: {low: 14, high: 22, source: "team lead"}
    error_rate: {low: 0.01, high: 0.05}
demand:
  cases_per_month: {low: 3800, high: 5200, source: "claims ledger 2025", owner: Operations}
  mix: {email: 0.55, portal: 0.35, no: 0.10}
  mix_cases: 1200
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
  approval_minutes: {low: 1, high: 3}
  waiting_cost_per_hour: 2
  wind_down_cost: 5000
  fx: {USD: {low: 0.84, high: 0.95, as_of: 2026-11-01}}
  price_scenarios:
    cheaper: {model: gpt-5, from: 2027-06, change: -0.3, source: "price page"}
    dearer: {model: gpt-5, from: 2027-06, prices: {input: 2.5, output: 20, cache_read: 0.25, cache_write: 2.5}}
measurement: {per_case: 12, per_label: 8, per_baseline_case: 15, setup: 1500, cases_per_week: 80, per_document: 600, document_removes: 0.75}
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
run: {seed: 20260101, draws: 1e4, as_of: 2026-11-30, engine: duckdb, looks: 1}
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
min_reading_seconds: 5
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


@pytest.fixture(name="write")
def writer(tmp_path, monkeypatch):
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
