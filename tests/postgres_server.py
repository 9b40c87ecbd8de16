"""A PostgreSQL server of one's own: started from the system's package, on loopback, gone with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "hunter2-Xq7"


def binary(name: str) -> str | None:
    """The newest program of this name, which Debian keeps off the path."""
    there = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: float(p.parts[4]))
    return str(there[-1]) if there else shutil.which(name)


needs_postgres = pytest.mark.skipif(
    binary("postgres") is None or binary("initdb") is None,
    reason="PostgreSQL's server is not installed (Debian: postgresql)",
)


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        port: On 127.0.0.1.
        password: Of the user `anna`, who may do anything.
    """

    port: int
    password: str = PASSWORD

    @property
    def address(self) -> str:
        return f"postgresql://anna:{self.password}@127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> None:
        """Run statements that change something."""
        with self.connect() as con:
            for statement in statements:
                con.execute(statement)

    def connect(self) -> Any:
        import psycopg

        return psycopg.connect(self.address, autocommit=True)

    def fill(self, table: str, columns: dict[str, str], rows: list[tuple[Any, ...]]) -> None:
        """Make a table of these columns (name → type) and rows; texts of cells are cast by the server."""
        with self.connect() as con, con.cursor() as cursor:
            cursor.execute(f'drop table if exists "{table}"')
            listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            cursor.execute(f'create table "{table}" ({listed})')
            with cursor.copy(f'copy "{table}" from stdin') as copy:
                for row in rows:
                    copy.write_row(row)


@contextmanager
def serving() -> Iterator[Server]:
    """Start a server, and stop it."""
    programs = binary("initdb"), binary("postgres")
    assert all(programs)
    folder = Path(tempfile.mkdtemp(prefix="roi-pg-"))
    owner: dict[str, Any] = {}
    if os.getuid() == 0:  # the server refuses to run as root
        user = next(u for u in ("postgres", "nobody") if any(entry.pw_name == u for entry in pwd.getpwall()))
        found = pwd.getpwnam(user)
        os.chown(folder, found.pw_uid, found.pw_gid)
        owner = {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    data = folder / "data"
    subprocess.run(
        [str(programs[0]), "-D", str(data), "-U", "anna", "-A", "scram-sha-256", "--pwfile", str(secret),
         "-E", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"],
        check=True, **owner, **quiet,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "shared_buffers": "16MB",
        "max_connections": "20", "autovacuum": "off", "log_min_messages": "panic", "max_wal_senders": "0",
        "wal_level": "minimal",
    }  # fmt: skip
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen([str(programs[1]), "-D", str(data), "-p", str(port), *given], **owner, **quiet)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                Server(port).connect().close()
                break
            except Exception:
                if server.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield Server(port)
    finally:
        server.send_signal(2)  # SIGINT: clients are cut off, and it ends at once
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
