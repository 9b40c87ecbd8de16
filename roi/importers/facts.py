"""What is said of a trace or of a tool call, by name: what is nearest to the trace itself stands.

Spans of a trace mostly say the same things under the same names. What a span says is therefore kept as one layer; what
another one says under these very names, no nearer to the trace, is not gone through again. Layers are put together when
a row is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count as numbers
from typing import Any, NamedTuple, TypeAlias

import msgspec

__all__ = ["Facts", "Heading", "Rank", "flat", "heading", "text_of"]

Rank: TypeAlias = tuple[int, int]  # 0 the trace itself, 1 its root, 2 other spans; then their start

_LONGEST = 200  # characters: longer texts are no keys of cases
_SEVERAL = 0  # the heading of a layer that is of no one heading
_numbers = numbers(_SEVERAL + 1)


class Heading(NamedTuple):
    """Names under which many spans say something.

    Attributes:
        number: Its own, in this process.
        names: They.
        distinct: Whether none of them stands twice.
    """

    number: int
    names: tuple[str, ...]
    distinct: bool


@lru_cache(maxsize=4096)
def heading(names: tuple[str, ...]) -> Heading:
    """The heading of these names."""
    return Heading(next(_numbers), names, len(set(names)) == len(names))


class _Layer(msgspec.Struct, array_like=True, gc=False):
    """What one span says.

    Attributes:
        heading: The number of its names, or `_SEVERAL`.
        order: Its place in the order in which layers were said.
        rank: How near to the trace it is.
        through: Of this rank on, a span under the heading has nothing to add but what is unsaid.
        texts: Text by name.
        unsaid: Places of the names that were blank or too long.
    """

    heading: int
    order: int
    rank: Rank
    through: Rank
    texts: dict[str, str | None]
    unsaid: list[int]


class Facts(msgspec.Struct, array_like=True, gc=False):
    """What is said of a trace or a call, by name; of one rank, what was said first.

    Attributes:
        layers: In the order in which their names were first said.
        orders: How many layers were said, those that others replaced among them.
    """

    layers: list[_Layer] = []
    orders: int = 0

    def add(self, name: str, value: Any, rank: Rank) -> None:
        """Note a value; long texts are no keys and are not kept."""
        text = _short(value)
        if text is None:
            return
        last = self.layers[-1] if self.layers else None
        if last is not None and last.heading == _SEVERAL and last.rank == rank:
            last.texts.setdefault(name, text)
        else:
            self._append(_SEVERAL, rank, {name: text}, [])

    def lacks(self, under: Heading, rank: Rank) -> bool:
        """Whether a span of this rank may have something to add under a heading."""
        number = under.number
        for layer in self.layers:
            if layer.heading == number:
                return layer.through > rank or bool(layer.unsaid)
        return True

    def add_all(self, under: Heading, values: Sequence[Any], rank: Rank) -> None:
        """Note values of one rank; long texts are no keys and are not kept.

        Args:
            under: Their names.
            values: As many.
            rank: How near to the trace they are said.
        """
        at = None
        for layer in self.layers:
            if layer.heading == under.number:
                if layer.through <= rank:
                    if layer.unsaid:
                        self._fill(layer, under.names, values, rank)
                    return
                at = layer
                break
        if not under.distinct:
            for name, value in zip(under.names, values, strict=True):
                self.add(name, value, rank)
            return
        texts: dict[str, str | None] = {}
        for name, value in zip(under.names, values, strict=True):
            if type(value) is str and len(value) <= _LONGEST and value.isprintable():
                if text := value.strip():
                    texts[name] = text
            elif (short := _short(value)) is not None:
                texts[name] = short
        if at is not None and rank < at.rank and texts.keys() == at.texts.keys():
            # It is nearer, and leaves nothing to the one that was there.
            at.through = rank if at.through == at.rank else at.through
            at.rank, at.texts, at.order = rank, texts, self.orders
            self.orders += 1
        else:
            whole = len(texts) == len(under.names)
            unsaid = [] if whole else [i for i, n in enumerate(under.names) if n not in texts]
            self._append(under.number, rank, texts, unsaid)

    def _fill(self, layer: _Layer, names: Sequence[str], values: Sequence[Any], rank: Rank) -> None:
        """Take what a layer leaves unsaid from a span farther from the trace."""
        texts: dict[str, str | None] = {}
        unsaid = []
        for i in layer.unsaid:
            if (text := _short(values[i])) is not None:
                texts[names[i]] = text
            else:
                unsaid.append(i)
        if texts:
            layer.unsaid, layer.through = unsaid, max(layer.through, rank)
            self._append(_SEVERAL, rank, texts, [])

    def _append(self, number: int, rank: Rank, texts: dict[str, str | None], unsaid: list[int]) -> None:
        self.layers.append(_Layer(number, self.orders, rank, rank, texts, unsaid))
        self.orders += 1

    def get(self, name: str) -> str | None:
        """A value as text."""
        return self.texts().get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts())

    def __len__(self) -> int:
        """How many texts it holds, of several layers perhaps more than one of a name."""
        return sum(len(layer.texts) for layer in self.layers)

    def texts(self) -> dict[str, str | None]:
        """All values as texts, by name, in the order in which the names were first said."""
        if len(self.layers) == 1:
            return self.layers[0].texts.copy()
        found: dict[str, str | None] = {}
        for layer in self.layers:
            found.update(layer.texts)
        for layer in sorted(self.layers, key=_nearness, reverse=True):
            found.update(layer.texts)
        return found

    def join(self, later: Facts) -> None:
        """Add what was said later."""
        for layer in later.layers:
            layer.order += self.orders
            self.layers.append(layer)
        self.orders += later.orders


def _nearness(layer: _Layer) -> tuple[Rank, int]:
    return layer.rank, layer.order


def _short(value: Any) -> str | None:
    """A value as a cell that may be a key; None where it is blank or too long."""
    if value is None or (type(value) is str and len(value) > _LONGEST and not _is_odd(value)):
        return None  # most are: no text is made of these
    text = text_of(value)
    return text if text is not None and len(text) <= _LONGEST else None


def _is_odd(text: str) -> bool:
    """Whether a long text may become a short one."""
    return text[:1].isspace() or text[-1:].isspace() or "\x00" in text


def text_of(value: Any) -> str | None:
    """A value as a cell; lists are joined by `;`, nested ones and blanks are none."""
    if type(value) is str:
        if value.isalnum():
            return value
        text = value.strip()
        if text.isprintable():
            return text or None
    if value is None or isinstance(value, Mapping):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        parts = [text_of(v) for v in value if not isinstance(v, list | tuple)]
        return ";".join(p for p in parts if p) or None
    text = str(value).strip()
    if not text.isprintable():
        # Half of a pair of UTF-16, which JSON may hold, is no text; neither is what ends a text in C.
        text = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "").strip()
    return text or None


def flat(prefix: str, value: Any, *, depth: int = 6) -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects, with dotted names."""
    if isinstance(value, Mapping) and depth:
        for key, item in value.items():
            yield from flat(f"{prefix}.{key}", item, depth=depth - 1)
    else:
        yield prefix, value
