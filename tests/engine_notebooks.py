"""Notebooks that ask much of an engine, and what is compared of two runs of one."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
# One cell each, all that a cell can put out.
CELLS = (
    "import os, sys\nprint('one')\nprint('two', end='')\nsys.stdout.write(' three\\n')",
    "os.system('echo from another process'); None",
    "os.write(1, b'at the level of the descriptor\\n'); None",
    "print('a warning', file=sys.stderr)",
    "import warnings\nwarnings.warn('deprecated', DeprecationWarning); warnings.warn('look')",
    "from IPython.display import HTML, Image, Markdown, SVG, clear_output, display, update_display\n"
    "display(HTML('<b>b</b>'), Markdown('*m*'), SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'))",
    "shown = display('first', display_id='x')\nprint('between')\nupdate_display('second', display_id='x')",
    "print('gone'); clear_output(); print('stays')",
    "import pandas as pd\npd.DataFrame({f'c{i}': [i, i + 0.5] for i in range(30)})",
    "pd.get_option('display.max_columns'), pd.get_option('display.width'), pd.options.mode.copy_on_write",
    "import altair as alt\nalt.Chart(pd.DataFrame({'a': [1, 2], 'b': [3, 4]})).mark_point().encode(alt.X('a:Q'), alt.Y('b:Q'))",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
    "import duckdb\nduckdb.sql('select 1 as a union all select 2 order by a')",
    "import ipywidgets\nslider = ipywidgets.IntSlider(value=3, min=0, max=9)\nslider.value",
    "input('name? ')",
    "def broken():\n    return {}['nothing']\nbroken()",
    "raise SystemExit",
    "%env ROI_HERE=there\n!echo $ROI_HERE",
    "_ = 3\n__name__, sys.argv[0].rsplit('/')[-1][:18], sys.stdin.isatty() if sys.stdin else None, os.path.basename(os.getcwd())",
    "import threading, multiprocessing\nsum(multiprocessing.get_context('fork').Pool(2).map(abs, [-1, -2]))",
    "import numpy as np\nnp.linalg.svd(np.arange(12.0).reshape(3, 4))[1]",
    "get_ipython().run_cell_magic('capture', 'kept', 'print(5)')\nkept.stdout",
    "import gc\ngc.isenabled(), gc.get_threshold()",
    "x = object\nx",
    "x;",
    "print('é ✓ \\x1b[31mred\\x1b[0m')\n{'a': {'b': [1, 2.5, None]}}",
)  # fmt: skip


def write(file: Path, cells: Sequence[str], *, tagged: bool = False) -> Path:
    """A notebook of code cells; `tagged` cells may raise."""
    made = [new_code_cell("pilot = 'a'", metadata={"tags": ["parameters"]}), new_markdown_cell("# Title")]
    metadata = {"tags": ["raises-exception"]} if tagged else {}
    made += [new_code_cell(source, metadata=dict(metadata)) for source in cells]
    nbformat.write(new_notebook(cells=made, metadata=KERNEL), file)
    return file


def compared(notebook: Any) -> dict[str, Any]:
    """An executed notebook without its times: cells, outputs, counts and metadata.

    Pieces of one stream are joined, since where they are cut is a matter of time. So is whether standard error comes
    before standard output.
    """
    read = copy.deepcopy(notebook)
    for part in [read, *read.cells]:
        for name in ("start_time", "end_time", "duration", "output_path", "input_path"):
            part.metadata.get("papermill", {}).pop(name, None)
    cells = []
    for cell in read.cells:
        # The moments at which a cell's messages came, of which a fast cell may have one less.
        cell.metadata["execution"] = bool(cell.metadata.get("execution"))
        outputs: list[Any] = []
        for output in cell.get("outputs", []):
            same = [o for o in outputs if o.output_type == "stream" and o.name == output.get("name")]
            if output.output_type == "stream" and same:
                same[0].text += output.text
            else:
                outputs.append(output)
        outputs.sort(key=lambda output: output.get("name") == "stderr")
        shown = [dict(output) for output in outputs]
        cells.append([cell.cell_type, cell.source, cell.get("execution_count"), dict(cell.metadata), shown])
    shown = read.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    if "state" in shown:  # by names that are drawn anew each time: what is there, not under which
        named = re.compile(r"(?<=IPY_MODEL_)[0-9a-f]{32}")
        shown["state"] = sorted(
            named.sub("", json.dumps(part, sort_keys=True)) for part in shown["state"].values()
        )
    return {"cells": cells, "metadata": dict(read.metadata)}
