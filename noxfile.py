"""Every task that a person runs. ``nox -l`` lists them, each with one line.

All tasks share one environment, ``.nox/environment``: most of its weight and time is
torch, which every one of them needs.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["book"]
nox.options.error_on_missing_interpreters = True
# Sessions run in the shared environment, which `environment` makes.
nox.options.default_venv_backend = "none"

ROOT = Path(__file__).parent
ENVIRONMENT = ROOT / ".nox" / "environment"
BINARIES = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BINARIES / "python"
CONSTRAINTS = ROOT / "constraints.txt"
GROUPS = ("book", "pdf", "test", "browser", "mutants", "lint", "preview")
GROUPS += ("live", "hub", "bench")
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

# PyTorch's own index of builds without CUDA. It is asked for torch alone: as an extra
# index for everything, pip would look there for each of a hundred packages.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# What torch's default build for Linux adds: several GB that no page needs.
CUDA_PACKAGE = re.compile(r"^(nvidia-|cuda-|triton==)")


def environment(session: nox.Session) -> None:
    """Make the shared environment, or bring it up to date; put it first on PATH."""
    if sys.version_info < (3, 11):  # noqa: UP036 (any Python may run nox)
        session.error("the book needs Python 3.11 or newer; run nox with one")
    state = hashlib.sha256(sys.version.encode())
    for file in (ROOT / "pyproject.toml", CONSTRAINTS):
        state.update(file.read_bytes())
    stamp = ENVIRONMENT / "installed"
    if not stamp.is_file() or stamp.read_text() != state.hexdigest():
        session.run_always(
            sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(ENVIRONMENT)
        )
        _install_torch(session)
        packages = nox.project.dependency_groups(PYPROJECT, *GROUPS)
        _pip(session, *packages)
        stamp.write_text(state.hexdigest())
    session.env["PATH"] = os.pathsep.join([str(BINARIES), os.environ["PATH"]])
    session.env["VIRTUAL_ENV"] = str(ENVIRONMENT)
    # The converter of formulas comes from npm; it says itself when it is up to date.
    session.env["PYTHONPATH"] = str(ROOT / "_config" / "extensions")
    python(session, "-m", "mathml.install")


def _install_torch(session: nox.Session, python: Path = PYTHON) -> None:
    """Install torch; on Linux a build without CUDA, or none at all."""
    [version] = re.findall(r"^torch==(\S+)$", CONSTRAINTS.read_text(), re.M)
    if sys.platform != "linux":
        _pip(session, f"torch=={version}", python=python)
        return
    wanted = f"torch=={version}+cpu"
    # One short try there; where pip is set up to find such a build by itself, as behind
    # a mirror, the second line finds it.
    direct = ("--no-deps", "--index-url", TORCH_CPU_INDEX)
    once = ("--retries=0", "--timeout=10")
    if _pip(session, *direct, *once, wanted, required=False, python=python):
        return
    if not _pip(session, "--no-deps", wanted, required=False, python=python):
        session.error(
            f"found no {wanted}: PyTorch's CPU index does not answer and pip knows no "
            "other source; check the connection, or point PIP_FIND_LINKS to a folder "
            "with that wheel"
        )


def _pip(
    session: nox.Session, *arguments: str, required: bool = True, python: Path = PYTHON
) -> bool:
    """Install with the pinned versions; tell whether it worked."""
    command = ["-m", "pip", "install", "--quiet", "-c", str(CONSTRAINTS), *arguments]
    if required:
        session.run(str(python), *command, external=True)
        return True
    # What fails here is tried in another way, so its complaint is not shown.
    done = subprocess.run([python, *command], capture_output=True, check=False)
    return done.returncode == 0


def python(session: nox.Session, *arguments: str) -> None:
    """Run the environment's Python."""
    session.run(str(PYTHON), *arguments, external=True)


@nox.session
def book(session: nox.Session) -> None:
    """Build the book in build/html; `-- tensors` one chapter; `--without-answers`."""
    environment(session)
    python(session, "_config/build_book.py", *session.posargs)


