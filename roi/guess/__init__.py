"""`roi new`: a first parameter file from somebody's own exports, every guess with its reason."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roi.guess.draft import Request, prepare, refuse_early, save, tried

if TYPE_CHECKING:
    from rich.console import Console

    from roi.guess.ask import Ask

__all__ = ["Request", "new_pilot"]


def new_pilot(request: Request, *, console: Console | None = None, ask: Ask | None = None) -> Path:
    """Look at the files, guess, ask where somebody can be asked, and write the parameter file.

    Args:
        request: What is asked for.
        console: Where the guesses are shown; standard output unless given.
        ask: Puts questions; None asks nothing.

    Returns:
        The file.

    Raises:
        InputError: If a file cannot be read, the target exists, or what the user gave does not fit.
    """
    import duckdb
    from rich.console import Console

    from roi.guess.ask import ask_about
    from roi.guess.tell import tell_guesses, tell_labels, tell_next
    from roi.guess.write import write_file

    to = console or Console(file=sys.stdout)
    refuse_early(request)
    con = duckdb.connect()
    try:
        con.execute("set enable_progress_bar = false")
        con.execute("set autoinstall_known_extensions = false; set autoload_known_extensions = false")
        draft = tried(prepare(request, con), request)
        tell_guesses(draft, to)
        if ask is not None:
            draft = tried(ask_about(draft, ask), request)
        text = write_file(draft)
        path = save(draft, request)
        tell_labels(draft, _limit(request), to)
        tell_next(draft, path, text, to)
    finally:
        con.close()
    return path


def _limit(request: Request) -> float:
    """The limit of severe errors by the policy beside the new file, or by default."""
    from roi.parameters import read_policy

    return read_policy(request.out / "_policy.yaml").max_severe_error_rate
