"""Questions on a terminal about what was guessed without certainty, and about what only a person knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from roi.guess.guess import FILL_IN, Guess
from roi.guess.write import FILLS, Draft, blank_text
from roi.schema.tables import TABLE_COLUMNS

__all__ = ["Ask", "ask_about"]

Ask = Callable[[str], str]
"""Puts a question and returns the answer, blank where there is none."""

_YES = ("", "y", "yes", "j", "ja", "o", "oui", "s", "si", "sí")
_NO = ("n", "no", "nein", "non", "-")


def ask_about(draft: Draft, ask: Ask) -> Draft:
    """Ask about each doubtful guess, each value that is not understood, and each number that is missing.

    Args:
        draft: The draft.
        ask: Puts the questions.

    Returns:
        The draft with the answers; what is left blank keeps its mark.
    """
    columns = dict(draft.guesses.columns)
    for name, guess in list(columns.items()):
        settled = _confirmed(guess, draft, ask)
        if settled is None:
            del columns[name]
        else:
            columns[name] = _valued(settled, ask)
    for name, guess in columns.items():
        if told := blank_text(guess, draft.cases, columns.get("arm")):
            answer = (
                ask(f"{told}. Was nothing done there, or was it not timed? [zero/missing]").strip().lower()
            )
            meant = next((m for m in ("zero", "missing") if answer and m.startswith(answer)), None)
            columns[name] = replace(guess, blank=meant)
    given = dict(draft.given)
    for key, (_, wanted) in FILLS.items():
        if key not in given and (answer := ask(f"{key} – {wanted}").strip()):
            given[key] = answer
    return replace(draft, guesses=replace(draft.guesses, columns=columns), given=given)


def _confirmed(guess: Guess, draft: Draft, ask: Ask) -> Guess | None:
    """A guess as confirmed, replaced, or left out."""
    if guess.sure or not guess.sources:
        return guess
    theirs = " + ".join(c.name.text for c in guess.sources)
    unit = f" in {guess.unit}" if guess.unit else ""
    question = f"{guess.column} from '{theirs}'{unit}? {'; '.join(guess.doubts)} [Y/n/another column]"
    while True:
        answer = ask(question).strip()
        if answer.lower() in _YES:
            return replace(guess, doubts=()) if answer else guess
        if answer.lower() in _NO:
            return None
        if answer in draft.cases.by_name:
            return Guess(
                column=guess.column, sources=(draft.cases.by_name[answer],), doubts=("not looked into",)
            )
        question = f"No column is called so. {theirs} for {guess.column}? [Y/n/another column]"


def _valued(guess: Guess, ask: Ask) -> Guess:
    allowed = TABLE_COLUMNS["cases"][guess.column].values
    values = dict(guess.values)
    for theirs, ours in values.items():
        while ours == FILL_IN:
            answer = (
                ask(f"{guess.column}: what is '{theirs}'? [{' / '.join(allowed)} / missing]").strip().lower()
            )
            if not answer:
                break
            hits = [a for a in (*allowed, "missing") if a.startswith(answer)]
            if len(hits) == 1:
                values[theirs] = ours = None if hits[0] == "missing" else hits[0]
    return replace(guess, values=values)
