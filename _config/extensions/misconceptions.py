"""The appendix of misconceptions: each with what it predicts and what really happens.

A chapter treats a misconception in an admonition of the class ``misconception`` whose
name is ``misconception-tensors-star`` and whose title is "Misconception: " and the
wrong belief. ``snippets/misconceptions`` holds a probe for each (``probes``). In the
appendix ::

    ```{misconceptions} tensors
    ```

lists those of one chapter: the belief, with a link to its place; the values that its
probe gave in this build; and the probe, folded.

Once all pages are read, a belief without a probe, a probe without a place, a probe that
fails, and a chapter that no list names are located warnings. A book without any list,
such as one chapter built alone, has no appendix to be complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import ExtensionMetadata

from beliefs import (
    PREFIX,
    TITLE,
    Belief,
    Beliefs,
    without_place,
    without_probe,
    wrong_lists,
)
from beside_reading import begin
from execution import Settings
from folded import folded_code
from incremental import has_changed
from page_data import keep_by_page, kept
from probes import Mistake, ProbeSource, Result, probe_files, read_probes, run_probes
from snippet_cells import SnippetLibrary
from withheld_answers import withheld_labels

logger = logging.getLogger(__name__)


def beliefs_of(env: BuildEnvironment) -> Beliefs:
    """The one object that is kept with the environment."""
    return kept(env, "book_beliefs", Beliefs)


class misconception_list(nodes.General, nodes.Element):
    """Stands for the beliefs of one ``chapter`` until all pages are read."""


class ListMisconceptions(SphinxDirective):
    """``{misconceptions} slug``: the misconceptions that a chapter treats."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Leave a place for them."""
        [chapter] = self.arguments
        lists = beliefs_of(self.env).lists
        lists.setdefault(self.env.docname, []).append((chapter, self.lineno))
        return [misconception_list(chapter=chapter)]


def find_beliefs(app: Sphinx, document: nodes.document) -> None:
    """Note the misconceptions that a page treats."""
    found = []
    for box in document.findall(nodes.admonition):
        if "misconception" not in box["classes"]:
            continue
        title = box[0]
        names = [name for name in box["ids"] if name.startswith(PREFIX)]
        line = box.line or 1
        docname = app.env.docname
        if not names or not title.astext().startswith(TITLE):
            _warn(
                (docname, line),
                "a misconception has the title 'Misconception: ' with the belief, and "
                f"':name: {PREFIX}{docname}-…'; write both",
                "admonition",
            )
            continue
        children = [child.deepcopy() for child in title.children]
        first = children[0].astext().removeprefix(TITLE)
        children[0] = nodes.Text(first)
        name = names[0].removeprefix(PREFIX)
        found.append(Belief(name, docname, line, children))
    beliefs_of(app.env).beliefs[app.env.docname] = found


@dataclass
class Ran:
    """The probes as they were read, and their run, which goes on beside the reading."""

    probes: dict[str, ProbeSource] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    run: Future[tuple[dict[str, Result], list[Mistake]]] | None = None


ran = Ran()


