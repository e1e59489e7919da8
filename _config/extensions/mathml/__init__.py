r"""Formulas as MathML: made when the book is built, drawn without a script.

``$x \in \R$`` in a chapter becomes ``<math>…</math>`` on its page. The steps, each with
a module of its own:

- ``install``: Temml and the font from npm, as the lock file pins them
- ``convert``: TeX to MathML, by Temml; ``tidy``: what is missing in its MathML;
  ``kept``: what was converted in the last build
- ``width``: whether a phone can show the formula
- ``render``: on a Sphinx page, with number and anchor; errors with file and line
- ``font``: STIX Two Math, cut down to the characters of the finished pages

The macros are those of ``macros.toml`` beside ``conf.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the math renderer ``mathml``."""
    # Not above, because `python -m mathml.install` comes through here.
    from mathml import render  # noqa: PLC0415

    return render.setup(app)
