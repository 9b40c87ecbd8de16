"""Records replay: from parameters and samples, or from the archive when these are gone; and every change is named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from made_runs import issued, random_pilot
from pilots import cases, write_pilot

from roi.archive import read_archive
from roi.cli import main
from roi.pilot import open_pilot
from roi.problems import InputError
from roi.records import check_form, read_record
from roi.replay import Verification, differences, verify

SMALL = {"run": {"draws": 1000}, "about": {"prepared_by": "A. Analyst"}}
HERE = Path(__file__).parent


def project(folder: Path, **more: Any) -> tuple[Path, Path]:
    """A small pilot and its issued run, the parameter file and the report folder."""
    path = write_pilot(folder, cases(240, workers=8), more.pop("changes", SMALL), **more)
    return path, issued(path, folder / "reports")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    project(folder)
    return folder


@pytest.fixture
def copy(made, tmp_path, monkeypatch) -> Path:
    """A project with an issued run, to be spoilt."""
    shutil.copytree(made, tmp_path / "p")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "p"


def state(found: Verification, what: str) -> list[tuple[str, str]]:
    return [(c.state, c.says) for c in found.checks if c.what == what]


@pytest.mark.slow
def test_a_run_holds_from_its_samples(made):
    found = verify(made / "reports/made")
    assert found.holds
    assert {c.state for c in found.checks} == {"held"}
    assert [c.what for c in found.checks if c.what != "sample"] == [
        "ledger", "parameters", "policy", "archive", "versions", "record",
    ]  # fmt: skip
    assert "from parameters and samples: the same" in state(found, "record")[0][1]
    assert [says for _, says in state(found, "sample")] == [
        f"data/{t}.csv" for t in ("access", "actions", "cases", "changes", "evals", "incidents")
    ]


def test_a_run_holds_from_its_archive_when_everything_else_is_gone(copy):
    shutil.rmtree(copy / "data")
    shutil.rmtree(copy / "params")
    found = verify(copy / "reports/made")
    assert found.holds
    assert {s for s, _ in state(found, "sample")} == {"gone"}
    assert state(found, "parameters") == [("gone", "params/made.yaml")]
    assert "from the archive of the run: the same" in state(found, "record")[0][1]


@pytest.mark.slow
def test_the_record_of_the_command_line_holds_without_a_ledger(made, tmp_path, monkeypatch):
    monkeypatch.chdir(made)
    file = tmp_path / "one.json"
    file.write_text(open_pilot("made").decision.json() + "\n", encoding="utf-8")
    found = verify(file)
    assert found.holds
    assert state(found, "ledger")[0][0] == "gone"
    assert state(found, "record")[0][0] == "held"


def test_without_inputs_and_archive_it_says_what_is_missing(copy):
    shutil.rmtree(copy / "data")
    (copy / "reports/made/moments.json").unlink()
    done = CliRunner().invoke(main, ["verify", str(copy / "reports/made")])
    assert done.exit_code == 2
    assert "neither all its inputs nor its archive are there" in " ".join(done.output.split())
    assert "To mend it: bring parameters and samples back" in " ".join(done.output.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("params/made.yaml", "parameters"),
        ("params/_policy.yaml", "policy"),
        ("data/cases.csv", "sample"),
        ("data/evals.csv", "sample"),
    ],
)
def test_a_changed_input_of_the_current_record_is_named(copy, file, what):
    with (copy / file).open("ab") as target:
        target.write(b"\n")
    done = CliRunner().invoke(main, ["verify", str(copy / "reports/made")])
    assert done.exit_code == 2
    found = verify(copy / "reports/made")
    assert [c.says for c in found.checks if c.is_bad] == [file]
    assert [s for s, says in state(found, what) if says == file] == ["changed"]
    assert "from the archive of the run: the same" in state(found, "record")[0][1]


@pytest.mark.slow
def test_a_file_that_a_glob_takes_in_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_pilot(tmp_path, cases(120, workers=8), SMALL | {"samples": {"evals": "data/evals*.csv"}})
    folder = issued(path, tmp_path / "reports")
    shutil.copy(tmp_path / "data/evals.csv", tmp_path / "data/evals-2.csv")
    found = verify(folder)
    assert [c.says for c in found.checks if c.is_bad] == ["data/evals-2.csv was added"]


@pytest.mark.slow
def test_a_changed_figure_is_named_by_its_key_and_its_ledger(copy):
    file = copy / "reports/made/decision.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    mean = record["options"]["scale"]["mean"]
    file.write_text(
        file.read_text(encoding="utf-8").replace(f'"mean": {mean}', f'"mean": {mean + 1}', 1), "utf-8"
    )
    found = verify(copy / "reports/made")
    assert not found.holds
    assert state(found, "ledger")[0][0] == "differs"
    (_, says) = state(found, "record")[0]
    assert f"is {mean + 1}, computed again {mean}" in says


@pytest.mark.slow
def test_a_record_that_is_only_written_otherwise_is_named(copy):
    file = copy / "reports/made/decision.json"
    file.write_bytes(file.read_bytes().replace(b'", "', b'",  "', 1))
    found = verify(copy / "reports/made")
    assert [c.what for c in found.checks if c.is_bad] == ["record"]
    assert "the same values, written otherwise from byte" in state(found, "record")[0][1]


@pytest.mark.slow
def test_a_changed_archive_is_named(copy):
    place = copy / "reports/made/moments.json"
    place.write_bytes(place.read_bytes().replace(b'"n":', b'"n": ', 1))
    found = verify(copy / "reports/made")
    assert [(c.what, c.state) for c in found.checks if c.is_bad] == [("archive", "changed")]


def test_a_record_of_a_newer_version_is_refused(copy):
    file = copy / "reports/made/decision.json"
    newer = json.loads(file.read_text(encoding="utf-8")) | {"schema": 2}
    newer["provenance"]["roi"] = "9.9"
    file.write_text(json.dumps(newer), encoding="utf-8")
    before = {p: p.read_bytes() for p in (copy / "reports").rglob("*") if p.is_file()}
    sign = ["sign", str(file), "--as", "B", "--role", "r", "--decision", "accept"]
    for command in (["verify", str(file)], ["diff", str(file), str(file)], sign):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 2
        assert (
            "a record of form 2, written by roi 9.9; this version knows form 1: install that one"
            in done.output
        )
    assert before == {p: p.read_bytes() for p in (copy / "reports").rglob("*") if p.is_file()}


@pytest.mark.slow
def test_a_broken_ledger_is_named_and_the_record_is_verified_all_the_same(copy):
    ledger = copy / "reports/ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"verdict"', b'"Verdict"'))
    found = verify(copy / "reports/made")
    assert state(found, "ledger")[0] == (
        "broken",
        "ledger.jsonl, line 1: was changed: its hash is not that of what it holds",
    )
    assert state(found, "record")[0][0] == "held"
    assert not found.holds


@pytest.mark.slow
def test_other_versions_are_named_and_do_not_matter_to_figures_that_the_ledger_vouches_for(copy, monkeypatch):
    import roi.replay

    real = roi.replay._installed
    monkeypatch.setattr(roi.replay, "_installed", lambda name: "9.9" if name == "scipy" else real(name))
    found = verify(copy / "reports/made")
    assert found.holds
    assert state(found, "versions")[0][0] == "differs"
    assert "9.9 now" in state(found, "versions")[0][1]


@pytest.mark.slow
def test_an_archived_record_holds_after_its_inputs_went_on(copy):
    (copy / "params/made.yaml").write_text(
        (copy / "params/made.yaml")
        .read_text(encoding="utf-8")
        .replace("wind_down_cost: 2000", "wind_down_cost: 9000"),
        encoding="utf-8",
    )
    folder = issued(copy / "params/made.yaml", copy / "reports")
    (old,) = (folder / "archive").iterdir()
    found = verify(old)
    assert found.holds
    assert state(found, "parameters") == [("changed", "params/made.yaml")]
    assert "from the archive of the run" in state(found, "record")[0][1]
    assert verify(folder).holds


@pytest.mark.slow
def test_looks_of_the_ledger_are_replayed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, _ = project(tmp_path)
    rows = cases(260, workers=8)
    write_pilot(tmp_path, rows, SMALL)
    folder = issued(path, tmp_path / "reports")
    record = json.loads((folder / "decision.json").read_text(encoding="utf-8"))
    assert (record["provenance"]["looks"], record["provenance"]["looks_stated"]) == (2, 1)
    assert any(
        "Counted as 2 looks at its data in the ledger, where the file states 1" in w
        for w in record["warnings"]
    )
    assert verify(folder).holds
    again = issued(path, tmp_path / "reports")  # the same data are no further look
    assert json.loads((again / "decision.json").read_text(encoding="utf-8")) == record
    shutil.rmtree(tmp_path / "data")
    assert verify(folder).holds
    plain = json.loads(open_pilot_without_samples(folder))
    assert plain["provenance"]["looks"] == 2


def open_pilot_without_samples(folder: Path) -> str:
    from roi.record import build_record, canonical

    return canonical(build_record(read_archive(folder / "moments.json").analysis()))


@pytest.mark.slow
def test_what_a_notebook_replaced_is_replayed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_pilot(tmp_path, cases(120, workers=8), SMALL)
    folder = issued(path, tmp_path / "reports", run={"seed": 5, "draws": 1200, "as_of": "2026-12-01"})
    assert verify(folder).holds
    shutil.rmtree(tmp_path / "data")
    assert verify(folder).holds


@pytest.mark.slow
def test_an_archive_takes_all_that_samples_may_hold(tmp_path, monkeypatch):
    """A demo, a judge beside people, predictions and pairs: whatever a step takes of them is archived, too."""
    monkeypatch.chdir(tmp_path)
    rows = cases(240, workers=8)
    for i, row in enumerate(rows):
        row |= {"setting": "demo" if i % 5 == 0 else "production", "judge_outcome": row["outcome"]}
        row |= {"predicted_minutes": round(row["handling_minutes"] + 1, 1), "pair_id": f"P{i // 2}"}
        row |= {"label_probability": 0.7} | ({} if i % 3 else {"outcome": "", "severity": ""})
    changes = SMALL | {"samples": {"labels": {"selection": "random", "blind": True}}}
    folder = issued(write_pilot(tmp_path, rows, changes), tmp_path / "reports")
    taken = read_archive(folder / "moments.json").taken()
    assert all(getattr(taken.moments, part) is not None for part in ("judged", "covariate", "demo_cells"))
    assert verify(folder).holds
    shutil.rmtree(tmp_path / "data")
    found = verify(folder)
    assert found.holds
    assert "from the archive of the run" in state(found, "record")[0][1]


@pytest.mark.slow
def test_another_key_of_the_pseudonyms_is_named_and_the_archive_holds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_KEY", "a secret")
    policy = {"approved_by": "Board", "privacy": {"key_env": "MY_KEY"}}
    folder = issued(write_pilot(tmp_path, cases(120, workers=8), SMALL, policy=policy), tmp_path / "reports")
    assert verify(folder).holds
    monkeypatch.delenv("MY_KEY")
    found = verify(folder)
    assert found.holds
    assert any("lacks MY_KEY" in says for _, says in state(found, "sample"))
    assert "from the archive of the run" in state(found, "record")[0][1]
    assert "a secret" not in (folder / "moments.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_few_people_are_withheld_and_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_pilot(tmp_path, cases(120, workers=4), SMALL)
    folder = issued(path, tmp_path / "reports")
    assert read_archive(folder / "moments.json").content["taken"] is None
    assert verify(folder).holds
    shutil.rmtree(tmp_path / "data")
    found = verify(folder)
    assert not found.holds
    assert "4 people worked an arm" in state(found, "record")[0][1]


def test_an_archive_holds_no_name_and_no_pseudonym(made):
    text = (made / "reports/made/moments.json").read_text(encoding="utf-8")
    rows = cases(240, workers=8)
    for column in ("case_id", "worker", "started_at"):
        assert not any(f'"{row[column]}"' in text for row in rows), column
    assert not any(f'"{mark}' in text for mark in ("c-", "w-", "p-", "a-", "e-", "r-"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "cannot be read"),
        ("{}", "is no archive of a run"),
        (
            '{"schema": 2, "record": 1, "parameters": 1, "policy": 1, "looks_counted": 1, "withheld": 1, "taken": 1}',
            "is of form 2",
        ),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path, content, says):
    (tmp_path / "moments.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read_archive(tmp_path / "moments.json")


def test_an_archive_cannot_lead_out_of_its_folder(made, tmp_path):
    content = json.loads((made / "reports/made/moments.json").read_text(encoding="utf-8"))
    content["parameters"]["file"] = "../../made.yaml"
    (tmp_path / "moments.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="is no path of a parameter file"):
        read_archive(tmp_path / "moments.json").parameters()


def test_differences_are_named_by_key():
    one = {"a": {"b": [1, 2]}, "c": 1, "d": "x"}
    other = {"a": {"b": [1, 3]}, "c": 1.0, "e": None}
    assert [*differences(one, other)] == [
        "a.b[1] is 2, computed again 3",
        "c is 1, computed again 1.0",
        "d is in the record alone",
        "e is not in the record",
    ]


ELSEWHERE = """
import json, locale, os, sys
from pathlib import Path
import roi.samples
threads, folder, names = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
before = roi.samples.prepare
def prepare(con, keys):
    con.execute(f"set threads = {threads}")
    before(con, keys)
