"""The raw fields of claims as the agent received them: as many of them wrong in a case as the case says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from data.generator.cases import Row, log_normal, normal, working_time
from data.generator.truth import Truth

__all__ = ["FIELDS", "draw_inputs"]

FIELDS = ("policy_no", "loss_day", "claimed", "peril", "postcode", "reported_at")
_PERILS = {"Leitungswasser": 0.34, "Sturm": 0.24, "Glas": 0.18, "Diebstahl": 0.14, "Feuer": 0.10}
_OF_DEMO = {"Leitungswasser": 0.55, "Sturm": 0.25, "Glas": 0.20}  # what is easily told apart was shown
_NOTHING = ("", "-", "unbekannt", "n/a", "k.A.")


def draw_inputs(truth: Truth, cases: list[Row], rng: Random) -> list[Row]:
    """The fields of every case, and of the demo's, which came from tidy forms.

    Args:
        truth: What to draw from.
        cases: The cases; `input_defects` of them says how many fields are wrong.
        rng: The only source of chance.

    Returns:
        Rows with case_id, setting, segment and `FIELDS`; texts as they came in.
    """
    rows = [_fields(case, "production", _PERILS, rng) for case in cases]
    names = [s.name for s in truth.segments]
    for number in range(truth.demo_inputs):
        start = working_time(truth.first - timedelta(16), truth.first - timedelta(3), rng.random())
        case: Row = {
            "case_id": f"V{number % 4}-{number + 1:05d}",
            "segment": names[number % len(names)],
            "started_at": start,
            "input_defects": int(rng.random() < 0.03),
        }
        rows.append(_fields(case, "demo", _OF_DEMO, rng))
    return rows


def _fields(case: Row, setting: str, perils: dict[str, float], rng: Random) -> Row:
    start, wrong = case["started_at"], case["input_defects"]
    assert isinstance(start, datetime)
    assert isinstance(wrong, int)
    reported = start - timedelta(minutes=5 + int(55 * rng.random()))
    happened = reported - timedelta(days=int(log_normal(6.0, 0.9, normal(rng.random()))))
    claimed = log_normal(900.0 if setting == "production" else 650.0, 0.8, normal(rng.random()))
    row: Row = {
        "case_id": case["case_id"],
        "setting": setting,
        "segment": case["segment"],
        "policy_no": f"HR-{100000 + int(900000 * rng.random())}",
        "loss_day": f"{happened:%Y-%m-%d}",
        "claimed": f"{claimed:.2f}".replace(".", ","),
        "peril": rng.choices(list(perils), list(perils.values()))[0],
        "postcode": f"{1 + int(98 * rng.random()):02d}{int(1000 * rng.random()):03d}",
        "reported_at": f"{reported:%Y-%m-%dT%H:%M:%S}",
    }
    # Most hand-overs begin with a number that fits no policy.
    weights = {"policy_no": 6.0, "loss_day": 3.0, "claimed": 2.5, "peril": 1.5, "postcode": 1.0}
    for _ in range(wrong):
        name = rng.choices(list(weights), list(weights.values()))[0]
        del weights[name]
        row[name] = _SPOILT[name](str(row[name]), reported, rng)
    return row


def _policy(right: str, reported: datetime, rng: Random) -> str:
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(_NOTHING)
    if kind < 0.9:  # a contract's old number, one without its letters, one that lost a digit
        return rng.choice((f"A{right[3:]}/1", right[3:], right[:-1], right.replace("-", " Nr ")))
    return f"HR-{100000 + int(900000 * rng.random())}"  # nobody sees that it is another customer's


def _day(right: str, reported: datetime, rng: Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(_NOTHING)
    year, month, day = right.split("-")
    if kind < 0.75:
        return f"{day}.{month}.{year}"
    return f"{reported + timedelta(days=1 + int(20 * rng.random())):%Y-%m-%d}"  # it had not happened yet


def _claimed(right: str, reported: datetime, rng: Random) -> str:
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(_NOTHING)
    if kind < 0.65:
        return f"{right} CHF"
    return rng.choice(("ca. 500", "siehe Rechnung", right.replace(",", "."), "folgt"))


def _peril(right: str, reported: datetime, rng: Random) -> str:
    return rng.choice(_NOTHING)


def _postcode(right: str, reported: datetime, rng: Random) -> str:
    return rng.choice(_NOTHING) if rng.random() < 0.5 else right[1:]


_SPOILT: dict[str, Callable[[str, datetime, Random], str]] = {
    "policy_no": _policy,
    "loss_day": _day,
    "claimed": _claimed,
    "peril": _peril,
    "postcode": _postcode,
}
