"""The fixtures themselves: they see what they are there to see."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visit
from tests.browser.server import served

DAMAGES = {
    "console": ("<script>console.error('so wrong')</script>", "so wrong"),
    "exception": ("<script>throw new Error('thrown')</script>", "thrown"),
    "missing": ("<img src='no.png'>", "404"),
    "foreign": (
        "<img src='https://foreign.invalid/a.png'>",
        "request to a foreign host: https://foreign.invalid/a.png",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_fault_on_a_page_is_noted(
    browser: Browser, tmp_path: Path, damage: str
) -> None:
    markup, fault = DAMAGES[damage]
    (tmp_path / "a.html").write_text(f"<!doctype html><title>a</title>{markup}")
    with served(tmp_path) as server:
        visit = Visit(browser, tmp_path, server)
        visit("a").wait_for_load_state("networkidle")
        visit.close()
    assert any(fault in noted for noted in visit.faults), visit.faults


@pytest.mark.parametrize("local", [False, True])
def test_a_sound_page_has_no_faults(
    browser: Browser, tmp_path: Path, local: bool
) -> None:
    (tmp_path / "a.html").write_text(
        "<!doctype html><link rel=icon href='data:,'><title>a</title><p id=x>"
    )
    with served(tmp_path) as server:
        visit = Visit(browser, tmp_path, server)
        page = visit("a", local=local, width=360, dark=True, fragment="x")
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        assert page.evaluate("innerWidth") == 360
        assert page.url.endswith("a.html#x")
        visit.close()
    assert visit.faults == []


def test_the_server_compresses_and_has_a_404_page(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "a.html").write_text("<!doctype html><title>a</title>" + "b" * 9999)
    (tmp_path / "404.html").write_text("<!doctype html><title>nothing</title>")
    with served(tmp_path) as server:
        page = browser.new_page()
        found = page.goto(f"{server.address}a.html")
        assert found is not None
        assert found.headers["content-encoding"] == "gzip"
        assert int(found.headers["content-length"]) < 200
        for path in ("b/c.html", "../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd"):
            missing = page.goto(server.address + path)
            assert missing is not None
            assert (missing.status, page.title()) == (404, "nothing"), path
        page.close()
