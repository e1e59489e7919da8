"""What the process of a kernel runs; and the parent, from which ready kernels fork.

    python process.py -f kernel.json              # a kernel that starts from nothing
    python process.py -m equations in.json        # or a module, run as a program
    python process.py --parent 3 torch numpy      # imports both, then forks either

The parent reads requests from the socket with the given file descriptor. Each is the
JSON of ``{"argv": […], "env": {…}, "cwd": …}`` and comes with a pipe, into which the
parent writes the kernel's process id and, when the kernel has ended, its exit code,
each as four bytes. When the socket closes or the process that began the parent is gone,
the parent kills the kernels that are left and ends.

A script, not a module: no kernel has a trace of it in ``sys.modules`` or ``sys.path``.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from typing import Any, NoReturn

# What every kernel imports before its first cell, or for its first traceback.
OF_KERNELS = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "faulthandler",
    "pygments.formatters.terminal256",
    "sqlite3",
    "stack_data",
    "tornado.platform.asyncio",
)
LARGEST_REQUEST = 1 << 20
PR_SET_PDEATHSIG = 1


class Uncached(SourceFileLoader):
    """Compiles a module whenever it is imported.

    Python tells an outdated compiled file by its second, and an edit can be faster.
    """

    def path_stats(self, path: str) -> Any:
        """Say that nothing is known of the file's age."""
        raise OSError


def compile_project_modules(folders: Sequence[str]) -> None:
    """Trust no compiled file below these folders; those of libraries serve."""
    project = tuple(os.path.join(folder, "") for folder in folders)
    libraries = os.path.join(sys.prefix, "")

    def finder(path: str) -> FileFinder:
        place = os.path.join(os.path.abspath(path), "")
        if not place.startswith(project) or place.startswith(libraries):
            raise ImportError
        extensions = (ExtensionFileLoader, EXTENSION_SUFFIXES)
        return FileFinder(path, extensions, (Uncached, SOURCE_SUFFIXES))

    sys.path_hooks.insert(0, finder)
    sys.path_importer_cache.clear()


def run(arguments: list[str]) -> None:
    """Run a module, or be a kernel until it is shut down."""
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    compile_project_modules([folder for folder in folders if folder])
    match arguments:
        case ["-m", module, *rest]:
            sys.argv[1:] = rest
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)  # in order it would take torch down, for half a second
        case _:
            from ipykernel import kernelapp  # noqa: PLC0415 (a module needs it not)

            sys.argv[1:] = arguments
            kernelapp.launch_new_instance()


def become_kernel(request: dict[str, Any], added: dict[str, str]) -> None:
    """Make of a forked process what a new one would be.

    ``added`` is what a kernel's imports add to its environment.
    """
    os.setsid()
    # Whatever the kernel does then, it does not outlive the parent.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        os.chdir(request["cwd"])
    except FileNotFoundError:
        # Whoever asked for the kernel may be gone meanwhile, and the folder with it.
        sys.exit(f"no kernel without its folder, {request['cwd']}")
    os.environ.clear()
    os.environ.update(request["env"] | added)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [folder for folder in folders if folder]
    # As unpredictable as in a new process; Python's own generator is so after a fork.
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed()


def fork_kernels(channel: socket.socket) -> dict[str, Any]:
    """Serve requests; returns in each forked kernel, with its request."""
    kernels: dict[int, tuple[int, int]] = {}  # by the handle that tells of the end
    owner = os.pidfd_open(os.getppid())  # its forks may keep the socket open
    events = select.poll()
    events.register(channel, select.POLLIN)
    events.register(owner, select.POLLIN)
    while True:
        for handle, _ in events.poll():
            if handle in kernels:
                events.unregister(handle)
                pid, answers = kernels.pop(handle)
                _, status = os.waitpid(pid, 0)
                _write(answers, os.waitstatus_to_exitcode(status))
                os.close(answers)
                os.close(handle)
                continue
            if handle == owner:
                _end(pid for pid, _ in kernels.values())
            message, given, _, _ = socket.recv_fds(channel, LARGEST_REQUEST, 1)
            if not message:
                _end(pid for pid, _ in kernels.values())
            pid = os.fork()
            if pid == 0:
                channel.close()
                pipes = [answers for _, answers in kernels.values()]
                for kept in (owner, *given, *kernels, *pipes):
                    os.close(kept)
                request: dict[str, Any] = json.loads(message)
                return request
            ended = os.pidfd_open(pid)
            kernels[ended] = (pid, given[0])
            events.register(ended, select.POLLIN)
            _write(given[0], pid)


def _end(kernels: Iterable[int]) -> NoReturn:
    for pid in kernels:
        for kill in (os.killpg, os.kill):  # it may not lead its session yet
            with suppress(ProcessLookupError):
                kill(pid, signal.SIGKILL)
    os._exit(0)  # to take torch down in order takes longer, and serves nobody


def _write(answers: int, number: int) -> None:
    with suppress(BrokenPipeError):  # whoever asked does not care any more
        os.write(answers, number.to_bytes(4, "little", signed=True))


def build_grammar() -> None:
    """Build matplotlib's grammar of formulas, which otherwise a first plot does."""
    from matplotlib.mathtext import MathTextParser  # noqa: PLC0415 (not every parent)

    MathTextParser("agg").parse("$x$")


def run_parent(channel: socket.socket, modules: Sequence[str]) -> None:
    """Import the modules, then fork kernels.

    Raises:
        SystemExit: with the reason, if what was imported has started a thread: a
            fork would lack it, and locks that it held would stay locked.
    """
    # As ipykernel has it between two cells. A kernel is forked with it, for it may be
    # interrupted before it listens, and must not end of that.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Read by ipykernel when it is imported: a kernel ends when this process has ended.
    os.environ["JPY_PARENT_PID"] = str(os.getpid())
    given = dict(os.environ)
    gc.disable()  # what is imported stays, and to look for garbage takes a sixth
    for module in OF_KERNELS:
        importlib.import_module(module)
    added = {key: text for key, text in os.environ.items() if given.get(key) != text}
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    if "matplotlib.mathtext" in sys.modules:
        build_grammar()
        gc.collect()  # of this alone: what is left over holds fonts, open files
    if (threads := len(os.listdir("/proc/self/task"))) > 1:
        sys.exit(f"imports have started {threads - 1} threads; none may run at a fork")
    gc.freeze()  # so that collections in kernels leave the shared memory shared
    gc.enable()
    request = fork_kernels(channel)
    become_kernel(request, added)
    run(request["argv"])


if __name__ == "__main__":
    del sys.path[0]  # the folder of this script
    match sys.argv[1:]:
        case ["--parent", descriptor, *modules]:
            run_parent(socket.socket(fileno=int(descriptor)), modules)
        case arguments:
            run(arguments)
