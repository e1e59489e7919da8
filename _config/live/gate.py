"""What a server answers that is there for the book alone.

Jupyter's server brings files, terminals, settings and more, for whoever is logged in. A
page of the book needs none of it, and what cannot be reached cannot be abused: every
address is refused but those of the book, of its kernels, and of the way in.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.serverapp import ServerWebApplication
from tornado import web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule

# Below the base URL: the book, its kernels, and the ways in and out, of which
# JupyterHub has one of its own.
FOLDERS = ("book/", "live/")
PLACES = ("", "book", "login", "logout", "oauth_callback")


def is_open(path: str, base_url: str) -> bool:
    """Whether the server answers at this path of a URL.

    >>> is_open("/user/ann/book/tensors.html", "/user/ann/")
    True
    >>> is_open("/user/ann/api/contents", "/user/ann/")
    False
    """
    if not path.startswith(base_url):
        return path == base_url.rstrip("/")
    place = path.removeprefix(base_url)
    return place in PLACES or place.startswith(FOLDERS)


class Elsewhere(Matcher):
    """Matches every request to a place that is not open."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Arguments for the handler, or nothing where others may answer."""
        return None if is_open(request.path, self.base_url) else {}


class Refused(web.RequestHandler):
    """Says no, whoever asks."""

    def set_default_headers(self) -> None:
        """Whatever it says is text."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("X-Content-Type-Options", "nosniff")

    @allow_unauthenticated
    def _refuse(self, *_: str) -> None:
        self.set_status(403)
        self.finish("This server has the book and nothing else.\n")

    # What comes to no method here is answered by tornado, with 405.
    get = head = post = put = patch = delete = options = _refuse

    def check_xsrf_cookie(self) -> None:
        """A refusal needs no check."""


def close(application: ServerWebApplication) -> None:
    """Refuse what is not the book's, before any other rule is asked."""
    base_url = str(application.settings["base_url"])
    application.default_router.rules.insert(0, Rule(Elsewhere(base_url), Refused))
