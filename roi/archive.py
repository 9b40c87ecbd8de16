"""The archive of a run: parameters and policy as they were read, and what was taken from the samples.

With it a record can be recomputed when the samples are gone. It holds counts and sums by unit, units numbered by what
they hold: no key, no pseudonym and no text of a sample that its report would not show. Where people are few, it could
be told whose sums a row holds; then the moments are withheld and the archive says so.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from roi.analysis import Analysis, decide_taken
from roi.approval_kinds import ApprovalKinds
from roi.arm_shares import Finding
from roi.comparability import Comparability
from roi.contrasts import Trend
from roi.controls.access_list import Proposal
from roi.controls.check import Check, Rows
from roi.controls.scorecard import Scorecard
from roi.demo_moments import DemoMoments
from roi.designs import Design
from roi.input_quality import InputQuality
from roi.input_rules import InputRule
from roi.input_tables import InputField
from roi.integration import Integration
from roi.label_moments import JudgedMoments
from roi.ledger import record_sha256
from roi.model_costs import ModelCosts
from roi.moments import Covariate, Losses, Moments, Spread
from roi.oversight import Oversight
from roi.parameters import LoadedParameters, load_parameters
from roi.problems import InputError, Problem
from roi.samples import Exclusion
from roi.schema.injected import plain_json, sha256_of
from roi.taken import Taken

__all__ = ["MOMENTS", "Archive", "archive_of", "archive_text", "read_archive"]

MOMENTS = "moments.json"
SCHEMA = 1
KNOWN = {
    kind.__name__: kind
    for kind in (
        ApprovalKinds,
        Taken,
        Moments,
        Losses,
        Spread,
        Covariate,
        JudgedMoments,
        DemoMoments,
        ModelCosts,
        Scorecard,
        Check,
        Rows,
        Proposal,
        Comparability,
        Design,
        Finding,
        Trend,
        Exclusion,
        InputField,
        InputQuality,
        InputRule,
        Integration,
        Oversight,
    )
}
"""What an archive may hold; a new part of `Taken` is named here, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What stands in an archive.

    Attributes:
        file: Its path, as messages name it.
        content: Its JSON value.
    """

    file: str
    content: Mapping[str, Any]

    @property
    def withheld(self) -> str | None:
        """Why moments are not there; None where they are."""
        return self.content.get("withheld")

    def parameters(self) -> LoadedParameters:
        """Parameters and policy, read as they were read then.

        Raises:
            InputError: If this version of the package refuses them, or they are not what their hashes say.
        """
        given, policy = self.content["parameters"], self.content["policy"]
        name = PurePosixPath(str(given["file"]))
        if name.is_absolute() or ".." in name.parts or name.suffix not in (".yaml", ".yml"):
            raise InputError(
                [Problem(self.file, "parameters.file", "is no path of a parameter file in a project")]
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / "pyproject.toml").touch()  # so that the project begins here
            path.write_bytes(str(given["text"]).encode())
            if policy["text"] is not None:
                path.with_name("_policy.yaml").write_bytes(str(policy["text"]).encode())
            loaded = load_parameters(path, overrides=given["given"])
        found = (loaded.params_sha256, loaded.policy_sha256)
        if found != (given["sha256"], policy["sha256"]):
            which = "parameters" if found[0] != given["sha256"] else "policy"
            raise InputError([Problem(self.file, which, "was changed: its text is not that of its hash")])
        return replace(loaded, looks_counted=self.content["looks_counted"])

    def taken(self) -> Taken:
        """What was taken from the samples.

        Raises:
            InputError: Where it is withheld, or another version of the package wrote it.
        """
        if self.withheld is not None:
            raise InputError([Problem(self.file, "taken", self.withheld)])
        try:
            found = _decoded(self.content["taken"])
        except (KeyError, TypeError, ValueError):
            message = (
                f"was written by roi {self.content.get('roi')}; this version cannot read it: install that one"
            )
            raise InputError([Problem(self.file, "taken", message)]) from None
        if not isinstance(found, Taken):
            raise InputError([Problem(self.file, "taken", "holds no moments")])
        return found

    def analysis(self) -> Analysis:
        """The decision, computed again without the samples.

        Raises:
            InputError: As `parameters` and `taken` do.
        """
        return decide_taken(self.parameters(), self.taken())


def archive_text(a: Analysis, record: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> str:
    """An analysis as an archive: the same inputs give the same bytes.

    Args:
        a: The analysis.
        record: Its record.
        beside: What else a later run shows of the samples, in JSON; kept where moments are.

    Raises:
        InputError: If the parameter file or the policy was changed since it was read.
    """
    loaded = a.loaded
    text = _text(loaded.path)
    policy_path = loaded.path.with_name("_policy.yaml")
    policy = _text(policy_path) if policy_path.exists() else None
    same = sha256_of(loaded.path, loaded.overrides, loaded.given) == loaded.params_sha256
    if policy is not None:
        same &= hashlib.sha256(policy.encode()).hexdigest() == loaded.policy_sha256
    if not same:
        message = "it or the policy was changed while it was being worked with; run it again"
        raise InputError([Problem(loaded.name, "", message)])
    why = _why_withheld(a)
    found = {
        "schema": SCHEMA,
        "roi": record["provenance"]["roi"],
        "pilot": record["pilot"],
        "record": record_sha256(record),
        "parameters": {
            "file": loaded.name,
            "sha256": loaded.params_sha256,
            "text": text,
            "given": plain_json(loaded.given),
        },
        "policy": {"sha256": loaded.policy_sha256, "text": policy},
        "looks_counted": loaded.looks_counted,
        "withheld": why,
        "taken": None if why is not None else _encoded(a.taken),
    }
    if beside is not None and why is None:
        found["beside"] = dict(beside)
    return json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _why_withheld(a: Analysis) -> str | None:
    """Why rows of people's sums are not archived: too few people in an arm; None where they may be."""
    m, least = a.moments, a.loaded.policy.privacy.min_group
    if m.unit_kind != "worker" or m.workers is None:
        return None
    of_demo = () if m.demo_cells is None else m.demo_cells.workers
    few = min((n for n in (*m.workers.values(), *of_demo) if n > 0), default=least)
    if few >= least:
        return None
    return (
        f"moments are withheld: {few} people worked an arm, and sums of fewer than {least} people are not kept "
        "(privacy.min_group); keep the samples to recompute this record"
    )


