"""Whether the build or the tests notice a planted fault, asked as directly as possible.

A fault in a formula is shown to the formula checks, one in an expected output to the
comparison of outputs, one in a snippet to its tests: each to the guard that a full run
would ask, without the rest of the run. Faults in links and labels are planted many at a
time in one build, which reports every mistake in one go.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import types
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import check_equations
from check_outputs import Executed, execute
from equations.checking import Checker, load, module_of
from equations.pages import formulas
from equations.report import Page, problems
from expected_outputs import BadExpectations, compare, read_expectations
from snippets import checks
from tests.faults.planting import Fault

ROOT = Path(__file__).parents[2]
# What a build needs and git does not keep.
BUILT = ("build/node", "build/cells", "build/equations")
IGNORED = shutil.ignore_patterns(".git", ".nox", "build", "__pycache__", ".*_cache")
QUIET = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no")
SECONDS = 120


def slug_of(fault: Fault) -> str:
    """The chapter that a fault belongs to."""
    return Path(fault.path).stem.replace("_", "-")


def source(fault: Fault) -> str:
    """The text in which the fault is planted."""
    return (ROOT / fault.path).read_text(encoding="utf-8")


# In this process


@cache
def checker(slug: str) -> Checker:
    """The checks of a chapter, with their draws."""
    return Checker(load(slug))


@cache
def text_of(slug: str) -> str:
    """A chapter with the values of ``{eval}`` in place."""
    return check_equations.filled([slug])[slug]


def formula_is_noticed(fault: Fault) -> str:
    """What the formula checks say of a fault in a formula; nothing if it passes."""
    slug, text = slug_of(fault), source(fault)
    before = Counter((f.tex, f.label) for f in formulas(slug, text))
    after = formulas(slug, fault.plant(text))
    changed = [f for f in after if not before[f.tex, f.label]]
    rows = {formula.row for formula in changed if formula.row}
    asked = [f for f in after if f in changed or f.row in rows]
    findings = checker(slug).check_all(asked)
    return next((message for _, message in problems(slug, Page(findings))), "")


@cache
def executed() -> dict[str, Executed]:
    """The chapters as they run today."""
    return execute(ROOT)


def output_is_noticed(fault: Fault) -> str:
    """What the comparison of outputs says of a fault in an expectation."""
    page = executed()[slug_of(fault)]
    try:
        expected = read_expectations(fault.plant(source(fault)))
    except BadExpectations as error:
        return str(error)
    found = compare(fault.path, page.shown(), expected)
    return next((problem.message for problem in found), "")


# In a process of its own, which a fault may break


def in_child(work: Callable[[], str], seconds: int = SECONDS) -> str:
    """The text that ``work`` returns in a forked process, which has torch loaded."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            try:
                said = work()
            except BaseException as error:
                said = f"{type(error).__name__}: {error}"
            os.write(writer, said.encode()[:60_000])
        finally:
            os._exit(0)
    os.close(writer)
    end = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, 9)
            os.waitpid(child, 0)
            os.close(reader)
            return f"no end after {seconds} s"
        time.sleep(0.02)
    with open(reader, encoding="utf-8") as pipe:
        return pipe.read()


def check_is_noticed(fault: Fault) -> str:
    """What comes of a chapter whose checks have the fault."""
    slug = slug_of(fault)
    name = f"snippets.checks.{module_of(slug)}"

    def work() -> str:
        checks.forget(module_of(slug))
        module = types.ModuleType(name)
        module.__file__ = str(ROOT / fault.path)
        exec(compile(fault.plant(source(fault)), fault.path, "exec"), module.__dict__)
        damaged = Checker(checks.declared(module_of(slug)))
        printed = formulas(slug, text_of(slug))
        findings = damaged.check_all(printed)
        page = Page(findings, damaged.unused(findings))
        return next((message for _, message in problems(slug, page)), "")

    return in_child(work)


def code_is_noticed(fault: Fault) -> str:
    """What the tests, then the comparison of outputs, say of a fault in a snippet."""
    slug = slug_of(fault)
    with project([fault]) as copy:
        tests = f"tests/snippets/test_{module_of(slug)}.py"
        said = in_child(lambda: run_tests(copy, tests))
        return said or compare_outputs(copy, slug)


def number_is_noticed(fault: Fault) -> str:
    """What the tests of sentences and outputs say of another number in a sentence."""
    slug = slug_of(fault)
    with project([fault]) as copy:
        said = compare_outputs(copy, slug)
        return said or in_child(
            lambda: run_tests(copy, "tests/book/test_marks.py", "-k", slug)
        )


def run_tests(copy: Path, *arguments: str) -> str:
    """Run tests of a copy of the project, in a process that ends afterwards."""
    os.chdir(copy)
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("snippets", "tests"):
            del sys.modules[name]
    sys.path = [path for path in sys.path if not Path(path).is_relative_to(ROOT)]
    sys.path[:0] = [str(copy), str(copy / "_config"), str(copy / "_config/extensions")]
    sys.dont_write_bytecode = True
    status = pytest.main([*arguments, *QUIET, "--rootdir", str(copy)])
    return f"{arguments[0]} fails" if status else ""


def compare_outputs(copy: Path, slug: str) -> str:
    """Run the cells of a chapter and compare what they show."""
    done = _run(copy, ["_config/check_outputs.py", slug])
    return done.stdout.partition("\n")[0] or "fails" if done.returncode else ""


# Many in one build


def links_are_noticed(faults: Iterable[Fault]) -> Iterator[tuple[Fault, str]]:
    """For faults in links, or in labels, what one build with all of them says."""
    planted = list(faults)
    with project(planted) as copy:
        command = [
            "_config/build_book.py",
            "--with-answers",
            "--target",
            str(copy / "build/html"),
        ]
        done = _run(copy, command, 900)
    lines = (done.stderr + done.stdout).splitlines()
    mistakes = [line for line in lines if line.startswith(("book", "snippets"))]
    for fault in planted:
        about = [f"{fault.path}:{fault.line}:", fault.after]
        if fault.kind == "label":
            about = [fault.before]  # said where somebody asks for it
        yield (
            fault,
            next(
                (line for line in mistakes if any(word in line for word in about)), ""
            ),
        )


NOTICED = {
    "formula": formula_is_noticed,
    "output": output_is_noticed,
    "check": check_is_noticed,
    "code": code_is_noticed,
    "answer": code_is_noticed,
    "number": number_is_noticed,
}


@contextlib.contextmanager
def project(faults: Iterable[Fault]) -> Iterator[Path]:
    """A copy of the project with faults in it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "project")
        shutil.copytree(ROOT, copy, ignore=IGNORED)
        for name in BUILT:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name)
        by_path: dict[str, list[Fault]] = {}
        for fault in faults:
            by_path.setdefault(fault.path, []).append(fault)
        for path, here in by_path.items():
            text = (ROOT / path).read_text(encoding="utf-8")
            # From the end, so that the places before stay where they are.
            for fault in sorted(here, key=lambda fault: -fault.start):
                text = fault.plant(text)
            (copy / path).write_text(text, encoding="utf-8")
        yield copy


def _run(
    copy: Path, arguments: list[str], timeout: int = SECONDS
) -> subprocess.CompletedProcess[str]:
    folders = [copy, copy / "_config", copy / "_config" / "extensions"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    try:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(
            arguments, 1, f"no end after {timeout} s", ""
        )
