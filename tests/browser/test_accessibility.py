"""axe-core finds nothing, on any page, in either colours, folded or open."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.pages import CHAPTERS, PAGES, ROOT

AXE = ROOT / "build" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@cache
def axe() -> str:
    if not AXE.is_file():
        pytest.fail("axe-core is not installed; run `nox -s browser`")
    return Path(AXE).read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """One line for each element that breaks a rule."""
    page.evaluate(axe())
    found = page.evaluate(
        """async (tags) => {
            const options = {runOnly: tags, resultTypes: ["violations"]};
            return (await axe.run(document, options)).violations.flatMap((rule) =>
                rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)}: ${
                    node.failureSummary.slice(0, 300)}`));
        }""",
        RULES,
    )
    return [str(line) for line in found]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(visit: Visit, name: str, dark: bool) -> None:
    page = visit(name, dark=dark, policy=False)
    assert violations(page) == []
    if name in CHAPTERS:
        for answer in page.locator("details.answer").all():
            answer.evaluate("answer => { answer.open = true }")
        assert violations(page) == []


@pytest.mark.parametrize("drawer", ["Chapters and search", "Contents of this page"])
def test_axe_finds_nothing_on_a_phone(visit: Visit, drawer: str) -> None:
    page = visit("linear-regression", width=360, policy=False)
    assert violations(page) == []
    page.get_by_role("button", name=drawer).click()
    assert violations(page) == []


def test_axe_sees_a_fault(visit: Visit) -> None:
    page = visit("tensors", policy=False)
    page.evaluate("document.documentElement.removeAttribute('lang')")
    page.evaluate("document.querySelector('h1').style.color = '#aaa'")
    assert {line.split(":")[0] for line in violations(page)} == {
        "html-has-lang",
        "color-contrast",
    }
