"""A batch: one failure stops no other, outputs appear whole or not at all, nothing of this machine is kept."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from fixtures_record import make_record
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console

from roi.batch import BatchResult, outputs, run_batch
from roi.batch.engine import NotebookError, _failure, execute
from roi.batch.outputs import keep_partial, publish, record_text, recover, staging
from roi.batch.resume import INPUTS, note_of, why_again
from roi.batch.runner import Outcome
from roi.batch.warm import LOST, cannot_fork
from roi.chain import append
from roi.ledger import read_ledger
from roi.problems import InputError, ParameterError, Problem

pytestmark = pytest.mark.slow  # whole runs: together they would take a fifth of the fast suite

HERE = Path(__file__).parent
CELL = dedent("""
    import sys
    sys.path.insert(0, {here!r})
    import time
    from fixtures_record import make_decision, make_record
    from roi.problems import Problem, SampleError
    from roi.report import sections
    print("working")
    print("Ms Secret", file=sys.stderr)
    if "bug" in pilot: raise ValueError("could not convert 'Ms Secret'")
    if "bad" in pilot: raise SampleError([Problem("data/x.csv", "arm", "row 3 holds a text of 9 characters")])
    if "slow" in pilot: time.sleep(60)
    if "dies" in pilot: import os; os._exit(3)
    from pathlib import Path
    if "beside" in pilot: Path("beside.began").touch(); time.sleep(4)
    if "fells" in pilot:
        import os
        while not Path("beside.began").exists(): time.sleep(0.1)
        os.kill(os.getppid(), 9); time.sleep(60)
    sections.first_screen(make_decision(make_record(pilot=pilot, title=pilot), empty=True))
