"""Time commands in turn, and say what the ratios of their times are."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """Seconds on the clock and of all processors, and the largest process in MB.

    Each is of the command and of those processes that it has waited for.
    """

    seconds: float
    busy: float
    memory: float


@dataclass
class Series:
    """Pairs of runs of one thing: this book's way and the peer's."""

    name: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    limit: float | None = None  # what the ratio should not pass

    def ratios(self) -> list[float]:
        """Ours to theirs, pair by pair."""
        return [a / b for a, b in zip(self.ours, self.theirs, strict=True)]

    def row(self) -> str:
        """A row of the table: minimum, median and maximum of the ratios."""
        ratios = self.ratios()
        spread = (min(ratios), statistics.median(ratios), max(ratios))
        limit = f"{self.limit:.2f}" if self.limit else "–"
        return (
            f"| {self.name} | {statistics.median(self.ours):.1f} s | "
            f"{statistics.median(self.theirs):.1f} s | "
            + " | ".join(f"{ratio:.2f}" for ratio in spread)
            + f" | {len(ratios)} | {limit} |"
        )


@dataclass
class Growth:
    """Cold builds with a chapter repeated so many times, and then the preview.

    ``previews`` has for each number the seconds from each save to the changed page.
    """

    chapter: str
    times: list[int]
    runs: list[Run] = field(default_factory=list)
    previews: list[list[float]] = field(default_factory=list)

    def rows(self) -> list[str]:
        """Rows of the table; the preview is the median of its edits."""
        return [
            f"| {times} | {run.seconds:.1f} s | {run.seconds / times:.2f} s | "
            f"{run.busy / times:.2f} s | {run.memory:.0f} MB | "
            f"{statistics.median(edits):.2f} s |"
            for times, run, edits in zip(
                self.times, self.runs, self.previews, strict=True
            )
        ]


HEAD = """\
| what | ours | peer | ratio: minimum | median | maximum | pairs | at most |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def run(command: Sequence[str | Path], folder: Path, **environment: str) -> Run:
    """Run a command to its end.

    Raises:
        SystemExit: with what it said, if it failed.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | environment,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        # Not `resource.getrusage`, which speaks of all that ever ran here.
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{command} failed:\n{said.read()[-6000:]}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def in_turn(
    ours: Callable[[], Run], theirs: Callable[[], Run], pairs: int
) -> list[tuple[Run, Run]]:
    """Runs in pairs, each way first in every second one."""
    found = []
    for number in range(pairs):
        if number % 2:
            peer, own = theirs(), ours()
        else:
            own, peer = ours(), theirs()
        print(
            f"  pair {number + 1}: {own.seconds:.1f} s and {peer.seconds:.1f} s, "
            f"processors {own.busy:.1f} s and {peer.busy:.1f} s",
            flush=True,
        )
        found.append((own, peer))
    return found
