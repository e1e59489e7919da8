"""From saving a chapter to seeing it, beside sphinx-autobuild with plain MyST-NB.

Both previews run side by side. The same edit is saved in each in turn, and the time is
taken until a word that was never there is on the page in Chromium; while one is
measured the other rests. The peer is as fast as it is set up plainly: with the notebook
cache of MyST-NB, so that a change of prose runs no cell.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from bench.books import ROOT, own_book, plain_book
from bench.timing import Series
from check_outputs import execute

CHAPTER = "linear-regression"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Behind what the word goes, and how: below the title, and into what a cell prints.
PROSE = (r"^# .*\n", "\nThe {}.\n")
CELL = (r"^print\(.*\)\n", 'print("{}")\n')
PATIENCE = 300.0  # seconds
REST = 1.0


@dataclass
class Preview:
    """A running preview: its page in the browser, and how to edit what it shows."""

    page: Page
    edits: dict[str, Callable[[str], None]]

    def seconds(self, kind: str) -> float:
        """Seconds from a save until its word is on the page."""
        word = f"word{time.time_ns()}"
        begun = time.perf_counter()
        self.edits[kind](word)
        self.page.wait_for_function(
            "word => document.body?.textContent.includes(word)",
            arg=word,
            polling=10,
            timeout=PATIENCE * 1000,
        )
        seconds = time.perf_counter() - begun
        self.page.wait_for_load_state("load")
        time.sleep(REST)
        return seconds


def inserting(where: tuple[str, str], file: Path) -> Callable[[str], None]:
    """An edit that puts a word behind a place of a file, instead of the last one."""
    pattern, addition = where
    text = file.read_text(encoding="utf-8")
    place = re.search(pattern, text, re.M)
    assert place is not None, (pattern, file)
    before, after = text[: place.end()], text[place.end() :]

    def edit(word: str) -> None:
        file.write_text(f"{before}{addition.format(word)}{after}", encoding="utf-8")

    return edit


@contextmanager
def serving(command: list[str | Path], folder: Path, **env: str) -> Iterator[str]:
    """A server, and the address that it says it has."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    assert process.stdout is not None
    listening = threading.Thread(target=lambda: said.extend(process.stdout or ()))
    listening.start()
    try:
        until = time.monotonic() + PATIENCE
        while not (found := re.findall(r"http://127\.0\.0\.1:\d+", "".join(said))):
            if time.monotonic() > until or process.poll() is not None:
                raise SystemExit(f"{command} does not serve: {''.join(said)}")
            time.sleep(0.1)
        yield found[-1]
    finally:
        process.terminate()
        process.wait()
        listening.join()


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Chromium, as the tests have it."""
    installed = filter(None, map(shutil.which, BROWSERS))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or next(installed),
            chromium_sandbox=False,
            args=["--disable-gpu"],
        )
        yield browser
        browser.close()


def opened(browser: Browser, address: str, chapter: str) -> Page:
    """The chapter in a browser, once it is there."""
    page = browser.new_page()
    until = time.monotonic() + PATIENCE
    while True:
        try:
            page.goto(f"{address}/{chapter}.html")
            page.wait_for_selector("article h1", timeout=2_000)
            return page
        except Error:  # it still builds
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


@contextmanager
def ours(browser: Browser, project: Path, chapter: str) -> Iterator[Preview]:
    """The book's own preview."""
    folders = [str(project / "_config"), str(project / "_config" / "extensions")]
    command: list[str | Path] = ["-m", "preview", "--root", project]
    path = os.pathsep.join(folders)
    with serving(command, project, PYTHONPATH=path) as address:
        page = opened(browser, address, chapter)
        module = project / "snippets" / f"{chapter.replace('-', '_')}.py"
        text = project / "book" / f"{chapter}.md"
        edits = {"prose": inserting(PROSE, text), "cell": inserting(CELL, module)}
        yield Preview(page, edits)


@contextmanager
def theirs(browser: Browser, book: Path, chapter: str) -> Iterator[Preview]:
    """sphinx-autobuild with plain MyST-NB."""
    with (book / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write('nb_execution_mode = "cache"\n')
    target = book.with_name(f"{book.name}-html")
    command: list[str | Path] = ["-m", "sphinx_autobuild", "--port=0", book, target]
    # The cells import the figures of the project.
    with serving(command, book, PYTHONPATH=str(ROOT)) as address:
        page = opened(browser, address, chapter)
        text = book / f"{chapter}.md"
        edits = {"prose": inserting(PROSE, text), "cell": inserting(CELL, text)}
        yield Preview(page, edits)


def measure(work: Path, pairs: int) -> list[Series]:
    """Edits of prose and of a cell, in turn."""
    project = own_book(work / "own")
    for name in ("cells", "equations"):  # what an author has by then
        if (ROOT / "build" / name).is_dir():
            shutil.copytree(ROOT / "build" / name, project / "build" / name)
    plain = plain_book(work / "plain", execute(ROOT))
    found = []
    with (
        a_browser() as browser,
        ours(browser, project, CHAPTER) as own,
        theirs(browser, plain, CHAPTER) as peer,
    ):
        for kind in ("prose", "cell"):
            series = Series(f"preview of an edit: {kind}", limit=0.4)
            own.seconds(kind), peer.seconds(kind)  # the first of each warms up
            for number in range(pairs):
                series.ours.append(own.seconds(kind))
                series.theirs.append(peer.seconds(kind))
                print(
                    f"  {kind} {number + 1}: {series.ours[-1]:.2f} s and "
                    f"{series.theirs[-1]:.2f} s",
                    flush=True,
                )
            found.append(series)
    return found
