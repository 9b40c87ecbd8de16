"""The commented parameter file: guesses with their doubts, and FILL_IN where only a person knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from roi.guess.arms import says_before_and_after
from roi.guess.guess import Guess, Guesses
from roi.guess.joins import JoinGuess
from roi.guess.look import Column, Table
from roi.guess.show import examples, plain
from roi.readers import Source
from roi.schema.tables import MINUTE_COLUMNS, TABLE_COLUMNS
from roi.strict_yaml import FILL_IN

__all__ = ["FILLS", "Draft", "blank_text", "scalar", "write_file"]

FILLS: Mapping[str, tuple[str, str]] = {
    "cases_per_month": (
        "demand",
        "cases of the whole workflow in a month, whoever works them: 4200 or {low: 3800, high: 5200}",
    ),
    "labour_cost_per_hour": (
        "economics",
        "full cost of an hour of the people who work the cases: 42 or {low: 38, high: 46}",
    ),
    "error_cost": (
        "economics",
        "what an error costs outside the workflow; one value, or {minor: 5, moderate: 60, major: 800, critical: 15000}",
    ),
    "run_cost_per_month": (
        "economics",
        "what running the agent for all cases costs a month, besides what its calls cost",
    ),
    "rollout_cost": ("economics", "what rolling it out costs once"),
}
"""Key that only a person knows -> its group, and what is wanted."""

_PLAIN = re.compile(r"[^\W\d_](?:[\w ./()€%°ºª+-]*[\w./()€%°ºª+])?")
_WORDS = frozenset(["yes", "no", "true", "false", "on", "off", "null", "y", "n"])
_WIDE = 100
_WANTED = {
    "arm": "baseline, pilot, or ~ to leave these cases out",
    "outcome": "correct, error, escalated, abandoned, or ~ for missing",
}
_ABSENT = {
    "case_id": "the column whose value names the case; several as a list",
    "arm": "the column that tells the cases worked as before from those worked with the agent: "
    "{from: their column, values: {their value: baseline, their value: pilot}}, or {value: pilot} where all were",
}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a parameter file is written from.

    Attributes:
        pilot: Its name.
        title: For readers.
        currency: Of all amounts; None where the user did not say.
        cases: The look at the cases.
        guesses: What their columns mean.
        joins: Other exports.
        given: Key of `FILLS` → a value as YAML writes it.
        left_out: Canonical column → why its guess was left out.
        notes: What else is worth knowing, a sentence each.
        timezone: Of times that carry none, where the user said it.
    """

    pilot: str
    title: str
    currency: str | None
    cases: Table
    guesses: Guesses
    joins: Sequence[JoinGuess] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, tuple[Guess, str]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    timezone: str | None = None


