"""Which column, or which two together, name the case."""

from __future__ import annotations

from collections.abc import Sequence

from roi.guess.guess import Findings, Guess
from roi.guess.look import Column

__all__ = ["find_key"]


def find_key(f: Findings) -> None:
    """Settle `case_id`: the best named column that tells the cases apart, or two that do so together."""
    given = f.given.get("case_id")
    if given is not None:
        f.take(Guess(column="case_id", sources=(given,)))
        return
    more = (f.arm,) if f.arm is not None else ()
    candidates: list[tuple[float, Column]] = []
    for c in f.free():
        if c.kind in ("time", "duration", "mail") or c.filled < 0.9 * c.rows:
            continue
        score = f.names[c.at].get("case_id", 0.0)
        if score or c.distinct > 0.9 * c.filled:
            candidates.append((score, c))
    alone = [(score, c) for score, c in candidates if _unique(f, (c,), more)]
    named = [(score, c) for score, c in alone if score > 0]
    if named:
        score, best = max(named, key=lambda pair: pair[0])
        rivals = [c for s, c in named if c is not best and s >= score]
        doubts = (f"'{rivals[0].name.text}' tells the cases apart, too",) if rivals else ()
        houses = [c for c in f.free() if "organisation" in c.name.concepts and 1 < c.distinct < 0.5 * c.rows]
        if houses:
            both = f"[{houses[0].name.text}, {best.name.text}]"
            doubts = (
                *doubts,
                f"if other exports repeat a number in each '{houses[0].name.text}', write {both}",
            )
        f.take(Guess(column="case_id", sources=(best,), doubts=doubts))
    elif not _two_together(f, more) and alone:
        _by_values_alone(f, [c for _, c in alone])


def _by_values_alone(f: Findings, alone: Sequence[Column]) -> None:
    texts = [c for c in alone if c.kind == "text" and max(map(len, c.values)) <= 40]
    likely = texts or [c for c in alone if c.kind == "number" and all(n == int(n) for n in c.numbers)]
    if len(likely) == 1 and not any(" " in example for example in likely[0].examples):
        doubt = "only its values say that this is the case"
        f.take(Guess(column="case_id", sources=(likely[0],), doubts=(doubt,)))


def _two_together(f: Findings, more: tuple[Column, ...]) -> bool:
    """Two columns that are a key together, such as a company code and a document number."""
    parts = [c for c in f.free() if c.kind in ("text", "number") and c.filled > 0.98 * c.rows]
    offers = []
    for c in parts:
        score = f.names[c.at].get("case_id", 0.0)
        for other in parts if score >= 0.6 else ():
            if other.at != c.at and 1 < other.distinct < 0.5 * other.rows and _unique(f, (other, c), more):
                named = "organisation" in other.name.concepts
                offers.append((score + named, named, c, other))
    if not offers:
        return False
    _, named, c, other = max(offers, key=lambda offer: offer[0])
    doubts = () if named else ("only together do these tell the cases apart",)
    f.take(Guess(column="case_id", sources=(other, c), doubts=doubts))
    return True


def _unique(f: Findings, columns: Sequence[Column], more: tuple[Column, ...]) -> bool:
    """Whether nearly every row has its own key, or its own in its arm; copies of a row do not count against it."""
    if columns[0].filled == 0 or (len(columns) == 1 and columns[0].distinct < 0.4 * columns[0].filled):
        return False
    least = 0.985 * min(c.filled for c in columns) - (f.table.rows - f.table.different)
    return f.table.keys(columns) >= least or f.table.keys(columns, *more) >= least
