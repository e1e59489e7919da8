"""The live book: its pages, and kernels to run them, from one origin.

A server extension of Jupyter. ``python _config/live`` starts it alone, on this machine;
in another Jupyter server it is one extension more::

    PYTHONPATH=_config jupyter server --ServerApp.jpserver_extensions='{"live": True}'

| module | concern |
| --- | --- |
| ``app`` | the extension: its settings, what it starts and ends |
| ``gate`` | what the server answers when it serves the book alone |
| ``entrance`` | a key that works once, in exchange for a session cookie |
| ``requests`` | what every request must fulfil, what every answer says |
| ``pages`` | the files of the book, with the client in its pages |
| ``hidden_code`` | code that runs on a page and is not shown there |
| ``kernel_pool`` | kernels that have torch loaded before anyone asks |
| ``kernel_requests`` | start, interrupt, replace and end a kernel; its messages |
| ``bundle`` | the scripts of ``client``, made into two files |
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The book's own modules that know nothing of Sphinx: cells of snippets, npm packages.
sys.path.append(str(ROOT / "_config" / "extensions"))


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Where Jupyter finds the extension."""
    from live.app import LiveBook  # noqa: PLC0415 (only a server needs it)

    return [{"module": "live.app", "app": LiveBook}]
