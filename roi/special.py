"""Special functions, without the layer for other libraries' arrays, which takes ten times as long to import as they do.

`import scipy.special` builds the documentation of some ninety functions and loads numpy's tests and its Fortran
compiler on the way: a tenth of what a decision on the command line takes. The functions themselves are one compiled
module. It is loaded as that package's own, so that whoever imports `scipy.special` later gets all of it, and these very
functions in it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scipy.special import (
        bdtr,
        bdtrc,
        betainc,
        betaincc,
        betaincinv,
        betaln,
        chdtrc,
        expit,
        gammaincinv,
        gammaln,
        log_expit,
        logit,
        ndtr,
        ndtri,
        stdtr,
        stdtrit,
        xlog1py,
        xlogy,
    )

__all__ = [
    "bdtr",
    "bdtrc",
    "betainc",
    "betaincc",
    "betaincinv",
    "betaln",
    "chdtrc",
    "expit",
    "gammaincinv",
    "gammaln",
    "log_expit",
    "logit",
    "ndtr",
    "ndtri",
    "stdtr",
    "stdtrit",
    "xlog1py",
    "xlogy",
]


def _functions() -> dict[str, Any]:
    """The functions by name: of the compiled module where SciPy has it as we know it, else of the package."""
    name = "scipy.special"
    if name not in sys.modules and (found := _alone(name)) is not None:
        return found
    package = importlib.import_module(name)
    return {each: getattr(package, each) for each in __all__}


def _alone(name: str) -> dict[str, Any] | None:
    import scipy

    before = set(sys.modules)
    stand_in = ModuleType(name)
    stand_in.__path__ = [f"{scipy.__path__[0]}/special"]
    sys.modules[name] = stand_in
    try:
        compiled = importlib.import_module(f"{name}._ufuncs")
        return {each: getattr(compiled, each) for each in __all__}
    except (ImportError, AttributeError):
        for loaded in set(sys.modules) - before:
            if loaded.startswith(f"{name}."):
                del sys.modules[loaded]
        return None
    finally:
        del sys.modules[name]


if not TYPE_CHECKING:
    globals().update(_functions())
