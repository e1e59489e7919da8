"""Code cells with their outputs: those of the text, of figures, and of exercises.

What a page runs outside its answers is a cell here too, with the output of the book.
An answer is folded, and a notebook cannot fold cells; so its code and what it gives are
blocks of its text. Nothing is lost by that: no cell outside depends on an answer, and
"run all" does not overwrite what a reader has written with the book's solution.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from notebook_builder.base import Translator
from notebook_builder.markdown import fence, indent

# What a notebook shows of an output. The HTML of a figure needs the page's scripts.
KINDS = ("image/svg+xml", "image/png", "text/plain")
COUNT = re.compile(r"(?<=Cell In\[)\d+(?=\])")
WIDTH = re.compile(r"<svg[^>]*? width=\"([\d.]+)(?:px)?\"")
CELL = re.compile(r"Cell In\[\d+\]")


class CellVisitor(Translator):
    """Visitors of what a page runs."""

    def visit_container(self, node: nodes.container) -> None:
        """Write a code cell; of other containers, what is inside."""
        if node.get("nb_element") != "cell_code":
            return
        cell = self.source.cells[node["cell_index"]]
        if self.at_top:
            self._add_cell(node, cell)
        else:
            self._show(node, cell)
        raise nodes.SkipNode

    def depart_container(self, node: nodes.container) -> None:
        """End a container."""

    def _add_cell(self, node: nodes.container, cell: NotebookNode) -> None:
        self.new_cell()
        _, _, name = cell.metadata["where"].partition("#")
        new = new_code_cell(cell.source, id=f"cell-{name}")
        new.outputs = [self._output(output) for output in cell.outputs]
        new.metadata = NotebookNode(metadata(cell))
        # The number that the cell has in the book, see `renumber`.
        position = cell.metadata.get("number") or self._position(node["cell_index"])
        new.metadata["book"] = position
        self.cells.append(new)
        if caption := self._caption(node):
            self.block(caption)
            self.new_cell()

    def _position(self, index: int) -> int:
        earlier = self.source.cells[: index + 1]
        return sum(cell.cell_type == "code" for cell in earlier)

    def _output(self, output: NotebookNode) -> NotebookNode:
        if "data" not in output:
            return NotebookNode(output)
        data = {kind: output.data[kind] for kind in KINDS if kind in output.data}
        if svg := data.get("image/svg+xml"):
            # JupyterLab shows SVG only after a reader has trusted the notebook.
            data["image/png"] = self.builder.pictures.png(svg)
        shown: NotebookNode = new_output("execute_result", data=data)
        if svg and (width := WIDTH.search(svg)):
            # The PNG has more pixels than it is wide, for sharp screens.
            shown.metadata["image/png"] = {"width": round(float(width[1]))}
        return shown

    def _caption(self, node: nodes.container) -> str:
        for figure in node.findall(nodes.figure):
            number = self.builder.float_number(self.docname, figure, "figure")
            caption = figure.next_node(nodes.caption)
            text = self.within(caption) if caption is not None else ""
            return f"**{number}.** {text}".strip()
        return ""

    def _show(self, node: nodes.container, cell: NotebookNode) -> None:
        """Write a cell of an answer as code, and below it what it gives."""
        if "remove-input" not in cell.metadata.get("tags", ()):
            self.block(fence(cell.source, "python"))
        for output in cell.outputs:
            self.block(indent(fence(text_of(output)), "> ", "> "))
        self.block(self._caption(node))

    def add_stub(self, label: str) -> None:
        """Append the cell to be filled in, if the exercise has one."""
        if stub := self.builder.stubs.get(label):
            new = new_code_cell(stub.cell, id=f"exercise-{label.removeprefix('ex-')}")
            new.outputs = [new_output("stream", name="stdout", text=stub.output)]
            new.metadata["tags"] = ["exercise"]
            self.cells.append(new)


def metadata(cell: NotebookNode) -> dict[str, Any]:
    """What a notebook needs to know of a cell, in Jupyter's own terms."""
    found: dict[str, Any] = {}
    tags = cell.metadata.get("tags", [])
    if "raises-exception" in tags:
        found["tags"] = ["raises-exception"]  # "run all" goes on after it
    if "remove-input" in tags:
        found["tags"] = ["hide-input"]
        found["jupyter"] = {"source_hidden": True}
    return found


def text_of(output: NotebookNode) -> str:
    """An output as text."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        # The number of a cell that this notebook does not have.
        return CELL.sub("Cell", "\n".join(output.traceback))
    return str(output.data.get("text/plain", ""))


def renumber(cells: list[NotebookNode]) -> None:
    """Number the code cells as a run of the notebook does, in their tracebacks too."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    numbers = {}
    for number, cell in enumerate(code, 1):
        cell.execution_count = number
        if (position := cell.metadata.pop("book", None)) is not None:
            numbers[str(position)] = str(number)
    for cell in code:
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
            elif output.output_type == "error":
                output.traceback = [
                    COUNT.sub(lambda match: numbers.get(match[0], match[0]), line)
                    for line in output.traceback
                ]
