"""The book's chapters with their cells run, once for all tests of a run."""

from __future__ import annotations

import pytest
from filelock import FileLock

from check_outputs import Executed, execute
from tests.cells import ROOT


@pytest.fixture(scope="session")
def executed() -> dict[str, Executed]:
    """Every page that has cells; what a build has run comes from its cache.

    Test processes side by side take turns, so that the second finds the cache filled.
    """
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "cells.lock"):
        return execute(ROOT)
