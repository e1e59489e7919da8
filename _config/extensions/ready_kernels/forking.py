"""The parent that imports torch once, and the processes that are forked from it.

::

    warm_up()                                      # begins the imports, does not wait
    process = warm_up().fork(argv, env, cwd)       # waits for them
    code = run_module("equations", ["in.json"], folder, path)

Needs the standard library alone, so that it can be had before anything else.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

PROCESS = Path(__file__).with_name("process.py")
# The switch is ipykernel's own: its debugger warns without.
COMMAND = (sys.executable, "-Xfrozen_modules=off", str(PROCESS))
# What the cells of chapters import.
PRELOADED = (
    "numpy",
    "torch",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "pygraphviz",
    # What torch imports late: for shapes in messages, and at an optimizer's first step.
    "torch.fx.experimental.symbolic_shapes",
    "torch._dynamo",
)
# Of every kernel; what is read when a library is loaded, the parent must have, too.
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    # The order of a sum depends on the number of threads.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# As ipykernel sets it before the first cell; pyplot reads it when it is imported.
BACKEND = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def clean_environment() -> dict[str, str]:
    """This process's environment without the switches of the user's own Python."""
    kept = {name: text for name, text in os.environ.items() if name[:6] != "PYTHON"}
    return kept | ENVIRONMENT


def why_not() -> str:
    """Why kernels are not forked on this system; nothing if they are."""
    if sys.platform == "linux":
        return ""
    return f"on {sys.platform} a process with torch cannot be forked safely"


class CannotFork(Exception):
    """The parent has ended, or could not start; the text says why."""


class ForkedKernel:
    """A process forked by the parent; what Jupyter uses of ``subprocess.Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self.returncode: int | None = None
        pid = self._answer()
        if pid is None:
            os.close(answers)
            raise CannotFork("the process to fork from has ended")
        self.pid = pid
        os.set_blocking(answers, False)

    def _answer(self) -> int | None:
        """The next number that the parent sends, or nothing if it has ended."""
        number = os.read(self._answers, 4)
        return int.from_bytes(number, "little", signed=True) if number else None

    def poll(self) -> int | None:
        """The exit code, or nothing while the process runs."""
        if self.returncode is None:
            with contextlib.suppress(BlockingIOError):
                code = self._answer()
                # With the parent its kernels end.
                self.returncode = -signal.SIGKILL if code is None else code
                os.close(self._answers)
        return self.returncode

    def wait(self) -> int:
        """The exit code, once there is one."""
        if self.returncode is None:
            os.set_blocking(self._answers, True)
            self.poll()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)


class Parent:
    """The process that kernels are forked from, with some modules imported."""

    def __init__(self, modules: Sequence[str]) -> None:
        # Messages of such a socket stay whole, whoever sends at the same time.
        kind = socket.SOCK_SEQPACKET
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, kind)
        arguments = ["--parent", str(theirs.fileno()), *modules]
        with theirs:
            self.process: subprocess.Popen[bytes] | _Elsewhere = subprocess.Popen(
                [*COMMAND, *arguments],
                env=clean_environment() | BACKEND,
                cwd="/",  # where no library finds settings
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for whoever started it
            )

    def fork(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str
    ) -> ForkedKernel:
        """A kernel with these arguments; waits until the modules are imported.

        Raises:
            CannotFork: if the parent has ended.
        """
        request = json.dumps({"argv": argv, "env": dict(env), "cwd": cwd})
        answers, theirs = os.pipe()
        try:
            socket.send_fds(self._channel, [request.encode()], [theirs])
        except OSError as error:
            os.close(answers)
            raise CannotFork(str(error)) from None
        finally:
            os.close(theirs)
        return ForkedKernel(answers)

    def close(self) -> None:
        """End the parent and all its kernels."""
        self._channel.close()
        self.process.wait()


def run_module(
    module: str, arguments: Sequence[str], folder: Path, path: Sequence[Path]
) -> int:
    """Run a module as a program, in a folder, with this path; its exit code."""
    argv = ["-m", module, *arguments]
    folders = os.pathsep.join(map(str, path))
    env = clean_environment() | {"PYTHONPATH": folders}
    if not why_not():
        try:
            return warm_up().fork(argv, env, str(folder)).wait()
        except CannotFork as reason:
            logger.warning("%s starts from nothing: %s", module, reason)
    command = [*COMMAND, *argv]
    return subprocess.run(command, env=env, cwd=folder, check=False).returncode


class _OfThisProcess:
    """The parent that all kernels of this process share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.parent: Parent | None = None


_ours = _OfThisProcess()


def warm_up() -> Parent:
    """The parent of this process's kernels, begun if there is none; does not wait."""
    with _ours.lock:
        if _ours.parent and _ours.parent.process.poll() is not None:
            _ours.parent.close()
            _ours.parent = None
        _ours.parent = _ours.parent or Parent(PRELOADED)
        return _ours.parent


class _Elsewhere:
    """The parent's process, seen from a fork of the process that began it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """Nothing while it runs."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def wait(self) -> int:
        """Its end is awaited by the process that began it."""
        return 0


def adopt() -> None:
    """Use the parent in a fork of the process that began it, as that process would.

    One of them at a time may start kernels.
    """
    with _ours.lock:
        if _ours.parent is not None:
            _ours.parent.process = _Elsewhere(_ours.parent.process.pid)


@atexit.register
def end() -> None:
    """End the parent and its kernels; the next kernel begins another."""
    with _ours.lock:
        if _ours.parent is not None:
            _ours.parent.close()
            _ours.parent = None
