"""Code that a page runs and does not show: the cells that draw its figures.

``hidden_code(page, snippets)`` reads the cells of a built page, ``id="cell-…"``, and
gives for those without code on the page the code of the snippet module of its name::

    {"cell-figure-sum": "from snippets import figures\\n…"}

Only what is on the page is given: a book without answers keeps theirs to itself.
"""

from __future__ import annotations

import re
from pathlib import Path

from snippet_cells import SnippetError, parse_cells

# MyST-NB writes the classes first; a cell without code says so.
HIDDEN = re.compile(r'<div class="cell[^"]* tag_remove-input[^"]*" id="cell-([\w-]+)"')


def hidden_code(page: Path, snippets: Path) -> dict[str, str]:
    """The code of the hidden cells of a built page, by the id of their element.

    Raises:
        SnippetError: the snippet module does not fit the page; the page says more.
    """
    names = HIDDEN.findall(page.read_text(encoding="utf-8"))
    if not names:
        return {}
    module = snippets / f"{page.stem.replace('-', '_')}.py"
    if not module.is_file():
        raise SnippetError(f"no module {module.name} for {page.name}; build the book")
    cells = parse_cells(module.read_text(encoding="utf-8"), module.name)
    missing = [name for name in names if name not in cells]
    if missing:
        raise SnippetError(
            f"{module.name} has no cell {missing[0]!r}, which {page.name} shows; "
            "build the book again"
        )
    return {f"cell-{name}": cells[name].source for name in names}
