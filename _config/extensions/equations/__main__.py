"""Check formulas in a process of their own: chapters in as JSON, findings out.

``python -m equations < {"linear-regression": "# Linear regression …"}``; Sphinx and the
tests call it so that torch is imported here and not in them.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from equations.checking import check_page

if __name__ == "__main__":
    torch.set_num_threads(1)
    pages = json.load(sys.stdin)
    root = Path.cwd()
    found = {slug: asdict(check_page(root, slug, text)) for slug, text in pages.items()}
    json.dump(found, sys.stdout)
