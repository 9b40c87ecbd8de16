"""What measuring costs, as the parameter file states it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roi.assumptions import Assumptions

__all__ = ["DOCUMENT_REMOVES", "Prices", "prices_of"]

DOCUMENT_REMOVES = 0.75  # of the variance of an assumed input, where the parameter file does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What measuring costs, in the pilot's currency; None where it is not stated.

    Attributes:
        per_case: A further case, worked and labelled.
        per_label: A label on a case that is there already.
        per_baseline_case: Timing a case without the agent.
        setup: Once, for any measurement of cases.
        cases_per_week: How many cases a week brings.
        per_document: A document for an input that is assumed.
        document_removes: Share of such an input's variance that a document removes, in [0, 1].
        document_stated: Whether the parameter file states that share; else it is the package's.
    """

    per_case: float | None
    per_label: float | None
    per_baseline_case: float | None
    setup: float
    cases_per_week: float | None
    per_document: float | None = None
    document_removes: float = DOCUMENT_REMOVES
    document_stated: bool = False

    def cases(self, n: int) -> float | None:
        """Price of `n` further cases, without the set-up."""
        return None if self.per_case is None else n * self.per_case

    def labels(self, n: int) -> float | None:
        """Price of labels on `n` cases that the pilot brings anyway, without the set-up."""
        price = self.per_label if self.per_label is not None else self.per_case
        return None if price is None else n * price

    def baseline(self, n: int) -> float | None:
        """Price of timing `n` cases without the agent, without the set-up."""
        price = self.per_baseline_case if self.per_baseline_case is not None else self.per_case
        return None if price is None else n * price

    def months(self, n: int) -> float:
        """Months until `n` cases have come; 0 where the pace is not stated."""
        return n / self.cases_per_week * 7 / (365.25 / 12) if self.cases_per_week else 0.0


def prices_of(assumptions: Assumptions) -> Prices:
    """The prices of the `measurement` group, at their means."""

    def mean(name: str) -> float | None:
        value = assumptions.get(f"measurement.{name}")
        return None if value is None else float(np.mean(value))

    removes = mean("document_removes")
    return Prices(
        per_case=mean("per_case"),
        per_label=mean("per_label"),
        per_baseline_case=mean("per_baseline_case"),
        setup=mean("setup") or 0.0,
        cases_per_week=mean("cases_per_week"),
        per_document=mean("per_document"),
        document_removes=DOCUMENT_REMOVES if removes is None else removes,
        document_stated=removes is not None,
    )
