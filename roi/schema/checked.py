"""Every check of a pilot's values that needs no sample: of a file as it is read, and of values that are only tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from roi.problems import Problem
from roi.schema.about import check_claims, read_claims
from roi.schema.errors import problem_at, problems_of
from roi.schema.model import Parameters
from roi.schema.policy import Policy
from roi.schema.register import dated_after
from roi.schema.scenarios import read_scenarios
from roi.schema.tighten import merge_policy
from roi.strict_yaml import Document

__all__ = ["check_policy", "check_values"]


def check_values(
    raw: Mapping[str, Any], document: Document, name: str, *, also: Sequence[Problem] = ()
) -> tuple[Parameters | None, dict[str, Parameters], list[Problem]]:
    """Check the keys of a parameter file: each by itself, together, and as each scenario changes them.

    Args:
        raw: The value of the file.
        document: Where it was read: what reading it found wrong, and lines by path.
        name: As messages call the file.
        also: What else is wrong with it.

    Returns:
        The parameters, defaults filled in (None where they cannot be had); by name those of each scenario; and what is
        wrong.
    """
    problems = list(document.problems)
    parameters: Parameters | None = None
    try:
        parameters = Parameters.model_validate(raw)
    except ValidationError as error:
        problems += problems_of(error, Parameters, document, file=name)
        # Claims are held against each other only where all else can be read; what they contradict is said all the same.
        claims = [(("claims", *path), said) for path, said in check_claims(read_claims(raw.get("claims")))]
        hidden = [problem_at(name, path, said, document) for path, said in claims]
        problems += [problem for problem in hidden if problem not in problems]
    # A value that was refused as it was read is missing where it is checked; it is named once.
    refused = {problem.place for problem in document.problems}
    problems = [p for p in problems if p in document.problems or p.place not in refused]
    problems += also
    scenarios, wrong = read_scenarios(raw, document, name, {problem.place for problem in problems})
    return parameters, scenarios, problems + wrong


def check_policy(
    base: Policy, parameters: Parameters, day: date | None, document: Document, name: str
) -> tuple[Policy, list[str], list[Problem]]:
    """Hold a pilot against the portfolio's policy.

    Args:
        base: The portfolio's policy.
        parameters: The pilot's parameters.
        day: The day of the decision; None leaves every exception in force.
        document: Where they were read.
        name: As messages call the file.

    Returns:
        The policy that holds for it, warnings about expired exceptions, and what is wrong.
    """
    policy, expired, parts = merge_policy(base, parameters, day)
    parts = [*parts, *dated_after(parameters)]
    return policy, expired, [problem_at(name, place, message, document) for place, message in parts]
