"""What is asked of the cases that actions are of, as bits of their keys."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from roi.blocks import MOST_WORDS, Blocks, lay_blocks
from roi.moments import fetch
from roi.readers.base import literal

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["LAID", "WORDS", "case_bits"]

LAID = "cases_in_bits"
WORDS = ("outcome", "setting", "segment", "used", "label_source")


def case_bits(samples: Samples) -> Blocks | None:
    """The bits `case_` (it is one), `pilot_` (of the pilot's arm), `live_` (there, in production), `wrong_` (of the
    pilot's arm, with an error), and its `WORDS`.

    Args:
        samples: The opened samples. The bits are laid in their engine once.

    Returns:
        None where keys have no room for bits, a case is several rows, or a column has many words.
    """
    cases = samples.tables["cases"]
    if "cases" not in samples.spans or "cases" not in samples.once:
        return None
    types = {row[0]: str(row[1]) for row in fetch(samples, f"describe select * from {cases.sql}")}
    if fetch(samples, f"select 1 from duckdb_tables() where table_name = '{LAID}'"):
        ((kept,),) = fetch(samples, f"select getvariable('{LAID}')")
        return Blocks(LAID, {told["of"]: tuple(told["words"]) for told in kept}, types)
    words = {}
    for column in (c for c in WORDS if c in cases.columns):
        listed = f"select distinct {column} from {cases.sql} where {column} is not null order by 1"
        words[column] = tuple(word for (word,) in fetch(samples, f"{listed} limit {MOST_WORDS + 1}"))
        if len(words[column]) > MOST_WORDS:
            return None
    kept = ", ".join(
        f"{{'of': '{column}', 'words': [{', '.join(map(literal, known))}]::varchar[]}}"
        for column, known in words.items()
    )
    samples.con.execute(f"set variable {LAID} = [{kept}]")
    pilot = cases.says("arm", "pilot")
    live = pilot + (" and setting is distinct from 'demo'" if "setting" in words else "")
    wrong = f"{pilot} and {cases.says('outcome', 'error')}" if "outcome" in words else "false"
    bits = {"case_": None, "pilot_": pilot, "live_": live, "wrong_": wrong}
    ways = 2 * prod(len(known) + 1 for known in words.values())
    alike = ("arm", *words) if samples.spans["cases"].takes(ways) else ()
    return lay_blocks(samples.con, LAID, cases.sql, "case_id", bits, words=words, types=types, alike=alike)
