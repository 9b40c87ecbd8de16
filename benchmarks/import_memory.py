"""How much memory exports take that come as one document or one stream: of a size, and of four times that size.

    uv run python benchmarks/import_memory.py [--mb 100] [--format tau2]

Writes generated runs of each format, so that its file is of about so many megabytes, and reads them with `roi import`
in a process of its own, whose greatest memory is printed. Exits with 1 from 500 MB on, or where memory grows by half of
what the file grew by: then it is held whole.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MOST_MB = 500
BEGAN = dt.datetime(2026, 1, 5)
TEXT = " ".join(["the", "claim", "names", "a", "broken", "window", "and", "a", "photo"] * 60)


def at(second: int) -> str:
    return (BEGAN + dt.timedelta(seconds=second)).isoformat()


def simulation(i: int) -> Any:
    usage = {"prompt_tokens": 900 + i % 50, "completion_tokens": 40}
    messages = [
        {"role": "assistant", "content": TEXT, "timestamp": at(i * 60 + k), "cost": 0.002, "usage": usage,
         "tool_calls": [{"id": f"c{k}", "name": "look_up", "arguments": {}, "requestor": "assistant"}]}
        for k in range(12)
    ]  # fmt: skip
    return {
        "id": f"s{i}", "task_id": str(i % 50), "start_time": at(i * 60), "end_time": at(i * 60 + 50), "trial": 0,
        "termination_reason": "user_stop", "agent_cost": 0.024, "reward_info": {"reward": float(i % 2)},
        "messages": messages,
    }  # fmt: skip


def sample(i: int) -> Any:
    usage = {
        "openai/gpt-4.1": {"input_tokens": 900, "output_tokens": 40 + i % 9, "total_tokens": 940 + i % 9}
    }
    events = [
        {"event": "tool", "id": f"t{k}", "function": "look_up", "result": TEXT, "timestamp": at(i * 60 + k)}
        for k in range(12)
    ]
    score = {"match": {"value": "CI"[i % 2]}}
    return {"id": i, "epoch": 1, "events": events, "model_usage": usage, "scores": score, "input": TEXT}


def document(path: Path, size: int, head: Any, name: str, make: Callable[[int], Any]) -> None:
    """A document with a long list."""
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + f', "{name}": [')
        i = 0
        while file.tell() < size:
            file.write(("," if i else "") + json.dumps(make(i)))
            i += 1
        file.write("]}")


def tau2(path: Path, size: int) -> None:
    info = {
        "agent_info": {"llm": "gpt-4.1", "implementation": "llm_agent"},
        "environment_info": {"domain_name": "retail"},
    }
    document(path, size, {"info": info, "num_trials": 1}, "simulations", simulation)


INSPECT = {
    "eval": {"task": "claims", "model": "openai/gpt-4.1", "run_id": "r", "created": at(0)},
    "status": "success",
}


def inspect(path: Path, size: int) -> None:
    document(path, size, INSPECT, "samples", sample)


def inspect_archive(path: Path, size: int) -> None:
    """Its size is that of what is packed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("header.json", json.dumps(INSPECT))
        i = written = 0
        while written < size:
            text = json.dumps(sample(i))
            archive.writestr(f"samples/{i}_epoch_1.json", text)
            i, written = i + 1, written + len(text)


def events(i: int) -> Iterator[Any]:
    yield {"type": "session.status_running", "id": f"b{i}", "processed_at": at(i * 60)}
    for k in range(12):
        yield {
            "type": "agent.tool_use", "id": f"u{i}-{k}", "name": "look_up", "evaluated_permission": "allow",
            "input": {"query": TEXT}, "processed_at": at(i * 60 + k),
        }  # fmt: skip
    usage = {"input_tokens": 900, "output_tokens": 40 + i % 9}
    yield {
        "type": "span.model_request_end", "id": f"m{i}", "model": "claude-sonnet-4-5", "model_usage": usage,
        "processed_at": at(i * 60 + 20),
    }  # fmt: skip


