"""A pilot's report, record and notebooks in one file with checksums, and on request the samples behind them.

Only files that a run writes are taken, by their names: whatever else lies in the folder, such as the restricted page or
earlier runs, stays where it is. The same files give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from roi.problems import ParameterError, Problem
from roi.records import read_record
from roi.report.page import PAGES

__all__ = ["SUMS", "export_bytes", "write_export"]

SUMS = "SHA256SUMS"
RECORD = "decision.json"
BESIDE = (RECORD, "moments.json", "access_proposed.csv", "findings.csv", "operation.json")
A_NAME = re.compile(r"[a-z0-9_]+")
RESTRICTED = b"<title>Restricted: "
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest day that a zip file knows; no clock goes into one


def write_export(folder: Path, target: Path, *, samples_of: Path | None = None) -> list[str]:
    """Write the zip file of a pilot; it appears whole or not at all.

    Args:
        folder: ``reports/<pilot>``.
        target: The file.
        samples_of: The project folder whose samples go into it; None for none.

    Returns:
        The names inside.

    Raises:
        ParameterError: As `export_bytes`; or the file cannot be written.
    """
    data, names = export_bytes(folder, samples_of=samples_of)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        why = error.strerror or type(error).__name__
        raise ParameterError([Problem(str(target), "", f"cannot be written ({why})")]) from None
    return names


def export_bytes(folder: Path, *, samples_of: Path | None = None) -> tuple[bytes, list[str]]:
    """The zip file of a pilot.

    Args:
        folder: ``reports/<pilot>``.
        samples_of: The project folder whose samples go into it; None for none.

    Returns:
        The file, and the names inside, each below ``<pilot>/``.

    Raises:
        ParameterError: There is no report, a restricted page lies under the name of another, or the samples are gone
            or other than those of the record.
    """
    pilot = folder.name
    if not (A_NAME.fullmatch(pilot) and (folder / RECORD).is_file()):
        raise ParameterError(
            [Problem(str(folder), "", f"holds no report; `roi run {pilot}` writes it, `-o` names the folder")]
        )
    record = read_record(folder)
    files, problems = _of_the_run(folder)
    if samples_of is not None:
        taken, wrong = _samples(record, samples_of)
        files |= taken
        problems += wrong
    if problems:
        raise ParameterError(problems)
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    files[SUMS] = sums.encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{pilot}/{name}", LONG_AGO)
            entry.compress_type, entry.create_system, entry.external_attr = (
                zipfile.ZIP_DEFLATED,
                3,
                0o100644 << 16,
            )
            archive.writestr(entry, data)
    return packed.getvalue(), [f"{pilot}/{name}" for name in sorted(files)]


def _of_the_run(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """The files of a run by name; a link is none of them, it may lead anywhere."""
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    pages = [name for name in PAGES if name.endswith(".html")]
    notebooks = [
        "2_decide.ipynb",
        *(f"{name.removesuffix('.html')}.ipynb" for name in pages if name != "report.html"),
    ]
    # The pages lead to these, where they were asked for.
    printed = [f"{name.removesuffix('.html')}.pdf" for name in pages]
    for name in dict.fromkeys((*PAGES, *printed, *notebooks, *BESIDE)):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            continue
        found[name] = path.read_bytes()
        if name.endswith(".html") and RESTRICTED in found[name][:200_000]:
            problems.append(
                Problem(
                    str(path),
                    "",
                    "is the restricted page, which goes to few; move it and run `roi run` again",
                )
            )
    return found, problems


def _samples(record: Mapping[str, Any], project: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """The files behind a record by name, each with the fingerprint that the record states."""
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    for name, digest in sorted(((record.get("provenance") or {}).get("samples_sha256") or {}).items()):
        path = project / name
        if not path.is_file():
            problems.append(
                Problem(
                    name,
                    "",
                    "is no file of this project; a query's rows can't be packed, leave out --with-samples",
                )
            )
            continue
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            problems.append(
                Problem(name, "", "is no longer what the record was made from; `roi run` makes a new one")
            )
            continue
        found[_inside(name, digest)] = data
    if not found and not problems:
        problems.append(
            Problem(RECORD, "provenance.samples_sha256", "names no file; leave out --with-samples")
        )
    return found, problems


def _inside(name: str, digest: str) -> str:
    """Where a sample lies in the zip file: below ``samples/`` and nowhere else."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        return f"samples/elsewhere/{digest[:12]}-{path.name}"
    return f"samples/{path}"
