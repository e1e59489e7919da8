"""Check formulas in a process of their own, so that Sphinx need not import torch.

``python -m equations pages.json``, where the file holds the Markdown of pages,
``{"linear-regression": "# Linear regression …"}``, puts their findings in its place.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from equations.checking import check_page

if __name__ == "__main__":
    torch.set_num_threads(1)
    file, root = Path(sys.argv[1]), Path.cwd()
    pages = json.loads(file.read_text(encoding="utf-8"))
    found = {slug: asdict(check_page(root, slug, text)) for slug, text in pages.items()}
    file.write_text(json.dumps(found), encoding="utf-8")
