"""In which form each example's tables leave its systems."""

from __future__ import annotations

from collections.abc import Mapping

from data.generator.files import Export

__all__ = ["EXPORTS"]


def _same(file: str, names: str, offset: str = "", hours: int = 0) -> Export:
    return Export(file=file, columns={name: name for name in names.split()}, offset=offset, hours=hours)


ACTIONS = (
    "action_id case_id seq tool system scope effect risk requested_at requester decision approver "
    "decided_at executed_at status attempt version"
)
ACCESS = "system scope identity granted_by granted_at expires needed needed_by"
EVALS = "version suite run_id ran_at eval_case segment passed critical"
CHANGES = "version changed_at kind replaces approved_by"
INCIDENTS = "detected_at kind started_at paused_at restored_at rolled_back_to"


def _controls(actions: Export, *, offset: str = "", hours: int = 0) -> dict[str, Export]:
    return {
        "actions": actions,
        "access": _same("access.csv", ACCESS, offset=offset, hours=hours),
        "evals": _same("evals.csv", EVALS, offset=offset, hours=hours),
        "changes": _same("changes.csv", CHANGES, offset=offset, hours=hours),
        "incidents": _same("incidents.csv", INCIDENTS, offset=offset, hours=hours),
    }


SUPPORT = {
    "cases": Export(
        file="cases-{month}.csv",
        columns={
            "ticket": "case_id",
            "variant": "arm",
            "queue": "segment",
            "agent_id": "worker",
            "opened": "started_at",
            "handle_s": "handling_minutes|seconds",
            "check_s": "review_minutes|seconds",
            "reopened_s": "rework_minutes|seconds",
            "result": "outcome",
            "error_class": "severity",
            "reason": "cause",
            "reply_used": "used",
            "form_gaps": "input_defects",
            "bot_version": "version",
            "llm_usd": "agent_cost|money",
        },
        values={
            "arm": {"baseline": "control", "pilot": "treatment"},
            "outcome": {"correct": "solved", "error": "wrong", "escalated": "handed_over"},
        },
    ),
    **_controls(_same("actions.csv.gz", ACTIONS)),
    "actuals": Export(
        file="actuals.csv",
        columns={
            "month": "month",
            "tickets": "cases",
            "with_draft": "adopted_cases",
            "handling_h": "human_minutes",
            "wrong": "errors",
            "llm_usd": "cost",
            "agency_saved_eur": "cash_released",
            "closed": "complete",
        },
    ),
}

INVOICE = {
    "cases": Export(
        file="cases.tsv.gz",
        columns={
            "hospital": "case_id|head",
            "voucher": "case_id|tail",
            "arm": "arm",
            "kind": "segment",
            "clerk": "worker",
            "booked_at": "started_at",
            "coding_min": "handling_minutes",
            "checking_min": "review_minutes",
            "correction_min": "rework_minutes",
            "audit": "outcome",
            "severity": "severity",
            "cause": "cause",
            "unreadable_fields": "input_defects",
            "release": "version",
            "provider": "provider",
            "model": "model",
            "tokens_in": "input_tokens",
            "tokens_out": "output_tokens",
        },
        values={"outcome": {"correct": "ok", "error": "miscoded", "escalated": "to_person"}},
        missing="-",
    ),
    **_controls(
        Export(
            file="actions.tsv.gz",
            columns={
                "action_id": "action_id",
                "hospital": "case_id|head",
                "voucher": "case_id|tail",
                **{name: name for name in ACTIONS.split()[2:]},
            },
        )
    ),
}

