"""By keyboard, on narrow screens, without scripts, from a folder."""

from __future__ import annotations

import re
from functools import partial

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Visit
from tests.browser.pages import CHAPTERS, PAGES

# How far the page itself can be scrolled sideways.
SIDEWAYS = """() => {
    window.scrollTo(1000, 0);
    return Math.max(window.scrollX, document.documentElement.scrollWidth - innerWidth);
}"""
# The chosen element and how it shows that it is chosen.
CHOSEN = """() => {
    const chosen = document.activeElement, style = getComputedStyle(chosen);
    return {
        what: chosen.outerHTML.slice(0, 120),
        body: chosen === document.body,
        place: chosen.dataset.place,
        outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        shadow: style.boxShadow !== "none",
        visible: chosen.checkVisibility() && chosen.getClientRects().length > 0,
    };
}"""


# 320 px is a page of 1280 px at 400 %; 600 px one of 1200 px at 200 %.
@pytest.mark.parametrize("width", [320, 600])
@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_page_does_not_scroll_sideways(
    visit: Visit, name: str, width: int
) -> None:
    page = visit(name, width=width)
    page.evaluate(
        "document.querySelectorAll('details').forEach(d => { d.open = true })"
    )
    assert page.evaluate(SIDEWAYS) <= 0


def test_what_scrolls_has_a_name_and_takes_the_arrow_keys(visit: Visit) -> None:
    page = visit("linear-regression", width=320)
    page.wait_for_function("() => document.querySelector('pre[tabindex]')")
    box = page.locator("pre[tabindex]").first
    assert box.get_attribute("role") == "group"
    assert box.get_attribute("aria-label") == "Code, scrolls sideways"
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.activeElement.scrollLeft > 0")
    before = page.locator("pre[tabindex]").count()
    page.set_viewport_size({"width": 1200, "height": 900})
    page.wait_for_function(
        """before => {
            const boxes = [...document.querySelectorAll("pre[tabindex]")];
            return boxes.length < before
                && boxes.every((box) => box.scrollWidth > box.clientWidth);
        }""",
        arg=before,
    )