""").strip()


@dataclass
class Found:
    """What the check of a parameter file finds."""

    pilot: str
    name: str
    project: Path


def check(path: Path) -> Found:
    if "invalid" in path.stem:
        raise InputError([Problem(path.name, "economics.adoptoin", "unknown key; did you mean 'adoption'?")])
    return Found(path.stem, f"params/{path.name}", path.parent.parent)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "notebooks").mkdir()
    cells = [
        new_code_cell('pilot = "a"\neconomics = None', metadata={"tags": ["parameters"]}),
        new_code_cell(CELL.format(here=str(HERE))),
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "notebooks" / "2_decide.ipynb")
    shown = "from IPython.display import HTML\nHTML('<h1>Proof</h1>')"
    proof = new_notebook(cells=[cells[0], new_code_cell(shown)], metadata=kernel)
    for name in ("1_audit", "3_fix", "4_controls", "5_prove_roi", "6_operate"):
        nbformat.write(proof, folder / "notebooks" / f"{name}.ipynb")
    return folder


def run(
    project: Path, out: Path, *pilots: str, timeout: float = 120.0, jobs: int | None = None
) -> tuple[BatchResult, str]:
    shown = io.StringIO()
    files = [project / "params" / f"{name}.yaml" for name in pilots]
    console = Console(file=shown, width=100, color_system=None)
    return run_batch(files, out, check=check, console=console, timeout=timeout, jobs=jobs), shown.getvalue()


@pytest.fixture(scope="module")
def batch(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BatchResult, str]:
    out = tmp_path_factory.mktemp("reports")
    result, shown = run(project, out, "good", "bug", "bad", "invalid", "dies")
    return out, result, shown


def test_one_failure_stops_no_other(batch: tuple[Path, BatchResult, str]) -> None:
    _, result, shown = batch
    states = {outcome.pilot: outcome.state for outcome in result.outcomes}
    assert states == {"good": "done", "bug": "failed", "bad": "inputs", "invalid": "inputs", "dies": "failed"}
    assert result.exit_code == 1
    assert "good: FIX: Mend the inputs first" in shown
    assert "did you mean 'adoption'?" in shown
    assert "row 3 holds a text of 9 characters" in shown


def test_a_pilot_that_is_done_has_all_its_files(batch: tuple[Path, BatchResult, str]) -> None:
    out, _, _ = batch
    assert sorted(os.listdir(out / "good")) == [
        # The parameter file of this test is not there: what it is made from cannot be told, and is not noted.
        "1_audit.html",
        "1_audit.ipynb",
        "2_decide.ipynb",
        "3_fix.html",
        "3_fix.ipynb",
        "4_controls.html",
        "4_controls.ipynb",
        "5_prove_roi.html",
        "5_prove_roi.ipynb",
        "6_operate.html",
        "6_operate.ipynb",
        "decision.json",
        "report.html",
    ]
    text = (out / "good" / "decision.json").read_text(encoding="utf-8")
    expected = make_record(pilot="params/good.yaml", title="params/good.yaml")
    assert text == json.dumps(expected, ensure_ascii=False, sort_keys=True) + "\n"
    assert "Mend the inputs first" in (out / "good" / "report.html").read_text(encoding="utf-8")
    page = (out / "good" / "5_prove_roi.html").read_text(encoding="utf-8")
    assert "<h1>Proof</h1>" in page
    assert "What stands behind the business case. As of" in page


def test_a_bug_keeps_its_notebook_and_says_why_without_the_sample(
    batch: tuple[Path, BatchResult, str],
) -> None:
    out, _, shown = batch
    assert sorted(os.listdir(out / "bug")) == ["2_decide.partial.ipynb", "why.txt"]
    assert (out / "bug" / "why.txt").read_text(encoding="utf-8").startswith("2_decide: ValueError")
    assert "ValueError" in (out / "bug" / "why.txt").read_text(encoding="utf-8")
    assert "working" in (out / "bug" / "2_decide.partial.ipynb").read_text(encoding="utf-8")
    assert "Secret" not in shown
    for path in out.rglob("*"):
        # The words stand in the code of this test's 2_decide; nowhere else.
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        own = path.suffix == ".ipynb" and path.name.startswith("2_decide")
        assert text.count("Ms Secret") == (2 if own else 0), path


def test_inputs_to_mend_write_nothing_of_their_own(batch: tuple[Path, BatchResult, str]) -> None:
    out, _, _ = batch
    names = [p.name for p in out.iterdir() if not p.name.startswith(("ledger.jsonl", ".lock"))]
    assert sorted(names) == ["bug", "decisions.csv", "dies", "good", "index.html"]
    index = (out / "index.html").read_text(encoding="utf-8")
    for part in (
        "good/report.html",
        "did you mean &#39;adoption&#39;?",
        "text of 9 characters",
        "ValueError",
    ):
        assert part in index


def test_an_executed_notebook_says_nothing_of_this_machine(batch: tuple[Path, BatchResult, str]) -> None:
    out, _, _ = batch
    notebook = nbformat.read(out / "good" / "2_decide.ipynb", 4)
    assert notebook.metadata.papermill == {
        "input_path": "notebooks/2_decide.ipynb",
        "parameters": {"pilot": "params/good.yaml"},
        "version": notebook.metadata.papermill.version,
    }
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)
    assert [cell.id for cell in notebook.cells][1] == "injected-parameters"
    text = (out / "good" / "2_decide.ipynb").read_text(encoding="utf-8")
    assert str(out.parent) not in text.replace(str(HERE), "")


def test_the_same_inputs_give_the_same_files(
    project: Path, batch: tuple[Path, BatchResult, str], tmp_path: Path
) -> None:
    out, _, _ = batch
    run(project, tmp_path / "again", "good")
    for name in os.listdir(out / "good"):
        assert (tmp_path / "again" / "good" / name).read_bytes() == (out / "good" / name).read_bytes(), name


def test_time_is_limited_and_the_earlier_report_stays(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "slow"
    target.mkdir()
    (target / "decision.json").write_text(json.dumps(make_record(pilot="slow")))
    (target / "report.html").write_text("earlier")
    began = time.monotonic()
    result, _ = run(project, tmp_path, "slow", timeout=3.0)
    assert time.monotonic() - began < 40
    assert result.exit_code == 1
    assert "longer than the" in result.outcomes[0].why
    assert (target / "report.html").read_text() == "earlier"
    assert (target / "why.txt").exists()
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "last whole run" in index


@pytest.mark.skipif(bool(cannot_fork()), reason="this system has no server to fork from")
def test_who_ends_the_server_that_all_are_forked_from_costs_no_neighbour(
    project: Path, tmp_path: Path
) -> None:
    """Both lose it, and go on with one of their own each: so it is told who ends it."""
    result, shown = run(project, tmp_path, "fells", "beside", jobs=2)
    assert [outcome.state for outcome in result.outcomes] == ["failed", "done"], shown
    assert f"{LOST}. It was the second one" in result.outcomes[0].why
    assert (tmp_path / "fells" / "2_decide.partial.ipynb").is_file()
    assert result.exit_code == 1


def test_a_new_folder_in_which_nothing_came_about_goes(tmp_path: Path) -> None:
    """Samples that are refused only while a notebook reads them leave the lock of the run alone."""
    new, used = tmp_path / "new", tmp_path / "used"
    for folder in (new, used):
        with outputs.alone(folder):
            pass
    (used / "good").mkdir()
    for folder in (new, used, tmp_path / "never"):
        outputs.remove_unused(folder)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["used"]
    assert {path.name for path in used.iterdir()} == {"good", outputs.LOCK}


def test_a_report_is_on_the_disk_before_it_has_its_name(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, seen, unwritten = os.fsync, set[int](), dict[str, set[str]]()

    def noted(descriptor: int) -> None:
        seen.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def named(folder: Path, target: Path) -> None:
        files = [file for file in folder.iterdir() if file.is_file()]
        assert len(files) > 5
        unwritten[target.name] = {file.name for file in files if file.stat().st_ino not in seen}
        publish(folder, target)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr("roi.batch.runner.publish", named)
    run(project, tmp_path / "new", "good")
    assert unwritten == {"good": set()}


@pytest.mark.parametrize("below", [False, True])
def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(
    below: bool, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    out = tmp_path / "file/reports" if below else tmp_path / "file"
    with pytest.raises(InputError, match=r"--out: .* cannot be written \((File exists|Not a directory)\)"):
        run(project, out, "good")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_only_inputs_to_mend_write_nothing_and_exit_with_2(project: Path, tmp_path: Path) -> None:
    result, _ = run(project, tmp_path / "new", "invalid")
    assert result.exit_code == 2
    assert not (tmp_path / "new").exists()


def test_an_undeclared_parameter_is_refused_before_anything_runs(project: Path, tmp_path: Path) -> None:

    notebook = project / "notebooks" / "2_decide.ipynb"
    with pytest.raises(ParameterError, match="did you mean 'economics'"):
        execute(notebook, tmp_path / "o.ipynb", {"pilot": "good", "econmics": {}}, project=project)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[]", b"<<<<<<< ours"])
def test_a_spoilt_notebook_is_named_and_is_no_fault_of_the_program(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "1_audit.ipynb").write_bytes(text)
    with pytest.raises(NotebookError, match=r"^notebooks/1_audit.ipynb cannot be read as a notebook \("):
        execute(tmp_path / "1_audit.ipynb", tmp_path / "o.ipynb", {"pilot": "a"}, project=tmp_path)
    assert not (tmp_path / "o.ipynb").exists()


def test_a_failed_notebook_is_no_input_problem_unless_it_says_so() -> None:
    assert _failure("SampleError", "data/x.csv: 1 problem", []).is_input
    raw = _failure(
        "ConversionException",
        "Could not convert 'Ms Secret'",
        ["File /home/me/site-packages/duckdb/a.py:7, in f"],
    )
    assert not raw.is_input
    assert "Secret" not in raw.why
    assert "duckdb/a.py:7 in f" in raw.why
    assert "/home" not in _failure("FileNotFoundError", "No such file: '/home/me/data/x.csv'", []).why


def test_errors_travel_between_processes() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(NotebookError("ValueError", "why", is_input=True)))
    assert (error.kind, error.why, error.is_input) == ("ValueError", "why", True)


def put(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_json", ".json").replace("_html", ".html")).write_text(text)
    return folder


def test_what_is_replaced_goes_to_the_archive(tmp_path: Path) -> None:
    target = tmp_path / "p"
    for n in (1, 2, 2, 3):
        with staging(tmp_path, "p") as folder:
            put(folder, decision_json=json.dumps({"as_of": f"2026-0{n}-01"}), report_html=f"run {n}")
            publish(folder, target)
    archived = sorted(p.name[:10] for p in (target / "archive").iterdir())
    assert archived == ["2026-01-01", "2026-02-01"]  # the second run of the same record left no copy
    first = next(p for p in (target / "archive").iterdir() if p.name.startswith("2026-01-01"))
    assert (first / "report.html").read_text() == "run 1"
    assert (target / "report.html").read_text() == "run 3"
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_a_run_cut_off_between_its_renames_is_put_back(tmp_path: Path) -> None:
    put(tmp_path / ".p.old", report_html="earlier")
    recover(tmp_path)
    assert (tmp_path / "p" / "report.html").read_text() == "earlier"


def test_a_whole_run_sweeps_the_failed_one_away(tmp_path: Path) -> None:
    put(tmp_path / "work", report_html="x")
    (tmp_path / "work" / "2_decide.ipynb").write_text("{}")
    keep_partial(tmp_path / "work", tmp_path / "p", "2_decide", "It broke.")
    assert sorted(os.listdir(tmp_path / "p")) == ["2_decide.partial.ipynb", "why.txt"]
    with staging(tmp_path, "p") as folder:
        put(folder, decision_json="{}")
        publish(folder, tmp_path / "p")
    assert os.listdir(tmp_path / "p") == ["decision.json"]


def test_why_a_pilot_failed_is_told_where_it_cannot_be_kept(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("roi.batch.runner.keep_partial", full)
    (outcome,) = run(project, tmp_path, "bug")[0].outcomes
    assert outcome.state == "failed"
    assert "ValueError" in outcome.why
    assert outcome.why.endswith("Nothing of that could be kept: No space left on device.")


def test_the_file_holds_what_the_command_line_prints() -> None:
    from roi.record import canonical

    assert record_text(make_record()) == canonical(make_record()) + "\n"


@pytest.mark.parametrize("command", ["batch", "decide"])
def test_who_stops_a_command_before_anything_ran_is_told_so(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code of 1 would have a scheduler think that a pilot failed."""
    from click.testing import CliRunner

    from roi.cli import main

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("roi.parameters.find_parameter_files", stop)
    done = CliRunner().invoke(main, [command, "params/"])
    assert done.exit_code == 130
    assert "Stopped." in done.output
    assert ("The same command goes on" in done.output) == (command == "batch")


