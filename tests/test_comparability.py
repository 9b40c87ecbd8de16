"""Arms that cannot be compared are caught; sound ones are hardly ever accused."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import pilots
import pytest
from made_moments import made_moments
from made_sums import made_sums
from rich.console import Console
from sample_projects import Project

import roi.engine
from roi.case_sums import _query, sum_cases
from roi.comparability import check_arms
from roi.contrasts import binomial_p, contrast, homogeneity_p, permutation_p, pooled_groups, trend
from roi.designs import design_of
from roi.pilot import open_pilot
from roi.reduce import take_moments
from roi.report import sections
from roi.report.facts import facts
from roi.report.terminal import print_record

START = dt.datetime(2026, 9, 7)  # a Monday


def moved(rows, change):
    """Rows after `change(row, place)`, which may also leave one out by returning False."""
    kept = []
    for i, row in enumerate(rows):
        row = dict(row)
        if change(row, i) is not False:
            row["version"] = "v2" if row["arm"] == "pilot" else ""
            kept.append(row)
    return kept


def in_week(row, week, hour=0):
    row["started_at"] = (START + dt.timedelta(weeks=week, hours=hour)).isoformat(sep=" ")


def look(tmp_path, rows, **samples):
    """The decision on a pilot of these rows, and its findings by check."""
    decision = open_pilot(
        pilots.write_pilot(tmp_path, rows, {"samples": samples} if samples else {})
    ).decision
    found = {f["check"]: f for f in decision.record["design"]["findings"]}
    gate = next(g for g in decision.record["gates"] if g["gate"] == "design")
    return decision, found, gate


def test_the_sums_are_what_numpy_makes_of_the_same_rows(tmp_path):
    rng = np.random.default_rng(4)
    rows = pilots.cases(400, workers=7)
    for i, row in enumerate(rows):
        in_week(row, 0, 5 * i)
        row["amount"] = round(float(rng.lognormal(4, 1)), 2)
        if i % 9 == 0:
            row["handling_minutes"] = ""
        if i % 11 == 0:
            row["outcome"] = row["severity"] = ""
    samples = open_pilot(
        pilots.write_pilot(tmp_path, rows, {"samples": {"cases": {"source": "data/cases.csv"}}})
    ).samples
    found = sum_cases(samples, take_moments(samples), workers_assigned=True)
    minutes = np.array([float(r["handling_minutes"] or "nan") for r in rows])
    oracle = made_sums(
        minutes,
        np.array([r["arm"] == "pilot" for r in rows]).astype(int),
        5.0 * np.arange(400),
        unit=np.array([int(r["worker"][1:]) for r in rows]),
        segment=np.array([r["segment"] == "b" for r in rows]).astype(int),
        amount=np.array([r["amount"] for r in rows]),
        labelled=np.array([r["outcome"] != "" for r in rows]).astype(int),
        by_unit=True,
    )
    assert found.week_counts.tolist() == oracle.week_counts.tolist()
    assert (np.diff(found.weeks) == 1).all()
    assert found.week_counts_by_unit.sum(axis=0).tolist() == oracle.week_counts.tolist()
    assert sorted(map(str, found.week_counts_by_unit)) == sorted(map(str, oracle.week_counts_by_unit))
    assert set(found.sums) == set(oracle.sums)
    for name in oracle.sums:  # units are in the order of their pseudonyms
        assert np.sort(found.sums[name]) == pytest.approx(np.sort(oracle.sums[name]), rel=1e-12), name
    # The last third: cases of the last weeks, each kind with its own share.
    assert found.late[1] is not None
    assert found.late[1][1] == pytest.approx(
        np.nanmean(minutes[[r["arm"] == "pilot" for r in rows]]), rel=1e-12
    )


def test_large_numbers_are_summed_exactly(tmp_path):
    """Amounts of billions, whose squares a decimal of eighteen digits does not hold."""
    rows = pilots.cases(60, workers=5)
    for i, row in enumerate(rows):
        row["amount"] = 4_000_000_000 + i
        in_week(row, i)
        row["handling_minutes"] = 90 + i
    samples = open_pilot(pilots.write_pilot(tmp_path, rows)).samples
    found = sum_cases(samples, take_moments(samples), workers_assigned=False).sums
    assert found["amount:q"].sum() == pytest.approx(sum((4e9 + i) ** 2 for i in range(60)), rel=1e-12)
    hours = [168.0 * i for i in range(60)]
    assert found["ty"].sum() == pytest.approx(sum(h * (90 + i) for i, h in enumerate(hours)), rel=1e-12)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize(
    ("most", "last"), [(200, 0), (9_998, 0), (20_000, 0), (200, 1_300_000), (20_000, 1_300_000)]
)
def test_cases_without_a_time_or_a_worker_are_summed_too(tmp_path, monkeypatch, most, last, large):
    """By hand; minutes, or hours after the first day, may be more than a decimal of eighteen digits holds of both."""
    if large:
        monkeypatch.setattr(roi.engine, "SMALL", -1)
    hours, minutes, lines = np.zeros(120), np.zeros(120), ["case_id,arm,worker,started_at,handling_minutes"]
    for i in range(120):
        row = {"worker": f"w{i % 5}" if i % 11 else ""}
        hours[i] = 168 * (i % 4) + i + (last if i == 119 else 0)
        in_week(row, 0, int(hours[i]))
        minutes[i] = most + i / 100 if i % 7 == 0 else 3 + i
        if i % 13 == 0:
            row["started_at"], hours[i] = "", np.nan
        lines.append(
            f"T{i},{'pilot' if i % 2 else 'baseline'},{row['worker']},{row['started_at']},{minutes[i]:.2f}"
        )
    samples = Project(tmp_path).cases("\n".join(lines) + "\n", samples={"partial_months": "keep"})
    assert samples.coded is large
    moments = take_moments(samples)
    found = sum_cases(samples, moments, workers_assigned=False)
    quick = "decimal(19,6)" not in _query(samples, moments, by_unit=False)
    assert quick is (large and most == 200 and last == 0)
    timed = ~np.isnan(hours)
    expected = {
        "n": 120,
        "timed": 120,
        "y_all": minutes.sum(),
        "n_t": timed.sum(),
        "t": hours[timed].sum(),
        "tt": (hours[timed] ** 2).sum(),
        "y": minutes[timed].sum(),
        "ty": (hours * minutes)[timed].sum(),
    }
    sums = {name: found.sums[name].sum() for name in expected}
    assert sums == pytest.approx(expected, rel=1e-12)
    assert found.week_counts.sum() == timed.sum()
    assert len(set(found.unit.tolist())) == 5 + sum(i % 11 == 0 for i in range(120))


@pytest.mark.slow
def test_a_stated_share_that_is_not_kept_closes_the_gate(tmp_path):
    rows = pilots.cases(400, share_pilot=0.7)
    decision, found, gate = look(tmp_path, rows, allocation={"baseline": 0.5, "pilot": 0.5})
    assert found["allocation"]["level"] == "stops"
    assert found["allocation"]["p"] == pytest.approx(binomial_p(280, 400, 0.5), rel=1e-5)
    assert gate["state"] == "not_shown"
    assert gate["mend"].startswith("Find which cases were lost")
    assert found["allocation"]["text"] in " ".join(decision.record["warnings"])
    assert decision.record["verdict"] != "scale"


@pytest.mark.slow
def test_an_unstated_share_is_warned_of_and_a_kept_one_is_not(tmp_path):
    """Every reader sees it, with its mend; the gate stays open, for it may have been planned."""
    rows = pilots.cases(400, share_pilot=0.7)
    decision, found, gate = look(tmp_path, rows)
    assert found["allocation"]["level"] == "warning"
    assert gate["state"] == "shown"
    out = io.StringIO()
    print_record(decision.record, Console(file=out, width=80, color_system=None))
    for text in (
        " ".join(out.getvalue().split()),
        " ".join(decision.record["warnings"]),
        sections.measured(decision).html,
        sections.first_screen(decision).html,
    ):
        assert "of 400 cases are in the pilot arm, which is not half" in text
        assert "State samples.allocation if this was planned" in text
    (tmp_path / "kept").mkdir()
    decision, found, gate = look(tmp_path / "kept", rows, allocation={"baseline": 0.3, "pilot": 0.7})
    assert "allocation" not in found
    assert gate["state"] == "shown"
    assert not any("in the pilot arm" in w for w in decision.record["warnings"])


def test_an_unstated_share_is_shown_beside_a_graver_finding():
    grave = {"level": "stops", "check": "periods", "text": "Weeks of one arm."}
    lost = {"level": "warning", "check": "allocation", "text": "61 of 100.", "mend": "State it"}
    design = {"text": "100 cases", "findings": [grave, {**grave, "level": "warning"}, lost]}
    text = next(f.text for f in facts({"design": design}) if f.label == "How it was compared")
    assert text == "100 cases. Weeks of one arm. 61 of 100. State it. 1 more caution below."


@pytest.mark.slow
def test_shares_that_differ_by_kind_are_a_note_though_their_sum_is_planned(tmp_path):
    def assign(row, i):
        row["segment"] = "ab"[i % 2]
        row["arm"] = "pilot" if i // 2 % 10 < (5, 9)[i % 2] else "baseline"

    rows = moved(pilots.cases(400), assign)
    decision, found, _ = look(tmp_path, rows, allocation={"baseline": 0.3, "pilot": 0.7})
    assert found["homogeneity"]["level"] == "note"
    assert "allocation" not in found
    assert not any("is not the same in all kinds" in w for w in decision.record["warnings"])


@pytest.mark.slow
def test_workers_are_what_was_shared_out_where_workers_were_assigned(tmp_path):
    """Twelve against eight workers are half and half, however many cases each of them did."""

    def assign(row, i):
        pilot = int(row["worker"][1:]) < 8
        row["arm"] = "pilot" if pilot else "baseline"
        return not (pilot and i % 3)

    rows = moved(pilots.cases(900), assign)
    _, found, gate = look(tmp_path, rows, allocation={"baseline": 0.5, "pilot": 0.5})
    assert "allocation" not in found
    assert gate["state"] == "shown"


@pytest.mark.slow
@pytest.mark.parametrize("why", ["time", "weeks", "pairs"])
def test_a_randomisation_that_the_data_contradict_is_before_and_after(tmp_path, why):
    def change(row, i):
        if why == "time":
            row["arm"] = "pilot" if i >= 200 else "baseline"
        elif why == "weeks":  # workers of each arm, in weeks of their own that take turns
            pilot = int(row["worker"][1:]) < 10
            row["arm"] = "pilot" if pilot else "baseline"
            in_week(row, 2 * (i % 6) + pilot, i // 30)
        else:
            row["pair_id"] = f"{row['arm']}{i // 2 % 90}"
            del row["worker"]

    decision, found, gate = look(tmp_path, moved(pilots.cases(400), change))
    assert found["contradiction"]["level"] == "warning"
    design = decision.record["design"]
    assert (design["declared"], design["assignment"]) == ("randomised", "before_after")
    assert decision.analysis.measured.bias_sd == pytest.approx(0.15)
    assert gate["evidence"].startswith(f"Cases are declared as randomised, but {design['contradicted_by']}")
    assert any("They are taken as a comparison of before and after" in w for w in decision.record["warnings"])
    assert decision.record["tipping_point"]["usual"] == pytest.approx(0.15)


@pytest.mark.slow
def test_a_sound_randomisation_is_left_alone(tmp_path):
    decision, found, gate = look(tmp_path, pilots.cases(400, share_pilot=0.5, seed=2))
    assert found == {}
    assert gate["state"] == "shown"
    assert decision.record["design"]["looked_at"]
    (tmp_path / "few").mkdir()
    rows = moved(pilots.cases(8, workers=4), lambda row, i: row.update(arm="pilot" if i > 3 else "baseline"))
    decision, found, _ = look(tmp_path / "few", rows)  # chance parts 4 and 4 cases once in 35
    assert "contradiction" not in found


@pytest.mark.slow
def test_weeks_of_one_arm_close_the_gate_beyond_a_fifth(tmp_path):
    def change(row, i):
        in_week(row, i // 50, i % 50)
        if i // 50 in weeks:
            row["arm"] = "pilot"

    for folder, weeks, state in (("some", (7,), "shown"), ("many", (5, 6, 7), "not_shown")):
        (tmp_path / folder).mkdir()
        _, found, gate = look(tmp_path / folder, moved(pilots.cases(400, share_pilot=0.5), change))
        assert found["periods"]["value"] == pytest.approx(len(weeks) / 8)
        assert (found["periods"]["level"], gate["state"]) == ("stops" if len(weeks) > 1 else "note", state)


@pytest.mark.slow
def test_a_segment_of_one_arm_is_named(tmp_path):
    def change(row, i):
        if i % 10 == 0:
            row["segment"], row["arm"] = "post", "baseline"

    rows = moved(pilots.cases(400, share_pilot=0.5), change)
    path = pilots.write_pilot(tmp_path, rows, {"demand": {"mix": {"a": 0.5, "b": 0.4, "post": 0.1}}})
    found = {f["check"]: f for f in open_pilot(path).decision.record["design"]["findings"]}
    assert found["segments"]["value"] == pytest.approx(0.1)
    assert "post" in found["segments"]["text"]


@pytest.mark.slow
@pytest.mark.parametrize("falls", [True, False])
def test_a_learning_trend_is_told_with_its_direction(tmp_path, falls):
    def change(row, i):
        in_week(row, 0, 2 * i)
        if row["arm"] == "pilot":
            row["handling_minutes"] = round(
                row["handling_minutes"] * (1 + (-0.6 if falls else 0.6) * (i / 800 - 0.5)), 3
            )

    decision, found, _ = look(tmp_path, moved(pilots.cases(800, share_pilot=0.5), change))
    finding = found["learning"]
    assert finding["p"] < 0.01
    assert (finding["value"] < 0) == falls
    assert ("says less than what practised people save" in finding["text"]) == falls
    assert ("flatters what to expect" in finding["text"]) == (not falls)
    assert "In the last third" in finding["text"]
    assert "drift" not in found
    trends = decision.record["design"]["trends"]["pilot"]
    assert trends["p05"] < finding["value"] < trends["p95"]


@pytest.mark.slow
def test_unlike_cases_and_uneven_gaps_are_told(tmp_path):
    rng = np.random.default_rng(8)

    def change(row, i):
        pilot = row["arm"] == "pilot"
        row["amount"] = round(float(rng.lognormal(5 + 0.6 * pilot, 0.8)), 2)
        if pilot and i % 6 == 0:
            row["handling_minutes"] = ""

    rows = moved(pilots.cases(900, share_pilot=0.5), change)
    spec = {
        "source": "data/cases.csv",
        "columns": {"handling_minutes": {"from": "handling_minutes", "blank": "missing"}},
    }
    _, found, _ = look(tmp_path, rows, cases=spec)
    assert found["balance"]["value"] > 0.25
    assert found["missing"]["value"] == pytest.approx(1 / 6, abs=0.05)
    assert "have no minutes" in found["missing"]["text"]


@pytest.mark.slow
def test_order_of_rows_changes_no_byte(tmp_path):
    rows = pilots.cases(300)
    texts = []
    for name, given in (("a", rows), ("b", rows[::-1])):
        (tmp_path / name).mkdir()
        decision, _, _ = look(tmp_path / name, given)
        texts.append((decision.record["design"], decision.record["mix"]))
    assert texts[0] == texts[1]


# What follows simulates sound pilots (how often is one accused?) and unsound ones (how often are they caught?).


def simulated(
    rng, *, n=300, workers=10, within=True, correlation=0.1, log_sd=0.8, share=0.5, learning=0.0, weekly=0.0
):
    """A pilot of 12 weeks: arm, hour, worker, segment and minutes of every case.

    Args:
        rng: Random stream.
        n: Cases.
        workers: Workers of both arms.
        within: Whether cases were assigned, or else workers.
        correlation: Share of the variance of log minutes that is the worker's.
        log_sd: Its standard deviation.
        share: The pilot arm's.
        learning: Share of the pilot's minutes gone at the end of it.
        weekly: How far the pilot's share moves from the first to the last week.
    """
    hour = rng.integers(0, 12 * 168, n).astype(float)
    worker = rng.choice(workers, n, p=rng.dirichlet(np.full(workers, 5.0)))
    segment = rng.integers(0, 3, n)
    arm = (rng.random(n) < share + weekly * (hour / hour.max() - 0.5)).astype(int)
    if not within:
        arm = (rng.permutation(workers) < round(workers * share)).astype(int)[worker]
    sd = log_sd * np.sqrt(1 - correlation)
    own = rng.normal(0, log_sd * np.sqrt(correlation), workers)[worker]
    minutes = 12 * np.exp(own + 0.2 * segment + rng.normal(-sd * sd / 2, sd, n))
    return arm, hour, worker, segment, minutes * (1 - learning * arm * hour / hour.max())


def p_of_trend(sums, arm):
    rows = sums.arm == arm
    n, t, tt, y, ty = (sums.sums[name][rows] for name in ("n_t", "t", "tt", "y", "ty"))
    found = trend(sums.unit[rows], sums.cell[rows], n, t, tt, y, ty, span=1.0)
    return 1.0 if found is None else found.p


CELLS = [
    {"workers": workers, "within": within, "correlation": correlation, "log_sd": log_sd, "n": n}
    for workers, within, correlation, log_sd, n in (
        (5, True, 0.1, 0.8, 60),
        (10, True, 0.3, 1.2, 300),
        (20, True, 0.1, 0.8, 600),
        (10, False, 0.3, 1.2, 300),
        (20, False, 0.1, 0.5, 600),
    )
]


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_false_alarms_are_as_rare_as_stated(cell, capsys):
    """Sound pilots: at most 0.2 % are accused by a check of 0.1 %, at most 1.3 % by a trend of 1 % (10,000 each)."""
    rng, looks = np.random.default_rng(11), 10_000
    hits = dict.fromkeys(("allocation", "segments", "weeks", "balance", "trend"), 0)
    for _ in range(looks):
        arm, hour, worker, segment, minutes = simulated(rng, **cell)
        by_worker = not cell["within"]
        sums = made_sums(minutes, arm, hour, unit=worker, segment=segment, amount=minutes, by_unit=by_worker)
        counts = np.zeros((2, 3))
        np.add.at(counts, (arm, segment), 1)
        of_unit = np.zeros((cell["workers"], 2, 3))
        np.add.at(of_unit, (worker, arm, segment), 1)
        whole = np.array([np.unique(worker[arm == i]).size for i in (0, 1)])
        if by_worker:
            # Assigned by halves; what is tested is that it was so, so that this check never errs.
            p = {"allocation": binomial_p(int(whole[1]), int(whole.sum()), 0.5)}
            p["segments"] = permutation_p(of_unit, pooled_groups(counts, ordered=False))
            p["weeks"] = permutation_p(
                sums.week_counts_by_unit, pooled_groups(sums.week_counts, ordered=True)
            )
        else:
            p = {"allocation": binomial_p(int(arm.sum()), arm.size, 0.5)}
            p["segments"] = homogeneity_p(counts, pooled_groups(counts, ordered=False))
            p["weeks"] = homogeneity_p(sums.week_counts, pooled_groups(sums.week_counts, ordered=True))
        unlike = contrast(*sums.by_unit("amount:n", "amount:s", "amount:q"))
        p["balance"] = 1.0 if unlike is None or abs(unlike.standardised) <= 0.25 else unlike.p
        p["trend"] = p_of_trend(sums, 1)
        for name, value in p.items():
            hits[name] += value is not None and value < (0.01 if name == "trend" else 0.001)
    with capsys.disabled():
        print(f"\nfalse alarms, {cell}: " + ", ".join(f"{k} {v / looks:.2%}" for k, v in hits.items()))
    assert hits.pop("trend") / looks <= 0.013
    assert all(n / looks <= 0.002 for n in hits.values()), hits


@pytest.mark.slow
def test_what_is_wrong_is_mostly_found(capsys):
    """600 cases, 20 workers, log-sd 0.8, in 12 weeks: each fault is found in at least four of five of 500 pilots."""
    rng, looks = np.random.default_rng(12), 500
    hits = dict.fromkeys(("allocation", "weeks", "trend", "balance"), 0)
    for _ in range(looks):
        base = {"n": 600, "workers": 20}
        arm, *_ = simulated(rng, **base, share=0.6)  # half was planned: every third baseline case is lost
        hits["allocation"] += binomial_p(int(arm.sum()), arm.size, 0.5) < 0.001
        arm, hour, worker, segment, minutes = simulated(rng, **base, weekly=0.5)
        sums = made_sums(minutes, arm, hour, unit=worker)
        p = homogeneity_p(sums.week_counts, pooled_groups(sums.week_counts, ordered=True))
        hits["weeks"] += p is not None and p < 0.001
        arm, hour, worker, segment, minutes = simulated(rng, **base, learning=0.6)
        hits["trend"] += p_of_trend(made_sums(minutes, arm, hour, unit=worker, segment=segment), 1) < 0.01
        arm, hour, worker, segment, minutes = simulated(rng, **base)
        amount = np.exp(rng.normal(0.7 * arm, 1))
        unlike = contrast(
            *made_sums(minutes, arm, hour, unit=worker, amount=amount).by_unit(
                "amount:n", "amount:s", "amount:q"
            )
        )
        hits["balance"] += unlike is not None and unlike.p < 0.001 and abs(unlike.standardised) > 0.25
    with capsys.disabled():
        print("\nfound: " + ", ".join(f"{k} {v / looks:.0%}" for k, v in hits.items()))
    assert all(n / looks >= 0.8 for n in hits.values()), hits


@pytest.mark.slow
def test_a_sound_pilot_is_hardly_ever_stopped(capsys):
    """Every check together, on 3,000 sound pilots of 40 to 300 cases: at most 1 in 200 has its design gate closed."""
    rng, looks = np.random.default_rng(13), 3000
    stopped = warned = 0
    for i in range(looks):
        n = (40, 100, 300)[i % 3]
        arm, hour, worker, segment, minutes = simulated(rng, n=n, workers=6)
        names = np.array(["a", "b", "c"])[segment]
        moments = made_moments(minutes, arm, worker, segment=names, workers={"baseline": 6, "pilot": 6})
        sums = made_sums(minutes, arm, hour, unit=worker, segment=segment)
        found = check_arms(moments, sums, design_of(moments, declared="randomised"), allocation=0.5)
        stopped += bool(found.stops())
        warned += any(f.level == "warning" for f in found.findings)
    with capsys.disabled():
        print(f"\nsound pilots stopped: {stopped / looks:.2%}, warned of something: {warned / looks:.1%}")
    assert stopped / looks <= 0.005
    assert warned / looks <= 0.03
