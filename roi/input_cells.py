"""Every raw cell held against its field's rules, in the engine: what is left of it are the rules that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from roi import input_kinds as kinds
from roi.check_digits import add_checks
from roi.input_rules import HAS, LEAST, MARKED, FieldPlan, InputRule, bit, rule
from roi.raw_inputs import RawFields
from roi.readers.base import Connection, literal
from roi.schema.input_fields import FieldRule
from roi.words import number

__all__ = ["BINS", "judge_cells"]

BINS = 16
AT_ONCE = 10
MOST_DATED = 8  # fields with dates of which each pair is compared
_FAR = 3.0  # interquartile ranges beyond the quartiles: Tukey's "far out"
_QUANTILES = (0.01, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.99)
_NINES = "'-?9{4,}([.,]0+)?|-9{2,}'"
_ORDERED, _IN_TIME = 0.95, 0.9


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Quantiles of a field's numbers, without runs of nines, and the least of them."""

    at: dict[float, float]
    least: float

    def fence(self) -> tuple[float, float] | None:
        """Beyond which a number is far from the others; on the scale of logarithms where all are above 0."""
        low, high = self.at[0.25], self.at[0.75]
        if not high > low:
            return None
        if self.least > 0:
            return low / (high / low) ** _FAR, high * (high / low) ** _FAR
        return low - _FAR * (high - low), high + _FAR * (high - low)


def judge_cells(
    con: Connection, raw: RawFields, plans: Sequence[FieldPlan], *, timezone: str, has_start: bool
) -> tuple[FieldPlan, ...]:
    """Hold all cells against the rules.

    Args:
        con: The engine; its `kinds_inputs` holds texts `v` and kinds `k` beside the rows. Leaves `t_inputs_codes`: of
            each field i the bits of what is wrong with its value, `b<i>`, and the bin that it falls into, `x<i>`.
        raw: The fields.
        plans: What each must be.
        timezone: Of times that carry none.
        has_start: Whether it is known when cases were started.

    Returns:
        The plans, with the rules that follow from numbers and times.
    """
    values = []
    for i, p in enumerate(plans):
        t, k = f"v[{i + 1}]", f"k[{i + 1}]"
        if p.kind == "number":
            values.append(
                f"case when {kinds.among(k, kinds.NUMBERS)} then {kinds.number_in(t, p.style)} end as n{i}"
            )
        elif p.kind == "date":
            values.append(f"{kinds.time_in(t, k, p.dates, timezone)} as d{i}")
    listed = "".join(f", {value}" for value in values)
    con.execute(f"create or replace table valued_inputs as select *{listed} from kinds_inputs")
    numbers = _numbers(con, plans)
    dates, kept = _dates(con, plans, has_start)
    plans = tuple(
        replace(
            _with_fence(p, numbers.get(i)), rules=(*_with_fence(p, numbers.get(i)).rules, *kept.get(i, ()))
        )
        for i, p in enumerate(plans)
    )
    _tops(con, plans)
    add_checks(con, {p.checked for p in plans if p.checked is not None})
    # The engine plans a few fields at a time: what it takes over a statement grows with the square of its columns.
    parts = []
    for start in range(0, len(plans), AT_ONCE):
        outputs = []
        for i, p in enumerate(plans[start : start + AT_ONCE], start):
            if p.kind == "ignored":
                outputs += [f"{HAS}::usmallint as b{i}", f"0::utinyint as x{i}"]
                continue
            outputs.append(f"({_bits(i, raw, plans, numbers.get(i), dates)})::usmallint as b{i}")
            outputs.append(f"({_bin(i, p, numbers.get(i), i in dates.lagged)})::utinyint as x{i}")
        parts.append(f"part_{start}")
        con.execute(
            f"create or replace table {parts[-1]} as select {', '.join(outputs)} from valued_inputs, tops_inputs "
            "order by r"
        )
    con.execute(
        'create or replace table t_inputs_codes as select * from (select r + 1 as "row", case_id, setting, segment, '
        f"known, hash(v) as same from valued_inputs order by r) positional join {' positional join '.join(parts)}"
    )
    return plans


