"""The portfolio: every pilot, the best set to fund, what luck has to do with it, and which workflow is next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.as_it_stands import as_it_stands, is_deferred
from roi.candidates import Candidate, day_of
from roi.discoveries import LEAST_TO_SHRINK, expected_failures, shrink, step_up
from roi.funded import Choice, Limit, Queue, choice_of, limits_of, regret_of, standing_order
from roi.funding import best_set
from roi.held import asked_first, held_of, is_held
from roi.hours import hours_above, unheld_hours
from roi.joint import Joint, joint_draws
from roi.ledger import record_sha256
from roi.operating import holds_back
from roi.scarcity import scarcity_of
from roi.schema.portfolio import Portfolio
from roi.signing import governing, standing
from roi.upcoming import what_is_next
from roi.words import as_decided, finite, shorten

__all__ = ["SCHEMA", "portfolio_of", "trend_of"]

SCHEMA = 2
EXACT = 1e-9  # relative spread below which a worth is known exactly
LEVEL = 0.1  # false discovery rate of the step-up rule where no bar is stated

Floats = npt.NDArray[np.float64]
Record = Mapping[str, Any]


def portfolio_of(
    candidates: Sequence[Candidate], plan: Portfolio, *, ledger: Sequence[Record] = ()
) -> dict[str, Any]:
    """Everything that is said of all pilots together.

    Args:
        candidates: The pilots.
        plan: What the portfolio's owner has to give.
        ledger: Entries of the ledger, for the trend.

    Returns:
        Plain JSON values; money is in `currency`, what is not known is None with a note.
    """
    candidates = [as_it_stands(c) for c in sorted(candidates, key=lambda c: c.pilot)]
    joint = joint_draws(candidates, plan)
    # What is newest tells what day it is at the least: a decision, or the months of one that runs.
    newest = [(c.record.get("as_of"), (c.months or {}).get("until")) for c in candidates]
    days = [day for known in newest for x in known if (day := day_of(x)) is not None]
    today = plan.as_of or max(days, default=None)
    by_pilot = {c.pilot: c for c in candidates}
    limits = limits_of(candidates, joint, plan)
    fundable = [
        choice_of(c, i, joint, limits, plan)
        for c in candidates
        if c.pilot in joint.worths
        for i in range(len(c.options))
    ]
    # No new money for what its own operation stops: it comes back into the choice once that is mended.
    everything = [x for x in fundable if not is_held(x)]
    best = best_set(Choice.problem(everything, limits))
    funded = [everything[i] for i in best.chosen]
    queue = Queue()
    order = standing_order(funded, queue)
    waiting = held_of(fundable, limits, funded, best)
    left = [limit.amount - sum(float(x.use[k]) for x in funded) for k, limit in enumerate(limits)]
    scarce = scarcity_of(everything, limits, best)
    shrunk = _shrunk(candidates, joint, everything, limits, funded)
    chances = np.array([x.option.chance for x in funded])
    fails, share = expected_failures(chances)
    bar = plan.max_share_not_paying
    tested = [c for c in candidates if c.shown is not None]
    passed = step_up(
        np.array([c.shown.chance for c in tested if c.shown is not None]), LEVEL if bar is None else bar
    )
    return {
        "schema": SCHEMA,
        "as_of": None if today is None else today.isoformat(),
        "currency": joint.currency,
        "draws": joint.draws,
        "seed": joint.seed,
        "pilots": [_pilot(c, joint, today, funded, waiting["held"]) for c in candidates],
        "set": {
            "budget": plan.budget,
            "funded": [_funded(x, joint, shrunk) for x in funded],
            **_together(funded, joint),
            "lost_while_waiting": sum(row["lost_while_waiting"] or 0.0 for row in order),
            "cost": sum(x.cost for x in funded),
            "now": sum(x.now for x in funded),
            "at_most_more": 0.0 if best.is_best else best.bound - best.worth,
            "limits": [
                {
                    "what": limit.what,
                    "name": limit.name,
                    "unit": limit.unit,
                    "amount": limit.amount,
                    "left": rest,
                    "share_above": hours_above(funded, limit, joint),
                    **more,
                }
                for (limit, rest), more in zip(
                    [x for x in zip(limits, left, strict=True) if x[0].what != "bar"],
                    scarce["limits"],
                    strict=True,
                )
            ],
            "together": scarce["together"],
            **waiting,
            "without_limits": _unlimited(everything),
            "regret": regret_of(everything, limits, best, joint),
        },
        "discoveries": {
            "funded": len(funded),
            "expected_failures": fails,
            "share": share,
            "bar": bar,
            "step_up": [
                c.pilot
                for c, ok in zip(tested, passed, strict=True)
                if ok
                and not is_deferred(c)
                and any(not holds_back(c.operating, o.segments) for o in c.options)
            ],
            "step_up_level": LEVEL if bar is None else bar,
        },
        "shrinkage": shrunk,
        "kills": _kills(candidates, joint),
        "order": order,
        "next": what_is_next(everything, funded, limits, best, queue),
        "shared": [{"label": shorten(i.label, 120), "pilots": sorted(i.pilots)} for i in joint.shared],
        "trend": trend_of(ledger),
        "notes": _notes(by_pilot, joint, plan, limits),
        "records": {c.pilot: record_sha256(c.record) for c in candidates},
    }


def _pilot(
    c: Candidate, joint: Joint, today: dt.date | None, funded: Sequence[Choice], held: Sequence[Record]
) -> dict[str, Any]:
    r = c.record
    as_of, due = day_of(r.get("as_of")), day_of(r.get("decide_by"))
    state = standing(r)
    worth = None if c.pilot not in joint.worths else joint.worths[c.pilot][-1]
    runs = c.months is not None and c.months.get("verdict") == governing(r)
    return {
        "pilot": c.pilot,
        "title": shorten(r.get("title") or c.pilot, 120),
        "workflow_id": r.get("workflow_id"),
        "owner": r.get("owner"),
        "verdict": r.get("verdict"),
        "fix_kind": r.get("fix_kind"),
        "ground": r.get("ground"),
        "signed": state.state,
        "decided": governing(r),
        "months": None
        if c.months is None
        else {
            "currency": r.get("currency"),
            **{key: c.months[key] for key in ("count", "holds", "before", "now", "going_on", "text")},
        },
        "as_decided": _as_decided(r),
        "worth_of": None if c.shown is None else shorten(c.shown.label, 160),
        "worth": None if worth is None else _spread(worth),
        "chance": None if c.shown is None else c.shown.chance,
        "rate": joint.rates.get(c.pilot),
        "cost": None
        if c.shown is None or c.pilot not in joint.rates
        else c.shown.cost * joint.rates[c.pilot],
        "gates_failed": [
            str(g.get("label") or g.get("gate")) for g in r.get("gates") or [] if g.get("state") != "shown"
        ],
        "share_assumed": finite(r.get("share_assumed")),
        "cases": _cases(r),
        "as_of": None if as_of is None else as_of.isoformat(),
        "age_days": None if as_of is None or today is None else (today - as_of).days,
        "decide_by": None if due is None else due.isoformat(),
        "days_left": None if due is None or today is None else (due - today).days,
        "runs": runs,
        "overdue": due is not None and today is not None and due < today and state.is_draft and not runs,
        "operating": None
        if c.operating is None
        else {
            key: c.operating.get(key)
            for key in ("action", "headline", "segments", "text", "verdict_of", "since")
        },
        "is_funded": any(x.candidate.pilot == c.pilot for x in funded),
        "is_held": any(row["pilot"] == c.pilot for row in held),
        "note": joint.left_out.get(c.pilot) or c.note or None,
    }


def _as_decided(record: Record) -> dict[str, Any] | None:
    """What the record tells as the pilot's worth: the one that every list, picture and sentence tells of it."""
    option = as_decided(record)
    told = {key: finite((option or {}).get(key)) for key in ("mean", "p10", "p90")}
    if option is None or None in told.values():
        return None
    label = shorten(option.get("label") or "", 160) or None
    chance = finite(option.get("chance_above_hurdle"))
    return {"option": label, **told, "chance": chance, "currency": str(record.get("currency"))}


