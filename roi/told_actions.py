"""The actions of the pilot's cases as one table: each with its kind, what became of it, and its share of an error.

Three are laid in the engine for as long as they are asked: `told_actions`, `told_cases` and, of both, `told_acts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roi.alike import alike, how_many
from roi.integration import of_cases
from roi.moments import ALL, fetch
from roi.readers.base import literal
from roi.relation import Relation

if TYPE_CHECKING:
    from roi.samples import Samples

__all__ = ["ACTS", "COLUMNS", "Told", "told", "totals_of"]

ACTS = "told_acts"
COLUMNS = ("amount", "confidence")
MOSTS = (
    "segment_",
    "rework_",
    "review_",
    *(f"{c}_" for c in COLUMNS),
)  # of several rows of a case the largest, of names the last
MOST = 20  # kinds that are told apart; what is used less is put together
MOST_LAID = 1_000_000  # actions that are laid down by themselves
REST = "(other)"
UNKNOWN = "(unknown)"


@dataclass(frozen=True, slots=True)
class Told:
    """What is laid, and of what kinds.

    Attributes:
        keys: What a kind is made of.
        kinds: The kinds; those that may be held come first, and of each sort the most used.
        changing: Which of them may be held.
        many: Whether the actions are many. Then `told_groups` counts them (`n_`) by kind, segment and what became of
            them; `told_some` holds only those that ran and may be held, that a person decided on, or that ran in a case
            with an error; and `told_cases` only the cases of the first two sorts.
    """

    keys: list[str]
    kinds: list[tuple[str, ...]]
    changing: list[bool]
    many: bool

    @property
    def mine(self) -> str:
        """SQL of whether an action ran that may be held."""
        return f"ran_ and kind_ < {sum(self.changing)}"

    @property
    def some(self) -> str:
        """The table of the actions that have a part in what cases tell."""
        return "told_some" if self.many else ACTS


@contextmanager
def told(samples: Samples, actions: Relation, cases: Relation, labels: str) -> Iterator[Told]:
    """Lay them, and take them away in the end.

    Args:
        samples: The opened samples.
        actions: Their log of actions.
        cases: Their cases.
        labels: Who labelled the cases, as the moments say: of "mixed" ones only people's count.
    """
    # Many actions lie beside their cases already, so that nothing of them has to be laid down again.
    many = samples.coded and "cases" in samples.once
    lay = _lay_many if many else _lay_few
    try:
        yield lay(samples, actions, cases, labels)
    finally:
        kind = "view" if many else "table"
        samples.con.execute(
            "drop view if exists told_acts; drop view if exists told_groups; drop view if exists told_some; "
            f"drop {kind} if exists told_cases; drop {kind} if exists told_actions; "
            "drop table if exists told_sums; drop table if exists told_laid"
        )


def _lay_few(samples: Samples, actions: Relation, cases: Relation, labels: str) -> Told:
    """Lay the actions beside their cases, and what a case's actions have in common beside the case."""
    live = _live(set(cases.columns), labels)
    grouped = ", ".join(f"{'max' if name in MOSTS else 'bool_or'}({name}) as {name}" for name in live)
    listed = ", ".join(f"{sql} as {name}" for name, sql in live.items())
    source = (
        f"with live as (select case_id, {grouped} from (select case_id, {listed} from {cases.sql} "
        f"where {_alive(cases)}) group by case_id), acted as (select * from (select case_id, "
        f"{_flagged(set(actions.columns))} from {actions.sql}) join live using (case_id)), {_ACTS}"
    )
    keys = _keys(actions)
    kinds, changing, _ = _kinds(samples, source, keys, None)
    lay = "create or replace temp"
    samples.con.execute(f"{lay} table told_actions as {source}{_numbered(keys, kinds, changing, _CELLS)}")
    samples.con.execute(
        f"{lay} table told_sums as {_sums(sum(changing))}; {lay} table told_cases as {source}"
        f"select live.*, {_SHARES} from live left join told_sums on live.case_id = case_; "
        f"{lay} view told_acts as select * from told_actions join told_cases using (case_id)"
    )
    return Told(keys, kinds, changing, many=False)


