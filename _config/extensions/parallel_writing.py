"""Write the pages of a build side by side, once they are read and resolved.

Sphinx's own switch, ``-j``, would also read them so, and then each process would wait
for what others have run and found.

Setting: ``write_processes``, how many pages are written at a time; 1 where processes
cannot be forked.
"""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata


def allow(app: Sphinx, env: BuildEnvironment) -> None:
    """Let Sphinx fork; all pages have been read."""
    if app.config.write_processes > 1:
        app.parallel = app.config.write_processes + 1  # it counts this process, too


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the event between reading and writing."""
    app.add_config_value("write_processes", 1, "", types=(int,))
    app.connect("env-check-consistency", allow)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
