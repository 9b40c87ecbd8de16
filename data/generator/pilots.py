"""The truth of each example pilot."""

from __future__ import annotations

from datetime import date

from data.generator.truth import Arm, Controls, Segment, Tool, Truth

__all__ = ["TRUTHS"]

SUPPORT_REPLIES = Truth(
    pilot="support_replies",
    workers=160,
    log_sd=0.65,
    agent_cost=0.021,
    # Decided half a year before the others, so that months of its roll-out are known beside their decisions.
    changed=date(2025, 11, 27),
    first=date(2025, 12, 3),
    last=date(2026, 4, 24),
    missing_minutes=0.015,
    unlabelled=0.02,
    segments=(
        Segment(
            name="email",
            share=0.50,
            cases=(5, 5),
            defects=0.05,
            baseline=Arm(handling=9.2, rework=5.0, rework_rate=0.06, error_rate=0.060),
            pilot=Arm(
                handling=3.4,
                review=2.1,
                rework=4.0,
                rework_rate=0.07,
                takeover=9.0,
                escalation_rate=0.05,
                error_rate=0.042,
            ),
        ),
        Segment(
            name="chat",
            share=0.35,
            cases=(3, 3),
            defects=0.03,
            baseline=Arm(handling=6.8, rework=4.0, rework_rate=0.05, error_rate=0.055),
            pilot=Arm(
                handling=2.9,
                review=1.5,
                rework=3.0,
                rework_rate=0.06,
                takeover=7.0,
                escalation_rate=0.05,
                error_rate=0.045,
            ),
        ),
        Segment(
            name="marketplace",
            share=0.15,
            cases=(2, 2),
            defects=0.10,
            baseline=Arm(handling=11.0, rework=6.0, rework_rate=0.08, error_rate=0.070),
            pilot=Arm(
                handling=4.6,
                review=2.4,
                rework=5.0,
                rework_rate=0.08,
                takeover=11.0,
                escalation_rate=0.08,
                error_rate=0.060,
            ),
        ),
    ),
    controls=Controls(
        tools=(
            Tool(name="look_up_order", system="shop", scope="orders:read", effect="read"),
            Tool(name="send_reply", system="helpdesk", scope="replies:send", effect="send"),
            Tool(name="refund", system="payments", scope="refunds:create", effect="pay", rate=0.08),
        ),
        spare_grants=(("shop", "customers:read"),),
        eval_flaky=2,
    ),
)

INVOICE_CODING = Truth(
    pilot="invoice_coding",
    workers=150,
    log_sd=0.55,
    tokens=(4200, 350),
    provider="anthropic",
    model="claude-3-5-haiku-latest",
    missing_minutes=0.01,
    segments=(
        Segment(
            name="catalogue",
            share=0.62,
            cases=(4, 10),
            defects=0.06,
            baseline=Arm(handling=5.8, rework=6.0, rework_rate=0.05, error_rate=0.040),
            pilot=Arm(
                handling=1.2,
                review=0.9,
                rework=4.0,
                rework_rate=0.05,
                takeover=5.0,
                escalation_rate=0.03,
                error_rate=0.028,
            ),
        ),
        Segment(
            name="services",
            share=0.26,
            cases=(3, 3),
            defects=0.20,
            baseline=Arm(handling=8.6, rework=7.0, rework_rate=0.06, error_rate=0.05),
            pilot=Arm(
                handling=5.4,
                review=4.6,
                rework=8.0,
                rework_rate=0.22,
                takeover=9.0,
                escalation_rate=0.25,
                error_rate=0.09,
            ),
        ),
        Segment(
            name="foreign",
            share=0.12,
            cases=(2, 2),
            defects=0.25,
            baseline=Arm(handling=11.5, rework=8.0, rework_rate=0.06, error_rate=0.06),
            pilot=Arm(
                handling=5.5,
                review=6.5,
                rework=9.0,
                rework_rate=0.30,
                takeover=13.0,
                escalation_rate=0.35,
                error_rate=0.11,
            ),
        ),
    ),
    controls=Controls(
        tools=(
            Tool(name="read_scan", system="archive", scope="invoices:read", effect="read"),
            Tool(name="post_voucher", system="ledger", scope="vouchers:post", effect="send"),
        ),
        approvers=14,
        drill_minutes=9.0,
        eval_pass=(0.88, 0.93),
        sealed_at="2026-11-27T18:00:00Z",
    ),
)

