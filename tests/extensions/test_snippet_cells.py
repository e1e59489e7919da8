"""Cells of a snippet module: names, sources, lines, imports and digests."""

import ast
import keyword
import shutil
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snippet_cells import Cell, Expected, SnippetError, SnippetLibrary, parse_cells

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
IDENTIFIERS = st.from_regex(r"[a-z]{1,3}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name)
)
STATEMENTS = st.one_of(
    st.builds("{} = {!r}".format, IDENTIFIERS, st.text(max_size=5)),
    st.builds("{} = {!r}".format, IDENTIFIERS, st.floats(allow_nan=False)),
    st.builds("def {}(x):\n    # why\n\n    return x".format, IDENTIFIERS),
    st.builds("# a comment about {}".format, IDENTIFIERS),
    # Characters at which str.splitlines cuts, and Python does not.
    st.builds('{} = "a{}b"'.format, IDENTIFIERS, st.sampled_from("\x0b\x0c\x85\u2028")),
    st.just('text = """two\n\n  lines"""'),
)
SOURCES = st.lists(STATEMENTS, min_size=1, max_size=3).map("\n\n".join)
CELLS = st.dictionaries(NAMES, SOURCES, max_size=5)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def parse(text: str) -> dict[str, Cell]:
    return parse_cells(textwrap.dedent(text), "snippets/m.py")


def said(text: str) -> str:
    """The message for a module with a mistake."""
    with pytest.raises(SnippetError) as raised:
        parse(text)
    return str(raised.value)


@settings(deadline=None)
@given(CELLS, st.integers(0, 3), LINE_ENDS)
def test_any_cells_come_back_from_the_file_they_are_written_to(
    sources: dict[str, str], blank: int, end: str
) -> None:
    gap = "\n" * (blank + 1)
    text = f'"""Never drawn."""{gap}' + "".join(
        f"# %% {name}\n{gap[1:]}{source}{gap}" for name, source in sources.items()
    )
    cells = parse_cells(text.replace("\n", end))
    assert {name: cell.source for name, cell in cells.items()} == sources
    assert list(cells) == list(sources)
    lines = text.split("\n")
    for name, cell in cells.items():
        assert cell.name == name
        assert lines[cell.line - 1] == f"# %% {name}"
        assert cell.raises is None


def test_what_stands_before_the_first_cell_is_never_drawn() -> None:
    assert parse('"""Docstring."""\nimport torch\n') == {}


@pytest.mark.parametrize(
    "marker",
    [
        *("# %%", "# %%data", "# %%  data", "# %%\tdata", "# %% data ", "# %% [data]"),
        *("# %% Data", "# %% 1data", "# %% data_set", "# %% data set", "# %% größe"),
    ],
)
def test_a_malformed_marker_is_named_with_its_line(marker: str) -> None:
    message = said(f"x = 1\n{marker}\nx = 2\n")
    assert message.startswith("snippets/m.py:2: a cell marker is '# %% name'")
    assert message.endswith(f"found {marker!r}")


@pytest.mark.parametrize("comment", ["#%% data", "    # %% data", "## %% data"])
def test_what_does_not_begin_like_a_marker_is_a_comment(comment: str) -> None:
    text = f"# %% a\nif True:\n{comment}\n    x = 1\n"
    assert list(parse_cells(text)) == ["a"]


def test_blank_lines_and_blanks_around_a_cell_are_not_drawn() -> None:
    cells = parse("# %% a\n\n\nx = 1  \n   \n\n# %% b\ny = 2\n\t\n")
    assert [cell.source for cell in cells.values()] == ["x = 1", "y = 2"]


def test_a_duplicate_name_tells_both_lines() -> None:
    assert said("# %% a\nx = 1\n\n# %% b\ny = 1\n# %% a\nz = 1\n") == (
        "snippets/m.py:6: duplicate cell 'a' (first in line 1); give it another name"
    )


@pytest.mark.parametrize("empty", ["", "\n", "   \n\n", "\t\n"])
def test_an_empty_cell_is_a_mistake(empty: str) -> None:
    text = f"# %% a\nx = 1\n# %% b\n{empty}# %% c\nz = 1\n"
    assert said(text) == "snippets/m.py:3: cell 'b' is empty"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# %% a\nx = (\n", "2: '(' was never closed"),
        ("# %% a\n\nx = 1 +\n", "3: invalid syntax"),
        ("x = '\0'\n", "1: source code string cannot contain null bytes"),
    ],
)
def test_invalid_python_is_named_with_its_line(text: str, message: str) -> None:
    assert said(text) == f"snippets/m.py:{message}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("# %% a\ndef f():\n    x = 1\n# %% b\n    return x\n", "4: cell 'b'"),
        ('# %% a\nx = """\n# %% b\n"""\n', "1: cell 'a'"),
        ("# %% a\nx = [\n    1,\n# %% b\n    2,\n]\n", "1: cell 'a'"),
    ],
)
def test_a_marker_inside_a_statement_is_a_mistake(text: str, place: str) -> None:
    message = said(text)
    assert message.startswith(f"snippets/m.py:{place} is not complete statements; put")


