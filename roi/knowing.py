"""What knowing more is worth for a pilot: everything, each input, and each further sample at its price.

Inputs are valued for whoever takes the option of the highest mean, over stopping now, roll-outs whose gates are open
and fixes. Samples are valued under the rule (`roi/prospects.py`): what the rule makes of the roll-out that is put
forward after the sample, minus what is allowed without it, its price and its delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.advice import plan_name
from roi.analysis import Analysis
from roi.information import evpi, evppi_of_groups
from roi.measured import Scope
from roi.measures import Measure, cost_of, length_of, more_baseline, more_cases, more_labels
from roi.next_step import Sample, next_step, sentence
from roi.options import Option
from roi.plans import Plan
from roi.prospects import Document, Prospect
from roi.quantities import GROUPS, quantities, taken_as_known
from roi.words import and_list, shorten

__all__ = ["Choice", "choices", "is_open", "knowing_of_record", "samples_of"]

Floats = npt.NDArray[np.float64]

NOTHING_OPEN = "no roll-out has every gate open, and no fix at a price opens them: there is nothing to choose"
MOST_DOCUMENTS = 6  # inputs of which a document is valued: those that explain most of the worth
LEAST_EXPLAINED = 0.005  # share of the variance below which a document is not looked at


def is_open(a: Analysis, option: Option) -> bool:
    """Whether every gate of a roll-out holds."""
    key = option.scope.segments if option.kind == "scale_segments" and option.scope is not None else None
    return all(g.holds for g in a.gates[key])


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something that can be chosen beside stopping now.

    Attributes:
        label: Its name.
        scope: What it is about.
        worth: Its worth, shape (n_draws,).
    """

    label: str
    scope: Scope
    worth: Floats


def choices(a: Analysis) -> list[Choice]:
    """What can be chosen beside stopping now: roll-outs whose gates are open, and fixes, gates mended at their price.

    A fix that waits for a price is one only where the verdict rests on it, had for nothing. Samples that only make the
    worth surer are left out of a fix: whoever knows needs none.
    """
    found = [
        Choice(label=o.label, scope=o.scope, worth=o.worth)
        for o in (a.scale, *a.segments)
        if o is not None and o.scope is not None and is_open(a, o)
    ]
    waiting = [a.waiting] if a.waiting is not None and a.waiting is a.verdict.plan else []
    for plan in (*a.every_plan, *waiting):
        gated = [m for m in plan.measures if m.gate != "value"]
        if plan.option.scope is not None and (plan.remedies or gated or plan.unpriced):
            worth = plan.prospect.known(plan.measures)
            found.append(Choice(label=_label(plan), scope=plan.option.scope, worth=worth))
    return found


def _label(plan: Plan) -> str:
    bought = [shorten(r.name, 60) for r in plan.remedies]
    return f"{plan_name(plan)}{': ' if bought else ''}{and_list(bought)}"


