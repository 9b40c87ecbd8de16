"""Which attributes hold what people and models wrote: prompts, answers, documents, and what tools were given and gave.

Such texts may be personal and are no keys of cases, however short they are: no table has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import TypeAlias

__all__ = ["is_content", "without_contents"]

_Pick: TypeAlias = Callable[[tuple[str | None, ...]], tuple[str | None, ...]]

_CONTENTS = re.compile(
    r"""(?:metadata\.)?attributes\.(?:
        (?:input|output)(?:\.value)?                                             # OpenInference
        | llm\.(?:input_messages|output_messages|prompts?|completions?|prompt_template)(?:\..*)?
        | llm\.function_call | tool\.parameters
        | (?:retrieval\.documents|reranker\.(?:input|output)_documents|embedding\.embeddings)\..*
        | reranker\.query | embedding\.text
        | gen_ai\.(?:prompt|completion)(?:\..*)?                                 # OpenTelemetry, former and current
        | gen_ai\.(?:input|output)\.messages(?:\..*)? | gen_ai\.system_instructions(?:\..*)?
        | gen_ai\.tool\.call\.(?:arguments|result)
        | traceloop\.entity\.(?:input|output)                                    # others
        | ai\.prompt(?:\..*)? | ai\.response\.(?:text|object|reasoning|toolCalls) | ai\.values?
        | ai\.toolCall\.(?:args|input|result|output)
        | (?:pydantic_ai\.)?all_messages(?:_events)? | final_result | tool_(?:arguments|response)
        | gcp\.vertex\.agent\.(?:llm_request|llm_response|tool_call_args|tool_response|data)
        | langfuse\.(?:trace|observation)\.(?:input|output)
    )""",
    re.VERBOSE,
)


def is_content(name: str) -> bool:
    """Whether what has this name holds what people or models wrote."""
    return _CONTENTS.fullmatch(name) is not None


def without_contents(
    names: tuple[str, ...], cells: tuple[str | None, ...]
) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """Names and their cells but for those that hold prompts, answers or documents."""
    kept, pick = _kept(names)
    return (names, cells) if pick is None else (kept, pick(cells))


@lru_cache(maxsize=4096)
def _kept(names: tuple[str, ...]) -> tuple[tuple[str, ...], _Pick | None]:
    """The names that are kept, and how their cells are picked where that are not all."""
    at = [i for i, name in enumerate(names) if not is_content(name)]
    if len(at) == len(names):
        return names, None
    kept = tuple(names[i] for i in at)
    # Of one place a getter gives no tuple.
    return kept, itemgetter(*at) if len(at) > 1 else lambda cells: tuple(cells[i] for i in at)
