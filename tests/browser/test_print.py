"""What a browser prints: the text with its answers open, and nothing else."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import CHAPTERS

# The width of A4 less the margins of a browser, in CSS pixels.
PAPER = 718


@pytest.mark.parametrize("name", CHAPTERS)
def test_paper_shows_all_of_the_text_alone(visit: Visit, name: str) -> None:
    page = visit(name, width=PAPER, dark=True)
    page.emulate_media(media="print")
    for part in ("#book-nav", "#page-nav", ".bar", ".neighbours", ".skip-link"):
        for element in page.locator(part).all():
            expect(element).to_be_hidden()
    bodies = page.locator("details.answer .answer-body")
    assert bodies.count() > 0
    for body in bodies.all():
        assert body.evaluate("body => body.getBoundingClientRect().height") > 20
    cut = page.evaluate(
        """() => [...document.querySelectorAll("pre, .math-box, figure, table")]
            .filter((box) => box.scrollWidth > box.clientWidth + 1
                && getComputedStyle(box).overflowX !== "visible"
                || box.getBoundingClientRect().right > innerWidth + 1)
            .map((box) => box.outerHTML.slice(0, 200))"""
    )
    assert cut == []


def test_paper_is_light(visit: Visit) -> None:
    page = visit("tensors", dark=True)
    page.emulate_media(media="print")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    ink = "getComputedStyle(document.querySelector('main p')).color"
    channels = page.evaluate(ink).removeprefix("rgb(").rstrip(")").split(",")
    assert all(int(channel) < 100 for channel in channels)
