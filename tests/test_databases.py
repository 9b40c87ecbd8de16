"""PostgreSQL and DuckDB files: the same samples give the same record, nothing is written, and no secret gets out."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from postgres_server import PASSWORD, Server, needs_postgres, serving
from sample_projects import Project, column

from roi.analysis import analyse
from roi.batch.resume import inputs_of
from roi.canonical import CANONICAL
from roi.parameters import load_parameters
from roi.problems import SampleError
from roi.readers import Source, open_source, postgres
from roi.readers.addresses import Address, without_secret
from roi.readers.base import quoted
from roi.readers.held import hold_columns
from roi.readers.postgres import Postgres, why_not
from roi.record import build_record
from roi.samples import open_samples

ROOT = Path(__file__).parent.parent

CASES = [("T-1", "baseline", "10.5"), ("T-2", "pilot", "4"), ("T-3", "pilot", "0.25")]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def claims(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("CLAIMS_DB", server.address)
    server.fill("cases", {"case_id": "text", "arm": "text", "handling_minutes": "numeric"}, CASES)
    return server


def of(**given: Any) -> dict[str, Any]:
    return {"source": {"connect": "${CLAIMS_DB}", **given}}


@needs_postgres
def test_a_table_and_a_select_are_read(project: Project, claims: Server) -> None:
    for source in (
        {"table": "cases"},
        {"table": "public.cases"},
        {"sql": "select * from cases -- all of them"},
        {"sql": "with c as (select * from cases) select * from c order by case_id;"},
    ):
        samples = project.open(of(**source))
        assert [str(m) for m in column(samples, "handling_minutes")] == ["10.500000", "4.000000", "0.250000"]
        assert next(iter(samples.fingerprints)).startswith("${CLAIMS_DB} ")


@needs_postgres
def test_every_kind_of_value_comes_over_as_a_file_would_have_it(project: Project, claims: Server) -> None:
    claims.run(
        "drop table if exists kinds",
        "create table kinds (case_id int, arm varchar(20), handling_minutes interval, review_minutes double precision, "
        "worker text, started_at timestamptz, ended_at timestamp, used bool, input_defects text[], amount numeric)",
        "insert into kinds values (1, 'pilot', '1 day 02:00:30', 1e-3, E'a,\"b\\n;', '2026-03-01 14:05:00.25+02', "
        "'2026-03-01 15:00', true, '{x,y}', 1e20::numeric / 3), "
        "(2, 'baseline', null, null, '', null, null, false, '{}', null)",
    )
    spec = of(table="kinds") | {
        "columns": {"handling_minutes": {"from": "handling_minutes", "unit": "duration"}}
    }
    source = Source(connect="${CLAIMS_DB}", table="kinds")
    con = duckdb.connect()
    rows = open_source(
        con, source, wanted=(), project=project.folder, folder=project.folder, name="x", file="", place=""
    )
    assert con.execute(rows.select(("worker", "input_defects", "used", "case_id", "amount"))).fetchall() == [
        ('a,"b\n;', "x;y", "true", "1", "33333333333333333333"),
        ("", "", "false", "2", None),
    ]
    with pytest.raises(
        SampleError, match="amount: 1 value cannot be read"
    ):  # more than the engine's decimals hold
        project.open(spec)
    claims.run("update kinds set amount = 7")
    samples = project.open(spec)
    assert str(column(samples, "handling_minutes")[0]) == "1560.500000"
    assert column(samples, "started_at")[0].isoformat() == "2026-03-01T12:05:00.250000"
    assert column(samples, "used") == ["yes", "no"]
    assert column(samples, "input_defects")[0] == 2


@needs_postgres
def test_texts_of_several_lines_lie_across_what_is_read_at_a_time(
    project: Project, claims: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_BLOCK", 4096)
    claims.run(
        "drop table if exists lines",
        "create table lines as select i::text as case_id, E'a\n\n' || repeat('b', i % 50) || E'\nc' as worker "
        "from generate_series(1, 500) i",
    )
    source = Source(connect="${CLAIMS_DB}", table="lines")
    con = duckdb.connect()
    rows = open_source(
        con, source, wanted=(), project=project.folder, folder=project.folder, name="x", file="", place=""
    )
    read = con.execute(rows.select(("case_id", "worker"))).fetchall()
    assert read == [(str(i), f"a\n\n{'b' * (i % 50)}\nc") for i in range(1, 501)]


@pytest.mark.slow
@needs_postgres
def test_any_change_of_a_row_changes_the_fingerprint_and_nothing_else_does(
    project: Project, claims: Server
) -> None:
    def now(**source: str) -> str:
        return next(iter(project.open(of(**(source or {"table": "cases"}))).fingerprints.values()))

    first = now()
    assert now() == first
    assert len(first) == 64
    claims.run("create table if not exists other (x int)", "insert into other values (1)")
    assert now() == first
    claims.run("update cases set arm = arm where case_id = 'T-1'")  # moves the row to the table's end
    assert now() == first
    seen = {first}
    for change in (
        "update cases set handling_minutes = handling_minutes + 0.001 where case_id = 'T-1'",
        "update cases set arm = 'baseline' where case_id = 'T-3'",
        "insert into cases values ('T-4', 'pilot', null)",
        "insert into cases values ('T-5', 'pilot', null)",
        "delete from cases where case_id = 'T-5'",
        "alter table cases rename column handling_minutes to review_minutes",
    ):
        claims.run(change)
        seen.add(now())
    assert len(seen) == 6 + 1 - 1  # the row that came went again
    claims.run("alter table cases add column note text")
    assert now() not in seen
    claims.run("update cases set note = '' where case_id = 'T-1'")  # an empty text is not a missing one
    assert now() not in seen


@pytest.mark.slow
@needs_postgres
def test_the_session_only_reads_one_statement_and_not_for_ever(project: Project, claims: Server) -> None:
    claims.run(
        "drop sequence if exists counter",
        "create sequence counter",
        "create or replace function wipe() returns int language plpgsql as $$ begin delete from cases; return 1; end $$",
    )
    refused = {
        "select wipe() as case_id": "was asked to change something",
        "select nextval('counter') as case_id": "was asked to change something",
        "select set_config('transaction_read_only', 'off', false) as case_id": "was asked to change something",
        "select 1 as case_id; drop table cases": "is not one SELECT",
        "select 1 as case_id) as x; drop table cases; select (1": "cannot be read as SQL",
        # What is one statement to the check is one to the server: backslashes escape nothing in either.
        r"select '\' as case_id, '; drop table cases; --' as arm": "none of|neither|no key|cannot be read",
        "insert into cases values ('x') returning case_id": "is not one SELECT",
        "with gone as (delete from cases returning *) select * from gone": "changes something",
        "select * from cases for update": "was asked to change something",
        "select * from nothing": "has no table of that name",
        "select nothing from cases": "has no column of a name that the SELECT uses",
        "select 1 / 0 as case_id": r"DivisionByZero",
    }
    for sql, message in refused.items():
        with pytest.raises(SampleError, match=message) as caught:
            project.open(of(sql=sql))
        assert PASSWORD not in str(caught.value)
    assert len(column(project.open(of(table="cases")), "case_id")) == 3
    with pytest.raises(SampleError, match=r"took longer than 1 s; .* samples.cases.source.timeout"):
        project.open(of(sql="select 'x' as case_id, pg_sleep(20)::text as arm", timeout=1))


@pytest.mark.slow
@needs_postgres
@pytest.mark.skipif(
    sys.platform != "linux", reason="a server elsewhere may not look whether anybody is there"
)
def test_a_server_does_not_work_on_for_who_was_killed(claims: Server) -> None:
    ask = (
        "import os\nfrom roi.readers.postgres import Postgres\n"
        "sql = \"select pg_sleep(600)::text as case_id, 'for nobody' as arm\"\n"
        "there = Postgres(os.environ['CLAIMS_DB'], table=None, sql=sql, timeout=700, limit=None)\n"
        "print('begins', flush=True)\nthere.fingerprint()\n"
    )
    asking = (
        "select count(*) from pg_stat_activity "
        "where query like '%for nobody%' and state = 'active' and pid <> pg_backend_pid()"
    )

    def at_work(many: int) -> bool:
        with claims.connect() as con:
            return bool(con.execute(asking).fetchone() == (many,))

    with subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True) as asks:
        assert asks.stdout is not None
        assert asks.stdout.readline() == "begins\n"
        found = waited(lambda: at_work(1))
        asks.kill()
    assert found
    assert waited(lambda: at_work(0))


@needs_postgres
def test_keys_of_a_million_rows_are_looked_up_in_memory(claims: Server) -> None:
    """A server as it is shipped has too little for that, and goes through all of them for each row."""
    there = Postgres(claims.address, table="cases", sql=None, timeout=10, limit=None)
    keys = "select 'c-0123456789ab' || k from generate_series(1, 1000000) as keys(k)"
    plan = there.ask(f"explain (verbose) select case_id in ({keys}) as known_ from cases")[1]
    there.close()
    assert "hashed" in "\n".join(line for (line,) in plan)


def waited(holds: Callable[[], bool], seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < until:
        time.sleep(0.2)
    return found


@needs_postgres
def test_a_preview_takes_no_more_rows_than_it_shows(project: Project, claims: Server) -> None:
    con = duckdb.connect()
    source = Source(connect="${CLAIMS_DB}", table="cases", limit=2)
    rows = open_source(
        con, source, wanted=(), project=project.folder, folder=project.folder, name="x", file="", place=""
    )
    assert con.execute(rows.select(rows.columns)).fetchall() == [CASES[0], CASES[1]]
    assert rows.fingerprints == {}  # of a part of a table none is worth anything


@needs_postgres
def test_what_keeps_a_database_from_answering_is_said_and_its_address_is_not(
    project: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, message in {
        server.address.replace(PASSWORD, f"{PASSWORD}-wrong"): "refuses the user or the password",
        server.address.replace("/postgres", "/secret_base"): "has no such database or user",
        f"postgresql://anna:{PASSWORD}@127.0.0.1:1/x": "nobody answers at that host and port",
        f"postgresql://anna:{PASSWORD}@[half": "cannot be opened",
    }.items():
        monkeypatch.setenv("CLAIMS_DB", address)
        with pytest.raises(SampleError, match=message) as caught:
            project.open(of(table="cases"))
        assert not [
            part for part in (PASSWORD, "anna", "127.0.0.1", "secret_base") if part in str(caught.value)
        ]


def test_the_address_is_no_part_of_what_is_shown_or_kept() -> None:
    assert PASSWORD not in repr(Address("${X}", f"postgresql://anna:{PASSWORD}@h/db", "postgres"))
    for address, kept in {
        f"postgresql://anna:{PASSWORD}@host:5432/db?sslmode=require&password={PASSWORD}": (
            "postgresql://anna@host:5432/db?sslmode=require"
        ),
        f"md:claims?motherduck_token={PASSWORD}": "md:claims",
        f"snowflake://anna:{PASSWORD}@account/db?warehouse=w#{PASSWORD}": "snowflake://anna@account/db?warehouse=w",
        "data/claims.duckdb": "data/claims.duckdb",
        f"postgresql://anna:{PASSWORD}@[half": "postgresql",
        "a key: of pseudonyms": "a key: of pseudonyms",
    }.items():
        assert without_secret(address) == kept
    assert why_not(ValueError(PASSWORD)) is None


def as_tables(pilot: str) -> Iterator[tuple[str, dict[str, str], list[tuple[Any, ...]]]]:
    """The CSV samples of an example: name, columns and their types, rows."""
    for file in sorted((ROOT / "data" / pilot).glob("*.csv*")):
        raw = gzip.open(file, "rb").read() if file.suffix == ".gz" else file.read_bytes()  # noqa: SIM115
        text = raw.decode("utf-8-sig")
        mark = ";" if ";" in text.splitlines()[0] else ","
        head, *rows = list(csv.reader(text.splitlines(), delimiter=mark))
        typed = {"seq": "int", "attempt": "int", "requested_at": "timestamp", "needed": "boolean"}
        kinds = {name: typed.get(name, "text") for name in head}
        yield file.name.split(".")[0], kinds, [tuple(cell or None for cell in row) for row in rows]


def in_database(pilot: str, connect: str) -> dict[str, Any]:
    """An example's parameters with every CSV replaced by a table."""
    given: dict[str, Any] = yaml.safe_load((ROOT / f"params/{pilot}.yaml").read_text())
    given["run"]["draws"] = 2000
    names = {name for name, *_ in as_tables(pilot)}
    for table in CANONICAL:
        spec = given["samples"].get(table)
        path = spec if isinstance(spec, str) else (spec or {}).get("source")
        if isinstance(path, str) and ".csv" in path and Path(path).name.split(".")[0] in names:
            source = {"connect": connect, "table": Path(path).name.split(".")[0]}
            given["samples"][table] = {**(spec if isinstance(spec, dict) else {}), "source": source}
    return given


