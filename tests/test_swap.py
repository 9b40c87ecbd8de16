"""What moved a verdict, each change swapped between two archived runs: shares add up, and are what runs of their own say."""

from __future__ import annotations

import itertools
import json
import math
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import issued
from pilots import cases, merged, write_pilot

from roi.attribution import difference
from roi.cli import main
from roi.records import find_files, read_record
from roi.shapley import MOST_EXACT, closed, shares

FEW: dict[str, Any] = {"run": {"draws": 1000}, "about": {"prepared_by": "A. Analyst"}}
LABOUR = {"economics": {"labour_cost_per_hour": {"low": 50, "high": 54, "source": "payroll"}}}
MIX = {"demand": {"mix": {"a": 0.5, "b": 0.5}}}
POLICY = {"approved_by": "Board", "smallest_saving_minutes": 3, "hurdle": 1000}


def runs(folder: Path, *versions: tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any] | None]) -> Path:
    """Runs of one pilot after another; the folder of their reports. Nothing but that is left."""
    for rows, changes, policy in versions:
        issued(write_pilot(folder, rows, merged(FEW, changes), policy=policy), folder / "reports")
    shutil.rmtree(folder / "data")
    shutil.rmtree(folder / "params")
    return folder / "reports"


def told(reports: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    files = find_files(str(reports), "made")
    old, new = (read_record(f) for f in files)
    return old, new, difference(old, new, files=files)


def whole(old: dict[str, Any], new: dict[str, Any]) -> tuple[float, float]:
    ends = [(r["options"]["scale"]["mean"], r["chances"]["scale_pays"]) for r in (old, new)]
    return ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]


def adds_up(old: dict[str, Any], new: dict[str, Any], found: dict[str, Any]) -> None:
    for i, key in enumerate(("worth", "chance")):
        assert abs(math.fsum(row[key] for row in found["effects"]) - whole(old, new)[i]) <= 1e-9


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return cases(300, pilot=11.0, workers=8)


def worth_of(folder: Path, rows: list[dict[str, Any]], changes: dict[str, Any], policy: Any = None) -> float:
    """An oracle: the worth of scaling in a run of its own."""
    from roi.pilot import open_pilot

    path = write_pilot(folder, rows, merged(FEW, changes), policy=policy)
    return float(open_pilot(path).decision.record["options"]["scale"]["mean"])


@pytest.mark.slow
def test_data_and_settings_are_told_apart_from_the_archives_alone(rows, tmp_path):
    """Two changes: the Shapley value by hand, from four runs of their own."""
    fewer = rows[:-60]
    old, new, found = told(runs(tmp_path, (rows, {}, None), (fewer, MIX, None)))
    assert not found["not_attributed"]
    got = {row["what"]: row["worth"] for row in found["effects"]}
    assert set(got) == {"new data", "other settings"}
    neither, both = (r["options"]["scale"]["mean"] for r in (old, new))
    data = worth_of(tmp_path / "d", fewer, {})
    mix = worth_of(tmp_path / "m", rows, MIX)
    assert got["new data"] == pytest.approx((data - neither + both - mix) / 2)
    assert got["other settings"] == pytest.approx((mix - neither + both - data) / 2)
    adds_up(old, new, found)


@pytest.mark.slow
def test_a_cost_line_that_went_is_priced(rows, tmp_path):
    costs = [
        {"name": "Connector", "kind": "integration", "amount": 30000, "per": "once", "source": "quote"},
        {"name": "Audit", "kind": "evaluation", "amount": 9000, "per": "once"},
    ]
    before, after = ({"economics": {"costs": c}} for c in (costs, costs[:1]))
    old, new, found = told(runs(tmp_path, (rows, before, None), (rows, after, None)))
    assert [row["what"] for row in found["effects"]] == ["Audit"]
    assert found["effects"][0]["worth"] == pytest.approx(9000 * 1.2)  # with its contingency of a fifth
    adds_up(old, new, found)


@pytest.mark.slow
def test_data_and_settings_that_do_not_go_together_are_swapped_as_one(rows, tmp_path):
    """A new kind of case comes with its share: neither the old data nor the old mix knows the other."""
    third = [r | ({"segment": "c"} if i % 5 == 0 else {}) for i, r in enumerate(rows)]
    mix = {"demand": {"mix": {"a": 0.5, "b": 0.3, "c": 0.2}}}
    old, new, found = told(runs(tmp_path, (rows, {}, None), (third, merged(mix, LABOUR), None)))
    assert {row["what"] for row in found["effects"]} <= {
        "new data and other settings", "new data", "other settings", "Labour cost per hour",
    }  # fmt: skip
    assert "Labour cost per hour" in {row["what"] for row in found["effects"]}
    adds_up(old, new, found)


@pytest.mark.slow
def test_another_method_is_what_the_earlier_run_gives_today(rows, tmp_path):
    """An earlier record whose figures today's package does not give: the rest of the difference is the method's."""
    reports = runs(tmp_path, (rows, {}, None), (rows, LABOUR, None))
    files = find_files(str(reports), "made")
    old, new = (read_record(f) for f in files)
    old["options"]["scale"]["mean"] -= 5000.0
    old["provenance"]["roi"] = "0.1.0"
    from roi.ledger import record_sha256

    place = files[0].parent / "moments.json"
    content = json.loads(place.read_text(encoding="utf-8")) | {"record": record_sha256(old)}
    place.write_text(json.dumps(content), encoding="utf-8")
    found = difference(old, new, files=files)
    got = {row["what"]: row["worth"] for row in found["effects"]}
    assert set(got) == {"Labour cost per hour", "another method"}
    assert got["another method"] == pytest.approx(5000.0)
    adds_up(old, new, found)