roi.samples.prepare = prepare
from roi.replay import verify
found = {}
for project in (folder / name for name in names):
    (report,) = [p for p in (project / "reports").iterdir() if p.is_dir()]
    seen = verify(report)
    found[project.name] = [seen.holds, *(c.says for c in seen.checks if c.what == "record" or c.is_bad)]
print(json.dumps(found))
"""


def verified_elsewhere(
    folder: Path, threads: int, names: list[str], **environment: str
) -> dict[str, list[Any]]:
    command = [sys.executable, "-c", ELSEWHERE, str(threads), str(folder), *names]
    env = os.environ | environment
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


PLACES = [
    (1, {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}),
    (
        5,
        {
            "TZ": "America/St_Johns",
            "LC_ALL": "de_DE.UTF-8",
            "OPENBLAS_NUM_THREADS": "3",
            "PYTHONHASHSEED": "7",
        },
    ),
]


def replayed(folder: Path, seeds: range, places: list[Any]) -> None:
    """Each pilot is computed again from its samples in one place and from its archive in the next."""
    for seed in seeds:
        issued(random_pilot(folder / f"{seed:03d}", seed), folder / f"{seed:03d}" / "reports")
    for turn, source in enumerate(("parameters and samples", "the archive of the run")):
        if source == "the archive of the run":
            for seed in seeds:
                shutil.rmtree(folder / f"{seed:03d}" / "data")
        for place, (threads, environment) in enumerate(places):
            mine = [f"{seed:03d}" for seed in seeds if (seed + turn) % len(places) == place]
            found = verified_elsewhere(folder, threads, mine, **environment)
            assert sorted(found) == mine
            for name, (holds, *says) in found.items():
                assert holds, (name, says)
                assert f"computed again from {source}: the same" in says[-1]


@pytest.mark.slow
def test_a_few_random_pilots_replay_in_another_place(tmp_path):
    replayed(tmp_path, range(2), PLACES[1:])


@pytest.mark.slow
def test_fifty_random_pilots_replay_in_other_places(tmp_path):
    """Another process, other numbers of threads of the engine and of BLAS, other time zones and locales."""
    replayed(tmp_path, range(50), PLACES)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_byte_that_is_changed_is_named(tmp_path, monkeypatch, seed):
    """Of a sample, a parameter file, a policy, a record or an archive: changed, put in or taken out."""
    import random

    monkeypatch.chdir(tmp_path)
    rng = random.Random(seed)
    folder = issued(random_pilot(tmp_path, seed), tmp_path / "reports")
    assert verify(folder).holds
    files = [
        *(tmp_path / "params").iterdir(),
        *(tmp_path / "data").iterdir(),
        folder / "decision.json",
        folder / "moments.json",
    ]
    for _ in range(25):
        file = rng.choice(files)
        data = file.read_bytes()
        place = rng.randrange(len(data))
        other = bytes([rng.choice([x for x in range(256) if x != data[place]])])
        file.write_bytes(
            data[:place] + rng.choice([other, b"", other + data[place : place + 1]]) + data[place + 1 :]
        )
        name = file.relative_to(tmp_path).as_posix()
        if file.name == "decision.json" and not is_record(file):
            with pytest.raises(InputError, match=r"decision\.json"):
                verify(folder)
        else:
            found = verify(folder)
            bad = [c for c in found.checks if c.is_bad]
            named = [c for c in bad if name in c.says or file.name in c.says]
            assert named or (file.name == "decision.json" and bad), (name, place)
        file.write_bytes(data)
    assert verify(folder).holds


def is_record(file: Path) -> bool:
    from roi.records import read_record

    try:
        read_record(file)
    except InputError:
        return False
    return True


ODD: tuple[tuple[str, Any], ...] = (
    ("provenance.samples_sha256", [1]),
    ("provenance.samples_sha256", {"data/cases.csv": 1}),
    ("provenance.versions", "x"),
    ("provenance.overrides", {"a": 1}),
    ("provenance.params_file", ["x"]),
    ("provenance.looks", "2"),
    ("provenance", []),
    ("signed", {"as": "A"}),
    ("signed", ["A"]),
    ("signed", [None]),
    ("signed", [{"as": 5, "decision": ["accept"]}]),
    ("options", {"scale": [1], "scale_segments": 3}),
    ("estimates", {"x": 4}),
    ("gates", [{"state": 1}]),
    ("assumptions", [7]),
    ("sample", {"by_month": {"2026-01": {"pilot": "x"}}}),
    ("as_of", 5),
    ("prepared_by", ["A"]),
)


@pytest.mark.parametrize(("key", "value"), ODD, ids=[f"{k}={v}" for k, v in ODD])
def test_a_record_of_another_shape_is_named(made, tmp_path, key, value):
    found = json.loads((made / "reports/made/decision.json").read_text(encoding="utf-8"))
    group, _, last = key.rpartition(".")
    (found[group] if group else found)[last] = value
    file = tmp_path / "decision.json"
    file.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_record(file)
    assert any(p.place.startswith(key) for p in refused.value.problems)
    assert "put the record back from a copy" in str(refused.value)
    assert CliRunner().invoke(main, ["verify", str(file)]).exit_code == 2


def test_what_a_record_lacks_or_leaves_empty_is_no_fault_of_shape(made):
    found = json.loads((made / "reports/made/decision.json").read_text(encoding="utf-8"))
    check_form(found, "x")
    check_form({"pilot": "p", "schema": 1, "verdict": "fix", "provenance": {}}, "x")
    check_form(found | dict.fromkeys(("options", "gates", "estimates", "money", "as_of")), "x")
    with pytest.raises(InputError, match="a whole number is wanted"):
        check_form(found | {"provenance": found["provenance"] | {"seed": True}}, "x")


@pytest.mark.slow
def test_a_forged_ledger_is_not_read_and_named(copy):
    real = copy / "reports/ledger.jsonl"
    shutil.copy(real, copy / "reports/made/ledger.jsonl")
    shutil.copy(real.with_name("ledger.jsonl.head"), copy / "reports/made")
    real.write_bytes(real.read_bytes().replace(b'"look": 1', b'"look": 2'))
    found = verify(copy / "reports/made")
    assert [s for s, _ in state(found, "ledger")] == ["broken", "differs"]
    assert "made/ledger.jsonl: no run writes a ledger there" in state(found, "ledger")[1][1]
    done = CliRunner().invoke(
        main, ["sign", str(copy / "reports/made"), "--as", "B. Chief", "--role", "x", "--decision", "defer"]
    )
    assert done.exit_code == 2
    assert "is a ledger where no run writes one" in done.output


@pytest.mark.slow
def test_a_ledger_that_lost_its_head_and_its_end_does_not_hold(copy):
    (copy / "reports/ledger.jsonl.head").unlink()
    found = verify(copy / "reports/made")
    assert state(found, "ledger")[0][0] == "broken"
    assert "ledger.jsonl.head: is gone" in state(found, "ledger")[0][1]
    assert any('{"hash": ' in c.mend for c in found.checks if c.is_bad)


@pytest.mark.parametrize("written", ["1e999", "NaN", "-Infinity"])
def test_a_number_that_is_none_is_no_record(tmp_path, written):
    """A changed byte may turn 1e-17 into 1e917, which JSON reads as infinite."""
    from roi.records import read_record

    file = tmp_path / "decision.json"
    file.write_text(
        f'{{"pilot": "a", "verdict": "kill", "schema": 1, "provenance": {{}}, "evpi": {written}}}'
    )
    with pytest.raises(InputError, match="is not one record"):
        read_record(file)
