"""What every request to the live book must fulfil, and what every answer says.

Jupyter checks the cookie, the Host and the token against forged requests. Beyond that a
request that changes something, or opens a channel to a kernel, must name the origin it
comes from, and it must be this server: a cookie of 127.0.0.1 is sent to every port.
"""

from __future__ import annotations

from collections.abc import Awaitable
from urllib.parse import urlsplit

from jupyter_server.base.handlers import JupyterHandler
from tornado import web

# As the head of each page says (`page_head`); a header can also forbid frames.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def same_origin(origin: str | None, host: str) -> bool:
    """Whether an Origin header names this very host and port.

    >>> same_origin("http://127.0.0.1:8888", "127.0.0.1:8888")
    True
    >>> same_origin("http://127.0.0.1:9999", "127.0.0.1:8888")
    False
    >>> same_origin(None, "127.0.0.1:8888")
    False
    """
    return origin is not None and urlsplit(origin.lower()).netloc == host.lower()


class Safe(JupyterHandler):
    """A handler whose answers tell the browser to load nothing from elsewhere."""

    def set_default_headers(self) -> None:
        """Say it in the headers of each answer, of errors too."""
        super().set_default_headers()
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-cache")

    async def prepare(  # type: ignore[override]
        self, *, _redirect_to_login: bool = True
    ) -> Awaitable[None] | None:
        """Refuse whom we do not know, and other origins, before anything is done."""
        await super().prepare(_redirect_to_login=_redirect_to_login)
        # Jupyter can be set to leave this to each method; here it is for all of them.
        method = getattr(self, str(self.request.method).lower())
        public = getattr(method, "__allow_unauthenticated", False)
        if self.current_user is None and not public:
            if not _redirect_to_login:
                raise web.HTTPError(403)
            web.authenticated(lambda handler: None)(self)
            return None
        if self.request.method not in {"GET", "HEAD"} and not same_origin(
            self.request.headers.get("Origin"), self.request.host
        ):
            raise web.HTTPError(403, "the request comes from another origin")
        return None

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """One line of text, no page that loads something."""
        error = kwargs.get("exc_info", (None, None, None))[1]  # type: ignore[index]
        reason = error.log_message if isinstance(error, web.HTTPError) else None
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{reason or self._reason}\n")
