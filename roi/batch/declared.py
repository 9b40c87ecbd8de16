"""Parameters that a notebook does not declare are an error; Papermill itself only logs them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from roi.problems import ParameterError, Problem

__all__ = ["declared_names", "refuse_undeclared", "undeclared"]

INJECTED = "# Parameters"


def assigned_names(source: str) -> tuple[str, ...]:
    """Names that plain assignments of a cell set, in order.

    Args:
        source: The cell's code; what is no Python sets nothing.
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return ()
    found: list[str] = []
    for line in body:
        targets = (
            line.targets
            if isinstance(line, ast.Assign)
            else [line.target]
            if isinstance(line, ast.AnnAssign)
            else []
        )
        found += [target.id for target in targets if isinstance(target, ast.Name)]
    return tuple(dict.fromkeys(found))


def declared_names(notebook: Any) -> tuple[str, ...]:
    """The parameters that a notebook declares: what its cell tagged `parameters` sets.

    Args:
        notebook: The notebook, as nbformat reads it.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            return assigned_names(cell.source)
    return ()


def undeclared(given: Iterable[str], declared: Iterable[str], *, file: str) -> list[Problem]:
    """Problems for parameters that are given and not declared, with the nearest known name.

    Args:
        given: Names that are passed.
        declared: Names that the notebook declares.
        file: What to name as the place of the problem.
    """
    known = list(declared)
    problems = []
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            mend = f"did you mean '{near[0]}'?" if near else f"it declares {', '.join(known) or 'none'}"
            problems.append(Problem(file, name[:60], f"the notebook declares no such parameter; {mend}"))
    return problems


def refuse_undeclared(shell: Any = None) -> None:
    """Stop a notebook that Papermill was given a parameter for that it does not declare.

    Looks at the cell that Papermill injected; without one (in JupyterLab, say) nothing happens.

    Args:
        shell: The IPython shell; the one that runs this cell unless given.

    Raises:
        ParameterError: With every such parameter.
    """
    from roi.parameters import TOP_LEVEL_KEYS

    if shell is None:
        from IPython import get_ipython

        shell = get_ipython()
    names: Mapping[str, Any] = getattr(shell, "user_ns", {})
    cells = [str(cell) for cell in names.get("In", []) if str(cell).startswith(INJECTED)]
    given = assigned_names(cells[-1]) if cells else ()
    problems = undeclared(given, TOP_LEVEL_KEYS, file="the notebook")
    if problems:
        raise ParameterError(problems)
