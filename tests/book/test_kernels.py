"""Forked kernels give what new ones give, chapter by chapter and byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_outputs import execute
from ready_kernels import forking
from tests.cells import ROOT


def test_each_chapter_gives_the_same_bytes_in_a_forked_and_in_a_new_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert forking.why_not() == ""
    forked, new = tmp_path / "forked", tmp_path / "new"
    chapters = execute(ROOT, forked)
    assert "imports" not in capsys.readouterr().out
    monkeypatch.setattr(forking, "why_not", lambda: "for the test")
    monkeypatch.setattr("execution.why_not", lambda: "for the test")
    execute(ROOT, new)
    # What a system that cannot fork is told.
    assert "each chapter waits for its imports: for the test" in capsys.readouterr().out
    names = {f"{slug}.json" for slug in chapters}
    assert names == {file.name for file in forked.iterdir()}
    assert len(names) >= 8
    for name in names:
        assert (forked / name).read_bytes() == (new / name).read_bytes(), name
