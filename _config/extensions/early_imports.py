"""Let the kernels' imports begin before Sphinx loads anything else.

They take two seconds of one core. Stands first among the extensions, and does nothing
if chapters have been run already: then there may be none to run.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from ready_kernels.forking import warm_up, why_not


def setup(app: Sphinx) -> ExtensionMetadata:
    """Begin, if no outcome of cells is kept."""
    app.add_config_value("snippet_cache", "cells", "", types=(str,))
    if not why_not() and not any(Path(app.config.snippet_cache).glob("*.json")):
        warm_up()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
