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
from dataclasses import dataclass, field

from docutils import nodes
from docutils.parsers.rst import directives
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import ExtensionMetadata

import executed_chapters
from folded import folded_code
from incremental import has_changed
from snippet_cells import did_you_mean

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """What a drawn cell gave: the error it ended in, or "", and what it printed."""

    docname: str
    line: int
    source: str
    error: str
    printed: tuple[str, ...]
    section: str = ""

    def message(self, part: str) -> str:
        """The error, or the first printed line with ``part`` if that is not empty."""
        if not part:
            return self.error
        return next((line for line in self.printed if part in line), "")


@dataclass(frozen=True)
class Entry:
    """An entry of the appendix, in ``line`` of a page."""

    docname: str
    line: int
    cells: tuple[str, ...]
    printed: str


@dataclass
class Messages:
    """What the pages hold, by page: the runs of cells by reference, and entries."""

    runs: dict[str, dict[str, Run]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)

    def all_runs(self) -> dict[str, Run]:
        """The runs of all pages."""
        return {name: run for runs in self.runs.values() for name, run in runs.items()}

    def all_entries(self) -> list[Entry]:
        """The entries of all pages."""
        return [entry for entries in self.entries.values() for entry in entries]


def run_of(docname: str, cell: NotebookNode, section: str) -> Run:
    """What a cell of an executed notebook gave."""
    error, printed = "", ""
    for output in cell.outputs:
        if output.output_type == "error":
            error = f"{output.ename}: {output.evalue}"
        elif output.output_type == "stream":
            printed += output.text
    line = cell.metadata["line"]
    return Run(docname, line, cell.source, error, tuple(printed.splitlines()), section)


def mistakes(messages: Messages) -> Iterator[tuple[str, int, str]]:
    """Page, line and text of each mistake, in all pages."""
    runs, entries = messages.all_runs(), messages.all_entries()
    explained: set[str] = set()
    for entry in entries:
        for name in entry.cells:
            problem = ""
            if name not in runs:
                problem = f"no page draws the cell {name!r}{did_you_mean(name, runs)}"
            elif not entry.printed and name in explained:
                problem = f"second entry for the error of {name!r}; keep one"
            elif not entry.printed and not runs[name].error:
                broken = [other for other, run in runs.items() if run.error]
                problem = (
                    f"the cell {name!r} does not end in an error"
                    f"{did_you_mean(name, broken)}; for a message that it prints add "
                    "':printed:' with a part of the line"
                )
            elif not runs[name].message(entry.printed):
                problem = (
                    f"the cell {name!r} prints no line with {entry.printed!r}; "
                    "correct ':printed:'"
                )
            if problem:
                yield entry.docname, entry.line, problem
            if not entry.printed:
                explained.add(name)
    for name, run in runs.items():
        if run.error and name not in explained:
            appendix = entries[0].docname
            message = (
                f"the error of the cell {name!r} is not explained; write "
                f"'{{error-message}} {name}' with an explanation in {appendix}.md"
            )
            yield run.docname, run.line, message


def messages_of(env: BuildEnvironment) -> Messages:
    """The one object that is kept with the environment."""
    if not hasattr(env, "book_messages"):
        env.book_messages = Messages()  # type: ignore[attr-defined]
    messages: Messages = env.book_messages  # type: ignore[attr-defined]
    return messages


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
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    boxes = [
        box
        for box in document.findall(nodes.container)
        if box.get("nb_element") == "cell_code"
    ]
    runs = {}
    for cell, box in zip(code, boxes, strict=True):
        if "#" in (reference := cell.metadata["where"]):
            runs[reference] = run_of(docname, cell, _section(box))
            box["ids"].append(cell_id(reference))
    messages_of(app.env).runs[docname] = runs


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
    runs = sorted((name, run) for name, run in messages.all_runs().items())
    titles = {page: title.astext() for page, title in env.titles.items()}
    state = [(name, run, titles[run.docname]) for name, run in runs if name in shown]
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


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what a page held, before it is read again."""
    messages_of(env).runs.pop(docname, None)
    messages_of(env).entries.pop(docname, None)


def merge_pages(
    app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
) -> None:
    """Take what another process has read."""
    mine, theirs = messages_of(env), messages_of(other)
    for docname in docnames:
        mine.runs[docname] = theirs.runs[docname]
        if docname in theirs.entries:
            mine.entries[docname] = theirs.entries[docname]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive, the collection and the check."""
    app.setup_extension("executed_chapters")
    app.setup_extension("folded")
    app.add_node(error_entry)
    app.add_directive("error-message", ExplainMessage)
    app.add_post_transform(CompleteEntries)
    app.connect("doctree-read", find_runs)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("env-updated", check_messages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
