"""Fixtures for all tests."""

from tests.executed import executed
from tests.tiny_book import tiny_book

__all__ = ["executed", "tiny_book"]
