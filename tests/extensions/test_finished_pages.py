"""What pages hold is gathered anew where they were written anew."""

from __future__ import annotations

import os
from pathlib import Path

from finished_pages import gathered

looked: list[str] = []


def words(page: str) -> list[str]:
    looked.append(page)
    return page.split()


def test_only_a_page_that_was_written_is_read_again(tmp_path: Path) -> None:
    looked.clear()
    for name, text in (("a", "one two"), ("b", "two three")):
        (tmp_path / f"{name}.html").write_text(text)
    assert gathered(tmp_path, words) == {"one", "two", "three"}
    assert gathered(tmp_path, words) == {"one", "two", "three"}
    assert sorted(looked) == ["one two", "two three"]
    # Of the same length, within the tick of a coarse clock.
    (tmp_path / "a.html").write_text("one six")
    os.utime(tmp_path / "a.html", ns=(1, 1))
    (tmp_path / "b.html").unlink()
    assert gathered(tmp_path, words) == {"one", "six"}
    assert looked[2:] == ["one six"]
