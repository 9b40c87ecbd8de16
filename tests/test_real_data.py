"""Real public data, used in place; skipped with a reason where it is not there."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from event_logs import loan_applications
from pilots import cases, write_csv, write_pilot
from scipy import stats

from roi.controls import Logs, look
from roi.controls.suite_power import worse_by_chance
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.samples import open_samples

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve()

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set ROI_REAL_DATA)")


def parameter_file(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A parameter file of this folder in a project of its own, with the data wherever it lies."""
    text = (ROOT / f"tests/real_data/{name}.yaml").read_text(encoding="utf-8")
    for old, new in (("../shared/data", str(DATA)), *changes):
        assert old in text or old == "../shared/data", old
        text = text.replace(old, new)
    path = folder / "params" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def echoes(tmp_path_factory):
    return open_pilot(parameter_file(tmp_path_factory.mktemp("echoes"), "echoes_task1")).decision


@needs_data
def test_echoes_of_ai_reproduces_the_published_figures(echoes):
    """Medians 219.5 and 152.0 minutes; 30.4 % of the mean saved (README of the data set)."""
    record = echoes.record
    medians = record["sample"]["median_minutes"]
    assert medians["baseline"] == pytest.approx(219.5, abs=0.05)
    assert medians["pilot"] == pytest.approx(152.0, abs=0.05)
    assert 1 - medians["pilot"] / medians["baseline"] == pytest.approx(0.3073, abs=0.0005)
    means = [record["estimates"][f"human_minutes_{arm}"]["mean"] for arm in ("baseline", "pilot")]
    assert 1 - means[1] / means[0] == pytest.approx(0.304, abs=0.0005)


@needs_data
def test_echoes_of_ai_is_downgraded_because_it_is_observational(echoes):
    record = echoes.record
    saved = record["estimates"]["minutes_saved_per_case"]
    assert saved["evidence"] == "measured, observational"
    assert saved["unit_of_n"] == "worker"
    unbiased = echoes.analysis.measured.without_bias().scope().minutes_saved
    assert saved["p95"] - saved["p05"] > 1.3 * float(np.diff(np.percentile(unbiased, [5, 95]))[0])
    assert record["verdict"] != "scale"
    assert record["tipping_point"] is not None


@needs_data
def test_the_file_in_the_tree_finds_its_data_beside_the_project():
    if not (ROOT / "../shared/data").is_dir():
        pytest.skip("the data lies elsewhere")
    record = open_pilot(ROOT / "tests/real_data/echoes_task1.yaml").decision.record
    assert record["sample"]["cases"] == {"baseline": 37, "pilot": 39, "demo": 0}


@pytest.fixture(scope="module")
def evolved(tmp_path_factory):
    return open_pilot(parameter_file(tmp_path_factory.mktemp("evolved"), "echoes_task2")).decision.record


@needs_data
def test_echoes_task_2_reproduces_the_published_figures(evolved):
    """Medians 172.6 minutes on human code and 136.1 on code written with an assistant, seconds called minutes."""
    medians = evolved["sample"]["median_minutes"]
    assert medians == pytest.approx({"baseline": 172.6, "pilot": 136.1}, abs=0.05)
    assert evolved["sample"]["cases"] == {"baseline": 35, "pilot": 40, "demo": 0}


@needs_data
def test_echoes_task_2_leaves_out_rows_that_are_wholly_empty_and_says_so(evolved):
    """925 of the 1,001 rows are empty, and one more has nobody's name: 75 people are left."""
    left_out = {row["reason"]: row["rows"] for row in evolved["excluded"]}
    assert left_out == {"wholly blank row": 925, "no case_id": 1}
    assert sum(evolved["sample"]["cases"].values()) == 75


