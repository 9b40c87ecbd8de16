"""The fixed words of the pages in one place, so that another language can take their place.

Words stand where they are used, in templates, notebooks and modules, as in most programs that were translated; this
collects them, with "{}" where a figure stands; `python -m roi.report.catalogue` prints them. A language is a file of
the same texts and its own words for them. These are put in at the end, text by text, as numbers are (`roi.locales`): a
text that is not in the file stays English, and what users wrote is never looked up. A sentence that is put together is
taken apart again: what fills a hole is looked up by itself, and so are the parts of a list.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any

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

LANGUAGES = TEMPLATES / "languages"  # <language>.json: our words to theirs; "{2}" is the second of our holes
PACKAGE = Path(__file__).resolve().parent.parent
# Beside the package in the project, within it where it was installed from a wheel.
NOTEBOOKS = next((at for at in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks") if at.is_dir()), PACKAGE)
# Modules that write sentences for readers, beside those of `report` and `controls`.
WRITERS = (
    "actuals", "advice", "after_remedy", "analysis", "approval_design", "approval_words", "arm_shares", "audit",
    "audit_actions", "audit_inputs", "cashflow", "cause_pictures", "cause_prices", "cause_words", "ceilings",
    "claims", "comparability", "compare", "demanded_approving", "demo_effects", "demo_gap", "demo_split",
    "design_gate", "error_rates", "estimates", "evidence", "first_view", "footing", "gates", "input_rules",
    "knowing", "labelling_plan", "labels", "ladder", "levers", "money", "monitor_basis", "monitor_days",
    "monitor_tests", "next_step", "no_fix", "operate", "option_record", "realised", "record", "remedy_record",
    "samples", "schema/economics", "schema/register", "schema/remedies", "scorecard_record", "self_reports",
    "signing", "signs", "sketch", "stopping", "uncertain", "verdict", "what_if", "words",
)  # fmt: skip
NOT_PAGES = {"catalogue.py", "page_tree.py", "pdf.py", "terminal.py"}
HOLE = "{}"
NUMBERED = re.compile(r"\{(\d{0,2})\}")  # a hole of another language, which may want them in another order
# A figure as `roi.words` writes it, with its currency or per-cent sign, or a day.
FIGURE = re.compile(
    r"[+\u2212-]?(?:\b[A-Z]{3}[ \u00a0])?[+\u2212-]?\b\d(?:[\d,]*\d)?(?:\.\d+)?"
    r"(?:[ \u00a0]?%|[ \u00a0](?:million|billion)\b)?"
    r"(?:[ \u00a0](?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ \u00a0]\d{4})?"
)
TAG = re.compile(r"<(style|script|code|pre|head|svg|noscript|template)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z{\d])")
WORD = re.compile(r"[^\W\d_]{2,}")
BREAK = re.compile(r"(; |, |: | and | or )")  # between the parts of what is put together
LETTERS = 4  # of a text's own that tell it from others
DEEPEST = 4  # of texts within texts
# Names of things in code: no words for readers.
CODE = re.compile(r"[a-z_]+|[\w.-]+[_/][\w./-]*|[a-z-]+(?: [a-z-]+)*[:;{<].*|.*[<>=|\\].*", re.S)


@cache
def texts_by_place() -> dict[str, list[str]]:
    """Every fixed text of the pages, by the file in which it stands."""
    found: dict[str, set[str]] = {}
    for file in sorted(TEMPLATES.glob("*.j2")):
        found[f"report/templates/{file.name}"] = set(_of_template(file.read_text(encoding="utf-8")))
    modules = [
        *(file for file in sorted((PACKAGE / "report").glob("*.py")) if file.name not in NOT_PAGES),
        *sorted((PACKAGE / "controls").glob("*.py")),
        *(PACKAGE / f"{name}.py" for name in WRITERS),
    ]
    for file in modules:
        texts = set(_of_module(file.read_text(encoding="utf-8")))
        found[file.relative_to(PACKAGE).as_posix()] = texts
    for file in sorted(NOTEBOOKS.glob("[1-9]_*.ipynb")):
        found[f"notebooks/{file.name}"] = set(_of_notebook(json.loads(file.read_text(encoding="utf-8"))))
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


def _of_notebook(notebook: Mapping[str, Any]) -> Iterator[str]:
    """The headings and sentences between the outputs of a notebook."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for line in "".join(cell["source"]).splitlines():
                yield from _worth_telling(line.lstrip("# "))


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


