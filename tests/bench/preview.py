"""How long from saving a chapter to seeing it, here and with sphinx-autobuild.

``python -m tests.bench.preview`` runs both previews side by side, saves the same edit
in each in turn, and measures until the text is on the page in Chromium::

    prose  1.03 s  3.21 s  ratio 0.32 (0.30 to 0.35, 5 pairs)

While one is measured the other rests. The peer is as fast as it can be set up plainly:
with the notebook cache of MyST-NB, so that a change of prose runs no cell.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.plain_book import write_plain_book

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "linear-regression"
COPIED = (
    "book",
    "snippets",
    "_config",
    "CITATION.cff",
    "tests/outputs",
    "tests/faults",
)
WARM = ("build/cells", "build/equations", "build/node")
PATIENCE = 300_000  # milliseconds
PORT = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass
class Preview:
    """A running preview: its page in the browser, and how to edit what it shows."""

    name: str
    page: Page
    edit_prose: Callable[[str], None]
    edit_cell: Callable[[str], None]

    def measure(self, edit: Callable[[str], None]) -> float:
        """Seconds from a save until a word that was never there is on the page."""
        word = f"word{time.time_ns()}"
        begun = time.perf_counter()
        edit(word)
        self.page.wait_for_function(
            "word => document.body?.textContent.includes(word)",
            arg=word,
            polling=10,
            timeout=PATIENCE,
        )
        seconds = time.perf_counter() - begun
        self.page.wait_for_load_state("load")
        return seconds


@contextmanager
def running(command: list[str | Path], folder: Path, **env: str) -> Iterator[str]:
    """A server; its address once it says that it serves."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    assert process.stdout is not None
    listening = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
    listening.start()
    try:
        until = time.monotonic() + PATIENCE / 1000
        while not (found := PORT.findall("".join(lines))):
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError(f"{command} does not serve: {''.join(lines)}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{found[-1]}/"
    finally:
        process.terminate()
        process.wait()
        listening.join()


def insert_after(pattern: str, addition: str, file: Path) -> Callable[[str], None]:
    """An edit that puts a word behind a place of a file, instead of the last one."""
    text = file.read_text(encoding="utf-8")
    place = re.search(pattern, text, re.M)
    assert place is not None, (pattern, file)

    def edit(word: str) -> None:
        new = f"{text[: place.end()]}{addition.format(word)}{text[place.end() :]}"
        file.write_text(new, encoding="utf-8")

    return edit


def copy_project(target: Path) -> None:
    """What a preview needs of the project, with the outcomes that are known."""
    for name in (*COPIED, *WARM):
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "preview-*")
            shutil.copytree(source, target / name, ignore=ignored, symlinks=True)
        elif source.exists():
            shutil.copy(source, target / name)


PROSE = r"^# .*\n"
CELL = r"^print\(residual\)\n"


@contextmanager
def ours(browser: Browser, project: Path) -> Iterator[Preview]:
    """The book's own preview."""
    paths = os.pathsep.join(
        str(project / name) for name in ("_config", "_config/extensions")
    )
    command: list[str | Path] = ["-m", "preview", "--root", project]
    with running(command, project, PYTHONPATH=paths) as address:
        page = browser.new_page()
        page.goto(f"{address}{CHAPTER}.html")
        page.wait_for_selector("article h1", timeout=PATIENCE)
        module = project / "snippets" / f"{CHAPTER.replace('-', '_')}.py"
        yield Preview(
            "preview",
            page,
            insert_after(PROSE, "\nThe {}.\n", project / "book" / f"{CHAPTER}.md"),
            insert_after(CELL, 'print("{}")\n', module),
        )


@contextmanager
def peer(browser: Browser, book: Path, project: Path) -> Iterator[Preview]:
    """sphinx-autobuild with plain MyST-NB."""
    command: list[str | Path] = ["-m", "sphinx_autobuild", "--port=0", book]
    command.append(book.with_name("plain-pages"))
    # The cells import the project's figures.
    with running(command, book, PYTHONPATH=str(project)) as address:
        page = browser.new_page()
        until = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < until:
            try:
                page.goto(f"{address}{CHAPTER}.html")
                page.wait_for_selector("article h1", timeout=2_000)
                break
            except Exception:  # it builds before it listens
                time.sleep(0.5)
        file = book / f"{CHAPTER}.md"
        yield Preview(
            "sphinx-autobuild",
            page,
            insert_after(PROSE, "\nThe {}.\n", file),
            insert_after(CELL, 'print("{}")\n', file),
        )


def compare(kind: str, first: Preview, second: Preview, pairs: int) -> str:
    """Measure in turn; a line with medians and ratios."""
    seconds: list[tuple[float, float]] = []
    for number in range(pairs + 1):
        both = []
        for preview in (first, second):
            edit = getattr(preview, f"edit_{kind}")
            both.append(preview.measure(edit))
            time.sleep(1)
        if number:  # the first of each warms up
            seconds.append((both[0], both[1]))
    ratios = [own / other for own, other in seconds]
    medians = [statistics.median(column) for column in zip(*seconds, strict=True)]
    return (
        f"{kind:6} {medians[0]:.2f} s  {medians[1]:.2f} s  "
        f"ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}, {pairs} pairs)"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args(arguments)
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        project, plain = Path(folder, "project"), Path(folder, "plain")
        copy_project(project)
        write_plain_book(project, plain)
        browser = playwright.chromium.launch(
            executable_path=found, chromium_sandbox=False, args=["--disable-gpu"]
        )
        with ours(browser, project) as own, peer(browser, plain, project) as other:
            print(f"{'edit':6} {own.name}, {other.name}", flush=True)
            for kind in ("prose", "cell"):
                print(compare(kind, own, other, options.pairs), flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
