"""Moments from arrays, without files or an engine, and pilots drawn from a stated truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from roi.moments import ALL, Covariate, Moments, Spread

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OUTCOMES = ("correct", "error", "escalated", "abandoned")
SEVERITIES = ("minor", "moderate", "major", "critical")
MICRO = 1_000_000  # minutes are summed in whole millionths, so that sums are exact in any order


def made_moments(
    minutes: Sequence[float] | Floats,
    arm: Sequence[int] | Ints,
    unit: Sequence[object] | Array | None = None,
    segment: Sequence[str] | Array | None = None,
    outcome: Sequence[str] | Array | None = None,
    severity: Sequence[str] | Array | None = None,
    cost: Sequence[float] | Floats | None = None,
    *,
    currency: str = "",
    unit_kind: str | None = None,
    few_workers: bool = False,
    workers: dict[str, int] | None = None,
    predicted: Sequence[float] | Floats | None = None,
) -> Moments:
    """The moments of production cases, each argument one value a case.

    Args:
        minutes: Handling minutes, which are all the human minutes there are; NaN where not recorded.
        arm: 0 baseline, 1 pilot.
        unit: The independent unit; None makes every case one.
        segment: Segment names; None for a sample without.
        outcome: Outcomes, "" where not labelled; None without labels.
        severity: Severities of errors, "" where not known.
        cost: Agent cost, NaN where not known; None without costs.
        currency: Its currency, where cases name one.
        unit_kind: "worker", "pair" or "case"; "worker" where a unit is given, unless stated.
        few_workers: As in `Moments`.
        workers: As in `Moments`; counted where the unit is the worker.
        predicted: Predicted minutes, NaN where there is no prediction; None without predictions.

    Returns:
        What `roi.reduce.take_moments` makes of the same cases.
    """
    m = np.asarray(minutes, dtype=np.float64)
    size = m.size
    a = np.asarray(arm, dtype=np.int64)
    kind = unit_kind or ("case" if unit is None else "worker")
    names, s = np.unique(np.full(size, ALL) if segment is None else np.asarray(segment), return_inverse=True)
    _, u = np.unique(np.arange(size) if unit is None else np.asarray(unit), return_inverse=True)
    key, row = np.unique(
        (a * names.size + s) * (int(u.max(initial=0)) + 1) + u, return_inverse=True
    )  # rows in the order of arm, segment and unit, as the engine sorts them
    first = np.zeros(key.size, dtype=np.int64)
    first[row] = np.arange(size)

    def counted(hit: npt.NDArray[np.bool_]) -> Ints:
        return np.bincount(row, weights=hit, minlength=key.size).astype(np.int64)

    def summed(values: Floats) -> Floats:
        whole = np.rint(np.nan_to_num(values) * MICRO)
        return np.bincount(row, weights=whole, minlength=key.size) / MICRO

    def squared(values: Floats) -> Floats:
        micro = np.rint(np.nan_to_num(values) * MICRO)
        ones, rest = np.divmod(micro, MICRO)
        parts = [np.bincount(row, weights=w, minlength=key.size) for w in (ones**2, ones * rest, rest**2)]
        if (
            parts[0].max(initial=0.0) < MICRO
        ):  # all below 2 ** 63, so that whole numbers of the machine hold it
            a, b, c = (part.astype(np.int64) for part in parts)
            sums = (a * MICRO**2 + 2 * b * MICRO + c).tolist()
        else:
            sums = [int(a) * MICRO**2 + 2 * int(b) * MICRO + int(c) for a, b, c in zip(*parts, strict=True)]
        return np.array([whole / MICRO**2 for whole in sums])

    statistics = ["handling_minutes", "human_minutes"]
    known = [~np.isnan(m), ~np.isnan(m)]
    totals = [summed(m), summed(m)]
    squares = [squared(m), squared(m)]
    present = {"case_id", "arm", "handling_minutes"}
    if cost is not None:
        c = np.asarray(cost, dtype=np.float64)
        statistics.append(f"agent_cost:{currency}")
        known.append(~np.isnan(c))
        totals.append(summed(c))
        squares.append(squared(c))
        present.add("agent_cost")
    o = np.full(size, "") if outcome is None else np.asarray(outcome)
    v = np.full(size, "") if severity is None else np.asarray(severity)
    present |= {"outcome"} if outcome is not None else set()
    present |= {"severity"} if severity is not None else set()
    present |= {"segment"} if segment is not None else set()
    present |= {"worker"} if kind == "worker" else set()
    if workers is None and kind == "worker":
        workers = {arm: int(np.unique(u[a == i]).size) for i, arm in enumerate(("baseline", "pilot"))}
    none = np.zeros(key.size, dtype=np.int64)
    covariate = None
    if predicted is not None:
        x = np.asarray(predicted, dtype=np.float64)
        x = np.where(np.isnan(m), np.nan, x)
        of = np.where(np.isnan(x), np.nan, m)
        covariate = Covariate(
            count=counted(~np.isnan(x)),
            total=summed(x),
            square=squared(x),
            minutes=summed(of),
            cross=summed(x * of),
        )
        present.add("predicted_minutes")
    return Moments(
        unit_kind=kind,
        few_workers=few_workers,
        workers=workers,
        segments=tuple(str(n) for n in names),
        statistics=tuple(statistics),
        arm=a[first],
        segment=s[first].astype(np.int64),
        unit=u[first].astype(np.int64),
        n=counted(np.ones(size, dtype=bool)),
        count=np.stack([counted(k) for k in known], axis=1),
        total=np.stack(totals, axis=1),
        labelled=counted(o != ""),
        outcome=np.stack([counted(o == x) for x in OUTCOMES], axis=1),
        severity=np.stack([counted((o == "error") & (v == x)) for x in SEVERITIES], axis=1),
        imputed=none,
        if_zero=None,
        inputs_known=none,
        inputs_clean=none,
        cost_known=counted(known[2]) if cost is not None else none,
        spread={
            name: _spread(m[(a == i) & ~np.isnan(m)])
            for i, name in enumerate(("baseline", "pilot"))
            if ((a == i) & ~np.isnan(m)).any()
        },
        losses=None,
        demo={},
        labels="none" if outcome is None else "human",
        first=None,
        last=None,
        present=frozenset(present),
        square=np.stack(squares, axis=1),
        covariate=covariate,
        people=int(np.unique(u).size) if kind == "worker" else None,
    )


def _spread(minutes: Floats) -> Spread:
    p05, p50, p95 = np.percentile(minutes, [5, 50, 95])
    above = minutes[minutes > 0]
    log_mean = float(np.rint(np.log(above) * 1e9).sum() / 1e9 / above.size) if above.size else None
    mean = float(np.rint(minutes * MICRO).sum() / MICRO / minutes.size)
    return Spread(p05=float(p05), p50=float(p50), p95=float(p95), mean=mean, log_mean=log_mean)


def drawn_pilot(
    rng: np.random.Generator,
    *,
    cases: int,
    workers: int | None,
    within: bool = True,
    means: tuple[float, float] = (15.0, 10.0),
    log_sd: float = 0.8,
    correlation: float = 0.1,
    error_rates: tuple[float, float] | None = (0.05, 0.05),
    severities: tuple[float, ...] = (0.9, 0.09, 0.0095, 0.0005),
    mean_cost: float | None = None,
    pilot_share: float = 0.5,
    segments: int = 1,
) -> Moments:
    """A pilot of known truth: minutes log-normal, outcomes beta-binomial in a worker.

    Args:
        rng: Random stream.
        cases: Cases of both arms.
        workers: Workers of both arms; None for cases without a worker.
        within: Whether every worker works both arms; else half of them work one arm each.
        means: True arithmetic mean minutes of an average worker's case, baseline and pilot.
        log_sd: Standard deviation of the logarithm of minutes over all cases.
        correlation: Share of that variance that is the worker's; and the correlation of outcomes within a worker.
        error_rates: True error rate by arm; None without labels.
        severities: True shares of errors by severity.
        mean_cost: True agent cost of a pilot case, spread as the minutes are; None without costs.
        pilot_share: Share of the cases that the pilot arm has, and of the workers who work one arm.
        segments: Kinds of case, all alike, each with the cases of every `segments`-th turn.

    Returns:
        Its moments.
    """
    arm = np.arange(cases) % 2
    if pilot_share != 0.5:
        arm = np.diff(np.floor(np.arange(cases + 1) * pilot_share)).astype(np.int64)
    if workers is None:
        worker, of_worker = None, np.ones(cases)
        each = np.zeros(cases, dtype=np.int64)
    else:
        turn = np.arange(cases) // 2
        if pilot_share != 0.5:
            turn = np.where(arm == 1, np.cumsum(arm), np.cumsum(1 - arm)) - 1
        if within:
            worker = turn % workers
        elif pilot_share == 0.5:
            worker = 2 * (turn % ((workers + 1 - arm) // 2)) + arm
        else:
            of_pilot = max(round(pilot_share * workers), 1)
            worker = np.where(arm == 1, turn % of_pilot, of_pilot + turn % (workers - of_pilot))
        sd = log_sd * np.sqrt(correlation)
        of_worker = np.exp(rng.normal(-sd * sd / 2, sd, workers))[worker]
        each = worker
    sd = log_sd if workers is None else log_sd * np.sqrt(1 - correlation)
    mean = np.asarray(means)[arm] * of_worker
    minutes = mean * np.exp(rng.normal(-sd * sd / 2, sd, cases))
    outcome = severity = None
    if error_rates is not None:
        rate = np.asarray(error_rates)[arm]
        if workers is not None and correlation > 0:
            # One draw a worker and arm, of mean p and with this correlation between two of their cases.
            weight = 1 / correlation - 1
            p = np.asarray(error_rates)
            drawn = rng.beta(p * weight, (1 - p) * weight, (workers, 2))
            rate = drawn[each, arm]
        wrong = rng.random(cases) < rate
        outcome = np.where(wrong, "error", "correct")
        severity = np.where(wrong, rng.choice(SEVERITIES, size=cases, p=severities), "")
    cost = None
    if mean_cost is not None:
        # Costs go with the length of the case, so that a slow worker's cases are dear ones.
        noise = np.exp(rng.normal(-sd * sd / 2, sd, cases))
        cost = np.where(arm == 1, mean_cost * of_worker * noise, np.nan)
    kind = None
    if segments > 1:
        kind = np.char.add("kind ", (np.arange(cases) // 2 // max(workers or 1, 1) % segments).astype(str))
    if workers is not None and workers < 4:
        by_arm = {name: int(np.unique(each[arm == i]).size) for i, name in enumerate(("baseline", "pilot"))}
        found = made_moments(
            minutes, arm, None, kind, outcome, severity, cost, few_workers=True, workers=by_arm
        )
        return replace(found, people=workers)
    return made_moments(minutes, arm, worker, kind, outcome, severity, cost)
