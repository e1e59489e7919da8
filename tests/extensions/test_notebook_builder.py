"""The notebooks of tiny books: every kind of node, links, stubs, errors."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from archive import pack
from build_book import build
from check_notebooks import differences
from expected_outputs import Expectation
from notebook_builder.package import imports, parts, requirements
from tests.every_node import write_every_node
from tests.tiny_book import CONFIG, MACROS, TinyBook

EXTENSIONS = [
    "executed_chapters",
    "answers",
    "alternative_texts",
    "mathml",
    "typst_builder",
    "notebook_builder",
    "sphinxcontrib.bibtex",
]
CONSTRAINTS = "ipykernel==7\nmatplotlib==3\ntorch==2.13.0\n"
EXERCISES = """\
from dataclasses import dataclass


@dataclass
class Exercise:
    label: str
    cell: str


EXERCISES = {
    "chapter/ask": Exercise(
        "ex-chapter-ask",
        "from snippets.exercises import check\\n\\nit = ...\\n\\ncheck(it)",
    )
}


def check(it):
    print("unfilled" if it is ... else "filled")
"""


@pytest.fixture
def book(tiny_book: TinyBook) -> TinyBook:
    write_every_node(tiny_book)
    tiny_book.write("snippets/exercises/__init__.py", EXERCISES)
    tiny_book.write("constraints.txt", CONSTRAINTS)
    return tiny_book


def make(book: TinyBook, **settings: Any) -> list[str]:
    """Make the notebooks; the lines that an author sees."""
    errors = io.StringIO()
    status = build(
        book.root / "book",
        book.root / "build" / "notebooks",
        CONFIG,
        root=book.root,
        overrides={
            "extensions": EXTENSIONS,
            "notebook_constraints": str(book.root / "constraints.txt"),
            "mathml_macros": MACROS,
            **settings,
        },
        builder="notebooks",
        errors=errors,
        status=None,
    )
    lines = errors.getvalue().splitlines()
    assert bool(lines) == bool(status), lines
    return lines[:-1]


def read(book: TinyBook, name: str = "chapter") -> NotebookNode:
    path = book.root / "build" / "notebooks" / f"{name}.ipynb"
    return nbformat.read(path, as_version=4)


def test_every_kind_of_node_is_plain_markdown(book: TinyBook) -> None:
    assert make(book) == []
    notebook = read(book)
    text = "\n\n".join(
        cell.source for cell in notebook.cells if cell.cell_type == "markdown"
    )
    for part in (
        "# 1 A chapter\n\nSome *emphasis*, **strength**, `code_x`, H<sub>2</sub>O and "
        r"e<sup>x</sup>, a formula $x \lt  2$, a [link](https://example.org/a_b), "
        r"[one inside](#1.1-A-second-%24x%5E2%24-section), "
        "[the other page](words.ipynb#Words), [leaf](words.ipynb#Words) and a mark "
        "\\#1 \\[x\\] 2\\*3\\*4.",
        "- one\n\n- two\n\n  with a second paragraph",
        "3. three\n\n4. four\n\n   $$ a = b $$",
        "## 1.1 A second $x^2$ section\n\n> A quotation.\n\n---",
        "> **Note**\n>\n> A note’s text.",
        "> **A title of its own**\n>\n> Its text.",
        "| head a | head b |\n| --- | ---: |\n| cell `a\\|b` | $\\lvert y \\rvert$ |\n"
        "| cell two |  |\n| cell three | 3 |",
        r"$$ \begin{aligned} a &= b \\ &= c \end{aligned} \tag{1.1} $$",
        "See [(1.1)](#1.1-A-second-%24x%5E2%24-section) and [Fig. 1.1](#1.1-",
        "![A square.](images/tiny.svg)\n\n**Fig. 1.1.** The caption of it.",
        '```python\nshown = "only"\n```',
        "**A rubric**\n\nA footnote<sup>1</sup>.",
        "\\[1\\] What it says.",
        "- **Term**: Its definition.",
        "### Exercise 1.1. Build: a *title*\n\nWhat is it?",
        "<details>\n<summary>Answer to Exercise 1.1</summary>\n\nIt is an answer.\n\n"
        "```python\nx + 1\n```\n\n> ```\n> 24\n> ```\n\n</details>",
    ):
        assert part in text, part
    assert (book.root / "build/notebooks/images/tiny.svg").is_file()


def test_code_cells_are_clean_and_numbered(book: TinyBook) -> None:
    assert make(book) == []
    cells = [cell for cell in read(book).cells if cell.cell_type == "code"]
    data, stub = cells
    assert data.source.startswith("from snippets import helper")
    assert (data.id, data.execution_count, data.metadata) == ("cell-data", 1, {})
    assert data.outputs[0].text == "x is 23\n"
    assert (stub.id, stub.execution_count) == ("exercise-chapter-ask", 2)
    assert stub.outputs[0].text == "unfilled\n"
    assert stub.metadata.tags == ["exercise"]


def test_what_cells_import_lies_beside_them_and_no_chapter(book: TinyBook) -> None:
    assert make(book) == []
    folder = book.root / "build" / "notebooks"
    shipped = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    assert shipped == {
        "snippets/__init__.py",
        "snippets/helper/__init__.py",
        "snippets/exercises/__init__.py",
    }
    assert (folder / "requirements.txt").read_text() == "ipykernel==7\njupyterlab>=4\n"


def test_a_node_without_a_visitor_is_a_located_error(book: TinyBook) -> None:
    book.write("book/words.md", "# Words\n\n```{py:function} f(x)\n```\n")
    book.write("book/chapter.md", "# A chapter\n")
    [line] = make(book)
    assert line.startswith("book/words.md:3: a notebook cannot show a desc;")
    assert not (book.root / "build" / "notebooks").exists()


def test_a_package_that_is_not_pinned_is_an_error(book: TinyBook) -> None:
    book.write("snippets/helper/__init__.py", "import numpy\n\nX = 23\n")
    [line] = make(book)
    assert "cells import 'numpy', which constraints.txt does not pin" in line


def test_a_broken_package_of_exercises_is_an_error(book: TinyBook) -> None:
    book.write("snippets/exercises/__init__.py", "import no_such_module\n")
    [line] = make(book)
    assert "snippets.exercises cannot be imported: ModuleNotFoundError" in line


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    source = "def f():\n    import a.b\n    from snippets.figures import plots as p\n"
    assert imports(source) == {"a.b", "snippets.figures", "snippets.figures.plots"}
    (tmp_path / "figures").mkdir()
    (tmp_path / "chapter.py").touch()
    for name in ("__init__.py", "figures/__init__.py", "figures/plots.py"):
        (tmp_path / name).touch()
    found = parts([source, "from snippets.chapter import x"], tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in found]
    assert names == ["__init__.py", "figures/__init__.py", "figures/plots.py"]
    assert parts(["import torch"], tmp_path) == []


def test_requirements_are_pinned() -> None:
    found = requirements(["import torch, re", "from snippets import x"], CONSTRAINTS)
    assert found == "ipykernel==7\ntorch==2.13.0\njupyterlab>=4\n"


def test_the_same_folder_gives_the_same_archive(tmp_path: Path) -> None:
    (tmp_path / "notebooks" / "inner").mkdir(parents=True)
    (tmp_path / "notebooks" / "inner" / "a.txt").write_text("a")
    archive = tmp_path / "notebooks.zip"
    pack(tmp_path / "notebooks", archive)
    first = archive.read_bytes()
    (tmp_path / "notebooks" / "inner" / "a.txt").touch()
    pack(tmp_path / "notebooks", archive)
    assert archive.read_bytes() == first


def notebook(*outputs: NotebookNode, source: str = "x") -> NotebookNode:
    cell = new_code_cell(source, id="cell-a", outputs=list(outputs), execution_count=1)
    return new_notebook(cells=[cell])


def stream(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text)


def failed(*lines: str) -> NotebookNode:
    return new_output("error", ename="E", evalue="", traceback=list(lines))


@pytest.mark.parametrize(
    ("book", "run", "part"),
    [
        (notebook(stream("1.00")), notebook(stream("1.00")), None),
        (notebook(stream("1.00")), notebook(stream("1.01")), None),
        (notebook(stream("1.00")), notebook(stream("1."), stream("00")), None),
        (notebook(stream("1.00")), notebook(stream("1.10")), "number 1 is 1.10"),
        (notebook(stream("1.00")), notebook(stream("a")), "the text around"),
        (notebook(stream("1.00")), notebook(), "the text around"),
        (notebook(failed("E", "a")), notebook(failed("E", "a")), None),
        (notebook(failed("E", "a")), notebook(failed("E", "b")), "another error"),
        (notebook(failed("E", "a")), notebook(), "another error"),
        (notebook(), notebook(source="y"), "the cells are others"),
        (
            notebook(new_output("display_data", data={"image/svg+xml": "<svg/>"})),
            notebook(new_output("display_data", data={})),
            "a figure is missing",
        ),
    ],
)
def test_a_run_is_compared_with_the_book(
    book: NotebookNode, run: NotebookNode, part: str | None, tmp_path: Path
) -> None:
    expected = {"a": Expectation("1.00", "numbers", abs=0.01)}
    if "1.00" not in str(book):
        expected = {}
    found = list(differences(book, run, expected, tmp_path))
    assert len(found) == (part is not None)
    assert part is None or part in found[0]


def test_a_cell_that_was_not_run_is_a_difference(tmp_path: Path) -> None:
    run = notebook()
    run.cells[0].execution_count = None
    [line] = differences(notebook(), run, {}, tmp_path)
    assert line == "cell-a: it was not run"
