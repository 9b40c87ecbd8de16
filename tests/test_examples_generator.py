"""The example samples are what the generator draws from stated truths, and nothing in them is personal."""

from __future__ import annotations

import gzip
import io
import re
import sys
import zipfile
from collections import defaultdict
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from data.generate import SEED, TRUTHS, draw_tables, generate, main  # noqa: E402
from data.generator.cases import Row  # noqa: E402

PILOTS = sorted(TRUTHS)


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, list[Row]]]:
    return {name: draw_tables(TRUTHS[name]) for name in PILOTS}


def content(path: Path) -> dict[str, bytes]:
    """What a file holds, whatever compressed it; a workbook's properties name the library's version."""
    raw = path.read_bytes()
    if path.suffix == ".gz":
        return {"": gzip.decompress(raw)}
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            return {name: book.read(name) for name in book.namelist() if not name.startswith("docProps/")}
    return {"": raw}


def human_minutes(case: Row) -> float | None:
    parts = [case["handling_minutes"], case["review_minutes"] or 0.0, case["rework_minutes"] or 0.0]
    return None if parts[0] is None else sum(p for p in parts if isinstance(p, float))


@pytest.mark.parametrize("pilot", PILOTS)
def test_committed_samples_are_what_the_generator_writes(pilot: str, tmp_path: Path) -> None:
    written = {p.name: content(p) for p in generate(TRUTHS[pilot], SEED, tmp_path)}
    committed = {p.name: content(p) for p in (ROOT / "data" / pilot).iterdir()}
    assert written.keys() == committed.keys()
    assert [name for name in written if written[name] != committed[name]] == []


@pytest.mark.parametrize("pilot", ["permit_intake", "payment_repair"])
def test_writing_twice_gives_the_same_bytes(pilot: str, tmp_path: Path) -> None:
    first = [p.read_bytes() for p in generate(TRUTHS[pilot], 7, tmp_path / "a")]
    second = [p.read_bytes() for p in generate(TRUTHS[pilot], 7, tmp_path / "b")]
    assert first == second


def test_another_seed_gives_other_cases(tables: dict[str, dict[str, list[Row]]]) -> None:
    other = draw_tables(TRUTHS["contract_summaries"], SEED + 1)["cases"]
    ours = tables["contract_summaries"]["cases"]
    assert len(other) == len(ours)
    assert sum(a["handling_minutes"] == b["handling_minutes"] for a, b in zip(ours, other, strict=True)) == 0


@pytest.mark.parametrize("pilot", PILOTS)
def test_sampled_minutes_are_near_the_truth(pilot: str, tables: dict[str, dict[str, list[Row]]]) -> None:
    """Each mean is within 4.5 standard errors, taken between workers, whose cases are not independent."""
    truth = TRUTHS[pilot]
    for segment in truth.segments:
        for arm in ("baseline", "pilot"):
            units: dict[object, list[float]] = defaultdict(list)
            for case in tables[pilot]["cases"]:
                minutes = human_minutes(case)
                if (case["segment"], case["arm"], case["setting"]) == (
                    segment.name,
                    arm,
                    "production",
                ) and minutes:
                    units[case["case_id"] if truth.design == "paired" else case["worker"]].append(minutes)
            if not units:
                assert min(segment.cases) == 0
                continue
            means = [mean(values) for values in units.values()]
            expected = getattr(segment, arm).human_minutes(segment.defects)
            assert abs(mean(means) - expected) <= 4.5 * stdev(means) / sqrt(len(means)), (segment.name, arm)


@pytest.mark.parametrize("pilot", PILOTS)
def test_sampled_rates_are_near_the_truth(pilot: str, tables: dict[str, dict[str, list[Row]]]) -> None:
    for segment in TRUTHS[pilot].segments:
        for arm in ("baseline", "pilot"):
            labelled = [
                c
                for c in tables[pilot]["cases"]
                if (c["segment"], c["arm"], c["setting"]) == (segment.name, arm, "production")
                and c["outcome"]
            ]
            if not labelled:
                continue
            true = getattr(segment, arm)
            for outcome, rate in (
                ("error", true.errors(segment.defects)),
                ("escalated", true.escalation(segment.defects)),
            ):
                seen = mean(c["outcome"] == outcome for c in labelled)
                assert abs(seen - rate) <= 4.5 * sqrt(max(rate * (1 - rate), 1e-9) / len(labelled)) + 1e-9


def test_a_changed_truth_changes_only_what_depends_on_it(tables: dict[str, dict[str, list[Row]]]) -> None:
    truth = TRUTHS["claims_intake"]
    slower = draw_tables(truth.change("pilot", "portal", handling=3 * 6.9))["cases"]
    moved = 0
    for before, after in zip(tables["claims_intake"]["cases"], slower, strict=True):
        if before["arm"] == "pilot" and before["segment"] == "portal":
            if before["handling_minutes"] is not None:
                assert after["handling_minutes"] == pytest.approx(3 * before["handling_minutes"])
                moved += 1
        else:
            assert before == after
    assert moved > 400
    with pytest.raises(ValueError, match="segments are"):
        truth.change("pilot", "fax", handling=1.0)


