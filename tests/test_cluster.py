"""Pilots that run elsewhere: what goes out, what comes back, and that it is what would have been made here."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from made_batches import files, make_project, run, states

from roi.batch import remote
from roi.batch.collected import collected, is_address
from roi.batch.remote import carried, packed, work_there
from roi.batch.worker import Job, Report
from roi.problems import InputError


def job(project: Path, out: Path) -> Job:
    notebooks = tuple(project / "notebooks" / f"{name}.ipynb" for name in ("2_decide", "1_audit"))
    return Job(pilot="a", parameters={"pilot": "a"}, project=project, notebooks=notebooks, folder=out / ".new",
               before=out / "a", ledger=out / "ledger.jsonl")  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Job:
    project, out = make_project(tmp_path / "p", "a"), tmp_path / "reports"
    for name in (
        "a/decision.json",
        "a/archive/2026-01-01-x/decision.json",
        "b/moments.json",
        "a/report.html",
    ):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(name)
    (out / "ledger.jsonl").write_text("{}\n")
    (out / ".new").mkdir()
    os.utime(out / "a/archive/2026-01-01-x/decision.json", ns=(10**18, 10**18))
    return job(project, out)


def watched(given: Job, *_: Any) -> Report:
    """In the place of the process that runs a pilot: what it was given to look back at, and two files."""
    assert given.before is not None
    assert given.ledger is not None
    old = given.before / "archive/2026-01-01-x/decision.json"
    seen = [given.ledger.read_text(), old.read_text(), old.stat().st_mtime_ns, given.before.name]
    assert seen == ["{}\n", "a/archive/2026-01-01-x/decision.json", 10**18, "a"]
    assert not (given.before / "report.html").exists()  # of no use to anybody there
    (given.folder / "decision.json").write_text("made")
    (given.folder / "2_decide.ipynb").write_text("{}")
    return Report(ok=True, notes=("a note",))


def test_a_job_goes_out_with_what_it_looks_back_at_and_comes_back_as_files(
    made: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "run_watched", watched)
    told: list[tuple[str, str]] = []
    with ThreadPoolExecutor(1) as executor:
        report = carried(executor, made.folder.parent)(
            made, lambda *what: told.append(what), threading.Event()
        )
    assert report == Report(ok=True, notes=("a note",))
    assert sorted(p.name for p in made.folder.iterdir()) == ["2_decide.ipynb", "decision.json"]
    assert (made.folder / "decision.json").read_text() == "made"
    assert told == [("a", "starting")]


def test_a_worker_without_the_project_or_of_another_version_says_so(made: Job, tmp_path: Path) -> None:
    out = made.folder.parent
    parcel = packed(made, out)
    other = remote.replace(parcel, program={**parcel.program, "numpy": "1.0"})
    assert "another version of numpy than the batch" in work_there(other).report.why
    (made.project / "notebooks/1_audit.ipynb").unlink()
    assert "does not find the project" in work_there(parcel).report.why


class Lost(Executor):
    def submit(self, *_: Any, **__: Any) -> Future[Any]:  # type: ignore[override]
        asked: Future[Any] = Future()
        asked.set_exception(ConnectionError("the scheduler is gone"))
        return asked


class Never(Executor):
    def submit(self, *_: Any, **__: Any) -> Future[Any]:  # type: ignore[override]
        return Future()


def test_a_cluster_that_is_gone_fails_the_pilot_and_one_that_is_stopped_is_not_waited_for(made: Job) -> None:
    out, stopped = made.folder.parent, threading.Event()
    report = carried(Lost(), out)(made, lambda *_: None, stopped)
    assert not report.ok
    assert (
        report.why
        == "The cluster gave it up (ConnectionError); the same command goes on, once it is there again."
    )
    threading.Timer(0.1, stopped.set).start()
    assert carried(Never(), out)(made, lambda *_: None, stopped).stopped


def test_reports_are_collected_at_an_address() -> None:
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    address = f"memory://test-{os.getpid()}/reports"
    assert is_address(address)
    assert not is_address("reports/")
    with collected(address) as (folder, published):
        (folder / "a").mkdir()
        for name in ("a/report.html", "a/.inputs.json", "ledger.jsonl", ".lock"):
            (folder / name).write_text(name)
        published("a")
        assert store.exists(f"{address}/a/report.html")  # it need not wait for the others
        (folder / "index.html").write_text("all")
        assert not store.exists(f"{address}/index.html")
    with collected(address) as (folder, published):
        found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        assert found == ["a/.inputs.json", "a/report.html", "index.html", "ledger.jsonl"]
        (folder / "a/report.html").unlink()
        (folder / "a/report.html.new").write_text("new")
        published("a")
    assert sorted(store.ls(f"{address}/a", detail=False))[-1].endswith("report.html.new")
    with pytest.raises(InputError, match="--out"), collected("nothing-like-it://x/y"):
        pass


class ShutError(Exception):
    """An error as a store has them, whose words may hold a key."""


def test_an_address_where_nobody_may_write_is_told_before_anything_runs_or_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from roi import batch
    from roi.batch.outcome import BatchResult
    from roi.cli import main

    fsspec = pytest.importorskip("fsspec")
    file = tmp_path / "file"
    file.write_text("no folder")
    with (
        pytest.raises(InputError, match=r"--out: cannot be written \(Not a directory\)"),
        collected(f"file://{file}/x"),
    ):
        pytest.fail("it ran")

    def shut(*_: Any, **__: Any) -> None:
        raise ShutError("key=secret")

    def made(files: Any, folder: Path, **_: Any) -> BatchResult:
        (folder / "index.html").write_text("all")
        return BatchResult((), ())

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "pipe_file", shut)
    monkeypatch.setattr("roi.parameters.find_parameter_files", lambda params: [tmp_path / "a.yaml"])
    monkeypatch.setattr(batch, "run_batch", made, raising=False)
    done = CliRunner().invoke(main, ["batch", "a", "-o", f"memory://shut-{os.getpid()}"])
    assert done.exit_code == 1
    assert "Not all reports could be written to memory://" in done.output
    assert "(ShutError)" in done.output
    assert "secret" not in done.output


def test_an_address_of_no_known_kind_says_which_kind_it_is() -> None:
    pytest.importorskip("fsspec")
    with (
        pytest.raises(InputError, match=r"--out: is of a kind that fsspec does not know \(foo\); it knows"),
        collected("foo://somewhere/reports"),
    ):
        pytest.fail("it ran")


def test_an_address_without_a_port_is_no_scheduler() -> None:
    pytest.importorskip("distributed")
    began = time.monotonic()
    with (
        pytest.raises(InputError, match="no scheduler of Dask answers at nonsense"),
        remote.cluster("nonsense"),
    ):
        pass
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_makes_what_would_be_made_here(tmp_path: Path) -> None:
    """Two worker processes of a Dask cluster, one of which is killed while it runs a pilot."""
    distributed = pytest.importorskip("distributed")
    pilots = [f"slowly_{n}" for n in range(3)]
    project, out = make_project(tmp_path / "p", *pilots), tmp_path / "reports"
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as local,
        remote.cluster(local.scheduler_address) as (executor, many),
    ):
        assert many == 2
        pids: list[int] = []

        def kill() -> None:
            client = distributed.Client(local.scheduler_address, set_as_default=False)
            try:
                while not any(out.glob("slowly_*")):
                    time.sleep(0.1)
                found = client.run(os.getpid)
                pids.append(next(iter(found.values())))
                os.kill(pids[0], signal.SIGKILL)
            finally:
                client.close()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        result, shown = run(project, out, *pilots, executor=executor, jobs=many)
        killer.join(30)
        assert len(pids) == 1
        assert states(result) == "ddd", shown
        assert states(run(project, out, *pilots, executor=executor, jobs=many)[0]) == "kkk"
    run(project, tmp_path / "here", *pilots)
    assert files(out) == files(tmp_path / "here")


def work_as_a_daemon(project: Path, out: Path) -> None:
    """What a worker that `dask worker` has started does for a pilot: it is a daemon to `multiprocessing`."""
    assert multiprocessing.current_process().daemon
    out.mkdir()
    returned = work_there(packed(job(project, out), out))
    (out / "said").write_text(returned.report.why or "fine")


@pytest.mark.slow
def test_a_worker_that_is_a_daemon_starts_what_it_cannot_fork(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROI_NO_FORK", "1")
    project, out = make_project(tmp_path / "p", "a"), tmp_path / "reports"
    start = multiprocessing.get_context("spawn").Process
    process = start(target=work_as_a_daemon, args=(project, out), daemon=True)
    process.start()
    process.join(120)
    assert (out / "said").read_text() == "fine"


def test_the_recipes_are_python_and_shell_that_can_be_read() -> None:
    import ast
    import re

    text = (Path(__file__).parent.parent / "docs/schedulers.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) == 3
    for block in blocks:
        ast.parse(block)
