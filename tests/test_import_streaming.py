"""Exports that memory does not hold come out as those that it does."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import made_exports
import pytest

from roi.importers import documents, members, read_export, recognise
from roi.importers.charges import Charge
from roi.importers.compared import Comparison
from roi.importers.conversations import group
from roi.importers.csv_files import write_tables
from roi.importers.export import Export, Filled, table_of
from roi.importers.gathered import Gathered, Names, Rows
from roi.importers.spans import Span, Tokens, Trace, Traces
from roi.importing import import_files
from roi.problems import SampleError
from roi.readers.base import UnreadableError
from roi.readers.files import Found, look_through

LINES = ("langfuse", "otlp", "openinference", "langsmith", "mlflow", "langfuse storage", "langsmith bulk")


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold next to nothing in memory."""
    monkeypatch.setattr("roi.importers.gathered._LOOK", 1)
    for kind in (Gathered, Rows, Traces):
        monkeypatch.setitem(kind.__init__.__kwdefaults__, "most", 60)


def lines(kind: str, n: int = 40) -> list[Any]:
    """Made-up values with other names and times, in a mixed order, some of them twice, some without a name."""
    rng = random.Random(kind)
    said: list[Any] = []
    for i in range(n):
        for value in made_exports.JSON[kind]():
            text = json.dumps(value)
            for name in ("t", "u", "r"):
                text = text.replace(f'"{name}"', f'"{name}{i % 17}"')
            text = text.replace("T08:00:0", f"T08:{rng.randrange(60):02d}:0").replace('"s"', f'"s{i % 5}"')
            text = text.replace('"a"', f'"a{rng.randrange(4)}"').replace("1000", str(1000 + rng.randrange(9)))
            if rng.random() < 0.1:
                text = text.replace('"b"', "null").replace("gpt-4.1", "nobody's model")
            said.append(json.loads(text))
    rng.shuffle(said)
    return said


def read(kind: str, path: Path) -> Export:
    found = Found(path, path.name)
    return read_export(made_exports.format_of(kind), [(found, look_through(found))])


def told(found: Export) -> Any:
    grouped = group(found.traces)
    tables = [
        (t.names, [dict(r) for r in t.rows])
        for t in (found.traces, found.actions, found.evals, grouped.cases)
    ]
    return tables, found.told, grouped.said, grouped.rule, grouped.case_of, grouped.resent


@pytest.mark.parametrize("kind", LINES)
def test_what_lies_on_disk_gives_what_memory_gives(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(v) + "\n" for v in lines(kind)))
    whole = told(read(kind, path))
    assert len(whole[0][0][1]) > 10
    request.getfixturevalue("tight")
    found = read(kind, path)
    assert told(found) == whole
    assert found.traces.rows._runs  # it did lie on disk


DOCUMENTS = (
    "tau2", "inspect", "inspect archive", "agent_events", "event_log", "event_log table", "promptfoo", "atif"
)  # fmt: skip


