"""Spans that the engine reads, bills and groups come out as those that are read one by one."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import made_exports
import pytest

from roi.importers import laid, laid_traces, openinference, openinference_lines, read_export
from roi.importers.csv_files import write_tables
from roi.importing import import_files, record_of
from roi.prices import TokenPrice
from roi.problems import SampleError
from roi.readers.base import UnreadableError
from roi.readers.files import Found, look_through

MODELS = ("gpt-4.1", "gpt-4.1-mini", "claude-sonnet-4-5", "nobody's model", "ft:gpt-4.1:house::x", "projects/p/models/gemini-2.5-pro", "gemini-2.5-pro")  # fmt: skip
PROVIDERS = ("openai", "Anthropic", "langchain", "azure.ai.inference", "", " openai ")
TEXTS = (
    "plain", " framed ", "", "   ", "ü – ½", "x" * 200, "y" * 201, "z" * 199 + "ü", "two\nlines", "tab\there", "a|b", "a | b", "| ", "back\rhere",
    "say \"x\"", "back\\slash", "[1, 2]", '{"a": 1}', "1e-5", "true", "null", "\u00a0nbsp\u3000", "\u200bzero width", "nul\u0000", "s-1,5", "=1+1",
)  # fmt: skip
NUMBERS = (0, 1, -3, 5.0, 0.1, 1e-5, 2.4e-05, 1e16, 1.5e300, 123456789.125, True, False, None, 2**63, 2**70)


def spans(trace: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    """The spans of a trace: a tree, a forest or a ring of agents, calls and tools, some twice, some silent."""
    names = [f"{trace:x}-{i}" for i in range(rng.choice((1, 2, 4, 4, 9)))]
    plain = rng.random() < 0.5
    session = rng.choice((None, f"s{trace // 3}", f"s{trace // 3}", f" s{trace // 3}"))
    start = rng.randrange(60)
    timeless, endless, nested = rng.random() < 0.05, rng.random() < 0.1, plain and rng.random() < 0.2
    for i, name in enumerate(names):
        kind = rng.choice(("LLM", "LLM", "TOOL", "CHAIN", "EMBEDDING", "llm", "UNKNOWN")) if i else "AGENT"
        parent = None if not i else names[0] if plain else rng.choice([*names, None, "elsewhere"])
        if nested and 0 < i < 4:  # a tool, told by its client, by what is between and by its server
            kind, parent = ("TOOL", "CHAIN", "TOOL")[i - 1], names[i - 1]
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
        if kind == "TOOL" and (nested or rng.random() < 0.8):
            said |= {
                "tool.name": "pay" if nested else rng.choice(("look up", "pay", " pay ")),
                "tool.parameters": "{}",
            }
        began, lasts = start + rng.randrange(5), rng.randrange(90)
        span = {
            "name": rng.choice(("run", "execute_tool pay", *TEXTS)) if not plain else "run",
            "context": {"trace_id": f"t{trace}", "span_id": name, "trace_state": "[]"},
            "parent_id": parent,
            "start_time": None if timeless or rng.random() < 0.05 else f"2026-01-0{1 + trace % 9}T08:{began % 60:02d}:00.{rng.randrange(3)}{rng.choice(('Z', '+00:00', '+02:00', ''))}",
            "end_time": None if timeless or endless or rng.random() < 0.03 else f"2026-01-0{1 + trace % 9} 11:{began % 60:02d}:{lasts % 60:02d}.{lasts:06d}Z",
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
    """What an import says and writes: of each table the columns in any order, and the rows."""
    imported = import_files([str(path)], here=path.parent, **given)
    tables = {}
    for written in write_tables(imported.tables, out, force=True):
        with written.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            tables[written.name] = (sorted(rows.fieldnames or ()), list(rows))
    record = json.loads(json.dumps(record_of(imported)))
    for table in record["tables"].values():
        table["columns"].sort()
    return record, tables


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


def same(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, **given: Any) -> None:
    """Let the engine and Python read files, and hold all that comes of it against each other."""
    laid = told(path, folder / "laid", **given)
    plainly(monkeypatch)
    assert laid == told(path, folder / "plain", **given)


@pytest.mark.parametrize("seed", range(6))
def test_what_the_engine_reads_is_what_python_reads(
    seed: int, tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some 120 traces of every kind: all words, columns and cells; some of them plain, some not."""
    path = tmp_path / "spans.jsonl"
    write(path, export(seed, 120))
    plain: list[int] = []
    count = laid_traces._count_others

    def counted(con: Any, made: Any) -> list[int]:
        ((n,),) = con.execute("select count(*) from bills where calls <> '0'").fetchall()
        plain.append(n)
        return count(con, made)

    monkeypatch.setattr(laid_traces, "_count_others", counted)
    same(path, tmp_path, monkeypatch)
    assert eager == [True]
    assert 5 < plain[0] < 90


