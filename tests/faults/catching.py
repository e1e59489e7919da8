"""Whether the build or the tests notice a planted fault, asked as directly as possible.

A fault in a formula is shown to the formula checks, one in an expected output to the
comparison of outputs, and so on: each to the guard that a full run would ask, without
the rest of the run. Faults in links and labels are planted many at a time in one build,
which reports every mistake in one go.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from check_outputs import Executed, execute
from equations.checking import Checker, check_page, load, module_of
from equations.pages import formulas
from equations.report import Page, problems
from expected_outputs import BadExpectations, compare, read_expectations
from tests.faults.planting import Fault

ROOT = Path(__file__).parents[2]
# What a build needs and git does not keep.
BUILT = ("build/node", "build/cells", "build/equations")
IGNORED = shutil.ignore_patterns(".git", ".nox", "build", "__pycache__", ".*_cache")


def slug_of(fault: Fault) -> str:
    """The chapter that a fault belongs to."""
    return Path(fault.path).stem.removeprefix("test_").replace("_", "-")


def source(fault: Fault) -> str:
    """The text in which the fault is planted."""
    return (ROOT / fault.path).read_text(encoding="utf-8")


@cache
def checker(slug: str) -> Checker:
    """The checks of a chapter, with their draws."""
    return Checker(load(slug))


def formula_is_noticed(fault: Fault) -> str:
    """What the formula checks say of a fault in a formula; nothing if it passes."""
    slug, text = slug_of(fault), source(fault)
    before = Counter((f.tex, f.label) for f in formulas(slug, text))
    changed = [
        formula
        for formula in formulas(slug, fault.plant(text))
        if not before[formula.tex, formula.label]
    ]
    findings = [checker(slug).check(formula) for formula in changed]
    return next((message for _, message in problems(slug, Page(findings))), "")


def check_is_noticed(fault: Fault) -> str:
    """What comes of a chapter whose checks have the fault."""
    slug = slug_of(fault)
    with project([fault], built=()) as copy:
        code = (
            "import sys; from pathlib import Path; "
            "from check_equations import filled; "
            "from equations.checking import check_page; "
            "from equations.report import problems; "
            f"page = check_page(Path.cwd(), {slug!r}, filled([{slug!r}])[{slug!r}]); "
            "found = [page.broken.message] if page.broken else "
            f"[message for _, message in problems({slug!r}, page)]; "
            "print(found[0] if found else '')"
        )
        return _last_line(copy, ["-c", code])


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


def code_is_noticed(fault: Fault) -> str:
    """What the tests, then the comparison of outputs, say of a fault in a snippet."""
    slug = slug_of(fault)
    with project([fault]) as copy:
        tests = f"tests/snippets/test_{module_of(slug)}.py"
        quiet = ["-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=no"]
        done = _run(copy, ["-m", "pytest", tests, *quiet])
        if done.returncode:
            return done.stdout.strip().splitlines()[-1] if done.stdout else "fails"
        done = _run(copy, ["_config/check_outputs.py", slug])
        return done.stdout.partition("\n")[0] if done.returncode else ""


def number_is_noticed(fault: Fault) -> str:
    """What the tests of sentences and outputs say of another number in a sentence."""
    slug = slug_of(fault)
    with project([fault]) as copy:
        done = _run(copy, ["_config/check_outputs.py", slug])
        if done.returncode:
            return done.stdout.partition("\n")[0]
        if (ROOT / "tests/book/test_sentences.py").is_file():
            quiet = ["-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=no"]
            done = _run(
                copy, ["-m", "pytest", "tests/book/test_sentences.py", "-k", slug, *quiet]
            )
            if done.returncode:
                return done.stdout.strip().splitlines()[-1]
        return ""


def links_are_noticed(faults: Iterable[Fault]) -> Iterator[tuple[Fault, str]]:
    """For faults in links, or in labels, what one build with all of them says."""
    planted = list(faults)
    with project(planted) as copy:
        command = ["_config/build_book.py", "--target", str(copy / "build/html")]
        done = _run(copy, command, timeout=900)
    lines = done.stderr.splitlines() + done.stdout.splitlines()
    mistakes = [line for line in lines if line.startswith(("book", "snippets"))]
    for fault in planted:
        names = (fault.before, fault.after)
        yield fault, next(
            (line for line in mistakes if any(name in line for name in names)), ""
        )


NOTICED = {
    "formula": formula_is_noticed,
    "check": check_is_noticed,
    "output": output_is_noticed,
    "code": code_is_noticed,
    "answer": code_is_noticed,
    "number": number_is_noticed,
}


@contextlib.contextmanager
def project(faults: Iterable[Fault], built: Iterable[str] = BUILT) -> Iterator[Path]:
    """A copy of the project with faults in it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "project")
        shutil.copytree(ROOT, copy, ignore=IGNORED)
        for name in built:
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
    copy: Path, arguments: list[str], timeout: int = 120
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
        return subprocess.CompletedProcess(arguments, 1, f"no end after {timeout} s", "")


def _last_line(copy: Path, arguments: list[str]) -> str:
    done = _run(copy, arguments)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return lines[-1] if lines else ""
