"""Running chapters: one clean kernel each, and outcomes that are kept only when true.

The numbers of traps are those of the design: what MyST-NB does otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import execution
from chapter_notebook import Chapter, read_chapter
from execution import Outcome, Settings, cache_key, run_chapters
from snippet_cells import SnippetLibrary
from tests.tiny_book import CONFIG, SNIPPET, SNIPPETS, TinyBook

# Each chapter's cells; a line that begins with "?" asks for a value after the cell.
CHAPTERS = {
    "state": """
        # %% one
        x = 1
        x
        ? x
        ? x + 0.5:.2f

        # %% two
        x = x + 1
        print("x", x)
        ? x

        # %% three
        print("x", x, sorted(name for name in globals() if "prose" in name))
        for number in range(30):
            print(number, flush=True)

        # %% broken
        with raises(ZeroDivisionError, "by zero"):
            1 / 0
        """,
    "apart": """
        # %% one
        import asyncio, os, sys
        print("x" in globals())
        print("startup", [name for name in globals() if name.startswith("FROM_")])
        print("junk", "junk" in sys.modules, "junk_folder" in str(sys.path))
        print("switches", sys.flags.optimize, sys.flags.hash_randomization)
        print("threads", os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"])
        print("files", [name for name in os.listdir() if name == "snippets"])
        """,
    "lesson": """
        # %% one
        import torch
        from snippets import helper
        print("threads", torch.get_num_threads(), helper.UNIT)

        # %% order
        print({"leaf", "root", "edge", "node"}, hash("leaf"))

        # %% sum
        generator = torch.manual_seed(0)
        torch.randn(200_000).sum().item()
        ? torch.rand(1000).sum().item():.17g

        # %% broken-torch
        with raises(RuntimeError, "does not require grad"):
            torch.ones(()).backward()

        # %% broken-helper
        with raises(ValueError, "from the helper"):
            helper.fail()
        """,
    "failing": """
        # %% one
        def half(x):
            return x.half_of_it

        # %% two
        y = 0
        half(y)
        ? y

        # %% three
        print("not reached")
        """,
    "noisy": """
        # %% one
        import sys
        print("careful", file=sys.stderr)

        # %% two
        print("reached")
        """,
    "values": """
        # %% one
        x = "a\\nb"
        ? x
        ? object()
        ? missing
        ? 1 / 0
        ? -2.5
        """,
}
HELPER = """\
UNIT = 1


def fail():
    raise ValueError("from the helper")
"""


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text), encoding="utf-8")


def make_project(root: Path, chapters: dict[str, str] = CHAPTERS) -> None:
    """Write a snippet module for each chapter."""
    write(root, "snippets/__init__.py", SNIPPETS)
    write(root, "snippets/helper.py", HELPER)
    for name, text in chapters.items():
        lines = textwrap.dedent(text).splitlines()
        code = "\n".join(line for line in lines if not line.startswith("? "))
        write(root, f"snippets/{name}.py", f"from snippets import raises\n\n{code}\n")


def read(root: Path, name: str, text: str = "") -> tuple[Chapter, str]:
    """A chapter that shows the cells of one module, and the digest of its code."""
    parts = []
    for line in textwrap.dedent(text or CHAPTERS[name]).splitlines():
        if line.startswith("# %% "):
            reference = f"{name}#{line.removeprefix('# %% ')}"
            parts.append(f"```{{code-cell}} python\n:snippet: {reference}\n```\n")
        elif line.startswith("? "):
            parts.append(f"It is {{eval}}`{line.removeprefix('? ')}`.\n")
    library = SnippetLibrary(root)
    chapter = read_chapter("\n".join(parts), library)
    assert chapter.problems == []
    return chapter, library.digest(library.dependencies(chapter.modules))


@dataclass
class Ran:
    """What running the chapters gave."""

    settings: Settings
    outcomes: dict[str, Outcome]
    progress: list[str]

    def text(self, name: str, cell: int) -> str:
        """What the cell of a chapter printed or displayed."""
        parts = []
        for output in self.outcomes[name].outputs[cell - 1]:
            parts.append(output.get("text") or output["data"]["text/plain"])
        return "".join(parts)

    def lines(self, name: str, cell: int) -> dict[str, str]:
        """The printed lines by their first word."""
        pairs = (line.partition(" ") for line in self.text(name, cell).splitlines())
        return {word: rest for word, _, rest in pairs}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """All chapters, run side by side by a user with a rich configuration."""
    root = tmp_path_factory.mktemp("project")
    user = tmp_path_factory.mktemp("user")
    make_project(root)
    write(user, "ipython/profile_default/startup/00-user.py", "FROM_IPYTHON = 1")
    write(user, "startup.py", "FROM_STARTUP = 1")
    write(user, "junk_folder/sitecustomize.py", "import junk")
    write(user, "junk_folder/junk.py", "")
    settings = Settings(root, root / "cells")
    progress: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(user / "ipython"))
        patch.setenv("PYTHONPATH", str(user / "junk_folder"))
        patch.setenv("PYTHONSTARTUP", str(user / "startup.py"))
        patch.setenv("PYTHONOPTIMIZE", "1")
        patch.setenv("PYTHONHASHSEED", "7")
        patch.setenv("OMP_NUM_THREADS", "4")
        chapters = {name: read(root, name) for name in CHAPTERS}
        outcomes = run_chapters(chapters, settings, progress.append)
    return Ran(settings, outcomes, progress)


class KernelStarted(Exception):
    """Somebody wanted a kernel."""


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every start of a kernel an exception."""

    def start(**settings: object) -> None:
        raise KernelStarted

    monkeypatch.setattr(execution, "AsyncKernelManager", start)


def test_state_carries_over_from_cell_to_cell(ran: Ran) -> None:
    assert ran.outcomes["state"].problems == []
    assert ran.text("state", 1) == "1"
    assert ran.text("state", 2) == "x 2\n"
    assert ran.lines("state", 3)["x"] == "2 []"  # and nothing of ours is in there


def test_a_value_is_the_one_after_its_own_cell(ran: Ran) -> None:
    assert ran.outcomes["state"].values == {
        (1, "x"): "1",
        (1, "x + 0.5:.2f"): "1.50",
        (2, "x"): "2",
    }


def test_values_do_not_count_as_cells(ran: Ran) -> None:
    [error] = ran.outcomes["state"].outputs[3]
    assert "Cell In[4], line 1" in error.traceback


def test_chapters_side_by_side_share_nothing(ran: Ran) -> None:
    assert ran.text("apart", 1).startswith("False\n")


def test_the_kernel_sees_nothing_of_the_users_configuration(ran: Ran) -> None:
    lines = ran.lines("apart", 1)
    assert lines["startup"] == "[]"
    assert lines["junk"] == "False False"
    assert lines["switches"].split()[0] == "0"  # assertions are on
    assert lines["files"] == "[]"  # nor does it write into the project


# Trap 8: the order of a sum depends on the number of threads.
def test_a_kernel_has_one_thread(ran: Ran) -> None:
    assert ran.lines("apart", 1)["threads"] == "1 1"
    assert ran.lines("lesson", 1)["threads"] == "1 1"


# Trap 8: how a text is cut into messages is a matter of time.
def test_what_a_cell_prints_is_one_output(ran: Ran) -> None:
    [output] = ran.outcomes["state"].outputs[2]
    assert output.text.count("\n") == 31


def test_a_failure_stops_its_chapter_alone(ran: Ran) -> None:
    outcome = ran.outcomes["failing"]
    [problem] = outcome.problems
    assert problem.line == 5
    assert problem.message == (
        "failing#two failed with AttributeError: 'int' object has no attribute "
        "'half_of_it' [line 2 of the cell]"
    )
    assert outcome.values == {}
    assert outcome.outputs[2] == []
    assert ran.outcomes["state"].problems == ran.outcomes["apart"].problems == []


# Trap 6: all failures are reported in one run.
def test_every_chapter_with_a_mistake_reports_it(ran: Ran) -> None:
    reported = {name for name, outcome in ran.outcomes.items() if outcome.problems}
    assert reported == {"failing", "noisy", "values"}


def test_noise_is_a_problem_that_stops_nothing(ran: Ran) -> None:
    [problem] = ran.outcomes["noisy"].problems
    assert problem.category == "execution.stderr"
    assert ran.text("noisy", 2) == "reached\n"


def test_each_value_that_fails_is_a_problem_in_its_line(ran: Ran) -> None:
    outcome = ran.outcomes["values"]
    found = [(problem.line, problem.message) for problem in outcome.problems]
    assert [line for line, _ in found] == [5, 7, 9, 11]
    assert found[0][1] == r"{eval}`x` failed: 'a\nb' is not a value for a sentence"
    assert "<object object at 0x" in found[1][1]
    assert found[2][1].startswith("{eval}`missing` failed: NameError: ")
    assert found[3][1] == "{eval}`1 / 0` failed: ZeroDivisionError: division by zero"
    assert outcome.values[1, "-2.5"] == "−2.5"


def test_the_progress_names_each_chapter(ran: Ran) -> None:
    assert len(ran.progress) == len(CHAPTERS)
    shown = " ".join(ran.progress)
    for number, name in enumerate(CHAPTERS, 1):
        assert f"[{number}/{len(CHAPTERS)}] " in shown
        assert f"] {name}: " in shown
    assert "failing: 3 cells, failed" in shown


@pytest.mark.usefixtures("no_kernel")
def test_a_second_run_starts_no_kernel(ran: Ran) -> None:
    names = ("state", "apart", "lesson")
    again = run_chapters(
        {name: read(ran.settings.root, name) for name in names}, ran.settings
    )
    assert again == {name: ran.outcomes[name] for name in names}


# Trap 3: what failed once is reported by every build until it is mended.
@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize("name", ["failing", "noisy", "values"])
def test_a_run_with_a_problem_is_not_kept(ran: Ran, name: str) -> None:
    assert not (ran.settings.cache / f"{name}.json").exists()
    with pytest.raises(KernelStarted):
        run_chapters({name: read(ran.settings.root, name)}, ran.settings)


# Traps 2 and 8: nothing of the machine, and nothing of chance, is kept.
def test_another_run_in_another_folder_keeps_the_same_bytes(
    ran: Ran, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "deeper" / "project"
    shutil.copytree(ran.settings.root / "snippets", elsewhere / "snippets")
    settings = Settings(elsewhere, tmp_path / "kept")
    run_chapters({"lesson": read(elsewhere, "lesson")}, settings)
    kept = (ran.settings.cache / "lesson.json").read_bytes()
    assert (tmp_path / "kept/lesson.json").read_bytes() == kept


# Trap 2: the cache holds no absolute path.
def test_no_path_of_the_machine_is_kept(ran: Ran) -> None:
    kept = (ran.settings.cache / "lesson.json").read_text()
    assert "File snippets/helper.py, in fail" in kept
    assert "File torch/_tensor.py, in Tensor.backward" in kept
    home = os.path.expanduser("~")
    for path in (ran.settings.root, Path(execution.__file__).parent, sys.prefix):
        assert str(path) not in kept
    assert f"{home}/" not in kept
    assert '"~/' not in kept
    # No trace of a file that was being written.
    assert {file.suffix for file in ran.settings.cache.iterdir()} == {".json"}


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: b"",
        lambda kept: kept[: len(kept) // 2],
        lambda kept: kept.replace(b'"key": "', b'"key": "0'),
        lambda kept: kept.decode().encode("utf-16"),
        lambda kept: json.dumps({"key": json.loads(kept)["key"]}).encode(),
        lambda kept: b"null",
        lambda kept: b"[]",
        lambda kept: b"3",
    ],
)
def test_a_damaged_file_of_the_cache_is_ignored(
    ran: Ran, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    kept = (ran.settings.cache / "state.json").read_bytes()
    settings = Settings(ran.settings.root, tmp_path)
    chapters = {"state": read(ran.settings.root, "state")}
    (tmp_path / "state.json").write_bytes(kept)
    run_chapters(chapters, settings)  # as it is, it serves
    (tmp_path / "state.json").write_bytes(damage(kept))
    with pytest.raises(KernelStarted):
        run_chapters(chapters, settings)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path, {"lesson": CHAPTERS["lesson"], "state": CHAPTERS["state"]})
    return tmp_path


def key(root: Path, name: str = "lesson", text: str = "") -> str:
    return cache_key(*read(root, name, text))


def replace(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))


