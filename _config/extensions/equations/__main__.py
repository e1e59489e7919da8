"""Check formulas in a process of their own, so that Sphinx need not import torch.

``python -m equations folder`` takes the pages that wait in a folder, one at a time; as
many such processes as there are cores share them. ``1.waiting`` has the name of a page
and its Markdown, ``["linear-regression", "# Linear regression …"]``; it is renamed to
``1.taken``, and the findings are in ``1.found``. More pages may come until there is a
file ``complete``. If the folder is gone, nobody waits any more.
"""

import gc
import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import torch

from equations.checking import check_page


def wait_for_cells() -> None:
    """Take what the cells leave of the processors: the pages wait for them."""
    if hasattr(os, "nice"):  # Windows has no such thing
        os.nice(10)
    with suppress(OSError):
        # Linux weighs whole sessions, and each of these processes has its own.
        Path("/proc/self/autogroup").write_text("10", encoding="utf-8")


def check_waiting(folder: Path, root: Path) -> None:
    """Check the pages that no other process has taken, until no more will come."""
    while folder.is_dir():
        complete = (folder / "complete").exists()  # before looking for the last page
        waiting = min(folder.glob("*.waiting"), default=None)
        if waiting is None:
            if complete:
                return
            time.sleep(0.02)
            continue
        try:
            taken = waiting.rename(waiting.with_suffix(".taken"))
        except FileNotFoundError:
            continue  # another process was faster
        slug, text = json.loads(taken.read_text(encoding="utf-8"))
        page = asdict(check_page(root, slug, text))
        found = taken.with_suffix(".found")
        found.write_text(json.dumps([slug, page]), encoding="utf-8")
        taken.unlink()


if __name__ == "__main__":
    torch.set_num_threads(1)
    # Forward mode would compile a tenth of a second's worth of what is not used here.
    os.environ["PYTORCH_JIT"] = "0"
    wait_for_cells()
    gc.disable()  # it ends soon, and what is drawn is kept until then
    check_waiting(Path(sys.argv[1]), Path.cwd())
