"""A build that begins with what was kept gives what a clean one gives."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kept_reading
from build_book import build
from kept_reading import KeptReading, files_of
from preview.watching import Places
from tests.extensions.test_build_book import Project
from tests.extensions.test_incremental import BIBLIOGRAPHY, BUILDS, EDITS, State, edit
from tests.tiny_book import CONFIG, TinyBook, pages_read


def write(state: State, book: TinyBook) -> set[str]:
    """Write what differs, with times that are long past; the names of the files."""
    changed = {file for file in state.write(book) if file.exists()}
    for file in changed:
        os.utime(file, (10**9, 10**9))
    return {file.name for file in changed}


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@BUILDS
@given(EDITS, st.integers(0, 3))
def test_what_was_kept_makes_the_book_of_a_clean_build(
    tmp_path_factory: pytest.TempPathFactory,
    edits: list[tuple[str, str, int]],
    broken: int,
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        book = TinyBook(tmp_path_factory.mktemp("book"), monkeypatch)
        (book.root / "book/chapter.md").unlink()
        places = Places(book.root, book.root / "book", CONFIG)

        def kept(name: str = "typst") -> KeptReading:
            return KeptReading(book.root / "build/reading" / name, places, [])

        state = State()
        write(state, book)
        assert book.make_pdf(kept=kept()) == []
        assert book.build(kept=kept("html")) == []
        for number, (kind, name, value) in enumerate(edits):
            edit(state, kind, name, value)
            changed = write(state, book)
            if number == broken:
                last = book.root / "book" / f"{state.order[0]}.md"
                text = last.read_text()
                last.write_text(f"{text}\n[](#nowhere)\n\n{{eq}}`eq-none`\n")
                told = book.make_pdf(kept=kept())
                assert "nowhere" in told[0]
                assert told == book.make_pdf("clean")
                last.write_text(text)
            assert book.make_pdf(kept=kept()) == []
            if kind in {"prose", "title", "factor"}:
                assert book.pages_read == len({Path(file).stem for file in changed})
            assert book.build(kept=kept("html")) == []
        made, site = book.pdf.read_bytes(), files(book.html)
        assert book.build() == []
        assert files(book.html) == site
        assert book.make_pdf("clean") == []
        assert book.pdf.read_bytes() == made


class KeptProject:
    """A few pages without cells, built from what was kept."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.file = project.root / "build/reading/html"

    def write(self, path: str, text: str) -> None:
        self.project.write(path, text)

    def build(self, wanted: object = (), **options: Any) -> tuple[int, list[str]]:
        """How many pages were read, and what an author sees."""
        root = self.project.root
        errors, status = io.StringIO(), io.StringIO()
        places = Places(root, root / "book", root / "_config")
        build(
            root / "book",
            self.project.target,
            root / "_config",
            root=root,
            kept=KeptReading(self.file, places, [wanted], **options),
            errors=errors,
            status=status,
        )
        return pages_read(status.getvalue()), errors.getvalue().splitlines()

    def page(self, name: str) -> str:
        return (self.project.target / f"{name}.html").read_text()


@pytest.fixture
def project(tmp_path: Path) -> KeptProject:
    """A project that has been built once: an index and three pages."""
    project = KeptProject(Project(tmp_path))
    project.write("book/references.bib", BIBLIOGRAPHY)
    assert project.build() == (4, [])
    return project


def test_only_changed_pages_are_read_whatever_their_times(project: KeptProject) -> None:
    assert project.build() == (0, [])
    file = project.project.root / "book" / "glossary.md"
    file.write_text("# Words\n")
    os.utime(file, (10**9, 10**9))
    assert project.build() == (1, [])
    assert "<h1>Words" in project.page("glossary")
    assert "Words" in project.page("tensors")  # in the contents beside it
    file.touch()  # as it was, with a new time
    assert project.build() == (0, [])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("_config/new.py", ""),
        ("_config/conf.py", None),
        ("_config/templates/page.html", "{{ body }}"),
        ("book/references.bib", "@book{other, title={Other}}"),
        ("book/answers.toml", ""),
        ("book/new.md", "---\norphan: true\n---\n\n# New\n"),
        ("snippets/helper.py", "UNIT = 1"),
        ("tests/outputs/tensors.toml", ""),
        ("CITATION.cff", "version: 2"),
    ],
)
def test_what_no_page_is_made_from_may_matter_to_all(
    project: KeptProject, path: str, text: str | None
) -> None:
    conf = (project.project.root / "_config/conf.py").read_text()
    project.write(path, f"{conf}\n" if text is None else text)
    read, lines = project.build()
    assert (read, lines) == (5 if path == "book/new.md" else 4, [])
    assert project.build() == (0, [])