def longer(kind: str, folder: Path) -> Path:
    """A made-up export of a format that comes as one document or one stream, with many samples of other names."""
    path = made_exports.write(
        kind
        if (kind in made_exports.TEXT and kind != "promptfoo") or "archive" in kind
        else f"{kind} as JSON",
        folder,
    )
    if kind in ("tau2", "inspect"):
        (value,) = made_exports.JSON[kind]()
        name = "simulations" if kind == "tau2" else "samples"
        one = json.dumps(value[name])
        value[name] = [s for i in range(40) for s in json.loads(one.replace('"id": "', f'"id": "{i % 33}'))]
        # What stands beside the list stands behind it, over many lines.
        value = {name: value.pop(name), **value}
        path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    elif kind in ("promptfoo", "atif"):
        (value,) = made_exports.JSON[kind]()
        name = "results" if kind == "promptfoo" else "steps"
        inner = value[name] if kind == "promptfoo" else value
        listed = inner.pop(name)
        inner = {name: [{**s, "testIdx": i} for i in range(40) for s in listed], **inner}
        value = {name: inner, **value} if kind == "promptfoo" else inner
        value[name] = inner if kind == "promptfoo" else value[name]
        path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    elif kind == "agent_events":
        text = path.read_text(encoding="utf-8")
        lines = [text.replace('"s"', f'"s{i % 33}"') for i in range(40)]
        path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_documents_read_sample_by_sample_give_what_memory_gives(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = longer(kind, tmp_path)
    whole = told(read(kind, path))
    assert whole[0][0][1]
    request.getfixturevalue("tight")
    monkeypatch.setattr(members, "_WHOLE", 0)
    monkeypatch.setattr(members, "_CHUNK", 50)
    assert recognise(Found(path, path.name), asked=True) == made_exports.format_of(kind)
    assert told(read(kind, path)) == whole


@pytest.mark.parametrize("kind", ["tau2", "inspect", "promptfoo", "promptfoo older", "atif"])
def test_spoilt_documents_are_read_alike(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample by sample or whole: the same tables, or the same error."""

    def outcome(path: Path) -> Any:
        try:
            return told(read(kind, path))
        except UnreadableError as error:
            return [(p.place, p.message) for p in error.problems]

    for number in range(60):
        path = made_exports.write(f"{kind} as JSON", tmp_path, random.Random(f"{kind} {number}"))
        with monkeypatch.context() as patched:
            patched.setattr(members, "_WHOLE", 1 << 40)
            whole = outcome(path)
        monkeypatch.setattr(members, "_WHOLE", 0)
        assert outcome(path) == whole, number


def test_of_a_list_that_is_named_twice_the_last_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (value,) = made_exports.JSON["tau2"]()
    listed = json.dumps(value.pop("simulations"))
    path = tmp_path / "x.json"
    first = listed.replace('"id": "', '"id": "other')
    path.write_text(f'{{"simulations": {first}, {json.dumps(value)[1:-1]}, "simulations": {listed}}}')
    whole = told(read("tau2", path))
    monkeypatch.setattr(members, "_WHOLE", 0)
    assert told(read("tau2", path)) == whole


def test_tables_are_written_as_they_come(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "given").mkdir()
    for kind in ("langfuse", "otlp"):
        (tmp_path / "given" / f"{kind}.jsonl").write_text("".join(json.dumps(v) + "\n" for v in lines(kind)))
    made = []
    for out in ("a", "b"):
        imported = import_files(["given"], here=tmp_path, arms={"": "pilot"})
        made.append([p.read_bytes() for p in write_tables(imported.tables, tmp_path / out)])
        if out == "a":
            request.getfixturevalue("tight")
    assert made[0] == made[1]
    assert len(made[0]) == 2


def test_rows_come_in_the_order_of_their_numbers() -> None:
    rng = random.Random(1)
    numbers = [rng.randrange(200) for _ in range(500)]
    rows: Rows[dict[str, str]] = Rows(most=30)
    names = Names()
    for start in (0, 250):
        for at in sorted(numbers[start : start + 250]):
            row = {"at": str(at), f"c{at % 7}": "x"}
            rows.add(at, row)
            names.note(at, tuple(row))
        names.end_run()
    whole = sorted(numbers)
    assert [r["at"] for r in rows] == [str(n) for n in whole]
    assert (len(rows), rows[0]["at"], rows[-1]["at"]) == (500, str(whole[0]), str(whole[-1]))
    assert list(names) == list(dict.fromkeys(k for n in whole for k in ("at", f"c{n % 7}")))


def test_filled_tables_are_tables_of_their_rows() -> None:
    rows = [{"b": "1", "a": None}, {"a": "2", "b": ""}]
    assert table_of(rows, first=("a",)) == table_of([{"b": "1"}, {"a": "2"}], first=("a",))
    filled = Filled()
    filled.add(0, rows[0])
    assert (len(filled), filled.end_run()) == (1, ["b"])


def test_a_span_that_was_sent_again_much_later_counts_once() -> None:
    span = Span(kind="call", tokens=Tokens(10, None, None, 1), cost=Decimal("0.1"), start=5)
    first, later = Trace(0), Trace(1)
    for trace in (first, later):
        trace.add("a", span)
        trace.add(None, Span())
        trace.facts.add("name", "x", (2, 5))
    later.facts.add("name", "root", (1, 9))
    first.join(Trace.unpack(1, later.pack()))
    assert (list(first.spans), first.repeated, first.facts.get("name")) == (["a", "#1", "#2"], 1, "root")
    assert first.spans["a"] == span


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": 1}\n\n{"a": NaN},\n{"a": 123456789012345678901234567890}\n', [{"a": 1}, {"a": None}, {"a": 123456789012345678901234567890}]),
        ('{"a": 1}\n{"b":\n 2} {"c": 3}\n[4]\n', [{"a": 1}, {"b": 2}, {"c": 3}, [4]]),
        ('[{"a": 1},\n{"b": 2}]', [{"a": 1}, {"b": 2}]),
        ('\ufeff{"a": "\\ud800"}\n', [{"a": "\ud800"}]),
    ],
)  # fmt: skip
def test_lines_give_what_texts_give(tmp_path: Path, text: str, values: list[Any]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text, encoding="utf-8")
    found = Found(path, "x.jsonl")
    assert list(documents.json_values(found, look_through(found))) == values


def test_an_error_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n\n{"b": 2}\n{"c": tru}\n{"d": 4}\n')
    with pytest.raises(UnreadableError) as error:
        list(documents.json_values(Found(path, "x"), look_through(Found(path, "x"))))
    assert error.value.problems[0].place == "line 4"


def test_a_value_too_long_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_LONGEST", 1 << 14)
    monkeypatch.setattr(documents, "_CHUNK", 1 << 10)
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"data": [{"a": i} for i in range(9000)]}, indent=0))
    with pytest.raises(UnreadableError) as error:
        list(documents.json_values(Found(path, "x"), look_through(Found(path, "x"))))
    assert "one JSON value of more than" in error.value.problems[0].message


def test_a_total_that_langfuse_states_is_held_against_its_observations(tmp_path: Path) -> None:
    """By hand: 0.003 logged; 0.004 stated of one trace, 0.003 of the other, which agrees."""
    path = tmp_path / "x.jsonl"
    said = made_exports.JSON["langfuse"]()
    said[0]["trace"]["totalCost"], said[1]["trace"]["totalCost"] = 0.004, 0.003
    path.write_text("".join(json.dumps(v) + "\n" for v in said))
    (found,) = (c for c in read("langfuse", path).contradictions if "sums up" in c.what)
    assert (found.what, found.theirs, found.ours) == (
        "costs that a trace sums up (1 trace)",
        "USD 0.004000",
        "USD 0.003000",
    )


def test_a_number_that_a_part_of_the_file_cuts_is_read_whole() -> None:
    class Slow(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            return super().read(2)

    assert list(members._Text(Slow("[12,345, 6.75e2]"), "x").items()) == [12, 345, 675.0]


def test_contradictions_of_costs_come_in_one_order_however_traces_come_back_from_disk() -> None:
    """Two models of one trace: the first call's comes first, also where another trace was added before."""

    def calls(*models: str) -> tuple[list[Charge], list[Decimal | str | None]]:
        spans = [Span(kind="call", tokens=Tokens(9, None, None, 9), cost=Decimal(9), model=m) for m in models]
        return [Charge(s, s.cost) for s in spans], [Decimal(1) for _ in spans]

    traces = [(0, *calls("gpt-4o", "gpt-5")), (5, *calls("gpt-5"))]
    told = []
    for order in (traces, traces[::-1]):
        compared = Comparison()
        for at, charges, listed in order:
            compared.add(at, charges, listed)
        told.append(compared.result().contradictions)
    assert len(told[0]) == 2
    assert told[0] == told[1]


def test_a_long_list_on_one_line_is_read_as_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 MB of values in one list without a line's end, as most tools write it; a line counts for long from 1 MB on."""
    monkeypatch.setattr("roi.importers.documents._LONGEST_LINE", 1 << 20)
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"n": i, "text": "x" * 2000} for i in range(8000)]))
    found = Found(path, path.name)
    seen = look_through(found)
    tracemalloc.start()
    try:
        assert [value["n"] for value in documents.json_values(found, seen)] == list(range(8000))
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 1.5
    finally:
        tracemalloc.stop()


def test_no_room_for_temporary_files(tight: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, place: int) -> None: ...

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "spans.jsonl"
    path.write_text("\n".join(json.dumps(value) for value in lines("otlp")), encoding="utf-8")
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **given: Full())
    with pytest.raises(SampleError, match=r"(?s)temporary files.*No space left.*TMPDIR"):
        import_files([str(path)], here=tmp_path)

    def nowhere(**given: Any) -> Any:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.TemporaryFile", nowhere)
    with pytest.raises(SampleError, match=r"(?s)temporary files.*No usable"):
        import_files([str(path)], here=tmp_path)
