"""What numbers, pictures and pages are made with, and the files beside a report in which that is noted.

A batch starts sooner for what this does not import.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from roi.json_object import read_object

__all__ = ["ASKED", "INPUTS", "TAKEN", "file_sha256", "program", "taken_note", "warm_up"]

# Files of the program, not of the reader: no archive keeps them.
INPUTS = ".inputs.json"
TAKEN = ".taken.json"
ASKED = ".asked.json"

LIBRARIES = (
    "altair", "backports-zstd", "duckdb", "genai-prices", "ibis-framework", "ipykernel", "jinja2", "msgspec",
    "nbconvert", "numpy", "openpyxl", "pandas", "papermill", "pyarrow", "pydantic", "python-calamine", "python-stdnum",
    "PyYAML", "rapidfuzz", "scipy", "sqlglot", "tzdata", "vl-convert-python",
)  # fmt: skip
CODE = {".py", ".j2", ".css", ".js", ".csv", ".json", ".html", ".typ", ".yaml"}


@cache
def program() -> dict[str, str]:
    """The version of everything that computes: this package by its code, libraries by their versions."""
    import roi

    home = Path(roi.__file__).resolve().parent
    digest = hashlib.sha256()
    for file in sorted(
        file for file in home.rglob("*") if file.suffix in CODE and "notebooks" not in file.parts
    ):
        digest.update(file.relative_to(home).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    found = {"roi": digest.hexdigest(), "python": sys.version.split()[0]}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def warm_up() -> None:
    """Read what would be read anew in every process that is forked, and that is the code which these have loaded."""
    program()


def file_sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def taken_note(folder: Path) -> dict[str, Any] | None:
    """What `roi.taken_over.keep_note` kept in a folder; None where nothing was."""
    return read_object(folder / TAKEN)
