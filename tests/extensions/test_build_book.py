"""A build puts good pages in place, and says in one line what is wrong with others."""

import io
import os
from pathlib import Path
from typing import NoReturn

import pytest
from sphinx.application import Sphinx

import build_book
from author_errors import AuthorErrors, one_line
from build_book import build, main, one_chapter

ROOT = Path("/home/me/book")
SETTINGS = """\
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}  # Sphinx's default would change for all tests
nitpicky = True
"""


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (
            "/home/me/book/book/a.md:3: WARNING: no cell 'x' [snippets.cell]\n",
            "book/a.md:3: no cell 'x' [snippets.cell]",
        ),
        # What concerns a page as a whole.
        ("/home/me/book/book/a.md: WARNING: odd [x.y]", "book/a.md:1: odd [x.y]"),
        ("/home/me/book/book/a.md:None: WARNING: odd", "book/a.md:1: odd"),
        ("/home/me/book/book/a.md:: WARNING: odd", "book/a.md:1: odd"),
        # What concerns no page.
        ("WARNING: odd [config]", "book: odd [config]"),
        ("<unknown>:1: WARNING: odd", "<unknown>:1: odd"),
        ("WARNING: while reading: ERROR: odd", "book: while reading: ERROR: odd"),
        ("Configuration error: odd", "book: Configuration error: odd"),
        # Every level is a mistake.
        ("/home/me/book/book/a.md:3: ERROR: odd", "book/a.md:3: odd"),
        ("/home/me/book/book/a.md:3: CRITICAL: odd", "book/a.md:3: odd"),
        # Colours and several lines.
        (
            "\x1b[91m/home/me/book/book/a.md:3: WARNING: first\n    second\n\n third"
            "\x1b[39;49;00m",
            "book/a.md:3: first second third",
        ),
        # Files that a message names; other colons in it.
        (
            "/home/me/book/book/a.md:3: WARNING: see /home/me/book/x.py: WARNING: y",
            "book/a.md:3: see x.py: WARNING: y",
        ),
        ("/elsewhere/a.py:3: WARNING: odd", "/elsewhere/a.py:3: odd"),
        # Sphinx does not say what to do.
        (
            "/home/me/book/book/a.md:3: WARNING: undefined label: 'x' [ref.ref]",
            "book/a.md:3: undefined label: 'x'; correct the label, or write '(label)=' "
            "above its heading [ref.ref]",
        ),
    ],
)
def test_each_record_of_sphinx_is_one_line(record: str, line: str) -> None:
    assert one_line(record, ROOT) == line


def test_the_stream_says_each_thing_once_and_nothing_empty() -> None:
    shown = io.StringIO()
    stream = AuthorErrors(ROOT, shown)
    for record in ("WARNING: a\n", "\n", "WARNING: b\n", "\x1b[91mWARNING: a\x1b[0m\n"):
        assert stream.write(record) == len(record)
    stream.flush()
    assert stream.lines == ["book: a", "book: b"]
    assert shown.getvalue() == "book: a\nbook: b\n"