def _numbers(con: Connection, plans: Sequence[FieldPlan]) -> dict[int, _Numbers]:
    places = [i for i, p in enumerate(plans) if p.kind == "number"]
    if not places:
        return {}
    parts = []
    for i in places:
        kept = f"filter (n{i} is not null and not regexp_full_match(v[{i + 1}], {_NINES}))"
        listed = ", ".join(str(q) for q in _QUANTILES)
        parts += [
            f"quantile_cont(n{i}::double, [{listed}]) {kept}", f"min(n{i}) {kept}", f"count(n{i}) {kept}"
        ]  # fmt: skip
    row = con.execute(f"select {', '.join(parts)} from valued_inputs").fetchall()[0]
    return {
        i: _Numbers(dict(zip(_QUANTILES, (float(x) for x in row[3 * j]), strict=True)), float(row[3 * j + 1]))
        for j, i in enumerate(places)
        if row[3 * j + 2] >= LEAST
    }


def _with_fence(p: FieldPlan, numbers: _Numbers | None) -> FieldPlan:
    fence = None if numbers is None or p.given.min is not None or p.given.max is not None else numbers.fence()
    if fence is None:
        return p
    text = f"not far from the others: within {number(fence[0])} to {number(fence[1])}"
    return replace(p, rules=(*p.rules, rule("range", text)))


@dataclass(frozen=True, slots=True)
class _Dates:
    """What the dates are to each other: fields that can be held against the start of their cases (`lagged`), those of
    which most are no later than it (`early`), and pairs (a, b) of which a is hardly ever after b."""

    lagged: frozenset[int] = frozenset()
    early: frozenset[int] = frozenset()
    pairs: tuple[tuple[int, int], ...] = ()


def _dates(
    con: Connection, plans: Sequence[FieldPlan], has_start: bool
) -> tuple[_Dates, dict[int, list[InputRule]]]:
    """How dates lie to each other and to the start of their cases, and the rules that most of them keep."""
    places = [i for i, p in enumerate(plans) if p.kind == "date"]
    found: dict[int, list[InputRule]] = {i: [] for i in places}
    if not places:
        return _Dates(), found
    parts = []
    for i in places:
        both = f"d{i} is not null and started_at is not null"
        parts += [
            f"count(d{i})",
            f"count(*) filter ({both})",
            f"count(*) filter ({both} and d{i} > started_at)",
        ]
        parts += [f"count(d{i}) filter (demo)", f"count(*) filter ({both} and demo)"]
    some = places[:MOST_DATED]
    every = [(a, b) for a in some for b in some if a != b]
    for a, b in every:
        both = f"d{a} is not null and d{b} is not null"
        parts += [
            f"count(*) filter ({both})",
            f"count(*) filter (d{a} <= d{b})",
            f"count(*) filter (d{a} < d{b})",
        ]
    row = [int(x) for x in con.execute(f"select {', '.join(parts)} from valued_inputs").fetchall()[0]]
    lagged, early, pairs = set(), set(), []
    for j, i in enumerate(places):
        dated, started, late, of_demo, demo_started = row[5 * j : 5 * j + 5]
        if has_start and started >= 0.9 * dated and demo_started >= 0.9 * of_demo:
            lagged.add(i)
        stated = any(r.defect == "late" for r in plans[i].rules)
        if has_start and not stated and started >= LEAST and 0 < late <= (1 - _IN_TIME) * started:
            text = f"no later than the start of the case: {1 - late / started:.1%} of its dates"
            found[i].append(rule("late", text))
            early.add(i)
    for j, (a, b) in enumerate(every):
        n, kept, before = row[5 * len(places) + 3 * j :][:3]
        stated = any(r.defect == "contradiction" for p in (plans[a], plans[b]) for r in p.rules)
        if not stated and n >= 2 * LEAST and _ORDERED * n <= kept < n and before >= n / 2:
            found[b].append(
                rule("contradiction", f"no earlier than {plans[a].name}: {kept / n:.1%} of the dates")
            )
            pairs.append((a, b))
    return _Dates(frozenset(lagged), frozenset(early), tuple(pairs)), found