@pytest.mark.slow
def test_every_kind_of_change_at_once(rows, tmp_path):
    more = [*rows, *(r | {"case_id": f"N{r['case_id']}"} for r in cases(100, pilot=10.0, seed=9))]
    changes = merged(merged(LABOUR, MIX), {"run": {"seed": 5}})
    reports = runs(tmp_path, (rows, {}, None), (more, changes, POLICY))
    old, new, found = told(reports)
    assert {row["kind"] for row in found["effects"]} == {"data", "setting", "assumption", "policy", "seed"}
    assert found["order_free"]
    adds_up(old, new, found)
    shown = CliRunner().invoke(main, ["diff", str(reports), "made"])
    assert shown.exit_code == 0
    assert "add up to the whole" in " ".join(shown.output.split())


def change(rng: random.Random) -> dict[str, Any]:
    """A few of the inputs, changed at random."""
    parts: list[dict[str, Any]] = [
        {"economics": {"labour_cost_per_hour": {"low": rng.uniform(20, 40), "high": rng.uniform(45, 70)}}},
        {"economics": {"adoption": {"ramp_months": rng.randrange(1, 18)}}},
        {"economics": {"pilot_cost_per_month": rng.uniform(100, 4000)}},
        {"economics": {"wind_down_cost": rng.uniform(100, 9000)}},
        {"economics": {"error_cost": {"minor": rng.uniform(1, 50), "major": rng.uniform(500, 5000)}}},
        {"economics": {"horizon_months": rng.randrange(12, 60)}},
        {"economics": {"discount_rate": rng.uniform(0.01, 0.2)}},
        {"demand": {"cases_per_month": {"low": 1000, "high": rng.randrange(1200, 5000)}}},
        {"demand": {"mix": {"a": 0.3, "b": 0.7}}},
        {"economics": {"start": "2027-06"}},
        {"run": {"seed": rng.randrange(100)}},
        {"samples": {"assignment": "before_after"}},
        {
            "economics": {
                "costs": [{"name": "Seats", "kind": "licence", "amount": 9, "per": "seat_month", "seats": 40}]
            }
        },
    ]
    found: dict[str, Any] = {}
    for part in rng.sample(parts, rng.randrange(1, len(parts))):
        found = merged(found, part)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_shares_of_any_changes_add_up(tmp_path, seed):
    rng = random.Random(seed)
    sets = [
        cases(rng.randrange(150, 400), pilot=rng.uniform(7, 13), workers=8, seed=rng.randrange(99))
        for _ in range(2)
    ]
    policies = [None, POLICY if rng.random() < 0.5 else None]
    reports = runs(
        tmp_path, (sets[0], change(rng), policies[0]), (sets[rng.randrange(2)], change(rng), policies[1])
    )
    old, new, found = told(reports)
    assert found["effects"], found["not_attributed"]
    adds_up(old, new, found)


games = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1e6, 1e6), min_size=1, max_size=8)


@settings(deadline=None)
@given(games, st.floats(-1e6, 1e6))
def test_shares_of_any_game_add_up_and_do_not_depend_on_names(game, together):
    """Exact or by drawn orders: the whole is shared, whoever changes nothing gets nothing, and all alone counts in full."""

    def value(made: frozenset[str]) -> tuple[float, float]:
        total = math.fsum(game[x] for x in sorted(made)) + (together if len(made) == len(game) else 0.0)
        return total, total / 1e6

    names = [*game, "nothing"]
    found, drawn = shares(names, lambda made: value(made - {"nothing"}))
    end, start = value(frozenset(game)), value(frozenset())
    rows = closed(list(found.values()), (end[0] - start[0], end[1] - start[1]))
    for i in (0, 1):
        assert abs(math.fsum(row[i] for row in rows) - (end[i] - start[i])) <= 1e-9
        assert abs(math.fsum(x[i] for x in found.values()) - (end[i] - start[i])) <= 1e-6
    assert (drawn is None) == (len(names) <= MOST_EXACT)
    assert abs(found["nothing"][0]) <= (1e-9 if together == 0 else abs(together))


def test_drawn_orders_come_near_the_mean_over_every_order():
    """Eight changes with pairwise interactions: the exact Shapley value is known, half of each pair to either."""
    names = list("abcdefgh")
    own = {n: float(i) for i, n in enumerate(names)}
    pairs = {frozenset(p): float((i * 7) % 5) for i, p in enumerate(itertools.combinations(names, 2))}

    def value(made: frozenset[str]) -> tuple[float, float]:
        total = sum(own[x] for x in made) + sum(v for p, v in pairs.items() if p <= made)
        return total, 0.0

    found, drawn = shares(names, value)
    assert drawn == 8
    for name in names:
        exact = own[name] + sum(v / 2 for p, v in pairs.items() if name in p)
        assert found[name][0] == pytest.approx(exact), "an order and its reverse share each pair by halves"
