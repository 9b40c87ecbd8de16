"""The actions of the pilot's cases as one table: each with its kind, what became of it, and its share of an error.

Two tables are laid in the engine for as long as they are asked: `told_actions` and `told_cases`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from roi.moments import ALL, fetch
from roi.readers.base import literal
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["ACTS", "COLUMNS", "told"]

ACTS = "told_actions join told_cases using (case_id)"
COLUMNS = ("amount", "confidence")
MOST = 20  # kinds that are told apart; what is used less is put together
REST = "(other)"
UNKNOWN = "(unknown)"


@contextmanager
def told(
    samples: Samples, actions: Relation, cases: Relation, labels: str
) -> Iterator[tuple[list[str], list[tuple[str, ...]], list[bool]]]:
    """Lay the two tables, and take them away in the end.

    Args:
        samples: The opened samples.
        actions: Their log of actions.
        cases: Their cases.
        labels: Who labelled the cases, as the moments say: of "mixed" ones only people's count.

    Yields:
        What a kind is made of; the kinds, those that may be held first and the most used first; and which these are.
    """
    source = _source(set(actions.columns), set(cases.columns), actions.sql, cases.sql, labels)
    keys = ["tool", "effect"] if "effect" in actions.columns else ["tool", "system", "scope"]
    kinds, changing = _kinds(samples, source, keys)
    lay = "create or replace temp table"
    try:
        samples.con.execute(f"{lay} told_actions as {source}{_numbered(keys, kinds, changing)}")
        samples.con.execute(f"{lay} told_cases as {source}{_of_cases(sum(changing))}")
        yield keys, kinds, changing
    finally:
        samples.con.execute("drop table if exists told_actions; drop table if exists told_cases")


def _source(present: set[str], known: set[str], actions: str, cases: str, labels: str) -> str:
    """The first tables of every query: `acts`, actions of the pilot's production cases with what became of them."""
    segment = f"coalesce(segment, {literal(UNKNOWN)})" if "segment" in known else literal(ALL)
    counts = "outcome is not null" if "outcome" in known else "false"
    if labels == "mixed":
        counts += " and coalesce(label_source, 'human') <> 'judge'"
    error = f"({counts}) and outcome = 'error'" if "outcome" in known else "false"
    done = [f"{c} {hit}" for c, hit in (("rework_minutes", "> 0"), ("used", "= 'edited'")) if c in known]
    mended = (
        f"({counts}) and outcome = 'correct' and ({' or '.join(done)})"
        if done and "outcome" in known
        else "false"
    )
    rework = "rework_minutes" if "rework_minutes" in known else "null::decimal(18,6)"
    minutes = "review_minutes" if "review_minutes" in known else "null::decimal(18,6)"
    values = "".join(f", {c if c in known else 'null::double'} as {c}_" for c in COLUMNS)
    live = "arm = 'pilot'" + (" and setting is distinct from 'demo'" if "setting" in known else "")
    decision = "decision" if "decision" in present else "null::varchar"
    ran = f"coalesce(status, 'ok') = 'ok' and {decision}" if "status" in present else decision
    ran += " is distinct from 'rejected'"
    if "executed_at" in present:  # what was rejected and ran all the same was not caught
        ran = "executed_at is not null"
        ran += " and coalesce(status, 'ok') = 'ok'" if "status" in present else ""
    # Decided after it ran, or before anybody asked: either way nobody saw it before it ran.
    unseen = [
        f"decided_at {sign} {c}" for c, sign in (("executed_at", ">"), ("requested_at", "<")) if c in present
    ]
    late = (
        " or ".join(f"coalesce({x}, false)" for x in unseen)
        if unseen and "decided_at" in present
        else "false"
    )
    wait = "null::decimal(18,6)"
    if {"requested_at", "decided_at"} <= present:
        wait = "((epoch_us(decided_at) - epoch_us(requested_at)) / 3600000000.0)::decimal(18,6)"
    keys = "".join(
        f", coalesce({c}, {literal(UNKNOWN)}) as {c}_key"
        if c in present
        else f", {literal(UNKNOWN)} as {c}_key"
        for c in ("tool", "effect", "system", "scope")
    )
    who = "approver" if "approver" in present else "null::varchar"
    high = "coalesce(risk = 'high', false)" if "risk" in present else "false"
    return (
        f"with live as (select case_id, any_value(s) as segment_, bool_or(k) as counts_, bool_or(e) as error_, "
        "bool_or(m) as mended_, max(w) as rework_, "
        f"max(r) as review_, max(amount_) as amount_, max(confidence_) as confidence_ from (select case_id, "
        f"{segment} as s, {counts} as k, coalesce({error}, false) as e, coalesce({mended}, false) as m, "
        f"{rework} as w, {minutes} as r{values} from {cases} "
        f"where {live}) group by case_id), "
        f"flagged as (select case_id, {decision} as decision{keys}, coalesce({ran}, false) as ran_, "
        f"coalesce({decision} in ('approved', 'rejected', 'escalated'), false) as person_, "
        f"coalesce({late}, false) as late_, {high} as high_, {wait} as wait_, {who} as approver_ from {actions}), "
        "acts as (select *, person_ and not late_ as in_time_, "
        "coalesce(decision = 'rejected', false) and not ran_ as caught_ from flagged join live using (case_id)) "
    )


