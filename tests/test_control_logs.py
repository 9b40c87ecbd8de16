"""Logs that are clean by construction, and violations planted into them: every one is found, with its rows.

The kinds and the logs are those of `benchmarks/controls.py`, which has more of each.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from control_kinds import KINDS, planted_alone
from control_loading import found_in, logs_from_files, logs_of
from control_logs import clean_log
from control_plants import Kind, Planted, judge

from roi.controls.catalogue import CATALOGUE
from roi.controls.check import Rows

FEW = (
    "a read that nobody granted",
    "a call to a system that nobody granted",
    "an approval after the act",
    "a rejected action that ran",
    "an action id twice",
    "an act missing in its sequence",
    "a critical case that fails",
    "a pause that came late",
)
NAMED = {kind.name: kind for kind in KINDS}


def seen_of(kind: Kind) -> None:
    """Hold one log with a kind of violation against what is found in it."""
    log, planted = planted_alone(kind, 1)
    found = found_in(logs_of(log))
    if not any(set(names) <= set(found) for names in planted.must):
        pytest.skip("the checks of this layer are not there")
    seen = judge(log, {kind.name: (kind, planted)}, found)
    assert (seen.found, seen.extra) == ({kind.name: True}, [])
    assert seen.rows[kind.name] is not False


@pytest.mark.parametrize("name", FEW)
def test_a_planted_violation_is_found_with_its_rows(name):
    small = replace(NAMED[name], cases=(60, 120), most=3)
    seen_of(small)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_every_kind_of_violation_is_found_with_its_rows(name):
    seen_of(NAMED[name])


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_nothing_is_found_in_a_clean_log(seed):
    found = found_in(logs_of(clean_log(seed, cases=(60, 150))))
    assert [name for name, check in found.items() if check.status == "fail"] == []


@pytest.mark.parametrize("seed", [0, 3, 17])
def test_a_clean_log_is_clean_by_itself(seed):
    """Without any check of ours: order, places in the sequence, approvals, and times within the case."""
    log = clean_log(seed, cases=(60, 200))
    cases = {row["case_id"]: row for row in log.tables["cases"]}
    of = log.of_cases()
    assert {row["case_id"] for row in log.live()} <= set(of) <= set(cases)
    late = 0
    for case, rows in of.items():
        assert [row["seq"] for row in rows] == list(range(rows[0]["seq"], rows[0]["seq"] + len(rows)))
        times = [row[c] for row in rows for c in ("requested_at", "decided_at", "executed_at") if row[c]]
        assert times == sorted(times)
        assert cases[case]["started_at"] <= times[0]
        late += times[-1] > cases[case]["ended_at"]
        assert log.day(times[-1]) <= log.as_of
        for row in rows:
            ran = row["executed_at"] is not None
            assert ran == (row["status"] != "denied")
            if ran and log.risky(row):
                assert row["decision"] == "approved"
                assert row["approver"] not in (None, row["requester"], *log.agents)
    assert late <= 0.05 * len(of)  # closed before the last note was written


def test_a_seed_gives_the_same_log():
    assert clean_log(5, cases=(60, 60)) == clean_log(5, cases=(60, 60))


def test_the_log_read_from_files_holds_the_same_rows(tmp_path):
    log = clean_log(10, cases=(60, 60))
    straight, read = logs_of(log), logs_from_files(log, tmp_path)
    assert read.samples.exclusions == ()
    for table in log.tables:
        columns = [c for c in straight.table(table).columns if not _named(straight, table, c)]
        query = f'select {", ".join(columns)} from "{table}" order by "row"'
        assert straight.ask(query) == read.ask(query), table
        # How names are spelled is told while they are read, and so of files alone.
        told = "where column_name <> 'alike_' order by 1"
        kinds = f"select column_name, column_type from (describe {table}) {told}"
        assert straight.ask(kinds) == read.ask(kinds), table


def test_an_action_without_a_case_stays_and_is_counted(tmp_path):
    log = clean_log(10, cases=(60, 60))
    for row in log.tables["actions"][3:5]:
        row["case_id"] = None
    read = logs_from_files(log, tmp_path)
    assert read.ask('select "row" from actions where case_id is null order by 1') == [(4,), (5,)]
    assert read.samples.unknown_cases == {"actions": 2}
    assert read.samples.exclusions == ()


def _named(logs, table: str, column: str) -> bool:
    """Whether a column holds names, which become pseudonyms while they are read."""
    from roi.schema.tables import TABLE_COLUMNS

    return column == "needed_by" or (column != "row" and TABLE_COLUMNS[table][column].kind == "key")


def test_the_judge_sees_what_is_missed_misnamed_and_unexplained():
    """The judge by hand: three rows planted, of which a check names two, all, or one that was never planted."""
    log = clean_log(2, cases=(60, 60))
    rows = log.tables["actions"][4:7]
    kind = Kind(name="k", plant=lambda log, rng, k: Planted(must={}))
    planted = {"k": (kind, Planted(must={("granted",): [{"actions": [row]} for row in rows]}))}

    def told(*first: int, name: str = "granted", status: str = "fail"):
        shown = Rows(table="actions", count=len(first), first=first)
        check = _Check(name=name, status=status, rows=shown)
        passing = _Check(name="granted", status="pass", rows=None)
        return judge(log, planted, {"granted": passing} | {name: check})

    assert told(5, 6, 7).rows == {"k": True}
    assert told(5, 6).rows == {"k": False}
    assert told(5, 6, 7, 8).rows == {"k": False}
    assert told(5, 6, 7, status="missing_evidence").found == {"k": False}
    assert told(5, name="denied_ran").extra == ["denied_ran"]
    assert told(5, name="self_granted").extra == ["self_granted", "self_granted names rows"]


class _Check:
    def __init__(self, **given):
        self.__dict__.update(given)


@pytest.mark.slow
def test_kinds_cover_the_catalogue():
    asked = {name for kind in KINDS for names in planted_names(kind) for name in names}
    assert set(CATALOGUE) - asked == {
        "suite_power",
        "sealed",
    }  # the one is only ever not shown; the other needs a seal
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 25


def planted_names(kind: Kind) -> list[tuple[str, ...]]:
    return list(planted_alone(kind, 0)[1].must)


def test_rows_are_numbered_from_one():
    log = clean_log(1, cases=(60, 60))
    first = logs_of(log).ask('select min("row"), max("row") from actions')
    assert first == [(1, len(log.tables["actions"]))]
