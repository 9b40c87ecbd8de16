"""What the last run took of the samples is taken over where nothing that taking rests on has changed, and only there."""

from __future__ import annotations

import ast
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_taken import FREE_EDITS, edit, made, run, sha256
from pilots import cases, write_pilot
from rich.console import Console

import roi.engine
import roi.taken
from roi.archive import _decoded, _encoded
from roi.batch import run_batch
from roi.ledger import LEDGER, issue, record_sha256
from roi.made_with import INPUTS
from roi.parameters import LoadedParameters, Parameters, load_parameters
from roi.samples import open_samples
from roi.schema.base import Group
from roi.taken import take
from roi.taken_over import FREE, reading_of

ROOT = Path(__file__).parent.parent
SHIPPED = sorted(p.stem for p in (ROOT / "params").glob("[!_]*.yaml"))
FILES = ("decision.json", "moments.json", "findings.csv")


class Refusing:
    """What nobody may look at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"taking from the samples reads {name} of what is called free")

    def _no(self, *_: object) -> Any:
        raise AssertionError("taking from the samples reads what is called free")

    __iter__ = __len__ = __bool__ = __eq__ = __hash__ = __repr__ = __str__ = __contains__ = __getitem__ = _no


def without_free(loaded: LoadedParameters) -> LoadedParameters:
    """The parameters with everything that is called free in nobody's reach."""
    p = loaded.parameters
    changed: dict[str, Any] = {}
    for name, keys in FREE.items():
        refused = {key: Refusing() for key in keys}
        changed[name] = Refusing() if "*" in keys else getattr(p, name).model_copy(update=refused)
    refusing: Any = Refusing()
    return replace(
        loaded, parameters=p.model_copy(update=changed), scenarios=refusing, given=refusing, raw=refusing
    )


@pytest.fixture(scope="module")
def pilots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    files = {name: ROOT / f"params/{name}.yaml" for name in SHIPPED}
    return files | {"made": made(tmp_path_factory.mktemp("made"))}


@pytest.mark.parametrize("size", ["few", "many"])
@pytest.mark.parametrize("name", [*SHIPPED, "made"])
def test_nothing_that_is_free_is_read_while_samples_are_read_and_reduced(
    name: str, size: str, pilots: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    if size == "many":
        monkeypatch.setattr(roi.engine, "SMALL", -1)
    loaded = load_parameters(pilots[name])
    plain = take(loaded, open_samples(loaded))
    # That model usage is not priced twice is asked of what was taken, again whenever that is decided on.
    monkeypatch.setattr(roi.taken, "_priced_twice", lambda *_: [])
    refusing = without_free(loaded)
    found = take(refusing, open_samples(refusing))
    assert json.dumps(_encoded(found)) == json.dumps(_encoded(plain))
    reading = reading_of(refusing)
    assert reading is not None
    assert reading.key == reading_of(loaded).key  # type: ignore[union-attr]
    # As the run after it finds them: what is read of the archive again is what was taken.
    again = _decoded(json.loads(json.dumps(_encoded(plain))))
    assert dict(again.fingerprints) == reading.fingerprints
    assert json.dumps(_encoded(again)) == json.dumps(_encoded(plain))


def test_a_refusal_is_noticed() -> None:
    with pytest.raises(AssertionError, match="called free"):
        without_free(load_parameters(ROOT / "params/claims_intake.yaml")).parameters.remedies[0]


def behind(*modules: str) -> Iterator[tuple[str, ast.Module]]:
    """Modules and all of ours that they import, but for the parameters themselves."""
    seen, todo = set(), list(modules)
    while todo:
        name = todo.pop()
        if name in seen or name == "roi" or name.startswith(("roi.schema", "roi.parameters")):
            continue
        seen.add(name)
        place = ROOT / Path(*name.split("."))
        file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        if not file.is_file():
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        yield name, tree
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("roi"):
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]


