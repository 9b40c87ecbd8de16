"""Many values of one test, of which the first few are looked at each time and the rest with what is slow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def rest_slow(values: Iterable[Any], *, at_once: int) -> list[Any]:
    """The values for `parametrize`; all but the first `at_once` are marked slow."""
    return [v if i < at_once else pytest.param(v, marks=pytest.mark.slow) for i, v in enumerate(values)]
