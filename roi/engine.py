"""The engine that holds a pilot's samples: it looks nothing up outside, and keeps nothing that need not stay."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from roi.canonical import CANONICAL
from roi.coded import drop_raw_words
from roi.parameters import LoadedParameters
from roi.privacy import Keys
from roi.problems import Problem, SampleError
from roi.readers.base import Connection, UnreadableError, literal, quoted
from roi.readers.files import SMALL, find_files, unbound, weigh
from roi.relation import Relation
from roi.schema.tables import MINUTE_COLUMNS

if TYPE_CHECKING:
    from roi.sample_tables import ReadTable

__all__ = [
    "MEMORY",
    "blanks_of",
    "fingerprints",
    "forget",
    "is_large",
    "prepare",
    "relations",
    "roomy",
    "start",
    "widen",
]

MEMORY = "ROI_ENGINE_MEMORY"
"""Environment variable: the most memory that an engine takes for rows; what is more lies in a temporary folder."""

_EACH = 130  # MB of memory for each processor, at least two, of what is large
# MB while its tables are made: with less beside what is held of the first, the engine makes the second on one processor
# alone, so that rows stay in their order.
_EACH_MAKING = 160
_FEW_WORDS = 20  # of a column, all of which a comparison of its codes may name
_SPARED = (
    "column_lifetime",
    "common_aggregate",
    "common_subexpressions",
    "compressed_materialization",
    "duplicate_groups",
    "join_filter_pushdown",
    "late_materialization",
    "sampling_pushdown",
    "statistics_propagation",
    "sum_rewriter",
)
"""What makes a query of many rows quicker, and one of few slower: none of it turns a long way into a short one."""

_CODED = (".parquet", ".pq", ".csv", ".tsv", ".txt", ".tab", ".psv", ".gz")


def is_large(loaded: LoadedParameters) -> bool:
    """Whether a pilot's samples are held in codes and in a file: cases in large files, and nothing to join them with.

    Args:
        loaded: The pilot's checked parameters.
    """
    given = loaded.parameters.samples
    if given.cases is None or given.cases.join or given.inputs is not None:
        return False
    weight = 0
    for table in (given.cases, given.actions):
        if table is None:
            continue
        if table.format is not None or not table.source.file:
            return False
        try:
            found = find_files(
                table.source.file, project=loaded.project, folder=loaded.path.parent, file="", place=""
            )
        except UnreadableError:
            return False  # which reading tells of
        if any(name.path.suffix.lower() not in _CODED for name in found):
            return False
        weight += weigh(found)
    return weight > SMALL


def start(*, large: bool = False) -> Connection:
    """An engine with one thread and short plans, which is what small samples are read and asked soonest with.

    Waking others for each of some two hundred questions, and looking for the best way through a few hundred rows, costs
    more than it then saves; a large source gives the engine both back (`roi.readers.files.give_threads`). No result
    depends on them.

    Args:
        large: Whether the tables lie in a file that only this user can read, has no name from then on, and so is gone
            with the process; and whether memory is bounded even where nobody states by how much.
    """
    import duckdb

    most = os.environ.get(MEMORY, "").strip()
    if not most and not large:
        return _brief(duckdb.connect(config={"threads": 1}))
    # What does not fit lies in files of this process's own folder, which goes with the engine.
    folder = tempfile.mkdtemp(prefix="roi-engine-")
    most = most or _bound(_EACH)
    try:
        con = duckdb.connect(f"{folder}/samples" if large else ":memory:", config={"threads": 1})
        with suppress(OSError):  # where a file that is open cannot be taken away, it goes with the folder
            os.unlink(f"{folder}/samples")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    if most:
        try:
            con.execute(f"set temp_directory = {literal(folder)}; set memory_limit = {literal(most)}")
        except duckdb.Error:
            con.close()
            message = "is no amount of memory; write 400MB, say, or leave it away"
            raise SampleError([Problem("environment", MEMORY, message)]) from None
    return con if large else _brief(con)


def _brief(con: Connection) -> Connection:
    """The engine without what it should spare itself; another version may not know all of it."""
    known = {name for (name,) in con.execute("select name from duckdb_optimizers()").fetchall()}
    con.execute(f"set disabled_optimizers = {literal(','.join(name for name in _SPARED if name in known))}")
    return con


def _bound(each: int) -> str:
    return f"{each * max(os.cpu_count() or 1, 2)}MB"


@contextmanager
def roomy(con: Connection, *, large: bool) -> Iterator[None]:
    """Some more memory for an engine that makes a large table, where nobody stated how much it may take."""
    more = large and not os.environ.get(MEMORY, "").strip()
    if more:
        con.execute(f"set memory_limit = '{_bound(_EACH_MAKING)}'")
    yield
    if more:  # what fails closes the engine
        con.execute(f"set memory_limit = '{_bound(_EACH)}'")


def widen(con: Connection) -> bool:
    """Take the bound off an engine's memory, and say whether that was done: what somebody stated stays."""
    if os.environ.get(MEMORY, "").strip():
        return False
    unbound(con)
    return True


