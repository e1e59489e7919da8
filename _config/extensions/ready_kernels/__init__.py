"""Kernels that are ready at once: forked from a process that has imported torch.

::

    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecs())
    await manager.start_kernel(env=…, cwd=…)        # tens of milliseconds

``KernelSpecs`` knows one kernel, ``python3``: this very Python, with one thread and a
fixed hash seed. It serves wherever Jupyter takes a ``KernelSpecManager``: for a
``KernelManager``, a ``MappingKernelManager``, or a server
(``c.ServerApp.kernel_spec_manager_class = "ready_kernels.KernelSpecs"``). Starting,
interrupting, restarting and killing a kernel work as with any other. With
``env=clean_environment()`` it has nothing of the user's own settings of Python.

A kernel is a process of its own in a session of its own, and has the environment, the
folder and the ``sys.path`` that it would have without this; what differs is that
``PRELOADED`` is in ``sys.modules`` already. Code of the project is never preloaded.

``run_module`` runs a program of the project in such a process.

The parent starts with the first kernel, or before it with ``warm_up()``, and ends with
the process that started it, however that ends, and its kernels with it. Where processes
cannot be forked safely (``why_not()`` says why), kernels start from nothing.

Not ``multiprocessing``'s fork server: its processes have the environment, the hash seed
and the main module of whoever started it.
"""

from __future__ import annotations

import asyncio
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
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import (
    NATIVE_KERNEL_NAME,
    KernelSpec,
    KernelSpecManager,
    NoSuchKernel,
)
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

logger = logging.getLogger(__name__)

PROCESS = Path(__file__).with_name("process.py")
# The switch is ipykernel's own: its debugger warns without.
COMMAND = (sys.executable, "-Xfrozen_modules=off", str(PROCESS))
NAME = "ready-kernels"
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


class Provisioner(LocalProvisioner):
    """Forks the kernel, or starts it from nothing where that cannot be."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the process of a kernel whose command ``KernelSpecs`` gave."""
        argv, env = cmd[len(COMMAND) :], kwargs["env"]
        cwd = kwargs.get("cwd") or os.getcwd()
        try:
            # In a thread, for it waits as long as the parent imports.
            process = await asyncio.to_thread(warm_up().fork, argv, env, cwd)
        except CannotFork as reason:
            logger.warning("kernels start from nothing: %s", reason)
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.cwd = process, cwd  # type: ignore[assignment]
        self.pid = self.pgid = process.pid
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel and what it has started, unless it has ended."""
        # The parent has then given back its number, which may be another's by now.
        if self.process and self.process.poll() is None:
            await super().send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel; Jupyter looks ten times a second only whether it has."""
        await super().kill(restart)
        for _ in range(40):
            if self.process is None or self.process.poll() is not None:
                break
            await asyncio.sleep(0.005)


class KernelSpecs(KernelSpecManager):
    """Knows one kernel, of this Python; see the module."""

    def find_kernel_specs(self) -> dict[str, str]:
        """The kernel's name, and the folder of its logo."""
        return {NATIVE_KERNEL_NAME: str(PROCESS.parent)}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """How the kernel is started.

        Raises:
            NoSuchKernel: for any other name.
        """
        if kernel_name != NATIVE_KERNEL_NAME:
            raise NoSuchKernel(kernel_name)
        ready = {"kernel_provisioner": {"provisioner_name": NAME}}
        return KernelSpec(
            argv=[*COMMAND, "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            env=ENVIRONMENT,
            metadata={} if why_not() else ready,
            resource_dir=str(PROCESS.parent),
        )


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


# Jupyter looks for provisioners among the entry points of what is installed; the book's
# code is not.
KernelProvisionerFactory.provisioners[NAME] = EntryPoint(
    NAME, f"{__name__}:{Provisioner.__name__}", KernelProvisionerFactory.GROUP_NAME
)
