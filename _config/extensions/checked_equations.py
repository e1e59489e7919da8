"""Sphinx wiring: compute the formulas of the pages; say on the page how.

As soon as its cells have run, and while pages are read, the formulas of a page are
compared with the checks of the chapter (``equations``); a display that is false and a
labelled equation without a check are located warnings. Below each labelled equation
stands a folded note: how it is checked, with how many cases, and the largest difference
that was found in this build.

Settings: ``equation_cache`` (folder of kept findings). The checks lie in
``snippets/checks`` under ``snippet_root``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from equations.report import Finding, Page, mistakes
from equations.running import CheckError, Checks, checks_of, sources
from executed_chapters import pages
from folded import folded, folded_summary
from page_data import kept

logger = logging.getLogger(__name__)


def findings_of(env: BuildEnvironment) -> dict[str, Page]:
    """The findings of every page, by its name; kept with the environment."""
    return kept(env, "book_equations", dict[str, Page])


@dataclass
class Build:
    """The checks of a build, and their result if it was awaited before reading."""

    checks: Checks | None = None
    found: dict[str, Page] | None = None


build = Build()


def begin_checks(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Be ready for the pages to be read."""
    build.checks, build.found = Checks(Path(app.config.snippet_root)), None


def check_page(app: Sphinx, docname: str) -> None:
    """Begin to compute the formulas of a page whose values are known."""
    assert build.checks is not None
    # The findings of an edition without answers are kept beside those of the whole.
    folder = Path(app.config.equation_cache, pages.kept[docname]).parent
    build.checks.add(docname, pages.texts[docname], folder)


def finish_early(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Wait before reading if Sphinx is about to fork: a fork has no threads."""
    if app.parallel > 1:
        build.found = findings()


def findings() -> dict[str, Page]:
    """The findings of the pages of this build, once all are checked."""
    if build.found is not None:
        return build.found
    assert build.checks is not None
    try:
        return build.checks.result()
    except CheckError as error:
        raise ExtensionError(f"snippets/checks: {error}", modname="equations") from None


def report_checks(app: Sphinx, env: BuildEnvironment) -> None:
    """Wait for the findings, keep them, and report each mistake."""
    if build.checks is None:
        return
    root = Path(app.config.snippet_root)
    found = findings()
    build.checks, build.found = None, None
    for page in found.values():
        # What checks say of formulas that a page lacks, such as those of its answers,
        # is for the tests; nothing of it is kept with the pages.
        page.unused.clear()
    findings_of(env).update(found)
    for docname, page in sorted(found.items()):
        if page.broken:
            place = f"{root / page.broken.path}:{page.broken.line}"
            message = f"{page.broken.message}; correct the check"
            logger.warning(message, location=place, type="equations", subtype="code")
            continue
        for line, message in mistakes(docname, page):
            logger.warning(
                message, location=(docname, line), type="equations", subtype="check"
            )


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop the findings of a page that is gone or read anew."""
    if docname not in pages.texts:
        findings_of(env).pop(docname, None)


def note_checks(app: Sphinx, docname: str, content: list[str]) -> None:
    """Read the page again when the code that checks it changes."""
    for path in existing(app, docname):
        app.env.note_dependency(path)


def existing(app: Sphinx, docname: str) -> list[str]:
    """The code that checks a page, as far as there is any."""
    code = sources(Path(app.config.snippet_root), docname)
    return [str(path.resolve()) for path in code if path.is_file()]


def find_new_checks(
    app: Sphinx,
    env: BuildEnvironment,
    added: set[str],
    changed: set[str],
    removed: set[str],
) -> list[str]:
    """The pages for which a module of checks has been written since they were read."""
    root = Path(app.config.snippet_root).resolve()
    return [
        docname
        for docname in env.found_docs & env.dependencies.keys()
        if any(
            path.is_file() and str(path) not in map(str, env.dependencies[docname])
            for path in checks_of(root, docname)
        )
    ]


def note(finding: Finding) -> folded:
    """How an equation is checked, folded."""
    box = folded("", folded_summary("", "How this is checked"), classes=["check"])
    box += nodes.paragraph("", _told(finding))
    if finding.routes:
        box += nodes.bullet_list(
            "", *(_route(*item) for item in finding.routes.items())
        )
    code = "\n\n".join(filter(None, [finding.code, finding.draw])).strip()
    box += nodes.literal_block(code, code, language="python")
    return box


class NotesOnPages(SphinxPostTransform):
    """Put the note of its check below each labelled equation.

    On the web alone: elsewhere it cannot fold, and the appendix has its numbers.
    """

    default_priority = 5

    def run(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        if self.app.builder.format != "html":
            return
        page = findings_of(self.env).get(self.env.docname, Page([]))
        found = {
            item.formula.label: item for item in page.findings if item.formula.label
        }
        for equation in list(self.document.findall(nodes.math_block)):
            finding = found.get(equation.get("label") or "")
            if finding is not None and finding.checked:
                place = equation.parent.index(equation)
                equation.parent.insert(place + 1, note(finding))


def _told(finding: Finding) -> str:
    cases = f"{finding.cases} random cases"
    if finding.definition:
        text = (
            "This is a definition. The formula as it is printed was computed in "
            f"{cases} and compared with the meaning that the code gives it"
        )
    else:
        text = (
            f"The formula as it is printed was computed in {cases}, and all its sides "
            "were compared with each other"
        )
    text += f"; the largest relative difference in this build is {size(finding.gap)}."
    if finding.routes:
        text += " They were compared with these results as well:"
    return text


def _route(name: str, gap: float) -> nodes.list_item:
    return nodes.list_item("", nodes.paragraph("", f"{name}: {size(gap)}"))


def size(gap: float) -> str:
    """A difference with one digit: ``0``, ``3 · 10⁻¹⁶``."""
    if gap == 0:
        return "0"
    digit, _, power = f"{gap:.0e}".partition("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digit} · 10{raised}"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the events, after those that run the cells."""
    app.setup_extension("executed_chapters")
    app.setup_extension("folded")
    app.add_config_value("equation_cache", "equations", "", types=(str,))
    app.connect("env-before-read-docs", begin_checks, priority=400)
    app.connect("chapter-run", check_page)
    app.connect("env-before-read-docs", finish_early, priority=600)
    app.connect("env-updated", report_checks, priority=400)
    app.connect("env-get-outdated", find_new_checks)
    app.connect("env-purge-doc", forget_page)
    app.connect("source-read", note_checks)
    app.add_post_transform(NotesOnPages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
