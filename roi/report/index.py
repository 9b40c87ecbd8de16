"""The page and the table of all pilots."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roi import words
from roi.json_object import read_object
from roi.ledger import record_sha256
from roi.operating import holds_back
from roi.report.one_worth import by_months
from roi.report.page import PAGES, as_written, page, write_whole
from roi.report.sections import environment
from roi.report.turned_down import turned_down
from roi.signing import governing, standing

__all__ = ["Entry", "csv_text", "index_page", "write_index"]

COLUMNS = (
    "pilot",
    "title",
    "workflow",
    "owner",
    "as_of",
    "verdict",
    "fix_kind",
    "ground",
    "headline",
    "reason",
    "in_operation",
    "currency",
    "worth_of",
    "worth_mean",
    "worth_p10",
    "worth_p90",
    "chance_it_pays",
    "cash_mean",
    "chance_in_cash_alone",
    "best_rejected_worth",
    "sum_asked_for",
    "decide_by",
    "signed",
    "cost_of_waiting_per_month",
    "report",
    "failed_because",
    "gates_not_shown",
    "share_assumed",
    "funded",
)
PORTFOLIO = "portfolio.json"  # as roi.assembled calls it, without importing what that imports
SCHEMA = 2  # as roi.portfolio has it
ORDER = {"scale": 0, "fix": 1, "kill": 2}
WORTH_OF = {"scale": "scale", "fix": "fix", "kill": "stopping"}
STOPPING: Mapping[str, Any] = {"mean": 0, "p10": 0, "p90": 0, "cash_mean": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A pilot on the page.

    Attributes:
        pilot: Its name, which is also its folder.
        record: Its last whole record; None where there is none.
        why: Why its last run failed; empty if it did not.
        pages: Names of its pages beside the business case.
        operating: What is to be done in operation before what the verdict says; None for nothing.
        months: What months that are over say of it; None for nothing.
    """

    pilot: str
    record: Mapping[str, Any] | None
    why: str = ""
    pages: Sequence[str] = ()
    operating: Mapping[str, Any] | None = None
    months: Mapping[str, Any] | None = None

    @property
    def decided(self) -> str | None:
        """What is done: what people decided, else the verdict."""
        return None if self.record is None else governing(self.record)

    @property
    def asks(self) -> bool:
        """Whether the money that its record asks for is asked for: not where people decided otherwise or it runs."""
        verdict = (self.record or {}).get("verdict")
        return self.decided == verdict != "kill" and not self.runs

    @property
    def runs(self) -> bool:
        """Whether what is decided is in operation, as its months show."""
        return self.months is not None and self.decided == self.months.get("verdict")

    @property
    def is_held(self) -> bool:
        """Whether its own operation stops the money that its record asks for."""
        advice = None if self.record is None else words.advised(self.record)
        narrow = self.record is not None and words.advised_name(self.record) != "scale"
        scope = (advice or {}).get("scope") if narrow else None
        deferred = self.record is not None and standing(self.record).state == "deferred"
        return self.asks and (deferred or holds_back(self.operating, scope or None))

    @property
    def option(self) -> Mapping[str, Any] | None:
        """The option whose worth is told of it, here and on its own first screen."""
        return None if self.record is None else words.as_decided(self.record)


@dataclass(frozen=True, slots=True)
class _Together:
    found: dict[str, Any]


def index_page(entries: Sequence[Entry], together: Mapping[str, Any] | None = None) -> str:
    """The page that lists every pilot, with its verdict, worth and chance, and what is said of all of them.

    Args:
        entries: In any order; the page sorts them by verdict and worth.
        together: What `portfolio.json` holds; None where it is not there, or is of other records.
    """
    decided = [entry for entry in entries if entry.record is not None]
    decided.sort(key=_rank)
    counts = {verdict: sum(e.decided == verdict for e in decided) for verdict in ORDER}
    currency = None if together is None else together["currency"]
    common_asked = _common(decided, together, lambda e: (e.record or {}).get("sum_asked_for"))
    body = environment().get_template("index.html.j2").render(
        lacks=turned_down,
        entries=decided,
        failed=[entry for entry in entries if entry.why],
        counts=counts,
        asked=_asked(decided, common_asked, currency),
        otherwise=sum(e.decided != (e.record or {}).get("verdict") for e in decided),
        held=_asked([entry for entry in decided if entry.is_held], common_asked, currency),
        common=_common(decided, together, lambda e: (e.option or {}).get("mean")),
        common_asked=common_asked,
        currency=currency,
        word=lambda e: words.verdict_word(e.record),
        standing=lambda e: standing(e.record),
        labels=PAGES,
        months=lambda e: by_months(e.months, str((e.record or {}).get("currency"))),
        parts=_parts(together),
        said=[] if together is None else _sentences(together),
    )  # fmt: skip
    footer = (
        "Worth is measured against stopping now. Worths of pilots that share a workflow do not add up. Each figure is "
        "rounded by itself, so that sums and differences of what is shown may be off in their last digit."
    )
    made = page("Kill, fix or scale?", body, footer=footer)
    # Side by side, figures are written in one way: that of all pilots, or today's.
    locales = {(entry.record or {}).get("locale") for entry in decided}
    one = (
        {"locale": locales.pop(), "pilots": [entry.record for entry in decided]}
        if len(locales) == 1
        else None
    )
    return as_written(made, one)


