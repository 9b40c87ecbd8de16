"""Large samples that stay in their database: all that a decision takes of cases and actions, there and read from there.

Cases and actions are generated as for `large.py` and put into a DuckDB file, a PostgreSQL server of this program's own
(Debian's package, on loopback) and, with `--spark`, Parquet files for Spark in local mode. Of each it prints what it
takes where they lie (`run.engine: source`) and when their rows are read from the same database, in a process of its
own; what PostgreSQL and Spark themselves take is in the time by the clock and not in the memory. Exits with 1 where a
number differs from that of the rows read from the DuckDB file by more than 1e-9.

    uv run python benchmarks/places.py 1e5
    uv run --extra spark python benchmarks/places.py 1e4 --spark
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]
NUMBERS = ("moments", "arms", "integration", "oversight", "approval_kinds", "controls")
LEAST = 1e-9
PLACES = {
    "duckdb": ("data/samples.duckdb", "{}"),
    "postgres": ("${SAMPLES_DB}", "{}"),
    "spark": ("spark://local", "data/{}.parquet"),
}


def write(folder: Path, where: str, engine: str | None) -> Path:
    """The parameter file of a pilot whose samples lie there."""
    from large import PARAMETERS

    connect, table = PLACES[where]
    text = PARAMETERS.format(kind="x")
    for name in ("cases", "actions"):
        source = json.dumps({"connect": connect, "table": table.format(name), "timeout": 3600})
        text = text.replace(f"source: data/{name}.x", f"source: {source}")
        text = text.replace(f"{name}: data/{name}.x", f"{name}: {{source: {source}}}")
    text += f"run: {{engine: {engine}}}\n" if engine else ""
    file = folder / f"{where}_{engine or 'read'}" / "large.yaml"  # pseudonyms depend on the name of the pilot
    file.parent.mkdir()
    file.write_text(text)
    return file


def fill(folder: Path, address: str | None) -> None:
    """Put the samples of the Parquet files into a DuckDB file and a PostgreSQL server."""
    import duckdb

    con = duckdb.connect(str(folder / "data" / "samples.duckdb"))
    con.execute("set TimeZone = 'UTC'")
    for name in ("cases", "actions"):
        con.execute(f"create table {name} as from read_parquet('{folder}/data/{name}.parquet')")
        if address is None:
            continue
        import psycopg

        kinds = {"DOUBLE": "double precision", "VARCHAR": "text"}
        columns = con.execute(f"describe {name}").fetchall()
        listed = ", ".join(f'"{column}" {kinds.get(kind, kind)}' for column, kind, *_ in columns)
        path = folder / f"{name}.csv"
        con.execute(f"copy {name} to '{path}' (format csv, header false)")
        with psycopg.connect(address, autocommit=True) as there:
            there.execute(f"create table {name} ({listed})".encode())
            with (
                there.cursor().copy(f"copy {name} from stdin (format csv)".encode()) as copy,
                path.open("rb") as file,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
            there.execute(f"analyze {name}".encode())
        path.unlink()
    con.close()


def only(file: Path, out: Path) -> None:
    """Take the sample, and say what that took."""
    from roi.parameters import load_parameters
    from roi.samples import open_samples
    from roi.taken import take

    began, cpu = time.perf_counter(), time.process_time()
    loaded = load_parameters(file)
    samples = open_samples(loaded)
    taken = take(loaded, samples)
    took = time.perf_counter() - began, time.process_time() - cpu
    samples.con.close()
    out.write_bytes(pickle.dumps([list(numbers_of(getattr(taken, name))) for name in NUMBERS]))
    print(json.dumps([*took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def numbers_of(value: Any) -> Iterator[float]:
    """Every number that something taken of samples holds, in one order; the numbers of rows are left out."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in ("first", "every"):
                yield from numbers_of(getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        yield from map(float, value.ravel()) if value.dtype.kind in "biuf" else ()
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from numbers_of(value[key])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from numbers_of(part)
    elif isinstance(value, int | float):
        yield float(value)


def apart(one: list[list[float]], other: list[list[float]]) -> float:
    """The largest deviation of any number, relative to it above 1; infinite where there are others."""
    if list(map(len, one)) != list(map(len, other)):
        return float("inf")
    both = [np.array(part) for part in zip(*[np.concatenate(x) for x in (one, other)], strict=True)]
    a, b = np.array(both).T
    fine = (a == b) | (np.isnan(a) & np.isnan(b))
    return float(np.max(np.where(fine, 0, np.abs(a - b) / np.maximum(1, np.abs(a)))))


def measured(file: Path, env: dict[str, str]) -> tuple[list[float], list[list[float]]]:
    out = file.with_suffix(".pickle")
    done = subprocess.run(
        [sys.executable, __file__, "--only", str(file), str(out)],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1]), pickle.loads(out.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sizes", nargs="*", default=["1e5"])
    parser.add_argument("--spark", action="store_true", help="Spark as well")
    parser.add_argument("--only", nargs=2, type=Path)
    given = parser.parse_args()
    if given.only:
        only(*given.only)
        return
    from large import make
    from machine import machine
    from postgres_server import serving

    print(machine())
    worst = 0.0
    for n in (int(float(size)) for size in given.sizes):
        with tempfile.TemporaryDirectory(prefix="roi-places-") as place, serving() as server:
            folder = Path(place)
            make(folder, n, "parquet")
            fill(folder, server.address)
            env = os.environ | {"SAMPLES_DB": server.address}
            print(f"{n:,} cases and {n:,} actions")
            base: list[list[float]] | None = None
            for where in ("duckdb", "postgres", *(["spark"] if given.spark else [])):
                for engine in (None, "source"):
                    (clock, cpu, peak), found = measured(write(folder, where, engine), env)
                    base = base or found
                    far = apart(base, found)
                    worst = max(worst, far)
                    how = "where it lies" if engine else "rows read"
                    print(
                        f"  {where:8} {how:13} {clock:7.1f} s on the clock, {cpu:7.1f} s of this processor's, "
                        f"peak {peak:5,.0f} MB, {sum(map(len, found)):,} numbers, at most {far:.1e} apart",
                        flush=True,
                    )
    sys.exit(int(worst > LEAST))


if __name__ == "__main__":
    main()
