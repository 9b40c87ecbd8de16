"""Small projects on disk for tests that read samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from roi.parameters import LoadedParameters, load_parameters
from roi.problems import SampleError
from roi.samples import Samples, open_samples

HEADER = "case_id,arm,handling_minutes"


class Project:
    """A project folder that is filled file by file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "params").mkdir()
        (folder / "data").mkdir()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(self, cases: Any = "data/cases.csv", **groups: Any) -> LoadedParameters:
        samples = {"cases": cases, **groups.pop("samples", {})}
        given = {"pilot": "p", "about": {"currency": "EUR"}, **groups, "samples": samples}
        (self.folder / "params" / "p.yaml").write_text(
            yaml.safe_dump(given, sort_keys=False, allow_unicode=True)
        )
        return load_parameters(self.folder / "params" / "p.yaml")

    def open(self, cases: Any = "data/cases.csv", **groups: Any) -> Samples:
        return open_samples(self.load(cases, **groups))

    def cases(self, text: str | bytes, columns: dict[str, Any] | None = None, **groups: Any) -> Samples:
        """Open a CSV file's text as the cases."""
        self.write("cases.csv", text)
        spec: dict[str, Any] = {"source": "data/cases.csv", **groups.pop("spec", {})}
        return self.open({**spec, **({"columns": columns} if columns else {})}, **groups)

    def refusal(self, text: str | bytes, columns: dict[str, Any] | None = None, **groups: Any) -> str:
        """What is said of a CSV file that cannot be used."""
        try:
            self.cases(text, columns, **groups)
        except SampleError as error:
            return str(error)
        raise AssertionError("the sample was read")


def column(samples: Samples, name: str, table: str = "cases") -> list[Any]:
    """A column's values in the order of the rows."""
    rows = samples.con.execute(f'select "{name}" from "{table}" order by "row"').fetchall()
    return [row[0] for row in rows]
