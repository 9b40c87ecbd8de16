"""All rows of each finding of the controls as a file; the record and its page name the first and count the rest."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from roi.controls.catalogue import CATALOGUE, LAYERS
from roi.controls.check import Check
from roi.controls.scorecard import Scorecard
from roi.samples import Samples
from roi.words import plain_cell

__all__ = ["FINDINGS", "write_findings"]

FINDINGS = "findings.csv"
COLUMNS = ("layer", "check", "status", "table", "row", "case_id", "action_id", "what", "mend")
KEYS = ("case_id", "action_id")
AT_A_TIME = (
    10_000  # rows fetched and written together: a finding of every row takes no more memory than a short one
)


def write_findings(card: Scorecard, samples: Samples, target: Path) -> Path:
    """Write a line for each row of each check that fails, and for the first rows of what lacks evidence.

    What lacks evidence may lack it of every row of a log (of an undated grant, every call): such rows tell nothing
    apart, and are counted in a line of their own. A check that no single row shows has one line without a row. Checks
    of single people are left out, whatever they found: they are on the restricted page.

    Args:
        card: What the checks found, taken from these samples.
        samples: The opened samples. Cases and actions go by their pseudonyms, rows by their number in the source.
        target: The file; a reader sees the old one or the new one, never a half.

    Returns:
        The file.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for check in card.checks:
                if check.status != "pass" and not CATALOGUE[check.name].personal:
                    writer.writerows(_lines(check, samples))
        os.replace(partial, target)
    finally:
        with suppress(OSError):
            partial.unlink()
    return target


def _lines(check: Check, samples: Samples) -> Iterator[list[object]]:
    asked = CATALOGUE[check.name]
    before = [plain_cell(x) for x in (LAYERS[asked.layer], check.name, check.status)]
    after = [plain_cell(x) for x in (check.evidence, check.mend)]
    found = check.rows
    if found is None or not found.count:
        yield [*before, "", "", "", "", *after]
        return
    listed = 0
    numbers = (found.every or found.first) if check.status == "fail" else found.first
    for row, case, action in _numbered(found.table, numbers, samples) if numbers else ():
        listed += 1
        yield [*before, found.table, row, plain_cell(case or ""), plain_cell(action or ""), *after]
    if listed < found.count:  # of what fails, such as a seal tells of and cannot locate
        more = (
            f"{found.count - listed:,}{' more' if listed else ''}"
            f"{', of which no row is known' if check.status == 'fail' else ''}"
        )
        yield [*before, found.table, more, "", "", *after]


def _numbered(name: str, numbers: Sequence[int] | str, samples: Samples) -> Iterator[tuple[Any, ...]]:
    """The number of each row with its case and its action, ascending; a row that was left out at reading has neither.

    Args:
        name: Of the table.
        numbers: Of the rows, or the query that gives them.
        samples: The opened samples.
    """
    listed, given = (numbers, []) if isinstance(numbers, str) else ("select unnest(?)", [list(numbers)])
    table = samples.tables[name]
    keys = ", ".join(f"{samples.text_of(key) if key in table.columns else 'null'} as {key}" for key in KEYS)
    # On the engine's own connection, which alone knows the tables that the checks laid down.
    con = samples.con.execute(
        f"select n, {', '.join(KEYS)} from ({listed}) as listed_(n) "
        f'left join (select "row" as r_, {keys} from {table.sql}) on r_ = n order by n',
        given,
    )
    while rows := con.fetchmany(AT_A_TIME):
        yield from rows
