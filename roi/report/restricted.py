"""The restricted page: what the logs say of single people, under pseudonyms, for whoever may see it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from roi import words
from roi.controls.approvers import Approver, Approvers, approver_findings
from roi.controls.logs import Logs, hold
from roi.parameters import LoadedParameters
from roi.problems import ParameterError, Problem
from roi.reduce import take_moments
from roi.report.page import page
from roi.report.sections import environment
from roi.samples import Samples, open_samples
from roi.taken import hold_together

__all__ = ["restricted_page", "write_restricted"]


def write_restricted(loaded: LoadedParameters, target: Path) -> Path:
    """Write the page of single people to a file that only its owner may read.

    Args:
        loaded: The pilot's parameters.
        target: The file; it is on no other page, and no report is put beside it.

    Raises:
        InputError: Where the samples do not open, or the file cannot be written.
    """
    text = restricted_page(loaded, open_samples(loaded))
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(partial, target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        why = error.strerror or type(error).__name__
        raise ParameterError([Problem(str(target), "--restricted", f"cannot be written ({why})")]) from None
    return target


def restricted_page(loaded: LoadedParameters, samples: Samples) -> str:
    """The page as HTML.

    Args:
        loaded: The pilot's parameters.
        samples: Its opened samples.
    """
    loaded, as_of = hold_together(loaded, samples, take_moments(samples))
    given = loaded.parameters.samples
    logs = Logs(samples=samples, policy=loaded.policy, as_of=as_of, timezone=given.timezone)
    found = approver_findings(hold(logs))
    title = loaded.parameters.about.title or loaded.parameters.pilot
    html = (
        environment()
        .get_template("restricted.html.j2")
        .render(
            title=title,
            found=found,
            rows=[] if found is None else sorted((_row(found, who) for who in found.people), key=_worst),
        )
    )
    return page(
        f"Restricted: {title}",
        html,
        above=f"Restricted. As of {words.day(None if as_of is None else as_of.isoformat(), unknown='an unknown day')}",
    )


def _row(found: Approvers, who: Approver) -> dict[str, Any]:
    """An approver with what stands out, none of which chance explains at the level of the checks."""
    said = []
    if who.own:
        said.append(f"approved {words.plural(who.own, 'action')} that they had asked for")
    if who.quick_chance is not None and who.quick_chance < found.quick_level:
        said.append("approves faster than a reading takes")
    if who.no_refusal_chance is not None and who.no_refusal_chance < found.refusal_level:
        said.append("never says no, where others do")
    if who.in_bursts:
        said.append(f"gave {words.plural(who.in_bursts, 'decision')} at a pace that no reading allows")
    return {"who": who, "said": said}


def _worst(row: dict[str, Any]) -> tuple[int, int, str]:
    return -len(row["said"]), -row["who"].decisions, row["who"].approver
