"""From changes of files to builds, and to what the browsers and the terminal are told.

A change while a build runs makes that build pointless: a newer one is asked for, for
all that has changed since the last good one. What a build that failed has written is
written again by the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import watchfiles

from preview.watching import Places, Wanted, wanted
from preview.worker_process import WorkerProcess

# Milliseconds: editors write a file in several steps, which belong together.
STEP = 10
TOGETHER = 100

Say = Callable[[str], None]
Listener = asyncio.Queue[dict[str, Any]]


@dataclass
class State:
    """What is known of the book; the browsers show it."""

    # Of each page that has been written, a number that grows each time.
    versions: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    building: bool = True
    progress: str = ""

    def news(self) -> dict[str, Any]:
        """What a browser is told."""
        return {
            "versions": self.versions,
            "errors": self.errors,
            "building": self.building,
            "progress": self.progress,
        }


class Session:
    """A preview of one book from its first build to its end."""

    def __init__(self, places: Places, build: Path, say: Say) -> None:
        self.places = places
        self.folder = build
        self.say = say
        self.state = State()
        self.pages: Path | None = None
        # Who listens, and the page that is open there.
        self.listeners: dict[Listener, str] = {}
        self.worker: WorkerProcess | None = None
        self.number = 0
        self._edition = 0
        self.unfinished = True
        self._answers: dict[int, asyncio.Future[bool]] = {}
        self._built = False
        self._changed: set[Path] = set()
        self._waiting: set[Path] = set()  # changed while the first build runs
        self._touched: set[str] = (
            set()
        )  # pages that builds without success have written
        self._errors: list[str] = []
        self._begun = 0.0
        self._written: list[str] = []
        self._restart = asyncio.Event()
        self._idle = asyncio.Event()

    async def run(self) -> None:
        """Build, watch and build again until this is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._work())

    # What files do.

    async def _watch(self) -> None:
        root = self.places.root
        async for found in watchfiles.awatch(
            *self.places.watched(),
            watch_filter=lambda change, path: bool(wanted(self.places, Path(path))),
            debounce=TOGETHER,
            step=STEP,
        ):
            changed = {Path(path) for _, path in found}
            names = sorted(os.path.relpath(path, root) for path in changed)
            if any(wanted(self.places, path) is Wanted.RESTART for path in changed):
                self.say(f"{', '.join(names)}: changed for all pages, starting over")
                self._restart.set()
            else:
                self._change(changed)

    def _change(self, changed: set[Path]) -> None:
        """Build for changed files, once the first build of all pages has ended."""
        if self.state.building and not self._built:
            self._waiting |= changed
        else:
            self._changed |= changed
            self._ask()

    def _ask(self) -> None:
        """Have everything built that has changed since the last good build."""
        if self.worker is None:
            return
        self.number += 1
        self._idle.clear()
        self._errors, self._written, self._waiting = [], [], set()
        self._begun = time.monotonic()
        self.state.building, self.state.progress = True, ""
        self.worker.ask(
            build=self.number,
            changed=sorted(map(str, self._changed)),
            rewrite=sorted(self._touched),
            first=sorted({*self.listeners.values()}),
        )
        self._tell()

    # What the worker does.

    async def _work(self) -> None:
        """Keep a worker; start over when that is asked for."""
        while True:
            self._restart.clear()
            self.worker = worker = await WorkerProcess.start(self.places, self.folder)
            self._changed.clear()
            self._touched.clear()
            self._built = False
            self._ask()
            listening = asyncio.create_task(self._listen(worker))
            restarting = asyncio.create_task(self._restart.wait())
            try:
                await asyncio.wait(
                    (listening, restarting), return_when=asyncio.FIRST_COMPLETED
                )
                if not restarting.done():
                    self._has_ended()
                    await restarting
            finally:
                self.worker = None
                self._forget_answers()
                for task in (listening, restarting):
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
                await asyncio.shield(worker.end())

    def _forget_answers(self) -> None:
        for answer in self._answers.values():
            answer.set_result(False)
        self._answers.clear()

    def _has_ended(self) -> None:
        """The worker could not begin, or was ended from outside."""
        self._idle.set()
        self.state.building = False
        self.state.errors = self._errors or ["the process that builds has ended"]
        for line in self.state.errors:
            self.say(line)
        self.say("the preview starts over at the next change of its settings")
        self._tell()

    async def _listen(self, worker: WorkerProcess) -> None:
        async for news in worker.news():
            self._hear(worker, news)

    def _hear(self, worker: WorkerProcess, news: dict[str, Any]) -> None:
        match news:
            case {"writing": pages}:
                self._touched.update(pages)
            case {"written": pages}:
                self.pages = worker.pages
                self._written += pages
                self.unfinished = True
                # Not the number of the build: a newer one may be asked for by now.
                self._edition += 1
                self.state.versions |= dict.fromkeys(pages, self._edition)
                self._tell()
            case {"error": line}:
                self._errors.append(line)
            case {"progress": line}:
                self.state.progress = line
                self._tell()
            case {"done": number, "good": good} if number in self._answers:
                self._answers.pop(number).set_result(good)
            case {"done": number, "good": good, "kept": kept} if number == self.number:
                self._done(good, kept)

    def _done(self, good: bool, kept: bool) -> None:
        seconds = time.monotonic() - self._begun
        self._built |= kept
        if kept:
            self._changed.clear()
            self._touched.clear()
        if good:
            if self._written:
                self.say(f"{_few(self._written)}: {seconds:.2f} s")
        else:
            for line in self._errors:
                self.say(line)
            count = len(self._errors)
            self.say("1 mistake" if count == 1 else f"{count} mistakes")
        self.state.errors = self._errors
        self.state.building, self.state.progress = False, ""
        self._idle.set()
        self._tell()
        if self._waiting:
            self._changed |= self._waiting
            self._ask()

    async def finish(self) -> None:
        """Have the search and the index written, if pages are newer than they."""
        # A command would end a build that is under way.
        await self._idle.wait()
        if self.worker is None or not self.unfinished:
            return
        self.unfinished = False
        self.number += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self.number] = answer
        self.worker.ask(finish=self.number)
        await answer

    # What browsers hear.

    def _tell(self) -> None:
        for listener in self.listeners:
            listener.put_nowait(self.state.news())

    @contextlib.contextmanager
    def listening(self, page: str) -> Iterator[Listener]:
        """The news for a browser that shows a page."""
        listener: Listener = asyncio.Queue()
        self.listeners[listener] = page
        listener.put_nowait(self.state.news())
        try:
            yield listener
        finally:
            del self.listeners[listener]


def _few(pages: list[str]) -> str:
    return ", ".join(pages) if len(pages) <= 3 else f"{len(pages)} pages"
