"""Names of attributes of spans, by what they say: OpenTelemetry's conventions (current and former), OpenInference,
Vercel and others. Of several names the first that says anything stands.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "AROUND", "BARE", "CALLS", "COSTS", "KINDS", "MODELS", "OWN", "PROVIDERS", "TELL", "TIERS", "TOKENS", "TOOLS",
    "TYPE", "TYPES",
]  # fmt: skip

CALLS = ("chat", "generate_content", "text_completion", "embeddings", "completion", "embedding")
# Operations that are no model call, though they may name a model: what is inside them calls it.
AROUND = (
    "invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "agent", "workflow",
    "task", "tool",
)  # fmt: skip
TOKENS: Mapping[str, tuple[str, ...]] = {
    "input": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "ai.usage.tokens",
    ),
    "output": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
    ),
    "cache_read": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.cache_read_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cache_read_input_tokens",
        "gen_ai.usage.details.cached_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.usage.cache_read_input_tokens",
        "ai.usage.cachedInputTokens",
    ),
    "cache_write": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.cache_write_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "gen_ai.usage.details.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "llm.usage.cache_creation_input_tokens",
    ),
    "cache_write_1h": (
        "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.cache_creation_ephemeral_1h_input_tokens",
        "gen_ai.usage.details.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.details.ephemeral_1h_input_tokens",
        "gen_ai.usage.details.cache_write_1h_tokens",
        "llm.token_count.prompt_details.cache_write_1h",
    ),
    "total": (
        "gen_ai.usage.total_tokens",
        "llm.usage.total_tokens",
        "llm.token_count.total",
        "ai.usage.totalTokens",
    ),
}
TELL = (
    "gen_ai.operation.name", "openinference.span.kind", "ai.operationId", "gen_ai.tool.name", "traceloop.span.kind",
    "llm.request.type", "mcp.method.name",
    "span.type",
)  # fmt: skip
# Claude Code tells its spans by a type of its own; only beside that bare names are such numbers.
TYPE = "span.type"
TYPES = {"llm_request": "chat", "tool": "tool"}
BARE = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "cache_read": ("cache_read_tokens",),
    "cache_write": ("cache_creation_tokens",),
}
KINDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "total")
COSTS = ("gen_ai.usage.cost", "gen_ai.usage.total_cost", "llm.cost.total", "operation.cost")
MODELS = (
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.model_name",
    "embedding.model_name",
    "llm.response.model",
    "llm.request.model",
    "ai.response.model",
    "ai.model.id",
)
PROVIDERS = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
TIERS = (
    "gen_ai.response.service_tier",
    "gen_ai.request.service_tier",
    "gen_ai.openai.response.service_tier",
    "openai.response.service_tier",
    "gen_ai.usage.service_tier",
)
TOOLS = ("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "traceloop.entity.name", "tool_name")
OWN: Mapping[str, tuple[str, ...]] = {
    "session_id": (
        "session.id",
        "gen_ai.conversation.id",
        "langfuse.session.id",
        "traceloop.association.properties.session_id",
    ),
    "user_id": ("user.id", "enduser.id", "langfuse.user.id", "traceloop.association.properties.user_id"),
    "environment": ("deployment.environment.name", "deployment.environment", "langfuse.environment"),
    "version": ("langfuse.version", "service.version"),
    "release": ("langfuse.release",),
    "tags": ("langfuse.trace.tags", "tag.tags"),
}
