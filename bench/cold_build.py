"""A build from nothing, beside plain MyST-NB on the same chapters."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from bench.books import ROOT, own_book, plain_book
from bench.timing import Run, Series, in_turn, run
from check_outputs import execute


def build_own(folder: Path) -> Run:
    """Build a copy of the book without anything kept from an earlier build."""
    for kept in (folder / "build").iterdir():
        if kept.name != "node":  # installed, not built
            shutil.rmtree(kept)
    return run([sys.executable, "_config/build_book.py"], folder)


def build_plain(folder: Path, *options: str) -> Run:
    """Build the chapters with plain MyST-NB, from nothing."""
    target = folder.with_name(f"{folder.name}-html")
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-q", "-E", *options]
    # Figures are drawn by a helper package, which a plain book needs as well.
    return run([*command, folder, target], folder, PYTHONPATH=str(ROOT))


def measure(work: Path, pairs: int) -> list[Series]:
    """Cold builds in turn."""
    chapters = execute(ROOT)
    own, plain = own_book(work / "own"), plain_book(work / "plain", chapters)
    clock = Series("cold build", limit=0.35)
    busy = Series("cold build, processor time")
    for ours, theirs in in_turn(
        lambda: build_own(own), lambda: build_plain(plain), pairs
    ):
        clock.ours.append(ours.seconds)
        clock.theirs.append(theirs.seconds)
        busy.ours.append(ours.busy)
        busy.theirs.append(theirs.busy)
    return [clock, busy]