class Phrases:
    """Texts with holes, found again in what a reader sees, where words stand in the holes, too.

    Args:
        texts: As `texts_by_place` finds them, or the keys of a language.
    """

    def __init__(self, texts: Collection[str]) -> None:
        self.exact = set(texts)
        told: list[tuple[int, str, re.Pattern[str]]] = []
        for text in self.exact:
            pieces = text.split(HOLE)
            letters = sum(map(len, WORD.findall(" ".join(pieces))))
            if len(pieces) > 1 and letters >= LETTERS:
                told.append((letters, text, re.compile("(.+?)".join(map(re.escape, pieces)), re.S)))
        # That which says most by itself is the most likely to be meant.
        self.patterns = sorted(told, key=lambda x: (-x[0], x[1]))

    def find(self, line: str) -> tuple[str, list[str]] | None:
        """The text that a line was made of and what fills its holes; None where none is known."""
        # What begins a sentence may stand within another one, and the other way round.
        for said in (line, line[:1].swapcase() + line[1:]):
            masked = FIGURE.sub(HOLE, said)
            if masked in self.exact:
                return masked, FIGURE.findall(said)
            for _, text, pattern in self.patterns:
                if found := pattern.fullmatch(said):
                    return text, list(found.groups())
        return None


def share_known(html: str, texts: Collection[str]) -> float:
    """The share of a page's words that stand in texts that are known; what users wrote counts as not known.

    Args:
        html: A page, or a part of one.
        texts: As `texts_by_place` finds them.
    """
    phrases = Phrases(texts)

    def known(line: str, deep: int = 0) -> int:
        if not WORD.search(line):
            return 0
        if found := phrases.find(line):
            text, inside = found
            own = len(WORD.findall(text.replace(HOLE, " ")))
            return own + (sum(known(x, deep + 1) for x in inside) if deep < DEEPEST else 0)
        parts = BREAK.split(line)
        return sum(known(part, deep + 1) for part in parts[::2]) if len(parts) > 1 and deep < DEEPEST else 0

    found = [
        part for text in _between_tags(html) for part in SENTENCE.split(" ".join(unescape(text).split()))
    ]
    whole = sum(len(WORD.findall(line)) for line in found)
    return sum(map(known, found)) / whole if whole else 0.0


def translated(html: str, language: Mapping[str, str], *, keep: Collection[str] = ()) -> str:
    """A page with the words of another language where that has them.

    Args:
        html: The page.
        language: Its words by ours, with as many holes.
        keep: Texts of users.
    """
    phrases = Phrases(language)

    def told(line: str, deep: int = 0) -> str:
        if line in keep or not WORD.search(line):
            return line
        if found := phrases.find(line):
            text, inside = found
            whole = _filled(language[text], [told(x, deep + 1) if deep < DEEPEST else x for x in inside])
            # A name that stands within a sentence keeps its capital: some languages want it there.
            return whole[:1].upper() + whole[1:] if line[:1].isupper() else whole
        parts = BREAK.split(line)
        if len(parts) == 1 or deep >= DEEPEST:
            return line
        # Between the parts of a list stand commas, which stay, or a word, which is one of ours.
        return "".join(
            told(part, deep + 1)
            if place % 2 == 0
            else part.replace(part.strip(), told(part.strip(), DEEPEST))
            for place, part in enumerate(parts)
        )

    def put(text: str) -> str:
        line = " ".join(unescape(text).split())
        if line in keep or not WORD.search(line):
            return text
        whole = " ".join(told(part) for part in SENTENCE.split(line))
        if whole == line:
            return text
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return before + escape(whole, quote=False) + after

    out, at = [], 0
    for tag in TAG.finditer(html):
        out += [put(html[at : tag.start()]), tag[0]]
        at = tag.end()
    return "".join([*out, put(html[at:])])


def _filled(told: str, inside: Sequence[str]) -> str:
    """A text with its holes filled, in their order or by their numbers; a hole that nothing fills stays."""
    left = iter(inside)

    def fill(hole: re.Match[str]) -> str:
        if not hole[1]:
            return next(left, hole[0])
        return inside[int(hole[1]) - 1] if 0 < int(hole[1]) <= len(inside) else hole[0]

    return NUMBERED.sub(fill, told)


if __name__ == "__main__":
    print(catalogue_text(), end="")
