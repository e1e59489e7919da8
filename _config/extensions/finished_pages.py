"""What the finished pages of a site hold, each page looked at once while it stays.

``gathered(site, find)`` is the union of ``find(text)`` over all pages. A page that has
not been written since the last time is not read again, so that after an edit a long
book costs no more than a short one.

>>> gathered(Path("build/html"), lambda page: {"√"} if "<msqrt" in page else set())
{'√'}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

Find = Callable[[str], Iterable[str]]


def gathered(site: Path, find: Find) -> set[str]:
    """All that ``find``, a function with a name, finds on the pages of a site."""
    found: set[str] = set()
    for page in site.rglob("*.html"):
        state = page.stat()
        found |= _found(find, page, state.st_mtime_ns, state.st_size)
    return found


@lru_cache(maxsize=10_000)  # in a long session pages come and go
def _found(find: Find, page: Path, written: int, size: int) -> frozenset[str]:
    return frozenset(find(page.read_text(encoding="utf-8")))
