"""A first view: which inputs are the package's own, and what to fill in next, ordered by what it is worth.

Inputs are the lines of the assumptions register that the verdict rests on: what the parameter file states and what the
package fills in. What is neither stated nor filled in is missing, and counted apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.analysis import Analysis, is_first_view
from roi.economics import Economics
from roi.gate import Gate
from roi.information import evppi
from roi.parameters import RegisterEntry, register
from roi.schema.reference import short_form
from roi.words import amount

__all__ = ["Wanted", "fill_in", "first_view", "inputs_of"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Something to fill in.

    Attributes:
        what: What it is, in words.
        state: "default" (the package's number stands there) or "missing".
        key: The key of the parameter file.
        under: The group that the example goes under; empty for a top-level key.
        example: A line to write there.
        worth: What knowing or having it is worth, in the pilot's currency; None where that cannot be computed.
        flips: Chance that knowing it would change the choice between stopping and rolling out.
        why: What the worth means, or why there is none.
        rank: 0 for what everything waits for, 1 for what has a worth, 2 for the rest.
        swing: Expected worth of scaling at half and at twice a default that is one number.
        shared: Whether the worth is that of all closed gates together.
        effort: 0 where a line in the file is all it takes, 1 for another export, 2 for more cases.
    """

    what: str
    state: str
    key: str
    under: str
    example: str
    why: str
    worth: float | None = None
    flips: float | None = None
    rank: int = 2
    swing: tuple[float, float] | None = None
    shared: bool = False
    effort: int = 0


def first_view(a: Analysis) -> dict[str, Any]:
    """What the record says of a first view."""
    entries = inputs_of(a)
    defaults = sum(entry.value.evidence == "default" for entry in entries)
    missing = len(_missing(a))
    found: dict[str, Any] = {
        "is": is_first_view(a.loaded.parameters),
        "inputs": len(entries),
        "defaults": defaults,
        "missing": missing,
        "fill_in": [],
    }
    if found["is"]:
        found["fill_in"] = [asdict(wanted) for wanted in fill_in(a)]
    return found


def inputs_of(a: Analysis) -> tuple[RegisterEntry, ...]:
    """The lines of the register that the verdict rests on: the bias of another design is none of them."""
    mine = f"economics.design_bias.{a.measured.design}"
    return tuple(
        entry
        for entry in register(a.loaded.parameters)
        if not entry.key.startswith("economics.design_bias.") or entry.key == mine
    )


def fill_in(a: Analysis) -> list[Wanted]:
    """What to fill in next, what is worth most first.

    What everything waits for comes first, then what has a worth (of equals what takes least), then the rest by how
    much it can move the worth.
    """
    missing = _missing(a)
    gates = [x for x in _gates(a) if x.key not in {m.key for m in missing if m.rank == 0}]
    found = {x.key: x for x in missing if x.key not in {g.key for g in gates}}
    for wanted in [*gates, *_defaults(a)]:
        same = found.get(wanted.key)
        # One line mends several gates where they read the same export.
        found[wanted.key] = wanted if same is None else replace(same, what=f"{same.what}; {wanted.what}")

    def order(wanted: Wanted) -> tuple[int, float, int, float, str]:
        width = 0.0 if wanted.swing is None else abs(wanted.swing[1] - wanted.swing[0])
        return wanted.rank, -(wanted.worth or 0.0), wanted.effort, -width, wanted.key

    return sorted(found.values(), key=order)


def _worths(a: Analysis) -> list[Floats]:
    """Worths of rolling out, gates granted: everything, or in some segments."""
    return [o.worth for o in (a.scale, *a.segments) if o is not None]


def _defaults(a: Analysis) -> Iterator[Wanted]:
    currency = a.loaded.parameters.about.currency
    worths = _worths(a)
    for entry in inputs_of(a):
        if entry.value.evidence != "default" or entry.key.startswith("economics.design_bias."):
            continue
        under, _, leaf = entry.key.rpartition(".")
        example = f"{leaf}: {_written(entry)}"
        common: dict[str, Any] = {"what": entry.label, "state": "default", "key": entry.key, "under": under}
        drawn = a.assumptions.get(entry.key)
        if not worths:
            why = "not computable: the worth of scaling is not known yet"
            yield Wanted(**common, example=example, why=why, rank=1 if isinstance(drawn, np.ndarray) else 2)
        elif isinstance(drawn, np.ndarray):
            known = evppi(worths, [drawn])
            worth, flips = known.value, known.flips
            shared = False
            why = f"the default is {entry.value.text}; to know it exactly would be worth {amount(worth, currency)}"
            if entry.key in _FIRST:
                granted = max(0.0, *(float(w.mean()) for w in worths))
                shared = granted > worth
                worth = max(worth, granted)
                why += (
                    "; while adoption and what becomes of saved time are both defaults, nothing may be scaled"
                )
            yield Wanted(**common, example=example, why=why, worth=worth, flips=flips, rank=1, shared=shared)
        else:
            swing = _swing(a, entry)
            why = f"not computable: the default is one number, {entry.value.text}, without a range"
            if swing is not None:
                low, high = (amount(x, currency) for x in swing)
                why += f"; at half and at twice of it scaling is worth {low} and {high}"
            yield Wanted(**common, example=example, why=why, swing=swing)