class Project:
    """A few pages without cells, which build in an instant."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.target = root / "build" / "html"
        self.write("_config/conf.py", SETTINGS)
        self.write(
            "book/index.md", "# Tiny\n\n```{toctree}\ntensors\ngraphs\nglossary\n```\n"
        )
        self.write(
            "book/tensors.md", "(the-tensors)=\n# Tensors\n\nSee [](#the-graphs).\n"
        )
        self.write(
            "book/graphs.md", "(the-graphs)=\n# Graphs\n\nSee [](#the-tensors).\n"
        )
        self.write("book/glossary.md", "# Glossary\n")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def build(self) -> tuple[int, list[str]]:
        """The status, and what an author sees."""
        errors = io.StringIO()
        status = build(
            self.root / "book",
            self.target,
            self.root / "_config",
            root=self.root,
            errors=errors,
            status=None,
        )
        return status, errors.getvalue().splitlines()

    def left(self) -> list[str]:
        """What lies in the folder of the builds."""
        return sorted(path.name for path in self.target.parent.iterdir())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_good_build_takes_the_place_of_the_old_one(project: Project) -> None:
    assert project.build() == (0, [])
    assert project.left() == ["html"]
    (project.target / "of-a-removed-chapter.html").write_text("old")
    project.write("book/tensors.md", "(the-tensors)=\n# Arrays\n")
    assert project.build() == (0, [])
    assert "<h1>Arrays" in (project.target / "tensors.html").read_text()
    assert not (project.target / "of-a-removed-chapter.html").exists()
    assert not (project.target / ".doctrees").exists()
    assert project.left() == ["html"]


def test_a_failed_build_counts_its_mistakes_and_leaves_the_old_pages(
    project: Project,
) -> None:
    project.build()
    before = {path: path.read_bytes() for path in project.target.rglob("*.html")}
    project.write("book/tensors.md", "# Tensors\n\n[](#nowhere)\n")
    status, (first, second, last) = project.build()
    assert status == 1
    assert first.startswith("book/graphs.md:4: ")
    assert second.startswith("book/tensors.md:3: ")
    assert last == "2 mistakes: html is left as it was"
    assert {path: path.read_bytes() for path in before} == before
    assert project.left() == ["html"]


def test_the_first_build_may_fail(project: Project) -> None:
    project.write("book/tensors.md", "(the-tensors)=\n# Tensors\n\n[](#nowhere)\n")
    status, lines = project.build()
    assert status == 1
    assert lines[-1] == "1 mistake: html is left as it was"
    assert project.left() == []


def test_wrong_settings_are_one_line(project: Project) -> None:
    project.write("_config/conf.py", "extensions = ['no_such_extension']\n")
    status, lines = project.build()
    assert status == 1
    assert len(lines) == 2
    assert lines[0].startswith("book: Extension error: Could not import extension no_s")
    assert project.left() == []


def test_an_interrupted_build_leaves_nothing_behind(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.build()
    pages = sorted(project.target.rglob("*"))

    def interrupt(app: Sphinx) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sphinx, "build", interrupt)
    with pytest.raises(KeyboardInterrupt):
        project.build()
    assert sorted(project.target.rglob("*")) == pages
    assert project.left() == ["html"]


def test_one_chapter_leaves_out_the_others_but_not_the_appendices(
    project: Project,
) -> None:
    settings = one_chapter(project.root / "book", "tensors")
    assert settings["exclude_patterns"] == "graphs.md"


@pytest.mark.parametrize("slug", ["tensor", "tensors.md", "book/tensors", ""])
def test_an_unknown_chapter_tells_which_there_are(project: Project, slug: str) -> None:
    with pytest.raises(SystemExit) as raised:
        one_chapter(project.root / "book", slug)
    assert raised.value.code == (
        f"no chapter {slug!r} (chapters: glossary, graphs, index, tensors)"
    )


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project, as the one that the command line builds."""
    monkeypatch.setattr(build_book, "ROOT", project.root)
    # Colours are switched off for good, which is not for a test to do.
    monkeypatch.setattr(build_book, "nocolor", lambda: None)
    monkeypatch.chdir(project.root)
    return project


def test_the_command_builds_one_chapter_beside_the_book(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tensors"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == "built build/chapter/tensors.html"
    assert here.left() == ["chapter", "reading"]
    assert not (here.root / "build/chapter/graphs.html").exists()
    assert (here.root / "build/chapter/glossary.html").exists()


def test_a_mistake_within_the_one_chapter_is_still_one(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write("book/tensors.md", "# Tensors\n\n```{no-such-directive}\n```\n")
    assert main(["tensors"]) == 1
    assert "Unknown directive type: 'no-such-directive'" in capsys.readouterr().err


def test_the_command_builds_the_book_with_any_builder_into_any_folder(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--builder", "text", "--target", "result/plain"]) == 0
    assert capsys.readouterr().out == ""  # there is no page to look at
    names = sorted(path.name for path in Path("result/plain").glob("*.txt"))
    assert names == ["glossary.txt", "graphs.txt", "index.txt", "tensors.txt"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ("html", {}, "")),
        (
            ["--without-answers"],
            ("html-without-answers", {"without_answers": "*"}, "-without-answers"),
        ),
        (
            ["--without-answers=a,b"],
            ("html-without-answers", {"without_answers": "a,b"}, "-without-answers"),
        ),
        (
            ["--with-answers"],
            ("html-with-answers", {"without_answers": ""}, "-with-answers"),
        ),
        (["--day", "2026-12-01"], ("html", {"edition_day": "2026-12-01"}, "")),
        (
            ["--builder", "typst", "--without-answers"],
            ("pdf", {"without_answers": "*"}, "-without-answers"),
        ),
    ],
)
def test_each_edition_has_a_place_of_its_own(
    here: Project,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    expected: tuple[str, dict[str, str], str],
) -> None:
    folder, settings, pdf = expected
    calls = []

    def record(source: Path, target: Path, config: Path, **options: object) -> int:
        calls.append((target, options["overrides"], os.environ["BOOK_EDITION"]))
        return 0

    monkeypatch.setenv("BOOK_EDITION", "another")
    monkeypatch.setattr(build_book, "build", record)
    assert main(arguments) == 0
    assert calls == [(here.root / "build" / folder, settings, pdf)]


@pytest.mark.parametrize(
    "arguments", [["--without-answers="], ["--without-answers", "--with-answers"]]
)
def test_an_edition_that_cannot_be_is_refused(
    here: Project, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "--without-answers" in capsys.readouterr().err
    assert not (here.root / "build").exists()


def test_a_result_can_join_those_of_other_names(project: Project) -> None:
    target = project.root / "build" / "pages"
    target.mkdir(parents=True)
    for name in ("other.pdf", "tensors.html"):
        (target / name).write_text("before")
    status = build(
        project.root / "book",
        target,
        project.root / "_config",
        root=project.root,
        beside=True,
        errors=io.StringIO(),
        status=None,
    )
    assert status == 0
    assert (target / "other.pdf").read_text() == "before"
    assert "<h1>Tensors" in (target / "tensors.html").read_text()
