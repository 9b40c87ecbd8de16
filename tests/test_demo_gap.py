"""From demo to production: the parts of the gap by hand, their edge cases, and the way from files to the record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_demo import NOTHING, Truth, gap_of, made_demo, measured_of
from made_moments import made_moments
from pilots import cases, write_pilot

from roi.demo_effects import LEAST_JUDGED
from roi.demo_split import PARTS, split_demo
from roi.linear import cells_of, covariances
from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.reduce import take_moments
from roi.samples import open_samples
from roi.supposed import supposed, worth_if

HALVES = {"a": 0.5, "b": 0.5}
FEW = {"run": {"draws": 1000}}


def about(mean: float, n: int) -> list[float]:
    """`n` minutes that vary about a mean."""
    return [mean + (1 if i % 2 else -1) for i in range(n)]


def blocks(*parts: tuple[bool, int, str, int, list[float]], **columns: list[str]):
    """Cases from (demo, arm, segment, state, minutes)."""
    rows = [(d, arm, s, state, m) for d, arm, s, state, minutes in parts for m in minutes]
    demo, arm, segment, state, minutes = (list(x) for x in zip(*rows, strict=True))
    return made_demo(demo=demo, minutes=minutes, arm=arm, segment=segment, state=state, **columns)


BY_HAND = (
    (False, 0, "a", 0, about(30, 20)),
    (False, 0, "b", 0, about(40, 20)),
    (False, 1, "a", 0, about(12, 10)),
    (False, 1, "a", 1, about(18, 10)),
    (False, 1, "b", 0, about(22, 10)),
    (False, 1, "b", 1, about(30, 30)),
    (True, 1, "a", 0, about(10, 12)),
    (True, 1, "b", 0, about(20, 4)),
)


def means(side) -> dict[str, float | None]:
    return {part: None if x is None else float(x.mean()) for part, x in side.parts.items()}


def test_the_parts_by_hand():
    """Demo (12 · 10 + 4 · 20) / 16 = 12.5; at ½ and ½ it is 15. Production: a 15, b 28, so 21.5.

    Defects: half of a's and three quarters of b's inputs, 6 and 8 minutes each: ½ · ½ · 6 + ½ · ¾ · 8 = 4.5.
    What is left, 21.5 − 15 − 4.5 = 2, is what clean cases take longer: 12 against 10, and 22 against 20.
    """
    side = gap_of(blocks(*BY_HAND), HALVES).sides["human_minutes", 1]
    assert side.demo.mean() == pytest.approx(12.5, abs=1e-6)
    assert side.reweighted.mean() == pytest.approx(15.0, abs=1e-6)
    assert side.production.mean() == pytest.approx(21.5, abs=1e-3)
    found = means(side)
    assert found["mix"] == pytest.approx(2.5, abs=1e-6)
    assert found["input_defects"] == pytest.approx(4.5, abs=1e-3)
    assert found["true_drop"] == pytest.approx(2.0, abs=2e-3)
    assert found["judge"] == 0
    total = sum(side.parts[x] for x in PARTS)
    assert np.abs(total - (side.production - side.demo)).max() < 1e-9
    assert side.covers == 1


def test_kinds_that_the_demo_left_out_are_part_of_the_mix():
    """A third kind, a fifth of demand, takes 40 minutes: 0.8 · 21.5 + 0.2 · 40 = 25.2, 3.7 more than the other two."""
    third = [(False, 0, "c", 0, about(40, 10)), (False, 1, "c", 0, about(40, 10))]
    side = gap_of(blocks(*BY_HAND, *third), {"a": 0.4, "b": 0.4, "c": 0.2}).sides["human_minutes", 1]
    assert means(side)["mix"] == pytest.approx(2.5 + 3.7, abs=2e-3)
    assert means(side)["true_drop"] == pytest.approx(2.0, abs=2e-3)
    assert side.covers == pytest.approx(0.8)


def test_a_kind_with_too_few_of_either_state_is_taken_to_be_like_the_others():
    """b has no clean case in production: a defect is taken to cost 6 there too, ½ · ½ · 6 + ½ · 1 · 6 = 4.5."""
    rows = [x for x in BY_HAND if not (not x[0] and x[1] == 1 and x[2] == "b" and x[3] == 0)]
    side = gap_of(blocks(*rows), HALVES).sides["human_minutes", 1]
    assert means(side)["input_defects"] == pytest.approx(4.5, abs=1e-3)
    # 0.75 of what a defect does in a, on 10 and 10 cases, and a's share of defects on 20; b's share, 30 of 30, is sure.
    of_effect = 0.75 * np.sqrt(2 * 10 / 9 / 10)
    of_share = 0.5 * 6 * np.sqrt(0.25 / 20)
    assert side.parts["input_defects"].std() == pytest.approx(np.hypot(of_effect, of_share), rel=0.15)


def test_a_demo_with_defects_of_its_own_is_charged_the_difference_only():
    """A quarter of the demo's a has a defect, half of production's: ½ · ¼ · 6 = 0.75 instead of 1.5."""
    rows = [x for x in BY_HAND if not (x[0] and x[2] == "a")]
    rows += [(True, 1, "a", 0, about(10, 12)), (True, 1, "a", 1, about(14, 4))]
    side = gap_of(blocks(*rows), HALVES).sides["human_minutes", 1]
    assert means(side)["input_defects"] == pytest.approx(0.75 + 3, abs=1e-3)
    assert side.reweighted.mean() == pytest.approx((11 + 20) / 2, abs=1e-6)
    # Clean: ½ · 2 + ½ · 2; and the demo's own defect cost 4 where production's costs 6: ½ · ¼ · 2.
    assert means(side)["true_drop"] == pytest.approx(2.25, abs=3e-3)


def judged(n=100, wrong=10, seen=6, demo_wrong=1, demo=40, words=True):
    """Production that people and a judge labelled, and a demo that the judge alone did."""
    people = ["error"] * wrong + ["correct"] * (n - wrong) + ["correct"] * 40 + [""] * demo
    judge = ["error"] * seen + ["correct"] * (n - seen) + ["correct"] * 40
    judge += ["error"] * demo_wrong + ["correct"] * (demo - demo_wrong)
    size = n + 40 + demo
    return made_demo(
        demo=[False] * (n + 40) + [True] * demo,
        arm=[1] * n + [0] * 40 + [1] * demo,
        segment=["a"] * size,
        state=[0] * size,
        minutes=about(10, size),
        people=people,
        judge=judge if words else None,
    )


def test_the_judges_part_by_hand():
    """Of 100 production cases people found 10 errors and the judge 6 of these: 4 points are the judge's."""
    gap = gap_of(judged(), {"a": 1.0})
    assert gap.judged_by == ("people", "judge")
    side = gap.sides["error", 1]
    assert means(side)["judge"] == pytest.approx(0.04, abs=1e-6)
    p05, p95 = np.percentile(side.parts["judge"], [5, 95])
    assert 0 < p05 < 0.04 < p95 < 0.1
    assert (
        np.abs(
            sum(side.parts[x] for x in ("mix", "judge", "true_drop")) - (side.production - side.demo)
        ).max()
        < 1e-9
    )