def _lay_many(samples: Samples, actions: Relation, cases: Relation, labels: str) -> Told:
    """Count the actions by what they have in common, and lay down only what cases tell that tell more than that."""
    beside = of_cases(samples, actions)
    live = _live(set(cases.columns), labels, "of_")
    flagged = _flagged(set(actions.columns))
    of = ", ".join(f"{sql} as {name}" for name, sql in live.items())
    kinds_of = (alike(samples, beside) or beside.having(n_="1")).sql
    beside = of_cases(samples, actions, numbers=True)
    segment = live["segment_"]
    wrong = (
        f"coalesce({beside.says('of_outcome', 'error')}, false)"
        if "of_outcome" in beside.columns
        else "false"
    )
    cells = f"n_, {flagged}, {segment} as segment_, {wrong} as wrong_"
    groups = f"with acted as (select {cells} from {kinds_of} where arm_ = 1), {_ACTS}"
    keys = _keys(actions)
    kinds, changing, looked = _kinds(samples, groups, keys, Relation("acts", ()))
    # What is only read or drafted, and never decided on by a person, has no part in what cases have in common.
    able = "true"
    if "effect" in keys and len(looked) <= MOST:
        able = f"({actions.says('effect', 'read', 'draft')}) is not true"
        some = ", ".join(f"({', '.join(map(literal, name))})" for name in looked)
        able += f" or (coalesce(tool, {literal(UNKNOWN)}), effect) in ({some})" if some else ""
    cells = f"case_id, {flagged}, {able} as able_, {of}"
    numbered = _numbered(keys, kinds, changing, f"{_CELLS}, able_, {', '.join(live)}")

    def acting(which: str = "arm_ = 1") -> str:
        return f"with acted as (select {cells} from {beside.sql} where {which}), {_ACTS}{numbered}"

    lay = "create or replace temp"
    samples.con.execute(
        f"{lay} view told_groups as {groups}{_numbered(keys, kinds, changing, 'n_, segment_, wrong_')}; "
        f"{lay} view told_actions as {acting()}"
    )
    counts = _counts(sum(changing))
    rows = "told_actions"
    if (REST,) * len(keys) not in kinds:
        # What is able, or of a case that failed, is told of an action as it lies, before anything else is asked of it;
        # in one condition with its kind, the rest is asked of what is left.
        failed = "wrong_" if "wrong_" in beside.columns else f"arm_ = 1 and {wrong}"
        rows = f"({acting(f'case when {able} then arm_ = 1 else {failed} end')})"
    some = f"select * exclude (decision, high_, amount_, confidence_) from {rows} "
    some += f"where case when able_ or (error_ and ran_) then {counts} or (error_ and ran_) else false end"
    bound = f"select coalesce(sum(n_) filter ({counts} or (wrong_ and ran_)), 0) from told_groups"
    if fetch(samples, bound)[0][0] <= MOST_LAID:
        samples.con.execute(f"{lay} table told_laid as {some}")
        some = "select * from told_laid"
    own = ("segment_", "counts_", "error_", "mended_", "rework_", "review_")
    same = "".join(f", any_value({name}) as {name}" for name in own)  # a case is one row
    shares = (
        f"select a.*, {_SHARES} from {{}} a "
        "left join (select case_, changed, kinds, passed, caught, decided from told_sums) s on a.case_id = s.case_"
    )
    samples.con.execute(
        f"{lay} table told_sums as {_sums(sum(changing), f'({some})', same)}; "
        f"{lay} view told_cases as select *, {_SHARES} from told_sums; "
        f"{lay} view told_some as {shares.format(f'({some})')}; "
        f"{lay} view told_acts as {shares.format('told_actions')}"
    )
    return Told(keys, kinds, changing, many=True)


def _keys(actions: Relation) -> list[str]:
    return ["tool", "effect"] if "effect" in actions.columns else ["tool", "system", "scope"]


def _alive(cases: Relation) -> str:
    """SQL of whether a case was worked in production by the agent."""
    live = " and setting is distinct from 'demo'" if "setting" in cases.columns else ""
    return cases.says("arm", "pilot") + live


def totals_of(cases: Relation, labels: str) -> str:
    """A query of the segments, and of their live cases, labelled cases and errors, of cases that are a row each."""
    live = _live(set(cases.columns), labels)
    segment = "segment, " if "segment" in cases.columns else ""  # named once for each, and not for each case
    return (
        f"select {live['segment_']} as segment_, {how_many(cases)}, {how_many(cases, 'counts_')}, "
        f"{how_many(cases, 'error_')} from (select {segment}{live['counts_']} as counts_, {live['error_']} as error_, "
        f"count(*) as n_ from {cases.sql} where {_alive(cases)} group by all) group by 1 order by 1"
    )


