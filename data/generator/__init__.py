"""The parts of the example generator: truths, cases, control logs and files."""

import os

os.environ.setdefault("OPENPYXL_LXML", "False")  # the same bytes whether or not lxml happens to be installed
