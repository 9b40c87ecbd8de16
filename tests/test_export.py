"""What is handed on: the files of a run and nothing else, checked and always the same."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from roi.cli import main
from roi.export import SUMS, export_bytes
from roi.problems import ParameterError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the report of a pilot, and much beside it that is nobody's business."""
    (tmp_path / "data").mkdir()
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "made.yaml").write_text("pilot: made\n")
    (tmp_path / "data" / "cases.csv").write_text("case_id,arm\n1,pilot\n")
    (tmp_path / "secret.txt").write_text("secret")
    made = tmp_path / "reports" / "made"
    made.mkdir(parents=True)
    prints = {"data/cases.csv": hashlib.sha256((tmp_path / "data" / "cases.csv").read_bytes()).hexdigest()}
    (made / "decision.json").write_text(json.dumps(record_of(prints)))
    for name in (
        "report.html",
        "1_audit.html",
        "2_decide.ipynb",
        "1_audit.ipynb",
        "workbook.xlsx",
        "moments.json",
    ):
        (made / name).write_text(f"This is {name}")
    (made / "people.html").write_text("<title>Restricted: Made</title>")
    (made / "why.txt").write_text("it failed")
    (made / "archive" / "old").mkdir(parents=True)
    (made / "archive" / "old" / "report.html").write_text("old")
    (made / "3_fix.html").symlink_to(tmp_path / "secret.txt")
    return made


def record_of(prints: dict[str, str]) -> dict[str, Any]:
    return {"schema": 1, "pilot": "made", "verdict": "kill", "provenance": {"samples_sha256": prints}}


def names(data: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(data)).namelist()


def test_only_the_files_of_a_run_are_packed(folder):
    data, listed = export_bytes(folder)
    assert names(data) == listed == [
        "made/1_audit.html", "made/1_audit.ipynb", "made/2_decide.ipynb", "made/SHA256SUMS", "made/decision.json",
        "made/moments.json", "made/report.html", "made/workbook.xlsx",
    ]  # fmt: skip
    assert b"secret" not in data


def test_a_page_that_was_printed_comes_with_its_sheets(folder):
    """The link "PDF" of a page leads to them."""
    for name in ("report.pdf", "1_audit.pdf", "people.pdf"):
        (folder / name).write_bytes(b"%PDF")
    listed = export_bytes(folder)[1]
    assert [name for name in listed if name.endswith(".pdf")] == ["made/1_audit.pdf", "made/report.pdf"]


def test_every_file_has_its_checksum(folder):
    archive = zipfile.ZipFile(io.BytesIO(export_bytes(folder)[0]))
    lines = archive.read(f"made/{SUMS}").decode().splitlines()
    found = {line[66:]: line[:64] for line in lines}
    assert {f"made/{name}" for name in found} == set(archive.namelist()) - {f"made/{SUMS}"}
    for name, digest in found.items():
        assert hashlib.sha256(archive.read(f"made/{name}")).hexdigest() == digest


def test_the_same_files_give_the_same_bytes(folder):
    before = export_bytes(folder)[0]
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            path.write_bytes(path.read_bytes())
    assert export_bytes(folder)[0] == before


def test_a_restricted_page_under_another_name_is_refused(folder):
    (folder / "4_controls.html").write_text("<head><title>Restricted: Made</title>")
    with pytest.raises(ParameterError, match="restricted page"):
        export_bytes(folder)


def test_samples_come_on_request_and_only_as_the_record_knows_them(folder, tmp_path):
    assert "made/samples/data/cases.csv" in export_bytes(folder, samples_of=tmp_path)[1]
    (tmp_path / "data" / "cases.csv").write_text("other")
    with pytest.raises(ParameterError, match="no longer what the record was made from"):
        export_bytes(folder, samples_of=tmp_path)
    (tmp_path / "data" / "cases.csv").unlink()
    with pytest.raises(ParameterError, match="is no file of this project"):
        export_bytes(folder, samples_of=tmp_path)


@pytest.mark.parametrize("name", ["../secret.txt", "absolute"])
def test_no_name_leads_out_of_the_folder(folder, tmp_path, name):
    away = tmp_path / "project"
    away.mkdir()
    name = str(tmp_path / "secret.txt") if name == "absolute" else name
    digest = hashlib.sha256(b"secret").hexdigest()
    (folder / "decision.json").write_text(json.dumps(record_of({name: digest})))
    packed = export_bytes(folder, samples_of=away)[1]
    assert f"made/samples/elsewhere/{digest[:12]}-secret.txt" in packed
    assert all(n.startswith("made/") and ".." not in n for n in packed)


def test_on_the_command_line(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["export", "made", "--with-samples"])
    assert done.exit_code == 0, done.output
    assert "made/samples/data/cases.csv" in names((tmp_path / "made.zip").read_bytes())
    for pilot in ("nothing", "..", "../reports/made/archive"):
        refused = CliRunner().invoke(main, ["export", pilot])
        assert refused.exit_code == 2
        assert "holds no report" in refused.output
