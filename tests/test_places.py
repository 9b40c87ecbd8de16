"""Cases that stay in their database give the same moments, verdict and record as cases that are read from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import placed_cases
import psycopg
import pytest
import sqlglot
from placed_cases import TYPES
from postgres_server import Server, needs_postgres, serving

from roi.parameters import load_parameters
from roi.places.letters import SPACES, known_letters, large_and_small
from roi.places.tongues import tongue_of
from roi.places.translating import translated
from roi.privacy import person
from roi.problems import SampleError
from roi.readers.base import literal
from roi.readers.database import There
from roi.samples import Samples, open_samples
from roi.taken import take

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


def told(folder: Path, source: dict[str, Any], engine: str | None) -> dict[str, Any]:
    """The record of a pilot, without what says where its rows came from and were reduced."""
    loaded = load_parameters(placed_cases.write(folder, source, engine=engine))
    samples = open_samples(loaded)
    record = placed_cases.record_of(loaded, samples)
    samples.con.close()
    return record


@needs_postgres
@pytest.mark.slow
def test_the_verdict_and_every_figure_of_the_record_are_the_same(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = placed_cases.rows(600, seed=3)
    here = told(tmp_path, in_duckdb(tmp_path, TYPES, rows), None)
    source = in_postgres(server, TYPES, rows, monkeypatch)
    away = told(tmp_path, source, "source")
    assert here["verdict"] == away["verdict"]
    assert here["estimates"]["minutes_saved_per_case"]["n"] > 4
    same(here, away)


def asked(samples_of: Any, patch: pytest.MonkeyPatch) -> tuple[list[str], list[Any]]:
    """The statements that a database is asked, and the cells of its answers."""
    statements: list[str] = []
    cells: list[Any] = []
    ask = There.ask

    def heard(self: There, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        names, rows = ask(self, statement)
        statements.append(statement)
        cells.extend(cell for row in rows for cell in row)
        return names, rows

    patch.setattr(There, "ask", heard)
    samples_of()
    return statements, cells


@pytest.mark.slow
def test_no_row_no_name_and_no_key_leaves_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times as many cases of as many kinds give no more to take home, and what is taken home are pseudonyms."""
    sizes = []
    few = {k: v for k, v in placed_cases.COLUMNS.items() if k != "rework_minutes"}
    sql = "select * exclude (used, cause, input_defects, severity, agent_cost, cost_currency) from cases"
    for n in (300, 3000):
        in_duckdb(tmp_path, TYPES, placed_cases.rows(n, workers=10))
        source = {"connect": HERE["connect"], "sql": sql}
        loaded = load_parameters(placed_cases.write(tmp_path, source, engine="source", columns=few))
        with monkeypatch.context() as patch:
            _, cells = asked(lambda loaded=loaded: take(loaded, open_samples(loaded)), patch)
        texts = {cell for cell in cells if isinstance(cell, str)}
        assert not texts & {*placed_cases.NAMES, "w0009", "T-1"}
        assert {text[:2] for text in texts if "-" in text} >= {"w-"}
        assert not any("T-" in text for text in texts)
        sizes.append(len(cells))
    assert sizes[1] < 2 * sizes[0], sizes


SMALL_TYPES = {"case_id": "varchar", "arm": "varchar", "handling_minutes": "varchar"}


def minutes(folder: Path, cells: list[Any], kind: str, engine: str | None, **spec: Any) -> list[Any]:
    """The minutes that cells of a type become, in the order of the cells."""
    rows = [(f"c{i:03d}", "pilot" if i % 2 else "baseline", cell) for i, cell in enumerate(cells)]
    source = in_duckdb(folder, {**SMALL_TYPES, "handling_minutes": kind}, rows)
    columns = {"handling_minutes": {"from": "handling_minutes", **spec}}
    samples = opened(folder, source, engine, columns=columns)
    query = "select handling_minutes, case_id from cases"
    found = {name: value for value, name in samples.con.execute(query).fetchall()}
    names = [name for (name,) in duckdb.sql(_pseudonyms(len(cells))).fetchall()]
    samples.con.close()
    return [found[name] for name in names]


def _pseudonyms(n: int) -> str:
    from roi.privacy import make_keys

    key = make_keys("placed", key_env=None).by_domain["case"]
    return f"select 'c-' || left(sha256('{key}' || printf('c%03d', i)), 12) from range({n}) r(i) order by i"


