"""The formulas of the last build: what was converted once is not converted again.

A file holds the MathML of each request, and the digest of the code that made it: Temml,
its server, and what this package does before and after. Another version of any of them
finds nothing there that it could use.

>>> kept = Kept()
>>> kept.get("x", lambda: "<math><mi>x</mi></math>")
'<math><mi>x</mi></math>'
>>> kept.get("x", lambda: "never asked")
'<math><mi>x</mi></math>'
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path


class Kept:
    """What was converted, by request; a failure is not kept."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._used: dict[str, str] = {}

    def get(self, request: str, convert: Callable[[], str]) -> str:
        """The MathML of a request, converted unless it is known."""
        if request not in self._used:
            known = self._known.get(request)
            self._used[request] = convert() if known is None else known
        return self._used[request]

    def load(self, file: Path, version: str) -> None:
        """Know what a file holds, if this version wrote it."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if content["version"] == version:
                self._known |= content["formulas"]
        except (OSError, ValueError, KeyError, TypeError):
            return  # there is none yet, or it is damaged

    def save(self, file: Path, version: str) -> None:
        """Write what was used into a file, if it holds anything else."""
        if self._used == self._known:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        content = {"version": version, "formulas": self._used}
        # Another build may write its own at the same moment; one of them stays, whole.
        aside = file.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        aside.replace(file)


def digest(files: Iterable[Path]) -> str:
    """A digest of the contents of some files."""
    state = hashlib.sha256()
    for file in files:
        state.update(hashlib.sha256(file.read_bytes()).digest())
    return state.hexdigest()
