"""Variants of the examples' cases as other systems would have exported them, each with what `roi new` should find."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import new_names as names
import openpyxl
import yaml
from opened_examples import EXAMPLES

ROOT = Path(__file__).parent.parent
SEEDS = tuple(range(60))
MINUTES = ("handling_minutes", "review_minutes", "rework_minutes")
_PER_MINUTE = {"minutes": 1.0, "seconds": 60.0, "hours": 1 / 60}
Row = dict[str, Any]


@dataclass
class Truth:
    """What a canonical column really comes from.

    Attributes:
        sources: Their columns.
        unit: Of minutes.
        between: Whether two times become minutes.
        values: Theirs to ours, where they differ.
        held_out: Whether the name, or a value's name, was kept back.
        optional: Whether leaving it out is right, too.
    """

    sources: tuple[str, ...]
    unit: str | None = None
    between: bool = False
    values: dict[str, str] = field(default_factory=dict)
    held_out: bool = False
    optional: bool = False


@dataclass
class Variant:
    """An export and what is true of it."""

    seed: int
    pilot: str
    language: str
    file: Path
    truth: dict[str, Truth]
    rows: int


def clean_cases(pilot: str) -> list[Row]:
    """An example's cases under our names with our values and minutes; rows of one's own."""
    return [dict(row) for row in _clean_cases(pilot)]


@cache
def _clean_cases(pilot: str) -> list[Row]:
    samples = yaml.safe_load((ROOT / "params" / f"{pilot}.yaml").read_text(encoding="utf-8"))["samples"]
    spec = samples["cases"]
    source = spec["source"]["file"] if isinstance(spec["source"], dict) else spec["source"]
    raw = [row for path in sorted(ROOT.glob(source)) for row in _raw_rows(path)]
    columns: dict[str, Any] = dict(spec["columns"])
    known = {c if isinstance(c, str) else None for c in columns.values()}
    for name in names.COLUMNS:
        if name not in columns and name not in known and any(name in row for row in raw):
            columns[name] = name
    columns.pop("cost_currency", None)
    marks = spec.get("missing", [])
    return [{ours: _canonical(row, ours, theirs, marks) for ours, theirs in columns.items()} for row in raw]


def _canonical(row: Row, ours: str, theirs: Any, marks: list[str]) -> Any:
    given = theirs if isinstance(theirs, dict) else {"from": theirs}
    source = given["from"]
    if isinstance(source, list) and not given.get("as"):
        return tuple(str(row[s]) for s in source)
    cells = [row.get(s) for s in (source if isinstance(source, list) else [source])]
    if any(c is None or c == "" or c in marks for c in cells):
        return None
    if given.get("as"):
        start, end = (dt.datetime.fromisoformat(str(c)) for c in cells)
        return (end - start).total_seconds() / 60
    value = cells[0]
    if ours in MINUTES:
        return _minutes(str(value), given.get("unit"))
    if ours in ("started_at", "ended_at"):
        return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    if ours in ("amount", "agent_cost"):
        return float(str(value).replace(",", "."))
    return given.get("values", {}).get(value, value)


def _minutes(text: str, unit: str | None) -> float:
    if text.startswith("PT"):
        minutes, _, seconds = text[2:].rstrip("S").partition("M")
        return float(minutes) + float(seconds or 0) / 60
    if ":" in text:
        h, m, s = (int(part) for part in text.split(":"))
        return 60 * h + m + s / 60
    return float(text.replace(",", ".")) / (60 if unit == "seconds" else 1)


def _raw_rows(path: Path) -> Iterable[Row]:
    if path.suffix == ".xlsx":
        rows = list(openpyxl.load_workbook(path)["Export"].iter_rows(values_only=True))
        return [dict(zip(rows[3], row, strict=True)) for row in rows[4:]]
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    if ".jsonl" in path.suffixes:
        return [json.loads(line) for line in text.splitlines()]
    delimiter = "\t" if ".tsv" in path.suffixes else ";" if ";" in text.split("\n", 1)[0] else ","
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


class _Making:
    """The choices for one variant."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"roi new {seed}")
        self.pilot = EXAMPLES[seed % 6]
        self.language = names.LANGUAGES[(seed // 6 + seed) % 4]
        self.rows = [row for row in clean_cases(self.pilot) if row["case_id"] is not None]
        self.kind = self.rng.choice(["csv", "csv", "semicolon", "tsv", "xlsx", "jsonl"])
        if self.language != "en" and self.kind == "csv":
            self.kind = "semicolon"
        self.comma = self.language != "en" and self.kind in ("semicolon", "tsv")
        self.unit = self.rng.choice(["minutes", "minutes", "seconds", "hours", "duration"])
        self.mark = self.rng.choice(["", "", "", "-", "n/a"]) if self.kind != "jsonl" else ""
        self.dates = self.rng.choice(["iso", "iso", "local"])
        self.truth: dict[str, Truth] = {}
        self.columns: dict[str, list[Any]] = {}

    def name(self, canonical: str, suffix: str = "") -> tuple[str, bool]:
        listed = names.COLUMNS[canonical][self.language]
        for _ in range(200):
            plain = self.rng.choice(listed)
            name = f"{plain}{suffix if not suffix.startswith('_') or ' ' not in plain else ' (' + suffix[1:] + ')'}"
            if name not in self.columns:
                return name, names.held_out(listed, plain)
        raise AssertionError(f"no name is left for {canonical}")

    def add(self, canonical: str, cells: list[Any], *, held_out: bool = False, **truth: Any) -> None:
        name, kept = self.name(canonical)
        self.columns[name] = cells
        self.truth[canonical] = Truth((name,), held_out=kept or held_out, **truth)

    def column(self, canonical: str) -> list[Any]:
        return [row[canonical] for row in self.rows]

    def translated(self, canonical: str, pools: dict[str, list[Any]], ours: tuple[str, ...]) -> None:
        listed = pools[self.language]
        theirs = self.rng.choice(listed)
        to_theirs = dict(zip(ours, theirs, strict=True))
        values = [None if v is None else to_theirs[v] for v in self.column(canonical)]
        here = {v for v in self.column(canonical) if v is not None}
        same = {to_theirs[v]: v for v in ours if v in here and to_theirs[v].lower() != v}
        self.add(canonical, values, values=same, held_out=listed.index(theirs) % 3 == 2)

    def build(self) -> None:
        present = list(self.rows[0])
        steps: dict[str, Callable[[], None]] = {
            "case_id": self._key,
            "arm": self._arm,
            "worker": self._worker,
            "outcome": lambda: self.translated("outcome", names.OUTCOMES, ("correct", "error", "escalated")),
            "severity": lambda: self.translated(
                "severity", names.SEVERITIES, ("minor", "moderate", "major", "critical")
            ),
            "cause": lambda: self.translated(
                "cause", names.CAUSES, ("model", "workflow", "data", "integration", "oversight")
            ),
            "setting": lambda: self.translated("setting", names.SETTINGS, ("demo", "production")),
            "used": lambda: self.translated("used", names.USED, ("yes", "edited", "no")),
            "handling_minutes": self._handling,
            "review_minutes": lambda: self._timed("review_minutes"),
            "rework_minutes": lambda: self._timed("rework_minutes"),
        }
        optional = ["cause", "used", "input_defects", "version", "amount", "rework_minutes", "severity"]
        for name in present:
            if name in self.truth or all(row[name] is None for row in self.rows):
                continue
            if name in optional and self.rng.random() < 0.15:
                continue
            if name in steps:
                steps[name]()
            else:
                self.add(name, self.column(name))
        self._distract()

    def _key(self) -> None:
        keys = self.column("case_id")
        parts = [k if isinstance(k, tuple) else tuple(k.split("-")) for k in keys]
        if isinstance(keys[0], tuple) or self.rng.random() < 0.15:
            counts: dict[str, int] = {}
            number: dict[tuple[str, ...], str] = {}  # copies of a row keep their key
            for part in parts:
                if part not in number:
                    counts[part[0]] = counts.get(part[0], 0) + 1
                    number[part] = f"{counts[part[0]]:05d}"
            first, second = names.COLUMNS["key_parts"][self.language]
            self.columns[first] = [part[0] for part in parts]
            self.columns[second] = [number[part] for part in parts]
            self.truth["case_id"] = Truth((first, second))
            return
        form = self.rng.choice(["{0}-{1}", "#{1}", "CLM-{1}", "{1}", "INC00{1}"])
        self.add("case_id", [form.format(*p) for p in parts])

    def _arm(self) -> None:
        flag = self.rng.random() < 0.25
        listed = (names.FLAGS if flag else names.ARMS)[self.language]
        pair = self.rng.choice(listed)
        values = [pair[0] if v == "baseline" else pair[1] for v in self.column("arm")]
        kept = not flag and listed.index(pair) % 3 == 2
        name, name_kept = self.name("arm_flag" if flag else "arm")
        self.columns[name] = values
        pairs = {t: o for t, o in zip(pair, ("baseline", "pilot"), strict=True) if t.lower() != o}
        self.truth["arm"] = Truth((name,), values=pairs, held_out=kept or name_kept)

    def _worker(self) -> None:
        codes = self.column("worker")
        way = self.rng.choice(["codes", "codes", "first_last", "mail", "names"])
        known = sorted({c for c in codes if c is not None})
        person = {
            c: f"{names.PEOPLE[i % 16]}{'' if i < 16 else f' {i // 16 + 1}'}" for i, c in enumerate(known)
        }
        if way == "first_last":
            first, last = names.COLUMNS["first_last"][self.language]
            self.columns[first] = [None if c is None else person[c].split(" ", 1)[0] for c in codes]
            self.columns[last] = [None if c is None else person[c].split(" ", 1)[1] for c in codes]
            self.truth["worker"] = Truth((first, last))
        elif way == "mail":
            mail = {c: f"{p.lower().replace(' ', '.')}@example.org" for c, p in person.items()}
            self.add("worker", [mail.get(c) for c in codes])
        else:
            self.add("worker", [person.get(c) for c in codes] if way == "names" else codes)

    def _timed(self, canonical: str) -> None:
        unit = self.unit if self.rng.random() < 0.85 else self.rng.choice(["minutes", "seconds"])
        bare = unit != "duration" and self.rng.random() < 0.1
        suffix = "" if bare else self.rng.choice(names.UNITS[unit][self.language])
        name, kept = self.name(canonical, suffix)
        self.columns[name] = [self._amount_of(v, unit) for v in self.column(canonical)]
        self.truth[canonical] = Truth((name,), unit=None if unit == "minutes" else unit, held_out=kept)

    def _amount_of(self, minutes: float | None, unit: str) -> Any:
        if minutes is None:
            return None
        if unit == "duration":
            seconds = round(minutes * 60)
            return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        value = minutes * _PER_MINUTE[unit]
        return round(value) if unit == "seconds" else round(value, 2 if unit == "minutes" else 4)

    def _handling(self) -> None:
        if self.pilot == "payment_repair":
            for column in ("started_at", "ended_at"):
                if column not in self.truth:
                    self.add(column, self.column(column))
            pair = (self.truth["started_at"].sources[0], self.truth["ended_at"].sources[0])
            kept = self.truth["started_at"].held_out or self.truth["ended_at"].held_out
            self.truth["handling_minutes"] = Truth(pair, between=True, held_out=kept)
            return
        if self.rng.random() > 0.2 or any(row["started_at"] is None for row in self.rows):
            self._timed("handling_minutes")
            return
        pick = self.rng.randrange(3)
        start, end = (names.COLUMNS[f"work_{w}"][self.language][pick] for w in ("start", "end"))
        begins = [row["started_at"] + dt.timedelta(minutes=self.rng.randrange(1, 90)) for row in self.rows]
        spent = self.column("handling_minutes")
        self.columns[start] = [None if s is None else b for b, s in zip(begins, spent, strict=True)]
        self.columns[end] = [
            None if s is None else b + dt.timedelta(seconds=round(60 * s))
            for b, s in zip(begins, spent, strict=True)
        ]
        self.truth["handling_minutes"] = Truth((start, end), between=True, held_out=pick == 2)
        self.truth["ended_at"] = Truth((end,), optional=True)

    def _distract(self) -> None:
        rng = self.rng
        for name, kind in rng.sample(names.DISTRACTORS[self.language], rng.randrange(2, 6)):
            if name in self.columns or (self.language == "fr" and name == "Service"):
                continue
            choice = {
                "text": names.SENTENCES,
                "status": names.STATUSES[self.language],
                "priority": names.PRIORITIES[self.language],
                "flag": names.YES_NO[self.language],
                "team": names.TEAMS[self.language],
                "tag": ("vip", "renewal", "spring"),
                "score": (1, 2, 3, 4, 5),
                "small": (0, 0, 0, 1, 2),
            }.get(kind)
            if choice is not None:
                self.columns[name] = [rng.choice(choice) for _ in self.rows]
            elif kind == "person":
                self.columns[name] = [f"{rng.choice(names.PEOPLE)} {rng.randrange(900)}" for _ in self.rows]
            elif kind == "customer":
                self.columns[name] = [f"C{rng.randrange(100, 700)}" for _ in self.rows]
            elif kind == "wait":
                self.columns[name] = [rng.randrange(5, 4000) for _ in self.rows]
            elif kind == "hours":
                self.columns[name] = [round(rng.uniform(0.1, 60), 2) for _ in self.rows]
            elif self.rows[0].get("started_at"):
                self.columns[name] = [
                    row["started_at"] + dt.timedelta(hours=rng.randrange(1, 400)) for row in self.rows
                ]

    def cell(self, value: Any) -> Any:
        """A value as the export writes it."""
        if value is None:
            return None if self.kind == "jsonl" else self.mark or ""
        if isinstance(value, dt.datetime):
            return self._time(value)
        if isinstance(value, float) and self.kind not in ("jsonl", "xlsx"):
            text = f"{value:.10f}".rstrip("0").rstrip(".")
            return text.replace(".", ",") if self.comma else text
        return value

    def _time(self, value: dt.datetime) -> Any:
        if value.tzinfo is not None:
            return value.isoformat()
        if self.kind == "xlsx":
            return value
        if self.dates == "iso":
            return value.isoformat(sep="T" if self.kind == "jsonl" else " ")
        form = {"en": "%d %b %Y %H:%M:%S", "de": "%d.%m.%Y %H:%M:%S"}.get(self.language, "%d/%m/%Y %H:%M:%S")
        return value.strftime(form)


def make_variant(seed: int, folder: Path) -> Variant:
    """Write a variant's export.

    Args:
        seed: Its number.
        folder: Where `data/` is made.
    """
    making = _Making(seed)
    making.build()
    order = list(making.columns)
    making.rng.shuffle(order)
    body = [[making.cell(making.columns[name][i]) for name in order] for i in range(len(making.rows))]
    (folder / "data").mkdir(parents=True, exist_ok=True)
    ending = {"semicolon": "csv"}.get(making.kind, making.kind)
    file = folder / "data" / f"export.{ending}"
    if making.kind == "xlsx":
        book = openpyxl.Workbook()
        for line in [order, *body]:
            book.active.append(["" if c is None else c for c in line])
        book.save(file)
    elif making.kind == "jsonl":
        lines = [json.dumps(dict(zip(order, row, strict=True)), ensure_ascii=False) for row in body]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        delimiter = {"csv": ",", "semicolon": ";", "tsv": "\t"}[making.kind]
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter=delimiter).writerows([order, *body])
    return Variant(seed, making.pilot, making.language, file, making.truth, len(making.rows))
