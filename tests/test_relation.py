"""What a relation says of its columns finds the same rows, whether these are texts or codes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from sample_projects import Project

import roi.engine
from roi.relation import Relation

WORDS = ("a", "it's", "Ä{0}", "z")


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    listed = ", ".join(f"'{word.replace(chr(39), chr(39) * 2)}'" for word in WORDS)
    made.execute(f"create type codes as enum ({listed})")
    made.execute("create table texts (nr integer, word varchar)")
    made.executemany("insert into texts values (?, ?)", list(enumerate([*WORDS, None, "a"])))
    made.execute("create table coded as select nr, word::codes as word from texts")
    return made


@pytest.mark.parametrize(
    "asked",
    [("a",), ("it's",), ("Ä{0}", "z"), ("A",), ("nobody",), ("nobody", "a"), WORDS, ("codes", "z", "z")],
)
def test_codes_say_what_their_texts_say(con: duckdb.DuckDBPyConnection, asked: tuple[str, ...]) -> None:
    texts = Relation.named("texts", ("nr", "word"))
    coded = Relation.named("coded", ("nr", "word"), {"word": WORDS})
    found = []
    for table in (texts, coded):
        says = table.says("word", *asked)
        rows = f"select nr, {says}, not {says} from {table.sql} order by nr"
        found.append(
            (con.execute(rows).fetchall(), con.execute(f"select nr from {table.where(says).sql}").fetchall())
        )
    assert found[0] == found[1]
    assert [row[1] for row in found[0][0]] == [None if w is None else w in asked for w in (*WORDS, None, "a")]
    if set(asked) <= set(WORDS):  # no text is made of a code
        plan = con.execute(
            f"explain select count(*) from coded where {coded.says('word', *asked)}"
        ).fetchall()[0][1]
        assert "VARCHAR" not in plan


def test_only_columns_that_are_left_as_they_are_keep_their_codes() -> None:
    coded = Relation.named("coded", ("nr", "word"), {"word": WORDS})
    assert coded.where("nr > 2").codes == coded.having(more="1").codes == {"word": WORDS}
    assert coded.having(word="'a'").codes == {}
    assert coded.having(word="'a'").says("word", "a") == "word = 'a'"
    assert coded == Relation.named("coded", ("nr", "word"))


def test_of_people_and_of_many_words_no_code_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roi.engine, "SMALL", -1)
    project = Project(tmp_path)
    lines = ["case_id,arm,handling_minutes,worker,segment,outcome"]
    for i in range(60):
        lines.append(f"C-{i},{('baseline', 'pilot')[i % 2]},{5 + i % 7},W{i % 3},S{i % 30},correct")
    project.write("cases.csv", "\n".join(lines) + "\n")
    samples = project.open(samples={"partial_months": "keep"})
    codes = samples.tables["cases"].codes
    assert codes["arm"] == ("baseline", "pilot")
    assert codes["outcome"] == ("abandoned", "correct", "error", "escalated")
    assert "worker" not in codes
    assert "segment" not in codes
    monkeypatch.setattr(roi.engine, "SMALL", 8 << 20)
    assert project.open(samples={"partial_months": "keep"}).tables["cases"].codes == {}
