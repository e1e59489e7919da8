"""Whether the build or the tests notice a planted fault, asked as directly as possible.

A fault in a formula is shown to the formula checks, one in an expected output to the
comparison of outputs, one in a snippet to its tests: each to the guard that a full run
would ask, without the rest of the run. Faults in links and labels are planted many at a
time in one build, which reports every mistake in one go.

A guard that complains of everything would notice every fault. So each is also asked
about the project as it is, where it must be silent: ``control``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
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
from tests.labels import idle_labels, places_of

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
        tests = "tests/book/test_prose.py"
        said = in_child(lambda: run_tests(copy, tests, "-k", slug))
        return said or compare_outputs(copy, slug)


def run_tests(copy: Path, *arguments: str) -> str:
    """Run tests of a copy of the project, in a process that ends afterwards."""
    os.chdir(copy)
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("snippets", "tests"):
            del sys.modules[name]
    # Packages may be installed below the project, and must still be found.
    here = {str(ROOT), "", ".", *map(str, code_folders(ROOT))}
    kept = [path for path in sys.path if path not in here]
    sys.path = [*map(str, code_folders(copy)), *kept]
    sys.dont_write_bytecode = True
    status = pytest.main([*arguments, *QUIET, "--rootdir", str(copy)])
    return "" if status == pytest.ExitCode.OK else f"{arguments[0]}: {status!r}"


def code_folders(root: Path) -> tuple[Path, ...]:
    """Where Python finds the modules of the project, or of a copy."""
    return root, root / "_config", root / "_config" / "extensions"


def compare_outputs(copy: Path, slug: str) -> str:
    """Run the cells of a chapter and compare what they show."""
    done = _run(copy, ["_config/check_outputs.py", slug])
    lines = [s for s in done.stdout.splitlines() if not s.startswith("running cells")]
    return (
        (lines or done.stderr.splitlines() or ["fails"])[0] if done.returncode else ""
    )


# Many in one build


def links_are_noticed(faults: Iterable[Fault]) -> Iterator[tuple[Fault, str]]:
    """For faults in links, or in labels, what one build with all of them says."""
    planted = list(faults)
    mistakes = mistakes_with(planted)
    for fault in planted:
        yield fault, next((line for line in mistakes if is_about(line, fault)), "")


def is_about(line: str, fault: Fault) -> bool:
    """Whether a line of the build, or of the test of labels, speaks of a fault.

    A renamed label is missed by its old name where somebody asks for it, or found idle
    by its new one.
    """
    place, _, message = line.partition(": ")
    names = [fault.after] if fault.kind == "link" else [fault.before, fault.after]
    return place == f"{fault.path}:{fault.line}" or any(
        re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", message) for name in names
    )


def mistakes_with(faults: Iterable[Fault]) -> list[str]:
    """What a build with all these faults says, and the test of labels, line by line."""
    with project(faults) as copy:
        where = str(copy / "build/html")
        command = ["_config/build_book.py", "--with-answers", "--target", where]
        done = _run(copy, command, 900)
        pages = {
            page.stem: page.read_text(encoding="utf-8")
            for page in copy.glob("book/*.md")
        }
    lines = (done.stderr + done.stdout).splitlines()
    found = [line for line in lines if line.startswith(("book", "snippets", "tests"))]
    if done.returncode and not found:
        found = lines[-1:]
    return [*found, *idle_labels(pages, {slug: places_of(slug) for slug in pages})]


NOTICED = {
    "formula": formula_is_noticed,
    "output": output_is_noticed,
    "check": check_is_noticed,
    "code": code_is_noticed,
    "answer": code_is_noticed,
    "number": number_is_noticed,
}


# The files, with the names of a chapter and its module, on which an answer depends.
RUN = ("book/{slug}.md", "snippets/{module}.py", "snippets/figures/*.py")
OUTPUTS = (*RUN, "tests/outputs/{slug}.toml", "_config/extensions/expected_outputs.py")
CODE = (*OUTPUTS, "tests/snippets/test_{module}.py", "tests/cells.py", "tests/draws.py")
FORMULAS = (*RUN, "snippets/checks/{module}.py", "snippets/checks/__init__.py")
FORMULAS += ("_config/extensions/equations/*.py",)
PROSE = ("tests/book/test_prose.py", "_config/extensions/prose*.py")
BUILD = ("book/*.md", "_config/*.py", "_config/extensions/**/*.py", "tests/labels.py")
DEPENDS = {
    **{"formula": FORMULAS, "check": FORMULAS, "output": OUTPUTS, "code": CODE},
    **{"answer": CODE, "number": (*OUTPUTS, *PROSE), "link": BUILD, "label": BUILD},
}


def state(kind: str, slug: str) -> str:
    """A digest of all that decides whether a fault of a kind and chapter is noticed."""
    found = hashlib.sha256()
    for pattern in ("constraints.txt", "tests/faults/catching.py", *DEPENDS[kind]):
        names = pattern.format(slug=slug, module=module_of(slug))
        for file in sorted(ROOT.glob(names)):
            found.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return found.hexdigest()


def control(kind: str, path: str) -> str:
    """What the guard of a kind says of a file without a fault: it should be nothing."""
    if kind in ("link", "label"):
        return next(iter(mistakes_with([])), "")
    nothing = Fault(kind, path, 0, "", "", 1)
    if kind == "formula":
        slug = slug_of(nothing)
        findings = checker(slug).check_all(formulas(slug, text_of(slug)))
        return next((message for _, message in problems(slug, Page(findings))), "")
    return NOTICED[kind](nothing)


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
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, code_folders(copy))),
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
