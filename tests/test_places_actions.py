"""A log of actions that stays in its database with the cases gives what it gives when both are read from it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import placed_actions
import placed_cases
import pytest
from postgres_server import Server, needs_postgres, serving
from test_places import asked, same

from roi.analysis import analyse
from roi.controls.findings_list import write_findings
from roi.drawn_list import sample_lists
from roi.parameters import load_parameters
from roi.places.letters import accented_and_bare, known_letters
from roi.places.tongues import tongue_of
from roi.privacy import alike
from roi.problems import ParameterError, SampleError
from roi.readers.base import literal
from roi.samples import Samples, open_samples
from roi.taken import take

Rows = list[tuple[Any, ...]]

FILE = {"connect": "data/cases.duckdb"}


def fill(folder: Path, cases: Rows, actions: Rows) -> None:
    (folder / "data").mkdir(exist_ok=True)
    path = folder / "data" / "cases.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as con:
        con.execute("set TimeZone = 'UTC'")
        for name, types, rows in (
            ("cases", placed_cases.TYPES, cases),
            ("actions", placed_actions.TYPES, actions),
        ):
            con.execute(f"create table {name} ({', '.join(f'{n} {kind}' for n, kind in types.items())})")
            con.executemany(f"insert into {name} values ({', '.join('?' * len(types))})", rows)


def parameters(
    folder: Path,
    engine: str | None,
    sources: dict[str, Any] | None = None,
    columns: dict[str, Any] | None = None,
    **given: Any,
) -> Path:
    """A pilot whose cases and actions lie in a database."""
    sources = sources or {name: {**FILE, "table": name} for name in ("cases", "actions")}
    log = {"source": sources["actions"], "columns": columns or placed_actions.COLUMNS, **given}
    both = {"cases": {"source": sources["cases"], "columns": placed_cases.COLUMNS}, "actions": log}
    samples = {**both, **placed_actions.tables(folder)}
    return placed_cases.write(folder, sources["cases"], engine=engine, samples=samples)


def opened(folder: Path, engine: str | None = "source", **given: Any) -> Samples:
    return open_samples(load_parameters(parameters(folder, engine, **given)))


def told(
    folder: Path, engine: str | None, sources: dict[str, Any] | None = None
) -> tuple[Any, dict[str, Any], Samples]:
    """What is taken of the samples and the record, without what says where they lie and which numbers rows have."""
    loaded = load_parameters(parameters(folder, engine, sources))
    samples = open_samples(loaded)
    taken = take(loaded, samples)
    record = placed_cases.record_of(loaded, samples)
    for layer in record["controls"]["layers"]:
        for check in layer["checks"]:
            if check["rows"] and check["rows"]["table"] in ("cases", "actions"):
                assert (engine is None) == bool(check["rows"]["first"]) or not check["rows"]["count"]
                check["rows"]["first"] = []
    return taken, record, samples


def compared(one: tuple[Any, dict[str, Any], Samples], other: tuple[Any, dict[str, Any], Samples]) -> None:
    for name in ("moments", "arms", "integration", "oversight", "approval_kinds", "months", "grants"):
        same(getattr(one[0], name), getattr(other[0], name), name)
    same(one[1], other[1])
    assert one[2].exclusions == other[2].exclusions
    assert one[2].unknown_cases == other[2].unknown_cases
    assert one[2].warnings == other[2].warnings


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_record_is_that_of_rows_that_are_read(seed: int, tmp_path: Path) -> None:
    cases = placed_cases.rows(400, seed=seed)
    fill(tmp_path, cases, placed_actions.rows(cases, seed=seed))
    here, away = told(tmp_path, None), told(tmp_path, "source")
    assert away[2].staying == {"cases", "actions"}
    assert here[0].integration.n.sum() > 300
    assert here[0].approval_kinds.slipped.sum() > 5
    compared(here, away)
    failing = [c for layer in away[1]["controls"]["layers"] for c in layer["checks"] if c["status"] == "fail"]
    assert len(failing) > 10


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@needs_postgres
@pytest.mark.slow
def test_postgres_gives_the_record_of_rows_that_are_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = placed_cases.rows(400, seed=3)
    actions = placed_actions.rows(cases)
    fill(tmp_path, cases, actions)
    monkeypatch.setenv("CLAIMS_DB", server.address)
    for name, types, rows in (
        ("cases", placed_cases.TYPES, cases),
        ("actions", placed_actions.TYPES, actions),
    ):
        server.fill(
            name, {n: "double precision" if kind == "double" else kind for n, kind in types.items()}, rows
        )
    sources = {name: {"connect": "${CLAIMS_DB}", "table": name} for name in ("cases", "actions")}
    away = told(tmp_path, "source", sources)
    compared(told(tmp_path, None), away)
    # Row by row against row by row of queries that stand before a question, thousands of cases take for ever.
    assert away[2].con.there.ask("show enable_nestloop")[1] == [("off",)]


@placed_cases.needs_spark
@pytest.mark.slow
def test_spark_gives_the_record_of_rows_that_are_read(tmp_path: Path) -> None:
    cases = placed_cases.rows(150, seed=4)
    fill(tmp_path, cases, placed_actions.rows(cases))
    with duckdb.connect(str(tmp_path / FILE["connect"])) as con:
        con.execute("set TimeZone = 'UTC'")
        for name in ("cases", "actions"):
            con.execute(f"copy {name} to {literal(str(tmp_path / 'data' / f'{name}.parquet'))}")
    sources = {n: {"connect": "spark://local[1]", "table": f"data/{n}.parquet"} for n in ("cases", "actions")}
    compared(told(tmp_path, None), told(tmp_path, "source", sources))


@pytest.mark.slow
def test_no_action_and_no_name_leaves_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for n in (300, 3000):
        cases = placed_cases.rows(n, workers=10)
        fill(tmp_path, cases, placed_actions.rows(cases))
        loaded = load_parameters(parameters(tmp_path, "source"))
        with monkeypatch.context() as patch:
            _, cells = asked(lambda loaded=loaded: analyse(loaded, open_samples(loaded)), patch)
        texts = {cell for cell in cells if isinstance(cell, str)}
        assert not texts & {*placed_actions.APPROVERS, *placed_cases.NAMES, "agent-7", "a1", "T-1"}
        assert not any(text.startswith(("c-", "a-")) for text in texts)
        sizes.append(len(cells))
    assert sizes[1] < 3 * sizes[0], sizes  # kinds of cases that few do not have, of ten times as many


def test_what_is_found_in_rows_without_a_number_is_counted(tmp_path: Path) -> None:
    """Also where a finding of a table of ours is listed by number."""
    cases = placed_cases.rows(120)
    fill(tmp_path, cases, placed_actions.rows(cases))
    loaded = load_parameters(parameters(tmp_path, "source"))
    samples = open_samples(loaded)
    path = write_findings(take(loaded, samples).controls, samples, tmp_path / "findings.csv")
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    of_log = [line["row"] for line in lines if line["table"] == "actions" and line["status"] == "fail"]
    assert of_log
    assert all(row.endswith(", of which no row is known") and "more" not in row for row in of_log)
    assert [line["row"] for line in lines if line["table"] == "changes"] == ["2"]


def refused(folder: Path, **given: Any) -> str:
    with pytest.raises(SampleError) as error:
        opened(folder, **given)
    return str(error.value)


def test_what_would_not_come_out_the_same_is_refused_all_at_once(tmp_path: Path) -> None:
    cases = placed_cases.rows(30)
    actions = placed_actions.rows(cases)
    strange = (*actions[1][:11], "İpek ʼ", *actions[1][12:])
    total = ("Total", *actions[2][1:])
    odd = ("z1", *actions[3][1:14], "went well", *actions[3][15:])
    fill(tmp_path, cases, [*actions, actions[0], strange, total, odd])
    said = refused(tmp_path)
    assert "action_id: 1 row repeats another row in every cell; leave them out in the source's sql" in said
    assert "approver: 1 value of signs that databases do not fold alike" in said
    assert "action_id: holds 1 row that sum up others" in said
    assert (
        "status: 1 value is none of ok, error, denied, timeout; map them under samples.actions.columns.status"
        in said
    )
    assert "went well" not in said
    assert "samples.actions.query: is run here" in refused(tmp_path, query="select * from source")


def test_a_further_attempt_may_go_by_the_number_of_the_first(tmp_path: Path) -> None:
    cases = placed_cases.rows(30)
    actions = placed_actions.rows(cases)
    fill(tmp_path, cases, [*actions, (*actions[0][:15], 9, *actions[0][16:])])
    samples = opened(tmp_path)
    assert samples.con.execute("select count(*) - count(distinct action_id) from actions").fetchall() == [
        (1,)
    ]
    samples.con.close()


@pytest.mark.parametrize(("purpose", "table"), [("audit", None), ("audit", "actions"), ("labels", None)])
def test_no_list_is_drawn_of_rows_without_a_number(purpose: str, table: str | None, tmp_path: Path) -> None:
    cases = placed_cases.rows(30)
    fill(tmp_path, cases, placed_actions.rows(cases))
    loaded = load_parameters(parameters(tmp_path, "source"))
    with pytest.raises(ParameterError, match=r"run\.engine: .* in a database whose rows have no number here"):
        sample_lists(loaded, purpose=purpose, table=table, n=5, seed=None)


def test_a_log_elsewhere_is_read_and_not_joined(tmp_path: Path) -> None:
    cases = placed_cases.rows(30)
    fill(tmp_path, cases, placed_actions.rows(cases))
    shutil.copy(tmp_path / "data" / "cases.duckdb", tmp_path / "data" / "log.duckdb")
    sources = {
        "cases": {**FILE, "table": "cases"},
        "actions": {"connect": "data/log.duckdb", "table": "actions"},
    }
    samples = opened(tmp_path, sources=sources)
    assert samples.staying == {"cases"}
    assert samples.apart
    assert [w for w in samples.warnings if "actions are read here, so that the two are not joined" in w]
    samples.con.close()


def test_a_table_of_ours_that_is_not_small_does_not_go_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = placed_cases.rows(30)
    fill(tmp_path, cases, placed_actions.rows(cases))
    samples = opened(tmp_path)
    ask = 'select count(*) from actions a join "access" b on a.system = b.system and a.scope = b.scope'
    assert samples.con.execute(ask).fetchall()[0][0] > 20
    assert samples.con.execute(
        "select max(expires)::varchar from access where exists (select 1 from actions)"
    ).fetchall() == [("2026-05-19 22:00:00",)]
    monkeypatch.setattr("roi.places.asked.MOST_SENT", 3)
    with pytest.raises(SampleError, match="needs rows that stay in their database"):
        samples.con.execute(ask)
    samples.con.close()


def test_what_is_laid_down_there_is_asked_and_forgotten_as_here(tmp_path: Path) -> None:
    cases = placed_cases.rows(30)
    fill(tmp_path, cases, placed_actions.rows(cases))
    con = opened(tmp_path).con
    con.execute(
        "create or replace temp table some_ as select * from actions where tool = 'read_mail'; select 1"
    )
    con.execute(
        "create or replace view more_ as with two as (select * from some_) select count(*) as n from two"
    )
    ((n,),) = con.execute("select n from more_").fetchall()
    assert n == con.execute("select count(*) from actions where tool = 'read_mail'").fetchone()[0] > 0
    con.execute("create or replace temp table some_ as select * from actions where false")
    con.execute("drop view if exists more_; drop table if exists none_")
    assert con.execute("select count(*) from some_").fetchall() == [(0,)]
    con.execute(
        "create or replace view again_ as select * from cases; create or replace view late_ as select 1 as n from actions"
    )
    con.execute("create or replace view again_ as select n from late_")  # what rests on what came after it
    assert (
        con.execute("select count(*) from again_").fetchone()
        == con.execute("select count(*) from actions").fetchone()
    )
    with pytest.raises(SampleError):
        con.execute("select * from more_, actions")
    with pytest.raises(SampleError, match="needs rows that stay in their database"):
        con.execute("select * from actions where tool = ?", ["read_mail"])
    con.close()


def test_names_are_alike_there_as_here() -> None:
    """Umlauts and accents, in every letter that a name may hold."""
    tongue, con = tongue_of("duckdb"), duckdb.connect()
    assert tongue is not None
    bare = dict(zip(*accented_and_bare(), strict=True))
    letters = [sign for sign in known_letters() if sign.isalpha()]
    listed = f"unnest([{', '.join(map(literal, letters))}])"
    found = [
        text for (text,) in con.execute(f"select strip_accents(s) from (select {listed} as s)").fetchall()
    ]
    assert found == [bare.get(sign, sign) for sign in letters]
    names = [
        *placed_actions.APPROVERS,
        *placed_cases.NAMES,
        "ANN LEE",
        "Jorg Gross",
        "Muller",
        "Müller",
        "Mueller",
        "Ærø",
        "Aeroe",
    ]
    pairs = ", ".join(f"({literal(a)}, {literal(b)})" for a in names for b in names)
    both = con.execute(
        f"select {alike('a', 'b')}, {tongue.alike('a', 'b')} from (values {pairs}) as t(a, b)"
    ).fetchall()
    assert all(ours == theirs for ours, theirs in both)
    assert 5 < sum(ours for ours, _ in both) < len(both) / 2
