"""`roi import`: one conversation one case, tables that decide as the export itself does, and what was left out and why."""

from __future__ import annotations

import csv
import html
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from made_exports import JSON
from sample_projects import Project, column

from roi.cli import main
from roi.importers import FORMATS
from roi.importers.conversations import group
from roi.importers.export import table_of
from roi.importing import Imported, import_files
from roi.problems import InputError
from roi.report.imported import field_map, imported_page

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve()
needs_data = pytest.mark.skipif(
    not (DATA / "trace-formats").is_dir(), reason=f"no real traces at {DATA} (set ROI_REAL_DATA)"
)


def trace(name: str, **more: Any) -> dict[str, str | None]:
    return {"trace_id": name, "name": "run", "started_at": "2026-01-05T08:00:00Z", "ended_at": "2026-01-05T08:00:09Z",
            "agent_cost": "0.1", "cost_currency": "USD", "model": "m", "models": "m", "errors": "0", "input_tokens": "10", **more}  # fmt: skip


def test_traces_of_one_session_are_one_case() -> None:
    """A failed try, the next one, the next one once more under another name, and another session with an unknown cost."""
    later = {"started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T09:00:09Z"}
    rows = [
        trace("a", session_id="s1", errors="1"), trace("b", session_id="s1", agent_cost="0.25", **later),
        trace("c", session_id="s1", agent_cost="0.25", **later),
        trace("d", session_id="s2"), trace("e", session_id="s2", agent_cost=None, model="n", models="n", **later),
        trace("f"),
    ]  # fmt: skip
    found = group(table_of(rows))
    names = (
        "case_id",
        "traces",
        "retries",
        "agent_cost",
        "cost_currency",
        "input_tokens",
        "model",
        "models",
        "started_at",
    )
    early = "2026-01-05T08:00:00Z"
    assert [tuple(row.get(n) for n in names) for row in found.cases.rows] == [
        ("s1", "2", "1", "0.35", "USD", "20", "m", "m", early), ("s2", "2", None, None, None, "20", None, "m + n", early),
        ("f", None, None, "0.1", "USD", "10", "m", "m", early),
    ]  # fmt: skip
    assert found.case_of == {"a": "s1", "b": "s1", "d": "s2", "e": "s2", "f": "f"}
    assert found.resent == {"c"}
    assert found.rule == "6 traces told apart: 5 by the session, 1 by the trace"
    assert len(found.said) == 3


def test_names_that_every_trace_has_for_itself_make_no_columns_without_end(tmp_path: Path) -> None:
    def span(i: int) -> dict[str, Any]:
        said = {"ticket": f"T{i}", f"queue.{i}.name": "v", f"queue.{i}.place": "w"}
        listed = [{"key": k, "value": {"stringValue": v}} for k, v in said.items()]
        return {"traceId": f"t{i}", "spanId": "a", "name": "run", "attributes": listed}

    lines = [{"resourceSpans": [{"scopeSpans": [{"spans": [span(i)]}]}]} for i in range(400)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    made = import_files(["t.jsonl"], here=tmp_path)
    names = made.tables["cases"].names
    assert len(names) < 530
    assert {"case_id", "attributes.ticket"} < set(names)
    assert [n for why, n in made.left_out.items() if "beyond the first 500" in why] == [
        801 - len([n for n in names if n.startswith("attributes.")])
    ]


def test_a_column_may_name_the_case() -> None:
    rows = [
        trace("a", session_id="s1", **{"metadata.ticket": "T"}),
        trace("b", session_id="s2", **{"metadata.ticket": "T"}),
    ]
    assert [r.get("case_id") for r in group(table_of(rows), key="metadata.ticket").cases.rows] == ["T"]
    with pytest.raises(KeyError):
        group(table_of(rows), key="metadata.tiket")


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_every_format_says_where_its_columns_come_from(format: str) -> None:
    maps = field_map(format)
    assert maps
    assert all(head.startswith("column") and len(rows) >= 3 for head, rows in maps)
    assert all(ours and theirs for _, rows in maps for ours, theirs in rows)


def runs(path: Path, rows: int = 40) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "run_id",
                "session_id",
                "model",
                "version",
                "prompt_tokens",
                "completion_tokens",
                "cost_usd",
                "<b>",
            ]
        )
        writer.writerows(
            [i, f"s{i // 2}", "gpt-4.1", "v2" if i % 4 < 2 else "v1", 1000 + i, 100, 0.01, "<i>x</i>"]
            for i in range(rows)
        )


