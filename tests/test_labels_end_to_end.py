"""From a parameter file and cases that a judge and people labelled to the record and the page."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from made_labels import labelled_moments
from pilots import cases, write_pilot

from roi.cli import main
from roi.labels import labelled_rates
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.reduce import take_moments
from roi.report import sections
from roi.samples import open_samples

CHECKED = {"samples": {"labels": {"selection": "random", "blind": True}}, "run": {"draws": 1000}}


def judged(n=1500, *, share=0.4, seed=3, sees=0.85, cries_wolf=0.05, source=False, chance=False):
    """Cases of which a judge judged all and people a random share."""
    rng = np.random.default_rng(seed)
    rows = cases(n, error_baseline=0.15, error_pilot=0.1, share_pilot=0.5)
    for row in rows:
        wrong = row["outcome"] == "error"
        said = "error" if rng.random() < (sees if wrong else cries_wolf) else "correct"
        people = rng.random() < share
        row["judge_outcome"] = said
        row["judge_severity"] = "minor" if said == "error" else ""
        if chance:
            row["label_probability"] = share if people else ""
        if not people:
            row["outcome"] = said if source else ""
            row["severity"] = row["judge_severity"] if source else ""
        if source:
            row["label_source"] = "human" if people else "judge"
    return rows


def moments_of(folder, rows, changes=None):
    return take_moments(open_samples(load_parameters(write_pilot(folder, rows, changes or CHECKED))))


def test_the_engine_counts_what_the_rows_say(tmp_path):
    rows = judged(400, chance=True)
    moments = moments_of(tmp_path, rows)
    made = labelled_moments(
        [int(r["arm"] == "pilot") for r in rows],
        [r["severity"] if r["outcome"] == "error" else r["outcome"] for r in rows],
        [r["judge_outcome"] for r in rows],
        unit=[r["worker"] for r in rows],
        segment=[r["segment"] for r in rows],
        probability=[float(r["label_probability"] or "nan") for r in rows],
    )
    ours, theirs = moments.judged, made.judged
    assert ours.selection == "random"
    for name in ("n", "probable", "weight", "weight2"):
        for arm in (0, 1):
            for s in (0, 1):
                for word in (-1, 0, 1):
                    a = (ours.arm == arm) & (ours.segment == s) & (ours.human == word)
                    b = (theirs.arm == arm) & (theirs.segment == s) & (theirs.human == word)
                    assert getattr(ours, name)[a].sum() == pytest.approx(getattr(theirs, name)[b].sum())
    found, wanted = labelled_rates(moments), labelled_rates(made)
    assert found.hits == pytest.approx(wanted.hits)  # units have other numbers, so sums end in other digits
    assert found.n == pytest.approx(wanted.n)


def test_a_label_source_says_the_same_as_a_column_of_its_own(tmp_path):
    one = labelled_rates(moments_of(tmp_path / "a", judged(400)))
    other = labelled_rates(moments_of(tmp_path / "b", judged(400, source=True)))
    assert one.hits.tolist() == other.hits.tolist()
    assert one.text == other.text


@pytest.mark.slow
def test_the_record_holds_rectified_rates(tmp_path):
    """The error rates of the record are the rectified ones, weighted to production, and the page says whose they are."""
    rows = judged()
    path = write_pilot(tmp_path, rows, CHECKED)
    decision = open_pilot(path).decision
    record = decision.record
    found = labelled_rates(take_moments(open_samples(load_parameters(path))))
    assert found.kind == record["labels"]["kind"] == "rectified"
    mix = np.array([0.6, 0.4])
    for arm, name in enumerate(("baseline", "pilot")):
        rate = float((mix * found.hits[arm] / found.n[arm]).sum())
        estimate = record["estimates"][f"error_rate_{name}"]
        assert estimate["mean"] == pytest.approx(rate, abs=0.004)  # the prior weighs half an event
        assert estimate["p05"] < rate < estimate["p95"]
        truth = (0.15, 0.10)[arm]
        assert estimate["p05"] < truth < estimate["p95"]
        assert 0.2 < record["labels"]["gain"][name] < 0.9
    people = {arm: sum(r["arm"] == arm and r["outcome"] != "" for r in rows) for arm in ("baseline", "pilot")}
    assert record["labels"]["people"] == people
    assert record["labels"]["judge"] == {a: sum(r["arm"] == a for r in rows) for a in people}
    kappa = record["labels"]["agreement"]["pilot"]["kappa"]
    assert 0.4 < kappa["p05"] < kappa["mean"] < kappa["p95"] <= 1
    assert not any("earn no credit" in text for text in record["warnings"])
    gate = next(g for g in record["gates"] if g["gate"] == "severe_errors")
    assert f"{people['pilot']:,} cases that people labelled" in gate["evidence"]
    html = sections.measured(decision).html
    assert "Who judged the outcomes" in html
    assert "what people said (rows)" in html


@pytest.mark.slow
def test_the_interval_is_narrower_than_peoples_alone(tmp_path):
    rows = judged()
    with_judge = open_pilot(write_pilot(tmp_path / "a", rows, CHECKED)).decision.record
    without = [{k: v for k, v in r.items() if not k.startswith("judge_")} for r in rows]
    alone = open_pilot(write_pilot(tmp_path / "b", without, CHECKED)).decision.record

    def width(record):
        estimate = record["estimates"]["error_rate_baseline"]
        return estimate["p95"] - estimate["p05"]

    assert width(with_judge) < 0.95 * width(alone)
    assert alone["labels"]["kind"] == "human"


@pytest.mark.slow
def test_a_judge_alone_is_shown_and_earns_nothing(tmp_path):
    rows = judged(share=0.0)
    for row in rows:
        del row["outcome"], row["severity"]
    record = open_pilot(write_pilot(tmp_path, rows, CHECKED)).decision.record
    assert record["labels"]["kind"] == "unchecked"
    assert record["labels"]["people"] == {"baseline": 0, "pilot": 0}
    assert record["estimates"]["error_rate_pilot"]["mean"] > 0
    assert any("earn no credit" in text for text in record["warnings"])
    gate = next(g for g in record["gates"] if g["gate"] == "severe_errors")
    assert gate["state"] == "missing_evidence"


@pytest.mark.slow
def test_risk_based_labels_without_their_chances_are_missing_evidence(tmp_path):
    changes = {"samples": {"labels": {"selection": "risk_based"}}, "run": {"draws": 1000}}
    record = open_pilot(write_pilot(tmp_path / "a", judged(600), changes)).decision.record
    gate = next(g for g in record["gates"] if g["gate"] == "severe_errors")
    assert gate["state"] == "missing_evidence"
    assert "label_probability" in gate["mend"]
    record = open_pilot(write_pilot(tmp_path / "b", judged(600, chance=True), changes)).decision.record
    assert next(g for g in record["gates"] if g["gate"] == "severe_errors")["state"] != "missing_evidence"
    assert record["labels"]["kind"] in ("rectified", "human")


def severe_gate(record):
    return next(g for g in record["gates"] if g["gate"] == "severe_errors")


def by_people_alone(n=600, *, seed=5, chance=0.5, only_errors=False):
    """Cases that people alone labelled, each labelled one with its chance; errors are looked at more often."""
    rng = np.random.default_rng(seed)
    rows = cases(n, error_baseline=0.15, error_pilot=0.1, share_pilot=0.5)
    for row in rows:
        p = min(1.0, 1.6 * chance) if row["outcome"] == "error" else 0.0 if only_errors else chance
        looked = rng.random() < p
        row["label_probability"] = p if looked else ""
        if not looked:
            row["outcome"] = row["severity"] = ""
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("selection", ["risk_based", "random"])
def test_peoples_weighted_labels_need_no_judge(tmp_path, selection):
    """Without judge_outcome and label_source the labels are weighted by their chances, in roi check and roi decide."""
    rows = by_people_alone()
    changes = {"samples": {"labels": {"selection": selection}}, "run": {"draws": 1000}}
    path = write_pilot(tmp_path, rows, changes)
    checked = CliRunner().invoke(main, ["check", str(path)])
    assert checked.exit_code == 0, checked.output
    done = CliRunner().invoke(main, ["decide", str(path), "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    record = json.loads(done.stdout)
    assert record["labels"]["kind"] == "weighted"
    assert not any("earn no credit" in text for text in record["warnings"])
    assert severe_gate(record)["state"] != "missing_evidence"
    moments = take_moments(open_samples(load_parameters(path)))
    found = labelled_rates(moments)
    for arm, name in enumerate(("baseline", "pilot")):
        seen = [r for r in rows if r["arm"] == name and r["segment"] == "a" and r["outcome"]]
        weight = [1 / float(r["label_probability"]) for r in seen]
        wrong = sum(w for w, r in zip(weight, seen, strict=True) if r["outcome"] == "error")
        assert found.hits[arm, 0] / found.n[arm, 0] == pytest.approx(wrong / sum(weight))


@pytest.mark.slow
@pytest.mark.parametrize(("selection", "chance"), [("risk_based", 1.0), ("random", 1.0), ("random", 0.5)])
def test_looking_only_where_a_judge_sees_errors_is_no_sample(tmp_path, selection, chance):
    """Labels on flagged cases alone, each by a chance of 1 or of 0.8: both numbers are said, and nothing is earned."""
    rows = by_people_alone(chance=chance, only_errors=True)
    changes = {"samples": {"labels": {"selection": selection}}, "run": {"draws": 1000}}
    record = open_pilot(write_pilot(tmp_path, rows, changes)).decision.record
    assert record["labels"]["kind"] == "unchecked"
    text = next(x for x in record["warnings"] if "earn no credit" in x)
    for arm in ("baseline", "pilot"):
        of = [r for r in rows if r["arm"] == arm]
        stand_for = sum(1 / float(r["label_probability"]) for r in of if r["outcome"])
        assert f"{stand_for:,.0f} cases with" in text
        assert f"{len(of):,} could have been drawn" in text
    assert "label a random sample" in text
    assert severe_gate(record)["state"] == "missing_evidence"


@pytest.mark.slow
def test_all_is_not_believed_of_an_arm_that_is_not_labelled(tmp_path):
    """All labelled but a tenth of one arm: the shares are said, with and without a judge, and nothing is earned."""
    changes = {"samples": {"labels": {"selection": "all"}}, "run": {"draws": 1000}}
    for blank, name in ((0.04, "few"), (0.1, "many")):
        rows = judged(600, share=1.0)
        pilot = [r for r in rows if r["arm"] == "pilot"]
        for row in pilot[: int(blank * len(pilot))]:
            row["outcome"] = row["severity"] = ""
        plain = [{k: v for k, v in r.items() if not k.startswith("judge_")} for r in rows]
        for given, kind in ((rows, "judge"), (plain, "plain")):
            record = open_pilot(write_pilot(tmp_path / name / kind, given, changes)).decision.record
            texts = [x for x in record["warnings"] if "earn no credit" in x]
            if name == "few":
                assert texts == []
                assert record["labels"]["kind"] == "human"
                assert severe_gate(record)["state"] != "missing_evidence"
            else:
                assert "100\u00a0% of the 300 cases without the agent" in texts[0]
                assert "90\u00a0% of the 300 cases with the agent" in texts[0]
                assert "Label the others, or a random sample" in texts[0]
                assert record["labels"]["kind"] == "unchecked"
                assert severe_gate(record)["state"] == "missing_evidence"
