"""Where the business case says more of what stands on its first screen."""

from __future__ import annotations

__all__ = ["WHERE"]

WHERE = {
    "Exception from the policy": "What-must-be-shown",
    "A first view": "What-was-assumed",
    "What was measured": "What-was-measured",
    "How it was compared": "What-was-measured",
    "Errors": "What-was-measured",
    "The goal": "What-was-measured",
    "What was claimed": "What-was-measured",
    "How much is assumed": "What-the-result-rests-on",
    "Is measuring more worth it?": "What-the-result-rests-on",
    "What is not known": "What-was-left-out",
    "Is the model the problem?": "Where-the-losses-come-from",
    "Controls": "What-must-be-shown",
    "Waiting": "The-money",
    "Spent so far": "The-money",
    "How often this rule errs": "How-to-check-this",
    "Signed": "How-to-check-this",
}
"""By the label of a fact: the heading of the notebook, as a link names it."""
