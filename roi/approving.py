"""What approving every high-risk action before it runs would change of each case: what a mend of that gate demands.

Decisions that nobody takes today take people's minutes, and actions that ran undecided, or were decided too late, wait.
Of the errors that came of these, approval catches the share that it catches where it is practised.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from roi.approval_kinds import ApprovalKinds
from roi.approval_losses import (
    ApprovalLosses,
    approval_losses,
    label_of,
    minutes_of,
    per_case_of,
    waits_of,
    weights_of,
)
from roi.assumptions import Assumptions, Number
from roi.measured import Measured, Scope

__all__ = ["APPROVAL_MINUTES", "WAITING_COST", "Approvals", "Approving", "Counted", "approvals_of"]

Floats = npt.NDArray[np.float64]
Segments = tuple[str, ...] | None

APPROVAL_MINUTES = "economics.approval_minutes"
WAITING_COST = "economics.waiting_cost_per_hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approving:
    """Everything a case of production, were all high-risk actions approved before they run, and were none before.

    Attributes:
        decisions: Decisions that nobody takes today.
        actions: Actions that today run before anybody decided on them.
        minutes: Minutes that these decisions take; None where nobody knows what one takes.
        mending: Minutes of mending what is then caught.
        caught: Share of the pilot's errors that is then caught: rejected, or repaired where the log tells how many
            repairs are made anyway.
        catch_known: Whether it is known what approval catches; else nothing is counted as caught.
        waiting: What it costs that actions wait; None where waiting has no price, or was not timed.
    """

    decisions: float
    actions: float
    minutes: Number | None
    mending: Number
    caught: Number
    catch_known: bool
    waiting: Number | None

    @property
    def known(self) -> bool:
        """Whether what it takes of people is known."""
        return self.minutes is not None or not self.decisions > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the logs tell of a scope, whatever is stated beside it; everything a case.

    Attributes:
        decisions: Decisions that nobody takes today, of each kind.
        actions: Actions that today run before anybody decided on them.
        minutes: Minutes that those decisions take by the log; None where it has none.
        mending: Minutes of mending what is then caught.
        caught: Share of the pilot's errors that is then caught.
        hours: Hours that the actions then wait; None where a kind was not timed.
        catch_known: Whether it is known what approval catches.
    """

    decisions: Floats
    actions: float
    minutes: Number | None
    mending: Number
    caught: Number
    hours: float | None
    catch_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """What the logs tell of approval, to be asked scope by scope.

    Attributes:
        kinds: Their counts.
        high_risk_tools: Those that the policy calls high-risk, beside what the logs do.
        effect: Design effect of losses, at least 1.
        minutes: Minutes of an approval as stated; None takes the log's.
        waiting: Cost of an hour that an action waits; None where it is not stated.
        seed: Seed of the run.
        counted: What was counted of a scope, filled as it is asked for.
    """

    kinds: ApprovalKinds
    high_risk_tools: Collection[str]
    effect: float
    minutes: Number | None
    waiting: Number | None
    seed: int
    counted: dict[Segments, tuple[Measured, Counted]] = field(default_factory=dict, repr=False, compare=False)

    def at(self, measured: Measured, scope: Scope, segments: Segments) -> Approving:
        """What approving takes and catches in a scope.

        Args:
            measured: Joint draws of what was measured.
            scope: What was measured in the scope.
            segments: The scope; None for everything.
        """
        known = self.counted.get(segments)
        if known is None or known[0] is not measured:
            known = measured, self._count(measured, scope)
            self.counted[segments] = known
        found = known[1]
        decisions = float(found.decisions.sum())
        minutes = found.minutes if self.minutes is None else np.multiply(self.minutes, decisions)
        return Approving(
            decisions=decisions,
            actions=found.actions,
            minutes=minutes,
            mending=found.mending,
            caught=found.caught,
            catch_known=found.catch_known,
            waiting=None
            if self.waiting is None or found.hours is None
            else np.multiply(self.waiting, found.hours),
        )

    def _count(self, measured: Measured, scope: Scope) -> Counted:
        x, draws = self.kinds, measured.draws
        required = [k for k in range(len(x.tool)) if x.required_by(k, self.high_risk_tools)]
        names = [label_of(x, k) for k in required]
        per_case = per_case_of(weights_of(x, measured, scope), x.cases)
        ran, in_time, nobody = (
            x.count(name)[required] @ per_case for name in ("ran", "ran_in_time", "undecided")
        )
        unseen = ran - in_time
        each, _ = minutes_of(x, required, names, None, draws, self.seed)
        waits = waits_of(x, required)
        losses = approval_losses(x, measured, scope, effect=self.effect, stated=None, seed=self.seed)
        error = scope.error_rate[1]
        caught: Number = 0.0
        mending: Number = 0.0
        if losses is not None and error is not None and x.catch_known:
            # Repairs are made after the act as well: they count where it is known how many are made anyway.
            slipped = _caught(losses, required, repairs=x.repairs_known)
            caught = np.divide(slipped, error, out=np.zeros_like(slipped), where=error > 0)
            mending = slipped * (losses.mend or 0.0)
        return Counted(
            decisions=nobody,
            actions=float(unseen.sum()),
            minutes=None if each is None else sum((n * m for n, m in zip(nobody, each, strict=True)), 0.0),
            mending=mending,
            caught=np.clip(caught, 0.0, 1.0),
            catch_known=x.catch_known,
            hours=None if np.isnan(waits[unseen > 0]).any() else float((unseen * waits)[unseen > 0].sum()),
        )


def approvals_of(
    kinds: ApprovalKinds | None,
    assumptions: Assumptions,
    *,
    high_risk_tools: Collection[str],
    effect: float,
    seed: int,
) -> Approvals | None:
    """What the logs tell, with what is stated beside them; None without a log. Arguments as of `Approvals`."""
    if kinds is None:
        return None
    return Approvals(
        kinds=kinds,
        high_risk_tools=high_risk_tools,
        effect=effect,
        minutes=assumptions.get(APPROVAL_MINUTES),
        waiting=assumptions.get(WAITING_COST),
        seed=seed,
    )


def _caught(losses: ApprovalLosses, required: Collection[int], *, repairs: bool) -> Floats:
    """Errors a case that came of required actions nobody had let pass in time, and that approval would catch."""
    chosen = [i for i, k in enumerate(losses.kinds) if k in required]
    slipped = losses.slipped[chosen] * (1 - losses.let_pass[chosen])[:, None]
    return np.asarray(slipped.sum(axis=0) * losses.catch(repairs=repairs), dtype=np.float64)