@needs_data
def test_echoes_task_2_shows_no_difference(evolved):
    """The paper: no significant difference in phase 2. Welch's 90 % interval holds 0, and ours is that of 51 authors."""
    saved = evolved["estimates"]["minutes_saved_per_case"]
    assert saved["p05"] < 0 < saved["p95"]
    assert (saved["unit_of_n"], saved["n"]) == ("worker", 51)
    assert saved["evidence"] == "measured"
    with (DATA / "echoes-of-ai/task2_preprocessed.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["github"] and r["clean_time"]]
    minutes = [
        [float(r["clean_time"]) / 60 for r in rows if r["treatment"] == arm] for arm in ("human", "ai")
    ]
    welch = stats.ttest_ind(*minutes, equal_var=False)
    interval = welch.confidence_interval(0.90)
    assert welch.pvalue > 0.05
    assert saved["mean"] == pytest.approx(np.mean(minutes[0]) - np.mean(minutes[1]), abs=1e-3)
    assert saved["p95"] - saved["p05"] == pytest.approx(interval.high - interval.low, rel=0.25)
    assert evolved["verdict"] != "scale"


DOMAINS = ("airline", "retail", "telecom_no-user", "telecom")
SUCCESS = {  # of the README: before and after fine-tuning
    "airline": (0.50, 0.65), "retail": (0.85, 0.85), "telecom": (0.45, 0.75), "telecom_no-user": (0.50, 0.85),
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One row a run of the agent: its task, its arm, whether it succeeded, what the log says it cost."""
    folder = tmp_path_factory.mktemp("tau2")
    rows = []
    for path in sorted((DATA / "tau2-before-after").glob("*.json")):
        for run in json.loads(path.read_text(encoding="utf-8"))["simulations"]:
            usage = [m["usage"] for m in run["messages"] if m["role"] == "assistant" and m.get("usage")]
            rows.append(
                {
                    "id": run["id"],
                    "domain": next(d for d in DOMAINS if d in path.name),
                    "task": run["task_id"],
                    "llm": "ft-gpt-4.1" if path.name.startswith("ft_") else "gpt-4.1",
                    "reward": run["reward_info"]["reward"],
                    "cost": run["agent_cost"],
                    "prompt_tokens": sum(u["prompt_tokens"] for u in usage),
                    "completion_tokens": sum(u["completion_tokens"] for u in usage),
                }
            )
    (folder / "data").mkdir()
    lines = "\n".join(json.dumps(row) for row in rows)
    (folder / "data/runs.jsonl").write_text(lines, encoding="utf-8")
    return open_pilot(parameter_file(folder, "tau2")).decision


@needs_data
def test_tau2_is_paired_by_task(trained):
    sample = trained.record["sample"]
    assert sample["independent_unit"] == "pair"
    assert sample["cases"] == {"baseline": 140, "pilot": 140, "demo": 0}
    for arm in ("baseline", "pilot"):
        found = trained.record["estimates"][f"error_rate_{arm}"]
        assert (found["n"], found["unit_of_n"]) == (140, "pair")
    segments = {s["segment"]: s for s in trained.record["by_segment"]}
    for domain, shares in SUCCESS.items():
        m = trained.analysis.moments
        for arm, share in enumerate(shares):
            rows = (m.arm == arm) & (m.segment == m.segments.index(domain))
            assert m.outcome[rows].sum(axis=0).tolist()[0] == pytest.approx(share * rows.sum())
        assert segments[domain]["n_pilot"] == (20 if domain == "airline" else 40)


@needs_data
def test_tau2_gains_20_7_points_by_pairs(trained):
    """40 fixed and 11 broken of 140: + 20.7 points; the paired t interval, and McNemar's exact test behind it."""
    m = trained.analysis.moments
    wrong = np.zeros((2, int(m.unit.max()) + 1))
    np.add.at(wrong, (m.arm, m.unit), m.outcome[:, 1])
    gain = wrong[0] - wrong[1]
    assert (gain.size, int((gain > 0).sum()), int((gain < 0).sum())) == (140, 40, 11)
    assert gain.mean() == pytest.approx(0.207, abs=5e-4)
    base, pilot = trained.analysis.measured.scope().error_rate
    avoided = base - pilot
    paired = stats.t.interval(0.90, 139, gain.mean(), stats.sem(gain))
    assert avoided.mean() == pytest.approx(
        gain.mean(), abs=0.005
    )  # half an event of prior draws it a little to 0
    assert np.percentile(avoided, [5, 95]) == pytest.approx(paired, abs=0.006)
    found = trained.record["estimates"]["errors_avoided_per_case"]
    assert (found["n"], found["unit_of_n"]) == (140, "pair")
    assert (found["p05"], found["p95"]) == pytest.approx(paired, abs=0.006)
    assert worse_by_chance(11, 40) > 0.99
    assert stats.binomtest(11, 51).pvalue < 1e-4
    assert (avoided <= 0).mean() < 1e-3
    # Unpaired, the error would be a tenth larger: what tasks have in common cancels.
    alone = np.sqrt(sum(p * (1 - p) / 139 for p in wrong.mean(axis=1)))
    assert avoided.std() < 0.95 * alone


@needs_data
def test_tau2_has_no_human_minutes_and_says_so(trained):
    record = trained.record
    assert record["estimates"]["minutes_saved_per_case"] is None
    assert record["estimates"]["relative_time_saved"] is None
    assert any("Minutes saved per case: not known, because no minutes" in w for w in record["warnings"])
    assert record["verdict"] != "scale"
    assert record["chances"]["scale_pays"] is None


@needs_data
def test_tau2_a_cost_of_nothing_beside_tokens_is_unknown(trained):
    """All 140 runs of the fine-tuned agent cost 0.0 in the log, for 19 million tokens: the better arm looks free."""
    record = trained.record
    assert record["estimates"]["agent_cost_per_case"] is None
    assert any("unknown in 140 cases" in w for w in record["warnings"])
    m = trained.analysis.moments
    (column,) = [i for i, name in enumerate(m.statistics) if name.startswith("agent_cost:")]
    assert m.total[m.arm == 0, column].sum() == pytest.approx(8.82, abs=0.005)
    assert m.count[m.arm == 1, column].sum() == 0


@pytest.fixture(scope="module")
def applications(tmp_path_factory):
    """A project folder with one row an application of BPI 2012: its minutes, and who worked longest on it."""
    folder = tmp_path_factory.mktemp("bpic2012")
    rows = [
        {"application": a.name, "minutes": a.minutes, "resource": a.resource}
        for a in loan_applications(DATA / "process-logs/bpic2012.xes.gz")
        if a.minutes is not None
    ]
    write_csv(folder / "data/applications.csv", rows)
    return folder


@needs_data
@pytest.mark.slow
def test_bpic_2012_is_a_baseline_without_a_pilot(applications):
    """9,657 applications, mean 45.5 and median 25.97 minutes; nothing was worked with an agent, so nothing is saved."""
    record = open_pilot(parameter_file(applications, "bpic2012")).decision.record
    assert record["sample"]["cases"] == {"baseline": 9657, "pilot": 0, "demo": 0}
    assert record["sample"]["median_minutes"]["baseline"] == pytest.approx(25.97, abs=0.01)
    base = record["estimates"]["human_minutes_baseline"]
    assert base["mean"] == pytest.approx(45.5, abs=0.05)
    assert base["unit_of_n"] == "worker"
    assert record["estimates"]["minutes_saved_per_case"] is None
    assert any("no production case was worked with the agent" in w for w in record["warnings"])
    assert record["break_even_minutes"] is None
    assert record["verdict"] != "scale"


@needs_data
@pytest.mark.slow
def test_bpic_2012_as_a_pilot_without_a_baseline_breaks_even_where_its_worth_is_nothing(applications):
    """The printed break-even, stated as the baseline of the same cases, makes rolling out worth nothing on average."""
    alone = parameter_file(applications, "bpic2012", ("{value: baseline}", "{value: pilot}"))
    record = open_pilot(alone).decision.record
    point = record["break_even_minutes"]
    assert point > 45.5
    assert f"{point:.2f} minutes" in " ".join([record["reason"], *record["warnings"]])
    stated = f"  baseline: {{handling_minutes: {point!r}}}\n  cases:"
    told = parameter_file(
        applications,
        "bpic2012",
        ("{value: baseline}", "{value: pilot}"),
        ("  cases:\n", stated + "\n"),
        (
            "observational",
            "randomised",
        ),  # a break-even is what a case truly takes: no design's bias is held against it
    )
    worth = open_pilot(told).decision.record["options"]["scale"]["mean"]
    one_minute = 2000 * 0.7 * 45 / 60 * 12  # cases, adoption and labour, over a year
    assert abs(worth) < 0.01 * one_minute


@pytest.fixture(scope="module")
def prompts():
    """Passes of 68 test cases at temperature 0 by three prompts, in the order of the columns."""
    with (DATA / "promptfoo-classification/results.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    at = [i for i, h in enumerate(header) if i > 1 and json.loads(h)["provider"] == "Haiku: T-0.0"]
    for i in at:  # the header of a column holds its own counts
        metrics = json.loads(header[i])["metrics"]
        assert metrics["testPassCount"] == sum(row[i].startswith("[PASS]") for row in rows)
    names = ("simple", "rag", "rag_cot")
    return {n: [row[i].startswith("[PASS]") for row in rows] for n, i in zip(names, at, strict=True)}


@needs_data
@pytest.mark.parametrize(
    ("before", "live", "share", "state"),
    [
        ("simple", "rag", 0.941, "shown"),
        ("rag", "rag_cot", 0.956, "shown"),
        ("rag_cot", "simple", 0.706, "exceeded"),
    ],
)
def test_promptfoo_as_an_evaluation_suite(prompts, before, live, share, state, tmp_path):
    """Passes .706, .941 and .956 of 68; going back to the first prompt is caught by the exact paired test."""
    evals = [
        {"version": v, "eval_case": f"e{i}", "passed": int(p), "ran_at": "2026-08-20 10:00"}
        for v in (before, live)
        for i, p in enumerate(prompts[v])
    ]
    changes = [
        {"version": before, "changed_at": "2026-08-01 09:00", "kind": "prompt", "replaces": ""},
        {"version": live, "changed_at": "2026-08-19 09:00", "kind": "prompt", "replaces": before},
    ]
    path = write_pilot(tmp_path, cases(40), tables={"evals": evals, "changes": changes})
    loaded = load_parameters(path)
    logs = Logs(samples=open_samples(loaded), policy=loaded.policy, as_of=None)
    found = {check.name: check for check in look(logs).checks}
    regression, power = found["no_regression"], found["suite_power"]
    assert regression.value == pytest.approx(share, abs=5e-4)
    assert regression.status == ("fail" if state == "exceeded" else "pass")
    assert (
        power.status == "missing_evidence"
    )  # of 68 cases whose results move so much a drop of ten points may not show
    pairs = list(zip(prompts[before], prompts[live], strict=True))
    better, worse = pairs.count((False, True)), pairs.count((True, False))
    assert f"{better} better and {worse} worse" in regression.evidence
    if state == "exceeded":
        assert stats.binomtest(worse, worse + better, alternative="greater").pvalue < 0.05
