"""A sketch moved at random, beside what is decided with the same inputs moved in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from roi.again import decide_again
from roi.analysis import Decided
from roi.drivers import sensitivity_of_record
from roi.explore.setting import Setting, applied, middle
from roi.sketch import At, at, sketch_of


def sketched(a: Decided) -> dict[str, Any]:
    """The sketch of a decision that has one."""
    found = sketch_of(a, sensitivity_of_record(a))
    assert found is not None
    return found


def decided_at(a: Decided, sketch: dict[str, Any], values: list[float]) -> Decided:
    """The whole decision with the inputs of a sketch where they were moved to."""
    moved: dict[str, float] = {}
    for x, value in zip(sketch["inputs"], values, strict=True):
        if value != x["base"]:
            for key in x["keys"]:
                was = middle(a.assumptions.entries[key].value)
                moved[key] = value if x["form"] == "odds" else was * value / x["base"]
    loaded, assumptions = applied(a, Setting(values=moved))
    return decide_again(a, loaded=loaded, assumptions=assumptions)


def moves(a: Decided, sketch: dict[str, Any], n: int, seed: int) -> Iterator[tuple[At, Decided]]:
    """Settings that a reader could choose, all as likely: what the sketch says and what is decided."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        values = [
            float(x["low"] + rng.integers(0, round((x["high"] - x["low"]) / x["step"]) + 1) * x["step"])
            for x in sketch["inputs"]
        ]
        yield at(sketch, values), decided_at(a, sketch, values)
