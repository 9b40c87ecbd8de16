"""Exports that are written otherwise than in UTF-8."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_exports import JSON

from roi.importers import read_export, recognise
from roi.readers.files import Found, look_through


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("kind", ["otlp", "langsmith", "tau2", "langfuse", "atif", "promptfoo"])
def test_json_in_utf_16_is_recognised(tmp_path: Path, kind: str, mark: str) -> None:
    """As PowerShell writes it: no marker's bytes are in the file."""
    text = json.dumps(JSON[kind]()[0])
    files = []
    for folder, data in (("wide", ("\ufeff" + text).encode(mark)), ("plain", text.encode())):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "made.json").write_bytes(data)
        found = Found(tmp_path / folder / "made.json", "made.json")
        assert recognise(found) == kind
        files.append((found, look_through(found)))
    one, other = (read_export(kind, [file]) for file in files)
    assert [dict(r) for r in one.traces.rows] == [dict(r) for r in other.traces.rows]


def test_other_json_in_utf_16_is_none(tmp_path: Path) -> None:
    path = tmp_path / "else.json"
    path.write_bytes('\ufeff{"a": 1}'.encode("utf-16-le"))
    assert recognise(Found(path, path.name)) is None
