"""A book of a few lines in a temporary folder, built with the book's own machinery."""

from __future__ import annotations

import io
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from author_errors import AuthorErrors
from build_book import build
from kept_reading import KeptReading

CONFIG = Path(__file__).parent / "roots" / "tiny"
ROOT = Path(__file__).parents[1]
SNIPPETS = (ROOT / "snippets" / "__init__.py").read_text()

PDF_EXTENSIONS = [
    "executed_chapters",
    "answers",
    "alternative_texts",
    "mathml",
    "typst_builder",
    "sphinxcontrib.bibtex",
]
MACROS = {r"\abs": r"\lvert #1 \rvert"}
PDF_SETTINGS = {
    "typst_file": "tiny.pdf",
    "typst_template": str(ROOT / "_config" / "typst" / "book.typ"),
    "typst_date": "2026-11-24",
    "language": "en-GB",
    "mathml_macros": MACROS,
}

CHAPTER = """\
# A chapter

```{code-cell} python
:snippet: chapter#data
```

The value is {eval}`x`.
"""
SNIPPET = '''\
"""Cells of the chapter."""

from snippets import raises

# %% data
x = 20 + 3
print("x is", x)
'''


class TinyBook:
    """An index, one chapter and its snippet module, all to be overwritten."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.html = root / "build" / "html"
        monkeypatch.setenv("TINY_BOOK", str(root))
        self.write("snippets/__init__.py", SNIPPETS)
        self.write("snippets/chapter.py", SNIPPET)
        self.write("book/references.bib", "")
        self.index("chapter")
        self.write("book/chapter.md", CHAPTER)

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file of the tiny project; text is dedented."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, str):
            text = textwrap.dedent(text).encode()
        file.write_bytes(text)

    def index(self, *chapters: str) -> None:
        """Write the index with these chapters in its contents."""
        lines = "\n".join(chapters)
        self.write(
            "book/index.md",
            f"# Tiny\n\n```{{toctree}}\n:numbered:\n\n{lines}\n```\n",
        )

    def build(self, *, kept: KeptReading | None = None, **settings: Any) -> list[str]:
        """Build from nothing or what was kept; the lines that an author sees."""
        errors = io.StringIO()
        self.status = build(
            self.root / "book",
            self.html,
            CONFIG,
            root=self.root,
            overrides=settings,
            kept=kept,
            errors=errors,
            status=None,
        )
        lines = errors.getvalue().splitlines()
        assert bool(lines) == bool(self.status), lines
        return lines[:-1]

    def make_pdf(
        self, name: str = "pdf", *, kept: KeptReading | None = None, **settings: Any
    ) -> list[str]:
        """Make the PDF, from nothing or what was kept; the lines that an author sees.

        ``pages_read`` is how many pages Sphinx has read.
        """
        errors, status = io.StringIO(), io.StringIO()
        self.pdf = self.root / "build" / name / "tiny.pdf"
        self.status = build(
            self.root / "book",
            self.pdf.parent,
            CONFIG,
            root=self.root,
            overrides={"extensions": PDF_EXTENSIONS, **PDF_SETTINGS, **settings},
            builder="typst",
            kept=kept,
            errors=errors,
            status=status,
        )
        self.pages_read = pages_read(status.getvalue())
        lines = errors.getvalue().splitlines()
        assert bool(lines) == bool(self.status), lines
        return lines[:-1]

    def build_incrementally(
        self, target: str = "incremental", **settings: Any
    ) -> list[str]:
        """Build over what an earlier call left, as the preview does."""
        folder = self.root / "build" / target
        stream = AuthorErrors(self.root, io.StringIO())
        with patch_docutils(CONFIG), docutils_namespace():
            app = Sphinx(
                self.root / "book",
                CONFIG,
                folder,
                self.root / "build" / f"{target}-doctrees",
                "html",
                settings,
                status=None,
                warning=stream,
                warningiserror=True,
            )
            app.build()
        return stream.lines

    def page(self, name: str, folder: str = "html") -> str:
        """The HTML of a built page."""
        return (self.root / "build" / folder / f"{name}.html").read_text()


def pages_read(status: str) -> int:
    """How many pages a build has read, by its own words."""
    added, changed = re.findall(r"(\d+) added, (\d+) changed, \d+ removed", status)[0]
    return int(added) + int(changed)


@pytest.fixture
def tiny_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyBook:
    """A book that builds, to be damaged."""
    return TinyBook(tmp_path, monkeypatch)