def _asked(
    entries: Sequence[Entry], common: Mapping[str, float] | None = None, currency: str | None = None
) -> str:
    """What records ask for, by currency; empty where none asks for anything.

    Args:
        entries: The pilots.
        common: What those in other money ask for in that of the portfolio.
        currency: That of the portfolio. Of several currencies the sum is told in it, where every rate is known.
    """
    asked: dict[str, float] = {}
    whole: float | None = 0.0
    for entry in entries:
        record = entry.record or {}
        value = words.finite(record.get("sum_asked_for")) if entry.asks else None
        if value is not None:
            own = str(record.get("currency"))
            asked[own] = asked.get(own, 0.0) + value
            more = value if own == currency else (common or {}).get(entry.pilot)
            whole = None if whole is None or more is None else whole + more
    text = words.and_list(words.amount(value, own) for own, value in sorted(asked.items()))
    if len(asked) > 1 and whole is not None and currency is not None:
        text += f" (about {words.amount(whole, currency)})"
    return text


def _common(
    entries: Sequence[Entry], together: Mapping[str, Any] | None, of: Callable[[Entry], object]
) -> dict[str, float]:
    """Amounts of pilots in other money, in that of the portfolio; those without a rate are told among its notes."""
    rates = {} if together is None else {p["pilot"]: p.get("rate") for p in together["pilots"]}
    found = {}
    for entry in entries:
        mean, rate = words.finite(of(entry)), words.finite(rates.get(entry.pilot))
        other = together is not None and (entry.record or {}).get("currency") != together["currency"]
        if other and mean is not None and rate is not None:
            found[entry.pilot] = mean * rate
    return found


def _parts(together: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    """The parts of the page that speak of all pilots together, with their headings."""
    if together is None:
        return []
    from markupsafe import Markup

    from roi.report import portfolio as show
    from roi.report.forecasts import forecasts

    opened = _Together(dict(together))
    makers = [
        ("The map", show.overview),
        ("What to fund", show.funded),
        ("How much of it may be chance", show.luck),
        ("In which order, and what is next", show.order),
        ("How verdicts moved", show.trend),
    ]
    if "forecasts" in together:  # a file of an earlier version has none
        makers.append(("How well past decisions forecast", forecasts))
    return [(heading, Markup(make(opened).html)) for heading, make in makers]


def _sentences(together: Mapping[str, Any]) -> list[str]:
    from roi.report.portfolio_words import sentences

    return [*sentences(together), *(f"To know: {note}" for note in together["notes"][:6])]


def read_together(out: Path, entries: Sequence[Entry]) -> dict[str, Any] | None:
    """What `portfolio.json` says of these very records and operations; None where of others, or not there."""
    found = read_object(out / PORTFOLIO)
    if found is None or found.get("schema") != SCHEMA:
        return None
    records = {e.pilot: record_sha256(e.record) for e in entries if e.record is not None}
    # A set that was chosen before the operation said to stop, or people decided otherwise, would ask for other money.
    said = {e.pilot: (e.operating or {}).get("action") for e in entries if e.record is not None}
    known = {p["pilot"]: (p.get("operating") or {}).get("action") for p in found.get("pilots") or []}
    signed = {e.pilot: standing(e.record).state for e in entries if e.record is not None}
    same = known == said and signed == {p["pilot"]: p["signed"] for p in found.get("pilots") or []}
    return found if found.get("records") == records and same else None


def _rank(entry: Entry) -> tuple[int, float, str]:
    record = entry.record or {}
    worth = words.finite((entry.option or {}).get("mean")) or 0.0
    return ORDER.get(str(record.get("verdict")), 3), -worth, entry.pilot


def csv_text(entries: Sequence[Entry], together: Mapping[str, Any] | None = None) -> str:
    """All decisions as a table; a text that a spreadsheet would take for a formula gets a quote before it.

    Args:
        entries: In the order of the rows.
        together: As in `index_page`.
    """
    chosen = None if together is None else {x["pilot"] for x in together["set"]["funded"]}
    held = set() if together is None else {x["pilot"] for x in together["set"].get("held") or []}
    lines = io.StringIO()
    writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        record, option = entry.record or {}, entry.option or {}
        rejected = None
        if record.get("verdict") == "kill":
            # Stopping is what worth is measured against; what was turned down must not read as its worth.
            rejected, option = option.get("mean"), STOPPING
        row: dict[str, Any] = {name: record.get(name) for name in COLUMNS} | {
            "pilot": entry.pilot,
            "in_operation": None if entry.operating is None else entry.operating["headline"],
            "worth_of": WORTH_OF.get(str(record.get("verdict"))),
            "worth_mean": option.get("mean"),
            "worth_p10": option.get("p10"),
            "worth_p90": option.get("p90"),
            "chance_it_pays": option.get("chance_above_hurdle"),
            "cash_mean": option.get("cash_mean"),
            "chance_in_cash_alone": option.get("cash_chance"),
            "best_rejected_worth": rejected,
            "signed": None if entry.record is None else standing(record).state,
            "report": f"{entry.pilot}/report.html" if entry.record is not None else None,
            "failed_because": entry.why or None,
            "gates_not_shown": None
            if entry.record is None
            else sum(g.get("state") != "shown" for g in record.get("gates") or []),
            "funded": None
            if chosen is None
            else "yes"
            if entry.pilot in chosen
            else "held back"
            if entry.pilot in held
            else "no",
        }
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return lines.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = " ".join(value.split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def write_index(entries: Sequence[Entry], out: Path) -> None:
    """Write `index.html` and `decisions.csv`.

    Args:
        entries: Every pilot.
        out: The folder of all reports.
    """
    together = read_together(out, entries)
    write_whole(out / "index.html", index_page(entries, together))
    write_whole(out / "decisions.csv", csv_text(sorted(entries, key=lambda e: e.pilot), together))
