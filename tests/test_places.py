"""Cases that stay in their database give the same moments, verdict and record as cases that are read from it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import placed_cases
import pytest
import sqlglot
from placed_cases import TYPES
from postgres_server import Server, binary, serving

from roi.analysis import analyse
from roi.parameters import load_parameters
from roi.places.letters import LARGE, SMALL, SPACES, known_letters
from roi.places.tongues import translated
from roi.privacy import person
from roi.problems import SampleError
from roi.readers.base import literal
from roi.readers.database import There
from roi.record import build_record
from roi.samples import Samples, open_samples
from roi.taken import take

needs_postgres = pytest.mark.skipif(
    binary("postgres") is None or binary("initdb") is None,
    reason="PostgreSQL's server is not installed (Debian: postgresql)",
)
HERE = {"connect": "data/cases.duckdb", "table": "cases"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def in_duckdb(folder: Path, types: dict[str, str], rows: list[tuple[Any, ...]]) -> dict[str, str]:
    (folder / "data").mkdir(exist_ok=True)
    path = folder / "data" / "cases.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"create table cases ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
        con.executemany(f"insert into cases values ({', '.join('?' * len(types))})", rows)
    return HERE


def in_postgres(
    server: Server, types: dict[str, str], rows: list[tuple[Any, ...]], patch: pytest.MonkeyPatch
) -> dict[str, str]:
    patch.setenv("CLAIMS_DB", server.address)
    kinds = {name: "double precision" if kind == "double" else kind for name, kind in types.items()}
    server.fill("cases", kinds, rows)
    return {"connect": "${CLAIMS_DB}", "table": "cases"}


def opened(folder: Path, source: dict[str, Any], engine: str | None = "source", **given: Any) -> Samples:
    return open_samples(load_parameters(placed_cases.write(folder, source, engine=engine, **given)))


def same(one: Any, other: Any, at: str = "") -> None:
    """Hold that two results agree to 1e-9, wherever they hold numbers."""
    if dataclasses.is_dataclass(one):
        assert type(one) is type(other), at
        for field in dataclasses.fields(one):
            same(getattr(one, field.name), getattr(other, field.name), f"{at}.{field.name}")
    elif isinstance(one, np.ndarray):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9, err_msg=at)
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), at
        for key in one:
            same(one[key], other[key], f"{at}[{key}]")
    elif isinstance(one, tuple | list):
        assert len(one) == len(other), at
        for i, (x, y) in enumerate(zip(one, other, strict=True)):
            same(x, y, f"{at}[{i}]")
    elif isinstance(one, float) and isinstance(other, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9), at
    else:
        assert one == other, at


def judged(row: tuple[Any, ...], i: int) -> tuple[Any, ...]:
    """The case with a judge's word."""
    return (*row[:-2], "error" if i % 9 == 0 else "correct", "major" if i % 18 == 0 else None)


VARIANTS: dict[str, tuple[dict[str, Any], int]] = {
    "workers": ({}, 24),
    "bundled": ({}, 24),
    "few workers": ({}, 3),
    "cases": ({"worker": None}, 24),
    "pairs": ({"worker": None, "pair_id": ["channel", "input_defects"]}, 24),
    "judged": ({}, 24),
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("where", ["duckdb", pytest.param("postgres", marks=needs_postgres)])
def test_what_is_taken_where_the_cases_lie_is_what_is_taken_of_them_here(
    where: str, variant: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moments, sums by week, losses, judged and demo cases, months, checks: everything a decision asks of samples."""
    changed, workers = VARIANTS[variant]
    if variant == "bundled":
        monkeypatch.setattr("roi.reduce.MAX_UNITS", 10)
    rows = placed_cases.rows(400, workers=workers)
    if variant == "judged":
        rows = [judged(row, i) for i, row in enumerate(rows)]
    types = dict(TYPES)
    columns = {name: spec for name, spec in (placed_cases.COLUMNS | changed).items() if spec is not None}
    if where == "duckdb":
        source = in_duckdb(tmp_path, types, rows)
    else:
        source = in_postgres(request.getfixturevalue("server"), types, rows, monkeypatch)
    found = []
    for engine in (None, "source"):
        loaded = load_parameters(placed_cases.write(tmp_path, source, engine=engine, columns=columns))
        samples = open_samples(loaded)
        found.append(take(loaded, samples))
        samples.con.close()
    assert found[0].moments.n.sum() > 200
    same(*found)
