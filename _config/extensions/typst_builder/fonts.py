"""The fonts of the PDF: those in Typst's own wheel, and that of the page's formulas."""

from __future__ import annotations

from pathlib import Path

from fontTools.ttLib import TTFont

from mathml.font import SOURCE


def put(folder: Path) -> None:
    """Put the fonts that Typst does not bring into a folder, as it reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    with TTFont(SOURCE, recalcTimestamp=False) as font:
        font.flavor = None
        font.save(folder / "stix-two-math.otf")
