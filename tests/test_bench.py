"""What the benchmark builds is the same book, and what it says is what it measured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.books import own_book, plain_text
from bench.timing import Growth, Run, Series, in_turn, run
from snippet_cells import SnippetLibrary
from tests.cells import LIBRARY, ROOT

CHAPTERS = sorted(
    path.stem
    for path in (ROOT / "book").glob("*.md")
    if ":snippet:" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_plain_chapter_has_the_same_cells_inline(slug: str) -> None:
    text = plain_text((ROOT / "book" / f"{slug}.md").read_text(), LIBRARY)
    assert ":snippet:" not in text
    assert "{figure} " not in text.replace("{figure} figures/", "")
    place = 0
    for name, cell in LIBRARY.cells(slug.replace("-", "_")).items():
        if not name.startswith("check-"):
            place = text.index(f"\n{cell.source}\n```", place) + 1


def test_a_broken_cell_and_a_figure_are_told_to_myst_nb(tmp_path: Path) -> None:
    module = (
        '# %% broken\nwith raises(ZeroDivisionError, "zero"):\n    1 / 0\n\n'
        "# %% figure-one\ndraw()\n"
    )
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets/one.py").write_text(module)
    text = (
        "```{code-cell} python\n:snippet: one#broken\n```\n\n"
        ":::{figure} one#figure-one\n:name: fig-one\n\nThe caption.\n:::\n"
    )
    assert plain_text(text, SnippetLibrary(tmp_path)).split("\n\n")[:5] == [
        "```{code-cell} python\n:tags: [raises-exception]",
        "1 / 0\n```",
        "```{code-cell} python\n:tags: [remove-input]",
        "draw()\n```",
        "The caption.",
    ]


def test_copies_of_a_chapter_share_no_label(tmp_path: Path) -> None:
    own_book(tmp_path, ["getting-started"], 2)
    texts = [
        (tmp_path / f"book/getting-started-{number}.md").read_text()
        for number in range(2)
    ]
    first, second = (
        {line for line in text.splitlines() if line.startswith(("(", ":label:"))}
        for text in texts
    )
    assert len(first) == len(second) > 5
    labels = {line for line in first if line.endswith(")=") or line[0] == ":"}
    assert not labels & second
    assert "getting_started_1#" in texts[1]
    assert "getting_started#" not in texts[1]
    assert (tmp_path / "snippets/getting_started_1.py").is_file()
    assert not (tmp_path / "build/cells").exists()


def test_the_row_of_a_comparison() -> None:
    series = Series("cold build", [1.0, 2.0, 6.0], [4.0, 4.0, 4.0], limit=0.35)
    assert series.row() == (
        "| cold build | 2.0 s | 4.0 s | 0.25 | 0.50 | 1.50 | 3 | 0.35 |"
    )


def test_the_memory_of_a_run_is_its_own(tmp_path: Path) -> None:
    # In a small process: a new one is counted as at least as large as who began it.
    script = """if True:
        import sys
        from pathlib import Path
        from bench.timing import run
        for code in ("bytearray(200_000_000)", ""):
            print(run([sys.executable, "-c", code], Path(".")).memory)
    """
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    large, small = map(float, told.stdout.split())
    assert large > 190
    assert small < 100


def test_the_rows_of_growth() -> None:
    growth = Growth("tensors", [1, 10], [Run(4.0, 6.0, 300.0), Run(20.0, 30.0, 310.0)])
    growth.previews = [[0.5, 0.7, 0.6], [0.7]]
    assert growth.rows() == [
        "| 1 | 4.0 s | 4.00 s | 6.00 s | 300 MB | 0.60 s |",
        "| 10 | 20.0 s | 2.00 s | 3.00 s | 310 MB | 0.70 s |",
    ]


def test_each_way_comes_first_in_every_second_pair() -> None:
    order: list[str] = []

    def way(name: str, seconds: float) -> Run:
        order.append(name)
        return Run(seconds, seconds, 1.0)

    pairs = in_turn(lambda: way("ours", 1.0), lambda: way("theirs", 2.0), 3)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert [(own.seconds, peer.seconds) for own, peer in pairs] == [(1.0, 2.0)] * 3


def test_a_command_that_fails_ends_the_benchmark(tmp_path: Path) -> None:
    busy = run([sys.executable, "-c", "sum(range(5_000_000))"], tmp_path)
    assert busy.busy > 0
    assert busy.memory > 1
    with pytest.raises(SystemExit, match="no such chapter"):
        run([sys.executable, "-c", "raise SystemExit('no such chapter')"], tmp_path)
