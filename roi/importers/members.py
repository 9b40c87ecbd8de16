"""JSON documents whose samples stand in one long list, read sample by sample: of the document only the rest is held."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from roi.importers.documents import json_values, too_long
from roi.readers.files import Found, Seen, open_bytes

__all__ = ["documents", "outline"]

_WHOLE = 16 << 20  # bytes: a file that is no longer is held whole
_CHUNK = 1 << 20
_LONGEST = 256 << 20  # characters of one sample
_NEAR_THE_END = 16
_BLANKS = " \t\r\n\ufeff"
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


def documents(
    found: Found, seen: Seen, name: str, knows: Callable[[Any], bool], *, within: str | None = None
) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The documents of a file, each with what its list holds; documents that are not known come with nothing.

    A long file is read twice where it is one document: for what stands beside the list, perhaps behind it, and then for
    the list.

    Args:
        found: The file.
        seen: What a look through its bytes showed.
        name: Of the list.
        knows: Whether a document is of the format.
        within: The document's object that holds the list; itself unless given, or where the list is its own.

    Raises:
        UnreadableError: If the file is no text, or no JSON to its end.
    """
    if seen.size > _WHOLE and (rest := outline(found, seen, name, within=within)) is not None and knows(rest):
        if _listed(rest, name) is not None:
            yield rest, _samples(found, seen, name)
        elif within is not None and _listed(rest.get(within), name) is not None:
            yield rest, _samples(found, seen, name, within)
        else:
            yield rest, iter(())
        return
    for value in json_values(found, seen):
        listed = _listed(value, name)
        if listed is None and within is not None and isinstance(value, Mapping):
            listed = _listed(value.get(within), name)
        yield value, iter(listed or ())


def _listed(value: Any, name: str) -> list[Any] | None:
    listed = value.get(name) if isinstance(value, Mapping) else None
    return listed if isinstance(listed, list) else None


def outline(
    found: Found, seen: Seen, name: str | None = None, *, within: str | None = None
) -> dict[str, Any] | None:
    """A file's only document without what its lists hold; None where it is short, or is no one document.

    Args:
        found: The file.
        seen: What a look through its bytes showed.
        name: Of the list that is left out; all of the document's own lists unless given.
        within: Of an object whose lists of that name, or all, are left out as well.
    """
    if seen.size <= _WHOLE or seen.encoding in (None, "cp1252"):
        return None
    try:
        with open_bytes(found.path) as raw:
            text = _Text(_opened(raw, seen), found.name)
            rest = _rest(text, name, within)
            return None if text.next() else rest
    except _OtherwiseError:
        return None


def _rest(text: _Text, name: str | None, within: str | None = None) -> dict[str, Any]:
    """An object without what its lists hold, and those of the object in it that is named."""
    rest: dict[str, Any] = {}
    for key in text.fields():
        sign = text.next()
        if sign == "[" and name in (None, key):
            rest[key] = []
            text.skip()
        elif sign == "{" and within is not None and key == within:
            rest[key] = _rest(text, name)
        else:
            rest[key] = text.value()
    return rest


def _samples(found: Found, seen: Seen, name: str, within: str | None = None) -> Iterator[Any]:
    """What the list holds that a document, or the object in it, names last: of one name the last is meant."""
    outer = name if within is None else within
    at = last = -1
    with open_bytes(found.path) as raw:
        text = _Text(_opened(raw, seen), found.name)
        for number, key in enumerate(text.fields()):
            at = number if key == outer else at
            if key == outer and within is not None and text.next() == "{":
                last = -1
                for place, inner in enumerate(text.fields()):
                    last = place if inner == name else last
                    text.skip()
            else:
                text.skip()
    with open_bytes(found.path) as raw:
        text = _Text(_opened(raw, seen), found.name)
        for number, _ in enumerate(text.fields()):
            if number != at:
                text.skip()
            elif within is None:
                yield from text.items()
            else:
                for place, _ in enumerate(text.fields()):
                    if place == last:
                        yield from text.items()
                    else:
                        text.skip()


def _opened(raw: IO[bytes], seen: Seen) -> IO[str]:
    return io.TextIOWrapper(raw, encoding=seen.encoding, errors="replace", newline="")


class _OtherwiseError(Exception):
    """It is no one document: whoever reads it value by value says what is wrong."""


class _Text:
    """A text of JSON, of which as much is held as its longest value takes."""

    def __init__(self, text: IO[str], name: str) -> None:
        self._text, self._name = text, name
        self._buffer, self._at, self._line, self._ended = "", 0, 1, False

    def _more(self, wanted: int = _CHUNK) -> None:
        self._line += self._buffer.count("\n", 0, self._at)
        read = self._text.read(wanted)
        self._buffer, self._at, self._ended = self._buffer[self._at :] + read, 0, not read

    def next(self) -> str:
        """The next sign that is not blank; nothing at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _BLANKS:
                self._at += 1
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if self._ended:
                return ""
            self._more()

    def _take(self, *wanted: str) -> str:
        sign = self.next()
        if sign not in wanted or not sign:
            raise _OtherwiseError
        self._at += 1
        return sign

    def value(self) -> Any:
        """The next value."""
        self.next()
        wanted = _CHUNK
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos >= len(self._buffer) - _NEAR_THE_END
                if self._ended or not cut:
                    raise _OtherwiseError from None
                if len(self._buffer) - self._at > _LONGEST:
                    raise too_long(self._name, self._line + self._buffer.count("\n", 0, self._at)) from None
            except RecursionError:
                raise _OtherwiseError from None
            else:
                # A number may go on, after a point or an exponent whose digits are not read yet, too.
                whole = isinstance(value, dict | list | str) or end + len("e+") < len(self._buffer)
                if whole or self._ended:
                    self._at = end
                    return value
            self._more(wanted)
            wanted *= 2

    def fields(self) -> Iterator[str]:
        """The names of an object's fields; whoever asks for the next one has taken the value of the last."""
        self._take("{")
        if self.next() == "}":
            self._at += 1
            return
        while True:
            name = self.value() if self.next() == '"' else None
            if name is None:
                raise _OtherwiseError
            self._take(":")
            yield name
            if self._take(",", "}") == "}":
                return

    def items(self) -> Iterator[Any]:
        """What a list holds."""
        self._take("[")
        if self.next() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self._take(",", "]") == "]":
                return

    def skip(self) -> None:
        """Pass over the next value; of a list one after the other."""
        if self.next() == "[":
            for _ in self.items():
                pass
        else:
            self.value()
