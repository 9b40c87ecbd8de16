"""Rules that rows must keep: one aggregate query a table, and a second look only where one is broken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from roi.blocks import distinct_keys
from roi.problems import Problem
from roi.readers.base import Connection, quoted
from roi.sample_tables import ReadTable
from roi.words import plural

__all__ = [
    "Checked",
    "causes_without_loss",
    "check_table",
    "long_medians",
    "rules_of",
    "used_rows",
    "zero_cost",
]

_MOST_MINUTES = 60 * 24 * 60  # 60 days of hands-on work on one case
_LONG_MINUTES = 8 * 60
_FAR_TOO_LONG = 7 * 24 * 60
_MOST_COST = 100_000_000  # half of what fits beside nine decimals, so that sums stay exact


@dataclass(frozen=True, slots=True)
class Checked:
    """What the look at a table's rows found.

    Attributes:
        problems: Rules that are broken.
        warnings: What is odd but possible.
        used: Rows that hold a case (or the table's own key).
        empty: Rows without any cell.
        keyless: Rows that hold something but not the key.
        doubled: Rows beyond the first of their key, or 0 where keys are not judged.
        zero_costs: Costs of 0 beside logged tokens.
        once: Whether no two rows have the same key.
    """

    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    used: int
    empty: int
    keyless: int
    doubled: int
    zero_costs: int
    once: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    column: str
    broken: str
    text: str
    shows: str | None = None
    within: tuple[float, float] | None = None  # ends of the column, where nothing else is asked


def used_rows(read: ReadTable) -> str:
    """SQL that is true of rows that hold their key."""
    if read.plain:
        return "true"
    key = read.key
    holds = f"(flags_ & {read.bit('empty') | read.bit('total')}) = 0"
    return f"{holds} and {quoted(key)} is not null" if key else holds


def check_table(con: Connection, read: ReadTable) -> Checked:
    """Hold a table's rows against the rules.

    Args:
        con: The engine.
        read: The table.

    Returns:
        What was found; nothing in it is a text of a cell.
    """
    table, used = read.spec.table, used_rows(read)
    rules = rules_of(read)
    key = read.key
    keys = _identity(read)
    # What is true of every row is not asked of each.
    among, so = ("", "") if read.plain else (f" filter ({used})", f"{used} and ")
    named = read.bit("empty") | read.bit("total")
    distinct = f"count(distinct {quoted(keys[0]) if key else _hashed(keys)}){among}" if keys else ""
    if read.span is not None:
        distinct = str(distinct_keys(con, read.name, keys[0]))
    capped = read.bit("capped")
    timed = [c.name for c in read.columns.values() if c.kind == "minutes" and table == "cases"]
    ends = _ends(con, read, [*timed, *(rule.column for rule in rules if rule.within)])

    def may(column: str, low: float, high: float) -> bool:
        """Whether a column may hold anything beyond."""
        least, most = ends.get(column, (None, None)) if read.words else (-inf, inf)
        return least is not None and (least < low or most > high)

    broken = [
        "false" if rule.within and not may(rule.column, *rule.within) else f"{so}({rule.broken})"
        for rule in rules
    ]
    is_long = [
        f"{so}{name} > {_LONG_MINUTES}" if may(name, -inf, _LONG_MINUTES) else "false" for name in timed
    ]
    parts = [
        f"count(*){among}",
        _count("false" if read.plain else f"(flags_ & {read.bit('empty')}) <> 0"),
        _count("false" if read.plain or not key else f"(flags_ & {named}) = 0 and {quoted(key)} is null"),
        # To tell rows apart by their key alone takes half as long as by all that makes them one.
        f"count(*){among} - {distinct}" if keys else "0",
        f"count(*) filter ({so}{zero_cost(read)})",
        *map(_count, broken),
    ]
    parts += ["1" if no == "false" else f"count({c}){among}" for c, no in zip(timed, is_long, strict=True)]
    parts += map(_count, is_long)
    parts.append(_count(f"(flags_ & {capped}) <> 0" if read.set_flags & capped else "false"))
    counts = con.execute(f"select {', '.join(parts)} from {read.name}").fetchall()[0]
    problems = [
        _problem(con, read, rule, int(n), used)
        for rule, n in zip(rules, counts[5 : 5 + len(rules)], strict=True)
        if n
    ]
    n_used, n_empty, keyless, doubled, zero_costs = (int(n) for n in counts[:5])
    once = key is not None and not doubled
    if doubled and len(keys) > 1 and key:
        counted = f"select count(*) - count(distinct {_hashed(keys)}) from {read.name} where {used}"
        doubled = int(con.execute(counted).fetchall()[0][0])
    if doubled and table == "aggregates":
        problems.append(_twice(con, read, keys, doubled, used))
    if n_used == 0:
        read_rows = "1 row was" if read.total == 1 else f"{read.total:,} rows were"
        what = "a case" if table == "cases" else "anything"
        problems.append(Problem(read.rows.label, "", f"no row holds {what} ({read_rows} read)"))
    known, long = (counts[5 + len(rules) + i * len(timed) :][: len(timed)] for i in (0, 1))
    # The median, which is dear, is asked only where it may be too long.
    asked = [name for name, n, above in zip(timed, known, long, strict=True) if 2 * int(above) >= int(n)]
    listed = ", ".join(f"quantile_disc({name}, 0.5) filter ({used})" for name in asked)
    medians = con.execute(f"select {listed} from {read.name}").fetchall()[0] if asked else ()
    more, warnings = long_medians(read.rows.label, list(zip(asked, medians, strict=True)))
    problems += more
    if counts[-1]:
        warnings.append(f"{counts[-1]:,} durations were longer than their cap and were cut to it")
    return Checked(tuple(problems), tuple(warnings), n_used, n_empty, keyless, doubled, zero_costs, once)


def _count(condition: str) -> str:
    return "0" if condition == "false" else f"count(*) filter ({condition})"


def _ends(con: Connection, read: ReadTable, columns: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """Column of a large table → its least and its greatest value, which cost less than a count for each rule."""
    if not read.words or not columns:
        return {}
    listed = ", ".join(f"min({quoted(name)}), max({quoted(name)})" for name in columns)
    found = con.execute(f"select {listed} from {read.name}").fetchall()[0]
    return dict(zip(columns, zip(found[::2], found[1::2], strict=True), strict=True))


def long_medians(label: str, medians: Sequence[tuple[str, float | None]]) -> tuple[list[Problem], list[str]]:
    """Minutes that are hardly minutes: what must be mended, and what is odd but possible.

    Args:
        label: The source's name.
        medians: Column and the median of its values; None without any.
    """
    problems, warnings = [], []
    for name, median in medians:
        if median is not None and median > _FAR_TOO_LONG:
            message = (
                f"half of the values are above {float(median):,.0f} minutes of hands-on work on one case; "
                "set the unit they are in (unit: seconds, say)"
            )
            problems.append(Problem(label, name, message))
        elif median is not None and median > _LONG_MINUTES:
            warnings.append(
                f"{name}: half of the values are above {float(median):,.0f} minutes; if these are seconds, "
                "set unit: seconds"
            )
    return problems, warnings


def causes_without_loss(con: Connection, columns: Collection[str]) -> list[str]:
    """Warn of causes that stand on right results: there is no loss to ascribe to them.

    Args:
        con: The engine, which holds the view `cases` of what may be used.
        columns: Its columns.

    Returns:
        One sentence that counts them, or none. A right result that nobody used is a loss and may have a cause.
    """
    if not {"cause", "outcome"} <= set(columns):
        return []
    unused = "used = 'no'" if "used" in columns else "false"
    (n,) = con.execute(
        f"select count(*) from cases where outcome = 'correct' and cause is not null and not coalesce({unused}, false)"
    ).fetchall()[0]
    if not n:
        return []
    has, these = ("has", "this label is") if n == 1 else ("have", "these labels are")
    return [
        f"{plural(n, 'right result')} {has} a cause: there is no loss to ascribe, and {these} left out (cause)"
    ]


def zero_cost(read: ReadTable) -> str:
    """SQL that is true where a cost of 0 stands beside logged tokens."""
    tokens = [c for c in ("input_tokens", "output_tokens") if c in read.columns]
    if "agent_cost" not in read.columns or not tokens:
        return "false"
    return f"agent_cost = 0 and ({' or '.join(f'coalesce({t}, 0) > 0' for t in tokens)})"


def _hashed(keys: Sequence[str]) -> str:
    return f"hash({', '.join(quoted(key) for key in keys)})"


def _identity(read: ReadTable) -> Sequence[str]:
    if read.spec.table == "cases":
        return [c for c in ("case_id", "arm", "setting", "version") if c in read.columns]
    if read.spec.table == "aggregates":
        return [c for c in ("arm", "segment", "month", "worker") if c in read.columns]
    return ["action_id"] if read.spec.table == "actions" else []


def _twice(con: Connection, read: ReadTable, keys: Sequence[str], n: int, used: str) -> Problem:
    """A report that gives the same cases twice."""
    listed = ", ".join(quoted(key) for key in keys)
    (first,) = con.execute(
        f"select min(r) from (select rowid as r, row_number() over (partition by {listed} order by rowid) as k "
        f"from {read.name} where {used}) where k > 1"
    ).fetchall()[0]
    repeat = "row repeats" if n == 1 else "rows repeat"
    message = (
        f"{n:,} {repeat} the {' and '.join(keys)} of an earlier row (first: {read.rows.where(first)}); its cases would "
        "count twice: keep one of them, or add them up with query:"
    )
    return Problem(read.rows.label, keys[0], message)


_PARTS = ("minor_errors", "moderate_errors", "major_errors", "critical_errors")
_MEANS = ("minutes_mean", "handling_minutes_mean", "review_minutes_mean", "rework_minutes_mean")


def _rules_of_a_report(columns: Collection[str]) -> list[_Rule]:
    """What rows of counts, means and sums must keep among themselves."""

    def given(*names: str) -> list[str]:
        return [name for name in names if name in columns]

    def total(names: Sequence[str]) -> str:
        return " + ".join(f"coalesce({name}, 0)" for name in names) or "0"

    rules = [_Rule("n", "n < 1", "below 1; a row stands for at least one case", "n")]
    looked_at = "coalesce(labelled, n)" if "labelled" in columns else "n"
    if "labelled" in columns:
        rules.append(_Rule("labelled", "labelled > n", "above n, the cases of the row", "labelled"))
    means = given(*_MEANS)
    if "minutes_sd" in columns:
        alone = " and ".join(["minutes_sd is not null", *(f"{name} is null" for name in means)])
        rules.append(_Rule("minutes_sd", alone, "set where no mean is; write minutes_mean beside it"))
        single = "above 0 where n is 1; one case has no deviation: leave it blank"
        rules.append(_Rule("minutes_sd", "n = 1 and minutes_sd > 0", single, "minutes_sd"))
    parts = means[1:] if "minutes_mean" in columns else []
    if parts:
        more = "below the sum of handling, review and rework; it is all human minutes of a case"
        broken = f"{total(parts)} > minutes_mean * 1.001 + 0.01"  # as each is rounded
        rules.append(_Rule("minutes_mean", broken, more, "minutes_mean"))
    classes = given(*_PARTS)
    if "errors" in columns:
        above = "above the cases that were looked at (labelled, else n)"
        rules.append(_Rule("errors", f"errors > {looked_at}", above, "errors"))
        if classes:
            text = "below the sum of its severities"
            rules.append(_Rule("errors", f"{total(classes)} > errors", text, "errors"))
    seen = [*given("errors"), *given("severe_errors", *_PARTS)]
    outcomes = given("errors") or classes
    gone = given("escalations", "abandoned")
    for name in gone:
        broken = f"{total([*outcomes, *gone])} > {looked_at} and {name} > 0"
        text = (
            "more than the cases that were looked at, with errors, escalations and abandoned cases together"
        )
        rules.append(_Rule(name, broken, f"{text}; each case ends in one way", name))
        if outcomes:
            known = f"({' or '.join(f'{x} is not null' for x in outcomes)})"
            text = "blank beside errors; write 0 where there were none"
            rules.append(_Rule(name, f"{name} is null and {known}", text))
            rules.append(_Rule(name, f"{name} is not null and not {known}", "set where errors is blank"))
        else:
            text = "without the number of errors; map errors, or errors by severity"
            rules.append(_Rule(name, f"{name} is not null", text))
    if "severe_errors" in columns:
        if "errors" in columns:
            rules.append(_Rule("severe_errors", "severe_errors > errors", "above errors", "severe_errors"))
        else:
            text = "without the number of all errors; map errors, or errors by severity"
            rules.append(_Rule("severe_errors", "severe_errors is not null", text))
        severe = given("major_errors", "critical_errors")
        broken = f"severe_errors {'<>' if len(severe) == 2 else '<'} {total(severe)}"
        rules.append(
            _Rule("severe_errors", broken, "not the sum of major and critical ones", "severe_errors")
        )
    if seen and "labelled" in columns:
        text = "0 beside errors; it is the number of cases that were looked at"
        rules.append(_Rule("labelled", f"labelled = 0 and {total(seen)} > 0", text))
    for name in given("cost", "cost_mean"):
        rules.append(_Rule(name, f"{name} < 0", "below 0", name))
    if {"cost", "cost_mean"} <= set(columns):
        text = "set beside cost, which is the sum of the row; keep one of them"
        rules.append(_Rule("cost_mean", "cost is not null and cost_mean is not null", text))
    return rules


def rules_of(read: ReadTable) -> list[_Rule]:
    """What a table's rows must keep."""
    table, columns = read.spec.table, read.columns
    place = f"{read.spec.place}.columns"
    rules: list[_Rule] = []
    for name, column in columns.items():
        quoted_name = quoted(name)
        if column.kind in ("minutes", "count", "cost", "defects") or name in (
            "duration_ms",
            "errors",
            "cases",
            "adopted_cases",
        ):
            rules.append(_Rule(name, f"{quoted_name} < 0", "below 0", quoted_name, (0, inf)))
        if column.kind == "minutes" and table in ("cases", "aggregates"):
            mend = f"above 60 days of work; is {place}.{name}.unit wrong (seconds, say)?"
            beyond = f"{quoted_name} > {_MOST_MINUTES}"
            rules.append(_Rule(name, beyond, mend, quoted_name, (-inf, _MOST_MINUTES)))
        if column.kind == "cost":
            beyond, text = f"{quoted_name} > {_MOST_COST}", "above 100 million for one case"
            rules.append(_Rule(name, beyond, text, quoted_name, (-inf, _MOST_COST)))
        if column.kind == "share":
            rules.append(
                _Rule(
                    name,
                    f"not ({quoted_name} between 0 and 1)",
                    "not a share (0 to 1); 60 % is 0.60",
                    quoted_name,
                )
            )
        blank_counts = column.required and name != read.key and not (table == "actions" and name == "case_id")
        if blank_counts:
            rules.append(_Rule(name, f"{quoted_name} is null", f"blank; every row needs its {name}"))
    if table == "aggregates":
        rules += _rules_of_a_report(columns)
        if "worker" in columns:
            rules.append(_Rule("worker", "worker is null", "blank; name one in every row, or in none"))
    if "setting" in columns:
        rules.append(_Rule("setting", "setting is null", "blank; write demo or production"))
    for severity, outcome in (("severity", "outcome"), ("judge_severity", "judge_outcome")):
        if severity in columns and table == "cases":
            code = f"::{quoted(read.words[outcome])}" if outcome in read.words else ""
            beside = f"{outcome} is distinct from 'error'{code}" if outcome in columns else "true"
            text = f"set where {outcome} is not 'error'; only errors have a severity"
            rules.append(_Rule(severity, f"{severity} is not null and {beside}", text))
    for start, end in (
        ("started_at", "ended_at"),
        ("requested_at", "decided_at"),
        ("started_at", "restored_at"),
    ):
        if start in columns and end in columns and table != "actions":
            rules.append(_Rule(end, f"{end} < {start}", f"before {start}; are the two columns swapped?"))
    if {"cache_write_tokens", "cache_write_1h_tokens"} <= set(columns):
        text = "above cache_write_tokens, of which they are a part"
        broken = "cache_write_1h_tokens > coalesce(cache_write_tokens, 0)"
        rules.append(_Rule("cache_write_1h_tokens", broken, text, "cache_write_1h_tokens"))
    cached = [c for c in ("cache_read_tokens", "cache_write_tokens") if c in columns]
    if cached and "input_tokens" in columns:
        total = " + ".join(f"coalesce({c}, 0)" for c in cached)
        text = "below the cached tokens; input_tokens is the total, cached ones included"
        rules.append(_Rule("input_tokens", f"input_tokens < {total}", text, "input_tokens"))
    return rules


def _problem(con: Connection, read: ReadTable, rule: _Rule, n: int, used: str) -> Problem:
    shown = "" if rule.shows is None else f", {rule.shows}::varchar"
    row = con.execute(
        f"select rowid + 1{shown} from {read.name} where {used} and ({rule.broken}) order by rowid limit 1"
    ).fetchall()[0]
    value = f", {_plain(row[1])}" if rule.shows is not None else ""
    many = f"{n:,} value{'s' if n != 1 else ''}"
    where = read.rows.where(row[0] - 1)
    return Problem(read.rows.label, rule.column, f"{many} {rule.text} (first: {where}{value})")


def _plain(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
