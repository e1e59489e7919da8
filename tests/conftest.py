"""Fixtures for all tests."""

from tests.tiny_book import tiny_book

__all__ = ["tiny_book"]
