"""The preview: a real server, a real browser, and an author who saves files."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.preview_worker import ENVIRONMENT
from tests.tiny_book import CHAPTER, CONFIG, SNIPPET, TinyBook

SOON = 60_000  # milliseconds; the machine may be busy with other tests
LONG = "".join(f"Paragraph {number}.\n\n" for number in range(200))


class Preview:
    """A running preview, and what it has said in the terminal."""

    def __init__(self, book: TinyBook, config: Path) -> None:
        self.book = book
        command = ["-m", "preview", "--root", str(book.root), "--config", str(config)]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | ENVIRONMENT,
        )
        self.said: list[str] = []
        assert self.process.stdout is not None
        self.listening = threading.Thread(target=self._listen)
        self.listening.start()
        [self.address] = self.hear(r"http://127\.0\.0\.1:\d+/")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        self.said.extend(iter(self.process.stdout.readline, ""))

    def hear(self, pattern: str, since: int = 0) -> list[str]:
        """Wait until the terminal says something after ``since`` lines."""
        until = time.monotonic() + SOON / 1000
        while time.monotonic() < until:
            if found := re.findall(pattern, "".join(self.said[since:])):
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in {self.said}")

    def end(self, number: int = signal.SIGINT) -> int:
        """End it as from the terminal; the exit code."""
        self.process.send_signal(number)
        self.process.wait(timeout=30)
        self.listening.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.returncode


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings that a test may change."""
    folder = tmp_path / "settings"
    shutil.copytree(CONFIG, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "conf.py").read_text()
    root = f"ROOT = Path({str(CONFIG.parents[2])!r})"
    (folder / "conf.py").write_text(
        text.replace("ROOT = Path(__file__).parents[3]", root)
    )
    return folder


@pytest.fixture
def preview(tiny_book: TinyBook, config: Path) -> Iterator[Preview]:
    tiny_book.write("book/chapter.md", f"{CHAPTER}\n{LONG}")
    running = Preview(tiny_book, config)
    yield running
    if running.process.poll() is None:
        assert running.end() == 0, running.said


