"""Two pilots, or two versions of one agent, on the same footing."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from pilots import cases, write_csv, write_pilot
from rich.console import Console

from roi.cli import main
from roi.compare import compared
from roi.matched import CaseRows, correlation
from roi.parameters import load_parameters, register
from roi.problems import InputError
from roi.report.comparison import print_comparison
from roi.shared import OF_A_WORKFLOW, Sharing, shared_inputs

pytestmark = pytest.mark.slow  # whole decisions of pilots


def rows_of(keys, workers, values, arms=None) -> CaseRows:
    n = len(values)
    value = np.array(values, dtype=float)
    names = ("minutes_saved_per_case", "human_minutes_pilot", "error_rate_pilot", "agent_cost_per_case")
    return CaseRows(
        key=np.array(list(keys)), worker=np.array(workers), arm=np.array(arms or [1] * n),
        segment=np.array(["a"] * n), values=dict.fromkeys(names, value),
    )  # fmt: skip


def test_the_correlation_of_two_samples_by_hand():
    """Cases 1 to 4: deviations −1, 1, −1, 1 (of 4) and −2, 2, 2, −2: products 2 + 2 − 2 − 2 = 0; of equal cases 1."""
    a = rows_of("1234", [""] * 4, [1, 3, 1, 3])
    b = rows_of("1234", [""] * 4, [0, 4, 4, 0])
    c = rows_of("1234", [""] * 4, [10, 30, 10, 30])
    assert correlation(a, b, "human_minutes_pilot", {}) == (0.0, 4)
    assert correlation(a, c, "human_minutes_pilot", {}) == (pytest.approx(1.0), 4)
    other = rows_of("5678", [""] * 4, [1, 3, 1, 3])
    assert correlation(a, other, "human_minutes_pilot", {}) == (0.0, 0)


def test_people_in_common_correlate_samples_without_a_case_in_common():
    """Two people: their sums −2, 2 (in sixths) in both samples; every case of its own, all of a person alike."""
    people = ["u", "u", "u", "v", "v", "v"]
    a = rows_of("123456", people, [1, 1, 1, 3, 3, 3])
    b = rows_of("abcdef", people, [5, 5, 5, 9, 9, 9])
    assert correlation(a, b, "human_minutes_pilot", {}) == (pytest.approx(1.0), 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pilot whose agent has two versions that worked the same 300 cases each, and another with the old version."""
    here = tmp_path_factory.mktemp("compare")
    base = cases(300, share_pilot=0.0, seed=2)
    old = cases(300, share_pilot=1.0, pilot=10.0, seed=3, workers=12)
    rng = np.random.default_rng(4)
    new = []
    for r in old:
        minutes = round(float(r["handling_minutes"]) - 0.25 + rng.normal(0, 0.5), 3)
        new.append({**r, "handling_minutes": max(minutes, 0.1), "version": "v3"})
    for i, r in enumerate(base):
        r.update(case_id=f"B{i}", pair_id=f"b{i}")
    for i, (o, n) in enumerate(zip(old, new, strict=True)):
        o.update(case_id=f"O{i}", pair_id=f"m{i}")
        n.update(case_id=f"N{i}", pair_id=f"m{i}", started_at=o["started_at"].replace(":00:00", ":05:00"))
    write_pilot(
        here, [*base, *old, *new], {"samples": {"version": "all"}, "about": {"workflow_id": "w"}}, name="both"
    )
    write_csv(here / "data/old.csv", [*base, *old])
    text = (here / "params/both.yaml").read_text(encoding="utf-8")
    (here / "params/old.yaml").write_text(
        text.replace("pilot: both", "pilot: old").replace("cases.csv", "old.csv")
    )
    (here / "params/twin.yaml").write_text(
        text.replace("pilot: both", "pilot: twin").replace("cases.csv", "old.csv")
    )
    chf = text.replace("pilot: both", "pilot: swiss").replace(
        "workflow_id: w", "workflow_id: w\n  currency: CHF"
    )
    (here / "params/swiss.yaml").write_text(chf)
    return here


def named(found: dict) -> dict[str, dict]:
    return {row["name"]: row for row in found["quantities"]}


def path(folder: Path, name: str) -> str:
    return str(folder / "params" / f"{name}.yaml")


@pytest.mark.slow
def test_two_pilots_that_are_the_same_are_better_in_50_of_100(folder):
    found = compared([path(folder, "old"), path(folder, "twin")])
    assert {row["b_better_in_100"] for row in found["quantities"]} == {50.0}
    assert all(row["difference"]["mean"] == 0 for row in found["quantities"])
    assert found["same_workflow"]


@pytest.fixture(scope="module")
def versions(folder) -> dict:
    return compared([path(folder, "both")], by="version")


@pytest.mark.slow
def test_versions_of_the_same_cases_are_told_apart_far_more_sharply(versions):
    """A quarter of a minute less, ± 0.5 a case, on 300 pairs: a standard error of 0.03; apart it drowns."""
    assert (versions["a"]["name"], versions["b"]["name"]) == ("both v2", "both v3")
    row = named(versions)["human_minutes_pilot"]
    assert row["matched"] >= 290
    assert row["correlation"] > 0.97
    assert row["difference"]["mean"] == pytest.approx(-0.25, abs=0.1)
    assert row["sd"] < 0.35 * row["sd_apart"]
    assert row["b_better_in_100"] > 95
    saved = named(versions)["minutes_saved_per_case"]
    assert saved["sd"] < 0.35 * saved["sd_apart"]  # the cases worked as before are the same, too


