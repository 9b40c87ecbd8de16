"""Rendered pages in Chromium: size, requests, when the first screen is drawn, what is cut off, what axe-core finds.

    uv run roi batch params/ -o reports/ && uv run python benchmarks/pages.py reports/

Networking is off. Each page is held against axe-core at 1280 and at 390 pixels, light and dark, and as it is printed,
after a value of each of its charts was shown. The first screen is timed five times, in a fresh context each; the middle
one is printed. What is found wrong is printed below its page, and the bars at the end.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser import PAPER, SPLIT_NUMBERS, WIDTHS, accessibility, launched, opened  # noqa: E402
from linked import dead_links  # noqa: E402

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MUTE = "[...document.querySelectorAll('.drawing')].filter(d => !d.querySelector('[data-tip]')).length"
MOST_MS, MOST_BYTES = 1000, 1_500_000


def painted(browser: Any, file: Path) -> float:
    """Milliseconds until something of the page is drawn, in the middle of five tries."""
    found = []
    for _ in range(5):
        with opened(browser, file) as page:
            # The page forbids what waits for a function: it is asked again and again.
            while (at := page.evaluate(PAINTED)) is None:
                page.wait_for_timeout(10)
            found.append(float(at))
    return statistics.median(found)


def wrong_with(page: Any, view: str) -> list[str]:
    """What axe-core finds in a view of a page, whether it is too wide, numbers that break, charts that say no value."""
    found = [f"{view}: {line}" for line in accessibility(page)]
    if (wider := page.evaluate(WIDER)) > 0:
        found.append(f"{view}: {wider} pixels wider than its window")
    if broken := page.evaluate(SPLIT_NUMBERS):
        found.append(f"{view}: numbers broken over lines: {', '.join(broken)}")
    if mute := page.evaluate(MUTE):
        found.append(f"{view}: {mute} charts say no value")
    return found


def looked_at(browser: Any, file: Path) -> tuple[list[str], list[str]]:
    """What is wrong with a page in its five views, and what it asked for or complained of."""
    wrong: list[str] = []
    heard: list[str] = []
    for width in WIDTHS:
        for dark in (False, True):
            with opened(browser, file, width=width, dark=dark) as page:
                if page.locator(".drawing[tabindex]:visible").count():
                    page.locator(".drawing[tabindex]:visible").first.focus()
                    page.keyboard.press("End")
                wrong += wrong_with(page, f"{width} {'dark' if dark else 'light'}")
                heard += page.heard
    with opened(browser, file, dark=True) as page:  # a dark screen is no reason for dark paper
        page.set_viewport_size(PAPER)
        page.emulate_media(media="print")
        wrong += wrong_with(page, "print")
        heard += page.heard
    return wrong, heard


def main(folder: Path) -> int:
    """Print a line a page; 1 where one misses a bar."""
    files = [f for f in sorted(folder.rglob("*.html")) if "archive" not in f.relative_to(folder).parts]
    if not files:
        raise SystemExit(f"{folder} holds no page; write some: uv run roi batch params/ -o {folder}")
    asked, found, slowest, largest = 0, 0, 0.0, 0
    print(f"{'page':45} {'kB':>6} {'requests':>9} {'first screen, ms':>17} {'violations':>11}")
    with launched() as browser:
        for file in files:
            wrong, heard = looked_at(browser, file)
            took, size = painted(browser, file), file.stat().st_size
            asked, found = asked + len(heard), found + len(wrong)
            slowest, largest = max(slowest, took), max(largest, size)
            name = str(file.relative_to(folder))
            print(f"{name:45} {size / 1000:6.0f} {len(heard):9} {took:17.0f} {len(wrong):11}", flush=True)
            for line in dict.fromkeys(heard + wrong):
                print(f"    {line}", flush=True)
    dead = dead_links(folder)
    for line in dead:
        print(f"dead: {line}")
    bars = [
        ("requests attempted", asked, 0),
        ("first screen, ms, slowest page", round(slowest), MOST_MS),
        ("size, bytes, largest page", largest, MOST_BYTES),
        ("violations of 5 views", found, 0),
        ("dead links", len(dead), 0),
    ]
    print(f"\nbars over {len(files)} pages")
    for what, is_now, at_most in bars:
        print(f"{what:35} {is_now:>9,} of at most {at_most:>9,}  {'ok' if is_now <= at_most else 'MISSED'}")
    return int(not files or any(is_now > at_most for _, is_now, at_most in bars))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "reports")))