def _tops(con: Connection, plans: Sequence[FieldPlan]) -> None:
    """The most frequent values of fields with few of them, held in the engine as one row of lists."""
    few = [i for i, p in enumerate(plans) if _has_few(p)]
    lists = [
        f"(select list(t order by n desc, t) from (select lower(v[{i + 1}]) as t, count(*) as n from valued_inputs "
        f"where k[{i + 1}] > {kinds.MARK} group by 1 order by 2 desc, 1 limit 10)) as l{i}"
        for i in few
    ]
    con.execute(f"create or replace table tops_inputs as select {', '.join(['1 as one', *lists])}")


def _has_few(p: FieldPlan) -> bool:
    return p.kind in ("category", "flag", "text", "unclear") and 0 < p.distinct <= 30


def _missing(i: int, p: FieldPlan, numbers: _Numbers | None) -> tuple[str, str]:
    """SQL of whether a value is missing, and whether a placeholder stands in its place."""
    t, k = f"v[{i + 1}]", f"k[{i + 1}]"
    marked = f"{k} = {kinds.MARK}"
    if p.kind == "number" and numbers is not None:
        # Nines stand for nothing only where they stand apart from what the field holds.
        apart = f"(n{i} > {3 * numbers.at[0.99]!r}" + (f" or n{i} < 0)" if numbers.least >= 0 else ")")
        marked += f" or (regexp_full_match({t}, {_NINES}) and {apart})"
    if p.kind == "code":
        marked += f" or regexp_full_match({t}, '9{{5,}}|0{{5,}}')"
    return f"{k} = {kinds.BLANK} or {marked}", marked


def _bits(i: int, raw: RawFields, plans: Sequence[FieldPlan], numbers: _Numbers | None, dates: _Dates) -> str:
    """SQL of the bits of a value: the rules it breaks, whether it is there, whether it is a placeholder."""
    p, given = plans[i], plans[i].given
    t, k = f"v[{i + 1}]", f"k[{i + 1}]"
    broken: list[tuple[str, str]] = []

    def breaks(defect: str, condition: str) -> None:
        broken.append((defect, f"coalesce({condition}, false)"))

    def among(group: Sequence[int]) -> str:
        return kinds.among(k, group)

    if p.accepted:
        breaks("kind", f"not ({among(p.accepted)})")
    if p.formatted:
        own = f"{among(p.accepted)} and " if p.accepted else ""
        breaks("format", f"{own}not ({among(p.formatted)})")
    if p.checked:
        breaks("format", f"not valid_{p.checked}({t})")
    if p.shape is not None and any(r.defect == "format" and not r.stated for r in p.rules):
        breaks("format", f"{kinds.shape_of_cell(t)} <> {literal(p.shape)}")
    if given.pattern is not None:
        breaks("format", f"not regexp_full_match({t}, {literal(given.pattern)})")
    if given.one_of:
        listed = ", ".join(literal(value.lower()) for value in given.one_of)
        breaks("format", f"not list_contains([{listed}], lower({t}))")
    if p.unit is not None:
        unit = f"coalesce(case when {k} = {kinds.UNIT} then {kinds.unit_in(t)} end, '')"
        wrong = f"{unit} <> {literal(p.unit)}"
        bare = f" and {unit} <> ''" if given.unit is not None else ""  # a stated unit need not be written
        breaks("unit", f"{among(p.accepted)} and {wrong}{bare}")
    if p.kind == "number":
        _range(i, given, numbers, breaks)
        if given.sum_of:
            parts = [f"n{raw.index(name)}" for name in given.sum_of]
            breaks(
                "contradiction", f"abs(n{i}::double - ({' + '.join(f'{x}::double' for x in parts)})) > 0.011"
            )
    if p.kind == "date":
        breaks("format", f"d{i} not between timestamp '1900-01-02' and timestamp '2200-01-01'")
        for key, sign in (("not_after", ">"), ("not_before", "<")):
            other = getattr(given, key)
            if other is not None:
                of_case = other not in raw.columns
                when = other if of_case else f"d{raw.index(other)}"
                breaks("late" if of_case and key == "not_after" else "contradiction", f"d{i} {sign} {when}")
        if given.max_age_days is not None:
            # Whole days: a date is no time of its day.
            breaks("late", f"epoch(started_at) - epoch(d{i}) >= {86_400 * (given.max_age_days + 1)!r}")
        if i in dates.early:
            breaks("late", f"d{i} > started_at")
        for a, b in dates.pairs:
            if b == i:
                breaks("contradiction", f"d{i} < d{a}")
    if given.unique:
        first = f"first_value(case_id) over (partition by setting, lower({t}) order by r)"
        breaks("duplicate", f"case_id <> {first}")
    missing, marked = _missing(i, p, numbers)
    terms = []
    for defect in dict.fromkeys(name for name, _ in broken):
        either = " or ".join(sql for name, sql in broken if name == defect)
        terms.append(f"case when {either} then {bit(defect)} else 0 end")
    found = " + ".join([str(HAS), *terms])
    none = f"{bit('missing')} + case when {marked} then {MARKED} else 0 end"
    return f"case when {missing} then {none} else {found} end"


