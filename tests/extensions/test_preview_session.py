"""What browsers are told by a preview."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from preview.session import Session
from preview.watching import Places


def test_a_page_is_newer_each_time_it_is_written(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path / "book", tmp_path / "_config")
    session = Session(places, tmp_path / "build", print)
    worker = SimpleNamespace(pages=tmp_path)
    # An older build can tell of a page after a newer one has been asked for.
    seen = []
    for _ in range(2):
        session._hear(worker, {"written": ["tensors"]})  # type: ignore[arg-type]
        seen.append(session.state.versions["tensors"])
    assert seen[0] < seen[1]
