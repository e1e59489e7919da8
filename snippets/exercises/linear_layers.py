"""Checks of the exercises in the chapter on linear layers."""

import torch
import torch.nn.functional as F
from torch import nn

from snippets.exercises import exercise
from snippets.exercises.trying import Wrong, agree, close, describe, numbers, require

# The data of the linear-regression chapter, and of this chapter's batch.
SHEET_X = torch.arange(1.0, 10.0).reshape(3, 3)
SHEET_W = torch.tensor([3.0, 2.0, 1.0])
SHEET_Y = torch.tensor([2.0, 4.0, 8.0])
X = torch.tensor([[1.0, 2, 3], [0, 1, 0], [2, 0, 1], [0, 0, 0]])
W = torch.tensor([[4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
B = torch.tensor([18.0, 0.0])
G = torch.tensor([[1.0, 0], [0, -1], [2, 1], [0, 3]])


def _layer(answer, inputs, outputs):
    """The reader's layer, of the right sizes, with weights of its own."""
    if isinstance(answer, type) or not isinstance(answer, nn.Linear):
        given = "the class" if isinstance(answer, type) else describe(answer)
        raise Wrong(f"`layer` must be an nn.Linear; here is {given}.")
    require(answer.bias is None, "The layer has a bias; this one should have none.")
    found, wanted = tuple(answer.weight.shape), (outputs, inputs)
    require(
        found == wanted,
        f"The weight has shape {found}; a layer from {inputs} inputs to {outputs} "
        f"output{'s' * (outputs > 1)} is wanted.",
    )
    return answer


def _gradient(layer):
    require(
        layer.weight.grad is not None,
        "The weight has no `.grad`: has a backward pass reached this layer?",
    )
    return layer.weight.grad


@exercise(
    """
    layer = ...  # an nn.Linear with the weights (3, 2, 1), after backward()
    loss = ...  # its summed squared error on the sheet's data
    """
)
def regression(layer, loss):
    """Loss and gradient by autograd without a layer."""
    layer = _layer(layer, 3, 1)
    agree(layer.weight, SHEET_W[None], "The weight of the layer", "w is (3, 2, 1).")
    w = SHEET_W.clone().requires_grad_()
    wanted = ((SHEET_X @ w - SHEET_Y) ** 2).sum()
    (gradient,) = torch.autograd.grad(wanted, w)
    found = numbers(loss, "The loss", ())
    pairs = ((SHEET_X @ w)[:, None] - SHEET_Y) ** 2
    slips = {
        "All outputs were compared with all targets: look at the two shapes.": pairs,
        "It is the mean over the examples; the sum is asked for.": wanted[None] / 3,
    }
    hint = next((text for text, t in slips.items() if close(found, t.sum())), "")
    if close(found, pairs.mean()):
        hint = next(iter(slips))
    agree(found, wanted, "The loss", hint)
    hint = "Does the gradient of an earlier run add to it?"
    agree(_gradient(layer), gradient[None], "The gradient of the weight", hint)
    return "2084 and its gradient, as in the other chapter, lying down"


@exercise(
    """
    # An nn.Linear for inputs with a 1 appended, after backward(G).
    layer = ...
    """
)
def fold(layer):
    """Outputs and gradients of the layer with a bias, by autograd."""
    layer = _layer(layer, 4, 2)
    for row in (*X, torch.zeros(3), torch.tensor([1.0, -1.0, 2.0])):
        with torch.no_grad():
            found = layer(torch.cat([row, torch.ones(1)]))
        agree(
            found,
            F.linear(row, W, B),
            f"With a 1 appended to x = {row.tolist()}, the output",
            "Where do W and b stand in the new weight?",
        )
    weight, bias = W.clone().requires_grad_(), B.clone().requires_grad_()
    parts = torch.autograd.grad(F.linear(X, weight, bias), (weight, bias), G)
    found = _gradient(layer)
    require(
        not close(found[:, :3].double(), torch.zeros(2, 3)),
        "The gradient of the weight is 0: the backward pass starts from `G`.",
    )
    agree(found[:, :3], parts[0], "The gradient in the first three columns", "")
    agree(found[:, 3], parts[1], "The gradient in the last column", "")
    return "outputs and gradients are those of the layer with a bias"