def _live(known: set[str], labels: str, of: str = "") -> dict[str, str]:
    """What is told of a live case: name → SQL over the columns of the cases, which may have a mark before them."""
    segment = f"coalesce({of}segment, {literal(UNKNOWN)})" if "segment" in known else literal(ALL)
    counts = f"{of}outcome is not null" if "outcome" in known else "false"
    if labels == "mixed":
        counts += f" and coalesce({of}label_source, 'human') <> 'judge'"
    error = f"({counts}) and {of}outcome = 'error'" if "outcome" in known else "false"
    done = [f"{of}{c} {hit}" for c, hit in (("rework_minutes", "> 0"), ("used", "= 'edited'")) if c in known]
    mended = (
        f"({counts}) and {of}outcome = 'correct' and ({' or '.join(done)})"
        if done and "outcome" in known
        else "false"
    )
    return {
        "segment_": segment,
        "counts_": counts,
        "error_": f"coalesce({error}, false)",
        "mended_": f"coalesce({mended}, false)",
        "rework_": f"{of}rework_minutes" if "rework_minutes" in known else "null::decimal(18,6)",
        "review_": f"{of}review_minutes" if "review_minutes" in known else "null::decimal(18,6)",
        **{f"{c}_": f"{of}{c}" if c in known else "null::double" for c in COLUMNS},
    }


def _flagged(present: set[str]) -> str:
    """What is told of an action by itself: columns in SQL."""
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
        f"{decision} as decision{keys}, coalesce({ran}, false) as ran_, "
        f"coalesce({decision} in ('approved', 'rejected', 'escalated'), false) as person_, "
        f"coalesce({late}, false) as late_, {high} as high_, {wait} as wait_, {who} as approver_"
    )


def _kinds(
    samples: Samples, source: str, keys: Sequence[str], counted: Relation | None
) -> tuple[list[tuple[str, ...]], list[bool], list[tuple[str, ...]]]:
    """The kinds with their names, those that may be held first; which these are; and those that only read or draft."""
    listed = ", ".join(f"{key}_key" for key in keys)
    numbers = f"{how_many(counted)}, {how_many(counted, 'person_')}"
    rows = fetch(
        samples, source + f"select {listed}, {numbers} from acts group by {listed} order by {listed}"
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
    looked = [name for _, name in held if "effect" in keys and name[1] in ("read", "draft")]
    return kinds, changing, looked


def _numbered(
    keys: Sequence[str], kinds: Sequence[tuple[str, ...]], changing: Sequence[bool], also: str
) -> str:
    """The actions with the number of their kind, what became of them, and what else is listed."""
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
    seen = f"({listed}) in (select ({listed}) from acts where person_)" if others else "null::boolean"
    return (
        f", names({listed}, number_) as (values {values}) select coalesce(number_, {fallback}) as kind_, "
        f"decision, ran_, person_, in_time_, caught_, high_, {also} "
        f"from (select *, {seen} as any_person_ from acts) "
        f"left join names using ({listed})"
    )


# What is listed of each action by itself.
_CELLS = "case_id, wait_, approver_"
_ACTS = (
    "acts as (select *, person_ and not late_ as in_time_, "
    "coalesce(decision = 'rejected', false) and not ran_ as caught_ from acted) "
)


def _counts(held: int) -> str:
    """SQL of whether an action counts for something: it ran and may be held, was caught, or a person decided on it."""
    return f"(ran_ and kind_ < {held}) or caught_ or person_"


def _sums(held: int, source: str = "told_actions", same: str = "") -> str:
    """Cases with an action that counts for something, and what else is the same in all actions of a case."""
    mine = f"ran_ and kind_ < {held}"
    return (
        f"select case_id as case_, count(*) filter ({mine}) as changed, "
        f"count(distinct kind_) filter ({mine}) as kinds, "
        f"count(*) filter ({mine} and in_time_) as passed, count(*) filter (caught_) as caught, "
        f"count(*) filter (person_) as decided{same} from {source} where {_counts(held)} group by 1"
    )


# What the actions of a case have in common; `share_` is what falls to each that ran of an error.
_SHARES = (
    "coalesce(changed, 0) as changed_, coalesce(kinds, 0) as kinds_, coalesce(decided, 0) as decided_, "
    "coalesce(caught, 0) as rejected_, coalesce(passed, 0) as passed_, "
    "case when mended_ and coalesce(caught, 0) = 0 then (1.0 / nullif(passed, 0))::decimal(18,9) end as repair_, "
    "case when error_ then (1.0 / nullif(changed, 0))::decimal(18,9) end as share_"
)