def _written(entry: RegisterEntry) -> str:
    """The default as a file writes it, to be put right."""
    form = short_form(entry.value.form, list(entry.value.numbers))
    if isinstance(form, dict):
        inside = ", ".join(f"{key}: {number:g}" for key, number in form.items())
        return f'{{{inside}, owner: "who says so"}}'
    return f"{form:g}"


_FIRST = ("economics.realisation.redeployed", "economics.adoption.ceiling")
_FIELDS = {
    "economics.discount_rate": "discount",
    "economics.adoption.ramp_months": "ramp",
    "economics.contingency": "contingency",
    "economics.horizon_months": "horizon",
}


def _swing(a: Analysis, entry: RegisterEntry) -> tuple[float, float] | None:
    """Expected worth of scaling everything at half and at twice an input; None where that says nothing."""
    field = _FIELDS.get(entry.key)
    if field is None or a.scale is None or entry.value.mean == 0:
        return None
    ends = []
    for factor in (0.5, 2.0):
        value = entry.value.mean * factor
        given: dict[str, Any] = {field: round(value) if field == "horizon" else value}
        changed: Economics = replace(a.economics, **given)
        option = replace(a.valuer, economics=changed).roll_out()
        if option is None:
            return None
        ends.append(option.mean())
    return ends[0], ends[1]


def _missing(a: Analysis) -> list[Wanted]:
    """What is neither stated nor filled in, and no gate asks for."""
    p, e = a.loaded.parameters, a.economics
    unknown = a.verdict.unknown
    found: list[Wanted] = []

    def add(what: str, key: str, example: str, why: str, **more: Any) -> None:
        under = key.rpartition(".")[0]
        found.append(
            Wanted(what=what, state="missing", key=key, under=under, example=example, why=why, **more)
        )

    first = "no worth can be computed without it"
    if e.cases_per_month is None:
        line = 'cases_per_month: {low: 1800, high: 2400, source: "ledger"}'
        add("Cases per month", "demand.cases_per_month", line, first, rank=0)
    if e.labour is None:
        line = 'labour_cost_per_hour: {low: 38, high: 46, source: "payroll"}'
        add("Labour cost per hour", "economics.labour_cost_per_hour", line, first, rank=0)
    if unknown is not None and unknown.measure is not None and unknown.measure.n:
        why = f"{unknown.why[:1].lower()}{unknown.why[1:]}"
        if unknown.upside is not None and unknown.upside > 0:
            why += (
                f"; {unknown.upside_means}, scaling would be worth {amount(unknown.upside, p.about.currency)}"
            )
        line = 'baseline: {handling_minutes: {low: 14, high: 22, source: "team lead"}}'
        add(f"{unknown.measure.what}, or state them", "samples.baseline", line, why, rank=0)
    if e.error_cost is None:
        line = "error_cost: {minor: 5, moderate: 60, major: 1200, critical: 25000}"
        add(
            "Cost of an error",
            "economics.error_cost",
            line,
            "not computable: errors count as nothing until then",
        )
    flatters = (
        "not computable: what is not stated counts as nothing, which flatters every option but stopping"
    )
    if not any(line.per == "once" for line in e.lines):
        add("Roll-out cost", "economics.rollout_cost", "rollout_cost: {low: 20000, high: 35000}", flatters)
    if not any(line.per in ("month", "seat_month", "year") for line in e.lines):
        add("Running cost", "economics.run_cost_per_month", "run_cost_per_month: 1500", flatters)
    if p.economics.pilot_cost_per_month is None:
        line = "pilot_cost_per_month: 2000"
        add("Cost of the pilot as it runs", "economics.pilot_cost_per_month", line, flatters)
    _add_credit(a, add)
    if all(price is None for price in (a.prices.per_case, a.prices.per_label, a.prices.per_baseline_case)):
        waits = unknown is not None and unknown.measure is not None and unknown.measure.price is None
        most = None if a.waiting is None else max(a.waiting.mean(), 0.0)
        why = (
            "the price of timing one case is asked for"
            if waits
            else "without it no measurement can be priced"
        )
        if most:
            why += "; the most that measuring may cost"
        line = "measurement: {per_case: 12, per_baseline_case: 15, setup: 1500, cases_per_week: 80}"
        add(
            "What measuring costs",
            "measurement",
            line,
            why,
            worth=most,
            rank=0 if waits else 1 if most else 2,
            effort=1,
        )
    return found