def _cases(record: Record) -> int | None:
    arms = (record.get("sample") or {}).get("cases")
    if isinstance(arms, Mapping):
        # Cases of the demo are none that a verdict rests on.
        known = [n for arm, n in arms.items() if arm != "demo" and isinstance(n, int)]
        return sum(known) if known else None
    return arms if isinstance(arms, int) else None


def _spread(worth: Floats) -> dict[str, float]:
    p10, p90 = np.percentile(worth, [10, 90])
    return {"mean": float(worth.mean()), "p10": float(p10), "p90": float(p90)}


def _funded(x: Choice, joint: Joint, shrunk: Mapping[str, Any]) -> dict[str, Any]:
    own = next((row for row in shrunk["pilots"] if row["pilot"] == x.candidate.pilot), None)
    return {
        "pilot": x.candidate.pilot,
        "title": shorten(x.candidate.record.get("title") or x.candidate.pilot, 120),
        "option": shorten(x.option.label, 200),
        "kind": x.option.kind,
        "worth": _spread(x.worth),
        "shrunk": None if own is None else own["shrunk"],
        "chance": x.option.chance,
        "cost": x.cost,
        "now": x.now,
        "weeks": dict(sorted(x.weeks.items())),
        "hours_a_month": x.option.hours,
        "delay_cost_per_week": x.delay_cost,
        "first": asked_first(x),
        "running": x.option.running,
    }


def _together(funded: Sequence[Choice], joint: Joint) -> dict[str, Any]:
    """The worth of the set: with what its pilots share, and as if they shared nothing."""
    if not funded:
        return {
            "worth": {"mean": 0.0, "p10": 0.0, "p90": 0.0},
            "chance_positive": None,
            "sd": 0.0,
            "sd_apart": 0.0,
        }
    total = np.sum([x.worth for x in funded], axis=0)
    return {
        "worth": _spread(total),
        "chance_positive": float(np.mean(total > 0)),
        "sd": float(total.std()),
        "sd_apart": float(np.sqrt(sum(float(x.worth.var()) for x in funded))),
    }


