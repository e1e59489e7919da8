"""A builder of a few lines: what it gets from the common part, and what it must say."""

from __future__ import annotations

import io
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docutils import nodes

from book_builder import add_book_builder
from book_builder.builder import BookBuilder
from book_builder.translator import BookTranslator, own_title, take_title
from build_book import build
from tests.tiny_book import CONFIG, TinyBook

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

# What the common part needs of this book: nothing. The two read chapters and exercises.
OTHERS = ["executed_chapters", "answers", "sphinxcontrib.bibtex"]


class WordTranslator(BookTranslator):
    """Writes words, and where links lead."""

    def __init__(
        self, document: nodes.document, builder: BookBuilder, docname: str
    ) -> None:
        super().__init__(document, builder, docname)
        self.words: list[str] = []

    def write(self, text: str) -> None:
        self.words.append(text)

    def within(self, node: nodes.Element) -> str:
        return node.astext()

    def marked(self, mark: str, node: nodes.Element) -> str:
        return f"{mark}:{self.within(node)}"

    def minor_title(self, node: nodes.Element) -> None:
        self.write(f"minor:{self.within(node)}")

    def visit_section(self, node: nodes.section) -> None:
        title = own_title(node)
        assert title is not None
        number = self.builder.section_number(self.docname, node)
        self.write(f"{number or '-'} {title.astext()}")

    def depart_section(self, node: nodes.section) -> None:
        pass

    def visit_reference(self, node: nodes.Element) -> None:
        self.write(f"->{self.inner_target(node) or node['refuri']}")
        raise nodes.SkipNode

    def visit_figure(self, node: nodes.figure) -> None:
        self.write(self.builder.float_number(self.docname, node, "figure"))
        raise nodes.SkipNode

    def visit_Text(self, node: nodes.Text) -> None:
        self.write(node.astext())

    def pass_through(self, node: nodes.Element) -> None:
        pass

    visit_document = depart_document = pass_through
    visit_paragraph = depart_paragraph = pass_through
    visit_target = depart_target = pass_through
    depart_Text = pass_through
    visit_compound = BookTranslator.skip  # the contents


class WordBuilder(BookBuilder):
    """Writes a file of words for each page."""

    name = "words"
    medium = "a list of words"
    package = "word_builder"
    default_translator_class = WordTranslator

    def write_documents(self, docnames: Set[str]) -> None:
        folder = Path(self.outdir)
        folder.mkdir(parents=True, exist_ok=True)
        for docname in sorted(self.env.all_docs):
            page = self.resolved(docname)
            visitor = self.translate(WordTranslator(page, self, docname))
            (folder / f"{docname}.txt").write_text("\n".join(visitor.words))
        self.copy_images(self.images, folder / "images")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the builder; the tiny books take this module as an extension."""
    return add_book_builder(app, WordBuilder)


def words(book: TinyBook) -> list[str]:
    """Have the words written; the lines that an author sees."""
    errors = io.StringIO()
    build(
        book.root / "book",
        book.root / "build" / "words",
        CONFIG,
        root=book.root,
        overrides={"extensions": [*OTHERS, __name__]},
        builder="words",
        errors=errors,
        status=None,
    )
    return errors.getvalue().splitlines()[:-1]


@pytest.fixture
def book(tiny_book: TinyBook) -> TinyBook:
    tiny_book.write(
        "book/chapter.md",
        "# A chapter\n\nIt is *so*. [There](#other), [here](#own), "
        "[out](https://example.org/#a).\n\n"
        "(own)=\n## A section\n\n```{rubric} Aside\n```\n\n"
        ":::{figure} tiny.svg\n:alt: A square.\nIts caption.\n:::\n\n% hidden\n",
    )
    tiny_book.write("book/words.md", "(other)=\n# Words\n\nSome.\n")
    tiny_book.write("book/tiny.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    tiny_book.index("chapter", "words")
    return tiny_book


def test_a_builder_of_a_few_lines_has_numbers_links_and_images(book: TinyBook) -> None:
    assert words(book) == []
    folder = book.root / "build" / "words"
    assert (folder / "chapter.txt").read_text().splitlines() == [
        "1 A chapter",
        *("It is ", "emphasis:so", ". "),
        *("->('words', 'other')", ", ", "->('chapter', 'own')", ", "),
        *("->https://example.org/#a", "."),
        "1.1 A section",
        "minor:Aside",
        "Fig. 1.1",
    ]
    # Of what other extensions give to every builder, nothing.
    files = {path.name for path in folder.iterdir()}
    assert files == {"chapter.txt", "index.txt", "words.txt", "images"}
    assert (folder / "images" / "tiny.svg").is_file()


def test_what_has_no_visitor_is_a_located_error(book: TinyBook) -> None:
    book.write("book/words.md", "(other)=\n# Words\n\nSome.\n\n> Quoted.\n")
    assert words(book) == [
        "book/words.md:6: a list of words cannot show a block_quote; write it in "
        "another way, or add a visitor to word_builder [words.node]"
    ]


def test_a_title_is_that_of_the_node_itself() -> None:
    inner = nodes.admonition("", nodes.title("", "Inner"))
    outer = nodes.section("", nodes.title("", "Outer"), inner)
    assert own_title(nodes.section("", inner.deepcopy())) is None
    assert own_title(outer) is outer[0]
    title = take_title(inner)
    assert title is not None
    assert title.astext() == "Inner"
    assert take_title(inner) is None
