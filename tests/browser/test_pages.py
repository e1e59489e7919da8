"""Every page opens without a fault, from a server and from a folder."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visit
from tests.browser.pages import PAGES


@pytest.mark.parametrize("local", [False, True], ids=["served", "from a folder"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens(visit: Visit, name: str, local: bool) -> None:
    page = visit(name, local=local)
    page.wait_for_load_state("networkidle")
    assert page.locator("main").is_visible()
