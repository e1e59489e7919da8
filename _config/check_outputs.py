"""Compare what the cells show with ``tests/outputs``: ``nox -s outputs``.

Every cell whose output differs from its expectation is one line with its place, and
below all of them stands what differs, before (``-``) and after (``+``).
With ``--accept`` the outputs of today become the expectations, of all chapters or of
those named; kinds, tolerances and the names of tests stay.

Cells run as in a build, and those that a build has run are not run again.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

from myst_parser.config.main import MdParserConfig

from chapter_notebook import Chapter, Problem, read_chapter
from execution import Outcome, Settings, run_chapters
from expected_outputs import (
    BadExpectations,
    Expectation,
    Shown,
    accepted,
    compare,
    read_expectations,
    readable_difference,
    shown_by,
    write_expectations,
)
from snippet_cells import SnippetLibrary

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Executed:
    """A chapter that has been run: its text, its cells, and what they gave."""

    slug: str
    text: str
    chapter: Chapter
    outcome: Outcome

    def shown(self) -> list[Shown]:
        """The cells that showed something."""
        return shown_by(self.chapter, self.outcome)

    def problems(self) -> list[Problem]:
        """The mistakes that a build would report."""
        return [*self.chapter.problems, *self.outcome.problems]


def execute(root: Path = ROOT, cache: Path | None = None) -> dict[str, Executed]:
    """Run every page of the book that has cells, as a build does; by slug."""
    settings = runpy.run_path(str(ROOT / "_config" / "conf.py"))
    config = MdParserConfig(enable_extensions=settings["myst_enable_extensions"])
    library = SnippetLibrary(root)
    pages = sorted((root / "book").glob("*.md"))
    texts = {page.stem: page.read_text(encoding="utf-8") for page in pages}
    chapters = {
        slug: read_chapter(text, library, config) for slug, text in texts.items()
    }
    work = {
        slug: (chapter, library.digest(library.dependencies(chapter.modules)))
        for slug, chapter in chapters.items()
        if chapter.code_cells()
    }
    outcomes = run_chapters(
        work,
        Settings(root, cache or root / "build" / "cells", settings["snippet_timeout"]),
        lambda line: print("running cells", line),
    )
    return {
        slug: Executed(slug, texts[slug], chapters[slug], outcome)
        for slug, outcome in outcomes.items()
    }


def expectations_file(slug: str, root: Path = ROOT) -> Path:
    """Where the expectations of a chapter are."""
    return root / "tests" / "outputs" / f"{slug}.toml"


def expectations(slug: str, root: Path = ROOT) -> dict[str, Expectation]:
    """The expectations of a chapter; none if there is no file.

    Raises:
        BadExpectations: with the name of the file.
    """
    file = expectations_file(slug, root)
    if not file.is_file():
        return {}
    try:
        return read_expectations(file.read_text(encoding="utf-8"))
    except BadExpectations as error:
        raise BadExpectations(f"{file.relative_to(root).as_posix()}: {error}") from None


def one_line(slug: str, problem: Problem) -> str:
    """``book/tensors.md:42: what; remedy [category]``."""
    return f"book/{slug}.md:{problem.line}: {problem.message} [{problem.category}]"


def mistakes(page: Executed, root: Path = ROOT) -> Iterator[str]:
    """Where a page and its expectations part, one line each."""
    file = expectations_file(page.slug, root).relative_to(root).as_posix()
    found = page.problems()
    if not found:
        found += compare(file, page.shown(), expectations(page.slug, root))
    for problem in found:
        yield one_line(page.slug, problem)


def differences(page: Executed, root: Path = ROOT) -> Iterator[str]:
    """What the page's cells showed and show, for those that differ."""
    yield from readable_difference(page.shown(), expectations(page.slug, root))


def accept(page: Executed, root: Path = ROOT) -> None:
    """Make what the page shows its expectations."""
    new = accepted(page.shown(), expectations(page.slug, root))
    file = expectations_file(page.slug, root)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(write_expectations(new), encoding="utf-8")


def chosen(pages: dict[str, Executed], slugs: Iterable[str]) -> list[Executed]:
    """The pages of these names, or all.

    Raises:
        SystemExit: for a name that no page with cells has.
    """
    for slug in slugs:
        if slug not in pages:
            raise SystemExit(f"no cells in {slug!r} (chapters: {', '.join(pages)})")
    return [pages[slug] for slug in slugs or pages]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="slugs; all chapters if none")
    parser.add_argument("--accept", action="store_true", help="write the expectations")
    options = parser.parse_args(arguments)
    pages = chosen(execute(root), options.chapters)
    try:
        lines = {page.slug: list(mistakes(page, root)) for page in pages}
        for line in (line for found in lines.values() for line in found):
            print(line)
        for page in pages:
            print(*(f"{line}\n" for line in differences(page, root)), sep="", end="")
    except BadExpectations as error:
        print(error)
        return 1
    if options.accept:
        for page in pages:
            if not page.problems():
                accept(page, root)
        broken = [page.slug for page in pages if page.problems()]
        print("accepted" + (f", but for {', '.join(broken)}" if broken else ""))
        return int(bool(broken))
    return int(any(lines.values()))


if __name__ == "__main__":
    sys.exit(main())
