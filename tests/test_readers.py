"""Every kind of source gives the same rows; what cannot be read says where and how to mend it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sqlite3
import sys
import time
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sample_projects import Project, column

from roi.problems import SampleError
from roi.readers.held import move

ROWS = [("T-1", "baseline", "10.5"), ("T-2", "pilot", "4"), ("T-3", "pilot", "0.25")]
NAMES = ("case_id", "arm", "handling_minutes")
MINUTES = [Decimal("10.5"), Decimal("4"), Decimal("0.25")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def delimited(mark: str) -> bytes:
    return "\n".join(mark.join(row) for row in (NAMES, *ROWS)).encode() + b"\n"


def json_lines() -> bytes:
    return "\n".join(json.dumps(dict(zip(NAMES, row, strict=True))) for row in ROWS).encode()


def workbook(above: list[list[Any]] | None = None, sheet: str = "Sheet") -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in above or []:
        page.append(row)
    page.append(NAMES)
    for case, arm, minutes in ROWS:
        page.append((case, arm, float(minutes)))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    columns = {n: [row[i] for row in ROWS] for i, n in enumerate(NAMES[:2])}
    pq.write_table(pa.table({**columns, "handling_minutes": [float(r[2]) for r in ROWS]}), stream)
    return stream.getvalue()


FILES = {
    "a.csv": delimited(","),
    "semicolons.csv": delimited(";"),
    "bom.csv": b"\xef\xbb\xbf" + delimited(";"),
    "bars.txt": delimited("|"),
    "a.tsv": delimited("\t"),
    "utf16.csv": ("\ufeff" + delimited("\t").decode()).encode("utf-16-le"),
    "windows.csv": delimited(";") + "T-4;pilot;1\n".encode("cp1252"),
    "crlf.csv": delimited(",").replace(b"\n", b"\r\n"),
    "mixed ends.csv": delimited(",").replace(b"\n", b"\r\n", 2),
    "sep.csv": b"sep=;\r\n" + delimited(";").replace(b"\n", b"\r\n"),
    "title.csv": b"Export of claims,,,,\nby a tool\n\n" + delimited(","),
    "a.csv.gz": gzip.compress(delimited(",")),
    "a.jsonl": json_lines(),
    "bom.jsonl": b"\xef\xbb\xbf" + json_lines(),
    "a.ndjson.gz": gzip.compress(json_lines()),
    "array.json": json.dumps([dict(zip(NAMES, row, strict=True)) for row in ROWS]).encode(),
    "a.parquet": parquet(),
    "a.xlsx": workbook(),
    "title.xlsx": workbook([["Export of claims"], [None], ["made by", "a tool"]]),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_kinds_of_file_give_the_same_rows(project: Project, name: str) -> None:
    project.write(name, FILES[name])
    samples = project.open(f"data/{name}")
    assert column(samples, "handling_minutes")[:3] == MINUTES
    assert column(samples, "arm")[:3] == ["baseline", "pilot", "pilot"]
    assert samples.fingerprints == {f"data/{name}": hashlib.sha256(FILES[name]).hexdigest()}


@pytest.mark.slow
def test_small_samples_import_neither_pandas_nor_ibis(tmp_path: Path) -> None:
    """`roi decide` must start fast; pandas alone takes a second, and Ibis, which reads databases, nearly as long."""
    import subprocess

    project = Project(tmp_path)
    project.write("a.xlsx", FILES["a.xlsx"])
    project.load({"source": "data/a.xlsx", "query": "select * from source"})
    code = (
        "import sys; from roi.parameters import load_parameters; from roi.samples import open_samples; "
        f"open_samples(load_parameters({str(tmp_path / 'params' / 'p.yaml')!r})); print({{'pandas', 'ibis'}} & set(sys.modules))"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_text_that_is_not_utf8_is_read_as_windows_1252_and_said_so(project: Project) -> None:
    text = "case_id;arm;segment\n" + "T-{};pilot;Köln\n" * 6
    for i in range(6):
        text = text.replace("{}", str(i), 1)
    samples = project.cases(text.encode("cp1252"), demand={"mix": {"Köln": 1}})
    assert set(column(samples, "segment")) == {"Köln"}
    assert any("Windows-1252" in w for w in samples.warnings)


def test_a_glob_unites_files_by_name_and_names_each_row_s_file(project: Project) -> None:
    project.write("m1.csv", "case_id,arm,handling_minutes\nT-1,pilot,1\n")
    project.write("m2.csv", "arm;worker;case_id\nbaseline;Ann;T-2\npilot;Ann;T-3\n")
    samples = project.open({"source": "data/m*.csv", "columns": {"segment": "_file"}, "missing": ["m2.csv"]})
    assert column(samples, "handling_minutes") == [Decimal(1), None, None]
    assert column(samples, "arm") == ["pilot", "baseline", "pilot"]
    assert [w is None for w in column(samples, "worker")] == [True, False, False]
    assert column(samples, "row") == [1, 2, 3]
    assert sorted(samples.fingerprints) == ["data/m1.csv", "data/m2.csv"]
    listed = project.open(["data/m2.csv", "data/m1.csv"])
    assert column(listed, "handling_minutes") == [None, None, Decimal(1)]


def test_a_sheet_and_its_header_row_can_be_named(project: Project) -> None:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(workbook()))
    other = book.create_sheet("Export")
    for row in (["case_id", "arm", "printed"], [None], ["Ticket", "arm", "min"], ["T-9", "pilot", 2.5]):
        other.append(row)
    stream = io.BytesIO()
    book.save(stream)
    project.write("b.xlsx", stream.getvalue())
    source = {"file": "data/b.xlsx", "sheet": "Export", "header_row": 3}
    samples = project.open({"source": source, "columns": {"case_id": "Ticket", "handling_minutes": "min"}})
    assert column(samples, "handling_minutes") == [Decimal("2.5")]
    with pytest.raises(SampleError, match=r"no sheet of this name; the workbook has 'Sheet', 'Export'"):
        project.open({"source": {"file": "data/b.xlsx", "sheet": "Exports"}})


def test_empty_rows_of_a_spreadsheet_are_counted_not_used(project: Project) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (NAMES, ROWS[0], (None, None, None), ROWS[1], (None,), (None,)):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    project.write("e.xlsx", stream.getvalue())
    samples = project.open("data/e.xlsx")
    assert [(e.reason, e.rows) for e in samples.exclusions] == [("wholly blank row", 1)]
    assert len(column(samples, "arm")) == 2


def test_nested_fields_of_json_are_named_with_dots(project: Project) -> None:
    lines = [
        {"metadata": {"ticket": "A"}, "arm": "pilot", "input_defects": ["x", "y"], "ok": True},
        {"metadata": {"ticket": 7}, "arm": "baseline", "input_defects": []},
    ]
    project.write("n.jsonl", "\n".join(map(json.dumps, lines)))
    columns = {"case_id": "metadata.ticket", "used": {"from": "ok", "values": {"true": "yes"}}}
    samples = project.open({"source": "data/n.jsonl", "columns": columns})
    assert column(samples, "input_defects") == [2, 0]
    assert column(samples, "used") == ["yes", None]


def test_quoted_line_breaks_stay_in_their_cell(project: Project) -> None:
    samples = project.cases('case_id,arm,note\nT-1,pilot,"one\ntwo, three"\nT-2,baseline,x\n')
    assert column(samples, "arm") == ["pilot", "baseline"]


REFUSED = {
    "ragged": ("case_id,arm\nT-1,pilot\nT-2\nT-3,pilot,1\n", "line 3: has fewer cells than the header"),
    "ten megabytes": (f"case_id,arm,note\nT-1,pilot,{'x' * 10_000_000}\n", "line 2: is longer than 1 MB"),
    "open quotation": ('case_id,arm\nT-1,"pilot\nT-2,pilot\n', "quotation mark"),
    "twice": ("case_id,arm,arm\nT-1,pilot,pilot\n", "arm: 2 columns have this name; rename one"),
    "empty": ("", "is empty"),
    "header only": ("case_id,arm\n", "holds no data rows"),
    "binary": (os.urandom(64) + b"\x00\x01\x02" * 400, "is not a text file"),
    "other header": (
        "ticket,group\n1,a\n",
        "has no column 'case_id'; name theirs under samples.cases.columns.case_id",
    ),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_a_text_that_cannot_be_read_says_where(project: Project, what: str) -> None:
    text, said = REFUSED[what]
    message = project.refusal(text)
    assert said in message
    assert "T-1" not in message


def test_a_double_header_matters_only_where_it_is_used(project: Project) -> None:
    samples = project.cases("case_id,note,arm,note\nT-1,a,pilot,b\n")
    assert column(samples, "arm") == ["pilot"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("data/none.csv", "data/none.csv does not exist (looked in the project folder"),
        ("data/n*.csv", "matches no file"),
        ("data", "is a folder; name the file, or a glob such as data/\\*.csv"),
        ("data/cases.docx", "is of no kind that is read"),
    ],
)
def test_a_source_that_leads_nowhere(project: Project, source: str, said: str) -> None:
    project.write("cases.docx", "x")
    with pytest.raises(SampleError, match=said.replace("(", r"\(")):
        project.open(source)


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no named pipes")
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("data/pipe.csv", "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
        ("data/p*.csv", "no file"),
    ],
)
def test_what_has_no_end_is_refused_unread(project: Project, source: str, said: str) -> None:
    """Whoever opened it would wait for ever."""
    os.mkfifo(project.folder / "data/pipe.csv")
    with pytest.raises(SampleError, match=said):
        project.open(source)


@pytest.mark.parametrize("name", ["junk.parquet", "junk.xlsx", "junk.jsonl", "junk.csv.gz"])
def test_files_that_are_not_what_they_are_called(project: Project, name: str) -> None:
    project.write(name, b"\x00\x9f\x92\x96 secret Anna" * 50)
    with pytest.raises(SampleError) as caught:
        project.open(f"data/{name}")
    assert f"data/{name}" in str(caught.value)
    assert "Anna" not in str(caught.value)


def test_a_line_that_is_no_object(project: Project) -> None:
    project.write("b.jsonl", '{"case_id": "1", "arm": "pilot"}\n[1, 2]\nnot json\n')
    with pytest.raises(SampleError, match=r"row 2: is no JSON object \(2 such rows\)"):
        project.open("data/b.jsonl")


@pytest.fixture(params=["duckdb", "sqlite"])
def database(request: pytest.FixtureRequest, project: Project) -> str:
    path = project.folder / "data" / f"claims.{request.param}"
    if request.param == "sqlite":
        made: Any = sqlite3.connect(path)
    else:
        import duckdb

        made = duckdb.connect(str(path))
    made.execute("create table cases (case_id varchar, arm varchar, handling_minutes double)")
    for row in ROWS:
        made.execute(f"insert into cases values ('{row[0]}', '{row[1]}', {row[2]})")
    if request.param == "sqlite":
        made.commit()
    made.close()
    return f"data/claims.{request.param}"


def test_databases_are_read_by_table_and_by_query(project: Project, database: str, monkeypatch: Any) -> None:
    by_table = project.open({"source": {"connect": database, "table": "cases"}})
    assert column(by_table, "handling_minutes") == MINUTES
    assert list(by_table.fingerprints) == [f"{database} cases"]
    monkeypatch.setenv("CLAIMS_DB", database)
    sql = "select case_id, arm, handling_minutes * 2 as handling_minutes from cases where arm = 'pilot'"
    by_query = project.open({"source": {"connect": "${CLAIMS_DB}", "sql": sql}})
    assert column(by_query, "handling_minutes") == [Decimal(8), Decimal("0.5")]


@pytest.mark.parametrize(
    "sql",
    ["drop table cases", "select 1; select 2", "delete from cases returning case_id", "with x as (select 1"],
)
def test_only_one_select_reaches_a_database(project: Project, database: str, sql: str) -> None:
    with pytest.raises(
        SampleError, match=r"samples.cases.source.sql: (is not one SELECT|cannot be read as SQL|changes)"
    ):
        project.open({"source": {"connect": database, "sql": sql}})
    assert project.open({"source": {"connect": database, "table": "cases"}})


def test_a_select_that_sqlite_refuses_is_no_file_that_cannot_be_opened(project: Project) -> None:
    sqlite3.connect(project.folder / "data" / "x.sqlite").execute(
        "create table cases (case_id text)"
    ).connection.close()
    with pytest.raises(
        SampleError,
        match=r"the SELECT cannot be read from data/x.sqlite \(OperationalError\); check the names",
    ):
        project.open({"source": {"connect": "data/x.sqlite", "sql": "select nothing from cases"}})


def test_sqlite_is_held_to_the_time_that_it_may_take(project: Project) -> None:
    """Already where the kinds of a SELECT's columns are asked for, which SQLite tells by running it."""
    sqlite3.connect(project.folder / "data" / "x.sqlite").execute(
        "create table cases (case_id text)"
    ).connection.close()
    rows = "with recursive n(x) as (select 1 union all select x + 1 from n where x < 100000000)"
    sql = f"{rows} select 'a' as case_id, 'pilot' as arm, max(x) as handling_minutes from n"
    began = time.monotonic()
    with pytest.raises(SampleError, match="took longer than 1 s"):
        project.open({"source": {"connect": "data/x.sqlite", "sql": sql, "timeout": 1}})
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{secret}')",
        "select * from '{secret}'",
        "select content as case_id, 'pilot' as arm from read_text('{secret}')",
        "select case_id, arm, (select count(*) from glob('{secret}')) as handling_minutes from cases",
    ],
)
def test_a_select_sees_its_database_and_no_file(project: Project, database: str, sql: str) -> None:
    secret = project.write("secret.csv", "hunter2,arm\n1,pilot\n")
    with pytest.raises(SampleError) as caught:
        project.open({"source": {"connect": database, "sql": sql.format(secret=secret)}})
    assert "hunter2" not in str(caught.value)
    said = "samples.cases.source.sql: reads from outside the database"
    assert "sqlite" in database or said in str(caught.value)


