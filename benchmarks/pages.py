"""Rendered pages in Chromium: size, requests, when the first screen is drawn, and what axe-core finds.

    uv run roi batch params/ -o reports/ && uv run python benchmarks/pages.py reports/

Networking is off. The first screen is timed five times a page, in a fresh context each; the middle one is printed.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser import WIDTHS, accessibility, launched, opened  # noqa: E402

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def painted(browser: Any, file: Path) -> float:
    """Milliseconds until something of the page is drawn, in the middle of five tries."""
    found = []
    for _ in range(5):
        with opened(browser, file) as page:
            page.wait_for_function(f"({PAINTED}) !== null")
            found.append(float(page.evaluate(PAINTED)))
    return statistics.median(found)


def main(folder: Path) -> int:
    """Print a line a page; 1 where one misses a bar."""
    missed = 0
    print(f"{'page':45} {'kB':>6} {'requests':>9} {'first screen, ms':>17} {'axe-core':>9}")
    with launched() as browser:
        for file in sorted(folder.rglob("*.html")):
            if "archive" in file.relative_to(folder).parts:
                continue
            wrong: list[str] = []
            heard: list[str] = []
            for width in WIDTHS:
                for dark in (False, True):
                    with opened(browser, file, width=width, dark=dark) as page:
                        wrong += accessibility(page)
                        heard += page.heard
            took, size = painted(browser, file), file.stat().st_size
            missed += bool(wrong or heard or took > 1000 or size > 1_500_000)
            name = str(file.relative_to(folder))
            print(f"{name:45} {size / 1000:6.0f} {len(heard):9} {took:17.0f} {len(wrong):9}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "reports")))
