"""Sphinx wiring: run the chapters that a build reads, then hand them to MyST-NB.

Before anything is read, all chapters that Sphinx found new or changed are run side by
side (``execution``). MyST-NB then reads each page through ``read_page``, which returns
the notebook with its outputs in place, so MyST-NB itself executes nothing.

Settings: ``snippet_root`` (folder that holds the snippet package), ``snippet_cache``
(folder of kept outcomes), ``snippet_timeout`` (seconds for one cell).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from answer_names import explained, needed
from chapter_notebook import (
    Chapter,
    Problem,
    fill_values,
    filled_text,
    read_chapter,
)
from execution import Outcome, Settings, run_chapters, versions
from snippet_cells import SnippetLibrary
from withheld_answers import edition_of, edition_text, source_text

logger = logging.getLogger(__name__)


@dataclass
class Pages:
    """The chapters that have been run, and the one that Sphinx is reading.

    MyST-NB calls a reader with nothing but the text of the page; so this is the one
    piece of state of the module. It lives from the run to the end of the reading.
    """

    reading: str = ""
    notebooks: dict[str, NotebookNode] = field(default_factory=dict)
    # The Markdown with the values of {eval} in place, for whoever reads formulas.
    texts: dict[str, str] = field(default_factory=dict)
    # How many {eval} a page has, with all its answers: so the tests count them.
    values: dict[str, int] = field(default_factory=dict)
    # Where the outcome of a page is kept: that without answers in a folder of its own.
    kept: dict[str, str] = field(default_factory=dict)
    dependencies: dict[str, list[str]] = field(default_factory=dict)
    # Those with a mistake: what their cells show says nothing.
    failed: set[str] = field(default_factory=set)


pages = Pages()


def run_before_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Run the cells of the pages to be read; report each mistake with its place."""
    library = SnippetLibrary(Path(app.config.snippet_root))
    chapters: dict[str, tuple[Chapter, str]] = {}
    wholes: dict[str, Chapter] = {}
    sources: dict[str, str] = {}
    for docname in docnames:
        source, text = source_text(app, docname), edition_text(app, docname)
        config = env.myst_config  # type: ignore[attr-defined]
        wholes[docname] = chapter = read_chapter(source, library, config)
        answers = edition_of(source)
        wrong = [*answers.problems, *needed(chapter, answers.in_answer)]
        pages.kept[docname] = docname
        if text != source:
            pages.kept[docname] = f"without-answers/{docname}"
            chapter = read_chapter(text, library, config)
            number_as_in(wholes[docname], chapter)
        chapter.problems += wrong
        sources[docname] = text
        code = library.dependencies(chapter.modules)
        chapters[docname] = (chapter, library.digest(code))
        # A module that is missing counts too: the page is read again when it appears.
        pages.dependencies[docname] = sorted(map(str, {*code, *chapter.modules}))
    settings = Settings(
        library.root, Path(app.config.snippet_cache), app.config.snippet_timeout
    )
    docname_of = {pages.kept[docname]: docname for docname in chapters}

    def has_run(name: str, outcome: Outcome) -> None:
        docname = docname_of[name]
        chapter, _ = chapters[docname]
        pages.texts[docname] = filled_text(sources[docname], chapter, outcome.values)
        app.emit("chapter-run", docname)

    outcomes = run_chapters(
        {name: chapters[docname] for name, docname in docname_of.items()},
        settings,
        lambda line: logger.info("running cells %s", line),
        has_run,
    )
    for docname, (chapter, _) in chapters.items():
        outcome = outcomes[pages.kept[docname]]
        for cell, outputs in zip(chapter.code_cells(), outcome.outputs, strict=True):
            cell.outputs = outputs
        pages.values[docname] = len(wholes[docname].evaluations)
        figures = fill_values(chapter, outcome.values)
        if chapter.problems or outcome.problems:
            figures = []  # cells without outputs; the reason is reported
            pages.failed.add(docname)
        in_answer = edition_of(source_text(app, docname)).in_answer
        for problem in [*chapter.problems, *outcome.problems, *figures]:
            _warn(docname, explained(problem, wholes[docname], in_answer))
        pages.notebooks[docname] = chapter.notebook


def number_as_in(whole: Chapter, chapter: Chapter) -> None:
    """Count the cells of a chapter without answers as those of the whole chapter."""
    numbers = {
        cell.metadata["line"]: number
        for number, cell in enumerate(whole.code_cells(), 1)
    }
    for cell in chapter.code_cells():
        cell.metadata["number"] = numbers[cell.metadata["line"]]


def _warn(docname: str, problem: Problem) -> None:
    kind, _, subtype = problem.category.partition(".")
    logger.warning(
        problem.message, location=(docname, problem.line), type=kind, subtype=subtype
    )


def remember_page(app: Sphinx, docname: str, content: list[str]) -> None:
    """Note which page MyST-NB is about to read, and the code that it depends on."""
    pages.reading = docname
    content[0] = edition_text(app, docname)
    for path in pages.dependencies[docname]:
        app.env.note_dependency(path)


def read_page(text: str) -> NotebookNode:
    """The reader that MyST-NB calls for every Markdown page."""
    return pages.notebooks[pages.reading]


def forget_pages(app: Sphinx, env: BuildEnvironment) -> None:
    """Free the notebooks once all pages are read."""
    pages.notebooks.clear()
    pages.texts.clear()
    pages.values.clear()
    pages.kept.clear()
    pages.dependencies.clear()
    pages.failed.clear()


def check_settings(app: Sphinx) -> None:
    """Fail early when the project is not where the settings say."""
    folder = SnippetLibrary(Path(app.config.snippet_root)).folder
    if not folder.is_dir():
        raise ExtensionError(f"snippet_root: there is no folder {folder}")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the events; read every Markdown page as a chapter."""
    app.setup_extension("early_imports")
    app.setup_extension("myst_nb")
    app.setup_extension("withheld_answers")
    app.add_config_value("snippet_root", ".", "env", types=(str,))
    app.add_config_value("snippet_timeout", 60, "", types=(int, float))
    # Another torch is a reason to read every page again.
    app.add_config_value("snippet_versions", versions(), "env")
    app.config.nb_custom_formats = {".md": ["executed_chapters.read_page", {}, False]}
    app.config.nb_execution_mode = "off"
    # With the name of a page: its cells have run, its values are in `pages.texts`.
    app.add_event("chapter-run")
    app.connect("builder-inited", check_settings)
    app.connect("env-before-read-docs", run_before_reading)
    app.connect("source-read", remember_page)
    app.connect("env-updated", forget_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