def only(text: str) -> Cell:
    [cell] = parse("# %% broken\n" + textwrap.dedent(text)).values()
    return cell


def test_a_cell_broken_on_purpose_is_drawn_as_its_body() -> None:
    cell = only('with raises(RuntimeError, "twice"):\n    loss.backward()\n')
    assert cell.source == "loss.backward()"
    assert cell.raises == Expected("RuntimeError", "twice")


def test_a_header_over_several_lines_is_left_out_whole() -> None:
    cell = only("""\
        with raises(
            torch.cuda.OutOfMemoryError,
            "a long message, "
            "in two parts",
        ):
            first()
            second()
        """)
    assert cell.source == "first()\nsecond()"
    assert cell.raises == Expected(
        "torch.cuda.OutOfMemoryError", "a long message, in two parts"
    )


def test_comments_around_and_inside_the_body_stay() -> None:
    cell = only("""\
        # Why it fails.
        with raises(TypeError, "no"):
            # At the start.

            f()  # beside
            # At the end.
        """)
    assert cell.source == (
        "# Why it fails.\n# At the start.\n\nf()  # beside\n# At the end."
    )


def test_inner_indentation_stays() -> None:
    cell = only("""\
        with raises(TypeError, "no"):
            for w in ws:
                if w:
                    f(w)

            g()
        """)
    assert cell.source == "for w in ws:\n    if w:\n        f(w)\n\ng()"


@pytest.mark.parametrize(
    "text",
    [
        'with raises(TypeError, "no"):\n    f()\nx = 1',
        'x = 1\nwith raises(TypeError, "no"):\n    f()',
        "with raises(TypeError, message):\n    f()",
        "with raises(TypeError):\n    f()",
        'with pytest.raises(TypeError, "no"):\n    f()',
        'with raises(TypeError, "no"), torch.no_grad():\n    f()',
        "with torch.no_grad():\n    f()",
    ],
)
def test_what_is_not_one_raises_statement_is_drawn_as_it_stands(text: str) -> None:
    cell = only(text)
    assert cell.source == text
    assert cell.raises is None


@pytest.mark.parametrize(
    "text",
    [
        'with raises(TypeError, "no"): f()',
        'with (\n    raises(TypeError, "no")\n):\n    f()',
        'with raises(TypeError, "no"):\n    f()\n# not indented',
        # Indenting it less would change the text of the string.
        'with raises(TypeError, "no"):\n    f("""\n        indented""")',
    ],
)
def test_a_body_that_cannot_be_cut_out_unchanged_is_a_mistake(text: str) -> None:
    assert said(f"# %% a\n{text}\n").startswith(
        "snippets/m.py:1: cell 'a': the body of 'with raises(...):' stands on lines"
    )


@settings(deadline=None)
@given(st.lists(STATEMENTS.filter(lambda s: '"""' not in s), min_size=1).map("\n".join))
def test_any_body_is_drawn_as_the_code_that_was_tested(body: str) -> None:
    body += "\npass"  # a block of comments alone is not Python
    text = 'with raises(ValueError, "no"):\n' + "\n".join(
        f"    {line}" if line else "" for line in body.split("\n")
    )
    cell = only(text)
    assert cell.source == body
    assert ast.dump(ast.parse(cell.source)) == ast.dump(ast.parse(body))


@pytest.fixture
def library(tmp_path: Path) -> SnippetLibrary:
    """A project with two modules of cells."""
    write(tmp_path, "snippets/__init__.py", "")
    write(tmp_path, "snippets/linear.py", "# %% data\nx = 1\n\n# %% loss\ny = 2\n")
    write(tmp_path, "snippets/logistic.py", "# %% data\nx = 3\n")
    return SnippetLibrary(tmp_path)


def write(root: Path, path: str, text: str = "") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_reference_finds_its_cell(library: SnippetLibrary) -> None:
    assert library.cell("linear#loss").source == "y = 2"
    assert library.cell("logistic#data").source == "x = 3"


def test_a_dotted_reference_leads_into_a_folder(library: SnippetLibrary) -> None:
    write(library.root, "snippets/part/one.py", "# %% deep\nz = 1\n")
    assert library.cell("part.one#deep").source == "z = 1"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "linear#los",
            "no cell 'los' in snippets/linear.py; did you mean 'loss'? "
            "(cells: data, loss)",
        ),
        ("linear#zzz", "no cell 'zzz' in snippets/linear.py (cells: data, loss)"),
        (
            "linaer#data",
            "no module snippets/linaer.py; did you mean 'linear'? "
            "(modules: linear, logistic)",
        ),
        ("zzz#data", "no module snippets/zzz.py (modules: linear, logistic)"),
        ("linear", "':snippet: linear' is not 'module#cell'"),
        ("linear#", "':snippet: linear#' is not 'module#cell'"),
        ("#data", "':snippet: #data' is not 'module#cell'"),
        ("linear#a#b", "':snippet: linear#a#b' is not 'module#cell'"),
        ("../linear#data", "':snippet: ../linear#data' is not 'module#cell'"),
    ],
)
def test_a_wrong_reference_tells_the_nearest_right_one(
    library: SnippetLibrary, reference: str, message: str
) -> None:
    with pytest.raises(SnippetError) as raised:
        library.cell(reference)
    assert str(raised.value) == message


