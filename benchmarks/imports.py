"""How fast traces are imported, and in how much memory, beside Python's own `json.loads` of the same lines.

    uv run python benchmarks/imports.py [--spans 1000000] [--format openinference] [--floors]

Writes generated spans in JSON Lines, ten to a trace (an agent around model calls, tools and steps): children before
their parents, several hundred traces at once, one span in fifty far from the rest of its trace, one in two hundred sent
twice, two traces to a conversation. `roi import` reads them in a process of its own; its processor time, the greatest
memory that it held and what it says of the file are printed. A million spans in OTLP are more than a gigabyte. Exits
with 1 below 40,000 spans a second of processor, or from 500 MB on.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LEAST, MOST_MB = 40_000, 500
PER_TRACE, AT_ONCE = 10, 300
FORMATS = ("openinference", "otlp", "langfuse")
BEGAN = 1_767_600_000_000_000  # microseconds
MODELS = ("gpt-4.1", "gpt-4.1-mini", "claude-sonnet-4-5")
KINDS = ("LLM", "TOOL", "LLM", "TOOL", "CHAIN", "LLM", "TOOL", "LLM", "RETRIEVER", "AGENT")
WORDS = (
    "claim",
    "policy",
    "number",
    "window",
    "broken",
    "photo",
    "invoice",
    "refund",
    "customer",
    "agrees",
    "adjuster",
)

FLOORS = {
    "msgspec": "import msgspec\nd = msgspec.json.Decoder()\nfor line in open({path!r}, 'rb'): d.decode(line)",
    "DuckDB": (
        "import duckdb\nc = duckdb.connect()\nc.execute('set threads = 1')\n"
        "c.execute('select count(j) from read_ndjson_objects(?) t(j) where json_valid(j)', [{path!r}]).fetchall()"
    ),
}

Span = dict[str, Any]


def texts(rng: random.Random) -> list[str]:
    """Prompts, some hundred characters each."""
    return [" ".join(rng.choices(WORDS, k=24)) for _ in range(1024)]


def spans_of(trace: int, rng: random.Random, prompts: list[str]) -> list[Span]:
    """The spans of a trace in the order of their ends, plain: every format is written from these."""
    start = BEGAN + trace * 700_000 + rng.randrange(500_000)
    made, at = [], start
    for i, kind in enumerate(KINDS):
        end = at + rng.randrange(40_000, 2_000_000)
        text = prompts[rng.randrange(len(prompts))]
        span: Span = {
            "trace": f"{trace:032x}", "span": f"{trace * PER_TRACE + i:016x}", "kind": kind, "text": text,
            "parent": None if kind == "AGENT" else f"{trace * PER_TRACE + PER_TRACE - 1:016x}", "failed": rng.random() < 0.01,
            "start": start if kind == "AGENT" else at, "end": end, "session": f"s-{trace // 2}", "queue": f"q{trace % 7}",
        }  # fmt: skip
        if kind == "LLM":
            span |= {"model": MODELS[trace % 3], "in": rng.randrange(200, 9000), "out": rng.randrange(5, 900)}
        at = end
        made.append(span)
    return made


def moment(micro: int) -> str:
    seconds, rest = divmod(micro - BEGAN, 1_000_000)
    day, seconds = divmod(seconds + 8 * 3600, 86_400)
    month, day = divmod(day, 28)
    return f"2026-{month % 12 + 1:02d}-{day + 1:02d}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:06d}+00:00"


def openinference(s: Span) -> Any:
    said = {"openinference.span.kind": s["kind"], "session.id": s["session"], "input.value": s["text"], "output.value": s["text"][:90],
            "input.mime_type": "text/plain", "metadata.queue": s["queue"]}  # fmt: skip
    if "model" in s:
        said |= {"llm.model_name": s["model"], "llm.provider": "openai" if s["model"] > "d" else "anthropic", "llm.token_count.prompt": s["in"],
                 "llm.token_count.completion": s["out"], "llm.token_count.total": s["in"] + s["out"],
                 "llm.invocation_parameters": '{"temperature": 0}'}  # fmt: skip
    elif s["kind"] == "TOOL":
        said |= {"tool.name": "look_up", "tool.parameters": '{"id": 17}'}
    return {"name": s["kind"].lower(), "context": {"trace_id": s["trace"], "span_id": s["span"], "trace_state": "[]"}, "parent_id": s["parent"],
            "span_kind": s["kind"], "start_time": moment(s["start"]), "end_time": moment(s["end"]), "status_code": "ERROR" if s["failed"] else "OK",
            "status_message": "", "events": [], "attributes": said}  # fmt: skip


def otlp(s: Span) -> Any:
    said: Span = {
        "session.id": s["session"],
        "queue": s["queue"],
        "gen_ai.input.messages": s["text"],
        "gen_ai.output.messages": s["text"][:90],
    }
    if "model" in s:
        said |= {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai" if s["model"] > "d" else "anthropic",
                 "gen_ai.request.model": s["model"], "gen_ai.response.model": s["model"], "gen_ai.usage.input_tokens": s["in"],
                 "gen_ai.usage.output_tokens": s["out"]}  # fmt: skip
    elif s["kind"] == "TOOL":
        said |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"}
    attributes = [
        {"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}}
        for k, v in said.items()
    ]
    span = {"traceId": s["trace"], "spanId": s["span"], "name": s["kind"].lower(), "kind": 1, "startTimeUnixNano": f"{s['start']}000",
            "endTimeUnixNano": f"{s['end']}000", "attributes": attributes, "status": {"code": 2} if s["failed"] else {}}  # fmt: skip
    if s["parent"]:
        span["parentSpanId"] = s["parent"]
    resource = {
        "attributes": [
            {"key": "service.name", "value": {"stringValue": "claims"}},
            {"key": "service.version", "value": {"stringValue": "7"}},
        ]
    }
    return {
        "resourceSpans": [
            {"resource": resource, "scopeSpans": [{"scope": {"name": "agent"}, "spans": [span]}]}
        ]
    }


def langfuse(s: Span) -> Any:
    kind = {"LLM": "GENERATION", "TOOL": "TOOL", "AGENT": "AGENT"}.get(s["kind"], "SPAN")
    made = {"id": s["span"], "traceId": s["trace"], "type": kind, "name": "look_up" if kind == "TOOL" else s["kind"].lower(),
            "startTime": moment(s["start"]), "endTime": moment(s["end"]), "parentObservationId": s["parent"], "level": "ERROR" if s["failed"] else "DEFAULT",
            "input": s["text"], "output": s["text"][:90], "metadata": {"queue": s["queue"], "session_id": s["session"]}, "environment": "default",
            "version": None, "projectId": "p", "createdAt": moment(s["end"]), "updatedAt": moment(s["end"])}  # fmt: skip
    if "model" in s:
        cost = {"input": s["in"] * 2e-6, "output": s["out"] * 8e-6, "total": s["in"] * 2e-6 + s["out"] * 8e-6}
        made |= {"model": s["model"], "usageDetails": {"input": s["in"], "output": s["out"], "total": s["in"] + s["out"]}, "costDetails": cost,
                 "modelParameters": {"temperature": 0}, "completionStartTime": moment(s["start"] + 9)}  # fmt: skip
    return made


def sent(spans: int, rng: random.Random) -> Iterator[Span]:
    """Spans as a collector writes them: of many traces at once, some late, some twice."""
    late: list[Span] = []
    prompts = texts(rng)
    traces = spans // PER_TRACE
    for begin in range(0, traces, AT_ONCE):
        together = [iter(spans_of(t, rng, prompts)) for t in range(begin, min(begin + AT_ONCE, traces))]
        for _ in range(PER_TRACE):
            for trace in together:
                span = next(trace)
                if rng.random() < 0.02:
                    late.append(span)
                    continue
                yield span
                if rng.random() < 0.005:
                    yield span
    yield from late


def write(path: Path, spans: int, shape: Callable[[Span], Any]) -> int:
    n = 0
    with path.open("w", encoding="utf-8") as file:
        for span in sent(spans, random.Random(20260101)):
            file.write(json.dumps(shape(span)) + "\n")
            n += 1
    return n


def measured(*command: str) -> tuple[float, float, float]:
    """Seconds of processor and by the clock of a program and its children, and its greatest memory in MB."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if child.returncode:
        raise SystemExit(f"{' '.join(command[-6:])}: exit code {child.returncode}\n{text}")
    return used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--format", choices=FORMATS, action="append")
    parser.add_argument(
        "--keep", type=Path, help="a folder in which the generated files stay, and are found again"
    )
    parser.add_argument("--floors", action="store_true", help="what reading the lines alone takes otherwise")
    given = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as place:
        folder = given.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        for name in given.format or FORMATS:
            path = folder / f"{name}_{given.spans}.jsonl"
            if not path.exists():
                write(
                    path,
                    given.spans,
                    {"openinference": openinference, "otlp": otlp, "langfuse": langfuse}[name],
                )
            with path.open("rb") as file:
                lines = sum(1 for _ in file)
            out = Path(place) / name
            peer, _, peer_mb = measured(
                "-c", f"import json\nfor line in open({str(path)!r}): json.loads(line)"
            )
            seconds, clock, mb = measured(
                "-c", "from roi.cli import main; main()", "import", str(path), "-o", str(out)
            )
            with (out / "cases.csv").open(encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            traces, tokens = (
                sum(int(r.get("traces") or 1) for r in rows),
                sum(int(r["input_tokens"]) for r in rows),
            )
            rate = lines / seconds
            fine = rate >= LEAST and mb < MOST_MB
            missed |= not fine
            print(
                f"{name:14} {lines:>9,} lines {path.stat().st_size / 1e6:6,.0f} MB: {seconds:6.1f} s of processor, {rate:8,.0f} spans/s ({lines / clock:,.0f} by the clock), "
                f"{mb:4,.0f} MB; json.loads alone {peer:5.1f} s ({peer_mb:,.0f} MB), ratio {seconds / peer:.2f}; "
                f"{len(rows):,} cases of {traces:,} traces, {tokens:,} tokens {'PASS' if fine else 'FAIL'}",
                flush=True,
            )  # fmt: skip
            for peer_name, program in FLOORS.items() if given.floors else ():
                least, _, _ = measured("-c", program.format(path=str(path)))
                print(
                    f"  {peer_name} alone {least:5.1f} s of processor, the import takes {seconds / least:.1f} times that"
                )
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
