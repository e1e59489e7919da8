"""What a page asks of its kernel: a start, an interruption, its end; and its messages.

| request | answer |
| --- | --- |
| ``POST live/kernels`` | ``{"id": …}``; with ``{"instead": id}`` that one is ended |
| ``GET live/kernels/ID`` | 204 while it lives, else 404 |
| ``POST live/kernels/ID/interrupt`` | 204 |
| ``DELETE live/kernels/ID`` | 204 |
| ``live/kernels/ID/channels`` | a WebSocket with Jupyter's messages |
"""

from __future__ import annotations

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.services.kernels.connection.channels import (
    ZMQChannelsWebsocketConnection,
)
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado import web

from live.kernel_pool import KernelPool, NoKernelLeft
from live.requests import Safe, same_origin

ID = r"(?P<kernel_id>[0-9a-f-]{36})"
FULL = (
    "as many kernels run as this server allows, each for an open page; "
    "close a page that you do not need, and run this one again"
)
TOO_MUCH = "… too much output at once; what follows here is left out …\n"


class KernelRequest(Safe):
    """A request about kernels, for readers who may run code."""

    auth_resource = "kernels"

    @property
    def kernels(self) -> KernelPool:
        """The kernels of the live book."""
        kernels: KernelPool = self.settings["live_kernels"]
        return kernels

    def known(self, kernel_id: str) -> str:
        """The id, if a kernel has it.

        Raises:
            HTTPError: 404 if there is none.
        """
        if kernel_id not in self.kernels.manager:
            raise web.HTTPError(404, "this kernel has ended")
        return kernel_id


class Kernels(KernelRequest):
    """All of them: one more, please."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Hand out the ready kernel."""
        asked = self.get_json_body()
        if isinstance(asked, dict) and isinstance(old := asked.get("instead"), str):
            self.kernels.end(old)
        try:
            kernel_id = await self.kernels.take()
        except NoKernelLeft:
            raise web.HTTPError(503, FULL) from None
        self.set_status(201)
        self.finish({"id": kernel_id})


class Kernel(KernelRequest):
    """One kernel."""

    @web.authenticated
    @authorized
    def get(self, kernel_id: str) -> None:
        """Does it still live?"""
        self.known(kernel_id)
        self.set_status(204)

    @web.authenticated
    @authorized
    def delete(self, kernel_id: str) -> None:
        """End it."""
        self.kernels.end(self.known(kernel_id))
        self.set_status(204)


class Interruption(KernelRequest):
    """Stop what runs; what is computed stays."""

    @web.authenticated
    @authorized
    async def post(self, kernel_id: str) -> None:
        """Interrupt it as Ctrl+C would."""
        await ensure_async(
            self.kernels.manager.interrupt_kernel(self.known(kernel_id))  # type: ignore[func-returns-value]
        )
        self.set_status(204)


class Connection(ZMQChannelsWebsocketConnection):
    """Jupyter's connection of a WebSocket with a kernel, in the book's words."""

    def write_stderr(self, error_message: str, parent_header: object) -> None:
        """Say that output is left out; Jupyter would name settings of the server."""
        super().write_stderr(TOO_MUCH, parent_header)  # type: ignore[no-untyped-call]


class Channels(KernelWebsocketHandler):
    """The messages of a kernel."""

    kernel_websocket_connection_class = Connection

    @property
    def kernel_manager(self) -> AsyncMappingKernelManager:
        """The live book's, not the server's."""
        kernels: KernelPool = self.settings["live_kernels"]
        return kernels.manager

    @property
    def ping_timeout(self) -> float:
        """Not longer than the interval, which tornado would complain about."""
        return float(self.ping_interval)

    def check_origin(self, origin: str | None = None) -> bool:
        """The very page that this server has served."""
        return same_origin(self.get_origin(), self.request.host)

    async def pre_get(self) -> None:
        """Refuse other origins and kernels that have ended, before anything is done."""
        if not self.check_origin():
            raise web.HTTPError(403, "the request comes from another origin")
        if self.kernel_id not in self.kernel_manager:
            raise web.HTTPError(404, "this kernel has ended")
        await super().pre_get()  # type: ignore[no-untyped-call]


handlers = [
    (r"/live/kernels", Kernels),
    (rf"/live/kernels/{ID}", Kernel),
    (rf"/live/kernels/{ID}/interrupt", Interruption),
    (rf"/live/kernels/{ID}/channels", Channels),
]