def begin_probes(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Begin to run the probes; which pages list them is known when all are read."""
    library = SnippetLibrary(Path(app.config.snippet_root))
    ran.probes, ran.mistakes = read_probes(library)
    for name in _withheld(app).keys() & ran.probes.keys():
        del ran.probes[name]
    settings = Settings(
        library.root, Path(app.config.snippet_cache), app.config.snippet_timeout
    )
    ran.run = begin(
        app,
        lambda: run_probes(
            ran.probes.values(),
            library,
            settings,
            lambda line: logger.info("running probes %s", line),
        ),
    )


def _withheld(app: Sphinx) -> dict[str, str]:
    """The beliefs that are treated in withheld answers, to which they belong."""
    return {
        label.removeprefix(PREFIX): docname
        for label, (docname, _) in withheld_labels(app).items()
        if label.startswith(PREFIX)
    }


def check_beliefs(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Report what lacks its counterpart; renew the lists."""
    book = beliefs_of(env)
    library = SnippetLibrary(Path(app.config.snippet_root))
    if ran.run is None:
        return []
    results, failed = ran.run.result()
    mistakes, ran.run = ran.mistakes, None
    if not any(book.lists.values()):
        return []
    book.probes, book.results = ran.probes, results
    for mistake in [*mistakes, *failed, *without_place(book)]:
        _warn(f"{mistake.path}:{mistake.line}", mistake.message, "probe")
    slugs = [file.stem.replace("_", "-") for file in probe_files(library)]
    for place, message in without_probe(book, slugs):
        _warn(place, message, "probe")
    for place, message in wrong_lists(book, set(_withheld(app).values())):
        _warn(place, message, "list")
    appendices = [page for page, lists in book.lists.items() if lists]
    titles = [
        (belief.name, belief.docname, [node.pformat() for node in belief.title])
        for page in sorted(book.beliefs)
        for belief in book.beliefs[page]
    ]
    state = [titles, sorted(book.probes.items()), sorted(book.results.items())]
    return appendices if has_changed(env, "misconceptions", state) else []


def _warn(place: str | tuple[str, int], message: str, subtype: str) -> None:
    logger.warning(message, location=place, type="misconceptions", subtype=subtype)


class FillLists(SphinxPostTransform):
    """Put the entries in the place of each list."""

    # Before Sphinx resolves what references the titles may hold.
    default_priority = 5

    def run(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        book = beliefs_of(self.env)
        for place in list(self.document.findall(misconception_list)):
            beliefs = book.beliefs.get(place["chapter"], [])
            entries = nodes.definition_list(classes=["misconceptions"])
            for belief in beliefs:
                # A book without its probe has failed already.
                if belief.name in book.results:
                    entries += self._entry(belief, book)
            place.replace_self([entries] if entries.children else [])

    def _entry(self, belief: Belief, book: Beliefs) -> nodes.definition_list_item:
        title = nodes.inline("", "", *(node.deepcopy() for node in belief.title))
        link = make_refnode(
            self.app.builder,
            self.env.docname,
            belief.docname,
            f"{PREFIX}{belief.name}",
            [title],
        )
        term = nodes.term("", "", nodes.Text("“"), link, nodes.Text("”"))
        probe, result = book.probes[belief.name], book.results[belief.name]
        values = nodes.bullet_list(
            "",
            _value("Believed", result.believed),
            _value("Found", result.found),
            classes=["probe-values"],
        )
        about = nodes.paragraph("", "", *inline_code(probe.about))
        body = [about, values, folded_code("The probe", probe.code)]
        return nodes.definition_list_item("", term, nodes.definition("", *body))


def _value(label: str, text: str) -> nodes.list_item:
    words = [nodes.strong("", f"{label}:"), nodes.Text(f" {text}")]
    return nodes.list_item("", nodes.paragraph("", "", *words))


def inline_code(text: str) -> list[nodes.Node]:
    """A docstring's line, with code between its backticks.

    >>> [type(node).__name__ for node in inline_code("`A * B`, by entries")]
    ['literal', 'Text']
    """
    parts: list[nodes.Node] = []
    for number, part in enumerate(text.split("`")):
        if part:
            parts.append(nodes.literal("", part) if number % 2 else nodes.Text(part))
    return parts


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive, the collection and the check."""
    app.setup_extension("executed_chapters")
    app.setup_extension("folded")
    app.add_node(misconception_list)
    app.add_directive("misconceptions", ListMisconceptions)
    app.add_post_transform(FillLists)
    app.connect("doctree-read", find_beliefs)
    keep_by_page(app, lambda env: [beliefs_of(env).beliefs, beliefs_of(env).lists])
    # After the cells: these few wait until the cores are free.
    app.connect("env-before-read-docs", begin_probes, priority=650)
    app.connect("env-updated", check_beliefs)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
