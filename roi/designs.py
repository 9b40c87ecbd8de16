"""How the comparison was made, in words: what is independent of what, and how many of these there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from roi.moments import ARMS, Moments
from roi.words import and_list, count, plural

__all__ = ["Design", "Layout", "design_of"]

Layout = Literal["within", "between", "mixed", "pairs", "cases", "few_workers", "one_arm", "none"]

NOUNS = {"worker": ("worker", "workers"), "pair": ("pair", "pairs"), "case": ("case", "cases")}
SEVERAL = 0.1  # of the workers (or pairs) in the smaller group, from which on a layout is called mixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What was compared with what.

    Attributes:
        assignment: randomised, before_after or observational: what the arms are treated as.
        declared: What the parameter file says.
        unit: worker, pair or case: what is independent of the others.
        layout: within (workers worked both ways), between (each in one arm), mixed (some of both), pairs, cases
            (workers not recorded), few_workers (named, but fewer than four), one_arm, or none (no production case).
        units: Independent units of both arms.
        in_both: Of these, the ones in both arms.
        text: The unit, named for a reader.
    """

    assignment: str
    declared: str
    unit: str
    layout: Layout
    units: int
    in_both: int
    text: str


def design_of(moments: Moments, *, declared: str, pairs: int = 0) -> Design:
    """Name the design and its independent unit.

    Args:
        moments: Moments of the production cases.
        declared: `samples.assignment`.
        pairs: Pairs with a case in each arm, where workers are the unit; 0 where cases name none.

    Returns:
        The design.
    """
    m = moments
    units = [np.unique(m.unit[m.arm == arm]) for arm in (0, 1)]
    both = int(np.intersect1d(units[0], units[1]).size)
    total = int(np.union1d(units[0], units[1]).size)
    if m.unit_kind == "case":  # bundles of cases are counted by their cases
        total, both = int(m.n.sum()), 0
    layout = _layout(m, total, both)
    return Design(
        assignment=declared,
        declared=declared,
        unit=m.unit_kind,
        layout=layout,
        units=total,
        in_both=both,
        text=_text(m, layout, total, both, (units[0].size, units[1].size), pairs),
    )


def _layout(m: Moments, total: int, both: int) -> Layout:
    arms = [arm for arm in ARMS if m.cases(arm)]
    if not arms:
        return "none"
    if len(arms) == 1:
        return "one_arm"
    if m.few_workers:
        return "few_workers"
    if m.unit_kind == "case":
        return "cases"
    if m.unit_kind == "pair" and both:
        return "pairs"
    if both <= SEVERAL * total:
        return "between"
    return "within" if total - both <= SEVERAL * total else "mixed"


def _text(m: Moments, layout: Layout, total: int, both: int, units: tuple[int, int], pairs: int) -> str:
    cases = plural(int(m.n.sum()), "case")
    one, many = NOUNS[m.unit_kind]
    if layout == "none":
        return "no production case"
    if layout == "one_arm":
        arm = "with the agent" if m.cases("pilot") else "without the agent"
        who = "" if m.unit_kind == "case" else f" of {plural(total, one, many)}"
        return f"{cases}{who}, all {arm}: nothing to compare with"
    if layout == "few_workers":
        without, using = ((m.workers or {}).get(arm, 0) for arm in ARMS)
        one, many = "person", "people"
        people = f"{plural(without, one, many)} without the agent and {plural(using, one, many)} with it"
        text = f"fewer than four workers: {people} worked {cases}; "
        return f"{text}cases count as independent, and how people differ is assumed"
    if layout == "cases":
        return f"{cases}, {'workers not recorded' if m.workers is None else 'no worker is named'}"
    if layout == "pairs":
        alone = total - both
        parts = [f"{plural(both, 'pair')} of cases, one worked each way"]
        if alone:
            parts.append(f"{plural(alone, 'case')} without a partner")
        return and_list(parts)
    unnamed = 0
    if m.workers is not None and m.unit_kind == "worker":
        unnamed = sum(max(units[i] - m.workers.get(arm, 0), 0) for i, arm in enumerate(ARMS))
    text = plural(total, one, many)
    if layout == "between" and both:
        text += f", all but {count(both)} in one arm"
    elif layout == "between":
        text += f", each in one arm ({count(units[0])} without and {count(units[1])} with the agent)"
    elif both == total:
        text += " who worked both ways" if one == "worker" else " worked both ways"
    else:
        text += f", {count(both)} of them both ways"
    if unnamed:
        text += f" (a case without a worker's name counts as one: {count(unnamed)})"
    if not pairs:
        return f"{text}, {cases}"
    paired = f"{text}, {plural(pairs, 'pair')}"
    alone = int(m.n.sum()) - 2 * pairs
    return paired if alone <= 0 else f"{paired} and {plural(alone, 'case')} without a partner"
