"""Probes of the misconceptions in the chapter on computation graphs."""

import torch

from snippets.misconceptions import Probe, misconception, outcome


@misconception
def integers() -> Probe:
    """How `torch.tensor([1, 2, 3], requires_grad=True)` ends."""
    numbers = [1, 2, 3]
    ending = outcome(lambda: torch.tensor(numbers, requires_grad=True))
    return Probe(believed="no error", found=ending)


@misconception
def none() -> Probe:
    """The gradient of `loss = p * p` at `p = u * v`, which is not kept in `p.grad`."""
    u = torch.tensor(2.0, requires_grad=True)
    v = torch.tensor(3.0, requires_grad=True)
    p = u * v
    loss = p * p
    (gradient,) = torch.autograd.grad(loss, p)
    return Probe(believed=0.0, found=gradient)


@misconception
def backward_builds() -> Probe:
    """The last recorded operation of `loss = w * w + 1`, before any `backward()`."""
    w = torch.tensor(3.0, requires_grad=True)
    loss = w * w + 1
    return Probe(believed=None, found=loss.grad_fn.name())


@misconception
def replaced() -> Probe:
    """`w.grad` at `w = 3` after two backward passes, each through a new `w * w`."""
    w = torch.tensor(3.0, requires_grad=True)
    (w * w).backward()
    first = w.grad.clone()
    (w * w).backward()
    return Probe(believed=first, found=w.grad)


@misconception
def second_backward() -> Probe:
    """How the second of two calls of `loss.backward()` ends."""
    w = torch.tensor(3.0, requires_grad=True)
    loss = w * w
    loss.backward()
    return Probe(believed="no error", found=outcome(loss.backward))


@misconception
def in_place_leaf() -> Probe:
    """How `w -= 0.1 * w.grad` ends, written as `w.sub_(…)`, while autograd records."""
    w = torch.tensor(3.0, requires_grad=True)
    (w * w).backward()
    return Probe(
        believed="no error",
        found=outcome(lambda: w.sub_(0.1 * w.grad)),
    )


@misconception
def rebound() -> Probe:
    """`w.is_leaf` after `w = w - 0.1 * w.grad`."""
    w = torch.tensor(3.0, requires_grad=True)
    (w * w).backward()
    before = w.is_leaf
    w = w - 0.1 * w.grad
    return Probe(believed=before, found=w.is_leaf)


@misconception
def detach_copies() -> Probe:
    """`w = (1, 2)` after `d = w.detach()` and `d[0] = 100`."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    before = w.tolist()
    d = w.detach()
    d[0] = 100.0
    return Probe(believed=before, found=w.detach())
