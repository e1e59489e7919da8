"""Figures made from real runs: computation graphs, plots, and figures to play with.

A cell whose last line is ``draw(run, …)`` gives a figure: an SVG for the page, for
print and for notebooks, with a text that says what it shows.
"""

from snippets.figures.drawing import draw
from snippets.figures.recording import Recording, RecordingError, record

__all__ = ["Recording", "RecordingError", "draw", "record"]
