"""How cold build, memory and preview grow with the number of chapters."""

from __future__ import annotations

from pathlib import Path

from bench.books import own_book
from bench.cold_build import build_own
from bench.preview import a_browser, ours
from bench.timing import Growth

TIMES = (1, 10, 50)


def measure(work: Path, chapter: str, edits: int) -> Growth:
    """A book of one chapter, and of 10 and 50 copies: built, then edited so often."""
    growth = Growth(chapter, list(TIMES))
    with a_browser() as browser:
        for times in TIMES:
            book = own_book(work / str(times), [chapter], times)
            run = build_own(book)
            growth.runs.append(run)
            with ours(browser, book, f"{chapter}-0") as preview:
                preview.seconds("prose")  # the first warms up
                growth.previews.append([preview.seconds("prose") for _ in range(edits)])
            print(
                f"  {times} chapters: {run.seconds:.1f} s, {run.memory:.0f} MB, edits "
                + ", ".join(f"{seconds:.2f} s" for seconds in growth.previews[-1]),
                flush=True,
            )
    return growth
