"""The JSON files that this package keeps beside reports, read with no trust in what became of them since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["read_object"]


def read_object(path: Path) -> dict[str, Any] | None:
    """The object that a JSON file holds; None where there is no such file, or nothing in it that can be read as one.

    Args:
        path: The file.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # the last of brackets within brackets by the thousand
        return None
    return found if isinstance(found, dict) else None
