"""What became of rows: every row is accounted for, what stayed stays in order, and few edits are told shortly."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi import row_changes
from roi.row_changes import Change, changes, same_order


def of(text: str) -> np.ndarray:
    return np.array([ord(c) for c in text], np.int64)


def told(old: str, new: str) -> list[tuple[str, int | None, int | None]]:
    return [(c.kind, c.old, c.new) for c in changes(of(old), of(new)).found]


def test_by_hand():
    """Each kind alone, then together; ABCDEFGH is told apart by its letters."""
    assert told("ABCD", "ABCD") == []
    assert told("ABCD", "ABxD") == [("changed", 2, 2)]
    assert told("ABCD", "ABD") == [("deleted", 2, None)]
    assert told("ABCD", "ABxCD") == [("inserted", None, 2)]
    assert told("ABCD", "xABCD") == [("inserted", None, 0)]
    assert told("ABCD", "ADCB") == [("moved", 1, 3), ("moved", 3, 1)]
    assert told("ABCDE", "ACDEB") == [("moved", 1, 4)]
    assert [c[:2] for c in told("ABCDEFGHIJKL", "ADCBEFGIHJKL")][:2] == [("moved", 1), ("moved", 3)]
    assert told("ABCDEFGH", "xBDEyFHG") == [
        ("changed", 0, 0),
        ("deleted", 2, None),
        ("inserted", None, 4),
        ("moved", 6, 7),
    ]


def test_what_follows_is_appended():
    made = changes(of("ABC"), of("ABCxy"))
    assert made.found == ()
    assert made.appended == 2
    made = changes(of("ABC"), of("ABxyz"))
    assert made.found == (Change("changed", 2, 2),)
    assert made.appended == 2
    assert changes(of(""), of("xy")).appended == 2
    assert told("ABC", "") == [("deleted", 0, None), ("deleted", 1, None), ("deleted", 2, None)]


def test_of_rows_that_are_alike_one_is_named():
    (change,) = changes(of("AxxxxB"), of("AxxxB")).found
    assert change.kind == "deleted"
    assert change.old in range(1, 5)
    (change,) = changes(of("xxxx"), of("xxAxx")).found
    assert (change.kind, change.new) == ("inserted", 2)


LETTERS = st.text("abcdefgh", max_size=24)


@settings(max_examples=60)
@given(LETTERS, LETTERS)
def test_every_row_is_accounted_for(old, new):
    made = changes(of(old), of(new))
    stays = made.stays.tolist()
    kept = [j for j in stays if j >= 0]
    assert kept == sorted(set(kept))
    assert all(old[i] == new[j] for i, j in enumerate(stays) if j >= 0)
    assert all(old[c.old] == new[c.new] for c in made.found if c.kind == "moved")
    olds = [i for i, j in enumerate(stays) if j >= 0] + [c.old for c in made.found if c.old is not None]
    news = kept + [c.new for c in made.found if c.new is not None]
    assert sorted(olds) == list(range(len(old)))
    assert len(set(news)) == len(news)
    assert len(news) + made.appended == len(new), "what no change names was appended"
    assert (not made.found) == (new[: len(old)] == old)


def longest(old: str, new: str) -> int:
    """Length of a longest common part in order, from the textbook's table."""
    table = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, a in enumerate(old, 1):
        for j, b in enumerate(new, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if a == b else max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1]


@given(st.text("ab", max_size=20), st.text("ab", max_size=20))
def test_a_script_of_edits_is_a_shortest_one(old, new):
    """Myers (1986) against the table of longest common parts."""
    found = np.full(len(old), -1, np.int64)
    row_changes._myers(of(old), of(new), found, 0)
    assert (found >= 0).sum() == longest(old, new)
    hits = found[found >= 0].tolist()
    assert hits == sorted(set(hits))
    assert all(old[i] == new[j] for i, j in enumerate(found.tolist()) if j >= 0)


@given(st.permutations(range(9)))
def test_a_longest_rising_part(order):
    found = row_changes._rising(order)
    text = "".join(chr(65 + x) for x in order)
    assert len(found) == longest("ABCDEFGHI", text)
    assert [order[i] for i in found] == sorted(order[i] for i in found)


@pytest.mark.parametrize("n", [2, 3, 4, 9])
def test_of_a_swap_both_rows_have_moved_and_no_other(n):
    for i in range(n):
        for j in range(i + 1, n):
            new = np.arange(n)
            new[[i, j]] = j, i
            rows = {(c.old, c.new) for c in changes(np.arange(n), new).found}
            both = {(i, j), (j, i)}
            assert rows == both or (j == i + 1 and len(rows) == 1 and rows < both)


@pytest.mark.parametrize(("start", "size", "to"), [(2, 3, 9), (9, 3, 2), (0, 7, 5), (4, 5, 10)])
def test_a_block_that_moved_is_the_smaller_of_two(start, size, to):
    rows = list(range(20))
    block, rest = rows[start : start + size], rows[:start] + rows[start + size :]
    stays = same_order(np.arange(20), np.array(rest[:to] + block + rest[to:]))
    passed = abs(to - start)
    assert (stays < 0).sum() == min(size, passed)


def test_above_the_limits_every_row_is_still_accounted_for(monkeypatch):
    monkeypatch.setattr(row_changes, "MOST_EDITS", 3)
    monkeypatch.setattr(row_changes, "MOST_GAPS", 2)
    test_every_row_is_accounted_for()


@pytest.mark.parametrize("kinds", [3, 40])
def test_a_few_edits_among_many_rows_that_are_alike(kinds):
    """5,000 rows of few kinds, five of them taken out: five edits are told, and no more."""
    rng = random.Random(kinds)
    old = [rng.randrange(kinds) for _ in range(5_000)]
    gone = set(rng.sample(range(5_000), 5))
    new = [x for i, x in enumerate(old) if i not in gone]
    found = changes(np.array(old), np.array(new)).found
    assert [c.kind for c in found] == ["deleted"] * 5
    # Each lies where it was, up to rows beside it that are alike or begin to repeat.
    assert all(min(abs(c.old - i) for i in gone) < 40 for c in found)
