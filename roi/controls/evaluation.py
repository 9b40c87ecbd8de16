"""Evaluation: was the live version tested, and is it no worse than the one before it?"""

from __future__ import annotations

import datetime as dt

from scipy.special import betainc

from roi.gate import Gate, missing_evidence
from roi.moments import fetch
from roi.samples import Samples
from roi.words import percent, plural

__all__ = ["evaluation", "worse_by_chance"]

LABEL = "Evaluation suite"
ALPHA = 0.05


def worse_by_chance(worse: int, better: int) -> float:
    """Chance of at least so many cases getting worse, were getting better as likely: exact one-sided McNemar.

    Source:
        McNemar (1947), Psychometrika 12:153, in its exact binomial form.
    """
    return 1.0 if worse == 0 else float(betainc(worse, better + 1, 0.5))


def evaluation(samples: Samples) -> Gate:
    """Look for a run of the live version and compare it, case by case, with the version it replaced.

    Args:
        samples: The opened samples; reads `evals` and `changes`.

    Returns:
        The gate: it holds when the live version has a run at or after its change, no critical case fails and it is
        not worse than its predecessor (one-sided exact McNemar, p < 0.05). The live version is the one of the last
        change; it is never guessed from the order of the runs.
    """
    evals = samples.tables.get("evals")
    if evals is None:
        return _missing(
            "There is no run of an evaluation suite.",
            "Provide the runs of an evaluation suite (samples.evals)",
        )
    columns = set(evals.columns)
    if "ran_at" not in columns:
        return _missing(
            "The runs of the suite do not say when they ran.",
            "Log when each run of the suite was (ran_at), and run it on the live version",
        )
    if samples.tables.get("changes") is None:
        return _missing(
            "No list of changes says which version is live and what it replaced.",
            "Provide the list of changes (samples.changes) with each version, when it went live and what it replaced",
        )
    aggregates = {
        "passed": "first(passed order by ran_at desc)",
        "critical": "bool_or(coalesce(critical, false))" if "critical" in columns else "false",
        "last": "max(ran_at)",
    }
    rows = fetch(samples, evals.grouped(["version", "eval_case"], aggregates))
    results: dict[str, dict[str, tuple[bool, bool]]] = {}
    ran: dict[str, dt.datetime] = {}
    for version, case, passed, is_critical, when in rows:
        if passed is None:
            continue
        results.setdefault(version, {})[case] = (bool(passed), bool(is_critical))
        if when is not None:
            ran[version] = max(ran.get(version, when), when)
    live, before, changed = _live_version(samples)
    now = results.get(live or "", {})
    if not now:
        return _missing(
            "The live version has no run of the evaluation suite.",
            "Run the suite on the live version before the decision",
        )
    if live not in ran or changed is None:
        return _missing(
            "Nothing says whether the live version was tested after its change: a time is missing.",
            "Log when the live version was changed and when the suite ran on it",
        )
    if ran[live] < changed:
        return _missing(
            "The last run of the suite is older than the last change.", "Run the suite again after the change"
        )
    share = sum(p for p, _ in now.values()) / len(now)
    broken = sum(c and not p for p, c in now.values())
    then = results.get(before or "", {})
    both = sorted(set(now) & set(then))
    worse = sum(then[c][0] and not now[c][0] for c in both)
    better = sum(now[c][0] and not then[c][0] for c in both)
    chance = worse_by_chance(worse, better)
    fails = broken > 0 or chance < ALPHA
    evidence = f"The live version passes {percent(share)} of {plural(len(now), 'case')}"
    evidence += f"; {better} better and {worse} worse than the version before it" if both else ""
    evidence += (
        f"; {plural(broken, 'critical case')} {'fails' if broken == 1 else 'fail'}." if broken else "."
    )
    return Gate(
        gate="evaluation",
        label=LABEL,
        state="exceeded" if fails else "shown",
        value=share,
        threshold=None,
        evidence=evidence,
        mend="Mend what got worse, or go back to the version before" if fails else "",
    )


def _missing(evidence: str, mend: str) -> Gate:
    return missing_evidence(
        "evaluation",
        LABEL,
        evidence=evidence,
        mend=mend,
    )


def _live_version(samples: Samples) -> tuple[str | None, str | None, dt.datetime | None]:
    """The live version, the one it replaced, and when."""
    changes = samples.tables["changes"]
    wanted = ["version", "changed_at", *(c for c in ("replaces",) if c in changes.columns)]
    query = f"select {', '.join(wanted)} from {changes.sql} order by changed_at, version"
    rows = fetch(samples, query)
    if not rows:
        return None, None, None
    live, changed = rows[-1][0], rows[-1][1]
    if len(wanted) == 3 and rows[-1][2]:
        return live, rows[-1][2], changed
    return live, (rows[-2][0] if len(rows) > 1 else None), changed
