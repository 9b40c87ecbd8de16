"""From rows to moments: the only pass over the cases, made in the engine that holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from roi.aggregates import moments_of_report
from roi.demo_moments import take_demo
from roi.label_moments import judge_alone, take_judged
from roi.loss_moments import take_losses
from roi.moments import (
    ALL,
    ARMS,
    COMPONENTS,
    MAX_UNITS,
    MIN_WORKERS,
    Covariate,
    Moments,
    fetch,
)
from roi.periods import day_of
from roi.readers.base import literal
from roi.relation import Relation
from roi.spreads import square_sum, take_spread

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["take_moments"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SEVERITIES = ("minor", "moderate", "major", "critical")


def take_moments(samples: Samples, *, high_risk_tools: Sequence[str] = ()) -> Moments:
    """Reduce the cases to moments.

    Args:
        samples: The opened samples; its `cases` table is read, with the action log beside it, or what a report gives
            in its place.
        high_risk_tools: Tools that the policy calls high-risk.

    Returns:
        Counts and sums by unit, arm and segment, and what the report needs to know about them.
    """
    if "aggregates" in samples.tables:
        return moments_of_report(samples)
    cases = judge_alone(samples, samples.tables["cases"])
    present = frozenset(cases.columns)
    components = [c for c in COMPONENTS if c in present]
    cases = cases.having(
        demo="setting = 'demo'" if "setting" in present else "false",
        segment_="segment" if "segment" in present else literal(ALL),
    )
    facts = _facts(samples, cases, components)
    has_judge = facts.judge > 0
    labels = "none" if facts.labelled == 0 else "human"
    if has_judge:
        labels = "judge" if facts.judge == facts.labelled else "mixed"

    unit, unit_kind, few = _unit(present, facts, samples.text_of("case_id"))
    counts = "outcome is not null" if "outcome" in present else "false"
    if labels == "mixed":
        # A judge's word is not mixed with people's; checking one against the other comes later.
        counts = f"{counts} and coalesce(label_source, 'human') <> 'judge'"
    cases = _with_minutes(cases, components, facts, zero_too=bool(samples.undeclared_blanks))
    cases = cases.having(unit_=unit, counts_=counts)

    statistics = [*components, "human_minutes"] if components else []
    values = {c: c for c in components} | {"human_minutes": "human_"}
    for currency in facts.currencies:
        name = f"agent_cost:{currency}"
        statistics.append(name)
        same = cases.says("cost_currency", currency) if "cost_currency" in present else "true"
        zero = "0::decimal(18,9)"
        values[name] = f"case when agent_cost is null then null when {same} then agent_cost else {zero} end"

    little = _little(samples, components, statistics)
    sums = {"n": "count(*)"}
    for j, name in enumerate(statistics):
        value = values[name]
        six = value if name in components or name == "human_minutes" else f"({value})::decimal(18,6)"
        sums[f"k{j}"] = f"count({value})"
        sums[f"s{j}"] = f"sum({value})"
        small = name in little
        sums[f"q{j}"] = square_sum(six, small=small) if samples.coded else f"sum({_product(six, six)})"
    predicted = "predicted_minutes" in present and bool(components)
    if predicted:
        x, y = "predicted_minutes", "human_"
        known = f"{x} is not null and {y} is not null"
        for name, value in {"x": x, "xx": _product(x, x), "y": y, "xy": _product(x, y)}.items():
            sums[f"cov_{name}"] = f"sum({value}) filter ({known})"
        sums["cov_k"] = f"count(*) filter ({known})"
    exact = [name for name, sql in sums.items() if not sql.startswith("count")]
    if "zero_" in cases.columns:
        sums |= {"zero_s": "sum(zero_)", "zero_k": "count(zero_)"}
        exact.append("zero_s")
    defects = "input_defects" in present
    sums["inputs_known"] = "count(input_defects)" if defects else "0"
    sums["inputs_clean"] = "count(*) filter (input_defects = 0)" if defects else "0"
    sums["cost_known"] = "count(agent_cost)" if facts.currencies else "0"
    hits = {"labelled": "counts_"}
    for name in ("correct", "error", "escalated", "abandoned"):
        hits[name] = f"counts_ and outcome = '{name}'" if "outcome" in present else "false"
    for name in SEVERITIES:
        told = "outcome" in present and "severity" in present
        hits[f"severity_{name}"] = (
            f"counts_ and outcome = 'error' and severity = '{name}'" if told else "false"
        )
    hits["imputed"] = "imputed_"

    production = cases.where("not demo")
    keys = ["arm", "segment_", "unit_"]
    aggregates = [*sums, *hits]
    if samples.coded:
        # Of many cases each condition is a count of its own over all of them; so they are grouped by what the
        # conditions ask for first.
        apart = [*(c for c in ("outcome", "severity") if c in present), "counts_", "imputed_"]
        fine = Relation(f"({production.grouped([*keys, *apart], sums)})", (*keys, *apart, *sums))
        taken = {name: f"sum({name})" for name in sums}
        taken |= {name: f"sum(n) filter ({hit})" for name, hit in hits.items()}
    else:
        fine = production
        taken = sums | {name: f"count(*) filter ({hit})" for name, hit in hits.items()}
    taken |= {name: f"({taken[name]})::double" for name in exact}
    rows = fetch(samples, fine.grouped(keys, taken))
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
        spread=take_spread(samples, production) if components else {},
        losses=take_losses(
            samples,
            production,
            segments=segments,
            by_worker=unit_kind == "worker",
            high_risk_tools=high_risk_tools,
            small="human_minutes" in little,
        )
        if facts.labelled
        else None,
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
    all_named: bool
    units: Mapping[str, int]
    recorded: Mapping[tuple[str, str], int]  # (arm, component) -> production cases that have it
    labelled: int
    judge: int
    currencies: tuple[str, ...]
    has_demo: bool
    first: dt.date | None
    last: dt.date | None


def _little(samples: Samples, components: Sequence[str], statistics: Sequence[str]) -> frozenset[str]:
    """The statistics of many cases whose values all lie between -999 and 999, as most do."""
    if not samples.coded:
        return frozenset()
    asked = [*components, *(["agent_cost"] if "agent_cost" in samples.tables["cases"].columns else [])]
    if not asked:
        return frozenset()
    listed = ", ".join(f"coalesce(greatest(max({c}), -min({c})), 0)" for c in asked)
    most = dict(
        zip(asked, fetch(samples, f"select {listed} from {samples.tables['cases'].sql}")[0], strict=True)
    )
    most["human_minutes"] = sum(most[c] for c in components)
    return frozenset(name for name in statistics if most[name.partition(":")[0]] <= 999)


def _facts(samples: Samples, cases: Relation, components: Sequence[str]) -> _Facts:
    """What must be known about a sample before its sums can be written down; one query."""
    present = cases.columns
    aggregates = {"n": "count(*)"} | {c: f"count({c})" for c in components}
    aggregates["labelled"] = "count(outcome)" if "outcome" in present else "0"
    both = "outcome" in present and "label_source" in present
    judge = "outcome is not null and label_source = 'judge'" if both else "false"
    aggregates["judge"] = f"count(*) filter ({judge})"
    aggregates["named"] = "count(worker)" if "worker" in present else "0"
    for column in ("worker", "pair_id"):
        aggregates[f"units_{column}"] = f"count(distinct {column})" if column in present else "0"
    timed = "started_at" in present
    aggregates["first"] = "min(started_at)" if timed else "null::timestamp"
    last = "ended_at" if "ended_at" in present else "started_at"
    aggregates["last"] = f"max({last})" if last in present else "null::timestamp"
    rows = fetch(samples, cases.grouped(["demo", "arm"], aggregates))
    names = ["demo", "arm", *aggregates]
    table = [dict(zip(names, row, strict=True)) for row in rows]
    live = [row for row in table if not row["demo"]]
    total = {}
    if "worker" in present:
        query = f"select count(distinct worker) from {cases.where('not demo').sql}"
        total["worker"] = int(fetch(samples, query)[0][0])
    if (
        total.get("worker", 0) < MIN_WORKERS
    ):  # to tell many cases apart takes long, and is asked where they are units
        apart = "count(*)" if "cases" in samples.once else "count(distinct case_id)"
        each = f"select {apart} as n from {cases.where('not demo').sql} group by arm"
        total["case_id"] = int(fetch(samples, f"select coalesce(max(n), 0) from ({each})")[0][0])
    currencies: tuple[str, ...] = ()
    if "agent_cost" in present:
        if "cost_currency" in present:
            found = f"select distinct cost_currency from {cases.sql} where agent_cost is not null"
            currencies = tuple(sorted(str(row[0] or "") for row in fetch(samples, found)))
        else:
            currencies = ("",)
    times_first = [row["first"] for row in live if row["first"] is not None]
    times_last = [row["last"] for row in live if row["last"] is not None]
    return _Facts(
        workers={row["arm"]: int(row["units_worker"]) for row in live} if "worker" in present else None,
        all_workers=total.get("worker", 0),
        all_named=all(row["named"] == row["n"] for row in table),
        units={c: max((int(r[f"units_{c}"]) for r in live), default=0) for c in ("worker", "pair_id")}
        | {"case_id": total.get("case_id", 0)},
        recorded={(row["arm"], c): int(row[c]) for row in live for c in components},
        labelled=sum(int(row["labelled"]) for row in live),
        judge=sum(int(row["judge"] or 0) for row in live),
        currencies=currencies,
        has_demo=any(row["demo"] for row in table),
        first=day_of(min(times_first), samples.timezone) if times_first else None,
        last=day_of(max(times_last), samples.timezone) if times_last else None,
    )


def _with_minutes(cases: Relation, components: Sequence[str], facts: _Facts, *, zero_too: bool) -> Relation:
    """Add the human minutes of a case (None where a component is missing) and whether they are imputed."""
    if not components:
        return cases.having(imputed_="false", human_="null::decimal(18,6)")
    known = {name: f"coalesce({name}, 0::decimal(18,6))" for name in components}
    parts = []
    for name in components:
        # Without an agent there is nothing to review: a review column that no baseline case fills is 0 there.
        unfilled = name == "review_minutes" and facts.recorded.get(("baseline", name), 0) == 0
        before = cases.says("arm", "baseline")
        parts.append(f"case when {before} then {known[name]} else {name} end" if unfilled else name)
    human = " + ".join(parts)
    imputed = "false"
    if "outcome" in cases.columns and {"handling_minutes", "rework_minutes"} & set(components):
        taken_over = f"coalesce({cases.says('outcome', 'escalated', 'abandoned')}, false)"
        # Who takes a case over repairs it: where rework is recorded, that is where the takeover is logged.
        log = "rework_minutes" if "rework_minutes" in components else "handling_minutes"
        imputed = f"{cases.says('arm', 'pilot')} and {taken_over} and ({log} is null or {log} = 0)"
        human = f"case when {imputed} then {' + '.join(known.values())} else {human} end"
    added = {"human_": human, "imputed_": imputed}
    if zero_too:
        some = " or ".join(f"{name} is not null" for name in components)
        added["zero_"] = f"case when {some} then {' + '.join(known.values())} end"
    return cases.having(**added)


def _product(one: str, other: str) -> str:
    """Product of two decimals with six places. One has a digit more, for the engine keeps 18 digits of two with 18."""
    return f"({one}) * ({other})::decimal(19,6)"


def _unit(present: frozenset[str], facts: _Facts, case: str) -> tuple[str, str, bool]:
    """The independent unit: the worker, else the pair, else the case (of which `case` is the text)."""
    few = False
    if "worker" in present and facts.all_workers > 0:
        few = facts.all_workers < MIN_WORKERS
        if not few:
            unit = "worker" if facts.all_named else f"coalesce(worker, {case})"
            return _bundled(unit, facts.units["worker"]), "worker", False
    if "pair_id" in present and facts.units["pair_id"] > 0:
        return _bundled(f"coalesce(pair_id, {case})", facts.units["pair_id"]), "pair", few
    return _bundled(case, facts.units["case_id"]), "case", few


def _bundled(name: str, units: int) -> str:
    """Names as they are, or bundled into 4,096 groups: sums over bundles of independent units are independent too."""
    return name if units <= MAX_UNITS else f"substr({name}, 3, 3)"


def _demo(
    samples: Samples, cases: Relation, present: frozenset[str], minutes: bool
) -> dict[str, tuple[int, float | None, float | None]]:
    mean = "sum(human_)::double / nullif(count(human_), 0)"
    errors = "count(*) filter (outcome = 'error') / nullif(count(outcome), 0)"
    aggregates = {
        "n": "count(*)",
        "minutes": mean if minutes else "null::double",
        "errors": errors if "outcome" in present else "null::double",
    }
    rows = fetch(samples, cases.where("demo").grouped(["arm"], aggregates))
    return {
        str(arm): (int(n), None if m is None else float(m), None if e is None else float(e))
        for arm, n, m, e in rows
    }
