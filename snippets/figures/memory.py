"""Draw tensors that share one memory: the row of numbers, and how each reads it."""

from __future__ import annotations

from torch import Tensor

from snippets.figures import svg
from snippets.figures.figure import Figure
from snippets.figures.svg import element, text

BOX, GAP, COLUMN = 32.0, 18.0, 158.0
TONES = ("#d3e6f4", "#f8dcc4", "#d3ece4", "#f1dce8")


def draw_memory(**tensors: Tensor) -> Figure:
    """The memory of matrices of whole numbers, which they must share.

    A name may hold what Python's may not: ``draw_memory(**{"grid.T": grid.T})``. The
    colours follow the rows of the first. Each number in a box is its position.

    Raises:
        ValueError: if the tensors have different memories, or are no matrices.
    """
    first = next(iter(tensors.values()))
    starts = {tensor.untyped_storage().data_ptr() for tensor in tensors.values()}
    if len(starts) != 1 or any(tensor.ndim != 2 for tensor in tensors.values()):
        raise ValueError("these are no matrices with one memory")
    size = first.untyped_storage().nbytes() // first.element_size()
    tones = {p: row for row, line in enumerate(positions(first)) for p in line}
    parts = [text("memory", 0, 21, text_anchor="start")]
    parts += [_box(62 + BOX * p, 0, p, tones.get(p, 0)) for p in range(size)]
    x, y, lowest = 0.0, BOX + GAP, 0.0
    for name, tensor in tensors.items():
        if x + COLUMN > 2 * COLUMN + 1:
            x, y, lowest = 0.0, lowest + GAP, 0.0
        strides = ", ".join(map(str, tensor.stride()))
        parts.append(
            text(name, x, y + 12, text_anchor="start", font_weight="bold", font_size=14)
        )
        parts.append(
            text(f"strides ({strides})", x, y + 30, text_anchor="start", fill=svg.MUTED)
        )
        for i, line in enumerate(positions(tensor)):
            for j, p in enumerate(line):
                parts.append(_box(x + BOX * j, y + 38 + BOX * i, p, tones.get(p, 0)))
        lowest = max(lowest, y + 38 + BOX * len(tensor))
        x += COLUMN
    inside = element("g", *parts, transform="translate(4 4)")
    width = max(62 + BOX * size, 2 * COLUMN) + 8
    alt = _alternative_text(size, tensors)
    drawn = svg.document(inside, (width, lowest + 8), alt, class_="plain")
    return Figure(drawn, alt)


def positions(matrix: Tensor) -> list[list[int]]:
    """Where in memory the entries of a matrix lie."""
    down, across = matrix.stride()
    return [
        [
            matrix.storage_offset() + i * down + j * across
            for j in range(matrix.shape[1])
        ]
        for i in range(matrix.shape[0])
    ]


def _box(x: float, y: float, position: int, tone: int) -> str:
    box = element(
        "rect",
        x=x,
        y=y,
        width=BOX,
        height=BOX,
        fill=TONES[tone % len(TONES)],
        stroke=svg.LINE,
    )
    return box + text(str(position), x + BOX / 2, y + 21)


def _alternative_text(size: int, tensors: dict[str, Tensor]) -> str:
    parts = [f"The numbers 0 to {size - 1} lie in memory in one row."]
    for name, tensor in tensors.items():
        lines = ["; ".join(" ".join(map(str, line)) for line in positions(tensor))]
        strides = ", ".join(map(str, tensor.stride()))
        parts.append(
            f"{name}, of shape {tuple(tensor.shape)} with strides ({strides}), "
            f"reads them as [{lines[0]}]."
        )
    return " ".join(parts)
