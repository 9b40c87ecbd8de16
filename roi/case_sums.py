"""Counts and sums of the cases by week and by unit, for the checks of the arms: one query, small results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from roi.moments import ALL, ARMS, COMPONENTS, Moments, fetch

if TYPE_CHECKING:
    from roi.relation import Relation
    from roi.samples import Samples

__all__ = ["COVARIATES", "CaseSums", "count_pairs", "sum_cases"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COVARIATES = ("predicted_minutes", "amount")
_MOST_MINUTES, _MOST_HOURS = 9999, 999999  # of which the product has eighteen digits
UNITS_TO_SHUFFLE = 500  # workers; with more of them the weeks are not looked at worker by worker


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSums:
    """Production cases by week and by unit.

    Attributes:
        weeks: Calendar weeks with cases, in order (weeks since 1970, Monday first), shape (weeks,).
        week_counts: Cases by arm and week, shape (2, weeks).
        week_counts_by_unit: The same by unit, shape (units, 2, weeks); of no unit unless whole workers were assigned.
        late: By arm, mean minutes of the last third of its cases and of all, each kind of case with its own share; None
            where the weeks are too few to tell.
        spans: By arm, first and last time in seconds since 1970; None without times.
        arm: Of the rows by unit, shape (rows,); so are the following.
        unit: Index of the unit. Cases and pairs are bundled by the head of their pseudonym, which is a hash.
        cell: Index of person × segment, what a trend holds fixed.
        sums: By name: n, timed, labelled; n_t, t, tt, y, ty (cases with time and minutes; hours since the first day);
            and for each covariate its count, sum and sum of squares.
    """

    weeks: Ints
    week_counts: Floats
    week_counts_by_unit: Floats
    late: tuple[tuple[float, float] | None, tuple[float, float] | None]
    spans: tuple[tuple[float, float] | None, tuple[float, float] | None]
    arm: Ints
    unit: Ints
    cell: Ints
    sums: dict[str, Floats]

    def share_in_shared_weeks(self) -> float:
        """Share of the cases that lie in weeks of both arms."""
        shared = (self.week_counts > 0).all(axis=0)
        return float(self.week_counts[:, shared].sum() / max(self.week_counts.sum(), 1.0))

    def by_unit(self, *names: str) -> tuple[Floats, ...]:
        """Named sums by unit and arm, each shape (units, 2)."""
        found = []
        for name in names:
            block = np.zeros((int(self.unit.max(initial=-1)) + 1, 2))
            np.add.at(block, (self.unit, self.arm), self.sums[name])
            found.append(block)
        return tuple(found)


def sum_cases(samples: Samples, moments: Moments, *, workers_assigned: bool) -> CaseSums:
    """Sum the cases by week and by unit.

    Args:
        samples: The opened samples; its `cases` table is read once.
        moments: Moments of the same cases.
        workers_assigned: Whether whole workers (or pairs) are in one arm, so that weeks are needed by unit.

    Returns:
        The sums; exact, whatever the order of the rows.
    """
    present = moments.present
    small = 0 < np.unique(moments.unit).size <= UNITS_TO_SHUFFLE
    by_unit = workers_assigned and small and moments.unit_kind == "worker"
    rows = samples.con.execute(_query(samples, moments, by_unit=by_unit)).fetchall()
    rows.sort(
        key=lambda row: (*row[:3], row[3] or 0, row[4] or "", row[5] or "")
    )  # sums of floats have an order
    weekly = [row for row in rows if row[0] == 0]
    others = [row for row in rows if row[0] != 0]
    segment = {name: i for i, name in enumerate(moments.segments)}
    weeks = np.array(sorted({row[3] for row in weekly if row[3] is not None}), dtype=np.int64)
    place = {int(week): i for i, week in enumerate(weeks)}
    units = {name: i for i, name in enumerate(sorted({row[5] for row in rows if row[5] is not None}))}
    counts = np.zeros((2, weeks.size))
    of_unit = np.zeros((len(units) if by_unit else 0, 2, weeks.size))
    timed = np.zeros((2, len(segment), weeks.size))
    minutes = np.zeros_like(timed)
    spans: list[tuple[float, float] | None] = [None, None]
    for _, arm, kind, week, _, unit, n, k, y, *_, first, last in weekly:
        if week is None:
            continue
        a, w = ARMS.index(arm), place[week]
        counts[a, w] += n
        timed[a, segment[kind], w] += k
        minutes[a, segment[kind], w] += y or 0.0
        if by_unit:
            of_unit[units[unit], a, w] += n
        known = spans[a]
        spans[a] = (first, last) if known is None else (min(known[0], first), max(known[1], last))
    names = ["n", "timed", "y_all", "labelled", "n_t", "t", "tt", "y", "ty"]
    names += [f"{c}:{what}" for c in COVARIATES if c in present for what in ("n", "s", "q")]
    block = np.array([[float(x or 0) for x in row[6 : 6 + len(names)]] for row in others], dtype=np.float64)
    block = block.reshape(len(others), len(names))
    people = {key: i for i, key in enumerate(sorted({(str(row[2]), str(row[4])) for row in others}))}
    return CaseSums(
        weeks=weeks,
        week_counts=counts,
        week_counts_by_unit=of_unit,
        late=(_late(timed[0], minutes[0]), _late(timed[1], minutes[1])),
        spans=(spans[0], spans[1]),
        arm=np.array([ARMS.index(row[1]) for row in others], dtype=np.int64),
        unit=np.array([units[row[5]] for row in others], dtype=np.int64),
        cell=np.array([people[str(row[2]), str(row[4])] for row in others], dtype=np.int64),
        sums={name: block[:, i] for i, name in enumerate(names)},
    )


def count_pairs(samples: Samples, moments: Moments) -> int:
    """Pairs with a production case in each arm, where workers are the unit; 0 where cases name none.

    Args:
        samples: The opened samples.
        moments: Moments of the same cases; where pairs are the unit, they tell it themselves.
    """
    if moments.unit_kind != "worker" or "pair_id" not in moments.present:
        return 0
    live = "and setting is distinct from 'demo'" if "setting" in moments.present else ""
    query = f"select pair_id from cases where pair_id is not null {live} group by 1 having count(distinct arm) = 2"
    row = samples.con.execute(f"select count(*) from ({query})").fetchone()
    return 0 if row is None else int(row[0])


def _query(samples: Samples, moments: Moments, *, by_unit: bool) -> str:
    """SQL over the canonical table, of which every name is ours.

    Of many cases those of a week that are alike in arm, segment and unit are summed first, and these sums by week and
    by unit: sums of decimals are exact in any order.
    """
    present = moments.present
    person = "''"
    keys = {"arm": "arm", "segment": "segment" if "segment" in present else repr(ALL)}
    case, many = samples.text_of("case_id"), samples.coded
    if moments.unit_kind == "worker":
        # Of who is named no text is made for each case.
        person = unit = f"coalesce(worker, {case})"
        keys |= {"worker": "worker", "case_id": "case when worker is null then case_id end"}
    else:
        # Sums over bundles of independent cases are independent too, and the result stays small.
        key = f"coalesce(pair_id, {case})" if moments.unit_kind == "pair" else case
        unit = "bundle"
        keys["bundle"] = f"substr({key}, 3, 2)"
        if moments.few_workers:
            person = "coalesce(worker, '')"
            keys["worker"] = "worker"
    time = next((c for c in ("started_at", "ended_at") if c in present), None)
    seconds = "null::bigint" if time is None or moments.first is None else f"epoch({time})::bigint"
    base = "" if moments.first is None else f" - epoch(timestamp '{moments.first.isoformat()}')::bigint"
    live = "where setting is distinct from 'demo'" if "setting" in present else ""
    covariates = [c for c in COVARIATES if c in present]
    keys["week"] = f"(({seconds} + {3 * 86400}) // {7 * 86400})::integer"  # 1 January 1970 was a Thursday
    each = {
        **keys,
        "clock": seconds,
        "t": f"(({seconds}{base}) // 3600)::integer",
        "y": _minutes(samples.tables["cases"], moments),
        "outcome": "outcome" if "outcome" in present else "null::varchar",
        # Cut to what can be squared and summed as a decimal; larger amounts are left out of the check.
        **{c: f"try_cast({c} as decimal(15,3))" for c in covariates},
    }
    # Nineteen digits, for of two decimals of up to eighteen the engine makes one of eighteen, which overflows.
    summed = {
        "n": "count(*)",
        "timed": "count(y)",
        "minutes": "sum(y)",
        "labelled": "count(outcome)",
        "ts": "sum(t) filter (y is not null)",
        "tt": "sum(t::bigint * t) filter (y is not null)",
        "ty": _product_sum("y", "t", small=_small(samples, moments, time))
        if many
        else "sum(y::decimal(19,6) * t)",
        "first": "min(clock)",
        "last": "max(clock)",
    }
    for c in covariates:
        square = f"sum({c}::decimal(19,3) * {c})"
        summed |= {f"{c}_n": f"count({c})", f"{c}_s": f"sum({c})", f"{c}_q": square}
    again = {"first": "min(first)", "last": "max(last)"}
    of = {name: again.get(name, f"sum({name})") for name in summed} if many else summed
    outer = [
        "grouping(week)",
        "arm",
        "segment",
        "week",
        "person",
        "unit",
        of["n"],
        of["timed"],
        f"{of['minutes']}::double",
        of["labelled"],
        f"{of['timed']} filter (week is not null)",
        f"{of['ts']}::double",
        f"{of['tt']}::double",
        f"{of['minutes']} filter (week is not null)::double",
        f"({of['ty']})::double",
        *(f"{of[f'{c}_n']}, {of[f'{c}_s']}::double, {of[f'{c}_q']}::double" for c in covariates),
        of["first"],
        of["last"],
    ]
    weekly = "arm, segment, week, unit" if by_unit else "arm, segment, week"
    sets = f"({weekly}), (arm, segment, person, unit)"

    def listed(columns: Mapping[str, str]) -> str:
        return ", ".join(f"{sql} as {name}" for name, sql in columns.items())

    # What is summed first knows its keys; else each case is given its person and unit at once.
    named = {"person": person, "unit": unit}
    cases = f"select {listed(each)} from cases {live}"
    first = f"c as ({cases}), s as (select *, {listed(named)} from c)"
    if many:
        first = (
            f"c as ({cases}), g as (select {', '.join(keys)}, {listed(summed)} from c group by {', '.join(keys)}), "
            f"s as (select *, {listed(named)} from g)"
        )
    return f"with {first} select {', '.join(outer)} from s group by grouping sets ({sets})"


def _product_sum(minutes: str, hours: str, *, small: bool) -> str:
    """SQL of an exact sum of products.

    Of two decimals of up to eighteen digits the engine makes one of eighteen: enough for minutes of a week and for the
    hours of a century, and quick; what is more goes by nineteen. `small` says that there is none of these.
    """
    quick = f"{minutes} * {hours}::decimal(6,0)"
    if small:
        return f"coalesce(sum({quick}), 0)"
    few = f"{minutes} between -{_MOST_MINUTES} and {_MOST_MINUTES} and {hours} between -{_MOST_HOURS} and {_MOST_HOURS}"
    return (
        f"coalesce(sum(case when {few} then {quick} end), 0) + "
        f"coalesce(sum(case when not ({few}) then {minutes}::decimal(19,6) * {hours} end), 0)"
    )


def _small(samples: Samples, moments: Moments, time: str | None) -> bool:
    """Whether no case takes more minutes, or lies more hours from the first day, than multiply quickly."""
    column = moments.column("human_minutes")
    if moments.square is None or column is None or moments.first is None or time is None:
        return False
    # No square is more than the sum it is in.
    if float(moments.square[:, column].max(initial=0.0)) ** 0.5 >= _MOST_MINUTES:
        return False
    ends = fetch(samples, f"select min({time}), max({time}) from cases")[0]
    first = dt.datetime.combine(moments.first, dt.time())
    return all(at is None or abs(at - first) < dt.timedelta(hours=_MOST_HOURS) for at in ends)


def _minutes(cases: Relation, moments: Moments) -> str:
    """Human minutes of a case whose every component is known; none where a takeover was not logged."""
    present = moments.present
    components = [c for c in COMPONENTS if c in present]
    if not components:
        return "null::decimal(18,6)"
    parts = []
    for name in components:
        column = moments.column(name)
        recorded = 0 if column is None else int(moments.count[moments.arm == 0, column].sum())
        unfilled = name == "review_minutes" and recorded == 0
        parts.append(
            f"case when {cases.says('arm', 'baseline')} then coalesce({name}, 0) else {name} end"
            if unfilled
            else name
        )
    total = f"({' + '.join(parts)})::decimal(18,6)"
    if "outcome" not in present or not {"handling_minutes", "rework_minutes"} & set(components):
        return total
    log = "rework_minutes" if "rework_minutes" in components else "handling_minutes"
    pilot, gone = cases.says("arm", "pilot"), cases.says("outcome", "escalated", "abandoned")
    taken_over = f"{pilot} and {gone} and coalesce({log}, 0) = 0"
    return f"case when not coalesce({taken_over}, false) then {total} end"


def _late(timed: Floats, minutes: Floats) -> tuple[float, float] | None:
    """Mean minutes of the last third of the cases and of all; shapes (segments, weeks)."""
    by_week = timed.sum(axis=0)
    total = float(by_week.sum())
    if not total > 0:
        return None
    after = np.cumsum(by_week[::-1])[::-1]
    late = after <= total / 3
    if not late.any():
        late[-1] = True
    share = timed.sum(axis=1)
    known = timed[:, late].sum(axis=1) > 0
    if late.all() or not share[known].sum() > 0:
        return None
    weight = share[known] / share[known].sum()

    def mean(inside: Any) -> float:
        return float(
            (weight * minutes[known][:, inside].sum(axis=1) / timed[known][:, inside].sum(axis=1)).sum()
        )

    return mean(late), mean(np.ones(late.size, dtype=bool))
