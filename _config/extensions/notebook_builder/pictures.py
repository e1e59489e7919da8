"""SVG as PNG, by Typst: for viewers that do not show SVG in a notebook's output."""

from __future__ import annotations

import base64
from pathlib import Path

import typst
from typst_builder import fonts

PAGE = """
#set page(width: auto, height: auto, margin: 0pt, fill: white)
#image("figure.svg")
"""


class Pictures:
    """Draws pictures in a folder of its own, with the fonts of the PDF."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        fonts.put(folder / "fonts")
        (folder / "page.typ").write_text(PAGE, encoding="utf-8")
        self.fonts = typst.Fonts(
            include_system_fonts=False, font_paths=[str(folder / "fonts")]
        )

    def png(self, svg: str, per_inch: float = 144) -> str:
        """A picture as PNG in base64, as outputs of a notebook hold it."""
        (self.folder / "figure.svg").write_text(svg, encoding="utf-8")
        picture = typst.compile(
            str(self.folder / "page.typ"),
            root=str(self.folder),
            font_paths=self.fonts,
            format="png",
            ppi=per_inch,
        )
        assert isinstance(picture, bytes)
        return base64.b64encode(picture).decode("ascii")
