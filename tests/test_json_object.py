"""A JSON file beside a report that somebody or something spoilt is as one that is not there, wherever it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from roi.batch.outputs import read_record
from roi.json_object import read_object
from roi.made_with import taken_note
from roi.operating import months_of
from roi.records import refuse_newer_record
from roi.report.index import read_together

SPOILT = {
    "nothing": b"",
    "cut off": b'{"a": [1, 2',
    "a list": b"[1]",
    "a number": b"1",
    "null": b"null",
    "not UTF-8": b'{"a": "\xff"}',
    "brackets without end": b"[" * 200_000,
    "objects without end": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("text", SPOILT.values(), ids=SPOILT)
def test_what_is_no_object_reads_as_nothing(tmp_path: Path, text: bytes) -> None:
    names = ("decision.json", ".taken.json", "operation.json", "portfolio.json")
    for name in names:
        (tmp_path / name).write_bytes(text)
        assert read_object(tmp_path / name) is None
    assert read_record(tmp_path) is None
    assert taken_note(tmp_path) is None
    assert months_of(tmp_path, {}) is None
    assert read_together(tmp_path, []) is None
    refuse_newer_record(tmp_path)


def test_what_is_there_is_read_and_what_is_not_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": [1, {"b": "ü"}]}', encoding="utf-8")
    assert read_object(tmp_path / "x.json") == {"a": [1, {"b": "ü"}]}
    assert read_object(tmp_path / "y.json") is None
    assert read_object(tmp_path) is None
