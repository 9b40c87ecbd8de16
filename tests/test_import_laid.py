"""Spans that the engine reads, bills and groups come out as those that are read one by one."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roi.importers import openinference, openinference_lines
from roi.importing import import_files, record_of, write_tables

MODELS = ("gpt-4.1", "gpt-4.1-mini", "claude-sonnet-4-5", "nobody's model", "ft:gpt-4.1:house::x", "projects/p/models/gemini-2.5-pro", "gemini-2.5-pro")  # fmt: skip
PROVIDERS = ("openai", "Anthropic", "langchain", "azure.ai.inference", "", " openai ")
TEXTS = (
    "plain", " framed ", "", "   ", "ü – ½", "x" * 200, "y" * 201, "z" * 199 + "ü", "two\nlines", "tab\there", "a|b", "a | b", "| ",
    "say \"x\"", "back\\slash", "[1, 2]", '{"a": 1}', "1e-5", "true", "null", "\u00a0nbsp\u3000", "\u200bzero width", "nul\u0000", "s-1,5", "=1+1",
)  # fmt: skip
NUMBERS = (0, 1, -3, 5.0, 0.1, 1e-5, 2.4e-05, 1e16, 1.5e300, 123456789.125, True, False, None, 2**63, 2**70)


def spans(trace: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    """The spans of a trace: a tree, a forest or a ring of agents, calls and tools, some twice, some silent."""
    names = [f"{trace:x}-{i}" for i in range(rng.choice((1, 2, 4, 4, 9)))]
    plain = rng.random() < 0.5
    session = rng.choice((None, f"s{trace // 3}", f"s{trace // 3}", f" s{trace // 3}"))
    start = rng.randrange(60)
    for i, name in enumerate(names):
        kind = rng.choice(("LLM", "LLM", "TOOL", "CHAIN", "EMBEDDING", "llm", "UNKNOWN")) if i else "AGENT"
        parent = None if not i else names[0] if plain else rng.choice([*names, None, "elsewhere"])
        said: dict[str, Any] = {"openinference.span.kind": kind} if rng.random() < 0.9 else {}
        if session is not None:
            said["session.id"] = session
        for key in rng.sample(
            ("metadata.queue", "tag", "user.id", "long", "langfuse.version", "Umlaut ä", 'a "quoted"'), k=2
        ):
            said[key] = rng.choice((*TEXTS, *NUMBERS)) if rng.random() < 0.4 else rng.choice("pqr")
        if kind in ("LLM", "EMBEDDING"):
            said["llm.model_name"] = MODELS[0] if plain else rng.choice(MODELS)
            if rng.random() < 0.8:
                said["llm.provider"] = "openai" if plain else rng.choice(PROVIDERS)
            if rng.random() < 0.9:
                sent = rng.choice((rng.randrange(9000), 0, 300_000))
                said |= {"llm.token_count.prompt": sent, "llm.token_count.completion": rng.randrange(900)}
                if rng.random() < 0.3:
                    read = rng.choice((0, 17, sent // 2, sent + 9))
                    said["llm.token_count.prompt_details.cache_read"] = read
                    said["llm.token_count.total"] = (
                        sent + said["llm.token_count.completion"] + rng.choice((0, read))
                    )
                if rng.random() < 0.2:
                    said["llm.token_count.prompt_details.cache_write"] = rng.randrange(50)
                if rng.random() < 0.1:
                    said["llm.token_count.prompt_details.cache_write_1h"] = rng.randrange(50)
                if rng.random() < 0.1:
                    del said["llm.token_count.completion"]
            if rng.random() < (0.02 if plain else 0.3):
                said["llm.cost.total"] = rng.choice((0, 0.0, 0.004, 2.4e-05, -1, "0.01", 12))
            if rng.random() < 0.1:
                said["gen_ai.request.service_tier"] = "batch"
            said["llm.input_messages"] = [{"message.role": "user"}]
        if kind == "TOOL" and rng.random() < 0.8:
            said |= {"tool.name": rng.choice(("look up", "pay", " pay ")), "tool.parameters": "{}"}
        began, lasts = start + rng.randrange(5), rng.randrange(90)
        span = {
            "name": rng.choice(("run", "execute_tool pay", *TEXTS)) if not plain else "run",
            "context": {"trace_id": f"t{trace}", "span_id": name, "trace_state": "[]"},
            "parent_id": parent,
            "start_time": f"2026-01-0{1 + trace % 9}T08:{began % 60:02d}:00.{rng.randrange(3)}{rng.choice(('Z', '+00:00', '+02:00', ''))}",
            "end_time": None if rng.random() < 0.03 else f"2026-01-0{1 + trace % 9} 11:{began % 60:02d}:{lasts % 60:02d}.{lasts:06d}Z",
            "attributes": said,
            "events": [],
        }  # fmt: skip
        if rng.random() < 0.3:
            span["span_kind"] = kind
        if rng.random() < 0.8:
            span["status_code"] = rng.choice(("OK", "UNSET", "ERROR", "Error", 2, None))
        else:
            span["status"] = {"code": rng.choice(("STATUS_CODE_ERROR", 2, 1)), "message": "m"}
        if rng.random() < 0.5:
            span["resource"] = {"attributes": {"service.name": "claims", "service.version": rng.choice("12")}}
        yield span
        if rng.random() < 0.05:
            yield (
                span if rng.random() < 0.5 else {**span, "attributes": {**said, "llm.token_count.prompt": 5}}
            )


def export(seed: int, traces: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    made = [list(spans(t, rng)) for t in range(traces)]
    for listed in list(made):
        if rng.random() < 0.05:  # sent again under another name
            made.append(
                [
                    {**s, "context": {**s["context"], "trace_id": s["context"]["trace_id"] + "x"}}
                    for s in listed
                ]
            )
    every = [s for listed in made for s in listed]
    late = {i for i in range(len(every)) if rng.random() < 0.1}
    return [s for i, s in enumerate(every) if i not in late] + [every[i] for i in sorted(late)]


def write(path: Path, values: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(v, ensure_ascii=False) + "\n" for v in values), encoding="utf-8")


def told(
    path: Path, out: Path, **given: Any
) -> tuple[Any, dict[str, tuple[list[str], list[dict[str, str]]]]]:
    """What an import says and writes: of each table the columns and the rows."""
    imported = import_files([str(path)], here=path.parent, **given)
    tables = {}
    for written in write_tables(imported, out, force=True):
        with written.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            tables[written.name] = (list(rows.fieldnames or ()), list(rows))
    return record_of(imported), tables


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Let the engine read small files, too; whether it did, time by time."""
    took: list[bool] = []

    def laid(files: Any) -> Any:
        found = openinference_lines.laid(files)
        took.append(found is not None)
        return found

    monkeypatch.setattr(openinference_lines, "SMALL", 0)
    monkeypatch.setattr(openinference, "laid", laid)
    return took


def plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openinference, "laid", lambda files: None)


@pytest.mark.parametrize("seed", range(6))
def test_what_the_engine_reads_is_what_python_reads(
    seed: int, tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some 120 traces of every kind: all words, columns and cells."""
    path = tmp_path / "spans.jsonl"
    write(path, export(seed, 120))
    laid = told(path, tmp_path / "laid")
    assert eager == [True]
    plainly(monkeypatch)
    plain = told(path, tmp_path / "plain")
    for name, (columns, rows) in plain[1].items():
        theirs, cells = laid[1][name]
        assert sorted(theirs) == sorted(columns)
        for mine, other in zip(cells, rows, strict=True):
            assert mine == other
    assert laid[0] == plain[0]
