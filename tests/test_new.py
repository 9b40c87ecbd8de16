"""`roi new`: from other systems' exports to a parameter file that passes `roi check` once its open lines are filled."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from new_filled import NUMBERS, fill_in, open_lines
from new_grade import Grade, grade
from new_variants import SEEDS, Variant, make_variant
from rich.console import Console

from roi.cli import main
from roi.guess import Request, new_pilot
from roi.guess.draft import Draft, tried
from roi.guess.labels import labels_needed
from roi.guess.names import read_name
from roi.guess.values import kind_of
from roi.guess.write import scalar
from roi.parameters import load_parameters
from roi.samples import open_samples
from roi.strict_yaml import read_yaml

FILLS = [f"--fill={key}={value}" for key, value in NUMBERS.items()]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "params").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


def roi(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def table(path: Path, rows: Sequence[dict[str, object]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def tickets(n: int = 60) -> list[dict[str, object]]:
    """Cases as a ticket system exports them; one every hour."""
    start = dt.datetime(2026, 5, 4, 8, 0)
    people = ("Anna Schmidt", "Ben Carter", "Diego Ruiz")
    return [
        {
            "Ticket ID": f"CLM-{i:05d}",
            "Created at": (start + dt.timedelta(hours=i)).isoformat(sep=" "),
            "Assignee": people[i % 3],
            "Channel": ("email", "phone")[i // 2 % 2],
            "Handled": ("without AI", "with AI")[i % 2],
            "QA result": "error" if i % 20 == 7 else "correct",
            "Status": ("Closed", "Solved")[i % 2],
        }
        for i in range(n)
    ]


def lines_of(result: Result) -> list[int]:
    return sorted(int(n) for n in re.findall(r"still to be filled in.*\(line (\d+)\)", result.output))


def check_variant(seed: int, folder: Path) -> tuple[Variant, list[Grade]]:
    """Write a variant's file as the command does, grade it, and hold `roi check` against it before and after."""
    variant = make_variant(seed, folder)
    request = Request(pilot="mine", cases=[str(variant.file)], out=folder / "params")
    drafts: list[Draft] = []

    def kept(draft: Draft, asked: Request) -> Draft:
        drafts.append(tried(draft, asked))
        return drafts[-1]

    with patch("roi.guess.tried", kept):
        path = new_pilot(request, console=Console(file=io.StringIO(), width=100))
    (draft,) = drafts  # the one that was written
    grades = list(grade(variant, {**draft.guesses.columns, **{n: g for n, (g, _) in draft.left_out.items()}}))
    before = roi("check", str(path))
    assert before.exit_code == (2 if open_lines(path) else 0)
    assert lines_of(before) == open_lines(path), "check names the open lines and no other"
    assert before.output.count("\n") == len(open_lines(path)) + 1
    path.write_text(fill_in(path.read_text(encoding="utf-8"), variant), encoding="utf-8")
    after = roi("check", str(path))
    assert after.exit_code == 0, after.output
    return variant, grades


@pytest.mark.parametrize("seed", [1, *(pytest.param(s, marks=pytest.mark.slow) for s in (10, 13, 28))])
def test_a_variant_passes_the_check_once_its_open_lines_are_filled(seed: int, folder: Path) -> None:
    _, grades = check_variant(seed, folder)
    states = Counter(g.state for g in grades)
    assert states["wrong"] + states["wrong extra"] == 0, grades
    right = states["right"] + states["right, marked"]
    assert right >= 0.6 * sum(states.values())


