"""The fixed words of the pages in one place, so that another language can take their place.

Words stand where they are used, in templates, notebooks and modules, as in most programs that were translated; this
collects them, with "{}" where a figure stands; `python -m roi.report.catalogue` prints them. A language is a file of
the same texts and its own words for them. These are put in at the end, text by text, as numbers are (`roi.locales`): a
text that is not in the file stays English, and what users wrote is never looked up.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from html import escape, unescape
from pathlib import Path

from roi.report.sections import TEMPLATES, environment

__all__ = [
    "LANGUAGES",
    "catalogue_text",
    "language_of",
    "share_known",
    "texts_by_place",
    "texts_of_page",
    "translated",
]

LANGUAGES = TEMPLATES / "languages"  # <language>.json: our words to theirs, with the holes in the same order
PACKAGE = Path(__file__).resolve().parent.parent
# Modules that write sentences for readers, beside those of `report`.
WRITERS = (
    "advice", "audit_actions", "audit_inputs", "cause_words", "claims", "comparability", "error_rates", "estimates",
    "evidence", "first_view", "footing", "gates", "knowing", "ladder", "money", "next_step", "no_fix", "remedy_record",
    "self_reports", "signing", "signs", "stopping", "verdict", "words",
)  # fmt: skip
NOT_PAGES = {"catalogue.py", "page_tree.py", "pdf.py", "terminal.py"}
HOLE = "{}"
# A figure as `roi.words` writes it, with its currency or per-cent sign, or a day.
FIGURE = re.compile(
    r"[+\u2212-]?(?:\b[A-Z]{3}[ \u00a0])?[+\u2212-]?\b\d(?:[\d,]*\d)?(?:\.\d+)?"
    r"(?:[ \u00a0]?%|[ \u00a0](?:million|billion)\b)?"
    r"(?:[ \u00a0](?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ \u00a0]\d{4})?"
)
TAG = re.compile(r"<(style|script|code|pre|head|svg|noscript|template)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z{])")
WORD = re.compile(r"[^\W\d_]{2,}")
# Names of things in code: no words for readers.
CODE = re.compile(r"[a-z_]+|[\w.-]+[_/][\w./-]*|[a-z-]+(?: [a-z-]+)*[:;{<].*|.*[<>=|\\].*", re.S)


@cache
def texts_by_place() -> dict[str, list[str]]:
    """Every fixed text of the pages, by the file in which it stands."""
    found: dict[str, set[str]] = {}
    for file in sorted(TEMPLATES.glob("*.j2")):
        found[f"report/templates/{file.name}"] = set(_of_template(file.read_text(encoding="utf-8")))
    modules = [file for file in sorted((PACKAGE / "report").glob("*.py")) if file.name not in NOT_PAGES]
    for file in [*modules, *(PACKAGE / f"{name}.py" for name in WRITERS)]:
        texts = set(_of_module(file.read_text(encoding="utf-8")))
        found[file.relative_to(PACKAGE).as_posix()] = texts
    return {place: sorted(texts) for place, texts in found.items() if texts}


def catalogue_text() -> str:
    """All fixed texts as JSON, for whoever translates them."""
    return json.dumps(texts_by_place(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def language_of(locale: str) -> tuple[str, dict[str, str]]:
    """The language in which a locale's pages are written, and its words; English has none but its own.

    Args:
        locale: One of `roi.locales.LOCALES`.
    """
    language = locale.partition("-")[0]
    file = LANGUAGES / f"{language}.json"
    if not file.is_file():
        return "en", {}
    return language, json.loads(file.read_text(encoding="utf-8"))


def _of_template(source: str) -> Iterator[str]:
    """The texts between tags; a figure is a hole, and a condition, or what users say, ends a text."""
    parts: list[str] = []
    inside: list[str] = []
    depth = 0
    for _, kind, value in environment().lex(source):
        if kind.endswith("_begin"):
            depth, inside = depth + 1, []
        elif kind.endswith("_end"):
            depth -= 1
            is_figure = kind == "variable_end" and not {"say", "drawn", "icon", "mark", "dots"} & set(inside)
            parts.append(HOLE if is_figure else "<>")
        elif depth:
            inside.append(value)
        elif kind == "data":
            parts.append(value)
    whole = "".join(parts)
    # Within a tag a hole is part of it.
    for text in _between_tags(whole.replace("<>", "<!---->")):
        for line in _sentences(unescape(text)):
            if WORD.search(line.replace(HOLE, "")):
                yield line


def _of_module(source: str) -> Iterator[str]:
    """Constants and formatted texts of a module, but for its docstrings."""
    tree = ast.parse(source)
    passed = {
        id(part)
        for node in ast.walk(tree)
        for part in (
            [node.value]
            if isinstance(node, ast.Expr)
            else [*node.values, *(f.format_spec for f in node.values if isinstance(f, ast.FormattedValue))]
            if isinstance(node, ast.JoinedStr)
            else []
        )
        if part is not None
    }
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _worth_telling(node.value)
        elif isinstance(node, ast.JoinedStr):
            pieces = (p.value if isinstance(p, ast.Constant) else HOLE for p in node.values)
            yield from _worth_telling("".join(str(p) for p in pieces))


def _worth_telling(text: str) -> Iterator[str]:
    for line in _sentences(text):
        if WORD.search(line.replace(HOLE, "")) and not CODE.fullmatch(line):
            yield line


def _sentences(text: str) -> list[str]:
    """The sentences of a text, each on one line and with holes for its figures."""
    return [FIGURE.sub(HOLE, line) for line in SENTENCE.split(" ".join(text.split()))]


def texts_of_page(html: str) -> list[str]:
    """The sentences that a reader of a page sees, with holes for figures; drawings and figures alone are left out."""
    found = (line for text in _between_tags(html) for line in _sentences(unescape(text)))
    return [line for line in found if WORD.search(line.replace(HOLE, ""))]


def _between_tags(html: str) -> Iterator[str]:
    at = 0
    for tag in TAG.finditer(html):
        yield html[at : tag.start()]
        at = tag.end()
    yield html[at:]


def share_known(html: str, texts: Collection[str]) -> float:
    """The share of a page's words that stand in texts that are known; what users wrote counts as not known.

    Args:
        html: A page, or a part of one.
        texts: As `texts_by_place` finds them.
    """
    known, found = set(texts), texts_of_page(html)
    whole = sum(len(WORD.findall(line)) for line in found)
    return sum(len(WORD.findall(line)) for line in found if line in known) / whole if whole else 0.0


def translated(html: str, language: Mapping[str, str], *, keep: Collection[str] = ()) -> str:
    """A page with the words of another language where that has them.

    Args:
        html: The page.
        language: Its words by ours, with as many holes.
        keep: Texts of users.
    """

    def put(text: str) -> str:
        line = " ".join(unescape(text).split())
        if line in keep:
            return text
        parts = [(part, FIGURE.sub(HOLE, part)) for part in SENTENCE.split(line)]
        if not any(masked in language for _, masked in parts):
            return text
        told = " ".join(_filled(language.get(masked, masked), FIGURE.findall(part)) for part, masked in parts)
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return before + escape(told, quote=False) + after

    out, at = [], 0
    for tag in TAG.finditer(html):
        out += [put(html[at : tag.start()]), tag[0]]
        at = tag.end()
    return "".join([*out, put(html[at:])])


def _filled(told: str, figures: Collection[str]) -> str:
    for figure in figures:
        told = told.replace(HOLE, figure, 1)
    return told


if __name__ == "__main__":
    print(catalogue_text(), end="")
