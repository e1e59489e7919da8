"""Code can be read: every colour of it has a contrast of 4.5 : 1 to its ground."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pydata_sphinx_theme
import pytest
import sphinx_book_theme
from pygments.style import StyleMeta
from pygments.styles import get_style_by_name

from tests.cells import ROOT

# WCAG 2.1, success criterion 1.4.3.
LEAST = 4.5
# Code stands on the theme's --pst-color-surface, output on the page itself.
GROUNDS = {
    "light": ["#f3f4f5", "#ffffff"],
    "dark": ["#29313d", "#222832", "#14181e", "#121212"],
}


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, between 0 and 1, as WCAG defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(ink: str, ground: str) -> float:
    dark, light = sorted([luminance(ink), luminance(ground)])
    return (light + 0.05) / (dark + 0.05)


def style(theme: str) -> StyleMeta:
    settings = runpy.run_path(str(ROOT / "_config" / "conf.py"))
    return get_style_by_name(settings["html_theme_options"][f"pygments_{theme}_style"])


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_of_code_can_be_read(theme: str) -> None:
    low = [
        f"{token}: #{found['color']} on {ground}"
        for token, found in style(theme)
        for ground in [*GROUNDS[theme], style(theme).background_color]
        if found["color"]
        and not found["bgcolor"]
        and contrast(f"#{found['color']}", ground) < LEAST
    ]
    assert low == []


def test_the_grounds_are_those_of_the_theme() -> None:
    """Else the test above would speak of other pages."""
    sheets = "".join(
        sheet.read_text(encoding="utf-8")
        for theme in (pydata_sphinx_theme, sphinx_book_theme)
        for sheet in Path(theme.__file__).parent.rglob("styles/*theme.css")
    )
    for name in ("surface", "background"):
        found = set(re.findall(rf"--pst-color-{name}:\s*(#\w+)", sheets))
        full = {
            colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
            for colour in found
        }
        assert full
        assert full <= {ground for grounds in GROUNDS.values() for ground in grounds}