def write_file(draft: Draft) -> str:
    """The text of the parameter file; the same draft gives the same bytes."""
    lines = list(_lines(draft))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def scalar(text: str) -> str:
    """A text as YAML writes it inside a flow or block group: bare where that cannot be misread, else in quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and text != FILL_IN and not text.endswith(" "):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # Two escapes of JSON stand for one character beyond the first 65,536, which YAML writes with eight digits.
    return "".join(c if c.isprintable() or c == " " else _escaped(c) for c in quoted)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _lines(draft: Draft) -> Iterator[str]:
    rows = f"{draft.cases.rows:,} rows"
    yield f"# Written by `roi new` from {plain(draft.cases.label)} ({rows}). Every guess has its reason beside it."
    yield "#   CHECK    a guess that somebody should look at; delete the comment when it is right"
    yield f"#   {FILL_IN}  what only a person knows; `roi check {draft.pilot}` names each such line until it is filled"
    for note in draft.notes:
        yield from _note(note)
    yield f"pilot: {draft.pilot}"
    yield "about:"
    yield f"  title: {scalar(draft.title)}"
    if draft.currency is None:
        yield _said("  currency: EUR", "CHECK: of every amount in this file")
    else:
        yield f"  currency: {draft.currency}"
    yield "samples:"
    yield from _samples(draft)
    yield "demand:"
    yield from _fills(draft, "demand")
    yield from _mix(draft)
    yield "economics:"
    yield from _fills(draft, "economics")
    yield from _fx(draft)


def _samples(draft: Draft) -> Iterator[str]:
    guesses = draft.guesses
    arm = guesses.columns.get("arm")
    design = "before_after" if arm is not None and says_before_and_after(arm) else "observational"
    yield _said(
        f"  assignment: {design}",
        "CHECK: randomised (cases or people by lot), before_after, or observational, the weakest",
    )
    times = [g for g in guesses.columns.values() if g.column in ("started_at", "ended_at") or g.between]
    if draft.timezone is not None:
        yield f"  timezone: {draft.timezone}"
    elif any(_naive(c) for g in times for c in g.sources):
        yield _said("  timezone: UTC", "CHECK: of times that carry none, such as Europe/Berlin")
    if "version" in guesses.columns and guesses.columns["version"].sources[0].distinct > 1:
        yield _said("  version: latest", "CHECK: only cases of the newest version count; `all` pools them")
    if "outcome" in guesses.columns:
        yield _said(
            "  labels: {selection: unknown}",
            "CHECK: which outcomes people checked: all, random or unknown; unknown ones earn nothing",
        )
    yield "  cases:"
    yield f"    source: {_source(draft.cases.source)}"
    if guesses.missing:
        yield _said(
            f"    missing: [{', '.join(scalar(m) for m in guesses.missing)}]", "how an empty cell is written"
        )
    yield "    columns:"
    order = [c for c in TABLE_COLUMNS["cases"] if c in guesses.columns or c in _ABSENT]
    brought = {name for join in draft.joins for name in join.columns}
    for name in order:
        if name in guesses.columns:
            yield from _column(guesses.columns[name], "      ", draft.cases, guesses.columns.get("arm"))
        else:
            yield from _wrapped(f"      {name}: {FILL_IN}", f"FILL IN: {_ABSENT[name]}")
    if "handling_minutes" not in guesses.columns and "handling_minutes" not in brought:
        yield "      # CHECK: no column of hands-on minutes was found; without one no time saved can be shown:"
        yield "      # handling_minutes: {from: their column, unit: minutes}"
    for name, (guess, why) in sorted(draft.left_out.items()):
        yield from _note(f"CHECK: left out, {why}", "      ")
        yield f"      # {name}: {_spec(guess)}"
    if guesses.unused:
        told = ", ".join(f"{plain(c.name.text)}" for c in guesses.unused)
        yield from _note(f"Not used: {told}", "      ")
    if draft.joins:
        yield "    join:"
        for join in draft.joins:
            yield from _join(join)


def _naive(column: Column) -> bool:
    """Whether its times carry no offset."""
    first = column.examples[0] if column.examples else ""
    return not re.search(r"(Z|[+-]\d\d:?\d\d)$", first) and ":" in first


def _column(guess: Guess, indent: str, table: Table | None, arm: Guess | None = None) -> Iterator[str]:
    unknown = [v for v, ours in guess.values.items() if ours == FILL_IN]
    comment = _comment(guess)
    if table is not None and (told := blank_text(guess, table, arm)):
        yield from _note(
            f"CHECK: {told}; add `blank: zero` if nothing was done there, `blank: missing` if it was not timed; "
            "until then both results are shown",
            indent,
        )
    if not unknown:
        line = f"{indent}{guess.column}: {_spec(guess)}"
        if len(line) <= _WIDE or not guess.values:
            yield from _wrapped(line, comment)
            return
    yield from _wrapped(f"{indent}{guess.column}:", comment)
    yield f"{indent}  from: {_from(guess)}"
    yield f"{indent}  values:"
    for theirs, ours in guess.values.items():
        line = f"{indent}    {scalar(theirs)}: {'~' if ours is None else ours}"
        if ours == FILL_IN:
            wanted = (
                _WANTED.get(guess.column)
                or ", ".join(TABLE_COLUMNS["cases"][guess.column].values) + ", or ~ for missing"
            )
            n = guess.sources[0].values.get(theirs, 0)
            line = _said(line, f"FILL IN: {wanted} ({n:,} {'row' if n == 1 else 'rows'})")
        yield line


def blank_text(guess: Guess, table: Table, arm: Guess | None) -> str:
    """How often minutes are blank, in each arm; empty where they are not, or where somebody said what it means."""
    if guess.column not in MINUTE_COLUMNS or not guess.sources or guess.blank is not None:
        return ""
    column = max(guess.sources, key=lambda c: c.blank)
    if not column.blank:
        return ""
    text = f"{guess.column} is blank in {column.blank:,} of {table.rows:,} rows"
    if arm is None or not arm.sources:
        return text
    shares = [
        f"{1 - filled / n:.0%} of {arm.values.get(value, value.lower())}"
        for value, (n, filled) in table.cross(arm.sources[0], column).items()
        if value is not None and arm.values.get(value) != FILL_IN
    ]
    return f"{text} ({', '.join(shares)})" if shares else text


def _comment(guess: Guess) -> str:
    shown = examples(guess.sources, guess.column, between=guess.between)
    parts = [f"CHECK: {'; '.join(guess.doubts)}"] if guess.doubts else []
    if shown and not guess.values:
        parts.append(f"e.g. {shown}")
    return ". ".join(parts)


def _from(guess: Guess) -> str:
    names = [scalar(c.name.text) for c in guess.sources]
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _spec(guess: Guess) -> str:
    if guess.constant is not None:
        return f"{{value: {scalar(guess.constant)}}}"
    if guess.between:
        blank = f", blank: {guess.blank}" if guess.blank else ""
        return f"{{from: {_from(guess)}, as: minutes, cap: 480{blank}}}"
    parts = [f"from: {_from(guess)}"]
    if guess.unit is not None:
        parts.append(f"unit: {guess.unit}")
    if guess.blank is not None:
        parts.append(f"blank: {guess.blank}")
    if guess.values:
        pairs = ", ".join(f"{scalar(t)}: {'~' if o is None else _ours(o)}" for t, o in guess.values.items())
        parts.append(f"values: {{{pairs}}}")
    return _from(guess) if len(parts) == 1 else f"{{{', '.join(parts)}}}"


def _ours(value: str) -> str:
    return value if value == FILL_IN else scalar(value)


def _source(source: Source) -> str:
    """The files by themselves, or with the sheet and the header's row where these were needed."""
    files = scalar(source.files[0]) if len(source.files) == 1 else f"[{', '.join(map(scalar, source.files))}]"
    parts = [f"file: {files}"]
    if source.sheet is not None:
        parts.append(f"sheet: {scalar(source.sheet)}")
    if source.header_row is not None:
        parts.append(f"header_row: {source.header_row}")
    return files if len(parts) == 1 else f"{{{', '.join(parts)}}}"