@pytest.mark.parametrize(
    ("kind", "unit", "cells", "expected"),
    [
        # 90 s are a minute and a half; 1 s is 0.016666… min, and 0.000033 s are 0.00000055 min
        ("bigint", "seconds", [90, 1, 0, None], ["1.500000", "0.016667", "0.000000", None]),
        # half of a millionth of a minute goes to the even neighbour: 0.00003 s → 0.0000005 min → 0
        ("decimal(18,6)", "seconds", ["0.00003", "0.00009"], ["0.000000", "0.000002"]),
        ("double", "minutes", [0.1, 2.5e-7, 5e-7], ["0.100000", "0.000000", "0.000001"]),
        ("varchar", "minutes", [" 3.25 ", "+4.", "", None], ["3.250000", "4.000000", None, None]),
        ("decimal(12,4)", "hours", ["1.5", "0.0001"], ["90.000000", "0.006000"]),
        ("integer", "milliseconds", [60000, 1], ["1.000000", "0.000017"]),
    ],
)  # fmt: skip
def test_a_cell_becomes_the_minutes_that_reading_makes_of_it(
    kind: str, unit: str, cells: list[Any], expected: list[str | None], tmp_path: Path
) -> None:
    wanted = [None if text is None else Decimal(text) for text in expected]
    for engine in (None, "source"):
        assert minutes(tmp_path, cells, kind, engine, unit=unit) == wanted


def refused(folder: Path, rows: list[tuple[Any, ...]], types: dict[str, str], **given: Any) -> str:
    source = given.pop("source", None) or in_duckdb(folder, types, rows)
    with pytest.raises(SampleError) as error:
        opened(folder, source, **given)
    return str(error.value)


ROWS = [("a", "baseline", "3"), ("b", "pilot", "2")]


@pytest.mark.parametrize(
    ("rows", "types", "columns", "said"),
    [
        ([("a", "baseline", "1,5"), *ROWS[1:]], {}, {}, "handling_minutes: 1 value is no plain value of this column"),
        ([("a", "baseline", "1e1"), *ROWS[1:]], {}, {}, "handling_minutes: 1 value is no plain value of this column"),
        (ROWS, {}, {"model": "arm", "input_tokens": "handling_minutes", "output_tokens": "handling_minutes"},
         "tokens are priced row by row, which is done here; give agent_cost"),
        ([("a", "before", "3"), *ROWS[1:]], {}, {}, "arm: 1 value is none of baseline, pilot; map them under"),
        ([*ROWS, ROWS[0]], {}, {}, "case_id: 1 row repeats the case of another row of their arm"),
        ([*ROWS, ("Grand Total", "pilot", "5")], {}, {}, "case_id: holds 1 row that sum up others"),
        ([*ROWS, (None, "pilot", "Summe:")], {}, {}, "case_id: holds 1 row that sum up others"),
        ([("a", "baseline", "-3"), *ROWS[1:]], {}, {}, "handling_minutes: 1 value below 0"),
        (ROWS, {}, {"handling_minutes": {"from": "handling_minutes", "unit": "duration"}}, "reads texts such as 1m31s"),
        (ROWS, {}, {"worker": "case_id", "started_at": "handling_minutes"}, "started_at: is a text there and no time"),
        ([("a", "baseline", "2026-03-01"), *ROWS[1:]][:1], {"handling_minutes": "timestamp"},
         {"handling_minutes": {"value": 3}, "started_at": "handling_minutes"}, "a time without an offset there and means Europe/Berlin"),
        ([("a", "baseline", [1])], {"handling_minutes": "integer[]"}, {}, "is of a type that is not reduced there"),
        (ROWS, {}, {"severity": {"value": "minor"}}, "severity: 2 values set where outcome is not 'error'"),
        ([("a", "baseline", "3"), ("b", "pilot", "İpek ʼ")], {}, {"handling_minutes": {"value": 1}, "worker": "handling_minutes"},
         "worker: 1 value of signs that databases do not fold alike"),
    ],
)  # fmt: skip
def test_what_would_not_come_out_the_same_is_refused(
    rows: list[tuple[Any, ...]], types: dict[str, str], columns: dict[str, Any], said: str, tmp_path: Path
) -> None:
    found = refused(tmp_path, rows, SMALL_TYPES | types, columns=columns)
    assert said in found
    assert "before" not in found.replace("before the", "")  # no cell is repeated


