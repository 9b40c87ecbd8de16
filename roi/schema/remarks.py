"""What a reader of a valid parameter file should know: what it leaves open and how that is taken."""

from __future__ import annotations

from roi.schema.model import Parameters

__all__ = ["remarks"]


def remarks(parameters: Parameters) -> list[str]:
    """Remarks on valid parameters, a sentence each."""
    found: list[str] = []
    if "currency" not in parameters.about.model_fields_set:
        found.append("about.currency: not stated; amounts are taken as EUR")
    if "assignment" not in parameters.samples.model_fields_set:
        found.append("samples.assignment: not stated; taken as observational, the weakest design")
    realisation = parameters.economics.realisation
    if realisation.cash is not None and realisation.redeployed is not None:
        highest = realisation.cash.p95 + realisation.redeployed.p95
        if not highest <= 1.0:
            found.append(
                f"economics.realisation: cash and redeployed can reach {highest:.2f} of each saved hour "
                "together; draws above 1 are scaled back to 1"
            )
    return found
