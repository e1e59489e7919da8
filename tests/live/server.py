"""The live book's real server, and a reader who speaks HTTP to it.

``running(site)`` starts ``python _config/live`` on a free port of the loopback
interface, in folders of its own, and ends it. ``Reader`` is a browser without a screen:
it keeps cookies, names its origin, and does just what it is told.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websocket

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(r"^The live book: (\S+)$", re.M)
DOOR = re.compile(r"^To open it: file://(\S+)$", re.M)
LINK = re.compile(r'href="([^"]+)"')


@dataclass
class Answer:
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running server: where it is, what it printed, how to come in."""

    process: subprocess.Popen[bytes]
    log: Path
    folder: Path

    @property
    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait(self, timeout: float = 60) -> None:
        """Until it has said where it is."""
        until(
            lambda: DOOR.search(self.printed) or self.process.poll() is not None,
            timeout,
        )
        assert self.process.poll() is None, self.printed

    @property
    def address(self) -> str:
        """Of the book, ``http://127.0.0.1:port/book/``."""
        found = ADDRESS.search(self.printed)
        assert found, self.printed
        return found[1]

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def door(self) -> Path:
        found = DOOR.search(self.printed)
        assert found, self.printed
        return Path(found[1])

    def link(self) -> str:
        """The address with a key, as the file holds it now."""
        found = LINK.search(self.door.read_text(encoding="utf-8"))
        assert found
        return found[1]

    def stop(self, sign: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(sign)
            self.process.wait(timeout=90)


def until(condition: Callable[[], object], timeout: float = 20) -> None:
    """Wait for it; fail when it does not come."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@contextmanager
def running(
    folder: Path,
    site: Path,
    *options: str,
    command: Sequence[str] = (str(ROOT / "_config" / "live"),),
    port: int = 0,
    ready: bool = True,
    open_page: bool = False,
) -> Iterator[Server]:
    """Start the server; end it, whatever happens."""
    log = folder / f"server-{uuid.uuid4().hex}.log"
    own = {
        name: str(folder / name.lower())
        for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")
    }
    arguments = [
        f"--LiveBook.site={site}",
        f"--LiveBook.open_page={open_page}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        *options,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, *arguments],
            cwd=folder,
            env=os.environ | own | {"PYTHONPATH": str(ROOT / "_config")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, log, folder)
    try:
        if ready:
            server.wait()
        yield server
    finally:
        server.stop()


@dataclass
class Reader:
    """Someone who asks the server at ``host``."""

    host: str
    cookies: dict[str, str] = field(default_factory=dict)
    xsrf: str = ""
    base: str = "/"
    channels: list[websocket.WebSocket] = field(default_factory=list)

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        body: object = None,
        headers: dict[str, str] | None = None,
        without: Sequence[str] = (),
    ) -> Answer:
        """Send what a page of the book would send, except what is to be left out."""
        sent = {
            "Host": self.host,
            "Origin": f"http://{self.host}",
            "X-XSRFToken": self.xsrf,
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
        }
        if method == "GET":
            del sent["Origin"]
        sent |= headers or {}
        kept = {k: v for k, v in sent.items() if v and k not in without}
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True)
            for name, value in kept.items():
                connection.putheader(name, value)
            data = b"" if body is None else json.dumps(body).encode()
            connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            got = connection.getresponse()
            answer = Answer(got.status, got.msg, got.read().decode(errors="replace"))
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def enter(self, server: Server) -> Answer:
        """Come in with the key, and learn the token that requests must carry."""
        link = urlsplit(server.link())
        answer = self.ask(f"{link.path}?{link.query}")
        self.xsrf = self.ask(f"{self.base}live/page/index").json()["xsrf"]
        return answer

    def kernel(self, **body: str) -> str:
        """The id of a kernel."""
        answer = self.ask(f"{self.base}live/kernels", "POST", body=body)
        assert answer.status == 201, answer.body
        return str(answer.json()["id"])

    def channel(
        self,
        kernel: str,
        *,
        origin: str | None = None,
        cookie: bool = True,
        session: str = "",
    ) -> Channel:
        """A WebSocket to a kernel."""
        session = session or uuid.uuid4().hex
        cookies = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        connection = websocket.create_connection(
            f"ws://{self.host}{self.base}live/kernels/{kernel}/channels"
            f"?session_id={session}",
            origin=origin or f"http://{self.host}",
            cookie=cookies if cookie else None,
            timeout=30,
        )
        self.channels.append(connection)
        return Channel(connection, session)

    def close(self) -> None:
        """Leave no channel open."""
        for one in self.channels:
            one.close()


@dataclass
class Channel:
    """Messages to and from a kernel."""

    connection: websocket.WebSocket
    session: str

    def send(self, kind: str, content: dict[str, Any]) -> str:
        name = uuid.uuid4().hex
        header = {
            "msg_id": name,
            "session": self.session,
            "username": "",
            "msg_type": kind,
            "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        }
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        self.connection.send(json.dumps(message))
        return name

    def execute(self, code: str) -> str:
        # After an error a kernel drops what comes too soon, unless it is told not to.
        content = {"code": code, "allow_stdin": False, "stop_on_error": False}
        return self.send("execute_request", content)

    def messages(self) -> Iterator[dict[str, Any]]:
        while True:
            yield json.loads(self.connection.recv())

    def run(self, code: str) -> str:
        """Run code to its end; what it printed, showed, or raised."""
        name = self.execute(code)
        found = []
        for message in self.messages():
            if message["parent_header"].get("msg_id") != name:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    found.append(content["text"])
                case "execute_result" | "display_data":
                    found.append(content["data"]["text/plain"])
                case "error":
                    found.append(f"{content['ename']}: {content['evalue']}")
                case "status" if content["execution_state"] == "idle":
                    break
        return "".join(found)
