"""Derivatives by autograd, through the graph of a setting."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from equations.meanings import as_matrix


def gradient(of: Tensor, by: Tensor, *, again: bool = True) -> Tensor:
    """The gradient of a scalar; zero where it does not depend on the variable.

    Unless a derivative is asked of it ``again``, no graph is made for it.
    """
    if not of.requires_grad:
        return torch.zeros_like(by)
    (found,) = torch.autograd.grad(
        of, by, retain_graph=True, create_graph=again, allow_unused=True
    )
    return torch.zeros_like(by) if found is None else found


def directional(of: Tensor, by: Tensor, move: Tensor) -> Tensor:
    """The change of ``of`` to first order when ``by`` changes by ``move``."""
    if not of.requires_grad:
        return torch.zeros_like(of)
    # The vector–Jacobian product is linear in its vector; its derivative by it is the
    # Jacobian–vector product that is wanted.
    vector = torch.zeros_like(of, requires_grad=True)
    (back,) = torch.autograd.grad(of, by, vector, create_graph=True, allow_unused=True)
    if back is None:
        return torch.zeros_like(of)
    (found,) = torch.autograd.grad(back, vector, move, create_graph=True)
    return found


def slope(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The derivative of a function of one number."""

    def derivative(at: Tensor) -> Tensor:
        leaf = at if at.requires_grad else at.clone().requires_grad_()
        return gradient(as_matrix(function(leaf)), leaf)

    return derivative
