"""Kernels that are ready at once: forked from a process that has imported torch.

::

    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecs())
    await manager.start_kernel(env=…, cwd=…)        # tens of milliseconds

``KernelSpecs`` knows one kernel, ``python3``: this very Python, with one thread and a
fixed hash seed. It serves wherever Jupyter takes a ``KernelSpecManager``: for a
``KernelManager``, a ``MappingKernelManager``, or a server with the setting ::

    c.ServerApp.kernel_spec_manager_class = "ready_kernels.kernels.KernelSpecs"

Starting, interrupting, restarting and killing a kernel work as with any other. With
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
