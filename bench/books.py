"""Copies of the book to be timed, and the same chapters for plain MyST-NB.

``plain_book`` writes what an author would write without this project: the cells stand
in the chapters, values in sentences are typed, and Sphinx has the stock extensions.
What only this book checks (probes, formulas, expected outputs, messages) is left out.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from chapter_notebook import filled_text
from check_outputs import Executed
from figure_cells import find_figures
from snippet_cells import SnippetLibrary

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("_config", "snippets", "tests/outputs", "tests/faults", "CITATION.cff")
SHARED = ("build/node",)  # installed, not built
# Pages that chapters refer to; the appendices are made by this project's directives.
BESIDE = ("glossary", "references", "notation")
CELL = re.compile(r"^```\{code-cell\} python\n(?P<options>(?::.*\n)+)\s*^```$", re.M)
LABEL = re.compile(
    r"^\((?P<place>[a-z0-9-]+)\)=$|^:(?:label|name): (?P<name>[a-z0-9-]+)$", re.M
)
# By it MyST-NB knows a page with cells.
HEADER = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

"""
INDEX = "# The book\n\n```{{toctree}}\n:numbered:\n\n{pages}\n```\n"
PLAIN_CONF = """\
import sys
sys.modules["rfc3987_syntax"] = None  # comes with this project's live pages alone
project = "The same chapters"
extensions = ["myst_nb", "sphinx_exercise", "sphinxcontrib.bibtex"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
nb_execution_mode = "force"
nb_execution_timeout = 60
nb_ipywidgets_js = {}
numfig = True
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
html_theme = "sphinx_book_theme"
suppress_warnings = ["myst", "ref", "toc"]
"""


def own_book(folder: Path, repeated: Iterable[str] = (), times: int = 1) -> Path:
    """A copy of the project with nothing built; or one with copies of chapters."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            caches = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target, ignore=caches)
        else:
            shutil.copy(source, target)
    for name in SHARED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    if not repeated:
        shutil.copytree(ROOT / "book", folder / "book")
        return folder
    pages = [
        page for slug in repeated for page in _repeated(folder, slug, range(times))
    ]
    for name in (*(f"{page}.md" for page in BESIDE), "references.bib"):
        shutil.copy(ROOT / "book" / name, folder / "book")
    index = INDEX.format(pages="\n".join([*pages, *BESIDE]))
    (folder / "book/index.md").write_text(index, encoding="utf-8")
    with (folder / "_config/conf.py").open("a", encoding="utf-8") as conf:
        # What chapters say of those that are left out cannot be resolved.
        conf.write('suppress_warnings += ["myst.xref_missing", "toc", "ref"]\n')
    return folder


def _repeated(folder: Path, slug: str, numbers: Iterable[int]) -> Iterable[str]:
    """Copies of a chapter and its modules, each with labels of its own; their slugs."""
    module = slug.replace("-", "_")
    text = (ROOT / "book" / f"{slug}.md").read_text(encoding="utf-8")
    labels = {
        slug,
        *(match["place"] or match["name"] for match in LABEL.finditer(text)),
    }
    longest = "|".join(sorted(map(re.escape, labels), key=len, reverse=True))
    label = re.compile(rf"(?<![\w-])(?:{longest})(?![\w-])")
    for number in numbers:
        files = {
            f"book/{slug}.md": f"book/{slug}-{number}.md",
            f"snippets/{module}.py": f"snippets/{module}_{number}.py",
            f"snippets/checks/{module}.py": f"snippets/checks/{module}_{number}.py",
            f"tests/outputs/{slug}.toml": f"tests/outputs/{slug}-{number}.toml",
        }
        for source, target in files.items():
            old = (ROOT / source).read_text(encoding="utf-8")
            if not source.startswith("tests"):
                old = label.sub(rf"\g<0>-{number}", old)
            new = old.replace(f"{module}#", f"{module}_{number}#")
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            (folder / target).write_text(new, encoding="utf-8")
        yield f"{slug}-{number}"


def plain_book(folder: Path, chapters: dict[str, Executed]) -> Path:
    """The same chapters with their cells written inline, for plain MyST-NB."""
    folder.mkdir(parents=True)
    library = SnippetLibrary(ROOT)
    for slug, chapter in chapters.items():
        filled = filled_text(chapter.text, chapter.chapter, chapter.outcome.values)
        text = HEADER + plain_text(filled, library)
        (folder / f"{slug}.md").write_text(text, encoding="utf-8")
    for name in (*(f"{page}.md" for page in BESIDE), "references.bib"):
        shutil.copy(ROOT / "book" / name, folder)
    index = INDEX.format(pages="\n".join([*chapters, *BESIDE]))
    (folder / "index.md").write_text(index, encoding="utf-8")
    (folder / "conf.py").write_text(PLAIN_CONF, encoding="utf-8")
    return folder


def plain_text(text: str, library: SnippetLibrary) -> str:
    """A chapter's Markdown with its cells inline and its figures as cells."""
    text, figures = find_figures(text)

    def inline(match: re.Match[str]) -> str:
        options = dict(re.findall(r"^:([\w-]+): ?(.*)$", match["options"], re.M))
        cell = library.cell(options["snippet"])
        tags = ["raises-exception"] if cell.raises else []
        caption = ""
        if "figure" in options:
            tags.append("remove-input")
            caption = f"\n\n{figures[int(options['figure'])].caption.strip()}\n"
        head = f":tags: [{', '.join(tags)}]\n\n" if tags else ""
        return f"```{{code-cell}} python\n{head}{cell.source}\n```{caption}"

    return CELL.sub(inline, text)
