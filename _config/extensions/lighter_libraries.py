"""What libraries do in each build that this book has no use for, left out.

- MyST-NB imports its own ways to run cells and, for one of them, all of SQLAlchemy.
  Here ``execution`` runs them.
- pybtex looks through all installed packages for each citation's style. Here it looks
  once.
- The search takes each word of the book to its stem, and the same word again and again.

It stands before all extensions that import MyST-NB.
"""

from __future__ import annotations

import sys
from functools import cache
from types import ModuleType

import pybtex.plugin  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.util.typing import ExtensionMetadata

# The modules of MyST-NB that run cells, and what it imports from each.
RUNNERS = {
    "myst_nb.core.execute.cache": "NotebookClientCache",
    "myst_nb.core.execute.direct": "NotebookClientDirect",
    "myst_nb.core.execute.inline": "NotebookClientInline",
}


def leave_out_runners() -> None:
    """Put a class that can do nothing in the place of each runner."""
    for name, client in RUNNERS.items():
        if name not in sys.modules:
            sys.modules[name] = module = ModuleType(name, "Not used in this book.")
            setattr(module, client, type(client, (), {}))


def remember_plugins() -> None:
    """Let pybtex look for each of its plugins once."""
    find = pybtex.plugin._load_entry_point
    if not hasattr(find, "cache_info"):
        pybtex.plugin._load_entry_point = cache(find)


def remember_stems() -> None:
    """Let the search find the stem of each word once."""
    if not hasattr(SearchEnglish.stem, "cache_info"):
        SearchEnglish.stem = cache(SearchEnglish.stem)  # type: ignore[method-assign]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Change the libraries, once in a process."""
    leave_out_runners()
    remember_plugins()
    remember_stems()
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
