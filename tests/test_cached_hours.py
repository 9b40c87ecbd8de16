"""What is written to a cache for an hour costs more than what is kept for minutes, whichever log says so."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pilots import cases, write_pilot

from roi.importers.csv_files import write_tables
from roi.importing import import_files
from roi.pilot import open_pilot
from roi.prices import Pricer, TokenPrice, TokenUse
from roi.problems import SampleError

MODEL = "claude-sonnet-4-5"
# USD 3 a million tokens sent, 3.75 kept for minutes, 6 for an hour, 15 received, 0.3 read:
# (1000 · 3 + 400 · 3.75 + 600 · 6 + 200 · 0.3 + 100 · 15) / 1e6
COST, SHORT = "0.009660000", "0.008310000"
ANTHROPIC = {
    "input_tokens": 1000, "output_tokens": 100, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 1000,
}  # fmt: skip
SPLIT = {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600}
TIMES = {"startTime": "2026-02-01T08:00:00Z", "endTime": "2026-02-01T08:00:01Z"}


def langfuse(details: Mapping[str, Any]) -> Any:
    inner = {
        "id": "a",
        "traceId": "t",
        "type": "GENERATION",
        **TIMES,
        "model": MODEL,
        "usageDetails": details,
    }
    trace = {"id": "t", "timestamp": TIMES["startTime"], "name": "claim"}
    return {"trace": trace, "observations": [inner]}


def span(usage: Mapping[str, int]) -> Any:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": MODEL,
        **usage,
    }
    attributes = [
        {"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}} for k, v in said.items()
    ]  # fmt: skip
    one = {
        "traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "chat", "attributes": attributes,
        "startTimeUnixNano": "1769932800000000000", "endTimeUnixNano": "1769932801000000000",
    }  # fmt: skip
    return {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}


def openinference(counts: Mapping[str, int]) -> Any:
    said = {"openinference.span.kind": "LLM", "llm.model_name": MODEL, "llm.provider": "anthropic"}
    return {
        "name": "chat", "context": {"trace_id": "t", "span_id": "1"}, "parent_id": None,
        "start_time": TIMES["startTime"], "end_time": TIMES["endTime"],
        "attributes": {**said, **{f"llm.token_count.{k}": n for k, n in counts.items()}},
    }  # fmt: skip


def langsmith(details: Mapping[str, int]) -> Any:
    usage = {"input_tokens": 2200, "output_tokens": 100, "total_tokens": 2300, "input_token_details": details}
    return {
        "id": "r", "trace_id": "r", "dotted_order": "20260201T080000000000Zr", "run_type": "llm", "name": "m",
        "start_time": "2026-02-01T08:00:00", "end_time": "2026-02-01T08:00:01", "outputs": {"usage_metadata": usage},
        "extra": {"metadata": {"ls_model_name": MODEL, "ls_provider": "anthropic"}},
    }  # fmt: skip


def events(usage: Mapping[str, Any]) -> Any:
    said = {
        "type": "span.model_request_end", "id": "e", "session_id": "s", "model": MODEL,
        "processed_at": "2026-02-01T08:00:01Z", "model_usage": usage,
    }  # fmt: skip
    return ["client.beta.sessions.events.stream", said]


def mlflow(usage: Mapping[str, Any]) -> Any:
    attributes = {
        "mlflow.spanType": json.dumps("CHAT_MODEL"), "mlflow.llm.model": json.dumps(MODEL),
        "mlflow.message.format": json.dumps("anthropic"), "mlflow.chat.tokenUsage": json.dumps(usage),
        "gen_ai.request.model": json.dumps(MODEL),
    }  # fmt: skip
    one = {
        "span_id": "b", "trace_id": "t", "name": "chat", "parent_span_id": None, "attributes": attributes,
        "start_time_unix_nano": 1769932800000000000, "end_time_unix_nano": 1769932801000000000,
    }  # fmt: skip
    info = {"trace_id": "t", "request_time": "2026-02-01T08:00:00Z", "state": "OK"}
    return {"info": info, "data": {"spans": [one]}}


GEN = "gen_ai.usage."
CALL = {f"{GEN}input_tokens": 2200, f"{GEN}output_tokens": 100, f"{GEN}cache_read.input_tokens": 200}
LOGS = {
    "langfuse, apart": langfuse(
        {"input": 1000, "output": 100, "input_cache_read": 200, "input_cache_creation_5m": 400, "input_cache_creation_1h": 600}
    ),
    "langfuse, beside their sum": langfuse(
        {
            "input": 1000, "output": 100, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 1000,
            "input_cache_creation_5m": 400, "input_cache_creation_1h": 600,
        }
    ),
    "langfuse, beside their sum and a total": langfuse(
        {
            "input": 1000, "output": 100, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 1000,
            "input_cache_creation_1h": 600, "total": 2300,
        }
    ),
    "langfuse, as Anthropic gives it": langfuse({**ANTHROPIC, "cache_creation": SPLIT}),
    "spans": span(
        {**CALL, f"{GEN}cache_creation.input_tokens": 1000, f"{GEN}cache_creation.ephemeral_1h_input_tokens": 600}
    ),
    "openinference": openinference(
        {
            "prompt": 2200, "completion": 100, "prompt_details.cache_read": 200, "prompt_details.cache_write": 1000,
            "prompt_details.cache_write_1h": 600,
        }
    ),
    "langsmith": langsmith({"cache_read": 200, "cache_creation": 0, **SPLIT}),
    "events": events({**ANTHROPIC, "cache_creation": SPLIT}),
    "mlflow": mlflow({**ANTHROPIC, "cache_creation": SPLIT}),
}  # fmt: skip


def case_of(value: Any, folder: Path) -> dict[str, str]:
    source = folder / "log.jsonl"
    source.write_text(json.dumps(value) + "\n", encoding="utf-8")
    write_tables(import_files([str(source)]).tables, folder / "out")
    with (folder / "out" / "cases.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    return row


@pytest.mark.parametrize("name", LOGS)
def test_an_hour_in_a_cache_has_its_own_price(tmp_path: Path, name: str) -> None:
    row = case_of(LOGS[name], tmp_path)
    tokens = [row[f"{k}_tokens"] for k in ("input", "cache_read", "cache_write", "cache_write_1h", "output")]
    assert tokens == ["2200", "200", "1000", "600", "100"]
    assert row["agent_cost"] == COST


def test_what_is_kept_for_an_hour_was_written_where_nothing_else_says_so(tmp_path: Path) -> None:
    """(1400 · 3 + 600 · 6 + 200 · 0.3 + 100 · 15) / 1e6."""
    row = case_of(span({**CALL, f"{GEN}cache_creation.ephemeral_1h_input_tokens": 600}), tmp_path)
    assert (row["cache_write_tokens"], row["cache_write_1h_tokens"]) == ("600", "600")
    assert row["agent_cost"] == "0.009360000"


def test_cases_with_more_kept_for_an_hour_than_was_written_are_refused(tmp_path: Path) -> None:
    rows = [{**row, "cache_write_tokens": 5, "cache_write_1h_tokens": 5} for row in cases(60)]
    rows[3]["cache_write_1h_tokens"] = 6
    with pytest.raises(SampleError, match="cache_write_1h_tokens: 1 value above cache_write_tokens"):
        open_pilot(write_pilot(tmp_path, rows))


def test_minutes_in_a_cache_cost_what_they_did(tmp_path: Path) -> None:
    row = case_of(langfuse(ANTHROPIC), tmp_path)
    assert row["agent_cost"] == SHORT
    assert "cache_write_1h_tokens" not in row


def test_none_kept_for_an_hour_adds_no_column(tmp_path: Path) -> None:
    none = {f"{GEN}cache_creation.input_tokens": 1000, f"{GEN}cache_creation.ephemeral_1h_input_tokens": 0}
    row = case_of(span({**CALL, **none}), tmp_path)
    assert row["agent_cost"] == SHORT
    assert "cache_write_1h_tokens" not in row


def use(provider: str, model: str, hour: int) -> TokenUse:
    return TokenUse(provider, model, None, 2200, 200, 1000, 100, hour)


@pytest.mark.parametrize("before", [0, 5])
def test_an_hour_without_a_price_is_unknown(before: int) -> None:
    """OpenRouter's list prices writes to a cache and says nothing of an hour; one by one and by rates alike."""
    pricer = Pricer()
    for _ in range(before):
        assert pricer.price(use("openrouter", "anthropic/claude-sonnet-4.5", 0)) == Decimal("0.008310000")
    said = pricer.price(use("openrouter", "anthropic/claude-sonnet-4.5", 600))
    assert said == "what is cached for an hour has no known price"


@pytest.mark.parametrize("before", [0, 5])
def test_more_for_an_hour_than_at_all_contradicts_itself(before: int) -> None:
    pricer = Pricer()
    for _ in range(before):
        assert pricer.price(use("anthropic", MODEL, 600)) == Decimal(COST)
    assert pricer.price(use("anthropic", MODEL, 1001)) == "the tokens contradict each other"


def test_a_price_of_ones_own_holds_for_both() -> None:
    own = {MODEL: TokenPrice(Decimal(1), Decimal(1), Decimal(1), Decimal(5))}
    assert Pricer(own).price(use("anthropic", MODEL, 600)) == Decimal("0.006300000")
