"""Two pilots, or two versions of one agent, on the same footing: `roi compare`.

What both state alike has common draws, what both measured goes together as far as they share cases and people, and
nothing else is common. "B better in x of 100" counts draws; a tie counts half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from roi.advice import headline
from roi.analysis import Analysis, analyse
from roi.candidates import candidate_of
from roi.draws import normal_draws, stream
from roi.estimates import estimates
from roi.matched import QUANTITIES, CaseRows, case_rows, correlation
from roi.moments import fetch
from roi.parameters import LoadedParameters, load_parameters, register
from roi.problems import InputError, ParameterError, Problem
from roi.samples import open_samples
from roi.schema.portfolio import PORTFOLIO_FILE, read_portfolio
from roi.shared import Sharing, in_order, owed, scores, shared_inputs
from roi.words import and_list, shorten

__all__ = ["SCHEMA", "Side", "compare_sides", "compared"]

Floats = npt.NDArray[np.float64]
SCHEMA = 1

# Quantity → label, unit ("money" is the common currency), and whether more is better.
SHOWN: Mapping[str, tuple[str, str, bool]] = {
    "minutes_saved_per_case": ("Minutes saved per case", "min/case", True),
    "human_minutes_pilot": ("Human minutes per case with the agent", "min/case", False),
    "error_rate_pilot": ("Error rate with the agent", "share", False),
    "severe_error_rate_pilot": ("Severe errors with the agent", "share", False),
    "escalation_rate_pilot": ("Escalated or abandoned with the agent", "share", False),
    "agent_cost_per_case": ("Agent cost per case", "money", False),
    "cost_per_correct_case_pilot": ("Cost of a case without error", "money", False),
    "worth_scale": ("Worth of scaling everything", "money", True),
    "worth_advised": ("Worth of what is advised", "money", True),
}
MONEY = tuple(name for name, (_, unit, _) in SHOWN.items() if unit == "money")
FOOTING = (
    "economics.horizon_months",
    "economics.discount_rate",
    "economics.labour_cost_per_hour",
    "demand.cases_per_month",
)
FEW_MATCHED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two.

    Attributes:
        name: How it is called: a pilot, or a pilot and its version.
        analysis: Its analysis.
        record: Of its record what is shown.
        rows: Its cases, under pseudonyms that both sides share; None of a report's sums.
        draws: By quantity, each shape (n_draws,), in its own currency.
        rate: Worth of one unit of its currency in that of the comparison.
    """

    name: str
    analysis: Analysis
    record: Mapping[str, Any]
    rows: CaseRows | None
    draws: Mapping[str, Floats]
    rate: float = 1.0


def compared(names: Sequence[str], *, by: str | None = None) -> dict[str, Any]:
    """Compare two pilots, or two versions of one.

    Args:
        names: Two pilots; or with `by="version"` one pilot and the two versions, which may be left out where the
            cases tell the newest two.
        by: None or "version".

    Raises:
        InputError: With everything that stands against a comparison, and how to mend it.
    """
    if by == "version":
        loaded, versions = _versions(names)
        sides = [_side(_of_version(loaded, v), f"{loaded.parameters.pilot} {v}", loaded) for v in versions]
        return compare_sides(sides[0], sides[1], by_version=True)
    if len(names) != 2:
        message = "name two pilots; two versions of one agent are compared with --by version"
        raise ParameterError([Problem("roi compare", " ".join(names)[:80], message)])
    found: list[LoadedParameters] = []
    problems: list[Problem] = []
    for name in names:
        try:
            found.append(load_parameters(name))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    one, other = found
    rate = _rate(one, other)
    sides = [_side(x, x.parameters.pilot, one) for x in found]
    return compare_sides(sides[0], replace(sides[1], rate=rate))


