"""What is true of an example pilot: everything its samples are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

__all__ = ["Arm", "Controls", "Segment", "Tool", "Truth"]

CLEAN_CAUSES: Mapping[str, float] = {"model": 0.7, "workflow": 0.2, "integration": 0.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """How cases of one segment go in one arm.

    Attributes:
        handling: Arithmetic mean of the handling minutes.
        review: Arithmetic mean of the minutes to check the agent's output.
        rework: Mean minutes of a repair where one is needed.
        rework_rate: Share of cases that need one.
        takeover: Mean minutes a person needs after an escalation; logged as rework.
        escalation_rate: Share of cases escalated where inputs are clean.
        escalation_rate_defect: The same where inputs are defective; None: as where they are clean.
        error_rate: Share of cases, of those not escalated, that leave with an error; inputs clean.
        error_rate_defect: The same where inputs are defective; None: as where they are clean.
        severity: Shares of minor, moderate, major and critical errors.
    """

    handling: float
    review: float = 0.0
    rework: float = 0.0
    rework_rate: float = 0.0
    takeover: float = 0.0
    escalation_rate: float = 0.0
    escalation_rate_defect: float | None = None
    error_rate: float = 0.0
    error_rate_defect: float | None = None
    severity: tuple[float, float, float, float] = (0.85, 0.149, 0.001, 0.0)

    def escalated(self, *, defect: bool) -> float:
        """Chance that a case is escalated."""
        if defect and self.escalation_rate_defect is not None:
            return self.escalation_rate_defect
        return self.escalation_rate

    def wrong(self, *, defect: bool) -> float:
        """Chance that a case that is not escalated leaves with an error."""
        if defect and self.error_rate_defect is not None:
            return self.error_rate_defect
        return self.error_rate

    def escalation(self, defects: float) -> float:
        """Share of cases escalated where a share `defects` of the inputs is defective."""
        return defects * self.escalated(defect=True) + (1 - defects) * self.escalated(defect=False)

    def errors(self, defects: float) -> float:
        """Share of all cases that leave with an error."""
        bad = (1 - self.escalated(defect=True)) * self.wrong(defect=True)
        clean = (1 - self.escalated(defect=False)) * self.wrong(defect=False)
        return defects * bad + (1 - defects) * clean

    def human_minutes(self, defects: float) -> float:
        """Arithmetic mean of human minutes a case: handling, review, rework and takeovers."""
        repairs = self.rework_rate * self.rework
        return self.handling + self.review + repairs + self.escalation(defects) * self.takeover


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A kind of case.

    Attributes:
        name: As it stands in the samples.
        share: Share of production demand.
        cases: Cases sampled per worker (per segment where cases are paired), baseline and pilot.
        baseline: How its cases go as before.
        pilot: How they go with the agent.
        defects: Share of cases with defective inputs.
        demo: Cases of a demo, in all, pilot arm only.
    """

    name: str
    share: float
    cases: tuple[int, int]
    baseline: Arm
    pilot: Arm
    defects: float = 0.0
    demo: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool the agent calls; `rate` is the share of cases in which it does."""

    name: str
    system: str
    scope: str
    effect: Literal["read", "draft", "write", "send", "pay"]
    rate: float = 1.0

    @property
    def high_risk(self) -> bool:
        """Whether a person has to approve it first."""
        return self.effect in ("send", "pay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """How the pilot is controlled.

    Attributes:
        tools: What the agent calls, in this order.
        approvers: How many people approve; 0: whoever works the case.
        approval_miss_rate: Share of high-risk actions that nobody approved.
        lazy_approver_share: Share of approvals left to one person, who gives them after the fact.
        rejection_rate: Share of high-risk actions that a person rejects at first; amended, they are asked for again.
        denied_rate: Share of the agent's reads that are denied.
        unlogged_rate: Share of pilot cases without a logged action.
        spare_grants: Rights granted and never needed, as (system, scope).
        missing_grants: Systems used without a grant.
        eval_cases: Size of the evaluation suite; 0: there is none.
        eval_pass: Pass rates of the version before and of the live one.
        eval_flaky: Cases of the suite whose second run on the live version ends otherwise than the first.
        drill_minutes: Minutes from detection to pause in the drill; None: no drill.
        sealed_at: When the action log was sealed, in UTC; None: it was not.
    """

    tools: tuple[Tool, ...]
    approvers: int = 0
    approval_miss_rate: float = 0.0
    lazy_approver_share: float = 0.0
    rejection_rate: float = 0.03
    denied_rate: float = 0.0
    unlogged_rate: float = 0.0
    spare_grants: tuple[tuple[str, str], ...] = ()
    missing_grants: tuple[str, ...] = ()
    eval_cases: int = 150
    eval_pass: tuple[float, float] = (0.90, 0.95)
    eval_flaky: int = 0
    drill_minutes: float | None = 6.0
    sealed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything the samples of one example pilot are drawn from.

    Attributes:
        pilot: Its name; also decides in which form the files are written.
        workers: People who worked its cases.
        design: Each worker works both arms (`within`), is assigned to one (`assigned`), or each case is
            worked in both arms by different people (`paired`).
        segments: Kinds of cases; one that nobody sampled has `cases` (0, 0).
        controls: How it is controlled; None: no logs were kept.
        log_sd: Standard deviation of log minutes between cases of one worker.
        pair_sd: The part of it that both cases of a pair share.
        worker_sd: Standard deviation of log minutes between workers, the same in both arms.
        effect_sd: Standard deviation between workers of the log ratio of pilot to baseline minutes.
        agent_cost: Mean agent cost a case, in `cost_currency`; None where tokens are logged instead.
        cost_currency: Of `agent_cost`.
        tokens: Mean input and output tokens a case; None where the cost is logged.
        provider: Who sells the model.
        model: Its name in the price table.
        versions: The version before and the live one.
        changed: When the live one went live.
        old_version_share: Share of pilot cases, the first in time, that ran on the version before.
        first: First day sampled.
        last: Last day sampled.
        missing_minutes: Share of cases whose handling minutes were not logged, in both arms alike.
        unlabelled: Share of cases whose outcome nobody looked at, in both arms alike.
        demo_inputs: Cases of a demo whose inputs were kept, the cases themselves not; 0: no inputs were kept at all.
        demo_arm: How demo cases go; None: there was no demo.
    """

    pilot: str
    workers: int
    segments: tuple[Segment, ...]
    design: Literal["within", "assigned", "paired"] = "within"
    controls: Controls | None = None
    log_sd: float = 0.6
    pair_sd: float = 0.0
    worker_sd: float = 0.15
    effect_sd: float = 0.10
    agent_cost: float | None = None
    cost_currency: str = "USD"
    tokens: tuple[int, int] | None = None
    provider: str | None = None
    model: str | None = None
    versions: tuple[str, str] = ("v1", "v2")
    changed: date = date(2026, 6, 25)
    old_version_share: float = 0.0
    first: date = date(2026, 7, 1)
    last: date = date(2026, 11, 20)
    missing_minutes: float = 0.0
    unlabelled: float = 0.0
    demo_inputs: int = 0
    demo_arm: Arm | None = None
    clean_causes: Mapping[str, float] = field(default_factory=lambda: dict(CLEAN_CAUSES))

    def change(self, arm: Literal["baseline", "pilot"], *segments: str, **fields: Any) -> Truth:
        """The same pilot with another truth in one arm.

        Args:
            arm: Which arm.
            segments: Names of segments; none: all of them.
            fields: Fields of `Arm` and their new values.

        Returns:
            A new truth; nothing else differs, and neither do the random numbers behind the samples.
        """
        known = {s.name for s in self.segments}
        if not set(segments) <= known:
            raise ValueError(f"segments are {sorted(known)}, not {sorted(segments)}")
        changed = tuple(
            replace(s, **{arm: replace(getattr(s, arm), **fields)})
            if not segments or s.name in segments
            else s
            for s in self.segments
        )
        return replace(self, segments=changed)

    def figures(self) -> dict[str, float]:
        """The figures that samples estimate, over the production mix (also of segments nobody sampled).

        Returns:
            Minutes a case, shares of cases and the agent's cost a case in its own currency.
        """
        mixed: dict[str, float] = {}
        for s in self.segments:
            severe = s.pilot.severity[2] + s.pilot.severity[3]
            values = {
                "human_minutes_baseline": s.baseline.human_minutes(s.defects),
                "human_minutes_pilot": s.pilot.human_minutes(s.defects),
                "error_rate_baseline": s.baseline.errors(s.defects),
                "error_rate_pilot": s.pilot.errors(s.defects),
                "severe_error_rate_pilot": s.pilot.errors(s.defects) * severe,
                "escalation_rate_pilot": s.pilot.escalation(s.defects),
                "usable_inputs": 1 - s.defects,
                "covered_demand": float(min(s.cases) > 0),
                f"minutes_saved_per_case[{s.name}]": 0.0,
            }
            saved = values["human_minutes_baseline"] - values["human_minutes_pilot"]
            for name, value in values.items():
                mixed[name] = mixed.get(name, 0.0) + s.share * value
            mixed[f"minutes_saved_per_case[{s.name}]"] = saved
        whole = mixed["human_minutes_baseline"] - mixed["human_minutes_pilot"]
        result = {"minutes_saved_per_case": whole, **mixed}
        if self.agent_cost is not None:
            result["agent_cost_per_case"] = self.agent_cost
        return result
