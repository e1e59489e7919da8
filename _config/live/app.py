"""The server extension of Jupyter that serves the live book.

``jupyter server --ServerApp.jpserver_extensions='{"live": True}'`` adds it to a server,
under its base URL; ``python _config/live`` starts a server for it alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Bool, Integer, Unicode, default

from live import ROOT, gate, kernel_requests
from live.bundle import BUNDLE
from live.entrance import Door, Keys, OneReader
from live.kernel_pool import KernelPool
from live.pages import CLIENT, Book, Client, Missing, PageData


class LiveBook(ExtensionApp):
    """The live book: pages, and kernels to run them."""

    name = "live"
    description = "Serve the built book so that its code can be edited and run."
    extension_url = "/book/"
    load_other_extensions = False
    serverapp_config: dict[str, Any] = {  # noqa: RUF012 (Jupyter's own name)
        "ip": "127.0.0.1",
        "identity_provider_class": OneReader,
        "allow_remote_access": False,
        "open_browser": False,  # the page is opened here, with a key
        "log_level": logging.WARNING,
        "allow_root": True,  # containers have no other user; the server is local
    }

    site = Unicode(
        str(ROOT / "build" / "html"), help="The folder of the built book."
    ).tag(config=True)
    client = Unicode(str(BUNDLE), help="The folder of the bundled client.").tag(
        config=True
    )
    project = Unicode(
        str(ROOT), help="The folder that holds `snippets`, which the cells import."
    ).tag(config=True)
    most_kernels = Integer(
        6, help="Kernels at one time, a ready one among them; each takes 250 MB."
    ).tag(config=True)
    idle_kernel = Integer(
        1800, help="Seconds without work or an open page after which a kernel is ended."
    ).tag(config=True)
    alone = Bool(
        help="Whether the server serves nothing else: its other addresses answer 403."
    ).tag(config=True)
    open_page = Bool(True, help="Whether to open the book in the browser.").tag(
        config=True
    )

    @default("alone")
    def _alone_when_started_by_itself(self) -> bool:
        return self.started_by_itself

    @property
    def started_by_itself(self) -> bool:
        """Whether the server was started for the book."""
        assert self.serverapp is not None
        return self.serverapp.starter_app is self

    def initialize_settings(self) -> None:
        """Check the folders; make what the handlers share."""
        assert self.serverapp is not None
        self.log.setLevel(self.serverapp.log_level)
        self._require(Path(self.site, "index.html"), "the book", "`nox -s book`")
        for name in CLIENT:
            file = Path(self.client, name)
            self._require(file, "the client", "`python _config/live/bundle.py`")
        self.folder = Path(tempfile.mkdtemp(prefix="live-book-"))
        self.kernels = KernelPool(
            Path(self.project),
            self.folder,
            most=self.most_kernels,
            idle=self.idle_kernel,
            log=self.log,
        )
        self.settings["live_kernels"] = self.kernels

    def _require(self, file: Path, what: str, remedy: str) -> None:
        if not file.is_file():
            self.exit(f"{what} is not built: there is no {file}; run {remedy}")

    def initialize_handlers(self) -> None:
        """The pages, the client, what it asks."""
        site = Path(self.site)
        page = {"site": site, "snippets": Path(self.project, "snippets")}
        self.handlers.extend(
            [
                (r"/live/client/(.*)", Client, {"path": self.client}),
                (r"/live/page/([\w-]+)", PageData, page),
                *kernel_requests.handlers,
                (r"/live/.*", Missing),
                (r"/book/?(.*)", Book, {"path": str(site)}),
            ]
        )

    def initialize(self) -> None:  # type: ignore[override]
        """Add it to the server, and close what nobody needs."""
        super().initialize()  # type: ignore[no-untyped-call]
        assert self.serverapp is not None
        if self.alone:
            gate.close(self.serverapp.web_app)

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Make a kernel ready; lead the reader in."""
        self.kernels.prepare()
        if self.started_by_itself:
            self._open(serverapp)

    def _open(self, server: ServerApp) -> None:
        address = f"{server.connection_url.rstrip('/')}/login"
        file = Path(jupyter_runtime_dir(), f"live-book-{os.getpid()}.html")
        self.door = Door(Keys(), file, address)
        self.door.write()
        # Jupyter would ask whether that is meant.
        signal.signal(signal.SIGINT, lambda *_: server.stop(from_signal=True))
        server.web_app.settings["live_door"] = self.door
        print(f"The live book: {server.connection_url}book/", flush=True)
        print(f"To open it: {file.as_uri()}", flush=True)
        print("To end it: Ctrl+C", flush=True)
        if self.open_page:
            way = file.as_uri() if server.use_redirect_file else self.door.url
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, way)

    async def stop_extension(self) -> None:
        """End the kernels; leave nothing behind."""
        if hasattr(self, "door"):
            self.door.remove()
        try:
            await self.kernels.close()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def main(arguments: list[str] | None = None) -> None:
    """Start a server for the book alone."""
    LiveBook.launch_instance(arguments)  # type: ignore[no-untyped-call]
