"""A sketch of the decision that a page can compute by itself: some draws of each plan's worth, as products of inputs.

With everything else as it was drawn, the worth of a draw is a sum of products of the few inputs that a reader may move,
worth = Σ c_S · Π_{i in S} t_i over their sets S, t_i how many times the drawn value an input is. The corners t = 0 or 1
tell the c_S; every other setting follows without another valuation. `at` computes what the script of the page computes.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from roi.analysis import Decided, is_first_view
from roi.levers import Lever, levers_of
from roi.measured_at import measured_at
from roi.options import Option
from roi.plan_at import PlanAt, plan_at
from roi.plans import Plan
from roi.sensitivity import is_straight
from roi.special import expit, logit
from roi.verdict import key_of

__all__ = ["KEPT", "MARGIN", "MOVED", "At", "at", "sketch_of"]

Floats = npt.NDArray[np.float64]
Form = Literal["times", "share", "odds"]

KEPT = 600
"""Draws that a page gets, even."""
MOVED = 3
"""Inputs that a page moves."""
MARGIN = 0.02
"""How near to a limit a chance may come before the sketch no longer tells on which side of it the decision falls."""
SURE = 0.03
"""The same of an expected worth, in parts of the range that holds 8 in 10 outcomes."""
NARROW, FIXES = 2, 2
"""Scopes and fixes that are looked at, the best of each."""
CASH, REDEPLOYED = "economics.realisation.cash", "economics.realisation.redeployed"
REALISED = (CASH, REDEPLOYED)
STEPS = 100
NOTHING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input that a reader moves.

    Attributes:
        keys: Its keys in the parameter file: both parts of the realisation move together.
        label: In words.
        unit: Its unit.
        evidence: Where it comes from.
        form: How its draws follow: "times" by a factor, "share" by a factor but no further than 1, "odds" by adding
            to the logarithm of their odds.
        base: Where it stands: of a share's interval half-way on its own scale, else its mean.
        drawn: Its draws, shape (n_draws,).
    """

    keys: tuple[str, ...]
    label: str
    unit: str
    evidence: str
    form: Form
    base: float
    drawn: Floats
    ends: tuple[float, float]

    @property
    def dial(self) -> tuple[float, float, float]:
        """The least and the most that it may be moved to, and the step: half to twice, and its own P5 to P95."""
        low, high = min(self.base / 2, self.ends[0]), max(self.base * 2, self.ends[1])
        if self.form != "times":
            low, high = max(low, 0.01), min(high, 0.99)
        rough = (high - low) / STEPS
        size = 10.0 ** math.floor(math.log10(rough))
        step = size * next(m for m in (1, 2, 5, 10) if m * size >= rough * (1 - 1e-9))
        below, above = (math.floor(x / step + 1e-9) for x in (self.base - low, high - self.base))
        return self.base - below * step, self.base + above * step, step


