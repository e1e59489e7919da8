"""The appendix that tells what is checked, made from this build.

``{what-is-checked}`` becomes a table with a row for each chapter, ``{planted-faults}``
says when faults were planted last and how many were noticed, and ::

    ```{checked-equations} tensors
    ```

the labelled equations of a chapter with their routes, cases and largest differences,
followed by the formulas that are not computed, each with its reason.

Settings: ``expected_outputs``, the folder of expected outputs with a TOML file for each
chapter; ``fault_record``, the TOML file of the last audit by planted faults.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from checked_counts import Audit, Expected, audit, expected, share, without_claim
from checked_equations import findings_of, size
from equations.report import GIVEN, HOLDS, NO_CLAIM, UNCHECKED, UNKNOWN, Finding, Page
from executed_chapters import pages
from incremental import has_changed
from misconceptions import beliefs_of
from page_data import kept

# What the kinds of faults are called on the page.
FAULTS_IN = {
    "formula": "formulas",
    "number": "numbers in sentences",
    "output": "expected outputs",
    "link": "links",
    "label": "labels",
    "code": "code of the chapters",
    "answer": "code of the answers",
    "check": "checks of the formulas",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counts:
    """What a page has beside formulas: cells, and values of ``{eval}``."""

    cells: int
    values: int


class checked_table(nodes.General, nodes.Element):
    """Stands for the table until all pages are read."""


class planted_faults(nodes.General, nodes.Element):
    """Stands for what is said of the last audit."""


class checked_equations_list(nodes.General, nodes.Element):
    """Stands for the equations of one ``chapter`` until all pages are read."""


class WhatIsChecked(SphinxDirective):
    """``{what-is-checked}``: the table of all chapters."""

    def run(self) -> list[nodes.Node]:
        """Leave a place for it."""
        appendices_of(self.env).add(self.env.docname)
        return [checked_table()]


class PlantedFaults(SphinxDirective):
    """``{planted-faults}``: what the last audit found."""

    def run(self) -> list[nodes.Node]:
        """Leave a place for it."""
        appendices_of(self.env).add(self.env.docname)
        return [planted_faults()]


class CheckedEquations(SphinxDirective):
    """``{checked-equations} slug``: the equations of a chapter."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Leave a place for them."""
        appendices_of(self.env).add(self.env.docname)
        return [checked_equations_list(chapter=self.arguments[0], line=self.lineno)]


def counts_of(env: BuildEnvironment) -> dict[str, Counts]:
    """Cells and values of every page; kept with the environment."""
    return kept(env, "book_counts", dict[str, Counts])


def appendices_of(env: BuildEnvironment) -> set[str]:
    """The pages that hold a table; kept with the environment."""
    return kept(env, "book_appendices", set[str])


