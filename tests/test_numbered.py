"""Keys that are numbers are held as such, and shown as what they are held as otherwise."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest
from sample_projects import Project, column

import roi.coded
import roi.engine
from roi.engine import prepare
from roi.numbered import LARGEST, Numbers, declare, declared, number_of, numbers_in, shown_of
from roi.privacy import make_keys
from roi.readers.base import Connection

SIGNS = ("0", "1", "9", "e", "E", "+", "-", ".", "_", " ", "x")
ODD = ("7e2", "1e02", "07", "7 ", "+7", "7.0", "1_000", "0x1F", "", "x", "9" * 12, "9" * 13, "700", "0", "-0")


@pytest.fixture
def con() -> Connection:
    con = duckdb.connect()
    prepare(con, make_keys("p", key_env=None))
    return con


@pytest.mark.parametrize("head", ["", "C-", "é7-"])
def test_a_key_is_its_number_only_if_it_is_written_so(con: Connection, head: str) -> None:
    """All texts of up to five signs that the engine may read as a number."""
    numbers = Numbers("case", head, 0)
    for length in range(6):
        signs = ", ".join(f"(select unnest({list(SIGNS)}) as s{i})" for i in range(length)) or "(select 1)"
        text = " || ".join([f"'{head}'", *(f"s{i}" for i in range(length))])
        fits = f"coalesce({numbers.fits('t', numbers.number('t'))}, false)"
        plain = f"regexp_full_match(t, '{head}(0|[1-9][0-9]*)')"
        wrong = f"select t from (select {text} as t from {signs}) where {fits} <> {plain}"
        assert con.execute(wrong).fetchall() == []


@pytest.mark.parametrize("head", ["", "C-"])
@pytest.mark.parametrize(
    "rest", ["0xFFFFFF", "0XFFFFFF", "0x00989681", "0x98_96_81", "0xE8D4A50FFF", "0b1111"]
)
def test_a_number_to_another_base_is_no_number(con: Connection, head: str, rest: str) -> None:
    """It is as long as the number that the engine reads in it, or shorter."""
    numbers = Numbers("case", head, 0)
    fits = f"coalesce({numbers.fits('t', numbers.number('t'))}, false)"
    number = con.execute(f"select coalesce({numbers.number('t')}, 5) from (select $1 as t)", [head + rest])
    texts = [head + rest, f"{head}{number.fetchall()[0][0]}"]
    assert con.execute(f"select {fits} from (select unnest($1) as t)", [texts]).fetchall() == [
        (False,),
        (True,),
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["C-1", "C-22"], ("C-", 0)),
        (["C-01", "C-22"], ("C-", 2)),
        (["0", "7"], ("", 0)),
        (["2026-0001", "2026-0002"], ("2026-", 4)),
        (["C-01", "C-1"], None),
        (["C-1", "D-1"], None),
        (["C 1", "C 2"], None),
        (["C-1", None], None),
        (["C-" + "1" * 19], None),
        (["C\x00-1"], None),
        (["C-"], None),
        ([], None),
    ],
)
def test_how_keys_are_written_is_told_from_some(
    texts: list[str | None], expected: tuple[str, int] | None
) -> None:
    found = numbers_in(texts, "case")
    assert found == (None if expected is None else Numbers("case", *expected))


@pytest.mark.parametrize("width", [0, 3])
@pytest.mark.parametrize("head", ["", "C-", "it's "])
def test_keys_are_told_apart_and_shown_as_ever(con: Connection, head: str, width: int) -> None:
    texts = [None, *(head + tail for tail in (*ODD, *(str(n) for n in range(1200)), "007", "070", "0700"))]
    texts += [tail for tail in ODD if head] + [head.upper() + "é1"]

    def held() -> list[tuple[int | None, str | None]]:
        key = number_of("t", "case")
        rows = f"select {key}, {shown_of(key, 'case')} from (select unnest($1) as t)"
        return con.execute(rows, [texts]).fetchall()

    declare(con, "case", None)
    assert declared(con, "case") is None
    hashed = held()
    numbers = Numbers("case", head, width)
    declare(con, "case", numbers)
    assert declared(con, "case") == numbers
    found = held()
    assert len({key for key, _ in found}) == len(set(texts))
    assert len({shown for _, shown in found}) == len(set(texts))
    assert found[0] == hashed[0] == (None, None)
    ((moved,),) = con.execute("select getvariable('moved_case')").fetchall()
    as_numbers = [i for i, (key, _) in enumerate(found) if key is not None and 0 <= key - moved <= LARGEST]
    assert len(as_numbers) > 900
    # The same pseudonym, whichever way it is held.
    assert [shown for _, shown in found] == [shown for _, shown in hashed]
    for i in as_numbers:
        assert str(texts[i]).removeprefix(head).isdigit()
    low = min(found[i][0] or 0 for i in as_numbers)
    assert low > 10**9  # not what was written
    digest = hashlib.md5(
        f"{make_keys('p', key_env=None).by_domain['case']}{texts[as_numbers[3]]}".encode()
    ).digest()
    # The engine counts MD5's bytes from the other end.
    assert found[as_numbers[3]][1] == f"c-{int.from_bytes(digest[::-1][:8], 'big'):016x}"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("case_key", "odd", "dense"),
    [
        ("'T-' || i", "'T-7000'", True),
        ("'T-' || i", "'T-007'", False),  # one that is no number has all be held as hashes
        ("'T-' || i", "'U-7'", False),
        ("printf('T%06d', i)", "'T007000'", True),
        ("printf('T%06d', i)", "'T0000900'", False),
        ("i", "7000", True),
        ("i", "-900", False),
        ("'T-' || i * 100000000", "'T-5'", False),  # so far from each other that bits would be wasted
        ("md5(i::varchar)", "'T-1'", False),
    ],
)
def test_samples_are_the_same_however_their_keys_are_held(
    tmp_path: Path, kind: str, case_key: str, odd: str, dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    first = "from range(1, 3001) t(i)"
    cases = (
        f"select {case_key} as case_id, if(i % 2 = 0, 'pilot', 'baseline') as arm, i % 7 as handling_minutes "
        f"{first} union all select {odd}, 'pilot', 1"
    )
    # Nine actions are of cases that are not there, one of none.
    actions = (
        f"select 'A-' || i as action_id, if(i = 9, null, {case_key}) as case_id, 'crm' as tool, 'ok' as status "
        "from range(1, 3010) t(i)"
    )
    for name, sql in (("cases", cases), ("actions", actions)):
        file = project.write(f"{name}.{kind}", "")
        form = "format parquet" if kind == "parquet" else "format csv, header"
        duckdb.sql(f"copy ({sql}) to '{file}' ({form})")
    samples = {"actions": f"data/actions.{kind}", "partial_months": "keep"}
    few = project.open(f"data/cases.{kind}", samples=samples)
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    many = project.open(f"data/cases.{kind}", samples=samples)
    monkeypatch.setattr(roi.coded, "numbers_in", lambda texts, domain: None)
    hashed = project.open(f"data/cases.{kind}", samples=samples)
    assert many.coded
    assert set(many.spans) == ({"cases", "actions"} if dense else {"actions"})
    assert not hashed.spans
    said = [
        (s.warnings, s.exclusions, s.unknown_cases, s.once, column(s, "arm"), column(s, "status", "actions"))
        for s in (few, many, hashed)
    ]
    assert said[0] == said[1] == said[2]
    assert said[0][2] == {"actions": 10}
    for table, key in (("cases", "case_id"), ("actions", "action_id"), ("actions", "case_id")):
        shown = [
            [
                row[0]
                for row in s.con.execute(f'select {s.text_of(key)} from {table} order by "row"').fetchall()
            ]
            for s in (many, hashed)
        ]
        assert shown[0] == shown[1]
        assert len(set(shown[0])) == len(set(shown[1])) == len(set(column(few, key, table)))
    # The actions of a case are of the same case in each.
    pairs = 'select c."row", a."row" from cases c join actions a using (case_id) order by 1, 2'
    found = [s.con.execute(pairs).fetchall() for s in (few, many, hashed)]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2999


@pytest.mark.parametrize(
    "late", [",pilot,4", ",,", "Total,,12000", " K-7 ,pilot,4", "K-9x,pilot,4", "K-3,pilot,4"]
)
def test_a_late_row_without_its_number_is_what_it_is_in_a_small_sample(
    tmp_path: Path, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one without a key, without any cell, of sums, or of a case that is there twice."""
    project = Project(tmp_path)
    rows = [f"K-{i},{'pilot' if i % 2 else 'baseline'},4" for i in range(10, 1210)]
    text = "\n".join(["case_id,arm,handling_minutes", *rows, "K-3,pilot,4", late, "K-4,pilot,5"]) + "\n"
    project.write("cases.csv", text)
    few = project.open(samples={"partial_months": "keep"})
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    many = project.open(samples={"partial_months": "keep"})
    assert many.coded
    assert (many.warnings, many.exclusions, many.once) == (few.warnings, few.exclusions, few.once)
    assert [column(many, c) for c in ("arm", "handling_minutes")] == [
        column(few, c) for c in ("arm", "handling_minutes")
    ]


