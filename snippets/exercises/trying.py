"""The words that checks are written in: call a reader's code, compare what it gives.

    rows = call(answer, labels, 3)          # a crash, a changed input: a hint
    agree(rows, expected, "the rows")       # another shape, other numbers: a hint
    require(rows.dtype == torch.float32, "The rows must be floating-point numbers.")

A hint says what is seen and where to look, in the reader's terms; it never says what to
write. Everything that a reader may hand in must end in a hint: nothing here lets an
error of the reader's code through.
"""

from __future__ import annotations

import contextlib
import dis
import inspect
import io
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor


# The instructions of a function that returns a constant.
GIVES_BACK = ("LOAD_CONST", "RETURN_CONST", "RETURN_VALUE")


class Wrong(Exception):
    """An answer does not pass; the text is a hint for the reader."""


def require(condition: object, hint: str) -> None:
    """Raise ``Wrong`` with the hint unless the condition is true."""
    if not condition:
        raise Wrong(hint)


def is_unfilled(answer: Any) -> bool:
    """Whether this is still what stood in the stub, or nothing at all.

    A class counts as unfilled while one of its methods is.
    """
    if answer is ... or answer is None:
        return True
    if inspect.isclass(answer):
        return any(is_unfilled(it) for it in vars(answer).values() if callable(it))
    code = getattr(answer, "__code__", None)
    return code is not None and all(
        step.opname in ("RESUME", "NOP")
        or (step.opname in GIVES_BACK and step.argval in (None, ...))
        for step in dis.get_instructions(code)
    )


def call(function: Any, *inputs: Any) -> Any:
    """What the reader's function returns for these inputs.

    What it prints, and what it warns of, is not shown: it is called many times.

    Raises:
        Wrong: if it is no function, cannot be called like this, raises an error,
            changes its inputs, or returns nothing.
    """
    if isinstance(function, type) or not callable(function):
        given = "a class" if isinstance(function, type) else describe(function)
        raise Wrong(f"Hand in the function itself, not {given}.")
    name = getattr(function, "__name__", "your function")
    inputs_named = ", ".join(map(describe, inputs))
    with contextlib.suppress(ValueError):  # some built-ins have no signature
        _fits(inspect.signature(function), inputs, name)
    before = [it.clone() if isinstance(it, Tensor) else it for it in inputs]
    with running(f"`{name}`, called with {inputs_named},", function) as printed:
        result = function(*inputs)
    for old, new in zip(before, inputs, strict=True):
        if isinstance(new, Tensor) and not _same(old, new):
            raise Wrong(
                f"`{name}` changes the tensor it is given. Compute a new one: the "
                "caller still needs the old one."
            )
    if result is None:
        also = ", and printing only shows it" if printed.getvalue() else ""
        raise Wrong(f"`{name}` returns None: hand the result back with `return`{also}.")
    return result


def _fits(signature: inspect.Signature, inputs: tuple[Any, ...], name: str) -> None:
    try:
        signature.bind(*inputs)
    except TypeError:
        count = f"{len(inputs)} argument" + "s" * (len(inputs) != 1)
        raise Wrong(f"`{name}` must take {count}, as in the stub.") from None


def _same(old: Tensor, new: Tensor) -> bool:
    """The same numbers in the same shape; nan is the same as nan."""
    if old.shape != new.shape or old.dtype != new.dtype:
        return False
    return torch.equal(torch.nan_to_num(old.detach()), torch.nan_to_num(new.detach()))


@contextlib.contextmanager
def running(what: str, code: Any = None) -> Iterator[io.StringIO]:
    """Run the reader's code in the body: an error becomes a hint, output is kept.

    Args:
        what: The beginning of the hint, up to "raises".
        code: The function that is run, to name the line of the error.
    """
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            yield printed
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            place = _place(error, code)
            text = str(error).partition("\n")[0]
            kind = type(error).__name__
            raise Wrong(f"{what} raises {kind}{place}: {text}") from None


