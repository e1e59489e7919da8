"""Answers fold, open by their link, and agree with their exercises, in the HTML."""

from collections import Counter

import pytest
from bs4 import BeautifulSoup, Tag

from tests.tiny_book import CHAPTER, SNIPPET, TinyBook

EXERCISES = """
(exercises)=
## Exercises

See [](#ex-recall), [the other](#ex-apply) and {ref}`ex-apply`.

:::{exercise} Recall: what & why?
:label: ex-recall
Why {eval}`x`? Compare [](#ex-apply).
:::

:::{solution-start} ex-recall
:::
Because of $x$.

```{code-cell} python
:snippet: chapter#more
```

It is {eval}`y`.

:::{solution-end}
:::

:::{exercise}
:label: ex-apply
Apply it.
:::

:::{solution-start} ex-apply
:::
As [before](#ex-recall).
:::{solution-end}
:::
"""
OTHER = """
# Another chapter

See [](#ex-recall) and {ref}`ex-recall`.

:::{exercise} Transfer: where?
:label: ex-transfer
Where?
:::

:::{solution-start} ex-transfer
:::
Here.
:::{solution-end}
:::
"""
PAIRS = {
    "ex-recall": ("chapter", "Exercise 1.1"),
    "ex-apply": ("chapter", "Exercise 1.2"),
    "ex-transfer": ("other", "Exercise 2.1"),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BeautifulSoup]:
    with pytest.MonkeyPatch.context() as patch:
        book = TinyBook(tmp_path_factory.mktemp("book"), patch)
        more = "\n# %% more\ny = 2 * x\nprint('more', y)\n"
        book.write("snippets/chapter.py", SNIPPET + more)
        book.write("book/chapter.md", CHAPTER + EXERCISES)
        book.write("book/other.md", OTHER)
        book.index("chapter", "other")
        assert book.build() == []
        names = ("chapter", "other", "index")
        return {name: BeautifulSoup(book.page(name), "html.parser") for name in names}


def one(found: list[Tag]) -> Tag:
    assert len(found) == 1
    return found[0]


def words(tag: Tag) -> str:
    return " ".join(tag.get_text().split())


@pytest.mark.parametrize("label", PAIRS)
def test_an_answer_folds_without_a_script(
    pages: dict[str, BeautifulSoup], label: str
) -> None:
    page, number = PAIRS[label]
    body = one(pages[page].select(f"#answer-to-{label}"))
    details = body.parent
    assert details is not None
    assert details.name == "details"
    assert not details.has_attr("open")
    # A browser opens the details around a target, not those that are the target.
    assert not details.has_attr("id")
    summary, *rest = [child for child in details.children if isinstance(child, Tag)]
    assert summary.name == "summary"
    assert words(summary) == f"Answer to {number}"
    assert rest == [body]


@pytest.mark.parametrize("label", PAIRS)
def test_exercise_and_answer_lead_to_each_other(
    pages: dict[str, BeautifulSoup], label: str
) -> None:
    page, number = PAIRS[label]
    exercise = one(pages[page].select(f"#{label}"))
    assert words(one(exercise.select(".admonition-title"))).startswith(number)
    there = one(exercise.select(".answer-link a"))
    assert words(there) == f"Answer to {number}"
    assert there["href"] == f"#answer-to-{label}"
    answer = one(pages[page].select(f"#answer-to-{label}"))
    back = one(answer.select(".answer-link a"))
    assert back["href"] == f"#{label}"
    assert words(back) == f"Back to {number}"
    # The answer stands below its exercise.
    text = str(pages[page])
    assert text.index(f'id="{label}"') < text.index(f'id="answer-to-{label}"')


def test_the_title_of_an_exercise_stands_in_the_exercise_alone(
    pages: dict[str, BeautifulSoup],
) -> None:
    title = one(pages["chapter"].select("#ex-recall .admonition-title"))
    assert words(title) == "Exercise 1.1 (Recall: what & why?)"
    assert pages["chapter"].get_text().count("what & why?") == 1


def test_cells_and_values_of_an_answer_are_inside_it(
    pages: dict[str, BeautifulSoup],
) -> None:
    answer = one(pages["chapter"].select("#answer-to-ex-recall"))
    cell = one(answer.select("div.cell"))
    assert "y = 2 * x" in words(cell)
    assert "more 46" in words(cell)
    assert "It is 46." in words(answer)
    assert len(pages["chapter"].select("div.cell")) == 2  # the other is outside
    assert "Why 23?" in words(one(pages["chapter"].select("#ex-recall")))


@pytest.mark.parametrize(
    ("page", "selector", "expected"),
    [
        (
            "chapter",
            "#exercises > p",
            "See Exercise 1.1, the other and Exercise 1.2.",
        ),
        ("chapter", "#ex-recall > p:not([class])", "Why 23? Compare Exercise 1.2."),
        ("chapter", "#answer-to-ex-apply > p:not([class])", "As before."),
        ("other", "#another-chapter > p", "See Exercise 1.1 and Exercise 1.1."),
    ],
)
def test_a_link_to_an_exercise_reads_as_its_number(
    pages: dict[str, BeautifulSoup], page: str, selector: str, expected: str
) -> None:
    paragraph = one(pages[page].select(selector))
    assert words(paragraph) == expected
    for link in paragraph.select("a"):
        target, _, label = str(link["href"]).partition("#")
        assert label in PAIRS
        assert target == ("chapter.html" if page == "other" else "")


def test_no_id_stands_twice(pages: dict[str, BeautifulSoup]) -> None:
    for page in pages.values():
        ids = Counter(str(tag["id"]) for tag in page.select("[id]"))
        assert [name for name, count in ids.items() if count > 1] == []


def test_there_are_as_many_answers_as_exercises(
    pages: dict[str, BeautifulSoup],
) -> None:
    for name, page in pages.items():
        expected = sum(where == name for where, _ in PAIRS.values())
        assert len(page.select("details.answer")) == expected
        assert len(page.select("div.exercise")) == expected


def test_the_page_needs_no_script_for_its_answers(
    pages: dict[str, BeautifulSoup],
) -> None:
    for details in pages["chapter"].select("details"):
        assert not details.select("script, button, [onclick]")
