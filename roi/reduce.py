"""From rows to moments: the only pass over the cases, made in the engine that holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.aggregates import moments_of_report
from roi.demo_moments import take_demo
from roi.label_moments import judge_alone, take_judged
from roi.moments import (
    ALL,
    ARMS,
    COMPONENTS,
    MAX_UNITS,
    MIN_WORKERS,
    Covariate,
    Losses,
    Moments,
    Spread,
    fetch,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from roi.samples import Samples

__all__ = ["take_moments"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SEVERITIES = ("minor", "moderate", "major", "critical")


def take_moments(samples: Samples) -> Moments:
    """Reduce the cases to moments.

    Args:
        samples: The opened samples; its `cases` table is read, nothing else, or what a report gives in its place.

    Returns:
        Counts and sums by unit, arm and segment, and what the report needs to know about them.
    """
    import ibis

    if "aggregates" in samples.tables:
        return moments_of_report(samples)
    cases = judge_alone(samples, samples.tables["cases"])
    present = frozenset(cases.columns)
    components = [c for c in COMPONENTS if c in present]
    cases = cases.mutate(
        demo=(cases.setting == "demo") if "setting" in present else ibis.literal(False),
        segment_=cases.segment if "segment" in present else ibis.literal(ALL),
    )
    facts = _facts(samples, cases, components)
    has_judge = facts.judge > 0
    labels = "none" if facts.labelled == 0 else "human"
    if has_judge:
        labels = "judge" if facts.judge == facts.labelled else "mixed"

    cases = _with_minutes(cases, components, facts, zero_too=bool(samples.undeclared_blanks))
    unit, unit_kind, few = _unit(cases, present, facts)
    cases = cases.mutate(unit_=unit)
    outcome_counts = cases.outcome.notnull() if "outcome" in present else ibis.literal(False)
    if labels == "mixed":
        # A judge's word is not mixed with people's; checking one against the other comes later.
        outcome_counts = outcome_counts & (cases.label_source.fill_null("human") != "judge")

    cases = cases.mutate(counts_=outcome_counts)
    outcome_counts = cases.counts_

    statistics = [*components, "human_minutes"] if components else []
    values: dict[str, ir.Value] = {c: cases[c] for c in components}
    if components:
        values["human_minutes"] = cases.human_
    for currency in facts.currencies:
        name = f"agent_cost:{currency}"
        statistics.append(name)
        same = cases.cost_currency == currency if "cost_currency" in present else ibis.literal(True)
        zero = ibis.literal(0).cast("decimal(18,9)")
        values[name] = ibis.cases((cases.agent_cost.isnull(), None), (same, cases.agent_cost), else_=zero)

    aggregates: dict[str, Any] = {"n": ibis._.count()}
    for j, name in enumerate(statistics):
        aggregates[f"k{j}"] = values[name].count()
        aggregates[f"s{j}"] = values[name].sum().cast("float64")
        aggregates[f"q{j}"] = _product(values[name], values[name]).sum().cast("float64")
    predicted = "predicted_minutes" in present and bool(components)
    if predicted:
        x, y = cases.predicted_minutes, cases.human_
        known = x.notnull() & y.notnull()
        for name, value in {"x": x, "xx": _product(x, x), "y": y, "xy": _product(x, y)}.items():
            aggregates[f"cov_{name}"] = ibis.cases((known, value), else_=None).sum().cast("float64")
        aggregates["cov_k"] = known.sum()
    aggregates["labelled"] = outcome_counts.sum()
    for name in ("correct", "error", "escalated", "abandoned"):
        aggregates[name] = (
            (outcome_counts & (cases.outcome == name)).sum() if "outcome" in present else ibis.literal(0)
        )
    for name in SEVERITIES:
        known = "outcome" in present and "severity" in present
        hit = outcome_counts & (cases.outcome == "error") & (cases.severity == name) if known else None
        aggregates[f"severity_{name}"] = ibis.literal(0) if hit is None else hit.sum()
    aggregates["imputed"] = cases.imputed_.sum()
    if "zero_" in cases.columns:
        aggregates["zero_s"] = cases.zero_.sum().cast("float64")
        aggregates["zero_k"] = cases.zero_.count()
    defects = "input_defects" in present
    aggregates["inputs_known"] = cases.input_defects.count() if defects else ibis.literal(0)
    aggregates["inputs_clean"] = (cases.input_defects == 0).sum() if defects else ibis.literal(0)
    aggregates["cost_known"] = cases.agent_cost.count() if facts.currencies else ibis.literal(0)

    production = cases.filter(~cases.demo)
    keys = ["arm", "segment_", "unit_"]
    rows = fetch(samples, production.group_by(keys).aggregate(**aggregates).order_by(keys))
    names = [*keys, *aggregates]
    at = {name: i for i, name in enumerate(names)}

    def ints(*wanted: str) -> Ints:
        block = [[int(row[at[w]] or 0) for w in wanted] for row in rows]
        return np.array(block, dtype=np.int64).reshape(len(rows), len(wanted))

    def floats(*wanted: str) -> Floats:
        block = [[float(row[at[w]] or 0.0) for w in wanted] for row in rows]
        return np.array(block, dtype=np.float64).reshape(len(rows), len(wanted))

    segments = tuple(sorted({str(row[1]) for row in rows}))
    units = {name: i for i, name in enumerate(sorted({str(row[2]) for row in rows}))}
    k = [f"k{j}" for j in range(len(statistics))]
    s = [f"s{j}" for j in range(len(statistics))]
    q = [f"q{j}" for j in range(len(statistics))]
    return Moments(
        unit_kind=unit_kind,
        few_workers=few,
        workers=facts.workers,
        segments=segments,
        statistics=tuple(statistics),
        arm=np.array([ARMS.index(row[0]) for row in rows], dtype=np.int64),
        segment=np.array([segments.index(str(row[1])) for row in rows], dtype=np.int64),
        unit=np.array([units[str(row[2])] for row in rows], dtype=np.int64),
        n=ints("n")[:, 0],
        count=ints(*k),
        total=floats(*s),
        labelled=ints("labelled")[:, 0],
        outcome=ints("correct", "error", "escalated", "abandoned"),
        severity=ints(*(f"severity_{name}" for name in SEVERITIES)),
        imputed=ints("imputed")[:, 0],
        if_zero=floats("zero_s", "zero_k") if "zero_s" in at else None,
        inputs_known=ints("inputs_known")[:, 0],
        inputs_clean=ints("inputs_clean")[:, 0],
        cost_known=ints("cost_known")[:, 0],
        spread=_spread(samples, production) if components else {},
        losses=_losses(samples, production, outcome_counts, present) if facts.labelled else None,
        demo=_demo(samples, cases, present, bool(components)) if facts.has_demo else {},
        labels=labels,
        first=facts.first,
        last=facts.last,
        present=frozenset(samples.tables["cases"].columns),
        square=floats(*q),
        people=facts.all_workers if facts.workers is not None else None,
        covariate=Covariate(
            count=ints("cov_k")[:, 0],
            total=floats("cov_x")[:, 0],
            square=floats("cov_xx")[:, 0],
            minutes=floats("cov_y")[:, 0],
            cross=floats("cov_xy")[:, 0],
        )
        if predicted
        else None,
        judged=take_judged(samples, production, segments, units),
        demo_cells=take_demo(samples, cases, segments=segments, units=units, currencies=facts.currencies)
        if facts.has_demo
        else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    workers: Mapping[str, int] | None
    all_workers: int
    units: Mapping[str, int]
    recorded: Mapping[tuple[str, str], int]  # (arm, component) -> production cases that have it
    labelled: int
    judge: int
    currencies: tuple[str, ...]
    has_demo: bool
    first: dt.date | None
    last: dt.date | None


def _facts(samples: Samples, cases: ir.Table, components: Sequence[str]) -> _Facts:
    """What must be known about a sample before its sums can be written down; one query."""
    import ibis

    present = cases.columns
    aggregates: dict[str, Any] = {c: cases[c].count() for c in components}
    aggregates["labelled"] = cases.outcome.count() if "outcome" in present else ibis.literal(0)
    both = "outcome" in present and "label_source" in present
    judge = cases.outcome.notnull() & (cases.label_source == "judge") if both else None
    aggregates["judge"] = ibis.literal(0) if judge is None else judge.sum()
    for column in ("worker", "pair_id", "case_id"):
        known = column in present
        aggregates[f"units_{column}"] = cases[column].nunique() if known else ibis.literal(0)
        aggregates[f"named_{column}"] = cases[column].count() if known else ibis.literal(0)
    timed = "started_at" in present
    aggregates["first"] = cases.started_at.min().cast("date") if timed else ibis.null("date")
    last = "ended_at" if "ended_at" in present else "started_at"
    aggregates["last"] = cases[last].max().cast("date") if last in present else ibis.null("date")
    rows = fetch(
        samples,
        cases.group_by("demo", "arm").aggregate(n=cases.count(), **aggregates).order_by("demo", "arm"),
    )
    names = ["demo", "arm", "n", *aggregates]
    table = [dict(zip(names, row, strict=True)) for row in rows]
    live = [row for row in table if not row["demo"]]
    total = {}
    if "worker" in present:
        production = cases.filter(~cases.demo)
        total["worker"] = int(fetch(samples, production.aggregate(g=production.worker.nunique()))[0][0])
    currencies: tuple[str, ...] = ()
    if "agent_cost" in present:
        if "cost_currency" in present:
            found = cases.filter(cases.agent_cost.notnull()).select("cost_currency").distinct()
            currencies = tuple(sorted(str(row[0] or "") for row in fetch(samples, found)))
        else:
            currencies = ("",)
    days_first = [row["first"] for row in live if row["first"] is not None]
    days_last = [row["last"] for row in live if row["last"] is not None]
    return _Facts(
        workers={row["arm"]: int(row["units_worker"]) for row in live} if "worker" in present else None,
        all_workers=total.get("worker", 0),
        units={
            c: max((int(r[f"units_{c}"]) for r in live), default=0) for c in ("worker", "pair_id", "case_id")
        },
        recorded={(row["arm"], c): int(row[c]) for row in live for c in components},
        labelled=sum(int(row["labelled"]) for row in live),
        judge=sum(int(row["judge"] or 0) for row in live),
        currencies=currencies,
        has_demo=any(row["demo"] for row in table),
        first=min(days_first) if days_first else None,
        last=max(days_last) if days_last else None,
    )


def _with_minutes(cases: ir.Table, components: Sequence[str], facts: _Facts, *, zero_too: bool) -> ir.Table:
    """Add the human minutes of a case (None where a component is missing) and whether they are imputed."""
    import ibis

    nothing = ibis.literal(0).cast("decimal(18,6)")
    if not components:
        return cases.mutate(imputed_=ibis.literal(False), human_=ibis.null("decimal(18,6)"))
    parts: list[ir.Value] = []
    for name in components:
        # Without an agent there is nothing to review: a review column that no baseline case fills is 0 there.
        unfilled = name == "review_minutes" and facts.recorded.get(("baseline", name), 0) == 0
        part = cases[name]
        parts.append(
            ibis.cases((cases.arm == "baseline", part.fill_null(nothing)), else_=part) if unfilled else part
        )
    human = parts[0]
    for part in parts[1:]:
        human = human + part
    imputed: ir.Value = ibis.literal(False)
    if "outcome" in cases.columns and {"handling_minutes", "rework_minutes"} & set(components):
        taken_over = cases.outcome.isin(["escalated", "abandoned"]).fill_null(False)
        # Who takes a case over repairs it: where rework is recorded, that is where the takeover is logged.
        log = cases.rework_minutes if "rework_minutes" in components else cases.handling_minutes
        unlogged = log.isnull() | (log == 0)
        imputed = (cases.arm == "pilot") & taken_over & unlogged
        own = nothing
        for name in components:
            own = own + cases[name].fill_null(nothing)
        human = ibis.cases((imputed, own), else_=human)
    added = {"human_": human.cast("decimal(18,6)"), "imputed_": imputed}
    if zero_too:
        zero = nothing
        for name in components:
            zero = zero + cases[name].fill_null(nothing)
        added["zero_"] = ibis.cases((ibis.or_(*(cases[c].notnull() for c in components)), zero), else_=None)
    return cases.mutate(**added)


def _product(one: ir.Value, other: ir.Value) -> ir.Value:
    """Product with twelve places. One factor has a digit more, for the engine keeps 18 digits of two that have 18."""
    return one.cast("decimal(18,6)") * other.cast("decimal(19,6)")


def _unit(cases: ir.Table, present: frozenset[str], facts: _Facts) -> tuple[ir.Value, str, bool]:
    """The independent unit: the worker, else the pair, else the case."""
    few = False
    if "worker" in present and facts.all_workers > 0:
        few = facts.all_workers < MIN_WORKERS
        if not few:
            return _bundled(cases.worker.fill_null(cases.case_id), facts.units["worker"]), "worker", False
    if "pair_id" in present and facts.units["pair_id"] > 0:
        return _bundled(cases.pair_id.fill_null(cases.case_id), facts.units["pair_id"]), "pair", few
    return _bundled(cases.case_id, facts.units["case_id"]), "case", few


def _bundled(name: ir.Value, units: int) -> ir.Value:
    """Names as they are, or bundled into 4,096 groups: sums over bundles of independent units are independent too."""
    return name if units <= MAX_UNITS else name.substr(2, 3)


def _spread(samples: Samples, production: ir.Table) -> dict[str, Spread]:
    complete = production.filter(production.human_.notnull() & ~production.imputed_)
    minutes = complete.human_.cast("float64")
    log = _mean_log(complete)
    result = complete.group_by("arm").aggregate(
        p05=minutes.quantile(0.05),
        p50=minutes.quantile(0.5),
        p95=minutes.quantile(0.95),
        mean=complete.human_.sum().cast("float64") / complete.count(),
        log=log,
    )
    found = {}
    for arm, p05, p50, p95, mean, log_mean in fetch(samples, result.order_by("arm")):
        found[str(arm)] = Spread(
            p05=float(p05),
            p50=float(p50),
            p95=float(p95),
            mean=float(mean),
            log_mean=None if log_mean is None else float(log_mean),
        )
    return found


def _mean_log(complete: ir.Table) -> ir.Value:
    """Mean of the logarithm of minutes above 0; each logarithm is cut to a decimal first, so that the sum is exact."""
    import ibis

    above = complete.human_ > 0
    log = ibis.cases((above, complete.human_.cast("float64").ln().cast("decimal(18,9)")), else_=None)
    return log.sum().cast("float64") / log.count().nullif(0)


def _losses(samples: Samples, production: ir.Table, counts: ir.Value, present: frozenset[str]) -> Losses:
    import ibis

    pilot = production.filter((production.arm == "pilot") & counts)
    pilot = pilot.mutate(
        cause_=pilot.cause if "cause" in present else ibis.null("string"),
        defective_=(pilot.input_defects > 0) if "input_defects" in present else ibis.null("boolean"),
    )
    keys = ["outcome", "cause_", "defective_"]
    rows = fetch(
        samples,
        pilot.group_by(keys)
        .aggregate(n=pilot.count(), minutes=pilot.human_.sum().cast("float64"), timed=pilot.human_.count())
        .order_by(keys),
    )
    return Losses(
        outcome=tuple(row[0] for row in rows),
        cause=tuple(row[1] for row in rows),
        defective=tuple(None if row[2] is None else bool(row[2]) for row in rows),
        n=np.array([row[3] for row in rows], dtype=np.int64),
        minutes=np.array([row[4] or 0.0 for row in rows], dtype=np.float64),
        timed=np.array([row[5] for row in rows], dtype=np.int64),
    )


def _demo(
    samples: Samples, cases: ir.Table, present: frozenset[str], minutes: bool
) -> dict[str, tuple[int, float | None, float | None]]:
    import ibis

    demo = cases.filter(cases.demo)
    mean = (
        demo.human_.sum().cast("float64") / demo.human_.count().nullif(0) if minutes else ibis.null("float64")
    )
    errors: Any = ibis.null("float64")
    if "outcome" in present:
        errors = (demo.outcome == "error").sum() / demo.outcome.count().nullif(0)
    rows = fetch(
        samples, demo.group_by("arm").aggregate(n=demo.count(), minutes=mean, errors=errors).order_by("arm")
    )
    return {
        str(arm): (int(n), None if m is None else float(m), None if e is None else float(e))
        for arm, n, m, e in rows
    }
