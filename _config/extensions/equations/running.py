"""Check the formulas of pages in a process with torch, once, and remember the findings.

The findings of a page are kept in one file under a key that covers its formulas, the
code of the checks and of this package, and the versions.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from equations.pages import Printed, formulas
from equations.report import Finding, Page
from execution import versions

HERE = Path(__file__).parent


def check_pages(root: Path, texts: Mapping[str, str], cache: Path) -> dict[str, Page]:
    """The findings of pages, given by name with their Markdown, ``{eval}`` filled in."""
    keys = {slug: _key(root, slug, text) for slug, text in texts.items()}
    found = {slug: _load(cache, slug, key) for slug, key in keys.items()}
    waiting = {slug: text for slug, text in texts.items() if found[slug] is None}
    if waiting:
        for slug, page in _run(root, waiting).items():
            found[slug] = page
            _keep(cache, slug, keys[slug], page)
    return {slug: page for slug, page in found.items() if page is not None}


def sources(root: Path, slug: str) -> list[Path]:
    """The code on which the findings of a page depend; it need not exist yet."""
    checks = root / "snippets" / "checks"
    module = f"{slug.replace('-', '_')}.py"
    return [*sorted(HERE.glob("*.py")), checks / "__init__.py", checks / module]


def _key(root: Path, slug: str, text: str) -> str:
    code = [
        path.read_text(encoding="utf-8") if path.is_file() else ""
        for path in sources(root, slug)
    ]
    printed = [asdict(formula) for formula in formulas(slug, text)]
    parts = [versions(), printed, code]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _run(root: Path, texts: Mapping[str, str]) -> dict[str, Page]:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(root)]),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "equations"],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        cwd=root,
        check=False,
    )
    if done.returncode:
        raise CheckError(done.stderr.strip())
    return {slug: _page(raw) for slug, raw in json.loads(done.stdout).items()}


class CheckError(Exception):
    """The code of the checks itself fails; the text is Python's account of it."""


def _page(raw: dict[str, Any]) -> Page:
    findings = []
    for finding in raw["findings"]:
        printed = finding["formula"] | {"places": tuple(finding["formula"]["places"])}
        findings.append(Finding(**finding | {"formula": Printed(**printed)}))
    return Page(findings, raw["unused"])


def _load(cache: Path, slug: str, key: str) -> Page | None:
    try:
        kept = json.loads((cache / f"{slug}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return _page(kept["page"]) if kept.get("key") == key else None


def _keep(cache: Path, slug: str, key: str, page: Page) -> None:
    path = cache / f"{slug}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps({"key": key, "page": asdict(page)}), encoding="utf-8")
    aside.replace(path)
