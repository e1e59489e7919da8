"""The PDF of tiny books: every kind of node, links, answers, errors."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from tests import pdf
from tests.every_node import write_every_node
from tests.tiny_book import TinyBook
from typst_builder.mathematics import markup

EXTENSIONS = Path(__file__).parents[2] / "_config" / "extensions"


@pytest.fixture
def book(tiny_book: TinyBook) -> TinyBook:
    write_every_node(tiny_book)
    return tiny_book


def test_no_text_is_lost(book: TinyBook) -> None:
    assert book.make_pdf() == []

    shown = pdf.text(book.pdf)
    for words in (
        "Some emphasis, strength, code_x, H2O and ex, a formula",
        "a link, one inside, the other page, leaf and a mark #1 [x] 2*3*4.",
        "one", "with a second paragraph", "3. three", "4. four",
        "A quotation.", "Note A note’s text.", "A title of its own Its text.",
        "head a head b cell a|b", "cell two cell three 3", "See (1.1) and Fig. 1.1.",
        "Fig. 1.1 The caption of it.", "x = helper.X", "x is 23", 'shown = "only"',
        "A rubric",
        "What it says.", "Term Its definition.",
        "Exercise 1.1 (Build: a title) What is it? Answer to Exercise 1.1, page 6",
        "Answers 1 A chapter Answer to Exercise 1.1 Back to Exercise 1.1, page 5 "
        "It is an answer. x + 1 24",
        "Words leaf The end of a graph.",
        "Index I indexed, 5", "L leaf, 4, 7",
    ):  # fmt: skip
        assert words in shown
    assert "comment" not in shown


def test_tags_say_what_each_part_is(book: TinyBook) -> None:
    book.make_pdf()

    tags = pdf.tags(book.pdf)
    for name in ("H1", "H2", "P", "L", "LI", "Table", "TH", "TD", "Figure", "Formula",
                 "Code", "Link", "Caption", "TOC", "TOCI"):  # fmt: skip
        assert name in tags, name
    assert pdf.alternatives(book.pdf, "Figure") == ["A square."]
    assert "x squared" in pdf.alternatives(book.pdf, "Formula")


def test_the_document_says_what_it_is(book: TinyBook) -> None:
    book.make_pdf()

    with pikepdf.open(book.pdf) as document:
        assert str(document.Root.Lang) == "en-GB"
        assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
        assert str(document.docinfo.Title) == "Tiny"
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
        titles = [item.title for item in document.open_outline().root]
    assert titles[:2] == ["Contents", "About this book"]
    assert titles[-3:] == ["Answers", "Words", "Index"]


def test_each_formula_carries_its_mathml(book: TinyBook) -> None:
    book.make_pdf()

    with pikepdf.open(book.pdf) as document:
        formulas = [e for e in pdf.elements(document) if e.S == "/Formula"]
        files = [formula.AF[0].EF.F.read_bytes().decode() for formula in formulas]
    assert any("<msup><mi>x</mi><mn>2</mn></msup>" in file for file in files)
    assert all(file.startswith("<math xmlns=") for file in files)


def test_formulas_that_are_spoken_alike_have_their_own_mathml(
    tiny_book: TinyBook,
) -> None:
    tiny_book.write("book/chapter.md", "# A chapter\n\n$x$\n\n$$x$$\n\n$x$\n\n$$x$$\n")
    tiny_book.make_pdf()

    with pikepdf.open(tiny_book.pdf) as document:
        formulas = [e for e in pdf.elements(document) if e.S == "/Formula"]
        files = [formula.AF[0].EF.F.read_bytes().decode() for formula in formulas]
    assert ["block" in file for file in files] == [False, True, False, True]
    assert pdf.alternatives(tiny_book.pdf, "Formula") == ["x"] * 4


@pytest.mark.parametrize("before", ["another text", "no text at all"])
def test_a_head_start_changes_no_byte(
    book: TinyBook, tmp_path: Path, before: str
) -> None:
    book.make_pdf(typst_kept=str(tmp_path / "kept"))
    sources, other = tmp_path / "kept" / "a4", tmp_path / "other"
    shutil.copytree(sources, other)
    page = other / "pages" / "chapter.typ"
    if before == "another text":
        text = page.read_text()
        assert "A quotation" in text
        page.write_text(text.replace("A quotation", "It was " * 300 + "longer"))
    else:
        page.write_text("#unknown-function()")
    # Processes of their own, since Typst remembers for as long as a process lives.
    script = (
        "import sys; from pathlib import Path; from typst_builder import typesetting\n"
        "for kept in sys.argv[3:]: typesetting.head_start(Path(kept), '').join()\n"
        "pdf = typesetting.typeset(Path(sys.argv[1]), '')\n"
        "Path(sys.argv[2]).write_bytes(pdf)"
    )
    results = [tmp_path / "clean.pdf", tmp_path / "started.pdf"]
    for result, kept in zip(results, ([], [other]), strict=True):
        command = [sys.executable, "-c", script, sources, result, *kept]
        subprocess.run(
            command, check=True, env=os.environ | {"PYTHONPATH": str(EXTENSIONS)}
        )

    assert results[0].read_bytes() == results[1].read_bytes()


def test_two_runs_make_the_same_bytes(book: TinyBook) -> None:
    book.make_pdf("first")
    first = book.pdf.read_bytes()
    book.make_pdf("second")

    assert book.pdf.read_bytes() == first


def test_the_folder_holds_the_pdf_alone(book: TinyBook) -> None:
    book.make_pdf()

    assert [path.name for path in book.pdf.parent.iterdir()] == ["tiny.pdf"]


@pytest.mark.parametrize("paper", ["us-letter", "reader"])
def test_other_papers(book: TinyBook, paper: str) -> None:
    assert book.make_pdf(typst_paper=paper) == []

    with pikepdf.open(book.pdf) as document:
        _, _, width, height = map(float, document.pages[0].MediaBox)
    sizes = {"us-letter": (612, 792), "reader": (340, 476)}
    assert (width, height) == pytest.approx(sizes[paper], abs=1)


def test_long_code_and_wide_formulas_stay_within_the_margins(
    tiny_book: TinyBook,
) -> None:
    terms = " + ".join(f"x_{{{number}}}" for number in range(60))
    tiny_book.write(
        "book/chapter.md",
        f"# A chapter\n\n$$ s = {terms} $$ (eq-wide)\n\n"
        f"```python\ntotal = f({', '.join(['argument'] * 30)})\n```\n\n"
        "```{code-cell} python\n:snippet: chapter#data\n```\n",
    )

    assert tiny_book.make_pdf() == []
    assert pdf.outside(tiny_book.pdf, (93, 502)) == []
    assert "↪" in pdf.text(tiny_book.pdf)


def test_a_node_without_a_visitor_is_an_error(tiny_book: TinyBook) -> None:
    tiny_book.write("book/chapter.md", "# A chapter\n\n```{py:function} f(x)\n```\n")

    lines = tiny_book.make_pdf()

    assert lines == [
        "book/chapter.md:3: the PDF cannot show a desc; write it in another way, or "
        "add a visitor to typst_builder [typst.node]"
    ]
    assert not tiny_book.pdf.exists()


def test_what_typst_says_names_the_line_of_the_chapter(
    tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_book.write("book/chapter.md", "# A chapter\n\nText.\n\n$$\nx\n$$\n\nMore.\n")
    monkeypatch.setattr(markup, "symbol", lambda text: "unknown-name")

    [line] = tiny_book.make_pdf()

    assert line.startswith("book/chapter.md:5: Typst cannot set this: unknown variable")
    assert line.endswith("[typst.error]")


def test_a_broken_image_is_an_error(tiny_book: TinyBook) -> None:
    tiny_book.write("book/chapter.md", "# A chapter\n\nText.\n\n![A box.](box.svg)\n")
    tiny_book.write("book/box.svg", "<svg>not closed")

    [line] = tiny_book.make_pdf()

    assert re.match(r"book/chapter\.md:\d+: Typst cannot set this: ", line)


def test_a_failed_build_leaves_the_last_pdf(book: TinyBook) -> None:
    book.make_pdf()
    before = book.pdf.read_bytes()
    book.write("book/chapter.md", "# A chapter\n\n[x](#nowhere)\n")

    assert book.make_pdf()
    assert book.pdf.read_bytes() == before


def test_an_output_falls_back_to_a_form_for_paper(tiny_book: TinyBook) -> None:
    tiny_book.write(
        "snippets/chapter.py",
        '"""Cells."""\n\n# %% data\nclass Shown:\n'
        "    def _repr_mimebundle_(self, **kwargs):\n"
        '        return {"text/html": "<b>moves</b>", "text/plain": "standing still"}\n'
        "\n\nShown()\n",
    )
    tiny_book.write(
        "book/chapter.md",
        "# A chapter\n\n```{code-cell} python\n:snippet: chapter#data\n```\n",
    )

    assert tiny_book.make_pdf() == []
    assert "standing still" in pdf.text(tiny_book.pdf)


def test_the_template_is_the_books_own(tiny_book: TinyBook, tmp_path: Path) -> None:
    template = tmp_path / "other.typ"
    own = Path(__file__).parents[2] / "_config" / "typst" / "book.typ"
    template.write_text(own.read_text().replace("[Version #", "[Edition #"))

    tiny_book.make_pdf(typst_template=str(template))

    assert "Edition" in pdf.text(tiny_book.pdf)


def test_only_code_that_shows_something_takes_the_next_block_along(
    tiny_book: TinyBook,
) -> None:
    cells = [
        f"# %% cell-{name}\n" + "\n".join(f"{name}{n} = {n}" for n in range(18))
        for name in "abc"
    ]
    tiny_book.write("snippets/chapter.py", "\n\n".join([*cells, 'print("out", a1)\n']))
    drawn = "\n".join(
        f"```{{code-cell}} python\n:snippet: chapter#cell-{name}\n```\n"
        for name in "abc"
    )
    tiny_book.write("book/chapter.md", f"# A chapter\n\nSome words.\n\n{drawn}")
    assert tiny_book.make_pdf() == []
    pages = pdf.texts(tiny_book.pdf)
    [first] = [page for page in pages if "Some words." in page]
    [last] = [page for page in pages if "c17 = 17" in page]
    assert "a17 = 17" in first
    assert "b17 = 17" in first
    assert last != first
    assert "out 1" in last