@pytest.mark.parametrize(
    "given",
    [
        {"case": "attributes.tag"},
        {"case": "tags"},
        {"arms": {"2": "pilot", "": "baseline"}},
        {"case": "trace_id"},
    ],
)
def test_cases_and_arms_that_somebody_names(
    given: dict[str, Any], tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spans.jsonl"
    write(path, export(7, 90))
    same(path, tmp_path, monkeypatch, **given)
    assert eager == [True]


def test_a_column_that_no_trace_has(tmp_path: Path, eager: list[bool]) -> None:
    path = tmp_path / "spans.jsonl"
    write(path, export(7, 9))
    with pytest.raises(SampleError, match="no trace has a column nobody"):
        import_files([str(path)], here=tmp_path, case="nobody")
    assert eager == [True]


def test_several_files_and_formats(
    tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trace of which a part lies in each of two files, one of them packed; and beside them an export of another kind."""
    folder = tmp_path / "in"
    folder.mkdir()
    every = export(8, 60)
    write(folder / "a.jsonl", every[::2])
    with gzip.open(folder / "b.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(v) + "\n" for v in every[1::2])
    same(folder, tmp_path / "one", monkeypatch)
    monkeypatch.undo()
    monkeypatch.setattr(openinference_lines, "SMALL", 0)
    made_exports.lines(folder / "c.jsonl", *made_exports.JSON["langfuse"]())
    same(folder, tmp_path / "two", monkeypatch)
    assert eager == [True]


def test_prices_of_ones_own(tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "spans.jsonl"
    write(path, export(9, 60))
    own = {
        "gpt-4.1": TokenPrice(Decimal("0.123456789"), Decimal(1)),
        "nobody's model": TokenPrice(Decimal(3), Decimal(0)),
    }
    files = [(Found(path, path.name), look_through(Found(path, path.name)))]

    def costs() -> list[dict[str, str | None]]:
        return [
            {k: v for k, v in row.items() if v}
            for row in read_export("openinference", files, own).traces.rows
        ]

    laid = costs()
    plainly(monkeypatch)
    assert laid == costs()
    assert eager == [True]


def test_what_agrees_without_its_start_was_not_sent_twice(
    tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spans.jsonl"
    given = {"name": "x", "parent_id": None, "attributes": {"session.id": "s"}}
    ends = [
        ("2026-01-05T08:00:00Z", "2026-01-05T08:00:01Z"),
        (None, "2026-01-05T08:00:01Z"),
        ("2026-01-05T08:00:00Z", None),
    ]
    write(path, [
        {**given, "context": {"trace_id": f"{kind}{twice}", "span_id": "a"}, "start_time": start, "end_time": end}
        for kind, (start, end) in enumerate(ends) for twice in "ab"
    ])  # fmt: skip
    (case,) = told(path, tmp_path / "one")[1]["cases.csv"][1]
    assert case["traces"] == "5"
    same(path, tmp_path, monkeypatch)
    assert eager == [True, True]


def test_half_of_a_billionth_goes_to_the_even_one(
    tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 18.75 billionths a token that is read from a cache, 2, 6, 10 and 14 of them end in a half."""
    path = tmp_path / "spans.jsonl"
    made = []
    for cached in (2, 6, 10, 14):
        said = {
            "openinference.span.kind": "LLM", "llm.model_name": "gemini-1.5-flash", "llm.provider": "google",
            "llm.token_count.prompt": cached, "llm.token_count.completion": 0,
            "llm.token_count.prompt_details.cache_read": cached,
        }  # fmt: skip
        times = {"start_time": "2026-01-05T08:00:00Z", "end_time": "2026-01-05T08:00:01Z"}
        named = {"context": {"trace_id": f"t{cached}", "span_id": "a"}, "name": "x", "parent_id": None}
        made.append({**named, **times, "attributes": said})
    write(path, made)
    tables = told(path, tmp_path / "costs")[1]
    assert [row["agent_cost"] for row in tables["cases.csv"][1]] == [
        "0.000000038", "0.000000112", "0.000000188", "0.000000262",
    ]  # fmt: skip
    same(path, tmp_path, monkeypatch)
    assert eager == [True, True]


def test_where_memory_is_too_little(
    tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine cannot do within its bound it does without."""
    path = tmp_path / "spans.jsonl"
    write(
        path,
        [s | {"attributes": {**s["attributes"], "pad": f"{i:0150d}"}} for i, s in enumerate(export(10, 900))],
    )
    asked: list[int] = []
    unbound = laid.unbound
    monkeypatch.setattr(laid, "unbound", lambda con: (asked.append(1), unbound(con)))
    monkeypatch.setattr(laid, "_MOST", "3MB")
    same(path, tmp_path, monkeypatch)
    assert eager == [True]
    assert asked


def test_a_file_that_cannot_be_written(tmp_path: Path, eager: list[bool]) -> None:
    path = tmp_path / "spans.jsonl"
    write(path, export(7, 9))
    table = import_files([str(path)], here=tmp_path).tables["actions"]
    assert isinstance(table.rows, laid.Laid)
    with pytest.raises(OSError, match="disk"):
        table.rows.write(tmp_path / "nowhere" / "a.csv", table.names)


ODD: dict[str, dict[str, Any]] = {
    "nested attributes": {"attributes": {"llm": {"model_name": "gpt-4.1"}}},
    "a list": {"attributes": {"tag.tags": ["a", "b"]}},
    "nanoseconds": {"start_time": "2026-01-05T08:00:00.123456789Z"},
    "a number for a time": {"start_time": 1767600000000},
    "no name": {"context": {"trace_id": "t0"}},
    "no trace": {"context": {"span_id": "t0"}},
    "no attributes": {"attributes": None},
    "an evaluation": {"label": "correct", "score": 1, "context.span_id": "a"},
    "a column for an attribute": {"attributes.llm.model_name": "gpt-4.1"},
    "another parent": {"parentSpanContext": {"spanId": "0-0"}},
    "a number that is none": {"attributes": {"llm.token_count.prompt": "12.0"}},
    "a cost that is none": {"attributes": {"llm.cost.total": "much"}},
    "names that differ in case alone": {"attributes": {"Tag": "a", "tag": "b"}},
    "a name that is a list": {"name": ["a", "b"]},
    "half of a pair": {"name": "\ud800"},
    "a kind in a frame": {"attributes": {"openinference.span.kind": " TOOL "}},
    "a kind beside that is in a frame": {"span_kind": "UNKNOWN "},
    "a kind that is false": {"attributes": {"openinference.span.kind": False}},
    "an operation in a frame": {"attributes": {"gen_ai.operation.name": " execute_tool"}},
    "a blank model": {"attributes": {"llm.model_name": "  "}},
    "a model that is 0": {"attributes": {"llm.model_name": 0}},
    "a provider that is false": {"attributes": {"llm.provider": False}},
    "a provider that ends early": {"attributes": {"openinference.span.kind": "LLM", "llm.provider": "a\0b"}},
    "a tier in a frame": {"attributes": {"gen_ai.request.service_tier": " batch "}},
    "a blank trace": {"context": {"trace_id": " ", "span_id": "a"}},
    "a blank id": {"context": {"trace_id": "t0", "span_id": ""}},
    "a trace that is 0": {"context": {"trace_id": 0, "span_id": "a"}},
    "an id with an exponent": {"context": {"trace_id": "t0", "span_id": 1e30}},
    "a parent that is false": {"parent_id": False},
    "Claude Code": {"attributes": {"span.type": "llm_request", "input_tokens": 5}},
}


@pytest.mark.parametrize("what", ODD)
def test_one_odd_span_lets_python_read_all(
    what: str, tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = export(11, 20)
    values.insert(17, {**values[17], **ODD[what]})
    path = tmp_path / "spans.jsonl"
    path.write_text("".join(json.dumps(v) + "\n" for v in values), encoding="utf-8")
    same(path, tmp_path, monkeypatch)
    assert eager == [False]


def test_sums_of_what_is_too_much(tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Decades and billions are no parts of a sum, on either way; a number of many digits is no key."""
    values = []
    for i in range(7):
        start = "1969-12-31T23:59:59.999999Z" if i in (0, 1, 4) else "2026-01-05T08:00:00Z"
        told = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4.1", "session.id": f"s{i // 2}"}
        if i == 1:
            del told["session.id"]
        told |= {
            "llm.token_count.prompt": 10**10 if i == 2 else 10,
            "llm.token_count.completion": 5,
            "llm.token_count.prompt_details.cache_read": 10**9 if i == 2 else 5,
            "number": 10**250,
        }
        span = {"name": "run", "context": {"trace_id": f"t{i}", "span_id": "a"}, "parent_id": None}
        values.append(
            {**span, "start_time": start, "end_time": f"2026-01-05T09:00:0{i}Z", "attributes": told}
        )
    path = tmp_path / "spans.jsonl"
    write(path, values)
    same(path, tmp_path, monkeypatch)
    assert eager == [True]


def test_edges_of_prices_and_rings(
    tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Around where longer prompts cost more; half a billionth of a dollar; calls below a tool, or in a ring of spans."""
    values = []

    def add(trace: str, name: str, parent: str | None, model: str | None = None, sent: int = 0) -> None:
        told = {"openinference.span.kind": "LLM" if model else "CHAIN"}
        if model:
            told |= {
                "llm.model_name": model,
                "llm.token_count.prompt": sent,
                "llm.token_count.completion": 0,
            }
        span = {"name": "run", "context": {"trace_id": trace, "span_id": name}, "parent_id": parent}
        times = {"start_time": "2026-01-05T08:00:00Z", "end_time": "2026-01-05T09:00:00Z"}
        values.append({**span, **times, "attributes": told})

    for sent in (199_999, 200_000, 200_001, 271_999, 272_000, 272_001):
        for model in ("gemini-2.5-pro", "claude-sonnet-4-5", "gpt-5.4", "gpt-5.5"):
            add(f"{model} {sent}", "a", None, model, sent)
    for read in (1, 2, 3, 5, 7, 9):
        add(f"half {read}", "a", None, "gpt-4.1-nano", 10)
        values[-1]["attributes"] |= {
            "llm.provider": "openai",
            "llm.token_count.prompt_details.cache_read": read,
            "gen_ai.request.service_tier": "batch",
        }
    add("all read", "a", None, "gpt-4.1", 10)
    values[-1]["attributes"]["llm.token_count.prompt_details.cache_read"] = 10
    add("below a tool", "a", None)
    values[-1]["attributes"] = {"openinference.span.kind": "TOOL", "tool.name": "ask"}
    add("below a tool", "b", "a", "gpt-4.1", 10)
    for i, parent in enumerate(("c", "a", "b")):
        add("ring", "abc"[i], parent)
    add("ring", "d", "a", "gpt-4.1", 7)
    add("ring", "e", "a", "gpt-4.1", 9)
    path = tmp_path / "spans.jsonl"
    write(path, values)
    same(path, tmp_path, monkeypatch)
    assert eager == [True]


def test_tokens_that_no_call_logs(tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent alone logs what it used: the export is not one without any model call."""
    values = []
    for i in range(3):
        told = {"openinference.span.kind": "AGENT", "llm.token_count.prompt": 5} if i == 1 else {"tag": "x"}
        context = {"trace_id": f"t{i}", "span_id": "a"}
        values.append(
            {
                "context": context,
                "start_time": f"2026-01-05T08:00:0{i}Z",
                "end_time": None,
                "attributes": told,
            }
        )
    path = tmp_path / "spans.jsonl"
    write(path, values)
    same(path, tmp_path, monkeypatch)
    assert eager == [True]


def test_who_ends_the_command_sees_no_trace_of_calls() -> None:
    class Ended:
        def execute(self, query: str) -> Any:
            raise RuntimeError("Query interrupted")

    with pytest.raises(KeyboardInterrupt):
        laid.ask(Ended(), "select 1")  # type: ignore[arg-type]


def test_a_kind_that_is_null_stands_beside_its_attribute(
    tmp_path: Path, eager: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = export(11, 20)
    values[17] |= {"attributes": {"openinference.span.kind": None, "tool.name": "pay"}, "span_kind": "TOOL"}
    path = tmp_path / "spans.jsonl"
    write(path, values)
    same(path, tmp_path, monkeypatch)
    assert eager == [True]


@pytest.mark.parametrize("name", ["a[1].jsonl", "a*.jsonl", "a?.jsonl"])
def test_a_name_that_could_mean_several(name: str, tmp_path: Path, eager: list[bool]) -> None:
    write(tmp_path / name, export(12, 5))
    write(tmp_path / "a1.jsonl", export(13, 5))
    found = Found(tmp_path / name, name)
    assert openinference.laid([(found, look_through(found))]) is None


@pytest.mark.parametrize("text", ["", "[", "{", "{}\n", "[]\n", "\n\n", "null\n", '{"context": 1}\n'])
def test_no_spans(text: str, tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_text(text, encoding="utf-8")
    found = Found(path, path.name)
    assert openinference_lines.laid([(found, look_through(found))]) is None


@pytest.mark.parametrize("numbers", [range(20), pytest.param(range(20, 200), marks=pytest.mark.slow)])
def test_spoilt_lines(numbers: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports with something wrong in them: the same tables or the same error."""
    monkeypatch.setattr(openinference_lines, "SMALL", 0)

    def outcome(path: Path) -> Any:
        found = Found(path, path.name)
        try:
            export = read_export("openinference", [(found, look_through(found))])
        except UnreadableError as error:
            return error.problems
        rows = [
            [{k: v for k, v in row.items() if v} for row in t.rows] for t in (export.traces, export.actions)
        ]
        return rows, sorted(export.warnings), export.left_out, export.contradictions

    took = 0
    for number in numbers:
        rng = random.Random(number)
        values = export(number, 4)
        at = rng.randrange(len(values))
        values[at] = made_exports.spoil(values[at], rng)
        path = made_exports.lines(tmp_path / "spans.jsonl", *values)
        took += (
            openinference_lines.laid([(Found(path, path.name), look_through(Found(path, path.name)))])
            is not None
        )
        laid = outcome(path)
        with monkeypatch.context() as patched:
            patched.setattr(openinference, "laid", lambda files: None)
            assert laid == outcome(path), number
    assert took > len(numbers) / 8
