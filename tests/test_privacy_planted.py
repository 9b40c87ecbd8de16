"""Names, e-mail addresses, account and telephone numbers planted in samples are found in nothing that comes out."""

from __future__ import annotations

import csv
import html
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from pilots import cases, controls, write_csv, write_pilot
from rest_slow import rest_slow

from roi.canonical import CANONICAL, NAMES_HIDDEN
from roi.cli import main
from roi.moments import fetch
from roi.pilot import Pilot, open_pilot
from roi.privacy import identifier_like, looks_personal
from roi.problems import SampleError
from roi.report import sections

NAMES = (
    "Anna Schmidt",
    "Jean-Luc Moreau",
    "Siobhán O'Brien",
    "Łukasz Wójcik",
    "Nguyễn Thị Hoa",
    "José García Márquez",
    "Müller, Günther",
    "Dr. Priya Raghunathan",
    "Katarzyna Lewandowska",
    "Oluwaseun Adebayo",
    "Yamada Tarō",
    "Ingrid van der Velden",
    "Bjørn Aasland",
    "Zeynep Yıldırım",
)
MAILS = (
    "anna.schmidt@example.com",
    "j-l.moreau@kanzlei.example",
    "siobhan_obrien@post.example.ie",
    "wojcik+privat@example.pl",
    "hoa.nguyen@example.vn",
    "GARCIA@EXAMPLE.ES",
    "günther@müller.example",
    "p.raghunathan@sub.example.in",
    "k.lewandowska@example.pl",
    "ade.bayo@example.ng",
)
ACCOUNTS = (
    "DE89 3704 0044 0532 0130 00",
    "GB29NWBK60161331926819",
    "FR14 2004 1010 0505 0001 3M02 606",
    "MT84MALT011000012345MTLCAST001S",
    "NL91 ABNA 0417 1643 00",
    "CH9300762011623852957",
    "PL61 1090 1014 0000 0712 1981 2874",
    "4111 1111 1111 1111",
)
PHONES = (
    "+49 170 5550123",
    "0043 1 5550199",
    "(030) 555-0142",
    "+44 20 7946 0958",
    "202-555-0173",
    "+33 1 99 00 55 01",
    "079/555.01.88",
    "+48600555014",
)
PLANTED = (*NAMES, *MAILS, *ACCOUNTS, *PHONES)

OF_CASES = {
    t: columns for t, columns in CANONICAL.items() if t != "aggregates"
}  # instead of cases: test_aggregates
TEXTS = {
    table: [n for n, c in columns.items() if c.kind in NAMES_HIDDEN or c.kind == "category"]
    for table, columns in OF_CASES.items()
}
CATEGORIES = [
    (table, name)
    for table, columns in OF_CASES.items()
    for name, c in columns.items()
    if c.kind == "category"
]
TYPED = {
    table: [n for n in columns if n not in TEXTS[table] and (table, n) != ("cases", "arm")]
    for table, columns in OF_CASES.items()
}
UNMAPPED = ("customer", "note", "e-mail", "iban", "phone", "_secret")


def plain(text: str) -> str:
    """Letters and digits alone, so that numbers are found however they are grouped."""
    return re.sub(r"[\W_]+", "", text).lower()


