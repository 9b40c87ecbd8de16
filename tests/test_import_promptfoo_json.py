"""promptfoo's files as it writes them: versions 2, 3 and 4, JSON Lines, and CSV with grades in a column of their own.

The shapes are those of its types `EvaluateSummaryV2`, `EvaluateSummaryV3`, `ResultsFile` and `OutputFile`, of
`convertTestResultsToTableRow` and of `buildCsvHeaders`; all numbers are made up.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sample_projects import Project, column

from roi.importers import read_export, recognise
from roi.importers.export import Export
from roi.importers.promptfoo import knows
from roi.readers.files import Found, look_through

OK = ((True, True, False), (True, False, False))  # of two prompts, on three tests; prompt 1 errs on the third
USAGE = {"total": 110, "prompt": 100, "completion": 10, "cached": 0, "numRequests": 1,
         "completionDetails": {"reasoning": 4, "cacheReadInputTokens": 60}}  # fmt: skip


def read(*paths: Path, names: tuple[str, ...] = ()) -> Export:
    found = [Found(p, n) for p, n in zip(paths, names or [p.name for p in paths], strict=True)]
    assert {recognise(f) for f in found} == {"promptfoo"}
    return read_export("promptfoo", [(f, look_through(f)) for f in found])


def result(prompt: int, test: int, **more: Any) -> dict[str, Any]:
    ok = OK[prompt][test]
    return {
        "cost": 0.002, "error": None if ok else "x", "gradingResult": {"pass": ok, "score": float(ok), "reason": "", "componentResults": []},
        "id": f"u{prompt}{test}", "latencyMs": 100, "namedScores": {}, "prompt": {"raw": f"say {test}", "label": f"Prompt {prompt}"},
        "promptId": "ab"[prompt] * 64, "promptIdx": prompt, "provider": {"id": "openai:chat:gpt-4.1-mini", "label": ""},
        "response": {"output": "x", "tokenUsage": USAGE, "cached": False, "cost": 0.002}, "score": float(ok), "success": ok,
        "testCase": {"vars": {"q": f"q{test}"}, "assert": [], "metadata": {"category": "billing"}}, "testIdx": test,
        "vars": {"q": f"q{test}"}, "metadata": {}, "failureReason": 0 if ok else 2 if (prompt, test) == (1, 2) else 1, **more,
    }  # fmt: skip


def prompt(place: int, **more: Any) -> dict[str, Any]:
    errors = place
    return {
        "raw": f"Template {place} {{{{q}}}}", "label": f"Prompt {place}", "id": "ab"[place] * 64, "provider": "openai:chat:gpt-4.1-mini",
        "metrics": {"score": 1, "testPassCount": sum(OK[place]), "testFailCount": 3 - sum(OK[place]) - errors, "testErrorCount": errors,
                    "assertPassCount": 1, "assertFailCount": 1, "totalLatencyMs": 300, "cost": 0.006, "namedScores": {},
                    "tokenUsage": {"total": 330, "prompt": 300, "completion": 30, "cached": 0, "numRequests": 3}}, **more,
    }  # fmt: skip


RESULTS = [result(p, t) for t in range(3) for p in (0, 1)]
V3 = {"version": 3, "timestamp": "2026-05-19T22:20:39.572Z", "prompts": [prompt(0), prompt(1)], "results": RESULTS,
      "stats": {"successes": 3, "failures": 2, "errors": 1}}  # fmt: skip


def older() -> dict[str, Any]:
    """Version 2: nothing but texts says which prompt and which test an output is of; errors are failures."""
    late = ("id", "promptId", "promptIdx", "testIdx", "testCase", "metadata", "failureReason", "error")
    results = [{k: v for k, v in r.items() if k not in late} for r in RESULTS]
    prompts = [{k: v for k, v in prompt(p).items() if k != "id"} for p in (0, 1)]
    for given in prompts:
        given["metrics"]["testFailCount"] += given["metrics"].pop("testErrorCount")
    body = [
        {"outputs": [{"pass": OK[p][t], "text": "x"} for p in (0, 1)], "vars": [f"q{t}"]} for t in range(3)
    ]
    table = {"head": {"prompts": prompts, "vars": ["q"]}, "body": body}
    return {"version": 2, "timestamp": V3["timestamp"], "results": results, "table": table, "stats": {}}


FILES = {
    "version 3": {"evalId": "e", "results": V3, "config": {}, "shareableUrl": None, "metadata": {"promptfooVersion": "0.118.0"}},
    "version 2": {"evalId": "e", "results": older(), "config": {}, "shareableUrl": None},
    "file of version 3": {"version": 3, "createdAt": V3["timestamp"], "results": older(), "config": {}, "author": None,
                          "prompts": older()["table"]["head"]["prompts"]},
    "file of version 4": {"version": 4, "createdAt": V3["timestamp"], "results": V3, "config": {}, "author": None, "prompts": V3["prompts"]},
    "alone": V3,
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_each_version_gives_the_same_outputs(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out.json"
    path.write_text(json.dumps(FILES[kind], indent=2))
    found = read(path)
    names = found.versions.column("version")
    assert len(names) == 2
    assert [(r["version"], r["eval_case"], r["passed"]) for r in found.evals.rows] == [
        (names[p], str(t + 1), str(OK[p][t]).lower()) for t in range(3) for p in (0, 1)
    ]
    assert [(r["passed"], r["failed"], r["agent_cost"]) for r in found.versions.rows] == [
        ("2", "1", "0.006000000"), ("1", "2", "0.006000000")
    ]  # fmt: skip
    assert (found.contradictions, dict(found.left_out), found.warnings) == ((), {}, ())
    first = found.traces.rows[0]
    assert {k: first[k] for k in ("provider", "model", "input_tokens", "cache_read_tokens", "started_at", "pair_id")} == {
        "provider": "openai", "model": "gpt-4.1-mini", "input_tokens": "100", "cache_read_tokens": "60",
        "started_at": "2026-05-19T22:20:39.572000Z", "pair_id": "e:1" if "evalId" in FILES[kind] else "out:1",
    }  # fmt: skip


def test_json_lines_of_outputs(tmp_path: Path) -> None:
    """An output that was tried again stands a second time: the later one counts."""
    path = tmp_path / "out.jsonl"
    again = result(1, 2, success=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in [*RESULTS, again]))
    found = read(path)
    assert [r["passed"] for r in found.evals.rows] == ["true", "true", "true", "false", "false", "true"]
    assert found.left_out == {"a graded output that occurs more than once counts once": 1}
    assert found.evals.column("segment") == ["billing"] * 6


@pytest.mark.parametrize("more", [["Named Scores", "Grader Reason"], ["Grader Reason"]])
def test_grades_in_a_column_of_their_own(tmp_path: Path, more: list[str]) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        write(
            [
                "q",
                *(
                    c
                    for p in (0, 1)
                    for c in (f"[openai:gpt-4.1-mini] P{p}", "Status", "Score", *more, "Comment")
                ),
            ]
        )
        for t in range(3):
            state = ["PASS" if OK[p][t] else "ERROR" if (p, t) == (1, 2) else "FAIL" for p in (0, 1)]
            write(
                [
                    f"q{t}",
                    *(
                        c
                        for s in state
                        for c in ("[PASS] is what it said", s, "1.00", *("" for _ in more), "")
                    ),
                ]
            )
    found = read(path)
    assert [(r["version"], r["eval_case"], r["passed"]) for r in found.evals.rows] == [
        (f"[openai:gpt-4.1-mini] P{p}", str(t + 1), str(OK[p][t]).lower()) for t in range(3) for p in (0, 1)
    ]


def test_a_table_of_ones_own_with_a_status_is_none(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("case_id,Output,Status,Score,arm\n1,x,PASS,1,pilot\n")
    assert recognise(Found(path, path.name), asked=True) != "promptfoo"


def test_what_its_own_cache_answered_costs_an_unknown_sum(tmp_path: Path) -> None:
    """Nothing was sent: neither a cost, nor tokens, nor a read from the provider's cache of prompts."""
    answered = {"output": "x", "tokenUsage": {"total": 110, "cached": 110}, "cached": True, "cost": 0}
    results = [result(0, 0), result(0, 1, response=answered, cost=0)]
    header = prompt(0)
    header["metrics"].update(testPassCount=2, testFailCount=0, cost=0.002)
    header["metrics"]["tokenUsage"] = {"total": 220, "prompt": 100, "completion": 10, "cached": 110}
    path = tmp_path / "out.json"
    path.write_text(json.dumps({"evalId": "e", "results": {**V3, "results": results, "prompts": [header]}}))
    found = read(path)
    assert [(r.get("agent_cost"), r.get("input_tokens"), r.get("cache_read_tokens")) for r in found.evals.rows] == [
        ("0.002000000", "100", "60"), (None, None, None)
    ]  # fmt: skip
    assert "agent_cost" not in found.versions.names
    assert found.warnings == (
        "1 version has an unknown cost: a part was answered from promptfoo's own cache, which logs none",
    )
    assert found.contradictions == ()


