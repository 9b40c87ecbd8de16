"""Which of their columns means what: by its name, and by what stands in it. What is not certain is marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from roi.guess.evidence import arm_votes, only_where, repeats_as_pairs
from roi.guess.look import Column, Table
from roi.guess.names import folded, scores
from roi.guess.units import unit_of
from roi.guess.values import FLAG_VALUES, meant

__all__ = ["FILL_IN", "Guess", "Guesses", "guess_columns"]

FILL_IN = "FILL_IN"
"""What stands in a parameter file where only a person knows the value; `roi check` names each one."""

_MINUTES = ("handling_minutes", "review_minutes", "rework_minutes", "predicted_minutes")
_CHOICES = (
    "outcome",
    "judge_outcome",
    "severity",
    "judge_severity",
    "cause",
    "setting",
    "used",
    "label_source",
)
_SURE = 0.85


@dataclass(frozen=True, kw_only=True)
class Guess:
    """Where a canonical column comes from.

    Attributes:
        column: The canonical column.
        sources: Their columns; none for a constant, or where only a person can say.
        unit: Of minutes.
        values: Theirs to ours: ours, None for missing, or FILL_IN.
        between: Whether two times become minutes.
        constant: A value for every row.
        doubts: Why it is not certain; none where it is.
        about: What is worth knowing besides, such as what is blank.
    """

    column: str
    sources: tuple[Column, ...] = ()
    unit: str | None = None
    values: Mapping[str, str | None] = field(default_factory=dict)
    between: bool = False
    constant: str | None = None
    doubts: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.doubts

    def but(self, *doubts: str) -> Guess:
        """The same with further doubts."""
        return replace(self, doubts=(*self.doubts, *(d for d in doubts if d not in self.doubts)))


@dataclass(frozen=True)
class Guesses:
    """What the columns of the cases mean.

    Attributes:
        columns: Canonical column → where it comes from.
        unused: Their columns that stand for nothing here.
        missing: Marks that mean a missing value.
    """

    columns: Mapping[str, Guess]
    unused: tuple[Column, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class _Offer:
    score: float
    guess: Guess


def guess_columns(table: Table, given: Mapping[str, Column], arms: Mapping[str, str]) -> Guesses:
    """Guess what the columns of the cases mean.

    Args:
        table: The cases.
        given: Canonical columns that the user named, with theirs.
        arms: Values of the arm column that the user named, to ours.
    """
    guessing = _Guessing(table, given, arms)
    found = guessing.run()
    taken = {c.at for g in found.values() for c in g.sources}
    unused = tuple(c for c in table.columns if c.at not in taken and c.kind != "empty")
    marks = tuple(dict.fromkeys(m for g in found.values() for c in g.sources for m in c.marks))
    return Guesses(found, unused, marks)


class _Guessing:
    """The columns are settled from the surest kind to the least sure; each is used once."""

    def __init__(self, table: Table, given: Mapping[str, Column], arms: Mapping[str, str]) -> None:
        self.table = table
        self.given = given
        self.arms = arms
        self.found: dict[str, Guess] = {}
        self.taken: set[str] = {c.at for c in given.values()}
        self.names = {c.at: scores(c.name) for c in table.columns}

    def run(self) -> dict[str, Guess]:
        for column in ("started_at", "ended_at"):
            self._settle(column, self._moment)
        self._work_times()
        self._settle("arm", self._arm)
        for column in (
            "outcome",
            "severity",
            "judge_outcome",
            "judge_severity",
            "cause",
            "setting",
            "used",
            "label_source",
        ):
            self._settle(column, self._choice)
        for column in _MINUTES:
            self._settle(column, self._timed)
        self._key()
        self._settle("pair_id", self._pair)
        self._worker()
        for column in ("version", "provider", "model", "cost_currency"):
            self._settle(column, self._plain_text)
        for column in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"):
            self._settle(column, self._number)
        for column in ("agent_cost", "amount", "confidence", "label_probability", "input_defects"):
            self._settle(column, self._number)
        self._settle("segment", self._segment)
        self._handling_between()
        self._currency()
        return self.found

    def _free(self) -> list[Column]:
        return [c for c in self.table.columns if c.at not in self.taken and c.kind != "empty"]

    def _settle(self, column: str, offer: Callable[[str, Column, float], _Offer | None]) -> None:
        if column in self.given:
            theirs = self.given[column]
            made = offer(column, theirs, 1.0)
            guess = made.guess if made is not None else Guess(column=column, sources=(theirs,))
            kept = tuple(d for d in guess.doubts if "unit" in d or "value" in d)
            self.found[column] = replace(guess, doubts=kept)
            return
        offers = [
            made
            for c in self._free()
            if (made := offer(column, c, self.names[c.at].get(column, 0.0))) is not None
            and self._mine(column, c, made.score)
        ]
        if not offers:
            return
        best = max(offers, key=lambda o: o.score)
        rivals = [o for o in offers if o is not best and o.score > best.score - 0.15]
        guess = best.guess
        if rivals:
            others = ", ".join(f"'{o.guess.sources[0].name.text}'" for o in rivals[:3])
            guess = guess.but(f"could also be {others}")
        if best.score < _SURE and guess.sure:
            guess = guess.but("the name does not say it clearly")
        self.found[column] = guess
        self.taken |= {c.at for c in guess.sources}

    def _mine(self, column: str, c: Column, score: float) -> bool:
        """Whether no other canonical column has a clearly better claim on theirs by name."""
        better = max(
            (s for name, s in self.names[c.at].items() if name != column and self._fits(name, c)), default=0.0
        )
        return score >= better - 0.35

    def _fits(self, column: str, c: Column) -> bool:
        if column in ("started_at", "ended_at"):
            return c.kind == "time"
        if column in _MINUTES:
            return c.kind in ("number", "duration")
        if column in ("amount", "agent_cost", "confidence", "input_tokens", "output_tokens"):
            return c.kind == "number"
        if column in _CHOICES:
            return any(meant(column, c.values).values())
        return column not in ("arm", "segment", "case_id", "pair_id")

    def _moment(self, column: str, c: Column, name: float) -> _Offer | None:
        concepts = c.name.concepts
        if c.kind != "time" or not name:
            return None
        if "handle" in concepts and column not in self.given:
            return None  # the worker's own start and end, which `_work_times` pairs
        return _Offer(name, Guess(column=column, sources=(c,)))

    def _work_times(self) -> None:
        """The start and the end of the hands-on work itself."""
        timed = [c for c in self._free() if c.kind == "time" and "handle" in c.name.concepts]
        starts = [
            c
            for c in timed
            if "start" in c.name.concepts or {"von", "from", "du", "desde"} & set(folded(c.name.text).split())
        ]
        ends = [
            c
            for c in timed
            if "end" in c.name.concepts or {"bis", "to", "au", "hasta"} & set(folded(c.name.text).split())
        ]
        if len(starts) == 1 and len(ends) == 1 and starts != ends and "handling_minutes" not in self.given:
            self.found["handling_minutes"] = _between(starts[0], ends[0])
            self.found.setdefault("started_at", Guess(column="started_at", sources=(starts[0],)))
            self.taken |= {starts[0].at, ends[0].at}

    def _handling_between(self) -> None:
        start, end = self.found.get("started_at"), self.found.get("ended_at")
        if "handling_minutes" in self.found or start is None or end is None:
            return
        guess = _between(start.sources[0], end.sources[0])
        self.found["handling_minutes"] = guess.but(
            "from one time to the other may be mostly waiting; only hands-on time counts"
        )

    def _arm(self, column: str, c: Column, name: float) -> _Offer | None:
        if not 1 < c.distinct <= 6 or c.kind in ("time", "mail", "duration"):
            return None
        if c.blank > 0.02 * c.rows and not self.given.get("arm"):
            return None
        flag = "ai" in c.name.concepts or ("used" in c.name.concepts and "suggestion" not in c.name.concepts)
        theirs = {v: self.arms.get(v) or ours for v, ours in meant("arm", c.values, flag=flag).items()}
        votes = arm_votes(self.table, c, self._traces_of_the_agent(c))
        both = {"baseline", "pilot"} <= set(theirs.values())
        named = bool(set(self.arms) & set(c.values))
        flags = set(map(folded, c.values)) <= set(FLAG_VALUES)
        if not both and not (name >= 0.8 or votes or named) and not self.given.get("arm"):
            return None
        doubts: list[str] = []
        for value in [v for v, ours in theirs.items() if ours is None]:
            if votes.get(value):
                theirs[value] = votes[value]
                doubts.append(
                    f"{value!r} is taken for {votes[value]}, because of where the agent left traces"
                )
        for value, ours in theirs.items():
            if ours is not None and votes.get(value, ours) != ours and value not in self.arms:
                doubts.append(f"the agent's traces say that {value!r} is {votes[value]}")
        if (flags and not flag and not votes) or (not both and not votes and not named):
            theirs = {v: self.arms.get(v) for v in theirs}
        words = any(ours and not (flag and folded(v) in FLAG_VALUES) for v, ours in theirs.items())
        score = 0.5 * (both or bool(votes)) + 0.5 * max(name, 0.7 if both and words else 0.0)
        values = {v: ours or FILL_IN for v, ours in theirs.items() if ours != folded(v)}
        return _Offer(
            score + (0.1 if votes and both else 0),
            Guess(column="arm", sources=(c,), values=values, doubts=tuple(doubts)),
        )

    def _traces_of_the_agent(self, arm: Column) -> list[Column]:
        """Columns that only the agent's cases should fill."""
        wanted = (
            "version",
            "agent_cost",
            "input_tokens",
            "output_tokens",
            "model",
            "provider",
            "used",
            "review_minutes",
        )
        return [
            c
            for c in self.table.columns
            if c.at != arm.at
            and c.blank
            and max((self.names[c.at].get(w, 0.0) for w in wanted), default=0.0) >= 0.8
        ]

    def _choice(self, column: str, c: Column, name: float) -> _Offer | None:
        if not 1 <= c.distinct <= 15 or c.kind in ("time", "mail", "duration") or not name:
            return None
        theirs = meant(column, c.values)
        known = sum(n for v, n in c.values.items() if theirs[v]) / c.filled
        kinds = {ours for ours in theirs.values() if ours}
        doubts: list[str] = []
        score = name
        arm = self.found.get("arm")
        if column == "outcome":
            if not {"correct", "error"} <= kinds:
                if name < 0.8 or not kinds:
                    return None
                doubts.append("correct cases and errors are not both recognised")
            if name < 0.6:
                doubts.append("the name does not say that this is whether the case came out right")
        elif column in ("severity", "cause"):
            outcome = self.found.get("outcome")
            if c.filled > 0.9 * c.rows:
                return None  # of every case, so it is of no loss
            if known < 0.5 and name < 0.9:
                return None
            if outcome is not None and not only_where(self.table, outcome, c, column):
                if column == "severity":
                    return None
                doubts.append("it also stands beside cases without a loss")
        elif column == "setting" and not (
            {"demo", "production"} <= kinds or (kinds and known > 0.99 and name >= 1.05)
        ):
            if not kinds or name < 0.9:
                return None
            doubts.append("demo and production are not both recognised")
        elif column == "used":
            if not kinds or known < 0.3:
                return None
            if arm is not None and c.blank == 0 and name < 0.9:
                return None
        elif column == "label_source" and known < 0.99:
            return None
        unknown = [v for v, ours in theirs.items() if ours is None]
        if unknown and column == "cause":
            doubts.append(f"{len(unknown)} values are not understood")
        values = {v: ours or FILL_IN for v, ours in theirs.items() if ours != v.lower().strip()}
        if (
            column == "used"
            and kinds == {"yes", "no"}
            and not unknown
            and set(map(str.lower, c.values)) <= {"true", "false"}
        ):
            values = {}
        return _Offer(
            score,
            Guess(column=column, sources=(c,), values=values, doubts=tuple(doubts)),
        )

    def _timed(self, column: str, c: Column, name: float) -> _Offer | None:
        if (
            not name
            or c.kind not in ("number", "duration")
            or ("handling_minutes" in self.found and column == "handling_minutes")
        ):
            return None
        if c.distinct < 3 and c.filled > 20:
            return None
        unit, doubts = unit_of(c)
        if unit is None:
            return None
        guess = Guess(column=column, sources=(c,), unit=None if unit == "minutes" else unit, doubts=doubts)
        if "wait" in c.name.concepts:
            return None
        return _Offer(name, guess)

    def _key(self) -> None:
        given = self.given.get("case_id")
        if given is not None:
            self.found["case_id"] = Guess(column="case_id", sources=(given,))
            return
        arm = self.found["arm"].sources[0] if "arm" in self.found and self.found["arm"].sources else None
        more = (arm,) if arm is not None else ()
        named: list[tuple[float, Column]] = []
        for c in self._free():
            if c.kind in ("time", "duration", "mail") or c.filled < 0.9 * c.rows:
                continue
            score = self.names[c.at].get("case_id", 0.0)
            if score or c.distinct > 0.9 * c.filled:
                named.append((score, c))
        alone = [(s, c) for s, c in named if self._unique((c,), more)]
        good = [(s, c) for s, c in alone if s > 0]
        if good:
            best = max(good, key=lambda pair: pair[0])
            doubts = () if best[0] >= 0.6 else ("the name does not say that this is the case",)
            rivals = [c for s, c in good if c is not best[1] and s >= best[0]]
            if rivals:
                doubts = (f"'{rivals[0].name.text}' tells the cases apart, too",)
            self._take(Guess(column="case_id", sources=(best[1],), doubts=doubts))
            return
        if self._key_of_two(more):
            return
        if alone:
            texts = [c for _, c in alone if c.kind == "text" and max(map(len, c.values)) <= 40] or [
                c for _, c in alone if c.kind == "number" and all(n == int(n) for n in c.numbers)
            ]
            if len(texts) == 1 and " " not in texts[0].examples[0]:
                self._take(
                    Guess(
                        column="case_id",
                        sources=(texts[0],),
                        doubts=("only its values say that this is the case",),
                    )
                )

    def _key_of_two(self, more: tuple[Column, ...]) -> bool:
        """Two columns that are a key together, such as a company code and a document number."""
        parts = [
            (self.names[c.at].get("case_id", 0.0), "organisation" in c.name.concepts, c)
            for c in self._free()
            if c.kind in ("text", "number") and c.filled > 0.98 * c.rows
        ]
        offers = []
        for s, _, c in (p for p in parts if p[0] >= 0.6):
            for _, organisation, other in parts:
                if (
                    other.at != c.at
                    and 1 < other.distinct < 0.5 * other.rows
                    and self._unique((other, c), more)
                ):
                    offers.append((s + (1.0 if organisation else 0.0), c, other, organisation))
        if not offers:
            return False
        best = max(offers, key=lambda o: o[0])
        sources = tuple(sorted((best[2], best[1]), key=lambda c: c.name.text == best[1].name.text))
        doubts = () if best[3] else ("only together do these tell the cases apart",)
        self._take(Guess(column="case_id", sources=sources, doubts=doubts))
        return True

    def _unique(self, columns: Sequence[Column], more: tuple[Column, ...]) -> bool:
        different = self.table.different
        least = 0.985 * min(c.filled for c in columns) - (self.table.rows - different)
        if columns[0].filled == 0 or (len(columns) == 1 and columns[0].distinct < 0.4 * columns[0].filled):
            return False
        return self.table.keys(columns) >= least or self.table.keys(columns, *more) >= least

    def _take(self, guess: Guess) -> None:
        self.found[guess.column] = guess
        self.taken |= {c.at for c in guess.sources}

    def _pair(self, column: str, c: Column, name: float) -> _Offer | None:
        arm = self.found.get("arm")
        if c.kind in ("time", "duration", "mail") or arm is None or not arm.sources:
            return None
        if c.at == arm.sources[0].at or not repeats_as_pairs(self.table, c, arm.sources[0]):
            return None
        guess = Guess(column="pair_id", sources=(c,))
        return _Offer(
            0.9 if name >= 0.9 else 0.6,
            guess if name >= 0.9 else guess.but("its values occur once in each arm"),
        )

    def _worker(self) -> None:
        self._settle("worker", self._person)
        first, last = (self._names_of(part) for part in ("first_name", "last_name"))
        if "worker" not in self.found and len(first) == 1 and len(last) == 1 and first[0].at != last[0].at:
            pairs = self.table.keys((first[0], last[0]))
            if 1 < pairs <= 0.4 * self.table.rows:
                doubt = "the names could be the customers'"
                self._take(Guess(column="worker", sources=(first[0], last[0]), doubts=(doubt,)))

    def _names_of(self, part: str) -> list[Column]:
        """Columns of first or last names, customers' excepted as far as their name says so."""
        others = {"customer", "time", "model", "case", "token"}
        return [
            c
            for c in self._free()
            if part in c.name.concepts and not others & c.name.concepts and c.kind == "text"
        ]

    def _person(self, column: str, c: Column, name: float) -> _Offer | None:
        if not name or c.kind in ("time", "duration") or not 1 < c.distinct <= 0.5 * c.filled:
            return None
        if c.kind == "number" and c.numbers and c.numbers[0] != int(c.numbers[0]):
            return None
        guess = Guess(column="worker", sources=(c,))
        arm = self.found.get("arm")
        if arm is not None and arm.sources:
            shares = [filled / n for n, filled in self.table.cross(arm.sources[0], c).values() if n > 5]
            if shares and min(shares) < 0.5:
                guess = guess.but("it is blank in most cases of an arm")
        return _Offer(name, guess)

    def _plain_text(self, column: str, c: Column, name: float) -> _Offer | None:
        if not name or c.kind in ("time", "duration", "mail") or c.distinct > 30:
            return None
        if column == "cost_currency" and not all(len(v) == 3 and v.isalpha() for v in c.values):
            return None
        if column in ("provider", "model") and (c.kind == "number" or max(map(len, c.values)) > 60):
            return None
        if column in ("provider", "model") and c.blank == 0 and "arm" in self.found:
            return _Offer(name, Guess(column=column, sources=(c,), doubts=("it stands beside every case",)))
        return _Offer(name, Guess(column=column, sources=(c,)))

    def _number(self, column: str, c: Column, name: float) -> _Offer | None:
        if (
            not name
            or (c.kind != "number" and column != "input_defects")
            or c.kind in ("time", "duration", "mail")
        ):
            return None
        if column == "input_defects" and c.kind != "number" and c.distinct > 60:
            return None
        whole = all(n == int(n) and n >= 0 for n in c.numbers)
        if column.endswith("tokens") and not whole:
            return None
        if column == "input_defects" and c.kind == "number" and not (whole and c.numbers[-1] <= 100):
            return None
        if column in ("confidence", "label_probability") and not 0 <= c.numbers[0] <= c.numbers[-1] <= 1:
            return None
        if column == "agent_cost" and name < 0.9 and not (self._pilot_only(c)):
            return None
        return _Offer(name, Guess(column=column, sources=(c,)))

    def _pilot_only(self, c: Column) -> bool:
        arm = self.found.get("arm")
        if arm is None or not arm.sources:
            return False
        return min((filled for _, filled in self.table.cross(arm.sources[0], c).values()), default=1) == 0

    def _segment(self, column: str, c: Column, name: float) -> _Offer | None:
        if not name or c.kind not in ("text",) or not 1 < c.distinct <= 25 or c.filled < 0.9 * c.rows:
            return None
        first = any(w in c.name.words for w in ("channel", "kanal", "canal", "eingangskanal"))
        return _Offer(name + (0.2 if first else 0.0), Guess(column="segment", sources=(c,)))

    def _currency(self) -> None:
        cost = self.found.get("agent_cost")
        if cost is None or "cost_currency" in self.found:
            return
        named = cost.sources[0].name.currency
        if named is not None:
            self.found["cost_currency"] = Guess(column="cost_currency", constant=named)
        else:
            self.found["agent_cost"] = cost.but("its currency is not said; the pilot's own is taken")


def _between(start: Column, end: Column) -> Guess:
    doubt = (
        "an end left open over lunch or overnight counts in full; lower the cap if work was never that long"
    )
    return Guess(column="handling_minutes", sources=(start, end), between=True, doubts=(doubt,))
