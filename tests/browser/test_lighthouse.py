"""Full marks of Lighthouse; its timing, which depends on the machine, is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.lighthouse import lost, report
from tests.browser.server import Server, served

ASSERTED = ("accessibility", "best-practices", "seo")


# The first page, the heaviest chapter, and one page without formulas.
@pytest.mark.parametrize("name", ["index", "stochastic-gradient-descent", "glossary"])
def test_full_marks(server: Server, chromium: str, tmp_path: Path, name: str) -> None:
    result = report(f"{server.address}{name}.html", chromium, tmp_path)
    for category in ASSERTED:
        found = result["categories"][category]["score"], lost(result, category)
        assert found == (1, []), category
    performance = result["categories"]["performance"]["score"]
    print(f"{name}: performance {performance:.0%}", lost(result, "performance"))


def test_lighthouse_sees_a_fault(chromium: str, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("<!doctype html><img src='a.png'><p>text")
    with served(tmp_path) as server:
        result = report(f"{server.address}bad.html", chromium, tmp_path)
    for category in ASSERTED:
        assert result["categories"][category]["score"] < 1
        assert lost(result, category)
