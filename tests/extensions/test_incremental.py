"""After any edits, an incremental build gives the pages of a clean one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import execution
from tests.preview_worker import worker
from tests.tiny_book import TinyBook

NAMES = ("alpha", "beta", "gamma")
KINDS = ("prose", "title", "factor", "helper", "order", "add", "remove")


BIBLIOGRAPHY = "".join(
    f"@book{{source{number}, author={{Author {letter}}}, title={{Title {letter}}}, "
    f"publisher={{Press}}, year={{200{number}}}}}\n"
    for number, letter in enumerate("ABC")
)


PICTURE = """
class Picture:
    def __init__(self, value):
        self.value = value

    def _repr_svg_(self):
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20">'
            f'<rect width="{self.value + 1}" height="9"/></svg>'
        )

    def __repr__(self):
        return f"A bar of {self.value}."
"""


@dataclass
class State:
    """What the author has written: a model of the tiny book."""

    order: list[str] = field(default_factory=lambda: ["alpha", "beta"])
    prose: dict[str, int] = field(default_factory=dict)
    title: dict[str, int] = field(default_factory=dict)
    factor: dict[str, int] = field(default_factory=dict)
    helper: int = 1

    def write(self, book: TinyBook) -> list[Path]:
        """Write the files that differ, as an editor does; delete removed pages.

        Returns:
            The files that have changed.
        """
        changed = []
        files = {"snippets/helper.py": f"UNIT = {self.helper}\n{PICTURE}"}
        for name in self.order:
            files[f"snippets/{name}.py"] = (
                f'"""Cells."""\n\n# %% value\nfrom snippets.helper import UNIT\n\n'
                f"value = UNIT * {self.factor.get(name, 2)}\nprint(value)\n\n"
                "# %% figure-bar\nfrom snippets.helper import Picture\n\n"
                "Picture(value)\n"
            )
            files[f"book/{name}.md"] = self.page(name)
        files["book/references.bib"] = BIBLIOGRAPHY
        files["book/references.md"] = "# Sources\n\n```{bibliography}\n```\n"
        contents = "\n".join([*self.order, "references"])
        files["book/index.md"] = (
            f"# Tiny\n\n```{{toctree}}\n:numbered:\n\n{contents}\n```\n"
        )
        for name in set(NAMES) - set(self.order):
            page = book.root / f"book/{name}.md"
            if page.is_file():
                page.unlink()
                changed.append(page)
        for path, text in files.items():
            file = book.root / path
            if not file.is_file() or file.read_text() != text:
                book.write(path, text)
                changed.append(file)
        return changed

    def page(self, name: str) -> str:
        """A page with a cell, a value, an exercise, and links to the next page."""
        other = self.order[(self.order.index(name) + 1) % len(self.order)]
        return f"""\
({name})=
# {name} {self.title.get(name, 0)}

