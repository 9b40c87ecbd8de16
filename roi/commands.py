"""What every command has: examples at the end of its help, and problems told without a traceback."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import click

from roi.problems import InputError

__all__ = ["Examples", "told"]


class Examples(click.Command):
    """A command whose help ends with examples, kept as they are written."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip().splitlines():
                    formatter.write(f"  {line.strip()}\n")


def told(action: Callable[..., int | None]) -> Callable[..., None]:
    """Print what needs mending, without a traceback, and exit with 2."""

    def run(*args: Any, **kwargs: Any) -> None:
        # A command makes many small objects and few rings of them, and is soon over: looking for rings is put off.
        gc.set_threshold(50_000, 20, 20)
        try:
            code = action(*args, **kwargs)
        except InputError as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except KeyboardInterrupt:  # which click would make a 1, as for a fault
            click.echo("Stopped.", err=True)
            sys.exit(130)
        except BrokenPipeError:
            sys.exit(0)
        sys.exit(code or 0)

    run.__name__ = action.__name__
    run.__doc__ = action.__doc__
    return run
