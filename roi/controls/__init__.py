"""The five control layers, read from the logs: one module a layer, one function each, a gate out."""

from roi.controls.access import bounded_access
from roi.controls.approval import human_approval
from roi.controls.audit import audit_trail
from roi.controls.evaluation import evaluation
from roi.controls.rollback import rollback

__all__ = ["audit_trail", "bounded_access", "evaluation", "human_approval", "rollback"]
