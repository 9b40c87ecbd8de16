"""Where a database is: an address that comes from the environment, is used to open it, and is written nowhere."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from roi.problems import Problem
from roi.readers.base import UnreadableError

__all__ = ["Address", "find_address", "without_secret"]

Kind = Literal["postgres", "duckdb", "sqlite", "motherduck", "spark", "ibis"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET = re.compile(r"pass|pwd|token|secret|key|credential", re.I)


@dataclass(frozen=True, slots=True)
class Address:
    """An address, of which only `stated` may be shown.

    Attributes:
        stated: As the parameter file has it: `${NAME}`, or the path of a database file.
        value: The address itself; it may hold a password and is no part of the object's own text.
        kind: What answers there.
    """

    stated: str
    value: str = field(repr=False)
    kind: Kind

    @property
    def dialect(self) -> str:
        """The dialect of its SQL, as sqlglot names it."""
        if self.kind == "ibis":
            return self.value.split("://")[0].lower()
        return "duckdb" if self.kind == "motherduck" else self.kind


def find_address(connect: str, *, file: str, place: str) -> Address:
    """The address that a parameter file means.

    Args:
        connect: `${NAME}` of an environment variable, or the path of a DuckDB or SQLite file.
        file: The parameter file's name, for messages.
        place: The key of the source, for messages.

    Raises:
        UnreadableError: If the environment has no such variable.
    """
    variable = _VARIABLE.fullmatch(connect)
    value = os.environ.get(variable[1], "").strip() if variable else connect
    if variable and not value:
        message = f"the environment has no variable {variable[1]}"
        raise UnreadableError([Problem(file, f"{place}.connect", message)])
    return Address(connect, value, _kind(value))


def _kind(value: str) -> Kind:
    scheme = value.split("://")[0].lower() if "://" in value else ""
    if scheme in ("postgres", "postgresql"):
        return "postgres"
    if value.lower().startswith(("md:", "motherduck:")):
        return "motherduck"
    if scheme in ("duckdb", "sqlite"):
        return "sqlite" if scheme == "sqlite" else "duckdb"
    if scheme == "spark":
        return "spark"
    if scheme:
        return "ibis"
    return "sqlite" if Path(value).suffix.lower() in (".sqlite", ".sqlite3", ".db") else "duckdb"


def without_secret(value: str) -> str:
    """An address without its password and tokens; another text as it is.

    What is kept of an address beside a report, even inside a hash, must not help to find a password out.
    """
    if "://" not in value and not value.lower().startswith(("md:", "motherduck:")):
        return value
    try:
        parts = urlsplit(value)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return value.split(":")[0]
    user, at, host = parts.netloc.rpartition("@")
    kept = urlencode([(k, v) for k, v in query if not _SECRET.search(k)])
    return urlunsplit((parts.scheme, f"{user.split(':')[0]}{at}{host}", parts.path, kept, ""))
