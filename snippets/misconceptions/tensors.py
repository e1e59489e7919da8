"""Probes of the misconceptions in the chapter on tensors."""

import numpy as np
import torch

from snippets.misconceptions import Probe, misconception


@misconception
def capital_t() -> Probe:
    """The dtype of `torch.Tensor([1, 2])`."""
    as_tensor = torch.tensor([1, 2])
    as_class = torch.Tensor([1, 2])
    return Probe(
        believed=str(as_tensor.dtype),
        found=str(as_class.dtype),
    )


@misconception
def star() -> Probe:
    """`A * B`, where `B` is a matrix that swaps two columns."""
    A = torch.tensor([[1, 2], [3, 4]])
    B = torch.tensor([[0, 1], [1, 0]])
    return Probe(believed=A @ B, found=A * B)


@misconception
def column() -> Probe:
    """The shape of `w = torch.tensor([1.0, 2.0, 3.0])`."""
    w = torch.tensor([1.0, 2.0, 3.0])
    standing = w[:, None]
    return Probe(believed=standing.shape, found=w.shape)


@misconception
def n_one() -> Probe:
    """The sum of squares of `p - y` for perfect predictions `p` of shape (3, 1)."""
    y = torch.tensor([2.0, 4.0, 9.0])
    p = y.reshape(3, 1)
    return Probe(
        believed=((p[:, 0] - y) ** 2).sum(),
        found=((p - y) ** 2).sum(),
    )


@misconception
def reshape() -> Probe:
    """`grid.reshape(3, 2)`, where `grid` has the rows (1, 2, 3) and (4, 5, 6)."""
    grid = torch.tensor([[1, 2, 3], [4, 5, 6]])
    return Probe(believed=grid.T, found=grid.reshape(3, 2))


@misconception
def numpy() -> Probe:
    """A tensor made by `from_numpy` from zeros, after `array[0] = 7`."""
    array = np.zeros(2)
    tensor = torch.from_numpy(array)
    copy = tensor.clone()
    array[0] = 7
    return Probe(believed=copy, found=tensor)
