"""What is missing in the log's numbers, and what is there twice."""

from __future__ import annotations

from collections.abc import Sequence

from roi.acted import BEYOND, acted
from roi.acted_bits import ActedBits, acted_bits
from roi.blocks import NO_BITS
from roi.controls.check import Check, Rows, all_missing, judge, unknown, verb
from roi.controls.logs import Logs
from roi.copies import COPY
from roi.relation import Relation
from roi.words import plural

__all__ = ["sequences"]

NAMES = ("sequence_gaps", "sequence_repeats")
SILENT = (
    "The action log does not number the actions of a case (seq).",
    "Number the actions of each case (seq)",
)


def sequences(logs: Logs, actions: Relation, columns: set[str]) -> dict[str, Check]:
    """Look for gaps and repeats in the numbers of actions.

    Numbers begin anew in each case (from 0 or 1, as most cases do) or run through the whole log. The head of a case is
    missing where it begins later than the others; what is missing after its last number cannot be seen. A further
    attempt may repeat the number of the first, and so may a later version that works the case again.
    """
    if "seq" not in columns:
        return all_missing(NAMES, *SILENT)
    key = ", ".join(("seq", *(c for c in ("attempt", "version") if c in columns)))
    cases, zero, one, n, odd, torn, above_0, above_1, own = _counted(logs, actions, key)
    blank = int(logs.ask(f"select count(*) from {actions.sql} where seq is null")[0][0])
    if n == 0:
        return all_missing(NAMES, *SILENT)
    anew, start = max(zero, one) * 2 > cases, 0 if zero > one else 1
    through = not anew and cases > 1
    if through:
        (distinct,) = logs.ask(f"select count(distinct seq) from {actions.sql}")[0]
        through = int(distinct) * 2 > n
    if odd or not (anew or through):
        why = "The numbers of the actions neither begin anew in each case nor run through the log."
        return all_missing(NAMES, why, "Number the actions of each case from 1 (seq)")
    if through and any(x.table == "actions" and x.reason != COPY for x in logs.samples.exclusions):
        why = "Actions that were left out with their cases have numbers of the same sequence."
        return all_missing(NAMES, why, "Number the actions of each case from 1 (seq)")
    sound = anew and not (torn or blank or own < n or (above_1 if start else above_0))
    within = "partition by case_id" if anew else ""
    kinds = f"case_id, {key}" if anew else key
    head = f"(k_ = 1 and seq > {start})" if anew else "false"
    numbered = (
        f'(select "row", seq, lag(seq) over ({within} order by seq nulls first, "row") as before_, '
        f"bool_or(seq is null) over ({within}) as blank_, "
        f'row_number() over ({within} order by seq, "row") as k_, '
        f'row_number() over (partition by {kinds} order by "row") as again_ from {actions.sql}'
        f"{' where case_id is not null' if anew else ''})"
    )
    conditions = {
        "blank": "seq is null",
        "gap": f"seq is not null and not blank_ and (seq - before_ > 1 or {head})",
        "again": "seq is not null and again_ > 1",
    }
    none = dict.fromkeys(conditions, Rows(table="actions", count=0))
    # Windows cost more than counts: they look only where there is something to name.
    rows = none if sound else logs.find("actions", numbered, conditions)
    gaps, again, unnumbered = rows["gap"], rows["again"], rows["blank"]
    unsure: dict[str, Check | None] = dict.fromkeys(NAMES)
    if unnumbered.count:
        have = verb(unnumbered.count, "has", "have")
        evidence = (
            f"{plural(unnumbered.count, 'action')} {have} no number, so that gaps and repeats cannot be seen."
        )
        unsure = {name: unknown(name, evidence, SILENT[1], unnumbered) for name in NAMES}
    return {
        "sequence_gaps": judge(
            "sequence_gaps",
            gaps,
            n,
            good=f"The numbers of {plural(n, 'action')} have no gap.",
            bad=f"Before {plural(gaps.count, 'action')} a number is missing.",
            mend="Find the actions that are missing, and log every action when it happens",
            unsure=unsure["sequence_gaps"],
        ),
        "sequence_repeats": judge(
            "sequence_repeats",
            again,
            n,
            good=f"The numbers of {plural(n, 'action')} occur once each.",
            bad=f"{again.count:,} of {plural(n, 'action')} {verb(again.count, 'repeats', 'repeat')} "
            "the number of an earlier one.",
            mend="Number every action once, and a further try as an attempt (attempt)",
            unsure=unsure["sequence_repeats"],
        ),
    }


