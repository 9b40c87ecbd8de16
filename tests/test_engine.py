"""The engine `roi`: Papermill's own outputs cell for cell, each notebook in a process that knows nothing of another."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from engine_notebooks import CELLS, compared, write
from papermill.exceptions import PapermillExecutionError

from roi.batch import warm
from roi.batch.engine import NotebookError, execute
from roi.batch.warm import CannotForkError, Forked, Server, Task, warm_server

pytestmark = [
    pytest.mark.slow,  # libraries are imported anew
    pytest.mark.skipif(bool(warm.cannot_fork()), reason="this system has no server to fork from"),
]
HERE = Path(__file__).parent
HOME = HERE.parent
SELDOM = re.compile(r"0x[0-9a-f]{6,}|ipykernel_\d+[/\d]*|\b[0-9a-f]{32}\b|/tmp/[\w/]+")


def same(text: Any) -> Any:
    """What is of one process only (addresses, its number, random names) as marks, numbered as they come."""
    seen: dict[str, str] = {}
    return json.loads(
        SELDOM.sub(lambda m: seen.setdefault(m[0], f"<{len(seen)}>"), json.dumps(text, sort_keys=True))
    )


def both(notebook: Path, folder: Path, **parameters: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    runs = []
    for engine in (None, "roi"):
        target = folder / f"{notebook.stem}-{engine}.ipynb"
        with suppress(PapermillExecutionError):  # said at the end of what is tagged to raise
            papermill.execute_notebook(
                notebook,
                target,
                parameters,
                engine_name=engine,
                progress_bar=False,
                cwd=HOME,
                kernel_name="python3",
            )
        runs.append(same(compared(nbformat.read(target, 4))))
    return runs[0], runs[1]


def equal(own: dict[str, Any], ours: dict[str, Any]) -> None:
    for one, other in zip(own["cells"], ours["cells"], strict=True):
        assert one == other
    assert own["metadata"] == ours["metadata"]


def test_all_that_a_cell_can_put_out_is_put_out_alike(tmp_path: Path) -> None:
    own, ours = both(write(tmp_path / "n.ipynb", CELLS, tagged=True), tmp_path, pilot="b")
    equal(own, ours)
    assert len(own["cells"]) == len(CELLS) + 5  # and three that Papermill puts in


@pytest.mark.parametrize("name", ["1_audit", "2_decide", "3_fix", "4_controls", "5_prove_roi", "6_operate"])
def test_our_notebooks_are_the_same_cell_for_cell(name: str, tmp_path: Path) -> None:
    equal(*both(HOME / "notebooks" / f"{name}.ipynb", tmp_path, pilot="contract_summaries"))


def test_the_portfolio_is_the_same_cell_for_cell(tmp_path: Path) -> None:
    for name in ("contract_summaries", "permit_intake"):
        text = (HOME / f"params/{name}.yaml").read_text(encoding="utf-8")
        folder = tmp_path / "params"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text.replace("data/", f"{HOME}/data/"), encoding="utf-8")
    equal(*both(HOME / "notebooks/portfolio.ipynb", tmp_path, reports=str(tmp_path / "params")))


SET = """
import builtins, os, random, sys, warnings
import numpy as np, pandas as pd, altair as alt, duckdb
import roi.report.sections as sections
left = 1
builtins.left = 2
sections.left = 3
os.environ["ROI_LEFT"] = "4"
os.chdir("/")
random.seed(5); np.random.seed(5)
warnings.simplefilter("error")
pd.set_option("display.max_columns", 6)
alt.theme.enable("dark")
duckdb.sql("create table left_over as select 7 as a")
sys.path.insert(0, "/left"); sys.modules["left"] = sys
sys.setrecursionlimit(1234)
os.umask(0o077)
import locale, signal, threading, decimal
decimal.getcontext().prec = 5
signal.signal(signal.SIGUSR1, lambda *_: None)
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
LOOK = """
import builtins, os, random, sys, warnings, decimal, signal
import numpy as np, pandas as pd, altair as alt, duckdb
import roi.report.sections as sections
um = os.umask(0o022); os.umask(um)
found = {
    "global": "left" in globals(), "builtins": hasattr(builtins, "left"), "attribute": hasattr(sections, "left"),
    "environ": os.environ.get("ROI_LEFT"), "cwd": os.getcwd(),
    "filters": any(f[0] == "error" and f[2] is Warning for f in warnings.filters),
    "option": pd.get_option("display.max_columns"), "theme": alt.theme.active,
    "tables": duckdb.sql("select count(*) from information_schema.tables").fetchone()[0],
    "path": "/left" in sys.path, "modules": "left" in sys.modules, "limit": sys.getrecursionlimit(),
    "umask": um, "decimal": decimal.getcontext().prec, "signal": str(signal.getsignal(signal.SIGUSR1)),
}
import json
print(json.dumps(found)); print(json.dumps([random.random(), float(np.random.random())]))
"""


