"""Starting, asking and ending the process that holds the book (``worker``)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from preview.watching import Places

HERE = Path(__file__).resolve().parent
PATIENCE = 8.0  # seconds for a worker to end by itself


class WorkerProcess:
    """A worker with a folder of its own, ``pages``, in which it builds."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.pages = folder / "pages"

    @classmethod
    async def start(cls, places: Places, build: Path) -> WorkerProcess:
        """Start a worker that builds in a new folder below ``build``."""
        build.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=build, prefix="preview-"))
        paths = [HERE.parent, HERE.parent / "extensions"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "preview.worker", places.root, places.source, places.config),
            *(folder / "pages", folder / "doctrees"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
            # A group of its own, which can be ended as a whole; Ctrl-C is not for it.
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
        )
        return cls(process, folder)

    def ask(self, **command: Any) -> None:
        """Send a command; a worker that has ended hears nothing."""
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self.process.stdin.write(json.dumps(command).encode() + b"\n")

    async def news(self) -> AsyncIterator[dict[str, Any]]:
        """What the worker tells, until it has ended with all its copies."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            yield json.loads(line)

    async def end(self) -> None:
        """End the worker and whatever it has started, and delete its folder."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                async for _ in self.news():
                    pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
