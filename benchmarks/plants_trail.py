"""Violations of the action log and its trail, to be planted."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

from control_logs import Log, Row
from control_plants import ImpossibleError, Kind, Planted, Rng, pick

__all__ = ["TRAIL_KINDS"]

SECOND = dt.timedelta(seconds=1)
ALWAYS = ("read_customer", "write_note")
"""Tools that every case calls, so that their rights stay in use."""


def _routine(row: Row) -> bool:
    return (
        row["decision"] == "auto"
        and row["status"] == "ok"
        and row["tool"] in ALWAYS
        and row["executed_at"] is not None
    )


def _without(log: Log, rows: list[Row]) -> None:
    gone = {id(row) for row in rows}
    log.tables["actions"] = [row for row in log.tables["actions"] if id(row) not in gone]


def _unlogged(log: Log, rng: Rng, k: int) -> Planted:
    """Live cases lose all their actions, but for cases whose rights are hardly used elsewhere."""
    uses = Counter((r["system"], r["scope"]) for r in log.tables["actions"] if r["status"] == "ok")
    of, chosen = log.of_cases(), []
    live = log.live()
    for i in rng.permutation(len(live)).tolist():
        case = live[i]
        rows = of[case["case_id"]]
        if case["case_id"] in log.taken or any(uses[r["system"], r["scope"]] < 20 for r in rows):
            continue
        uses.subtract((r["system"], r["scope"]) for r in rows)
        log.taken.add(case["case_id"])
        _without(log, rows)
        chosen.append(case)
        if len(chosen) == k:
            break
    if not chosen:
        raise ImpossibleError
    return Planted(must={("cases_with_actions",): [{"cases": [case]} for case in chosen]})


def _stray(case: Callable[[int], str | None], seq: int | None) -> Callable[[Log, Rng, int], Planted]:
    """Further actions of cases that are not there."""

    def plant(log: Log, rng: Rng, k: int) -> Planted:
        # Like actions that are there, which keeps every other check as it was.
        like = [row for row in log.tables["actions"] if _routine(row)]
        rows = []
        for i in range(k):
            row = {**like[int(rng.integers(len(like)))], "case_id": case(i)}
            row["action_id"] = f"S{len(log.tables['actions']):06d}"
            row["seq"] = None if seq is None else min(r["seq"] for r in like)
            log.tables["actions"].insert(int(rng.integers(len(log.tables["actions"]))), row)
            rows.append(row)
        return Planted(must={("actions_with_case",): [{"actions": [row]} for row in rows]})

    return plant


def _same_id(log: Log, rng: Rng, k: int) -> Planted:
    rows = pick(log, rng, 2 * k, _routine)
    pairs = list(zip(rows[::2], rows[1::2], strict=False))
    for one, other in pairs:
        other["action_id"] = one["action_id"]
    return Planted(must={("unique_ids",): [{"actions": [one, other]} for one, other in pairs]})


def _blank(column: str) -> Callable[[Log, Rng, int], Planted]:
    def plant(log: Log, rng: Rng, k: int) -> Planted:
        rows = pick(log, rng, k, _routine)
        for row in rows:
            row[column] = None
        return Planted(must={("required_fields",): [{"actions": [row]} for row in rows]})

    return plant


def _before_request(log: Log, rng: Rng, k: int) -> Planted:
    rows = pick(log, rng, k, _routine)
    for row in rows:
        row["executed_at"] = row["requested_at"] - int(rng.integers(3, 30)) * 60 * SECOND
    return Planted(must={("time_order",): [{"actions": [row]} for row in rows]})


def _denied(log: Log, rng: Rng, k: int) -> Planted:
    rows = pick(log, rng, k, _routine)
    for row in rows:
        row["status"] = "denied"
    return Planted(must={("denied_ran",): [{"actions": [row]} for row in rows]})


def _gap(log: Log, rng: Rng, k: int) -> Planted:
    of = log.of_cases()

    def inside(row: Row) -> bool:
        rows = of[row["case_id"]]
        return _routine(row) and rows[0] is not row and rows[-1] is not row

    gone = pick(log, rng, k, inside)
    groups = []
    for row in gone:
        rows = of[row["case_id"]]
        at = next(i for i, r in enumerate(rows) if r is row)
        groups.append({"actions": [rows[at - 1], rows[at + 1]]})
    _without(log, gone)
    return Planted(must={("sequence_gaps",): groups})  # type: ignore[arg-type]


def _repeat(log: Log, rng: Rng, k: int) -> Planted:
    of = log.of_cases()

    def last(row: Row) -> bool:
        rows = of[row["case_id"]]
        # A further attempt may repeat a number.
        return len(rows) > 1 and rows[-1] is row and row["attempt"] == rows[-2]["attempt"]

    rows = pick(log, rng, k, last)
    groups = []
    for row in rows:
        other = of[row["case_id"]][-2]
        row["seq"] = other["seq"]
        groups.append({"actions": [other, row]})
    return Planted(must={("sequence_repeats",): groups})  # type: ignore[arg-type]


def _future(log: Log, rng: Rng, k: int) -> Planted:
    of = log.of_cases()

    def last(row: Row) -> bool:
        rows = of[row["case_id"]]
        return row["decision"] == "auto" and row["status"] == "ok" and rows[-1] is row and len(rows) > 1

    rows = pick(log, rng, k, last)
    for row in rows:
        # From a minute past midnight on, by the pilot's clock and by UTC: a day may be told by either.
        over = max(log.local(log.as_of, 24), dt.datetime.combine(log.as_of + dt.timedelta(days=1), dt.time()))
        at = over + int(rng.choice([1, 90, 600, 2000, 12000])) * 60 * SECOND
        row["requested_at"], row["executed_at"] = at, at + SECOND
        row["decided_at"] = row["decided_at"] and at
    return Planted(must={("future_times",): [{"actions": [row]} for row in rows]})


def _skewed(log: Log, rng: Rng, k: int) -> Planted:
    """Every action by so many minutes, or those of the second half by an hour."""
    by = dt.timedelta(minutes={1: 90, 3: 15, 25: 60}[k])
    rows = sorted(log.tables["actions"], key=lambda row: row["requested_at"])
    since = rows[len(rows) // 2]["requested_at"] if k == 25 else rows[0]["requested_at"]
    shifted = {r["case_id"] for r in log.tables["cases"] if r["started_at"] >= since} if k == 25 else None
    newest = max(row["executed_at"] for row in log.tables["actions"] if row["executed_at"])
    # Forward only where that stays before the end of the day of the decision.
    late = log.day(newest + by) <= log.as_of and rng.random() < 0.5
    for row in log.tables["actions"]:
        for column in ("requested_at", "decided_at", "executed_at"):
            if row[column] is not None and (shifted is None or row["case_id"] in shifted):
                row[column] += by if late else -by
    return Planted(
        must={("clock_skew",): []},
        touched={"actions": log.tables["actions"], "cases": log.tables["cases"]},
    )


def _silent(log: Log, rng: Rng, k: int) -> Planted:
    """Nothing was logged on a day on which at least twelve cases were worked."""
    days: dict[Any, list[Row]] = {}
    for case in log.live():
        days.setdefault(log.day(case["started_at"]), []).append(case)
    full = sorted(day for day, cases in days.items() if len(cases) >= 12)[1:-1]
    if not full:
        raise ImpossibleError
    day = full[int(rng.integers(len(full)))]
    of = log.of_cases()
    _without(log, [row for case in days[day] for row in of[case["case_id"]]])
    log.taken.update(case["case_id"] for case in days[day])
    demo = [
        row
        for row in log.tables["cases"]
        if row["arm"] == "pilot" and row["setting"] == "demo" and log.day(row["started_at"]) == day
    ]
    _without(log, [row for case in demo for row in of.get(case["case_id"], ())])
    return Planted(must={("silent_days",): []}, touched={"cases": days[day]})


TRAIL_KINDS = (
    Kind(name="a case without actions", plant=_unlogged, follows=("silent_days",), most=10),
    Kind(name="an action of no known case", plant=_stray(lambda i: f"G{i:04d}", 1)),
    Kind(
        name="an action without a case",
        plant=_stray(lambda i: None, None),
        follows=("sequence_gaps", "sequence_repeats", "required_fields"),
    ),
    Kind(name="an action id twice", plant=_same_id),
    Kind(name="an act without its time", plant=_blank("executed_at")),
    Kind(name="an act without its end", plant=_blank("status")),
    Kind(name="an act before its request", plant=_before_request, follows=("clock_skew",)),
    Kind(name="a denied act that ran", plant=_denied),
    Kind(name="an act missing in its sequence", plant=_gap),
    Kind(name="a place in a sequence taken twice", plant=_repeat),
    Kind(
        name="an act after the day of the decision",
        plant=_future,
        strength="1 or 3 rows",
        follows=("clock_skew",),
        most=3,
    ),
    Kind(
        name="clocks that do not agree",
        plant=_skewed,
        strength="90 or 15 minutes, every action; 60, the second half of them",
        area="times",
    ),
    Kind(
        name="a day without a log",
        plant=_silent,
        strength="1 day of at least 12 live cases",
        follows=("cases_with_actions",),
        cases=(600, 2000),
        most=1,
        area="times",
    ),
)