def _place(error: BaseException, code: Any) -> str:
    """Where in the reader's function it happened: the line, counted from its `def`."""
    own = getattr(code, "__code__", None)
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if own is not None and frame.filename == own.co_filename
    ]
    inside = [line for line in lines if line and line >= own.co_firstlineno]
    return f" in line {inside[-1] - own.co_firstlineno + 1}" if inside else ""


def describe(value: Any) -> str:
    """A value in a hint: tensors by shape, others as they are written.

    >>> describe(torch.zeros(2, 3)), describe(0.5), describe([1, 2])
    ('a tensor of shape (2, 3)', '0.5', 'a list')
    """
    match value:
        case Tensor():
            return f"a tensor of shape {tuple(value.shape)}"
        case np.ndarray():
            return f"an array of shape {value.shape}"
        case bool() | int() | float() | str():
            return repr(value)
    kind = type(value).__name__
    return f"an {kind}" if kind[0] in "aeiouAEIOU" else f"a {kind}"


def numbers(result: Any, what: str, shape: tuple[int, ...] | None = None) -> Tensor:
    """A result as a float64 tensor without a graph.

    Tensors, arrays, numbers and lists of them are all welcome; for the shape (), so is
    any single number, and a shape that only differs in axes of size 1 is not: it would
    broadcast.

    Raises:
        Wrong: if these are no real numbers, or of another shape than ``shape``.
    """
    try:
        if isinstance(result, list | tuple):
            result = torch.stack([numbers(part, what) for part in result])
        found = torch.as_tensor(result)
        require(not found.is_complex(), f"{what} must be real numbers.")
        found = found.detach().to("cpu", torch.float64).to_dense()
    except (TypeError, ValueError, RuntimeError, RecursionError):
        given = describe(result)
        raise Wrong(f"{what} must be numbers in a tensor; here is {given}.") from None
    if shape == () and found.numel() == 1:
        return found.reshape(())
    if shape is not None and found.shape != shape:
        wanted = "a single number" if shape == () else f"of shape {shape}"
        raise Wrong(f"{what} must be {wanted}; here the shape is {tuple(found.shape)}.")
    return found


def agree(
    result: Any, expected: Any, what: str, hint: str = "", tolerance: float = 1e-4
) -> None:
    """Require the numbers of a result to be those expected, up to rounding.

    Args:
        result: What the reader's code gave.
        expected: The numbers, computed on another route.
        what: The beginning of the hint, "The gradient".
        hint: What else to say if they differ.
        tolerance: Relative to the largest number expected.
    """
    wanted = torch.as_tensor(expected).detach().double()
    try:
        found = numbers(result, what, tuple(wanted.shape))
    except Wrong as wrong:
        raise Wrong(f"{wrong} {hint}".rstrip()) from None
    if not close(found, wanted, tolerance):
        raise Wrong(f"{what} {_difference(found, wanted)}. {hint}".rstrip())


def close(found: Tensor, wanted: Tensor, tolerance: float = 1e-4) -> bool:
    """Equal up to a share of the largest number."""
    scale = max([1.0, *wanted.detach().abs().flatten().tolist()])
    return torch.allclose(found, wanted.double(), rtol=0, atol=tolerance * scale)


def _difference(found: Tensor, wanted: Tensor) -> str:
    """How the numbers differ, without giving them away."""
    if found.isnan().any() and not wanted.isnan().any():
        return "has entries that are nan"
    if found.isinf().any() and not wanted.isinf().any():
        return "has infinite entries"
    if close(-found, wanted):
        return "has the wrong sign"
    nonzero = wanted.abs() > 1e-6
    ratio = found[nonzero] / wanted[nonzero]
    if ratio.numel() > 1 and close(ratio, ratio[0].expand_as(ratio)) and ratio[0] != 0:
        return f"is {ratio[0].item():.4g} times what it should be"
    wrong = ((found - wanted).abs() > 1e-4).sum().item()
    if wanted.numel() > 1:
        return f"is wrong in {wrong} of {wanted.numel()} entries"
    return "is another one"


def normal(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, dtype=dtype)


def frames(error: BaseException) -> list[str]:
    """The names of the functions in a traceback, from the outermost."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]
