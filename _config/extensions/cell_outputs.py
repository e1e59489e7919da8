"""What a cell gave: made independent of the machine, and judged.

``normalise`` takes colours, paths and the insides of libraries out of an output.
``failure`` says why a cell that raised, or failed to raise, stops its chapter, and
``unfit_outputs`` what no page may show: text on stderr, and memory addresses.
"""

from __future__ import annotations

import re
from pathlib import Path

from nbformat import NotebookNode

from chapter_notebook import Problem

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
HEADER_RULE = re.compile(r"-{20,}")
HEADER = re.compile(r"(?P<kind>\S+) {2,}(?P<rest>Traceback \(most recent call last\))")
LIBRARY_FRAME = re.compile(r"^File (?P<path>.+?):\d+, in (?P<where>.*)$")


def normalise(output: NotebookNode, root: Path) -> None:
    """Make an output independent of the machine: no colours, no paths.

    ``root`` is the project's folder: its files are named by their path below it.
    """
    output.pop("execution_count", None)
    if output.output_type == "execute_result":
        output.execution_count = None
    if output.output_type == "error":
        output.traceback = _readable_traceback(output.traceback, root)
        output.evalue = ANSI.sub("", output.evalue)


def _readable_traceback(traceback: list[str], root: Path) -> list[str]:
    """The traceback as a page shows it, in lines that fit a phone better.

    The rule above it is dropped. A frame of a library is one line, ``File
    torch/_tensor.py, in Tensor.backward``: the rest belongs to the installation, not to
    the lesson.
    """
    kept: list[str] = []
    in_library = False
    for line in ANSI.sub("", "\n".join(traceback)).splitlines():
        frame = LIBRARY_FRAME.match(line)
        if HEADER_RULE.fullmatch(line):
            continue
        if header := HEADER.fullmatch(line):
            kept.append(f"{header['kind']}    {header['rest']}")
        elif frame:
            in_library = True
            path = _portable(frame["path"], root)
            kept.append(f"File {path}, in {frame['where'].partition('(')[0]}")
        elif not line.strip():
            in_library = False
            if kept and kept[-1].strip():
                kept.append("")
        elif not in_library:
            kept.append(line)
    return kept


def _portable(path: str, root: Path) -> str:
    """A file below the project, ``site-packages`` or Python's library, from there on.

    >>> _portable("/usr/lib/python3.13/json/decoder.py", Path("/home/me/book"))
    'python3.13/json/decoder.py'
    """
    file = Path(path).expanduser()  # IPython writes the user's folder as ~
    # The project's folder may hold the environment.
    if file.is_relative_to(root) and "site-packages" not in file.parts:
        return file.relative_to(root).as_posix()
    path = path.replace("\\", "/").rpartition("site-packages/")[2]
    path = re.sub(r".*/(?=python3[^/]*/)", "", path)
    return re.sub(r"^(/|~|[A-Za-z]:/).*/", "", path)


def failure(cell: NotebookNode) -> Problem | None:
    """Why the cell's exception, or the lack of one, is a mistake."""
    line, where = cell.metadata["line"], cell.metadata["where"]
    errors = [item for item in cell.outputs if item.output_type == "error"]
    expected = cell.metadata.get("raises")
    if expected:
        return _unexpected(line, where, expected, errors)
    if not errors:
        return None
    [error] = errors
    first, *_ = error.evalue.splitlines() or [""]
    what = f"{error.ename}: {first}" if first else error.ename
    message = f"{where} failed with {what} [{_place(cell, error)}]"
    return Problem(line, message, "execution.error")


def _unexpected(
    line: int, where: str, expected: list[str], errors: list[NotebookNode]
) -> Problem | None:
    kind, message = expected
    shown = f"{errors[0].ename}: {errors[0].evalue}" if errors else "nothing"
    if shown.startswith(f"{kind.rpartition('.')[2]}: ") and message in shown:
        return None
    return Problem(
        line,
        f"{where} must raise {kind} with {message!r}, but raised "
        f"{' '.join(shown.split())}; correct the cell or its 'raises'",
        "execution.error",
    )


def _place(cell: NotebookNode, error: NotebookNode) -> str:
    """``line 2 of the cell``: the innermost line of the cell's own code."""
    frame = rf"Cell In\[{cell.execution_count}\], line (\d+)"
    found = re.findall(frame, "\n".join(error.traceback))
    return f"line {found[-1]} of the cell" if found else "no line"


def unfit_outputs(cell: NotebookNode) -> list[Problem]:
    """What no page may show: stderr, and what differs from run to run."""
    line, where = cell.metadata["line"], cell.metadata["where"]
    found = []
    for output in cell.outputs:
        text = output.get("text") or output.get("evalue") or ""
        text = str(text or output.get("data", {}).get("text/plain", ""))
        if output.output_type == "stream" and output.name == "stderr":
            first = text.strip().splitlines()[0] if text.strip() else ""
            message = f"{where} wrote to stderr: {first}; remove what causes it"
            found.append(Problem(line, message, "execution.stderr"))
        elif match := ADDRESS.search(text):
            message = (
                f"the output of {where} holds a memory address ({match[0]}), another "
                "one in each run; show something else"
            )
            found.append(Problem(line, message, "execution.address"))
    return found