def test_a_statement_that_is_refused_is_logged_nowhere(
    project: Project, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SampleError, match="is not one SELECT"):
        project.open({"source": {"connect": database, "sql": "explain select 'hunter2'"}})
    assert "hunter2" not in caplog.text


@pytest.mark.skipif(find_spec("MySQLdb") is not None, reason="the library is there")
def test_a_database_that_lacks_its_library_says_which(project: Project, monkeypatch: Any) -> None:
    monkeypatch.setenv("CLAIMS_DB", "mysql://anna:hunter2@host/claims")
    with pytest.raises(SampleError, match="install") as caught:
        project.open({"source": {"connect": "${CLAIMS_DB}", "table": "cases"}})
    assert "a library" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_address_of_a_database_is_in_no_message(project: Project, monkeypatch: Any) -> None:
    monkeypatch.setenv("CLAIMS_DB", "postgresql://anna:hunter2@nowhere.invalid:1/claims")
    with pytest.raises(SampleError) as caught:
        project.open({"source": {"connect": "${CLAIMS_DB}", "table": "cases"}})
    assert "${CLAIMS_DB} cannot be reached" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    monkeypatch.delenv("CLAIMS_DB")
    with pytest.raises(SampleError, match="the environment has no variable CLAIMS_DB"):
        project.open({"source": {"connect": "${CLAIMS_DB}", "table": "cases"}})


