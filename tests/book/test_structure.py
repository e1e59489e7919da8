"""What must hold of the sources: rooms, names, cells, and the parts of a chapter."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

from probes import ProbeSource, read_probes
from tests.cells import LIBRARY, ROOT

BOOK = ROOT / "book"
INDEX = (BOOK / "index.md").read_text(encoding="utf-8")
CHAPTERS = INDEX.partition(":numbered:")[2].partition("```")[0].split()[2:]
DRAWN = re.compile(r"^(?::snippet:|:::\{figure\}) (\w+#\S+)$", re.M)
MISCONCEPTION = re.compile(r":name: (misconception-[\w-]+)")


def module(slug: str) -> str:
    return slug.replace("-", "_")


def chapter(slug: str) -> str:
    return (BOOK / f"{slug}.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """The text of a second-level section."""
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert match, f"no section {title!r}"
    return match[1]


def test_the_contents_name_the_eight_chapters() -> None:
    assert CHAPTERS == [
        "getting-started",
        "tensors",
        "computation-graphs",
        "linear-regression",
        "logistic-regression",
        "cross-entropy",
        "linear-layers",
        "stochastic-gradient-descent",
    ]


def test_chapter_snippets_and_test_share_a_name() -> None:
    """A module of `snippets` belongs to a chapter; support for them is a package."""
    modules = {module(slug) for slug in CHAPTERS}
    found = {path.stem for path in (ROOT / "snippets").glob("*.py")} - {"__init__"}
    support = {path.parent.name for path in (ROOT / "snippets").glob("*/__init__.py")}
    folder = ROOT / "tests" / "snippets"
    tests = {path.stem for path in folder.glob("test_*.py")}
    # Tests of a large package are a package of its name.
    tests |= {f"test_{path.parent.name}" for path in folder.glob("*/__init__.py")}
    assert found == modules
    assert tests == {f"test_{name}" for name in modules | support}


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_snippet_module_can_be_imported(slug: str) -> None:
    """This runs all its cells, and checks what its broken ones promise."""
    assert importlib.import_module(f"snippets.{module(slug)}").__doc__


@pytest.mark.parametrize("slug", CHAPTERS)
def test_every_cell_is_drawn_once_in_file_order(slug: str) -> None:
    cells = list(LIBRARY.cells(module(slug)))
    drawn = DRAWN.findall(chapter(slug))
    assert all(reference.startswith(f"{module(slug)}#") for reference in drawn)
    names = [reference.partition("#")[2] for reference in drawn]
    assert names == [name for name in cells if not name.startswith("check-")]


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_chapter_begins_with_its_label_and_objectives(slug: str) -> None:
    lines = chapter(slug).splitlines()
    assert lines[0] == f"({slug})="
    assert lines[1].startswith("# ")
    assert ":::{admonition} What you will be able to do\n:class: objectives" in (
        "\n".join(lines[2:6])
    )


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_chapter_has_what_the_curriculum_asks_for(slug: str) -> None:
    text = chapter(slug)
    levels = re.findall(r"^:::\{exercise\} (\w+): ", text, re.M)
    assert len(levels) >= 5
    assert set(levels) >= {"Recall", "Derive", "Build"}
    assert ":class: predict" in text
    assert section(text, "Summary").strip()
    assert any(cell.raises for cell in LIBRARY.cells(module(slug)).values())


@pytest.mark.parametrize("slug", CHAPTERS)
def test_the_misconceptions_are_listed_at_the_end(slug: str) -> None:
    text = chapter(slug)
    met = MISCONCEPTION.findall(text)
    listed = re.findall(
        r"\(#(misconception-[\w-]+)\)", section(text, "Misconceptions met here")
    )
    assert met
    assert sorted(listed) == sorted(met)
    assert all(name.startswith(f"misconception-{slug}-") for name in met)


@pytest.mark.parametrize("slug", CHAPTERS)
def test_cells_outside_answers_do_not_need_an_answer(slug: str) -> None:
    """Run the cells without those in answers: no name may be missing."""
    namespace: dict[str, object] = {"__name__": slug}
    cells = LIBRARY.cells(module(slug))
    inside = False
    for line in chapter(slug).splitlines():
        if line.startswith(":::{solution-start}"):
            inside = True
        elif line.startswith(":::{solution-end}"):
            inside = False
        elif (match := DRAWN.match(line)) and not inside:
            cell = cells[match[1].partition("#")[2]]
            try:
                exec(compile(cell.source, match[1], "exec"), namespace)
            except Exception as error:
                if cell.raises is None or cell.raises.message not in str(error):
                    raise


def test_the_map_has_every_row_of_the_sheet_with_a_link() -> None:
    rows = re.findall(
        r"^\| (T\d\d) \| .+ \| .*\]\(#.+\) \|$", chapter("tutorial-map"), re.M
    )
    assert rows == [f"T{number:02}" for number in range(1, 27)]


def probes() -> dict[str, ProbeSource]:
    found, mistakes = read_probes(LIBRARY)
    assert mistakes == []
    return found


@pytest.mark.parametrize("slug", CHAPTERS)
def test_each_misconception_of_a_chapter_has_a_probe(slug: str) -> None:
    met = [name.removeprefix("misconception-") for name in named(slug)]
    assert sorted(met) == sorted(
        name for name, probe in probes().items() if probe.path.stem == module(slug)
    )


def named(slug: str) -> list[str]:
    return MISCONCEPTION.findall(chapter(slug))


def test_the_appendix_lists_every_chapter_in_the_order_of_the_book() -> None:
    text = chapter("misconceptions")
    assert re.findall(r"^```\{misconceptions\} (.+)$", text, re.M) == CHAPTERS
    titles = [re.search(r"^# (.+)$", chapter(slug), re.M)[1] for slug in CHAPTERS]
    assert re.findall(r"^## (.+)$", text, re.M) == titles


def test_every_broken_cell_is_explained_once() -> None:
    entries = re.findall(
        r"^```\{error-message\} (.+)\n(?!:printed:)", chapter("error-messages"), re.M
    )
    explained = " ".join(entries).split()
    broken = [
        f"{module(slug)}#{name}"
        for slug in CHAPTERS
        for name, cell in LIBRARY.cells(module(slug)).items()
        if cell.raises and not name.startswith("check-")
    ]
    assert sorted(explained) == sorted(broken)


def test_every_glossary_term_is_used_in_a_chapter() -> None:
    text = "\n".join(chapter(slug) for slug in CHAPTERS)
    used = {
        (found[2] or found[1]).strip().lower()
        for found in re.finditer(r"\{term\}`([^`<]+?)\s*(?:<([^>]+)>)?`", text)
    }
    glossary = chapter("glossary").partition(":::{glossary}")[2]
    terms = {
        line.lower() for line in glossary.splitlines() if re.match(r"[^\s:]", line)
    }
    assert terms - used == set()


def test_the_versions_are_pinned_and_name_no_registry() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "nvidia" not in text
    pinned = set(re.findall(r"^([\w.-]+)==", text, re.M))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for group in project["dependency-groups"].values():
        assert {requirement.partition("==")[0] for requirement in group} <= pinned


def test_snippets_know_nothing_of_sphinx() -> None:
    for path in Path(ROOT, "snippets").rglob("*.py"):
        imported = re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.M)
        outside = set(imported) - sys.stdlib_module_names
        allowed = {"snippets", "torch", "numpy"}
        if path.parent.name == "figures":
            allowed |= {"matplotlib", "pygraphviz"}
        assert outside <= allowed, path.name


def bound_names(source: str) -> set[str]:
    """The names that a cell gives a value to."""
    tree = ast.parse(source)
    inner = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
    }
    names = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and node not in inner
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
    return names - {"_"}


@pytest.mark.parametrize("slug", CHAPTERS)
def test_the_cell_of_a_figure_changes_nothing_for_the_cells_of_the_text(
    slug: str,
) -> None:
    """A reader does not see it run."""
    cells = LIBRARY.cells(module(slug))
    shown = [cell for name, cell in cells.items() if not name.startswith("figure-")]
    names = set().union(*(bound_names(cell.source) for cell in shown))
    for name, cell in cells.items():
        if name.startswith("figure-"):
            assert bound_names(cell.source) & names == set(), name


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_cell_is_a_figure_exactly_if_its_name_says_so(slug: str) -> None:
    figures = re.findall(r"^:::\{figure\} \w+#(\S+)$", chapter(slug), re.M)
    cells = LIBRARY.cells(module(slug))
    assert figures == [name for name in cells if name.startswith("figure-")]
