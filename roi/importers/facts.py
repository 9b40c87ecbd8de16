"""What is said of a trace or of a tool call, by name: what is nearest to the trace itself stands.

Spans of a trace mostly say the same things under the same names. What a span says is therefore kept as one layer; what
another one says under these very names, no nearer to the trace, is not gone through again. Layers are put together when
a row is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import msgspec

__all__ = ["Facts", "Heading", "Rank", "flat", "heading", "merged", "shorts", "text_of", "texts_of"]

Rank: TypeAlias = tuple[int, int]  # 0 the trace itself, 1 its root, 2 other spans; then their start

_NOTHING = type(None)
_LONGEST = 200  # characters: longer texts are no keys of cases
_ITS_OWN: Rank = (1, 0)
_SEVERAL = 0  # the heading of a layer that has names of its own
_MOST_HEADINGS = 10_000


class Heading(NamedTuple):
    """Names under which many spans say something.

    Attributes:
        number: Its own, in this process; `_SEVERAL` where there are too many, or a name stands twice.
        names: They.
    """

    number: int
    names: tuple[str, ...]


_headings: list[tuple[str, ...]] = [()]  # by number


@lru_cache(maxsize=_MOST_HEADINGS)
def heading(names: tuple[str, ...]) -> Heading:
    """The heading of these names."""
    if len(set(names)) < len(names) or len(_headings) > _MOST_HEADINGS:
        return Heading(_SEVERAL, names)
    _headings.append(names)
    return Heading(len(_headings) - 1, names)


class _Layer(msgspec.Struct, array_like=True, gc=False):
    """What one span says.

    Attributes:
        heading: The number of its names, or `_SEVERAL`.
        order: Its place in the order in which layers were said.
        rank: How near to the trace it is.
        through: Of this rank on, a span under the heading has nothing to add but what is unsaid.
        texts: As many as there are names; None where one was blank or too long.
        unsaid: Places of names that neither it nor a span farther from the trace said.
        names: Where it is of no one heading.
    """

    heading: int
    order: int
    rank: Rank
    through: Rank
    texts: Sequence[str | None]
    unsaid: list[int]
    names: list[str]

    def said(self) -> dict[str, str | None]:
        """Its texts by name."""
        found: dict[str, str | None] = dict(
            zip(_headings[self.heading] or self.names, self.texts, strict=True)
        )
        return found if None not in self.texts else {k: v for k, v in found.items() if v is not None}


class Facts(msgspec.Struct, array_like=True, gc=False):
    """What is said of a trace or a call, by name; of one rank, what was said first.

    Attributes:
        layers: In the order in which their names were first said.
        orders: How many layers were said, those that others replaced among them.
    """

    layers: list[_Layer] = []
    orders: int = 0

    @classmethod
    def of(cls, under: Heading, texts: Sequence[str | None]) -> Facts:
        """What one span says of itself, as `shorts` made it of its values."""
        facts = cls()
        facts.add_texts(under, texts, _ITS_OWN)
        return facts

    def add(self, name: str, value: Any, rank: Rank) -> None:
        """Note a value; long texts are no keys and are not kept."""
        text = _short(value)
        if text is None:
            return
        last = self.layers[-1] if self.layers else None
        if last is None or last.heading != _SEVERAL or last.rank != rank:
            self._append(_SEVERAL, rank, [text], [], [name])
        elif name not in last.names:
            last.names.append(name)
            last.texts = [*last.texts, text]

    def lacks(self, under: Heading, rank: Rank) -> bool:
        """Whether a span of this rank may have something to add under a heading."""
        number = under.number
        for layer in self.layers:
            if layer.heading == number:
                return number == _SEVERAL or layer.through > rank or bool(layer.unsaid)
        return True

    def add_all(self, under: Heading, values: Sequence[Any], rank: Rank) -> None:
        """Note values of one rank; long texts are no keys and are not kept.

        Args:
            under: Their names.
            values: As many.
            rank: How near to the trace they are said.
        """
        self.add_texts(under, [_short(value) for value in values], rank)

    def add_texts(self, under: Heading, texts: Sequence[str | None], rank: Rank) -> None:
        """Note what `shorts` made of values of one rank."""
        number = under.number
        if number == _SEVERAL:
            for name, text in zip(under.names, texts, strict=True):
                self.add(name, text, rank)
            return
        at = None
        for layer in self.layers:
            if layer.heading == number:
                if layer.through <= rank:
                    if layer.unsaid:
                        self._fill(layer, texts, rank)
                    return
                at = layer
                break
        unsaid = [i for i, text in enumerate(texts) if text is None] if None in texts else []
        if at is not None and rank < at.rank and unsaid == [i for i, t in enumerate(at.texts) if t is None]:
            # It is nearer, and leaves nothing to the one that was there.
            at.through = rank if at.through == at.rank else at.through
            at.rank, at.texts, at.order = rank, texts, self.orders
            self.orders += 1
        else:
            self._append(number, rank, texts, unsaid, [])

    def _fill(self, layer: _Layer, given: Sequence[str | None], rank: Rank) -> None:
        """Take what a layer leaves unsaid from a span farther from the trace."""
        texts = {i: text for i in layer.unsaid if (text := given[i]) is not None}
        if texts:
            names = _headings[layer.heading]
            layer.unsaid = [i for i in layer.unsaid if i not in texts]
            layer.through = max(layer.through, rank)
            self._append(_SEVERAL, rank, list(texts.values()), [], [names[i] for i in texts])

    def _append(
        self, number: int, rank: Rank, texts: Sequence[str | None], unsaid: list[int], names: list[str]
    ) -> None:
        self.layers.append(_Layer(number, self.orders, rank, rank, texts, unsaid, names))
        self.orders += 1

    def get(self, name: str) -> str | None:
        """A value as text."""
        return self.texts().get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts())

    def __len__(self) -> int:
        """How many texts it holds, of several layers perhaps more than one of a name."""
        return sum([len(layer.texts) for layer in self.layers])

    def texts(self) -> dict[str, str | None]:
        """All values as texts, by name, in the order in which the names were first said."""
        layers = self.layers
        if len(layers) == 1:
            return layers[0].said()
        found: dict[str, str | None] = {}
        said = [layer.said() for layer in layers]
        for texts in said:
            found.update(texts)
        for i in sorted(range(len(layers)), key=lambda i: (layers[i].rank, layers[i].order), reverse=True):
            found.update(said[i])
        return found

    def cells(self) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
        """The same as names and cells."""
        layers = self.layers
        given = [layer.texts for layer in layers]
        for layer in layers:
            if layer.heading == _SEVERAL or None in layer.texts:
                texts = self.texts()
                return tuple(texts), tuple(texts.values())
        # What is nearest comes last, for what comes last stands.
        order = range(len(layers))
        if len(layers) > 1:
            order = sorted(
                order, key=[(layer.rank, layer.order) for layer in layers].__getitem__, reverse=True
            )  # type: ignore[assignment]
        names, pick = _laid(tuple([layer.heading for layer in layers]), tuple(order))
        return names, pick(tuple(chain.from_iterable(given)))

    def join(self, later: Facts) -> None:
        """Add what was said later."""
        for layer in later.layers:
            layer.order += self.orders
            self.layers.append(layer)
        self.orders += later.orders


_Pick: TypeAlias = Callable[[Sequence[str | None]], tuple[str | None, ...]]


@lru_cache(maxsize=4096)
def _laid(headings: tuple[int, ...], order: tuple[int, ...]) -> tuple[tuple[str, ...], _Pick]:
    """Names of layers in the order in which they are said, and how their cells are picked from those of the layers."""
    names = [_headings[number] for number in headings]
    return _merged(tuple(names), order)


@lru_cache(maxsize=4096)
def merged(*names: tuple[str, ...]) -> tuple[tuple[str, ...], _Pick]:
    """Names as a union of dictionaries has them, and how its values are picked from all values one after another."""
    return _merged(names, range(len(names)))


def _merged(names: tuple[tuple[str, ...], ...], order: Sequence[int]) -> tuple[tuple[str, ...], _Pick]:
    starts = list(accumulate(map(len, names), initial=0))
    places: dict[str, int] = dict.fromkeys(chain.from_iterable(names), 0)
    for i in order:
        places.update(zip(names[i], range(starts[i], starts[i + 1]), strict=True))
    at = tuple(places.values())
    if len(at) > 1:
        return tuple(places), itemgetter(*at)
    return tuple(places), lambda cells: tuple(cells[i] for i in at)


def shorts(values: Sequence[Any]) -> Sequence[str | None]:
    """A column of values as cells that may be keys, as `Facts` note them; most columns hold plain texts or numbers."""
    kinds = set(map(type, values))
    if kinds == {str} and max(map(len, values)) <= _LONGEST and _are_plain(values):
        return values
    if kinds == {int} and max(map(len, texts := list(map(str, values)))) <= _LONGEST:
        return texts
    return list(map(_short, values))


def texts_of(values: Sequence[Any]) -> Sequence[str | None]:
    """A column of values as cells, each as `text_of` reads it."""
    kinds = set(map(type, values))
    if kinds == {str} and _are_plain(values):
        return values
    if kinds == {str, _NOTHING}:
        return [text_of(value) if value else None for value in values]
    return list(map(text_of, values))


def _are_plain(texts: Sequence[str]) -> bool:
    """Whether texts are cells as they are."""
    together = f"|{'|'.join(texts)}|"
    # Of the signs that are printed only a blank is stripped.
    return together.isprintable() and "| " not in together and " |" not in together and "" not in texts


def _short(value: Any) -> str | None:
    """A value as a cell that may be a key; None where it is blank or too long."""
    if value is None or (type(value) is str and len(value) > _LONGEST and not _is_odd(value)):
        return None  # most are: no text is made of these
    text = str(value) if type(value) is int else text_of(value)
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
