"""How long a batch of notebooks takes, beside what people do every month, in one run.

    uv run python benchmarks/batch.py                       # 8 pilots, once: some minutes
    uv run python benchmarks/batch.py --pilots 40 --times 3 # what the bars are about: some 10 minutes
    uv run python benchmarks/batch.py --resume 100          # the check of 99 finished pilots beside one that has changed

A realistic business-case notebook of 20 code cells and 6 charts for each pilot, rendered as HTML as well:

- `papermill` in a shell loop, then `nbconvert` of all of them at once;
- two such loops side by side;
- `roi batch`, whose notebooks are forked from a server that has the libraries;
- the floor: the same computation in one warm process, without notebooks.

Prints seconds, seconds of processor and ratios of throughput: seconds a notebook. The loops are slow and the same for each
notebook, so that they are timed on fewer pilots (`--peers`). Every method has been run once on one pilot before, and finds
what Python has compiled, as on a machine that is used. The ratios of seconds need a machine with nothing else to do;
those of processor time bear others better. Exits with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "business"
# One thread for what calculates, as a batch has it: more only get into each other's way.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
BARS = {"loop": 6.0, "two loops": 3.0, "floor": 2.5}
CHART = (
    "shown(alt.Chart({data}).mark_{mark}().encode(alt.X({x!r}), alt.Y({y!r})).properties(title={title!r}))"
)
# One cell each: what the notebook of a business case does, on 400 cases and 10,000 draws.
CELLS = (
    "import altair as alt, duckdb, numpy as np, pandas as pd, scipy.stats\nfrom IPython.display import HTML\n"
    "from roi.report.painting import svg  # which draws here, or in a batch by whoever has started what draws\n"
    "shown = lambda chart: HTML(svg(chart, 'chart'))",
    "rng = np.random.default_rng(sum(map(ord, pilot)))\nn = 400\n"
    "cases = pd.DataFrame({'arm': np.repeat(['baseline', 'pilot'], n // 2), 'worker': rng.integers(0, 12, n),"
    " 'segment': rng.choice(['email', 'portal', 'post'], n), 'minutes': rng.lognormal(2.6, 0.5, n)})\n"
    "cases.loc[cases.arm == 'pilot', 'minutes'] *= 0.7\ncases.head()",
    "con = duckdb.connect(config={'threads': 1}); con.register('cases', cases)\n"
    "con.sql('select arm, segment, count(*) n, avg(minutes) m from cases group by all order by all').df()",
    "cases.groupby('arm').minutes.describe()",
    CHART.format(data="cases", mark="boxplot", x="arm:N", y="minutes:Q", title="Minutes"),
    "means = cases.groupby(['worker', 'arm']).minutes.mean().unstack()\nmeans.round(1)",
    "saved = (means.baseline - means.pilot).dropna()\nscipy.stats.t.interval(0.9, len(saved) - 1, saved.mean(), scipy.stats.sem(saved))",
    CHART.format(data="saved.rename('saved').reset_index()", mark="bar", x="worker:O", y="saved:Q", title="Saved"),
    "draws = saved.mean() + scipy.stats.sem(saved) * rng.standard_t(len(saved) - 1, 10_000)\n"
    "demand, wage = rng.lognormal(8.3, 0.1, 10_000), rng.lognormal(3.7, 0.06, 10_000)",
    "realised, adopted = rng.beta(4, 6, 10_000), rng.beta(8, 3, 10_000)\ncost = rng.lognormal(10.5, 0.2, 10_000)",
    "month = np.arange(1, 37)[:, None]\nramp = np.minimum((month - 0.5) / 6, 1)\nfactor = 1.08 ** (-month / 12)",
    "gain = draws * demand * adopted / 60 * wage\nnpv = (gain * np.where(gain > 0, realised, 1) * ramp * factor).sum(axis=0) - cost",
    "pd.Series(npv).quantile([0.05, 0.25, 0.5, 0.75, 0.95]).to_frame('worth').round(-3)",
    "share, edges = np.histogram(npv, 40)\nbins = pd.DataFrame({'worth': edges[:-1], 'draws': share})\n"
    + CHART.format(data="bins", mark="bar", x="worth:Q", y="draws:Q", title="Worth"),
    "inputs = {'saved': draws, 'demand': demand, 'wage': wage, 'realised': realised, 'adopted': adopted, 'cost': cost}\n"
    "ranks = {name: scipy.stats.spearmanr(values, npv)[0] for name, values in inputs.items()}\npd.Series(ranks).round(2)",
    CHART.format(data="pd.DataFrame({'input': ranks.keys(), 'rank': ranks.values()})", mark="bar", x="rank:Q", y="input:N", title="Drivers"),
    "curve = np.quantile((gain * realised * ramp * factor).cumsum(axis=0) - cost, [0.1, 0.5, 0.9], axis=1).T\n"
    "money = pd.DataFrame(curve, columns=['low', 'mid', 'high']).assign(month=np.arange(1, 37))\n"
    + CHART.format(data="money", mark="line", x="month:Q", y="mid:Q", title="Money over time"),
    "by = cases.groupby(['segment', 'arm']).minutes.agg(['mean', 'sem', 'count']).reset_index()\nby.round(2)",
    CHART.format(data="by", mark="point", x="mean:Q", y="segment:N", title="Segments"),
    "chance = float((npv > 0).mean())\nHTML(f'<h2>{pilot}: pays in {chance:.0%} of draws</h2>')",
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """Seconds, and seconds of processor of whatever was started."""

    wall: float
    processor: float


def measure(action: Callable[[], object]) -> Taken:
    def used() -> float:
        all_ = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(each.ru_utime + each.ru_stime for each in all_)

    began, before = time.perf_counter(), used()
    action()
    return Taken(time.perf_counter() - began, used() - before)


def make_project(folder: Path, n: int) -> list[str]:
    """A project with the notebook and parameter files; the names of its pilots."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    (folder / "notebooks").mkdir()
    (folder / "params").mkdir()
    cells = [
        new_markdown_cell("# Business case"),
        new_code_cell('pilot = "a"', metadata={"tags": ["parameters"]}),
    ]
    for source in CELLS:
        cells += [new_code_cell(source), new_markdown_cell("What was seen, in a sentence or two.")]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / f"notebooks/{NAME}.ipynb")
    names = [f"pilot_{k:03d}" for k in range(n)]
    for name in names:
        (folder / f"params/{name}.yaml").write_text(f"pilot: {name}\n")
    return names


