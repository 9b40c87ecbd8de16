"""What a page asked of large samples is taken over where the same is asked of the same, and told of nobody by name."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from made_taken import FREE_EDITS, decided, edit, made
from pilots import cases

import roi.engine
from roi.asked import Heard, Told, UnansweredError
from roi.made_with import ASKED


@pytest.fixture
def con() -> Any:
    found = duckdb.connect()
    found.execute("create table cases as select 'Ann' as worker, 3 as n, date '2026-03-01' as day")
    return found


def test_a_heard_engine_answers_as_it_does_and_the_told_one_after_it(con: Any) -> None:
    heard = Heard(con)
    rows = [(3, dt.date(2026, 3, 1))]
    assert heard.execute("select n, day from cases").fetchall() == rows
    assert heard.whole
    told = Told(heard.answers)
    assert told.execute("select n, day from cases").fetchall() == rows
    with pytest.raises(UnansweredError):
        told.execute("select day, n from cases")
    with pytest.raises(UnansweredError):
        told.execute("select n, day from cases", ["x"])
    with pytest.raises(UnansweredError):
        told.execute("select n, day from cases").fetchone()
    with pytest.raises(UnansweredError):
        told.cursor()
    # Whoever wants more of the engine has it, and then nothing is kept.
    assert heard.execute("select n, day from cases").fetchone() == rows[0]
    assert not heard.whole


@pytest.mark.parametrize(
    "question",
    [
        "select worker from cases",
        "select coalesce(worker, '') from cases",
        "create temp table more as select 1",
        "select n from cases where day < current_date and worker <> ''",
    ],
)
def test_what_names_people_or_changes_the_engine_is_not_kept(question: str, con: Any) -> None:
    heard = Heard(con)
    heard.execute(question).fetchall()
    assert not heard.whole
    assert not heard.answers
    with pytest.raises(duckdb.Error):
        heard.execute("select nothing from cases")


def test_people_who_are_counted_or_bundled_are_not_named(con: Any) -> None:
    heard = Heard(con)
    heard.execute("select count(distinct worker) from cases")
    heard.execute("select substr(coalesce(worker, ''), 3, 1) from cases")
    assert heard.whole


def rows(workers: int) -> list[dict[str, Any]]:
    """Cases of as many people, of 24 hours each, over some months."""
    found = cases(900, workers=workers)
    start = dt.datetime(2026, 3, 1)
    return [
        {**row, "started_at": (start + dt.timedelta(hours=3 * i)).isoformat(sep=" ")}
        for i, row in enumerate(found)
    ]


@pytest.mark.parametrize(
    ("what", "over"),
    [("a cost", True), ("the demand", True), ("an effect", True), ("what errors cost", False)],
)
def test_the_page_of_the_operation_is_that_of_samples_that_are_read(
    what: str, over: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    file, out = made(tmp_path, rows(90)), tmp_path / "reports"
    first, shown = decided(file, out, operates=True)
    assert first is not None
    assert not first["over"]
    assert shown is not None
    assert shown.operation["state"] == "own"
    kept = (out / "made" / ASKED).read_text(encoding="utf-8")
    assert "select" not in kept
    assert '"w-' not in kept
    shutil.copytree(out, tmp_path / "other")
    edit(file, FREE_EDITS[what])
    with monkeypatch.context() as gone:
        if over:
            gone.setattr("roi.pilot.open_samples", None)  # nobody can call that
        note, again = decided(file, out, operates=True)
    _, anew = decided(file, tmp_path / "other", operates=True, force=True)
    assert note is not None
    assert note["over"]
    assert bool(note.get("asked_over")) is over
    assert again is not None
    assert again == anew
    assert again != shown
    same = [(folder / "made" / ASKED).read_bytes() for folder in (out, tmp_path / "other")]
    assert same[0] == same[1]
    edit(file, FREE_EDITS["the start"])
    note, _ = decided(file, out, operates=True)
    assert note is not None
    assert note["asked_over"]  # of what was taken over, or asked anew, before


@pytest.mark.parametrize("what", ["a sample", "the policy"])
def test_answers_of_other_samples_or_under_another_policy_are_asked_anew(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    file, out = made(tmp_path, rows(90)), tmp_path / "reports"
    decided(file, out, operates=True)
    shutil.copytree(out, tmp_path / "other")
    if what == "a sample":
        cases_ = tmp_path / "data/cases.csv"
        text = cases_.read_text(encoding="utf-8")
        cases_.write_text(text.replace(",correct,", ",error,", 5), encoding="utf-8")
    else:
        edit(file, lambda p: p.update(policy={"max_severe_error_rate": 0.004}))
    note, again = decided(file, out, operates=True)
    _, anew = decided(file, tmp_path / "other", operates=True, force=True)
    assert note is not None
    assert not note["over"]
    assert "asked_over" not in note
    assert again == anew


def spoilt(out: Path) -> None:
    """An answer changed by hand."""
    file = out / "made" / ASKED
    found = json.loads(file.read_text(encoding="utf-8"))
    question = max(found["answers"], key=lambda q: len(found["answers"][q]))
    found["answers"][question][0][4] += 1
    file.write_text(json.dumps(found), encoding="utf-8")


@pytest.mark.parametrize("spoil", [spoilt, lambda out: (out / "made" / ASKED).unlink()])
def test_answers_that_are_not_those_of_then_are_asked_anew(
    spoil: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    file, out = made(tmp_path, rows(90)), tmp_path / "reports"
    decided(file, out, operates=True)
    before = (out / "made" / ASKED).read_bytes()
    spoil(out)
    edit(file, FREE_EDITS["a cost"])
    note, _ = decided(file, out, operates=True)
    assert note is not None
    assert note["over"]
    assert "asked_over" not in note
    assert (out / "made" / ASKED).read_bytes() == before


@pytest.mark.parametrize(("workers", "small"), [(20, -1), (90, roi.engine.SMALL)])
def test_nothing_is_kept_of_people_who_are_told_apart_or_of_few_cases(
    workers: int, small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roi.engine, "SMALL", small)
    file, out = made(tmp_path, rows(workers)), tmp_path / "reports"
    decided(file, out, operates=True)
    assert not (out / "made" / ASKED).exists()
    edit(file, FREE_EDITS["a cost"])
    note, _ = decided(file, out, operates=True)
    assert note is not None
    assert note["over"]
    assert "asked_over" not in note
