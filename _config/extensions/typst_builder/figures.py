"""Images and figures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes

from typst_builder.base import Translator
from typst_builder.escape import string

# What a figure may stand in and yet go to the top or the foot of a page.
FLOW = (nodes.document, nodes.section, nodes.container)
LENGTH = re.compile(r"([\d.]+)\s*(px|pt|em|cm|mm|in|%)?")


class FigureVisitor(Translator):
    """Visitors of images."""

    def visit_image(self, node: nodes.image) -> None:
        """Write an image; `alternative_texts` asks for its text."""
        name = self.builder.images.get(node["uri"])
        if name is None:
            raise nodes.SkipNode  # Sphinx has warned that it is not there
        alt = " ".join(node.get("alt", "").split()) or "An image."
        width = _length(node.get("width", ""))
        path = string(f"images/{name}")
        code = f"#picture({path},{string(alt)},{width})"
        inline = isinstance(node.parent, nodes.TextElement)
        if inline:
            self.write(f"{code};")
        else:
            self.block(node, self.anchor(*node["ids"]) + code)
        raise nodes.SkipNode

    def visit_figure(self, node: nodes.figure) -> None:
        """Write a figure with its number and caption."""
        caption = node.next_node(nodes.caption)
        body = "".join(
            self.within(nodes.container("", child))
            for child in list(node)
            if not isinstance(child, nodes.caption)
        )
        options = ""
        if caption is not None:
            number = self.builder.float_number(self.docname, node, "figure")
            options = f"{string(number)},[{self.within(caption)}],"
            # Within a list or an answer a figure stands where it is written.
            if all(isinstance(above, FLOW) for above in _ancestors(node)):
                options += "float:true,"
        code = f"#numbered-figure({options}[{body.strip()}])"
        self.block(node, self.anchor(*node["ids"]) + code)
        raise nodes.SkipNode

    def visit_legend(self, node: nodes.legend) -> None:
        """Write what stands below the caption."""
        self.write(self.within(node))
        raise nodes.SkipNode


def _ancestors(node: nodes.Element) -> Iterator[nodes.Element]:
    while isinstance(node.parent, nodes.Element):
        node = node.parent
        yield node


def _length(text: str) -> str:
    """A width as Typst reads it; 96 pixels are an inch."""
    match = LENGTH.fullmatch(text.strip())
    if not match:
        return "auto"
    number, unit = float(match[1]), match[2] or "px"
    return f"{number * 0.75:.4g}pt" if unit == "px" else f"{number:g}{unit}"
