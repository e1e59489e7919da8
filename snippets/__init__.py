"""The code that the book shows: one module for each chapter, tested like any package.

A cell that is broken on purpose consists of one ``with raises(...)`` statement::

    with raises(RuntimeError, "Only Tensors of floating point"):
        torch.tensor([1, 2, 3], requires_grad=True)

Importing the module checks the promise. The chapter draws and runs the body alone,
so the reader sees the code that fails and the message that Python really gives.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raises(kind: type[BaseException], message: str) -> Iterator[None]:
    """Expect the body to raise ``kind`` with ``message`` as a part of its text.

    Raises:
        AssertionError: if nothing is raised, or the message does not contain
            ``message``. An exception of another class passes through unchanged.
    """
    try:
        yield
    except kind as error:
        if message not in str(error):
            raise AssertionError(f"expected {message!r} in {str(error)!r}") from error
    else:
        raise AssertionError(f"expected {kind.__name__}, but nothing was raised")
