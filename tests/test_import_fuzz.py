"""Spoilt exports: a clear error or a counted exclusion, never a traceback, never a table that is silently wrong."""

from __future__ import annotations

import random
import warnings
from decimal import Decimal
from pathlib import Path

import made_exports
import pytest

from roi.importers import FORMATS, read_export, recognise
from roi.importers.conversations import group
from roi.importers.export import Export
from roi.readers.base import UnreadableError
from roi.readers.files import Found, look_through
from roi.schema.tables import OUTCOMES

MUTATIONS = 200
FEWER = 50  # of a format's other spelling as Parquet, which takes as long to write as to read


def read(kind: str, path: Path) -> Export:
    found = Found(path, path.name)
    return read_export(made_exports.format_of(kind), [(found, look_through(found))])


def hold(found: Export) -> None:
    """What is true of every table, whatever it was made of."""
    names = [row.get("trace_id") for row in found.traces.rows]
    assert all(names)
    assert len(set(names)) == len(names) or found.arm == "baseline"
    for table in (found.traces, found.actions, found.evals, found.versions):
        for row in table.rows:
            assert all(cell is None or cell.encode() for cell in row.values())
    for row in found.traces.rows:
        for column in ("input_tokens", "output_tokens", "cache_read_tokens", "calls", "tool_calls", "errors"):
            cell = row.get(column)
            assert cell is None or int(cell) >= 0
        cost = row.get("agent_cost")
        if cost is not None:
            assert Decimal(cost) >= 0
            assert row.get("cost_currency") == "USD"
            # Nothing that used tokens is free; what is below a billionth of a dollar rounds to 0.
            used = int(row.get("input_tokens") or 0) + int(row.get("output_tokens") or 0)
            assert Decimal(cost) > 0 or used < 50
        assert row.get("outcome") in (None, *OUTCOMES)
        minutes = row.get("handling_minutes")
        assert minutes is None or 0 <= float(minutes) <= 480 * int(row["events"] or 0)
    for action in found.actions.rows:
        assert action.get("trace_id") in names
        assert action.get("decision") in (None, "auto", "approved", "rejected", "escalated")
        assert action.get("status") in (None, "ok", "error", "denied")
        assert not (action.get("decision") == "rejected" and action.get("executed_at"))
    assert {row.get("passed") for row in found.evals.rows} <= {"true", "false"}
    assert all(isinstance(n, int) and n > 0 for n in found.left_out.values())
    grouped = group(found.traces)
    assert len(grouped.cases.rows) <= len(found.traces.rows)
    assert all(text.isprintable() for text in found.told)


@pytest.mark.parametrize("kind", made_exports.KINDS)
def test_a_whole_export_of_every_kind(tmp_path: Path, kind: str) -> None:
    path = made_exports.write(kind, tmp_path)
    assert recognise(Found(path, path.name), asked=True) == made_exports.format_of(kind)
    found = read(kind, path)
    hold(found)
    assert found.traces.rows or found.evals.rows


def test_every_format_is_spoilt() -> None:
    assert {made_exports.format_of(kind) for kind in made_exports.KINDS} == set(FORMATS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", made_exports.KINDS)
def test_spoilt_exports(tmp_path: Path, kind: str) -> None:
    """200 of each kind, the same on every run."""
    read_whole = 0
    mutations = FEWER if kind in made_exports.STORED else MUTATIONS
    for number in range(mutations):
        path = made_exports.write(kind, tmp_path, random.Random(f"{kind} {number}"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                recognise(Found(path, path.name), asked=True)
                found = read(kind, path)
            except UnreadableError as error:
                said = [p.message for p in error.problems]
                if not (said and all(said)):
                    pytest.fail(f"mutation {number} of {kind}: an error that says nothing")
                continue
            except Exception as error:
                pytest.fail(f"mutation {number} of {kind}: {type(error).__name__}: {error}")
        try:
            hold(found)
        except AssertionError as error:
            raise AssertionError(f"mutation {number} of {kind}") from error
        read_whole += 1
    assert read_whole > mutations / 10