def test_what_is_imported_reads_as_samples(tmp_path: Path) -> None:
    project = Project(tmp_path)
    runs(tmp_path / "runs.csv")
    (tmp_path / "notes.md").write_text("nothing")
    given = [str(tmp_path), "-o", str(tmp_path / "data"), "--arm", "v1=baseline", "--arm", "pilot"]
    done = CliRunner().invoke(main, ["import", *given])
    assert done.exit_code == 0, done.output
    assert "cases.csv: 20 rows" in done.output
    samples = project.open("data/cases.csv")
    assert column(samples, "arm") == ["pilot", "baseline"] * 10
    assert float(column(samples, "agent_cost")[0]) == pytest.approx(0.02)
    told = json.loads((tmp_path / "data" / "import.json").read_text())
    assert [s["left_out"] is None for s in told["sources"]] == [False, True]
    assert told["arm"] == "The arm was told by --arm."
    page = (tmp_path / "data" / "import.html").read_text()
    assert "&lt;b&gt;" in page
    assert "<i>x" not in page
    assert "notes.md" in page
    again = CliRunner().invoke(main, ["import", *given])
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    assert CliRunner().invoke(main, ["import", *given, "--force"]).exit_code == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["none.csv"], "does not exist"),
        (["runs.csv", "--format", "nothing"], "is none of langfuse"),
        (["runs.csv", "--case", "tiket"], "no trace has a column tiket; there are"),
        (["runs.csv", "--arm", "v9=pilot"], "no case has the version or model v9; there are v1, v2"),
        (["runs.csv", "--arm", "v1=agent"], "agent is neither baseline nor pilot"),
        (["notes.md"], "no file is an export that is read"),
        (["cut.eval", "--format", "inspect"], "is no archive that can be read"),
    ],
)
def test_what_cannot_be_imported_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    runs(tmp_path / "runs.csv")
    (tmp_path / "notes.md").write_text("nothing")
    (tmp_path / "cut.eval").write_bytes(b"PK\x03\x04")
    done = CliRunner().invoke(main, ["import", *given, "-o", "out"])
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert not (tmp_path / "out").exists()


def test_the_same_files_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        runs(tmp_path / name / "runs.csv")
        assert CliRunner().invoke(main, ["import", "runs.csv", "-o", "out"]).exit_code == 0
        made.append([p.read_bytes() for p in sorted((tmp_path / name / "out").iterdir())])
    assert made[0] == made[1]


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "rows", "others"),
    [
        ("trace-formats", {"cases": 154, "actions": 65, "evals": 321}, 20),
        ("tau2-before-after", {"cases": 280, "actions": 2964, "evals": 280}, 2),
        ("promptfoo-classification", {"cases": 1425, "evals": 1425, "versions": 40}, 4),
        ("process-logs", {"cases": 13087 + 7554 + 4580 + 1434 + 100 + 6}, 2),
    ],
)
def test_every_real_file_is_read_or_left_out_with_a_reason(
    folder: str, rows: dict[str, int], others: int
) -> None:
    found = import_files([folder], here=DATA)
    assert {name: len(table.rows) for name, table in found.tables.items()} == rows
    passed = [s for s in found.sources if s.format is None]
    assert all(s.why for s in passed)
    assert len(passed) == others, [(s.name, s.why) for s in passed]


