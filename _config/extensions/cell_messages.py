"""The messages that cells show, and whether the appendix explains each of them.

``run_of`` takes from an executed cell the error it ended in and what it printed;
``mistakes`` compares the runs of all pages with the entries of the appendix.

Nothing here knows of Sphinx.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode

from snippet_cells import did_you_mean


@dataclass(frozen=True)
class Run:
    """What a drawn cell gave: the error it ended in, or "", and what it printed."""

    docname: str
    line: int
    source: str
    error: str
    printed: tuple[str, ...]
    section: str = ""

    def message(self, part: str) -> str:
        """The error, or the first printed line with ``part`` if that is not empty."""
        if not part:
            return self.error
        return next((line for line in self.printed if part in line), "")


@dataclass(frozen=True)
class Entry:
    """An entry of the appendix, in ``line`` of a page."""

    docname: str
    line: int
    cells: tuple[str, ...]
    printed: str


@dataclass
class Messages:
    """What the pages hold, by page: the runs of cells by reference, and entries.

    Of a page with a mistake no run is known, only the modules that its cells are from.
    """

    runs: dict[str, dict[str, Run]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    failed: dict[str, set[str]] = field(default_factory=dict)

    def all_runs(self) -> dict[str, Run]:
        """The runs of all pages."""
        return {name: run for runs in self.runs.values() for name, run in runs.items()}

    def all_entries(self) -> list[Entry]:
        """The entries of all pages."""
        return [entry for entries in self.entries.values() for entry in entries]


def run_of(docname: str, cell: NotebookNode, section: str) -> Run:
    """What a cell of an executed notebook gave."""
    error, printed = "", ""
    for output in cell.outputs:
        if output.output_type == "error":
            error = f"{output.ename}: {output.evalue}"
        elif output.output_type == "stream":
            printed += output.text
    line = cell.metadata["line"]
    return Run(docname, line, cell.source, error, tuple(printed.splitlines()), section)


def mistakes(messages: Messages) -> Iterator[tuple[str, int, str]]:
    """Page, line and text of each mistake, in all pages.

    A page that failed is not blamed for what its cells do not show: that follows from
    a mistake which is reported already.
    """
    runs, entries = messages.all_runs(), messages.all_entries()
    unknown = set[str]().union(*messages.failed.values())
    explained: set[str] = set()
    for entry in entries:
        for name in entry.cells:
            problem = ""
            if name not in runs and name.partition("#")[0] in unknown:
                continue
            if name not in runs:
                problem = f"no page draws the cell {name!r}{did_you_mean(name, runs)}"
            elif not entry.printed and name in explained:
                problem = f"second entry for the error of {name!r}; keep one"
            elif not entry.printed and not runs[name].error:
                broken = [other for other, run in runs.items() if run.error]
                problem = (
                    f"the cell {name!r} does not end in an error"
                    f"{did_you_mean(name, broken)}; for a message that it prints add "
                    "':printed:' with a part of the line"
                )
            elif not runs[name].message(entry.printed):
                problem = (
                    f"the cell {name!r} prints no line with {entry.printed!r}; "
                    "correct ':printed:'"
                )
            if problem:
                yield entry.docname, entry.line, problem
            if not entry.printed:
                explained.add(name)
    for name, run in runs.items():
        if run.error and name not in explained:
            appendix = entries[0].docname
            message = (
                f"the error of the cell {name!r} is not explained; write "
                f"'{{error-message}} {name}' with an explanation in {appendix}.md"
            )
            yield run.docname, run.line, message
