"""Faults planted in the book on purpose, to see whether a check notices each."""