def _versions(names: Sequence[str]) -> tuple[LoadedParameters, tuple[str, str]]:
    if len(names) not in (1, 3):
        message = (
            "name one pilot, and after it two versions or none: roi compare claims_intake v2 v3 --by version"
        )
        raise ParameterError([Problem("roi compare", " ".join(names)[:80], message)])
    loaded = load_parameters(names[0])
    if len(names) == 3:
        return loaded, (names[1], names[2])
    samples = open_samples(_of_version(loaded, "all"))
    table = samples.tables.get("cases")
    place = "samples.cases"
    if table is None or "version" not in table.columns:
        message = "the cases carry no version of the agent; map a column to `version`, or compare two pilots"
        raise ParameterError([Problem(loaded.name, place, message)])
    newest = "max(started_at)" if "started_at" in table.columns else "null"
    live = "arm = 'pilot' and version is not null"
    live += " and setting is distinct from 'demo'" if "setting" in table.columns else ""
    query = f"select version, {newest} from {table.sql} where {live} group by 1 order by 2 nulls first, 1"
    rows = fetch(samples, query)
    if len(rows) < 2:
        message = "the production cases with the agent carry one version; two are wanted to compare them"
        raise ParameterError([Problem(loaded.name, place, message)])
    if len(rows) > 2 and any(at is None for _, at in rows):
        message = (
            f"the cases carry {len(rows)} versions and no started_at tells the newest two; name two of them"
        )
        raise ParameterError([Problem(loaded.name, place, message)])
    return loaded, (str(rows[-2][0]), str(rows[-1][0]))


def _of_version(loaded: LoadedParameters, version: str) -> LoadedParameters:
    samples = loaded.parameters.samples.model_copy(update={"version": (version,)})
    return replace(loaded, parameters=loaded.parameters.model_copy(update={"samples": samples}))


def _rate(one: LoadedParameters, other: LoadedParameters) -> float:
    """What one unit of the other's currency is in the first one's; their means, since only B's money depends on it."""
    to, code = one.parameters.about.currency, other.parameters.about.currency
    if to == code:
        return 1.0
    plan = read_portfolio(one.path.with_name(PORTFOLIO_FILE))
    rate = one.parameters.economics.fx.get(code)
    if rate is None and (plan.currency or to) == to:
        rate = plan.fx.get(code)
    if rate is None and plan.currency is not None:
        each = [
            1.0 if c == plan.currency else None if (r := plan.fx.get(c)) is None else r.mean
            for c in (code, to)
        ]
        if each[0] is not None and each[1] is not None:
            return each[0] / each[1]
    if rate is None:
        message = (
            f"its money is {code} and that of {one.parameters.pilot} {to}; state what one {code} is under economics.fx "
            f"of {one.name}, or both under fx of params/{PORTFOLIO_FILE}"
        )
        raise ParameterError([Problem(other.name, "about.currency", message)])
    return float(rate.mean)


def _side(loaded: LoadedParameters, name: str, first: LoadedParameters) -> Side:
    # Names are hidden under the first one's key on both sides, so that the same case has the same pseudonym.
    keyed = loaded.parameters.model_copy(update={"pilot": first.parameters.pilot})
    samples = open_samples(replace(loaded, parameters=keyed))
    analysis = analyse(loaded, samples)
    about = loaded.parameters.about
    record = {
        "pilot": loaded.parameters.pilot,
        "title": about.title or loaded.parameters.pilot,
        "workflow_id": about.workflow_id,
        "currency": about.currency,
        "verdict": analysis.verdict.verdict,
        "headline": headline(analysis),
    }
    draws: dict[str, Floats] = {}
    estimates(analysis, [], draws)
    scope = analysis.measured.scope()
    severity = analysis.measured.rates.severity
    if scope.error_rate[1] is not None and severity is not None:
        draws["severe_error_rate_pilot"] = scope.error_rate[1] * severity[1][:, 2:].sum(axis=1)
    if analysis.scale is not None:
        draws["worth_scale"] = analysis.scale.worth
    own = candidate_of(analysis, record)
    if record["verdict"] == "kill":
        draws["worth_advised"] = np.zeros(analysis.measured.draws)
    elif own.options and own.shown is not None:
        draws["worth_advised"] = own.shown.worth
    kept = {k: np.asarray(v, dtype=np.float64) for k, v in draws.items() if k in SHOWN}
    return Side(name=name, analysis=analysis, record=record, rows=case_rows(samples), draws=kept)


