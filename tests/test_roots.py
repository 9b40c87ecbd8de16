"""Roots and special functions: SciPy's own to the last digit, without what SciPy imports."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import roi.special
from roi.roots import root_between


@given(
    a=st.floats(-50, 50),
    b=st.floats(-3, 3),
    c=st.floats(-100, 100),
    steps=st.sampled_from([0, 1, 7]),
    within=st.sampled_from([1e-9, 1e-4, 0.3]),
    relative=st.sampled_from([4 * 2.0**-52, 1e-4]),
)
def test_root_is_the_one_scipy_finds(
    a: float, b: float, c: float, steps: int, within: float, relative: float
) -> None:
    """Smooth functions and staircases such as a chance over draws; the same places asked, the same root."""

    def of(x: float) -> float:
        y = a + b * x + c * math.tanh(x / 3) + x**3 / 500
        return round(y * steps) / steps if steps else y

    asked: list[float] = []

    def noted(x: float) -> float:
        asked.append(x)
        return of(x)

    if of(-20.0) * of(30.0) > 0:
        return
    root = root_between(noted, -20.0, 30.0, within=within, relative=relative)
    mine, asked[:] = asked[:], []
    assert root == scipy.optimize.brentq(noted, -20.0, 30.0, xtol=within, rtol=relative)
    assert mine == asked


def test_root_by_hand() -> None:
    """x² = 2 between 0 and 2: 1.41421356…; a straight line is met at the first step."""
    assert root_between(lambda x: x * x - 2, 0, 2, within=1e-12) == pytest.approx(math.sqrt(2), abs=1e-12)
    assert root_between(lambda x: 3 * x - 6, 0, 5, within=1e-12) == 2
    assert root_between(lambda x: x, 0, 5, within=1e-12) == 0


def test_root_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="one sign at 1 and 2"):
        root_between(lambda x: x, 1, 2, within=1e-9)
    with pytest.raises(ValueError, match="no value at 1"):
        root_between(lambda x: float("nan"), 1, 2, within=1e-9)
    with pytest.raises(RuntimeError, match="after 2 steps"):
        root_between(lambda x: x**3 - 1.2, 0, 5, within=1e-9, most=2)


@pytest.mark.parametrize("name", roi.special.__all__)
def test_special_function_is_scipys(name: str) -> None:
    mine, theirs = getattr(roi.special, name), getattr(scipy.special, name)
    x = np.linspace(0.05, 0.95, 7)
    arguments: list[np.ndarray] = [x, x + 1, x][: mine.nin]
    if name.startswith("bdtr"):  # hits, cases, chance
        arguments = [np.arange(7.0), np.arange(7) + 3, x]
    assert np.array_equal(mine(*arguments), theirs(*arguments), equal_nan=True)


@pytest.mark.slow
def test_a_decision_imports_neither_scipys_optimisers_nor_numpys_fortran_and_leaves_scipy_whole() -> None:
    script = (
        "import sys, roi.pilot, roi.record\n"
        "heavy = {'scipy.optimize', 'scipy.special', 'scipy.stats', 'numpy.f2py', 'numpy.testing', 'pandas', 'altair'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "import roi.special, scipy.special, scipy.stats\n"
        "assert scipy.special.ndtri is roi.special.ndtri\n"
        "assert scipy.special.softmax([0.0, 0.0])[0] == 0.5\n"
        "print(scipy.stats.norm.ppf(0.975))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1.9599639845")
