"""An engine that may take little memory gives what one with much of it gives, and leaves nothing behind."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import pytest
from sample_projects import Project, column

from roi.engine import MEMORY
from roi.problems import SampleError


@pytest.mark.slow
def test_little_memory_gives_the_same_rows_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    rows = "".join(f"T-{i},{'pilot' if i % 2 else 'baseline'},{i % 90}\n" for i in range(2_000))
    text = f"case_id,arm,handling_minutes\n{rows}"
    much = project.cases(text)
    (tmp_path / "spilled").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spilled"))
    monkeypatch.setenv(MEMORY, "40MB")
    little = project.cases(text)
    for name in ("case_id", "handling_minutes"):
        assert column(little, name) == column(much, name)
    assert len(list((tmp_path / "spilled").iterdir())) == 1
    little.con.close()
    del little
    gc.collect()
    assert not list((tmp_path / "spilled").iterdir())
    monkeypatch.setenv(MEMORY, "plenty")
    with pytest.raises(SampleError, match="ROI_ENGINE_MEMORY: is no amount of memory"):
        project.cases(text)
