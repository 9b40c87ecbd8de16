"""Links of pages that lead nowhere, found without a browser."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r'<a\b[^>]*?\shref="([^"]*)"')
NAME = re.compile(r'\sid="([^"]+)"')


def dead_links(folder: Path) -> list[str]:
    """Links of the pages of a folder to files and places that are not there, and names that a page has twice.

    Args:
        folder: With pages, at any depth; those in an archive are left out.
    """

    @cache
    def names(file: Path) -> list[str]:
        return NAME.findall(file.read_text(encoding="utf-8"))

    found = []
    for file in sorted(folder.rglob("*.html")):
        where = file.relative_to(folder)
        if "archive" in where.parts:
            continue
        found += [f"{where}: #{x} twice" for x in sorted(set(names(file))) if names(file).count(x) > 1]
        for link in LINK.findall(file.read_text(encoding="utf-8")):
            path, _, place = map(unquote, unescape(link).partition("#"))
            target = file.parent / path if path else file
            if not target.exists() or (place and place not in names(target)):
                found.append(f"{where}: {link}")
    return found
