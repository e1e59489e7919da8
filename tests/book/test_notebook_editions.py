"""The notebooks without answers: nothing of them, and every question with its stub."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from check_outputs import Executed
from snippets.exercises import exercises
from tests.book.test_editions import of_answers
from tests.book.test_notebooks import code, drawn_outside_answers, folder
from tests.book.test_structure import CHAPTERS, module
from tests.cells import LIBRARY, ROOT
from tests.leaks import leaks

__all__ = ["folder"]


@pytest.fixture(scope="module")
def withheld(
    tmp_path_factory: pytest.TempPathFactory, executed: dict[str, Executed]
) -> Path:
    """The folder of notebooks without answers; its ZIP file lies beside it."""
    target = tmp_path_factory.mktemp("withheld") / "notebooks"
    command = [sys.executable, str(ROOT / "_config" / "build_book.py")]
    command += ["--builder", "notebooks", "--without-answers", "--target", str(target)]
    done = subprocess.run(
        [*command, "--cache", str(ROOT / "build" / "cells")],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target


def test_no_words_code_or_output_of_an_answer_are_left(
    withheld: Path, folder: Path, executed: dict[str, Executed]
) -> None:
    """A stub has the first lines of the answer: they say what is asked."""
    asked = [it.cell for slug in CHAPTERS for it in exercises(slug)]
    drawing = (ROOT / "snippets" / "figures").glob("*.py")
    shared = "\n".join([*asked, *(path.read_text("utf-8") for path in drawing)])
    shared = " ".join(shared.split())
    words = sorted({text for text in of_answers(executed) if text not in shared})
    found = {line.partition(": ")[2] for line in leaks(folder, words)}
    # The rest is broken up by marks or by the end of a line.
    assert len(found) > 0.8 * len(words) > 400
    assert leaks(withheld, words) == []
    assert leaks(withheld.with_suffix(".zip"), words) == []


@pytest.mark.parametrize("slug", CHAPTERS)
def test_cells_and_stubs_are_those_of_the_whole_book(
    slug: str, withheld: Path, folder: Path
) -> None:
    """And show the same: no cell outside answers depends on one."""
    whole, part = (
        code(nbformat.read(place / f"{slug}.ipynb", as_version=4))
        for place in (folder, withheld)
    )
    sources = [
        LIBRARY.cells(module(slug))[it].source for it in drawn_outside_answers(slug)
    ]
    assert len(whole) == len(sources) + len(exercises(slug))
    assert [cell.source for cell in part] == [cell.source for cell in whole]
    assert [cell.outputs for cell in part] == [cell.outputs for cell in whole]