# Trap 2: what the key of a run covers.
@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("snippets/lesson.py", "manual_seed(0)", "manual_seed(1)"),
        ("snippets/lesson.py", "from the helper", "the helper"),
        ("snippets/helper.py", "UNIT = 1", "UNIT = 2"),
        ("snippets/helper.py", "UNIT = 1", "from snippets.deep import UNIT"),
        ("snippets/__init__.py", "yield", "yield None"),
    ],
)
def test_a_change_of_cells_or_of_what_they_import_changes_the_key(
    project: Path, path: str, old: str, new: str
) -> None:
    write(project, "snippets/deep.py", "UNIT = 1")
    before = key(project)
    replace(project, path, old, new)
    assert key(project) != before


def test_a_change_far_down_the_imports_changes_the_key(project: Path) -> None:
    write(project, "snippets/deep.py", "UNIT = 1\n")
    replace(project, "snippets/helper.py", "UNIT = 1", "from snippets.deep import UNIT")
    before = key(project)
    replace(project, "snippets/deep.py", "UNIT = 1", "UNIT = 2")
    assert key(project) != before


def test_the_cells_drawn_their_order_and_the_values_asked_for_count(
    project: Path,
) -> None:
    text = textwrap.dedent(CHAPTERS["state"])
    cells = ("# %% one\n", "# %% two\n")
    variants = [
        text,
        text.replace("? x\n", "", 1),
        text.replace("? x\n", "? x:.1f\n", 1),
        text.replace("? x\n\n", "\n") + "? x\n",  # the same value after another cell
        text.replace("# %% three", ""),
        text.replace(cells[0], "").replace(cells[1], "".join(reversed(cells))),
    ]
    keys = {key(project, "state", variant) for variant in variants}
    assert len(keys) == len(variants)