@cache
def needles() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is looked for as it stands, and without signs and blanks."""
    whole = {*PLANTED}
    whole |= {word for name in NAMES for word in re.split(r"[\s,.]+", name) if len(word) > 4}
    whole |= {mail.split("@")[0] for mail in MAILS if len(mail.split("@")[0]) > 6}
    written = {form for text in whole for form in (text, json.dumps(text)[1:-1], html.escape(text))}
    return tuple(sorted(w.lower() for w in written)), tuple(plain(n) for n in (*ACCOUNTS, *PHONES))


def found_in(text: str) -> list[str]:
    written, bare = needles()
    low, compact = text.lower(), plain(text)
    return [n for n in written if n in low] + [n for n in bare if n in compact]


def test_forty_are_planted_and_a_leak_would_be_seen():
    assert len(set(PLANTED)) == 40
    for text in PLANTED:
        assert found_in(f"<p>{html.escape(text)}</p>")
        assert found_in(json.dumps({"a": text}))
    assert not found_in("2 cases of segment 1 are of w-0f3a9b1c2d3e, 4,300 minutes")


def plant(verdict: str) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Tables whose every text column holds people; categories hold names, which alone are not refused."""
    rows = cases(900, pilot=9.0 if verdict != "kill" else 22.0, workers=len(PLANTED))
    tables = controls(rows)
    last = max(v["ran_at"] for v in tables["evals"])
    versions = {"v1": NAMES[0], "v2": NAMES[1]}
    for row in rows:
        row["segment"] = {"a": NAMES[2], "b": NAMES[3]}[row["segment"]]
    rows[0]["segment"] = NAMES[4]  # rare
    for table in (rows, *tables.values()):
        for i, row in enumerate(table):
            for key in ("case_id", "worker", "requester", "identity", "eval_case", "action_id"):
                if key in row:  # the same case stays the same case in every table
                    row[key] = f"{PLANTED[int(re.sub(r'[^0-9]', '', row[key]) or 0) % 40]} {row[key]}"
            for key in ("version", "replaces", "rolled_back_to"):
                if key in row:
                    row[key] = versions.get(row[key], "")
            row |= {name: PLANTED[(i * 7 + k) % 40] for k, name in enumerate(UNMAPPED)}
    for i, row in enumerate(rows):
        row |= {"pair_id": "", "model": NAMES[5 + i % 3], "provider": NAMES[8 + i % 3]}
        row |= {"input_tokens": 900, "output_tokens": 100, "agent_cost": ""}
    for i, row in enumerate(tables["actions"]):
        row |= {
            "tool": NAMES[i % 5],
            "system": NAMES[5 + i % 2],
            "scope": NAMES[7 + i % 2],
            "version": NAMES[1],
        }
        row["approver"] = PLANTED[i % 40]
    tables["access"] = [
        {
            "system": NAMES[5 + i % 2],
            "scope": NAMES[7 + i % 2],
            "identity": p,
            "granted_by": p,
            "needed_by": n,
            "needed": 1,
        }
        for i, (p, n) in enumerate(zip(PLANTED, NAMES * 3, strict=False))
    ]
    for i, row in enumerate(tables["evals"]):
        row |= {"suite": NAMES[i % 3], "run_id": PLANTED[i % 40], "segment": NAMES[2 + i % 3], "ran_at": last}
    for i, row in enumerate(tables["changes"]):
        row["approved_by"] = PLANTED[i]
    tables["incidents"][0]["rolled_back_to"] = NAMES[0]
    tables["inputs"] = [
        {
            "case_id": r["case_id"],
            "setting": "production",
            "segment": NAMES[2 + i % 2],
            "body": PLANTED[i % 40],
        }
        | {name: PLANTED[(i * 3 + k) % 40] for k, name in enumerate(("sender", "phone", "bank", "few"))}
        | {"few": PLANTED[i % 3], "mail": MAILS[i % 10], "account": ACCOUNTS[i % 8], "call": PHONES[i % 8]}
        for i, r in enumerate(rows)
    ]
    tables["actuals"] = [{"month": "2026-09", "cases": 10, "segment": NAMES[2]}]
    return rows, tables


def write_planted(folder: Path, verdict: str) -> Path:
    rows, tables = plant(verdict)
    if verdict == "kill":
        for row in rows:
            row["pair_id"] = row["case_id"]
    samples = {name: f"data/{name}.csv" for name in tables}
    return write_pilot(
        folder, rows, {"samples": samples, "demand": {"mix": None}}, name="made", tables=tables
    )