def script(names: list[str], out: str) -> str:
    """What people do: a loop over pilots, then all of them to HTML."""
    python = f'"{sys.executable}" -m'
    return (
        f"mkdir -p {out}; for p in {' '.join(names)}; do {python} papermill --no-progress-bar --log-level ERROR "
        f"notebooks/{NAME}.ipynb {out}/$p.ipynb -p pilot $p; done; "
        f"{python} nbconvert --log-level ERROR --to html {out}/*.ipynb"
    )


def shell(project: Path, *scripts: str) -> None:
    env = {**os.environ, **ONE_THREAD}
    running = [
        subprocess.Popen(["sh", "-ec", text], cwd=project, env=env, stderr=subprocess.DEVNULL)
        for text in scripts
    ]
    if max(process.wait() for process in running):
        raise SystemExit("a loop of papermill failed")


def ours(project: Path, out: Path, only: int = 0) -> None:
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, __file__, "--ours", str(project), str(out), "--pilots", str(only)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def run_ours(project: Path, out: Path, only: int) -> int:
    from roi.batch.runner import _Checked, run_batch

    def check(path: Path) -> _Checked:
        return _Checked(path.stem, path.stem, project)

    files = sorted((project / "params").glob("*.yaml"))[: only or None]
    return run_batch(files, out, notebooks=[NAME], check=check).exit_code


def run_floor(names: list[str]) -> None:
    """The same computation in this process, libraries imported: what each cell shows is made as well."""
    import ast

    spaces = [{"pilot": name} for name in [names[0], *names]]
    for k, space in enumerate(spaces):
        for source in CELLS:
            body = ast.parse(source).body
            shown = isinstance(body[-1], ast.Expr)
            exec(compile(ast.Module(body[:-1] if shown else body, []), NAME, "exec"), space)
            if shown:
                value = eval(compile(ast.Expression(body[-1].value), NAME, "eval"), space)
                made = getattr(value, "_repr_html_", None)
                _ = made() if made else repr(value)
        if k == 0:  # which has imported and warmed up
            began, used = time.perf_counter(), time.process_time()
    print(time.perf_counter() - began, time.process_time() - used)


def floor(names: list[str]) -> Taken:
    command = [sys.executable, __file__, "--floor", *names]
    env = {**os.environ, **ONE_THREAD}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout.split()
    return Taken(float(found[0]), float(found[1]))


