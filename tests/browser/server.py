"""The built book over HTTP on this machine, as a host of static pages serves it.

Text is compressed with gzip, files may be kept for ten minutes, and a path that does
not exist answers with ``404.html``: just what GitHub Pages does.
"""

from __future__ import annotations

import gzip
import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg+xml")


@cache
def compressed(file: Path) -> bytes:
    """The content of a file as it travels."""
    return gzip.compress(file.read_bytes(), compresslevel=6, mtime=0)


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with the files below ``server.root``."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        file, status = self.server.find(urlsplit(self.path).path)
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        body = file.read_bytes() if file.is_file() else b"there is no such page\n"
        headers = {"Content-Type": kind, "Cache-Control": "max-age=600"}
        if kind.startswith(COMPRESSED):
            headers["Content-Type"] += "; charset=utf-8"
            headers["Vary"] = "Accept-Encoding"
            if file.is_file() and "gzip" in self.headers.get("Accept-Encoding", ""):
                headers["Content-Encoding"] = "gzip"
                body = compressed(file)
        headers["Content-Length"] = str(len(body))
        self.server.sent[file.name] = len(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a test says what went wrong."""


class Server(ThreadingHTTPServer):
    """Serves one folder at ``http://127.0.0.1:port/prefix/``."""

    daemon_threads = True

    def __init__(self, root: Path, prefix: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root.resolve()
        self.prefix = prefix
        self.sent: dict[str, int] = {}  # bytes of each body, by the name of the file
        self.address = f"http://127.0.0.1:{self.server_port}{prefix}/"

    def find(self, path: str) -> tuple[Path, int]:
        """The file for a path of a URL, and the status."""
        missing = self.root / "404.html", 404
        path = unquote(path)
        if not path.startswith(f"{self.prefix}/"):
            return missing
        file = (self.root / path.removeprefix(f"{self.prefix}/")).resolve()
        if file.is_dir():
            file /= "index.html"
        inside = file.is_relative_to(self.root)
        return (file, 200) if inside and file.is_file() else missing


@contextmanager
def served(root: Path, prefix: str = "/book") -> Iterator[Server]:
    """Serve ``root`` while the context lasts.

    A project's pages at GitHub stand below a prefix; so they do here.
    """
    server = Server(root, prefix)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