def test_the_money_goes_together_with_what_is_common(versions):
    row = named(versions)["worth_scale"]
    assert row["sd"] < 0.6 * row["sd_apart"]
    assert row["difference"]["mean"] > 0
    assert 50 < row["b_better_in_100"] < 100


@pytest.mark.slow
def test_the_same_comparison_is_the_same_text(folder, versions):
    names = [path(folder, "both"), "v2", "v3"]
    assert json.dumps(compared(names, by="version"), sort_keys=True) == json.dumps(versions, sort_keys=True)


def test_on_the_terminal(versions):
    shown = io.StringIO()
    print_comparison(versions, Console(file=shown, width=110, color_system=None))
    assert "Minutes saved per case" in shown.getvalue()
    assert "of 100" in shown.getvalue()
    assert "600 cases (or pairs) are in both samples" in " ".join(shown.getvalue().split())


@pytest.mark.parametrize(
    ("names", "by", "said"),
    [
        (("both",), None, "name two pilots"),
        (("old",), "version", "carry one version"),
        (("both", "v2"), "version", "after it two versions or none"),
        (("both", "v2", "v9"), "version", "no pilot case carries version 'v9'"),
        (("both", "swiss"), None, "state what one CHF is under economics.fx"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_mend(folder, names, by, said):
    given = [path(folder, n) if n.isalpha() else n for n in names]
    with pytest.raises(InputError, match=said):
        compared(given, by=by)


@pytest.mark.slow
def test_a_rate_of_the_portfolio_turns_money(folder):
    plan = folder / "params/_portfolio.yaml"
    plan.write_text("currency: EUR\nfx: {CHF: 1.25}\n")
    try:
        found = compared([path(folder, "both"), path(folder, "swiss")])
    finally:
        plan.unlink()
    row = named(found)["worth_scale"]
    assert row["b"]["mean"] == pytest.approx(1.25 * row["a"]["mean"])


@pytest.mark.slow
def test_the_command(folder):
    result = CliRunner().invoke(main, ["compare", path(folder, "old"), path(folder, "twin"), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.output)["a"]["name"] == "old"
    refused = CliRunner().invoke(main, ["compare", path(folder, "old")])
    assert refused.exit_code == 2


@pytest.mark.slow
def test_of_two_workflows_only_the_worth_compares(folder):
    """Minutes, errors and costs a case are of other cases there: no row says which is better."""
    text = (folder / "params/twin.yaml").read_text(encoding="utf-8")
    other = text.replace("pilot: twin", "pilot: other").replace("workflow_id: w", "workflow_id: another")
    (folder / "params/other.yaml").write_text(other, encoding="utf-8")
    found = compared([path(folder, "old"), path(folder, "other")])
    assert not found["same_workflow"]
    assert set(named(found)) == {"worth_scale", "worth_advised"}
    assert "only what they are worth is compared" in " ".join(found["notes"])


def test_of_severe_errors_it_says_how_many_were_seen(versions):
    row = copy.deepcopy(named(versions)["severe_error_rate_pilot"])
    assert all(seen["n"] > 0 for seen in row["seen"])

    def printed(a: int, b: int) -> str:
        row["seen"] = [{"hits": a, "n": 1250}, {"hits": b, "n": 900}]
        shown = io.StringIO()
        print_comparison({**versions, "quantities": [row]}, Console(file=shown, width=160, color_system=None))
        return shown.getvalue()

    none = printed(0, 0)
    assert "none in 1,250" in none
    assert "none in 900" in none
    assert "not told" in none
    assert "of 100" not in none
    assert "(3 in 900)" in printed(0, 3)
    assert "of 100" in printed(0, 3)


def test_within_a_workflow_what_becomes_of_a_saved_hour_is_one_unknown_whether_or_not_it_has_an_owner(
    tmp_path,
):
    """As a parameter file states it: in one number, or in cash and hours used otherwise."""
    one = {"min": 0.3, "mode": 0.5, "max": 0.7}
    found = set()
    for i, stated in enumerate((one, {**one, "owner": "O"}, {"cash": one, "redeployed": one})):
        write_pilot(tmp_path, cases(4), {"about": {"workflow_id": "w"}}, name=f"p{i}")
        text = tmp_path / "params" / f"p{i}.yaml"
        known = yaml.safe_load(text.read_text(encoding="utf-8"))
        known["economics"]["realisation"] = stated
        text.write_text(json.dumps(known), encoding="utf-8")  # which is YAML, without anchors
        entries = register(load_parameters(text).parameters)
        shared = shared_inputs([Sharing(side, entries, "w") for side in "ab"])
        keys = {x.pilots["a"] for x in shared}
        assert any(key.startswith("economics.realisation.") for key in keys)
        found |= {entry.key for entry in entries}
    assert set(OF_A_WORKFLOW) <= found  # a key that no register holds shares nothing
