"""Links of a small hand-made site, with each kind of mistake."""

from pathlib import Path

import pytest

from check_links import broken_links, main, read_site

CLEAN = {
    "index.html": """
        <link rel="canonical" href="http://published.example/index.html">
        <link rel="stylesheet" href="_static/a%20style.css">
        <h1 id="top">Title</h1>
        <a href="#top">up</a>
        <a href="#">to the top</a>
        <a href="sub/page.html">page</a>
        <a href="sub/page.html#one">with a fragment</a>
        <a href="sub/page.html?x=1#one">with a query</a>
        <a href="sub/">a folder</a>
        <a href="./sub">a folder</a>
        <a href="sub/#here">a place in a folder's page</a>
        <a href="gr%C3%B6%C3%9Fe.html#%C3%A4">encoded</a>
        <a href="größe.html#ä">not encoded</a>
        <a href="sub/../index.html">back and forth</a>
        <a href="https://elsewhere.example/x#y">another site</a>
        <a href="HTTPS://elsewhere.example">another site</a>
        <a href="mailto:me@example.org">mail</a>
        <a name="old">an old target</a> <a href="#old">to it</a>
        <a id="both" name="both">one target</a>
        <a>no link</a>
        <img src="_static/dot.svg#view"> <img src="data:image/png;base64,AAAA">
        <!-- <a href="commented-out.html">no link</a> -->
        <script>document.write('<a href="nowhere.html">')</script>
    """,
    "sub/index.html": '<p id="here"></p><a href="../index.html#top">up</a>',
    "sub/page.html": '<p id="one"></p><a href="..">up</a><a href=".">here</a>',
    "größe.html": '<p id="ä"></p>',
    "_static/a style.css": "",
    "_static/dot.svg": "<svg/>",
    "_static/template.html": '<a href="{{ url }}"></a>',  # not a page
}


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write(tmp_path / "site", CLEAN)


def test_a_clean_site_has_no_broken_link(site: Path) -> None:
    assert list(broken_links(site)) == []


def test_the_clean_site_is_read_whole(site: Path) -> None:
    pages = {str(path): page for path, page in read_site(site).items()}
    assert set(pages) == {"index.html", "sub/index.html", "sub/page.html", "größe.html"}
    targets = [target for _, target in pages["index.html"].links]
    assert targets[0] == "_static/a%20style.css"
    assert targets[-1] == "data:image/png;base64,AAAA"
    # Without the canonical one, and those in a comment and in a script.
    assert len(targets) == 18
    assert pages["index.html"].fragments == {"top", "old", "both"}


NOT_RELATIVE = "only a relative path works wherever the site is put"
NO_FILE = "there is no such file"
INSECURE = "link to https instead"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("nowhere.html", NO_FILE),
        ("sub/nowhere.html#one", NO_FILE),
        ("nowhere/", NO_FILE),
        ("sub/page", NO_FILE),
        ("page.html", NO_FILE),  # relative to the page, not to one below
        ("empty/", NO_FILE),  # a folder without a page of its own
        ("empty", NO_FILE),
        ("gr%F6sse.html", NO_FILE),
        ("#nowhere", "index.html has no element with the id 'nowhere'"),
        ("index.html#Top", "index.html has no element with the id 'Top'"),
        ("sub/page.html#two", "sub/page.html has no element with the id 'two'"),
        ("sub/#one", "sub/index.html has no element with the id 'one'"),
        ("#%C3%A4", "index.html has no element with the id 'ä'"),
        ("", NOT_RELATIVE),
        ("/index.html", NOT_RELATIVE),
        ("/", NOT_RELATIVE),
        ("../outside.html", NO_FILE),
        ("sub/../../outside.html", NO_FILE),
        ("..", NO_FILE),
        ("http://elsewhere.example/", INSECURE),
        ("HTTP://elsewhere.example/", INSECURE),
        ("//elsewhere.example/x.js", INSECURE),
    ],
)
def test_a_broken_link_is_named_with_page_line_and_reason(
    site: Path, target: str, reason: str
) -> None:
    # It exists, but not for who visits the site.
    write(site.parent, {"outside.html": "", f"{site.name}/empty/file.txt": ""})
    page = CLEAN["index.html"] + f'<p>\n<a href="{target}">x</a>'
    write(site, {"index.html": page})
    line = page.count("\n") + 1
    assert list(broken_links(site)) == [f"index.html:{line}: {target!r}: {reason}"]


@pytest.mark.parametrize(
    "element",
    [
        '<a href="x">',
        '<area href="x">',
        '<link rel="stylesheet" href="x">',
        '<img src="x">',
        '<script src="x"></script>',
        '<iframe src="x"></iframe>',
        '<video src="x"></video>',
        '<video><source src="x"></video>',
        '<object data="x"></object>',
        '<IMG SRC="x"/>',
    ],
)
def test_every_element_that_loads_or_links_is_checked(site: Path, element: str) -> None:
    write(site, {"sub/page.html": f'<p id="one"></p>\n{element}'})
    assert list(broken_links(site)) == [f"sub/page.html:2: 'x': {NO_FILE}"]


@pytest.mark.parametrize(
    "second", ['<b id="one">', '<a name="one">', '<i>\n<b id="one">']
)
def test_an_id_that_stands_twice_is_named_with_its_line(
    site: Path, second: str
) -> None:
    write(site, {"sub/page.html": f'<p id="one"></p>\n{second}'})
    line = 2 + second.count("\n")
    assert list(broken_links(site)) == [
        f"sub/page.html:{line}: the id 'one' stands twice; make it unique"
    ]


def test_the_same_id_on_two_pages_is_no_mistake(site: Path) -> None:
    write(site, {"sub/other.html": '<p id="one"></p>'})
    assert list(broken_links(site)) == []


def test_only_the_canonical_link_may_lead_to_the_published_site(site: Path) -> None:
    page = '<p id="one"></p><link rel="next" href="http://published.example/">'
    write(site, {"sub/page.html": page})
    assert len(list(broken_links(site))) == 1


def test_the_command_counts_and_its_status_says_whether_all_is_well(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(site)]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{site}: ")
    assert line.endswith(" links on 4 pages, 0 broken")
    write(site, {"sub/other.html": '<a href="x"></a><a href="y"></a>'})
    assert main([str(site)]) == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("sub/other.html:1: 'x': ")
    assert second.startswith("sub/other.html:1: 'y': ")
    assert last.endswith(" links on 5 pages, 2 broken")


def test_one_broken_site_among_several_is_enough(site: Path, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad", {"a.html": '<a href="x"></a>'})
    good = write(tmp_path / "good", {"a.html": '<a href="#"></a>'})
    assert main([str(good)]) == 0
    assert main([str(bad), str(good)]) == 1


def test_a_folder_without_pages_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert "no pages; build the book first" in capsys.readouterr().out
