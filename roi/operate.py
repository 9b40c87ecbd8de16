"""What the page of the operation shows: fresh cases held against an earlier decision, or what will be watched.

A batch has just decided, from all cases there are. Cases after an earlier record's day are fresh to that one, and are
held against it; where there are none, the decision's own days stand in, which show what a chart of them looks like and
what a limit would have said, and raise no action.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from roi.analysis import Analysis, analyse
from roi.archive import MOMENTS, read_archive
from roi.detection import DAYS, days_to_see
from roi.issue import current_run
from roi.ledger import record_sha256
from roi.monitor import Given, held_against, monitor
from roi.monitor_basis import Basis, basis_of
from roi.monitor_days import MEASURES
from roi.monitor_tests import RATES
from roi.pilot import Decision, Pilot
from roi.problems import InputError, SampleError
from roi.realised import realised_of_pilot
from roi.records import ARCHIVE, RECORD, read_record
from roi.signing import standing

__all__ = ["operation_of", "realised_of", "soon_of"]

SEVERE = "severe_error_rate_pilot"
TIMES = (2.0, 3.0, 5.0)
DAYS_A_MONTH = 365.25 / 12


def operation_of(pilot: Pilot, record: Mapping[str, Any]) -> dict[str, Any]:
    """What there is to say of a pilot in operation.

    Args:
        pilot: The opened pilot.
        record: The record that was just made of it.

    Returns:
        Plain JSON values. `state`: "fresh" (cases that came after an earlier decision), "own" (the decision's own
        days) or "unknown", and `why` no fresh case is held against anything; `monitor` as `roi.monitor.monitor` gives
        it, None where no case has a time; `limits` by measure; `soon`: how soon more severe errors would be seen, or
        `why` that cannot be said.

    Raises:
        InputError: If an archive or a sample cannot be read.
    """
    loaded = pilot.loaded
    run = current_run(loaded.parameters.pilot)
    issued = _issued(pilot)
    former = _former(issued / loaded.parameters.pilot, record)
    why = "No earlier decision lies in the reports, so every case is one that this decision rests on."
    if former is not None:
        try:
            found = monitor(loaded, Given(record=former.parent))
            return _whole("fresh", None, found, _limits(found), soon_of(found, None))
        except InputError as error:
            why = "; ".join(problem.message for problem in error.problems)
            why = f"Cases since the earlier decision could not be held against it: {why}."
    a = _analysis(pilot, record, None if run is None else run.folder)
    until = record.get("as_of")
    gone = "No case of the sample has a time of its start (started_at), so that no day can be watched."
    try:
        own = held_against(
            record,
            (a, pilot.samples, None),
            pilot.samples,
            loaded,
            Given(),
            since=None,
            until=None if until is None else dt.date.fromisoformat(str(until)[:10]),
            worth=False,
        )
    except SampleError as error:
        own, gone = None, "; ".join(problem.message for problem in error.problems)
    if own is None:
        limits = _limits_of(basis_of(record, loaded.policy, a), loaded.parameters.about.currency)
        return _whole("unknown", gone, None, limits, {"rows": [], "why": gone})
    return _whole("own", why, own, _limits(own), soon_of(own, _roll_out(a)))


def realised_of(pilot: Pilot, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """What became of a pilot's decision, month by month.

    Args:
        pilot: The opened pilot.
        record: The record that was just made of it.

    Returns:
        As `roi.realised.realised_of_pilot` gives it; None where the parameter file names no actuals.

    Raises:
        SampleError: If the actuals must be mended.
    """
    run = current_run(pilot.loaded.parameters.pilot)
    if run is not None and pilot.loaded.parameters.samples.actuals is not None:
        _analysis(pilot, record, run.folder)
    return realised_of_pilot(pilot, reports=_issued(pilot))


def _issued(pilot: Pilot) -> Path:
    """Where reports are published."""
    run = current_run(pilot.loaded.parameters.pilot)
    return pilot.loaded.project / "reports" if run is None else run.ledger.parent


def _whole(
    state: str,
    why: str | None,
    found: Mapping[str, Any] | None,
    limits: list[dict[str, Any]],
    soon: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "state": state,
        "why": why,
        "monitor": None if found is None else dict(found),
        "limits": limits,
        "soon": dict(soon),
    }


def _former(folder: Path, record: Mapping[str, Any]) -> Path | None:
    """The record that cases are fresh to: of those of an earlier day the last that was signed, else the last."""
    if not record.get("as_of"):
        return None
    earlier = []
    for file in (folder / RECORD, *sorted((folder / ARCHIVE).glob(f"*/{RECORD}"))):
        try:
            found = read_record(file)
        except InputError:
            continue
        day = str(found.get("as_of") or "")[:10]
        if found.get("pilot") == record["pilot"] and "" < day < str(record["as_of"])[:10]:
            earlier.append((standing(found).state == "accepted", day, str(file), file))
    return max(earlier)[-1] if earlier else None


def _analysis(pilot: Pilot, record: Mapping[str, Any], folder: Path | None) -> Analysis:
    """The decision: that of this process, or of the archive that the same run has written, or made now; made once."""
    if folder is None or "decision" in vars(pilot):
        return pilot.decision.analysis
    found = None
    try:
        archive = read_archive(folder / MOMENTS)
        if archive.content["record"] == record_sha256(record):
            found = archive.analysis()
    except InputError:
        pass  # there is none yet, or it is withheld
    made = analyse(pilot.loaded, pilot.samples) if found is None else found
    vars(pilot)["decision"] = Decision(
        made
    )  # the run's own notebook has counted this look, and kept its archive
    return made


def _limits(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = ("measure", "label", "unit", "limit", "limit_why", "expected", "unknown")
    return [{key: row[key] for key in keys} for row in found["measures"]]


def _limits_of(basis: Basis, currency: str) -> list[dict[str, Any]]:
    rows = []
    for name, label in MEASURES.items():
        limit, expected = basis.limits.get(name), basis.expected.get(name)
        unit = "share" if name in RATES else "min/case" if "minutes" in name else f"{currency}/case"
        rows.append(
            {
                "measure": name,
                "label": label,
                "unit": unit,
                "limit": None if limit is None else limit.value,
                "limit_why": basis.no_limit.get(name) if limit is None else limit.why,
                "expected": None
                if expected is None
                else {"mean": expected.mean, "p05": expected.p05, "p95": expected.p95},
                "unknown": "no case has a time",
            }
        )
    return rows


def _roll_out(a: Analysis) -> float | None:
    """Cases a day that the agent would work in the roll-out; None where that is not stated."""
    option = a.verdict.option if a.verdict.option is not None and a.verdict.verdict == "scale" else a.scale
    if a.economics.cases_per_month is None or option is None:
        return None
    share = 1.0 if option.scope is None else option.scope.share
    cases = np.mean(np.multiply(np.multiply(a.economics.cases_per_month, a.economics.ceiling), share))
    return float(cases) / DAYS_A_MONTH or None


def soon_of(found: Mapping[str, Any], roll_out: float | None) -> dict[str, Any]:
    """How soon more severe errors would be seen by the questions that are asked of all cases.

    Args:
        found: As `roi.monitor.monitor` gives it.
        roll_out: Cases a day that the agent would work in the roll-out.

    Returns:
        `rows`: of each increase its `text`, its `rate`, the volume (`what`, `per_day` cases of which it is known), and
        the days until it is seen in 1 of 2 (`half`) and in 8 of 10 (`most`) streams, None beyond `within` days, and the
        share of streams in which it is `seen`; `why` there are none; `judged`: the share of cases of which it is known.
    """
    row = next(row for row in found["measures"] if row["measure"] == SEVERE)
    asked = [
        (float(q["limit"]), float(q["alpha"]))
        for q in found["questions"]
        if q["measure"] == SEVERE and q["segment"] is None
    ]
    if row["all"] is None or not row["all"]["n"] > 0 or not asked or not found["cases"] > 0:
        why = row["unknown"] or "nothing is asked about severe errors"
        return {"rows": [], "why": f"Whether an error is severe is not known: {why}."}
    judged = min(float(row["all"]["n"]) / float(found["cases"]), 1.0)
    expected = float((row["expected"] or {}).get("mean") or 0.0)
    volumes = [("as in these days", float(row["all"]["n"]) / found["days"])]
    if roll_out is not None:
        volumes.append(("in the roll-out", roll_out * judged))
    rows = []
    for text, rate in _increases(expected, row["limit"]):
        for what, per_day in volumes:
            seen = days_to_see(asked, min(expected, float(row["limit"])), rate, per_day)
            days = {"half": seen.half, "most": seen.most, "seen": seen.seen}
            rows.append({"text": text, "rate": rate, "what": what, "per_day": per_day, **days})
    return {"rows": rows, "why": None, "judged": judged, "within": DAYS}


def _increases(expected: float, limit: float) -> Iterator[tuple[str, float]]:
    if expected > 0 and 3 * expected < 0.9:
        yield "three times what was expected", 3 * expected
    for times in TIMES:
        if times * limit < 0.9:
            yield f"{times:.0f} times the limit", times * limit
