"""The live book for a class: a real JupyterHub on this machine, with two users."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import websocket

from mathml.install import install, node_executable
from tests.live.server import ROOT, Channel, until

PINS = Path(__file__).parent / "node"
PROXY = ROOT / "build" / "hub"
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{public}/class/"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "of-the-class"
c.Authenticator.allowed_users = {{"ann", "bob"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}
c.JupyterHub.db_url = "sqlite://"

# What CONTRIBUTING says.
c.Spawner.environment = {{"PYTHONPATH": {package!r}}}
c.Spawner.default_url = "/book/"
c.Spawner.args = [
    "--ServerApp.jpserver_extensions={{'live': True}}",
    "--LiveBook.alone=True",
    "--LiveBook.site={site}",
    "--LiveBook.client={client}",
    "--allow-root",
]
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class Hub:
    """A running hub: its address, and what it printed."""

    address: str
    log: Path
    channels: list[websocket.WebSocket] = field(default_factory=list)

    def student(self, name: str) -> Student:
        """Someone who has logged in and whose server has started."""
        session = requests.Session()
        form = session.get(f"{self.address}hub/login")
        data = {"username": name, "password": "of-the-class"}
        data["_xsrf"] = session.cookies.get("_xsrf", path="/class/hub/") or ""
        session.post(form.url, data=data)
        student = Student(name, session, f"{self.address}user/{name}/", self.channels)
        until(student.has_come_in, timeout=120)
        return student


@dataclass
class Student:
    """A user of the hub, at the own server."""

    name: str
    session: requests.Session
    address: str
    channels: list[websocket.WebSocket]

    def has_come_in(self) -> bool:
        time.sleep(0.5)
        answer = self.session.get(f"{self.address.partition('/user')[0]}/hub/spawn")
        return answer.url == f"{self.address}book/" and answer.status_code == 200

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.address + path)

    def post(self, path: str, **headers: str) -> requests.Response:
        origin = "http://" + urlsplit(self.address).netloc
        xsrf = self.get("live/page/tensors").json()["xsrf"]
        sent = {"Origin": origin, "X-XSRFToken": xsrf} | headers
        return self.session.post(self.address + path, headers=sent)

    def channel(self, kernel: str) -> Channel:
        address = self.address.replace("http", "ws", 1)
        session = uuid.uuid4().hex
        url = f"{address}live/kernels/{kernel}/channels?session_id={session}"
        prepared = self.session.prepare_request(requests.Request("GET", self.address))
        connection = websocket.create_connection(
            url,
            origin="http://" + urlsplit(address).netloc,
            cookie=prepared.headers["Cookie"],
            timeout=60,
        )
        self.channels.append(connection)
        return Channel(connection, session)


@pytest.fixture(scope="module")
def hub(
    tmp_path_factory: pytest.TempPathFactory, site: Path, client: Path
) -> Iterator[Hub]:
    """A hub below a prefix, with its proxy."""
    install(PINS, PROXY)
    script = PROXY / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    folder = tmp_path_factory.mktemp("hub")
    public, inner, api = free_ports(3)
    config = folder / "jupyterhub_config.py"
    text = CONFIG.format(
        public=public,
        hub=inner,
        api=api,
        proxy=[str(node_executable()), str(script)],
        homes=str(folder / "{username}"),
        package=str(ROOT / "_config"),
        site=site,
        client=client,
    )
    config.write_text(text, encoding="utf-8")
    log = folder / "hub.log"
    # A hub finds the command of its users' servers on the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=folder,
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        running = Hub(f"http://127.0.0.1:{public}/class/", log)
        until(
            lambda: "JupyterHub is now running" in log.read_text() or process.poll(), 90
        )
        assert process.poll() is None, log.read_text()
        yield running
        for one in running.channels:
            one.close()
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_each_reader_of_a_class_has_an_own_book_and_kernel(hub: Hub) -> None:
    ann, bob = hub.student("ann"), hub.student("bob")
    processes = set()
    for student in (ann, bob):
        page = student.get("book/tensors.html").text
        found = re.findall(r'(?:src|href)="(/[^"]*/live/client/[^"]*)"', page)
        assert len(found) == 2
        assert all(path.startswith(f"/class/user/{student.name}/") for path in found)
        started = student.post("live/kernels")
        assert started.status_code == 201, started.text
        channel = student.channel(started.json()["id"])
        processes.add(channel.run(f"name = '{student.name}'; import os; os.getpid()"))
        assert channel.run("name") == f"'{student.name}'"
    assert len(processes) == 2

    # Neither comes to the other's, nor a stranger to any.
    theirs = bob.session.get(f"{ann.address}book/tensors.html")
    assert theirs.status_code == 403
    stranger = requests.get(f"{ann.address}book/tensors.html", timeout=30)
    assert urlsplit(stranger.url).path == "/class/hub/login"

    # Nothing else of Jupyter answers, and no other origin is heard.
    for path in ("api/contents", "api/kernels", "files/x", "lab", "api/terminals"):
        assert ann.get(path).status_code == 403
    assert ann.post("live/kernels", Origin="http://evil.example").status_code in {
        403,
        404,
    }
    assert ann.post("live/kernels", **{"X-XSRFToken": "guess"}).status_code == 403

    # No secret of the hub is in a kernel's environment or on a page.
    channel = ann.channel(ann.post("live/kernels").json()["id"])
    tokens = "[key for key in os.environ if 'TOKEN' in key or 'JUPYTERHUB' in key]"
    assert channel.run(f"import os; {tokens}") == "[]"
    assert "of-the-class" not in hub.log.read_text()
