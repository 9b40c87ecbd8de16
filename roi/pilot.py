"""A pilot, opened: what notebooks and the command line hold in their hands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from roi.analysis import Analysis, analyse
from roi.archive import MOMENTS, archive_text
from roi.controls.findings_list import FINDINGS, write_findings
from roi.issue import counted, current_run
from roi.parameters import LoadedParameters, load_parameters
from roi.pictures import Pictures
from roi.record import build_record, canonical
from roi.samples import Samples, open_samples

__all__ = ["Decision", "Pilot", "open_pilot"]


@dataclass(frozen=True)
class Decision:
    """A pilot's decision: its record, and the arrays behind its pictures.

    Attributes:
        analysis: Draws, gates, options and the verdict, for whoever wants to take it apart.
    """

    analysis: Analysis

    @cached_property
    def record(self) -> dict[str, Any]:
        """What decision.json holds."""
        return build_record(self.analysis)

    @cached_property
    def pictures(self) -> Pictures:
        """The arrays that pictures are drawn from."""
        from roi.illustrate import illustrate

        return illustrate(self.analysis, self.record)

    @cached_property
    def sketch(self) -> dict[str, Any] | None:
        """What a page needs to sketch the decision at other assumptions; None where it cannot."""
        from roi.sketch import sketch_of

        return sketch_of(self.analysis, self.record["sensitivity"])

    @cached_property
    def what_if(self) -> dict[str, Any]:
        """Scenarios and the smallest joint change that flips the verdict.

        Each is decided anew on the same cases, which takes as long as some ten decisions: it is no part of the record.
        """
        from roi.what_if import what_if

        return what_if(self.analysis)

    @property
    def verdict(self) -> str:
        """kill, fix or scale."""
        return self.analysis.verdict.verdict

    def json(self) -> str:
        """The record as one line of JSON; the same inputs give the same bytes."""
        return canonical(self.record)

    def __repr__(self) -> str:
        return f"<{self.record['pilot']}: {self.verdict} – {self.record['headline']}>"


@dataclass(frozen=True)
class Pilot:
    """A pilot's checked parameters and opened samples.

    Attributes:
        loaded: Parameters and policy.
        opened: The sample tables, where they have been opened already.
    """

    loaded: LoadedParameters
    opened: Samples | None = None

    @cached_property
    def samples(self) -> Samples:
        """The sample tables, opened."""
        return open_samples(self.loaded) if self.opened is None else self.opened

    @cached_property
    def decision(self) -> Decision:
        """Measure, value and decide; done once.

        A run whose report is issued counts its looks, and keeps its archive and the rows of what its controls found.
        """
        run = current_run(self.loaded.parameters.pilot)
        if run is None:
            return Decision(analyse(self.loaded, self.samples))
        decision = Decision(
            analyse(counted(self.loaded, self.samples.fingerprints, run.ledger), self.samples)
        )
        text = archive_text(decision.analysis, decision.record)
        (run.folder / MOMENTS).write_text(text, encoding="utf-8", newline="\n")
        if not (run.folder / FINDINGS).exists():  # each notebook of a run decides the same anew
            write_findings(decision.analysis.taken.controls, self.samples, run.folder / FINDINGS)
        return decision


def open_pilot(pilot: str | Path, **groups: object) -> Pilot:
    """Open a pilot by the name of its parameter file, or by its path.

    Args:
        pilot: Such as "claims_intake", or "params/claims_intake.yaml".
        groups: Top-level groups of the parameter file (samples, economics, …) that replace the file's; None means
            the file's own.

    Returns:
        The opened pilot.

    Raises:
        ParameterError: With everything that is wrong with the parameter file and the policy.
        SampleError: With everything that is wrong with the samples.
    """
    loaded = load_parameters(pilot, overrides=groups)
    run = current_run(loaded.parameters.pilot)
    if run is not None and run.record.is_file():
        return Pilot(
            loaded
        )  # the same run has read them for its record, which is most of what its other pages show
    return Pilot(loaded, open_samples(loaded))
