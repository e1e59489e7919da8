"""What Sphinx has read, kept from a good build for the next one of its kind.

Most of the time of a build goes into reading pages. So a good build leaves its doctrees
and its environment in one file. The next one begins with a copy of them: Sphinx reads
the pages that are made from changed files, and resolves and writes all, as ever. ::

    kept = KeptReading(Path("build/reading/typst"), places, settings)
    with kept.workplace(Path("build")) as work:
        app = Sphinx(…, doctreedir=work / "doctrees")
        kept.outdate(app.env)
        app.build()
        kept.keep(app.env)  # if nothing was complained of

The result is that of a build from nothing. What is kept is used only if nothing has
changed but the text of pages and the code that pages are known to be made from. Every
other file of the book, of its settings and extensions, a new or missing page, a new
version of a package or another setting: each means a build from nothing. So does a file
that was cut short or that another project has written.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sphinx.environment import BuildEnvironment

from preview.watching import Places, is_left_over

# Pages and code; a page notes all of these that it is made from.
TRACKED = (".md", ".py")
# What is kept of a build's folder. MyST-NB writes the pictures of cells while it reads.
PARTS = ("doctrees", "jupyter_execute")


@dataclass(frozen=True)
class Head:
    """What must be known of a file's content before it is used.

    Attributes:
        key: a digest of the settings.
        folder: name of the folder that the build had; doctrees name pictures in it.
        files: a digest of each file that the build may have read.
        tracked: those of them that pages are known to be made from.
    """

    key: str
    folder: str
    files: Mapping[str, str]
    tracked: list[str]


class Known(NamedTuple):
    """A file as it is now; ``time`` tells that it was written, if only as it was."""

    digest: str
    time: int


class KeptReading:
    """The file of one kind of build, read before the build and written after it.

    Args:
        file: where it is kept.
        places: of the book.
        settings: all that the build depends on beside files and versions, as JSON.
        fresh: whether to begin from nothing whatever is kept.
    """

    def __init__(
        self, file: Path, places: Places, settings: object, *, fresh: bool = False
    ) -> None:
        self.file = file
        self.places = places
        self.key = _digest(json.dumps([settings, versions()]).encode())
        self.fresh = fresh
        self.work = Path()
        self.before: dict[str, Known] = {}
        self.changed: set[str] = set()
        self.began = 0

    @contextmanager
    def workplace(self, parent: Path) -> Iterator[Path]:
        """A folder for one build, with what was kept if the build may begin with it."""
        self.began = time.time_ns() // 1000  # as Sphinx counts
        self.before = files_of(self.places)
        begin = None if self.fresh else self._usable()
        if begin and _could_make(parent / begin.head.folder):
            self.work, self.changed = parent / begin.head.folder, begin.changed
        else:
            begin = None
            self.work = Path(tempfile.mkdtemp(dir=parent, prefix=".build-"))
        try:
            if begin:
                with tarfile.open(fileobj=io.BytesIO(begin.content)) as archive:
                    archive.extractall(self.work, filter="data")
            yield self.work
        finally:
            shutil.rmtree(self.work, ignore_errors=True)

    def _usable(self) -> _Beginning | None:
        """What is kept, if a build may begin with it."""
        try:
            digest, text = self.file.read_bytes().split(b"\n", 1)
            if digest.decode() != _digest(text):
                return None
            first, content = text.split(b"\n", 1)
            head = Head(**json.loads(first))
        except (OSError, ValueError, TypeError):
            return None  # there is none yet, or it is damaged
        now = {name: known.digest for name, known in self.before.items()}
        changed = {name for name, _ in now.items() ^ head.files.items()}
        alike = head.key == self.key
        if alike and changed <= now.keys() and changed <= set(head.tracked):
            return _Beginning(head, content, changed)
        return None

    def outdate(self, env: BuildEnvironment) -> None:
        """Have the pages read again that are made from changed files, and no others.

        Sphinx goes by times: a file may be newer without a change, or changed and old.
        """
        changed = pages_made_from(env, set(map(Path, self.changed)))
        for docname in env.all_docs:
            if docname in changed:
                env.all_docs[docname] = 0
            elif all(map(self._is_known, made_from(env, docname))):
                env.all_docs[docname] = self.began

    def _is_known(self, file: Path) -> bool:
        """Whether a file is one that was compared, or a picture that was kept."""
        return str(file) in self.before or file.is_relative_to(self.work.resolve())

    def keep(self, env: BuildEnvironment) -> None:
        """Write the file anew, if no file of the book has changed during the build."""
        if files_of(self.places) != self.before:
            return
        tracked = {str(path) for name in env.all_docs for path in made_from(env, name)}
        head = Head(
            self.key,
            self.work.name,
            {name: known.digest for name, known in self.before.items()},
            sorted(n for n in tracked & self.before.keys() if n.endswith(TRACKED)),
        )
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as archive:
            for part in PARTS:
                if (self.work / part).exists():
                    archive.add(self.work / part, part)
        text = json.dumps(vars(head)).encode() + b"\n" + content.getbuffer()
        # In one step: who reads at this moment has the old or the new.
        aside = self.work / "kept"
        aside.write_bytes(_digest(text).encode() + b"\n" + text)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        aside.replace(self.file)


@dataclass(frozen=True)
class _Beginning:
    """What a build begins with, and the files that have changed since."""

    head: Head
    content: bytes
    changed: set[str]


def made_from(env: BuildEnvironment, docname: str) -> set[Path]:
    """The files that a page is known to be made from, its own among them."""
    found = [env.doc2path(docname), *env.dependencies.get(docname, ())]
    # They are named from the folder of the pages, or from the root.
    return {Path(os.path.normpath(Path(env.srcdir, file))) for file in found}


def pages_made_from(env: BuildEnvironment, files: Set[Path]) -> set[str]:
    """The pages that have been read and are made from one of some files."""
    return {name for name in env.all_docs if not files.isdisjoint(made_from(env, name))}


def files_of(places: Places) -> dict[str, Known]:
    """Each file that a build of the book may read."""
    return {
        str(path): Known(_digest(path.read_bytes()), path.stat().st_mtime_ns)
        for path in _below(places.watched())
    }


def _below(paths: Iterable[Path]) -> Iterator[Path]:
    for path in sorted(paths):
        if path.is_dir():
            names = [name for name in os.listdir(path) if not is_left_over(name)]
            yield from _below(path / n for n in names if n != "__pycache__")
        elif path.is_file():
            yield path


def versions() -> list[str]:
    """Python, and the name and version of each package that is installed."""
    folders = [Path(path) for path in sys.path if Path(path).is_dir()]
    packages = {p.name for folder in folders for p in folder.glob("*.dist-info")}
    return [sys.version, *sorted(packages)]


def _could_make(folder: Path) -> bool:
    """Whether a folder could be made; another build may be at work in it."""
    try:
        folder.mkdir()
    except OSError:
        return False
    return True


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()
