"""Fixtures for the live book in a real browser: the built book, its real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.live.server import Server, running

RUN = "Run this page"
RUN_ALL = "Run all cells of this page"
# A kernel starts, and other tests may need the processor meanwhile.
PATIENCE = 60_000


class LivePage:
    """A page of the live book, and what a reader does on it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.said = page.locator(".live-said")

    def open(self, name: str) -> LivePage:
        self.page.goto(f"{self.address}{name}.html")
        return self

    def start(self) -> LivePage:
        """Make the page live."""
        self.page.get_by_role("button", name=RUN).click()
        self.says("Ready")
        return self

    def says(self, text: str) -> None:
        """Wait until the page says something."""
        expect(self.said).to_contain_text(re.compile(text), timeout=PATIENCE)

    def cell(self, name: str) -> Locator:
        return self.page.locator(f"#cell-{name}")

    def run(self, name: str, state: str = "ok") -> Locator:
        """Run a cell to its end."""
        self.button(name, "Run").click()
        return self.ends(name, state)

    def ends(self, name: str, state: str = "ok") -> Locator:
        """Wait until a cell has run."""
        cell = self.cell(name)
        expect(cell).to_have_attribute("data-live", state, timeout=PATIENCE)
        return cell

    def button(self, name: str, text: str) -> Locator:
        tools = self.cell(name).locator(".live-tools")
        return tools.get_by_role("button", name=re.compile(rf"^{text}( figure,)? cell"))

    def write(self, name: str, code: str) -> None:
        """Put code in place of a cell's."""
        self.cell(name).locator(".cell_input").click()
        editor = self.cell(name).locator(".cm-content")
        expect(editor).to_be_focused()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)

    def try_out(self, name: str, code: str, state: str = "ok") -> Locator:
        """Write code into a cell and run it; the place where it shows something."""
        self.write(name, code)
        self.page.keyboard.press("Control+Enter")
        return self.ends(name, state).locator(".live-outputs")

    def code(self, name: str) -> str:
        """The code of a cell as it is now."""
        cell = self.cell(name)
        lines = cell.locator(".cm-line")
        if lines.count():
            return "\n".join(lines.all_inner_texts())
        return cell.locator(".cell_input pre").first.inner_text().rstrip("\n")


class Readers:
    """Opens browsers that have come in with a key, and notes what goes wrong there."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.browser = browser
        self.server = server
        self.faults: list[str] = []
        self.contexts: list[BrowserContext] = []

    def context(
        self, *, width: int = 1200, dark: bool = False, policy: bool = True
    ) -> BrowserContext:
        context = self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            bypass_csp=not policy,
        )
        self.contexts.append(context)
        context.set_default_timeout(20_000)
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        context.on(
            "console",
            lambda message: (
                self.faults.append(message.text) if message.type == "error" else None
            ),
        )
        page = context.new_page()
        page.goto(self.server.link())
        page.close()
        return context

    def __call__(self, name: str = "tensors", **options: object) -> LivePage:
        """A page of the book, in a browser of its own, not live yet."""
        context = self.context(**options)  # type: ignore[arg-type]
        return self.tab(context, name)

    def tab(self, context: BrowserContext, name: str = "tensors") -> LivePage:
        """One more tab of a browser."""
        return LivePage(context.new_page(), self.server.address).open(name)

    def close(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture(scope="session")
def live_server(
    tmp_path_factory: pytest.TempPathFactory, site: Path
) -> Iterator[Server]:
    """The live book, on a port of its own."""
    with running(tmp_path_factory.mktemp("live"), site) as server:
        yield server


@pytest.fixture
def reader(browser: Browser, live_server: Server) -> Iterator[Readers]:
    """Open live pages; at the end nothing on them may have gone wrong."""
    readers = Readers(browser, live_server)
    yield readers
    readers.close()
    assert not readers.faults, "\n".join(readers.faults)
