"""Kernels of the live book: warmed before anyone asks, few, and not for long.

Importing torch takes more than a second, so one kernel that has it is kept ready.
It is forked where a process can be (``ready_kernels`` of the extensions), and started
from nothing elsewhere::

    kernels = KernelPool(root, folder)
    kernels.prepare()                 # when the server starts
    kernel_id = await kernels.take()  # at once; the next is made ready meanwhile
    await kernels.close()

A restart is the same: the old kernel is ended, the ready one takes its place.

There are at most ``most`` kernels. When another is asked for, the one that no page has
been connected to for the longest time goes; if all are in use, there is none. Kernels
that nobody uses are ended by Jupyter's own culling.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_client.ioloop.restarter import AsyncIOLoopKernelRestarter
from jupyter_core.utils import ensure_async
from jupyter_server.services.kernels.kernelmanager import (
    AsyncMappingKernelManager,
    ServerKernelManager,
)

from ready_kernels.forking import clean_environment, warm_up, why_not
from ready_kernels.kernels import KernelSpecs

# An expression, which leaves no name behind. Of the packages that the book's cells
# import, these are slow to load.
WARM = "[__import__(name) for name in ('torch', 'numpy', 'matplotlib.pyplot')]"
# What pages send; everything else is ignored.
MESSAGES = ["execute_request", "kernel_info_request", "complete_request"]
PATIENCE = 60  # seconds


class NoKernelLeft(Exception):
    """As many kernels run as may run, each in use by a page."""


class NoRestarts(AsyncIOLoopKernelRestarter):
    """Notices soon when a kernel has died, and leaves it dead.

    A kernel that came back by itself would have lost all that its page has computed;
    the page must say so, and then takes a ready one.
    """

    restart_limit = 0
    time_to_dead = 0.5


class LiveKernel(ServerKernelManager):
    """One kernel; on POSIX it opens no port."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.restarter_class = NoRestarts
        if os.name == "posix":
            self.transport = "ipc"


class LiveKernels(AsyncMappingKernelManager):
    """The kernels of the live book, apart from those of the server they run in."""

    def __init__(self, connections: Path, **kwargs: Any) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            connection_dir=str(connections),
            root_dir=str(connections),
            kernel_manager_class=f"{__name__}.LiveKernel",
            kernel_spec_manager=KernelSpecs(),
            allowed_message_types=MESSAGES,
            shared_context=True,
            **kwargs,
        )

    # The one that is ready; it is idle, and is to stay so.
    spare: str | None = None

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End a kernel that nobody has used for long, except the ready one."""
        if kernel_id != self.spare:
            await super().cull_kernel_if_idle(kernel_id)  # type: ignore[no-untyped-call]

    def last_use(self, kernel_id: str) -> float:
        """When a kernel last did something, in seconds."""
        kernel: LiveKernel = self.get_kernel(kernel_id)  # type: ignore[assignment]
        return kernel.last_activity.timestamp()

    def begin_use(self, kernel_id: str) -> None:
        """Count the time without work from now."""
        kernel: LiveKernel = self.get_kernel(kernel_id)  # type: ignore[assignment]
        kernel.last_activity = datetime.now(UTC)

    def is_connected(self, kernel_id: str) -> bool:
        """Whether a page listens to it."""
        return bool(self._kernel_connections.get(kernel_id))


class KernelPool:
    """Kernels to be taken, one of them ready; see the module.

    Args:
        root: of the project, whose ``snippets`` the cells import.
        folder: for files of the kernels and of the cells; private to this server.
        most: kernels at one time, the ready one among them.
        idle: seconds without work or a connected page after which a kernel is ended.
    """

    def __init__(
        self,
        root: Path,
        folder: Path,
        *,
        most: int = 6,
        idle: int = 1800,
        log: logging.Logger | None = None,
    ) -> None:
        self.root = root
        self.folder = folder
        self.most = most
        self.log = log or logging.getLogger(__name__)
        self.manager = LiveKernels(
            folder,
            cull_idle_timeout=idle,
            cull_interval=max(1, min(60, idle // 2)),
            log=self.log,
        )
        self.ready: asyncio.Task[str] | None = None
        self.ending: set[asyncio.Task[None]] = set()

    def prepare(self) -> None:
        """Begin to make a kernel ready, unless one is."""
        if not why_not():
            warm_up()
        if self.ready is None:
            self.ready = asyncio.create_task(self._start())

    async def take(self) -> str:
        """The id of a kernel that has torch loaded and is used by nobody.

        Raises:
            NoKernelLeft: as many run as may, and pages are connected to all of them.
        """
        kernel_id = await self._ready_one()
        if await self._make_room():
            self.prepare()
        return kernel_id

    async def _ready_one(self) -> str:
        """The one that was made ready, if it still lives, or a new one."""
        while True:
            if self.ready is None:
                if not await self._make_room():
                    raise NoKernelLeft
                self.prepare()
            task, self.ready = self.ready, None
            assert task is not None
            kernel_id = await asyncio.shield(task)
            self.manager.spare = None
            if kernel_id in self.manager and await self._is_alive(kernel_id):
                self.manager.begin_use(kernel_id)
                return kernel_id

    async def _is_alive(self, kernel_id: str) -> bool:
        kernel = self.manager.get_kernel(kernel_id)
        return bool(await ensure_async(kernel.is_alive()))

    async def _make_room(self) -> bool:
        """Whether one more may start; the most forsaken one is ended for it."""
        kernels = self.manager.list_kernel_ids()
        if len(kernels) < self.most:
            return True
        forsaken = [one for one in kernels if not self.manager.is_connected(one)]
        # The last one may have been taken this moment, by a page about to connect.
        if len(forsaken) < 2:
            return False
        self.end(min(forsaken, key=self.manager.last_use))
        return True

    def end(self, kernel_id: str) -> None:
        """End a kernel, without waiting for it."""
        task = asyncio.create_task(self._end(kernel_id))
        self.ending.add(task)
        task.add_done_callback(self.ending.discard)

    async def _end(self, kernel_id: str) -> None:
        if kernel_id in self.manager:
            await self.manager.shutdown_kernel(kernel_id, now=True)  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """End all of them: the server ends."""
        if self.ready is not None:
            self.ready.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self.ready
        # One that was about to start is known but cannot be ended; it ends by itself,
        # with the process it would have come from.
        kernels = self.manager.list_kernel_ids()
        await asyncio.gather(*map(self._end, kernels), return_exceptions=True)

    async def _start(self) -> str:
        """Start a kernel and have it load what takes long."""
        kernel_id = await self.manager.start_kernel(
            kernel_name="python3", cwd=str(self.folder), env=self._environment()
        )
        kernel = self.manager.get_kernel(kernel_id)
        client = kernel.client()
        client.start_channels()
        try:
            await ensure_async(client.wait_for_ready(timeout=PATIENCE))
            warming = client.execute_interactive(
                WARM, silent=True, allow_stdin=False, timeout=PATIENCE
            )
            await ensure_async(warming)
        finally:
            client.stop_channels()
        self.manager.spare = kernel_id
        self.log.info("a kernel is ready: %s", kernel_id)
        return str(kernel_id)

    def _environment(self) -> dict[str, str]:
        # As the build runs the cells, so that a page shows here what it shows there.
        kept = {
            name: value
            for name, value in clean_environment().items()
            # Of a server or a hub, its tokens among them.
            if not name.startswith(("JUPYTER", "JPY_"))
        }
        return kept | {
            "PYTHONPATH": str(self.root),
            "IPYTHONDIR": str(self.folder / "ipython"),
        }