def test_a_query_says_what_mapping_cannot(project: Project) -> None:
    project.write("log.csv", "ticket,grp,sec\nA,pilot,30\nA,pilot,60\nB,baseline,120\n")
    query = (
        "with s as (select ticket, any_value(grp) as arm, sum(cast(sec as double)) / 60 as m from source group by 1) "
        "select ticket as case_id, arm, m as handling_minutes from s order by 1"
    )
    samples = project.open({"source": "data/log.csv", "query": query})
    assert column(samples, "handling_minutes") == [Decimal("1.5"), Decimal(2)]


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from source; drop table source",
        "select * from information_schema.tables",
        "copy source to 'x.csv'",
        "select (select content from read_text('/etc/hostname')) as case_id, 'pilot' as arm from source",
        "select getenv('HOME') as case_id, 'pilot' as arm from source",
        "select getvariable('key_case') as case_id, 'pilot' as arm from secret",
        "attach 'x.db'",
        "install httpfs",
    ],
)
def test_a_query_sees_its_source_and_nothing_else(project: Project, query: str) -> None:
    project.write("cases.csv", delimited(","))
    with pytest.raises(SampleError, match=r"samples\.cases\.query"):
        project.open({"source": "data/cases.csv", "query": query})
    assert not (project.folder / "x.csv").exists()


