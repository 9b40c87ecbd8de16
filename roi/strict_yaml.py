"""YAML as its author meant it, or refused: no guessed types, no lost duplicates, no bombs.

PyYAML reads YAML 1.1: ``no`` is false there, ``010`` is 8, ``12:30`` is 750, ``1e6`` is a text, and the last
of two equal keys wins without a word. Here every unquoted scalar stays a text (`Plain`) until the key it
stands under says what is wanted: a number, a switch, a date or a text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from roi.problems import Problem

__all__ = [
    "Document",
    "Plain",
    "YamlPath",
    "as_share",
    "describe",
    "dotted",
    "plain",
    "read_flag",
    "read_number",
    "read_yaml",
    "shorten",
]

YamlPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Plain(str):
    """An unquoted scalar of a YAML file: a text whose type the key it stands under decides."""

    __slots__ = ()


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


def shorten(value: object, limit: int = 60) -> str:
    """A parameter file's own value as it may stand in a message: one line, at most `limit` characters."""
    text = " ".join(str(value).split())
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


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
    elif "block" in problem or "flow" in problem or "simple key" in problem:
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


def plain(value: Any) -> Any:
    """Values that came through Papermill or a notebook, with every text open to interpretation.

    Papermill reads ``1e6`` as a text and hands dates on as texts, so a text given from a notebook is read
    like an unquoted scalar of the file.
    """
    if isinstance(value, str):
        return Plain(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def read_flag(value: Any) -> bool:
    """True or false, also written yes/no and on/off.

    Raises:
        ValueError: If it is anything else; the message says what was found.
    """
    if isinstance(value, bool):
        return value
    if (
        isinstance(value, Plain)
        and value.lower() in _FLAGS
        and value in (value.lower(), value.title(), value.upper())
    ):
        return _FLAGS[value.lower()]
    raise ValueError(f"{describe(value)} is neither true nor false")


def read_number(value: Any) -> float:
    """A finite number, written as YAML 1.2 and JSON write it.

    Raises:
        ValueError: If it is anything else; the message says what was found and how to write it.
    """
    if not isinstance(value, str):
        kind = type(value).__name__
        if isinstance(value, bool) or (not isinstance(value, int | float) and kind not in _NUMPY):
            raise ValueError(f"{describe(value)} where a number is wanted")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{shorten(value)} is not a finite number; leave the key out if it is unknown")
        return number
    text = str(value)
    if isinstance(value, Plain) and _NUMBER.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(f"{shorten(text)} is too large for a number")
        return number
    raise ValueError(_not_a_number(text, quoted=not isinstance(value, Plain)))


_NUMPY = frozenset(
    {
        "float64",
        "float32",
        "float16",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint64",
        "uint32",
        "uint16",
        "uint8",
    }
)


def _not_a_number(text: str, *, quoted: bool) -> str:
    shown = f"'{shorten(text)}'"
    bare = text.strip()
    if quoted and _NUMBER.fullmatch(bare):
        return f"{shown} is a text; write {bare} without quotes"
    if re.fullmatch(r"[-+]?0[0-9]+(\.[0-9]*)?", bare):
        return f"{shown} can be read in two ways; write {bare.replace('+', '').lstrip('0') or '0'}"
    if match := re.fullmatch(r"([-+]?[0-9.]+)\s*%", bare):
        with_point = match[1]
        if _NUMBER.fullmatch(with_point):
            return f"{shown} is a text; {with_point} % is {as_share(float(with_point))}"
    if re.fullmatch(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", bare):
        return f"{shown} is a text; write {bare.replace(',', '')}, without thousands marks"
    if re.fullmatch(r"[-+]?[0-9]+([_ '][0-9]{3})+(\.[0-9]*)?", bare):
        return f"{shown} is a text; write {re.sub('[_ ]|' + chr(39), '', bare)}, without thousands marks"
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", bare):
        return f"{shown} is a text; write {bare.replace(',', '.')}, with a decimal point"
    if match := re.fullmatch(r"([0-9.]+)\s*(?:-|–|to|\.\.+)\s*([0-9.]+)", bare):
        return f"{shown} is a text; write {{low: {match[1]}, high: {match[2]}}}"
    if re.fullmatch(r"[0-9]+(:[0-9]+)+", bare):
        return f"{shown} is a time of day or a duration, not a number"
    if re.fullmatch(r"[-+]?\.?(nan|inf|infinity)", bare, re.IGNORECASE):
        return f"{shown} is not a finite number; leave the key out if it is unknown"
    if re.fullmatch(r"0[xXoObB][0-9a-fA-F]+", bare):
        return f"{shown} is not a decimal number"
    return f"{shown} is a text, not a number"


def as_share(percent: float) -> str:
    """A percentage as the share it is: 60 -> 0.60."""
    text = f"{percent / 100:.6f}".rstrip("0")
    return text if len(text.split(".")[1]) >= 2 else f"{percent / 100:.2f}"


def describe(value: Any) -> str:
    """A value as a message names it: scalars as written, the rest by their kind."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a group of keys"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f"'{shorten(value)}'"
    return shorten(value)