def without_provenance(path: Path) -> bytes:
    loaded = load_parameters(path)
    record = build_record(analyse(loaded, open_samples(loaded)))
    del record["provenance"]
    # Where the rows lie is stated there as well, as a hash of each source.
    record["settings"] = {k: v for k, v in record["settings"].items() if "(files and columns)" not in k}
    return json.dumps(record, sort_keys=True, ensure_ascii=False).encode()


@pytest.mark.slow
@needs_postgres
def test_files_and_databases_give_the_same_record(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pilot = "claims_intake"
    monkeypatch.setenv("CLAIMS_DB", server.address)
    (tmp_path / "params").mkdir()
    shutil.copytree(ROOT / "data" / pilot, tmp_path / "data" / pilot)
    shutil.copy(ROOT / "params/_policy.yaml", tmp_path / "params")
    file = tmp_path / "params" / f"{pilot}.yaml"
    file.write_text((ROOT / f"params/{pilot}.yaml").read_text().replace("draws: 10000", "draws: 2000"))
    from_files = without_provenance(file)
    with duckdb.connect(str(tmp_path / "claims.duckdb")) as made:
        for name, kinds, rows in as_tables(pilot):
            server.fill(name, kinds, rows)
            cells = ", ".join(f"c{i}::{kind} as {quoted(c)}" for i, (c, kind) in enumerate(kinds.items()))
            hold_columns(made, "texts", list(zip(*rows, strict=True)))
            made.execute(f"create table {name} as select {cells} from texts")
    for connect in ("${CLAIMS_DB}", "claims.duckdb"):
        given = in_database(pilot, connect)
        assert sum("connect" in str(spec) for spec in given["samples"].values()) == 7
        file.write_text(yaml.safe_dump(given, sort_keys=False, allow_unicode=True))
        assert without_provenance(file) == from_files, connect


def batch(folder: Path, out: Path, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("roi"), "batch", "params", "-o", str(out), "-j", "1"],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@needs_postgres
def test_a_batch_keeps_what_a_database_has_not_changed_and_tells_no_secret(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    rows = [
        (f"T-{i}", "pilot" if i % 2 else "baseline", f"w{i % 6}", str(10 + i % 7 - 4 * (i % 2)))
        for i in range(120)
    ]
    server.fill(
        "few", {"case_id": "text", "arm": "text", "worker": "text", "handling_minutes": "numeric"}, rows
    )
    (tmp_path / "params").mkdir()
    given = {
        "pilot": "few",
        "samples": {"assignment": "randomised", "cases": of(table="few")},
        "demand": {"cases_per_month": 900},
        "economics": {
            "labour_cost_per_hour": 40,
            "error_cost": 50,
            "run_cost_per_month": 100,
            "rollout_cost": 900,
        },
        "run": {"draws": 1000},
    }
    (tmp_path / "params/few.yaml").write_text(yaml.safe_dump(given))
    out = tmp_path / "reports"
    said = []
    code, told = batch(tmp_path, out, CLAIMS_DB=server.address)
    assert code == 0, told
    said.append(told)
    stamp = (out / "few/decision.json").stat().st_mtime_ns

    def tables() -> Any:
        return (inputs_of(tmp_path / "params/few.yaml", tmp_path, [], {}) or {}).get("tables")

    # A new password alone is no reason to run again.
    server.run("alter user anna password 'another-pw'")
    monkeypatch.setenv("CLAIMS_DB", server.address)
    try:
        code, told = batch(tmp_path, out, CLAIMS_DB=server.address.replace(PASSWORD, "another-pw"))
        said.append(told)
        assert code == 0
        assert (out / "few/decision.json").stat().st_mtime_ns == stamp, told
        assert tables() is None  # what cannot be asked any more is run again, and says why
        code, told = batch(tmp_path, out, CLAIMS_DB=server.address)
        said.append(told)
        assert code == 2
        assert "refuses the user or the password" in " ".join(told.split())
    finally:
        with psycopg.connect(server.address.replace(PASSWORD, "another-pw"), autocommit=True) as con:
            con.execute(f"alter user anna password '{PASSWORD}'".encode())
    record = json.loads((out / "few/decision.json").read_text())
    assert record["provenance"]["samples_sha256"] == tables()
    assert list(tables()) == ["${CLAIMS_DB} few"]
    before = tables()
    server.run("update few set handling_minutes = handling_minutes + 1 where case_id = 'T-7'")
    assert tables() not in (None, before)
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) > 5
    for secret in (PASSWORD, "another-pw", f"127.0.0.1:{server.port}"):
        assert not [p for p in written if secret.encode() in unpacked(p)], secret
        assert not [told for told in said if secret in told]


def unpacked(path: Path) -> bytes:
    """A file's bytes, and those of the files within it."""
    data = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            data += b"".join(packed.read(name) for name in packed.namelist())
    return data
