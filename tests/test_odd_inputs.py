"""Inputs that lack something are decided on what is there, and no text of an input becomes a part of a page."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from broken_pilots import MARKUP, RICH, Bad, as_csv, good_rows, held, in_project, invoke, lay  # noqa: F401 - a fixture
from pilots import cases, write_pilot
from rest_slow import rest_slow

from roi.pilot import open_pilot
from roi.report import sections
from roi.report.page import script


def changed(**columns: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda rows: [row | columns for row in rows]


def without(*columns: str) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda rows: [{k: v for k, v in row.items() if k not in columns} for row in rows]


ODD_NAMES = (
    "<script>alert(1)</script>",
    "../../etc/passwd",
    'O\'Brien "Bob"',
    "💥💥",
    "-1+1",
    "=cmd|' /C calc'!A0",
    "a\nb",
)
MISSING_EVIDENCE = {
    "the pilot's arm alone": lambda rows: [r for r in rows if r["arm"] == "pilot"],
    "the baseline alone": lambda rows: [r for r in rows if r["arm"] == "baseline"],
    "one case": lambda rows: rows[:1],
    "one case of each arm": lambda rows: [rows[0], next(r for r in rows if r["arm"] == "baseline")],
    "one case, nothing else": lambda rows: [{"case_id": "1", "arm": "pilot"}],
    "cases and arms alone": lambda rows: [{k: r[k] for k in ("case_id", "arm")} for r in rows],
    "no minutes": without("handling_minutes"),
    "blank minutes": changed(handling_minutes=""),
    "minutes of one arm": lambda rows: [r | ({"handling_minutes": ""} if r["arm"] == "pilot" else {}) for r in rows],
    "no outcomes": without("outcome", "severity"),
    "blank outcomes": changed(outcome="", severity=""),
    "no workers": without("worker"),
    "one worker": changed(worker="w"),
    "blank segments": changed(segment=""),
    "no times": without("started_at"),
    "demo alone": changed(setting="demo"),
    "nothing takes time": changed(handling_minutes="0"),
    "everything takes as long": changed(handling_minutes="7"),
    "everything wrong": changed(outcome="error", severity="critical"),
    "everything escalated": changed(outcome="escalated", severity=""),
    "everything abandoned": changed(outcome="abandoned", severity=""),
    "costs of nothing beside tokens": changed(agent_cost="0", input_tokens="900", output_tokens="90"),
    "costs in a currency without a rate": changed(agent_cost="0.2", cost_currency="JPY"),
    "long minutes": changed(handling_minutes="9000"),
    "odd names": lambda rows: [r | {"case_id": f"{ODD_NAMES[i % 7]} {i}", "worker": ODD_NAMES[i % 7]} for i, r in enumerate(rows)],
    "every row twice": lambda rows: [*rows, *rows],
}  # fmt: skip


def refuse_constant(name: str) -> Any:
    raise AssertionError(f"{name} in a record")


@pytest.mark.parametrize("name", rest_slow(MISSING_EVIDENCE, at_once=6))  # each of them a whole decision
def test_what_is_missing_is_a_verdict_with_missing_evidence(project, name):
    lay(project, Bad(says=(), rows=MISSING_EVIDENCE[name]))
    before = held(project)
    done = invoke("decide", "params/made.yaml", "--json")
    assert done.exit_code == 0, done.stderr
    record = json.loads(done.stdout, parse_constant=refuse_constant)
    assert record["verdict"] in ("kill", "fix")
    assert any(gate["state"] == "missing_evidence" for gate in record["gates"])
    assert not any(text in done.stdout for text in ODD_NAMES)
    assert held(project) == before


def test_the_terminal_shows_what_is_missing(project):
    lay(project, Bad(says=(), rows=MISSING_EVIDENCE["cases and arms alone"]))
    done = invoke("decide", "params/made.yaml")
    assert done.exit_code == 0, done.stderr
    assert "not known" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        ("﻿" + as_csv(good_rows())).encode(),
        as_csv(good_rows()).encode("utf-16"),
        as_csv(good_rows()).replace(",", ";").encode(),
        as_csv(good_rows()).replace("\n", "\r\n").encode(),
        (as_csv(good_rows()) + "\n\n").encode(),
    ],
    ids=[
        "byte-order mark",
        "UTF-16 with its mark",
        "semicolons",
        "carriage returns",
        "blank lines at the end",
    ],
)
def test_what_an_analyst_would_expect_to_be_read_is_read(project, content):
    plain = lay(project, Bad(says=()))
    expected = open_pilot(plain).decision.record["estimates"]
    (project / "data/cases.csv").write_bytes(content)
    assert open_pilot(plain).decision.record["estimates"] == expected


def marked(value: Any, key: str = "") -> Any:
    """A parameter file's groups with markup in every free text."""
    words = (
        "title",
        "workflow",
        "text",
        "owner",
        "prepared_by",
        "budget_owner",
        "finance_reviewer",
        "source",
        "how",
        "by",
        "note",
    )
    if isinstance(value, dict):
        return {k: marked(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [marked(v, key) for v in value]
    return (
        f"{value} {MARKUP}" if isinstance(value, str) and key in words and not value[:4].isdigit() else value
    )


def write_marked(folder: Path, pilot: float = 9.0) -> Path:
    rows = cases(600, pilot=pilot)
    names = {"a": f"Fire {MARKUP}", "b": f"Water {MARKUP}"}
    for row in rows:
        row |= {"segment": names[row["segment"]], "cause": "data" if row["outcome"] == "error" else ""}
    path = write_pilot(folder, rows, RICH)
    parameters = marked(yaml.safe_load(path.read_text()))
    parameters["demand"]["mix"] = {names["a"]: 0.6, names["b"]: 0.4}
    for line in parameters["economics"]["costs"]:
        line["name"] += MARKUP
    path.write_text(yaml.safe_dump(parameters, allow_unicode=True, sort_keys=False), encoding="utf-8")
    policy = {"approved_by": f"Board {MARKUP}"}
    (path.parent / "_policy.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
    return path


class Elements(HTMLParser):
    """Names of elements and of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.scripts: list[tuple[str | None, str]] = []  # of what kind, and what it says
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))
        self.attributes |= {name for name, _ in attrs}
        self.links |= {str(value) for name, value in attrs if name in ("href", "src")}

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem == "script":
            kind, said = self.scripts[-1]
            self.scripts[-1] = kind, said + data


def assert_inert(text: str) -> None:
    """Nothing of a user's is markup: the only scripts are the page's own, word for word, and data without any markup."""
    found = Elements(text)
    assert not found.names & {"img", "iframe", "object", "embed"}
    for kind, said in found.scripts:
        if kind == "application/json":
            json.loads(said)
            assert "<" not in said
        else:
            assert (kind, said) == (None, script())
    assert not any(name.startswith("on") for name in found.attributes)
    assert not any("javascript:" in link for link in found.links)


@pytest.mark.slow
@pytest.mark.parametrize("pilot", [9.0, 22.0], ids=["saves", "kill"])
def test_markup_in_any_text_comes_out_escaped(tmp_path, pilot):
    decision = open_pilot(write_marked(tmp_path, pilot)).decision
    shown = 0
    for make in (
        sections.first_screen,
        sections.measured,
        sections.money,
        sections.options,
        sections.gates,
        sections.drivers,
        sections.causes,
        sections.assumptions,
        sections.left_out,
        sections.provenance,
    ):
        bundle = make(decision)._repr_mimebundle_()
        bundle = bundle[0] if isinstance(bundle, tuple) else bundle
        assert_inert(bundle["text/html"])
        shown += html.escape("<script>alert(1)</script>", quote=False) in bundle["text/html"]
    assert shown >= 3  # the markup is shown, not swallowed


@pytest.mark.slow
def test_markup_is_escaped_in_every_page_of_a_batch(tmp_path):
    from roi.batch import run_batch

    out = tmp_path / "reports"
    assert run_batch([write_marked(tmp_path)], out).exit_code == 0
    pages = list(out.rglob("*.html"))
    assert {page.name for page in pages} == {
        "report.html",
        "1_audit.html",
        "3_fix.html",
        "4_controls.html",
        "5_prove_roi.html",
        "6_operate.html",
        "index.html",
    }
    for page in pages:
        assert_inert(page.read_text(encoding="utf-8"))
    for row in csv.reader(io.StringIO((out / "decisions.csv").read_text(encoding="utf-8"))):
        assert not any(text.startswith(("=", "+", "@")) for text in row)
