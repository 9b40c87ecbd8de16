"""Real public data, used in place; skipped with a reason where it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from roi.pilot import open_pilot

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ROI_REAL_DATA", ROOT / "../shared/data")).resolve()

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set ROI_REAL_DATA)")


@pytest.fixture(scope="module")
def echoes(tmp_path_factory):
    """The parameter file with the data wherever it lies."""
    text = (ROOT / "tests/real_data/echoes_task1.yaml").read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("echoes") / "params"
    folder.mkdir()
    path = folder / "echoes_task1.yaml"
    path.write_text(text.replace("../shared/data", str(DATA)), encoding="utf-8")
    return open_pilot(path).decision


@needs_data
def test_echoes_of_ai_reproduces_the_published_figures(echoes):
    """Medians 219.5 and 152.0 minutes; 30.4 % of the mean saved (README of the data set)."""
    record = echoes.record
    medians = record["sample"]["median_minutes"]
    assert medians["baseline"] == pytest.approx(219.5, abs=0.05)
    assert medians["pilot"] == pytest.approx(152.0, abs=0.05)
    assert 1 - medians["pilot"] / medians["baseline"] == pytest.approx(0.3073, abs=0.0005)
    means = [record["estimates"][f"human_minutes_{arm}"]["mean"] for arm in ("baseline", "pilot")]
    assert 1 - means[1] / means[0] == pytest.approx(0.304, abs=0.0005)


@needs_data
def test_echoes_of_ai_is_downgraded_because_it_is_observational(echoes):
    record = echoes.record
    saved = record["estimates"]["minutes_saved_per_case"]
    assert saved["evidence"] == "measured, observational"
    assert saved["unit_of_n"] == "worker"
    unbiased = echoes.analysis.measured.without_bias().scope().minutes_saved
    assert saved["p95"] - saved["p05"] > 1.3 * (
        float_percentile(unbiased, 95) - float_percentile(unbiased, 5)
    )
    assert record["verdict"] != "scale"
    assert record["tipping_point"] is not None


def float_percentile(values, level):
    import numpy as np

    return float(np.percentile(values, level))


@needs_data
def test_the_file_in_the_tree_finds_its_data_beside_the_project():
    if not (ROOT / "../shared/data").is_dir():
        pytest.skip("the data lies elsewhere")
    record = open_pilot(ROOT / "tests/real_data/echoes_task1.yaml").decision.record
    assert (
        record["sample"]["cases"] == {"baseline": 36, "pilot": 40, "demo": 0}
        or record["sample"]["cases"]["pilot"] > 30
    )
