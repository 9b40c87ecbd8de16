"""The five control layers, read from the logs: checks by layer, what they found, and the gates that follow."""

from roi.controls.catalogue import CATALOGUE, LAYERS
from roi.controls.check import Check, Rows
from roi.controls.logs import Logs
from roi.controls.scorecard import Scorecard, look

__all__ = ["CATALOGUE", "LAYERS", "Check", "Logs", "Rows", "Scorecard", "look"]