@pytest.mark.parametrize("command", ["run", "batch"])
def test_one_pilot_is_limited_as_many_are(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from roi.cli import main

    given: dict[str, object] = {}

    def keep(*_: object, **how: object) -> BatchResult:
        given.update(how)
        return BatchResult(())

    monkeypatch.setattr("roi.batch.run_batch", keep)
    monkeypatch.setattr("roi.parameters.find_parameter_files", lambda _: [])
    limits = ["--timeout", "900", "--memory-limit", "400"]
    assert CliRunner().invoke(main, [command, "claims_intake", *limits]).exit_code == 0
    assert (given["timeout"], given["memory"]) == (900, 400 << 20)


def test_exit_codes() -> None:
    def code(*states: str) -> int:
        return BatchResult(tuple(Outcome(pilot=s, state=s) for s in states)).exit_code

    assert code("done") == 0
    assert code("done", "inputs") == 2
    assert code("done", "inputs", "failed") == 1


def test_a_batch_ends_with_a_line_that_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from roi.cli import main

    states = ["done", "kept", "done", "failed", "inputs", "kept", "done"]
    ended: list[Outcome] = []
    monkeypatch.setattr("roi.batch.run_batch", lambda *_, **__: BatchResult(tuple(ended)))
    monkeypatch.setattr("roi.parameters.find_parameter_files", lambda _: [])
    for many, said in ((len(states), "7 pilots: 3 done, 1 failed, 1 to mend, 2 unchanged.\n"), (1, "")):
        ended[:] = [Outcome(pilot=f"p{i}", state=state) for i, state in enumerate(states[:many])]
        assert CliRunner().invoke(main, ["batch", "a", "-o", str(tmp_path)]).output == said


def test_a_batch_enters_each_record_once_and_a_broken_ledger_stops_it_before_anything(
    project: Path, tmp_path: Path
) -> None:
    from roi.ledger import read_ledger

    out = tmp_path / "reports"
    run(project, out, "good", "bug")
    run(project, out, "good")
    ledger = out / "ledger.jsonl"
    # One record, though it was run twice; what failed was never issued.
    assert [e["pilot"] for e in read_ledger(ledger)] == ["params/good.yaml"]
    ledger.write_bytes(ledger.read_bytes().replace(b'"look": 1', b'"look": 3'))
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match="line 1: was changed"):
        run(project, out, "good")
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    ledger.write_bytes(ledger.read_bytes().replace(b'"look": 3', b'"look": 1') + b'{"half')
    _, shown = run(project, out, "good", "other")
    assert (
        "ledger.jsonl, line 2: was cut off while it was written (6 bytes are left); ended and noted" in shown
    )
    assert [e["kind"] for e in read_ledger(ledger)] == ["record", "mended", "record"]


