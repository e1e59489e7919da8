"""The way in, on one's own machine: a key that works once, for a session cookie.

The key lies in a file that only its owner can read. Opened in a browser, the file leads
to ``/login?key=…``; the answer is a cookie and the way to the book. By then the key is
spent and the file holds the next one, so that the same file always leads in.

No page and no line of the log has a key. In another Jupyter server, or under
JupyterHub, the way in is the one that is there.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from typing import Any

from jupyter_server.auth import IdentityProvider, User
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from traitlets import Dict, default

from live.requests import Safe

READER = User("reader", "Reader")
DOOR = """<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={url}">
<title>The live book</title>
</head>
<body><p><a href="{url}">Open the book</a></p></body>
</html>
"""
LOCKED = (
    "This book runs code on the machine that serves it, so it asks who comes.\n"
    "Open it with the link that the server has printed, or start `nox -s live` again.\n"
)


class Keys:
    """One key at a time; each works once.

    >>> keys = Keys()
    >>> first = keys.current
    >>> keys.spend(first), keys.spend(first)
    (True, False)
    """

    def __init__(self) -> None:
        self.current = secrets.token_urlsafe(32)

    def spend(self, key: str) -> bool:
        """Whether this is the key; if so, there is another one from now on."""
        if not hmac.compare_digest(key.encode(), self.current.encode()):
            return False
        self.current = secrets.token_urlsafe(32)
        return True


class Door:
    """The file that leads in, kept up to date with the key."""

    def __init__(self, keys: Keys, file: Path, login_url: str) -> None:
        self.keys = keys
        self.file = file
        self.login_url = login_url

    @property
    def url(self) -> str:
        """The address that leads in, once."""
        return f"{self.login_url}?key={self.keys.current}"

    def write(self) -> None:
        """Write the file, for its owner alone."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        aside = self.file.with_suffix(".new")
        aside.unlink(missing_ok=True)
        mode = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(os.open(aside, mode, 0o600), "w", encoding="utf-8") as text:
            text.write(DOOR.format(url=self.url))
        os.replace(aside, self.file)

    def remove(self) -> None:
        """Remove the file: the server ends."""
        self.file.unlink(missing_ok=True)


class Login(Safe):
    """Takes a key; without one, says how to get in."""

    @allow_unauthenticated
    def get(self) -> None:
        """Exchange the key for a cookie."""
        door = self.settings.get("live_door")
        if door is None or not door.keys.spend(self.get_query_argument("key", "")):
            self.set_status(403)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(LOCKED)
            return
        door.write()
        self.identity_provider.set_login_cookie(self, READER)
        self.redirect(f"{self.base_url}book/", status=303)


class OneReader(IdentityProvider):
    """Knows the reader by the cookie, and by nothing else."""

    cookie_options = Dict()

    @default("cookie_options")
    def _until_the_browser_is_closed(self) -> dict[str, Any]:
        # Not "Strict": the file that leads in is another site, as a mail is.
        return {"expires_days": None, "samesite": "Lax"}

    @default("token")
    def _no_token(self) -> str:
        return ""

    @default("login_handler_class")
    def _login(self) -> type[web.RequestHandler]:
        return Login

    def get_token(self, handler: web.RequestHandler) -> str | None:
        """Take no token, from an address or a header."""
        return None

    def user_to_cookie(self, user: User) -> str:
        """There is but one reader; the signature of the cookie is what counts."""
        return user.username

    def user_from_cookie(self, cookie_value: str) -> User | None:
        """The reader, if the cookie is ours."""
        return READER if cookie_value == READER.username else None
