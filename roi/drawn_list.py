"""A seeded, stratified list of cases or actions for a person to look at, each with the chance it had to be on it.

Which rows are drawn depends on the seed and on what identifies them, not on the order in which they lie. The chance of
each row is the drawn part of its stratum; fed back as `label_probability`, it lets the labels stand for all cases.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from roi.labelling_plan import label_needs
from roi.problems import ParameterError, Problem
from roi.readers.base import literal, quoted
from roi.reduce import take_moments
from roi.samples import Samples, open_samples
from roi.words import and_list, plain_cell

if TYPE_CHECKING:
    from roi.parameters import LoadedParameters

__all__ = ["DrawnList", "Purpose", "Table", "allocate", "as_csv", "draw_list", "sample_lists"]

Table = Literal["cases", "actions"]
Purpose = Literal["audit", "labels"]

_TABLES: tuple[Table, ...] = ("cases", "actions")
_KEYS: dict[str, tuple[str, ...]] = {
    "cases": ("case_id", "arm", "setting", "version"),
    "actions": ("action_id", "case_id", "tool", "seq", "version"),
}
# From coarse to fine; the finest that the size of the list allows is used.
_STRATA: dict[tuple[str, str], tuple[str, ...]] = {
    ("cases", "audit"): ("arm", "segment", "outcome_known", "version"),
    ("cases", "labels"): ("arm", "segment", "version"),
    ("actions", "audit"): ("risk", "effect", "decision", "version"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnList:
    """Rows of one table that were drawn.

    Attributes:
        table: Of which table.
        purpose: What for.
        strata: The columns within whose combinations rows were drawn alike; none where all were drawn alike.
        rows: Each drawn row: its pseudonym, its number in the source (data rows from 1), the values of `strata`, the
            rows of its stratum, how many of these were drawn, and the chance.
        population: Rows that could be drawn.
        left_out: Cases that people labelled already, where the list is for labels.
    """

    table: Table
    purpose: Purpose
    strata: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    population: int
    left_out: int


def draw_list(samples: Samples, *, table: Table, purpose: Purpose, n: int, seed: int) -> DrawnList:
    """Draw a stratified list at random.

    Args:
        samples: The opened samples.
        table: cases (production cases) or actions.
        purpose: audit draws from all rows in proportion; labels from cases that no person labelled yet, half of the
            list from each arm.
        n: How many rows, at least 1; fewer where there are no more.
        seed: The same seed and rows give the same list, in whatever order the rows lie.

    Returns:
        The list, in an order that tells nothing of the strata.

    Raises:
        ValueError: If `n` is below 1, or the table was not given.

    Source:
        Cochran (1977), Sampling Techniques, chapter 5, for proportional allocation.
    """
    if n < 1 or table not in samples.tables or (table, purpose) not in _STRATA:
        raise ValueError(f"no list of {n} rows of {table} for {purpose}")
    columns = set(samples.tables[table].columns)
    condition = _live(columns) if table == "cases" else "true"
    labelled = f"({condition}) and {_labelled(columns)}"
    con = samples.con
    left_out = 0
    if purpose == "labels":
        left_out = int(con.execute(f"select count(*) from {quoted(table)} where {labelled}").fetchall()[0][0])
        condition = f"({condition}) and not {_labelled(columns)}"
    fine = [c for c in _STRATA[table, purpose] if c in columns or c == "outcome_known"]
    values = {c: _labelled(columns) if c == "outcome_known" else quoted(c) for c in fine}
    keys = [samples.text_of(c) if c.endswith("_id") else quoted(c) for c in _KEYS[table] if c in columns]
    texts = ", ".join(f"coalesce({k}::varchar, chr(30))" for k in keys)
    place = f"sha256(concat_ws('|', {literal(f'{seed} {purpose}')}, {texts}))"
    strata: list[str] = []
    sizes = _sizes(con, table, condition, [], values)
    for column in fine:
        finer = _sizes(con, table, condition, [*strata, column], values)
        if len(finer) > n:
            break
        strata.append(column)
        sizes = finer
    names = [tuple(row[:-1]) for row in sizes]
    counts = [int(row[-1]) for row in sizes]
    halves = purpose == "labels" and strata[:1] == ["arm"]
    drawn = _by_arm(names, counts, n) if halves else allocate(counts, n)
    shown = "".join(f", ({values[c]})::varchar as s{k}" for k, c in enumerate(strata))
    within = f"partition by {', '.join(f's{k}' for k in range(len(strata)))} " if strata else ""
    rows = con.execute(
        f'select {keys[0]}::varchar, "row", {place} as place{shown} from {quoted(table)} where {condition} '
        f'qualify row_number() over ({within}order by place, "row") <= {max(drawn, default=0)} '
        'order by place, "row"'
    ).fetchall()
    found: list[dict[str, Any]] = []
    left = dict(zip(names, drawn, strict=True))
    take = dict(left)
    of = dict(zip(names, counts, strict=True))
    for key, number, _, *own in rows:
        name = tuple(own)
        if left[name] > 0:
            left[name] -= 1
            listed = dict(zip(strata, name, strict=True))
            found.append({"id": str(key), "row": int(number), **listed, "of": of[name], "drawn": take[name]})
    return DrawnList(
        table=table,
        purpose=purpose,
        strata=tuple(strata),
        rows=tuple(found),
        population=sum(counts),
        left_out=left_out,
    )


def allocate(sizes: Sequence[int], n: int) -> list[int]:
    """How many of each stratum to draw: one of each, then in proportion (largest remainders), never more than it holds.

    Args:
        sizes: Rows of each stratum, each at least 1.
        n: How many in all, at least as many as there are strata, if that many are to be drawn from each.

    Returns:
        Numbers that sum to min(n, sum of `sizes`).
    """
    total, wanted = sum(sizes), min(n, sum(sizes))
    if total == 0:
        return [0] * len(sizes)
    least = 1 if len(sizes) <= wanted else 0  # a stratum that could not be drawn would stand for nothing
    ideal = [size * wanted / total for size in sizes]
    taken = [max(least, min(size, size * wanted // total)) for size in sizes]
    while sum(taken) > wanted:  # ones for small strata come out of the best provided
        spare = [k for k in range(len(sizes)) if taken[k] > least]
        taken[max(spare, key=lambda k: (taken[k] - ideal[k], k))] -= 1
    while sum(taken) < wanted:
        room = [k for k in range(len(sizes)) if taken[k] < sizes[k]]
        taken[max(room, key=lambda k: (ideal[k] - taken[k], -k))] += 1
    return taken


def _by_arm(names: Sequence[tuple[str | None, ...]], sizes: Sequence[int], n: int) -> list[int]:
    """Half of the list from each arm, for both rates enter the difference; what one arm lacks comes from the other."""
    arms = sorted({str(name[0]) for name in names})
    members = {arm: [i for i, name in enumerate(names) if str(name[0]) == arm] for arm in arms}
    room = {arm: sum(sizes[i] for i in members[arm]) for arm in arms}
    share = {arm: min(room[arm], max((n + k) // len(arms), len(members[arm]))) for k, arm in enumerate(arms)}
    for arm in arms:
        rest = min(n, sum(room.values())) - sum(share[a] for a in arms if a != arm)
        share[arm] = max(min(room[arm], rest), min(len(members[arm]), room[arm]))
    drawn = [0] * len(sizes)
    for arm in arms:
        for i, take in zip(members[arm], allocate([sizes[i] for i in members[arm]], share[arm]), strict=True):
            drawn[i] = take
    return drawn


def _live(columns: set[str]) -> str:
    return "setting is distinct from 'demo'" if "setting" in columns else "true"


def _labelled(columns: set[str]) -> str:
    """SQL that is true of cases that a person labelled."""
    if "outcome" not in columns:
        return "false"
    people = "coalesce(label_source, 'human') <> 'judge'" if "label_source" in columns else "true"
    return f"(outcome is not null and {people})"


def _sizes(con: Any, table: str, condition: str, strata: Sequence[str], values: dict[str, str]) -> list[Any]:
    """Values of the strata as texts, and their rows, in a fixed order."""
    if not strata:
        rows = con.execute(f"select count(*) from {quoted(table)} where {condition}").fetchall()
        return list(rows) if rows[0][0] else []
    listed = ", ".join(f"({values[c]})::varchar as s{k}" for k, c in enumerate(strata))
    order = ", ".join(f"s{k}" for k in range(len(strata)))
    sql = f"select {listed}, count(*) from {quoted(table)} where {condition} group by all order by {order}"
    return list(con.execute(sql).fetchall())


def as_csv(lists: Sequence[DrawnList]) -> str:
    """Lists as a CSV file for whoever looks at the rows; no cell of it can be a formula in a spreadsheet.

    A list for labels leaves out the strata, which name the arm that a blind labeller must not know, and has empty
    columns for what is found.
    """
    labels = all(x.purpose == "labels" for x in lists)
    strata = [] if labels else list(dict.fromkeys(c for x in lists for c in x.strata))
    columns = ["table", "id", "row", *strata]
    columns += (
        ["label_probability", "outcome", "severity"] if labels else ["stratum_rows", "drawn", "probability"]
    )
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for found in lists:
        for row in found.rows:
            chance = f"{row['drawn'] / row['of']:.9g}"
            end = [chance, "", ""] if labels else [row["of"], row["drawn"], chance]
            cells = [found.table, row["id"], row["row"], *(row.get(c) or "" for c in strata), *end]
            writer.writerow([plain_cell(cell) for cell in cells])
    return text.getvalue()


def sample_lists(
    loaded: LoadedParameters, *, table: str | None, purpose: str, n: int, seed: int | None
) -> tuple[str, list[str]]:
    """The lists of a pilot as one CSV file, and what to say beside it.

    Args:
        loaded: The pilot's checked parameters.
        table: cases or actions; None takes both for an audit, where there are actions, and cases for labels.
        purpose: audit or labels.
        n: Rows of each table.
        seed: The seed; that of the run where None.

    Returns:
        The file's text and sentences.

    Raises:
        SampleError: If the samples need mending.
        ParameterError: If the table is not there, or actions are to be labelled.
    """
    samples = open_samples(loaded)
    if "cases" not in samples.tables and table in (None, "cases"):
        message = "there are no cases to draw from, only a report's counts and sums; give samples.cases"
        raise ParameterError([Problem(loaded.name, "samples.aggregates", message)])
    wanted = [table] if table else ["cases"] if purpose == "labels" else ["cases", "actions"]
    if purpose == "labels" and "actions" in wanted:
        raise ParameterError(
            [
                Problem(
                    loaded.name,
                    "samples.actions",
                    "actions are not labelled; leave --table out, or draw for an audit",
                )
            ]
        )
    if table is not None and table not in samples.tables:
        raise ParameterError(
            [Problem(loaded.name, f"samples.{table}", "is not given, so nothing can be drawn from it")]
        )
    if staying := [name for name in _TABLES if name in wanted and name in samples.staying]:
        are = "is" if len(staying) == 1 else "are"
        message = (
            f"{and_list(staying)} {are} in a database whose rows have no number here, so that nobody could find what a "
            "list names; leave run.engine away for this"
        )
        raise ParameterError([Problem(loaded.name, "run.engine", message)])
    chosen = loaded.parameters.run.seed if seed is None else seed
    kind: Purpose = "labels" if purpose == "labels" else "audit"
    lists = [
        draw_list(samples, table=name, purpose=kind, n=n, seed=chosen)
        for name in _TABLES
        if name in wanted and name in samples.tables
    ]
    said = [_about(found) for found in lists]
    if purpose == "labels":
        needs = label_needs(take_moments(samples), limit=loaded.policy.max_severe_error_rate)
        said += [need.text for need in needs]
    return as_csv(lists), said


def _about(found: DrawnList) -> str:
    how = f"by {and_list(c.replace('_', ' ') for c in found.strata)}" if found.strata else "all alike"
    text = f"{len(found.rows):,} of {found.population:,} {found.table} drawn at random, {how}."
    if found.left_out:
        text += f" {found.left_out:,} cases have a person's label already: give them label_probability 1."
    if found.purpose == "labels" and found.rows:
        text += " Map label_probability and write samples.labels.selection: risk_based, for chances differ a little."
    return text
