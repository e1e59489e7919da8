"""Writes each page as a notebook, with what its cells need beside them.

A link to another page leads to the heading of a notebook above the place that is meant:
a heading is the one target that JupyterLab keeps.
"""

from __future__ import annotations

from collections.abc import Set
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from sphinx import addnodes
from sphinx.errors import SphinxError
from sphinx_exercise.nodes import is_exercise_node

from book_builder.builder import BookBuilder
from book_builder.translator import own_title
from executed_chapters import pages
from notebook_builder import package
from notebook_builder.cells import renumber
from notebook_builder.markdown import heading_fragment
from notebook_builder.pictures import Pictures
from notebook_builder.stubs import Stub, read_stubs
from notebook_builder.tex import plain
from notebook_builder.translator import NotebookTranslator

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class NotebookError(SphinxError):
    """No notebooks could be made, for a reason that no chapter is to blame for."""

    category = "notebooks"


class NotebookBuilder(BookBuilder):
    """Writes a folder of notebooks for the whole book."""

    name = "notebooks"
    format = "notebook"
    medium = "a notebook"
    package = "notebook_builder"
    default_translator_class = NotebookTranslator

    def init(self) -> None:
        """Ask for the stubs before the chapters are read."""
        super().init()
        self.sources: dict[str, NotebookNode] = {}
        self.headings: dict[str, dict[str, str]] = {}
        self.used_images: set[str] = set()
        self.stubs: dict[str, Stub] = {}
        try:
            self.stubs = read_stubs(Path(self.config.snippet_root))
        except RuntimeError as error:
            raise NotebookError(str(error)) from None

    def keep_sources(self) -> None:
        """Keep the notebooks that the pages were read from; they hold the outputs."""
        self.sources |= pages.notebooks

    def write_documents(self, docnames: Set[str]) -> None:
        """Write all notebooks, since a link needs the headings of the others."""
        documents = {}
        for docname in sorted(self.env.all_docs):
            document = self.resolved(docname)
            self.headings[docname] = self._headings(docname, document)
            documents[docname] = document
        folder = Path(self.outdir)
        folder.mkdir(parents=True, exist_ok=True)
        code = []
        for docname, document in documents.items():
            notebook = self._notebook(docname, document)
            code += [it.source for it in notebook.cells if it.cell_type == "code"]
            nbformat.validate(notebook)
            text = nbformat.writes(notebook)
            (folder / f"{docname}.ipynb").write_text(f"{text}\n", encoding="utf-8")
        self._surround(folder, code)

    def _notebook(self, docname: str, document: nodes.document) -> NotebookNode:
        source = self.sources[docname]
        visitor = self.translate(NotebookTranslator(document, self, docname, source))
        renumber(visitor.cells)
        for number, cell in enumerate(visitor.cells, 1):
            if cell.cell_type == "markdown":
                cell.id = f"text-{number}"
        metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
        notebook: NotebookNode = new_notebook(cells=visitor.cells, metadata=metadata)
        return notebook

    def _headings(self, docname: str, document: nodes.document) -> dict[str, str]:
        """For each fragment of a page, the heading at or above it, as a fragment."""
        found: dict[str, str] = {"": ""}
        heading = ""
        for node in document.findall(nodes.Element):
            title = own_title(node)
            if isinstance(node, nodes.section) and title is not None:
                number = self.section_number(docname, node)
                heading = f"{number} {self._as_seen(title)}".strip()
            elif is_exercise_node(node):
                heading = self.exercise_heading(docname, node, self._as_seen(title))
                found[node["label"]] = heading
            for name in list[str](node.get("ids", ())):
                found.setdefault(name, heading)
            if isinstance(node, addnodes.index):
                for _, _, target, *_ in node["entries"]:
                    found.setdefault(target, heading)
        return found

    def _as_seen(self, title: nodes.Node | None) -> str:
        """The text of a heading, with formulas as they stand in its Markdown."""
        if isinstance(title, nodes.math):
            return f"${plain(title.astext(), self.config.mathml_macros)}$"
        if isinstance(title, nodes.Element):
            return "".join(map(self._as_seen, title.children)).strip()
        return title.astext() if title is not None else ""

    def link(self, here: str, docname: str, fragment: str) -> str:
        """The target of a link from one notebook to a place in another, or nothing."""
        if docname not in self.headings:
            return ""
        heading = self.headings[docname].get(fragment, "")
        anchor = f"#{quote(heading_fragment(heading), safe='')}" if heading else ""
        if docname == here:
            return anchor
        return f"{docname}.ipynb{anchor}"

    @cached_property
    def pictures(self) -> Pictures:
        """Draws figures as PNG."""
        return Pictures(Path(self.doctreedir, "pictures"))

    def exercise_heading(self, docname: str, node: nodes.Element, title: str) -> str:
        """The heading of an exercise, with its number and its title as given."""
        number = self.float_number(docname, node, "exercise")
        # sphinx-exercise puts the title between brackets.
        given = title.strip().removeprefix("(").removesuffix(")")
        return ". ".join(part for part in (number, given) if part)

    def _surround(self, folder: Path, code: list[str]) -> None:
        """Put beside the notebooks what they need."""
        own = Path(self.config.snippet_root, "snippets")
        files = package.parts(code, own)
        package.copy_parts(files, own, folder)
        sources = [*code, *(file.read_text(encoding="utf-8") for file in files)]
        constraints = Path(self.config.notebook_constraints).read_text(encoding="utf-8")
        try:
            needed = package.requirements(sources, constraints)
        except KeyError as error:
            raise NotebookError(
                f"cells import {error}, which constraints.txt does not pin"
            ) from None
        (folder / "requirements.txt").write_text(needed, encoding="utf-8")
        torch = [line for line in needed.split() if line.startswith("torch==")]
        readme = package.README.format(
            title=self.config.project,
            torch=torch[0] if torch else "torch",
            index=package.TORCH_CPU_INDEX,
            facts="".join(f"\n{fact}" for fact in self.config.notebook_facts),
        )
        (folder / "README.md").write_text(readme, encoding="utf-8")
        self.copy_images(sorted(self.used_images), folder / "images")


def keep_sources(app: Any, env: Any) -> None:
    """Let the builder keep what is forgotten once all pages are read."""
    if isinstance(app.builder, NotebookBuilder):
        app.builder.keep_sources()