def test_no_module_behind_taking_names_a_free_key_of_the_parameters() -> None:
    """Whatever the pilots above do not reach: every attribute of that name in all the code behind it."""
    named = set()
    for module, tree in behind("roi.samples", "roi.taken"):
        inside = {
            id(child): f.name for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for child in ast.walk(f)
        }  # fmt: skip
        whole = {id(n.value): n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        for n in ast.walk(tree):
            if (
                isinstance(n, ast.Attribute)
                and n.attr in FREE
                and isinstance(n.value, ast.Name | ast.Attribute)
            ):
                named.add((module, inside.get(id(n)), f"{n.attr}.{whole.get(id(n), '')}"))
    assert named == {
        ("roi.categories", "_declared", "demand.mix"),
        ("roi.categories", "_against_mix", "demand.mix"),
        ("roi.taken", "_take", "demand.mix"),
        ("roi.taken", "_take", "economics.price_scenarios"),
        # Asked again of what was taken.
        ("roi.taken", "_priced_twice", "economics.costs"),
        ("roi.taken", "_priced_twice", "scenarios.items"),
        ("roi.taken", "_lines_twice", "economics.costs"),
    }


class Other:
    """Another value of whatever kind."""


def changed_everywhere(p: Parameters) -> Iterator[tuple[str, Parameters]]:
    """Each key of the parameters, whatever holds it, and these with another value there."""

    def below(group: Group, path: str) -> Iterator[tuple[str, Any]]:
        for name in type(group).model_fields:
            key, value = f"{path}{name}", getattr(group, name)
            yield key, group.model_copy(update={name: Other()})
            if isinstance(value, Group):
                for deeper, part in below(value, f"{key}."):
                    yield deeper, group.model_copy(update={name: part})

    yield from below(p, "")


def test_every_other_key_counts(pilots: dict[str, Path]) -> None:
    loaded = load_parameters(pilots["made"])
    before = reading_of(loaded)
    assert before is not None
    free, counted = set(), set()
    for key, p in changed_everywhere(loaded.parameters):
        try:
            now = reading_of(replace(loaded, parameters=p))
        except (AttributeError, TypeError):  # what is no table, say, cannot be looked at
            now = None
        (free if now is not None and now.key == before.key else counted).add(key)
    listed = {name if "*" in keys else f"{name}.{key}" for name, keys in FREE.items() for key in sorted(keys)}
    below = {key for key in free if key in listed or any(key.startswith(f"{name}.") for name in listed)}
    assert free == below
    assert listed <= free
    assert {
        "pilot",
        "about.currency",
        "demand.mix",
        "demand.mix_cases",
        "economics.price_scenarios",
    } <= counted
    assert {"run.as_of", "run.engine", "run.seed", "run.looks", "policy.high_risk_tools"} <= counted
    assert {
        "samples.timezone",
        "samples.version",
        "samples.labels.selection",
        "samples.assignment",
    } <= counted


EDITS: dict[str, Any] = {
    "a mapping of a column": lambda p: p["samples"].update(
        cases={"source": "data/cases.csv", "columns": {"handling_minutes": {"from": "handling_minutes", "blank": "zero"}}}
    ),
    "the mix": lambda p: p["demand"].update(mix={"a": 0.5, "b": 0.5}),
    "a price scenario": lambda p: p["economics"]["price_scenarios"]["dearer"].update(model="gpt-4o-mini"),
    "the day": lambda p: p["run"].update(as_of="2026-11-01"),
    "the policy": lambda p: p.update(policy={"high_risk_tools": ["post"]}),
    "the currency": lambda p: p["about"].update(currency="CHF"),
}  # fmt: skip


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    assert not run(made(folder), folder / "reports")
    return folder


@pytest.fixture
def project(first: Path, tmp_path: Path) -> Path:
    shutil.copytree(first, tmp_path / "p")
    return tmp_path / "p"


@pytest.mark.parametrize("what", FREE_EDITS)
def test_after_a_change_of_what_is_free_samples_are_not_read_and_nothing_differs(
    what: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = project / "params/made.yaml", project / "reports"
    shutil.copytree(out, project / "other")
    edit(file, FREE_EDITS[what])

    def nothing(*_: object, **__: object) -> None:
        raise RuntimeError("the samples are read")

    with monkeypatch.context() as gone:
        gone.setattr("roi.pilot.open_samples", nothing)
        assert run(file, out)
    assert not run(file, project / "other", force=True)
    for name in (*FILES, "minutes", INPUTS):
        assert (out / "made" / name).read_bytes() == (project / "other/made" / name).read_bytes(), name
    edit(file, FREE_EDITS["a cost"])
    edit(file, lambda p: p["economics"].update(contingency=0.3))
    assert run(file, out)  # from what was taken over before


@pytest.mark.parametrize("what", EDITS)
def test_after_any_other_change_they_are_read(what: str, project: Path) -> None:
    file = project / "params/made.yaml"
    edit(file, EDITS[what])
    assert not run(file, project / "reports")


def _append(file: str, text: str) -> Any:
    def change(project: Path) -> None:
        with (project / file).open("a", encoding="utf-8") as target:
            target.write(text)

    return change


def _forged(project: Path) -> None:
    """An archive changed by hand, and the note with it."""
    file = project / "reports/made/moments.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    found["taken"]["newest"] = {"$": "date", "is": "2026-12-31"}
    file.write_text(json.dumps(found), encoding="utf-8")


def _other_print(project: Path) -> None:
    """A record of other bytes than the note says, as where a sample changed while it was read and changed back."""
    ledger, file = project / "reports" / LEDGER, project / "reports/made/moments.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    found["taken"]["fingerprints"]["data/cases.csv"] = "0" * 64
    record = json.loads((project / "reports/made/decision.json").read_text(encoding="utf-8"))
    record["provenance"]["looks"] = 9
    found["record"] = record_sha256(record)
    file.write_text(json.dumps(found), encoding="utf-8")
    issue(ledger, record, moments_sha256=sha256(file))


CHANGES: dict[str, Any] = {
    "a sample": _append("data/cases.csv", "T99999,pilot,a,w01,9.5,correct,,,0,0.2,production,v2,2026-09-05 08:00:00\n"),
    "a log": _append("data/evals.csv", "v2,e999,1,2026-08-20 10:00,0\n"),
    "the policy": _append("params/_policy.yaml", "\nmin_usable_inputs: 0.7\n"),
    "a seal": lambda project: (project / "data/actions.csv.seal").write_text("no seal\n"),
    "an archive by hand": _forged,
    "the archive's own prints": _other_print,
    "the findings by hand": _append("reports/made/findings.csv", "more\n"),
    "findings that are gone": lambda project: (project / "reports/made/findings.csv").unlink(),
    "a note that is gone": lambda project: (project / "reports/made" / INPUTS).unlink(),
    "a ledger that is gone": lambda project: (project / "reports" / LEDGER).unlink(),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_where_anything_else_is_not_what_it_was_they_are_read(what: str, project: Path) -> None:
    CHANGES[what](project)
    for name in (".head",):
        if "ledger" in what:
            (project / "reports" / f"{LEDGER}{name}").unlink(missing_ok=True)
    edit(project / "params/made.yaml", FREE_EDITS["a cost"])
    assert not run(project / "params/made.yaml", project / "reports")


@pytest.mark.parametrize(("name", "value"), [("ROI_ENGINE_MEMORY", "900MB"), ("TZ", "Asia/Tokyo")])
def test_another_environment_is_another_reading(
    name: str, value: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(project / "params/made.yaml", FREE_EDITS["a cost"])
    monkeypatch.setenv(name, value)
    assert not run(project / "params/made.yaml", project / "reports")


def test_another_key_of_pseudonyms_is_another_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(tmp_path)
    policy = file.with_name("_policy.yaml")
    text = policy.read_text(encoding="utf-8") if policy.is_file() else ""
    policy.write_text(text + "\nprivacy: {key_env: PSEUDONYMS}\n", encoding="utf-8")
    keys = []
    for value in ("a" * 40, "b" * 40, None):
        monkeypatch.setenv("PSEUDONYMS", value) if value else monkeypatch.delenv("PSEUDONYMS")
        found = reading_of(load_parameters(file))
        assert found is not None
        keys.append(found.key)
    assert len({json.dumps(key) for key in keys}) == 3
    assert all(
        [part for part in keys[0] if keys[0][part] != key[part]] == ["environment"] for key in keys[1:]
    )
    assert "a" * 40 not in json.dumps(keys)


def test_another_version_of_anything_is_another_reading(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(project / "params/made.yaml", FREE_EDITS["a cost"])
    monkeypatch.setattr("roi.taken_over.program", lambda: {"duckdb": "2.0"})
    assert not run(project / "params/made.yaml", project / "reports")


def test_a_sample_that_is_touched_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = made(tmp_path), tmp_path / "reports"

    def opened(loaded: LoadedParameters) -> Any:
        found = open_samples(loaded)
        (tmp_path / "data/evals.csv").touch()
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("roi.pilot.open_samples", opened)
        assert not run(file, out)
    assert json.loads((out / "made" / INPUTS).read_text())["taken"] is None
    assert not run(file, out)
    assert run(file, out)


def test_what_few_people_gave_is_read_again(tmp_path: Path) -> None:
    file, out = write_pilot(tmp_path, cases(120, workers=4), {"run": {"draws": 1000}}), tmp_path / "reports"
    assert not run(file, out)
    assert json.loads((out / "made/moments.json").read_text())["withheld"]
    assert not run(file, out)


def test_what_a_notebook_hands_over_counts_as_what_the_file_says(project: Path) -> None:
    file, out = project / "params/made.yaml", project / "reports"
    economics = yaml.safe_load(file.read_text(encoding="utf-8"))["economics"]
    samples = yaml.safe_load(file.read_text(encoding="utf-8"))["samples"]
    assert run(file, out, economics={**economics, "discount_rate": 0.3})
    assert not run(file, out, samples={**samples, "assignment": "observational"})


def test_usage_that_is_priced_twice_is_refused_all_the_same(project: Path) -> None:
    file, out = project / "params/made.yaml", project / "reports"
    line = {"name": "Model", "kind": "model_usage", "amount": 5, "per": "month", "source": "quote"}
    edit(file, lambda p: p["economics"]["costs"].append(line))
    with pytest.raises(roi.problems.ParameterError, match="priced twice"):
        run(file, out)


def test_samples_in_a_database_are_read(tmp_path: Path) -> None:
    loaded = load_parameters(made(tmp_path))
    assert reading_of(loaded) is not None
    p = loaded.parameters
    source = p.samples.evals.source.model_copy(update={"file": (), "connect": "${DB}", "table": "evals"})  # type: ignore[union-attr]
    evals = p.samples.evals.model_copy(update={"source": source})  # type: ignore[union-attr]
    away = p.model_copy(update={"samples": p.samples.model_copy(update={"evals": evals})})
    assert reading_of(replace(loaded, parameters=away)) is None
    there = p.model_copy(update={"run": p.run.model_copy(update={"engine": "source"})})
    assert reading_of(replace(loaded, parameters=there)) is None


def pages(out: Path) -> dict[str, bytes]:
    """What a reader finds there; the ledger has the time at which a record was issued."""
    files = (p for p in out.rglob("*") if p.is_file() and not p.name.startswith((LEDGER, ".lock")))
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


@pytest.mark.slow  # 18 pilots with all their pages
def test_pages_and_records_of_all_pilots_are_those_of_samples_that_are_read(tmp_path: Path) -> None:
    project, out, other = tmp_path / "p", tmp_path / "reports", tmp_path / "other"
    for name in ("params", "data", "notebooks"):
        shutil.copytree(ROOT / name, project / name)
    for name in SHIPPED:
        edit(project / f"params/{name}.yaml", lambda p: p.setdefault("run", {}).update(draws=1000))
    assert "what the last run took" not in batch(project, out)
    shutil.copytree(out, other)
    for name in SHIPPED:
        edit(project / f"params/{name}.yaml", lambda p: p["economics"].update(discount_rate=0.11))
        edit(project / f"params/{name}.yaml", lambda p: p["demand"].update(cases_per_month=2345))
    shown = batch(project, out)
    withheld = [n for n in SHIPPED if json.loads((out / n / "moments.json").read_text())["withheld"]]
    told = [name for name in SHIPPED if f"{name}: decided again on what the last run took" in shown]
    assert sorted([*told, *withheld]) == SHIPPED
    assert len(told) >= 4
    assert "what the last run took" not in batch(project, other, force=True)
    assert pages(out) == pages(other)
    for name in SHIPPED:
        record = json.loads((out / name / "decision.json").read_text(encoding="utf-8"))
        assert record["provenance"]["samples_sha256"] == {
            label: sha256(project / label) for label in record["provenance"]["samples_sha256"]
        }


def batch(project: Path, out: Path, *, force: bool = False) -> str:
    shown = io.StringIO()
    console = Console(file=shown, width=400, force_terminal=False)
    files = [project / f"params/{name}.yaml" for name in SHIPPED]
    assert run_batch(files, out, jobs=2, force=force, console=console).exit_code == 0
    return shown.getvalue()
