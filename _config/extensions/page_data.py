"""What an extension keeps of the pages, with Sphinx's environment, between builds.

``kept`` gives the one object of a name, at first an empty one ::

    def beliefs_of(env: BuildEnvironment) -> Beliefs:
        return kept(env, "book_beliefs", Beliefs)

Whatever such an object holds by the name of a page is true only until the page is read
again, and may have been read by another process. So ``setup`` has ::

    keep_by_page(app, lambda env: [beliefs_of(env).beliefs, beliefs_of(env).lists])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

Kept = TypeVar("Kept")
Tables = Callable[[BuildEnvironment], Iterable[dict[str, Any]]]


def kept(env: BuildEnvironment, name: str, empty: Callable[[], Kept]) -> Kept:
    """The object that is kept with the environment under ``name``."""
    if not hasattr(env, name):
        setattr(env, name, empty())
    found: Kept = getattr(env, name)
    return found


def keep_by_page(app: Sphinx, tables: Tables) -> None:
    """Keep tables, whose keys are names of pages, in step with the pages."""

    def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        """Drop what a page held, before it is read again."""
        for table in tables(env):
            table.pop(docname, None)

    def merge(
        app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
    ) -> None:
        """Take what another process has read."""
        for mine, theirs in zip(tables(env), tables(other), strict=True):
            mine.update({name: theirs[name] for name in docnames & theirs.keys()})

    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