@pytest.mark.parametrize("page", [True, False])
def test_jaegers_own_json_is_told_what_to_export_instead(tmp_path: Path, page: bool) -> None:
    trace = {
        "traceID": "a",
        "spans": [{"traceID": "a", "spanID": "b", "operationName": "chat"}],
        "processes": {},
    }
    (tmp_path / "t.json").write_text(json.dumps({"data": [trace]} if page else trace))
    with pytest.raises(InputError, match="is Jaeger's own JSON; ask its /api/v3/traces"):
        import_files(["t.json"], here=tmp_path)


def test_nothing_is_imported_where_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1}')
    with pytest.raises(InputError, match="is JSON of no format that is known"):
        import_files(["x.json"], here=tmp_path)


def test_the_page_says_what_to_write_into_the_parameter_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are those of the folder, each version has its line, and the draft that it names can be made."""
    monkeypatch.chdir(tmp_path)
    runs(tmp_path / "runs.csv")
    done = CliRunner().invoke(main, ["import", "runs.csv", "-o", "data/x"])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "data" / "x" / "import.html").read_text()
    (said,) = re.findall(r'<pre class="paste">(.*?)</pre>', page, re.S)
    assert yaml.safe_load(html.unescape(said)) == {
        "samples": {
            "cases": {
                "source": "data/x/cases.csv",
                "columns": {"arm": {"from": "version", "values": {"v1": "ARM", "v2": "ARM"}}},
            }
        }
    }
    assert "roi new NAME --cases data/x/cases.csv" in page
    done = CliRunner().invoke(main, ["import", "runs.csv", "-o", "data/x", "--arm", "pilot", "--force"])
    assert "ARM" not in (tmp_path / "data" / "x" / "import.html").read_text()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"model": "a"}, {"model": "b", "version": "1"}], 'from: model\n        values:\n          "a": ARM\n          "b": ARM'),
        ([{"version": "1"}, {"version": "1"}], "arm: {value: ARM}"),
        ([{}], "arm: {value: ARM}"),
        ([{"version": str(i)} for i in range(30)], "arm: {from: version, values: {ONE: baseline, OTHER: pilot}}"),
    ],
)  # fmt: skip
def test_arms_are_told_by_what_most_cases_have(rows: list[dict[str, str]], said: str) -> None:
    cases = table_of({"case_id": str(i), **row} for i, row in enumerate(rows))
    imported = Imported(
        sources=(),
        tables={"cases": cases},
        rules=(),
        said=(),
        left_out={},
        contradictions=(),
        arm="",
    )
    assert said in html.unescape(imported_page(imported, Path("data")))


def test_the_page_says_what_shared_columns_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps(v) for v in JSON["langfuse"]()))
    assert CliRunner().invoke(main, ["import", "t.jsonl", "-o", "data"]).exit_code == 0
    page = (tmp_path / "data" / "import.html").read_text()
    assert "seconds between them" in page
    assert "see tables" not in page


def test_an_agents_running_time_is_nobodys_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft for imported traces leaves the minutes to people, who alone know them."""
    monkeypatch.chdir(tmp_path)
    call = JSON["langfuse"]()[0]
    with (tmp_path / "t.jsonl").open("w") as file:
        for i in range(12):
            one = json.loads(
                json.dumps(call).replace('"t"', f'"t{i}"').replace('"s"', f'"s{i}"').replace("2026-01-05", f"2026-01-{i + 1:02d}")
            )  # fmt: skip
            one["trace"]["version"] = f"v{i % 2}"
            file.write(json.dumps(one) + "\n")
    given = ["import", "t.jsonl", "-o", "data/x", "--arm", "v0=baseline", "--arm", "v1=pilot"]
    assert CliRunner().invoke(main, given).exit_code == 0
    done = CliRunner().invoke(main, ["new", "made", "--cases", "data/x/cases.csv"])
    assert done.exit_code == 0, done.output
    columns = yaml.safe_load((tmp_path / "params" / "made.yaml").read_text())["samples"]["cases"]["columns"]
    assert "handling_minutes" not in columns
    assert columns["agent_cost"] == "agent_cost"
