"""Figures in a real browser: operated by keyboard and by mouse, and without scripts."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.pages import SITE

GRAPHS = [
    (page.stem, name)
    for page in sorted(SITE.glob("*.html"))
    for name in re.findall(
        r'<figure[^>]* id="(fig-[\w-]+)">(?:(?!</figure>).)*?<computation-graph',
        page.read_text(encoding="utf-8"),
        re.S,
    )
]
EXPLORERS = {
    "descent-explorer": "stochastic-gradient-descent",
    "clearing-explorer": "stochastic-gradient-descent",
    "margin-explorer": "logistic-regression",
    "softmax-explorer": "cross-entropy",
}
LOOKS = [(360, False), (360, True), (1200, False), (1200, True)]


def data_of(figure: Locator) -> dict:
    text = figure.locator("script[type='application/json']").text_content()
    assert text is not None
    return json.loads(text)


def shown(figure: Locator, part: str) -> list[str]:
    """The texts of all values, or gradients, that can be seen now."""
    return figure.evaluate(
        """(figure, part) => [...figure.querySelectorAll(`.vertex .${part}`)]
        .filter((one) => one.checkVisibility({ visibilityProperty: true }))
        .map((one) => one.textContent)""",
        part,
    )


def graph(page: Page, name: str) -> Locator:
    return page.locator(f"#{name} computation-graph")


def test_the_book_has_its_graphs() -> None:
    assert len(GRAPHS) >= 8


@pytest.mark.parametrize("page_name", sorted({page for page, _ in GRAPHS}))
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_graphs_are_stepped_through_by_keyboard_alone(
    visit: Visit, page_name: str, width: int, dark: bool
) -> None:
    page = visit(page_name, width=width, dark=dark)
    for name in [name for other, name in GRAPHS if other == page_name]:
        figure = graph(page, name)
        steps = data_of(figure)["steps"]
        complete = shown(figure, "value"), shown(figure, "gradient")
        slider = figure.get_by_role("slider")
        slider.press("Home")
        said = figure.locator(".said")
        for number, step in enumerate(steps):
            if number:
                slider.press("ArrowRight")
            assert said.text_content() == step["say"]
            for part, kinds in {"value": "given value", "gradient": "gradient"}.items():
                assert len(shown(figure, part)) == sum(
                    len(one["vertices"])
                    for one in steps[: number + 1]
                    if one["kind"] in kinds.split()
                )
        assert (shown(figure, "value"), shown(figure, "gradient")) == complete
        slider.press("ArrowLeft")
        assert said.text_content() == steps[-2]["say"]


@pytest.mark.parametrize("page_name", sorted({page for page, _ in GRAPHS}))
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_graphs_are_stepped_through_by_mouse(
    visit: Visit, page_name: str, width: int, dark: bool
) -> None:
    # From a folder, too: the wide ones.
    page = visit(page_name, width=width, dark=dark, local=width > 1000)
    for name in [name for other, name in GRAPHS if other == page_name]:
        figure = graph(page, name)
        steps = data_of(figure)["steps"]
        said = figure.locator(".said")
        figure.get_by_role("button", name="To the start").click()
        assert said.text_content() == steps[0]["say"]
        back = figure.get_by_role("button", name="One step back")
        on = figure.get_by_role("button", name="One step on")
        expect(back).to_be_disabled()
        for step in steps[1:]:
            on.click()
            assert said.text_content() == step["say"]
        back.click()
        assert said.text_content() == steps[-2]["say"]
        figure.get_by_role("button", name="To the end").click()
        expect(on).to_be_disabled()


def test_arrow_keys_work_on_the_buttons_too(visit: Visit) -> None:
    figure = graph(visit("linear-regression"), "fig-linear-regression-squared-error")
    steps = data_of(figure)["steps"]
    button = figure.get_by_role("button", name="One step back")
    button.press("ArrowLeft")
    button.press("ArrowLeft")
    button.press("ArrowRight")
    expect(figure.locator(".said")).to_have_text(steps[-2]["say"])


def test_the_reader_predicts_a_gradient_and_is_told(visit: Visit) -> None:
    page = visit("linear-regression")
    figure = graph(page, "fig-linear-regression-squared-error")
    steps = data_of(figure)["steps"]
    first = next(n for n, step in enumerate(steps) if step["ask"])
    at_r = first + 2
    assert steps[at_r]["answer"] == [16, 48, 76]
    figure.get_by_role("checkbox").press("Space")
    slider = figure.get_by_role("slider")
    slider.fill(str(at_r - 1))
    before = len(shown(figure, "gradient"))
    slider.press("ArrowRight")
    said, guess = figure.locator(".said"), figure.get_by_label("Your gradient")
    expect(said).to_have_text(steps[at_r]["ask"])
    expect(guess).to_be_focused()
    assert len(shown(figure, "gradient")) == before
    guess.fill("16, 48")
    guess.press("Enter")
    expect(said).to_contain_text("3 numbers")
    guess.fill("(16, 48, −76)")
    guess.press("Enter")
    expect(said).to_contain_text("2 of 3 right")
    guess.fill("(16, 48, 76)")
    guess.press("Enter")
    expect(said).to_have_text(f"Right. {steps[at_r]['say']}")
    assert len(shown(figure, "gradient")) == before + 1
    expect(figure.get_by_role("button", name="One step on")).to_be_focused()
    page.keyboard.press("Enter")  # to the next question
    expect(said).to_have_text(steps[at_r + 1]["ask"])
    figure.get_by_role("button", name="Reveal").click()
    expect(said).to_have_text(steps[at_r + 1]["say"])


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("font", ["", "DejaVu Sans"])
def test_every_text_lies_in_its_box(visit: Visit, width: int, font: str) -> None:
    """In the font of the page, and in the widest that a drawing names."""
    for name in sorted({page for page, _ in GRAPHS}):
        page = visit(name, width=width)
        outside = page.evaluate(
            """(font) => {
              const found = [];
              for (const box of document.querySelectorAll(".drawn .vertex")) {
                const frame = box.querySelector("rect").getBBox();
                for (const text of box.querySelectorAll("text")) {
                  if (font) text.style.fontFamily = font;
                  const { x, y, width, height } = text.getBBox();
                  if (width && (x < frame.x || x + width > frame.x + frame.width
                      || y < frame.y - 3
                      || y + height > frame.y + frame.height + 3))
                    found.push(text.textContent);
                }
              }
              return found;
            }""",
            font,
        )
        assert outside == [], name


def test_what_is_said_is_announced(visit: Visit) -> None:
    figure = graph(visit("linear-regression"), "fig-linear-regression-squared-error")
    expect(figure.locator(".said")).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("width", [360, 1200])
def test_without_scripts_the_complete_figures_are_there(
    visit: Visit, width: int
) -> None:
    for name in sorted({page for page, _ in GRAPHS} | set(EXPLORERS.values())):
        page = visit(name, width=width, scripts=False)
        for figure in page.locator(".drawn").all():
            pictures = figure.locator("svg:visible").all()
            assert len(pictures) == 1
            assert pictures[0].get_attribute("aria-label")
            assert figure.locator(".later, input, button").count() == 0


@pytest.mark.parametrize("element", EXPLORERS)
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_an_explorer_answers_to_each_of_its_controls(
    visit: Visit, element: str, width: int, dark: bool
) -> None:
    page = visit(EXPLORERS[element], width=width, dark=dark)
    figure = page.locator(element)
    said = figure.locator(".said")
    sliders = figure.get_by_role("slider").all()
    assert sliders
    for slider in sliders:
        before = said.text_content()
        drawn = figure.locator("svg svg").first.inner_html()
        slider.press("ArrowRight")
        expect(said).not_to_have_text(before or "")
        slider.press("PageUp")
        assert figure.locator("svg svg").first.inner_html() != drawn
        box = slider.bounding_box()
        assert box is not None
        before = said.text_content()
        slider.click(position={"x": 2, "y": box["height"] / 2})
        expect(said).not_to_have_text(before or "")
    for choice in figure.get_by_role("combobox").all():
        before = said.text_content()
        choice.press("ArrowDown")
        expect(said).not_to_have_text(before or "")


# The fourth, by margin, replaces nothing in its picture.
@pytest.mark.parametrize(
    "element", ["descent-explorer", "clearing-explorer", "softmax-explorer"]
)
def test_an_explorer_starts_with_the_run_of_its_picture(
    visit: Visit, element: str
) -> None:
    """What the script draws lies on what matplotlib drew."""
    figure = visit(EXPLORERS[element]).locator(element)
    pairs = figure.evaluate(
        """(figure) => {
          const box = (one) => {
            const { x, y, width, height } = one.getBoundingClientRect();
            return [x, y, x + width, y + height];
          };
          const old = [...figure.querySelectorAll(".replaced path:not(defs *)")]
          const made = [...figure.querySelectorAll("svg svg :is(polyline, rect)")];
          return [old.map(box), made.map(box)];
        }"""
    )
    old, made = pairs
    assert len(old) == len(made) > 0
    for place in old:
        gaps = [[abs(a - b) for a, b in zip(place, one, strict=True)] for one in made]
        assert min(map(max, gaps)) < 1.5


def test_the_text_of_figures_has_contrast(visit: Visit) -> None:
    """Every text of a figure against the ground it stands on, at 4.5 : 1."""
    for name in sorted({page for page, _ in GRAPHS} | set(EXPLORERS.values())):
        for dark in (False, True):
            page = visit(name, dark=dark)
            worst = page.evaluate(CONTRAST)
            assert worst["ratio"] >= 4.5, (name, dark, worst)


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const ground = (text) => {
    const before = text.previousElementSibling;
    const box = text.closest(".vertex")?.querySelector("rect")
      ?? (before?.localName === "rect" ? before : null);
    if (box) return parse(getComputedStyle(box).fill);
    for (let one = text.closest(".drawn"); one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3) return colour;
    }
    return [255, 255, 255];
  };
  let worst = { ratio: 99 };
  for (const text of document.querySelectorAll(".drawn svg text")) {
    // What is white on white paper stands on a marker.
    if (!text.checkVisibility() || text.getAttribute("fill") === "#ffffff") continue;
    for (const one of [text, ...text.querySelectorAll("tspan")]) {
      const found = ratio(parse(getComputedStyle(one).fill), ground(text));
      if (found < worst.ratio) worst = { ratio: found, text: one.textContent };
    }
  }
  return worst;
}"""


SCRIPTS = ("figures.js", "explorers.js")


def test_the_scripts_are_small(site) -> None:
    for name in SCRIPTS:
        assert (site / "_static" / name).stat().st_size < 20_000


def test_a_figure_brings_less_than_20_kB_of_data(site) -> None:
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        for data in re.findall(r'<script type="application/json">(.*?)</script>', text):
            assert len(data.encode()) < 20_000
