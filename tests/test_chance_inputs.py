"""Good pilots changed by chance: what comes of them is a record or what needs mending, never a traceback."""

from __future__ import annotations

import csv
import io
import json
import random
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from broken_pilots import RICH, as_csv
from pilots import CONTROL_TABLES, cases, write_pilot

from roi.parameters import load_parameters
from roi.pilot import open_pilot
from roi.problems import InputError

pytestmark = pytest.mark.slow  # whole runs: together they would take a fifth of the fast suite


def refuse_constant(name: str) -> Any:
    raise AssertionError(f"{name} in a record")


TEXTS = (
    "", " ", "nan", "inf", "-1", "0", "1e9", "1e308", "-0.0", "1e-320", "0.5", "1", "100", "9" * 20, "abc", "<script>", "💥", "'", '"',
    "2026-01-01", "2026-13-01", "010", "no", "~", "1,5", "null", "[]", "{}", "\t", "٣", "=1+1", "5%", "12:30", "pilot", "error",
    "correct", "demo", "True", "\r", "a\nb", ";", "|", "x" * 5000,
)  # fmt: skip
VALUES_TRIED: tuple[Any, ...] = (
    *TEXTS[:-1], float("nan"), float("inf"), -1, 0, 1, 0.5, 100, 1e9, 1e308, 1e-300, 2**70, True, None, [], {}, [1], {"low": 0, "high": 1},
    {"low": 1, "high": 1}, {"low": -5, "high": 5}, {"low": 1e-12, "high": 1e12}, {"min": 0, "mode": 0, "max": 0},
    {"min": -1, "mode": 5, "max": 1e12}, {"min": 0, "mode": 0.5, "max": 1}, {"values": [0]}, {"values": [1, 1e9]}, {"values": [0.1, 0.9]},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in nested groups and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [p for key, item in items for p in ((*path, key), *places(item, (*path, key)))]


def change_parameters(parameters: Any, chance: random.Random) -> str:
    """The text of a parameter file in which a few places hold something else."""
    changed = deepcopy(parameters)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        # A million draws is no mistake, but takes its time.
        path = chance.choice([p for p in places(changed) if p != ("run", "draws")])
        group = changed
        for key in path[:-1]:
            group = group[key]
        if chance.random() < 0.3:
            del group[path[-1]]
        elif chance.random() < 0.4 and isinstance(group[path[-1]], int | float):
            group[path[-1]] = type(group[path[-1]])(
                group[path[-1]] * chance.choice((0, 0.01, 0.5, 2, 1000, -1))
            )
        else:
            group[path[-1]] = deepcopy(chance.choice(VALUES_TRIED))
    text = yaml.safe_dump(changed, sort_keys=False, allow_unicode=chance.random() < 0.5)
    if chance.random() < 0.15:  # a slip of the hand
        at = chance.randrange(len(text))
        text = (
            text[:at]
            + chance.choice((*"{}[]:,&*!|>'\"%@`#-?\t\0\u2028é\ud800"[:-1], "\n", ""))
            + text[at + 1 :]
        )
    return text


def change_table(rows: list[dict[str, str]], chance: random.Random) -> str:
    """The text of a table in which a cell, a column or the rows are something else."""
    changed = [dict(row) for row in rows]
    for _ in range(chance.choice((1, 1, 2))):
        column = chance.choice(list(changed[0]))
        kind = chance.random()
        if kind < 0.3:
            chance.choice(changed)[column] = chance.choice(TEXTS)
        elif kind < 0.55:
            text = chance.choice(TEXTS)
            changed = [row | {column: text} for row in changed]
        elif kind < 0.65 and len(changed[0]) > 1:
            changed = [{k: v for k, v in row.items() if k != column} for row in changed]
        elif kind < 0.75:
            changed = changed[: chance.choice((1, 2, 3, 7))]
        elif kind < 0.85:
            texts = [row[column] for row in changed]
            chance.shuffle(texts)
            changed = [row | {column: text} for row, text in zip(changed, texts, strict=True)]
        else:
            tried = (*TEXTS, *(row[column] for row in changed[:3]))
            changed = [row | {column: chance.choice(tried)} for row in changed]
    text = as_csv(changed)
    if chance.random() < 0.15:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(('"', ",", "\n", "\0", ";", "\ufeff", "")) + text[at + 1 :]
    return text


@cache
def read_once(text: str) -> Any:
    """What a parameter file holds, to be copied before it is changed."""
    return yaml.safe_load(text)


def try_changed(folder: Path, seed: int, *, decide: bool) -> None:
    """Change a good pilot at random: only an `InputError` or a record without NaN may come of it."""
    path = folder / "params/made.yaml"
    chance = random.Random(seed)
    tables = {f: f.read_text(encoding="utf-8") for f in sorted((folder / "data").glob("*.csv"))}
    text = path.read_text(encoding="utf-8")
    parameters = read_once(text)
    told = ""
    try:
        if seed % 2:
            path.write_bytes(change_parameters(parameters, chance).encode("utf-8", errors="replace"))
        else:
            chosen = folder / "data/cases.csv" if chance.random() < 0.6 else chance.choice(list(tables))
            rows = list(csv.DictReader(io.StringIO(tables[chosen])))
            chosen.write_text(change_table(rows, chance), encoding="utf-8")
        try:
            pilot = open_pilot(path)
            if decide:
                json.loads(pilot.decision.json(), parse_constant=refuse_constant)
        except InputError as error:
            told = str(error)
    finally:
        path.write_text(text, encoding="utf-8")
        for file, content in tables.items():
            file.write_text(content, encoding="utf-8")
    assert "the engine cannot" not in told


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    write_pilot(folder, cases(80, workers=6), {**RICH, "run": {"draws": 1000, "seed": 3}})
    return folder


def test_chance_changes_are_told_or_decided(good):
    for seed in range(30):
        try_changed(good, seed, decide=seed % 3 == 0)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_chance_changes_are_told_or_decided(good, block):
    for seed in range(1000 + block * 40, 1040 + block * 40):
        try_changed(good, seed, decide=seed % 4 < 2)  # of parameters and of tables one in two each


def test_chance_changes_of_the_text_alone(tmp_path):
    """300 parameter files: reading them never fails otherwise than with what needs mending."""
    path = write_pilot(tmp_path, cases(2), RICH, without=CONTROL_TABLES)
    parameters = yaml.safe_load(path.read_text(encoding="utf-8"))
    refused = 0
    for seed in range(300):
        path.write_bytes(change_parameters(parameters, random.Random(seed)).encode("utf-8", errors="replace"))
        try:
            load_parameters(path)
        except InputError:
            refused += 1
    assert 100 < refused < 300
