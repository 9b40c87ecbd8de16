"""The same file with a month more: nothing changes but what the month changes, and the difference says what."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pilots import cases, write_csv, write_pilot
from rich.console import Console

from roi.attribution import difference
from roi.batch import run_batch
from roi.batch.outputs import publish, read_record, record_text
from roi.batch.worker import since_before
from roi.cli import main
from roi.diff import compare
from roi.pilot import open_pilot
from roi.records import find_records, previous_record

pytestmark = pytest.mark.slow  # whole decisions of pilots

MONTHS = ((2026, 8), (2026, 9), (2026, 10), (2026, 11))
GLOB = {"samples": {"cases": "data/cases-*.csv", "version": "all"}, "run": {"draws": 2000}}


def month(year: int, number: int, *, seed: int, days: int = 28) -> list[dict[str, Any]]:
    """A month of cases, nine a day."""
    start = dt.datetime(year, number, 1, 8)
    rows = cases(9 * days, pilot=10.0, seed=seed)
    return [
        row
        | {
            "case_id": f"{year}-{number:02d}-{i}",
            "started_at": (start + dt.timedelta(days=i // 9, minutes=40 * (i % 9))).isoformat(sep=" "),
        }
        for i, row in enumerate(rows)
    ]


def month_file(folder: Path, place: int, days: int = 28) -> list[dict[str, Any]]:
    year, number = MONTHS[place]
    rows = month(year, number, seed=place + 1, days=days)
    write_csv(folder / f"data/cases-{year}-{number:02d}.csv", rows)
    return rows


@pytest.fixture(scope="module")
def rerun(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A record, then one of the same file with a month more; the logs are of what was there at first."""
    folder = tmp_path_factory.mktemp("rerun")
    rows = [row for place in range(3) for row in month_file(folder, place)]
    path = write_pilot(folder, rows, GLOB)
    (folder / "data/cases.csv").unlink()
    first = open_pilot(path).decision.record
    added = month_file(folder, 3)
    second = open_pilot(path).decision.record
    return {"old": first, "new": second, "rows": rows, "added": added, "path": path, "folder": folder}


@pytest.mark.slow
def test_parameters_policy_assumptions_and_settings_are_equal(rerun):
    old, new = rerun["old"], rerun["new"]
    for key in ("assumptions", "settings", "policy", "hurdle", "claims", "not_stated"):
        assert old[key] == new[key], key
    for key in ("params_sha256", "policy_sha256", "seed", "draws", "versions", "roi"):
        assert old["provenance"][key] == new["provenance"][key], key


def test_the_months_before_count_as_they_did(rerun):
    old, new = (rerun[key]["sample"]["by_month"] for key in ("old", "new"))
    assert sorted(old) == ["2026-08", "2026-09", "2026-10"]
    assert {m: new[m] for m in old} == old
    assert set(new) - set(old) == {"2026-11"}
    assert sum(new["2026-11"].values()) == len(rerun["added"])


def test_only_the_new_file_is_new(rerun):
    old, new = (rerun[key]["provenance"]["samples_sha256"] for key in ("old", "new"))
    assert {name: new[name] for name in old} == old
    assert set(new) - set(old) == {"data/cases-2026-11.csv"}


def raw_mean(rows: list[dict[str, Any]], arm: str, share: dict[str, float]) -> float:
    """The mix-weighted mean of human minutes, by hand."""
    means = {}
    for segment in share:
        found = [r["handling_minutes"] for r in rows if r["arm"] == arm and r["segment"] == segment]
        means[segment] = sum(found) / len(found)
    return sum(share[s] * means[s] for s in share)


def test_the_change_of_the_estimates_is_that_of_the_added_cases(rerun):
    share = {"a": 0.6, "b": 0.4}
    for key, rows in (("old", rerun["rows"]), ("new", rerun["rows"] + rerun["added"])):
        for arm in ("baseline", "pilot"):
            found = rerun[key]["estimates"][f"human_minutes_{arm}"]["mean"]
            assert found == pytest.approx(raw_mean(rows, arm, share), rel=0.005), (key, arm)


def test_the_difference_names_the_month_and_nothing_else(rerun):
    found = compare(rerun["old"], rerun["new"])
    assert [(c["kind"], c["what"], c["state"]) for c in found["changes"]] == [
        ("data", "data/cases-2026-11.csv", "added")
    ]
    assert {row["month"] for row in found["months"]} == {"2026-11"}
    n = len(rerun["added"])
    assert found["since"].startswith(
        f"Since 28 October 2026: {n} cases of November 2026 came in; the verdict"
    )