def test_the_messes_are_there(tables: dict[str, dict[str, list[Row]]]) -> None:
    claims = [a for a in tables["claims_intake"]["actions"] if a["decision"] == "approved"]
    late = {a["approver"] for a in claims if a["decided_at"] > a["executed_at"]}  # type: ignore[operator]
    assert late == {"a09"}  # one lazy approver, who is never in time
    assert not [a for a in claims if a["approver"] == "a09" and a["decided_at"] <= a["executed_at"]]  # type: ignore[operator]

    permits = tables["permit_intake"]["cases"]
    assert "heritage" not in {c["segment"] for c in permits}
    live = [c for c in permits if c["arm"] == "pilot" and c["setting"] == "production"]
    demo = [c for c in permits if c["setting"] == "demo"]
    assert mean(c["input_defects"] == 0 for c in live) < 0.5 < mean(c["input_defects"] == 0 for c in demo)
    shown, usual = ([m for c in cases if (m := human_minutes(c)) is not None] for cases in (demo, live))
    assert mean(shown) < 0.7 * mean(usual)

    replies = tables["support_replies"]["cases"]
    assert 0.005 < mean(c["handling_minutes"] is None for c in replies) < 0.03
    assert 0.01 < mean(c["outcome"] is None for c in replies) < 0.03

    released = [a for a in tables["payment_repair"]["actions"] if a["effect"] == "pay"]
    assert 0.3 < mean(a["decision"] == "auto" for a in released) < 0.46


def test_inputs_are_as_defective_as_their_cases_say() -> None:
    """Of the inputs of claims as many fields were spoilt as the case has defects; the demo's are tidy."""
    tables = draw_tables(TRUTHS["claims_intake"])
    rows = {r["case_id"]: r for r in tables["inputs"]}
    of_cases = [rows[c["case_id"]] for c in tables["cases"]]
    assert len(rows) == len(tables["cases"]) + TRUTHS["claims_intake"].demo_inputs
    right = re.compile(r"HR-\d{6}"), re.compile(r"\d+,\d\d"), re.compile(r"\d{5}"), re.compile(r"[A-Z]\w{3,}")
    for case, row in zip(tables["cases"], of_cases, strict=True):
        fields = [str(row[name]) for name in ("policy_no", "claimed", "postcode", "peril")]
        seen = sum(not r.fullmatch(text) for r, text in zip(right, fields, strict=True))
        day = str(row["loss_day"])
        seen += not (re.fullmatch(r"\d{4}-\d\d-\d\d", day) and day <= str(row["reported_at"]))
        # A number that looks right and is another customer's cannot be seen.
        assert seen <= int(str(case["input_defects"])) <= seen + 1
    demo = [r for r in tables["inputs"] if r["setting"] == "demo"]
    assert sum(not right[0].fullmatch(str(r["policy_no"])) for r in demo) <= 4


def test_a_control_can_be_changed() -> None:
    truth = TRUTHS["payment_repair"]
    assert truth.controls is not None
    tight_controls = replace(truth.controls, approval_miss_rate=0.0, rejection_rate=0.0)
    tight = draw_tables(replace(truth, controls=tight_controls))["actions"]
    assert {a["decision"] for a in tight if a["effect"] == "pay"} == {"approved"}


@pytest.mark.slow
def test_nothing_looks_like_a_person() -> None:
    """No addresses, telephone, account or card numbers; people are a letter and a number."""
    suspicious = re.compile(
        r"@|\+\d{2}[ \d]{8,}|\b[A-Z]{2}\d{2}[A-Z0-9]{11,}\b|(?<![\d.])\d{9,}(?![\d.])|https?://|\b(?:Mr|Mrs|Ms|Dr)\b"
    )
    for pilot in PILOTS:
        for path in (ROOT / "data" / pilot).iterdir():
            if path.suffix == ".seal":
                continue  # digests, which look like anything
            for part, raw in content(path).items():
                if part == "" or "sheet1" in part or "sharedStrings" in part:
                    text = raw.decode("utf-8-sig")
                    text = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
                    text = re.sub(
                        r"<v>[\d.]+</v>", "", text
                    )  # numbers of a sheet: times and costs in full length
                    found = suspicious.search(text)
                    assert found is None, f"{path.name}: {found}"
    for pilot in PILOTS:
        for case in draw_tables(TRUTHS[pilot])["cases"]:
            assert re.fullmatch(r"w\d{3}", str(case["worker"]))


def test_samples_are_small() -> None:
    sizes = [p.stat().st_size for pilot in PILOTS for p in (ROOT / "data" / pilot).iterdir()]
    assert max(sizes) < 1_000_000
    assert sum(sizes) < 3_000_000


@pytest.mark.parametrize("pilot", PILOTS)
def test_parameter_files_load_and_fit_the_truth(pilot: str) -> None:
    from roi.parameters import load_parameters

    parameters = load_parameters(ROOT / "params" / f"{pilot}.yaml").parameters
    shares = {s.name: s.share for s in TRUTHS[pilot].segments}
    mix = parameters.demand.mix
    assert mix == shares or (mix is None and shares == {"all": 1.0})
    assert sum(shares.values()) == pytest.approx(1)


def test_the_truth_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--truth", "contract_summaries"]) == 0
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines()[1:])
    assert float(printed["minutes_saved_per_case"]) == pytest.approx(36.0 - 20.0 - 14.8)
    with pytest.raises(SystemExit):
        main(["no_such_pilot"])