def compare_sides(a: Side, b: Side, *, by_version: bool = False) -> dict[str, Any]:
    """Compare two sides whose analyses are there.

    Args:
        a: The first; differences are B minus A, in its currency.
        b: The second.
        by_version: Whether they are two versions of one agent, which share all that the parameter file states.

    Returns:
        Plain JSON values.
    """
    pa, pb = (s.analysis.loaded.parameters for s in (a, b))
    seed, n = pa.run.seed, min(s.analysis.measured.draws for s in (a, b))
    same_workflow = by_version or (
        pa.about.workflow_id is not None and pa.about.workflow_id == pb.about.workflow_id
    )
    links = _links(a, b) if same_workflow else {}
    sharing = [Sharing(side, register(p), p.about.workflow_id) for side, p in (("a", pa), ("b", pb))]
    inputs = shared_inputs(sharing)
    keys = [(i.label, i.pilots["a"], i.pilots["b"]) for i in inputs]
    if by_version:  # one file: whatever it states is one and the same
        stated = [e for e in register(pa) if e.value.form != "exact"]
        keys = [(e.label, e.key, e.key) for e in stated]
    common = [normal_draws(n, stream(seed, f"compare:{label}:{ka}")) for label, ka, _ in keys]
    measured = _measured_together(links, n, seed)
    rows = []
    for name, (label, unit, more_is_better) in SHOWN.items():
        if name not in a.draws or name not in b.draws:
            continue
        x, y = a.draws[name], b.draws[name]
        factor = b.rate if name in MONEY else 1.0
        link = links.get(name, (0.0, 0))
        if x.size == y.size and np.array_equal(x, y):
            first, second = x, y  # made from the same inputs, draw by draw
        elif name in QUANTITIES:
            first, second = (_at(v, z) for v, z in zip((x, y), _pair(link[0], n, seed, name), strict=True))
        else:
            first = _with_inputs(
                a, x, [k for _, k, _ in keys], common, {q: z[0] for q, z in measured.items()}, 0, n, seed
            )
            second = _with_inputs(
                b, y, [k for _, _, k in keys], common, {q: z[1] for q, z in measured.items()}, 1, n, seed
            )
        rows.append(_row(name, label, unit, more_is_better, first, second * factor, link, pa.about.currency))
    return {
        "schema": SCHEMA,
        "by": "version" if by_version else "pilot",
        "a": _about(a),
        "b": _about(b),
        "currency": pa.about.currency,
        "rate": b.rate,
        "same_workflow": same_workflow,
        "shared": sorted({label for label, _, _ in keys}),
        "quantities": rows,
        "notes": _notes(a, b, same_workflow, links, by_version),
    }


def _links(a: Side, b: Side) -> dict[str, tuple[float, int]]:
    """By quantity: the correlation of what both measured, and the cases that both hold.

    Only within one workflow: in two of them the same number may well be another case, and the same code another person.
    """
    if a.rows is None or b.rows is None:
        return {}
    m = a.analysis.measured
    shares = dict(zip(m.moments.segments, np.asarray(m.weights.share, dtype=float).tolist(), strict=True))
    return {q: correlation(a.rows, b.rows, q, shares) for q in QUANTITIES}


def _pair(rho: float, n: int, seed: int, name: str) -> tuple[Floats, Floats]:
    """Two rows of normal draws of a correlation."""
    z = normal_draws(n, stream(seed, f"compare:a:{name}"))
    e = normal_draws(n, stream(seed, f"compare:b:{name}"))
    return z, rho * z + np.sqrt(max(0.0, 1 - rho * rho)) * e


def _measured_together(
    links: Mapping[str, tuple[float, int]], n: int, seed: int
) -> dict[str, tuple[Floats, Floats]]:
    """Common draws of what both measured, where they have anything in common; minutes and errors carry the money."""
    carried = ("minutes_saved_per_case", "error_rate_pilot", "agent_cost_per_case")
    return {q: _pair(links[q][0], n, seed, q) for q in carried if q in links and links[q][0] != 0}


def _at(draws: Floats, z: Floats) -> Floats:
    """Draws in the order of others: the largest where those are the largest."""
    n = z.size
    ranked = np.sort(draws)[np.floor((np.arange(n) + 0.5) * draws.size / n).astype(np.int64)]
    found = np.empty(n)
    found[np.argsort(z, kind="stable")] = ranked
    return found


