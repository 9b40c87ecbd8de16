"""What was made from the same inputs is not made again, and a batch may be stopped or killed at any moment."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from made_batches import HERE, SAID, files, make_project, run, states
from rich.console import Console

from roi.batch import run_batch, runner, warm
from roi.batch.outputs import keep_partial
from roi.batch.progress import Progress, time_left
from roi.batch.resume import INPUTS, _environment, drawn_again, inputs_of, note_of, why_again
from roi.ledger import data_sha256, record_sha256
from roi.records import read_record


def of(project: Path, name: str, **parameters: object) -> dict[str, object]:
    file = project / "params" / f"{name}.yaml"
    found = inputs_of(file, project, sorted((project / "notebooks").iterdir()), parameters)
    assert found is not None
    return found


def test_each_part_of_what_a_report_is_made_from_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path / "p", "a")
    file = project / "params/a.yaml"
    (project / "more").mkdir()
    file.write_text(
        'pilot: a\nsamples:\n  cases: {source: "more/*.csv", join: [{source: data.csv, "on": {case_id: k}, take: {agent_cost: sum}}]}\n'
        "  actions: {source: {connect: '${CLAIMS_DB}', sql: select * from calls}}\n"
    )
    (project / "more/1.csv").write_text("x")
    for name in ("one", "other"):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as made:
            made.execute("create table calls as select 1 as action_id, 'x' as tool")
    monkeypatch.setenv("CLAIMS_DB", f"duckdb://{tmp_path}/one.duckdb")
    before = of(project, "a", pilot="a")
    assert list(before["tables"]) == ["${CLAIMS_DB} query 3eaa6d6d"]  # type: ignore[call-overload]
    assert set(before["samples"]) == {"data.csv", "more/1.csv"}  # type: ignore[call-overload]
    assert of(project, "a", pilot="a") == before

    def changed(**given: object) -> list[str]:
        now = of(project, "a", **{"pilot": "a", **given})
        return [part for part in before if now[part] != before[part]]

    assert changed(run={"draws": 5}) == ["given"]
    monkeypatch.setenv("CLAIMS_DB", f"duckdb://{tmp_path}/other.duckdb")
    assert changed() == ["environment"]  # what it holds is the same
    with duckdb.connect(str(tmp_path / "other.duckdb")) as made:
        made.execute("update calls set tool = 'y'")
    assert changed() == ["tables", "environment"]
    monkeypatch.setenv("CLAIMS_DB", f"duckdb://{tmp_path}/one.duckdb")
    assert changed() == []
    for path, part in (
        ("data.csv", "samples"),
        ("more/2.csv", "samples"),  # another file that the glob means
        ("more/1.csv.seal", "samples"),  # a seal beside it
        ("notebooks/1_audit.ipynb", "notebooks"),
    ):
        kept = (project / path).read_bytes() if (project / path).exists() else None
        (project / path).write_text("changed")
        assert changed() == [part], path
        if kept is None:
            (project / path).unlink()
        else:
            (project / path).write_bytes(kept)
    (project / "params/_policy.yaml").write_text("hurdle: 5\n")
    assert changed() == ["policy", "environment"]
    (project / "params/_policy.yaml").unlink()
    assert changed() == []
    file.write_text(file.read_text() + "# a remark\n")
    assert changed() == ["parameters", "environment"]
    signed = [
        {"pilot": "a", "kind": "signature", "hash": "1"},
        {"pilot": "b", "kind": "signature", "hash": "2"},
    ]
    with_it = inputs_of(file, project, [], {}, signed)
    assert with_it is not None
    assert with_it["signed"] != inputs_of(file, project, [], {}, signed[1:])["signed"]  # type: ignore[index]


def test_a_report_is_made_again_unless_it_is_whole_known_and_of_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    record = {"pilot": "a", "provenance": {"samples_sha256": {"x.csv": "1"}, "looks": 1}, "signed": []}
    (folder / "decision.json").write_text(json.dumps(record))
    (folder / "report.html").write_text("<h1>")
    entries = [{"kind": "record", "pilot": "a", "record": record_sha256(record)}]
    entries[0]["data"] = data_sha256({"x.csv": "1"})
    inputs = {"parameters": "1", "samples": {"x.csv": "1"}}
    assert why_again(folder, inputs, entries) == "nothing says what it was made from"
    for spoilt in (
        "[" * 200_000,
        '{"inputs": [], "files": [], "record": ""}',
        '{"inputs": {}, "files": [1]}',
    ):
        (folder / INPUTS).write_text(spoilt)
        assert why_again(folder, inputs, entries) == "nothing says what it was made from"
    (folder / INPUTS).write_text(note_of(inputs, folder))
    assert why_again(folder, inputs, entries) == ""
    assert why_again(folder, None, entries) == "its inputs cannot be told"
    assert why_again(folder, {**inputs, "samples": {}}, entries) == "changed since: samples"
    assert why_again(folder, inputs, []) == "the ledger does not know its record"
    earlier = {**entries[0], "record": "0", "data": "other"}
    assert "more looks" in why_again(folder, inputs, [earlier, *entries])
    signed = {**record, "signed": [{"name": "B"}]}
    (folder / "decision.json").write_text(json.dumps(signed))
    assert why_again(folder, inputs, entries) == ""  # signing changes nothing of it
    (folder / "decision.json").write_text(json.dumps({**record, "verdict": "scale"}))
    assert why_again(folder, inputs, entries) == "its record was changed"
    (folder / "decision.json").write_text(json.dumps(record))
    (folder / "why.txt").write_text("It broke.")
    assert why_again(folder, inputs, entries) == "its last run failed"
    (folder / "why.txt").unlink()
    (folder / "report.html").write_text("")
    assert why_again(folder, inputs, entries) == "report.html is gone"


def test_half_a_page_is_made_again_and_what_people_changed_is_left_to_them(tmp_path: Path) -> None:
    record = {"pilot": "a", "provenance": {}, "signed": []}
    for name in ("report.html", "moments.json", "findings.csv", "2_decide.ipynb", "workbook.xlsx"):
        (tmp_path / name).write_text("whole")
    (tmp_path / "decision.json").write_text(json.dumps(record))
    (tmp_path / INPUTS).write_text(note_of({}, tmp_path))
    entries = [{"kind": "record", "pilot": "a", "record": record_sha256(record), "data": data_sha256({})}]
    assert why_again(tmp_path, {}, entries) == ""
    for name in ("report.html", "moments.json", "findings.csv"):
        (tmp_path / name).write_text("half")
        assert why_again(tmp_path, {}, entries) == f"{name} is not what was written"
        (tmp_path / name).write_text("whole")
    for name in ("2_decide.ipynb", "workbook.xlsx"):
        (tmp_path / name).write_text("mine")
    assert why_again(tmp_path, {}, entries) == ""
    (tmp_path / "report.html").write_text("signed")
    drawn_again(tmp_path, ["report.html", "operation.json"])
    assert why_again(tmp_path, {}, entries) == ""


def test_the_time_left_is_told_by_hand() -> None:
    assert time_left(10, 0, 5) == ""
    assert time_left(10, 5, 0) == ""
    assert time_left(30, 3, 4) == "about 40 s left"  # 10 s a part
    assert time_left(60, 1, 10) == "about 10 min left"


def stamps(out: Path) -> dict[str, int]:
    return {str(p.relative_to(out)): p.stat().st_mtime_ns for p in out.glob("*/*") if p.is_file()}


def test_a_small_screen_shows_what_runs_what_failed_and_the_time_left() -> None:
    pilots = [f"p_{n:03}" for n in range(100)]
    shown = Console(file=io.StringIO(), force_terminal=True, width=80, height=10, color_system=None)
    progress = Progress(pilots, shown)
    for pilot in pilots[:60]:
        progress.start(pilot)
        progress.end(pilot, "failed" if pilot == "p_007" else "done", f"as said\nof {pilot}")
    progress.start("p_099")
    with shown.capture() as seen:
        shown.print(progress._table())
    lines = seen.get().splitlines()
    assert len(lines) == 9
    assert [line.split()[1] for line in lines[:7]] == [
        "p_007",
        *(f"p_{n:03}" for n in range(55, 60)),
        "p_099",
    ]
    assert "and 54 done, 39 waiting" in lines[7]
    assert "60 of 100" in lines[8]
    progress.__exit__()
    with shown.capture() as seen:
        shown.print(progress._table())
    assert all(pilot in seen.get() for pilot in pilots)
    assert "60 of 100" not in seen.get()


def test_nothing_is_imported_meanwhile_unless_something_will_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into a new folder, before any file is looked at; else once it is known that one is to be run."""
    begun: list[str] = []
    monkeypatch.setattr(runner, "_import_meanwhile", lambda: begun.append("begun"))
    monkeypatch.setattr(runner, "list_all", lambda *_: [])
    kept = {"good": True}

    def looked(path: Path) -> Any:
        begun.append("looked")
        return SimpleNamespace(pilot="good", name="params/good.yaml", project=tmp_path)

    def run_all(self: runner.Batch, plans: object, jobs: int, outcomes: dict[str, runner.Outcome]) -> None:
        outcomes["good"] = runner.Outcome(pilot="good", state="kept")

    monkeypatch.setattr(
        runner.Batch,
        "kept",
        lambda *_: runner.Outcome(pilot="good", state="kept") if kept["good"] else None,
    )
    monkeypatch.setattr(runner.Batch, "run_all", run_all)
    monkeypatch.setattr(runner, "painting", lambda _: nullcontext())

    def begins(out: Path, **how: Any) -> list[str]:
        begun.clear()
        console = Console(file=io.StringIO())
        run_batch([tmp_path / "params" / "good.yaml"], out, check=looked, console=console, **how)
        return list(begun)

    old = tmp_path / "old"
    old.mkdir()
    assert begins(old) == ["looked"]
    assert begins(tmp_path / "new") == ["begun", "looked"]
    assert begins(old, force=True) == ["begun", "looked"]
    kept["good"] = False
    assert begins(old) == ["looked", "begun"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> warm.Server:
    """One that nobody else asks."""
    monkeypatch.setattr(warm, "_server", None)
    monkeypatch.delenv("ROI_NO_FORK", raising=False)
    if reason := warm.cannot_fork():
        pytest.skip(reason)
    return warm.warm_server()


def test_a_server_that_was_asked_for_nothing_is_ended_at_once(server: warm.Server) -> None:
    server.close()
    assert server._process is not None
    assert server._process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_server_that_was_asked_ends_what_it_forked_before_it_ends(server: warm.Server) -> None:
    task = warm.Task(target="roi.batch.forking:idle", args=(60,), env=dict(os.environ), cwd=os.getcwd())
    forked = server.fork(task)
    assert runs(forked.pid)
    server.close()
    assert server._process is not None
    assert server._process.returncode == 0
    assert not runs(forked.pid)


@pytest.mark.slow
def test_only_what_changed_is_run_again(tmp_path: Path) -> None:
    project, out = make_project(tmp_path / "p", "a", "b", "c"), tmp_path / "reports"
    result, _ = run(project, out, "a", "b", "c")
    assert states(result) == "ddd"
    before, first = stamps(out), files(out)
    result, shown = run(project, out, "a", "b", "c")
    assert states(result) == "kkk"
    assert result.exit_code == 0
    assert shown.count("nothing that it is made from has changed") == 3
    assert result.outcomes[0].record is not None
    assert stamps(out) == before
    file = project / "params/b.yaml"
    file.write_text(file.read_text() + "# more\n")
    assert states(run(project, out, "a", "b", "c")[0]) == "kdk"
    assert files(out) == first
    (out / "c/1_audit.html").unlink()
    assert states(run(project, out, "a", "b", "c")[0]) == "kkd"
    (project / "data.csv").write_text("another reason\n")
    assert states(run(project, out, "a", "b", "c")[0]) == "ddd"
    assert states(run(project, out, "a", "b", force=True)[0]) == "dd"
    assert sorted(p.name for p in (out / "a").iterdir() if p.name.startswith(".")) == [INPUTS]


def test_a_kept_report_whose_pdf_cannot_be_written_costs_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, out = make_project(tmp_path / "p", "a", "b"), tmp_path / "reports"
    assert states(run(project, out, "a", "b")[0]) == "dd"

    def full(folder: Path, *, missing: bool = False) -> None:
        if folder.name == "a":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("roi.report.pdf.write_pdfs", full)
    result, shown = run(project, out, "a", "b", pdf=True)
    assert states(result) == "fk"
    assert result.exit_code == 1
    assert "✗ a: Its report could not be written: No space left on device." in shown


def start(project: Path, out: Path, *pilots: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "made_batches.py"), str(project), str(out), *pilots]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def descendants(pid: int) -> set[int]:
    """A process and whatever it started, directly or not."""
    parents = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def runs(pid: int) -> bool:
    try:  # one that ended and that nobody has asked about is there, as Z
        return (Path(f"/proc/{pid}") / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: set[int], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    alive = pids
    while alive and time.monotonic() < until:
        alive = {pid for pid in alive if runs(pid)}
        time.sleep(0.05)
    return not alive


def whole(out: Path) -> list[str]:
    """The pilots whose reports are there, each of them whole."""
    found = []
    for folder in sorted(p for p in out.glob("[a-z]*") if p.is_dir()):
        read_record(folder / "decision.json")
        names = json.loads((folder / INPUTS).read_text())["files"]
        assert {p.name for p in folder.iterdir() if p.is_file()} == {*names, INPUTS}
        assert all((folder / name).stat().st_size for name in names)
        assert (folder / "report.html").read_text().rstrip().endswith("</html>")
        found.append(folder.name)
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_batch_that_is_stopped_keeps_what_is_done_and_goes_on(how: int, tmp_path: Path) -> None:
    pilots = [f"slowly_{n}" for n in range(5)]
    project, out = make_project(tmp_path / "p", *pilots), tmp_path / "reports"
    batch = start(project, out, *pilots)
    assert batch.stderr is not None
    for line in batch.stderr:
        if line.startswith("✓"):
            break
    family = descendants(batch.pid)
    batch.send_signal(how)
    rest = batch.stderr.read()
    assert batch.wait(60) == 130
    assert gone(family)
    done = whole(out)
    assert 1 <= len(done) < 5
    assert f"Stopped: {len(done)} of 5 pilots are through and whole." in rest
    assert "The same command goes on" in rest
    assert "slowly_0" in (out / "index.html").read_text() or done != ["slowly_0"]
    result, _ = run(project, out, *pilots)
    assert Counter(o.state for o in result.outcomes) == {"kept": len(done), "done": 5 - len(done)}
    run(project, tmp_path / "other", *pilots)
    assert files(out) == files(tmp_path / "other")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_batch_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """kill -9 of the batch at ten random moments; in the end all is as if nobody had disturbed it."""
    pilots = [f"p_{n}" for n in range(6)]
    project, out = make_project(tmp_path / "p", *pilots), tmp_path / "reports"
    began = time.monotonic()
    run(project, tmp_path / "undisturbed", *pilots)
    took = time.monotonic() - began
    chance = random.Random(11)
    for n in range(10):
        batch = start(project, out, *pilots)
        time.sleep(chance.uniform(0.3, 1.1) * took * (0.3 + n / 10))
        family = descendants(batch.pid)
        batch.kill()
        batch.wait()
        assert gone(family)
        if out.is_dir():
            whole(out)
        if n % 3 == 2:  # so that there is something to do for the next
            file = project / f"params/p_{n // 3}.yaml"
            file.write_text(file.read_text() + f"# {n}\n")
    result, _ = run(project, out, *pilots)
    assert result.exit_code == 0
    assert whole(out) == pilots
    assert files(out) == files(tmp_path / "undisturbed")
    hidden = {p.name for p in out.iterdir() if p.name.startswith(".")}
    assert hidden == {".lock"}


@pytest.mark.slow
def test_two_batches_into_one_folder_share_the_work_and_corrupt_nothing(tmp_path: Path) -> None:
    pilots = [f"p_{n}" for n in range(4)]
    project, out = make_project(tmp_path / "p", *pilots), tmp_path / "reports"
    both = [start(project, out, *pilots), start(project, out, *reversed(pilots))]
    said = [batch.communicate(timeout=300)[1] for batch in both]
    assert [batch.returncode for batch in both] == [0, 0], said
    assert whole(out) == pilots
    run(project, tmp_path / "other", *pilots)
    assert files(out) == files(tmp_path / "other")
    records = [line for line in (out / "ledger.jsonl").read_text().splitlines() if '"kind": "record"' in line]
    assert len(records) == 4


@pytest.mark.slow
def test_failures_of_every_kind_cost_nobody_else(tmp_path: Path) -> None:
    """ROI_FAILURES=1000 injects as many as are asked of a release."""
    many = int(os.environ.get("ROI_FAILURES", "40"))
    kinds = list(SAID)
    chance = random.Random(7)
    bad = [f"{kinds[n % len(kinds)] if n % 20 else 'hangs'}_{n}" for n in range(many)]
    good = [f"fine_{n}" for n in range(max(many // 4, 1))]
    pilots = chance.sample([*bad, *good], many + len(good))
    project, out = make_project(tmp_path / "p", *pilots), tmp_path / "reports"
    # Ten seconds: on a busy machine, what fails by itself is to do so before its time is over.
    result, shown = run(project, out, *pilots, timeout=10.0, memory=1 << 31)
    by_name = {outcome.pilot: outcome for outcome in result.outcomes}
    assert result.exit_code == 1
    assert [by_name[name].state for name in good] == ["done"] * len(good)
    for name in bad:
        assert by_name[name].state == "failed", name
        assert SAID[name.rpartition("_")[0]] in by_name[name].why, (name, by_name[name].why)
    assert "Secret" not in shown
    assert len(result.outcomes) == len(pilots)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_fails_who_needs_it_and_nobody_else(tmp_path: Path) -> None:
    pilots = [f"p_{n}" for n in range(5)]
    project, out = make_project(tmp_path / "p", *pilots), tmp_path / "small"
    out.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(out)], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        result, _ = run(project, out, *pilots)
        states = {o.pilot: o.state for o in result.outcomes}
        assert set(states.values()) == {"done", "failed"}
        assert result.exit_code == 1
        assert all("No space left on device" in o.why for o in result.outcomes if o.state == "failed")
        for name in (name for name, state in states.items() if state == "done"):
            assert (out / name / "report.html").read_text().rstrip().endswith("</html>")
    finally:
        subprocess.run(["umount", str(out)], check=False)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk")
@pytest.mark.parametrize("others", [False, True])
def test_a_full_disk_keeps_why_a_pilot_failed_or_nothing(others: bool, tmp_path: Path) -> None:
    """What it had done makes room for why it failed; where others fill the disk, neither lies there alone."""
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], check=False
    ).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        (tmp_path / "staged").mkdir()
        (tmp_path / "staged/2_decide.ipynb").touch()
        with (
            suppress(OSError),
            (tmp_path / ("other" if others else "staged/2_decide.ipynb")).open("wb") as fill,
        ):
            while True:
                fill.write(b"x" * 4096)
                fill.flush()
        if others:
            with pytest.raises(OSError, match="No space left"):
                keep_partial(tmp_path / "staged", tmp_path / "p", "2_decide", "It broke.")
        else:
            keep_partial(tmp_path / "staged", tmp_path / "p", "2_decide", "It broke.")
            assert (tmp_path / "p/why.txt").read_text() == "It broke.\n"
        assert [path.name for path in tmp_path.glob("p/*")] == ([] if others else ["why.txt"])
    finally:
        subprocess.run(["umount", str(tmp_path)], check=False)


def test_a_password_is_no_input_and_the_database_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash of few possible passwords would let somebody try them all."""

    def told(address: str) -> str:
        monkeypatch.setenv("CLAIMS_DB", address)
        return _environment(b'connect: "${CLAIMS_DB}"', tmp_path / "_policy.yaml")

    assert told("postgresql://ana:one@db/claims") == told("postgresql://ana:two@db/claims")
    assert told("postgresql://ana:one@db/claims") != told("postgresql://ana:one@db/other")