CLAIMS_INTAKE = Truth(
    pilot="claims_intake",
    demo_inputs=90,
    workers=120,
    log_sd=0.60,
    agent_cost=0.085,
    missing_minutes=0.02,
    segments=(
        Segment(
            name="email",
            share=0.55,
            cases=(4, 7),
            defects=0.32,
            baseline=Arm(handling=18.5, rework=8.0, rework_rate=0.06, error_rate=0.06),
            pilot=Arm(
                handling=8.2,
                review=2.6,
                rework=6.0,
                rework_rate=0.12,
                takeover=21.0,
                escalation_rate=0.03,
                escalation_rate_defect=0.55,
                error_rate=0.045,
                error_rate_defect=0.30,
            ),
        ),
        Segment(
            name="portal",
            share=0.35,
            cases=(2, 4),
            defects=0.18,
            baseline=Arm(handling=15.5, rework=7.0, rework_rate=0.05, error_rate=0.05),
            pilot=Arm(
                handling=6.9,
                review=2.2,
                rework=5.0,
                rework_rate=0.10,
                takeover=18.0,
                escalation_rate=0.03,
                escalation_rate_defect=0.50,
                error_rate=0.04,
                error_rate_defect=0.28,
            ),
        ),
        Segment(
            name="post",
            share=0.10,
            cases=(1, 1),
            defects=0.40,
            baseline=Arm(handling=22.0, rework=9.0, rework_rate=0.07, error_rate=0.07),
            pilot=Arm(
                handling=11.0,
                review=3.2,
                rework=7.0,
                rework_rate=0.15,
                takeover=24.0,
                escalation_rate=0.04,
                escalation_rate_defect=0.60,
                error_rate=0.05,
                error_rate_defect=0.30,
            ),
        ),
    ),
    controls=Controls(
        tools=(
            Tool(name="read_mail", system="mailbox", scope="claims:read", effect="read"),
            Tool(name="look_up_policy", system="policies", scope="policies:read", effect="read", rate=0.9),
            Tool(name="acknowledge_claim", system="mailbox", scope="claims:send", effect="send"),
        ),
        approvers=9,
        lazy_approver_share=0.11,
        eval_pass=(0.86, 0.91),
    ),
)

CONTRACT_SUMMARIES = Truth(
    pilot="contract_summaries",
    workers=10,
    design="paired",
    log_sd=0.22,
    pair_sd=0.45,
    worker_sd=0.05,
    effect_sd=0.0,
    agent_cost=0.38,
    cost_currency="GBP",
    first=date(2026, 9, 7),
    last=date(2026, 11, 6),
    segments=(
        Segment(
            name="all",
            share=1.0,
            cases=(40, 40),
            defects=0.05,
            baseline=Arm(handling=36.0, error_rate=0.05, severity=(0.9, 0.1, 0.0, 0.0)),
            pilot=Arm(handling=20.0, review=14.8, error_rate=0.06, severity=(0.9, 0.1, 0.0, 0.0)),
        ),
    ),
)

_PERMIT_PILOT = Arm(
    handling=19.0,
    review=5.0,
    rework=10.0,
    rework_rate=0.15,
    takeover=26.0,
    escalation_rate=0.08,
    escalation_rate_defect=0.55,
    error_rate=0.05,
    error_rate_defect=0.20,
    severity=(0.8, 0.2, 0.0, 0.0),
)
_PERMIT_BASELINE = Arm(handling=36.0, rework=12.0, rework_rate=0.10, error_rate=0.05)