@pytest.mark.slow
def test_all_of_the_change_is_put_down_to_the_data(rerun, monkeypatch):
    monkeypatch.chdir(rerun["folder"])
    found = difference(rerun["old"], rerun["new"])
    scale = [rerun[key]["options"]["scale"]["mean"] for key in ("old", "new")]
    assert [row["what"] for row in found["effects"]] == ["new data"]
    assert found["effects"][0]["worth"] == pytest.approx(scale[1] - scale[0])


@pytest.mark.slow
def test_without_a_change_nothing_is_said_to_have_changed(rerun):
    again = open_pilot(rerun["path"]).decision.record
    assert again == rerun["new"]
    found = compare(rerun["new"], again)
    assert (found["changes"], found["quantities"], found["gates"], found["months"]) == ([], [], [], [])
    assert "nothing that went into the decision has changed" in found["since"]


@pytest.mark.slow
def test_a_month_that_is_not_over_waits_for_the_next_run(tmp_path):
    """The half month is left out and said so; the whole one comes in next time."""
    rows = [row for place in range(3) for row in month_file(tmp_path, place)]
    path = write_pilot(tmp_path, rows, GLOB)
    (tmp_path / "data/cases.csv").unlink()
    whole = open_pilot(path).decision.record
    month_file(tmp_path, 3, days=12)
    half = open_pilot(path).decision.record
    assert half["estimates"] == whole["estimates"]
    assert half["sample"]["by_month"] == whole["sample"]["by_month"]
    left = {x["arm"]: x["rows"] for x in half["excluded"] if "November 2026 is not over" in x["reason"]}
    assert sum(left.values()) == 9 * 12
    assert set(left) == {"baseline", "pilot"}
    month_file(tmp_path, 3)
    assert "2026-11" in open_pilot(path).decision.record["sample"]["by_month"]


def staged(out: Path, record: dict[str, Any]) -> None:
    """What a batch does with a finished record."""
    folder = out / ".made.new"
    folder.mkdir(parents=True)
    (folder / "decision.json").write_text(record_text(record), encoding="utf-8")
    publish(folder, out / record["pilot"])


def test_earlier_records_are_kept_and_never_overwritten(rerun, tmp_path):
    out = tmp_path / "reports"
    old, new = rerun["old"], rerun["new"]
    staged(out, old)
    assert since_before(out / "made", old) == "", "there is nothing before the first record"
    assert previous_record(out / "made", new) == old
    assert "came in" in since_before(out / "made", new)
    staged(out, new)
    staged(out, new)  # the same again: no further entry, and the report says the same
    kept = sorted((out / "made" / "archive").iterdir())
    assert [read_record(folder) for folder in kept] == [old]
    assert "came in" in since_before(out / "made", new)
    third = json.loads(json.dumps(new)) | {"headline": "another"}
    before = {f: (f / "decision.json").read_bytes() for f in kept}
    staged(out, third)
    assert len(list((out / "made" / "archive").iterdir())) == 2
    assert {f: (f / "decision.json").read_bytes() for f in kept} == before
    assert find_records(str(out), "made") == (new, third)


@pytest.mark.slow
def test_the_command_tells_it_from_a_folder_of_reports(rerun, tmp_path, monkeypatch):
    out = tmp_path / "reports"
    staged(out, rerun["old"])
    staged(out, rerun["new"])
    monkeypatch.chdir(rerun["folder"])
    told = CliRunner().invoke(main, ["diff", str(out), "made"])
    assert told.exit_code == 0, told.output
    text = " ".join(told.output.split())
    assert "cases of November 2026 came in" in text
    assert "What each change did to scaling everything" in text
    as_json = CliRunner().invoke(main, ["diff", str(out), "made", "--json"])
    assert json.loads(as_json.stdout) == json.loads(json.dumps(difference(rerun["old"], rerun["new"])))


@pytest.mark.slow
def test_a_report_opens_with_what_moved(rerun, tmp_path):
    """Two whole runs; the second report begins with the sentence, the first has none."""
    out = tmp_path / "reports"

    def decided() -> None:
        console = Console(file=io.StringIO())
        done = run_batch([rerun["path"]], out, console=console, notebooks=["2_decide"])
        assert done.exit_code == 0

    newest = rerun["folder"] / "data/cases-2026-11.csv"
    kept = newest.read_bytes()
    newest.unlink()
    decided()
    assert 'class="since"' not in (out / "made/report.html").read_text(encoding="utf-8")
    newest.write_bytes(kept)
    decided()
    page = (out / "made/report.html").read_text(encoding="utf-8")
    said = page.index('<p class="since"><bdi>Since 28 October 2026: 252 cases of November 2026 came in')
    assert said < page.index('class="word"')