@dataclass(frozen=True, slots=True)
class At:
    """What the sketch says at a setting.

    Attributes:
        verdict: kill, fix or scale; None where it cannot tell.
        worth: Expected worth of each plan, in their order.
        chance: Chance that each exceeds the hurdle.
        low: 10th percentile of each.
        high: 90th percentile of each.
    """

    verdict: str | None
    worth: tuple[float, ...]
    chance: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def sketch_of(a: Decided, sensitivity: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a page needs to sketch the decision at other inputs.

    Args:
        a: The decision.
        sensitivity: That of its record, whose tornado says which inputs matter most.

    Returns:
        Plain JSON values: `currency`, `verdict`, `needs` and `stops` (the chances that scale needs and at which it is
        a kill), `hurdle`, `margin`, `sure`, `draws`, `may_scale` (a first view may not), `inputs` and `plans`; None
        where the worth is not known, or no stated input that matters enters it in products.
    """
    put = plan_at(a)
    inputs = () if put is None or sensitivity is None else _inputs(put, sensitivity)
    if put is None or not inputs:
        return None
    plans = _plans(a, put)
    found = [_terms(plan, inputs) for _, _, plan in plans]
    kept = _kept(sum(found[0].values(), np.zeros(put.draws)))
    return {
        "currency": a.loaded.parameters.about.currency,
        "verdict": a.verdict.verdict,
        "needs": a.scale_needs,
        "stops": a.loaded.policy.kill_probability,
        "hurdle": a.loaded.policy.hurdle,
        "margin": MARGIN,
        "sure": SURE,
        "draws": int(kept.size),
        "may_scale": not is_first_view(a.loaded.parameters) and not a.moments.sourced,
        "inputs": [_input(x, kept) for x in inputs],
        "plans": [_plan(a, *named, terms, kept) for named, terms in zip(plans, found, strict=True)],
    }


def _inputs(put: PlanAt, sensitivity: Mapping[str, Any]) -> tuple[Input, ...]:
    """The stated inputs that move the worth most, of those that enter it as products."""
    swing: dict[tuple[str, ...], float] = {}
    levers = {lever.key: lever for lever in levers_of(put) if lever.stated is not None and lever.varies}
    for bar in sensitivity["tornado"]:
        key = str(bar["key"])
        if key in levers and (key in REALISED or is_straight(put, key)):
            keys = tuple(k for k in REALISED if k in levers) if key in REALISED else (key,)
            swing[keys] = swing.get(keys, 0.0) + abs(bar["worth_high"] - bar["worth_low"])
    strongest = sorted(swing, key=lambda keys: (-swing[keys], keys))[:MOVED]
    return tuple(x for keys in strongest if (x := _moved(put, [levers[key] for key in keys])) is not None)


def _moved(put: PlanAt, levers: Sequence[Lever]) -> Input | None:
    first = levers[0]
    stated = [lever.stated for lever in levers]
    assert all(value is not None for value in stated)
    value = first.stated
    assert value is not None
    drawn = np.zeros(put.draws)
    for lever in levers:
        drawn = drawn + lever.values
    form: Form = "times"
    base = sum(lever.mean for lever in levers)
    ends = (sum(lever.ends[0] for lever in levers), sum(lever.ends[1] for lever in levers))
    if value.family == "share":
        form, drawn = "share", np.clip(drawn, 0.0, 1.0)
        if value.form == "interval":
            form, base = "odds", float(expit(logit(np.array(value.numbers)).mean()))
    if not (base > 0 and bool((drawn > 0).all()) and value.form != "values"):
        return None  # what may be 0 or less cannot be moved by a factor
    both = len(levers) > 1
    return Input(
        keys=tuple(lever.key for lever in levers),
        label="Share of a saved hour that becomes cash or other work" if both else first.label,
        unit=first.unit,
        evidence=first.group if all(x.group == first.group for x in levers) else "assumed",
        form=form,
        base=base,
        drawn=drawn,
        ends=ends,
    )


def _plans(a: Decided, put: PlanAt) -> list[tuple[str, bool, PlanAt]]:
    """What the rule looks at: its name, whether its gates are open, and how it is valued; the roll-out of all first."""
    found: list[tuple[str, bool, PlanAt]] = []
    narrow = sorted(a.segments, key=lambda o: -o.mean())
    options: list[Option] = [*([a.scale] if a.scale is not None else []), *narrow]
    shown = {"scale": 0, "scale_segments": 0}
    for option in options:
        is_open = all(gate.holds for gate in a.gates[key_of(option)])
        if option.kind == "scale_segments" and not (is_open and shown[option.kind] < NARROW):
            continue
        shown[option.kind] += 1
        found.append((option.kind, is_open, _roll_out(put, option)))
    fixes: list[Plan] = [p for p in (a.verdict.plan, *a.plans, a.waiting) if p is not None]
    fixes += sorted(a.every_plan, key=lambda p: -p.mean())
    kept: list[Plan] = []
    for plan in fixes:
        if not any(plan is other or _same(plan, other) for other in kept):
            kept.append(plan)
    found += [("fix", False, at) for plan in kept[:FIXES] if (at := plan_at(a, plan)) is not None]
    return found


def _roll_out(put: PlanAt, option: Option) -> PlanAt:
    """A roll-out by itself."""
    a, segments = put.decided, key_of(option)
    assert option.scope is not None
    currency = a.loaded.parameters.about.currency
    measured = measured_at(a.measured, a.assumptions, option.scope, segments=segments, currency=currency)
    return replace(put, option=option, plan=None, segments=segments, measured=measured)


def _same(plan: Plan, other: Plan) -> bool:
    return plan.option.label == other.option.label and bool(np.array_equal(plan.worth, other.worth))


def _terms(plan: PlanAt, inputs: Sequence[Input]) -> dict[int, Floats]:
    """Each draw's worth as a sum of products: by set of inputs, a bit each, what it is multiplied with."""
    values = plan.decided.assumptions.values
    corners = {}
    for ons in product((0, 1), repeat=len(inputs)):
        changes = {
            key: np.multiply(values[key], 0.0)
            for on, x in zip(ons, inputs, strict=True)
            if not on
            for key in x.keys
        }
        bits = sum(on << i for i, on in enumerate(ons))
        corners[bits] = plan.worth_at(changes, undecided=True)
    found: dict[int, Floats] = {}
    for bits in sorted(corners):  # what a corner holds beyond its own corners
        inner = [found[b] for b in found if b & bits == b]
        found[bits] = corners[bits] - sum(inner, np.zeros(plan.draws))
    size = max(float(np.abs(x).max()) for x in corners.values())
    return {bits: x for bits, x in found.items() if float(np.abs(x).max()) > NOTHING * size}


def _kept(worth: Floats) -> npt.NDArray[np.int64]:
    """Draws that stand for all of them: every so manieth in the order of the worth, from the middle of its part."""
    few = min(KEPT, worth.size)
    places = ((np.arange(few) + 0.5) * worth.size / few).astype(np.int64)
    return np.argsort(worth, kind="stable")[places]


def _packed(values: Floats, mean: float) -> dict[str, Any]:
    """Numbers around a mean as 16-bit whole numbers, as text; the mean itself is exact."""
    off = values - values.mean()
    scale = float(np.abs(off).max()) / 32767
    if not scale > 0:
        return {"mean": mean, "scale": 0.0, "off": ""}
    whole = np.round(off / scale).astype("<i2")
    return {"mean": mean, "scale": scale, "off": base64.b64encode(whole.tobytes()).decode("ascii")}


def _input(x: Input, kept: npt.NDArray[np.int64]) -> dict[str, Any]:
    low, high, step = x.dial
    drawn = None if x.form == "times" else _packed(x.drawn[kept], float(x.drawn[kept].mean()))
    return {
        "keys": list(x.keys), "label": x.label, "unit": x.unit, "evidence": x.evidence, "form": x.form,
        "base": x.base, "low": low, "high": high, "step": step, "drawn": drawn,
    }  # fmt: skip


def _plan(
    a: Decided,
    name: str,
    is_open: bool,
    plan: PlanAt,
    terms: Mapping[int, Floats],
    kept: npt.NDArray[np.int64],
) -> dict[str, Any]:
    put = a.verdict.plan if name == "fix" else a.verdict.option
    every = sum(terms.values(), np.zeros(plan.draws))
    return {
        "name": name,
        "label": "Fix, then scale" if name == "fix" else plan.option.label,
        "open": is_open,
        "passes": 1.0 if plan.plan is None else float(np.mean(plan.passing > 0)),
        "put": put is not None and put is (plan.plan if name == "fix" else plan.option),
        "stated": dict(zip(("chance", "low", "high"), _summary(every, plan.hurdle), strict=True)),
        "terms": {str(bits): _packed(x[kept], float(x.mean())) for bits, x in terms.items()},
    }


def _summary(worth: Floats, hurdle: float) -> tuple[float, float, float]:
    """Chance to exceed the hurdle, and the values below which a tenth and nine tenths of the draws lie."""
    order, n = np.sort(worth), worth.size
    return float((order > hurdle).mean()), float(order[int(n * 0.1)]), float(order[int(n * 0.9)])


def _unpacked(found: Mapping[str, Any], n: int) -> Floats:
    if not found["off"]:
        return np.full(n, float(found["mean"]))
    off = np.frombuffer(base64.b64decode(found["off"]), dtype="<i2").astype(np.float64) * found["scale"]
    return np.asarray(off - off.mean() + float(found["mean"]), dtype=np.float64)


def at(sketch: Mapping[str, Any], values: Sequence[float]) -> At:
    """What the page shows at a setting.

    Args:
        sketch: As `sketch_of` makes it.
        values: Where each of its inputs stands.
    """
    n = int(sketch["draws"])
    times = [_times(x, value, n) for x, value in zip(sketch["inputs"], values, strict=True)]
    means, told = [], []
    for plan in sketch["plans"]:
        worth, base = np.zeros(n), np.zeros(n)
        for bits, found in plan["terms"].items():
            part = _unpacked(found, n)
            base = base + part
            for i, t in enumerate(times):
                part = part * t if int(bits) >> i & 1 else part
            worth = worth + part
        means.append(float(worth.mean()))
        # What few draws miss of all of them where nothing is moved, they are taken to miss elsewhere.
        now, then, stated = (
            _summary(worth, sketch["hurdle"]),
            _summary(base, sketch["hurdle"]),
            plan["stated"],
        )
        chance = min(max(now[0] + stated["chance"] - then[0], 0.0), 1.0)
        told.append((chance, now[1] + stated["low"] - then[1], now[2] + stated["high"] - then[2]))
    chances, low, high = zip(*told, strict=True)
    moved = any(abs(v - x["base"]) > x["step"] / 1000 for v, x in zip(values, sketch["inputs"], strict=True))
    verdict = _told(sketch, means, chances, low, high) if moved else str(sketch["verdict"])
    return At(verdict=verdict, worth=tuple(means), chance=chances, low=low, high=high)


def _times(x: Mapping[str, Any], value: float, n: int) -> Floats:
    """How many times what was drawn an input is."""
    if x["form"] == "times":
        return np.full(n, float(value / x["base"]))
    drawn = _unpacked(x["drawn"], n)
    if x["form"] == "share":
        return np.asarray(np.minimum(value / x["base"], 1 / drawn), dtype=np.float64)
    shift = math.log(value / (1 - value)) - math.log(x["base"] / (1 - x["base"]))
    return np.asarray(1 / (drawn + (1 - drawn) * math.exp(-shift)), dtype=np.float64)


def _told(
    sketch: Mapping[str, Any],
    means: Sequence[float],
    chances: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
) -> str | None:
    """The rule of `roi.verdict`, with gates and plans as they are; None where these decide it, or a limit is near."""
    needs, stops, margin, plans = sketch["needs"], sketch["stops"], sketch["margin"], sketch["plans"]
    each = range(len(plans))
    if sketch["may_scale"]:
        best = max((chances[i] for i in each if plans[i]["open"]), default=0.0)
        if best >= needs + margin:
            return "scale"
        if best > needs - margin:
            return None
    fixes = [i for i in each if plans[i]["name"] == "fix"]
    near = [sketch["sure"] * (high[i] - low[i]) for i in each]
    top = max(chances)
    # A fix that ends in a measurement is drawn as its roll-out; below the chance that scaling needs it may end instead.
    good = [i for i in fixes if means[i] > near[i] and chances[i] >= (needs + margin) * plans[i]["passes"]]
    if top > stops + margin and (good or not sketch["may_scale"]):
        return "fix"
    nothing = all(means[i] < -near[i] for i in fixes)
    # Without a plan that is worth anything it is a kill whatever the chances; a kill's own plans are all there are.
    if nothing and (top < stops - margin or (fixes and sketch["verdict"] == "kill")):
        return "kill"
    return None
