"""A pilot, opened: what notebooks and the command line hold in their hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from roi.analysis import Analysis, analyse, decide_taken
from roi.archive import MOMENTS, archive_text, read_archive
from roi.controls.findings_list import FINDINGS, write_findings
from roi.issue import Run, counted, current_run
from roi.json_object import read_object
from roi.ledger import record_sha256
from roi.made_with import file_sha256
from roi.parameters import LoadedParameters, load_parameters
from roi.pictures import Pictures
from roi.problems import InputError
from roi.record import build_record, canonical
from roi.samples import Samples, open_samples
from roi.taken_over import Former, Reading, former_of, keep_note, reading_of

__all__ = ["Decision", "Pilot", "open_pilot"]


@dataclass(frozen=True)
class Decision:
    """A pilot's decision: its record, and the arrays behind its pictures.

    Attributes:
        analysis: Draws, gates, options and the verdict, for whoever wants to take it apart.
        made: The record, where the same run has made it already.
        minutes: Cases by their minutes, as `roi.illustrate.minute_counts` gives them, where they were counted already.
    """

    analysis: Analysis
    made: Mapping[str, Any] | None = None
    minutes: Mapping[str, Sequence[int]] | None = None

    @cached_property
    def record(self) -> dict[str, Any]:
        """What decision.json holds."""
        return build_record(self.analysis) if self.made is None else dict(self.made)

    @cached_property
    def pictures(self) -> Pictures:
        """The arrays that pictures are drawn from."""
        from roi.illustrate import illustrate

        return illustrate(self.analysis, self.record, self.minutes)

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
        reading: What reading them rested on before anything was read; None unless a run wants to know.
        former: What the last run took of the same samples, which are not opened then unless somebody asks.
    """

    loaded: LoadedParameters
    opened: Samples | None = None
    reading: Reading | None = None
    former: Former | None = None

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
        if run.record.is_file() and (made := _decided_before(run)) is not None:
            return made
        decision, beside = self._taken_over(run) if self.former is not None else self._taken_anew(run)
        text = archive_text(decision.analysis, decision.record, beside)
        (run.folder / MOMENTS).write_text(text, encoding="utf-8", newline="\n")
        keep_note(run, self.reading, over=self.former is not None)
        return decision

    def _taken_anew(self, run: Run) -> tuple[Decision, dict[str, Any]]:
        """The decision on samples that are read now, and what else pages show of them."""
        from roi.illustrate import minute_counts

        a = analyse(counted(self.loaded, self.samples.fingerprints, run.ledger), self.samples)
        findings = run.folder / FINDINGS
        if not findings.exists():  # each notebook of a run decides the same anew
            write_findings(a.taken.controls, self.samples, findings)
        minutes = minute_counts(a)
        return Decision(a, minutes=minutes), {"minutes": minutes, "findings": file_sha256(findings)}

    def _taken_over(self, run: Run) -> tuple[Decision, dict[str, Any]]:
        """The same decision on what the last run took of the same samples."""
        assert self.former is not None
        taken, beside = self.former.taken, dict(self.former.beside)
        a = decide_taken(counted(self.loaded, taken.fingerprints, run.ledger), taken)
        return Decision(a, minutes=beside["minutes"]), beside


def _decided_before(run: Run) -> Decision | None:
    """What a former notebook of a run has decided, from its record and its archive; None where these do not do.

    The archive holds the record's hash, and its parameters and policy are held against theirs; where it withholds what
    was taken from the samples, they are read again.
    """
    record = read_object(run.record)
    if record is None:
        return None
    try:
        archive = read_archive(run.folder / MOMENTS)
        if archive.withheld is None and archive.content["record"] == record_sha256(record):
            return Decision(archive.analysis(), record)
    except (InputError, OSError, ValueError):
        return None
    return None


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
    reading = None if run is None else reading_of(loaded)
    if run is not None and (former := former_of(run, loaded, reading)) is not None:
        return Pilot(loaded, reading=reading, former=former)
    return Pilot(loaded, open_samples(loaded), reading=reading)
