"""What the server of the live book serves, and how its kernels live and end."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from live.hidden_code import hidden_code
from live.pages import with_client
from snippet_cells import SnippetError, parse_cells
from tests.live.server import ROOT, Reader, running, until


def test_a_page_with_cells_gets_the_client(reader: Reader, site: Path) -> None:
    page = reader.ask("/book/tensors.html").body
    added = (
        '<link rel="stylesheet" href="/live/client/live.css"/>'
        '<script defer src="/live/client/live.js"></script>'
    )
    assert page.replace(added, "") == (site / "tensors.html").read_text()
    assert reader.ask("/book/index.html").body == (site / "index.html").read_text()
    assert reader.ask("/live/client/live.js").status == 200


def test_addresses_without_a_file_name(reader: Reader) -> None:
    assert reader.ask("/book").headers["Location"] == "/book/"
    assert "The book" in reader.ask("/book/").body
    assert "Tensors" in reader.ask("/book/tensors").body
    assert reader.ask("/").headers["Location"].rstrip("?") == "/book/"
    missing = reader.ask("/book/nothing.html")
    assert (missing.status, "No such page" in missing.body) == (404, True)


def test_a_file_that_changes_is_sent_again(reader: Reader, site: Path) -> None:
    file = site / "_static" / "changing.css"
    file.write_text("p { color: red }")
    first = reader.ask("/book/_static/changing.css")
    same = {"If-None-Match": first.headers["Etag"]}
    assert reader.ask("/book/_static/changing.css", headers=same).status == 304
    file.write_text("p { color: blue }")
    again = reader.ask("/book/_static/changing.css", headers=same)
    assert (again.status, again.body) == (200, "p { color: blue }")


def test_with_client_needs_a_cell() -> None:
    page = "<head></head><p>No cell</p>"
    assert with_client(page, "/live/") == page


def test_hidden_code_is_that_of_the_cells_on_the_page(
    reader: Reader, tmp_path: Path
) -> None:
    module = (ROOT / "snippets" / "tensors.py").read_text()
    [cell] = reader.ask("/live/page/tensors").json()["hidden"].items()
    assert cell == ("cell-figure-memory", parse_cells(module)["figure-memory"].source)
    page = tmp_path / "other-page.html"
    hidden = '<div class="cell tag_remove-input docutils container" id="cell-figure-a">'
    page.write_text(hidden)
    with pytest.raises(SnippetError, match=r"no module other_page\.py"):
        hidden_code(page, tmp_path)
    (tmp_path / "other_page.py").write_text("# %% figure-b\n1\n")
    with pytest.raises(SnippetError, match="no cell 'figure-a'"):
        hidden_code(page, tmp_path)
    page.write_text("no cell")
    assert hidden_code(page, tmp_path) == {}


def test_a_kernel_has_torch_loaded_and_an_empty_namespace(reader: Reader) -> None:
    kernel = reader.kernel()
    channel = reader.channel(kernel)
    loaded = "import sys; 'torch' in sys.modules, 'matplotlib.pyplot' in sys.modules"
    assert channel.run(loaded) == "(True, True)"
    assert channel.run("torch").startswith("NameError")
    assert channel.run("from snippets import figures; figures.__name__") == (
        "'snippets.figures'"
    )
    reader.ask(f"/live/kernels/{kernel}", "DELETE")


def test_state_is_kept_between_cells_and_connections(reader: Reader) -> None:
    kernel = reader.kernel()
    first = reader.channel(kernel)
    assert first.run("x = 20; x + 1") == "21"
    first.connection.close()
    again = reader.channel(kernel, session=first.session)
    assert again.run("x + 2") == "22"
    reader.ask(f"/live/kernels/{kernel}", "DELETE")


def test_what_comes_while_nobody_listens_is_kept(reader: Reader) -> None:
    kernel = reader.kernel()
    first = reader.channel(kernel)
    name = first.execute("import time; time.sleep(1.5); print('late')")
    for message in first.messages():
        if message["msg_type"] == "execute_input":
            break
    first.connection.close()
    time.sleep(2)
    again = reader.channel(kernel, session=first.session)
    texts = (
        message["content"]["text"]
        for message in again.messages()
        if message["msg_type"] == "stream"
        and message["parent_header"]["msg_id"] == name
    )
    assert next(texts) == "late\n"
    reader.ask(f"/live/kernels/{kernel}", "DELETE")


def test_an_interruption_keeps_the_state(reader: Reader) -> None:
    kernel = reader.kernel()
    channel = reader.channel(kernel)
    channel.run("x = 3")
    name = channel.execute("while True: pass")
    for message in channel.messages():
        if message["msg_type"] == "execute_input":
            break
    assert reader.ask(f"/live/kernels/{kernel}/interrupt", "POST").status == 204
    for message in channel.messages():
        if message["msg_type"] == "execute_reply":
            break
    assert message["parent_header"]["msg_id"] == name
    assert message["content"]["ename"] == "KeyboardInterrupt"
    assert channel.run("x") == "3"
    reader.ask(f"/live/kernels/{kernel}", "DELETE")


def test_a_kernel_in_place_of_another_is_a_fresh_one(reader: Reader) -> None:
    old = reader.kernel()
    reader.channel(old).run("x = 3")
    new = reader.kernel(instead=old)
    assert reader.channel(new).run("x").startswith("NameError")
    until(lambda: reader.ask(f"/live/kernels/{old}").status == 404)
    reader.ask(f"/live/kernels/{new}", "DELETE")


def test_a_kernel_that_dies_is_said_to_be_dead(reader: Reader) -> None:
    kernel = reader.kernel()
    channel = reader.channel(kernel)
    channel.execute("import os; os._exit(1)")
    for message in channel.messages():
        if message["content"].get("execution_state") == "dead":
            break
    until(lambda: reader.ask(f"/live/kernels/{kernel}").status == 404)


def test_only_messages_of_the_client_reach_a_kernel(reader: Reader) -> None:
    kernel = reader.kernel()
    channel = reader.channel(kernel)
    channel.send("shutdown_request", {"restart": False})
    assert channel.run("1 + 1") == "2"
    reader.ask(f"/live/kernels/{kernel}", "DELETE")


def test_kernels_are_few_and_forsaken_ones_make_room(reader: Reader) -> None:
    """Four in all, one of them the ready one; see the fixture."""
    forsaken = reader.kernel()
    used = [reader.kernel() for _ in range(2)]
    channels = [reader.channel(one) for one in used]
    # A fourth for pages takes the place of the one without a page.
    used.append(reader.kernel())
    channels.append(reader.channel(used[-1]))
    until(lambda: reader.ask(f"/live/kernels/{forsaken}").status == 404)
    # With all in use there is room for the ready one, and then for none.
    used.append(reader.kernel())
    channels.append(reader.channel(used[-1]))
    full = reader.ask("/live/kernels", "POST")
    assert full.status == 503
    assert "close a page" in full.body
    assert [channel.run("1") for channel in channels] == ["1"] * 4
    for channel in channels:
        channel.connection.close()
    for one in used:
        reader.ask(f"/live/kernels/{one}", "DELETE")


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and is not waited for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return (
        not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    )


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_kernels_end_with_the_server(
    tmp_path: Path, site: Path, client: Path, sign: int
) -> None:
    with running(tmp_path, site, f"--LiveBook.client={client}") as server:
        reader = Reader(server.host)
        reader.enter(server)
        channel = reader.channel(reader.kernel())
        process = int(channel.run("import os; os.getpid()"))
        folder = Path(channel.run("os.getcwd()").strip("'"))
        assert alive(process)
        server.stop(sign)
        until(lambda: not alive(process))
        if sign != signal.SIGKILL:
            assert not server.door.exists()
            assert not folder.exists()
        reader.close()


def test_a_forgotten_kernel_is_ended(tmp_path: Path, site: Path, client: Path) -> None:
    options = (f"--LiveBook.client={client}", "--LiveBook.idle_kernel=6")
    with running(tmp_path, site, *options) as server:
        reader = Reader(server.host)
        reader.enter(server)
        kept, forgotten = reader.kernel(), reader.kernel()
        channel = reader.channel(kept)
        until(lambda: reader.ask(f"/live/kernels/{forgotten}").status == 404)
        # One with a page stays; and there is still one to be had.
        assert channel.run("1 + 1") == "2"
        assert reader.channel(reader.kernel()).run("1 + 1") == "2"
        reader.close()


def test_it_can_be_stopped_before_a_kernel_is_ready(
    tmp_path: Path, site: Path, client: Path
) -> None:
    with running(tmp_path, site, f"--LiveBook.client={client}") as server:
        server.stop()
        assert server.process.returncode == 0
        assert "Traceback" not in server.printed


def test_it_opens_the_file_that_leads_in(
    tmp_path: Path, site: Path, client: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser is given a file: a key on a command line could be read by others."""
    opened = tmp_path / "opened.txt"
    browser = tmp_path / "browser.py"
    browser.write_text(f"import sys; open({str(opened)!r}, 'w').write(sys.argv[1])")
    monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s")
    option = f"--LiveBook.client={client}"
    with running(tmp_path, site, option, open_page=True) as server:
        until(lambda: opened.exists() and opened.read_text())
        assert opened.read_text() == server.door.as_uri()


