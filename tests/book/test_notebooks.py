"""What must hold of the notebooks of the whole book."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from nbformat import NotebookNode

from check_outputs import Executed
from snippets.exercises import exercises
from tests.book.test_built_book import site
from tests.book.test_structure import CHAPTERS, chapter, module
from tests.cells import LIBRARY, ROOT

__all__ = ["site"]
MARKDOWN = MarkdownIt("commonmark").enable("table")
FORMULA = re.compile(r"\$\$.+?\$\$|(?<!\\)\$(?:\\.|[^$\\])+\$")
FENCED = re.compile(r"^((?:> | )*)(`{3,}).*?^\1\2$", re.M | re.S)
INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")


@pytest.fixture(scope="session")
def folder(
    tmp_path_factory: pytest.TempPathFactory, executed: dict[str, Executed]
) -> Path:
    """The folder of notebooks, as unpacked from the ZIP file."""
    target = tmp_path_factory.mktemp("notebooks") / "build" / "notebooks"
    command = [sys.executable, str(ROOT / "_config" / "build_book.py")]
    options = ["--builder", "notebooks", "--cache", str(ROOT / "build" / "cells")]
    options.append("--with-answers")  # also those that are not published yet
    done = subprocess.run(
        [*command, *options, "--target", str(target)],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    unpacked = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(target.with_suffix(".zip")) as archive:
        archive.extractall(unpacked)
    return unpacked / "notebooks"


@pytest.fixture(scope="session")
def notebooks(folder: Path) -> dict[str, NotebookNode]:
    """All notebooks by the name of their page."""
    found = {
        file.stem: nbformat.read(file, as_version=4)
        for file in sorted(folder.glob("*.ipynb"))
    }
    assert {*CHAPTERS, "index", "glossary"} <= found.keys()
    return found


def texts(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(text: str) -> str:
    """Markdown without its code and its formulas."""
    return FORMULA.sub(" ", INLINE_CODE.sub(" ", FENCED.sub(" ", text)))


def test_each_notebook_is_valid_and_was_run(notebooks: dict[str, NotebookNode]) -> None:
    for notebook in notebooks.values():
        nbformat.validate(notebook)
        numbers = [cell.execution_count for cell in code(notebook)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert notebook.metadata.kernelspec.name == "python3"


def test_a_chapter_has_the_cells_of_its_page_in_order(
    notebooks: dict[str, NotebookNode],
) -> None:
    for slug in CHAPTERS:
        cells = LIBRARY.cells(module(slug))
        outside = drawn_outside_answers(slug)
        stubs = {it.cell for it in exercises(slug)}
        found = [cell for cell in code(notebooks[slug]) if cell.source not in stubs]
        assert [cell.source for cell in found] == [
            cells[name].source for name in outside
        ]
        for name, cell in zip(outside, found, strict=True):
            raised = [it for it in cell.outputs if it.output_type == "error"]
            assert bool(raised) == bool(cells[name].raises)
            assert ("raises-exception" in cell.metadata.get("tags", ())) == bool(raised)


def drawn_outside_answers(slug: str) -> list[str]:
    text = re.sub(r"(?s):::\{solution-start\}.*?:::\{solution-end\}", "", chapter(slug))
    return re.findall(r"^(?::snippet:|:::\{figure\}) \w+#(\S+)$", text, re.M)


def test_each_stub_stands_below_its_question(
    notebooks: dict[str, NotebookNode],
) -> None:
    for slug in CHAPTERS:
        cells = notebooks[slug].cells
        for it in exercises(slug):
            [place] = [n for n, cell in enumerate(cells) if cell.source == it.cell]
            assert re.match(r"#+ Exercise \d+\.\d+\. ", cells[place - 1].source)
            assert "<summary>Answer to Exercise" in cells[place + 1].source
            [output] = cells[place].outputs
            assert "not filled in yet" in output.text


def test_no_markup_of_the_book_is_left(notebooks: dict[str, NotebookNode]) -> None:
    for name, notebook in notebooks.items():
        for text in texts(notebook):
            rest = prose(text)
            assert not re.search(r"\{[a-z:]+\}\s*`|:::|^```\{|^%\s", rest, re.M), name
            assert "%" not in re.findall(r"\]\((.)", rest), name
            assert not re.search(r"^\(\S+\)=$", rest, re.M), name
        for cell in code(notebook):
            assert cell.metadata.keys() <= {"tags", "jupyter"}, name


def test_no_macro_of_the_book_is_left(notebooks: dict[str, NotebookNode]) -> None:
    macros = re.findall(
        r"^'\\(\w+)'", (ROOT / "_config" / "macros.toml").read_text(), re.M
    )
    own = re.compile(rf"\\(?:{'|'.join(macros)})(?![A-Za-z])")
    plain_words = {"\\" + name for name in ("Pr",)}
    count = 0
    for name, notebook in notebooks.items():
        for text in texts(notebook):
            formulas = FORMULA.findall(FENCED.sub("", text))
            count += len(formulas)
            for formula in formulas:
                used = set(own.findall(formula)) - plain_words
                assert not used, (name, formula)
    assert count > 1000


def test_the_only_html_is_what_viewers_keep(notebooks: dict[str, NotebookNode]) -> None:
    allowed = {"details", "summary", "sub", "sup", "br"}
    for name, notebook in notebooks.items():
        for text in texts(notebook):
            found = BeautifulSoup(prose(text), "lxml").find_all(True)
            used = {tag.name for tag in found} - {"html", "body", "p"}
            assert used <= allowed, name
            assert text.count("<details>") == text.count("</details>")


def test_the_sentences_of_a_page_are_those_of_its_notebook(
    site: Path, notebooks: dict[str, NotebookNode]
) -> None:
    """By the words of each paragraph of the page that has no formula."""
    for slug in CHAPTERS:
        page = BeautifulSoup((site / f"{slug}.html").read_text(), "lxml")
        shown = " ".join(
            words(BeautifulSoup(MARKDOWN.render(text), "lxml").get_text(" "))
            for text in texts(notebooks[slug])
        )
        count = 0
        for paragraph in page.select("article p"):
            if paragraph.select(".math, .headerlink") or "answer-link" in (
                paragraph.get("class") or ()
            ):
                continue
            text = words(paragraph.get_text(" "))
            if not text or paragraph.find_parent(class_="check"):
                continue
            count += 1
            assert text in shown, (slug, text)
        assert count > 30


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


def test_every_link_leads_to_a_heading(notebooks: dict[str, NotebookNode]) -> None:
    """As JupyterLab names it: the text of the heading with hyphens for blanks."""
    headings = {
        name: {
            anchor(line)
            for text in texts(notebook)
            for line in FENCED.sub("", text).splitlines()
            if line.startswith("#")
        }
        for name, notebook in notebooks.items()
    }
    count = 0
    for name, notebook in notebooks.items():
        for text in texts(notebook):
            for target in re.findall(r"\]\(([^()\s]*)\)", prose(text)):
                if "://" in target:
                    continue
                file, _, fragment = target.partition("#")
                page = file.removesuffix(".ipynb") or name
                assert page in notebooks, (name, target)
                assert not fragment or unquote(fragment) in headings[page], target
                count += 1
    assert count > 500


def anchor(heading: str) -> str:
    """What is seen of a heading, where formulas stand as they are written."""
    line = re.sub(r"^#+ ", "", heading)
    pieces = re.split(r"(\$[^$]+\$)", line)
    seen = [
        piece
        if piece.startswith("$")
        else "".join(
            child.content
            for token in MARKDOWN.parseInline(piece)
            for child in token.children or ()
        )
        if piece.strip()
        else piece
        for piece in pieces
    ]
    return "".join(seen).strip().replace(" ", "-")


def test_a_figure_is_an_image_for_every_viewer(
    notebooks: dict[str, NotebookNode],
) -> None:
    count = 0
    for slug in CHAPTERS:
        for place, cell in enumerate(notebooks[slug].cells):
            if "hide-input" not in cell.metadata.get("tags", ()):
                continue
            assert cell.metadata.jupyter.source_hidden
            [output] = cell.outputs
            assert output.data.keys() == {"image/svg+xml", "image/png", "text/plain"}
            png = base64.b64decode(output.data["image/png"])
            assert png.startswith(b"\x89PNG")
            assert 4_000 < len(png) < 200_000
            alt = output.data["text/plain"]
            svg = BeautifulSoup(output.data["image/svg+xml"], "xml").svg
            assert svg["aria-label"] == alt
            assert output.metadata["image/png"]["width"] == round(float(svg["width"]))
            caption = notebooks[slug].cells[place + 1].source
            assert re.match(r"\*\*Fig\. \d+\.\d+\.\*\* ", caption)
            count += 1
    assert count > 15


def test_equations_have_the_numbers_of_the_pages(
    site: Path, notebooks: dict[str, NotebookNode]
) -> None:
    for slug in CHAPTERS:
        page = BeautifulSoup((site / f"{slug}.html").read_text(), "lxml")
        web = [
            re.sub(r"[^\d.]", "", number.get_text()) for number in page.select(".eqno")
        ]
        own = re.findall(r"\\tag\{([\d.]+)\}", "\n".join(texts(notebooks[slug])))
        assert own == web


def test_only_what_cells_import_lies_beside_them(folder: Path) -> None:
    """No module of a chapter: it holds the answers."""
    shipped = {path.relative_to(folder).parts[1] for path in folder.rglob("*.py")}
    assert shipped == {"__init__.py", "figures", "exercises"}
    everything = b"".join(path.read_bytes() for path in folder.rglob("*.py"))
    for slug in CHAPTERS:
        for it in exercises(slug):
            assert it.stub.encode().splitlines()[0] in everything
    for name in ("answer-", "by_hand"):
        assert name.encode() not in everything


def test_the_requirements_are_few_and_pinned(folder: Path) -> None:
    lines = (folder / "requirements.txt").read_text().split()
    constraints = (ROOT / "constraints.txt").read_text().split()
    assert {line.partition("==")[0] for line in lines[:-1]} == {
        "ipykernel",
        "matplotlib",
        "numpy",
        "pygraphviz",
        "torch",
    }
    assert set(lines[:-1]) <= set(constraints)
    assert lines[-1] == "jupyterlab>=4"
    imported = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    pinned = {line.partition("==")[0] for line in lines}
    assert imported - sys.stdlib_module_names - {"snippets"} <= pinned


def test_the_readme_says_how_to_begin(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert "pip install -r requirements.txt" in text
    assert "torch==" in text
    assert (folder / "index.ipynb").is_file()


def test_two_builds_give_the_same_notebook(folder: Path) -> None:
    """Nothing of a machine or of a moment is in it."""
    for file in folder.glob("*.ipynb"):
        text = file.read_text()
        assert str(ROOT) not in text
        assert str(Path.home()) + "/" not in text
        ids = [cell["id"] for cell in json.loads(text)["cells"]]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"(text|cell|exercise)-[a-z0-9-]+", it) for it in ids)