CLAIMS = {
    "cases": Export(
        file="cases.csv",
        columns={
            "Ticket": "case_id",
            "Variante": "arm",
            "Kanal": "segment",
            "Bearbeiter": "worker",
            "Beginn": "started_at",
            "Bearbeitung_min": "handling_minutes",
            "Pruefung_min": "review_minutes",
            "Nacharbeit_min": "rework_minutes",
            "Ergebnis": "outcome",
            "Schwere": "severity",
            "Ursache": "cause",
            "Eingabefehler": "input_defects",
            "Version": "version",
        },
        values={
            "arm": {"baseline": "bisher", "pilot": "mit KI"},
            "outcome": {"correct": "richtig", "error": "Fehler", "escalated": "übergeben"},
            "severity": {"minor": "gering", "moderate": "mittel", "major": "hoch", "critical": "kritisch"},
            "cause": {
                "model": "Modell",
                "data": "Daten",
                "workflow": "Ablauf",
                "integration": "Anbindung",
                "oversight": "Aufsicht",
            },
        },
        delimiter=";",
        decimal=",",
        bom=True,
    ),
    "traces": Export(
        file="traces.jsonl", columns={"ticket": "case_id", "call": "call", "agent_cost": "agent_cost|money"}
    ),
    "inputs": Export(
        file="inputs.csv.gz",
        columns={
            "Ticket": "case_id",
            "Umgebung": "setting",
            "Kanal": "segment",
            "Police": "policy_no",
            "Schadentag": "loss_day",
            "Schadenhoehe": "claimed",
            "Schadenart": "peril",
            "PLZ": "postcode",
            "Gemeldet": "reported_at",
        },
        values={"setting": {"demo": "Vorführung", "production": "Betrieb"}},
        delimiter=";",
    ),
    **_controls(_same("actions.csv.gz", ACTIONS)),
}

CONTRACTS = {
    "cases": Export(
        file="cases.jsonl",
        columns={
            "matter": "case_id",
            "contract": "pair_id",
            "arm": "arm",
            "lawyer": "worker",
            "reading_time": "handling_minutes|iso",
            "checking_time": "review_minutes|iso",
            "outcome": "outcome",
            "severity": "severity",
            "cause": "cause",
            "used": "used",
            "input_defects": "input_defects",
            "version": "version",
            "started_at": "started_at",
            "agent_cost": "agent_cost|money",
            "cost_currency": "cost_currency",
        },
    )
}

PERMITS = {
    "cases": Export(
        file="cases.xlsx",
        columns={
            "File no.": "case_id",
            "Route": "arm",
            "Permit type": "segment",
            "Officer": "worker",
            "Stage": "setting",
            "Received": "started_at|datetime",
            "Time spent": "handling_minutes|clock",
            "Time checking": "review_minutes|clock",
            "Time mending": "rework_minutes|clock",
            "Finding": "outcome",
            "Gravity": "severity",
            "Cause": "cause",
            "Documents missing": "input_defects",
            "Release": "version",
            "Agent cost": "agent_cost|money",
        },
        values={"setting": {"demo": "workshop", "production": "live"}},
        missing="n/a",
        title=("Building permits: intake trial", "Exported by the registry; times as hh:mm:ss", ""),
    ),
    "actions": _same("actions.csv.gz", ACTIONS),
    "access": _same("access.csv", ACCESS),
    "evals": _same("evals.csv", EVALS),
    "changes": _same("changes.csv", CHANGES),  # and no incidents: nobody ever rehearsed stopping it
}

PAYMENTS = {
    "cases": Export(
        file="cases.jsonl.gz",
        columns={
            "payment": "case_id",
            "arm": "arm",
            "corridor": "segment",
            "operator": "worker",
            "opened_at": "started_at",
            "closed_at": "ended_at",
            "check_minutes": "review_minutes",
            "repair_minutes": "rework_minutes",
            "outcome": "outcome",
            "severity": "severity",
            "cause": "cause",
            "input_defects": "input_defects",
            "version": "version",
            "amount": "amount",
            "provider": "provider",
            "model": "model",
            "input_tokens": "input_tokens",
            "output_tokens": "output_tokens",
        },
        offset="-04:00",
    ),
    **_controls(_same("actions.csv.gz", f"{ACTIONS} duration_ms", offset="Z", hours=4), offset="Z", hours=4),
}

EXPORTS: Mapping[str, Mapping[str, Export]] = {
    "support_replies": SUPPORT,
    "invoice_coding": INVOICE,
    "claims_intake": CLAIMS,
    "contract_summaries": CONTRACTS,
    "permit_intake": PERMITS,
    "payment_repair": PAYMENTS,
}
