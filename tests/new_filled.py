"""Filling in what `roi new` leaves open, as a person would who knows what is true of an export."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from new_variants import Truth, Variant

NUMBERS = {
    "cases_per_month": "4200",
    "labour_cost_per_hour": "{low: 38, high: 46}",
    "error_cost": "{minor: 5, moderate: 60, major: 800, critical: 15000}",
    "run_cost_per_month": "900",
    "rollout_cost": "{low: 20000, high: 30000}",
}
_OPEN = re.compile(r"^(\s*)(.+): FILL_IN(\s+#.*)?$")


def fill_in(text: str, variant: Variant) -> str:
    """The file's text with every open line filled; no other line is touched."""
    lines = []
    column = ""
    for line in text.splitlines():
        begun = re.match(r"^      (\w+):", line)
        column = begun[1] if begun else column
        if "FILL_IN" not in line.split("#", 1)[0]:
            lines.append(line)
            continue
        found = _OPEN.match(line)
        if found is None:
            lines.append(line.replace("USD: FILL_IN", "USD: 0.9"))
            continue
        indent, key = found[1], str(yaml.safe_load(found[2]))
        if key in NUMBERS:
            lines.append(f"{indent}{key}: {NUMBERS[key]}")
        elif len(indent) == 6:
            lines.append(
                f"{indent}{key}: {yaml.safe_dump(_spec(variant.truth[key]), default_flow_style=True).strip()}"
            )
        else:
            ours = variant.truth[column].values.get(key, key.lower())
            lines.append(f"{indent}{found[2]}: {yaml.safe_dump(ours).splitlines()[0]}")
    return "\n".join(lines) + "\n"


def _spec(truth: Truth) -> dict[str, Any]:
    names = list(truth.sources)
    spec: dict[str, Any] = {"from": names if len(names) > 1 else names[0]}
    return {**spec, **({"values": truth.values} if truth.values else {})}


def open_lines(path: Path) -> list[int]:
    """The numbers of the lines that wait to be filled."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [i for i, line in enumerate(lines, 1) if "FILL_IN" in line.split("#", 1)[0]]
