"""A first view: six inputs are enough, it never scales, and it ends with what to fill in, by what it is worth."""

from __future__ import annotations

import json
import math
import random
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from opened_examples import example
from scipy.special import ndtri

from roi.cli import main
from roi.information import evpi, evppi
from roi.parameters import load_parameters
from roi.pilot import open_pilot

pytestmark = pytest.mark.slow  # whole decisions of pilots

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(p.stem for p in (ROOT / "params").glob("[!_]*.yaml") if (ROOT / "data" / p.stem).is_dir())
SIX = {"labour_cost_per_hour": 40, "error_cost": 50, "run_cost_per_month": 500, "rollout_cost": 20000}


def six(name: str) -> dict[str, Any]:
    """An example's own cases and six inputs, nothing else."""
    raw = yaml.safe_load((ROOT / "params" / f"{name}.yaml").read_text(encoding="utf-8"))
    samples = {k: raw["samples"][k] for k in ("cases", "timezone") if k in raw["samples"]}
    text = json.dumps(samples).replace('"data/', f'"{ROOT.as_posix()}/data/')
    return {
        "pilot": name,
        "about": {"currency": raw["about"]["currency"]},
        "samples": json.loads(text),
        "demand": {"cases_per_month": raw["demand"]["cases_per_month"]},
        "economics": {
            **{k: raw["economics"][k] for k in ("labour_cost_per_hour", "error_cost")},
            "run_cost_per_month": 1500,
            "rollout_cost": 20000,
        },
    }


def write(folder: Path, parameters: dict[str, Any]) -> Path:
    path = folder / "params" / f"{parameters['pilot']}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(parameters, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def minutes(folder: Path, arms: tuple[str, ...] = ("baseline", "pilot"), n: int = 80) -> None:
    """Cases with an id, an arm and minutes, and nothing else."""
    rng = random.Random(1)
    rows = ["case_id,arm,handling_minutes"]
    for i in range(n):
        arm = arms[i % len(arms)]
        rows.append(f"T{i},{arm},{rng.lognormvariate(2.2 if arm == 'pilot' else 2.9, 0.5):.1f}")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data/cases.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def bare(**more: Any) -> dict[str, Any]:
    return {
        "pilot": "mine",
        "samples": {"cases": "data/cases.csv", **more.pop("samples", {})},
        "demand": {"cases_per_month": 2000},
        "economics": SIX,
        "run": {"draws": 2000},
        **more,
    }


def decided(path: Path) -> dict[str, Any]:
    return open_pilot(path).decision.record


@pytest.fixture(scope="module", params=EXAMPLES)
def reduced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return decided(write(tmp_path_factory.mktemp(request.param), six(request.param)))


@pytest.mark.slow
def test_every_example_reduced_to_six_inputs_is_a_first_view(reduced):
    assert reduced["verdict"] in ("fix", "kill")
    first = reduced["first_view"]
    assert first["is"]
    defaults = [x for x in reduced["assumptions"] if x["evidence"] == "default"]
    others = sum("design_bias" in x["key"] for x in defaults) - 1  # only one design is this pilot's
    assert first["defaults"] == len(defaults) - others
    assert first["inputs"] == len(reduced["assumptions"]) - others
    assert 0 < first["defaults"] < first["inputs"]


def test_the_list_is_ordered_by_worth_and_says_why_where_there_is_none(reduced):
    rows = reduced["first_view"]["fill_in"]
    assert len(rows) > 5
    assert len({row["key"] for row in rows}) == len(rows)
    order = [(row["rank"], -(row["worth"] or 0)) for row in rows]
    assert order == sorted(order)
    for row in rows:
        assert row["worth"] is None or row["worth"] >= 0
        assert (
            row["worth"] is not None
            or row["rank"] == 0
            or "not computable" in row["why"]
            or "priced" in row["why"]
        )


@pytest.mark.slow
@pytest.mark.parametrize("where", ["claims_intake", "no baseline"])
def test_every_line_of_the_list_can_be_written_into_the_file(tmp_path, where):
    """Each example line, laid under its group, is read as its author would mean it."""
    if where == "no baseline":
        minutes(tmp_path, ("pilot",))
        parameters = bare()
    else:
        parameters = six(where)
    rows = decided(write(tmp_path, parameters))["first_view"]["fill_in"]
    for row in rows:
        given = deepcopy(parameters)
        if row["under"].startswith("samples.cases") and not isinstance(given["samples"]["cases"], dict):
            given["samples"]["cases"] = {"source": given["samples"]["cases"]}
        here = given
        for step in filter(None, row["under"].split(".")):
            here = here.setdefault(step, {})
        line = yaml.safe_load(row["example"])
        if row["under"] == "demand" and where == "no baseline":
            assert math.isclose(sum(line["mix"].values()), 1)
        here.update(line)
        load_parameters(write(tmp_path / "with", given))


def test_minutes_alone_are_enough(tmp_path):
    minutes(tmp_path)
    record = decided(write(tmp_path, bare()))
    assert record["first_view"]["is"]
    assert record["verdict"] == "fix"
    assert record["estimates"]["minutes_saved_per_case"]["mean"] > 3
    keys = [row["key"] for row in record["first_view"]["fill_in"]]
    assert {"samples.cases.columns.severity", "samples.actions", "economics.realisation.redeployed"} <= set(
        keys
    )


def test_stating_what_it_asks_for_ends_the_first_view_and_its_list(tmp_path):
    minutes(tmp_path)
    stated = {"realisation": {"redeployed": {"min": 0.1, "mode": 0.3, "max": 0.5, "owner": "Head"}}}
    record = decided(write(tmp_path, bare(economics=SIX | stated)))
    assert not record["first_view"]["is"]
    assert record["first_view"]["fill_in"] == []


