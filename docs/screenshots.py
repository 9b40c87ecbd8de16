"""The pictures in the README: the first screen of a report on a screen, on a phone and on paper.

    uv run roi batch params/ -o reports/ && uv run python docs/screenshots.py reports/

Chromium shows the pages with its network off, as the tests do; colours are reduced to a palette, which keeps each
picture below 150 kB.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))

from browser import WIDTHS, launched, opened  # noqa: E402

PILOT = "claims_intake"
SHARP = 2  # dots to a CSS pixel of what is shown smaller than it is
COLOURS = 192


def small(picture: Image.Image, target: Path) -> Path:
    """Write a picture in as few colours as it needs."""
    # By how far colours lie apart and not by how often they come, so that a small blue dot stays blue.
    palette = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    palette.save(target, optimize=True)
    return target


def of_screen(browser: Any, file: Path, width: int, sharp: int) -> Image.Image:
    """The first screen of a page in a window of so many pixels."""
    with opened(browser, file, width=width, sharp=sharp) as page:
        return Image.open(io.BytesIO(page.screenshot()))


def of_paper(browser: Any, file: Path) -> Image.Image:
    """The first sheet of a page as it is printed."""
    with opened(browser, file) as page:
        printed = page.pdf(prefer_css_page_size=True, print_background=False)
    sheet: Image.Image = pypdfium2.PdfDocument(printed)[0].render(scale=1.4).to_pil()
    return sheet


def main(folder: Path) -> None:
    """Take all pictures and say how large each is."""
    file = folder.resolve() / PILOT / "report.html"
    with launched() as browser:
        pictures = {
            "report.png": of_screen(browser, file, 1280, 1),
            "report_phone.png": of_screen(browser, file, 390, SHARP),
            "report_print.png": of_paper(browser, file),
        }
    for name, picture in pictures.items():
        target = small(picture, DOCS / name)
        print(f"{name:18} {picture.width:5} x {picture.height:4} {target.stat().st_size / 1000:5.0f} kB")
    assert pictures["report.png"].size == (1280, WIDTHS[1280])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "reports"))
