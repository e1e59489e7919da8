"""``raises``, by which a snippet module says that a cell is broken on purpose."""

import pytest

from snippets import raises


def test_the_promised_exception_passes() -> None:
    with raises(ValueError, "invalid literal"):
        int("one")


def test_another_message_is_an_error() -> None:
    with (
        pytest.raises(AssertionError, match="expected 'out of range' in"),
        raises(ValueError, "out of range"),
    ):
        int("one")


def test_no_exception_is_an_error() -> None:
    with (
        pytest.raises(AssertionError, match="expected ValueError, but nothing"),
        raises(ValueError, "invalid literal"),
    ):
        int("1")


def test_another_exception_passes_through() -> None:
    with pytest.raises(TypeError), raises(ValueError, "invalid literal"):
        int([])  # type: ignore[call-overload]