def test_terminal_and_json_say_so(tmp_path):
    minutes(tmp_path)
    path = str(write(tmp_path, bare()))
    said = CliRunner().invoke(main, ["decide", path])
    assert said.exit_code == 0
    text = " ".join(said.output.replace("│", " ").split())
    assert "First view: 9 of 17 inputs are defaults" in text
    assert text.index("What to fill in next") > text.index("Signed:"), "it ends with the list"
    assert "SCALE" not in text.split("Option")[0]


def test_without_a_baseline_the_break_even_and_the_price_of_timing_one_are_said(tmp_path):
    minutes(tmp_path, ("pilot",))
    record = decided(write(tmp_path, bare(measurement={"per_baseline_case": 15, "setup": 300})))
    point = record["break_even_minutes"]
    assert (record["verdict"], record["fix_kind"]) == ("fix", "measure")
    assert f"pays only if a case takes more than {point:.2f} minutes today" in record["reason"]
    assert record["next"][0]["action"] == "Time 30 cases without the agent"
    assert record["next"][0]["cost"] == 30 * 15 + 300
    assert record["estimates"]["minutes_saved_per_case"] is None


def test_where_nobody_priced_timing_it_is_asked_for_and_nothing_is_stopped(tmp_path):
    minutes(tmp_path, ("pilot",))
    path = write(tmp_path, bare())
    record = decided(path)
    assert record["verdict"] == "fix"
    action = record["next"][0]
    assert action["cost"] is None
    assert action["max_price"] > 0
    assert record["first_view"]["fill_in"][0]["key"] == "samples.baseline"
    assert "measurement" in [row["key"] for row in record["first_view"]["fill_in"][:2]]
    said = CliRunner().invoke(main, ["decide", str(path)])
    assert "no quote yet, worth at most" in said.output


def test_the_break_even_is_where_the_worth_of_a_stated_baseline_is_nothing(tmp_path):
    minutes(tmp_path, ("pilot",))
    point = decided(write(tmp_path, bare()))["break_even_minutes"]
    worths = []
    for shift in (-0.5, 0.5):
        stated = {"baseline": {"handling_minutes": point + shift}}
        record = decided(write(tmp_path, bare(samples={**stated, "assignment": "randomised"})))
        worths.append(record["options"]["scale"]["mean"])
        assert record["verdict"] != "scale"
    assert worths[0] < 0 < worths[1]


def test_a_stated_baseline_stands_in_for_the_missing_arm(tmp_path):
    minutes(tmp_path, ("pilot",))
    baseline = {"handling_minutes": {"low": 14, "high": 22, "source": "team lead"}}
    record = decided(write(tmp_path, bare(samples={"baseline": baseline})))
    mean = record["estimates"]["human_minutes_baseline"]["mean"]
    assert mean == pytest.approx(17.7, abs=0.2)  # the mean of a log-normal with P5 14 and P95 22
    gates = {gate["gate"]: gate["state"] for gate in record["gates"]}
    assert gates["measured_baseline"] != "shown"


def unit_normal_loss(d: float) -> float:
    return math.exp(-d * d / 2) / math.sqrt(2 * math.pi) - d * 0.5 * math.erfc(d / math.sqrt(2))


@pytest.mark.parametrize("mean", [-50.0, 0.0, 30.0])
def test_evppi_matches_unit_normal_loss(mean):
    """Worth = X + noise, X ~ Normal(mean, 100): knowing X is worth 100 L(|mean| / 100) (Raiffa & Schlaifer 1961)."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal(40_000)
    x = mean + 100 * (x - x.mean()) / x.std()
    noise = rng.normal(0, 60, x.size)
    noise -= noise.mean()
    known = evppi([x + noise], [x])
    value, flips = known.value, known.flips
    assert value == pytest.approx(100 * unit_normal_loss(abs(mean) / 100), rel=0.03)
    assert flips == pytest.approx(0.5 * math.erfc(abs(mean) / 100 / math.sqrt(2)), abs=0.02)


def test_evppi_of_a_curve_is_its_closed_form():
    """Worth = Z² − 1: E[max(Z² − 1, 0)] = 2 φ(1)."""
    z = ndtri((np.arange(40_000) + 0.5) / 40_000)
    value = evppi([z * z - 1], [z]).value
    assert value == pytest.approx(2 * math.exp(-0.5) / math.sqrt(2 * math.pi), rel=0.05)


def test_knowing_what_does_not_matter_is_worth_nothing_and_nothing_beats_knowing_all():
    rng = np.random.default_rng(5)
    worths = [rng.normal(0, 50, 10_000), rng.normal(-5, 80, 10_000)]
    for useless in (rng.normal(size=10_000), np.ones(10_000)):
        known = evppi(worths, [useless])
        assert (known.value, known.flips) == (0.0, 0.0)
    assert evppi(worths, [worths[0]]).value <= evpi(worths)


def test_a_roll_out_at_other_stated_inputs_is_not_the_one_that_is_remembered():
    valuer = example("support_replies").decision.analysis.valuer
    before = valuer.roll_out()
    other = replace(valuer, economics=replace(valuer.economics, horizon=12))
    assert other.plain is valuer.plain  # what is remembered is common to both
    anew = replace(other, plain={}).roll_out()
    assert np.array_equal(other.roll_out().worth, anew.worth)
    assert anew.mean() < before.mean()
    assert np.array_equal(valuer.roll_out().worth, before.worth)
