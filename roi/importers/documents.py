"""JSON values of a file one after another, whether they stand on lines, in one list, or spread over many lines."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Generator, Iterator, Sequence
from itertools import chain
from typing import IO, Any

import msgspec

from roi.problems import Problem
from roi.readers.base import UnreadableError
from roi.readers.files import Found, Seen, open_bytes

__all__ = [
    "EARLY_MARKERS",
    "MARKERS",
    "holds_markers",
    "json_blocks",
    "json_lines",
    "json_values",
    "too_long",
    "unreadable",
]

MARKERS = (b'"resourceSpans"', b'"resource_spans"', b'"observations"', b'"traceId"', b'"trace_id"')
"""One of these is in every export of Langfuse, OTLP and most others, perhaps late in a long first value."""

EARLY_MARKERS = (
    b'"spanContext"', b'"context.span_id"', b'"openinference.span.kind"', b'"gen_ai.', b'"span_kind"',
    b'"num_trials"', b'"simulations"', b'"evalId"', b'"gradingResult"', b"client.beta.sessions",
    b'"evaluated_permission"', b'"agent.tool_use"', b'"run_type"', b'"mlflow.', b'"eval"', b'"ATIF-',
    b'"bookmarked"', b'"htmlPath"', b'"span_id"', b'"annotator_kind"', b'"instance_cost"',
)  # fmt: skip
"""One of these is at the beginning of every other one."""

_CHUNK = 1 << 20
_LOOKED_THROUGH = 64 << 20
_BEGINNING = 2  # chunks
_LONGEST = 256 << 20  # characters of one value
_NEAR_THE_END = 16  # characters: where an error there only says that the text goes on
_BETWEEN = " \t\r\n,\ufeff"
_BETWEEN_BYTES = b" \t\r\n,\xef\xbb\xbf"
_LONGEST_LINE = 16 << 20  # bytes: a longer one is read as it comes
_LINES = 1 << 18  # bytes of lines that are read at once
_FAST = msgspec.json.Decoder()  # twice as fast with integers of any length, unlike others
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


def holds_markers(found: Found) -> bool:
    """Whether a file's first 64 MB hold a name that trace exports use; cheap, and true of some other files as well."""
    rest = b""
    try:
        with open_bytes(found.path) as stream:
            for i in range(_LOOKED_THROUGH // _CHUNK):
                chunk = stream.read(_CHUNK)
                if not chunk:
                    return False
                looked_for = (*MARKERS, *EARLY_MARKERS) if i < _BEGINNING else MARKERS
                if any(marker in rest + chunk for marker in looked_for):
                    return True
                rest = chunk[-32:]
    except (OSError, EOFError, zlib.error):
        return False  # whoever reads it says what is wrong
    return False


def json_values(found: Found, seen: Seen) -> Iterator[Any]:
    """The values of a file, one at a time: few of them are held, however long the file is.

    Args:
        found: The file.
        seen: What a look through its bytes showed.

    Raises:
        UnreadableError: If it is no text, or not JSON to its end; names the line, never the text.
    """
    return chain.from_iterable(json_blocks(found, seen))


def json_blocks(found: Found, seen: Seen) -> Iterator[Sequence[Any]]:
    """The same in lists of some values that follow each other.

    Raises:
        UnreadableError: If it is no text, or not JSON to its end; names the line, never the text.
    """
    if seen.encoding is None or seen.encoding == "cp1252":
        raise UnreadableError([Problem(found.name, "", "is not UTF-8 text; JSON is written in UTF-8")])
    with open_bytes(found.path) as raw:
        rest = bytearray()
        done, any_value = (0, False) if seen.encoding == "utf-16" else (yield from _whole_lines(raw, rest))
        stream = io.BufferedReader(_Rest(bytes(rest), raw), _CHUNK)
        text = io.TextIOWrapper(stream, encoding=seen.encoding, errors="replace", newline="")
        yield from _values(text, found.name, 1 + done, False if any_value else None)


class _Rest(io.RawIOBase):
    """Bytes that were read too far, then those of the stream that they were read from."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _whole_lines(raw: IO[bytes], rest: bytearray) -> Generator[Sequence[Any], None, tuple[int, bool]]:
    """The values of lines that each hold one, as far as they do; how many lines that were, and whether any held one.

    Args:
        raw: The file.
        rest: Takes what was read beyond these lines.
    """
    done, any_value, begun, more = 0, False, b"", True
    while more:
        chunk = raw.read(_LINES)
        more = bool(chunk)
        block = begun + chunk
        end = block.rfind(b"\n") + 1 if more else len(block)
        if more and not end and len(block) < _LONGEST_LINE:
            begun = block
            continue
        lines, begun = block[:end], block[end:]
        # Nothing in whole lines is no value of theirs: a line that is too long is left to whoever reads as it comes.
        if end and (values := _objects(lines)) is not None:
            yield values
            done, any_value = done + lines.count(b"\n"), any_value or bool(values)
            continue
        values, left = [], io.BytesIO(lines)
        for line in left:
            bare = line.strip(_BETWEEN_BYTES)
            if bare:
                try:
                    if bare[:1] != b"{":
                        raise ValueError
                    value = _one(bare.decode("utf-8"))
                except (ValueError, RecursionError):
                    # It goes on in the next line, holds more than one, or is none.
                    rest += line + left.read() + begun
                    yield values
                    return done, any_value
                values.append(value)
                any_value = True
            done += line.endswith(b"\n")
        yield values
        if not end:
            rest += begun
            return done, any_value
    return done, any_value


def _objects(lines: bytes) -> list[Any] | None:
    """The objects of lines, all at once; None where they are not all plain objects, one after another."""
    try:
        values = _FAST.decode_lines(lines)
    except (ValueError, RecursionError):
        return None
    return values if not values or set(map(type, values)) == {dict} else None


def json_lines(found: Found, seen: Seen) -> Iterator[Any]:
    """The values of a file that has one on each line, lists among them; blank lines are passed over.

    Raises:
        UnreadableError: If it is no text, or a line is no JSON; names the line, never the text.
    """
    if seen.encoding is None or seen.encoding == "cp1252":
        raise UnreadableError([Problem(found.name, "", "is not UTF-8 text; JSON is written in UTF-8")])
    with open_bytes(found.path) as raw:
        text = io.TextIOWrapper(raw, encoding=seen.encoding, errors="replace", newline="\n")
        for number, line in enumerate(iter(lambda: text.readline(_LONGEST), ""), start=1):
            if not line.strip(_BETWEEN):
                continue
            try:
                yield _one(line.strip("\ufeff"))
            except (ValueError, RecursionError):
                raise unreadable(found.name, number) from None


def _one(text: str) -> Any:
    try:
        return _FAST.decode(text)
    except (ValueError, RecursionError):
        return _DECODER.decode(text)


def _values(text: IO[str], name: str, line: int, in_list: bool | None) -> Iterator[Sequence[Any]]:
    """The values of a text that begins on a line; `in_list` is whether it is one list, None to see."""
    decoder = _DECODER
    values: list[Any] = []  # of what is in memory
    buffer, at, ended = "", 0, False
    wanted = _CHUNK
    while True:
        while at < len(buffer) and buffer[at] in _BETWEEN:
            at += 1
        if in_list is None and at < len(buffer):
            in_list = buffer[at] == "["
            at += in_list
            continue
        if in_list and at < len(buffer) and buffer[at] == "]":
            at += 1
            in_list = False
            continue
        if at < len(buffer):
            try:
                value, end = decoder.raw_decode(buffer, at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos >= len(buffer) - _NEAR_THE_END
                if ended or not cut or len(buffer) - at > _LONGEST:
                    row = line + buffer.count("\n", 0, at if cut else error.pos)
                    yield values  # the first one tells what the file is
                    if cut and not ended:
                        raise too_long(name, row) from None
                    raise unreadable(name, row) from None
                wanted *= 2  # a long value is tried a few times, not once a chunk
            except RecursionError:
                row = line + buffer.count("\n", 0, at)
                yield values
                raise UnreadableError([Problem(name, f"line {row:,}", "is nested too deeply")]) from None
            else:
                at = end
                wanted = _CHUNK
                values.append(value)
                continue
        yield values
        values = []
        if ended:
            if in_list:
                raise unreadable(name, line + buffer.count("\n"))
            return
        line += buffer.count("\n", 0, at)
        more = text.read(wanted)
        buffer, at, ended = buffer[at:] + more, 0, not more


def too_long(name: str, line: int) -> UnreadableError:
    """That a value is longer than memory may hold."""
    message = (
        f"holds one JSON value of more than {_LONGEST >> 20} MB, which memory may not hold; write one trace or span "
        "a line (jq -c '.data[]', say), or export it in pages"
    )
    return UnreadableError([Problem(name, f"line {line:,}", message)])


def unreadable(name: str, line: int) -> UnreadableError:
    """That a text is no JSON to its end."""
    message = "is no JSON that can be read, or not to its end; export it anew"
    return UnreadableError([Problem(name, f"line {line:,}", message)])
