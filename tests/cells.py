"""Run a chapter's cells up to a given one, for tests of intermediate states."""

import ast
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from expected_outputs import numbers, read_expectations
from snippet_cells import SnippetLibrary

POINT = re.compile(r"[ML](-?[\d.]+ -?[\d.]+)")
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


def expected_numbers(slug: str, cell: str) -> list[float]:
    """The numbers that a cell should show, for a test that computes them anew.

    Those of the sentences below it are the numbers of ``below`` and its name.
    """
    file = ROOT / "tests" / "outputs" / f"{slug}.toml"
    entry = read_expectations(file.read_text(encoding="utf-8"))[cell]
    return [float(number) for number in numbers(entry.output)]


def assert_shown_below(slug: str, computed: Mapping[str, Sequence[float]]) -> None:
    """The sentences below cells show these numbers, right to the last digit shown."""
    for cell, exact in computed.items():
        file = ROOT / "tests" / "outputs" / f"{slug}.toml"
        entry = read_expectations(file.read_text(encoding="utf-8"))[f"below {cell}"]
        shown = numbers(entry.output)
        assert len(shown) == len(exact), (cell, shown, exact)
        for text, number in zip(shown, exact, strict=True):
            # A whole number is meant as such; of others the last digit is rounded.
            unit = Decimal((0, (1,), int(Decimal(text).as_tuple().exponent)))
            allowed = Decimal("0.000001" if unit == 1 else "0.5001") * unit
            off = Decimal(text) - Decimal(float(number))
            assert abs(off) <= allowed, (cell, text, number)


def figure_of(module: str, cell: str) -> tuple[Any, dict[str, Any]]:
    """The figure that a cell gives, and the namespace that it was made in."""
    namespace = run_cells(module, cell)
    last = ast.parse(LIBRARY.cells(module)[cell].source).body[-1]
    assert isinstance(last, ast.Expr)
    code = compile(ast.Expression(last.value), f"<{module}#{cell}>", "eval")
    return eval(code, namespace), namespace


def redrawn(figure: Any, panel: int = 0) -> list[list[tuple[float, float]]]:
    """What a script would draw anew in a panel, each line as points (x, y) of the data.

    Pixels have two decimals, so the last digits of a point mean nothing.
    """
    marks = re.findall(r'<g class="replaced"><path d="([^"]*)"', figure.svg)
    lines = [[tuple(map(float, p.split())) for p in POINT.findall(d)] for d in marks]
    (x0, left, x1, right), (y0, low, y1, high) = figure.data["scales"][panel].values()
    return [
        [
            (
                x0 + (x - left) / (right - left) * (x1 - x0),
                y0 + (y - low) / (high - low) * (y1 - y0),
            )
            for x, y in line
        ]
        for line in lines
        if left - 1 < line[0][0] < right + 1
    ]
