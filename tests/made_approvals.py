"""Kinds of actions made to order: constants to calculate with by hand, and logs drawn from stated rates."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from roi.approval_designs import Designs, Monthly
from roi.approval_kinds import COUNTS, ApprovalKinds
from roi.approval_losses import ApprovalLosses, Cut


def made_losses(
    *,
    asked: list[float],
    slipped: list[float],
    caught: list[float],
    minutes: list[float],
    repaired: list[float] | None = None,
    let_pass: list[float] | None = None,
    by_person: list[float] | None = None,
    wait: list[float] | None = None,
    mend: float | None = None,
    cuts: list[tuple[Cut, ...]] | None = None,
    loose: float = 0.0,
    draws: int = 2,
) -> ApprovalLosses:
    """Losses that are the same in every draw."""
    n = len(asked)

    def constant(values: list[float]) -> np.ndarray:
        return np.repeat(np.array(values, dtype=float).reshape(n, 1), draws, axis=1)

    return ApprovalLosses(
        kinds=tuple(range(n)),
        labels=tuple("abcdefghijklmnopqrst"[:n]),
        asked=np.array(asked),
        by_person=np.array(asked if by_person is None else by_person),
        slipped=constant(slipped),
        rejected=constant(caught),
        repaired=constant(repaired or [0.0] * n),
        let_pass=np.array(let_pass or [1.0] * n),
        loose=np.full(draws, loose),
        minutes=tuple(minutes),
        minutes_from=("stated",) * n,
        wait=np.array(wait or [0.0] * n),
        mend=mend,
        cuts=tuple(cuts or [()] * n),
        trend=((None, None),) * n,
    )


def made_designs(losses: ApprovalLosses, **prices: Any) -> Designs:
    given: dict[str, Any] = {"cases": 1000.0, "error_cost": 100.0, "severe": 0.1, "labour": 60.0, **prices}
    return Designs(losses=losses, monthly=Monthly(**given), seed=1)


def random_designs(rng: np.random.Generator, *, zero_minutes: bool = False, catches: bool = True) -> Designs:
    """A small problem at random: one to three kinds, some with thresholds."""
    n = int(rng.integers(1, 4))
    cuts = []
    for _ in range(n):
        shares = np.sort(rng.uniform(0, 1, (int(rng.integers(0, 3)), 2)), axis=0)[::-1]
        cuts.append(
            tuple(
                Cut(column="amount", at=float(i + 1), actions=float(x), wrong=float(y), events=np.inf)
                for i, (x, y) in enumerate(shares)
            )
        )
    losses = made_losses(
        asked=list(rng.uniform(0.2, 1.5, n)),
        slipped=list(rng.uniform(0, 0.1, n)),
        caught=list(rng.uniform(0.001, 0.1, n)) if catches else [0.0] * n,
        minutes=[0.0] * n if zero_minutes else list(rng.uniform(0, 6, n)),
        wait=[0.0] * n if zero_minutes else list(rng.uniform(0, 3, n)),
        mend=None if zero_minutes else float(rng.uniform(0, 10)),
        cuts=cuts,
        loose=float(rng.uniform(0, 0.01)),
    )
    return made_designs(
        losses,
        error_cost=float(rng.uniform(10, 400)),
        severe=float(rng.uniform(0.01, 0.2)),
        waiting=None if rng.random() < 0.5 else float(rng.uniform(0, 1)),
    )


def drawn_log(
    rng: np.random.Generator,
    *,
    cases: tuple[int, ...],
    wrong: tuple[tuple[float, float], ...],
    second: float,
    catch: float,
) -> ApprovalKinds:
    """A log of two kinds: each case has the first, a share has the second; a person decides on all and catches some.

    Args:
        rng: Random stream.
        cases: Cases by segment.
        wrong: By segment, the chance that an action of each kind is wrong.
        second: Share of the cases with an action of the second kind.
        catch: Share of the wrong actions that are rejected.
    """
    s = len(cases)
    counts = np.zeros((2, s, len(COUNTS)), dtype=np.int64)
    slipped = np.zeros((2, s))
    errors = np.zeros(s, dtype=np.int64)
    for j, n in enumerate(cases):
        there = np.stack([np.ones(n, dtype=bool), rng.random(n) < second])
        bad = there & (rng.random((2, n)) < np.array(wrong[j])[:, None])
        stopped = bad & (rng.random((2, n)) < catch)
        ran = there & ~stopped
        error = (bad & ran).any(axis=0)
        errors[j] = error.sum()
        slipped[:, j] = (ran * error / np.maximum(ran.sum(axis=0), 1)).sum(axis=1)
        of = {
            "asked": there,
            "by_person": there,
            "in_time": there,
            "caught": stopped,
            "ran": ran,
            "ran_in_time": ran,
        }
        for name, values in of.items():
            counts[:, j, COUNTS.index(name)] = values.sum(axis=1)
    return ApprovalKinds(
        tool=("first", "second"), effect=("write", "write"), system=None, scope=None, changing=np.ones(2, dtype=bool),
        segments=tuple(f"s{j}" for j in range(s)), cases=np.array(cases), labelled=np.array(cases), errors=errors,
        loose=np.zeros(s, dtype=np.int64), counts=counts, slipped=slipped, slipped_in_time=slipped,
        errors_with=np.zeros(2, dtype=np.int64), errors_alone=np.zeros(2, dtype=np.int64), review=np.zeros((2, 3)),
        mended=np.zeros((2, s)), looked=np.zeros(2, dtype=np.int64), not_looked=np.zeros(2, dtype=np.int64),
        mending=np.zeros(2), review_without=np.zeros(2), wait=np.zeros((2, 2)), approvers=np.zeros(2, dtype=np.int64), edges=(((), ()), ((), ())),
        bins=np.zeros((0, 4), dtype=np.int64), binned=np.zeros(0, dtype=np.int64), binned_caught=np.zeros(0),
        binned_slipped=np.zeros(0), has=frozenset({"decision", "outcome"}),
    )  # fmt: skip


def measured_like(x: ApprovalKinds, share: tuple[float, ...], *, draws: int, seed: int) -> tuple[Any, Any]:
    """What stands for the run's draws: the error rate of each segment by itself, weighted to production."""
    rng = np.random.default_rng(seed)
    rate = sum(
        w * rng.beta(e + 0.5, n - e + 0.5, draws)
        for w, e, n in zip(share, x.errors.tolist(), x.labelled.tolist(), strict=True)
    )
    measured = SimpleNamespace(
        moments=SimpleNamespace(segments=x.segments), weights=SimpleNamespace(share=np.array(share))
    )
    return measured, SimpleNamespace(segments=x.segments, error_rate=(None, rate))
