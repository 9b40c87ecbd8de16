"""Large samples are held in codes and in a file; what they say is what the same rows say when they are few."""

from __future__ import annotations

import gc
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sample_projects import Project, column

import roi.coded
import roi.engine
from roi.canonical import CANONICAL
from roi.casts import Styles, cast, clean, plain_cast, typed_cast
from roi.problems import SampleError
from roi.readers.totals import is_total, no_total_sql, plain_sql
from roi.reduce import take_moments
from roi.samples import Samples, open_samples

PLAIN = Styles({}, {}, "UTC")
CASES = (
    "case_id,arm,handling_minutes,outcome,severity,segment,worker,started_at,agent_cost,version\n"
    "T-1,pilot,1.5,error,minor,email,Ann Müller,2026-03-02 10:00:00,0.25,v1\n"
    "T-2, Pilot ,2,correct,,post, ann  müller,2026-03-02T11:30:00Z,,v1\n"
    "T-3,baseline,-,correct,,email,Bob,2026-03-03 09:15,,\n"
    "Total,pilot,3.5,,,,,,0.25,\n"
    ",,,,,,,,,\n"
    "T-4,BASELINE,7.25,escalated,,,Bob,2026-03-03 10:00:00+02:00,,\n"
)
ACTIONS = (
    "action_id,case_id,tool,effect,risk,requester,decision,approver,requested_at,decided_at,executed_at,status\n"
    "A-1,T-1,mail,send,high,Ann Mueller,approved,Ann Müller,2026-03-02 10:00:00,2026-03-02 10:01:00,2026-03-02 10:02:00,ok\n"
    "A-2,T-2,crm,read,routine,agent,auto,,2026-03-02 11:30:00,,2026-03-02 11:31:00,error\n"
    "A-2,T-2,crm,read,routine,agent,auto,,2026-03-02 11:30:00,,2026-03-02 11:31:00,error\n"
    "A-3,T-9,crm,read,routine,agent,auto,,2026-03-02 11:30:00,,2026-03-02 11:31:00,ok\n"
)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sample is a large one."""
    monkeypatch.setattr(roi.engine, "SMALL", -1)


def opened(project: Project, kind: str) -> Samples:
    for name, text in (("cases", CASES), ("actions", ACTIONS)):
        file = project.write(f"{name}.csv", text)
        if kind == "parquet":
            con = duckdb.connect()
            types = (
                ""
                if name == "actions"
                else ", types={'handling_minutes': 'varchar', 'started_at': 'varchar'}"
            )
            con.execute(
                f"copy (from read_csv('{file}'{types})) to '{file.with_suffix('.parquet')}' (format parquet)"
            )
    given = {"source": f"data/cases.{kind}", "missing": ["-"]}
    return project.open(given, samples={"actions": f"data/actions.{kind}", "partial_months": "keep"})


def held(samples: Samples) -> dict[str, Any]:
    """All cells but the keys, and what was said."""
    cells = {
        (table, name): [
            x for (x,) in samples.con.execute(f'select "{name}" from {table} order by "row"').fetchall()
        ]
        for table in ("cases", "actions")
        for name in samples.tables[table].columns
        if not name.endswith("_id")
    }
    said = {
        name: getattr(samples, name)
        for name in ("warnings", "exclusions", "unknown_cases", "undeclared_blanks")
    }
    return {"cells": cells, **said}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_many_rows_are_read_as_few_are(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path)
    few = opened(project, kind)
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    many = opened(project, kind)
    assert many.coded
    assert not few.coded
    ours, theirs = held(many), held(few)
    for key, cells in theirs.pop("cells").items():
        assert (key, ours["cells"][key]) == (key, cells)
    assert {**ours, "cells": None} == {**theirs, "cells": None}
    assert many.tables["cases"].columns == few.tables["cases"].columns
    ids = {s.coded: column(s, "case_id") for s in (few, many)}
    # The same cases have the same key, in both tables.
    assert [len(set(keys)) for keys in ids.values()] == [4, 4]
    assert column(many, "case_id", "actions")[:2] == ids[True][:2]


@pytest.mark.parametrize("unit", [None, "seconds"])
@pytest.mark.parametrize("name", ["handling_minutes", "agent_cost", "amount"])
def test_typed_numbers_are_what_their_texts_are(name: str, unit: str | None) -> None:
    """Also half-way between two digits, far away, and where there is no number."""
    column = CANONICAL["cases"][name]
    unit = unit if column.kind == "minutes" else None
    value, _ = typed_cast(column, "x", "DOUBLE", unit=unit, styles=PLAIN)
    assert value is not None
    text = cast(column, "x::varchar", unit=unit, theirs="x", styles=PLAIN)
    halves = "select (i + 0.5) / 1e6 as x from range(500) t(i) union all select (i * 1000 + 0.5) / 1e9 from range(500) t(i)"
    odd = "select unnest(['nan', 'inf', '-inf', '-0.0000005', '1e12', '123456789.1234565', '-3', '1e300', '1e-300'])::double"
    some = "select (hash(i) / 1.8446744073709552e19 - 0.3) * pow(10, i % 14 - 4) from range(20000) t(i)"
    cents = "select round(hash(i) % 1000000 / 97.0, (i % 8)::int) from range(20000) t(i)"
    wrong = duckdb.sql(
        f"select x, {value} as a, {text} as b from ({halves} union all {odd} union all {some} union all {cents}) "
        "where a is distinct from b"
    ).fetchall()
    assert wrong == []


def test_other_types_are_what_their_texts_are() -> None:
    cases = CANONICAL["cases"]
    for name, kind, values in (
        ("started_at", "TIMESTAMP", "'2026-03-01 10:00:00.5', 'infinity', '0099-01-01', '12026-01-01'"),
        ("started_at", "DATE", "'2026-03-01', '-infinity'"),
        ("input_tokens", "BIGINT", "'12', '-1', '999999999999', '1000000000000'"),
        ("handling_minutes", "INTEGER", "'12', '-1', null"),
        ("handling_minutes", "DECIMAL(12,3)", "'12.345', '-1', null"),
        ("confidence", "DOUBLE", "'0.5', 'nan', 'inf'"),
    ):
        value, _ = typed_cast(cases[name], "x", kind, unit=None, styles=PLAIN)
        assert value is not None
        text = cast(cases[name], "x::varchar", unit=None, theirs="x", styles=PLAIN)
        rows = f"select v::{kind} as x from (select unnest([{values}]) as v)"
        assert duckdb.sql(f"select x from ({rows}) where {value} is distinct from {text}").fetchall() == []
    assert typed_cast(cases["handling_minutes"], "x", "FLOAT", unit=None, styles=PLAIN) == (None, None)


@pytest.mark.parametrize("name", ["started_at", "handling_minutes"])
def test_a_text_that_is_soon_read_is_what_a_slow_one_is(name: str) -> None:
    texts = "'2026-03-01 10:00:00', '2026-03-01 1:00:00Z', ' 2026-03-01', '2026-3-01 10:00:00', 'x', '', ' 1.5', '1,5', '2026-03-01 10:00:0x', '1e3', chr(160) || '7', '+2026-03-01 10:0000'"
    column = CANONICAL["cases"][name]
    soon = plain_cast(column, "x", unit=None, theirs="x", styles=PLAIN)
    from roi.casts import clean

    slow = cast(column, clean("x", ()), unit=None, theirs="x", styles=PLAIN)
    rows = duckdb.sql(f"select x, {soon}, {slow} from (select unnest([{texts}]) as x)").fetchall()
    assert [(x, a) for x, a, _ in rows] == [(x, b) for x, _, b in rows]
    assert any(a is not None for _, a, _ in rows)


def test_no_total_is_passed_over_as_a_key() -> None:
    words = [
        "Total",
        "Total 2026",
        "Gesamt 1",
        "sum",
        "T-1",
        "e-mail\tTotal",
        "total\t5",
        "A 5",
        "média 3",
        "5",
    ]
    for word in words:
        (plain,) = duckdb.sql(f"select {no_total_sql(chr(39) + word + chr(39))}").fetchall()[0]
        assert not (plain and is_total(word))
    assert duckdb.sql(f"select {no_total_sql(chr(39) + 'T-1' + chr(39))}").fetchall()[0][0]


@pytest.mark.parametrize("head", ["", "C-", "c", "Total", "t", " C", "2026-", "Σ", "CLM "])
def test_a_plain_key_has_nothing_to_be_cleaned_and_is_no_total(head: str) -> None:
    tails = [
        "1",
        "-1a",
        " 2026",
        "Total 1",
        " Total",
        "\t7",
        "7\u00a0",
        ":",
        "otal 3",
        "um 1",
        "",
        "x",
        "7 total",
        "\n9",
    ]
    texts = [front + tail for front in (head, head.upper(), "", "\u00a0", "all", "Summe") for tail in tails]
    con = duckdb.connect()
    con.execute("create table texts as select unnest($1) as t", [texts])
    rows = con.execute(f"select t, {clean('t', ())}, {plain_sql('t', head)} from texts").fetchall()
    assert all(cleaned == text and not is_total(text) for text, cleaned, plain in rows if plain)
    assert all(plain for text, _, plain in rows if text in ("C-1", "2026-1", "C--1a", "c1", "all-1a"))
    assert con.execute(f"select {plain_sql('null::varchar', head)}").fetchall() == [(None,)]


@pytest.mark.parametrize(
    "odd",
    [
        *(
            f"{key}, 'pilot', 'post', 3.25, 0.1"
            for key in ("'T-7'", "' T-7 '", "'Total 2026'", "null", "'7e-2 sum'")
        ),
        "null, null, null, null, null",
        "null, 'pilot', 'Total', 3.25, null",
    ],
)
def test_keys_in_parquet_are_read_alike_whether_all_are_plain_or_not(
    tmp_path: Path, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    file = project.write("cases.csv", "")
    minutes = "[1.5, 0.1 + 0.2, 1e-7, 1234.123456789, 1.5, 2.675][1 + i % 6]::double"
    row = "select 'T-' || i as case_id, if(i % 2 = 0, 'pilot', 'baseline') as arm, 'email' as segment, "
    row += f"{minutes} as handling_minutes, (i / 7)::double as agent_cost from range(1, 41) t(i) "
    duckdb.sql(f"copy ({row} union all select {odd}) to '{file.with_suffix('.parquet')}' (format parquet)")
    given = {"source": "data/cases.parquet"}
    few = project.open(given)
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    many = project.open(given)
    for samples in (few, many):
        assert samples.coded == (samples is many)
    listed = 'select "row", arm, segment, handling_minutes, agent_cost from cases order by 1'
    assert many.con.execute(listed).fetchall() == few.con.execute(listed).fetchall()
    assert (many.exclusions, many.warnings) == (few.exclusions, few.warnings)
    assert len(set(column(many, "case_id"))) == len(set(column(few, "case_id")))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_cell_that_is_no_value_is_refused_in_the_same_words(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    text = (
        "case_id,arm,handling_minutes,outcome\nT-1,pilot,-1,right\nT-2,control,nan,error\nT-2,pilot,3,error\n"
    )
    file = project.write("cases.csv", text)
    con = duckdb.connect()
    con.execute(f"copy (from read_csv('{file}')) to '{file.with_suffix('.parquet')}' (format parquet)")
    said = []
    for small in (8 << 20, -1):
        monkeypatch.setattr(roi.engine, "SMALL", small)
        with pytest.raises(SampleError) as refused:
            project.open(f"data/cases.{kind}")
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert "handling_minutes: 1 value cannot be read" in said[0]


@pytest.mark.parametrize("many", [20, 21])
def test_a_word_is_compared_with_codes_as_with_texts(tmp_path: Path, large: None, many: int) -> None:
    """Also one that no row has; of people, and where words are many, no codes are named."""
    words = ["it's", "{0}", "Müller", "a b", "x\\n", *(f"s{i}" for i in range(5, many))]
    cells = [words[i % many] for i in range(70)]
    told = {f"s{i}": word for i, word in enumerate(words[:5])}  # told as they are, since somebody wrote them
    project = Project(tmp_path)
    project.write("cases.csv", "case_id,arm,handling_minutes\nC-1,pilot,1\n")
    lines = [f"A-{i},C-1,s{i % many},Ann" for i in range(70)]
    project.write("actions.csv", "\n".join(["action_id,case_id,tool,approver", *lines]))
    columns = {"tool": {"from": "tool", "values": told}}
    samples = project.open(samples={"actions": {"source": "data/actions.csv", "columns": columns}})
    actions = samples.tables["actions"]
    assert list(actions.codes) == (["tool"] if many == 20 else [])
    for asked in (*((word,) for word in words), ("nobody's",), ("s9", "nobody's"), ("it's", "s8")):
        found = actions.where(actions.says("tool", *asked))
        ((n,),) = samples.con.execute(f"select count(*) from {found.sql}").fetchall()
        assert n == sum(cell in asked for cell in cells)
    assert ("ENUM" in actions.says("tool", "it's")) == (many == 20)
    assert actions.says("tool", "nobody's") == "tool = 'nobody''s'"


@pytest.mark.parametrize(
    ("column", "usual", "odd", "expected"),
    [
        ("handling_minutes", "5", "-0.5", "1 value below 0 (first: row 7, -0.5)"),
        ("handling_minutes", "5", "86400.5", "1 value above 60 days of work"),
        ("handling_minutes", "5", "86400", ""),
        ("agent_cost", "5", "100000000.5", "1 value above 100 million for one case (first: row 7"),
        ("agent_cost", "5", "100000000", ""),
        ("agent_cost", "", "-0.5", "1 value below 0 (first: row 7, -0.5)"),
    ],
)
def test_one_value_beyond_what_there_may_be_is_found_among_many(
    column: str, usual: str, odd: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    cells = [odd if i == 7 else usual for i in range(1, 41)]
    minutes = "" if column == "handling_minutes" else ",handling_minutes"
    lines = [f"C-{i},{('pilot', 'baseline')[i % 2]},{x}{minutes and ',5'}" for i, x in enumerate(cells, 1)]
    text = "\n".join([f"case_id,arm,{column}{minutes}", *lines])
    said = []
    for small in (8 << 20, -1):
        monkeypatch.setattr(roi.engine, "SMALL", small)
        try:
            assert project.cases(text).coded == (small == -1)
            said.append("")
        except SampleError as error:
            said.append(str(error))
    assert said[0] == said[1]
    assert expected in said[1]
    assert bool(expected) == bool(said[1])


@pytest.mark.parametrize("above", [19, 20, 21])
def test_half_of_the_minutes_of_many_are_long_as_of_few(
    above: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than just beyond what is long; and of as many rows without minutes nothing is said."""
    project = Project(tmp_path)
    cells = ["481" if i < above else "5" for i in range(39)] + [""] * 39
    lines = [f"C-{i},{('pilot', 'baseline')[i % 2]},{x}" for i, x in enumerate(cells)]
    said = []
    for small in (8 << 20, -1):
        monkeypatch.setattr(roi.engine, "SMALL", small)
        warnings = project.cases("\n".join(["case_id,arm,handling_minutes", *lines])).warnings
        said.append([x for x in warnings if "half of the values" in x])
    assert said[0] == said[1]
    assert bool(said[1]) == (above > 19)


