"""Who gets what from the server of the live book: every way that must be closed."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import websocket

import page_head
from live import requests
from live.gate import is_open
from tests.live.server import Reader, Server, until

FORBIDDEN = 403
FOREIGN = "http://evil.example"
NEIGHBOUR = "http://127.0.0.1:1"
NO_KERNEL = "00000000-0000-0000-0000-000000000000"


def refused(reader: Reader, kernel: str, **options: object) -> int:
    """The status with which a WebSocket is refused."""
    with pytest.raises(websocket.WebSocketBadStatusException) as error:
        reader.channel(kernel, **options)  # type: ignore[arg-type]
    return int(error.value.status_code)


@pytest.mark.parametrize(
    "path",
    [
        "/book/",
        "/book/tensors.html",
        "/book/_static/styles.css",
        "/live/page/tensors",
        "/live/client/live.js",
        f"/live/kernels/{NO_KERNEL}",
    ],
)
def test_without_a_key_nothing_is_read(stranger: Reader, path: str) -> None:
    answer = stranger.ask(path)
    assert answer.status == 302
    assert urlsplit(answer.headers["Location"]).path == "/login"
    assert answer.body == ""
    assert stranger.ask("/login").status == FORBIDDEN
    assert stranger.ask("/login?key=guess").status == FORBIDDEN
    assert stranger.cookies == {}


@pytest.mark.parametrize("name", ["token", "key"])
def test_no_token_leads_in(stranger: Reader, server: Server, name: str) -> None:
    key = urlsplit(server.link()).query.partition("=")[2]
    assert stranger.ask(f"/book/?{name}={key}").status == 302
    headers = {"Authorization": f"token {key}"}
    assert stranger.ask("/book/", headers=headers).status == 302


def test_a_key_works_once_and_the_file_has_the_next(
    stranger: Reader, server: Server
) -> None:
    first = urlsplit(server.link())
    assert stranger.enter(server).headers["Location"] == "/book/"
    assert stranger.ask("/book/").status == 200
    other = Reader(server.host)
    assert other.ask(f"{first.path}?{first.query}").status == FORBIDDEN
    assert other.ask("/book/").status == 302
    assert other.enter(server).status == 303


def test_the_key_is_nowhere_else(reader: Reader, server: Server) -> None:
    key = urlsplit(server.link()).query.partition("=")[2]
    again = Reader(server.host)
    again.enter(server)
    again.ask(f"/login?key={key}")  # spent: a refusal is logged
    until(lambda: "/login" in server.printed)
    assert len(key) > 30
    assert key not in server.printed
    assert key not in reader.ask("/book/tensors.html").body
    assert server.door.stat().st_mode & 0o077 == 0
    command = Path(f"/proc/{server.process.pid}/cmdline")
    if command.exists():
        assert key.encode() not in command.read_bytes()


def test_the_cookie_is_kept_from_scripts_and_other_sites(
    stranger: Reader, server: Server
) -> None:
    link = urlsplit(server.link())
    answer = stranger.ask(f"{link.path}?{link.query}")
    [cookie] = answer.headers.get_all("Set-Cookie") or []
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= parts
    assert not any(part.startswith("expires") for part in parts)


def test_a_forged_cookie_does_not_lead_in(reader: Reader, server: Server) -> None:
    [name] = [name for name in reader.cookies if name.startswith("username")]
    cookie = reader.cookies[name]
    # The signature is its last part, in hexadecimal digits.
    place = cookie.rindex("|") + 5
    other = "0" if cookie[place] != "0" else "1"
    changed = cookie[:place] + other + cookie[place + 1 :]
    forged = Reader(server.host, {name: changed})
    assert forged.ask("/book/").status == 302


def test_it_listens_on_the_loopback_interface_alone(server: Server) -> None:
    host, _, port = server.host.partition(":")
    assert host == "127.0.0.1"
    table = Path("/proc/net/tcp")
    if table.exists():
        listening = [line.split()[1] for line in table.read_text().splitlines()[1:]]
        ends = {one.split(":")[0] for one in listening if int(one[9:], 16) == int(port)}
        assert "00000000" not in ends
        assert "0100007F" in ends


@pytest.mark.parametrize("host", ["evil.example", "192.168.1.2", "127.0.0.1.nip.io"])
def test_another_host_is_refused(reader: Reader, host: str) -> None:
    answer = reader.ask("/book/", headers={"Host": host})
    assert answer.status == FORBIDDEN
    answer = reader.ask("/live/kernels", "POST", headers={"Host": host})
    assert answer.status == FORBIDDEN


@pytest.mark.parametrize("origin", [FOREIGN, NEIGHBOUR, "null", ""])
def test_another_origin_changes_nothing(reader: Reader, origin: str) -> None:
    kernel = reader.kernel()
    headers = {"Origin": origin}
    for path, method in [
        ("/live/kernels", "POST"),
        (f"/live/kernels/{kernel}/interrupt", "POST"),
        (f"/live/kernels/{kernel}", "DELETE"),
    ]:
        # Jupyter says 404 to an origin that it does not know.
        assert reader.ask(path, method, headers=headers).status in {403, 404}
    assert reader.ask(f"/live/kernels/{kernel}").status == 204
    if origin:
        assert refused(reader, kernel, origin=origin) == FORBIDDEN
    assert reader.ask(f"/live/kernels/{kernel}", "DELETE").status == 204


def test_another_origin_reads_nothing(reader: Reader) -> None:
    answer = reader.ask("/live/page/tensors", headers={"Origin": NEIGHBOUR})
    assert answer.headers["Access-Control-Allow-Origin"] is None
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_channel_needs_the_cookie(reader: Reader) -> None:
    kernel = reader.kernel()
    assert refused(reader, kernel, cookie=False) == FORBIDDEN
    assert reader.channel(kernel).run("1 + 1") == "2"
    assert reader.ask(f"/live/kernels/{kernel}", "DELETE").status == 204


def test_a_change_needs_the_token_of_the_page(reader: Reader) -> None:
    without = reader.ask("/live/kernels", "POST", without=["X-XSRFToken"])
    assert without.status == FORBIDDEN
    wrong = reader.ask("/live/kernels", "POST", headers={"X-XSRFToken": "2|a|b|1"})
    assert wrong.status == FORBIDDEN


@pytest.mark.parametrize(
    "path",
    [
        *("../secret.txt", "..%2fsecret.txt", "_static/../../secret.txt"),
        *("%2e%2e/secret.txt", "/etc/passwd", "%2Fetc/passwd", "..\\secret.txt"),
        *("way-out.txt", ".hidden", "_static/%00", "_static", "_static/"),
    ],
)
def test_only_files_of_the_book_are_served(reader: Reader, path: str) -> None:
    answer = reader.ask(f"/book/{path}")
    assert answer.status in {403, 404}
    assert "secret" not in answer.body
    assert "root:" not in answer.body
    for place in ("client", "page"):
        answer = reader.ask(f"/live/{place}/{path}")
        assert answer.status in {403, 404}


@pytest.mark.parametrize(
    "path",
    [
        *("/api", "/api/contents", "/api/kernels", "/api/kernelspecs", "/api/sessions"),
        *("/api/terminals", "/api/config/x", "/api/me", "/api/status", "/api/events/x"),
        *("/files/x", "/nbconvert/html/x", "/view/x", "/tree", "/lab", "/terminals/1"),
        *("/static/favicon.ico", "/metrics", "/custom/custom.css", "/kernelspecs/x/y"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_no_other_part_of_jupyter_answers(
    reader: Reader, path: str, method: str
) -> None:
    assert reader.ask(path, method).status == FORBIDDEN


def test_jupyter_itself_has_these_parts() -> None:
    """The refusals above are of what would be there."""
    from jupyter_server.services.contents.handlers import (  # noqa: PLC0415
        default_handlers,
    )

    assert any(pattern.startswith("/api/contents") for pattern, *_ in default_handlers)
    assert not is_open("/api/contents", "/")
    assert not is_open("/user/bob/book/", "/user/ann/")


def test_answers_forbid_what_the_pages_forbid(reader: Reader) -> None:
    for path in ("/book/tensors.html", "/book/_static/styles.css", "/book/nothing"):
        headers = reader.ask(path).headers
        assert headers["Content-Security-Policy"] == requests.POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert f"{page_head.policy()}; frame-ancestors 'none'" == requests.POLICY


def test_a_port_in_use_is_not_taken_over(server: Server) -> None:
    with socket.socket() as taken, pytest.raises(OSError, match="in use"):
        taken.bind(("127.0.0.1", int(server.host.rpartition(":")[2])))
