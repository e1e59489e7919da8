"""The appendix of error messages: each as a cell of the book really shows it.

In the appendix ::

    ```{error-message} tensors#ragged
    The inner lists are not equally long. …
    ```

shows class and message of the error in which that cell ended in this build, what is
written below it, links to the place of the cell, and its code, folded. Several cells
may stand in one entry; equal messages are shown once. A message that a cell prints, a
warning it has caught for instance, is named by a part of its line ::

    ```{error-message} computation_graphs#grad-of-non-leaf
    :printed: The .grad attribute
    ```

Once all pages are read, an entry without such a message, a cell in two entries, and a
cell that ends in an error and is in no entry are located warnings. A book without any
entry, such as one chapter built alone, has no appendix to be complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import ExtensionMetadata

import executed_chapters
from cell_messages import Entry, Messages, Run, mistakes, run_of
from folded import folded_code
from incremental import has_changed
from page_data import keep_by_page, kept

logger = logging.getLogger(__name__)


def messages_of(env: BuildEnvironment) -> Messages:
    """The one object that is kept with the environment."""
    return kept(env, "book_messages", Messages)


class error_entry(nodes.container):
    """An ``entry`` with its explanation, to be completed when all pages are read."""


class ExplainMessage(SphinxDirective):
    """``{error-message} module#cell …``: what an error means and what to do."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {"printed": directives.unchanged_required}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Keep the explanation, and a place for the rest."""
        entry = Entry(
            self.env.docname,
            self.lineno,
            tuple(self.arguments[0].split()),
            self.options.get("printed", ""),
        )
        entries = messages_of(self.env).entries
        entries.setdefault(self.env.docname, []).append(entry)
        if not self.content:
            message = (
                f"no explanation of the message of {self.arguments[0]}; write what it "
                "means and what to do"
            )
            _warn(entry.docname, entry.line, message)
        explanation = self.parse_content_to_nodes()
        return [error_entry("", *explanation, entry=entry, classes=["error-message"])]


def cell_id(reference: str) -> str:
    """The fragment that leads to a cell, such as ``cell-ragged``."""
    return f"cell-{reference.rpartition('#')[2]}"


def find_runs(app: Sphinx, document: nodes.document) -> None:
    """Note what the cells of a page gave; give each of them a fragment."""
    docname = app.env.docname
    notebook = executed_chapters.pages.notebooks[docname]
    cells = {cell.metadata.get("where"): cell for cell in notebook.cells}
    failed = docname in executed_chapters.pages.failed
    runs = {}
    for box in document.findall(nodes.container):
        # A cell whose code was not found is not on the page.
        reference = str((box.get("cell_metadata") or {"where": ""})["where"])
        if box.get("nb_element") == "cell_code" and "#" in reference:
            if not failed:
                runs[reference] = run_of(docname, cells[reference], _section(box))
            box["ids"].append(cell_id(reference))
    messages = messages_of(app.env)
    messages.runs[docname] = runs
    if failed:
        # Also the module of a chapter of which not one cell was found.
        modules = {str(name).partition("#")[0] for name in cells}
        messages.failed[docname] = {*modules, docname.replace("-", "_")}


def _section(node: nodes.Node) -> str:
    """The title of the nearest section with a title around a node."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, nodes.section) and isinstance(parent[0], nodes.title):
            return parent[0].astext()
        parent = parent.parent
    return ""


def check_messages(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Report the mistakes; have the appendix written again if something changed."""
    messages = messages_of(env)
    if not messages.all_entries():
        return []
    for docname, line, message in mistakes(messages):
        _warn(docname, line, message)
    shown = {name for entry in messages.all_entries() for name in entry.cells}
    # A new title of a chapter has all pages written again (``incremental``).
    runs = sorted(messages.all_runs().items())
    state = [(name, run) for name, run in runs if name in shown]
    changed = has_changed(env, "error-messages", state)
    return [page for page, found in messages.entries.items() if found and changed]


def _warn(docname: str, line: int, message: str) -> None:
    logger.warning(
        message, location=(docname, line), type="error-messages", subtype="entry"
    )


class CompleteEntries(SphinxPostTransform):
    """Put the messages above each explanation, places and code below it."""

    default_priority = 5

    def run(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        runs = messages_of(self.env).all_runs()
        for box in list(self.document.findall(error_entry)):
            entry: Entry = box["entry"]
            del box["entry"]
            cells = {name: runs[name] for name in entry.cells if name in runs}
            shown = {run.message(entry.printed): None for run in cells.values()}
            blocks = [
                nodes.literal_block(text, text, language="none", classes=["message"])
                for text in shown
            ]
            box[:0] = blocks
            places = self._places(cells.values())
            met_in = nodes.paragraph(
                "",
                "Met in ",
                *self._links(cells, places),
                nodes.Text("."),
                classes=["met-in"],
            )
            box.append(met_in)
            for run, place in zip(cells.values(), places, strict=True):
                title = "The code" if len(cells) == 1 else f"The code in {place}"
                box.append(folded_code(title, run.source))

    def _places(self, runs: Iterable[Run]) -> list[str]:
        """Chapter and section of each run, and a number where they are the same."""
        places: list[str] = []
        for run in runs:
            chapter = self.env.titles[run.docname].astext()
            place = f"{chapter}: {run.section}" if run.section != chapter else chapter
            before = sum(other.startswith(place) for other in places)
            places.append(f"{place} ({before + 1})" if before else place)
        return places

    def _links(self, cells: dict[str, Run], places: list[str]) -> Iterator[nodes.Node]:
        for number, ((name, run), place) in enumerate(
            zip(cells.items(), places, strict=True)
        ):
            if number:
                yield nodes.Text("; ")
            yield make_refnode(
                self.app.builder,
                self.env.docname,
                run.docname,
                cell_id(name),
                [nodes.inline("", place)],
            )


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive, the collection and the check."""
    app.setup_extension("executed_chapters")
    app.setup_extension("folded")
    app.add_node(error_entry)
    app.add_directive("error-message", ExplainMessage)
    app.add_post_transform(CompleteEntries)
    app.connect("doctree-read", find_runs)
    keep_by_page(app, lambda env: vars(messages_of(env)).values())
    app.connect("env-updated", check_messages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
