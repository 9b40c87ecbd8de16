"""Problems that a user can mend: where, what and how, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

__all__ = ["InputError", "ParameterError", "Problem", "SampleError", "format_problems"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        file: The file it is in, relative to the project folder.
        place: The key of a parameter file, or the column (and row) of a sample.
        message: What is wrong and how to mend it.
    """

    file: str
    place: str
    message: str


class InputError(Exception):
    """The inputs need mending; carries every problem that was found.

    Attributes:
        problems: What is wrong, in the order in which a reader meets it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        if not self.problems:
            raise ValueError("an InputError without a problem says nothing")
        super().__init__(format_problems(self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        # Exceptions are rebuilt from their message by default, which loses the problems between processes.
        return type(self), (self.problems,)


class ParameterError(InputError):
    """A parameter file or the policy needs mending."""


class SampleError(InputError):
    """A sample table needs mending."""


def format_problems(problems: Iterable[Problem]) -> str:
    """Lay problems out by file, one a line.

    Args:
        problems: In the order in which they are to be read; those of one file stand together.

    Returns:
        Text such as ``params/x.yaml: 2 problems`` followed by one indented line a problem.
    """
    lines: list[str] = []
    ordered = list(problems)
    files = list(dict.fromkeys(p.file for p in ordered))
    ordered.sort(key=lambda p: files.index(p.file))
    for file, group in groupby(ordered, key=lambda p: p.file):
        found = list(group)
        lines.append(f"{file}: {len(found)} problem{'s' if len(found) != 1 else ''}")
        lines.extend(f"  {p.place}: {p.message}" if p.place else f"  {p.message}" for p in found)
    return "\n".join(lines)