@pytest.mark.parametrize("name", ["tensors", "search", "references"])
def test_all_is_reached_by_tab_in_the_order_of_the_page_and_shows_it(
    visit: Visit, name: str
) -> None:
    page = visit(name)
    wanted = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, summary")]
            .filter((e) => e.checkVisibility({visibilityProperty: true}))
            .map((e, place) => (e.dataset.place = place)).length"""
    )
    reached = []
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        chosen = page.evaluate(CHOSEN)
        if chosen["body"]:
            break
        assert chosen["visible"], chosen
        assert chosen["outline"] >= 1.5 or chosen["shadow"], chosen
        if chosen["place"]:  # boxes that scroll are reached as well
            reached.append(int(chosen["place"]))
    assert reached == list(range(wanted))


def test_the_skip_link_is_first_and_leads_to_the_text(visit: Visit) -> None:
    page = visit("tensors")
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    expect(link).to_have_text("Skip to the text")
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main-content")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("local", [False, True], ids=["served", "from a folder"])
def test_answers_open_by_keyboard_and_by_link(visit: Visit, local: bool) -> None:
    page = visit("tensors", local=local)
    answer = page.locator("details.answer").first
    assert not answer.evaluate("answer => answer.open")
    answer.locator("summary").press("Enter")
    assert answer.evaluate("answer => answer.open")
    page.get_by_role("link", name=re.compile("^Answer to Exercise")).last.click()
    assert page.locator("details.answer").last.evaluate("answer => answer.open")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("name", ["Chapters and search", "Contents of this page"])
def test_drawers_open_and_close_by_keyboard(
    visit: Visit, name: str, scripts: bool
) -> None:
    page = visit("tensors", width=360, scripts=scripts)
    button = page.get_by_role("button", name=name)
    drawer = page.locator(f"#{button.get_attribute('popovertarget')}")
    expect(drawer).to_be_hidden()
    button.press("Enter")
    expect(drawer).to_be_visible()
    page.keyboard.press("Tab")
    if scripts:
        assert page.evaluate("document.activeElement.closest('[popover]') !== null")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_a_drawer_leads_to_a_heading_and_closes(visit: Visit) -> None:
    page = visit("tensors", width=360)
    page.get_by_role("button", name="Contents of this page").click()
    page.locator("#page-nav").get_by_role("link", name="Broadcasting").click()
    expect(page.locator("#page-nav")).to_be_hidden()
    assert page.url.endswith("#broadcasting")
    expect(page.locator("section#broadcasting h2")).to_be_in_viewport()


def test_the_contents_show_where_one_is(visit: Visit) -> None:
    page = visit("tensors", fragment="reductions")
    current = page.locator("#page-nav [aria-current]")
    expect(current).to_have_count(1)
    expect(current).to_contain_text("Reductions")


@pytest.mark.parametrize("local", [False, True], ids=["served", "from a folder"])
def test_the_search_finds_a_chapter(visit: Visit, local: bool) -> None:
    page = visit("index", local=local)
    page.keyboard.press("Control+k")
    expect(page.locator("#search-book")).to_be_focused()
    page.keyboard.type("broadcasting")
    page.keyboard.press("Enter")
    results = page.locator("#search-results li")
    expect(results.filter(has_text="Tensors").first).to_be_visible()
    expect(page.locator("#search-results .search-summary")).to_contain_text("found")
    if not local:
        expect(page.locator("#search-results .context").first).to_be_visible()
    results.get_by_role("link", name=re.compile("Broadcasting")).first.click()
    expect(page).to_have_title(re.compile("Tensors|Glossary"))


def test_ctrl_k_opens_the_drawer_on_a_phone(visit: Visit) -> None:
    page = visit("tensors", width=360)
    page.keyboard.press("Control+k")
    expect(page.locator("#search-book")).to_be_focused()


def theme(page: Page) -> str:
    return str(page.evaluate("document.documentElement.dataset.theme"))


def test_colours_follow_the_system_and_the_reader(visit: Visit) -> None:
    page = visit("tensors", dark=True)
    assert theme(page) == "dark"
    page.emulate_media(color_scheme="light")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    button = page.locator("#colours")
    assert button.get_attribute("aria-label") == "Colours: as the system. Change"
    button.press("Enter")
    button.press("Enter")
    assert button.get_attribute("aria-label") == "Colours: dark. Change"
    assert theme(page) == "dark"
    page.goto(visit.address("index"))
    assert theme(page) == "dark"
    page.locator("#colours").click()
    assert theme(page) == "light"


def test_motion_is_reduced_when_asked(visit: Visit) -> None:
    moving = """() => [...document.querySelectorAll("*")].flatMap((element) => {
        const style = getComputedStyle(element);
        const moves = style.animationName !== "none"
            || style.scrollBehavior === "smooth"
            || style.transitionDuration.split(",").some((time) => parseFloat(time) > 0);
        return moves ? [element.outerHTML.slice(0, 80)] : [];
    })"""
    assert visit("tensors", reduced_motion=True).evaluate(moving) == []
    assert visit("tensors").evaluate(moving) != []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_can_be_read_without_scripts(visit: Visit, name: str) -> None:
    page = visit(name, scripts=False, local=True)
    expect(page.locator("#book-nav")).to_be_visible()
    expect(page.locator("#colours")).to_be_hidden()
    page.locator("details.answer summary").first.click()
    expect(page.locator("details.answer .answer-body").first).to_be_visible()


def test_the_policy_stops_what_is_not_a_file_of_the_site(visit: Visit) -> None:
    for local in (False, True):
        page = visit("tensors", local=local)
        failed: list[Request] = []
        page.on("requestfailed", partial(list.append, failed))
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.broken = true";
                document.body.append(script);
                const image = document.createElement("img");
                image.src = "https://foreign.invalid/a.png";
                document.body.append(image);
            }"""
        )
        page.wait_for_timeout(200)
        assert not page.evaluate("'broken' in window")
        stopped = "\n".join(visit.faults)
        assert "Executing inline script violates" in stopped
        assert "https://foreign.invalid/a.png' violates" in stopped
        assert [request.failure for request in failed] == ["csp"]
        visit.faults.clear()