def _join(join: JoinGuess) -> Iterator[str]:
    yield f"      - source: {_source(join.table.source)}"
    if join.query:
        yield f"        query: {json.dumps(join.query, ensure_ascii=False)}"
    marks = tuple(dict.fromkeys(m for g in join.columns.values() for c in g.sources for m in c.marks))
    if marks:
        yield f"        missing: [{', '.join(map(scalar, marks))}]"
    if join.key is None:
        yield from _wrapped(
            f'        "on": {{case_id: {FILL_IN}}}', "FILL IN: the column that names the case"
        )
    else:
        doubts = f"CHECK: {'; '.join(join.key_doubts)}; " if join.key_doubts else ""
        shown = f", e.g. {examples((join.key,), 'case_id')}"
        yield from _wrapped(
            f'        "on": {{case_id: {scalar(join.key.name.text)}}}', f"{doubts}{join.key_about}{shown}"
        )
    renamed = {n: g for n, g in join.columns.items() if _spec(g) != n}
    if renamed:
        yield "        columns:"
        for guess in renamed.values():
            yield from _column(guess, "          ", None)
    if join.take:
        pairs = ", ".join(f"{name}: {how}" for name, how in join.take.items())
        yield f"        take: {{{pairs}}}"
    else:
        yield from _wrapped(
            f"        take: {FILL_IN}", "FILL IN: what it brings, such as {handling_minutes: sum}"
        )


def _fills(draft: Draft, group: str) -> Iterator[str]:
    for key, (where, wanted) in FILLS.items():
        if where != group:
            continue
        if key in draft.given:
            yield f"  {key}: {draft.given[key]}"
        else:
            yield from _wrapped(f"  {key}: {FILL_IN}", f"FILL IN: {wanted}")


def _mix(draft: Draft) -> Iterator[str]:
    guess = draft.guesses.columns.get("segment")
    if guess is None:
        return
    column = guess.sources[0]
    total = sum(column.values.values())
    shares = _shares([n / total for n in column.values.values()])
    pairs = ", ".join(f"{scalar(v)}: {share:.2f}" for v, share in zip(column.values, shares, strict=True))
    yield "  # FILL IN once somebody knows: each segment's share in production, which sums to 1; sampled were those"
    yield "  # below. Until then the baseline's shares are taken, and the report says that they are assumed."
    yield f"  # mix: {{{pairs}}}"


def _shares(exact: Sequence[float]) -> list[float]:
    """Shares in hundredths that sum to 1, the largest remainders rounded up."""
    cents = [int(100 * s + 1e-9) for s in exact]
    order = sorted(range(len(exact)), key=lambda i: (cents[i] - 100 * exact[i], i))
    for i in order[: 100 - sum(cents)]:
        cents[i] += 1
    return [c / 100 for c in cents]


def _fx(draft: Draft) -> Iterator[str]:
    every = [draft.guesses.columns, *(j.columns for j in draft.joins)]
    known = {g["cost_currency"].constant for g in every if "cost_currency" in g}
    for currency in sorted(c for c in known if c and c != (draft.currency or "EUR")):
        own = draft.currency or "EUR"
        line = f"  fx: {{{currency}: {draft.given.get('fx', FILL_IN)}}}"
        told = f"FILL IN: {own} for one {currency}, such as {{low: 0.84, high: 0.95}}"
        yield from _wrapped(line, "" if "fx" in draft.given else told)


def _said(line: str, comment: str) -> str:
    return f"{line}   # {comment}" if comment else line


def _wrapped(line: str, comment: str) -> Iterator[str]:
    """A line with its comment beside it, or a long comment above it."""
    whole = _said(line, comment)
    if len(whole) <= 118 or not comment or comment.startswith("FILL IN"):
        yield whole
        return
    indent = line[: len(line) - len(line.lstrip())]
    mark = "CHECK: see above" if comment.startswith("CHECK") else ""
    yield from _note(comment, indent)
    yield _said(line, mark)


def _note(text: str, indent: str = "") -> Iterator[str]:
    """A comment of one or more lines."""
    import textwrap

    for line in textwrap.wrap(plain(text), 112 - len(indent), break_long_words=False, break_on_hyphens=False):
        yield f"{indent}# {line}"