def test_a_cost_that_its_rows_do_not_give_is_told(tmp_path: Path) -> None:
    header = prompt(0)
    header["metrics"]["cost"] = 0.5
    path = tmp_path / "out.json"
    results = [result(0, t) for t in range(3)]
    path.write_text(json.dumps({"evalId": "e", "results": {**V3, "results": results, "prompts": [header]}}))
    assert [str(c) for c in read(path).contradictions] == [
        "cost of openai:chat:gpt-4.1-mini · aaaaaaaa: the source says USD 0.5, its rows give USD 0.006000000; the rows stand"
    ]


def test_repeats_of_a_test_are_tests_of_their_own(tmp_path: Path) -> None:
    """Version 2 does not number tests: `--repeat 2` gives the same variables twice."""
    given = older()
    given["results"] = [given["results"][0], given["results"][0], given["results"][1]]
    path = tmp_path / "out.json"
    path.write_text(json.dumps({"evalId": "e", "results": given}))
    found = read(path)
    assert [r["eval_case"] for r in found.evals.rows] == ["1", "2", "1"]
    assert not found.left_out


def test_files_of_one_name_are_suites_of_their_own_and_one_run_counts_once(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "out.json" for folder in ("a", "b", "c")]
    for path, run in zip(paths, ("e", "f", "e"), strict=True):
        path.parent.mkdir()
        path.write_text(json.dumps({**FILES["version 3"], "evalId": run}))
    found = read(*paths, names=("x/a/out.json", "x/b/out.json", "x/c/out.json"))
    assert (len(found.evals.rows), len(found.traces.rows), len(found.versions.rows)) == (12, 12, 4)
    assert len(set(found.traces.column("trace_id"))) == 12
    assert found.left_out == {"a graded output that occurs more than once counts once": 6}
    tables = [tmp_path / folder / "out.csv" for folder in ("a", "b")]
    for table in tables:
        table.write_text('label,text,m\nx,y,"[PASS] (1.00)"\n')
    found = read(*tables, names=("x/a/out.csv", "x/b/out.csv"))
    assert found.evals.column("suite") == ["a/out", "b/out"]


