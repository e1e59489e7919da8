"""How much a reader loads, compressed: 350 kB at first, 60 kB for each page after."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visit
from tests.browser.pages import CHAPTERS
from tests.browser.server import Server

FIRST = 350_000
NEXT = 60_000


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_light(visit: Visit, server: Server, name: str) -> None:
    server.sent.clear()
    page = visit(name)
    page.wait_for_load_state("networkidle")
    assert {f"{name}.html", "book.css", "stix-two-math.woff2"} <= server.sent.keys()
    first = sum(server.sent.values())
    assert first < FIRST, server.sent

    server.sent.clear()
    page.goto(visit.address(CHAPTERS[CHAPTERS.index(name) - 1]))
    page.wait_for_load_state("networkidle")
    assert "book.css" not in server.sent  # the browser has kept it
    following = sum(server.sent.values())
    assert following < NEXT, server.sent
    print(f"{name}: {first / 1000:.0f} kB, then {following / 1000:.0f} kB")


def test_a_chapter_loads_no_script_that_it_does_not_need(
    visit: Visit, server: Server
) -> None:
    server.sent.clear()
    visit("tensors").wait_for_load_state("networkidle")
    scripts = {name for name in server.sent if name.endswith(".js")}
    assert scripts == {"colours.js", "page.js"}