def _range(i: int, given: FieldRule, numbers: _Numbers | None, breaks: Callable[[str, str], None]) -> None:
    if given.min is not None:
        breaks("range", f"n{i} < {given.min!r}")
    if given.max is not None:
        breaks("range", f"n{i} > {given.max!r}")
    fence = numbers.fence() if numbers is not None and given.min is None and given.max is None else None
    if fence is not None:
        breaks("range", f"n{i}::double not between {fence[0]!r} and {fence[1]!r}")


def _bin(i: int, p: FieldPlan, numbers: _Numbers | None, lagged: bool) -> str:
    """SQL of the bin that a value falls into, 0 where it is missing; bins say nothing of single values."""
    t, k = f"v[{i + 1}]", f"k[{i + 1}]"
    missing, _ = _missing(i, p, numbers)
    if p.kind == "number" and numbers is not None:
        cuts = sorted({numbers.at[q] for q in (0.2, 0.4, 0.6, 0.8)})
        inside = " + ".join(f"(n{i}::double > {cut!r})::int" for cut in cuts)
        place = f"case when n{i} is null then {BINS - 1} else 1 + {inside} end"
    elif p.kind == "date" and lagged:
        days = f"(epoch(started_at) - epoch(d{i})) / 86400"
        inside = " + ".join(f"({days} > {day})::int" for day in (0, 1, 7, 30, 365))
        place = f"case when d{i} is null or started_at is null then {BINS - 1} else 1 + {inside} end"
    elif p.kind == "date":
        dated = f"{k} between {kinds.ISO} and {kinds.IMPOSSIBLE}"
        place = f"case when {dated} then 1 + {k} - {kinds.ISO} else {BINS - 1} end"
    elif _has_few(p):
        place = f"coalesce(list_position(l{i}, lower({t})), 11)"
    elif p.kind == "code" and p.shape is not None:
        place = f"case when {kinds.shape_of_cell(t)} = {literal(p.shape)} then 1 else 2 end"
    else:
        place = f"1 + least(length({t}) // 10, 12)"
    return f"case when {missing} then 0 else {place} end"
