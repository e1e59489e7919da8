"""How the time and the memory of a cold build grow with the number of chapters."""

from __future__ import annotations

from pathlib import Path

from bench.books import own_book
from bench.cold_build import build_own
from bench.timing import Growth

TIMES = (1, 10, 50)


def measure(work: Path, chapter: str) -> Growth:
    """Cold builds of a book with one chapter, and with 10 and 50 copies of it."""
    growth = Growth(chapter, list(TIMES))
    for times in TIMES:
        run = build_own(own_book(work / str(times), [chapter], times))
        print(
            f"  {times} chapters: {run.seconds:.1f} s, {run.memory:.0f} MB", flush=True
        )
        growth.runs.append(run)
    return growth