@pytest.mark.parametrize("option", ["site", "client"])
def test_what_is_not_built_is_said_in_one_line(
    tmp_path: Path, site: Path, client: Path, option: str
) -> None:
    places = {"site": site, "client": client} | {option: tmp_path}
    options = [f"--LiveBook.client={places['client']}"]
    with running(tmp_path, places["site"], *options, ready=False) as server:
        assert server.process.wait(timeout=60) == 1
        assert "is not built: there is no" in server.printed
        assert "Traceback" not in server.printed


def test_it_is_an_extension_of_any_jupyter_server(
    tmp_path: Path, site: Path, client: Path
) -> None:
    """Beside Jupyter's own parts, behind its own token, under a base URL."""
    options = [
        "--ServerApp.jpserver_extensions={'live': True}",
        f"--LiveBook.client={client}",
        "--ServerApp.base_url=/class",
        "--ServerApp.open_browser=False",
        "--IdentityProvider.token=of-the-server",
        "--allow-root",
    ]
    command = ("-m", "jupyter_server")
    with running(tmp_path, site, *options, command=command, ready=False) as server:
        until(lambda: "Use Control-C" in server.printed or server.process.poll())
        port = server.printed.partition("127.0.0.1:")[2].partition("/")[0]
        reader = Reader(f"127.0.0.1:{port}", base="/class/")
        assert reader.ask("/class/book/").status == 302
        assert reader.ask("/class/book/?token=of-the-server").status == 200
        page = reader.ask("/class/book/tensors.html").body
        assert 'src="/class/live/client/live.js"' in page
        reader.xsrf = reader.ask("/class/live/page/tensors").json()["xsrf"]
        assert reader.channel(reader.kernel()).run("1 + 1") == "2"
        # The kernels of the book are not among those of the server, and it has its own.
        headers = {"Authorization": "token of-the-server"}
        assert reader.ask("/class/api/kernels", headers=headers).json() == []
        reader.close()
