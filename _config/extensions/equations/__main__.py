"""Check formulas in a process of their own, so that Sphinx need not import torch.

``python -m equations folder`` takes the pages that wait in a folder, one at a time; as
many such processes as there are cores share them. ``000.waiting`` has the name of a
page and its Markdown, ``["linear-regression", "# Linear regression …"]``; it is renamed
to ``000.taken``, and the findings are in ``000.found``.
"""

import gc
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from equations.checking import check_page


def check_waiting(folder: Path, root: Path) -> None:
    """Check the pages that no other process has taken."""
    for waiting in sorted(folder.glob("*.waiting")):
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
    gc.disable()  # it ends soon, and what is drawn is kept until then
    check_waiting(Path(sys.argv[1]), Path.cwd())
