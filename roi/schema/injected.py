"""Groups that a notebook hands over in place of the file's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from roi.scalars import plain
from roi.strict_yaml import Document
from roi.uncertain import Uncertain

__all__ = ["lay_overrides", "plain_json", "sha256_of"]


def lay_overrides(
    document: Document, overrides: Mapping[str, object], path: Path, name: str
) -> tuple[dict[str, Any], Document, tuple[str, ...]]:
    """The file's value with a notebook's groups in their place, and which those are."""
    raw = dict(document.value) if isinstance(document.value, dict) else {}
    given = {str(key): value for key, value in overrides.items() if value is not None and key != "pilot"}
    if not given:
        return raw, document, ()
    as_papermill = _papermill_reading(path)
    used: list[str] = []
    for key, value in given.items():
        if key in as_papermill and _canonical(as_papermill[key]) == _canonical(value):
            continue
        raw[key] = plain(value)
        used.append(key)
    lines = {place: line for place, line in document.lines.items() if not place or place[0] not in used}
    # Problems of a replaced group are no longer problems of what is computed.
    kept = [
        problem
        for problem in document.problems
        if re.split(r"[.\[]", problem.place, maxsplit=1)[0] not in used
    ]
    return raw, Document(document.value, lines, tuple(kept)), tuple(sorted(used))


def _papermill_reading(path: Path) -> dict[str, Any]:
    """The file as ``papermill -f`` reads it: YAML 1.1, dates left as texts."""

    class NoDates(yaml.SafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
            first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    try:
        value = yaml.load(path.read_bytes(), Loader=NoDates)
    except (yaml.YAMLError, OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _canonical(value: object) -> str:
    """One text for a value however it came: dates as ISO texts, tuples as lists, keys as texts."""

    def name(key: Any) -> str:
        # YAML 1.1 makes a switch of the key `on`, which arrives as True, "True" or "true".
        return str(key).lower() if str(key) in ("True", "False") else str(key)

    def simple(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {name(key): simple(below) for key, below in item.items()}
        if isinstance(item, list | tuple):
            return [simple(below) for below in item]
        if isinstance(item, Uncertain):
            return repr(item)
        if isinstance(item, date):
            return str(item).removesuffix(" 00:00:00")
        if isinstance(item, float) and item.is_integer():
            return int(item)
        if item is None or isinstance(item, bool | int | float | str):
            return item
        return str(item)

    return json.dumps(simple(value), sort_keys=True)


def plain_json(value: object) -> Any:
    """What a notebook handed over, as JSON knows it: the same when it is handed over again, and for its hash."""
    return json.loads(_canonical(value))


def sha256_of(path: Path, used: tuple[str, ...], raw: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(path.read_bytes())
    if used:
        digest.update(_canonical({key: raw[key] for key in used}).encode())
    return digest.hexdigest()
