"""Compute the formulas of chapters and say which are false, or not computed.

    python _config/check_equations.py linear-regression

The values of ``{eval}`` in formulas come from the chapter's cells, which are run unless
they are known from an earlier build. Exits with 1 if something is wrong.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "_config" / "extensions")]

from chapter_notebook import filled_text, read_chapter  # noqa: E402
from equations.report import problems  # noqa: E402
from equations.running import check_pages  # noqa: E402
from execution import Settings, run_chapters  # noqa: E402
from snippet_cells import SnippetLibrary  # noqa: E402


def filled(slugs: list[str]) -> dict[str, str]:
    """The Markdown of chapters with the values of ``{eval}`` in place."""
    library = SnippetLibrary(ROOT)
    texts = {
        slug: (ROOT / "book" / f"{slug}.md").read_text(encoding="utf-8")
        for slug in slugs
    }
    chapters = {slug: read_chapter(text, library) for slug, text in texts.items()}
    given = {
        slug: (chapter, library.digest(library.dependencies(chapter.modules)))
        for slug, chapter in chapters.items()
    }
    outcomes = run_chapters(given, Settings(ROOT, ROOT / "build" / "cells"))
    return {
        slug: filled_text(text, chapters[slug], outcomes[slug].values)
        for slug, text in texts.items()
    }


def main(slugs: list[str]) -> int:
    """Check the chapters, all without an argument; print what is wrong."""
    everything = sorted(path.stem for path in (ROOT / "book").glob("*.md"))
    pages = check_pages(ROOT, filled(slugs or everything), ROOT / "build" / "equations")
    lines = [
        f"{broken.path}:{broken.line}: {broken.message}"
        for broken in (page.broken for page in pages.values())
        if broken
    ]
    lines += [
        f"book/{slug}.md:{line}: {message}"
        for slug, page in pages.items()
        for line, message in problems(slug, page)
    ]
    print("\n".join(lines))
    total = sum(len(page.findings) for page in pages.values())
    held = sum(f.status == "holds" for page in pages.values() for f in page.findings)
    print(f"{held} of {total} formulas computed and true, {len(lines)} problems")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