@pytest.mark.parametrize("rows", [0, 49_999, 50_000, 50_001, 51_200, 52_345])
def test_every_row_comes_over_from_another_engine(rows: int) -> None:
    """However many they are, and whatever a block of the engine holds: each once, in order."""
    source, target = duckdb.connect(), duckdb.connect()
    move(
        source,
        f"select i::varchar, nullif(i % 7, 0)::varchar from range({rows}) as r(i) where i % 1 = 0",
        target,
        "got",
        2,
    )
    found = target.execute(
        "select count(*), count(distinct c0), count(c1), count(*) filter (c0::int <> rowid) from got"
    )
    assert found.fetchall() == [(rows, rows, rows - (rows + 6) // 7, 0)]


def test_a_large_table_of_a_database_and_a_query_over_it_have_all_their_rows(project: Project) -> None:
    n = 53_000
    with duckdb.connect(str(project.folder / "data" / "many.duckdb")) as con:
        con.execute(
            f"create table many as select 'k' || i as case_id, 'pilot' as arm, 3 as handling_minutes from range({n}) as r(i)"
        )
        con.execute(f"copy many to '{project.folder}/data/many.csv' (header)")
    there = {"source": {"connect": "data/many.duckdb", "table": "many"}}
    here = {
        "source": "data/many.csv",
        "query": "select case_id, arm, cast(handling_minutes as double) * 2 as handling_minutes from source",
    }
    for spec, minutes in ((there, 3), (here, 6)):
        samples = project.open(spec)
        found = samples.con.execute(
            "select count(*), count(distinct case_id), sum(handling_minutes) from cases"
        )
        assert found.fetchall() == [(n, n, minutes * n)]
        samples.con.close()
