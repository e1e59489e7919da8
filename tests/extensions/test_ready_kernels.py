"""Forked kernels: as clean as new ones, apart from each other, never left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from ready_kernels import forking
from ready_kernels.forking import CannotFork, Parent, clean_environment
from ready_kernels.kernels import KernelSpecs

EXTENSIONS = str(Path(forking.__file__).parents[1])
pytestmark = pytest.mark.skipif(
    bool(forking.why_not()), reason="nothing is forked here"
)


class Kernel:
    """A kernel that is asked for values."""

    def __init__(self, manager: AsyncKernelManager, client: Any) -> None:
        self.manager = manager
        self.client = client

    async def value(self, expression: str) -> Any:
        """What an expression is in the kernel, as far as JSON can say it."""
        asked = f"__import__('json').dumps({expression}, default=str)"
        reply = await self.client.execute_interactive(
            "", silent=True, user_expressions={"value": asked}, timeout=30
        )
        answer = reply["content"]["user_expressions"]["value"]
        assert answer["status"] == "ok", answer
        return json.loads(eval(answer["data"]["text/plain"]))

    async def prints(self, code: str) -> str:
        """What a cell prints."""
        parts: list[str] = []

        def keep(message: dict[str, Any]) -> None:
            parts.append(message["content"].get("text", ""))

        await self.client.execute_interactive(code, output_hook=keep, timeout=30)
        return "".join(parts)

    async def ends(self) -> int:
        """The exit code, when it has one."""
        for _ in range(400):
            code: int | None = await self.manager.provisioner.poll()
            if code is not None:
                return code
            await asyncio.sleep(0.025)
        raise AssertionError("the kernel runs on")


@asynccontextmanager
async def kernel(
    *, interrupted: bool = False, **environment: str
) -> AsyncIterator[Kernel]:
    """A started kernel in a folder of its own; perhaps interrupted at once."""
    with tempfile.TemporaryDirectory() as folder:
        manager = AsyncKernelManager(
            kernel_spec_manager=KernelSpecs(),
            connection_file=os.path.join(folder, "kernel.json"),
            transport="ipc",
        )
        paths = {"IPYTHONDIR": folder, "PYTHONPATH": EXTENSIONS}
        env = clean_environment() | paths | environment
        await manager.start_kernel(env=env, cwd=folder)
        if interrupted:
            await manager.interrupt_kernel()
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            yield Kernel(manager, client)
        finally:
            await manager.shutdown_kernel(now=True)
            client.stop_channels()


# Which warnings are shown, of the cell and of a library.
WARNINGS = """
import warnings
kinds = [Warning, *Warning.__subclasses__()]
for kind in sorted((kind for kind in kinds if kind.__module__ == "builtins"), key=str):
    for module in ("__main__", "torch.nn"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.warn_explicit(kind("text"), kind, "file", 1, module, {})
        print(kind.__name__, module, len(caught))
"""
# All that a cell can see of its process, but for the modules that are there.
SEEN = """{
    "environment": {
        name: text for name, text in __import__("os").environ.items()
        if name not in ("JPY_PARENT_PID", "IPYTHONDIR", "PWD", "OLDPWD")
    },
    "globals": sorted(name for name in globals() if not name.startswith("_i")),
    "path": __import__("sys").path,
    "switches": [
        __import__("sys").flags, __import__("sys")._xoptions,
        __import__("sys").dont_write_bytecode, __import__("sys").pycache_prefix,
        __import__("sys").getrecursionlimit(), __import__("sys").argv[0],
        __import__("sys").warnoptions, len(__import__("sys").argv),
    ],
    "hash": hash("leaf"),
    "files": __import__("os").listdir() != [],
    "descriptors": len(__import__("os").listdir("/proc/self/fd")),
    "threads": sorted(
        thread.name.split("-")[0] for thread in __import__("threading").enumerate()
    ),
    "signals": [
        str(__import__("signal").getsignal(number)).split(" at ")[0]
        for number in range(1, 32)
    ],
    "leads": __import__("os").getsid(0) == __import__("os").getpid(),
    "standard input": __import__("os").read(0, 1),
    "torch": [
        __import__("torch").get_num_threads(), __import__("torch").is_grad_enabled(),
        __import__("torch").get_default_dtype(),
        __import__("torch").manual_seed(3).initial_seed(),
        __import__("torch").rand(3).tolist(),
    ],
    "numpy": __import__("numpy").get_printoptions(),
    "pyplot": {
        key: value for key, value in __import__("matplotlib").rcParams.items()
    },
    "collections": __import__("gc").get_threshold(),
    "umask": [__import__("os").umask(0o22), __import__("os").umask(0o22)],
    "limits": [__import__("resource").getrlimit(number) for number in range(10)],
}"""


async def seen() -> dict[str, Any]:
    async with kernel(COLOUR="blue", OMP_NUM_THREADS="1") as one:
        await one.value("__import__('matplotlib.pyplot')")
        found: dict[str, Any] = await one.value(SEEN)
        return found | {"warnings": await one.prints(WARNINGS)}


def test_a_cell_sees_the_process_that_it_would_see_in_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONHASHSEED", "9")
    forked = asyncio.run(seen())
    monkeypatch.setattr(forking, "why_not", lambda: "for the test")
    new = asyncio.run(seen())
    for part in new:
        assert forked[part] == new[part], part
    assert new["environment"]["COLOUR"] == "blue"
    assert EXTENSIONS in new["path"]


def test_no_two_kernels_draw_the_same_random_numbers() -> None:
    draws = (
        "__import__('random').random()",
        "__import__('numpy').random.rand()",
        "__import__('torch').rand(1).item()",
        "__import__('uuid').uuid4().hex",
    )

    async def drawn() -> list[Any]:
        async with kernel() as one:
            return [await one.value(draw) for draw in draws]

    async def both() -> Any:
        return await asyncio.gather(drawn(), drawn())

    for one, other in zip(*asyncio.run(both()), strict=True):
        assert one != other


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


# A thread is not forked, and a lock that it held would stay locked.
def test_no_thread_runs_in_the_parent() -> None:
    async def parent_of_a_kernel() -> tuple[int, Any]:
        async with kernel() as one:
            loaded = await one.value("'torch' in __import__('sys').modules")
            assert loaded  # by the parent, for no cell has imported it
            return threads(forking.warm_up().process.pid), loaded

    assert asyncio.run(parent_of_a_kernel()) == (1, True)


def test_a_parent_with_a_thread_refuses_to_fork(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wait = "threading.Thread(target=threading.Event().wait, daemon=True)"
    code = f"import threading\n{wait}.start()\n"
    (tmp_path / "threaded.py").write_text(code)
    monkeypatch.setattr(forking, "ENVIRONMENT", {"PYTHONPATH": str(tmp_path)})
    parent = Parent(["threaded"])
    with pytest.raises(CannotFork):
        parent.fork([], {}, "/")
    parent.close()
    assert "imports have started 1 threads" in capfd.readouterr().err


# Where the parent cannot be had, a kernel starts all the same, and it is said.
def test_without_a_parent_a_kernel_starts_from_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Parent(["no_such_library"])
    monkeypatch.setattr(forking, "warm_up", lambda: broken)

    async def answer() -> Any:
        async with kernel() as one:
            return await one.value("('torch' in __import__('sys').modules, 1 + 1)")

    assert asyncio.run(answer()) == [False, 2]
    broken.close()
    assert "kernels start from nothing: " in caplog.text


def test_the_end_of_one_kernel_is_its_own() -> None:
    async def three() -> None:
        async with kernel() as one, kernel() as two, kernel() as three:
            one.client.execute("import os; os._exit(3)")
            two.client.execute("import os; os.kill(os.getpid(), 11)")
            three.client.execute("while True: pass")  # and never answers
            assert await one.ends() == 3
            assert await two.ends() == -signal.SIGSEGV
            assert await three.manager.is_alive()
            async with kernel() as another:
                assert await another.value("1 + 1") == 2
            await three.manager.shutdown_kernel(now=True)
            assert not await three.manager.is_alive()

    asyncio.run(three())


def test_a_kernel_survives_an_interrupt_before_it_listens() -> None:
    async def main() -> None:
        async with kernel(interrupted=True) as one:
            assert await one.value("6 * 7") == 42

    asyncio.run(main())


def test_a_kernel_whose_folder_is_gone_ends_with_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "gone")
    parent = Parent(())  # its messages go where those of this test go
    process = parent.fork([], clean_environment(), gone)
    assert process.wait() == 1
    parent.close()
    assert capfd.readouterr().err == f"no kernel without its folder, {gone}\n"


def test_a_kernel_is_interrupted_and_restarted_like_any_other() -> None:
    async def run() -> None:
        async with kernel() as one:
            before = await one.value("__import__('os').getpid()")
            asleep = one.client.execute("x = 1\nimport time\ntime.sleep(60)")
            await asyncio.sleep(0.3)
            await one.manager.interrupt_kernel()
            reply = await one.client.get_shell_msg(timeout=20)
            while reply["parent_header"].get("msg_id") != asleep:
                reply = await one.client.get_shell_msg(timeout=20)
            assert reply["content"]["ename"] == "KeyboardInterrupt"
            assert await one.value("x") == 1
            await one.manager.restart_kernel(now=True)
            await one.client.wait_for_ready(timeout=60)
            assert await one.value("'x' in globals()") is False
            assert await one.value("__import__('os').getpid()") != before

    asyncio.run(run())


def test_there_is_one_kernel_and_no_other() -> None:
    specs = KernelSpecs()
    assert list(specs.get_all_specs()) == ["python3"]
    with pytest.raises(NoSuchKernel):
        specs.get_kernel_spec("julia")


def running(pids: list[int]) -> list[int]:
    """Those processes that have not ended."""
    left = []
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z":
                left.append(pid)
    return left


BUILD = """
import asyncio, os, sys, time
from tests.extensions.test_ready_kernels import kernel
from ready_kernels import forking

forking.PRELOADED = ()

async def main():
    async with kernel() as idle, kernel() as busy:
        busy.client.execute("while True: pass")
        pids = [one.manager.provisioner.pid for one in (idle, busy)]
        assert await idle.value("__import__('os').getpid()") == pids[0]
        print(forking.warm_up().process.pid, *pids, flush=True)
        {then}

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("then", "ends"),
    [
        ("sys.exit()", "by itself"),
        ("raise KeyboardInterrupt", "by itself"),
        ("os._exit(0)", "by itself"),
        ("os.fork(); time.sleep(15)", "killed"),
        ("time.sleep(60)", "killed"),
    ],
)
def test_no_process_is_left_behind(then: str, ends: str) -> None:
    root = Path(__file__).parents[2]
    build = subprocess.Popen(
        [sys.executable, "-c", BUILD.format(then=then)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(root), EXTENSIONS])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert build.stdout
    pids = [int(word) for word in build.stdout.readline().split()]
    assert len(pids) == 3
    if ends == "killed":
        assert running(pids) == pids
        build.kill()
    build.wait()
    build.stdout.close()
    for _ in range(200):
        if not running(pids):
            break
        time.sleep(0.05)
    assert running(pids) == []
