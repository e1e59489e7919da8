"""Cells of a snippet module: plain Python in the percent format.

A module such as ``snippets/linear_regression.py`` reads ::

    '''Docstring: never drawn.'''
    from snippets import raises

    # %% data
    X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])

    # %% integer-gradient
    with raises(RuntimeError, "Only Tensors of floating point"):
        torch.tensor([1, 2], requires_grad=True)

and ``parse_cells`` returns ``{"data": Cell(...), "integer-gradient": Cell(...)}`` in
file order. A cell that is one ``with raises(...)`` statement is drawn as its body, and
``Cell.raises`` names the exception that running it must end in.

Nothing here knows of Sphinx or of notebooks.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

LINE_END = re.compile(r"\r\n?|\n")  # str.splitlines knows more of them than Python
MARKER = re.compile(r"^# %%(?P<rest>.*)$")
NAME = re.compile(r"[a-z][a-z0-9-]*")
REFERENCE = re.compile(r"(?P<module>[A-Za-z_][\w.]*)#(?P<cell>[^#\s]+)")


class SnippetError(ValueError):
    """A mistake of an author: what is wrong, and what to do about it."""


class ModuleError(SnippetError):
    """A mistake that keeps a module as a whole from being read."""


@dataclass(frozen=True)
class Expected:
    """The exception that a cell broken on purpose must end in.

    ``kind`` is the class as the snippet writes it, ``message`` a part of its text.
    """

    kind: str
    message: str


@dataclass(frozen=True)
class Cell:
    """One cell: ``source`` as the page shows it, ``line`` of its marker (from 1)."""

    name: str
    source: str
    line: int
    raises: Expected | None = None


@cache
def parse_cells(text: str, where: str = "snippet module") -> dict[str, Cell]:
    """Split the text of a snippet module into its cells, in file order.

    A build asks for one cell at a time, so each text is read once; the result is for
    reading only.

    Raises:
        ModuleError: malformed or duplicate name, empty cell, invalid Python, a cell
            that is not complete statements.
    """
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise ModuleError(f"{where}:{error.lineno or 1}: {error.msg}") from None
    lines = LINE_END.split(text)
    marks: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not (match := MARKER.match(line)):
            continue
        rest = match["rest"]
        name = rest.strip()
        if rest != f" {name}" or not NAME.fullmatch(name):
            raise ModuleError(
                f"{where}:{number}: a cell marker is '# %% name', with a name of "
                f"lower-case letters, digits and hyphens; found {line!r}"
            )
        marks.append((number, name))
    cells: dict[str, Cell] = {}
    for (start, name), (end, _) in pairwise([*marks, (len(lines) + 1, "")]):
        if name in cells:
            raise ModuleError(
                f"{where}:{start}: duplicate cell {name!r} "
                f"(first in line {cells[name].line}); give it another name"
            )
        source = "\n".join(lines[start : end - 1]).strip("\n").rstrip()
        if not source:
            raise ModuleError(f"{where}:{start}: cell {name!r} is empty")
        try:
            source, expected = _unwrap_raises(source)
        except SyntaxError:
            raise ModuleError(
                f"{where}:{start}: cell {name!r} is not complete statements; put its "
                "marker, and the next, between two statements"
            ) from None
        except ValueError as error:
            raise ModuleError(f"{where}:{start}: cell {name!r}: {error}") from None
        cells[name] = Cell(name, source, start, expected)
    return cells


def _unwrap_raises(source: str) -> tuple[str, Expected | None]:
    """The body of a cell that is one ``with raises(Class, "message"):``.

    Raises:
        ValueError: if the body cannot be cut out as lines of its own.
    """
    match ast.parse(source).body:
        case [
            ast.With(
                items=[
                    ast.withitem(
                        context_expr=ast.Call(
                            func=ast.Name(id="raises"),
                            args=[kind, ast.Constant(value=str(message))],
                        ) as call
                    )
                ],
                body=body,
            ) as statement
        ]:
            assert call.end_lineno is not None
            lines = source.split("\n")
            above = lines[: statement.lineno - 1]  # comments
            below = textwrap.dedent("\n".join(lines[call.end_lineno :]))
            if not _is_code_of(below, body):
                raise ValueError(
                    "the body of 'with raises(...):' stands on lines of its own, all "
                    "indented alike, down to those of its strings and comments"
                )
            drawn = "\n".join([*above, below])
            return drawn, Expected(ast.unparse(kind), message)
    return source, None


def _is_code_of(text: str, body: list[ast.stmt]) -> bool:
    """Whether cutting and dedenting changed nothing."""
    try:
        return ast.dump(ast.parse(text)) == ast.dump(ast.Module(body, []))
    except SyntaxError:
        return False


@cache
def imported_names(text: str, package: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """The names that the import statements of a module of a package may lead to.

    >>> sorted(imported_names("from .b import c", ("a",)))
    [('a', 'b'), ('a', 'b', 'c')]
    """
    names: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=aliases):
                names.update(tuple(alias.name.split(".")) for alias in aliases)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                base = package[: len(package) - level + 1] if level else ()
                base += tuple(module.split(".")) if module else ()
                names.add(base)
                names.update((*base, alias.name) for alias in aliases)
    return frozenset(names)


class SnippetLibrary:
    """The snippet packages below ``root``: their cells, imports and digests.

    ``package`` is the one that references are looked up in, ``snippets`` by default.
    """

    def __init__(self, root: Path, package: str = "snippets") -> None:
        self.root = root
        self.package = package

    @property
    def folder(self) -> Path:
        """The folder of the package."""
        return self.root / self.package

    def path(self, module: str) -> Path:
        """The file of a module of the package, which may not exist."""
        return self.folder.joinpath(*module.split(".")).with_suffix(".py")

    def cell(self, reference: str) -> Cell:
        """The cell that ``module#cell`` names.

        Raises:
            SnippetError: with the nearest existing name as a remedy.
        """
        match = REFERENCE.fullmatch(reference)
        if not match:
            raise SnippetError(f"':snippet: {reference}' is not 'module#cell'")
        path = self.path(match["module"])
        shown = path.relative_to(self.root).as_posix()
        if not path.is_file():
            known = [
                found.stem
                for found in sorted(self.folder.glob("*.py"))
                if not found.stem.startswith("_")
            ]
            raise ModuleError(
                f"no module {shown}{did_you_mean(match['module'], known)} "
                f"(modules: {', '.join(known)})"
            )
        cells = self.cells(match["module"])
        if match["cell"] not in cells:
            raise SnippetError(
                f"no cell {match['cell']!r} in {shown}"
                f"{did_you_mean(match['cell'], cells)} (cells: {', '.join(cells)})"
            )
        return cells[match["cell"]]

    def cells(self, module: str) -> dict[str, Cell]:
        """All cells of a module, in file order."""
        path = self.path(module)
        shown = path.relative_to(self.root).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ModuleError(
                f"{shown}: not UTF-8 ({error.reason} at byte {error.start}); "
                "save the file as UTF-8"
            ) from None
        return parse_cells(text, shown)

    def dependencies(self, paths: Iterable[Path]) -> list[Path]:
        """These files and every project file that they import, sorted."""
        found: set[Path] = set()
        waiting = [path for path in paths if path.is_file()]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting.extend(self._imports(path))
        return sorted(found)

    def _imports(self, path: Path) -> list[Path]:
        """The files below ``root`` that a file's import statements lead to."""
        try:
            text = path.read_text(encoding="utf-8")
            names = imported_names(text, path.relative_to(self.root).parent.parts)
        except (SyntaxError, UnicodeDecodeError):
            return []  # reported where the file is drawn from
        files: list[Path] = []
        for parts in names:
            for length in range(1, len(parts) + 1):
                place = self.root.joinpath(*parts[:length])
                files += [place / "__init__.py", place.with_suffix(".py")]
        return [file for file in files if file.is_file()]

    def digest(self, paths: Iterable[Path]) -> str:
        """A digest of the contents of files, independent of where the root is."""
        digest = hashlib.sha256()
        for path in sorted(paths):
            digest.update(path.relative_to(self.root).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'shape'?`` where a known name is close to this one."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
