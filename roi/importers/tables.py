"""What the importers have in common: spans of a trace, which of them count, what they cost, and the two tables.

One trace becomes one row of `traces`, each tool call one row of `actions`. Besides their own columns both carry what a
trace says of itself (`metadata.…`, `attributes.…`, `resource.…`, `scores.…`), which is where keys of cases are found.

| column of `traces` | what it is |
|---|---|
| trace_id, name, session_id, user_id, environment, tags | as the export names them; tags joined by `;` |
| version, release | of the agent |
| started_at, ended_at, latency | first start and last end of its spans in UTC; seconds between them |
| provider, model | of its model calls where they agree, blank where there are several |
| models, calls, tool_calls, errors | all of its models; model calls, tool calls and failed spans |
| input_tokens, cache_read_tokens, cache_write_tokens, output_tokens | sums; input holds the cached ones; see below |
| cache_write_1h_tokens | of those written to a cache, kept for an hour; only where some are |
| agent_cost, cost_currency | sum of the logged costs, list prices where none is logged; blank where one is unknown |

| column of `actions` | what it is |
|---|---|
| action_id | trace and span, so that it is the export's only one |
| trace_id, session_id, … | as above, with the keys of the trace and of the call itself |
| tool, status, duration_ms | the tool's name; ok or error; from start to end |
| requested_at, executed_at | start and end of the call in UTC |
| version | of the agent |

Half a bill is no bill: where a model call that did not fail logs neither tokens nor cost, those of its trace are
unknown, unless a span that it lies in, or one inside it, says what was used.

Calls are counted once. A span that carries the tokens of the spans below it (an agent's, or a framework's around the
provider's own) is set against their sum and the larger counts: never both, and never less than either says. What runs
below a tool (another agent, say) is other work than the call above the tool and is added to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from operator import itemgetter

from roi.importers.charges import Bills, Charge, charges_of, has_silent_calls, model_of
from roi.importers.compared import Comparison
from roi.importers.contents import without_contents
from roi.importers.export import NOTHING, Contradiction, Export, Table
from roi.importers.facts import merged
from roi.importers.gathered import Names, Rows
from roi.importers.spans import Span, Trace, Traces
from roi.importers.summaries import Totals
from roi.importers.times import to_iso
from roi.prices import CURRENCY, OwnPrices

__all__ = ["OWN", "OWN_OF_CALLS", "Export", "Made", "Table", "export_of"]

_MOST_FACTS = 500
_NEVER = 1 << 62
_NO_CALLS = "no model call is logged"
_NO_SPANS = "the files hold the trace without its spans"
_NOT_HELD = "it sums up model calls that the files do not hold"
_HOLLOW = "traces of which the files hold only what others say of them, such as scores"
_TRACE_COLUMNS = (
    "trace_id", "name", "session_id", "user_id", "environment", "tags", "version", "release", "started_at",
    "ended_at", "latency", "provider", "model", "models", "calls", "tool_calls", "errors", "input_tokens",
    "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens", "agent_cost", "cost_currency",
)  # fmt: skip
_ACTION_COLUMNS = (
    "action_id", "trace_id", "name", "session_id", "user_id", "environment", "tags", "version", "release", "tool",
    "requested_at", "executed_at", "status", "duration_ms",
)  # fmt: skip


def export_of(
    found: Traces,
    *,
    own: OwnPrices | None = None,
    evals: Table = NOTHING,
    versions: Table = NOTHING,
    warnings: Sequence[str] = (),
    left_out: Mapping[str, int] | None = None,
    contradictions: Sequence[Contradiction] = (),
) -> Export:
    """The tables of the traces that were found.

    Args:
        found: They.
        own: Prices of one's own, by model.
        evals: Graded runs that the same files hold.
        versions: What they sum up of versions.
        warnings: What the format's own module has to say.
        left_out: Why something was left out → how many.
        contradictions: Where summaries and rows differ, besides costs.
    """
    made = Made(own)
    # Where nothing at all logs a model call, calls are not logged; that none was made would be a guess.
    blind = not found.calls
    for part in found.parts():
        for name, trace in part:
            made.take(name, trace, blind=blind)
        made.names.end_run()
    return made.export(
        made.rows,
        made.actions,
        list(made.names),
        evals=evals,
        versions=versions,
        warnings=warnings,
        left_out=left_out,
        contradictions=contradictions,
    )


class Made:
    """What is made of traces, one after another."""

    def __init__(self, own: OwnPrices | None) -> None:
        self.rows: Rows[Mapping[str, str | None]] = Rows()
        self.actions: Rows[Mapping[str, str | None]] = Rows()
        self.names = Names(_MOST_FACTS + len(_TRACE_COLUMNS) + len(_ACTION_COLUMNS))
        self.compared, self.totals = Comparison(), Totals()
        self.unknown: dict[str, tuple[int, int]] = {}  # why → first trace of it, how many
        self.repeated = self.hollow = self.nested = self.stated = self.free = 0
        self._bills = Bills(own)

    def take(self, name: str, trace: Trace, *, blind: bool) -> None:
        """Make rows of a trace."""
        counted = self.count(name, trace, blind=blind)
        if counted is None:
            return
        own, nested = counted
        said, cells = without_contents(*trace.facts.cells())
        self.names.note(trace.first, said)
        names, pick = merged(said, OWN)
        self.rows.add_cells(trace.first, names, pick((*cells, *own)))
        tools = []
        for key, span in trace.spans.items():
            theirs, texts = ((), ()) if span.facts is None else without_contents(*span.facts.cells())
            if theirs:
                self.names.note(trace.first, theirs)
            if span.kind == "tool" and key not in nested:
                tools.append((_NEVER if span.start is None else span.start, key, span, theirs, texts))
        tools.sort(key=_TIME_AND_NAME)
        for _, key, span, theirs, texts in tools:
            names, pick = merged(said, theirs, OWN_OF_CALLS)
            status = None
            if "status" in theirs or "status" in said:
                status = dict(zip((*said, *theirs), (*cells, *texts), strict=True))["status"]
            self.actions.add_cells(
                trace.first, names, pick((*cells, *texts, *_call_cells(name, key, span, status)))
            )

    def count(
        self, name: str, trace: Trace, *, blind: bool
    ) -> tuple[tuple[str | None, ...], Collection[str]] | None:
        """Count a trace; what is known of it besides what it says of itself (the cells of `OWN`), and its nested calls.

        Args:
            name: Of the trace.
            trace: It; what it says of itself is not asked for.
            blind: Whether model calls are logged nowhere.

        Returns:
            Both; None for a trace of which nothing is held.
        """
        if not trace.spans and trace.began is None and trace.total_cost is None:
            self.hollow += 1
            return None
        charges = charges_of(trace)
        listed = self._bills.listed(charges)
        silent = has_silent_calls(trace)
        cost, why = (None, _NO_CALLS) if blind else self._bills.cost(charges, listed, silent=silent)
        if not trace.spans:
            # It came from a list of traces: what it did is not known, and what it cost only where it says so.
            cost = trace.total_cost if trace.total_cost and trace.total_cost > 0 else None
            why = _NO_SPANS if cost is None else None
        elif not charges and (trace.total_tokens or trace.total_cost):
            # It sums up calls that the files do not hold: those cost something, and what it states stands.
            cost = trace.total_cost if trace.total_cost and trace.total_cost > 0 else None
            why = _NOT_HELD if cost is None else None
            self.stated += cost is not None
        if why is not None:
            first, n = self.unknown.get(why, (trace.first, 0))
            self.unknown[why] = (min(first, trace.first), n + 1)
        elif not charges and not cost:
            self.free += 1
        self.repeated += trace.repeated
        self.compared.add(trace.first, charges, listed)
        self.totals.add(trace, charges, cost)
        nested = _nested(trace)
        self.nested += len(nested)
        return _trace_cells(name, trace, charges, cost, nested, silent=silent), nested

    def export(
        self,
        rows: Sequence[Mapping[str, str | None]],
        actions: Sequence[Mapping[str, str | None]],
        names: Sequence[str],
        *,
        evals: Table = NOTHING,
        versions: Table = NOTHING,
        warnings: Sequence[str] = (),
        left_out: Mapping[str, int] | None = None,
        contradictions: Sequence[Contradiction] = (),
    ) -> Export:
        """The tables of what was taken; see `export_of`.

        Args:
            rows: Of the traces.
            actions: Of the calls.
            names: What traces and calls say of themselves, as columns in their order.
        """
        compared = self.compared.result()
        said = [
            f"{n:,} {'trace has' if n == 1 else 'traces have'} an unknown cost: {why}"
            for why, (_, n) in sorted(self.unknown.items(), key=lambda item: item[1])
        ]
        if self.free:
            have = "trace logs no model call and is" if self.free == 1 else "traces log no model call and are"
            said.append(
                f"{self.free:,} {have} taken to cost 0; where calls were made, they are not in the export"
            )
        if self.stated:
            have = (
                "trace has the cost that it states"
                if self.stated == 1
                else "traces have the costs that they state"
            )
            said.append(
                f"{self.stated:,} {have}: the files hold no model call of {'it' if self.stated == 1 else 'them'}"
            )
        if self.nested:
            calls = "tool call is" if self.nested == 1 else "tool calls are"
            said.append(
                f"{self.nested:,} {calls} told by a span within a span of the same call; each counts once"
            )
        if self.repeated:
            occur = "span occurs" if self.repeated == 1 else "spans occur"
            said.append(f"{self.repeated:,} {occur} more than once; each counts once")
        said += compared.bounds
        lost = dict(left_out or {})
        if self.hollow:
            lost[_HOLLOW] = self.hollow
        taken = {*_TRACE_COLUMNS, *_ACTION_COLUMNS}
        facts = [name for name in names if name not in taken][:_MOST_FACTS]
        return Export(
            traces=Table((*_TRACE_COLUMNS, *facts), rows),
            actions=Table((*_ACTION_COLUMNS, *facts), actions),
            evals=evals,
            versions=versions,
            warnings=(*said, *warnings),
            left_out=lost,
            contradictions=(*contradictions, *self.totals.result(), *compared.contradictions),
        )


def _nested(trace: Trace) -> Collection[str]:
    """Tool calls that lie within another span of the same call: of its client and its server, or of its framework.

    Where a model call or a call of another tool lies between them, the inner one is a call of its own.
    """
    tools = [key for key, span in trace.spans.items() if span.kind == "tool" and span.name is not None]
    if len(tools) < 2:
        return ()
    found = set[str]()
    for key in tools:
        passed, above = {key}, trace.spans[key].parent
        while above is not None and above not in passed and (outer := trace.spans.get(above)) is not None:
            if outer.kind != "other":
                if outer.kind == "tool" and outer.name == trace.spans[key].name:
                    found.add(key)
                break
            passed.add(above)
            above = outer.parent
    return found


OWN = (
    "trace_id", "started_at", "ended_at", "latency", "provider", "model", "models", "calls", "tool_calls", "errors",
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "agent_cost",
    "cost_currency",
)  # fmt: skip
OWN_OF_CALLS = ("action_id", "trace_id", "tool", "requested_at", "executed_at", "status", "duration_ms")
_TIME_AND_NAME = itemgetter(0, 1)


def _trace_cells(
    name: str,
    trace: Trace,
    charges: Sequence[Charge],
    cost: Decimal | None,
    nested: Collection[str],
    *,
    silent: bool,
) -> tuple[str | None, ...]:
    """What is known of a trace besides what it says of itself: the cells of `OWN`."""
    spans = trace.spans.values()
    start = min([s.start for s in spans if s.start is not None], default=trace.began)
    end = max([s.end for s in spans if s.end is not None], default=None)
    kinds = [s.kind for s in spans]
    models = sorted({m for c in charges if (m := model_of(c.span.model)) is not None})
    providers = sorted({c.span.provider for c in charges if c.span.provider is not None})
    # Where a call does not say what it used, the sum over the others is none.
    tokens = [c.span.tokens for c in charges if c.span.tokens is not None and not silent]
    hours = [t.cache_write_1h for t in tokens]
    return (
        name,
        to_iso(start),
        to_iso(end),
        None if start is None or end is None else f"{(end - start) / 1_000_000:.6f}",
        providers[0] if len(providers) == 1 else None,
        models[0] if len(models) == 1 else None,
        " + ".join(models) or None,
        # Calls that log nothing are no charges; that there were none would be wrong.
        str(len(charges)) if spans and (charges or not silent) else None,
        str(kinds.count("tool") - len(nested)) if spans else None,
        str(len([s for s in spans if s.failed])) if spans else None,
        _sum([t.input for t in tokens]),
        _sum([t.output for t in tokens]),
        _sum([t.cache_read for t in tokens], blank=0),
        _sum([t.cache_write for t in tokens], blank=0),
        _sum(hours, blank=0) if any(hours) else None,
        None if cost is None else f"{cost:f}",
        None if cost is None else CURRENCY,
    )


def _sum(numbers: Sequence[int | None], *, blank: int | None = None) -> str | None:
    """A sum; None where nothing is logged, or a part is not and `blank` does not say what it is."""
    known = [n for n in numbers if n is not None]
    lacking = len(numbers) - len(known)
    if not known or (lacking and blank is None):
        return None
    return str(sum(known) + (blank or 0) * lacking)


def _call_cells(name: str, key: str, span: Span, status: str | None) -> tuple[str | None, ...]:
    """What is known of a tool call besides what it says of itself: the cells of `OWN_OF_CALLS`."""
    start, end = span.start, span.end
    ended = None if span.failed is None else "error" if span.failed else "ok"
    return (
        f"{name}:{key}",
        name,
        span.name,
        to_iso(start),
        to_iso(end),
        status or ended,
        None if start is None or end is None else f"{(end - start) / 1000:.3f}",
    )
