"""What moved between two records of a pilot: data, assumptions, settings, policy, method or seed.

This holds two records against each other and reads nothing else; `attribution` recomputes what each change did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from roi import words

__all__ = ["compare", "identity", "since"]

Record = Mapping[str, Any]
_CONTEXT = ("approved_at", "approved_by")


def compare(old: Record, new: Record) -> dict[str, Any]:
    """Hold two records of a pilot against each other.

    Args:
        old: The earlier record.
        new: The later one.

    Returns:
        Plain JSON values. `changes` lists what went into the records by kind (data, assumption, setting, policy,
        method, seed), `quantities` and `gates` what came out of them; `since` says it in a sentence.
    """
    changes = [
        *_data(old, new),
        *_assumptions(old, new),
        *_keys("setting", old.get("settings"), new.get("settings"), skip=("run.seed", "run.draws")),
        *_policy(old, new),
        *_method(old, new),
        *_seed(old, new),
    ]
    found: dict[str, Any] = {
        "pilot": new.get("pilot"),
        "currency": new.get("currency"),
        "old": _head(old),
        "new": _head(new),
        "verdict_changed": _verdict(old) != _verdict(new),
        "changes": changes,
        "quantities": _quantities(old, new),
        "gates": _gates(old, new),
        "months": _months(old, new),
    }
    return {**found, "since": since(found)}


def _verdict(record: Record) -> tuple[Any, ...]:
    return tuple(record.get(key) for key in ("verdict", "fix_kind", "ground"))


def _head(record: Record) -> dict[str, Any]:
    scale = (record.get("options") or {}).get("scale") or {}
    return {
        **{key: record.get(key) for key in ("pilot", "as_of", "verdict", "fix_kind", "ground", "headline")},
        "scale_worth": scale.get("mean"),
        "scale_pays": (record.get("chances") or {}).get("scale_pays"),
    }


def _change(kind: str, what: str, old: Any, new: Any, *, key: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "key": key or what, "what": what, "old": old, "new": new}


def _provenance(record: Record) -> Mapping[str, Any]:
    return record.get("provenance") or {}


def _data(old: Record, new: Record) -> Iterator[dict[str, Any]]:
    before = _provenance(old).get("samples_sha256") or {}
    after = _provenance(new).get("samples_sha256") or {}
    for file in sorted({*before, *after}):
        if before.get(file) != after.get(file):
            state = "added" if file not in before else "removed" if file not in after else "changed"
            change = _change("data", file, before.get(file), after.get(file))
            yield {**change, "state": state}


def _months(old: Record, new: Record) -> list[dict[str, Any]]:
    """Cases by month and arm that are not the same in both records; None where a record does not count them."""
    before = (old.get("sample") or {}).get("by_month")
    after = (new.get("sample") or {}).get("by_month")
    if before is None or after is None:
        return []
    rows = []
    for month in sorted({*before, *after}):
        was, now = before.get(month) or {}, after.get(month) or {}
        for arm in sorted({*was, *now}):
            if was.get(arm, 0) != now.get(arm, 0):
                rows.append({"month": month, "arm": arm, "old": was.get(arm, 0), "new": now.get(arm, 0)})
    return rows


def identity(assumption: Record) -> str:
    """What makes a line of the register the same in two records: its key, an item of a list by its name."""
    key = str(assumption.get("key"))
    plain = re.sub(r"\[\d+\]", "[]", key)
    return key if plain == key else f"{plain} {assumption.get('label')}"


_SHOWN = ("value", "evidence", "unit")


def _assumptions(old: Record, new: Record) -> Iterator[dict[str, Any]]:
    before = {identity(x): x for x in old.get("assumptions") or []}
    after = {identity(x): x for x in new.get("assumptions") or []}
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name), after.get(name)
        if was is not None and now is not None and _same_value(was, now):
            continue
        row = now or was or {}
        same = was is not None and now is not None and was.get("evidence") == now.get("evidence")
        said = [_said(x, with_evidence=not same) for x in (was, now)]
        change = _change("assumption", str(row.get("label")), *said, key=str(row.get("key")))
        state = "added" if was is None else "removed" if now is None else "changed"
        yield {**change, "state": state, "unit": row.get("unit"), "identity": name}


def _same_value(was: Record, now: Record) -> bool:
    same = all(was.get(key) == now.get(key) for key in (*_SHOWN, "mean", "p05", "p95"))
    return same and was.get("numbers") == now.get("numbers")


def _said(row: Record | None, *, with_evidence: bool) -> str | None:
    if row is None:
        return None
    value = words.shorten(row.get("value"), 80)
    return f"{value} ({words.evidence_word(row.get('evidence'))})" if with_evidence else value


def _keys(kind: str, before: Any, after: Any, *, skip: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return
    for key in sorted({*before, *after}):
        if key in skip or _comes_with_its_amount(key, before, after):
            continue
        if before.get(key) != after.get(key):
            yield _change(kind, key, before.get(key), after.get(key))


def _comes_with_its_amount(key: str, before: Record, after: Record) -> bool:
    """Whether a setting is that of a cost line which one record lacks: its amount says so already."""
    line = re.match(r"economics\.costs\[.*\]\.", key)
    return line is not None and not all(any(k.startswith(line[0]) for k in x) for x in (before, after))


def _policy(old: Record, new: Record) -> Iterator[dict[str, Any]]:
    found = list(_keys("policy", old.get("policy"), new.get("policy"), skip=_CONTEXT))
    yield from found
    hashes = [_provenance(r).get("policy_sha256") for r in (old, new)]
    if not found and hashes[0] != hashes[1] and "policy" not in old:
        yield _change("policy", "the policy file", *hashes)


def _method(old: Record, new: Record) -> Iterator[dict[str, Any]]:
    before, after = _provenance(old), _provenance(new)
    if before.get("roi") != after.get("roi"):
        yield _change("method", "roi", before.get("roi"), after.get("roi"))
    yield from _keys("method", before.get("versions"), after.get("versions"))
    if old.get("schema") != new.get("schema"):
        yield _change("method", "form of the record", old.get("schema"), new.get("schema"))


def _seed(old: Record, new: Record) -> Iterator[dict[str, Any]]:
    for key in ("seed", "draws"):
        before, after = _provenance(old).get(key), _provenance(new).get(key)
        if before != after:
            yield _change("seed", f"run.{key}", before, after)


def _quantities(old: Record, new: Record) -> list[dict[str, Any]]:
    rows = []
    before, after = dict(_numbers(old)), dict(_numbers(new))
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None and was["value"] == now["value"]:
            continue
        row = now or was or {}
        rows.append(
            {
                "key": key,
                "label": row.get("label"),
                "unit": row.get("unit"),
                "old": None if was is None else was["value"],
                "new": None if now is None else now["value"],
            }
        )
    return rows


def _numbers(record: Record) -> Iterator[tuple[str, dict[str, Any]]]:
    currency = record.get("currency")
    options = record.get("options") or {}
    chances = record.get("chances") or {}
    for name, label in (("scale", "Scaling everything"), ("fix", "The fix"), ("keep", "Keeping the pilot")):
        if options.get(name):
            yield f"options.{name}", {"label": label, "unit": currency, "value": options[name].get("mean")}
    for option in options.get("scale_segments") or []:
        label = option.get("label")
        yield f"options.{label}", {"label": label, "unit": currency, "value": option.get("mean")}
    for name, label in (
        ("scale_pays", "Chance that scaling pays"),
        ("fix_pays", "Chance that the fix pays"),
        ("scale_pays_cash_only", "Chance that scaling pays in cash alone"),
    ):
        if chances.get(name) is not None:
            yield f"chances.{name}", {"label": label, "unit": "share", "value": chances[name]}
    labels: set[str] = set()
    for name, found in sorted((record.get("estimates") or {}).items()):
        if found and found.get("label") not in labels and words.finite(found.get("mean")) is not None:
            row = {"label": found.get("label") or name, "unit": found.get("unit"), "value": found["mean"]}
            labels.add(str(found.get("label")))
            yield f"estimates.{name}", row
    if words.finite(record.get("cost_of_waiting_per_month")) is not None:
        value = record["cost_of_waiting_per_month"]
        yield "cost_of_waiting", {"label": "A month of waiting", "unit": currency, "value": value}


def _gates(old: Record, new: Record) -> list[dict[str, Any]]:
    before = {g["gate"]: g for g in old.get("gates") or []}
    after = {g["gate"]: g for g in new.get("gates") or []}
    return [
        {
            "gate": name,
            "label": (after.get(name) or before[name]).get("label"),
            "old": (before.get(name) or {}).get("state"),
            "new": (after.get(name) or {}).get("state"),
        }
        for name in dict.fromkeys([*before, *after])
        if (before.get(name) or {}).get("state") != (after.get(name) or {}).get("state")
    ]


def since(found: Mapping[str, Any]) -> str:
    """A comparison in one sentence: what came in, what was changed, and what that did to the verdict."""
    old, new = found["old"], found["new"]
    day = words.day(old.get("as_of"), unknown="the record before").replace(words.NBSP, " ")
    causes = _causes(found)
    if not causes and not found["quantities"] and not found["verdict_changed"]:
        return f"Since {day}: nothing that went into the decision has changed."
    said = ", ".join(causes) if causes else "nothing that the records hold went in otherwise"
    return f"Since {day}: {said}; {_outcome(old, new, str(found.get('currency') or ''))}."


def _causes(found: Mapping[str, Any]) -> list[str]:
    kinds: dict[str, list[Any]] = {}
    for change in found["changes"]:
        kinds.setdefault(change["kind"], []).append(change)
    said = []
    gained = sum(row["new"] - row["old"] for row in found["months"] if row["new"] > row["old"])
    lost = sum(row["old"] - row["new"] for row in found["months"] if row["new"] < row["old"])
    months = [
        words.month_of(m) for m in dict.fromkeys(r["month"] for r in found["months"] if r["new"] > r["old"])
    ]
    if gained:
        where = f" of {words.and_list(months)}" if len(months) < 4 else f" of {len(months)} months"
        said.append(f"{words.plural(gained, 'case')}{where} came in")
    if lost:
        said.append(f"{words.plural(lost, 'case')} of earlier months went")
    if not (gained or lost) and "data" in kinds:
        said.append(f"{words.plural(len(kinds['data']), 'table')} changed")
    rows = kinds.get("assumption", [])
    for row in rows[:2]:
        name = f"“{words.shorten(row['what'], 50)}”"
        if row["state"] == "changed":
            now, was = (words.shorten(row[key], 60) for key in ("new", "old"))
            said.append(f"{name} is {now}, before {was}")
        else:
            said.append(f"{name} was {row['state']}")
    if len(rows) > 2:
        said.append(f"{words.plural(len(rows) - 2, 'more assumption')} changed")
    for kind, one in (("setting", "setting"), ("policy", "rule of the policy")):
        rows = kinds.get(kind, [])
        if len(rows) == 1:
            said.append(f"{words.shorten(rows[0]['key'], 60)} changed")
        elif rows:
            said.append(f"{len(rows)} {'settings' if one == 'setting' else 'rules of the policy'} changed")
    if "method" in kinds:
        said.append("the method (the package or what it stands on) changed")
    if "seed" in kinds:
        said.append("the seed or the number of draws changed")
    return said


def _outcome(old: Record, new: Record, currency: str) -> str:
    was, now = words.verdict_word(old), words.verdict_word(new)
    if was != now:
        said = f"the verdict went from {was} to {now}"
    elif _verdict(old) != _verdict(new):
        said = f"the verdict stays {now}, for another reason"
    else:
        said = f"the verdict stays {now}"
    worths = [words.finite(r.get("scale_worth")) for r in (old, new)]
    if worths[0] is None and worths[1] is not None:
        return f"{said}, and scaling is now known to be worth {words.amount(worths[1], currency)}"
    if worths[1] is None or worths[0] is None:
        return said
    before, after = (words.amount(x, currency) for x in worths)
    if before == after:
        return f"{said}, and scaling is worth {after}, as before"
    return f"{said}, and scaling is worth {after}, before {before}"