@pytest.mark.parametrize("package", ["python", "torch", "numpy", "ipykernel"])
def test_another_version_changes_the_key(
    project: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    versions = execution.versions()
    assert versions[package]
    before = key(project)
    other = {**versions, package: "99.0"}
    monkeypatch.setattr(execution, "versions", lambda: other)
    assert key(project) != before


def test_another_folder_and_unrelated_files_do_not_change_the_key(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = key(project)
    write(project, "snippets/unrelated.py", "x = 1")
    write(project, "book/other.md", "# Other")
    assert key(project) == before
    copy = tmp_path_factory.mktemp("elsewhere") / "deeper"
    shutil.copytree(project, copy)
    assert key(copy) == before


@pytest.mark.usefixtures("no_kernel")
def test_a_chapter_without_cells_needs_no_kernel(tmp_path: Path) -> None:
    chapter = read_chapter(
        "# Title\n\n{eval}`x` and {eval}`y`", SnippetLibrary(tmp_path)
    )
    outcome = run_chapters({"a": (chapter, "")}, Settings(tmp_path, tmp_path))["a"]
    assert [problem.line for problem in outcome.problems] == [3, 3]
    assert outcome.problems[1].message == (
        "no cell stands before {eval}`y`; move it below one"
    )


@pytest.mark.usefixtures("no_kernel")
def test_a_chapter_with_mistakes_is_not_run(project: Path) -> None:
    cell = "```{code-cell} python\n:snippet: state#one\n```\n"
    text = f"{cell}{cell.replace('one', 'none')}\n{{eval}}`x`"
    chapter = read_chapter(text, SnippetLibrary(project))
    settings = Settings(project, project / "cells")
    outcome = run_chapters({"a": (chapter, "")}, settings)["a"]
    assert outcome == Outcome([[], []])  # the mistakes have been reported already
    assert not settings.cache.exists()


def test_a_value_that_takes_too_long_is_a_problem_in_its_line(tmp_path: Path) -> None:
    text = "# %% one\nx = 1\n? __import__('time').sleep(30)\n"
    make_project(tmp_path, {"slow": text})
    settings = Settings(tmp_path, tmp_path / "cells", timeout=1)
    outcome = run_chapters({"slow": read(tmp_path, "slow", text)}, settings)["slow"]
    [problem] = outcome.problems
    assert (problem.line, problem.category) == (5, "execution.eval")
    assert problem.message.endswith("failed: no value after 1 s")


# Trap 1: an edit of a module, of whatever depth, reaches the page.
def test_an_edit_of_the_code_reaches_an_incremental_build(tiny_book: TinyBook) -> None:
    tiny_book.write("snippets/deep.py", "UNIT = 7\n")
    tiny_book.write("snippets/helper.py", "from .deep import UNIT\n")
    snippet = SNIPPET.replace("x = 20", "from snippets import helper\nx = helper.UNIT")
    tiny_book.write("snippets/chapter.py", snippet)
    for path, text, value in (
        ("snippets/chapter.py", snippet, 10),
        ("snippets/deep.py", "UNIT = 8\n", 11),
        ("snippets/chapter.py", snippet.replace("+ 3", "+ 4"), 12),
    ):
        tiny_book.write(path, text)
        assert tiny_book.build_incrementally() == []
        page = tiny_book.page("chapter", "incremental")
        assert f"The value is {value}." in page
        assert f"x is {value}" in page


# Trap 4: processes side by side race for an empty cache.
def test_a_parallel_build_from_an_empty_cache(tiny_book: TinyBook) -> None:
    names = [f"part{number}" for number in range(6)]  # Sphinx forks from six pages on
    tiny_book.index(*names)
    (tiny_book.root / "book/chapter.md").unlink()
    for name in names:
        tiny_book.write(f"book/{name}.md", f"# {name}\n")
    for name in names[:2]:
        tiny_book.write(f"snippets/{name}.py", SNIPPET.replace("x is", name))
        cell = f"```{{code-cell}} python\n:snippet: {name}#data\n```\n\n"
        tiny_book.write(f"book/{name}.md", f"# {name}\n\n{cell}It is {{eval}}`x`.\n")
    pages = tiny_book.root / "build" / "parallel"
    # Python 3.12 warns of a fork beside the kernels' threads, which have ended.
    command = [sys.executable, "-W", "ignore", "-m", "sphinx", "-q", "-W", "-j", "3"]
    result = subprocess.run(
        [*command, "-c", CONFIG, tiny_book.root / "book", pages],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    for name in names[:2]:
        assert f"{name} 23" in tiny_book.page(name, "parallel")
        assert "It is 23." in tiny_book.page(name, "parallel")
        assert (tiny_book.root / f"cells/{name}.json").is_file()
