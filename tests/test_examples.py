"""The six examples: each verdict follows from what was measured, and a changed truth changes it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from opened_examples import example

from roi.pilot import open_pilot

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from data.generate import TRUTHS, Truth, generate  # noqa: E402

INTENDED = {
    "support_replies": ("scale", None, None),
    "invoice_coding": ("scale", None, ["catalogue"]),
    "claims_intake": ("fix", None, None),
    "contract_summaries": ("kill", "thin_value", None),
    "permit_intake": ("kill", "no_data", None),
    "payment_repair": ("kill", "uncontrollable_risk", None),
}


def verdict(record: dict) -> tuple:
    money = record["money"] or {}
    scope = (
        money.get("scope") if money.get("plan") == "scale_segments" and record["verdict"] == "scale" else None
    )
    return record["verdict"], record["ground"], scope


@pytest.fixture(scope="module")
def records():
    return {name: example(name).decision.record for name in INTENDED}


def test_there_is_a_parameter_file_for_each_example():
    assert {p.stem for p in (ROOT / "params").glob("[!_]*.yaml")} >= set(INTENDED)


@pytest.mark.parametrize("name", INTENDED)
def test_each_example_gets_its_intended_verdict(records, name):
    assert verdict(records[name]) == INTENDED[name]


@pytest.mark.parametrize("name", INTENDED)
def test_no_example_is_accused_of_its_own_design(records, name):
    """Arms that are not half and half by design state their shares, and keep them."""
    assert not any("pilot arm" in text for text in records[name]["warnings"])
    assert not any(f["check"] == "allocation" for f in records[name]["design"]["findings"])


@pytest.mark.parametrize("name", INTENDED)
def test_a_record_is_whole(records, name):
    record = records[name]
    assert record["schema"] == 1
    assert len(record["reason"].split()) <= 30
    assert record["next"], "a verdict without a next action"
    for action in record["next"]:
        assert action["action"]
        assert action["pass_mark"]
        assert action["owner"]
        assert action["by"]
    if record["verdict"] == "fix":
        assert any((a["worth"] or a["max_price"] or 0) > 0 for a in record["next"])
    if record["verdict"] == "kill":
        assert [s["what"] for s in record["stopping"]]


def test_estimates_are_near_the_truth(records):
    for name in ("support_replies", "invoice_coding", "claims_intake", "payment_repair"):
        truth = TRUTHS[name].figures()
        found = records[name]["estimates"]["minutes_saved_per_case"]
        width = found["p95"] - found["p05"]
        assert abs(found["mean"] - truth["minutes_saved_per_case"]) < width, (name, found, truth)


def changed(tmp_path: Path, name: str, truth: Truth) -> dict:
    """The record of an example whose samples were drawn from another truth."""
    shutil.copytree(ROOT / "params", tmp_path / "params")
    generate(truth, out_dir=tmp_path / "data" / name)
    return open_pilot(tmp_path / "params" / f"{name}.yaml").decision.record


def without_defects(truth: Truth) -> Truth:
    segments = tuple(replace(s, defects=0.02) for s in truth.segments)
    return replace(truth, segments=segments, controls=replace(truth.controls, lazy_approver_share=0.0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("support_replies", lambda t: t.change("pilot", handling=9.0), ("kill", "thin_value")),
        (
            "support_replies",
            lambda t: replace(t, controls=replace(t.controls, drill_minutes=55.0)),
            ("fix", None),
        ),
        ("invoice_coding", lambda t: t.change("pilot", "catalogue", handling=6.0), ("kill", "thin_value")),
        ("claims_intake", without_defects, ("scale", None)),
        ("payment_repair", lambda t: t.change("pilot", handling=20.0), ("kill", "thin_value")),
    ],
    ids=["slow agent", "slow pause", "bad everywhere", "clean inputs", "no saving"],
)
def test_the_verdict_follows_a_changed_truth(tmp_path, name, change, expected):
    record = changed(tmp_path, name, change(TRUTHS[name]))
    assert (record["verdict"], record["ground"]) == expected
