"""One pilot in a process of its own: its notebooks, its record, its pages."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

__all__ = ["Job", "Report", "run_job", "since_before", "work", "work_forked"]

TAKEN_OVER = (
    "decided again on what the last run took of the samples: they, and all that reading them rests on, are the same "
    "(--force reads them anew)"
)
READS = "; only the page of the operation has read them"
OPERATION = "6_operate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker is asked to do.

    Attributes:
        pilot: Name of the pilot.
        parameters: What the notebooks get, by parameter.
        project: The project folder.
        notebooks: Paths of the notebooks, in order.
        folder: Where the files go; nothing outside is written.
        timeout: Seconds that a notebook may take, and any one cell of it.
        memory: Bytes of memory of its own that a notebook may take; None for no limit.
        before: The pilot's report folder as it stands, whose record the new one is held against; None for none.
        ledger: The ledger in which the record will be entered; None for none.
        pdf: Whether the pages are written as PDF, too.
        anew: Whether the samples are read, whatever was taken of them before.
    """

    pilot: str
    parameters: Mapping[str, Any]
    project: Path
    notebooks: tuple[Path, ...]
    folder: Path
    timeout: float = 600.0
    memory: int | None = None
    before: Path | None = None
    ledger: Path | None = None
    pdf: bool = False
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a worker answers.

    Attributes:
        ok: Whether every file is there.
        why: What went wrong, for a reader.
        is_input: Whether the inputs need mending.
        notebook: Which notebook failed.
        stopped: Whether somebody stopped it, which is nobody's failure.
        is_lost: Whether it ended with the server that it was forked from, which may be another one's fault.
        notes: What else a user should know.
    """

    ok: bool
    why: str = ""
    is_input: bool = False
    notebook: str = ""
    stopped: bool = False
    is_lost: bool = False
    notes: tuple[str, ...] = field(default=())


def run_job(job: Job, tell: Any = None) -> Report:
    """Run a pilot's notebooks and write its files into `job.folder`.

    Args:
        job: What to run.
        tell: Called with a word on what is being done.
    """
    from roi.batch.engine import NotebookError, execute
    from roi.issue import Run, issuing
    from roi.made_with import taken_note
    from roi.problems import InputError

    before = None if job.anew else job.before
    run = (
        None
        if job.ledger is None
        else Run(pilot=job.pilot, folder=job.folder, ledger=job.ledger, before=before)
    )
    say = tell or (lambda _: None)
    name, notes = "", dict[str, None]()
    try:
        for notebook in job.notebooks:
            name = notebook.stem
            say(name)
            with issuing(run):
                done = execute(
                    notebook,
                    job.folder / notebook.name,
                    job.parameters,
                    project=job.project,
                    timeout=job.timeout,
                    memory=job.memory,
                    tell=lambda note: notes.setdefault(note),
                )
            _write_outputs(job, notebook, done)
        _write_pdf(job, say)
        note = taken_note(job.folder) or {}
        if note.get("over"):
            reads = "" if note.get("asked_over") or name != OPERATION else READS
            notes[f"{TAKEN_OVER}{reads}"] = None
    except NotebookError as failure:
        lost = failure.kind == "ServerLostError"
        why = failure.why if failure.is_input else f"{name}: {failure.why}"
        return Report(ok=False, why=why, is_input=failure.is_input, is_lost=lost, notebook=name)
    except InputError as error:
        return Report(ok=False, why=str(error), is_input=True, notebook=name)
    return Report(ok=True, notes=tuple(notes))


def _write_pdf(job: Job, say: Any) -> None:
    """The pages as PDF, once no later notebook has anything to add to one."""
    if job.pdf:
        from roi.report.pdf import write_pdfs

        say("PDF")
        write_pdfs(job.folder)


def _write_outputs(job: Job, notebook: Path, done: Any) -> None:
    from roi.batch.engine import NotebookError
    from roi.batch.outputs import read_record, record_text
    from roi.controls.access_list import Proposal, as_csv
    from roi.ledger import read_ledger, record_sha256, signatures
    from roi.operating import OPERATING, operating_text
    from roi.report.one_worth import running_said
    from roi.report.page import (
        OPERATION,
        beside_of,
        notebook_record,
        operation_said,
        page_of,
        render,
        since_decided,
        write_whole,
    )

    record = notebook_record(done)
    is_business_case = notebook.stem == "2_decide"
    moved = ""
    if is_business_case:
        if record is None:
            raise NotebookError("NoRecord", "The notebook ran to its end without showing a decision.")
        if job.ledger is not None:  # the same record may have been signed before
            record["signed"] = signatures(read_ledger(job.ledger), record_sha256(record))
        write_whole(job.folder / "decision.json", record_text(record))
        if rights := (record.get("controls") or {}).get("access_proposed"):
            proposed = as_csv([Proposal(**right) for right in rights])
            write_whole(job.folder / "access_proposed.csv", proposed)
        moved = since_before(job.before, record)
    about = record or read_record(job.folder)
    names = [other.stem for other in job.notebooks]
    beside = beside_of(names, issued=job.ledger is not None, pdf=job.pdf)
    signed = (about or {}).get("signed") or []
    page = job.folder / page_of(notebook.stem)
    own = signed if is_business_case else []
    render(job.folder / notebook.name, page, since=moved, signed=own, about=about, beside=beside)
    if notebook.stem == OPERATION and about is not None:
        said, lead, runs = since_decided(job.folder), operation_said(job.folder), ""
        if lead is not None:
            write_whole(job.folder / OPERATING, operating_text(lead))
            runs = running_said(lead["months"], about)
            lead = None if lead["action"] == "continue" else lead  # months alone lead no page
        # The pages before were drawn before anybody had looked at what came in since.
        for other in job.notebooks if said or runs or lead else ():
            drawn = job.folder / other.name
            if other.stem == OPERATION or not drawn.is_file() or not (lead or other.stem == "2_decide"):
                continue
            is_case = other.stem == "2_decide"
            moved = " ".join(x for x in (said, since_before(job.before, about)) if x and is_case)
            render(
                drawn,
                job.folder / page_of(other.stem),
                since=moved,
                runs=runs if is_case else "",
                lead=lead,
                signed=signed if is_case else [],
                about=about,
                beside=beside,
            )


def since_before(folder: Path | None, record: dict[str, Any]) -> str:
    """What moved since the record that is replaced, in a sentence; empty where there is none."""
    from roi.diff import compare
    from roi.records import previous_record
    from roi.signing import of_before

    before = None if folder is None else previous_record(folder, record)
    if before is None or before.get("pilot") != record.get("pilot"):
        return ""
    moved = str(compare(before, record)["since"])
    return " ".join(text for text in (moved, of_before(before, record.get("as_of"))) if text)


def work(job: Job, answers: Connection) -> None:
    """The body of a worker process.

    Args:
        job: What to run.
        answers: Where to say what is being done (texts) and at the end the report.
    """
    if hasattr(os, "setsid") and os.getpgid(0) != os.getpid():
        os.setsid()
    # Kernels keep their files here: short, since the path of a socket may have some 100 characters only.
    runtime = tempfile.mkdtemp(prefix="roi-")
    for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR"):
        os.environ[name] = runtime
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"

    def stop(_: int, __: Any) -> None:
        raise SystemExit(1)

    signal.signal(signal.SIGTERM, stop)
    try:
        answers.send(run_job(job, answers.send))
    except SystemExit:
        raise
    except OSError as error:  # a full disk, say; what it names may be a path of this machine
        answers.send(Report(ok=False, why=f"{error.strerror or type(error).__name__}."))
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        answers.send(Report(ok=False, why=f"{why}. This is a fault of the program."))
    finally:
        answers.close()
        shutil.rmtree(runtime, ignore_errors=True)


def work_forked(job: Job, descriptor: int, *, status: Any) -> None:
    """The body of a worker process that was forked.

    Args:
        job: What to run.
        descriptor: Of the connection for its answers.
        status: Where it could say that it is ready; nobody waits for that.
    """
    work(job, Connection(descriptor, readable=False))
