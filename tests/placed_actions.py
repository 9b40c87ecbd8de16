"""A log of actions of `placed_cases`, as a database has it, with typed columns; and who may do what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

TYPES = {
    "nr": "varchar", "ticket": "varchar", "step": "integer", "fn": "varchar", "app": "varchar", "scope": "varchar",
    "does": "varchar", "danger": "varchar", "asked": "timestamptz", "asker": "varchar", "answer": "varchar", "who": "varchar",
    "answered": "timestamptz", "done": "timestamptz", "state": "varchar", "attempt": "smallint", "build": "varchar",
    "took": "double",
}  # fmt: skip
COLUMNS: dict[str, Any] = {
    "action_id": "nr", "case_id": "ticket", "seq": "step", "tool": "fn", "system": "app", "scope": "scope",
    "effect": {"from": "does", "values": {"lesen": "read"}}, "risk": "danger", "requested_at": "asked", "requester": "asker",
    "decision": {"from": "answer", "values": {"Ja": "approved", "nein": "rejected"}}, "approver": "who",
    "decided_at": "answered", "executed_at": "done", "status": "state", "attempt": "attempt", "version": "build",
    "duration_ms": "took",
}  # fmt: skip
APPROVERS = ("Jörg Groß", "Joerg Gross", "Ann Lee", "Zoë", "Zoe")
STEPS = (("read_mail", "mailbox", "mail:read", "Lesen"), ("look_up", "crm", "crm:read", "read"), ("update", "crm", "crm:write", "write"),
         ("send_reply", "mailbox", "mail:send", "send"))  # fmt: skip


def rows(cases: list[tuple[Any, ...]], *, seed: int = 5) -> list[tuple[Any, ...]]:
    """The actions of these cases, of few that no sample holds, and of none."""
    rng = np.random.default_rng(seed)
    found: list[tuple[Any, ...]] = []
    for row in cases:
        key, arm, version, started = row[0].strip(), row[1], row[13], row[14]
        if (arm != "ki" and rng.random() < 0.9) or rng.random() < 0.03:
            continue
        at = started + dt.timedelta(seconds=float(rng.uniform(1, 60)))
        for i, (tool, system, scope, effect) in enumerate(STEPS[: 1 + int(rng.integers(4))]):
            asks = tool == "send_reply" or rng.random() < 0.05
            wait = dt.timedelta(seconds=float(rng.choice([2.0, 40.0, 400.5, 3000.25])))
            status = str(rng.choice(["ok", "error", "timeout", "denied"], p=[0.9, 0.05, 0.03, 0.02]))
            said = str(rng.choice(["Ja", "nein", "escalated"], p=[0.9, 0.07, 0.03])) if asks else "auto"
            late = rng.random() < 0.03
            answered = at + wait if asks and rng.random() < 0.95 else None
            ran = (
                None
                if said in ("nein", "escalated") or status == "denied"
                else at + wait * (0.5 if late else 1)
            )
            found.append((
                f"a{len(found)}", f" {key} " if rng.random() < 0.1 else key, None if rng.random() < 0.02 else i + 1, tool, system,
                None if rng.random() < 0.01 else scope, None if rng.random() < 0.1 else effect, "HIGH" if tool == "send_reply" else None,
                at, str(rng.choice(["agent-7", "Jörg Groß"], p=[0.8, 0.2])), said,
                APPROVERS[int(rng.integers(len(APPROVERS)))] if asks else None, answered, ran, None if rng.random() < 0.03 else status,
                int(rng.integers(1, 3)), version, None if rng.random() < 0.2 else float(rng.integers(1, 4000)),
            ))  # fmt: skip
            at += wait + dt.timedelta(seconds=1)
    sample = found[0]
    found += [(f"b{i}", f"other-{i}", *sample[2:]) for i in range(3)]
    found += [("c1", None, *sample[2:]), (None, sample[1], *sample[2:])]
    return found


def tables(folder: Any) -> dict[str, Any]:
    """Small tables of grants and changes, in files beside the database."""
    (folder / "data").mkdir(exist_ok=True)
    access = "system,scope,identity,granted_by,granted_at,expires,needed_by\n"
    for system, scope in (
        ("mailbox", "mail:read"),
        ("mailbox", "mail:send"),
        ("crm", "crm:read"),
        ("sap", "sap:pay"),
    ):
        access += f"{system},{scope},agent-7,O'Neil,2026-01-05T09:00:00,2026-05-20T00:00:00,\n"
    changes = "changed_at,version,kind,approved_by\n2026-02-20T10:00:00,v1,model,Ann Lee\n2026-03-22T08:00:00,v2,prompt,\n"
    (folder / "data" / "access.csv").write_text(access, encoding="utf-8")
    (folder / "data" / "changes.csv").write_text(changes, encoding="utf-8")
    return {"access": "data/access.csv", "changes": "data/changes.csv"}
