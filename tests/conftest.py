"""Fixtures for all tests."""

from hypothesis import settings

from tests.executed import executed
from tests.tiny_book import tiny_book

__all__ = ["executed", "tiny_book"]

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
