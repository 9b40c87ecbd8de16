"""What a run that writes reports adds to a decision: the looks that its ledger counts, and the archive of it.

A notebook is run by Papermill in a process of its own and takes no more than the keys of the parameter file. Where its
pilot's report goes, and which ledger counts, therefore comes to it in an environment variable that the batch sets.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from roi.ledger import data_sha256, look_of, read_ledger
from roi.parameters import LoadedParameters

__all__ = ["Run", "counted", "current_run", "issuing"]

VARIABLE = "ROI_RUN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run whose report will be issued.

    Attributes:
        pilot: Name of the pilot that it is about.
        folder: Where its files go.
        ledger: The ledger in which its record will be entered.
        before: The pilot's report folder as it stands, from which may be taken over what was taken of the samples;
            None where they are to be read anew.
    """

    pilot: str
    folder: Path
    ledger: Path
    before: Path | None = None

    @property
    def record(self) -> Path:
        """Where its record lies as soon as it has been made."""
        return self.folder / "decision.json"


@contextmanager
def issuing(run: Run | None) -> Iterator[None]:
    """Tell the processes that are started inside that they work for a run."""
    before = os.environ.pop(VARIABLE, None)
    try:
        if run is not None:
            told = {"pilot": run.pilot, "folder": str(run.folder), "ledger": str(run.ledger)}
            if run.before is not None:
                told["before"] = str(run.before)
            os.environ[VARIABLE] = json.dumps(told)
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before


def current_run(pilot: str) -> Run | None:
    """The run that this process works for, if it is about this pilot; None otherwise."""
    told = json.loads(os.environ.get(VARIABLE) or "{}")
    if told.get("pilot") != pilot:
        return None
    before = None if told.get("before") is None else Path(told["before"])
    return Run(pilot=pilot, folder=Path(told["folder"]), ledger=Path(told["ledger"]), before=before)


def counted(loaded: LoadedParameters, fingerprints: Mapping[str, str], ledger: Path) -> LoadedParameters:
    """Parameters that are held to the looks at the pilot's data that a ledger counts, where these are more.

    Args:
        loaded: The checked parameters.
        fingerprints: Of the samples.
        ledger: The ledger; one that is not there counts this look alone.

    Raises:
        InputError: If the ledger's chain is broken.
    """
    look = look_of(read_ledger(ledger), loaded.parameters.pilot, data_sha256(fingerprints))
    return replace(loaded, looks_counted=look) if look > loaded.parameters.run.looks else loaded