def _kinds(samples: Samples, source: str, keys: Sequence[str]) -> tuple[list[tuple[str, ...]], list[bool]]:
    """The kinds with their names, those that may be held first, and which these are."""
    listed = ", ".join(f"{key}_key" for key in keys)
    rows = fetch(
        samples,
        source
        + f"select {listed}, count(*), count(*) filter (person_) from acts group by {listed} order by {listed}",
    )
    held: list[tuple[int, tuple[str, ...]]] = []
    free: list[tuple[int, tuple[str, ...]]] = []
    for row in rows:
        name, n, by_person = tuple(str(x) for x in row[:-2]), int(row[-2]), int(row[-1])
        idle = "effect" in keys and name[1] in ("read", "draft") and not by_person
        (free if idle else held).append((-n, name))
    rest = (REST,) * len(keys)
    kinds: list[tuple[str, ...]] = []
    changing: list[bool] = []
    for group, may in ((held, True), (free, False)):
        names = [name for _, name in sorted(group)]
        kept = names if len(names) <= MOST else [*names[: MOST - 1], rest]
        kinds += kept
        changing += [may] * len(kept)
    return kinds, changing


def _numbered(keys: Sequence[str], kinds: Sequence[tuple[str, ...]], changing: Sequence[bool]) -> str:
    """The actions with the number of their kind."""
    rest = (REST,) * len(keys)
    others = [i for i, kind in enumerate(kinds) if kind == rest]
    of_rest = {changing[i]: i for i in others}
    idle = "effect_key in ('read', 'draft') and not any_person_" if "effect" in keys else "false"
    fallback = f"case when {idle} then {of_rest.get(False, -1)} else {of_rest.get(True, -1)} end"
    values = ", ".join(
        f"({', '.join(literal(x) for x in kind)}, {i})" for i, kind in enumerate(kinds) if kind != rest
    )
    listed = ", ".join(f"{key}_key" for key in keys)
    values = values or f"({', '.join(['null::varchar'] * len(keys))}, -1)"
    # Only what is put together has to be asked whether a person ever decided on its like.
    seen = f"bool_or(person_) over (partition by {listed})" if others else "null"
    return (
        f", names({listed}, number_) as (values {values}) select coalesce(number_, {fallback}) as kind_, case_id, "
        "decision, ran_, person_, in_time_, caught_, high_, wait_, approver_ "
        f"from (select *, {seen} as any_person_ from acts) "
        f"left join names using ({listed})"
    )


def _of_cases(held: int) -> str:
    """The live cases with what their actions have in common; `share_` is what falls to each that ran of an error."""
    mine = f"filter (ran_ and kind_ < {held})"
    return (
        "select live.*, coalesce(changed_, 0) as changed_, kinds_, coalesce(decided_, 0) as decided_, "
        "coalesce(caught_, 0) as rejected_, coalesce(passed_, 0) as passed_, "
        "case when mended_ and coalesce(caught_, 0) = 0 then (1.0 / nullif(passed_, 0))::decimal(18,9) end as repair_, "
        "case when error_ then (1.0 / nullif(changed_, 0))::decimal(18,9) end as share_ from live left join "
        f"(select case_id, count(*) {mine} as changed_, count(distinct kind_) {mine} as kinds_, "
        f"count(*) filter (ran_ and kind_ < {held} and in_time_) as passed_, count(*) filter (caught_) as caught_, "
        "count(*) filter (person_) as decided_ from told_actions group by 1) using (case_id)"
    )
