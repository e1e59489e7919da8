"""The process that holds the book: commands in, news out, each one line of JSON.

``python -m preview.worker root source config pages doctrees`` reads from its standard
input ::

    {"build": 7, "changed": ["/…/book/tensors.md"], "rewrite": [], "first": ["tensors"]}
    {"finish": 8}

and answers on its standard output ::

    {"writing": ["tensors"]}
    {"written": ["tensors"]}
    {"error": "book/tensors.md:42: …"}
    {"done": 7, "good": true, "kept": true}

A build that fails, or that a newer command makes pointless, must leave nothing behind.
So before each build the process makes a copy of itself that waits. If the build is good
the copy is not needed. If not, the process that has built ends, and the copy goes on
with the book as it was; the next build begins where the last good one ended.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import re
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from sphinx.errors import SphinxError
from sphinx.util.console import nocolor
from sphinx.util.docutils import docutils_namespace, patch_docutils

from author_errors import AuthorErrors
from preview.quick_build import Edit, QuickBook, QuickSphinx, Report
from ready_kernels import forking

COMMANDS = 0  # file descriptor
MISTAKE = re.compile(r"(?P<page>\S+?):\d+: ")
PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 5.0  # seconds for a build to end by itself


class Abandoned(BaseException):
    """Something newer is wanted."""


class News:
    """Tells whoever started this process, a line at a time."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def tell(self, **what: Any) -> None:
        """Write one line; it is short enough to arrive in one piece."""
        self.stream.write(json.dumps(what) + "\n")
        self.stream.flush()


class Errors(io.TextIOBase):
    """A stream of which each line is told as an error."""

    def __init__(self, news: News) -> None:
        self.news = news

    def write(self, line: str) -> int:
        """Take one line."""
        self.news.tell(error=line.rstrip("\n"))
        return len(line)


class Progress(io.TextIOBase):
    """Sphinx's own words; of them only which cells run is told."""

    def __init__(self, news: News) -> None:
        self.news = news

    def write(self, text: str) -> int:
        """Take one message."""
        if text.startswith("running "):
            self.news.tell(progress=text.strip())
        return len(text)


class Worker:
    """Takes commands, one at a time."""

    def __init__(self, book: QuickBook, errors: AuthorErrors, news: News) -> None:
        self.book = book
        self.root = errors.root
        self.troubled: frozenset[Path] = frozenset()
        self.errors = errors
        self.news = news
        self.building = False
        self.unread = b""
        signal.signal(signal.SIGTERM, self._abandon)

    def run(self) -> None:
        """Take commands until there can be no more."""
        while commands := self._commands():
            # A newer build is for all that an older one was for.
            builds = [command for command in commands if "build" in command]
            for command in builds[-1:]:
                self._build(command)
            for command in commands:
                if "finish" in command:
                    self.news.tell(done=command["finish"], good=self.book.finish())

    def _commands(self) -> list[dict[str, Any]]:
        """All commands that wait, at least one; none when the input has ended."""
        while b"\n" not in self.unread:
            part = os.read(COMMANDS, 1 << 16)
            if not part:
                return []
            self.unread += part
        *lines, self.unread = self.unread.split(b"\n")
        return [json.loads(line) for line in lines]

    def _build(self, command: dict[str, Any]) -> None:
        """Build in this process while a copy of it waits; see the module."""
        ends, begins = os.pipe()
        builder = os.getpid()
        copy = os.fork()
        if copy == 0:
            os.close(begins)
            _wait_for_end(builder, ends)
            os.close(ends)
            return
        os.close(ends)
        self.errors.lines.clear()
        edit = Edit(
            frozenset(map(Path, command["changed"])) | self.troubled,
            frozenset(command["rewrite"]),
            frozenset(command["first"]),
        )
        report = Report(
            lambda pages: self.news.tell(writing=pages),
            lambda pages: self.news.tell(written=pages),
        )
        good = kept = False
        try:
            self.building = True
            is_first = not self.book.built
            kept = good = self.book.build(edit, report)
            self.building = False
            if is_first and not good:
                kept = self._keep_troubled()
        except SphinxError as error:
            self.building = False
            self.errors.write(f"{error.category}: {error}\n")
        except Abandoned:
            os._exit(0)
        except Exception as error:  # a fault of ours, or in an extension
            self.building = False
            traceback.print_exc()
            self.news.tell(error=f"{type(error).__name__}: {error} (see the terminal)")
        self.news.tell(done=command["build"], good=good, kept=kept)
        if not kept:
            os._exit(0)  # the copy sees the pipe close
        if good:
            self.troubled = frozenset()
        os.kill(copy, signal.SIGKILL)
        os.waitpid(copy, 0)
        os.close(begins)

    def _keep_troubled(self) -> bool:
        """Whether a first build with mistakes may stay; it would take long again.

        It may if each mistake is one of a page: those pages are read again, and so
        complain again, until there is a good build.
        """
        found = [MISTAKE.match(line) for line in self.errors.lines]
        pages = {self.root / match["page"] for match in found if match}
        self.troubled = frozenset(pages)
        return all(found) and all(page.suffix == ".md" for page in pages)

    def _abandon(self, number: int, frame: object) -> None:
        if self.building:
            self.building = False
            raise Abandoned


def _wait_for_end(builder: int, ends: int) -> None:
    """Wait for a build to end, which a command or the end of all makes haste."""
    asked, _, _ = select.select([COMMANDS, ends], [], [])
    if ends in asked:
        return
    os.kill(builder, signal.SIGTERM)
    ended, _, _ = select.select([ends], [], [], PATIENCE)
    if not ended:
        os.kill(builder, signal.SIGKILL)
        select.select([ends], [], [])


def stay_behind() -> bool:
    """Begin what all copies share, and fork the first; false in the one that stays.

    It ends when all of them have, and collects what they leave.
    """
    if not forking.why_not():
        forking.warm_up()
    ends, begins = os.pipe()  # open in every copy
    if os.fork() == 0:
        os.close(ends)
        forking.adopt()
        return True
    os.close(begins)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.read(ends, 1)
    forking.end()
    return False


def main(arguments: list[str]) -> None:
    """Hold a book until the commands end."""
    root, source, config, pages, doctrees = map(Path, arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the one who started us
    news = News(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what a library prints is no news
    if not stay_behind():
        return
    nocolor()
    errors = AuthorErrors(root, Errors(news))  # type: ignore[arg-type]
    with patch_docutils(config), docutils_namespace():
        try:
            app = QuickSphinx(
                source,
                config,
                pages,
                doctrees,
                "html",
                status=Progress(news),  # type: ignore[arg-type]
                warning=errors,  # type: ignore[arg-type]
            )
        except SphinxError as error:
            errors.write(f"{error.category}: {error}\n")
            return
        if errors.lines:
            return
        app.config.write_processes = 1  # what is written is known to this process
        Worker(QuickBook(app, lambda: not errors.lines), errors, news).run()


if __name__ == "__main__":
    main(sys.argv[1:])
