"""Check the formulas of pages in processes with torch, once; remember the findings.

The findings of a page are kept in one file under a key that covers its formulas, the
code of the checks and of this package, and the versions. It does not cover the lines in
which the formulas stand: a sentence more above them is no reason to compute them anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from equations.language import is_claim
from equations.pages import Printed, formulas
from equations.report import NO_CLAIM, Broken, Finding, Page
from execution import versions
from ready_kernels.forking import run_module

HERE = Path(__file__).parent


def check_pages(root: Path, texts: Mapping[str, str], cache: Path) -> dict[str, Page]:
    """The findings of pages, given by name with their Markdown, values filled in."""
    printed = {slug: formulas(slug, text) for slug, text in texts.items()}
    keys = {slug: _key(root, slug, found) for slug, found in printed.items()}
    found = {
        slug: _idle(root, slug, printed[slug]) or _load(cache, slug, key, printed[slug])
        for slug, key in keys.items()
    }
    waiting = {slug: text for slug, text in texts.items() if found[slug] is None}
    if waiting:
        for slug, page in _run(root, waiting).items():
            found[slug] = page
            if page.broken is None:
                _keep(cache, slug, keys[slug], page)
    return {slug: page for slug, page in found.items() if page is not None}


def _idle(root: Path, slug: str, printed: list[Printed]) -> Page | None:
    """The findings of a page on which nothing is to be computed."""
    if any(is_claim(formula.tex) for formula in printed):
        return None
    if sources(root, slug)[-1].is_file():
        return None  # it may speak of formulas that are gone
    return Page([Finding(formula, NO_CLAIM) for formula in printed])


def sources(root: Path, slug: str) -> list[Path]:
    """The code on which the findings of a page depend; it need not exist yet."""
    return [*sorted(HERE.glob("*.py")), *checks_of(root, slug)]


def checks_of(root: Path, slug: str) -> list[Path]:
    """Of this code what an author writes."""
    checks = root / "snippets" / "checks"
    return [checks / "__init__.py", checks / f"{slug.replace('-', '_')}.py"]


def _key(root: Path, slug: str, printed: list[Printed]) -> str:
    code = [
        path.read_text(encoding="utf-8") if path.is_file() else ""
        for path in sources(root, slug)
    ]
    # Which formulas share a row of a table matters, its line does not. 0 is no row.
    rows = list(dict.fromkeys([0, *(formula.row for formula in printed)]))
    placeless = [
        asdict(formula) | {"line": 0, "row": rows.index(formula.row)}
        for formula in printed
    ]
    parts = [versions(), placeless, code]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _run(root: Path, texts: Mapping[str, str]) -> dict[str, Page]:
    """Check pages in as many processes as there are cores; the longest come first."""
    count = min(os.cpu_count() or 1, len(texts))
    ordered = sorted(texts.items(), key=lambda item: -len(item[1]))
    with (
        tempfile.TemporaryDirectory(prefix="book-") as name,
        ThreadPoolExecutor(count) as pool,
    ):
        folder = Path(name)
        for number, page in enumerate(ordered):
            waiting = folder / f"{number:03}.waiting"
            waiting.write_text(json.dumps(page), encoding="utf-8")
        codes = [*pool.map(partial(_run_process, root), [folder] * count)]
        if any(codes):
            unfinished = [_read(file)[0] for file in folder.glob("*.taken")]
            raise CheckError(
                f"a process that checks {', '.join(sorted(unfinished))} ended with the "
                f"exit code {max(codes, key=abs)}; what it said stands above"
            )
        found = map(_read, folder.glob("*.found"))
        return {slug: _page(raw) for slug, raw in found}


def _run_process(root: Path, folder: Path) -> int:
    path = [HERE.parent, root.resolve()]
    return run_module("equations", [str(folder)], root.resolve(), path)


def _read(file: Path) -> tuple[str, Any]:
    slug, found = json.loads(file.read_text(encoding="utf-8"))
    return slug, found


class CheckError(Exception):
    """The process that checks has ended."""


def _page(raw: dict[str, Any]) -> Page:
    findings = []
    for finding in raw["findings"]:
        printed = finding["formula"] | {"places": tuple(finding["formula"]["places"])}
        findings.append(Finding(**finding | {"formula": Printed(**printed)}))
    broken = raw["broken"] and Broken(**raw["broken"])
    return Page(findings, raw["unused"], broken)


def _load(cache: Path, slug: str, key: str, printed: list[Printed]) -> Page | None:
    try:
        kept = json.loads((cache / f"{slug}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if kept.get("key") != key:
        return None
    page = _page(kept["page"])
    for finding, formula in zip(page.findings, printed, strict=True):
        finding.formula = formula  # where it stands now
    return page


def _keep(cache: Path, slug: str, key: str, page: Page) -> None:
    path = cache / f"{slug}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps({"key": key, "page": asdict(page)}), encoding="utf-8")
    aside.replace(path)
