"""Run a chapter's cells up to a given one, for tests of intermediate states."""

import ast
from pathlib import Path
from typing import Any

from snippet_cells import SnippetLibrary

ROOT = Path(__file__).parents[1]
LIBRARY = SnippetLibrary(ROOT)


def run_cells(module: str, until: str) -> dict[str, Any]:
    """The namespace after the cells of a module up to and including ``until``.

    Cells that are broken on purpose are run as the page runs them, up to their error.
    """
    cells = LIBRARY.cells(module)
    assert until in cells, f"no cell {until!r} in {module}: {list(cells)}"
    namespace: dict[str, Any] = {"__name__": module}
    for name, cell in cells.items():
        code = compile(cell.source, f"<{module}#{name}>", "exec")
        try:
            exec(code, namespace)
        except Exception as error:
            if cell.raises is None or cell.raises.message not in str(error):
                raise
        if name == until:
            break
    return namespace


def figure_of(module: str, cell: str) -> tuple[Any, dict[str, Any]]:
    """The figure that a cell gives, and the namespace that it was made in."""
    namespace = run_cells(module, cell)
    last = ast.parse(LIBRARY.cells(module)[cell].source).body[-1]
    assert isinstance(last, ast.Expr)
    code = compile(ast.Expression(last.value), f"<{module}#{cell}>", "eval")
    return eval(code, namespace), namespace