@nox.session
def pdf(session: nox.Session) -> None:
    """Make the PDF in build/pdf; `-- --paper reader`, `-- --without-answers`."""
    environment(session)
    python(session, "_config/build_book.py", "--builder", "typst", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Make build/notebooks.zip; `-- --run` runs all afresh; `-- --without-answers`."""
    environment(session)
    options = [option for option in session.posargs if option != "--run"]
    python(session, "_config/build_book.py", "--builder", "notebooks", *options)
    if len(options) < len(session.posargs):
        with tempfile.TemporaryDirectory() as folder:
            # The edition that was asked for is a part of the name.
            asked = re.search(r"-(-with(?:out)?-answers)", " ".join(options))
            edition = "notebooks" + (asked[1] if asked else "")
            _run_notebooks(session, Path(folder), edition)


def _run_notebooks(session: nox.Session, folder: Path, edition: str) -> None:
    """Do what a student does with the ZIP file; compare what the cells show."""
    shutil.unpack_archive(ROOT / "build" / f"{edition}.zip", folder)
    fresh = folder / "environment"
    session.run(sys.executable, "-m", "virtualenv", "--quiet", str(fresh))
    binaries = fresh / BINARIES.name
    _install_torch(session, binaries / "python")
    unpacked = folder / edition
    with session.chdir(unpacked):
        needed = ["-m", "pip", "install", "--quiet", "-r", "requirements.txt"]
        session.run(str(binaries / "python"), *needed, external=True)
        command = ["-m", "nbconvert", "--to", "notebook", "--execute"]
        command += ["--log-level=WARN", "--output-dir", str(folder / "run")]
        # A kernel for each takes seconds; the appendices have no code.
        with_code = '"cell_type": "code"'
        found = sorted(Path().glob("*.ipynb"))
        chapters = [it.name for it in found if with_code in it.read_text("utf-8")]
        # Neither the folders nor the kernels of the person who runs this.
        alone = {"JUPYTER_PREFER_ENV_PATH": "1", "PYTHONPATH": ""}
        command = [str(binaries / "python"), *command, *chapters]
        session.run(*command, external=True, env=alone)
    python(session, "_config/check_notebooks.py", str(unpacked), str(folder / "run"))


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests without a browser; `-- tests/snippets -k softmax` selects some."""
    environment(session)
    coverage = [] if session.posargs else ["--cov", "--cov-report=term"]
    _pytest(session, "--ignore=tests/browser", *coverage, *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Build the book and test its pages in Chromium; `-- -k keyboard` selects some."""
    environment(session)
    python(session, "-m", "mathml.install", "tests/browser/node", "build/browser")
    # The tests open answers, also those that are not published yet.
    python(session, "_config/build_book.py", "--with-answers")
    session.env["BOOK_SITE"] = str(ROOT / "build" / "html-with-answers")
    _pytest(session, "tests/browser", *session.posargs)


def _pytest(session: nox.Session, *arguments: str) -> None:
    # A file stays on one worker, so that what its tests share is made once.
    python(session, "-m", "pytest", "-n", "auto", "--dist", "loadfile", *arguments)


@nox.session
def equations(session: nox.Session) -> None:
    """Compute the formulas of the chapters; `-- tensors` those of that one."""
    environment(session)
    python(session, "_config/check_equations.py", *session.posargs)


@nox.session
def outputs(session: nox.Session) -> None:
    """Compare the cells' outputs with tests/outputs; `-- --accept tensors` updates."""
    environment(session)
    python(session, "_config/check_outputs.py", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Plant faults and list those that nobody notices; `-- --kind formula` some."""
    environment(session)
    folders = [str(ROOT), str(ROOT / "_config"), str(ROOT / "_config" / "extensions")]
    session.env["PYTHONPATH"] = os.pathsep.join(folders)
    python(session, "-m", "tests.faults", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Time cold builds beside plain MyST-NB; `-- --pairs 9 --chapter tensors`."""
    environment(session)
    folders = [str(ROOT), str(ROOT / "_config"), str(ROOT / "_config" / "extensions")]
    session.env["PYTHONPATH"] = os.pathsep.join(folders)
    python(session, "-m", "bench", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types; `-- --fix` mends what can be mended."""
    environment(session)
    fix = "--fix" in session.posargs
    python(session, "-m", "ruff", "format", *([] if fix else ["--check"]), ".")
    python(session, "-m", "ruff", "check", *(["--fix"] if fix else []), ".")
    python(session, "-m", "mypy")


@nox.session
def links(session: nox.Session) -> None:
    """Check every link and fragment of the built pages, without the network."""
    environment(session)
    python(session, "_config/check_links.py", *(session.posargs or ["build/html"]))


@nox.session
def linkcheck(session: nox.Session) -> None:
    """Check the links to other sites (needs the network; run weekly and by hand)."""
    environment(session)
    python(session, "_config/build_book.py", "--builder", "linkcheck")


@nox.session
def preview(session: nox.Session) -> None:
    """Show the book while it is written; `-- --open` opens it, `--port 8000`."""
    environment(session)
    folders = [str(ROOT / "_config"), str(ROOT / "_config" / "extensions")]
    session.env["PYTHONPATH"] = os.pathsep.join(folders)
    python(session, "-m", "preview", *session.posargs)


@nox.session
def live(session: nox.Session) -> None:
    """Open the book so that its code can be edited and run on its pages."""
    environment(session)
    python(session, "_config/live", *session.posargs)


@nox.session
def pins(session: nox.Session) -> None:
    """Resolve the versions in constraints.txt anew (needs the network)."""
    environment(session)
    # One version for every Python that the book supports, so that all build the same.
    options = "--universal --fork-strategy=fewest --python-version=3.11 "
    options += "--no-emit-index-url --no-annotate"
    groups = [f"--group={group}" for group in GROUPS]
    command = [str(BINARIES / "uv"), "pip", "compile", "--quiet", "--no-header"]
    resolved = session.run(
        *command,
        *options.split(),
        *groups,
        "pyproject.toml",
        external=True,
        silent=True,
    )
    kept = [line for line in str(resolved).splitlines() if not CUDA_PACKAGE.match(line)]
    CONSTRAINTS.write_text("\n".join(kept) + "\n")
