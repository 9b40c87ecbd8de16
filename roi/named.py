"""Names that files write as code, said as people read them: kinds of cases, and limits of the policy."""

from __future__ import annotations

import re
from collections.abc import Iterable

from roi.words import and_list, shorten

__all__ = ["cost_words", "kind_word", "kind_words", "policy_word"]

_BETWEEN = re.compile(r"(?<=[^\W_])_(?=[^\W_])")
POLICY = {
    "max_severe_error_rate": "limit for severe errors",
    "max_approval_miss_rate": "limit for risky acts without approval",
    "smallest_saving_minutes": "smallest saving that counts",
    "scale_probability": "chance that scaling needs",
    "kill_probability": "chance below which a pilot is stopped",
    "hurdle": "worth that has to be exceeded",
    "severe_reference": "yardstick of severe errors",
    "min_covered_demand": "least share of demand that the sample covers",
    "min_usable_inputs": "least share of usable inputs",
    "max_minutes_to_pause": "longest time to pause",
    "drill_max_age_days": "oldest drill that counts, in days",
    "evidence_max_age_days": "oldest evidence that counts, in days",
    "fix_budget": "budget for fixes",
    "fix_weeks": "longest fix, in weeks",
    "max_fix_rounds": "number of fixes before a pilot is stopped",
    "high_risk_tools": "list of high-risk tools",
}


def kind_word(name: object) -> str:
    """A kind of case as people say it: "change_of_use" is "change of use"; what has no such joint stays as it is."""
    return _BETWEEN.sub(" ", str(name))


def kind_words(names: Iterable[object], most: int = 40) -> str:
    """Several of them as a list in a sentence: "change of use and dwelling"."""
    return and_list(shorten(kind_word(name), most) for name in names)


def cost_words(kinds: Iterable[str]) -> str:
    """Kinds of costs as a list: "data, security and legal, change"."""
    return ", ".join("security and legal" if kind == "security_legal" else kind_word(kind) for kind in kinds)


def policy_word(key: object) -> str:
    """A limit of the policy in words; one that has none here is told with blanks for its joints."""
    return POLICY.get(str(key), kind_word(key))