def test_what_is_done_here_alone_is_refused_all_at_once(tmp_path: Path) -> None:
    spec = {"format": "rows", "query": "select * from source", "source": HERE}
    path = placed_cases.write(tmp_path, HERE, engine="source", samples={"cases": spec})
    with pytest.raises(SampleError) as error:
        open_samples(load_parameters(path))
    assert "samples.cases.query: is run here; write it as the source's sql" in str(error.value)
    assert "samples.cases.format: reads an export" in str(error.value)
    path = placed_cases.write(tmp_path, {"file": "data/cases.csv"}, engine="source")
    with pytest.raises(
        SampleError, match=r"run\.engine: source is for cases in a database, and .* is a file"
    ):
        open_samples(load_parameters(path))


def test_a_database_that_is_only_read_says_so(tmp_path: Path) -> None:
    import sqlite3

    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "cases.sqlite") as con:
        con.execute("create table cases (case_id text, arm text)")
    found = refused(tmp_path, [], {}, source={"connect": "data/cases.sqlite", "table": "cases"}, columns={})
    assert "run.engine: data/cases.sqlite is of a kind whose rows can only be read" in found


def test_actions_beside_cases_elsewhere_are_read_and_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs both is left out with its reason; a question that names both has no place to be answered."""
    source = in_duckdb(tmp_path, SMALL_TYPES, ROWS)
    log = "action_id,case_id,tool,decision,status\n1,b,crm.write,approved,error\n"
    (tmp_path / "data" / "actions.csv").write_text(log, encoding="utf-8")
    samples = opened(tmp_path, source, columns={}, samples={"actions": "data/actions.csv"})
    assert [w for w in samples.warnings if "are not joined" in w or "not joined:" in w]
    assert samples.con.execute("select count(*) from actions").fetchall() == [(1,)]
    assert samples.con.execute("select count(*) from cases").fetchone() == (2,)
    # A column may be called as the table is (that of the actuals is).
    assert samples.con.execute("select count(cases) from (select 1 as cases from actions)").fetchone() == (1,)
    monkeypatch.setattr("roi.places.asked.MOST_SENT", 0)
    with pytest.raises(SampleError, match="needs rows that stay in their database"):
        samples.con.execute("select * from actions join cases using (case_id)")
    samples.con.close()


def test_rows_that_hold_no_case_are_no_cases(tmp_path: Path) -> None:
    for extra in ([], [(None,) * len(SMALL_TYPES)]):
        samples = opened(tmp_path, in_duckdb(tmp_path, SMALL_TYPES, [*ROWS, *extra]), columns={})
        found = samples.con.execute("select count(*), count(case_id) from cases").fetchall()
        samples.con.close()
        assert found == [(len(ROWS), len(ROWS))]


@pytest.mark.slow
def test_letters_are_folded_as_the_engine_folds_them() -> None:
    """Every sign that a name may hold becomes what reading makes of it, so that pseudonyms are the same."""
    signs = [sign for sign in known_letters() if sign not in SPACES]
    folded = [
        sign.translate(str.maketrans(*large_and_small())).replace("ß", "ss").replace("ς", "σ")
        for sign in signs
    ]
    con = duckdb.connect()
    listed = f"unnest([{', '.join(map(literal, signs))}])"
    found = [text for (text,) in con.execute(f"select {person('s')} from (select {listed} as s)").fetchall()]
    assert found == [text if text != " " else "" for text in folded]


NAMES = [
    "Ann Lee", "ANN  LEE", " ann lee", "ann lee ", "ann\tlee", "ann\nlee", "ann lee\n", "\x0bann\x0clee\r", "ann\x7flee", "",
    " ", "  ", "~!", "a", "Ä b", "ä  B", "Straße", "ΣΊΣΥΦΟΣ", "ann\u00a0lee", "ann\u2003\u2003lee", None,
]  # fmt: skip


@pytest.mark.parametrize("where", ["duckdb", pytest.param("postgres", marks=needs_postgres)])
def test_names_are_folded_as_reading_folds_them(where: str, request: pytest.FixtureRequest) -> None:
    con = duckdb.connect()
    listed = ", ".join(f"({i}, {'null::varchar' if t is None else literal(t)})" for i, t in enumerate(NAMES))
    expected = con.execute(
        f"select {person('t')} from (values {listed}) as names(i, t) order by i"
    ).fetchall()
    tongue = tongue_of(where)
    assert tongue is not None
    given = ", ".join(f"({i}, {'null' if t is None else tongue.string(t)})" for i, t in enumerate(NAMES))
    question = f"select {tongue.person('t')} from (values {given}) as names(i, t) order by i"
    if where == "duckdb":
        found = con.execute(question).fetchall()
    else:
        with psycopg.connect(request.getfixturevalue("server").address) as there:
            found = there.execute(question.encode()).fetchall()
    assert found == expected


@needs_postgres
def test_a_database_works_a_column_out_once_a_row_and_only_where_it_is_asked_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a question names it: a plan that names the cell again and again works it out again and again."""
    source = in_postgres(server, dict(TYPES), placed_cases.rows(40, workers=5), monkeypatch)
    samples = opened(tmp_path, source)
    asked: list[str] = []
    ask = There.ask
    monkeypatch.setattr(
        There, "ask", lambda self, statement: (asked.append(statement), ask(self, statement))[1]
    )
    once = "select count(*) filter (outcome = 'error') from cases"
    often = "select count(*) filter (outcome = 'error' or outcome = 'escalated'), min(outcome), max(upper(outcome)) from cases"
    for question in (once, often):
        samples.con.execute(question)
    plans = []
    assert all("cases as not materialized (" in statement for statement in asked)
    for statement in asked:
        assert (
            "flags_" not in statement.partition("as held_")[2]
        )  # each row holds a case; that is not asked again
        lines = ask(samples.con.there, f"explain (verbose, costs off) {statement}")[1]
        plans.append("\n".join(line for (line,) in lines))
    assert plans[0].count("lower(") == plans[1].count("lower(") > 0
    assert "sha256" not in plans[1]  # of no name that the question does not name
    samples.con.close()


