"""Assembles the pages of a book into one source of Typst, and typesets it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Set
from pathlib import Path

from docutils import nodes
from sphinx.config import ENUM
from sphinx.errors import SphinxError
from sphinx.util import logging

from book_builder.builder import BookBuilder, dotted
from mathml import install
from typst_builder import fonts, typesetting
from typst_builder.associated import Formulas, attach
from typst_builder.back_matter import answers_chapter, index_chapter
from typst_builder.code import palette
from typst_builder.escape import content, string
from typst_builder.translator import TypstTranslator

logger = logging.getLogger(__name__)
PAPERS = ENUM("a4", "us-letter", "reader")


class PdfError(SphinxError):
    """No PDF could be made, for a reason that no chapter is to blame for."""

    category = "pdf"


class TypstBuilder(BookBuilder):
    """Writes one PDF for the whole book."""

    name = "typst"
    format = "typst"
    medium = "the PDF"
    package = "typst_builder"
    default_translator_class = TypstTranslator

    def init(self) -> None:
        """Check what the formulas need before the chapters are read."""
        super().init()
        self.shift = 0
        self.formulas = Formulas()
        self.head_start: threading.Thread | None = None
        if kept := self._kept():
            self.head_start = typesetting.head_start(kept, self.config.typst_date)
        try:
            install.require()
        except install.InstallError as error:
            raise PdfError(str(error)) from None

    def write_documents(self, docnames: Set[str]) -> None:
        """Write the PDF."""
        work = Path(self.doctreedir, "typst")
        self._write_sources(work)
        if self.head_start:
            self.head_start.join()
        pdf = typesetting.typeset(work, self.config.typst_date)
        if isinstance(pdf, typesetting.Mistake):
            place = (pdf.docname, pdf.line) if pdf.docname else None
            logger.warning(
                "%s", pdf.message, location=place, type="typst", subtype="error"
            )
            return
        Path(self.outdir).mkdir(parents=True, exist_ok=True)
        target = Path(self.outdir, self.config.typst_file)
        target.write_bytes(attach(pdf, self.formulas))
        if kept := self._kept():
            typesetting.keep(work, kept)

    def _kept(self) -> Path | None:
        kept, paper = self.config.typst_kept, self.config.typst_paper
        return Path(kept, paper) if kept else None

    def _write_sources(self, work: Path) -> None:
        """Write all that Typst reads: a file for each page, and one that names them."""
        work.mkdir(parents=True, exist_ok=True)
        template = Path(self.confdir, self.config.typst_template)
        shutil.copyfile(template, work / "book.typ")
        before = f'#import "book.typ": *\n{palette(self.config.typst_code_style)}\n'
        main = [before, self._front_matter()]
        for name, text in self._parts():
            path = work / "pages" / f"{name}.typ"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(before.replace("book.typ", "/book.typ") + text, "utf-8")
            main.append(f"#include {string(f'pages/{name}.typ')}\n")
        (work / "main.typ").write_text("".join(main), encoding="utf-8")
        self.copy_images(self.images, work / "images")
        fonts.put(work / "fonts")

    def _parts(self) -> list[tuple[str, str]]:
        """The pages as Typst, with their names, and the answers and the index."""
        parts: list[tuple[str, str]] = []
        answers: list[tuple[str, str, list[str]]] = []
        last_with_answers = 0
        for docname in self.pages():
            visitor = self._translated(docname)
            parts.append((docname, visitor.text()))
            if visitor.answers:
                number = dotted(self.env.toc_secnumbers[docname].get("", ()))
                title = self.env.titles[docname].astext()
                answers.append((number, title, visitor.answers))
                last_with_answers = len(parts)
        if answers:
            parts.insert(last_with_answers, ("%answers", answers_chapter(answers)))
        parts.append(("%index", index_chapter(self)))
        return parts

    def _translated(self, docname: str) -> TypstTranslator:
        document = self.resolved(docname)
        if docname == self.config.root_doc:
            title = document.next_node(nodes.title)
            if title is not None:
                title.children = [nodes.Text(self.config.typst_preface)]
        return self.translate(TypstTranslator(document, self, docname))

    def pages(self) -> Iterator[str]:
        """All pages, in the order of the contents."""
        seen: set[str] = set()

        def below(docname: str) -> Iterator[str]:
            # The contents may name what Sphinx makes, such as its index.
            if docname in self.env.all_docs and docname not in seen:
                seen.add(docname)
                yield docname
                for child in self.env.toctree_includes.get(docname, []):
                    yield from below(child)

        return below(self.config.root_doc)

    def _front_matter(self) -> str:
        facts = ",".join(f"[{content(fact)}]" for fact in self.config.typst_facts)
        language, _, region = str(self.config.language).partition("-")
        options = {
            "title": string(self.config.project),
            "author": string(self.config.author),
            "version": string(self.config.release),
            "date": string(self.config.typst_date),
            "copyright": string(self.config.copyright),
            "facts": f"({facts},)" if facts else "()",
            "lang": string(language),
            "region": string(region),
            "paper": string(self.config.typst_paper),
        }
        settings = ",".join(f"{name}:{value}" for name, value in options.items())
        return f"#show: book.with({settings})\n"