@pytest.mark.slow
def test_sixty_variants_are_mapped_right_and_nothing_is_wrong_without_a_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At least 90 % of columns with their unit and values; of names that were kept back, too, at least 75 %."""
    states: Counter[tuple[str, bool]] = Counter()
    wrong: list[str] = []
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        (folder / "params").mkdir(parents=True)
        monkeypatch.chdir(folder)
        variant, grades = check_variant(seed, folder)
        states.update((g.state, g.held_out) for g in grades)
        wrong += [
            f"{seed} {variant.pilot} {g.column}: {g.text}"
            for g in grades
            if g.state in ("wrong", "wrong extra")
        ]
    shares = {}
    for held_out in (False, True):
        there = sum(n for (state, kept), n in states.items() if kept == held_out and "extra" not in state)
        right = sum(
            n for (state, kept), n in states.items() if kept == held_out and state.startswith("right")
        )
        shares[held_out] = right / there
    there = sum(n for (state, _), n in states.items() if "extra" not in state)
    right = sum(n for (state, _), n in states.items() if state.startswith("right"))
    sure = states["right", False] + states["right", True]
    with capsys.disabled():
        print(
            f"\n{len(SEEDS)} variants, {there} columns: {right / there:.1%} mapped right, {sure / there:.1%} without a mark; "
            f"names in the dictionaries {shares[False]:.1%}, names kept back {shares[True]:.1%}; wrong without a mark: {len(wrong)}"
        )
    assert not wrong
    assert right / there >= 0.90
    assert shares[True] >= 0.75


def test_the_first_file_is_commented_and_takes_what_it_is_told(folder: Path) -> None:
    table(folder / "tickets.csv", tickets())
    said = roi(
        "new", "claims", "--cases", "tickets.csv", "--currency", "CHF", "--title", "Claims: intake", *FILLS
    )
    assert said.exit_code == 0, said.output
    text = (folder / "params/claims.yaml").read_text()
    value = yaml.safe_load(text)
    assert value["about"] == {"title": "Claims: intake", "currency": "CHF"}
    assert value["economics"]["labour_cost_per_hour"] == {"low": 38, "high": 46}
    columns = value["samples"]["cases"]["columns"]
    assert columns["case_id"] == "Ticket ID"
    assert columns["arm"] == {"from": "Handled", "values": {"without AI": "baseline", "with AI": "pilot"}}
    assert columns["worker"] == "Assignee"
    assert columns["segment"] == "Channel"
    assert columns["started_at"] == "Created at"
    assert columns["outcome"] == "QA result"
    assert "Status" not in str(columns)
    assert "handling_minutes" not in columns
    assert "CHECK: no column of hands-on minutes was found" in text
    assert "roi check claims\n  roi decide claims" in said.output
    assert roi("check", "claims").exit_code == 0


def test_the_same_files_give_the_same_bytes(folder: Path) -> None:
    table(folder / "tickets.csv", tickets())
    outputs = []
    for _ in range(2):
        said = roi("new", "claims", "--cases", "tickets.csv", "--force")
        outputs.append((said.output, (folder / "params/claims.yaml").read_bytes()))
    assert outputs[0] == outputs[1]


def test_the_labels_needed_are_those_of_the_exact_bound(folder: Path) -> None:
    """None among n shows a rate below p at 95 % from n = ln 0.05 / ln(1 - p): 598 for 0.5 %, 59 for 5 % (the rule of 3)."""
    for limit, first in ((0.005, 598), (0.05, 59), (0.01, 299), (0.001, 2995)):
        clean, one, two = labels_needed(limit, workers=None)
        assert clean.independent == first == math.ceil(math.log(0.05) / math.log(1 - limit))
        assert first < one.independent < two.independent
    # Sampling by attributes, 5 % risk of overreliance, tolerable rate 5 %: 59, 93, 124 (AICPA's table).
    assert [n.independent for n in labels_needed(0.05, workers=None)] == [59, 93, 124]
    known = labels_needed(0.005, workers=100)[0]
    assert known.with_workers is not None
    effect = 1 + (known.with_workers / 100 - 1) * 0.1
    assert 598 <= known.with_workers / effect < 600
    assert labels_needed(0.005, workers=50)[0].with_workers is None
    (folder / "params/_policy.yaml").write_text("max_severe_error_rate: 0.05\n")
    table(folder / "tickets.csv", tickets())
    said = " ".join(roi("new", "claims", "--cases", "tickets.csv").output.split())
    assert "below 5.00% needs 59 labelled cases of the pilot without one; with one 93, with two 124" in said


def test_wholly_blank_rows_are_no_cases_of_which_something_is_missing(folder: Path) -> None:
    rows = [row | {"Handling (min)": 5 + i % 7} for i, row in enumerate(tickets())]
    for i in range(0, 60, 5):  # a blank row after every fifth, as a person leaves them to read more easily
        rows[i + i // 5 : i + i // 5] = [dict.fromkeys(rows[0], "")]
    table(folder / "tickets.csv", rows)
    said = roi("new", "claims", "--cases", "tickets.csv").output
    assert "60 rows" in said
    assert "blank in" not in said


def test_people_of_a_ward_are_workers(folder: Path) -> None:
    rows = [
        {("Clinician" if key == "Assignee" else key): value for key, value in row.items()}
        for row in tickets()
    ]
    table(folder / "tickets.csv", rows)
    roi("new", "claims", "--cases", "tickets.csv")
    assert "worker: Clinician" in (folder / "params/claims.yaml").read_text()


def test_nothing_is_overwritten_or_half_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(folder / "tickets.csv", tickets())
    target = folder / "params/claims.yaml"
    target.write_text("mine\n")
    said = roi("new", "claims", "--cases", "tickets.csv")
    assert said.exit_code == 2
    assert "exists already" in said.output
    assert "--force" in said.output
    assert target.read_text() == "mine\n"
    broken = roi("new", "other", "--cases", "missing.csv")
    assert broken.exit_code == 2
    assert (
        "  missing.csv does not exist" in broken.output
    )  # by itself: nobody typed the key of a parameter file

    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "link", fail)
    assert roi("new", "other", "--cases", "tickets.csv").exit_code == 2
    monkeypatch.setattr(Path, "replace", fail)
    assert roi("new", "claims", "--cases", "tickets.csv", "--force").exit_code == 2
    assert target.read_text() == "mine\n"
    assert sorted(os.listdir(folder / "params")) == ["claims.yaml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Claims", "--cases", "t.csv"], "a pilot's name is made of a-z, 0-9 and _"),
        (["../x", "--cases", "t.csv"], "a pilot's name is made of a-z, 0-9 and _"),
        (["_policy/..", "--cases", "t.csv"], "a pilot's name is made of"),
        (["x", "--cases", "t.csv", "--set", "caseid=Ticket ID"], "did you mean 'case_id'?"),
        (["x", "--cases", "t.csv", "--set", "worker=Asignee"], "did you mean 'Assignee'?"),
        (["x", "--cases", "t.csv", "--arm", "with AI=agent"], "is either baseline or pilot"),
        (["x", "--cases", "t.csv", "--arm", "with KI=pilot"], "is no value of 'Handled'"),
        (["x", "--cases", "t.csv", "--fill", "labour=4"], "is none of cases_per_month"),
        (["x", "--cases", "t.csv", "--fill", "rollout_cost=much"], "economics.rollout_cost"),
        (["x", "--cases", "t.csv", "--arm", "pilot"], "is not written as NAME=VALUE"),
        (["x", "--cases", "t.csv", "--timezone", "Europe/Berln"], "did you mean 'Europe/Berlin'?"),
        (["x", "--cases", "t.csv", "--currency", "Euro"], "currency"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_mend(arguments: list[str], message: str, folder: Path) -> None:
    table(folder / "t.csv", tickets())
    said = roi("new", *arguments)
    assert said.exit_code == 2, said.output
    assert message in said.output
    assert not os.listdir(folder / "params")


def test_unknown_arms_are_left_to_a_person_or_a_flag(folder: Path) -> None:
    rows = [{**row, "Variant": "AB"[i % 2]} for i, row in enumerate(tickets())]
    for row in rows:
        del row["Handled"]
    table(folder / "t.csv", rows)
    roi("new", "open", "--cases", "t.csv")
    assert yaml.safe_load((folder / "params/open.yaml").read_text())["samples"]["cases"]["columns"][
        "arm"
    ] == {
        "from": "Variant",
        "values": {"A": "FILL_IN", "B": "FILL_IN"},
    }
    roi("new", "told", "--cases", "t.csv", "--arm", "A=pilot", "--arm", "B=baseline")
    text = (folder / "params/told.yaml").read_text()
    assert "arm: {from: Variant, values: {A: pilot, B: baseline}}" in text


def test_arms_are_told_by_the_agents_traces_and_contradictions_are_marked(folder: Path) -> None:
    rows = [
        {**row, "Variant": "AB"[i % 2], "Bot version": ("", "v2")[i % 2]} for i, row in enumerate(tickets())
    ]
    for row in rows:
        del row["Handled"]
    table(folder / "t.csv", rows)
    roi("new", "votes", "--cases", "t.csv")
    text = (folder / "params/votes.yaml").read_text()
    assert "{A: baseline, B: pilot}" in text
    assert "because of where the agent left traces" in text
    turned = [
        {**row, "Handled": ("with AI", "without AI")[i % 2], "Bot version": ("", "v2")[i % 2]}
        for i, row in enumerate(tickets())
    ]
    table(folder / "turned.csv", turned)
    roi("new", "turned", "--cases", "turned.csv")
    assert (
        "the agent's traces say that 'with AI' is the baseline" in (folder / "params/turned.yaml").read_text()
    )


def test_no_name_or_address_is_shown(folder: Path) -> None:
    rows = [
        {**row, "Assignee": f"person.{i % 3}@example.org", "Reporter": f"Maria Muster {i}"}
        for i, row in enumerate(tickets())
    ]
    table(folder / "t.csv", rows)
    said = roi("new", "x", "--cases", "t.csv")
    everything = said.output + (folder / "params/x.yaml").read_text()
    assert "example.org" not in everything
    assert "Muster" not in everything
    assert "(e-mail address)" in everything
    named = table(folder / "named.csv", tickets())
    said = roi("new", "y", "--cases", str(named))
    assert "Schmidt" not in said.output + (folder / "params/y.yaml").read_text()


def test_a_cell_cannot_write_lines_into_the_file_or_the_terminal(folder: Path) -> None:
    evil = "x: {seed: 1}\x1b[31m # run: 1"
    rows = [{**row, "Channel": ("email", "phone")[i % 2], evil: "a"} for i, row in enumerate(tickets())]
    rows = [
        {**row, "QA result": "a\nrun: {seed: 1}" if i == 3 else row["QA result"]}
        for i, row in enumerate(rows)
    ]
    table(folder / "t.csv", rows)
    said = roi("new", "x", "--cases", "t.csv")
    assert said.exit_code == 0, said.output
    assert "\x1b[31m" not in said.output
    value = yaml.safe_load((folder / "params/x.yaml").read_text())
    assert "run" not in value
    assert value["samples"]["cases"]["columns"]["outcome"]["values"] == {"a\nrun: {seed: 1}": "FILL_IN"}


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_a_text_survives_the_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "scalar.yaml"
    path.write_text(f"a: {scalar(text)}\nb: {{{scalar(text)}: 1}}\nc: [{scalar(text)}]\n", encoding="utf-8")
    document = read_yaml(path, name="x")
    assert not document.problems
    assert document.value["a"] == text
    assert (document.value["b"], document.value["c"]) == ({text: "1"}, [text])
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["a"] == text


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("handle_s", "seconds"),
        ("Dauer in Sek.", "seconds"),
        ("Bearbeitung (Min.)", "minutes"),
        ("Duration (h)", "hours"),
        ("duration_ms", "milliseconds"),
        ("Temps passé en heures", "hours"),
        ("Tiempo (hh:mm:ss)", "duration"),
        ("Minutes", "minutes"),
        ("Max", None),
        ("Admin", None),
        ("items", None),
    ],
)
def test_units_are_read_from_names(name: str, unit: str | None) -> None:
    assert read_name(name).unit == unit


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12,5", "number"), ("1.234,50", "number"), ("01:02:03", "duration"), ("PT1M31S", "duration"),
        ("1m31s", "duration"), ("2026-05-01T10:00:00Z", "time"), ("01.05.2026 10:00", "time"), ("P", "text"),
        ("a@b.org", "mail"), ("", "text"), ("v2", "text"), ("2026-05-01", "time"),
    ],
)  # fmt: skip
def test_kinds_are_told_by_form(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def toggl(rows: Sequence[dict[str, object]], form: str) -> Iterator[dict[str, object]]:
    """Two entries a case, of 4 and of 6 minutes."""
    for i, row in enumerate(rows):
        for minutes in (4, 6):
            begun = dt.datetime.fromisoformat(str(row["Created at"])) + dt.timedelta(minutes=10 * minutes)
            ended = begun + dt.timedelta(minutes=minutes)
            yield {
                "User": row["Assignee"],
                "Project": "Claims",
                "Description": form.format(i),
                "Start date": begun.date(),
                "Start time": begun.time(),
                "End date": ended.date(),
                "End time": ended.time(),
                "Duration": f"00:0{minutes}:00",
            }


@pytest.mark.slow
@pytest.mark.parametrize("form", ["CLM-{0:05d}", "#{0}", "Claim {0}"])
def test_a_time_tracker_is_joined_and_summed(form: str, folder: Path) -> None:
    table(folder / "tickets.csv", tickets())
    table(folder / "toggl.csv", list(toggl(tickets(), form)))
    said = roi("new", "claims", "--cases", "tickets.csv", "--time", "toggl.csv", *FILLS)
    assert said.exit_code == 0, said.output
    join = yaml.safe_load((folder / "params/claims.yaml").read_text())["samples"]["cases"]["join"][0]
    assert join["on"] == {"case_id": "Description"}
    assert join["take"] == {"handling_minutes": "sum"}
    assert join["columns"] == {"handling_minutes": {"from": "Duration", "unit": "duration"}}
    samples = open_samples(load_parameters(folder / "params/claims.yaml"))
    assert samples.con.execute("select distinct handling_minutes from cases").fetchall() == [(10,)]
    assert ("in another form" in said.output) == (not form.startswith("CLM"))


def test_activities_of_time_entries_become_the_kinds_of_minutes(folder: Path) -> None:
    table(folder / "tickets.csv", tickets())
    entries = [
        {"Vorgang": row["Ticket ID"], "Tätigkeit": what, "Dauer (Min.)": minutes}
        for row in tickets()
        for what, minutes in (("Bearbeitung", 7), ("Prüfung", 2), ("Nacharbeit", 1), ("Bearbeitung", 3))
    ]
    table(folder / "zeiten.csv", entries, ";")
    said = roi("new", "claims", "--cases", "tickets.csv", "--time", "zeiten.csv", *FILLS)
    assert said.exit_code == 0, said.output
    samples = open_samples(load_parameters(folder / "params/claims.yaml"))
    got = samples.con.execute(
        "select distinct handling_minutes, review_minutes, rework_minutes from cases"
    ).fetchall()
    assert got == [(10, 2, 1)]


@pytest.mark.slow
def test_traces_bring_what_the_agent_cost(folder: Path) -> None:
    table(folder / "tickets.csv", tickets())
    lines = [
        {
            "id": f"t{i}",
            "timestamp": "2026-05-04T08:00:00Z",
            "name": "answer",
            "metadata": {"ticket": f"CLM-{i:05d}"},
            "observations": [
                {
                    "id": f"o{i}",
                    "traceId": f"t{i}",
                    "type": "GENERATION",
                    "model": "gpt-4o-mini",
                    "startTime": "2026-05-04T08:00:00Z",
                    "usageDetails": {"input": 500, "output": 50, "total": 550},
                    "costDetails": {"total": 0.25},
                }
            ],
        }
        for i in range(1, 60, 2)
    ]
    (folder / "traces.jsonl").write_text("\n".join(map(json.dumps, lines)))
    said = roi(
        "new", "claims", "--cases", "tickets.csv", "--traces", "traces.jsonl", "--currency", "USD", *FILLS
    )
    assert said.exit_code == 0, said.output
    join = yaml.safe_load((folder / "params/claims.yaml").read_text())["samples"]["cases"]["join"][0]
    assert join["on"] == {"case_id": "metadata.ticket"}
    assert join["take"] == {
        "agent_cost": "sum",
        "cost_currency": "first",
    }
    samples = open_samples(load_parameters(folder / "params/claims.yaml"))
    got = samples.con.execute("select arm, sum(agent_cost) from cases group by 1 order by 1").fetchall()
    assert [(arm, None if cost is None else float(cost)) for arm, cost in got] == [
        ("baseline", None),
        ("pilot", 7.5),
    ]


def test_answers_on_the_terminal_settle_what_is_open(folder: Path) -> None:
    rows = [
        {**row, "Variant": "AB"[i % 2], "Work": 60 + i, "Handled": "x"} for i, row in enumerate(tickets())
    ]
    path = table(folder / "t.csv", rows)
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        for begin, reply in (
            ("arm: what is 'A'", "b"),
            ("arm: what is 'B'", "pilot"),
            ("handling_minutes from 'Work'", "n"),
            ("cases_per_month", "4200"),
        ):
            if question.startswith(begin):
                return reply
        return ""

    out = io.StringIO()
    new_pilot(Request(pilot="x", cases=[str(path)]), console=Console(file=out, width=100), ask=answer)
    value = yaml.safe_load((folder / "params/x.yaml").read_text())
    columns = value["samples"]["cases"]["columns"]
    assert columns["arm"]["values"] == {"A": "baseline", "B": "pilot"}
    assert "handling_minutes" not in columns
    assert value["demand"]["cases_per_month"] == 4200
    assert value["economics"]["rollout_cost"] == "FILL_IN"
    assert len(asked) == len(set(asked))


def test_a_column_that_cannot_be_read_is_left_out_and_said(folder: Path) -> None:
    rows = [
        {**row, "Handle time (min)": f"{5 + i % 9}.5" if i != 9 else "soon"}
        for i, row in enumerate(tickets(200))
    ]
    table(folder / "t.csv", rows)
    roi("new", "x", "--cases", "t.csv", *FILLS)
    text = (folder / "params/x.yaml").read_text()
    assert "handling_minutes" not in yaml.safe_load(text)["samples"]["cases"]["columns"]
    assert "CHECK: left out, because 1 value cannot be read; row 10" in " ".join(
        text.replace("#", "").split()
    )
    assert roi("check", "x").exit_code == 0


def test_waiting_is_not_handling(folder: Path) -> None:
    names = (
        "Resolution time (min)",
        "First response time (min)",
        "Durchlaufzeit (Min.)",
        "Temps d'attente (min)",
        "Cycle time (h)",
    )
    rows = [{**row, **dict.fromkeys(names, 5 + i % 7)} for i, row in enumerate(tickets())]
    table(folder / "t.csv", rows)
    roi("new", "x", "--cases", "t.csv")
    assert (
        "handling_minutes"
        not in yaml.safe_load((folder / "params/x.yaml").read_text())["samples"]["cases"]["columns"]
    )


def test_what_a_blank_means_is_asked_for_and_never_decided(folder: Path) -> None:
    rows = [{**row, "Review time (min)": "" if i % 2 == 0 else 2 + i % 5} for i, row in enumerate(tickets())]
    path = table(folder / "t.csv", rows)
    said = roi("new", "x", "--cases", "t.csv")
    text = " ".join((folder / "params/x.yaml").read_text().replace("#", "").split())
    assert "CHECK: review_minutes is blank in 30 of 60 rows (0% of pilot, 100% of baseline)" in text
    assert "Only you know" in said.output
    columns = yaml.safe_load((folder / "params/x.yaml").read_text())["samples"]["cases"]["columns"]
    assert columns["review_minutes"] == "Review time (min)"
    request = Request(pilot="y", cases=[str(path)])
    new_pilot(request, console=Console(file=io.StringIO()), ask=lambda q: "zero" if "not timed" in q else "")
    columns = yaml.safe_load((folder / "params/y.yaml").read_text())["samples"]["cases"]["columns"]
    assert columns["review_minutes"] == {"from": "Review time (min)", "blank": "zero"}
