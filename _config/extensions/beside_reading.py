"""Work that goes on while Sphinx reads pages, for which one core is enough.

::

    future = begin(app, lambda: run_probes(probes, library, settings))  # before reading
    found = future.result()                                             # after it
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from sphinx.application import Sphinx

T = TypeVar("T")


def begin(app: Sphinx, work: Callable[[], T]) -> Future[T]:
    """Begin the work in a thread; ``result()`` waits for it, and raises what it did."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    if app.parallel > 1:
        wait([future])  # Sphinx is about to fork, and a fork has no threads
    return future
