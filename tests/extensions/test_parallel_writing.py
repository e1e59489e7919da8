"""Pages that are written side by side are those that are written one by one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tiny_book import TinyBook

EXTENSION = '''\
"""Notes on every page which process writes it."""

import os


def note(app, page, template, context, document):
    if document is not None:
        file = os.path.join(app.srcdir, f"{page}.writer")
        with open(file, "w") as note:
            note.write(str(os.getpid()))


def setup(app):
    app.connect("html-page-context", note)
'''
EXTENSIONS = [
    "executed_chapters",
    "answers",
    "mathml",
    "inline_styles",
    "incremental",
    "parallel_writing",
    "sphinxcontrib.bibtex",
    "writers",
]


def content(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_several_processes_give_the_same_bytes(
    tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_book.write("writers.py", EXTENSION)
    monkeypatch.syspath_prepend(tiny_book.root)
    names = [f"page{number}" for number in range(8)]
    for number, name in enumerate(names):
        tiny_book.write(
            f"book/{name}.md",
            f"(at-{name})=\n# Page {number}\n\nSee [](#at-{names[number - 1]}) and "
            rf"$\begin{{pmatrix}} {number} \\ x \end{{pmatrix}}$.",
        )
    tiny_book.index("chapter", *names)
    settings = {"extensions": EXTENSIONS, "html_math_renderer": "mathml"}
    built = {}
    for processes in (1, 4):
        assert tiny_book.build(**settings, write_processes=processes) == []
        built[processes] = content(tiny_book.html)
        written = {
            int(file.read_text()) for file in (tiny_book.root / "book").glob("*.writer")
        }
        assert (written == {os.getpid()}) == (processes == 1)
    assert built[1] == built[4]


def test_a_mistake_that_a_writing_process_finds_is_reported(
    tiny_book: TinyBook,
) -> None:
    for number in range(8):
        tiny_book.write(f"book/page{number}.md", f"# Page {number}\n")
    tiny_book.write("book/page7.md", "# Page 7\n\n```nonsense\n1 + \n```\n")
    tiny_book.index("chapter", *(f"page{number}" for number in range(8)))
    extensions = ["executed_chapters", "answers", "parallel_writing"]
    [line] = tiny_book.build(
        extensions=[*extensions, "sphinxcontrib.bibtex"], write_processes=4
    )
    assert line.startswith("book/page7.md:3: ")
    assert "nonsense" in line