@pytest.fixture
def open_page(browser: Browser, preview: Preview) -> Iterator[Callable[[str], Page]]:
    """Open a page of the preview; no script or policy may complain on it."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(SOON)
    context.on("weberror", lambda error: faults.append(str(error.error)))

    def console(message: ConsoleMessage) -> None:
        # While the preview starts or has ended; and no tiny book has an icon.
        expected = ("ERR_CONNECTION_REFUSED", "503", "favicon.ico")
        text = f"{message.text} {message.location['url']}"
        if message.type == "error" and not any(part in text for part in expected):
            faults.append(text)

    context.on("console", console)

    def visit(name: str) -> Page:
        page = context.new_page()
        page.goto(f"{preview.address}{name}.html")
        expect(page.locator("h1")).not_to_have_text(
            "The book is being built", timeout=SOON
        )
        return page

    yield visit
    context.close()
    assert faults == []


def shows(page: Page, text: str) -> None:
    expect(page.locator("body")).to_contain_text(text, timeout=SOON)


def news(page: Page) -> str:
    box = page.locator("#preview-news li").first
    expect(box).to_be_visible(timeout=SOON)
    return page.locator("#preview-news").inner_text()


def no_news(page: Page) -> None:
    expect(page.locator("#preview-news li")).to_have_count(0, timeout=SOON)


def test_a_saved_sentence_appears_where_the_reader_is(
    preview: Preview, open_page: Callable[[str], Page]
) -> None:
    page = open_page("chapter")
    block = page.get_by_text("Paragraph 120.", exact=True)
    block.evaluate(
        "block => scrollTo(0, scrollY + block.getBoundingClientRect().top - 200)"
    )
    before = block.bounding_box()
    text = f"{CHAPTER}\n" + "A new paragraph above.\n\n" * 20 + LONG
    preview.book.write("book/chapter.md", text)
    shows(page, "A new paragraph above.")
    page.wait_for_load_state("load")
    after = block.bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=2)


def test_a_changed_cell_appears_and_mistakes_come_and_go(
    preview: Preview, open_page: Callable[[str], Page]
) -> None:
    page = open_page("chapter")
    shows(page, "x is 23")
    preview.book.write("snippets/chapter.py", SNIPPET.replace("20 + 3", "40 + 4"))
    shows(page, "x is 44")
    shows(page, "The value is 44.")
    assert not page.locator("#preview-news").is_visible()

    heard = len(preview.said)
    preview.book.write("snippets/chapter.py", SNIPPET.replace("20 + 3", "1 / 0"))
    assert "book/chapter.md:3" in news(page)
    assert "ZeroDivisionError" in news(page)
    preview.hear(r"book/chapter\.md:3: .*ZeroDivisionError", heard)
    assert "Traceback" not in "".join(preview.said[heard:])

    died = SNIPPET.replace("x = 20 + 3", "import os; os._exit(3)")
    preview.book.write("snippets/chapter.py", died)
    expect(page.locator("#preview-news")).to_contain_text("kernel died", timeout=SOON)

    preview.book.write("snippets/chapter.py", SNIPPET)
    no_news(page)
    shows(page, "x is 23")


def test_broken_text_is_shown_with_its_mistake(
    preview: Preview, open_page: Callable[[str], Page]
) -> None:
    page = open_page("chapter")
    broken = f"{CHAPTER}\nNewest text, [](#nowhere).\n"
    preview.book.write("book/chapter.md", broken)
    assert "book/chapter.md:9" in news(page)
    assert "nowhere" in news(page)
    shows(page, "Newest text")
    other = open_page("index")
    assert "nowhere" in news(other)  # whoever comes later is told as well
    # A mistake stays until it is mended, whatever else is saved.
    preview.book.write(
        "book/index.md", "# Tiny\n\nA book.\n\n```{toctree}\nchapter\n```\n"
    )
    shows(other, "A book.")
    assert "nowhere" in news(other)
    preview.book.write("book/chapter.md", CHAPTER)
    no_news(page)
    no_news(other)
    shows(page, "The value is 23.")


def test_the_newest_state_wins(
    preview: Preview, open_page: Callable[[str], Page]
) -> None:
    page = open_page("chapter")
    slow = SNIPPET.replace("x = 20", "import time; time.sleep(50)\nx = 20")
    preview.book.write("snippets/chapter.py", slow)
    expect(page.locator("#preview-news")).to_be_hidden()
    time.sleep(4)  # its cells run
    begun = time.monotonic()
    preview.book.write("snippets/chapter.py", SNIPPET.replace("20 + 3", "50 + 5"))
    shows(page, "x is 55")
    assert time.monotonic() - begun < 45  # nobody waits for the cell that sleeps
    for number in range(5):  # faster than any build
        preview.book.write("book/chapter.md", f"{CHAPTER}\nState {number}.\n")
        time.sleep(0.03)
    shows(page, "State 4.")
    preview.hear("chapter: ")
    children = psutil.Process(preview.process.pid).children(recursive=True)
    sleeping = [p for p in children if "ipykernel" in " ".join(p.cmdline())]
    assert sleeping == []


def test_files_are_saved_as_editors_save_them(
    preview: Preview, open_page: Callable[[str], Page]
) -> None:
    page = open_page("chapter")
    chapter = preview.book.root / "book" / "chapter.md"
    heard = len(preview.said)
    for name in (".chapter.md.swp", "4913", "chapter.md~", "#chapter.md#"):
        (chapter.parent / name).write_text("no chapter")
    aside = chapter.with_name(".chapter.md.new")
    aside.write_text(f"{CHAPTER}\nRenamed into place.\n")
    os.replace(aside, chapter)
    shows(page, "Renamed into place.")
    # A copy of an older time is a change as well.
    older = chapter.with_name(".older")
    older.write_text(f"{CHAPTER}\nAn older file.\n")
    os.utime(older, (1_000_000_000, 1_000_000_000))
    os.replace(older, chapter)
    shows(page, "An older file.")
    # An editor that empties a file and then fills it.
    with chapter.open("w") as file:
        file.flush()
        time.sleep(0.2)
        file.write(f"{CHAPTER}\nFilled again.\n")
    shows(page, "Filled again.")
    assert not any("4913" in line or "swp" in line for line in preview.said[heard:])


def test_chapters_come_and_go(
    preview: Preview, open_page: Callable[[str], Page]
) -> None:
    page = open_page("index")
    preview.book.write(
        "snippets/second.py", '"""Cells."""\n\n# %% one\nprint("second")\n'
    )
    preview.book.write(
        "book/second.md",
        "# The second\n\n```{code-cell} python\n:snippet: second#one\n```\n",
    )
    preview.book.index("chapter", "second")
    shows(page, "The second")
    second = open_page("second")
    shows(second, "second")
    preview.book.index("chapter")
    (preview.book.root / "book" / "second.md").unlink()
    expect(page.locator("body")).not_to_contain_text("The second", timeout=SOON)
    no_news(page)
    answer = page.request.get(f"{preview.address}second.html")
    assert answer.status == 404


def test_other_settings_begin_anew(
    preview: Preview, config: Path, open_page: Callable[[str], Page]
) -> None:
    page = open_page("chapter")
    conf = config / "conf.py"
    text = conf.read_text()
    heard = len(preview.said)
    conf.write_text(text.replace('project = "Tiny"', 'project = "Renamed"'))
    expect(page).to_have_title(re.compile("Renamed"), timeout=SOON)
    preview.hear("starting over", heard)
    conf.write_text("this is no Python")
    assert "conf.py" in news(page)
    conf.write_text(text)
    expect(page).to_have_title(re.compile("Tiny"), timeout=SOON)
    no_news(page)


def test_the_search_finds_what_was_just_written(
    preview: Preview, open_page: Callable[[str], Page]
) -> None:
    page = open_page("chapter")
    preview.book.write("book/chapter.md", f"{CHAPTER}\nHippopotamus.\n")
    shows(page, "Hippopotamus")
    page.goto(f"{preview.address}search.html?q=hippopotamus")
    shows(page, "A chapter")


def test_only_pages_of_this_server_are_answered(
    browser: Browser, preview: Preview, open_page: Callable[[str], Page]
) -> None:
    page = open_page("chapter")
    foreign = page.request.get(preview.address, headers={"Host": "evil.example"})
    assert foreign.status == 400
    outside = page.request.get(f"{preview.address}..%2F..%2F..%2Fbook%2Findex.md")
    assert outside.status == 404
    opened = """address => new Promise(done => {
        const socket = new WebSocket(address);
        socket.onopen = () => done("open");
        socket.onerror = () => done("refused");
    })"""
    socket = preview.address.replace("http", "ws") + "_preview/news?page=chapter"
    assert page.evaluate(opened, socket) == "open"
    other = browser.new_page()
    other.goto(preview.address.replace("127.0.0.1", "localhost"))
    assert other.evaluate(opened, socket) == "refused"
    other.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_leaves_no_process_behind(preview: Preview, number: int) -> None:
    preview.hear(r"chapter|pages: ")
    slow = SNIPPET.replace("x = 20", "import time; time.sleep(50)\nx = 20")
    preview.book.write("snippets/chapter.py", slow)
    time.sleep(4)  # a kernel runs
    running = psutil.Process(preview.process.pid).children(recursive=True)
    assert len(running) > 2
    preview.end(number)
    _, alive = psutil.wait_procs(running, timeout=15)
    assert alive == []
    if number != signal.SIGKILL:
        assert list((preview.book.root / "build").glob("preview-*")) == []
