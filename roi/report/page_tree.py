"""A page as a tree of plain values, for media that are no browsers: its words, tables and drawings, nothing that acts.

Only pages that this package wrote are read. What a reader of paper can't use (scripts, controls, links between pages,
drawings for narrow screens) is left out here; every text stays a text and is never read as markup again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

__all__ = ["Page", "read_page"]

HEADS = ("h1", "h2", "h3", "h4")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# What acts, loads or is for screens only.
DROPPED = {
    "audio", "button", "canvas", "dialog", "embed", "form", "iframe", "img", "input", "link", "meta", "noscript",
    "object", "output", "script", "select", "style", "template", "textarea", "video",
}  # fmt: skip
DROPPED_CLASSES = {
    "aside", "heard", "many-of", "narrow", "numbers", "pages", "phone", "sketch", "skip", "tip",
}  # fmt: skip
CONTAINERS = {
    "article", "body", "details", "dl", "figure", "footer", "header", "html", "main", "nav", "ol", "section", "table",
    "tbody", "thead", "tr", "ul",
}  # fmt: skip
BLOCKS = CONTAINERS | {
    "blockquote", "caption", "dd", "div", "dt", "figcaption", "h1", "h2", "h3", "h4", "li", "p", "pre", "td", "th",
}  # fmt: skip
SVG = re.compile(r"<svg\b[^>]*>.*?</svg>", re.S)
ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
PLACE = re.compile(r"(left|width):\s*(-?[\d.]+)%")
SPACE = re.compile(r"[ \t\r\n\f]+")
AMOUNT = re.compile(r"\b([A-Z]{3}) (?=([\u2212-]?\d))")
LONG_WORD = re.compile(r"[^\s\u200b]{31,}")
# Signs that turn or hide what follows; a text of a user that holds one must not turn its neighbours.
TURNING = dict.fromkeys(map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
# What a drawing could load; no chart of ours has any.
LOADED = re.compile(
    r"<(image|feImage|foreignObject|script|style)\b.*?(?:/>|</\1\s*>|$)|@import[^;]*;?|(?<=href=)\"[^#\"][^\"]*\"",
    re.S | re.I,
)
HREF = re.compile(r"#[A-Za-z][\w-]*")


@dataclass(slots=True)
class _Element:
    tag: str
    classes: list[str] = field(default_factory=list)
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[_Element | str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says.

    Attributes:
        title: Of the window.
        language: As the page states it, such as "en".
        tree: The body: a node is a text, or a list of its tag, its classes, what else is known of it, and its nodes.
        drawings: SVG files by name, as the nodes of tag "svg" name them.
    """

    title: str
    language: str
    tree: list[Any]
    drawings: dict[str, bytes]


def read_page(html: str) -> Page:
    """Read a page of this package.

    Args:
        html: The whole page, as `roi.report.page.page` makes it.
    """
    drawings: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        drawings.append(found[0])
        return f'<svg data-n="{len(drawings) - 1}"></svg>'

    reader = _Reader()
    reader.feed(SVG.sub(put_aside, html))
    reader.close()
    body = _find(reader.root, "body") or reader.root
    title = _find(reader.root, "title")
    page = _find(reader.root, "html")
    kept: dict[str, bytes] = {}
    _keep_links_whole(body)
    tree = [_node(child, drawings, kept) for child in _children(body)]
    language = (page.attrs.get("lang") if page else "") or "en"
    return Page(
        "".join(x for x in (title.children if title else ()) if isinstance(x, str)).strip(),
        language,
        [node for node in tree if node is not None],
        kept,
    )


def _keep_links_whole(body: _Element) -> None:
    """Drop what a link could not lead to: a name that no heading has, or that two have."""
    every = list(_all(body))
    names = [x.attrs["id"] for x in every if x.tag in HEADS and x.attrs.get("id") and not _is_dropped(x)]
    for element in every:
        if element.tag in HEADS and names.count(element.attrs.get("id", "")) > 1:
            del element.attrs["id"]
        elif element.tag == "a" and names.count(element.attrs.get("href", "")[1:]) != 1:
            element.attrs.pop("href", None)


