"""A report's counts, means and sums in place of cases: what they give, and what they may not."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import yaml
from pilots import write_csv, write_pilot
from scipy.stats import t as student_t
from scipy.stats import ttest_ind_from_stats

from roi.analysis import analyse
from roi.cells import degrees_of_freedom
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.problems import ParameterError, SampleError
from roi.record import build_record
from roi.reduce import take_moments
from roi.samples import open_samples
from roi.scores import scores_of

ARMS = [
    {"arm": "baseline", "n": 41, "minutes_mean": 17.25, "minutes_sd": 8.5, "errors": 3, "escalations": 0},
    {"arm": "pilot", "n": 96, "minutes_mean": 11.5, "minutes_sd": 4.25, "errors": 5, "escalations": 7},
]


def report(folder, rows, changes=None, samples=None):
    """A parameter file whose samples are these rows of a report and nothing else."""
    path = write_pilot(folder, [], {"demand": {"mix": None}, **(changes or {})})
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    raw["samples"] = {"assignment": "randomised", "aggregates": "data/report.csv", **(samples or {})}
    path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    write_csv(folder / "data/report.csv", rows)
    return path


def moments_of(path):
    return take_moments(open_samples(load_parameters(path)))


def analysed(path):
    loaded = load_parameters(path)
    return analyse(loaded, open_samples(loaded))


def refused(path):
    with pytest.raises(SampleError) as caught:
        open_samples(load_parameters(path))
    return str(caught.value)


@pytest.mark.parametrize(
    ("base", "pilot"),
    [
        ((41, 17.25, 8.5), (96, 11.5, 4.25)),
        ((2, 20.0, 3.0), (3, 10.0, 1.5)),
        ((700, 9.0, 12.0), (65, 9.5, 0.4)),
    ],
)
def test_difference_error_and_degrees_of_freedom_are_welchs(tmp_path, base, pilot):
    """scipy.stats.ttest_ind_from_stats(equal_var=False): the same t on the same degrees of freedom."""
    rows = [
        {"arm": arm, "n": n, "minutes_mean": mean, "minutes_sd": sd}
        for arm, (n, mean, sd) in (("baseline", base), ("pilot", pilot))
    ]
    moments = moments_of(report(tmp_path, rows))
    scores = scores_of(moments, np.ones(1))
    means = scores.means
    errors = np.sqrt(np.diag(scores.covariance))
    assert means == pytest.approx([base[1], pilot[1]], rel=1e-12)
    assert errors == pytest.approx([base[2] / base[0] ** 0.5, pilot[2] / pilot[0] ** 0.5], rel=1e-9)
    want = ttest_ind_from_stats(base[1], base[2], base[0], pilot[1], pilot[2], pilot[0], equal_var=False)
    assert (means[0] - means[1]) / np.hypot(*errors) == pytest.approx(want.statistic, rel=1e-9)
    each = errors**2
    welch = each.sum() ** 2 / (each**2 / (np.array([base[0], pilot[0]]) - 1)).sum()
    assert degrees_of_freedom(scores, moments, np.ones(1)) == pytest.approx(welch, rel=1e-6)
    p = 2 * student_t.sf(
        abs(want.statistic), welch
    )  # scipy's own p, so that these are its degrees of freedom
    assert p == pytest.approx(want.pvalue, rel=1e-6)


def test_a_million_cases_have_the_same_error_from_fewer_units(tmp_path):
    rows = [dict(row, n=row["n"] * 10_000) for row in ARMS]
    moments = moments_of(report(tmp_path, rows))
    assert moments.arm.size <= 10_016
    assert int(moments.n.sum()) == 1_370_000
    assert int(moments.outcome[moments.arm == 1, 1].sum()) == 5
    errors = np.sqrt(np.diag(scores_of(moments, np.ones(1)).covariance))[:2]
    assert errors == pytest.approx([8.5 / 410_000**0.5, 4.25 / 960_000**0.5], rel=1e-9)


def test_months_are_added_up_as_the_cases_would_be(tmp_path):
    """Two months of cases, given by their means and deviations, have the mean and deviation of all of them."""
    rng = np.random.default_rng(5)
    months = {"2026-08": rng.gamma(2, 6, 30), "2026-09": rng.gamma(2, 9, 45)}
    rows = [
        {
            "arm": "pilot",
            "month": m,
            "n": x.size,
            "minutes_mean": float(x.mean()),
            "minutes_sd": float(x.std(ddof=1)),
        }
        for m, x in months.items()
    ]
    moments = moments_of(report(tmp_path, rows))
    scores = scores_of(moments, np.ones(1))
    every = np.concatenate(list(months.values()))
    assert scores.means[0] == pytest.approx(every.mean(), rel=1e-6)
    assert scores.covariance[0, 0] ** 0.5 == pytest.approx(every.std(ddof=1) / every.size**0.5, rel=1e-6)
    assert (str(moments.first), str(moments.last)) == ("2026-08-01", "2026-09-30")


@pytest.mark.slow
def test_error_rates_equal_those_of_the_same_counts_given_as_cases(tmp_path):
    cases = []
    for row in ARMS:
        for i in range(row["n"]):
            outcome = "error" if i < row["errors"] else "correct"
            outcome = "escalated" if row["n"] - i <= row["escalations"] else outcome
            minutes = row["minutes_mean"]
            cases.append({
                "case_id": f"{row['arm']}{i}", "arm": row["arm"], "outcome": outcome, "setting": "production",
                "started_at": "2026-09-01 10:00", "handling_minutes": minutes, "rework_minutes": 1,
            })  # fmt: skip
    counted = report(tmp_path / "a", ARMS, samples={"labels": {"selection": "all"}})
    given = write_pilot(
        tmp_path / "b",
        cases,
        {"demand": {"mix": None}},
        without=("actions", "evals", "changes", "incidents", "access"),
    )
    one, other = (build_record(analysed(p))["estimates"] for p in (counted, given))
    for name in ("error_rate_baseline", "error_rate_pilot", "escalation_rate_pilot"):
        # The draws differ in what the rates have in common with the minutes, the intervals do not.
        assert one[name]["mean"] == pytest.approx(other[name]["mean"], rel=0.02), name
        assert one[name]["p95"] == pytest.approx(other[name]["p95"], rel=0.03), name


def test_segments_are_weighted_to_the_mix(tmp_path):
    rows = [
        {"arm": arm, "segment": s, "n": n, "minutes_mean": m, "minutes_sd": 2}
        for arm, s, n, m in (
            ("baseline", "email", 50, 10), ("pilot", "email", 500, 6), ("baseline", "post", 90, 30),
            ("pilot", "post", 20, 29),
        )
    ]  # fmt: skip
    path = report(tmp_path, rows, {"demand": {"mix": {"email": 0.25, "post": 0.75, "a": None, "b": None}}})
    saved = build_record(analysed(path))["estimates"]["minutes_saved_per_case"]
    assert saved["mean"] == pytest.approx(0.25 * 4 + 0.75 * 1, abs=1e-6)


def test_workers_of_a_report_are_the_unit(tmp_path):
    """Ten workers, each in both arms: the mean of their differences, on nine degrees of freedom."""
    rng = np.random.default_rng(2)
    rows, differences = [], []
    for i in range(10):
        base, pilot = float(rng.normal(20, 4)), float(rng.normal(12, 3))
        differences.append(base - pilot)
        rows += [
            {"arm": arm, "worker": f"Person {i}", "n": 25, "minutes_mean": round(x, 6)}
            for arm, x in (("baseline", base), ("pilot", pilot))
        ]
    moments = moments_of(report(tmp_path, rows))
    scores = scores_of(moments, np.ones(1))
    assert (moments.unit_kind, np.unique(moments.unit).size) == ("worker", 10)
    error = np.std(differences, ddof=1) / 10**0.5
    contrast = np.array([1.0, -1.0])
    assert (contrast @ scores.covariance[:2, :2] @ contrast) ** 0.5 == pytest.approx(error, rel=1e-6)
    assert degrees_of_freedom(scores, moments, np.ones(1)) == pytest.approx(9, rel=1e-9)


def test_a_mean_without_deviation_has_one_that_is_assumed_and_said(tmp_path):
    """Of the other arm's relative spread where that is known, else the mean's own size."""
    bare = [{k: v for k, v in row.items() if k != "minutes_sd"} for row in ARMS]
    record = build_record(analysed(report(tmp_path / "a", bare)))
    assert record["estimates"]["minutes_saved_per_case"]["evidence"] == "sourced, spread assumed"
    assert any("minutes_sd" in text for text in record["warnings"])
    errors = np.sqrt(np.diag(scores_of(moments_of(tmp_path / "a/params/made.yaml"), np.ones(1)).covariance))
    assert errors[0] == pytest.approx(17.25 / 41**0.5)
    half = report(tmp_path / "b", [ARMS[0], {**ARMS[1], "minutes_sd": ""}])
    errors = np.sqrt(np.diag(scores_of(moments_of(half), np.ones(1)).covariance))
    assert errors[1] == pytest.approx(11.5 * 8.5 / 17.25 / 96**0.5)


def test_severities_are_kept_and_unknown_ones_stay_unknown(tmp_path):
    rows = [
        {"arm": "baseline", "n": 100, "errors": 9, "minor_errors": 4, "major_errors": 1, "severe_errors": ""},
        {"arm": "pilot", "n": 100, "errors": 30, "minor_errors": "", "major_errors": "", "severe_errors": 2},
    ]
    moments = moments_of(report(tmp_path, rows))
    assert moments.severity[moments.arm == 0].sum(axis=0).tolist() == [4, 0, 1, 0]
    assert moments.severity[moments.arm == 1].sum(axis=0).tolist() == [
        25,
        3,
        2,
        0,
    ]  # .90 to .09 of 28, .95 to .05 of 2


def test_nothing_is_scaled_on_a_report_however_good(tmp_path):
    rows = [
        {
            "arm": "baseline",
            "n": 20_000,
            "minutes_mean": 60,
            "minutes_sd": 5,
            "errors": 900,
            "severe_errors": 0,
        },
        {"arm": "pilot", "n": 20_000, "minutes_mean": 10, "minutes_sd": 5, "errors": 200, "severe_errors": 0},
    ]
    rows = [dict(r, cost=100, escalations=0) for r in rows]
    record = build_record(analysed(report(tmp_path, rows, samples={"labels": {"selection": "all"}})))
    assert record["verdict"] == "fix"
    assert record["estimates"]["minutes_saved_per_case"]["evidence"] == "sourced"
    gates = {g["gate"]: g for g in record["gates"]}
    assert (gates["measured_baseline"]["state"], gates["severe_errors"]["state"]) == (
        "not_shown",
        "missing_evidence",
    )
    assert "Sample 30 cases in each arm" in gates["measured_baseline"]["mend"]
    assert any("nothing is scaled on it" in text for text in record["warnings"])


def test_what_a_report_does_not_count_is_not_known(tmp_path):
    rows = [{k: v for k, v in row.items() if k != "escalations"} for row in ARMS]
    record = build_record(analysed(report(tmp_path, rows)))
    assert record["estimates"]["escalation_rate_pilot"] is None
    assert record["estimates"]["agent_cost_per_case"] is None
    assert any("the report does not count escalations" in text for text in record["warnings"])


BAD = [
    ({"n": 0}, "below 1"),
    ({"n": 2.5}, "no whole number"),
    ({"n": ""}, "every row needs its n"),
    ({"minutes_sd": -1}, "below 0"),
    ({"errors": 99}, "above the cases that were looked at"),
    ({"labelled": 97}, "above n"),
    ({"labelled": 4}, "above the cases that were looked at"),
    ({"minutes_mean": ""}, "set where no mean is"),
    ({"n": 1, "errors": 0, "escalations": 0}, "one case has no deviation"),
    ({"escalations": ""}, "write 0 where there were none"),
    ({"escalations": 92}, "each case ends in one way"),
    ({"handling_minutes_mean": 12}, "below the sum of handling"),
    ({"severe_errors": 6}, "above errors"),
    ({"cost": 5, "cost_mean": 1}, "keep one of them"),
    ({"cost": -5}, "below 0"),
    ({"minutes_mean": 99_999}, "is samples.aggregates.columns.minutes_mean.unit wrong"),
    ({"arm": "Anna Berg"}, "map them under samples.aggregates.columns.arm.values"),
]


@pytest.mark.parametrize(("change", "said"), BAD, ids=[said for _, said in BAD])
def test_bad_rows_are_refused_with_their_place_and_mend(tmp_path, change, said):
    text = refused(report(tmp_path, [ARMS[0], {**ARMS[1], **change}]))
    assert said in text
    assert "row 2" in text
    assert "Anna" not in text


def test_all_problems_come_at_once_and_the_same_cases_twice_are_one(tmp_path):
    text = refused(report(tmp_path, [ARMS[0], {**ARMS[1], "minutes_sd": -1}, {**ARMS[0], "errors": 50}]))
    assert re.search(r"repeats the arm of an earlier row \(first: row 3", text)
    assert "below 0" in text
    assert "above the cases" in text


def test_a_row_of_totals_is_left_out(tmp_path):
    rows = [{**row, "segment": "email"} for row in ARMS] + [{**ARMS[1], "segment": "Total", "n": 137}]
    samples = open_samples(load_parameters(report(tmp_path, rows)))
    assert [(x.reason, x.rows) for x in samples.exclusions] == [("totals row", 1)]
    assert int(take_moments(samples).n.sum()) == 137


def test_cases_and_a_report_together_are_refused(tmp_path):
    path = report(tmp_path, ARMS, samples={"cases": "data/cases.csv"})
    with pytest.raises(ParameterError, match="leave one of them out"):
        load_parameters(path)


def test_units_mappings_and_json_lines_work_as_in_any_table(tmp_path):
    table = {
        "source": "data/report.jsonl",
        "columns": {
            "arm": {"from": "group", "values": {"old": "baseline", "new": "pilot"}},
            "minutes_mean": {"from": "seconds", "unit": "seconds"},
        },
    }
    path = report(tmp_path, ARMS, samples={"aggregates": table})
    lines = [{"group": g, "n": 10, "seconds": s} for g, s in (("old", 600), ("new", 300))]
    (tmp_path / "data/report.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    saved = build_record(analysed(path))["estimates"]["minutes_saved_per_case"]
    assert saved["mean"] == pytest.approx(5)


PILOT_ONLY = [dict(ARMS[1], n=2000, errors=100, escalations=10)]


@pytest.mark.parametrize("stated", [0.02, 0.20])
def test_a_stated_error_rate_charges_more_errors_and_credits_none(tmp_path, stated):
    """0.05 against 0.02 costs the difference; against 0.20 it earns nothing."""
    baseline = {"human_minutes": 17, "error_rate": stated, "escalation_rate": 0.01}
    samples = {"baseline": baseline, "labels": {"selection": "all"}}
    a = analysed(report(tmp_path, PILOT_ONLY, samples=samples))
    assert a.scale is not None
    found = build_record(a)["estimates"]
    assert found["error_rate_baseline"]["mean"] == pytest.approx(stated)
    assert found["error_rate_baseline"]["evidence"] == "assumed"
    assert found["escalation_rate_baseline"]["mean"] == pytest.approx(0.01)
    stream = a.scale.stream
    assert stream is not None
    if stated > 0.05:
        assert float(stream.errors.max()) == 0.0
    else:
        assert float(stream.errors.mean()) < 0


def test_a_stated_error_rate_of_a_sampled_baseline_is_not_used(tmp_path):
    path = report(tmp_path, ARMS, samples={"baseline": {"error_rate": 0.5}})
    assert build_record(analysed(path))["estimates"]["error_rate_baseline"]["mean"] < 0.12


def test_the_whole_way_from_a_report_is_the_same_twice(tmp_path):
    path = report(tmp_path, ARMS)
    one, other = (json.dumps(open_pilot(path).decision.record, sort_keys=True, default=str) for _ in range(2))
    assert one == other
