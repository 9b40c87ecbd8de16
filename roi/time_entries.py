"""Several time entries a case: what overlaps, was left running or is rounded is counted and said, never guessed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from roi.mapping import ColumnMap, JoinSpec
from roi.readers.base import Connection, literal, quoted
from roi.sample_tables import ReadTable

__all__ = ["OUT", "Settled", "drop_negative", "settle_entries", "with_times"]

OUT = "out_"
"""A column of the settled table: whether an entry is left out of the sums."""

_OVERNIGHT = 480  # minutes over midnight that nobody works on one case
_FAR = 10  # times the 90th percentile of an export's entries
_AT_LEAST = 120  # minutes, up to which an entry may be long among short ones
_SWAPPED = 0.2  # share of entries ending before they start that is no slip but a mix-up of columns
_FEWEST = 20  # entries, below which rounding cannot be told from chance
_SURE = 4.0  # standard errors above chance


@dataclass(frozen=True, slots=True)
class Settled:
    """Time entries, ready to be summed.

    Attributes:
        other: The table; entries that cannot be right have no minutes, and `out_` says which are left out.
        warnings: What was found, a sentence each.
    """

    other: ReadTable
    warnings: tuple[str, ...] = ()


def summed_minutes(join: JoinSpec) -> list[str]:
    """The minute columns of which several rows of a case are summed."""
    return [name for name, how in join.take.items() if how == "sum" and name.endswith("_minutes")]


def with_times(join: JoinSpec, columns: dict[str, ColumnMap]) -> dict[str, ColumnMap]:
    """The columns of time entries, with start and end where minutes are made from them."""
    summed = [columns[name] for name in summed_minutes(join) if name in columns]
    between = [m for m in summed if m.between]
    if len(between) != 1 or len(summed) != 1:
        return columns
    start, end = between[0].sources
    times = {"started_at": start, "ended_at": end}
    return {**{n: ColumnMap(name=n, sources=(s,)) for n, s in times.items()}, **columns}


def drop_negative(con: Connection, other: ReadTable, join: JoinSpec) -> Settled:
    """Entries that end before they start lose their minutes, unless they are so many that columns are swapped.

    Args:
        con: The engine.
        other: The entries as they were read.
        join: What is taken of them.
    """
    summed = summed_minutes(join)
    if not summed:
        return Settled(other)
    broken = " or ".join(f"coalesce({quoted(m)} < 0, false)" for m in summed)
    timed = _timed(other, summed)
    if timed:
        broken = f"({broken} or coalesce(ended_at < started_at, false))"
    n, total, rows = con.execute(
        f"select count(*) filter ({broken}), count(*), (select list(r) from (select rowid + 1 as r from {other.name} "
        f"where {broken} order by 1 limit 3)) from {other.name}"
    ).fetchall()[0]
    if not n or n > _SWAPPED * total:
        return Settled(other)
    lost = [*summed, *(("started_at", "ended_at") if timed else ())]
    gone = ", ".join(f"case when not ({broken}) then {quoted(c)} end as {quoted(c)}" for c in lost)
    name = f"{other.name}_n"
    con.execute(
        f"create or replace table {name} as select * replace ({gone}) from {other.name} order by rowid"
    )
    end = "entries ends before it starts" if n == 1 else "entries end before they start"
    found = f"{other.rows.label}: {n:,} of {total:,} time {end} ({_rows(rows)}); {_fate(join, 'blank')}"
    return Settled(replace(other, name=name), (found,))


def settle_entries(
    con: Connection, cases: ReadTable, other: ReadTable, join: JoinSpec, *, timezone: str
) -> Settled:
    """Make time entries ready to be summed, and say what was odd about them.

    An entry is too long beyond `join.longest` minutes (a stated `cap` that is longer holds instead), or if it runs over
    midnight for more than eight hours and no cap is stated. Overlapping parts of entries of a case count once; of each
    person, where the entries name people. Entries over midnight that are shorter, and such as are far longer than the
    others, stay in the sums and are named.

    Args:
        con: The engine.
        cases: The cases; only entries of these are counted.
        other: The entries, without negative ones.
        join: What is taken of them, and what becomes of those that cannot be right.
        timezone: Whose midnight counts.

    Source:
        Rounding to a width w adds w²/12 to the variance of an entry (Sheppard 1898, Proc. London Math. Soc. 29:353).
    """
    summed = summed_minutes(join)
    if not summed:
        return Settled(other)
    look = _Look(con, cases, other, join, summed, timezone)
    return look.settled()


class _Look:
    """One look at the entries: its parts share names and counts."""

    def __init__(
        self,
        con: Connection,
        cases: ReadTable,
        other: ReadTable,
        join: JoinSpec,
        summed: Sequence[str],
        timezone: str,
    ) -> None:
        self.con, self.other, self.join, self.summed = con, other, join, summed
        self.keys = ", ".join(join.on)
        self.ours = (
            f"exists (select 1 from {cases.name} c where {' and '.join(f'c.{k} = o.{k}' for k in join.on)})"
        )
        self.timed = _timed(other, summed)
        self.who = "worker" in other.columns and "worker" not in join.on
        caps = [float(m.cap) for m in other.maps if m.name in summed and m.cap is not None]
        self.capped = bool(caps)
        self.longest = max([join.longest, *caps]) if len(caps) < len(summed) else max(caps)
        self.midnight = self.timed and not caps
        self.zone = literal(timezone)
        self.minutes = " + ".join(f"coalesce({quoted(m)}, 0)" for m in summed)
        self.warnings: list[str] = []

    def settled(self) -> Settled:
        name = f"{self.other.name}_e"
        blank = f"coalesce({', '.join(quoted(m) for m in self.summed)}) is null"
        long = f"({self.minutes}) > {self.longest:g}::decimal(18,6)"
        over = "false"
        if self.timed:
            over = f"coalesce({self._local('started_at')}::date <> {self._local('ended_at')}::date, false)"
        if self.midnight:
            long = f"({long} or ({over} and ({self.minutes}) > {_OVERNIGHT}))"
        self.con.execute(
            f"create or replace table seen as select o.*, rowid as row_, {self.minutes} as minutes_, "
            f"({blank}) as blank_, not ({blank}) and {long} as long_, {self.ours} as ours_, {over} as over_ "
            f"from {self.other.name} o where {' and '.join(f'{k} is not null' for k in self.join.on)}"
        )
        self._count()
        how = self.join.unusable
        out = "blank_ or long_" if how == "leave_out" else "false"
        kept = self._uncovered() if self.timed else "1"
        values = []
        for m in self.summed:
            capped = f"least({quoted(m)}, {self.longest:g}::decimal(18,6))" if how == "cap" else "null"
            share = f"round({quoted(m)}::double * {kept}, 6)::decimal(18,6)"
            own = f"case when {kept} < 1 then {share} else {quoted(m)} end" if self.timed else quoted(m)
            values.append(f"(case when long_ then {capped} else {own} end)::decimal(18,6) as {quoted(m)}")
        self.con.execute(
            f"create or replace table {name} as select * exclude (row_, minutes_, blank_, long_, ours_, over_) "
            f"replace ({', '.join(values)}), ({out}) as {OUT} from seen order by row_"
        )
        self.con.execute("drop table seen; drop table if exists covered")
        return Settled(replace(self.other, name=name), tuple(self.warnings))

    def _local(self, column: str) -> str:
        return f"timezone({self.zone}, timezone('UTC', {column}))"

    def _uncovered(self) -> str:
        """SQL of the share of an entry that no earlier entry of the same case (and person) covers."""
        person = ", worker" if self.who else ""
        # What was cut to a stated cap covers no more than that.
        ended = "epoch_us(ended_at)"
        if self.capped:
            cut = f"epoch_us(started_at) + ({self.longest:g}::double * 60000000)::bigint"
            ended = f"case when minutes_ >= {self.longest:g} then least({ended}, {cut}) else {ended} end"
        self.con.execute(
            "create or replace table covered as select row_, minutes_, ours_, "
            "greatest(0, e - greatest(s, coalesce(before, s)))::double / (e - s) as share from "
            f"(select *, max(e) over (partition by {self.keys}{person} order by s, e, row_ "
            "rows between unbounded preceding and 1 preceding) as before from "
            f"(select *, epoch_us(started_at) as s, {ended} as e from seen "
            "where not blank_ and not long_ and ended_at > started_at))"
        )
        n, minutes, rows = self.con.execute(
            "select count(*), sum(minutes_::double * (1 - share) order by row_), "
            "(select list(r) from (select row_ + 1 as r from covered where ours_ and share < 1 order by 1 limit 3)) "
            "from covered where ours_ and share < 1"
        ).fetchall()[0]
        if n:
            overlap = "entry overlaps" if n == 1 else "entries overlap"
            of = "of the same case and person" if self.who else "of the same case"
            self._say(
                f"{n:,} time {overlap} an earlier one {of} ({_rows(rows)}); "
                f"the {minutes:,.0f} minutes that overlap count once"
            )
        return "coalesce((select share from covered x where x.row_ = seen.row_), 1)"

    def _count(self) -> None:
        per_case = f"select count(distinct ({self.keys})) from seen where ours_"
        several = "false" if not self.who else "people > 1"
        people = "count(distinct worker)" if self.who else "1"
        found = self.con.execute(
            "select count(*), count(*) filter (blank_), count(*) filter (long_), "
            "count(*) filter (not blank_ and minutes_ = 0), "
            f"({per_case}), ({per_case} and blank_), ({per_case} and long_), "
            f"(select count(*) filter ({several}) from (select {people} as people from seen where ours_ "
            f"group by {self.keys})) from seen where ours_"
        ).fetchall()[0]
        n, blank, long, zero, cases, blank_cases, long_cases, shared = (int(v) for v in found)
        if long:
            are = "entries is" if long == 1 else "entries are"
            over = ", or over midnight longer than 480" if self.midnight and self.longest > _OVERNIGHT else ""
            self._say(
                f"{long:,} of {n:,} time {are} longer than {self.longest:g} minutes{over}, as if left running "
                f"({self._first('long_')}); {_fate(self.join, 'long', long_cases, self.longest)}"
            )
        self._doubtful(n)
        if blank:
            have = "entries has" if blank == 1 else "entries have"
            self._say(
                f"{blank:,} of {n:,} time {have} no length ({self._first('blank_')}); "
                f"{_fate(self.join, 'blank', blank_cases)}"
            )
        if zero:
            last = "entries lasts" if zero == 1 else "entries last"
            where = self._first("not blank_ and minutes_ = 0")
            self._say(f"{zero:,} of {n:,} time {last} 0 minutes ({where}) and add{'s' * (zero == 1)} nothing")
        if shared:
            have = "cases has" if shared == 1 else "cases have"
            self._say(f"{shared:,} of {cases:,} {have} time entries of several people, which are added")
        self._rounding(n / max(cases, 1))

    def _doubtful(self, n: int) -> None:
        """Name what is summed though a timer may have been left running: over midnight, or far above the others."""
        (typical,) = self.con.execute(
            "select quantile_disc(minutes_, 0.9) from seen where not blank_ and minutes_ > 0"
        ).fetchall()[0]
        far = "false"
        if typical is not None:
            least = max(_FAR * float(typical), _AT_LEAST)
            far = f"minutes_ > {least:g}::decimal(18,6)"
        found = {"over_": "over midnight"}
        found[f"not over_ and {far}"] = (
            f"longer than {_AT_LEAST} minutes and than {_FAR} times nine of ten others"
        )
        for what, why in found.items():
            odd = f"not blank_ and not long_ and {what}"
            count, minutes, least = self.con.execute(
                f"select count(*), sum(minutes_), min(minutes_) from seen where ours_ and {odd}"
            ).fetchall()[0]
            if count:
                are, was = ("is", "it was") if count == 1 else ("are", "they were")
                self._say(
                    f"{count:,} of {n:,} time entries {are} {why} ({self._first(odd)}); "
                    f"the {float(minutes):,.0f} minutes stay in the sum: if {was} left running, set "
                    f"entries: {{longest: N, unusable: leave_out}} with N below {float(least):,.0f}"
                )

    def _rounding(self, entries: float) -> None:
        n, fives, fifteens = (
            int(v)
            for v in self.con.execute(
                "select count(*), count(*) filter (minutes_ % 5 = 0), count(*) filter (minutes_ % 15 = 0) "
                "from seen where ours_ and not blank_ and not long_ and minutes_ > 0"
            ).fetchall()[0]
        )
        width, hits = rounded_to(n, fives, fifteens)
        if not width:
            return
        variance = width**2 / 12
        self._say(
            f"{hits:,} of {n:,} time entries ({hits / n:.0%}) are multiples of {width} minutes, {1 / width:.0%} would "
            f"be by chance: they are rounded, which adds {width}²/12 = {variance:.1f} min² to the variance of an "
            f"entry, ±{math.sqrt(variance * entries):.1f} minutes to a case of {entries:.1f} entries; this is within "
            "the spread that is measured, but rounding up would not be"
        )

    def _first(self, condition: str) -> str:
        rows = self.con.execute(
            f"select list(r) from (select row_ + 1 as r from seen where ours_ and {condition} order by 1 limit 3)"
        ).fetchall()[0][0]
        return _rows(rows)

    def _say(self, text: str) -> None:
        self.warnings.append(f"{self.other.rows.label}: {text}")


def rounded_to(n: int, fives: int, fifteens: int) -> tuple[int, int]:
    """The width to which durations were rounded, and how many of them are its multiples.

    Heaping on multiples of 5 is held against the fifth that chance gives whole minutes, that on 15 against a third of
    the multiples of 5, so that neither is taken for the other.

    Args:
        n: Durations above 0.
        fives: Of these, multiples of 5 minutes.
        fifteens: Of these, multiples of 15 minutes.

    Returns:
        15, 5 or 0 (not rounded), and the count.
    """
    if n < _FEWEST or not _heaped(n, fives, 1 / 5, 0.2):
        return 0, 0
    if fives >= _FEWEST and _heaped(fives, fifteens, 1 / 3, 0.5):
        return 15, fifteens
    return 5, fives


def _heaped(n: int, hits: int, chance: float, share: float) -> bool:
    """Whether hits are more than chance gives, surely and by a share of entries that matters."""
    above = hits / n - chance
    return above > _SURE * math.sqrt(chance * (1 - chance) / n) and above / (1 - chance) >= share


def _timed(other: ReadTable, summed: Sequence[str]) -> bool:
    """Whether start and end of the entries are known, and are those of the one column that is summed."""
    if len(summed) != 1 or not {"started_at", "ended_at"} <= set(other.columns):
        return False
    maps = {m.name: m for m in other.maps}
    minutes = maps.get(summed[0])
    if minutes is None or not minutes.between:
        return minutes is not None
    return minutes.sources == (*maps["started_at"].sources, *maps["ended_at"].sources)


def _fate(join: JoinSpec, what: str, cases: int | None = None, longest: float = 0) -> str:
    if join.unusable == "leave_out":
        return "left out, the other entries of their cases are summed (entries: {unusable: leave_out})"
    if join.unusable == "cap" and what == "long":
        return f"each counts as {longest:g} minutes (entries: {{unusable: cap}})"
    many = "their cases" if cases is None else "their case" if cases == 1 else f"their {cases:,} cases"
    mend = "" if join.unusable == "cap" else " (entries: {unusable: leave_out} sums the others"
    mend += "" if join.unusable == "cap" else f", cap counts {longest:g} minutes)" if what == "long" else ")"
    return f"the minutes of {many} are taken as missing{mend}"


def _rows(rows: Sequence[int]) -> str:
    return f"first: row{'s' if len(rows) > 1 else ''} {', '.join(f'{r:,}' for r in rows)}"
