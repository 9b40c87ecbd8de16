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

from roi.analysis import Analysis
from roi.conditional import curves
from roi.information import evpi, evppi_of_groups
from roi.measures import Measure, cost_of, length_of, more_baseline, more_cases, more_labels
from roi.options import Option
from roi.prospects import Document, Prospect
from roi.quantities import GROUPS, Quantity, quantities, taken_as_known
from roi.words import amount, and_list, shorten

__all__ = ["Sample", "choices", "is_open", "knowing_of_record", "samples_of"]

Floats = npt.NDArray[np.float64]

MOST_DOCUMENTS = 6  # inputs of which a document is valued: those that explain most of the worth
LEAST_EXPLAINED = 0.005  # share of the variance below which a document is not looked at
KINDS = ("cases", "labels", "baseline", "document")
DOING = {
    "Sample": "Sampling",
    "Label": "Labelling",
    "Time": "Timing",
    "Record": "Recording",
    "Log": "Logging",
    "State": "Stating",
    "Assign": "Assigning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A further sample of one size, or a document, and what it is worth.

    Attributes:
        kind: "cases", "labels", "baseline" or "document".
        what: What to do, in words.
        key: The input that a document is for; None for samples.
        n: Cases; None for a document.
        months: How long it takes.
        evsi: What it is worth under the rule before its price and delay; below 0 where it would only make the rule
            more cautious.
        waiting: What its delay costs: benefit forgone and the pilot's cost.
        price: With the set-up; None where nobody states it.
        net: evsi - waiting - price; None without a price.
        most: The most that it may cost: evsi - waiting, at least 0.
        chosen: Whether the verdict's own plan asks for it.
    """

    kind: str
    what: str
    key: str | None
    n: int | None
    months: float
    evsi: float
    waiting: float
    price: float | None
    net: float | None
    most: float
    chosen: bool


def is_open(a: Analysis, option: Option) -> bool:
    """Whether every gate of a roll-out holds."""
    key = option.scope.segments if option.kind == "scale_segments" and option.scope is not None else None
    return all(g.holds for g in a.gates[key])


def choices(a: Analysis) -> list[tuple[str, tuple[str, ...] | None, Floats]]:
    """What can be chosen beside stopping now: each with its name, its segments (None: all) and its worth.

    Roll-outs whose gates are open; and fixes, gates mended at their price. A fix that waits for a price is one only
    where the verdict rests on it, had for nothing. Samples that only make the worth surer are left out of a fix:
    whoever knows needs none.
    """
    found: list[tuple[str, tuple[str, ...] | None, Floats]] = []
    for option in (a.scale, *a.segments):
        if option is not None and is_open(a, option):
            assert option.scope is not None
            segments = option.scope.segments if option.kind == "scale_segments" else None
            found.append((option.label, segments, option.worth))
    waiting = [a.waiting] if a.waiting is not None and a.waiting is a.verdict.plan else []
    for plan in (*a.every_plan, *waiting):
        gated = [m for m in plan.measures if m.gate != "value"]
        if plan.remedies or gated or plan.unpriced:
            found.append((plan.option.label, plan.prospect.segments, plan.prospect.known(plan.measures)))
    return found


def _inputs(a: Analysis, options: Sequence[tuple[str, tuple[str, ...] | None, Floats]]) -> dict[str, Any]:
    """What knowing inputs is worth: all, each and by evidence."""
    worths = [worth for *_, worth in options]
    scopes = list(dict.fromkeys([None, *(segments for _, segments, _ in options)]))
    found = quantities(a, scopes)
    flat = [x for q in found for x in q.signals]
    places, start = [], 0
    for q in found:
        places.append(list(range(start, start + len(q.signals))))
        start += len(q.signals)
    together = [
        [i for q, own in zip(found, places, strict=True) if q.group == name for i in own] for name in GROUPS
    ]
    _, known = evppi_of_groups(worths, flat, [*places, *together])
    rows = [
        {
            "key": q.key,
            "label": q.label,
            "group": q.group,
            "stated": q.stated,
            "value": k.value,
            "flips": k.flips,
            "explained": k.explained,
        }
        for q, k in zip(found, known, strict=False)
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
    rows.sort(key=lambda r: (-float(r["value"]), -float(r["explained"]), str(r["key"])))
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


def _start(a: Analysis) -> _Start | None:
    v = a.verdict
    if v.verdict == "scale" and v.option is not None:
        assert v.option.scope is not None
        segments = v.option.scope.segments if v.option.kind == "scale_segments" else None
        prospect = Prospect(
            valuer=a.valuer,
            segments=segments,
            remedies=(),
            mended=np.ones(a.measured.draws),
            prices=a.prices,
            policy=a.loaded.policy.model_copy(update={"scale_probability": a.scale_needs}),
            seed=a.loaded.parameters.run.seed,
        )
        return _Start(prospect=prospect, measures=(), allowed=v.option.mean(), label=v.option.label)
    if a.scale is None:
        return None
    if v.plan is not None:
        now = 0.0 if v.plan.measures or v.plan.waits else v.plan.mean()
        label = v.plan.option.label
        return _Start(
            prospect=v.plan.prospect, measures=v.plan.measures, allowed=max(now, 0.0), label=label
        )
    plan = max(a.plans, key=lambda p: p.mean(), default=None) or a.waiting
    if plan is None:
        return None
    # Nothing is advised, so nothing but the gates asks for a measurement.
    gated = tuple(m for m in plan.measures if m.gate != "value")
    return _Start(prospect=plan.prospect, measures=gated, allowed=0.0, label=plan.option.label)


def _kind(measure: Measure) -> str | None:
    return {"value": "cases", "severe_errors": "labels", "measured_baseline": "baseline"}.get(measure.gate)


def samples_of(a: Analysis) -> list[Sample]:
    """Further samples of several sizes and documents for inputs that are assumed, each with its worth under the rule."""
    start = _start(a)
    if start is None:
        return []
    prospect, prices = start.prospect, a.prices
    as_it_is = _worth(start, start.measures)
    own = {kind: m for m in start.measures if (kind := _kind(m)) is not None}
    around = {kind: m.n for kind, m in own.items()}
    found = []
    where = prospect.segments, a.valuer, prices
    grids = {
        "cases": more_cases(*where),
        "labels": more_labels(*where, around=around.get("labels")),
        "baseline": more_baseline(*where, around=around.get("baseline")),
    }
    for kind, grid in grids.items():
        # What a plan waits for is worth the plan; what it does not ask for, what it adds to it.
        kept = [m for m in start.measures if _kind(m) != kind]
        without = max(start.allowed, 0.0 if kind in own else as_it_is, 0.0)
        for tried in grid:
            chosen = kind in own and own[kind].n == tried.n
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
    return Sample(
        kind=kind,
        what=measure.what,
        key=None,
        n=measure.n,
        months=max(length_of(together) - length_of(kept), 0.0),
        evsi=gross - without,
        waiting=waiting,
        price=None if measure.price is None else paid,
        net=None if measure.price is None else after - without,
        most=max(gross - waiting - without, 0.0),
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
    explained = curves(prospect.option.worth[None], [q.signals[0] for q in assumed]).explained[0]
    order = sorted(range(len(assumed)), key=lambda i: (-explained[i], i))
    found = []
    for i in order[:MOST_DOCUMENTS]:
        quantity = assumed[i]
        if explained[i] < LEAST_EXPLAINED or len(quantity.signals) != 1:
            continue
        document = Document(
            key=quantity.key, drawn=quantity.signals[0], removes=prices.document_removes, price=None
        )
        gross = prospect.before(start.measures, document=document)
        price = prices.per_document
        after = (
            None
            if price is None
            else prospect.before(start.measures, document=replace(document, price=price))
        )
        found.append(
            Sample(
                kind="document",
                what=f"A document for: {quantity.label}",
                key=quantity.key,
                n=None,
                months=0.0,
                evsi=gross - without,
                waiting=0.0,
                price=price,
                net=None if after is None else after - without,
                most=max(gross - without, 0.0),
                chosen=False,
            )
        )
    return found


def knowing_of_record(a: Analysis) -> dict[str, Any]:
    """What the record says of knowing more: plain values, sums of money in the pilot's currency.

    Returns:
        `evpi`; `inputs` and `groups`, each row with `value` (what knowing it exactly is worth), `flips` and
        `explained`; `samples`, one row a size or document; `document`, what one is taken to tell; `step`, the
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
        "choices": [label for label, *_ in options],
        "about": None if start is None else start.label,
        "allowed_now": None if start is None else start.allowed,
        "samples": [asdict(s) for s in samples],
        "document": {"removes": a.prices.document_removes, "stated": a.prices.document_stated},
        "step": step,
        "sentence": sentence(a, step),
    }


