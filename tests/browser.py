"""Pages in Debian's Chromium, driven by Playwright with the network off; nothing is downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine (.ci/run installs it)"
)
WIDTHS = {1280: 720, 390: 844}
PAPER = {"width": 680, "height": 960}  # what the margins leave of A4, in CSS pixels
# Numbers of tables' cells and of the first screen's lists whose digits stand on more than one line.
SPLIT_NUMBERS = r"""(() => {
  const broken = [], range = document.createRange();
  for (const cell of document.querySelectorAll('td.n, th.n, .ask dd, .plan dd, .next dd')) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) for (const m of texts.currentNode.data.matchAll(/\d[\d.,\u00a0\u202f\u2019]*\d/g)) {
      range.setStart(texts.currentNode, m.index);
      range.setEnd(texts.currentNode, m.index + m[0].length);
      if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1) broken.push(m[0]);
    }
  }
  return broken;
})()"""


@contextmanager
def launched() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Any, file: Path, *, width: int = 1280, dark: bool = False, script: bool = True, sharp: int = 1
) -> Iterator[Any]:
    """A page of a file, off line; `page.heard` lists every request but its own and everything that went wrong."""
    context = browser.new_context(
        offline=True,
        java_script_enabled=script,
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": WIDTHS[width]},
        device_scale_factor=sharp,
    )
    context.set_default_timeout(120_000)  # of a machine that does much else
    page = context.new_page()
    page.heard = []
    page.on("request", lambda r: None if r.url == file.as_uri() else page.heard.append(r.url))
    page.on("console", lambda m: page.heard.append(m.text))
    page.on("pageerror", lambda e: page.heard.append(str(e)))
    page.on("dialog", lambda d: page.heard.append(d.message))
    page.goto(file.as_uri())
    yield page
    context.close()


def accessibility(page: Any, rules: list[str] | None = None) -> list[str]:
    """What axe-core finds wrong with a page, a line each; `rules` for some of its rules alone."""
    import axe_playwright_python

    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    found = page.evaluate("options => axe.run(document, options)", options)
    return [f"{v['id']}: {n['html'][:200]}" for v in found["violations"] for n in v["nodes"]]