def test_a_word_that_comes_late_in_a_text_file_is_read(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roi.coded, "HEAD", 2)
    rows = "".join(f"T-{i},{'pilot' if i > 4 else 'baseline'},1,s{i}\n" for i in range(9))
    samples = Project(tmp_path).cases(f"case_id,arm,handling_minutes,segment\n{rows}")
    assert column(samples, "segment") == [f"s{i}" for i in range(9)]
    held = samples.con.execute("select typeof(segment) from t_cases limit 1").fetchall()[0][0]
    assert held.startswith("ENUM")
    assert column(samples, "arm") == ["baseline"] * 5 + ["pilot"] * 4


def test_keys_that_differ_in_form_are_matched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path)
    project.write("actions.csv", "action_id,case_id,tool\nA-1,0001,crm\nA-2,0002,crm\n")
    said = []
    for small in (8 << 20, -1):
        monkeypatch.setattr(roi.engine, "SMALL", small)
        samples = project.cases(
            "case_id,arm,handling_minutes\nT-1,pilot,1\nT-2,baseline,2\n",
            samples={"actions": "data/actions.csv"},
        )
        assert column(samples, "case_id", "actions") == column(samples, "case_id")
        said.append(samples.warnings)
    assert said[0] == said[1]
    assert any("keys were matched" in w for w in said[0])