Prose {self.prose.get(name, 0)}, see {{ref}}`{other}` and [](#ex-{other}), and
{{cite:t}}`source{self.prose.get(name, 0) % 3}`.

```{{code-cell}} python
:snippet: {name}#value
```

The value of {name} is {{eval}}`value`. See {{numref}}`fig-{other}`.

:::{{figure}} {name}#figure-bar
:name: fig-{name}

A bar of {{eval}}`value`.
:::

:::{{exercise}} Recall: {self.title.get(name, 0)}
:label: ex-{name}
Why {{eval}}`value`?
:::

:::{{solution-start}} ex-{name}
:::
Because of {{eval}}`value`.
:::{{solution-end}}
:::
"""

    def expected(self, name: str) -> str:
        """The sentence that the built page must hold."""
        value = self.helper * self.factor.get(name, 2)
        return f"The value of {name} is {value}."


EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            ["prose", "title", "factor", "helper", "order", "add", "remove"]
        ),
        st.sampled_from(NAMES),
        st.integers(2, 9),
    ),
    min_size=1,
    max_size=4,
)


def edit(state: State, kind: str, name: str, number: int) -> None:
    """One thing that an author does."""
    if kind == "helper":
        state.helper = number
    elif kind == "order":
        random.Random(number).shuffle(state.order)
    elif kind == "add" and name not in state.order:
        state.order.insert(number % (len(state.order) + 1), name)
    elif kind == "remove" and name in state.order and len(state.order) > 1:
        state.order.remove(name)
    elif kind in {"prose", "title", "factor"}:
        getattr(state, kind)[name] = number


def pages(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.glob("*.html"))}


# For properties of builds.
BUILDS = settings(
    max_examples=6,
    deadline=None,
    # A failing example is short as it is, and each attempt at a shorter one is a build.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    # The book is written from the state in each example; nothing else is kept.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@BUILDS
@given(EDITS)
def test_incremental_equals_clean(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, str, int]]
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        book = TinyBook(tmp_path_factory.mktemp("book"), monkeypatch)
        (book.root / "book/chapter.md").unlink()
        state = State()
        state.write(book)
        assert book.build_incrementally() == []
        for kind, name, number in edits:
            edit(state, kind, name, number)
            state.write(book)
            assert book.build_incrementally() == []
            # Both builds may take cells from the cache; that it is not stale is seen
            # by the values, which the model knows.
            for chapter in state.order:
                assert state.expected(chapter) in book.page(chapter, "incremental")
        assert book.build() == []
        assert pages(book.root / "build/incremental") == pages(book.html)


@settings(BUILDS, max_examples=5)
@given(EDITS, st.integers(0, 3))
def test_a_preview_equals_a_clean_build(
    tmp_path_factory: pytest.TempPathFactory,
    edits: list[tuple[str, str, int]],
    broken: int,
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        book = TinyBook(tmp_path_factory.mktemp("book"), monkeypatch)
        (book.root / "book/chapter.md").unlink()
        state = State()
        state.write(book)
        with worker(book.root) as preview:
            assert preview.build() == []
            for number, (kind, name, value) in enumerate(edits):
                edit(state, kind, name, value)
                changed = state.write(book)
                if number == broken:
                    # A build that fails leaves nothing behind; its pages are seen.
                    last = book.root / "book" / f"{state.order[-1]}.md"
                    text = last.read_text()
                    last.write_text(
                        text.replace("# ", "# Broken ") + "\n[](#nowhere)\n"
                    )
                    [mistake] = preview.build([*changed, last])
                    assert "nowhere" in mistake
                    assert "Broken" in (preview.pages / f"{last.stem}.html").read_text()
                    last.write_text(text)
                    changed = [last]
                assert preview.build(changed) == []
                for chapter in state.order:
                    page = preview.pages / f"{chapter}.html"
                    assert state.expected(chapter) in page.read_text()
            preview.finish()
            assert book.build() == []
            assert pages(preview.pages) == pages(book.html)
            for name in ("searchindex.js", "_static/inline-styles.css", "objects.inv"):
                made = [folder / name for folder in (preview.pages, book.html)]
                assert made[0].read_bytes() == made[1].read_bytes()


def test_a_preview_that_begins_with_mistakes_goes_on_page_by_page(
    tiny_book: TinyBook,
) -> None:
    chapter = tiny_book.root / "book" / "chapter.md"
    text = chapter.read_text()
    chapter.write_text(f"{text}\n[](#nowhere)\n")
    index = tiny_book.root / "book" / "index.md"
    with worker(tiny_book.root) as preview:
        [first] = preview.build()
        index.write_text(index.read_text().replace("# Tiny", "# Tiny\n\nA book."))
        [second] = preview.build([index])
        assert first == second
        assert sorted(preview.written) == ["chapter", "index"]
        chapter.write_text(text)
        assert preview.build([chapter]) == []
        index.write_text(index.read_text().replace("A book.", "My book."))
        assert preview.build([index]) == []
        assert preview.written == ["index"]
        preview.finish()
        assert tiny_book.build() == []
        assert pages(preview.pages) == pages(tiny_book.html)


def test_nothing_is_written_when_nothing_changed(tiny_book: TinyBook) -> None:
    assert tiny_book.build_incrementally() == []
    page = tiny_book.root / "build/incremental/chapter.html"
    page.write_text("as it was")
    assert tiny_book.build_incrementally() == []
    assert page.read_text() == "as it was"


def test_another_version_of_torch_is_a_reason_to_run_again(
    tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_book.build()
    file = tiny_book.root / "cells/chapter.json"
    before = file.read_text()
    tiny_book.build()
    assert file.read_text() == before
    newer = {**execution.versions(), "torch": "99.0"}
    monkeypatch.setattr(execution, "versions", lambda: newer)
    tiny_book.build()
    assert file.read_text() != before
