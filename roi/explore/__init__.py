"""Exploring: move what a pilot's decision rests on, see what would be decided, keep it as a parameter file."""

from roi.explore.allowed import Refusal
from roi.explore.explorer import Explorer, Seen
from roi.explore.save import saved_text, write_saved
from roi.explore.setting import Dial, Setting, dials_of

__all__ = ["Dial", "Explorer", "Refusal", "Seen", "Setting", "dials_of", "saved_text", "write_saved"]
