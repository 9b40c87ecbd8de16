"""The logs laid down for the checks, so that what decides which rows may be used is worked out once."""

from __future__ import annotations

from dataclasses import replace

from roi.controls.logs import Logs
from roi.readers.base import quoted
from roi.relation import Relation

__all__ = ["hold"]

HELD = ("cases", "actions")


def hold(logs: Logs) -> Logs:
    """The same logs, with the larger tables laid down beside the views that they are.

    A view works out anew, each time that it is asked, which rows may be used: with five layers that ask several times
    each, that is most of the time.
    """
    tables = dict(logs.samples.tables)
    for name in HELD:
        table = tables.get(name)
        if table is None:
            continue
        held = f"logs_{name}"
        logs.samples.con.execute(f"create or replace temp table {quoted(held)} as select * from {table.sql}")
        tables[name] = Relation.named(held, table.columns)
    return replace(logs, samples=replace(logs.samples, tables=tables))
