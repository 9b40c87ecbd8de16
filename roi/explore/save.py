"""A setting as a parameter file: the pilot's own file with each change where it belongs, marked.

The file is changed as text, so that its comments and its order stay. It is read and checked as any other before it is
kept, and a setting that is not allowed is refused before.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from roi.analysis import Decided
from roi.explore.allowed import NUMBERS, raw_at
from roi.explore.setting import Setting, moved
from roi.parameters import load_parameters, problems_at
from roi.problems import ParameterError, Problem
from roi.uncertain import Uncertain

__all__ = ["MARK", "saved_text", "write_saved"]

MARK = "explored"
FIRST = "# Explored from "
A_NAME = re.compile(r"[a-z0-9_]{1,80}")


def write_saved(a: Decided, setting: Setting, name: str) -> Path:
    """Write a setting beside the pilot's own file and check it.

    Args:
        a: The decision of the pilot as it is stated.
        setting: What was moved.
        name: Of the new pilot; an explored file of this name is replaced, any other is not.

    Returns:
        The file.

    Raises:
        ParameterError: The name is no name or taken, the setting is not allowed, or the file would not be valid;
            nothing is written then.
    """
    where = "save as parameters"
    if not A_NAME.fullmatch(name) or name.startswith("_"):
        raise ParameterError([Problem(where, name, "a name is of small letters, digits and low lines")])
    target = a.loaded.path.with_name(f"{name}.yaml")
    if target.exists() and not target.read_text(encoding="utf-8").startswith(FIRST):
        raise ParameterError(
            [Problem(where, name, f"{target.name} is there and was not explored; take another name")]
        )
    if wrong := problems_at(a.loaded, raw_at(a, setting), a.as_of):
        raise ParameterError(wrong)
    text = saved_text(a, setting, name)
    before = target.read_bytes() if target.exists() else None
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8", newline="\n")
    os.replace(partial, target)
    try:
        load_parameters(target)
    except ParameterError:
        # What is not valid is not left lying about.
        if before is None:
            target.unlink()
        else:
            target.write_bytes(before)
        raise
    return target


def saved_text(a: Decided, setting: Setting, name: str) -> str:
    """The parameter file of a setting.

    Raises:
        ParameterError: What was explored are not the file's own values, or the file is written in a way that cannot be
            changed in place.
    """
    loaded = a.loaded
    if loaded.overrides:
        said = (
            f"a notebook replaced {', '.join(loaded.overrides)}; open the file itself to save changes of it"
        )
        raise ParameterError([Problem(loaded.name, "", said)])
    text = loaded.path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    text = _set(text, ("pilot",), name, "was " + loaded.parameters.pilot)
    for key, to in setting.values.items():
        text = _value(
            text, key, a.assumptions.entries[key].value, moved(a.assumptions.entries[key].value, to), a
        )
    for key, value in setting.thresholds.items():
        text = _set(text, ("policy", key), _number(value), f"was {getattr(loaded.policy, key):g}")
    for remedy in sorted(setting.without):
        text = _left_out(text, remedy, loaded.name)
    changes = len(setting.values) + len(setting.thresholds) + len(setting.without)
    said = "1 change" if changes == 1 else f"{changes} changes"
    head = f'{FIRST}{loaded.name} ({loaded.params_sha256[:12]}): {said}, each marked "{MARK}".\n'
    return head + text


def _number(value: float) -> str:
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value)}"
    short = f"{value:.12g}"
    return short if float(short) == value else f"{value:.17g}"


def _flow(value: Uncertain) -> str:
    """An uncertain value as it is written on one line."""
    if value.is_exact:
        return _number(value.mean)
    parts = (f"{k}: {_number(x)}" for k, x in zip(NUMBERS[value.form], value.numbers, strict=True))
    return "{" + ", ".join(parts) + "}"


def _value(text: str, key: str, old: Uncertain, new: Uncertain, a: Decided) -> str:
    """Move a stated input: its numbers only, so that source and owner stay beside the mark."""
    path = tuple(key.split("."))
    said = f"{key} was {old.text}" + (", by default" if old.evidence == "default" else "")
    node = _at(_composed(text), path)
    if path[:2] == ("economics", "realisation") and path[-1] == "total":
        node = _at(_composed(text), path[:-1])  # a single value is both together
    if path[:2] == ("economics", "error_cost") and node is None:
        above = _at(_composed(text), path[:-1])
        if above is not None:  # one cost for every severity becomes one each
            costs = {
                s: new if s == path[-1] else a.assumptions.entries[f"economics.error_cost.{s}"].value
                for s in ("minor", "moderate", "major", "critical")
            }
            return _replaced(
                text, above, "{" + ", ".join(f"{s}: {_flow(x)}" for s, x in costs.items()) + "}", said
            )
    if node is None:
        return _set(text, path, _flow(new), said)
    if isinstance(node, yaml.MappingNode) and new.form == old.form:
        keyed = {k.value: v for k, v in node.value}
        wanted = dict(zip(NUMBERS[new.form], new.numbers, strict=True))
        if set(wanted) <= set(keyed):
            for name in sorted(wanted, key=lambda n: -int(keyed[n].start_mark.index)):
                one = keyed[name]
                text = text[: one.start_mark.index] + _number(wanted[name]) + text[one.end_mark.index :]
            return _marked(text, min(keyed[name].start_mark.index for name in wanted), said)
    return _replaced(text, node, _flow(new), said)


def _composed(text: str) -> Any:
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _at(node: Any, path: tuple[str, ...]) -> Any:
    """The node of a path; None where the file does not state it."""
    for part in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((v for k, v in node.value if k.value == part), None)
    return node


def _marked(text: str, place: int, said: str) -> str:
    """A remark at the end of the line that holds a place; nothing before that line's end moves."""
    end = text.find("\n", place)
    end = len(text) if end < 0 else end
    line = " ".join(said.split())
    return f"{text[:end].rstrip()}  # {MARK}: {line}{text[end:]}"


