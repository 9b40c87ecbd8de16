"""What makes imports fast gives what the plain way gives."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
from importlib import import_module
from pathlib import Path
from typing import Any

import made_exports
import pytest

from roi.importers import charges, csv_files, documents, facts, gathered, read_export
from roi.importers.charges import charges_of
from roi.importers.export import Table
from roi.importers.facts import Facts, heading, text_of
from roi.importers.gathered import Names, Rows
from roi.importers.spans import Span, Tokens, Trace
from roi.importers.times import from_iso, from_isos, to_iso
from roi.readers.base import UnreadableError
from roi.readers.files import Found, look_through

VALUES = ["a", "b", " c ", "", None, 7, True, "x" * 201, "\x00d", ["e", "f"], {"g": 1}, " " * 300 + "h", "i | j", "\ud800"]  # fmt: skip
HEADINGS = [("n", "m"), ("m", "o", "p"), ("n", "m", "o", "p", "q"), ("n", "n")]


class Plain:
    """Facts as they are defined: of each name the value of the lowest rank, of one rank the first."""

    def __init__(self) -> None:
        self.said: dict[str, tuple[facts.Rank, str]] = {}

    def add(self, name: str, value: Any, rank: facts.Rank) -> None:
        text = text_of(value)
        if text is not None and len(text) <= 200 and (name not in self.said or rank < self.said[name][0]):
            self.said[name] = (rank, text)


@pytest.mark.parametrize("most", [10_000, 0])
def test_layers_give_what_single_facts_give(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """350 traces, some of them in two parts, one of which lay on disk."""
    monkeypatch.setattr(facts, "_MOST_HEADINGS", most)
    heading.cache_clear()
    rng = random.Random(1)
    for _ in range(350):
        plain, whole = Plain(), Facts()
        parts = [whole] if rng.random() < 0.7 else [whole, Trace(1).facts]
        for part in parts:
            for _ in range(rng.randrange(1, 7)):
                rank = (rng.randrange(3), rng.randrange(4))
                names = rng.choice(HEADINGS)
                values = rng.choices(VALUES, k=len(names))
                if rng.random() < 0.2:
                    part.add(names[0], values[0], rank)
                    plain.add(names[0], values[0], rank)
                    continue
                under = heading(names)
                lacks = part.lacks(under, rank)
                before = part.texts()
                part.add_all(under, values, rank)
                assert lacks or part.texts() == before
                for name, value in zip(names, values, strict=True):
                    plain.add(name, value, rank)
        for part in parts[1:]:
            whole.join(Trace.unpack(0, Trace(0, part).pack()).facts)
        # The order too: columns stand as they were first said.
        assert list(whole.texts().items()) == [(name, text) for name, (_, text) in plain.said.items()]
    heading.cache_clear()


def test_a_trace_with_half_a_sign_in_a_name_can_be_put_aside() -> None:
    trace = Trace(3)
    trace.facts.add("\ud800", "x", (1, 0))
    trace.add("a", Span(kind="tool", facts=Facts(), tokens=Tokens(1, None, None, 2)))
    assert Trace.unpack(3, trace.pack()) == trace


def test_plain_traces_cost_what_all_traces_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees, forests and rings of up to six spans, in any order."""
    rng = random.Random(2)
    made = []
    for _ in range(1200):
        trace = Trace(0)
        names = [str(i) for i in range(rng.randrange(1, 7))]
        hub = rng.choice([*names, "elsewhere", None])
        for name in names:
            parent = hub if rng.random() < 0.8 and name != hub else rng.choice([*names, None])
            tokens = Tokens(rng.randrange(9), None, None, 1) if rng.random() < 0.5 else None
            kind = rng.choice(("call", "call", "other", "tool"))
            trace.add(name, Span(parent=parent, kind=kind, tokens=tokens, name=name))
        made.append(trace)

    def of(trace: Trace) -> list[Any]:
        return [(c.span.name, c.cost, c.settled) for c in charges_of(trace)]

    short = sum(charges._plain(t.spans) is not None and len(of(t)) > 1 for t in made)
    given = [of(trace) for trace in made]
    monkeypatch.setattr(charges, "_plain", lambda spans: None)
    assert given == [of(trace) for trace in made]
    assert short > 40


def test_lines_are_those_of_pythons_csv() -> None:
    rng = random.Random(3)
    names = ("a", "b,c", 'd"')
    cells = ["", "x", "a,b", 'say "x"', "two\nlines", "back\rhere", " x ", "'", ",", '"', "ü", "\x00"]
    for names in (("a", "b,c", 'd"'), ("a",)):
        rows = [
            dict(zip(rng.sample(names, k=n), rng.choices(cells, k=n), strict=True))
            for n in rng.choices(range(1, len(names) + 1), k=400)
        ]
        theirs = []
        for row in [names, *([row.get(n) for n in names] for row in rows)]:
            made = io.StringIO(newline="")
            # It quotes what the end of a row holds: both signs that a reader may take for one.
            csv.writer(made, lineterminator="\r\n").writerow(row)
            theirs.append(made.getvalue().removesuffix("\r\n") + "\n")
        assert list(csv_files._lines(Table(names, rows))) == theirs


