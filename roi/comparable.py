"""What a record keeps of its inputs so that two records can be held against each other, and one be recomputed.

Uncertain values stand in the assumptions register; what is left are settings (a design, a mix, the kind of a cost
line), the policy as it applied, and the months from which the cases come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from roi.parameters import Parameters, Policy, RegisterEntry
from roi.periods import months_of
from roi.samples import Samples
from roi.schema.base import Group
from roi.uncertain import Uncertain

__all__ = ["MOST_NUMBERS", "assumption_of", "cases_by_month", "policy_of", "settings_of"]

MOST_NUMBERS = 24
"""Observed values that a record holds one by one; a longer list stands there by its summary alone."""

_NOT_SETTINGS = {"about", "claims", "scenarios", "pilot", "policy"}
_WORDS = {"owner", "source", "how", "by", "name", "note", "horizon_months"}  # the last is in the register


def assumption_of(entry: RegisterEntry) -> dict[str, Any]:
    """A line of the assumptions register, with the numbers it is drawn from."""
    value = entry.value
    return {
        "key": entry.key,
        "label": entry.label,
        "value": value.text,
        "mean": value.mean,
        "p05": value.p05,
        "p95": value.p95,
        "unit": entry.unit,
        "evidence": value.evidence,
        "source": value.source,
        "owner": value.owner,
        "as_of": value.as_of,
        "how": value.note,
        "form": value.form,
        "family": value.family,
        "numbers": list(value.numbers) if len(value.numbers) <= MOST_NUMBERS else None,
    }


def settings_of(parameters: Parameters) -> dict[str, Any]:
    """Everything a parameter file settles that is neither an uncertain value nor words for readers.

    Returns:
        By dotted key, as plain JSON values; items of a list go by their name. How a table's columns are mapped stands
        there as a fingerprint, since a map of values repeats cells.
    """
    found: dict[str, Any] = {}
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if name not in _NOT_SETTINGS and value is not None:
            found.update(_flat(value, name))
    return dict(sorted(found.items()))


def _flat(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if value is None or isinstance(value, Uncertain):
        return
    if key.startswith("samples.") and isinstance(value, Group) and "source" in type(value).model_fields:
        text = value.model_dump_json(exclude_none=True)
        yield f"{key} (files and columns)", hashlib.sha256(text.encode()).hexdigest()[:12]
    elif isinstance(value, Group):
        for attribute, field in type(value).model_fields.items():
            if attribute not in _WORDS:
                yield from _flat(getattr(value, attribute), f"{key}.{field.alias or attribute}")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}")
    elif isinstance(value, tuple | list) and any(isinstance(item, Group) for item in value):
        for place, item in enumerate(value):
            yield from _flat(item, f"{key}[{getattr(item, 'name', None) or place}]")
    elif isinstance(value, tuple | list):
        yield key, [_plain(item) for item in value]
    else:
        yield key, _plain(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | bool | int | float) else str(value)


def policy_of(policy: Policy) -> dict[str, Any]:
    """The rules as they applied, tightened and with exceptions."""
    kept = policy.model_dump(mode="json", exclude_none=True, exclude={"exception", "privacy"})
    return dict(sorted(kept.items()))


def cases_by_month(samples: Samples, timezone: str | None) -> dict[str, dict[str, int]]:
    """Production cases by calendar month and arm; empty where cases carry no times."""
    if "cases" not in samples.tables:
        return _months_of_report(samples)
    columns = samples.tables["cases"].columns
    if "started_at" not in columns:
        return {}
    live = "setting is distinct from 'demo'" if "setting" in columns else "true"
    return months_of(samples.con, "cases", live, timezone or "UTC")


def _months_of_report(samples: Samples) -> dict[str, dict[str, int]]:
    """The same of a report; empty where its rows name no months."""
    if "month" not in samples.tables["aggregates"].columns:
        return {}
    rows = samples.con.execute(
        "select strftime(month, '%Y-%m'), arm, sum(n)::bigint from aggregates where month is not null "
        "group by 1, 2 order by 1, 2"
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for month, arm, n in rows:
        found.setdefault(str(month), {})[str(arm)] = int(n)
    return found
