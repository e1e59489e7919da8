"""A small book, served live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.server import Reader, Server, running

PAGE = """<!DOCTYPE html><html><head><title>{title}</title></head><body>
<div class="cell docutils container" id="cell-imports">…</div>
<div class="cell tag_remove-input docutils container" id="cell-figure-memory">…</div>
</body></html>"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages, a static file, a hidden file, and a secret beside the folder."""
    folder = tmp_path_factory.mktemp("book")
    pages = folder / "site"
    (pages / "_static").mkdir(parents=True)
    (pages / "index.html").write_text("<head></head><h1>The book</h1>")
    (pages / "404.html").write_text("<head></head><h1>No such page</h1>")
    (pages / "tensors.html").write_text(PAGE.format(title="Tensors"))
    (pages / "_static" / "styles.css").write_text("p { color: red }")
    (pages / ".hidden").write_text("secret")
    (folder / "secret.txt").write_text("secret")
    (pages / "way-out.txt").symlink_to(folder / "secret.txt")
    return pages


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A client that does nothing: the server does not look into it."""
    folder = tmp_path_factory.mktemp("client")
    for name in ("live.js", "live.css", "editor.js"):
        (folder / name).write_text("")
    return folder


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, site: Path, client: Path
) -> Iterator[Server]:
    """The live book, on a port of its own."""
    folder = tmp_path_factory.mktemp("server")
    options = (f"--LiveBook.client={client}", "--LiveBook.most_kernels=4")
    with running(folder, site, *options) as started:
        yield started


@pytest.fixture
def stranger(server: Server) -> Iterator[Reader]:
    """Someone without a key."""
    someone = Reader(server.host)
    yield someone
    someone.close()


@pytest.fixture
def reader(server: Server, stranger: Reader) -> Reader:
    """Someone who has come in with the key."""
    assert stranger.enter(server).status == 303
    return stranger