def agent_events(path: Path, size: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        i = 0
        while file.tell() < size:
            file.writelines(json.dumps({**event, "session_id": f"s{i}"}) + "\n" for event in events(i))
            i += 1


STEPS = ("START", "COMPLETE")


def xes(path: Path, size: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0"?>\n<log xes.version="1.0">\n')
        i = 0
        while file.tell() < size:
            file.write(
                f'<trace><string key="concept:name" value="c{i}"/><string key="AMOUNT_REQ" value="{i}"/>\n'
            )
            for k in range(20):
                file.write(
                    f'<event><string key="concept:name" value="a{k // 2}"/>'
                    f'<string key="org:resource" value="w{i % 90}"/>'
                    f'<string key="lifecycle:transition" value="{STEPS[k % 2]}"/>'
                    f'<date key="time:timestamp" value="{at(i * 60 + k)}+00:00"/></event>\n'
                )
            file.write("</trace>\n")
            i += 1
        file.write("</log>\n")


def table(path: Path, size: int) -> None:
    """Events in the order of their times: those of thousands of cases lie between two of a case."""
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "case:concept:name,concept:name,org:resource,lifecycle:transition,time:timestamp,case:AMOUNT_REQ\n"
        )
        i = 0
        while file.tell() < size:
            for k in range(20):
                when = at(i * 60 + k)
                file.writelines(
                    f"c{i + c},a{k // 2},w{c % 90},{STEPS[k % 2]},{when}+00:00,{c}\n" for c in range(5000)
                )
            i += 5000


def promptfoo(path: Path, size: int) -> None:
    """One document, whose list lies within an object of it."""
    prompts = [{"provider": "openai:gpt-4.1", "id": "p", "label": "p"}]
    head = json.dumps(
        {"evalId": "e", "results": {"version": 3, "timestamp": at(0), "prompts": prompts, "results": []}}
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(head[:-3])
        i = 0
        while file.tell() < size:
            usage = {"total": 940, "prompt": 900, "completion": 40}
            output = {
                "provider": {"id": "openai:gpt-4.1"}, "promptIdx": 0, "testIdx": i, "success": i % 3 > 0,
                "prompt": {"raw": TEXT}, "vars": {"q": TEXT}, "cost": 0.002,
                "response": {"output": TEXT, "tokenUsage": usage, "cached": False},
            }  # fmt: skip
            file.write(("," if i else "") + json.dumps(output))
            i += 1
        file.write("]}}")


def trajectories(path: Path, size: int) -> None:
    """A list of them on one line."""
    with path.open("w", encoding="utf-8") as file:
        i = 0
        while file.tell() < size:
            steps = [
                {"step_id": k, "source": "agent", "timestamp": at(i * 60 + k), "message": TEXT,
                 "tool_calls": [{"function_name": "look_up"}],
                 "metrics": {"prompt_tokens": 900 + k, "completion_tokens": 40, "cost_usd": 0.002}}
                for k in range(12)
            ]  # fmt: skip
            one = {
                "schema_version": "ATIF-v1.6",
                "session_id": f"s{i}",
                "agent": {"name": "x"},
                "steps": steps,
            }
            file.write((", " if i else "[") + json.dumps(one))
            i += 1
        file.write("]")


def runs(path: Path, size: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "run_id,session_id,model,prompt_tokens,completion_tokens,cost_usd,started_at,status,queue\n"
        )
        i = 0
        while file.tell() < size:
            file.write(f"{i},s{i // 2},gpt-4.1,{900 + i % 90},40,0.002,{at(i * 60)},ok,q{i % 9}\n")
            i += 1


FORMATS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "tau2": ("runs.json", tau2), "inspect": ("log.json", inspect), "inspect archive": ("log.eval", inspect_archive),
    "agent_events": ("events.jsonl", agent_events), "event_log": ("log.xes", xes),
    "event_log table": ("log.csv", table), "promptfoo": ("results.json", promptfoo),
    "atif": ("list.json", trajectories), "runs": ("runs.csv", runs),
}  # fmt: skip


def peak_mb(path: Path, out: Path) -> float:
    """The greatest memory of an import, in megabytes.

    Raises:
        RuntimeError: If it failed.
    """
    command = [
        sys.executable,
        "-c",
        "from roi.cli import main; main()",
        "import",
        str(path),
        "-o",
        str(out),
        "--force",
    ]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=ROOT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(said.read().decode(errors="replace")[-2000:])
    if not (out / "cases.csv").exists():
        raise RuntimeError("no cases came of it")
    return used.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mb", type=int, default=100)
    parser.add_argument("--format", choices=FORMATS, action="append")
    given = parser.parse_args()
    failed = False
    for kind in given.format or FORMATS:
        name, write = FORMATS[kind]
        peaks = []
        for size in (given.mb, 4 * given.mb):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / name
                write(path, size << 20)
                peaks.append(peak_mb(path, Path(folder) / "out"))
        grown = peaks[1] - peaks[0]
        held = peaks[1] >= MOST_MB or grown >= 1.5 * given.mb
        failed |= held
        print(
            f"{kind:16} {given.mb:5,} MB: {peaks[0]:5,.0f} MB; {4 * given.mb:5,} MB: {peaks[1]:5,.0f} MB"
            f" ({grown / (3 * given.mb):+.2f} MB more a MB){'  HELD WHOLE' if held else ''}",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
