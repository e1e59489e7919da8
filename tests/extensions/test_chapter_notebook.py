"""From Markdown to a notebook: cells, values asked for, fences, and their lines."""

import ast
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from myst_parser.config.main import MdParserConfig

from chapter_notebook import (
    Chapter,
    Evaluation,
    fill_values,
    read_chapter,
    split_format,
)
from snippet_cells import SnippetLibrary

CONFIG = MdParserConfig(
    enable_extensions={"colon_fence", "deflist", "dollarmath"},
)
CELL = "```{code-cell} python\n:snippet: m#data\n```\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> SnippetLibrary:
    root = tmp_path_factory.mktemp("project")
    (root / "snippets").mkdir()
    (root / "snippets/m.py").write_text(
        "from snippets import raises\n\n# %% data\nx = 1\n\ny = 2\n\n"
        '# %% broken\nwith raises(pkg.Oops, "no"):\n    f()\n'
    )
    return SnippetLibrary(root)


def sources(chapter: Chapter) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in chapter.notebook.cells]


def asked(chapter: Chapter) -> list[tuple[str, int, int]]:
    """Text, line and number of cells before it, of each value asked for."""
    return [(item.text, item.line, item.after) for item in chapter.evaluations]


def test_a_cell_is_filled_with_its_snippet(library: SnippetLibrary) -> None:
    chapter = read_chapter(f"# Title\n\n{CELL}\nEnd.\n", library, CONFIG)
    assert chapter.problems == []
    assert sources(chapter) == [
        ("markdown", "# Title"),
        ("code", "x = 1\n\ny = 2"),
        ("markdown", "End."),
    ]
    [cell] = chapter.code_cells()
    assert cell.metadata == {"line": 3, "where": "m#data"}
    assert chapter.modules == [library.folder / "m.py"]


def test_a_cell_broken_on_purpose_says_what_it_must_raise(
    library: SnippetLibrary,
) -> None:
    text = CELL.replace("data\n", "broken\n:tags: [hide-output]\n")
    [cell] = read_chapter(text, library, CONFIG).code_cells()
    assert cell.source == "f()"
    assert cell.metadata.raises == ["pkg.Oops", "no"]
    assert cell.metadata.tags == ["hide-output", "raises-exception"]


def test_a_module_is_noted_once_and_even_when_it_is_missing(
    library: SnippetLibrary,
) -> None:
    text = CELL * 2 + CELL.replace("m#", "missing#")
    chapter = read_chapter(text, library, CONFIG)
    names = [module.name for module in chapter.modules]
    assert names == ["m.py", "missing.py"]


def only_problem(text: str, library: SnippetLibrary) -> tuple[int, str, str]:
    chapter = read_chapter(text, library, CONFIG)
    [problem] = chapter.problems
    return problem.line, problem.message, problem.category


@pytest.mark.parametrize(
    ("option", "line", "message"),
    [
        (":snippet: m#dta", 3, "no cell 'dta' in snippets/m.py; did you mean 'data'?"),
        (":snippet:", 3, "a code cell draws its code from a snippet module; write"),
        (":tags: [a]", 3, "a code cell draws its code from a snippet module; write"),
        (":snippet: m#data\n\nz = 3", 3, "the cell has a body beside ':snippet: m#da"),
        (":snippet: m#data\n:tags: hide-input", 5, "'hide-input' is not of type 'arr"),
        ("---\na: [\n---", 5, "Code cell 1 at line 3 could not be read"),
    ],
)
def test_a_wrong_cell_is_a_problem_with_a_line(
    library: SnippetLibrary, option: str, line: int, message: str
) -> None:
    text = "# Title\n\n" + CELL.replace(":snippet: m#data", option)
    found, said, category = only_problem(text, library)
    assert said.startswith(message)
    assert (found, category) == (line, "snippets.cell")


# Trap 1: what ``:load:`` draws goes stale, so it is refused.
def test_load_is_refused(library: SnippetLibrary) -> None:
    text = "# Title\n\n" + CELL.replace(":snippet: m#data", ":load: m.py")
    line, said, _ = only_problem(text, library)
    assert line == 4
    assert said.endswith("write ':snippet: module#cell' instead")


