"""Compare notebooks that were run with those of the book.

    python _config/check_notebooks.py build/notebooks /tmp/run

The second folder holds the same notebooks after a run, as ``jupyter nbconvert
--execute`` writes them. Each cell must show what the book shows: numbers within the
tolerance of ``tests/outputs``, errors with the same traceback, figures that say the
same. Every difference is one line, and the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import nbformat
from nbformat import NotebookNode

from cell_outputs import normalise
from check_outputs import expectations
from expected_outputs import Expectation, difference, displayed

Expectations = Mapping[str, Expectation]


def differences(
    book: NotebookNode, run: NotebookNode, expected: Expectations, folder: Path
) -> Iterator[str]:
    """Where a run shows something else than the book.

    Args:
        book: the notebook of the book.
        run: the same after a run.
        expected: of each cell, how closely it must be met; otherwise exactly.
        folder: where the run took place.
    """
    before = [cell for cell in book.cells if cell.cell_type == "code"]
    after = [cell for cell in run.cells if cell.cell_type == "code"]
    if [cell.source for cell in before] != [cell.source for cell in after]:
        yield "the cells are others"
        return
    for old, new in zip(before, after, strict=True):
        if new.execution_count is None:
            yield f"{old.id}: it was not run"
            continue
        for output in new.outputs:
            normalise(output, folder)
        text = displayed(old.outputs)
        entry = expected.get(old.id.removeprefix("cell-"), Expectation(text))
        found = displayed(whole_streams(new.outputs))
        if reason := difference(entry, found):
            yield f"{old.id}: {reason}: {found!r} instead of {text!r}"
        if _errors(old) != _errors(new):
            yield f"{old.id}: another error; {_errors(new) or 'none'}"
        if _has_picture(old) != _has_picture(new):
            yield f"{old.id}: a figure is missing, or there is one too many"


def whole_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with texts put together that arrived in pieces.

    A kernel sends what is printed when it finds the time, also in the middle of a line.
    """
    whole: list[NotebookNode] = []
    for output in outputs:
        name = output.get("name")
        if whole and name and whole[-1].get("name") == name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def _errors(cell: NotebookNode) -> list[str]:
    return [
        "\n".join(output.traceback)
        for output in cell.outputs
        if output.output_type == "error"
    ]


def _has_picture(cell: NotebookNode) -> bool:
    return any("image/svg+xml" in output.get("data", ()) for output in cell.outputs)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("book", type=Path, help="the folder of notebooks")
    parser.add_argument("run", type=Path, help="the folder of those that were run")
    options = parser.parse_args(arguments)
    found, cells = [], 0
    for file in sorted(options.book.glob("*.ipynb")):
        book = nbformat.read(file, as_version=4)
        count = sum(cell.cell_type == "code" for cell in book.cells)
        if not count:
            continue
        if not (options.run / file.name).is_file():
            found.append(f"{file.name}: it was not run")
            continue
        run = nbformat.read(options.run / file.name, as_version=4)
        cells += count
        expected = expectations(file.stem)
        found += [
            f"{file.name}: {line}"
            for line in differences(book, run, expected, options.run)
        ]
    for line in found:
        print(line, file=sys.stderr)
    if not cells:
        print("no cells to compare", file=sys.stderr)
    elif not found:
        print(f"{cells} cells show what the book shows")
    return int(bool(found) or not cells)


if __name__ == "__main__":
    sys.exit(main())
