"""A rendered page as PDF: the words, tables and drawings of the HTML file, set by Typst, which is a library here.

No browser, no LaTeX and no font of the machine takes part: the same page gives the same bytes everywhere. Nothing is
fetched, since what the page says is handed over as data and is never read as markup.
"""

from __future__ import annotations

import json
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from roi.problems import ParameterError, Problem
from roi.report.page import PAGES
from roi.report.page_tree import Page, read_page
from roi.report.sections import TEMPLATES

__all__ = ["page_pdf", "pages_to_print", "require_pdf", "write_pdf", "write_pdfs"]

FONT = "fontpkg_arimo"  # of the words; headings, Hebrew and Arabic are in fonts that Typst carries
VERDICT = re.compile(r'class="roi first verdict-(kill|fix|scale)"')
COLOURS = {"kill": "#a33b00", "fix": "#855600", "scale": "#00664f"}
STATES = {"mark-shown": "#00664f", "mark-exceeded": "#a33b00", "mark-not_shown": "#855600"}
FAMILY = re.compile(r'font-family="[^"]*"(?! [^>]*font-weight)')
INK, MUTED = "#1f2328", "#5b6470"
# A last sheet that is filled to less than this share is spared where a closer setting makes room for it before.
LITTLE, TIGHTEST = 0.45, 5


def require_pdf() -> None:
    """Say what to install, before anything runs.

    Raises:
        ParameterError: What makes a PDF is not installed.
    """
    if find_spec("typst") is None or find_spec(FONT) is None:
        raise ParameterError(
            [Problem("--pdf", "", "needs what is not installed; install the extra: pip install 'roi[pdf]'")]
        )


def write_pdf(page: Path, target: Path) -> Path:
    """Write a rendered page as PDF; it appears whole or not at all.

    Args:
        page: The HTML file.
        target: The PDF file.

    Raises:
        ParameterError: As `require_pdf`.
    """
    made = page_pdf(page.read_text(encoding="utf-8"))
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    partial.write_bytes(made)
    os.replace(partial, target)
    return target


def pages_to_print(folder: Path) -> list[tuple[Path, Path]]:
    """The pages of a pilot that lie in its folder, each with the PDF that belongs to it."""
    pages = [folder / name for name in PAGES if name.endswith(".html")]
    return [(page, page.with_suffix(".pdf")) for page in pages if page.is_file()]


def write_pdfs(folder: Path, *, missing: bool = False) -> list[Path]:
    """Write all pages of a pilot as PDF.

    Args:
        folder: Of the pilot, with its pages.
        missing: Only those that are not there yet.

    Returns:
        The files that were written.

    Raises:
        ParameterError: As `require_pdf`.
    """
    wanted = [(page, pdf) for page, pdf in pages_to_print(folder) if not (missing and pdf.is_file())]
    return [write_pdf(page, pdf) for page, pdf in wanted]


def page_pdf(html: str) -> bytes:
    """A rendered page as PDF, tagged for screen readers.

    Args:
        html: The page, as `roi.report.page.page` makes it.

    Returns:
        PDF/UA-1, or where a sign is in none of the fonts (Chinese, an emoji), a tagged PDF that does not claim it.

    Raises:
        ParameterError: As `require_pdf`.
    """
    require_pdf()
    import typst

    page = read_page(html)
    found = VERDICT.search(html)
    verdict = found[1] if found else ""
    files = {"main": (TEMPLATES / "page.typ").read_bytes()}
    files |= {name: _coloured(svg.decode(), verdict).encode() for name, svg in page.drawings.items()}
    fonts = typst.Fonts(False, True, [str(_fonts())])

    def set_by(tight: int) -> dict[str, bytes]:
        return files | {"page.json": _content(page, verdict, tight)}

    def end(content: dict[str, bytes]) -> tuple[int, float]:
        """On which sheet a document ends, and at which share of its height."""
        asked: Any = typst.Compiler(cast(Any, content), font_paths=fonts)
        (found,) = json.loads(asked.query("<end>"))
        return found["value"]["sheet"], found["value"]["at"]

    content = set_by(0)
    sheets, filled = end(content)
    if sheets > 1 and filled < LITTLE:
        closer = (set_by(tight) for tight in range(1, TIGHTEST + 1))
        content = next((found for found in closer if end(found)[0] < sheets), content)
    compiler: Any = typst.Compiler(font_paths=fonts)
    try:
        made = compiler.compile(content, format="pdf", pdf_standards="ua-1", timestamp=0)
    except typst.TypstError:
        made = compiler.compile(content, format="pdf", timestamp=0)
    assert isinstance(made, bytes)
    return made


def _content(page: Page, verdict: str, tight: int) -> bytes:
    title = page.title or "Report"
    said = {"title": title, "language": page.language, "verdict": verdict, "tree": page.tree, "tight": tight}
    return json.dumps(said, ensure_ascii=False).encode()


def _fonts() -> Path:
    spec = find_spec(FONT)
    if spec is None or spec.origin is None:
        raise ParameterError([Problem(FONT, "", "cannot be found; pip install 'roi[pdf]'")])
    return Path(spec.origin).parent / "files"


def _coloured(svg: str, verdict: str) -> str:
    """An ornament with the colours that the style sheet gives it in the page; a chart has its own."""
    head = svg[: svg.index(">") + 1]
    if 'class="icon"' in head:
        colour = COLOURS.get(verdict, INK)
        rules = f".shape{{fill:{colour}}}.sign{{stroke:#fff;stroke-width:4.5;stroke-linecap:round;fill:none}}"
    elif 'class="mark' in head:
        colour = next((c for state, c in STATES.items() if state in head), MUTED)
        rules = f".fill{{fill:{colour}}}.line{{fill:none;stroke:{colour};stroke-width:1.6}}"
        rules += ".dash{stroke-dasharray:2.4 2}"
        rules += ".stroke{stroke:#fff;stroke-width:1.8;fill:none;stroke-linecap:round}"
    elif 'class="dots"' in head:
        rules = f".on{{fill:{INK};stroke:{INK}}}.off{{fill:none;stroke:{MUTED};stroke-width:1.2}}"
    else:
        return FAMILY.sub('font-family="\'Arimo\'" font-weight="400"', svg)
    return svg.replace(head, f"{head}<style>{rules}</style>", 1)
