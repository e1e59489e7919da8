"""The fonts that Typst does not bring: that of the page's formulas, that of figures."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont

from mathml.font import SOURCE

# Figures name it; matplotlib ships it.
FIGURES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf")


def put(folder: Path) -> None:
    """Put them into a folder, as files that Typst reads."""
    folder.mkdir(parents=True, exist_ok=True)
    with TTFont(SOURCE, recalcTimestamp=False) as font:
        font.flavor = None  # the package has it compressed for the web
        font.save(folder / "stix-two-math.otf")
    matplotlib = find_spec("matplotlib")
    assert matplotlib is not None
    assert matplotlib.origin is not None
    shipped = Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf"
    for name in FIGURES:
        shutil.copyfile(shipped / name, folder / name)
