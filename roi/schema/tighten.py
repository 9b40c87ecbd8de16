"""The policy that holds for one pilot: the portfolio's, tightened; loosened only by an exception."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import ValidationError

from roi.scalars import shorten
from roi.schema.model import Parameters
from roi.schema.policy import DIRECTIONS, Policy, PolicyException, Tightening, is_tighter
from roi.strict_yaml import YamlPath

__all__ = ["merge_policy"]

_TIGHTER = {"up": "only be raised", "down": "only be lowered", "more": "only be added to"}


def merge_policy(
    base: Policy, parameters: Parameters, as_of: date | None
) -> tuple[Policy, list[str], list[tuple[YamlPath, str]]]:
    """The policy for one pilot on one day.

    Args:
        base: The portfolio's policy.
        parameters: The pilot's parameters; its `policy` group tightens.
        as_of: The day of the decision; None leaves every exception in force.

    Returns:
        The policy with `exception` holding those that apply, warnings about expired ones, and what is wrong.
    """
    given = parameters.policy.given()
    parts: list[tuple[YamlPath, str]] = []
    warnings: list[str] = []
    candidates = [item for item in base.exception if item.pilot in (None, parameters.pilot)]
    candidates += [item for item in parameters.policy.exception if item.pilot in (None, parameters.pilot)]
    applying: dict[str, tuple[PolicyException, Any]] = {}
    for item in candidates:
        place: YamlPath = ("policy", "exception")
        try:
            value = Tightening.model_validate({item.key: item.value}).given()[item.key]
        except (ValidationError, KeyError):
            parts.append((place, f"'{shorten(item.value)}' is not a value of {item.key}"))
            continue
        if as_of is not None and item.expires < as_of:
            warnings.append(
                f"policy.exception: the one for {item.key} expired on {item.expires}; it is not applied"
            )
            continue
        applying[item.key] = (item, value)
    changed: dict[str, Any] = {key: value for key, (_, value) in applying.items()}
    for key, value in given.items():
        limit = getattr(base, key)
        if not is_tighter(key, value, limit):
            allowed = applying.get(key)
            if allowed is None or not is_tighter(key, value, allowed[1]):
                parts.append((("policy", key), _looser(key, value, limit)))
                continue
        changed[key] = value
    used = tuple(
        item for key, (item, _) in applying.items() if not is_tighter(key, changed[key], getattr(base, key))
    )
    merged = {key: getattr(base, key) for key in Policy.model_fields} | changed
    policy = Policy.model_construct(**{**merged, "exception": used})
    if not policy.kill_probability < policy.scale_probability:
        parts.append(
            (
                ("policy", "kill_probability"),
                f"{policy.kill_probability:g} is not below scale_probability ({policy.scale_probability:g})",
            )
        )
    return policy, warnings, parts


def _looser(key: str, value: Any, limit: Any) -> str:
    shown = ", ".join(value) if isinstance(value, tuple) else f"{value:g}"
    held = (", ".join(limit) or "none") if isinstance(limit, tuple) else f"{limit:g}"
    return (
        f"{shorten(shown)} is looser than the policy's {shorten(held)}, which may "
        f"{_TIGHTER[DIRECTIONS[key]]}; remove it or have an exception approved"
    )