def test_without_pairs_the_judges_part_is_not_told():
    few = gap_of(judged(n=LEAST_JUDGED - 1, wrong=3, seen=2), {"a": 1.0}).sides["error", 1]
    assert few.parts["judge"] is None
    assert "too few to tell" in few.why["judge"]
    assert "judge" in few.why["true_drop"]
    none = gap_of(judged(words=False), {"a": 1.0})
    assert ("error", 1) not in none.sides  # nobody labelled the demo


def test_people_who_judged_both_leave_the_judge_no_part():
    side = gap_of(blocks(*BY_HAND, people=["correct"] * 116), HALVES).sides["error", 1]
    assert (side.parts["judge"] == 0).all()
    assert side.why["judge"] == "people judged both"


def test_what_cannot_be_told_is_none_with_its_reason():
    unknown = [(d, arm, s, -1, m) for d, arm, s, _, m in BY_HAND]
    side = gap_of(blocks(*unknown), HALVES).sides["human_minutes", 1]
    assert side.parts["input_defects"] is None
    assert "no column" in side.why["input_defects"]
    assert means(side)["true_drop"] == pytest.approx(6.5, abs=2e-3)
    assert "input_defects" in side.why["true_drop"]

    clean = [(d, arm, s, 0, m) for d, arm, s, _, m in BY_HAND]
    assert "too few" in gap_of(blocks(*clean), HALVES).sides["human_minutes", 1].why["input_defects"]

    small = [x if not x[0] else (*x[:4], x[4][:3]) for x in BY_HAND]
    side = gap_of(blocks(*small), HALVES).sides["human_minutes", 1]
    assert all(side.parts[x] is None and "too few to tell: 6 demo cases" in side.why[x] for x in PARTS)
    assert side.demo.mean() == pytest.approx((3 * (29 / 3) + 3 * (59 / 3)) / 6, abs=1e-6)

    other = [x if not x[0] else (True, 1, "elsewhere", 0, x[4]) for x in BY_HAND]
    side = gap_of(blocks(*other), HALVES).sides["human_minutes", 1]
    assert side.reweighted is None
    assert "no kind of case of production" in side.why["mix"]