def test_times_are_those_of_datetime() -> None:
    rng = random.Random(4)
    for _ in range(500):
        micro = rng.randrange(-2_208_988_800_000_000, 4_102_444_800_000_000)
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=micro)
        assert to_iso(micro) == moment.isoformat(timespec="microseconds") + "Z"
        assert from_iso(to_iso(micro)) == from_iso(moment.isoformat()) == from_iso(moment) == micro
        east = moment.replace(tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))
        assert from_iso(east.isoformat()) == micro - 19_800_000_000
    assert from_iso("2026-01-01 00:00:00 UTC") == 1_767_225_600_000_000
    assert (from_iso("2100-01-01"), from_iso("soon"), from_iso(5), to_iso(1 << 70)) == (
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize("size", [1, 7, 30, 1 << 18])
def test_blocks_of_lines_give_what_lines_give(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_LINES", size)
    path = tmp_path / "x.jsonl"

    def values() -> list[Any]:
        return list(documents.json_values(Found(path, "x"), look_through(Found(path, "x"))))

    rows = [{"a": i, "b": ["ü" * (i % 5), None, {"c": 1.5}]} for i in range(40)]
    path.write_text("\r\n\n".join(json.dumps(r, ensure_ascii=i % 2 == 0) for i, r in enumerate(rows)))
    assert values() == rows
    path.write_text('{"a": 1}\n{"a": NaN}\n{"b": 2}\n{"c":\n3} {"d": 4}\n[5, 6]\n')
    assert values() == [{"a": 1}, {"a": None}, {"b": 2}, {"c": 3}, {"d": 4}, [5, 6]]
    path.write_text("".join(f'{{"a": {i}}}\n' for i in range(30)) + '{"b": tru}\n{"c": 1}\n')
    with pytest.raises(UnreadableError) as error:
        values()
    assert error.value.problems[0].place == "line 31"


def test_rows_with_more_names_than_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "_LAYOUTS", 2)
    given = [{f"c{i % 5}": str(i), "d": "x"} for i in range(50)]
    rows: Rows[dict[str, str]] = Rows(given, most=20)
    names = Names()
    for at, row in enumerate(given):
        names.note(at, tuple(row))
    assert list(rows) == given
    assert list(names) == ["c0", "d", "c1", "c2", "c3", "c4"]


@pytest.mark.parametrize("kind", ["openinference", "otlp"])
def test_spans_read_together_are_those_read_alone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 400 values, half of them spoilt, in an order of their own; then the same with each in a block of its own."""
    rng = random.Random(f"together {kind}")
    given = []
    for i in range(400):
        value = json.loads(
            json.dumps(rng.choice(made_exports.JSON[kind]())).replace('"t"', f'"t{rng.randrange(60)}"')
        )
        text = json.dumps(made_exports.spoil(value, rng) if i % 2 else value)
        given.append(text.replace('"a"', f'"a{rng.randrange(5)}"'))
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(given))

    def told() -> Any:
        files = [(Found(path, "x"), look_through(Found(path, "x")))]
        export = read_export(kind, files)
        tables = (export.traces, export.actions, export.evals)
        return [(t.names, [list(r.items()) for r in t.rows]) for t in tables], export.told

    together = told()
    module = import_module(f"roi.importers.{kind}")
    monkeypatch.setattr(documents, "_LINES", 1)
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    assert together == told()
    assert len(together[0][0][1]) > 50


def test_columns_are_read_as_their_values_are() -> None:
    """Columns of one kind, which are read at once, and mixed ones."""
    rng = random.Random(6)
    pools: list[list[Any]] = [
        ["a", "b c", "d|e"], ["a", " c", "d "], ["a", ""], ["a", "x" * 201], ["a", "b\nc"], ["a", None], [1, 20, -3], [1, True],
        ["2026-01-05T08:00:00Z", "2026-01-05T08:00:00.5+02:00"], ["2026-01-05T08:00:00", "2026-01-05"], ["1850-01-01T00:00:00Z", "2026-01-05T08:00:00Z"],
        VALUES,
    ]  # fmt: skip
    for pool in pools:
        for n in (1, 2, 9):
            values = rng.choices(pool, k=n)
            assert list(facts.texts_of(values)) == [text_of(v) for v in values]
            assert list(facts.shorts(values)) == [
                t if (t := text_of(v)) is not None and len(t) <= 200 else None for v in values
            ]
            assert list(from_isos(values)) == [from_iso(v) for v in values]


def test_names_are_merged_as_dictionaries_are() -> None:
    rng = random.Random(7)
    for _ in range(100):
        several = tuple(tuple(rng.sample("abcdef", k=rng.randrange(5))) for _ in range(rng.randrange(1, 4)))
        union: dict[str, str] = {}
        cells = [str(rng.random()) for name in several for _ in name]
        left = iter(cells)
        for names in several:
            union.update((name, next(left)) for name in names)
        names, pick = facts.merged(*several)
        assert list(zip(names, pick(cells), strict=True)) == list(union.items())
