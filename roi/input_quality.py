"""How good the inputs are, field by field and segment by segment, in the demo and in production.

Only counts of cases leave the engine. A field is wrong in a case where it is in any of the case's rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from roi.input_cells import BINS
from roi.input_rules import DEFECTS, MARKED
from roi.input_tables import InputField, defects_of
from roi.moments import fetch

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["ANY", "COLUMNS", "FEW", "SETTINGS", "InputQuality", "take_input_quality"]

Ints = npt.NDArray[np.int64]

SETTINGS = ("production", "demo")
FEW = "(other)"  # segments of so few cases that they are not told apart
COLUMNS = (*DEFECTS, "placeholder", "defective")
"""What cases are counted by, a column each: what is wrong with a field, a placeholder in it, any defect that counts."""
ANY = COLUMNS.index("defective")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputQuality:
    """Counts of cases with a row of inputs.

    Attributes:
        fields: The raw fields and the rules of each.
        segments: Names.
        cases: Cases by setting (production, demo) and segment, shape (2, segments).
        broken: Of these, cases by field and by what is wrong with it, shape (2, segments, fields, `COLUMNS`).
        bins: Cases by the bin that a field's value falls into, shape (fields, 2, bins); bin 0 is missing.
        clean: Cases without a defect that counts, shape (2, segments).
        defects: Defects of all cases together, shape (2, segments).
        rows: Rows by setting, shape (2,).
        unknown: Rows by setting whose case is not among the cases, shape (2,).
        repeated: Cases by setting with more than one row, shape (2,).
        differing: Of these, cases whose rows differ, shape (2,).
        alike: Cases by setting all of whose fields are those of another case, shape (2,).
        agreement: Where the cases have a column of their own: cases by that column (clean, defective) and by these
            counts (clean, defective), shape (2, 2); None where they have none, or no case has both.
    """

    fields: tuple[InputField, ...]
    segments: tuple[str, ...]
    cases: Ints
    broken: Ints
    bins: Ints
    clean: Ints
    defects: Ints
    rows: Ints
    unknown: Ints
    repeated: Ints
    differing: Ints
    alike: Ints
    agreement: Ints | None


def take_input_quality(samples: Samples, *, min_group: int) -> InputQuality | None:
    """Count what is wrong with the inputs.

    Args:
        samples: The opened samples.
        min_group: Cases of a setting below which a segment is not told apart.

    Returns:
        The counts; None without inputs.
    """
    if samples.inputs is None:
        return None
    fields = samples.inputs.fields
    n = len(fields)
    found = defects_of(fields)
    listed = "".join(f", bit_or(b{i}) as b{i}, arg_min(x{i}, row) as x{i}" for i in range(n))
    # Of several rows of a case the first says in which bin it is.
    by_case = (
        f"(select setting = 'demo' as demo, min(segment) as segment, case_id, bool_or(known) as known, count(*) as k, "
        f"count(distinct same) as variants, min(same) as same, ({found})::bigint as found{listed} from inputs "
        "group by 1, case_id)"
    )
    maps = "".join(f", histogram(b{i}), histogram(x{i})" for i in range(n))
    rows = fetch(
        samples,
        f"select demo, segment, count(*), count(*) filter (found = 0), sum(found)::bigint{maps} from {by_case} "
        "group by 1, 2 order by 1, 2",
    )
    few = [row for row in rows if row[2] < min_group]
    names = sorted({str(row[1]) for row in rows if row[2] >= min_group}) + ([FEW] if few else [])
    names = list(dict.fromkeys(names))
    s = len(names)
    cases, clean, defects = (np.zeros((2, s), dtype=np.int64) for _ in range(3))
    broken = np.zeros((2, s, n, len(COLUMNS)), dtype=np.int64)
    bins = np.zeros((n, 2, BINS), dtype=np.int64)
    for demo, segment, count, none, total, *of_fields in rows:
        at = (int(demo), names.index(FEW if count < min_group else str(segment)))
        cases[at] += int(count)
        clean[at] += int(none)
        defects[at] += int(total)
        for i, field in enumerate(fields):
            for bits, k in of_fields[2 * i].items():
                hit = [int(bits) >> j & 1 for j in range(len(DEFECTS))]
                hit += [int(int(bits) & MARKED > 0), int(int(bits) & field.counts > 0)]
                broken[at][i] += np.array(hit, dtype=np.int64) * int(k)
            for place, k in of_fields[2 * i + 1].items():
                bins[i, int(demo), int(place)] += int(k)
    twins = f"(select demo, same from {by_case} group by all having count(*) > 1)"
    sums = fetch(
        samples,
        "select demo, sum(k)::bigint, (sum(k) filter (not known))::bigint, count(*) filter (k > 1), "
        "count(*) filter (variants > 1), count(*) filter (twin and variants = 1) from "
        f"(select c.*, t.same is not null as twin from {by_case} c left join {twins} t using (demo, same)) "
        "group by 1 order by 1",
    )
    totals = np.zeros((5, 2), dtype=np.int64)
    for demo, *values in sums:
        totals[:, int(demo)] = [int(x or 0) for x in values]
    return InputQuality(
        fields=fields,
        segments=tuple(names),
        cases=cases,
        broken=broken,
        bins=bins,
        clean=clean,
        defects=defects,
        rows=totals[0],
        unknown=totals[1],
        repeated=totals[2],
        differing=totals[3],
        alike=totals[4],
        agreement=_agreement(samples, found),
    )


def _agreement(samples: Samples, found: str) -> Ints | None:
    """The cases' own number of defects beside the counted one."""
    cases = samples.tables.get("cases")
    if (
        cases is None
        or "cases" in samples.staying
        or samples.inputs is None
        or samples.inputs.fills
        or "input_defects" not in cases.columns
    ):
        return None
    setting = "coalesce(c.setting, 'production')" if "setting" in cases.columns else "'production'"
    rows = fetch(
        samples,
        f"select c.input_defects > 0, d.found > 0, count(*) from {cases.sql} c join (select case_id, setting, "
        f"({found})::bigint as found from inputs group by 1, 2) d on d.case_id = c.case_id and d.setting = {setting} "
        "where c.input_defects is not null group by 1, 2",
    )
    table = np.zeros((2, 2), dtype=np.int64)
    for own, ours, n in rows:
        table[int(own), int(ours)] = int(n)
    return table if table.sum() else None