def test_so_does_a_page_that_is_gone(project: KeptProject) -> None:
    project.write("book/index.md", "# Tiny\n\n```{toctree}\ntensors\ngraphs\n```\n")
    (project.project.root / "book/glossary.md").unlink()
    assert project.build() == (3, [])
    assert project.build() == (0, [])


def test_other_settings_or_versions_and_who_asks_begin_from_nothing(
    project: KeptProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.build("reader") == (4, [])
    assert project.build("reader") == (0, [])
    assert project.build("reader", fresh=True) == (4, [])
    monkeypatch.setattr(kept_reading, "versions", lambda: ["sphinx-99.0.dist-info"])
    assert project.build("reader") == (4, [])


def test_versions_are_those_of_all_packages() -> None:
    found = kept_reading.versions()
    assert any(name.startswith("sphinx-") for name in found)
    assert any(name.startswith("typst-") for name in found)


@pytest.mark.parametrize("damage", ["", "cut", "one byte", "another's"])
def test_a_damaged_file_is_not_read(project: KeptProject, damage: str) -> None:
    content = bytearray(project.file.read_bytes())
    if damage == "cut":
        del content[-1000:]
    elif damage == "one byte":
        content[len(content) // 2] ^= 1
    elif damage == "another's":
        content[:] = b"0" * 64 + b"\n{}\n"
    else:
        content.clear()
    project.file.write_bytes(content)
    assert project.build() == (4, [])
    assert project.build() == (0, [])


def test_a_mistake_is_told_each_time_and_leaves_what_was_kept(
    project: KeptProject,
) -> None:
    before = project.file.read_bytes()
    # The link to it stands on a page that is not read again.
    project.write("book/tensors.md", "# Tensors\n")
    for _ in range(2):
        read, lines = project.build()
        assert read == 1
        assert lines[0].startswith("book/graphs.md:4: ")
        assert project.file.read_bytes() == before
    project.write("book/tensors.md", "(the-tensors)=\n# Arrays\n")
    assert project.build() == (1, [])
    assert "Arrays" in project.page("graphs")


def test_a_killed_build_and_one_at_work_are_in_nobodys_way(
    project: KeptProject,
) -> None:
    root = project.project.root
    places = Places(root, root / "book", root / "_config")
    other = KeptReading(project.file, places, [()])
    with other.workplace(root / "build") as work:
        # It has taken the folder that the kept pages belong to, and may never end.
        assert (work / "doctrees" / "tensors.doctree").is_file()
        assert project.build() == (4, [])
        assert project.build() == (0, [])
        assert work.is_dir()
    assert project.build() == (0, [])


def test_an_interrupted_build_leaves_what_was_kept(
    project: KeptProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = project.file.read_bytes()

    def interrupt(self: KeptReading, env: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(KeptReading, "keep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            project.build()
    assert project.file.read_bytes() == before
    assert project.build() == (0, [])


def test_what_changes_while_a_build_reads_it_is_not_kept(
    project: KeptProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = project.file.read_bytes()
    page = project.project.root / "book/glossary.md"
    text = page.read_text()

    def change(env: object, name: object) -> bool:
        page.write_text("# Changed\n")
        page.write_text(text)
        return False

    monkeypatch.setattr(KeptReading, "outdate", change)
    project.write("book/graphs.md", "(the-graphs)=\n# Graphs\n\n[](#the-tensors)\n")
    project.build()
    assert project.file.read_bytes() == before


def test_what_editors_leave_is_no_file_of_the_book(tmp_path: Path) -> None:
    for name in ("a.md", ".#a.md", "a.md~", "__pycache__/a.pyc", "parts/b.md"):
        file = tmp_path / "book" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    places = Places(tmp_path, tmp_path / "book", tmp_path / "_config")
    names = sorted(Path(name).name for name in files_of(places))
    assert names == ["a.md", "b.md"]
