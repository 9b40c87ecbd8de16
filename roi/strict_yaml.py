"""YAML as its author meant it, or refused: no guessed types, no lost duplicates, no bombs.

PyYAML reads YAML 1.1: ``no`` is false there, ``010`` is 8, ``12:30`` is 750, ``1e6`` is a text, and the last
of two equal keys wins without a word. Here every unquoted scalar stays a text (`Plain`) until the key it
stands under says what is wanted: a number, a switch, a date or a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from roi.problems import Problem
from roi.scalars import Plain, shorten

__all__ = ["FILL_IN", "Document", "YamlPath", "dotted", "read_yaml"]

YamlPath: TypeAlias = tuple[str | int, ...]

FILL_IN = "FILL_IN"
"""What `roi new` writes, unquoted, where only a person knows the value."""

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML file says, and where.

    Attributes:
        value: Mappings, lists, `Plain` texts, quoted texts and None; None if the file could not be read.
        lines: The line (from 1) on which the value of each path begins; a list's places count from 0.
        problems: Everything that was refused.
    """

    value: Any
    lines: Mapping[YamlPath, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line(self, path: YamlPath) -> int | None:
        """The line of a path, or of the nearest path above it that has one."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


def read_yaml(path: Path, *, name: str) -> Document:
    """Read one YAML document strictly.

    Args:
        path: The file.
        name: How messages call it (its path relative to the project folder).

    Returns:
        The document; what could not be read or is refused is in its `problems`, nothing is raised.
    """

    def refused(message: str, place: str = "") -> Document:
        return Document(None, {}, (Problem(name, place, message),))

    try:
        if not path.is_file():
            return refused("does not exist" if not path.exists() else "is not a file")
        size = path.stat().st_size
        if size > MAX_BYTES:
            return refused(
                f"holds {size:,} bytes; a parameter file has at most {MAX_BYTES:,} (samples are tables)"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        return refused(f"cannot be read: {getattr(error, 'strerror', None) or 'not a file name'}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return refused(f"is not UTF-8 text (line {line}); save it with the encoding UTF-8")
    try:
        return _Builder(name).build(text)
    except yaml.MarkedYAMLError as error:
        return refused(_explain(error, text))
    except yaml.YAMLError as error:
        shown = re.sub(r"\s+", " ", str(getattr(error, "reason", error)))
        return refused(f"is not readable YAML: {shorten(shown)}; remove control characters")


def _explain(error: yaml.MarkedYAMLError, text: str) -> str:
    mark: Any = error.problem_mark or error.context_mark
    line = int(mark.line) if mark is not None else 0
    lines = text.splitlines()
    written = lines[line] if line < len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return f"a tab is no indentation in YAML; use spaces (line {line + 1})"
    problem = " ".join(str(error.problem or error.context or "not readable").split())
    hint = ""
    if "mapping values" in problem:
        hint = "; a text that holds ': ' needs quotes, and keys of one group begin in one column"
    elif "cannot start any token" in problem:
        hint = "; a text that begins with %, @, ` or a tab needs quotes"
    elif "alias" in problem or "anchor" in problem:
        hint = "; a text that begins with & or * needs quotes"
    elif "expected" in problem or "end of" in problem or "simple key" in problem:
        hint = "; look for a missing bracket, quote or colon, or for uneven indentation"
    return f"is not readable YAML: {shorten(problem, 100)}{hint} (line {line + 1})"


class _Builder:
    """Builds values from the event stream with a stack of its own: depth and repetition cost nothing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._problems: list[Problem] = []
        self._lines: dict[YamlPath, int] = {}

    def build(self, text: str) -> Document:
        events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        next(events)  # the stream's own beginning
        event: Any = next(events)
        if isinstance(event, yaml.StreamEndEvent):
            return Document(None, {}, (self._problem((), 1, "is empty"),))
        value, deep_enough = self._node(events)
        if deep_enough:
            next(events)  # the document's end
            event = next(events)
            if not isinstance(event, yaml.StreamEndEvent):
                self._add((), event.start_mark.line + 1, "holds a second document; remove the line '---'")
        return Document(value, self._lines, tuple(self._problems))

    def _problem(self, path: YamlPath, line: int, message: str) -> Problem:
        return Problem(self._name, dotted(path), f"{message} (line {line})")

    def _add(self, path: YamlPath, line: int, message: str) -> None:
        self._problems.append(self._problem(path, line, message))

    def _node(self, events: Iterator[Any]) -> tuple[Any, bool]:
        """The document's value; False where it is nested too deeply to go on."""
        root: list[Any] = []
        stack: list[_Open] = [_Open((), root, 0)]
        for event in events:
            top = stack[-1]
            line = event.start_mark.line + 1
            if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                stack.pop()
            elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent) and top.wants_key:
                self._key(top, event, line)
            elif top.wants_key:
                self._add(top.path, line, "a key is one text, not a list or a group")
                # The complex key is read away like a value, under a name no file can write.
                top.key = "?"
                stack.append(_Open((*top.path, "?"), [], line))
            else:
                path = top.next_path()
                if path not in self._lines:
                    self._lines[path] = line
                value, opened = self._value(event, path, line)
                top.put(value)
                if opened:
                    stack.append(_Open(path, value, line))
                    if len(stack) > MAX_DEPTH:
                        self._add(path[:3], line, f"is nested more than {MAX_DEPTH} deep")
                        return None, False
            if len(stack) == 1:
                break
        return root[0] if root else None, True

    def _key(self, top: _Open, event: Any, line: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._add(top.path, line, f"'*{event.anchor}' as a key; write the key itself")
            top.key = "?"
            return
        self._refuse_marks(event, top.path, line)
        key = str(event.value)
        if not event.style and key in _NULLS:
            self._add(top.path, line, "a key is empty; quote it if it is meant")
        path = (*top.path, key)
        if key in top.keys:
            self._add(
                path, line, f"stands twice: on line {top.keys[key]} and on line {line}; keep one of them"
            )
        else:
            top.keys[key] = line
            self._lines[path] = line
        top.key = key

    def _value(self, event: Any, path: YamlPath, line: int) -> tuple[Any, bool]:
        if isinstance(event, yaml.AliasEvent):
            self._add(
                path,
                line,
                f"'*{event.anchor}' repeats another value; write the value out (a text needs quotes)",
            )
            return None, False
        self._refuse_marks(event, path, line)
        if isinstance(event, yaml.MappingStartEvent):
            return {}, True
        if isinstance(event, yaml.SequenceStartEvent):
            return [], True
        if event.style:
            return str(event.value), False
        if event.value == FILL_IN:
            self._add(path, line, "is still to be filled in; the comment beside it says with what")
            return None, False
        return (None if event.value in _NULLS else Plain(event.value)), False

    def _refuse_marks(self, event: Any, path: YamlPath, line: int) -> None:
        if event.anchor is not None:
            self._add(
                path,
                line,
                f"'&{event.anchor}' marks a value for repetition; write values out (a text needs quotes)",
            )
        if event.tag is not None:
            self._add(path, line, f"the tag '{shorten(event.tag)}' is not read; write the value without it")


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    path: YamlPath
    value: Any
    line: int
    key: str | None = None
    keys: dict[str, int] = field(default_factory=dict)

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None

    def next_path(self) -> YamlPath:
        if isinstance(self.value, dict):
            assert self.key is not None
            return (*self.path, self.key)
        return (*self.path, len(self.value)) if self.line else self.path

    def put(self, value: Any) -> None:
        if isinstance(self.value, dict):
            assert self.key is not None
            self.value.setdefault(self.key, value)
            self.key = None
        else:
            self.value.append(value)


def dotted(path: YamlPath) -> str:
    """A path as messages write it: ``economics.costs[2].amount``, counting from 0 as programs do."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shorten(part)}" if text else shorten(part)
    return text