def _inputs(a: Analysis, options: Sequence[Choice]) -> dict[str, Any]:
    """What knowing inputs is worth: all, each and by evidence."""
    worths = [option.worth for option in options]
    scopes = {option.scope.segments: option.scope for option in options}
    found = quantities(a, list(scopes.values()))
    flat = [x for q in found for x in q.signals]
    places, start = [], 0
    for q in found:
        places.append(list(range(start, start + len(q.signals))))
        start += len(q.signals)
    together = [
        [i for q, own in zip(found, places, strict=True) if q.group == name for i in own] for name in GROUPS
    ]
    # Stated inputs have a random stream each, and nothing that was measured is among them.
    apart = [q.stated and len(q.signals) == 1 for q in found for _ in q.signals]
    _, known = evppi_of_groups(worths, flat, [*places, *together], apart=apart)
    each = zip(found, known[: len(found)], strict=True)
    rows = [
        {
            "key": q.key,
            "label": shorten(q.label, 120),
            "group": q.group,
            "stated": q.stated,
            "value": k.value,
            "flips": k.flips,
            "explained": k.explained,
        }
        for q, k in sorted(each, key=lambda x: (-x[1].value, -x[1].explained, x[0].key))
    ]
    groups = [
        {
            "group": name,
            "inputs": sum(q.group == name for q in found),
            "value": k.value,
            "flips": k.flips,
            "explained": k.explained,
        }
        for name, k in zip(GROUPS, known[len(found) :], strict=True)
        if any(q.group == name for q in found)
    ]
    return {
        "evpi": evpi(worths),
        "inputs": rows,
        "groups": groups,
        "taken_as_known": taken_as_known(a),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Where samples start from: the roll-out that is put forward, what it waits for, and what is allowed now."""

    prospect: Prospect
    measures: tuple[Measure, ...]
    allowed: float
    label: str
    advised: bool


def _start(a: Analysis) -> _Start | None:
    v = a.verdict
    if v.verdict == "scale" and v.option is not None:
        return _as_it_stands(a, v.option, advised=True)
    if a.scale is None:
        return None
    if v.plan is not None:
        now = 0.0 if v.plan.measures or v.plan.waits else v.plan.mean()
        return _Start(
            prospect=v.plan.prospect,
            measures=v.plan.measures,
            allowed=max(now, 0.0),
            label=_label(v.plan),
            advised=True,
        )
    plan = max(a.plans, key=lambda p: p.mean(), default=None) or a.waiting
    best = max((o for o in (a.scale, *a.segments) if is_open(a, o)), key=lambda o: o.mean(), default=None)
    if best is not None and (plan is None or best.mean() >= plan.mean()):
        return _as_it_stands(a, best, advised=False)
    if plan is None:
        return None
    # Nothing is advised, so nothing but the gates asks for a measurement.
    gated = tuple(m for m in plan.measures if m.gate != "value")
    return _Start(prospect=plan.prospect, measures=gated, allowed=0.0, label=_label(plan), advised=False)


def _as_it_stands(a: Analysis, option: Option, *, advised: bool) -> _Start:
    """A roll-out whose gates are open."""
    segments = option.scope.segments if option.kind == "scale_segments" and option.scope is not None else None
    prospect = Prospect(
        valuer=a.valuer,
        segments=segments,
        remedies=(),
        mended=np.ones(a.measured.draws),
        prices=a.prices,
        policy=a.loaded.policy.model_copy(update={"scale_probability": a.scale_needs}),
        seed=a.loaded.parameters.run.seed,
    )
    allowed = option.mean() if advised else 0.0
    return _Start(prospect=prospect, measures=(), allowed=allowed, label=option.label, advised=advised)


def _kind(measure: Measure) -> str | None:
    return {"value": "cases", "severe_errors": "labels", "measured_baseline": "baseline"}.get(measure.gate)


def samples_of(a: Analysis) -> list[Sample]:
    """Further samples of several sizes, and documents for assumed inputs, each with its worth under the rule."""
    start = _start(a)
    if start is None:
        return []
    prospect, prices = start.prospect, a.prices
    as_it_is = _worth(start, start.measures)
    own = {kind: m for m in start.measures if (kind := _kind(m)) is not None}
    around = {kind: m.n for kind, m in own.items()}
    found = []
    where = prospect.segments, a.valuer, prices
    # A plan that labels for a gate is valued for that gate alone, and so are other sizes of the same.
    teach = not (start.advised and "labels" in own)
    grids = {
        "cases": more_cases(*where),
        "labels": more_labels(*where, around=around.get("labels"), teach=teach),
        "baseline": more_baseline(*where, around=around.get("baseline")),
    }
    for m in start.measures:
        if _kind(m) is None and m.n:
            grids[m.gate], own[m.gate] = [m], m
    for kind, grid in grids.items():
        # What a plan waits for is worth the plan; what it does not ask for, what it adds to it.
        kept = [m for m in start.measures if m is not own.get(kind)]
        without = max(start.allowed, 0.0 if kind in own else as_it_is, 0.0)
        for tried in grid:
            chosen = start.advised and kind in own and own[kind].n == tried.n
            measure = own[kind] if chosen else tried
            found.append(_valued(start, kind, kept, measure, without, chosen))
    found += _documents(a, start, max(start.allowed, as_it_is, 0.0))
    return found


def _valued(
    start: _Start, kind: str, kept: Sequence[Measure], measure: Measure, without: float, chosen: bool
) -> Sample:
    prices = start.prospect.prices
    together = (*kept, measure)
    after = _worth(start, together)
    gross = _worth(start, together, paid=kept)
    paid = cost_of(together, prices) - cost_of(kept, prices)
    waiting = gross - after - paid
    # Where nothing is advised, one may still stop, and what its gates take is paid for only if one does not.
    evsi = gross - without if start.advised else max(gross - without, 0.0)
    return Sample(
        kind=kind,
        what=measure.what,
        key=None,
        n=measure.n,
        months=max(length_of(together) - length_of(kept), 0.0),
        evsi=evsi,
        waiting=waiting,
        price=None if measure.price is None else paid,
        net=None if measure.price is None else evsi - waiting - paid,
        most=max(evsi - waiting, 0.0),
        chosen=chosen,
    )


def _worth(start: _Start, measures: Sequence[Measure], *, paid: Sequence[Measure] | None = None) -> float:
    """Expected worth after some measurements: of a plan that has some as the plan has them, after its remedies."""
    if start.measures and start.prospect.remedies:
        return start.prospect.after(measures, paid=paid).mean()
    return start.prospect.before(measures, paid=paid)


def _documents(a: Analysis, start: _Start, without: float) -> list[Sample]:
    """A document for each input that nobody has looked up, where the input matters to the roll-out at all."""
    prospect, prices = start.prospect, a.prices
    assumed = [q for q in quantities(a, ()) if q.stated and q.group in ("assumed", "default")]
    if not assumed or prospect.option is None:
        return []
    explained = [_correlation(prospect.option.worth, q.signals[0]) ** 2 for q in assumed]
    order = sorted(range(len(assumed)), key=lambda i: (-explained[i], i))
    found = []
    for i in order[:MOST_DOCUMENTS]:
        quantity = assumed[i]
        if explained[i] < LEAST_EXPLAINED or len(quantity.signals) != 1:
            continue
        document = Document(
            key=quantity.key, drawn=quantity.signals[0], removes=prices.document_removes, price=None
        )
        gross = prospect.before(start.measures, document=document) - without
        price = prices.per_document
        net = None
        if price is not None:
            net = prospect.before(start.measures, document=replace(document, price=price)) - without
        if not start.advised:
            gross, net = max(gross, 0.0), None if price is None else max(gross, 0.0) - price
        found.append(
            Sample(
                kind="document",
                what=f"A document for: {quantity.label}",
                key=quantity.key,
                n=None,
                months=0.0,
                evsi=gross,
                waiting=0.0,
                price=price,
                net=net,
                most=max(gross, 0.0),
                chosen=False,
            )
        )
    return found


def _correlation(x: Floats, y: Floats) -> float:
    x, y = x - x.mean(), y - y.mean()
    size = float((x * x).mean() * (y * y).mean())
    return float((x * y).mean()) / size**0.5 if size > 0 else 0.0


def knowing_of_record(a: Analysis) -> dict[str, Any]:
    """What the record says of knowing more: plain values, sums of money in the pilot's currency.

    Returns:
        `evpi` (None where no worth can be computed; 0 with its reason in `why` where there is nothing to choose); the
        `choices` it is about; `inputs` and `groups`, each row with `value` (what knowing it exactly is worth), `flips`
        and `explained`; `samples`, one row a size or document; `document`, what one is taken to tell; `step`, the
        measurement that the verdict asks for, or the cheapest that would be worth its price; and `sentence`.
    """
    options = choices(a)
    found: dict[str, Any] = (
        {"evpi": None, "inputs": [], "groups": [], "taken_as_known": taken_as_known(a)}
        if a.scale is None
        else {"evpi": 0.0, "inputs": [], "groups": [], "taken_as_known": taken_as_known(a)}
        if not options
        else _inputs(a, options)
    )
    samples = samples_of(a)
    step = next_step(a, samples)
    start = _start(a)
    return {
        **found,
        "why": "the worth of scaling is not known" if a.scale is None else None if options else NOTHING_OPEN,
        "choices": [shorten(option.label, 120) for option in options],
        "about": None if start is None else start.label,
        "allowed_now": None if start is None else start.allowed,
        "samples": [asdict(s) for s in samples],
        "document": {"removes": a.prices.document_removes, "stated": a.prices.document_stated},
        "step": None if step is None else asdict(step),
        "sentence": sentence(a, step, choice=bool(options)),
    }
