"""Probes of misconceptions: read from their modules, and run in a kernel.

A module ``snippets/misconceptions/tensors.py`` with ::

    @misconception
    def star() -> Probe:
        '''`A * B`, where `B` is a matrix that swaps two columns.'''
        ...
        return Probe(believed=A @ B, found=A * B)

gives ``ProbeSource(name="tensors-star", …)``, and running it a ``Result`` with both
values as they read in a sentence. The probes run like the cells of one more chapter
(``execution``), so that torch stays out of this process, a hanging probe is stopped,
and results are kept until the code that gives them, or a version, changes.

Nothing here knows of Sphinx.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat

import cell_values
import probe_report
from chapter_notebook import Chapter
from execution import Progress, Settings, run_chapters
from snippet_cells import SnippetLibrary

PACKAGE = "misconceptions"
# The name under which results are kept beside those of the chapters.
RUN = "misconception-probes"


@dataclass(frozen=True)
class ProbeSource:
    """A probe as it stands in its module: ``line`` (from 1) of ``path``."""

    name: str
    about: str
    code: str
    module: str
    function: str
    path: Path
    line: int


@dataclass(frozen=True)
class Result:
    """What the belief predicts and what was found, as texts."""

    believed: str
    found: str


@dataclass(frozen=True)
class Mistake:
    """An author's mistake in a file: line (from 1), what and remedy."""

    path: Path
    line: int
    message: str


def probe_files(library: SnippetLibrary) -> list[Path]:
    """The modules that hold the probes, one for each chapter."""
    files = sorted((library.folder / PACKAGE).glob("*.py"))
    return [file for file in files if file.stem != "__init__"]


def read_probes(
    library: SnippetLibrary,
) -> tuple[dict[str, ProbeSource], list[Mistake]]:
    """All probes by name, and what is wrong with their modules."""
    probes: dict[str, ProbeSource] = {}
    mistakes: list[Mistake] = []
    for path in probe_files(library):
        text = path.read_text(encoding="utf-8")
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            mistakes.append(Mistake(path, error.lineno or 1, error.msg))
            continue
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef) or not _is_probe(node):
                continue
            name = f"{path.stem}-{node.name}".replace("_", "-")
            about, *_ = (ast.get_docstring(node) or "").splitlines() or [""]
            module = f"{library.package}.{PACKAGE}.{path.stem}"
            probe = ProbeSource(
                name, about, _code(text, node), module, node.name, path, node.lineno
            )
            if name in probes:
                message = f"second probe {name!r}; keep one"
                mistakes.append(Mistake(path, node.lineno, message))
            elif not about:
                message = (
                    f"the probe {name!r} has no docstring; write one line that says "
                    "what its two values are values of"
                )
                mistakes.append(Mistake(path, node.lineno, message))
            probes.setdefault(name, probe)
    return probes, mistakes


def _code(text: str, node: ast.FunctionDef) -> str:
    """The function without its docstring, which stands above it on the page."""
    lines = text.splitlines()
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return "\n".join(lines[node.lineno - 1 : node.end_lineno])
    head = lines[node.lineno - 1 : first.lineno - 1]
    return "\n".join([*head, *lines[first.end_lineno : node.end_lineno]])


def _is_probe(node: ast.FunctionDef) -> bool:
    return any(
        isinstance(mark, ast.Name) and mark.id == "misconception"
        for mark in node.decorator_list
    )


def run_probes(
    probes: Iterable[ProbeSource],
    library: SnippetLibrary,
    settings: Settings,
    progress: Progress = lambda line: None,
) -> tuple[dict[str, Result], list[Mistake]]:
    """Run probes in a kernel; results by name, and the mistakes of those without."""
    sources = list(probes)
    notebook = nbformat.v4.new_notebook()
    for number, source in enumerate(sources):
        call = f"report({source.module!r}, {source.function!r})"
        cell = nbformat.v4.new_code_cell(f"from probe_report import report\n{call}")
        cell.metadata["line"] = number  # of the list: a problem leads to its probe
        cell.metadata["where"] = f"the probe {source.name!r}"
        notebook.cells.append(cell)
    digest = hashlib.sha256()
    code = library.dependencies(source.path for source in sources)
    digest.update(library.digest(code).encode())
    for module in (probe_report.__file__, cell_values.__file__):
        digest.update(Path(module).read_bytes())
    chapter = Chapter(notebook)
    outcome = run_chapters({RUN: (chapter, digest.hexdigest())}, settings, progress)[
        RUN
    ]
    results: dict[str, Result] = {}
    mistakes: list[Mistake] = []
    for problem in outcome.problems:
        source = sources[problem.line]
        mistakes.append(Mistake(source.path, source.line, problem.message))
    for source, outputs in zip(sources, outcome.outputs, strict=True):
        for output in outputs:
            if output.output_type != "stream" or output.name != "stdout":
                continue
            answer = json.loads(output.text.splitlines()[-1])
            result = Result(answer["believed"], answer["found"])
            if reason := answer["problem"] or _indistinct(result):
                message = f"the probe {source.name!r} {reason}"
                mistakes.append(Mistake(source.path, source.line, message))
            else:
                results[source.name] = result
    return results, mistakes


def _indistinct(result: Result) -> str:
    if result.believed != result.found:
        return ""
    return (
        f"gives two values that read the same, {result.found!r}; "
        "return what tells them apart"
    )
