"""What a page asked of large samples, kept with the answers: the next run takes these over where nothing differs.

A question is a SELECT over the opened tables. The same question to the same samples, by the same program, has the same
answer, so that a page which asks nothing new of what the last run read (`roi.taken_over`) needs no sample; where it
asks one thing more, all is read and asked anew. Kept are answers about samples that are many and in which no person
stands by a name, whatever it is made of; of a question only the hash.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from roi.archive import MOMENTS, read_archive
from roi.issue import Run, current_run
from roi.json_object import read_object
from roi.made_with import ASKED, INPUTS
from roi.pilot import Pilot
from roi.problems import InputError
from roi.relation import Relation
from roi.samples import Samples
from roi.taken_over import Reading, reading_of, say_over

__all__ = ["Heard", "Told", "UnansweredError", "asked"]

T = TypeVar("T")

MOST = 32 << 20  # bytes of answers that are kept
# Workers counted, and bundled by the head of their pseudonyms, tell of nobody.
BUNDLED = re.compile(r"count\(distinct worker\)|substr\(coalesce\(worker, ''\), 3, 1\)")
PERSON = re.compile(r"\bworker\b")


class UnansweredError(Exception):
    """A question that the last run did not ask."""


class Answer:
    """Rows that are all there; whoever wants them in another way asks the engine again."""

    def __init__(self, rows: list[tuple[Any, ...]], again: Callable[[], Any]) -> None:
        self._rows, self._again = rows, again

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows."""
        return list(self._rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._again(), name)


class Told:
    """In place of an engine: what it answered the last run."""

    def __init__(self, answers: Mapping[str, list[tuple[Any, ...]]]) -> None:
        self._answers = answers

    def execute(self, question: str, *given: Any) -> Answer:
        """The answer to a question.

        Raises:
            UnansweredError: If it was not asked, or in another way.
        """
        found = None if given else self._answers.get(_sha256(question))
        if found is None:
            raise UnansweredError
        return Answer(found, self._unanswered)

    def __getattr__(self, name: str) -> Any:
        raise UnansweredError

    @staticmethod
    def _unanswered() -> Any:
        raise UnansweredError


class Heard:
    """An engine whose questions and answers are listened to.

    Attributes:
        answers: Hash of each question → its rows.
        whole: Whether nothing was asked in another way, and nobody is named in an answer.
    """

    def __init__(self, con: Any) -> None:
        self._con = con
        self.answers: dict[str, list[tuple[Any, ...]]] = {}
        self.whole = True

    def execute(self, question: str, *given: Any) -> Any:
        """As the engine's own."""
        if given or not question.startswith("select ") or PERSON.search(BUNDLED.sub("", question)):
            self.whole = False
            return self._con.execute(question, *given)
        rows = self._con.execute(question).fetchall()
        self.answers[_sha256(question)] = rows
        return Answer(rows, lambda: self.__getattr__("execute")(question))

    def __getattr__(self, name: str) -> Any:
        self.whole = False
        return getattr(self._con, name)


def asked(pilot: Pilot, ask: Callable[[Pilot], T]) -> T:
    """Ask of a pilot's samples what a page shows; in a run, of what the last one was answered where that is the same.

    Args:
        pilot: The pilot, whose samples nobody has opened unless somebody needed them.
        ask: What the page shows of a pilot, which may be called a second time with another one.
    """
    run = current_run(pilot.loaded.parameters.pilot)
    if run is None or pilot.opened is not None or "samples" in vars(pilot):
        return ask(pilot)
    reading = reading_of(pilot.loaded)
    if reading is None:
        return ask(pilot)
    if (told := _told(run, pilot, reading)) is not None:
        samples, data = told
        try:
            found = ask(replace(pilot, opened=samples))
        except UnansweredError:
            pass
        else:
            (run.folder / ASKED).write_bytes(data)
            say_over(run)
            return found
    samples = pilot.samples
    if not samples.coded:
        return ask(pilot)
    heard = Heard(samples.con)
    found = ask(replace(pilot, opened=replace(samples, con=heard)))
    if heard.whole and reading.stands():
        _keep(run.folder / ASKED, reading, samples, heard.answers)
    return found


def _keep(
    target: Path, reading: Reading, samples: Samples, answers: Mapping[str, list[tuple[Any, ...]]]
) -> None:
    """Write what was asked; nothing where an answer is none that JSON gives back, or they are too many."""
    try:
        rows = {question: [[_plain(x) for x in row] for row in found] for question, found in answers.items()}
        columns = {
            name: {column: table.codes.get(column, ()) for column in table.columns}
            for name, table in samples.tables.items()
        }
        kept = {"of": reading.key, "tables": columns, "timezone": samples.timezone, "answers": rows}
        text = json.dumps(kept, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):
        return
    if len(text) <= MOST:
        target.write_text(text + "\n", encoding="utf-8", newline="\n")


def _told(run: Run, pilot: Pilot, reading: Reading) -> tuple[Samples, bytes] | None:
    """Samples of which only what the last run was answered is there, and its file; None where that was of others."""
    if run.before is None:
        return None
    try:
        data = (run.before / ASKED).read_bytes()
        note = read_object(run.before / INPUTS) or {}
        if note["asked"] != hashlib.sha256(data).hexdigest():
            return None
        kept = json.loads(data)
        if kept["of"] != json.loads(json.dumps(reading.key)):
            return None
        taken = read_archive(run.folder / MOMENTS).taken()
        if dict(taken.fingerprints) != reading.fingerprints:
            return None
        answers = {q: [tuple(map(_given, row)) for row in rows] for q, rows in kept["answers"].items()}
        tables = {
            name: Relation.named(
                name, tuple(columns), {c: tuple(words) for c, words in columns.items() if words}
            )
            for name, columns in kept["tables"].items()
        }
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None
    selection = pilot.loaded.parameters.samples.labels.selection
    told = replace(
        taken.without_rows(),
        tables=tables,
        con=Told(answers),
        coded=True,
        selection=selection,
        timezone=kept["timezone"],
    )
    return told, data


def _plain(value: Any) -> Any:
    if type(value) is dt.date:
        return {"date": value.isoformat()}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{type(value)} is not kept")


def _given(value: Any) -> Any:
    return dt.date.fromisoformat(value["date"]) if isinstance(value, dict) else value


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
