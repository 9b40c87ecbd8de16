"""Sealed logs: any later change of a row, insertion, deletion or swap is seen, and where; honest appending is none."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import random
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rest_slow import rest_slow
from sample_projects import Project

from roi import log_lines
from roi.chain import FIRST, canonical_text, hold, linked
from roi.cli import main
from roi.log_seal import checked_log, not_sealable, seal_log, seals_of
from roi.problems import InputError
from roi.seal_file import SealWriter, seal_of
from roi.seal_state import SealState, seal_state
from roi.seal_words import in_words, problems_of

AT, LATER = "2026-11-20T09:30:00Z", "2026-11-27T08:00:00Z"
HEADER = "action_id,case_id,tool,status,ms\n"
ROWS = [
    f"A-{i:05},C-{i // 4:04},tool_{i % 7},{'ok' if i % 9 else 'denied'},{i * 37 % 900}\n"
    for i in range(10_000)
]


def write(path: Path, rows: list[str], header: str = HEADER) -> Path:
    path.write_bytes((header + "".join(rows)).encode())
    return path


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """A log of 10,000 rows that is sealed; tests write over the log and leave the seal."""
    log = write(tmp_path_factory.mktemp("big") / "actions.csv", ROWS)
    seal_log(log, at=AT)
    return log


@pytest.fixture
def small(tmp_path):
    log = write(tmp_path / "log.csv", ROWS[:12])
    seal_log(log, at=AT)
    return log


def told(state: SealState) -> list[tuple[object, ...]]:
    """Faults as (kind, row), with the row that a moved one is now, and with the last of several."""
    assert state.state == ("broken" if state.faults else "holds")
    found: list[tuple[object, ...]] = []
    for f in state.faults:
        more = (f.moved_to,) if f.kind == "moved" else (f.last,) if f.last != f.row else ()
        found.append((f.kind, f.row, *more))
    return found


def refused(log: Path) -> str:
    before = seal_of(log).read_bytes()
    with pytest.raises(InputError) as error:
        seal_log(log)
    assert seal_of(log).read_bytes() == before, "nothing is written where something is wrong"
    return str(error.value)


def test_by_hand(tmp_path):
    """Every hash of a seal of two rows, written out."""
    log = tmp_path / "log.csv"
    log.write_bytes(b"id,tool\n1,read\r\n2,pay\n")
    state, put = seal_log(log, at=AT)
    assert (state.rows, put) == (2, 3)
    hashes = [hashlib.sha256(line).digest() for line in (b"id,tool\n", b"1,read\r\n", b"2,pay\n")]
    lines = linked(
        {
            "kind": "lines",
            "first": 1,
            "lines": 3,
            "sha256": hashlib.sha256(b"".join(hashes)).hexdigest(),
            "digests": base64.b64encode(b"".join(h[:12] for h in hashes)).decode(),
            "begins": base64.b64encode(
                bytes([0b01100000])
            ).decode(),  # a row begins with the second and the third
        },
        n=1,
        prev=FIRST,
    )
    sealed = {"kind": "sealed", "seal": 1, "at": AT, "lines": 3, "rows": 2}
    end = linked(sealed, n=2, prev=lines["hash"])
    text = "".join(canonical_text(entry) + "\n" for entry in (lines, end))
    assert seal_of(log).read_text(encoding="utf-8") == text
    whole = '{"at": "%s", "kind": "sealed", "lines": 3, "n": 2, "prev": "%s", "rows": 2, "seal": 1}'
    assert state.head == hashlib.sha256((whole % (AT, lines["hash"])).encode()).hexdigest()


def test_what_was_sealed_holds(big):
    write(big, ROWS)
    state = seal_state(big)
    assert (state.state, state.rows, state.beyond, state.faults) == ("holds", 10_000, 0, ())
    assert state.sealed_at == AT
    assert len(str(state.head)) == 64
    assert in_words(state) == "sealed: 10,000 rows to 2026-11-20, holds"


def line_at(data: bytes, at: int) -> int:
    """The line of a byte, from 0, which is the row, from 1: line 0 is the header."""
    return data.count(b"\n", 0, at)


def one_byte(rng: random.Random, way: str) -> tuple[bytes, set[int], bool]:
    """The log with one byte changed, put in or taken out, the rows that this may touch, and whether it must be all."""
    data = (HEADER + "".join(ROWS)).encode()
    at = rng.randrange(len(data))
    row, byte, old = line_at(data, at), bytes([rng.choice(b'\n\r",\0A0\xff')]), data[at : at + 1]
    if way == "changed":
        while byte == old:
            byte = bytes([rng.randrange(256)])
        new = data[:at] + byte + data[at + 1 :]
    else:
        new = data[:at] + (byte if way == "inserted" else b"") + data[at + (way == "deleted") :]
    # An end of a line that is gone concerns the row after it, too; one that has come may make a blank line.
    ends = old in b"\r\n" or (byte in b"\r\n" and way != "deleted")
    return new, {row - 1, row, row + 1} if ends else {row}, not ends


@pytest.mark.parametrize("seed", rest_slow(range(6), at_once=2))
@pytest.mark.parametrize("way", ["changed", "inserted", "deleted"])
def test_one_byte_is_seen_and_where(big, way, seed):
    """Any byte at any place, quotation marks, line ends and zeros more often than others."""
    rng = random.Random(f"{way} {seed}")
    for _ in range(3):
        new, rows, all_of_them = one_byte(rng, way)
        big.write_bytes(new)
        state = seal_state(big)
        named = {f.row for f in state.faults} | {f.last for f in state.faults}
        assert state.state == "broken"
        assert named
        assert named == rows if all_of_them else named <= rows


@pytest.mark.parametrize("seed", rest_slow(range(6), at_once=2))
def test_rows_are_seen_and_where(big, seed):
    """A row that was changed, taken out, put in or swapped with another is named exactly."""
    rng = random.Random(seed)
    i, j = sorted(rng.sample(range(10_000), 2))
    fake = "A-0,C-0,tool_0,ok,0\n"
    assert told(seal_state(write(big, [*ROWS[:i], fake, *ROWS[i + 1 :]]))) == [("changed", i + 1)]
    assert told(seal_state(write(big, ROWS[:i] + ROWS[i + 1 :]))) == [("deleted", i + 1)]
    assert told(seal_state(write(big, [*ROWS[:i], fake, *ROWS[i:]]))) == [("inserted", i + 1)]
    swapped = [*ROWS[:i], ROWS[j], *ROWS[i + 1 : j], ROWS[i], *ROWS[j + 1 :]]
    both = [("moved", i + 1, j + 1), ("moved", j + 1, i + 1)]
    found = told(seal_state(write(big, swapped)))
    assert found == both or (j == i + 1 and found in ([both[0]], [both[1]]))
    assert told(seal_state(write(big, ROWS[: i + 1]))) == [("deleted", i + 2, 10_000)][: 10_000 - i - 1]


@pytest.mark.parametrize("seed", rest_slow(range(5), at_once=2))
def test_several_at_once_are_each_seen_and_where(big, seed):
    """Up to 24 edits of all kinds, apart from each other."""
    rng = random.Random(f"several {seed}")
    places = sorted(rng.sample(range(10, 9_900, 4), rng.randint(2, 24)))
    kinds = [rng.choice(["changed", "deleted", "inserted", "swap"]) for _ in places]
    new, expected, shift = list(ROWS), [], 0
    for i, kind in zip(places, kinds, strict=True):
        at = i + shift
        if kind == "changed":
            new[at] = new[at].replace("ok", "error").replace("denied", "ok")
            expected.append({("changed", i + 1)})
        elif kind == "deleted":
            del new[at]
            shift -= 1
            expected.append({("deleted", i + 1)})
        elif kind == "inserted":
            new.insert(at, f"A-{i:05},planted,tool_1,ok,1\n")
            shift += 1
            expected.append({("inserted", at + 1)})
        else:
            new[at], new[at + 1] = new[at + 1], new[at]
            expected.append({("moved", i + 1, at + 2), ("moved", i + 2, at + 1)})
    found = told(seal_state(write(big, new)))
    assert len(found) == len(expected)
    assert all(fault in either for fault, either in zip(found, expected, strict=True))


@pytest.mark.slow
def test_many_edits_of_every_kind(big):
    for seed in range(40):
        test_one_byte_is_seen_and_where(big, ("changed", "inserted", "deleted")[seed % 3], f"slow {seed}")
        test_rows_are_seen_and_where(big, f"slow {seed}")
        test_several_at_once_are_each_seen_and_where(big, f"slow {seed}")


def test_the_header_and_many_rows_at_once(big):
    found = seal_state(write(big, ROWS, HEADER.replace("tool", "t00l")))
    assert told(found) == [("changed", 0)]
    assert problems_of("log.csv", found)[0].place == "header"
    assert told(seal_state(write(big, ROWS, "a title\n" + HEADER))) == [("inserted", 0)]
    assert told(seal_state(write(big, ROWS, ""))) == [("deleted", 0)]
    moved = [*ROWS[:100], *ROWS[150:8_000], *ROWS[100:150], *ROWS[8_000:]]
    (fault,) = seal_state(write(big, moved)).faults
    assert (fault.kind, fault.row, fault.last, fault.rows, fault.moved_to) == ("moved", 101, 150, 50, 7_951)
    other = [row.replace("tool", "tuul") for row in ROWS]
    assert told(seal_state(write(big, other))) == [("changed", 1, 10_000)]


def test_too_many_places_are_counted(big):
    odd = [row if i % 4 else row.upper() for i, row in enumerate(ROWS)]
    state = seal_state(write(big, odd))
    assert (len(state.faults), state.more) == (1_000, 1_500)
    said = problems_of("log.csv", state)
    assert next(p.message for p in said if not p.place) == "and 2,490 further places"


def test_a_log_may_grow(small):
    first = seal_state(small).head
    write(small, ROWS[:15])
    state = seal_state(small)
    assert (state.state, state.rows, state.beyond, state.head) == ("holds", 12, 3, first)
    assert in_words(state).endswith("holds; 3 rows since then are not sealed")
    state, put = seal_log(small, at=LATER)
    assert (state.rows, state.beyond, state.sealed_at, put) == (15, 0, LATER, 3)
    assert [(s.at, s.rows) for s in state.sealings] == [(AT, 12), (LATER, 15)]
    assert state.sealings[0].head == first, "the head of the first sealing is a link of the second"
    before = seal_of(small).read_bytes()
    assert seal_log(small) == (state, 0)
    assert seal_of(small).read_bytes() == before
    assert told(seal_state(write(small, [*ROWS[:13], "x\n", *ROWS[14:15]]))) == [("changed", 14)]
    write(small, [*ROWS[:3], *ROWS[4:20]])
    assert "row 4: was taken out since it was sealed (it lay on line 5)" in refused(small)


def test_a_log_that_grew_by_many_blocks_is_the_same_as_one_that_was_sealed_at_once(big, tmp_path):
    log = tmp_path / "log.csv"
    for n in (1, 1_023, 1_024, 5_000, 10_000):
        seal_log(write(log, ROWS[:n]), at=AT)
    assert seal_state(log).rows == 10_000
    assert told(seal_state(write(log, ROWS[:5_000] + ROWS[5_001:]))) == [("deleted", 5_001)]


def test_a_last_line_without_an_end(tmp_path):
    """It is sealed as it stands; its end may come later and is sealed then; anything else is a change."""
    log = tmp_path / "log.csv"
    log.write_bytes(b"id\n1\n2")
    assert seal_log(log, at=AT)[0].rows == 2
    assert seal_log(log)[1] == 0
    for end in (b"\n", b"\r\n"):
        log.write_bytes(b"id\n1\n2" + end)
        assert (seal_state(log).state, seal_state(log).beyond) == ("holds", 0)
        log.write_bytes(b"id\n1\n2" + end + b"3")
        assert (seal_state(log).state, seal_state(log).beyond) == ("holds", 1)
    log.write_bytes(b"id\n1\n20")
    assert told(seal_state(log)) == [("changed", 2)]
    log.write_bytes(b"id\n1\n3\n2\n")
    assert told(seal_state(log)) == [("inserted", 2)]
    for short in (b"", b"id\n", b"id\n1\n"):
        log.write_bytes(short)
        assert seal_state(log).faults[-1].last == 2
    log.write_bytes(b"id\n1\n2\r\n3")
    state, put = seal_log(log, at=LATER)
    assert (state.rows, put) == (3, 2)
    log.write_bytes(b"id\n1\n2\r\n3\n4\n")
    assert (seal_state(log).state, seal_state(log).beyond) == ("holds", 1)
    log.write_bytes(b"id\n1\n2\n3")
    assert told(seal_state(log)) == [("changed", 2)], "its end was sealed the second time"


def test_ends_of_lines_count(tmp_path):
    log = tmp_path / "log.csv"
    for end in ("\n", "\r\n", "\r"):
        seal_of(log).unlink(missing_ok=True)
        log.write_bytes(end.join(["id", "1", "2", "3", ""]).encode())
        assert seal_log(log)[0].rows == 3
        for other in {"\n", "\r\n", "\r"} - {end}:
            log.write_bytes(f"id{end}1{end}2{other}3{end}".encode())
            assert told(seal_state(log)) == [("changed", 2)]
    log.write_bytes(b"id\r1\r\r2\r3\r")
    assert seal_state(log).faults[0].line == 3


def test_rows_are_counted_as_they_are_read(tmp_path):
    """Line breaks within cells and blank lines are no rows, as for whoever reads the table."""
    project = Project(tmp_path)
    text = 'case_id,arm,segment\nT-1,pilot,"two\nlines"\n\nT-2,baseline,"a ""quoted"" word"\nT-3,pilot,"\n\n"\nT-4,baseline,x\n'
    samples = project.cases(text)
    log = tmp_path / "data" / "cases.csv"
    state, _ = seal_log(log)
    (n,) = samples.con.execute('select count(*) from "cases"').fetchone()
    assert state.rows == n == 4
    log.write_bytes(text.replace("T-4", "T-5").encode())
    (fault,) = seal_state(log).faults
    assert (fault.kind, fault.row, fault.line) == ("changed", 4, 9)
    log.write_bytes(text.replace("two\n", "2\n").encode())
    assert told(seal_state(log)) == [("changed", 1)]
    log.write_bytes(text.replace("lines", "rows").encode())
    assert told(seal_state(log)) == [("changed", 1)]
    log.write_bytes(text.replace("T-3", "T-2b,pilot,new\nT-3").encode())
    assert told(seal_state(log)) == [("inserted", 3)]
    log.write_bytes(text.replace("T-2,", 'T-2b,pilot,"new\nand\nlong"\nT-2,').encode())
    (fault,) = seal_state(log).faults
    assert (fault.kind, fault.row, fault.last, fault.line) == ("inserted", 2, 2, 5)
    log.write_bytes(text.replace("\n\nT-2", "\nT-2").encode())
    (fault,) = seal_state(log).faults
    assert (fault.kind, fault.row, fault.begins, fault.line) == ("deleted", 1, False, 4)
    assert (
        "a line with which no row begins was taken out here" in problems_of("x", seal_state(log))[0].message
    )
    log.write_bytes(text.replace("T-1", '"T-1').encode())
    assert told(seal_state(log)) == [("changed", 1)], "a stray quotation mark spoils its own row alone"
    log.write_bytes(text.encode() + b'T-5,pilot,"open\n')
    assert (seal_state(log).beyond, seal_state(log).lines_beyond) == (1, 1)


def test_json_lines_have_no_header(tmp_path):
    log = tmp_path / "log.jsonl"
    lines = ['{"a": "one"}\n', "\n", '{"a": "say \\"x"}\n', '{"a": "three"}\n']
    log.write_text("".join(lines), encoding="utf-8")
    assert seal_log(log)[0].rows == 3
    log.write_text("".join(lines).replace("three", "four"), encoding="utf-8")
    assert told(seal_state(log)) == [("changed", 3)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_by_its_signs(tmp_path, encoding):
    """ਊ has the bytes of a line feed in both halves; a sign beyond them has two pairs; half a sign is seen."""
    log = tmp_path / "log.csv"
    text = "\ufeffid,note\r\n1,ਊ\r\n2,𝄞\r\n3,x\r\n"
    log.write_bytes(text.encode(encoding))
    assert seal_log(log)[0].rows == 3
    for old, new, row in (("ਊ", "ਉ", 1), ("𝄞", "𝄢", 2), ("x", "\udc00", 3)):
        log.write_bytes(text.replace(old, new).encode(encoding, "surrogatepass"))
        assert told(seal_state(log)) == [("changed", row)]
    log.write_bytes(text.encode(encoding) + b"\0")
    assert seal_state(log).lines_beyond == 1
    log.write_bytes(text.encode(encoding)[:-1])
    assert told(seal_state(log)) == [("changed", 3)]


def test_long_lines_are_taken_in_pieces(tmp_path, monkeypatch):
    """What is held at once is bounded, and where pieces end depends on the line alone."""
    monkeypatch.setattr(log_lines, "LONGEST_PIECE", 10)
    log = tmp_path / "log.csv"
    text = b"id,note\n1,%s\n2,%s\r\n3,b\n" % (b"x" * 57, b"y" * 26)
    log.write_bytes(text)
    pieces = list(log_lines.lines_of(log))
    assert b"".join(pieces) == text
    assert max(map(len, pieces)) == 10
    for size in (1, 3, 8, 10, 11, 100):
        monkeypatch.setattr(log_lines, "_CHUNK", size)
        assert list(log_lines.lines_of(log)) == pieces
    assert seal_log(log)[0].rows == 3
    log.write_bytes(text.replace(b"yyy", b"yzy", 1))
    assert told(seal_state(log)) == [("changed", 2)]
    log.write_bytes(text.replace(b"y\r", b"y"))
    assert {f.row for f in seal_state(log).faults} == {2}


def test_what_is_packed_is_sealed_by_its_rows(tmp_path):
    log = tmp_path / "log.csv.gz"
    text = (HEADER + "".join(ROWS)).encode()
    log.write_bytes(gzip.compress(text, mtime=1))
    assert seal_log(log)[0].rows == 10_000
    log.write_bytes(gzip.compress(text, compresslevel=1, mtime=2))
    assert seal_state(log).state == "holds", "packed anew, the rows are what they were"
    log.write_bytes(log.read_bytes() + gzip.compress(b"A-1,C-1,x,ok,1\n"))
    assert seal_state(log).beyond == 1
    log.write_bytes(gzip.compress(text.replace(b"A-07000", b"A-07OOO")))
    assert told(seal_state(log)) == [("changed", 7_001)]


def test_a_damaged_packed_log_says_from_where_on(tmp_path):
    log = tmp_path / "log.csv.gz"
    text = (HEADER + "".join(ROWS)).encode()
    whole = gzip.compress(text, mtime=1)
    log.write_bytes(whole)
    seal_log(log)
    log.write_bytes(whole[: len(whole) * 3 // 4])
    (fault,) = seal_state(log).faults
    assert fault.kind == "unreadable"
    assert 6_000 < fault.row < 8_500
    assert fault.last == 10_000
    assert "cannot be read from here on" in refused(log)
    log.write_bytes(whole[:-6] + b"\0" + whole[-5:])  # the check sum
    (fault,) = seal_state(log).faults
    assert (fault.kind, fault.row) == ("unreadable", 10_001)
    log.write_bytes(b"no gzip")
    assert told(seal_state(log)) == [("unreadable", 0, 10_000)]


def test_what_is_no_text_is_sealed_as_a_file(tmp_path):
    log = tmp_path / "log.xlsx"
    log.write_bytes(b"PK\x03\x04" + bytes(range(256)))
    state, put = seal_log(log, at=AT)
    assert (state.rows, put, in_words(state)) == (None, 1, "sealed: as a file to 2026-11-20, holds")
    assert seal_log(log)[1] == 0
    log.write_bytes(b"PK\x03\x04" + bytes(range(255)))
    assert [(f.kind, f.row) for f in seal_state(log).faults] == [("changed", None)]
    assert "was changed since it was sealed" in refused(log)


def test_a_log_that_is_gone_or_empty(small):
    small.write_bytes(b"")
    assert told(seal_state(small)) == [("deleted", 0), ("deleted", 1, 12)]
    small.unlink()
    assert [f.kind for f in seal_state(small).faults] == ["gone"]
    assert "does not exist" in refused(small)


def test_a_header_alone_can_be_sealed(tmp_path):
    log = write(tmp_path / "log.csv", [])
    assert seal_log(log)[0].rows == 0
    assert seal_state(write(log, ROWS[:2])).beyond == 2


@pytest.mark.parametrize("seed", rest_slow(range(40), at_once=10))
def test_a_byte_of_the_seal_is_seen(small, seed):
    write(small, ROWS[:14])
    seal_log(small, at=LATER)
    rng, place = random.Random(seed), seal_of(small)
    data = place.read_bytes()
    at = rng.randrange(len(data))
    other = bytes([(data[at] + rng.randrange(1, 256)) % 256])
    place.write_bytes(data[:at] + rng.choice([other, b"", other + data[at : at + 1]]) + data[at + 1 :])
    state = seal_state(small)
    assert state.state == "broken"
    assert state.head is None
    (fault,) = state.faults
    assert (fault.kind, fault.row) == ("seal", None)
    line = data.count(b"\n", 0, at) + 1
    assert fault.line in (line, line + 1)
    assert "put the seal back from a copy" in refused(small)


def test_lines_of_the_seal_that_are_swapped_or_gone(small):
    head = seal_state(small).head
    write(small, ROWS[:14])
    seal_log(small, at=LATER)
    place = seal_of(small)
    lines = place.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    for bad in (
        [],
        lines[:1],
        lines[:3],
        lines[1:],
        [lines[1], lines[0], *lines[2:]],
        [*lines[:2], lines[3]],
    ):
        place.write_bytes(b"".join(bad))
        assert [f.kind for f in seal_state(small).faults] == ["seal"]
    # Lines of another log's seal follow no line of this one.
    other = write(small.with_name("other.csv"), ROWS[20:32])
    seal_log(other, at=AT)
    write(other, ROWS[20:34])
    seal_log(other, at=LATER)
    foreign = seal_of(other).read_bytes().splitlines(keepends=True)
    place.write_bytes(b"".join([*lines[:2], *foreign[2:]]))
    (fault,) = seal_state(small).faults
    assert (fault.kind, fault.line) == ("seal", 3)
    # A whole sealing that is gone leaves an earlier seal, which only its head tells.
    place.write_bytes(b"".join(lines[:2]))
    state = seal_state(small)
    assert (state.state, state.head, state.beyond) == ("holds", head, 2)


def test_a_head_that_was_kept_elsewhere(small):
    first = str(seal_state(small).head)
    write(small, ROWS[:14])
    second = str(seal_log(small, at=LATER)[0].head)
    assert checked_log(small, first).head == second
    assert checked_log(small, f" {second.upper()} ").head == second
    write(small, [ROWS[0].replace("ok", "no"), *ROWS[1:14]])
    seal_of(small).unlink()
    seal_log(small, at=AT)
    assert seal_state(small).state == "holds", "who writes both anew is seen by the head alone"
    for head, says in (
        (first, "no head of this seal"),
        (second, "no head of this seal"),
        ("12ab", "has 4 signs"),
    ):
        with pytest.raises(InputError, match=says):
            checked_log(small, head)


def test_rows_that_were_made_alike_are_still_seen(tmp_path):
    """Digests are short; a row with the same one, which takes 2^96 trials, is seen by the full hash of its block."""
    log = write(tmp_path / "log.csv", ROWS[:5])
    lines = log.read_bytes().splitlines(keepends=True)
    hashes = [hashlib.sha256(line).digest() for line in lines]
    whole = hashlib.sha256(b"".join([*hashes[:3], b"\1" * 32, *hashes[4:]])).digest()
    with seal_of(log).open("wb") as file:
        writer = SealWriter(file)
        writer.put_lines(whole, hashes, [False] + [True] * 5, again=False, is_open=False)
        writer.close(AT)
    assert told(seal_state(log)) == [("changed", 0, 5)]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "else"},
        {"first": 2},
        {"first": 1.0},
        {"lines": 13.0},
        {"lines": 10**15},
        {"begins": 7},
        {"begins": ""},
        {"lines": "3"},
        {"lines": 12},
        {"sha256": "ab"},
        {"digests": "!"},
        {"first": None},
    ],
    ids=str,
)
def test_a_seal_of_another_shape_is_no_crash(small, change):
    """Hashes may be right all the same: whoever wrote it was another version, or wanted it so."""
    place = seal_of(small)
    lines, end = (json.loads(line) for line in place.read_text(encoding="utf-8").splitlines())
    lines = linked(
        {k: v for k, v in (lines | change).items() if k not in ("n", "prev", "hash")}, n=1, prev=FIRST
    )
    end = linked({k: v for k, v in end.items() if k not in ("n", "prev", "hash")}, n=2, prev=lines["hash"])
    place.write_text("".join(canonical_text(e) + "\n" for e in (lines, end)), encoding="utf-8")
    write(small, ROWS[1:12])
    assert [f.kind for f in seal_state(small).faults] == ["seal"]


def test_the_seal_is_whole_or_not_written(small, monkeypatch):
    write(small, ROWS[:20])
    before = seal_of(small).read_bytes()

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(InputError, match=r"cannot be sealed \(No space left"):
        seal_log(small)
    assert seal_of(small).read_bytes() == before
    monkeypatch.undo()
    part = small.with_name(f".{small.name}.seal.part")
    part.write_bytes(b"what a kill left" * 9_999)
    assert seal_log(small)[0].rows == 20
    assert sorted(p.name for p in small.parent.iterdir()) == ["log.csv", "log.csv.seal"]


def test_two_that_seal_at_once(small):
    write(small, ROWS[:20])
    with small.with_name(f".{small.name}.seal.part").open("wb") as other:
        assert hold(other.fileno())
        assert "is just being sealed by another process" in refused(small)
    assert seal_log(small)[1] == 8


def test_the_log_is_only_read(small):
    small.chmod(0o444)
    before = (small.read_bytes(), small.stat().st_mtime_ns)
    write_later = small.stat().st_mtime_ns
    seal_of(small).unlink()
    seal_log(small)
    assert (small.read_bytes(), small.stat().st_mtime_ns) == before
    assert write_later == before[1]


def test_links_lead_nowhere(small, tmp_path):
    inside = tmp_path / "elsewhere"
    inside.mkdir()
    link = inside / "link.csv"
    link.symlink_to(small)
    assert "is a link; seal the log that it leads to" in not_sealable(link)
    assert seal_state(link).state == "holds", "a log that is read through a link is held against its seal"
    kept = seal_of(small).rename(tmp_path / "kept.seal")
    seal_of(small).symlink_to(kept)
    assert seal_state(small).faults[0].what.startswith("is a link")
    assert "is a link or a folder" in refused(small)
    seal_of(small).unlink()
    part = small.with_name(f".{small.name}.seal.part")
    part.symlink_to(kept)
    was = kept.read_bytes()
    with pytest.raises(InputError, match="cannot be sealed"):
        seal_log(small)
    assert kept.read_bytes() == was


def test_what_cannot_be_sealed(tmp_path):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "log.duckdb").write_bytes(b"\0" * 20)
    (tmp_path / "log.dat").write_bytes(b"SQLite format 3\0")
    (tmp_path / "log.csv.seal").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    for name, says in {
        "empty.csv": "is empty",
        "log.duckdb": "export the log as CSV or JSON lines",
        "log.dat": "is a database",
        "log.csv.seal": "is a seal itself",
        "pipe": "is not a regular file",
        "*.csv": "is a pattern, and a seal is of one log",
        "gone.csv": "does not exist",
        "": "is a folder, and a seal is of one log; name its files",
    }.items():
        assert says in not_sealable(tmp_path / name), name
    assert "is a database" in not_sealable(Path("${CLAIMS_DB}"))


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_the_command(small, tmp_path):
    other = write(tmp_path / "other.csv", ROWS[:3])
    code, said = run("seal", small, other)
    head = seal_state(other).head
    assert code == 0
    assert run("seal", *sorted(tmp_path.iterdir()))[0] == 0, "a pattern names seals, too"
    assert f"{small}: sealed: 12 rows to 2026-11-20, holds; nothing has come since then" in said
    assert f"  head {head}\n" in said
    write(other, [*ROWS[:3], *ROWS[5:9]])
    assert run("seal", other, "--head", head) == (0, run("seal", other, "--check")[1])
    assert seal_state(other).head == head, "to check writes nothing"
    code, said = run("seal", other, "--head", "0" * 64)
    assert code == 2
    assert "is no head of this seal" in said
    write(small, [*ROWS[:3], ROWS[4], ROWS[3], *ROWS[5:11]])
    code, said = run("seal", tmp_path / "*.csv", small, tmp_path)
    assert code == 2
    assert "row 12: was taken out since it was sealed (it lay on line 13)" in said
    assert ", to row " in said
    assert "is a pattern" in said
    assert "is a folder" in said
    assert not {"denied", "tool"} & set(re.split(r"\W+|_", said)), "no text of a row is repeated"
    assert run("seal", small, other, "--head", head)[0] == 2
    seal_of(other).unlink()
    code, said = run("seal", other, "--check")
    assert code == 2
    assert f"make one: roi seal {other}" in said


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path)
    rows = "".join(f"T-{i},{('baseline', 'pilot')[i % 2]},{5 + i % 3}\n" for i in range(40))
    project.write("cases.csv", "case_id,arm,handling_minutes\n" + rows)
    for day in (1, 2):
        project.write(f"log/day{day}.csv", "action_id,case_id,tool\n" + f"{day},T-1,read\n")
    project.load(samples={"actions": "data/log/day*"})
    return project


def test_check_verifies_what_is_sealed(project, tmp_path):
    params = tmp_path / "params" / "p.yaml"
    code, unsealed = run("check", params)
    assert code == 0
    assert "sealed" not in unsealed
    for name in ("cases.csv", "log/day2.csv"):
        seal_log(tmp_path / "data" / name, at=AT)
    code, said = run("check", params)
    assert code == 0
    assert "  data/cases.csv is sealed: 40 rows to 2026-11-20, holds\n" in said
    assert said.startswith(unsealed), "a seal beside a file is no file of a pattern"
    states = dict(seals_of(project.load(samples={"actions": "data/log/day*"}), "actions"))
    assert {name: state.state for name, state in states.items()} == {
        "data/log/day1.csv": "none",
        "data/log/day2.csv": "holds",
    }


def test_check_names_all_that_is_broken_at_once(project, tmp_path):
    params = tmp_path / "params" / "p.yaml"
    for name in ("cases.csv", "log/day2.csv"):
        seal_log(tmp_path / "data" / name, at=AT)
    project.write("log/day2.csv", "action_id,case_id,tool\n2,T-1,write\n")
    code, said = run("check", params)
    assert code == 2
    assert "data/log/day2.csv: 2 problems\n  row 1: was changed since it was sealed (now on line 2)\n" in said
    assert ": ok" not in said
    project.write("cases.csv", "case_id,arm\nT-1,neither\n")
    code, said = run("check", params)
    assert code == 2
    assert "data/cases.csv: " in said
    assert "neither" not in said.replace("neither 'baseline'", "")
    assert "rows 2 to 40: were taken out" in said
    assert "data/log/day2.csv: 2 problems" in said, "all problems at once"
    (tmp_path / "params" / "p.yaml").write_text(
        "pilot: p\nabout: {currency: 7}\nsamples: {cases: data/cases.csv}\n"
    )
    assert "rows 2 to 40: were taken out" in run("check", params)[1], "even where the file itself is wrong"


def test_exports_that_are_joined_are_held_against_their_seals(project, tmp_path):
    project.write("more.csv", "case,worker\nT-1,w\n")
    seal_log(tmp_path / "data" / "more.csv", at=AT)
    join = {"source": "data/more.csv", "on": {"case_id": "case"}, "take": {"worker": "first"}}
    loaded = project.load({"source": "data/cases.csv", "join": [join]})
    assert {n: s.state for n, s in seals_of(loaded)} == {"data/cases.csv": "none", "data/more.csv": "holds"}


def test_what_cannot_be_read_is_told(small, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("roi.seal_state.lines_of", denied)
    (fault,) = seal_state(small).faults
    assert (fault.kind, fault.row) == ("unreadable", None)
    with pytest.raises(InputError, match=r"so not held against its seal \(Permission denied\)"):
        checked_log(small)
    assert "cannot be sealed (Permission denied)" in refused(small)
    monkeypatch.setattr("roi.seal_state.read_seal", denied)
    (fault,) = seal_state(small).faults
    assert fault.kind == "seal"
    assert "cannot be read (Permission denied)" in refused(small)


def test_the_time_of_a_seal_is_a_time(small):
    """A text of somebody's making does not come to the terminal by way of a seal."""
    place = seal_of(small)
    lines = json.loads(place.read_text(encoding="utf-8").splitlines()[0])
    end = linked(
        {"kind": "sealed", "at": "\x1b[2J", "lines": 13, "rows": 12, "seal": 1}, n=2, prev=lines["hash"]
    )
    place.write_text("".join(canonical_text(e) + "\n" for e in (lines, end)), encoding="utf-8")
    (problem, _) = problems_of("log.csv", seal_state(small))
    assert "\x1b" not in str(problem)
    assert problem.place == "line 2"
