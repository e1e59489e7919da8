"""Build the book's pages: ``python _config/build_book.py`` → ``build/html``.

With the slug of a chapter, ``python _config/build_book.py tensors``, only that chapter
and the appendices are built, into ``build/chapter``; links to other chapters are not
checked then. ``--builder typst`` makes ``build/pdf/….pdf`` instead, and ``--builder
notebooks`` makes ``build/notebooks`` and ``build/notebooks.zip``.

``--without-answers`` withholds the answers of all chapters, or of those named in
``--without-answers=slug,slug``, and ``--with-answers`` shows all; each has a place of
its own, such as ``build/html-without-answers``. Otherwise ``book/answers.toml`` says
whose answers are withheld, on ``--day 2026-12-01``, on that of ``SOURCE_DATE_EPOCH``,
or today.

Every mistake is one line, ``book/tensors.md:42: what is wrong; remedy [category]``, and
all mistakes of the book are reported in one run. A build that fails leaves the pages of
the last good one where they are.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.console import nocolor
from sphinx.util.docutils import docutils_namespace, patch_docutils

from archive import pack
from author_errors import AuthorErrors
from light_files import lighten
from published_site import publish

ROOT = Path(__file__).resolve().parents[1]
# What cannot be resolved when the other chapters are left out.
OTHER_CHAPTERS = ["myst.xref_missing", "myst.xref_ambiguous", "toc", "ref"]
# Where a builder's result lies, if not in a folder of its name.
FOLDERS = {"typst": "pdf"}


def build(
    source: Path,
    target: Path,
    config: Path,
    *,
    root: Path = ROOT,
    overrides: dict[str, Any] | None = None,
    builder: str = "html",
    finish: Callable[[Sphinx], None] | None = None,
    beside: bool = False,
    errors: TextIO | None = None,
    status: TextIO | None = sys.stdout,
) -> int:
    """Build from nothing, aside; put the result in place if nothing is wrong.

    ``finish`` may change the pages of a good build before they are put in place; with
    ``beside`` the files of the result join those of other names in ``target``.

    Returns:
        0, or 1 when there was a mistake; ``target`` is then as it was before.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    stream = AuthorErrors(root, errors or sys.stderr)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".build-") as aside:
        pages = Path(aside, "pages")
        try:
            with patch_docutils(config), docutils_namespace():
                app = Sphinx(
                    source,
                    config,
                    pages,
                    Path(aside, "doctrees"),
                    builder,
                    overrides or {},
                    status=status,
                    warning=stream,  # type: ignore[arg-type]
                    warningiserror=True,
                )
                app.build()
        except SphinxError as error:
            stream.write(f"{error.category}: {error}\n")
        if stream.lines or app.statuscode:
            count = len(stream.lines)
            mistakes = "1 mistake" if count == 1 else f"{count} mistakes"
            stream.stream.write(f"{mistakes}: {target.name} is left as it was\n")
            return 1
        if finish:
            finish(app)
        # Doctrees serve nobody after the build, and another -W run over them would
        # not report again.
        if beside:
            target.mkdir(exist_ok=True)
            for file in pages.iterdir():
                file.replace(target / file.name)
        else:
            _replace(pages, target, Path(aside, "old"))
    return 0


def finish_site(app: Sphinx) -> None:
    """Make a built site light, and ready for its address if it has one."""
    pages = Path(app.outdir)
    lighten(pages)
    if app.config.html_baseurl:
        publish(pages, app.config.html_baseurl)


def _replace(new: Path, target: Path, old: Path) -> None:
    if target.exists():
        target.rename(old)
    new.rename(target)


def one_chapter(source: Path, slug: str) -> dict[str, Any]:
    """Settings that leave out all chapters but one.

    Raises:
        SystemExit: if there is no such chapter, with the list of those there are.
    """
    pages = {page.stem for page in source.glob("*.md")}
    if slug not in pages:
        raise SystemExit(f"no chapter {slug!r} (chapters: {', '.join(sorted(pages))})")
    kept = {slug, "index", "glossary", "references", "notation"}
    others = [f"{page}.md" for page in sorted(pages - kept)]
    return {
        "exclude_patterns": ",".join(others),
        "suppress_warnings": ",".join(OTHER_CHAPTERS),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapter", nargs="?", help="slug of the only chapter to build")
    parser.add_argument("--builder", default="html", help="a builder of Sphinx")
    parser.add_argument("--target", type=Path, help="folder of the result")
    parser.add_argument("--cache", help="folder of kept outcomes of cells")
    editions = parser.add_mutually_exclusive_group()
    editions.add_argument(
        "--without-answers",
        nargs="?",
        const="*",
        metavar="SLUG,SLUG",
        help="withhold the answers of all chapters, or of these",
    )
    editions.add_argument(
        "--with-answers", action="store_true", help="show all answers"
    )
    parser.add_argument("--day", help="on which the book is published: 2026-12-01")
    parser.add_argument("--paper", help="of the PDF: a4, us-letter or reader")
    options = parser.parse_args(arguments)
    if not sys.stdout.isatty():
        nocolor()
    # Its objects live to the end; to look for garbage takes a tenth of the time.
    gc.disable()
    source = ROOT / "book"
    overrides = one_chapter(source, options.chapter) if options.chapter else {}
    if options.cache:
        overrides["snippet_cache"] = options.cache
    if options.paper:
        overrides["typst_paper"] = options.paper
    edition = ""
    if options.day:
        overrides["edition_day"] = options.day
    if options.without_answers == "":
        parser.error("--without-answers= names no chapter")
    if options.without_answers is not None:
        overrides["without_answers"] = options.without_answers
        edition = "-without-answers"
    elif options.with_answers:
        overrides["without_answers"] = ""
        edition = "-with-answers"
    folder = "chapter" if options.chapter else FOLDERS.get(options.builder)
    folder = folder or options.builder
    # The settings put it into the name of the PDF, which the pages link to.
    os.environ["BOOK_EDITION"] = edition
    if options.builder != "typst":
        folder += edition
    target = options.target or ROOT / "build" / folder
    pdfs: list[str] = []
    finish: dict[str, Callable[[Sphinx], None]] = {
        "html": finish_site,
        "typst": lambda app: pdfs.append(app.config.typst_file),
    }
    result = build(
        source,
        target,
        ROOT / "_config",
        overrides=overrides,
        builder=options.builder,
        finish=finish.get(options.builder),
        beside=options.builder == "typst",
    )
    if result == 0 and options.builder == "html":
        page = f"{options.chapter}.html" if options.chapter else "index.html"
        print(f"built {os.path.relpath(target / page)}")
    if result == 0 and options.builder == "notebooks":
        archive = target.with_suffix(".zip")
        pack(target, archive)
        print(f"built {os.path.relpath(archive)}")
    if result == 0 and options.builder == "typst":
        for name in pdfs:
            print(f"built {os.path.relpath(target / name)}")
    return result


if __name__ == "__main__":
    result = main()
    gc.freeze()  # nor is the garbage freed at the end: that takes a second
    sys.exit(result)