def test_cases_are_units_by_their_key(tmp_path: Path, large: None) -> None:
    rows = "".join(f"T-{i},{'pilot' if i % 2 else 'baseline'},{i % 90}\n" for i in range(200))
    moments = take_moments(Project(tmp_path).cases(f"case_id,arm,handling_minutes\n{rows}"))
    assert moments.unit_kind == "case"
    assert len(set(moments.unit.tolist())) == 200
    assert moments.total[:, 0].sum() == sum(i % 90 for i in range(200))


def test_no_name_stays_in_the_engine(tmp_path: Path, large: None) -> None:
    samples = opened(Project(tmp_path), "csv")
    found = samples.con.execute(
        "select type_name, labels::varchar from duckdb_types() where labels is not null union all "
        "select name, value::varchar from duckdb_variables() where name not like 'key_%' union all "
        "select table_name, '' from duckdb_tables() where temporary"
    ).fetchall()
    assert found
    assert not any(name.startswith("raw_") for name, _ in found)
    cells = str(found).lower()
    for table in ("t_cases", "t_actions"):
        cells += str(samples.con.execute(f"from {table}").fetchall()).lower()
    assert not any(word in cells for word in ("müller", "mueller", "bob", "t-1", "a-1"))


@pytest.mark.slow
def test_the_file_has_no_name_and_its_folder_goes(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    project = Project(tmp_path)
    samples = opened(project, "csv")
    (own,) = folder.iterdir()
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    if os.name == "posix":
        assert "samples" not in {file.name for file in own.iterdir()}
    asked = "select memory_limit from pragma_database_size()"
    assert samples.con.execute(asked).fetchall()[0][0].endswith("MiB")
    roi.engine.widen(samples.con)
    assert samples.con.execute(asked).fetchall()[0][0].endswith("GiB")
    samples.con.close()
    del samples
    gc.collect()
    assert not list(folder.iterdir())
    project.write("cases.csv", "case_id,arm,handling_minutes\nT-1,control,1\n")
    with pytest.raises(SampleError):
        project.open()
    gc.collect()
    assert not list(folder.iterdir())


def test_large_tables_are_made_with_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """With little beside the first table, the engine makes the second on one processor. What was stated stays."""

    def room(*, large: bool) -> tuple[str, str]:
        con = roi.engine.start(large=True)
        asked = "select memory_limit from pragma_database_size()"
        with roi.engine.roomy(con, large=large):
            ((inside,),) = con.execute(asked).fetchall()
        ((after,),) = con.execute(asked).fetchall()
        con.close()
        return inside, after

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert room(large=True) == ("305.1 MiB", "247.9 MiB")
    assert room(large=False) == ("247.9 MiB", "247.9 MiB")
    monkeypatch.setenv(roi.engine.MEMORY, "100MB")
    assert room(large=True) == ("95.3 MiB", "95.3 MiB")


def test_what_is_joined_is_not_held_in_codes(tmp_path: Path, large: None) -> None:
    project = Project(tmp_path)
    project.write("more.csv", "ticket,minutes\nT-1,3\n")
    join = {"source": "data/more.csv", "on": {"case_id": "ticket"}, "take": {"review_minutes": "sum"}}
    join["columns"] = {"review_minutes": "minutes"}
    samples = project.cases("case_id,arm,handling_minutes\nT-1,pilot,1\n", spec={"join": [join]})
    assert not samples.coded
    assert column(samples, "review_minutes") == [3]


def test_samples_that_are_matched_with_others_keep_their_pseudonyms(tmp_path: Path, large: None) -> None:
    project = Project(tmp_path)
    project.write("cases.csv", "case_id,arm,handling_minutes\nT-1,pilot,1\n")
    samples = open_samples(project.load(), coded=False)
    assert not samples.coded
    assert column(samples, "case_id")[0].startswith("c-")
    assert samples.text_of("case_id") == "case_id"


def test_a_kind_that_is_a_persons_name_is_hidden(tmp_path: Path, large: None) -> None:
    rows = "".join(
        f"T-{i},pilot,1,{'anna' if i % 2 else 'mail'},{'Anna' if i % 3 else 'Bob'}\n" for i in range(12)
    )
    samples = Project(tmp_path).cases(f"case_id,arm,handling_minutes,segment,worker\n{rows}")
    assert samples.coded
    assert set(column(samples, "segment")) == {"mail", "segment 1"}
    assert any("1 value of segment in cases reads like free text" in warning for warning in samples.warnings)
