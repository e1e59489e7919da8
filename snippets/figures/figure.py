"""A figure as the output of a cell.

Jupyter asks the last value of a cell for ``_repr_mimebundle_``. A page takes the HTML,
a printed book and a notebook the SVG, and a reader who sees neither the text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from snippets.figures.svg import element


@dataclass(frozen=True)
class Figure:
    """``svg`` stands alone; ``views`` are what a page shows, wide and narrow.

    ``enhanced_by`` names the custom element that adds the buttons and sliders, and
    ``data`` is what its script reads. Without the script the views are all there is.
    """

    svg: str
    alt: str
    views: Sequence[str] = ()
    enhanced_by: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """The figure in a page: pictures first, then data that nothing executes."""
        views = element("div", *(self.views or (self.svg,)), class_="views")
        if not self.enhanced_by:
            return element("div", views, class_="drawn")
        # "<" could end the element early.
        data = json.dumps(
            self.data, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        data = data.replace("<", "\\u003c")
        script = element("script", data, type="application/json")
        return element(self.enhanced_by, views, script, class_="drawn")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {
            "text/html": self.html(),
            "image/svg+xml": self.svg,
            "text/plain": self.alt,
        }