def test_one_kind_has_no_mix_and_no_kind_cannot_tell():
    one = [(d, arm, "a", state, m) for d, arm, _, state, m in BY_HAND]
    assert (gap_of(blocks(*one), {"a": 1.0}).sides["human_minutes", 1].parts["mix"] == 0).all()
    rows = [(d, arm, state, m) for d, arm, _, state, minutes in BY_HAND for m in minutes]
    demo, arm, state, minutes = (list(x) for x in zip(*rows, strict=True))
    side = gap_of(made_demo(demo=demo, arm=arm, minutes=minutes, state=state), None).sides["human_minutes", 1]
    assert side.parts["mix"] is None
    assert "mix" in side.why["true_drop"]


def test_a_demo_of_few_people_is_less_known_than_one_of_many():
    rng = np.random.default_rng(1)
    size = 340
    show = np.arange(size) >= 300
    minutes = rng.gamma(4.0, 3.0, size)
    arm = np.where(show, 1, np.arange(size) % 2)
    width = []
    for people in (2, 20):
        unit = np.where(show, 100 + np.arange(size) % people, np.arange(size) % 20)
        made = made_demo(
            demo=show, arm=arm, minutes=minutes, segment=["a"] * size, unit=unit, state=[0] * size
        )
        width.append(np.ptp(np.percentile(gap_of(made, {"a": 1.0}).sides["human_minutes", 1].demo, [5, 95])))
    assert width[0] > 2 * width[1]


