"""Which files a preview watches, and what a change of each asks for.

>>> wanted(places, places.root / "book" / "tensors.md")
<Wanted.BUILD: 1>
>>> wanted(places, places.root / "book" / ".tensors.md.swp") is None
True
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Wanted(Enum):
    """What is to be done after a change."""

    BUILD = 1
    RESTART = 2  # settings, extensions, templates, styles and sources of all pages


@dataclass(frozen=True)
class Places:
    """Where a book lies: its project, its chapters, and how it is built."""

    root: Path
    source: Path
    config: Path

    def watched(self) -> list[Path]:
        """Folders and files whose changes matter, as far as there are any."""
        tests = self.root / "tests"
        found = [self.source, self.config, self.root / "snippets", tests / "outputs"]
        found += [tests / "faults", self.root / "CITATION.cff"]
        return [path for path in found if path.exists()]


# What editors and Python leave beside a file: copies, locks and compiled code.
LEFT_ENDINGS = ("~", ".bak", ".orig", ".pyc", ".swp", ".swx", ".tmp")
# Of these the pages of a site hold nothing, or the preview itself is made of them.
APART = ("preview", "live", "typst")


def is_left_over(name: str) -> bool:
    """Whether a file is one that an editor writes for itself.

    >>> [is_left_over(name) for name in (".#a.md", "#a.md#", "a.md~", "4913", "a.md")]
    [True, True, True, True, False]
    """
    return name.startswith((".", "#")) or name.endswith(LEFT_ENDINGS) or name.isdigit()


def wanted(places: Places, path: Path) -> Wanted | None:
    """What a change of a file asks for; ``None`` if it is none of ours."""
    if any(
        is_left_over(part) or part == "__pycache__" for part in _below(places, path)
    ):
        return None
    for_all = (places.root / "CITATION.cff", places.source / "answers.toml")
    if path.suffix == ".bib" or path in for_all:
        return Wanted.RESTART
    if path.is_relative_to(places.config):
        apart = path.relative_to(places.config).parts[0] in APART
        return None if apart else Wanted.RESTART
    return Wanted.BUILD


def _below(places: Places, path: Path) -> Iterable[str]:
    """The parts of a path below the folder that is watched."""
    for folder in (places.source, places.config, places.root):
        if path.is_relative_to(folder):
            return path.relative_to(folder).parts
    return path.parts