@pytest.mark.parametrize(
    "odd", [None, [], {"success": True}, {"results": {}}, {"success": 1, "promptIdx": 0, "testIdx": 0}]
)
def test_other_json_is_none(odd: Any) -> None:
    assert not knows(odd)


def test_prompts_that_read_alike_are_told_by_their_place(tmp_path: Path) -> None:
    """The same prompt and model twice, with another temperature, say: only `promptIdx` tells them apart."""
    alike = {"id": "a" * 64, "label": "Prompt 0", "raw": "Template"}
    results = [{**r, "promptId": "a" * 64, "prompt": {"raw": "x", "label": "Prompt 0"}} for r in RESULTS]
    given = {**V3, "prompts": [prompt(0, **alike), prompt(1, **alike)], "results": results}
    path = tmp_path / "out.json"
    path.write_text(json.dumps({"evalId": "e", "results": given}))
    found = read(path)
    assert [(r["passed"], r["failed"]) for r in found.versions.rows] == [("2", "1"), ("1", "2")]
    assert (len(found.evals.rows), found.contradictions) == (6, ())


def test_two_documents_are_paired_as_the_guide_says(tmp_path: Path) -> None:
    guide = (Path(__file__).parent.parent / "docs" / "imports.md").read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "format: promptfoo" in b)
    cases = yaml.safe_load(block)["samples"]["cases"]
    cases["columns"]["setting"] = {"value": "production"}
    project = Project(tmp_path)
    for name, passed in (("before", (True, False, False)), ("after", (True, True, False))):
        results = [
            {
                "promptIdx": 0, "testIdx": i, "success": ok, "score": int(ok), "vars": {"x": str(i)},
                "provider": {"id": "openai:gpt-4.1"}, "prompt": {"raw": name, "label": name}, "response": {"output": "x"},
            }
            for i, ok in enumerate(passed)
        ]  # fmt: skip
        prompts = [{"provider": "openai:gpt-4.1", "id": name, "label": name, "raw": name}]
        document = {
            "evalId": f"eval-{name}",
            "results": {"version": 3, "prompts": prompts, "results": results},
        }
        project.write(f"support/{name}.json", json.dumps(document))
    samples = project.open(cases)
    pairs: dict[str, dict[str, str]] = {}
    for pair, arm, outcome in zip(*(column(samples, n) for n in ("pair_id", "arm", "outcome")), strict=True):
        pairs.setdefault(pair, {})[arm] = outcome
    told = sorted((pair["baseline"], pair["pilot"]) for pair in pairs.values())
    assert told == [("correct", "correct"), ("error", "correct"), ("error", "error")]
