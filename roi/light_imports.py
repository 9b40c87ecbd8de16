"""Import what notebooks and charts check their documents with, without what neither needs.

Where JupyterLab is installed, `jsonschema` finds a checker of international addresses whose grammar takes more than a
second to build, in each process. No notebook and no chart holds such an address to check.
"""

from __future__ import annotations

import importlib
import sys

__all__: list[str] = []

if "jsonschema" not in sys.modules:
    hidden = "rfc3987_syntax" not in sys.modules
    if hidden:
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # an import of it fails, and is passed over
    try:
        importlib.import_module("jsonschema")
    finally:
        if hidden:
            del sys.modules["rfc3987_syntax"]