@pytest.fixture(scope="module", params=["scale", "kill"])
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_planted(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def opened(planted: Path) -> Pilot:
    return open_pilot(planted)


@pytest.mark.slow
def test_every_text_column_of_every_table_is_planted(planted, opened):
    for table, columns in TEXTS.items():
        assert set(columns) <= set(opened.samples.tables[table].columns), table
        with (planted.parent.parent / f"data/{table}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for name in columns:
            if (table, name) == ("cases", "pair_id"):
                continue
            assert any(found_in(row[name] or "") for row in rows), (table, name)


@pytest.mark.slow
def test_the_verdict_is_reached(planted, opened):
    assert opened.decision.verdict == ("kill" if "kill" in str(planted) else opened.decision.verdict)
    assert opened.decision.record["estimates"]["minutes_saved_per_case"] is not None
    assert opened.decision.record["sample"]["cases"]["pilot"] > 500


def test_no_table_that_is_handed_on_holds_them(opened):
    for name, table in opened.samples.tables.items():
        assert not found_in(str(fetch(opened.samples, f"select * from {table.sql}"))), name
    assert not found_in(repr(opened.samples))


def test_segments_without_a_name_to_show_are_numbered(opened):
    cases = opened.samples.tables["cases"]
    counts = dict(opened.samples.con.execute("select segment, count(*) from cases group by 1").fetchall())
    assert set(counts) == {"segment 1", "segment 2", "(other)"}
    assert counts["segment 1"] > counts["segment 2"] > counts["(other)"] == 1
    assert {"version", "model", "provider"} <= set(cases.columns)
    assert any("demand.mix" in w and "segment" in w for w in opened.samples.warnings)


def test_pseudonyms_match_between_tables(opened):
    con = opened.samples.con
    assert con.execute(
        "select count(*) from actions where case_id not in (select case_id from cases)"
    ).fetchall() == [(0,)]
    assert con.execute(
        "select count(*) from actions where version not in (select version from evals)"
    ).fetchall() == [(0,)]
    assert con.execute(
        "select count(*) from changes where replaces in (select version from evals)"
    ).fetchall() == [(1,)]
    assert con.execute(
        "select count(*) from access where system not in (select system from actions)"
    ).fetchall() == [(0,)]


@pytest.mark.slow
def test_neither_record_nor_sections_hold_them(opened):
    assert not found_in(opened.decision.json())
    assert not found_in(repr(opened.decision))
    for make in (
        sections.first_screen,
        sections.measured,
        sections.money,
        sections.options,
        sections.gates,
        sections.drivers,
        sections.causes,
        sections.assumptions,
        sections.left_out,
        sections.provenance,
    ):
        assert not found_in(str(make(opened.decision)._repr_mimebundle_())), make.__name__


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "decide"])
def test_the_command_line_prints_none_of_them(planted, command):
    done = CliRunner().invoke(main, [command, str(planted)])
    assert done.exit_code == 0, done.output
    assert not found_in(done.stdout + done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("verdict", ["scale", "kill"])
def test_no_file_of_a_batch_holds_them(tmp_path, verdict):
    from roi.batch import run_batch

    path = write_planted(tmp_path, verdict)
    out = tmp_path / "reports"
    for _ in range(2):  # the second run moves the first into the archive
        assert run_batch([path], out).exit_code == 0
    files = [f for f in out.rglob("*") if f.is_file()]
    assert {f.name for f in files} >= {
        "report.html",
        "decision.json",
        "2_decide.ipynb",
        "1_audit.html",
        "1_audit.ipynb",
        "3_fix.html",
        "3_fix.ipynb",
        "4_controls.html",
        "4_controls.ipynb",
        "5_prove_roi.html",
        "5_prove_roi.ipynb",
        "6_operate.html",
        "6_operate.ipynb",
        "index.html",
        "decisions.csv",
    }
    for file in files:
        assert not found_in(file.read_bytes().decode("utf-8", errors="replace")), file
        assert not found_in(file.name)


@pytest.mark.slow
def test_no_partial_notebook_of_a_failed_batch_holds_them(tmp_path):
    from roi.batch import run_batch

    rows, tables = plant("scale")
    rows[3]["outcome"] = PLANTED[0]
    rows[4]["handling_minutes"] = PLANTED[20]
    path = write_pilot(tmp_path, rows, {"demand": {"mix": None}}, tables=tables)
    out = tmp_path / "reports"
    result = run_batch([path], out)
    assert result.exit_code == 2
    assert not found_in(str(result))
    for file in out.rglob("*") if out.exists() else ():
        assert not file.is_file() or not found_in(file.read_bytes().decode("utf-8", errors="replace")), file


def refusal(path: Path) -> SampleError:
    """The refusal of a pilot, none of whose messages repeats what was planted."""
    with pytest.raises(SampleError) as error:
        open_pilot(path)
    assert not found_in(str(error.value))
    assert not found_in(repr(error.value.problems))
    assert error.value.__cause__ is None
    assert not found_in(repr(error.value.__context__))
    return error.value


def small(folder: Path, **tables: list[dict[str, Any]]) -> Path:
    """A small pilot whose tables may be replaced."""
    rows = tables.pop("cases", None) or cases(40)
    logs = controls(rows) | {
        "inputs": [{"case_id": r["case_id"], "setting": "production", "body": "x"} for r in rows],
        "actuals": [{"month": "2026-09", "cases": 10}],
    }
    logs |= tables
    samples = {name: f"data/{name}.csv" for name in logs}
    return write_pilot(folder, rows, {"samples": samples, "demand": {"mix": None}}, tables=logs)


def filled(table: str, rows: int = 40) -> list[dict[str, Any]]:
    content = {"cases": cases(rows), **controls(cases(rows))}.get(table) or [
        {"case_id": "T1", "setting": "demo", "body": "x"} if table == "inputs" else {"month": "2026-09"}
    ]
    return [dict(content[i % len(content)]) for i in range(max(rows, len(content)))]


@pytest.mark.parametrize("table", sorted({table for table, _ in CATEGORIES}))
def test_contacts_and_accounts_among_categories_are_refused(tmp_path, table):
    names = [name for t, name in CATEGORIES if t == table]
    rows = filled(table)
    for i, row in enumerate(rows):
        kept = {k: row.get(k) for k in ("action_id", "case_id")}
        row |= dict.fromkeys(names, (*MAILS, *ACCOUNTS, *PHONES)[i % 26]) | {
            k: v for k, v in kept.items() if v
        }
        if table in ("actions", "cases"):
            row["action_id" if table == "actions" else "case_id"] = f"X{i}"
    error = refusal(small(tmp_path, **{table: rows}))
    for name in names:
        said = [p for p in error.problems if p.place == name and p.file == f"data/{table}.csv"]
        assert any("an e-mail address" in p.message for p in said), name
        assert any("a telephone or account number" in p.message for p in said), name
        assert all(f"samples.{table}.columns.{name}.values" in p.message for p in said)


@pytest.mark.parametrize("table", sorted(TYPED))
def test_a_name_where_a_number_or_choice_belongs_is_not_repeated(tmp_path, table):
    rows = filled(table)
    for i, row in enumerate(rows):
        row |= {name: PLANTED[(i + k) % 40] for k, name in enumerate(TYPED[table]) if name != "input_defects"}
    error = refusal(small(tmp_path, **{table: rows}))
    said = {p.place for p in error.problems if p.file == f"data/{table}.csv"}
    assert said >= {*TYPED[table]} - {"input_defects"}


@pytest.mark.parametrize(
    "column", ["arm", "outcome", "severity", "cause", "used", "setting", "handling_minutes"]
)
@pytest.mark.parametrize("text", rest_slow((PLANTED[place] for place in (0, 14, 24, 32)), at_once=1))
def test_each_kind_of_text_in_one_cell_is_not_repeated(tmp_path, column, text):
    rows = cases(30)
    rows[11][column] = text
    path = write_pilot(tmp_path, rows, without=("actions", "access", "evals", "changes", "incidents"))
    error = refusal(path)
    assert any(p.place == column and "row 12" in p.message for p in error.problems)


def test_segments_that_demand_lacks_are_not_repeated(tmp_path):
    rows = cases(40)
    for i, row in enumerate(rows):
        row["segment"] = NAMES[i % 4]
    path = write_pilot(tmp_path, rows, without=("actions", "access", "evals", "changes", "incidents"))
    error = refusal(path)
    assert "that demand.mix lacks" in str(error)


def test_names_that_the_parameters_list_are_shown(tmp_path):
    rows = cases(40)
    for row in rows:
        row["segment"] = {"a": "Water damage", "b": "Fire"}[row["segment"]]
    changes = {"demand": {"mix": {"a": None, "b": None, "Water damage": 0.6, "Fire": 0.4}}}
    path = write_pilot(
        tmp_path, rows, changes, without=("actions", "access", "evals", "changes", "incidents")
    )
    shown = fetch(open_pilot(path).samples, "select distinct segment from cases")
    assert {name for (name,) in shown} == {"Water damage", "Fire"}


def test_a_category_that_is_a_workers_name_is_hidden_however_it_is_written(tmp_path):
    rows = cases(60)
    for i, row in enumerate(rows):
        row |= {"worker": "aschmidt" if i % 2 else "b.moreau", "segment": "aschmidt" if i % 3 else "email"}
    path = write_pilot(
        tmp_path,
        rows,
        {"demand": {"mix": None}},
        without=("actions", "access", "evals", "changes", "incidents"),
    )
    samples = open_pilot(path).samples
    shown = fetch(samples, "select distinct segment from cases")
    assert {name for (name,) in shown} == {"segment 1", "email"}


def test_what_another_export_brings_is_looked_at_too(tmp_path):
    rows = cases(60)
    joined = [
        {"ticket": r["case_id"], "channel": NAMES[i % 3], "model": MAILS[i % 4]} for i, r in enumerate(rows)
    ]
    for row in rows:
        del row["segment"]
    write_csv(tmp_path / "data/crm.csv", joined)
    take = {
        "source": "data/crm.csv",
        "on": {"case_id": "ticket"},
        "take": {"segment": "first"},
        "columns": {"segment": "channel"},
    }
    spec = {"source": "data/cases.csv", "join": [take]}
    without = ("actions", "access", "evals", "changes", "incidents")
    path = write_pilot(tmp_path, rows, {"samples": {"cases": spec}, "demand": {"mix": None}}, without=without)
    samples = open_pilot(path).samples
    assert not found_in(str(fetch(samples, "select * from cases")) + repr(samples))
    assert {r.segment for r in samples.join_rates} == {"segment 1", "segment 2", "segment 3"}
    take["take"] = {"segment": "first", "model": "first"}
    path = write_pilot(tmp_path, rows, {"samples": {"cases": spec}, "demand": {"mix": None}}, without=without)
    assert any(p.place == "model" for p in refusal(path).problems)


def written(folder: Path, name: str, content: bytes, spec: Any = None) -> Path:
    """A pilot whose cases are a file of these bytes."""
    path = write_pilot(folder, cases(2), {"samples": {"cases": spec or f"data/{name}"}}, without=(
        "actions", "access", "evals", "changes", "incidents"))  # fmt: skip
    (folder / "data" / name).write_bytes(content)
    return path


def line(i: int) -> str:
    return f'"{PLANTED[i % 40]}",pilot,"{PLANTED[(i + 1) % 40]}",5'


BROKEN = {
    "too few cells": ("c.csv", "case_id,arm,worker,handling_minutes\n" + line(1) + f'\n"{NAMES[0]}",pilot\n'),
    "too many cells": ("c.csv", "case_id,arm,worker,handling_minutes\n" + line(1) + f'\n{line(2)},"{MAILS[0]}"\n'),
    "an open quotation mark": ("c.csv", "case_id,arm,worker\n" + line(1) + f'\n"{NAMES[0]},pilot,x,3\n'),
    "no header": ("c.csv", "\n".join(line(i) for i in range(14, 30))),
    "no header, names first": ("c.csv", f"{NAMES[0]},{NAMES[1]},pilot,5\n{NAMES[2]},{NAMES[3]},pilot,6\n"),
    "names in a broken line": ("c.jsonl", f'{{"case_id": "{NAMES[0]}", "arm": \n{{"{NAMES[1]}": 1}}\n'),
    "names as keys": ("c.jsonl", f'{{"{NAMES[1]}": "{MAILS[1]}", "{ACCOUNTS[0]}": 3}}\n'),
    "a list of texts": ("c.jsonl", f'["{NAMES[1]}", "{MAILS[1]}"]\n'),
    "no workbook": ("c.xlsx", "".join(PLANTED)),
    "no columns": ("c.parquet", "".join(PLANTED)),
    "nothing in brackets": ("c.json", f'[{{"case_id": "{NAMES[0]}"'),
    "not zipped": ("c.csv.gz", "".join(PLANTED)),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_is_not_quoted(tmp_path, name, text):
    refusal(written(tmp_path, name, text.encode()))


@pytest.mark.parametrize(
    "query",
    [
        "select case_id, arm, cast(worker as double) as handling_minutes from source",
        "select case_id, arm, strptime(worker, '%Y-%m-%d') as started_at from source",
        "select case_id, arm, error(worker) as handling_minutes from source",
        "select case_id, arm, json_extract_string(worker, '$.a')::json as worker from source",
        "select worker as case_id, worker as arm from source",
    ],
)
def test_a_query_that_fails_does_not_quote_the_rows(tmp_path, query):
    text = "case_id,arm,worker,handling_minutes\n" + "\n".join(line(i) for i in range(30))
    refusal(written(tmp_path, "c.csv", text.encode(), {"source": "data/c.csv", "query": query}))


@pytest.mark.parametrize("key", ["cases", "ticket"])
def test_a_database_that_fails_does_not_quote_the_rows(tmp_path, key):
    import duckdb

    path = written(
        tmp_path, "c.csv", b"", {"source": {"connect": "data/c.duckdb", "sql": f"select {key} from t"}}
    )
    with duckdb.connect(str(tmp_path / "data/c.duckdb")) as con:
        con.execute("create table t (cases varchar, arm varchar)")
        con.execute(f"insert into t values ('{NAMES[0]}', '{MAILS[0]}')")
    refusal(path)


@pytest.mark.parametrize(
    "text", ["v2", "crm.write", "gpt-4o-2024-08-06", "a3f5c9e1234567b", "support_l1", "email"]
)
def test_names_of_machines_are_known(text):
    assert identifier_like(text)
    assert looks_personal(text, dates_allowed=True) is None


@pytest.mark.parametrize("text", [*MAILS, *ACCOUNTS, *PHONES])
def test_contacts_and_accounts_are_known(text):
    assert looks_personal(text) is not None
    assert looks_personal(text, dates_allowed=True) is not None


@pytest.mark.parametrize("text", NAMES)
def test_names_of_people_are_not_taken_for_machines(text):
    assert not identifier_like(text)


def test_parameters_may_name_people(tmp_path):
    """Owners are the author's own words; they are meant to be read."""
    path = write_pilot(tmp_path, cases(30), {"about": {"owner": NAMES[0]}})
    assert yaml.safe_load(path.read_text())["about"]["owner"] == NAMES[0]
    assert NAMES[0] in str(open_pilot(path).loaded.parameters.about)
