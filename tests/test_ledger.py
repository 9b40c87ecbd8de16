"""The ledger: a chain that names every change, survives a kill in mid-write and two writers, and counts looks."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi.chain import FIRST, append, canonical_text, entry_hash, linked, read_chain
from roi.ledger import current, find_ledger, issue, look_of, read_ledger, record_sha256, stray_ledgers
from roi.problems import InputError


def put(path: Path, *words: str) -> Path:
    for word in words:
        append(path, lambda _, word=word: [{"kind": "note", "says": word}])
    return path


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    return put(tmp_path / "log.jsonl", "one", "two", "three", "four", "five")


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def broken(path: Path, mend: str = "put the file back") -> str:
    """What is said of a chain that does not hold; nothing may be appended to it, and nothing in it changes."""
    before = path.read_bytes()
    with pytest.raises(InputError) as error:
        read_chain(path)
    with pytest.raises(InputError):
        put(path, "more")
    assert path.read_bytes() == before
    assert mend in str(error.value)
    return str(error.value)


def test_a_hash_by_hand():
    """The chain's arithmetic, written out: SHA-256 of the entry's sorted JSON without its hash."""
    text = '{"kind": "note", "n": 1, "prev": "' + "0" * 64 + '", "says": "ä"}'
    entry = linked({"kind": "note", "says": "ä"}, n=1, prev=FIRST)
    assert entry["hash"] == hashlib.sha256(text.encode()).hexdigest() == entry_hash(entry)


def test_each_entry_names_the_one_before(chain):
    found = read_chain(chain)
    assert [e["n"] for e in found.entries] == [1, 2, 3, 4, 5]
    assert [e["prev"] for e in found.entries] == [FIRST, *(e["hash"] for e in found.entries[:-1])]
    assert found.head == found.entries[-1]["hash"]


def test_an_empty_chain_holds(tmp_path):
    assert read_chain(tmp_path / "none.jsonl").entries == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.head"])
def test_a_pipe_in_its_place_is_refused_and_not_waited_for(tmp_path, name):
    pipe = tmp_path / name
    os.mkfifo(pipe)
    # Who reads it all the same gets an end, not a wait for ever.
    threading.Thread(target=lambda: pipe.open("wb").close(), daemon=True).start()
    with pytest.raises(InputError, match=rf"{re.escape(name)}: 1 problem\n  is no file: move it away"):
        read_chain(tmp_path / "log.jsonl")
    with pytest.raises(InputError, match="is no file"):
        put(tmp_path / "log.jsonl", "one")


def test_a_folder_in_its_place_is_refused(tmp_path):
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(InputError, match="is no file"):
        read_chain(tmp_path / "log.jsonl")


def test_a_changed_line_is_named(chain):
    chain.write_bytes(chain.read_bytes().replace(b'"three"', b'"Three"'))
    assert "line 3: was changed" in broken(chain)


def test_a_line_that_was_changed_with_its_hash_breaks_the_next(chain):
    parts = lines(chain)
    entry = json.loads(parts[2]) | {"says": "other"}
    entry["hash"] = entry_hash(entry)
    parts[2] = canonical_text(entry).encode() + b"\n"
    chain.write_bytes(b"".join(parts))
    assert "line 4: follows another entry" in broken(chain)


def test_swapped_lines_are_named(chain):
    parts = lines(chain)
    parts[1], parts[2] = parts[2], parts[1]
    chain.write_bytes(b"".join(parts))
    assert "line 2: is entry 3 where entry 2 belongs" in broken(chain)


@pytest.mark.parametrize("gone", [0, 2])
def test_a_line_that_was_taken_out_is_named(chain, gone):
    parts = lines(chain)
    del parts[gone]
    chain.write_bytes(b"".join(parts))
    assert f"line {gone + 1}: is entry {gone + 2} where entry {gone + 1} belongs" in broken(chain)


def test_lines_that_are_gone_from_the_end_are_named(chain):
    chain.write_bytes(b"".join(lines(chain)[:-2]))
    assert "line 4: 2 of 5 entries are gone from the end" in broken(chain)


def test_a_chain_that_was_made_anew_from_some_line_on_is_named(chain, tmp_path):
    """Somebody who rewrites the end with right hashes is told by the head, if that was not rewritten, too."""
    other = put(tmp_path / "other.jsonl", "one", "two", "three", "four", "FIVE")
    chain.write_bytes(other.read_bytes())
    assert "entry 5 is another one than was written" in broken(chain)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, bytes]:
    path = put(tmp_path_factory.mktemp("chain") / "log.jsonl", "one", "two", "three")
    return path, path.read_bytes()


@settings(deadline=None)
@given(st.data())
def test_any_byte_that_is_changed_is_found(whole, data):
    path, text = whole[0], bytearray(whole[1])
    place = data.draw(st.integers(0, len(text) - 1))
    sign = data.draw(st.integers(0, 255).filter(lambda x: x != text[place]))
    text[place] = sign
    path.write_bytes(bytes(text))
    if place == len(text) - 1:  # the last sign ends the last line; what follows no line is a torn one
        found = read_chain_or_none(path)
        assert found is None or found.torn or not found.ended
    else:
        with pytest.raises(InputError, match=r"line \d|is another one"):
            read_chain(path)


def test_a_blank_that_became_a_tab_is_found(chain):
    chain.write_bytes(chain.read_bytes().replace(b'"n": 3', b'"n":\t3'))
    assert "line 3: was changed" in broken(chain)


def read_chain_or_none(path: Path) -> Any:
    try:
        return read_chain(path)
    except InputError:
        return None


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_line_that_was_cut_off_is_ended_named_and_kept(chain, left):
    """A kill in mid-write: the half line stays, the next writer says so in the chain and to the user."""
    whole = chain.read_bytes()
    next_line = canonical_text(
        linked({"kind": "note", "says": "six"}, n=6, prev=read_chain(chain).head)
    ).encode()
    torn = next_line[:left]
    chain.write_bytes(whole + torn)
    assert len(read_chain(chain).entries) == 5  # reading does not mind, and changes nothing
    assert chain.read_bytes() == whole + torn
    new, said = append(chain, lambda _: [{"kind": "note", "says": "seven"}])
    assert [e["says"] for e in new] == ["seven"]
    assert said == [
        f"log.jsonl, line 6: was cut off while it was written ({len(torn)} bytes are left); ended and noted"
    ]
    assert chain.read_bytes().startswith(whole + torn + b"\n")
    entries = read_chain(chain).entries
    assert [e.get("says") for e in entries] == ["one", "two", "three", "four", "five", None, "seven"]
    assert (entries[5]["kind"], entries[5]["line"], entries[5]["torn_bytes"]) == ("mended", 6, len(torn))
    parts = lines(chain)
    chain.write_bytes(b"".join([*parts[:5], b"X" + parts[5], *parts[6:]]))
    assert "line 6" in broken(chain), "what is left of a torn line is held by its hash, too"


def test_a_line_that_lacks_only_its_end_counts(chain):
    data = chain.read_bytes()
    chain.write_bytes(data[:-1])
    assert len(read_chain(chain).entries) == 5
    _, said = append(chain, lambda _: [{"kind": "note", "says": "six"}])
    assert "line 5: its end was cut off" in said[0]
    assert [e.get("says") for e in read_chain(chain).entries] == [
        "one",
        "two",
        "three",
        "four",
        "five",
        None,
        "six",
    ]


def record(pilot: str = "p", data: str = "a", **more: Any) -> dict[str, Any]:
    made = {
        "samples_sha256": {"data/cases.csv": data},
        "params_sha256": "f",
        "policy_sha256": "g",
        "roi": "1",
    }
    looks = more.pop("looks", 1)
    plain = {"schema": 1, "pilot": pilot, "as_of": "2026-11-30", "verdict": "fix", "signed": []}
    return plain | more | {"provenance": made | {"looks": looks, "seed": 1, "draws": 2}}


def test_the_same_run_adds_no_second_entry(tmp_path):
    path = tmp_path / "ledger.jsonl"
    issue(path, record())
    before = path.read_bytes()
    issue(path, record())
    issue(path, record(signed=[{"as": "A"}]))  # who signed is no part of the record
    assert path.read_bytes() == before
    issue(path, record(verdict="kill"))
    entries = read_ledger(path)
    assert [e["verdict"] for e in entries] == ["fix", "kill"]
    assert entries[1]["previous"] == entries[0]["record"] == record_sha256(record())
    assert current(entries, "p") == entries[1]


def test_looks_count_data_and_not_runs(tmp_path):
    path = tmp_path / "ledger.jsonl"
    issue(path, record(data="a"))
    issue(path, record(data="a", verdict="kill"))  # other parameters, same data
    issue(path, record("other", data="x"))
    entries = read_ledger(path)
    from roi.ledger import data_sha256

    def look(value: str) -> int:
        return look_of(entries, "p", data_sha256({"any/name.csv": value}))

    assert (look("a"), look("b")) == (1, 2)
    with pytest.raises(InputError, match="this is look 2"):
        issue(path, record(data="b"))  # held to one look, though another run has entered one
    issue(path, record(data="b", looks=2))
    entries = read_ledger(path)
    assert (look("a"), look("b"), look("c")) == (1, 2, 3)
    assert [e["look"] for e in entries] == [1, 1, 1, 2]


def test_an_entry_of_a_newer_version_is_refused(tmp_path):
    path = put(tmp_path / "ledger.jsonl", "one")
    before = path.read_bytes()
    with pytest.raises(InputError, match="a newer one wrote it"):
        issue(path, record())
    assert path.read_bytes() == before


def _writer(path: str, name: str, n: int) -> None:
    for i in range(n):
        issue(Path(path), record(f"p{name}", verdict=f"v{i}"))


@pytest.mark.slow
def test_two_writers_at_once_lose_nothing(tmp_path):
    path = tmp_path / "ledger.jsonl"
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=_writer, args=(str(path), name, 40)) for name in ("a", "b", "c")]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    entries = read_ledger(path)
    assert len(entries) == 120
    for name in ("a", "b", "c"):
        assert [e["verdict"] for e in entries if e["pilot"] == f"p{name}"] == [f"v{i}" for i in range(40)]


@pytest.mark.slow
@pytest.mark.parametrize("wait", [0.05, 0.12, 0.2, 0.33])
def test_a_writer_that_is_killed_breaks_nothing(tmp_path, wait):
    path = tmp_path / "ledger.jsonl"
    context = multiprocessing.get_context("fork")
    job = context.Process(target=_writer, args=(str(path), "a", 100_000))
    job.start()
    job.join(wait)
    job.kill()
    job.join()
    before = len(read_ledger(path))
    issue(path, record("after"))
    assert [e["pilot"] for e in read_ledger(path) if e["kind"] == "record"][-1] == "after"
    assert len(read_ledger(path)) >= before + 1


def test_entries_without_a_head_are_named_and_may_be_accepted(chain):
    """Whoever deletes the head and the end of the chain is told of; its owner may write the head that is shown."""
    chain.write_bytes(b"".join(lines(chain)[:-2]))
    head = chain.with_name("log.jsonl.head")
    head.unlink()
    said = broken(chain, mend="put log.jsonl.head back from a copy")
    assert not head.exists()
    assert "log.jsonl.head: is gone, so that entries may be gone from the end" in said
    head.write_text(re.search(r"into log\.jsonl\.head: (\{.*\})", said)[1] + "\n", encoding="utf-8")
    put(chain, "more")
    assert [e["says"] for e in read_chain(chain).entries] == ["one", "two", "three", "more"]


def test_a_first_run_writes_its_head_before_its_first_line(tmp_path, monkeypatch):
    """Every kill of a first writer leaves a chain that holds: before the head, after it, in the line, after the line."""
    path = tmp_path / "log.jsonl"
    seen, cuts = [], [0, 40, None]

    def killed(descriptor: int, data: bytes) -> None:
        seen.append(path.with_name("log.jsonl.head").read_text(encoding="utf-8"))
        os.write(descriptor, data[: cuts[len(seen) - 1]])
        raise KeyboardInterrupt

    for _ in cuts:
        path.unlink(missing_ok=True)
        path.with_name("log.jsonl.head").unlink(missing_ok=True)
        with monkeypatch.context() as patch:
            patch.setattr("roi.chain._write_through", killed)
            with pytest.raises(KeyboardInterrupt):
                put(path, "one")
        assert json.loads(seen[-1]) == {"n": 0, "hash": FIRST}
        put(path, "two")
        assert read_chain(path).entries[-1]["says"] == "two"
    path.write_bytes(b"")
    path.with_name("log.jsonl.head").unlink()
    assert read_chain(path).entries == ()  # the file is made by the lock


def test_a_reader_between_the_first_head_and_the_first_line_sees_no_break(chain, monkeypatch):
    """The head was not there when it was looked for, and is when the lines have been read."""
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda p: False if p.name.endswith(".head") else real(p))
    assert len(read_chain(chain).entries) == 5


def test_a_record_of_a_newer_form_is_not_followed(tmp_path):
    path = tmp_path / "ledger.jsonl"
    issue(path, record(schema=2) | {"provenance": record()["provenance"] | {"roi": "9.0"}})
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"form 2, written by roi 9\.0"):
        issue(path, record())
    assert path.read_bytes() == before
    issue(path, record("other"))  # whose records this version knows


def test_an_entry_of_another_shape_is_named(tmp_path):
    path = tmp_path / "ledger.jsonl"
    append(path, lambda _: [{"kind": "sign", "record": "x", "as": ["A"], "decision": "accept", "at": 5}])
    with pytest.raises(InputError, match="as, at: no text where one is wanted"):
        read_ledger(path)


def test_the_ledger_of_a_record_is_where_a_run_writes_it(tmp_path):
    real, report = tmp_path / "reports/ledger.jsonl", tmp_path / "reports/p"
    archived = report / "archive/2026-11-30-0f3a41c2b7de"
    archived.mkdir(parents=True)
    (tmp_path / "ledger.jsonl").touch()  # above: another folder's
    assert find_ledger(report / "decision.json") is None
    for path in (real, report / "ledger.jsonl", archived / "ledger.jsonl"):
        path.touch()
    for folder in (report, archived):
        assert find_ledger(folder / "decision.json") == real
    assert stray_ledgers(report / "decision.json") == [report / "ledger.jsonl"]
    assert stray_ledgers(archived / "decision.json") == [archived / "ledger.jsonl", report / "ledger.jsonl"]
    (tmp_path / "archive").mkdir()  # the folder of all reports may be called so
    (tmp_path / "archive/ledger.jsonl").touch()
    assert find_ledger(tmp_path / "archive/claims/decision.json") == tmp_path / "archive/ledger.jsonl"