PERMIT_INTAKE = Truth(
    pilot="permit_intake",
    workers=24,
    design="assigned",
    log_sd=0.55,
    worker_sd=0.12,
    agent_cost=0.14,
    cost_currency="EUR",
    missing_minutes=0.03,
    versions=("2026.1", "2026.2"),
    changed=date(2026, 6, 22),
    first=date(2026, 7, 1),
    last=date(2026, 10, 30),
    demo_arm=Arm(handling=14.0, review=4.0, error_rate=0.02),
    segments=(
        Segment(
            name="dwelling",
            share=0.40,
            cases=(7, 7),
            defects=0.70,
            demo=40,
            baseline=_PERMIT_BASELINE,
            pilot=_PERMIT_PILOT,
        ),
        Segment(
            name="signage",
            share=0.15,
            cases=(3, 3),
            defects=0.62,
            demo=20,
            baseline=_PERMIT_BASELINE,
            pilot=_PERMIT_PILOT,
        ),
        Segment(
            name="change_of_use",
            share=0.20,
            cases=(4, 4),
            defects=0.78,
            baseline=_PERMIT_BASELINE,
            pilot=_PERMIT_PILOT,
        ),
        Segment(
            name="heritage",
            share=0.25,
            cases=(0, 0),  # nobody sampled these: the trial was closed to listed buildings
            defects=0.85,
            baseline=_PERMIT_BASELINE,
            pilot=_PERMIT_PILOT,
        ),
    ),
    controls=Controls(
        tools=(
            Tool(name="read_application", system="registry", scope="applications:read", effect="read"),
            Tool(name="search_archive", system="archive", scope="plans:read", effect="read", rate=0.7),
            Tool(name="draft_notice", system="registry", scope="notices:draft", effect="draft"),
        ),
        denied_rate=0.12,
        missing_grants=("archive",),
        unlogged_rate=0.06,
        eval_cases=40,
        eval_pass=(0.80, 0.82),
        drill_minutes=None,
    ),
)

_PAYMENT_SEVERITY = (0.42, 0.18, 0.35, 0.05)

PAYMENT_REPAIR = Truth(
    pilot="payment_repair",
    workers=60,
    log_sd=0.55,
    tokens=(2600, 240),
    provider="openai",
    model="gpt-4o-mini",
    missing_minutes=0.01,
    versions=("r7", "r8"),
    changed=date(2026, 5, 20),
    first=date(2026, 6, 1),
    last=date(2026, 10, 30),
    segments=(
        Segment(
            name="domestic",
            share=0.70,
            cases=(5, 8),
            defects=0.10,
            baseline=Arm(
                handling=12.5, rework=8.0, rework_rate=0.06, error_rate=0.060, severity=_PAYMENT_SEVERITY
            ),
            pilot=Arm(
                handling=4.4,
                review=1.2,
                rework=6.0,
                rework_rate=0.06,
                takeover=12.0,
                escalation_rate=0.04,
                error_rate=0.068,
                severity=_PAYMENT_SEVERITY,
            ),
        ),
        Segment(
            name="cross_border",
            share=0.30,
            cases=(3, 5),
            defects=0.15,
            baseline=Arm(
                handling=19.0, rework=10.0, rework_rate=0.08, error_rate=0.080, severity=_PAYMENT_SEVERITY
            ),
            pilot=Arm(
                handling=8.0,
                review=2.0,
                rework=8.0,
                rework_rate=0.08,
                takeover=18.0,
                escalation_rate=0.08,
                error_rate=0.090,
                severity=_PAYMENT_SEVERITY,
            ),
        ),
    ),
    controls=Controls(
        tools=(
            Tool(name="read_payment", system="payments", scope="payments:read", effect="read"),
            Tool(name="look_up_account", system="directory", scope="accounts:read", effect="read", rate=0.8),
            Tool(name="release_payment", system="payments", scope="payments:release", effect="pay"),
        ),
        approvers=6,
        approval_miss_rate=0.38,
        drill_minutes=4.0,
    ),
)

TRUTHS: dict[str, Truth] = {
    truth.pilot: truth
    for truth in (
        CLAIMS_INTAKE,
        CONTRACT_SUMMARIES,
        INVOICE_CODING,
        PAYMENT_REPAIR,
        PERMIT_INTAKE,
        SUPPORT_REPLIES,
    )
}