def said(notebook: Any) -> list[str]:
    texts = [o.text for cell in notebook.cells for o in cell.get("outputs", []) if o.get("name") == "stdout"]
    return "".join(texts).splitlines()


def test_nothing_passes_from_one_notebook_to_the_next(tmp_path: Path) -> None:
    def run(name: str, source: str, engine: str | None = "roi") -> list[str]:
        file = write(tmp_path / f"{name}.ipynb", [source])
        done = papermill.execute_notebook(file, None, engine_name=engine, progress_bar=False, cwd=HOME)
        return said(done)

    before, chance = run("own", LOOK, None)
    first, one = run("first", LOOK)
    run("sets", SET + LOOK)
    second, other = run("second", LOOK)
    assert json.loads(first) == json.loads(before) == json.loads(second)
    numbers = [*json.loads(chance), *json.loads(one), *json.loads(other)]
    assert len(set(numbers)) == 6  # what is random starts anew in each


@pytest.mark.skipif(bool(warm.cannot_fork()), reason="this system has no server to fork from")
def test_the_hour_and_the_language_are_those_of_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are read as a process starts, so that who changed them meanwhile is forked from another server."""
    file = write(tmp_path / "n.ipynb", ["import locale, time; print(time.tzname[0], locale.getlocale()[1])"])

    def look(engine: str | None) -> list[str]:
        return said(papermill.execute_notebook(file, None, engine_name=engine, progress_bar=False))

    look("roi")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "C")
    assert look("roi") == look(None)


LOOK_AT = """
import json, os
from pathlib import Path
def of_a_network(pid):
    links = [os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink()]
    tables = [Path(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")]
    lines = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    return [line[1] for line in lines if f"socket:[{line[9]}]" in links]
server, asked = os.getppid(), int(os.environ["JPY_PARENT_PID"])
if os.fork() == 0:
    print("out of a fork"); sys.stdout.flush(); os._exit(0)
os.wait()
print(json.dumps([len(os.listdir(f"/proc/{server}/task")), [of_a_network(pid) for pid in (os.getpid(), server, asked)]]))
"""


def test_the_server_has_one_thread_and_nothing_listens_on_a_network_address(tmp_path: Path) -> None:
    """Of the kernel, the server and who asked, while a notebook runs: no socket of theirs is of a network."""
    file = write(tmp_path / "n.ipynb", ["import sys" + LOOK_AT])
    run = f"import papermill; papermill.execute_notebook({str(file)!r}, {str(tmp_path / 'o.ipynb')!r}, engine_name='roi')"
    subprocess.run([sys.executable, "-c", run], check=True, capture_output=True)
    lines = said(nbformat.read(tmp_path / "o.ipynb", 4))
    assert "out of a fork" in lines
    assert [1, [[], [], []]] in [json.loads(line) for line in lines if line.startswith("[")]


FAILURES = {
    "raises": ("x = 1\nraise ValueError('Ms Secret')", "ValueError"),
    "dies": ("import os\nos._exit(3)", "ended unexpectedly in code cell 3 of 3, with exit code 3."),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "3 of 3, by signal 9 (SIGKILL); it may have run out of memory."),
    "crashes": ("import ctypes\nctypes.string_at(0)", "ended unexpectedly in code cell 3 of 3, by signal 11 (SIGSEGV)."),
    "prints": ("while True: print('x' * 10_000)", "put out more than 64 MB in code cell 3 of 3, which no report"),
    "shows": ("while True: display({'text/plain': 'x' * 100_000}, raw=True)", "put out more than 64 MB in code cell 3 of 3"),
    "hangs": ("import time\ntime.sleep(60)", "longer than the time allowed: code cell 3 of 3"),
    "deaf": ("import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)", "longer than"),
    "interrupted": ("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)", "KeyboardInterrupt"),
    "greedy": ("x = bytearray(3 << 30)", "MemoryError in code cell 3 of 3"),
    "numpy": ("import numpy as np\nx = np.ones(1 << 29)", "in code cell 3 of 3"),
    "exits": ("import sys\nsys.exit(4)", "SystemExit"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_told_by_cell_and_costs_its_own_notebook(name: str, tmp_path: Path) -> None:
    source, expected = FAILURES[name]
    server = warm_server()
    bad = write(tmp_path / "bad.ipynb", [source])
    # Only what hangs is to meet its time-out: the others need time of a busy machine as well.
    allowed = 2 if name in ("hangs", "deaf") else 60
    began = time.monotonic()
    with pytest.raises(NotebookError) as failure:
        execute(bad, tmp_path / "o.ipynb", {"pilot": "b"}, project=HOME, timeout=allowed, memory=1 << 31)
    assert time.monotonic() - began < allowed + 50
    assert expected in failure.value.why
    assert "Secret" not in failure.value.why
    kept = nbformat.read(tmp_path / "o.ipynb", 4)
    assert kept.cells[-1].source.endswith(source)
    good = write(tmp_path / "good.ipynb", ["print('fine')"])
    assert said(execute(good, tmp_path / "g.ipynb", {"pilot": "b"}, project=HOME)) == ["fine"]
    assert warm_server() is server


def test_a_kernel_that_does_not_come_so_far_is_said_to_be_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of a sample is quoted before a cell has run, so that nothing is withheld."""
    from roi.batch import kernel

    async def answers_nobody(self: object, timeout: float | None = None) -> None:
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(kernel.ReadyClient, "wait_for_ready", answers_nobody)
    with pytest.raises(NotebookError) as failure:
        execute(write(tmp_path / "n.ipynb", ["1"]), tmp_path / "o.ipynb", {"pilot": "b"}, project=HOME)
    told = "No process could be started for the notebook: Kernel died before replying to kernel_info."
    assert failure.value.why == told


def test_papermill_takes_the_engine_on_its_command_line(tmp_path: Path) -> None:
    notebook = write(tmp_path / "n.ipynb", ["print(pilot)", "import sys; 'roi.pilot' in sys.modules"])
    run = subprocess.run(
        [sys.executable, "-m", "papermill", "--engine", "roi", "-p", "pilot", "c", str(notebook), str(tmp_path / "o.ipynb")],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    done = nbformat.read(tmp_path / "o.ipynb", 4)
    assert said(done) == ["c"]
    assert done.cells[-1].outputs[0].data["text/plain"] == "True"
    assert done.cells[-1].metadata.papermill.status == "completed"


def test_where_nothing_is_forked_the_standard_engine_runs_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROI_NO_FORK", "1")
    notebook = write(tmp_path / "n.ipynb", ["import sys; print('roi.pilot' in sys.modules, pilot)"])
    told: list[str] = []
    done = execute(notebook, tmp_path / "o.ipynb", {"pilot": "b"}, project=HOME, tell=told.append)
    assert said(done) == ["False b"]
    assert told == ["Papermill's own engine runs the notebook, without a forked kernel: ROI_NO_FORK is set."]
    monkeypatch.delenv("ROI_NO_FORK")
    monkeypatch.setattr(sys, "platform", "win32")
    assert "win32" in warm.cannot_fork()


def test_a_kernel_of_another_python_is_not_forked() -> None:
    from jupyter_client.kernelspec import KernelSpec

    from roi.batch.kernel import is_own_python

    tail = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
    assert is_own_python(KernelSpec(argv=["python", *tail]))
    assert is_own_python(KernelSpec(argv=[sys.executable, *tail]))
    assert not is_own_python(KernelSpec(argv=["/opt/other/bin/python", *tail]))
    assert not is_own_python(KernelSpec(argv=["python", *tail], env={"A": "b"}))
    assert not is_own_python(KernelSpec(argv=["R", "--slave", "-e", "IRkernel::main()"]))


def asleep(server: Server) -> Forked:
    return server.fork(Task(target="roi.batch.forking:idle", args=(60,), env=dict(os.environ), cwd="/"))


def test_what_is_forked_ends_with_whoever_asked_for_it() -> None:
    server = fresh_server()
    one = asleep(server)
    assert one.poll() is None
    one.kill()
    assert one.wait(5) == -9
    other = asleep(server)
    server.close()
    assert other.wait(5) == -9
    with pytest.raises(CannotForkError):
        asleep(server)


def test_who_is_lost_with_the_server_is_not_said_to_have_run_out_of_memory() -> None:
    from roi.batch.client import how_ended

    server = fresh_server()
    one, other = asleep(server), asleep(server)
    one.kill()
    one.wait(5)
    assert how_ended(one) == "by signal 9 (SIGKILL)"
    assert server._process is not None
    server._process.kill()
    server._process.wait()
    os.kill(other.pid, 9)  # as a kernel ends by itself that sees its server gone
    other.wait(5)
    assert how_ended(other) == warm.LOST


def fresh_server() -> Server:
    kept, warm._server = warm._server, None
    try:
        return warm_server()
    finally:
        warm._server = kept


ASKED = """
import inspect
asked, ismodule = [], inspect.ismodule
inspect.ismodule = lambda module: asked.append(module) or ismodule(module)
def f(n): return f(n + 1)
try:
    f(0)
except RecursionError as error:
    print(inspect.getmodule(error.__traceback__.tb_next.tb_frame), len(asked))
"""


def test_an_endless_recursion_is_not_looked_for_among_all_modules_frame_by_frame(tmp_path: Path) -> None:
    """A kernel has thousands at hand, and IPython asks four times for each of a thousand frames."""
    done = execute(write(tmp_path / "n.ipynb", [ASKED]), tmp_path / "o.ipynb", {"pilot": "b"}, project=HOME)
    module, looked_at = said(done)[0].split()
    assert module == "None"
    assert int(looked_at) < 10


LEAVES = """
import os, subprocess, sys, time
apart = subprocess.Popen(["sleep", "600"], start_new_session=True).pid
# As a daemon is started: whoever started it is gone, and it is in a session of its own.
twice = "import subprocess as s; print(s.Popen(['sleep', '600'], start_new_session=True, stdout=-3, stderr=-3).pid)"
daemon = subprocess.run([sys.executable, "-c", twice], capture_output=True, text=True).stdout.strip()
os.kill(int(daemon), 0)
from pathlib import Path
Path(pilot).with_suffix(".part").write_text(f"{apart} {daemon}")
Path(pilot).with_suffix(".part").rename(pilot)
"""


def runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(file: Path) -> bool:
    until = time.monotonic() + 5
    while (left := [pid for pid in file.read_text().split() if runs(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    for pid in left:
        os.kill(int(pid), 9)
    return not left


def test_what_a_notebook_starts_in_a_session_of_its_own_ends_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    execute(write(tmp_path / "n.ipynb", [LEAVES]), tmp_path / "o.ipynb", {"pilot": str(told)}, project=HOME)
    assert ended(told)


def test_what_a_notebook_starts_ends_with_a_batch_that_is_killed(tmp_path: Path) -> None:
    told, notebook = tmp_path / "pids", write(tmp_path / "n.ipynb", [LEAVES, "time.sleep(600)"])
    asked = (
        f"papermill.execute_notebook({str(notebook)!r}, None, {{'pilot': {str(told)!r}}}, engine_name='roi')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"import papermill; {asked}"], stderr=subprocess.DEVNULL
    ) as run:
        while not told.exists() and run.poll() is None:
            time.sleep(0.05)
        run.kill()
    assert ended(told)
