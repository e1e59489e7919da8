"""The process that a preview builds with, driven step by step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.tiny_book import CONFIG, ROOT

PATHS = [ROOT / "_config", ROOT / "_config" / "extensions"]
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(map(str, PATHS))}


class Driver:
    """Asks a worker and reads what it tells; ``pages`` is where it builds."""

    def __init__(self, process: subprocess.Popen[str], pages: Path) -> None:
        self.process = process
        self.pages = pages
        self.number = 0
        self.changed: set[str] = set()
        self.touched: set[str] = set()
        self.written: list[str] = []

    def ask(self, changed: Iterable[Path] = ()) -> int:
        """Have everything built that has changed since the last good build."""
        self.number += 1
        self.changed |= set(map(str, changed))
        return self._send(
            build=self.number,
            changed=sorted(self.changed),
            rewrite=sorted(self.touched),
            first=[],
        )

    def build(self, changed: Iterable[Path] = ()) -> list[str]:
        """Build and wait; the mistakes."""
        return self.answer(self.ask(changed))

    def finish(self) -> None:
        """Have the rest written."""
        self.number += 1
        self.answer(self._send(finish=self.number))

    def _send(self, **command: Any) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self.number

    def answer(self, number: int) -> list[str]:
        """Read until a command is done; the mistakes that were told."""
        errors: list[str] = []
        self.written = []
        for news in self._news():
            errors += [news["error"]] if "error" in news else []
            self.touched.update(news.get("writing", []))
            self.written += news.get("written", [])
            if news.get("done") == number:
                assert not (news["good"] and errors)
                if news.get("kept"):
                    self.changed.clear()
                    self.touched.clear()
                return errors
        raise AssertionError(f"the worker has ended: {errors}")

    def _news(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)


@contextmanager
def worker(root: Path, config: Path = CONFIG) -> Iterator[Driver]:
    """A worker for a tiny book, ended and waited for."""
    folder = root / "build" / "preview"
    command = [sys.executable, "-m", "preview.worker", root, root / "book", config]
    process = subprocess.Popen(
        [*command, folder / "pages", folder / "doctrees"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | ENVIRONMENT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Driver(process, folder / "pages")
    finally:
        process.stdin.close()
        process.stdout.read()
        process.stdout.close()
        process.wait(timeout=20)
