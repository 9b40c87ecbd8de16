"""What may be in a sample, what is left out and counted, and what is refused with the mend."""

from __future__ import annotations

import hashlib
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pilots import cases, write_pilot
from sample_projects import Project, column

import roi.engine
import roi.samples
from roi.pilot import open_pilot
from roi.problems import SampleError
from roi.samples import Exclusion

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve()
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set ROI_REAL_DATA)")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


REFUSED = {
    "arm": (
        "case_id,arm\n1,pilot\n2,control\n3,Kontrolle\n",
        "arm: 2 values are neither 'baseline' nor 'pilot' (first: row 2, a text of 7 characters); map them under "
        "samples.cases.columns.arm.values",
    ),
    "blank arm": ("case_id,arm\n1,pilot\n2,\n", "arm: 1 value blank; every row needs its arm (first: row 2)"),
    "outcome": (
        "case_id,arm,outcome\n1,pilot,fine\n",
        "outcome: 1 value is none of correct, error, escalated, abandoned",
    ),
    "severity alone": (
        "case_id,arm,outcome,severity\n1,pilot,correct,minor\n",
        "severity: 1 value set where outcome is not 'error'; only errors have a severity (first: row 1)",
    ),
    "setting": ("case_id,arm,setting\n1,pilot,test\n", "setting: 1 value is neither 'demo' nor 'production'"),
    "share": (
        "case_id,arm,label_probability\n1,pilot,60\n",
        "1 value not a share (0 to 1); 60 % is 0.60 (first: row 1, 60)",
    ),
    "negative": (
        "case_id,arm,handling_minutes\n1,pilot,2\n2,pilot,-3.50\n3,pilot,-1\n",
        "handling_minutes: 2 values below 0 (first: row 2, -3.5)",
    ),
    "seconds": (
        "case_id,arm,handling_minutes\n1,pilot,90000\n",
        "above 60 days of work; is samples.cases.columns.handling_minutes.unit wrong",
    ),
    "text in a number": (
        "case_id,arm,handling_minutes\n1,pilot,about five\n",
        "1 value cannot be read; row 1, a text of 10 characters, is no number of minutes",
    ),
    "tokens below 0": ("case_id,arm,input_tokens\n1,pilot,-1\n", "input_tokens: 1 value below 0"),
    "half a token": ("case_id,arm,input_tokens\n1,pilot,1.5\n", "is no whole number"),
    "cached above all": (
        "case_id,arm,input_tokens,cache_read_tokens\n1,pilot,10,11\n",
        "input_tokens: 1 value below the cached tokens; input_tokens is the total",
    ),
    "ended before": (
        "case_id,arm,started_at,ended_at\n1,pilot,2026-01-02,2026-01-01\n",
        "ended_at: 1 value before started_at; are the two columns swapped? (first: row 1)",
    ),
    "repeated": (
        "case_id,arm,handling_minutes\n1,pilot,1\n1,pilot,2\n",
        "case_id: 1 row repeats the case of an earlier row of their arm with other values (first: row 2)",
    ),
    "currency": (
        "case_id,arm,agent_cost,cost_currency\n1,pilot,1,dollars\n",
        "is no currency of three letters",
    ),
    "no case": ("case_id,arm\n,pilot\n", "no row holds a case (1 row was read)"),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_what_is_refused_and_why(project: Project, what: str) -> None:
    text, said = REFUSED[what]
    assert said in project.refusal(text)


def test_a_label_that_a_later_export_restates_is_told_by_the_newer_file(project: Project) -> None:
    project.write("jan.csv", "case_id,arm,handling_minutes,outcome\n1,pilot,1,correct\n2,pilot,2,correct\n")
    project.write("feb.csv", "case_id,arm,handling_minutes,outcome\n3,pilot,1,correct\n2,pilot,2,error\n")
    with pytest.raises(SampleError) as error:
        project.open(cases=["data/jan.csv", "data/feb.csv"])
    assert (
        "data/feb.csv: 1 problem\n  case_id: 1 row repeats the case of an earlier row of their arm with other values "
        "(first: row 2 of data/feb.csv, row 2 of data/jan.csv before it); one row is one case: give the newest export "
        "alone or keep the newest row with query:"
    ) in str(error.value)


def test_the_problems_of_all_tables_come_at_once(project: Project) -> None:
    project.write("actions.csv", "action_id,case_id\nA,1\n")
    project.write("evals.csv", "version,eval_case,passed\nv1,e1,maybe\n")
    others = {"actions": "data/actions.csv", "evals": "data/evals.csv", "access": "data/none.csv"}
    message = project.refusal("case_id,arm,handling_minutes\n1,pilot,-1\n", samples=others)
    assert "handling_minutes: 1 value below 0" in message
    assert "data/actions.csv has no column 'tool'" in message
    assert (
        "passed: 1 value cannot be read; row 1, a text of 5 characters, is neither true nor false" in message
    )
    assert "data/none.csv does not exist" in message


def test_what_is_out_of_range_is_told_beside_what_cannot_be_read(project: Project) -> None:
    text = "case_id,arm,handling_minutes,outcome,severity\n1,pilot,-1,correct,\n2,Kontrolle,2,wrong,minor\n"
    message = project.refusal(text)
    assert "arm: 1 value is neither" in message
    assert "outcome: 1 value is none of" in message
    assert "handling_minutes: 1 value below 0 (first: row 1, -1)" in message
    # Neither follows from a cell that could not be read.
    assert "every row needs its arm" not in message
    assert "only errors have a severity" not in message


@pytest.mark.parametrize(
    ("minutes", "doubt"),
    [
        (("3.5", "1,234", "2"), "1 value has a comma before three digits among numbers with a decimal point "
         "(first: row 2, read as 1234;"),
        (("3.5", "1,234", "2,500"), "2 values have a comma"),
        (("3,5", "1.234", "2"), "1 value has a point before three digits among numbers with a decimal comma"),
        (("3.5", "1,234", "1,500.5"), None),
    ],
)  # fmt: skip
def test_thousands_that_nothing_confirms_are_read_and_told(
    project: Project, minutes: tuple[str, ...], doubt: str | None
) -> None:
    rows = "".join(f"{i};pilot;{value}\n" for i, value in enumerate(minutes))
    samples = project.cases(f"case_id;arm;handling_minutes\n{rows}")
    assert column(samples, "handling_minutes")[1] == Decimal(1234)
    told = [w for w in samples.warnings if "before three digits" in w]
    assert len(told) == (doubt is not None)
    assert doubt is None or f"data/cases.csv: handling_minutes: {doubt}" in told[0]


def test_one_row_is_not_rows(project: Project) -> None:
    project.write("actions.csv", "action_id,case_id,tool\nA,9,pay\n")
    samples = project.cases("case_id,arm\n1,pilot\n", samples={"actions": "data/actions.csv"})
    assert "1 row of actions belongs to no case of the sample" in samples.warnings


def test_rows_left_out_are_counted_by_reason_and_arm(project: Project) -> None:
    text = "case_id,arm,handling_minutes\n1,pilot,1\n,,\n,pilot,3\n1,pilot,1\n1,baseline,1\n2,baseline,5\n"
    samples = project.cases(text)
    assert samples.exclusions == (
        Exclusion(table="cases", reason="wholly blank row", rows=1),
        Exclusion(table="cases", reason="no case_id", rows=1, arm="pilot"),
        Exclusion(table="cases", reason="exact copy of another row", rows=1, arm="pilot"),
    )
    assert column(samples, "row") == [1, 5, 6]


VERSIONS = (
    "case_id,arm,version,started_at,setting\n1,pilot,v1,2026-01-01,production\n2,pilot,v2,2026-02-01,production\n"
    "3,baseline,,2026-01-05,production\n4,pilot,v1,2026-01-02,demo\n5,pilot,,2026-01-02,production\n"
)


@pytest.mark.parametrize(
    ("wanted", "rows", "excluded"),
    [
        ("latest", [2, 3, 4], [("another version of the agent", 1), ("no version of the agent", 1)]),
        ("v1", [1, 3, 4], [("another version of the agent", 1), ("no version of the agent", 1)]),
        (["v1", "v2"], [1, 2, 3, 4], [("no version of the agent", 1)]),
        ("all", [1, 2, 3, 4, 5], []),
    ],
)
def test_versions_are_pooled_only_on_demand(
    project: Project, wanted: Any, rows: list[int], excluded: Any
) -> None:
    samples = project.cases(VERSIONS, samples={"version": wanted})
    assert column(samples, "row") == rows
    assert [(e.reason, e.rows) for e in samples.exclusions] == excluded


def test_a_version_that_is_not_there(project: Project) -> None:
    assert "samples.version: no pilot case carries version 'v9'" in project.refusal(
        VERSIONS, samples={"version": "v9"}
    )
    text = "case_id,arm,version\n1,pilot,v1\n2,pilot,v2\n"
    assert "no started_at tells the newest; name one, or all" in project.refusal(text)


def test_the_same_case_may_be_in_both_arms_and_in_a_demo(project: Project) -> None:
    text = "case_id,arm,setting\n1,pilot,production\n1,baseline,production\n1,pilot,demo\n"
    assert len(column(project.cases(text), "arm")) == 3


@pytest.mark.parametrize("text", ["case_id,arm\n1,pilot\n", "case_id,arm\n1,baseline\n2,baseline\n"])
def test_one_case_or_one_arm_is_evidence_missing_not_an_error(project: Project, text: str) -> None:
    assert project.cases(text)


def test_minutes_that_look_like_seconds_are_a_warning(project: Project) -> None:
    samples = project.cases("case_id,arm,handling_minutes\n1,pilot,600\n2,pilot,700\n3,pilot,2\n")
    assert any(
        "half of the values are above 600 minutes; if these are seconds" in w for w in samples.warnings
    )


def test_a_cost_of_0_beside_tokens_is_unknown_and_currency_is_the_pilots(project: Project) -> None:
    names = "case_id,arm,agent_cost,input_tokens,output_tokens"
    text = f"{names}\n1,pilot,0,10,5\n2,pilot,0,,\n3,pilot,0.5,10,5\n4,baseline,,,\n"
    samples = project.cases(text)
    assert column(samples, "agent_cost") == [None, Decimal(0), Decimal("0.5"), None]
    assert column(samples, "cost_currency") == [None, "EUR", "EUR", None]
    assert samples.unknown_costs == {"a cost of 0 is logged beside tokens": 1}
    own = project.cases("case_id,arm,agent_cost,cost_currency\n1,pilot,1,usd\n2,pilot,1,\n")
    assert column(own, "cost_currency") == ["USD", "EUR"]


def test_tokens_are_priced_where_no_cost_is_logged(project: Project) -> None:
    """gpt-4.1: $2 a million input tokens, $0.50 cached, $8 output."""
    text = (
        "case_id,arm,agent_cost,provider,model,started_at,input_tokens,cache_read_tokens,output_tokens\n"
        "1,pilot,,openai,gpt-4.1,2026-01-01,1000,400,50\n2,pilot,0.2,openai,gpt-4.1,2026-01-01,1000,0,50\n"
        "3,pilot,,openai,house-model,2026-01-01,1000,0,50\n4,baseline,,,,,,,\n5,pilot,,openai,gpt-4.1,2026-01-01,1000,0,\n"
    )
    samples = project.cases(text)
    assert column(samples, "agent_cost") == [Decimal("0.0018"), Decimal("0.2"), None, None, None]
    assert column(samples, "cost_currency") == ["USD", "EUR", None, None, None]
    assert samples.unknown_costs == {
        "input or output tokens are missing": 1,
        "the model has no known price": 1,
    }


def test_segments_that_the_mix_lacks_are_refused_and_named_only_if_common(project: Project) -> None:
    rows = "".join(
        f"{i},pilot,{'phone' if i < 6 else 'Anna Schmidt' if i == 6 else 'email'}\n" for i in range(9)
    )
    message = project.refusal("case_id,arm,segment\n" + rows, demand={"mix": {"email": 1}})
    assert "that demand.mix lacks" in message
    assert "under samples.cases.columns.segment.values" in message
    assert "Anna" not in message
    blank = project.cases("case_id,arm,segment\n1,pilot,email\n2,pilot,\n", demand={"mix": {"email": 1}})
    assert column(blank, "segment") == ["email", "(unknown)"]


def test_actions_of_unknown_cases_are_a_finding(project: Project) -> None:
    project.write("actions.csv", "action_id,case_id,tool\nA,1,crm.read\nB,99,crm.read\n")
    samples = project.cases("case_id,arm\n1,pilot\n", samples={"actions": "data/actions.csv"})
    assert samples.unknown_cases == {"actions": 1}
    assert column(samples, "case_id", "actions")[0] == column(samples, "case_id")[0]


def test_another_export_is_joined_and_its_match_rate_told(project: Project) -> None:
    project.write(
        "traces.jsonl",
        '{"t": "1", "agent_cost": 0.1}\n{"t": "1", "agent_cost": 0.25}\n{"t": "7", "agent_cost": 9}\n',
    )
    project.write("cases.csv", "case_id,arm\n1,pilot\n2,pilot\n3,baseline\n")
    join = {"source": "data/traces.jsonl", "on": {"case_id": "t"}, "take": {"agent_cost": "sum"}}
    samples = project.open({"source": "data/cases.csv", "join": [join]})
    assert column(samples, "agent_cost") == [Decimal("0.35"), None, None]
    assert [(r.arm, r.cases, r.matched) for r in samples.join_rates] == [("baseline", 1, 0), ("pilot", 2, 1)]
    assert sorted(samples.fingerprints) == ["data/cases.csv", "data/traces.jsonl"]
    with pytest.raises(SampleError, match="holds no trace of the format langfuse"):
        project.open({"source": "data/cases.csv", "join": [{**join, "format": "langfuse"}]})


@pytest.mark.slow
def test_reading_does_not_depend_on_threads(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(
        f"T-{i},{'pilot' if i % 2 else 'baseline'},{i % 97}.{i % 10},w{i % 7}\n" for i in range(60_000)
    )
    project.write("cases.csv", "case_id,arm,handling_minutes,worker\n" + rows)

    prepare = roi.samples.prepare

    def digest(threads: int) -> str:
        def narrowed(con: Any, keys: Any) -> None:
            prepare(con, keys)
            con.execute(f"set threads = {threads}")

        monkeypatch.setattr(roi.samples, "prepare", narrowed)
        found = project.open().con.execute(
            "select sha256(string_agg(concat_ws('|', case_id, arm, handling_minutes, worker, \"row\"), ',')) from cases"
        )
        return str(found.fetchall()[0][0])

    assert digest(1) == digest(4)
    samples = project.open()
    assert column(samples, "row") == list(range(1, 60_001))


def test_no_result_depends_on_how_queries_are_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_pilot(tmp_path, cases(300))
    records = []
    for spared in (roi.engine._SPARED, ("an optimizer that no version has",)):
        monkeypatch.setattr(roi.engine, "_SPARED", spared)
        pilot = open_pilot(path)
        (off,) = pilot.samples.con.execute("select current_setting('disabled_optimizers')").fetchall()[0]
        assert bool(off) == ("statistics_propagation" in spared)
        records.append(pilot.decision.record)
    assert records[0] == records[1]


def test_a_large_source_is_planned_with_all_there_is(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roi.readers.files.SMALL", 0)
    con = project.cases("case_id,arm\n1,pilot\n2,baseline\n").con
    assert con.execute("select current_setting('disabled_optimizers')").fetchall() == [("",)]


def test_nothing_that_was_read_stays_in_the_engine(project: Project) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(("case_id", "arm", "worker", "note"))
    book.active.append(("Secret-1", "pilot", "Anna Schmidt", "private"))
    book.save(project.folder / "data" / "c.xlsx")
    samples = project.open("data/c.xlsx")
    con = samples.con
    for (name,) in con.execute("select table_name from duckdb_tables()").fetchall():
        text = str(con.execute(f'select * from "{name}"').fetchall())
        assert "Secret" not in text
        assert "Anna" not in text
        assert "private" not in text


@needs_data
def test_developers_with_and_without_an_assistant(project: Project) -> None:
    """68 of 76 rows carry a time: 36 with the assistant, 32 without (README of the data set)."""
    source = os.path.relpath(DATA / "echoes-of-ai" / "task1_preprocessed.csv", project.folder)
    columns = {
        "case_id": ["github", "exit-date"],  # one person handed in twice
        "worker": "github",
        "arm": {"from": "ai", "values": {"True": "pilot", "False": "baseline"}},
        "handling_minutes": {"from": "clean_time", "unit": "seconds", "blank": "missing"},
    }
    samples = project.open({"source": source, "columns": columns})
    found = samples.con.execute(
        "select arm, count(handling_minutes), median(handling_minutes) from cases group by 1 order by 1"
    ).fetchall()
    assert [(arm, n) for arm, n, _ in found] == [("baseline", 32), ("pilot", 36)]
    assert [round(float(m), 1) for _, _, m in found] == [219.5, 152.0]
    digest = hashlib.sha256((DATA / "echoes-of-ai" / "task1_preprocessed.csv").read_bytes()).hexdigest()
    assert list(samples.fingerprints.values()) == [digest]


@needs_data
@pytest.mark.parametrize(
    ("name", "rows", "cases"), [("receipt.csv", 8577, 1434), ("running-example.csv", 42, 6)]
)
def test_process_logs_open(project: Project, name: str, rows: int, cases: int) -> None:
    """A log of events: each event is its own row, so the key is made of case and row."""
    source = os.path.relpath(DATA / "process-logs" / name, project.folder)
    query = (
        'select "case:concept:name" as case_id, \'baseline\' as arm, min("time:timestamp") as started_at, '
        'max("time:timestamp") as ended_at, count(*) as amount from source group by 1 order by 1'
    )
    samples = project.open({"source": source, "query": query})
    found = samples.con.execute("select count(*), sum(amount) from cases").fetchall()[0]
    assert (int(found[0]), int(found[1])) == (cases, rows)
    assert samples.tables["cases"].columns[-1] == "row"
