"""Which pages the built book has."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("BOOK_SITE", ROOT / "build" / "html"))
PAGES = sorted(page.stem for page in SITE.glob("*.html"))
CHAPTERS = sorted(
    page.stem.replace("_", "-")
    for page in (ROOT / "snippets").glob("*.py")
    if page.stem != "__init__"
)
