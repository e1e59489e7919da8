"""Jupyter's kernels, forked by the parent: ``KernelSpecs``, wherever Jupyter takes one.

Where nothing can be forked, or the parent has ended, they start from nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
from importlib.metadata import EntryPoint
from typing import Any

from jupyter_client.kernelspec import (
    NATIVE_KERNEL_NAME,
    KernelSpec,
    KernelSpecManager,
    NoSuchKernel,
)
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from ready_kernels import forking
from ready_kernels.forking import COMMAND, PROCESS, CannotFork

logger = logging.getLogger(__name__)

NAME = "ready-kernels"


class Provisioner(LocalProvisioner):
    """Forks the kernel, or starts it from nothing where that cannot be."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the process of a kernel whose command ``KernelSpecs`` gave."""
        argv, env = cmd[len(COMMAND) :], kwargs["env"]
        cwd = kwargs.get("cwd") or os.getcwd()
        try:
            # In a thread, for it waits as long as the parent imports.
            process = await asyncio.to_thread(forking.warm_up().fork, argv, env, cwd)
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
            env=forking.ENVIRONMENT,
            metadata={} if forking.why_not() else ready,
            resource_dir=str(PROCESS.parent),
        )


# Jupyter looks for provisioners among the entry points of what is installed; the book's
# code is not.
KernelProvisionerFactory.provisioners[NAME] = EntryPoint(
    NAME, f"{__name__}:{Provisioner.__name__}", KernelProvisionerFactory.GROUP_NAME
)