def _unlimited(everything: Sequence[Choice]) -> float:
    """What the best option of every workflow is worth, with nothing scarce."""
    best: dict[str, float] = {}
    for x in everything:
        best[x.candidate.workflow] = max(best.get(x.candidate.workflow, 0.0), x.mean())
    return float(sum(best.values()))


def _shrunk(
    candidates: Sequence[Candidate],
    joint: Joint,
    everything: Sequence[Choice],
    limits: Sequence[Limit],
    funded: Sequence[Choice],
) -> dict[str, Any]:
    """Worths shrunk towards what such pilots are worth, and whether another set would be the best with them."""
    stands = {c.pilot: joint.worths[c.pilot][-1] for c in candidates if c.pilot in joint.worths}
    # What is known exactly owes nothing to luck, and says nothing of how far luck goes.
    known = [pilot for pilot, worth in stands.items() if worth.std() > EXACT * max(1.0, abs(worth.mean()))]
    found = shrink(np.array([stands[p].mean() for p in known]), np.array([stands[p].std() for p in known]))
    if found is None:
        why = f"fewer than {LEAST_TO_SHRINK} pilots say too little of how unlike pilots are"
        return {"why_not": why, "pilots": []}
    place = {pilot: i for i, pilot in enumerate(known)}

    def shrunk_worth(x: Choice) -> float:
        i = place.get(x.candidate.pilot)
        return x.mean() if i is None else found.centre + float(found.weight[i]) * (x.mean() - found.centre)

    raw, less = sum(x.mean() for x in funded), sum(shrunk_worth(x) for x in funded)
    other = best_set(Choice.problem(everything, limits, [shrunk_worth(x) for x in everything]))
    names = sorted(everything[i].candidate.pilot for i in other.chosen)
    return {
        "why_not": None,
        "centre": found.centre,
        "spread": found.spread,
        "raw": raw,
        "shrunk": less,
        "same_set": names == sorted(x.candidate.pilot for x in funded),
        "set": names,
        "pilots": [
            {
                "pilot": pilot,
                "raw": float(stands[pilot].mean()),
                "shrunk": float(found.mean[i]),
                "sd": float(found.sd[i]),
                "weight": float(found.weight[i]),
            }
            for pilot, i in place.items()
        ],
    }


def _kills(candidates: Sequence[Candidate], joint: Joint) -> dict[str, Any]:
    """The money that stopping gives back: what the pilots cost a month, for what stopping costs once."""
    stopped = [c for c in candidates if governing(c.record) == "kill" and c.pilot in joint.rates]
    priced = [c for c in stopped if c.returned.per_month is not None]
    per_month = sum((c.returned.per_month or 0.0) * joint.rates[c.pilot] for c in priced)
    once = sum(c.returned.once * joint.rates[c.pilot] for c in stopped)
    return {
        "pilots": [c.pilot for c in stopped],
        "per_month": per_month if priced else None,
        "per_year": 12 * per_month if priced else None,
        "once": once,
        "not_stated": [c.pilot for c in stopped if c.returned.per_month is None],
    }


def trend_of(ledger: Sequence[Record]) -> dict[str, Any]:
    """How verdicts stood at the end of each month in which one was issued, and which pilots changed theirs.

    Args:
        ledger: Its entries, in order.
    """
    now: dict[str, str] = {}
    months: dict[str, dict[str, int]] = {}
    moved: dict[str, list[dict[str, Any]]] = {}
    for entry in ledger:
        if entry.get("kind") != "record" or not isinstance(entry.get("verdict"), str):
            continue
        pilot, verdict, at = str(entry["pilot"]), str(entry["verdict"]), str(entry.get("at") or "")
        if now.get(pilot) != verdict:
            moved.setdefault(pilot, []).append({"at": at[:10], "verdict": verdict})
        now[pilot] = verdict
        months[at[:7]] = {v: sum(x == v for x in now.values()) for v in ("scale", "fix", "kill")}
    return {
        "months": [{"month": month, **counts} for month, counts in sorted(months.items())],
        "changes": [{"pilot": p, "verdicts": steps} for p, steps in sorted(moved.items()) if len(steps) > 1],
    }


def _notes(
    by_pilot: Mapping[str, Candidate], joint: Joint, plan: Portfolio, limits: Sequence[Limit]
) -> list[str]:
    found = [f"{pilot}: {why}." for pilot, why in joint.left_out.items()]
    found += [f"{p}: {c.note}." for p, c in by_pilot.items() if c.note and p not in joint.left_out]
    met = {" ".join(limit.name.split()).casefold() for limit in limits if limit.is_met}
    asked = [*plan.builders, *plan.teams]
    found += [
        f"'{shorten(name, 60)}' in params/_portfolio.yaml builds or works in no pilot that could be funded."
        for name in asked
        if " ".join(name.split()).casefold() not in met
    ]
    found += unheld_hours(list(by_pilot.values()), joint, plan)
    if plan.budget is None:
        found.append("No budget is stated (params/_portfolio.yaml): money limits nothing here.")
    return found
