"""Formulas on pages: numbers, anchors, errors, the style sheet and the font."""

import io
import json
import re
import textwrap
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from mathml import font, install

PAGE = r"""
# A title with $\half$

$$ a &= b \\ &= c $$ (lines)

$$ x = 1 $$

$$ \sqrt{x} = \hat y $$ (root)

Equations {eq}`lines` and {eq}`root`, and $x^2$ in the text.
"""


class Book:
    """A page of Markdown, its macros, and what Sphinx makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.html = folder / "html"
        self.source.mkdir(parents=True)
        self.macros(r"'\half' = '\frac{1}{2}'")

    def macros(self, toml: str) -> None:
        (self.source / "macros.toml").write_text(toml, encoding="utf-8")

    def page(self, text: str, name: str = "index") -> None:
        text = textwrap.dedent(text).lstrip()
        (self.source / f"{name}.md").write_text(text, encoding="utf-8")

    def build(self, renderer: str = "mathml", jobs: int = 1, **settings: Any) -> str:
        """What Sphinx warns of; it builds on what an earlier call left."""
        warnings = io.StringIO()
        settings |= {
            "extensions": ["myst_parser", "mathml"],
            # Sphinx's default would be changed by the extension, for all tests to come.
            "source_suffix": {".md": "markdown"},
            "html_math_renderer": renderer,
            "myst_enable_extensions": ["dollarmath"],
            "myst_update_mathjax": False,
            "show_warning_types": True,
        }
        with patch_docutils(self.source), docutils_namespace():
            Sphinx(
                self.source,
                None,
                self.html,
                self.folder / "doctrees",
                "html",
                settings,
                status=None,
                warning=warnings,
                parallel=jobs,
            ).build()
        return re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue())

    def soup(self, name: str = "index") -> BeautifulSoup:
        return BeautifulSoup((self.html / f"{name}.html").read_text("utf-8"), "lxml")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path)
    made.page(PAGE)
    return made


def references(soup: BeautifulSoup) -> dict[str, Any]:
    """What a page says of the numbers of its equations."""
    return {
        "displays": [box.get("id") for box in soup.select("div.math")],
        "numbers": [str(number) for number in soup.select("span.eqno")],
        "links": [str(link) for link in soup.select("p a.reference")],
        "inline": len(soup.select("span.math")),
    }


def test_numbers_anchors_and_references_are_those_of_mathjax(tmp_path: Path) -> None:
    said = {}
    for renderer in ("mathml", "mathjax"):
        book = Book(tmp_path / renderer)
        book.page(PAGE)
        assert book.build(renderer) == ""
        said[renderer] = references(book.soup())
    assert said["mathml"]["displays"] == ["equation-lines", None, "equation-root"]
    assert said["mathml"] == said["mathjax"]


def test_equations_count_with_their_chapter(book: Book) -> None:
    book.page("# Contents\n\n```{toctree}\n:numbered:\n\nchapter\n```")
    book.page(PAGE, "chapter")
    assert book.build(numfig=True, math_numfig=True) == ""
    numbers = [number.text[:5] for number in book.soup("chapter").select(".eqno")]
    assert numbers == ["(1.1)", "(1.2)"]


def test_a_page_needs_no_script_for_its_formulas(book: Book) -> None:
    assert book.build() == ""
    for page in book.html.glob("*.html"):
        assert "mathjax" not in page.read_text("utf-8").lower()
    formulas = book.soup().select(".math math")
    assert len(formulas) == 5
    assert book.soup().title.text.startswith("A title with 12")


@pytest.mark.parametrize(
    ("page", "line", "formula", "said"),
    [
        ("# T\n\none\ntwo $\\foo$\n", 4, r"\foo", "Unsupported function name"),
        ("# T\n\n*a\nb $\\foo$ c*\n", 4, r"\foo", "Unsupported function name"),
        ("# T\n\n$$\nx\n+ \\foo\n$$\n", 3, r"x + \foo", "Unsupported function name"),
        ("# T $\\foo$\n", 1, r"\foo", "Unsupported function name"),
        ("# T\n\n|a|\n|-|\n|$\\frac1$|\n", 5, r"\frac1", "Unexpected end of input"),
    ],
)
def test_a_wrong_formula_is_reported_where_it_stands(
    book: Book, page: str, line: int, formula: str, said: str
) -> None:
    book.page(page)
    [warning] = book.build().splitlines()
    place = f"{book.source / 'index.md'}:{line}: WARNING: "
    assert warning.startswith(f"{place}Temml cannot take the formula '{formula}': ")
    assert said in warning
    assert warning.endswith("[mathml.formula]")
    assert book.soup().select("code.math-error")


def test_punctuation_stays_on_the_line_of_its_formula(book: Book) -> None:
    book.page("# Title\n\nLet $x$, ($y$) and\n$z$ be numbers.")
    assert book.build() == ""
    text = book.soup().select_one("p").text
    assert text == "Let x\u2060, (\u2060y\u2060) and\nz be numbers."


def test_wide_displays_take_the_focus_and_others_do_not(book: Book) -> None:
    wide = " + ".join(f"x_{{{number}}}" for number in range(30))
    book.page(f"# T\n\n$$ {wide} $$\n\n$$ {wide} $$ (w)\n\n$$ x $$\n\n${wide}$, $x$\n")
    assert book.build() == ""
    boxes = book.soup().select(".math-box")
    assert [box.get("tabindex") for box in boxes] == ["0", "0", None]
    labels = [box.get("aria-label") for box in boxes]
    assert labels == ["Formula", "Formula 1", None]
    long, short = book.soup().select("span.math")
    assert "math-long" in long["class"]
    assert "math-long" not in short["class"]
    # Thirty parts, at whose ends a line may end.
    assert len(long.math.find_all(recursive=False)) == 30


def test_there_is_less_room_in_a_note(book: Book) -> None:
    formula = "$$ a + b + c + d + e + f + g = 0 $$"
    book.page(f"# T\n\n{formula}\n\n```{{note}}\n{formula}\n```\n\n- - {formula}\n")
    assert book.build() == ""
    boxes = book.soup().select(".math-box")
    assert [box.get("tabindex") for box in boxes] == [None, "0", "0"]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_same_book_gives_the_same_bytes(tmp_path: Path) -> None:
    builds = []
    for name, jobs in (("one", 1), ("two", 2)):
        book = Book(tmp_path / name)
        chapters = [f"chapter-{number}" for number in range(8)]
        book.page("# T\n\n```{toctree}\n" + "\n".join(chapters) + "\n```\n")
        for number, chapter in enumerate(chapters):
            book.page(f"# C\n\n$x_{number}$ and $\\sqrt{{{number}}}$\n", chapter)
        assert book.build(jobs=jobs) == ""
        builds.append(contents(book.html))
    assert builds[0].keys() == builds[1].keys()
    differing = [name for name in builds[0] if builds[0][name] != builds[1][name]]
    assert differing == []


def test_a_macro_that_changes_is_drawn_anew(book: Book) -> None:
    assert book.build() == ""
    book.macros(r"'\half' = '\frac{1}{3}'")
    assert book.build() == ""
    assert book.soup().h1.math.text == "13"


def test_a_wrong_macro_stops_the_build(book: Book) -> None:
    book.macros("half = 1")
    with pytest.raises(ExtensionError, match=r"macros\.toml: half: a macro reads"):
        book.build()


def test_missing_packages_stop_the_build(
    book: Book, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check = install.require
    monkeypatch.setattr(install, "require", lambda: check(target=tmp_path / "none"))
    with pytest.raises(ExtensionError, match="not installed: run `nox -s book`"):
        book.build()


def test_style_sheet_font_and_licence_are_part_of_the_site(book: Book) -> None:
    assert book.build() == ""
    sheets = [link["href"] for link in book.soup().select("link[rel=stylesheet]")]
    assert any(sheet.startswith("_static/mathml.css?v=") for sheet in sheets)
    static = book.html / "_static"
    names = re.findall(r'url\("(.+?)"\)', (static / "mathml.css").read_text("utf-8"))
    assert names == ["stix-two-math.woff2"]
    assert (static / names[0]).stat().st_size < 60_000
    assert "SIL OPEN FONT LICENSE" in (static / "stix-two-math-licence.txt").read_text()
    with TTFont(static / names[0]) as shipped:
        drawn = shipped.getBestCmap()
    assert {ord(character) for character in "𝑎𝑏𝑐𝑥𝑦=√ˆ12"} <= drawn.keys()
    assert ord("T") not in drawn  # of the text around the formulas


def test_characters_are_those_that_browsers_draw() -> None:
    page = "<p>Q</p><math><mi>h</mi><mo>&lt;</mo><msqrt><mn>2</mn></msqrt></math>"
    assert font.characters(page) == set("hℎ<2√")
    assert font.italic("θ") == "𝜃"
    assert font.italic("Ω") == "𝛺"


def test_the_font_is_cut_with_all_its_stretched_forms() -> None:
    [first, second] = [font.cut("√→ˆ("), font.cut("(ˆ→√")]
    assert first == second
    cut = TTFont(io.BytesIO(first))
    assert {ord(character) for character in "√→ˆ("} <= set(cut.getBestCmap())
    variants = cut["MATH"].table.MathVariants
    upright = dict(
        zip(
            variants.VertGlyphCoverage.glyphs,
            variants.VertGlyphConstruction,
            strict=True,
        )
    )
    across = dict(
        zip(
            variants.HorizGlyphCoverage.glyphs,
            variants.HorizGlyphConstruction,
            strict=True,
        )
    )
    glyphs = cut.getBestCmap()
    assert len(upright[glyphs[ord("(")]].MathGlyphVariantRecord) == 13
    assert len(across[glyphs[ord("ˆ")]].MathGlyphVariantRecord) > 1
    root = upright[glyphs[ord("√")]]
    forms = [form.VariantGlyph for form in root.MathGlyphVariantRecord]
    forms += [part.glyph for part in root.GlyphAssembly.PartRecords]
    assert len({cut["hmtx"][form][0] for form in forms}) == 1
    parts = across[glyphs[ord("→")]].GlyphAssembly.PartRecords
    joints = [parts[0].EndConnectorLength, parts[1].StartConnectorLength]
    assert min(joints) >= variants.MinConnectorOverlap


def test_the_lock_file_names_versions_and_no_registry() -> None:
    text = (install.PINS / "package-lock.json").read_text("utf-8")
    assert "http" not in text
    assert "resolved" not in text
    packages = json.loads(text)["packages"]
    wanted = json.loads((install.PINS / "package.json").read_text("utf-8"))
    assert packages.pop("")["dependencies"] == wanted["dependencies"]
    assert {
        name.removeprefix("node_modules/"): package["version"]
        for name, package in packages.items()
    } == wanted["dependencies"]
    assert all(package["integrity"] for package in packages.values())


def test_installing_again_does_nothing_until_a_pin_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def npm(arguments: list[str], *, cwd: Path, **_: Any) -> CompletedProcess[str]:
        assert arguments[0] == "ci"
        assert (cwd / "package-lock.json").read_text() == "{}"
        (cwd / "node_modules").mkdir(exist_ok=True)
        return CompletedProcess(arguments, 0, "")

    monkeypatch.setattr(install, "npm", npm)
    pins, target = tmp_path / "pins", tmp_path / "node"
    pins.mkdir()
    for name in install.FILES:
        (pins / name).write_text("{}")
    with pytest.raises(install.InstallError, match="not installed"):
        install.require(pins, target)
    assert install.install(pins, target)
    assert not install.install(pins, target)
    install.require(pins, target)
    (pins / "package.json").write_text('{"private": true}')
    with pytest.raises(install.InstallError, match="out of date"):
        install.require(pins, target)


def test_an_unreachable_registry_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(install.InstallError) as caught:
        install.install(target=tmp_path / "node")
    assert str(caught.value).startswith("npm cannot reach a registry (ECONNREFUSED)")
    assert "\n" not in str(caught.value)
    assert not install.is_current(target=tmp_path / "node")
