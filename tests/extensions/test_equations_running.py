"""Pages are checked in processes that share them, and one that ends is told."""

import shutil
from pathlib import Path

import pytest

from equations.report import HOLDS
from equations.running import CheckError, Checks, check_pages
from tests.cells import ROOT

CHECKS = '''
from snippets.checks import setting

@setting("{slug}")
def numbers(draw):
    """Two numbers."""
    a = draw.normal()
    return {{"a": a, "b": 2 * a}}
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with checks for three pages."""
    checks = tmp_path / "snippets" / "checks"
    checks.mkdir(parents=True)
    shutil.copy(ROOT / "snippets" / "checks" / "__init__.py", checks)
    for slug in ("one", "two", "three"):
        text = CHECKS.format(slug=slug)
        (checks / f"{slug}.py").write_text(text, encoding="utf-8")
    return tmp_path


PAGES = {slug: f"# {slug}\n\nAlways $b = 2a$.\n" for slug in ("one", "two", "three")}


def test_every_page_is_checked_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    found = check_pages(project, PAGES, project / "kept")
    assert {
        slug: [f.status for f in page.findings] for slug, page in found.items()
    } == {slug: [HOLDS] for slug in PAGES}


def test_a_process_that_ends_is_told_with_its_page(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    killer = project / "snippets" / "checks" / "two.py"
    killer.write_text("import os\n\nos._exit(3)\n", encoding="utf-8")
    with pytest.raises(CheckError, match="checks two ended with the exit code 3"):
        check_pages(project, PAGES, project / "kept")


def test_a_page_that_comes_late_is_checked_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    checks = Checks(project)
    kept = project / "kept"
    checks.add("one", PAGES["one"], kept)
    [process] = checks._processes
    with pytest.raises(TimeoutError):  # it waits for more
        process.result(timeout=5)
    checks.add("two", PAGES["two"], kept)
    found = checks.result()
    assert {slug: page.findings[0].status for slug, page in found.items()} == {
        "one": HOLDS,
        "two": HOLDS,
    }
    assert checks._processes == [process]
    assert not checks._shared.exists()


def test_processes_end_with_whom_they_work_for(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    checks = Checks(project)
    checks.add("one", PAGES["one"], project / "kept")
    [process] = checks._processes
    checks._end()
    assert process.result(timeout=60) == 0
