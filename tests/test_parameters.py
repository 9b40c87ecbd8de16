"""Parameter files and the policy: every key, every refusal, what a notebook hands over."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
import yaml
from fixtures_parameters import EVERY_KEY, POLICY, SIX, problems, writer  # noqa: F401 - a fixture

from roi.parameters import (
    NOT_USED_YET,
    TOP_LEVEL_KEYS,
    find_parameter_files,
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
        instead = {"aggregates"} if group == "samples" else set()  # of cases, which the example has
        assert set(written[group]) | instead == set(type(getattr(loaded, group)).model_fields), group
    fields = set(type(loaded.economics).model_fields)
    assert set(written["economics"]) == fields
    assert set(read_any(yaml.safe_load(POLICY))) == set(Policy.model_fields)
    assert set(DIRECTIONS) | {"exception"} == set(Tightening.model_fields)


def test_keys_whose_effect_is_still_to_come_are_said_so(write):
    loaded = load_parameters(write(EVERY_KEY, "claims_intake", POLICY))
    said = {
        warning.partition(": not used yet")[0] for warning in loaded.warnings if "not used yet" in warning
    }
    columns = {key for key in NOT_USED_YET if key.startswith("samples.cases.columns.")}
    given = {key.partition("=")[0] for key in NOT_USED_YET if not key.endswith("risk_based")}
    absent = {"samples.cases.format", "samples.baseline.escalation_rate"}
    assert said - columns == given - columns - absent


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


@pytest.mark.parametrize("loose", ["", "scale_probability: 0.9, "])
def test_an_expired_exception_is_said_so_on_the_day_of_the_decision(write, loose):
    exception = "{key: scale_probability, value: 0.7, reason: r, approved_by: CFO, expires: 2026-06-30}"
    path = write(f"{SIX}policy: {{{loose}exception: {exception}}}\n")
    loaded = load_parameters(path)
    said = "policy.exception: the one for scale_probability expired on 2026-06-30; it is not applied"
    assert said not in loaded.on(date(2026, 6, 30)).warnings
    late = loaded.on(date(2026, 7, 1))
    assert late.warnings.count(said) == late.on(date(2026, 7, 2)).warnings.count(said) == 1
    assert late.policy == loaded.policy_at(date(2026, 7, 1))


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