def test_a_problem_of_one_cell_leaves_the_others(library: SnippetLibrary) -> None:
    wrong = CELL.replace("data", "dta")
    chapter = read_chapter(f"{wrong}\n{CELL}\n{wrong}", library, CONFIG)
    assert [problem.line for problem in chapter.problems] == [1, 9]
    assert [cell.source for cell in chapter.code_cells()] == ["", "x = 1\n\ny = 2", ""]


@pytest.mark.parametrize("text", ["", "\n\n", "   \n"])
def test_an_empty_file_is_a_chapter_without_cells(
    library: SnippetLibrary, text: str
) -> None:
    chapter = read_chapter(text, library, CONFIG)
    assert chapter.problems == chapter.evaluations == chapter.code_cells() == []


def test_a_file_with_only_a_heading(library: SnippetLibrary) -> None:
    chapter = read_chapter("# Title", library, CONFIG)
    assert sources(chapter) == [("markdown", "# Title")]
    assert chapter.problems == []


def test_line_ends_of_windows_change_nothing(library: SnippetLibrary) -> None:
    text = f"# T {{eval}}`x`\n\n:::{{note}}\n{{eval}}`y`\n:::\n\n{CELL}\n{{eval}}`z`\n"
    unix = read_chapter(text, library, CONFIG)
    windows = read_chapter(text.replace("\n", "\r\n"), library, CONFIG)
    assert sources(unix) == sources(windows)
    assert unix.evaluations == windows.evaluations
    assert unix.problems == windows.problems == []
    assert unix.code_cells()[0].metadata == windows.code_cells()[0].metadata


def test_values_are_asked_for_in_every_kind_of_text(library: SnippetLibrary) -> None:
    text = f"""\
---
title: front matter
---
# Title {{eval}}`zero`

{CELL}
Text {{eval}}`a` and {{eval}}`b:.2f`.

$$
x = {{eval}}`c`
$$

```{{math}}
:label: eq-x
x = {{eval}}`d`
```

{CELL}

:::{{note}}
- in a list: {{eval}}`e`

  ````{{admonition}} Title with {{eval}}`f`
  | {{eval}}`g` |
  ````
:::
"""
    chapter = read_chapter(text, library, CONFIG)
    assert chapter.problems == []
    lines = text.split("\n")
    for name, line, _ in asked(chapter):
        assert f"{{eval}}`{name}`" in lines[line - 1]
    assert [(name, after) for name, _, after in asked(chapter)] == [
        ("zero", 0),
        *[(name, 1) for name in ("a", "b:.2f", "c", "d")],
        *[(name, 2) for name in ("e", "f", "g")],
    ]


BLOCKS = st.sampled_from(
    [
        CELL,
        "Text with {eval}`x`,\non two lines {eval}`y:.2f`.\n",
        "{eval}`first` in its line.\n",
        "# Heading\n",
        "(label)=\n",
        "% a comment\n",
        "+++\n",
        "+++ {}\n",
        ":::{note}\n{eval}`inside`\n:::\n",
        "```python\ncode\n```\n",
        "$$\nx = {eval}`maths`\n$$\n",
        "- item {eval}`item`\n\n  more {eval}`more`\n",
        "> {eval}`quoted`\n",
    ]
)


@settings(deadline=None)
@given(st.lists(st.tuples(BLOCKS, st.integers(1, 3)), max_size=7))
def test_the_lines_of_any_chapter_are_those_of_the_author(
    library: SnippetLibrary, blocks: list[tuple[str, int]]
) -> None:
    text = "".join(block + "\n" * blank for block, blank in blocks)
    chapter = read_chapter(text, library, CONFIG)
    expected = []
    cells = []
    for number, line in enumerate(text.split("\n"), 1):
        if "{code-cell}" in line:
            cells.append(number)
        expected += [
            (part.partition("`")[0], number, len(cells))
            for part in line.split("{eval}`")[1:]
        ]
    assert chapter.problems == []
    assert asked(chapter) == expected
    assert [cell.metadata.line for cell in chapter.code_cells()] == cells


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ""),
        ("x +", ""),
        ("x!r", "one expression, without '!r' or '='"),
        ("x=", "one expression, without '!r' or '='"),
        ("x:{width}", "one expression, without '!r' or '='"),
        ("x} and {y", "one expression, without '!r' or '='"),
        ("max(x,\n  y)", "spread over two lines"),
    ],
)
def test_what_is_no_expression_is_a_problem_with_a_line(
    library: SnippetLibrary, text: str, reason: str
) -> None:
    chapter = f"{CELL}\nFirst\nsecond {{eval}}`{text}`.\n"
    line, said, category = only_problem(chapter, library)
    assert (line, category) == (6, "snippets.eval")
    assert said.startswith(f"{{eval}}`{text}` is not 'expression' or 'expression:f")
    assert reason in said


