"""Check the formulas of pages in processes with torch, once; remember the findings.

The findings of a page are kept in one file under a key that covers its formulas, the
code of the checks and of this package, and the versions. It does not cover the lines in
which the formulas stand: a sentence more above them is no reason to compute them anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from equations.language import is_claim
from equations.pages import Printed, formulas
from equations.report import NO_CLAIM, Broken, Finding, Page
from execution import versions
from ready_kernels.forking import run_module

HERE = Path(__file__).parent


def check_pages(root: Path, texts: Mapping[str, str], cache: Path) -> dict[str, Page]:
    """The findings of pages, given by name with their Markdown, values filled in.

    Raises:
        CheckError: if a process that checks has ended.
    """
    checks = Checks(root)
    for slug, text in sorted(texts.items(), key=lambda item: -len(item[1])):
        checks.add(slug, text, cache)
    return checks.result()


class Checks:
    """Checks pages as they come, in as many processes as there are cores.

    The processes share a folder, see ``equations.__main__``; the first begins with the
    first page on which something is to be computed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._shared = Path(tempfile.mkdtemp(prefix="book-"))
        # Without it the processes end, whatever becomes of this object.
        self._end = weakref.finalize(self, shutil.rmtree, self._shared, True)
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1)
        self._processes: list[Future[int]] = []
        self._keys: dict[str, tuple[Path, str]] = {}
        self._found: dict[str, Page] = {}

    def add(self, slug: str, text: str, cache: Path) -> None:
        """Check a page, its values filled in, unless the folder has its findings."""
        printed = formulas(slug, text)
        key = _key(self._root, slug, printed)
        page = _idle(self._root, slug, printed) or _load(cache, slug, key, printed)
        if page is not None:
            self._found[slug] = page
            return
        self._keys[slug] = cache, key
        # The longest of those that wait is taken first.
        name = f"{10**9 - len(text)}-{len(self._keys)}"
        aside = self._shared / f"{name}.new"
        aside.write_text(json.dumps([slug, text]), encoding="utf-8")
        aside.rename(aside.with_suffix(".waiting"))
        if len(self._processes) < (os.cpu_count() or 1):
            self._processes.append(self._threads.submit(self._process))

    def _process(self) -> int:
        path = [HERE.parent, self._root]
        return run_module("equations", [str(self._shared)], self._root, path)

    def result(self) -> dict[str, Page]:
        """The findings of all pages, when the last is checked; no page comes then.

        Raises:
            CheckError: if a process has ended.
        """
        (self._shared / "complete").touch()
        codes = [process.result() for process in self._processes]
        self._threads.shutdown()
        unfinished = [slug for slug, _ in map(_read, self._shared.glob("*.taken"))]
        found = dict(map(_read, self._shared.glob("*.found")))
        self._end()
        if any(codes):
            raise CheckError(
                f"a process that checks {', '.join(sorted(unfinished))} ended with the "
                f"exit code {max(codes, key=abs)}; what it said stands above"
            )
        for slug, raw in found.items():
            self._found[slug] = page = _page(raw)
            if page.broken is None:
                cache, key = self._keys[slug]
                _keep(cache, slug, key, page)
        return self._found


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
