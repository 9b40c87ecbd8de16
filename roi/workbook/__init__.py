"""The workbook: live formulas from the assumptions to the worth, for whoever wants to recompute it."""

from roi.workbook.book import workbook_bytes
from roi.workbook.point import Point, point_of

__all__ = ["Point", "point_of", "workbook_bytes"]
