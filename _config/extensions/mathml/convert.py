r"""TeX to MathML, by Temml in a node process.

>>> convert(r"x \in \R", macros={r"\R": r"\mathbb{R}"})
'<math><mrow><mi>x</mi><mo>∈</mo><mi>ℝ</mi></mrow></math>'

The web pages and the PDF both take their formulas from here, so they agree. Nothing in
this module knows of Sphinx.

The MathML carries no copy of the TeX: screen readers speak the MathML itself, and an
annotation would double a formula's weight and turn up in page titles.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import threading
import tomllib
from collections.abc import Mapping
from pathlib import Path

from mathml.install import REMEDY, TARGET, InstallError, node_executable
from mathml.kept import Kept, digest
from mathml.tidy import tidy

TEMML = TARGET / "node_modules" / "temml" / "dist" / "temml.cjs"
SERVER = Path(__file__).with_name("temml_server.cjs")
# Temml would number the rows of these by itself; the book's numbers are Sphinx's.
NUMBERED = re.compile(
    r"\\(begin|end)\{(equation|align|alignat|gather|multline|eqnarray)\}"
)
INDENT = re.compile(r"\n[ \t]+")  # of a list around it
MACRO = re.compile(r"\\[A-Za-z]+")
TOKEN = re.compile(r"\\(?:begin|end)(?=\{)|\\.|[{}&]", re.DOTALL)


class MathError(ValueError):
    """A formula that Temml cannot take, in Temml's words."""


def convert(
    latex: str,
    display: bool = False,
    macros: Mapping[str, str] | None = None,
    *,
    breakable: bool = False,
) -> str:
    """The ``<math>`` element of a formula.

    Args:
        latex: the formula without its dollar signs.
        display: on lines of its own, see ``as_one_display``; else within the text.
        macros: definitions such as ``{r"\\R": r"\\mathbb{R}"}``.
        breakable: give each part up to a top-level relation or sum its own row, so
            that a long formula within the text can be broken there.

    Raises:
        MathError: Temml cannot take the formula.
        InstallError: Temml is not installed.
    """
    latex = INDENT.sub("\n", NUMBERED.sub(r"\\\1{\2*}", latex.strip()))
    request = {
        "latex": as_one_display(latex) if display else latex,
        "display": display,
        "wrap": "tex" if breakable else "none",
        "macros": dict(macros or {}),
    }
    asked = json.dumps(request)
    return kept.get(asked, lambda: _converted(asked))


kept = Kept()


def version() -> str:
    """A digest of all code that a formula's MathML depends on."""
    return digest([TEMML, SERVER, Path(__file__), Path(__file__).with_name("tidy.py")])


def as_one_display(latex: str) -> str:
    r"""A display as one environment, as every Sphinx math renderer reads it.

    A bare ``\\`` starts a new line and ``&`` says where lines are aligned:

    >>> as_one_display(r"a &= b \\ &= c")
    '\\begin{split}a &= b \\\\ &= c\\end{split}'

    Formulas between blank lines stand one below the other.
    """
    parts = [part.strip() for part in re.split(r"\n\s*\n", latex) if part.strip()]
    outside = [_outside(part) for part in parts]
    parts = [
        rf"\begin{{split}}{part}\end{{split}}" if r"\\" in marks else part
        for part, marks in zip(parts, outside, strict=True)
    ]
    if len(parts) < 2:
        return "".join(parts)
    name = "aligned" if any("&" in marks for marks in outside) else "gathered"
    return rf"\begin{{{name}}}" + r" \\ ".join(parts) + rf"\end{{{name}}}"


def _outside(latex: str) -> set[str]:
    r"""Which of ``\\`` and ``&`` stand outside every environment and group."""
    found = set()
    depth = 0
    for token in TOKEN.findall(latex):
        if token in {r"\begin", "{"}:
            depth += 1
        elif token in {r"\end", "}"}:
            depth -= 1
        elif token in {r"\\", "&"} and depth == 0:
            found.add(token)
    return found


def read_macros(path: Path) -> dict[str, str]:
    """The macros in a TOML file such as ``_config/macros.toml``.

    Raises:
        MathError: something in the file is no macro.
    """
    try:
        macros = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise MathError(f"{path.name}: {error}") from None
    for name, body in macros.items():
        if not (MACRO.fullmatch(name) and isinstance(body, str)):
            raise MathError(rf"{path.name}: {name}: a macro reads '\name' = 'its TeX'")
    return macros


class _Temml:
    """A node process that converts one formula after the other."""

    def __init__(self) -> None:
        if not TEMML.is_file():
            raise InstallError(f"the npm packages of the book are missing: {REMEDY}")
        self.process = subprocess.Popen(
            [node_executable(), SERVER, TEMML],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        atexit.register(self.close)

    def ask(self, request: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # then there is no answer either
        answer = self.process.stdout.readline()
        if not answer:
            raise InstallError(f"node has ended, see its own words above; {REMEDY}")
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def leave(self) -> None:
        """Close this process's ends of the pipes."""
        atexit.unregister(self.close)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.returncode = 0  # it is the parent's to wait for


_one_at_a_time = threading.Lock()
_running: list[_Temml] = []


def _converted(request: str) -> str:
    """The MathML for a request."""
    with _one_at_a_time:
        if not _running:
            _running.append(_Temml())
        answer = json.loads(_running[0].ask(request))
    if "error" in answer:
        # Temml marks the culprit with a combining line below each of its characters.
        message = answer["error"].replace("\N{COMBINING LOW LINE}", "")
        raise MathError(" ".join(message.split()))
    return tidy(answer["mathml"])


def _leave_to_parent() -> None:
    """Forked workers must not share the pipes of one node."""
    while _running:
        _running.pop().leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
