"""Pilots of known truth: cases are drawn, never moments, and reach a verdict by the package's own path.

What a pilot is truly like stands in a `Truth`, what is stated of it in a `World`. The same cases serve a first look and
the later ones: `Cases.first` takes the cases that had come by then.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from made_moments import SEVERITIES, made_moments  # noqa: E402

from roi.analysis import Decided, decide_moments  # noqa: E402
from roi.gate import CONTROLS, Gate  # noqa: E402
from roi.moments import Losses, Moments  # noqa: E402
from roi.parameters import LoadedParameters, Parameters, Policy  # noqa: E402

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]

DESIGNS = ("within", "between", "pairs", "cases")
LABOUR, HORIZON, DISCOUNT, RAMP, CEILING, VOLUME = 42.0, 36, 0.08, 6.0, 0.75, 20_000.0
CASH, REDEPLOYED = 0.2, 0.3
ERROR_COST = 34.0
HELD = tuple(
    Gate(gate=name, label=name, state="shown", value=None, threshold=None, evidence="held")
    for name in CONTROLS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a pilot is truly like.

    Attributes:
        means: Arithmetic mean minutes of an average worker's case, baseline and pilot.
        log_sd: Standard deviation of the logarithm of minutes over all cases.
        correlation: Share of that variance that a worker's cases (the members of a pair) have in common, and the
            correlation of outcomes within a worker.
        error_rates: Error rate by arm.
        severities: Shares of errors by severity.
        by_data: Share of the pilot's errors that defective data caused, as their labels say.
        flattery: Share by which whoever chose the pilot's cases made its minutes look shorter than they are.
    """

    means: tuple[float, float] = (15.0, 10.5)
    log_sd: float = 0.8
    correlation: float = 0.1
    error_rates: tuple[float, float] = (0.05, 0.05)
    severities: tuple[float, float, float, float] = (0.90, 0.09, 0.0095, 0.0005)
    by_data: float = 0.0
    flattery: float = 0.0

    def worth(self, world: World, *, remedied: bool = False) -> float:
        """Worth of rolling out against stopping now, at what is stated; after the remedy of the world if `remedied`.

        Computed from the definition, month by month, not by the package.
        """
        kept = 1.0
        delay = paid = 0.0
        if remedied:
            assert world.remedy is not None
            kept = 1 - self.by_data * world.remedy.removes
            delay, paid = world.remedy.weeks / (365.25 / 12 / 7), world.remedy.cost
        saved = self.means[0] - self.means[1]
        counted = saved * (CASH + REDEPLOYED) if saved > 0 else saved
        errors = (self.error_rates[0] - self.error_rates[1] * kept) * ERROR_COST
        a_month = VOLUME * CEILING * (LABOUR / 60 * counted + errors)
        factor = sum(
            min(1.0, max(0.0, m - delay - 0.5) / RAMP) * (1 + DISCOUNT) ** (-m / 12)
            for m in range(1, HORIZON + 1)
        )
        return a_month * factor - world.rollout_cost + world.wind_down_cost - paid


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedRemedy:
    """A remedy against errors that defective data cause.

    Attributes:
        removes: Share of these that it removes.
        cost: Its price.
        weeks: Until it works.
    """

    removes: float
    cost: float
    weeks: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is stated of a pilot, all of it exactly and truly.

    Attributes:
        rollout_cost: One-off cost of the roll-out.
        wind_down_cost: What stopping costs.
        severe_limit: The policy's limit of severe errors; 1 leaves money alone to decide.
        assignment: randomised, before_after or observational.
        remedy: A priced remedy, or None.
        per_case: Price of a further case; None states no prices of measuring.
        setup: Price of any measurement, once.
        looks: Looks at the data.
        draws: Draws of an analysis.
    """

    rollout_cost: float = 0.0
    wind_down_cost: float = 0.0
    severe_limit: float = 1.0
    assignment: str = "randomised"
    remedy: PricedRemedy | None = None
    per_case: float | None = 5.0
    setup: float = 500.0
    looks: int = 1
    draws: int = 1000

    def at(self, worth: float) -> World:
        """The same with a constant added to the worth, as a cost of rolling out or of stopping."""
        return replace(self, rollout_cost=max(-worth, 0.0), wind_down_cost=max(worth, 0.0))

    def parameters(self) -> dict[str, Any]:
        """The parameter file."""
        found: dict[str, Any] = {
            "pilot": "simulated",
            "samples": {
                "assignment": self.assignment,
                "labels": {"selection": "all", "blind": True},
                "cases": "cases.csv",
            },
            "demand": {"cases_per_month": VOLUME},
            "economics": {
                "start": "2027-01",
                "horizon_months": HORIZON,
                "discount_rate": DISCOUNT,
                "labour_cost_per_hour": LABOUR,
                "realisation": {
                    "cash": {"value": CASH, "source": "contracts"},
                    "redeployed": {"value": REDEPLOYED, "source": "planning"},
                },
                "adoption": {"ceiling": CEILING, "ramp_months": RAMP},
                "error_cost": dict.fromkeys(SEVERITIES, ERROR_COST),
                "costs": [
                    {"name": "Roll-out", "kind": "integration", "amount": self.rollout_cost, "per": "once"},
                    {"name": "Model", "kind": "model_usage", "amount": 0, "per": "month"},
                ],
                "contingency": 0,
                "wind_down_cost": self.wind_down_cost,
            },
            "run": {"draws": self.draws},
        }
        if self.looks != 1:
            found["run"]["looks"] = self.looks
        if self.per_case is not None:
            found["measurement"] = {
                "per_case": self.per_case,
                "per_label": 0,
                "setup": self.setup,
                "cases_per_week": 1000,
            }
        if self.remedy is not None:
            found["remedies"] = [
                {
                    "name": "Validate inputs",
                    "addresses": "data",
                    "removes_share": self.remedy.removes,
                    "cost": self.remedy.cost,
                    "weeks": self.remedy.weeks,
                }
            ]
        return found


@cache
def loaded_of(world: World) -> LoadedParameters:
    """The world as checked parameters and policy."""
    policy = Policy.model_validate({"max_severe_error_rate": world.severe_limit})
    return LoadedParameters(
        parameters=Parameters.model_validate(world.parameters()),
        policy=policy,
        path=Path("params/simulated.yaml"),
        project=Path("."),
        name="params/simulated.yaml",
        params_sha256="",
        policy_sha256="",
        base_policy=policy,
    )


def decided(world: World, moments: Moments) -> Decided:
    """What the package decides, all controls being in place."""
    return decide_moments(loaded_of(world), moments, controls=HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Drawn cases, one value a case in the order in which they come.

    Attributes:
        minutes: Human minutes.
        arm: 0 baseline, 1 pilot.
        unit: Worker or pair; None where cases stand alone.
        wrong: Whether the outcome is an error.
        severity: Severity of an error, "" else.
        by_data: Whether an error's label names data as its cause.
        unit_kind: "worker", "pair" or "case".
    """

    minutes: Floats
    arm: Ints
    unit: Ints | None
    wrong: npt.NDArray[np.bool_]
    severity: Texts
    by_data: npt.NDArray[np.bool_]
    unit_kind: str

    def first(self, n: int) -> Cases:
        """The first `n` cases."""
        return Cases(
            minutes=self.minutes[:n],
            arm=self.arm[:n],
            unit=None if self.unit is None else self.unit[:n],
            wrong=self.wrong[:n],
            severity=self.severity[:n],
            by_data=self.by_data[:n],
            unit_kind=self.unit_kind,
        )

    def followed_by(self, other: Cases) -> Cases:
        """These cases and then others, worked by other people."""
        unit = None
        if self.unit is not None and other.unit is not None:
            unit = np.concatenate([self.unit, other.unit + int(self.unit.max()) + 1])
        return Cases(
            minutes=np.concatenate([self.minutes, other.minutes]),
            arm=np.concatenate([self.arm, other.arm]),
            unit=unit,
            wrong=np.concatenate([self.wrong, other.wrong]),
            severity=np.concatenate([self.severity, other.severity]),
            by_data=np.concatenate([self.by_data, other.by_data]),
            unit_kind=self.unit_kind,
        )

    def moments(self) -> Moments:
        """Their moments, with usable inputs throughout and causes by label."""
        found = made_moments(
            self.minutes,
            self.arm,
            self.unit,
            outcome=np.where(self.wrong, "error", "correct"),
            severity=self.severity,
            unit_kind=self.unit_kind,
        )
        losses = None
        if self.by_data.any():
            losses = self._losses()
        return replace(found, inputs_known=found.n, inputs_clean=found.n, losses=losses)

    def _losses(self) -> Losses:
        kinds: Mapping[tuple[str, str | None], npt.NDArray[np.bool_]] = {
            ("correct", None): ~self.wrong,
            ("error", "data"): self.wrong & self.by_data,
            ("error", "model"): self.wrong & ~self.by_data,
        }
        rows = {key: hit & (self.arm == 1) for key, hit in kinds.items()}
        n = np.array([int(hit.sum()) for hit in rows.values()])
        return Losses(
            outcome=tuple(outcome for outcome, _ in rows),
            cause=tuple(cause for _, cause in rows),
            defective=(None,) * len(rows),
            n=n,
            minutes=np.array([float(np.rint(self.minutes[hit] * 1e6).sum() / 1e6) for hit in rows.values()]),
            timed=n,
        )


