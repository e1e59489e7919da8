"""The place of an answer that is not published yet: quiet, readable, and found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.pages import ROOT
from tests.browser.server import Server, served
from tests.browser.test_accessibility import violations


@pytest.fixture(scope="module")
def withheld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One chapter without answers."""
    target = tmp_path_factory.mktemp("withheld") / "html"
    build = [sys.executable, str(ROOT / "_config" / "build_book.py")]
    arguments = ["getting-started", "--without-answers", "--target", str(target)]
    subprocess.run([*build, *arguments], stdout=subprocess.DEVNULL, check=True)
    with served(target) as server:
        yield server


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_axe_finds_nothing_about_the_places(
    browser: Browser, withheld: Server, width: int, dark: bool
) -> None:
    visit = Visit(browser, withheld.root, withheld)
    page = visit("getting-started", width=width, dark=dark, policy=False)
    assert page.locator(".answer-later").count() > 4
    assert violations(page) == []
    visit.close()
    assert visit.faults == []


def test_a_place_stands_below_its_question_and_links_lead_to_it(
    browser: Browser, withheld: Server
) -> None:
    visit = Visit(browser, withheld.root, withheld)
    fragment = "answer-to-ex-getting-started-nested"
    page = visit("getting-started", width=360, fragment=fragment)
    place = page.locator(f"#{fragment}")
    expect(place).to_be_in_viewport()
    expect(place).to_contain_text("will appear here")
    question = page.locator("#ex-getting-started-nested").bounding_box()
    box = place.bounding_box()
    assert question is not None
    assert box is not None
    assert 0 <= box["y"] - (question["y"] + question["height"]) < 40
    assert box["width"] <= 360
    visit.close()
    assert visit.faults == []
