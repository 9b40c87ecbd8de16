"""`roi check --preview`: the first rows of databases and no more; and MotherDuck without its extension."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from postgres_server import Server, binary, serving
from sample_projects import Project

from roi.cli import main
from roi.preview import preview
from roi.problems import SampleError
from roi.readers import Source, open_source
from roi.readers.base import UnreadableError

COLUMNS = {"case_id": "ticket", "handling_minutes": {"from": "handle_s", "unit": "seconds"}, "worker": "who"}
SAID = [
    "cases: {label}, the first 3 rows",
    "  ticket → case_id: 1, 2, 3",
    "  handle_s → handling_minutes: 60",
    "  arm → arm: pilot",
    "  extra (not used): blank",
    "  not there: who",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def look(project: Project, connect: str, **source: object) -> list[str]:
    return preview(project.load({"source": {"connect": connect, **source}, "columns": COLUMNS}), 3)


@pytest.mark.slow
def test_a_duckdb_file_gives_its_first_rows_alone(tmp_path: Path) -> None:
    project = Project(tmp_path)
    # A row far down fails when it is worked out: it never is.
    made = "select i as ticket, case when i > 800000 then error('read') else '60' end as handle_s, 'pilot' as arm, null as extra"
    with duckdb.connect(str(tmp_path / "c.duckdb")) as con:
        con.execute(f"create view v as {made} from range(1, 1000000) t(i)")
    assert look(project, "c.duckdb", table="v") == [line.format(label="c.duckdb v") for line in SAID]
    with pytest.raises(SampleError, match=r"cannot be read from c\.duckdb"):
        project.open({"source": {"connect": "c.duckdb", "table": "v"}, "columns": COLUMNS})


def test_an_sqlite_file_gives_its_first_rows_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "c.db") as con:
        con.execute("create table t (ticket int, handle_s text, arm text, extra text)")
        con.executemany("insert into t values (?, '60', 'pilot', null)", [(i,) for i in range(1, 6)])
    con.close()
    assert look(Project(tmp_path), "c.db", table="t") == [line.format(label="c.db t") for line in SAID]


@pytest.mark.skipif(
    binary("postgres") is None or binary("initdb") is None,
    reason="PostgreSQL's server is not installed (Debian: postgresql)",
)
def test_postgresql_gives_its_first_rows_alone(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMS_DB", server.address)
    server.run(
        "create or replace view v as select i as ticket, 60 / (case when i > 9 then 0 else 1 end) as handle_s, "
        "'pilot'::text as arm, null::text as extra from generate_series(1, 50) i"
    )
    said = look(Project(tmp_path), "${CLAIMS_DB}", table="v")
    assert said == [line.format(label="${CLAIMS_DB} v") for line in SAID]
    sql = "select * from v where ticket > 1"
    (tmp_path / "sql").mkdir()
    first = look(Project(tmp_path / "sql"), "${CLAIMS_DB}", sql=sql)[0]
    assert first.endswith("the first 3 rows")


def test_the_command_looks_before_the_file_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path)
    with duckdb.connect(str(tmp_path / "c.duckdb")) as con:
        con.execute("create table t as select i as ticket, 60 as handle_s, 'pilot' as arm from range(9) t(i)")
    project.load({"source": {"connect": "c.duckdb", "table": "t"}}, samples={"actions": "data/a.csv"})
    file = tmp_path / "params" / "p.yaml"
    file.write_text(file.read_text() + "economics: {labour_cost_per_hour: FILL_IN}\n")
    found = CliRunner().invoke(main, ["check", "p", "--preview", "2"])
    assert found.exit_code == 0, found.output
    assert "cases: c.duckdb t, the first 2 rows\n  ticket (not used): 0, 1\n" in found.output
    assert "actions: data/a.csv is no database" in found.output
    file.write_text(file.read_text().replace("table: t", "table: gone"))
    found = CliRunner().invoke(main, ["check", "p", "--preview", "2"])
    assert found.exit_code == 2
    assert "table gone cannot be read from c.duckdb" in found.output


@pytest.mark.parametrize("kind", ["check", "preview"])
def test_motherduck_without_its_extension_says_so_and_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """DuckDB by itself would try to download the extension, which takes as long as the network lets it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))  # where extensions would lie
    monkeypatch.setenv("CLAIMS_DB", "md:claims?motherduck_token=hunter2")
    monkeypatch.setenv("motherduck_token", "hunter2")
    monkeypatch.chdir(tmp_path)
    Project(tmp_path).load({"source": {"connect": "${CLAIMS_DB}", "table": "cases"}})
    before = time.monotonic()
    found = CliRunner().invoke(main, ["check", "p", *(["--preview", "5"] if kind == "preview" else [])])
    assert found.exit_code == 2
    assert "needs DuckDB's extension motherduck" in found.output
    assert "${CLAIMS_DB}" in found.output
    assert not re.search("hunter2|md:|duckdb.org", found.output)
    assert not (tmp_path / "home").exists()
    assert time.monotonic() - before < 30


def test_motherduck_that_does_not_answer_keeps_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **how: object) -> None:
        assert how["config"] == {"autoinstall_known_extensions": "false"}
        raise duckdb.IOException("no route with token hunter2")

    monkeypatch.setenv("CLAIMS_DB", "motherduck:claims?motherduck_token=hunter2")
    duckdb_engine = duckdb.connect()
    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(UnreadableError) as error:
        open_source(
            duckdb_engine, Source(connect="${CLAIMS_DB}", table="t"), wanted=(), project=tmp_path, folder=tmp_path,
            name="x", file="", place="",
        )  # fmt: skip
    (problem,) = error.value.problems
    assert problem.message == "${CLAIMS_DB} cannot be opened (IOException)"
