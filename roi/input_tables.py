"""The inputs as a sample table: which rows belong to which cases, what is wrong in them, and so in the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from roi.canonical import CANONICAL
from roi.categories import UNKNOWN, Categories
from roi.input_cells import judge_cells
from roi.input_rules import InputRule
from roi.raw_inputs import RawFields, look_at
from roi.readers.base import Connection, literal, quoted
from roi.sample_tables import ReadTable

__all__ = ["InputField", "Inputs", "defects_of", "settle_inputs", "unknown_inputs", "with_defects"]

ALL = "(all)"  # as of cases that name no segment


@dataclass(frozen=True, slots=True, kw_only=True)
class InputField:
    """A raw field as it was judged.

    Attributes:
        name: Of the column.
        kind: What its values are: number, date, email, code, category, text, ..., or unclear.
        rules: What they were held against.
        counts: The bits of what counts as a defect.
    """

    name: str
    kind: str
    rules: tuple[InputRule, ...]
    counts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What was made of the inputs.

    Attributes:
        fields: The raw fields; of field i the view `inputs` has the bits `b<i>` and the bin `x<i>`.
        fills: Whether the cases had no column of defects, so that these are theirs.
    """

    fields: tuple[InputField, ...]
    fills: bool

    def in_words(self) -> str:
        """What is said where the cases' defects are those that were counted here."""
        counted = [rule for f in self.fields for rule in f.rules if rule.counts]
        inferred = sum(not rule.stated for rule in counted)
        return (
            f"The cases have no column input_defects: defects were counted from the inputs by {len(counted):,} rules, "
            f"of which {inferred:,} were inferred from the fields' own values (samples.inputs.fields states them)"
        )


def settle_inputs(
    con: Connection,
    read: ReadTable,
    cases: ReadTable | None,
    keep: Mapping[str, str],
    raw: RawFields,
    categories: Categories,
    *,
    timezone: str,
) -> Inputs:
    """Judge the raw fields, and leave the view `inputs` in the engine: small numbers a row, and no text.

    Args:
        con: The engine, which holds the raw fields.
        read: The inputs' canonical columns.
        cases: The cases; None where there is a report in their place.
        keep: Table → SQL that is true of its rows that may be used.
        raw: The fields.
        categories: Which segments may be shown.
        timezone: Of times that carry none.
    """
    columns = set() if cases is None else set(cases.columns)
    source = (
        "select null::varchar as case_id, false as known, null::varchar as setting, null::varchar as segment, "
        "null::timestamp as started_at, null::timestamp as ended_at limit 0"
    )
    if cases is not None:
        segment = f"min({categories.shown(cases, 'segment')})" if "segment" in columns else "null::varchar"
        source = (
            f"select case_id, true as known, {_of('max', 'setting', 'varchar', columns)}, {segment} as segment, "
            f"{_of('min', 'started_at', 'timestamp', columns)}, {_of('max', 'ended_at', 'timestamp', columns)} "
            f"from {cases.name} where {keep['cases']} group by case_id"
        )
    own_setting = "i.setting" if "setting" in read.columns else "null::varchar"
    own_segment = "i.shown" if "segment" in read.columns else "null::varchar"
    shown = categories.shown(read, "segment") if "segment" in read.columns else "null"
    rest = UNKNOWN if "segment" in columns or "segment" in read.columns else ALL
    con.execute(
        "create or replace table linked_inputs as select i.r, i.case_id, "
        f"coalesce({own_setting}, c.setting, 'production') as setting, "
        f"coalesce({own_setting}, c.setting, 'production') = 'demo' as demo, "
        f"coalesce(c.segment, {own_segment}, {literal(rest)}) as segment, "
        "coalesce(c.known, false) as known, c.started_at, c.ended_at, w.v "
        f"from (select rowid as r, *, {shown} as shown from {read.name} where {keep['inputs']}) i "
        "join (select rowid as r, v from raw_inputs) w on w.r = i.r "
        f"left join ({source}) c on c.case_id = i.case_id order by i.r"
    )
    plans = look_at(con, raw)
    plans = judge_cells(con, raw, plans, timezone=timezone, has_start="started_at" in columns)
    con.execute('create or replace view "inputs" as select * from t_inputs_codes')
    fields = tuple(
        InputField(name=p.name, kind=p.kind, rules=p.rules, counts=p.mask(counting=True)) for p in plans
    )
    return Inputs(fields=fields, fills=cases is not None and "input_defects" not in columns)


def _of(how: str, column: str, kind: str, columns: set[str]) -> str:
    return f"{how}({column}) as {column}" if column in columns else f"null::{kind} as {column}"


def defects_of(fields: tuple[InputField, ...]) -> str:
    """SQL of the number of defective fields of a case, over its rows of inputs."""
    parts = [f"((bit_or(b{i}) & {f.counts}) <> 0)::int" for i, f in enumerate(fields) if f.counts]
    return " + ".join(parts) or "0"


def with_defects(con: Connection, cases: ReadTable, inputs: Inputs) -> ReadTable:
    """The cases with the number of their defective fields, which is not known of cases without a row of inputs."""
    setting = "coalesce(c.setting, 'production')" if "setting" in cases.columns else "'production'"
    name = f"{cases.name}_defects"
    con.execute(
        f"create or replace table {name} as select c.*, d.n as input_defects from {cases.name} c left join "
        f"(select case_id, setting, ({defects_of(inputs.fields)})::bigint as n from inputs group by 1, 2) d "
        f"on d.case_id = c.case_id and d.setting = {setting} order by c.rowid"
    )
    columns = {**cases.columns, "input_defects": CANONICAL["cases"]["input_defects"]}
    order = [n for n in CANONICAL["cases"] if n in columns]
    return replace(cases, name=name, columns={n: columns[n] for n in order})


def unknown_inputs(con: Connection) -> tuple[int, int]:
    """Rows of production inputs, and of demo inputs, whose case is not among the cases."""
    row = con.execute(
        f"select count(*) filter (setting <> 'demo'), count(*) filter (setting = 'demo') from {quoted('inputs')} "
        "where not known"
    ).fetchall()[0]
    return int(row[0]), int(row[1])