def draw_cases(
    rng: np.random.Generator, truth: Truth, *, cases: int, workers: int | None, design: str
) -> Cases:
    """Draw the cases of a pilot, half of them in each arm in turn.

    Args:
        rng: Random stream.
        truth: What is true.
        cases: Cases of both arms.
        workers: Workers of both arms; None for pairs and for cases that stand alone.
        design: "within" (workers work both arms), "between" (each works one), "pairs" or "cases".

    Returns:
        The cases.
    """
    if design not in DESIGNS or (workers is None) != (design in ("pairs", "cases")):
        raise ValueError(f"no such design: {design!r} with {workers} workers")
    arm, turn = np.arange(cases) % 2, np.arange(cases) // 2
    unit: Ints | None
    if design == "cases":
        unit, groups, shared = None, cases, 0.0
    elif design == "pairs":
        unit, groups, shared = turn, (cases + 1) // 2, truth.correlation
    else:
        assert workers is not None
        unit = turn % workers if design == "within" else 2 * (turn % ((workers + 1 - arm) // 2)) + arm
        groups, shared = workers, truth.correlation
    of_unit = np.ones(cases)
    if unit is not None:
        sd = truth.log_sd * np.sqrt(shared)
        of_unit = np.exp(rng.normal(-sd * sd / 2, sd, groups))[unit]
    sd = truth.log_sd * np.sqrt(1 - shared)
    means = np.array([truth.means[0], truth.means[1] * (1 - truth.flattery)])
    minutes = means[arm] * of_unit * np.exp(rng.normal(-sd * sd / 2, sd, cases))
    rate = np.asarray(truth.error_rates)[arm]
    if unit is not None and shared > 0:
        # One draw a unit and arm, of this mean and with this correlation between two of its cases.
        weight = 1 / shared - 1
        p = np.clip(truth.error_rates, 1e-12, 1 - 1e-12)
        rate = rng.beta(p * weight, (1 - p) * weight, (groups, 2))[unit, arm]
    wrong = rng.random(cases) < rate
    severity = np.where(wrong, rng.choice(SEVERITIES, size=cases, p=truth.severities), "")
    by_data = wrong & (rng.random(cases) < truth.by_data)
    kind = {"pairs": "pair", "cases": "case"}.get(design, "worker")
    return Cases(
        minutes=minutes, arm=arm, unit=unit, wrong=wrong, severity=severity, by_data=by_data, unit_kind=kind
    )