def test_a_module_that_is_not_utf8_is_a_mistake(library: SnippetLibrary) -> None:
    (library.folder / "linear.py").write_bytes(b"# \xfc\n# %% data\nx = 1\n")
    with pytest.raises(SnippetError, match=r"snippets/linear\.py: not UTF-8 .*byte 2"):
        library.cell("linear#data")


def reached(library: SnippetLibrary, text: str) -> set[str]:
    """The files that a module with this text depends on, besides itself."""
    module = write(library.root, "snippets/m.py", text)
    found = library.dependencies([module])
    assert found == sorted(set(found))
    return {file.relative_to(library.root).as_posix() for file in found} - {
        "snippets/m.py"
    }


# Trap 1: a page depends on every project module that its cells import.
@pytest.mark.parametrize(
    ("statement", "files"),
    [
        ("import torch, math", set()),
        ("import snippets.a", {"a"}),
        ("import snippets.a as other", {"a"}),
        ("from snippets import a", {"a"}),
        ("from snippets.a import name", {"a"}),
        ("from snippets.a import *", {"a"}),
        ("from . import a", {"a"}),
        ("from .a import name", {"a"}),
        ("from snippets import a, b", {"a", "b"}),
        ("def f():\n    from snippets import a", {"a"}),
        ("from snippets import sub", {"sub/__init__"}),
        ("from snippets.sub import leaf", {"sub/__init__", "sub/leaf"}),
        ("import snippets.sub.leaf", {"sub/__init__", "sub/leaf"}),
        # ``up`` imports its parent's module ``a`` by two dots.
        ("import snippets.sub.up", {"sub/__init__", "sub/up", "a"}),
        ("from snippets import chain", {"chain", "a"}),
        ("from snippets import circle", {"circle", "round"}),
        ("from snippets import broken", {"broken"}),
        ("from snippets import missing", set()),
    ],
)
def test_imports_lead_to_the_files_of_the_project(
    library: SnippetLibrary, statement: str, files: set[str]
) -> None:
    for path, text in {
        "a": "",
        "b": "",
        "sub/__init__": "",
        "sub/leaf": "",
        "sub/up": "from ..a import name",
        "chain": "from snippets.a import name",
        "circle": "import snippets.round",
        "round": "import snippets.circle",
        "broken": "def (",
    }.items():
        write(library.root, f"snippets/{path}.py", text)
    expected = {f"snippets/{file}.py" for file in files}
    if "torch" not in statement:
        expected.add("snippets/__init__.py")  # every import of a part runs it
    assert reached(library, statement) == expected


def test_modules_beside_the_package_count_too(library: SnippetLibrary) -> None:
    write(library.root, "plotting.py")
    assert reached(library, "import plotting") == {"plotting.py"}


def test_a_file_that_does_not_exist_has_no_dependencies(
    library: SnippetLibrary,
) -> None:
    assert library.dependencies([library.folder / "nothing.py"]) == []


def all_files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.py"))


# Trap 2: the key of a run holds the code, and no place.
def test_the_digest_does_not_depend_on_where_the_project_is(
    library: SnippetLibrary, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("elsewhere") / "deeper" / "project"
    shutil.copytree(library.root, copy)
    before = library.digest(all_files(library.root))
    assert SnippetLibrary(copy).digest(all_files(copy)) == before
    assert library.digest(reversed(all_files(library.root))) == before


@settings(deadline=None)
@given(st.data())
def test_the_digest_depends_on_every_byte_of_every_file(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    library = SnippetLibrary(tmp_path_factory.mktemp("project"))
    contents = data.draw(st.lists(st.binary(min_size=1), min_size=1, max_size=3))
    files = [write(library.root, f"snippets/m{i}.py") for i in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    before = library.digest(files)
    changed = data.draw(st.sampled_from(files))
    content = bytearray(changed.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    changed.write_bytes(content)
    assert library.digest(files) != before


def test_the_digest_depends_on_the_files_names_and_number(
    library: SnippetLibrary,
) -> None:
    files = all_files(library.root)
    digests = {library.digest(files), library.digest(files[:-1]), library.digest([])}
    files[-1] = files[-1].rename(library.folder / "renamed.py")
    digests.add(library.digest(files))
    assert len(digests) == 4
