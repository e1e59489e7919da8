"""Probes are read from their modules and run in a kernel; every mistake has a place."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

import probe_report
from execution import Settings
from probes import Mistake, Result, read_probes, run_probes
from snippet_cells import SnippetLibrary
from tests.cells import ROOT

MODULE = '''\
"""Probes."""

from snippets.misconceptions import Probe, misconception


def helper():
    """No probe."""
    return 1


@misconception
def off_by_one() -> Probe:
    """The last number of `range(3)`.

    More about it.
    """
    # Counted from 0.
    return Probe(believed=3, found=list(range(3))[-1])
'''
CODE = """\
def off_by_one() -> Probe:
    # Counted from 0.
    return Probe(believed=3, found=list(range(3))[-1])"""


class Project:
    """A snippet package with the real rules for probes, and modules to be written."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "snippets" / "misconceptions"
        self.folder.mkdir(parents=True)
        for name in ("__init__.py", "misconceptions/__init__.py"):
            text = (ROOT / "snippets" / name).read_text()
            (root / "snippets" / name).write_text(text)
        self.library = SnippetLibrary(root)
        self.settings = Settings(root, root / "cells", timeout=20)

    def write(self, body: str, module: str = "loops") -> Path:
        path = self.folder / f"{module}.py"
        path.write_text(textwrap.dedent(body))
        return path

    def probe(self, body: str) -> None:
        """One module with one probe, in line 4."""
        lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
        self.write(
            "from snippets.misconceptions import Probe, misconception\n\n"
            f'@misconception\ndef wrong() -> Probe:\n    """A thing."""\n{lines}\n'
        )

    def run(self) -> tuple[dict[str, Result], list[Mistake]]:
        probes, mistakes = read_probes(self.library)
        assert mistakes == []
        return run_probes(probes.values(), self.library, self.settings)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_probe_is_a_marked_function_with_its_first_line(project: Project) -> None:
    path = project.write(MODULE, "for_loops")
    probes, mistakes = read_probes(project.library)
    assert mistakes == []
    [probe] = probes.values()
    assert list(probes) == ["for-loops-off-by-one"]
    assert probe.about == "The last number of `range(3)`."
    assert probe.code == CODE
    assert (probe.path, probe.line) == (path, 12)
    assert path.read_text().splitlines()[probe.line - 1].startswith("def off_by_one")


def test_mistakes_in_the_modules_are_all_found(project: Project) -> None:
    broken = project.write("def broken(:\n", "a")
    silent = project.write("@misconception\ndef silent():\n    return 1\n", "b")
    project.write('@misconception\ndef d_e():\n    """1"""\n', "c")
    second = project.write('@misconception\ndef e():\n    """1"""\n', "c_d")
    probes, mistakes = read_probes(project.library)
    assert [(mistake.path, mistake.line) for mistake in mistakes] == [
        (broken, 1),
        (silent, 2),
        (second, 2),
    ]
    assert "no docstring" in mistakes[1].message
    assert mistakes[2].message == "second probe 'c-d-e'; keep one"
    assert list(probes) == ["b-silent", "c-d-e"]


def test_results_read_as_in_a_sentence(project: Project) -> None:
    project.probe("return Probe(believed=(1.5, None), found=-1e-8)")
    results, mistakes = project.run()
    assert mistakes == []
    assert results == {"loops-wrong": Result("(1.5, None)", "−1 × 10⁻⁸")}


WRONG = {
    "return Probe(believed=2, found=1 + 1)": (
        "failed with AssertionError: the belief is right: both are 2; correct it, or "
        "drop the belief"
    ),
    "return 1 / 0": "failed with ZeroDivisionError: division by zero; correct it",
    "return Probe(believed=0.3, found=0.1 + 0.2)": (
        "gives two values that read the same, '0.3'; return what tells them apart"
    ),
    "print('oh', file=__import__('sys').stderr)": "wrote to stderr: oh",
    "return Probe(believed=1, found=str(object()))": "holds a memory address",
    "__import__('os')._exit(1)": "the kernel died while it ran the probe",
}


def test_each_probe_that_proves_nothing_is_a_mistake(project: Project) -> None:
    lines = ["from snippets.misconceptions import Probe, misconception"]
    for number, body in enumerate(WRONG):
        head = f'@misconception\ndef wrong{number}():\n    """A thing."""\n'
        lines += [head + f"    {body}\n    return Probe(believed=1, found=2)"]
    path = project.write("\n".join(lines))
    _, mistakes = project.run()
    for number, expected in enumerate(WRONG.values()):
        found = [item for item in mistakes if f"loops-wrong{number}'" in item.message]
        assert len(found) == 1, expected
        assert expected in found[0].message
        assert found[0].path == path
        line = path.read_text().splitlines()[found[0].line - 1]
        assert line == f"def wrong{number}():"
    assert len(mistakes) == len(WRONG)


def test_a_failing_probe_does_not_hide_the_next_one(project: Project) -> None:
    project.write("import nothing_of_this_name\n" + MODULE, "a")
    project.write(MODULE, "b")
    text = MODULE.replace("believed=3", "believed=2")
    project.write(text, "c")
    results, mistakes = project.run()
    assert list(results) == ["b-off-by-one"]
    assert [mistake.path.stem for mistake in mistakes] == ["a", "c"]
    assert "No module named 'nothing_of_this_name'" in mistakes[0].message


def test_a_probe_that_hangs_is_stopped(project: Project) -> None:
    project.probe("while True:\n    pass")
    project.settings = Settings(project.library.root, project.settings.cache, timeout=1)
    _, [mistake] = project.run()
    assert "the probe 'loops-wrong' ran longer than 1 s" in mistake.message


def test_results_are_kept_until_the_code_changes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("STEP = 1\n", "steps").rename(project.library.folder / "steps.py")
    project.probe(
        "from snippets.steps import STEP\nreturn Probe(believed=5, found=STEP)"
    )
    runs: list[str] = []

    def found() -> str:
        probes, _ = read_probes(project.library)
        results, _ = run_probes(
            probes.values(), project.library, project.settings, runs.append
        )
        return results["loops-wrong"].found

    assert [found(), found()] == ["1", "1"]
    assert len(runs) == 1
    (project.library.folder / "steps.py").write_text("STEP = 22\n")
    assert found() == "22"
    assert len(runs) == 2
    # The way in which values are made readable counts as well.
    other = project.folder / "report.txt"
    other.write_text("another")
    monkeypatch.setattr(probe_report, "__file__", str(other))
    assert found() == "22"
    assert len(runs) == 3


def test_the_report_of_one_probe(capsys: pytest.CaptureFixture[str]) -> None:
    probe_report.report("snippets.misconceptions.tensors", "n_one")
    assert capsys.readouterr().out == (
        '{"believed": "0", "found": "156", "problem": ""}\n'
    )
