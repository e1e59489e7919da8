"""One style for every plot: few inks, direct labels, text that a phone can show.

::

    figure, ax = sheet(height=200)
    ax.plot(m, loss, color=BLUE)
    name_line(ax, "log loss", m[0], loss[0], BLUE)
    finished(figure, alt="The log loss falls …")

Lengths are SVG pixels. The hues are those of Okabe and Ito, which the colour-blind can
tell apart, darkened until text in them can be read on white. Lines differ in their
dashes, too, where they cross.
"""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET
import zlib
from typing import Any

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Ellipse
from matplotlib.ticker import FixedLocator
from torch import Tensor

from snippets.figures.figure import Figure
from snippets.figures.svg import BLUE, FONT, INK, LINE, MUTED, ORANGE

GREEN = "#00735a"
PURPLE = "#984f80"
FAINT = "#dfe4e9"
__all__ = [
    "BLUE",
    "FAINT",
    "GREEN",
    "INK",
    "LINE",
    "MUTED",
    "ORANGE",
    "PURPLE",
    "REPLACED",
    "finished",
    "name_line",
    "scale",
    "sheet",
]

WIDTH = 340
SVG = "http://www.w3.org/2000/svg"
NUMBER = re.compile(r"-?\d+\.\d+")
# Attributes that are numbers, which need no more than two decimals.
GEOMETRY = {"d", "x", "y", "transform"}
REPLACED = "replaced"  # the gid of what a script draws anew
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "book",  # ids are the same in each run
    "font.family": ["DejaVu Sans"],
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "lines.linewidth": 2.0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.constrained_layout.use": True,
    "path.simplify": False,
}


def sheet(height: float, rows: int = 1, columns: int = 1) -> tuple[Sheet, Any]:
    """A figure of the width of a phone, and its axes (an array, if several)."""
    with mpl.rc_context(STYLE):
        figure = Sheet(figsize=(WIDTH / 72, height / 72), dpi=72)
        return figure, figure.subplots(rows, columns)


def name_line(
    ax: Axes, name: str, x: float, y: float, colour: str, **place: Any
) -> None:
    """Write the name of a line beside it, in its colour, instead of a legend."""
    place = {"xytext": (4, 0), "ha": "left", "va": "center", "fontsize": 12} | place
    offset = place.pop("xytext")
    ax.annotate(name, (x, y), offset, textcoords="offset points", color=colour, **place)


def scale(ax: Axes) -> dict[str, list[float]]:
    """Where the axes' data lie in the SVG: ``{"x": [x0, pixel0, x1, pixel1], "y": …}``.

    A script that draws into the plot needs this and nothing else. Call it last: it
    settles the layout of the whole figure.
    """
    _settle(ax.figure)
    height = ax.figure.bbox.height
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    low = ax.transData.transform((x0, y0))
    high = ax.transData.transform((x1, y1))
    found = {
        "x": [x0, low[0], x1, high[0]],
        "y": [y0, height - low[1], y1, height - high[1]],
    }
    return {axis: [round(float(v), 3) for v in four] for axis, four in found.items()}


def level_line(ax: Axes, minimum: Tensor, hessian: Tensor, excess: float) -> None:
    """Where ½ (w − minimum)ᵀ hessian (w − minimum) is ``excess``: an ellipse."""
    curvatures, axes = torch.linalg.eigh(hessian)
    width, height = (2 * torch.sqrt(2 * excess / curvatures)).tolist()
    angle = math.degrees(math.atan2(axes[1, 0], axes[0, 0]))
    ellipse = Ellipse(minimum.tolist(), width, height, angle=angle, fill=False)
    ellipse.set(edgecolor=LINE, linewidth=0.6)
    ax.add_patch(ellipse)


def _settle(figure: Any) -> None:
    """Lay the figure out, for good."""
    if figure.get_layout_engine() is None:
        return
    with mpl.rc_context(STYLE):
        figure.draw_without_rendering()
        # In its new place an axis would choose other ticks, for which there is no room.
        for ax in figure.axes:
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_locator(FixedLocator(axis.get_majorticklocs()))
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def finished(
    figure: Sheet, alt: str, enhanced_by: str = "", data: dict[str, Any] | None = None
) -> Figure:
    """The figure as the output of a cell; ``alt`` says what it shows.

    Raises:
        ValueError: without a text.
    """
    if not alt.strip():
        raise ValueError("a plot has a text that says what it shows: alt=…")
    _settle(figure)
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = _tidy(buffer.getvalue(), alt)
    return Figure(svg, alt, enhanced_by=enhanced_by, data=data or {})


def _tidy(source: str, alt: str) -> str:
    """matplotlib's SVG with attributes in the place of styles, and what it shows."""
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ET.fromstring(source)
    salt = f"p{zlib.crc32(source.encode()):08x}"
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{SVG}}}metadata", f"{{{SVG}}}style"}:
                parent.remove(child)
    for element in root.iter():
        for name, value in _presentation(element.attrib.pop("style", "")).items():
            element.set(name, value)
        if element.tag == f"{{{SVG}}}g" and element.attrib.pop("id", "") == REPLACED:
            # No style refers to a group, but a script looks for what it replaces.
            element.set("class", REPLACED)
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]  # it turns nothing
        for name in GEOMETRY & element.attrib.keys():
            numbers = NUMBER.sub(_rounded, element.attrib[name])
            # A letter of a path ends the number before it.
            element.set(name, re.sub(r"\s*([A-Z])\s*", r"\1", numbers))
        for name, value in element.attrib.items():
            # Several figures share a page, and their ids must differ.
            if name == "id":
                element.set(name, f"{salt}-{value}")
            elif "#" in value and (name.endswith("href") or value.startswith("url(#")):
                element.set(name, value.replace("#", f"#{salt}-"))
    _, _, width, height = root.attrib["viewBox"].split()
    root.set("width", width)
    root.set("height", height)
    del root.attrib["version"]
    root.set("class", "plot")
    root.set("role", "img")
    root.set("aria-label", alt)
    root.set("font-family", FONT)
    text = ET.tostring(root, encoding="unicode")
    # matplotlib breaks lines inside paths, for no reader.
    return re.sub(r"\s*\n\s*", " ", text).replace("> <", "><")


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


def _presentation(style: str) -> dict[str, str]:
    """``{"fill": "none"}`` for ``"fill: none"``; fonts are left to the document."""
    found: dict[str, str] = {}
    for part in style.split(";"):
        name, _, value = (piece.strip() for piece in part.partition(":"))
        if name == "font":
            if match := re.search(r"([\d.]+)px", value):
                found["font-size"] = match[1]
            if "bold" in value:
                found["font-weight"] = "bold"
        elif name == "font-size":
            found[name] = value.removesuffix("px")
        elif name and not name.startswith("font-family"):
            found[name] = value
    return found
