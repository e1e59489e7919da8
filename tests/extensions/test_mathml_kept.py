"""Formulas kept from one build to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from mathml import convert
from mathml.kept import Kept, digest


def never() -> str:
    raise AssertionError("it is known")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a build that converted x and y."""
    before = Kept()
    before.get("x", lambda: "<math>x</math>")
    before.get("y", lambda: "<math>y</math>")
    before.save(tmp_path / "formulas" / "html.json", "one")
    return tmp_path / "formulas" / "html.json"


def test_what_was_converted_is_not_converted_again(file: Path) -> None:
    kept = Kept()
    kept.load(file, "one")

    assert kept.get("x", never) == "<math>x</math>"
    assert kept.get("z", lambda: "<math>z</math>") == "<math>z</math>"


def test_another_converter_uses_nothing_of_it(file: Path) -> None:
    kept = Kept()
    kept.load(file, "two")

    assert kept.get("x", lambda: "<math>new</math>") == "<math>new</math>"


def test_what_no_page_has_any_more_is_dropped(file: Path) -> None:
    kept = Kept()
    kept.load(file, "one")
    kept.get("x", never)
    kept.save(file, "one")

    again = Kept()
    again.load(file, "one")
    assert again.get("x", never) == "<math>x</math>"
    assert again.get("y", lambda: "anew") == "anew"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "one"}'])
def test_a_damaged_file_is_no_mistake(file: Path, content: str) -> None:
    file.write_text(content)
    kept = Kept()
    kept.load(file, "one")

    assert kept.get("x", lambda: "anew") == "anew"


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    kept = Kept()
    with pytest.raises(AssertionError):
        kept.get("x", never)

    assert kept.get("x", lambda: "mended") == "mended"


def test_a_change_of_any_file_is_another_version(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    seen = set()
    for contents in (("a", "b"), ("ab", ""), ("a", "c"), ("b", "a")):
        for path, content in zip(files, contents, strict=True):
            path.write_text(content)
        seen.add(digest(files))
    assert len(seen) == 4


def test_the_version_is_that_of_the_whole_converter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = convert.version()
    for name in ("TEMML", "SERVER"):
        changed = tmp_path / name
        changed.write_bytes(getattr(convert, name).read_bytes() + b"\n")
        with monkeypatch.context() as patch:
            patch.setattr(convert, name, changed)
            assert convert.version() != before
    assert convert.version() == before
