"""A later notebook of a run goes on from what the first has decided: from files whose hashes agree, or else anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_runs import random_pilot

from roi.batch.outputs import record_text
from roi.issue import Run, issuing
from roi.ledger import LEDGER
from roi.pilot import open_pilot


@pytest.mark.slow  # whole decisions
def test_what_the_run_has_decided_is_not_decided_anew_unless_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = random_pilot(tmp_path / "project", 3)
    folder = tmp_path / "new"
    folder.mkdir()
    with issuing(Run(pilot=parameters.stem, folder=folder, ledger=tmp_path / LEDGER)):
        first = open_pilot(parameters).decision
        record = json.loads(record_text(first.record))
        (folder / "decision.json").write_text(record_text(record))

        def nothing(*_: object) -> None:
            raise RuntimeError("the samples are asked")

        with monkeypatch.context() as gone:
            gone.setattr("roi.pilot.open_samples", nothing)
            again = open_pilot(parameters).decision
            assert again.record == record
            assert again.verdict == first.verdict
            assert again.what_if == first.what_if
            assert again.pictures.drivers == first.pictures.drivers
            assert again.pictures.minutes is None  # no row is at hand
            # A record that is not the archive's is none of this run.
            (folder / "decision.json").write_text(record_text({**record, "headline": "another"}))
            with pytest.raises(RuntimeError, match="samples are asked"):
                _ = open_pilot(parameters).decision
        assert open_pilot(parameters).decision.record["headline"] == record["headline"]
