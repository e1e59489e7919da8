"""Convert the formulas of the pages while the kernels' imports go on.

Sphinx can read no page before its cells have run, and those wait for torch; a core is
free meanwhile. What is found here in the Markdown and not in the page, or the other way
round, costs a little time and changes nothing: ``mathml`` converts what it needs.
"""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from beside_reading import begin
from equations.pages import formulas
from mathml.convert import MathError, convert
from withheld_answers import edition_text


@dataclass
class Early:
    """The work of a build, from the one event to the other."""

    running: Future[None] | None = None


early = Early()


def convert_formulas(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Begin to convert what needs no value of a cell."""
    if app.builder.format != "html":
        return
    texts: dict[str, str] = {}
    for docname in docnames:
        with suppress(UnicodeDecodeError):  # reported by who reads it
            texts[docname] = edition_text(app, docname)

    def work() -> None:
        for docname, text in texts.items():
            for formula in formulas(docname, text):
                if "{eval}" not in formula.tex:
                    with suppress(MathError):  # reported with its place
                        convert(formula.tex, formula.display, app.config.mathml_macros)

    early.running = begin(app, work)


def wait(app: Sphinx, env: BuildEnvironment) -> None:
    """Let it end before processes are forked: they would inherit a closed lock."""
    if early.running is not None:
        early.running.result()
        early.running = None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the event, before the one that runs the cells."""
    app.setup_extension("mathml")
    app.setup_extension("withheld_answers")
    app.connect("env-before-read-docs", convert_formulas, priority=400)
    app.connect("env-updated", wait)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
