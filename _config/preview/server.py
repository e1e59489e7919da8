"""The pages over HTTP on this machine alone, and the news of them over a WebSocket.

Into each page goes one line on its way, which loads ``static/preview.js``: the pages
themselves know nothing of a preview. A page's own policy allows that, for script, style
and connection are files and a socket of the same site.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from preview.session import Session

STATIC = Path(__file__).with_name("static")
# Written when somebody asks for them (``QuickBook.finish``).
LATER = {"search.html", "genindex.html", "404.html", "searchindex.js", "objects.inv"}
HOSTS = ["127.0.0.1", "localhost"]
CLOSED_BY_POLICY = 1008
FRESH = {"Cache-Control": "no-cache"}


def with_client(page: str, name: str, version: int) -> str:
    """A page that reloads itself when there is a newer version of it.

    >>> with_client("<head></head>", "tensors", 3).startswith("<head><script")
    True
    """
    client = (
        '<script src="/_preview/preview.js" defer="defer" '
        f'data-page="{html.escape(name)}" data-version="{version}"></script>'
        '<link rel="stylesheet" href="/_preview/preview.css"/>'
    )
    return page.replace("</head>", f"{client}</head>", 1)


class Pages:
    """Answers requests with what the session has built so far."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def page(self, request: Request) -> Response:
        """A file of the site."""
        path = request.path_params["path"] or "index.html"
        is_page = Path(path).suffix in {"", ".html"}
        if not self.session.state.versions and is_page:
            return self._html(STATIC / "waiting.html", path, 503)
        file = self._file(path)
        if path in LATER or (file is None and is_page):
            await self.session.finish()
            file = self._file(path)
        if file is None:
            missing = self._file("404.html") if is_page else None
            if missing is None:
                return Response("there is no such file\n", 404)
            return self._html(missing, path, 404)
        if file.suffix == ".html":
            return self._html(file, path, 200)
        return FileResponse(file, headers=FRESH)

    def _file(self, path: str) -> Path | None:
        root = self.session.pages
        if root is None:
            return None
        file = (root / path).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None

    def _html(self, file: Path, path: str, status: int) -> Response:
        name = path.removesuffix(".html")
        version = self.session.state.versions.get(name, 0)
        text = with_client(file.read_text(encoding="utf-8"), name, version)
        return HTMLResponse(text, status, headers=FRESH)

    async def news(self, socket: WebSocket) -> None:
        """Tell a browser what changes, as long as it shows the page."""
        # A page of another site may open a socket to this one, but not lie about it.
        origin = urlsplit(socket.headers.get("origin", ""))
        if origin.netloc != socket.headers.get("host"):
            await socket.close(CLOSED_BY_POLICY)
            return
        await socket.accept()
        with self.session.listening(socket.query_params.get("page", "")) as listener:
            gone = asyncio.create_task(_until_gone(socket))
            try:
                while not gone.done():
                    waiting = asyncio.create_task(listener.get())
                    await asyncio.wait(
                        (waiting, gone), return_when=asyncio.FIRST_COMPLETED
                    )
                    if waiting.done():
                        await socket.send_json(waiting.result())
                    waiting.cancel()
            except WebSocketDisconnect:
                pass
            finally:
                gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def application(session: Session) -> Starlette:
    """The server; it runs the session while it runs."""
    pages = Pages(session)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(session.run())
        yield
        running.cancel()
        await asyncio.wait([running])

    return Starlette(
        routes=[
            WebSocketRoute("/_preview/news", pages.news),
            Mount("/_preview", StaticFiles(directory=STATIC)),
            Route("/{path:path}", pages.page),
        ],
        # A name of another site that leads here is not ours.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        lifespan=lifespan,
    )
