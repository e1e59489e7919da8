"""The stubs of the exercises, and what their checks say before they are filled in.

They are asked of ``snippets.exercises`` in a process of its own, since the project that
is built need not be the one that builds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ASK = """
import contextlib, importlib, io, json, pkgutil
from snippets import exercises
for module in pkgutil.iter_modules(exercises.__path__):
    importlib.import_module(f"{exercises.__name__}.{module.name}")
found = {}
for it in exercises.EXERCISES.values():
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(it.cell, {"__name__": "__main__"})
    found[it.label] = it.cell, printed.getvalue()
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Stub:
    """The cell of an exercise, and what running it prints."""

    cell: str
    output: str


def read_stubs(root: Path) -> dict[str, Stub]:
    """The stubs of a project by the label of their exercise; none without a package.

    Raises:
        RuntimeError: if the package cannot be imported, with the reason.
    """
    if not (root / "snippets" / "exercises").is_dir():
        return {}
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(
        command, cwd=root, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(f"snippets.exercises cannot be imported: {reason}")
    found = json.loads(done.stdout)
    return {label: Stub(cell, output) for label, (cell, output) in found.items()}
