"""Draw a recorded run: a box for each tensor, an arrow for each argument.

A box holds the name of the tensor and how it was computed, its value, and below a line
its gradient. Square corners and a tinted ground mean a leaf, a thick border that a
gradient is required.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from torch import Tensor

from snippets.figures import svg
from snippets.figures.figure import Figure
from snippets.figures.layout import Arrow, Point, place
from snippets.figures.numbers import number, rows
from snippets.figures.recording import Edge, Look, Recording, RecordingError, Vertex
from snippets.figures.svg import element, text
from snippets.figures.words import (
    alternative_text,
    expression,
    is_cut,
    steps,
    text_of_look,
)

SIZE, SMALL, LINE_HEIGHT, PADDING, MARGIN = 14, 13, 18, 9, 4
WIDEST = 720  # pixels; a page has some 620 for a figure
GAP = 14  # between two panels
KEY_SIGN = 26  # room for the small box before each word of the key


@dataclass(frozen=True)
class Lines:
    """The text of a box: its heading, the rows of its value and of its gradient."""

    name: str
    formula: str
    value: list[list[str]]
    gradient: list[list[str]] | None  # None: no gradient belongs here

    @property
    def size(self) -> Point:
        """Width and height of the box, in pixels."""
        heading = svg.width(self.name + self.formula, SIZE)
        tables = [_columns(table) for table in (self.value, self.gradient or [])]
        across = max(heading, *(sum(table) for table in tables)) + 2 * PADDING
        down = LINE_HEIGHT * (1 + len(self.value)) + 2 * PADDING - 4
        if self.gradient is not None:
            down += LINE_HEIGHT * max(1, len(self.gradient)) + 8
        return max(across, 44.0), float(down)


def _columns(table: list[list[str]]) -> list[float]:
    """The widths of the columns; a row of one text spans them all."""
    if not table:
        return [0.0]
    count = max(map(len, table))
    gap = 10 if count > 1 else 0
    widths = [
        max(svg.width(row[i], SMALL) for row in table if len(row) == count) + gap
        for i in range(count)
    ]
    spanning = max((svg.width(r[0], SMALL) for r in table if len(r) == 1), default=0)
    missing = max(0.0, spanning - sum(widths)) / count
    return [one + missing for one in widths]


def draw(
    run: Recording, *, gradients: bool = True, slopes: bool = False, **names: Tensor
) -> Figure:
    """Draw a recording, with these names for its tensors.

    ``gradients`` leaves room for gradients; ``slopes`` writes on each edge the
    derivative of its head with respect to this one argument (scalars only). Where the
    recording has looks, each is a panel with the values and ``.grad`` of its moment.

    Raises:
        RecordingError: if nothing was recorded, or a name belongs to no vertex.
    """
    run.name(**names)
    if not run.edges:
        raise RecordingError("nothing was recorded inside 'with record()'")
    if run.looks:
        alt = " ".join(text_of_look(run, look) for look in run.looks)
        alt = f"{alternative_text(run, False, slopes)} {alt}"
        panels = [_of_look(run, look) for look in run.looks]
    else:
        alt = alternative_text(run, gradients, slopes)
        panels = [("", _now(run, gradients), False)]
    views = {
        direction: _view(run, panels, slopes, direction, alt)
        for direction in ("LR", "TB")
    }
    wide, across = views["LR"]
    narrow, _ = views["TB"]
    if across > WIDEST:
        return _figure(run, gradients, alt, [narrow])
    wide = wide.replace("<svg", '<svg class="wide"', 1)
    # A page's styles show one of the two. A notebook has none, and shows the wide one.
    narrow = narrow.replace("<svg", '<svg class="narrow" display="none"', 1)
    return _figure(run, gradients, alt, [wide, narrow])


def _figure(run: Recording, gradients: bool, alt: str, views: Sequence[str]) -> Figure:
    if run.looks or not (gradients and run.arrivals):
        return Figure(views[0], alt, views)
    data = {"steps": [asdict(step) for step in steps(run)]}
    return Figure(views[0], alt, views, "computation-graph", data)


Panel = tuple[str, dict[int, Lines], bool]


def _now(run: Recording, gradients: bool) -> dict[int, Lines]:
    """The boxes as the backward pass has filled them."""
    return {
        v.number: _lines(
            run,
            v,
            v.value,
            _gradient(v.gradient) if gradients and v.requires_grad else None,
        )
        for v in run.vertices
    }


def _of_look(run: Recording, look: Look) -> Panel:
    """The boxes at one moment, with ``.grad`` in the leaves."""
    boxes = {}
    for vertex in run.vertices:
        lines = None
        if vertex.is_leaf and vertex.requires_grad:
            grad = look.grads.get(vertex.number)
            lines = [["None"]] if grad is None else rows(grad)
            lines[0][0] = f".grad {lines[0][0]}"
        boxes[vertex.number] = _lines(run, vertex, look.values[vertex.number], lines)
    return look.title, boxes, look.freed


def _gradient(gradient: Tensor | None) -> list[list[str]]:
    if gradient is None:
        return []
    lines = rows(gradient)
    return [[f"∇ {lines[0][0]}", *lines[0][1:]], *lines[1:]]


def _lines(
    run: Recording, vertex: Vertex, value: Tensor, gradient: list[list[str]] | None
) -> Lines:
    formula = expression(run, vertex)
    if vertex.name and formula:
        formula = f" = {formula}"
    return Lines(vertex.name, formula, rows(value), gradient)


def _view(
    run: Recording, panels: Sequence[Panel], slopes: bool, direction: str, alt: str
) -> tuple[str, float]:
    """The SVG with the panels one below the other, and its width."""
    drawn: list[tuple[str, Point]] = []
    for panel in panels:
        drawn.append(_panel(run, panel, slopes, direction))
    kinds = [_kind(not v.operation, v.requires_grad) for v in run.vertices]
    widest = max(svg.width(words, 12) for words in kinds) + KEY_SIGN + MARGIN
    across = max(widest, *(size[0] for _, size in drawn))
    parts, y = [], 0.0
    for content, (width, height) in drawn:
        x = round((across - width) / 2, 1)
        parts.append(element("g", content, transform=f"translate({x:g} {y:g})"))
        y += height + GAP
    key, down = _key(run, across, y - GAP + 6)
    return svg.document("".join(parts) + key, (across, down), alt), across


def _panel(
    run: Recording, panel: Panel, slopes: bool, direction: str
) -> tuple[str, Point]:
    title, boxes, freed = panel
    sizes = {n: lines.size for n, lines in boxes.items()}
    notes = [_note(run, edge, slopes) for edge in run.edges]
    edges = [
        (edge.source, edge.target, (svg.width(note, SMALL) + 4, 18.0) if note else None)
        for edge, note in zip(run.edges, notes, strict=True)
    ]
    layout = place(sizes, edges, direction)
    top = 26.0 if title else 0.0
    parts = [
        _arrow(run, i, arrow, notes[i], freed) for i, arrow in enumerate(layout.arrows)
    ]
    parts += [_box(run.vertices[n], boxes[n], layout.centres[n]) for n in boxes]
    across = max(layout.width, svg.width(title, SIZE)) + 2 * MARGIN
    shift = round((across - layout.width) / 2, 1)
    moved = element("g", *parts, transform=f"translate({shift:g} {top + MARGIN:g})")
    heading = ""
    if title:
        heading = text(title, across / 2, 16.0, font_size=SIZE, font_weight="bold")
    return heading + moved, (across, layout.height + top + 2 * MARGIN)


def _note(run: Recording, edge: Edge, slopes: bool) -> str:
    if is_cut(run, edge):
        return "cut"
    if slopes and edge.derivative is not None:
        return number(edge.derivative)
    return ""


def _arrow(run: Recording, index: int, arrow: Arrow, note: str, freed: bool) -> str:
    """A curve with its head, and what stands on it."""
    edge = run.edges[index]
    cut = is_cut(run, edge)
    colour = svg.ORANGE if cut else svg.LINE
    start, *rest = arrow.curve
    path = f"M{start[0]:g} {start[1]:g}C" + " ".join(f"{x:g} {y:g}" for x, y in rest)
    (x, y), (tip_x, tip_y) = rest[-1], arrow.tip
    length = ((tip_x - x) ** 2 + (tip_y - y) ** 2) ** 0.5 or 1.0
    side_x, side_y = (tip_y - y) / length * 3.2, (x - tip_x) / length * 3.2
    head = (
        f"M{tip_x:g} {tip_y:g}L{x + side_x:.1f} {y + side_y:.1f}"
        f" {x - side_x:.1f} {y - side_y:.1f}Z"
    )
    dashes = "5 4" if cut else "1.5 4" if freed else None
    parts = [
        element(
            "path",
            d=path,
            fill="none",
            stroke=colour,
            stroke_width=1.6,
            stroke_dasharray=dashes,
        ),
        element("path", d=head, fill=colour),
    ]
    if note and arrow.label:
        x, y = arrow.label
        ink = svg.ORANGE if cut else svg.MUTED
        parts.append(text(note, x, y + 4.5, fill=ink, font_size=SMALL))
    return element("g", *parts, class_="edge", data_edge=index)


def _box(vertex: Vertex, lines: Lines, centre: Point) -> str:
    width, height = lines.size
    left, top = centre[0] - width / 2, centre[1] - height / 2
    parts = [_frame(vertex, left, top, size=lines.size)]
    y = top + PADDING + 11
    heading = svg.spans(lines.name, font_weight="bold")
    heading += svg.spans(lines.formula, fill=svg.MUTED)
    if heading:
        place = {"x": centre[0], "y": y, "text_anchor": "middle", "fill": svg.INK}
        parts.append(element("text", heading, **place, font_size=SIZE))
    parts.append(_table(lines.value, centre[0], y, svg.INK, "value"))
    if lines.gradient is not None:
        y += LINE_HEIGHT * len(lines.value) + 8
        rule = {"x1": left + 6, "x2": left + width - 6, "y1": y, "y2": y}
        parts.append(element("line", **rule, stroke=svg.LINE, stroke_width=0.8))
        table = _table(lines.gradient, centre[0], y, svg.ORANGE, "gradient")
        parts.append(table)
    return element("g", *parts, class_="vertex", data_vertex=vertex.number)


def _frame(
    vertex: Vertex,
    left: float,
    top: float,
    *,
    size: Point,
    corner: int = 9,
) -> str:
    return element(
        "rect",
        x=left,
        y=top,
        width=size[0],
        height=size[1],
        rx=corner if vertex.operation else 0,
        fill=svg.GROUND if vertex.operation else svg.TINT,
        stroke=svg.BLUE if vertex.requires_grad else svg.LINE,
        stroke_width=2.4 if vertex.requires_grad else 1.2,
    )


def _table(table: list[list[str]], centre: float, y: float, ink: str, kind: str) -> str:
    """Rows of text below y, in columns that end below one another."""
    widths = _columns(table)
    parts = []
    for row in table:
        y += LINE_HEIGHT
        if len(row) == 1:
            parts.append(text(row[0], centre, y, fill=ink, font_size=SMALL))
            continue
        right = centre - sum(widths) / 2 - 4
        for entry, one in zip(row, widths, strict=True):
            right += one
            place = {"fill": ink, "font_size": SMALL, "text_anchor": "end"}
            parts.append(text(entry, right, y, **place))
    return element("g", *parts, class_=kind)


def _kind(given: bool, wanted: bool) -> str:
    return f"{'leaf' if given else 'result'}{', requires grad' if wanted else ''}"


def _key(run: Recording, across: float, y: float) -> tuple[str, float]:
    """What borders mean, in as many lines as the width asks for; where it ends."""
    kinds = {
        (not v.operation, v.requires_grad): v
        for v in sorted(
            run.vertices, key=lambda v: (bool(v.operation), v.requires_grad)
        )
    }
    parts, x = [], float(MARGIN)
    for (given, wanted), vertex in kinds.items():
        words = _kind(given, wanted)
        room = KEY_SIGN + svg.width(words, 12)
        if x > MARGIN and x + room > across:
            x, y = float(MARGIN), y + 18
        parts.append(_frame(vertex, x, y + 1, size=(18.0, 12.0), corner=4))
        place = {"text_anchor": "start", "fill": svg.MUTED, "font_size": 12}
        parts.append(text(words, x + 24, y + 11, **place))
        x += room + 8
    return element("g", *parts, class_="key"), y + 20