def _counted(logs: Logs, actions: Relation, key: str) -> list[int]:
    """Cases with numbers; of these, from 0 and from 1; numbers; odd ones; cases with gaps, from above 0 and above 1;
    numbers that differ in what `key` lists.

    A case whose numbers lie within 0 to 60 and occur once each has as many bits as numbers: one number a row, whatever
    its attempts and versions. Rows of other cases are grouped by number.
    """
    bits = acted_bits(logs.samples, actions)
    if bits is not None and bits.numbers:
        return _of_bits(logs, bits, bits.numbers)
    of = acted(logs.samples, actions).cases.sql
    plain = f"numbered_ = bit_count(numbers_) and numbers_ < {1 << BEYOND}"
    down = "(numbers_ | (numbers_ - 1))"  # with the bits below the lowest, so that one more is a power of two
    torn = f"({down} & ({down} + 1)) <> 0"
    quick = (
        "count(*), count(*) filter (numbers_ & 1 = 1), count(*) filter (numbers_ & 3 = 2), sum(numbered_), 0, "
        f"count(*) filter ({torn}), count(*) filter (numbers_ & 1 = 0), count(*) filter (numbers_ & 3 = 0), "
        "sum(numbered_)"
    )
    several = f"select {quick} from {of} where case_id is not null and numbered_ > 0 and {plain}"
    found = [int(x or 0) for x in logs.ask(several)[0]]
    others = f"select case_id from {of} where case_id is not null and numbered_ > 0 and not ({plain})"
    if not logs.ask(f"{others} limit 1"):
        return found
    numbers = (
        f"(select case_id, {key}, count(*) as m from {actions.sql} "
        f"where seq is not null and case_id in ({others}) group by case_id, {key})"
    )
    by_case = (
        "(select min(seq) as low, max(seq) as high, count(distinct seq) as kinds, sum(m) as n, count(*) as own, "
        f"count(*) filter (seq <> floor(seq)) as odd from {numbers} group by case_id)"
    )
    sums = (
        "count(*), count(*) filter (low = 0), count(*) filter (low = 1), sum(n), sum(odd), "
        "count(*) filter (high - low + 1 <> kinds), count(*) filter (low > 0), count(*) filter (low > 1), sum(own)"
    )
    more = logs.ask(f"select {sums} from {by_case}")[0]
    return [a + int(b or 0) for a, b in zip(found, more, strict=True)]


def _of_bits(logs: Logs, bits: ActedBits, numbers: Sequence[int]) -> list[int]:
    """The same, of numbers that no case has twice."""
    sets = [f"number_{k}" for k in range(len(numbers))]
    at = dict(zip(numbers, sets, strict=True))
    some = f"({' | '.join(sets)})"
    zero, one = at.get(0, NO_BITS), at.get(1, NO_BITS)
    torn = [NO_BITS]
    for n in range(numbers[0] + 1, numbers[-1]):  # one that is not there, between two that are
        before = " | ".join(which for number, which in at.items() if number < n)
        after = " | ".join(which for number, which in at.items() if number > n)
        torn.append(f"(({before}) & ({after}) & ~{at.get(n, NO_BITS)})")
    counted = bits.count(
        logs.samples,
        some,
        zero,
        f"{one} & ~{zero}",
        f"({' | '.join(torn)})",
        f"{some} & ~{zero}",
        f"{some} & ~{zero} & ~{one}",
        *sets,
    )
    cases, from_0, from_1, gaps, above_0, above_1 = counted[:6]
    n = sum(counted[6:])
    return [cases, from_0, from_1, n, 0, gaps, above_0, above_1, n]
