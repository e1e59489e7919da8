"""Formulas are converted before the cells run, as the pages then ask for them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import pytest
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import early_formulas
from mathml import convert
from mathml.kept import Kept
from tests.tiny_book import TinyBook

EXTENSIONS = [
    "early_formulas",
    "executed_chapters",
    "answers",
    "mathml",
    "sphinxcontrib.bibtex",
]
CHAPTER = r"""
# A chapter with $x^2$

```{code-cell} python
:snippet: chapter#two
```

A value, $y = {eval}`two`$, another of $x^2$, and $z_1$ over
two lines, $a +
b$.

1. In a list:

   $$
   \begin{aligned}
   a &= b \\
     &= c
   \end{aligned}
   $$

   ```{math}
   f(x) = 1
   ```
"""


def test_only_what_needs_a_cell_is_left(
    tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_book.write("snippets/chapter.py", "# %% two\ntwo = 2\n")
    tiny_book.write("book/chapter.md", CHAPTER)
    early: list[str] = []
    late: list[str] = []
    asked = late
    one_by_one = convert._converted

    def converted(request: str) -> str:
        asked.append(json.loads(request)["latex"])
        return one_by_one(request)

    def at_once(app: Sphinx, work: Callable[[], None]) -> Future[None]:
        nonlocal asked
        asked = early
        work()
        asked = late
        done: Future[None] = Future()
        done.set_result(None)
        return done

    monkeypatch.setattr(convert, "kept", Kept())
    monkeypatch.setattr(convert, "_converted", converted)
    monkeypatch.setattr(early_formulas, "begin", at_once)
    assert tiny_book.build(extensions=EXTENSIONS, html_math_renderer="mathml") == []
    assert len(early) == 5
    assert late == ["y = 2"]


def test_it_ends_before_pages_are_written(
    tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is forked while it goes on would have its lock, closed."""
    tiny_book.write("snippets/chapter.py", "# %% two\ntwo = 2\n")
    tiny_book.write("book/chapter.md", CHAPTER)
    all_are_read = threading.Event()
    converted: list[str] = []
    ends: list[int] = []
    wait = early_formulas.wait

    def slowly(tex: str, *rest: object) -> str:
        all_are_read.wait(60)
        time.sleep(0.1)
        converted.append(tex)
        return ""

    def noted(app: Sphinx, env: BuildEnvironment) -> None:
        all_are_read.set()
        wait(app, env)
        ends.append(len(converted))

    monkeypatch.setattr(early_formulas, "convert", slowly)
    monkeypatch.setattr(early_formulas, "wait", noted)
    assert tiny_book.build(extensions=EXTENSIONS, html_math_renderer="mathml") == []
    # Formulas that are alike are asked for twice here.
    assert ends == [6]