def test_people_who_worked_both_cancel_in_the_gap():
    """The same slow and fast people in demo and production: the gap is surer than the demo's level."""
    rng = np.random.default_rng(3)
    size, people = 600, 10
    show = np.arange(size) >= 400
    unit = np.arange(size) % people
    pace = np.exp(rng.normal(0, 0.5, people))[unit]
    minutes = 10 * pace * np.exp(rng.normal(0, 0.1, size))
    arm = np.where(show, 1, (np.arange(size) // people) % 2)
    made = made_demo(demo=show, arm=arm, minutes=minutes, segment=["a"] * size, unit=unit, state=[0] * size)
    side = gap_of(made, {"a": 1.0}).sides["human_minutes", 1]
    level, gap = (np.ptp(np.percentile(x, [5, 95])) for x in (side.demo, side.production - side.demo))
    assert gap < 0.5 * level


def test_no_demo_is_no_gap():
    moments = made_moments(about(10, 20), [0, 1] * 10)
    assert moments.demo_cells is None
    assert split_demo(measured_of(moments, None), NOTHING, currency="EUR", seed=1) is None


def test_linear_sums_have_the_textbook_variance():
    """Independent cases 1, 3 | 2, 6: means 2 and 4, single-case variances pooled; the sum of scores' squares is s²/n."""
    x = np.array([1.0, 3.0, 2.0, 6.0])
    cell, unit = np.array([0, 0, 1, 1]), np.arange(4)
    found = cells_of(x, np.ones(4), x * x, cell, unit, cells=2, units=4, block="x")
    assert found.mean.tolist() == [2.0, 4.0]
    own = covariances([found.sum_of(np.array([1.0, 0.0])), found.sum_of(np.array([0.0, 1.0]))])
    # s² = 2 and 8, over n = 2; the pooled floor (relative variance (2 + 8) / 2 / 9 = 0.556) may add to the first.
    assert own[1, 1] == pytest.approx(max(8 / 2, (8 + 2 * 5 / 9 * 16) / 3 / 2))
    assert own[0, 0] == pytest.approx(max(2 / 2, (2 + 2 * 5 / 9 * 4) / 3 / 2))
    assert own[0, 1] == pytest.approx(0.0)


def with_demo(**changes):
    rows = cases(600, segments={"a": 0.6, "b": 0.4}, defects=0.3)
    for row in rows:
        if row["arm"] == "pilot" and row["input_defects"]:
            row["handling_minutes"] += 6
    shown = [dict(row) for row in rows if row["arm"] == "pilot"][:80]
    for i, row in enumerate(shown):
        row |= {
            "case_id": f"D{i:03d}",
            "setting": "demo",
            "segment": "a" if i % 4 else "b",
            "input_defects": 0,
            "handling_minutes": round(5 + (i % 7) / 3, 3),
            "outcome": "correct",
            "severity": "",
            **changes,
        }
    return rows + shown


def test_files_and_arrays_count_the_same(tmp_path):
    rows = with_demo()
    samples = open_samples(load_parameters(write_pilot(tmp_path, rows, FEW)))
    found = take_moments(samples).demo_cells
    made = made_demo(
        demo=[r["setting"] == "demo" for r in rows],
        minutes=[r["handling_minutes"] for r in rows],
        arm=[int(r["arm"] == "pilot") for r in rows],
        segment=[r["segment"] for r in rows],
        unit=[r["worker"] for r in rows],
        state=[int(r["input_defects"] > 0) for r in rows],
        people=[r["outcome"] for r in rows],
    ).demo_cells
    assert (found.segments, found.workers) == (made.segments, made.workers)
    for field in ("n", "timed", "minutes", "minutes2", "people"):
        for setting in (0, 1):
            for state in (0, 1):
                a, b = (
                    getattr(x, field)[
                        (x.setting == setting) & (x.arm == 1) & (x.segment == 0) & (x.state == state)
                    ]
                    for x in (found, made)
                )
                assert np.sum(a, axis=0) == pytest.approx(np.sum(b, axis=0), abs=1e-9), field
    assert found.n.sum() == len(rows)


@pytest.mark.slow
def test_the_record_tells_the_gap_and_what_the_demo_promised(tmp_path):
    record = open_pilot(write_pilot(tmp_path, with_demo(), FEW)).decision.record
    gap = record["demo_gap"]
    saved = gap["quantities"]["minutes_saved_per_case"]
    assert saved["production"]["mean"] == record["estimates"]["minutes_saved_per_case"]["mean"]
    assert gap["baseline_of_demo"] == "production"
    for quantity in gap["quantities"].values():
        parts = [p["mean"] for p in quantity["parts"].values()]
        assert None not in parts
        assert sum(parts) == pytest.approx(
            quantity["production"]["mean"] - quantity["demo"]["mean"], abs=1e-9
        )
        assert quantity["gap"]["mean"] == pytest.approx(sum(parts), abs=1e-9)
    money = gap["money"]
    assert money["measured"] == {k: record["options"]["scale"][k] for k in ("mean", "p10", "p50", "p90")}
    assert money["promised"]["mean"] - money["measured"]["mean"] == pytest.approx(
        money["lost"]["mean"], rel=1e-9
    )
    assert money["promised"]["mean"] > money["measured"]["mean"]
    assert [s["demo_share"] for s in gap["segments"]] == [0.75, 0.25]
    assert gap["text"].startswith("The demo showed savings of")


def test_a_demo_that_is_production_promised_what_was_measured(tmp_path):
    """Valued through the same valuer: the demo's figures put in place of equal ones change nothing."""
    a = open_pilot(write_pilot(tmp_path, cases(300), FEW)).decision.analysis
    scope = a.measured.scope()
    same = supposed(
        a.measured,
        minutes_saved=scope.minutes_saved,
        error_rate=scope.error_rate,
        agent_cost=scope.agent_cost,
    )
    assert np.abs(worth_if(a.valuer, same).worth - a.scale.worth).max() < 1e-6 * np.abs(a.scale.worth).max()


def test_a_pilot_of_demo_cases_alone_has_levels_and_reasons(tmp_path):
    rows = [row | {"setting": "demo"} for row in cases(300)]
    gap = open_pilot(write_pilot(tmp_path, rows, FEW)).decision.record["demo_gap"]
    minutes = gap["quantities"]["human_minutes_pilot"]
    assert minutes["demo"] is not None
    assert minutes["production"] is None
    assert all(p["mean"] is None and "production does not" in p["why"] for p in minutes["parts"].values())
    assert gap["quantities"]["minutes_saved_per_case"]["demo"]["mean"] == pytest.approx(6, abs=1.5)
    assert gap["money"] is None


@pytest.mark.slow
def test_a_demo_with_a_baseline_of_its_own_is_held_against_that(tmp_path):
    rows = with_demo()
    shown = [row for row in rows if row["setting"] == "demo"]
    for i, row in enumerate(shown[:40]):
        row |= {
            "arm": "baseline",
            "handling_minutes": round(11 + (i % 3) / 3, 3),
            "agent_cost": "",
            "version": "",
        }
    gap = open_pilot(write_pilot(tmp_path, rows, FEW)).decision.record["demo_gap"]
    saved = gap["quantities"]["minutes_saved_per_case"]
    assert gap["baseline_of_demo"] == "demo"
    assert saved["demo"]["mean"] == pytest.approx(5.3, abs=0.5)
    parts = [p["mean"] for p in saved["parts"].values()]
    assert sum(x for x in parts if x is not None) == pytest.approx(saved["gap"]["mean"], abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cases_", "workers", "judge"), [(400, None, False), (600, None, True), (400, 20, True), (400, 8, False)]
)
def test_the_parts_cover_the_truth(cases_, workers, judge):
    """400 pilots of a known gap: each part's 90 % interval holds it in at least 84 % and at most 98.5 %.

    Of eight workers production's error rates are wider: cases of one are taken to be alike, which they are not here.
    """
    most = 0.995 if workers is not None and workers < 10 else 0.985
    rng = np.random.default_rng(7)
    truth = Truth()
    known = (truth if judge else replace(truth, misses=0.0)).parts()
    mix = dict(zip("abc", truth.mix, strict=True))
    inside: dict[tuple[str, str], list[bool]] = {}
    means_: dict[tuple[str, str], list[float]] = {}
    for _ in range(400):
        gap = gap_of(truth.pilot(rng, cases_, workers, judge), mix, draws=1000)
        for name in ("human_minutes", "error"):
            side = gap.sides[name, 1]
            for part, draws in {**side.parts, "gap": side.production - side.demo}.items():
                p05, p95 = np.percentile(draws, [5, 95])
                inside.setdefault((name, part), []).append(p05 <= known[name][part] <= p95)
                means_.setdefault((name, part), []).append(float(draws.mean()))
    for key, hits in inside.items():
        if known[key[0]][key[1]] != 0:
            assert 0.84 <= np.mean(hits) <= most, (key, np.mean(hits))
            error = np.std(means_[key]) / np.sqrt(400)
            room = (
                0.006 if key[0] == "error" else 0.1
            )  # the prior draws the demo's rare errors towards production's
            assert abs(np.mean(means_[key]) - known[key[0]][key[1]]) < 3 * error + room, key


@pytest.mark.slow
def test_an_archive_keeps_the_demo(tmp_path):
    from roi.archive import archive_text, read_archive
    from roi.record import build_record, canonical

    decision = open_pilot(write_pilot(tmp_path, with_demo(), FEW)).decision
    text = archive_text(decision.analysis, decision.record)
    (tmp_path / "moments.json").write_text(text, encoding="utf-8")
    again = build_record(read_archive(tmp_path / "moments.json").analysis())
    assert again["demo_gap"] == decision.record["demo_gap"] is not None
    assert canonical(again) == decision.json()
