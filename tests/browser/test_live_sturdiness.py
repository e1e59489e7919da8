"""What goes wrong with a live page, and that nothing typed is lost by it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.browser.live import PATIENCE, LivePage, Readers, live_server, reader
from tests.live.server import Server, running

__all__ = ["live_server", "reader"]

# What a browser says when a server is gone.
GONE = re.compile(r"ERR_CONNECTION_REFUSED|404 \(Not Found\)|WebSocket connection")


def works(page: LivePage) -> None:
    """The page can still be edited and run."""
    expect(page.try_out("imports", "20 + 22")).to_contain_text("42")


def test_a_kernel_that_dies_is_replaced_by_the_next_run(reader: Readers) -> None:
    page = reader().start()
    page.write("list-sum", "typed = 1")
    page.try_out("imports", "import os; os._exit(1)", "dead")
    page.says("The kernel has ended")
    assert page.code("list-sum") == "typed = 1"
    works(page)


def test_an_endless_loop_is_stopped_and_the_state_is_kept(reader: Readers) -> None:
    page = reader().start()
    page.try_out("list-sum", "kept = 42")
    page.write("imports", "while True: pass")
    page.button("imports", "Run").click()
    stop = page.page.get_by_role("button", name="Stop what runs")
    stop.click()
    expect(page.ends("imports", "error")).to_contain_text("KeyboardInterrupt")
    expect(stop).to_be_disabled()
    expect(page.try_out("list-sum", "kept")).to_contain_text("42")


def test_what_waits_does_not_run_after_a_stop(reader: Readers) -> None:
    page = reader().start()
    page.write("imports", "import time; time.sleep(60)")
    page.button("tensor-sum", "Run above").click()
    expect(page.cell("tensor-sum")).to_have_attribute("data-live", "waits")
    page.page.get_by_role("button", name="Stop what runs").click()
    page.ends("imports", "error")
    expect(page.cell("tensor-sum")).to_have_attribute("data-live", "")


def test_a_loop_that_does_not_stop_is_ended_by_a_restart(reader: Readers) -> None:
    page = reader().start()
    stubborn = (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    )
    page.write("imports", stubborn)
    page.button("imports", "Run").click()
    page.page.get_by_role("button", name="Stop what runs").click()
    page.says("It does not stop by itself")
    page.page.get_by_role("button", name="Restart").click()
    page.says("A fresh kernel is ready")
    page.ends("imports", "dead")
    assert page.code("imports") == stubborn
    works(page)


def test_a_restart_forgets_all_but_the_code(reader: Readers) -> None:
    page = reader().start()
    page.try_out("imports", "x = 1")
    page.page.get_by_role("button", name="Restart").click()
    page.says("A fresh kernel is ready")
    expect(page.try_out("list-sum", "x", "error")).to_contain_text("NameError")
    assert page.code("imports") == "x = 1"


def test_a_flood_of_output_is_cut(reader: Readers) -> None:
    """Ten megabytes."""
    page = reader().start()
    flood = "for i in range(200_000): print(f'{i:>49}')"
    out = page.try_out("imports", flood)
    expect(out).to_contain_text(re.compile(r"… [\d,]+ characters left out …"))
    assert 10_000 < len(out.inner_text()) < 100_000
    expect(page.try_out("list-sum", "print('a' * 10**7)")).to_contain_text("left out")
    works(page)


def test_a_progress_bar_stays_on_its_line(reader: Readers) -> None:
    page = reader().start()
    code = "for i in range(3): print(f'\\rstep {i}', end='', flush=True)\nprint('!')"
    expect(page.try_out("imports", code).locator("pre")).to_have_text("step 2!")


def test_a_lost_connection_loses_nothing(reader: Readers) -> None:
    """As when a laptop sleeps: what comes meanwhile is shown afterwards."""
    context = reader.context()
    page = LivePage(context.new_page(), reader.server.address)
    channels: list[WebSocketRoute] = []

    def through(channel: WebSocketRoute) -> None:
        channel.connect_to_server()
        channels.append(channel)

    page.page.route_web_socket(re.compile("/channels"), through)
    page.open("tensors").start()
    code = "import time\nprint('one', flush=True)\ntime.sleep(2)\nprint('two')"
    page.write("imports", code)
    page.button("imports", "Run").click()
    expect(page.cell("imports").locator(".live-outputs")).to_contain_text("one")
    channels[-1].close()
    page.says("still running|Connected again")
    expect(page.ends("imports").locator(".live-outputs")).to_contain_text("two")
    assert len(channels) == 2
    works(page)


def test_a_connection_that_has_died_silently_is_noticed(reader: Readers) -> None:
    context = reader.context()
    page = LivePage(context.new_page(), reader.server.address)
    deaf: list[bool] = []

    def through(channel: WebSocketRoute) -> None:
        server = channel.connect_to_server()
        number = len(deaf)
        deaf.append(False)
        channel.on_message(lambda text: None if deaf[number] else server.send(text))
        server.on_message(lambda text: None if deaf[number] else channel.send(text))

    page.page.route_web_socket(re.compile("/channels"), through)
    page.page.clock.install()
    page.open("tensors").start()
    works(page)
    deaf[0] = True
    page.page.clock.fast_forward(60_000)
    page.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.page.clock.fast_forward(5_000)
    page.page.clock.fast_forward(5_000)
    page.says("Connected again")
    works(page)


@pytest.fixture
def mortal(
    browser: Browser, tmp_path: Path, site: Path
) -> Iterator[tuple[Readers, Server]]:
    """A server that a test may end, and readers of it."""
    with running(tmp_path, site) as server:
        readers = Readers(browser, server)
        yield readers, server
        readers.close()
        assert [fault for fault in readers.faults if not GONE.search(fault)] == []


def test_a_server_that_returns_is_found_again(
    mortal: tuple[Readers, Server], tmp_path: Path, site: Path
) -> None:
    readers, server = mortal
    page = readers().start()
    page.try_out("imports", "x = 1")
    port = int(server.host.rpartition(":")[2])
    server.stop(signal.SIGKILL)
    page.says("The server does not answer")
    page.write("list-sum", "typed = 'meanwhile'")
    with running(tmp_path, site, port=port):
        page.says("The kernel has ended")
        assert page.code("list-sum") == "typed = 'meanwhile'"
        expect(page.try_out("tensor-sum", "x", "error")).to_contain_text("NameError")
        works(page)
        page.open("tensors")
        page.says("Ready")
        expect(page.cell("list-sum")).to_contain_text("meanwhile")


def test_two_tabs_have_two_kernels_and_one_text(reader: Readers) -> None:
    context = reader.context()
    one, two = reader.tab(context).start(), reader.tab(context).start()
    one.try_out("imports", "x = 1")
    expect(two.cell("imports").locator(".cm-content")).to_have_text("x = 1")
    expect(two.try_out("list-sum", "x", "error")).to_contain_text("NameError")
    expect(one.cell("list-sum").locator(".cm-content")).to_have_text("x")
    one.button("list-sum", "Reset").click()
    expect(two.cell("list-sum").locator(".cm-content")).to_contain_text("list_a")


def test_a_duplicated_tab_takes_a_kernel_of_its_own(reader: Readers) -> None:
    """A copy of a tab has a copy of its memory, with the name of its kernel."""
    context = reader.context()
    one = reader.tab(context).start()
    one.try_out("imports", "x = 1")
    with context.expect_page() as opened:
        one.page.evaluate("window.open(location.href) && null")
    two = LivePage(opened.value, one.address)
    two.says("Ready")
    copied = "Object.keys(sessionStorage).some(key => key.startsWith('live-kernel'))"
    assert two.page.evaluate(copied)
    expect(two.try_out("list-sum", "x", "error")).to_contain_text("NameError")
    expect(one.try_out("list-sum", "x + 1")).to_contain_text("2", timeout=PATIENCE)