def _all(element: _Element) -> Iterator[_Element]:
    for child in element.children:
        if isinstance(child, _Element) and not _is_dropped(child):
            yield child
            yield from _all(child)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Element("root")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        element = _Element(tag, known.get("class", "").split(), known)
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def _find(element: _Element, tag: str) -> _Element | None:
    for child in element.children:
        if isinstance(child, _Element):
            if child.tag == tag:
                return child
            if (found := _find(child, tag)) is not None:
                return found
    return None


def _is_dropped(element: _Element) -> bool:
    return (
        element.tag in DROPPED or "hidden" in element.attrs or not DROPPED_CLASSES.isdisjoint(element.classes)
    )


def _children(element: _Element) -> list[_Element | str]:
    """What is left of the children: white space as a browser would show it, none where it would show none."""
    found: list[_Element | str] = []
    for child in element.children:
        if isinstance(child, _Element):
            if not _is_dropped(child):
                found.append(child)
        elif element.tag == "pre":
            found.append(child)
        elif text := SPACE.sub(" ", child):
            found.append(text)
    if element.tag == "pre":
        return found
    kept: list[_Element | str] = []
    for i, child in enumerate(found):
        if isinstance(child, str):
            before, after = found[i - 1] if i else None, found[i + 1] if i + 1 < len(found) else None
            if element.tag in BLOCKS | {"root"}:
                child = child.lstrip(" ") if _breaks(before) else child
                child = child.rstrip(" ") if _breaks(after) else child
            if not child or (element.tag in CONTAINERS and child == " "):
                continue
        kept.append(child)
    return kept


def _breaks(neighbour: _Element | str | None) -> bool:
    return neighbour is None or (isinstance(neighbour, _Element) and neighbour.tag in BLOCKS | {"br"})


def _node(element: _Element | str, drawings: list[str], kept: dict[str, bytes]) -> Any:
    if isinstance(element, str):
        return _text(element)
    if element.tag == "svg":
        return _drawing(drawings[int(element.attrs["data-n"])], kept)
    known: dict[str, Any] = {}
    if element.tag == "a" and HREF.fullmatch(element.attrs.get("href", "")):
        known["to"] = element.attrs["href"][1:]
    if element.tag in ("td", "th") and element.attrs.get("colspan", "").isdecimal():
        known["span"] = int(element.attrs["colspan"])
    if element.tag in HEADS and element.attrs.get("id"):
        known["id"] = element.attrs["id"]
    if style := element.attrs.get("style"):
        known |= {name: float(value) for name, value in PLACE.findall(style)}
    if element.tag == "figure" and element.attrs.get("aria-label"):
        known["label"] = element.attrs["aria-label"]
    if element.tag == "li" and ": " in element.attrs.get("title", ""):
        known["state"] = _text(element.attrs["title"].rpartition(": ")[2])  # else a mark alone says it
    nodes = [_node(child, drawings, kept) for child in _children(element)]
    if element.tag == "bdi" and RIGHT_TO_LEFT.search("".join(n for n in nodes if isinstance(n, str))):
        known["rtl"] = True
    return [element.tag, element.classes, known, [node for node in nodes if node != ""]]


def _text(text: str) -> str:
    """A text that turns nothing beside it and can be broken somewhere."""
    whole = AMOUNT.sub("\\1\u00a0", text.translate(TURNING))
    return LONG_WORD.sub(lambda m: "\u200b".join(m[0]), whole)


def _drawing(svg: str, kept: dict[str, bytes]) -> list[Any]:
    """A drawing as a file of its own and what a reader who can't see it is told; empty for an ornament."""
    head = svg[: svg.index(">") + 1]
    attrs = {name.lower(): value for name, value in ATTRIBUTE.findall(head)}
    classes = attrs.get("class", "").split()
    name = f"drawing-{len(kept)}.svg"
    if "xmlns" not in attrs:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    # Outside a browser the names of attributes keep their case.
    kept[name] = re.sub(r"\bviewbox=", "viewBox=", LOADED.sub(_nothing, svg), count=1).encode()
    box = [float(x) for x in attrs.get("viewbox", "0 0 0 0").split()]
    known: dict[str, Any] = {"file": name, "width": box[2], "height": box[3]}
    if alt := attrs.get("aria-label"):
        known["alt"] = _plain(alt)
    return ["svg", classes, known, []]


def _nothing(found: re.Match[str]) -> str:
    return '""' if found[0].startswith('"') else ""


def _plain(text: str) -> str:
    from html import unescape

    return unescape(text).translate(TURNING)