@pytest.mark.parametrize(
    ("ours", "dialect", "theirs"),
    [
        ("select count(*) / 2 from cases", "postgres", "SELECT CAST(COUNT(*) AS DOUBLE PRECISION) / 2 FROM cases"),
        ("select * from (select 1 as x)", "postgres", "SELECT * FROM (SELECT 1 AS x) AS q0_"),
        ("select try_cast(x as decimal(15,3))", "postgres",
         "SELECT CASE WHEN ABS(ROUND(x, 3)) < 1000000000000 THEN CAST(x AS DECIMAL(15, 3)) END"),
        ("select quantile_cont(x, 0.5) from t", "spark", "SELECT PERCENTILE(x, 0.5) FROM t"),
        ("select quantile_disc(x, 0.5) from t", "spark", "SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY x) FROM t"),
        ("select sha256(getvariable('key_case') || x)", "postgres",
         "SELECT ENCODE(SHA256(CONVERT_TO(CURRENT_SETTING('roi.key_case') || x, 'UTF8')), 'hex')"),
    ],
)  # fmt: skip
def test_questions_are_put_in_their_language(ours: str, dialect: str, theirs: str) -> None:
    assert translated(sqlglot.parse_one(ours, dialect="duckdb"), dialect) == theirs


def test_a_text_is_not_tried_as_a_number_where_that_would_fail() -> None:
    with pytest.raises(ValueError, match="only decimals"):
        translated(sqlglot.parse_one("select try_cast(x as date)", dialect="duckdb"), "postgres")


@placed_cases.needs_spark
@pytest.mark.slow
def test_spark_gives_what_is_taken_of_the_same_parquet_file_here(tmp_path: Path) -> None:
    rows = placed_cases.rows(150)
    in_duckdb(tmp_path, TYPES, rows)
    with duckdb.connect(str(tmp_path / HERE["connect"])) as con:
        con.execute(f"copy cases to {literal(str(tmp_path / 'data' / 'cases.parquet'))}")
    found = []
    for engine, source in (
        (None, {"file": "data/cases.parquet"}),
        ("source", {"connect": "spark://local[1]", "table": "data/cases.parquet"}),
    ):
        loaded = load_parameters(placed_cases.write(tmp_path, source, engine=engine))
        samples = open_samples(loaded)
        found.append(dataclasses.replace(take(loaded, samples), fingerprints={}))
        samples.con.close()
    same(*found)
