"""Shipped notebooks are thin, stripped, and declare what a parameter file may say."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

from roi.batch.declared import declared_names, refuse_undeclared
from roi.parameters import TOP_LEVEL_KEYS
from roi.problems import ParameterError

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
OF_ALL = "portfolio"  # of all pilots together: it opens no parameter file of one
OF_A_PILOT = [path for path in NOTEBOOKS if path.stem != OF_ALL]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_cells_are_thin(path: Path) -> None:
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code":
            is_parameters = "parameters" in cell.metadata.get("tags", [])
            assert len(cell.source.splitlines()) <= (len(TOP_LEVEL_KEYS) if is_parameters else 12)
            forbidden = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.AsyncFunctionDef)
            assert not any(isinstance(node, forbidden) for node in ast.walk(ast.parse(cell.source)))
            assert not cell.source.lstrip().startswith(("%", "!"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_outputs_are_stripped(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
        assert set(cell.metadata) <= {"tags"}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", OF_A_PILOT, ids=lambda p: p.stem)
def test_the_parameters_are_the_keys_of_the_file(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    assert set(declared_names(notebook)) == set(TOP_LEVEL_KEYS)
    cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    for line in ast.parse(cell.source).body:
        assert isinstance(line, ast.Assign)
        assert isinstance(line.value, ast.Constant)
        name = line.targets[0]
        assert isinstance(name, ast.Name)
        assert line.value.value == ("claims_intake" if name.id == "pilot" else None)


@pytest.mark.parametrize("path", OF_A_PILOT, ids=lambda p: p.stem)
def test_every_parameter_is_handed_to_the_package(path: Path) -> None:
    calls = [
        node
        for cell in nbformat.read(path, 4).cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "roi.open_pilot"
    ]
    assert len(calls) == 1
    assert {keyword.arg for keyword in calls[0].keywords} | {"pilot"} == set(TOP_LEVEL_KEYS)


def test_the_notebook_of_all_pilots_opens_them_once_with_what_it_declares() -> None:
    notebook = nbformat.read(next(path for path in NOTEBOOKS if path.stem == OF_ALL), 4)
    assert set(declared_names(notebook)) == {"reports", "plan"}
    nodes = [n for c in notebook.cells if c.cell_type == "code" for n in ast.walk(ast.parse(c.source))]
    calls = [n for n in nodes if isinstance(n, ast.Call) and ast.unparse(n.func) == "roi.open_portfolio"]
    assert [ast.unparse(call) for call in calls] == ["roi.open_portfolio(reports, plan=plan)"]


class Shell:
    """An IPython shell that has run some cells."""

    def __init__(self, *cells: str) -> None:
        self.user_ns = {"In": ["", *cells]}


def test_a_parameter_that_is_not_declared_stops_the_notebook() -> None:
    with pytest.raises(ParameterError, match=r"econmics.*did you mean 'economics'"):
        refuse_undeclared(Shell('pilot = "a"', "# Parameters\npilot = 'x'\neconmics = 1\n"))


def test_declared_parameters_and_cells_of_an_analyst_pass() -> None:
    refuse_undeclared(Shell('pilot = "a"', "# Parameters\npilot = 'x'\neconomics = {}\n", "mine = 3"))
    refuse_undeclared(Shell('pilot = "a"', "anything = 1"))
    refuse_undeclared(object())
