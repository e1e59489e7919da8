"""Run a chapter's cells in a Jupyter kernel, once, and remember the outcome.

``run_chapters`` takes the chapters of a build side by side, each in a kernel of its
own, and returns what every chapter gave: outputs, values for the prose, and problems. A
cell that fails, hangs, prints to stderr or kills its kernel is a problem of its chapter
alone. An outcome without problems is kept in a file for each chapter, under a key that
covers the cells, all project code that they import, and the versions of Python, torch
and NumPy; it holds no path of this machine.

Nothing here knows of Sphinx.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from cell_outputs import ADDRESS, failure, normalise, unfit_outputs
from chapter_notebook import Chapter, Evaluation, Problem, Values
from ready_kernels.forking import clean_environment, why_not
from ready_kernels.kernels import KernelSpecs

# Part of every cache key; change it when what is kept of a run changes its meaning.
FORMAT = 3
PACKAGES = ("torch", "numpy", "ipykernel", "ipython", "matplotlib", "pygraphviz")

Progress = Callable[[str], None]


@dataclass
class Outcome:
    """What running a chapter gave: outputs per code cell, values, and problems."""

    outputs: list[list[NotebookNode]] = field(default_factory=list)
    values: Values = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


Done = Callable[[str, Outcome], None]


@dataclass(frozen=True)
class Settings:
    """How chapters are run: project root, folder of the cache, seconds for a cell."""

    root: Path
    cache: Path
    timeout: int = 60


def versions() -> dict[str, str]:
    """The versions that an output can depend on."""
    return {"python": platform.python_version()} | _installed()


@cache
def _installed() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def cache_key(chapter: Chapter, digest: str) -> str:
    """The key of a run: cells, values asked for, digest of the code they import."""
    cells = [
        (cell.source, cell.metadata.get("raises")) for cell in chapter.code_cells()
    ]
    asked = [(item.after, item.text) for item in chapter.evaluations]
    parts = [FORMAT, versions(), cells, asked, digest]
    if numbers := [cell.metadata.get("number") for cell in chapter.code_cells()]:
        parts += [numbers] if any(numbers) else []
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def run_chapters(
    chapters: Mapping[str, tuple[Chapter, str]],
    settings: Settings,
    progress: Progress = lambda line: None,
    done: Done = lambda name, outcome: None,
) -> dict[str, Outcome]:
    """Run chapters, given by name with the digest of their code; see the module.

    ``done`` is told the outcome of each as soon as it is known.
    """
    outcomes: dict[str, Outcome] = {}
    waiting: dict[str, tuple[Chapter, str]] = {}
    for name, (chapter, digest) in chapters.items():
        key = cache_key(chapter, digest)
        known = _load(settings.cache, name, key)
        if chapter.problems or not chapter.code_cells():
            # Cells of a broken chapter would fail for the reason already reported.
            outcomes[name] = Outcome([[] for _ in chapter.code_cells()])
            outcomes[name].problems += _values_without_cells(chapter)
        elif known is not None:
            outcomes[name] = known
        else:
            waiting[name] = (chapter, key)
    for name, outcome in outcomes.items():
        done(name, outcome)
    if waiting:
        asyncio.run(_run_all(waiting, settings, progress, done, outcomes))
    return outcomes


def _values_without_cells(chapter: Chapter) -> list[Problem]:
    if chapter.problems:
        return []
    return [_no_cell_before(item) for item in chapter.evaluations]


async def _run_all(
    waiting: Mapping[str, tuple[Chapter, str]],
    settings: Settings,
    progress: Progress,
    done: Done,
    outcomes: dict[str, Outcome],
) -> None:
    if reason := why_not():
        progress(f"each chapter waits for its imports: {reason}")
    # More than there are cores: a kernel waits for messages, and long for the first.
    slots = asyncio.Semaphore((os.cpu_count() or 1) + 2)
    ended = 0

    async def one(name: str, chapter: Chapter, key: str) -> None:
        nonlocal ended
        async with slots:
            start = time.monotonic()
            outcomes[name] = outcome = await _run(chapter, settings)
        ended += 1
        result = "failed" if outcome.problems else f"{time.monotonic() - start:.1f} s"
        count = len(chapter.code_cells())
        progress(f"[{ended}/{len(waiting)}] {name}: {count} cells, {result}")
        if not outcome.problems:
            _store(settings.cache, name, key, outcome)
        done(name, outcome)

    # The longest first, so that none of them is left for the end.
    longest = sorted(waiting, key=lambda name: -len(waiting[name][0].code_cells()))
    await asyncio.gather(*(one(name, *waiting[name]) for name in longest))


async def _run(chapter: Chapter, settings: Settings) -> Outcome:
    """Run the cells of one chapter in a kernel of its own."""
    outcome = Outcome()
    cells = chapter.code_cells()
    asked: dict[int, list[Evaluation]] = {}
    for item in chapter.evaluations:
        asked.setdefault(item.after, []).append(item)
    outcome.problems += [_no_cell_before(item) for item in asked.get(0, [])]
    async with _kernel(settings) as client:
        client.timeout = settings.timeout
        counted = 0
        for number, cell in enumerate(cells, 1):
            # A traceback names the cell by its number in the whole chapter.
            wanted = cell.metadata.get("number", number)
            await _count_to(client, wanted - counted - 1)
            counted = wanted
            problem = await _run_cell(client, cell, wanted, settings.root)
            outcome.outputs.append(cell.outputs)
            if problem:
                outcome.problems.append(problem)
                break  # what follows depends on this cell
            outcome.problems += unfit_outputs(cell)
            items = asked.get(number, [])
            found = await _evaluate(client, items, settings.timeout)
            for item, (value, reason) in zip(items, found, strict=True):
                outcome.values[number, item.text] = value
                if reason:
                    message = f"{{eval}}`{item.text}` failed: {reason}"
                    problem = Problem(item.line, message, "execution.eval")
                    outcome.problems.append(problem)
    outcome.outputs += [[] for _ in cells[len(outcome.outputs) :]]
    return outcome


def _no_cell_before(item: Evaluation) -> Problem:
    message = f"no cell stands before {{eval}}`{item.text}`; move it below one"
    return Problem(item.line, message, "execution.eval")


@contextlib.asynccontextmanager
async def _kernel(settings: Settings) -> AsyncIterator[NotebookClient]:
    """A started kernel, in a folder of its own that is empty."""
    with tempfile.TemporaryDirectory(prefix="book-") as folder:
        manager = AsyncKernelManager(
            kernel_spec_manager=KernelSpecs(),
            connection_file=os.path.join(folder, "kernel.json"),
        )
        if os.name == "posix":
            manager.transport = "ipc"  # no open port, and no warning about one
        client = NotebookClient(
            nbformat.v4.new_notebook(),
            km=manager,
            timeout=None,
            startup_timeout=120,
            allow_errors=True,
            # How a kernel cuts a text into messages is a matter of chance.
            coalesce_streams=True,
            # `normalise` would take them out; to put them in costs more than a cell.
            extra_arguments=["--InteractiveShell.colors=nocolor"],
        )
        extensions = Path(__file__).parent
        environment = clean_environment() | {
            "PYTHONPATH": os.pathsep.join([str(settings.root), str(extensions)]),
            "IPYTHONDIR": folder,
        }
        try:
            await client.async_start_new_kernel(env=environment, cwd=folder)
            await client.async_start_new_kernel_client()
            yield client
        finally:
            with contextlib.suppress(RuntimeError, ProcessLookupError):
                await manager.shutdown_kernel(now=True)
            if client.kc is not None:
                client.kc.stop_channels()


async def _count_to(client: NotebookClient, skipped: int) -> None:
    """Let the kernel count cells that this chapter has left out."""
    assert isinstance(client.kc, AsyncKernelClient)
    for _ in range(skipped):
        await client.kc.execute_interactive("pass", timeout=client.timeout)


async def _run_cell(
    client: NotebookClient, cell: NotebookNode, number: int, root: Path
) -> Problem | None:
    """Run one cell in place; the problem that stops the chapter, if there is one."""
    line, where = cell.metadata["line"], cell.metadata["where"]
    client.nb.cells = [cell]
    try:
        await client.async_execute_cell(cell, 0, execution_count=number)
    except DeadKernelError:
        return Problem(
            line,
            f"the kernel died while it ran {where}; look for os._exit, a crash in "
            "compiled code, or too little memory",
            "execution.dead",
        )
    except CellTimeoutError:
        return Problem(
            line,
            f"{where} ran longer than {client.timeout} s and was stopped; "
            "make it shorter",
            "execution.timeout",
        )
    for item in cell.outputs:
        normalise(item, root)
    return failure(cell)


async def _evaluate(
    client: NotebookClient, items: Sequence[Evaluation], timeout: int
) -> list[tuple[str, str]]:
    """For each expression the text of its value, and a reason if there is none."""
    if not items:
        return []
    assert isinstance(client.kc, AsyncKernelClient)
    # Imported by name, not into the namespace, which is the chapter's own.
    calls = {
        str(
            place
        ): f"__import__('cell_values').in_prose({item.expression}, {item.spec!r})"
        for place, item in enumerate(items)
    }
    try:
        reply = await client.kc.execute_interactive(
            "", silent=True, user_expressions=calls, timeout=timeout
        )
    except TimeoutError:
        return [(item.text, f"no value after {timeout:g} s") for item in items]
    results: dict[str, dict[str, Any]] = reply["content"]["user_expressions"]
    return [
        _value(item, results[place]) for place, item in zip(calls, items, strict=True)
    ]


def _value(item: Evaluation, result: dict[str, Any]) -> tuple[str, str]:
    if result["status"] == "error":
        return item.text, f"{result['ename']}: {result['evalue']}"
    value = str(ast.literal_eval(result["data"]["text/plain"]))
    if "\n" in value or ADDRESS.search(value):
        return item.text, f"{value!r} is not a value for a sentence"
    return value, ""


def _load(cache: Path, name: str, key: str) -> Outcome | None:
    try:
        kept = json.loads(_file(cache, name).read_text(encoding="utf-8"))
        if kept["key"] != key:
            return None
        values = {(after, text): value for after, text, value in kept["values"]}
        from_dict = nbformat.from_dict
        outputs = [[from_dict(item) for item in cell] for cell in kept["outputs"]]  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, KeyError):
        return None  # absent, or not what this module wrote
    return Outcome(outputs, values)


def _store(cache: Path, name: str, key: str, outcome: Outcome) -> None:
    values = [[after, text, value] for (after, text), value in outcome.values.items()]
    kept = {"key": key, "outputs": outcome.outputs, "values": values}
    file = _file(cache, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved: a second build never reads half a file.
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, encoding="utf-8", delete=False
    ) as aside:
        json.dump(kept, aside)
    os.replace(aside.name, file)


def _file(cache: Path, name: str) -> Path:
    return cache / f"{name}.json"