def test_two_batches_at_once_lose_no_record(project: Path, tmp_path: Path) -> None:
    import threading

    from roi.ledger import read_ledger

    threads = [
        threading.Thread(target=run, args=(project, tmp_path / "reports", *names))
        for names in (("one", "two"), ("three", "four"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted(e["pilot"] for e in read_ledger(tmp_path / "reports" / "ledger.jsonl"))
    assert found == [f"params/{name}.yaml" for name in ("four", "one", "three", "two")]


def test_a_signed_report_is_drawn_again_and_stays_signed_when_it_is_run_again(
    project: Path, tmp_path: Path
) -> None:
    from roi.batch.signed import sign_record
    from roi.signing import Signature

    out = tmp_path / "reports"

    def again() -> None:
        console = Console(file=io.StringIO())
        by_name = lambda path: Found(path.stem, path.stem, path.parent.parent)  # noqa: E731
        run_batch([project / "params" / "good.yaml"], out, check=by_name, console=console)

    again()
    report = out / "good" / "report.html"
    assert "DRAFT: nobody has signed this." in report.read_text(encoding="utf-8")
    assert ">DRAFT<" in (out / "index.html").read_text(encoding="utf-8")
    (out / "good" / INPUTS).write_text(note_of({}, out / "good"))
    sign_record(out / "good", Signature(name="B. Owner", role="Head", decision="accept"))
    assert why_again(out / "good", {}, read_ledger(out / "ledger.jsonl")) == ""  # drawn again, and whole
    for _ in range(2):
        text = report.read_text(encoding="utf-8")
        assert "Signed by B. Owner (Head) on" in text
        assert "DRAFT" not in text
        assert ">accepted<" in (out / "index.html").read_text(encoding="utf-8")
        again()
    assert not (out / "good" / "archive").exists()


def test_what_a_newer_version_wrote_is_neither_run_nor_overwritten(project: Path, tmp_path: Path) -> None:
    run(project, tmp_path, "good", "new")
    file = tmp_path / "new/decision.json"
    newer = json.loads(file.read_text(encoding="utf-8")) | {"schema": 2}
    newer["provenance"] = newer["provenance"] | {"roi": "9.0"}
    file.write_text(json.dumps(newer), encoding="utf-8")
    payload = {"kind": "record", "pilot": "late", "record": "x", "data": "y", "schema": 2, "roi": "9.0"}
    append(tmp_path / "ledger.jsonl", lambda _: [payload])
    kept = ("new/decision.json", "new/report.html", "ledger.jsonl")
    before = {name: (tmp_path / name).read_bytes() for name in kept}
    result, shown = run(project, tmp_path, "good", "new", "late")
    assert [outcome.state for outcome in result.outcomes] == ["done", "inputs", "inputs"]
    assert result.exit_code == 2
    assert shown.count("written by roi 9.0") == 2
    assert {name: (tmp_path / name).read_bytes() for name in kept} == before
    assert not (tmp_path / "late").exists()
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "a record of form 2" in index
    assert run(project, tmp_path, "new")[0].exit_code == 2


def hang(out: str, name: str) -> None:
    with staging(Path(out), name) as folder:
        (folder / "half.txt").write_text("x")
        time.sleep(60)


def test_what_a_kill_leaves_goes_with_the_next_run_and_what_is_at_work_stays(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    jobs = [context.Process(target=hang, args=(str(tmp_path), f"p{i}")) for i in range(3)]
    for job in jobs:
        job.start()
    while len(list(tmp_path.glob(".*.new-*/half.txt"))) < 3:
        time.sleep(0.02)
    recover(tmp_path)
    assert len(list(tmp_path.glob(".*.new-*/half.txt"))) == 3
    for job in jobs[:2]:
        job.kill()
        job.join()
    recover(tmp_path)
    assert [p.parent.name[:3] for p in tmp_path.glob(".*.new-*/half.txt")] == [".p2"]
    jobs[2].kill()
    jobs[2].join()
    recover(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_staging_folder_of_a_version_without_locks_goes_after_a_day(tmp_path: Path) -> None:
    (tmp_path / ".p.new-abc").mkdir()
    recover(tmp_path)
    assert (tmp_path / ".p.new-abc").is_dir()
    os.utime(tmp_path / ".p.new-abc", (0, 0))
    recover(tmp_path)
    assert list(tmp_path.iterdir()) == []