def _add_credit(a: Analysis, add: Any) -> None:
    """What it would be worth to be allowed to count fewer errors as a gain."""
    if a.scale is None or a.economics.error_credit or a.economics.error_cost is None:
        return
    if not all(n > 0 for n in a.measured.rates.labelled):
        return
    if a.loaded.parameters.samples.labels.selection != "unknown":
        return  # what is lacking are labels or their chances, which a warning says; a statement would not mend it
    credited = replace(a.valuer, economics=replace(a.economics, error_credit=True)).roll_out()
    if credited is None:
        return
    gain = max(credited.mean(), 0.0) - max(a.scale.mean(), 0.0)
    why = (
        "until it is known which cases people labelled, fewer errors earn nothing; what that credit is worth"
    )
    add(
        "Which cases were labelled", "samples.labels", "labels: {selection: all}", why, worth=max(gain, 0.0), rank=1
    )  # fmt: skip


_EXAMPLES = {
    "complete_minutes": ("samples.cases.columns", "handling_minutes: {from: their column, blank: missing}"),
    "measured_baseline": ("samples", "cases: data/cases.csv   # with cases of both arms, baseline and pilot"),
    "covered_demand": ("demand", "mix: {first kind: 0.6, second kind: 0.4}"),
    "usable_inputs": ("samples.cases.columns", "input_defects: their column"),
    "known_cost": ("samples.cases.columns", "agent_cost: their column"),
    "severe_errors": ("samples.cases.columns", "severity: their column"),
    "design": ("samples", "assignment: randomised"),
    "bounded_access": ("samples", "access: data/access.csv"),
    "human_approval": ("samples", "actions: data/actions.csv"),
    "audit_trail": ("samples", "actions: data/actions.csv"),
    "evaluation": ("samples", "evals: data/evals.csv"),
    "rollback": ("samples", "incidents: data/incidents.csv"),
}


def _gates(a: Analysis) -> Iterator[Wanted]:
    closed = [gate for gate in a.gates[None] if gate.state in ("missing_evidence", "not_shown")]
    best = max((float(worth.mean()) for worth in _worths(a)), default=None)
    for gate in closed:
        under, example, effort = _example(a, gate)
        leaf = example.partition(":")[0]
        worth = None if best is None else max(best, 0.0)
        flips = None
        if gate.gate == "design" and best is not None and a.measured.bias_sd > 0:
            known = evppi(_worths(a), list(a.measured.bias))
            worth, flips = known.value, known.flips
            why = "how far this kind of comparison may be off; cases assigned at random would tell"
        else:
            why = _of_gate(gate, len(closed) - 1, worth)
        yield Wanted(
            what=gate.label,
            state="missing",
            key=f"{under}.{leaf}" if leaf else under,
            under=under,
            example=example or f"# {gate.mend}",
            why=why,
            worth=worth,
            flips=flips,
            rank=1,
            shared=flips is None and bool(worth) and len(closed) > 1,
            effort=effort,
        )


def _example(a: Analysis, gate: Gate) -> tuple[str, str, int]:
    """The group, a line to write there, and how much it takes."""
    if gate.gate == "known_cost" and a.measured.unpriced:
        return "economics", f"fx: {{{a.measured.unpriced[0]}: {{low: 0.8, high: 1.0}}}}", 0
    if gate.gate == "known_cost" and a.economics.error_cost is None and a.measured.agent_cost is not None:
        return "economics", "error_cost: {minor: 5, moderate: 60, major: 1200, critical: 25000}", 0
    if gate.gate == "severe_errors" and gate.more_cases and a.measured.rates.labelled[1] > 0:
        return (
            "samples",
            f"cases: data/cases.csv   # with {gate.more_cases:,} more labelled cases of the pilot",
            2,
        )
    under, example = _EXAMPLES.get(gate.gate, ("samples", ""))
    return under, example, 0 if gate.free else 2 if gate.more_cases else 1


def _of_gate(gate: Gate, others: int, worth: float | None) -> str:
    mend = gate.mend or gate.evidence
    if worth is None:
        return f"{mend}; not computable: the worth of scaling is not known yet"
    if not worth:
        return f"{mend}; nothing may be scaled without it, but scaling is worth nothing as it stands"
    if others == 0:
        return f"{mend}; nothing may be scaled without it"
    rest = "the other gate that is" if others == 1 else f"the {others} other gates that are"
    return f"{mend}; nothing may be scaled without it, and this is what it is worth with {rest} closed"
