"""The table of actuals as it is written: one row a month, or one a month and segment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roi.categories import OTHER
from roi.checks import check_table, used_rows
from roi.engine import forget, prepare, relations, start
from roi.mapping import to_spec
from roi.moments import fetch
from roi.parameters import LoadedParameters
from roi.privacy import make_keys
from roi.problems import Problem, SampleError
from roi.readers.base import UnreadableError, literal, quoted
from roi.sample_tables import Surroundings, read_table
from roi.samples import Samples

__all__ = ["NUMBERS", "PLACE", "ActualRow", "open_actuals", "rows_of"]

PLACE = "samples.actuals"
NUMBERS = ("cases", "adopted_cases", "human_minutes", "errors", "cost", "cash_released")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualRow:
    """A row of the table, as it is written; what is blank is None.

    Attributes:
        row: Its number from 1, by which a later row is told.
        month: First day of the month.
        segment: Segment it is about; None where the row is about all.
        complete: Whether the month is complete in it; None where it does not say.
        currency: Of its `cost`: the agent may be billed in another one.
        own: Of its `cash_released`: the pilot's.
        numbers: By column of `NUMBERS`.
    """

    row: int
    month: dt.date
    segment: str | None
    complete: bool | None
    currency: str
    own: str
    numbers: Mapping[str, float | None]


def open_actuals(loaded: LoadedParameters, segments: Sequence[str]) -> Samples:
    """Read the actuals alone, where the samples of the decision are gone; its archive stands for them.

    Args:
        loaded: The checked parameters, which name the table.
        segments: Names of segments that may be shown; any other is `(other)`.

    Raises:
        SampleError: If the table must be mended, or the file names none.
    """
    given = loaded.parameters.samples
    if given.actuals is None:
        raise SampleError([Problem(loaded.name, PLACE, "names no table of what came after the decision")])
    con = start()
    prepare(con, make_keys(loaded.parameters.pilot, key_env=loaded.policy.privacy.key_env))
    around = Surroundings(
        con=con,
        project=loaded.project,
        folder=loaded.path.parent,
        file=loaded.name,
        timezone=given.timezone or "UTC",
        currency=loaded.parameters.about.currency,
    )
    try:
        read = read_table(to_spec("actuals", given.actuals, PLACE), around, name="t_actuals")
    except UnreadableError as error:
        con.close()
        raise SampleError(error.problems) from None
    if problems := check_table(con, read).problems:
        con.close()
        raise SampleError(problems)
    named = ", ".join(literal(name) for name in segments) or "null"
    shown = [
        f"case when {quoted(c)} in ({named}) then {quoted(c)} when {quoted(c)} is not null then {literal(OTHER)} end "
        f"as {quoted(c)}"
        if c == "segment"
        else quoted(c)
        for c in read.columns
    ]
    con.execute(
        f'create or replace view "actuals" as select {", ".join(shown)}, rowid + 1 as "row" '
        f"from {read.name} where {used_rows(read)}"
    )
    forget(con)
    return Samples(tables=relations(con, ["actuals"]), con=con)


def rows_of(samples: Samples, currency: str) -> tuple[ActualRow, ...]:
    """The rows of the actuals in the order of the table; none without one.

    Args:
        samples: The opened samples.
        currency: The pilot's: of cash, and of the agent's cost in rows that name none.
    """
    table = samples.tables.get("actuals")
    if table is None:
        return ()
    names = ("month", "segment", "complete", "cost_currency", *NUMBERS)
    listed = ", ".join(name if name in table.columns else "null" for name in names)
    return tuple(
        ActualRow(
            row=int(row),
            month=month,
            segment=segment,
            complete=complete,
            currency=billed or currency,
            own=currency,
            numbers={n: None if x is None else float(x) for n, x in zip(NUMBERS, numbers, strict=True)},
        )
        for row, month, segment, complete, billed, *numbers in fetch(
            samples, f'select "row", {listed} from {table.sql} order by "row"'
        )
    )
