"""From a demo's figures to production's: mix, input defects, judge, and what is left as a true drop.

Each step undoes one thing that made the demo another sample than production, from what cases were shown to who judged
them; what is left after the last is the agent's own. The demo's mix and the state of its inputs are taken as they were;
what production's are is sampled. Production's figures are the draws that the worth rests on, and the demo's are drawn
together with them, as far as the same people worked both.

Source:
    Kitagawa (1955), JASA 50:1168, on the parts of a difference between two rates; Ñopo (2008), Review of Economics and
    Statistics 90:290, on kinds of cases that only one side has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roi.assumptions import Assumptions
from roi.clusters import rate_effect
from roi.demo_moments import DEMO, PRODUCTION
from roi.demo_parts import LEAST_DEMO, Draft, drafts_of, judged_by
from roi.draws import joint_t_draws, stream
from roi.linear import Linear, covariances
from roi.marginals import rate_draws, stretched
from roi.measured import Measured
from roi.moments import ALL

__all__ = ["PARTS", "Gap", "Side", "split_demo"]

Floats = npt.NDArray[np.float64]

PARTS = ("mix", "input_defects", "judge", "true_drop")
"""In the order in which they are taken out."""

OF_SKEWED = 2.5  # stretch of the upper end of a mean of few skewed cases, as production's costs have
HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One quantity of one arm, in the demo and in production; draws of shape (n_draws,), None where not known.

    Attributes:
        demo: As the demo showed it.
        reweighted: The demo weighted to the production mix, over kinds of cases that it showed.
        production: As production shows it, weighted to the mix.
        parts: By part what it adds to the way from the demo to production; None where it cannot be told.
        why: By part why it cannot be told, or what it holds beside itself.
        n: Demo cases behind it.
        covers: Share of production's demand, among what production covers, in kinds that the demo showed.
    """

    demo: Floats | None
    reweighted: Floats | None
    production: Floats | None
    parts: dict[str, Floats | None]
    why: dict[str, str]
    n: int
    covers: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The sides that a demo has.

    Attributes:
        sides: By quantity ("human_minutes", "error", "gone", "agent_cost") and arm.
        judged_by: Who labelled, by setting (production, demo): "people", "judge" or None.
        unpriced: Whether the agent's cost is in a currency without an exchange rate.
    """

    sides: dict[tuple[str, int], Side]
    judged_by: tuple[str | None, str | None]
    unpriced: bool


def split_demo(measured: Measured, assumptions: Assumptions, *, currency: str, seed: int) -> Gap | None:
    """Split the way from the demo's figures to production's.

    Args:
        measured: What was measured in production.
        assumptions: Draws of the stated inputs (exchange rates are used).
        currency: The pilot's currency.
        seed: Seed of the run.

    Returns:
        The sides; None where there is no demo case.
    """
    d = measured.moments.demo_cells
    if d is None:
        return None
    drafts, scale, unpriced = drafts_of(measured, assumptions, d, currency=currency)
    drawn = _drawn(drafts, measured, seed=seed)
    sides = {
        x.key: _side(x, drawn[x.key], measured, scale if x.key[0] == "agent_cost" else None) for x in drafts
    }
    return Gap(sides=sides, judged_by=(judged_by(d, PRODUCTION), judged_by(d, DEMO)), unpriced=unpriced)


def _drawn(drafts: list[Draft], measured: Measured, *, seed: int) -> dict[tuple[str, int], dict[str, Floats]]:
    """Standardised draws of every estimate, together with production's own draws.

    What an estimate shares with production's figures follows those draws; what is left of it is a joint t.
    """
    wanted: list[tuple[tuple[str, int], str, Linear]] = [
        (x.key, part, linear)
        for x in drafts
        for part in ("demo", "reweighted", "defects", "judge")
        if (linear := getattr(x, part)) is not None
    ]
    given = [(x.of_production, x.production) for x in drafts if x.of_production and x.production is not None]
    if not wanted:
        return {}
    known = [linear for linear, _ in given if linear is not None]
    whole = covariances([*(linear for _, _, linear in wanted), *known])
    k = len(wanted)
    yy, yf, ff = whole[:k, :k], whole[:k, k:], whole[k:, k:]
    deviations = np.zeros((k, measured.draws))
    if known:
        scale = np.sqrt(np.diag(ff))
        safe = np.where(scale > 0, scale, 1.0)
        correlation = ff / safe / safe[:, None] + 1e-9 * np.eye(len(known))
        slope = np.linalg.solve(correlation, (yf / safe).T).T
        for j, (_, draws) in enumerate(given):
            assert draws is not None
            spread = float(draws.std())
            if spread > 0 and scale[j] > 0:
                deviations += slope[:, j, None] * ((draws - draws.mean()) / spread)
        yy = yy - np.einsum("if,jf->ij", slope, yf / safe, optimize=False)
    df = min(x.df for x in drafts)
    deviations += joint_t_draws((yy + yy.T) / 2, df, measured.draws, stream(seed, "demo")).T
    found: dict[tuple[str, int], dict[str, Floats]] = {}
    for i, (key, part, _) in enumerate(wanted):
        found.setdefault(key, {})[part] = deviations[i]
    return found


def _side(draft: Draft, drawn: dict[str, Floats], measured: Measured, scale: Floats | None) -> Side:
    """Put the draws of one quantity together."""
    assert draft.demo is not None
    why = dict(draft.why)
    demo = _level(draft, draft.demo, drawn["demo"], measured)
    reweighted = None
    parts: dict[str, Floats | None] = dict.fromkeys(PARTS)
    if draft.reweighted is not None:
        reweighted = _level(draft, draft.reweighted, drawn["reweighted"], measured)
        reweighted = reweighted if draft.shift is None else reweighted + draft.shift
    if scale is not None:
        demo = demo * scale
        reweighted = None if reweighted is None else reweighted * scale
    if draft.production is None:
        why |= dict.fromkeys(PARTS, "production does not show this quantity")
    elif reweighted is None or draft.common is None:
        few = f"too few to tell: {draft.n} demo cases show it, {LEAST_DEMO} are needed"
        why |= dict.fromkeys(
            PARTS, few if draft.n < LEAST_DEMO else "the demo showed no kind of case of production"
        )
    else:
        rest = draft.common - reweighted
        inside = []
        if measured.moments.segments == (ALL,):
            why["mix"] = "cases name no kind, so nobody can tell whether the demo's were easier ones"
            inside.append("mix")
        else:
            parts["mix"] = reweighted - demo + draft.production - draft.common
        for part, linear in (("input_defects", draft.defects), ("judge", draft.judge)):
            if linear is not None:
                own = drawn[part.removeprefix("input_")]
                part_draws = (linear.value + own) * (scale if scale is not None else 1.0)
                parts[part] = part_draws
                rest = rest - part_draws
            elif part == "input_defects" or draft.key[0] == "error":
                inside.append(part)
        if draft.key[0] != "error":
            why["judge"] = (
                "nobody judges minutes and costs" if draft.key[0] != "gone" else "a hand-over is no judgement"
            )
            parts["judge"] = np.zeros(measured.draws)
        parts["true_drop"] = rest
        if inside:
            why["true_drop"] = f"holds what cannot be told apart: {', '.join(inside)}"
    return Side(
        demo=demo,
        reweighted=reweighted,
        production=draft.production,
        parts=parts,
        why=why,
        n=draft.n,
        covers=draft.covers,
    )


def _level(draft: Draft, linear: Linear, deviation: Floats, measured: Measured) -> Floats:
    """Draws of a level of the demo: minutes and costs are not negative, a rate has its exact interval."""
    value, error = linear.value, float(np.sqrt(linear.variance))
    name, arm = draft.key
    if name not in ("error", "gone"):
        if value > 0 and error > 0:
            return value * (
                1 + stretched(deviation / error, draft.df, draft.df, error / value, stretch=OF_SKEWED)
            )
        return np.maximum(value + deviation, 0.0)
    n = draft.n
    rough = (value * n + HALF) / (n + 1)
    effective = float(np.clip(rough * (1 - rough) / max(error * error, 1e-12), 1.0, n))
    # As production's rates: half an event, on as many cases as the larger sample has.
    cases = 1.0
    if draft.of_production is not None and draft.n_production > 0:
        both = draft.of_production.value * draft.n_production + draft.hits
        pooled = min((both + HALF) / (draft.n_production + n + 1), HALF)
        lacking = max(draft.n_production / rate_effect(measured.moments, arm) - effective, 0.0)
        cases = 1 + min(HALF / pooled - 1, lacking)
    spread = float(deviation.std())
    standard = deviation / (error if error > 0 else 1.0) if spread > 0 else np.zeros_like(deviation)
    hits, others = value * effective + HALF, (1 - value) * effective + cases - HALF
    return rate_draws(standard, draft.df, hits, max(others, HALF), HALF * (effective / n) ** 2)