def _with_inputs(
    side: Side,
    worth: Floats,
    keys: Sequence[str],
    common: Sequence[Floats],
    measured: Mapping[str, Floats],
    place: int,
    n: int,
    seed: int,
) -> Floats:
    """Draws of money in an order in which what they owe to shared inputs and to common cases is common."""
    own: list[Floats] = []
    other: list[Floats] = []
    for q, z in measured.items():
        if q in side.draws:
            own.append(scores(side.draws[q]))
            other.append(z)
    values = side.analysis.assumptions.values
    for key, z in zip(keys, common, strict=True):
        drawn = values.get(key)
        if drawn is not None and np.ndim(drawn) == 1:
            own.append(scores(np.asarray(drawn)))
            other.append(z)
    parts: tuple[Floats | None, Floats | None] = owed(worth, own, other) if own else (None, None)
    return worth[in_order(*parts, n=n, of=worth.size, place=place, seed=seed)]


def _row(
    name: str,
    label: str,
    unit: str,
    more_is_better: bool,
    a: Floats,
    b: Floats,
    link: tuple[float, int],
    currency: str,
) -> dict[str, Any]:
    difference = b - a
    better = difference if more_is_better else -difference
    apart = float(np.sqrt(a.var() + b.var()))
    return {
        "name": name,
        "label": label,
        "unit": currency if unit == "money" else unit,
        "more_is_better": more_is_better,
        "a": _interval(a),
        "b": _interval(b),
        "difference": _interval(difference),
        "sd": float(difference.std()),
        "sd_apart": apart,
        "correlation": link[0]
        if name in QUANTITIES
        else float(np.corrcoef(a, b)[0, 1])
        if a.std() * b.std() > 0
        else 0.0,
        "matched": link[1] if name in QUANTITIES else None,
        "b_better_in_100": 100 * float(np.mean(better > 0) + 0.5 * np.mean(better == 0)),
    }


def _interval(draws: Floats) -> dict[str, float]:
    p05, p95 = np.percentile(draws, [5, 95])
    return {"mean": float(draws.mean()), "p05": float(p05), "p95": float(p95)}


def _about(side: Side) -> dict[str, Any]:
    r = side.record
    return {
        "name": side.name,
        "title": shorten(r["title"], 120),
        "workflow_id": r["workflow_id"],
        "verdict": r["verdict"],
        "headline": r["headline"],
        "currency": r["currency"],
        "cases": {arm: side.analysis.moments.cases(arm) for arm in ("baseline", "pilot")},
    }


def _notes(
    a: Side, b: Side, same_workflow: bool, links: Mapping[str, tuple[float, int]], by_version: bool
) -> list[str]:
    found = []
    if not same_workflow:
        found.append(
            "They are not of one workflow (about.workflow_id): what they save and cost is of different cases, and only "
            "the money compares."
        )
    matched = max((n for _, n in links.values()), default=0)
    if not same_workflow:
        found.append("Their cases are not matched: in another workflow the same number may be another case.")
    elif matched >= FEW_MATCHED:
        found.append(f"{matched:,} cases (or pairs) are in both samples and compared with each other.")
    else:
        found.append(
            "Too few cases are in both samples to compare them one by one; the samples are compared as wholes."
        )
    mine, theirs = ({e.key: e.value for e in register(s.analysis.loaded.parameters)} for s in (a, b))
    apart = [
        key
        for key in FOOTING
        if key in mine
        and key in theirs
        and (mine[key].form, mine[key].numbers) != (theirs[key].form, theirs[key].numbers)
    ]
    if apart and not by_version:
        found.append(f"The money does not stand on one footing: {and_list(apart)} differ.")
    if b.rate != 1.0:
        found.append(f"Money of {b.name} is turned at {b.rate:.4g}.")
    lacking = [SHOWN[q][0].lower() for q in SHOWN if q not in a.draws or q not in b.draws]
    if lacking:
        found.append(f"Not known of both: {and_list(lacking)}.")
    return found