def next_step(a: Analysis, samples: Sequence[Sample]) -> dict[str, Any] | None:
    """The measurement that the verdict asks for; else the cheapest that would be worth its price, at its best size.

    Returns:
        `what`, `n`, `price`, `worth` (before its price, its delay counted), `net`, `months`, `asked_for`; None where
        no measurement is worth its price.
    """
    v, plan = a.verdict, a.verdict.plan
    if v.unknown is not None:
        m = v.unknown.measure
        if v.verdict != "fix" or m is None:
            return None
        # Its price is the one among the next actions; what it would tell is worth nothing that can be worked out.
        return _step(m.what, m.n or None, m.price, None, m.months, asked=True)
    wanted = () if plan is None else tuple(m for m in plan.measures if m.n)
    if plan is not None and v.verdict == "fix" and wanted:
        unpriced = any(m.price is None for m in wanted)
        cost = cost_of(wanted, a.prices)
        what = " and ".join(m.what if i == 0 else lower(m.what) for i, m in enumerate(wanted))
        n = wanted[0].n if len(wanted) == 1 else None
        price = None if unpriced else cost
        return _step(what, n, price, plan.mean() + cost, length_of(wanted), asked=True)
    best: dict[str, Sample] = {}
    for s in samples:
        of = s.key or s.kind
        if s.net is not None and s.net > _too_little(a) and (of not in best or s.net > (best[of].net or 0.0)):
            best[of] = s
    if best:
        s = min(best.values(), key=lambda s: (s.price or 0.0, -(s.net or 0.0)))
        return _step(s.what, s.n, s.price, s.net + s.price, s.months, asked=False)
    open_ = [s for s in samples if s.price is None and s.most > _too_little(a)]
    if open_:
        s = max(open_, key=lambda s: s.most)
        return _step(s.what, s.n, None, s.most, s.months, asked=False)
    return None


def _step(
    what: str, n: int | None, price: float | None, worth: float | None, months: float, *, asked: bool
) -> dict[str, Any]:
    return {
        "what": what,
        "n": n,
        "price": price,
        "worth": worth,
        "net": None if price is None or worth is None else worth - price,
        "months": months,
        "asked_for": asked,
    }


def _too_little(a: Analysis) -> float:
    """What is worth less than an hour of labour is not worth asking for."""
    return 0.0 if a.economics.labour is None else float(np.mean(a.economics.labour))
