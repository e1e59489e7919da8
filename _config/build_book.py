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

What Sphinx has read is kept for the next build (``kept_reading``), which then reads the
changed pages alone; ``--fresh`` begins from nothing, and so does every build with a
``--target`` of its own.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.console import nocolor
from sphinx.util.docutils import docutils_namespace, patch_docutils

from archive import pack
from author_errors import AuthorErrors
from kept_reading import KeptReading
from light_files import lighten
from preview.watching import Places
from published_site import publish

ROOT = Path(__file__).resolve().parents[1]
# What cannot be resolved when the other chapters are left out.
OTHER_CHAPTERS = ["myst.xref_missing", "myst.xref_ambiguous", "toc", "ref"]
# Where a builder's result lies, if not in a folder of its name.
FOLDERS = {"typst": "pdf"}
# Those that need no more of a page than what Sphinx keeps of it.
REREADERS = ("html", "typst")


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
    kept: KeptReading | None = None,
    errors: TextIO | None = None,
    status: TextIO | None = sys.stdout,
) -> int:
    """Build aside; put the result in place if nothing is wrong.

    The build begins from nothing, or with the pages that ``kept`` has. ``finish`` may
    change the pages of a good build before they are put in place; with ``beside`` the
    files of the result join those of other names in ``target``.

    Returns:
        0, or 1 when there was a mistake; ``target`` is then as it was before.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    stream = AuthorErrors(root, errors or sys.stderr)
    workplace = kept.workplace if kept else _workplace
    with workplace(target.parent) as aside:
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
                if kept:
                    kept.outdate(app.env)
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
        # Only now: another run over pages that are read would not report again.
        if kept:
            kept.keep(app.env)
        if beside:
            target.mkdir(exist_ok=True)
            for file in pages.iterdir():
                file.replace(target / file.name)
        else:
            _replace(pages, target, Path(aside, "old"))
    return 0


def _workplace(parent: Path) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=parent, prefix=".build-")


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


def _parser() -> argparse.ArgumentParser:
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
    parser.add_argument(
        "--fresh", action="store_true", help="use nothing of what an earlier build read"
    )
    return parser


def _kept(
    options: argparse.Namespace, overrides: dict[str, Any], edition: str
) -> KeptReading | None:
    """What is kept for builds of this kind, each with a file of its own."""
    if options.builder not in REREADERS:
        return None
    kind = [options.builder, options.chapter and "chapter", options.paper]
    return KeptReading(
        ROOT / "build" / "reading" / ("-".join(filter(None, kind)) + edition),
        Places(ROOT, ROOT / "book", ROOT / "_config"),
        [str(ROOT), overrides, _surroundings()],
        fresh=options.fresh,
    )


def _surroundings() -> dict[str, str]:
    """What the settings take from outside of the book: variables, and the day."""
    found = {k: text for k, text in os.environ.items() if k.startswith("BOOK_")}
    day = os.environ.get("SOURCE_DATE_EPOCH") or str(date.today())
    return {**found, "day": day}


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = _parser()
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
        kept=None if options.target else _kept(options, overrides, edition),
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
    # As at any end, but that not every object is freed, which would take a second.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(result)