EXPRESSIONS = st.sampled_from(
    [
        *("x", "x, y", "[x][0:1][0]", "{1: x}.get(1)", "'a:b'", '"it\'s"', "d['k']"),
        *("(lambda: x)()", "x if x else y", "x == y", "x <= y", "x != y", "-x", " x "),
        *("f'{x:.2f}'", "sum(i for i in (x, y))", "'}'", "'!r'"),
    ]
)
SPECS = st.sampled_from(["", ".2f", ">10", ",", "+.3e", "%", "06.1f", "é^9", " ", "x"])
NAMES = {"x": 23, "y": 4.5, "d": {"k": -2}}


@settings(deadline=None)
@given(EXPRESSIONS, SPECS)
def test_a_format_is_split_off_as_in_an_f_string(expression: str, spec: str) -> None:
    text = f"{expression}:{spec}" if spec else expression
    assume("{" not in expression.strip()[:1])  # a doubled brace in an f-string, too
    try:
        expected = eval(f"f'''{{{text}}}'''", NAMES)
    except (SyntaxError, ValueError, TypeError) as error:
        expected = type(error)
    try:
        code, found = split_format(text)
        result = format(eval(code, NAMES), found)
    except (SyntaxError, ValueError, TypeError) as error:
        result = type(error)
    assert result == expected


def test_an_expression_with_colons_keeps_them() -> None:
    assert split_format("d['a:b'][1:2]") == ("d['a:b'][1:2]", "")
    assert split_format("when:%H:%M") == ("when", "%H:%M")


def filled(
    text: str, values: dict[tuple[int, str], str], library: SnippetLibrary
) -> list[str]:
    chapter = read_chapter(text, library, CONFIG)
    fill_values(chapter, values)
    return [
        cell.source for cell in chapter.notebook.cells if cell.cell_type == "markdown"
    ]


def test_each_place_shows_the_value_after_its_own_cells(
    library: SnippetLibrary,
) -> None:
    text = f"{CELL}\nIt is {{eval}}`x`.\n\n{CELL}\nNow {{eval}}`x`, $a = {{eval}}`x`$."
    assert filled(text, {(1, "x"): "1", (2, "x"): "2"}, library) == [
        "It is 1.",
        "Now 2, $a = 2$.",
    ]


def test_a_value_that_is_not_known_shows_its_expression(
    library: SnippetLibrary,
) -> None:
    text = f"{CELL}\n{{eval}}`x` {{eval}}`x:.2f`\n"
    assert filled(text, {(1, "x:.2f"): "5", (2, "x"): "6"}, library) == ["x 5"]


def test_a_value_is_put_in_as_it_stands(library: SnippetLibrary) -> None:
    value = r"\1 {eval}`x` \g<0>"
    assert filled(f"{CELL}\n{{eval}}`x`", {(1, "x"): value}, library) == [value]


def test_code_cells_are_left_alone(library: SnippetLibrary, tmp_path: Path) -> None:
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets/m.py").write_text('# %% data\nx = "{eval}`x`"\n')
    chapter = read_chapter(CELL, SnippetLibrary(tmp_path), CONFIG)
    assert chapter.evaluations == []
    fill_values(chapter, {(1, "x"): "5"})
    assert chapter.code_cells()[0].source == 'x = "{eval}`x`"'


def test_an_evaluation_holds_what_the_kernel_needs(library: SnippetLibrary) -> None:
    chapter = read_chapter(f"{CELL}\n{{eval}}` x+1 :.1f`", library, CONFIG)
    assert chapter.evaluations == [Evaluation(" x+1 :.1f", "x + 1", ".1f", 5, 1)]
    ast.parse(chapter.evaluations[0].expression, mode="eval")
