"""The built book in a real browser.

``nox -s browser`` builds the book with all answers and runs the tests of this folder;
with pytest alone, build ``build/html`` first, or name a folder in ``$BOOK_SITE``. They
use the Chromium that is installed, of which ``$CHROMIUM`` may be the path; nothing is
downloaded. Most tests need one fixture::

    def test_an_answer_opens(visit: Visit) -> None:
        page = visit("tensors", width=360, dark=True)
        page.locator("details.answer summary").first.press("Enter")
        ...

``visit(name)`` opens ``name.html`` and returns Playwright's `Page
<https://playwright.dev/python/docs/api/class-page>`_. Its options:

- ``width``, ``height``: of the window, in CSS pixels (1200 × 900)
- ``dark``: whether the reader's system asks for dark pages (no)
- ``scripts``: whether the browser runs scripts (yes)
- ``local``: open the file itself, ``file:///…``, not through the server (no)
- ``reduced_motion``: whether the reader asks for less motion (no)
- ``fragment``: where to go on the page, without ``#``
- ``policy``: whether the page's Content-Security-Policy holds (yes); tools that put
  styles or scripts of their own into a page need it off

It may be called several times in a test; each call starts a fresh context, with nothing
kept of earlier ones. When the test ends it **fails on each message of level error in
the console, each exception in a script and each request to a foreign host**. A test
that provokes one removes it from ``visit.faults``.

Other fixtures: ``site``, the folder of the built book; ``server``, where it is served,
compressed and with its 404 page as GitHub Pages does (``server.address``); ``browser``,
Playwright's own. ``PAGES`` in ``tests.browser.pages`` names every page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.pages import SITE
from tests.browser.server import Server, served

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built book."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"{SITE} has no pages; run `nox -s browser`, which builds them")
    return SITE


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[Server]:
    """The built book over HTTP."""
    with served(site) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the installed browser."""
    installed = filter(None, map(shutil.which, NAMES))
    found = os.environ.get("CHROMIUM") or next(installed, None)
    if not found:
        pytest.fail("no Chromium; install Debian's `chromium`, or set CHROMIUM")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium,
            chromium_sandbox=False,
            args=["--disable-gpu", "--disable-component-update", "--disable-sync"],
        )
        yield running
        running.close()


class Visit:
    """Opens pages and notes what must not happen on them; see above."""

    def __init__(self, browser: Browser, site: Path, server: Server) -> None:
        self.browser = browser
        self.site = site
        self.server = server
        self.faults: list[str] = []
        self.contexts: list[BrowserContext] = []

    def __call__(
        self,
        name: str,
        *,
        width: int = 1200,
        height: int = 900,
        dark: bool = False,
        scripts: bool = True,
        local: bool = False,
        reduced_motion: bool = False,
        fragment: str = "",
        policy: bool = True,
    ) -> Page:
        """Open a page in a fresh context."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            bypass_csp=not policy,
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        self.watch(context)
        page = context.new_page()
        page.goto(self.address(name, local) + (fragment and f"#{fragment}"))
        return page

    def address(self, name: str, local: bool = False) -> str:
        """The URL of a page."""
        if local:
            return (self.site / f"{name}.html").as_uri()
        return f"{self.server.address}{name}.html"

    def watch(self, context: BrowserContext) -> None:
        """Note the faults in a context, and close it when the test ends."""
        self.contexts.append(context)
        context.set_default_timeout(10_000)
        own = {"", urlsplit(self.server.address).netloc}

        def request(url: str) -> None:
            if urlsplit(url).scheme not in {"data", "blob"} and (
                urlsplit(url).netloc not in own
            ):
                self.faults.append(f"request to a foreign host: {url}")

        context.on("request", lambda made: request(made.url))
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        context.on(
            "console",
            lambda message: (
                self.faults.append(f"{message.text} ({message.location['url']})")
                if message.type == "error"
                else None
            ),
        )

    def close(self) -> None:
        """Close every context."""
        for context in self.contexts:
            context.close()


@pytest.fixture
def visit(browser: Browser, site: Path, server: Server) -> Iterator[Visit]:
    """Open pages; at the end nothing on them may have gone wrong."""
    visits = Visit(browser, site, server)
    yield visits
    visits.close()
    assert visits.faults == []
