"""The names of lines in the chapters' plots: beside the lines, and not upon them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snippets.figures import plots
from tests.book.test_structure import CHAPTERS, module
from tests.cells import LIBRARY, figure_of

CELLS = [
    (module(slug), name)
    for slug in CHAPTERS
    for name, cell in LIBRARY.cells(module(slug)).items()
    if "plots.finished(" in cell.source
]


def touching(figure: Figure) -> list[str]:
    """The texts of a plot that a line or another text touches."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    found = []
    for ax in figure.axes:
        boxes = [text.get_window_extent(renderer) for text in ax.texts]
        for text, box in zip(ax.texts, boxes, strict=True):
            crossed = any(
                box.contains(x, y) for line in points_of_lines(ax) for x, y in line
            )
            if crossed or any(box.overlaps(b) for b in boxes if b is not box):
                found.append(text.get_text())
    return found


def points_of_lines(ax: Axes) -> Iterator[NDArray[np.float64]]:
    """Points on each line of a plot, closer than a pixel, in pixels."""
    for line in ax.lines:
        corners = ax.transData.transform(np.column_stack(line.get_data()))
        corners = corners[np.isfinite(corners).all(axis=1)]
        steps = np.abs(np.diff(corners, axis=0)).max(axis=1, initial=0)
        for start, end, step in zip(corners, corners[1:], steps, strict=False):
            yield np.linspace(start, end, int(step) + 2)


@pytest.mark.parametrize(("chapter", "cell"), CELLS)
def test_no_line_crosses_a_text(chapter: str, cell: str) -> None:
    _, namespace = figure_of(chapter, cell)
    assert touching(namespace["figure"]) == []


def test_there_are_plots_with_names_in_them() -> None:
    assert len(CELLS) >= 6
    assert sum(
        len(re.findall(r"name_line", LIBRARY.cells(m)[c].source)) for m, c in CELLS
    )


@pytest.mark.parametrize(
    ("height", "other", "found"),
    [(1, 0.0, ["on"]), (5, 0.0, []), (5, 5, ["on", "other"])],
)
def test_a_text_on_a_line_or_on_a_text_is_found(height, other, found):
    figure, ax = plots.sheet(200)
    ax.plot([0, 10], [0, 2])
    ax.set(ylim=(-5, 10))
    plots.name_line(ax, "on", 4, height, plots.BLUE)
    plots.name_line(ax, "other", 4, other or -3, plots.BLUE)
    plots.finished(figure, "A line.")
    assert touching(figure) == found
