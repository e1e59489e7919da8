"""Where the boxes of a graph stand and how the arrows run, found by Graphviz.

Graphviz is given boxes of fixed sizes without any text, so the places depend on no
font. ``place`` returns coordinates in pixels, y downwards, from (0, 0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pygraphviz

POINTS = 72  # Graphviz measures boxes in inches and places in points
Point = tuple[float, float]


@dataclass(frozen=True)
class Arrow:
    """A curve of cubic Bézier pieces, the tip of its head, and where a label fits."""

    curve: list[Point]
    tip: Point
    label: Point | None


@dataclass(frozen=True)
class Layout:
    """The size of the whole, the centres of the boxes, and an arrow for each edge."""

    width: float
    height: float
    centres: dict[int, Point]
    arrows: list[Arrow]


def place(
    sizes: Mapping[int, Point],
    edges: Sequence[tuple[int, int, Point | None]],
    direction: str,
) -> Layout:
    """Lay out boxes (width, height) and edges (from, to, size of the label).

    ``direction`` is ``"LR"``, left to right, or ``"TB"``, top to bottom.
    """
    graph = pygraphviz.AGraph(
        directed=True, strict=False, rankdir=direction, nodesep=0.22
    )
    graph.graph_attr["ranksep"] = 0.28 if direction == "LR" else 0.4
    for number, (width, height) in sizes.items():
        graph.add_node(
            number,
            label="",
            shape="box",
            fixedsize=True,
            width=width / POINTS,
            height=height / POINTS,
        )
    for index, (start, end, label) in enumerate(edges):
        options = {"arrowsize": 0.7, "label": _room(label)} if label else {}
        graph.add_edge(start, end, key=str(index), **options)
    graph.layout("dot")
    _, _, width, height = map(float, graph.graph_attr["bb"].split(","))

    def point(text: str) -> Point:
        x, y = map(float, text.split(","))
        return round(x, 1), round(height - y, 1)

    arrows = []
    for index, (start, end, label) in enumerate(edges):
        attributes = graph.get_edge(start, end, key=str(index)).attr
        tip, *curve = attributes["pos"].removeprefix("e,").split()
        where = point(attributes["lp"]) if label else None
        arrows.append(Arrow([point(text) for text in curve], point(tip), where))
    centres = {number: point(graph.get_node(number).attr["pos"]) for number in sizes}
    return Layout(round(width, 1), round(height, 1), centres, arrows)


def _room(size: Point) -> str:
    """A label that takes room and holds no text."""
    width, height = size
    return (
        f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" FIXEDSIZE="TRUE" '
        f'WIDTH="{width:.0f}" HEIGHT="{height:.0f}"><TR><TD></TD></TR></TABLE>>'
    )