def prepare(con: Connection, keys: Keys) -> None:
    """Give the engine its settings and the keys of pseudonyms."""
    # No name in a query is ever looked up among Python's variables.
    con.execute("set python_enable_replacements = false")
    con.execute("set TimeZone = 'UTC'; set preserve_insertion_order = true; set enable_progress_bar = false")
    con.execute("set autoinstall_known_extensions = false; set autoload_known_extensions = false")
    for domain, key in keys.by_domain.items():
        con.execute(f"set variable key_{domain} = {literal(key)}")


def forget(con: Connection) -> None:
    """Leave nothing in the engine but the canonical tables, no cell that was read for them; and what keys begin with,
    where they are held as numbers."""
    tables = con.execute(
        "select table_name from duckdb_tables() where not regexp_matches(table_name, '^[td]_')"
    ).fetchall()
    for (name,) in tables:
        con.execute(f"drop table if exists {quoted(name)}")
    drop_raw_words(con)


def fingerprints(con: Connection, reads: Mapping[str, ReadTable]) -> dict[str, str]:
    """Source → sha256 of its bytes; of a source that is no file, of what was read of it.

    Actuals have none: they come after a decision, month by month, and a record that was signed must stay what it was.
    """
    prints: dict[str, str] = {}
    for name, read in reads.items():
        if name == "actuals":
            continue
        prints.update(read.rows.fingerprints)
        if not read.rows.fingerprints:
            columns: Collection[str] = read.columns
            if name == "inputs":  # whose fields are no columns of ours
                columns = [c[0] for c in con.execute("from inputs limit 0").description or []]
            cells = ", ".join(f"coalesce({quoted(c)}::varchar, chr(30))" for c in columns)
            text = f"concat_ws(chr(31), {cells})"
            digest = con.execute(
                f"select sha256(string_agg(t, chr(10) order by t)) from (select {text} as t from {quoted(name)})"
            ).fetchall()[0][0]
            prints[read.rows.label] = str(digest)
    return dict(sorted(prints.items()))


def relations(con: Connection, names: Iterable[str]) -> dict[str, Relation]:
    """The engine's tables and views of these names, with their columns."""
    found = {}
    for name in names:
        shown = con.execute(f"select * from {quoted(name)} limit 0").description or []
        kinds = {c[0]: c[1] if len(c) > 1 else None for c in shown}  # elsewhere there are no codes
        # Of people there is nothing to compare.
        worded = [c for c, column in CANONICAL[name].items() if c in kinds and column.kind != "worker"]
        codes = {column: words for column in worded if (words := _words_of(kinds[column]))}
        found[name] = Relation.named(name, tuple(kinds), codes)
    return found


def _words_of(kind: Any) -> tuple[str, ...]:
    """The words of a type of codes, if they are few."""
    if getattr(kind, "id", None) != "enum":
        return ()
    ((_, words),) = kind.children
    return tuple(words) if len(words) <= _FEW_WORDS else ()


def blanks_of(con: Connection, cases: ReadTable) -> dict[str, int]:
    """Minute column of the cases → rows in which it is blank, where nobody declared what that means."""
    declared = {m.name for m in cases.maps if m.blank is not None or m.constant is not None}
    names = [c for c in MINUTE_COLUMNS if c in cases.columns and c not in declared]
    if not names:
        return {}
    counts = con.execute(
        f"select {', '.join(f'count(*) filter ({c} is null)' for c in names)}, count(*) from cases"
    ).fetchall()[0]
    return {c: int(n) for c, n in zip(names, counts, strict=False) if 0 < n < counts[-1]}