@pytest.mark.parametrize(
    ("cases", "actions", "case_key", "action_key"),
    [
        ({}, {}, "'K-' || i", "i::integer"),  # the number alone is not the key as it is
        ({}, {}, "-i", "i"),
        ({}, {}, "i", "printf('%05d', i)"),
        ({}, {}, "i::hugeint", "i"),
        ({"missing": ["K-7"]}, {}, "'K-' || i", "'K-' || i"),
        ({}, {"missing": ["K-7"]}, "'K-' || i", "'K-' || i"),
        (
            {"columns": {"case_id": {"from": "case_id", "values": {"K-7": "K-8000"}}}},
            {},
            "'K-' || i",
            "'K-' || i",
        ),
        (
            {},
            {"columns": {"case_id": {"from": "case_id", "values": {"K-7": "K-8"}}}},
            "'K-' || i",
            "'K-' || i",
        ),
        ({"columns": {"case_id": "case_id", "pair_id": "case_id"}}, {}, "'K-' || i", "'K-' || i"),
    ],
)
def test_what_is_made_of_keys_is_made_of_numbers(
    tmp_path: Path,
    cases: dict[str, object],
    actions: dict[str, object],
    case_key: str,
    action_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Marks of what is missing, maps of values, and forms of keys that differ in the two tables."""
    project = Project(tmp_path)
    made = {
        "cases": f"select {case_key} as case_id, if(i % 2 = 0, 'pilot', 'baseline') as arm, 4 as handling_minutes",
        "actions": f"select 'A-' || i as action_id, {action_key} as case_id, 'crm' as tool",
    }
    for name, sql in made.items():
        file = project.write(f"{name}.parquet", "")
        duckdb.sql(f"copy ({sql} from range(1, 300) t(i)) to '{file}' (format parquet)")
    samples = {"actions": {"source": "data/actions.parquet", **actions}, "partial_months": "keep"}
    given = {"source": "data/cases.parquet", **cases}
    few = project.open(given, samples=samples)
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    many = project.open(given, samples=samples)
    assert many.coded
    pairs = 'select c."row", a."row" from cases c join actions a using (case_id) order by 1, 2'
    for of in (few, many):
        assert of.con.execute(pairs).fetchall()
    assert many.con.execute(pairs).fetchall() == few.con.execute(pairs).fetchall()
    assert (many.warnings, many.exclusions, many.unknown_cases, many.once) == (
        few.warnings,
        few.exclusions,
        few.unknown_cases,
        few.once,
    )
