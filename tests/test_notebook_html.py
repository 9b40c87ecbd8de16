"""What a notebook shows, as HTML: the same as nbconvert's own way through the same template gives, read by anybody."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from roi.report.page import TEMPLATES, _exporter

SHOWN = (
    '<p class=\'odd\' id="a">it\'s &#39;so&#39; &amp; "so" &lt;b&gt;</p>',
    "<table><tr><th scope=row>a</th><td data-label='x'>1 &nbsp; 2</td></tr></table>",
    '<svg viewBox="0 0 9 9" role="img" aria-label="two"><path d="M0,0h9" fill="none"/><circle r="2"/></svg>',
)
WORDS = '# A *head*\n\nSome `code < 1`, "quotes" and it\'s \\$5 & more.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- x\n- y\n'


def notebook(shown: tuple[str, ...]) -> Any:
    outputs = [
        nbformat.from_dict({"output_type": "display_data", "data": {"text/html": html}, "metadata": {}})  # type: ignore[no-untyped-call]
        for html in shown
    ]
    stream = nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": "not shown"})  # type: ignore[no-untyped-call]
    lab = new_code_cell("2", outputs=outputs[:1], metadata={"tags": ["lab"]})
    cells = [new_markdown_cell(WORDS), new_code_cell("1", outputs=[*outputs, stream]), lab]
    return new_notebook(cells=cells)


@pytest.mark.parametrize("shown", [(), SHOWN, *((html,) for html in SHOWN)])
def test_a_page_is_what_nbconvert_makes_of_it(shown: tuple[str, ...]) -> None:
    theirs = HTMLExporter(
        template_name="roi", extra_template_basedirs=[str(TEMPLATES / "nbconvert")], exclude_anchor_links=True
    )
    made = _exporter()(notebook(shown))
    whole, _ = theirs.from_notebook_node(notebook(shown))
    assert str(BeautifulSoup(made, "html.parser")) == str(BeautifulSoup(whole, "html.parser"))
    assert "not shown" not in made
    assert made.count("<svg") == sum("<svg" in html for html in shown)
