"""Inputs that are wrong, as an analyst meets them: the place, the mend, no traceback, and nothing written."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from broken_pilots import COLUMNS, PARAMETERS, Bad, good_rows, held, in_project, invoke, lay  # noqa: F401 - a fixture


def cell(column: str, value: str, *says: str, **how: Any) -> Bad:
    return Bad(cells={column: value}, says=(f"  {column}: ", "row 4", *says), **how)


def keyed(old: str, new: str, *says: str, **how: Any) -> Bad:
    return Bad(text=(old, new), says=("params/made.yaml: ", *says), **how)


def given(new: str, *says: str, **how: Any) -> Bad:
    return keyed("run: {draws: 1000}\n", f"run: {{draws: 1000}}\n{new}\n", *says, **how)


def source(new: str, *says: str, **how: Any) -> Bad:
    return Bad(text=("cases: data/cases.csv", f"cases: {new}"), says=says, **how)


def table(content: str | bytes, *says: str, **how: Any) -> Bad:
    return Bad(files={"data/cases.csv": content}, says=("data/cases.csv: ", *says), **how)


def far_cell() -> bytes:
    """A workbook that a stray cell at its far end makes vast."""
    book = openpyxl.Workbook()
    book.active.append(["case_id", "arm"])
    book.active.append(["1", "pilot"])
    book.active.cell(1_048_576, 16_384).value = "x"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def torn(content: bytes) -> bytes:
    """A file with something else in its middle."""
    middle = len(content) // 2
    return content[: middle - 20] + b"\xff\x00" * 20 + content[middle + 20 :]


def every(**changes: str) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda rows: [row | changes for row in rows]


HEAD = ",".join(COLUMNS)
LINE = "T1,pilot,5,correct,,a,w1,2026-09-01 10:00"
MISSING = "name it under samples.cases.missing"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(12)
)

NUMBERS = {
    "not a number": cell("handling_minutes", "NaN", MISSING),
    "nan, small": cell("handling_minutes", "nan", MISSING),
    "infinite": cell("handling_minutes", "inf", MISSING),
    "minus infinity": cell("handling_minutes", "-Infinity", MISSING),
    "beyond a float": cell("handling_minutes", "1e999", "is no number of minutes"),
    "beyond a decimal": cell("handling_minutes", "1e15", "is no number of minutes"),
    "words": cell("handling_minutes", "about ten", "a text of 9 characters", "unit: duration", hides=("ten",)),
    "a duration": cell("handling_minutes", "1m31s", "columns.handling_minutes.unit: duration"),
    "a share of minutes": cell("handling_minutes", "50%", "is no number of minutes"),
    "a formula": cell("handling_minutes", "=SUM(A1:A9)", "is no number of minutes", hides=("SUM",)),
    "markup": cell("handling_minutes", "<script>alert(1)</script>", "a text of 25", hides=("<script>", "alert")),
    "below zero": cell("handling_minutes", "-3", "below 0", "-3"),
    "milliseconds as minutes": cell("handling_minutes", "540000", "above 60 days", "handling_minutes.unit wrong"),
    "two ways to write decimals": Bad(
        rows=lambda rows: [r | {"handling_minutes": ("3,5", "4.5")[i % 2]} for i, r in enumerate(rows)],
        says=("  handling_minutes: ", "write them in one way"),
    ),
    "points that may be thousands": Bad(
        rows=lambda rows: [r | {"handling_minutes": ("1.234,5", "1,234.5")[i % 2]} for i, r in enumerate(rows)],
        says=("  handling_minutes: ",),
    ),
    "a rate above one": Bad(
        rows=every(label_probability="60"), says=("  label_probability: ", "60 % is 0.60")
    ),
    "an infinite share": Bad(rows=every(label_probability="inf"), says=("  label_probability: ", "is no number")),
    "a negative cost": Bad(rows=every(agent_cost="-0.2"), says=("  agent_cost: ", "below 0")),
    "a cost in millions": Bad(rows=every(agent_cost="200000000"), says=("  agent_cost: ", "above 100 million")),
    "half a token": Bad(rows=every(input_tokens="10.5"), says=("  input_tokens: ", "is no whole number")),
    "more cached than there is": Bad(
        rows=every(input_tokens="10", cache_read_tokens="20"), says=("  input_tokens: ", "is the total")
    ),
    "no currency": Bad(rows=every(agent_cost="1", cost_currency="Euro"), says=("  cost_currency: ", "such as EUR")),
}  # fmt: skip

CELLS = {
    "an arm of theirs": cell("arm", "control", "neither 'baseline' nor 'pilot'", "samples.cases.columns.arm.values"),
    "no arm": cell("arm", "", "blank; every row needs its arm"),
    "an outcome of theirs": cell("outcome", "solved!", "correct, error, escalated, abandoned", "outcome.values"),
    "a severity of what went well": Bad(
        rows=every(outcome="correct", severity="major"), says=("  severity: ", "only errors have a severity")
    ),
    "a day that is not": cell("started_at", "2026-02-30 10:00", "write 2026-03-01 14:05"),
    "an hour that is not": cell("started_at", "2026-03-01 25:00", "write 2026-03-01 14:05"),
    "days or months first": Bad(
        rows=every(started_at="01/02/2026 10:00"), says=("  started_at: ", "write dates as 2026-03-01")
    ),
    "days and months first": Bad(
        rows=lambda rows: [r | {"started_at": ("31/12/2026", "12/31/2026")[i % 2]} for i, r in enumerate(rows)],
        says=("  started_at: ", "write dates as 2026-03-01"),
    ),
    "the end before the start": Bad(
        rows=every(started_at="2026-09-02 10:00", ended_at="2026-09-01 10:00"),
        says=("  ended_at: ", "are the two columns swapped?"),
    ),
    "a case twice": Bad(
        rows=lambda rows: [*rows, rows[0] | {"handling_minutes": "77"}],
        says=("  case_id: ", "first: row 41", "one row is one case"),
    ),
    "a setting of theirs": Bad(rows=every(setting="live"), says=("  setting: ", "columns.setting.values")),
    "a segment that demand lacks": cell("segment", "c", "'c'", "demand.mix lacks", "give its share"),
    "markup as a segment": cell("segment", "<img src=x onerror=alert(1)>", "demand.mix lacks", hides=("<img",)),
    "too many segments": Bad(
        text=("  mix: {a: 0.6, b: 0.4}\n", ""),
        rows=lambda rows: [r | {"segment": f"s{i}"} for i, r in enumerate(good_rows(80))],
        says=("  segment: ", "more than 50 different values", "columns.segment.values"),
    ),
    "addresses as segments": Bad(
        rows=every(segment="anna@example.com"),
        says=("  segment: ", "an e-mail address", "columns.segment.values"),
        hides=("anna",),
    ),
    "rows without a case": Bad(rows=every(case_id=""), says=("no row holds a case",)),
    "rows without anything": table(f"{HEAD}\n" + ",,,,,,,\n" * 3, "no row holds a case"),
}  # fmt: skip

FILES = {
    "empty": table("", "is empty"),
    "a header alone": table(f"{HEAD}\n", "holds no data rows"),
    "blank lines": table("\n\n\n", "has no header row that can be read"),
    "no header": table(f"{LINE}\n{LINE}\n", "look like data", "write names above the first case", hides=("T1",)),
    "another header": Bad(
        files={"data/cases.csv": "ticket,group\n1,x\n"},
        says=("params/made.yaml", "no column 'case_id'", "samples.cases.columns.case_id", "(it has ticket, group)"),
    ),
    "a column twice": table(f"case_id,arm,arm\n{LINE}\n", "  arm: ", "rename one"),
    "too few cells": table(f"{HEAD}\n{LINE}\nT2,pilot\n", "line 3", "has fewer cells", "quotation marks"),
    "too many cells": table(f"{HEAD}\n{LINE},x,y\n", "line 2", "has more cells", "quotation marks"),
    "an open quotation mark": table(f'{HEAD}\nT1,"pilot,5\n{LINE}\n', "quotation mark"),
    "a cell of 10 MB": table(f"{HEAD},note\n{LINE},{'x' * 10_000_000}\n", "line 2", "longer than 1 MB"),
    "bytes": table(os.urandom(64) + bytes(range(256)) * 20, "is not a text file", "export it as CSV in UTF-8"),
    "a null": table(f"{HEAD}\n{LINE}\0\n", "is not a text file"),
    "UTF-16 without a mark": table(f"{HEAD}\n{LINE}\n".encode("utf-16-le"), "is not a text file"),
    "no gz": source("data/c.csv.gz", "data/c.csv.gz", "is it whole", files={"data/c.csv.gz": LINE}),
    "no workbook": source("data/c.xlsx", "data/c.xlsx", "save it as .xlsx", files={"data/c.xlsx": b"PK\x00\x01" * 99}),
    "a torn gz": source(
        "data/c.csv.gz",
        "data/c.csv.gz",
        "is it whole",
        files={"data/c.csv.gz": torn(gzip.compress(f"{HEAD}\n{LINE}\n".encode() + os.urandom(999)))},
    ),
    "a vast workbook": source("data/c.xlsx", "data/c.xlsx", "Ctrl+End", files={"data/c.xlsx": far_cell()}),
    "no Parquet": source("data/c.parquet", "data/c.parquet", "not a Parquet file", files={"data/c.parquet": LINE}),
    "no JSON": source("data/c.jsonl", "data/c.jsonl", "is no JSON object", files={"data/c.jsonl": f"{LINE}\n"}),
    "a document": source("data/c.docx", "is of no kind that is read", "CSV", files={"data/c.docx": LINE}),
    "kinds mixed": source(
        "[data/cases.csv, data/c.jsonl]", "names files of several kinds", files={"data/c.jsonl": "{}"}
    ),
    "not there": source("data/none.csv", "samples.cases.source", "does not exist", "looked in the project folder"),
    "nothing like it": source("data/none*.csv", "samples.cases.source", "matches no file"),
    "a folder": source("data", "samples.cases.source", "is a folder", "data/*.csv"),
    "outside": source("../../../../../etc/passwd", "samples.cases.source", "is of no kind that is read"),
    "outside and not there": source("../../none/cases.csv", "samples.cases.source", "does not exist"),
    "a name with a null": source('"data/\\0.csv"', "samples.cases.source"),
    "a name with quotes": source("\"data/';drop--.csv\"", "samples.cases.source", "does not exist"),
    "an emoji file": source("data/💥.csv", "samples.cases.source", "does not exist"),
    "no such sheet": source(
        "{source: {file: data/c.xlsx, sheet: Nope}}", "data/c.xlsx", files={"data/c.xlsx": "x"}
    ),
}  # fmt: skip
FILES["half a gz"] = source(
    "data/cases.csv.gz",
    "data/cases.csv.gz",
    "is it whole",
    files={"data/cases.csv.gz": gzip.compress(f"{HEAD}\n{LINE}\n".encode() * 99)[:60]},
)

SOURCES = {
    "two SELECTs": source("{source: data/cases.csv, query: 'select 1; select 2'}", "samples.cases.query", "one SELECT"),
    "a statement that changes": source(
        "{source: data/cases.csv, query: 'drop table source'}", "samples.cases.query", "one SELECT"
    ),
    "a query that reads a file": source(
        "{source: data/cases.csv, query: \"select * from '/etc/passwd'\"}", "samples.cases.query", "from source"
    ),
    "a query that calls a reader": source(
        "{source: data/cases.csv, query: \"select * from read_text('/etc/passwd')\"}", "samples.cases.query", "source"
    ),
    "a query that writes": source(
        "{source: data/cases.csv, query: \"copy source to 'out.csv'\"}", "samples.cases.query", "one SELECT"
    ),
    "a query of another column": source(
        "{source: data/cases.csv, query: 'select nope from source'}", "samples.cases.query", "a column that 'source' lacks"
    ),
    "no query": source("{source: data/cases.csv, query: 'selec t fro m'}", "samples.cases.query", "one SELECT"),
    "a query that never ends in time": source(
        "{source: data/cases.csv, query: \"select (select content from read_text('/etc/hostname')) as case_id, arm from source\"}",
        "samples.cases.query",
    ),
    "a password": source(
        "{source: {connect: 'postgresql://me:hunter2@host/db', table: t}}",
        "samples.cases.source.connect", '"${NAME}"', hides=("hunter2",),
    ),
    "no such variable": source(
        '{source: {connect: "${ROI_NO_SUCH_DB}", table: t}}', "samples.cases.source.connect", "no variable ROI_NO_SUCH_DB"
    ),
    "no such database": source(
        "{source: {connect: data/none.duckdb, table: t}}", "samples.cases.source.connect", "does not exist"
    ),
    "no database": source(
        "{source: {connect: data/c.duckdb, table: t}}",
        "samples.cases.source.connect", "cannot be opened", files={"data/c.duckdb": LINE * 100},
    ),
    "a mapped column that is not there": source(
        "{source: data/cases.csv, columns: {handling_minutes: handling_minuets}}",
        "samples.cases.columns.handling_minutes", "did you mean 'handling_minutes'?",
    ),
    "a unit of text": source(
        "{source: data/cases.csv, columns: {worker: {from: worker, unit: seconds}}}", "columns.worker.unit", "leave it out"
    ),
    "a join on nothing": source(
        "{source: data/cases.csv, join: [{source: data/cases.csv, on: {case_id: nope}, take: {agent_cost: sum}}]}",
        "samples.cases.join[0]", "no column 'nope'",
    ),
    "a sum of words": source(
        "{source: data/cases.csv, join: [{source: data/cases.csv, on: {case_id: case_id}, take: {segment: sum}}]}",
        "join[0].take.segment", "only numbers are summed",
    ),
    "a cost below zero that is joined": source(
        "{source: data/cases.csv, join: [{source: data/costs.csv, on: {case_id: id}, take: {agent_cost: sum}}]}",
        "data/costs.csv", "agent_cost", "below 0", files={"data/costs.csv": "id,agent_cost\nT00001,-5\n"},
    ),
    "a trace export": source(
        "{source: data/cases.csv, format: langfuse}", "samples.cases.format", "leave format out"
    ),
    "a version that no case has": keyed(
        "assignment: randomised", "version: v9", "samples.version", rows=every(version="v1")
    ),
}  # fmt: skip

YAML = {
    "empty": Bad(text="", says=("params/made.yaml", "is empty")),
    "a list": Bad(text="- pilot: made\n", says=("params/made.yaml", "a list", "pilot:")),
    "a sentence": Bad(text="kill it", says=("params/made.yaml", "keys such as 'pilot:'")),
    "bytes": Bad(text=b"\x89PNG\r\n\x1a\n\x00\x00\xff", says=("params/made.yaml",)),
    "UTF-16": Bad(text=PARAMETERS.encode("utf-16"), says=("params/made.yaml",)),
    "a tab": Bad(text="pilot:\n\tmade\n", says=("params/made.yaml", "line 2")),
    "an open quotation mark": keyed("title: A pilot", 'title: "A pilot', "line"),
    "an open bracket": keyed("mix: {a: 0.6, b: 0.4}", "mix: {a: 0.6, b: 0.4", "line"),
    "two documents": given("---\npilot: made", "params/made.yaml"),
    "a bomb": given(BOMB, "marks a value for repetition"),
    "a tag of Python": given("claims: !!python/object/apply:os.system [touch pwned]", "the tag", "without it"),
    "a merge": given("<<: {pilot: other}", "<<"),
    "an alias": keyed("error_cost: 50", "error_cost: &x 50\n  pilot_cost_per_month: *x", "write values out"),
    "a key twice": given("pilot: made", "pilot", "stands twice", "keep one"),
    "nested a thousand deep": given("claims: " + "[" * 1000 + "]" * 1000, "nested more than"),
    "an unknown key": given("rmeedies: []", "rmeedies", "did you mean 'remedies'?"),
    "a key of markup": given("<script>alert(1)</script>: 1", "unknown key"),
    "an emoji key": given("💥: 1", "💥", "unknown key"),
    "a name with a path": keyed("pilot: made", "pilot: ../made", "pilot", "a name of a-z"),
    "a name of markup": keyed("pilot: made", "pilot: '<script>'", "pilot", "a name of a-z"),
    "a name with quotes": keyed("pilot: made", "pilot: 'o''brien'", "pilot", "a name of a-z"),
    "an emoji name": keyed("pilot: made", "pilot: 💥", "pilot", "a name of a-z"),
    "another name": keyed("pilot: made", "pilot: other", "pilot", "write 'made'"),
    "no name": keyed("pilot: made", "pilot:", "pilot"),
    "no samples": keyed("samples:\n  assignment: randomised\n  cases: data/cases.csv\n", "", "samples", "is required"),
}  # fmt: skip

VALUES = {
    "not a number": keyed("cases_per_month: 2000", "cases_per_month: .nan", "demand.cases_per_month", "leave the key out"),
    "infinite": keyed("labour_cost_per_hour: 40", "labour_cost_per_hour: .inf", "economics.labour_cost_per_hour"),
    "words": keyed("error_cost: 50", "error_cost: fifty", "economics.error_cost"),
    "a sum beyond all money": keyed("error_cost: 50", "error_cost: 1e16", "economics.error_cost", "too large"),
    "a negative cost": keyed("rollout_cost: 20000", "rollout_cost: -20000", "economics.rollout_cost", "below 0"),
    "an octal": keyed("cases_per_month: 2000", "cases_per_month: 02000", "demand.cases_per_month", "write 2000"),
    "thousands with a comma": keyed("rollout_cost: 20000", 'rollout_cost: "20,000"', "economics.rollout_cost"),
    "the ends exchanged": keyed(
        "cases_per_month: 2000", "cases_per_month: {low: 9, high: 5}", "demand.cases_per_month", "exchange"
    ),
    "half an interval": keyed(
        "cases_per_month: 2000", "cases_per_month: {low: 9}", "demand.cases_per_month", "'high' is missing"
    ),
    "per cent": given("policy: {scale_probability: 85}", "policy.scale_probability", "0.85"),
    "a share above one": keyed("error_cost: 50", "error_cost: 50\n  discount_rate: 8", "discount_rate", "8 % is 0.08"),
    "a mix above one": keyed("mix: {a: 0.6, b: 0.4}", "mix: {a: 0.6, b: 0.6}", "demand.mix", "sum to 1.2"),
    "a mix below zero": keyed("mix: {a: 0.6, b: 0.4}", "mix: {a: 1.4, b: -0.4}", "demand.mix"),
    "a mix of nothing": keyed("mix: {a: 0.6, b: 0.4}", "mix: {a: .nan, b: 1}", "demand.mix.a"),
    "a day that is not": keyed(
        "about: {title: A pilot, currency: EUR}", "about: {decide_by: 2026-02-30}", "about.decide_by", "calendar"
    ),
    "a day written otherwise": keyed(
        "about: {title: A pilot, currency: EUR}", "about: {decide_by: 31.12.2026}", "about.decide_by", "2026-12-31"
    ),
    "a locale with an underscore": keyed("currency: EUR", "currency: EUR, locale: de_de", "about.locale", "de-DE"),
    "a currency of words": keyed("currency: EUR", "currency: Euro", "about.currency", "EUR"),
    "ten draws": keyed("draws: 1000", "draws: 10", "run.draws", "1000 to 1000000"),
    "a million million draws": keyed("draws: 1000", "draws: 1000000000000", "run.draws", "1000 to 1000000"),
    "no months": keyed("error_cost: 50", "error_cost: 50\n  horizon_months: 0", "economics.horizon_months", "1 to 240"),
    "a title of 1 MB": keyed("title: A pilot", f"title: {'x' * 1_000_000}", "at most 1,000,000"),
    "more than each hour": keyed(
        "error_cost: 50", "error_cost: 50\n  realisation: {cash: 0.7, redeployed: 0.6}", "economics.realisation", "1.3"
    ),
    "an exchange for nothing": keyed("error_cost: 50", "error_cost: 50\n  fx: {USD: 0}", "economics.fx.USD", "above 0"),
    "usage priced twice": Bad(
        text=(
            "rollout_cost: 20000",
            "rollout_cost: 20000\n  costs: [{name: Tokens, kind: model_usage, amount: 900, per: month}]",
        ),
        rows=every(agent_cost="0.2"),
        says=("params/made.yaml", "economics.costs[0]", "priced twice", "remove this line"),
    ),
    "an unknown zone": keyed("assignment: randomised", "timezone: Europe/Berln", "samples.timezone", "'Europe/Berlin'?"),
    "a remedy after itself": given("remedies: [{name: a, addresses: data, after: a}]", "remedies[0].after"),
    "a remedy for nothing": given("remedies: [{name: a, addresses: dta}]", "remedies[0].addresses", "'data'?"),
    "a looser policy": given("policy: {scale_probability: 0.7}", "policy.scale_probability", "only be raised"),
    "an exception that ended": Bad(
        text=(
            "run: {draws: 1000}",
            "run: {draws: 1000, as_of: 2026-11-30}\npolicy:\n  scale_probability: 0.7\n  exception: {key: scale_probability, "
            "value: 0.7, reason: haste, approved_by: CFO, expires: 2026-01-31}",
        ),
        says=("policy.scale_probability",),
    ),
    "an unknown rule": Bad(policy="hurdel: 3\n", says=("params/_policy.yaml", "hurdel", "did you mean 'hurdle'?")),
    "a rule that is no number": Bad(policy="scale_probability: .nan\n", says=("params/_policy.yaml", "scale_probability")),
    "a policy of per cents": Bad(policy="scale_probability: 80\n", says=("params/_policy.yaml", "scale_probability", "0.8")),
    "a policy of bytes": Bad(policy="\0", says=("params/_policy.yaml",)),
}  # fmt: skip

ALL = {
    f"{kind}: {name}": bad
    for kind, group in (
        ("numbers", NUMBERS),
        ("cells", CELLS),
        ("files", FILES),
        ("sources", SOURCES),
        ("yaml", YAML),
        ("values", VALUES),
    )
    for name, bad in group.items()
}


def test_the_bar_is_met():
    assert len(ALL) >= 60


def test_the_pilot_is_good_before_it_is_broken(project):
    lay(project, Bad(says=()))
    assert invoke("check", "params/made.yaml").exit_code == 0


@pytest.mark.parametrize("name", ALL)
def test_what_is_wrong_is_told_and_nothing_is_written(project, name):
    bad = ALL[name]
    lay(project, bad)
    before = held(project)
    done = invoke("check", "params/made.yaml")
    assert done.exit_code == 2, done.output
    assert all(text in done.stderr for text in bad.says), done.stderr
    assert not any(text in done.stderr for text in bad.hides), done.stderr
    assert len(done.stderr) < 20_000
    assert done.stdout == ""
    assert held(project) == before


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nobody", "params/nobody.yaml: "),
        ("mdae", "did you mean 'made'?"),
        ("../made", "does not exist"),
        ("<script>", "is not the name of a pilot"),
        ("💥", "is not the name of a pilot"),
        ("data", "holds no parameter file"),
        ("data/cases.csv", "data/cases.csv: "),
        ("params/_policy.yaml", "params/_policy.yaml: "),
        ("params/made\0.yaml", "does not exist"),
    ],
)
@pytest.mark.parametrize("command", ["check", "decide", "batch"])
def test_a_pilot_that_is_none(project, command, path, says):
    lay(project, Bad(says=()))
    before = held(project)
    done = invoke(command, path)
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert held(project) == before
    assert not (project / "reports").exists()


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("run: {draws: 1000}", "run: {draws: 1}", "run.draws"),
        ("pilot: made", "pilot: other", "pilot"),
        ("about: {title", "about: {titel", "about.titel"),
        ("cases_per_month: 2000", "cases_per_month: many", "demand.cases_per_month"),
        ("run: {", "runs: {", "runs"),
    ],
)
def test_check_tells_of_samples_beside_parameters(project, old, new, place):
    text = PARAMETERS.replace(old, new).replace(
        "cases: data/cases.csv", "cases: data/cases.csv\n  actions: data/none.csv"
    )
    lay(project, Bad(says=(), text=text, cells={"handling_minutes": "-3", "arm": "Kontrolle"}))
    done = invoke("check", "params")
    assert done.exit_code == 2
    for said in (
        f"  {place}",
        "data/none.csv does not exist",
        "  arm: 1 value",
        "  handling_minutes: 1 value below 0",
    ):
        assert said in done.stderr


def test_check_tells_of_samples_beside_a_broken_policy(project):
    lay(project, Bad(says=(), cells={"handling_minutes": "-3"}, policy="privacy: {min_group: few}\n"))
    done = invoke("check", "params")
    assert "params/_policy.yaml: 1 problem\n  privacy.min_group" in done.stderr
    assert "handling_minutes: 1 value below 0" in done.stderr


def test_an_expired_exception_is_in_the_check(project):
    exception = "{key: hurdle, value: -9, reason: r, approved_by: b, expires: 2020-06-30}"
    lay(project, Bad(says=(), text=f"{PARAMETERS}policy: {{exception: {exception}}}\n"))
    assert "the one for hurdle expired on 2020-06-30" in invoke("check", "params").stdout


def test_every_bad_pilot_is_told_at_once_and_the_good_one_decided(project):
    lay(project, Bad(says=()))
    for name in ("one", "two"):
        text = PARAMETERS.replace("pilot: made", f"pilot: {name}").replace(
            "run: {draws: 1000}", "run: {draws: 1}"
        )
        (project / f"params/{name}.yaml").write_text(text)
    done = invoke("decide", "params", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["pilot"] == "made"
    assert "params/one.yaml: 1 problem" in done.stderr
    assert "params/two.yaml: 1 problem" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["yaml: a bomb", "sources: a query that reads a file"],
)
def test_a_process_of_its_own_exits_with_two(tmp_path, name):
    bad = ALL[name]
    lay(tmp_path, bad)
    before = held(tmp_path)
    command = [
        sys.executable,
        "-c",
        "from roi.cli import main; main()",
        "decide",
        "params/made.yaml",
        "--json",
    ]
    path = os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert all(text in done.stderr for text in bad.says)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert held(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yaml: an unknown key", "numbers: words", "files: too few cells"])
def test_a_batch_of_a_bad_pilot_writes_no_report(project, name):
    lay(project, ALL[name])
    before = held(project)
    done = invoke("batch", "params")
    assert done.exit_code == 2, done.output
    assert not list(project.rglob("report.html"))
    assert not list(project.rglob("decision.json"))
    assert {k: v for k, v in held(project).items() if not k.startswith("reports/")} == before
