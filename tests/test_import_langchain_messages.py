"""LangSmith's runs whose usage stands only in the messages that LangChain answered with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from roi.importers import read_export, recognise
from roi.readers.files import Found, look_through

USAGE = {
    "input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100,
    "input_token_details": {"cache_read": 600}, "output_token_details": {"reasoning": 60},
}  # fmt: skip
OPENAI = {
    "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 600},
}  # fmt: skip
ANTHROPIC = {"input_tokens": 400, "cache_read_input_tokens": 600, "output_tokens": 100}


def dumped(**said: Any) -> dict[str, Any]:
    """A generation whose message is as LangChain dumps it."""
    return {"text": "private", "type": "ChatGeneration", "message": {
        "lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"],
        "kwargs": {"content": "private", "type": "ai", **said}}}  # fmt: skip


def row(path: Path, outputs: dict[str, Any], **metadata: str) -> dict[str, str | None]:
    """The trace of one model call with these outputs."""
    run = {
        "id": "call", "trace_id": "call", "run_type": "llm", "name": "ChatOpenAI", "start_time": "2026-03-01T10:00:00Z",
        "end_time": "2026-03-01T10:00:09Z", "outputs": outputs, "extra": {"metadata": metadata},
        "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0,
    }  # fmt: skip
    path.write_text(json.dumps({"post": [run]}))
    found = Found(path, path.name)
    assert recognise(found) == "langsmith"
    export = read_export("langsmith", [(found, look_through(found))])
    assert "private" not in str(export.traces.rows)
    (made,) = export.traces.rows
    return dict(made)


@pytest.mark.parametrize(
    "outputs",
    [
        {"generations": [[dumped(usage_metadata=USAGE)]], "llm_output": None},
        {"generations": [dumped(usage_metadata=USAGE)]},
        {"generations": [[dumped(response_metadata={"token_usage": OPENAI})]]},
        {"generations": [[dumped(usage_metadata=None, response_metadata={"usage": ANTHROPIC})]]},
        {"generations": [[{"message": {"type": "ai", "data": {"usage_metadata": USAGE}}}]]},
        {"generations": [[{"message": {"type": "ai", "usage_metadata": USAGE}}]]},
        {"generations": [[dumped(usage_metadata=USAGE)]], "llm_output": {"token_usage": OPENAI}},
        {
            "generations": [[dumped(usage_metadata=USAGE)]],
            "llmOutput": {"tokenUsage": {"promptTokens": 1000, "completionTokens": 100}},
        },
        # Two alternatives to one prompt, each with the usage of the request.
        {"generations": [[dumped(usage_metadata=USAGE), dumped(usage_metadata=USAGE)]]},
    ],
)
def test_usage_of_messages(tmp_path: Path, outputs: dict[str, Any]) -> None:
    """400 fresh at USD 2, 600 cached at 0.50 and 100 out at 8 a million: 0.0008 + 0.0003 + 0.0008 = 0.0019."""
    made = row(tmp_path / "runs.json", outputs, ls_provider="openai", ls_model_name="gpt-4.1")
    names = ("input_tokens", "cache_read_tokens", "output_tokens", "agent_cost")
    assert tuple(made.get(n) for n in names) == ("1000", "600", "100", "0.001900000")


def test_what_answers_several_prompts_is_added(tmp_path: Path) -> None:
    outputs = {"generations": [[dumped(usage_metadata=USAGE)], [dumped(usage_metadata=USAGE)]]}
    made = row(tmp_path / "runs.json", outputs, ls_provider="openai", ls_model_name="gpt-4.1")
    assert (made["input_tokens"], made["cache_read_tokens"], made["output_tokens"]) == ("2000", "1200", "200")
    assert made["agent_cost"] == "0.003800000"


def test_javascripts_sum_where_no_message_tells_any(tmp_path: Path) -> None:
    outputs = {
        "generations": [[dumped()]],
        "llmOutput": {"tokenUsage": {"promptTokens": 1000, "completionTokens": 100}},
    }
    made = row(tmp_path / "runs.json", outputs)
    assert (made["input_tokens"], made["output_tokens"]) == ("1000", "100")


def test_a_message_names_its_model_and_provider(tmp_path: Path) -> None:
    about = {"model_name": "gpt-4.1-2025-04-14", "model_provider": "openai", "token_usage": OPENAI}
    made = row(tmp_path / "runs.json", {"generations": [[dumped(response_metadata=about)]]})
    assert (made["model"], made["provider"]) == ("gpt-4.1-2025-04-14", "openai")


@pytest.mark.parametrize(
    "generations",
    [None, [], [[]], "private", [None], [["private"]], [[{"message": None}]], [[{"message": {"kwargs": "private"}}]],
     [[dumped(usage_metadata="private", response_metadata=[1])]], [[dumped(usage_metadata={"input_tokens": "private"})]]],
)  # fmt: skip
def test_nothing_is_made_of_messages_that_tell_nothing(tmp_path: Path, generations: Any) -> None:
    made = row(tmp_path / "runs.json", {"generations": generations})
    assert made.get("input_tokens") is None
    assert made.get("agent_cost") is None