def _replaced(text: str, node: Any, written: str, said: str) -> str:
    text = _marked(text, _end(node), said)
    return text[: node.start_mark.index] + written + text[_end(node) :]


def _end(node: Any) -> int:
    """Where a node's text ends: that of a block reaches to the next one's beginning, its last part does not."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _set(text: str, path: tuple[str, ...], written: str, said: str) -> str:
    """Put a plain value at a path, which need not be there yet."""
    root = _composed(text)
    node = _at(root, path)
    if node is not None:
        return _replaced(text, node, written, said)
    depth = max(d for d in range(len(path)) if isinstance(_at(root, path[:d]), yaml.MappingNode))
    if _at(root, path[: depth + 1]) is not None:
        raise ParameterError(
            [
                Problem(
                    ".".join(path[: depth + 1]),
                    "",
                    "is written in a way that cannot be changed in place; edit the file",
                )
            ]
        )
    above = _at(root, path[:depth])
    inside = written
    for part in reversed(path[depth + 1 :]):
        inside = "{" + f"{part}: {inside}" + "}"
    entry = f"{path[depth]}: {inside}"
    if above.flow_style:
        place = above.start_mark.index + 1
        text = _marked(text, place, said)
        return f"{text[:place]}{entry}{', ' if above.value else ''}{text[place:]}"
    first: Any = above.value[0][0].start_mark
    remark = f"  # {MARK}: {' '.join(said.split())}\n"
    start, column = int(first.index), int(first.column)
    return text[:start] + entry + remark + " " * column + text[start:]


def _left_out(text: str, remedy: str, file: str) -> str:
    """Turn a remedy's lines into remarks."""
    found = _at(_composed(text), ("remedies",))
    items = found.value if isinstance(found, yaml.SequenceNode) and not found.flow_style else []
    names = [next((v.value for k, v in item.value if k.value == "name"), None) for item in items]
    if remedy not in names:
        raise ParameterError(
            [Problem(file, "remedies", f"'{remedy}' cannot be left out in place; edit the file")]
        )
    item = items[names.index(remedy)]
    lines = text.split("\n")
    first = item.start_mark.line
    last = text.count("\n", 0, _end(item))
    if len(items) == 1:  # a list without an item is no list
        first = text.count("\n", 0, found.start_mark.index)
        while not lines[first].startswith("remedies"):
            first -= 1
    for i in range(first, last + 1):
        lines[i] = f"# {MARK}, left out: {lines[i]}"
    return "\n".join(lines)
