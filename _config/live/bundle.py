"""The client of the live book: from its sources and npm to files that pages load.

``python _config/live/bundle.py`` installs what ``node/package-lock.json`` pins, and has
esbuild make two scripts of ``client``:
``live.js``, which each page with cells loads, and ``editor.js``, which is loaded when a
cell is edited for the first time. It does nothing when nothing has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from live import ROOT
from mathml.install import InstallError, install, node_executable

HERE = Path(__file__).parent
SOURCES = HERE / "client"
PINS = HERE / "node"
PACKAGES = ROOT / "build" / "live"
BUNDLE = PACKAGES / "client"
SCRIPTS = ("live", "editor")
OPTIONS = (
    "--bundle",
    "--format=iife",
    "--minify",
    "--target=es2022",
    "--log-level=error",
)


def digest(folder: Path) -> str:
    """What the bundle is made of: sources and pins."""
    found = hashlib.sha256(Path(__file__).read_bytes())
    for file in sorted([*folder.iterdir(), *PINS.iterdir()]):
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def bundle(target: Path = BUNDLE) -> bool:
    """Make the client; return whether there was anything to do.

    Raises:
        InstallError: npm or esbuild failed; the message says why, in one line.
    """
    stamp = target / ".made-of"
    state = digest(SOURCES)
    if stamp.is_file() and stamp.read_text(encoding="ascii") == state:
        return False
    install(PINS, PACKAGES)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Made aside: another process may be at the same, and a server may be serving.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".client-") as folder:
        aside = Path(folder, "new")
        aside.mkdir()
        _make(aside)
        (aside / ".made-of").write_text(state, encoding="ascii")
        with contextlib.suppress(FileNotFoundError):
            target.rename(Path(folder, "old"))
        with contextlib.suppress(OSError):
            aside.rename(target)  # unless the other process was faster
    return True


def _make(aside: Path) -> None:
    for name in SCRIPTS:
        command: list[str | Path] = [
            node_executable(),
            PACKAGES / "node_modules" / "esbuild" / "bin" / "esbuild",
            SOURCES / f"{name}.js",
            f"--outfile={aside / name}.js",
            *OPTIONS,
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            # Where packages that the sources name are found.
            env={"NODE_PATH": str(PACKAGES / "node_modules")},
        )
        if done.returncode:
            first = next(filter(str.strip, done.stderr.splitlines()), "no reason given")
            raise InstallError(f"esbuild cannot bundle {name}.js: {first.strip()}")
    shutil.copyfile(SOURCES / "live.css", aside / "live.css")


def main() -> int:
    """Bundle, and say in one line what was done."""
    try:
        done = bundle()
    except InstallError as error:
        print(f"live.bundle: {error}", file=sys.stderr)
        return 1
    name = BUNDLE.relative_to(ROOT)
    print(f"live.bundle: {name} {'made' if done else 'is up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