def batches(n: int, peers: int, times: int, folder: Path) -> bool:
    names = make_project(folder, n)
    some, half = names[:peers], peers // 2
    # What is compiled is kept here, whatever is usual on this machine.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    out = folder / "reports"
    methods: dict[str, tuple[int, Callable[[], Taken]]] = {
        "roi batch": (n, lambda: measure(lambda: ours(folder, out))),
        "loop": (peers, lambda: measure(lambda: shell(folder, script(some, "one")))),
        "two loops": (
            peers,
            lambda: measure(lambda: shell(folder, script(some[:half], "left"), script(some[half:], "right"))),
        ),
        "floor": (n, lambda: floor(names)),
    }
    shell(folder, script(names[:1], "before"))
    measure(lambda: ours(folder, out, only=1))
    taken = {name: [method() for _ in range(times)] for name, (_, method) in methods.items()}
    wall, used = (
        {
            name: statistics.median(getattr(t, what) for t in all_) / methods[name][0]
            for name, all_ in taken.items()
        }
        for what in ("wall", "processor")
    )
    print(f"{n} pilots (loops: {peers}), {len(CELLS)} code cells and 6 charts each, with HTML; medians of {times}; "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    for name in methods:
        print(f"  {name:10} {wall[name]:6.2f} s a notebook, {used[name]:6.2f} s of processor")
    fine = True
    for name, bar in BARS.items():
        ratio, processor = wall[name] / wall["roi batch"], used[name] / used["roi batch"]
        if name == "floor":
            ratio, processor = 1 / ratio, 1 / processor
        met = ratio <= bar if name == "floor" else ratio >= bar
        fine &= met
        what = "times the floor" if name == "floor" else f"times as fast as {name}"
        print(f"  {'PASS' if met else 'FAIL'} {ratio:.2f} {what} (bar {bar}); of processor {processor:.2f}")
    made = len(list(out.glob(f"*/{NAME}.html")))
    return fine and made == n


def resume(n: int, folder: Path) -> bool:
    """Seconds that the check of n − 1 finished pilots takes, one more having changed: copies of the examples."""
    import json

    from rich.console import Console

    from roi.archive import MOMENTS, archive_text
    from roi.batch.resume import INPUTS, inputs_of, note_of
    from roi.batch.runner import NOTEBOOKS, _find_notebook, run_batch
    from roi.ledger import LEDGER, issue, read_ledger
    from roi.parameters import load_parameters

    (folder / "params").mkdir()
    shutil.copytree(ROOT / "data", folder / "data")
    shutil.copy(ROOT / "params/_policy.yaml", folder / "params")
    examples = sorted((ROOT / "params").glob("[!_]*.yaml"))
    out = folder / "reports"
    from roi.analysis import analyse
    from roi.record import build_record
    from roi.samples import open_samples

    records = {}
    for k in range(n):
        source = examples[k % len(examples)]
        name = f"{source.stem}_{k:03d}"
        file = folder / f"params/{name}.yaml"
        file.write_text(source.read_text("utf-8").replace(f"pilot: {source.stem}", f"pilot: {name}"), "utf-8")
        if source.stem not in records:
            loaded = load_parameters(source)
            analysis = analyse(loaded, open_samples(loaded))
            records[source.stem] = analysis, build_record(analysis)
        analysis, of_example = records[source.stem]
        record = json.loads(json.dumps(of_example | {"pilot": name}))
        (out / name).mkdir(parents=True)
        (out / name / "decision.json").write_text(json.dumps(record))
        (out / name / MOMENTS).write_text(archive_text(analysis, record), "utf-8")
        (out / name / "report.html").write_text("<h1>")
        issue(out / LEDGER, record)
    entries = read_ledger(out / LEDGER)
    for file in sorted((folder / "params").glob("[!_]*.yaml")):
        loaded = load_parameters(file)
        notebooks = tuple(_find_notebook(name, loaded.project) for name in NOTEBOOKS)
        inputs = inputs_of(file, loaded.project, notebooks, {"pilot": loaded.name}, entries)
        (out / file.stem / INPUTS).write_text(note_of(inputs or {}, out / file.stem))
    files = sorted((folder / "params").glob("[!_]*.yaml"))
    with files[n // 2].open("a", encoding="utf-8") as changed:
        changed.write("# a remark\n")
    said = Timed()
    began = time.perf_counter()
    result = run_batch(files, out, console=Console(file=said, width=100))
    taken = max(at for at, text in said.lines if "nothing that it is made from has changed" in text) - began
    states = Counter(outcome.state for outcome in result.outcomes)
    print(
        f"{states['kept']} of {n - 1} finished pilots checked in {taken:.1f} s (bar 10); the changed one: "
        f"{states['done']} run again, {time.perf_counter() - began:.1f} s in all"
    )
    return states == {"kept": n - 1, "done": 1} and taken < 10


class Timed(io.StringIO):
    """Remembers when each text was written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[float, str]] = []

    def write(self, text: str) -> int:
        self.lines.append((time.perf_counter(), text))
        return super().write(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pilots", type=int, default=8)
    parser.add_argument(
        "--peers",
        type=int,
        default=20,
        help="pilots on which the loops are timed, at most as many as there are",
    )
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument(
        "--resume",
        type=int,
        metavar="PILOTS",
        help="only the check of so many finished pilots, one of which has changed",
    )
    parser.add_argument("--ours", nargs=2, metavar=("PROJECT", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--floor", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ours:
        return run_ours(*map(Path, given.ours), given.pilots)
    if given.floor:
        run_floor(given.floor)
        return 0
    from machine import machine

    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="roi-benchmark-") as folder:
        fine = (
            resume(given.resume, Path(folder))
            if given.resume
            else batches(given.pilots, max(2, min(given.peers, given.pilots)), given.times, Path(folder))
        )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
