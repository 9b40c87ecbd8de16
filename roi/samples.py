"""The samples of a pilot, opened: canonical tables that hold only rows that may be used, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from roi.approvals import unlogged_tools
from roi.blocks import Span
from roi.categories import UNKNOWN, Categories, settle_categories
from roi.checks import Checked, causes_without_loss, check_table, used_rows
from roi.copies import COPY, leave_copies
from roi.engine import blanks_of, fingerprints, forget, is_large, prepare, relations, roomy, start
from roi.exclusions import Exclusion
from roi.input_tables import Inputs, settle_inputs, unknown_inputs, with_defects
from roi.join_rates import JoinRate, join_rates, unmatched_cases
from roi.mapping import TableSpec, to_spec
from roi.numbered import declare, shown_of
from roi.parameters import LoadedParameters
from roi.periods import partial_month
from roi.places.opening import apart_words, tables_away
from roi.privacy import make_keys
from roi.problems import Problem, SampleError
from roi.raw_inputs import RawFields, hold_raw
from roi.readers.base import Connection, UnreadableError
from roi.relation import Relation
from roi.sample_joins import add_joins, add_prices, align_tables, with_key
from roi.sample_tables import ReadTable, Surroundings, UncastError, read_table
from roi.versions import gone_cases, keep_versions
from roi.views import lay_view
from roi.words import and_list, month_word

__all__ = ["Exclusion", "JoinRate", "Samples", "open_samples"]

FOLLOWING = {
    "actions": "action of a case that is left out",
    "inputs": "inputs of a case that is left out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """A pilot's samples.

    Attributes:
        tables: Canonical name → the table with canonical columns and types, and `row` (data row from 1, over all
            files).
        con: The DuckDB engine that holds them; None where there are no tables.
        exclusions: Rows left out, with reasons.
        left_later: Rows of the actuals left out: what came after a decision is none of what it rests on.
        undeclared_blanks: Minute column of `cases` → used rows in which it is blank, where neither `blank: zero` nor
            `missing` is declared.
        fingerprints: Source (files relative to the project, with forward slashes) → sha256.
        warnings: What a reader should know, a sentence each.
        join_rates: How many cases each other export matched, by arm and segment.
        unknown_costs: Why an agent cost is unknown → cases.
        unknown_cases: Table → rows whose case is not among the cases; a finding, not an error.
        selection: How people chose the cases they labelled: all, random, risk_based or unknown.
        inputs: What was made of the raw fields of the inputs; None without them.
        coded: Whether cases and actions go by numbers in place of pseudonyms, since they are many.
        once: Tables of which no two rows have the same key.
        spans: Table → from where to where its keys go, where they are numbers that lie close together.
        staying: Tables that stay in their database, of which no row has a number here.
        timezone: In which days begin and end; times themselves are naive UTC.
    """

    tables: Mapping[str, Relation]
    con: Any
    exclusions: tuple[Exclusion, ...] = ()
    left_later: tuple[Exclusion, ...] = ()
    undeclared_blanks: Mapping[str, int] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    join_rates: tuple[JoinRate, ...] = ()
    unknown_costs: Mapping[str, int] = field(default_factory=dict)
    unknown_cases: Mapping[str, int] = field(default_factory=dict)
    selection: str = "unknown"
    inputs: Inputs | None = None
    coded: bool = False
    once: frozenset[str] = frozenset()
    spans: Mapping[str, Span] = field(default_factory=dict)
    staying: frozenset[str] = frozenset()
    timezone: str = "UTC"

    @property
    def apart(self) -> bool:
        """Whether the cases stay in their database without the actions, so that the two are not joined."""
        return "cases" in self.staying and "actions" not in self.staying

    def text_of(self, key: str) -> str:
        """SQL of what is shown of a `case_id` or an `action_id`."""
        return shown_of(key, key.removesuffix("_id")) if self.coded else key


def open_samples(loaded: LoadedParameters, *, coded: bool = True) -> Samples:
    """Read, map and check all sample tables of a pilot.

    Args:
        loaded: The pilot's checked parameters.
        coded: Whether cases and actions may go by numbers where they are many, which other samples do not know.

    Returns:
        The tables, in an engine of their own that holds pseudonyms in place of names.

    Raises:
        SampleError: With every problem of every table. No message holds the text of a cell.
    """
    import duckdb

    con = start(large=(coded := coded and is_large(loaded)))
    try:
        return _Opening(loaded, con, coded=coded).samples()
    except SampleError:
        con.close()
        raise
    except duckdb.Error as error:
        con.close()
        # What the engine says may repeat a cell, so that only its kind is passed on.
        message = f"the engine cannot work with the samples ({type(error).__name__})"
        raise SampleError([Problem(loaded.name, "samples", message)]) from None


class _Opening:
    """The steps of opening, which share an engine and collect problems and warnings."""

    def __init__(self, loaded: LoadedParameters, con: Connection, *, coded: bool) -> None:
        self.loaded = loaded
        self.coded = coded
        self.given = loaded.parameters.samples
        self.con: Any = con
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.exclusions: list[Exclusion] = []
        self.raw: RawFields | None = None
        privacy = loaded.policy.privacy
        keys = make_keys(loaded.parameters.pilot, key_env=privacy.key_env)
        if privacy.key_env and not keys.stated:
            self.warnings.append(
                f"The environment has no variable {privacy.key_env}; pseudonyms rest on the pilot's name alone, "
                "which is weaker"
            )
        prepare(con, keys)
        for domain in ("case", "action") if coded else ():
            declare(con, domain, None)
        self.specs = self._specs()
        self.away = tables_away(loaded, self.specs, self._around(), keys)
        self.con = con if self.away is None else self.away.con
        self.staying = frozenset() if self.away is None else frozenset(self.away.reads)

    def samples(self) -> Samples:
        reads = self._read()
        checked = {name: check_table(self.con, read) for name, read in reads.items()}
        if self.away is not None:
            reads, checked = {**self.away.reads, **reads}, {**self.away.checked, **checked}
        for look in checked.values():
            self.problems += look.problems
            self.warnings += look.warnings
        lacking = "cases" not in reads and "aggregates" not in reads
        if lacking or any(look.problems for look in checked.values()):
            raise SampleError(self.problems)
        keep = {name: self._keep(read, checked[name]) for name, read in reads.items()}
        if "aggregates" in reads:
            return self._without_cases(reads, keep)
        if self.away is None:
            reads = align_tables(self.con, reads, self.warnings)
        joined = add_joins(self.con, reads["cases"], self._around(), self.problems, self.warnings)
        reads["cases"] = joined.cases
        keep["cases"] = self._whole_months(reads["cases"], keep["cases"])
        self._follow_cases(reads, keep)
        # After the joins, so that what they bring is looked at, too.
        categories = settle_categories(
            self.con, reads, keep, self.loaded, min_group=self.loaded.policy.privacy.min_group
        )
        self.problems += categories.problems
        self.warnings += categories.warnings
        if self.problems:
            raise SampleError(self.problems)
        rates = join_rates(self.con, joined, categories)
        self.warnings += unmatched_cases(
            self.con, joined, categories, keep["cases"], min_group=self.loaded.policy.privacy.min_group
        )
        cases, unknown = add_prices(self.con, joined.cases, keep["cases"], self.given.prices)
        if checked["cases"].zero_costs:
            unknown = {"a cost of 0 is logged beside tokens": checked["cases"].zero_costs, **unknown}
        self.warnings += [
            f"The agent's cost is unknown in {n:,} {'case' if n == 1 else 'cases'}: {why}"
            for why, n in unknown.items()
        ]
        reads["cases"] = cases
        inputs = self._inputs(reads, keep, categories)
        for name, read in reads.items():
            self._view(name, read, keep[name], categories)
        self.warnings += causes_without_loss(self.con, reads["cases"].columns)
        tables = relations(self.con, reads)
        self.warnings += unlogged_tools(self.con, tables.get("actions"), self.loaded.policy.high_risk_tools)
        prints = fingerprints(self.con, reads)
        unknown_cases = self._unknown_cases(reads, keep)
        self.warnings += apart_words(reads.keys() - self.staying) if self.staying else []
        blanks = blanks_of(self.con, cases)
        forget(self.con)
        return Samples(
            tables=tables,
            con=self.con,
            exclusions=tuple(x for x in self.exclusions if x.table != "actuals"),
            left_later=tuple(x for x in self.exclusions if x.table == "actuals"),
            undeclared_blanks=blanks,
            fingerprints=prints,
            warnings=tuple(self.warnings),
            join_rates=tuple(rates),
            unknown_costs=unknown,
            unknown_cases=unknown_cases,
            selection=self.given.labels.selection,
            inputs=inputs,
            coded=self.coded,
            once=frozenset(name for name, look in checked.items() if look.once),
            spans={name: read.span for name, read in reads.items() if read.span is not None},
            staying=self.staying,
            timezone=self.given.timezone or "UTC",
        )

    def _without_cases(self, reads: dict[str, ReadTable], keep: Mapping[str, str]) -> Samples:
        """The samples of a pilot of which there is only a report: no case to join, to price or to follow."""
        categories = settle_categories(
            self.con, reads, keep, self.loaded, min_group=self.loaded.policy.privacy.min_group
        )
        if problems := [*self.problems, *categories.problems]:
            raise SampleError(problems)
        inputs = self._inputs(reads, keep, categories)
        for name, read in reads.items():
            self._view(name, read, keep[name], categories)
        prints = fingerprints(self.con, reads)
        forget(self.con)
        return Samples(
            tables=relations(self.con, reads),
            con=self.con,
            exclusions=tuple(x for x in self.exclusions if x.table != "actuals"),
            left_later=tuple(x for x in self.exclusions if x.table == "actuals"),
            fingerprints=prints,
            warnings=(*self.warnings, *categories.warnings),
            selection=self.given.labels.selection,
            inputs=inputs,
            timezone=self.given.timezone or "UTC",
        )

    def _inputs(
        self, reads: dict[str, ReadTable], keep: Mapping[str, str], categories: Categories
    ) -> Inputs | None:
        """Judge the raw fields; cases that have no number of defects get it from them."""
        if self.raw is None or "inputs" not in reads:
            return None
        zone = (self.given.inputs.timezone if self.given.inputs else None) or self.given.timezone or "UTC"
        cases = reads.get("cases") if self.away is None else None
        found = settle_inputs(self.con, reads["inputs"], cases, keep, self.raw, categories, timezone=zone)
        if cases is not None and found.fills:
            self.warnings.append(found.in_words())
            reads["cases"] = with_defects(self.con, cases, found)
        return found

    def _around(self) -> Surroundings:
        return Surroundings(
            con=self.con,
            project=self.loaded.project,
            folder=self.loaded.path.parent,
            file=self.loaded.name,
            timezone=self.given.timezone or "UTC",
            currency=self._currency,
            prices=self.given.prices,
            coded=self.coded,
            words={"segment": (UNKNOWN,), "cost_currency": (self._currency,) if self._currency else ()},
        )

    @property
    def _currency(self) -> str | None:
        return self.loaded.parameters.about.currency if self.loaded.parameters.about else None

    def _specs(self) -> dict[str, TableSpec]:
        specs = {name: to_spec(name, given, f"samples.{name}") for name, given in self.given.tables().items()}
        if {"cases", "actions"} <= specs.keys():
            specs["actions"] = with_key(specs["actions"], specs["cases"])
        return specs

    def _read(self) -> dict[str, ReadTable]:
        reads: dict[str, ReadTable] = {}
        of_joins: list[str] = []
        for name, spec in self.specs.items():
            if name in self.staying:
                continue
            also = [column for join in spec.joins for column in (*join.take, *join.rows.columns)]
            of_joins = also if name == "cases" else of_joins
            try:
                with roomy(self.con, large=self.coded):
                    reads[name] = read_table(spec, self._around(), name=f"t_{name}", also=also)
            except UnreadableError as error:
                self.problems += error.problems
                if isinstance(error, UncastError):
                    self.problems += check_table(self.con, error.read).problems
                continue
            rows = reads[name].rows
            if name == "inputs" and self.given.inputs is not None:
                known = [*reads["cases"].columns, *of_joins] if "cases" in reads else []
                self.raw, wrong = hold_raw(
                    self.con, reads[name], self.given.inputs.fields, file=self.loaded.name, case_columns=known
                )
                self.problems += wrong
            self.warnings += rows.warnings
            self.exclusions += [Exclusion(table=name, reason=why, rows=n) for why, n in rows.left_out.items()]
        return reads

    def _keep(self, read: ReadTable, look: Checked) -> str:
        """SQL that is true of the rows that may be used, the others counted."""
        name = read.spec.table
        if look.empty:
            self.exclusions.append(Exclusion(table=name, reason="wholly blank row", rows=look.empty))
        if look.keyless:
            key = "case_id" if name != "actions" else "action_id"
            named = read.bit("empty") | read.bit("total")
            self._exclude(read, f"no {key}", f"(flags_ & {named}) = 0 and {key} is null")
        if read.set_flags & read.bit("total"):
            self._exclude(read, "totals row", f"(flags_ & {read.bit('total')}) <> 0")
        keep = used_rows(read)
        if name == "cases" and "version" in read.columns:
            wanted = (
                (self.given.version,) if isinstance(self.given.version, str) else tuple(self.given.version)
            )
            kept = keep_versions(self.con, read, keep, wanted, self.loaded.name)
            self.problems += kept.problems
            for reason, condition in kept.excluded:
                self._exclude(read, reason, condition)
            keep = kept.keep
        if look.doubled:
            left = leave_copies(self.con, read, keep)
            self._exclude(read, COPY, left.copies)
            self.problems += left.problems
            keep = left.keep
        return keep

    def _whole_months(self, read: ReadTable, keep: str) -> str:
        """Leave out a last month that is not over, unless the file keeps it."""
        if self.given.partial_months == "keep" or "started_at" not in read.columns:
            return keep
        live = f"{keep} and setting is distinct from 'demo'" if "setting" in read.columns else keep
        found = partial_month(self.con, read.name, live, self.given.timezone or "UTC")
        if found is None:
            return keep
        counts = and_list(f"{n:,} {arm}" for arm, n in sorted(found.rows.items()))
        self.warnings.append(
            f"{month_word(found.month)} is not over and is left out ({counts} cases): its newest case is of "
            f"{found.newest.isoformat()}, and the months before it hold more (samples.partial_months: keep counts it)"
        )
        late = f"started_at >= timestamp '{found.start}'"
        reason = f"{month_word(found.month)} is not over (samples.partial_months)"
        self._exclude(read, reason, f"{live} and {late}")
        return f"{keep} and not coalesce(({live}) and {late}, false)"

    def _is_beside(self, name: str) -> bool:
        """Whether a table lies where the cases do, so that the two can be joined."""
        return not self.staying or name in self.staying

    def _follow_cases(self, reads: Mapping[str, ReadTable], keep: dict[str, str]) -> None:
        """Leave out the actions and inputs of cases that are left out, such as those of earlier versions."""
        following = [name for name in FOLLOWING if self._is_beside(name)]
        gone = gone_cases(self.con, reads["cases"], keep["cases"]) if following else ""
        for name in following if gone else ():
            reason = FOLLOWING[name]
            if name in reads and "case_id" in reads[name].columns:
                self._exclude(reads[name], reason, f"{keep[name]} and {gone}")
                # A row that names no case follows none: it stays, and is counted among those of no known case.
                keep[name] = f"{keep[name]} and not coalesce({gone}, false)"

    def _exclude(self, read: ReadTable, reason: str, condition: str) -> None:
        arm = "arm" if "arm" in read.columns else "null"
        counts = self.con.execute(
            f"select {arm}, count(*) from {read.name} where {condition} group by 1 order by 1"
        ).fetchall()
        table = read.spec.table
        self.exclusions += [Exclusion(table=table, reason=reason, rows=int(n), arm=arm) for arm, n in counts]

    def _view(self, name: str, read: ReadTable, keep: str, categories: Categories) -> None:
        if name != "inputs":  # has its own already, of what its fields were found to be
            lay_view(self.con, name, read, keep, categories, currency=self._currency)

    def _unknown_cases(self, reads: Mapping[str, ReadTable], keep: Mapping[str, str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for name in FOLLOWING:
            if name not in reads or not self._is_beside(name):
                continue
            if name == "inputs":  # those of a demo may be of cases that nobody timed
                n = unknown_inputs(self.con)[0]
            else:
                among = f"select case_id from {reads['cases'].name} where case_id is not null"
                lost = "case_id is null" + ("" if reads[name].known else f" or case_id not in ({among})")
                (n,) = self.con.execute(
                    f"select count(*) from {reads[name].name} where {keep[name]} and ({lost})"
                ).fetchall()[0]
            if n:
                found[name] = int(n)
                belong = f"row of {name} belongs" if n == 1 else f"rows of {name} belong"
                self.warnings.append(f"{n:,} {belong} to no case of the sample")
        return found