def count(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Count the cells of the pages to be read, and the numbers in their sentences."""
    for docname in docnames:
        cells = [c for c in pages.notebooks[docname].cells if c.cell_type == "code"]
        shown = sum(bool(cell.outputs) for cell in cells)
        counts_of(env)[docname] = Counts(shown, pages.values[docname])


def renew(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Write the appendix again when what it tells has changed."""
    state = [
        sorted(counts_of(env).items()),
        sorted((name, page.digest) for name, page in findings_of(env).items()),
        sorted(beliefs_of(env).results),
        _expected(app),
        _planted(app),
    ]
    changed = has_changed(env, "what-is-checked", state)
    return sorted(appendices_of(env) & env.found_docs) if changed else []


def _expected(app: Sphinx) -> dict[str, Expected]:
    """For each chapter what its file of expected outputs counts."""
    return {
        path.stem: expected(path.read_text(encoding="utf-8"))
        for path in sorted(Path(app.config.expected_outputs).glob("*.toml"))
    }


def _planted(app: Sphinx) -> Audit:
    path = Path(app.config.fault_record)
    return audit(path.read_text(encoding="utf-8")) if path.is_file() else Audit()


class FillPlaces(SphinxPostTransform):
    """Put the tables in their places."""

    # Before Sphinx resolves the references to equations and chapters.
    default_priority = 5

    def run(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        for place in list(self.document.findall(checked_table)):
            place.replace_self(self._table())
        for gap in list(self.document.findall(planted_faults)):
            gap.replace_self(list(self._faults(_planted(self.app))))
        for where in list(self.document.findall(checked_equations_list)):
            page = findings_of(self.env).get(where["chapter"])
            if page is None:
                logger.warning(
                    "no chapter %r",
                    where["chapter"],
                    location=(self.env.docname, where["line"]),
                    type="equations",
                    subtype="appendix",
                )
                where.replace_self([])
            else:
                where.replace_self(list(self._equations(page)))

    def _table(self) -> nodes.table:
        head = ["chapter", "formulas", "outputs", "values", "probes", "faults"]
        rows: list[Sequence[nodes.Node | str]] = []
        entries, planted = _expected(self.app), _planted(self.app)
        book = beliefs_of(self.env)
        for docname in self._chapters():
            page = findings_of(self.env)[docname]
            found = entries.get(docname, Expected())
            claims = [f for f in page.findings if f.status not in (NO_CLAIM, GIVEN)]
            computed = sum(f.status == HOLDS for f in claims)
            probes = [
                b for b in book.beliefs.get(docname, []) if b.name in book.results
            ]
            rows.append(
                [
                    self._link(docname),
                    share(computed, len(claims)),
                    share(found.tested, found.outputs),
                    share(found.tied, counts_of(self.env)[docname].values),
                    str(len(probes)),
                    share(*planted.of_chapter(docname)),
                ]
            )
        return table(head, rows)

    def _faults(self, planted: Audit) -> Iterable[nodes.Node]:
        yield nodes.paragraph("", planted.told())
        if planted.kinds:
            rows = [
                [FAULTS_IN.get(kind, kind), share(*planted.of_kind(kind))]
                for kind in planted.kinds
            ]
            yield table(["faults in", "noticed"], rows)

    def _chapters(self) -> list[str]:
        """The pages with cells, in the order of the contents."""
        counts = counts_of(self.env)
        contents = self.env.toctree_includes.get(self.config.root_doc, [])
        return [name for name in contents if name in counts and counts[name].cells]

    def _link(self, docname: str) -> nodes.Node:
        title = self.env.titles[docname].astext()
        uri = self.app.builder.get_relative_uri(self.env.docname, docname)
        return nodes.reference("", title, internal=True, refuri=uri)

    def _equations(self, page: Page) -> Iterable[nodes.Node]:
        labelled = [finding for finding in page.findings if finding.checked]
        if labelled:
            head = ["equation", "compared with", "cases", "largest difference"]
            yield table(head, [self._row(finding) for finding in labelled])
        else:
            yield nodes.paragraph("", "No equation of this chapter has a number.")
        idle, given = (
            sum(f.status == status for f in page.findings)
            for status in (NO_CLAIM, GIVEN)
        )
        yield nodes.paragraph("", without_claim(idle, given))
        left = [f for f in page.findings if f.status in (UNCHECKED, UNKNOWN)]
        if left:
            yield nodes.paragraph("", "Not computed:")
            items = [
                nodes.list_item(
                    "",
                    nodes.paragraph(
                        "",
                        "",
                        nodes.literal("", " ".join(finding.formula.tex.split())),
                        nodes.Text(f": {finding.reason}"),
                    ),
                )
                for finding in left
            ]
            yield nodes.bullet_list("", *items)

    def _row(self, finding: Finding) -> Sequence[nodes.Node | str]:
        label = finding.formula.label
        reference = addnodes.pending_xref(
            "",
            nodes.literal("", label),
            refdomain="math",
            reftype="eq",
            reftarget=label,
            refdoc=self.env.docname,
            refexplicit=False,
            refwarn=True,
        )
        routes = "definition" if finding.definition else ", ".join(finding.routes)
        return [reference, routes, str(finding.cases), size(finding.largest)]


def table(
    head: Sequence[str], rows: Sequence[Sequence[nodes.Node | str]]
) -> nodes.table:
    """A table whose first column heads its rows."""
    group = nodes.tgroup("", cols=len(head))
    for _ in head:
        group += nodes.colspec(colwidth=1)
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group, classes=["what-is-checked"])


def _row(cells: Sequence[nodes.Node | str]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        inner = nodes.Text(cell) if isinstance(cell, str) else cell
        row += nodes.entry("", nodes.paragraph("", "", inner))
    return row


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives; count before the pages are read."""
    app.setup_extension("checked_equations")
    app.setup_extension("misconceptions")
    app.add_config_value("expected_outputs", "", "", types=(str,))
    app.add_config_value("fault_record", "", "", types=(str,))
    app.add_node(checked_table)
    app.add_node(planted_faults)
    app.add_node(checked_equations_list)
    app.add_directive("what-is-checked", WhatIsChecked)
    app.add_directive("planted-faults", PlantedFaults)
    app.add_directive("checked-equations", CheckedEquations)
    app.add_post_transform(FillPlaces)
    app.connect("env-before-read-docs", count, priority=700)
    app.connect("env-updated", renew, priority=910)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
