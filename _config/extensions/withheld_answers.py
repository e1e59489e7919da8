"""Sphinx wiring: an edition without the answers of some chapters.

The text of a page comes from ``edition_text``, before anything reads it: in a chapter
that withholds its answers their lines are empty (``editions``), and the appendix of
error messages has no entry for their cells. So nothing that a page is made into, and no
copy of its source, holds a word of them. In the place of each answer stands when it
will appear. As a last guard, an answer that is on such a page after all is an error.

A link into a withheld answer leads to that place if it has words of its own. A
reference that would show a number or title of what is not there is an error.

Settings: ``without_answers`` (``slug,slug``, or ``*`` for all chapters, or "" for none)
or else ``answers_file`` (``release``) on ``edition_day`` (such as 2026-12-01).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import ExtensionMetadata
from sphinx_exercise.nodes import is_solution_node, solution_title

from answers import answer_id
from editions import Answer, withhold, without_entries
from incremental import has_changed
from places import PlacedError, line_of
from release import ReleaseError, chosen, day_of, read_releases, withheld

logger = logging.getLogger(__name__)

# The same pages are asked for several times in a build.
edition_of = lru_cache(maxsize=64)(withhold)


def settle_edition(app: Sphinx, config: Config) -> None:
    """Say which chapters withhold their answers: ``withheld_answers``, with days."""
    pages = {path.stem: _read(path) for path in sorted(app.srcdir.glob("*.md"))}
    # Rather one too many: a page may hold an answer in a place that is reported later.
    chapters = [slug for slug, text in pages.items() if "{solution" in text.lower()]
    file = Path(config.answers_file)
    place = "--day"
    try:
        known: dict[str, str] = {}
        day = day_of(config.edition_day)
        if file.is_file():
            place = str(file)
            releases = read_releases(file.read_text(encoding="utf-8"), chapters)
            known = withheld(releases, day)
        place = "--without-answers"
        if config.without_answers is None:
            config.withheld_answers = known
        else:
            config.withheld_answers = chosen(config.without_answers, chapters, known)
    except ReleaseError as error:
        where = f"{place}:{error.line}" if error.line else place
        raise PlacedError(where, f"{error} [editions.release]") from None


def _read(path: Path) -> str:
    # A page in another encoding is reported when it is read.
    return path.read_text(encoding="utf-8", errors="replace")


def source_text(app: Sphinx, docname: str) -> str:
    """The Markdown of a page as its author wrote it.

    Raises:
        PlacedError: if the page is not UTF-8. Sphinx cannot go on without a page.
    """
    path = Path(app.env.doc2path(docname))
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = "the file is not UTF-8; save it with that encoding"
        message += " [snippets.encoding]"
        raise PlacedError(f"{path}:{line}", message) from None


def edition_text(app: Sphinx, docname: str) -> str:
    """The Markdown of a page as this edition has it, line for line."""
    text = source_text(app, docname)
    if docname in app.config.withheld_answers:
        return edition_of(text).text
    if app.config.withheld_answers and "{error-message}" in text:
        return without_entries(text, withheld_cells(app))
    return text


def withheld_in(app: Sphinx) -> dict[str, list[Answer]]:
    """The answers that this edition withholds, by page.

    Never kept with the environment, which is a file of the build.
    """
    paths = {slug: app.srcdir / f"{slug}.md" for slug in app.config.withheld_answers}
    return {
        slug: edition_of(_read(path)).answers
        for slug, path in paths.items()
        if path.is_file()
    }


def withheld_cells(app: Sphinx) -> set[str]:
    """The cells that only withheld answers draw, as ``module#cell``."""
    answers = [answer for found in withheld_in(app).values() for answer in found]
    return {cell for answer in answers for cell in answer.cells()}


def withheld_labels(app: Sphinx) -> dict[str, tuple[str, Answer]]:
    """The labels in withheld answers, with page and answer."""
    return {
        label: (docname, answer)
        for docname, answers in withheld_in(app).items()
        for answer in answers
        for label in answer.labels()
    }


def read_again_for_other_cells(
    app: Sphinx,
    env: BuildEnvironment,
    added: set[str],
    changed: set[str],
    removed: set[str],
) -> Iterable[str]:
    """All pages, when a cell has moved into a withheld answer or out of one."""
    moved = has_changed(env, "withheld-cells", sorted(withheld_cells(app)))
    return env.found_docs if moved else []


def guard(app: Sphinx, document: nodes.document) -> None:
    """Report an answer that is on a page which withholds it, and take it away."""
    docname = app.env.docname
    if docname not in app.config.withheld_answers:
        return
    for answer in document.findall(is_solution_node):
        mark = f"}} {answer['target_label']}"
        said = [child for child in answer if not isinstance(child, solution_title)]
        if any(child.children for child in said):
            logger.warning(
                "the answer to %r is not withheld; let it stand in this file, outside "
                "of every other block",
                answer["target_label"],
                location=(docname, line_of(app.env, docname, mark)),
                type="editions",
                subtype="answer",
            )
            for child in said:
                answer.remove(child)


class LinkToPlaces(SphinxPostTransform):
    """Let links into withheld answers lead to where these will appear."""

    # Before MyST and Sphinx look for their targets.
    default_priority = 4

    def run(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        if not self.config.withheld_answers:
            return
        labels = withheld_labels(self.app)
        for reference in list(self.document.findall(addnodes.pending_xref)):
            target = reference.get("reftarget", "")
            if target not in labels:
                continue
            docname, answer = labels[target]
            words = reference.children if reference.get("refexplicit") else []
            if not words:
                message = (
                    "%r stands in an answer that this edition withholds, so it has no "
                    "number or title; write the link as '[words](#%s)', or move what "
                    "it leads to"
                )
                place = (self.env.docname, reference.line or _line(reference))
                logger.warning(
                    message,
                    target,
                    target,
                    location=place,
                    type="editions",
                    subtype="link",
                )
                reference.replace_self(nodes.literal("", target))
                continue
            link = make_refnode(
                self.app.builder,
                self.env.docname,
                docname,
                answer_id(answer.question),
                [child.deepcopy() for child in words],
            )
            reference.replace_self(link)


def _line(node: nodes.Node) -> int:
    while node is not None and node.line is None:
        node = node.parent
    return node.line if node is not None else 1


def keep_sources(app: Sphinx) -> None:
    """Let Sphinx copy no file that holds answers."""
    if app.config.withheld_answers and hasattr(app.builder, "copysource"):
        app.builder.copysource = False


def write_own_source(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], tree: object
) -> None:
    """Put the page's text beside the page, where Sphinx would copy its file."""
    name = context.get("sourcename")
    if not app.config.withheld_answers or not name or not app.config.html_copy_source:
        return
    target = Path(app.outdir, "_sources", name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(edition_text(app, pagename), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Settle the edition before anything is read."""
    app.setup_extension("sphinx_exercise")
    app.add_config_value("without_answers", None, "", types=(str, type(None)))
    app.add_config_value("answers_file", "", "", types=(str,))
    app.add_config_value("edition_day", "", "", types=(str,))
    # What the others come to; another edition is a reason to read every page again.
    app.add_config_value("withheld_answers", {}, "env", types=(dict,))
    app.connect("config-inited", settle_edition)
    app.connect("env-get-outdated", read_again_for_other_cells)
    app.connect("doctree-read", guard)
    app.connect("builder-inited", keep_sources)
    app.connect("html-page-context", write_own_source)
    app.add_post_transform(LinkToPlaces)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