def read_archive(path: Path) -> Archive:
    """Read an archive.

    Args:
        path: Its file.

    Raises:
        InputError: If it is not there, is no archive, or a newer version of the package wrote it.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            [Problem(path.name, "", "is not there; `roi run` writes it beside a record")]
        ) from None
    except OSError:
        raise InputError([_unreadable(path.name)]) from None
    return archive_of(data, path.name)


def archive_of(data: bytes, name: str) -> Archive:
    """The archive that some bytes are.

    Args:
        data: As they were written.
        name: Of their file, for messages.

    Raises:
        InputError: If they are no archive, or a newer version of the package wrote them.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError([_unreadable(name)]) from None
    keys = {"schema", "record", "parameters", "policy", "looks_counted", "withheld", "taken"}
    if not isinstance(content, dict) or not keys <= set(content):
        raise InputError([Problem(name, "", "is no archive of a run; put it back from a copy")])
    if content["schema"] != SCHEMA:
        message = f"is of form {content['schema']}; this version of roi knows {SCHEMA}: install {content.get('roi')}"
        raise InputError([Problem(name, "schema", message)])
    return Archive(file=name, content=content)


def _unreadable(name: str) -> Problem:
    return Problem(name, "", "cannot be read; put it back from a copy")


def _encoded(value: Any) -> Any:
    """A value in JSON, its kind beside it where JSON has none of its own."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, np.ndarray):
        return _encoded_array(value)
    if isinstance(value, np.generic):
        return _encoded(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$": "float", "is": repr(value)}
    if isinstance(value, dt.date):
        return {"$": "date", "is": value.isoformat()}
    if is_dataclass(value) and type(value).__name__ in KNOWN:
        kept = [f.name for f in fields(value) if f.metadata.get("archived", True)]
        return {"$": type(value).__name__} | {name: _encoded(getattr(value, name)) for name in kept}
    if isinstance(value, Mapping) and all(isinstance(k, str) and k != "$" for k in value):
        return {k: _encoded(v) for k, v in value.items()}
    if isinstance(value, frozenset):
        return {"$": "set", "of": sorted(value)}
    if isinstance(value, tuple):
        return {"$": "tuple", "of": [_encoded(x) for x in value]}
    raise TypeError(f"{type(value)} does not go into an archive; name it in roi.archive.KNOWN")


def _encoded_array(value: Any) -> dict[str, Any]:
    """Columns of an array; a column of one value throughout is that value."""
    block = value.reshape(value.shape[0], -1) if value.size else value.reshape(0, 0)
    if not np.isfinite(block).all():
        raise ValueError("an array of moments holds what is no number")
    columns = [(c[:1] if (c == c[0]).all() else c).tolist() for c in block.T]
    return {"$": "array", "of": value.dtype.name, "shape": list(value.shape), "columns": columns}


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(x) for x in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("$")
    if kind is None:
        return {k: _decoded(v) for k, v in value.items()}
    if kind == "array":
        return _decoded_array(value)
    if kind == "float":
        return float(value["is"])
    if kind == "date":
        return dt.date.fromisoformat(value["is"])
    if kind == "set":
        return frozenset(value["of"])
    if kind == "tuple":
        return tuple(_decoded(x) for x in value["of"])
    return KNOWN[kind](**{k: _decoded(v) for k, v in value.items() if k != "$"})


def _decoded_array(value: Mapping[str, Any]) -> Any:
    kinds = {"int64": np.int64, "float64": np.float64, "bool": np.bool_}
    shape = tuple(int(n) for n in value["shape"])
    if not math.prod(shape):
        return np.zeros(shape, dtype=kinds[value["of"]])
    columns = [c * shape[0] if len(c) == 1 else c for c in value["columns"]]
    return np.ascontiguousarray(np.array(columns, dtype=kinds[value["of"]]).T).reshape(shape)
