"""Style sheets and files that no page uses are left out; all others stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from light_files import cut, lighten, used_names, without_unused_variables

PAGE = """\
<html><head>
<link rel="stylesheet" href="_static/theme/a.css?v=1"/>
<link href="_static/b.css" rel="stylesheet"/>
<link rel="icon" href="_static/icon.svg"/>
<script src="_static/page.js?v=2"></script>
</head><body class="night wide"><p id="here">text</p></body></html>
"""


@pytest.mark.parametrize(
    ("selector", "stays"),
    [
        ("p", True),
        ("*", True),
        (".wide p", True),
        ("#here", True),
        (".set-by-script", True),
        (".card", False),
        ("#there", False),
        (".wide .card", False),
        ("p:not(.card)", True),
        ("p:is(.card, :not(.wide))", True),
        ('[href=".card"]', True),
        (".wide\\:not", False),
    ],
)
def test_a_rule_stays_if_an_element_can_match(selector: str, stays: bool) -> None:
    names = used_names([PAGE], ["show('set-by-script')"])
    assert bool(cut(f"{selector} {{ color: red }}", names)) is stays


def test_of_a_list_of_selectors_only_those_that_match_stay() -> None:
    assert cut("p, .card, :is(a, b) { color: red }", set()) == (
        "p,:is(a, b){color: red }"
    )


def test_rules_within_rules_are_cut_and_others_kept() -> None:
    sheet = """
    @media print { .card { color: red } p { color: red } }
    @media print { .card { color: red } }
    @font-face { font-family: "STIX Two Math"; src: url(m.woff2) }
    @font-face { font-family: "Font Awesome\\ 7 Free"; src: url(i.woff2) }
    @keyframes turn { to { rotate: 1turn } }
    """
    lighter = cut(sheet, set())
    assert lighter.count("@media") == 1
    assert "m.woff2" in lighter
    assert "i.woff2" not in lighter
    assert "@keyframes turn" in lighter


def test_strings_with_braces_survive() -> None:
    assert '"}"' in cut('p::after { content: "}" } .card { color: red }', set())


def test_variables_that_only_unused_ones_refer_to_go() -> None:
    sheet = ":root{--a:var(--b);--b:1;--c:url(data:x) }p{order:var(--c) }"
    assert (
        without_unused_variables(sheet) == ":root{--c:url(data:x) }p{order:var(--c) }"
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    files = {
        "index.html": PAGE,
        "_static/base.css": "p { background: url(dot.png) } .card { color: red }",
        "_static/theme/a.css": '@import "../base.css"; #here { color: var(--ink) }',
        "_static/b.css": ":root { --ink: black; --unused: 1 } .wide { order: 1 }",
        "_static/dot.png": "",
        "_static/icon.svg": "",
        "_static/page.js": "",
        "_static/theme/bootstrap.js": "",
        "_static/fonts/icons.woff2": "",
        "_static/english-stemmer.js": "",
        "_static/font-licence.txt": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_site_has_one_style_sheet_and_only_files_that_are_loaded(site: Path) -> None:
    lighten(site)
    left = {path.relative_to(site).as_posix() for path in site.rglob("*")}
    assert left == {
        "_static",
        "_static/dot.png",
        "_static/english-stemmer.js",
        "_static/font-licence.txt",
        "_static/icon.svg",
        "_static/page.js",
        "_static/styles.css",
        "index.html",
    }
    page = (site / "index.html").read_text()
    assert page.count('rel="stylesheet"') == 1
    assert 'href="_static/styles.css?v=' in page
    sheet = (site / "_static/styles.css").read_text()
    order = [sheet.index(part) for part in ("url(dot.png)", "#here", "--ink:", ".wide")]
    assert order == sorted(order)
    assert ".card" not in sheet
    assert "--unused" not in sheet


def test_the_version_changes_with_the_styles(site: Path, tmp_path: Path) -> None:
    (site / "_static/b.css").write_text(".wide { order: 2 }")
    lighten(site)
    page = (site / "index.html").read_text()
    (site / "index.html").write_text(PAGE)
    for name in ("theme/a.css", "b.css"):
        (site / "_static" / name).parent.mkdir(exist_ok=True)
        (site / "_static" / name).write_text(".wide { order: 3 }")
    lighten(site)
    assert (site / "index.html").read_text() != page
