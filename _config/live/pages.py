"""The files of the built book, for readers who are logged in.

A page is served as it lies in the folder, with one script and one style sheet more;
that is the whole difference to the book without a server. Nothing outside of the folder
is served, and nothing hidden in it.
"""

from __future__ import annotations

from pathlib import Path

from tornado import web

from live.hidden_code import hidden_code
from live.requests import Safe
from snippet_cells import SnippetError

CELL = '<div class="cell'
# What the client is made of; see `bundle`.
CLIENT = ("live.js", "live.css", "editor.js")


def with_client(page: str, address: str) -> str:
    """A page that has cells, with the client of the live book.

    >>> print(with_client('<head></head><div class="cell">', "/"))
    <head><link rel="stylesheet" href="/live.css"/><script defer src="/live.js"></script></head><div class="cell">
    """  # noqa: E501
    if CELL not in page:
        return page
    head, end, rest = page.partition("</head>")
    style = f'<link rel="stylesheet" href="{address}live.css"/>'
    script = f'<script defer src="{address}live.js"></script>'
    return f"{head}{style}{script}{end}{rest}"


def file_below(root: Path, path: str) -> Path | None:
    """The file that a path of a URL names, if it is in the folder and not hidden."""
    if any(part.startswith(".") for part in path.split("/")) or "\\" in path:
        return None
    try:
        file = (root / path).resolve()
        if file.is_dir():
            file = (file / "index.html").resolve()
        inside = file.is_relative_to(root.resolve()) and file.is_file()
    except (OSError, ValueError):  # names that no file system takes
        return None
    return file if inside else None


class Files(Safe, web.StaticFileHandler):
    """A folder of files; ``path`` is set by the extension."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Only what lies in the folder, whatever leads there."""
        path = Path(absolute_path).relative_to(Path(root).absolute()).as_posix()
        file = file_below(Path(root), path)
        if file is None:
            raise web.HTTPError(404, "there is no such page")
        return str(file)

    def set_extra_headers(self, path: str) -> None:
        """The browser asks each time whether a file has changed."""
        self.set_header("Cache-Control", "no-cache")


class Book(Files):
    """The pages, with the client in them."""

    async def get(self, path: str, include_body: bool = True) -> None:
        """A page with the client, or another file as it is."""
        if not path and not self.request.path.endswith("/"):
            self.redirect(f"{self.request.path}/")
            return
        file = file_below(Path(self.root), path)
        if file is None and "." not in path.rpartition("/")[2]:
            file = file_below(Path(self.root), f"{path}.html")
        if file is None:
            file = file_below(Path(self.root), "404.html")
            self.set_status(404)
        if file is None or file.suffix != ".html":
            await super().get(path, include_body)
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        page = file.read_text(encoding="utf-8")
        self.finish(with_client(page, f"{self.base_url}live/client/"))

    async def head(self, path: str) -> None:
        """The same; tornado leaves out the page itself."""
        await self.get(path, include_body=False)

    def compute_etag(self) -> str | None:
        """Of a page as it is sent, with the client; of a file as it lies there."""
        absolute = getattr(self, "absolute_path", None)
        if absolute is None:
            return web.RequestHandler.compute_etag(self)
        # Tornado would compute it once for as long as the server runs.
        state = Path(absolute).stat()
        return f'"{state.st_mtime_ns:x}-{state.st_size:x}"'


class Client(Files):
    """The scripts and styles of the client, which hold nothing private."""

    async def get(self, path: str, include_body: bool = True) -> None:
        """One of the files, and no other of their folder."""
        if path not in CLIENT:
            raise web.HTTPError(404, "there is no such file")
        await super().get(path, include_body)


class Missing(Safe):
    """Any other address of the client."""

    @web.authenticated
    def get(self) -> None:
        """There is nothing."""
        raise web.HTTPError(404, "there is nothing here")


class PageData(Safe):
    """What the client must know of a page: hidden code, and the token to send back."""

    def initialize(self, site: Path, snippets: Path) -> None:
        """Keep where the pages and their code are."""
        self.site = site
        self.snippets = snippets

    @web.authenticated
    def get(self, name: str) -> None:
        """As JSON, which another origin cannot read."""
        page = file_below(self.site, f"{name}.html")
        if page is None:
            raise web.HTTPError(404, "there is no such page")
        try:
            code = hidden_code(page, self.snippets)
        except SnippetError as error:
            raise web.HTTPError(409, str(error).replace("%", "%%")) from None
        self.finish({"hidden": code, "xsrf": self.xsrf_token.decode()})
