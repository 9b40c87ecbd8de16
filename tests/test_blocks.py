"""Bits of keys say what a look at the rows says."""

from __future__ import annotations

import random

import duckdb
import pytest

from roi.blocks import MOST_WORDS, Span, distinct_keys, lay_blocks, missing_keys, span_of
from roi.readers.base import Connection

START = 166118061519393004  # as keys are, somewhere in a block
FAR = (1 << 64) - 9


@pytest.fixture
def con() -> Connection:
    return duckdb.connect()


def keys(con: Connection, name: str, rows: list[tuple[object, ...]], columns: str) -> None:
    con.execute(f"create table {name} ({columns})")
    con.executemany(f"insert into {name} values ({', '.join('?' * len(rows[0]))})", rows)


def test_bits_and_words_are_those_of_the_rows(con: Connection) -> None:
    rng = random.Random(5)
    words = [f"word {i}'s" for i in range(MOST_WORDS)]
    held = {
        START + k: (rng.random() < 0.3, rng.choice([*words, None])) for k in rng.sample(range(60_000), 900)
    }
    keys(con, "cases", [(k, *v) for k, v in held.items()], "key ubigint, hit boolean, word varchar")
    bits = lay_blocks(
        con,
        "bits",
        "cases",
        "key",
        {"here": None, "hit": "hit", "never": "false"},
        words={"word": tuple(words), "none": ()},
        types={"word": "varchar", "none": "varchar"},
    )
    asked = [None, 0, FAR + 5, *(START + rng.randrange(-20_000, 90_000) for _ in range(900)), *held]
    con.execute("create table asked (nr integer, key ubigint)")
    con.executemany("insert into asked values (?, ?)", list(enumerate(asked)))
    told = ", ".join(bits.has(bit, "key") for bit in ("here", "hit", "never"))
    found = con.execute(
        f"select {told}, {bits.word('word', 'key')}, {bits.word('none', 'key')} from {bits.beside('asked', 'key')} "
        "order by nr"
    ).fetchall()
    assert found == [
        (key in held, *((held[key][0], False, held[key][1]) if key in held else (False, False, None)), None)
        for key in asked
    ]
    numbers = con.execute(
        f"select {bits.number('word', 'key')}, {bits.number('none', 'key')} from {bits.beside('asked', 'key')} "
        "order by nr"
    ).fetchall()
    # Also of a key that no block is for.
    assert numbers == [(1 + words.index(word) if (word := found[i][3]) else 0, 0) for i in range(len(asked))]


@pytest.mark.parametrize("alike", [(), ("word", "hit")])
def test_a_block_in_which_nothing_has_some_word_tells_the_others(
    con: Connection, alike: tuple[str, ...]
) -> None:
    words = ("a", "b", "c")  # in two bits, the first block has the one and the second the other
    held = [
        (START, "a", True),
        (START + 1, None, False),
        (START + 40_000, "b", False),
        (START + 80_000, "c", True),
    ]
    keys(con, "cases", held, "key ubigint, word varchar, hit boolean")
    bits = lay_blocks(
        con,
        "bits",
        "cases",
        "key",
        {"hit": "hit"},
        words={"word": words},
        types={"word": "varchar"},
        alike=alike,
    )
    told = f"{bits.word('word', 'key')}, {bits.has('hit', 'key')}"
    assert (
        con.execute(f"select key, {told} from {bits.beside('cases', 'key')} order by key").fetchall() == held
    )


def test_several_rows_of_a_key_set_its_bit_together(con: Connection) -> None:
    keys(con, "acts", [(START, False), (START, True), (START + 1, False)], "key ubigint, hit boolean")
    bits = lay_blocks(con, "bits", "acts", "key", {"hit": "hit"})
    found = con.execute(
        f"select key, {bits.has('hit', 'key')} from {bits.beside('acts', 'key')} order by all"
    )
    assert found.fetchall() == [(START, True), (START, True), (START + 1, False)]


@pytest.mark.parametrize("twice", [False, True])
def test_keys_that_come_twice_and_keys_that_are_not_there(con: Connection, twice: bool) -> None:
    rows = [(START + 3 * k,) for k in range(20_000)] + [(START + 9,)] * twice
    keys(con, "cases", rows[-1:], "key ubigint")
    con.execute(f"insert into cases select {START} + 3 * k from range({len(rows) - 1}) t(k)")
    assert (
        distinct_keys(con, "cases", "key")
        == con.execute("select count(distinct key) from cases").fetchall()[0][0]
    )
    con.execute(
        f"create table acts as select {START} + 3 * k as key from range(100) t(k) union all select null"
    )
    assert not missing_keys(con, "acts", "key", "cases")
    for other in (START + 1, START - 3, FAR + 1, START + 3 * 20_001):
        con.execute(f"create or replace table more as from acts union all select {other}")
        assert missing_keys(con, "more", "key", "cases")


@pytest.mark.parametrize(
    ("last", "dense"),
    [(START + 1_048_576 + 8 * 2, True), (START + 1_048_577 + 8 * 2, False), (FAR, False)],
)
def test_only_keys_that_lie_close_together_have_a_span(con: Connection, last: int, dense: bool) -> None:
    keys(con, "cases", [(START,), (last,)], "key ubigint")
    assert span_of(con, "cases", "key", 2) == (Span(START, last) if dense else None)


def test_bits_so_many_times_over_are_held_against_what_they_take() -> None:
    span = Span(START, START + (1 << 20))
    assert span.takes(1 << 9)  # 64 MB
    assert not span.takes((1 << 9) + 1)


def test_no_row_has_no_span(con: Connection) -> None:
    con.execute("create table cases (key ubigint)")
    assert span_of(con, "cases", "key", 0) is None
